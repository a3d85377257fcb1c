#include "pace.h"

#include <string.h>

#include "base/thread.h"

enum { PACE_ONE = 100, PACE_SAVED = 10 * PACE_ONE };
enum { PACE_SLACK_US = 20000 }; /* a difference below it comes from the machine as often as from the cloud */

void gw_pace_init(struct gw_pace *p)
{
    memset(p, 0, sizeof *p);
    p->credit = PACE_SAVED;
    p->percent = QC_GW_HEDGE_PERCENT;
    qc_mutex_init(&p->lock);
}

void gw_pace_done(struct gw_pace *p)
{
    qc_mutex_done(&p->lock);
}

static unsigned class_of(uint64_t bytes)
{
    return bytes <= 1 << 16 ? 0 : bytes <= 1 << 20 ? 1 : bytes <= 1 << 23 ? 2 : 3;
}

void gw_pace_note(struct gw_pace *p, const struct gw_pace_sample *s, uint64_t now_ms)
{
    QC_ASSERT(s->at < QC_GW_CLOUDS_MAX);
    QC_LOCK(&p->lock);
    struct gw_pace_row *row = &p->row[s->at][class_of(s->bytes)];
    const uint32_t ms = s->ms < UINT16_MAX ? (uint32_t)s->ms : UINT16_MAX;

    row->recent_us[row->heard++ % GW_PACE_RECENT] = ms * 1000 * (s->given_up ? 4 : 1) + 1; /* 0 is none */
    row->ms[row->next] = (uint16_t)ms;
    row->next = (row->next + 1) % GW_PACE_WINDOW;
    row->count += row->count < GW_PACE_WINDOW;
    row->at_ms = now_ms;
}

/* The median of the last ones; 0: not known. */
static uint64_t usual_of(const struct gw_pace_row *row)
{
    const unsigned n = row->heard < GW_PACE_RECENT ? row->heard : GW_PACE_RECENT;
    uint32_t sorted[GW_PACE_RECENT] = { 0 };

    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > row->recent_us[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = row->recent_us[i];
    }
    return n < GW_PACE_HEARD ? 0 : sorted[n / 2];
}

static unsigned doublings(uint64_t usual, uint64_t fastest)
{
    unsigned n = 0;
    for (uint64_t most = 2 * (fastest + PACE_SLACK_US); usual > most && n < 16; most *= 2)
        n++;
    return n;
}

void gw_pace_rank(struct gw_pace *p, const int *at, unsigned count, uint64_t bytes, uint64_t now_ms,
                  unsigned *ret)
{
    const unsigned class = class_of(bytes);
    uint64_t fastest = UINT64_MAX;

    QC_LOCK(&p->lock);
    for (unsigned i = 0; i < count; i++) {
        const uint64_t usual = at[i] < 0 ? 0 : usual_of(&p->row[at[i]][class]);
        if (usual > 0 && usual < fastest)
            fastest = usual;
    }
    for (unsigned i = 0; i < count; i++) {
        const struct gw_pace_row *row = at[i] < 0 ? NULL : &p->row[at[i]][class];
        const bool fresh = row != NULL && now_ms - row->at_ms < QC_GW_PACE_MEMORY_MS;
        ret[i] = fresh ? doublings(usual_of(row), fastest) : 0;
    }
}

/* The 95th percentile of what is kept: as many times are longer as one in twenty. */
static uint64_t percentile95(const struct gw_pace_row *row)
{
    const unsigned beyond = row->count / 20;
    uint16_t longest[GW_PACE_WINDOW / 20 + 1] = { 0 }; /* the beyond + 1 longest, falling */

    for (unsigned i = 0; i < row->count; i++) {
        uint16_t ms = row->ms[i];
        for (unsigned x = 0; x <= beyond; x++)
            if (ms > longest[x]) {
                const uint16_t was = longest[x];
                longest[x] = ms;
                ms = was;
            }
    }
    return longest[beyond];
}

uint64_t gw_pace_patience(struct gw_pace *p, const int *at, unsigned count, uint64_t bytes)
{
    const unsigned class = class_of(bytes);
    uint64_t most = 0, any = 0;
    bool unknown = false;

    QC_LOCK(&p->lock);
    for (unsigned c = 0; c < QC_GW_CLOUDS_MAX; c++) {
        const struct gw_pace_row *row = &p->row[c][class];
        const uint64_t ms = row->count >= GW_PACE_ENOUGH ? percentile95(row) + 1 : 0;
        bool asked = false;
        any = ms > any ? ms : any;
        for (unsigned i = 0; i < count; i++)
            asked |= at[i] == (int)c;
        unknown |= asked && ms == 0;
        most = asked && ms > most ? ms : most;
    }
    most = unknown || most == 0 ? any : most;
    if (most == 0 || most > QC_GW_HEDGE_MS)
        return QC_GW_HEDGE_MS;
    return most < QC_GW_HEDGE_MIN_MS ? QC_GW_HEDGE_MIN_MS : most;
}

void gw_pace_earn(struct gw_pace *p, unsigned fragments)
{
    QC_LOCK(&p->lock);
    p->credit += fragments * p->percent;
    if (p->credit > PACE_SAVED)
        p->credit = PACE_SAVED;
}

bool gw_pace_spend(struct gw_pace *p)
{
    QC_LOCK(&p->lock);
    if (p->percent == 0 || p->credit < PACE_ONE)
        return false;
    p->credit -= PACE_ONE;
    return true;
}
