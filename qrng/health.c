#include "qrng/health.h"

#include <string.h>

#include "base/err.h"

_Static_assert(QRNG_CYCLE_BITS * 1000 <= QRNG_ENTROPY_MIN * QRNG_CYCLE_MAX, "what must come again fits");
_Static_assert(QRNG_CYCLE_MAX == 256, "the ring's index is a byte");
_Static_assert(QRNG_CYCLE_ANCHORS <= 16, "a bit each");
_Static_assert((int)QRNG_STARTUP < (int)QRNG_BLOCK, "the first look at the values is within the first block");

static const char *const texts[QRNG_ALARM_COUNT] = {
    [QRNG_ALARM_NONE] = "none",
    [QRNG_ALARM_REPETITION] = "repetition count",
    [QRNG_ALARM_PROPORTION] = "adaptive proportion",
    [QRNG_ALARM_VALUES] = "too few different values",
    [QRNG_ALARM_CYCLE] = "bytes that came before",
};

const char *qrng_alarm_text(enum qrng_alarm a)
{
    QC_ASSERT((unsigned)a < QRNG_ALARM_COUNT);
    return texts[a];
}

void qrng_health_init(struct qrng_tests *h, unsigned mbit, unsigned alpha)
{
    QC_ASSERT(mbit >= QRNG_ENTROPY_MIN && mbit <= QRNG_ENTROPY_MAX);
    memset(h, 0, sizeof *h);
    h->mbit = mbit;
    h->cutoffs = qrng_cutoffs(mbit, QRNG_WINDOW, alpha);
    h->cutoff_values = qrng_cutoff_values(mbit, QRNG_BLOCK, alpha);
    h->cutoff_startup = qrng_cutoff_values(mbit, QRNG_STARTUP, alpha);
    h->cycle.length = (QRNG_CYCLE_BITS * 1000 + mbit - 1) / mbit;
}

/* --- A stream that comes again ---
 *
 * Eleven places are remembered by the bytes that end there, and renewed at distances that grow by four, so
 * that any period up to 2^30 meets one that stays long enough to see it come round. A byte looks at those
 * anchors only that end in it: one in 23 for the first glance, and next to none for the second, at eight
 * bytes. */

/* The last bytes as they stand in the ring, in order. */
static void cycle_window(const struct qrng_cycle *c, uint8_t *out)
{
    for (size_t i = 0; i < c->length; i++)
        out[i] = c->ring[(c->at - c->length + i) % QRNG_CYCLE_MAX];
}

static bool cycle_met(const struct qrng_cycle *c, unsigned which)
{
    for (unsigned k = 0; k < QRNG_CYCLE_ANCHORS; k++) {
        if ((which & (1U << k)) == 0 || c->anchor[k].tail != c->tail)
            continue;
        uint8_t now[QRNG_CYCLE_MAX];
        cycle_window(c, now);
        if (memcmp(now, c->anchor[k].window, c->length) == 0)
            return true;
    }
    return false;
}

static void cycle_renew(struct qrng_cycle *c)
{
    if (c->at < c->length)
        return;
    for (unsigned k = 0; k < QRNG_CYCLE_ANCHORS; k++) {
        if (c->at % (UINT64_C(1) << (QRNG_CYCLE_FIRST_LOG2 + 2 * k)) != 0)
            return;
        const uint16_t bit = (uint16_t)(1U << k);
        if ((c->set & bit) != 0)
            c->ends[c->anchor[k].tail & 0xff] &= (uint16_t)~bit;
        c->set |= bit;
        c->ends[c->tail & 0xff] |= bit;
        c->anchor[k].tail = c->tail;
        cycle_window(c, c->anchor[k].window);
    }
}

static bool cycle_take(struct qrng_cycle *c, uint8_t b)
{
    c->ring[c->at % QRNG_CYCLE_MAX] = b;
    c->tail = c->tail << 8 | b;
    c->at++;
    if (c->ends[b] != 0 && cycle_met(c, c->ends[b]))
        return true;
    if (c->at % (1U << QRNG_CYCLE_FIRST_LOG2) == 0)
        cycle_renew(c);
    return false;
}

/* --- SP 800-90B 4.4 --- */

static bool repetition_take(struct qrng_tests *h, uint8_t b)
{
    h->run = h->bytes > 1 && b == h->last ? h->run + 1 : 1;
    h->last = b;
    return h->run >= h->cutoffs.repetition;
}

static bool proportion_take(struct qrng_tests *h, uint8_t b)
{
    if (h->window_at == 0) {
        h->first = b;
        h->window_count = 0;
    }
    h->window_count += b == h->first;
    h->window_at = (h->window_at + 1) % QRNG_WINDOW;
    return h->window_count >= h->cutoffs.proportion;
}

static bool values_take(struct qrng_tests *h, uint8_t b)
{
    h->seen[b / 64] |= UINT64_C(1) << (b % 64);
    h->block_at++;
    if (h->bytes != QRNG_STARTUP && h->block_at < QRNG_BLOCK)
        return false;
    unsigned count = 0;
    for (unsigned i = 0; i < 4; i++)
        count += (unsigned)__builtin_popcountll(h->seen[i]);
    if (h->block_at < QRNG_BLOCK)
        return count <= h->cutoff_startup;
    memset(h->seen, 0, sizeof h->seen);
    h->block_at = 0;
    return count <= h->cutoff_values;
}

bool qrng_health_take(struct qrng_tests *h, const uint8_t *p, size_t n)
{
    QC_ASSERT(h->mbit > 0);
    for (size_t i = 0; i < n && h->alarm == QRNG_ALARM_NONE; i++) {
        h->bytes++;
        if (repetition_take(h, p[i]))
            h->alarm = QRNG_ALARM_REPETITION;
        else if (proportion_take(h, p[i]))
            h->alarm = QRNG_ALARM_PROPORTION;
        else if (values_take(h, p[i]))
            h->alarm = QRNG_ALARM_VALUES;
        else if (cycle_take(&h->cycle, p[i]))
            h->alarm = QRNG_ALARM_CYCLE;
    }
    return h->alarm == QRNG_ALARM_NONE;
}
