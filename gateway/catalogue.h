/* The catalogue: what the gateway knows, in SQLite or PostgreSQL. Layer 4, internal; uses base, pg. Keeps I1,
 * I6.
 *
 * One connection behind one lock: whoever calls holds QC_LOCK(gw_cat_lock(c)) and, where a comment says "in a
 * transaction", a gw_cat_tx. Transactions are short: no cloud is asked while one is open.
 *
 * Nothing secret lies in it: bkeys are sealed under G, B under a bkey; G has a file of its own (state.h).
 *
 * ids             of vaults, objects, versions and put keys hold within a tenant, and are looked up so
 * version.bundle  1: it has segments and no name, the N of others lie in them: their holder (FORMAT 9.3)
 * version.state   1 intent, 2 decided, 3 live, 4 dead (cancelled or purged; its segments are in deadkey)
 * version.kept    it is not purged before this time, seconds since 1970; 0: at any time
 * request.state   enum gw_upload_state
 * segment         seq NULL: reserved, a fragment of it may exist (D1: the row is durable before the first
 *                 PUT)
 * renamed         where an object is that was moved to another path: puts of it under any other come too late
 * deviation       a fragment that is not there, or not where its layout says: its place (cloud, attempt,
 *                 incarnation that wrote it), its home (the layout's cloud); state: enum gw_deviation
 * trial           the key that a repair writes a fragment under, durable before the PUT (D1); at most one for
 *                 each fragment. It counts when it was read back and has become the deviation's place
 * deadkey         segments whose fragments may exist and are wanted no more (D5); rows stay, with their round
 * deadfrag        the same for single keys: fragments that a repair replaced, trials that came to nothing
 * finding         what was seen on a cloud and should not be so (gateway/scrub.h), a bounded number: for
 * people; nothing follows from it scrub           how far the scrub of a cloud is; scrub_seen: what a listing
 * has shown so far cloud           adopting: the generation that it is about to get (adopt.h); 0: none
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/db.h"
#include "base/thread.h"
#include "gateway/engine.h"
#include "gateway/log.h"
#include "gateway/scrub.h"
#include "gateway/segment.h"

struct gw_cat;
struct pg_conf;

enum gw_version_state {
    GW_VERSION_INTENT = 1,
    GW_VERSION_DECIDED = 2,
    GW_VERSION_LIVE = 3,
    GW_VERSION_DEAD = 4
};
enum gw_deviation {
    GW_DEV_OWED = 1,    /* its cloud did not say that it has it */
    GW_DEV_LEFT = 2,    /* the same, for nobody waited for it: a debt, but no failure */
    GW_DEV_MOVED = 3,   /* all is well: it lies where the row says */
    GW_DEV_SUSPECT = 4, /* a listing did not show it, or with another size: not counted until it was read */
    GW_DEV_BAD = 5,
    GW_DEV_LOST = 6
};
enum gw_request_kind {
    GW_REQUEST_PUT = 1,
    GW_REQUEST_REMOVE = 2,
    GW_REQUEST_CANCEL = 3,
    GW_REQUEST_RENAME = 4
};

/* create: the file must not exist. QC_NOTFOUND, QC_FORMAT, QC_NEWER, and base/db.h. */
QC_MUST qc_rc gw_cat_open(struct gw_cat **ret, const char *path, bool create, struct qc_err *err);
/* The same in PostgreSQL, where other gateways may have it open, too. */
QC_MUST qc_rc gw_cat_open_pg(struct gw_cat **ret, const struct pg_conf *conf, const char *schema, bool create,
                             struct qc_err *err);
void gw_cat_close(struct gw_cat **c);
pthread_mutex_t *gw_cat_lock(struct gw_cat *c);
/* Everything into the main file; before the catalogue is moved or the program leaves. */
QC_MUST qc_rc gw_cat_checkpoint(struct gw_cat *c, struct qc_err *err);

/* Queries from here to gw_cat_look_end are one look at the database, under one lock of it: each of them alone
 * would take and release it. Under the catalogue's lock all the while, and outside transactions. */
QC_MUST qc_rc gw_cat_look(struct gw_cat *c, struct qc_err *err);
void gw_cat_look_end(struct gw_cat *c);

/* QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 }; begin; ..; commit. */
QC_MUST qc_rc gw_cat_begin(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err);
/* A commit that fails for the disk's sake makes the catalogue broken: all later calls fail with QC_IO. */
QC_MUST qc_rc gw_cat_commit(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err);
bool gw_cat_broken(struct gw_cat *c); /* without the lock, too */
/* Broken, for another gateway of this catalogue took this one for dead, or changed the clouds. */
bool gw_cat_over(struct gw_cat *c);

/* -- several gateways (base/db.h: sessions; docs/adr/0021) ----------------------------------------------- */

/* 0: there is one. */
uint64_t gw_cat_session(struct gw_cat *c);
/* Not in a transaction. *ret_first: this is the gateway that keeps the store; once true, it stays so. */
QC_MUST qc_rc gw_cat_attend(struct gw_cat *c, bool *ret_first, struct qc_err *err);
/* In a transaction: nothing is decided, or published, by other gateways while this one lives, until it is let
 * go (hold false). */
QC_MUST qc_rc gw_cat_hold(struct gw_cat *c, bool hold, struct qc_err *err);
/* In a transaction that changes which clouds there are, what they are, or the code: all that others have read
 * of them is over, and so are they (S1). */
QC_MUST qc_rc gw_cat_end_others(struct gw_cat *c, struct qc_err *err);
/* In a transaction: *ret: another gateway, which is open, holds. */
QC_MUST qc_rc gw_cat_held(struct gw_cat *c, bool *ret, struct qc_err *err);

/* -- meta and configuration ------------------------------------------------------------------------------ */

QC_MUST qc_rc gw_meta_set(struct gw_cat *c, const char *name, uint64_t v, struct qc_err *err);
QC_MUST qc_rc gw_meta_get(struct gw_cat *c, const char *name, uint64_t *ret, struct qc_err *err);
QC_MUST qc_rc gw_meta_set_bytes(struct gw_cat *c, const char *name, qc_span v, struct qc_err *err);
QC_MUST qc_rc gw_meta_get_bytes(struct gw_cat *c, const char *name, uint8_t *dst, size_t n,
                                struct qc_err *err);

enum gw_life { GW_LIFE_INIT = 1, GW_LIFE_READY = 2, GW_LIFE_FENCED = 3 };
struct gw_config {
    struct gw_id catalogue, instance;
    uint32_t incarnation;
    /* In an engine they change while it runs, under the catalogue's lock (recode.c): who needs two that
     * belong together holds it, too. */
    atomic_uint k, n, write_quorum, record_quorum;
    enum gw_life life;
};
QC_MUST qc_rc gw_config_put(struct gw_cat *c, const struct gw_config *conf, struct qc_err *err);
QC_MUST qc_rc gw_config_get(struct gw_cat *c, struct gw_config *ret, struct qc_err *err);

/* The last log object that was decided. */
struct gw_log_tip {
    uint64_t sequence;
    uint8_t hash[GW_DIGEST_BYTES];
};
QC_MUST qc_rc gw_tip_get(struct gw_cat *c, struct gw_log_tip *ret, struct qc_err *err);
QC_MUST qc_rc gw_tip_put(struct gw_cat *c, const struct gw_log_tip *tip, struct qc_err *err);

/* -- clouds, layouts, bkeys ------------------------------------------------------------------------------ */

/* A row's life: docs/adr/0019. The first three stand in the log, too (gateway/log.h). */
enum gw_cloud_life_state {
    GW_LIFE_IN_USE = 1,
    GW_LIFE_DRAINING = 2,
    GW_LIFE_RETIRED = 3, /* a name and an id, for the layouts that it stands in */
    GW_LIFE_JOINING = 4, /* of this gateway alone: it gets the log, and counts for nothing */
    GW_LIFE_LEAVING = 5, /* retired in the log; what is ours there is being removed */
};
struct gw_cloud_row {
    uint32_t id, generation;
    char name[CLOUD_NAME_SIZE_MAX + 1];
    char url[CLOUD_URL_SIZE_MAX + 1];
    enum gw_cloud_life_state state; /* 0 in put: in use */
    uint32_t target;                /* draining: the only cloud that its fragments go to; 0: any */
    struct gw_labels labels;
    qc_span identity; /* in put: the object's bytes; not read back */
};
QC_MUST qc_rc gw_cloud_put(struct gw_cat *c, const struct gw_cloud_row *row, struct qc_err *err);
/* Rows that are not retired by ascending id; *ret_count at most QC_GW_CLOUDS_MAX. rows: so many elements. */
QC_MUST qc_rc gw_cloud_rows(struct gw_cat *c, struct gw_cloud_row *rows, unsigned *ret_count,
                            struct qc_err *err);
QC_MUST qc_rc gw_cloud_identity(struct gw_cat *c, uint32_t id, qc_buf *ret, struct qc_err *err);
/* In a transaction: its place is another one. */
QC_MUST qc_rc gw_cloud_moved(struct gw_cat *c, uint32_t id, const char *url, struct qc_err *err);
/* The life of a cloud: its generation; the one that it is about to get, 0: none; the latest in the log. */
struct gw_cloud_life {
    uint32_t generation, adopting, logged;
};
QC_MUST qc_rc gw_cloud_life(struct gw_cat *c, uint32_t id, struct gw_cloud_life *ret, struct qc_err *err);
/* In a transaction: it is about to get this generation; the log has it; it has it, and all on it counts again
 * that no row says otherwise of. */
QC_MUST qc_rc gw_cloud_adopt(struct gw_cat *c, uint32_t id, uint32_t generation, struct qc_err *err);
QC_MUST qc_rc gw_cloud_logged(struct gw_cat *c, uint32_t id, uint32_t generation, struct qc_err *err);
QC_MUST qc_rc gw_cloud_adopted(struct gw_cat *c, uint32_t id, uint32_t generation, qc_span identity,
                               struct qc_err *err);
/* clouds that come and go (cat_move.c). In a transaction, those that write. */
/* One that is not retired. QC_NOTFOUND. */
QC_MUST qc_rc gw_cloud_row(struct gw_cat *c, uint32_t id, struct gw_cloud_row *ret, struct qc_err *err);
QC_MUST qc_rc gw_cloud_row_named(struct gw_cat *c, const char *name, struct gw_cloud_row *ret,
                                 struct qc_err *err);
/* An id that no cloud has had. */
QC_MUST qc_rc gw_cloud_next_id(struct gw_cat *c, uint32_t *ret, struct qc_err *err);
QC_MUST qc_rc gw_cloud_row_state(struct gw_cat *c, uint32_t id, enum gw_cloud_life_state state,
                                 uint32_t target, struct qc_err *err);
/* Nothing on it counts any more; its name is free. */
QC_MUST qc_rc gw_cloud_retire(struct gw_cat *c, uint32_t id, struct qc_err *err);
QC_MUST qc_rc gw_cloud_set_labels(struct gw_cat *c, uint32_t id, const struct gw_labels *l,
                                  struct qc_err *err);
/* The identity object that it is to show. */
QC_MUST qc_rc gw_cloud_set_identity(struct gw_cat *c, uint32_t id, qc_span identity, struct qc_err *err);
/* By how many of the clouds that count, but for this one, is a log object owed at most? */
QC_MUST qc_rc gw_cat_log_owed_most(struct gw_cat *c, uint32_t except, unsigned *ret, struct qc_err *err);
/* The first segment after `after`, of whatever version, that may have something on the cloud; 0: none. */
QC_MUST qc_rc gw_cat_on_cloud(struct gw_cat *c, uint32_t cloud_id, uint64_t after, uint64_t *ret,
                              struct qc_err *err);
/* Fragments that should be on it, and about how many bytes they are; dead keys that may be. */
struct gw_on_cloud {
    uint64_t fragments, bytes, dead;
};
QC_MUST qc_rc gw_cat_on_cloud_count(struct gw_cat *c, uint32_t cloud_id, struct gw_on_cloud *ret,
                                    struct qc_err *err);
/* What is dead on it is forgotten: it is gone, and nothing of it will be asked again. */
QC_MUST qc_rc gw_cat_dead_forget(struct gw_cat *c, uint32_t cloud_id, struct qc_err *err);
/* *ret: is there a segment with something on both? */
QC_MUST qc_rc gw_cat_on_both(struct gw_cat *c, uint32_t a, uint32_t b, bool *ret, struct qc_err *err);

/* Which clouds are lost, for margins. In a transaction. */
/* After rows were written by other means. */
QC_MUST qc_rc gw_cloud_recount(struct gw_cat *c, struct qc_err *err);
QC_MUST qc_rc gw_cloud_set_lost(struct gw_cat *c, uint32_t id, bool lost, struct qc_err *err);

/* The number of a layout, made if new. In a transaction. */
QC_MUST qc_rc gw_layout_id(struct gw_cat *c, const struct gw_log_layout *l, uint64_t *ret,
                           struct qc_err *err);
QC_MUST qc_rc gw_layout_get(struct gw_cat *c, uint64_t id, struct gw_log_layout *ret, struct qc_err *err);

/* Where fragments lie (cat_where.c), lost clouds or not. */
/* Clouds that are lost and not retired. */
QC_MUST qc_rc gw_cat_clouds_lost(struct gw_cat *c, uint32_t ids[QC_GW_CLOUDS_MAX], unsigned *ret_count,
                                 struct qc_err *err);
/* The first layout with a greater number than `after`; *ret 0: there is none. */
QC_MUST qc_rc gw_cat_layout_after(struct gw_cat *c, uint64_t after, uint64_t *ret,
                                  struct gw_log_layout *ret_layout, struct qc_err *err);
/* *ret: does some segment of a live version lie as the layout says? */
QC_MUST qc_rc gw_cat_layout_sound(struct gw_cat *c, uint64_t layout, bool *ret, struct qc_err *err);
/* The clouds that a segment's fragments are on which count as there; k of these are needed. */
struct gw_lie {
    unsigned k, count;
    uint32_t clouds[QC_EC_N_MAX];
};
typedef void (*gw_lie_fn)(void *ctx, const struct gw_lie *lie);
/* Called for each segment of a live version that does not lie as its layout says. */
QC_MUST qc_rc gw_cat_deviants(struct gw_cat *c, gw_lie_fn fn, void *ctx, struct qc_err *err);

QC_MUST qc_rc gw_bkey_put(struct gw_cat *c, uint32_t epoch, qc_span sealed, struct qc_err *err);
QC_MUST qc_rc gw_bkey_get(struct gw_cat *c, uint32_t epoch, qc_buf *ret, struct qc_err *err);

/* -- vaults and entries (cat_entry.c) -------------------------------------------------------------------- */

struct gw_vault_row {
    uint64_t no;
    struct gw_ref id;
    struct gw_head head;
};
/* QC_NOTFOUND */
QC_MUST qc_rc gw_cat_vault(struct gw_cat *c, const struct gw_ref *vault, struct gw_vault_row *ret,
                           struct qc_err *err);
/* record and sealed B, appended */
QC_MUST qc_rc gw_cat_vault_bytes(struct gw_cat *c, uint64_t no, qc_buf *ret_record, qc_buf *ret_backup,
                                 struct qc_err *err);
QC_MUST qc_rc gw_cat_vaults(struct gw_cat *c, uint32_t tenant, gw_vault_fn fn, void *ctx, struct qc_err *err);
QC_MUST qc_rc gw_cat_chain(struct gw_cat *c, uint64_t vault_no, uint64_t from, uint64_t limit, qc_buf *ret,
                           struct qc_err *err);
/* Number of the current entry of a path; 0: none. */
QC_MUST qc_rc gw_cat_number(struct gw_cat *c, uint64_t vault_no, qc_span path, uint64_t *ret,
                            struct qc_err *err);
QC_MUST qc_rc gw_cat_entry(struct gw_cat *c, uint64_t vault_no, qc_span path, struct gw_entry_row *ret,
                           struct qc_err *err);
/* In a transaction: that is the path of this object from now on; the tenant has moved once more. */
QC_MUST qc_rc gw_cat_renamed_put(struct gw_cat *c, uint32_t tenant, uint64_t vault_no,
                                 const struct gw_id *object, qc_span path, struct qc_err *err);
/* *ret: the object was moved, and not last to this path. */
QC_MUST qc_rc gw_cat_renamed_elsewhere(struct gw_cat *c, uint64_t vault_no, const struct gw_id *object,
                                       qc_span path, bool *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_entries(struct gw_cat *c, uint64_t vault_no, const struct gw_entry_query *q,
                             gw_entry_fn fn, void *ctx, bool *ret_more, struct qc_err *err);

/* -- versions, segments, uploads (cat_version.c, cat_segment.c) ------------------------------------------ */

struct gw_version_row {
    uint64_t no;
    struct gw_id vault, object, version, put_key;
    uint64_t base, size, segments, layout, created;
    uint32_t tenant;
    enum gw_version_state state;
    int acked_margin;
    bool bundle; /* its segments hold the N of others (FORMAT 9.3) */
    uint64_t holder,
        start;     /* of an N in a bundle: the version whose segments have it, from where on; 0: none */
    uint64_t kept; /* not purged before then, seconds since 1970 */
};
/* The version whose segments have a version's bytes. */
static inline uint64_t gw_version_holder(const struct gw_version_row *v)
{
    return v->holder != 0 ? v->holder : v->no;
}
/* Of any vault of the tenant, whose id is not looked at. */
QC_MUST qc_rc gw_cat_version(struct gw_cat *c, const struct gw_version_ids *ids, struct gw_version_row *ret,
                             struct qc_err *err);
QC_MUST qc_rc gw_cat_version_no(struct gw_cat *c, uint64_t no, struct gw_version_row *ret,
                                struct qc_err *err);
QC_MUST qc_rc gw_cat_version_add(struct gw_cat *c, const struct gw_version_row *row, uint64_t *ret_no,
                                 struct qc_err *err);
QC_MUST qc_rc gw_cat_version_state(struct gw_cat *c, uint64_t no, enum gw_version_state state,
                                   struct qc_err *err);
/* It is a bundle, and counts as nobody's version from now on. In a transaction. */
QC_MUST qc_rc gw_cat_version_bundle(struct gw_cat *c, uint64_t no, struct qc_err *err);
/* Segments that are reserved from now on have this layout. In a transaction. */
QC_MUST qc_rc gw_cat_version_layout(struct gw_cat *c, uint64_t no, uint64_t layout, struct qc_err *err);
QC_MUST qc_rc gw_cat_version_acked(struct gw_cat *c, uint64_t no, int margin, struct qc_err *err);
/* A live version is gone for good: what is its alone is dead (D5), a bundle with the last of its N. In a
 * transaction. */
QC_MUST qc_rc gw_cat_version_purge(struct gw_cat *c, const struct gw_version_row *v, struct qc_err *err);
/* It is kept until then, at least: a time that it has grows, and never falls. In a transaction. */
QC_MUST qc_rc gw_cat_version_keep(struct gw_cat *c, uint64_t no, uint64_t until, struct qc_err *err);
/* Does a path point at it? */
QC_MUST qc_rc gw_cat_version_current(struct gw_cat *c, uint64_t no, bool *ret, struct qc_err *err);
/* Data margin now: of the worst segment, fragments on lost clouds not counted. */
QC_MUST qc_rc gw_cat_margin(struct gw_cat *c, uint64_t version_no, int *ret, struct qc_err *err);
/* On how many clouds the segment is that is on the least, counted as for the margin. */
QC_MUST qc_rc gw_cat_durable(struct gw_cat *c, uint64_t version_no, unsigned *ret, struct qc_err *err);
/* The same for each code that segments of the version have. */
typedef qc_rc (*gw_durable_fn)(void *ctx, unsigned k, unsigned n, int clouds, struct qc_err *err);
QC_MUST qc_rc gw_cat_durable_each(struct gw_cat *c, uint64_t version_no, gw_durable_fn fn, void *ctx,
                                  struct qc_err *err);
QC_MUST qc_rc gw_cat_backup(struct gw_cat *c, uint64_t version_no, qc_buf *ret, struct qc_err *err);

/* Reserve a segment: a row without seq, durable when the transaction is. */
QC_MUST qc_rc gw_cat_reserve(struct gw_cat *c, uint64_t version_no, uint64_t layout, uint32_t incarnation,
                             const uint8_t salt[GW_SALT_BYTES], uint64_t *ret_id, struct qc_err *err);
/* Reserved segments that are not to be had: those that a put works on, and those of an earlier opening. */
struct gw_taken {
    const uint64_t *busy;
    unsigned busy_count;
    uint64_t below; /* segment ids below this one */
};
/* A segment of the version that this gateway reserved, if there is one that is not taken. */
QC_MUST qc_rc gw_cat_reserved(struct gw_cat *c, uint64_t version_no, const struct gw_taken *busy,
                              uint64_t *ret_id, bool *ret_found, struct qc_err *err);
/* All that there is of it: a reserved one has no size and digest. Absent set and places of its fragments
 * included. */
QC_MUST qc_rc gw_cat_segment(struct gw_cat *c, uint64_t id, struct gw_segment *ret, struct qc_err *err);
/* The same as its layout has it, without what its rows say of fragments: for a rebuild, which makes them. */
QC_MUST qc_rc gw_cat_segment_plain(struct gw_cat *c, uint64_t id, struct gw_segment *ret, struct qc_err *err);
/* The reserved segment becomes number seq of its version. */
QC_MUST qc_rc gw_cat_segment_done(struct gw_cat *c, const struct gw_segment *seg, struct qc_err *err);
/* Segment seq of a version. QC_NOTFOUND. */
QC_MUST qc_rc gw_cat_segment_of(struct gw_cat *c, uint64_t version_no, uint32_t seq, uint64_t *ret_id,
                                struct qc_err *err);
/* Bytes of segment seq of a version; 0: there is none. */
QC_MUST qc_rc gw_cat_segment_size_of(struct gw_cat *c, uint64_t version_no, uint32_t seq, uint64_t *ret,
                                     struct qc_err *err);
/* The segment dies: its row becomes a ledger row. size: bytes, where its row does not know them yet. In a
 * transaction. */
QC_MUST qc_rc gw_cat_segment_kill(struct gw_cat *c, uint64_t id, uint32_t size, struct qc_err *err);
/* All segments of a version, reserved ones included; or the reserved ones alone. In a transaction. */
QC_MUST qc_rc gw_cat_segments_kill(struct gw_cat *c, uint64_t version_no, bool reserved_only,
                                   struct qc_err *err);
/* All from this sequence number on, and the reserved ones. In a transaction. */
QC_MUST qc_rc gw_cat_segments_kill_from(struct gw_cat *c, uint64_t version_no, uint32_t from,
                                        struct qc_err *err);

/* Called for each segment of a version from seq on, in order. */
typedef qc_rc (*gw_segment_fn)(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err);
QC_MUST qc_rc gw_cat_segments(struct gw_cat *c, uint64_t version_no, uint32_t from, gw_segment_fn fn,
                              void *ctx, struct qc_err *err);
/* The segment of a live version that holds byte offset of N, absent set included; its own offset. */
QC_MUST qc_rc gw_cat_segment_at(struct gw_cat *c, uint64_t version_no, uint64_t offset,
                                struct gw_segment *ret, uint64_t *ret_offset, struct qc_err *err);

/* The fragment is not there. cloud_id: its home, for a fragment that has no row yet; the place of one that
 * has a row stays. */
QC_MUST qc_rc gw_cat_deviate(struct gw_cat *c, uint64_t segment_id, unsigned frag, uint32_t cloud_id,
                             enum gw_deviation state, struct qc_err *err);
struct gw_deviation_row {
    unsigned frag;
    uint32_t cloud_id, home, incarnation; /* place; the layout's cloud; who wrote it */
    uint8_t attempt;
    enum gw_deviation state;
};
/* Called for each row of a segment. */
typedef qc_rc (*gw_deviation_fn)(void *ctx, const struct gw_deviation_row *row, struct qc_err *err);
QC_MUST qc_rc gw_cat_deviations_each(struct gw_cat *c, uint64_t segment_id, gw_deviation_fn fn, void *ctx,
                                     struct qc_err *err);

struct gw_request_row {
    struct gw_ref put_key;
    uint64_t no; /* 0: no row yet */
    enum gw_request_kind kind;
    enum gw_upload_state state;
    uint64_t version_no; /* 0: none */
    uint32_t run;        /* whose segments and commit count; only gw_cat_request_run changes it */
    uint8_t seal[GW_DIGEST_BYTES];
    struct gw_receipt receipt; /* when live */
};
/* A key that is not known: QC_OK with state GW_UPLOAD_UNKNOWN. */
QC_MUST qc_rc gw_cat_request(struct gw_cat *c, const struct gw_ref *put_key, struct gw_request_row *ret,
                             struct qc_err *err);
/* Write the whole row. */
QC_MUST qc_rc gw_cat_request_put(struct gw_cat *c, const struct gw_request_row *row, struct qc_err *err);
/* The rows of a put that is decided, with this seal; 0: there is none. */
QC_MUST qc_rc gw_cat_request_decided(struct gw_cat *c, const struct gw_ref *put_key, const uint8_t *seal,
                                     uint64_t *ret_no, uint64_t *ret_version_no, struct qc_err *err);
/* A row that is there becomes live, with this receipt; all else in it stays. */
QC_MUST qc_rc gw_cat_request_live(struct gw_cat *c, uint64_t no, const struct gw_receipt *r,
                                  struct qc_err *err);
/* Of the row of a put, and of its version, what a receipt says of the clouds; its number, chain and head
 * stay.
 */
QC_MUST qc_rc gw_cat_request_reached(struct gw_cat *c, const struct gw_ref *put_key,
                                     const struct gw_receipt *r, struct qc_err *err);
/* The next run of an upload begins, now. In a transaction. */
QC_MUST qc_rc gw_cat_request_run(struct gw_cat *c, const struct gw_ref *put_key, struct qc_err *err);
/* Its client was heard of; to the day. In a transaction. */
QC_MUST qc_rc gw_cat_request_heard(struct gw_cat *c, const struct gw_ref *put_key, struct qc_err *err);
/* The open upload of which nobody has heard for the longest time, if that is before `before`. *ret_heard 0:
 * nobody has looked at it yet. */
QC_MUST qc_rc gw_cat_request_silent(struct gw_cat *c, int64_t before, struct gw_ref *ret, uint64_t *ret_heard,
                                    bool *ret_found, struct qc_err *err);
/* The oldest put key that the tenant cancelled is forgotten, and its version with it. In a transaction. */
QC_MUST qc_rc gw_cat_request_forget(struct gw_cat *c, uint32_t tenant, struct qc_err *err);
/* Of all tenants. */
QC_MUST qc_rc gw_cat_open_uploads(struct gw_cat *c, uint64_t *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_vault_count(struct gw_cat *c, uint64_t *ret, struct qc_err *err);

/* -- tenants (cat_tenant.c) ------------------------------------------------------------------------------ */

/* Write the whole row; a new tenant begins with nothing. In a transaction. */
QC_MUST qc_rc gw_cat_tenant_put(struct gw_cat *c, const struct gw_tenant *t, struct qc_err *err);
/* QC_NOTFOUND */
QC_MUST qc_rc gw_cat_tenant(struct gw_cat *c, uint32_t id, struct gw_tenant *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_tenant_named(struct gw_cat *c, const char *name, struct gw_tenant *ret,
                                  struct qc_err *err);
/* By ascending id; v: QC_GW_TENANTS_MAX elements. */
QC_MUST qc_rc gw_cat_tenants(struct gw_cat *c, struct gw_tenant *v, unsigned *ret_count, struct qc_err *err);
/* How many there are, and the greatest id. */
QC_MUST qc_rc gw_cat_tenant_last(struct gw_cat *c, uint64_t *ret_count, uint32_t *ret_id, struct qc_err *err);
/* Margins of a tenant's next versions after *at, which goes on; at most GW_MARGINS. *ret_more: there may be
 * others. */
enum { GW_MARGINS = 500 };
struct gw_margins_at {
    struct gw_id version, object;
};
QC_MUST qc_rc gw_cat_tenant_margins(struct gw_cat *c, uint32_t tenant, struct gw_margins_at *at,
                                    struct gw_safety *add, bool *ret_more, struct qc_err *err);
QC_MUST qc_rc gw_cat_tenant_debts(struct gw_cat *c, uint32_t tenant, uint64_t *ret, struct qc_err *err);
/* QC_NOTFOUND: no such tenant. */
QC_MUST qc_rc gw_cat_usage(struct gw_cat *c, uint32_t tenant, struct gw_usage *ret, struct qc_err *err);

/* -- the log, record copies, the ledger (cat_log.c) ------------------------------------------------------ */

QC_MUST qc_rc gw_cat_outbox_put(struct gw_cat *c, uint64_t sequence, qc_span body, struct qc_err *err);
/* The decided batch that is not published; *ret_sequence 0: none. */
QC_MUST qc_rc gw_cat_outbox(struct gw_cat *c, uint64_t *ret_sequence, qc_buf *ret_body, struct qc_err *err);
QC_MUST qc_rc gw_cat_outbox_has(struct gw_cat *c, uint64_t sequence, bool *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_outbox_clear(struct gw_cat *c, uint64_t sequence, struct qc_err *err);

struct gw_log_row {
    uint64_t sequence;
    uint32_t incarnation;
    uint8_t hash[GW_DIGEST_BYTES];
};
QC_MUST qc_rc gw_cat_log_put(struct gw_cat *c, const struct gw_log_row *row, struct qc_err *err);
QC_MUST qc_rc gw_cat_log_get(struct gw_cat *c, uint64_t sequence, struct gw_log_row *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_debt_add(struct gw_cat *c, uint32_t cloud_id, uint64_t sequence, struct qc_err *err);
QC_MUST qc_rc gw_cat_debt_paid(struct gw_cat *c, uint32_t cloud_id, uint64_t sequence, struct qc_err *err);
/* The oldest record copy owed to a cloud after `after`; 0: none. */
QC_MUST qc_rc gw_cat_debt_next(struct gw_cat *c, uint32_t cloud_id, uint64_t after, uint64_t *ret,
                               struct qc_err *err);

/* What is owed to a cloud or is to be mended there: the segment of a live version with the least margin, of
 * these the one that has been waiting longest; 0: none. A fragment that was just left may still be on its
 * way, and is none yet; one that rests is none. Margins: lost clouds take the same from all segments, and are
 * left out. */
QC_MUST qc_rc gw_cat_mend_next(struct gw_cat *c, uint32_t cloud_id, uint64_t *ret, struct qc_err *err);
/* The segment's fragments on the cloud come to nothing now: they rest. In a transaction. */
QC_MUST qc_rc gw_cat_mend_rest(struct gw_cat *c, uint32_t cloud_id, uint64_t segment_id, struct qc_err *err);
/* Does any fragment of the cloud rest? */
QC_MUST qc_rc gw_cat_mend_rests(struct gw_cat *c, uint32_t cloud_id, bool *ret, struct qc_err *err);
/* Those that rest rest no more: some of them, *ret of them; 0: there are none. In a transaction. */
QC_MUST qc_rc gw_cat_mend_wake(struct gw_cat *c, uint32_t cloud_id, unsigned *ret, struct qc_err *err);
/* What is owed to one cloud. */
struct gw_owed {
    uint64_t fragments, records;
    int64_t since_s; /* wall clock of the oldest fragment; 0: none */
};
QC_MUST qc_rc gw_cat_owed(struct gw_cat *c, uint32_t cloud_id, struct gw_owed *ret, struct qc_err *err);

struct gw_dead_row {
    struct gw_segment seg; /* id, salt, incarnation, layout */
    uint32_t absent;       /* fragments seen absent in this round */
    unsigned round;
};
/* The next ledger row with id > after and fewer than rounds rounds; *ret_found. */
QC_MUST qc_rc gw_cat_dead_next(struct gw_cat *c, uint64_t after, unsigned rounds, struct gw_dead_row *ret,
                               bool *ret_found, struct qc_err *err);
/* If it is dead: swept from the beginning, for something may have landed since. */
QC_MUST qc_rc gw_cat_dead_again(struct gw_cat *c, uint64_t segment_id, struct qc_err *err);
QC_MUST qc_rc gw_cat_dead_put(struct gw_cat *c, uint64_t segment_id, uint32_t absent, unsigned round,
                              struct qc_err *err);

struct gw_counts {
    uint64_t objects, versions, bytes, debts, record_debts, open_uploads, dead_segments;
    unsigned margin_count;
    struct {
        int margin;
        uint64_t versions;
    } margins[GW_MARGIN_ROWS];
};
/* Numbers of versions that live, greater than `after`, ascending, at most max of them. */
QC_MUST qc_rc gw_cat_live_after(struct gw_cat *c, uint64_t after, uint64_t *nos, unsigned max,
                                unsigned *ret_count, struct qc_err *err);
/* What drills came to (cat_drill.c); put in a transaction. QC_INTEGRITY */
QC_MUST qc_rc gw_cat_drills_get(struct gw_cat *c, struct gw_drills *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_drills_put(struct gw_cat *c, const struct gw_drills *d, struct qc_err *err);
/* Wall clock: when the first version that lives was committed; 0: there is none. */
QC_MUST qc_rc gw_cat_oldest(struct gw_cat *c, int64_t *ret_s, struct qc_err *err);
QC_MUST qc_rc gw_cat_counts(struct gw_cat *c, struct gw_counts *ret, struct qc_err *err);

/* -- repair (cat_repair.c) ------------------------------------------------------------------------------- */

/* A segment of a live version: its margin as the rows have it, and what it would be with all fragments. */
struct gw_window_row {
    uint64_t id;
    int margin, full;
    uint32_t size;
    bool last; /* of its version */
};
enum { GW_WINDOW = 512 };
/* Those with from < id <= from + GW_WINDOW, ascending; rows: GW_WINDOW elements. Bounded work. */
QC_MUST qc_rc gw_cat_window(struct gw_cat *c, uint64_t from, struct gw_window_row *rows, unsigned *ret_count,
                            struct qc_err *err);
/* All segments that were written, of live versions and of uploads, and those that are about to take the place
 * of another one of a live version, or to be a new bundle's, in the same window. ids: GW_WINDOW elements. */
QC_MUST qc_rc gw_cat_window_all(struct gw_cat *c, uint64_t from, uint64_t *ids, unsigned *ret_count,
                                struct qc_err *err);
/* *ret: is the segment one of a live version? */
QC_MUST qc_rc gw_cat_segment_live(struct gw_cat *c, uint64_t id, bool *ret, struct qc_err *err);
/* *ret: is it one that was written, of a live version or of an upload? */
QC_MUST qc_rc gw_cat_segment_kept(struct gw_cat *c, uint64_t id, bool *ret, struct qc_err *err);
/* The fragment is good at this place, row->state and home included. In a transaction. */
QC_MUST qc_rc gw_cat_place(struct gw_cat *c, uint64_t segment_id, const struct gw_deviation_row *row,
                           struct qc_err *err);
/* The same, if it has no row or one of an earlier key; for a rebuild. */
QC_MUST qc_rc gw_cat_place_found(struct gw_cat *c, uint64_t segment_id, const struct gw_deviation_row *row,
                                 struct qc_err *err);
/* The fragment is good where its layout says: no row. In a transaction. */
QC_MUST qc_rc gw_cat_place_home(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct qc_err *err);

/* A key of one fragment. */
struct gw_frag_key {
    uint64_t segment_id;
    unsigned frag;
    uint32_t cloud_id, incarnation;
    uint8_t attempt;
};
/* The next attempt of a fragment that this incarnation has not used. QC_LIMIT: all are used. */
QC_MUST qc_rc gw_cat_attempt(struct gw_cat *c, uint64_t segment_id, unsigned frag, uint32_t incarnation,
                             uint8_t *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_trial_put(struct gw_cat *c, const struct gw_frag_key *key, struct qc_err *err);
QC_MUST qc_rc gw_cat_trial(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct gw_frag_key *ret,
                           bool *ret_found, struct qc_err *err);
QC_MUST qc_rc gw_cat_trial_drop(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct qc_err *err);

struct gw_dead_key {
    uint64_t no;
    struct gw_frag_key key;
    uint8_t salt[4]; /* first bytes of the segment's */
    unsigned round;
};
/* From now on the key is dead, whatever lies there; one that rested is swept again. In a transaction. */
QC_MUST qc_rc gw_cat_dead_key_add(struct gw_cat *c, const struct gw_frag_key *key, const uint8_t salt[4],
                                  struct qc_err *err);
/* Is it dead? */
QC_MUST qc_rc gw_cat_dead_key_is(struct gw_cat *c, const struct gw_frag_key *key, bool *ret,
                                 struct qc_err *err);
/* The next key with no > after whose rounds are not done; *ret_found. */
QC_MUST qc_rc gw_cat_dead_key_next(struct gw_cat *c, uint64_t after, struct gw_dead_key *ret, bool *ret_found,
                                   struct qc_err *err);
QC_MUST qc_rc gw_cat_dead_key_round(struct gw_cat *c, uint64_t no, unsigned round, struct qc_err *err);
/* All that is dead by now was swept: for a rebuild that knows so. In a transaction. */
QC_MUST qc_rc gw_cat_dead_swept(struct gw_cat *c, struct qc_err *err);
/* The ledger row of a dead segment. */
QC_MUST qc_rc gw_cat_dead_segment(struct gw_cat *c, uint64_t segment_id, struct gw_dead_row *ret,
                                  bool *ret_found, struct qc_err *err);

/* -- another code (cat_recode.c) --------------------------------------------------------------------------
 */

/* The window of gw_cat_window, of segments with another code than (k, n) alone. */
QC_MUST qc_rc gw_cat_other_code(struct gw_cat *c, uint64_t from, unsigned k, unsigned n,
                                struct gw_window_row *rows, unsigned *ret_count, struct qc_err *err);
/* How many of live versions have another code; their bytes. */
QC_MUST qc_rc gw_cat_other_code_count(struct gw_cat *c, unsigned k, unsigned n, uint64_t *ret,
                                      uint64_t *ret_bytes, struct qc_err *err);
/* What it takes to give them that code. */
struct gw_code_work {
    uint64_t segments, bytes;
    uint64_t k, n;        /* the sums of what they have now: fragments that are enough, that there are */
    uint64_t lying_bytes; /* about: of all these fragments */
    uint64_t piece_bytes; /* about: of one new fragment of each */
};
QC_MUST qc_rc gw_cat_other_code_work(struct gw_cat *c, unsigned k, unsigned n, struct gw_code_work *ret,
                                     struct qc_err *err);
/* How many of a tenant's. */
QC_MUST qc_rc gw_cat_tenant_other_code(struct gw_cat *c, uint32_t tenant, unsigned k, unsigned n,
                                       uint64_t *ret, struct qc_err *err);
/* The least n - k of all that is stored or on its way; it stays as it is where there is nothing. */
QC_MUST qc_rc gw_cat_least_m(struct gw_cat *c, unsigned *m, struct qc_err *err);
/* Is there one? Costs nothing where there is none. */
QC_MUST qc_rc gw_cat_other_code_any(struct gw_cat *c, unsigned k, unsigned n, bool *ret, struct qc_err *err);
/* The next segment after `after` that is reserved for a live version; 0: none. */
QC_MUST qc_rc gw_cat_reserved_live(struct gw_cat *c, uint64_t after, uint64_t *ret, struct qc_err *err);
/* The least k and the greatest n of all layouts; 0: there are none. */
QC_MUST qc_rc gw_cat_layout_bounds(struct gw_cat *c, unsigned *ret_k, unsigned *ret_n, struct qc_err *err);
/* A record of a segment that has another code (FORMAT 9.3). In a transaction. QC_INTEGRITY */
QC_MUST qc_rc gw_cat_apply_recoded(struct gw_cat *c, const struct gw_rec_recoded *r, struct qc_err *err);

/* -- other bundles (cat_repack.c) ------------------------------------------------------------------------ */

/* An N that lives in a bundle of which half or more is dead. */
struct gw_half_row {
    uint64_t no, holder, start, gone; /* gone: bytes of the bundle that are dead */
    uint32_t size;
    struct gw_id object, version;
};
/* The next vault after *at, which goes on, that has such bundles; *ret_found. */
QC_MUST qc_rc gw_cat_half_next(struct gw_cat *c, struct gw_ref *at, bool *ret_found, struct qc_err *err);
/* The first max of what lives in those that the vault has after the one numbered `past`, bundle by bundle, as
 * they lie there. */
QC_MUST qc_rc gw_cat_half_members(struct gw_cat *c, const struct gw_ref *vault, uint64_t past,
                                  struct gw_half_row *rows, unsigned max, unsigned *ret_count,
                                  struct qc_err *err);
/* A bundle that is yet to be, and counts as nobody's version. In a transaction. */
QC_MUST qc_rc gw_cat_repack_begin(struct gw_cat *c, const struct gw_version_row *v, uint64_t *ret_no,
                                  struct qc_err *err);
/* One that came to nothing, with its segment; size: of what may have been put. In a transaction. */
QC_MUST qc_rc gw_cat_repack_drop(struct gw_cat *c, uint64_t no, uint64_t segment_id, uint32_t size,
                                 struct qc_err *err);
/* One that is begun, and not decided; 0: none. */
QC_MUST qc_rc gw_cat_repack_left(struct gw_cat *c, uint64_t *ret_no, struct qc_err *err);
/* Bundles in which something is dead, and how many bytes that is. */
QC_MUST qc_rc gw_cat_bundles_gone(struct gw_cat *c, uint64_t *ret_count, uint64_t *ret_bytes,
                                  struct qc_err *err);
/* A record of N that lie in another bundle (FORMAT 9.3). In a transaction. QC_INTEGRITY */
QC_MUST qc_rc gw_cat_apply_repacked(struct gw_cat *c, const struct gw_rec_repacked *r, struct qc_err *err);

/* -- findings and scrub (cat_scrub.c) -------------------------------------------------------------------- */

/* The object is odd from now on, or still: in a transaction. What stands there for longest is forgotten when
 * there are too many. f->no, found, seen and ended are ignored. */
QC_MUST qc_rc gw_cat_finding_put(struct gw_cat *c, const struct gw_finding *f, struct qc_err *err);
/* It is as it should be, or gone. In a transaction. Nothing where none stands. */
QC_MUST qc_rc gw_cat_finding_end(struct gw_cat *c, uint32_t cloud_id, const char *key, struct qc_err *err);
/* At most max: of one cloud, those that stand and have a greater number than `at`, ascending; with cloud_id 0
 * the newest of all that have a smaller one (at 0: of all), descending. */
QC_MUST qc_rc gw_cat_findings(struct gw_cat *c, uint32_t cloud_id, uint64_t at, struct gw_finding *v,
                              unsigned max, unsigned *ret_count, struct qc_err *err);
/* Those that stand: called for each cloud and kind. */
typedef void (*gw_finding_count_fn)(void *ctx, uint32_t cloud_id, enum gw_finding_kind kind, uint64_t count);
QC_MUST qc_rc gw_cat_finding_counts(struct gw_cat *c, gw_finding_count_fn fn, void *ctx, struct qc_err *err);

/* A pass: the one under way, and the last that ended. */
struct gw_scrub_pass {
    int64_t began, ended; /* wall clock; ended 0: never, or not yet */
    uint64_t spent_ms, objects, bytes, found;
};
struct gw_scrub_row {
    uint32_t cloud_id;
    enum gw_depth depth;
    bool wanted;    /* by somebody, whether due or not, and no pass has begun since (gw_cat_scrub_want) */
    uint64_t pass;  /* number of the pass under way, or of the last */
    unsigned stage; /* of the pass under way; 0: none is */
    char at[CLOUD_KEY_SIZE_MAX + 1]; /* where it goes on: after this key .. */
    uint64_t next;                   /* .. after this segment, or log object */
    uint64_t upto, upto_log;         /* ids that had been given out when it began */
    struct gw_scrub_pass now, last;  /* now.began without a pass: of the last, or when the row was made;
                                        last.began before one has ended: when it was made */
};
/* *ret_found false: there is no row, and ret is empty but for cloud and depth. */
QC_MUST qc_rc gw_cat_scrub_get(struct gw_cat *c, uint32_t cloud_id, enum gw_depth depth,
                               struct gw_scrub_row *ret, bool *ret_found, struct qc_err *err);
/* Write the whole row but for `wanted`: who writes a page has read the row before somebody asked. In a
 * transaction. */
QC_MUST qc_rc gw_cat_scrub_put(struct gw_cat *c, const struct gw_scrub_row *row, struct qc_err *err);
/* Of a row that is there. In a transaction. */
QC_MUST qc_rc gw_cat_scrub_want(struct gw_cat *c, uint32_t cloud_id, enum gw_depth depth, bool wanted,
                                struct qc_err *err);
/* What a hand has set (cat_hand.c); put: in a transaction. */
QC_MUST qc_rc gw_cat_hand_get(struct gw_cat *c, struct gw_scrub_hand *ret, struct qc_err *err);
QC_MUST qc_rc gw_cat_hand_put(struct gw_cat *c, const struct gw_scrub_hand *h, struct qc_err *err);
/* What a listing of the cloud has shown, in chunks of a bitmap. In a transaction, but for get. */
QC_MUST qc_rc gw_cat_seen_put(struct gw_cat *c, uint32_t cloud_id, uint64_t chunk, qc_span bits,
                              struct qc_err *err);
/* The chunk after `after` (from -1 on), at most n bytes; *ret_chunk -1: there is none. */
QC_MUST qc_rc gw_cat_seen_get(struct gw_cat *c, uint32_t cloud_id, int64_t after, int64_t *ret_chunk,
                              uint8_t *ret, size_t n, struct qc_err *err);
QC_MUST qc_rc gw_cat_seen_drop(struct gw_cat *c, uint32_t cloud_id, struct qc_err *err);
/* Fragments of live versions on a cloud that are to be mended, debts apart; since when. */
QC_MUST qc_rc gw_cat_mend_count(struct gw_cat *c, uint32_t cloud_id, uint64_t *ret, int64_t *ret_since_s,
                                struct qc_err *err);

/* -- publish (cat_apply.c) ------------------------------------------------------------------------------- */

/*
 * What a log object says becomes visible: the same code for the batch that was just decided, for one that is
 * rolled forward, and for a rebuild (D10). Applying it twice changes nothing. In a transaction. Records of
 * configuration, clouds and bkeys are the caller's. QC_INTEGRITY  it contradicts what is there: a chain with
 * a gap, an entry number that is not the next
 *
 * now: of a batch that is published, for what its receipts say of the clouds; NULL: nobody waits for one.
 * Asked once for N in a row that lie in one bundle, whose rows are there: the receipt of the bundle, whose
 * put key is given. What it says of the clouds is in their rows then; rows of all others are the caller's to
 * finish.
 */
struct gw_publishing {
    qc_rc (*reached)(void *ctx, const struct gw_ref *bundle, struct gw_receipt *ret, struct qc_err *err);
    void *ctx;
};
QC_MUST qc_rc gw_cat_apply(struct gw_cat *c, const struct gw_log *l, const struct gw_publishing *now,
                           struct qc_err *err);
