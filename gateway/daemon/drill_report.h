/* What a drill of the gateway's own came to, as JSON and for people. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

enum { DRILL_LOST = 256, DRILL_WHY = 256 };
/* A drill under way, or over. Whoever fills and reads it at once has a lock for it. */
struct drill_report {
    struct gw_drilled d;
    unsigned lost_count; /* of versions that did not come back; the first DRILL_LOST are named */
    struct {
        uint32_t tenant;
        struct gw_id object, version;
        char why[DRILL_WHY];
    } lost[DRILL_LOST];
    bool running;
    qc_rc rc; /* over: the verdict, or why it did not go through */
    struct qc_err why;
};
/* Adds a version that was lost. */
void drill_report_lost(struct drill_report *r, const struct gw_drill_lost *lost);

/* DRILL of docs/API.md. */
QC_MUST qc_rc drill_report_json(struct json_t **ret, struct gw_engine *e, const struct drill_report *r,
                                struct qc_err *err);
/* "drills" of a status: {"last":DRILLED,"failed":DRILLED}, each null where there is none. */
QC_MUST qc_rc drills_json(struct json_t *o, struct gw_engine *e, const struct gw_drills *d,
                          struct qc_err *err);
/* "2026-11-28T11:02:43Z: 20 of 20 versions came back without c1 and c2" */
enum { DRILL_TEXT = 512 };
void drill_text(struct gw_engine *e, const struct gw_drilled *d, char ret[DRILL_TEXT]);
