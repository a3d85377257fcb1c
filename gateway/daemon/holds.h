/* Pad that is kept for uploads that have begun, of the links of this gateway that are at the level otp: an
 * upload is not accepted where others will use what there is (docs/qkd.md, "Levels of a gateway"). Part of
 * qcloud-gateway. Any thread.
 *
 * Each upload has so many bytes for each of the links: its share of what is still to come. It is given back
 * as segments go, and whole when the upload ends, or nothing came of it for LEVELS_HOLD_MS. It is the
 * gateway's own book, in memory: a link knows nothing of it, and gives pad to whoever comes. */
#pragma once
#include <pthread.h>

#include "gateway/engine.h"

struct hold {
    struct gw_id put_key;
    uint64_t bytes, until_ms; /* until_ms 0: free */
};
struct holds {
    pthread_mutex_t lock; /* v */
    struct hold v[LEVELS_HOLDS];
};
void holds_init(struct holds *h);
void holds_done(struct holds *h);

/* Pad that `size` bytes of an upload take on each of the links that share them by a code of k. */
uint64_t holds_need(uint64_t size, unsigned k);
/* What all uploads but this one hold. */
uint64_t holds_others(struct holds *h, const struct gw_id *put_key);
/* This one's, from now on; what it had before is forgotten. Where there is no room it has none. */
void holds_set(struct holds *h, const struct gw_id *put_key, uint64_t bytes);
/* So much of it has gone; all of it: UINT64_MAX. */
void holds_give_back(struct holds *h, const struct gw_id *put_key, uint64_t bytes);
