/* Entries that lie under other paths from now on. */
#include "base/alloc.h"
#include "calls.h"
#include "json.h"

struct renames {
    struct gw_rename *v;
    struct json_entry_in *entries; /* the bytes of the new entries .. */
    qc_buf *away;                  /* .. and of the old paths */
    unsigned count;
};

static void renames_done(struct renames *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        json_entry_in_done(&m->entries[i]);
        qc_buf_free(&m->away[i]);
    }
    qc_free(m->v);
    qc_free(m->entries);
    qc_free(m->away);
}

static qc_rc renames_new(struct renames *m, size_t count, struct qc_err *err)
{
    if (count < 1 || count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "moves: %zu, expected 1..%d", count, QC_GW_BATCH_CHANGES_MAX);
    m->v = qc_alloc(count * sizeof *m->v);
    m->entries = qc_alloc(count * sizeof *m->entries);
    m->away = qc_alloc(count * sizeof *m->away);
    if (m->v == NULL || m->entries == NULL || m->away == NULL)
        return QC_FAIL(err, QC_NOMEM, "moves");
    return QC_OK;
}

static qc_rc away_parse(struct gw_tomb *ret, qc_buf *path, const struct json_t *o, struct qc_err *err)
{
    static const char *const names[] = { "path", "number", "seal" };
    struct gw_tomb t = { 0 };
    QC_TRY(qc_json_only(o, names, 3, err));
    QC_TRY(json_path(path, o, err));
    QC_TRY(json_number(o, "number", &t.number, err));
    QC_TRY(qc_json_b64_fixed(o, "seal", t.seal, sizeof t.seal, err));
    t.path = qc_buf_span(path);
    *ret = t;
    return QC_OK;
}

static qc_rc move_parse(struct renames *m, const struct json_t *o, struct qc_err *err)
{
    static const char *const names[] = { "put_key", "from", "entry" };
    const unsigned i = m->count;
    struct json_t *from = NULL, *entry = NULL;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_only(o, names, 3, err));
    QC_TRY(json_id(o, "put_key", &m->v[i].put_key, err));
    QC_TRY(qc_json_obj(o, "from", &from, err));
    QC_TRY(qc_json_obj(o, "entry", &entry, err));
    QC_TRY(json_entry_parse(&m->entries[i], entry, err));
    m->count++; /* from here on its bytes are freed with the others' */
    m->v[i].e = m->entries[i].e;
    return away_parse(&m->v[i].away, &m->away[i], from, err);
}

static qc_rc renames_parse(struct renames *m, const struct json_t *in, struct qc_err *err)
{
    struct json_t *list = NULL;
    QC_TRY(qc_json_arr(in, "moves", &list, err));
    const size_t count = qc_json_len(list);
    QC_TRY(renames_new(m, count, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(move_parse(m, qc_json_at(list, i), err), err, "move %zu", i);
    return QC_OK;
}

static qc_rc add_outcome(struct request *r, const struct gw_rename *one, struct json_t *outcomes,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *receipt = NULL;
    if (one->rc != QC_OK) {
        QC_TRY(request_error_json(r, &one->err, &o, err));
        return qc_json_append(outcomes, &o, err);
    }
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_receipt(&receipt, r, &one->receipt, err));
    QC_TRY(qc_json_set(o, "receipt", &receipt, err));
    return qc_json_append(outcomes, &o, err);
}

/* What is not found behind this is an entry. */
static qc_rc vault_is_there(struct request *r, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    const struct gw_ref vault = request_ref(r);
    return gw_vault_get(request_engine(r), &vault, &v, err);
}

qc_rc call_entry_rename(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "moves" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(renames_done) struct renames m = { 0 };
    const struct gw_ref vault = request_ref(r);
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(renames_parse(&m, in, err));
    QC_TRY(vault_is_there(r, err));
    QC_TRY(gw_entries_rename(request_engine(r), &vault, m.v, m.count, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (unsigned i = 0; i < m.count; i++)
        QC_TRY(add_outcome(r, &m.v[i], outcomes, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "outcomes", &outcomes, err);
}
