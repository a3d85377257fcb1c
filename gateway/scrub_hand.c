/* What an operator's hand has set of the scrub: clouds that it leaves alone until they are resumed, and
 * another rate than the configuration's. A row of the catalogue: it outlives the gateway, and every gateway
 * on that catalogue goes by it. */
#include <inttypes.h>
#include <stdio.h>

#include "make.h"
#include "scrub_internal.h"

_Static_assert((int)GW_SCRUB_PAUSES == (int)QC_GW_CLOUDS_MAX, "each cloud may be paused");

/* A pause that nobody remembers would look like health: it ends by itself. So does one that a wrong clock
 * has set far ahead. */
static bool is_over(int64_t since_s, int64_t now_s)
{
    return now_s - since_s >= QC_GW_SCRUB_PAUSE_S || since_s - now_s >= QC_GW_SCRUB_PAUSE_S;
}

int64_t gw_scrub_paused(const struct gw_scrub_hand *h, uint32_t cloud_id)
{
    for (unsigned i = 0; i < GW_SCRUB_PAUSES; i++)
        if (h->paused[i].cloud_id == cloud_id)
            return is_over(h->paused[i].since_s, qc_wall_s()) ? 0 : h->paused[i].since_s;
    return 0;
}

/* Whose cloud is gone is forgotten; one that is paused already is so from now on. */
static void pause_one(struct gw_engine *e, struct gw_scrub_hand *h, uint32_t cloud_id, bool pause)
{
    int room = -1;

    for (unsigned i = 0; i < GW_SCRUB_PAUSES; i++) {
        struct gw_scrub_paused *p = &h->paused[i];
        const int at = p->cloud_id == 0 ? -1 : gw_fan_at(e->fan, p->cloud_id);
        if (at < 0 || !gw_scrub_covers(e, (unsigned)at) || p->cloud_id == cloud_id)
            *p = (struct gw_scrub_paused){ 0 };
        if (p->cloud_id == 0 && room < 0)
            room = (int)i;
    }
    QC_ASSERT(!pause || room >= 0); /* as many as a gateway can have */
    if (pause)
        h->paused[room] = (struct gw_scrub_paused){ cloud_id, qc_wall_s() };
}

/* The threads see it with their next page; what waits for the rate of before does not. */
static void use(struct gw_engine *e, const struct gw_scrub_hand *h)
{
    struct gw_scrubs *s = &e->scrubs;
    QC_LOCK(&s->lock);
    const uint64_t rate = h->rate == 0 ? s->conf.bytes_per_s : h->rate == GW_SCRUB_NO_RATE ? 0 : h->rate;

    if (rate != s->pace.bytes_per_s)
        s->pace.free_us = 0;
    s->pace.bytes_per_s = rate;
    s->hand = *h;
}

qc_rc gw_scrub_hand_load(struct gw_engine *e, struct qc_err *err)
{
    struct gw_scrub_hand h;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_hand_get(e->cat, &h, err));
    }
    use(e, &h);
    return QC_OK;
}

qc_rc gw_engine_scrub_pace(struct gw_engine *e, uint64_t *ret_bytes_per_s, bool *ret_by_hand,
                           struct qc_err *err)
{
    QC_TRY(gw_scrub_hand_load(e, err));
    QC_LOCK(&e->scrubs.lock);
    *ret_bytes_per_s = e->scrubs.pace.bytes_per_s;
    *ret_by_hand = e->scrubs.hand.rate != 0;
    return QC_OK;
}

/* What is set, in one transaction with what was. */
struct setting {
    const char *cloud; /* NULL: all */
    bool pause, rate;
    uint64_t bytes_per_s;
};

static qc_rc change(struct gw_engine *e, const struct setting *s, struct gw_scrub_hand *h, struct qc_err *err)
{
    bool any = false;

    if (s->rate)
        h->rate = s->bytes_per_s;
    for (unsigned at = 0; at < gw_fan_count(e->fan) && !s->rate; at++) {
        const char *name = gw_engine_scrub_name(e, at);
        if (name == NULL || (s->cloud != NULL && strcmp(s->cloud, name) != 0))
            continue;
        any = true;
        pause_one(e, h, gw_fan_id(e->fan, at), s->pause);
    }
    return s->rate || any ? QC_OK
                          : QC_FAIL(err, QC_NOTFOUND, "this gateway has no cloud '%s'",
                                    s->cloud == NULL ? "" : s->cloud);
}

static qc_rc set(struct gw_engine *e, const struct setting *s, struct qc_err *err)
{
    struct gw_scrub_hand h;

    QC_TRY(gw_engine_may(e, err));
    if (s->cloud != NULL && !gw_cloud_name_ok(s->cloud))
        return QC_FAIL(err, QC_USAGE, "that is no name of a cloud");
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(e->cat, &tx, err));
        QC_TRY(gw_cat_hand_get(e->cat, &h, err));
        QC_TRY(change(e, s, &h, err));
        QC_TRY(gw_cat_hand_put(e->cat, &h, err));
        QC_TRY(gw_cat_commit(e->cat, &tx, err));
    }
    use(e, &h);
    gw_scrub_wake(e);
    return QC_OK;
}

qc_rc gw_engine_scrub_pause(struct gw_engine *e, const char *cloud, bool pause, struct qc_err *err)
{
    QC_TRY(set(e, &(struct setting){ .cloud = cloud, .pause = pause }, err));
    GW_AUDIT(e->audit, pause ? "scrub_paused" : "scrub_resumed", QC_S("cloud", cloud == NULL ? "" : cloud));
    return QC_OK;
}

qc_rc gw_engine_scrub_rate(struct gw_engine *e, uint64_t bytes_per_s, struct qc_err *err)
{
    QC_TRY(set(e, &(struct setting){ .rate = true, .bytes_per_s = bytes_per_s }, err));
    GW_AUDIT(e->audit, "scrub_rate", QC_U("bytes", bytes_per_s == GW_SCRUB_NO_RATE ? 0 : bytes_per_s),
             QC_U("by_hand", bytes_per_s != 0));
    return QC_OK;
}
