#include "gate.h"

#include "base/err.h"
#include "base/limits.h"

bool qrng_gate_begin(struct qrng_gate *g, uint64_t now_ms)
{
    QC_ASSERT(g->state == QRNG_GATE_QUARANTINE || g->state == QRNG_GATE_LOCKED);
    if (g->state == QRNG_GATE_LOCKED || now_ms < g->retry_at_ms)
        return false;
    g->state = QRNG_GATE_TRIAL;
    return true;
}

void qrng_gate_passed(struct qrng_gate *g)
{
    QC_ASSERT(g->state == QRNG_GATE_TRIAL);
    g->state = QRNG_GATE_OPEN;
    g->in_row = 0;
}

static uint64_t pause_ms(unsigned in_row)
{
    uint64_t ms = QC_QRNG_PAUSE_MS;
    for (unsigned i = 1; i < in_row && ms < QC_QRNG_PAUSE_MAX_MS; i++)
        ms *= 2;
    return ms < QC_QRNG_PAUSE_MAX_MS ? ms : QC_QRNG_PAUSE_MAX_MS;
}

/* Was the oldest of three alarms less than an hour ago? A clock that went back makes it so: then a person
 * looks once too often. */
static bool too_many(const struct qrng_gate *g, uint64_t now_ms)
{
    const uint64_t oldest = g->alarm_ms[QRNG_GATE_ALARMS - 1];
    return g->alarms == QRNG_GATE_ALARMS && (now_ms < oldest || now_ms - oldest < QC_QRNG_ALARMS_MS);
}

void qrng_gate_failed(struct qrng_gate *g, bool health, uint64_t now_ms)
{
    QC_ASSERT(g->state == QRNG_GATE_TRIAL || g->state == QRNG_GATE_OPEN);
    g->state = QRNG_GATE_QUARANTINE;
    g->in_row++;
    g->retry_at_ms = now_ms + pause_ms(g->in_row);
    if (!health)
        return;
    for (unsigned i = QRNG_GATE_ALARMS - 1; i > 0; i--)
        g->alarm_ms[i] = g->alarm_ms[i - 1];
    g->alarm_ms[0] = now_ms;
    if (g->alarms < QRNG_GATE_ALARMS)
        g->alarms++;
    if (too_many(g, now_ms))
        g->state = QRNG_GATE_LOCKED;
}

void qrng_gate_shut(struct qrng_gate *g)
{
    QC_ASSERT(g->state == QRNG_GATE_QUARANTINE || g->state == QRNG_GATE_LOCKED);
    g->state = QRNG_GATE_LOCKED;
}

void qrng_gate_enable(struct qrng_gate *g)
{
    if (g->state == QRNG_GATE_LOCKED)
        *g = (struct qrng_gate){ 0 };
}

void qrng_gate_rest(struct qrng_gate *g)
{
    if (g->state == QRNG_GATE_OPEN)
        g->state = QRNG_GATE_TRIAL;
}

bool qrng_gate_is_open(const struct qrng_gate *g)
{
    return g->state == QRNG_GATE_OPEN;
}
