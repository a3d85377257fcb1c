#include "base/near.h"

static size_t cut(size_t n)
{
    return n < QC_NEAR_WORD_MAX ? n : QC_NEAR_WORD_MAX;
}

size_t qc_near_edits(qc_span a, qc_span b)
{
    const size_t n = cut(a.n), m = cut(b.n);
    size_t rows[3][QC_NEAR_WORD_MAX + 1]; /* of i, i - 1, i - 2 letters of a, in turns */

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (row[j - 1] + 1 < row[j])
                row[j] = row[j - 1] + 1;
            if (above[j] + 1 < row[j])
                row[j] = above[j] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                second[j - 2] + 1 < row[j])
                row[j] = second[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
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
