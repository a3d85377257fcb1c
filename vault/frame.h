/* Header and trailer of N: writers and parsers. Layer 3, internal; uses base. FORMAT 3.1, 3.4. Threads: none.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/geometry.h"
#include "vault/ids.h"
#include "vault/open.h"

#define VAULT_HEADER_BYTES      120 /* without extensions */
#define VAULT_HEADER_PEEK       12  /* what vault_header_peek reads */
#define VAULT_TRAILER_BYTES_MIN 76  /* one group, no epochs, least metadata */
#define VAULT_META_BYTES_MIN    24
#define VAULT_M_BYTES           32
#define VAULT_END_BYTES         36 /* trailer length and M */

struct vault_header {
    uint32_t size;
    uint8_t chunk_log2, group_log2;
    struct vault_ids ids;
    uint8_t salt[16], commitment[32];
    qc_span extensions; /* borrowed */
};

/* Append the header; h->size is ignored. QC_USAGE for parameters that a reader would refuse. */
QC_MUST qc_rc vault_header_write(qc_buf *ret, const struct vault_header *h, struct qc_err *err);

/* Size of the header, from its first 12 bytes or more. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc vault_header_peek(uint32_t *ret, qc_span in, struct qc_err *err);

/* in: exactly the header. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc vault_header_parse(struct vault_header *ret, qc_span in, struct qc_err *err);

struct vault_trailer {
    uint64_t L;
    const struct vault_epoch *epochs; /* writing: borrowed */
    uint32_t epoch_count;
    qc_span digests, meta, extensions; /* borrowed */
};

/* Append trailer (without length and M). QC_LIMIT beyond 16 MiB; QC_NOMEM. */
QC_MUST qc_rc vault_trailer_write(qc_buf *ret, const struct vault_trailer *t, struct qc_err *err);
