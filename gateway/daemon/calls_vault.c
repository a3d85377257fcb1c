#include "base/codec.h"
#include "calls.h"
#include "json.h"

static qc_rc add_vault(void *ctx, const struct gw_id *vault, struct qc_err *err)
{
    char hex[2 * GW_ID_BYTES + 1];
    qc_hex(gw_id_span(vault), hex);
    return qc_json_append_str(ctx, hex, err);
}

qc_rc call_vaults(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(gw_vault_list(request_engine(r), r->tenant, add_vault, list, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "vaults", &list, err);
}

qc_rc call_vault_put(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "record", "backup" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = QC_GW_RECORD_SIZE };
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_GW_BACKUP_MAX };
    const struct gw_ref vault = request_ref(r);
    bool made = false;
    QC_TRY(request_json(r, names, 2, &in, err));
    QC_TRY(qc_json_b64(in, "record", &record, err));
    QC_TRY(qc_json_b64(in, "backup", &backup, err));
    QC_TRY(gw_vault_put(request_engine(r), &vault, qc_buf_span(&record), qc_buf_span(&backup), &made, err));
    ret->status = made ? MHD_HTTP_CREATED : MHD_HTTP_OK;
    return qc_json_new_obj(&ret->json, err);
}

qc_rc call_vault_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    const struct gw_ref vault = request_ref(r);
    QC_TRY(gw_vault_get(request_engine(r), &vault, &v, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set_b64(ret->json, "record", qc_buf_span(&v.record), err));
    QC_TRY(qc_json_set_b64(ret->json, "backup", qc_buf_span(&v.backup), err));
    return json_head(ret->json, &v.head, err);
}

/* One of the list; its bytes go to the end of all. */
static qc_rc take_backup(const struct json_t *o, struct gw_new_backup *ret, qc_buf *bytes, struct qc_err *err)
{
    static const char *const names[] = { "object", "version", "backup" };
    const size_t before = bytes->n;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_only(o, names, 3, err));
    QC_TRY(json_id(o, "object", &ret->object, err));
    QC_TRY(json_id(o, "version", &ret->version, err));
    QC_TRY(qc_json_b64(o, "backup", bytes, err));
    ret->backup.n = bytes->n - before; /* where it lies is known when all are there */
    return QC_OK;
}

qc_rc call_backups(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "backups" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_JSON_MAX };
    struct gw_new_backup v[QC_GW_BATCH_CHANGES_MAX] = { 0 };
    struct json_t *list = NULL;
    size_t count = 0;
    const struct gw_ref vault = request_ref(r);
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(request_some(in, "backups", &list, &count, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(take_backup(qc_json_at(list, i), &v[i], &bytes, err), err, "backup %zu", i);
    for (size_t i = 0, at = 0; i < count; at += v[i++].backup.n)
        v[i].backup.p = bytes.p + at;
    QC_TRY(gw_backups_replace(request_engine(r), &vault, v, (unsigned)count, err));
    return qc_json_new_obj(&ret->json, err);
}

qc_rc call_chain(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf seals = { .max = (size_t)QC_GW_CHAIN_MAX * GW_DIGEST_BYTES };
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    struct gw_head head = { 0 };
    uint64_t from = 0;
    uint64_t limit = QC_GW_CHAIN_MAX;
    const struct gw_ref vault = request_ref(r);
    QC_TRY(request_argument_u64(r, "from", 0, &from, err));
    QC_TRY(request_argument_u64(r, "limit", QC_GW_CHAIN_MAX, &limit, err));
    if (limit < 1 || limit > QC_GW_CHAIN_MAX)
        return QC_FAIL(err, QC_USAGE, "limit: 1..%d", QC_GW_CHAIN_MAX);
    QC_TRY(gw_vault_chain(request_engine(r), &vault, from, limit, &head, &seals, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(json_head(ret->json, &head, err));
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t at = 0; at < seals.n; at += GW_DIGEST_BYTES) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 64 };
        const char *s = NULL;
        QC_TRY(qc_b64_enc(qc_span_of(seals.p + at, GW_DIGEST_BYTES), &text, err));
        QC_TRY(qc_buf_cstr(&text, &s, err));
        QC_TRY(qc_json_append_str(list, s, err));
    }
    return qc_json_set(ret->json, "seals", &list, err);
}
