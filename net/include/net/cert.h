/* TLS 1.3 by certificates of both ends, for links at the level `tls`. Layer 1; uses base and OpenSSL's TLS.
 * Keeps I5. As in psk.h: TLS_AES_256_GCM_SHA384, fresh key agreement, no tickets, no early data. */
#pragma once
#include "net/line.h"

/* Absolute paths of PEM files, read for each connection. */
struct net_cert {
    const char *ca;   /* who vouches for the other end, and nobody else */
    const char *cert; /* ours, and those above it */
    const char *key;  /* its key: a file of ours that nobody else may touch */
    const char *peer; /* the other end's name, as its certificate has it (DNS) */
};

/* Both make fd non-blocking, and leave it to the caller to close after the connection.
 * QC_AUTH: the other end has no certificate of that name from that authority, or ours is of no use to it, or
 * the key's file is open to others; QC_USAGE, QC_NOTFOUND: a file; QC_TIMEOUT; QC_TEMP: it went away;
 * QC_NOMEM, QC_GENERAL. After a failure no byte of the caller's was sent. */
QC_MUST qc_rc net_cert_connect(struct net_line **ret, int fd, const struct net_cert *c, qc_deadline d,
                               struct qc_err *err);
QC_MUST qc_rc net_cert_accept(struct net_line **ret, int fd, const struct net_cert *c, qc_deadline d,
                              struct qc_err *err);
