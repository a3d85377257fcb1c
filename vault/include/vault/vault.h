/* The vault: put, get, list, remove, verify and recover sealed objects. Layer 3; uses base, ss; randomness
 * and the gateway come through interfaces. Everything that the command does, this library does; it prints
 * nothing, reads no environment. Source: PAPERS A1..A11. Keeps I1, I2, I3, I5, I8.
 *
 * A session (struct vault) belongs to one thread at a time; it starts a thread of its own during put, get and
 * verify. Resident memory stays under 64 MiB for any object size.
 *
 * Names are bytes (vault/name.h); messages quote and escape them. Every call takes an op (deadline, cancel),
 * notes (remarks that are no failure; may be NULL) and err. Errors of every call that asks the gateway: those
 * of vault/gw.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "vault/descriptor.h"
#include "vault/gw.h"
#include "vault/ids.h"
#include "vault/kit.h"
#include "vault/move.h"
#include "vault/op.h"
#include "vault/pass.h"
#include "vault/progress.h"
#include "vault/slice.h"

struct vault;

/* What a call is given besides its subject. Borrowed; all may be zero. */
struct vault_call {
    struct vault_op op;
    struct vault_notes *notes;
    vault_progress_fn progress;
    void *progress_ctx;
    bool clouds;  /* of a put's progress: how it fares on each cloud; a request a second */
    bool metered; /* a put's result says what its gateway wrote to clouds for it; one request more */
};

/* ---- making, opening ---- */

/* Where a vault's local parts lie. Strings are borrowed until vault_open or vault_create returns. */
struct vault_conf {
    const uint8_t *vault; /* id, 16 bytes; NULL in vault_create */
    const char *share[2]; /* directories of share store 1 and 2; NULL: none configured */
    /* Of a store on a disk that is found by its name, which another disk may have too: the name, for
     * messages; what is at the directory and is not this store counts as missing. NULL: the place is its own.
     */
    const char *named[2];
    const char *absent[2]; /* with named: why the directory cannot be looked for; NULL: it can */
    const char *state;     /* directory for the journal of running puts; made if missing */
    qc_rng rng;            /* keys, ids, salts; must outlive the session */
    qc_rng ids; /* of requests, and salts of what is written after the fact: no secret, so that reading and
                   tidying need no special source; several threads call it at once; {0}: as rng */
    const char *provenance; /* of rng, noted in each object's private metadata: "os:getrandom"; NULL: none */
    /* Or, where it changes: about the bytes that rng gave since the last call. Asked when an object's ids and
     * keys are drawn; borrowed until the next call. NULL: the above. */
    const char *(*tell)(void *ctx);
    void *tell_ctx;
    struct vault_passes *passes; /* for stores under a passphrase; NULL: none. Outlives the session */
    struct vault_lock lock;      /* vault_create: what the stores' keys are wrapped under; {0}: in clear */
    /* What is put is followed by zeros, to so many bytes (never less than n, and none larger than
     * QC_VAULT_BUNDLED_MAX where n is not): vault_padme (vault/pad.h). NULL: by none. */
    uint64_t (*pad)(uint64_t n);
    bool derived;  /* vault_create: the shares come from two seeds (FORMAT 7.2) */
    bool recovers; /* vault_create: backup data is sealed under a recovery key (FORMAT 4); not with derived */
    bool kept;     /* vault_create: backup data goes to keeper, not to the gateway; not with the two above */
    struct vault_keeper *keeper; /* borrowed by the session; NULL: none is known. vault/keeper.h */
    const qc_key *W;  /* that key, where somebody gave it (of a kit): for a vault one of whose stores is not
                         there. It goes to the session. NULL: none */
    unsigned unasked; /* 1, 2: nobody is asked for this store's passphrase (it is to be rebuilt); 0 */
};

/*
 * Make a vault: draw the vault secret, register record and backup data at the gateway, make both stores with
 * descriptor d (its vault and stores fields are filled in by this call). After a failure no store is left.
 *
 * QC_USAGE     both directories are the same;  QC_CONFLICT  a directory is not empty;  QC_RANDOM
 */
QC_MUST qc_rc vault_create(uint8_t ret_vault[VAULT_ID_BYTES], const struct vault_conf *conf,
                           struct vault_descriptor *d, struct vault_gw *gw, const struct vault_call *call,
                           struct qc_err *err);

/*
 * Open a vault: what stores there are (both, or one and the gateway's backup data), the vault secret, then
 * the chain of commits from the last known head. Stores are brought up to the new head where they can be
 * written.
 *
 *   gw   taken over: closed by vault_close, and also when this call fails
 *
 * QC_SHARES     no store is there;  QC_NOTFOUND  the gateway does not know the vault
 * QC_NOPASS     no store is open, and at least one is locked by a passphrase that is not to be had. Where the
 * other one is open, a locked store counts as missing, with a note QC_PASSPHRASE a passphrase was given, and
 * it is not that of a store: never taken for a missing store QC_INTEGRITY  record, backup data or shares do
 * not verify; or the gateway is "older than this client has seen (rollback)"
 */
QC_MUST qc_rc vault_open_session(struct vault **ret, const struct vault_conf *conf, struct vault_gw **gw,
                                 const struct vault_call *call, struct qc_err *err);
void vault_close(struct vault **v);

const uint8_t *vault_id(const struct vault *v);
struct vault_gw *vault_gateway(struct vault *v);             /* borrowed: status and the like */
bool vault_has_share(const struct vault *v, unsigned index); /* 1 or 2: the store is open */
QC_MUST qc_rc vault_share_objects(struct vault *v, unsigned index, uint64_t *ret, struct qc_err *err);
bool vault_recovers(const struct vault *v); /* its backup data is sealed: vault_conf.recovers */
bool vault_is_kept(const struct vault *v);  /* it is with a keeper: vault_conf.kept */
bool vault_derives(const struct vault *v, unsigned index); /* it is, and its shares come from a seed */

/* What is needed to set up a machine anew, from one or two share store directories (dirs[1] may be NULL). */
struct vault_join {
    struct vault_descriptor d;
    const char *share[2]; /* which of dirs is store 1, store 2; NULL: not given */
};
void vault_join_done(struct vault_join *j);
/* passes: as in vault_conf. QC_SHARES  not a store;  QC_INTEGRITY  damaged, both of one index, or of
 * different vaults; QC_NOPASS, QC_PASSPHRASE  as vault_store_open. */
QC_MUST qc_rc vault_join_read(struct vault_join *ret, const char *const dirs[2], struct vault_passes *passes,
                              struct qc_err *err);

/* Store `index` (1, 2) names these clouds in its descriptor; of now nothing else is looked at. A vault of a
 * gateway for many users names none: nothing is changed. *ret_changed: it named others before. Durable on
 * return. Errors of vault_store_open with VAULT_STORE_WRITE; QC_NOTFOUND, QC_INTEGRITY, QC_FORMAT, QC_NEWER:
 * its descriptor cannot be read. */
QC_MUST qc_rc vault_renew_clouds(const struct vault_conf *conf, unsigned index,
                                 const struct vault_descriptor *now, bool *ret_changed, struct qc_err *err);

/* Tickets in share store 1 (0: none, or it cannot be asked): puts that need no share store 2. */
uint64_t vault_tickets_left(struct vault *v);

/* ---- put ---- */

#define VAULT_SIZE_UNKNOWN UINT64_MAX

/* Which file, in which state: compared when a put goes on, and at its end. */
struct vault_source_id {
    uint64_t device, inode, size;
    int64_t mtime_s, ctime_s;
    uint32_t mtime_ns, ctime_ns;
};

bool vault_source_same(const struct vault_source_id *a, const struct vault_source_id *b);
/* But for the device, whose number may be another one after a boot. */
bool vault_source_same_elsewhere(const struct vault_source_id *a, const struct vault_source_id *b);

/* Where D comes from. */
struct vault_source {
    /* Of one of several: before anything else of it is looked at, and behind its last byte, so that few are
     * open at a time. open sets what follows. Both NULL: it is open. vault_put asks for neither. */
    qc_rc (*open)(void *ctx, struct qc_err *err);
    void (*close)(void *ctx);
    /* Up to max bytes into dst; 0 is the end. */
    qc_rc (*read)(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err);
    /* After the last byte, before the commit: is what was read still what is there? QC_CHANGED. NULL: cannot
     * be asked. */
    qc_rc (*unchanged)(void *ctx, uint64_t bytes_read, struct qc_err *err);
    /* Where a put of it can go on after it was interrupted; both NULL: it always begins anew. The next byte
     * that is read is that at `offset`. */
    const struct vault_source_id *id;
    qc_rc (*seek)(void *ctx, uint64_t offset, struct qc_err *err);
    void *ctx;
    uint64_t size; /* for progress; VAULT_SIZE_UNKNOWN */
    bool has_mtime, has_mode;
    int64_t mtime_s;
    uint32_t mtime_ns, mode;
    qc_span xattrs; /* extended attributes, as vault_xattrs_read (vault/xattrs.h) gives them; empty: none */
    /* The same bytes as the version with this id, which the object notes; the put fails with QC_CONFLICT when
     * that is not, or no longer, the current version of the name. NULL: of none. */
    const uint8_t *from;
};

struct vault_put_opts {
    bool if_absent; /* QC_CONFLICT when the name has a current version */
    /* QC_CONFLICT when this is not, or no longer, the current version of the name; all zeros: when it has
     * one. NULL: whatever it has. */
    const uint8_t *over;
    bool hasty; /* wait for the write quorum alone: the other clouds follow, and the margin with them */
    bool anew;  /* what an interrupted put of the name has stored is given up, even if it could go on */
    /* Before the first byte is sent: an interrupted put goes on, with so many bytes of D that are durable; 0:
     * there was one, and `why` it is begun anew. NULL: not interested. */
    void (*took_up)(void *ctx, uint64_t durable, const char *why);
    void *took_up_ctx;
};

struct vault_put_result {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t number, sequence;
    uint64_t size, stored; /* |D|, |N| */
    uint64_t padding;      /* bytes of N that are neither D nor about it: L - |D| */
    uint64_t kept;         /* of D, by an interrupted put before; all of it: it had been committed */
    uint64_t sent;         /* of N, handed to the gateway now */
    uint64_t written; /* vault_call.metered: bytes of fragments, on all clouds, as the gateway counts them;
                         of a bundle, with its first file. 0: it does not say */
    bool waits;       /* set after a failure: what is durable stays, and the same put goes on there */
    char anew[256];   /* why an interrupted put of the name did not go on; "": there was none, or it did */
    int64_t margin, margin_full; /* clouds that may be lost: as acknowledged, as asked for */
    bool degraded;               /* less was reached than was asked, because clouds failed: exit 4 */
    bool
        open; /* set after a failure, too: it may be committed, now or later; the next put or rm settles it */
    uint32_t clouds, record_copies;
    char degraded_clouds[32][VAULT_CLOUD_NAME_MAX];
    char degraded_why[32][VAULT_CLOUD_WHY_MAX]; /* "": not known */
    size_t degraded_count;
    char following[32][VAULT_CLOUD_NAME_MAX]; /* hasty: not waited for, and not failed */
    size_t following_count;
};

/*
 * Seal and store D under a name. On QC_OK the version is committed: both shares, n fragments of each segment
 * (or, degraded, the write quorum) and the commit record are durable. On failure nothing is or will be
 * visible, unless ret->open: then the outcome is not known, and the next writing command finds out (journal).
 *
 * QC_SHARES    a store is not there, nothing was sent;  QC_AUTH  a store is read-only, nothing was sent
 * QC_USAGE     the name;  QC_CHANGED  the source changed;  QC_CONFLICT  if_absent, or others wrote the name
 * too often QC_QUORUM    fewer clouds than the write quorum;  QC_RANDOM;  and what the source returns
 *
 * A put of several segments whose source can seek goes on after it was interrupted, by the next put of the
 * name from the same file (vault_source_id): what the gateway has durably is not sent again, and what is sent
 * is sealed under another salt. The last segment that it has is compared with the file. Where anything is
 * different it is begun anew, as another version: never is one made of two.
 */
QC_MUST qc_rc vault_put(struct vault *v, qc_span name, const struct vault_source *source,
                        const struct vault_put_opts *opts, const struct vault_call *call,
                        struct vault_put_result *ret, struct qc_err *err);

/* ---- get ---- */

struct vault_stat {
    qc_buf name; /* owned */
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t number, sequence;
    uint64_t size, stored; /* |D|, |N| */
    bool has_mtime, has_mode;
    int64_t mtime_s, created_s;
    bool has_stored;  /* only where the object was opened, and the program that stored it noted the time */
    int64_t stored_s; /* by the clock of the machine that stored it, under the object's seal */
    uint64_t padding; /* as in vault_put_result; only where the object was opened, else 0 */
    uint32_t mtime_ns, mode;
    int64_t margin, acked_margin, margin_full;
    unsigned key_margin; /* local shares that may be lost: 1, 0 */
    struct vault_origin {
        bool is, seeded; /* its store has it; made from the store's seed, else drawn */
        uint32_t generation;
    } origin[2];    /* of share 1 and 2; by vault_explain alone */
    qc_span xattrs; /* borrowed, and only in a sink's begin: else empty */
};
void vault_stat_done(struct vault_stat *s);

/* What an earlier get that ended early may have left of the same output; ctx is the sink's. */
struct vault_left {
    /* Bytes from the first of D on, by its own word; 0: nothing. Once, before begin. */
    qc_rc (*find)(void *ctx, uint64_t *ret, struct qc_err *err);
    /* n of them from offset on. */
    qc_rc (*read)(void *ctx, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err);
    /* Once, after begin: so many of them are verified, and stay; the others go. The next byte that is written
     * follows them. */
    qc_rc (*keep)(void *ctx, uint64_t bytes, struct qc_err *err);
};

/* Where D goes. Only verified bytes are handed over (I2). */
struct vault_sink {
    /* Once, before the first byte, after M and the metadata were verified: size, times, mode. NULL: not
     * interested. */
    qc_rc (*begin)(void *ctx, const struct vault_stat *what, struct qc_err *err);
    /* Verified bytes, in order, one call at a time; perhaps in another thread than the caller's. */
    qc_rc (*write)(void *ctx, qc_span bytes, struct qc_err *err);
    /* Once, after the last byte: make it durable and visible. NULL: nothing to do. */
    qc_rc (*finish)(void *ctx, struct qc_err *err);
    /* Where a get of all of it may go on; NULL: each begins with the first byte. */
    const struct vault_left *left;
    void *ctx;
};

/*
 * Read and verify the current version of a name. Uses both shares; or one and backup data, with a note; or,
 * where a share or the backup data turns out wrong, the way that verifies. On failure the sink has got a
 * verified prefix at most, and finish was not called.
 *
 *   ret   filled on QC_OK; may be NULL
 *
 * QC_NOTFOUND   no such name, or removed;  QC_SHARES  neither share is there, or one and no backup data
 * QC_INTEGRITY  what does not verify;  QC_QUORUM  fewer than k fragments of a segment can be had
 */
QC_MUST qc_rc vault_get(struct vault *v, qc_span name, const struct vault_sink *sink,
                        const struct vault_call *call, struct vault_stat *ret, struct qc_err *err);

/*
 * These are the next that are asked for: their entries come by one request, and the sealed bytes of the small
 * ones, up to 1 MiB together, by another. A hint: what fails is asked for again, by each, and nothing is less
 * checked. Until the next call; count 0 forgets what is left. names: up to QC_VAULT_CALL_FILES.
 */
void vault_ahead(struct vault *v, const qc_span *names, size_t count, const struct vault_call *call);
/* The same of what vault_find has found: only bytes are fetched. */
void vault_ahead_found(struct vault *v, const qc_span *found, size_t count, const struct vault_call *call);

struct vault_which;
struct vault_get_opts {
    struct vault_slice slice;        /* {0}: all of it */
    const struct vault_which *which; /* which version, below; NULL: the current one. Borrowed */
    qc_span
        found; /* of this very name, by vault_find: the entry is taken from there; empty: it is asked for */
    uint64_t *size; /* |D| is written there once it is known, also where the part is refused; or NULL */
};
struct vault_got {
    struct vault_stat what;
    struct vault_range part; /* of D, as it was handed over */
    uint64_t fetched;        /* bytes of N asked of the gateway; what was asked twice counts once */
    uint64_t left, kept; /* bytes that an earlier get had left; of these, that are D's, verified in place */
};
void vault_got_done(struct vault_got *g);
/*
 * The same of a part. M is checked before the first byte, as for all of it: it is computed over what the head
 * and the tail of N say, and names the tag table of each group, and that both tags of each chunk. So a byte
 * that is handed over is that byte of that version, at that place. Of chunks that the part does not touch
 * nothing is said: they are not read. Fetched are chunk 0, the trailer, and for each group that is touched
 * its tag block, each chunk that is touched.
 *
 * QC_USAGE  the part is not all inside, nothing was handed over; else as vault_get
 */
QC_MUST qc_rc vault_get_part(struct vault *v, qc_span name, const struct vault_get_opts *opts,
                             const struct vault_sink *sink, const struct vault_call *call,
                             struct vault_got *ret, struct qc_err *err);

/*
 * Seal an object anew: the same bytes, time and mode become its next version, under keys that are drawn now.
 * The bytes go from one session to the other in memory; nothing is committed before every one is verified.
 *
 *   reader  another session of the same vault, used by a thread of its own until this returns
 *
 * Errors: vault_get's and vault_put's. QC_CONFLICT: the name got another version meanwhile; nothing changed
 */
QC_MUST qc_rc vault_reseal(struct vault *v, struct vault *reader, qc_span name,
                           const struct vault_put_opts *opts, const struct vault_call *call,
                           struct vault_put_result *ret, struct qc_err *err);

/* The entry alone, verified: no object bytes are read. QC_NOTFOUND, QC_INTEGRITY. */
QC_MUST qc_rc vault_stat(struct vault *v, qc_span name, const struct vault_call *call, struct vault_stat *ret,
                         struct qc_err *err);
/*
 * What the sealed object says of where its keys came from (FORMAT 11.1): opened and verified, but for its
 * chunks. Appended to provenance; nothing when it says nothing. Where its two local shares are from, in
 * ret->origin. And what carried it to its clouds (FORMAT
 * 11.2), appended to ways, or NULL. Errors: vault_get's.
 */
QC_MUST qc_rc vault_explain(struct vault *v, qc_span name, const struct vault_call *call,
                            struct vault_stat *ret, qc_buf *provenance, qc_buf *ways, struct qc_err *err);
/* Layout and margins per cloud as the gateway knows them. ids from vault_stat. */
QC_MUST qc_rc vault_layout(struct vault *v, const struct vault_stat *what, const struct vault_call *call,
                           struct vault_gw_info *ret, struct qc_err *err);

/* ---- versions ---- */

/*
 * The versions of a name are those of the object that its entry names, and of each object that had the name
 * before it was removed, where a share store has noted which that was; but not those that were moved to
 * another name, whose versions, older ones too, are listed there. What they are called and in which order
 * comes from the share stores' records and notes, sealed: a gateway can neither add a version nor hide one,
 * it can only fail to give it.
 */
struct vault_version {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t number; /* of the name's changes; 0: it was stored under another name, and moved here with the
                        object */
    uint64_t sequence;
    bool current;
    bool removed;      /* the name was removed after it, under that object */
    int64_t removed_s; /* when, by the clock of the machine that removed it */
    uint64_t disputed; /* or the object was moved to another name, with it, by the name's change of this
                          number: a store has noted both, and nobody here knows. It is not to be purged before
                          vault_settle_disputes; 0: not so */
};
struct vault_versions {
    uint64_t number;         /* of the name's last change */
    bool removed;            /* which is a removal, or: */
    bool moved;              /* what it had then was moved to another name, with its versions */
    uint64_t missing;        /* versions of these objects of which no store that is here has a whole record */
    uint64_t gone;           /* versions that were deleted for good, or are about to be: not listed */
    uint64_t unknown;        /* numbers 1..unknown: changes before a removal that nobody has noted */
    uint8_t M[32];           /* of the current one's entry */
    struct vault_version *v; /* the newest first; owned */
    size_t n;
};
void vault_versions_done(struct vault_versions *versions);
/* QC_NOTFOUND  no such name, or it was removed and nobody has noted what it was;  QC_INTEGRITY, QC_LIMIT. */
QC_MUST qc_rc vault_versions(struct vault *v, qc_span name, const struct vault_call *call,
                             struct vault_versions *ret, struct qc_err *err);
/* Which versions in *versions, of this name, are disputed: whether another name lists their object, as all
 * names there are are looked through, and both stores note that and nothing else from then on. *ret: how many
 * disputes are over; then the list is another one. What is being moved meanwhile stays as it is, and so does
 * all where others commit meanwhile. Needs both stores. Cost: two listings of all names, there or not, for
 * each dispute. QC_INTEGRITY: the gateway leaves names out. */
QC_MUST qc_rc vault_settle_disputes(struct vault *v, qc_span name, const struct vault_versions *versions,
                                    const struct vault_call *call, uint64_t *ret, struct qc_err *err);

/* One of a list that vault_versions made of this name; errors of vault_version_stat. */
QC_MUST qc_rc vault_versions_stat(struct vault *v, qc_span name, const struct vault_versions *versions,
                                  size_t i, const struct vault_call *call, struct vault_stat *ret,
                                  struct qc_err *err);

/* Which of them is meant: by id, else by time, else by number. */
struct vault_which {
    uint64_t number;
    const uint8_t *version; /* borrowed; NULL */
    bool by_time;           /* the newest that was stored at at_s or before: vault_stat_stored */
    int64_t at_s;
};
/* When a version was stored: as its seal says; or, of one that an older program stored, by the gateway's
 * word. */
int64_t vault_stat_stored(const struct vault_stat *s);

/*
 * One of them, opened and verified but for its chunks: times and size are what the sealed object says,
 * margins and created_s the gateway's. QC_NOTFOUND: names those that there are; and vault_get's errors.
 */
QC_MUST qc_rc vault_version_stat(struct vault *v, qc_span name, const struct vault_which *which,
                                 const struct vault_call *call, struct vault_stat *ret, struct qc_err *err);
/*
 * Make one of them the newest: its bytes, time and mode are stored as the name's next version, read, verified
 * and sealed anew under keys that are drawn now; of a removed name, too. reader, errors: as of vault_reseal,
 * and vault_version_stat's.
 */
QC_MUST qc_rc vault_restore(struct vault *v, struct vault *reader, qc_span name,
                            const struct vault_which *which, const struct vault_call *call,
                            struct vault_put_result *ret, struct qc_err *err);

/* A name that was removed; borrowed for the call. */
struct vault_removed {
    qc_span name;
    uint64_t number;   /* of the removal */
    int64_t created_s; /* when, by the gateway's word */
    bool known;        /* a share store has noted what it was: it can be restored, unless all of it is gone */
    bool emptied;      /* known: its versions were deleted for good */
    int64_t removed_s; /* known: when, by the clock of the machine that removed it */
    uint64_t newest;   /* known: number of the version that was the newest then */
};
typedef qc_rc (*vault_removed_fn)(void *ctx, const struct vault_removed *r, struct qc_err *err);
/* Names whose last change is a removal, as vault_list lists those that are there. */
QC_MUST qc_rc vault_trash(struct vault *v, qc_span prefix, vault_removed_fn fn, void *ctx,
                          const struct vault_call *call, struct qc_err *err);

/* ---- deletion for good ---- */

/* A version that shall be gone: of a list that vault_versions made. */
struct vault_doomed {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t sequence;
    qc_rc rc;          /* out: QC_OK: it is gone; QC_CONFLICT: a name points at it; why not, else */
    struct qc_err err; /* out: where rc is not QC_OK */
    int64_t until;     /* out, of vault_retain: kept until then, which may be later than was asked for */
};
/* Keep them until then (seconds since 1970), at least: the gateway refuses a purge before it. */
QC_MUST qc_rc vault_retain(struct vault *v, struct vault_doomed *items, size_t n, int64_t until,
                           const struct vault_call *call, struct qc_err *err);
/*
 * Purge them: at the gateway, then their shares in both stores, which have to be there and writable. QC_OK:
 * each has its outcome. QC_SHARES, QC_AUTH: a store is not; nothing was done. Whatever else: what had begun
 * is finished by the next vault_purge_settle, and these versions are listed no more.
 */
QC_MUST qc_rc vault_purge(struct vault *v, struct vault_doomed *items, size_t n,
                          const struct vault_call *call, struct qc_err *err);
/* Finish purges that were cut off; *ret: so many versions. */
QC_MUST qc_rc vault_purge_settle(struct vault *v, const struct vault_call *call, uint64_t *ret,
                                 struct qc_err *err);

/* ---- list, remove ---- */

/* One object; borrowed for the call. Anything but QC_OK ends the listing with that code. */
typedef qc_rc (*vault_list_fn)(void *ctx, const struct vault_stat *s, struct qc_err *err);

/*
 * Objects below a prefix, in byte order of their names, each entry verified. A prefix is "" (all), a
 * directory ("a/b" or "a/b/": what lies below it, and, without the slash, the object of exactly that name),
 * or the beginning of a component
 * ("a/b*": all names that begin with "a/b").
 * An entry that does not verify ends the listing with QC_INTEGRITY. Leaving entries out is noticed by
 * vault_verify only.
 */
QC_MUST qc_rc vault_list(struct vault *v, qc_span prefix, vault_list_fn fn, void *ctx,
                         const struct vault_call *call, struct qc_err *err);
/* As above, for gets to come, of any session: found goes to vault_get_part with the name (empty: it
 * asks). It looks at the stores' marks then, instead of the listing now. fn may use v. */
typedef qc_rc (*vault_find_fn)(void *ctx, const struct vault_stat *s, qc_span found, struct qc_err *err);
QC_MUST qc_rc vault_find(struct vault *v, qc_span prefix, vault_find_fn fn, void *ctx,
                         const struct vault_call *call, struct qc_err *err);

struct vault_remove_result {
    uint64_t number;
    uint32_t record_copies, clouds;
};
/* Remove a name (its versions stay stored). QC_NOTFOUND; QC_CONFLICT  others wrote the name too often. */
QC_MUST qc_rc vault_remove(struct vault *v, qc_span name, const struct vault_call *call,
                           struct vault_remove_result *ret, struct qc_err *err);
/* The same while this is its current version: QC_CONFLICT, and nothing is removed, when that is another. */
QC_MUST qc_rc vault_remove_version(struct vault *v, qc_span name, const uint8_t version[VAULT_ID_BYTES],
                                   const struct vault_call *call, struct vault_remove_result *ret,
                                   struct qc_err *err);

/* Settle what puts that were cut off have left, as each put and removal does before it begins: for whoever
 * looks at what there is first, and writes by that. What cannot be settled now stays, with a note. */
QC_MUST qc_rc vault_settle(struct vault *v, const struct vault_call *call, struct qc_err *err);
/* The same, and nothing that was cut off of this name goes on, or is left. QC_TEMP  something of it could not
 * be settled; what a running put of it stores comes later. */
QC_MUST qc_rc vault_settle_name(struct vault *v, qc_span name, const struct vault_call *call,
                                struct qc_err *err);

/* ---- verify, recover, status ---- */

/* What vault_verify found of one object. */
struct vault_verdict {
    const struct vault_stat *what; /* name etc.; borrowed */
    qc_rc rc; /* QC_OK: all is well; QC_DEGRADED: it opens, but something is wrong; else the failure */
    const char *text;         /* which check, or what the pattern of opening paths means */
    bool plain, with1, with2; /* which ways open: both shares; share 1 and B; share 2 and B */
    bool backup_ok;           /* B's n2 and R4 are right */
};
typedef qc_rc (*vault_verdict_fn)(void *ctx, const struct vault_verdict *verdict, struct qc_err *err);

struct vault_verify_result {
    uint64_t objects, good, degraded, bad, bytes;
    qc_rc worst; /* qc_rc_worse over the objects, as exit code of the run */
};
/*
 * Each object below a prefix (as in vault_list): entry, all three opening paths, B, every chunk; and, for
 * prefix "", the chain of commits against the entries and both stores' seals. A bad object does not end the
 * run.
 */
QC_MUST qc_rc vault_verify(struct vault *v, qc_span prefix, vault_verdict_fn fn, void *ctx,
                           const struct vault_call *call, struct vault_verify_result *ret,
                           struct qc_err *err);
/* The same of some of them. */
struct vault_verify_some {
    /* Is this one to be looked at? Asked of each in its order, before it is; NULL: all are. */
    qc_rc (*wanted)(void *ctx, const struct vault_stat *s, bool *ret, struct qc_err *err);
    /* Its bytes, verified, in order; perhaps in another thread. A verdict that is not good may come before
     * the last of them. NULL: nobody wants them. */
    void (*bytes)(void *ctx, qc_span bytes);
    vault_verdict_fn verdict; /* or NULL */
    void *ctx;
};
QC_MUST qc_rc vault_verify_some(struct vault *v, qc_span prefix, const struct vault_verify_some *some,
                                const struct vault_call *call, struct vault_verify_result *ret,
                                struct qc_err *err);

/* What a drill does without, as if it were lost. A share store is withheld by opening the vault without it.
 */
struct vault_drill {
    qc_span prefix;      /* as in vault_list */
    const char *without; /* "NAME,NAME": clouds that are not asked; NULL: none. Borrowed */
    bool by_code;        /* of these, in order, no more for an object than its own code bears */
    uint64_t sample;     /* at most so many objects, drawn evenly; 0: all */
    uint64_t seed;       /* of the draw */
};
/* One object of a drill; borrowed for the call. */
struct vault_drilled {
    const struct vault_stat *what;
    qc_rc rc;         /* QC_OK: every byte came back, verified; else it would have been lost */
    const char *text; /* why */
};
typedef qc_rc (*vault_drilled_fn)(void *ctx, const struct vault_drilled *one, struct qc_err *err);
struct vault_drill_result {
    uint64_t objects; /* below the prefix */
    uint64_t tried, back, bytes;
    uint64_t fewer; /* of these: tried without fewer clouds, for their code bears no more */
    qc_rc worst;    /* qc_rc_worse over the objects that were tried */
};
/*
 * Fetch, open and verify objects as a get after such a loss would, into nothing. What does not come back does
 * not end the run. Nothing is changed, and nothing is held against the clouds that were withheld.
 * QC_TEMP, QC_TIMEOUT, QC_CANCELLED, QC_NOMEM; QC_INTEGRITY as vault_list; QC_USAGE: no such cloud
 */
QC_MUST qc_rc vault_drill(struct vault *v, const struct vault_drill *what, vault_drilled_fn fn, void *ctx,
                          const struct vault_call *call, struct vault_drill_result *ret, struct qc_err *err);

struct vault_recover_result {
    uint64_t records; /* in the store that is left */
    uint64_t written; /* to the new one, now */
    uint64_t present; /* were there already, and verify */
    uint64_t failed;  /* could not be made; a note each */
    uint64_t bytes;   /* read from the gateway */
    uint64_t left;    /* of the records, such that were not asked for, and that the new store lacks */
    bool whole;       /* the new store has all that the other one knows; else it says that it has not */
    bool locked;      /* the new store is under a passphrase: that of the other one */
    bool derived;     /* its shares come from a seed */
};
/* How: */
struct vault_recovering {
    const struct vault_kit
        *kit;                 /* by the lost store's own seed: the new one is a derived one again; or NULL */
    const char *const *names; /* objects, and prefixes of them as in vault_list, that come first */
    int count;
    bool only; /* these alone: the rest comes when it is called again without */
};
/*
 * Rewrite share store `index` for every version from the other store and backup data, each checked against M:
 * heads and tails of N are read, no data. The new store is wrapped as the other one is. Interrupted, it goes
 * on where it was when it is called again.
 *
 *   dir   the new store's directory: empty or missing, or a recovery that was broken off
 *
 * QC_SHARES  the other store is not there;  QC_CONFLICT  dir holds something else, or the store is there and
 * whole A version that cannot be recovered does not end the run (failed, note). The session should be closed
 * and opened again.
 */
QC_MUST qc_rc vault_recover(struct vault *v, unsigned index, const char *dir, const struct vault_call *call,
                            struct vault_recover_result *ret, struct qc_err *err);
/* The same as `how` says. Until the new store has all that the other one knows it says so itself (FORMAT 7.2,
 * item `filling`), from before the first record on. QC_USAGE: the kit is of another vault or share, or of
 * shares that were replaced; QC_NOTFOUND: nothing is of a name; in both cases nothing was written. */
QC_MUST qc_rc vault_recover_as(struct vault *v, unsigned index, const char *dir,
                               const struct vault_recovering *how, const struct vault_call *call,
                               struct vault_recover_result *ret, struct qc_err *err);

/* ---- refresh: other shares of the same secrets ---- */

struct vault_refresh_result {
    uint32_t generation; /* that is in use now */
    bool went_on;        /* with a refresh that was broken off */
    uint64_t versions;   /* refreshed now */
    uint64_t left;       /* have shares of before still: they could not be opened, or replaced; a note each */
    uint64_t pending;    /* records of puts that are not committed, if they ever are: left as they are */
    uint64_t tickets;    /* void: they were shares of before */
    bool done;           /* nothing needs the old generation any more, and the stores have forgotten it */
};
/*
 * Make new shares of everything: of each version that the stores know, and of the vault secret. R, K, N and
 * the names stay; R1, R2 (or the seeds) and B are new, of the next generation. An old share opens nothing
 * with a new one or a new B. Interrupted at any point, all opens as before, and the next call goes on.
 * refresh.c
 *
 * QC_SHARES, QC_AUTH   both stores must be there, and writable;  QC_LOCKED  another refresh is under way
 * A version that cannot be done does not end the run. The session goes on with the new shares.
 */
QC_MUST qc_rc vault_refresh(struct vault *v, const struct vault_call *call, struct vault_refresh_result *ret,
                            struct qc_err *err);

/* ---- tickets: puts while share store 2 is elsewhere ---- */

/*
 * Draw tickets until there are `want` in share store 1. Each is a fresh object and version whose share 2 is
 * recorded in share store 2. A put that finds share store 2 missing (not locked, not damaged) uses one up;
 * what it stores under a name that is taken is another object of that name. *ret: how many there are.
 * QC_SHARES, QC_AUTH: both stores must be there, and writable
 */
QC_MUST qc_rc vault_tickets_draw(struct vault *v, uint64_t want, const struct vault_call *call, uint64_t *ret,
                                 struct qc_err *err);
/* All that are left are void. *ret: how many. Their records stay in share store 2, pending. */
QC_MUST qc_rc vault_tickets_cancel(struct vault *v, const struct vault_call *call, uint64_t *ret,
                                   struct qc_err *err);

/* ---- kits (vault/kit.h) ---- */

/* The kit of share 1 (shares 1), share 2 (2) or both (3), from the stores. QC_SHARES and the like: a store is
 * not there;  QC_USAGE: it keeps its shares, and has no seed. */
QC_MUST qc_rc vault_kit_of(struct vault_kit *ret, struct vault *v, unsigned shares, struct qc_err *err);
/* The kit of the recovery key. QC_USAGE: the vault has none; QC_SHARES: both stores are needed. */
QC_MUST qc_rc vault_recovery_kit(struct vault_kit *ret, struct vault *v, struct qc_err *err);
/* Appended: the descriptor's text, from a store that is there. QC_INTEGRITY: none verifies. */
QC_MUST qc_rc vault_where(struct vault *v, qc_buf *ret, struct qc_err *err);
/* Is this kit one of v's as it is now? QC_USAGE: no, and why. */
QC_MUST qc_rc vault_kit_here(const struct vault_kit *kit, struct vault *v, struct qc_err *err);
/*
 * Make the share stores whose seeds are in a kit, in conf's directories, when no store of the vault is left;
 * d says where the gateway is (its vault and stores fields are filled in by this call). They know of no
 * version: open the vault, and vault_relearn. Whoever remembers the stores calls vault_store_made. After a
 * failure none is left.
 *
 * QC_USAGE     the kit is of another vault than the gateway's, or of shares that were replaced
 * QC_CONFLICT  a directory is not empty
 */
QC_MUST qc_rc vault_revive(const struct vault_conf *conf, const struct vault_kit *kit,
                           struct vault_descriptor *d, struct vault_gw *gw, const struct vault_call *call,
                           struct qc_err *err);
/* Each name's current version and number into the derived stores of v. *ret: how many. What is no name's
 * current version is in no list of the gateway's, and stays unknown. */
QC_MUST qc_rc vault_relearn(struct vault *v, const struct vault_call *call, uint64_t *ret,
                            struct qc_err *err);

/* The local part of `status`; needs no gateway. */
struct vault_local_status {
    struct {
        qc_rc rc; /* QC_OK: open and whole; QC_SHARES: missing; QC_NOPASS: there, and locked; else what is
                     wrong */
        char text[256];
        bool writable;
        bool locked;                        /* under a passphrase, open or not */
        bool derived;                       /* its shares come from a seed */
        bool recovers;                      /* backup data of its vault is sealed under a recovery key */
        bool kept;                          /* .. is with a keeper */
        bool filling;                       /* there, and rc says QC_SHARES: its recovery is not at its end */
        uint64_t tickets;                   /* share store 1: for puts without share store 2 */
        uint64_t device;                    /* st_dev of its directory */
        uint64_t records, pending, commits; /* commits: count of the vault head it knows */
        uint32_t generation, other; /* of its shares; other: beside it while they are refreshed, or 0 */
    } share[2];
    uint64_t unfinished; /* puts in the journal that no command is working on */
    uint64_t waiting;    /* of these, such that the same put goes on with */
    bool same_device;    /* both stores lie on one device */
    bool refreshing;     /* a refresh is under way, or was broken off: the same command goes on */
};
QC_MUST qc_rc vault_status_local(struct vault_local_status *ret, const struct vault_conf *conf,
                                 struct qc_err *err);
