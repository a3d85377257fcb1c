/* Share stores on removable disks, which are found by the name (label) of their file system, wherever they
 * are mounted now. Layer 4; uses base. Nothing is mounted here, and no rights are needed.
 *
 *   label:NAME:DIR    the directory DIR of the disk NAME; no ':' in NAME
 */
#pragma once
#include "base/buf.h"

enum { DISK_PLACE_MAX = 1024 };

/* Where to look. {0}: the system's. */
struct disk_view {
    const char
        *by_label; /* a directory with a link to the device of each disk, by its label as udev writes it */
    const char *mounts; /* a file as /proc/self/mountinfo */
};

/* Is it written as a place on a disk? It need not be right. */
bool disk_is(const char *place);
/* QC_USAGE: label:NAME:DIR is needed; DIR is no name of a directory beneath the disk's own. */
QC_MUST qc_rc disk_check(const char *place, struct qc_err *err);
/* A path for what cannot be looked for now: for messages, and there is nothing at it. place is right. */
void disk_nowhere(const char *place, char ret[QC_CLIENT_PATH_MAX]);
/*
 * The directory, absolute. Whether there is one, and of which vault, is for the caller to see: another disk
 * may have the same name. place is right.
 *
 * QC_SHARES: the disk is not plugged in; or is, and is not mounted. QC_LIMIT, QC_NOMEM, QC_IO
 */
QC_MUST qc_rc disk_find(const struct disk_view *view, const char *place, char ret[QC_CLIENT_PATH_MAX],
                        struct qc_err *err);
