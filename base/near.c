#include "base/near.h"

static size_t cut(size_t n)
{
    return n < QC_NEAR_WORD_MAX ? n : QC_NEAR_WORD_MAX;
}

size_t qc_near_edits(qc_span a, qc_span b)
{
    const size_t n = cut(a.n), m = cut(b.n);
    size_t row[QC_NEAR_WORD_MAX + 1];

    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            size_t best = diagonal + (a.p[i] != b.p[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[m];
}

const char *qc_near_word(qc_span s, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;

    if (s.n > QC_NEAR_WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const qc_span w = qc_span_str(words[i]);
        const size_t d = qc_near_edits(s, w);
        if (d < least && d * 2 <= w.n + 1) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
