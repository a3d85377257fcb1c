/* What the user hears: a line for each file and for each thing that is wrong, and the sum. Part of
 * qcloud-salvage. */
#pragma once
#include "salvage.h"

void report_start(const struct salvage *s);
/* Something is wrong with a file of a source; said once. The error is of the table, not of what is told. */
QC_MUST qc_rc report_wrong(struct salvage *s, unsigned source, qc_span path, struct qc_err *err,
                           const char *fmt, ...) QC_PRINTF(5, 6);
/* The same of a failure, unless it is one that ends the run (salvage_ends): then it is passed up. */
QC_MUST qc_rc report_failed(struct salvage *s, const struct found *f, const struct qc_err *why,
                            const char *what, struct qc_err *err);
/* Something is not in the copy of a cloud: key says under which name it would lie. */
QC_MUST qc_rc report_missing(struct salvage *s, uint32_t cloud, const char *key, struct qc_err *err,
                             const char *fmt, ...) QC_PRINTF(5, 6);

/* Bytes of a file that are lost. */
struct hole {
    uint64_t from, size;
};
struct outcome {
    enum fate fate;
    qc_rc rc; /* why, where it is not whole */
    qc_span name;
    const char *as; /* where it was written, beneath --out; NULL: nowhere */
    uint64_t size, lost;
    int margin; /* clouds that may still be lost; < 0: too few fragments are here */
    unsigned k, n;
    const char *why;
    const struct hole *holes;
    size_t hole_count; /* kept ones */
};
void report_file(struct salvage *s, const struct outcome *o);
void report_note(const struct salvage *s, const char *fmt, ...) QC_PRINTF(2, 3);
void report_progress(struct salvage *s, const char *doing, uint64_t done, uint64_t of);
/* The sum. Returns the exit status. */
int report_end(struct salvage *s, qc_rc rc, const struct qc_err *err);
