/* The last drill, kept beside the journals for `status`: figures, no names. Part of the program qcloud (layer
 * 5).
 *
 * <state>/drill.json: one JSON object, {"v":1,"when":"RFC
 * 3339","without":["cloud",..],"share":0..2,"seed":"N",
 * "whole":bool,"objects":N,"tried":N,"back":N,"bytes":N, "exit":N}, and "failed", another of the kind: an
 * earlier one that failed, where this one did not try all objects without the same clouds. */
#pragma once
#include "client.h"

/* Replaces what is kept; takes the object. QC_FULL, QC_IO, .. of the state directory. */
QC_MUST qc_rc last_drill_keep(struct client *c, struct json_t **drill, struct qc_err *err);
/* *ret: NULL where none was kept. QC_FORMAT: something else lies there. */
QC_MUST qc_rc last_drill_read(struct client *c, struct json_t **ret, struct qc_err *err);
/* Did it, or an earlier one that it does not outdo? Then ret grows by that one's text. QC_FORMAT */
QC_MUST qc_rc last_drill_failed(const struct json_t *drill, bool *ret_failed, qc_buf *ret,
                                struct qc_err *err);
/* "2026-11-28 11:02:43 +0000: 20 of 20 objects came back without paris, osaka and share 2"; ret grows.
 * QC_FORMAT */
QC_MUST qc_rc last_drill_text(const struct json_t *drill, qc_buf *ret, struct qc_err *err);
