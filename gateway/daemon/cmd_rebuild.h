/* qcloud-gateway rebuild, snapshot restore. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_rebuild_options[], cmd_snapshot_restore_options[];

qc_rc cmd_rebuild(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_snapshot_restore(void *app, const struct qc_args *args, struct qc_err *err);
