/* For the other allocators of base/ (secrets, pools): take part in the injected failures and the count. */
#pragma once
#include <stdbool.h>

#include "base/alloc.h"

/* True: this allocation is to fail. Counts one allocation. */
bool qc_alloc_trips(void);
void qc_alloc_count(int delta);
