/* One end of a link: many connections through one connection of TLS keyed by QKD, at the level otp inside
 * frames of one-time pad. One thread runs it; jobs for the KME and for a new key have their own. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "conf.h"
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
    struct link_line line;             /* again: the new one */
    char from[NET_PSK_KEY_ID_MAX + 1]; /* again: of the one that it goes on from */
    qc_rc rc;
    struct qc_err err;
};

/* Which connection of the other end's waits. key_id NULL: the link moves already, and none is taken. */
enum link_other {
    LINK_NONE,
    LINK_ANEW,   /* one that begins anew: this session is over */
    LINK_GOES_ON /* one that goes on from that of the key_ID asked for: it is the caller's now */
};

struct link {
    const struct link_conf *conf;
    bool dials;
    struct link_keys *keys;
    struct link_pool tx, rx; /* level otp */
    struct qc_fd listener;   /* dial: of local connections */
    struct qc_fd wake;       /* an eventfd: a job is done, or another connection waits */
    const struct qc_cancel *stop;
    enum link_other (*other)(void *ctx, const char *key_id, struct link_line *ret); /* serve */
    void *other_ctx;

    struct link_job make, fetch, again; /* again: dial's next connection */
    struct qc_cancel fetch_stop;
    uint64_t not_before_ms;                       /* of the next make */
    uint64_t again_not_before_ms, again_pause_ms; /* of the next key; after failures */
    uint64_t keys_used;                           /* for TLS, since the process began */

    struct link_line line; /* of this session: read up to the other end's `moved`, written up to ours */
    struct link_line next; /* what follows */
    bool moved_there;      /* the other end's came */
    size_t out_old;        /* bytes of `out` that go by the line before: ours is their last */
    uint64_t moving_ms;    /* since when either end moves; 0: none does */
    struct link_bytes in, out;
    struct link_streams streams;
    bool greeted, filling;
    bool bare_sent, bare_came; /* the last of the stream went without pad */
    uint64_t dry_ms;           /* since when there has been no pad for what waits; 0: there is */
    uint64_t old_ms;           /* since when the key has been too old; 0: it is not */
    uint64_t began_ms;         /* this session */
    bool moved;                /* something did, in this turn */

    pthread_mutex_t state_lock; /* state, key_since_ms */
    struct net_link_state state;
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
