/* Snapshots: which there are, and where their pieces lie. */
#include "snapshot_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

const char *gw_piece_seen_name(enum gw_piece_seen s)
{
    static const char *const names[] = { [GW_PIECE_SILENT] = "silent",
                                         [GW_PIECE_MISSING] = "missing",
                                         [GW_PIECE_THERE] = "there",
                                         [GW_PIECE_HOLDS] = "holds",
                                         [GW_PIECE_DAMAGED] = "damaged" };

    QC_ASSERT((size_t)s < sizeof names / sizeof names[0]);
    return names[s];
}

static int by_kind(const void *x, const void *y)
{
    const struct gw_snap_row *a = x, *b = y;

    if (a->notes != b->notes)
        return a->notes ? -1 : 1;
    if (!a->notes)
        return (a->first > b->first) - (a->first < b->first);
    if (a->incarnation != b->incarnation)
        return a->incarnation > b->incarnation ? -1 : 1;
    return (a->serial < b->serial) - (a->serial > b->serial);
}

static qc_rc add(struct gw_snap_list *l, const struct gw_snap_row *row, struct qc_err *err)
{
    if (l->count == QC_GW_PACKS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d packs of the log", QC_GW_PACKS_MAX);
    if (l->count == l->cap) {
        const size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        struct gw_snap_row *more = qc_realloc(l->rows, cap * sizeof *more);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of %zu packs", cap);
        l->rows = more;
        l->cap = cap;
    }
    l->rows[l->count++] = *row;
    return QC_OK;
}

qc_rc gw_snap_list(struct gw_engine *e, struct gw_snap_list *ret, struct qc_err *err)
{
    struct gw_snap_at at = { 0 };

    QC_LOCK(gw_cat_lock(e->cat));
    for (bool found = true;;) {
        struct gw_snap_row row;
        QC_TRY(gw_cat_snap_next(e->cat, GW_SNAP_GOOD, &at, &row, &found, err));
        if (!found)
            break;
        QC_TRY(add(ret, &row, err));
        at = (struct gw_snap_at){ row.incarnation, row.serial };
    }
    if (ret->count > 0)
        qsort(ret->rows, ret->count, sizeof *ret->rows, by_kind);
    return QC_OK;
}

void gw_snap_list_done(struct gw_snap_list *l)
{
    qc_free(l->rows);
    *l = (struct gw_snap_list){ 0 };
}

struct gw_snapshot_item gw_snap_item(const struct gw_snap_row *row)
{
    struct gw_snapshot_item item = { .notes = row->notes,
                                     .incarnation = row->incarnation,
                                     .serial = row->serial,
                                     .first = row->first,
                                     .last = row->last,
                                     .bytes = row->bytes,
                                     .cloud_count = row->n,
                                     .rc = QC_OK };

    for (unsigned i = 0; i < row->n; i++)
        item.clouds[i].cloud_id = row->clouds[i];
    return item;
}

void gw_snap_seen(struct gw_engine *e, const struct gw_answer *a, gw_clouds set, bool fetched,
                  gw_clouds holds, struct gw_snapshot_item *ret)
{
    for (unsigned i = 0; i < ret->cloud_count; i++) {
        const int at = gw_fan_at(e->fan, ret->clouds[i].cloud_id);
        if (at < 0 || (set >> at & 1) == 0)
            continue;
        const struct gw_outcome *o = &a->outcome[at];
        if (o->fate == GW_DONE && !fetched)
            ret->clouds[i].seen = GW_PIECE_THERE;
        else if (o->fate == GW_DONE)
            ret->clouds[i].seen = holds >> at & 1 ? GW_PIECE_HOLDS : GW_PIECE_DAMAGED;
        else if (o->fate == GW_FAILED && o->rc == QC_LIMIT)
            ret->clouds[i].seen = GW_PIECE_DAMAGED; /* larger than any piece */
        else if (o->fate == GW_FAILED && o->rc == QC_NOTFOUND && !o->gone)
            ret->clouds[i].seen = GW_PIECE_MISSING;
    }
}

/* When notes were taken; they may be unreadable now: then nothing is known. */
static qc_rc notes_time(struct gw_engine *e, const struct gw_snap_row *row, int64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    const struct gw_name name = gw_snap_name(row);
    struct gw_notes_head head = { 0 };
    struct gw_notes_iter it;
    struct qc_err why = { 0 };

    qc_rc rc = gw_snap_read(e->fan, e->root, &name, gw_snap_set(e, row), 0, &text, &why);
    if (rc == QC_OK)
        rc = gw_notes_open(qc_buf_span(&text), &head, &it, &why);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    *ret = rc == QC_OK ? head.time_s : 0;
    return QC_OK;
}

static qc_rc list(struct gw_engine *e, const struct gw_snapshot_ask *ask, struct qc_err *err)
{
    QC_CLEANUP(gw_snap_list_done) struct gw_snap_list l = { 0 };

    QC_TRY(gw_snap_list(e, &l, err));
    for (size_t i = 0; i < l.count; i++) {
        struct gw_snapshot_item item = gw_snap_item(&l.rows[i]);
        struct gw_answer a;
        gw_clouds set;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, ask->cancel, "snapshots", err));
        QC_TRY(gw_snap_head(e, &l.rows[i], &set, &a, err));
        gw_snap_seen(e, &a, set, false, 0, &item);
        if (item.notes)
            QC_TRY(notes_time(e, &l.rows[i], &item.taken_s, err));
        QC_TRY(ask->tell(ask->ctx, &item, err));
    }
    return QC_OK;
}

qc_rc gw_engine_snapshot_list(struct gw_engine *e, const struct gw_snapshot_ask *ask, struct qc_err *err)
{
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_engine_be_sure(e, err));
    if (!gw_snaps_take(&e->snaps))
        return QC_FAIL(err, QC_TEMP, "a snapshot of the catalogue is being made");
    const qc_rc rc = list(e, ask, err);
    gw_snaps_give(&e->snaps);
    return rc;
}
