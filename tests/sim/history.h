/* One history: a month or more of clients, faults and an operator, then a quiet end in which all must come
 * right. */
#pragma once
#include "sim.h"

/* As the only task of a new world. ctx: none. */
void history_run(void *ctx);
/* A client has just heard that its change is there. */
void history_acked(void);
