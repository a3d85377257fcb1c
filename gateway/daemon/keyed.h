/* The door that is keyed by QKD: TLS 1.3 with one key from QKD to one connection, no certificate
 * (net/psk.h), for clients whose SAEs the configuration names; behind it the HTTP server of the other doors.
 * Part of qcloud-gateway; uses net, qkd. Keeps I5, I6. docs/qkd.md, "Without a process of its own".
 *
 *   accept -> a thread: handshake (the key that the client names, from our KME) -> a pair of sockets, one end
 *   to microhttpd -> bytes between the two (pump.h) until one ends, or the key is old */
#pragma once
#include "conf.h"
#include "http.h"

struct keyed; /* opaque */

/* What it has done. */
struct keyed_counts {
    const char *link;       /* its name; lives as long as the door */
    unsigned connections;   /* now */
    uint64_t keys, refused; /* handshakes that were good; that were not */
    char peer[NET_PSK_NAME_MAX + 1], key_id[NET_PSK_KEY_ID_MAX + 1]; /* of the last good one; "": none */
};

/* Listens. conf: borrowed for the call. QC_NOTCONF, QC_AUTH: files of section [qkd]; QC_LOCKED: the address
 * is in use; QC_NOMEM, QC_IO */
QC_MUST qc_rc keyed_open(struct keyed **ret, const struct conf *conf, const struct http_door *door,
                         struct qc_err *err);
/* Takes connections from now on, and gives them to the HTTP server, which listens nowhere itself. QC_NOMEM */
QC_MUST qc_rc keyed_start(struct keyed *k, struct MHD_Daemon *daemon, struct qc_err *err);
/* No connection comes any more: before the HTTP server ends. */
void keyed_stop(struct keyed *k);
/* After it has ended. Accepts NULL. */
void keyed_close(struct keyed **k);
void keyed_look(struct keyed *k, struct keyed_counts *ret);
/* Its files can be read, its KME can be asked and knows us. As keyed_open; QC_LINK */
QC_MUST qc_rc keyed_check(const struct conf *conf, struct qc_err *err);
