#include "gw_json.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define GW_TIME_MAX INT64_C(253402300799) /* the end of the year 9999: what can be written as a date */

void vault_gw_entry_done(struct vault_gw_entry *e)
{
    qc_buf_free(&e->path);
    qc_buf_free(&e->priv);
    *e = (struct vault_gw_entry){ 0 };
}

qc_rc gw_entry_copy(struct vault_gw_entry *ret, const struct vault_gw_entry *e, struct qc_err *err)
{
    *ret = *e;
    ret->path = (qc_buf){ .max = QC_VAULT_PATH_MAX };
    ret->priv = (qc_buf){ .max = QC_VAULT_PRIVATE_MAX };
    QC_TRY(qc_buf_add(&ret->path, qc_buf_span(&e->path), err));
    QC_TRY(qc_buf_add(&ret->priv, qc_buf_span(&e->priv), err));
    ret->e.path = qc_buf_span(&ret->path);
    ret->e.priv = qc_buf_span(&ret->priv);
    return QC_OK;
}

void gw_json_text(char *dst, size_t size, const char *src)
{
    size_t n = 0;
    for (; src[n] != '\0' && n + 1 < size; n++)
        dst[n] = src[n] >= 0x20 && src[n] < 0x7f ? src[n] : '?';
    dst[n] = '\0';
}

static qc_rc get_u64(const struct json_t *obj, const char *name, uint64_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(obj, name, 0, GW_INT_MAX, &v, err));
    *ret = (uint64_t)v;
    return QC_OK;
}

static qc_rc get_u32(const struct json_t *obj, const char *name, uint32_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(obj, name, 0, UINT32_MAX, &v, err));
    *ret = (uint32_t)v;
    return QC_OK;
}

static qc_rc get_margin(const struct json_t *obj, const char *name, int64_t *ret, struct qc_err *err)
{
    return qc_json_int(obj, name, -GW_INT_MAX, GW_INT_MAX, ret, err);
}

static qc_rc get_text(const struct json_t *obj, const char *name, char *dst, size_t size, struct qc_err *err)
{
    const char *text = NULL;
    QC_TRY(qc_json_str(obj, name, &text, err));
    gw_json_text(dst, size, text);
    return QC_OK;
}

static qc_rc entry_fields(struct vault_gw_entry *g, const struct json_t *obj, struct qc_err *err)
{
    struct vault_entry *e = &g->e;
    int64_t kind = 0;
    QC_TRY(qc_json_b64(obj, "path", &g->path, err));
    QC_TRY(get_u64(obj, "number", &e->number, err));
    QC_TRY(qc_json_int(obj, "kind", 0, 255, &kind, err));
    e->kind = (uint8_t)kind;
    QC_TRY(qc_json_hex(obj, "object", e->object, sizeof(e->object), err));
    QC_TRY(qc_json_hex(obj, "version", e->version, sizeof(e->version), err));
    QC_TRY(get_u64(obj, "sequence", &e->sequence, err));
    QC_TRY(get_u64(obj, "size", &e->size, err));
    QC_TRY(qc_json_b64_fixed(obj, "m", e->M, sizeof(e->M), err));
    QC_TRY(qc_json_b64(obj, "private", &g->priv, err));
    QC_TRY(qc_json_b64_fixed(obj, "seal", e->seal, sizeof(e->seal), err));
    e->path = qc_buf_span(&g->path);
    e->priv = qc_buf_span(&g->priv);
    return QC_OK;
}

qc_rc gw_json_entry(struct vault_gw_entry *ret, const struct json_t *obj, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry g = { 0 };
    g.path.max = QC_VAULT_PATH_MAX;
    g.priv.max = QC_VAULT_PRIVATE_MAX;
    if (!qc_json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "entry: no object");
    QC_TRY_AS(entry_fields(&g, obj, err), err, "entry");
    g.has_margins = qc_json_has(obj, "margin_full");
    if (g.has_margins) {
        QC_TRY_AS(get_margin(obj, "acked_margin", &g.acked_margin, err), err, "entry");
        QC_TRY_AS(get_margin(obj, "margin", &g.margin, err), err, "entry");
        QC_TRY_AS(get_margin(obj, "margin_full", &g.margin_full, err), err, "entry");
    }
    if (qc_json_has(obj, "created"))
        QC_TRY_AS(qc_json_int(obj, "created", 0, GW_INT_MAX, &g.created, err), err, "entry");
    *ret = QC_STEAL(g);
    return QC_OK;
}

qc_rc gw_json_head(struct vault_head *ret, const struct json_t *obj, struct qc_err *err)
{
    struct json_t *head = NULL;
    struct vault_head h = { 0 };
    QC_TRY(qc_json_obj(obj, "head", &head, err));
    QC_TRY_AS(get_u64(head, "count", &h.count, err), err, "head");
    QC_TRY_AS(qc_json_b64_fixed(head, "hash", h.h, sizeof(h.h), err), err, "head");
    *ret = h;
    return QC_OK;
}

static qc_rc get_degraded(struct vault_gw_receipt *r, const struct json_t *obj, struct qc_err *err)
{
    struct json_t *names = NULL;
    struct json_t *whys = NULL;
    QC_TRY(qc_json_arr(obj, "degraded", &names, err));
    QC_TRY(qc_json_arr(obj, "degraded_why", &whys, err));
    size_t n = qc_json_len(names);
    if (n > sizeof(r->degraded) / sizeof(r->degraded[0]) || qc_json_len(whys) != n)
        return QC_FAIL(err, QC_FORMAT, "degraded: %zu clouds, %zu reasons", n, qc_json_len(whys));
    for (size_t i = 0; i < n; i++) {
        const char *name = qc_json_str_value(qc_json_at(names, i));
        const char *why = qc_json_str_value(qc_json_at(whys, i));
        if (name == NULL || why == NULL)
            return QC_FAIL(err, QC_FORMAT, "degraded: no text");
        gw_json_text(r->degraded[i], sizeof(r->degraded[i]), name);
        gw_json_text(r->degraded_why[i], sizeof(r->degraded_why[i]), why);
    }
    r->degraded_count = n;
    return QC_OK;
}

/* A gateway that cannot leave anything behind does not have it. */
static qc_rc get_following(struct vault_gw_receipt *r, const struct json_t *obj, struct qc_err *err)
{
    struct json_t *names = NULL;
    if (!qc_json_has(obj, "following"))
        return QC_OK;
    QC_TRY(qc_json_arr(obj, "following", &names, err));
    size_t n = qc_json_len(names);
    if (n > sizeof(r->following) / sizeof(r->following[0]))
        return QC_FAIL(err, QC_FORMAT, "following: %zu clouds", n);
    for (size_t i = 0; i < n; i++) {
        const char *name = qc_json_str_value(qc_json_at(names, i));
        if (name == NULL)
            return QC_FAIL(err, QC_FORMAT, "following: no text");
        gw_json_text(r->following[i], sizeof(r->following[i]), name);
    }
    r->following_count = n;
    return QC_OK;
}

static qc_rc receipt_fields(struct vault_gw_receipt *r, const struct json_t *obj, struct qc_err *err)
{
    QC_TRY(get_u64(obj, "number", &r->number, err));
    QC_TRY(get_u64(obj, "chain", &r->chain, err));
    QC_TRY(gw_json_head(&r->head, obj, err));
    QC_TRY(get_margin(obj, "acked_margin", &r->acked_margin, err));
    QC_TRY(get_margin(obj, "margin_full", &r->margin_full, err));
    QC_TRY(get_u32(obj, "durable_min", &r->durable_min, err));
    QC_TRY(get_u32(obj, "n", &r->n, err));
    QC_TRY(get_u32(obj, "record_copies", &r->record_copies, err));
    QC_TRY(get_u32(obj, "clouds", &r->clouds, err));
    QC_TRY(get_degraded(r, obj, err));
    return get_following(r, obj, err);
}

qc_rc gw_json_receipt(struct vault_gw_receipt *ret, const struct json_t *obj, struct qc_err *err)
{
    struct vault_gw_receipt r = { 0 };
    if (!qc_json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "receipt: no object");
    QC_TRY_AS(receipt_fields(&r, obj, err), err, "receipt");
    *ret = r;
    return QC_OK;
}

static qc_rc info_cloud(struct vault_gw_info *ret, const struct json_t *cloud, struct qc_err *err)
{
    size_t i = ret->cloud_count;
    if (i == sizeof(ret->clouds) / sizeof(ret->clouds[0]))
        return QC_FAIL(err, QC_FORMAT, "more than %zu clouds", i);
    if (!qc_json_is_object(cloud))
        return QC_FAIL(err, QC_FORMAT, "cloud %zu: no object", i);
    QC_TRY(get_text(cloud, "name", ret->clouds[i].name, sizeof(ret->clouds[i].name), err));
    QC_TRY(get_u64(cloud, "fragments", &ret->clouds[i].fragments, err));
    QC_TRY(get_u64(cloud, "missing", &ret->clouds[i].missing, err));
    QC_TRY(get_u64(cloud, "bytes", &ret->clouds[i].bytes, err));
    ret->cloud_count++;
    return QC_OK;
}

/* A gateway before them does not say. */
static qc_rc info_ages(struct vault_gw_info *info, const struct json_t *obj, struct qc_err *err)
{
    struct json_t *seen = NULL;
    if (!qc_json_has(obj, "written"))
        return QC_OK;
    QC_TRY(qc_json_int(obj, "written", 0, GW_TIME_MAX, &info->written, err));
    QC_TRY(qc_json_obj(obj, "seen", &seen, err));
    QC_TRY(qc_json_int(seen, "presence", info->written, GW_TIME_MAX, &info->presence, err));
    return qc_json_int(seen, "content", info->written, GW_TIME_MAX, &info->content, err);
}

qc_rc gw_json_info(struct vault_gw_info *ret, const struct json_t *obj, struct qc_err *err)
{
    struct vault_gw_info info = { 0 };
    struct json_t *clouds = NULL;
    if (!qc_json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "info: no object");
    QC_TRY_AS(get_u64(obj, "size", &info.size, err), err, "info");
    QC_TRY_AS(get_u32(obj, "k", &info.k, err), err, "info");
    QC_TRY_AS(get_u32(obj, "n", &info.n, err), err, "info");
    QC_TRY_AS(get_margin(obj, "acked_margin", &info.acked_margin, err), err, "info");
    QC_TRY_AS(get_margin(obj, "margin", &info.margin, err), err, "info");
    QC_TRY_AS(info_ages(&info, obj, err), err, "info");
    if (qc_json_has(obj, "kept"))
        QC_TRY_AS(qc_json_int(obj, "kept", 0, GW_TIME_MAX, &info.kept, err), err, "info");
    QC_TRY_AS(get_u64(obj, "segments", &info.segments, err), err, "info");
    QC_TRY_AS(qc_json_arr(obj, "clouds", &clouds, err), err, "info");
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        QC_TRY_AS(info_cloud(&info, qc_json_at(clouds, i), err), err, "info");
    *ret = info;
    return QC_OK;
}

qc_rc gw_json_faults(struct vault_gw_faults *ret, const struct json_t *obj, struct qc_err *err)
{
    struct vault_gw_faults f = { 0 };
    struct json_t *faults = NULL;
    if (!qc_json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "faults: no object");
    QC_TRY(qc_json_arr(obj, "faults", &faults, err));
    size_t n = qc_json_len(faults), most = sizeof(f.v) / sizeof(f.v[0]);
    for (f.n = 0; f.n < n && f.n < most; f.n++) {
        const struct json_t *fault = qc_json_at(faults, f.n);
        if (!qc_json_is_object(fault))
            return QC_FAIL(err, QC_FORMAT, "fault %zu: no object", f.n);
        QC_TRY(get_text(fault, "cloud", f.v[f.n].cloud, sizeof(f.v[f.n].cloud), err));
        QC_TRY(get_text(fault, "kind", f.v[f.n].kind, sizeof(f.v[f.n].kind), err));
        QC_TRY(get_u64(fault, "count", &f.v[f.n].count, err));
    }
    if (qc_json_has(obj, "error")) {
        struct json_t *error = NULL;
        char id[32];
        QC_TRY(qc_json_obj(obj, "error", &error, err));
        QC_TRY(get_text(error, "id", id, sizeof(id), err));
        QC_TRY(get_text(error, "message", f.message, sizeof(f.message), err));
        f.rc = gw_json_rc(id, 500);
    }
    *ret = f;
    return QC_OK;
}

qc_rc gw_json_upload(enum vault_upload_state *ret, struct vault_gw_receipt *receipt, const struct json_t *obj,
                     struct qc_err *err)
{
    static const char *const names[] = { "unknown", "open", "cancelled", "decided", "live" };
    const char *state = NULL;
    if (!qc_json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "upload: no object");
    QC_TRY(qc_json_str(obj, "state", &state, err));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(state, names[i]) != 0)
            continue;
        struct json_t *child = NULL;
        if (qc_json_has(obj, "receipt")) {
            QC_TRY(qc_json_obj(obj, "receipt", &child, err));
            QC_TRY(gw_json_receipt(receipt, child, err));
        } else if (i == VAULT_UPLOAD_LIVE)
            return QC_FAIL(err, QC_FORMAT, "upload: live without a receipt");
        *ret = (enum vault_upload_state)i;
        return QC_OK;
    }
    return QC_FAIL(err, QC_FORMAT, "upload: unknown state");
}

qc_rc gw_json_rc(const char *id, int status)
{
    static const char *const names[] = {
#define X(name, ...) #name,
        QC_RC_TABLE(X)
#undef X
    };
    qc_rc rc = QC_OK;
    if (!qc_rc_from_name(id, &rc))
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strcasecmp(id, names[i]) == 0)
                rc = (qc_rc)i;
    if (rc != QC_OK && rc != QC_DEGRADED)
        return rc;
    static const struct {
        int status;
        qc_rc rc;
    } by_status[] = { { 403, QC_AUTH },   { 404, QC_NOTFOUND }, { 409, QC_CONFLICT }, { 413, QC_LIMIT },
                      { 423, QC_LOCKED }, { 503, QC_TEMP },     { 504, QC_TIMEOUT },  { 507, QC_FULL } };
    for (size_t i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++)
        if (by_status[i].status == status)
            return by_status[i].rc;
    return QC_GENERAL;
}

/* The current entry of a conflict: beside the error, or in it; null when the path has none. */
static qc_rc current_of(struct vault_gw_entry *ret, const struct json_t *root, const struct json_t *error,
                        struct qc_err *err)
{
    const struct json_t *holder = qc_json_has(root, "current") ? root : error;
    struct json_t *current = NULL;
    if (!qc_json_has(holder, "current"))
        return QC_OK;
    QC_TRY(qc_json_obj(holder, "current", &current, err));
    return gw_json_entry(ret, current, err);
}

static qc_rc error_of(int status, qc_span body, struct vault_gw_entry *ret_current, qc_rc *ret_rc,
                      char text[QC_ERR_MSG_MAX], struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    struct json_t *error = NULL;
    char id[32] = "";
    QC_TRY(qc_json_parse(&root, body, err));
    if (!qc_json_is_object(root))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_obj(root, "error", &error, err));
    QC_TRY(get_text(error, "id", id, sizeof(id), err));
    QC_TRY(get_text(error, "message", text, QC_ERR_MSG_MAX, err));
    *ret_rc = gw_json_rc(id, status);
    return ret_current == NULL ? QC_OK : current_of(ret_current, root, error, err);
}

qc_rc gw_json_error(int status, qc_span body, struct vault_gw_entry *ret_current, struct qc_err *err)
{
    struct qc_err parse = { 0 };
    char text[QC_ERR_MSG_MAX] = "";
    qc_rc rc = QC_OK;
    if (error_of(status, body, ret_current, &rc, text, &parse) != QC_OK) {
        rc = gw_json_rc("", status);
        qc_err_set(err, rc, QC_HERE, "the gateway answered with status %d", status);
        return rc;
    }
    qc_err_set(err, rc, QC_HERE, "%s", text);
    return rc;
}

qc_rc gw_json_refusal(const struct json_t *obj, qc_rc *ret_rc, struct qc_err *ret, struct qc_err *err)
{
    struct json_t *error = NULL;
    char id[32] = "", text[QC_ERR_MSG_MAX] = "";
    QC_TRY(qc_json_obj(obj, "error", &error, err));
    QC_TRY(get_text(error, "id", id, sizeof(id), err));
    QC_TRY(get_text(error, "message", text, sizeof(text), err));
    *ret_rc = gw_json_rc(id, 0);
    qc_err_set(ret, *ret_rc, QC_HERE, "%s", text);
    return QC_OK;
}

qc_rc gw_json_outcome(struct vault_gw_receipt *ret, const struct json_t *o, qc_rc *ret_rc,
                      struct qc_err *ret_why, struct qc_err *err)
{
    struct json_t *child = NULL;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    if (!qc_json_has(o, "receipt"))
        return gw_json_refusal(o, ret_rc, ret_why, err);
    QC_TRY(qc_json_obj(o, "receipt", &child, err));
    QC_TRY(gw_json_receipt(ret, child, err));
    *ret_rc = QC_OK;
    return QC_OK;
}

qc_rc gw_json_entry_build(struct json_t **ret, const struct vault_entry *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *obj = NULL;
    if (e->number > GW_INT_MAX || e->sequence > GW_INT_MAX || e->size > GW_INT_MAX)
        return QC_FAIL(err, QC_LIMIT, "entry: number %" PRIu64 ", sequence %" PRIu64 ", size %" PRIu64,
                       e->number, e->sequence, e->size);
    QC_TRY(qc_json_new_obj(&obj, err));
    QC_TRY(qc_json_set_b64(obj, "path", e->path, err));
    QC_TRY(qc_json_set_int(obj, "number", (int64_t)e->number, err));
    QC_TRY(qc_json_set_int(obj, "kind", e->kind, err));
    QC_TRY(qc_json_set_hex(obj, "object", qc_span_of(e->object, sizeof(e->object)), err));
    QC_TRY(qc_json_set_hex(obj, "version", qc_span_of(e->version, sizeof(e->version)), err));
    QC_TRY(qc_json_set_int(obj, "sequence", (int64_t)e->sequence, err));
    QC_TRY(qc_json_set_int(obj, "size", (int64_t)e->size, err));
    QC_TRY(qc_json_set_b64(obj, "m", qc_span_of(e->M, sizeof(e->M)), err));
    QC_TRY(qc_json_set_b64(obj, "private", e->priv, err));
    QC_TRY(qc_json_set_b64(obj, "seal", qc_span_of(e->seal, sizeof(e->seal)), err));
    *ret = QC_STEAL(obj);
    return QC_OK;
}
