#include "tenant_body.h"

#include "json.h"

/* Absent: no change. null: no limit. */
static qc_rc take_size(const struct json_t *body, const char *name, uint64_t *v, const uint64_t **to,
                       struct qc_err *err)
{
    if (!qc_json_given(body, name))
        return QC_OK;
    *v = GW_NO_LIMIT;
    if (qc_json_has(body, name))
        QC_TRY(json_number(body, name, v, err));
    *to = v;
    return QC_OK;
}

static qc_rc take_count(const struct json_t *body, const char *name, int64_t most, uint64_t *v,
                        const uint64_t **to, struct qc_err *err)
{
    int64_t n = 0;
    if (!qc_json_given(body, name))
        return QC_OK;
    QC_TRY(qc_json_int(body, name, 1, most, &n, err));
    *v = (uint64_t)n;
    *to = v;
    return QC_OK;
}

qc_rc tenant_body_parse(struct tenant_body *w, const char *name, const struct json_t *body,
                        struct qc_err *err)
{
    static const char *const names[] = { "name",    "token_hash", "enabled", "bytes",
                                         "objects", "uploads",    "requests" };
    *w = (struct tenant_body){ .c = { .name = name, .add = name == NULL } };
    const size_t first = name == NULL ? 0 : 1; /* the path says the name of one that exists */
    QC_TRY_AS(qc_json_only(body, names + first, sizeof names / sizeof names[0] - first, err), err, "body");
    if (name == NULL)
        QC_TRY(qc_json_str(body, "name", &w->c.name, err));
    if (w->c.add || qc_json_given(body, "token_hash")) {
        QC_TRY(qc_json_b64_fixed(body, "token_hash", w->hash, sizeof w->hash, err));
        w->c.token_hash = w->hash;
    }
    if (qc_json_given(body, "enabled")) {
        QC_TRY(qc_json_bool(body, "enabled", &w->enabled, err));
        w->c.enabled = &w->enabled;
    }
    QC_TRY(take_size(body, "bytes", &w->bytes, &w->c.bytes, err));
    QC_TRY(take_size(body, "objects", &w->objects, &w->c.objects, err));
    QC_TRY(take_count(body, "uploads", QC_GW_UPLOADS_MAX, &w->uploads, &w->c.uploads, err));
    return take_count(body, "requests", QC_GW_TENANT_REQUESTS_MAX, &w->requests, &w->c.requests, err);
}
