/* Three share files in memory, for tests of vault/xor23.h. Bytes from malloc, so that failing allocations hit
 * the vault alone. */
#pragma once
#include "qc_check.h"
#include "qc_seed.h"
#include "vault/xor23.h"

struct xor23_file {
    uint8_t *p;
    size_t n, cap;
    uint64_t reads;
    qc_rc fails; /* every read ends so; QC_OK: none */
    uint64_t fails_from;
};

struct xor23_rig {
    struct xor23_file file[SS_XOR23_SHARES];
    qc_span data;    /* what the source has */
    size_t at, most; /* a read gives so many at most; 0: all */
    uint8_t *got;
    size_t got_n, got_cap;
    bool finished;
    uint64_t drawn; /* randomness */
    struct qc_rand *rand;
    enum vault_scheme scheme;
    bool alone;
    unsigned write_fails; /* the n-th write of a file; 0: none */
    bool lends;           /* bytes are looked at as late as they may be */
    qc_span lent[SS_XOR23_SHARES][VAULT_XOR23_LENT - 1];
    bool settled;
};

static inline qc_rc xor23_rig_source(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct xor23_rig *r = ctx;
    size_t n = r->data.n - r->at < max ? r->data.n - r->at : max;
    (void)err;
    if (r->most > 0 && n > r->most)
        n = r->most;
    if (n > 0)
        memcpy(dst, r->data.p + r->at, n);
    r->at += n;
    *ret_got = n;
    return QC_OK;
}

static inline void xor23_rig_add(uint8_t **p, size_t *n, size_t *cap, qc_span s)
{
    if (*n + s.n > *cap) {
        *cap = 2 * (*n + s.n);
        *p = realloc(*p, *cap);
        CHECK(*p != NULL);
    }
    memcpy(*p + *n, s.p, s.n);
    *n += s.n;
}

static inline qc_rc xor23_rig_out(void *ctx, enum ss_xor23 letter, qc_span s, struct qc_err *err)
{
    struct xor23_rig *r = ctx;
    struct xor23_file *f = &r->file[letter];
    if (r->write_fails > 0 && --r->write_fails == 0)
        return QC_FAIL(err, QC_FULL, "no room");
    for (unsigned i = 0; r->lends && i < VAULT_XOR23_LENT - 1; i++) {
        const qc_span before = r->lent[letter][i];
        r->lent[letter][i] = s;
        s = before;
    }
    if (s.n > 0)
        xor23_rig_add(&f->p, &f->n, &f->cap, s);
    return QC_OK;
}

static inline void xor23_rig_settle(void *ctx, bool failed)
{
    struct xor23_rig *r = ctx;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        for (unsigned k = VAULT_XOR23_LENT - 1; k-- > 0;) {
            const qc_span s = r->lent[i][k];
            if (!failed && s.n > 0)
                xor23_rig_add(&r->file[i].p, &r->file[i].n, &r->file[i].cap, s);
            r->lent[i][k] = (qc_span){ 0 };
        }
    r->settled = true;
}

static inline qc_rc xor23_rig_rng(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    struct xor23_rig *r = ctx;
    (void)err;
    r->drawn += n;
    qc_rand_fill(r->rand, p, n);
    return QC_OK;
}

static inline qc_rc xor23_rig_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got,
                                   struct qc_err *err)
{
    struct xor23_file *f = ctx;
    f->reads++;
    if (f->fails != QC_OK && offset >= f->fails_from)
        return QC_FAIL(err, f->fails, "the site is away");
    *ret_got = offset >= f->n ? 0 : f->n - offset < n ? f->n - (size_t)offset : n;
    if (*ret_got > 0)
        memcpy(p, f->p + offset, *ret_got);
    return QC_OK;
}

static inline qc_rc xor23_rig_sink(void *ctx, qc_span s, struct qc_err *err)
{
    struct xor23_rig *r = ctx;
    (void)err;
    xor23_rig_add(&r->got, &r->got_n, &r->got_cap, s);
    return QC_OK;
}

static inline qc_rc xor23_rig_finish(void *ctx, struct qc_err *err)
{
    struct xor23_rig *r = ctx;
    (void)err;
    r->finished = true;
    return QC_OK;
}

static inline struct vault_xor23_header xor23_rig_header(uint8_t version)
{
    struct vault_xor23_header h = { .maker = 2 };
    memset(h.ids.object, 0x0b, sizeof h.ids.object);
    memset(h.ids.version, version, sizeof h.ids.version);
    return h;
}

/* The data of the rig into its three files, which are empty before. */
static inline qc_rc xor23_rig_share(struct xor23_rig *r, qc_span data, uint8_t version, struct qc_err *err)
{
    const struct vault_source source = { .read = xor23_rig_source, .ctx = r };
    struct vault_xor23_header h = xor23_rig_header(version);
    const qc_rng rng = { .fill = xor23_rig_rng, .ctx = r };
    const struct vault_xor23_out out = { .write = xor23_rig_out,
                                         .settle = r->lends ? xor23_rig_settle : NULL,
                                         .ctx = r };
    uint64_t size = UINT64_MAX;
    h.scheme = r->scheme;
    r->data = data;
    r->at = 0;
    r->drawn = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        r->file[i].n = 0;
    r->settled = false;
    const qc_rc rc = vault_xor23_share(&source, &h, &rng, &out, &size, err);
    CHECK(!r->lends || r->settled || rc == QC_NOMEM);
    QC_TRY(rc);
    CHECK(size == data.n);
    return QC_OK;
}

/* From the sites of a set of bits. */
static inline qc_rc xor23_rig_restore(struct xor23_rig *r, unsigned set, bool all,
                                      const struct vault_xor23_ids *ids, struct vault_xor23_report *ret,
                                      struct qc_err *err)
{
    const struct vault_sink sink = { .write = xor23_rig_sink, .finish = xor23_rig_finish, .ctx = r };
    struct vault_xor23_restore from = { .ids = ids, .all = all, .alone = r->alone };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if ((set >> i & 1) != 0)
            from.site[i] = (struct vault_xor23_site){ .read = xor23_rig_read, .ctx = &r->file[i] };
    r->got_n = 0;
    r->finished = false;
    return vault_xor23_restore(&from, &sink, ret, err);
}

static inline void xor23_rig_done(struct xor23_rig *r)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        free(r->file[i].p);
    free(r->got);
}
