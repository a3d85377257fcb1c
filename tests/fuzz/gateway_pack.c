/* fuzz/gateway_pack: pieces, packs and notes: what parses holds together, and notes are written again the
 * same. */
#include "base/alloc.h"
#include "gateway/pack.h"
#include "qc_fuzz.h"

static void a_piece(qc_span in)
{
    struct gw_piece p;
    struct qc_err err = { 0 };

    if (gw_piece_parse(in, &p, &err) != QC_OK)
        return;
    QC_ASSERT(p.k >= 1 && p.k <= p.n && p.n <= QC_EC_N_MAX && p.index < p.n);
    QC_ASSERT(p.payload.n + GW_PIECE_HEAD_BYTES + GW_PIECE_MAC == in.n);
    QC_ASSERT((uint64_t)p.payload.n * p.k >= p.size);
}

static void a_pack(qc_span in)
{
    QC_CLEANUP(qc_buf_free) qc_buf again = { .max = 1 << 24 };
    struct gw_pack_iter it;
    struct gw_pack_entry e;
    struct qc_err err = { 0 };
    uint64_t at = 7;

    if (gw_pack_entries(in, at, &it, &err) != QC_OK)
        return;
    QC_ASSERT(gw_pack_begin(&again, &err) == QC_OK);
    while (gw_pack_next(&it, &e)) {
        QC_ASSERT(e.sequence == at++ && e.incarnation > 0);
        QC_ASSERT(gw_pack_add(&again, e.incarnation, e.object, &err) == QC_OK);
    }
    QC_ASSERT(qc_span_eq(qc_buf_span(&again), in));
}

static void some_notes(qc_span in)
{
    QC_CLEANUP(qc_buf_free) qc_buf again = { .max = 1 << 24 }, twice = { .max = 1 << 24 };
    struct gw_notes_head h, head;
    struct gw_notes_iter it, twin;
    struct gw_note note, back;
    struct qc_err err = { 0 };
    uint32_t count = 0;

    if (gw_notes_open(in, &h, &it, &err) != QC_OK)
        return;
    QC_ASSERT(gw_notes_begin(&again, &h, &err) == QC_OK);
    while (gw_notes_next(&it, &note)) {
        QC_ASSERT(gw_notes_add(&again, &note, &err) == QC_OK);
        count++;
    }
    gw_notes_end(&again, count, h.more);
    /* Kinds that are passed over are not there any more; the others are. */
    QC_ASSERT(again.n <= in.n);
    QC_ASSERT(gw_notes_open(qc_buf_span(&again), &head, &twin, &err) == QC_OK);
    QC_ASSERT(head.sequence == h.sequence && head.time_s == h.time_s && head.more == h.more);
    QC_ASSERT(gw_notes_begin(&twice, &head, &err) == QC_OK);
    while (gw_notes_next(&twin, &back))
        QC_ASSERT(gw_notes_add(&twice, &back, &err) == QC_OK);
    gw_notes_end(&twice, count, h.more);
    QC_ASSERT(qc_span_eq(qc_buf_span(&again), qc_buf_span(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const qc_span in = qc_span_of(data, size);

    a_piece(in);
    a_pack(in);
    some_notes(in);
    return 0;
}
