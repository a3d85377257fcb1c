/* What a source of randomness implements: internal to qrng/. */
#pragma once
#include "base/err.h"
#include "qrng/qrng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qrng_source {
    const char *spec; /* how qrng_open calls it; NULL: only through a function of its own */
    const char *name; /* in provenance */
    enum qrng_policy policy;
    enum qrng_health health; /* while nothing failed */
    /* n bytes to p or QC_RANDOM; what it wrote then is wiped by the caller. Any thread. */
    qc_rc (*fill)(void *ctx, uint8_t *p, size_t n, struct qc_err *err);
    bool recovers; /* a fill that failed may be followed by one that does not; else the handle is failed for
                      good */
    void (*tell)(void *ctx,
                 struct qrng_provenance *p); /* about the bytes since the last telling; NULL: by the above */
    void (*warm)(void *ctx);                 /* get ready; NULL: it always is */
    void (*ahead)(void *ctx);                /* NULL: nothing can be done before a fill */
    void (*rest)(void *ctx);                 /* nothing is drawn for a while; NULL: nothing waits for it */
    void (*close)(void *ctx);                /* NULL: nothing to do */
};

extern const struct qrng_source qrng_os;

/* A handle on a source, which is closed with it. QC_NOMEM: ctx stays the caller's. */
QC_MUST qc_rc qrng_new(const struct qrng_source *source, void *ctx, struct qrng **ret, struct qc_err *err);
