/* qcloud-gateway job, debt: long works, and what clouds are owed. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

QC_MUST qc_rc cmd_job_ls(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_job_show(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_job_cancel(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_job_resume(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_debt_ls(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_debt_retry(void *app, const struct qc_args *args, struct qc_err *err);
