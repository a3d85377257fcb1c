#include "reply.h"

#include <string.h>

#include "base/json.h"

/* A name: 1..QKD_NAME_MAX bytes without control characters. */
static qc_rc name(const struct json_t *j, const char *member, char ret[QKD_NAME_MAX + 1], struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    const size_t n = strlen(s);
    if (n == 0 || n > QKD_NAME_MAX)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s has %zu bytes, expected 1 to %d", member, n, QKD_NAME_MAX);
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)s[i] < 0x20 || (uint8_t)s[i] == 0x7f)
            return QC_FAIL(err, QC_FORMAT, "JSON: %s has a control character", member);
    memcpy(ret, s, n + 1);
    return QC_OK;
}

/* A size of keys: bits, a multiple of 8. */
static qc_rc size(const struct json_t *j, const char *member, uint32_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(j, member, 8, INT32_MAX, &v, err));
    if (v % 8 != 0)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is no multiple of 8 bits", member);
    *ret = (uint32_t)v;
    return QC_OK;
}

static qc_rc count(const struct json_t *j, const char *member, int64_t min, uint64_t *ret, struct qc_err *err)
{
    int64_t v = 0;
    QC_TRY(qc_json_int(j, member, min, INT64_MAX, &v, err));
    *ret = (uint64_t)v;
    return QC_OK;
}

static qc_rc members(const struct json_t *j, struct qkd_status *s, struct qc_err *err)
{
    uint64_t per_request = 0, more = 0;
    QC_TRY(name(j, "source_KME_ID", s->source_kme, err));
    QC_TRY(name(j, "target_KME_ID", s->target_kme, err));
    QC_TRY(name(j, "master_SAE_ID", s->master, err));
    QC_TRY(name(j, "slave_SAE_ID", s->slave, err));
    QC_TRY(size(j, "key_size", &s->key_bits, err));
    QC_TRY(size(j, "min_key_size", &s->min_bits, err));
    QC_TRY(size(j, "max_key_size", &s->max_bits, err));
    QC_TRY(count(j, "stored_key_count", 0, &s->stored, err));
    QC_TRY(count(j, "max_key_count", 0, &s->capacity, err));
    QC_TRY(count(j, "max_key_per_request", 1, &per_request, err));
    QC_TRY(count(j, "max_SAE_ID_count", 0, &more, err));
    if (s->min_bits > s->key_bits || s->key_bits > s->max_bits)
        return QC_FAIL(err, QC_FORMAT, "JSON: key_size does not lie between min_key_size and max_key_size");
    s->per_request = per_request < QKD_BATCH_MAX ? (uint32_t)per_request : QKD_BATCH_MAX;
    s->more_saes = more < QKD_SAES_MAX ? (uint32_t)more : QKD_SAES_MAX;
    return QC_OK;
}

qc_rc qkd_reply_status(struct qkd_status *ret, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct qkd_status s = { 0 };
    qc_rc rc = qc_json_parse(&j, text, err);
    if (rc == QC_LIMIT) /* of levels: no status has them */
        return QC_FAIL(err, QC_FORMAT, "status: more levels or bytes than a status has");
    if (rc == QC_OK && !qc_json_is_object(j))
        rc = QC_FAIL(err, QC_FORMAT, "not a JSON object");
    if (rc == QC_OK)
        rc = members(j, &s, err);
    QC_TRY_AS(rc, err, "status");
    *ret = s;
    return QC_OK;
}

void qkd_reply_cite(qc_span text, char ret[QKD_CITE_MAX + 1])
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct qc_err err = { 0 };
    const char *s = "";
    if (qc_json_parse(&j, text, &err) == QC_OK && qc_json_is_object(j) &&
        qc_json_str(j, "message", &s, &err) != QC_OK)
        s = "";
    const size_t n = strnlen(s, QKD_CITE_MAX);
    for (size_t i = 0; i < n; i++)
        ret[i] = s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?';
    ret[n] = '\0';
}
