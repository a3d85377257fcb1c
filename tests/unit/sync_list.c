/* unit/sync_list: when a file's time is so far behind that each later change gets another one. (Lists
 * themselves: unit/sync_plan, unit/sync_tree.) */
#include "sync/list.h"

#include "base/limits.h"

#include "qc_check.h"

int main(void)
{
    const int64_t ms = 1000000, s = 1000 * ms, at = 1000 * s, tick = QC_SYNC_TICK_MS * ms;
    /* One that counts finely. */
    CHECK(!sync_time_past(at + 1, at + 1) && !sync_time_past(at + 1, at + 1 + tick));
    CHECK(sync_time_past(at + 1, at + 2 + tick));
    CHECK(!sync_time_past(at + 1, at - s));
    /* vfat: two seconds later it may be the same time still. */
    CHECK(!sync_time_past(at, at + 1 + tick) && !sync_time_past(at, at + 2 * s - 1));
    CHECK(!sync_time_past(at, at + 2 * s + tick) && sync_time_past(at, at + 2 * s + tick + 1));
    CHECK(!sync_time_past(at + s, at + 2 * s) && sync_time_past(at - s, at + 2 * s));
    CHECK(sync_time_past(INT64_MIN, at) && !sync_time_past(INT64_MAX, at));
    return 0;
}
