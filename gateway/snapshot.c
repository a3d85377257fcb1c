/* Snapshots: the published log is packed, and notes say what it does not (docs/adr/0022).
 *
 *   rests --due--> GATHER: log objects from the clouds, by their hashes, into a pack; full: put it
 *                  -> NOTES -> HEAL: a pack that lacks pieces is written anew -> SWEEP: what is dead is
 *                  deleted -> rests
 *
 *   put    row: trying -> pieces to n clouds -> read back, the same -> row: good, what it covers: dead
 *
 * N1 (D1, D5): no piece is sent before its row is durable, none is deleted but by a row that says dead.
 * N2: nothing that matters is lost with a snapshot: every step may fail, and is begun again later, from the
 * rows. What was gathered and not put is gathered again. N3: only what is published is packed (FORMAT 9.6).
 */
#include "gateway/snapshot.h"

#include <stdio.h>

#include "base/log.h"
#include "engine_internal.h"
#include "records.h"
#include "snapshot_internal.h"

const struct gw_snapshot_conf gw_snapshot_default = { .every_s = QC_GW_SNAPSHOT_S,
                                                      .log_objects = QC_GW_SNAPSHOT_LOG };

const char gw_snap_taken[] = "snapshot_s";
static const char born_name[] = "snapshot_born_s";

void gw_engine_snapshot_conf(struct gw_engine *e, const struct gw_snapshot_conf *conf)
{
    e->snaps.conf = *conf;
}

void gw_snaps_init(struct gw_snaps *s)
{
    qc_mutex_init(&s->lock);
    s->conf = gw_snapshot_default;
}

void gw_snaps_done(struct gw_snaps *s)
{
    qc_buf_free(&s->text);
    qc_mutex_done(&s->lock);
}

/* -- is one due? ----------------------------------------------------------------------------------------- */

/* How far the log is published, how far it is packed, when the last snapshot was taken. */
struct standing {
    uint64_t published;
    struct gw_snap_row pack, notes;
    bool has_pack, has_notes;
    uint64_t taken_s, born_s;
};

static qc_rc stand(struct gw_engine *e, struct standing *ret, struct qc_err *err)
{
    struct gw_log_tip tip;
    bool decided;

    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_tip_get(e->cat, &tip, err));
    QC_TRY(gw_cat_outbox_has(e->cat, tip.sequence, &decided, err));
    ret->published = decided ? tip.sequence - 1 : tip.sequence;
    QC_TRY(gw_cat_snap_last(e->cat, false, &ret->pack, &ret->has_pack, err));
    QC_TRY(gw_cat_snap_last(e->cat, true, &ret->notes, &ret->has_notes, err));
    QC_TRY(gw_meta_find(e->cat, gw_snap_taken, &ret->taken_s, err));
    return gw_meta_find(e->cat, born_name, &ret->born_s, err);
}

static uint64_t behind(const struct standing *st)
{
    const uint64_t packed = st->has_pack ? st->pack.last : 0;

    return st->published > packed ? st->published - packed : 0;
}

/* A clock that was put back makes one due, and nothing worse. */
static bool is_due(const struct gw_snaps *s, const struct standing *st, int64_t now)
{
    const uint64_t since = st->taken_s > 0 ? st->taken_s : st->born_s;
    const uint64_t age = (uint64_t)now >= since ? (uint64_t)now - since : UINT64_MAX;
    const uint64_t news = behind(st);

    return news >= s->conf.log_objects || (news > 0 && age >= s->conf.every_s) ||
           age >= QC_GW_SNAPSHOT_MOST_S;
}

/* The first period begins at the first look. */
static qc_rc note_birth(struct gw_engine *e, int64_t now, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_meta_set(e->cat, born_name, (uint64_t)now, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* -- GATHER ---------------------------------------------------------------------------------------------- */

static qc_rc put_pack(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    const qc_span text = qc_buf_span(&s->text);
    struct gw_snap_row row = { .first = s->first, .last = s->next - 1 };

    if (gw_pack_count(text) == 0)
        return QC_OK;
    return gw_snap_put_one(e, &row, text, 0, err);
}

/* Another one, from the next log object on. */
qc_rc gw_snap_begin_pack(struct gw_snaps *s, uint64_t first, struct qc_err *err)
{
    qc_buf_free(&s->text);
    s->text.max = QC_GW_PACK_MAX;
    s->first = first;
    s->next = first;
    return gw_pack_begin(&s->text, err);
}

/* A pack that has room goes on, in a new one that covers it. One that cannot be read is written anew. */
static qc_rc resume(struct gw_engine *e, const struct gw_snap_row *row, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_snaps *s = &e->snaps;
    const struct gw_name name = gw_snap_name(row);
    struct gw_pack_iter it;
    struct qc_err why = { 0 };

    if (row->bytes >= QC_GW_PACK_MAX / 2)
        return gw_snap_begin_pack(s, row->last + 1, err);
    qc_rc rc = gw_snap_read(e->fan, e->root, &name, gw_snap_set(e, row), 0, &text, &why);
    if (rc == QC_OK)
        rc = gw_pack_entries(qc_buf_span(&text), row->first, &it, &why);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    QC_TRY(gw_snap_begin_pack(s, row->first, err));
    if (rc != QC_OK || it.left != row->last - row->first + 1)
        return QC_OK;
    qc_buf_free(&s->text);
    s->text = QC_STEAL(text);
    s->next = row->last + 1;
    return QC_OK;
}

/* A log object that has no good copy anywhere, or is too large: the pack ends before it. */
static qc_rc leave_out(struct gw_engine *e, struct qc_err *err)
{
    QC_TRY(put_pack(e, err));
    return gw_snap_begin_pack(&e->snaps, e->snaps.next + 1, err);
}

static qc_rc gather_one(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf object = { 0 };
    struct gw_snaps *s = &e->snaps;
    struct gw_log_row row;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_log_get(e->cat, s->next, &row, err));
    }
    QC_TRY(gw_record_fetch(e, &row, UINT32_MAX, &object, err));
    if (object.n == 0 && s->failures < QC_GW_SNAPSHOT_TRIES)
        return QC_FAIL(err, QC_QUORUM, "log object %" PRIu64 " is readable on no cloud now", s->next);
    if (object.n == 0 || object.n > QC_GW_PACK_MAX / 2)
        return leave_out(e, err);
    if (s->text.n + object.n + 8 > QC_GW_PACK_MAX) {
        QC_TRY(put_pack(e, err));
        QC_TRY(gw_snap_begin_pack(s, s->next, err));
    }
    QC_TRY(gw_pack_add(&s->text, row.incarnation, qc_buf_span(&object), err));
    s->next++;
    return QC_OK;
}

static qc_rc gather(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    for (unsigned i = 0; i < QC_GW_SNAPSHOT_READS && s->next <= s->upto; i++)
        QC_TRY(gather_one(e, err));
    if (s->next <= s->upto)
        return QC_OK;
    if (s->healing || s->next > s->packed + 1)
        QC_TRY(put_pack(e, err));
    qc_buf_free(&s->text);
    s->stage = s->healing ? GW_SNAP_HEAL : GW_SNAP_NOTES;
    s->healing = false;
    s->present = 0;
    return QC_OK;
}

/* -- NOTES ----------------------------------------------------------------------------------------------- */

static qc_rc add_audit(struct gw_engine *e, struct gw_noting *n, struct qc_err *err)
{
    struct gw_audit_view v;
    struct gw_note note = { .kind = GW_NOTE_AUDIT };

    if (e->audit == NULL)
        return QC_OK;
    gw_audit_look(e->audit, &v);
    note.u.audit.sequence = v.sequence;
    memcpy(note.u.audit.hash, v.hash, sizeof note.u.audit.hash);
    QC_TRY(gw_notes_add(n->b, &note, err));
    n->count++;
    return QC_OK;
}

static qc_rc put_notes(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_snap_row row = { .notes = true, .first = e->snaps.target, .last = e->snaps.target };
    struct gw_notes_head head = { .sequence = e->snaps.target, .time_s = qc_wall_s() };
    struct gw_noting n = { .b = &text };
    uint32_t clouds[QC_GW_CLOUDS_MAX];
    struct gw_log_row log;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_log_get(e->cat, e->snaps.target, &log, err));
    }
    memcpy(head.hash, log.hash, sizeof head.hash);
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        clouds[at] = gw_fan_id(e->fan, at);
    QC_TRY(gw_notes_begin(&text, &head, err));
    QC_TRY(add_audit(e, &n, err));
    QC_TRY(gw_cat_note(e->cat, &n, clouds, gw_fan_count(e->fan), err));
    gw_notes_end(&text, n.count, n.more);
    QC_TRY(gw_snap_put_one(e, &row, qc_buf_span(&text), head.time_s, err));
    QC_LOG(QC_LOG_INFO, "snapshot of the catalogue", QC_U("log", e->snaps.target), QC_U("notes", n.count));
    e->snaps.stage = GW_SNAP_HEAL;
    e->snaps.heal_upto = row.serial;
    e->snaps.at = (struct gw_snap_at){ 0 };
    return QC_OK;
}

/* -- steps ----------------------------------------------------------------------------------------------- */

static qc_rc begin(struct gw_engine *e, const struct standing *st, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    QC_TRY(gw_snap_abandon(e, err));
    s->target = st->published;
    s->packed = st->has_pack ? st->pack.last : 0;
    s->wanted = false;
    s->failed = false;
    s->healing = false;
    s->present = 0;
    s->upto = s->target;
    if (s->packed >= s->target)
        s->next = s->packed + 1; /* nothing new to pack */
    else if (st->has_pack)
        QC_TRY(resume(e, &st->pack, err));
    else
        QC_TRY(gw_snap_begin_pack(s, 1, err));
    s->stage = s->target > 0 ? GW_SNAP_GATHER : GW_SNAP_RESTS;
    return QC_OK;
}

static qc_rc look(struct gw_engine *e, struct qc_err *err)
{
    const int64_t now = qc_wall_s();
    struct standing st = { 0 };

    QC_TRY(stand(e, &st, err));
    const bool fresh = st.taken_s == 0 && st.born_s == 0;
    if (fresh)
        QC_TRY(note_birth(e, now, err));
    if (e->snaps.wanted || (!fresh && is_due(&e->snaps, &st, now)))
        return begin(e, &st, err);
    e->snaps.until_ms = gw_env_now(e->env) + QC_GW_SNAPSHOT_LOOK_MS;
    return QC_OK;
}

static qc_rc go_on(struct gw_engine *e, struct qc_err *err)
{
    switch (e->snaps.stage) {
    case GW_SNAP_RESTS:
        return look(e, err);
    case GW_SNAP_GATHER:
        return gather(e, err);
    case GW_SNAP_NOTES:
        return put_notes(e, err);
    case GW_SNAP_HEAL:
        return gw_snap_heal(e, err);
    case GW_SNAP_SWEEP:
        return gw_snap_sweep(e, err);
    }
    return QC_OK;
}

/* It is begun again, later each time. What was being tried is swept before: else each try would leave more.
 */
static void fail(struct gw_engine *e, const char *why)
{
    struct gw_snaps *s = &e->snaps;
    const unsigned shift = s->failures < 6 ? s->failures : 6;

    s->failures++;
    s->failed = true;
    s->stage = s->stage == GW_SNAP_RESTS || s->stage == GW_SNAP_SWEEP ? GW_SNAP_RESTS : GW_SNAP_SWEEP;
    s->at = (struct gw_snap_at){ 0 };
    s->wanted = false;
    qc_ignore(gw_snap_abandon(e, &(struct qc_err){ 0 }), "the next one that begins does it");
    s->until_ms = gw_env_now(e->env) + ((uint64_t)QC_GW_SNAPSHOT_REST_MS << shift);
    qc_buf_free(&s->text);
    QC_LOCK(&s->lock);
    s->tried_s = qc_wall_s();
    snprintf(s->why, sizeof s->why, "%s", why);
}

static qc_rc step(struct gw_engine *e, struct qc_err *err)
{
    const qc_rc rc = go_on(e, err);

    if (rc != QC_OK)
        fail(e, err->msg);
    return rc;
}

bool gw_snaps_take(struct gw_snaps *s)
{
    QC_LOCK(&s->lock);
    const bool free = !s->busy;

    s->busy = true;
    return free;
}

void gw_snaps_give(struct gw_snaps *s)
{
    QC_LOCK(&s->lock);

    s->busy = false;
}

qc_rc gw_snapshot_step(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    *ret_more = false;
    if (!gw_snaps_take(s))
        return QC_OK;
    const bool rests = s->stage == GW_SNAP_RESTS && gw_env_now(e->env) < s->until_ms;
    const qc_rc rc = rests ? QC_OK : step(e, err);
    *ret_more = s->stage != GW_SNAP_RESTS;
    gw_snaps_give(s);
    return rc;
}

/* What was begun ends first: it does not have what was committed since. */
static qc_rc take_one(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    while (s->stage != GW_SNAP_RESTS) /* ends: each step takes the log, or the ledger, further */
        QC_TRY(step(e, err));
    s->wanted = true;
    do
        QC_TRY(step(e, err));
    while (s->stage != GW_SNAP_RESTS);
    return QC_OK;
}

qc_rc gw_engine_snapshot(struct gw_engine *e, struct qc_err *err)
{
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_engine_must_keep(e, err));
    QC_TRY(gw_engine_be_sure(e, err));
    if (!gw_snaps_take(&e->snaps))
        return QC_FAIL(err, QC_TEMP, "a snapshot of the catalogue is being made");
    const qc_rc rc = take_one(e, err);
    gw_snaps_give(&e->snaps);
    return rc;
}

qc_rc gw_engine_snapshot_view(struct gw_engine *e, struct gw_snapshot_view *ret, struct qc_err *err)
{
    struct gw_snapshot_view v = { 0 };
    struct standing st = { 0 };

    QC_TRY(stand(e, &st, err));
    v.taken_s = (int64_t)st.taken_s;
    v.log_sequence = st.has_notes ? st.notes.last : 0;
    v.behind = behind(&st);
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_counts(e->cat, &v.packs, &v.bytes, err));
    }
    QC_LOCK(&e->snaps.lock);
    v.tried_s = e->snaps.tried_s;
    memcpy(v.why, e->snaps.why, sizeof v.why);
    *ret = v;
    return QC_OK;
}
