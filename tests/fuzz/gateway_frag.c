/* fuzz/gateway_frag: heads and ends of fragments as a cloud may give them: refused, or exactly what is
 * written again. */
#include "gateway/frag.h"
#include "qc_check.h"
#include "qc_fuzz.h"

static void head(const uint8_t *p, size_t n)
{
    struct gw_frag_head h = { .tenant = 4711, .head_size = 1 };
    uint8_t again[GW_FRAG_HEAD_BYTES];
    struct qc_err err = { 0 };
    const qc_rc rc = gw_frag_head_parse(qc_span_of(p, n), &h, &err);

    if (rc != QC_OK) {
        CHECK((rc == QC_FORMAT || rc == QC_NEWER) && h.head_size == 1 && err.msg[0] != '\0');
        return;
    }
    CHECK(h.head_size == n && h.k >= 1 && h.k <= h.n && h.index < h.n && h.n <= QC_EC_N_MAX);
    CHECK(h.segment_size <= QC_GW_SEGMENT_MAX && h.stripe_count <= QC_GW_STRIPES_MAX);
    h.head_size = GW_FRAG_HEAD_BYTES;
    gw_frag_head_write(&h, again);
    for (size_t i = 0; i < GW_FRAG_HEAD_BYTES; i++)
        CHECK(again[i] == p[i] || i == 6 || i == 7);
}

static void end(const uint8_t *p, size_t n, unsigned stripes, unsigned fragments)
{
    struct gw_frag_end e = { { 0 }, { 0 }, { 0 } };
    struct qc_err err = { 0 };
    const qc_rc rc = gw_frag_end_parse(qc_span_of(p, n), stripes, fragments, &e, &err);

    CHECK(rc == QC_OK || (rc == QC_FORMAT && e.mac.p == NULL));
    if (rc == QC_OK) {
        CHECK(e.tags.p == p && e.digests.p == p + e.tags.n && e.mac.p + GW_DIGEST_BYTES == p + n);
        CHECK(e.tags.n == (size_t)QC_TAG * stripes && e.digests.n == (size_t)GW_DIGEST_BYTES * fragments);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    head(data, size);
    if (size >= 2)
        end(data + 2, size - 2, data[0], data[1]);
    return 0;
}
