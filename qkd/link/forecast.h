/* When the key of a link is out at the present use. Pure: times are arguments, in ms of any clock that does
 * not go back. One owner at a time.
 *
 * What there is: key at the KME for this pair of SAEs, and at the level otp pad that lies here. A block of
 * pad that is made moves key from one to the other and changes nothing of the sum; what the sum loses between
 * two looks is what is used, by whomever, less what the network makes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "qkd/use.h"

enum { LINK_SEND, LINK_RECEIVE, LINK_TLS, LINK_USES };

struct link_forecast { /* {0}: nothing is known */
    struct qkd_use use[LINK_USES];
    uint64_t used[LINK_USES]; /* bits, since any beginning, as last noted */
    struct qkd_use gone, came;
    bool known; /* stock is */
    bool looked;
    uint64_t look_ms, stock, pad[2]; /* the last look: bits at the KME, bits of pad */
};

/* So many bits were used for this, since any beginning that stays the same. */
void link_forecast_used(struct link_forecast *f, unsigned what, uint64_t now_ms, uint64_t bits);
/* The KME has so many bits for this link now, and so many are pad here, to send and to receive. full: it says
 * no greater number, so that nothing is seen of what is used; the measure begins when it has less. */
void link_forecast_look(struct link_forecast *f, uint64_t now_ms, uint64_t stock, bool full,
                        const uint64_t pad[2]);
/* The KME does not say. */
void link_forecast_blind(struct link_forecast *f);
/* Bits/s that this link uses, over the last minutes. */
double link_forecast_use_bps(const struct link_forecast *f, uint64_t now_ms);
/*
 * Seconds until there is no key, and, where pad is used, none of it in one direction; INFINITY: never, or
 * nothing is known yet. It is what the last look showed, less the time since; where the KME does not say, no
 * more comes.
 *
 *   pad  bits of it that are left now, to send and to receive; zeros at other levels
 */
double link_forecast_dry_s(const struct link_forecast *f, uint64_t now_ms, const uint64_t pad[2]);
