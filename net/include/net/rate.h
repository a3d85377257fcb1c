/* How many bytes a second go and come, over all connections of a process together, by a timetable. Layer 1;
 * uses base. Any thread; constant memory.
 *
 *   RATE       off | SIZE | UP:DOWN      each of the two a SIZE or off; SIZE is bytes a second: k, M, G
 *   TIMETABLE  RATE                      at any time
 *              [DAY-]HH:MM,RATE ..       from then on, until the next: every day, or of the week; local time
 *
 * as rclone's --bwlimit has it, but that a bare number is bytes. Before the first time of a week the last one
 * still holds. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/time.h"

enum net_rate_way { NET_RATE_UP, NET_RATE_DOWN, NET_RATE_WAYS };

struct net_rate_table {
    struct net_rate_from {
        uint16_t minute;               /* of the week, which begins on Sunday at 00:00 */
        uint64_t bytes[NET_RATE_WAYS]; /* a second; 0: as many as there are */
    } from[NET_RATE_TIMES_MAX];        /* by minute, rising */
    size_t count;                      /* 0: no limit */
};

/* QC_USAGE: no rate and no timetable; says which word, and what was expected. *ret is left alone then. */
QC_MUST qc_rc net_rate_parse(qc_span text, struct net_rate_table *ret, struct qc_err *err);
/* The row that holds in this minute of the week; NULL: none. */
const struct net_rate_from *net_rate_at(const struct net_rate_table *t, unsigned minute);

/* Whose time it is; tests have their own. */
struct net_rate_clock {
    uint64_t (*now_ns)(void *ctx); /* rising */
    unsigned (*minute)(void *ctx); /* of the week, by the user's clock */
    void (*sleep)(void *ctx, uint64_t ns);
    void *ctx;
};

struct net_rate;
/* clock NULL: the machine's. Without a table there is no limit. QC_NOMEM */
QC_MUST qc_rc net_rate_new(struct net_rate **ret, const struct net_rate_clock *clock, struct qc_err *err);
/* After all who use it. Accepts NULL. */
void net_rate_free(struct net_rate **r);
/* From now on; also what goes on already. */
void net_rate_set(struct net_rate *r, const struct net_rate_table *t);
/* fn is called now and then (QC: NET_RATE_LOOK_MS) by whoever is about to send or has received, in one thread
 * at a time, and may set another table. Before the first use. */
void net_rate_watch(struct net_rate *r, void (*fn)(void *ctx, struct net_rate *r), void *ctx);

/* So many bytes at a time, at most max: a tenth of a second's. */
size_t net_rate_piece(struct net_rate *r, enum net_rate_way way, size_t max);
/* n bytes are about to go, or have come: counted, and not waited for. For the heads of requests. */
void net_rate_spend(struct net_rate *r, enum net_rate_way way, uint64_t n);
/* The same, and waits until they were allowed to. r NULL: there is no limit. QC_TIMEOUT, QC_CANCELLED */
QC_MUST qc_rc net_rate_wait(struct net_rate *r, enum net_rate_way way, uint64_t n, qc_deadline deadline,
                            const struct qc_cancel *cancel, struct qc_err *err);
