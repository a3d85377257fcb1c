/* Bundles that were read lately: whoever reads one small N reads its neighbours next. Layer 4, internal; uses
 * base. Any thread. Keeps I6: at most QC_GW_BUNDLES_READ reads of QC_GW_BUNDLE_MAX bytes.
 *
 * What lies here was verified when it was read, and a segment's bytes never change. That its fragments are
 * still there is known for no longer than QC_GW_BUNDLE_FRESH_MS. */
#pragma once
#include <pthread.h>

#include "gateway/fan.h"

struct gw_bundle_read {
    uint64_t segment; /* 0: free */
    gw_clouds withheld;
    uint64_t read_ms;
    uint8_t *p;
    uint32_t from, n; /* bytes [from, from + n) of it */
};
struct gw_bundles {
    pthread_mutex_t lock; /* guards all below; none is taken under it */
    struct gw_bundle_read v[QC_GW_BUNDLES_READ];
};
void gw_bundles_init(struct gw_bundles *b);
void gw_bundles_done(struct gw_bundles *b);

/* Bytes [from, from + n) of a segment that was read without these clouds. false: they are not here. */
bool gw_bundles_take(struct gw_bundles *b, uint64_t segment, gw_clouds withheld, uint32_t from, uint8_t *dst,
                     size_t n);
/* Bytes [from, from + n) of a segment; *p is taken over. */
void gw_bundles_keep(struct gw_bundles *b, uint64_t segment, gw_clouds withheld, uint32_t from, uint8_t **p,
                     uint32_t n);
