/* qcloud-gateway tenant add, ls, quota, token, disable, enable. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_tenant_add_options[], cmd_tenant_ls_options[], cmd_tenant_quota_options[],
    cmd_tenant_token_options[], cmd_tenant_options[];

qc_rc cmd_tenant_add(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tenant_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tenant_quota(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tenant_token(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tenant_disable(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_tenant_enable(void *app, const struct qc_args *args, struct qc_err *err);
