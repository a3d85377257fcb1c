/* A file or a descriptor as the source of a put. Layer 3; uses base. One thread. */
#pragma once
#include "base/err.h"
#include "vault/vault.h"

struct vault_source_file;

/*
 * Open a regular file for reading; follow: or one that a symbolic link leads to. Its identity (device, inode,
 * size, mtime, ctime in ns) is taken now and compared again at the end of the put. QC_NOTFOUND, QC_AUTH;
 * QC_USAGE  not a regular file
 */
QC_MUST qc_rc vault_source_file_open(struct vault_source_file **ret, int dirfd, const char *path, bool follow,
                                     struct qc_err *err);
/* The same, for one of several that are put together: opened when its turn to be read comes, and closed
 * behind its last byte; what has its name at the end of the put must be that file still. The errors
 * are those of the put. QC_NOMEM */
QC_MUST qc_rc vault_source_file_later(struct vault_source_file **ret, int dirfd, const char *path,
                                      bool follow, struct qc_err *err);
/* A symbolic link as it is: its bytes are its target, its mode says what it is. QC_NOTFOUND;  QC_CHANGED  it
 * is none */
QC_MUST qc_rc vault_source_link_open(struct vault_source_file **ret, int dirfd, const char *path,
                                     struct qc_err *err);
/* A folder: no bytes, its mode (lower 12 bits) and its time alone, as the caller has seen them. QC_NOMEM */
QC_MUST qc_rc vault_source_folder_new(struct vault_source_file **ret, uint32_t mode, int64_t mtime_s,
                                      uint32_t mtime_ns, struct qc_err *err);
/* Standard input and the like: read to its end, unknown size. fd is borrowed. */
QC_MUST qc_rc vault_source_file_fd(struct vault_source_file **ret, int fd, struct qc_err *err);
/* Extended attributes that the file has, and that are more than an object keeps of them. */
unsigned vault_source_file_left_out(const struct vault_source_file *f);
const struct vault_source *vault_source_file_source(const struct vault_source_file *f); /* borrowed */
void vault_source_file_free(struct vault_source_file **f);
