/* The steps of a scrub: scrub.c begins and ends passes and saves pages; scrub_presence.c and scrub_content.c
 * look. */
#pragma once
#include "repair_internal.h"

/* gw_scrub_row.stage; 0: no pass is under way */
enum gw_scrub_stage {
    GW_SCRUB_LIST = 1, /* presence: what the cloud shows */
    GW_SCRUB_ASK,      /* presence: fragments that it did not show, by name */
    GW_SCRUB_LOG,      /* presence: log objects that it did not show; content: log objects */
    GW_SCRUB_READ,     /* content: fragments */
    GW_SCRUB_END,      /* root objects, and what does not stand any more */
};

/* What a listing has shown so far: the bits of gw_cat_seen_put. For one cloud at a time. */
enum { GW_SEEN_CHUNK = 4096 };
struct gw_seen {
    uint32_t cloud_id;
    uint64_t pass;
    struct gw_bits frags, log;
    struct gw_bits dirty, dirty_log; /* chunks that were not saved */
};

/* A fragment that is not as it should be. */
struct gw_bad {
    uint64_t segment_id;
    unsigned frag;
    enum gw_finding_kind kind;
    char key[GW_NAME_SIZE];
};

/* One page. */
struct gw_scrubbing {
    struct gw_engine *e;
    unsigned at; /* the cloud */
    uint32_t cloud_id;
    struct gw_scrub_row row;
    struct gw_seen *seen; /* of a presence pass */
    struct gw_repair_ask ask;
    struct gw_repairing p;             /* for what a repair knows of listings and records */
    uint64_t objects, bytes, requests; /* of this page */
    uint64_t found;
    qc_buf odd;     /* objects that nobody can explain: kind, key, NUL; and so on */
    qc_buf bad;     /* struct gw_bad; and so on */
    qc_buf bad_log; /* sequences of log copies, 8 bytes each; and so on */
    bool ill;       /* the cloud did not answer: the page comes to nothing, or ends here */
    bool later;     /* requests have the units: the page ends here */
    char why[GW_WHY_MAX];
};

/* The row of a pass; made, so that its time begins, where there is none. */
QC_MUST qc_rc gw_scrub_row(struct gw_engine *e, unsigned at, enum gw_depth depth, struct gw_scrub_row *ret,
                           struct qc_err *err);
bool gw_scrub_covers(const struct gw_engine *e, unsigned at);             /* does the cloud count? */
uint64_t gw_scrub_period(const struct gw_engine *e, enum gw_depth depth); /* seconds; 0: never by itself */

/* What a hand has set, as the row says it now, is gone by from now on. */
QC_MUST qc_rc gw_scrub_hand_load(struct gw_engine *e, struct qc_err *err);
/* Whoever rests may be asked at once. */
void gw_scrub_wake(struct gw_engine *e);

/* Remember, for the end of the page. */
QC_MUST qc_rc gw_scrub_bad(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                           enum gw_finding_kind kind, const char *key, struct qc_err *err);
/* Of a log copy that is not right: it is owed again. */
QC_MUST qc_rc gw_scrub_bad_log(struct gw_scrubbing *s, uint64_t sequence, struct qc_err *err);
/* The cloud does not answer as it should. */
void gw_scrub_ill(struct gw_scrubbing *s, const char *why);
/* A segment, and its fragments that count on this cloud, bit i for fragment i. One that is gone since has
 * none; then *ret is not written. */
QC_MUST qc_rc gw_scrub_segment(struct gw_scrubbing *s, uint64_t id, struct gw_segment *ret,
                               uint32_t *ret_here, struct qc_err *err);
/* What lies under the key of a fragment, which is known not to be it? */
QC_MUST qc_rc gw_scrub_judge(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                             enum gw_finding_kind *ret, struct qc_err *err);

/* Pages by stage. They set row.at, next and stage. */
QC_MUST qc_rc gw_scrub_list(struct gw_scrubbing *s, struct qc_err *err);
QC_MUST qc_rc gw_scrub_ask(struct gw_scrubbing *s, struct qc_err *err);
QC_MUST qc_rc gw_scrub_log(struct gw_scrubbing *s, struct qc_err *err);
QC_MUST qc_rc gw_scrub_read(struct gw_scrubbing *s, struct qc_err *err);

/* scrub_presence.c: what was shown. */
void gw_seen_free(struct gw_seen **s);
/* As saved, or empty for a pass that begins. */
QC_MUST qc_rc gw_seen_load(struct gw_engine *e, const struct gw_scrub_row *row, struct gw_seen **ret,
                           struct qc_err *err);
/* In a transaction. */
QC_MUST qc_rc gw_seen_save(struct gw_cat *c, struct gw_seen *s, struct qc_err *err);
