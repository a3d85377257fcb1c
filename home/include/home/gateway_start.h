/* The on-demand gateway: one process per user that serves a UNIX socket in its state directory, started here
 * when nobody answers, gone by itself when idle. Layer 4; uses base, places.
 *
 * Several commands at once: the gateway's own lock decides who serves; a starter that loses connects instead.
 */
#pragma once
#include "base/buf.h"
#include "base/file.h"
#include "base/time.h"

#define GATEWAY_SOCKET "gateway.sock"
#define GATEWAY_LOG    "gateway.log"

/* The program qcloud-gateway: beside this one, else on PATH. QC_NOTCONF. */
QC_MUST qc_rc gateway_program(char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);

/* Does somebody serve this state directory? QC_TEMP: nobody, or just now starting or leaving. */
QC_MUST qc_rc gateway_answers(int dirfd, struct qc_err *err);

/*
 * Serve the state directory: connect, or start one and wait until it is ready. *ret is the directory, for
 * vault_gw_http_new. What the gateway said when it could not start becomes the message, its exit status the
 * code. QC_NOTCONF: the directory is not there; QC_TIMEOUT (the deadline, and never longer than
 * QC_CLIENT_START_MS); QC_LOCKED; QC_FENCED; ... Any thread.
 */
QC_MUST qc_rc gateway_ensure(const char *state, uint32_t idle_s, qc_deadline deadline,
                             const struct qc_cancel *cancel, struct qc_fd *ret, struct qc_err *err);

/*
 * End the gateway that serves the state directory, if one does, and wait until it is gone: for operator's
 * commands that need the state for themselves. Other commands that are using it end with exit 5, and nothing
 * of theirs is lost. QC_AUTH: it is another user's; QC_TIMEOUT.
 */
QC_MUST qc_rc gateway_stop(const char *state, const struct qc_cancel *cancel, struct qc_err *err);

/*
 * Run one command of qcloud-gateway to its end. argv: "qcloud-gateway" first, NULL last. Its stdout is
 * appended to said (NULL: it goes to ours). Its message becomes ours when it fails, its exit status the code.
 */
QC_MUST qc_rc gateway_run(const char *const *argv, qc_buf *said, struct qc_err *err);
