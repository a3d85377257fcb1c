/* unit/vault_meta: private metadata and extension fields: round trip, every shorter and damaged form refused.
 */
#include "ext.h"
#include "vault/meta.h"
#include "vault_fix.h"

static void parse(qc_span in, qc_rc want)
{
    struct qc_err err = { 0 };
    struct vault_meta m = { .true_size = 77 };
    CHECK_RC(vault_meta_parse(&m, in, &err), want);
    CHECK(want == QC_OK || m.true_size == 77);
}

static void metadata(void)
{
    struct qc_err err = { 0 };
    struct vault_meta m = { .true_size = UINT64_MAX,
                            .has_mtime = true,
                            .mtime_s = INT64_MIN,
                            .mtime_ns = 0,
                            .has_mode = true,
                            .mode = UINT32_MAX,
                            .provenance = QC_LIT("file:/dev/q"),
                            .has_from = true,
                            .ways = QC_LIT("c4=tls"),
                            .has_stored = true,
                            .stored_s = INT64_MIN,
                            .xattrs = QC_LIT("\6user.a\0\0\0\1x"),
                            .folder = true };
    memset(m.from, 0xab, sizeof m.from);
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1024 };
    CHECK_OK(vault_meta_write(&b, &m, &err));
    struct vault_meta r;
    CHECK_OK(vault_meta_parse(&r, qc_buf_span(&b), &err));
    CHECK(r.true_size == m.true_size && r.has_mtime && r.mtime_s == INT64_MIN && r.mtime_ns == 0 &&
          r.has_mode);
    CHECK(r.mode == UINT32_MAX && r.has_from && memcmp(r.from, m.from, 16) == 0);
    CHECK(qc_span_eq(r.provenance, m.provenance) && qc_span_eq(r.ways, m.ways) && r.has_stored &&
          r.stored_s == INT64_MIN);
    CHECK(qc_span_eq(r.xattrs, m.xattrs) && r.folder);
    /* a cut stands where a field begins, or is refused */
    static const size_t fields[] = { 8, 18, 10, 17, 22, 12, 14, 18, 6 };
    size_t end = 0;
    for (size_t i = 0, n = 0; i < sizeof fields / sizeof fields[0]; i++) {
        end += fields[i];
        for (; n < end; n++)
            parse(qc_span_of(b.p, n), i > 0 && n == end - fields[i] ? QC_OK : QC_FORMAT);
    }
    CHECK(b.n == end);
    qc_buf small = { .max = 30 };
    CHECK_RC(vault_meta_write(&small, &m, &err), QC_LIMIT);
    CHECK(small.n == 0);
    qc_buf_free(&small);
}

static void malformed(void)
{
#define SIZE "\0\0\0\0\0\0\0\1"
    parse(QC_LIT(SIZE), QC_OK);
    parse(QC_LIT(SIZE "\0\1\0\0\0\x0b"
                      "12345678901"),
          QC_FORMAT); /* mtime too short */
    parse(QC_LIT(SIZE "\0\1\0\0\0\x0d"
                      "1234567890123"),
          QC_FORMAT); /* too long */
    parse(QC_LIT(SIZE "\0\1\0\0\0\x0c"
                      "12345678\x3b\x9a\xca\0"),
          QC_FORMAT); /* 10^9 ns */
    parse(QC_LIT(SIZE "\0\1\0\0\0\x0c"
                      "12345678\x3b\x9a\xc9\xff"),
          QC_OK);
    parse(QC_LIT(SIZE "\0\6\0\0\0\7"
                      "1234567"),
          QC_FORMAT); /* time of storing too short */
    parse(QC_LIT(SIZE "\0\6\0\0\0\x9"
                      "123456789"),
          QC_FORMAT);
    parse(QC_LIT(SIZE "\0\2\0\0\0\3"
                      "abc"),
          QC_FORMAT);
    parse(QC_LIT(SIZE "\0\4\0\0\0\x0f"
                      "123456789012345"),
          QC_FORMAT);
    parse(QC_LIT(SIZE "\0\2\0\0\0\4"
                      "abcd"
                      "\0\2\0\0\0\4"
                      "abcd"),
          QC_FORMAT); /* twice */
    parse(QC_LIT(SIZE "\0\2\0\0\0\4"
                      "abcd"
                      "\0\1\0\0\0\x0c"
                      "123456789012"),
          QC_FORMAT);
    parse(QC_LIT(SIZE "\x12\x34\0\0\0\2"
                      "zz"),
          QC_OK);
    parse(QC_LIT(SIZE "\x92\x34\0\0\0\2"
                      "zz"),
          QC_NEWER);
    parse(QC_LIT(SIZE "\0\2\xff\xff\xff\xff"), QC_FORMAT);
}

static void extensions(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(vault_ext_check((qc_span){ 0 }, "x", &err));
    CHECK_OK(vault_ext_check(QC_LIT("\0\0\0\0\0\0"), "x", &err)); /* type 0, empty: legal and unknown */
    CHECK_OK(vault_ext_check(QC_LIT("\0\1\0\0\0\1a\x7f\xff\0\0\0\0"), "x", &err));
    CHECK_RC(vault_ext_check(QC_LIT("\x80\0\0\0\0\0"), "x", &err), QC_NEWER);
    CHECK_OK(vault_ext_walk_only(QC_LIT("\x80\0\0\0\0\0"), "x", &err));
    CHECK_RC(vault_ext_check(QC_LIT("\0\1\0\0\0\0\0\1\0\0\0\0"), "x", &err), QC_FORMAT);
    CHECK_RC(vault_ext_check(QC_LIT("\0\2\0\0\0\0\0\1\0\0\0\0"), "x", &err), QC_FORMAT);
    CHECK_RC(vault_ext_check(QC_LIT("\0\1\0\0\0"), "x", &err), QC_FORMAT);
    CHECK_RC(vault_ext_check(QC_LIT("\0"), "x", &err), QC_FORMAT);
    static uint8_t big[QC_VAULT_EXT_MAX + 1];
    qc_put_be(big, 1, 2);
    qc_put_be(big + 2, sizeof big - 6 - 1, 4);
    CHECK_OK(vault_ext_check(qc_span_of(big, sizeof big - 1), "x", &err));
    qc_put_be(big + 2, sizeof big - 6, 4);
    CHECK_RC(vault_ext_check(qc_span_of(big, sizeof big), "x", &err), QC_FORMAT);
}

int main(void)
{
    metadata();
    malformed();
    extensions();
    return 0;
}
