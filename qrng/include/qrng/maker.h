/* Raw bytes from another module: what qrng/ wants of it. Layer 2; the program that knows both fills it in,
 * since modules of one layer do not use each other. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"
#include "qrng/conf.h"

struct qrng_raw_ops {
    /* n bytes exactly, or a failure (QC_RANDOM: it stalled, ended, is not there; QC_CANCELLED), after which
     * the source is closed and opened anew. p lies in locked memory. One thread at a time. */
    qc_rc (*read)(void *ctx, uint8_t *p, size_t n, const struct qc_cancel *cancel, struct qc_err *err);
    /* Bytes that are left; NULL or UINT64_MAX: no end is known. */
    uint64_t (*left)(void *ctx);
    /* Nothing is read any more, and close follows: what takes its time to end may begin to. NULL: nothing
     * does. */
    void (*end)(void *ctx);
    void (*close)(void *ctx);
};

struct qrng_maker {
    struct qrng_raw_ops ops;
    /* *ret: ctx of ops. conf is borrowed until close. QC_RANDOM: it is not there; QC_NOMEM. */
    qc_rc (*open)(void **ret, const struct qrng_source_conf *conf, struct qc_err *err);
};
