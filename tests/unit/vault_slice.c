/* unit/vault_slice: what --range takes, and what it makes of an object's size; every end, and what is beyond.
 */
#include "vault/slice.h"

#include <inttypes.h>
#include <string.h>

#include "qc_check.h"

struct row {
    const char *text;
    uint64_t size, offset, n; /* n UINT64_MAX: refused */
};
#define NO UINT64_MAX

static void places(void)
{
    static const struct row rows[] = {
        { "0-0", 1, 0, 1 },
        { "0-0", 0, 0, NO },
        { "0-", 0, 0, 0 },
        { "1-", 0, 0, NO },
        { "0-99", 100, 0, 100 },
        { "0-100", 100, 0, NO },
        { "99-99", 100, 99, 1 },
        { "99-", 100, 99, 1 },
        { "100-", 100, 100, 0 },
        { "101-", 100, 0, NO },
        { "100-100", 100, 0, NO },
        { "-1", 100, 99, 1 },
        { "-100", 100, 0, 100 },
        { "-101", 100, 0, NO },
        { "-1", 0, 0, NO },
        { "1k-2047", 2048, 1024, 1024 },
        { "1k-2k", 2048, 0, NO },
        { "1M-", (3 << 20) + 1, 1 << 20, (2 << 20) + 1 },
        { "-1G", (uint64_t)1 << 31, (uint64_t)1 << 30, (uint64_t)1 << 30 },
        { "0-18446744073709551615", UINT64_MAX, 0, NO },
        { "18446744073709551615-", UINT64_MAX, UINT64_MAX, 0 },
        { "18446744073709551614-18446744073709551614", UINT64_MAX, UINT64_MAX - 1, 1 },
        { "-18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct qc_err err = { 0 };
        struct vault_slice s = { 0 };
        struct vault_range r = { 7, 7 };
        char size[32];
        CHECK_OK(vault_slice_parse(&s, rows[i].text, &err));
        const qc_rc rc = vault_slice_of(&s, rows[i].size, &r, &err);
        fprintf(stderr, "%s of %" PRIu64 ": %s\n", rows[i].text, rows[i].size, qc_rc_name(rc));
        if (rc == QC_OK) {
            CHECK(r.offset == rows[i].offset && r.size == rows[i].n);
            continue;
        }
        snprintf(size, sizeof size, "has %" PRIu64 " bytes", rows[i].size);
        CHECK(rows[i].n == NO && rc == QC_USAGE && strstr(err.msg, size) != NULL);
        CHECK(r.offset == 7 && r.size == 7);
    }
}

static void texts(void)
{
    static const char *const bad[] = {
        "",
        "-",
        "5",
        "--5",
        "5--",
        "1-2-3",
        "2-1",
        "-0",
        "a-",
        "-a",
        "1x-2",
        " 1-2",
        "1-2 ",
        "1 - 2",
        "+1-2",
        "0x1-2",
        "1.5-2",
        "1kk-",
        "18446744073709551616-",
        "-18446744073709551616",
        "16777216T-",
        "0000000000000000000000000000001-2",
        "1-2,4-5",
        "bytes=1-2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct qc_err err = { 0 };
        struct vault_slice s = { .first = 7 };
        fprintf(stderr, "'%s'\n", bad[i]);
        CHECK_RC(vault_slice_parse(&s, bad[i], &err), QC_USAGE);
        CHECK(s.first == 7 && !s.has_first);
    }
    struct qc_err err = { 0 };
    struct vault_slice s = { 0 };
    CHECK_OK(vault_slice_parse(&s, "0-18446744073709551615", &err)); /* as last, it overflows nothing */
    CHECK(s.has_first && s.has_last && s.first == 0 && s.last == UINT64_MAX);
}

/* Each first and last of small objects against counting. */
static void all_small(void)
{
    for (uint64_t size = 0; size < 6; size++)
        for (uint64_t a = 0; a < 8; a++)
            for (uint64_t b = 0; b < 8; b++) {
                struct qc_err err = { 0 };
                struct vault_range r;
                const struct vault_slice two = { true, true, a, b }, last = { false, true, 0, b };
                if (b >= a) {
                    CHECK((vault_slice_of(&two, size, &r, &err) == QC_OK) == (b < size));
                    CHECK(b >= size || (r.offset == a && r.size == b - a + 1));
                }
                CHECK((vault_slice_of(&last, size, &r, &err) == QC_OK) == (b <= size));
                CHECK(b > size || (r.offset == size - b && r.size == b));
            }
}

int main(void)
{
    places();
    texts();
    all_small();
    return 0;
}
