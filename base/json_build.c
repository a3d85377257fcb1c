/* Building JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "json_internal.h"

#include "base/codec.h"

static qc_rc no_memory(struct qc_err *err)
{
    return QC_FAIL(err, QC_NOMEM, "no memory for JSON");
}

qc_rc qc_json_new_obj(struct json_t **ret, struct qc_err *err)
{
    qc_json_start();
    json_t *j = json_object();
    if (j == NULL)
        return no_memory(err);
    *ret = j;
    return QC_OK;
}

qc_rc qc_json_new_arr(struct json_t **ret, struct qc_err *err)
{
    qc_json_start();
    json_t *j = json_array();
    if (j == NULL)
        return no_memory(err);
    *ret = j;
    return QC_OK;
}

/* jansson answers NULL both for text that is not UTF-8 and for want of memory: tell them apart beforehand. */
static bool utf8_ok(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s != 0) {
        unsigned c = *s++;
        unsigned more = c < 0x80                 ? 0
                        : c >= 0xc2 && c <= 0xdf ? 1
                        : (c & 0xf0) == 0xe0     ? 2
                        : c >= 0xf0 && c <= 0xf4 ? 3
                                                 : 9;

        if (more == 9)
            return false;
        unsigned v = more == 0 ? c : c & (0x3fU >> more);
        for (unsigned i = 0; i < more; i++, s++) {
            if ((*s & 0xc0) != 0x80)
                return false;
            v = v << 6 | (*s & 0x3fU);
        }
        bool overlong = (more == 2 && v < 0x800) || (more == 3 && v < 0x10000);
        if (overlong || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
            return false;
    }
    return true;
}

static qc_rc set(json_t *obj, const char *name, json_t *fresh, struct qc_err *err)
{
    QC_ASSERT(json_is_object(obj));
    /* json_object_set_new frees the value when it fails, and fails for NULL. */
    if (json_object_set_new(obj, name, fresh) != 0)
        return no_memory(err);
    return QC_OK;
}

qc_rc qc_json_set_str(struct json_t *obj, const char *name, const char *v, struct qc_err *err)
{
    if (!utf8_ok(v))
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is not UTF-8", name);
    return set(obj, name, json_string(v), err);
}

qc_rc qc_json_set_int(struct json_t *obj, const char *name, int64_t v, struct qc_err *err)
{
    return set(obj, name, json_integer(v), err);
}

qc_rc qc_json_set_real(struct json_t *obj, const char *name, double v, struct qc_err *err)
{
    return set(obj, name, json_real(v), err);
}

qc_rc qc_json_set_u64(struct json_t *obj, const char *name, uint64_t v, struct qc_err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, v);
    return set(obj, name, json_string(text), err);
}

qc_rc qc_json_set_bool(struct json_t *obj, const char *name, bool v, struct qc_err *err)
{
    return set(obj, name, json_boolean(v), err);
}

qc_rc qc_json_set_null(struct json_t *obj, const char *name, struct qc_err *err)
{
    return set(obj, name, json_null(), err);
}

qc_rc qc_json_set_b64(struct json_t *obj, const char *name, qc_span v, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };

    QC_TRY(qc_b64_enc(v, &text, err));
    return set(obj, name, json_stringn(text.n == 0 ? "" : (const char *)text.p, text.n), err);
}

qc_rc qc_json_set_hex(struct json_t *obj, const char *name, qc_span v, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };

    QC_TRY(qc_hex_enc(v, &text, err));
    return set(obj, name, json_stringn(text.n == 0 ? "" : (const char *)text.p, text.n), err);
}

qc_rc qc_json_set(struct json_t *obj, const char *name, struct json_t **child, struct qc_err *err)
{
    return set(obj, name, QC_STEAL(*child), err);
}

static qc_rc append(json_t *arr, json_t *fresh, struct qc_err *err)
{
    QC_ASSERT(json_is_array(arr));
    if (json_array_append_new(arr, fresh) != 0)
        return no_memory(err);
    return QC_OK;
}

qc_rc qc_json_append(struct json_t *arr, struct json_t **child, struct qc_err *err)
{
    return append(arr, QC_STEAL(*child), err);
}

qc_rc qc_json_insert(struct json_t *arr, size_t at, struct json_t **child, struct qc_err *err)
{
    QC_ASSERT(at <= json_array_size(arr));
    if (json_array_insert_new(arr, at, QC_STEAL(*child)) != 0)
        return no_memory(err);
    return QC_OK;
}

qc_rc qc_json_append_b64(struct json_t *arr, qc_span v, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };

    QC_TRY(qc_b64_enc(v, &text, err));
    return append(arr, json_stringn(text.n == 0 ? "" : (const char *)text.p, text.n), err);
}

qc_rc qc_json_append_str(struct json_t *arr, const char *v, struct qc_err *err)
{
    if (!utf8_ok(v))
        return QC_FAIL(err, QC_FORMAT, "JSON: an array's element is not UTF-8");
    return append(arr, json_string(v), err);
}
