/* Vectors of whole sealed objects, and of refreshed shares. See README.md here. */
#include "gen_json.h"

#include "base/codec.h"
#include "gen_objects.h"
#include "m.h"
#include "ss/shamir.h"
#include "vault/kdf.h"
#include "vault/record.h"
#include "vault_fix.h"

#define C           UINT64_C(65536)
#define N_WHOLE_MAX 4096

const struct gen_object gen_object[GEN_OBJECTS] = {
    [GEN_EMPTY] = { "empty",
                    false,
                    { .object = 1, .version = 1, .keys = 1, .chunk_log2 = 20, .group_log2 = 12 } },
    [GEN_ABC] = { "abc",
                  false,
                  { .object = 2,
                    .version = 2,
                    .keys = 2,
                    .size = 3,
                    .chunk_log2 = 20,
                    .group_log2 = 12,
                    .meta = { .has_mtime = true,
                              .mtime_s = 1700000000,
                              .mtime_ns = 1,
                              .has_mode = true,
                              .mode = 0100644,
                              .provenance = { (const uint8_t *)"os:getrandom", 12 } } } },
    [GEN_MIB] = { "mib_plus_1",
                  false,
                  { .object = 3,
                    .version = 3,
                    .keys = 3,
                    .size = (1 << 20) + 1,
                    .chunk_log2 = 20,
                    .group_log2 = 12 } },
    [GEN_GROUPS] = { "groups", true, { .object = 4, .version = 4, .keys = 4, .size = 3 * C } },
    [GEN_GROUPS_B] = { "groups_other_version",
                       true,
                       { .object = 4, .version = 5, .keys = 5, .size = 3 * C } },
    [GEN_EPOCHS] = { "epochs",
                     true,
                     { .object = 6,
                       .version = 6,
                       .keys = 6,
                       .size = 3 * C + 10,
                       .epochs = 2,
                       .epoch_start = { 1, 3 } } },
    [GEN_PADDED] = { "padded", false, { .object = 7, .version = 7, .keys = 7, .size = 5, .padded = 1000 } },
    [GEN_EXTENDED] = { "extensions",
                       false,
                       { .object = 8,
                         .version = 8,
                         .keys = 8,
                         .size = 20,
                         .header_ext = { (const uint8_t *)"\0\7\0\0\0\3abc\0\x09\0\0\0\0", 15 },
                         .trailer_ext = { (const uint8_t *)"\x12\x34\0\0\0\1z", 7 } } },
    [GEN_ABC_B] = { "other_object",
                    false,
                    { .object = 9, .version = 9, .keys = 9, .size = 3, .chunk_log2 = 20, .group_log2 = 12 } },
    [GEN_ABC_C] = { "abc_other_version",
                    false,
                    { .object = 2,
                      .version = 3,
                      .keys = 10,
                      .size = 3,
                      .chunk_log2 = 20,
                      .group_log2 = 12 } },
};

void gen_ids(struct out *o, const char *key, const struct vault_ids *ids)
{
    out_begin(o, key, '{');
    out_hex(o, "vault", qc_span_of(ids->vault, 16));
    out_hex(o, "object", qc_span_of(ids->object, 16));
    out_hex(o, "version", qc_span_of(ids->version, 16));
    out_end(o, '}');
}

static void put_keys(struct out *o, const struct fix *f, const qc_key *DK)
{
    QC_CLEANUP(qc_key_free) qc_key *coeffs = fix_key("coefficients", f->spec.keys, 64);
    out_key(o, "K", f->keys.K);
    out_key(o, "R", f->keys.R);
    out_key(o, "KR", f->keys.KR);
    out_key(o, "coefficients", coeffs);
    out_key(o, "R1", f->keys.R1);
    out_key(o, "R2", f->keys.R2);
    out_key(o, "R3", f->keys.R3);
    out_key(o, "R4", f->keys.R4);
    out_key(o, "DK", DK);
}

static void put_text(struct out *o, const struct fix *f)
{
    static uint8_t text[FIX_N_MAX];
    const size_t n = (size_t)f->spec.size;
    fix_pattern(text, 0, n);
    out_begin(o, "plaintext", '{');
    out_u64(o, "size", n);
    out_sha(o, "sha256", qc_span_of(text, n));
    if (n <= 64)
        out_hex(o, "hex", qc_span_of(text, n));
    out_end(o, '}');
}

static void put_epochs(struct out *o, const struct fix *f)
{
    uint8_t salt[16];
    fix_bytes(salt, 16, "salt", 0);
    out_hex(o, "salt", qc_span_of(salt, 16));
    out_begin(o, "epochs", '[');
    for (unsigned e = 0; e < f->spec.epochs; e++) {
        fix_bytes(salt, 16, "salt", (uint8_t)(e + 1));
        out_begin(o, NULL, '{');
        out_u64(o, "start", f->spec.epoch_start[e]);
        out_hex(o, "salt", qc_span_of(salt, 16));
        out_end(o, '}');
    }
    out_end(o, ']');
}

static void salt_of(const struct fix *f, uint64_t i, uint8_t salt[16])
{
    fix_bytes(salt, 16, "salt", 0);
    for (unsigned e = 0; e < f->spec.epochs; e++)
        if (f->spec.epoch_start[e] <= i)
            fix_bytes(salt, 16, "salt", (uint8_t)(e + 1));
}

static void put_chunk(struct out *o, const struct fix *f, const qc_key *DK, uint64_t i)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL, *prk_R = NULL;
    QC_CLEANUP(qc_key_free) qc_key *auth = NULL;
    uint8_t salt[16], index[8], nonce[12] = { 0 }, auth_nonce[12] = { 0 }, key[32];
    const uint8_t last = i == f->g.chunks - 1;
    salt_of(f, i, salt);
    qc_put_be(index, i, 8);
    qc_put_be(nonce + 4, i, 8);
    nonce[0] = last;
    qc_put_be(auth_nonce + 4, i, 8);
    const qc_span parts[] = { qc_span_of(f->ids.vault, 16),   qc_span_of(f->ids.object, 16),
                              qc_span_of(f->ids.version, 16), qc_span_of(salt, 16),
                              qc_span_of(index, 8),           qc_span_of(&last, 1) };
    CHECK_OK(vault_prk_new(&prk, DK, &err));
    CHECK_OK(vault_prk_new(&prk_R, f->keys.R, &err));
    CHECK_OK(vault_kdf_public(key, prk, "chunk", parts, 6, 32, &err));
    CHECK_OK(vault_kdf_ids(&auth, prk_R, "chunk-auth", &f->ids, qc_span_of(salt, 16), &err));
    const uint64_t group = vault_geometry_group_of(&f->g, i);
    const uint8_t *tags =
        f->N.p + vault_geometry_tags(&f->g, group).offset + 32 * (i - (group << f->g.group_log2));
    out_begin(o, NULL, '{');
    out_u64(o, "index", i);
    out_bool(o, "last", last);
    out_hex(o, "key", qc_span_of(key, 32));
    out_hex(o, "nonce", qc_span_of(nonce, 12));
    out_sha(o, "aad", qc_span_of(f->N.p, f->g.header_size));
    out_key(o, "auth_key", auth);
    out_hex(o, "auth_nonce", qc_span_of(auth_nonce, 12));
    out_hex(o, "tag", qc_span_of(tags, 16));
    out_hex(o, "auth", qc_span_of(tags + 16, 16));
    out_end(o, '}');
}

static void put_parts(struct out *o, const struct fix *f, const qc_key *DK)
{
    struct qc_err err = { 0 };
    uint64_t n1 = 0;
    uint8_t commitment[32];
    QC_CLEANUP(qc_buf_free) qc_buf clear = { .max = 4096 };
    struct vault_meta meta = f->spec.meta;
    meta.true_size = f->spec.size;
    CHECK_OK(vault_meta_write(&clear, &meta, &err));
    CHECK_OK(vault_kdf_position(&n1, f->keys.R, "n1", &f->ids, vault_geometry_chunk_size(&f->g, 0), &err));
    CHECK_OK(vault_commitment(commitment, DK, &f->ids, &err));
    out_u64(o, "n1", n1);
    out_u64(o, "n2", f->n2);
    out_hex(o, "M", qc_span_of(f->M, 32));
    out_sha(o, "HH", qc_span_of(f->N.p, f->g.header_size));
    out_hex(o, "commitment", qc_span_of(commitment, 32));
    out_begin(o, "chunk_vectors", '[');
    put_chunk(o, f, DK, 0);
    if (f->g.chunks > 1)
        put_chunk(o, f, DK, f->g.chunks - 1);
    out_end(o, ']');
    out_hex(o, "header", qc_span_of(f->N.p, f->g.header_size));
    const uint8_t *trailer = f->N.p + vault_geometry_tail(&f->g).offset;
    out_hex(o, "trailer", qc_span_of(trailer, f->g.trailer_size));
    out_hex(o, "meta_clear", qc_buf_span(&clear));
    out_begin(o, "group_digests", '[');
    for (uint64_t g = 0; g < f->g.groups; g++)
        out_hex(o, NULL, qc_span_of(trailer + 12 + 24 * f->spec.epochs + 4 + 32 * g, 32));
    out_end(o, ']');
}

static void put_object(const char *dir, const struct gen_object *what)
{
    struct qc_err err = { 0 };
    char name[64];
    struct fix f = fix_make(&what->spec);
    QC_CLEANUP(qc_key_free) qc_key *DK = NULL;
    CHECK_OK(vault_kdf_once(&DK, f.keys.K, "data", &f.ids, &err));
    snprintf(name, sizeof name, "object_%s.json", what->name);
    struct out o = out_open(dir, name);
    gen_ids(&o, "ids", &f.ids);
    put_keys(&o, &f, DK);
    put_text(&o, &f);
    out_u64(&o, "padded", f.g.L);
    out_u64(&o, "chunk_log2", f.g.chunk_log2);
    out_u64(&o, "group_log2", f.g.group_log2);
    out_u64(&o, "chunks", f.g.chunks);
    out_u64(&o, "groups", f.g.groups);
    put_epochs(&o, &f);
    put_parts(&o, &f, DK);
    out_u64(&o, "N_size", f.N.n);
    out_sha(&o, "N_sha256", qc_buf_span(&f.N));
    const struct vault_range r = vault_geometry_chunk(&f.g, 0);
    out_sha(&o, "head_region_sha256", qc_span_of(f.N.p + r.offset, (size_t)r.size));
    if (f.N.n <= N_WHOLE_MAX)
        out_hex(&o, "N", qc_buf_span(&f.N));
    if (what->file) {
        snprintf(name, sizeof name, "object_%s.n", what->name);
        out_str(&o, "N_file", name);
        out_file(dir, name, qc_buf_span(&f.N));
    }
    out_hex(&o, "B", qc_buf_span(&f.B));
    out_u64(&o, "generation", f.spec.generation ? f.spec.generation : 1);
    out_close(&o);
    fix_free(&f);
}

/* share x of the polynomial through three points, of which one may be the secret. */
static qc_key *through(const uint8_t x[3], const qc_key *a, const qc_key *b, const qc_key *c, uint8_t at)
{
    struct qc_err err = { 0 };
    qc_key *k = NULL;
    CHECK_OK(qc_key_blank(&k, 32, &err));
    const uint8_t *const y[] = { qc_key_open(a).p, qc_key_open(b).p, qc_key_open(c).p };
    CHECK_OK(ss_interpolate(3, x, y, 32, at, qc_key_write(k), &err));
    qc_key_seal(k);
    return k;
}

static void put_refreshed(struct out *o, struct vault_backup_parts *p)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
    CHECK_OK(vault_backup_make(&B, p, &err));
    out_key(o, "R1", p->R1);
    out_key(o, "R2", p->R2);
    out_key(o, "R4", p->R4);
    out_u64(o, "generation", p->generation);
    out_hex(o, "B", qc_buf_span(&B));
}

/* Stored: add c x (x xor 3). The share at 1 becomes R1 + 2c; the rest follows from R, R3 and it. */
static void refresh_stored(struct out *o, const struct fix *f)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *c = fix_key("refresh", 1, 32), *R1 = NULL, *R2 = NULL, *R4 = NULL;
    CHECK_OK(qc_key_blank(&R1, 32, &err));
    for (size_t i = 0; i < 32; i++) {
        const unsigned v = qc_key_open(c).p[i];
        qc_key_write(R1)[i] = (uint8_t)((v << 1) ^ (v & 0x80 ? 0x11d : 0)) ^ qc_key_open(f->keys.R1).p[i];
    }
    qc_key_seal(R1);
    static const uint8_t x[3] = { 0, 1, 3 };
    R2 = through(x, f->keys.R, R1, f->keys.R3, 2);
    R4 = through(x, f->keys.R, R1, f->keys.R3, 4);
    struct vault_backup_parts p = {
        .ids = f->ids, .generation = 2, .n2 = f->n2, .R1 = R1, .R2 = R2, .R4 = R4
    };
    out_begin(o, "stored", '{');
    out_key(o, "c", c);
    put_refreshed(o, &p);
    out_end(o, '}');
}

static qc_key *seed_share(const qc_key *seed, const char *label, const struct vault_ids *ids,
                          uint32_t generation)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    qc_key *k = NULL;
    uint8_t g[4];
    qc_put_be(g, generation, 4);
    CHECK_OK(vault_prk_new(&prk, seed, &err));
    CHECK_OK(vault_kdf_ids(&k, prk, label, ids, qc_span_of(g, 4), &err));
    return k;
}

/* Derived: R1 from the new seed 1, R2 and R4 from (0,R), (1,R1), (3,R3), corr2 = share of the new seed 2 xor
 * R2. */
static void refresh_derived(struct out *o, const struct fix *f)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *s1 = fix_key("seed", 3, 32), *s2 = fix_key("seed", 4, 32), *R2 = NULL,
                                   *R4 = NULL, *share1 = seed_share(s1, "share1", &f->ids, 3),
                                   *share2 = seed_share(s2, "share2", &f->ids, 3), *corr2 = NULL;
    static const uint8_t x[3] = { 0, 1, 3 };
    R2 = through(x, f->keys.R, share1, f->keys.R3, 2);
    R4 = through(x, f->keys.R, share1, f->keys.R3, 4);
    CHECK_OK(qc_key_xor(&corr2, share2, R2, &err));
    struct vault_backup_parts p = {
        .ids = f->ids, .generation = 3, .n2 = f->n2, .R1 = share1, .R2 = R2, .R4 = R4, .corr2 = corr2
    };
    out_begin(o, "derived", '{');
    out_key(o, "seed1", s1);
    out_key(o, "seed2", s2);
    out_key(o, "share1", share1);
    out_key(o, "share2", share2);
    out_hex(o, "corr1", (qc_span){ 0 });
    out_key(o, "corr2", corr2);
    put_refreshed(o, &p);
    out_end(o, '}');
}

/* B of the object vector, and the vault's, as they lie where a vault has another to keep them: under a
 * recovery key (kind 1), or with a keeper (kind 2). Each is what it was, and what the gateway has of it. */
static void put_elsewhere(struct out *o, const char *name, qc_span B, const struct vault_ids *ids,
                          const qc_key *W)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_BACKUP_MAX },
                                   front = { .max = QC_VAULT_BACKUP_MAX };
    char vault[33], object[33], version[33], key[128];
    CHECK_OK(qc_buf_add(&sealed, B, &err));
    CHECK_OK(qc_buf_add(&front, B, &err));
    CHECK_OK(vault_backup_seal(&sealed, W, &err));
    vault_backup_front(&front);
    qc_hex(qc_span_of(ids->vault, 16), vault);
    qc_hex(qc_span_of(ids->object, 16), object);
    qc_hex(qc_span_of(ids->version, 16), version);
    (void)snprintf(key, sizeof(key), "b/%s/%.2s/%s%s", vault, object, object, version);
    out_begin(o, name, '{');
    out_hex(o, "B", B);
    out_hex(o, "sealed", qc_buf_span(&sealed));
    out_str(o, "key", key);
    out_hex(o, "front", qc_buf_span(&front));
    out_end(o, '}');
}

static void gen_backups(const char *dir, const struct fix *f)
{
    struct qc_err err = { 0 };
    struct out o = out_open(dir, "backup.json");
    const struct vault_ids own = fix_ids(0, 0);
    struct vault_ids vault = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *W = fix_key("W", 1, 32), *VS = fix_key("VS", 1, 32);
    QC_CLEANUP(qc_key_free) qc_key *coeffs = fix_key("coefficients", 9, 64);
    QC_CLEANUP(vault_secret_done) struct vault_secret secret = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = VAULT_RECORD_BYTES }, B = { .max = QC_VAULT_BACKUP_MAX };
    CHECK_OK(vault_secret_from(&secret, VS, coeffs, &err));
    CHECK_OK(vault_record_make(&record, &B, &secret, own.vault, 1, &err));
    memcpy(vault.vault, own.vault, 16);
    memcpy(vault.object, own.vault, 16);
    out_str(&o, "object", gen_object[GEN_ABC].name);
    out_key(&o, "W", W);
    put_elsewhere(&o, "of_object", qc_buf_span(&f->B), &f->ids, W);
    put_elsewhere(&o, "of_vault", qc_buf_span(&B), &vault, W);
    out_close(&o);
}

void gen_objects(const char *dir)
{
    for (unsigned i = 0; i < GEN_OBJECTS; i++)
        put_object(dir, &gen_object[i]);
    struct fix f = fix_make(&gen_object[GEN_ABC].spec);
    struct out o = out_open(dir, "refresh.json");
    out_str(&o, "object", gen_object[GEN_ABC].name);
    refresh_stored(&o, &f);
    refresh_derived(&o, &f);
    out_close(&o);
    gen_backups(dir, &f);
    fix_free(&f);
}
