/* The store and its units, for unit.c, segment_write.c and segment_read.c.
 *
 * A unit is n slots of one size, each beginning on a page. Slot i: room for a head before its payload, the
 * payload, room for an end behind it. Reading, fragment i arrives in slot i with its payload at a fixed
 * place, so that pieces are aligned whatever the head has. Writing, piece by piece, the segment's bytes go to
 * where their fragments are built: payload i lies in slot i as far from the slot's beginning as it will lie
 * from the fragment's, so that whole pages of memory are whole pages of the file, which a driver can write
 * past the page cache (docs/adr/0011).
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "ec/coder.h"
#include "ec/geometry.h"
#include "gateway/segment.h"
#include "pace.h"

enum {
    GW_HEAD_ROOM = GW_FRAG_HEAD_MAX,
    GW_END_ROOM = 4096, /* an end, and a byte to see that nothing follows */
};

struct gw_unit {
    struct gw_store *store;
    atomic_uint refs;
    uint32_t tenant; /* whose, while charged; both under the store's lock */
    bool charged;
    uint8_t *mem;
    size_t slot_size, size;    /* as the store's were when it was made */
    unsigned n;                /* slots */
    struct ec_geometry coming; /* the segment that is being filled in */
    uint32_t have;             /* bytes of it */
    unsigned coded;            /* slots that have its data and parity; puts may read them, so they stay */
    struct gw_unit *next;      /* among the free ones */
    struct gw_unit *sibling;   /* among all */
};

/* Who waits for a unit, on its own stack. */
struct unit_waiter {
    uint32_t tenant;
    struct unit_waiter *next; /* came later */
};

struct gw_store {
    const struct gw_root *root;
    struct gw_fan *fan;
    /* Room for all codings down to k and up to n: they grow, under the lock (gw_store_fit). */
    atomic_uint k, n;
    atomic_size_t slot_size;
    pthread_mutex_t lock; /* guards what follows */
    size_t unit_size;
    unsigned unit_max;
    pthread_cond_t returned;
    struct gw_unit *spare, *all;
    struct unit_waiter *waiters; /* in the order in which they came */
    unsigned made, out;          /* units that exist; units that are not spare */
    struct gw_pace pace;         /* of reads; has a lock of its own */
};

/* It counts for its tenant no more. NULL: nothing. */
void gw_unit_discharge(struct gw_unit *u);
/* A second reference. */
struct gw_unit *gw_unit_share(struct gw_unit *u);
/* Payload of slot i, writing. */
uint8_t *gw_unit_out(const struct gw_unit *u, unsigned i);
/* Payload of slot i, reading. A unit fits every coding with the store's n slots or fewer of its size: see
 * gw_unit_fits. */
uint8_t *gw_unit_payload(const struct gw_unit *u, unsigned i);
/* Can this unit hold a segment of this coding? One from before the store grew may not. */
bool gw_unit_holds(const struct gw_unit *u, const struct ec_geometry *g, unsigned n);
/* Can segments of this coding be handled in the store's units? */
bool gw_unit_fits(const struct gw_store *s, const struct ec_geometry *g, unsigned n);

/* What follows from a segment's row, for writing and reading it. */
struct gw_plan_fragment {
    struct gw_frag_head head; /* as it is written, and as it must be found */
    int at;                   /* position of its cloud in the fan, or -1 */
    char key[GW_NAME_SIZE];
};
struct gw_plan {
    unsigned n;
    const struct ec_coder *coder;
    struct ec_geometry geometry;
    struct gw_frag_keys keys;
    struct gw_plan_fragment fragments[QC_EC_N_MAX];
};
/* QC_LIMIT: the store's units are too small for this coding; QC_USAGE, QC_NOTCONF, QC_NOMEM. */
QC_MUST qc_rc gw_segment_plan(const struct gw_store *s, const struct gw_segment *seg, struct gw_plan *ret,
                              struct qc_err *err);
void gw_plan_done(struct gw_plan *p);
