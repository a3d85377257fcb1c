/* Whose debts are paid next, and when? Layer 4, internal; uses base. Pure: time and chance come in; one
 * thread at a time. docs/adr/0014.
 *
 *   RESTS --its time comes, or it is well again--> DUE --taken--> WORKING --the turn ends--> RESTS, or DUE
 *
 *   RESTS, not for a failure --something is found that it is owed--> DUE
 *
 * T1: a cloud has one turn at a time. T2: a cloud that failed rests longer each time, and at most
 * QC_GW_DEBT_REST_MOST_MS. T3: of those that are due, the one that had its last turn longest ago is next. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum gw_turn_end {
    GW_TURN_PAID,    /* something was paid: there may be more */
    GW_TURN_PASSED,  /* what was tried cannot be paid before other clouds are back: the next one */
    GW_TURN_NOTHING, /* nothing is owed */
    GW_TURN_FAILED,  /* the cloud is not there, or did not take it */
    GW_TURN_STUCK,   /* all that is left was passed over */
};

/* {0}: due at once. */
struct gw_turn {
    bool working;
    bool ill;          /* it was not well when it was last looked at */
    bool stuck;        /* its last turn ended so: whoever comes back may help */
    bool owes;         /* something is owed to it, as far as is known */
    bool news;         /* more came to be owed to it while it was working */
    unsigned failures; /* turns in a row that paid nothing and left something */
    uint64_t due_ms;
    uint64_t taken; /* when: a count over all clouds */
};
struct gw_turns {
    unsigned count;
    uint64_t taken;                     /* turns given out */
    struct gw_turn v[QC_GW_CLOUDS_MAX]; /* by the cloud's position */
};

/* The next turn: the position of a cloud, which is then working; -1: none is due. *ret_wait_ms: until one
 * will be, as far as is known now; UINT64_MAX: never. */
int gw_turns_take(struct gw_turns *t, uint64_t now_ms, uint64_t *ret_wait_ms);
/* The turn of a cloud that was working is over. */
void gw_turns_end(struct gw_turns *t, unsigned at, enum gw_turn_end end, uint64_t now_ms, uint32_t chance);
/* Clouds that are well now, bit `at`. One that was not before is due, and so is whoever was stuck. Returns
 * the former. */
uint32_t gw_turns_see(struct gw_turns *t, uint32_t well, uint64_t now_ms);
/* Something more is owed to this cloud than its last turn knew, or this one may know: there is a turn for it,
 * and soon, unless the cloud did not take what it was given (T2). */
void gw_turns_news(struct gw_turns *t, unsigned at, uint64_t now_ms);
/* A hand asks: there is a turn for this cloud now, whatever it did before. It rests no shorter after it. */
void gw_turns_again(struct gw_turns *t, unsigned at, uint64_t now_ms);
/* Is something being paid, or can it be without waiting for a cloud? */
bool gw_turns_busy(const struct gw_turns *t);
