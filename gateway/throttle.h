/* How fast, and how long still? Layer 4, internal; uses base. Pure: time comes in. */
#pragma once
#include <stdint.h>

/* At most so many bytes and requests a second, measured from page to page: what was not used is not saved up.
 * {0} with rates: due at once. */
struct gw_throttle {
    uint64_t bytes_per_s, requests_per_s; /* 0: no limit */
    uint64_t free_us;                     /* the next page may begin; finer than a page of one request */
};
/* So much was done. */
void gw_throttle_take(struct gw_throttle *p, uint64_t now_ms, uint64_t bytes, uint64_t requests);
/* Until the next page may begin. */
uint64_t gw_throttle_wait_ms(const struct gw_throttle *p, uint64_t now_ms);

/* Seconds until all is done, if `done` of `all` took spent_ms; -1: nothing can be said yet. */
int64_t gw_forecast_s(uint64_t done, uint64_t all, uint64_t spent_ms);
/* How far in an evenly distributed space of keys f/<2 hex>/<32 hex>, of 65536, a listing is; what is before
 * is 0, what is behind is 65536. */
uint64_t gw_listing_done(const char *after);
