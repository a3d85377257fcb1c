/* unit/gateway_throttle: a scrub keeps its rates, saves nothing up, and says how long it still takes, or that
 * it does not know. (I6, ADR 18) */
#include "throttle.h"

#include "base/limits.h"
#include "qc_check.h"
#include "qc_seed.h"

static void rates(void)
{
    struct gw_throttle none = { 0 }, bytes = { .bytes_per_s = 1000 }, requests = { .requests_per_s = 20 };
    struct gw_throttle both = { .bytes_per_s = 1000, .requests_per_s = 20 };

    CHECK(gw_throttle_wait_ms(&bytes, 0) == 0 && gw_throttle_wait_ms(&bytes, 77) == 0); /* due at once */
    gw_throttle_take(&none, 5, UINT64_MAX, UINT64_MAX);
    CHECK(gw_throttle_wait_ms(&none, 5) == 0);
    gw_throttle_take(&bytes, 100, 1500, 1000000);
    CHECK(gw_throttle_wait_ms(&bytes, 100) == 1500 && gw_throttle_wait_ms(&bytes, 1599) == 1);
    CHECK(gw_throttle_wait_ms(&bytes, 1600) == 0);
    gw_throttle_take(&requests, 100, 1000000, 3);
    CHECK(gw_throttle_wait_ms(&requests, 100) == 150);
    gw_throttle_take(&both, 0, 100, 10); /* the dearer of the two, not the sum */
    CHECK(gw_throttle_wait_ms(&both, 0) == 500);
    gw_throttle_take(&both, 0, 2000, 1); /* what was not waited for is owed */
    CHECK(gw_throttle_wait_ms(&both, 0) == 2500);
    gw_throttle_take(&both, 9000, 100, 0); /* and rest is not saved up */
    CHECK(gw_throttle_wait_ms(&both, 9000) == 100);
}

/* Pages of one request, of one byte: they cost little, and not nothing. */
static void small_pages(void)
{
    struct gw_throttle p = { .requests_per_s = 2000 }, q = { .bytes_per_s = 8 << 20 };

    for (unsigned i = 0; i < 4000; i++)
        gw_throttle_take(&p, 0, 0, 1);
    CHECK(gw_throttle_wait_ms(&p, 0) == 2000);
    for (unsigned i = 0; i < 1000; i++)
        gw_throttle_take(&q, 0, 1, 0);
    CHECK(gw_throttle_wait_ms(&q, 0) >= 1);
}

/* However pages fall, no more than the rates was done at any time. */
static void any_pages(void)
{
    for (unsigned round = 0; round < 50; round++) {
        struct qc_rand rand = { .state = 1 + round };
        struct gw_throttle p = { .bytes_per_s = 1 + qc_rand_below(&rand, 100000000),
                                 .requests_per_s = 1 + qc_rand_below(&rand, 5000) };
        uint64_t now = qc_rand_below(&rand, 1000), from = now, bytes = 0, requests = 0;
        for (unsigned page = 0; page < 200; page++) {
            const uint64_t b = qc_rand_below(&rand, 8 << 20), r = qc_rand_below(&rand, 70);
            gw_throttle_take(&p, now, b, r);
            bytes += b;
            requests += r;
            now += gw_throttle_wait_ms(&p, now);
            CHECK((double)bytes <= (double)(now - from) / 1000 * (double)p.bytes_per_s + 1);
            CHECK((double)requests <= (double)(now - from) / 1000 * (double)p.requests_per_s + 1);
            if (qc_rand_below(&rand, 4) == 0)
                now += qc_rand_below(&rand, 3000);
        }
    }
}

/* A page that is dearer than time has milliseconds for stops the scrub, and does not wrap round. */
static void dear(void)
{
    struct gw_throttle p = { .bytes_per_s = 1 };

    gw_throttle_take(&p, 1000, UINT64_MAX, 0);
    CHECK(gw_throttle_wait_ms(&p, 1000) == UINT64_C(1000000000000));
}

static void forecast(void)
{
    const uint64_t enough = QC_GW_FORECAST_MS;

    CHECK(gw_forecast_s(0, 100, 1000 * enough) == -1); /* nothing is done: at what speed? */
    CHECK(gw_forecast_s(50, 100, enough - 1) == -1);   /* too early to say */
    CHECK(gw_forecast_s(50, 100, 10000) == 11);        /* never too little */
    CHECK(gw_forecast_s(1, 3, 10000) == 21);
    CHECK(gw_forecast_s(100, 100, 0) == 0 && gw_forecast_s(101, 100, enough) == 0 &&
          gw_forecast_s(0, 0, 0) == 0);
    CHECK(gw_forecast_s(1, UINT64_MAX, enough) == -1); /* longer than anybody can mean */
    for (uint64_t done = 1; done < 1000; done++)       /* at an even speed it goes down */
        CHECK(gw_forecast_s(done, 1000, done * enough) >= gw_forecast_s(done + 1, 1000, (done + 1) * enough));
}

static void listing(void)
{
    static const struct {
        const char *after;
        uint64_t done;
    } rows[] = { { "", 0 },
                 { "e", 0 },
                 { "f", 0 },
                 { "f/", 0 },
                 { "f/00/0000", 0 },
                 { "f/00/00000000000000000000000000000000", 0 },
                 { "f/80/80000000000000000000000000000000", 0x8000 },
                 { "f/12/1234ffffffffffffffffffffffffffff", 0x1234 },
                 { "f/ff/ffff", 0xffff },
                 { "f/ff/fff", 0 },
                 { "f/zz/zzzz", 0 },
                 { "f/FF/FFFF", 0 }, /* not ours */
                 { "g", 65536 },
                 { "l/00/00", 65536 },
                 { "i/cloud", 65536 } };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(gw_listing_done(rows[i].after) == rows[i].done);
}

int main(void)
{
    rates();
    small_pages();
    any_pages();
    dear();
    forecast();
    listing();
    return 0;
}
