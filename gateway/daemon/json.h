/* Entries, receipts, heads: between JSON and the engine's structs. Part of qcloud-gateway; docs/API.md. */
#pragma once
#include "http.h"

QC_MUST qc_rc json_head(struct json_t *obj, const struct gw_head *h, struct qc_err *err); /* sets "head" */
QC_MUST qc_rc json_entry(struct json_t **ret, const struct gw_entry_row *row, struct qc_err *err);
/* "full" or NULL, "quorum". QC_USAGE */
QC_MUST qc_rc json_wait(const char *text, bool *ret_hasty, struct qc_err *err);
QC_MUST qc_rc json_receipt(struct json_t **ret, const struct request *q, const struct gw_receipt *r,
                           struct qc_err *err);
QC_MUST qc_rc json_count(struct json_t *obj, const char *name, uint64_t v, struct qc_err *err); /* < 2^53 */
struct json_row {
    const char *name;
    uint64_t v;
};
QC_MUST qc_rc json_counts(struct json_t *obj, const struct json_row *rows, size_t n, struct qc_err *err);
/* A reason, which comes from clouds and paths and may be cut within a character: then in ASCII, with ? for
 * all else. Shorter than QC_ERR_MSG_MAX. */
QC_MUST qc_rc json_why(struct json_t *obj, const char *name, const char *text, struct qc_err *err);
QC_MUST qc_rc json_id(const struct json_t *obj, const char *name, struct gw_id *ret, struct qc_err *err);
QC_MUST qc_rc json_number(const struct json_t *obj, const char *name, uint64_t *ret, struct qc_err *err);

/* A file's entry as a client sends it, checked for sizes; the spans lie in the two buffers. */
struct json_entry_in {
    struct gw_entry e;
    qc_buf path, private_part;
};
void json_entry_in_done(struct json_entry_in *e);
QC_MUST qc_rc json_entry_parse(struct json_entry_in *ret, const struct json_t *obj, struct qc_err *err);
/* "path" alone. */
QC_MUST qc_rc json_path(qc_buf *ret, const struct json_t *obj, struct qc_err *err);
