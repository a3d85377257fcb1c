#include "vault/geometry.h"

#include <inttypes.h>

#define CHUNK_LOG2_MIN 16
#define CHUNK_LOG2_MAX 24
#define GROUP_LOG2_MIN 1
#define GROUP_LOG2_MAX 12
#define END_BYTES      (4 + 32) /* trailer length and M */

qc_rc vault_geometry_init(struct vault_geometry *ret, const struct vault_geometry *given, struct qc_err *err)
{
    struct vault_geometry g = *given;
    if (g.chunk_log2 < CHUNK_LOG2_MIN || g.chunk_log2 > CHUNK_LOG2_MAX)
        return QC_FAIL(err, QC_FORMAT, "header: chunk_log2 %u, expected 16 to 24", (unsigned)g.chunk_log2);
    if (g.group_log2 < GROUP_LOG2_MIN || g.group_log2 > GROUP_LOG2_MAX)
        return QC_FAIL(err, QC_FORMAT, "header: group_log2 %u, expected 1 to 12", (unsigned)g.group_log2);
    if (g.trailer_size > QC_VAULT_TRAILER_MAX)
        return QC_FAIL(err, QC_FORMAT, "trailer: %" PRIu32 " bytes, at most %d", g.trailer_size,
                       QC_VAULT_TRAILER_MAX);
    g.chunks = g.L == 0 ? 1 : ((g.L - 1) >> g.chunk_log2) + 1;
    if (g.chunks > UINT64_C(1) << QC_VAULT_CHUNKS_LOG2_MAX)
        return QC_FAIL(err, QC_FORMAT, "trailer: padded length %" PRIu64 " is over 2^%d chunks", g.L,
                       QC_VAULT_CHUNKS_LOG2_MAX);
    g.groups = ((g.chunks - 1) >> g.group_log2) + 1;
    /* L is at most 2^54 here: the sum cannot overflow. */
    g.size =
        g.header_size + g.L + VAULT_INSERT_BYTES + VAULT_TAGS_BYTES * g.chunks + g.trailer_size + END_BYTES;
    *ret = g;
    return QC_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t vault_geometry_chunk_size(const struct vault_geometry *g, uint64_t i)
{
    QC_ASSERT(i < g->chunks);
    return least(UINT64_C(1) << g->chunk_log2, g->L - (i << g->chunk_log2));
}

/* Bytes of full tag blocks that stand before group j. */
static uint64_t blocks_before(const struct vault_geometry *g, uint64_t j)
{
    return (j << g->group_log2) * VAULT_TAGS_BYTES;
}

struct vault_range vault_geometry_chunk(const struct vault_geometry *g, uint64_t i)
{
    const uint64_t size = vault_geometry_chunk_size(g, i);
    if (i == 0)
        return (struct vault_range){ g->header_size, size + VAULT_INSERT_BYTES };
    const uint64_t before = blocks_before(g, vault_geometry_group_of(g, i));
    return (struct vault_range){ g->header_size + VAULT_INSERT_BYTES + (i << g->chunk_log2) + before, size };
}

uint64_t vault_geometry_group_of(const struct vault_geometry *g, uint64_t i)
{
    QC_ASSERT(i < g->chunks);
    return i >> g->group_log2;
}

uint64_t vault_geometry_group_chunks(const struct vault_geometry *g, uint64_t j)
{
    QC_ASSERT(j < g->groups);
    return least(UINT64_C(1) << g->group_log2, g->chunks - (j << g->group_log2));
}

struct vault_range vault_geometry_tags(const struct vault_geometry *g, uint64_t j)
{
    const uint64_t count = vault_geometry_group_chunks(g, j);
    const uint64_t behind = (j << g->group_log2) + count; /* first chunk after the group */
    const uint64_t text = least(g->L, behind << g->chunk_log2);
    return (struct vault_range){ g->header_size + VAULT_INSERT_BYTES + text + blocks_before(g, j),
                                 count * VAULT_TAGS_BYTES };
}

struct vault_range vault_geometry_tail(const struct vault_geometry *g)
{
    const uint64_t size = (uint64_t)g->trailer_size + END_BYTES;
    return (struct vault_range){ g->size - size, size };
}
