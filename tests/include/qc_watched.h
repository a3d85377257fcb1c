/* Which sanitizer runs this. What shows without one, or by another, need not be looked at by it: each look
 * costs it ten times as much. */
#pragma once
#include <stdbool.h>

/* The thread sanitizer: of what the same threads do over and over in the same way, it sees as much in a part.
 */
#ifdef __SANITIZE_THREAD__
static const bool qc_threads_alone = true;
#else
static const bool qc_threads_alone = false;
#endif
