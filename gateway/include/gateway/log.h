/* The commit log on the clouds: sealed batches of records, chained by hash. Layer 4; uses base. Keeps I1, I7.
 * Format: FORMAT 9.3. Pure functions on the caller's memory; any thread.
 *
 * L1: an object's bytes depend on its salt, which is fresh for each one, so that a zombie or a restored disk
 * never repeats a nonce; "the same bytes again" means these bytes, kept by the caller. L2: clear text may
 * hold a bkey record: buffers that hold it are wiped by gw_log_wipe.
 */
#pragma once
#include "gateway/entry.h"
#include "gateway/place.h"
#include "gateway/tenant.h"

enum gw_record_kind {
    GW_REC_COMMIT = 1,
    GW_REC_TOMBSTONE = 2,
    GW_REC_VAULT = 3,
    GW_REC_CLOUD = 4,
    GW_REC_CONFIG = 5,
    GW_REC_BKEY = 6,
    GW_REC_BACKUP = 7,
    GW_REC_TENANT = 136, /* this and what follows must be understood */
    GW_REC_MEMBER = 137,
    GW_REC_RULES = 138,
    GW_REC_RECODED = 139,
    GW_REC_BUNDLED = 140,
    GW_REC_PURGED = 141,
    GW_REC_RETAINED = 142,
    GW_REC_RENAMED = 143,
    GW_REC_REPACKED = 144,
};

enum {
    GW_LOG_HEAD_BYTES = 24,  /* before the ciphertext */
    GW_LOG_CLEAR_BYTES = 48, /* before the records */
    GW_BKEY_BYTES = 32,
    GW_LOG_SEGMENT_BYTES = 66,
    GW_LOG_PACKED_BYTES = 40,
};

struct gw_log_segment {
    uint64_t id;
    uint32_t size, incarnation;
    uint8_t salt[GW_SALT_BYTES], digest[GW_DIGEST_BYTES];
    uint16_t layout; /* index of the record's layouts */
};

struct gw_log_layout {
    uint8_t k, n;
    uint32_t clouds[QC_EC_N_MAX];
};

/* Records. Spans and pointers are borrowed: when written from the caller, when read from the log's clear
 * text. */
struct gw_rec_commit {
    uint32_t tenant;
    struct gw_id vault;
    struct gw_entry e; /* kind is GW_ENTRY_FILE */
    uint64_t chain;
    struct gw_id put_key;
    uint16_t layout_count;
    qc_span layouts; /* as on the wire; gw_log_layout_at */
    uint32_t segment_count;
    qc_span segments; /* as on the wire; gw_log_segment_at */
    uint64_t stored;  /* bytes of all segments; read only */
    qc_span backup;   /* sealed */
    bool bundled;     /* N lies in a bundle: whose the segments are */
    struct gw_rec_bundle {
        struct gw_id object, version, put_key;
        uint64_t start; /* of N in it */
    } bundle;
};
/* Ids in the heads of the fragments of a commit's segments. */
static inline const struct gw_id *gw_rec_object(const struct gw_rec_commit *c)
{
    return c->bundled ? &c->bundle.object : &c->e.object;
}
static inline const struct gw_id *gw_rec_version(const struct gw_rec_commit *c)
{
    return c->bundled ? &c->bundle.version : &c->e.version;
}
struct gw_rec_tombstone {
    uint32_t tenant;
    struct gw_id vault;
    qc_span path;
    uint64_t number;
    uint8_t seal[GW_DIGEST_BYTES];
    uint64_t chain;
    struct gw_id put_key;
    uint64_t created;
};
struct gw_rec_vault {
    uint32_t tenant;
    qc_span record, backup; /* backup is sealed */
};
enum gw_member_state { GW_MEMBER_IN_USE = 1, GW_MEMBER_DRAINING = 2, GW_MEMBER_RETIRED = 3 };
/* A cloud record, or a member record, which has what follows its state, too. */
struct gw_rec_cloud {
    uint32_t id;
    qc_span name, url;
    uint32_t generation;
    uint8_t state;   /* enum gw_member_state; of a cloud record: 1 */
    uint16_t weight; /* 0..QC_GW_WEIGHT_MAX */
    qc_span labels[GW_LABELS];
};
struct gw_rec_rules {
    uint8_t domain; /* enum gw_domain */
};
struct gw_rec_config {
    uint8_t k, n, write_quorum, record_quorum;
};
struct gw_rec_bkey {
    uint32_t epoch;
    qc_span key; /* GW_BKEY_BYTES; a secret that lies in the clear text: L2 */
};
struct gw_rec_backup {
    uint32_t tenant;
    struct gw_id object, version;
    qc_span backup;
};

/* Segment seq of a version has another code, or lies elsewhere, under another id. */
struct gw_rec_recoded {
    uint32_t tenant;
    struct gw_id object, version;
    uint32_t seq;
    uint64_t old;
    struct gw_log_segment segment; /* its layout: 0 */
    struct gw_log_layout layout;
};
/* N that lay in bundles lie in this one from now on, which has one segment. */
struct gw_rec_repacked {
    uint32_t tenant;
    struct gw_id vault, object, version; /* the ids are the new bundle's */
    uint64_t created;                    /* seconds: when it was decided */
    struct gw_log_segment segment;       /* its layout: 0 */
    struct gw_log_layout layout;
    uint32_t count;
    qc_span members; /* as on the wire; gw_log_packed_at */
};
struct gw_log_packed {
    struct gw_id object, version;
    uint64_t start; /* of N in the bundle */
};
/* A version is gone for good. */
struct gw_rec_purged {
    uint32_t tenant;
    struct gw_id vault, object, version;
    uint64_t created; /* seconds: when it was decided */
};
/* A version is kept until then, at least. */
struct gw_rec_retained {
    uint32_t tenant;
    struct gw_id vault, object, version;
    uint64_t until, known; /* seconds since 1970; known: so late it was at least, when this was decided */
};
/* An entry lies under another path, and a tombstone under its own. */
struct gw_rec_renamed {
    uint32_t tenant;
    struct gw_id vault;
    uint64_t chain; /* of the tombstone's seal; the entry's is the next one */
    struct gw_id put_key;
    uint64_t created; /* seconds: when it was decided */
    struct gw_tomb away;
    struct gw_entry e; /* kind is GW_ENTRY_FILE */
};
struct gw_rec_tenant {
    uint32_t tenant;
    uint64_t revision;
    qc_span name;
    uint8_t state; /* enum gw_tenant_state */
    uint8_t verifier[GW_DIGEST_BYTES];
    struct gw_tenant_limits limits;
};
enum gw_tenant_state { GW_TENANT_ENABLED = 1, GW_TENANT_DISABLED = 2 };

struct gw_record {
    enum gw_record_kind kind;
    union {
        struct gw_rec_commit commit; /* GW_REC_COMMIT, GW_REC_BUNDLED */
        struct gw_rec_tombstone tombstone;
        struct gw_rec_vault vault;
        struct gw_rec_cloud cloud; /* GW_REC_CLOUD, GW_REC_MEMBER */
        struct gw_rec_rules rules;
        struct gw_rec_config config;
        struct gw_rec_bkey bkey;
        struct gw_rec_backup backup;
        struct gw_rec_tenant tenant;
        struct gw_rec_recoded recoded;
        struct gw_rec_purged purged;
        struct gw_rec_retained retained;
        struct gw_rec_renamed renamed;
        struct gw_rec_repacked repacked;
    } u;
};

/* Append a record, with its kind and length. QC_LIMIT, QC_NOMEM: b is as it was. */
QC_MUST qc_rc gw_log_add(qc_buf *b, const struct gw_record *rec, struct qc_err *err);
/* Append to the wire form of gw_rec_commit.layouts and .segments. */
QC_MUST qc_rc gw_log_add_layout(qc_buf *b, const struct gw_log_layout *l, struct qc_err *err);
QC_MUST qc_rc gw_log_add_segment(qc_buf *b, const struct gw_log_segment *s, struct qc_err *err);
/* The same of gw_rec_repacked.members. */
QC_MUST qc_rc gw_log_add_packed(qc_buf *b, const struct gw_log_packed *p, struct qc_err *err);
/* Element i of a record that was read (its form was checked then); i is within the count (asserted). */
void gw_log_layout_at(const struct gw_rec_commit *c, unsigned i, struct gw_log_layout *ret);
void gw_log_segment_at(const struct gw_rec_commit *c, uint32_t i, struct gw_log_segment *ret);
void gw_log_packed_at(const struct gw_rec_repacked *r, uint32_t i, struct gw_log_packed *ret);

struct gw_log_head {
    uint64_t sequence;
    uint32_t incarnation;
    uint8_t prev[GW_DIGEST_BYTES]; /* SHA-256 of the previous object's bytes; zeros for sequence 1 */
};

/*
 * Seal a batch.
 *   records, count  as made by gw_log_add
 *   ret             empty, with a max; receives the object's bytes
 * QC_LIMIT, QC_NOMEM.
 */
QC_MUST qc_rc gw_log_seal(const struct gw_root *r, const struct gw_log_head *h, qc_span records,
                          uint32_t count, const uint8_t salt[GW_SALT_BYTES], qc_buf *ret, struct qc_err *err);

/* An object that was read: gw_log_done it. */
struct gw_log {
    struct gw_log_head head;
    uint32_t count;
    qc_buf clear;
    qc_span records; /* in clear */
};

/*
 * Open an object that was found under the name of (sequence, incarnation). Every record has been parsed once
 * when this returns QC_OK, so that gw_log_next only fails where it says so. QC_INTEGRITY  the seal does not
 * hold, or the clear text is of another sequence or incarnation QC_FORMAT, QC_NEWER, QC_NOMEM
 */
QC_MUST qc_rc gw_log_open(const struct gw_root *r, uint64_t sequence, uint32_t incarnation, qc_span in,
                          struct gw_log *ret, struct qc_err *err);
/* Wipes and frees. */
void gw_log_done(struct gw_log *l);
/* Wipe and free a buffer that may hold clear text. */
void gw_log_wipe(qc_buf *b);

struct gw_log_iter {
    qc_rd rd;
    uint32_t left;
};
struct gw_log_iter gw_log_records(const struct gw_log *l);
/* The clear text of an object alone, for the fuzzer and for gw_log_open. */
QC_MUST qc_rc gw_log_parse_clear(qc_span clear, struct gw_log_head *ret_head, uint32_t *ret_count,
                                 qc_span *ret_records, struct qc_err *err);
/* The next record whose kind is known; *ret_more is false after the last one. Kinds that need not be
 * understood are passed over. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc gw_log_next(struct gw_log_iter *it, struct gw_record *ret, bool *ret_more, struct qc_err *err);

/* -- sealed B (FORMAT 9.3) ------------------------------------------------------------------------------- */

/* The key of an epoch, ready to derive from; borrowed. */
struct gw_bkey {
    const struct qc_prk *prk;
    uint32_t epoch;
};
/* ret: appended to. object and version of a vault's B: its id, zeros. */
struct gw_backup_ids {
    struct gw_id vault, object, version;
};
QC_MUST qc_rc gw_backup_seal(const struct gw_root *r, const struct gw_bkey *bkey,
                             const uint8_t salt[GW_SALT_BYTES], const struct gw_backup_ids *ids,
                             qc_span backup, qc_buf *ret, struct qc_err *err);
/* The epoch that a sealed B names. QC_FORMAT. */
QC_MUST qc_rc gw_backup_epoch(qc_span sealed, uint32_t *ret, struct qc_err *err);
/* ret: appended to. QC_INTEGRITY, QC_FORMAT, QC_NOMEM. */
QC_MUST qc_rc gw_backup_open(const struct gw_root *r, const struct qc_prk *prk,
                             const struct gw_backup_ids *ids, qc_span sealed, qc_buf *ret,
                             struct qc_err *err);
