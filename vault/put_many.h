/* Several small objects that are put together. Layer 3. Order: as of one put (put.c); the bundle takes the
 * place of its segments. FORMAT 9.3.
 *
 *   looked at --sealed--> journal --> upload begins --> R1s, R2s pending --> one segment --> committed
 *
 * What the keys of one were needed for is done before the next one's are drawn: few of them are in memory.
 *
 * Three are at work at a time. The caller's thread has all that is the vault's: what is sealed, the stores,
 * the journal, the chain; a second one sends what is sealed to the gateway, a third one has it committed.
 * These two have connections of their own, and see nothing of the vault but its ids and the keys of entries,
 * which do not change. So the gateway commits one while it takes the next, and a third is sealed meanwhile;
 * the order of steps is, for each, as above, and they are committed, and over, in their order. What is
 * written to both share stores is written to both at once. */
#pragma once
#include "base/thread.h"
#include "base/workq.h"
#include "put.h"
#include "store.h"
#include "vault/bundle.h"

/* put_many_tickets.c: a ticket for each member that is in; those for which there is none are out, and may be
 * told by putting them alone. And back into the store what nothing was drawn with. */
struct many;
QC_MUST qc_rc many_take_tickets(struct many *b, struct qc_err *err);
void many_return_tickets(struct many *b);
/* Members that are live have spent theirs. */
QC_MUST qc_rc many_tickets_used(struct many *b, struct qc_err *err);

/* What is known of a member's fate. */
enum many_fate {
    MANY_IN,   /* on its way */
    MANY_OUT,  /* it will never be: rc and err say why */
    MANY_OPEN, /* nobody knows */
    MANY_LIVE
};

struct many_member {
    const struct vault_put_item *item;
    enum many_fate fate;
    bool again;  /* out, and putting it alone may go better */
    bool fresh;  /* the first version of its object */
    bool covers; /* with a ticket: another object had the name, as `before` says */
    struct vault_store_removal before;
    struct vault_ticket taken; /* share NULL: there is none, or its share is in use */
    bool with_keeper;          /* its B may be there */
    bool drawn;                /* a pending record of it may be in the stores */
    qc_buf path;
    struct journal_put ids;
    struct store_sealed share[2];
    struct vault_meta meta;
    uint8_t salt[16]; /* of the entry's private part */
    uint8_t seal_salt[VAULT_ID_BYTES];
    uint64_t start, stored; /* of N in the segment */
    uint64_t padding;       /* bytes of it */
    uint8_t M[32];
    qc_buf backup, priv;
    struct vault_entry entry;
    uint64_t chain; /* which commit of the vault it is */
    qc_rc rc;
    struct qc_err err;
};

struct many {
    struct vault *v;
    struct vault_put_many what;
    struct vault_call call;
    struct many_member *m;                                                /* what.count of them */
    uint8_t put_key[16], object[VAULT_ID_BYTES], version[VAULT_ID_BYTES]; /* of the bundle */
    qc_buf segment;
    struct vault_name_folder folder; /* of the last name that was sealed */
    struct vault_ways *ways;
    qc_buf ways_text;
    struct journal_bundle *noted;
    struct journal journal;
    struct vault_gw_receipt *receipt; /* of one that is live: what is the same for all */
    bool begun;                       /* the gateway may know the put key */
    bool ticket;                      /* share store 2 is elsewhere: what it has are tickets' */
    struct vault_gw *gw;              /* by which it is sent, and committed */
    bool asked;                       /* its commit was asked for, and its members have fates */
    qc_rc rc;                         /* else why not */
    struct qc_err why;
    uint64_t written;     /* as of vault_put_result; told with the first that is live */
    pthread_mutex_t lock; /* also of the two that seal: one draws at a time */
    pthread_cond_t changed;
    uint64_t total;              /* bytes of D of those that are carried */
    bool carried;                /* under the lock: the threads that carry are done with it */
    struct vault_clouds *clouds; /* as in struct put; of the caller's thread */
    uint64_t clouds_ms;
};

/* It will never be, for this reason. */
void many_out(struct many_member *m, bool again, qc_rc rc, const struct qc_err *why);
/* Members with this fate. */
size_t many_count(const struct many *b, enum many_fate fate);

/* By the thread that works beside the caller's, one job at a time; qc_workq_drain(v->second) waits for it. */
QC_MUST qc_rc many_second(struct vault *v, qc_job job, void *arg, struct qc_err *err);
/* The same for both stores (0, 1), each in a thread: what each says. All of it is over afterwards. */
typedef qc_rc (*many_store_fn)(struct many *b, unsigned i, struct qc_err *err);
struct many_said {
    qc_rc rc;
    struct qc_err why;
};
void many_both(struct many *b, many_store_fn fn, struct many_said ret[2]);

/* put_many_seal.c: members that are in, to b->segment; what cannot be sealed is out. QC_RANDOM, QC_CANCELLED,
 * QC_NOMEM: none is. */
QC_MUST qc_rc many_seal(struct many *b, struct qc_err *err);
/* The entries of those that are in, once it is known what carried them. Of the thread that sends. */
QC_MUST qc_rc many_entries(struct many *b, struct qc_err *err);
/* The commit: each member that is in gets its fate. Of the thread that commits. */
QC_MUST qc_rc many_ask(struct many *b, struct qc_err *err);
/* What follows: the chain, stores, journal. */
void many_follow(struct many *b);
/* Nothing was committed, or asked to be, for this reason: all that are in are out; stores and journal follow.
 */
void many_give_up(struct many *b, qc_rc rc, const struct qc_err *why);
