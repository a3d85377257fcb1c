/* unit/base_time: times as text, deadlines, cancellation. */
#include "base/time.h"

#include "qc_check.h"
#include "qc_seed.h"

static void check_text(struct qc_rand *r)
{
    static const struct {
        int64_t t;
        const char *text;
    } rows[] = { { 0, "1970-01-01T00:00:00Z" },
                 { 951782400, "2000-02-29T00:00:00Z" },
                 { -62135596800, "0001-01-01T00:00:00Z" },
                 { 253402300799, "9999-12-31T23:59:59Z" } };
    static const char *const refused[] = { "",
                                           "2026-02-29T00:00:00Z",
                                           "2026-13-01T00:00:00Z",
                                           "2026-00-01T00:00:00Z",
                                           "2026-01-01T24:00:00Z",
                                           "2026-01-01T00:00:60Z",
                                           "2026-01-01 00:00:00Z",
                                           "2026-01-01T00:00:00z",
                                           "2026-01-01T00:00:00",
                                           "2026-01-01T00:00:00Z ",
                                           "0000-01-01T00:00:00Z",
                                           "+026-01-01T00:00:00Z" };
    struct qc_err err = { 0 };
    char text[QC_TIME_TEXT];
    int64_t t = 5;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        qc_time_text(rows[i].t, text);
        CHECK(strcmp(text, rows[i].text) == 0);
        CHECK_OK(qc_time_parse(qc_span_str(text), &t, &err));
        CHECK(t == rows[i].t);
    }
    t = 5;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_RC(qc_time_parse(qc_span_str(refused[i]), &t, &err), QC_FORMAT);
    CHECK(t == 5);
    for (int i = 0; i < 10000; i++) {
        int64_t at = -62135596800 + (int64_t)qc_rand_below(r, UINT64_C(315537897600));

        qc_time_text(at, text);
        CHECK_OK(qc_time_parse(qc_span_str(text), &t, &err));
        CHECK(t == at);
    }
    CHECK_DIES(qc_time_text(253402300800, text));
}

static void check_words(void)
{
    static const char *const refused[] = { "",    "2026-02-31T00:00:00Z", "2026-01-02T03:04:05Zx",
                                           "now", "1969-12-31T00:00:00Z", "03:04" };
    int64_t t = 5, day = 0;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK(!qc_time_read(refused[i], true, &t));
    CHECK(!qc_time_read("2026-01-02", false, &t) && t == 5);
    CHECK(qc_time_read("2026-01-02T03:04:05Z", false, &t) && t == 1767323045);
    CHECK(qc_time_read("2026-01-02T05:04:05+02:00", false, &t) && t == 1767323045);
    CHECK(qc_time_read("2026-01-02", true, &day) && qc_time_read("2026-01-02 00:00", true, &t) && t == day);
}

static void check_deadlines(void)
{
    struct qc_err err = { 0 };
    struct qc_cancel c = { 0 };
    qc_deadline never = QC_NO_DEADLINE, soon = qc_deadline_in(0), far = qc_deadline_in(3600000);

    CHECK(!qc_deadline_over(never) && qc_deadline_left_ms(never) == UINT64_MAX);
    CHECK(qc_deadline_over(soon) && !qc_deadline_over(far));
    CHECK(qc_deadline_left_ms(far) > 3590000 && qc_deadline_left_ms(far) <= 3600000);
    CHECK(qc_deadline_min(never, far).at_ms == far.at_ms && qc_deadline_min(far, never).at_ms == far.at_ms);
    CHECK(qc_deadline_min(soon, far).at_ms == soon.at_ms);
    CHECK(qc_deadline_in(UINT64_MAX).at_ms == 0);
    CHECK_OK(qc_go_on(never, NULL, "put", &err));
    CHECK_OK(qc_go_on(far, &c, "put", &err));
    CHECK_RC(qc_go_on(soon, &c, "put", &err), QC_TIMEOUT);
    qc_cancel_set(&c);
    CHECK_RC(qc_go_on(soon, &c, "put", &err), QC_CANCELLED);
    CHECK_DIES((void)qc_deadline_timespec(never));
    CHECK(qc_now_ms() <= qc_now_ns() / 1000000 + 1 && qc_wall_s() > 1700000000);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();

    check_text(&r);
    check_words();
    check_deadlines();
    return 0;
}
