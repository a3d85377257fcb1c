/* status --watch: the gateway that serves is asked again and again. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

/* Rows of an option table. */
#define STATUS_WATCH_OPTIONS                                                                                 \
    { "watch", 0, NULL,                                                                                      \
      "ask the gateway that serves again and again, till Ctrl-C: drawn anew on a terminal, else a line a "   \
      "look",                                                                                                \
      false },                                                                                               \
    {                                                                                                        \
        "interval", 0, "SPAN", "with --watch: so often (default: 5s)", false                                 \
    }

/* Until it is told to stop: QC_CANCELLED. That nobody serves is shown, and it goes on. QC_USAGE */
QC_MUST qc_rc status_watch(const struct qc_args *args, const char *state, struct qc_err *err);
