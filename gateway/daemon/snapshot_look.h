/* Which snapshots of the catalogue there are, and whether they hold: for the calls, and for the operator's
 * commands where no daemon runs. Part of qcloud-gateway; docs/API.md, SNAPSHOTS. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

/* Errors: gw_engine_snapshot_list's. */
QC_MUST qc_rc snapshot_list_json(struct json_t **ret, struct gw_engine *e, const struct qc_cancel *cancel,
                                 struct qc_err *err);
/* generation: "I.S" of the one that is meant; NULL: all. What is found is the report's "outcome". QC_USAGE:
 * no generation; else gw_engine_snapshot_check's. */
QC_MUST qc_rc snapshot_check_json(struct json_t **ret, struct gw_engine *e, const char *generation,
                                  const struct qc_cancel *cancel, struct qc_err *err);
/* "I.S" as its two numbers. QC_USAGE */
QC_MUST qc_rc snapshot_generation(const char *text, uint32_t *ret_incarnation, uint32_t *ret_serial,
                                  struct qc_err *err);
