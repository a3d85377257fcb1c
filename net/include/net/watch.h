/* What goes over a qcloud-link of this machine is asked first whether it may: the link says of itself what it
 * is (net/link_state.h), and what is wanted of it (net/want.h) is held to. Layer 1; uses base. Any number of
 * threads. Keeps I6.
 */
#pragma once
#include "net/want.h"

struct net_watch; /* opaque */

/* link: the socket of its state, absolute; copied. want->least: not down. QC_NOMEM */
QC_MUST qc_rc net_watch_new(struct net_watch **ret, const char *link, const struct net_want *want,
                            struct qc_err *err);
void net_watch_free(struct net_watch **w);
/* What the link says, NET_WATCH_FRESH_MS old at most. QC_LINK: it says nothing, and why; waits for
 * NET_WATCH_ASK_MS at most */
QC_MUST qc_rc net_watch_look(struct net_watch *w, struct net_link_state *ret, struct qc_err *err);
/* May something go over it? QC_LINK: it may go to a weaker level, or uses a key for longer (*ret_later
 * false: until somebody configures it otherwise), or it says nothing, is down, or has no key (true); the
 * message names the link. ret_later may be NULL */
QC_MUST qc_rc net_watch_allowed(struct net_watch *w, bool *ret_later, struct qc_err *err);
