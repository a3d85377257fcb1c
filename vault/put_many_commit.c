/* The commit of a bundle, and what follows it.
 *
 * A member is committed, or the gateway has it durably that it never will be: its own put key is cancelled,
 * or the bundle's is, before which none of it was decided. What is neither is open, and the journal keeps it.
 */
#include "put_many.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fault.h"

/* -- entries --------------------------------------------------------------------------------------------- */

static qc_rc make_entry(struct many *b, struct many_member *m, struct qc_err *err)
{
    struct vault_entry *e = &m->entry;
    *e = (struct vault_entry){ .path = qc_buf_span(&m->path),
                               .number = m->ids.number,
                               .kind = VAULT_ENTRY_FILE,
                               .sequence = m->ids.sequence,
                               .size = m->stored };
    memcpy(e->object, m->ids.object, sizeof(e->object));
    memcpy(e->version, m->ids.version, sizeof(e->version));
    memcpy(e->M, m->M, sizeof(e->M));
    m->meta.ways = qc_buf_span(&b->ways_text);
    m->priv.max = QC_VAULT_PRIVATE_MAX;
    QC_TRY(vault_entry_private_seal(&m->priv, e, b->v->ring, &m->meta, m->salt, err));
    e->priv = qc_buf_span(&m->priv);
    return vault_entry_seal(e, b->v->ring, err);
}

/* -- one request, or several of a size that the gateway takes -------------------------------------------- */

/* Of its bytes in a request (FORMAT 5.3), about; of an older gateway's JSON. */
static size_t weight(const struct vault_gw *gw, const struct many_member *m)
{
    const size_t n = m->path.n + m->priv.n + m->backup.n;
    return gw->few ? n * 4 / 3 + 512 : n + 256;
}

static void take_outcome(struct many_member *m, const struct vault_gw_member *g)
{
    m->rc = g->rc;
    if (g->rc != QC_OK) {
        m->err = g->err;
        return;
    }
    m->chain = g->chain;
    if (g->number != m->ids.number)
        m->rc = QC_FAIL(&m->err, QC_INTEGRITY, "receipt: number %" PRIu64 " for entry %" PRIu64, g->number,
                        m->ids.number);
    else
        m->fate = MANY_LIVE;
}

/* Members that are in, from *at on. */
static qc_rc commit_some(struct many *b, size_t *at, struct vault_gw_member *g, const struct vault_op *op,
                         struct qc_err *err)
{
    const size_t most = b->gw->few ? QC_VAULT_CALL_FILES : QC_VAULT_BUNDLE_FILES, from = *at;
    const size_t room = b->gw->few ? QC_VAULT_BUNDLE_BODY : QC_VAULT_MEMBERS_BODY;
    size_t of[QC_VAULT_BUNDLE_FILES] = { 0 };
    struct vault_gw_bundle what = {
        .put_key = b->put_key, .members = g, .hasty = b->what.hasty, .receipt = b->receipt
    };
    size_t bytes = 0;
    for (; *at < b->what.count; ++*at) {
        struct many_member *m = &b->m[*at];
        if (m->fate != MANY_IN)
            continue;
        bytes += weight(b->gw, m);
        if (what.count == most || (what.count > 0 && bytes > room))
            break;
        of[what.count] = *at;
        g[what.count++] = (struct vault_gw_member){ .put_key = m->ids.put_key,
                                                    .entry = &m->entry,
                                                    .start = m->start,
                                                    .backup = qc_buf_span(&m->backup) };
    }
    if (what.count == 0)
        return QC_OK;
    QC_TRY(qc_go_on(op->deadline, op->cancel, "put", err));
    const qc_rc rc = b->gw->ops->bundle_commit(b->gw, &what, op, err);
    if (!b->gw->few && (rc == QC_USAGE || rc == QC_FORMAT || rc == QC_LIMIT)) {
        /* Nothing was decided, or that it was is what its put keys say: again, as few as all gateways take.
         */
        b->gw->few = true;
        *at = from;
        return QC_OK;
    }
    QC_TRY(rc);
    for (size_t i = 0; i < what.count; i++)
        take_outcome(&b->m[of[i]], &g[i]);
    return QC_OK;
}

/* Before the gateway is asked: B of all of them to the keeper, where the vault has one. */
static qc_rc keep_all(struct many *b, const struct vault_op *op, struct qc_err *err)
{
    qc_buf *B[QC_VAULT_BUNDLE_FILES];
    size_t n = 0;
    QC_TRY(kept_still(b->v, b->gw, op, err));
    for (size_t i = 0; i < b->what.count; i++) {
        if (b->m[i].fate != MANY_IN)
            continue;
        b->m[i].with_keeper = true;
        B[n++] = &b->m[i].backup;
    }
    QC_TRY(kept_keep(b->v, B, n, op, err));
    return qc_fault(client_kept, err);
}

/* All that are in. After a failure those that have no outcome say that. */
static qc_rc commit_all(struct many *b, struct vault_gw_member *g, const struct vault_op *op,
                        struct qc_err *err)
{
    qc_rc rc = keep_all(b, op, err);
    for (size_t at = 0; at < b->what.count && rc == QC_OK;) {
        rc = commit_some(b, &at, g, op, err);
        if (rc == QC_OK && at < b->what.count)
            rc = qc_fault(client_some, err);
    }
    for (size_t i = 0; rc != QC_OK && i < b->what.count; i++)
        if (b->m[i].fate == MANY_IN) {
            b->m[i].rc = rc;
            b->m[i].err = *err;
        }
    return rc;
}

/* -- what became of them --------------------------------------------------------------------------------- */

/* Decided and not done yet, or not heard of: the same question again may have an answer. */
static bool is_open(qc_rc rc)
{
    return rc == QC_TEMP || rc == QC_TIMEOUT || rc == QC_FENCED || rc == QC_CANCELLED;
}

static bool any_open(const struct many *b)
{
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_IN && is_open(b->m[i].rc))
            return true;
    return false;
}

/* Until nothing is on its way: the commit is repeated where the gateway has decided some of it. */
static void follow(struct many *b, struct vault_gw_member *g, const struct vault_op *op)
{
    struct vault_gw *gw = b->gw;
    while (any_open(b) && !qc_deadline_over(op->deadline)) {
        enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
        struct qc_err why = { 0 };
        if (gw->ops->upload_state(gw, b->put_key, &state, b->receipt, op, &why) != QC_OK)
            return;
        if (state != VAULT_UPLOAD_DECIDED && state != VAULT_UPLOAD_LIVE)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
        qc_ignore(commit_all(b, g, op, &why), "each member has it");
    }
}

static void leave_open(struct many_member *m)
{
    m->fate = MANY_OPEN;
    qc_err_wrap(&m->err, "it is not known whether the commit took place (the next command finds out)");
    m->err.rc = m->rc == QC_CANCELLED || m->rc == QC_TIMEOUT || m->rc == QC_FENCED ? m->rc : QC_TEMP;
    m->rc = m->err.rc;
}

/* One that has no receipt. The request may wait there still: only a cancellation says that it comes to
 * nothing.
 */
static void settle_member(struct many *b, struct many_member *m, const struct vault_op *op)
{
    struct vault_gw *gw = b->gw;
    enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
    struct qc_err why = { 0 };
    const qc_rc rc = gw->ops->upload_cancel(gw, m->ids.put_key, op, &why);
    if (rc == QC_OK)
        many_out(m, m->rc == QC_CONFLICT, m->rc, &m->err);
    else if (rc == QC_CONFLICT &&
             gw->ops->upload_state(gw, m->ids.put_key, &state, b->receipt, op, &why) == QC_OK &&
             state == VAULT_UPLOAD_LIVE && b->receipt->number == m->ids.number) {
        m->fate = MANY_LIVE;
        m->chain = b->receipt->chain;
    } else
        leave_open(m);
}

static bool cancel_bundle(struct many *b, const struct vault_op *op)
{
    struct qc_err why = { 0 };
    return b->gw->ops->upload_cancel(b->gw, b->put_key, op, &why) == QC_OK;
}

/* Every member that is in gets its fate. */
static void settle(struct many *b, const struct vault_op *op)
{
    const bool none = many_count(b, MANY_LIVE) == 0 && cancel_bundle(b, op);
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        if (m->fate == MANY_IN && none)
            many_out(m, m->rc == QC_CONFLICT, m->rc, &m->err);
        else if (m->fate == MANY_IN)
            settle_member(b, m, op);
    }
}

/* -- the stores follow ----------------------------------------------------------------------------------- */

static qc_rc commit_records(struct many *b, unsigned which, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_store_commit *changes = qc_alloc(b->what.count * sizeof(*changes));
    size_t n = 0;
    if (changes == NULL)
        return QC_FAIL(err, QC_NOMEM, "records");
    for (size_t i = 0; i < b->what.count; i++) {
        const struct many_member *m = &b->m[i];
        if (m->fate == MANY_LIVE)
            changes[n++] = (struct vault_store_commit){ .object = m->ids.object,
                                                        .version = m->ids.version,
                                                        .sequence = m->ids.sequence,
                                                        .sealed = b->ticket ? NULL : &m->share[which],
                                                        .path_tag = m->ids.path_tag,
                                                        .number = m->ids.number };
    }
    if (n == 0)
        return QC_OK;
    changes[n - 1].head = &b->v->head;
    return store_commit_many(b->v->store[which], changes, n, &b->v->ids, err);
}

static qc_rc remove_records(struct many *b, struct vault_store *s, struct qc_err *err)
{
    struct store_version versions[QC_VAULT_BUNDLE_FILES];
    size_t n = 0;
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_OUT && b->m[i].drawn)
            versions[n++] = (struct store_version){ b->m[i].ids.object, b->m[i].ids.version };
    return n == 0 ? QC_OK : store_remove_many(s, versions, n, err);
}

static qc_rc bring_store(struct many *b, unsigned i, struct qc_err *err)
{
    QC_TRY(commit_records(b, i, err));
    if (b->ticket)
        QC_TRY(many_tickets_used(b, err));
    QC_TRY(i == 0 ? qc_fault(client_stored1, err) : qc_fault(client_stored, err));
    return remove_records(b, b->v->store[i], err);
}

/* What fails is settled by the next command: what is stored stays so. */
static bool bring_stores(struct many *b)
{
    struct many_said said[2];
    bool all = true;
    many_both(b, bring_store, said);
    for (unsigned i = 0; i < 2; i++) {
        if (said[i].rc == QC_OK)
            continue;
        vault_note(b->call.notes, VAULT_NOTE_STORE_BEHIND, i + 1, said[i].rc, "%s", said[i].why.msg);
        all = false;
    }
    return all;
}

/* B of members that will never be, whose records are gone: the journal knows them still. */
static qc_rc drop_kept(const struct many *b, struct qc_err *err)
{
    struct vault_gw_version versions[QC_VAULT_BUNDLE_FILES];
    const struct vault_op op = session_settle_op(&b->call.op);
    size_t n = 0;
    for (size_t i = 0; i < b->what.count; i++) {
        const struct many_member *m = &b->m[i];
        if (m->fate != MANY_OUT || !m->with_keeper)
            continue;
        versions[n++] = session_version(m->ids.object, m->ids.version);
    }
    return kept_forget(b->v, versions, n, &op, err);
}

static void end(struct many *b)
{
    struct qc_err why = { 0 };
    if (!bring_stores(b) || many_count(b, MANY_OPEN) > 0)
        return;
    qc_rc rc = drop_kept(b, &why);
    if (rc == QC_OK)
        rc = journal_end(&b->journal, &why);
    if (rc == QC_OK)
        rc = qc_fault(client_done, &why);
    if (rc != QC_OK)
        vault_note(b->call.notes, VAULT_NOTE_UNFINISHED, 0, rc, "%s", why.msg);
}

/* The chain of commits has them all, with our seals. */
static qc_rc catch_up(struct many *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct session_watch *watches = qc_alloc(b->what.count * sizeof(*watches));
    size_t n = 0;
    if (watches == NULL)
        return QC_FAIL(err, QC_NOMEM, "commits");
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_LIVE)
            watches[n++] = (struct session_watch){ .index = b->m[i].chain, .seal = b->m[i].entry.seal };
    if (n == 0)
        return QC_OK;
    const bool part = b->v->under_way_count > 0; /* what follows is on its way */
    const bool late = qc_deadline_over(b->call.op.deadline) || qc_cancel_is(b->call.op.cancel);
    const struct vault_op op = late ? session_settle_op(&b->call.op) : b->call.op;
    QC_TRY_AS(part ? session_catch_up_part(b->v, watches, n, &op, err)
                   : session_catch_up_all(b->v, watches, n, &op, err),
              err, "stored, but the gateway's chain of commits could not be followed");
    return QC_OK;
}

/* What the chain does not show is not told as stored; the journal keeps it. */
static void distrust(struct many *b, qc_rc rc, const struct qc_err *why)
{
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_LIVE) {
            b->m[i].fate = MANY_OPEN;
            b->m[i].rc = rc;
            b->m[i].err = *why;
        }
}

qc_rc many_entries(struct many *b, struct qc_err *err)
{
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_IN)
            QC_TRY(make_entry(b, &b->m[i], err));
    return QC_OK;
}

qc_rc many_ask(struct many *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_gw_member *g = qc_alloc(b->what.count * sizeof(*g));
    if (g == NULL)
        return QC_FAIL(err, QC_NOMEM, "members");
    struct qc_err why = { 0 };
    qc_ignore(commit_all(b, g, &b->call.op, &why), "each member has it");
    const struct vault_op op = session_settle_op(&b->call.op);
    follow(b, g, &op);
    if (many_count(b, MANY_IN) > 0)
        settle(b, &op);
    return QC_OK;
}

void many_follow(struct many *b)
{
    struct qc_err why = { 0 };
    qc_rc rc = qc_fault(client_receipt, &why);
    if (rc == QC_OK)
        rc = catch_up(b, &why);
    if (rc != QC_OK)
        distrust(b, rc, &why);
    end(b);
}

void many_give_up(struct many *b, qc_rc rc, const struct qc_err *why)
{
    const struct vault_op op = session_settle_op(&b->call.op);
    const bool none = !b->begun || cancel_bundle(b, &op);
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        if (m->fate == MANY_IN)
            many_out(m, false, rc, why);
    }
    struct qc_err unused = { 0 };
    if (b->begun && none && qc_fault(client_cancelled, &unused) == QC_OK)
        end(b);
    else if (b->begun)
        vault_note(b->call.notes, VAULT_NOTE_UNFINISHED, 0, rc, "the next writing command clears up");
}
