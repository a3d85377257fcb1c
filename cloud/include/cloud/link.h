/* The way to a cloud: what protects it, and, where it goes over a qcloud-link, what that says of itself.
 * Layer 2; uses base, net. Keeps I7.
 *
 * The operator says in a cloud's URL (FORMAT 10.3) which link it is reached by, and the least level of it,
 * and ages of keys, at which anything is written there. Nothing is believed of the cloud: the link on this
 * machine is asked. */
#pragma once
#include "base/err.h"
#include "net/want.h"

struct cloud_way {
    bool local;                        /* a directory: there is no way that somebody could listen at */
    char link[CLOUD_URL_SIZE_MAX + 1]; /* the socket of its link (FORMAT 14.3); "": none */
    struct net_want want;              /* what it has at least, as far as writing goes; local: NET_OTP */
};
/* Of a cloud's URL. QC_USAGE: it is none */
QC_MUST qc_rc cloud_way_of(const char *url, struct cloud_way *ret, struct qc_err *err);
