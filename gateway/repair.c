/*
 *   adopt (if asked) -> roots, log -> listings -> segments by margin, then age -> sweep
 *
 * One fragment (repair_segment.c):
 *
 *   in doubt --read--> GOOD ------------------------------------------------> counts again
 *                      MISSING, BAD: a row says so (it does not count)
 *                        -> k others, verified -> coded, held against the segment's own digests
 *                        -> TRIAL: the new key is a row                              (D1)
 *                        -> PUT -> read back, whole                                  (D9)
 *                        -> one txn: it counts under its new key; the old key is dead (D5)
 *                        -> the sweep removes what lies under dead keys
 *
 * P1 (I1): nothing is taken away before what replaces it was read back and is recorded: old keys are dead in
 * the same transaction that makes the new one count, and only dead keys are deleted. A trial's key may die
 * before its fragment counts: it is deleted after that (sweep.c).
 *
 * P2 (D2): a key has one content. What is missing, or was never confirmed, is put again under its own key
 * with the same bytes, while this incarnation wrote it; where something lies under it, and after a rebuild,
 * there is a new key. So a put that hung and lands late finds its own bytes, or a dead key, and changes
 * nothing.
 *
 * P3: what a listing says decides nothing: what it does not show is read, and what it shows is removed only
 * where the catalogue has it as dead, or has read every fragment of that segment elsewhere.
 *
 * P4: one bad object never stops the pass: it is counted, named, and passed over.
 */
#include "gateway/repair.h"

#include <stdio.h>

#include "repair_internal.h"

const char *gw_repair_phase_name(enum gw_repair_phase p)
{
    static const char *const names[] = {
        [GW_REPAIR_STARTING] = "starting",   [GW_REPAIR_ADOPTING] = "adopting",
        [GW_REPAIR_RECORDS] = "records",     [GW_REPAIR_LISTING] = "listing",
        [GW_REPAIR_FRAGMENTS] = "fragments", [GW_REPAIR_SWEEPING] = "sweeping",
        [GW_REPAIR_DONE] = "done",
    };

    QC_ASSERT((size_t)p < sizeof names / sizeof *names);
    return names[p];
}

/* -- small things of a pass ------------------------------------------------------------------------------ */

enum { TELL_MS = 100, NAP_MS = 50 };

qc_rc gw_bits_new(struct gw_bits *ret, uint64_t end, struct qc_err *err)
{
    if (end > QC_GW_REBUILD_SEGMENTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%" PRIu64 " segments or records, at most %d in one pass", end,
                       QC_GW_REBUILD_SEGMENTS_MAX);
    ret->p = qc_alloc((size_t)(end / 8 + 1));
    ret->end = end;
    return ret->p != NULL ? QC_OK : QC_FAIL(err, QC_NOMEM, "a bit for each of %" PRIu64 " segments", end);
}

void gw_bits_done(struct gw_bits *b)
{
    qc_free(b->p);
    *b = (struct gw_bits){ 0 };
}

bool gw_bits_has(const struct gw_bits *b, uint64_t i)
{
    return i < b->end && (b->p[i / 8] >> (i % 8) & 1) != 0;
}

void gw_bits_add(struct gw_bits *b, uint64_t i)
{
    if (i < b->end)
        b->p[i / 8] |= (uint8_t)(1U << (i % 8));
}

static void tell(struct gw_repairing *p)
{
    p->told_ms = qc_now_ms();
    if (p->ask->tell != NULL)
        p->ask->tell(p->ask->ctx, p->r);
}

static qc_rc enter(struct gw_repairing *p, enum gw_repair_phase phase, struct qc_err *err)
{
    p->r->phase = phase;
    tell(p);
    return gw_repair_go_on(p, err);
}

qc_rc gw_repair_go_on(struct gw_repairing *p, struct qc_err *err)
{
    if (qc_now_ms() - p->told_ms >= TELL_MS)
        tell(p);
    return qc_go_on(QC_NO_DEADLINE, p->ask->cancel, "repair", err);
}

qc_rc gw_repair_pause(struct gw_repairing *p, uint64_t ms, struct qc_err *err)
{
    const qc_deadline until = qc_deadline_in(ms);

    QC_TRY(gw_repair_go_on(p, err));
    while (!qc_deadline_over(until)) {
        const uint64_t left = qc_deadline_left_ms(until);
        const long nap = (long)(left < NAP_MS ? left + 1 : NAP_MS);
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap * 1000000L }, NULL);
        QC_TRY(gw_repair_go_on(p, err));
    }
    return QC_OK;
}

qc_rc gw_repair_moved(struct gw_repairing *p, uint64_t read, uint64_t written, struct qc_err *err)
{
    p->r->read_bytes += read;
    p->r->written_bytes += written;
    p->moved_bytes += read + written;
    if (p->ask->rate == 0)
        return gw_repair_go_on(p, err);
    const uint64_t due_ms =
        p->moved_bytes / p->ask->rate * 1000 + p->moved_bytes % p->ask->rate * 1000 / p->ask->rate;
    const uint64_t spent_ms = qc_now_ms() - p->began_ms;
    return gw_repair_pause(p, due_ms > spent_ms ? due_ms - spent_ms : 0, err);
}

bool gw_repair_usable(struct gw_repairing *p, unsigned at)
{
    struct gw_cloud_view view;

    gw_fan_view(p->e->fan, at, &view);
    return view.role < GW_ROLE_LEAVING && view.state == GW_CLOUD_OK && !view.suspect;
}

gw_clouds gw_repair_clouds(struct gw_repairing *p)
{
    gw_clouds set = 0;

    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++)
        if (gw_repair_usable(p, at))
            set |= (gw_clouds)1 << at;
    return set;
}

bool gw_repair_fatal(struct gw_repairing *p, qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_FENCED || rc == QC_FULL || rc == QC_NOMEM || rc == QC_LOCKED ||
           rc == QC_NOTCONF || gw_cat_broken(p->e->cat);
}

qc_rc gw_repair_unit(struct gw_repairing *p, struct gw_unit **ret, struct qc_err *err)
{
    for (unsigned pauses = 0;; pauses++) {
        const qc_rc rc = gw_unit_take(p->e->store, GW_OWNER, qc_deadline_in(QC_GW_REPAIR_PAUSE_MS), ret, err);
        if (rc != QC_TEMP || pauses == QC_GW_REPAIR_PAUSES)
            return rc;
        qc_err_clear(err);
        QC_TRY(gw_repair_go_on(p, err));
    }
}

qc_rc gw_repair_inspect(struct gw_repairing *p, const struct gw_segment *seg, uint32_t which,
                        struct gw_inspection *ret, struct gw_read **ret_read, struct qc_err *err)
{
    for (unsigned pauses = 0;; pauses++) {
        const qc_rc rc =
            gw_segment_inspect(p->e->store, seg, which, qc_deadline_in(QC_GW_READ_MS), ret, ret_read, err);
        if (rc == QC_OK)
            return gw_repair_moved(p, ret->bytes, 0, err);
        if (rc != QC_TEMP || pauses == QC_GW_REPAIR_PAUSES)
            return rc;
        qc_err_clear(err);
        QC_TRY(gw_repair_pause(p, QC_GW_REPAIR_PAUSE_MS, err));
    }
}

qc_rc gw_repair_lost(struct gw_repairing *p, const struct gw_segment *seg, unsigned good, bool waiting,
                     struct qc_err *err)
{
    struct gw_repair_report *r = p->r;
    struct gw_version_row v;
    struct gw_repair_loss l = { .seq = seg->seq, .good = good, .k = seg->k, .away = waiting };

    r->waiting += waiting;
    r->lost += !waiting;
    if (r->loss_count == QC_GW_REPAIR_LOSSES_MAX)
        return QC_OK;
    memcpy(l.object.b, seg->object, sizeof l.object.b);
    memcpy(l.version.b, seg->version, sizeof l.version.b);
    const struct gw_version_ids ids = { .tenant = seg->tenant, .object = l.object, .version = l.version };
    QC_LOCK(gw_cat_lock(p->e->cat));
    QC_TRY(gw_cat_version(p->e->cat, &ids, &v, err));
    l.vault = v.vault;
    l.tenant = v.tenant;
    r->losses[r->loss_count++] = l;
    return QC_OK;
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

/* Who is there, ours, and knows of no newer gateway. Nothing is written before. */
static qc_rc hear_clouds(struct gw_repairing *p, struct qc_err *err)
{
    struct gw_engine *e = p->e;
    gw_clouds back;

    QC_TRY(gw_engine_be_sure(e, err));
    QC_TRY(gw_engine_hear(e, gw_fan_all(e->fan), qc_deadline_in(QC_GW_STATUS_MS), err));
    /* One that was mounted anew, or replaced, shows at the second look who it is. */
    QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_ALL, &back, err));
    QC_TRY(gw_engine_sync_lost(e, err));
    p->r->cloud_count = gw_fan_count(e->fan);
    p->r->spare = gw_engine_count(e) - gw_engine_need(e);
    for (unsigned at = 0; at < p->r->cloud_count; at++)
        p->r->clouds[at].cloud_id = gw_fan_id(e->fan, at);
    return QC_OK;
}

static void note_clouds(struct gw_repairing *p)
{
    for (unsigned at = 0; at < p->r->cloud_count; at++) {
        struct gw_repair_cloud *c = &p->r->clouds[at];
        struct gw_cloud_view view;
        gw_fan_view(p->e->fan, at, &view);
        if (view.role >= GW_ROLE_LEAVING) { /* nothing of it is missed */
            c->state = GW_CLOUD_OK;
            continue;
        }
        c->state = view.state == GW_CLOUD_OK && view.suspect ? GW_CLOUD_UNREACHABLE : view.state;
        snprintf(c->why, sizeof c->why, "%s",
                 view.state == GW_CLOUD_OK && view.suspect ? "did not answer in time" : view.why);
    }
}

/* -- segments, by margin --------------------------------------------------------------------------------- */

enum { MARGIN_AT = QC_EC_N_MAX, MARGINS = 2 * QC_EC_N_MAX + 1 };

static unsigned level_of(const struct gw_window_row *row)
{
    const int level = row->margin + MARGIN_AT;

    return level < 0 ? 0 : level >= MARGINS ? MARGINS - 1 : (unsigned)level;
}

static qc_rc window(struct gw_repairing *p, uint64_t from, struct gw_window_row *rows, unsigned *ret_count,
                    struct qc_err *err)
{
    QC_TRY(gw_repair_go_on(p, err));
    QC_LOCK(gw_cat_lock(p->e->cat));
    return gw_cat_window(p->e->cat, from, rows, ret_count, err);
}

/* Is it to be looked at in this pass? Sound ones only when all is read. */
static bool wanted(const struct gw_repairing *p, const struct gw_window_row *row)
{
    return row->id < p->end && (p->ask->deep || row->margin < row->full);
}

static void count_done(struct gw_repair_report *r, const struct gw_window_row *row)
{
    r->segments_done++;
    r->versions_done += row->last;
    r->bytes_done += row->size;
}

/* What there is, and what there is to do, margin by margin. */
static qc_rc count_levels(struct gw_repairing *p, uint64_t by[MARGINS], struct gw_window_row *rows,
                          struct qc_err *err)
{
    unsigned count;

    for (uint64_t from = 0; from < p->end; from += GW_WINDOW) {
        QC_TRY(window(p, from, rows, &count, err));
        for (unsigned i = 0; i < count; i++) {
            p->r->segments++;
            p->r->versions += rows[i].last;
            p->r->bytes += rows[i].size;
            if (wanted(p, &rows[i]))
                by[level_of(&rows[i])]++;
            else
                count_done(p->r, &rows[i]);
        }
    }
    return QC_OK;
}

/* A payer may be at it: it does not take long. */
static qc_rc mend(struct gw_repairing *p, uint64_t id, struct qc_err *err)
{
    while (!gw_mend_begin(p->e, id))
        QC_TRY(gw_repair_pause(p, NAP_MS, err));
    const qc_rc rc = gw_repair_segment(p, id, err);
    gw_mend_end(p->e, id);
    return rc;
}

/* One segment; what goes wrong with it alone does not stop the others (P4). */
static qc_rc one_segment(struct gw_repairing *p, uint64_t id, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = mend(p, id, &why);

    if (rc == QC_OK)
        return QC_OK;
    if (gw_repair_fatal(p, rc)) {
        *err = why;
        return rc;
    }
    p->r->failed++;
    return QC_OK;
}

static qc_rc one_level(struct gw_repairing *p, unsigned level, struct gw_window_row *rows, struct qc_err *err)
{
    unsigned count;

    for (uint64_t from = 0; from < p->end; from += GW_WINDOW) {
        QC_TRY(window(p, from, rows, &count, err));
        for (unsigned i = 0; i < count; i++) {
            if (!wanted(p, &rows[i]) || level_of(&rows[i]) != level || gw_bits_has(&p->done, rows[i].id))
                continue;
            gw_bits_add(&p->done, rows[i].id);
            QC_TRY(one_segment(p, rows[i].id, err));
            count_done(p->r, &rows[i]);
        }
    }
    return QC_OK;
}

static qc_rc repair_segments(struct gw_repairing *p, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    uint64_t by[MARGINS] = { 0 };

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    QC_TRY(count_levels(p, by, rows, err));
    for (unsigned level = 0; level < MARGINS; level++)
        if (by[level] > 0)
            QC_TRY(one_level(p, level, rows, err));
    return QC_OK;
}

/* -- the pass -------------------------------------------------------------------------------------------- */

static qc_rc begin(struct gw_repairing *p, struct qc_err *err)
{
    QC_TRY(hear_clouds(p, err));
    QC_TRY(gw_tidy_suspects(p->e, err));
    {
        QC_LOCK(gw_cat_lock(p->e->cat));
        QC_TRY(gw_meta_get(p->e->cat, "next_segment", &p->end, err));
    }
    QC_TRY(gw_bits_new(&p->done, p->end, err));
    return gw_bits_new(&p->sound, p->end, err);
}

/* Each round of a key is a call of the sweep; between calls requests have their turn. */
static qc_rc sweep_all(struct gw_repairing *p, struct qc_err *err)
{
    bool more = true;

    if (p->ask->dry_run)
        return QC_OK;
    QC_TRY(enter(p, GW_REPAIR_SWEEPING, err));
    for (unsigned round = 0; round < QC_GW_SWEEP_ROUNDS; round++, more = true)
        while (more) {
            QC_TRY(gw_repair_go_on(p, err));
            QC_TRY(gw_tidy_sweep(p->e, &more, err));
        }
    return QC_OK;
}

static qc_rc list(struct gw_repairing *p, struct qc_err *err)
{
    QC_TRY(enter(p, GW_REPAIR_LISTING, err));
    return gw_repair_list(p, err);
}

/* Without --deep a listing says what to read. With it everything is read; a listing then says what else is
 * there: after the sweep, for what this pass replaced is no news. */
static qc_rc fragments(struct gw_repairing *p, struct qc_err *err)
{
    if (!p->ask->deep)
        QC_TRY(list(p, err));
    QC_TRY(enter(p, GW_REPAIR_FRAGMENTS, err));
    QC_TRY(repair_segments(p, err));
    QC_TRY(sweep_all(p, err));
    if (!p->ask->deep)
        return QC_OK;
    QC_TRY(list(p, err));
    return sweep_all(p, err);
}

static qc_rc pass(struct gw_repairing *p, struct qc_err *err)
{
    QC_TRY(enter(p, GW_REPAIR_STARTING, err));
    QC_TRY(begin(p, err));
    if (!p->ask->dry_run) {
        QC_TRY(enter(p, GW_REPAIR_ADOPTING, err));
        QC_TRY(gw_repair_adopt(p, err));
    }
    QC_TRY(enter(p, GW_REPAIR_RECORDS, err));
    QC_TRY(gw_repair_roots(p, err));
    QC_TRY(gw_repair_log(p, err));
    QC_TRY(fragments(p, err));
    return enter(p, GW_REPAIR_DONE, err);
}

static void repairing_done(struct gw_repairing *p)
{
    gw_bits_done(&p->done);
    gw_bits_done(&p->sound);
}

static qc_rc run(struct gw_engine *e, const struct gw_repair_ask *ask, struct gw_repair_report *r,
                 struct qc_err *err)
{
    QC_CLEANUP(repairing_done) struct gw_repairing p = {
        .e = e, .ask = ask, .r = r, .began_ms = qc_now_ms()
    };
    struct qc_err why = { 0 };

    qc_ignore(gw_commit_roll(e, &why), "the next commit says why");
    const qc_rc rc = pass(&p, err);
    note_clouds(&p);
    r->cancelled = rc == QC_CANCELLED;
    return rc;
}

qc_rc gw_engine_repair(struct gw_engine *e, const struct gw_repair_ask *ask, struct gw_repair_report *ret,
                       struct qc_err *err)
{
    bool no = false;

    *ret = (struct gw_repair_report){ .deep = ask->deep, .dry_run = ask->dry_run };
    QC_TRY(gw_engine_may(e, err));
    if (ask->rate != 0 && ask->rate < QC_GW_REPAIR_RATE_MIN)
        return QC_FAIL(err, QC_USAGE, "%" PRIu64 " bytes a second, at least %d", ask->rate,
                       QC_GW_REPAIR_RATE_MIN);
    QC_TRY(gw_engine_must_keep(e, err));
    if (!atomic_compare_exchange_strong(&e->repairing, &no, true))
        return QC_FAIL(err, QC_CONFLICT, "a repair is under way already");
    const qc_rc rc = run(e, ask, ret, err);
    atomic_store(&e->repairing, false);
    return rc;
}

/* -- what it means --------------------------------------------------------------------------------------- */

struct sums {
    uint64_t left, records_left;
    unsigned away, unlisted;
};

static struct sums sum_up(const struct gw_repair_report *r)
{
    struct sums s = { 0 };

    for (unsigned at = 0; at < r->cloud_count; at++) {
        s.left += r->clouds[at].left;
        s.records_left += r->clouds[at].records_left;
        s.away += r->clouds[at].state != GW_CLOUD_OK;
        s.unlisted += r->clouds[at].state == GW_CLOUD_OK && r->clouds[at].unlisted;
    }
    return s;
}

qc_rc gw_repair_verdict(const struct gw_repair_report *r, struct qc_err *err)
{
    const struct sums s = sum_up(r);

    if (r->lost > 0 || r->records_lost > 0)
        return QC_FAIL(err, QC_INTEGRITY,
                       "%" PRIu64 " segments and %" PRIu64
                       " records are beyond repair: too little of them is left",
                       r->lost, r->records_lost);
    if (r->waiting > 0)
        return QC_FAIL(err, QC_QUORUM,
                       "%" PRIu64
                       " segments have too few fragments on the clouds that answer; %u of %u clouds are away",
                       r->waiting, s.away, r->cloud_count);
    if (s.away > r->spare)
        return QC_FAIL(err, QC_QUORUM,
                       "%u of %u clouds are away, and at most %u may be while all is to be read", s.away,
                       r->cloud_count, r->spare);
    if (r->cancelled)
        return QC_FAIL(err, QC_CANCELLED, "the repair was stopped; what it had repaired stays");
    if (r->rebuildable > 0)
        return QC_FAIL(err, QC_DEGRADED, "%" PRIu64 " fragments would be rebuilt, and %" PRIu64 " left",
                       r->rebuildable, s.left);
    if (s.left > 0 || s.records_left > 0 || r->failed > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " fragments and %" PRIu64 " records could not be put where they belong",
                       s.left, s.records_left);
    if (s.away > 0)
        return QC_FAIL(err, QC_DEGRADED, "%u of %u clouds do not answer: nothing is known of what lies there",
                       s.away, r->cloud_count);
    if (s.unlisted > 0)
        return QC_FAIL(err, QC_DEGRADED, "%u of %u clouds could not be listed: what they lack is not known",
                       s.unlisted, r->cloud_count);
    return QC_OK;
}
