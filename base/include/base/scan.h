/* JSON read where it lies: secrets that come as text, of which no copy is made (I5). What is read is written
 * behind the reader. Layer 0; uses buf. Pure. The grammar is the user's: only its first steps are here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Start with p and n. */
struct qc_scan {
    uint8_t *p;
    size_t n, at;
    unsigned depth;  /* for who passes over values */
    const char *bad; /* the first objection; then nothing is eaten any more */
};

void qc_scan_object(struct qc_scan *s, const char *why); /* why: stays */
/* The next byte that is no white space, not taken; 0 at the end. */
uint8_t qc_scan_peek(struct qc_scan *s);
bool qc_scan_eat(struct qc_scan *s, uint8_t c); /* it is the next one, and taken */
