/* The service manager, where there is one: its socket in NOTIFY_SOCKET (sd_notify(3)), its watchdog. Part of
 * qcloud-gateway; one thread. Who does not listen does not miss it. */
#pragma once
#include <stdint.h>

struct manager {
    uint64_t watchdog_ms, next_ms; /* half of what it waits; 0: it does not */
};
void manager_begin(struct manager *m);
/* "READY=1", "STOPPING=1", .. */
void manager_tell(const char *state);
/* It is read again, or opened again, from now on; say READY=1 when it is over. */
void manager_reloading(void);
/* Now and then, by the thread whose stopping would be a failure. */
void manager_tick(struct manager *m);
