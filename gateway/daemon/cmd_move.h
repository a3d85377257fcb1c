/* qcloud-gateway cloud add, drain, replace, retire, domain; plan exit, reprotect. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_cloud_add_options[], cmd_cloud_drain_options[], cmd_cloud_replace_options[],
    cmd_cloud_retire_options[], cmd_cloud_domain_options[], cmd_plan_exit_options[],
    cmd_plan_reprotect_options[];

qc_rc cmd_cloud_add(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_drain(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_replace(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_retire(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_domain(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_plan_exit(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_plan_reprotect(void *app, const struct qc_args *args, struct qc_err *err);
/* repair --reprotect K,N */
qc_rc cmd_reprotect(void *app, const struct qc_args *args, struct qc_err *err);

/* cloud set with labels or a weight. */
qc_rc cmd_cloud_label(void *app, const struct qc_args *args, struct qc_err *err);
/* Was one given? */
bool cmd_cloud_has_labels(const struct qc_args *args);
#define CMD_CLOUD_LABELS                                                                                     \
    { "weight", 0, "W", "how much of what is new it gets, 0 to 1000 (100: as others)", false },              \
        { "provider", 0, "LABEL", "who runs it", false },                                                    \
        { "region", 0, "LABEL", "where it stands", false },                                                  \
    {                                                                                                        \
        "jurisdiction", 0, "LABEL", "whose law holds there", false                                           \
    }
