#include "near.h"

enum { NEAR_MAX = 32 };

/* Levenshtein, one row. b has at most NEAR_MAX letters. */
static size_t edits(qc_span a, qc_span b)
{
    size_t row[NEAR_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 0; i < a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            size_t best = diagonal + (a.p[i] != b.p[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[b.n];
}

const char *near_word(qc_span s, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t least = NEAR_MAX;
    if (s.n > NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        qc_span w = qc_span_str(words[i]);
        QC_ASSERT(w.n <= NEAR_MAX);
        size_t d = edits(s, w);
        if (d < least && d * 2 <= w.n + 1) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
