/* random.conf: the sources of randomness of a user's set-up. Layer 4; uses base, qkd, qrng. */
#pragma once
#include "home/places.h"
#include "qrng/conf.h"

/* random.conf beside qcloud.conf; without the file: the operating system alone. QC_USAGE, QC_NOTCONF,
 * QC_LIMIT. */
QC_MUST qc_rc home_random_conf(const struct places *p, struct qrng_conf *ret, struct qc_err *err);
