/* What carries what a gateway writes to one cloud by itself: the level of the way there, and which keys from
 * QKD, by what the link there says of itself before and after (docs/adr/0036). Internal to gateway/. One
 * thread at a time. */
#pragma once
#include "cloud/link.h"

enum { GW_CARRIAGE_MAX = 320 }; /* three key_IDs' room, and numbers */

struct gw_carriage {
    bool local; /* nothing is said */
    struct cloud_way way;
    bool known; /* before is */
    struct net_link_state before;
};
/* Now it begins, to the cloud of this URL. Waits for a link's answer, NET_WATCH_ASK_MS at most. */
void gw_carriage_begin(struct gw_carriage *c, const char *url);
/* It is over. `LEVEL` and words as in FORMAT 11.2; empty where the cloud is on this machine. */
void gw_carriage_end(const struct gw_carriage *c, char ret[GW_CARRIAGE_MAX]);
