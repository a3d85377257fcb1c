/* Changes of paths, and what was said of them; for oracle.c. */
#pragma once
#include "oracle.h"

enum { PUTS_MAX = 8000 };

void promises_new(void);
/* Nobody but a fault may take something of it: it is there, and no purge that may pass is under way. */
bool stays(const struct put *p);
