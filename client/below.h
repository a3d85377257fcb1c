/* Folders below one that was named. Part of the program qcloud (layer 5); uses base. Any thread. */
#pragma once
#include "base/file.h"
#include "client.h"

/* dir/rest. QC_LIMIT */
QC_MUST qc_rc below_path(const char *dir, qc_span rest, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);
/* Of a file's path: its folder; empty: there is none. */
qc_span below_folder_of(qc_span rest);
/*
 * The folder dir/folder, or dir, open for reading; those that are not there are made, durably. No link below
 * dir is gone through, whoever puts one there meanwhile: it may lead out of dir.
 *
 * QC_CONFLICT  a link stands in the way;  QC_LIMIT  the path is too long
 */
QC_MUST qc_rc below_folder(const char *dir, qc_span folder, struct qc_fd *ret, struct qc_err *err);
/* What stands at root/rest, opened as flags say; nothing is made, and no link below root is gone through.
 * QC_NOTFOUND: it is not there, or a link or a file stands in the way;  QC_AUTH */
QC_MUST qc_rc below_open(int root, qc_span rest, int flags, struct qc_fd *ret, struct qc_err *err);
