/* Share stores on removable disks, as commands see them. Layer 5. */
#pragma once
#include "client.h"
#include "home/disks.h"

/* Where a disk of the configuration is not there, and somebody sits at a terminal: it is asked for by its
 * name, and looked for again. *ret: that was done, and the vault may open otherwise now. QC_CANCELLED */
QC_MUST qc_rc client_ask_disk(struct client *c, bool *ret, struct qc_err *err);
/* A place that was given: a path, made absolute, or label:NAME:DIR, which goes to ret_disk (else empty) and
 * is looked for now, and asked for. QC_USAGE; QC_SHARES: the disk is not there; errors of disk_find. */
QC_MUST qc_rc client_place(struct client *c, const char *given, char ret[QC_CLIENT_PATH_MAX],
                           char ret_disk[DISK_PLACE_MAX], struct qc_err *err);
