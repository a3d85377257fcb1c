/* What a hand sets of the scrub: the body of POST /v1/scrub/hand, done. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

/* {"paused": bool, "cloud": name or absent}, or {"rate": N or null}. *ret: SCRUB of docs/API.md. QC_USAGE,
 * QC_FORMAT; and those of gw_engine_scrub_pause. */
QC_MUST qc_rc scrub_hand_json(struct json_t **ret, struct gw_engine *e, const struct json_t *body,
                              struct qc_err *err);
