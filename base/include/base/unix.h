/* UNIX sockets with a name in a directory. Layer 0; uses err, file. The directory may have a path longer than
 * the 108 bytes of a socket's address: it is reached through /proc/self/fd. */
#pragma once
#include <sys/types.h>
#include <sys/un.h>

#include "base/file.h"

/* The address of the socket `name` in dirfd, for as long as dirfd is open. QC_USAGE: the name is too long. */
QC_MUST qc_rc qc_unix_address(int dirfd, const char *name, struct sockaddr_un *ret, struct qc_err *err);
/* A new socket of that name and mode that listens; the name must be free. QC_USAGE, QC_CONFLICT (it is not),
 * QC_IO */
QC_MUST qc_rc qc_unix_listen(int dirfd, const char *name, mode_t mode, struct qc_fd *ret, struct qc_err *err);
/* The same at an absolute path, where a socket that nobody listens at any more, left over from a crash, is
 * replaced; nothing else is. *ret_dir: its directory, for who removes the name in the end. QC_LOCKED: another
 * program listens there; QC_CONFLICT: there is something that is no socket; as above, and qc_dir_open's */
QC_MUST qc_rc qc_unix_listen_path(const char *path, mode_t mode, struct qc_fd *ret, struct qc_fd *ret_dir,
                                  struct qc_err *err);
/* What follows the last '/'. */
const char *qc_unix_name(const char *path);
/* A connection to the socket at an absolute path; it does not wait (O_NONBLOCK). QC_TEMP: nobody is there */
QC_MUST qc_rc qc_unix_connect_path(const char *path, struct qc_fd *ret, struct qc_err *err);
