#include "list.h"
#include "object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct verify {
    struct vault *v;
    const struct vault_call *call;
    const struct vault_verify_some *some;
    struct vault_verify_result result;
};

/* What one object's check needs. */
struct check {
    struct object o;
    struct vault_gw_entry e;
    qc_buf path;
    struct vault_paths paths;
    char text[256];
};

static void check_done(struct check *c)
{
    object_done(&c->o);
    vault_gw_entry_done(&c->e);
    qc_buf_free(&c->path);
}

static qc_rc take(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct verify *w = ctx;
    (void)err;
    w->result.bytes += bytes.n;
    if (w->some->bytes != NULL)
        w->some->bytes(w->some->ctx, bytes);
    return QC_OK;
}

/* Open by the best way that holds; none: the plain way's error, or the one that was tried. */
static qc_rc open_best(struct check *c, struct qc_err *err)
{
    const struct vault_paths *p = &c->paths;
    if (!p->plain && !p->with1 && !p->with2) {
        const struct qc_err *why = p->plain_err.rc != QC_SHARES   ? &p->plain_err
                                   : p->with1_err.rc != QC_SHARES ? &p->with1_err
                                                                  : &p->with2_err;
        *err = *why;
        return why->rc;
    }
    struct vault_unlock with = object_ways(&c->o, p->plain || p->with1, p->plain || p->with2, true);
    return vault_open(&c->o.opened, c->o.frame, &with, object_head0(&c->o), err);
}

/* What the ways say when the object itself is whole. */
static qc_rc judge(struct check *c)
{
    const struct vault_paths *p = &c->paths;
    if (p->plain && p->with1 && p->with2 && p->consistent)
        return QC_OK;
    snprintf(c->text, sizeof(c->text), "%s", vault_paths_text(p));
    for (unsigned i = 0; i < 2; i++)
        if (c->o.v->store[i] == NULL || vault_store_is_filling(c->o.v->store[i]))
            return p->with1 || p->with2 ? QC_DEGRADED
                                        : QC_INTEGRITY; /* what is not there cannot be checked */
    return QC_INTEGRITY;
}

static qc_rc check_object(struct verify *w, struct check *c, qc_span name, struct qc_err *err)
{
    QC_TRY(session_entry_of_name(w->v, name, &c->path, &c->e, w->call, err));
    QC_TRY(object_begin(&c->o, w->v, c->e.e.object, c->e.e.version, w->call, err));
    c->o.size = c->e.e.size;
    c->o.M = c->e.e.M;
    QC_TRY(object_frame(&c->o, err));
    QC_TRY(object_shares(&c->o, err));
    QC_TRY(object_backup(&c->o, err));
    struct vault_unlock all = object_ways(&c->o, true, true, true);
    QC_TRY(vault_paths_check(&c->paths, c->o.frame, &all, object_head0(&c->o), err));
    QC_TRY(open_best(c, err));
    QC_TRY(object_walk(&c->o, take, w, err));
    return judge(c);
}

static qc_rc one(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct verify *w = ctx;
    QC_CLEANUP(check_done) struct check c = { .path = { .max = QC_VAULT_PATH_MAX } };
    struct qc_err why = { 0 };
    bool wanted = true;
    if (w->some->wanted != NULL)
        QC_TRY(w->some->wanted(w->some->ctx, s, &wanted, err));
    if (!wanted)
        return QC_OK;
    qc_rc rc = check_object(w, &c, qc_buf_span(&s->name), &why);
    session_note_faults(w->v, c.o.request, w->call);
    if (list_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc == QC_NOTFOUND && c.e.e.number == 0 &&
        list_removed_since(w->v, qc_buf_span(&c.path), s->number, w->call))
        return QC_OK;
    if (rc != QC_OK && c.text[0] == '\0')
        snprintf(c.text, sizeof(c.text), "%.255s", why.msg);
    w->result.objects++;
    w->result.good += rc == QC_OK;
    w->result.degraded += rc == QC_DEGRADED;
    w->result.bad += rc != QC_OK && rc != QC_DEGRADED;
    w->result.worst = qc_rc_worse(w->result.worst, rc);
    struct vault_verdict verdict = { .what = s,
                                     .rc = rc,
                                     .text = rc == QC_OK ? "healthy" : c.text,
                                     .plain = c.paths.plain,
                                     .with1 = c.paths.with1,
                                     .with2 = c.paths.with2,
                                     .backup_ok = c.paths.consistent };
    return w->some->verdict == NULL ? QC_OK : w->some->verdict(w->some->ctx, &verdict, err);
}

/* Every value of both stores. */
static void check_stores(struct verify *w)
{
    for (unsigned i = 0; i < 2; i++) {
        struct vault_store_health h = { 0 };
        struct qc_err why = { 0 };
        if (w->v->store[i] == NULL)
            continue;
        qc_rc rc = vault_store_check(w->v->store[i], &h, &why);
        if (rc != QC_OK)
            vault_note(w->call->notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc, "%s", why.msg);
        else if (h.damaged_records + h.damaged_marks > 0 || !h.descriptor_ok || !h.head_ok)
            vault_note(w->call->notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc = QC_INTEGRITY,
                       "share store %u: %" PRIu64 " of %" PRIu64 " records and %" PRIu64 " of %" PRIu64
                       " marks do not verify%s%s",
                       i + 1, h.damaged_records, h.records, h.damaged_marks, h.marks,
                       h.descriptor_ok ? "" : ", nor its descriptor",
                       h.head_ok ? "" : ", nor its vault head");
        w->result.worst = qc_rc_worse(w->result.worst, rc);
    }
}

/* The vault's own B, which names need when a store is lost, and by which a keeper is known. */
static qc_rc check_keeper(struct verify *w, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = kept_begin(w->v, &w->call->op, &why);
    if (rc == QC_OK)
        return QC_OK;
    if (list_ends(rc)) {
        *err = why;
        return rc;
    }
    vault_note(w->call->notes, VAULT_NOTE_BACKUP, 0, rc, "%s", why.msg);
    w->result.worst = qc_rc_worse(w->result.worst, QC_DEGRADED);
    return QC_OK;
}

/* Each commit raised one path's number by one: all numbers add up to the count of the chain, or entries were
 * left out. */
static qc_rc check_chain(struct verify *w, uint64_t commits, uint64_t numbers, struct qc_err *err)
{
    QC_TRY(session_catch_up(w->v, NULL, &w->call->op, err));
    if (w->v->head.count != commits)
        return QC_OK; /* others commit while we look: nothing can be said */
    if (numbers == commits)
        return QC_OK;
    return QC_FAIL(err, QC_INTEGRITY,
                   "the gateway's entries stand for %" PRIu64 " commits, the chain has %" PRIu64
                   ": entries were left out or added",
                   numbers, commits);
}

static qc_rc run(struct verify *w, qc_span prefix, struct qc_err *err)
{
    struct list_totals totals = { 0 };
    struct list_to to = { .fn = one, .ctx = w, .tombstones = prefix.n == 0 };
    QC_TRY(session_catch_up(w->v, NULL, &w->call->op, err));
    uint64_t commits = w->v->head.count;
    QC_TRY(list_objects(w->v, prefix, &to, w->call, &totals, err));
    if (prefix.n > 0)
        return QC_OK;
    check_stores(w);
    QC_TRY(check_keeper(w, err));
    return check_chain(w, commits, totals.numbers, err);
}

qc_rc vault_verify(struct vault *v, qc_span prefix, vault_verdict_fn fn, void *ctx,
                   const struct vault_call *call, struct vault_verify_result *ret, struct qc_err *err)
{
    const struct vault_verify_some all = { .verdict = fn, .ctx = ctx };
    return vault_verify_some(v, prefix, &all, call, ret, err);
}

qc_rc vault_verify_some(struct vault *v, qc_span prefix, const struct vault_verify_some *some,
                        const struct vault_call *call, struct vault_verify_result *ret, struct qc_err *err)
{
    struct verify w = { .v = v, .call = call, .some = some };
    QC_TRY(run(&w, prefix, err));
    *ret = w.result;
    return QC_OK;
}
