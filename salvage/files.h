/* The files of a vault out of what was found. Part of qcloud-salvage. */
#pragma once
#include "out.h"

/* out NULL: nothing is written. */
QC_MUST qc_rc files_salvage(struct salvage *s, struct out *out, struct qc_err *err);
