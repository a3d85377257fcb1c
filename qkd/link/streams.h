/* The connections that a link carries: local sockets on one side, messages on the other. One thread. A
 * connection has a window: what was sent and not yet written at the other end is never more, so memory has a
 * bound and a slow one holds up no other. */
#pragma once
#include <poll.h>

#include "base/file.h"
#include "conf.h"
#include "wire.h"

/* A queue of bytes of a fixed size. */
struct link_bytes {
    uint8_t *p;
    size_t n, size;
};
QC_MUST qc_rc link_bytes_new(struct link_bytes *ret, size_t size, struct qc_err *err);
void link_bytes_free(struct link_bytes *b);
/* QC_LIMIT: no room */
QC_MUST qc_rc link_bytes_add(struct link_bytes *b, qc_span s, struct qc_err *err);
void link_bytes_drop(struct link_bytes *b, size_t n);

struct link_stream {
    uint32_t id; /* 0: free */
    struct qc_fd fd;
    bool connecting;          /* to the service */
    bool eof_sent, eof_there; /* no more from our side; no more from theirs */
    bool shut;                /* and our side was told */
    uint32_t credit;          /* bytes that we may still send */
    uint32_t owed;            /* bytes written here, for which the other end has no credit yet */
    struct link_bytes in;     /* to be written here: LINK_WINDOW at most */
};

/* Of messages, since the process began; those that were dropped when the link broke are counted, too. */
struct link_traffic {
    uint64_t messages, bytes; /* bytes: of data */
};

struct link_streams {
    struct link_stream v[LINK_STREAMS];
    uint32_t next; /* id of the next that is opened here */
    unsigned open;
    const struct net_address *to; /* serve: the service */
    struct link_bytes out, in;    /* messages */
    struct link_traffic sent, received;
    bool moved;
};

QC_MUST qc_rc link_streams_new(struct link_streams *s, const struct net_address *to, struct qc_err *err);
/* Closes all; without a goodbye to anybody. */
void link_streams_reset(struct link_streams *s);
void link_streams_free(struct link_streams *s);
/* A local connection becomes one of the link's. QC_LIMIT: there are LINK_STREAMS; QC_NOMEM */
QC_MUST qc_rc link_streams_open(struct link_streams *s, struct qc_fd *fd, struct qc_err *err);
/* What came, and what goes: QC_FORMAT: the other end speaks nonsense; QC_LIMIT, QC_NOMEM */
QC_MUST qc_rc link_streams_turn(struct link_streams *s, struct qc_err *err);
/* What to wait for; returns how many of them: LINK_STREAMS at most. */
unsigned link_streams_poll(const struct link_streams *s, struct pollfd *ret);

/* A socket that does not wait; the connection may not be there yet. */
QC_MUST qc_rc link_connect(struct qc_fd *ret, const struct net_address *to, struct qc_err *err);
QC_MUST qc_rc link_listen(struct qc_fd *ret, const struct net_address *at, struct qc_err *err);
/* The next that waits; an empty *ret: none. */
QC_MUST qc_rc link_accept(struct qc_fd *ret, int listener, struct qc_err *err);
/* Closes a socket so that its other side sees it broken, not ended. */
void link_close_hard(struct qc_fd *fd);
