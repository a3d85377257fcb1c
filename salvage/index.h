/* What lies in the directories that were given, and what the log says: a scratch database, so that memory
 * does not grow with their number. Part of the program qcloud-salvage (layer 5); uses base. Nothing secret
 * stands in it: paths of files, ids, path ciphertexts. One thread. */
#pragma once
#include "base/db.h"
#include "digits.h"
#include "gateway/log.h"

enum found_kind { FOUND_FRAGMENT = 1, FOUND_LOG, FOUND_IDENTITY, FOUND_ROOT, FOUND_CUT, FOUND_UNKNOWN };
enum { FOUND_DIGITS = DIGITS };

/* A file. */
struct found {
    int64_t no;
    unsigned source;               /* directory, from 0 */
    qc_span path;                  /* beneath it; borrowed */
    char digits[FOUND_DIGITS + 1]; /* the last 32 hexadecimal digits of its name; "": none */
    enum found_kind kind;
    uint64_t size;
    /* of a fragment, as its head says: */
    uint64_t segment;
    uint32_t index, cloud;
    struct gw_id object, version;
    uint32_t seq;
    bool last;
    uint32_t segment_size;
};

struct index;

/* directory: a scratch directory of ours. */
QC_MUST qc_rc index_open(struct index **ret, const char *directory, struct qc_err *err);
void index_close(struct index **ix);
QC_MUST qc_rc index_begin(struct index *ix, struct qc_err *err);
QC_MUST qc_rc index_commit(struct index *ix, struct qc_err *err);

QC_MUST qc_rc index_add(struct index *ix, const struct found *f, struct qc_err *err);
/* Files of a kind, in the order in which they were found. */
typedef qc_rc (*found_fn)(void *ctx, const struct found *f, struct qc_err *err);
QC_MUST qc_rc index_each(struct index *ix, enum found_kind kind, found_fn fn, void *ctx, struct qc_err *err);
/* Fragments of a segment by their heads, then any file whose name has these digits. */
QC_MUST qc_rc index_fragments(struct index *ix, uint64_t segment, found_fn fn, void *ctx, struct qc_err *err);
QC_MUST qc_rc index_named(struct index *ix, const char *digits, found_fn fn, void *ctx, struct qc_err *err);
QC_MUST qc_rc index_file(struct index *ix, int64_t no, found_fn fn, void *ctx, struct qc_err *err);
/* Which fragments of a segment are there, by their heads: bit i. */
QC_MUST qc_rc index_present(struct index *ix, uint64_t segment, uint32_t *ret, struct qc_err *err);
/* Cloud ids that heads of fragments name, ascending; at most max. */
QC_MUST qc_rc index_clouds(struct index *ix, uint32_t *ret, unsigned max, unsigned *ret_count,
                           struct qc_err *err);

/* -- the log --------------------------------------------------------------------------------------------- */

struct log_copy {
    uint64_t sequence;
    uint32_t incarnation, cloud;
    int64_t file;
};
QC_MUST qc_rc index_add_copy(struct index *ix, const struct log_copy *c, struct qc_err *err);
typedef qc_rc (*copy_fn)(void *ctx, const struct log_copy *c, struct qc_err *err);
/* By sequence, then incarnation. */
QC_MUST qc_rc index_copies(struct index *ix, copy_fn fn, void *ctx, struct qc_err *err);
QC_MUST qc_rc index_copies_of(struct index *ix, uint64_t sequence, uint32_t incarnation, copy_fn fn,
                              void *ctx, struct qc_err *err);

/* Where a record stands: in which file, as which record. */
struct record_at {
    uint64_t sequence;
    uint32_t incarnation, ordinal;
    int64_t file;
};
/* What a path pointed at once. */
struct entry_row {
    int64_t no;
    uint32_t tenant;
    struct gw_id vault, object, version;
    qc_span path; /* borrowed */
    uint64_t number;
    uint8_t kind;
    uint64_t chain;
    struct record_at at;    /* of its commit: segments, B */
    struct record_at named; /* of its name: the same, or that of its last move */
};
QC_MUST qc_rc index_add_entry(struct index *ix, const struct entry_row *e, struct qc_err *err);
/* Where the commit of an entry's version stands, if it was found. */
QC_MUST qc_rc index_committed(struct index *ix, const struct entry_row *e, struct record_at *ret,
                              bool *ret_found, struct qc_err *err);
/* B that was replaced later: the record of kind backup counts. */
QC_MUST qc_rc index_add_backup(struct index *ix, uint32_t tenant, const struct gw_id *object,
                               const struct gw_id *version, const struct record_at *at, struct qc_err *err);
QC_MUST qc_rc index_backup(struct index *ix, const struct entry_row *e, struct record_at *ret,
                           bool *ret_found, struct qc_err *err);
QC_MUST qc_rc index_add_vault(struct index *ix, uint32_t tenant, const struct gw_id *vault,
                              const struct record_at *at, struct qc_err *err);

struct vault_row {
    uint32_t tenant;
    struct record_at at;
};
/* Ids in the heads of fragments in which the N of entries lie. */
QC_MUST qc_rc index_add_bundle(struct index *ix, const struct gw_id *object, const struct gw_id *version,
                               struct qc_err *err);
/* N in a bundle that a later record put into another one: the last of them counts. ret is left alone where
 * there is none. */
QC_MUST qc_rc index_add_moved(struct index *ix, const struct gw_rec_repacked *r,
                              const struct gw_log_packed *p, struct qc_err *err);
QC_MUST qc_rc index_moved(struct index *ix, uint32_t tenant, const struct gw_id *object,
                          const struct gw_id *version, struct gw_rec_bundle *ret, bool *ret_found,
                          struct qc_err *err);
/* A version that was purged: its entry is as that of a removal, and its name keeps its number. */
QC_MUST qc_rc index_add_purged(struct index *ix, const struct gw_rec_purged *r, struct qc_err *err);
/* A later record of a segment: it replaces what was said of it before. */
QC_MUST qc_rc index_add_recoded(struct index *ix, const struct gw_rec_recoded *r, struct qc_err *err);
/* r: tenant, object, version and seq are given; segment and layout are filled in where there is one. */
QC_MUST qc_rc index_recoded(struct index *ix, struct gw_rec_recoded *r, bool *ret_found, struct qc_err *err);
typedef qc_rc (*vault_fn)(void *ctx, const struct vault_row *v, struct qc_err *err);
/* Records of a vault id, the newest first. */
QC_MUST qc_rc index_vaults(struct index *ix, const struct gw_id *vault, vault_fn fn, void *ctx,
                           struct qc_err *err);
/* The greatest place in the chain of commits that a record of this vault names. */
QC_MUST qc_rc index_chain(struct index *ix, uint32_t tenant, const struct gw_id *vault, uint64_t *ret,
                          struct qc_err *err);

/* -- the plan -------------------------------------------------------------------------------------------- */

typedef qc_rc (*entry_fn)(void *ctx, const struct entry_row *e, struct qc_err *err);
/* The newest entry of each path of a vault, in the order of the log. */
QC_MUST qc_rc index_newest(struct index *ix, uint32_t tenant, const struct gw_id *vault, entry_fn fn,
                           void *ctx, struct qc_err *err);
/* The greatest number that the log gives to this path. */
QC_MUST qc_rc index_number(struct index *ix, const struct entry_row *e, uint64_t *ret, struct qc_err *err);
/* Rank of an entry: greater ones come first. Only ranked ones are walked. */
QC_MUST qc_rc index_rank(struct index *ix, int64_t entry, int rank, struct qc_err *err);
QC_MUST qc_rc index_ranked(struct index *ix, entry_fn fn, void *ctx, struct qc_err *err);
/* All others that have bytes. */
QC_MUST qc_rc index_unranked(struct index *ix, entry_fn fn, void *ctx, struct qc_err *err);
/* Earlier entries with bytes, the newest first: of the same path, or of the same object under another one; of
 * a path that an object was moved away from (e is a tombstone, with that object), the others'. */
QC_MUST qc_rc index_earlier(struct index *ix, const struct entry_row *e, entry_fn fn, void *ctx,
                            struct qc_err *err);

/* Versions of which fragments are there and no record was found; the first fragment of each. */
QC_MUST qc_rc index_unrecorded(struct index *ix, found_fn fn, void *ctx, struct qc_err *err);
/* Segments of such a version, by number: one row each. */
QC_MUST qc_rc index_segments(struct index *ix, const struct gw_id *object, const struct gw_id *version,
                             found_fn fn, void *ctx, struct qc_err *err);

/* -- damage ---------------------------------------------------------------------------------------------- */

/* A line of the table of what is wrong, once. *ret_new: it was not there yet. */
QC_MUST qc_rc index_add_wrong(struct index *ix, unsigned source, qc_span path, const char *what,
                              bool *ret_new, struct qc_err *err);
