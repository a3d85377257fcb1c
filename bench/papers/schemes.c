/* bench_schemes: what the schemes of the core paper's Table I cost in processor time (PAPERS A14): copies
 * (SM), Shamir's sharing of the data (SS) and the erasure code (EC), and beside them sharing by XOR, in
 * memory, on one core. Restoring is from what is left after as many losses as the scheme bears. Randomness is
 * made as the program makes it without a source that must be (AES-256 in counter mode), and its making
 * counts. The least of some runs; CSV on stdout. Usage: bench_schemes [--mb MB] [--runs N] */
#include <inttypes.h>

#include "coded.h"
#include "pair.h"
#include "qrng/bulk.h"
#include "ss/shamir.h"
#include "ss/xor23.h"

enum { MB = 1000000, PART = 1 << 20 };

static struct qc_err err;
static uint8_t *data, *got, *piece[CODED_N_MAX], *coeffs;
static size_t size;
static qc_rng rng;
static const unsigned codes[][2] = { { 2, 3 }, { 2, 4 }, { 3, 4 }, { 3, 5 },
                                     { 4, 6 }, { 4, 8 }, { 5, 8 }, { 6, 8 } };

struct run {
    unsigned k, n;
    const struct ec_coder *coder;
    struct ec_geometry g;
};

static void sm_protect(const struct run *r)
{
    for (unsigned i = 0; i < r->n - r->k + 1; i++)
        memcpy(piece[i], data, size);
}

static void sm_restore(const struct run *r)
{
    memcpy(got, piece[r->n - r->k], size);
}

static void ss_protect(const struct run *r)
{
    for (size_t at = 0; at < size; at += PART) {
        const size_t n = size - at < PART ? size - at : PART;
        uint8_t *out[CODED_N_MAX];
        for (unsigned i = 0; i < r->n; i++)
            out[i] = piece[i] + at;
        CHECK_OK(qc_rng_fill(&rng, coeffs, (r->k - 1) * n, &err));
        CHECK_OK(ss_split(r->k, r->n, NULL, qc_span_of(data + at, n), qc_span_of(coeffs, (r->k - 1) * n), out,
                          &err));
    }
}

static void ss_restore(const struct run *r)
{
    for (size_t at = 0; at < size; at += PART) {
        const size_t n = size - at < PART ? size - at : PART;
        const uint8_t *have[CODED_N_MAX];
        uint8_t points[CODED_N_MAX];
        for (unsigned i = 0; i < r->k; i++) {
            have[i] = piece[r->n - r->k + i] + at;
            points[i] = (uint8_t)(r->n - r->k + i + 1);
        }
        CHECK_OK(ss_combine(r->k, points, have, n, 0, got + at, &err));
    }
}

static void ec_protect(const struct run *r)
{
    coded_encode(r->coder, &r->g, data, piece);
}

static void ec_restore(const struct run *r)
{
    coded_decode(r->coder, &r->g, piece, got);
}

static void xor_protect(const struct run *r)
{
    (void)r;
    for (size_t at = 0; at < size; at += PART) {
        const size_t n = size - at < PART ? size - at : PART;
        uint8_t *const out[SS_XOR23_SHARES] = { piece[0] + at, piece[1] + at, piece[2] + at };
        CHECK_OK(qc_rng_fill(&rng, out[SS_XOR23_C], ss_xor23_size(n), &err));
        ss_xor23_split(qc_span_of(data + at, n), out[SS_XOR23_C], out);
    }
}

static void xor_restore(const struct run *r)
{
    (void)r;
    for (size_t at = 0; at < size; at += PART) {
        const size_t n = size - at < PART ? size - at : PART;
        CHECK_OK(ss_xor23_join(SS_XOR23_A, piece[0] + at, SS_XOR23_B, piece[1] + at, n, got + at, &err));
    }
}

static const struct {
    const char *name;
    void (*protect)(const struct run *), (*restore)(const struct run *);
} schemes[] = { { "SM", sm_protect, sm_restore },
                { "SS", ss_protect, ss_restore },
                { "EC", ec_protect, ec_restore },
                { "XOR", xor_protect, xor_restore } };

static void least(uint64_t *best, void (*what)(const struct run *), const struct run *r)
{
    const uint64_t at = pair_cpu_ns();
    what(r);
    const uint64_t spent = pair_cpu_ns() - at;
    *best = spent < *best ? spent : *best;
}

/* Bytes for each byte. */
static double stored(unsigned s, const struct run *r)
{
    if (schemes[s].protect == ec_protect)
        return (double)(r->g.payload_size * r->n) / (double)size;
    return schemes[s].protect == sm_protect ? r->n - r->k + 1 : r->n;
}

static void row(unsigned s, const struct run *r, unsigned long runs)
{
    uint64_t protect = UINT64_MAX, restore = UINT64_MAX;
    for (unsigned long i = 0; i < runs; i++) {
        memset(got, 0, size);
        least(&protect, schemes[s].protect, r);
        least(&restore, schemes[s].restore, r);
        CHECK(memcmp(got, data, size) == 0);
    }
    printf("%s,%u,%u,%zu,%.6f,%.6f,%.4f\n", schemes[s].name, r->k, r->n, size / MB, (double)protect / 1e9,
           (double)restore / 1e9, stored(s, r));
}

/* Figures are no secret, and neither is what is shared here. */
static qc_rc public_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memset(p, 7, n);
    return QC_OK;
}

int main(int argc, char **argv)
{
    unsigned long mb = 32, runs = 5;
    const qc_rng seed = { .fill = public_seed };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *bulk = NULL;
    for (int i = 1; i + 1 < argc; i += 2)
        *(strcmp(argv[i], "--mb") == 0 ? &mb : &runs) = strtoul(argv[i + 1], NULL, 10);
    CHECK(mb >= 1 && mb <= 1000 && runs >= 1);
    size = mb * MB;
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &bulk, &err));
    rng = qrng_bulk_rng(bulk);
    data = coded_room(size + 8 * PART); /* the last stripe is padded */
    got = coded_room(size + 8 * PART);
    coeffs = coded_room((size_t)CODED_N_MAX * PART);
    for (unsigned i = 0; i < CODED_N_MAX; i++)
        piece[i] = coded_room(size + PART);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 13);
    printf("scheme,k,n,mb,protect_s,restore_s,storage\n");
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct run r = { .k = codes[i][0], .n = codes[i][1] };
        CHECK_OK(ec_coder_get(r.k, r.n - r.k, &r.coder, &err));
        CHECK_OK(ec_geometry(r.k, (uint32_t)size, &r.g, &err));
        for (unsigned s = 0; s < (i == 0 ? 4 : 3); s++) /* sharing by XOR is (2,3) */
            row(s, &r, runs);
    }
    for (unsigned i = 0; i < CODED_N_MAX; i++)
        free(piece[i]);
    free(coeffs);
    free(got);
    free(data);
    return 0;
}
