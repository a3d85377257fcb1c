/* A share store that is being made. Layer 3; uses base. Format: FORMAT 7. Keeps I1: see store_half.c. */
#pragma once
#include "base/err.h"
#include "base/file.h"

/*
 * Mark the directory, durably, and hold the mark until *ret is closed: a store is being made here. What is
 * left of one that was never finished goes.
 *
 * QC_CONFLICT  the directory holds something else;  QC_LOCKED  somebody is making one right now
 */
QC_MUST qc_rc store_half_begin(struct qc_fd *ret, int dirfd, struct qc_err *err);

/* Remove the parts of a store that never was, then its mark. */
QC_MUST qc_rc store_half_drop(int dirfd, struct qc_err *err);
