/* unit/gateway_stands: which log objects stand after cuts (FORMAT 9.2), by tables. */
#include "gateway/stands.h"

#include "qc_check.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool stands(const struct gw_log_sight *all, uint64_t sequence, uint16_t incarnation)
{
    size_t i = 0;

    while (i < all->seen_count &&
           (all->seen[i].sequence != sequence || all->seen[i].incarnation != incarnation))
        i++;
    CHECK(i < all->seen_count);
    return gw_log_stands(all, &all->seen[i]);
}

int main(void)
{
    static const struct gw_log_seen seen[] = {
        { 1, 1, 1 }, { 2, 1, 1 }, { 3, 1, 1 }, { 3, 2, 1 }, { 4, 1, 1 }, { 4, 2, 1 }, { 5, 4, 1 },
    };
    static const struct gw_log_cut one[] = { { 2, 2 } };
    const struct gw_log_sight none = { seen, COUNT(seen), NULL, 0 };
    const struct gw_log_sight cut = { seen, COUNT(seen), one, COUNT(one) };

    for (size_t i = 0; i < COUNT(seen); i++)
        CHECK(gw_log_stands(&none, &seen[i]));
    CHECK(stands(&cut, 1, 1) && stands(&cut, 2, 1));
    CHECK(!stands(&cut, 3, 1) && !stands(&cut, 4, 1)); /* written by whom it cut off, beyond its end */
    CHECK(stands(&cut, 3, 2) && stands(&cut, 4, 2) && stands(&cut, 5, 4));

    /* Rebuild 3 was overtaken by rebuild 4, which had read up to 4: its cut at 2 came too late. */
    static const struct gw_log_cut late[] = { { 3, 3 }, { 4, 4 } };
    const struct gw_log_sight overtaken = { seen, COUNT(seen), late, COUNT(late) };
    CHECK(stands(&overtaken, 4, 2) && stands(&overtaken, 5, 4));

    /* But rebuild 2 wrote at 3, beyond its cut: nobody overtook it. */
    static const struct gw_log_cut both[] = { { 2, 2 }, { 4, 4 } };
    const struct gw_log_sight kept = { seen, COUNT(seen), both, COUNT(both) };
    CHECK(!stands(&kept, 3, 1) && !stands(&kept, 4, 1) && stands(&kept, 3, 2) && stands(&kept, 4, 2));
    return 0;
}
