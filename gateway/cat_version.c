/* Versions and requests (put keys) of the catalogue. */
#include "base/planted.h"
#include "base/time.h"
#include "cat_internal.h"

enum { DAY_S = 24 * 60 * 60 };

static qc_rc col_version(struct gw_rows *rows, struct gw_version_row *ret, struct qc_err *err)
{
    struct gw_version_row v = { 0 };
    uint64_t state;

    if (!rows->row)
        return QC_FAIL(err, QC_NOTFOUND, "no such version");
    QC_TRY(qc_col_u64(rows->s, 0, &v.no, err));
    QC_TRY(gw_col_id(rows->s, 1, &v.vault, err));
    QC_TRY(gw_col_id(rows->s, 2, &v.object, err));
    QC_TRY(gw_col_id(rows->s, 3, &v.version, err));
    QC_TRY(gw_col_id(rows->s, 4, &v.put_key, err));
    QC_TRY(qc_col_u64(rows->s, 5, &v.base, err));
    QC_TRY(qc_col_u64(rows->s, 6, &v.size, err));
    QC_TRY(qc_col_u64(rows->s, 7, &v.segments, err));
    QC_TRY(qc_col_u64(rows->s, 8, &v.layout, err));
    QC_TRY(qc_col_u64(rows->s, 9, &v.created, err));
    QC_TRY(qc_col_u64(rows->s, 10, &state, err));
    v.acked_margin = (int)qc_col_int(rows->s, 11);
    QC_TRY(gw_col_u32(rows->s, 12, &v.tenant, err));
    QC_TRY(qc_col_u64(rows->s, 13, &v.holder, err));
    QC_TRY(qc_col_u64(rows->s, 14, &v.start, err));
    v.bundle = qc_col_int(rows->s, 15) != 0;
    QC_TRY(qc_col_u64(rows->s, 16, &v.kept, err));
    if (state < GW_VERSION_INTENT || state > GW_VERSION_DEAD)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a version in state %" PRIu64, state);
    v.state = (enum gw_version_state)state;
    *ret = v;
    return QC_OK;
}

qc_rc gw_cat_version(struct gw_cat *c, const struct gw_version_ids *ids, struct gw_version_row *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VERSION_GET, &rows, err, QC_VI(ids->tenant), QC_VB(gw_id_span(&ids->object)),
                    QC_VB(gw_id_span(&ids->version))));
    return col_version(&rows, ret, err);
}

qc_rc gw_cat_version_no(struct gw_cat *c, uint64_t no, struct gw_version_row *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VERSION_NO, &rows, err, QC_VI(no)));
    return col_version(&rows, ret, err);
}

qc_rc gw_cat_version_add(struct gw_cat *c, const struct gw_version_row *row, uint64_t *ret_no,
                         struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VERSION_ADD, &rows, err, QC_VB(gw_id_span(&row->vault)),
                    QC_VB(gw_id_span(&row->object)), QC_VB(gw_id_span(&row->version)),
                    QC_VB(gw_id_span(&row->put_key)), QC_VI(row->base), QC_VI(row->size),
                    QC_VI(row->segments), QC_VI(row->layout), QC_VI(row->created), QC_VI(row->state),
                    QC_VI(row->acked_margin), QC_VI(row->tenant), QC_VI(row->holder), QC_VI(row->start)));
    return qc_col_u64(rows.s, 0, ret_no, err);
}

qc_rc gw_cat_version_state(struct gw_cat *c, uint64_t no, enum gw_version_state state, struct qc_err *err)
{
    return GW_RUN(c, VERSION_STATE, err, QC_VI(no), QC_VI(state));
}

qc_rc gw_cat_version_bundle(struct gw_cat *c, uint64_t no, struct qc_err *err)
{
    return GW_RUN(c, VERSION_BUNDLE, err, QC_VI(no));
}

/* With its last N all of a bundle is dead. It counted as nobody's version, and does not begin to. */
qc_rc gw_cat_bundle_leave(struct gw_cat *c, uint64_t bundle_no, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_RUN(c, BUNDLE_GONE, err, QC_VI(bundle_no), QC_VI(size)));
    QC_TRY(GW_QUERY(c, VERSION_HELD, &rows, err, QC_VI(bundle_no)));
    if (rows.row && !qc_planted(bundle_dies))
        return QC_OK;
    gw_rows_end(&rows);
    QC_TRY(GW_RUN(c, VERSION_LOOSE, err, QC_VI(bundle_no)));
    QC_TRY(gw_cat_segments_kill(c, bundle_no, false, err));
    return GW_RUN(c, MIXED_GONE, err, QC_VI(bundle_no));
}

qc_rc gw_cat_version_purge(struct gw_cat *c, const struct gw_version_row *v, struct qc_err *err)
{
    QC_TRY(gw_cat_version_state(c, v->no, GW_VERSION_DEAD, err));
    QC_TRY(GW_RUN(c, BACKUP_GO, err, QC_VI(v->no)));
    if (v->holder != 0)
        return gw_cat_bundle_leave(c, v->holder, v->size, err);
    QC_TRY(gw_cat_segments_kill(c, v->no, false, err));
    return GW_RUN(c, MIXED_GONE, err, QC_VI(v->no));
}

qc_rc gw_cat_version_keep(struct gw_cat *c, uint64_t no, uint64_t until, struct qc_err *err)
{
    return GW_RUN(c, VERSION_KEEP, err, QC_VI(no), QC_VI(until));
}

qc_rc gw_cat_version_layout(struct gw_cat *c, uint64_t no, uint64_t layout, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, MIXED_ADD, err, QC_VI(no)));
    return GW_RUN(c, VERSION_LAYOUT, err, QC_VI(no), QC_VI(layout));
}

qc_rc gw_cat_version_acked(struct gw_cat *c, uint64_t no, int margin, struct qc_err *err)
{
    return GW_RUN(c, VERSION_ACKED, err, QC_VI(no), QC_VI(margin));
}

qc_rc gw_cat_version_current(struct gw_cat *c, uint64_t no, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VERSION_CURRENT, &rows, err, QC_VI(no)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_margin(struct gw_cat *c, uint64_t version_no, int *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, MARGIN, &rows, err, QC_VI(version_no)));
    if (!rows.row || qc_col_null(rows.s, 0))
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a version without segments");
    *ret = (int)qc_col_int(rows.s, 0);
    return QC_OK;
}

qc_rc gw_cat_durable(struct gw_cat *c, uint64_t version_no, unsigned *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DURABLE, &rows, err, QC_VI(version_no)));
    if (!rows.row || qc_col_null(rows.s, 0))
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a version without segments");
    const int64_t on = qc_col_int(rows.s, 0);
    *ret = on < 0 ? 0 : (unsigned)on;
    return QC_OK;
}

qc_rc gw_cat_durable_each(struct gw_cat *c, uint64_t version_no, gw_durable_fn fn, void *ctx,
                          struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DURABLE_BY_CODE, &rows, err, QC_VI(version_no)));
    while (rows.row) {
        uint32_t k, n;
        QC_TRY(gw_col_u32(rows.s, 0, &k, err));
        QC_TRY(gw_col_u32(rows.s, 1, &n, err));
        QC_TRY(fn(ctx, k, n, (int)qc_col_int(rows.s, 2), err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

qc_rc gw_cat_backup(struct gw_cat *c, uint64_t version_no, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, BACKUP_GET, &rows, err, QC_VI(version_no)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no backup data of that version");
    return qc_buf_add(ret, qc_col_span(rows.s, 0), err);
}

/* -- requests -------------------------------------------------------------------------------------------- */

static qc_rc col_cloud_ids(struct qc_stmt *s, int at, uint32_t *ids, unsigned *ret_count, struct qc_err *err)
{
    const qc_span b = qc_col_span(s, at);

    if (b.n % 4 != 0 || b.n > 4 * (size_t)QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a receipt of %zu bytes", b.n);
    for (size_t i = 0; i < b.n / 4; i++)
        ids[i] = (uint32_t)qc_get_be(b.p + 4 * i, 4);
    *ret_count = (unsigned)(b.n / 4);
    return QC_OK;
}

/* Into b: 4 * QC_GW_CLOUDS_MAX bytes. */
static qc_span cloud_ids(const uint32_t *ids, unsigned count, uint8_t *b)
{
    QC_ASSERT(count <= QC_GW_CLOUDS_MAX);
    for (unsigned i = 0; i < count; i++)
        qc_put_be(b + 4 * (size_t)i, ids[i], 4);
    return qc_span_of(b, 4 * (size_t)count);
}

static qc_rc col_receipt(struct qc_stmt *s, int at, struct gw_receipt *ret, struct qc_err *err)
{
    struct gw_receipt r = { 0 };

    QC_TRY(qc_col_u64(s, at, &r.number, err));
    QC_TRY(qc_col_u64(s, at + 1, &r.chain, err));
    r.head.count = r.chain;
    QC_TRY(qc_col_fixed(s, at + 2, r.head.hash, sizeof r.head.hash, err));
    r.acked_margin = (int)qc_col_int(s, at + 3);
    r.margin_full = (int)qc_col_int(s, at + 4);
    r.durable_min = (unsigned)qc_col_int(s, at + 5);
    r.n = (unsigned)qc_col_int(s, at + 6);
    r.record_copies = (unsigned)qc_col_int(s, at + 7);
    r.clouds = (unsigned)qc_col_int(s, at + 8);
    QC_TRY(col_cloud_ids(s, at + 9, r.degraded, &r.degraded_count, err));
    QC_TRY(col_cloud_ids(s, at + 10, r.following, &r.following_count, err));
    *ret = r;
    return QC_OK;
}

qc_rc gw_cat_request(struct gw_cat *c, const struct gw_ref *put_key, struct gw_request_row *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_request_row r = { .put_key = *put_key, .state = GW_UPLOAD_UNKNOWN };
    uint64_t kind, state;

    QC_TRY(GW_QUERY(c, REQUEST_GET, &rows, err, QC_VI(put_key->tenant), QC_VB(gw_id_span(&put_key->id))));
    if (rows.row) {
        QC_TRY(qc_col_u64(rows.s, 0, &kind, err));
        QC_TRY(qc_col_u64(rows.s, 1, &state, err));
        QC_TRY(qc_col_u64(rows.s, 2, &r.version_no, err));
        QC_TRY(qc_col_fixed(rows.s, 3, r.seal, sizeof r.seal, err));
        QC_TRY(col_receipt(rows.s, 4, &r.receipt, err));
        QC_TRY(gw_col_u32(rows.s, 15, &r.run, err));
        QC_TRY(qc_col_u64(rows.s, 16, &r.no, err));
        if (kind < GW_REQUEST_PUT || kind > GW_REQUEST_RENAME || state < GW_UPLOAD_OPEN ||
            state > GW_UPLOAD_LIVE)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: a request in state %" PRIu64, state);
        r.kind = (enum gw_request_kind)kind;
        r.state = (enum gw_upload_state)state;
    }
    *ret = r;
    return QC_OK;
}

qc_rc gw_cat_request_put(struct gw_cat *c, const struct gw_request_row *row, struct qc_err *err)
{
    const struct gw_receipt *r = &row->receipt;
    uint8_t degraded[4 * QC_GW_CLOUDS_MAX], following[4 * QC_GW_CLOUDS_MAX];

    const struct qc_val vals[] = { QC_VB(gw_id_span(&row->put_key.id)),
                                   QC_VI(row->kind),
                                   QC_VI(row->state),
                                   QC_VI(row->version_no),
                                   QC_VB(qc_span_of(row->seal, sizeof row->seal)),
                                   QC_VI(r->number),
                                   QC_VI(r->chain),
                                   QC_VB(qc_span_of(r->head.hash, sizeof r->head.hash)),
                                   QC_VI(r->acked_margin),
                                   QC_VI(r->margin_full),
                                   QC_VI(r->durable_min),
                                   QC_VI(r->n),
                                   QC_VI(r->record_copies),
                                   QC_VI(r->clouds),
                                   QC_VB(cloud_ids(r->degraded, r->degraded_count, degraded)),
                                   QC_VI(row->put_key.tenant),
                                   QC_VB(cloud_ids(r->following, r->following_count, following)) };
    const size_t columns = sizeof vals / sizeof *vals;

    if (row->no == 0) {
        QC_TRY(gw_cat_run(c, GW_SQL_REQUEST_NEW, vals, columns, err));
        if (qc_db_changes(c->db) == 1)
            return QC_OK;
    }
    return gw_cat_run(c, GW_SQL_REQUEST_PUT, vals, columns, err);
}

qc_rc gw_cat_request_decided(struct gw_cat *c, const struct gw_ref *put_key, const uint8_t *seal,
                             uint64_t *ret_no, uint64_t *ret_version_no, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_no = *ret_version_no = 0;
    QC_TRY(GW_QUERY(c, REQUEST_DECIDED, &rows, err, QC_VI(put_key->tenant), QC_VB(gw_id_span(&put_key->id)),
                    QC_VB(qc_span_of(seal, GW_DIGEST_BYTES))));
    if (!rows.row)
        return QC_OK;
    QC_TRY(qc_col_u64(rows.s, 0, ret_no, err));
    return qc_col_u64(rows.s, 1, ret_version_no, err);
}

qc_rc gw_cat_request_live(struct gw_cat *c, uint64_t no, const struct gw_receipt *r, struct qc_err *err)
{
    uint8_t degraded[4 * QC_GW_CLOUDS_MAX], following[4 * QC_GW_CLOUDS_MAX];

    return GW_RUN(c, REQUEST_LIVE, err, QC_VI(no), QC_VI(r->number), QC_VI(r->chain),
                  QC_VB(qc_span_of(r->head.hash, sizeof r->head.hash)), QC_VI(r->acked_margin),
                  QC_VI(r->margin_full), QC_VI(r->durable_min), QC_VI(r->n), QC_VI(r->record_copies),
                  QC_VI(r->clouds), QC_VB(cloud_ids(r->degraded, r->degraded_count, degraded)),
                  QC_VB(cloud_ids(r->following, r->following_count, following)));
}

qc_rc gw_cat_request_reached(struct gw_cat *c, const struct gw_ref *put_key, const struct gw_receipt *r,
                             struct qc_err *err)
{
    uint8_t degraded[4 * QC_GW_CLOUDS_MAX], following[4 * QC_GW_CLOUDS_MAX];
    const qc_span key = gw_id_span(&put_key->id);

    QC_TRY(GW_RUN(c, REQUEST_REACHED, err, QC_VI(put_key->tenant), QC_VB(key), QC_VI(r->acked_margin),
                  QC_VI(r->margin_full), QC_VI(r->durable_min), QC_VI(r->n), QC_VI(r->record_copies),
                  QC_VI(r->clouds), QC_VB(cloud_ids(r->degraded, r->degraded_count, degraded)),
                  QC_VB(cloud_ids(r->following, r->following_count, following))));
    return GW_RUN(c, VERSION_REACHED, err, QC_VI(put_key->tenant), QC_VB(key), QC_VI(r->acked_margin));
}

qc_rc gw_cat_request_run(struct gw_cat *c, const struct gw_ref *put_key, struct qc_err *err)
{
    return GW_RUN(c, REQUEST_RUN, err, QC_VI(put_key->tenant), QC_VB(gw_id_span(&put_key->id)),
                  QC_VI(qc_wall_s()));
}

qc_rc gw_cat_request_heard(struct gw_cat *c, const struct gw_ref *put_key, struct qc_err *err)
{
    const int64_t now = qc_wall_s();

    return GW_RUN(c, REQUEST_HEARD, err, QC_VI(put_key->tenant), QC_VB(gw_id_span(&put_key->id)), QC_VI(now),
                  QC_VI(now - DAY_S));
}

qc_rc gw_cat_request_silent(struct gw_cat *c, int64_t before, struct gw_ref *ret, uint64_t *ret_heard,
                            bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, REQUEST_SILENT, &rows, err, QC_VI(before)));
    *ret_found = rows.row;
    if (!rows.row)
        return QC_OK;
    QC_TRY(gw_col_u32(rows.s, 0, &ret->tenant, err));
    QC_TRY(gw_col_id(rows.s, 1, &ret->id, err));
    return qc_col_u64(rows.s, 2, ret_heard, err);
}

qc_rc gw_cat_request_forget(struct gw_cat *c, uint32_t tenant, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t no, version;

    QC_TRY(GW_QUERY(c, REQUEST_OLDEST, &rows, err, QC_VI(tenant)));
    if (!rows.row)
        return QC_OK;
    QC_TRY(qc_col_u64(rows.s, 0, &no, err));
    QC_TRY(qc_col_u64(rows.s, 1, &version, err));
    gw_rows_end(&rows);
    QC_TRY(GW_RUN(c, REQUEST_FORGET, err, QC_VI(no)));
    return GW_RUN(c, VERSION_FORGET, err, QC_VI(version));
}

qc_rc gw_cat_vault_count(struct gw_cat *c, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, USAGE_VAULTS, &rows, err));
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_open_uploads(struct gw_cat *c, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, REQUESTS_OPEN, &rows, err));
    return qc_col_u64(rows.s, 0, ret, err);
}
