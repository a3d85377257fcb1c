/* Rebuild, the snapshots' part: packs are one more place where copies of log objects are found, notes say
 * what the log does not. Neither has to be there, and none is believed beyond that (docs/adr/0022): what does
 * not come, or does not open, is as if it were not there. */
#include <stdlib.h>

#include "base/log.h"
#include "rebuild_internal.h"
#include "snapshot_internal.h"

enum { PACK_NEW, PACK_USED, PACK_USELESS };

struct listing {
    struct gw_rebuilding *b;
    unsigned at;
};

/* Packs by what they begin with, then notes; the newest first of those that are alike. */
static int by_name(const void *x, const void *y)
{
    const struct gw_pack_seen *a = x, *b = y;

    if (a->notes != b->notes)
        return a->notes ? 1 : -1;
    if (!a->notes && a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->incarnation != b->incarnation)
        return a->incarnation > b->incarnation ? -1 : 1;
    if (a->serial != b->serial)
        return a->serial > b->serial ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static qc_rc see_pack(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    const struct listing *l = ctx;
    struct gw_rebuilding *b = l->b;
    struct gw_name name;

    QC_TRY(gw_name_parse(b->root, b->member[l->at].cloud_id, item->key, &name, err));
    if (name.kind != GW_NAME_PACK && name.kind != GW_NAME_NOTES) {
        b->report->foreign++;
        return QC_OK;
    }
    if (b->pack_count == QC_GW_PACKS_MAX || name.id > INT64_MAX)
        return QC_OK; /* the log has it, too */
    if (b->pack_count == b->pack_cap) {
        const size_t cap = b->pack_cap == 0 ? 256 : 2 * b->pack_cap;
        struct gw_pack_seen *more = qc_realloc(b->packs, cap * sizeof *more);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of %zu packs", cap);
        b->packs = more;
        b->pack_cap = cap;
    }
    b->packs[b->pack_count++] = (struct gw_pack_seen){ .first = name.id,
                                                       .incarnation = name.incarnation,
                                                       .serial = name.serial,
                                                       .notes = name.kind == GW_NAME_NOTES,
                                                       .on = (gw_clouds)1 << l->at };
    return QC_OK;
}

static void merge(struct gw_rebuilding *b)
{
    size_t n = 0;

    if (b->pack_count == 0)
        return;
    qsort(b->packs, b->pack_count, sizeof *b->packs, by_name);
    for (size_t i = 1; i < b->pack_count; i++) {
        if (by_name(&b->packs[n], &b->packs[i]) == 0)
            b->packs[n].on |= b->packs[i].on;
        else
            b->packs[++n] = b->packs[i];
    }
    b->pack_count = n + 1;
}

qc_rc gw_rebuild_list_packs(struct gw_rebuilding *b, struct qc_err *err)
{
    for (unsigned at = 0; at < b->setup->count; at++) {
        struct listing l = { b, at };
        struct qc_err why = { 0 };
        if ((b->good >> at & 1) == 0)
            continue;
        const qc_rc rc = gw_fan_list(b->fan, at, "s/", QC_GW_LIST_PAGE_MS, see_pack, &l, &why);
        if (rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            qc_log_err(QC_LOG_WARN, "snapshots on a cloud: the log is read without them", &why);
    }
    merge(b);
    for (size_t i = 0; i < b->pack_count; i++)
        if (b->packs[i].notes && b->packs[i].incarnation == b->setup->snapshot_incarnation &&
            b->packs[i].serial == b->setup->snapshot_serial)
            b->report->asked = b->packs[i].first;
    return QC_OK;
}

/* -- packs ----------------------------------------------------------------------------------------------- */

/* The clear text; QC_OK and an empty one: it is as if it were not there. */
static qc_rc read_one(struct gw_rebuilding *b, const struct gw_pack_seen *p, qc_buf *ret, struct qc_err *err)
{
    const struct gw_name name = { .kind = p->notes ? GW_NAME_NOTES : GW_NAME_PACK,
                                  .id = p->first,
                                  .incarnation = p->incarnation,
                                  .serial = p->serial };
    struct qc_err why = { 0 };

    ret->max = QC_GW_PACK_MAX;
    const qc_rc rc = gw_snap_read(b->fan, b->root, &name, p->on & b->good, 0, ret, &why);
    if (rc == QC_NOMEM || rc == QC_NOTCONF) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        qc_log_err(QC_LOG_WARN, "snapshot", &why);
        qc_buf_free(ret);
    }
    return QC_OK;
}

static size_t first_at(const struct gw_rebuilding *b, uint64_t sequence)
{
    size_t from = 0, to = b->pack_count;

    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        const struct gw_pack_seen *p = &b->packs[mid];
        if (!p->notes && p->first < sequence)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* The pack that begins with this log object becomes the one in hand, if there is one that opens. */
static qc_rc load(struct gw_rebuilding *b, uint64_t sequence, struct qc_err *err)
{
    for (size_t i = first_at(b, sequence);
         i < b->pack_count && !b->packs[i].notes && b->packs[i].first == sequence; i++) {
        struct gw_pack_seen *p = &b->packs[i];
        struct qc_err why = { 0 };
        if (p->fate != PACK_NEW)
            continue;
        qc_buf_free(&b->pack);
        QC_TRY(gw_rebuild_flush(b, err));
        QC_TRY(read_one(b, p, &b->pack, err));
        p->fate = PACK_USELESS;
        if (b->pack.n == 0 || gw_pack_entries(qc_buf_span(&b->pack), p->first, &b->pack_it, &why) != QC_OK)
            continue;
        p->fate = PACK_USED;
        p->last = p->first + b->pack_it.left - 1;
        p->bytes = b->pack.n;
        b->packed = gw_pack_next(&b->pack_it, &b->pack_entry);
        return QC_OK;
    }
    return QC_OK;
}

qc_rc gw_rebuild_packed(struct gw_rebuilding *b, uint64_t sequence, const struct gw_pack_entry **ret,
                        struct qc_err *err)
{
    *ret = NULL;
    while (b->packed && b->pack_entry.sequence < sequence)
        b->packed = gw_pack_next(&b->pack_it, &b->pack_entry);
    if (!b->packed)
        QC_TRY(load(b, sequence, err));
    if (b->packed && b->pack_entry.sequence == sequence)
        *ret = &b->pack_entry;
    return QC_OK;
}

/* -- notes ----------------------------------------------------------------------------------------------- */

/* As of a log object of our chain? */
static qc_rc is_ours(struct gw_rebuilding *b, const struct gw_notes_head *h, bool *ret, struct qc_err *err)
{
    struct gw_log_row row;
    struct qc_err miss = { 0 };

    QC_LOCK(gw_cat_lock(b->cat));
    const qc_rc rc = gw_cat_log_get(b->cat, h->sequence, &row, &miss);
    *ret = rc == QC_OK && qc_ct_eq(row.hash, h->hash, sizeof row.hash);
    if (rc != QC_OK && rc != QC_NOTFOUND)
        *err = miss;
    return rc == QC_NOTFOUND ? QC_OK : rc;
}

/* *ret: these are the notes. */
static qc_rc judge_notes(struct gw_rebuilding *b, const struct gw_pack_seen *p, bool *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };

    *ret = false;
    if (b->notes.n == 0)
        return QC_OK;
    const qc_rc rc = gw_notes_open(qc_buf_span(&b->notes), &b->notes_head, &b->notes_it, &why);
    if (rc != QC_OK) {
        qc_log_err(QC_LOG_WARN, "snapshot", &why);
        return QC_OK;
    }
    if (b->notes_head.sequence != p->first)
        return QC_OK;
    return is_ours(b, &b->notes_head, ret, err);
}

/* Notes name all that was dead and not swept when they were taken: what died before, and they do not name,
 * was (FORMAT 9.6). Whether they are of our chain is seen when the walk comes there. */
qc_rc gw_rebuild_guess_notes(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf notes = { 0 };
    struct gw_notes_iter it;

    for (size_t i = 0; i < b->pack_count && b->swept.sequence == 0; i++) {
        struct gw_notes_head head = { 0 };
        struct qc_err why = { 0 };
        if (!b->packs[i].notes)
            continue;
        QC_TRY(read_one(b, &b->packs[i], &notes, err));
        if (notes.n > 0 && gw_notes_open(qc_buf_span(&notes), &head, &it, &why) == QC_OK && !head.more &&
            head.sequence == b->packs[i].first)
            b->swept = head;
        qc_buf_free(&notes);
    }
    return QC_OK;
}

qc_rc gw_rebuild_find_notes(struct gw_rebuilding *b, struct qc_err *err)
{
    for (size_t i = 0; i < b->pack_count && b->report->notes_s == 0; i++) {
        struct gw_pack_seen *p = &b->packs[i];
        bool good = false;
        if (!p->notes)
            continue;
        QC_TRY(read_one(b, p, &b->notes, err));
        p->fate = PACK_USELESS;
        QC_TRY(judge_notes(b, p, &good, err));
        if (!good) {
            qc_buf_free(&b->notes);
            continue;
        }
        p->fate = PACK_USED;
        p->last = p->first;
        p->bytes = b->notes.n;
        b->report->notes_s = b->notes_head.time_s > 0 ? b->notes_head.time_s : 1;
        b->report->notes_sequence = b->notes_head.sequence;
        b->report->notes_incarnation = p->incarnation;
        b->report->notes_serial = p->serial;
        b->report->notes_cut = b->notes_head.more;
    }
    return QC_OK;
}

static qc_rc write_row(struct gw_rebuilding *b, const struct gw_pack_seen *p, struct qc_err *err)
{
    struct gw_snap_row row = { .incarnation = p->incarnation,
                               .serial = p->serial,
                               .notes = p->notes,
                               .first = p->first,
                               .last = p->fate == PACK_USED ? p->last : p->first,
                               .bytes = p->bytes,
                               .state = p->fate == PACK_USED ? GW_SNAP_GOOD : GW_SNAP_DEAD };

    for (unsigned at = 0; at < b->setup->count; at++)
        if (p->on >> at & 1)
            row.clouds[row.n++] = b->member[at].cloud_id;
    return gw_cat_snap_put(b->cat, &row, err);
}

qc_rc gw_rebuild_snapshot_rows(struct gw_rebuilding *b, struct qc_err *err)
{
    struct gw_noted noted = { 0 };
    struct gw_note note;

    while (b->notes.n > 0 && gw_notes_next(&b->notes_it, &note))
        QC_TRY(gw_cat_noted(b->cat, b->root, &note, &noted, err));
    b->report->noted_dead = noted.dead;
    b->report->noted_doubts = noted.doubted;
    b->report->noted_refused = noted.refused;
    b->report->audit_sequence = noted.audit_sequence;
    memcpy(b->report->audit_hash, noted.audit_hash, sizeof b->report->audit_hash);
    if (b->report->notes_s > 0)
        QC_TRY(gw_meta_set(b->cat, gw_snap_taken, (uint64_t)b->report->notes_s, err));
    for (size_t i = 0; i < b->pack_count; i++) {
        /* Where a record was given up, nothing that might have it is deleted. */
        if (b->packs[i].fate != PACK_USED && b->setup->accept_loss)
            continue;
        QC_TRY(write_row(b, &b->packs[i], err));
    }
    return QC_OK;
}

void gw_rebuild_packs_done(struct gw_rebuilding *b)
{
    qc_buf_free(&b->pack);
    qc_buf_free(&b->notes);
    qc_free(b->packs);
}
