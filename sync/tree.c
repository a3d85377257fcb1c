#include "sync/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { OWN_MAX = 8 };

struct walk {
    const struct sync_walk *w;
    struct {
        dev_t device;
        ino_t inode;
    } own[OWN_MAX]; /* of w->own, those that are there */
    size_t owns;
    struct sync_list *list;
    FTS *tree;
};

static void fts_free(FTS **tree)
{
    if (*tree != NULL)
        fts_close(*tree);
    *tree = NULL;
}

static qc_rc add(struct walk *k, qc_span path, const FTSENT *e, enum sync_kind kind, struct qc_err *err)
{
    struct sync_entry one = { .kind = kind, .os = kind == SYNC_SHUT ? e->fts_errno : 0 };
    if (kind <= SYNC_DIR) {
        one.st = sync_stat_of(e->fts_statp);
        one.has_mtime = one.has_mode = true;
        one.shared = kind == SYNC_FILE && e->fts_statp->st_nlink > 1;
    }
    return sync_list_add(k->list, path, &one, err);
}

static void find_own(struct walk *k)
{
    for (const char *const *own = k->w->own; own != NULL && *own != NULL; own++) {
        struct stat st;
        QC_ASSERT(k->owns < OWN_MAX);
        if (stat(*own, &st) != 0)
            continue;
        k->own[k->owns].device = st.st_dev;
        k->own[k->owns++].inode = st.st_ino;
    }
}

/* By what it is, whatever name leads to it. */
static bool is_own(const struct walk *k, const struct stat *st)
{
    for (size_t i = 0; i < k->owns; i++)
        if (k->own[i].device == st->st_dev && k->own[i].inode == st->st_ino)
            return true;
    return false;
}

/* What a folder says of what to leave out of it. What cannot be read ends the sync: it might be about what
 * nobody else shall see. */
static qc_rc read_ignore(struct walk *k, const char *dir, qc_span path, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_SYNC_IGNORE_FILE_MAX + 1 };
    const char *file = NULL;
    struct stat st;
    QC_TRY(qc_buf_addf(&name, err, "%s/" SYNC_IGNORE_FILE, dir));
    QC_TRY(qc_buf_cstr(&name, &file, err));
    if (lstat(file, &st) != 0 && (errno == ENOENT || errno == EACCES || errno == ENAMETOOLONG))
        return QC_OK; /* a folder that may not be entered is told by itself */
    QC_TRY(qc_path_read(file, O_NOFOLLOW | O_NONBLOCK, QC_SYNC_IGNORE_FILE_MAX + 1, &text, err));
    if (text.n > QC_SYNC_IGNORE_FILE_MAX)
        return QC_FAIL(err, QC_LIMIT, "%s is larger than %d bytes", file, QC_SYNC_IGNORE_FILE_MAX);
    QC_TRY_AS(sync_ignore_add_file(k->w->leave, path, qc_buf_span(&text), err), err, "%s", file);
    return QC_OK;
}

static qc_rc enter(struct walk *k, FTSENT *e, qc_span path, struct qc_err *err)
{
    const bool own = is_own(k, e->fts_statp);
    if (own && path.n == 0)
        return QC_FAIL(err, QC_USAGE, "%s is qcloud's own", k->w->dir);
    if (own || (path.n > 0 && sync_ignore_is_one(k->w->leave, path, true))) {
        if (fts_set(k->tree, e, FTS_SKIP) != 0)
            return QC_FAIL_OS(err, "%s", e->fts_path);
        return own ? add(k, path, e, SYNC_OWN, err) : QC_OK;
    }
    if (k->w->folder != NULL)
        k->w->folder(k->w->ctx, e->fts_path);
    return read_ignore(k, e->fts_path, path, err);
}

/* Behind all that it holds: one that may not be read comes another way. */
static qc_rc leave(struct walk *k, const FTSENT *e, qc_span path, struct qc_err *err)
{
    const bool skipped =
        path.n == 0 || is_own(k, e->fts_statp) || sync_ignore_is_one(k->w->leave, path, true);
    return skipped ? QC_OK : add(k, path, e, SYNC_DIR, err);
}

static qc_rc visit(struct walk *k, FTSENT *e, struct qc_err *err)
{
    qc_span path = qc_span_str(e->fts_path + strlen(k->w->dir));
    while (path.n > 0 && path.p[0] == '/')
        path = qc_span_from(path, 1);
    if (e->fts_info == FTS_D)
        return enter(k, e, path, err);
    if (e->fts_info == FTS_DP)
        return leave(k, e, path, err);
    const bool dir = e->fts_info == FTS_DNR || e->fts_info == FTS_DC;
    if (path.n == 0 && e->fts_errno != 0)
        return QC_FAIL_ERRNO(err, e->fts_errno, "%s", k->w->dir);
    if (path.n == 0)
        return QC_FAIL(err, QC_USAGE, "%s is no directory", k->w->dir);
    if (sync_ignore_is_one(k->w->leave, path, dir))
        return QC_OK;
    switch (e->fts_info) {
    case FTS_F:
        return add(k, path, e, SYNC_FILE, err);
    case FTS_SL:
    case FTS_SLNONE:
        return add(k, path, e, SYNC_LINK, err);
    case FTS_DEFAULT:
        return add(k, path, e, SYNC_SPECIAL, err);
    case FTS_NS:
        if (e->fts_errno == ENOENT) /* gone since its folder was read */
            return QC_OK;
        return add(k, path, e, SYNC_SHUT, err);
    default:
        return add(k, path, e, SYNC_SHUT, err);
    }
}

qc_rc sync_tree(const struct sync_walk *w, struct sync_list *ret, struct qc_err *err)
{
    QC_CLEANUP(sync_list_done) struct sync_list list = { 0 };
    QC_CLEANUP(fts_free) FTS *tree = NULL;
    char *const roots[] = { (char *)(uintptr_t)w->dir, NULL };
    tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL)
        return QC_FAIL_OS(err, "%s", w->dir);
    struct walk k = { .w = w, .list = &list, .tree = tree };
    find_own(&k);
    for (;;) {
        errno = 0;
        FTSENT *e = fts_read(tree);
        if (e == NULL && errno != 0)
            return QC_FAIL_OS(err, "%s", w->dir);
        if (e == NULL)
            break;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, w->cancel, "looking through the folder", err));
        QC_TRY(visit(&k, e, err));
        if (w->found != NULL)
            w->found(w->ctx, sync_list_count(&list));
    }
    sync_list_sort(&list);
    *ret = QC_STEAL(list);
    return QC_OK;
}
