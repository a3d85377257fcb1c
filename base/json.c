/* Reading JSON. */
#include "json_internal.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/near.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* jansson answers many failed allocations with "invalid token", or with nothing: remember them here. */
static _Thread_local bool starved;

static void *json_alloc(size_t n)
{
    void *p = qc_alloc(n > 0 ? n : 1);

    starved |= p == NULL;
    return p;
}

static void set_alloc(void)
{
    json_set_alloc_funcs(json_alloc, qc_free);
}

void qc_json_start(void)
{
    pthread_once(&once, set_alloc);
}

/* jansson's own limit is a constant of its build (2048 levels of recursion): count before it does. */
static bool too_deep(qc_span text)
{
    size_t depth = 0;
    bool string = false;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > QC_JSON_DEPTH_MAX)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static const char *malformed(enum json_error_code code)
{
    switch ((int)code) {
    case json_error_duplicate_key:
        return "a member is there twice";
    case json_error_numeric_overflow:
        return "a number that is too large";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "more stands after its end";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL in a string";
    default:
        return "not well formed";
    }
}

qc_rc qc_json_parse(struct json_t **ret, qc_span text, struct qc_err *err)
{
    json_error_t why;

    qc_json_start();
    if (text.n > QC_JSON_MAX)
        return QC_FAIL(err, QC_LIMIT, "JSON of %zu bytes, over the limit of %d", text.n, QC_JSON_MAX);
    if (too_deep(text))
        return QC_FAIL(err, QC_LIMIT, "JSON of more than %d levels", QC_JSON_DEPTH_MAX);
    if (text.n == 0)
        return QC_FAIL(err, QC_FORMAT, "JSON: nothing there");
    starved = false;
    json_t *j = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (j == NULL && starved)
        return QC_FAIL(err, QC_NOMEM, "no memory for JSON of %zu bytes", text.n);
    if (j == NULL) /* jansson's text may quote the input, which is from outside */
        return QC_FAIL(err, QC_FORMAT, "JSON, line %d, column %d: %s", why.line, why.column,
                       malformed(json_error_code(&why)));
    *ret = j;
    return QC_OK;
}

void qc_json_free(struct json_t **j)
{
    json_decref(*j);
    *j = NULL;
}

static int dump_part(const char *p, size_t n, void *arg)
{
    void **to = arg;

    return qc_buf_add(to[0], qc_span_of(p, n), to[1]) == QC_OK ? 0 : -1;
}

qc_rc qc_json_dump(const struct json_t *j, qc_buf *ret, struct qc_err *err)
{
    size_t before = ret->n;
    void *to[] = { ret, err };

    qc_err_clear(err);
    if (json_dump_callback(j, dump_part, to, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) == 0)
        return QC_OK;
    ret->n = before;
    if (err->rc != QC_OK)
        return err->rc;
    return QC_FAIL(err, QC_NOMEM, "no memory to write JSON");
}

bool qc_json_is_object(const struct json_t *j)
{
    return json_is_object(j);
}

bool qc_json_is_array(const struct json_t *j)
{
    return json_is_array(j);
}

bool qc_json_given(const struct json_t *obj, const char *name)
{
    return json_object_get(obj, name) != NULL;
}

bool qc_json_has(const struct json_t *obj, const char *name)
{
    const json_t *v = json_object_get(obj, name);

    return v != NULL && !json_is_null(v);
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The first that has no business there, cut, and with nothing in it that moves a terminal's cursor. */
static qc_rc unknown_member(const struct json_t *obj, const char *const *names, size_t count,
                            struct qc_err *err)
{
    char shown[QC_NEAR_WORD_MAX + 1] = "";
    void *it = json_object_iter((json_t *)(uintptr_t)obj);
    while (it != NULL && is_one_of(json_object_iter_key(it), names, count))
        it = json_object_iter_next((json_t *)(uintptr_t)obj, it);
    QC_ASSERT(it != NULL);
    const char *name = json_object_iter_key(it);
    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof shown; i++)
        shown[i] = name[i] < 0x20 || name[i] == 0x7F ? '?' : name[i];
    const char *near = qc_near_word(qc_span_str(name), names, count);
    return QC_FAIL(err, QC_FORMAT, "JSON: unknown member '%s'%s%s%s", shown,
                   near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                   near != NULL ? "'?" : "");
}

qc_rc qc_json_only(const struct json_t *obj, const char *const *names, size_t count, struct qc_err *err)
{
    if (!json_is_object(obj))
        return QC_FAIL(err, QC_FORMAT, "JSON: not an object");
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        known += json_object_get(obj, names[i]) != NULL;
    return known == json_object_size(obj) ? QC_OK : unknown_member(obj, names, count, err);
}

/* The member, of the type expected. */
static qc_rc member(const json_t *obj, const char *name, json_type type, const char *type_name, json_t **ret,
                    struct qc_err *err)
{
    json_t *v = json_object_get(obj, name);

    if (v == NULL)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is missing", name);
    if (json_typeof(v) != type)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is not %s", name, type_name);
    *ret = v;
    return QC_OK;
}

qc_rc qc_json_str(const struct json_t *obj, const char *name, const char **ret, struct qc_err *err)
{
    json_t *v = NULL;

    QC_TRY(member(obj, name, JSON_STRING, "a string", &v, err));
    *ret = json_string_value(v); /* jansson refuses \u0000 */
    return QC_OK;
}

qc_rc qc_json_int(const struct json_t *obj, const char *name, int64_t min, int64_t max, int64_t *ret,
                  struct qc_err *err)
{
    json_t *v = NULL;

    QC_TRY(member(obj, name, JSON_INTEGER, "an integer", &v, err));
    int64_t i = json_integer_value(v);
    if (i < min || i > max)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, name, i,
                       min, max);
    *ret = i;
    return QC_OK;
}

qc_rc qc_json_real(const struct json_t *obj, const char *name, double min, double max, double *ret,
                   struct qc_err *err)
{
    json_t *v = json_object_get(obj, name);

    if (v == NULL)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is missing", name);
    if (!json_is_number(v))
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is not a number", name);
    const double d = json_number_value(v);
    if (!(d >= min && d <= max))
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is %g, expected %g to %g", name, d, min, max);
    *ret = d;
    return QC_OK;
}

qc_rc qc_json_u64(const struct json_t *obj, const char *name, uint64_t *ret, struct qc_err *err)
{
    const char *s = NULL;
    uint64_t v = 0;

    QC_TRY(qc_json_str(obj, name, &s, err));
    bool good = *s != '\0' && (*s != '0' || s[1] == '\0');
    for (; good && *s != '\0'; s++) {
        good = *s >= '0' && *s <= '9' && qc_mul_u64(v, 10, &v);
        good = good && qc_add_u64(v, (uint64_t)(*s - '0'), &v);
    }
    if (!good)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is not a decimal number of 64 bits in a string", name);
    *ret = v;
    return QC_OK;
}

qc_rc qc_json_bool(const struct json_t *obj, const char *name, bool *ret, struct qc_err *err)
{
    const json_t *v = json_object_get(obj, name);

    if (v == NULL || !json_is_boolean(v))
        return QC_FAIL(err, QC_FORMAT, "JSON: %s is %s", name, v == NULL ? "missing" : "not true or false");
    *ret = json_is_true(v);
    return QC_OK;
}

qc_rc qc_json_b64(const struct json_t *obj, const char *name, qc_buf *ret, struct qc_err *err)
{
    const char *s = NULL;

    QC_TRY(qc_json_str(obj, name, &s, err));
    QC_TRY_AS(qc_b64_dec(qc_span_str(s), ret, err), err, "JSON: %s", name);
    return QC_OK;
}

qc_rc qc_json_b64_fixed(const struct json_t *obj, const char *name, uint8_t *dst, size_t n,
                        struct qc_err *err)
{
    const char *s = NULL;

    QC_TRY(qc_json_str(obj, name, &s, err));
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = strlen(s) };
    QC_TRY_AS(qc_b64_dec(qc_span_str(s), &b, err), err, "JSON: %s", name);
    if (b.n != n)
        return QC_FAIL(err, QC_FORMAT, "JSON: %s has %zu bytes, expected %zu", name, b.n, n);
    if (n > 0)
        memcpy(dst, b.p, n);
    return QC_OK;
}

qc_rc qc_json_hex(const struct json_t *obj, const char *name, uint8_t *dst, size_t n, struct qc_err *err)
{
    const char *s = NULL;

    QC_TRY(qc_json_str(obj, name, &s, err));
    QC_TRY_AS(qc_hex_dec(qc_span_str(s), dst, n, err), err, "JSON: %s", name);
    return QC_OK;
}

qc_rc qc_json_obj(const struct json_t *obj, const char *name, struct json_t **ret, struct qc_err *err)
{
    return member(obj, name, JSON_OBJECT, "an object", ret, err);
}

qc_rc qc_json_arr(const struct json_t *obj, const char *name, struct json_t **ret, struct qc_err *err)
{
    return member(obj, name, JSON_ARRAY, "an array", ret, err);
}

size_t qc_json_len(const struct json_t *arr)
{
    return json_array_size(arr);
}

struct json_t *qc_json_at(const struct json_t *arr, size_t i)
{
    QC_ASSERT(i < json_array_size(arr));
    return json_array_get(arr, i);
}

const char *qc_json_str_value(const struct json_t *j)
{
    return json_string_value(j);
}

qc_rc qc_json_outcome(const struct json_t *report, struct qc_err *err)
{
    struct json_t *o = NULL;
    const char *id = NULL, *message = NULL;
    qc_rc rc = QC_OK;

    QC_TRY(qc_json_obj(report, "outcome", &o, err));
    QC_TRY(qc_json_str(o, "id", &id, err));
    QC_TRY(qc_json_str(o, "message", &message, err));
    if (!qc_rc_from_name(id, &rc))
        return QC_FAIL(err, QC_NEWER, "the gateway's answer: an outcome '%.40s'", id);
    if (rc != QC_OK)
        qc_err_set(err, rc, QC_HERE, "%s", message);
    return rc;
}
