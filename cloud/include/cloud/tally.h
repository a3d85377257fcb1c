/* What was asked of a cloud, how long it took and how it went. Layer 2; uses base. Any thread.
 *
 * Whoever opens a handle may lend it a tally (cloud_opts); all handles of one cloud share one. A call is
 * counted when it ends, whatever it says. A driver's own second tries are within the one call that made them.
 */
#pragma once
#include "base/err.h"
#include "base/hist.h"

/* The calls of cloud.h; X(constant, name) */
#define CLOUD_CALLS_TABLE(X)                                                                                 \
    X(PUT, "put")                                                                                            \
    X(GET, "get")                                                                                            \
    X(HEAD, "head")                                                                                          \
    X(DELETE, "delete")                                                                                      \
    X(LIST, "list")                                                                                          \
    X(SPACE, "space")                                                                                        \
    X(ALIVE, "alive")                                                                                        \
    X(OPEN, "open")

/* What codes come to: few enough that each can be counted for each call of each cloud. */
#define CLOUD_TROUBLES_TABLE(X)                                                                              \
    X(ABSENT, "absent")       /* it answers, and has no such object: often what was hoped for */             \
    X(TIMEOUT, "timeout")     /* the deadline passed */                                                      \
    X(CANCELLED, "cancelled") /* nobody wanted the answer any more */                                        \
    X(AWAY, "away")           /* lost, or not to be reached now */                                           \
    X(AUTH, "auth")           /* refused: keys or rights */                                                  \
    X(FULL, "full")           /* no room, a quota, or too large */                                           \
    X(CONFLICT, "conflict")   /* other bytes lie there already */                                            \
    X(DAMAGED, "damaged")     /* what came cannot be what was asked for */                                   \
    X(IO, "io")               /* an error of its own */                                                      \
    X(OTHER, "other")

enum cloud_call {
#define X(name, ...) CLOUD_CALL_##name,
    CLOUD_CALLS_TABLE(X)
#undef X
        CLOUD_CALL_COUNT
};
enum cloud_trouble {
#define X(name, ...) CLOUD_TROUBLE_##name,
    CLOUD_TROUBLES_TABLE(X)
#undef X
        CLOUD_TROUBLE_COUNT
};

struct cloud_tally {
    struct qc_hist took[CLOUD_CALL_COUNT];
    atomic_uint_fast64_t failed[CLOUD_CALL_COUNT][CLOUD_TROUBLE_COUNT];
    atomic_uint_fast64_t sent, received; /* bytes of objects in calls that succeeded */
};

const char *cloud_call_name(enum cloud_call c);
const char *cloud_trouble_name(enum cloud_trouble t);
/* rc is not QC_OK (asserted). */
enum cloud_trouble cloud_trouble_of(qc_rc rc);

/* Note a call that began at this instant of qc_now_ns and ended now. t may be NULL: nothing. */
void cloud_tally_note(struct cloud_tally *t, enum cloud_call c, uint64_t began_ns, qc_rc rc);
