/* `qcloud-gateway serve`: a UNIX socket in the state directory, until told to stop or idle. Part of
 * qcloud-gateway. */
#pragma once
#include "base/err.h"

struct serve_options {
    const char *state; /* directory */
    uint64_t idle_s;   /* leave after so many seconds without a connection; 0: never */
    int ready_fd;      /* "ready\n" is written there and it is closed; -1: none */
};

/* Until SIGTERM, SIGINT or idle. QC_LOCKED: another process serves this directory; else as gw_engine_open. */
QC_MUST qc_rc serve(const struct serve_options *o, struct qc_err *err);
