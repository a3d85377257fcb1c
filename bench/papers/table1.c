/* bench_table1: the core paper's Table I (PAPERS A14), storage mirroring (SM), Shamir's sharing of the data
 * (SS) and an erasure code (EC): the probability that all of the data leaks when each node leaks with p, that
 * it is lost when each node is damaged with q, by formula and by drawing nodes; what is stored. CSV on
 * stdout. Usage: bench_table1 [--trials N]; QC_SEED draws the same again. Exit 1: a measured value lies
 * outside of its interval.
 *
 * What a set of nodes gives is not taken from a formula: data is encoded, and for each set of nodes the
 * pieces that it has are put together and compared with the data. SM has as many copies as bear the same
 * losses. */
#include "ec/coder.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "ss/shamir.h"

#include <math.h>

enum { N_MAX = 8, SETS = 1 << N_MAX, PIECE = 64, DATA_MAX = PIECE * N_MAX };

/* Two sides together: one value in 10,000 falls outside by chance; there are 120. Where events are rare the
 * normal distribution is too narrow: Z^2 / 3 more of them are let in, as in Bernstein's bound. */
static const double Z = 3.8906;

static struct qc_err err;

enum scheme { SM, SS, EC, SCHEMES };
static const char *const names[SCHEMES] = { "SM", "SS", "EC" };

struct param {
    unsigned k, n;
    double p, q;
};

static const struct param params[] = {
    { 2, 3, 0.01, 0.01 }, { 2, 3, 0.05, 0.10 }, { 2, 3, 0.20, 0.05 }, { 2, 3, 0.50, 0.50 },
    { 3, 5, 0.02, 0.02 }, { 3, 5, 0.05, 0.05 }, { 3, 5, 0.10, 0.20 }, { 3, 5, 0.20, 0.10 },
    { 3, 5, 0.35, 0.35 }, { 3, 5, 0.60, 0.40 }, { 4, 6, 0.05, 0.05 }, { 4, 6, 0.10, 0.10 },
    { 4, 6, 0.20, 0.30 }, { 4, 6, 0.30, 0.20 }, { 4, 6, 0.50, 0.50 }, { 3, 4, 0.10, 0.10 },
    { 2, 4, 0.10, 0.30 }, { 5, 8, 0.20, 0.20 }, { 6, 8, 0.30, 0.10 }, { 4, 8, 0.15, 0.45 },
};

/* For one code and scheme: does this set of nodes give the data? */
struct table {
    unsigned nodes;
    bool gives[SETS];
};

static void of_sm(struct table *t, const struct param *c, const uint8_t *data)
{
    static uint8_t copy[N_MAX][DATA_MAX];
    t->nodes = c->n - c->k + 1;
    for (unsigned i = 0; i < t->nodes; i++)
        memcpy(copy[i], data, PIECE);
    for (unsigned set = 0; set < 1U << t->nodes; set++) {
        t->gives[set] = false;
        for (unsigned i = 0; i < t->nodes; i++)
            t->gives[set] |= (set >> i & 1) != 0 && memcmp(copy[i], data, PIECE) == 0;
    }
}

/* A threshold's worth of shares, or all that there are: with fewer the polynomial is another one. */
static void of_ss(struct table *t, const struct param *c, const uint8_t *data, struct qc_rand *r)
{
    static uint8_t y[N_MAX][PIECE];
    uint8_t *out[N_MAX], got[PIECE];
    const qc_rng rng = qc_rand_rng(r);
    for (unsigned i = 0; i < N_MAX; i++)
        out[i] = y[i];
    t->nodes = c->n;
    CHECK_OK(ss_split_rng(c->k, c->n, NULL, qc_span_of(data, PIECE), &rng, out, &err));
    for (unsigned set = 0; set < 1U << c->n; set++) {
        uint8_t points[N_MAX];
        const uint8_t *have[N_MAX];
        unsigned count = 0;
        for (unsigned i = 0; i < c->n && count < c->k; i++)
            if ((set >> i & 1) != 0) {
                points[count] = (uint8_t)(i + 1);
                have[count++] = y[i];
            }
        t->gives[set] = false;
        if (count == 0)
            continue;
        CHECK_OK(ss_combine(count, points, have, PIECE, 0, got, &err));
        t->gives[set] = memcmp(got, data, PIECE) == 0;
    }
}

static bool ec_gives(const struct ec_coder *coder, unsigned set, const uint8_t *data, uint8_t parity[][PIECE])
{
    static uint8_t got[N_MAX][PIECE];
    const unsigned k = ec_coder_k(coder), n = ec_coder_n(coder);
    const uint8_t *pieces[N_MAX] = { NULL };
    uint8_t *out[N_MAX];
    for (unsigned i = 0; i < n; i++)
        if ((set >> i & 1) != 0)
            pieces[i] = i < k ? data + (size_t)i * PIECE : parity[i - k];
    for (unsigned i = 0; i < k; i++) {
        out[i] = got[i];
        memset(got[i], 0, PIECE);
        if ((set >> i & 1) != 0)
            memcpy(got[i], data + (size_t)i * PIECE, PIECE);
    }
    const qc_rc rc = ec_stripe_decode(coder, pieces, PIECE, out, &err);
    CHECK(rc == QC_OK || rc == QC_QUORUM);
    qc_err_clear(&err);
    return rc == QC_OK && memcmp(got, data, (size_t)k * PIECE) == 0;
}

static void of_ec(struct table *t, const struct param *c, const uint8_t *data)
{
    static uint8_t parity[N_MAX][PIECE];
    const struct ec_coder *coder = NULL;
    uint8_t *out[N_MAX];
    for (unsigned i = 0; i < N_MAX; i++)
        out[i] = parity[i];
    t->nodes = c->n;
    CHECK_OK(ec_coder_get(c->k, c->n - c->k, &coder, &err));
    CHECK_OK(ec_stripe_encode_block(coder, data, PIECE, out, &err));
    for (unsigned set = 0; set < 1U << c->n; set++)
        t->gives[set] = ec_gives(coder, set, data, parity);
}

/* At least `least` of n. */
static double at_least(unsigned least, unsigned n, double p)
{
    double sum = 0;
    for (unsigned i = least; i <= n; i++) {
        double ways = 1;
        for (unsigned j = 0; j < i; j++)
            ways = ways * (n - j) / (j + 1);
        sum += ways * pow(p, i) * pow(1 - p, n - i);
    }
    return sum;
}

static unsigned draw(struct qc_rand *r, unsigned nodes, double p)
{
    const uint64_t limit = (uint64_t)(p * 4294967296.0);
    unsigned set = 0;
    for (unsigned i = 0; i < nodes; i++)
        set |= (unsigned)((qc_rand_u64(r) >> 32) < limit) << i;
    return set;
}

static double width(double p, double trials)
{
    return Z * sqrt(p * (1 - p) / trials) + Z * Z / 3 / trials;
}

static unsigned row(enum scheme s, const struct param *c, const struct table *t, struct qc_rand *r,
                    uint64_t trials)
{
    const unsigned all = (1U << t->nodes) - 1, k = s == SM ? 1 : c->k;
    const double leak = at_least(k, t->nodes, c->p), loss = at_least(t->nodes - k + 1, t->nodes, c->q);
    uint64_t leaks = 0, losses = 0;
    for (uint64_t i = 0; i < trials; i++) {
        leaks += t->gives[draw(r, t->nodes, c->p)];
        losses += !t->gives[all & ~draw(r, t->nodes, c->q)];
    }
    const double n = (double)trials, leaked = (double)leaks / n, lost = (double)losses / n;
    const bool inside = fabs(leaked - leak) <= width(leak, n) && fabs(lost - loss) <= width(loss, n);
    printf("%s,%u,%u,%g,%g,%u,%.9f,%.9f,%.9f,%.9f,%.9f,%.9f,%.9f,%.4f,%d\n", names[s], c->k, c->n, c->p, c->q,
           t->nodes, leak, leaked, width(leak, n), s == SS ? 0.0 : at_least(1, t->nodes, c->p), loss, lost,
           width(loss, n), s == EC ? (double)c->n / c->k : (double)t->nodes, inside);
    return !inside;
}

int main(int argc, char **argv)
{
    uint64_t trials = 1000000;
    unsigned outside = 0;
    uint8_t data[DATA_MAX];
    struct qc_rand r = qc_rand_start();
    if (argc == 3 && strcmp(argv[1], "--trials") == 0)
        trials = strtoull(argv[2], NULL, 10);
    CHECK((argc == 1 || argc == 3) && trials >= 1000);
    printf(
        "scheme,k,n,p,q,nodes,leak_formula,leak_measured,leak_width,part_formula,loss_formula,loss_measured,"
        "loss_width,storage,inside\n");
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        static struct table t[SCHEMES];
        qc_rand_fill(&r, data, sizeof data);
        of_sm(&t[SM], &params[i], data);
        of_ss(&t[SS], &params[i], data, &r);
        of_ec(&t[EC], &params[i], data);
        for (unsigned s = 0; s < SCHEMES; s++)
            outside += row(s, &params[i], &t[s], &r, trials);
    }
    fprintf(stderr, "%zu sets of parameters, %u of %zu rows outside\n", sizeof params / sizeof params[0],
            outside, SCHEMES * sizeof params / sizeof params[0]);
    return outside > 0;
}
