/* Scrub: what lies on the clouds is held against what the catalogue says, for ever, in the background. Layer
 * 4; uses base, cloud. Keeps I1. docs/adr/0018; ARCHITECTURE, "How loss is noticed and repaired".
 *
 * Two depths, each with a pass of its own for each cloud:
 *   presence  the cloud's listing; what it does not show is asked for by name (HEAD)
 *   content   every fragment and every log object that counts is read and verified, whole
 *
 * A pass goes page by page; a page's findings and the place where the next one goes on are one transaction,
 * so that a pass that was killed repeats one page at most. What is missing or bad counts no more from then
 * on, and is mended by whoever pays the cloud its debts (gateway/pay.c). What nobody can explain is told, and
 * never touched (D5).
 */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/time.h"
#include "cloud/cloud.h"

struct gw_engine;

enum gw_depth { GW_PRESENCE = 1, GW_CONTENT = 2 };
enum { GW_DEPTHS = 2 };
const char *gw_depth_name(enum gw_depth d); /* "presence", "content", as in API.md */

enum gw_finding_kind {
    GW_FINDING_MISSING, /* it should be there */
    GW_FINDING_SIZE,    /* it is there, and too short or too long */
    GW_FINDING_DAMAGED, /* its tags do not hold */
    GW_FINDING_STALE, /* a genuine object of ours, under a name that is not its own: the cloud went back to an
                         older one, or swapped two */
    GW_FINDING_UNKNOWN, /* a name of ours that no row explains: an alarm, for the catalogue may be too old */
    GW_FINDING_FOREIGN, /* not of ours */
    GW_FINDING_KINDS
};
const char *gw_finding_kind_name(enum gw_finding_kind k); /* "missing", "size", .. */
enum gw_finding_source { GW_FOUND_BY_READ, GW_FOUND_BY_PRESENCE, GW_FOUND_BY_CONTENT, GW_FINDING_SOURCES };
const char *gw_finding_source_name(enum gw_finding_source s); /* "read", "presence", "content" */

struct gw_finding {
    uint64_t no; /* ascending, never given twice */
    uint32_t cloud_id;
    char key[CLOUD_KEY_SIZE_MAX + 1];
    enum gw_finding_kind kind;
    enum gw_finding_source source;
    uint64_t pass;           /* of the scrub that saw it last; 0: a read did */
    int64_t found_s, seen_s; /* wall clock: first and last seen */
    int64_t ended_s;         /* mended, or gone; 0: it stands */
};

struct gw_scrub_conf {
    uint64_t presence_s, content_s; /* from the beginning of a pass to that of the next; 0: never by itself */
    uint64_t bytes_per_s;           /* read by it; 0: as fast as it goes */
    uint64_t requests_per_s;        /* to clouds; 0: as many as it goes */
};
/* What holds where nothing else is said. */
extern const struct gw_scrub_conf gw_scrub_default;
/* Before gw_engine_work; holds until the engine is closed. */
void gw_engine_scrub_conf(struct gw_engine *e, const struct gw_scrub_conf *conf);

/* A whole pass is asked for that begins now, or, where one is under way, after it: that one has passed by
 * some of what lies there. Whatever rests or waits goes on now. Durable. content: presence, too, and first.
 * cloud: its name; NULL: all. QC_NOTFOUND: no cloud of that name; QC_USAGE: it is no name. */
QC_MUST qc_rc gw_engine_scrub(struct gw_engine *e, bool content, const char *cloud, struct qc_err *err);
/* What a hand has set (scrub_hand.c). Durable: it outlives the gateway, but no rebuild from the clouds. */
enum { GW_SCRUB_PAUSES = 32 }; /* QC_GW_CLOUDS_MAX */
#define GW_SCRUB_NO_RATE UINT64_MAX
struct gw_scrub_hand {
    uint64_t rate; /* bytes a second instead of the configuration's; 0: that; GW_SCRUB_NO_RATE: no limit */
    struct gw_scrub_paused {
        uint32_t cloud_id; /* 0: none */
        int64_t since_s;   /* wall clock */
    } paused[GW_SCRUB_PAUSES];
};
/* Since when a cloud is paused; 0: it is not, or no more: QC_GW_SCRUB_PAUSE_S ends it. */
int64_t gw_scrub_paused(const struct gw_scrub_hand *h, uint32_t cloud_id);
/* No pass of a cloud goes on, or begins, until it is resumed; a page that is under way comes to its end. What
 * was asked for meanwhile waits. cloud: its name; NULL: all that there are. QC_NOTFOUND, QC_USAGE, QC_FENCED
 */
QC_MUST qc_rc gw_engine_scrub_pause(struct gw_engine *e, const char *cloud, bool pause, struct qc_err *err);
/* gw_scrub_hand.rate, from the next page on. QC_FENCED */
QC_MUST qc_rc gw_engine_scrub_rate(struct gw_engine *e, uint64_t bytes_per_s, struct qc_err *err);
/* Bytes a second, 0: no limit; is that set by hand? */
QC_MUST qc_rc gw_engine_scrub_pace(struct gw_engine *e, uint64_t *ret_bytes_per_s, bool *ret_by_hand,
                                   struct qc_err *err);
/* One page of work in the caller's thread, where no threads of the engine do it (gw_engine_work), as fast as
 * it goes. *ret_more: there is more that can be done now. */
QC_MUST qc_rc gw_engine_scrub_step(struct gw_engine *e, bool *ret_more, struct qc_err *err);

/* How one pass stands. */
struct gw_scrub_view {
    bool running;                                /* a pass is under way */
    bool wanted;                                 /* one is about to begin */
    bool again;                                  /* one was asked for, and follows the one under way */
    unsigned permille;                           /* of the part that is measured, rounded down */
    int64_t left_s;                              /* of work, by the measured speed; -1: unknown */
    int64_t due_s;                               /* wall clock: the next begins by itself; 0: never */
    int64_t began_s, last_began_s, last_ended_s; /* wall clock; 0: never */
    uint64_t objects, bytes, found;              /* of the pass under way */
    uint64_t last_objects, last_bytes, last_found, last_spent_ms;
    /* Wall clock: what lies there was looked at, all of it, since then: when the last whole pass began;
     * before the first one, since when the cloud is looked after, or has something to look at. 0: nothing to
     * see */
    int64_t since_s;
    bool late;     /* that is longer ago than QC_GW_SCRUB_OLD periods */
    char why[160]; /* it waits, and for what; "" */
};
struct gw_scrub_cloud {
    struct gw_scrub_view depth[GW_DEPTHS]; /* presence, content */
    int64_t paused_s;                      /* by hand, since then; 0: it is not */
    uint64_t queue;                        /* fragments that are to be mended, debts apart */
    int64_t queue_since_s;                 /* wall clock: the oldest of these was found; 0: none */
    uint64_t findings[GW_FINDING_KINDS];   /* that stand */
};
/* Positions of clouds, and the name of the cloud at one. NULL: it is not scrubbed, for it counts not yet, or
 * no more. */
unsigned gw_engine_scrub_clouds(struct gw_engine *e);
const char *gw_engine_scrub_name(struct gw_engine *e, unsigned at);
/* By the cloud's position. */
QC_MUST qc_rc gw_engine_scrub_view(struct gw_engine *e, unsigned at, struct gw_scrub_cloud *ret,
                                   struct qc_err *err);
/* The newest, at most max, with a smaller number than `before` (0: of all), descending; those that ended,
 * too. */
QC_MUST qc_rc gw_engine_findings(struct gw_engine *e, uint64_t before, struct gw_finding *v, unsigned max,
                                 unsigned *ret_count, struct qc_err *err);
