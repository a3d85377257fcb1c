/* The nearest of some words, for "unknown key; the nearest is ...". Layer 0; uses buf. Pure. */
#pragma once
#include "base/buf.h"

enum { QC_NEAR_WORD_MAX = 32 }; /* letters of a word that is compared; what is longer is cut */

/* Letters to insert, remove or change, and neighbours to exchange, to make one of the other (optimal string
 * alignment), each cut at QC_NEAR_WORD_MAX. */
size_t qc_near_edits(qc_span a, qc_span b);
/* The word with the fewest edits to s, or NULL when it would take more than half of its letters. */
const char *qc_near_word(qc_span s, const char *const *words, size_t count);
