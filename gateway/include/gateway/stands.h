/* Which log objects stand, after the cuts of rebuilds (FORMAT 9.2). Layer 4; uses base. Pure; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A log object that some clouds list. */
struct gw_log_seen {
    uint64_t sequence;
    uint16_t incarnation;
    uint32_t on; /* bit i: the cloud at position i of the fan (gateway/fan.h) */
};
struct gw_log_cut {
    uint32_t by;       /* incarnation that cut */
    uint64_t sequence; /* the last that stands */
};

/* All that was seen of one gateway. Borrowed. */
struct gw_log_sight {
    const struct gw_log_seen *seen;
    size_t seen_count;
    const struct gw_log_cut *cuts;
    unsigned cut_count;
};

/* Does s, one of those seen, stand? Cost: the cuts, and for each that would void it the list. */
bool gw_log_stands(const struct gw_log_sight *all, const struct gw_log_seen *s);
