/* unit/sync_pace: when a watched folder is synced: after it has come to rest, now and then where it does not,
 * never a deletion while it is not quiet, with growing pauses while the other side is away. */
#include "sync/pace.h"

#include "base/limits.h"
#include "qc_check.h"

static enum sync_due due(const struct sync_pace *p, uint64_t now, uint64_t *ms)
{
    const enum sync_due d = sync_pace_due(p, now, ms);
    CHECK((d == SYNC_DUE_NOT) == (*ms > 0));
    return d;
}

static void begins(void)
{
    struct sync_pace p;
    uint64_t ms = 0;
    sync_pace_begin(&p, 60000, 1000);
    CHECK(due(&p, 1000, &ms) == SYNC_DUE_NEW); /* it may have been started in the midst of a removal */
    sync_pace_started(&p);
    sync_pace_done(&p, 1000, 1100, true);
    CHECK(due(&p, 1100 + QC_WATCH_QUIET_MS - 1, &ms) == SYNC_DUE_NOT && ms == 1);
    CHECK(due(&p, 1100 + QC_WATCH_QUIET_MS, &ms) == SYNC_DUE_ALL);
    sync_pace_started(&p);
    sync_pace_done(&p, 4000, 4010, false);
    CHECK(due(&p, 4010, &ms) == SYNC_DUE_NOT && ms == 60000);
    CHECK(due(&p, 64010, &ms) == SYNC_DUE_ALL);
}

static void comes_to_rest(void)
{
    struct sync_pace p;
    uint64_t ms = 0, at = 0;
    sync_pace_begin(&p, 3600000, 1);
    sync_pace_started(&p);
    sync_pace_done(&p, 1, 10001, false); /* it took ten seconds: as long a rest */
    sync_pace_changed(&p, 10002);
    CHECK(due(&p, 12000, &ms) == SYNC_DUE_NOT && ms == 20001 - 12000);
    CHECK(due(&p, 20001, &ms) == SYNC_DUE_ALL);
    sync_pace_started(&p);
    sync_pace_done(&p, 20001, 20002, false);
    for (at = 30000; at < 60000; at += 100) { /* written all the time */
        sync_pace_changed(&p, at);
        if (due(&p, at, &ms) != SYNC_DUE_NOT)
            break;
    }
    CHECK(at == 30000 + QC_WATCH_PATIENCE_MS);
    CHECK(due(&p, at, &ms) == SYNC_DUE_NEW); /* whatever is gone is not believed yet */
    sync_pace_started(&p);
    sync_pace_done(&p, at, at + 50, true);
    sync_pace_changed(&p, at + 1000); /* held, and not quiet: what is new after it has settled, no deletion */
    CHECK(due(&p, at + 2050, &ms) == SYNC_DUE_NEW);
}

static void other_side_away(void)
{
    struct sync_pace p;
    uint64_t ms = 0, now = 1, want = QC_WATCH_RETRY_MS;
    sync_pace_begin(&p, 60000, now);
    for (unsigned i = 0; i < 100; i++) {
        sync_pace_started(&p);
        sync_pace_away(&p, now);
        sync_pace_changed(&p, now + 1); /* makes no haste */
        CHECK(due(&p, now + 2, &ms) == SYNC_DUE_NOT && ms == want - 2);
        now += want;
        CHECK(due(&p, now, &ms) != SYNC_DUE_NOT);
        want = want * 2 < QC_WATCH_RETRY_MAX_MS ? want * 2 : QC_WATCH_RETRY_MAX_MS;
    }
    sync_pace_started(&p);
    sync_pace_done(&p, now, now + 1, false);
    sync_pace_away(&p, now + 100);
    CHECK(due(&p, now + 100, &ms) == SYNC_DUE_NOT && ms == QC_WATCH_RETRY_MS);
}

int main(void)
{
    begins();
    comes_to_rest();
    other_side_away();
    return 0;
}
