/* Share files of the profile xor23: data shared among three sites, restored from any two, each chunk checked
 * before a byte of it is given out. Layer 3; uses base, ss. Source: PAPERS B1, C2; format: FORMAT 13 (draft).
 *
 * A chunk is verified before it is given out, and so is small: with 64 MiB of it instead of one a hundredth
 * of a percent would be saved, and a reader would hold 256 MiB.
 *
 * Any size, in constant memory: 4 MiB for either, 10 where shares are lent, kept from dumps and forked
 * processes, wiped at the end, and not locked: the data is not, either, wherever else it passes. One thread;
 * several calls may run beside each other.
 *
 * A site is believed nothing that another does not confirm. Where a tag does not hold, the third site is
 * asked, and the two that confirm each other are right; the report names the one that is wrong, from which
 * chunk on, and why. Who knows which version is meant (struct vault_xor23_ids) also finds two sites that were
 * set back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "ss/xor23.h"
#include "vault/ids.h"
#include "vault/vault.h"

enum {
    VAULT_XOR23_HEADER = 40,
    VAULT_XOR23_HEAD = 112,   /* of a chunk */
    VAULT_XOR23_RANDOM = 192, /* bytes of keys for each chunk of three */
    VAULT_XOR23_MAKERS = 2,   /* 1 stream, 2 generator: as qrng/bulk.h */
    VAULT_XOR23_LENT = 3,     /* writes of a letter whose bytes are looked at, where they are lent */
};

/* How data becomes three shares: by XOR; for comparison by Shamir's scheme, any two of three, and as whole
 * copies, each of which is the data. All else is the same: files, tags, sites. */
enum vault_scheme { VAULT_XOR23, VAULT_SHAMIR, VAULT_MIRROR, VAULT_SCHEMES };
/* "xor23" */
const char *vault_scheme_text(enum vault_scheme s);
/* Shares that give the data back: 2, 2, 1. */
unsigned vault_scheme_needs(enum vault_scheme s);

/* What the three files of one sharing have in common. */
struct vault_xor23_ids {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
};
struct vault_xor23_header {
    enum vault_scheme scheme;
    enum ss_xor23 letter;
    unsigned maker; /* of the randomness: 1..VAULT_XOR23_MAKERS */
    struct vault_xor23_ids ids;
};

/* Header from its bytes. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc vault_xor23_header_parse(qc_span in, struct vault_xor23_header *ret, struct qc_err *err);
void vault_xor23_header_write(const struct vault_xor23_header *h, uint8_t out[VAULT_XOR23_HEADER]);

/* Chunks, bytes of one file, and bytes of randomness for data of so many bytes, which are fewer than 2^63
 * (asserted). */
uint64_t vault_xor23_chunks(uint64_t size);
uint64_t vault_xor23_file_size(uint64_t size);
uint64_t vault_xor23_random(enum vault_scheme scheme, uint64_t size);
/* Bytes of data of a file of so many bytes, to the even number above; 0: no file has so many. */
uint64_t vault_xor23_data_size(uint64_t file_size);

/* A place for three files. */
struct vault_xor23_out {
    /* The next bytes of the file with this letter. */
    qc_rc (*write)(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *err);
    /* NULL: once write has returned nobody looks at its bytes. Else the last VAULT_XOR23_LENT - 1 writes
     * of a letter are lent: their bytes stay as they are; when this has returned, nobody looks at any.
     * failed: what was not looked at yet is of no use. */
    void (*settle)(void *ctx, bool failed);
    void *ctx;
};

/*
 * Share all that a source gives.
 *
 *   ids    version: drawn for this sharing alone
 *   maker  of rng, written down
 *   rng    gives as much as vault_xor23_random says, to the byte
 *   ret_size  bytes of data
 *
 * After a failure the files are to be thrown away. QC_NOMEM; errors of source (also: unchanged), rng and out
 */
QC_MUST qc_rc vault_xor23_share(const struct vault_source *source, const struct vault_xor23_header *header,
                                const qc_rng *rng, const struct vault_xor23_out *out, uint64_t *ret_size,
                                struct qc_err *err);

/* A site to read from: bytes of its file from `offset` on; fewer than n: there the file ends. */
struct vault_xor23_site {
    qc_rc (*read)(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *err);
    void *ctx; /* read is NULL: this site is not there */
};

struct vault_xor23_report {
    uint64_t size, chunks; /* restored */
    uint64_t alone;        /* chunks that one site alone gave, confirmed by nobody */
    struct vault_xor23_header header;
    struct {
        uint64_t used;   /* chunks that were restored from it */
        uint64_t wrong;  /* chunks, the header, or bytes behind the end, that the two others disprove */
        uint64_t silent; /* of the same: it did not answer */
        uint64_t
            odds; /* chunks in which it and one other contradict each other, each confirmed by the third */
        uint64_t first;           /* chunk of the first of all these; UINT64_MAX: the header */
        char why[QC_ERR_MSG_MAX]; /* of it */
    } site[SS_XOR23_SHARES];
};

struct vault_xor23_restore {
    struct vault_xor23_site site[SS_XOR23_SHARES]; /* by letter */
    const struct vault_xor23_ids *ids;             /* what is meant; NULL: whatever two sites agree on */
    bool all; /* read and check all sites, not only as many as are needed */
    /* Where one site alone answers, and its file is a mirror, that is believed. Not where another one answers
     * that it has none, or something else. */
    bool alone;
};

/*
 * Restore the data from two sites that confirm each other in every chunk, which need not be the same two. The
 * sink gets a verified prefix at most before a failure; its begin is not called.
 *
 *   ret  written also on failure, as far as it came
 *
 * QC_SHARES     fewer than two sites answer, and one alone is not believed
 * QC_INTEGRITY  no two confirm each other: the message names the chunk and what each has
 * QC_NOMEM; errors of the sink; QC_CANCELLED of a site
 */
QC_MUST qc_rc vault_xor23_restore(const struct vault_xor23_restore *from, const struct vault_sink *sink,
                                  struct vault_xor23_report *ret, struct qc_err *err);
