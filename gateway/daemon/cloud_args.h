/* On the command line: --cloud NAME=URL, --cloud-credentials NAME=FILE; --state DIR or --config FILE. Part of
 * qcloud-gateway. */
#pragma once
#include "base/opt.h"
#include "gateway/engine.h"

/* v[i] points into names and argv. */
struct cloud_args {
    struct gw_engine_cloud v[QC_GW_CLOUDS_MAX];
    char names[QC_GW_CLOUDS_MAX][CLOUD_NAME_SIZE_MAX + 1];
    unsigned count;
};

/* QC_USAGE: no cloud, too many, no NAME=, or credentials for a cloud that is not given, or given twice. *ret
 * is all zeros before; not copied after. */
QC_MUST qc_rc cloud_args_take(const struct qc_args *args, struct cloud_args *ret, struct qc_err *err);

/* The two ways to say where a gateway is; rows of a command's options. */
#define CLOUD_ARGS_STATE                                                                                     \
    { "state", 0, "DIR", "the state directory", false },                                                     \
    {                                                                                                        \
        "config", 0, "FILE", "or a configuration, which names it", false                                     \
    }
/* That directory. QC_USAGE: none, or both; as conf_load. */
QC_MUST qc_rc cloud_args_state(const struct qc_args *args, const char **ret, struct qc_err *err);
