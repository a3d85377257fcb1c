#include "qrng/condition.h"

#include <endian.h>
#include <string.h>

/*
 * y[i] = sum over j of s[i - j + n - 1] x[j] is coefficient i + n - 1 of the product of s and x as
 * polynomials over GF(2): of the product's words only those are computed that hold coefficients n - 1 .. n +
 * m - 2. With the block's words reversed, each of them is a dot product of two rows of words:
 *
 *     A[p] = sum over j of block[j] * seed[p - (nw - 1) + j]      128 bits
 *     product[p] = low(A[p]) ^ high(A[p - 1])
 */

enum { FRONT = QRNG_TOEPLITZ_WORDS + 2 }; /* zeros before the seed's first word; even */

struct wide {
    uint64_t low, high;
};

static size_t words(size_t bits)
{
    return (bits + 63) / 64;
}

size_t qrng_toeplitz_bits(size_t n, unsigned mbit, unsigned epsilon)
{
    const uint64_t k = (uint64_t)n * mbit / 8000; /* bits, rounded down */
    return k > 2 * (uint64_t)epsilon ? (size_t)(k - 2 * (uint64_t)epsilon) : 0;
}

size_t qrng_toeplitz_seed(size_t n, size_t m)
{
    return (n + m - 1 + 7) / 8;
}

/* bits of p, the first one lowest, as words; what is beyond them is zero. */
static void load(uint64_t *to, const uint8_t *p, size_t bits)
{
    const size_t count = words(bits), bytes = (bits + 7) / 8;
    to[count - 1] = 0;
    memcpy(to, p, bytes);
    for (size_t i = 0; i < count; i++)
        to[i] = le64toh(to[i]);
    if (bits % 64 != 0)
        to[count - 1] &= (UINT64_C(1) << (bits % 64)) - 1;
}

void qrng_toeplitz_init(struct qrng_toeplitz *t, size_t n, size_t m, const uint8_t *seed)
{
    QC_ASSERT(n >= 1 && n <= QRNG_TOEPLITZ_MAX);
    QC_ASSERT(m >= 1 && m <= QRNG_TOEPLITZ_MAX);
    memset(t, 0, sizeof *t);
    t->n = n;
    t->m = m;
    load(t->seed + FRONT, seed, n + m - 1);
}

/* Of rows of 4 * fours words. */
typedef struct wide (*dot_fn)(const uint64_t *a, const uint64_t *b, size_t fours);

/* The product of two words: shift and add, each bit of b as a mask. */
static struct wide multiply(uint64_t a, uint64_t b)
{
    struct wide r = { 0 };
    for (unsigned i = 0; i < 64; i++) {
        const uint64_t mask = -(b >> i & 1);
        r.low ^= a << i & mask;
        r.high ^= (a >> 1 >> (63 - i)) & mask;
    }
    return r;
}

static struct wide dot_portable(const uint64_t *a, const uint64_t *b, size_t fours)
{
    struct wide sum = { 0 };
    for (size_t i = 0; i < 4 * fours; i++) {
        const struct wide r = multiply(a[i], b[i]);
        sum.low ^= r.low;
        sum.high ^= r.high;
    }
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("pclmul,sse2"))) static struct wide dot_pclmul(const uint64_t *a, const uint64_t *b,
                                                                     size_t fours)
{
    __m128i even = _mm_setzero_si128(), odd = _mm_setzero_si128();
    for (size_t i = 0; i < 2 * fours; i++) {
        const __m128i x = _mm_loadu_si128((const void *)(a + 2 * i));
        const __m128i y = _mm_loadu_si128((const void *)(b + 2 * i));
        even = _mm_xor_si128(even, _mm_clmulepi64_si128(x, y, 0x00));
        odd = _mm_xor_si128(odd, _mm_clmulepi64_si128(x, y, 0x11));
    }
    struct wide sum;
    _mm_storeu_si128((void *)&sum, _mm_xor_si128(even, odd));
    return sum;
}

/* Two of them in one instruction. */
__attribute__((target("vpclmulqdq,avx2"))) static struct wide dot_vpclmul(const uint64_t *a,
                                                                          const uint64_t *b, size_t fours)
{
    __m256i even = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
    for (size_t i = 0; i < fours; i++) {
        const __m256i x = _mm256_loadu_si256((const void *)(a + 4 * i));
        const __m256i y = _mm256_loadu_si256((const void *)(b + 4 * i));
        even = _mm256_xor_si256(even, _mm256_clmulepi64_epi128(x, y, 0x00));
        odd = _mm256_xor_si256(odd, _mm256_clmulepi64_epi128(x, y, 0x11));
    }
    even = _mm256_xor_si256(even, odd);
    struct wide sum;
    _mm_storeu_si128((void *)&sum,
                     _mm_xor_si128(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1)));
    return sum;
}

static const dot_fn ways[QRNG_WAYS] = { dot_portable, dot_pclmul, dot_vpclmul };

bool qrng_way_is_there(enum qrng_way way)
{
    if (way == QRNG_WAY_VPCLMUL)
        return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2");
    return way == QRNG_WAY_PORTABLE || (way == QRNG_WAY_PCLMUL && __builtin_cpu_supports("pclmul"));
}
#else
static const dot_fn ways[QRNG_WAYS] = { dot_portable };

bool qrng_way_is_there(enum qrng_way way)
{
    return way == QRNG_WAY_PORTABLE;
}
#endif

static void extract(struct qrng_toeplitz *t, const uint8_t *in, uint8_t *out, dot_fn dot)
{
    const size_t nw = words(t->n), mw = words(t->m), fours = (nw + 3) / 4;
    const size_t first = (t->n - 1) / 64;
    const unsigned shift = (t->n - 1) % 64;
    load(t->block, in, t->n);
    for (size_t i = 0; i < nw / 2; i++) {
        const uint64_t x = t->block[i];
        t->block[i] = t->block[nw - 1 - i];
        t->block[nw - 1 - i] = x;
    }
    for (size_t i = nw; i < 4 * fours; i++)
        t->block[i] = 0;
    const uint64_t *row = t->seed + FRONT + first - (nw - 1); /* of A[first] */
    uint64_t carry = dot(t->block, row - 1, fours).high, word = 0;
    for (size_t w = 0; w <= mw; w++) {
        const struct wide A = dot(t->block, row + w, fours);
        const uint64_t next = A.low ^ carry;
        carry = A.high;
        if (w > 0) {
            uint64_t y = word >> shift | next << 1 << (63 - shift);
            const size_t left = t->m - 64 * (w - 1); /* bits */
            if (left < 64)
                y &= (UINT64_C(1) << left) - 1;
            y = htole64(y);
            memcpy(out + 8 * (w - 1), &y, left < 64 ? (left + 7) / 8 : 8);
        }
        word = next;
    }
}

void qrng_toeplitz_extract(struct qrng_toeplitz *t, const uint8_t *in, uint8_t *out)
{
    unsigned way = QRNG_WAYS - 1;
    while (way > 0 && !qrng_way_is_there((enum qrng_way)way)) /* the first is there everywhere */
        way--;
    extract(t, in, out, ways[way]);
}

void qrng_toeplitz_extract_by(struct qrng_toeplitz *t, const uint8_t *in, uint8_t *out, enum qrng_way way)
{
    QC_ASSERT(way < QRNG_WAYS && qrng_way_is_there(way));
    extract(t, in, out, ways[way]);
}
