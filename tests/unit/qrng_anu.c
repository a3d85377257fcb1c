/* unit/qrng_anu: answers of a service like the ANU's, right and wrong; every shorter text is refused. */
#include "anu.h"
#include "base/buf.h"
#include "qc_check.h"

#define GOOD "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2f2497d2\",\"00ff80a1\"]}"

#define HEAD "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\","

static qc_rc take(const char *text, size_t n, uint8_t *ret, size_t *ret_n, struct qc_err *err)
{
    static uint8_t room[512];
    CHECK(n <= sizeof room);
    memcpy(room, text, n);
    const qc_rc rc = qrng_anu_take(room, n, 2, ret_n, err);
    memcpy(ret, room, n);
    return rc;
}

int main(void)
{
    static const char reordered[] = "{\"data\":[\"2f2497d2\",\"00ff80a1\"],\"x\":-1.5e3,\"y\":\"z\","
                                    "\"length\":2,\"type\":\"hex16\",\"success\":true} \n";
    static const char *const good[] = { GOOD, reordered };
    static const char good_and_more[] = GOOD "x";
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "<html>not found</html>", "no JSON" },
        { "{}", "no JSON" },
        { "[]", "no JSON" },
        { good_and_more, "something stands behind it" },
        { "{\"success\":false,\"message\":\"quota\"}", "does not say success" },
        { "{\"success\":true,\"type\":\"uint8\",\"length\":2,\"data\":[7,8]}", "item 1 is a number" },
        { HEAD "\"data\":[70000,1]}", "item 1 is 70000, which is out of range: a word is 0 to 65535" },
        { HEAD "\"data\":[\"2f24\",65536]}", "item 2 is 65536, which is out of range" },
        { HEAD "\"data\":[\"2f24\",65535]}", "item 2 is a number, expected a string" },
        { HEAD "\"data\":[\"2f24\",-1]}", "item 2 is -1, which is out of range" },
        { HEAD "\"data\":[\"2f24\",1.5]}", "item 2 is 1.5, which is out of range" },
        { HEAD "\"data\":[123456789012345678901234567890,1]}", "item 1 is 12345678901234567890, which is" },
        { HEAD "\"data\":[\"11170\",\"2f24\"]}", "item 1 has 5 digits, which is out of range: a word has 4" },
        { HEAD "\"data\":[\"2f\",\"97\"]}", "item 1 has 2 digits" },
        { HEAD "\"data\":[\"\",\"\"]}", "item 1 has 0 digits" },
        { HEAD "\"data\":[\"2f242f24\",\"2f24\"]}", "item 2 has 4 digits, expected 8" },
        { HEAD "\"data\":[\"2f24\",\"2f2g\"]}", "item 2 has what is no hexadecimal digit" },
        { HEAD "\"data\":[\"2f24\",\"2F24\"]}", "item 2 has what is no hexadecimal digit" },
        { HEAD "\"data\":[\"2f24\"]}", "another number of items" },
        { "{\"success\":true,\"type\":\"hex16\",\"length\":\"3\",\"data\":[\"2f24\",\"24ff\",\"97d2\"]}",
          "another number of items" },
        { HEAD "\"data\":[\"2f24\",\"97d2\"],\"data\":[\"2f24\",\"97d2\"]}", "data twice" },
        { HEAD "\"x\":{},\"data\":[\"2f24\",\"97d2\"]}", "no JSON" },
        { HEAD "\"data\":[\"2f24\",\"2\\u0066\"]}", "has an escape" },
    };
    static const uint8_t want[] = { 0x2f, 0x24, 0x97, 0xd2, 0x00, 0xff, 0x80, 0xa1 };
    struct qc_err err = { 0 };
    uint8_t got[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(take(good[i], strlen(good[i]), got, &n, &err));
        CHECK(n == sizeof want && memcmp(got, want, n) == 0);
        for (size_t k = n; k < strlen(good[i]); k++)
            CHECK(got[k] == 0);
    }
    n = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct qc_err){ 0 };
        const qc_rc rc = take(bad[i].text, strlen(bad[i].text), got, &n, &err);
        if (rc != QC_FORMAT || strstr(err.msg, bad[i].says) == NULL) {
            fprintf(stderr, "%s: %s\n", bad[i].text, err.msg);
            exit(1);
        }
        for (size_t k = 0; k < strlen(bad[i].text); k++)
            CHECK(got[k] == 0);
    }
    for (size_t k = 0; k < sizeof GOOD - 1; k++)
        CHECK_RC(take(GOOD, k, got, &n, &err), QC_FORMAT);
    CHECK(n == 99);
    return 0;
}
