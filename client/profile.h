/* How objects can be kept: --profile, --policy. Part of the program qcloud (layer 5). */
#pragma once
#include "client.h"

/* Does --profile mean the three sites? Then also how: *ret_scheme, which may be NULL. QC_USAGE: no such
 * profile. */
QC_MUST qc_rc profile_shared(const struct qc_args *args, bool *ret, enum vault_scheme *ret_scheme,
                             struct qc_err *err);
/* --policy into c->policy, and from it or --profile c->shared and c->scheme. QC_USAGE: both, and they differ;
 * policy_load's errors. */
QC_MUST qc_rc profile_of(struct client *c, const struct qc_args *args, struct qc_err *err);
