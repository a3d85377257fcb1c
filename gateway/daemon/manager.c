#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/manager.h"
#include "base/opt.h"
#include "base/time.h"

void manager_tell(const char *state)
{
    struct qc_err why = { 0 };
    if (qc_manager_tell(state, &why) != QC_OK)
        QC_LOG(QC_LOG_WARN, "the service manager cannot be told", QC_S("state", state), QC_S("why", why.msg));
}

void manager_reloading(void)
{
    char text[64];

    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, qc_now_ns() / 1000);
    manager_tell(text);
}

/* WATCHDOG_PID is another's where a parent of ours is meant. */
void manager_begin(struct manager *m)
{
    const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
    struct qc_err unused = { 0 };
    uint64_t n = 0;

    *m = (struct manager){ 0 };
    if (usec == NULL || qc_parse_u64(usec, "WATCHDOG_USEC", false, &n, &unused) != QC_OK)
        return;
    m->watchdog_ms = n / 2000;
    if (pid != NULL &&
        (qc_parse_u64(pid, "WATCHDOG_PID", false, &n, &unused) != QC_OK || n != (uint64_t)getpid()))
        m->watchdog_ms = 0;
}

void manager_tick(struct manager *m)
{
    if (m->watchdog_ms == 0 || qc_now_ms() < m->next_ms)
        return;
    m->next_ms = qc_now_ms() + m->watchdog_ms;
    manager_tell("WATCHDOG=1");
}
