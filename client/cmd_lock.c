/* lock, and put --retain-until: versions that nobody purges before a date. */
#include <string.h>

#include "base/alloc.h"
#include "listing.h"
#include "prune.h"
#include "text.h"

const struct qc_opt lock_opts[] = {
    { "until", 0, "DATE",
      "no purge before it: 2036-12-31, 2036-12-31T12:00:00Z; it can be put off, never brought near", false },
    { "version", 0, "V|ID", "this version (qcloud versions NAME), instead of the newest one", false },
    { 0 },
};

/* Versions that wait for the next request. */
struct keeping {
    int64_t until;
    bool items; /* each is an item of its own */
    struct vault_doomed v[QC_VAULT_PURGE_BATCH];
    qc_buf name[QC_VAULT_PURGE_BATCH];
    size_t n;
};

qc_rc keeping_new(struct client *c, const char *date, bool items, struct qc_err *err)
{
    int64_t until = 0;
    QC_TRY(which_date_parse(date, &until, err));
    if (until <= qc_wall_s())
        return QC_FAIL(err, QC_USAGE, "'%.60s' has passed, by this machine's clock: nothing would be kept",
                       date);
    c->keeping = qc_alloc(sizeof *c->keeping);
    if (c->keeping == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions to keep");
    c->keeping->until = until;
    c->keeping->items = items;
    return QC_OK;
}

void keeping_free(struct keeping **k)
{
    for (size_t i = 0; *k != NULL && i < (*k)->n; i++)
        qc_buf_free(&(*k)->name[i]);
    qc_free(*k);
    *k = NULL;
}

static qc_rc tell(struct client *c, qc_span name, const struct vault_doomed *v, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    char when[LISTING_TIME], stamp[QC_TIME_TEXT];
    listing_time(v->until, when);
    listing_stamp(v->until, stamp);
    QC_TRY(text_quote(name, &shown, err));
    out_note(&c->out, "kept %.*s until %s", (int)shown.n, (const char *)shown.p, when);
    if (!c->keeping->items)
        return QC_OK; /* what was put has one */
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(v->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_str(j, "kept_until", stamp, err));
    return out_json(&c->out, &j, err);
}

qc_rc keeping_flush(struct client *c, qc_rc *worst, struct qc_err *err)
{
    struct keeping *k = c->keeping;
    const struct vault_call call = client_call(c);
    qc_rc rc = QC_OK;
    if (k == NULL || k->n == 0)
        return QC_OK;
    rc = vault_retain(c->vault, k->v, k->n, k->until, &call, err);
    for (size_t i = 0; i < k->n; i++) {
        const qc_span name = qc_buf_span(&k->name[i]);
        if (rc == QC_OK && k->v[i].rc == QC_OK)
            rc = tell(c, name, &k->v[i], err);
        else if (rc == QC_OK)
            (void)client_object(c, k->v[i].rc, name, &k->v[i].err, worst);
        qc_buf_free(&k->name[i]);
    }
    k->n = 0;
    return rc == QC_OK ? QC_OK : (qc_err_wrap(err, "not known to be kept until that date"), rc);
}

qc_rc keeping_add(struct client *c, qc_span name, const uint8_t *object, const uint8_t *version, qc_rc *worst,
                  struct qc_err *err)
{
    struct keeping *k = c->keeping;
    if (k == NULL)
        return QC_OK;
    if (k->n == QC_VAULT_PURGE_BATCH)
        QC_TRY(keeping_flush(c, worst, err));
    k->name[k->n] = (qc_buf){ .max = QC_VAULT_NAME_MAX };
    QC_TRY(qc_buf_add(&k->name[k->n], name, err));
    k->v[k->n] = (struct vault_doomed){ .rc = QC_OK };
    memcpy(k->v[k->n].object, object, VAULT_ID_BYTES);
    memcpy(k->v[k->n++].version, version, VAULT_ID_BYTES);
    return QC_OK;
}

static bool is_meant(const struct vault_versions *all, size_t i, const struct which *w)
{
    const struct vault_version *one = &all->v[i];
    if (!w->given)
        return one->current;
    return w->which.version != NULL ? memcmp(one->version, w->which.version, VAULT_ID_BYTES) == 0
                                    : one->number == w->which.number;
}

static qc_rc lock_one(struct client *c, qc_span name, const struct which *w, qc_rc *worst, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    const struct vault_call call = client_call(c);
    QC_TRY(vault_versions(c->vault, name, &call, &all, err));
    for (size_t i = 0; i < all.n; i++)
        if (is_meant(&all, i, w))
            return keeping_add(c, name, all.v[i].object, all.v[i].version, worst, err);
    return QC_FAIL(err, QC_NOTFOUND,
                   w->given ? "it has no such version" : "it was removed: name one with --version");
}

qc_rc cmd_lock(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *until = qc_args_value(args, "until", NULL);
    const char *version = qc_args_value(args, "version", NULL);
    struct which w = { 0 };
    qc_rc worst = QC_OK;
    bool go_on = true;
    if (until == NULL)
        return QC_FAIL(err, QC_USAGE, "until when? --until DATE");
    if (version != NULL)
        QC_TRY(which_parse(version, &w, err));
    if (w.given && args->argc != 1)
        return QC_FAIL(err, QC_USAGE, "--version is of one name");
    QC_TRY(keeping_new(c, until, true, err));
    QC_TRY(client_open(c, err));
    for (int i = 0; i < args->argc && go_on; i++) {
        struct qc_err why = { 0 };
        const qc_span name = qc_span_str(args->argv[i]);
        const qc_rc rc = lock_one(c, name, &w, &worst, &why);
        if (rc != QC_OK)
            go_on = client_object(c, rc, name, &why, &worst);
    }
    QC_TRY(keeping_flush(c, &worst, err));
    return client_outcome(c, worst, "not kept as asked", err);
}
