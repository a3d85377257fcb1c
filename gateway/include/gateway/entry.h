/* Ids, entries and receipts: what the catalogue, the log and the engine hand to each other. Layer 4; uses
 * base. Plain values; spans say whose bytes they are. Formats: FORMAT 5.2, 6.2.
 */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "gateway/root.h"

struct gw_id {
    uint8_t b[GW_ID_BYTES];
};

/* A vault or an upload, as its tenant names it: ids hold within a tenant (gateway/tenant.h). */
struct gw_ref {
    uint32_t tenant;
    struct gw_id id;
};

static inline qc_span gw_id_span(const struct gw_id *id)
{
    return qc_span_of(id->b, sizeof id->b);
}
bool gw_id_same(const struct gw_id *a, const struct gw_id *b);
bool gw_ref_same(const struct gw_ref *a, const struct gw_ref *b);

enum gw_entry_kind { GW_ENTRY_FILE = 1, GW_ENTRY_TOMBSTONE = 2 };

/* What a path points at. A tombstone has zero ids, sequence, size and M, and an empty private part. */
struct gw_entry {
    qc_span path; /* path ciphertext, 1..QC_GW_PATH_MAX bytes */
    uint64_t number;
    uint8_t kind;
    struct gw_id object, version;
    uint64_t sequence, size;
    uint8_t m[GW_DIGEST_BYTES];
    qc_span private_part; /* 0..QC_GW_PRIVATE_MAX bytes */
    uint8_t seal[GW_DIGEST_BYTES];
    uint64_t created; /* seconds since 1970: the gateway's clock, for people */
};

/* Is its form that of this kind, as a caller may send it? QC_USAGE. */
QC_MUST qc_rc gw_entry_check(const struct gw_entry *e, uint8_t kind, struct qc_err *err);
/* Do two entries of files point at the same: object, version, sequence, size and M? */
bool gw_entry_same_version(const struct gw_entry *a, const struct gw_entry *b);

/* A path points at nothing any more. */
struct gw_tomb {
    qc_span path;
    uint64_t number;
    uint8_t seal[GW_DIGEST_BYTES];
};

/* An entry with its bytes, and the margins of its version. */
struct gw_entry_row {
    struct gw_entry e; /* its spans lie in bytes */
    qc_buf bytes;
    int acked_margin, margin, margin_full; /* of a file: data margins of the worst segment */
};
void gw_entry_row_done(struct gw_entry_row *r);

/* Head of a vault's chain (FORMAT 6.2). */
struct gw_head {
    uint64_t count;
    uint8_t hash[GW_DIGEST_BYTES];
};
/* h_0. QC_NOMEM. */
QC_MUST qc_rc gw_head_start(const struct gw_id *vault, struct gw_head *ret, struct qc_err *err);
/* The head after one more seal. QC_NOMEM. */
QC_MUST qc_rc gw_head_next(const struct gw_head *h, const uint8_t seal[GW_DIGEST_BYTES], struct gw_head *ret,
                           struct qc_err *err);

/* What a commit or a removal answers. The same put key always gets the same one. */
struct gw_receipt {
    uint64_t number, chain;
    struct gw_head head;
    int acked_margin, margin_full;
    unsigned durable_min, n;
    unsigned record_copies, clouds;
    unsigned degraded_count;
    uint32_t degraded[QC_GW_CLOUDS_MAX]; /* cloud ids that lack a fragment or the record */
    unsigned following_count;
    uint32_t following[QC_GW_CLOUDS_MAX]; /* and those that were not waited for, and have not failed */
};
