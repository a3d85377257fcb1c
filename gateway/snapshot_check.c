/* Snapshots: do they hold?
 *
 *   notes, packs: all pieces fetched, their tags, the seal      -> whose piece is missing or damaged
 *   each log object of a pack: opened, its hash that of the catalogue in use, the one before named by it
 *     -> its records, by the code that publishes, into a catalogue of its own, which is checked, and goes
 *
 * What no pack has comes from the log: a snapshot is not less for it (docs/adr/0022). Nothing is written to a
 * cloud or the catalogue in use. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "records.h"
#include "snapshot_list.h"
#include "totals.h"

enum { LINKS = 256 }; /* of one transaction */

static const char scratch[] = "snapshot.check";

struct checking {
    struct gw_engine *e;
    const struct gw_snapshot_ask *ask;
    struct gw_snapshot_checked *r;
    struct gw_cat *cat; /* the scratch one */
    struct qc_tx tx;
    unsigned links; /* in it */
    uint64_t next, upto;
    uint8_t prev[GW_DIGEST_BYTES]; /* hash of the log object before the next one */
};

/* -- the catalogue of its own ---------------------------------------------------------------------------- */

static qc_rc sweep(struct gw_engine *e, struct qc_err *err)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    char name[64];

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        (void)snprintf(name, sizeof name, "%s%s", scratch, suffixes[i]);
        QC_TRY(qc_file_remove(qc_fd_get(&e->state.dir), name, err));
    }
    return QC_OK;
}

static qc_rc flush(struct checking *c, struct qc_err *err)
{
    if (c->links == 0)
        return QC_OK;
    c->links = 0;
    return gw_cat_commit(c->cat, &c->tx, err);
}

static void checking_done(struct checking *c)
{
    struct qc_err unused = { 0 };

    if (c->cat == NULL)
        return;
    {
        QC_LOCK(gw_cat_lock(c->cat));
        qc_tx_end(&c->tx);
    }
    gw_cat_close(&c->cat);
    qc_ignore(sweep(c->e, &unused), "the next check does it");
}

/* -- the log --------------------------------------------------------------------------------------------- */

static qc_rc in_use(struct checking *c, struct gw_log_row *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(c->e->cat));
    return gw_cat_log_get(c->e->cat, c->next, ret, err);
}

static qc_rc apply(struct checking *c, const struct gw_log *l, const struct gw_log_row *row,
                   struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(c->cat));
    if (c->links == 0)
        QC_TRY(gw_cat_begin(c->cat, &c->tx, err));
    c->links++;
    QC_TRY(gw_cat_apply(c->cat, l, NULL, err));
    QC_TRY(gw_cat_log_put(c->cat, row, err));
    return c->links == LINKS ? flush(c, err) : QC_OK;
}

/* The next log object. QC_INTEGRITY: it is another one. */
static qc_rc take(struct checking *c, uint32_t incarnation, qc_span object, struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    uint8_t hash[GW_DIGEST_BYTES];
    struct gw_log_row row;

    QC_TRY(qc_go_on(QC_NO_DEADLINE, c->ask->cancel, "snapshots", err));
    QC_TRY(in_use(c, &row, err));
    QC_TRY(qc_sha256(&object, 1, hash, err));
    if (row.incarnation != incarnation || !qc_ct_eq(hash, row.hash, sizeof hash))
        return QC_FAIL(err, QC_INTEGRITY, "log object %" PRIu64 " is not the one that the catalogue has",
                       c->next);
    QC_TRY(gw_log_open(c->e->root, c->next, incarnation, object, &l, err));
    if (!qc_ct_eq(l.head.prev, c->prev, sizeof c->prev))
        return QC_FAIL(err, QC_INTEGRITY, "log object %" PRIu64 " does not follow the one before it",
                       c->next);
    QC_TRY(apply(c, &l, &row, err));
    memcpy(c->prev, hash, sizeof hash);
    c->next++;
    return QC_OK;
}

/* What no pack has. */
static qc_rc take_from_log(struct checking *c, uint64_t upto, struct qc_err *err)
{
    while (c->next <= upto) {
        QC_CLEANUP(qc_buf_free) qc_buf object = { 0 };
        struct gw_log_row row;
        QC_TRY(in_use(c, &row, err));
        QC_TRY(gw_record_fetch(c->e, &row, UINT32_MAX, &object, err));
        if (object.n == 0)
            return QC_FAIL(err, QC_QUORUM,
                           "log object %" PRIu64
                           " is in no pack that can be read, and readable on no cloud now",
                           c->next);
        QC_TRY(take(c, row.incarnation, qc_buf_span(&object), err));
        c->r->log_else++;
    }
    return QC_OK;
}

/* -- notes and packs ------------------------------------------------------------------------------------- */

static qc_rc fetch(struct checking *c, const struct gw_snap_row *row, qc_buf *text,
                   struct gw_snapshot_item *item, struct qc_err *err)
{
    const struct gw_name name = gw_snap_name(row);
    struct gw_snap_pieces p = { .set = gw_snap_set(c->e, row) };

    const qc_rc rc = gw_snap_read_all(c->e->fan, c->e->root, &name, &p, text, err);
    gw_snap_seen(c->e, &p.answer, p.set, true, p.holds, item);
    return rc;
}

static qc_rc check_notes(struct checking *c, const struct gw_snap_row *row, struct gw_snapshot_item *item,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_notes_head head = { 0 };
    struct gw_notes_iter it;
    struct gw_log_row log;

    QC_TRY(fetch(c, row, &text, item, err));
    QC_TRY(gw_notes_open(qc_buf_span(&text), &head, &it, err));
    item->taken_s = head.time_s;
    {
        QC_LOCK(gw_cat_lock(c->e->cat));
        QC_TRY(gw_cat_log_get(c->e->cat, row->last, &log, err));
    }
    if (head.sequence != row->last || !qc_ct_eq(head.hash, log.hash, sizeof log.hash))
        return QC_FAIL(err, QC_INTEGRITY, "notes are not of log object %" PRIu64 " as the catalogue has it",
                       row->last);
    return QC_OK;
}

static qc_rc check_pack(struct checking *c, const struct gw_snap_row *row, struct gw_snapshot_item *item,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_pack_iter it;
    struct gw_pack_entry entry;

    QC_TRY(fetch(c, row, &text, item, err));
    QC_TRY(gw_pack_entries(qc_buf_span(&text), row->first, &it, err));
    if (it.left != row->last - row->first + 1)
        return QC_FAIL(err, QC_INTEGRITY, "a pack has %" PRIu32 " log objects, expected %" PRIu64, it.left,
                       row->last - row->first + 1);
    while (gw_pack_next(&it, &entry)) {
        if (entry.sequence < c->next || entry.sequence > c->upto)
            continue;
        QC_TRY(take(c, entry.incarnation, entry.object, err));
        c->r->log_packed++;
    }
    return QC_OK;
}

/* What ends all of it, and says nothing of the snapshot. */
static bool is_ours(qc_rc rc)
{
    return rc == QC_NOMEM || rc == QC_CANCELLED || rc == QC_IO || rc == QC_FULL;
}

static void worse(struct gw_snapshot_checked *r, qc_rc rc, const char *why)
{
    if (rc == QC_OK || r->rc == QC_INTEGRITY || (r->rc != QC_OK && rc == QC_DEGRADED))
        return;
    if (rc != QC_DEGRADED && rc != QC_QUORUM)
        rc = QC_INTEGRITY; /* it does not parse, or is not there: it cannot be used, and waiting mends nothing
                            */
    if (r->rc == QC_QUORUM && rc == QC_QUORUM)
        return;
    r->rc = rc;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
}

static qc_rc conclude(struct checking *c, struct gw_snapshot_item *item, qc_rc rc, const struct qc_err *why,
                      struct qc_err *err)
{
    bool lacks = false, silent = false;

    c->r->items++;
    for (unsigned i = 0; i < item->cloud_count; i++) {
        lacks = lacks || item->clouds[i].seen != GW_PIECE_HOLDS;
        silent = silent || item->clouds[i].seen == GW_PIECE_SILENT;
    }
    if (rc == QC_QUORUM && !silent)
        rc = QC_INTEGRITY; /* all clouds have said what they have: nothing comes of waiting */
    c->r->lacking += lacks;
    c->r->faults += rc != QC_OK;
    item->rc = rc;
    if (rc != QC_OK)
        (void)snprintf(item->why, sizeof item->why, "%s", why->msg);
    worse(c->r, rc, item->why);
    if (lacks)
        worse(c->r, QC_DEGRADED, "pieces are missing, damaged, or on clouds that do not answer");
    return c->ask->tell(c->ask->ctx, item, err);
}

static qc_rc check_one(struct checking *c, const struct gw_snap_row *row, struct qc_err *err)
{
    struct gw_snapshot_item item = gw_snap_item(row);
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;

    if (!row->notes && row->first > c->next) {
        const uint64_t gap = row->first - 1 < c->upto ? row->first - 1 : c->upto;
        QC_TRY(take_from_log(c, gap, err));
    }
    rc = row->notes ? check_notes(c, row, &item, &why) : check_pack(c, row, &item, &why);
    if (is_ours(rc)) {
        *err = why;
        return rc;
    }
    return conclude(c, &item, rc, &why, err);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static bool wanted(const struct checking *c, const struct gw_snap_row *row)
{
    const bool all = c->ask->serial == 0;

    if (row->notes)
        return all || (row->incarnation == c->ask->incarnation && row->serial == c->ask->serial);
    return row->first <= c->upto;
}

/* Up to where the newest of the notes go that are asked for. */
static qc_rc find_end(struct checking *c, const struct gw_snap_list *l, struct qc_err *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->rows[i].notes && wanted(c, &l->rows[i]) && l->rows[i].last > c->upto)
            c->upto = l->rows[i].last;
    if (c->upto > 0)
        return QC_OK;
    if (c->ask->serial == 0)
        return QC_FAIL(err, QC_NOTFOUND, "there is no snapshot of the catalogue yet");
    return QC_FAIL(err, QC_NOTFOUND, "there is no snapshot of generation %" PRIu32 ".%" PRIu32,
                   c->ask->incarnation, c->ask->serial);
}

/* It is whole, and has what the one in use has, where nothing was committed since. */
static qc_rc check_made(struct checking *c, struct qc_err *err)
{
    struct gw_totals made, used;
    struct gw_log_tip tip;

    {
        QC_LOCK(gw_cat_lock(c->cat));
        QC_TRY(flush(c, err));
        QC_TRY(gw_cat_check(c->cat, err));
        QC_TRY(gw_cat_totals(c->cat, &made, err));
    }
    {
        QC_LOCK(gw_cat_lock(c->e->cat));
        QC_TRY(gw_tip_get(c->e->cat, &tip, err));
        QC_TRY(gw_cat_totals(c->e->cat, &used, err));
    }
    struct gw_snapshot_checked *r = c->r;
    r->log_sequence = c->upto;
    r->entries = made.entries;
    r->versions = made.versions;
    r->tombstones = made.tombstones;
    r->vaults = made.vaults;
    r->tenants = made.tenants;
    r->bytes = made.bytes;
    if (tip.sequence != c->upto)
        return QC_OK;
    r->compared = true;
    if (made.entries == used.entries && made.versions == used.versions && made.bytes == used.bytes &&
        made.tombstones == used.tombstones && made.vaults == used.vaults && made.tenants == used.tenants)
        return QC_OK;
    return QC_FAIL(err, QC_INTEGRITY,
                   "the catalogue of the snapshot has %" PRIu64 " names and %" PRIu64
                   " versions, the one in use has %" PRIu64 " and %" PRIu64,
                   made.entries, made.versions, used.entries, used.versions);
}

static qc_rc check_all(struct checking *c, struct qc_err *err)
{
    QC_CLEANUP(gw_snap_list_done) struct gw_snap_list l = { 0 };
    char path[GW_STATE_PATH_MAX];
    struct qc_err why = { 0 };

    QC_TRY(gw_snap_list(c->e, &l, err));
    QC_TRY(find_end(c, &l, err));
    QC_TRY(sweep(c->e, err));
    QC_TRY(gw_state_path(&c->e->state, scratch, path, err));
    QC_TRY(gw_cat_open(&c->cat, path, true, err));
    c->next = 1;
    for (size_t i = 0; i < l.count; i++)
        if (wanted(c, &l.rows[i]))
            QC_TRY(check_one(c, &l.rows[i], err));
    QC_TRY(take_from_log(c, c->upto, err));
    const qc_rc rc = check_made(c, &why);
    if (is_ours(rc)) {
        *err = why;
        return rc;
    }
    worse(c->r, rc, why.msg);
    return QC_OK;
}

qc_rc gw_engine_snapshot_check(struct gw_engine *e, const struct gw_snapshot_ask *ask,
                               struct gw_snapshot_checked *ret, struct qc_err *err)
{
    struct gw_snapshot_checked r = { .rc = QC_OK };

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_engine_be_sure(e, err));
    if (!gw_snaps_take(&e->snaps))
        return QC_FAIL(err, QC_TEMP, "a snapshot of the catalogue is being made");
    struct checking c = { .e = e, .ask = ask, .r = &r };
    const qc_rc rc = check_all(&c, err);
    checking_done(&c);
    gw_snaps_give(&e->snaps);
    if (rc == QC_OK)
        *ret = r;
    return rc;
}
