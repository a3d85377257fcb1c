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

static const char taken_name[] = "snapshot_s", born_name[] = "snapshot_born_s";

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
    QC_TRY(gw_meta_find(e->cat, taken_name, &ret->taken_s, err));
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

/* -- putting one ----------------------------------------------------------------------------------------- */

/* n clouds in a row, from another one each time; those that do not answer only where there are too few. */
static void choose(struct gw_engine *e, uint32_t serial, struct gw_pack_plan *plan)
{
    const unsigned count = gw_fan_count(e->fan);
    unsigned chosen = 0;

    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < count && chosen < plan->n; i++) {
            const unsigned at = (serial + i) % count;
            struct gw_cloud_view v;
            gw_fan_view(e->fan, at, &v);
            if (v.role == GW_ROLE_IN_USE && (v.state == GW_CLOUD_OK) == (pass == 0))
                plan->clouds[chosen++] = v.id;
        }
}

static qc_rc write_trying(struct gw_engine *e, struct gw_snap_row *row, struct gw_pack_plan *plan,
                          struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_serial(e->cat, &row->serial, err));
    choose(e, row->serial, plan);
    row->n = plan->n;
    memcpy(row->clouds, plan->clouds, plan->n * sizeof *row->clouds);
    QC_TRY(gw_cat_snap_put(e->cat, row, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    return qc_fault(snap_row, err);
}

static qc_rc write_good(struct gw_engine *e, const struct gw_snap_row *row, int64_t taken_s,
                        struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_good(e->cat, row, err));
    if (row->notes)
        QC_TRY(gw_meta_set(e->cat, taken_name, (uint64_t)taken_s, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    return qc_fault(snap_good, err);
}

static gw_clouds set_of(struct gw_engine *e, const struct gw_snap_row *row)
{
    gw_clouds set = 0;

    for (unsigned i = 0; i < row->n; i++) {
        const int at = gw_fan_at(e->fan, row->clouds[i]);
        if (at >= 0)
            set |= (gw_clouds)1 << at;
    }
    return set & gw_fan_all(e->fan);
}

static struct gw_name name_of(const struct gw_snap_row *row)
{
    return (struct gw_name){ .kind = row->notes ? GW_NAME_NOTES : GW_NAME_PACK,
                             .id = row->first,
                             .incarnation = (uint16_t)row->incarnation,
                             .serial = row->serial };
}

/* Its name on each cloud of the set. */
struct named {
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
};

static qc_rc make_keys(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds set, struct named *ret,
                       struct qc_err *err)
{
    const struct gw_name name = name_of(row);

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        ret->keys[at] = NULL;
        if ((set >> at & 1) == 0)
            continue;
        QC_TRY(gw_name_make(e->root, gw_fan_id(e->fan, at), &name, ret->names[at], err));
        ret->keys[at] = ret->names[at];
    }
    return QC_OK;
}

static qc_rc read_back(struct gw_engine *e, const struct gw_snap_row *row, qc_span clear, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf back = { .max = QC_GW_PACK_MAX };
    const struct gw_name name = name_of(row);

    QC_TRY(gw_snap_read(e->fan, e->root, &name, set_of(e, row), 0, &back, err));
    if (!qc_span_eq(qc_buf_span(&back), clear))
        return QC_FAIL(err, QC_INTEGRITY, "what was read back is not what was written");
    return QC_OK;
}

/* The whole of N1. row: what it holds; its serial and clouds are given here. */
static qc_rc put(struct gw_engine *e, struct gw_snap_row *row, qc_span clear, int64_t taken_s,
                 struct qc_err *err)
{
    struct gw_pack_plan plan = { .k = e->conf.k, .n = e->conf.n };
    unsigned durable;

    row->incarnation = e->conf.incarnation;
    row->state = GW_SNAP_TRYING;
    row->bytes = clear.n;
    QC_TRY(qc_rng_fill(e->rng, plan.salt, sizeof plan.salt, err));
    QC_TRY(write_trying(e, row, &plan, err));
    const struct gw_name name = name_of(row);
    plan.name = &name;
    const struct gw_snap_put what = { &plan, clear };
    QC_TRY(gw_snap_write(e->fan, e->root, &what, &durable, err));
    QC_TRY(qc_fault(snap_put, err));
    if (durable < e->conf.write_quorum)
        return QC_FAIL(err, QC_QUORUM, "%u clouds took their piece, %u are needed", durable,
                       e->conf.write_quorum);
    QC_TRY(read_back(e, row, clear, err));
    return write_good(e, row, taken_s, err);
}

/* -- GATHER ---------------------------------------------------------------------------------------------- */

static qc_rc put_pack(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    const qc_span text = qc_buf_span(&s->text);
    struct gw_snap_row row = { .first = s->first, .last = s->next - 1 };

    if (gw_pack_count(text) == 0)
        return QC_OK;
    return put(e, &row, text, 0, err);
}

/* Another one, from the next log object on. */
static qc_rc begin_pack(struct gw_snaps *s, uint64_t first, struct qc_err *err)
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
    const struct gw_name name = name_of(row);
    struct gw_pack_iter it;
    struct qc_err why = { 0 };

    if (row->bytes >= QC_GW_PACK_MAX / 2)
        return begin_pack(s, row->last + 1, err);
    qc_rc rc = gw_snap_read(e->fan, e->root, &name, set_of(e, row), 0, &text, &why);
    if (rc == QC_OK)
        rc = gw_pack_entries(qc_buf_span(&text), row->first, &it, &why);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    QC_TRY(begin_pack(s, row->first, err));
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
    return begin_pack(&e->snaps, e->snaps.next + 1, err);
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
        QC_TRY(begin_pack(s, s->next, err));
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
    QC_TRY(put(e, &row, qc_buf_span(&text), head.time_s, err));
    QC_LOG(QC_LOG_INFO, "snapshot of the catalogue", QC_U("log", e->snaps.target), QC_U("notes", n.count));
    e->snaps.stage = GW_SNAP_HEAL;
    e->snaps.at = (struct gw_snap_at){ 0 };
    return QC_OK;
}

/* -- HEAL ------------------------------------------------------------------------------------------------ */

/* *ret: a piece is known not to be there, or there is no cloud for it any more. One that does not answer says
 * nothing. */
static qc_rc lacks_pieces(struct gw_engine *e, const struct gw_snap_row *row, bool *ret, struct qc_err *err)
{
    const gw_clouds set = set_of(e, row);
    struct named k;
    struct gw_answer a = { 0 };

    *ret = (unsigned)__builtin_popcount(set) < e->conf.n;
    if (*ret || set == 0)
        return QC_OK;
    QC_TRY(make_keys(e, row, set, &k, err));
    const struct gw_ask ask = { .set = set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        const struct gw_outcome *o = &a.outcome[at];
        *ret |= (set >> at & 1) && o->fate == GW_FAILED && o->rc == QC_NOTFOUND && !o->gone;
    }
    return QC_OK;
}

/* From what is left of it, or from the log. */
static qc_rc write_anew(struct gw_engine *e, const struct gw_snap_row *row, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row fresh = { .first = row->first, .last = row->last };
    const struct gw_name name = name_of(row);
    struct qc_err why = { 0 };

    const qc_rc rc = gw_snap_read(e->fan, e->root, &name, set_of(e, row), 0, &text, &why);
    if (rc == QC_OK)
        return put(e, &fresh, qc_buf_span(&text), 0, err);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    QC_TRY(begin_pack(s, row->first, err));
    s->upto = row->last;
    s->healing = true;
    s->stage = GW_SNAP_GATHER;
    return QC_OK;
}

static qc_rc heal(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row row;
    bool found, lacks;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_next(e->cat, GW_SNAP_GOOD, &s->at, &row, &found, err));
    }
    if (!found) {
        s->stage = GW_SNAP_SWEEP;
        s->at = (struct gw_snap_at){ 0 };
        return QC_OK;
    }
    s->at = (struct gw_snap_at){ row.incarnation, row.serial };
    if (row.notes)
        return QC_OK; /* they are written anew anyway */
    QC_TRY(lacks_pieces(e, &row, &lacks, err));
    return lacks ? write_anew(e, &row, err) : QC_OK;
}

/* -- SWEEP ----------------------------------------------------------------------------------------------- */

/* Is it gone from all its clouds? Those that are in use no more are nobody's. */
static qc_rc delete_one(struct gw_engine *e, const struct gw_snap_row *row, bool *ret_gone,
                        struct qc_err *err)
{
    const gw_clouds set = set_of(e, row);
    struct named k;
    struct gw_answer a = { 0 };

    QC_TRY(make_keys(e, row, set, &k, err));
    const struct gw_ask ask = { .set = set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    if (set != 0)
        QC_TRY(gw_fan_delete(e->fan, &ask, &a, err));
    *ret_gone = true;
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        const struct gw_outcome *o = &a.outcome[at];
        if ((set >> at & 1) && o->fate != GW_DONE && (o->fate != GW_FAILED || o->rc != QC_NOTFOUND))
            *ret_gone = false;
    }
    return qc_fault(snap_swept, err);
}

/* The row goes when it was seen to be gone a second time, in another snapshot: a put may land late. */
static qc_rc sweep_one(struct gw_engine *e, struct gw_snap_row *row, struct qc_err *err)
{
    bool gone;

    QC_TRY(delete_one(e, row, &gone, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    if (gone && row->round > 0) {
        QC_TRY(gw_cat_snap_drop(e->cat, row, err));
        return gw_cat_commit(e->cat, &tx, err);
    }
    row->round += row->round < INT32_MAX;
    QC_TRY(gw_cat_snap_put(e->cat, row, err));
    return gw_cat_commit(e->cat, &tx, err);
}

static qc_rc sweep(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row row;
    bool found;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_next(e->cat, GW_SNAP_DEAD, &s->at, &row, &found, err));
    }
    if (!found) {
        s->stage = GW_SNAP_RESTS;
        return QC_OK;
    }
    s->at = (struct gw_snap_at){ row.incarnation, row.serial };
    return sweep_one(e, &row, err);
}

/* -- steps ----------------------------------------------------------------------------------------------- */

static qc_rc abandon(struct gw_engine *e, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_abandon(e->cat, err));
    return gw_cat_commit(e->cat, &tx, err);
}

static qc_rc begin(struct gw_engine *e, const struct standing *st, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    QC_TRY(abandon(e, err));
    s->target = st->published;
    s->packed = st->has_pack ? st->pack.last : 0;
    s->wanted = false;
    s->healing = false;
    s->upto = s->target;
    if (s->packed >= s->target)
        s->next = s->packed + 1; /* nothing new to pack */
    else if (st->has_pack)
        QC_TRY(resume(e, &st->pack, err));
    else
        QC_TRY(begin_pack(s, 1, err));
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
        return heal(e, err);
    case GW_SNAP_SWEEP:
        return sweep(e, err);
    }
    return QC_OK;
}

/* It is begun again, later each time. */
static void fail(struct gw_snaps *s, uint64_t now_ms, const char *why)
{
    const unsigned shift = s->failures < 6 ? s->failures : 6;

    s->failures++;
    s->stage = GW_SNAP_RESTS;
    s->wanted = false;
    s->until_ms = now_ms + ((uint64_t)QC_GW_SNAPSHOT_REST_MS << shift);
    qc_buf_free(&s->text);
    QC_LOCK(&s->lock);
    s->tried_s = qc_wall_s();
    snprintf(s->why, sizeof s->why, "%s", why);
}

static qc_rc step(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    const enum gw_snap_stage before = s->stage;
    const qc_rc rc = go_on(e, err);

    if (rc != QC_OK) {
        fail(s, gw_env_now(e->env), err->msg);
        return rc;
    }
    if (before == GW_SNAP_SWEEP && s->stage == GW_SNAP_RESTS) {
        QC_LOCK(&s->lock);
        s->failures = 0;
        s->why[0] = '\0';
        s->tried_s = 0;
    }
    return QC_OK;
}

/* One at a time makes one. false: somebody does. */
static bool take(struct gw_snaps *s)
{
    QC_LOCK(&s->lock);
    const bool free = !s->busy;

    s->busy = true;
    return free;
}

static void give(struct gw_snaps *s)
{
    QC_LOCK(&s->lock);

    s->busy = false;
}

qc_rc gw_snapshot_step(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;

    *ret_more = false;
    if (!take(s))
        return QC_OK;
    const bool rests = s->stage == GW_SNAP_RESTS && gw_env_now(e->env) < s->until_ms;
    const qc_rc rc = rests ? QC_OK : step(e, err);
    *ret_more = s->stage != GW_SNAP_RESTS;
    give(s);
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
    if (!take(&e->snaps))
        return QC_FAIL(err, QC_TEMP, "a snapshot of the catalogue is being made");
    const qc_rc rc = take_one(e, err);
    give(&e->snaps);
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
