#include "watch.h"

#include "base/alloc.h"
#include "base/thread.h"

void watch_init(struct watch *w)
{
    qc_mutex_init(&w->lock);
    qc_cond_init(&w->seen);
}

void watch_done(struct watch *w)
{
    qc_cond_done(&w->seen);
    qc_mutex_done(&w->lock);
}

/* -- observing ------------------------------------------------------------------------------------------- */

/* What is to be done by whoever asked. */
struct turn {
    bool ask, count;
    uint64_t took_ms; /* the counting */
};

/* What is due, for the caller to do; nothing while somebody else does. *s: the last observation, or {0}. */
static qc_rc take_turn(struct watch *w, struct turn *ret, struct gw_status *s, struct qc_err *err)
{
    const qc_deadline d = qc_deadline_in(WATCH_FIRST_MS);
    QC_LOCK(&w->lock);

    while (!w->has && w->looking)
        if (!qc_cond_wait(&w->seen, &w->lock, d))
            return QC_FAIL(err, QC_TEMP, "the first observation is not there yet");
    const uint64_t now = qc_now_ms();
    *ret = (struct turn){ 0 };
    if (!w->looking) {
        ret->ask = !w->has || now >= w->ask_ms;
        ret->count = !w->has || now >= w->count_ms;
        w->looking = ret->ask || ret->count;
    }
    *s = w->last;
    return QC_OK;
}

static qc_rc observe(struct gw_engine *e, struct turn *t, struct gw_status *s, struct qc_err *err)
{
    if (t->ask)
        QC_TRY(gw_engine_ask(e, s, err));
    else
        gw_engine_look(e, s);
    if (!t->count)
        return QC_OK;
    const uint64_t began_ms = qc_now_ms();
    QC_TRY(gw_engine_counts(e, s, err));
    t->took_ms = qc_now_ms() - began_ms;
    return QC_OK;
}

static void end_turn(struct watch *w, const struct turn *t, const struct gw_status *s, qc_rc rc)
{
    const uint64_t now = qc_now_ms();
    const uint64_t rest_ms = WATCH_COUNTS_REST * t->took_ms;
    QC_LOCK(&w->lock);

    w->looking = false;
    if (t->ask)
        w->ask_ms = now + WATCH_CLOUDS_MS;
    if (t->count)
        w->count_ms = now + (rest_ms > WATCH_COUNTS_MS ? rest_ms : WATCH_COUNTS_MS);
    if (rc == QC_OK) {
        w->last = *s;
        w->has = true;
    }
    qc_cond_wake_all(&w->seen);
}

qc_rc watch_get(struct watch *w, struct gw_engine *e, struct gw_status *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    struct turn t;

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "status");
    QC_TRY(take_turn(w, &t, s, err));
    const qc_rc rc = observe(e, &t, s, err);
    if (t.ask || t.count)
        end_turn(w, &t, s, rc);
    QC_TRY(rc);
    *ret = *s;
    return QC_OK;
}

/* -- alive ----------------------------------------------------------------------------------------------- */

/* false: somebody reads already. *ret_ms: since when */
static bool read_begins(struct watch *w, uint64_t *ret_since_ms)
{
    QC_LOCK(&w->lock);

    *ret_since_ms = w->reading_ms;
    if (w->reading_ms != 0)
        return false;
    w->reading_ms = qc_now_ms();
    return true;
}

static void read_ends(struct watch *w)
{
    QC_LOCK(&w->lock);

    w->reading_ms = 0;
}

qc_rc watch_alive(struct watch *w, struct gw_engine *e, struct qc_err *err)
{
    struct gw_health h;
    uint64_t since_ms;

    gw_engine_health(e, &h);
    if (h.broken)
        return QC_FAIL(err, QC_IO, "the disk of the catalogue failed");
    if (read_begins(w, &since_ms)) {
        const qc_rc rc = gw_engine_alive(e, err);
        read_ends(w);
        return rc;
    }
    if (qc_now_ms() - since_ms >= WATCH_SILENT_MS)
        return QC_FAIL(err, QC_TEMP, "the catalogue has not answered for %d seconds", WATCH_SILENT_MS / 1000);
    return QC_OK;
}

/* -- ready ----------------------------------------------------------------------------------------------- */

void watch_ready(const struct gw_status *s, struct watch_ready *ret)
{
    unsigned well = 0;

    for (unsigned at = 0; at < s->cloud_count; at++)
        well += s->clouds[at].view.state == GW_CLOUD_OK && !s->clouds[at].view.suspect;
    const bool may = !s->health.fenced && !s->health.broken;
    unsigned needs = s->write_quorum > s->record_quorum ? s->write_quorum : s->record_quorum;
    needs = needs > s->needed ? needs : s->needed;
    *ret = (struct watch_ready){
        .well = well, .write_needs = needs, .read = may && well >= s->needed, .write = may && well >= needs
    };
}
