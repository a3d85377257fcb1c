#include "json.h"

enum { WIRE_MAX_LOG2 = 53 }; /* greater integers lose bits in readers that keep numbers as doubles */
#define WIRE_MAX ((INT64_C(1) << WIRE_MAX_LOG2) - 1)

qc_rc json_count(struct json_t *obj, const char *name, uint64_t v, struct qc_err *err)
{
    if (v > (uint64_t)WIRE_MAX)
        return QC_FAIL(err, QC_LIMIT, "%s: too large for the wire", name);
    return qc_json_set_int(obj, name, (int64_t)v, err);
}

qc_rc json_counts(struct json_t *obj, const struct json_row *rows, size_t n, struct qc_err *err)
{
    for (size_t i = 0; i < n; i++)
        QC_TRY(json_count(obj, rows[i].name, rows[i].v, err));
    return QC_OK;
}

qc_rc json_why(struct json_t *obj, const char *name, const char *text, struct qc_err *err)
{
    char plain[QC_ERR_MSG_MAX] = "";
    struct qc_err why = { 0 };
    if (qc_json_set_str(obj, name, text, &why) == QC_OK)
        return QC_OK;
    for (size_t i = 0; i + 1 < sizeof plain && text[i] != '\0'; i++)
        plain[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    return qc_json_set_str(obj, name, plain, err);
}

qc_rc json_number(const struct json_t *obj, const char *name, uint64_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(obj, name, 0, WIRE_MAX, &v, err));
    *ret = (uint64_t)v;
    return QC_OK;
}

qc_rc json_id(const struct json_t *obj, const char *name, struct gw_id *ret, struct qc_err *err)
{
    return qc_json_hex(obj, name, ret->b, sizeof ret->b, err);
}

qc_rc json_head(struct json_t *obj, const struct gw_head *h, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *head = NULL;
    QC_TRY(qc_json_new_obj(&head, err));
    QC_TRY(json_count(head, "count", h->count, err));
    QC_TRY(qc_json_set_b64(head, "hash", qc_span_of(h->hash, sizeof h->hash), err));
    return qc_json_set(obj, "head", &head, err);
}

static qc_rc entry_margins(struct json_t *o, const struct gw_entry_row *row, struct qc_err *err)
{
    if (row->e.kind != GW_ENTRY_FILE)
        return QC_OK;
    QC_TRY(qc_json_set_int(o, "acked_margin", row->acked_margin, err));
    QC_TRY(qc_json_set_int(o, "margin", row->margin, err));
    return qc_json_set_int(o, "margin_full", row->margin_full, err);
}

qc_rc json_entry(struct json_t **ret, const struct gw_entry_row *row, struct qc_err *err)
{
    const struct gw_entry *e = &row->e;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_b64(o, "path", e->path, err));
    QC_TRY(json_count(o, "number", e->number, err));
    QC_TRY(qc_json_set_int(o, "kind", e->kind, err));
    QC_TRY(qc_json_set_hex(o, "object", gw_id_span(&e->object), err));
    QC_TRY(qc_json_set_hex(o, "version", gw_id_span(&e->version), err));
    QC_TRY(json_count(o, "sequence", e->sequence, err));
    QC_TRY(json_count(o, "size", e->size, err));
    QC_TRY(qc_json_set_b64(o, "m", qc_span_of(e->m, sizeof e->m), err));
    QC_TRY(qc_json_set_b64(o, "private", e->private_part, err));
    QC_TRY(qc_json_set_b64(o, "seal", qc_span_of(e->seal, sizeof e->seal), err));
    QC_TRY(entry_margins(o, row, err));
    QC_TRY(json_count(o, "created", e->created, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc json_wait(const char *text, bool *ret_hasty, struct qc_err *err)
{
    *ret_hasty = text != NULL && strcmp(text, "quorum") == 0;
    if (text == NULL || *ret_hasty || strcmp(text, "full") == 0)
        return QC_OK;
    return QC_FAIL(err, QC_USAGE, "wait: full or quorum");
}

qc_rc json_receipt(struct json_t **ret, const struct request *q, const struct gw_receipt *r,
                   struct qc_err *err)
{
    struct gw_engine *e = q->server->engine;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *names = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *whys = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *following = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_new_arr(&following, err));
    QC_TRY(qc_json_new_arr(&names, err));
    QC_TRY(qc_json_new_arr(&whys, err));
    QC_TRY(json_count(o, "number", r->number, err));
    QC_TRY(json_count(o, "chain", r->chain, err));
    QC_TRY(json_head(o, &r->head, err));
    QC_TRY(qc_json_set_int(o, "acked_margin", r->acked_margin, err));
    QC_TRY(qc_json_set_int(o, "margin_full", r->margin_full, err));
    QC_TRY(qc_json_set_int(o, "durable_min", r->durable_min, err));
    QC_TRY(qc_json_set_int(o, "n", r->n, err));
    for (unsigned i = 0; i < r->degraded_count; i++) {
        char why[GW_WHY_MAX] = "";
        if (q->door->owner) /* it tells of places */
            gw_engine_cloud_why(e, r->degraded[i], why);
        QC_TRY(qc_json_append_str(names, gw_engine_cloud_name(e, r->degraded[i]), err));
        QC_TRY(qc_json_append_str(whys, why, err));
    }
    QC_TRY(qc_json_set(o, "degraded", &names, err));
    QC_TRY(qc_json_set(o, "degraded_why", &whys, err));
    for (unsigned i = 0; i < r->following_count; i++)
        QC_TRY(qc_json_append_str(following, gw_engine_cloud_name(e, r->following[i]), err));
    QC_TRY(qc_json_set(o, "following", &following, err));
    QC_TRY(qc_json_set_int(o, "record_copies", r->record_copies, err));
    QC_TRY(qc_json_set_int(o, "clouds", r->clouds, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

void json_entry_in_done(struct json_entry_in *e)
{
    qc_buf_free(&e->path);
    qc_buf_free(&e->private_part);
    *e = (struct json_entry_in){ 0 };
}

qc_rc json_path(qc_buf *ret, const struct json_t *obj, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_GW_PATH_MAX };
    QC_TRY(qc_json_b64(obj, "path", &path, err));
    if (path.n == 0)
        return QC_FAIL(err, QC_FORMAT, "path: empty");
    *ret = QC_STEAL(path);
    return QC_OK;
}

qc_rc json_entry_parse(struct json_entry_in *ret, const struct json_t *obj, struct qc_err *err)
{
    static const char *const names[] = { "path", "number", "kind",    "object", "version", "sequence",
                                         "size", "m",      "private", "seal",   "created" };
    QC_CLEANUP(json_entry_in_done) struct json_entry_in in = { 0 };
    int64_t kind = 0;
    in.private_part.max = QC_GW_PRIVATE_MAX;
    QC_TRY(qc_json_only(obj, names, sizeof names / sizeof names[0], err));
    QC_TRY(json_path(&in.path, obj, err));
    QC_TRY(json_number(obj, "number", &in.e.number, err));
    QC_TRY(qc_json_int(obj, "kind", GW_ENTRY_FILE, GW_ENTRY_FILE, &kind, err));
    QC_TRY(json_id(obj, "object", &in.e.object, err));
    QC_TRY(json_id(obj, "version", &in.e.version, err));
    QC_TRY(json_number(obj, "sequence", &in.e.sequence, err));
    QC_TRY(json_number(obj, "size", &in.e.size, err));
    QC_TRY(qc_json_b64_fixed(obj, "m", in.e.m, sizeof in.e.m, err));
    QC_TRY(qc_json_b64(obj, "private", &in.private_part, err));
    QC_TRY(qc_json_b64_fixed(obj, "seal", in.e.seal, sizeof in.e.seal, err));
    in.e.kind = (uint8_t)kind;
    in.e.path = qc_buf_span(&in.path);
    in.e.private_part = qc_buf_span(&in.private_part);
    *ret = QC_STEAL(in);
    return QC_OK;
}
