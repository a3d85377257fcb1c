/* The service manager, where one has started the program: sd_notify(3), sd_listen_fds(3), by their protocols.
 * Layer 0; uses err, file. Who has none does not miss it. */
#pragma once
#include "base/file.h"

/* A line for it ("READY=1"), where there is one ($NOTIFY_SOCKET). QC_IO and others by errno: it does not take
 * it */
QC_MUST qc_rc qc_manager_tell(const char *state, struct qc_err *err);
/* The same, and a descriptor: "FDSTORE=1\nFDNAME=x" keeps it for the next process of the service. */
QC_MUST qc_rc qc_manager_give(const char *state, int fd, struct qc_err *err);
/* A descriptor that it kept for us under that name; the first call of a name takes it. Empty: none. One
 * thread. */
struct qc_fd qc_manager_kept(const char *name);
