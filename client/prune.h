/* What the commands that purge versions take. Part of the program qcloud (layer 5); uses base. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt empty_opts[], prune_opts[];
