/* Sealed objects for tests: deterministic keys and ids, a pattern as plaintext, sealing and opening as a
 * whole. Everything is made from the spec alone, so equal specs give equal bytes (kat/vault_vectors relies on
 * it). */
#pragma once
#include "base/crypto.h"
#include "qc_check.h"
#include "vault/backup.h"
#include "vault/open.h"
#include "vault/seal.h"
#include "vault/shares.h"

#define FIX_N_MAX      ((size_t)8 << 20)
#define FIX_EPOCHS_MAX 3

struct fix_spec {
    uint8_t object, version;        /* first byte of the ids */
    uint8_t keys;                   /* seed of K, R, coefficients */
    uint64_t size, padded;          /* padded < size: not padded */
    uint8_t chunk_log2, group_log2; /* 0: 16 and 1 */
    unsigned epochs;                /* FIX_EPOCHS_MAX at most */
    uint64_t epoch_start[FIX_EPOCHS_MAX];
    qc_span header_ext, trailer_ext;
    struct vault_meta meta; /* true_size is set from size */
    uint32_t generation;    /* 0: 1 */
};

struct fix {
    struct fix_spec spec;
    struct vault_ids ids;
    struct vault_keys keys;
    qc_buf N, B;
    uint8_t M[32];
    uint64_t n2;
    struct vault_geometry g;
};

/* SHA-256(tag, number) as many bytes as wanted: the stated pattern of keys, ids and salts in
 * tests/kat/README.md. */
static inline void fix_bytes(uint8_t *p, size_t n, const char *what, uint8_t number)
{
    struct qc_err err = { 0 };
    uint8_t block[32];
    for (size_t at = 0; at < n; at += sizeof block) {
        uint8_t counter[2] = { number, (uint8_t)(at / sizeof block) };
        CHECK(qc_sha256((qc_span[]){ qc_span_str(what), qc_span_of(counter, 2) }, 2, block, &err) == QC_OK);
        memcpy(p + at, block, n - at < sizeof block ? n - at : sizeof block);
    }
}

static inline qc_key *fix_key(const char *what, uint8_t number, size_t n)
{
    struct qc_err err = { 0 };
    uint8_t raw[128];
    qc_key *k = NULL;
    CHECK(n <= sizeof raw);
    fix_bytes(raw, n, what, number);
    CHECK_OK(qc_key_from(&k, raw, n, &err));
    return k;
}

/* Byte i of the plaintext: (i * 131 + (i >> 8) * 17 + 7) mod 256. */
static inline void fix_pattern(uint8_t *p, uint64_t start, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        const uint64_t i = start + j;
        p[j] = (uint8_t)(i * 131 + (i >> 8) * 17 + 7);
    }
}

static inline struct vault_ids fix_ids(uint8_t object, uint8_t version)
{
    struct vault_ids ids;
    fix_bytes(ids.vault, 16, "vault id", 0);
    fix_bytes(ids.object, 16, "object id", object);
    fix_bytes(ids.version, 16, "version id", version);
    return ids;
}

static inline void fix_free(struct fix *f)
{
    vault_keys_done(&f->keys);
    qc_buf_free(&f->N);
    qc_buf_free(&f->B);
}

static inline void fix_backup(struct fix *f, qc_buf *ret)
{
    struct qc_err err = { 0 };
    const struct vault_backup_parts parts = { .ids = f->ids,
                                              .generation = f->spec.generation ? f->spec.generation : 1,
                                              .n2 = f->n2,
                                              .R1 = f->keys.R1,
                                              .R2 = f->keys.R2,
                                              .R4 = f->keys.R4 };
    CHECK_OK(vault_backup_make(ret, &parts, &err));
}

/* Seal from f->keys and f->spec to f->N. */
static inline void fix_seal(struct fix *f)
{
    struct qc_err err = { 0 };
    const struct fix_spec *s = &f->spec;
    struct vault_sealer_params p = { .ids = f->ids,
                                     .chunk_log2 = s->chunk_log2 ? s->chunk_log2 : 16,
                                     .group_log2 = s->group_log2 ? s->group_log2 : 1,
                                     .header_extensions = s->header_ext,
                                     .trailer_extensions = s->trailer_ext };
    fix_bytes(p.salt, 16, "salt", 0);
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *sealer = NULL;
    CHECK_OK(vault_sealer_new(&sealer, &f->keys, &p, &err));
    f->N = (qc_buf){ .max = FIX_N_MAX };
    CHECK_OK(qc_buf_add(&f->N, vault_sealer_header(sealer), &err));
    const uint64_t L = s->padded > s->size ? s->padded : s->size;
    const size_t C = (size_t)1 << p.chunk_log2;
    uint64_t i = 0, at = 0;
    do {
        const size_t n = L - at < C ? (size_t)(L - at) : C;
        for (unsigned e = 0; e < s->epochs; e++)
            if (s->epoch_start[e] == i) {
                uint8_t salt[16];
                fix_bytes(salt, 16, "salt", (uint8_t)(e + 1));
                CHECK_OK(vault_sealer_epoch(sealer, salt, &err));
            }
        uint8_t *place;
        const size_t room = vault_sealer_room(sealer, n), before = f->N.n;
        CHECK_OK(qc_buf_extend(&f->N, room, &place, &err));
        memset(place, 0, n);
        if (at < s->size)
            fix_pattern(place, at, s->size - at < n ? (size_t)(s->size - at) : n);
        size_t out = 0;
        CHECK_OK(vault_sealer_chunk(sealer, place, n, at + n == L, &out, &err));
        CHECK(out <= room);
        f->N.n = before + out;
        at += n;
        i++;
    } while (at < L);
    CHECK(vault_sealer_length(sealer) == L && vault_sealer_size(sealer) == f->N.n);
    f->n2 = vault_sealer_n2(sealer);
    struct vault_meta meta = s->meta;
    meta.true_size = s->size;
    const size_t room = vault_sealer_tail_room(sealer, &meta), before = f->N.n;
    CHECK_OK(vault_sealer_finish(sealer, &meta, &f->N, f->M, &err));
    CHECK(f->N.n - before <= room && vault_sealer_size(sealer) == f->N.n);
    const uint32_t T = (uint32_t)qc_get_be(f->N.p + f->N.n - 36, 4);
    f->g = (struct vault_geometry){ .header_size = (uint32_t)vault_sealer_header(sealer).n,
                                    .trailer_size = T,
                                    .chunk_log2 = p.chunk_log2,
                                    .group_log2 = p.group_log2,
                                    .L = L };
    CHECK_OK(vault_geometry_init(&f->g, &f->g, &err));
    CHECK(f->g.size == f->N.n);
}

static inline struct fix fix_make(const struct fix_spec *spec)
{
    struct qc_err err = { 0 };
    struct fix f = { .spec = *spec,
                     .ids = fix_ids(spec->object, spec->version),
                     .B = { .max = QC_VAULT_BACKUP_MAX } };
    QC_CLEANUP(qc_key_free) qc_key *K = fix_key("K", spec->keys, 32), *R = fix_key("R", spec->keys, 32),
                                   *coeffs = fix_key("coefficients", spec->keys, 64);
    CHECK_OK(vault_keys_from(&f.keys, K, R, coeffs, &err));
    fix_seal(&f);
    fix_backup(&f, &f.B);
    return f;
}

/* How a test opens N. NULL fields: not given. */
struct fix_way {
    struct vault_ids ids;
    const qc_key *R1, *R2;
    qc_span B;
    const uint8_t *M;
};

static inline struct fix_way fix_plain(const struct fix *f)
{
    return (struct fix_way){ .ids = f->ids, .R1 = f->keys.R1, .R2 = f->keys.R2, .M = f->M };
}

static inline struct fix_way fix_with(const struct fix *f, unsigned i)
{
    return (struct fix_way){ .ids = f->ids,
                             .R1 = i == 1 ? f->keys.R1 : NULL,
                             .R2 = i == 2 ? f->keys.R2 : NULL,
                             .B = qc_buf_span(&f->B),
                             .M = f->M };
}

/* Frame of N from growing prefixes and suffixes. */
static inline qc_rc fix_frame(struct vault_frame **ret, qc_span N, struct qc_err *err)
{
    struct vault_need need = { .head = 0, .tail = 0 };
    qc_span head = { 0 }, tail = { 0 };
    for (unsigned round = 0; round < 4; round++) {
        QC_TRY(vault_frame_parse(ret, &need, N.n, head, tail, err));
        if (need.head == 0 && need.tail == 0) {
            CHECK(*ret != NULL);
            return QC_OK;
        }
        CHECK(*ret == NULL && need.head <= N.n && need.tail <= N.n);
        CHECK(need.head == 0 || need.head > head.n);
        CHECK(need.tail == 0 || need.tail > tail.n);
        if (need.head > 0)
            head = qc_span_sub(N, 0, (size_t)need.head);
        if (need.tail > 0)
            tail = qc_span_from(N, N.n - (size_t)need.tail);
    }
    return QC_FAIL(err, QC_GENERAL, "three rounds are enough");
}

static inline qc_rc fix_unlock(struct vault_opened **ret, const struct vault_frame *f, qc_span N,
                               const struct fix_way *way, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    struct vault_unlock with = { .ids = way->ids, .R1 = way->R1, .R2 = way->R2, .M = way->M };
    if (way->B.n > 0) {
        QC_TRY(vault_backup_parse(&B, way->B, err));
        with.B = &B;
    }
    const struct vault_range r = vault_geometry_chunk(&f->g, 0);
    return vault_open(ret, f, &with, qc_span_sub(N, (size_t)r.offset, (size_t)r.size), err);
}

/* Chunk i of N, checked, appended to D (true bytes only). tags is kept between calls. */
static inline qc_rc fix_chunk(qc_buf *D, struct vault_opened *o, const struct vault_frame *f,
                              struct vault_tags *tags, qc_span N, uint64_t i, struct qc_err *err)
{
    const uint64_t group = vault_geometry_group_of(&f->g, i);
    if (tags->block.n == 0 || tags->group != group) {
        const struct vault_range t = vault_geometry_tags(&f->g, group);
        QC_TRY(vault_opened_group(tags, o, group, qc_span_sub(N, (size_t)t.offset, (size_t)t.size), err));
    }
    const struct vault_range r = vault_geometry_chunk(&f->g, i);
    uint8_t *p = malloc((size_t)r.size + 1);
    CHECK(p != NULL);
    memcpy(p, N.p + r.offset, (size_t)r.size);
    size_t n = 0;
    qc_rc rc = vault_opened_chunk(o, tags, i, p, (size_t)r.size, &n, err);
    if (rc == QC_OK) {
        CHECK(n == vault_geometry_chunk_size(&f->g, i));
        rc = qc_buf_add(D, qc_span_of(p, (size_t)vault_opened_true(o, i)), err);
    }
    free(p);
    return rc;
}

/* All of it: D gets what was released before the first failure. */
static inline qc_rc fix_open(qc_buf *D, qc_span N, const struct fix_way *way, struct qc_err *err)
{
    QC_CLEANUP(vault_frame_free) struct vault_frame *f = NULL;
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = NULL;
    QC_CLEANUP(vault_tags_done) struct vault_tags tags = { 0 };
    QC_TRY(fix_frame(&f, N, err));
    QC_TRY(fix_unlock(&o, f, N, way, err));
    for (uint64_t i = 0; i < f->g.chunks; i++)
        QC_TRY(fix_chunk(D, o, f, &tags, N, i, err));
    return QC_OK;
}

/* D is the pattern of f's size. */
static inline void fix_check_text(const struct fix *f, const qc_buf *D)
{
    CHECK(D->n == f->spec.size);
    uint8_t *want = malloc(D->n + 1);
    CHECK(want != NULL);
    fix_pattern(want, 0, D->n);
    CHECK(D->n == 0 || memcmp(want, D->p, D->n) == 0);
    free(want);
}

static inline void fix_opens(const struct fix *f, qc_span N, const struct fix_way *way)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
    CHECK_OK(fix_open(&D, N, way, &err));
    fix_check_text(f, &D);
}

/* N is refused by the check whose text contains `check`, and not a byte more than `released` came out. */
static inline void fix_refused_at(qc_span N, const struct fix_way *way, qc_rc want, const char *check,
                                  uint64_t released, const char *file, int line)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
    const qc_rc rc = fix_open(&D, N, way, &err);
    if (rc != want || strstr(err.msg, check) == NULL || D.n != released) {
        fprintf(stderr, "%s:%d: got %s \"%s\" after %zu bytes, expected %s \"%s\" after %llu\n", file, line,
                qc_rc_name(rc), rc == QC_OK ? "" : err.msg, D.n, qc_rc_name(want), check,
                (unsigned long long)released);
        exit(1);
    }
}
#define FIX_REFUSED(N, way, want, check, released)                                                           \
    fix_refused_at(N, way, want, check, released, __FILE__, __LINE__)
