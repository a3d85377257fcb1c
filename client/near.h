/* The nearest of some words, for "unknown key; the nearest is ...". Part of the program qcloud (layer 5);
 * uses base. Pure. */
#pragma once
#include "base/buf.h"

/* The word with the fewest edits to s, or NULL when it would take more than half of its letters. */
const char *near_word(qc_span s, const char *const *words, size_t count);
