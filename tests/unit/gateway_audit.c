/* unit/gateway_audit: what is written verifies; whatever is done to it afterwards is found; crashes, full
 * disks and rotations leave one chain. */
#include "gateway/audit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

enum { THREADS = 4, EACH = 250, TEXT_MAX = 1 << 20 };

static const struct gw_audit_opts usual = { .rotate = QC_GW_AUDIT_ROTATE };
static char said[1024]; /* the last finding */

static void hear(void *ctx, const char *file, uint64_t line, const char *what)
{
    (void)ctx;
    (void)snprintf(said, sizeof said, "%s:%" PRIu64 ": %s", file, line, what);
}

/* A directory, and its descriptor. */
struct place {
    struct qc_tmpdir tmp;
    struct qc_fd dir;
};

static struct place place_new(void)
{
    struct place p = { .tmp = qc_tmpdir_new() };
    struct qc_err err = { 0 };

    CHECK_OK(qc_dir_open(&p.dir, p.tmp.path, &err));
    return p;
}

static void place_done(struct place *p)
{
    qc_fd_close(&p->dir);
    qc_tmpdir_remove(&p->tmp);
}

static struct gw_audit *open_log(const struct place *p, const struct gw_audit_opts *o)
{
    struct gw_audit *a = NULL;
    struct qc_err err = { 0 };

    CHECK_OK(gw_audit_open(&a, qc_fd_get(&p->dir), o, &err));
    return a;
}

static void note_some(struct gw_audit *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        GW_AUDIT(a, "put", QC_U("tenant", i), QC_S("vault", "00112233445566778899aabbccddeeff"),
                 QC_I("margin", -1));
}

/* All of a directory, with its noted end. */
static void look(const struct place *p, struct gw_audit_check *c)
{
    static struct gw_audit_head tip;
    QC_CLEANUP(qc_free_ptr) uint64_t *v = NULL;
    struct qc_err err = { 0 };
    char name[GW_AUDIT_NAME_MAX];
    bool found = false;
    size_t count = 0;

    CHECK_OK(gw_audit_tip_read(qc_fd_get(&p->dir), &tip, &found, &err));
    *c = (struct gw_audit_check){ .tell = hear, .heads = &tip, .head_count = found, .whole = true };
    said[0] = '\0';
    CHECK_OK(gw_audit_files(qc_fd_get(&p->dir), &v, &count, &err));
    for (size_t i = 0; i < count; i++) {
        gw_audit_name(v[i], name);
        CHECK_OK(gw_audit_check_file(c, qc_fd_get(&p->dir), name, &err));
    }
    CHECK_OK(gw_audit_check_file(c, qc_fd_get(&p->dir), GW_AUDIT_FILE, &err));
    gw_audit_check_end(c, GW_AUDIT_FILE);
}

static void whole(const struct place *p, uint64_t lines)
{
    struct gw_audit_check c;

    look(p, &c);
    if (c.findings > 0 || c.lines != lines)
        fprintf(stderr, "%s; %" PRIu64 " lines, expected %" PRIu64 "\n", said, c.lines, lines);
    CHECK(c.findings == 0 && c.lines == lines && c.last == lines);
}

static size_t read_file(const struct place *p, const char *name, char *text)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err err = { 0 };
    size_t n = 0;

    CHECK_OK(qc_open_at(&fd, qc_fd_get(&p->dir), name, O_RDONLY, 0, &err));
    CHECK_OK(qc_read_full(qc_fd_get(&fd), (uint8_t *)text, TEXT_MAX, &n, &err));
    text[n] = '\0';
    return n;
}

static void write_file(const struct place *p, const char *name, const char *text, size_t n)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err err = { 0 };
    const qc_span s = qc_span_of(text, n);

    CHECK_OK(qc_open_at(&fd, qc_fd_get(&p->dir), name, O_WRONLY | O_CREAT | O_TRUNC, 0600, &err));
    CHECK_OK(qc_write_all(qc_fd_get(&fd), &s, 1, &err));
}

/* -- lines ----------------------------------------------------------------------------------------------- */

static void lines(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_GW_AUDIT_LINE_MAX };
    struct gw_audit_line l = { .sequence = 77, .time_s = 1700000000, .event = "put" }, got;
    struct qc_err err = { 0 };
    const struct qc_kv pairs[] = { QC_S("why", "\"\\\x01\xff z\n"),
                                   QC_U("big", UINT64_MAX),
                                   QC_I("least", INT64_MIN),
                                   QC_S("none", NULL),
                                   { .kind = QC_KV_END } };

    CHECK_OK(gw_audit_line_make(&l, pairs, &b, &err));
    CHECK(b.p[b.n - 1] == '\n' && memchr(b.p, '\n', b.n - 1) == NULL);
    CHECK(strstr((const char *)b.p, "\\\"\\\\\\u0001\\u00ff z\\u000a") != NULL);
    const qc_span s = qc_span_of(b.p, b.n - 1);
    CHECK_OK(gw_audit_line_parse(s, &got, &err));
    CHECK(got.sequence == 77 && got.time_s == 1700000000 && strcmp(got.event, "put") == 0 && !got.torn);
    CHECK(memcmp(got.hash, l.hash, sizeof got.hash) == 0);
    for (size_t n = 0; n < s.n; n++)
        CHECK(gw_audit_line_parse(qc_span_sub(s, 0, n), &got, &err) != QC_OK);
    CHECK(gw_audit_line_parse(qc_span_of(b.p, b.n), &got, &err) != QC_OK);
    for (size_t i = 0; i < s.n; i++)
        for (unsigned bit = 0; bit < 8; bit += 3) {
            b.p[i] ^= (uint8_t)(1U << bit);
            CHECK(gw_audit_line_parse(s, &got, &err) != QC_OK);
            b.p[i] ^= (uint8_t)(1U << bit);
        }
}

/* -- what is done to a log afterwards -------------------------------------------------------------------- */

static void found(const struct place *p, const char *what, size_t at)
{
    struct gw_audit_check c;

    look(p, &c);
    if (c.findings == 0)
        fprintf(stderr, "not found: %s %zu\n", what, at);
    CHECK(c.findings > 0);
}

/* Begin and size of line i, its end included. */
static const char *line_at(const char *text, unsigned i, size_t *n)
{
    while (i-- > 0)
        text = strchr(text, '\n') + 1;
    *n = (size_t)(strchr(text, '\n') - text) + 1;
    return text;
}

static void tamper(void)
{
    enum { LINES = 8 };
    struct place p = place_new();
    struct gw_audit *a = open_log(&p, &usual);
    char *text = malloc(TEXT_MAX + 1), *other = malloc(TEXT_MAX + 1);

    CHECK(text != NULL && other != NULL);
    note_some(a, LINES);
    gw_audit_close(&a);
    whole(&p, LINES);
    const size_t n = read_file(&p, GW_AUDIT_FILE, text);
    for (size_t i = 0; i < n; i += 5) { /* a byte is another */
        memcpy(other, text, n);
        other[i] ^= 1;
        write_file(&p, GW_AUDIT_FILE, other, n);
        found(&p, "byte", i);
    }
    for (size_t i = 0; i < n; i += 7) { /* the end is missing */
        write_file(&p, GW_AUDIT_FILE, text, i);
        found(&p, "cut", i);
    }
    for (unsigned i = 0; i < LINES; i++) {
        size_t size, next = 0;
        const char *line = line_at(text, i, &size);
        const size_t before = (size_t)(line - text);
        /* a line is missing */
        memcpy(other, text, before);
        memcpy(other + before, line + size, n - before - size);
        write_file(&p, GW_AUDIT_FILE, other, n - size);
        found(&p, "missing", i);
        /* is there twice */
        memcpy(other, text, before + size);
        memcpy(other + before + size, line, n - before);
        write_file(&p, GW_AUDIT_FILE, other, n + size);
        found(&p, "twice", i);
        /* two are exchanged */
        if (i + 1 == LINES)
            continue;
        (void)line_at(text, i + 1, &next);
        memcpy(other, text, n);
        memcpy(other + before, line + size, next);
        memcpy(other + before + next, line, size);
        write_file(&p, GW_AUDIT_FILE, other, n);
        found(&p, "exchanged", i);
    }
    /* all of it is another log, made by the same program */
    struct place q = place_new();
    a = open_log(&q, &usual);
    note_some(a, LINES + 1);
    gw_audit_close(&a);
    const size_t m = read_file(&q, GW_AUDIT_FILE, other);
    other[m] = '\0';
    whole(&q, LINES + 1);
    /* lines of another second have other hashes */
    const char *at = strstr(other, "\"time\":\"");
    if (memcmp(at, strstr(text, "\"time\":\""), 28) != 0) {
        write_file(&p, GW_AUDIT_FILE, other, m);
        found(&p, "another log", 0);
    }
    write_file(&p, GW_AUDIT_FILE, text, n);
    whole(&p, LINES);
    free(text);
    free(other);
    place_done(&p);
    place_done(&q);
}

/* Lines that were made anew from some place on, chained as they should be: the noted end tells. */
static void forged(void)
{
    struct place p = place_new(), q = place_new();
    struct gw_audit *a = open_log(&p, &usual);
    char *text = malloc(TEXT_MAX + 1);
    struct gw_audit_check c;
    size_t n;

    CHECK(text != NULL);
    note_some(a, 3);
    gw_audit_close(&a);
    n = read_file(&p, GW_AUDIT_FILE, text);
    write_file(&q, GW_AUDIT_FILE, text, n);
    a = open_log(&q, &usual); /* goes on after line 3, otherwise */
    GW_AUDIT(a, "rm", QC_U("number", 1));
    gw_audit_close(&a);
    a = open_log(&p, &usual);
    note_some(a, 1);
    gw_audit_close(&a);
    n = read_file(&q, GW_AUDIT_FILE, text);
    write_file(&p, GW_AUDIT_FILE, text, n);
    look(&p, &c);
    CHECK(c.findings == 1 && strstr(said, "line 4 of the log is not the one that was noted") != NULL);
    free(text);
    place_done(&p);
    place_done(&q);
}

/* -- going on -------------------------------------------------------------------------------------------- */

static void crashes(void)
{
    struct place p = place_new();
    struct gw_audit *a = open_log(&p, &usual);
    char *text = malloc(TEXT_MAX + 1);
    struct gw_audit_check c;
    uint64_t want = 3;

    CHECK(text != NULL);
    note_some(a, 3);
    gw_audit_close(&a);
    for (size_t cut = 1; cut < 400; cut += 57, want += 2) { /* the half of a line that was on its way */
        const size_t n = read_file(&p, GW_AUDIT_FILE, text);
        size_t size;
        const char *line = line_at(text, 0, &size);
        memmove(text + n, line, cut < size - 2 ? cut : size - 2);
        write_file(&p, GW_AUDIT_FILE, text, n + (cut < size - 2 ? cut : size - 2));
        look(&p, &c);
        CHECK(c.findings > 0);
        a = open_log(&p, &usual);
        note_some(a, 1);
        gw_audit_close(&a);
        whole(&p, want + 2);
    }
    look(&p, &c);
    CHECK(c.torn > 3);
    /* nothing but its end is missing */
    write_file(&p, GW_AUDIT_FILE, text, read_file(&p, GW_AUDIT_FILE, text) - 1);
    a = open_log(&p, &usual);
    note_some(a, 1);
    gw_audit_close(&a);
    whole(&p, ++want);
    /* between the renaming of a full file and the next one */
    CHECK(renameat(qc_fd_get(&p.dir), GW_AUDIT_FILE, qc_fd_get(&p.dir), "audit-0000000000000001.log") == 0);
    a = open_log(&p, &usual);
    note_some(a, 1);
    gw_audit_close(&a);
    whole(&p, want + 1);
    free(text);
    place_done(&p);
}

/* An end that makes no sense is kept, and another log begun. */
static void nonsense(void)
{
    struct place p = place_new();
    struct gw_audit *a = open_log(&p, &usual);
    char *text = malloc(TEXT_MAX + 1);

    CHECK(text != NULL);
    note_some(a, 2);
    gw_audit_close(&a);
    const size_t n = read_file(&p, GW_AUDIT_FILE, text);
    memcpy(text + n, "nonsense\n", 9);
    write_file(&p, GW_AUDIT_FILE, text, n + 9);
    a = open_log(&p, &usual);
    note_some(a, 1);
    struct gw_audit_view v;
    gw_audit_look(a, &v);
    CHECK(v.sequence == 1 && v.lost == 0 && !v.failing);
    gw_audit_close(&a);
    whole(&p, 1);
    free(text);
    place_done(&p);
}

static void rotations(void)
{
    const struct gw_audit_opts small = { .rotate = 2000, .keep = 3 };
    const struct gw_audit_opts all = { .rotate = 2000 };
    struct place p = place_new(), q = place_new();
    struct gw_audit *a = open_log(&p, &all), *b = open_log(&q, &small);
    struct qc_err err = { 0 };
    struct gw_audit_check c;
    struct gw_audit_view v;
    uint64_t *files = NULL;
    size_t count = 0;
    char name[GW_AUDIT_NAME_MAX];

    note_some(a, 100);
    gw_audit_look(a, &v);
    gw_audit_close(&a);
    whole(&p, v.sequence);
    CHECK_OK(gw_audit_files(qc_fd_get(&p.dir), &files, &count, &err));
    CHECK(count > 5 && files[0] == 1);
    gw_audit_name(files[2], name);
    qc_free(files);
    CHECK(renameat(qc_fd_get(&p.dir), name, qc_fd_get(&p.dir), "elsewhere") == 0);
    look(&p, &c);
    CHECK(c.findings == 1 && strstr(said, "are missing before this one") != NULL);
    CHECK(renameat(qc_fd_get(&p.dir), "elsewhere", qc_fd_get(&p.dir), name) == 0);
    CHECK(unlinkat(qc_fd_get(&p.dir), "audit-0000000000000001.log", 0) == 0);
    look(&p, &c);
    CHECK(c.findings == 1 && strstr(said, "at its beginning") != NULL);

    note_some(b, 100);
    gw_audit_close(&b);
    files = NULL;
    CHECK_OK(gw_audit_files(qc_fd_get(&q.dir), &files, &count, &err));
    CHECK(count == 3);
    qc_free(files);
    look(&q, &c);
    CHECK(c.findings == 0 && c.first > 1 && c.dropped);
    place_done(&p);
    place_done(&q);
}

/* A disk that takes no more: storing goes on, what is missing is counted, and told when there is room. */
static void full(void)
{
    struct place p = place_new();
    struct gw_audit *a = open_log(&p, &usual);
    struct gw_audit_view v;
    struct rlimit before, now;
    struct stat st;

    note_some(a, 4);
    CHECK(fstatat(qc_fd_get(&p.dir), GW_AUDIT_FILE, &st, 0) == 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    now = before;
    now.rlim_cur = (rlim_t)st.st_size + 50; /* the half of a line */
    CHECK(setrlimit(RLIMIT_FSIZE, &now) == 0);
    note_some(a, 5);
    gw_audit_look(a, &v);
    CHECK(v.sequence == 4 && v.lost == 5 && v.failing);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    note_some(a, 1);
    gw_audit_look(a, &v);
    CHECK(v.sequence == 6 && v.lost == 5 && !v.failing);
    gw_audit_close(&a);
    whole(&p, 6);
    char *text = malloc(TEXT_MAX + 1);
    CHECK(text != NULL);
    (void)read_file(&p, GW_AUDIT_FILE, text);
    CHECK(strstr(text, "\"event\":\"gap\",\"lost\":5,\"since\":\"20") != NULL);
    free(text);
    place_done(&p);
}

static void *note_many(void *arg)
{
    note_some(arg, EACH);
    return NULL;
}

static void threads(void)
{
    const struct gw_audit_opts small = { .rotate = 65536 };
    struct place p = place_new();
    struct gw_audit *a = open_log(&p, &small);
    struct gw_audit_view v;
    pthread_t t[THREADS];

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, note_many, a) == 0);
    for (int i = 0; i < 50; i++)
        gw_audit_tick(a);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    gw_audit_look(a, &v);
    CHECK(v.sequence > THREADS * EACH);
    gw_audit_close(&a);
    whole(&p, v.sequence);
    gw_audit_note(NULL, "nothing", NULL);
    gw_audit_tick(NULL);
    place_done(&p);
}

int main(void)
{
    qc_log_setup(STDERR_FILENO, QC_LOG_NONE, false);
    lines();
    tamper();
    forged();
    crashes();
    nonsense();
    rotations();
    full();
    threads();
    return 0;
}
