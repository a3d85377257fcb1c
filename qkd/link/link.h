/* One end of a link: many connections through one connection of TLS keyed by QKD, at the level otp inside
 * frames of one-time pad. One thread runs it; jobs for the KME and for a new key have their own. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "conf.h"
#include "forecast.h"
#include "keys.h"
#include "line.h"
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

/* Keys for TLS that both ends have, or that the other end was told of. */
struct link_batch {
    struct link_block block; /* the name of a key that was taken is "" */
    uint32_t taken;          /* dial: how many were, one after the other */
    uint64_t until_ms;       /* then they are wiped */
};

/* A connection that may follow: its handshake is carried inside the present one. */
struct link_next {
    struct net_line *tls;
    uint64_t number, until_ms;
    bool done;
};

struct link {
    const struct link_conf *conf;
    bool dials;
    struct link_keys *keys;
    struct link_pool tx, rx; /* level otp */
    struct qc_fd listener;   /* dial: of local connections */
    struct qc_fd wake;       /* an eventfd: a job is done, or another connection waits */
    const struct qc_cancel *stop;
    bool (*other)(void *ctx); /* serve: another connection of the other end's waits */
    void *other_ctx;
    int record; /* where each key that was used is noted, for tests; -1: nowhere */

    struct link_job make, fetch, again; /* again: keys for TLS, as dial draws them and serve fetches them */
    struct qc_cancel fetch_stop;        /* of fetch and again */
    uint64_t not_before_ms;             /* of the next make */
    uint64_t again_not_before_ms, again_pause_ms; /* of the next key; after failures */
    uint64_t keys_used, keys_lost;                /* for TLS, since the process began */

    struct link_batch ahead[2]; /* that in use, and what follows */
    uint64_t batches;           /* the number of the last, in this session */
    uint64_t batch_ms;          /* when it was drawn */
    uint32_t batch_size;
    bool asked;              /* dial: the other end has not said yet whether it has ahead[1] */
    uint64_t said_ms, quiet; /* when a new key was told in the log, and how many were not since */

    struct link_line line; /* of this session: read up to the other end's `moved`, written up to ours */
    struct link_next ready[LINK_NEXT_MAX]; /* by number */
    uint32_t ready_n;
    uint64_t last_number;  /* of a handshake, in this session */
    struct link_line next; /* what follows over the same descriptor; its fd is empty */
    uint64_t next_number;
    bool moving;        /* our `moved` is in `out` */
    size_t out_old;     /* bytes of `out` that go by the line before: ours is their last */
    bool ended;         /* and goodbye: `next` is written to */
    bool moved_there;   /* the other end's came */
    bool ended_there;   /* and its goodbye: `next` is read */
    uint64_t moving_ms; /* since when either end moves; 0: none does */
    struct link_bytes in, out;
    struct link_streams streams;
    bool greeted, filling;
    bool bare_sent, bare_came; /* the last of the stream went without pad */
    uint64_t dry_ms;           /* since when there has been no pad for what waits; 0: there is */
    uint64_t old_ms;           /* since when the key has been too old; 0: it is not */
    uint64_t began_ms;         /* this session */
    uint64_t aged_ms;          /* when the age of pad was looked at; 0: not yet */
    bool moved;                /* something did, in this turn */

    pthread_mutex_t state_lock; /* state, forecast, dry, noted_ms, key_since_ms */
    struct net_link_state state;
    struct link_forecast forecast;
    enum qkd_dry dry;  /* what was said of it */
    uint64_t noted_ms; /* when use was */
    uint64_t key_since_ms;
};

/* Runs until the link breaks (QC_TEMP and others), another one waits (QC_OK), or stop is set (QC_CANCELLED).
 * line: goes over. */
QC_MUST qc_rc link_session(struct link *l, struct link_line *line, struct qc_err *err);
/* Would a connection that is made now be carried? */
bool link_ready(const struct link *l);
/* Local connections that nobody can carry: closed at once. */
void link_refuse(struct link *l);
/* The last call; stop is set. */
void link_end(struct link *l);

/* -- what it says of itself (state.c) -- */

void link_state_init(struct link *l);
/* As the session is now; by its thread. */
void link_state_note(struct link *l);
/* There is none, and why. */
void link_state_down(struct link *l, const char *why);
/* It is up, and something is amiss. */
void link_state_why(struct link *l, const char *why);
/* Any thread. */
void link_state_get(struct link *l, struct net_link_state *ret);

/* A thread that tells it at a socket. */
struct link_teller {
    struct link *link;
    pthread_t thread;
    bool runs;
    struct qc_fd listener, dir;
    const char *name;
};
/* path "": none. QC_LOCKED and others: qc_unix_listen_path */
QC_MUST qc_rc link_teller_start(struct link_teller *t, struct link *l, const char *path, struct qc_err *err);
/* stop is set. */
void link_teller_end(struct link_teller *t);
