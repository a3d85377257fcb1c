/* Uploads: intents, segments, cancelling.
 *
 * U1 (D1): a fragment is put only under a segment id whose row was durable before.
 *
 * U2 (D2): an id is written at most once, by one process: a segment that is sent again, or that failed, gets
 * a new one, and the old one goes to the ledger.
 *
 * U3 (D3): a cancelled upload never decides: both are transactions on its row.
 */
#include "base/planted.h"
#include "base/time.h"
#include <stdio.h>

#include "engine_internal.h"
#include "make.h"

/* -- begin ----------------------------------------------------------------------------------------------- */

qc_rc gw_choose_layout(struct gw_engine *e, struct gw_log_layout *ret, struct qc_err *err)
{
    struct gw_candidate candidates[QC_GW_CLOUDS_MAX];
    struct gw_log_layout l = { .k = (uint8_t)e->conf.k, .n = (uint8_t)e->conf.n };

    const unsigned count = gw_engine_candidates(e, candidates);

    QC_TRY(gw_place_clouds(candidates, count, e->conf.n, e->rng, l.clouds, err));
    *ret = l;
    return QC_OK;
}

/* Is this upload known, and the same? */
static qc_rc known_upload(struct gw_engine *e, const struct gw_upload *u, bool *ret_known, struct qc_err *err)
{
    struct gw_request_row row;
    struct gw_version_row v;

    QC_TRY(gw_cat_request(e->cat, &(struct gw_ref){ u->tenant, u->put_key }, &row, err));
    *ret_known = row.state != GW_UPLOAD_UNKNOWN;
    if (!*ret_known)
        return QC_OK;
    if (row.kind != GW_REQUEST_PUT || row.state == GW_UPLOAD_CANCELLED)
        return QC_FAIL(err, QC_CONFLICT, "this put key was cancelled or did something else");
    QC_TRY(gw_cat_version_no(e->cat, row.version_no, &v, err));
    if (!gw_id_same(&v.vault, &u->vault) || !gw_id_same(&v.object, &u->object) ||
        !gw_id_same(&v.version, &u->version))
        return QC_FAIL(err, QC_CONFLICT, "this put key began another upload");
    return QC_OK;
}

static qc_rc check_new(struct gw_engine *e, const struct gw_upload *u, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = u->tenant, .object = u->object, .version = u->version };
    struct gw_vault_row vault;
    struct gw_version_row v;
    struct qc_err miss = { 0 };
    uint64_t open;

    QC_TRY(gw_cat_vault(e->cat, &(struct gw_ref){ u->tenant, u->vault }, &vault, err));
    const qc_rc rc = gw_cat_version(e->cat, &ids, &v, &miss);
    if (rc == QC_OK)
        return QC_FAIL(err, QC_CONFLICT, "this object and version id were used by another put");
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_quota_begin(e, u->tenant, err));
    QC_TRY(gw_cat_open_uploads(e->cat, &open, err));
    if (open >= QC_GW_UPLOADS_MAX)
        return QC_FAIL(err, QC_LIMIT, "this gateway has as many open uploads as it may: %d",
                       QC_GW_UPLOADS_MAX);
    return QC_OK;
}

static qc_rc begin_rows(struct gw_engine *e, const struct gw_upload *u, const struct gw_log_layout *l,
                        const uint8_t salt[GW_SALT_BYTES], struct qc_err *err)
{
    struct gw_version_row v = { .tenant = u->tenant,
                                .vault = u->vault,
                                .object = u->object,
                                .version = u->version,
                                .put_key = u->put_key,
                                .base = u->base,
                                .created = (uint64_t)qc_wall_s(),
                                .state = GW_VERSION_INTENT };
    struct gw_request_row row = { .put_key = { u->tenant, u->put_key },
                                  .kind = GW_REQUEST_PUT,
                                  .state = GW_UPLOAD_OPEN };
    uint64_t id;

    QC_TRY(gw_layout_id(e->cat, l, &v.layout, err));
    QC_TRY(gw_cat_version_add(e->cat, &v, &row.version_no, err));
    QC_TRY(gw_cat_reserve(e->cat, row.version_no, v.layout, e->conf.incarnation, salt, &id, err));
    return gw_cat_request_put(e->cat, &row, err);
}

qc_rc gw_upload_begin(struct gw_engine *e, const struct gw_upload *u, bool *ret_new, struct qc_err *err)
{
    uint8_t salt[GW_SALT_BYTES];
    struct gw_log_layout l;
    bool have;

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_TRY(qc_fault(put_intent, err));
    {
        QC_LOCK(gw_cat_lock(e->cat)); /* under it no cloud begins to be drained */
        QC_TRY(gw_choose_layout(e, &l, err));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(e->cat, &tx, err));
        QC_TRY(known_upload(e, u, &have, err));
        if (!have) {
            QC_TRY(check_new(e, u, err));
            QC_TRY(begin_rows(e, u, &l, salt, err));
        }
        QC_TRY(gw_cat_commit(e->cat, &tx, err));
    }
    *ret_new = !have;
    return qc_fault(put_intent_done, err);
}

/* -- segments -------------------------------------------------------------------------------------------- */

bool gw_busy_add(struct gw_engine *e, uint64_t id)
{
    QC_LOCK(&e->lock);
    if (e->busy_count == QC_GW_BUSY_MAX)
        return false;
    e->busy[e->busy_count++] = id;
    return true;
}

void gw_busy_remove(struct gw_engine *e, uint64_t id)
{
    QC_LOCK(&e->lock);
    for (unsigned i = 0; i < e->busy_count; i++)
        if (e->busy[i] == id) {
            e->busy[i] = e->busy[--e->busy_count];
            return;
        }
}

bool gw_busy_is(struct gw_engine *e, uint64_t id)
{
    QC_LOCK(&e->lock);
    for (unsigned i = 0; i < e->busy_count; i++)
        if (e->busy[i] == id)
            return true;
    for (unsigned i = 0; i < GW_MENDERS; i++)
        if (e->mending[i] == id)
            return true;
    return false;
}

qc_rc gw_upload_open(struct gw_engine *e, const struct gw_ref *put_key, struct gw_request_row *ret,
                     struct qc_err *err)
{
    QC_TRY(gw_cat_request(e->cat, put_key, ret, err));
    if (ret->state == GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_NOTFOUND, "no upload of that put key");
    if (ret->state != GW_UPLOAD_OPEN || ret->kind != GW_REQUEST_PUT)
        return QC_FAIL(err, QC_CONFLICT, "the upload is %s", gw_upload_state_name(ret->state));
    return QC_OK;
}

qc_rc gw_upload_run(const struct gw_request_row *row, uint32_t run, struct qc_err *err)
{
    return row->run == run ? QC_OK
                           : QC_FAIL(err, QC_CONFLICT,
                                     "the upload goes on elsewhere: this is of run %" PRIu32 ", and %" PRIu32
                                     " has begun",
                                     run, row->run);
}

/* Is the layout one for new segments: of the code that there is now, on clouds that take them? */
static bool takes_new(struct gw_engine *e, const struct gw_log_layout *l)
{
    if (l->k != e->conf.k || l->n != e->conf.n)
        return false;
    for (unsigned i = 0; i < l->n; i++)
        if (!gw_takes_new(e, l->clouds[i]))
            return false;
    return true;
}

/* Where the next segment of a version goes: as those before it, unless one of these clouds is being drained,
 * or the code is another one by now. In a transaction. */
static qc_rc layout_of(struct gw_engine *e, uint64_t version_no, uint64_t *ret, struct qc_err *err)
{
    struct gw_version_row v;
    struct gw_log_layout l;

    QC_TRY(gw_cat_version_no(e->cat, version_no, &v, err));
    QC_TRY(gw_layout_get(e->cat, v.layout, &l, err));
    *ret = v.layout;
    if (takes_new(e, &l))
        return QC_OK;
    QC_TRY(gw_choose_layout(e, &l, err));
    QC_TRY(gw_layout_id(e->cat, &l, ret, err));
    return gw_cat_version_layout(e->cat, version_no, *ret, err);
}

/* A reservation on a cloud that gets nothing new, or of another code, is of no use. */
static qc_rc reservation_fits(struct gw_engine *e, uint64_t id, bool *ret, struct qc_err *err)
{
    struct gw_log_layout l = { 0 };
    struct gw_segment seg;

    QC_TRY(gw_cat_segment(e->cat, id, &seg, err));
    l.k = (uint8_t)seg.k;
    l.n = (uint8_t)seg.n;
    memcpy(l.clouds, seg.layout, sizeof l.clouds);
    *ret = takes_new(e, &l);
    return QC_OK;
}

/* One more reservation, in the place of `old`; 0: of none. */
static qc_rc reserve(struct gw_engine *e, uint64_t version_no, uint64_t old, uint64_t *ret_id,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    uint8_t salt[GW_SALT_BYTES];
    uint64_t layout;

    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    if (old != 0)
        QC_TRY(gw_cat_segment_kill(e->cat, old, 0, err));
    QC_TRY(layout_of(e, version_no, &layout, err));
    QC_TRY(gw_cat_reserve(e->cat, version_no, layout, e->conf.incarnation, salt, ret_id, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* A reserved segment of the upload, marked busy: the one that is there, or a new one. Under the catalogue's
 * lock. */
static qc_rc take_reserved(struct gw_engine *e, const struct gw_segment_put *p, struct gw_segment *ret,
                           struct qc_err *err)
{
    const struct gw_ref put_key = { p->tenant, p->put_key };
    uint64_t busy[QC_GW_BUSY_MAX];
    struct gw_request_row row;
    unsigned count;
    uint64_t id = 0, before;
    bool found, fits = false;

    QC_TRY(gw_upload_open(e, &put_key, &row, err));
    QC_TRY(gw_upload_run(&row, p->run, err));
    QC_TRY(gw_cat_segment_size_of(e->cat, row.version_no, p->seq, &before, err));
    QC_TRY(gw_quota_segment(e, p->tenant, p->size, before, err));
    {
        QC_LOCK(&e->lock);
        count = e->busy_count;
        memcpy(busy, e->busy, sizeof busy);
    }
    const struct gw_taken not = { .busy = busy, .busy_count = count, .below = e->first_segment };
    QC_TRY(gw_cat_reserved(e->cat, row.version_no, &not, &id, &found, err));
    if (found)
        QC_TRY(reservation_fits(e, id, &fits, err));
    if (!fits)
        QC_TRY(reserve(e, row.version_no, id, &id, err));
    QC_TRY(gw_cat_segment(e->cat, id, ret, err));
    if (!gw_busy_add(e, id))
        return QC_FAIL(err, QC_TEMP, "%d segments are in work", QC_GW_BUSY_MAX);
    return QC_OK;
}

/* Durable, on a cloud that has not lost its memory since? (durability 4.3) Under the catalogue's lock. */
static qc_rc fragment_counts(struct gw_engine *e, const struct gw_written *w, unsigned i, bool *ret,
                             struct qc_err *err)
{
    struct gw_cloud_life life;

    *ret = (w->durable_set >> i & 1) != 0 || qc_planted(ack_early);
    if (!*ret)
        return QC_OK;
    QC_TRY(gw_cloud_life(e->cat, w->cloud_id[i], &life, err));
    *ret = life.adopting == 0 && life.generation == w->generation[i];
    return QC_OK;
}

/* The segment's row, in one transaction with what it replaces, what is owed, and the next reservation. */
static qc_rc segment_rows(struct gw_engine *e, const struct gw_segment_put *p, const struct gw_segment *seg,
                          const struct gw_written *w, const uint8_t salt[GW_SALT_BYTES], struct qc_err *err)
{
    const struct gw_ref put_key = { p->tenant, p->put_key };
    struct gw_request_row row;
    struct qc_err miss = { 0 };
    uint64_t before, id;

    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_upload_open(e, &put_key, &row, err)); /* U3 */
    QC_TRY(gw_upload_run(&row, p->run, err));       /* R1 */
    const qc_rc rc = gw_cat_segment_of(e->cat, row.version_no, seg->seq, &before, &miss);
    if (rc == QC_OK)
        QC_TRY(gw_cat_segment_kill(e->cat, before, 0, err)); /* U2 */
    else if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_cat_segment_done(e->cat, seg, err));
    QC_TRY(gw_cat_request_heard(e->cat, &put_key, err));
    QC_TRY(gw_quota_holds(e, p->tenant, err));
    for (unsigned i = 0; i < seg->n; i++) {
        bool counts;
        QC_TRY(fragment_counts(e, w, i, &counts, err));
        if (!counts)
            QC_TRY(gw_cat_deviate(e->cat, seg->id, i, w->cloud_id[i],
                                  (w->left_set >> i & 1) != 0 ? GW_DEV_LEFT : GW_DEV_OWED, err));
    }
    if (!seg->last) {
        uint64_t layout;
        bool found;
        const struct gw_taken not = { .below = e->first_segment };
        QC_TRY(gw_cat_reserved(e->cat, row.version_no, &not, &id, &found, err));
        if (!found) {
            QC_TRY(layout_of(e, row.version_no, &layout, err));
            QC_TRY(gw_cat_reserve(e->cat, row.version_no, layout, e->conf.incarnation, salt, &id, err));
        }
    }
    return gw_cat_commit(e->cat, &tx, err);
}

/* What was written of a segment that has no row is wanted no more. */
static qc_rc drop_segment(struct gw_engine *e, const struct gw_segment *seg, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(qc_fault(sweep_mark, err));
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_segment_kill(e->cat, seg->id, seg->size, err));
    QC_TRY(
        gw_cat_dead_again(e->cat, seg->id, err)); /* it may have died, and been swept, while it was written */
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    return qc_fault(sweep_marked, err);
}

/* The catalogue could not be written. Housekeeping tries again: neither the object nor the place among the
 * busy is to wait for the next opening. */
static void drop_later(struct gw_engine *e, const struct gw_segment *seg)
{
    QC_LOCK(&e->lock);
    e->undropped[e->undropped_count++] = (struct gw_undropped){ .id = seg->id, .size = seg->size };
}

static bool next_undropped(struct gw_engine *e, struct gw_segment *ret)
{
    QC_LOCK(&e->lock);
    if (e->undropped_count == 0)
        return false;
    ret->id = e->undropped[0].id;
    ret->size = e->undropped[0].size;
    return true;
}

static void was_dropped(struct gw_engine *e, uint64_t id)
{
    {
        QC_LOCK(&e->lock);
        if (e->undropped_count == 0 || e->undropped[0].id != id)
            return;
        e->undropped[0] = e->undropped[--e->undropped_count];
    }
    gw_busy_remove(e, id);
}

qc_rc gw_upload_drop(struct gw_engine *e, struct qc_err *err)
{
    struct gw_segment seg = { 0 };

    while (atomic_load(&e->undropped_count) > 0 && next_undropped(e, &seg)) {
        QC_TRY(drop_segment(e, &seg, err));
        was_dropped(e, seg.id);
    }
    return QC_OK;
}

/* Names all clouds that did not take it, in their order, each with its reason; the room is shared between
 * them. */
static qc_rc quorum_failed(struct gw_engine *e, const struct gw_segment *seg, const struct gw_written *w,
                           struct qc_err *err)
{
    char list[QC_ERR_MSG_MAX - 160] = "";
    const size_t room = sizeof list / (seg->n > w->durable ? seg->n - w->durable : 1);
    size_t n = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        for (unsigned i = 0; i < seg->n && n + 1 < sizeof list; i++) {
            if (w->cloud_id[i] != gw_fan_id(e->fan, at) || (w->durable_set >> i & 1) != 0)
                continue;
            const char *why = w->outcome[i].why[0] != 0 ? w->outcome[i].why : "no answer in time";
            const size_t left = sizeof list - n < room ? sizeof list - n : room;
            const int m =
                snprintf(list + n, left, "%s%s: %s", n == 0 ? ": " : "; ", gw_fan_name(e->fan, at), why);
            n += m < 0 ? 0 : (size_t)m < left ? (size_t)m : left - 1;
        }
    }
    return QC_FAIL(err, QC_QUORUM, "%u of %u clouds took a fragment, %u are needed%s", w->durable, seg->n,
                   gw_write_quorum(&e->conf, seg->k, seg->n), list);
}

static qc_rc write_segment(struct gw_engine *e, const struct gw_segment_put *p, const struct gw_segment *seg,
                           struct gw_unit *u, struct gw_written *w, struct qc_err *err)
{
    const unsigned quorum = gw_write_quorum(&e->conf, seg->k, seg->n);
    uint8_t salt[GW_SALT_BYTES];
    gw_clouds back;

    const struct gw_ref put_key = { p->tenant, p->put_key };
    struct gw_going_segment going;
    const struct gw_watcher watcher = gw_going_watch(&going, &e->goings, &put_key);

    QC_TRY(qc_fault(put_frag, err));
    const struct gw_rule rule = { .deadline = qc_deadline_in(e->segment_ms),
                                  .enough = p->hasty ? quorum : 0,
                                  .grace_ms = QC_GW_HASTE_MS };
    QC_TRY(gw_segment_write_some(e->store, seg, u, &rule, &watcher, w, err));
    if (w->durable < quorum) {
        QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_ALL, &back, err));
        const struct gw_rule again = { .deadline = qc_deadline_in(e->segment_ms) };
        if (back != 0) /* the same bytes under the same names: what is there already is no conflict */
            QC_TRY(gw_segment_write_some(e->store, seg, u, &again, &watcher, w, err));
    }
    QC_TRY(qc_fault(put_frag_done, err));
    if (w->durable < (qc_planted(ack_early) ? seg->k : quorum))
        return quorum_failed(e, seg, w, err);
    struct gw_segment done = *seg;
    memcpy(done.digest, w->digest, sizeof done.digest);
    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_TRY(segment_rows(e, p, &done, w, salt, err));
    gw_going_end(&going, w, seg->n);
    return QC_OK;
}

/* The code may have been changed while the segment's bytes came. */
static qc_rc write_coded(struct gw_engine *e, const struct gw_segment_put *p, const struct gw_segment *seg,
                         struct gw_unit *u, struct gw_written *w, struct qc_err *err)
{
    QC_CLEANUP(gw_unit_done) struct gw_unit *other = NULL;

    if (gw_unit_is_for(u, seg->k, seg->n))
        return write_segment(e, p, seg, u, w, err);
    QC_TRY(gw_unit_copy(u, seg->k, qc_deadline_in(QC_GW_UNIT_MS), &other, err));
    return write_segment(e, p, seg, other, w, err);
}

qc_rc gw_upload_segment(struct gw_engine *e, const struct gw_segment_put *p, struct gw_unit *u,
                        struct gw_segment_receipt *ret, struct qc_err *err)
{
    struct gw_segment_receipt r = { 0 };
    struct gw_segment seg = { 0 };
    struct gw_written w = { 0 };
    struct qc_err why = { 0 };

    QC_TRY(gw_engine_may(e, err));
    if (p->size < 1 || p->size > QC_GW_SEGMENT_MAX)
        return QC_FAIL(err, QC_LIMIT, "segment: %" PRIu32 " bytes, expected 1..%d", p->size,
                       QC_GW_SEGMENT_MAX);
    if (p->seq >= QC_GW_SEGMENTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "segment: number %" PRIu32 ", at most %d", p->seq,
                       QC_GW_SEGMENTS_MAX - 1);
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(take_reserved(e, p, &seg, err));
    }
    seg.seq = p->seq;
    seg.last = p->last;
    seg.size = p->size;
    const qc_rc rc = write_coded(e, p, &seg, u, &w, err);
    if (rc == QC_OK || drop_segment(e, &seg, &why) == QC_OK)
        gw_busy_remove(e, seg.id);
    else /* it stays busy: not handed out again (U2) */
        drop_later(e, &seg);
    QC_TRY(rc);
    QC_TRY(qc_fault(put_segment_row, err));
    r.durable = w.durable;
    r.n = seg.n;
    for (unsigned i = 0; i < seg.n; i++)
        if ((w.left_set >> i & 1) != 0)
            r.following[r.following_count++] = w.cloud_id[i];
        else if ((w.durable_set >> i & 1) == 0)
            r.owed[r.owed_count++] = w.cloud_id[i];
        else
            r.took[r.took_count++] = w.cloud_id[i];
    *ret = r;
    return QC_OK;
}

/* -- commit, state, cancel ------------------------------------------------------------------------------- */

static qc_rc check_backup(qc_span backup, struct qc_err *err)
{
    if (backup.n < 1 || backup.n > QC_GW_BACKUP_MAX)
        return QC_FAIL(err, QC_USAGE, "backup data: %zu bytes, expected 1..%d", backup.n, QC_GW_BACKUP_MAX);
    return QC_OK;
}

qc_rc gw_upload_commit(struct gw_engine *e, const struct gw_upload_commit *c, struct gw_receipt *ret,
                       struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_PUT,
                                .vault = { c->tenant, c->vault },
                                .put_key = { c->tenant, c->put_key },
                                .entry = &c->entry,
                                .segments = c->segments,
                                .run = c->run,
                                .backup = c->backup,
                                .hasty = c->hasty };

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_entry_check(&c->entry, GW_ENTRY_FILE, err));
    QC_TRY(check_backup(c->backup, err));
    QC_TRY(gw_commit(e, &change, err));
    QC_TRY(qc_fault(put_ack, err));
    *ret = change.receipt;
    return QC_OK;
}

static qc_rc check_members(const struct gw_upload_bundle *b, struct qc_err *err)
{
    if (b->count < 1 || b->count > QC_GW_MEMBERS_MAX)
        return QC_FAIL(err, QC_USAGE, "bundle: %u members, expected 1..%d", b->count, QC_GW_MEMBERS_MAX);
    for (unsigned i = 0; i < b->count; i++) {
        QC_TRY_AS(gw_entry_check(&b->members[i].entry, GW_ENTRY_FILE, err), err, "member %u", i);
        QC_TRY_AS(check_backup(b->members[i].backup, err), err, "member %u", i);
    }
    return QC_OK;
}

static void commit_members(struct gw_engine *e, const struct gw_upload_bundle *b, struct gw_change *changes,
                           struct gw_in_bundle *in)
{
    for (unsigned i = 0; i < b->count; i++) {
        const struct gw_upload_member *m = &b->members[i];
        in[i] = (struct gw_in_bundle){ .put_key = { b->tenant, b->put_key }, .start = m->start };
        changes[i] = (struct gw_change){ .kind = GW_CHANGE_PUT,
                                         .vault = { b->tenant, b->vault },
                                         .put_key = { b->tenant, m->put_key },
                                         .entry = &m->entry,
                                         .segments = b->segments,
                                         .in = &in[i],
                                         .backup = m->backup,
                                         .hasty = b->hasty };
    }
    gw_commit_all(e, changes, b->count);
    for (unsigned i = 0; i < b->count; i++) {
        b->members[i].rc = changes[i].rc;
        b->members[i].err = changes[i].err;
        b->members[i].receipt = changes[i].receipt;
    }
}

qc_rc gw_upload_commit_bundle(struct gw_engine *e, const struct gw_upload_bundle *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_change *changes = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_in_bundle *in = NULL;

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(check_members(b, err));
    changes = qc_alloc(b->count * sizeof *changes);
    in = qc_alloc(b->count * sizeof *in);
    if (changes == NULL || in == NULL)
        return QC_FAIL(err, QC_NOMEM, "bundle");
    commit_members(e, b, changes, in);
    return qc_fault(put_ack, err);
}

qc_rc gw_entry_remove(struct gw_engine *e, const struct gw_ref *vault, const struct gw_entry *tombstone,
                      const struct gw_id *put_key, struct gw_receipt *ret, struct qc_err *err)
{
    struct gw_change change = {
        .kind = GW_CHANGE_REMOVE, .vault = *vault, .put_key = { vault->tenant, *put_key }, .entry = tombstone
    };

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_entry_check(tombstone, GW_ENTRY_TOMBSTONE, err));
    QC_TRY(gw_commit(e, &change, err));
    QC_TRY(qc_fault(put_ack, err));
    *ret = change.receipt;
    return QC_OK;
}

qc_rc gw_upload_vault(struct gw_engine *e, const struct gw_ref *put_key, struct gw_id *ret,
                      struct qc_err *err)
{
    struct gw_request_row row;
    struct gw_version_row v;

    QC_TRY(gw_engine_may(e, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_request(e->cat, put_key, &row, err));
    if (row.kind != GW_REQUEST_PUT)
        return QC_FAIL(err, row.state == GW_UPLOAD_UNKNOWN ? QC_NOTFOUND : QC_CONFLICT,
                       "no upload of that put key");
    QC_TRY(gw_cat_version_no(e->cat, row.version_no, &v, err));
    *ret = v.vault;
    return QC_OK;
}

qc_rc gw_upload_get(struct gw_engine *e, const struct gw_ref *put_key, enum gw_upload_state *ret,
                    struct gw_receipt *ret_receipt, struct qc_err *err)
{
    struct gw_request_row row;

    QC_TRY(gw_engine_may(e, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_request(e->cat, put_key, &row, err));
    if (row.state == GW_UPLOAD_LIVE)
        *ret_receipt = row.receipt;
    *ret = row.state;
    return QC_OK;
}

/* In a transaction: the upload is closed, and all that may lie on clouds is dead. */
static qc_rc cancel_rows(struct gw_engine *e, struct gw_request_row *row, struct qc_err *err)
{
    if (row->state == GW_UPLOAD_UNKNOWN)
        row->kind = GW_REQUEST_CANCEL; /* a late first request finds it */
    row->state = GW_UPLOAD_CANCELLED;
    if (row->version_no != 0) {
        QC_TRY(gw_cat_version_state(e->cat, row->version_no, GW_VERSION_DEAD, err));
        QC_TRY(gw_cat_segments_kill(e->cat, row->version_no, false, err));
    }
    QC_TRY(gw_cat_request_put(e->cat, row, err));
    return gw_quota_given_up(e, row->put_key.tenant, err);
}

qc_rc gw_upload_cancel(struct gw_engine *e, const struct gw_ref *put_key, enum gw_upload_state *ret_state,
                       struct gw_receipt *ret_receipt, struct qc_err *err)
{
    struct gw_request_row row;

    QC_TRY(gw_engine_may(e, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(e->cat, &tx, err));
        QC_TRY(gw_cat_request(e->cat, put_key, &row, err));
        *ret_state = row.state;
        if (row.state == GW_UPLOAD_LIVE)
            *ret_receipt = row.receipt;
        if (row.state == GW_UPLOAD_LIVE || (row.state == GW_UPLOAD_DECIDED && !qc_planted(cancel_decided)))
            return QC_FAIL(err, QC_CONFLICT, "too late to cancel: it is %s", gw_upload_state_name(row.state));
        if (row.state != GW_UPLOAD_CANCELLED)
            QC_TRY(cancel_rows(e, &row, err));
        QC_TRY(qc_fault(cancel_row, err));
        QC_TRY(gw_cat_commit(e->cat, &tx, err));
        *ret_state = GW_UPLOAD_CANCELLED;
    }
    return qc_fault(cancel_done, err);
}
