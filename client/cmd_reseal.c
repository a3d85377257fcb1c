/* reseal: objects under new keys, by the sources of randomness that there are now. */
#include "client.h"

#include "progress.h"
#include "text.h"
#include "where.h"

struct reseal_run {
    struct client *c;
    struct vault *reader;
    qc_rc worst;
    bool go_on;
};

static void run_done(struct reseal_run *run)
{
    vault_close(&run->reader);
}

/* What is sealed anew is so for its keys' sake: a source that is preferred is required here. */
static qc_rc want_source(struct client *c, bool os, struct qc_err *err)
{
    QC_TRY(client_random_conf(c, err));
    enum qrng_policy *p = &c->random.policy[QRNG_PROFILE_EC];
    if (*p == QRNG_POLICY_OS && os)
        return QC_FAIL(err, QC_USAGE,
                       "the policy in %s/random.conf is os: what is sealed now would say rng=os again",
                       c->places.conf_dir);
    if (*p == QRNG_POLICY_PREFERRED)
        *p = QRNG_POLICY_REQUIRED;
    return QC_OK;
}

/* *ret_open: it failed, and may be done all the same. */
static qc_rc reseal(struct reseal_run *run, qc_span name, bool *ret_open, struct qc_err *err)
{
    struct client *c = run->c;
    const struct vault_put_opts opts = { 0 };
    struct vault_put_result r = { 0 };
    struct progress p;
    struct vault_call call = client_call_shown(c, &p, name, "durable", true);
    const qc_rc rc = vault_reseal(c->vault, run->reader, name, &opts, &call, &r, err);
    progress_end(&p);
    *ret_open = r.open;
    QC_TRY(rc);
    return client_stored(c, name, false, &r, err);
}

static void one(struct reseal_run *run, qc_span name)
{
    struct qc_err why = { 0 };
    bool open = false;
    const qc_rc rc = reseal(run, name, &open, &why);
    run->go_on =
        client_put_object(run->c, rc, open, name, &why, &run->worst) && rc != QC_SHARES && rc != QC_RANDOM;
}

/* Names of a listing, one after the other: u32 length, bytes. */
static qc_rc keep(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    qc_buf *names = ctx;
    QC_TRY(qc_buf_add_be(names, s->name.n, 4, err));
    return qc_buf_add(names, qc_buf_span(&s->name), err);
}

static qc_rc found(struct reseal_run *run, const struct where *w, qc_span prefix, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_NAMES_MAX };
    QC_TRY(where_list(run->c, w, prefix, keep, &names, &run->worst, err));
    if (names.n == 0)
        out_note(&run->c->out, "no object says rng=%.*s", (int)w->source.n, (const char *)w->source.p);
    qc_rd r = { .s = qc_buf_span(&names) };
    while (run->go_on && qc_rd_left(&r) > 0)
        one(run, qc_rd_bytes(&r, qc_rd_be(&r, 4)));
    return QC_OK;
}

qc_rc cmd_reseal(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(run_done) struct reseal_run run = { .c = c, .worst = QC_OK, .go_on = true };
    const char *condition = qc_args_value(args, "where", NULL);
    struct where w = { 0 };
    if (condition == NULL ? args->argc == 0 : args->argc > 1)
        return QC_FAIL(err, QC_USAGE, "reseal takes names, or --where and at most one prefix");
    if (condition != NULL)
        QC_TRY(where_parse(condition, &w, err));
    QC_TRY(want_source(c, condition != NULL && qc_span_eq(w.source, QC_LIT("os")), err));
    QC_TRY(client_open(c, err));
    QC_TRY(client_open_reader(c, &run.reader, err));
    if (condition != NULL)
        QC_TRY(found(&run, &w, args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 }, err));
    for (int i = 0; condition == NULL && i < args->argc && run.go_on; i++)
        one(&run, qc_span_str(args->argv[i]));
    return client_outcome(c, run.worst, "not sealed anew", err);
}
