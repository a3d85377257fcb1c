#include "forecast.h"

#include <math.h>

void link_forecast_used(struct link_forecast *f, unsigned what, uint64_t now_ms, uint64_t bits)
{
    const uint64_t more = f->use[what].began && bits > f->used[what] ? bits - f->used[what] : 0;
    qkd_use_note(&f->use[what], now_ms, more);
    f->used[what] = bits;
}

static uint64_t sum_of(uint64_t stock, const uint64_t pad[2])
{
    return stock + pad[0] + pad[1];
}

void link_forecast_look(struct link_forecast *f, uint64_t now_ms, uint64_t stock, bool full,
                        const uint64_t pad[2])
{
    const uint64_t was = sum_of(f->stock, f->pad), is = sum_of(stock, pad);
    if (full) {
        f->gone = f->came = (struct qkd_use){ 0 };
        f->looked = false;
    }
    qkd_use_note(&f->gone, now_ms, f->looked && is < was ? was - is : 0);
    qkd_use_note(&f->came, now_ms, f->looked && is > was ? is - was : 0);
    f->looked = f->known = true;
    f->look_ms = now_ms;
    f->stock = stock;
    f->pad[0] = pad[0];
    f->pad[1] = pad[1];
}

void link_forecast_blind(struct link_forecast *f)
{
    f->known = false;
}

static double use_bps(const struct link_forecast *f, unsigned what, uint64_t now_ms, bool long_one)
{
    return qkd_use_bps(&f->use[what], now_ms, long_one);
}

double link_forecast_use_bps(const struct link_forecast *f, uint64_t now_ms)
{
    double all = 0;
    for (unsigned i = 0; i < LINK_USES; i++)
        all += use_bps(f, i, now_ms, false);
    return all;
}

/* No more comes: whichever direction is out first. */
static double alone_s(const struct link_forecast *f, uint64_t now_ms, const uint64_t pad[2], bool long_one)
{
    double dry = INFINITY;
    for (unsigned i = 0; i < 2; i++) {
        const double use = use_bps(f, i, now_ms, long_one);
        if (use > 0 && (double)pad[i] / use < dry)
            dry = (double)pad[i] / use;
    }
    return dry;
}

/* Since the last look. Both directions draw on what the KME has as they use pad, so that one of them is out
 * first: (its pad / its share of the use + the KME's) / what the sum loses. */
static double looked_s(const struct link_forecast *f, bool long_one)
{
    const double loss =
        qkd_use_bps(&f->gone, f->look_ms, long_one) - qkd_use_bps(&f->came, f->look_ms, long_one);
    const double use[2] = { use_bps(f, LINK_SEND, f->look_ms, long_one),
                            use_bps(f, LINK_RECEIVE, f->look_ms, long_one) };
    double dry = INFINITY;
    if (loss <= 0)
        return INFINITY;
    if (use[0] + use[1] <= 0)
        return (double)f->stock / loss;
    for (unsigned i = 0; i < 2; i++) {
        const double all = use[i] <= 0 ? INFINITY : (double)f->pad[i] / (use[i] / (use[0] + use[1]));
        dry = (all + (double)f->stock) / loss < dry ? (all + (double)f->stock) / loss : dry;
    }
    return dry;
}

static double dry_s(const struct link_forecast *f, uint64_t now_ms, const uint64_t pad[2], bool long_one)
{
    if (!f->known)
        return alone_s(f, now_ms, pad, long_one);
    const double since = now_ms > f->look_ms ? (double)(now_ms - f->look_ms) / 1000 : 0;
    const double dry = looked_s(f, long_one) - since;
    return dry > 0 ? dry : 0;
}

double link_forecast_dry_s(const struct link_forecast *f, uint64_t now_ms, const uint64_t pad[2])
{
    const double soon = dry_s(f, now_ms, pad, false), later = dry_s(f, now_ms, pad, true);
    return soon < later ? soon : later;
}
