/* JSON from outside, strictly; JSON of ours, compactly. Layer 0; over jansson; uses err, buf, codec.
 *
 * Values are jansson's json_t, by reference count; callers need no header of jansson. "get" functions borrow
 * and name the field in their errors (QC_FORMAT: missing, of another type, out of range). Unsigned 64-bit
 * integers are decimal strings on the wire, since many readers keep numbers as doubles. Bytes are base64url
 * or hex strings. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_t;

/* One value and nothing after it: at most QC_JSON_MAX bytes and QC_JSON_DEPTH_MAX levels, no duplicate names,
 * valid UTF-8. QC_FORMAT with line and column, QC_LIMIT. */
QC_MUST qc_rc qc_json_parse(struct json_t **ret, qc_span text, struct qc_err *err);
void qc_json_free(struct json_t **j);
/* Appends the compact text, object members in the order of insertion. */
QC_MUST qc_rc qc_json_dump(const struct json_t *j, qc_buf *ret, struct qc_err *err);

bool qc_json_is_object(const struct json_t *j);
bool qc_json_is_array(const struct json_t *j);
bool qc_json_has(const struct json_t *obj, const char *name);   /* present and not null */
bool qc_json_given(const struct json_t *obj, const char *name); /* present, null or not */
/* QC_FORMAT when obj has a member that is not among names. */
QC_MUST qc_rc qc_json_only(const struct json_t *obj, const char *const *names, size_t count,
                           struct qc_err *err);

/* Strings hold no NUL; borrowed from obj. */
QC_MUST qc_rc qc_json_str(const struct json_t *obj, const char *name, const char **ret, struct qc_err *err);
QC_MUST qc_rc qc_json_int(const struct json_t *obj, const char *name, int64_t min, int64_t max, int64_t *ret,
                          struct qc_err *err);
/* Any number, with a fraction or without. */
QC_MUST qc_rc qc_json_real(const struct json_t *obj, const char *name, double min, double max, double *ret,
                           struct qc_err *err);
/* "0" or [1-9][0-9]*, up to 2^64 - 1, as a string. */
QC_MUST qc_rc qc_json_u64(const struct json_t *obj, const char *name, uint64_t *ret, struct qc_err *err);
QC_MUST qc_rc qc_json_bool(const struct json_t *obj, const char *name, bool *ret, struct qc_err *err);
QC_MUST qc_rc qc_json_b64(const struct json_t *obj, const char *name, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc qc_json_b64_fixed(const struct json_t *obj, const char *name, uint8_t *dst, size_t n,
                                struct qc_err *err);
QC_MUST qc_rc qc_json_hex(const struct json_t *obj, const char *name, uint8_t *dst, size_t n,
                          struct qc_err *err);
QC_MUST qc_rc qc_json_obj(const struct json_t *obj, const char *name, struct json_t **ret,
                          struct qc_err *err);
QC_MUST qc_rc qc_json_arr(const struct json_t *obj, const char *name, struct json_t **ret,
                          struct qc_err *err);
size_t qc_json_len(const struct json_t *arr);
struct json_t *qc_json_at(const struct json_t *arr, size_t i); /* i < length (asserted); borrowed */
/* The string value of an array's element; NULL when it is another type or holds a NUL. */
const char *qc_json_str_value(const struct json_t *j);
/* A report's member "outcome", {"id","message"}, as the code that it would have been here; with the message
 * in err unless that is QC_OK. QC_FORMAT; QC_NEWER: an id that this program does not know. */
QC_MUST qc_rc qc_json_outcome(const struct json_t *report, struct qc_err *err);

/* Building. Errors: QC_NOMEM, QC_FORMAT for text that is not UTF-8. */
QC_MUST qc_rc qc_json_new_obj(struct json_t **ret, struct qc_err *err);
QC_MUST qc_rc qc_json_new_arr(struct json_t **ret, struct qc_err *err);
QC_MUST qc_rc qc_json_set_str(struct json_t *obj, const char *name, const char *v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_int(struct json_t *obj, const char *name, int64_t v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_real(struct json_t *obj, const char *name, double v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_u64(struct json_t *obj, const char *name, uint64_t v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_bool(struct json_t *obj, const char *name, bool v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_null(struct json_t *obj, const char *name, struct qc_err *err);
QC_MUST qc_rc qc_json_set_b64(struct json_t *obj, const char *name, qc_span v, struct qc_err *err);
QC_MUST qc_rc qc_json_set_hex(struct json_t *obj, const char *name, qc_span v, struct qc_err *err);
/* The child goes over to the parent: *child is NULL afterwards, also on failure (it is freed then). */
QC_MUST qc_rc qc_json_set(struct json_t *obj, const char *name, struct json_t **child, struct qc_err *err);
QC_MUST qc_rc qc_json_append(struct json_t *arr, struct json_t **child, struct qc_err *err);
/* Before the element that is at `at` now; at the length: behind all. */
QC_MUST qc_rc qc_json_insert(struct json_t *arr, size_t at, struct json_t **child, struct qc_err *err);
QC_MUST qc_rc qc_json_append_b64(struct json_t *arr, qc_span v, struct qc_err *err);
QC_MUST qc_rc qc_json_append_str(struct json_t *arr, const char *v, struct qc_err *err);
