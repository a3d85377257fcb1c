/* The doors of a serving gateway: sockets with an HTTP server behind each. Part of qcloud-gateway. */
#pragma once
#include "base/file.h"
#include "conf.h"
#include "http.h"
#include "keyed.h"

enum { DOOR_OWNER, DOOR_SOCKET, DOOR_ADDRESS, DOOR_KEYED, DOOR_MONITOR, DOORS, DOORS_OLD = 4 };

struct door {
    struct http_door http; /* cls of the server's callbacks */
    struct MHD_Daemon *daemon;
    struct qc_fd dir; /* of a UNIX socket's name */
    const char *name; /* of a UNIX socket; NULL: none */
};

struct doors {
    struct http_server *server;
    struct door v[DOORS];
    struct keyed *keyed; /* before DOOR_KEYED; NULL: there is none */
    /* Servers with an old certificate, whose connections are still served. */
    struct {
        struct MHD_Daemon *daemon;
        uint64_t until_ms;
    } old[DOORS_OLD];
};

/* Open all. conf: borrowed; NULL: the owner's alone. statefd: borrowed for the call. */
QC_MUST qc_rc doors_open(struct doors *d, struct http_server *server, int statefd, const struct conf *conf,
                         struct qc_err *err);
/* The certificate anew, for connections that come from now on. After a failure the old one serves on. */
QC_MUST qc_rc doors_renew(struct doors *d, const struct conf *conf, struct qc_err *err);
/* Now and then: end servers with an old certificate whose time is over. */
void doors_tick(struct doors *d);
/* The names of sockets go, so that nobody comes any more. */
void doors_hide(struct doors *d);
/* Ends all connections. */
void doors_close(struct doors *d);
/* Certificate and key of conf fit each other. As doors_renew. */
QC_MUST qc_rc doors_check_tls(const struct conf *conf, struct qc_err *err);
