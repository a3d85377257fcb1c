/* Versions that go for good.
 *
 *   both stores: committed -> retired, durable          a crash: whoever purges next goes on with it
 *   gateway: purged, evident on a record quorum of clouds
 *   keeper, where there is one: B is gone
 *   store 1, then store 2: the share is overwritten, durable
 *
 * U1: the gateway is asked for nothing that the stores do not say under their seals: a gateway that says that
 * something is gone by itself never makes anybody destroy a share.
 * U2: a share goes after the version did, never before: a purge that is refused, or does not come to be,
 * leaves a version that opens. U3: killed anywhere, nothing is left for ever: what is retired is asked for
 * again, and both steps may be repeated. */
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "session.h"

_Static_assert(QC_VAULT_PURGE_BATCH <= QC_VAULT_CALL_FILES, "one call of the gateway");

/* What one call is about. */
struct batch {
    struct vault_store_doomed doomed[QC_VAULT_PURGE_BATCH];
    struct vault_gw_purge asked[QC_VAULT_PURGE_BATCH];
    size_t count;
};

static void batch_add(struct batch *b, const struct vault_store_doomed *d)
{
    QC_ASSERT(b->count < QC_VAULT_PURGE_BATCH);
    struct vault_gw_purge *ask = &b->asked[b->count];
    b->doomed[b->count++] = *d;
    *ask = (struct vault_gw_purge){ .rc = QC_OK };
    memcpy(ask->object, d->object, VAULT_ID_BYTES);
    memcpy(ask->version, d->version, VAULT_ID_BYTES);
}

/* Those of the batch that were purged, or those that were refused. */
static size_t chosen(const struct batch *b, bool purged, struct vault_store_doomed *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        if ((b->asked[i].rc == QC_OK) == purged)
            ret[n++] = b->doomed[i];
    return n;
}

static qc_rc write_outcomes(struct vault *v, const struct batch *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_store_doomed *some = qc_alloc(b->count * sizeof(*some));
    if (some == NULL)
        return QC_FAIL(err, QC_NOMEM, "purging");
    const size_t kept = chosen(b, false, some);
    for (unsigned i = 0; i < 2 && kept > 0; i++)
        QC_TRY(vault_store_unretire(v->store[i], some, kept, &v->rng, err));
    const size_t gone = chosen(b, true, some);
    for (unsigned i = 0; i < 2 && gone > 0; i++) {
        QC_TRY(vault_store_destroy(v->store[i], some, gone, &v->rng, err));
        if (i == 0)
            QC_TRY(qc_fault(client_destroyed1, err));
    }
    return QC_OK;
}

/* B of those that are gone. While the keeper cannot be reached they stay retired, and are asked for again. */
static qc_rc drop_kept(const struct vault *v, const struct batch *b, const struct vault_op *op,
                       struct qc_err *err)
{
    struct vault_gw_version gone[QC_VAULT_PURGE_BATCH];
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->asked[i].rc == QC_OK)
            gone[n++] = session_version(b->asked[i].object, b->asked[i].version);
    }
    return kept_drop(v, gone, n, op, err);
}

/* The versions of the batch are retired in both stores. */
static qc_rc finish(struct vault *v, struct batch *b, const struct vault_call *call, struct qc_err *err)
{
    QC_TRY(qc_fault(client_retired, err));
    QC_TRY(v->gw->ops->purge(v->gw, v->id, b->asked, b->count, &call->op, err));
    QC_TRY(qc_fault(client_purged, err));
    QC_TRY(drop_kept(v, b, &call->op, err));
    return write_outcomes(v, b, err);
}

static qc_rc run(struct vault *v, struct batch *b, const struct vault_call *call, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(vault_store_retire(v->store[i], b->doomed, b->count, &v->rng, err));
    return finish(v, b, call, err);
}

static qc_rc one_batch(struct vault *v, struct batch *b, struct vault_doomed *items, size_t n,
                       const struct vault_call *call, struct qc_err *err)
{
    b->count = 0;
    for (size_t i = 0; i < n; i++) {
        struct vault_store_doomed d = { .sequence = items[i].sequence };
        memcpy(d.object, items[i].object, VAULT_ID_BYTES);
        memcpy(d.version, items[i].version, VAULT_ID_BYTES);
        batch_add(b, &d);
    }
    QC_TRY(run(v, b, call, err));
    for (size_t i = 0; i < n; i++) {
        items[i].rc = b->asked[i].rc;
        items[i].err = b->asked[i].err;
    }
    return QC_OK;
}

qc_rc vault_purge(struct vault *v, struct vault_doomed *items, size_t n, const struct vault_call *call,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct batch *b = qc_alloc(sizeof(*b));
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "purging");
    QC_TRY(session_need_both(v, err));
    for (size_t at = 0; at < n; at += QC_VAULT_PURGE_BATCH) {
        const size_t some = n - at < QC_VAULT_PURGE_BATCH ? n - at : QC_VAULT_PURGE_BATCH;
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "purge", err));
        QC_TRY(one_batch(v, b, items + at, some, call, err));
    }
    return QC_OK;
}

/* What is retired in one store, and may be so in the other, or was to be. */
static qc_rc settle_store(struct vault *v, unsigned i, struct batch *b, const struct vault_call *call,
                          uint64_t *done, struct qc_err *err)
{
    struct vault_store_cursor cursor = { 0 };
    size_t got;
    do { /* ends: the cursor goes on */
        struct vault_store_doomed page[QC_VAULT_PURGE_BATCH];
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "purge", err));
        QC_TRY(vault_store_retired(v->store[i], &cursor, page, QC_VAULT_PURGE_BATCH, &got, err));
        b->count = 0;
        for (size_t x = 0; x < got; x++)
            batch_add(b, &page[x]);
        if (got > 0)
            QC_TRY(finish(v, b, call, err));
        *done += got;
    } while (got > 0);
    return QC_OK;
}

qc_rc vault_purge_settle(struct vault *v, const struct vault_call *call, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct batch *b = qc_alloc(sizeof(*b));
    uint64_t done = 0;
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "purging");
    QC_TRY(session_need_both(v, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(settle_store(v, i, b, call, &done, err));
    *ret = done;
    return QC_OK;
}

static qc_rc retain_batch(struct vault *v, struct vault_gw_purge *asked, struct vault_doomed *items, size_t n,
                          int64_t until, const struct vault_call *call, struct qc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        asked[i] = (struct vault_gw_purge){ .rc = QC_OK };
        memcpy(asked[i].object, items[i].object, VAULT_ID_BYTES);
        memcpy(asked[i].version, items[i].version, VAULT_ID_BYTES);
    }
    QC_TRY(v->gw->ops->retain(v->gw, v->id, asked, n, until, &call->op, err));
    for (size_t i = 0; i < n; i++) {
        items[i].rc = asked[i].rc;
        items[i].err = asked[i].err;
        items[i].until = asked[i].until;
        if (items[i].rc == QC_OK && items[i].until < until)
            return QC_FAIL(err, QC_FORMAT, "the gateway keeps it for a shorter time than was asked for");
    }
    return QC_OK;
}

qc_rc vault_retain(struct vault *v, struct vault_doomed *items, size_t n, int64_t until,
                   const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_gw_purge *asked = qc_alloc(QC_VAULT_PURGE_BATCH * sizeof(*asked));
    if (asked == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions to keep");
    for (size_t at = 0; at < n; at += QC_VAULT_PURGE_BATCH) {
        const size_t some = n - at < QC_VAULT_PURGE_BATCH ? n - at : QC_VAULT_PURGE_BATCH;
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "keep", err));
        QC_TRY(retain_batch(v, asked, items + at, some, until, call, err));
    }
    return QC_OK;
}
