/* fuzz/gateway_log: the clear text of a log object: what parses is written again the same. */
#include "base/alloc.h"
#include "gateway/log.h"
#include "qc_fuzz.h"

static void again(const struct gw_record *rec)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1 << 24 };
    struct qc_err err = { 0 };
    struct gw_log_segment s;
    struct gw_log_layout l;

    QC_ASSERT(gw_log_add(&b, rec, &err) == QC_OK);
    if (rec->kind == GW_REC_COMMIT) {
        for (unsigned i = 0; i < rec->u.commit.layout_count && i < 8; i++)
            gw_log_layout_at(&rec->u.commit, i, &l);
        for (uint32_t i = 0; i < rec->u.commit.segment_count && i < 8; i++)
            gw_log_segment_at(&rec->u.commit, i, &s);
    }
    struct gw_log_iter it = { .rd = { .s = qc_buf_span(&b) }, .left = 1 };
    struct gw_record twin;
    bool more = false;
    QC_ASSERT(gw_log_next(&it, &twin, &more, &err) == QC_OK);
    QC_ASSERT(more && twin.kind == rec->kind && qc_rd_end(&it.rd));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_log_head head;
    struct qc_err err = { 0 };
    qc_span records;
    uint32_t count, epoch;

    const qc_span in = qc_span_of(data, size);
    if (gw_backup_epoch(in, &epoch, &err) == QC_OK)
        QC_ASSERT(size >= 36);
    if (gw_log_parse_clear(in, &head, &count, &records, &err) != QC_OK)
        return 0;
    struct gw_log_iter it = { .rd = { .s = records }, .left = count };
    for (;;) {
        struct gw_record rec;
        bool more = false;
        QC_ASSERT(gw_log_next(&it, &rec, &more, &err) == QC_OK);
        if (!more)
            return 0;
        again(&rec);
    }
}
