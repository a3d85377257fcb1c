/* Ctrl-C and SIGTERM of the operator's commands that take long: the first is heard here, the second ends the
 * program. Part of the program qcloud-gateway (layer 5). */
#pragma once
#include "base/err.h"
#include "base/time.h"

/* Heard from now on. QC_GENERAL and others by errno. */
QC_MUST qc_rc interrupt_catch(struct qc_err *err);
/* Set by the first of them; for as long as the program runs. */
struct qc_cancel *interrupt_cancel(void);
