/* One end of a link: many connections through one connection of TLS keyed by QKD, at the level otp inside
 * frames of one-time pad. One thread runs it; jobs for the KME have their own. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "conf.h"
#include "keys.h"
#include "pool.h"
#include "streams.h"

struct link_job {
    pthread_t thread;
    bool runs;
    atomic_bool done;
    struct link *link;
    struct link_block block;
    uint64_t number;
    qc_rc rc;
    struct qc_err err;
};

struct link {
    const struct link_conf *conf;
    bool dials;
    struct link_keys *keys;
    struct link_pool tx, rx; /* level otp */
    struct qc_fd listener;   /* dial: of local connections */
    struct qc_fd wake;       /* an eventfd: a job is done, or another connection waits */
    const struct qc_cancel *stop;
    bool (*other)(void *ctx); /* does another connection wait? serve */
    void *other_ctx;

    struct link_job make, fetch;
    struct qc_cancel fetch_stop;
    uint64_t not_before_ms; /* of the next make */

    struct net_psk *tls; /* of this session */
    struct link_bytes in, out;
    struct link_streams streams;
    bool greeted, filling;
    uint64_t dry_ms;   /* since when there has been no pad for what waits; 0: there is */
    uint64_t began_ms; /* this session */
    bool moved;        /* something did, in this turn */
};

/* Runs until the link breaks (QC_TEMP and others), another one waits or is due (QC_OK), or stop is set
 * (QC_CANCELLED). fd: of tls. */
QC_MUST qc_rc link_session(struct link *l, struct net_psk *tls, int fd, struct qc_err *err);
/* Local connections that nobody can carry: closed at once. */
void link_refuse(struct link *l);
/* The last call; stop is set. */
void link_end(struct link *l);
