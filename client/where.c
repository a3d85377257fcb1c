#include "where.h"

qc_rc where_parse(const char *text, struct where *ret, struct qc_err *err)
{
    const qc_span key = QC_LIT("rng="), all = qc_span_str(text);
    if (all.n <= key.n || !qc_span_eq(qc_span_sub(all, 0, key.n), key))
        return QC_FAIL(err, QC_USAGE, "--where is rng=SOURCE, as rng=os, and not '%.80s'", text);
    ret->source = qc_span_from(all, key.n);
    return QC_OK;
}

bool where_is(const struct where *w, qc_span provenance)
{
    size_t n = 0;
    while (n < provenance.n && provenance.p[n] != ':' && provenance.p[n] != ' ')
        n++;
    const qc_span name = n == 0 ? QC_LIT("unknown") : qc_span_sub(provenance, 0, n);
    return qc_span_eq(name, w->source);
}

struct run {
    struct client *c;
    const struct where *w;
    where_fn fn;
    void *ctx;
    qc_rc *worst;
};

/* An object that was removed since it was listed is none. */
static qc_rc one(void *ctx, const struct vault_stat *listed, struct qc_err *err)
{
    const struct run *run = ctx;
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    struct vault_call call = client_call(run->c);
    struct qc_err why = { 0 };
    const qc_span name = qc_buf_span(&listed->name);
    const qc_rc rc = vault_explain(run->c->vault, name, &call, &s, &text, NULL, &why);
    if (rc == QC_OK)
        return where_is(run->w, qc_buf_span(&text)) ? run->fn(run->ctx, &s, err) : QC_OK;
    if (rc == QC_NOTFOUND || client_object(run->c, rc, name, &why, run->worst))
        return QC_OK;
    *err = why;
    return rc;
}

qc_rc where_list(struct client *c, const struct where *w, qc_span prefix, where_fn fn, void *ctx,
                 qc_rc *worst, struct qc_err *err)
{
    struct run run = { .c = c, .w = w, .fn = fn, .ctx = ctx, .worst = worst };
    struct vault_call call = client_call(c);
    return vault_list(c->vault, prefix, one, &run, &call, err);
}
