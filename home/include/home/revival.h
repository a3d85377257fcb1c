/* A gateway that ends in the middle of a command is started anew, so that the command goes on. Layer 4; uses
 * gateway_start and vault/gw.h. */
#pragma once
#include <pthread.h>

#include "base/err.h"
#include "vault/gw.h"

/* {0} is unused. Must stay where it is from revival_init on. */
struct revival {
    const char *state; /* the gateway's directory; borrowed */
    uint32_t idle_s;
    bool ready;
    pthread_mutex_t lock; /* guards what follows; held while a gateway starts, so that one thread starts it */
    unsigned starts;      /* so far */
    unsigned told;        /* of them */
    struct qc_err why;    /* rc QC_OK, or why there will be no other one: the next call fails at once */
};
void revival_init(struct revival *r, const char *state, uint32_t idle_s);
void revival_done(struct revival *r);

/* A program that stays begins with something new: starts before this count no more. No call is under way. */
void revival_again(struct revival *r);

/* For vault_gw_http_revive. At most QC_CLIENT_REVIVE_MAX starts; one that failed is the last. */
struct vault_gw_revive revival_hook(struct revival *r);

/* Starts since the last time this was asked. */
unsigned revival_news(struct revival *r);
/* Has a start failed, or was the last one made? Then no other object of the command can be served. */
bool revival_is_over(struct revival *r);
