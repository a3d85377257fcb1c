/* The listings of three sites as one. */
#include "sites.h"

/* What one site lists, one after the other: u32 length, name; u64 size, number; i64 created, mtime; u8. */
struct listing {
    qc_buf bytes;
    qc_rd at;
    bool left;
    qc_span name;
    struct vault_stat stat; /* its name is not used */
};

static qc_rc keep(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    qc_buf *b = ctx;
    QC_TRY(qc_buf_add_be(b, s->name.n, 4, err));
    QC_TRY(qc_buf_add(b, qc_buf_span(&s->name), err));
    QC_TRY(qc_buf_add_be(b, s->size, 8, err));
    QC_TRY(qc_buf_add_be(b, s->number, 8, err));
    QC_TRY(qc_buf_add_be(b, (uint64_t)s->created_s, 8, err));
    QC_TRY(qc_buf_add_be(b, (uint64_t)s->mtime_s, 8, err));
    return qc_buf_add_be(b, s->has_mtime, 1, err);
}

static void next(struct listing *l)
{
    l->left = qc_rd_left(&l->at) > 0;
    if (!l->left)
        return;
    l->name = qc_rd_bytes(&l->at, qc_rd_be(&l->at, 4));
    l->stat = (struct vault_stat){ .size = vault_xor23_data_size(qc_rd_be(&l->at, 8)) };
    l->stat.number = qc_rd_be(&l->at, 8);
    l->stat.created_s = (int64_t)qc_rd_be(&l->at, 8);
    l->stat.mtime_s = (int64_t)qc_rd_be(&l->at, 8);
    l->stat.has_mtime = qc_rd_be(&l->at, 1) != 0;
}

static void listings_done(struct listing (*all)[SS_XOR23_SHARES])
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        qc_buf_free(&(*all)[i].bytes);
}

/* The least name that any of them has; NULL: all are at their end. */
static const struct listing *least(const struct listing l[SS_XOR23_SHARES])
{
    const struct listing *best = NULL;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (l[i].left && (best == NULL || qc_span_cmp(l[i].name, best->name) < 0))
            best = &l[i];
    return best;
}

static qc_rc merge(struct listing l[SS_XOR23_SHARES], sites_list_fn fn, void *ctx, struct qc_err *err)
{
    const struct listing *best;
    while ((best = least(l)) != NULL) {
        QC_CLEANUP(vault_stat_done) struct vault_stat what = best->stat;
        unsigned sites = 0;
        what.name = (qc_buf){ .max = QC_CLIENT_TEXT_MAX };
        QC_TRY(qc_buf_add(&what.name, best->name, err));
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            if (l[i].left && qc_span_eq(l[i].name, qc_buf_span(&what.name))) {
                sites |= 1U << i;
                next(&l[i]);
            }
        QC_TRY(fn(ctx, &what, sites, err));
    }
    return QC_OK;
}

qc_rc sites_list(struct sites *s, qc_span prefix, sites_list_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(listings_done) struct listing l[SS_XOR23_SHARES] = { 0 };
    unsigned there = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        if (s->s.vault[i] == NULL)
            continue;
        const struct vault_call call = client_call(s->site[i]);
        l[i].bytes.max = QC_CLIENT_NAMES_MAX;
        QC_TRY_AS(vault_list(s->s.vault[i], prefix, keep, &l[i].bytes, &call, err), err, "site %c",
                  site_letter(i));
        l[i].at = (qc_rd){ .s = qc_buf_span(&l[i].bytes) };
        next(&l[i]);
        there++;
    }
    /* One alone may leave names out, or have more of them than two would agree on. */
    if (there < (s->s.alone ? 1 : 2))
        return QC_FAIL(err, QC_SHARES, "%u of three sites answers%s", there, there == 1 ? "" : "s");
    return merge(l, fn, ctx, err);
}
