/* What lies in the directories: every regular file, told by its first bytes and not by its name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "salvage.h"

struct walk {
    struct salvage *s;
    unsigned source;
    char path[QC_SALVAGE_PATH_MAX]; /* of the directory in hand, beneath the source */
};

/* Reading leaves no mark where the system lets us: a source may be evidence. */
static qc_rc open_quietly(int dirfd, const char *name, struct qc_fd *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

    if (qc_open_at(ret, dirfd, name, flags | O_NOATIME, 0, &why) == QC_OK)
        return QC_OK;
    return qc_open_at(ret, dirfd, name, flags, 0, err);
}

qc_rc salvage_open(const struct salvage *s, const struct found *f, struct qc_fd *ret, struct qc_err *err)
{
    char path[QC_SALVAGE_PATH_MAX];

    QC_ASSERT(f->source < s->source_count && f->path.n < sizeof path);
    memcpy(path, f->path.p, f->path.n);
    path[f->path.n] = '\0';
    return open_quietly(qc_fd_get(&s->dir[f->source]), path, ret, err);
}

bool salvage_ends(qc_rc rc)
{
    return rc == QC_NOMEM || rc == QC_CANCELLED || rc == QC_FULL || rc == QC_GENERAL;
}

/* The head of a fragment, if it has one that parses. */
static void read_head(int fd, uint8_t *first, size_t got, struct found *f)
{
    struct gw_frag_head h;
    struct qc_err why = { 0 };
    size_t head = got < 8 ? 0 : (size_t)qc_get_be(first + 6, 2);

    f->kind = FOUND_UNKNOWN;
    if (head > got && head <= GW_FRAG_HEAD_MAX && qc_pread_full(fd, first, head, 0, &got, &why) != QC_OK)
        return;
    if (head > got || gw_frag_head_parse(qc_span_of(first, head), &h, &why) != QC_OK ||
        h.segment_id > INT64_MAX)
        return;
    f->kind = FOUND_FRAGMENT;
    f->segment = h.segment_id;
    f->index = h.index;
    f->cloud = h.cloud_id;
    f->seq = h.seq;
    f->last = h.last;
    f->segment_size = h.segment_size;
    memcpy(f->object.b, h.object, sizeof f->object.b);
    memcpy(f->version.b, h.version, sizeof f->version.b);
}

static qc_rc classify(int fd, struct found *f, struct qc_err *err)
{
    static const struct {
        char magic[5];
        enum found_kind kind;
    } kinds[] = {
        { "QCLF", FOUND_FRAGMENT }, { "QCLL", FOUND_LOG }, { "QCLI", FOUND_IDENTITY },
        { "QCLR", FOUND_ROOT },     { "QCLC", FOUND_CUT },
    };
    uint8_t first[GW_FRAG_HEAD_MAX];
    size_t got = 0;

    f->kind = FOUND_UNKNOWN;
    QC_TRY(qc_pread_full(fd, first, GW_FRAG_HEAD_BYTES, 0, &got, err));
    for (size_t i = 0; got >= 4 && i < sizeof kinds / sizeof *kinds; i++)
        if (memcmp(first, kinds[i].magic, 4) == 0)
            f->kind = kinds[i].kind;
    if (f->kind == FOUND_FRAGMENT)
        read_head(fd, first, got, f);
    return QC_OK;
}

static void count(struct salvage *s, const struct found *f)
{
    s->counts.files++;
    s->counts.fragments += f->kind == FOUND_FRAGMENT;
    s->counts.logs += f->kind == FOUND_LOG;
    s->counts.foreign += f->kind == FOUND_UNKNOWN && f->digits[0] == '\0';
}

static qc_rc look_at(struct walk *w, int dirfd, const char *name, const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct found f = { .source = w->source, .path = qc_span_str(path) };
    struct qc_err why = { 0 };
    struct stat st;

    qc_rc rc = open_quietly(dirfd, name, &fd, &why);
    if (rc == QC_OK && fstat(qc_fd_get(&fd), &st) != 0)
        rc = QC_FAIL_OS(&why, "stat");
    if (rc == QC_OK && !S_ISREG(st.st_mode))
        return QC_OK;
    if (rc == QC_OK) {
        f.size = (uint64_t)st.st_size;
        digits_of(name, f.digits);
        rc = classify(qc_fd_get(&fd), &f, &why);
    }
    if (rc != QC_OK)
        return report_wrong(w->s, w->source, qc_span_str(path), err, "cannot be read: %s", why.msg);
    count(w->s, &f);
    if (f.kind == FOUND_UNKNOWN && f.digits[0] == '\0')
        return QC_OK;
    return index_add(w->s->ix, &f, err);
}

static qc_rc open_dir(int dirfd, const char *name, DIR **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };

    QC_TRY(qc_open_at(&fd, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err));
    *ret = fdopendir(qc_fd_get(&fd));
    if (*ret == NULL)
        return QC_FAIL_OS(err, "directory");
    fd = (struct qc_fd){ 0 }; /* the stream's now */
    return QC_OK;
}

static qc_rc walk_dir(struct walk *w, DIR *d, unsigned depth, struct qc_err *err);

static bool is_directory(int dirfd, const struct dirent *e)
{
    struct stat st;

    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static qc_rc walk_below(struct walk *w, int dirfd, const char *name, unsigned depth, struct qc_err *err)
{
    QC_CLEANUP(qc_list_close) DIR *d = NULL;
    struct qc_err why = { 0 };

    if (depth == QC_SALVAGE_DEPTH_MAX)
        return report_wrong(w->s, w->source, qc_span_str(w->path), err,
                            "more than %d directories deep: not looked at", QC_SALVAGE_DEPTH_MAX);
    if (open_dir(dirfd, name, &d, &why) != QC_OK)
        return report_wrong(w->s, w->source, qc_span_str(w->path), err, "cannot be read: %s", why.msg);
    return walk_dir(w, d, depth, err);
}

/* One name: w->path is lengthened by it and cut again. Names that begin with a dot are what a writer has not
 * finished. */
static qc_rc take_name(struct walk *w, int dirfd, const struct dirent *e, unsigned depth, struct qc_err *err)
{
    const size_t before = strlen(w->path), n = strlen(e->d_name);
    qc_rc rc = QC_OK;

    if (e->d_name[0] == '.')
        return QC_OK;
    if (before + 1 + n >= sizeof w->path)
        return report_wrong(w->s, w->source, qc_span_str(w->path), err, "holds a path that is too long");
    if (before > 0)
        w->path[before] = '/';
    memcpy(w->path + before + (before > 0), e->d_name, n + 1);
    if (is_directory(dirfd, e))
        rc = walk_below(w, dirfd, e->d_name, depth + 1, err);
    else
        rc = look_at(w, dirfd, e->d_name, w->path, err);
    w->path[before] = '\0';
    return rc;
}

static qc_rc walk_dir(struct walk *w, DIR *d, unsigned depth, struct qc_err *err)
{
    for (;;) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, w->s->cancel, "salvage", err));
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            return report_wrong(w->s, w->source, qc_span_str(w->path), err,
                                "cannot be read to its end: errno %d", errno);
        if (e == NULL)
            return QC_OK;
        QC_TRY(take_name(w, dirfd(d), e, depth, err));
        report_progress(w->s, "looking", w->s->counts.files, 0);
    }
}

qc_rc scan_sources(struct salvage *s, struct qc_err *err)
{
    QC_TRY(index_begin(s->ix, err));
    for (unsigned i = 0; i < s->source_count; i++) {
        QC_CLEANUP(qc_list_close) DIR *d = NULL;
        struct walk w = { .s = s, .source = i };
        QC_TRY_AS(qc_dir_open(&s->dir[i], s->source[i], err), err, "%s", s->source[i]);
        QC_TRY_AS(open_dir(qc_fd_get(&s->dir[i]), ".", &d, err), err, "%s", s->source[i]);
        QC_TRY(walk_dir(&w, d, 0, err));
    }
    return index_commit(s->ix, err);
}
