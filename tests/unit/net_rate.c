/* unit/net_rate: what a timetable says at each minute; what the bucket lets through, counted by a clock of
 * the test's own: over any ten seconds within 5 % of the rate, however many share it, also where the rate
 * changes meanwhile. */
#include "net/rate.h"

#include <pthread.h>

#include "qc_check.h"
#include "qc_seed.h"

#define SECOND UINT64_C(1000000000)
enum { MIB = 1024 * 1024, MON = 24 * 60, SAT = 6 * MON };

static struct qc_err err;
static struct qc_rand rnd;

/* -- the text -------------------------------------------------------------------------------------------- */

static struct net_rate_table table(const char *text)
{
    struct net_rate_table t;
    CHECK_OK(net_rate_parse(qc_span_str(text), &t, &err));
    return t;
}

static void holds(const char *text, unsigned minute, uint64_t up, uint64_t down)
{
    const struct net_rate_table t = table(text);
    const struct net_rate_from *row = net_rate_at(&t, minute);
    CHECK(row != NULL && row->bytes[NET_RATE_UP] == up && row->bytes[NET_RATE_DOWN] == down);
}

static void refused(const char *text, const char *words)
{
    struct net_rate_table t = { .count = 77 };
    const qc_rc rc = net_rate_parse(qc_span_str(text), &t, &err);
    if (rc != QC_USAGE || strstr(err.msg, words) == NULL)
        fprintf(stderr, "'%s': %s: %s\n", text, qc_rc_name(rc), err.msg);
    CHECK(rc == QC_USAGE && strstr(err.msg, words) != NULL && t.count == 77);
}

static void check_text(void)
{
    const char *day = "08:00,2M 18:00,off";
    const char *week = " 12:30,1M:off\tMon-00:00,512k  Sat-23:59,4M:100k ";
    const struct net_rate_table none = { 0 };
    CHECK(net_rate_at(&none, 0) == NULL);
    holds("2M", 0, 2 * MIB, 2 * MIB);
    holds("8M:2M", 5000, 8 * MIB, 2 * MIB);
    holds("off", 0, 0, 0);
    holds("off:16384", 0, 0, 16384);
    holds("1G", 0, NET_RATE_MAX, NET_RATE_MAX);
    holds(day, 0, 0, 0); /* since yesterday, 18:00 */
    holds(day, 8 * 60 - 1, 0, 0);
    holds(day, 8 * 60, 2 * MIB, 2 * MIB);
    holds(day, SAT + 18 * 60 - 1, 2 * MIB, 2 * MIB);
    holds(day, SAT + 18 * 60, 0, 0);
    holds(week, 0, 4 * MIB, 100 * 1024); /* Sunday: since Saturday, 23:59 */
    holds(week, 12 * 60 + 30, MIB, 0);
    holds(week, MON - 1, MIB, 0);
    holds(week, MON, 512 * 1024, 512 * 1024);
    holds(week, MON + 13 * 60, MIB, 0);
    holds(week, SAT + MON - 2, MIB, 0);
    holds(week, SAT + MON - 1, 4 * MIB, 100 * 1024);
    holds("00:00,1M", 0, MIB, MIB);
    refused("", "expected a rate");
    refused("  ", "expected a rate");
    refused("fast", "'fast' is not a number");
    refused("1", "expected off, or 16k to 1G");
    refused("1025M", "expected off, or 16k to 1G");
    refused("0", "expected off");
    refused("2M:", "not a number");
    refused(":2M", "not a number");
    refused("2M:3M:4M", "'3M:4M'");
    refused("2M 3M", "'2M': expected HH:MM,RATE");
    refused("08:00,2M 3M", "'3M': expected HH:MM,RATE");
    refused("24:00,2M", "expected HH:MM");
    refused("08:60,2M", "expected HH:MM");
    refused("8:00,2M", "expected HH:MM");
    refused("Mo-08:00,2M", "expected HH:MM");
    refused("mon-08:00,2M", "expected HH:MM");
    refused("08:00,", "not a number");
    refused("08:00,2M Tue-08:00,off", "Tue-08:00 is given twice");
    refused("08:00-18:00,2M", "expected HH:MM");
    refused("1111111111111111111111111111111111111111", "is no rate");
}

static void check_many(void)
{
    char text[NET_RATE_TEXT_MAX] = "";
    size_t n = 0;
    for (unsigned h = 0; h < 24; h++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%02u:00,%uM ", h, h + 1);
    const struct net_rate_table t = table(text);
    CHECK(t.count == NET_RATE_TIMES_MAX);
    holds(text, SAT + 23 * 60 + 30, 24 * (uint64_t)MIB, 24 * (uint64_t)MIB);
    snprintf(text + n, sizeof text - n, "Mon-07:30,1M");
    refused(text, "more than 168 times");
}

/* -- the bucket ------------------------------------------------------------------------------------------ */

struct world {
    uint64_t now;
    unsigned minute, slept, looks;
};
static uint64_t world_now(void *ctx)
{
    return ((struct world *)ctx)->now;
}
static unsigned world_minute(void *ctx)
{
    return ((struct world *)ctx)->minute;
}
/* A sleep is never exact: it oversleeps by a drawn part of a millisecond. */
static void world_sleep(void *ctx, uint64_t ns)
{
    struct world *w = ctx;
    w->now += ns + qc_rand_below(&rnd, 1000000);
    w->slept++;
}

static struct net_rate *rate_of(struct world *w, const char *text)
{
    const struct net_rate_clock clock = { world_now, world_minute, world_sleep, w };
    const struct net_rate_table t = table(text);
    struct net_rate *r = NULL;
    w->now = 7 * SECOND;
    CHECK_OK(net_rate_new(&r, &clock, &err));
    net_rate_set(r, &t);
    return r;
}

static void wait_for(struct net_rate *r, enum net_rate_way way, uint64_t n)
{
    CHECK_OK(net_rate_wait(r, way, n, QC_NO_DEADLINE, NULL, &err));
}

/* So many bytes went in this time of the world, by pieces of any size. */
static uint64_t went(struct world *w, struct net_rate *r, enum net_rate_way way, uint64_t ns)
{
    const uint64_t until = w->now + ns;
    uint64_t all = 0;
    while (w->now < until) {
        const size_t piece = net_rate_piece(r, way, 512 * 1024), n = 1 + (size_t)qc_rand_below(&rnd, piece);
        wait_for(r, way, n);
        all += n;
        CHECK(w->slept < 1000000);
    }
    return all;
}

static bool within(uint64_t got, uint64_t want, unsigned permille)
{
    const uint64_t off = got > want ? got - want : want - got;
    if (off * 1000 > want * permille)
        fprintf(stderr, "%llu bytes, expected %llu\n", (unsigned long long)got, (unsigned long long)want);
    return off * 1000 <= want * permille;
}

static void check_exact(void)
{
    static const struct {
        const char *text;
        uint64_t up, down;
    } rows[] = { { "16k", 16384, 16384 },
                 { "1M:64k", MIB, 65536 },
                 { "100M:3M", 100 * (uint64_t)MIB, 3 * MIB },
                 { "1G", 1024 * (uint64_t)MIB, 1024 * (uint64_t)MIB } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w = { 0 };
        struct net_rate *r = rate_of(&w, rows[i].text);
        CHECK(within(went(&w, r, NET_RATE_UP, 10 * SECOND), 10 * rows[i].up, 50));
        w.now += 1000 * SECOND; /* a pause saves up no more than a burst */
        CHECK(within(went(&w, r, NET_RATE_DOWN, 10 * SECOND), 10 * rows[i].down, 50));
        CHECK(within(went(&w, r, NET_RATE_DOWN, 100 * SECOND), 100 * rows[i].down, 10));
        net_rate_free(&r);
        CHECK(r == NULL);
    }
}

/* The other way, heads, and bytes that came before anybody could hold them back. */
static void check_shared(void)
{
    struct world w = { 0 };
    struct net_rate *r = rate_of(&w, "1M:2M");
    net_rate_spend(r, NET_RATE_UP, 10 * MIB);
    const uint64_t before = w.now;
    wait_for(r, NET_RATE_DOWN, 1); /* has a bucket of its own */
    CHECK(w.now == before);
    wait_for(r, NET_RATE_UP, 1);
    CHECK(within(w.now - before, 10 * SECOND, 20));
    net_rate_free(&r);
    wait_for(NULL, NET_RATE_UP, 1);
    CHECK(net_rate_piece(NULL, NET_RATE_UP, 77) == 77);
}

/* 08:00 comes in the middle of a transfer; then another table. */
static void check_changes(void)
{
    struct world w = { .minute = 8 * 60 - 1 };
    struct net_rate *r = rate_of(&w, "08:00,2M 18:00,off");
    wait_for(r, NET_RATE_UP, 1000 * (uint64_t)MIB);
    CHECK(w.slept == 0 && net_rate_piece(r, NET_RATE_UP, 512 * 1024) == 512 * 1024);
    w.minute = 8 * 60;
    w.now += SECOND;
    CHECK(within(went(&w, r, NET_RATE_UP, 10 * SECOND), 20 * (uint64_t)MIB, 50));
    w.minute = 18 * 60;
    w.now += SECOND;
    const unsigned slept = w.slept;
    wait_for(r, NET_RATE_UP, 1000 * (uint64_t)MIB);
    CHECK(w.slept == slept);
    w.minute = 8 * 60;
    w.now += SECOND;
    const struct net_rate_table t = table("4M");
    net_rate_set(r, &t); /* at once */
    CHECK(within(went(&w, r, NET_RATE_UP, 10 * SECOND), 40 * (uint64_t)MIB, 50));
    net_rate_free(&r);
}

static void look(void *ctx, struct net_rate *r)
{
    struct world *w = ctx;
    const struct net_rate_table t = table("4M");
    if (++w->looks == 3)
        net_rate_set(r, &t);
}

static void check_look(void)
{
    struct world w = { 0 };
    struct net_rate *r = rate_of(&w, "1M");
    net_rate_watch(r, look, &w);
    CHECK(within(went(&w, r, NET_RATE_UP, 4 * SECOND), 4 * MIB, 50) && w.looks == 2);
    CHECK(within(went(&w, r, NET_RATE_UP, 10 * SECOND), 40 * (uint64_t)MIB, 100) && w.looks >= 6);
    net_rate_free(&r);
}

static void check_stops(void)
{
    struct world w = { 0 };
    struct net_rate *r = rate_of(&w, "16k");
    struct qc_cancel stop = { 0 };
    qc_cancel_set(&stop);
    CHECK_RC(net_rate_wait(r, NET_RATE_UP, MIB, QC_NO_DEADLINE, &stop, &err), QC_CANCELLED);
    CHECK_RC(net_rate_wait(r, NET_RATE_UP, MIB, (qc_deadline){ .at_ms = 1 }, NULL, &err), QC_TIMEOUT);
    CHECK(w.slept == 0);
    net_rate_free(&r);
}

/* -- many connections ------------------------------------------------------------------------------------ */

enum { THREADS = 4, EACH = 400 };
static void *run_thread(void *ctx)
{
    for (unsigned i = 0; i < EACH; i++)
        net_rate_spend(ctx, NET_RATE_UP, 1000);
    return NULL;
}

static void check_threads(void)
{
    struct world w = { 0 };
    struct net_rate *r = rate_of(&w, "100k");
    pthread_t t[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, run_thread, r) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    const uint64_t before = w.now;
    wait_for(r, NET_RATE_UP, 1); /* all of theirs first */
    CHECK(within(w.now - before, (uint64_t)THREADS * EACH * 1000 * SECOND / 102400, 20));
    net_rate_free(&r);
}

int main(void)
{
    rnd = qc_rand_start();
    check_text();
    check_many();
    check_exact();
    check_shared();
    check_changes();
    check_look();
    check_stops();
    check_threads();
    return 0;
}
