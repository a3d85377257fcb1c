/* unit/vault_geometry: offsets against a walk over every byte of small objects; 1 PiB by arithmetic; limits.
 */
#include <inttypes.h>

#include "qc_check.h"
#include "vault/geometry.h"

static struct vault_geometry make(uint64_t L, uint8_t chunk_log2, uint8_t group_log2, uint32_t H, uint32_t T)
{
    struct qc_err err = { 0 };
    struct vault_geometry g = {
        .header_size = H, .trailer_size = T, .chunk_log2 = chunk_log2, .group_log2 = group_log2, .L = L
    };
    CHECK_OK(vault_geometry_init(&g, &g, &err));
    return g;
}

/* The parts in their order touch each other and fill N. */
static void walk(uint64_t L, uint8_t group_log2)
{
    const struct vault_geometry g = make(L, 16, group_log2, 131, 99);
    uint64_t at = 131, text = 0;
    for (uint64_t i = 0; i < g.chunks; i++) {
        const struct vault_range r = vault_geometry_chunk(&g, i);
        CHECK(r.offset == at && r.size == vault_geometry_chunk_size(&g, i) + (i == 0 ? 64 : 0));
        CHECK(r.size > 0 && (i == g.chunks - 1 || vault_geometry_chunk_size(&g, i) == 65536));
        at += r.size;
        text += vault_geometry_chunk_size(&g, i);
        const uint64_t group = vault_geometry_group_of(&g, i);
        if (i == g.chunks - 1 || vault_geometry_group_of(&g, i + 1) != group) {
            const struct vault_range t = vault_geometry_tags(&g, group);
            CHECK(t.offset == at && t.size == 32 * vault_geometry_group_chunks(&g, group));
            at += t.size;
        }
    }
    const struct vault_range tail = vault_geometry_tail(&g);
    CHECK(text == L && tail.offset == at && tail.size == 99 + 36 && at + tail.size == g.size);
}

static void petabyte(void)
{
    const uint64_t L = UINT64_C(1) << 50;
    const struct vault_geometry g = make(L, 20, 12, 120, 8 << 20);
    CHECK(g.chunks == UINT64_C(1) << 30 && g.groups == UINT64_C(1) << 18);
    const struct vault_range last = vault_geometry_chunk(&g, g.chunks - 1);
    CHECK(last.size == 1 << 20 && last.offset == 120 + 64 + L - (1 << 20) + 131072 * (g.groups - 1));
    CHECK(vault_geometry_tags(&g, g.groups - 1).offset == last.offset + last.size);
    CHECK(g.size == 120 + L + 64 + (UINT64_C(32) << 30) + (8 << 20) + 36);
    const struct vault_geometry far = make((UINT64_C(1) << 40) + 1, 20, 12, 120, 100); /* a byte at 2^40 */
    CHECK(vault_geometry_chunk(&far, UINT64_C(1) << 20).size == 1);
}

static void limits(void)
{
    struct qc_err err = { 0 };
    struct vault_geometry out = { .size = 77 };
    const struct vault_geometry bad[] = {
        { .chunk_log2 = 15, .group_log2 = 1 },
        { .chunk_log2 = 25, .group_log2 = 1 },
        { .chunk_log2 = 255, .group_log2 = 1 },
        { .chunk_log2 = 20, .group_log2 = 0 },
        { .chunk_log2 = 20, .group_log2 = 13 },
        { .chunk_log2 = 20, .group_log2 = 12, .L = (UINT64_C(1) << 50) + 1 },
        { .chunk_log2 = 24, .group_log2 = 12, .L = (UINT64_C(1) << 54) + 1 },
        { .chunk_log2 = 16, .group_log2 = 12, .L = UINT64_MAX },
        { .chunk_log2 = 16, .group_log2 = 12, .L = UINT64_C(1) << 63 },
        { .chunk_log2 = 16, .group_log2 = 12, .trailer_size = (16 << 20) + 1 },
        { .chunk_log2 = 16, .group_log2 = 12, .trailer_size = UINT32_MAX },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_RC(vault_geometry_init(&out, &bad[i], &err), QC_FORMAT);
    CHECK(out.size == 77);
    const struct vault_geometry g = make(1, 16, 1, 120, 100);
    CHECK_DIES(printf("%" PRIu64, vault_geometry_chunk(&g, 1).offset));
    CHECK_DIES(printf("%" PRIu64, vault_geometry_tags(&g, 1).offset));
}

int main(void)
{
    for (uint64_t chunks = 0; chunks <= 9; chunks++)
        for (uint8_t group_log2 = 1; group_log2 <= 3; group_log2++) {
            walk(chunks * 65536, group_log2);
            walk(chunks * 65536 + 1, group_log2);
            walk(chunks * 65536 + 65535, group_log2);
        }
    petabyte();
    limits();
    return 0;
}
