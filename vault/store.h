/* Inside the share store: the open store and its sealed values. Layer 3. Format: FORMAT 7.2. */
#pragma once
#include "base/crypto.h"
#include "base/db.h"
#include "base/file.h"
#include "base/rng.h"
#include "vault/share_store.h"

#define STORE_APPLICATION 0x51434C53u /* "QCLS" */
#define STORE_SALT        16
#define STORE_SEALED      (STORE_SALT + 32 + QC_TAG) /* a sealed share */
#define STORE_SEALED_NONE (STORE_SALT + QC_TAG)      /* its seed gives the share */
#define STORE_HEAD_CLEAR  104
#define STORE_HEAD_SEALED 168 /* of a vault with a recovery key */

/* What the shares of a generation come from. */
struct store_gen {
    uint32_t generation; /* 0: there is none */
    qc_key *VS_i;        /* what the seed gives, where there is one */
    qc_key *kept; /* the share of VS, where that is another one, as after a refresh; NULL: it is VS_i, or
                     the vault's B has a correction */
    qc_key *W_i;  /* half of the recovery key; NULL: the vault has none */
    qc_key *seed; /* of a derived store; NULL: a stored one */
    struct qc_prk *from; /* of the seed */
};

struct vault_store {
    char *dir;
    unsigned index;
    bool writable;
    uint8_t vault[VAULT_ID_BYTES], id[VAULT_ID_BYTES];
    struct store_gen in_use;
    struct store_gen other;        /* of the time of a refresh: the one to come, or the one before */
    uint8_t head_salt[STORE_SALT]; /* of the item that in_use was read from: another one, and the head was
                                      changed */
    uint8_t commitment[32], W_commitment[32]; /* of VS; of W, where there is one */
    bool kept; /* backup data of the vault is with a keeper; no recovery key then */
    bool filling;
    qc_key *SK;
    struct vault_lock lock; /* what SK is wrapped under */
    struct qc_prk *prk;     /* of SK */
    qc_key *mark_key;
    struct qc_db *db;
    struct qc_fd making; /* the mark of a store that is being made, held (store_half.h) */
    /* Between vault_store_look and _end: a read that is not over, so that the database is locked and looked
     * at once, and what reads. NULL else. */
    struct {
        struct qc_stmt *held, *mark, *sequence, *record;
        struct vault_store_record
            last; /* what `sequence` opened, and its seal: mostly it is asked for next */
        uint8_t sealed[STORE_SEALED];
        size_t sealed_n; /* 0: nothing */
    } look;
};

/* What a record's seal binds besides the store. */
struct store_record_id {
    const uint8_t *object, *version;
    uint32_t generation;
    enum vault_record_state state;
    uint64_t sequence;
};

/* Sealed value of a record under a fresh salt: STORE_SEALED bytes, or STORE_SEALED_NONE in a derived store
 * whose seed gives this share, and of a version that is gone, whose share is NULL. */
QC_MUST qc_rc store_record_seal(uint8_t ret[STORE_SEALED], size_t *ret_n, const struct vault_store *s,
                                const struct store_record_id *id, const qc_key *share, const qc_rng *rng,
                                struct qc_err *err);
/* The generation of that number. NULL: s has none. */
const struct store_gen *store_gen_of(const struct vault_store *s, uint32_t generation);
void store_gen_done(struct store_gen *g);
/* The share of a version as the seed of that generation gives it. QC_INTEGRITY: there is no such seed. */
QC_MUST qc_rc store_seed_share(qc_key **ret, const struct vault_store *s, uint32_t generation,
                               const uint8_t *object, const uint8_t *version, struct qc_err *err);
/* From a seed, or (NULL) with the share of VS; with both, the share is kept where the seed gives another one.
 * Index and vault of s are set. */
QC_MUST qc_rc store_gen_make(struct store_gen *ret, const struct vault_store *s, uint32_t generation,
                             const qc_key *seed, const qc_key *VS_i, const qc_key *W_i, struct qc_err *err);
/* The head is read again, if it was changed since; *ret_changed. store_gen.c */
QC_MUST qc_rc store_reload(struct vault_store *s, bool *ret_changed, struct qc_err *err);
/* A pending record that is sealed already: of many the shares need not be in memory at once. */
struct store_sealed {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint32_t generation; /* the same of all that are added at once */
    uint8_t sealed[STORE_SEALED];
    uint8_t committed[STORE_SEALED]; /* the same record once it is committed, */
    uint64_t sequence;               /* with this one; 0: it was not sealed */
    size_t n;                        /* bytes of each */
};
/* r->sequence: of the record once it is committed. */
QC_MUST qc_rc store_pending_seal(struct store_sealed *ret, const struct vault_store *s,
                                 const struct vault_store_record *r, const qc_rng *rng, struct qc_err *err);
/* As vault_store_add. */
QC_MUST qc_rc store_pending_add(struct vault_store *s, const struct store_sealed *rows, size_t count,
                                struct qc_err *err);
/* As vault_store_commit of each, in one transaction: all or none. */
QC_MUST qc_rc store_commit_many(struct vault_store *s, const struct vault_store_commit *changes, size_t count,
                                const qc_rng *rng, struct qc_err *err);
/* As vault_store_remove_pending of each, in one transaction: all or none. */
struct store_version {
    const uint8_t *object, *version;
};
/* Records of these versions that are of an earlier generation go, all or none. */
QC_MUST qc_rc store_drop_old(struct vault_store *s, const struct store_version *versions, size_t count,
                             uint32_t generation, struct qc_err *err);
/* Records of a new generation, all or none. State and sequence are those of the newest record that the
 * version has by then, and come out; as given where it has none that is whole. One that is gone stays so: no
 * record.
 */
QC_MUST qc_rc store_add_anew(struct vault_store *s, struct vault_store_record *records, size_t count,
                             const qc_rng *rng, struct qc_err *err);
/* Records after a cursor, in the order of their keys: those of the first condition, each with " AND " behind
 * it. A row whose key is damaged is not shown: the cursor could not go on from it, and would go round for
 * ever. Who counts rows misses it. */
#define STORE_WALK(condition)                                                                                \
    "SELECT " STORE_RECORD_COLUMNS " FROM record WHERE " condition "(?4 = 0 OR"                              \
    " (object_id, version_id, generation) > (?1, ?2, ?3))"                                                   \
    " AND typeof(object_id) = 'blob' AND length(object_id) = 16"                                             \
    " AND typeof(version_id) = 'blob' AND length(version_id) = 16"                                           \
    " AND typeof(generation) = 'integer' AND generation BETWEEN 1 AND 4294967295"                            \
    " ORDER BY object_id, version_id, generation"
QC_MUST qc_rc store_walk(struct vault_store *s, const char *sql, const struct vault_store_cursor *cursor,
                         struct qc_stmt **ret, struct qc_err *err);
/* The next walk goes on after this record. */
void store_walked(struct vault_store_cursor *cursor, const struct vault_store_record *r);
QC_MUST qc_rc store_remove_many(struct vault_store *s, const struct store_version *versions, size_t count,
                                struct qc_err *err);
/* QC_INTEGRITY  it does not open. *ret of a version that is gone: NULL. */
QC_MUST qc_rc store_record_open(qc_key **ret, const struct vault_store *s, const struct store_record_id *id,
                                qc_span sealed, struct qc_err *err);
/* The same of a share that is kept in the record, whatever a seed gives: STORE_SEALED bytes. */
QC_MUST qc_rc store_record_keep(uint8_t ret[STORE_SEALED], const struct vault_store *s,
                                const struct store_record_id *id, const qc_key *share, const qc_rng *rng,
                                struct qc_err *err);

/* Columns of a record, the row that a statement stands on, and one row as it is: a derived store gives none
 * that is not there. generation 0: the row of the highest. */
#define STORE_RECORD_COLUMNS "object_id, version_id, generation, state, sequence, sealed"
QC_MUST qc_rc store_row_open(struct vault_store_record *ret, struct vault_store *s, struct qc_stmt *row,
                             struct qc_err *err);
/* What is remembered of the row that was opened last; its share is somebody else's. */
void store_forget_last(struct vault_store *s);
QC_MUST qc_rc store_row_get(struct vault_store *s, const uint8_t *object, const uint8_t *version,
                            uint32_t generation, struct vault_store_record *ret, struct qc_err *err);
/* In a transaction. */
QC_MUST qc_rc store_row_put(struct vault_store *s, const struct store_record_id *id, qc_span sealed,
                            struct qc_err *err);

/* Item `head` or `other`: index, mode, vault, a generation, VS_i or the seed, and commitment of s; appended.
 */
QC_MUST qc_rc store_head_seal(qc_buf *ret, const struct vault_store *s, const char *item,
                              const struct store_gen *g, const qc_rng *rng, struct qc_err *err);
/* Fills index, vault, commitment of s, whose id and prk are set, and *ret, which is empty. QC_INTEGRITY,
 * QC_NEWER, QC_FORMAT. */
QC_MUST qc_rc store_head_open(struct vault_store *s, const char *item, struct store_gen *ret, qc_span sealed,
                              struct qc_err *err);

/* Item `secret/..`: g->kept, sealed; appended. open: the other way round, into g->kept. QC_INTEGRITY. */
QC_MUST qc_rc store_secret_seal(qc_buf *ret, const struct vault_store *s, const struct store_gen *g,
                                const qc_rng *rng, struct qc_err *err);
QC_MUST qc_rc store_secret_open(struct store_gen *g, const struct vault_store *s, qc_span sealed,
                                struct qc_err *err);
/* The item is as g has it: there, or not. In a transaction. store_gen.c */
QC_MUST qc_rc store_secret_put(struct vault_store *s, const struct store_gen *g, const qc_rng *rng,
                               struct qc_err *err);

QC_MUST qc_rc store_mark_tag(uint8_t ret[16], const struct vault_store *s, const uint8_t path_tag[16],
                             uint64_t number, struct qc_err *err);

/* Items that are text and an HMAC. get: QC_NOTFOUND, QC_INTEGRITY; appends the text. */
QC_MUST qc_rc store_text_get(struct vault_store *s, const char *item, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc store_text_put(struct vault_store *s, const char *item, qc_span text, struct qc_err *err);
QC_MUST qc_rc store_item_get(struct vault_store *s, const char *item, qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc store_item_put(struct vault_store *s, const char *item, qc_span value, struct qc_err *err);
/* Of a store that is filled: the item is there. */
#define STORE_FILLING "filling"
QC_MUST qc_rc store_filling_get(struct vault_store *s, bool *ret, struct qc_err *err);
QC_MUST qc_rc store_item_drop(struct vault_store *s, const char *item, struct qc_err *err);

/* prk and mark_key of s from SK; s->id is set. */
QC_MUST qc_rc store_keys(struct vault_store *s, const qc_key *SK, struct qc_err *err);

/* Put "share store 1 (dir)" before a message and pass the code on. */
QC_MUST qc_rc store_said(const struct vault_store *s, qc_rc rc, struct qc_err *err);

/* QC_AUTH unless the store is open for writing. */
QC_MUST qc_rc store_want_write(const struct vault_store *s, struct qc_err *err);
