/* The network's KMEs: a port each, mutual TLS, and which application calls. Part of qcloud-kme; uses base and
 * libmicrohttpd with GnuTLS. A thread for each door; what is shared has its lock in supply.c. */
#pragma once
#include "base/file.h"
#include "supply.h"

struct kme_doors; /* opaque */

/* Ports are open when it returns. QC_LOCKED: a port is in use; QC_FORMAT: a certificate and its key do not go
 * together; QC_AUTH: a key's file is not ours alone; QC_NOTFOUND, QC_IO, QC_LIMIT, QC_NOMEM, QC_TEMP */
QC_MUST qc_rc kme_doors_open(struct kme_doors **ret, struct kme *k, const struct kme_network *net,
                             struct qc_err *err);
void kme_doors_close(struct kme_doors **d);

/* A socket that listens there; what: for the message. QC_LOCKED: another program does */
QC_MUST qc_rc kme_listen(const struct net_address *where, const char *what, struct qc_fd *ret,
                         struct qc_err *err);
