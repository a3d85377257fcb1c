/* Bytes between a connection that is keyed and the HTTP server that knows nothing of it. Part of
 * qcloud-gateway; uses net. Keeps I6. */
#pragma once
#include <stdatomic.h>

#include "base/err.h"
#include "net/line.h"

struct pump {
    struct net_line *line; /* of `fd`, to the other end */
    int fd, http;          /* http: a socket that does not wait */
    uint64_t until_ms;     /* of qc_now_ms; then no more goes */
    uint64_t most;         /* bytes, both ways together */
    const atomic_bool *stop;
};
/* Until one of the two ends, or time or bytes are over; what had come from HTTP by then has gone out. Closes
 * neither. QC_OK: one of them ended. QC_LIMIT: the key is old; QC_CANCELLED: stop; QC_NOMEM, QC_TEMP and
 * others of net_line_read, _write_some: it broke */
QC_MUST qc_rc pump_run(const struct pump *p, struct qc_err *err);
