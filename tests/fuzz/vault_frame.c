/* fuzz/vault_frame: header, trailer and lengths of N, from arbitrary prefixes and suffixes: refused, or every
 * part lies inside N. The first two bytes choose how the rest is cut into head and tail. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    const qc_span N = qc_span_of(data + 2, n - 2);
    const size_t head = data[0] == 255 ? N.n : data[0] % (N.n + 1),
                 tail = data[1] == 255 ? N.n : data[1] % (N.n + 1);
    struct qc_err err = { 0 };
    struct vault_need need = { 0 };
    QC_CLEANUP(vault_frame_free) struct vault_frame *f = NULL;
    qc_rc rc = vault_frame_parse(&f, &need, N.n, qc_span_sub(N, 0, head), qc_span_from(N, N.n - tail), &err);
    if (rc == QC_OK && f == NULL) {
        CHECK(need.head > head || need.tail > tail);
        CHECK(need.head <= N.n && need.tail <= N.n);
        rc = vault_frame_parse(&f, &need, N.n, N, N, &err);
        CHECK(rc != QC_OK || f != NULL);
    }
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER);
    if (rc != QC_OK)
        return 0;
    CHECK(f->g.size == N.n && f->digests.n == 32 * f->g.groups && f->meta.n >= 24);
    for (uint64_t i = 0; i < f->g.chunks; i++) {
        const struct vault_range r = vault_geometry_chunk(&f->g, i);
        CHECK(r.offset + r.size <= N.n);
    }
    for (uint64_t g = 0; g < f->g.groups; g++) {
        const struct vault_range r = vault_geometry_tags(&f->g, g);
        CHECK(r.offset + r.size <= N.n);
    }
    return 0;
}
