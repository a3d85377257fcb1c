/* Versions that are purged, or kept until a date, and certificates of what was erased. Part of the program
 * qcloud (layer 5); uses base, vault. */
#pragma once
#include "client.h"

extern const struct qc_opt empty_opts[], prune_opts[], lock_opts[], rm_opts[], certificate_opts[];

/* rm --erase: the names in args, and all their versions, for good. */
QC_MUST qc_rc client_erase(struct client *c, const struct qc_args *args, struct qc_err *err);

/* put --retain-until, lock: from now on c->keeping takes versions. items: each is one in JSON. QC_USAGE: no
 * date, or one that has passed.
 */
QC_MUST qc_rc keeping_new(struct client *c, const char *date, bool items, struct qc_err *err);
void keeping_free(struct keeping **k);
/* One more, where there is c->keeping; asked for when there are many, and at the flush. What is refused is
 * told, and folded into *worst. */
QC_MUST qc_rc keeping_add(struct client *c, qc_span name, const uint8_t *object, const uint8_t *version,
                          qc_rc *worst, struct qc_err *err);
QC_MUST qc_rc keeping_flush(struct client *c, qc_rc *worst, struct qc_err *err);
