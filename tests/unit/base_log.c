/* unit/base_log: one line per event, in two forms, escaped, cut, filtered by level. */
#include "base/log.h"

#include "base/json.h"

#include "qc_check.h"

static int fds[2];

/* The line that was just written, without its time. */
static const char *last(void)
{
    static char text[QC_LOG_LINE_MAX + 1];
    ssize_t n = read(fds[0], text, sizeof text - 1);

    CHECK(n > 0 && text[n - 1] == '\n');
    text[n - 1] = '\0';
    CHECK(strchr(text, '\n') == NULL);
    return text;
}

static void check_text(void)
{
    qc_log_setup(fds[1], QC_LOG_INFO, false);
    errno = EDOM;
    QC_LOG(QC_LOG_INFO, "put committed", QC_S("object", "6f"), QC_I("margin", -2), QC_U("size", UINT64_MAX),
           QC_S("text", "two words\n\"x\""), QC_S("none", NULL));
    CHECK(errno == EDOM);
    CHECK(strcmp(last() + 21, "info put committed object=6f margin=-2 size=18446744073709551615 "
                              "text=\"two words\\u000a\\\"x\\\"\" none=-") == 0);
    QC_LOG_MSG(QC_LOG_DEBUG, "not written");
    QC_LOG_MSG(QC_LOG_ERROR, "next");
    CHECK(strcmp(last() + 21, "error next") == 0);
}

static void check_json(void)
{
    struct qc_err err = { 0 };
    struct json_t *j = NULL;
    const char *s = NULL;
    int64_t i = 0;
    static char wide[2 * QC_LOG_LINE_MAX];

    qc_log_setup(fds[1], QC_LOG_DEBUG, true);
    qc_err_set(&err, QC_FULL, "x.c:1", "quote \" and \\ and \x01");
    qc_log_err(QC_LOG_WARN, "failed", &err);
    qc_err_clear(&err);
    CHECK_OK(qc_json_parse(&j, qc_span_str(last()), &err));
    CHECK_OK(qc_json_str(j, "rc", &s, &err));
    CHECK(strcmp(s, "full") == 0);
    CHECK_OK(qc_json_str(j, "cause", &s, &err));
    CHECK(strcmp(s, "quote \" and \\ and \x01") == 0);
    CHECK_OK(qc_json_int(j, "os", 0, 0, &i, &err));
    qc_json_free(&j);

    memset(wide, 'w', sizeof wide - 1);
    QC_LOG(QC_LOG_WARN, "cut", QC_S("kept", "yes"), QC_S("wide", wide));
    CHECK_OK(qc_json_parse(&j, qc_span_str(last()), &err)); /* a cut line still parses */
    CHECK(qc_json_has(j, "kept") && !qc_json_has(j, "wide"));
    qc_json_free(&j);
    QC_LOG_MSG(QC_LOG_WARN, wide);
    CHECK(strlen(last()) == QC_LOG_LINE_MAX - 1);
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    CHECK(qc_log_level() == QC_LOG_WARN);
    check_text();
    check_json();
    return 0;
}
