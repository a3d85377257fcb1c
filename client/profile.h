/* How objects are kept: a table of profiles, in the user's terms. Part of the program qcloud (layer 5). */
#pragma once
#include "client.h"

/* Does --profile mean the three sites? QC_USAGE: no such profile, or none that stores. */
QC_MUST qc_rc profile_shared(const struct qc_args *args, bool *ret, struct qc_err *err);
