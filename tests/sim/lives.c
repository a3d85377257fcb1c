/* The engine at high rates: clouds are lost and replaced as in the Markov chain (loss.h), and nothing else
 * goes wrong. How many of the histories lose their objects is held against the formula: it is true of the
 * engine if a repair gives back all that was lost, and only if. */
#include "lives.h"

#include <math.h>
#include <stdio.h>

#include "gateway.h"
#include "loss.h"
#include "plays.h"

enum { OBJECTS = 2, HISTORIES = 60, HISTORIES_FULL = 600 };

struct sim_lives lives;

static const struct sim_mood well = { .latency_ms = 30 };
static bool over;

static double wait_days(double mean)
{
    return -log1p(-(double)(sim_u64(&sim.faults) >> 11) / 9007199254740992.0) * mean;
}

static void sleep_days(double days)
{
    sim_sleep((uint64_t)(days * (double)SIM_DAY));
}

/* Whoever operates this knows when a cloud was lost, and how long a new one takes. */
static void replace(unsigned at)
{
    static char names[SIM_CLOUDS_MAX][3];

    names[at][0] = 'c';
    names[at][1] = (char)('1' + at);
    for (unsigned tries = 0; !over && !oracle_all_on(at); tries++) {
        const struct request ask = { .run = ask_repair, .deep = true, .adopt = names[at] };
        const struct request *r = gateway_ask(ask, SIM_DAY);
        if (r->broken || r->rc != QC_OK)
            sim_say("replacing cloud %u: %s", at + 1, r->broken ? "no answer" : r->err.msg);
        if (tries == 100)
            sim_broken("progress", "cloud %u is not filled again", at + 1);
        sim_sleep(60 * SIM_S);
    }
}

static void cloud_lives(void *ctx)
{
    const unsigned at = (unsigned)(uintptr_t)ctx;

    while (!over) {
        sleep_days(wait_days(lives.life_days));
        if (over)
            return;
        sim_cloud_wipe(at, false);
        over = lives.lost = oracle_lost() > 0;
        sleep_days(wait_days(lives.mttr_days));
        replace(at);
    }
}

static void put(unsigned path)
{
    struct put *p = oracle_put(path, false, 1);
    const struct request *r = gateway_ask((struct request){ .run = ask_put, .p = p }, SIM_H);

    QC_ASSERT(!r->broken && r->rc == QC_OK);
    oracle_acked(p, &r->receipt);
    QC_ASSERT(r->receipt.acked_margin == r->receipt.margin_full);
}

void lives_run(void *ctx)
{
    (void)ctx;
    over = lives.lost = false;
    sim.calm = true;
    sim_disk_new();
    sim_clouds_new(lives.n);
    for (unsigned at = 0; at < lives.n; at++)
        sim_cloud_mood(at, &well);
    oracle_new(lives.k, lives.n);
    gateway_new(lives.n, lives.k, lives.n);
    gateway_stays(true);
    sim_spawn(NULL, "supervisor", gateway_supervise, NULL);
    for (unsigned i = 0; i < OBJECTS; i++)
        put(i);
    const uint64_t end = sim.now + (uint64_t)(lives.days * (double)SIM_DAY);
    for (unsigned at = 0; at < lives.n; at++)
        sim_spawn(NULL, "cloud", cloud_lives, (void *)(uintptr_t)at);
    while (!over && sim.now < end)
        sim_sleep(SIM_H);
    over = true;
}

/* -- held against the formula ---------------------------------------------------------------------------- */

/* Standard errors between so many losses and what is expected of a mean time to replace. */
static double distance(uint64_t lost, uint64_t histories, double mttr_days)
{
    const struct loss_setup s = {
        .k = lives.k, .n = lives.n, .afr = -expm1(-LOSS_YEAR_DAYS / lives.life_days), .mttr_days = mttr_days
    };
    const double p = loss_within(&s, lives.days / LOSS_YEAR_DAYS), count = (double)histories;

    printf("  %.1f expected if a cloud is replaced in %g days\n", count * p, mttr_days);
    return fabs((double)lost - count * p) / sqrt(count * p * (1 - p));
}

static bool check_one(const struct sim_lives *at, uint64_t histories)
{
    uint64_t lost = 0;

    lives = *at;
    for (uint64_t i = 0; i < histories; i++) {
        struct sim_result r;
        if (!plays_one(i + 1, lives_run, &r))
            return false;
        lost += r.lost;
    }
    printf("EC(%u,%u), a cloud lives for %g days, %" PRIu64 " histories of %g days: %" PRIu64 " lost\n",
           lives.k, lives.n, lives.life_days, histories, lives.days, lost);
    /* 1 in 1,000; and an engine that takes three times as long would be seen. */
    const double off = distance(lost, histories, at->mttr_days);
    const double other = distance(lost, histories, 3 * at->mttr_days);
    if (off < 3.3 && other > 3.3)
        return true;
    printf("  %.1f standard errors from the formula; %.1f from three times the time\n", off, other);
    return false;
}

bool lives_check(bool full)
{
    static const struct sim_lives all[] = { { 3, 5, 10, 2, 40, false }, { 2, 3, 20, 2, 40, false } };
    bool good = true;

    for (size_t i = 0; i < (full ? sizeof all / sizeof *all : 1); i++)
        good &= check_one(&all[i], full ? HISTORIES_FULL : HISTORIES);
    printf("%.1f s of a processor\n", plays_cpu_seconds());
    return good;
}
