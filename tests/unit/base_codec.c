/* unit/base_codec: every value comes back, one text per value, everything else is refused. */
#include "base/codec.h"

#include "qc_check.h"
#include "qc_seed.h"

static void check_known(void)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        { "", "" },           { "f", "Zg" },          { "fo", "Zm8" },          { "foo", "Zm9v" },
        { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xfe", "-__-" }
    };
    struct qc_err err = { 0 };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf t = { .max = 16 }, b = { .max = 16 };

        CHECK_OK(qc_b64_enc(qc_span_str(rows[i].bytes), &t, &err));
        CHECK(qc_span_eq(qc_buf_span(&t), qc_span_str(rows[i].text)));
        CHECK_OK(qc_b64_dec(qc_span_str(rows[i].text), &b, &err));
        CHECK(qc_span_eq(qc_buf_span(&b), qc_span_str(rows[i].bytes)));
    }
}

static void check_refused(void)
{
    static const char *const b64[] = { "Z",    "Zg==", "Zh",    "Zm9",   "Zm9vY",
                                       "Zm+v", "Zm/v", "Zm9v ", "Zm 9v", "Zm9v\n" };
    static const char *const hex[] = { "0", "000", "0G", "AA", " 0", "0x" };
    struct qc_err err = { 0 };
    uint8_t one[1] = { 7 };

    for (size_t i = 0; i < sizeof b64 / sizeof *b64; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 16 };

        CHECK_OK(qc_buf_add_str(&b, "kept", &err));
        CHECK_RC(qc_b64_dec(qc_span_str(b64[i]), &b, &err), QC_FORMAT);
        CHECK(b.n == 4);
    }
    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++)
        CHECK_RC(qc_hex_dec(qc_span_str(hex[i]), one, 1, &err), QC_FORMAT);
    CHECK(one[0] == 7);
}

static void check_round(struct qc_rand *r)
{
    struct qc_err err = { 0 };

    for (int i = 0; i < 10000; i++) {
        uint8_t in[64], out[64];
        char line[2 * sizeof in + 1];
        size_t n = (size_t)qc_rand_below(r, sizeof in + 1);
        QC_CLEANUP(qc_buf_free) qc_buf t = { .max = 200 }, b = { .max = 64 }, h = { .max = 128 };

        qc_rand_fill(r, in, n);
        CHECK_OK(qc_b64_enc(qc_span_of(in, n), &t, &err));
        CHECK_OK(qc_b64_dec(qc_buf_span(&t), &b, &err));
        CHECK(qc_span_eq(qc_buf_span(&b), qc_span_of(in, n)));
        CHECK_OK(qc_hex_enc(qc_span_of(in, n), &h, &err));
        qc_hex(qc_span_of(in, n), line);
        CHECK(qc_span_eq(qc_buf_span(&h), qc_span_str(line)));
        CHECK_OK(qc_hex_dec(qc_buf_span(&h), out, n, &err));
        CHECK(n == 0 || memcmp(in, out, n) == 0);
    }
}

static void check_decimal(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
        size_t left;
    } rows[] = {
        { "0", true, 0, 0 },
        { "007", true, 7, 0 },
        { "12 34", true, 12, 3 },
        { "18446744073709551615", true, UINT64_MAX, 0 },
        { "18446744073709551616", false, 0, 0 },
        { "99999999999999999999999", false, 0, 0 },
        { "", false, 0, 0 },
        { "-1", false, 0, 0 },
        { " 1", false, 0, 0 },
        { "x", false, 0, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        qc_span s = qc_span_str(rows[i].text);
        const size_t all = s.n;
        uint64_t v = 4711;
        CHECK(qc_dec_take(&s, &v) == rows[i].ok);
        CHECK(v == (rows[i].ok ? rows[i].value : 4711));
        CHECK(s.n == (rows[i].ok ? rows[i].left : all));
    }
}

static void check_utf8(void)
{
    CHECK(qc_utf8((const uint8_t *)"a", 1) == 1 && qc_utf8((const uint8_t *)"", 0) == 0);
    CHECK(qc_utf8((const uint8_t *)"\xE2\x82\xAC", 3) == 3 && qc_utf8((const uint8_t *)"\xE2\x82", 2) == 0);
    CHECK(qc_utf8((const uint8_t *)"\xC0\x80", 2) == 0 && qc_utf8((const uint8_t *)"\xED\xA0\x80", 3) == 0);
    CHECK(qc_utf8_controls((const uint8_t *)"\x1b", 1) && qc_utf8_controls((const uint8_t *)"\xC2\x9b", 2));
    CHECK(qc_utf8_controls((const uint8_t *)"\xE2\x80\xAE", 3) &&
          !qc_utf8_controls((const uint8_t *)"\xC3\xA4", 2));
}

int main(void)
{
    check_utf8();
    struct qc_rand r = qc_rand_start();

    check_decimal();
    check_known();
    check_refused();
    check_round(&r);
    return 0;
}
