#include "gateway/stands.h"

/* Did a gateway of an incarnation in [from, to) begin to write at this sequence? */
static bool wrote(const struct gw_log_sight *all, uint64_t sequence, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < all->seen_count; i++)
        if (all->seen[i].sequence == sequence && all->seen[i].incarnation >= from &&
            all->seen[i].incarnation < to)
            return true;
    return false;
}

/* A cut that came too late is void: a rebuild that was overtaken by a later one wrote it when that one had
 * read the log already, and had taken more. Whoever is overtaken like this never wrote to the log: its
 * gateway would have seen the later root first. */
static bool overtaken(const struct gw_log_sight *all, const struct gw_log_cut *cut)
{
    for (unsigned i = 0; i < all->cut_count; i++)
        if (all->cuts[i].by > cut->by && all->cuts[i].sequence > cut->sequence &&
            !wrote(all, cut->sequence + 1, cut->by, all->cuts[i].by))
            return true;
    return false;
}

bool gw_log_stands(const struct gw_log_sight *all, const struct gw_log_seen *s)
{
    for (unsigned i = 0; i < all->cut_count; i++)
        if (all->cuts[i].by > s->incarnation && s->sequence > all->cuts[i].sequence &&
            !overtaken(all, &all->cuts[i]))
            return false;
    return true;
}
