/* unit/client_out: data and talk are kept apart; messages have three lines; JSON lines parse and end rightly.
 */
#include "out.h"

#include <fcntl.h>
#include <unistd.h>

#include "qc_check.h"

struct shown {
    char *data, *talk;
    size_t data_n, talk_n;
    struct out o;
};

static void begin(struct shown *s, bool json, enum msg_class c)
{
    *s = (struct shown){ 0 };
    out_init(&s->o, "put", c);
    s->o.data = s->o.json_to = open_memstream(&s->data, &s->data_n);
    s->o.talk = open_memstream(&s->talk, &s->talk_n);
    s->o.json = json;
    s->o.terminal = false;
    CHECK(s->o.data != NULL && s->o.talk != NULL);
}

static bool starts(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) == 0)
        return true;
    fprintf(stderr, "got: %s", text);
    return false;
}

static void end(struct shown *s)
{
    fclose(s->o.data);
    fclose(s->o.talk);
}

static void done(struct shown *s)
{
    free(s->data);
    free(s->talk);
}

static void check_error_text(void)
{
    struct shown s;
    struct qc_err err = { 0 };
    begin(&s, false, MSG_GET);
    qc_err_set(&err, QC_QUORUM, QC_HERE, "2 of 5 clouds answer, 3 are needed");
    struct out_end e = { .rc = QC_QUORUM, .err = &err, .about = { .name = QC_LIT("a\nb") } };
    CHECK(out_finish(&s.o, &e) == 6);
    end(&s);
    CHECK(s.data_n == 0);
    CHECK(
        starts(s.talk, "qcloud: E0601 cannot read 'a\\x0ab': 2 of 5 clouds answer, 3 are needed\n  data: "));
    CHECK(strstr(s.talk, "\n  next: ") != NULL);
    done(&s);
}

/* The name is not said twice. */
static void check_name_once(void)
{
    struct shown s;
    struct qc_err err = { 0 };
    begin(&s, false, MSG_PUT);
    qc_err_set(&err, QC_FULL, QC_HERE, "put 'x': no space on c1");
    struct out_end e = { .rc = QC_FULL, .err = &err, .about = { .name = QC_LIT("x") } };
    CHECK(out_finish(&s.o, &e) == 14);
    end(&s);
    CHECK(starts(s.talk, "qcloud: E1401 cannot store: put 'x': no space on c1\n"));
    done(&s);
}

/* Every line parses; *ret_last is the last one. */
static void parse_lines(const char *text, size_t n, struct json_t **ret_last)
{
    struct qc_err err = { 0 };
    size_t at = 0;
    CHECK(n > 0 && text[n - 1] == '\n');
    while (at < n) {
        const char *nl = memchr(text + at, '\n', n - at);
        size_t len = (size_t)(nl - text) - at;
        qc_json_free(ret_last);
        CHECK_OK(qc_json_parse(ret_last, qc_span_of(text + at, len), &err));
        int64_t v = 0;
        CHECK_OK(qc_json_int(*ret_last, "v", 1, 1, &v, &err));
        at += len + 1;
    }
}

static void check_json(qc_rc rc, const char *type, int64_t status)
{
    struct shown s;
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *last = NULL;
    struct msg_about about = { .name = QC_LIT("\xFF.vcf") };
    const char *text = NULL;
    int64_t v = 0;
    begin(&s, true, MSG_PUT);
    out_start(&s.o);
    out_note(&s.o, "not seen with --json");
    out_line(&s.o, "nor this");
    out_warn(&s.o, MSG_W_CLOUDS, NULL, "cloud %s is late", "c1");
    if (rc != QC_OK)
        qc_err_set(&err, rc, QC_HERE, "why \xFE");
    out_object(&s.o, rc, &about, &err);
    struct out_end e = { .rc = rc, .err = &err, .about = about, .told = true };
    CHECK(out_finish(&s.o, &e) == status);
    end(&s);
    CHECK(s.talk_n == 0);
    parse_lines(s.data, s.data_n, &last);
    CHECK_OK(qc_json_str(last, "type", &text, &err));
    CHECK(strcmp(text, type) == 0);
    CHECK_OK(qc_json_int(last, "exit", 0, 255, &v, &err));
    CHECK(v == status);
    CHECK(strstr(s.data, "\"type\":\"start\"") != NULL && strstr(s.data, "\"type\":\"warning\"") != NULL);
    if (rc != QC_OK) {
        CHECK(strstr(s.data, "\"name_b64\":\"_y52Y2Y\"") != NULL);
        CHECK(strstr(s.data, "not seen") == NULL && strstr(s.data, "nor this") == NULL);
    }
    done(&s);
}

/* What one failure says to run next, in JSON or for a shell. */
static void next_of(bool json, qc_rc rc, const struct msg_about *about, int argc, char *const *argv,
                    const char *want)
{
    struct shown s;
    struct qc_err err = { 0 };
    begin(&s, json, about->range.was != NULL ? MSG_GET : MSG_PUT);
    out_called(&s.o, argc, argv);
    qc_err_set(&err, rc, QC_HERE, "why");
    out_object(&s.o, rc, about, &err);
    end(&s);
    const char *text = json ? s.data : s.talk;
    if (strstr(text, want) == NULL)
        fprintf(stderr, "'%s' is not in: %s\n", want, text);
    CHECK(strstr(text, want) != NULL);
    CHECK((strstr(text, "\"kept\"") != NULL) == (json && about->kept > 0));
    done(&s);
}

/* The same command again, as it was given; with another part, where that one is not there. */
static void check_again(void)
{
    char *many[QC_CLIENT_AGAIN_MAX + 1];
    char *put[] = { (char[]){ "/bin/qcloud" }, (char[]){ "put" }, (char[]){ "a b" } };
    char *odd[] = { (char[]){ "qcloud" }, (char[]){ "put" }, (char[]){ "\xFF" } };
    char *get[] = { (char[]){ "qcloud" }, (char[]){ "get" }, (char[]){ "--range" }, (char[]){ "7-9" },
                    (char[]){ "a b" } };
    char *cat[] = { (char[]){ "qcloud" }, (char[]){ "cat" }, (char[]){ "--range=7-9" }, (char[]){ "7-9" } };
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
        many[i] = put[1];
    const struct msg_about plain = { .name = QC_LIT("x") }, left = { .name = QC_LIT("x"), .kept = 16 };
    next_of(true, QC_CANCELLED, &plain, 3, put, "\"next\":[[\"qcloud\",\"put\",\"a b\"]]");
    next_of(true, QC_CANCELLED, &left, 3, put, "\"kept\":16,\"next\":[[\"qcloud\",\"put\",\"a b\"]]");
    next_of(true, QC_TEMP, &left, 3, put, "\"next\":[[\"qcloud\",\"status\"],[\"qcloud\",\"put\",\"a b\"]]");
    next_of(true, QC_TEMP, &plain, 3, put, "\"next\":[[\"qcloud\",\"status\"]]");
    next_of(true, QC_CANCELLED, &left, 3, odd, "\"next\":[]");
    next_of(true, QC_CANCELLED, &left, QC_CLIENT_AGAIN_MAX + 1, many, "\"next\":[]");
    const struct msg_about at = { .name = QC_LIT("x"), .range = { get[3], "0-4" } };
    const struct msg_about in = { .name = QC_LIT("x"), .range = { cat[2] + 8, "0-4" } };
    next_of(true, QC_USAGE, &at, 5, get, "\"next\":[[\"qcloud\",\"get\",\"--range\",\"0-4\",\"a b\"]]");
    next_of(false, QC_USAGE, &at, 5, get, "  next: qcloud get --range 0-4 'a b'\n");
    next_of(false, QC_USAGE, &in, 4, cat, "  next: qcloud cat --range=0-4 7-9\n");
    next_of(false, QC_USAGE, &in, QC_CLIENT_AGAIN_MAX + 1, many, "the same command with --range 0-4\n");
}

static void check_full_output(void)
{
    struct qc_err err = { 0 };
    struct out o;
    out_init(&o, "ls", MSG_LIST);
    QC_CLEANUP(qc_json_free) struct json_t *none = NULL;
    FILE *full = fopen("/dev/full", "w");
    FILE *quiet = fopen("/dev/null", "w");
    CHECK(full != NULL && quiet != NULL);
    o.data = o.json_to = full;
    o.talk = quiet;
    out_line(&o, "data that does not arrive");
    struct out_end e = { .rc = QC_OK, .err = &err };
    CHECK(out_finish(&o, &e) == 1);
    fclose(full);
    fclose(quiet);
}

static void check_degraded(void)
{
    struct shown s;
    struct qc_err err = { 0 };
    begin(&s, false, MSG_PUT);
    qc_err_set(&err, QC_DEGRADED, QC_HERE, "stored 'x' v1 on 4 of 5 clouds");
    struct msg_about about = { .name = QC_LIT("x") };
    out_object(&s.o, QC_DEGRADED, &about, &err);
    struct out_end e = { .rc = QC_DEGRADED, .err = &err, .about = about, .told = true, .degraded_ok = true };
    CHECK(out_finish(&s.o, &e) == 0);
    end(&s);
    CHECK(starts(s.talk, "qcloud: E0401 stored 'x' v1 on 4 of 5 clouds\n"));
    done(&s);
}

/* A code has a colour, and nothing else. */
static void check_color(void)
{
    struct shown s;
    struct qc_err err = { 0 };
    begin(&s, false, MSG_GET);
    s.o.color = true;
    qc_err_set(&err, QC_QUORUM, QC_HERE, "2 of 5");
    struct out_end e = { .rc = QC_QUORUM, .err = &err };
    out_warn(&s.o, MSG_W_OTHER, NULL, "\033[2Jx");
    CHECK(out_finish(&s.o, &e) == 6);
    end(&s);
    CHECK(starts(s.talk, "\033[1;33mqcloud: warning W0410\033[0m \\x1b[2Jx\n  data: "));
    CHECK(strstr(s.talk, "\n\033[1;31mqcloud: E0601\033[0m cannot read: 2 of 5\n  data: ") != NULL);
    unsigned marks = 0;
    for (const char *at = s.talk; (at = strchr(at, '\033')) != NULL; at++)
        marks++;
    CHECK(marks == 4);
    done(&s);
}

/* Each line with its time and process; the same with --json; what is not said is not there. */
static void check_log(bool json)
{
    struct shown s;
    struct qc_err err = { 0 };
    char path[] = "/tmp/qc-out-XXXXXX", text[4096] = "";
    int fd = mkstemp(path);
    struct out_log log = { .file = qc_fd_own(fd), .path = path };
    CHECK(fd >= 0 && unlink(path) == 0);
    begin(&s, json, MSG_GET);
    s.o.log = &log;
    out_note(&s.o, "a note");
    out_reason(&s.o, "a reason");
    qc_err_set(&err, QC_QUORUM, QC_HERE, "2 of 5");
    struct out_end e = { .rc = QC_QUORUM, .err = &err };
    CHECK(out_finish(&s.o, &e) == 6);
    end(&s);
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    CHECK(n > 0 && text[n - 1] == '\n');
    unsigned lines = 0;
    char pid[32];
    (void)snprintf(pid, sizeof pid, "Z [%ld] ", (long)getpid());
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        CHECK(at[4] == '-' && at[10] == 'T' && strncmp(at + 19, pid, strlen(pid)) == 0);
        lines++;
    }
    CHECK((strstr(text, "] qcloud: a note\n") != NULL) == !json && strstr(text, "a reason") == NULL);
    CHECK(strstr(text, "] qcloud: E0601 cannot read: 2 of 5\n") != NULL &&
          strstr(text, "]   next: ") != NULL);
    CHECK(lines >= (json ? 3U : 4U) && !log.failed);
    qc_fd_close(&log.file);
    done(&s);
}

/* One that cannot be written is told of, once, and stops nothing. */
static void check_full_log(void)
{
    struct shown s;
    struct out_log log = { .path = "the log" };
    struct qc_err err = { 0 };
    CHECK_OK(qc_open_at(&log.file, AT_FDCWD, "/dev/full", O_WRONLY, 0, &err));
    begin(&s, false, MSG_GET);
    s.o.log = &log;
    out_note(&s.o, "a note");
    struct out_end e = { .rc = QC_OK, .err = &err };
    CHECK(out_finish(&s.o, &e) == 0);
    end(&s);
    CHECK(strstr(s.talk, "qcloud: a note\nqcloud: warning W04") != NULL);
    CHECK(strstr(s.talk, "not all messages could be written to the log") != NULL);
    qc_fd_close(&log.file);
    done(&s);
}

int main(void)
{
    check_error_text();
    check_name_once();
    check_json(QC_OK, "result", 0);
    check_json(QC_DEGRADED, "result", 4);
    check_json(QC_INTEGRITY, "error", 8);
    check_json(QC_CANCELLED, "error", 130);
    check_again();
    check_full_output();
    check_degraded();
    check_color();
    check_log(false);
    check_log(true);
    check_full_log();
    return 0;
}
