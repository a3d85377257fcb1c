/* The storage engine: one function per call of docs/API.md. Layer 4; uses base, ec, ss, cloud. Keeps I1, I2,
 * I6. The daemon and the tests call this and nothing beneath it. States and orders of writes:
 * docs/ARCHITECTURE, "A put"; the head of gateway/commit.c has the drawing.
 *
 * Any number of threads. Calls block on disk and clouds, each within the limits of base/limits.h. After a
 * failed fsync of the catalogue the engine is *broken*: every call gives QC_IO until it is opened anew (the
 * disk says what stands; put keys tell the clients).
 *
 * A *fenced* engine (another incarnation took over, or the clouds know a later log than the catalogue)
 * answers QC_FENCED to everything but gw_engine_health, gw_engine_status and gw_engine_kit, for good.
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "cloud/validate.h"
#include "gateway/audit.h"
#include "gateway/drill.h"
#include "gateway/entry.h"
#include "gateway/fan.h"
#include "gateway/scrub.h"
#include "gateway/segment.h"
#include "gateway/snapshot.h"
#include "gateway/tenant.h"

struct gw_engine; /* opaque */

struct gw_engine_cloud {
    const char *name, *url;
    const char *credentials; /* where its keys are (cloud.h); NULL: none, or, in a rebuild, as before */
};

/* What a validation saw of a cloud (cloud/validate.h), in the caller's thread. */
typedef void (*gw_told_fn)(void *ctx, const char *cloud, const struct cloud_report *r);

struct gw_engine_setup {
    const struct gw_engine_cloud *clouds;
    unsigned count;
    unsigned k, n;   /* 0: n is the count, k = n - floor(n / 2), at least 1 parity from two clouds on */
    bool validate;   /* look whether each cloud is fit before anything is written there; programs: yes */
    gw_told_fn told; /* of each that was; or NULL */
    void *told_ctx;
};

/*
 * Make a gateway: root key, catalogue, identities on all clouds, root object of incarnation 1, log object 1.
 *   state_dir  made if missing, mode 0700
 * QC_CONFLICT  the state directory has a gateway already, or a cloud carries another catalogue's identity (it
 * is never overwritten), or holds other things; nothing was written then QC_USAGE     k, n, count, names,
 * URLs or the names of keys make no sense QC_UNFIT     a cloud is no place to keep anything: nothing is left
 * there QC_QUORUM    a cloud does not answer: all must, once; the same call again goes on where it stopped
 * QC_LOCKED, QC_RANDOM, QC_FULL, QC_AUTH, QC_IO, QC_NOMEM
 */
QC_MUST qc_rc gw_engine_init(const char *state_dir, const struct gw_engine_setup *setup, const qc_rng *rng,
                             struct qc_err *err);

/*
 * Open a gateway. Rolls a decided batch forward where the clouds allow it, and finishes an interrupted init.
 *   rng  borrowed, any thread; outlives the engine
 * QC_NOTCONF   nothing there; QC_LOCKED: another process has it (pid in the message)
 * QC_INTEGRITY, QC_FORMAT, QC_NEWER  the local files are damaged, or a newer program's
 * Absent clouds are no error. A newer root or log on the clouds is none either: the engine is fenced.
 */
QC_MUST qc_rc gw_engine_open(struct gw_engine **ret, const char *state_dir, const qc_rng *rng,
                             struct qc_err *err);
/* The same, with an audit log in that directory, which notes from then on what happens (gateway/audit.h). */
QC_MUST qc_rc gw_engine_open_audited(struct gw_engine **ret, const char *state_dir, const qc_rng *rng,
                                     const struct gw_audit_opts *audit, struct qc_err *err);
/* It; NULL: there is none. Until gw_engine_close. */
struct gw_audit *gw_engine_audit(struct gw_engine *e);
/* The source of randomness that it was opened with. */
qc_rng gw_engine_rng(const struct gw_engine *e);
/* Is there a gateway in the directory? QC_NOTCONF; nothing is written there, which may be the place where a
 * disk is not mounted. */
QC_MUST qc_rc gw_engine_there(const char *state_dir, struct qc_err *err);
/* The end is near: whatever waits for a cloud waits no more, and nothing is sent any more. What was decided
 * stays so. */
void gw_engine_hurry(struct gw_engine *e);
/* Waits for running commits; stuck clouds are left behind. */
void gw_engine_close(struct gw_engine **e);

/* Threads that pay what clouds are owed and mend what they lost, by turns (docs/adr/0014), and one that
 * scrubs (gateway/scrub.h), until the engine is closed. Once. QC_TEMP: no threads. */
QC_MUST qc_rc gw_engine_work(struct gw_engine *e, struct qc_err *err);
/* Housekeeping that waits for no request: aborted uploads swept; debts and scrub, where no threads do them.
 * Bounded work per call; *ret_more: there is more that can be done now, or is being done. */
QC_MUST qc_rc gw_engine_tidy(struct gw_engine *e, bool *ret_more, struct qc_err *err);

struct gw_health {
    struct gw_id catalogue;
    uint32_t incarnation;
    bool fenced;
    bool broken; /* nothing but opening it anew helps */
    bool over;   /* for another gateway on the same catalogue took this one for dead, or changed the clouds */
};
void gw_engine_health(struct gw_engine *e, struct gw_health *ret);

/* How the payment of a cloud's debts stands. */
struct gw_paying {
    uint64_t paid;        /* fragments and record copies, since the engine was opened */
    int64_t tried_s;      /* wall clock of the last try; 0: none */
    uint64_t next_ms;     /* until the next, if the last one failed; 0: it goes on, or nothing is owed */
    char why[GW_WHY_MAX]; /* the last one failed, and why; empty: it did not */
};
struct gw_cloud_status {
    struct gw_cloud_view view;
    unsigned at;                     /* its position in the fan */
    const char *name, *url;          /* until gw_engine_close */
    const struct cloud_tally *tally; /* what was asked of it since (cloud/tally.h); as long */
    int64_t free;                    /* bytes, -1: not known */
    uint64_t owed, records_owed;     /* fragments of live versions, record copies */
    int64_t owed_since_s;            /* wall clock of the oldest fragment's put; 0: none is owed */
    struct gw_paying paying;
    struct gw_scrub_cloud scrub; /* as its rows were counted */
};
enum { GW_MARGIN_ROWS = QC_EC_N_MAX + 2 };
/* The loss at once of all clouds with one label of a kind: all of one provider, say. A cloud without such a
 * label is lost by itself. */
struct gw_whole {
    unsigned labelled, unlabelled; /* clouds in use or draining; labelled 0: nothing else is told */
    unsigned count, most;          /* so many may be lost, the largest with so many clouds */
    uint32_t not_borne;            /* bit i: too few fragments of something are left without those that are
                                      lost with clouds[i], the first of them; 0: each loss is borne */
};
/* Bundles that are half dead or more (gateway/repack.c): what lives in them goes to others. */
struct gw_repack_view {
    uint64_t bundles, bytes;  /* in which something is dead, and how much that is; as rows were counted */
    uint64_t repacked, freed; /* since the process began: bundles that were made, bytes of N that died */
    char why[GW_WHY_MAX];     /* why the last one came to nothing, or to less; empty: it did not */
};
struct gw_status {
    struct gw_health health;
    unsigned k, n, write_quorum, record_quorum, cloud_count;
    unsigned needed; /* clouds: any so many hold k fragments of whatever has its full margin */
    struct gw_cloud_status clouds[QC_GW_CLOUDS_MAX];
    uint64_t objects, versions, bytes;
    unsigned margin_count; /* rows, ascending margin */
    struct {
        int margin;
        uint64_t versions;
    } margins[GW_MARGIN_ROWS];
    struct gw_whole wholes[GW_LABELS]; /* index is enum gw_domain - 1 */
    uint64_t debts, record_debts, log_sequence, open_uploads, dead_segments;
    uint64_t other_code;           /* segments that have another code than new ones get (gateway/recode.c) */
    struct gw_repack_view repack;  /* what is dead in bundles */
    bool paying;                   /* threads pay debts */
    int64_t observed_s, counted_s; /* wall clock: when clouds were asked, and rows counted */
    struct gw_drills drills;       /* of the gateway itself */
    int64_t oldest_s;              /* wall clock: the first version that lives; 0: none does */
    uint64_t catalogue_bytes;      /* on this machine's disk; 0: not known */
    struct gw_snapshot_view snapshot;    /* as counted */
    unsigned root_threshold, root_count; /* 0 of 0: the root key is off the clouds */
    uint64_t read_faults[QC_GW_CLOUDS_MAX][GW_FAULT_LOST + 1];
    char fenced_why[GW_WHY_MAX];
};
/*
 * The parts of a status; each writes what it knows, and leaves the rest of ret, {0} before the first.
 *   look     what this process knows by itself: health, coding, clouds as requests left them, payments.
 *            Microseconds
 *   ask      the clouds, in parallel, with a short deadline: two requests to each; and look
 *   counts   the catalogue's rows, for clouds that are known already: a second for a million versions, in
 * which commits wait
 */
void gw_engine_look(struct gw_engine *e, struct gw_status *ret);
QC_MUST qc_rc gw_engine_ask(struct gw_engine *e, struct gw_status *ret, struct qc_err *err);
QC_MUST qc_rc gw_engine_counts(struct gw_engine *e, struct gw_status *ret, struct qc_err *err);
/* Reads one row of the catalogue, for whoever asks whether it answers. QC_IO: its disk failed. */
QC_MUST qc_rc gw_engine_alive(struct gw_engine *e, struct qc_err *err);
/* Clouds that are not well are asked now, and whoever did not take what it is owed gets it again now, where
 * threads pay (gw_engine_work). QC_FENCED, QC_NOMEM */
QC_MUST qc_rc gw_engine_debts_retry(struct gw_engine *e, struct qc_err *err);
/* Look and ask, into a ret that is written whole: no row of the catalogue is counted. */
QC_MUST qc_rc gw_engine_clouds(struct gw_engine *e, struct gw_status *ret, struct qc_err *err);
/* All three. */
QC_MUST qc_rc gw_engine_status(struct gw_engine *e, struct gw_status *ret, struct qc_err *err);

/* What is lost as a whole with clouds[i], and maybe others: the label of that kind, or its own name. */
const char *gw_whole_name(const struct gw_status *s, enum gw_domain kind, unsigned i);

/* -- vaults ---------------------------------------------------------------------------------------------- */

/* *ret_new: it was not there. QC_CONFLICT: other bytes are. QC_FORMAT: not a vault record of that id.
 * QC_QUORUM: not on enough clouds yet; the same call again. QC_QUOTA: as many vaults as a tenant may have;
 * QC_LIMIT: as a gateway may. */
QC_MUST qc_rc gw_vault_put(struct gw_engine *e, const struct gw_ref *vault, qc_span record, qc_span backup,
                           bool *ret_new, struct qc_err *err);
struct gw_vault {
    qc_buf record, backup;
    struct gw_head head;
};
void gw_vault_done(struct gw_vault *v);
QC_MUST qc_rc gw_vault_get(struct gw_engine *e, const struct gw_ref *vault, struct gw_vault *ret,
                           struct qc_err *err);
typedef qc_rc (*gw_vault_fn)(void *ctx, const struct gw_id *vault, struct qc_err *err);
/* Those of a tenant, by ascending id. */
QC_MUST qc_rc gw_vault_list(struct gw_engine *e, uint32_t tenant, gw_vault_fn fn, void *ctx,
                            struct qc_err *err);
/* Seals from+1.. of the chain, at most limit (1..QC_GW_CHAIN_MAX): GW_DIGEST_BYTES each, appended. */
QC_MUST qc_rc gw_vault_chain(struct gw_engine *e, const struct gw_ref *vault, uint64_t from, uint64_t limit,
                             struct gw_head *ret_head, qc_buf *ret_seals, struct qc_err *err);

/* -- entries --------------------------------------------------------------------------------------------- */

/* gw_entry_row_done it. QC_NOTFOUND: this path never existed. */
QC_MUST qc_rc gw_entry_get(struct gw_engine *e, const struct gw_ref *vault, qc_span path,
                           struct gw_entry_row *ret, struct qc_err *err);
/* Of many paths, into ret[count], which are zeros before: where a path never existed its row stays so. They
 * are the caller's also after a failure. QC_NOTFOUND: the vault is unknown. */
QC_MUST qc_rc gw_entry_some(struct gw_engine *e, const struct gw_ref *vault, const qc_span *paths,
                            size_t count, struct gw_entry_row *ret, struct qc_err *err);
struct gw_entry_query {
    qc_span prefix; /* empty: all */
    bool has_after;
    qc_span after;
    unsigned limit; /* 1..QC_GW_LIST_MAX */
    bool tombstones;
};
/* Called for each entry in ascending order of path bytes. Anything but QC_OK ends the list with that code. */
typedef qc_rc (*gw_entry_fn)(void *ctx, const struct gw_entry_row *row, struct qc_err *err);
QC_MUST qc_rc gw_entry_list(struct gw_engine *e, const struct gw_ref *vault, const struct gw_entry_query *q,
                            gw_entry_fn fn, void *ctx, bool *ret_more, struct qc_err *err);
/* Leave a tombstone. QC_CONFLICT: number is not the current one + 1, or the put key did something else. */
QC_MUST qc_rc gw_entry_remove(struct gw_engine *e, const struct gw_ref *vault,
                              const struct gw_entry *tombstone, const struct gw_id *put_key,
                              struct gw_receipt *ret, struct qc_err *err);

/* -- uploads --------------------------------------------------------------------------------------------- */

struct gw_upload {
    struct gw_id put_key, vault, object, version;
    uint64_t base;        /* a hint, for the fragments' heads */
    uint64_t path_number; /* as base */
    uint32_t tenant;
};
/* Durable intent. *ret_new: false when this very upload is known and open. QC_CONFLICT, QC_NOTFOUND (vault),
 * QC_QUOTA (as many bytes, versions or open uploads as the tenant may have), QC_LIMIT (as a gateway may). */
QC_MUST qc_rc gw_upload_begin(struct gw_engine *e, const struct gw_upload *u, bool *ret_new,
                              struct qc_err *err);

struct gw_segment_put {
    struct gw_id put_key;
    uint32_t seq;
    bool last;
    uint32_t run;  /* 0, or what gw_upload_resume said last */
    uint32_t size; /* bytes in the unit */
    uint32_t tenant;
    bool hasty; /* enough that the write quorum has it: the others follow */
};
struct gw_segment_receipt {
    unsigned durable, n, owed_count;
    uint32_t owed[QC_EC_N_MAX]; /* cloud ids */
    unsigned following_count;
    uint32_t following[QC_EC_N_MAX]; /* not waited for */
    unsigned took_count;
    uint32_t took[QC_EC_N_MAX]; /* durable there */
};
/* Where a segment of so many bytes goes (gw_unit_add); gw_unit_done it. QC_TEMP: all units that the tenant
 * may have are in use until the deadline. */
QC_MUST qc_rc gw_engine_unit(struct gw_engine *e, uint32_t tenant, uint32_t size, qc_deadline deadline,
                             struct gw_unit **ret, struct qc_err *err);
/* Does some request wait for one? */
bool gw_engine_units_wanted(struct gw_engine *e);
/* QC_QUORUM: fewer than the write quorum are durable; what is will be swept. QC_NOTFOUND: no such upload;
 * QC_CONFLICT: it is not open; QC_QUOTA: the tenant's bytes; QC_TEMP: what it gave up is not swept yet. */
QC_MUST qc_rc gw_upload_segment(struct gw_engine *e, const struct gw_segment_put *p, struct gw_unit *u,
                                struct gw_segment_receipt *ret, struct qc_err *err);

struct gw_upload_commit {
    struct gw_id put_key, vault;
    struct gw_entry entry;
    uint32_t segments, run;
    qc_span backup;
    uint32_t tenant;
    bool hasty; /* as of its segments */
};
/* QC_CONFLICT: the entry's number is not the current one + 1, or the upload was cancelled; QC_USAGE: segments
 * are missing or their sizes do not add up; QC_QUORUM: not evident on enough clouds yet (the same call
 * again). */
QC_MUST qc_rc gw_upload_commit(struct gw_engine *e, const struct gw_upload_commit *c, struct gw_receipt *ret,
                               struct qc_err *err);

/* One of many N that lie one after the other in the segments of one upload, the bundle: each a version of its
 * own, of the bundle's vault, under its own put key, from `start` on. */
struct gw_upload_member {
    struct gw_id put_key;
    struct gw_entry entry;
    uint64_t start;
    qc_span backup;
    qc_rc rc;                  /* out */
    struct gw_receipt receipt; /* out, with QC_OK */
    struct qc_err err;         /* out, else */
};
struct gw_upload_bundle {
    struct gw_id put_key, vault; /* of the bundle's upload */
    uint32_t segments;
    uint32_t tenant;
    bool hasty;
    struct gw_upload_member *members;
    unsigned count; /* 1..QC_GW_BATCH_CHANGES_MAX */
};
/* QC_OK: each member has its outcome, as of gw_upload_commit; those that are refused take no other with them.
 * The bundle's own upload is live with the first that is; where none is it stays open. Again: the same. */
QC_MUST qc_rc gw_upload_commit_bundle(struct gw_engine *e, const struct gw_upload_bundle *b,
                                      struct qc_err *err);

/* A segment that comes: from when its request is here until it is answered. Zero: none. Whoever asks has it
 * in his own memory, where it stays meanwhile. */
struct gw_arrivals;
struct gw_arrival {
    struct gw_arrivals *of;
    struct gw_arrival *next;
    struct gw_ref put_key;
    uint64_t moved_ms; /* bytes came last */
    bool whole;        /* all of it is here: it will be durable, whatever becomes of its sender */
};
void gw_arrival_begin(struct gw_engine *e, struct gw_arrival *s, const struct gw_ref *put_key);
/* Bytes of it came; whole: the last of them. Nothing where it is none. */
void gw_arrival_moves(struct gw_arrival *s, bool whole);
void gw_arrival_end(struct gw_arrival *s);

struct gw_resumed {
    uint32_t run;      /* of all that follows */
    uint32_t segments; /* 0 .. segments-1 are durable, and all that there is */
    uint64_t bytes;    /* in them */
};
/* An open upload goes on: a new run begins, with at most so many segments, none of them the last. Segments
 * that an earlier run has on their way are waited for, while they come (QC_GW_ARRIVAL_MS at most); what it
 * sends after that counts no more, its commit included. QC_NOTFOUND: no such upload; QC_CONFLICT:
 * it is not open. */
QC_MUST qc_rc gw_upload_resume(struct gw_engine *e, const struct gw_ref *put_key, uint32_t most,
                               struct gw_resumed *ret, struct qc_err *err);

/* An entry that shall lie under another path of its vault: the same version, sealed for there. */
struct gw_rename {
    struct gw_id put_key;
    struct gw_tomb away; /* of the old path: number is the entry's + 1 */
    struct gw_entry e;   /* at the new path: number is that path's until now + 1 */
    qc_rc rc;            /* out. QC_OK: both are so; else neither is. QC_NOTFOUND: nothing is at the old path;
                          * QC_CONFLICT: one of the two numbers is another one by now, or the version is */
    struct gw_receipt receipt; /* out, with QC_OK: of the entry; the tombstone's chain is one less */
    struct qc_err err;         /* out, else */
};
/* 1..QC_GW_BATCH_CHANGES_MAX, in one log object as far as they fit and have no path in common. QC_OK: each
 * has its outcome, and one that is refused takes no other with it. Again: the same, by put key. */
QC_MUST qc_rc gw_entries_rename(struct gw_engine *e, const struct gw_ref *vault, struct gw_rename *v,
                                unsigned count, struct qc_err *err);

/* The vault of an upload (the API's commit call names the put key alone). QC_NOTFOUND: no such upload. */
QC_MUST qc_rc gw_upload_vault(struct gw_engine *e, const struct gw_ref *put_key, struct gw_id *ret,
                              struct qc_err *err);

enum gw_upload_state {
    GW_UPLOAD_UNKNOWN,
    GW_UPLOAD_OPEN,
    GW_UPLOAD_CANCELLED,
    GW_UPLOAD_DECIDED,
    GW_UPLOAD_LIVE
};
const char *gw_upload_state_name(enum gw_upload_state s);
/* ret_receipt is written when the state is live. */
QC_MUST qc_rc gw_upload_get(struct gw_engine *e, const struct gw_ref *put_key, enum gw_upload_state *ret,
                            struct gw_receipt *ret_receipt, struct qc_err *err);
/* How an upload fares on each cloud, by what this gateway has heard since it began (going.h). */
struct gw_progress_cloud {
    uint32_t cloud_id;
    uint32_t durable, failed; /* fragments of segments whose writing has ended */
    uint32_t tries;           /* writes that failed since the last one that did not */
    uint64_t bytes;           /* in durable ones */
    bool writing;             /* some are on their way */
    char why[GW_WHY_MAX];     /* of the last failure */
};
struct gw_progress {
    uint32_t segments; /* that count */
    unsigned count;
    struct gw_progress_cloud v[QC_GW_CLOUDS_MAX];
};
const char *gw_progress_state(const struct gw_progress_cloud *c); /* "ok", "writing", "retrying", "failed" */
/* QC_NOTFOUND: nothing of it was heard, or so many others since that it was forgotten. */
QC_MUST qc_rc gw_upload_progress(struct gw_engine *e, const struct gw_ref *put_key, struct gw_progress *ret,
                                 struct qc_err *err);
/* Durable, also for an unknown key. QC_CONFLICT: decided or live; then *ret_receipt is written if it is live.
 */
QC_MUST qc_rc gw_upload_cancel(struct gw_engine *e, const struct gw_ref *put_key,
                               enum gw_upload_state *ret_state, struct gw_receipt *ret_receipt,
                               struct qc_err *err);

/* -- versions -------------------------------------------------------------------------------------------- */

struct gw_version_ids {
    struct gw_id vault, object, version;
    uint32_t tenant;
};
struct gw_version_info {
    uint64_t size;
    unsigned k, n;
    bool old; /* its path points at another one, or at none */
    int acked_margin, margin;
    int64_t kept_s;    /* it is not purged before then; 0: at any time */
    int64_t written_s; /* wall clock: committed; every fragment that counted was durable then */
    /* The oldest of the observations behind the margin (presence, content): when the last whole pass over a
     * cloud began that has some of it. written_s: none that began later has ended on some cloud. */
    int64_t seen_s[GW_DEPTHS];
    uint64_t segments;
    unsigned cloud_count;
    struct {
        uint32_t cloud_id;
        uint64_t fragments, missing, bytes;
    } clouds[QC_GW_CLOUDS_MAX];
};
QC_MUST qc_rc gw_version_info(struct gw_engine *e, const struct gw_version_ids *ids,
                              struct gw_version_info *ret, struct qc_err *err);
/* B, appended to ret. QC_NOTFOUND, QC_INTEGRITY. */
QC_MUST qc_rc gw_version_backup(struct gw_engine *e, const struct gw_version_ids *ids, qc_buf *ret,
                                struct qc_err *err);

/* B in the place of the one that is there. Version zeros, and as object the vault's id: the vault's. */
struct gw_new_backup {
    struct gw_id object, version;
    qc_span backup; /* borrowed */
};
/* 1..QC_GW_BATCH_CHANGES_MAX of one vault, all or none; on the record quorum, and visible, on return. Again:
 * nothing is changed. QC_NOTFOUND: no such vault or version; QC_CONFLICT: an earlier generation, the same
 * with other bytes, one beyond the vault's, or of the vault not the next one; QC_USAGE: not B of that
 * version, or a version twice. */
QC_MUST qc_rc gw_backups_replace(struct gw_engine *e, const struct gw_ref *vault,
                                 const struct gw_new_backup *backups, unsigned count, struct qc_err *err);

/* Versions that shall be gone for good: their fragments, and B. What a purged version has read is not taken
 * back; a read that is under way may break off. */
struct gw_purge {
    struct gw_version_ids ids;
    qc_rc rc;          /* out: QC_OK: it is gone, now or before; QC_NOTFOUND: it never was in this vault;
                        * QC_CONFLICT: a name points at it, or it is not published yet; QC_AUTH: it is
                        * kept until a date */
    struct qc_err err; /* out, where rc is not QC_OK */
    uint64_t until;    /* out, of gw_versions_retain */
};
/* In one record as far as they are not refused: QC_OK: each has its outcome. QC_USAGE: count is not
 * 1..QC_GW_BATCH_CHANGES_MAX; else as gw_upload_commit: nothing is known of those whose rc is QC_OK, and the
 * same call again is right. */
QC_MUST qc_rc gw_versions_purge(struct gw_engine *e, struct gw_purge *v, unsigned count, struct qc_err *err);
#define GW_RETAIN_MAX INT64_C(253402300799) /* the last second of the year 9999 */
/* Kept until then, at least (seconds since 1970): no purge before it, by what the gateway knows of time at
 * its most cautious. A later date that a version has stays: v.until. Each has its outcome: QC_NOTFOUND.
 * QC_USAGE: by that time the date has come. */
QC_MUST qc_rc gw_versions_retain(struct gw_engine *e, struct gw_purge *v, unsigned count, uint64_t until,
                                 struct qc_err *err);
/* A look at the time, for what is kept: now and then, while it runs. */
QC_MUST qc_rc gw_engine_time(struct gw_engine *e, struct qc_err *err);

/* Reading a version that may be purged meanwhile: QC_NOTFOUND then. One thread at a time. */
struct gw_reader;
/* request: remembers faults under this id ("" for none); copied. *ret_size: bytes of N. */
QC_MUST qc_rc gw_reader_open(struct gw_engine *e, const struct gw_version_ids *ids, const char *request,
                             struct gw_reader **ret, uint64_t *ret_size, struct qc_err *err);
/* Bytes from off on, verified: at least 1, at most max; to is where the reader's caller will stop (nothing
 * beyond it is fetched). off < to <= size (asserted). QC_QUORUM, QC_INTEGRITY, QC_TEMP, ... as
 * gw_segment_read. */
QC_MUST qc_rc gw_reader_read(struct gw_reader *r, uint64_t off, uint64_t to, uint8_t *dst, size_t max,
                             size_t *ret_got, struct qc_err *err);
/* The fragments of these clouds (gw_engine_clouds_named) are not asked for, as if the clouds were lost: for
 * drills. */
void gw_reader_withhold(struct gw_reader *r, uint32_t clouds);
void gw_reader_close(struct gw_reader **r);
/* All of several versions, 1..QC_GW_BATCH_CHANGES_MAX of one tenant, one behind the other; as a reader of
 * each, but that they are looked up in one look at the catalogue. QC_LIMIT: more bytes than *to may have.
 * After an error what *to has is not to be used. */
QC_MUST qc_rc gw_read_some(struct gw_engine *e, const struct gw_version_ids *ids, size_t count,
                           const char *request, qc_buf *to, struct qc_err *err);

/* -- requests -------------------------------------------------------------------------------------------- */

struct gw_request_fault {
    uint32_t cloud_id;
    enum gw_fault_kind kind;
    uint64_t count;
    char key[GW_NAME_SIZE]; /* the last one */
};
enum { GW_REQUEST_FAULTS = 2 * QC_GW_CLOUDS_MAX };
struct gw_request {
    unsigned count;
    struct gw_request_fault faults[GW_REQUEST_FAULTS];
    qc_rc rc; /* QC_OK: no error */
    char message[QC_ERR_MSG_MAX];
};
/* What went wrong beneath a request of a tenant: QC_GW_REQUESTS_MAX ids are kept, in memory; where there are
 * more, the tenant with the most loses its oldest. QC_NOTFOUND. */
QC_MUST qc_rc gw_request_get(struct gw_engine *e, uint32_t tenant, const char *id, struct gw_request *ret,
                             struct qc_err *err);
/* Note an error for a request whose answer was already on its way. */
void gw_request_error(struct gw_engine *e, uint32_t tenant, const char *id, const struct qc_err *why);

/* -- dead keys ------------------------------------------------------------------------------------------- */

/* A key that housekeeping will delete as soon as its cloud lets it: nothing lives under it, by positive
 * knowledge (durability D5). */
struct gw_dead {
    const char *cloud; /* its name */
    bool away;         /* and it is not asked now */
    bool replaced;     /* a repair wrote the fragment elsewhere; else its put was given up */
    uint64_t bytes;    /* of the fragment; 0: not known */
    char key[GW_NAME_SIZE];
};
typedef qc_rc (*gw_dead_fn)(void *ctx, const struct gw_dead *d, struct qc_err *err);
/* All that a sweep would delete, segment by segment; no cloud is asked, nothing is changed. What was seen to
 * be gone is left out. Anything but QC_OK from fn ends it with that code. */
QC_MUST qc_rc gw_engine_dead(struct gw_engine *e, gw_dead_fn fn, void *ctx, struct qc_err *err);

/* -- for the operator ------------------------------------------------------------------------------------ */

/* FORMAT 9.5, in secret memory. */
QC_MUST qc_rc gw_engine_kit(struct gw_engine *e, qc_key **ret, struct qc_err *err);
bool gw_engine_has_cloud(struct gw_engine *e, const char *name);
/* The name of a cloud by its id; "?" when there is none such. */
const char *gw_engine_cloud_name(struct gw_engine *e, uint32_t cloud_id);
/* "NAME,NAME": as a set for gw_reader_withhold. QC_NOTFOUND: no cloud of that name. */
QC_MUST qc_rc gw_engine_clouds_named(struct gw_engine *e, const char *names, uint32_t *ret,
                                     struct qc_err *err);
/* Why it lacks what was written last, as far as that is known: "" when it is not. */
void gw_engine_cloud_why(struct gw_engine *e, uint32_t cloud_id, char ret[GW_WHY_MAX]);
