#include "bundles.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "base/time.h"

void gw_bundles_init(struct gw_bundles *b)
{
    qc_mutex_init(&b->lock);
}

void gw_bundles_done(struct gw_bundles *b)
{
    for (unsigned i = 0; i < QC_GW_BUNDLES_READ; i++)
        qc_free(b->v[i].p);
    qc_mutex_done(&b->lock);
}

bool gw_bundles_take(struct gw_bundles *b, uint64_t segment, gw_clouds withheld, uint32_t from, uint8_t *dst,
                     size_t n)
{
    const uint64_t now = qc_now_ms();
    QC_LOCK(&b->lock);

    for (unsigned i = 0; i < QC_GW_BUNDLES_READ; i++) {
        const struct gw_bundle_read *r = &b->v[i];
        if (r->segment != segment || r->withheld != withheld || now - r->read_ms > QC_GW_BUNDLE_FRESH_MS)
            continue;
        if (from < r->from || from - r->from > r->n || n > r->n - (from - r->from))
            continue; /* another part of it */
        memcpy(dst, r->p + (from - r->from), n);
        return true;
    }
    return false;
}

void gw_bundles_keep(struct gw_bundles *b, uint64_t segment, gw_clouds withheld, uint32_t from, uint8_t **p,
                     uint32_t n)
{
    QC_LOCK(&b->lock);
    struct gw_bundle_read *to = &b->v[0]; /* the oldest, or one that has no more than this */

    for (unsigned i = 0; i < QC_GW_BUNDLES_READ; i++) {
        struct gw_bundle_read *r = &b->v[i];
        if (r->segment == segment && r->withheld == withheld && r->from >= from &&
            r->from + r->n <= from + n) {
            to = r;
            break;
        }
        if (r->read_ms < to->read_ms)
            to = r;
    }
    qc_free(to->p);
    *to = (struct gw_bundle_read){
        .segment = segment, .withheld = withheld, .read_ms = qc_now_ms(), .p = *p, .from = from, .n = n
    };
    *p = NULL;
}
