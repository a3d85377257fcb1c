/* When a folder that is watched is synced: soon after what changed has come to rest, in a while where it does
 * not, later and later while the other side is away; and what is gone is believed only after a longer rest.
 * Layer 4; uses base. Pure: times are the caller's, in ms. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct sync_pace {
    uint64_t every_ms; /* a pass at least so often */
    /* What was changed since the last pass began: first and last time; 0: nothing. */
    uint64_t first_ms, last_ms;
    uint64_t rest_ms; /* no pass before this: the last one took as long before it */
    uint64_t next_ms; /* a pass then, whatever happens */
    uint64_t calm_ms; /* nothing is deleted before this */
    bool held;        /* something is gone, and waits for quiet */
    unsigned fails;   /* passes in a row that found the other side away */
    uint64_t retry_ms;
};

enum sync_due {
    SYNC_DUE_NOT,
    SYNC_DUE_NEW, /* what is new; nothing is deleted: somebody may be at work on the folder as a whole */
    SYNC_DUE_ALL,
};

/* The first pass is due at once. */
void sync_pace_begin(struct sync_pace *p, uint64_t every_ms, uint64_t now_ms);
void sync_pace_changed(struct sync_pace *p, uint64_t now_ms);
/* *ret_ms: until it may be otherwise, 0 where something is due. */
enum sync_due sync_pace_due(const struct sync_pace *p, uint64_t now_ms, uint64_t *ret_ms);
/* A pass begins: what changes from here on is for the next. */
void sync_pace_started(struct sync_pace *p);
/* It came to its end; held: something is gone and was not deleted. */
void sync_pace_done(struct sync_pace *p, uint64_t began_ms, uint64_t now_ms, bool held);
/* It did not: all of it again, after 1, 2, 4 .. s. */
void sync_pace_away(struct sync_pace *p, uint64_t now_ms);
