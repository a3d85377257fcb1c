/* Keys of a QKD network as a source of randomness (random.conf, kind kme). Layer 4; uses qkd, qrng. */
#pragma once
#include "qrng/maker.h"

extern const struct qrng_maker kme_maker;
