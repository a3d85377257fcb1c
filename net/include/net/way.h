/* What carried something over a way: the level, and which keys from QKD (FORMAT 11.2). Layer 1; uses base.
 * Bounded however long it took: the first key, the last, and how many. */
#pragma once
#include "net/link_state.h"

struct net_way {
    enum net_level level; /* the weakest that it had meanwhile; NET_DOWN: not known */
    char first[NET_PSK_KEY_ID_MAX + 1], last[NET_PSK_KEY_ID_MAX + 1]; /* key_IDs; "": none */
    uint64_t keys;                                                    /* how many, these among them */
    uint64_t pad_first, pad_last;                                     /* blocks of pad; 0: none */
};
/* The link's, of what began at one state of it and ended at another. NULL: it did not say. least: the level
 * that it must have had for anything to go, where neither says more. */
void net_way_between(struct net_way *ret, enum net_level least, const struct net_link_state *before,
                     const struct net_link_state *after);
/* And what went the same way after that. */
void net_way_add(struct net_way *w, const struct net_way *more);
/* `LEVEL`, then `,key=ID` or `,keys=N,first=ID,last=ID`, then `,pad=N` or `,pad=N-N`. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc net_way_print(const struct net_way *w, qc_buf *ret, struct qc_err *err);
