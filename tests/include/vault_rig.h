/* A vault over the fake gateway, with both stores in a fresh directory, and puts and gets from memory. */
#pragma once
#include <endian.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_gw.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "qc_tree.h"
#include "vault/keeper.h"
#include "vault/vault.h"

/* The call fails with the code and names the check, in an `err` of the caller's. */
#define REFUSED(call, code, check)                                                                           \
    do {                                                                                                     \
        qc_rc rc_ = (call);                                                                                  \
        if (rc_ != (code) || strstr(err.msg, check) == NULL) {                                               \
            fprintf(stderr, "%s:%d: %s (%s), expected %s: %s\n", __FILE__, __LINE__, qc_rc_name(rc_),        \
                    err.msg, qc_rc_name(code), check);                                                       \
            exit(1);                                                                                         \
        }                                                                                                    \
        qc_err_clear(&err);                                                                                  \
    } while (0)

struct rig {
    struct qc_tmpdir dir;
    struct fake *fake;
    struct qc_rand rand;
    uint8_t id[16];
    char share[2][320], state[320];
    struct vault *v;
    struct vault_notes notes;
    struct vault_passes *passes; /* borrowed, or NULL */
    unsigned unasked;
    bool recovers;   /* as in vault_conf */
    const qc_key *W; /* of kit, once that was taken; or NULL */
    struct vault_kit kit;
    uint64_t (*pad)(uint64_t n); /* as in vault_conf */
    struct vault_keeper *keeper; /* borrowed, or NULL */
};

static inline struct vault_conf rig_conf(struct rig *r)
{
    return (struct vault_conf){ .vault = r->id,
                                .share = { r->share[0], r->share[1] },
                                .state = r->state,
                                .rng = qc_rand_rng(&r->rand),
                                .provenance = "test",
                                .passes = r->passes,
                                .unasked = r->unasked,
                                .recovers = r->recovers,
                                .W = r->W,
                                .keeper = r->keeper,
                                .pad = r->pad };
}

/* Another client of the same vault, with numbers of its own; not opened. */
static inline struct rig rig_other(const struct rig *r, uint64_t salt)
{
    struct rig other = *r;
    other.v = NULL;
    other.rand.state += salt;
    return other;
}

static inline struct vault_call rig_call(struct rig *r)
{
    return (struct vault_call){ .op = { .deadline = qc_deadline_in(60000) }, .notes = &r->notes };
}

static inline qc_rc rig_open(struct rig *r, struct qc_err *err)
{
    struct vault_conf conf = rig_conf(r);
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = fake_connect(r->fake);
    vault_close(&r->v);
    return vault_open_session(&r->v, &conf, &gw, &call, err);
}

enum rig_mode { RIG_STORED, RIG_DERIVED, RIG_SEALED };

/* keeper: where backup data goes; NULL: to the gateway. */
static inline void rig_make_kept(struct rig *r, struct qc_rand rand, enum rig_mode mode,
                                 struct vault_keeper *keeper)
{
    struct qc_err err = { 0 };
    struct vault_descriptor d = { .k = 3, .n = 5 };
    *r = (struct rig){
        .dir = qc_tmpdir_new(), .rand = rand, .recovers = mode == RIG_SEALED, .keeper = keeper
    };
    r->fake = malloc(sizeof(*r->fake));
    CHECK(r->fake != NULL);
    fake_init(r->fake);
    for (int i = 0; i < 2; i++)
        snprintf(r->share[i], sizeof(r->share[i]), "%s/share%d", r->dir.path, i + 1);
    snprintf(r->state, sizeof(r->state), "%s/state", r->dir.path);
    CHECK(mkdir(r->state, 0700) == 0);
    CHECK_OK(vault_descriptor_add_cloud(&d, 1, "c1", "file:///nowhere", &err));
    struct vault_conf conf = rig_conf(r);
    conf.vault = NULL;
    conf.derived = mode == RIG_DERIVED;
    conf.kept = keeper != NULL;
    if (keeper != NULL)
        CHECK_OK(vault_descriptor_set_keeper(&d, keeper->url, &err));
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = fake_connect(r->fake);
    CHECK_OK(vault_create(r->id, &conf, &d, gw, &call, &err));
    vault_gw_close(&gw);
    vault_descriptor_done(&d);
    CHECK_OK(rig_open(r, &err));
    if (mode == RIG_SEALED) {
        CHECK_OK(vault_recovery_kit(&r->kit, r->v, &err));
        r->W = r->kit.W;
    }
}

static inline void rig_make(struct rig *r, struct qc_rand rand, enum rig_mode mode)
{
    rig_make_kept(r, rand, mode, NULL);
}

static inline void rig_new_mode(struct rig *r, struct qc_rand rand, bool derived)
{
    rig_make(r, rand, derived ? RIG_DERIVED : RIG_STORED);
}

static inline void rig_new(struct rig *r, struct qc_rand rand)
{
    rig_new_mode(r, rand, false);
}

static inline void rig_done(struct rig *r)
{
    vault_close(&r->v);
    vault_notes_done(&r->notes);
    vault_kit_done(&r->kit);
    fake_done(r->fake);
    free(r->fake);
    qc_tmpdir_remove(&r->dir);
}

/* A copy of a share store, and its loss: names below the rig's directory. */
static inline void rig_copy(struct rig *r, const char *from, const char *to)
{
    char a[600], b[600];
    snprintf(a, sizeof(a), "%s/%s", r->dir.path, from);
    snprintf(b, sizeof(b), "%s/%s", r->dir.path, to);
    qc_tree_remove(b);
    qc_tree_copy(a, b);
}

static inline void rig_lose(struct rig *r, const char *name)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", r->dir.path, name);
    qc_tree_remove(path);
}

static inline bool rig_noted(const struct rig *r, enum vault_note_kind kind, unsigned share)
{
    for (size_t i = 0; i < r->notes.n; i++)
        if (r->notes.v[i].kind == kind && r->notes.v[i].share == share)
            return true;
    return false;
}

static inline uint64_t rig_leftovers(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_local_status st = { 0 };
    struct vault_conf conf = rig_conf(r);
    CHECK_OK(vault_status_local(&st, &conf, &err));
    return st.unfinished;
}

/* D is a pattern of a number; read in odd pieces. */
struct rig_pattern {
    uint64_t size, at, salt;
    bool unknown;     /* as from a pipe */
    uint64_t fail_at; /* 0: never */
    bool changed;
};

/* Its bytes 8 i .. 8 i + 7, the first of them lowest. */
static inline uint64_t rig_word(uint64_t salt, uint64_t i)
{
    const uint64_t z = (i + salt) * UINT64_C(0x9e3779b97f4a7c15);
    return z ^ z >> 29;
}

static inline uint8_t rig_byte(uint64_t salt, uint64_t i)
{
    return (uint8_t)(rig_word(salt, i / 8) >> (8 * (i % 8)));
}

/* Bytes at .. at + n of it; by words, for the sanitizers look at each write. */
static inline void rig_fill(uint64_t salt, uint64_t at, uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; i < n && (at + i) % 8 != 0; i++)
        p[i] = rig_byte(salt, at + i);
    for (; n - i >= 8; i += 8) {
        const uint64_t word = htole64(rig_word(salt, (at + i) / 8));
        memcpy(p + i, &word, 8);
    }
    for (; i < n; i++)
        p[i] = rig_byte(salt, at + i);
}

/* Are these its bytes from `at` on? */
static inline bool rig_is(uint64_t salt, uint64_t at, qc_span bytes)
{
    bool same = true;
    size_t i = 0;
    for (; i < bytes.n && (at + i) % 8 != 0; i++)
        same = same && bytes.p[i] == rig_byte(salt, at + i);
    for (; bytes.n - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, bytes.p + i, 8);
        same = same && word == htole64(rig_word(salt, (at + i) / 8));
    }
    for (; i < bytes.n; i++)
        same = same && bytes.p[i] == rig_byte(salt, at + i);
    return same;
}

static inline qc_rc rig_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct rig_pattern *p = ctx;
    if (p->fail_at != 0 && p->at >= p->fail_at)
        return QC_FAIL(err, QC_IO, "the source broke");
    size_t n = max > 300007 ? 300007 : max;
    if (n > p->size - p->at)
        n = (size_t)(p->size - p->at);
    rig_fill(p->salt, p->at, dst, n);
    p->at += n;
    *ret_got = n;
    return QC_OK;
}

static inline qc_rc rig_unchanged(void *ctx, uint64_t bytes, struct qc_err *err)
{
    const struct rig_pattern *p = ctx;
    CHECK(bytes == p->size);
    return p->changed ? QC_FAIL(err, QC_CHANGED, "the source changed") : QC_OK;
}

static inline qc_rc rig_put_from(struct rig *r, const char *name, struct rig_pattern *p,
                                 struct vault_put_result *ret, struct qc_err *err)
{
    struct vault_source source = { .read = rig_read,
                                   .unchanged = rig_unchanged,
                                   .ctx = p,
                                   .size = p->unknown ? VAULT_SIZE_UNKNOWN : p->size,
                                   .has_mtime = true,
                                   .mtime_s = 1700000000,
                                   .mtime_ns = 5,
                                   .has_mode = true,
                                   .mode = 0640 };
    struct vault_call call = rig_call(r);
    return vault_put(r->v, qc_span_str(name), &source, &(struct vault_put_opts){ 0 }, &call, ret, err);
}

static inline qc_rc rig_put(struct rig *r, const char *name, uint64_t size, uint64_t salt, struct qc_err *err)
{
    struct rig_pattern p = { .size = size, .salt = salt };
    struct vault_put_result result;
    return rig_put_from(r, name, &p, &result, err);
}

/* A sink that compares. */
struct rig_sink {
    uint64_t salt, at, size;
    bool begun, finished;
};

/* Version `number` of a name has size + number bytes of the pattern `number`. */
static inline void rig_put_v(struct rig *r, const char *name, uint64_t size, uint64_t number)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_put(r, name, size + number, number, &err));
}

static inline void rig_remove(struct rig *r, const char *name)
{
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    struct qc_err err = { 0 };
    CHECK_OK(vault_remove(r->v, qc_span_str(name), &call, &removed, &err));
}

static inline qc_rc rig_sink_begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct rig_sink *s = ctx;
    (void)err;
    CHECK(!s->begun && what->size == s->size && what->mtime_s == 1700000000 && what->mtime_ns == 5 &&
          what->mode == 0640);
    s->begun = true;
    return QC_OK;
}

static inline qc_rc rig_sink_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct rig_sink *s = ctx;
    (void)err;
    CHECK(s->begun && !s->finished);
    CHECK(rig_is(s->salt, s->at, bytes)); /* never a wrong byte (I2) */
    s->at += bytes.n;
    return QC_OK;
}

static inline qc_rc rig_sink_finish(void *ctx, struct qc_err *err)
{
    struct rig_sink *s = ctx;
    (void)err;
    s->finished = true;
    return QC_OK;
}

/* Get and compare with the pattern; what came is in *ret_at. */
static inline qc_rc rig_get_at(struct rig *r, const char *name, uint64_t size, uint64_t salt,
                               uint64_t *ret_at, struct qc_err *err)
{
    struct rig_sink s = { .salt = salt, .size = size };
    struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    struct vault_call call = rig_call(r);
    qc_rc rc = vault_get(r->v, qc_span_str(name), &sink, &call, NULL, err);
    CHECK(s.finished == (rc == QC_OK));
    if (rc == QC_OK)
        CHECK(s.at == size);
    *ret_at = s.at;
    return rc;
}

static inline qc_rc rig_get(struct rig *r, const char *name, uint64_t size, uint64_t salt, struct qc_err *err)
{
    uint64_t at = 0;
    return rig_get_at(r, name, size, salt, &at, err);
}

/* Get a part, "100-199", of an object of this size, and compare; what came is in *got and *ret_came. */
static inline qc_rc rig_get_part(struct rig *r, const char *name, const struct rig_pattern *whole,
                                 const char *range, struct vault_got *got, uint64_t *ret_came,
                                 struct qc_err *err)
{
    struct vault_get_opts opts = { 0 };
    struct vault_range part = { 0, 0 };
    if (vault_slice_parse(&opts.slice, range, err) == QC_OK &&
        vault_slice_of(&opts.slice, whole->size, &part, err) != QC_OK)
        qc_err_clear(err); /* vault_get_part says so as well */
    struct rig_sink s = { .salt = whole->salt, .size = whole->size, .at = part.offset };
    struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    struct vault_call call = rig_call(r);
    vault_got_done(got);
    qc_rc rc = vault_get_part(r->v, qc_span_str(name), &opts, &sink, &call, got, err);
    CHECK(s.finished == (rc == QC_OK) && s.at <= part.offset + part.size);
    if (rc == QC_OK)
        CHECK(s.at == part.offset + part.size && got->part.offset == part.offset &&
              got->part.size == part.size && got->what.size == whole->size);
    *ret_came = s.at - part.offset;
    return rc;
}

/* A sink that an earlier get left something in: `left` bytes of the pattern `salt`, one of them wrong. */
struct rig_left {
    struct rig_sink s;
    uint64_t left, salt, wrong_at; /* UINT64_MAX: none is wrong */
    uint64_t shift;                /* bytes from so much further on */
    bool kept, unreadable;
};

static inline qc_rc rig_left_find(void *ctx, uint64_t *ret, struct qc_err *err)
{
    const struct rig_left *l = ctx;
    (void)err;
    CHECK(!l->s.begun);
    *ret = l->left;
    return QC_OK;
}

static inline qc_rc rig_left_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err)
{
    const struct rig_left *l = ctx;
    CHECK(offset + n <= l->left);
    if (l->unreadable)
        return QC_FAIL(err, QC_IO, "what was left cannot be read");
    rig_fill(l->salt, offset + l->shift, p, n);
    if (l->wrong_at >= offset && l->wrong_at - offset < n)
        p[l->wrong_at - offset] ^= 0x40;
    return QC_OK;
}

static inline qc_rc rig_left_keep(void *ctx, uint64_t bytes, struct qc_err *err)
{
    struct rig_left *l = ctx;
    (void)err;
    CHECK(l->s.begun && l->s.at == 0 && !l->kept && bytes <= l->left);
    CHECK(l->wrong_at >= bytes); /* never over a wrong byte */
    CHECK(bytes == 0 || (l->salt == l->s.salt && l->shift == 0));
    l->kept = true;
    l->s.at = bytes;
    return QC_OK;
}

/* What is written behind it is compared, as in rig_get. */
static inline qc_rc rig_get_left(struct rig *r, const char *name, struct rig_left *l, struct vault_got *got,
                                 struct qc_err *err)
{
    static const struct vault_left ops = { rig_left_find, rig_left_read, rig_left_keep };
    struct vault_sink sink = { .begin = rig_sink_begin,
                               .write = rig_sink_write,
                               .finish = rig_sink_finish,
                               .left = &ops,
                               .ctx = &l->s };
    _Static_assert(offsetof(struct rig_left, s) == 0, "the sink's functions get it as theirs");
    struct vault_call call = rig_call(r);
    vault_got_done(got);
    qc_rc rc = vault_get_part(r->v, qc_span_str(name), &(struct vault_get_opts){ 0 }, &sink, &call, got, err);
    CHECK(l->s.finished == (rc == QC_OK) && (rc != QC_OK || (l->kept && l->s.at == l->s.size)));
    return rc;
}

static inline qc_rc rig_good(void *ctx, const struct vault_verdict *v, struct qc_err *err)
{
    (void)err;
    if (v->rc != QC_OK)
        fprintf(stderr, "verify: %s\n", v->text);
    CHECK(v->rc == QC_OK && v->plain && v->with1 && v->with2 && v->backup_ok);
    ++*(int *)ctx;
    return QC_OK;
}

/* So many objects, each of which opens in all three ways. */
static inline void rig_whole(struct rig *r, int objects)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    int n = 0;
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, rig_good, &n, &call, &result, &err));
    CHECK(n == objects && result.worst == QC_OK);
}
