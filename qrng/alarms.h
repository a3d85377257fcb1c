/* Health alarms of sources, kept over processes: FORMAT 10.7. Internal to qrng/. Any process at once. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "gate.h"

/* Of one source; all-zero: none. */
struct qrng_alarms {
    int64_t at_s[QRNG_GATE_ALARMS]; /* the last ones, seconds since 1970, the newest first; 0: none */
};

/* Three within QC_QRNG_ALARMS_MS: only a person lets it in again. A clock that went back makes it so, too. */
bool qrng_alarms_shut(const struct qrng_alarms *a);
/* One more. Pure; a source that is shut stays so. */
void qrng_alarms_note(struct qrng_alarms *a, int64_t now_s);
/* Pure. QC_FORMAT. */
QC_MUST qc_rc qrng_alarms_parse(qc_span text, struct qrng_alarms *ret, struct qc_err *err);
/* Of a source, in the directory; none: all-zero. A damaged one is QC_FORMAT. */
QC_MUST qc_rc qrng_alarms_load(const char *dir, const char *source, struct qrng_alarms *ret,
                               struct qc_err *err);
/* Note one, durably, and say what there is now. The directory is made. */
QC_MUST qc_rc qrng_alarms_add(const char *dir, const char *source, int64_t now_s, struct qrng_alarms *ret,
                              struct qc_err *err);
