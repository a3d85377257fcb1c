#include "interrupt.h"

#include <signal.h>

static struct qc_cancel stop; /* set by the signal handler, which has no other way */

static void on_signal(int sig)
{
    (void)sig;
    qc_cancel_set(&stop);
}

qc_rc interrupt_catch(struct qc_err *err)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return QC_FAIL_OS(err, "signals");
    return QC_OK;
}

struct qc_cancel *interrupt_cancel(void)
{
    return &stop;
}
