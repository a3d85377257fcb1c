/* A connection between the two ends of a link, keyed. A link has one; a new key comes over the same
 * descriptor (FORMAT 14.2, "A new key"). */
#pragma once
#include "base/file.h"
#include "conf.h"
#include "keys.h"

struct link_line {
    struct net_line *tls;     /* NULL: none */
    struct qc_fd fd;          /* its own; closed after tls, which says goodbye through it */
    uint64_t began_ms, bytes; /* of its key: since when, and what was carried under it both ways */
};
void link_line_close(struct link_line *l);
/* The key_ID that it has; "": no key from QKD. */
const char *link_line_key_id(const struct link_line *l);

/* Calls the other end: no key is asked for where nobody listens. QC_TEMP: it cannot be reached, or the KME
 * has no key; and those of net_psk_connect, qkd_tls_keys_draw */
QC_MUST qc_rc link_line_dial(struct link_line *ret, const struct link_conf *conf, struct link_keys *keys,
                             struct qc_err *err);
/* Takes a connection that the other end made. fd goes over with QC_OK. */
QC_MUST qc_rc link_line_accept(struct link_line *ret, const struct link_conf *conf, struct link_keys *keys,
                               struct qc_fd *fd, struct qc_err *err);
