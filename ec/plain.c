#include "ec/plain.h"

#include <string.h>

#include "base/limits.h"
#include "gf256.h"

/* k rows of k: a matrix that is turned into the unit matrix, and what that makes of the unit matrix. */
struct square {
    uint8_t a[QC_EC_N_MAX][QC_EC_N_MAX], inverse[QC_EC_N_MAX][QC_EC_N_MAX];
};

static void fill(struct square *m, const unsigned *from, unsigned k)
{
    memset(m, 0, sizeof *m);
    for (unsigned row = 0; row < k; row++) {
        m->inverse[row][row] = 1;
        for (unsigned j = 0; j < k; j++)
            m->a[row][j] = from[row] < k ? from[row] == j : ec_gf_inv((uint8_t)(from[row] ^ j));
    }
}

static void swap_rows(struct square *m, unsigned x, unsigned y)
{
    uint8_t row[QC_EC_N_MAX];

    memcpy(row, m->a[x], sizeof row);
    memcpy(m->a[x], m->a[y], sizeof row);
    memcpy(m->a[y], row, sizeof row);
    memcpy(row, m->inverse[x], sizeof row);
    memcpy(m->inverse[x], m->inverse[y], sizeof row);
    memcpy(m->inverse[y], row, sizeof row);
}

/* Row `row` times `by`. */
static void scale(struct square *m, unsigned row, uint8_t by, unsigned k)
{
    for (unsigned j = 0; j < k; j++) {
        m->a[row][j] = ec_gf_mul(m->a[row][j], by);
        m->inverse[row][j] = ec_gf_mul(m->inverse[row][j], by);
    }
}

static void subtract(struct square *m, unsigned from, unsigned row, uint8_t times, unsigned k)
{
    for (unsigned j = 0; j < k; j++) {
        m->a[from][j] ^= ec_gf_mul(m->a[row][j], times);
        m->inverse[from][j] ^= ec_gf_mul(m->inverse[row][j], times);
    }
}

/* By Gauss and Jordan. Every choice of k rows of a systematic Cauchy matrix can be inverted. */
static void invert(struct square *m, unsigned k)
{
    for (unsigned c = 0; c < k; c++) {
        unsigned pivot = c;
        while (pivot < k && m->a[pivot][c] == 0)
            pivot++;
        QC_ASSERT(pivot < k);
        swap_rows(m, c, pivot);
        scale(m, c, ec_gf_inv(m->a[c][c]), k);
        for (unsigned row = 0; row < k; row++)
            if (row != c)
                subtract(m, row, c, m->a[row][c], k);
    }
}

static void add_times(uint8_t *out, const uint8_t *in, size_t n, uint8_t times)
{
    uint8_t table[256];

    for (unsigned v = 0; v < 256; v++)
        table[v] = ec_gf_mul((uint8_t)v, times);
    for (size_t i = 0; i < n; i++)
        out[i] ^= table[in[i]];
}

qc_rc ec_plain_decode(struct ec_plain c, const uint8_t *const *pieces, size_t piece_size,
                      uint8_t *const *data_out, struct qc_err *err)
{
    struct square m;
    unsigned from[QC_EC_N_MAX], have = 0;

    QC_ASSERT(c.k >= 1 && c.k <= c.n && c.n <= QC_EC_N_MAX);
    QC_ASSERT(piece_size <= QC_EC_STRIPE_SIZE);
    for (unsigned i = 0; i < c.n && have < c.k; i++)
        if (pieces[i] != NULL)
            from[have++] = i;
    if (have < c.k)
        return QC_FAIL(err, QC_QUORUM, "coding: %u pieces of a stripe, expected at least %u", have, c.k);
    fill(&m, from, c.k);
    invert(&m, c.k);
    for (unsigned j = 0; j < c.k; j++) {
        if (pieces[j] != NULL)
            continue;
        memset(data_out[j], 0, piece_size);
        for (unsigned t = 0; t < c.k; t++)
            if (m.inverse[j][t] != 0)
                add_times(data_out[j], pieces[from[t]], piece_size, m.inverse[j][t]);
    }
    return QC_OK;
}
