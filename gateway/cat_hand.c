/* What was set of the scrub by hand: a row of meta. */
#include "base/buf.h"
#include "cat_internal.h"

/* The row: form, rate, and a cloud's id with the time for each that may be paused; unused ones are zeros. */
enum { FORM = 1, HAND_BYTES = 1 + 8 + GW_SCRUB_PAUSES * (4 + 8) };
static const char row_name[] = "scrub_hand";

static void take(qc_rd *rd, struct gw_scrub_hand *h)
{
    const uint64_t form = qc_rd_be(rd, 1);

    h->rate = qc_rd_be(rd, 8);
    for (unsigned i = 0; i < GW_SCRUB_PAUSES; i++) {
        h->paused[i].cloud_id = (uint32_t)qc_rd_be(rd, 4);
        h->paused[i].since_s = (int64_t)qc_rd_be(rd, 8);
        if (h->paused[i].since_s < 0 || (h->paused[i].cloud_id == 0) != (h->paused[i].since_s == 0))
            qc_rd_fail(rd);
    }
    if (form != FORM)
        qc_rd_fail(rd);
}

qc_rc gw_cat_hand_get(struct gw_cat *c, struct gw_scrub_hand *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_scrub_hand h = { 0 };

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(row_name))));
    if (rows.row) { /* else nobody has set anything */
        qc_rd rd = { .s = qc_col_span(rows.s, 0) };
        take(&rd, &h);
        if (!qc_rd_end(&rd))
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: what was set of the scrub by hand does not parse");
    }
    *ret = h;
    return QC_OK;
}

qc_rc gw_cat_hand_put(struct gw_cat *c, const struct gw_scrub_hand *h, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = HAND_BYTES };

    QC_TRY(qc_buf_add_be(&b, FORM, 1, err));
    QC_TRY(qc_buf_add_be(&b, h->rate, 8, err));
    for (unsigned i = 0; i < GW_SCRUB_PAUSES; i++) {
        QC_TRY(qc_buf_add_be(&b, h->paused[i].cloud_id, 4, err));
        QC_TRY(qc_buf_add_be(&b, (uint64_t)h->paused[i].since_s, 8, err));
    }
    return gw_meta_set_bytes(c, row_name, qc_buf_span(&b), err);
}
