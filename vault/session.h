/* An open vault, and what put, get, list and the others share. Layer 3. */
#pragma once
#include "vault/backup.h"
#include "vault/keepers.h"
#include "vault/name.h"
#include "vault/record.h"
#include "vault/ring.h"
#include "vault/share_store.h"
#include "vault/vault.h"

struct many;
struct qc_workq;

struct vault {
    uint8_t id[VAULT_ID_BYTES];
    struct vault_store *store[2]; /* NULL: not there, why[] says why */
    struct qc_err why[2];
    char *dir[2]; /* NULL: not configured */
    char *state;
    char *provenance;
    qc_rng ids;
    const char *(*tell)(void *ctx);
    void *tell_ctx;
    qc_rng rng;
    struct vault_gw *gw;
    bool recovers;                   /* the vault has a recovery key: */
    qc_key *W;                       /* NULL: it is not to be had: one store is there, and nobody gave it */
    bool kept;                       /* backup data is with a keeper: */
    bool fetched;                    /* the vault's own is here, in `backup` */
    struct vault_keeper *keeper;     /* borrowed; NULL: nobody said where */
    bool apart;                      /* it was seen to be a place of its own */
    struct vault_descriptor keepers; /* members before of it alone: vault_keeper_before */
    bool outdated; /* both stores are copies from before their shares were replaced: for reading alone */
    struct vault_record record; /* of the vault, verified */
    qc_buf backup;              /* the vault's B, as it came */
    struct vault_ring *ring;
    struct vault_head head;      /* replayed */
    struct ahead *ahead;         /* of gets to come; NULL: nothing */
    uint64_t (*pad)(uint64_t n); /* as in vault_conf */
    bool looking;                /* between session_look and session_look_end */
    /* Bundles that were sealed and are not over, in their order. */
    struct many *under_way[QC_VAULT_BUNDLES_AHEAD];
    size_t under_way_count;
    /* Connections of the threads that send them, and have them committed; NULL: none was put. */
    struct vault_gw *sender_gw, *committer_gw;
    struct qc_workq *sender, *committer;
    struct qc_workq *second; /* for share store 2 while the caller's thread has store 1; NULL: none yet */
};

/* "'name'" with what is not printable ASCII escaped as \xNN, cut with "..": for messages. */
#define NAME_TEXT 160
void session_name_text(char out[NAME_TEXT], qc_span name);

/* The recovery key, where the vault has one: of both stores, or as given (NULL: not). Wants the stores open.
 * QC_USAGE: the one given is another vault's, or this vault has none; QC_INTEGRITY: what the stores have of
 * it does not fit together. recovery.c */
QC_MUST qc_rc session_recovery(struct vault *v, const qc_key *given, struct qc_err *err);
/* KDF(W, "commit", ids of VS): what a store holds a recovery key against. */
QC_MUST qc_rc recovery_commitment(uint8_t ret[32], const qc_key *W, const uint8_t vault[VAULT_ID_BYTES],
                                  struct qc_err *err);
/* As vault_kit_here. */
QC_MUST qc_rc recovery_kit_here(const struct vault_kit *kit, struct vault *v, struct qc_err *err);
/* B that was made here, as it goes to the gateway: sealed, where the vault has a recovery key (which is here:
 * session_need_both). */
QC_MUST qc_rc session_backup_seal(const struct vault *v, qc_buf *B, struct qc_err *err);

/* Is there a keeper? Wants the stores open, and v->keeper as the configuration has it. QC_INTEGRITY: one
 * store knows of one alone; QC_NOTCONF: there is one, of a vault that has none. kept.c */
QC_MUST qc_rc kept_agree(struct vault *v, struct qc_err *err);
/* Of a vault with a keeper; of another one they do nothing, or give what is given. kept.c
 * begin: is the keeper there, apart from all else (vault_keeper_apart, once in a session), and the vault's
 * by the generation of the stores? Before anything is sent.
 * QC_NOTCONF: nobody said where, or it is another's, or was the keeper before another; QC_INTEGRITY: what it
 * has of the vault is damaged; as vault_keeper_ops
 * has: the same by that generation.
 * still: the same just before a commit, by the generation that the gateway has: the keeper may be another one
 * by then. For a thread that has no hand at the stores, too; gw: its connection.
 * keep: each B to the keeper, durably; what goes to the gateway stands in its place. One that does stays.
 * fetch: B in the place of what the gateway gave; the vault's own in v. QC_INTEGRITY: the keeper has none, or
 * another version's
 * forget: versions that never came to be, wherever their B is.
 * drop: those that are gone for good, of the keeper that has them: errors as of begin. */
QC_MUST qc_rc kept_begin(struct vault *v, const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_has(const struct vault *v, uint32_t least, const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_still(const struct vault *v, struct vault_gw *gw, const struct vault_op *op,
                         struct qc_err *err);
QC_MUST qc_rc kept_keep(const struct vault *v, qc_buf *const *B, size_t n, const struct vault_op *op,
                        struct qc_err *err);
QC_MUST qc_rc kept_fetch(const struct vault *v, const struct vault_gw_version *version, qc_buf *B,
                         const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_fetch_vault(struct vault *v, const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_forget(const struct vault *v, const struct vault_gw_version *versions, size_t n,
                          const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_drop(const struct vault *v, const struct vault_gw_version *versions, size_t n,
                        const struct vault_op *op, struct qc_err *err);
/* A refresh begins, or goes on: what the stores say of where the keeper is follows what the session was
 * given, and nothing else does. Of one that has nothing yet they say, too, where all is till the refresh is
 * at its end (kept_changed). Wants both stores. Errors: as of has, but for those that it is asked about;
 * QC_LIMIT: too many such changes. */
QC_MUST qc_rc kept_change(struct vault *v, const struct vault_op *op, struct qc_err *err);
QC_MUST qc_rc kept_changed(const struct vault *v, struct qc_err *err);
/* These two ids, as calls take them. */
struct vault_gw_version session_version(const uint8_t object[VAULT_ID_BYTES],
                                        const uint8_t version[VAULT_ID_BYTES]);
/* B of a version, as it was made: of the gateway, and opened, or of the keeper. Errors: backup_get's,
 * vault_backup_unseal's, kept_fetch's. */
QC_MUST qc_rc session_backup_get(const struct vault *v, struct vault_gw *gw,
                                 const struct vault_gw_version *version, qc_buf *ret,
                                 const struct vault_op *op, struct qc_err *err);

/* Store `index` (1, 2), or the reason why there is none. QC_SHARES or what its opening said. */
QC_MUST qc_rc session_need_store(struct vault *v, unsigned index, struct qc_err *err);
/* Of the shares of what is put now: that of both stores, also while a refresh is between them. */
uint32_t session_generation(const struct vault *v);
/* Store i's (0, 1) share of VS as the vault's B wants it: of its generation, not corrected. QC_SHARES,
 * QC_INTEGRITY */
QC_MUST qc_rc session_own_secret(qc_key **ret, const struct vault *v, unsigned i,
                                 const struct vault_backup *B, struct qc_err *err);
/* VS, by the stores and the vault's B as they are in v. */
QC_MUST qc_rc session_secret(qc_key **ret, struct vault *v, struct vault_notes *notes, struct qc_err *err);
/* Does a store's answer mean that it, or the value asked for, is damaged, so that the other store must serve?
 */
bool session_is_damage(qc_rc rc);
/* What store i (0, 1) answered, rc and why: QC_OK for damage, too, which is a note, so that the other store
 * is asked; else as it is. */
QC_MUST qc_rc session_noted_damage(qc_rc rc, unsigned i, const struct qc_err *why, struct vault_notes *notes,
                                   struct qc_err *err);
/* Both stores, writable. QC_SHARES, QC_AUTH. */
QC_MUST qc_rc session_need_both(struct vault *v, struct qc_err *err);

/* A commit that must be found on the way: its number, and its seal (32 bytes) or the chain's value after it,
 * or both; NULL: not looked at. */
struct session_watch {
    uint64_t index;
    const uint8_t *seal, *h;
};

/*
 * Replay the chain from the known head to the gateway's, past the commit of watch (NULL: none), which lies
 * behind the known head. QC_INTEGRITY "vault head: ..". The head in v moves on; stores are not touched.
 */
QC_MUST qc_rc session_catch_up(struct vault *v, const struct session_watch *watch, const struct vault_op *op,
                               struct qc_err *err);
/* The same past many commits. */
QC_MUST qc_rc session_catch_up_all(struct vault *v, const struct session_watch *watches, size_t count,
                                   const struct vault_op *op, struct qc_err *err);
/* The same, no further than the last of them: what follows is looked for later. */
QC_MUST qc_rc session_catch_up_part(struct vault *v, const struct session_watch *watches, size_t count,
                                    const struct vault_op *op, struct qc_err *err);
/* Write v's head to the stores that can be written; what fails is a note. */
void session_save_head(struct vault *v, struct vault_notes *notes);

/*
 * Check an entry from the gateway: seal, path (path.n = 0: any), and the high-water marks of the stores.
 * Where another command has raised a mark since the answer was made, the gateway is asked again: its newer
 * entry goes to *newer, and *e points there. QC_INTEGRITY  "..older than this client has seen (rollback)".
 */
QC_MUST qc_rc session_entry_check(struct vault *v, qc_span path, const struct vault_gw_entry **e,
                                  struct vault_gw_entry *newer, const struct vault_call *call,
                                  struct qc_err *err);

/* Entries that are checked until session_look_end are checked by one look at the stores, and with keys in
 * open pages (base/key.h): for a page of a listing, or what was fetched ahead. Where that cannot be begun,
 * each check says why. Once at a time; no call to the gateway in between but those that end it before. */
void session_look(struct vault *v);
void session_look_end(struct vault *v);

/*
 * The checked entry of a path. Tombstones are found. *ret_found false: the path never existed (and no mark
 * says that it did); ret is empty then.
 */
QC_MUST qc_rc session_entry(struct vault *v, qc_span path, struct vault_gw_entry *ret, bool *ret_found,
                            const struct vault_call *call, struct qc_err *err);

/*
 * The same with the gateway's answer at hand: *e, which is taken over, or, as it says, none (e NULL). Where
 * the answer does not do it is asked again.
 */
QC_MUST qc_rc session_entry_given(struct vault *v, qc_span path, struct vault_gw_entry *e,
                                  struct vault_gw_entry *ret, bool *ret_found, const struct vault_call *call,
                                  struct qc_err *err);

/* The same of one whose seal was checked by this process. */
QC_MUST qc_rc session_entry_found(struct vault *v, struct vault_gw_entry *e, struct vault_gw_entry *ret,
                                  bool *ret_found, const struct vault_call *call, struct qc_err *err);

/* The entry of a name that is there: QC_NOTFOUND also for tombstones. path is appended to. */
QC_MUST qc_rc session_entry_of_name(struct vault *v, qc_span name, qc_buf *path, struct vault_gw_entry *ret,
                                    const struct vault_call *call, struct qc_err *err);

/* As session_entry answers: taken over to ret where it is there. QC_NOTFOUND */
QC_MUST qc_rc session_entry_is_file(struct vault_gw_entry *e, bool found, struct vault_gw_entry *ret,
                                    struct qc_err *err);

/* What an entry says, for the user. name is copied. The private part is opened: QC_INTEGRITY. */
QC_MUST qc_rc session_stat(struct vault *v, qc_span name, const struct vault_gw_entry *e,
                           struct vault_stat *ret, struct qc_err *err);

/* A fresh request id for the following calls, on v's connection; its text to out. */
QC_MUST qc_rc session_request(struct vault *v, char out[VAULT_REQUEST_ID_BYTES], struct qc_err *err);
/* Ask for the faults beneath a request id and turn them into notes. Failures are not told: notes are a
 * courtesy. */
void session_note_faults(struct vault *v, const char *request, const struct vault_call *call);
/* After a failed read: the gateway's own reason instead of a broken connection, where it remembers one. */
QC_MUST qc_rc session_read_reason(struct vault_gw *gw, const char *request, const struct vault_op *op,
                                  qc_rc rc, struct qc_err *err);

/* For what must still be said to the gateway after `op` failed: some time, little of it beyond op's own
 * deadline, and not broken off by the flag that may have ended op. */
struct vault_op session_settle_op(const struct vault_op *op);

/* In every store that is there and can be written: the mark of a path and v's head. What fails is a note. */
void session_mark(struct vault *v, qc_span path, uint64_t number, struct vault_notes *notes);

void session_progress(const struct vault_call *call, const struct vault_progress *p);
