/* One segment in repair: what the catalogue knows of it, and what a pass found and wants. Layer 4, internal.
 */
#pragma once
#include "repair_internal.h"

/* The segment in hand. Sets have bit i for fragment i. */
struct gw_patient {
    struct gw_repairing *p;
    struct gw_segment seg;                    /* as the catalogue has it */
    struct gw_deviation_row row[QC_EC_N_MAX]; /* places; those without a row in the catalogue filled in */
    uint32_t rows, uncounted;                 /* have a row; and are not counted */
    uint32_t away;                            /* their cloud is not usable now */
    uint32_t lost;                            /* counted by their row, on a cloud that is lost */
    uint32_t doomed;                          /* uncounted, under a key that is dead: read, and put anew */
    struct gw_inspection seen;
    enum gw_finding_kind kind[QC_EC_N_MAX]; /* of those that are damaged, and counted */
    struct gw_read *read;                   /* the segment, once it was read; NULL before */

    uint32_t want;          /* to be written */
    uint32_t rotten;        /* of these: something lies under the key, so it needs another one */
    uint32_t targets;       /* of these: a place was found */
    uint32_t fresh, tried;  /* of these: under a new key, a trial's; of all: trials that this pass has put */
    uint32_t healed;        /* written, read back, and recorded */
    uint32_t leaving;       /* wanted elsewhere, and not for being bad: it counts where it is until then */
    gw_clouds refuse;       /* clouds that did not take it in this pass */
    struct gw_segment next; /* seg with the keys to write */
};

static inline uint32_t bit(unsigned i)
{
    return UINT32_C(1) << i;
}

static inline uint32_t every(const struct gw_patient *m)
{
    return m->seg.n == 32 ? UINT32_MAX : bit(m->seg.n) - 1;
}

static inline bool usable(struct gw_patient *m, uint32_t cloud_id)
{
    const int at = gw_fan_at(m->p->e->fan, cloud_id);

    return at >= 0 && gw_repair_usable(m->p, (unsigned)at) && (m->refuse >> at & 1) == 0;
}

/* Its rows. *ret_live: there is something to do. */
QC_MUST qc_rc gw_patient_load(struct gw_patient *m, uint64_t id, bool *ret_live, struct qc_err *err);
/* Under the catalogue's lock. Is it one of a live version? What leaves a cloud may be of an upload, too. */
QC_MUST qc_rc gw_patient_live(struct gw_patient *m, uint64_t id, bool *ret, struct qc_err *err);
/* The key that its row says. */
struct gw_frag_key gw_patient_key(const struct gw_patient *m, unsigned i);
