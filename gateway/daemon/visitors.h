/* Connections, and what each tenant has of them: no tenant takes what others need. Part of qcloud-gateway.
 * Keeps I6. Any thread.
 *
 * A connection is a stranger's until a request on it showed a token; strangers have HTTP_STRANGER_MS. A
 * tenant has as many requests under way as its limit says, and twice as many connections. Where most places
 * of a door are taken, the connections that are doing nothing go, strangers soon, and of tenants those of
 * whoever has the most first; a client takes up again where it was. The owner's door is not looked after: who
 * gets through it has the gateway anyway. */
#pragma once
#include <pthread.h>

#include "base/err.h"
#include "quiet.h"

struct visitor; /* opaque; one connection */

struct visitors {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t freed; /* a request ended, or a connection */
    struct visitor *first;
};
void visitors_init(struct visitors *v);
void visitors_done(struct visitors *v);

/* A connection comes. door: which one it came through, for counting; max: its places; fd: until it leaves.
 * NULL: no memory. */
struct visitor *visitors_enter(struct visitors *v, const void *door, unsigned max, int fd);
void visitors_leave(struct visitors *v, struct visitor *who);

/* A request begins: its body is awaited. QC_TEMP: the tenant has as many under way, or as many connections,
 * as it may. */
QC_MUST qc_rc visitors_begin(struct visitors *v, struct visitor *who, uint32_t tenant, uint32_t requests,
                             struct qc_err *err);
enum visitor_phase {
    VISITOR_RESTS,    /* no request */
    VISITOR_WAITS,    /* for its tenant's other requests */
    VISITOR_RECEIVES, /* a body is on its way */
    VISITOR_WORKS,    /* the engine has it */
    VISITOR_SENDS     /* an answer is on its way */
};
/* The request is there now, or is there still and something moved. who NULL: nothing. */
void visitors_phase(struct visitors *v, struct visitor *who, enum visitor_phase phase);
/* So many bytes of a body have come into a unit of the engine's, which others may wait for. */
void visitors_unit(struct visitors *v, struct visitor *who, size_t bytes);

/* Asks those to leave whose time is over; to be called now and then. wanted: requests wait for units. True: a
 * door is crowded, so again soon. */
bool visitors_tick(struct visitors *v, bool wanted, struct quiet *quiet);
