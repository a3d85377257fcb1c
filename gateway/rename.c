/* An entry lies under another path: names alone, no byte moves.
 *
 * N1 (I1): both changes are one record, decided and published in one transaction each: whatever dies where,
 * there are both or none.
 * N2: what lies at both paths is compared with what the caller saw, in the transaction that decides: the
 * numbers of both, and which version the old one points at.
 * N3: an object has one path. A put that began when it had another one is refused (renamed, catalogue.h): its
 * versions would be of two names, and who purges the one's would take the other's.
 * N4: each path that was ever taken keeps a row: a move that makes the rows grow asks the tenant's limit, as
 * a put does. Each is a record, and the log keeps it: so a tenant moves no more often than versions of its
 * may be stored. What replays the log asks nothing, and counts the same. */
#include "base/alloc.h"
#include "base/planted.h"
#include "base/time.h"
#include "commit_internal.h"

qc_rc gw_deciding_place(struct gw_deciding *d, const struct gw_vault_row *vault, const struct gw_entry *e,
                        struct qc_err *err)
{
    bool elsewhere;

    QC_TRY(gw_cat_renamed_elsewhere(d->e->cat, vault->no, &e->object, e->path, &elsewhere, err));
    return elsewhere && !qc_planted(move_unseen)
               ? QC_FAIL(err, QC_CONFLICT, "the object was moved to another name meanwhile")
               : QC_OK;
}

/* By how much both rows grow: a path that never had one has its own from now on, and the old path's stays, as
 * a tombstone, which has no private part. */
static qc_rc check_room(struct gw_deciding *d, const struct gw_vault_row *vault, const struct gw_change *c,
                        const struct gw_entry *now, uint64_t there, struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row old = { 0 };
    uint64_t more = c->entry->private_part.n, less = now->private_part.n;

    if (there == 0)
        more += c->entry->path.n;
    else {
        QC_TRY(gw_cat_entry(d->e->cat, vault->no, c->entry->path, &old, err));
        less += old.e.private_part.n;
    }
    return gw_deciding_more(d, &c->vault, more > less ? more - less : 0, err);
}

/* In the transaction: is all as the caller saw it? *ret_created: of the entry. */
static qc_rc check(struct gw_deciding *d, const struct gw_vault_row *vault, const struct gw_change *c,
                   uint64_t *ret_created, struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row now = { 0 };
    uint64_t there;

    QC_TRY(gw_deciding_number(d, vault, c->entry, &there, err));
    QC_TRY(gw_cat_entry(d->e->cat, vault->no, c->away->path, &now, err));
    if (now.e.kind != GW_ENTRY_FILE)
        return QC_FAIL(err, QC_NOTFOUND, "what shall be moved was removed");
    if (c->away->number != now.e.number + 1)
        return QC_FAIL(err, QC_CONFLICT,
                       "entry number %" PRIu64 " is not the next one: the current is %" PRIu64,
                       c->away->number, now.e.number);
    if (!gw_entry_same_version(&now.e, c->entry))
        return QC_FAIL(err, QC_CONFLICT, "what shall be moved is another version");
    *ret_created = now.e.created;
    return check_room(d, vault, c, &now.e, there, err);
}

/* One record, and both seals in the chain; all or nothing of it is in d afterwards. */
static qc_rc add_record(struct gw_deciding *d, struct gw_vault_row *vault, const struct gw_change *c,
                        uint64_t created, struct qc_err *err)
{
    struct gw_record rec = { .kind = GW_REC_RENAMED,
                             .u.renamed = { .tenant = c->vault.tenant,
                                            .vault = c->vault.id,
                                            .chain = vault->head.count + 1,
                                            .put_key = c->put_key.id,
                                            .created = (uint64_t)qc_wall_s(),
                                            .away = *c->away,
                                            .e = *c->entry } };
    struct gw_head first, second;

    rec.u.renamed.e.created = created;
    QC_TRY(gw_head_next(&vault->head, c->away->seal, &first, err));
    QC_TRY(gw_head_next(&first, c->entry->seal, &second, err));
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    vault->head = second;
    return QC_OK;
}

qc_rc gw_decide_rename(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    struct gw_request_row row = d->known;
    struct gw_vault_row *vault;
    uint64_t created;

    if (row.state != GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_CONFLICT, "the put key of this move was cancelled or did something else");
    QC_TRY(gw_deciding_vault(d, &c->vault, &vault, err));
    QC_TRY(check(d, vault, c, &created, err));
    QC_TRY(add_record(d, vault, c, created, err));
    row.kind = GW_REQUEST_RENAME;
    return gw_deciding_request(d, c, &row, &vault->head, err);
}

/* -- asked for ------------------------------------------------------------------------------------------- */

static qc_rc check_one(const struct gw_rename *r, struct qc_err *err)
{
    const struct gw_entry away = { .path = r->away.path,
                                   .number = r->away.number,
                                   .kind = GW_ENTRY_TOMBSTONE };

    QC_TRY_AS(gw_entry_check(&away, GW_ENTRY_TOMBSTONE, err), err, "the old path");
    QC_TRY_AS(gw_entry_check(&r->e, GW_ENTRY_FILE, err), err, "the new path");
    if (qc_span_eq(r->away.path, r->e.path))
        return QC_FAIL(err, QC_USAGE, "both paths are the same");
    if (r->away.number < 2 || r->e.sequence < 1)
        return QC_FAIL(err, QC_USAGE, "entry: numbers that none has that is moved");
    return QC_OK;
}

qc_rc gw_entries_rename(struct gw_engine *e, const struct gw_ref *vault, struct gw_rename *v, unsigned count,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_change *changes = NULL;

    QC_TRY(gw_engine_may(e, err));
    if (count < 1 || count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "moves: %u, expected 1..%d", count, QC_GW_BATCH_CHANGES_MAX);
    for (unsigned i = 0; i < count; i++)
        QC_TRY_AS(check_one(&v[i], err), err, "move %u", i);
    changes = qc_alloc(count * sizeof *changes);
    if (changes == NULL)
        return QC_FAIL(err, QC_NOMEM, "moves");
    for (unsigned i = 0; i < count; i++)
        changes[i] = (struct gw_change){ .kind = GW_CHANGE_RENAME,
                                         .vault = *vault,
                                         .put_key = { vault->tenant, v[i].put_key },
                                         .entry = &v[i].e,
                                         .away = &v[i].away };
    gw_commit_all(e, changes, count);
    for (unsigned i = 0; i < count; i++) {
        v[i].rc = changes[i].rc;
        v[i].err = changes[i].err;
        v[i].receipt = changes[i].receipt;
    }
    return qc_fault(put_ack, err);
}
