#include "loss.h"

#include <math.h>
#include <stdio.h>

#include "base/err.h"

enum { LIVES = 40000, STATES = 33 };

/* -- formulas -------------------------------------------------------------------------------------------- */

/* j clouds are lost: one more goes at .., one is replaced at .. a year. */
static double goes(const struct loss_setup *s, unsigned j)
{
    return (s->n - j) * -log1p(-s->afr);
}

static double returns(const struct loss_setup *s, unsigned j)
{
    return j * LOSS_YEAR_DAYS / s->mttr_days;
}

double loss_markov(const struct loss_setup *s)
{
    double step = 0, sum = 0; /* mean time from j lost to j + 1 lost, and from none */

    for (unsigned j = 0; j <= s->n - s->k; j++) {
        step = (1 + returns(s, j) * step) / goes(s, j);
        sum += step;
    }
    return 1 / sum;
}

static double choose(unsigned n, unsigned j)
{
    double c = 1;

    for (unsigned i = 0; i < j; i++)
        c = c * (n - i) / (i + 1);
    return c;
}

/* At least so many of n, each with chance p. */
static double at_least(unsigned n, unsigned least, double p)
{
    double sum = 0;

    for (unsigned j = least; j <= n; j++)
        sum += choose(n, j) * pow(p, j) * pow(1 - p, n - j);
    return sum;
}

double loss_binomial(const struct loss_setup *s)
{
    return at_least(s->n, s->n - s->k + 1, s->afr);
}

double loss_within(const struct loss_setup *s, double years)
{
    const unsigned m = s->n - s->k;
    const double most = goes(s, 0) + returns(s, m), mean = most * years;
    double v[STATES] = { 1 }, weight = exp(-mean), lost = 0;

    QC_ASSERT(m + 2 <= STATES && mean < 500);
    for (unsigned i = 0; i < mean + 12 * sqrt(mean) + 30; i++) {
        double next[STATES] = { 0 };
        lost += weight * v[m + 1];
        for (unsigned j = 0; j <= m; j++) {
            next[j + 1] += v[j] * goes(s, j) / most;
            next[j] += v[j] * (1 - (goes(s, j) + returns(s, j)) / most);
            if (j > 0)
                next[j - 1] += v[j] * returns(s, j) / most;
        }
        next[m + 1] += v[m + 1];
        for (unsigned j = 0; j <= m + 1; j++)
            v[j] = next[j];
        weight *= mean / (i + 1);
    }
    return lost;
}

/* A cloud that is lost meets fragments that are bad and were not looked at since; or a fragment rots while
 * clouds are lost. Not: one cloud too many. */
double loss_rot(const struct loss_setup *s, double rot, double scrub_days)
{
    const unsigned m = s->n - s->k;
    const double unseen = rot * scrub_days / LOSS_YEAR_DAYS / 2;
    double here = 1, norm = 0, sum = 0; /* the chain's chance of j lost, unscaled */

    for (unsigned j = 0; j <= m; j++) {
        const double tail = at_least(s->n - j - 1, m - j, unseen);
        norm += here;
        sum += here * ((j < m ? goes(s, j) : 0) + (s->n - j) * rot) * tail;
        here *= goes(s, j) / returns(s, j + 1);
    }
    return sum / norm;
}

/* -- lives ----------------------------------------------------------------------------------------------- */

static double part(struct sim_rand *r)
{
    return (double)(sim_u64(r) >> 11) / 9007199254740992.0;
}

static double wait(struct sim_rand *r, double rate)
{
    return -log1p(-part(r)) / rate;
}

/* From all clouds there until they are again: years. */
static double cycle_length(const struct loss_setup *s, struct sim_rand *r)
{
    double t = wait(r, goes(s, 0));

    for (unsigned j = 1; j > 0 && j <= s->n - s->k;) {
        const double all = goes(s, j) + returns(s, j);
        t += wait(r, all);
        j += part(r) * all < goes(s, j) ? 1U : -1U;
    }
    return t;
}

/* Does it end in loss? Each next cloud is as likely to go as one is to return; what that makes too likely is
 * weighed off. */
static double cycle_loss(const struct loss_setup *s, struct sim_rand *r)
{
    const unsigned m = s->n - s->k;
    double weight = 1;

    for (unsigned j = 1; j > 0;) {
        if (j > m)
            return weight;
        const double p = goes(s, j) / (goes(s, j) + returns(s, j));
        const bool one_goes = (sim_u64(r) & 1) != 0;
        weight *= 2 * (one_goes ? p : 1 - p);
        j += one_goes ? 1U : -1U;
    }
    return 0;
}

struct mean {
    double sum, squares;
};

static void add(struct mean *m, double x)
{
    m->sum += x;
    m->squares += x * x;
}

/* The square of the standard error, as a part of the mean. */
static double spread(const struct mean *m)
{
    return (m->squares / (m->sum * m->sum) - 1.0 / LIVES);
}

double loss_drawn(const struct loss_setup *s, struct sim_rand *r, double *ret_sigma)
{
    struct mean loss = { 0 }, length = { 0 };

    for (unsigned i = 0; i < LIVES; i++) {
        add(&loss, cycle_loss(s, r));
        add(&length, cycle_length(s, r));
    }
    *ret_sigma = sqrt(spread(&loss) + spread(&length));
    return loss.sum / length.sum;
}

/* -- tables ---------------------------------------------------------------------------------------------- */

static const struct {
    unsigned k, n;
} codes[] = { { 1, 2 }, { 2, 3 }, { 2, 4 }, { 3, 4 }, { 3, 5 }, { 4, 6 }, { 6, 9 } };
static const double afrs[] = { 0.001, 0.01, 0.05 }, mttrs[] = { 1, 7, 30 };
static const double rots[] = { 1e-4, 1e-3 }, scrubs[] = { 7, 30, 90, 365 };
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct loss_setup setup(size_t code, double afr, double mttr)
{
    return (struct loss_setup){ codes[code].k, codes[code].n, afr, mttr };
}

void loss_row(const struct loss_setup *s)
{
    const unsigned m = s->n - s->k, record = m + 1, put = s->k + 1 > record ? s->k + 1 : record;
    struct sim_rand r = { 1 };
    double sigma;
    const double drawn = loss_drawn(s, &r, &sigma);

    printf("| EC(%u,%u) | %.2f | %u | %u | %u | %.1e | %.1e | %.1e ± %.0f %% |\n", s->k, s->n,
           (double)s->n / s->k, m, put < s->n ? put : s->n, record > s->k ? record : s->k, loss_binomial(s),
           loss_markov(s), drawn, 196 * sigma);
}

static void table_codes(void)
{
    printf(
        "| code | bytes stored per byte | clouds that may go | clouds a put needs | clouds a rebuild needs "
        "| loss in a year without repair | loss a year, repaired in 7 days | the same, drawn |\n"
        "|---|---|---|---|---|---|---|---|\n");
    for (size_t code = 0; code < COUNT(codes); code++) {
        const struct loss_setup s = setup(code, 0.01, 7);
        loss_row(&s);
    }
}

static void head(const char *first, const char *second)
{
    printf("\n| %s | %s |", first, second);
    for (size_t code = 0; code < COUNT(codes); code++)
        printf(" EC(%u,%u) |", codes[code].k, codes[code].n);
    printf("\n|---|---|");
    for (size_t code = 0; code < COUNT(codes); code++)
        printf("---|");
    printf("\n");
}

static void table_repair(void)
{
    head("a cloud is lost, a year", "repaired in");
    for (size_t i = 0; i < COUNT(afrs) * COUNT(mttrs); i++) {
        const double afr = afrs[i / COUNT(mttrs)], mttr = mttrs[i % COUNT(mttrs)];
        printf("| %g %% | %g d |", 100 * afr, mttr);
        for (size_t code = 0; code < COUNT(codes); code++) {
            const struct loss_setup s = setup(code, afr, mttr);
            struct sim_rand r = { i + 1 };
            double sigma;
            const double drawn = loss_drawn(&s, &r, &sigma);
            printf(" %.1e (%.1e) |", loss_markov(&s), drawn);
        }
        printf("\n");
    }
}

static void table_rot(void)
{
    head("a fragment rots, a year", "looked at every");
    for (size_t i = 0; i < COUNT(rots) * COUNT(scrubs); i++) {
        const double rot = rots[i / COUNT(scrubs)], scrub = scrubs[i % COUNT(scrubs)];
        printf("| %g | %g d |", rot, scrub);
        for (size_t code = 0; code < COUNT(codes); code++) {
            const struct loss_setup s = setup(code, 0.01, 7);
            printf(" %.1e |", loss_rot(&s, rot, scrub));
        }
        printf("\n");
    }
}

void loss_tables(void)
{
    table_codes();
    table_repair();
    table_rot();
}

/* -- do they agree? -------------------------------------------------------------------------------------- */

static bool agrees(const struct loss_setup *s, double formula, uint64_t seed, bool wanted)
{
    struct sim_rand r = { seed };
    double sigma;
    const double drawn = loss_drawn(s, &r, &sigma), off = fabs(drawn / formula - 1) / sigma;

    if ((off < 4) == wanted && sigma < 0.05)
        return true;
    printf("EC(%u,%u), %g a year, %g days: %.3e by formula, %.3e drawn: %.1f standard errors of %.1f %%\n",
           s->k, s->n, s->afr, s->mttr_days, formula, drawn, off, 100 * sigma);
    return false;
}

bool loss_check(void)
{
    bool good = true;

    for (size_t i = 0; i < COUNT(codes) * COUNT(afrs) * COUNT(mttrs); i++) {
        const size_t at = i % (COUNT(afrs) * COUNT(mttrs));
        const struct loss_setup s =
            setup(i / (COUNT(afrs) * COUNT(mttrs)), afrs[at / COUNT(mttrs)], mttrs[at % COUNT(mttrs)]);
        good &= agrees(&s, loss_markov(&s), 1000 + i, true);
        good &= agrees(&s, 1.25 * loss_markov(&s), 1000 + i, false); /* it could tell */
    }
    return good;
}
