/* unit/qkd_container: key containers right and wrong; every shorter text is refused, and nothing is left of
 * any. */
#include "container.h"
#include "qc_check.h"

#define ID1 "550e8400-e29b-41d4-a716-446655440000"
#define ID2 "bc490419-7d60-487f-adc1-4ddcc177c139"
#define K1  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* 00 01 .. 1f */
#define K2  "/////////////////////////////////////////w8=" /* ff .. ff 0f */
#define ONE "{\"key_ID\":\"" ID1 "\",\"key\":\"" K1 "\"}"
#define TWO "{\"key\":\"" K2 "\",\"key_ID\":\"" ID2 "\"}"
#define ALL "{\"keys\":[" ONE "," TWO "]}"

static const struct qkd_id id1 = { ID1 }, id2 = { ID2 };

static qc_rc take(const char *text, const struct qkd_want *want, struct qkd_keys *ret, struct qc_err *err)
{
    static uint8_t room[4096];
    const size_t n = strlen(text);
    CHECK(n <= sizeof room);
    memcpy(room, text, n);
    const qc_rc rc = qkd_container_take(ret, room, n, want, err);
    for (size_t i = 0; i < n; i++)
        CHECK(room[i] == 0);
    return rc;
}

static void check_key(const struct qkd_keys *k, size_t i, bool first)
{
    const qc_span s = qkd_keys_open(k, i);
    CHECK(s.n == 32 && qkd_id_same(&k->ids[i], first ? &id1 : &id2));
    for (size_t b = 0; b < 32; b++)
        CHECK(s.p[b] == (first ? b : b < 31 ? 0xff : 0x0f));
}

static void check_good(void)
{
    static const char *const good[] = {
        ALL,
        " { \"keys\" : [ " ONE " , " TWO " ] } \r\n\t",
        "{\"x\":{\"keys\":[1,-2.5e+3,null,true,false,\"\\u00e9\\n\"]},\"keys\":[" ONE "," TWO
        "],\"y\":[[[]],{}]}",
        "{\"key_container_extension\":{},\"keys\":[{\"key_extension\":{\"a\":1},\"key_ID_extension\":{},"
        "\"key_ID\":\"" ID1 "\",\"key\":\"" K1 "\"}," TWO "]}",
        "{\"keys\":[" ONE ",{\"key\":\"\\/\\////////////////////////////////////////w8=\","
        "\"k\\u0065y_ID\":\"" ID2 "\"}]}",
    };
    const struct qkd_want want = { .number = 2, .bits = 256 };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
        CHECK_OK(take(good[i], &want, &k, &err));
        CHECK(k.count == 2 && k.bytes == 32);
        check_key(&k, 0, true);
        check_key(&k, 1, false);
    }
}

/* Fewer than asked for: yes for new ones, no for named ones; and named ones come in the order of their names.
 */
static void check_matching(void)
{
    struct qc_err err = { 0 };
    const struct qkd_id turned[] = { { "BC490419-7D60-487F-ADC1-4DDCC177C139" }, id1 };
    const struct qkd_id other[] = { id1, { "00000000-e29b-41d4-a716-446655440000" } };
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
    CHECK_OK(take("{\"keys\":[" ONE "]}", &(struct qkd_want){ .number = 2, .bits = 256 }, &k, &err));
    CHECK(k.count == 1);
    qkd_keys_done(&k);
    CHECK_OK(take(ALL, &(struct qkd_want){ .number = 2, .bits = 256, .ids = turned }, &k, &err));
    check_key(&k, 0, false);
    check_key(&k, 1, true);
    qc_key *key = NULL;
    CHECK_OK(qkd_keys_take(&k, 1, &key, &err));
    CHECK(qc_key_len(key) == 32 && qc_key_open(key).p[31] == 31);
    qc_key_free(&key);
    for (size_t b = 0; b < 32; b++)
        CHECK(qkd_keys_open(&k, 1).p[b] == 0);
    qkd_keys_done(&k);
    CHECK_RC(take(ALL, &(struct qkd_want){ .number = 2, .bits = 256, .ids = other }, &k, &err), QC_FORMAT);
    CHECK_RC(take("{\"keys\":[" ONE "]}", &(struct qkd_want){ .number = 2, .bits = 256, .ids = turned }, &k,
                  &err),
             QC_FORMAT);
    CHECK_RC(take(ALL, &(struct qkd_want){ .number = 1, .bits = 256, .ids = turned }, &k, &err), QC_FORMAT);
    CHECK(k.count == 0 && k.ids == NULL && k.secret.p == NULL);
}

static void check_bad(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "not a JSON object" },
        { "[]", "not a JSON object" },
        { "{}", "no member keys" },
        { "{\"keys\":[]}", "no keys" },
        { "{\"keys\":{}}", "not an array" },
        { "{\"keys\":" ONE "}", "not an array" },
        { "{\"keys\":\"x\"}", "not an array" },
        { "{\"Keys\":[" ONE "]}", "no member keys" },
        { ALL "x", "behind it" },
        { ALL ALL, "behind it" },
        { "{\"keys\":[" ONE "],\"keys\":[" TWO "]}", "keys twice" },
        { "{\"keys\":[" ONE "," ONE "]}", "key_ID is there twice" },
        { "{\"keys\":[" ONE "," TWO "," ONE "]}", "more keys" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\"}]}", "no member key" },
        { "{\"keys\":[{\"key\":\"" K1 "\"}]}", "no member key_ID" },
        { "{\"keys\":[{\"key_id\":\"" ID1 "\",\"key\":\"" K1 "\"}]}", "no member key_ID" },
        { "{\"keys\":[{}]}", "no member key_ID" },
        { "{\"keys\":[null]}", "not JSON" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key_ID\":\"" ID1 "\",\"key\":\"" K1 "\"}]}", "key_ID twice" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"" K1 "\",\"key\":\"" K2 "\"}]}", "member key twice" },
        { "{\"keys\":[{\"key_ID\":7,\"key\":\"" K1 "\"}]}", "not a string" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":[]}]}", "not a string" },
        { "{\"keys\":[{\"key_ID\":\"550e8400e29b41d4a716446655440000\",\"key\":\"" K1 "\"}]}",
          "another form" },
        { "{\"keys\":[{\"key_ID\":\"../8400-e29b-41d4-a716-446655440000\",\"key\":\"" K1 "\"}]}",
          "another form" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAECAwQFBgcICQoLDA0ODw==\"}]}", "another size" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"\"}]}", "another size" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A\"}]}",
          "not base64" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"}]}",
          "not base64" }, /* spare bits */
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka-xwdHh8=\"}]}",
          "not base64" }, /* base64url */
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka Bwd8=\"}]}",
          "size" },
        { "{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}]}",
          "same byte" },
        { "{\"keys\":[" ONE ",{\"key_ID\":\"" ID2 "\",\"key\":\"" K1 "\"}]}", "same key" },
        { "{\"keys\":[" ONE ",]}", "not JSON" },
        { "{\"keys\":[" ONE "],}", "not JSON" },
        { "{\"keys\":[" ONE "] \"x\":1}", "not JSON" },
        { "{\"x\":01,\"keys\":[" ONE "]}", "not JSON" },
        { "{\"x\":+1,\"keys\":[" ONE "]}", "not JSON" },
        { "{\"x\":tru,\"keys\":[" ONE "]}", "not JSON" },
        { "{\"x\":\"\\u0000\",\"keys\":[" ONE "]}", "NUL" },
        { "{\"x\":\"\\q\",\"keys\":[" ONE "]}", "escape" },
        { "{\"x\":\"\\u12\",\"keys\":[" ONE "]}", "escape" },
        { "{\"x\":\"\n\",\"keys\":[" ONE "]}", "does not end" },
        { "{\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]],\"keys\":[" ONE "]}", "too many levels" },
    };
    const struct qkd_want want = { .number = 2, .bits = 256 };
    struct qkd_keys k = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct qc_err err = { 0 };
        const qc_rc rc = take(bad[i].text, &want, &k, &err);
        if (rc != QC_FORMAT || strstr(err.msg, bad[i].says) == NULL) {
            fprintf(stderr, "%s: %s (%s), expected '%s'\n", bad[i].text, qc_rc_name(rc), err.msg,
                    bad[i].says);
            exit(1);
        }
        CHECK(k.count == 0 && k.ids == NULL);
    }
}

static void check_cut(void)
{
    const struct qkd_want want = { .number = 2, .bits = 256 };
    struct qkd_keys k = { 0 };
    struct qc_err err = { 0 };
    char text[] = ALL;
    for (size_t n = sizeof ALL - 1; n > 0; n--) {
        text[n - 1] = '\0';
        CHECK_RC(take(text, &want, &k, &err), QC_FORMAT);
    }
}

/* Every length, against each byte value. */
static void check_base64(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t in[40], text[64], out[48];
    for (size_t n = 1; n <= sizeof in; n++) {
        size_t at = 0;
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(i * 37 + n * 11);
        for (size_t i = 0; i < n; i += 3) {
            const unsigned v = (unsigned)in[i] << 16 | (i + 1 < n ? (unsigned)in[i + 1] << 8 : 0U) |
                               (i + 2 < n ? (unsigned)in[i + 2] : 0U);
            for (size_t d = 0; d < 4; d++)
                text[at++] = (uint8_t)(i + d > n && d > 1 ? '=' : digits[v >> (18 - 6 * d) & 63]);
        }
        CHECK(qkd_base64(text, at, out, n) && memcmp(in, out, n) == 0);
        CHECK(!qkd_base64(text, at, out, n + 1) || n % 3 == 0);
        CHECK(!qkd_base64(text, at - 1, out, n));
        for (unsigned c = 0; c < 256; c++) {
            const uint8_t was = text[0];
            text[0] = (uint8_t)c;
            CHECK(qkd_base64(text, at, out, n) == (c != 0 && strchr(digits, (int)c) != NULL));
            text[0] = was;
        }
    }
}

static void check_ids(void)
{
    CHECK(qkd_id_ok(qc_span_str(ID1), QKD_ID_UUID) && qkd_id_ok(qc_span_str(ID1), QKD_ID_OPAQUE));
    CHECK(!qkd_id_ok(qc_span_str("key:7_a.b"), QKD_ID_UUID) &&
          qkd_id_ok(qc_span_str("key:7_a.b"), QKD_ID_OPAQUE));
    CHECK(!qkd_id_ok(qc_span_str(""), QKD_ID_OPAQUE) && !qkd_id_ok(qc_span_str("a b"), QKD_ID_OPAQUE));
    CHECK(!qkd_id_ok(qc_span_str("a&b"), QKD_ID_OPAQUE) && !qkd_id_ok(qc_span_str("a|b"), QKD_ID_OPAQUE));
    char text[QKD_ID_MAX + 1];
    memset(text, 'a', sizeof text);
    CHECK(qkd_id_ok(qc_span_of(text, QKD_ID_MAX), QKD_ID_OPAQUE));
    CHECK(!qkd_id_ok(qc_span_of(text, QKD_ID_MAX + 1), QKD_ID_OPAQUE));
}

int main(void)
{
    check_good();
    check_matching();
    check_bad();
    check_cut();
    check_base64();
    check_ids();
    return 0;
}
