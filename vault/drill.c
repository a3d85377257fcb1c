/* A loss, rehearsed: objects are fetched, opened and verified as a get after it would. Keeps I2. */
#include "list.h"
#include "object.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/lot.h"

enum { TRIES = 3 };

struct drill {
    struct vault *v;
    const struct vault_drill *what;
    const struct vault_call *call;
    vault_drilled_fn fn;
    void *ctx;
    struct qc_lot lot; /* over the objects that the first listing counted */
    struct vault_drill_result result;
};

/* What one object needs. */
struct trial {
    struct object o;
    struct vault_gw_entry e;
    qc_buf path;
    char without[VAULT_WITHOUT_MAX]; /* clouds; some of the drill's */
    unsigned bears;                  /* so many, at most */
    bool fewer;
};

static void trial_done(struct trial *t)
{
    object_done(&t->o);
    vault_gw_entry_done(&t->e);
    qc_buf_free(&t->path);
}

static qc_rc count(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct drill *d = ctx;
    (void)s;
    (void)err;
    d->result.objects++;
    return QC_OK;
}

static qc_rc drop(void *ctx, qc_span bytes, struct qc_err *err)
{
    (void)err;
    *(uint64_t *)ctx += bytes.n;
    return QC_OK;
}

/* While stored objects are given another code, each bears the loss of as many clouds as its own says. */
static qc_rc choose_without(struct drill *d, struct trial *t, struct qc_err *err)
{
    struct vault_gw *gw = d->v->gw;
    struct vault_gw_info info;
    const char *names = d->what->without != NULL ? d->what->without : "";
    size_t n = strlen(names);
    t->fewer = false;
    t->bears = UINT_MAX;
    if (n >= sizeof(t->without))
        return QC_FAIL(err, QC_LIMIT, "names of clouds to do without: too many bytes");
    if (d->what->by_code) {
        QC_TRY(gw->ops->info(gw, d->v->id, t->e.e.object, t->e.e.version, &info, &d->call->op, err));
        t->bears = info.n > info.k ? info.n - info.k : 0;
        const char *end = names;
        for (unsigned i = 0; i < t->bears && *end != '\0'; i++)
            end += *end == ',' ? 1 + strcspn(end + 1, ",") : strcspn(end, ",");
        t->fewer = *end != '\0';
        n = (size_t)(end - names);
    }
    memcpy(t->without, names, n);
    t->without[n] = '\0';
    return QC_OK;
}

static qc_rc get_into_nothing(struct drill *d, struct trial *t, struct qc_err *err)
{
    uint64_t bytes = 0;
    QC_TRY(object_begin(&t->o, d->v, t->e.e.object, t->e.e.version, d->call, err));
    t->o.without = t->without;
    t->o.size = t->e.e.size;
    t->o.M = t->e.e.M;
    QC_TRY(object_frame(&t->o, err));
    QC_TRY(object_unlock(&t->o, err));
    QC_TRY(object_walk(&t->o, drop, &bytes, err));
    if (bytes != vault_opened_meta(t->o.opened)->true_size)
        return QC_FAIL(err, QC_INTEGRITY, "%" PRIu64 " bytes came of %" PRIu64, bytes,
                       vault_opened_meta(t->o.opened)->true_size);
    d->result.bytes += bytes;
    return QC_OK;
}

/* Too few clouds may mean that it got another code meanwhile, which bears less. */
static qc_rc try_object(struct drill *d, struct trial *t, qc_span name, struct qc_err *err)
{
    QC_TRY(session_entry_of_name(d->v, name, &t->path, &t->e, d->call, err));
    QC_TRY(choose_without(d, t, err));
    qc_rc rc = get_into_nothing(d, t, err);
    for (unsigned i = 1; rc == QC_QUORUM && d->what->by_code && i < TRIES; i++) {
        const unsigned bore = t->bears;
        struct qc_err none = { 0 };
        if (choose_without(d, t, &none) != QC_OK || t->bears >= bore)
            break;
        object_done(&t->o);
        t->o = (struct object){ 0 };
        qc_err_clear(err);
        rc = get_into_nothing(d, t, err);
    }
    return rc;
}

static qc_rc one(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct drill *d = ctx;
    QC_CLEANUP(trial_done) struct trial t = { .path = { .max = QC_VAULT_PATH_MAX } };
    struct qc_err why = { 0 };
    bool wanted;
    QC_TRY(qc_lot_next(&d->lot, &wanted, err));
    if (!wanted)
        return QC_OK;
    qc_rc rc = try_object(d, &t, qc_buf_span(&s->name), &why);
    if (list_ends(rc) || rc == QC_USAGE) {
        *err = why;
        return rc;
    }
    d->result.tried++;
    if (rc == QC_NOTFOUND && t.e.e.number == 0 &&
        list_removed_since(d->v, qc_buf_span(&t.path), s->number, d->call))
        rc = QC_OK; /* it is not lost: its owner took it away */
    d->result.fewer += t.fewer;
    d->result.back += rc == QC_OK;
    d->result.worst = qc_rc_worse(d->result.worst, rc);
    const struct vault_drilled told = { .what = s, .rc = rc, .text = rc == QC_OK ? "" : why.msg };
    return d->fn == NULL ? QC_OK : d->fn(d->ctx, &told, err);
}

qc_rc vault_drill(struct vault *v, const struct vault_drill *what, vault_drilled_fn fn, void *ctx,
                  const struct vault_call *call, struct vault_drill_result *ret, struct qc_err *err)
{
    struct drill d = { .v = v, .what = what, .call = call, .fn = fn, .ctx = ctx };
    struct list_totals totals;
    QC_TRY(session_catch_up(v, NULL, &call->op, err));
    QC_TRY(list_objects(v, what->prefix, &(struct list_to){ .fn = count, .ctx = &d }, call, &totals, err));
    d.lot = (struct qc_lot){ .seed = what->seed, .all = d.result.objects, .sample = what->sample };
    QC_TRY(list_objects(v, what->prefix, &(struct list_to){ .fn = one, .ctx = &d }, call, &totals, err));
    *ret = d.result;
    return QC_OK;
}
