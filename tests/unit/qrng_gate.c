/* unit/qrng_gate: when a source may be used, when it is tried again, and when a person has to look. */
#include "gate.h"
#include "qc_check.h"

static void life(void)
{
    struct qrng_gate g = { 0 };
    CHECK(!qrng_gate_is_open(&g));
    CHECK(qrng_gate_begin(&g, 0) && g.state == QRNG_GATE_TRIAL && !qrng_gate_is_open(&g));
    qrng_gate_passed(&g);
    CHECK(qrng_gate_is_open(&g));
    qrng_gate_failed(&g, false, 10);
    CHECK(!qrng_gate_is_open(&g) && g.retry_at_ms == 10 + QC_QRNG_PAUSE_MS);
    CHECK(!qrng_gate_begin(&g, 9 + QC_QRNG_PAUSE_MS) && !qrng_gate_is_open(&g));
    CHECK(qrng_gate_begin(&g, 10 + QC_QRNG_PAUSE_MS));
    qrng_gate_passed(&g); /* only through a trial that passed */
    CHECK(qrng_gate_is_open(&g) && g.in_row == 0);
    qrng_gate_rest(&g); /* and after a break, through another one */
    CHECK(g.state == QRNG_GATE_TRIAL && !qrng_gate_is_open(&g));
    qrng_gate_rest(&g);
    qrng_gate_failed(&g, false, 20);
    qrng_gate_rest(&g);
    CHECK(g.state == QRNG_GATE_QUARANTINE);
}

static void pauses(void)
{
    struct qrng_gate g = { 0 };
    uint64_t now = 5, last = 0;
    for (unsigned i = 0; i < 100; i++) {
        CHECK(qrng_gate_begin(&g, now));
        qrng_gate_failed(&g, false, now); /* a stall is no health alarm: however often, nobody has to come */
        const uint64_t pause = g.retry_at_ms - now;
        CHECK(pause == (i == 0                            ? QC_QRNG_PAUSE_MS
                        : last * 2 < QC_QRNG_PAUSE_MAX_MS ? last * 2
                                                          : QC_QRNG_PAUSE_MAX_MS));
        CHECK(g.state == QRNG_GATE_QUARANTINE);
        last = pause;
        now = g.retry_at_ms;
    }
}

/* Health alarms at these times: is it locked after the last one? */
static bool locks(const uint64_t *at, unsigned n, struct qrng_gate *g)
{
    *g = (struct qrng_gate){ 0 };
    for (unsigned i = 0; i < n; i++) {
        g->retry_at_ms = 0;
        CHECK(g->state == QRNG_GATE_QUARANTINE && qrng_gate_begin(g, at[i]));
        if (i % 2 == 0)
            qrng_gate_passed(g); /* alarms count in the trial and after it */
        qrng_gate_failed(g, true, at[i]);
    }
    return g->state == QRNG_GATE_LOCKED;
}

static void lock(void)
{
    struct qrng_gate g;
    const uint64_t hour = QC_QRNG_ALARMS_MS;
    CHECK(!locks((const uint64_t[]){ 0, 1 }, 2, &g));
    CHECK(locks((const uint64_t[]){ 0, 1, 2 }, 3, &g));
    CHECK(!qrng_gate_begin(&g, 1000 * hour) && g.state == QRNG_GATE_LOCKED && !qrng_gate_is_open(&g));
    qrng_gate_enable(&g);
    CHECK(g.state == QRNG_GATE_QUARANTINE && g.alarms == 0 && qrng_gate_begin(&g, 3));
    qrng_gate_enable(&g); /* of one that is not locked: nothing */
    CHECK(g.state == QRNG_GATE_TRIAL);
    CHECK(locks((const uint64_t[]){ 0, 5, hour - 1 }, 3, &g));
    CHECK(!locks((const uint64_t[]){ 0, 5, hour }, 3, &g));
    CHECK(locks((const uint64_t[]){ 0, 5, hour, hour + 4 }, 4, &g));
    CHECK(!locks((const uint64_t[]){ 0, hour, 2 * hour, 3 * hour }, 4, &g));
    CHECK(locks((const uint64_t[]){ 9, 8, 7 }, 3, &g)); /* a clock that goes back lets nothing pass */
}

static void misuse(void)
{
    struct qrng_gate g = { 0 };
    CHECK_DIES(qrng_gate_passed(&g));
    CHECK_DIES(qrng_gate_failed(&g, true, 0));
    CHECK(qrng_gate_begin(&g, 0));
    CHECK_DIES(qc_ignore(qrng_gate_begin(&g, 0) ? QC_OK : QC_RANDOM, "a second trial within the first"));
}

int main(void)
{
    life();
    pauses();
    lock();
    misuse();
    return 0;
}
