/* A put under way. Layer 3. Order: durability.md 1.2; FORMAT 3, 5. */
#pragma once
#include "journal.h"
#include "resume.h"
#include "sender.h"
#include "session.h"
#include "vault/seal.h"
#include "vault/shares.h"
#include "ways.h"

/* Bytes, of D and the zeros behind it, in a segment that is not the last. */
#define SEGMENT_DATA ((uint64_t)QC_VAULT_SEGMENT_CHUNKS << VAULT_CHUNK_LOG2)

/* What an interrupted put has left, from when it is found until it is gone on with. */
struct put_left {
    enum { PUT_NONE, PUT_GOES_ON, PUT_LIVE } what;
    struct journal_put put;
    struct vault_gw_receipt receipt; /* PUT_LIVE: it had been committed, and is settled */
};

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
    uint32_t generation; /* of its shares, in both stores and B */
    struct vault_keys keys;
    struct vault_meta meta;
    struct vault_ways *ways;
    qc_buf ways_text; /* backs meta.ways */
    struct journal journal;
    bool begun;       /* the gateway may know the put key */
    bool open;        /* it is committed, or may be */
    bool with_keeper; /* its B may be there */

    struct vault_entry seen; /* the current entry, without its spans; is_seen false: none */
    bool is_seen;

    struct resume *resume; /* NULL: this put cannot go on after it was interrupted, or not yet */
    struct resume_head head;
    struct put_left left;
    char anew[256];      /* why what was left is of no use */
    uint32_t run, first; /* of the upload; segments before the first one that is sent now */

    struct vault_sealer *sealer;
    struct sender *sender;
    struct vault_clouds *clouds; /* how it fares there, as asked last; NULL: nothing is known */
    uint64_t clouds_ms;          /* when that was; 0: not yet */
    uint64_t moved, moved_ms;    /* bytes that were durable when that last changed, and when that was */
    uint64_t size;               /* |D| so far, without what it is padded with */
    uint8_t M[32];
};

/* An interrupted put of the name: what it has left is taken up if it is of this source, in p->left; else it
 * stays as it is, for journal_settle. */
QC_MUST qc_rc put_take_up(struct put *p, struct qc_err *err);
/* Go on with it: in the place of drawing and beginning. */
QC_MUST qc_rc put_adopt(struct put *p, struct qc_err *err);
/* A segment was sealed that is not the last: into the record, before it is sent. */
QC_MUST qc_rc put_record(struct put *p, struct qc_err *err);
/* Bytes of D in the segments that are durable and not sent again. */
uint64_t put_kept(const struct put *p);
/* May what is durable stay after this failure, for the same put to go on with? */
bool put_waits(struct put *p, qc_rc rc);

/* Somebody else wrote the path: take their number. No data moves; the entry is to be sealed anew. */
QC_MUST qc_rc put_renumber(struct put *p, const struct vault_entry *current, struct qc_err *err);
/* What the put says of itself: e is the entry. */
void put_result(const struct put *p, const struct vault_entry *e, const struct vault_gw_receipt *receipt,
                struct vault_put_result *ret);

/* What D of n bytes is padded to: L. */
uint64_t put_padded(const struct vault *v, uint64_t n);

/* How it fares on the clouds, where that is wanted, or nothing has become durable for a while: done bytes
 * are. They are asked once a second at most (put_clouds.c). NULL: it is not known. */
const struct vault_clouds *put_clouds_look(struct put *p, uint64_t done);
/* Ask of any upload; clouds and ms as in struct put. */
void put_clouds_look_at(struct vault *v, const uint8_t put_key[16], const struct vault_call *call,
                        struct vault_clouds **clouds, uint64_t *ms);

/* Bytes of fragments that an upload wrote to its clouds, where call asks for it; 0: nobody says. */
uint64_t put_clouds_written(struct vault *v, const uint8_t put_key[16], const struct vault_call *call);

/* Read, seal and send all of D; N is durable at the gateway on QC_OK, and the source is unchanged. */
QC_MUST qc_rc put_data(struct put *p, struct qc_err *err);

/* The current entry is of another object, or a removal: between the last version of this object and this one
 * there is what is none of its own, and beneath its first one another object. Who lists versions must know,
 * before this one is there. */
QC_MUST qc_rc put_note_others(struct put *p, const struct vault_entry *current, struct qc_err *err);

/* K, R and their shares; those that a store derives are its, and R2 may be given by a ticket. */
QC_MUST qc_rc put_draw_keys(struct vault *v, const struct journal_put *ids, uint32_t generation,
                            const qc_key *given, struct vault_keys *ret, struct qc_err *err);

/* What a receipt says of clouds and margins. */
void put_result_take(struct vault_put_result *r, const struct vault_gw_receipt *receipt);

/* Commit, and bring stores and journal after it. */
QC_MUST qc_rc put_commit(struct put *p, struct vault_put_result *ret, struct qc_err *err);
