/* One direction's pad on a link: the store (qkd/pads.h) under the frames (net/otp.h). One thread. */
#pragma once
#include "net/otp.h"
#include "qkd/pads.h"
#include "wire.h"

struct link_pool {
    struct qkd_pads *pads;
    struct net_otp *otp;
    uint32_t block;
    const char *name; /* "tx" or "rx" */
    int record;       /* where each use of pad is noted, for tests; -1: nowhere */
};

/* The file where uses of pad and keys are noted, for tests alone: a release has none. -1: none */
int link_record(void);
/* dir is its own. The table of K2 is that which the service manager has kept, where there is one; else a new
 * one, which it is given. QC_LOCKED and others: qkd_pads_open */
QC_MUST qc_rc link_pool_open(struct link_pool *ret, const char *name, const char *dir, uint32_t block,
                             uint64_t pool, uint32_t pad_to, struct qc_err *err);
void link_pool_close(struct link_pool *p);
void link_pool_state(const struct link_pool *p, struct link_pool_state *ret);
/* Both ends keep what both have, and go on from the greater position (FORMAT 14.2): never backwards. */
QC_MUST qc_rc link_pool_agree(struct link_pool *p, const struct link_pool_state *theirs, struct qc_err *err);
