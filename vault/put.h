/* A put under way. Layer 3. Order: durability.md 1.2; FORMAT 3, 5. */
#pragma once
#include "journal.h"
#include "sender.h"
#include "session.h"
#include "vault/seal.h"
#include "vault/shares.h"
#include "ways.h"

struct put {
    struct vault *v;
    const struct vault_call *call;
    const struct vault_source *source;
    const struct vault_put_opts *opts;
    qc_span name;

    qc_buf path;
    uint8_t path_tag[16];
    struct journal_put ids; /* put key, object, version, sequence, number as the journal has them */
    uint64_t base;          /* number of the entry that is replaced; 0: none */
    uint64_t before;        /* number of the version before this one of the object; 0: none */
    bool ticket;            /* share store 2 is elsewhere: what it has is a ticket's */
    struct vault_ticket taken;
    struct vault_keys keys;
    struct vault_meta meta;
    struct vault_ways *ways;
    qc_buf ways_text; /* backs meta.ways */
    struct journal journal;
    bool begun; /* the gateway may know the put key */
    bool open;  /* it is committed, or may be */

    struct vault_sealer *sealer;
    struct sender *sender;
    uint64_t size; /* |D| so far */
    uint8_t M[32];
};

/* Read, seal and send all of D; N is durable at the gateway on QC_OK, and the source is unchanged. */
QC_MUST qc_rc put_data(struct put *p, struct qc_err *err);

/* The current entry is of another object, or a removal: between the last version of this object and this one
 * there is what is none of its own, and beneath its first one another object. Who lists versions must know,
 * before this one is there. */
QC_MUST qc_rc put_note_others(struct put *p, const struct vault_entry *current, struct qc_err *err);

/* K, R and their shares; those that a store derives are its, and R2 may be given by a ticket. */
QC_MUST qc_rc put_draw_keys(struct vault *v, const struct journal_put *ids, const qc_key *given,
                            struct vault_keys *ret, struct qc_err *err);

/* What a receipt says of clouds and margins. */
void put_result_take(struct vault_put_result *r, const struct vault_gw_receipt *receipt);

/* Commit, and bring stores and journal after it. */
QC_MUST qc_rc put_commit(struct put *p, struct vault_put_result *ret, struct qc_err *err);
