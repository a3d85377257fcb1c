/* The call that moves entries to other paths: docs/API.md. */
#include "gw_http.h"
#include "gw_json.h"

static qc_rc move_build(struct json_t *list, const struct vault_gw_move *m, struct qc_err *err)
{
    const struct vault_entry *away = m->away;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *from = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *entry = NULL;
    QC_TRY(qc_json_new_obj(&from, err));
    QC_TRY(qc_json_set_b64(from, "path", away->path, err));
    QC_TRY(qc_json_set_int(from, "number", (int64_t)away->number, err));
    QC_TRY(qc_json_set_b64(from, "seal", qc_span_of(away->seal, sizeof(away->seal)), err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_hex(o, "put_key", qc_span_of(m->put_key, 16), err));
    QC_TRY(qc_json_set(o, "from", &from, err));
    QC_TRY(gw_json_entry_build(&entry, m->entry, err));
    QC_TRY(qc_json_set(o, "entry", &entry, err));
    return qc_json_append(list, &o, err);
}

static qc_rc move_outcome(struct vault_gw_move *m, const struct json_t *o, struct qc_err *err)
{
    struct vault_gw_receipt receipt = { 0 };
    QC_TRY(gw_json_outcome(&receipt, o, &m->rc, &m->err, err));
    if (m->rc != QC_OK)
        return QC_OK;
    m->number = receipt.number;
    m->chain = receipt.chain;
    m->record_copies = receipt.record_copies;
    m->clouds = receipt.clouds;
    return QC_OK;
}

qc_rc gw_http_entries_move(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_move *moves,
                           size_t count, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct json_t *outcomes = NULL;
    char path[GW_HTTP_PATH];
    gw_http_vault_path(path, vault, "/entries/rename");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(move_build(list, &moves[i], err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "moves", &list, err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    QC_TRY(qc_json_arr(answer, "outcomes", &outcomes, err));
    if (qc_json_len(outcomes) != count)
        return QC_FAIL(err, QC_FORMAT, "outcomes: %zu of %zu moves", qc_json_len(outcomes), count);
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(move_outcome(&moves[i], qc_json_at(outcomes, i), err), err, "outcome %zu", i);
    return QC_OK;
}
