/* unit/client_messages: every failure of every kind of command has a message of three parts, and its own
 * code. */
#include "messages.h"

#include "qc_check.h"

static void next_of(const struct msg *m, const struct msg_about *about, qc_buf *ret)
{
    struct qc_err err = { 0 };
    qc_buf_init(ret, 4096);
    CHECK_OK(msg_next_text(m, about, " or: ", ret, &err));
}

static void check_sentence(const char *s)
{
    size_t n = strlen(s);
    CHECK(n > 10 && s[n - 1] == '.' && strstr(s, "delete") == NULL && strchr(s, '\n') == NULL);
}

/* Three parts for each (class, code), with and without a name to speak of; the code's first digits are the
 * status. */
static void check_complete(void)
{
    const struct msg_about nothing = { 0 };
    const struct msg_about named = { .name = QC_LIT("scan.vcf"), .share = "2", .dir = "/x" };
    for (int c = 0; c < MSG_CLASSES; c++) {
        CHECK(c == MSG_CALL || msg_verb((enum msg_class)c)[0] != '\0');
        for (int rc = QC_OK + 1; rc < QC_RC_COUNT; rc++) {
            const struct msg *m = msg_of((enum msg_class)c, (qc_rc)rc);
            char code[MSG_CODE];
            char status[8];
            check_sentence(m->data);
            QC_CLEANUP(qc_buf_free) qc_buf a = { 0 };
            QC_CLEANUP(qc_buf_free) qc_buf b = { 0 };
            next_of(m, &nothing, &a);
            next_of(m, &named, &b);
            CHECK(a.n > 5 && b.n >= a.n);
            CHECK(memchr(b.p, '{', b.n) == NULL);
            msg_code(m, (qc_rc)rc, code);
            snprintf(status, sizeof status, "E%02d", qc_rc_exit((qc_rc)rc));
            CHECK(strncmp(code, status, strlen(status)) == 0 && strlen(code) == strlen(status) + 2);
        }
    }
    CHECK_DIES((void)msg_of(MSG_PUT, QC_OK));
}

static void check_codes_differ(void)
{
    for (size_t i = 0; i < msg_rows(); i++) {
        qc_rc a = QC_OK;
        qc_rc b = QC_OK;
        const struct msg *x = msg_row(i, &a);
        CHECK(x->nn >= 1 && x->nn <= 99);
        for (size_t j = 0; j < i; j++) {
            const struct msg *y = msg_row(j, &b);
            CHECK(qc_rc_exit(a) != qc_rc_exit(b) || x->nn != y->nn);
        }
    }
}

/* Each row can be reached: a row that an earlier one hides says nothing. */
static void check_reachable(void)
{
    for (size_t i = 0; i < msg_rows(); i++) {
        qc_rc rc = QC_OK;
        const struct msg *row = msg_row(i, &rc);
        bool reached = false;
        for (int c = 0; c < MSG_CLASSES; c++)
            reached = reached || msg_of((enum msg_class)c, rc) == row;
        CHECK(reached);
    }
}

static void check_warnings(void)
{
    const struct msg_about nothing = { 0 };
    for (int w = 0; w < MSG_WARNINGS; w++) {
        const struct msg *m = msg_warning((enum msg_warning)w);
        QC_CLEANUP(qc_buf_free) qc_buf next = { 0 };
        char code[MSG_CODE];
        check_sentence(m->data);
        next_of(m, &nothing, &next);
        CHECK(next.n > 5 && strlen(msg_warning_when((enum msg_warning)w)) > 4);
        msg_warning_code(m, code);
        CHECK(strncmp(code, "W04", 3) == 0 && strlen(code) == 5);
        for (int v = 0; v < w; v++)
            CHECK(msg_warning((enum msg_warning)v)->nn != m->nn);
    }
}

static void check_words(void)
{
    struct qc_err err = { 0 };
    const struct msg_step step = { .argv = { "qcloud", "stat", "{name}" } };
    const struct msg_about dash = { .name = QC_LIT("-x") };
    const struct msg_about nothing = { 0 };
    QC_CLEANUP(msg_argv_free) struct msg_argv a = { 0 };
    CHECK_RC(msg_step_argv(&step, &nothing, &a, &err), QC_NOTFOUND);
    CHECK(a.n == 0);
    CHECK_OK(msg_step_argv(&step, &dash, &a, &err));
    CHECK(a.n == 4 && qc_span_eq(qc_buf_span(&a.words[2]), QC_LIT("--")) &&
          qc_span_eq(qc_buf_span(&a.words[3]), QC_LIT("-x")));
}

/* The vault that was meant is meant by what is run next. The last one: it stays said. */
static void check_vault(void)
{
    struct qc_err err = { 0 };
    const struct msg_step step = { .argv = { "qcloud", "stat", "qcloud" } };
    const struct msg_about nothing = { 0 };
    QC_CLEANUP(msg_argv_free) struct msg_argv a = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 256 };
    CHECK_OK(msg_next_own("qcloud ls", &text, &err));
    CHECK(qc_span_eq(qc_buf_span(&text), QC_LIT("qcloud ls")));
    msg_vault("--vault", "w");
    msg_vault("--config", "my file");
    CHECK_OK(msg_step_argv(&step, &nothing, &a, &err));
    CHECK(a.n == 7 && qc_span_eq(qc_buf_span(&a.words[1]), QC_LIT("--vault")) &&
          qc_span_eq(qc_buf_span(&a.words[4]), QC_LIT("my file")) &&
          qc_span_eq(qc_buf_span(&a.words[6]), QC_LIT("qcloud")));
    qc_buf_clear(&text);
    CHECK_OK(msg_next_own("qcloud ls", &text, &err));
    CHECK(qc_span_eq(qc_buf_span(&text), QC_LIT("qcloud --vault w --config 'my file' ls")));
    qc_buf_clear(&text);
    CHECK_OK(msg_next_own("ask qcloud ls", &text, &err));
    CHECK(qc_span_eq(qc_buf_span(&text), QC_LIT("ask qcloud ls")));
}

int main(void)
{
    check_complete();
    check_codes_differ();
    check_reachable();
    check_warnings();
    check_words();
    check_vault();
    return 0;
}
