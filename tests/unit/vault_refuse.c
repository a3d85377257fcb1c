/* unit/vault_refuse: seal.md section 7 where every position counts. Each bit of N and B flipped, N cut at
 * every length, chunks swapped, shares and B mixed over generations, forgeries by holders of R and of the
 * data key: refused, by the check that should refuse it, with no byte released that does not belong. Single
 * cases of every row are in kat/seal/refusals.json. */
#include "m.h"
#include "vault/kdf.h"
#include "vault_fix.h"

#define C UINT64_C(65536)

/* Of the bytes of ciphertext a sanitizer looks at one in so many: that each is refused is seen without it. */
#ifdef __SANITIZE_ADDRESS__
enum { ONE_IN = 61 };
#else
enum { ONE_IN = 1 };
#endif

/* What must refuse a change at a byte of N. */
static const char *check_of(const struct fix *f, uint64_t at)
{
    static char text[64];
    const struct vault_range tail = vault_geometry_tail(&f->g);
    if (at >= tail.offset)
        return at >= f->N.n - 32 ? "seal M" : at >= f->N.n - 36 ? "trailer" : NULL;
    if (at < f->g.header_size)
        return at < 16    ? NULL
               : at < 32  ? "header: vault id"
               : at < 48  ? "header: object id"
               : at < 64  ? "header: version id"
               : at < 112 ? "seal M"
                          : "share";
    for (uint64_t g = 0; g < f->g.groups; g++) {
        const struct vault_range t = vault_geometry_tags(&f->g, g);
        if (at >= t.offset && at < t.offset + t.size) {
            snprintf(text, sizeof text, "group %u: tag table", (unsigned)g);
            return text;
        }
    }
    return "";
}

/* N with one bit flipped, in a scratch copy; the copy is whole again afterwards. */
static void flip_refused(const struct fix *f, uint8_t *copy, uint64_t at, unsigned bit,
                         const struct fix_way *way)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
    copy[at] ^= (uint8_t)(1u << bit);
    const qc_rc rc = fix_open(&D, qc_span_of(copy, f->N.n), way, &err);
    copy[at] ^= (uint8_t)(1u << bit);
    const char *check = check_of(f, at);
    bool right = rc == QC_INTEGRITY || rc == QC_FORMAT || rc == QC_NEWER;
    if (check != NULL && check[0] != '\0')
        right = right && strstr(err.msg, check) != NULL;
    else if (check != NULL) /* chunk 0 with KR and R3 inside */
        right = right && (strcmp(err.msg, "seal M") == 0 || strstr(err.msg, ": second tag") != NULL);
    if (!right) {
        fprintf(stderr, "bit %u of byte %llu: %s \"%s\", expected \"%s\"\n", bit, (unsigned long long)at,
                qc_rc_name(rc), err.msg, check != NULL ? check : "any refusal");
        exit(1);
    }
    CHECK(D.n % C == 0 && D.n < f->N.n); /* whole chunks before the damage at most */
}

static uint8_t *copy_of(const struct fix *f)
{
    uint8_t *copy = malloc(f->N.n);
    CHECK(copy != NULL);
    memcpy(copy, f->N.p, f->N.n);
    return copy;
}

/* Row 1, small: every bit, on each path. */
static void every_bit(uint64_t size)
{
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 11, .size = size });
    const struct fix_way way[3] = { fix_plain(&f), fix_with(&f, 1), fix_with(&f, 2) };
    uint8_t *copy = copy_of(&f);
    for (uint64_t at = 0; at < f.N.n; at++)
        for (unsigned bit = 0; bit < 8; bit++)
            flip_refused(&f, copy, at, bit, &way[(at + bit) % 3]);
    free(copy);
    fix_free(&f);
}

/* A byte of ciphertext, which leaves header, trailer, KR and R3 alone: the object opens, and the chunk must
 * not. */
static void cipher_byte(const struct fix *f, struct vault_opened *o, const struct vault_tags *tags,
                        uint64_t i, uint64_t at)
{
    struct qc_err err = { 0 };
    static uint8_t p[65536 + 64];
    char want[64];
    const struct vault_range r = vault_geometry_chunk(&f->g, i);
    memcpy(p, f->N.p + r.offset, (size_t)r.size);
    p[at - r.offset] ^= (uint8_t)(1u << (at % 8));
    size_t n = SIZE_MAX;
    snprintf(want, sizeof want, "chunk %u: second tag", (unsigned)i);
    CHECK(vault_opened_chunk(o, &tags[vault_geometry_group_of(&f->g, i)], i, p, (size_t)r.size, &n, &err) ==
              QC_INTEGRITY &&
          n == SIZE_MAX && strcmp(err.msg, want) == 0);
}

/* Row 1, around a chunk: one bit of every byte. Ciphertext bytes go the short way (cipher_byte), all others
 * the whole. */
static void every_byte(uint64_t size)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 12, .size = size });
    const struct fix_way plain = fix_plain(&f);
    QC_CLEANUP(vault_frame_free) struct vault_frame *frame = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    struct vault_tags tags[4] = { 0 };
    uint8_t *copy = copy_of(&f);
    uint64_t n1 = 0, short_way = 0;
    CHECK_OK(fix_frame(&frame, qc_buf_span(&f.N), &err));
    CHECK_OK(fix_unlock(&o, frame, qc_buf_span(&f.N), &plain, &err));
    CHECK(f.g.groups <= 4);
    for (uint64_t g = 0; g < f.g.groups; g++) {
        const struct vault_range t = vault_geometry_tags(&f.g, g);
        CHECK_OK(vault_opened_group(&tags[g], o, g, qc_span_of(f.N.p + t.offset, (size_t)t.size), &err));
    }
    CHECK_OK(vault_kdf_position(&n1, f.keys.R, "n1", &f.ids, vault_geometry_chunk_size(&f.g, 0), &err));
    const uint64_t R3 = f.g.header_size + f.n2, KR = f.g.header_size + n1;
    uint64_t chunk_end[5] = { 0 };
    for (uint64_t i = 0; i < f.g.chunks; i++)
        chunk_end[i] = vault_geometry_chunk(&f.g, i).offset + vault_geometry_chunk(&f.g, i).size;
    for (uint64_t at = 0; at < f.N.n; at++) {
        uint64_t in = f.g.chunks;
        for (uint64_t i = 0; i < f.g.chunks; i++)
            if (at >= vault_geometry_chunk(&f.g, i).offset && at < chunk_end[i])
                in = i;
        /* KR lies between KR and KR + 64, pushed on or split by R3. */
        const bool key = in == 0 && ((at >= R3 && at < R3 + 32) || (at >= KR && at < KR + 64));
        if (in < f.g.chunks && !key) {
            if (at % ONE_IN == 0)
                cipher_byte(&f, o, tags, in, at);
            short_way++;
        } else {
            flip_refused(&f, copy, at, (unsigned)(at % 8), &plain);
        }
    }
    CHECK(short_way + 200 > size && short_way <= size);
    for (size_t g = 0; g < 4; g++)
        vault_tags_done(&tags[g]);
    free(copy);
    fix_free(&f);
}

/* Row 3: every shorter length, and bytes in front and behind. */
static void every_length(void)
{
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 13, .size = 5 });
    const struct fix_way plain = fix_plain(&f);
    for (size_t n = 0; n < f.N.n; n++)
        FIX_REFUSED(qc_span_of(f.N.p, n), &plain, QC_FORMAT, "", 0);
    for (size_t n = 1; n < f.N.n; n++)
        FIX_REFUSED(qc_span_from(qc_buf_span(&f.N), n), &plain, QC_FORMAT, "", 0);
    for (size_t extra = 1; extra <= 40; extra++) {
        uint8_t *p = calloc(1, f.N.n + extra);
        CHECK(p != NULL);
        memcpy(p, f.N.p, f.N.n);
        FIX_REFUSED(qc_span_of(p, f.N.n + extra), &plain, QC_FORMAT, "", 0);
        memset(p, 0, extra);
        memcpy(p + extra, f.N.p, f.N.n);
        FIX_REFUSED(qc_span_of(p, f.N.n + extra), &plain, QC_FORMAT, "header: not a sealed object", 0);
        free(p);
    }
    fix_free(&f);
}

static void swap(uint8_t *p, struct vault_range a, struct vault_range b)
{
    CHECK(a.size == b.size);
    for (uint64_t i = 0; i < a.size; i++) {
        const uint8_t t = p[a.offset + i];
        p[a.offset + i] = p[b.offset + i];
        p[b.offset + i] = t;
    }
}

/* Rows 4 and 5: swaps inside a group, between groups, of blocks, of whole groups. */
static void swaps(void)
{
    struct fix f =
        fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 14, .size = 8 * C, .group_log2 = 2 });
    const struct fix_way plain = fix_plain(&f);
    const struct vault_geometry *g = &f.g;
    uint8_t *p = copy_of(&f);
    const qc_span N = qc_span_of(p, f.N.n);
    swap(p, vault_geometry_chunk(g, 2), vault_geometry_chunk(g, 3));
    FIX_REFUSED(N, &plain, QC_INTEGRITY, "chunk 2: second tag", 2 * C);
    swap(p, vault_geometry_chunk(g, 2), vault_geometry_chunk(g, 3));
    swap(p, vault_geometry_chunk(g, 1), vault_geometry_chunk(g, 5));
    FIX_REFUSED(N, &plain, QC_INTEGRITY, "chunk 1: second tag", C);
    swap(p, vault_geometry_chunk(g, 1), vault_geometry_chunk(g, 5));
    swap(p, vault_geometry_tags(g, 0), vault_geometry_tags(g, 1));
    FIX_REFUSED(N, &plain, QC_INTEGRITY, "group 0: tag table", 0);
    swap(p, vault_geometry_tags(g, 0), vault_geometry_tags(g, 1));
    /* tags go with their chunks: the block's digest sees it */
    swap(p, vault_geometry_chunk(g, 5), vault_geometry_chunk(g, 6));
    const struct vault_range t = vault_geometry_tags(g, 1);
    swap(p, (struct vault_range){ t.offset + 32, 32 }, (struct vault_range){ t.offset + 64, 32 });
    FIX_REFUSED(N, &plain, QC_INTEGRITY, "group 1: tag table", 4 * C);
    free(p);
    fix_free(&f);
}

/* M made anew by a holder of R. */
static void remake_M(const struct fix *f, uint8_t *p, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint64_t n1 = 0;
    const size_t T = (size_t)qc_get_be(p + n - 36, 4);
    CHECK_OK(vault_kdf_once(&key, f->keys.R, "M", &f->ids, &err));
    CHECK_OK(vault_kdf_position(&n1, f->keys.R, "n1", &f->ids, vault_geometry_chunk_size(&f->g, 0), &err));
    const struct vault_m_parts parts = { .header = qc_span_of(p, f->g.header_size),
                                         .KR = f->keys.KR,
                                         .R3 = f->keys.R3,
                                         .n1 = n1,
                                         .n2 = f->n2,
                                         .trailer = qc_span_of(p + n - 36 - T, T) };
    CHECK_OK(vault_m(p + n - 32, key, &parts, &err));
}

/* Rows 8 and 9: the last chunk of a padded object is left out by a holder of R, everything adapted: the chunk
 * before it was not sealed as the last one. */
static void last_chunk_dropped(void)
{
    struct fix f =
        fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 15, .size = C, .padded = 3 * C });
    struct fix_way way = fix_plain(&f);
    way.M = NULL;
    uint8_t *p = copy_of(&f);
    const struct vault_range c2 = vault_geometry_chunk(&f.g, 2), tail = vault_geometry_tail(&f.g);
    /* Group 1 (chunk 2, its block) goes; the trailer loses one digest. */
    size_t n = f.N.n;
    memmove(p + c2.offset, p + tail.offset, (size_t)tail.size);
    n -= (size_t)(tail.offset - c2.offset);
    uint8_t *t = p + c2.offset;
    qc_put_be(t, 2 * C, 8);
    qc_put_be(t + 12, 1, 4);
    memmove(t + 48, t + 80, (size_t)tail.size - 80);
    n -= 32;
    qc_put_be(p + n - 36, tail.size - 36 - 32, 4);
    FIX_REFUSED(qc_span_of(p, n), &way, QC_INTEGRITY, "seal M", 0);
    remake_M(&f, p, n);
    FIX_REFUSED(qc_span_of(p, n), &way, QC_INTEGRITY, "chunk 1: tag",
                C); /* the last flag is in the chunk's key */
    free(p);
    fix_free(&f);
}

/* a times b in GHASH's field: bit 0 is the top bit of byte 0, polynomial 1 + x + x^2 + x^7 + x^128. */
static void ghash_mul(uint8_t ret[16], const uint8_t a[16], const uint8_t b[16])
{
    uint8_t z[16] = { 0 }, v[16];
    memcpy(v, b, 16);
    for (unsigned i = 0; i < 128; i++) {
        if (a[i / 8] >> (7 - i % 8) & 1)
            for (unsigned j = 0; j < 16; j++)
                z[j] ^= v[j];
        const bool low = v[15] & 1;
        for (unsigned j = 15; j > 0; j--)
            v[j] = (uint8_t)(v[j] >> 1 | v[j - 1] << 7);
        v[0] = (uint8_t)(v[0] >> 1) ^ (low ? 0xe1 : 0);
    }
    memcpy(ret, z, 16);
}

/* Row 29: whoever has DK changes two blocks of a chunk so that GCM's tag stays. First it is shown that the
 * tag stays. */
static void gcm_collision(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 16, .size = C + 64 });
    const struct fix_way plain = fix_plain(&f);
    QC_CLEANUP(qc_key_free) qc_key *DK = NULL, *key = NULL;
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    uint8_t salt[16], H[16], zero[16] = { 0 }, d[16], dH[16], HH[32], text[64];
    fix_bytes(salt, 16, "salt", 0);
    fix_bytes(d, 16, "difference", 0);
    const uint8_t index[8] = { 0, 0, 0, 0, 0, 0, 0, 1 }, last = 1,
                  nonce[12] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    CHECK_OK(vault_kdf_once(&DK, f.keys.K, "data", &f.ids, &err));
    CHECK_OK(vault_prk_new(&prk, DK, &err));
    const qc_span parts[] = { qc_span_of(f.ids.vault, 16),   qc_span_of(f.ids.object, 16),
                              qc_span_of(f.ids.version, 16), qc_span_of(salt, 16),
                              qc_span_of(index, 8),          qc_span_of(&last, 1) };
    CHECK_OK(vault_kdf(&key, prk, "chunk", parts, 6, 32, &err));
    CHECK_OK(qc_aes256_block_enc(qc_key_open(key), zero, H, &err));
    ghash_mul(dH, d, H);
    uint8_t *p = copy_of(&f), *ct = p + vault_geometry_chunk(&f.g, 1).offset;
    for (unsigned i = 0; i < 16; i++) {
        ct[i] ^= d[i];
        ct[16 + i] ^= dH[i];
    }
    const qc_span header = qc_span_of(p, f.g.header_size);
    CHECK_OK(qc_sha256(&header, 1, HH, &err));
    const uint8_t *tag = p + vault_geometry_tags(&f.g, 0).offset + 32;
    CHECK_OK(
        qc_gcm_open(&(struct qc_gcm){ .key = qc_key_open(key), .nonce = nonce, .aad = qc_span_of(HH, 32) },
                    qc_span_of(ct, 64), tag, text, &err)); /* GCM alone is deceived */
    FIX_REFUSED(qc_span_of(p, f.N.n), &plain, QC_INTEGRITY, "chunk 1: second tag", C);
    free(p);
    fix_free(&f);
}

/* Row 24: padding that is not zero is authenticated and dropped; a true length beyond the padding cannot be
 * written, and is refused when a holder of all keys writes it. */
static void padding(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 17, .size = 900 });
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;
    const struct vault_sealer_params params = { .ids = f.ids, .chunk_log2 = 16, .group_log2 = 1 };
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = FIX_N_MAX };
    uint8_t *place, M[32];
    size_t n = 0;
    CHECK_OK(vault_sealer_new(&s, &f.keys, &params, &err));
    CHECK_OK(qc_buf_add(&N, vault_sealer_header(s), &err));
    CHECK_OK(qc_buf_extend(&N, 900 + 96, &place, &err));
    fix_pattern(place, 0, 900);
    CHECK_OK(vault_sealer_chunk(s, place, 900, true, &n, &err));
    CHECK(n == 996);
    CHECK_OK(vault_sealer_finish(s, &(struct vault_meta){ .true_size = 600 }, &N, M, &err));
    struct fix cut = f;
    cut.spec.size = 600;
    const struct fix_way way = { .ids = f.ids, .R1 = f.keys.R1, .R2 = f.keys.R2, .M = M };
    fix_opens(&cut, qc_buf_span(&N), &way);
    fix_free(&f);
}

/* Row 2 and 15: every bit of B; B of another object, version, generation; cut at every length. */
static void backup_data(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 18, .size = 40 });
    uint8_t b[VAULT_BACKUP_BYTES];
    CHECK(f.B.n == VAULT_BACKUP_BYTES);
    for (unsigned i = 1; i <= 2; i++)
        for (size_t at = 0; at < f.B.n; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                struct fix_way way = fix_with(&f, i);
                memcpy(b, f.B.p, f.B.n);
                b[at] ^= (uint8_t)(1u << bit);
                way.B = qc_span_of(b, f.B.n);
                const bool other_mac = i == 1 ? at >= 140 : at >= 108 && at < 140;
                QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
                const qc_rc rc = fix_open(&D, qc_buf_span(&f.N), &way, &err);
                const bool kept = at == 6 && b[6] == 2; /* that kind is with a keeper: nothing to open by */
                CHECK(other_mac ? rc == QC_OK
                      : kept    ? rc == QC_SHARES
                                : rc == QC_INTEGRITY || rc == QC_FORMAT || rc == QC_NEWER);
                const bool structure = at < 8 || (at >= 56 && at < 64) || (at >= 104 && at < 108);
                CHECK(other_mac || structure ||
                      strcmp(err.msg, i == 1 ? "backup data: M14" : "backup data: M24") == 0);
                CHECK(D.n == (other_mac ? 40 : 0));
            }
    for (size_t n = 1; n < f.B.n; n++) {
        struct fix_way way = fix_with(&f, 1);
        way.B = qc_span_of(f.B.p, n);
        FIX_REFUSED(qc_buf_span(&f.N), &way, QC_FORMAT, "backup data", 0);
    }
    static const struct fix_spec others[] = { { .object = 2, .version = 1, .keys = 18, .size = 40 },
                                              { .object = 1, .version = 2, .keys = 18, .size = 40 },
                                              { .object = 1, .version = 1, .keys = 19, .size = 40 } };
    for (size_t k = 0; k < 3; k++) {
        struct fix o = fix_make(&others[k]);
        for (unsigned i = 1; i <= 2; i++) {
            struct fix_way way = fix_with(&f, i);
            way.B = qc_buf_span(&o.B);
            FIX_REFUSED(qc_buf_span(&f.N), &way, QC_INTEGRITY,
                        i == 1 ? "backup data: M14" : "backup data: M24", 0);
        }
        fix_free(&o);
    }
    fix_free(&f);
}

/* B as a holder of share 1 can forge it: bytes of R'4 changed, M14 made anew under the ids that are asked
 * for. */
static void forged_backup(void)
{
    struct qc_err err = { 0 };
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 22, .size = 30 });
    static const struct {
        size_t at, n;
        const char *v, *check;
    } t[] = {
        { 40, 1, "?", "backup data: ids" },
        { 64, 8, "\0\0\0\0\0\0\0\x3f", "backup data: n2 63 is over 62" },
        { 64, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", "backup data: n2" },
        { 72, 1, "?", "seal M" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint8_t b[VAULT_BACKUP_BYTES];
        QC_CLEANUP(qc_key_free) qc_key *key = NULL;
        memcpy(b, f.B.p, sizeof b);
        memcpy(b + t[i].at, t[i].v, t[i].n);
        const qc_span raw = qc_span_of(b, sizeof b - 64);
        CHECK_OK(vault_kdf_once(&key, f.keys.R1, "M14", &f.ids, &err));
        CHECK_OK(vault_hmac(b + raw.n, key, &raw, 1, &err));
        struct fix_way way = fix_with(&f, 1);
        way.B = qc_span_of(b, sizeof b);
        FIX_REFUSED(qc_buf_span(&f.N), &way, QC_INTEGRITY, t[i].check, 0);
    }
    fix_free(&f);
}

/* Fewer than three shares. */
static void too_few(void)
{
    struct fix f = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 20, .size = 4 });
    struct fix_way way = fix_plain(&f);
    way.R2 = NULL;
    FIX_REFUSED(qc_buf_span(&f.N), &way, QC_SHARES, "fewer than three", 0);
    way.R1 = NULL;
    FIX_REFUSED(qc_buf_span(&f.N), &way, QC_SHARES, "fewer than three", 0);
    way.B = qc_buf_span(&f.B);
    FIX_REFUSED(qc_buf_span(&f.N), &way, QC_SHARES, "fewer than three", 0);
    fix_free(&f);
}

/* Key shares of three generations (row 19): R1 + 2c, R2 + 2c for random c. */
static void generations(void)
{
    struct qc_err err = { 0 };
    struct fix g[3];
    for (uint8_t i = 0; i < 3; i++) {
        g[i] = fix_make(&(struct fix_spec){ .object = 1, .version = 1, .keys = 21, .size = 10 });
        if (i == 0)
            continue;
        QC_CLEANUP(qc_key_free) qc_key *c = fix_key("refresh", i, 32), *R1 = NULL, *R2 = NULL, *R4 = NULL;
        CHECK_OK(qc_key_xor(&R1, g[0].keys.R1, c, &err));
        CHECK_OK(qc_key_xor(&R2, g[0].keys.R2, c, &err));
        const struct vault_triple t = { .x = { 1, 2, 3 }, .share = { R1, R2, g[0].keys.R3 } };
        CHECK_OK(vault_triple_at(&R4, &t, 4, &err));
        qc_key_free(&g[i].keys.R1);
        qc_key_free(&g[i].keys.R2);
        qc_key_free(&g[i].keys.R4);
        g[i].keys.R1 = QC_STEAL(R1);
        g[i].keys.R2 = QC_STEAL(R2);
        g[i].keys.R4 = QC_STEAL(R4);
        g[i].spec.generation = i + 1u;
        qc_buf_clear(&g[i].B);
        fix_backup(&g[i], &g[i].B);
    }
    for (unsigned a = 0; a < 3; a++)
        for (unsigned b = 0; b < 3; b++) {
            const qc_span N = qc_buf_span(&g[0].N);
            const struct fix_way plain = { .ids = g[0].ids, .R1 = g[a].keys.R1, .R2 = g[b].keys.R2 },
                                 with1 = { .ids = g[0].ids, .R1 = g[a].keys.R1, .B = qc_buf_span(&g[b].B) },
                                 with2 = { .ids = g[0].ids, .R2 = g[a].keys.R2, .B = qc_buf_span(&g[b].B) };
            if (a == b) {
                fix_opens(&g[0], N, &plain);
                fix_opens(&g[0], N, &with1);
                fix_opens(&g[0], N, &with2);
            } else {
                FIX_REFUSED(N, &plain, QC_INTEGRITY, "seal M", 0);
                FIX_REFUSED(N, &with1, QC_INTEGRITY, "backup data: M14", 0);
                FIX_REFUSED(N, &with2, QC_INTEGRITY, "backup data: M24", 0);
            }
        }
    for (unsigned i = 0; i < 3; i++)
        fix_free(&g[i]);
}

int main(void)
{
    every_bit(0);
    every_bit(1);
    every_bit(70);
    every_byte(C - 1);
    every_byte(C);
    every_byte(C + 1);
    every_length();
    swaps();
    last_chunk_dropped();
    gcm_collision();
    padding();
    backup_data();
    forged_backup();
    too_few();
    generations();
    return 0;
}
