/* unit/base_screen: a frame is never wider nor higher than its terminal, in letters; waiting ends when it is
 * told. */
#include "base/screen.h"

#include "qc_check.h"

static void frame(const char *text, size_t columns, size_t rows, const char *expected)
{
    qc_buf b = { .max = 4096 };
    struct qc_err err = { 0 };
    const struct qc_screen s = { columns, rows };
    CHECK_OK(qc_screen_frame(qc_span_str(text), &s, &b, &err));
    if (!qc_span_eq(qc_buf_span(&b), qc_span_str(expected)))
        fprintf(stderr, "got: %.*s", (int)b.n, (const char *)b.p);
    CHECK(qc_span_eq(qc_buf_span(&b), qc_span_str(expected)));
    qc_buf_free(&b);
}

#define BEGIN      "\033[?7l\033[H"
#define END        "\033[J\033[?7h"
#define LINE(text) "\033[K" text "\n"

static void check_frames(void)
{
    frame("", 40, 10, BEGIN END);
    frame("a\nb\n", 40, 10, BEGIN LINE("a") LINE("b") END);
    frame("a\nb", 40, 3, BEGIN LINE("a") LINE("b") END);
    frame("abcdef\n", 3, 10, BEGIN LINE("abc") END);
    frame("\303\266\303\266\303\266x\n", 3, 10, BEGIN LINE("\303\266\303\266\303\266") END);
    frame("1\n2\n3\n4\n", 20, 5, BEGIN LINE("1") LINE("2") LINE("3") LINE("4") END);
    frame("1\n2\n3\n4\n5\n", 20, 5, BEGIN LINE("1") LINE("2") LINE("3") LINE("(2 more lines)") END);
    frame("1\n2\n3\n", 7, 3, BEGIN LINE("1") LINE("(2 more") END);
    frame("1\n2\n", 20, 1, BEGIN LINE("(2 more lines)") END);
}

static void check_limit(void)
{
    qc_buf b = { .max = 12 };
    struct qc_err err = { 0 };
    const struct qc_screen s = { 10, 10 };
    CHECK_RC(qc_screen_frame(QC_LIT("abc\n"), &s, &b, &err), QC_LIMIT);
    qc_buf_free(&b);
}

static void check_waits(void)
{
    struct qc_cancel cancel = { 0 };
    struct qc_err err = { 0 };
    const uint64_t before = qc_now_ms();
    CHECK_OK(qc_screen_wait(NULL, NULL, 30, &cancel, &err));
    CHECK(qc_now_ms() - before >= 30);
    qc_cancel_set(&cancel);
    CHECK_RC(qc_screen_wait(NULL, NULL, 60000, &cancel, &err), QC_CANCELLED);
    FILE *none = tmpfile();
    CHECK(none != NULL && !qc_screen_of(none, NULL));
    fclose(none);
}

int main(void)
{
    check_frames();
    check_limit();
    check_waits();
    return 0;
}
