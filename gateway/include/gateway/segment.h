/* Segments: written to n clouds, read from any k. Layer 4; uses base, ec, cloud. Keeps I1, I2, I6.
 * Formats: FORMAT 8, 9.4. Why segments are held whole: docs/adr/0002-whole-segments.md.
 *
 * S1 (I2): bytes leave gw_segment_read only when every piece that they were made of held its tag under the
 * segment's digest from the catalogue. S2 (I1): a fragment counts as durable only when its cloud said so
 * before the batch was settled. S3 (D2): what a put of a fragment reads stays unchanged until that put has
 * ended, however late: a unit that a hung cloud still reads from does not go back to the pool. S4 (I6):
 * memory is the pool of units, and nothing that grows with the object.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/fan.h"
#include "gateway/frag.h"
#include "gateway/root.h"

struct gw_store; /* opaque */

/*
 * root and fan are borrowed and outlive the store.
 *   k, n   coding of new segments; units are sized for it. 1 <= k <= n <= QC_EC_N_MAX (asserted)
 * QC_NOMEM, QC_NOTCONF (the coding library is not installed).
 */
QC_MUST qc_rc gw_store_new(struct gw_store **ret, const struct gw_root *root, struct gw_fan *fan, unsigned k,
                           unsigned n, struct qc_err *err);
/* All units must be back, but for those that a stuck worker holds: free the fan first. */
void gw_store_free(struct gw_store **s);
/* From now on there is room for segments of this k and this n, too: units that are made are greater. Those
 * that are out stay as they are until they come back. QC_USAGE */
QC_MUST qc_rc gw_store_fit(struct gw_store *s, unsigned k, unsigned n, struct qc_err *err);

/* Fragments that may be asked for early a second time, as per cent of what reads need: QC_GW_HEDGE_PERCENT
 * when it is made; 0: none, and every fragment that is asked for is waited for QC_GW_HEDGE_MS. */
void gw_store_races(struct gw_store *s, unsigned percent);

/* -- units: room for one segment and its parity ---------------------------------------------------------- */

struct gw_unit; /* opaque; counted references */

/* For a tenant, whose share of them is bounded: see gateway/unit.c. QC_TEMP: none became free for it until
 * the deadline. */
QC_MUST qc_rc gw_unit_take(struct gw_store *s, uint32_t tenant, qc_deadline deadline, struct gw_unit **ret,
                           struct qc_err *err);
/* A segment of `size` bytes, 1..QC_GW_SEGMENT_MAX, is going to be filled in, and coded with this k, for which
 * the store has room (asserted). */
void gw_unit_begin(struct gw_unit *u, unsigned k, uint32_t size);
/* Its next bytes: copied to where they will be coded. No more than are missing (asserted). */
void gw_unit_add(struct gw_unit *u, qc_span bytes);
uint32_t gw_unit_missing(const struct gw_unit *u); /* bytes that have not come yet */
/* Is it filled in for this k, with room for n fragments? */
bool gw_unit_is_for(const struct gw_unit *u, unsigned k, unsigned n);
/* The same bytes for another k, in a unit of its own. QC_TEMP: none became free. */
QC_MUST qc_rc gw_unit_copy(const struct gw_unit *from, unsigned k, qc_deadline deadline, struct gw_unit **ret,
                           struct qc_err *err);
/* Drop this reference; *u is NULL. */
void gw_unit_give(struct gw_unit **u);
/* The same of the request that took it: it counts for its tenant no more, even if others still work on it. */
void gw_unit_done(struct gw_unit **u);
/* Does somebody wait for one? */
bool gw_store_wanted(struct gw_store *s);
unsigned gw_store_spare(struct gw_store *s); /* units free now */

/* -- segments -------------------------------------------------------------------------------------------- */

/* What the catalogue knows of a segment. */
struct gw_segment {
    uint64_t id;
    uint32_t tenant;
    uint8_t object[GW_ID_BYTES], version[GW_ID_BYTES];
    uint32_t seq; /* number in the version, from 0 */
    bool last;
    uint64_t base;        /* the entry's number when the put began */
    uint32_t incarnation; /* that wrote it */
    uint8_t salt[GW_SALT_BYTES];
    uint32_t size; /* bytes, 1..QC_GW_SEGMENT_MAX */
    unsigned k, n;
    uint32_t layout[QC_EC_N_MAX]; /* cloud ids; fragment i lies on layout[perm[i]] */
    /* By fragment: the key under which it lies. All zero is how a put writes it; a repair writes others. */
    uint8_t attempt[QC_EC_N_MAX];
    uint32_t writer[QC_EC_N_MAX]; /* incarnation that wrote it; 0: the segment's */
    uint32_t cloud[QC_EC_N_MAX];  /* cloud that has it; 0: the one that layout and salt give */
    uint32_t absent;              /* bit i: fragment i is known not to be there; asked last. Reading only */
    uint32_t withheld;            /* bit i: fragment i is not asked for at all (a drill). Reading only */
    uint8_t digest[GW_DIGEST_BYTES]; /* reading only */
};

/* Name and cloud of a fragment. ret_at: position in the fan, -1 when the fan does not have that cloud.
 * QC_NOMEM. */
QC_MUST qc_rc gw_segment_key(const struct gw_store *s, const struct gw_segment *seg, unsigned index,
                             int *ret_at, char ret_key[GW_NAME_SIZE], struct qc_err *err);

struct gw_written {
    uint8_t digest[GW_DIGEST_BYTES];
    unsigned durable;                       /* fragments */
    uint32_t durable_set;                   /* bit i: fragment i */
    uint32_t left_set;                      /* bit i: fragment i was not waited for, and did not fail */
    uint32_t cloud_id[QC_EC_N_MAX];         /* by fragment */
    uint32_t generation[QC_EC_N_MAX];       /* of its cloud, before anything was sent */
    struct gw_outcome outcome[QC_EC_N_MAX]; /* by fragment */
};

/*
 * Code and write a segment: all n fragments at once, wait for all of them; at the deadline what is pending is
 * late. Clouds that are not well are probed meanwhile; those that are back get their fragments, and
 * QC_GW_TRIAL_MS more than the others. So does one that was found dead and is there again. Whether `durable`
 * is enough is the caller's to decide.
 *
 *   u    filled with the segment's seg->size bytes for seg->k (asserted). The reference stays the caller's.
 * The same segment may be written again from it, under the same keys or new ones; the next segment takes
 *        another unit (S3)
 *   seg  digest and absent are ignored
 *
 * QC_NOMEM, QC_NOTCONF. What clouds said is in ret.
 */
QC_MUST qc_rc gw_segment_write(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                               qc_deadline deadline, struct gw_written *ret, struct qc_err *err);
/* The same, but with rule->enough durable it waits only rule->grace_ms more: what is under way goes on by
 * itself until the deadline, and keeps the unit's memory as long. enough 0: all, as above. watcher: or NULL.
 */
QC_MUST qc_rc gw_segment_write_some(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                                    const struct gw_rule *rule, const struct gw_watcher *watcher,
                                    struct gw_written *ret, struct qc_err *err);

enum gw_fault_kind { GW_FAULT_MISSING, GW_FAULT_DAMAGED, GW_FAULT_UNREACHABLE, GW_FAULT_LATE, GW_FAULT_LOST };
const char *gw_fault_kind_name(enum gw_fault_kind k); /* "missing", .. as in API.md */

struct gw_fault {
    uint32_t cloud_id;
    uint8_t index; /* fragment */
    enum gw_fault_kind kind;
    char key[GW_NAME_SIZE];
    char why[GW_WHY_MAX];
};
/* Fragments that did not come as they should, at most one row per fragment. Start with {0}. */
struct gw_faults {
    unsigned count;
    struct gw_fault v[QC_EC_N_MAX];
};

struct gw_read; /* opaque: verified bytes of one segment, in a unit */

/* Bytes [from, to) of a segment; 0 <= from < to <= its size (asserted). */
struct gw_range {
    uint32_t from, to;
};

/*
 * Read a range of a segment. Asks k fragments, on clouds that are well and not slower than others, data
 * fragments first; another for each that is missing, damaged or unreachable, and for those that take longer
 * than 95 of 100 did lately (pace.h), or QC_GW_HEDGE_MS. Everything is
 * verified when this returns; nothing but the stripes that hold the range, heads and ends is read.
 *
 *   faults  rows are added, also on failure
 *
 * QC_QUORUM     fewer than k good fragments until the deadline. Before that clouds that were away are probed,
 *               and the read is repeated once if one is back
 * QC_INTEGRITY  k fragments with good tags decode to something that was not written, whichever are taken (at
 *               most QC_GW_SUBSETS_MAX choices; whole segments only: a range that needs decoding is covered
 *               by its fragments' tags and the client's own seal)
 * QC_TEMP       no unit was free; QC_NOMEM; QC_NOTCONF
 */
QC_MUST qc_rc gw_segment_read(struct gw_store *s, const struct gw_segment *seg, struct gw_range range,
                              qc_deadline deadline, struct gw_faults *faults, struct gw_read **ret,
                              struct qc_err *err);
/*
 * What is known of a segment's fragments without asking: rows are added for those that have none and lie on
 * clouds that are lost, unreachable or suspect, or are recorded as absent. A read that did well without them
 * still has less behind it than it should. QC_NOMEM
 */
QC_MUST qc_rc gw_segment_known(struct gw_store *s, const struct gw_segment *seg, struct gw_faults *faults,
                               struct qc_err *err);
/* n bytes from offset of the segment (not of the range) into dst; within the range that was read (asserted).
 */
void gw_read_copy(const struct gw_read *r, uint32_t offset, uint8_t *dst, size_t n);
/* The longest span at offset: borrowed until gw_read_free. For whoever can write without a copy. */
qc_span gw_read_span(const struct gw_read *r, uint32_t offset);
void gw_read_free(struct gw_read **r);

/* -- repair ---------------------------------------------------------------------------------------------- */

enum gw_found {
    GW_FOUND_NOT_ASKED,
    GW_FOUND_GOOD,
    GW_FOUND_MISSING, /* its cloud is there and ours, and does not have it */
    GW_FOUND_DAMAGED, /* something lies under its key, and it is not this fragment */
    GW_FOUND_AWAY,    /* its cloud is lost, does not answer, or was too slow: nothing is known */
};
struct gw_inspection {
    enum gw_found found[QC_EC_N_MAX];  /* by fragment */
    char why[QC_EC_N_MAX][GW_WHY_MAX]; /* of those that are not good */
    unsigned good;
    uint64_t bytes; /* that were read, about */
};

/*
 * Read the fragments of a set, whole, and verify every piece; wait for all of them. What begins to come and
 * does not end, twice, is damaged: that may take half as long again as the deadline. which     bit i:
 * fragment i ret_read  the segment, if k of them were good and give it; else NULL. gw_read_free it QC_TEMP
 * (no unit was free), QC_NOMEM, QC_NOTCONF, QC_LIMIT
 */
QC_MUST qc_rc gw_segment_inspect(struct gw_store *s, const struct gw_segment *seg, uint32_t which,
                                 qc_deadline deadline, struct gw_inspection *ret, struct gw_read **ret_read,
                                 struct qc_err *err);

/* The digest table that every fragment of a segment carries (FORMAT 8.3): n rows, which give the segment's
 * digest. */
struct gw_digest_table {
    uint8_t rows[GW_DIGEST_BYTES * QC_EC_N_MAX];
};
/* As a verified fragment of the read has it. */
void gw_read_table(const struct gw_read *r, struct gw_digest_table *ret);

struct gw_rewrite {
    const struct gw_digest_table *table;
    uint32_t which; /* bit i: fragment i */
    bool put;       /* false: code and check, send nothing */
};
/*
 * Code fragments of a segment again from its data, and put each under the key that seg gives it. Only what
 * gives its row of the table leaves: what does not fails with QC_INTEGRITY in its outcome.
 *
 *   u    the segment's bytes, as for gw_segment_write
 *   ret  of the set alone. put false: durable_set is what could be sent
 *
 * QC_NOMEM, QC_NOTCONF, QC_LIMIT.
 */
QC_MUST qc_rc gw_segment_rewrite(struct gw_store *s, const struct gw_segment *seg,
                                 const struct gw_rewrite *what, struct gw_unit *u, qc_deadline deadline,
                                 struct gw_written *ret, struct qc_err *err);
