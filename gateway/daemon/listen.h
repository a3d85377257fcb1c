/* Listening sockets. Part of qcloud-gateway. */
#pragma once
#include "base/file.h"
#include "conf.h"

/* The operator's, in the state directory; bound through the directory's descriptor: its path may be longer
 * than a socket address. Under the engine's lock nobody else serves there: what stands there is left over. */
QC_MUST qc_rc listen_in_state(int dirfd, const char *name, struct qc_fd *ret, struct qc_err *err);
/* QC_LOCKED: the port is in use. */
QC_MUST qc_rc listen_at_address(const struct conf_address *a, struct qc_fd *ret, struct qc_err *err);
/* Remove the name of a socket; what goes wrong is logged. */
void listen_remove(int dirfd, const char *name);
