/* Commits: changes become durable, evident on the clouds, and visible, in this order. Layer 4, internal; uses
 * base, cloud. Keeps I1. The drawing is at the head of commit.c.
 */
#pragma once
#include <pthread.h>

#include "catalogue.h"
#include "gateway/engine.h"
#include "shares.h"

enum gw_change_kind {
    GW_CHANGE_PUT,
    GW_CHANGE_REMOVE,
    GW_CHANGE_RENAME,
    GW_CHANGE_VAULT,
    GW_CHANGE_TENANT,
    GW_CHANGE_CLOUD,
    GW_CHANGE_MEMBER,
    GW_CHANGE_CODE,
    GW_CHANGE_RECODED,
    GW_CHANGE_PURGE,
    GW_CHANGE_BACKUPS,
    GW_CHANGE_RETAIN,
    GW_CHANGE_REPACKED,
    GW_CHANGE_FIRST
};

/* A segment that was put again by another code, all of it durable and read back. */
struct gw_recoded {
    uint64_t old;
    struct gw_segment seg;            /* the new one: all of it; its row is reserved */
    uint32_t generation[QC_EC_N_MAX]; /* of its fragments' clouds, before anything was sent */
    uint32_t cloud_id[QC_EC_N_MAX];
    bool refused; /* out: something has changed since: it is not in the record */
};

/* N that go to another bundle, whose segment is durable, all of it, and read back. */
struct gw_repacked {
    struct gw_ref vault;
    uint64_t no;                      /* the new bundle's row, which is an intent */
    struct gw_segment seg;            /* its segment: all of it; its row is reserved */
    uint32_t generation[QC_EC_N_MAX]; /* of its fragments' clouds, before anything was sent */
    uint32_t cloud_id[QC_EC_N_MAX];
    const struct gw_half_row
        *from; /* where they lay when they were read; one after the other in the new one */
    unsigned count;
    unsigned moved; /* out: so many are in the record: the others have changed since */
};

/* Where an N lies that is one of many in a bundle. */
struct gw_in_bundle {
    struct gw_ref put_key; /* of the bundle's upload */
    uint64_t start;
};

/* One change, in its caller's hands while the caller waits in gw_commit. */
struct gw_change {
    enum gw_change_kind kind;
    struct gw_ref vault;
    struct gw_ref put_key;         /* PUT, REMOVE, RENAME */
    const struct gw_entry *entry;  /* PUT, REMOVE; RENAME: at the new path; borrowed */
    const struct gw_tomb *away;    /* RENAME: at the old path; borrowed */
    uint32_t segments;             /* PUT; of an N in a bundle: the bundle's */
    uint32_t run;                  /* PUT: of the upload; of a bundle always 0 */
    const struct gw_in_bundle *in; /* PUT: it lies in this bundle; NULL: in segments of its own. Borrowed */
    bool hasty;                    /* PUT: the record quorum is enough, the others follow */
    qc_span record, backup;        /* VAULT: both; PUT: B in clear; borrowed */
    struct gw_tenant *tenant;      /* TENANT: as it shall be */
    bool add;                      /* TENANT: a new one, whose id and revision are given here */
    const struct gw_cloud_row *cloud; /* CLOUD: with its new generation; MEMBER: as it shall be; borrowed */
    const struct gw_config *code;     /* CODE: as it shall be; borrowed */
    struct gw_recoded *recoded;       /* RECODED: so many; borrowed */
    unsigned recoded_count;
    struct gw_repacked *repacked; /* REPACKED; borrowed */
    struct gw_purge *purges;      /* PURGE, RETAIN: so many; borrowed */
    unsigned purge_count;
    const struct gw_new_backup *backups; /* BACKUPS: so many, of one vault; borrowed */
    unsigned backup_count;
    uint64_t until;                     /* RETAIN: of these */
    const struct gw_new_shares *shares; /* MEMBER, CODE: what all clouds hold since; NULL: nothing new */
    bool has_domain;                    /* MEMBER: `domain` shall be the rule; there is no cloud then */
    enum gw_domain domain;
    qc_span first; /* FIRST: the records of init, as made by gw_log_add */
    uint32_t first_count;
    struct gw_receipt receipt; /* out, with rc QC_OK: PUT, REMOVE, RENAME; decided: number, chain, head */
    qc_rc rc;
    struct qc_err err;
    bool done; /* under the queue's lock: the owner may go on */
    /* The leader's, while it works. */
    bool decided, answered;
    struct gw_change *next;
};

/* Changes that wait; whoever waits first works for all (a leader), the others follow. */
struct gw_commits {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t turn;
    struct gw_change *first, *last;
    bool busy;
};
void gw_commits_init(struct gw_commits *c);
void gw_commits_done(struct gw_commits *c);

/* Decide, record, publish. Returns change->rc.
 * QC_TEMP: it is decided and not published, whatever the reason; ask again by put key. QC_FENCED: decided or
 * not. QC_CONFLICT, QC_USAGE, QC_NOTFOUND, QC_QUORUM, QC_FULL, QC_IO, QC_NOMEM, QC_RANDOM: not decided. */
QC_MUST qc_rc gw_commit(struct gw_engine *e, struct gw_change *change, struct qc_err *err);
/* The same for many, together as far as they fit: each has its own outcome in rc and err. */
void gw_commit_all(struct gw_engine *e, struct gw_change *changes, unsigned count);
/* Until the release nothing is decided; whoever wants to waits. Waits for what runs. */
void gw_commit_hold(struct gw_engine *e);
void gw_commit_release(struct gw_engine *e);
/* Roll a decided batch forward, if there is one. */
QC_MUST qc_rc gw_commit_roll(struct gw_engine *e, struct qc_err *err);
