/* What drills came to, and versions for them to try. */
#include "cat_internal.h"

#include "base/buf.h"

/* A row of meta: two drills of a fixed size, the last one and the one that failed. */
enum { FORM = 1, DRILL_BYTES = 4 + 7 * 8 + 4 * QC_GW_CLOUDS_MAX, DRILLS_BYTES = 2 * DRILL_BYTES };
static const char row_name[] = "drills";

qc_rc gw_cat_live_after(struct gw_cat *c, uint64_t after, uint64_t *nos, unsigned max, unsigned *ret_count,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY(c, LIVE_AFTER, &rows, err, QC_VI(after), QC_VI(max)));
    while (rows.row && count < max) {
        QC_TRY(qc_col_u64(rows.s, 0, &nos[count++], err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_count = count;
    return QC_OK;
}

static qc_rc add(qc_buf *b, const struct gw_drilled *d, struct qc_err *err)
{
    const uint64_t numbers[] = {
        (uint64_t)d->began_s, (uint64_t)d->ended_s, d->seed, d->versions, d->tried, d->back, d->bytes
    };

    QC_TRY(qc_buf_add_be(b, FORM, 1, err));
    QC_TRY(qc_buf_add_be(b, d->whole, 1, err));
    QC_TRY(qc_buf_add_be(b, d->exit, 1, err));
    QC_TRY(qc_buf_add_be(b, d->without_count, 1, err));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        QC_TRY(qc_buf_add_be(b, numbers[i], 8, err));
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        QC_TRY(qc_buf_add_be(b, i < d->without_count ? d->without[i] : 0, 4, err));
    return QC_OK;
}

static void take(qc_rd *rd, struct gw_drilled *d)
{
    const uint64_t form = qc_rd_be(rd, 1), whole = qc_rd_be(rd, 1);

    d->exit = (uint8_t)qc_rd_be(rd, 1);
    d->without_count = (unsigned)qc_rd_be(rd, 1);
    d->began_s = (int64_t)qc_rd_be(rd, 8);
    d->ended_s = (int64_t)qc_rd_be(rd, 8);
    d->seed = qc_rd_be(rd, 8);
    d->versions = qc_rd_be(rd, 8);
    d->tried = qc_rd_be(rd, 8);
    d->back = qc_rd_be(rd, 8);
    d->bytes = qc_rd_be(rd, 8);
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        d->without[i] = (uint32_t)qc_rd_be(rd, 4);
    d->whole = whole == 1;
    if (form != FORM || whole > 1 || d->without_count > QC_GW_CLOUDS_MAX || d->began_s < 0 ||
        d->ended_s < 0 || d->back > d->tried || d->tried > d->versions)
        qc_rd_fail(rd);
}

qc_rc gw_cat_drills_put(struct gw_cat *c, const struct gw_drills *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = DRILLS_BYTES };

    QC_TRY(add(&b, &d->last, err));
    QC_TRY(add(&b, &d->failed, err));
    return gw_meta_set_bytes(c, row_name, qc_buf_span(&b), err);
}

qc_rc gw_cat_drills_get(struct gw_cat *c, struct gw_drills *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_drills d = { 0 };

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(row_name))));
    if (rows.row) {
        qc_rd rd = { .s = qc_col_span(rows.s, 0) };
        take(&rd, &d.last);
        take(&rd, &d.failed);
        if (!qc_rd_end(&rd))
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: what drills came to does not parse");
    }
    *ret = d;
    return QC_OK;
}
