/* A look that is drawn anew, again and again, on a terminal: what --watch shows. Layer 0; uses buf, err,
 * time. Nothing is left behind on the terminal but the last look: no other screen, no changed mode. */
#pragma once
#include <stdio.h>

#include "base/buf.h"
#include "base/time.h"

struct qc_screen {
    size_t columns, rows;
};
/* Is it a terminal that can be drawn on? Its size, 80 by 24 where it does not say. Not where TERM is dumb or
 * not set. ret may be NULL. */
bool qc_screen_of(FILE *to, struct qc_screen *ret);

/*
 * What draws lines of text on such a terminal, from its top: none is longer than it is wide (each letter
 * taken for one; what is wider after all is cut by the terminal), and there are fewer than it has rows. Of
 * more the last one says how many are left out. The cursor stands below them. Appended. QC_NOMEM, QC_LIMIT
 */
QC_MUST qc_rc qc_screen_frame(qc_span text, const struct qc_screen *s, qc_buf *ret, struct qc_err *err);
/* The frame to the terminal at once; first: what stood there before goes up, out of sight and not away.
 * False: it could not be written. */
bool qc_screen_draw(FILE *to, qc_span frame, const struct qc_screen *s, bool first);

/* Until ms have passed, or the terminal (NULL: none) has another size than s. QC_CANCELLED */
QC_MUST qc_rc qc_screen_wait(FILE *to, const struct qc_screen *s, uint64_t ms, const struct qc_cancel *cancel,
                             struct qc_err *err);
