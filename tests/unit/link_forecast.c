/* unit/link_forecast: a link and its KME in a clock of this test: what is foretold at a quarter, the half and
 * three quarters of the time is within a tenth of what then happens. */
#include "forecast.h"

#include <math.h>

#include "base/limits.h"
#include "qc_check.h"
#include "qc_seed.h"

enum { STEP_MS = 100, BLOCK = 262144, BLOCKS = 4, KEY = 256, SAMPLES_MAX = 100000 };

/* A link whose use is drawn, a step at a time, and the KME that it has. */
struct world {
    double stock, made_bps, other_bps; /* bits; the network's; what others use of it */
    double use_bps[2];                 /* pad, to send and to receive; all zeros: level qkd-tls */
    double tls_bps;
    double bursts;       /* use comes in one of so many steps, at random */
    uint64_t changes_ms; /* all use is `by` times as much from then on; 0: it stays */
    double by;
    uint64_t blind_s; /* so long nothing is foretold, and INFINITY said */
    double cap;       /* the KME says no more than that; 0: all */
    bool away;        /* the KME does not say, and gives nothing */

    double pad[2]; /* bits left */
    uint64_t used[LINK_USES];
    uint64_t now_ms;
    double owed;
    struct qc_rand random;
    struct link_forecast f;
};

static bool is_padded(const struct world *w)
{
    return w->use_bps[0] + w->use_bps[1] > 0;
}

/* A pool of pad is filled by blocks, while the KME has key for one. */
static void fill(struct world *w, unsigned i)
{
    if (!w->away && is_padded(w) && w->pad[i] <= 8.0 * BLOCK * (BLOCKS - 1) &&
        w->stock >= 8.0 * (BLOCK + 64)) {
        w->stock -= 8.0 * (BLOCK + 64);
        w->pad[i] += 8.0 * BLOCK;
    }
}

/* False: there is none. */
static bool use(struct world *w, double factor)
{
    for (unsigned i = 0; i < 2; i++) {
        const bool strikes = w->bursts == 0 || (double)qc_rand_below(&w->random, 1000000) < 1e6 / w->bursts;
        const double bits =
            !strikes ? 0 : factor * w->use_bps[i] * STEP_MS / 1000 * (w->bursts == 0 ? 1 : w->bursts);
        if (w->pad[i] < bits)
            return false;
        w->pad[i] -= bits;
        w->used[i] += (uint64_t)bits;
        fill(w, i);
    }
    w->owed += factor * w->tls_bps * STEP_MS / 1000; /* whole keys */
    while (w->owed >= KEY) {
        if (w->stock < KEY)
            return false;
        w->owed -= KEY;
        w->stock -= KEY;
        w->used[LINK_TLS] += KEY;
    }
    return true;
}

static bool step(struct world *w)
{
    const double factor = w->changes_ms != 0 && w->now_ms >= w->changes_ms ? w->by : 1;
    w->now_ms += STEP_MS;
    w->stock += w->made_bps * STEP_MS / 1000;
    w->stock -= w->stock < w->other_bps * STEP_MS / 1000 ? w->stock : w->other_bps * STEP_MS / 1000;
    return use(w, factor);
}

/* What the link's own threads do: pad is noted each second, the KME asked each second at first, then each
 * ten. */
static double foretell(struct world *w)
{
    const uint64_t pad[2] = { (uint64_t)w->pad[0], (uint64_t)w->pad[1] };
    if (w->now_ms % 1000 == 0)
        for (unsigned i = 0; i < LINK_USES; i++)
            link_forecast_used(&w->f, i, w->now_ms, w->used[i]);
    if (w->away)
        link_forecast_blind(&w->f);
    else if (w->now_ms % (w->now_ms <= LINK_LOOKS_SOON * UINT64_C(1000) ? 1000 : LINK_LOOK_MS) == 0) {
        const double most = w->cap > 0 ? w->cap : w->stock + 1;
        link_forecast_look(&w->f, w->now_ms, (uint64_t)(w->stock < most ? w->stock : most) / KEY * KEY,
                           w->stock >= most, pad);
    }
    return link_forecast_dry_s(&w->f, w->now_ms, pad);
}

static void plays(const char *name, struct world w)
{
    static float told[SAMPLES_MAX]; /* seconds since the beginning, by second */
    uint64_t from_s = w.changes_ms == 0 ? 10 + w.blind_s : w.changes_ms / 1000 + 3 * QKD_USE_SHORT_S;
    for (unsigned i = 0; i < 2; i++)
        w.pad[i] = is_padded(&w) ? 8.0 * BLOCK * BLOCKS : 0;
    while (step(&w)) {
        const double dry = foretell(&w);
        CHECK(w.now_ms / 1000 < SAMPLES_MAX);
        if (w.now_ms % 1000 == 0)
            told[w.now_ms / 1000] = (float)dry;
    }
    const double end_s = (double)w.now_ms / 1000;
    double worst = 0;
    CHECK(end_s > 1.5 * (double)from_s && (w.blind_s == 0 || isinf(told[w.blind_s - 30])));
    for (unsigned q = 1; q <= 3; q++) {
        const uint64_t at = from_s + (uint64_t)(q * (end_s - (double)from_s) / 4);
        const double off = told[at] / (end_s - (double)at) - 1;
        printf("%s: after %llu s: %.0f s are foretold, %.0f it was: %+.1f %%\n", name, (unsigned long long)at,
               (double)told[at], end_s - (double)at, 100 * off);
        worst = fabs(off) > worst ? fabs(off) : worst;
    }
    CHECK(worst <= 0.1);
}

static void lasts(void)
{
    struct world w = { .stock = 1e9, .made_bps = 2e6, .use_bps = { 4e5, 4e5 } };
    w.pad[0] = w.pad[1] = 8.0 * BLOCK * BLOCKS;
    double dry = 0;
    for (unsigned i = 0; i < 36000; i++) {
        CHECK(step(&w));
        dry = foretell(&w);
    }
    CHECK(isinf(dry));
    CHECK(fabs(link_forecast_use_bps(&w.f, w.now_ms) / 8e5 - 1) < 0.1);
}

static void nothing_known(void)
{
    const uint64_t none[2] = { 0, 0 };
    struct link_forecast f = { 0 };
    CHECK(isinf(link_forecast_dry_s(&f, 5000, none)) && link_forecast_use_bps(&f, 5000) == 0);
    link_forecast_look(&f, 5000, 1000000, false, none);
    CHECK(isinf(link_forecast_dry_s(&f, 5000, none)) && f.known);
    link_forecast_look(&f, 15000, 900000, false, none); /* others use it */
    CHECK(fabs(link_forecast_dry_s(&f, 15000, none) - 90) < 1);
    CHECK(fabs(link_forecast_dry_s(&f, 25000, none) - 80) < 1); /* the next look is late */
    CHECK(link_forecast_dry_s(&f, 200000, none) == 0);
    link_forecast_blind(&f);
    CHECK(isinf(link_forecast_dry_s(&f, 16000, none)) && !f.known);
    link_forecast_used(&f, LINK_TLS, 16000, 7);
    link_forecast_used(&f, LINK_TLS, 18000, 3); /* it went back: nothing was used */
    CHECK(link_forecast_use_bps(&f, 18000) == 0);
}

int main(void)
{
    const struct qc_rand random = qc_rand_start();
    plays("pad, both ways alike", (struct world){ .stock = 1e9, .made_bps = 3e5, .use_bps = { 4e5, 4e5 } });
    plays("pad, one way", (struct world){ .stock = 1e9, .use_bps = { 8e5, 4e4 } });
    plays("pad, in bursts",
          (struct world){
              .stock = 1e9, .made_bps = 1e5, .use_bps = { 4e5, 2e5 }, .bursts = 2, .random = random });
    plays("pad alone, the KME is away", (struct world){ .use_bps = { 2e4, 8e3 }, .away = true });
    plays("keys for TLS", (struct world){ .stock = 1e6, .tls_bps = KEY });
    plays("keys for TLS, a hundred a second, others use the KME, too",
          (struct world){ .stock = 1e8, .made_bps = 8e4, .other_bps = 7e4, .tls_bps = 100 * KEY });
    plays("three times the use from an hour on",
          (struct world){
              .stock = 2e10, .made_bps = 3e5, .use_bps = { 4e5, 4e5 }, .changes_ms = 3600000, .by = 3 });
    plays("a KME that says no more than half of what it has",
          (struct world){ .stock = 1e9, .cap = 5e8, .use_bps = { 4e5, 4e5 }, .blind_s = 620 });
    lasts();
    nothing_known();
    return 0;
}
