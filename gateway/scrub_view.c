/* The scrub: asking for it, and about it. */
#include <stdio.h>

#include "make.h"
#include "scrub_internal.h"

enum { KEYS = 65536 };

const char *gw_depth_name(enum gw_depth d)
{
    return d == GW_PRESENCE ? "presence" : "content";
}

const char *gw_finding_kind_name(enum gw_finding_kind k)
{
    static const char *const names[] = { "missing", "size", "damaged", "stale", "unknown", "foreign" };

    QC_ASSERT((size_t)k < sizeof names / sizeof *names);
    return names[k];
}

const char *gw_finding_source_name(enum gw_finding_source s)
{
    static const char *const names[] = { "read", "presence", "content" };

    QC_ASSERT((size_t)s < sizeof names / sizeof *names);
    return names[s];
}

void gw_engine_scrub_conf(struct gw_engine *e, const struct gw_scrub_conf *conf)
{
    QC_LOCK(&e->scrubs.lock);
    e->scrubs.conf = *conf;
    e->scrubs.pace.bytes_per_s = conf->bytes_per_s;
    e->scrubs.pace.requests_per_s = conf->requests_per_s;
}

static qc_rc want(struct gw_engine *e, unsigned at, enum gw_depth depth, struct qc_err *err)
{
    struct gw_scrub_row row;

    QC_TRY(gw_scrub_row(e, at, depth, &row, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_scrub_want(e->cat, row.cloud_id, depth, true, err));
    return gw_cat_commit(e->cat, &tx, err);
}

void gw_finding_audit(struct gw_engine *e, const struct gw_finding *f)
{
    GW_AUDIT(e->audit, "finding", QC_S("cloud", gw_engine_cloud_name(e, f->cloud_id)), QC_S("key", f->key),
             QC_S("kind", gw_finding_kind_name(f->kind)), QC_S("by", gw_finding_source_name(f->source)));
}

qc_rc gw_finding_put(struct gw_engine *e, const struct gw_segment *seg, unsigned frag,
                     enum gw_finding_kind kind, struct qc_err *err)
{
    struct gw_finding f = { .kind = kind, .source = GW_FOUND_BY_READ };
    char key[GW_NAME_SIZE];
    int at;

    QC_TRY(gw_segment_key(e->store, seg, frag, &at, key, err));
    if (at < 0)
        return QC_OK;
    f.cloud_id = gw_fan_id(e->fan, (unsigned)at);
    memcpy(f.key, key, sizeof key);
    return gw_cat_finding_put(e->cat, &f, err);
}

qc_rc gw_finding_end(struct gw_engine *e, const struct gw_segment *seg, unsigned frag, struct qc_err *err)
{
    char key[GW_NAME_SIZE];
    int at;

    QC_TRY(gw_segment_key(e->store, seg, frag, &at, key, err));
    return at < 0 ? QC_OK : gw_cat_finding_end(e->cat, gw_fan_id(e->fan, (unsigned)at), key, err);
}

void gw_scrub_wake(struct gw_engine *e)
{
    struct gw_scrubs *sc = &e->scrubs;
    QC_LOCK(&sc->lock);

    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        for (unsigned d = 0; d < GW_DEPTHS; d++) {
            sc->rests[at][d].until_ms = 0;
            sc->rests[at][d].why[0] = '\0';
        }
    sc->news = true;
    qc_cond_wake_all(&sc->wake);
}

qc_rc gw_engine_scrub(struct gw_engine *e, bool content, const char *cloud, struct qc_err *err)
{
    bool any = false;

    QC_TRY(gw_engine_may(e, err));
    if (cloud != NULL && !gw_cloud_name_ok(cloud))
        return QC_FAIL(err, QC_USAGE, "that is no name of a cloud");
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        const char *name = gw_engine_scrub_name(e, at);
        if (name == NULL || (cloud != NULL && strcmp(cloud, name) != 0))
            continue;
        any = true;
        QC_TRY(want(e, at, GW_PRESENCE, err));
        if (content)
            QC_TRY(want(e, at, GW_CONTENT, err));
    }
    if (!any)
        return QC_FAIL(err, QC_NOTFOUND, "this gateway has no cloud '%s'", cloud == NULL ? "" : cloud);
    gw_scrub_wake(e);
    return QC_OK;
}

/* How much of the part that is measured is done, of how much. */
static void measure(const struct gw_scrub_row *row, uint64_t *ret_done, uint64_t *ret_all)
{
    const bool listing = row->depth == GW_PRESENCE;

    *ret_all = listing ? KEYS : row->upto;
    *ret_done = row->stage == GW_SCRUB_LIST   ? gw_listing_done(row->at)
                : row->stage == GW_SCRUB_READ ? row->next
                                              : *ret_all;
}

/* Until then a pass does not count as missed: by the period, where passes begin by themselves; else as by
 * default. */
static int64_t patience_s(const struct gw_engine *e, enum gw_depth depth)
{
    const uint64_t every = gw_scrub_period(e, depth);
    const uint64_t usual = depth == GW_PRESENCE ? gw_scrub_default.presence_s : gw_scrub_default.content_s;

    return (int64_t)((every != 0 ? every : usual) * QC_GW_SCRUB_OLD);
}

/* oldest_s: of what is stored; 0: nothing is. */
static int64_t seen_since(const struct gw_scrub_row *row, int64_t oldest_s)
{
    const int64_t cared_s = row->last.began != 0 ? row->last.began : row->now.began;

    if (row->last.ended != 0)
        return row->last.began;
    return oldest_s == 0 || oldest_s > cared_s ? oldest_s : cared_s;
}

static void view(struct gw_engine *e, unsigned at, const struct gw_scrub_row *row, int64_t oldest_s,
                 struct gw_scrub_view *ret)
{
    uint64_t done = 0, all = 1;
    const uint64_t every = gw_scrub_period(e, row->depth);
    const int64_t since_s = seen_since(row, oldest_s);
    struct gw_scrub_view v = {
        .running = row->stage != 0,
        .wanted = row->wanted && row->stage == 0,
        .again = row->wanted && row->stage != 0,
        .left_s = -1,
        .due_s = every == 0 ? 0 : row->now.began + (int64_t)every,
        .began_s = row->stage != 0 ? row->now.began : 0,
        .since_s = since_s,
        .late = oldest_s != 0 && qc_wall_s() - since_s > patience_s(e, row->depth),
        .last_began_s = row->last.ended != 0 ? row->last.began : 0,
        .last_ended_s = row->last.ended,
        .last_objects = row->last.objects,
        .last_bytes = row->last.bytes,
        .last_found = row->last.found,
        .last_spent_ms = row->last.spent_ms,
    };

    if (v.running) {
        measure(row, &done, &all);
        v.permille = all == 0 || done >= all ? 999 : (unsigned)(done * 999 / all);
        v.left_s = done >= all ? -1 : gw_forecast_s(done, all, row->now.spent_ms);
        v.objects = row->now.objects;
        v.bytes = row->now.bytes;
        v.found = row->now.found;
    }
    QC_LOCK(&e->scrubs.lock);
    memcpy(v.why, e->scrubs.rests[at][row->depth - 1].why, sizeof v.why);
    *ret = v;
}

/* A hand has stopped it, which is why it waits. */
static void tell_pause(struct gw_scrub_cloud *c)
{
    char when[QC_TIME_TEXT];

    if (c->paused_s == 0)
        return;
    qc_time_text(c->paused_s, when);
    for (unsigned d = 0; d < GW_DEPTHS; d++)
        (void)snprintf(c->depth[d].why, sizeof c->depth[d].why, "paused since %s by hand", when);
}

struct counting {
    uint32_t cloud_id;
    struct gw_scrub_cloud *ret;
};

static void count(void *ctx, uint32_t cloud_id, enum gw_finding_kind kind, uint64_t n)
{
    struct counting *c = ctx;

    if (cloud_id == c->cloud_id)
        c->ret->findings[kind] += n;
}

qc_rc gw_engine_scrub_view(struct gw_engine *e, unsigned at, struct gw_scrub_cloud *ret, struct qc_err *err)
{
    struct gw_scrub_cloud c = { 0 };
    struct counting counts = { gw_fan_id(e->fan, at), &c };

    for (enum gw_depth depth = GW_PRESENCE; depth <= GW_CONTENT; depth++) {
        struct gw_scrub_row row;
        int64_t oldest_s;
        bool found;
        {
            QC_LOCK(gw_cat_lock(e->cat));
            QC_TRY(gw_cat_scrub_get(e->cat, counts.cloud_id, depth, &row, &found, err));
            QC_TRY(gw_cat_oldest(e->cat, &oldest_s, err));
        }
        if (!found)
            row.now.began = qc_wall_s();
        view(e, at, &row, oldest_s, &c.depth[depth - 1]);
    }
    struct gw_scrub_hand hand;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_hand_get(e->cat, &hand, err));
    c.paused_s = gw_scrub_paused(&hand, counts.cloud_id);
    tell_pause(&c);
    QC_TRY(gw_cat_mend_count(e->cat, counts.cloud_id, &c.queue, &c.queue_since_s, err));
    QC_TRY(gw_cat_finding_counts(e->cat, count, &counts, err));
    *ret = c;
    return QC_OK;
}

unsigned gw_engine_scrub_clouds(struct gw_engine *e)
{
    return gw_fan_count(e->fan);
}

const char *gw_engine_scrub_name(struct gw_engine *e, unsigned at)
{
    return gw_scrub_covers(e, at) ? gw_fan_name(e->fan, at) : NULL;
}

qc_rc gw_engine_findings(struct gw_engine *e, uint64_t before, struct gw_finding *v, unsigned max,
                         unsigned *ret_count, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_findings(e->cat, 0, before, v, max, ret_count, err);
}
