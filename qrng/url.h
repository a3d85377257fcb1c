/* The URL of a service. Internal to qrng/; pure. */
#pragma once
#include "base/err.h"
#include "net/url.h"

struct qrng_url {
    const char *path; /* from the first slash on, borrowed; "" */
};
/* https://HOST[:PORT][/PATH], http:// on loopback alone. QC_USAGE. */
QC_MUST qc_rc qrng_url_split(const char *text, struct net_url *ret, struct qrng_url *ret_path,
                             struct qc_err *err);
