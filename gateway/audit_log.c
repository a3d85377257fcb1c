/* The audit log's file: going on where it was, appending, beginning another one, noting its end.
 *
 * A line is one write, whole or not there: what failed half-way is cut off again, and what a crash left
 * stands, with an end put behind it and a line that tells of it. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_internal.h"
#include "base/alloc.h"
#include "base/codec.h"
#include "base/limits.h"
#include "base/thread.h"

enum {
    SYNC_MS = 1000, /* lines are synced so long after they were written, at most */
    TIP_MS = 60000, /* and the end noted */
};

struct gw_audit {
    struct qc_fd dir;
    struct gw_audit_opts opts;
    uint64_t sync_ms, tip_ms; /* when they are due: gw_audit_tick's alone, */
    uint64_t tip;             /* and the line that was noted */
    pthread_mutex_t lock;     /* guards all below; a last lock */
    struct qc_fd fd;          /* empty: to be opened again */
    uint64_t size;            /* bytes of whole lines */
    uint64_t first;           /* number of the file's first line */
    uint64_t sequence;
    uint8_t hash[QC_SHA256_BYTES];
    bool dirty;
    uint64_t lost;  /* events, since the last line */
    int64_t lost_s; /* since when */
    uint64_t lost_ever;
};

/* -- files ----------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* audit-NNNNNNNNNNNNNNNN.log */
static bool number_of(const char *name, uint64_t *ret)
{
    char again[GW_AUDIT_NAME_MAX];
    qc_span s = strncmp(name, "audit-", 6) == 0 ? qc_span_str(name + 6) : (qc_span){ 0 };

    if (!qc_dec_take(&s, ret))
        return false;
    gw_audit_name(*ret, again);
    return strcmp(name, again) == 0;
}

static qc_rc add_number(uint64_t **v, size_t *count, size_t *room, uint64_t n, struct qc_err *err)
{
    if (*count == QC_GW_AUDIT_FILES_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d files of an audit log", QC_GW_AUDIT_FILES_MAX);
    if (*count == *room) {
        const size_t more = *room == 0 ? 64 : 2 * *room;
        uint64_t *grown = qc_realloc(*v, more * sizeof **v);
        if (grown == NULL)
            return QC_FAIL(err, QC_NOMEM, "files of an audit log");
        *v = grown;
        *room = more;
    }
    (*v)[(*count)++] = n;
    return QC_OK;
}

qc_rc gw_audit_files(int dirfd, uint64_t **ret, size_t *ret_count, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_free_ptr) uint64_t *v = NULL;
    size_t count = 0, room = 0;

    QC_TRY(qc_open_at(&fd, dirfd, ".", O_RDONLY | O_DIRECTORY, 0, err));
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(qc_fd_get(&fd));
    if (d == NULL)
        return QC_FAIL_OS(err, "directory of the audit log");
    (void)QC_STEAL(fd);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        uint64_t n;
        if (number_of(e->d_name, &n))
            QC_TRY(add_number(&v, &count, &room, n, err));
    }
    if (count > 0)
        qsort(v, count, sizeof *v, by_number);
    *ret = QC_STEAL(v);
    *ret_count = count;
    return QC_OK;
}

/* The end of a file. */
struct tail {
    uint64_t size; /* of all of it */
    bool is;       /* there is a last line: */
    struct gw_audit_line last;
    bool open;     /* without its end, which is all that a crash left out */
    uint64_t torn; /* bytes after it */
    uint8_t torn_hash[QC_SHA256_BYTES];
};

/* Where the line before `end` begins. */
static size_t line_before(qc_span s, size_t end)
{
    while (end > 0 && s.p[end - 1] != '\n')
        end--;
    return end;
}

/* What stands after the last whole line may be the next one, but for its end. */
static void take_open(struct tail *t, qc_span torn)
{
    static const uint8_t zeros[QC_SHA256_BYTES];
    struct gw_audit_line next;
    struct qc_err unused = { 0 };

    if (t->torn == 0 || gw_audit_line_parse(torn, &next, &unused) != QC_OK)
        return;
    if (next.sequence != (t->is ? t->last.sequence + 1 : 1) ||
        !qc_ct_eq(next.prev, t->is ? t->last.hash : zeros, sizeof next.prev))
        return;
    t->is = t->open = true;
    t->last = next;
    t->torn = 0;
}

/* QC_FORMAT, QC_INTEGRITY: it makes no sense. */
static qc_rc read_tail(int fd, struct tail *ret, struct qc_err *err)
{
    uint8_t buf[2 * QC_GW_AUDIT_LINE_MAX];
    struct tail t = { 0 };
    struct stat st;
    size_t n = 0;

    if (fstat(fd, &st) != 0)
        return QC_FAIL_OS(err, "audit log");
    t.size = (uint64_t)st.st_size;
    const size_t want = t.size < sizeof buf ? (size_t)t.size : sizeof buf;
    QC_TRY(qc_pread_full(fd, buf, want, t.size - want, &n, err));
    const qc_span s = qc_span_of(buf, n);
    const size_t end = line_before(s, n); /* of the last whole line, its end included */
    t.torn = n - end;
    if (t.torn >= QC_GW_AUDIT_LINE_MAX || (end == 0 && t.size > n))
        return QC_FAIL(err, QC_FORMAT, "no line at the end of the audit log");
    const qc_span torn = qc_span_from(s, end);
    if (t.torn > 0)
        QC_TRY(qc_sha256(&torn, 1, t.torn_hash, err));
    t.is = end > 0;
    if (t.is) {
        const size_t begin = line_before(s, end - 1);
        QC_TRY(gw_audit_line_parse(qc_span_sub(s, begin, end - 1 - begin), &t.last, err));
    }
    take_open(&t, torn);
    *ret = t;
    return QC_OK;
}

/* The number of a file's first line; `otherwise` where that cannot be said. */
static uint64_t first_of(int fd, uint64_t otherwise)
{
    uint8_t buf[QC_GW_AUDIT_LINE_MAX];
    struct gw_audit_line l;
    struct qc_err unused = { 0 };
    size_t n = 0;

    if (qc_pread_full(fd, buf, sizeof buf, 0, &n, &unused) != QC_OK)
        return otherwise;
    const uint8_t *end = memchr(buf, '\n', n);
    if (end == NULL || gw_audit_line_parse(qc_span_of(buf, (size_t)(end - buf)), &l, &unused) != QC_OK)
        return otherwise;
    return l.sequence;
}

/* -- appending, under the lock --------------------------------------------------------------------------- */

/* What may be there of it is cut off; where that is not possible, the file is opened again. */
static void take_back(struct gw_audit *a)
{
    if (ftruncate(qc_fd_get(&a->fd), (off_t)a->size) != 0)
        qc_fd_close(&a->fd);
}

static qc_rc write_line(struct gw_audit *a, const char *event, const struct qc_kv *pairs, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_AUDIT_LINE_MAX };
    static const struct qc_kv none[] = { { .kind = QC_KV_END } };
    struct gw_audit_line l = { .sequence = a->sequence + 1, .time_s = qc_wall_s() };

    (void)snprintf(l.event, sizeof l.event, "%s", event);
    memcpy(l.prev, a->hash, sizeof l.prev);
    qc_rc rc = gw_audit_line_make(&l, pairs, &text, err);
    if (rc == QC_LIMIT)
        rc = gw_audit_line_make(&l, none, &text, err);
    QC_TRY(rc);
    const qc_span s = qc_buf_span(&text);
    rc = qc_write_all(qc_fd_get(&a->fd), &s, 1, err);
    if (rc != QC_OK)
        take_back(a);
    QC_TRY(rc);
    a->sequence = l.sequence;
    memcpy(a->hash, l.hash, sizeof a->hash);
    a->size += s.n;
    a->dirty = true;
    return QC_OK;
}

/* An end behind what a crash left, and a line that tells of it. */
static qc_rc tell_torn(struct gw_audit *a, const struct tail *t, struct qc_err *err)
{
    char hex[2 * QC_SHA256_BYTES + 1];
    const qc_span end = QC_LIT("\n");

    qc_hex(qc_span_of(t->torn_hash, sizeof t->torn_hash), hex);
    qc_rc rc = qc_write_all(qc_fd_get(&a->fd), &end, 1, err);
    a->size = t->size + 1;
    const struct qc_kv pairs[] = { QC_U("bytes", t->torn), QC_S("sha256", hex), { .kind = QC_KV_END } };
    if (rc == QC_OK)
        rc = write_line(a, "torn", pairs, err);
    return rc;
}

/* The chain goes on from the last full file, where there is one. */
static qc_rc from_full(struct gw_audit *a, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) uint64_t *v = NULL;
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    char name[GW_AUDIT_NAME_MAX];
    struct tail t;
    size_t count = 0;

    QC_TRY(gw_audit_files(qc_fd_get(&a->dir), &v, &count, err));
    if (count == 0)
        return QC_OK;
    gw_audit_name(v[count - 1], name);
    QC_TRY(qc_open_at(&fd, qc_fd_get(&a->dir), name, O_RDONLY | O_NOFOLLOW, 0, err));
    QC_TRY_AS(read_tail(qc_fd_get(&fd), &t, err), err, "%s", name);
    if (t.is) {
        a->sequence = t.last.sequence;
        memcpy(a->hash, t.last.hash, sizeof a->hash);
    }
    return QC_OK;
}

static qc_rc open_file(struct gw_audit *a, struct qc_err *err)
{
    qc_fd_close(&a->fd);
    return qc_open_at(&a->fd, qc_fd_get(&a->dir), GW_AUDIT_FILE,
                      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600, err);
}

/* Its end makes no sense: a new chain begins, and what is there stays for whoever looks. */
static qc_rc set_aside(struct gw_audit *a, const struct qc_err *why, struct qc_err *err)
{
    char name[GW_AUDIT_NAME_MAX];

    (void)snprintf(name, sizeof name, "audit-broken-%" PRId64 ".log", qc_wall_s());
    QC_LOG(QC_LOG_ERROR, "the audit log's end makes no sense; it is set aside, and another begun",
           QC_S("as", name), QC_S("why", why->msg));
    if (renameat2(qc_fd_get(&a->dir), GW_AUDIT_FILE, qc_fd_get(&a->dir), name, RENAME_NOREPLACE) != 0)
        return QC_FAIL_OS(err, "%s", name);
    a->sequence = 0;
    memset(a->hash, 0, sizeof a->hash);
    return open_file(a, err);
}

static qc_rc resume(struct gw_audit *a, struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct tail t = { 0 };

    QC_TRY(open_file(a, err));
    qc_rc rc = read_tail(qc_fd_get(&a->fd), &t, &why);
    if (rc == QC_OK && !t.is && t.torn > 0) { /* nothing but the half of its first line */
        if (ftruncate(qc_fd_get(&a->fd), 0) != 0)
            return QC_FAIL_OS(err, "audit log");
        t = (struct tail){ 0 };
    }
    if (rc == QC_OK && !t.is)
        rc = from_full(a, &why);
    if (rc == QC_FORMAT || rc == QC_INTEGRITY) {
        QC_TRY(set_aside(a, &why, err));
        t = (struct tail){ 0 };
        rc = QC_OK;
    }
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (t.is) {
        a->sequence = t.last.sequence;
        memcpy(a->hash, t.last.hash, sizeof a->hash);
    }
    a->size = t.size - t.torn;
    a->first = first_of(qc_fd_get(&a->fd), a->sequence + 1);
    if (t.open) {
        const qc_span end = QC_LIT("\n");
        QC_TRY(qc_write_all(qc_fd_get(&a->fd), &end, 1, err));
        a->size++;
    }
    return t.torn > 0 ? tell_torn(a, &t, err) : QC_OK;
}

/* -- another file ---------------------------------------------------------------------------------------- */

/* The oldest go; a failure is another rotation's to repair. */
static void drop_old(struct gw_audit *a)
{
    QC_CLEANUP(qc_free_ptr) uint64_t *v = NULL;
    struct qc_err err = { 0 };
    size_t count = 0;

    if (a->opts.keep == 0 || gw_audit_files(qc_fd_get(&a->dir), &v, &count, &err) != QC_OK)
        return;
    for (size_t i = 0; i + a->opts.keep < count; i++) {
        char name[GW_AUDIT_NAME_MAX];
        gw_audit_name(v[i], name);
        const struct qc_kv pairs[] = { QC_S("file", name), { .kind = QC_KV_END } };
        if (write_line(a, "dropped", pairs, &err) == QC_OK) /* told first */
            (void)unlinkat(qc_fd_get(&a->dir), name, 0);
    }
}

static qc_rc rotate(struct gw_audit *a, struct qc_err *err)
{
    char name[GW_AUDIT_NAME_MAX];
    const int dir = qc_fd_get(&a->dir);

    gw_audit_name(a->first, name);
    QC_TRY(qc_sync(qc_fd_get(&a->fd), err));
    if (renameat2(dir, GW_AUDIT_FILE, dir, name, RENAME_NOREPLACE) != 0)
        return QC_FAIL_OS(err, "%s", name);
    a->size = 0;
    a->first = a->sequence + 1;
    QC_TRY(open_file(a, err));
    const struct qc_kv pairs[] = { QC_S("after", name), { .kind = QC_KV_END } };
    QC_TRY(write_line(a, "continued", pairs, err));
    QC_TRY(qc_dir_sync(dir, err));
    drop_old(a);
    return QC_OK;
}

/* -- the calls ------------------------------------------------------------------------------------------- */

/* How many events are missing, before the next one. */
static qc_rc tell_gap(struct gw_audit *a, struct qc_err *err)
{
    char since[QC_TIME_TEXT];

    qc_time_text(a->lost_s, since);
    const struct qc_kv pairs[] = { QC_U("lost", a->lost), QC_S("since", since), { .kind = QC_KV_END } };
    QC_TRY(write_line(a, "gap", pairs, err));
    a->lost = 0;
    return QC_OK;
}

/* The file is open, and its end known; or it is not open. */
static qc_rc go_on(struct gw_audit *a, struct qc_err *err)
{
    if (qc_fd_is(&a->fd))
        return QC_OK;
    const qc_rc rc = resume(a, err);
    if (rc != QC_OK)
        qc_fd_close(&a->fd);
    return rc;
}

static qc_rc note(struct gw_audit *a, const char *event, const struct qc_kv *pairs, struct qc_err *err)
{
    QC_TRY(go_on(a, err));
    if (a->size >= a->opts.rotate)
        QC_TRY(rotate(a, err));
    if (a->lost > 0)
        QC_TRY(tell_gap(a, err));
    return write_line(a, event, pairs, err);
}

void gw_audit_note(struct gw_audit *a, const char *event, const struct qc_kv *pairs)
{
    struct qc_err err = { 0 };

    if (a == NULL)
        return;
    QC_LOCK(&a->lock);
    if (note(a, event, pairs, &err) == QC_OK)
        return;
    if (a->lost == 0) { /* told once for each stretch of failures */
        a->lost_s = qc_wall_s();
        qc_log_err(QC_LOG_ERROR, "the audit log cannot be written; what happens is counted", &err);
    }
    a->lost++;
    a->lost_ever++;
}

qc_rc gw_audit_open(struct gw_audit **ret, int dirfd, const struct gw_audit_opts *opts, struct qc_err *err)
{
    QC_CLEANUP(gw_audit_close) struct gw_audit *a = qc_alloc(sizeof *a);

    if (a == NULL)
        return QC_FAIL(err, QC_NOMEM, "audit log");
    qc_mutex_init(&a->lock);
    a->opts = *opts;
    a->dir = qc_fd_own(fcntl(dirfd, F_DUPFD_CLOEXEC, 3));
    if (!qc_fd_is(&a->dir))
        return QC_FAIL(err, QC_TEMP, "no descriptor for the audit log");
    if (go_on(a, err) != QC_OK)
        qc_log_err(QC_LOG_ERROR, "the audit log cannot be opened; what happens is counted", err);
    *ret = QC_STEAL(a);
    return QC_OK;
}

/* What is to be synced, and the line that it ends with. */
static bool take_dirty(struct gw_audit *a, struct qc_fd *ret, struct gw_audit_head *head)
{
    QC_LOCK(&a->lock);

    head->sequence = a->sequence;
    memcpy(head->hash, a->hash, sizeof head->hash);
    if (!a->dirty || !qc_fd_is(&a->fd))
        return false;
    *ret = qc_fd_own(fcntl(qc_fd_get(&a->fd), F_DUPFD_CLOEXEC, 3)); /* another thread may begin a new file */
    a->dirty = !qc_fd_is(ret);
    return !a->dirty;
}

static qc_rc note_tip(const struct gw_audit *a, const struct gw_audit_head *head, struct qc_err *err)
{
    char hex[2 * QC_SHA256_BYTES + 1], text[GW_AUDIT_TIP_MAX + 1];

    qc_hex(qc_span_of(head->hash, sizeof head->hash), hex);
    (void)snprintf(text, sizeof text, "%" PRIu64 " %s\n", head->sequence, hex);
    const qc_span part = qc_span_str(text);
    return qc_file_write_atomic(qc_fd_get(&a->dir), GW_AUDIT_TIP, &part, 1, 0600, err);
}

static void settle(struct gw_audit *a, bool last)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct gw_audit_head head;
    struct qc_err err = { 0 };
    const uint64_t now = qc_now_ms();

    if (!last && now < a->sync_ms)
        return;
    a->sync_ms = now + SYNC_MS;
    if (take_dirty(a, &fd, &head) && qc_sync(qc_fd_get(&fd), &err) != QC_OK) {
        qc_log_err(QC_LOG_ERROR, "the audit log is not durable", &err);
        return;
    }
    if (head.sequence == a->tip || (!last && now < a->tip_ms))
        return;
    a->tip_ms = now + TIP_MS;
    if (note_tip(a, &head, &err) == QC_OK)
        a->tip = head.sequence;
    else
        qc_log_err(QC_LOG_ERROR, "the end of the audit log is not noted", &err);
}

void gw_audit_tick(struct gw_audit *a)
{
    if (a != NULL)
        settle(a, false);
}

void gw_audit_look(struct gw_audit *a, struct gw_audit_view *ret)
{
    QC_LOCK(&a->lock);

    *ret = (struct gw_audit_view){ .sequence = a->sequence, .lost = a->lost_ever, .failing = a->lost > 0 };
    memcpy(ret->hash, a->hash, sizeof ret->hash);
}

void gw_audit_close(struct gw_audit **ap)
{
    struct gw_audit *a = *ap;

    *ap = NULL;
    if (a == NULL)
        return;
    if (qc_fd_is(&a->fd))
        settle(a, true);
    qc_fd_close(&a->fd);
    qc_fd_close(&a->dir);
    qc_mutex_done(&a->lock);
    qc_free(a);
}
