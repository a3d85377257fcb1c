/* Ctrl-C and SIGTERM: the first asks the command to stop where it is safe, a second within two seconds leaves
 * at once. SIGUSR1 asks for one line of progress. Part of the program qcloud (layer 5); uses base. */
#pragma once
#include <termios.h>

#include "base/time.h"

/* Once, before any thread starts. */
QC_MUST qc_rc signals_install(struct qc_err *err);
/* Set by the first signal; lives as long as the program. */
const struct qc_cancel *signals_cancel(void);
/* True once for each SIGUSR1. */
bool signals_report_asked(void);
/* While a prompt has changed a terminal: how it must be left when a signal ends the program at once. fd -1:
 * nothing is changed any more. */
void signals_keep_terminal(int fd, const struct termios *as);
