/* Where everything lies in N, by arithmetic. Layer 3; uses base. Format: FORMAT 3. Pure, no allocation, any
 * thread. Offsets count from the start of N. Sizes up to 2^30 chunks; nothing here overflows
 * (unit/vault_geometry: 1 PiB). */
#pragma once
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define VAULT_CHUNK_LOG2   20 /* as written */
#define VAULT_GROUP_LOG2   12 /* as written */
#define VAULT_INSERT_BYTES 64 /* KR and R3 in chunk 0 */
#define VAULT_TAGS_BYTES   32 /* per chunk in its group's tag block */

struct vault_geometry {
    uint32_t header_size;  /* H */
    uint32_t trailer_size; /* without its length field and M */
    uint8_t chunk_log2, group_log2;
    uint64_t L;      /* padded length */
    uint64_t chunks; /* n_c, 1.. */
    uint64_t groups; /* n_g, 1.. */
    uint64_t size;   /* |N| */
};

struct vault_range {
    uint64_t offset;
    uint64_t size;
};

/*
 * Fill all of ret from header_size, trailer_size, the two logarithms and L.
 * QC_FORMAT  logarithms out of range, more than 2^30 chunks, or sizes beyond FORMAT 12
 */
QC_MUST qc_rc vault_geometry_init(struct vault_geometry *ret, const struct vault_geometry *given,
                                  struct qc_err *err);

/* Chunk i of N as stored: for i = 0 with KR and R3 inside (c0 + 64 bytes). i < chunks. */
struct vault_range vault_geometry_chunk(const struct vault_geometry *g, uint64_t i);

/* Plaintext (and ciphertext) bytes of chunk i; its first byte in D is i << chunk_log2. */
uint64_t vault_geometry_chunk_size(const struct vault_geometry *g, uint64_t i);

/* Tag block of group j < groups. */
struct vault_range vault_geometry_tags(const struct vault_geometry *g, uint64_t j);

/* Trailer, its length field and M: the last bytes of N. */
struct vault_range vault_geometry_tail(const struct vault_geometry *g);

/* Group of chunk i, and number of chunks in group j. */
uint64_t vault_geometry_group_of(const struct vault_geometry *g, uint64_t i);
uint64_t vault_geometry_group_chunks(const struct vault_geometry *g, uint64_t j);
