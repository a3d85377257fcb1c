/* JSON answers of the gateway, and the bodies we send it. Layer 3; docs/API.md. All input is untrusted:
 * bounded, typed, and checked for meaning by nobody here. Errors of the parsers: QC_FORMAT, QC_LIMIT,
 * QC_NOMEM. */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "vault/gw.h"

#define GW_INT_MAX ((INT64_C(1) << 53) - 1) /* API: integers are below 2^53 */

QC_MUST qc_rc gw_json_entry(struct vault_gw_entry *ret, const struct json_t *obj, struct qc_err *err);
/* ret: empty; to be freed also after a failure. */
QC_MUST qc_rc gw_entry_copy(struct vault_gw_entry *ret, const struct vault_gw_entry *e, struct qc_err *err);
QC_MUST qc_rc gw_json_head(struct vault_head *ret, const struct json_t *obj, struct qc_err *err);
QC_MUST qc_rc gw_json_receipt(struct vault_gw_receipt *ret, const struct json_t *obj, struct qc_err *err);
QC_MUST qc_rc gw_json_info(struct vault_gw_info *ret, const struct json_t *obj, struct qc_err *err);
QC_MUST qc_rc gw_json_faults(struct vault_gw_faults *ret, const struct json_t *obj, struct qc_err *err);
QC_MUST qc_rc gw_json_upload(enum vault_upload_state *ret, struct vault_gw_receipt *receipt,
                             const struct json_t *obj, struct qc_err *err);

/* The code of an error's id (either spelling of base/err.h), else of the HTTP status: never QC_OK or
 * QC_DEGRADED. */
QC_MUST qc_rc gw_json_rc(const char *id, int status);

/*
 * The code and text of an answer that is no success: never QC_OK. body may be anything. Where the answer
 * carries a current entry and ret_current is not NULL, it is filled (its number is 0 when the path has none).
 */
QC_MUST qc_rc gw_json_error(int status, qc_span body, struct vault_gw_entry *ret_current, struct qc_err *err);

/* {"error":{..}} as one outcome of many: its code into *ret_rc, never QC_OK, and its text into ret. */
QC_MUST qc_rc gw_json_refusal(const struct json_t *obj, qc_rc *ret_rc, struct qc_err *ret,
                              struct qc_err *err);

/* One outcome of many: a receipt, and *ret_rc is QC_OK, or a refusal, as above. */
QC_MUST qc_rc gw_json_outcome(struct vault_gw_receipt *ret, const struct json_t *o, qc_rc *ret_rc,
                              struct qc_err *ret_why, struct qc_err *err);

/* ENTRY as the commit sends it. */
QC_MUST qc_rc gw_json_entry_build(struct json_t **ret, const struct vault_entry *e, struct qc_err *err);

/* Text from outside into a fixed field: cut, and what is not printable ASCII becomes '?'. */
void gw_json_text(char *dst, size_t size, const char *src);
