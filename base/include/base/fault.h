/* Fault points: places where a test stops, slows or kills the program. Layer 0. Any thread.
 *
 *   QC_TRY(qc_fault(file_tmp_synced, err));
 *
 * With QC_FAULT_POINTS, the environment says what happens (several, by commas):
 *   QC_FAULT=NAME:kill:N       SIGKILL at the N-th pass of this process (1 is the first); "stop": SIGSTOP
 *   QC_FAULT=NAME:error:N      the N-th pass fails with QC_IO; "error+" the N-th and all later ones
 *   QC_FAULT=NAME:pause_ms:T   every pass waits T ms
 *   QC_FAULT_LOG=FILE          append the name of each point reached, one line per pass
 * A malformed QC_FAULT kills the program at the first point: a test must not pass by a typing error.
 * Without QC_FAULT_POINTS a point is the constant QC_OK; its name is still checked by the compiler. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fault_points.h"

enum qc_fault_point {
#define X(name, where) QC_FP_##name,
    QC_FAULT_POINT_TABLE(X)
#undef X
        QC_FP_COUNT
};

#ifdef QC_FAULT_POINTS
#define qc_fault(point, err) qc_fault_at(QC_FP_##point, (err))
#else
#define qc_fault(point, err) ((void)QC_FP_##point, (void)(err), (qc_rc)QC_OK)
#endif

/* Use qc_fault. */
QC_MUST qc_rc qc_fault_at(enum qc_fault_point point, struct qc_err *err);
/* The point's name, and its row's text. */
const char *qc_fault_name(enum qc_fault_point point);
const char *qc_fault_where(enum qc_fault_point point);
/* In tests: replace what the environment said (same syntax; NULL or "": nothing) and start counting anew. Not
 * while other threads pass points. */
void qc_fault_script(const char *script);
uint64_t qc_fault_passes(enum qc_fault_point point); /* since the start or the last script */
