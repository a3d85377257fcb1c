/* fuzz/link_wire: what the two ends of a link say: refused, or what is written again in the same bytes. */
#include "wire.h"

#include "qc_fuzz.h"

static void check_fixed(qc_span s)
{
    struct qc_err err = { 0 };
    struct link_head h;
    struct link_message m;
    uint8_t again[LINK_MESSAGE];
    if (s.n >= LINK_HEAD && link_head_parse(&h, qc_span_sub(s, 0, LINK_HEAD), &err) == QC_OK) {
        QC_ASSERT(h.n <= LINK_RECORD_MAX);
        link_head_print(&h, again);
        QC_ASSERT(qc_span_eq(qc_span_sub(s, 0, LINK_HEAD), qc_span_of(again, LINK_HEAD)));
    }
    if (s.n >= LINK_MESSAGE && link_message_parse(&m, qc_span_sub(s, 0, LINK_MESSAGE), &err) == QC_OK) {
        QC_ASSERT(m.id != 0 && m.n <= LINK_WINDOW);
        link_message_print(&m, again);
        QC_ASSERT(qc_span_eq(qc_span_sub(s, 0, LINK_MESSAGE), qc_span_of(again, LINK_MESSAGE)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct link_hello hello;
    QC_CLEANUP(link_fill_done) struct link_fill fill = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_RECORD_MAX };
    struct link_filled filled;
    struct qc_err err = { 0 };
    const qc_span s = qc_span_of(data, size);
    check_fixed(s);
    struct link_have have;
    if (link_have_parse(&have, s, &err) == QC_OK) {
        QC_ASSERT(link_have_print(&have, &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(s, qc_buf_span(&text)));
    }
    qc_buf_clear(&text);
    if (link_hello_parse(&hello, s, &err) == QC_OK) {
        QC_ASSERT(hello.tx.count <= QKD_PADS_MAX && hello.rx.count <= QKD_PADS_MAX);
        QC_ASSERT(link_hello_print(&hello, &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(s, qc_buf_span(&text)));
    }
    qc_buf_clear(&text);
    if (link_fill_parse(&fill, s, &err) == QC_OK) {
        QC_ASSERT(fill.count > 0 && fill.count <= LINK_FILL_KEYS);
        QC_ASSERT(link_fill_print(&fill, &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(s, qc_buf_span(&text)));
    }
    qc_buf_clear(&text);
    if (link_filled_parse(&filled, s, &err) == QC_OK) {
        QC_ASSERT(link_filled_print(&filled, &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(s, qc_buf_span(&text)));
    }
    return 0;
}
