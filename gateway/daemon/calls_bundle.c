/* Calls about many small objects at once. */
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "calls.h"
#include "json.h"

/* -- entries --------------------------------------------------------------------------------------------- */

static qc_rc path_of(const struct json_t *paths, size_t i, qc_buf *ret, struct qc_err *err)
{
    const char *text = qc_json_str_value(qc_json_at(paths, i));
    if (text == NULL)
        return QC_FAIL(err, QC_FORMAT, "path %zu: no text", i);
    qc_buf_clear(ret);
    QC_TRY_AS(qc_b64_dec(qc_span_str(text), ret, err), err, "path %zu", i);
    return ret->n > 0 ? QC_OK : QC_FAIL(err, QC_FORMAT, "path %zu: empty", i);
}

/* The entry of a path, if there is one. */
static qc_rc add_entry(struct request *r, qc_span path, struct json_t *entries, struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const struct gw_ref vault = request_ref(r);
    struct qc_err miss = { 0 };
    const qc_rc rc = gw_entry_get(request_engine(r), &vault, path, &row, &miss);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = miss;
        return rc;
    }
    QC_TRY(json_entry(&o, &row, err));
    return qc_json_append(entries, &o, err);
}

qc_rc call_entry_some(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "paths" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *entries = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_GW_PATH_MAX };
    struct json_t *paths = NULL;
    size_t count = 0;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(request_some(in, "paths", &paths, &count, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(path_of(paths, i, &path, err));
    QC_TRY(request_vault(r, err));
    QC_TRY(qc_json_new_arr(&entries, err));
    for (size_t i = 0; i < count; i++) {
        QC_TRY(path_of(paths, i, &path, err));
        QC_TRY(add_entry(r, qc_buf_span(&path), entries, err));
    }
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "entries", &entries, err);
}

/* -- commit ---------------------------------------------------------------------------------------------- */

struct members {
    struct gw_upload_member *v;
    struct json_entry_in *entries; /* the bytes of the members' entries .. */
    qc_buf *backups;               /* .. and backup data */
    unsigned count;
};

static void members_done(struct members *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        json_entry_in_done(&m->entries[i]);
        qc_buf_free(&m->backups[i]);
    }
    qc_free(m->v);
    qc_free(m->entries);
    qc_free(m->backups);
}

static qc_rc members_new(struct members *m, size_t count, struct qc_err *err)
{
    m->v = qc_alloc(count * sizeof *m->v);
    m->entries = qc_alloc(count * sizeof *m->entries);
    m->backups = qc_alloc(count * sizeof *m->backups);
    if (m->v == NULL || m->entries == NULL || m->backups == NULL)
        return QC_FAIL(err, QC_NOMEM, "members of a bundle");
    return QC_OK;
}

static qc_rc member_parse(struct members *m, const struct json_t *o, struct qc_err *err)
{
    static const char *const names[] = { "put_key", "start", "entry", "backup" };
    const unsigned i = m->count;
    struct json_t *entry = NULL;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_only(o, names, 4, err));
    QC_TRY(json_id(o, "put_key", &m->v[i].put_key, err));
    QC_TRY(json_number(o, "start", &m->v[i].start, err));
    QC_TRY(qc_json_obj(o, "entry", &entry, err));
    QC_TRY(json_entry_parse(&m->entries[i], entry, err));
    m->backups[i].max = QC_GW_BACKUP_MAX;
    m->count++; /* from here on its entry is freed with the others */
    QC_TRY(qc_json_b64(o, "backup", &m->backups[i], err));
    m->v[i].entry = m->entries[i].e;
    m->v[i].backup = qc_buf_span(&m->backups[i]);
    return QC_OK;
}

static qc_rc members_parse(struct members *m, const struct json_t *in, struct qc_err *err)
{
    struct json_t *list = NULL;
    size_t count = 0;
    QC_TRY(request_some(in, "members", &list, &count, err));
    QC_TRY(members_new(m, count, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(member_parse(m, qc_json_at(list, i), err), err, "member %zu", i);
    return QC_OK;
}

static qc_rc add_outcome(struct request *r, struct gw_upload_member *m, struct json_t *outcomes,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *receipt = NULL;
    if (m->rc != QC_OK) {
        m->rc = levels_reason(&r->server->levels, r->server->engine, r->wanted, m->rc, &m->err);
        QC_TRY(request_error_json(r, &m->err, &o, err));
        return qc_json_append(outcomes, &o, err);
    }
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_receipt(&receipt, r, &m->receipt, err));
    QC_TRY(qc_json_set(o, "receipt", &receipt, err));
    return qc_json_append(outcomes, &o, err);
}

qc_rc call_members(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "members", "segments", "wait" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(members_done) struct members m = { 0 };
    const struct gw_ref put_key = request_ref(r);
    struct gw_upload_bundle b = { .tenant = r->tenant, .put_key = r->id[0] };
    const char *wait = NULL;
    int64_t segments = 0;
    QC_TRY(request_json(r, names, 3, &in, err));
    QC_TRY(members_parse(&m, in, err));
    QC_TRY(qc_json_int(in, "segments", 1, QC_GW_SEGMENTS_MAX, &segments, err));
    if (qc_json_given(in, "wait"))
        QC_TRY(qc_json_str(in, "wait", &wait, err));
    QC_TRY(json_wait(wait, &b.hasty, err));
    b.segments = (uint32_t)segments;
    b.members = m.v;
    b.count = m.count;
    QC_TRY(gw_upload_vault(request_engine(r), &put_key, &b.vault, err));
    QC_TRY(gw_upload_commit_bundle(request_engine(r), &b, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (unsigned i = 0; i < m.count; i++)
        QC_TRY(add_outcome(r, &m.v[i], outcomes, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "outcomes", &outcomes, err);
}

/* -- reading --------------------------------------------------------------------------------------------- */

static qc_rc read_all(struct gw_reader *reader, uint64_t size, qc_buf *to, struct qc_err *err)
{
    for (uint64_t at = 0; at < size;) {
        size_t got = 0;
        QC_TRY(qc_buf_reserve(to, (size_t)(size - at), err));
        QC_TRY(gw_reader_read(reader, at, size, to->p + to->n, (size_t)(size - at), &got, err));
        to->n += got;
        at += got;
    }
    return QC_OK;
}

static qc_rc read_one(struct request *r, const struct gw_version_ids *ids, qc_buf *to, struct qc_err *err)
{
    struct gw_reader *reader = NULL;
    uint64_t size = 0;
    QC_TRY(gw_reader_open(request_engine(r), ids, r->name, &reader, &size, err));
    qc_rc rc = QC_OK;
    if (size > to->max - to->n)
        rc = QC_FAIL(err, QC_LIMIT, "all of them have more than %d bytes", QC_GW_BUNDLE_MAX);
    if (rc == QC_OK)
        rc = read_all(reader, size, to, err);
    gw_reader_close(&reader);
    return rc;
}

qc_rc call_read_some(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "objects" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_version_ids *ids = NULL;
    struct json_t *list = NULL;
    size_t count = 0;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(request_some(in, "objects", &list, &count, err));
    ids = qc_alloc(count * sizeof *ids);
    if (ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "ids of objects");
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(request_version(r, qc_json_at(list, i), &ids[i], err), err, "object %zu", i);
    qc_buf_init(&ret->raw, QC_GW_BUNDLE_MAX);
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(read_one(r, &ids[i], &ret->raw, err), err, "object %zu", i);
    return QC_OK;
}
