#include "journal.h"

#include <string.h>

#include "base/fault.h"

/* only: the version that may be removed; NULL: any. */
static qc_rc check_version(const struct vault_gw_entry *e, const uint8_t *only, struct qc_err *err)
{
    if (only != NULL && memcmp(e->e.version, only, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_CONFLICT, "it has another version by now");
    return QC_OK;
}

/* What the name is now, in both stores, before its tombstone is asked for: that one does not say it, and who
 * takes the removal back must know. A removal that comes to nothing leaves a note of a number that no
 * tombstone has. A store that cannot be written is a note: the other one, and the removal, do without. */
static void note_removal(struct vault *v, const struct vault_entry *now, struct vault_notes *notes)
{
    struct vault_store_removal r = { .number = now->number + 1,
                                     .when_s = qc_wall_s(),
                                     .sequence = now->sequence };
    struct qc_err why = { 0 };
    memcpy(r.object, now->object, VAULT_ID_BYTES);
    qc_rc rc = vault_ring_path_tag(r.path_tag, v->ring, now->path, &why);
    if (rc != QC_OK)
        vault_note(notes, VAULT_NOTE_STORE_BEHIND, 0, rc, "%s", why.msg);
    for (unsigned i = 0; i < 2 && rc == QC_OK; i++) {
        if (v->store[i] == NULL || !vault_store_writable(v->store[i]))
            continue;
        const qc_rc put = vault_store_removal_put(v->store[i], &r, &why);
        if (put != QC_OK)
            vault_note(notes, VAULT_NOTE_STORE_BEHIND, i + 1, put, "%s", why.msg);
    }
}

/* It was a removal, and no move of before that came to nothing. */
static void settle_removal(struct vault *v, qc_span path, uint64_t number, struct vault_notes *notes)
{
    uint8_t path_tag[16];
    struct qc_err why = { 0 };
    qc_rc rc = vault_ring_path_tag(path_tag, v->ring, path, &why);
    for (unsigned i = 0; i < 2 && rc == QC_OK; i++)
        if (v->store[i] != NULL && vault_store_writable(v->store[i]))
            rc = vault_store_moved_removal(v->store[i], path_tag, number, &why);
    if (rc != QC_OK)
        vault_note(notes, VAULT_NOTE_STORE_BEHIND, 0, rc, "%s", why.msg);
}

static qc_rc run(struct vault *v, qc_span name, const uint8_t *only, const struct vault_call *call,
                 struct vault_remove_result *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry now = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    struct vault_gw_receipt receipt = { 0 };
    uint8_t put_key[16];
    QC_TRY(session_entry_of_name(v, name, &path, &now, call, err));
    QC_TRY(check_version(&now, only, err));
    note_removal(v, &now.e, call->notes);
    for (unsigned i = 0; i < QC_VAULT_CONFLICTS_MAX; i++) {
        QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry current = { 0 }, newer = { 0 };
        struct vault_entry e = { .path = qc_buf_span(&path),
                                 .number = now.e.number + 1,
                                 .kind = VAULT_ENTRY_TOMBSTONE };
        QC_TRY(qc_rng_fill(&v->ids, put_key, sizeof(put_key), err)); /* a refused request's key is spent */
        QC_TRY(vault_entry_seal(&e, v->ring, err));
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "rm", err));
        struct vault_gw_commit what = { .put_key = put_key, .entry = &e };
        qc_rc rc = v->gw->ops->entry_remove(v->gw, v->id, &what, &receipt, &current, &call->op, err);
        if (rc == QC_OK) {
            QC_TRY(qc_fault(client_removed, err));
            QC_TRY(session_catch_up(v, NULL, &call->op, err));
            session_mark(v, qc_buf_span(&path), e.number, call->notes);
            settle_removal(v, qc_buf_span(&path), e.number, call->notes);
            *ret = (struct vault_remove_result){ .number = e.number,
                                                 .record_copies = receipt.record_copies,
                                                 .clouds = receipt.clouds };
            return QC_OK;
        }
        if (rc != QC_CONFLICT || current.path.n == 0)
            return rc;
        const struct vault_gw_entry *seen = &current;
        QC_TRY(session_entry_check(v, qc_buf_span(&path), &seen, &newer, call, err));
        if (seen->e.number <= now.e.number)
            return QC_FAIL(err, QC_INTEGRITY, "entry: the gateway refuses the next number of its own entry");
        if (seen->e.kind != VAULT_ENTRY_FILE)
            return QC_FAIL(err, QC_NOTFOUND, "it was removed meanwhile");
        QC_TRY(check_version(seen, only, err));
        now.e.number = seen->e.number;
        note_removal(v, &seen->e, call->notes);
    }
    return QC_FAIL(err, QC_CONFLICT, "others write the same name; gave up after %d tries",
                   QC_VAULT_CONFLICTS_MAX);
}

static qc_rc remove_name(struct vault *v, qc_span name, const uint8_t *only, const struct vault_call *call,
                         struct vault_remove_result *ret, struct qc_err *err)
{
    char text[NAME_TEXT];
    uint8_t path_tag[16];
    session_name_text(text, name);
    QC_TRY(vault_name_tag(path_tag, v->ring, name, err));
    QC_TRY(
        journal_settle(v, path_tag, call, err)); /* an interrupted put of the name does not go on, either */
    QC_TRY_AS(run(v, name, only, call, ret, err), err, "%s", text);
    return QC_OK;
}

qc_rc vault_remove(struct vault *v, qc_span name, const struct vault_call *call,
                   struct vault_remove_result *ret, struct qc_err *err)
{
    return remove_name(v, name, NULL, call, ret, err);
}

qc_rc vault_remove_version(struct vault *v, qc_span name, const uint8_t version[VAULT_ID_BYTES],
                           const struct vault_call *call, struct vault_remove_result *ret, struct qc_err *err)
{
    return remove_name(v, name, version, call, ret, err);
}
