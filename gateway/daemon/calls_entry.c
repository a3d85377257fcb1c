#include "calls.h"
#include "json.h"

qc_rc call_entry_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "path" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { 0 };
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };
    const struct gw_ref vault = request_ref(r);
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(json_path(&path, in, err));
    QC_TRY(gw_entry_get(request_engine(r), &vault, qc_buf_span(&path), &row, err));
    return json_entry(&ret->json, &row, err);
}

struct page {
    struct json_t *entries;
    size_t bytes;
    bool full; /* stopped by bytes, not by count: there is more */
};

static qc_rc add_entry(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    struct page *p = ctx;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    p->bytes += row->bytes.n;
    if (p->bytes > HTTP_PAGE_BYTES && qc_json_len(p->entries) > 0) {
        p->full = true;
        return QC_FAIL(err, QC_LIMIT, "the page is full");
    }
    QC_TRY(json_entry(&o, row, err));
    return qc_json_append(p->entries, &o, err);
}

static qc_rc query_parse(struct gw_entry_query *q, qc_buf *prefix, qc_buf *after, const struct json_t *in,
                         struct qc_err *err)
{
    int64_t limit = QC_GW_LIST_MAX;
    if (qc_json_has(in, "limit"))
        QC_TRY(qc_json_int(in, "limit", 1, QC_GW_LIST_MAX, &limit, err));
    if (qc_json_has(in, "tombstones"))
        QC_TRY(qc_json_bool(in, "tombstones", &q->tombstones, err));
    QC_TRY(qc_json_b64(in, "prefix", prefix, err));
    q->has_after = qc_json_has(in, "after");
    if (q->has_after)
        QC_TRY(qc_json_b64(in, "after", after, err));
    q->prefix = qc_buf_span(prefix);
    q->after = qc_buf_span(after);
    q->limit = (unsigned)limit;
    return QC_OK;
}

qc_rc call_entry_list(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "prefix", "after", "limit", "tombstones" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf prefix = { .max = QC_GW_PATH_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf after = { .max = QC_GW_PATH_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *entries = NULL;
    struct gw_entry_query q = { 0 };
    bool more = false;
    QC_TRY(request_json(r, names, 4, &in, err));
    QC_TRY(query_parse(&q, &prefix, &after, in, err));
    QC_TRY(qc_json_new_arr(&entries, err));
    struct page page = { .entries = entries };
    const struct gw_ref vault = request_ref(r);
    qc_rc rc = gw_entry_list(request_engine(r), &vault, &q, add_entry, &page, &more, err);
    if (rc != QC_OK && !page.full)
        return rc;
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set(ret->json, "entries", &entries, err));
    return qc_json_set_bool(ret->json, "more", more || page.full, err);
}

/* After a conflict the client needs to know what it lost against. */
static qc_rc tell_current(struct request *r, const struct gw_ref *vault, qc_span path, struct answer *ret,
                          struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *entry = NULL;
    QC_TRY(qc_json_new_obj(&ret->with_error, err));
    qc_rc rc = gw_entry_get(request_engine(r), vault, path, &row, err);
    if (rc == QC_NOTFOUND)
        return qc_json_set_null(ret->with_error, "current", err);
    QC_TRY(rc);
    QC_TRY(json_entry(&entry, &row, err));
    return qc_json_set(ret->with_error, "current", &entry, err);
}

/* rc of a change, with the current entry beside it where it is a conflict. */
static qc_rc conflicted(struct request *r, qc_rc rc, const struct gw_ref *vault, qc_span path,
                        struct answer *ret)
{
    struct qc_err other = { 0 };
    if (rc == QC_CONFLICT && tell_current(r, vault, path, ret, &other) != QC_OK)
        qc_json_free(&ret->with_error);
    return rc;
}

qc_rc call_entry_remove(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "path", "number", "seal", "put_key" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { 0 };
    struct gw_entry tombstone = { .kind = GW_ENTRY_TOMBSTONE };
    const struct gw_ref vault = request_ref(r);
    struct gw_id put_key;
    struct gw_receipt receipt = { 0 };
    QC_TRY(request_json(r, names, 4, &in, err));
    QC_TRY(json_path(&path, in, err));
    QC_TRY(json_number(in, "number", &tombstone.number, err));
    QC_TRY(qc_json_b64_fixed(in, "seal", tombstone.seal, sizeof tombstone.seal, err));
    QC_TRY(json_id(in, "put_key", &put_key, err));
    tombstone.path = qc_buf_span(&path);
    qc_rc rc = gw_entry_remove(request_engine(r), &vault, &tombstone, &put_key, &receipt, err);
    QC_TRY(conflicted(r, rc, &vault, tombstone.path, ret));
    return json_receipt(&ret->json, r, &receipt, err);
}

qc_rc call_commit(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "entry", "segments", "backup", "wait", "run" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_GW_BACKUP_MAX };
    QC_CLEANUP(json_entry_in_done) struct json_entry_in entry = { 0 };
    const struct gw_ref put_key = request_ref(r);
    struct gw_upload_commit c = { .tenant = r->tenant, .put_key = r->id[0] };
    struct gw_ref vault = { .tenant = r->tenant };
    struct gw_receipt receipt = { 0 };
    struct json_t *obj = NULL;
    int64_t segments = 0, run = 0;
    const char *wait = NULL;
    QC_TRY(request_json(r, names, 5, &in, err));
    QC_TRY(qc_json_obj(in, "entry", &obj, err));
    QC_TRY_AS(json_entry_parse(&entry, obj, err), err, "entry");
    QC_TRY(qc_json_int(in, "segments", 1, QC_GW_SEGMENTS_MAX, &segments, err));
    QC_TRY(qc_json_b64(in, "backup", &backup, err));
    if (qc_json_given(in, "wait"))
        QC_TRY(qc_json_str(in, "wait", &wait, err));
    QC_TRY(json_wait(wait, &c.hasty, err));
    if (qc_json_given(in, "run"))
        QC_TRY(qc_json_int(in, "run", 0, UINT32_MAX, &run, err));
    c.run = (uint32_t)run;
    c.entry = entry.e;
    c.segments = (uint32_t)segments;
    c.backup = qc_buf_span(&backup);
    QC_TRY(gw_upload_vault(request_engine(r), &put_key, &c.vault, err));
    vault.id = c.vault;
    qc_rc rc = gw_upload_commit(request_engine(r), &c, &receipt, err);
    if (rc == QC_OK)
        levels_over(&r->server->levels, &c.put_key);
    rc = levels_reason(&r->server->levels, request_engine(r), r->wanted, rc, err);
    QC_TRY(conflicted(r, rc, &vault, c.entry.path, ret));
    return json_receipt(&ret->json, r, &receipt, err);
}
