/* unit/base_buf: spans, buffers and their limits, big-endian integers, the sticky reader. */
#include "base/buf.h"

#include <sys/mman.h>

#include "alloc_internal.h"
#include "base/alloc.h"
#include "qc_check.h"

enum { PAGE = 4096, LARGE = 16 * PAGE, BLOCK = 256 * PAGE };

static void check_spans(void)
{
    qc_span a = QC_LIT("quantum"), b = qc_span_str("quantum");
    uint64_t u = 7;
    size_t s = 7;

    CHECK(a.n == 7 && qc_span_eq(a, b) && qc_span_cmp(a, b) == 0);
    CHECK(!qc_span_eq(a, QC_LIT("quantus")) && !qc_span_eq(a, QC_LIT("quantu")));
    CHECK(qc_span_eq((qc_span){ 0 }, QC_LIT("")));
    CHECK(qc_span_cmp(QC_LIT("a"), QC_LIT("ab")) < 0 && qc_span_cmp(QC_LIT("b"), QC_LIT("ab")) > 0);
    CHECK(qc_span_eq(qc_span_sub(a, 1, 3), QC_LIT("uan")) && qc_span_eq(qc_span_from(a, 5), QC_LIT("um")));
    CHECK(qc_span_from(a, 7).n == 0);
    CHECK(qc_span_eq(qc_span_trim(QC_LIT(" \t\r\na b\r\n")), QC_LIT("a b")) &&
          qc_span_trim(QC_LIT(" \n")).n == 0);
    CHECK(qc_span_trim(QC_LIT("")).n == 0 && qc_span_eq(qc_span_trim(QC_LIT("\v")), QC_LIT("\v")));
    CHECK_DIES((void)qc_span_sub(a, 1, 7));
    CHECK_DIES((void)qc_span_sub(a, SIZE_MAX, 1));
    CHECK(qc_add_u64(1, 2, &u) && u == 3);
    CHECK(!qc_add_u64(UINT64_MAX, 1, &u) && u == 3);
    CHECK(!qc_mul_u64(UINT64_MAX / 2, 3, &u) && u == 3);
    CHECK(!qc_add_size(SIZE_MAX, 1, &s) && s == 7);
}

static void check_integers(void)
{
    uint8_t p[8];

    for (size_t n = 1; n <= 8; n++) {
        uint64_t most = n == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * n)) - 1;

        qc_put_be(p, most, n);
        CHECK(qc_get_be(p, n) == most);
        qc_put_be(p, 0x5a, n);
        CHECK(qc_get_be(p, n) == 0x5a && p[n - 1] == 0x5a);
        if (n < 8)
            CHECK_DIES(qc_put_be(p, most + 1, n));
    }
    CHECK_DIES(qc_put_be(p, 1, 9));
}

static void check_buffer(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 100 };
    uint8_t *p = NULL;
    const char *text = NULL;

    CHECK_OK(qc_buf_add(&b, QC_LIT("abc"), &err));
    CHECK_OK(qc_buf_add(&b, (qc_span){ 0 }, &err));
    CHECK_OK(qc_buf_add_be(&b, 0x0102, 4, &err));
    CHECK_OK(qc_buf_addf(&b, &err, "%s-%d", "x", 7));
    CHECK(qc_span_eq(qc_buf_span(&b), qc_span_of("abc\0\0\1\2x-7", 10)));
    CHECK_RC(qc_buf_cstr(&b, &text, &err), QC_FORMAT); /* a NUL inside */
    CHECK_OK(qc_buf_extend(&b, 80, &p, &err));
    CHECK(p == b.p + 10 && p[0] == 0 && p[79] == 0 && b.n == 90);
    CHECK_RC(qc_buf_add_zero(&b, 11, &err), QC_LIMIT);
    CHECK_RC(qc_buf_reserve(&b, SIZE_MAX, &err), QC_LIMIT);
    CHECK(b.n == 90 && b.cap <= 100);
    CHECK_OK(qc_buf_add_zero(&b, 10, &err));
    CHECK_RC(qc_buf_add(&b, QC_LIT("x"), &err), QC_LIMIT);
    qc_buf_clear(&b);
    CHECK(b.n == 0 && b.cap == 100);
    CHECK_OK(qc_buf_add_str(&b, "plain", &err));
    CHECK_OK(qc_buf_cstr(&b, &text, &err));
    CHECK(strcmp(text, "plain") == 0 && b.n == 5);

    qc_buf moved = QC_STEAL(b);
    CHECK(b.p == NULL && b.max == 0 && moved.n == 5);
    CHECK_RC(qc_buf_add(&b, QC_LIT("x"), &err), QC_LIMIT); /* {0} may not grow */
    qc_buf_free(&moved);
    qc_buf_free(&moved);
    CHECK(moved.p == NULL);
}

static void check_reader(void)
{
    static const uint8_t in[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0 };
    uint8_t two[2] = { 9, 9 };
    qc_rd r = { .s = { in, sizeof in } };

    CHECK(qc_rd_be(&r, 4) == 0x00010203 && qc_rd_left(&r) == 7);
    qc_rd_copy(&r, two, 2);
    CHECK(two[0] == 4 && two[1] == 5);
    CHECK(qc_span_eq(qc_rd_bytes(&r, 3), qc_span_of(in + 6, 3)));
    CHECK(qc_rd_ok(&r) && !qc_rd_end(&r));
    qc_rd_zero(&r, 2);
    CHECK(qc_rd_end(&r) && qc_rd_left(&r) == 0);

    /* Failure sticks: what would fit later on is not given out either. */
    r = (qc_rd){ .s = { in, sizeof in } };
    CHECK(qc_rd_bytes(&r, sizeof in + 1).n == 0 && !qc_rd_ok(&r));
    CHECK(qc_rd_be(&r, 1) == 0 && qc_rd_left(&r) == 0 && !qc_rd_end(&r));
    qc_rd_copy(&r, two, 2);
    CHECK(two[0] == 0 && two[1] == 0);
    r = (qc_rd){ .s = { in, sizeof in } };
    CHECK(qc_rd_bytes(&r, UINT64_MAX).p == NULL && !qc_rd_ok(&r));
    r = (qc_rd){ .s = { in, 2 } };
    qc_rd_zero(&r, 2);
    CHECK(!qc_rd_ok(&r));
    r = (qc_rd){ 0 };
    CHECK(qc_rd_end(&r));
    CHECK(qc_rd_be(&r, 8) == 0 && !qc_rd_end(&r));
}

/* What is grown or cut keeps its bytes; that what is let go of is wiped, system/canaries sees. */
static void wiped(void)
{
    char *p = qc_realloc_wiped(NULL, 8);
    CHECK(p != NULL);
    memcpy(p, "seven b", 8);
    for (size_t n = 8; n <= 1 << 20; n *= 8)
        CHECK((p = qc_realloc_wiped(p, n)) != NULL && memcmp(p, "seven b", 8) == 0);
    CHECK((p = qc_realloc_wiped(p, 3)) != NULL && memcmp(p, "sev", 3) == 0);
    qc_free_wiped(p);
    qc_free_wiped(NULL);
}

/* Pages of p from its first whole one on that are in memory. */
static size_t there(uint8_t *p, size_t pages)
{
    unsigned char in[BLOCK / PAGE];
    size_t n = 0;
    CHECK(pages <= sizeof in && mincore(p, pages * PAGE, in) == 0);
    for (size_t i = 0; i < pages; i++)
        n += in[i] & 1;
    return n;
}

/* A block that starts and ends beside a page's edge: what was written is gone, with what lies beside it left
 * alone, and what was not written to is still in no memory. */
static void wiped_block(void)
{
    struct qc_err err = { 0 };
    struct qc_pages b = { 0 };
    CHECK_OK(qc_pages_new(&b, BLOCK, &err));
    for (size_t n = 1; n < BLOCK - PAGE; n = n * 3 + 1)
        for (size_t lead = 1; lead <= PAGE; lead += PAGE - 1) {
            const size_t marks[] = { 0, n / 2, n - 1 };
            for (size_t i = 0; i < 3; i++)
                b.p[lead + marks[i]] = 7;
            b.p[lead - 1] = b.p[lead + n] = 9;
            qc_wipe_block(b.p + lead, n);
            CHECK(b.p[lead - 1] == 9 && b.p[lead + n] == 9);
            if (n > LARGE)
                CHECK(there(b.p, BLOCK / PAGE) < 40);
            for (size_t i = 0; i < 3; i++)
                CHECK(b.p[lead + marks[i]] == 0);
        }
    memset(b.p, 7, BLOCK);
    qc_wipe_block(b.p, BLOCK);
    for (size_t i = 0; i < BLOCK; i++)
        CHECK(b.p[i] == 0);
    qc_pages_free(&b);
}

/* -- kernels whose pages are larger than this one's ------------------------------------------------------ */

static size_t their_page;
static unsigned given_up;

static size_t in_their_pages(const void *p, size_t n)
{
    CHECK((uintptr_t)p % their_page == 0);
    return (n + their_page - 1) / their_page;
}

/* The first of them and each third one are there. */
static int their_mincore(void *p, size_t n, unsigned char *ret)
{
    const size_t pages = in_their_pages(p, n);
    for (size_t i = 0; i < pages; i++)
        ret[i] = ((uintptr_t)p / their_page + i) % 3 == 0;
    return 0;
}

/* Whole pages, up from n, as madvise's manual says. */
static int their_madvise(void *p, size_t n, int advice)
{
    CHECK(advice == MADV_DONTNEED);
    memset(p, 0, in_their_pages(p, n) * their_page);
    given_up++;
    return 0;
}

/* All of the block is gone, and nothing beside it, by whatever pages. */
static void wiped_by_others(void)
{
    enum { MOST = 1 << 16, AREA = 80 * MOST };
    struct qc_err err = { 0 };
    struct qc_pages b = { 0 };
    CHECK_OK(qc_pages_new(&b, AREA, &err));
    for (unsigned i = 0; i < 4; i++) {
        static const size_t pages[] = { 4096, 16384, MOST, 0 };
        const struct qc_kernel k = { pages[i], their_mincore, their_madvise };
        const size_t lens[] = { 5, LARGE - 1, LARGE, LARGE + 1, 3 * MOST + 4096, 70 * MOST + 100 };
        their_page = pages[i];
        for (size_t j = 0; j < sizeof lens / sizeof lens[0]; j++) {
            const size_t lead = MOST + j * 4096 + (j & 1), n = lens[j];
            memset(b.p, 9, AREA);
            given_up = 0;
            qc_wipe_block_by(b.p + lead, n, &k);
            CHECK(b.p[lead - 1] == 9 && b.p[lead + n] == 9 && b.p[AREA - 1] == 9);
            CHECK(memcmp(b.p, b.p + 1, lead - 1) == 0 &&
                  memcmp(b.p + lead + n, b.p + lead + n + 1, AREA - lead - n - 1) == 0);
            CHECK(b.p[lead] == 0 && memcmp(b.p + lead, b.p + lead + 1, n - 1) == 0);
            CHECK(n < 3 * (size_t)MOST || (given_up > 0) == (pages[i] != 0));
        }
    }
    qc_pages_free(&b);
}

int main(void)
{
    check_spans();
    check_integers();
    check_buffer();
    check_reader();
    wiped();
    wiped_block();
    wiped_by_others();
    CHECK(qc_alloc_live() == 0);
    return 0;
}
