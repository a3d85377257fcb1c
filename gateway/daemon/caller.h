/* Who asks, and may they? The one place where this is decided. Part of qcloud-gateway. */
#pragma once
#include "http.h"

/*
 * At the owner's door the peer's uid must be the gateway's own; at the tenants' a token must be shown (sets
 * r->tenant, and counts the request). Before anything of the request is looked at. QC_AUTH  nobody, or a
 * tenant who is disabled;  QC_TEMP  too many at once; r->refused and r->header say how HTTP says it
 */
QC_MUST qc_rc caller_identify(struct request *r, struct qc_err *err);
/* The call that was found is one that this caller may make. QC_AUTH. */
QC_MUST qc_rc caller_may(const struct request *r, struct qc_err *err);
/* What a tenant is told of a failure: what is its own doing, in full; of clouds and disks no more than the
 * code, which the log has in full. */
const char *caller_told(const struct request *r, const struct qc_err *why);
