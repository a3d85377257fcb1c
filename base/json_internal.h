/* What json.c and json_build.c share. */
#pragma once
#include <jansson.h>

#include "base/json.h"

/* jansson allocates through base/alloc.h from now on: counted, and made to fail by tests. */
void qc_json_start(void);
