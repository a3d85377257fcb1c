/* The engine's object, for the files that implement gateway/engine.h. */
#pragma once
#include <inttypes.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "bundles.h"
#include "catalogue.h"
#include "commit.h"
#include "arrival.h"
#include "going.h"
#include "gateway/engine.h"
#include "gateway/env.h"
#include "gateway/place.h"
#include "gateway/probe.h"
#include "gateway/scrub.h"
#include "gateway/snapshot.h"
#include "throttle.h"
#include "shares.h"
#include "state.h"
#include "turns.h"
#include "ways.h"
#include "witness.h"

/* A fragment that a read found missing or damaged: looked at again before it counts as such. */
struct gw_suspect {
    uint64_t segment_id;
    uint8_t index;
    uint32_t cloud_id;
    enum gw_fault_kind kind;
    char key[GW_NAME_SIZE];
};

struct gw_remembered {
    uint32_t tenant;
    char id[QC_GW_REQUEST_ID_MAX + 1];
    uint64_t stamp; /* of the last use; 0: free */
    struct gw_request request;
};

/* What is paid to one cloud: whoever has its turn owns it. */
struct gw_payee {
    uint64_t record;  /* after which the debts go on; 0: from the oldest */
    bool passed;      /* a record was passed over since */
    bool rested;      /* a segment came to nothing since all were tried */
    unsigned paid;    /* since it was heard that nobody took over */
    unsigned rounds;  /* in a row that left something, and paid nothing */
    uint64_t wake_ms; /* what rests is tried again then */
    unsigned backs;   /* gw_payers.backs, as of the last round */
};
/* The payment of debts. */
struct gw_payers {
    struct gw_payee payees[QC_GW_CLOUDS_MAX]; /* by position */
    struct qc_cancel cancel;
    atomic_uint backs;    /* how often a cloud came back: what came to nothing is worth another try */
    pthread_mutex_t lock; /* guards all below; none is taken under it */
    pthread_cond_t wake;
    struct gw_turns turns;
    struct gw_paying seen[QC_GW_CLOUDS_MAX]; /* for status */
    bool stop;
    unsigned count; /* threads; 0: none was started */
    pthread_t threads[QC_GW_PAYERS];
};

/* A pass of the scrub, as far as it is not in the catalogue. */
struct gw_scrub_rest {
    uint64_t until_ms; /* not worked on before */
    unsigned failures;
    uint64_t paged_ms; /* the end of its last page; 0: none in this process */
    char why[GW_WHY_MAX];
};
/* The scrub (scrub.c, scrubber.c). One page at a time: whoever has `busy`. */
struct gw_scrubs {
    struct gw_scrub_conf conf;
    struct qc_cancel cancel;
    struct gw_seen *seen; /* what a listing has shown; of whoever is busy */
    pthread_mutex_t lock; /* guards all below; none is taken under it */
    pthread_cond_t wake;
    struct gw_throttle pace;
    struct gw_scrub_hand hand;                               /* as it was read last */
    struct gw_scrub_rest rests[QC_GW_CLOUDS_MAX][GW_DEPTHS]; /* by position */
    unsigned turn;                                           /* whose page was the last */
    bool busy, stop, news;
    bool threaded;
    pthread_t thread;
};

/* Snapshots (snapshot.c): whoever has `busy` owns what no lock guards. */
enum gw_snap_stage { GW_SNAP_RESTS, GW_SNAP_GATHER, GW_SNAP_NOTES, GW_SNAP_HEAL, GW_SNAP_SWEEP };
struct gw_snap_at {
    uint32_t incarnation, serial;
};
struct gw_snaps {
    struct gw_snapshot_conf conf;
    enum gw_snap_stage stage;
    bool wanted;
    qc_buf text;          /* of the pack that is being gathered */
    uint64_t first, next; /* of it; the next log object */
    uint64_t packed;      /* as it was when this one began */
    uint64_t target;      /* the last log object that goes in .. */
    uint64_t upto;        /* .. and this is the last of those that are being gathered */
    bool healing;         /* they are a pack's that lacks pieces */
    unsigned present;     /* HEAL: pieces that it has */
    uint32_t heal_upto;   /* HEAL: serials of this incarnation up to this one */
    struct gw_snap_at at; /* HEAL, SWEEP: the last row looked at */
    uint64_t until_ms;    /* not looked at before */
    unsigned failures;    /* in a row */
    bool failed;          /* the one under way, which is swept */
    pthread_mutex_t lock; /* guards all below; none is taken under it */
    bool busy;
    int64_t tried_s;
    char why[GW_WHY_MAX];
};

/* Half dead bundles (repack.c): whoever has `busy` owns what follows it. */
struct gw_repacks {
    atomic_bool busy;
    struct gw_ref at;      /* the vault after which the next look begins */
    struct gw_ref past_of; /* of this vault, bundles up to the one numbered `past` have had their turn: */
    uint64_t past;         /* one could not be read. 0: none */
    unsigned rounds;       /* of all vaults, with such a bundle, since something was moved last */
    uint64_t until_ms;     /* not before */
    unsigned failures;     /* in a row */
    pthread_mutex_t lock;  /* guards all below; none is taken under it */
    struct gw_repack_view view;
};

/* The thread that watches other gateways on the same catalogue (attend.c). */
struct gw_attendant {
    pthread_mutex_t lock; /* guards all below but holds; none is taken under it */
    pthread_cond_t wake;
    bool stop, runs;
    pthread_t thread;
    pthread_mutex_t hold_lock; /* guards those below; the catalogue's is taken under it */
    unsigned holds;            /* who hold the others */
    bool held;                 /* they were held: the row may say so still */
};
enum { GW_MENDERS = QC_GW_PAYERS + 2 + QC_GW_RECODE_BATCH };

/* A segment of which a put wants no more, and the catalogue could not be told. */
struct gw_undropped {
    uint64_t id;
    uint32_t size;
};

struct gw_engine {
    struct gw_state state;
    struct gw_cat *cat;
    struct gw_root *root;
    struct gw_fan *fan;
    struct gw_store *store;
    const qc_rng *rng;
    struct gw_config conf; /* as at the opening; life is not followed */
    uint64_t
        first_segment;   /* ids below it were reserved before this opening, and may have been written (U2) */
    uint32_t segment_ms; /* QC_GW_SEGMENT_MS; a test has less patience */
    uint32_t bkey_epoch;
    struct qc_prk *bkey;
    struct gw_commits commits;
    struct gw_payers payers;
    struct gw_attendant attendant;
    struct gw_scrubs scrubs;
    struct gw_snaps snaps;
    struct gw_repacks repacks;
    const struct gw_env *env;
    struct gw_audit *audit; /* NULL: none */
    uint64_t shares_due_ms; /* housekeeping's: not before */

    struct gw_bundles bundles;
    struct gw_goings goings;
    struct gw_arrivals arrivals;

    atomic_bool fenced;
    _Atomic uint64_t time_seen_ms; /* tidy.c */
    atomic_bool keeps;             /* debts, repair, sweep, adoption: one gateway's of those on a catalogue */
    atomic_bool repairing;         /* one repair at a time */
    atomic_bool moving;            /* clouds come or go: one at a time (move.h) */
    atomic_uint_least64_t moved_per_s; /* bytes, in the last move */
    _Atomic(enum gw_domain) domain;    /* what fails together */
    atomic_bool tenants_stale;         /* a change of a tenant was published: the catalogue knows better */
    atomic_bool tip_checked;           /* enough clouds were seen to know no later log than ours */

    uint8_t
        told[QC_GW_CLOUDS_MAX]; /* under the catalogue's lock: state + 1 that it was told of; 0: none yet */

    pthread_mutex_t lock; /* guards all below; none is taken under it */
    char fenced_why[GW_WHY_MAX];
    uint64_t busy[QC_GW_BUSY_MAX]; /* segment ids that a put works on: not handed out, not swept */
    unsigned busy_count;
    struct gw_undropped undropped[QC_GW_BUSY_MAX]; /* of the busy */
    atomic_uint undropped_count;                   /* written under the lock */
    uint64_t mending[GW_MENDERS]; /* segments that a repair, a move or a payer works on; 0: none */
    uint64_t read_faults[QC_GW_CLOUDS_MAX][GW_FAULT_LOST + 1];
    struct gw_suspect suspects[QC_GW_SUSPECTS_MAX];
    unsigned suspect_count;
    struct gw_remembered remembered[QC_GW_REQUESTS_MAX];
    uint64_t stamp;
    uint64_t swept, swept_keys; /* dead segment, dead key after which the sweep goes on */
    struct gw_tenant *tenants;  /* QC_GW_TENANTS_MAX rows, by id: what the catalogue has, for each request */
    unsigned tenant_count;
};

/* QC_FENCED when the engine is. */
QC_MUST qc_rc gw_engine_may(struct gw_engine *e, struct qc_err *err);
/* From now on, and after every later opening. */
void gw_engine_fence(struct gw_engine *e, const char *why);
/* Clouds that count: in use, or draining. */
unsigned gw_engine_count(const struct gw_engine *e);
/* How a row's cloud is asked. way may be NULL; strings are borrowed. */
struct gw_cloud_conf gw_engine_conf_of(const struct gw_cloud_row *row, const struct gw_way *way);
/* Clouds that a rebuild or a check needs: any so many meet every record. */
unsigned gw_engine_need(const struct gw_engine *e);
/* Is the cloud one in use? */
bool gw_takes_new(struct gw_engine *e, uint32_t cloud_id);
/* Does the cloud fail together with one of `others`? */
bool gw_fails_with(struct gw_engine *e, uint32_t cloud_id, gw_clouds others);
/* One of `may` that is in use and does not fail together with one of `others`: `prefer`, if it is such a one;
 * else by weight. *ret 0: there is none. */
QC_MUST qc_rc gw_spare_cloud(struct gw_engine *e, gw_clouds may, gw_clouds others, uint32_t prefer,
                             uint32_t *ret, struct qc_err *err);
/* Under the catalogue's lock: clouds for a segment of the code that new ones have. QC_QUORUM */
QC_MUST qc_rc gw_choose_layout(struct gw_engine *e, struct gw_log_layout *ret, struct qc_err *err);
/* Clouds that new fragments may go to, with their domains. Returns how many there are. */
unsigned gw_engine_candidates(struct gw_engine *e, struct gw_candidate ret[QC_GW_CLOUDS_MAX]);
/* The catalogue's margins follow what the fan knows of lost clouds. */
/* Under the catalogue's lock: s->wholes, for the clouds that s knows. Bounded by the segments that do not lie
 * as their layout says; nothing is asked where no cloud has a label. */
QC_MUST qc_rc gw_wholes(struct gw_engine *e, struct gw_status *s, struct qc_err *err);
QC_MUST qc_rc gw_engine_sync_lost(struct gw_engine *e, struct qc_err *err);
/* Ask the clouds for newer roots and logs; fences. QC_FENCED; QC_QUORUM: too few answer to be sure. */
QC_MUST qc_rc gw_engine_check_tip(struct gw_engine *e, qc_deadline deadline, struct qc_err *err);
/* The same, while commits may run; nothing where it was done before. */
QC_MUST qc_rc gw_engine_be_sure(struct gw_engine *e, struct qc_err *err);
/* Ask clouds who they are and whether another gateway took over; sets their states, fences. QC_FENCED. */
QC_MUST qc_rc gw_engine_hear(struct gw_engine *e, gw_clouds set, qc_deadline deadline, struct qc_err *err);
/* This gateway lives; what others changed is read again; e->keeps is set once it is the one that keeps the
 * store. Nothing but that last where it is the only one. (attend.c) */
QC_MUST qc_rc gw_engine_attend(struct gw_engine *e, struct qc_err *err);
/* QC_TEMP: another gateway keeps the store. */
QC_MUST qc_rc gw_engine_must_keep(struct gw_engine *e, struct qc_err *err);
/* Other gateways on the same catalogue decide and publish nothing while this one lives, until they are let
 * go. Where it is the only one: nothing; *ret_held is false. */
QC_MUST qc_rc gw_engine_hold_others(struct gw_engine *e, bool *ret_held, struct qc_err *err);
/* Let them go, now or as soon as the catalogue can be written; once nobody else here holds them. */
void gw_engine_let_others(struct gw_engine *e, bool *held);
/* Before an object is written that a successor may have written anew. QC_TEMP: this one was succeeded. */
QC_MUST qc_rc gw_engine_still(struct gw_engine *e, struct qc_err *err);
void gw_attendant_init(struct gw_attendant *a);
QC_MUST qc_rc gw_attendant_start(struct gw_engine *e, struct qc_err *err);
void gw_attendant_stop(struct gw_engine *e);
void gw_attendant_done(struct gw_attendant *a);
/* The identity object of one cloud, as it is; put and read back. QC_NOMEM; QC_QUORUM: it did not take it. */
QC_MUST qc_rc gw_identity_fetch(struct gw_engine *e, unsigned at, qc_buf *ret, struct gw_outcome *ret_outcome,
                                struct qc_err *err);
QC_MUST qc_rc gw_identity_store(struct gw_engine *e, unsigned at, qc_span bytes, struct qc_err *err);
/* Finish what init began; all clouds must answer. */
QC_MUST qc_rc gw_engine_finish_init(struct gw_engine *e, struct qc_err *err);

/* A segment id that a put works on. false: too many. */
bool gw_busy_add(struct gw_engine *e, uint64_t id);
void gw_busy_remove(struct gw_engine *e, uint64_t id);
bool gw_busy_is(struct gw_engine *e, uint64_t id); /* or mended */
/* What gw_undropped stands for is told to the catalogue, and busy no more. */
QC_MUST qc_rc gw_upload_drop(struct gw_engine *e, struct qc_err *err);
/* A segment is mended by one at a time. false: somebody does. */
bool gw_mend_begin(struct gw_engine *e, uint64_t id);
void gw_mend_end(struct gw_engine *e, uint64_t id);

/* A request is known from now on, though nothing may go wrong with it. */
void gw_request_begin(struct gw_engine *e, uint32_t tenant, const char *id);
/* What a read found: for its request, for the counters, and for another look. */
void gw_faults_note(struct gw_engine *e, const char *request, const struct gw_segment *seg,
                    const struct gw_faults *f);
/* What was known before: for the request alone. */
void gw_faults_recall(struct gw_engine *e, uint32_t tenant, const char *request, const struct gw_faults *f);

/* What a log object says was done, once it is published. */
void gw_audit_records(struct gw_engine *e, const struct gw_log *l);

/* Limits of a tenant, in the transaction that uses them up (quota.c). The owner has none. QC_QUOTA. */
/* One more upload and version. */
QC_MUST qc_rc gw_quota_begin(struct gw_engine *e, uint32_t tenant, struct qc_err *err);
/* Versions in a bundle: one more, and for how many there is room. `besides`: counted rows that are none. */
QC_MUST qc_rc gw_quota_versions(struct gw_engine *e, uint32_t tenant, uint64_t besides, uint64_t *ret_room,
                                struct qc_err *err);
/* size more bytes, in the place of `before`. QC_TEMP: too much that was given up is not swept yet. */
QC_MUST qc_rc gw_quota_segment(struct gw_engine *e, uint32_t tenant, uint64_t size, uint64_t before,
                               struct qc_err *err);
/* So many bytes more, of entries. */
QC_MUST qc_rc gw_quota_more(struct gw_engine *e, uint32_t tenant, uint64_t more, struct qc_err *err);
/* So many moves of names more. */
QC_MUST qc_rc gw_quota_moves(struct gw_engine *e, uint32_t tenant, uint64_t more, struct qc_err *err);
/* *ret: so many bytes may die by themselves, and no put is refused for it. */
QC_MUST qc_rc gw_quota_dead(struct gw_engine *e, uint32_t tenant, uint64_t size, bool *ret,
                            struct qc_err *err);
/* What is there now. */
QC_MUST qc_rc gw_quota_holds(struct gw_engine *e, uint32_t tenant, struct qc_err *err);
/* One more put key was given up; of too many the oldest is forgotten. */
QC_MUST qc_rc gw_quota_given_up(struct gw_engine *e, uint32_t tenant, struct qc_err *err);

/* One stretch of work each; *ret_more: there is more. Debts: whosever turn it is, for who has no workers. */
QC_MUST qc_rc gw_tidy_debts(struct gw_engine *e, bool *ret_more, struct qc_err *err);
/* Of an upload that is open. QC_NOTFOUND, QC_CONFLICT. upload.c */
QC_MUST qc_rc gw_upload_open(struct gw_engine *e, const struct gw_ref *put_key, struct gw_request_row *ret,
                             struct qc_err *err);
/* Is this what the run that counts has sent? QC_CONFLICT */
QC_MUST qc_rc gw_upload_run(const struct gw_request_row *row, uint32_t run, struct qc_err *err);
/* Uploads of which nobody was heard for too long are cancelled: upload_resume.c */
QC_MUST qc_rc gw_tidy_uploads(struct gw_engine *e, struct qc_err *err);
QC_MUST qc_rc gw_tidy_sweep(struct gw_engine *e, bool *ret_more, struct qc_err *err);
/* N that live in half dead bundles go to others: one new bundle, if one is worth it. (repack.c) */
QC_MUST qc_rc gw_tidy_repack(struct gw_engine *e, bool *ret_more, struct qc_err *err);
/* For status: what this process did; what rows say stays. */
void gw_repack_look(struct gw_engine *e, struct gw_repack_view *ret);
void gw_repacks_init(struct gw_repacks *r);
void gw_repacks_done(struct gw_repacks *r);
QC_MUST qc_rc gw_tidy_suspects(struct gw_engine *e, struct qc_err *err);

/* A sealed B, opened under the current bkey; appended. */
QC_MUST qc_rc gw_backup_unseal(struct gw_engine *e, const struct gw_backup_ids *ids, qc_span sealed,
                               qc_buf *ret, struct qc_err *err);

/* Whose verifier is it? count: nobody's. The time tells nothing. */
unsigned gw_tenant_match(const struct gw_tenant *v, unsigned count, const uint8_t verifier[GW_DIGEST_BYTES]);

/* Debts (pay.c, payers.c; docs/adr/0014). The turn of one cloud; which: is it asked when it is not well? All
 * codes end the turn as GW_TURN_FAILED; QC_FENCED and a broken catalogue, all turns. */
QC_MUST qc_rc gw_pay_turn(struct gw_engine *e, unsigned at, enum gw_ill which, enum gw_turn_end *ret,
                          struct qc_err *err);
void gw_payers_init(struct gw_payers *p);
/* Stops and joins the threads; what they wait for ends at once. */
void gw_payers_stop(struct gw_engine *e);
void gw_payers_done(struct gw_payers *p);
/* The same of the scrub. */
void gw_scrubs_init(struct gw_scrubs *s);
QC_MUST qc_rc gw_scrubs_work(struct gw_engine *e, struct qc_err *err);
void gw_scrubs_stop(struct gw_engine *e);
void gw_scrubs_done(struct gw_scrubs *s);
/* One stretch of a snapshot, if one is due; *ret_more: it is not at its end. */
QC_MUST qc_rc gw_snapshot_step(struct gw_engine *e, bool *ret_more, struct qc_err *err);
void gw_snaps_init(struct gw_snaps *s);
void gw_snaps_done(struct gw_snaps *s);
/* It is told in the audit log: which cloud is to blame, for what. */
void gw_finding_audit(struct gw_engine *e, const struct gw_finding *f);
/* In a transaction: the fragment as it lies by its row is bad, as who read it for a repair saw; whoever looks
 * for it later finds it mended. */
QC_MUST qc_rc gw_finding_put(struct gw_engine *e, const struct gw_segment *seg, unsigned frag,
                             enum gw_finding_kind kind, struct qc_err *err);
/* In a transaction: what was found under the key that it has by its row is past. */
QC_MUST qc_rc gw_finding_end(struct gw_engine *e, const struct gw_segment *seg, unsigned frag,
                             struct qc_err *err);
/* One page of whoever's turn it is; *ret_worked: there was one. *ret_wait_ms: until the next one may begin,
 * as far as is known now. */
QC_MUST qc_rc gw_scrub_page(struct gw_engine *e, bool *ret_worked, uint64_t *ret_wait_ms, struct qc_err *err);
/* Do threads pay, and have they something to pay now? */
bool gw_payers_busy(struct gw_engine *e);
/* A transaction ended in which something was found that the cloud is owed: nobody waits for the next look. */
void gw_payers_tell(struct gw_engine *e, uint32_t cloud_id);
/* For status: how the payment to a cloud stands. */
void gw_payers_view(struct gw_engine *e, unsigned at, struct gw_paying *ret);
