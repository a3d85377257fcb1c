/* How much key there is for a link, and until when it lasts: what is used is noted by the session, the KME is
 * asked by a thread of its own, whoever asks for the state is told. */
#pragma once
#include "link.h"

/* Under state_lock, after state: what was used. tx, rx: numbers of the next blocks of pad; 0 at other levels.
 * Does something once a second. */
void link_stock_note(struct link *l, uint64_t tx, uint64_t rx);
/* Under state_lock. */
void link_stock_tell(const struct link *l, struct net_link_state *ret);

struct link_looker {
    struct link *link;
    pthread_t thread;
    bool runs;
};
/* Nothing, where no keys are used. QC_NOMEM */
QC_MUST qc_rc link_looker_start(struct link_looker *k, struct link *l, struct qc_err *err);
void link_looker_end(struct link_looker *k); /* once stop is set */
