/* Records of erasure: which versions of which name were erased, what of them was destroyed, what nobody can
 * promise, signed by the vault. Layer 3; uses base. Format: FORMAT 16; docs/adr/0064. Pure functions.
 *
 * The signing key is derived from VS: whoever can open the vault can sign for it, a store that was made anew
 * and a vault that came back from a kit sign as before, and there is no moment at which the key is half made.
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sign.h"
#include "vault/ids.h"
#include "vault/ring.h"

/* What a store had of a version before. */
enum vault_erased_share {
    VAULT_ERASED_SHARE = 1,   /* its share, whose digest stands in the record */
    VAULT_ERASED_NONE = 2,    /* nothing whole */
    VAULT_ERASED_DERIVED = 3, /* the mark of a version whose share the store's seed gives, now as before */
    VAULT_ERASED_BEFORE = 4,  /* it had been overwritten already */
};

/* What a record says that it does not know. */
enum {
    VAULT_UNSEEN_COPIES = 1,     /* copies of share stores, kits */
    VAULT_UNSEEN_LOG = 2,        /* of the gateway's log and catalogue, with backup data of before */
    VAULT_UNSEEN_PROVIDERS = 4,  /* what clouds keep of removed objects: versioning, snapshots, backups */
    VAULT_UNSEEN_DISKS = 8,      /* old blocks of disks, those of databases' journals among them */
    VAULT_UNSEEN_FRAGMENTS = 16, /* when the gateway has removed the fragments from each cloud */
    VAULT_UNSEEN_CLOCK = 32,     /* whether the clock was right */
    VAULT_UNSEEN_ALL = 63,
};

struct vault_erased {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t number; /* 0: it was stored under another name */
    uint64_t sequence;
    enum vault_erased_share had[2]; /* of store 1, 2 */
    uint8_t digest[2][32];          /* vault_erased_digest; zeros where it had no share */
};

struct vault_certificate {
    bool draft; /* of an erasure that has begun: nothing is certified */
    bool whole; /* the name is removed, and these are all its versions; else some of them */
    bool kept;  /* their backup data lay with a keeper (ADR 66), which has removed it */
    uint8_t id[VAULT_ID_BYTES], vault[VAULT_ID_BYTES];
    uint8_t catalogue[VAULT_ID_BYTES]; /* of the gateway */
    int64_t begun_s, ended_s;          /* by the clock of the machine that did it; ended 0: a draft */
    uint32_t unseen;
    struct {
        uint8_t id[VAULT_ID_BYTES];
        bool derived;
        bool replaced;      /* another store stood in its place at the end: what this one has is not known */
    } store[2];             /* as they were when it began */
    uint64_t unknown;       /* numbers up to this one nobody has noted: of them nothing is certified */
    uint64_t missing;       /* versions without a whole record: the same */
    qc_buf name;            /* owned */
    struct vault_erased *v; /* owned */
    size_t n;               /* 1..QC_VAULT_CERTIFICATE_VERSIONS */
    uint8_t key[QC_SIGN_PUBLIC]; /* whose signature it is; out of vault_certificate_parse alone */
};
void vault_certificate_done(struct vault_certificate *c);

/* Room for n versions, behind those that there are. QC_LIMIT, QC_NOMEM */
QC_MUST qc_rc vault_certificate_extend(struct vault_certificate *c, size_t n, struct qc_err *err);

/* SHA-256(enc("erased share", vault, object, version, u8 index, share)): of 32 random bytes; it says nothing
 * of them, and shows of a share that turns up whether it is this one. */
QC_MUST qc_rc vault_erased_digest(uint8_t ret[32], const uint8_t vault[VAULT_ID_BYTES],
                                  const uint8_t object[VAULT_ID_BYTES], const uint8_t version[VAULT_ID_BYTES],
                                  unsigned index, const qc_key *share, struct qc_err *err);

/* The vault's signing key, from VS; and its public part. QC_NOMEM */
QC_MUST qc_rc vault_signing_key(qc_key **ret, const struct vault_ring *ring, struct qc_err *err);

/* Signed bytes, appended. QC_LIMIT, QC_NOMEM */
QC_MUST qc_rc vault_certificate_encode(qc_buf *ret, const struct vault_certificate *c, const qc_key *seed,
                                       struct qc_err *err);
/*
 * Parse, and check the signature by the key that stands in it: whose key that is, is for the caller.
 *
 * QC_FORMAT     it is none;  QC_NEWER  of a newer format, or signed by an algorithm that is not known here
 * QC_INTEGRITY  the signature does not hold
 */
QC_MUST qc_rc vault_certificate_parse(struct vault_certificate *ret, qc_span in, struct qc_err *err);
