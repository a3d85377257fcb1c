/* Loops over bytes without a branch, written for the compiler to make vectors of (-O3, ss/CMakeLists.txt). */
#include "ss/xor23.h"

#include <string.h>

typedef const uint8_t *restrict in_t; /* no output overlaps with an input, nor with another */
typedef uint8_t *restrict out_t;

size_t ss_xor23_size(size_t n)
{
    return n + (n & 1);
}

void ss_xor23_add(uint8_t *p, const uint8_t *q, size_t n)
{
    out_t to = p;
    in_t from = q;
    for (size_t i = 0; i < n; i++)
        to[i] ^= from[i];
}

/* out = x + y */
static void xor2(out_t out, in_t x, in_t y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] ^ y[i];
}

/* out = x + y + z */
static void xor3(out_t out, in_t x, in_t y, in_t z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(x[i] ^ y[i] ^ z[i]);
}

/* Where S1 and S2 both are: each byte is read once. */
static void split(in_t S, size_t half, in_t R, size_t h, out_t A, out_t B)
{
    for (size_t i = 0; i < half; i++) {
        const uint8_t s1 = S[i], s2 = S[h + i], r1 = R[i], r2 = R[h + i];
        A[i] = s1 ^ r1;
        A[h + i] = (uint8_t)(s2 ^ r1 ^ r2);
        B[i] = (uint8_t)(s1 ^ r1 ^ r2);
        B[h + i] = s2 ^ r2;
    }
}

void ss_xor23_split(qc_span S, const uint8_t *R, uint8_t *const share[SS_XOR23_SHARES])
{
    const size_t h = ss_xor23_size(S.n) / 2, half = S.n / 2;
    uint8_t *A = share[SS_XOR23_A], *B = share[SS_XOR23_B];
    split(S.p, half, R, h, A, B);
    if (half < h) { /* S2's zero byte */
        const uint8_t s1 = S.p[half], r1 = R[half], r2 = R[h + half];
        A[half] = s1 ^ r1;
        A[h + half] = r1 ^ r2;
        B[half] = (uint8_t)(s1 ^ r1 ^ r2);
        B[h + half] = r2;
    }
    if (share[SS_XOR23_C] != R && h > 0)
        memcpy(share[SS_XOR23_C], R, 2 * h);
}

/* Shares in the order of their letters. */
struct two {
    const uint8_t *x, *y;
    size_t h, half;
};

static void join_ab(const struct two *t, uint8_t *S)
{
    const uint8_t *a1 = t->x, *a2 = t->x + t->h, *b1 = t->y, *b2 = t->y + t->h;
    xor3(S, a1, a2, b2, t->h); /* A1 + R1, R1 = A2 + B2 */
    xor3(S + t->h, b2, a1, b1, t->half);
}

static void join_ac(const struct two *t, uint8_t *S)
{
    xor2(S, t->x, t->y, t->h);
    xor3(S + t->h, t->x + t->h, t->y, t->y + t->h, t->half);
}

static void join_bc(const struct two *t, uint8_t *S)
{
    xor3(S, t->x, t->y, t->y + t->h, t->h);
    xor2(S + t->h, t->x + t->h, t->y + t->h, t->half);
}

qc_rc ss_xor23_join(enum ss_xor23 i, const uint8_t *x, enum ss_xor23 j, const uint8_t *y, size_t n,
                    uint8_t *S, struct qc_err *err)
{
    if (i == j || i >= SS_XOR23_SHARES || j >= SS_XOR23_SHARES)
        return QC_FAIL(err, QC_USAGE, "shares %u and %u of three, expected two different ones", i + 1, j + 1);
    const size_t h = ss_xor23_size(n) / 2;
    const struct two t = { .x = i < j ? x : y, .y = i < j ? y : x, .h = h, .half = n / 2 };
    switch (i + j) {
    case SS_XOR23_A + SS_XOR23_B:
        join_ab(&t, S);
        break;
    case SS_XOR23_A + SS_XOR23_C:
        join_ac(&t, S);
        break;
    default:
        join_bc(&t, S);
    }
    return QC_OK;
}

/* A = B + (C2 C1), B = A + (C2 C1), C = (A2 A1) + (B2 B1). */
qc_rc ss_xor23_part(enum ss_xor23 lost, enum ss_xor23 from, const uint8_t *share, const uint8_t *mask,
                    size_t size, uint8_t *out, struct qc_err *err)
{
    if (lost == from || lost >= SS_XOR23_SHARES || from >= SS_XOR23_SHARES)
        return QC_FAIL(err, QC_USAGE, "share %u from share %u of three, expected two different ones",
                       lost + 1, from + 1);
    QC_ASSERT(size % 2 == 0);
    const size_t h = size / 2, first = lost != SS_XOR23_C && from != SS_XOR23_C ? 0 : h;
    if (size == 0)
        return QC_OK;
    memcpy(out, share + first, h);
    memcpy(out + h, share + (h - first), h);
    if (mask != NULL)
        ss_xor23_add(out, mask, size);
    return QC_OK;
}

void ss_xor23_refresh(enum ss_xor23 which, const uint8_t *D, uint8_t *share, size_t size)
{
    QC_ASSERT(which < SS_XOR23_SHARES && size % 2 == 0);
    const size_t h = size / 2;
    ss_xor23_add(share, D, size);
    if (which == SS_XOR23_A)
        ss_xor23_add(share + h, D, h);
    else if (which == SS_XOR23_B)
        ss_xor23_add(share, D + h, h);
}
