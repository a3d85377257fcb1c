/* Calls about many small objects at once. */
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/fault.h"
#include "calls.h"
#include "json.h"
#include "members.h"

/* -- entries --------------------------------------------------------------------------------------------- */

struct looked {
    qc_buf *paths;
    qc_span *spans; /* of them */
    struct gw_entry_row *rows;
    size_t count;
};

static void looked_done(struct looked *l)
{
    for (size_t i = 0; i < l->count; i++) {
        qc_buf_free(&l->paths[i]);
        gw_entry_row_done(&l->rows[i]);
    }
    qc_free(l->paths);
    qc_free(l->spans);
    qc_free(l->rows);
}

static qc_rc path_of(const struct json_t *paths, size_t i, qc_buf *ret, struct qc_err *err)
{
    const char *text = qc_json_str_value(qc_json_at(paths, i));
    if (text == NULL)
        return QC_FAIL(err, QC_FORMAT, "path %zu: no text", i);
    ret->max = QC_GW_PATH_MAX;
    QC_TRY_AS(qc_b64_dec(qc_span_str(text), ret, err), err, "path %zu", i);
    return ret->n > 0 ? QC_OK : QC_FAIL(err, QC_FORMAT, "path %zu: empty", i);
}

static qc_rc looked_parse(struct looked *l, const struct json_t *in, struct qc_err *err)
{
    struct json_t *paths = NULL;
    size_t count = 0;
    QC_TRY(request_some(in, "paths", &paths, &count, err));
    l->paths = qc_alloc(count * sizeof *l->paths);
    l->spans = qc_alloc(count * sizeof *l->spans);
    l->rows = qc_alloc(count * sizeof *l->rows);
    if (l->paths == NULL || l->spans == NULL || l->rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "paths");
    l->count = count;
    for (size_t i = 0; i < count; i++) {
        QC_TRY(path_of(paths, i, &l->paths[i], err));
        l->spans[i] = qc_buf_span(&l->paths[i]);
    }
    return QC_OK;
}

qc_rc call_entry_some(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "paths" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *entries = NULL;
    QC_CLEANUP(looked_done) struct looked l = { 0 };
    const struct gw_ref vault = request_ref(r);
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(looked_parse(&l, in, err));
    QC_TRY(gw_entry_some(request_engine(r), &vault, l.spans, l.count, l.rows, err));
    QC_TRY(qc_json_new_arr(&entries, err));
    for (size_t i = 0; i < l.count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
        if (l.rows[i].e.path.n == 0)
            continue;
        QC_TRY(json_entry(&o, &l.rows[i], err));
        QC_TRY(qc_json_append(entries, &o, err));
    }
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "entries", &entries, err);
}

/* -- commit ---------------------------------------------------------------------------------------------- */

struct members {
    struct gw_upload_member *v;
    struct json_entry_in *entries; /* the bytes of the members' entries .. */
    qc_buf *backups;               /* .. and backup data; both NULL: they lie in the request's body */
    unsigned count;
};

static void members_done(struct members *m)
{
    for (unsigned i = 0; i < m->count && m->entries != NULL; i++) {
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

static qc_rc commit_members(struct request *r, struct members *m, uint32_t segments, bool hasty,
                            struct qc_err *err)
{
    const struct gw_ref put_key = request_ref(r);
    struct gw_upload_bundle b = { .tenant = r->tenant,
                                  .put_key = r->id[0],
                                  .segments = segments,
                                  .hasty = hasty,
                                  .members = m->v,
                                  .count = m->count };
    QC_TRY(gw_upload_vault(request_engine(r), &put_key, &b.vault, err));
    return gw_upload_commit_bundle(request_engine(r), &b, err);
}

qc_rc call_members(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "members", "segments", "wait" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(members_done) struct members m = { 0 };
    const char *wait = NULL;
    int64_t segments = 0;
    bool hasty = false;
    QC_TRY(request_json(r, names, 3, &in, err));
    QC_TRY(members_parse(&m, in, err));
    QC_TRY(qc_json_int(in, "segments", 1, QC_GW_SEGMENTS_MAX, &segments, err));
    if (qc_json_given(in, "wait"))
        QC_TRY(qc_json_str(in, "wait", &wait, err));
    QC_TRY(json_wait(wait, &hasty, err));
    QC_TRY(commit_members(r, &m, (uint32_t)segments, hasty, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (unsigned i = 0; i < m.count; i++)
        QC_TRY(add_outcome(r, &m.v[i], outcomes, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "outcomes", &outcomes, err);
}

/* Of one that is live what is its own: all else is the same for all of them. */
static qc_rc add_place(struct request *r, struct gw_upload_member *m, struct json_t *outcomes,
                       const struct gw_upload_member **last, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    if (m->rc != QC_OK)
        return add_outcome(r, m, outcomes, err);
    *last = m;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "number", m->receipt.number, err));
    QC_TRY(json_count(o, "chain", m->receipt.chain, err));
    return qc_json_append(outcomes, &o, err);
}

qc_rc call_members_bytes(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *receipt = NULL;
    QC_CLEANUP(members_done) struct members m = { 0 };
    const struct gw_upload_member *last = NULL;
    uint64_t segments = 0;
    bool hasty = false;
    QC_TRY(request_argument_u64(r, "segments", 1, &segments, err));
    if (segments < 1 || segments > QC_GW_SEGMENTS_MAX)
        return QC_FAIL(err, QC_USAGE, "segments: 1 to %d", QC_GW_SEGMENTS_MAX);
    QC_TRY(json_wait(request_argument(r, "wait"), &hasty, err));
    m.v = qc_alloc(QC_GW_MEMBERS_MAX * sizeof *m.v);
    if (m.v == NULL)
        return QC_FAIL(err, QC_NOMEM, "members of a bundle");
    QC_TRY_AS(members_read(qc_buf_span(&r->body), m.v, &m.count, err), err, "body");
    if (m.count > QC_GW_BATCH_CHANGES_MAX && qc_fault(members_few, err) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "more than %d members", QC_GW_BATCH_CHANGES_MAX);
    QC_TRY(commit_members(r, &m, (uint32_t)segments, hasty, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (unsigned i = 0; i < m.count; i++)
        QC_TRY(add_place(r, &m.v[i], outcomes, &last, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set(ret->json, "outcomes", &outcomes, err));
    if (last == NULL)
        return QC_OK;
    QC_TRY(json_receipt(&receipt, r, &last->receipt, err));
    return qc_json_set(ret->json, "receipt", &receipt, err);
}

/* -- reading --------------------------------------------------------------------------------------------- */

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
    qc_buf_init(&ret->raw, QC_GW_READ_SOME);
    return gw_read_some(request_engine(r), ids, count, r->name, &ret->raw, err);
}
