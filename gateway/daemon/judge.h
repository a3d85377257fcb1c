/* Is all as it should be, and if not, what is to be done: the one judgement behind the dashboard, /metrics
 * and both programs' status. Part of qcloud-gateway.
 *
 * It is made of observations alone, and an observation that is too old is itself a reason (docs/adr/0023). */
#pragma once
#include "gateway/engine.h"

enum judge_level { JUDGE_WELL, JUDGE_LOOK, JUDGE_ACT };
const char *judge_level_name(enum judge_level l); /* "well", "look", "act", as in API.md */

struct judge_source {
    const struct gw_status *status;
    bool audit_failing; /* the audit log cannot be written */
    int64_t now_s;      /* wall clock */
};

enum { JUDGE_TEXT = 320 };
struct judge_reason {
    enum judge_level level; /* LOOK, ACT */
    char what[JUDGE_TEXT];  /* with names of clouds, which are no HTML */
    bool drill;             /* it is that no drill was held lately */
    const char *advice; /* a command of this program stands between backticks, without the program's name */
};
typedef void (*judge_fn)(void *ctx, const struct judge_reason *r);

/* Calls fn for each reason, the worst first; NULL: for none. Returns the worst level. */
enum judge_level judge(const struct judge_source *src, judge_fn fn, void *ctx);

/* What the versions may still lose, of those that are counted. */
struct judge_margins {
    int least;                  /* full where there are none */
    uint64_t less, none, below; /* versions with less than the full margin; with 0; with less than that */
};
void judge_margins(const struct gw_status *s, struct judge_margins *ret);
