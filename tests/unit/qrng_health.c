/* unit/qrng_health: each test at its cutoff and one below it; what was seen before an alarm stays seen;
 * streams that come again. The counts below are worked out by hand from the cutoffs of H = 6: 8 and 35. */
#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/health.h"

static struct qrng_tests h;

static void start(unsigned mbit)
{
    qrng_health_init(&h, mbit, QRNG_ALPHA);
}

/* A byte sequence without any structure that a test looks at: each value as often as the others. */
static void good(struct qc_rand *r, uint8_t *p, size_t n)
{
    qc_rand_fill(r, p, n);
}

static void repetition(void)
{
    uint8_t same[8];
    memset(same, 0x5a, sizeof same);
    start(6000);
    CHECK(h.cutoffs.repetition == 8 && h.cutoffs.proportion == 35);
    CHECK(qrng_health_take(&h, same, 7));
    CHECK(qrng_health_take(&h, (const uint8_t *)"x", 1) && qrng_health_take(&h, same, 7));
    CHECK(!qrng_health_take(&h, same, 1) && h.alarm == QRNG_ALARM_REPETITION && h.bytes == 16);
    CHECK(!qrng_health_take(&h, (const uint8_t *)"abc", 3) && h.bytes == 16); /* it stays */
    start(6000);
    memset(same, 0, sizeof same); /* zeros do not count as a repetition of nothing */
    CHECK(qrng_health_take(&h, same, 7) && !qrng_health_take(&h, same, 1) && h.bytes == 8);
    for (unsigned mbit = QRNG_ENTROPY_MIN; mbit <= QRNG_ENTROPY_MAX; mbit += 250) {
        start(mbit);
        while (qrng_health_take(&h, same, 1)) {}
        CHECK(h.bytes == qrng_design_stuck(mbit));
    }
}

/* Every 14th byte is the window's first one: 37 of them in 512; every 16th: 32. */
static void proportion(void)
{
    for (unsigned step = 14; step <= 16; step += 2) {
        start(6000);
        bool fine = true;
        for (unsigned i = 0; i < QRNG_WINDOW && fine; i++) {
            const uint8_t b = i % step == 0 ? 7 : (uint8_t)(8 + (i * 31 + i / 200) % 240);
            fine = qrng_health_take(&h, &b, 1);
        }
        CHECK(fine == (step == 16));
        if (step == 14)
            CHECK(h.alarm == QRNG_ALARM_PROPORTION && h.bytes == 34 * 14 + 1);
    }
}

/* Text is no key: what has few values is found within the start-up test, whatever else it looks like. */
static void text(struct qc_rand *r)
{
    static const struct {
        unsigned mbit, values, first;
    } rows[] = {
        { 6000, 10, '0' }, { 6000, 16, 'a' }, { 6000, 54, '0' }, { 7000, 64, '+' }, { 7000, 95, ' ' }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start(rows[i].mbit);
        h.cutoffs.proportion = QRNG_WINDOW + 1; /* which would find some of them sooner */
        h.cutoffs.repetition = QRNG_STARTUP;
        while (h.bytes < QRNG_STARTUP && h.alarm == QRNG_ALARM_NONE) {
            const uint8_t b = (uint8_t)(rows[i].first + qc_rand_below(r, rows[i].values));
            qc_ignore(qrng_health_take(&h, &b, 1) ? QC_OK : QC_RANDOM, "the end is looked at");
        }
        CHECK(h.alarm == QRNG_ALARM_VALUES && h.bytes == QRNG_STARTUP);
    }
}

/* Text in hexadecimal digits has 16 values; a claim of 6 bits wants more than 61, of which more than 54 in
 * the start-up test. */
static void values(struct qc_rand *r)
{
    for (unsigned count = 56; count <= 66; count++) {
        start(6000);
        CHECK(h.cutoff_values == 61 && h.cutoff_startup == 54);
        bool fine = true;
        for (unsigned i = 0; i < QRNG_BLOCK && fine; i++) {
            const uint8_t b = (uint8_t)(i < count ? i : qc_rand_below(r, count));
            fine = qrng_health_take(&h, &b, 1);
        }
        CHECK(fine == (count > 61));
        if (!fine)
            CHECK(h.alarm == QRNG_ALARM_VALUES && h.bytes == QRNG_BLOCK);
    }
}

/* After good bytes a stream repeats itself: found within the design's length, for periods of every size. */
static void cycles(struct qc_rand *r)
{
    static const size_t periods[] = {
        9, 64, 512, 1000, 1024, 1025, 4096, 5000, 65536, 100000, 262144, 300001
    };
    static uint8_t period[300001];
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        uint8_t before[3000];
        const size_t lead = (size_t)qc_rand_below(r, sizeof before);
        start(6000);
        good(r, before, lead);
        good(r, period, periods[i]);
        CHECK(qrng_health_take(&h, before, lead));
        while (qrng_health_take(&h, period, periods[i])) {
            CHECK(h.bytes < 1U << 22);
        }
        CHECK(h.bytes - lead <= qrng_design_cycle(periods[i], 6000));
        CHECK(periods[i] < 64 || h.alarm == QRNG_ALARM_CYCLE); /* shorter ones may fall to the counts first */
    }
}

/* The same 4 KiB again at once, an answer from a cache: seen before its last byte is used. */
static void cache(struct qc_rand *r)
{
    static uint8_t a[4096];
    start(7000);
    good(r, a, sizeof a);
    CHECK(qrng_health_take(&h, a, sizeof a));
    CHECK(!qrng_health_take(&h, a, sizeof a) && h.alarm == QRNG_ALARM_CYCLE);
    CHECK(h.bytes == 2 * sizeof a);
}

/* It does not matter in which pieces the bytes come. */
static void pieces(struct qc_rand *r)
{
    static uint8_t p[100000];
    static struct qrng_tests one;
    good(r, p, sizeof p);
    memcpy(p + 90000, p + 60000, 10000);
    start(6000);
    CHECK(!qrng_health_take(&h, p, sizeof p));
    one = h;
    start(6000);
    for (size_t at = 0; at < sizeof p;) {
        size_t n = 1 + (size_t)qc_rand_below(r, 700);
        n = n < sizeof p - at ? n : sizeof p - at;
        qc_ignore(qrng_health_take(&h, p + at, n) ? QC_OK : QC_RANDOM, "the end is compared");
        at += n;
    }
    CHECK(h.alarm == QRNG_ALARM_CYCLE && one.alarm == h.alarm && one.bytes == h.bytes);
    CHECK(one.cycle.tail == h.cycle.tail && memcmp(one.cycle.ring, h.cycle.ring, sizeof h.cycle.ring) == 0);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    repetition();
    proportion();
    text(&r);
    values(&r);
    cycles(&r);
    cache(&r);
    pieces(&r);
    for (unsigned a = 0; a < QRNG_ALARM_COUNT; a++)
        CHECK(qrng_alarm_text((enum qrng_alarm)a)[0] != '\0');
    CHECK_DIES(qrng_health_init(&h, QRNG_ENTROPY_MIN - 1, QRNG_ALPHA));
    return 0;
}
