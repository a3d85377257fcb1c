/* The root key G and what hangs on it: keys, object names, identity, root and cut objects, the operator's
 * kit. Layer 4; uses base, ss. Keeps I5, I7. Formats: FORMAT 1.1, 9, 9.1, 9.2, 9.5.
 *
 * A gw_root is immutable once made; any number of threads may use it. G lives in secret memory; an identity
 * object holds one share of it and leaves the process in clear, which is what FORMAT 9.1 and THREATS say of
 * it: nothing here writes G itself anywhere but into the kit that the operator asks for.
 */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/key.h"
#include "base/rng.h"

enum {
    GW_ID_BYTES = 16,       /* every id: catalogue, tenant's objects, versions, put keys */
    GW_ROOT_KEY_BYTES = 32, /* G */
    GW_SALT_BYTES = 16,     /* of a segment, a log object, a sealed B */
    GW_DIGEST_BYTES = 32,
    GW_NAME_SIZE = 48,                                      /* the longest object name and its NUL */
    GW_IDENTITY_SLOTS_MAX = 2,                              /* two only while the set of clouds changes */
    GW_IDENTITY_MAX = 32 + GW_IDENTITY_SLOTS_MAX * 52 + 64, /* bytes of an identity object */
    GW_ROOT_OBJECT_BYTES = 84,
    GW_CUT_OBJECT_BYTES = 72,
    GW_KIT_TEXT_MAX = 160,
};

/* -- keys ------------------------------------------------------------------------------------------------ */

struct gw_root; /* opaque */

/* From a catalogue id and G, which is copied. QC_NOMEM. */
QC_MUST qc_rc gw_root_new(struct gw_root **ret, const uint8_t catalogue[GW_ID_BYTES], const qc_key *G,
                          struct qc_err *err);
/* A new catalogue id and a new G. QC_RANDOM and what else rng says; QC_NOMEM. */
QC_MUST qc_rc gw_root_random(struct gw_root **ret, const qc_rng *rng, struct qc_err *err);
void gw_root_free(struct gw_root **r);

const uint8_t *gw_root_catalogue(const struct gw_root *r); /* GW_ID_BYTES, until gw_root_free */
const qc_key *gw_root_G(const struct gw_root *r);          /* for the catalogue's file and nothing else */

/* PRK of suite G1 for any key that FORMAT derives with KDFG: G itself, or a bkey. QC_NOMEM. */
QC_MUST qc_rc gw_prk_new(struct qc_prk **ret, const qc_key *ikm, struct qc_err *err);

/*
 * KDFG(G, label, catalogue, context...; len): enc() of the items is made here.
 *   context, count  the items after the catalogue id, integers as big-endian bytes of their width
 */
QC_MUST qc_rc gw_root_key(const struct gw_root *r, const char *label, const qc_span *context, size_t count,
                          size_t len, qc_key **ret, struct qc_err *err);
/* The same for another PRK (bkeys: `B`). */
QC_MUST qc_rc gw_kdf(const struct qc_prk *prk, const struct gw_root *r, const char *label,
                     const qc_span *context, size_t count, qc_key **ret, struct qc_err *err);
/* HMAC-SHA-256 of the parts under KDFG(G, label, catalogue). */
QC_MUST qc_rc gw_root_mac(const struct gw_root *r, const char *label, const qc_span *parts, size_t count,
                          uint8_t ret[QC_SHA256_BYTES], struct qc_err *err);

/* -- names (FORMAT 9) ------------------------------------------------------------------------------------ */

enum gw_name_kind {
    GW_NAME_FOREIGN,
    GW_NAME_FRAGMENT,
    GW_NAME_LOG,
    GW_NAME_ROOT,
    GW_NAME_CUT,
    GW_NAME_PACK,  /* FORMAT 9.6 */
    GW_NAME_NOTES, /* the same */
    GW_NAME_IDENTITY
};

/* What a name says. Fields that its kind does not have are zero. */
struct gw_name {
    enum gw_name_kind kind;
    uint64_t id;          /* fragment: segment id; log, pack, notes: sequence; root, cut: incarnation */
    uint8_t index;        /* fragment: 0..n-1 */
    uint8_t attempt;      /* fragment */
    uint16_t incarnation; /* fragment, log, pack, notes: its low 16 bits */
    uint8_t salt[4];      /* fragment: the first bytes of the segment's salt; compare with the row */
    uint32_t serial;      /* pack, notes: within the incarnation */
};

/* The block of a pack or notes (FORMAT 9), from which its name and its keys are made. */
void gw_name_block(const struct gw_name *name, uint8_t ret[16]);
/* The name of an object on a cloud. name->kind is not GW_NAME_FOREIGN (asserted). QC_NOMEM. */
QC_MUST qc_rc gw_name_make(const struct gw_root *r, uint32_t cloud_id, const struct gw_name *name,
                           char ret[GW_NAME_SIZE], struct qc_err *err);
/*
 * Back from a listing. Whatever does not have the form of a name, or decrypts to a block that FORMAT does not
 * have, is GW_NAME_FOREIGN: reported, never touched. A fragment's block has hardly any redundancy: the caller
 * looks its segment up and compares the salt. QC_NOMEM.
 */
QC_MUST qc_rc gw_name_parse(const struct gw_root *r, uint32_t cloud_id, const char *key, struct gw_name *ret,
                            struct qc_err *err);

extern const char gw_name_identity[]; /* "i/cloud" */

/* -- identity (FORMAT 9.1) ------------------------------------------------------------------------------- */

struct gw_slot {
    uint8_t polynomial[GW_ID_BYTES];
    uint8_t threshold, count, x;
    qc_key *share; /* of G, GW_ROOT_KEY_BYTES; owned */
};

struct gw_identity {
    uint8_t catalogue[GW_ID_BYTES];
    uint32_t cloud_id, generation;
    unsigned slot_count;
    struct gw_slot slots[GW_IDENTITY_SLOTS_MAX];
};

void gw_identity_done(struct gw_identity *i);

/* One cloud of those in use. */
struct gw_member {
    uint32_t cloud_id, generation;
};

/*
 * Identity objects for all clouds in use, with fresh shares of G: threshold of count, x = 1..count in the
 * order given. ret   count buffers, all empty, which receive the objects count 1..QC_GW_CLOUDS_MAX, 1 <=
 * threshold <= count (asserted) QC_RANDOM, QC_NOMEM: all of ret are empty again.
 */
QC_MUST qc_rc gw_identity_make(const struct gw_root *r, const struct gw_member *members, unsigned count,
                               unsigned threshold, const qc_rng *rng, qc_buf *ret, struct qc_err *err);

/*
 * The identity of one cloud, with its shares of polynomials that are in use.
 *   slots, count  its shares, at most GW_IDENTITY_SLOTS_MAX (asserted); none: the root key is off the clouds
 *   ret           empty, receives the object
 */
QC_MUST qc_rc gw_identity_renew(const struct gw_root *r, const struct gw_member *m,
                                const struct gw_slot *slots, unsigned count, qc_buf *ret, struct qc_err *err);

/* Parse, and check the checksum. No key is needed, and nothing is authenticated yet. gw_identity_done it.
 * QC_FORMAT, QC_NEWER, QC_INTEGRITY (the checksum), QC_NOMEM. */
QC_MUST qc_rc gw_identity_parse(qc_span in, struct gw_identity *ret, struct qc_err *err);

/* Is this an identity that this root key made, for this cloud and generation? QC_INTEGRITY and what parse
 * says. */
QC_MUST qc_rc gw_identity_check(const struct gw_root *r, const struct gw_member *want, qc_span in,
                                struct qc_err *err);

/*
 * Find G from identity objects, for a rebuild. Those that do not parse are left out. Groups by catalogue and
 * polynomial id; a group with at least its threshold of points is combined, and the result counts only when
 * the identities' HMACs hold under it; with more points than the threshold, subsets are tried when the first
 * ones fail. objects  one per cloud reached; empty spans are skipped ret      the root good     count flags:
 * this object's HMAC holds under ret QC_QUORUM     too few shares; the message says how many there were and
 * how many are needed QC_CONFLICT   identities of different catalogues have enough shares each: the clouds
 * belong to two gateways QC_INTEGRITY  enough shares, and no combination holds
 */
QC_MUST qc_rc gw_identity_combine(const qc_span *objects, unsigned count, struct gw_root **ret, bool *good,
                                  struct qc_err *err);

/* -- root and cut (FORMAT 9.2) --------------------------------------------------------------------------- */

struct gw_root_object {
    uint32_t incarnation;
    uint8_t instance[GW_ID_BYTES];
    uint64_t log_sequence; /* of the previous incarnation, as known then */
};
struct gw_cut_object {
    uint32_t by;           /* the incarnation that cut */
    uint32_t incarnation;  /* the one cut off */
    uint64_t log_sequence; /* the last that stands */
};

QC_MUST qc_rc gw_root_object_make(const struct gw_root *r, const struct gw_root_object *o,
                                  uint8_t ret[GW_ROOT_OBJECT_BYTES], struct qc_err *err);
/* QC_FORMAT, QC_NEWER; QC_INTEGRITY: another catalogue's, or its HMAC does not hold. */
QC_MUST qc_rc gw_root_object_parse(const struct gw_root *r, qc_span in, struct gw_root_object *ret,
                                   struct qc_err *err);
QC_MUST qc_rc gw_cut_object_make(const struct gw_root *r, const struct gw_cut_object *o,
                                 uint8_t ret[GW_CUT_OBJECT_BYTES], struct qc_err *err);
QC_MUST qc_rc gw_cut_object_parse(const struct gw_root *r, qc_span in, struct gw_cut_object *ret,
                                  struct qc_err *err);

/* -- operator's kit (FORMAT 9.5) ------------------------------------------------------------------------- */

/* The kit's line, without a line end, in secret memory: NUL-terminated, padded with zeros. QC_NOMEM. */
QC_MUST qc_rc gw_kit_make(const struct gw_root *r, qc_key **ret, struct qc_err *err);
/* text: as made; white space around it is passed over. Its bytes are the caller's to wipe.
 * QC_FORMAT, QC_NEWER; QC_INTEGRITY: the check digits do not fit (a typing error). */
QC_MUST qc_rc gw_kit_parse(qc_span text, struct gw_root **ret, struct qc_err *err);
