/* A snapshot of the catalogue, taken now, and what came of it: for the call, and for the operator's command
 * where no daemon runs. Part of qcloud-gateway; docs/API.md, SNAPSHOT. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

/* To its end. cancel: of waiting for one that is under way; may be NULL. QC_TEMP: nothing is published yet;
 * else as gw_engine_snapshot. That some cloud has not got its piece is the report's "outcome". */
QC_MUST qc_rc snapshot_take_json(struct json_t **ret, struct gw_engine *e, const struct qc_cancel *cancel,
                                 struct qc_err *err);
