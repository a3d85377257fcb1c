/* `qcloud-gateway serve`: the operator's UNIX socket in the state directory, and the tenants' doors where a
 * configuration names some, until told to stop or idle. Part of qcloud-gateway. */
#pragma once
#include "base/err.h"
#include "conf.h"

/* The operator's socket, in the state directory. */
#define SERVE_SOCKET "gateway.sock"

struct serve_options {
    const char *state;       /* directory */
    uint64_t idle_s;         /* leave after so many seconds without a connection; 0: never */
    int ready_fd;            /* "ready\n" is written there and it is closed; -1: none */
    const char *config;      /* file, or NULL: read again at SIGHUP */
    const struct conf *conf; /* as it was read; NULL: none */
    const char *log_file;    /* NULL: stderr */
    struct qc_fd *log;       /* of log_file: opened anew at SIGHUP and SIGUSR1 */
};

/* Until SIGTERM, SIGINT or idle. QC_LOCKED: another process serves this directory, or listens where we shall;
 * else as gw_engine_open. */
QC_MUST qc_rc serve(const struct serve_options *o, struct qc_err *err);
/* Open conf's log, and log there. */
QC_MUST qc_rc serve_log(const struct conf *conf, struct qc_fd *log, struct qc_err *err);
/* Can the certificate and its key be used together? QC_AUTH: others may read the key; QC_FORMAT: they cannot.
 */
QC_MUST qc_rc serve_check_tls(const struct conf *conf, struct qc_err *err);
