/* unit/base_json: strict reading, errors that name the field, writing that reads back. */
#include "base/json.h"

#include "base/alloc.h"

#include "qc_check.h"

static struct qc_err err;

static struct json_t *parsed(const char *text)
{
    struct json_t *j = NULL;

    CHECK_OK(qc_json_parse(&j, qc_span_str(text), &err));
    return j;
}

static void check_refused(void)
{
    static const char *const rows[] = { "",
                                        "{",
                                        "{}{}",
                                        "{} x",
                                        "{\"a\":1,\"a\":2}",
                                        "[1,]",
                                        "{'a':1}",
                                        "nul",
                                        "\"\xff\"",
                                        "\"\\u0000\"",
                                        "[1e999]",
                                        "\"\\ud800\"",
                                        "{\"a\" 1}",
                                        "[01]",
                                        "// x\n{}",
                                        "[99999999999999999999]" };
    struct json_t *j = NULL;
    char deep[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_RC(qc_json_parse(&j, qc_span_str(rows[i]), &err), QC_FORMAT);
    for (size_t n = 1; n <= (size_t)2 * QC_JSON_DEPTH_MAX; n++) {
        memset(deep, '[', n);
        memset(deep + n, ']', n);
        CHECK_RC(qc_json_parse(&j, qc_span_of(deep, 2 * n), &err), n <= QC_JSON_DEPTH_MAX ? QC_OK : QC_LIMIT);
        qc_json_free(&j);
    }
    CHECK_OK(qc_json_parse(&j, QC_LIT("\"[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\""), &err)); /* in a string */
    qc_json_free(&j);
    CHECK_RC(qc_json_parse(&j, qc_span_of("", QC_JSON_MAX + (size_t)1), &err), QC_LIMIT);
    CHECK(j == NULL);
}

static void names_field(qc_rc rc)
{
    CHECK(rc == QC_FORMAT && strstr(err.msg, "field") != NULL);
    qc_err_clear(&err);
}

static void check_types(void)
{
    static const char *const wrong[] = { "{}", "{\"field\":null}", "{\"field\":1.5}",
                                         "{\"field\":{\"x\":[]}}", "[]" };
    const char *s = "kept";
    int64_t i = 7;
    uint64_t u = 7;
    bool b = true;
    uint8_t bytes[2] = { 7, 7 };
    struct json_t *sub = NULL;

    for (size_t r = 0; r < sizeof wrong / sizeof *wrong; r++) {
        struct json_t *j = parsed(wrong[r]);

        names_field(qc_json_str(j, "field", &s, &err));
        names_field(qc_json_int(j, "field", INT64_MIN, INT64_MAX, &i, &err));
        names_field(qc_json_u64(j, "field", &u, &err));
        names_field(qc_json_bool(j, "field", &b, &err));
        names_field(qc_json_hex(j, "field", bytes, 2, &err));
        names_field(qc_json_b64_fixed(j, "field", bytes, 2, &err));
        names_field(qc_json_arr(j, "field", &sub, &err));
        if (r != 3)
            names_field(qc_json_obj(j, "field", &sub, &err));
        qc_json_free(&j);
    }
    CHECK(strcmp(s, "kept") == 0 && i == 7 && u == 7 && b && bytes[0] == 7 && sub == NULL);
}

static void check_u64(void)
{
    static const char *const refused[] = { "",   "-1", "+1", "01", "1 ", " 1", "0x1", "18446744073709551616",
                                           "1.0" };
    char text[64];
    uint64_t u = 7;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(text, sizeof text, "{\"field\":\"%s\"}", refused[i]);
        struct json_t *j = parsed(text);
        names_field(qc_json_u64(j, "field", &u, &err));
        qc_json_free(&j);
    }
    CHECK(u == 7);
    struct json_t *j = parsed("{\"field\":\"18446744073709551615\",\"zero\":\"0\",\"int\":-5}");
    int64_t i = 0;
    CHECK_OK(qc_json_u64(j, "field", &u, &err));
    CHECK(u == UINT64_MAX);
    CHECK_OK(qc_json_u64(j, "zero", &u, &err));
    CHECK(u == 0);
    CHECK_OK(qc_json_int(j, "int", -5, -5, &i, &err));
    CHECK_RC(qc_json_int(j, "int", 0, 9, &i, &err), QC_FORMAT);
    double d = 7;
    names_field(qc_json_real(j, "field", 0, 9, &d, &err));
    CHECK_RC(qc_json_real(j, "int", 0, 9, &d, &err), QC_FORMAT);
    CHECK(d == 7);
    CHECK_OK(qc_json_real(j, "int", -5, 9, &d, &err));
    CHECK(d == -5);
    const char *const names[] = { "field", "zero", "int", "more" };
    CHECK_OK(qc_json_only(j, names, 4, &err));
    CHECK_RC(qc_json_only(j, names, 2, &err), QC_FORMAT);
    qc_json_free(&j);
}

static struct json_t *built(void)
{
    struct json_t *j = NULL, *arr = NULL, *sub = NULL;

    CHECK_OK(qc_json_new_obj(&j, &err));
    CHECK_OK(qc_json_set_str(j, "s", "h\xc3\xa9 \"q\" \n \xf0\x9f\x98\x80", &err));
    CHECK_OK(qc_json_set_u64(j, "u", UINT64_MAX, &err));
    CHECK_OK(qc_json_set_int(j, "i", INT64_MIN, &err));
    CHECK_OK(qc_json_set_bool(j, "b", true, &err));
    CHECK_OK(qc_json_set_null(j, "n", &err));
    CHECK_OK(qc_json_set_b64(j, "b64", qc_span_of("\0\xff\1", 3), &err));
    CHECK_OK(qc_json_set_hex(j, "hex", qc_span_of("\0\xff", 2), &err));
    CHECK_OK(qc_json_set_b64(j, "empty", (qc_span){ 0 }, &err));
    CHECK_OK(qc_json_new_arr(&arr, &err));
    CHECK_OK(qc_json_new_obj(&sub, &err));
    CHECK_OK(qc_json_append_str(arr, "x", &err));
    CHECK_OK(qc_json_append(arr, &sub, &err));
    CHECK_OK(qc_json_new_obj(&sub, &err));
    CHECK_OK(qc_json_insert(arr, 0, &sub, &err));
    CHECK_OK(qc_json_set(j, "arr", &arr, &err));
    CHECK(arr == NULL && sub == NULL);
    static const char *const bad[] = { "\xff",     "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xe2\x82", "\x80" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(qc_json_set_str(j, "bad", bad[i], &err), QC_FORMAT);
    return j;
}

static void check_round(void)
{
    struct json_t *j = built(), *arr = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf a = { .max = 1000 }, b = { .max = 1000 }, small = { .max = 10 },
                                   raw = { .max = 9 };
    uint8_t bytes[3];
    bool yes = false;

    CHECK_OK(qc_json_dump(j, &a, &err));
    CHECK_RC(qc_json_dump(j, &small, &err), QC_LIMIT);
    CHECK(small.n == 0);
    qc_json_free(&j);
    CHECK_OK(qc_json_parse(&j, qc_buf_span(&a), &err));
    CHECK_OK(qc_json_dump(j, &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&a), qc_buf_span(&b)));
    CHECK_OK(qc_json_b64_fixed(j, "b64", bytes, 3, &err));
    CHECK(bytes[1] == 0xff && bytes[2] == 1);
    CHECK_RC(qc_json_b64_fixed(j, "b64", bytes, 2, &err), QC_FORMAT);
    CHECK_OK(qc_json_b64(j, "empty", &raw, &err));
    CHECK(raw.n == 0);
    CHECK_OK(qc_json_hex(j, "hex", bytes, 2, &err));
    CHECK_RC(qc_json_hex(j, "hex", bytes, 3, &err), QC_FORMAT);
    CHECK_OK(qc_json_bool(j, "b", &yes, &err));
    CHECK(yes && !qc_json_has(j, "n") && qc_json_has(j, "b") && qc_json_is_object(j));
    CHECK_OK(qc_json_arr(j, "arr", &arr, &err));
    CHECK(qc_json_is_array(arr) && qc_json_len(arr) == 3);
    CHECK(strcmp(qc_json_str_value(qc_json_at(arr, 1)), "x") == 0);
    CHECK(qc_json_str_value(qc_json_at(arr, 0)) == NULL && qc_json_str_value(qc_json_at(arr, 2)) == NULL);
    CHECK_DIES((void)qc_json_at(arr, 3));
    qc_json_free(&j);
    qc_json_free(&j);
}

int main(void)
{
    check_refused();
    check_types();
    check_u64();
    check_round();
    CHECK(qc_alloc_live() == 0);
    return 0;
}
