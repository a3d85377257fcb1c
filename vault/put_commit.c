/* The commit of a put, and what follows it. */
#include "put.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "tickets.h"
#include "versions.h"

/* The entry under the next number, sealed; priv backs e->priv. */
static qc_rc make_entry(struct put *p, struct vault_entry *e, qc_buf *priv, struct qc_err *err)
{
    uint8_t salt[16];
    *e = (struct vault_entry){ .path = qc_buf_span(&p->path),
                               .number = p->base + 1,
                               .kind = VAULT_ENTRY_FILE,
                               .sequence = p->ids.sequence,
                               .size = vault_sealer_size(p->sealer) };
    memcpy(e->object, p->ids.object, sizeof(e->object));
    memcpy(e->version, p->ids.version, sizeof(e->version));
    memcpy(e->M, p->M, sizeof(e->M));
    qc_buf_clear(priv);
    QC_TRY(qc_rng_fill(&p->v->rng, salt, sizeof(salt), err));
    QC_TRY(vault_entry_private_seal(priv, e, p->v->ring, &p->meta, salt, err));
    e->priv = qc_buf_span(priv);
    return vault_entry_seal(e, p->v->ring, err);
}

static qc_rc make_backup(struct put *p, qc_buf *ret, struct qc_err *err)
{
    struct vault_backup_parts parts = { .ids = *vault_sealer_ids(p->sealer),
                                        .generation = p->generation,
                                        .n2 = vault_sealer_n2(p->sealer),
                                        .R1 = p->keys.R1,
                                        .R2 = p->keys.R2,
                                        .R4 = p->keys.R4 };
    QC_TRY(vault_backup_make(ret, &parts, err));
    QC_TRY(session_backup_seal(p->v, ret, err));
    QC_TRY(kept_still(p->v, p->v->gw, &p->call->op, err));
    p->with_keeper = true;
    QC_TRY(kept_keep(p->v, &ret, 1, &p->call->op, err));
    return qc_fault(client_kept, err);
}

/* Has a change of the path taken the object to another name, and none removed it? What follows there is not
 * numbered by this one's. */
static qc_rc moved_away(const struct put *p, uint64_t number, bool *ret, struct qc_err *err)
{
    struct vault_store_moved m = { 0 };
    struct vault_store_removal removal = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = versions_moved(p->v, p->path_tag, number, p->call, &m, &why);
    *ret = rc == QC_OK && memcmp(m.object, p->ids.object, VAULT_ID_BYTES) == 0;
    if (*ret) {
        qc_err_clear(&why);
        rc = versions_removal(p->v, p->path_tag, number, p->call, &removal, &why);
        *ret = rc == QC_NOTFOUND;
    }
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = why;
    return rc;
}

qc_rc put_note_others(struct put *p, const struct vault_entry *current, struct qc_err *err)
{
    bool away = false;
    struct vault_store_removal r = { .number = current->number + 1,
                                     .when_s = qc_wall_s(),
                                     .sequence = current->sequence };
    memcpy(r.path_tag, p->path_tag, sizeof(r.path_tag));
    memcpy(r.object, current->object, VAULT_ID_BYTES);
    if (p->before > 0)
        QC_TRY(moved_away(p, p->before + 1, &away, err));
    for (unsigned i = 0; i < 2 && !away; i++) {
        struct vault_store *s = p->v->store[i];
        if (s == NULL)
            continue;
        if (p->before > 0)
            QC_TRY(vault_store_shift_put(s, p->ids.object, p->ids.sequence, p->before, err));
        if (current->kind == VAULT_ENTRY_FILE)
            QC_TRY(vault_store_removal_put(s, &r, err));
    }
    return QC_OK;
}

qc_rc put_renumber(struct put *p, const struct vault_entry *current, struct qc_err *err)
{
    p->base = current->number;
    p->ids.number = p->base + 1;
    bool same = memcmp(current->object, p->ids.object, VAULT_ID_BYTES) == 0;
    if (same && current->sequence >= p->ids.sequence) {
        p->ids.sequence = current->sequence + 1;
        p->before = current->number;
    }
    if (!same)
        QC_TRY(put_note_others(p, current, err));
    return journal_update(&p->journal, &p->ids, err);
}

/* Somebody else wrote the path meanwhile. */
static qc_rc rebase(struct put *p, const struct vault_gw_entry *current, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry newer = { 0 };
    QC_TRY(session_entry_check(p->v, qc_buf_span(&p->path), &current, &newer, p->call, err));
    /* The number is right, so the object is refused: it is of another path by now. Not where it has none yet,
     * nor where it is. */
    const bool file = current->e.kind == VAULT_ENTRY_FILE;
    const bool here = file && memcmp(current->e.object, p->ids.object, VAULT_ID_BYTES) == 0;
    if (current->e.number == p->base && !here && (!file || p->ids.sequence > 1))
        return QC_FAIL(err, QC_CONFLICT, "its object was moved to another name meanwhile");
    if (current->e.number <= p->base)
        return QC_FAIL(err, QC_INTEGRITY,
                       "entry: the gateway refuses number %" PRIu64 " and has number %" PRIu64, p->base + 1,
                       current->e.number);
    if (p->opts->if_absent && current->e.kind == VAULT_ENTRY_FILE)
        return QC_FAIL(err, QC_CONFLICT, "the name was taken meanwhile");
    if (p->opts->over != NULL)
        return QC_FAIL(err, QC_CONFLICT, "another version was stored meanwhile");
    if (p->source->from != NULL)
        return QC_FAIL(err, QC_CONFLICT, "the object was changed meanwhile");
    return put_renumber(p, &current->e, err);
}

/* Whatever was sent comes to nothing: by a new run, where the put can go on, else by a cancellation. */
static qc_rc make_sure(struct put *p, const struct vault_op *op, struct qc_err *err)
{
    struct vault_gw *gw = p->v->gw;
    struct vault_gw_resumed now = { 0 };
    if (p->resume != NULL)
        return gw->ops->upload_resume(gw, p->ids.put_key, resume_count(p->resume), &now, op, err);
    return gw->ops->upload_cancel(gw, p->ids.put_key, op, err);
}

/* The gateway's word on a commit that was sent. LIVE: done. CANCELLED: it will never be, the gateway has that
 * durably. Else it is decided: about to be done. */
static qc_rc ask_once(struct put *p, enum vault_upload_state *ret_state, struct vault_gw_receipt *ret,
                      const struct vault_op *op, struct qc_err *err)
{
    struct vault_gw *gw = p->v->gw;
    struct qc_err why = { 0 };
    QC_TRY(gw->ops->upload_state(gw, p->ids.put_key, ret_state, ret, op, err));
    if (*ret_state == VAULT_UPLOAD_LIVE || *ret_state == VAULT_UPLOAD_DECIDED)
        return QC_OK;
    /* The request may wait there still: an open upload says nothing of it. */
    const qc_rc rc = make_sure(p, op, &why);
    *ret_state = rc == QC_OK ? VAULT_UPLOAD_CANCELLED : VAULT_UPLOAD_DECIDED;
    if (rc == QC_OK || rc == QC_CONFLICT) /* decided meanwhile */
        return QC_OK;
    *err = why;
    return rc;
}

/* Nobody knows. Nothing may be cancelled or removed on a guess: the journal keeps it. rc: of the commit, or
 * QC_TEMP where that would say that nothing was done. */
static qc_rc leave_open(struct put *p, qc_rc rc, const char *why, struct qc_err *err)
{
    p->begun = false;
    p->open = true;
    qc_err_wrap(err, "%s", why);
    err->rc = rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_FENCED ? rc : QC_TEMP;
    return err->rc;
}

/* The commit was sent and no receipt came: the gateway knows by the put key. rc, err: what the commit said.
 */
static qc_rc ask_outcome(struct put *p, struct vault_gw_receipt *ret, qc_rc rc, struct qc_err *err)
{
    const struct vault_op op = session_settle_op(&p->call->op);
    for (;;) {
        enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
        struct qc_err why = { 0 };
        const qc_rc asked = ask_once(p, &state, ret, &op, &why);
        if (asked == QC_OK && state == VAULT_UPLOAD_LIVE)
            return QC_OK;
        if (asked == QC_OK && state == VAULT_UPLOAD_CANCELLED)
            return rc;
        if (asked != QC_OK)
            return leave_open(
                p, rc, "it is not known whether the commit took place (the next command finds out)", err);
        if (qc_deadline_over(op.deadline))
            return leave_open(p, rc, "the gateway has decided to commit it, and is not done yet", err);
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    }
}

static qc_rc commit(struct put *p, struct vault_entry *e, qc_buf *priv, struct vault_gw_receipt *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_VAULT_BACKUP_MAX };
    struct vault_gw *gw = p->v->gw;
    QC_TRY(make_backup(p, &backup, err));
    for (unsigned i = 0; i < QC_VAULT_CONFLICTS_MAX; i++) {
        QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry current = { 0 };
        QC_TRY(make_entry(p, e, priv, err));
        QC_TRY(qc_go_on(p->call->op.deadline, p->call->op.cancel, "put", err));
        struct vault_gw_commit what = { .put_key = p->ids.put_key,
                                        .entry = e,
                                        .segments = sender_segments(p->sender),
                                        .run = p->run,
                                        .backup = qc_buf_span(&backup),
                                        .hasty = p->opts->hasty };
        qc_rc rc = gw->ops->upload_commit(gw, &what, ret, &current, &p->call->op, err);
        if (rc == QC_OK)
            return QC_OK;
        if (rc != QC_CONFLICT || current.path.n == 0)
            return ask_outcome(p, ret, rc, err);
        QC_TRY(rebase(p, &current, err));
    }
    return QC_FAIL(err, QC_CONFLICT, "others write the same name; gave up after %d tries",
                   QC_VAULT_CONFLICTS_MAX);
}

/* One transaction per store: record committed, mark, head. What fails is settled by the next command: the put
 * stands. */
static bool bring_stores(struct put *p, uint64_t number)
{
    bool all = true;
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (p->v->store[i] == NULL)
            continue;
        struct vault_store_commit change = { .object = p->ids.object,
                                             .version = p->ids.version,
                                             .sequence = p->ids.sequence,
                                             .path_tag = p->path_tag,
                                             .number = number,
                                             .head = &p->v->head };
        qc_rc rc = vault_store_commit(p->v->store[i], &change, &p->v->ids, &why);
        if (rc == QC_OK && p->ticket)
            rc = tickets_used(p->v, p->ids.object, p->ids.version, p->path_tag, number, &why);
        if (rc == QC_OK)
            rc = i == 0 ? qc_fault(client_stored1, &why) : qc_fault(client_stored, &why);
        if (rc != QC_OK) {
            vault_note(p->call->notes, VAULT_NOTE_STORE_BEHIND, i + 1, rc, "%s", why.msg);
            all = false;
        }
    }
    return all;
}

void put_result_take(struct vault_put_result *r, const struct vault_gw_receipt *receipt)
{
    r->margin = receipt->acked_margin;
    r->margin_full = receipt->margin_full;
    r->clouds = receipt->clouds;
    r->record_copies = receipt->record_copies;
    r->degraded_count = receipt->degraded_count;
    r->following_count = receipt->following_count;
    r->degraded = receipt->degraded_count > 0 ||
                  (receipt->following_count == 0 && receipt->acked_margin < receipt->margin_full);
    memcpy(r->degraded_clouds, receipt->degraded, sizeof(r->degraded_clouds));
    memcpy(r->degraded_why, receipt->degraded_why, sizeof(r->degraded_why));
    memcpy(r->following, receipt->following, sizeof(r->following));
}

void put_result(const struct put *p, const struct vault_entry *e, const struct vault_gw_receipt *receipt,
                struct vault_put_result *ret)
{
    struct vault_put_result r = {
        .number = e->number, .sequence = e->sequence, .size = p->size, .stored = e->size
    };
    if (p->sealer != NULL)
        r.padding = vault_sealer_length(p->sealer) - p->size;
    memcpy(r.object, e->object, sizeof(r.object));
    memcpy(r.version, e->version, sizeof(r.version));
    put_result_take(&r, receipt);
    *ret = r;
}

qc_rc put_commit(struct put *p, struct vault_put_result *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf priv = { .max = QC_VAULT_PRIVATE_MAX };
    struct vault_entry e = { 0 };
    struct vault_gw_receipt receipt = { 0 };
    struct qc_err why = { 0 };
    uint64_t done = 0;
    QC_TRY(qc_fault(client_sent, err));
    QC_TRY(commit(p, &e, &priv, &receipt, err));
    p->begun = false; /* from here on it is committed: nothing is cancelled any more */
    p->open = true;
    QC_TRY(qc_fault(client_receipt, err));
    if (receipt.number != e.number)
        return QC_FAIL(err, QC_INTEGRITY, "receipt: number %" PRIu64 " for entry %" PRIu64, receipt.number,
                       e.number);
    const struct session_watch mine = { .index = receipt.chain, .seal = e.seal };
    const bool late = qc_deadline_over(p->call->op.deadline) || qc_cancel_is(p->call->op.cancel);
    const struct vault_op op = late ? session_settle_op(&p->call->op) : p->call->op;
    QC_TRY_AS(session_catch_up(p->v, &mine, &op, err), err,
              "stored, but the gateway's chain of commits could not be followed");
    if (bring_stores(p, e.number)) {
        qc_rc rc = journal_end(&p->journal, &why);
        if (rc == QC_OK)
            rc = qc_fault(client_done, &why);
        if (rc != QC_OK)
            vault_note(p->call->notes, VAULT_NOTE_UNFINISHED, 0, rc, "%s", why.msg);
    }
    p->open = false;
    put_result(p, &e, &receipt, ret);
    sender_progress(p->sender, &done, &ret->sent);
    ret->kept = put_kept(p);
    return QC_OK;
}
