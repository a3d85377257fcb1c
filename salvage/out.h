/* Where the files go: made new beneath --out, whole or not at all. Part of qcloud-salvage. Keeps S2.
 *
 * A file grows in OUT/.qcloud-salvage/ and gets its name when it is durable. Whatever stands under that name
 * already is left alone: if it has the same bytes, a run before this one wrote it. */
#pragma once
#include "salvage.h"

struct out;

/* Makes the directory, or goes on in one. QC_LOCKED  another salvage writes there. */
QC_MUST qc_rc out_open(struct out **ret, const char *path, struct qc_err *err);
void out_close(struct out **o);
/* A directory for scratch files, emptied. Borrowed. */
const char *out_scratch(const struct out *o);

struct out_file;
/* How a file gets its name. */
struct out_name {
    qc_span name;       /* components joined by '/', as vault_name_check wants them */
    const char *suffix; /* behind the name: "", ".part", ".older-7" */
    const char
        *instead; /* a name of its own that always fits, where the file system does not take the other */
};
QC_MUST qc_rc out_file_new(struct out_file **ret, struct out *o, const struct out_name *name,
                           struct qc_err *err);
/* Removes what has no name yet. */
void out_file_free(struct out_file **f);
QC_MUST qc_rc out_file_write(struct out_file *f, uint64_t at, qc_span bytes, struct qc_err *err);
/* Another name, before the end: it became another kind of file. */
QC_MUST qc_rc out_file_suffix(struct out_file *f, const char *suffix, struct qc_err *err);
/* Durable, under its name. *ret_present: it was there. QC_CONFLICT  something else is. */
QC_MUST qc_rc out_file_finish(struct out_file *f, uint64_t size, const struct vault_meta *meta,
                              bool *ret_present, struct qc_err *err);
/* Once it is finished: of its extended attributes, how many the file system did not take. */
unsigned out_file_without(const struct out_file *f);
/* The name beneath OUT; borrowed. */
const char *out_file_as(const struct out_file *f);
