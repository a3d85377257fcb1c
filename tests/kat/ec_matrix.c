/* kat/ec_matrix: prints what ec/ computes, for tests/kat/ec_matrix.py to compute again.
 *
 *   geometry k s P stripes last payload
 *   matrix k m hex      the parity rows, read off from unit stripes
 *   stripe k m size hex the parity of data that the script makes again: byte b of piece j is (b * 7 + j * 29
 * + b / 64) Run without the script it checks only that nothing fails. */
#include "base/codec.h"
#include "base/limits.h"
#include "ec/coder.h"
#include "ec/geometry.h"
#include "qc_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 320 };

static uint8_t piece[QC_EC_N_MAX][PIECE];

static void encode(unsigned k, unsigned m, size_t piece_size)
{
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    const uint8_t *data[QC_EC_N_MAX];
    uint8_t *parity[QC_EC_N_MAX];
    CHECK(ec_coder_get(k, m, &c, &err) == QC_OK);
    for (unsigned j = 0; j < k; j++)
        data[j] = piece[j];
    for (unsigned i = 0; i < m; i++)
        parity[i] = piece[k + i];
    CHECK(ec_stripe_encode(c, data, piece_size, parity, &err) == QC_OK);
}

static void print_hex(const uint8_t *p, size_t n)
{
    char text[2 * PIECE + 1];
    qc_hex(qc_span_of(p, n), text);
    fputs(text, stdout);
}

static void print_matrix(unsigned k, unsigned m)
{
    memset(piece, 0, sizeof piece);
    for (unsigned j = 0; j < k; j++)
        piece[j][j] = 1;
    encode(k, m, QC_EC_ALIGN);
    printf("matrix %u %u ", k, m);
    for (unsigned i = 0; i < m; i++)
        print_hex(piece[k + i], k);
    puts("");
}

static void print_stripe(unsigned k, unsigned m)
{
    for (unsigned j = 0; j < k; j++)
        for (unsigned b = 0; b < PIECE; b++)
            piece[j][b] = (uint8_t)(b * 7 + j * 29 + b / 64);
    encode(k, m, PIECE);
    printf("stripe %u %u %d ", k, m, PIECE);
    for (unsigned i = 0; i < m; i++)
        print_hex(piece[k + i], PIECE);
    puts("");
}

int main(void)
{
    for (unsigned k = 1; k <= QC_EC_N_MAX; k++) {
        for (unsigned m = 1; m <= QC_EC_N_MAX - k; m++)
            print_matrix(k, m);
        if (k < QC_EC_N_MAX)
            print_stripe(k, QC_EC_N_MAX - k < 4 ? QC_EC_N_MAX - k : 4);
        static const uint32_t sizes[] = { 0,       1,       64,       65,       100000,
                                          1048576, 1048577, 16777216, 67108864, UINT32_MAX };
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct ec_geometry g;
            struct qc_err err = { 0 };
            CHECK(ec_geometry(k, sizes[i], &g, &err) == QC_OK);
            printf("geometry %u %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", k,
                   g.segment_size, g.piece_size, g.stripe_count, g.last_size, g.payload_size);
        }
    }
    return 0;
}
