/* A share store: the directory that holds share 1 or share 2 of every object and of the vault secret. Layer
 * 3; uses base. Format: FORMAT 7. Source: PAPERS A3, A10. Keeps I1 (records are durable before the commit),
 * I3 and I5.
 *
 * SQLite with a rollback journal: at rest it is one file, so a store can be copied while no command runs and
 * read from a read-only medium. A store belongs to one thread at a time; several processes may have it open:
 * each call is one transaction, and a second writer waits for QC_DB_BUSY_MS (then QC_LOCKED).
 *
 * Errors of every call, besides those named: QC_LOCKED, QC_IO, QC_FULL, QC_NOMEM, QC_AUTH (writing a store
 * that is open for reading), QC_INTEGRITY (the database is damaged). Messages name the store by index and
 * directory. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "base/rng.h"
#include "vault/head.h"
#include "vault/ids.h"
#include "vault/pass.h"

struct vault_store;

enum vault_store_access {
    VAULT_STORE_READ,
    VAULT_STORE_WRITE,
    VAULT_STORE_ANY, /* for writing if the medium lets us, else for reading */
};

enum vault_record_state {
    VAULT_RECORD_PENDING = 1,   /* of a put whose commit is not known */
    VAULT_RECORD_COMMITTED = 2, /* acknowledged by the gateway */
    VAULT_RECORD_RETIRED = 3,   /* the version is to be deleted, and was not yet */
    VAULT_RECORD_GONE = 4,      /* it is deleted; there is no share any more */
};

/* What a new store is about. Keys borrowed. */
struct vault_store_params {
    unsigned index; /* 1 or 2 */
    uint8_t vault[VAULT_ID_BYTES];
    uint32_t generation;
    const qc_key *VS_i; /* this store's share of VS; NULL where there is a seed, and it may give another */
    const qc_key *seed; /* of a derived store, 32 bytes; NULL: a stored one */
    uint8_t commitment[32]; /* of VS: vault_record_commitment */
    const qc_key *W_i;      /* half of the recovery key of the vault, which has no seeds; NULL: it has none */
    uint8_t W_commitment[32];
    bool kept;              /* backup data of the vault is with a keeper; goes with neither seed nor W_i */
    bool filling;           /* it is one that is filled from the other store, and lacks what that has */
    qc_span descriptor;     /* JSON text of FORMAT 7.3; may be empty and written later */
    struct vault_lock lock; /* what its key is wrapped under; {0}: in clear */
};

/*
 * Make a store in dir, which is missing (then it is made, with its parents, mode 0700), empty, or holds what
 * is left of a store that was not made to the end (vault_store_is_half): that goes. Durable on return. It is
 * opened for writing. store.key is written last: a directory without it is no store. The store counts as
 * being made until vault_store_made, or until it is opened for writing by somebody who expects this vault's.
 *
 * QC_CONFLICT  the directory is not empty;  QC_LOCKED  another command is making a store there;  QC_RANDOM
 */
QC_MUST qc_rc vault_store_create(struct vault_store **ret, const char *dir,
                                 const struct vault_store_params *params, const qc_rng *rng,
                                 struct qc_err *err);

/* Whoever depends on the store knows of it, durably: from now on nobody makes another in its place. Durable
 * on return. */
QC_MUST qc_rc vault_store_made(const char *dir, struct qc_err *err);
/* A store was begun in dir, and nothing that was acknowledged depends on what is there. */
bool vault_store_is_half(const char *dir);

/* What a store must be; empty fields are not compared. */
struct vault_store_expect {
    unsigned index;       /* 0: any */
    const uint8_t *vault; /* NULL: any */
    const uint8_t *store; /* store id; NULL: any */
    struct vault_passes
        *passes; /* for a store under a passphrase; NULL: none are known. Outlives the store */
    bool named;  /* it was found by a name that another may have: what is not this one is QC_SHARES */
    bool silent; /* the known ones only: nobody is asked for another */
};

/*
 * A store under a passphrase is opened by those that are known, or by one that their source gives.
 *
 * QC_SHARES     the directory is gone, empty, or not a store: a lost share (the message says which and where)
 * QC_INTEGRITY  a store, but of another vault, index or id than expected; or its key file or head does not
 * verify QC_NEWER      its format is newer;  QC_AUTH  may not be read (or, with VAULT_STORE_WRITE, written)
 * QC_NOPASS     it is under a passphrase, and none is to be had: locked. Key file and database look whole
 * QC_PASSPHRASE it is under another passphrase than those given;  errors of qc_pwhash
 */
QC_MUST qc_rc vault_store_open(struct vault_store **ret, const char *dir, enum vault_store_access access,
                               const struct vault_store_expect *expect, struct qc_err *err);
void vault_store_close(struct vault_store **s);

/* Is the directory's store under a passphrase? False for whatever cannot be read, too. */
bool vault_store_is_locked(const char *dir);
/* What the store's key is wrapped under; pass borrowed. {0}: in clear. */
struct vault_lock vault_store_lock(const struct vault_store *s);
/*
 * Wrap the store's key anew, or leave it in clear (lock {0}). Durable on return; after a failure or a crash
 * the store opens as before or as asked, nothing in between. The old key file is overwritten where nobody
 * else has a name for it; what flash, snapshots and backups keep of it is out of reach.
 *
 *   cancel  while Argon2id runs, if it must; may be NULL
 *
 * Errors of qc_pwhash and of files
 */
QC_MUST qc_rc vault_store_relock(struct vault_store *s, const struct vault_lock *lock,
                                 const struct qc_cancel *cancel, struct qc_err *err);

/* Close, and remove the files of a store that never held a share of anything stored: a vault that was not
 * made after all. What cannot be removed stays; a store without its key file, which goes first, is none. */
void vault_store_unmake(struct vault_store **s);

/* The store's half of the recovery key, of a generation that it has; NULL: the vault has no such key, or the
 * store not that generation. Borrowed. */
const qc_key *vault_store_recovery_at(const struct vault_store *s, uint32_t generation);
/* Has the vault a recovery key? And what tells the right one: KDF(W, "commit", ids of VS). */
bool vault_store_recovers(const struct vault_store *s);
const uint8_t *vault_store_recovery_commitment(const struct vault_store *s);
/* Is backup data of the vault with a keeper (vault/keeper.h)? */
bool vault_store_kept(const struct vault_store *s);
/* The recovery key of a vault, of its two stores, or as somebody gave it (of a kit; else NULL), which is held
 * against a store. A store that is not there: NULL. *ret, which is NULL, stays so where the vault has none,
 * or it is not to be had. QC_USAGE: the one given is another vault's, or this vault has none; QC_INTEGRITY:
 * one store knows of a key alone. */
QC_MUST qc_rc vault_store_recovery(qc_key **ret, const struct vault_store *one, const struct vault_store *two,
                                   const qc_key *given, struct qc_err *err);

/* Is it one that a recovery has begun to fill, and not ended? What it has is right; what it lacks is not
 * known. Set: durable on return. */
bool vault_store_is_filling(const struct vault_store *s);
QC_MUST qc_rc vault_store_filling_put(struct vault_store *s, bool filling, struct qc_err *err);

unsigned vault_store_index(const struct vault_store *s);
bool vault_store_writable(const struct vault_store *s);
const char *vault_store_dir(const struct vault_store *s);
const uint8_t *vault_store_vault(const struct vault_store *s); /* 16 bytes */
const uint8_t *vault_store_id(const struct vault_store *s);    /* 16 bytes */
uint32_t vault_store_generation(const struct vault_store *s);
const uint8_t *vault_store_commitment(const struct vault_store *s); /* of VS, 32 bytes */
const qc_key *vault_store_secret(const struct vault_store *s);      /* VS1 or VS2; borrowed */

/* A derived store gives its share of any version from its seed (FORMAT 1.1). Its records say which versions
 * there are, and hold a share only where the seed does not give it. */
bool vault_store_derives(const struct vault_store *s);
const qc_key *vault_store_seed(const struct vault_store *s); /* borrowed; NULL: a stored one */
/* The share of a version that has no record yet, by the seed of a generation (in use, or the other one). */
QC_MUST qc_rc vault_store_derive(qc_key **ret, const struct vault_store *s, uint32_t generation,
                                 const uint8_t object[VAULT_ID_BYTES], const uint8_t version[VAULT_ID_BYTES],
                                 struct qc_err *err);

/* Another program may have refreshed the shares since the store was opened: which generation is in use is
 * read again. */
QC_MUST qc_rc vault_store_renew(struct vault_store *s, struct qc_err *err);

/* While the shares of a vault are refreshed (vault_refresh), another generation of them beside that in use.
 * Each call is one transaction, durable on return. */
uint32_t vault_store_other(const struct vault_store *s); /* 0: there is none */
/* The share of VS of a generation, or what the store's seed gives in its place; borrowed. NULL: that
 * generation is not here. */
const qc_key *vault_store_secret_at(const struct vault_store *s, uint32_t generation);
/* The share itself, where the seed gives another one and the store knows; else NULL. Borrowed. */
const qc_key *vault_store_kept_at(const struct vault_store *s, uint32_t generation);
/* Another one, from a seed (NULL: from none) and with this share of VS (NULL: what the seed gives), and with
 * this half of W where the vault has it (else NULL), in the place of another that is there. */
QC_MUST qc_rc vault_store_other_put(struct vault_store *s, uint32_t generation, const qc_key *seed,
                                    const qc_key *VS_i, const qc_key *W_i, const qc_rng *rng,
                                    struct qc_err *err);
/* The other one (asserted) is in use from now on; that which was is the other. */
QC_MUST qc_rc vault_store_other_use(struct vault_store *s, const qc_rng *rng, struct qc_err *err);
/* The other one goes, if there is one. Records that say only that its seed gives the share keep it. */
QC_MUST qc_rc vault_store_other_end(struct vault_store *s, const qc_rng *rng, struct qc_err *err);

/* Descriptor text. get appends to ret. QC_NOTFOUND: none; QC_INTEGRITY: its authenticator fails. */
QC_MUST qc_rc vault_store_descriptor_get(struct vault_store *s, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc vault_store_descriptor_put(struct vault_store *s, qc_span text, struct qc_err *err);

/* The last vault head that this store knows. QC_NOTFOUND, QC_INTEGRITY as above. */
QC_MUST qc_rc vault_store_head_get(struct vault_store *s, struct vault_head *ret, struct qc_err *err);
QC_MUST qc_rc vault_store_head_put(struct vault_store *s, const struct vault_head *head, struct qc_err *err);

/* One record. share: R1 or R2, borrowed when given to the store, owned by the caller when it comes out. */
struct vault_store_record {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint32_t generation;
    enum vault_record_state state; /* 0 where vault_store_get found none, and the seed gave the share */
    bool given;        /* out: the share is what the seed gives; corrections of B apply to it (FORMAT 4) */
    uint64_t sequence; /* 0 while pending and unknown */
    qc_key *share;
    bool gone; /* under a seal that holds: the version is deleted, share is NULL */
};
void vault_store_record_done(struct vault_store_record *r);

/*
 * Add records, all or none, durable on return. An equal record that is there already (recover, run again) is
 * replaced. The put pipeline adds pending ones before the first segment is sent. QC_TEMP: of a generation
 * that was replaced since the store was opened.
 */
QC_MUST qc_rc vault_store_add(struct vault_store *s, const struct vault_store_record *records, size_t count,
                              const qc_rng *rng, struct qc_err *err);

/*
 * The share of a version: the record of the highest generation. Pending records count: their put may have
 * been committed. QC_NOTFOUND   no record, or the version is deleted;  QC_INTEGRITY  its seal fails: damaged,
 * counts as missing. A derived store gives both all the same: whether the share is right is for M to say.
 */
QC_MUST qc_rc vault_store_get(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                              const uint8_t version[VAULT_ID_BYTES], struct vault_store_record *ret,
                              struct qc_err *err);

/* The same of one generation; 0: of the highest. */
QC_MUST qc_rc vault_store_get_at(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                 const uint8_t version[VAULT_ID_BYTES], uint32_t generation,
                                 struct vault_store_record *ret, struct qc_err *err);

/* What a commit changes in a store, in one transaction. */
struct store_sealed;
struct vault_store_commit {
    const uint8_t *object,
        *version; /* whose pending record becomes committed; NULL: none (rm, a mark seen) */
    uint64_t sequence;
    const struct store_sealed *sealed; /* the record as it was added; NULL: it is opened, and sealed anew */
    const uint8_t *path_tag;           /* 16 bytes; NULL: no mark */
    uint64_t number;                   /* the path's mark becomes this, if it was less */
    const struct vault_head *head;     /* NULL: as it is; a lesser count than the known one changes nothing */
};
/* QC_NOTFOUND  the record is not there (nothing changed). Again with the same values: the same result. */
QC_MUST qc_rc vault_store_commit(struct vault_store *s, const struct vault_store_commit *change,
                                 const qc_rng *rng, struct qc_err *err);

/* Remove a record if it is pending (its upload is durably cancelled). One that is not there: QC_OK.
 * Committed: QC_CONFLICT. */
QC_MUST qc_rc vault_store_remove_pending(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                         const uint8_t version[VAULT_ID_BYTES], struct qc_err *err);

/* A version that is to be deleted, and its sequence. */
struct vault_store_doomed {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t sequence;
};
/*
 * All or none, durable on return; again: the same. Retire: whole records say that their version is to be
 * deleted, and keep their share. Unretire: those that say so do not any more. Destroy: whatever there is of a
 * version is overwritten by a record without a share.
 */
QC_MUST qc_rc vault_store_retire(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                                 const qc_rng *rng, struct qc_err *err);
QC_MUST qc_rc vault_store_unretire(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                                   const qc_rng *rng, struct qc_err *err);
QC_MUST qc_rc vault_store_destroy(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                                  const qc_rng *rng, struct qc_err *err);
/* Versions that are to be deleted, as vault_store_next; those that are damaged are passed over. */
struct vault_store_cursor;
QC_MUST qc_rc vault_store_retired(struct vault_store *s, struct vault_store_cursor *cursor,
                                  struct vault_store_doomed *ret, size_t max, size_t *ret_got,
                                  struct qc_err *err);

/* Is all that there is of a version a record, under its seal, that says that it is gone? One that is damaged,
 * or none: no. */
QC_MUST qc_rc vault_store_is_gone(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                  const uint8_t version[VAULT_ID_BYTES], bool *ret, struct qc_err *err);

/* Are there records of an object, and all say that their versions are gone? */
QC_MUST qc_rc vault_store_all_gone(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], bool *ret,
                                   struct qc_err *err);

/* High-water marks: 0 when there is none. QC_INTEGRITY  the mark's tag fails. */
QC_MUST qc_rc vault_store_mark(struct vault_store *s, const uint8_t path_tag[16], uint64_t *ret,
                               struct qc_err *err);
QC_MUST qc_rc vault_store_sequence(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], uint64_t *ret,
                                   struct qc_err *err);

/*
 * Until vault_store_look_end (or the close) marks, sequences and records are read out of one state of the
 * database, under one lock and by statements that are kept: for a page of a listing, or what is got together,
 * 4 locks and 2 statements less for each entry. Whoever wants to write waits meanwhile: nothing that takes
 * long in between. Not nested (asserted).
 */
QC_MUST qc_rc vault_store_look(struct vault_store *s, struct qc_err *err);
void vault_store_look_end(struct vault_store *s);

/*
 * Records in the order of (object, version, generation), page by page: up to max of them beyond *cursor,
 * which starts as {0} and is moved on. A damaged record comes with share NULL and gone false; one whose ids
 * or generation are damaged does not come. *ret_got = 0 is the end.
 */
struct vault_store_cursor {
    bool started;
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint32_t generation;
};
QC_MUST qc_rc vault_store_next(struct vault_store *s, struct vault_store_cursor *cursor,
                               struct vault_store_record *ret, size_t max, size_t *ret_got,
                               struct qc_err *err);

/* Marks likewise, in the order of path tags, until cursor->end; damaged ones are left out and counted. */
struct vault_store_mark {
    uint8_t path_tag[16];
    uint64_t number;
};
struct vault_store_marks_cursor {
    bool started, end;
    uint8_t after[16];
    uint64_t damaged;
};
QC_MUST qc_rc vault_store_marks_next(struct vault_store *s, struct vault_store_marks_cursor *cursor,
                                     struct vault_store_mark *ret, size_t max, size_t *ret_got,
                                     struct qc_err *err);
/* Raise marks, all or none. */
QC_MUST qc_rc vault_store_marks_raise(struct vault_store *s, const struct vault_store_mark *marks,
                                      size_t count, struct qc_err *err);

/* What a name was before a change that does not say so: a tombstone; or, where two put a name for the first
 * time at once, the later put. */
struct vault_store_removal {
    uint8_t path_tag[16];
    uint64_t number; /* of that change */
    int64_t when_s;  /* by the clock of the machine that made it */
    uint8_t object[VAULT_ID_BYTES];
    uint64_t sequence; /* of the version that was the newest then, and had the number before */
};
/* Durable on return. */
QC_MUST qc_rc vault_store_removal_put(struct vault_store *s, const struct vault_store_removal *r,
                                      struct qc_err *err);
/* That of a path under this number. QC_NOTFOUND: none was noted;  QC_INTEGRITY  its authenticator fails. */
QC_MUST qc_rc vault_store_removal_get(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                                      struct vault_store_removal *ret, struct qc_err *err);
/* Versions of an object have numbers that follow each other, but where a put overtook a removal of its name:
 * then the version before this sequence had the number `before`, whatever number this one got. Durable on
 * return. */
QC_MUST qc_rc vault_store_shift_put(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                    uint64_t sequence, uint64_t before, struct qc_err *err);
/* QC_NOTFOUND: the numbers follow each other there;  QC_INTEGRITY. */
QC_MUST qc_rc vault_store_shift_get(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                    uint64_t sequence, uint64_t *ret, struct qc_err *err);
/* A change of a path that moved an object: away from it, or to it. Of a move that did not come to be, one may
 * be there that says another object, or another sequence, than what is. */
struct vault_store_moved {
    uint8_t path_tag[16];
    uint64_t number; /* of that change */
    int64_t when_s;  /* by the clock of the machine that made it */
    uint8_t object[VAULT_ID_BYTES];
    uint64_t sequence; /* of its newest version then */
    bool away;
};
/* Notes of moves that are to be asked for, and (covered) of what they cover at their new paths; all or none,
 * durable on return. What a store has noted for that change of that path stays; ret_mine[i]: there was none.
 */
QC_MUST qc_rc vault_store_moved_put(struct vault_store *s, const struct vault_store_moved *moved,
                                    bool *ret_mine, size_t count, const struct vault_store_removal *covered,
                                    size_t covered_count, struct qc_err *err);
/* QC_NOTFOUND: that change moved nothing, as far as is noted;  QC_INTEGRITY. */
QC_MUST qc_rc vault_store_moved_get(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                                    struct vault_store_moved *ret, struct qc_err *err);
/* The last change up to `number` that moved the object to this path, when it was of that sequence or an
 * earlier one: what: path_tag, object, number, sequence; out: all of the note. QC_NOTFOUND, QC_INTEGRITY. */
QC_MUST qc_rc vault_store_moved_here(struct vault_store *s, struct vault_store_moved *what,
                                     struct qc_err *err);
/* Paths to which an object was moved, or was to be: ret has room for max tags. QC_LIMIT: there are more. */
QC_MUST qc_rc vault_store_moved_tags(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                     uint8_t (*ret)[16], size_t max, size_t *ret_n, struct qc_err *err);
/* These moves will never be: each note that says this very thing goes. */
QC_MUST qc_rc vault_store_moved_undone(struct vault_store *s, const struct vault_store_moved *v, size_t count,
                                       struct qc_err *err);
/* These moves are done: it is noted, whatever was, and no note says that it was a removal. */
QC_MUST qc_rc vault_store_moved_done(struct vault_store *s, const struct vault_store_moved *v, size_t count,
                                     struct qc_err *err);
/* This change of the path is known to have been a removal: no note says that it was a move. */
QC_MUST qc_rc vault_store_moved_removal(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                                        struct qc_err *err);
/* All of these kinds, into another store of the vault; damaged ones are left out and counted. */
QC_MUST qc_rc vault_store_notes_copy(struct vault_store *to, struct vault_store *from, uint64_t *ret_damaged,
                                     struct qc_err *err);

/* A share of the *other* store for a version that is yet to be put (tickets.c). */
struct vault_ticket {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    qc_key *share; /* borrowed when given to the store, owned by the caller when it comes out */
};
void vault_ticket_done(struct vault_ticket *t);
/* All or none, durable on return. */
QC_MUST qc_rc vault_store_tickets_add(struct vault_store *s, const struct vault_ticket *tickets, size_t count,
                                      const qc_rng *rng, struct qc_err *err);
/* One ticket; that it is gone, and noted as spent, is durable on return. QC_NOTFOUND: none is left. */
QC_MUST qc_rc vault_store_ticket_take(struct vault_store *s, struct vault_ticket *ret, struct qc_err *err);
/* Up to max go unused, in one transaction. *ret_n: so many; 0: none is left. */
QC_MUST qc_rc vault_store_tickets_void(struct vault_store *s, size_t max, size_t *ret_n, struct qc_err *err);
QC_MUST qc_rc vault_store_tickets_count(struct vault_store *s, uint64_t *ret, struct qc_err *err);
/* The same of up to `want`: as many as there are, in one transaction. */
QC_MUST qc_rc vault_store_tickets_take(struct vault_store *s, struct vault_ticket *ret, size_t want,
                                       size_t *ret_got, struct qc_err *err);
/* Tickets that were taken, and whose ids and shares nothing has used, are tickets again; all or none. */
QC_MUST qc_rc vault_store_tickets_return(struct vault_store *s, const struct vault_ticket *tickets,
                                         size_t count, const qc_rng *rng, struct qc_err *err);

/* A ticket that was taken, until the other store knows what for. */
struct vault_spent {
    bool begun; /* a cursor that stands on one */
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint8_t path_tag[16];
    uint64_t number; /* of the path, when its put was committed; 0: not known */
};
QC_MUST qc_rc vault_store_spent_put(struct vault_store *s, const struct vault_spent *spent,
                                    struct qc_err *err);
/* All or none. */
QC_MUST qc_rc vault_store_spent_put_many(struct vault_store *s, const struct vault_spent *spent, size_t count,
                                         struct qc_err *err);
/* The one behind *at, which starts as {0}, into it. */
QC_MUST qc_rc vault_store_spent_next(struct vault_store *s, struct vault_spent *at, bool *ret_found,
                                     struct qc_err *err);
QC_MUST qc_rc vault_store_spent_drop(struct vault_store *s, const struct vault_spent *spent,
                                     struct qc_err *err);

/* The whole store, alone: database structure, every seal and tag. Never fails for a damaged value: it is
 * counted. */
struct vault_store_health {
    uint64_t records, committed, pending, retired, damaged_records;
    uint64_t marks, damaged_marks;
    bool descriptor_ok, head_ok;
};
QC_MUST qc_rc vault_store_check(struct vault_store *s, struct vault_store_health *ret, struct qc_err *err);
/* The counts alone, without opening a seal; damaged and ok fields are left zero. */
QC_MUST qc_rc vault_store_count(struct vault_store *s, struct vault_store_health *ret, struct qc_err *err);

/* Objects of which it has a committed record: folders and what is in the trash, too. */
QC_MUST qc_rc vault_store_objects(struct vault_store *s, uint64_t *ret, struct qc_err *err);

/* The key file's codec, for tests and fuzzing: 112 bytes in clear, 128 wrapped. QC_FORMAT, QC_NEWER,
 * QC_INTEGRITY (checksum). */
#define VAULT_STORE_KEY_BYTES   112
#define VAULT_STORE_KEY_WRAPPED 128
#define VAULT_STORE_KEY_MAX     4096
struct vault_store_key {
    uint8_t store[VAULT_ID_BYTES];
    qc_key *SK; /* owned; NULL: wrapped */
    /* wrapped: */
    struct qc_pwhash how;
    uint8_t sealed[32], tag[16];
};
QC_MUST qc_rc vault_store_key_parse(struct vault_store_key *ret, qc_span in, struct qc_err *err);
