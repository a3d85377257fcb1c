/* Where raw bytes come from, behind one interface. Internal to qrng/. One thread at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"
#include "qrng/conf.h"
#include "qrng/maker.h"

struct qrng_raw {
    const struct qrng_raw_ops *ops; /* NULL: not open */
    void *ctx;
    uint8_t seen[32]; /* of a service's last answer, SHA-256; outlives close, so that a cache is noticed after
                         it */
    bool has_seen;
};

/* Open what the configuration names (*ret is closed, or all zero); it is borrowed until close. QC_RANDOM: it
 * is not there or must not be used; QC_NOMEM. */
QC_MUST qc_rc qrng_raw_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);
void qrng_raw_close(struct qrng_raw *raw);

/* The kinds. */
QC_MUST qc_rc qrng_device_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);
QC_MUST qc_rc qrng_command_open(struct qrng_raw *ret, const struct qrng_source_conf *conf,
                                struct qc_err *err);
QC_MUST qc_rc qrng_file_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);
QC_MUST qc_rc qrng_https_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);

QC_MUST qc_rc qrng_maker_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err);

/* n bytes of a descriptor that does not block: QC_RANDOM when none came for stall_ms, or at its end; once
 * cancel is set QC_CANCELLED as soon as it would have to wait. */
QC_MUST qc_rc qrng_read_stream(int fd, uint8_t *p, size_t n, uint32_t stall_ms,
                               const struct qc_cancel *cancel, struct qc_err *err);
