/* The ways to the clouds: what protects them, what their links say, and a trial of each. Part of
 * qcloud-gateway; docs/API.md. */
#pragma once
#include "base/json.h"
#include "base/opt.h"
#include "levels.h"

/* {"links": [{"cloud", "level", "link"}], "summary": [..]}. */
QC_MUST qc_rc link_list_json(struct json_t **ret, struct gw_engine *e, struct levels *l, struct qc_err *err);
/* The same, each with {"test": {"open_us", "ask_us", "ok", "why"}}, and "outcome". cloud: its name; NULL:
 * all. QC_NOTFOUND */
QC_MUST qc_rc link_test_json(struct json_t **ret, struct gw_engine *e, struct levels *l, const char *cloud,
                             struct qc_err *err);

QC_MUST qc_rc cmd_link_ls(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_link_test(void *app, const struct qc_args *args, struct qc_err *err);
