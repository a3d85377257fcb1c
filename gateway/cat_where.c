/* Where the fragments lie that count as there. */
#include "cat_internal.h"

qc_rc gw_cat_clouds_lost(struct gw_cat *c, uint32_t ids[QC_GW_CLOUDS_MAX], unsigned *ret_count,
                         struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY0(c, CLOUDS_LOST, &rows, err));
    while (rows.row) {
        if (count == QC_GW_CLOUDS_MAX)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: too many clouds");
        QC_TRY(gw_col_u32(rows.s, 0, &ids[count++], err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cat_layout_after(struct gw_cat *c, uint64_t after, uint64_t *ret, struct gw_log_layout *ret_layout,
                          struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, LAYOUT_AFTER, &rows, err, QC_VI(after)));
    if (!rows.row) {
        *ret = 0;
        return QC_OK;
    }
    QC_TRY(gw_col_layout(rows.s, 1, ret_layout, err));
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_layout_sound(struct gw_cat *c, uint64_t layout, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, LAYOUT_SOUND, &rows, err, QC_VI(layout)));
    *ret = rows.row;
    return QC_OK;
}

/* -- segments that deviate from their layout ------------------------------------------------------------- */

struct deviant {
    uint64_t id, layout_no;
    struct gw_log_layout layout;
    struct gw_lie lie;
};

static void forget_home(struct gw_lie *lie, uint32_t home)
{
    for (unsigned i = 0; i < lie->count; i++)
        if (lie->clouds[i] == home) {
            lie->clouds[i] = lie->clouds[--lie->count];
            return;
        }
}

/* A row takes a fragment from its home; it is somewhere else, or nowhere. */
static qc_rc deviate(struct deviant *d, struct gw_rows *rows, struct qc_err *err)
{
    uint32_t cloud, home;

    QC_TRY(gw_col_u32(rows->s, 2, &cloud, err));
    QC_TRY(gw_col_u32(rows->s, 3, &home, err));
    forget_home(&d->lie, home);
    if (qc_col_int(rows->s, 4) != GW_DEV_MOVED)
        return QC_OK;
    if (d->lie.count == QC_EC_N_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: more places than fragments");
    d->lie.clouds[d->lie.count++] = cloud;
    return QC_OK;
}

static qc_rc begin(struct gw_cat *c, struct deviant *d, uint64_t id, uint64_t layout_no, struct qc_err *err)
{
    if (layout_no != d->layout_no)
        QC_TRY(gw_layout_get(c, layout_no, &d->layout, err));
    d->id = id;
    d->layout_no = layout_no;
    d->lie.k = d->layout.k;
    d->lie.count = d->layout.n;
    memcpy(d->lie.clouds, d->layout.clouds, sizeof d->lie.clouds);
    return QC_OK;
}

/* A page; the segment that it ends within is the next one's, whole. *ret_after: 0 after the last page. */
static qc_rc page(struct gw_cat *c, uint64_t *ret_after, gw_lie_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct deviant d = { 0 };
    unsigned count = 0;
    uint64_t done = 0;

    QC_TRY(GW_QUERY(c, DEVIANTS_AFTER, &rows, err, QC_VI(*ret_after), QC_VI(GW_PAGE)));
    for (; rows.row; count++) {
        uint64_t id, layout_no;
        QC_TRY(qc_col_u64(rows.s, 0, &id, err));
        QC_TRY(qc_col_u64(rows.s, 1, &layout_no, err));
        if (id != d.id) {
            if (d.id != 0)
                fn(ctx, &d.lie);
            done = d.id;
            QC_TRY(begin(c, &d, id, layout_no, err));
        }
        QC_TRY(deviate(&d, &rows, err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    if (count < GW_PAGE && d.id != 0)
        fn(ctx, &d.lie);
    *ret_after = count < GW_PAGE ? 0 : done;
    return QC_OK;
}

qc_rc gw_cat_deviants(struct gw_cat *c, gw_lie_fn fn, void *ctx, struct qc_err *err)
{
    _Static_assert((int)GW_PAGE > (int)QC_EC_N_MAX, "a page has a whole segment");
    uint64_t after = 0;

    do
        QC_TRY(page(c, &after, fn, ctx, err));
    while (after != 0);
    return QC_OK;
}
