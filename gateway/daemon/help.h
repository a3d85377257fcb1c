/* Examples and exit codes for the help of each command of qcloud-gateway. Part of that program (layer 5);
 * uses base. */
#pragma once
#include "base/buf.h"
#include "base/opt.h"

/* The help of the program (cmd NULL) or of one command; appended to ret. */
QC_MUST qc_rc help_text(const struct qc_app *app, const struct qc_cmd *cmd, qc_buf *ret, struct qc_err *err);
