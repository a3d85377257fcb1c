/* A circuit breaker: is a cloud asked at all? Layer 4; uses base. Pure: time and chance come in.
 *
 *            +------------------------- it answers ---------------------------+
 *            v                                                                |
 *         CLOSED --a deadline is missed--> OPEN --its time is over, and --> HALF
 *                                           ^     one asks for a probe        |
 *                                           +---- no answer: twice as long ---+
 *
 * Closed, all requests go. Open, none goes. Half-open, one is probing, and nobody else. An answer closes the
 * breaker; how long it opens next is forgotten only when the cloud has done real work since: one that answers
 * probes and hangs in all else is found out ever more seldom. A prober that never reports is replaced after
 * QC_GW_BREAKER_MOST_MS. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum gw_breaker_state { GW_BREAKER_CLOSED, GW_BREAKER_OPEN, GW_BREAKER_HALF };
const char *gw_breaker_state_name(enum gw_breaker_state s); /* "closed", "open", "half-open" */

/* {0} is closed. */
struct gw_breaker {
    enum gw_breaker_state state;
    unsigned misses;   /* in a row: openings since the last real work */
    uint64_t until_ms; /* open: no probe before; half: the prober is given up then */
};

/* A request missed its deadline, or a probe got no answer. Several requests of one outage count once. */
void gw_breaker_miss(struct gw_breaker *b, uint64_t now_ms, uint32_t chance);
/* It showed who it is. */
void gw_breaker_answer(struct gw_breaker *b);
/* It did what it was asked for. */
void gw_breaker_work(struct gw_breaker *b);
/* May it be probed: is it closed, or is its time over? */
bool gw_breaker_due(const struct gw_breaker *b, uint64_t now_ms);
/* The right to probe: true once, until the probe's end is told by _answer or _miss. Closed: true always. */
bool gw_breaker_probe(struct gw_breaker *b, uint64_t now_ms);
