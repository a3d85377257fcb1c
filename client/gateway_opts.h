/* Options of the commands that begin with `gateway`. Part of the program qcloud (layer 5); uses base. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt kit_opts[], rebuild_opts[], restore_opts[], validate_opts[], set_opts[],
    add_opts[], drain_opts[], replace_opts[], retire_opts[], plan_opts[], plan_code_opts[], repair_opts[],
    scrub_opts[], gateway_drill_opts[], gateway_audit_opts[], scrub_pause_opts[];
