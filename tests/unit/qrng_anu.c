/* unit/qrng_anu: answers of a service like the ANU's, right and wrong; every shorter text is refused. */
#include "anu.h"
#include "base/buf.h"
#include "qc_check.h"

#define GOOD "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2f2497d2\",\"00ff80a1\"]}"

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
    static const char twice[] = "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\","
                                "\"data\":[\"2f\",\"97\"],\"data\":[\"2f\",\"97\"]}";
    static const char *const good[] = { GOOD, reordered };
    static const char good_and_more[] = GOOD "x";
    static const char *const bad[] = {
        "<html>not found</html>",
        "{}",
        "[]",
        good_and_more,
        "{\"success\":false,\"message\":\"quota\"}",
        "{\"success\":true,\"type\":\"uint8\",\"length\":2,\"data\":[7,8]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[70000,1]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2f24\"]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"3\",\"data\":[\"2f\",\"24\",\"97\"]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2f24\",\"97\"]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2g\",\"97\"]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"\",\"\"]}",
        twice,
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"x\":{},\"data\":[\"2f\",\"97\"]}",
        "{\"success\":true,\"type\":\"hex16\",\"length\":\"2\",\"data\":[\"2\\u0066\",\"97\"]}",
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
        CHECK_RC(take(bad[i], strlen(bad[i]), got, &n, &err), QC_FORMAT);
        for (size_t k = 0; k < strlen(bad[i]); k++)
            CHECK(got[k] == 0);
    }
    for (size_t k = 0; k < sizeof GOOD - 1; k++)
        CHECK_RC(take(GOOD, k, got, &n, &err), QC_FORMAT);
    CHECK(n == 99);
    return 0;
}
