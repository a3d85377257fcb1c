#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"

/*  Keys in the order of their bytes, in bounded memory, from directories of any size
 *
 * A directory is read through once for each batch: of the names beyond the last one told, the
 * CLOUD_LIST_BATCH smallest are kept. A subdirectory sorts as its name with a '/' behind it, because that is
 * how its keys go on ("a-b" < "a/x" < "ab"). A level for each open directory of the walk; keys have at most
 * CLOUD_KEY_DEPTH_MAX components, so there are no more.
 */
struct name {
    char s[CLOUD_KEY_SIZE_MAX + 2]; /* a subdirectory's ends with '/' */
};

struct level {
    struct qc_fd dir;
    size_t path;        /* bytes of list.path that lead here, with the '/' */
    struct name *batch; /* 2 * CLOUD_LIST_BATCH, sorted up to count */
    size_t count;
    size_t next;      /* the next of the batch */
    bool last;        /* no names beyond this batch */
    struct name told; /* the last name of the batch before; "" at first */
};

struct list {
    const struct cloud_list_job *job;
    const struct cloud_op *op;
    struct level level[CLOUD_KEY_DEPTH_MAX];
    int depth;                             /* levels in use */
    char path[2 * CLOUD_KEY_SIZE_MAX + 4]; /* of the directory or key at hand */
    struct cloud_page page;
    bool full; /* limit reached */
};

static void list_free(struct list **l)
{
    if (*l == NULL)
        return;
    for (int i = 0; i < CLOUD_KEY_DEPTH_MAX; i++) {
        qc_fd_close(&(*l)->level[i].dir);
        qc_free((*l)->level[i].batch);
    }
    qc_free(*l);
    *l = NULL;
}

static int name_cmp(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->s, ((const struct name *)b)->s);
}

/* A key component of the right kind; *ret_sub: a directory. Others are not ours and are left out. */
static qc_rc entry_kind(int dir, const struct dirent *e, bool *ret_ours, bool *ret_sub, struct qc_err *err)
{
    *ret_ours = false;
    if (strlen(e->d_name) > CLOUD_KEY_SIZE_MAX || !cloud_key_ok(e->d_name))
        return QC_OK;
    unsigned char type = e->d_type;
    if (type == DT_UNKNOWN) {
        struct stat st;
        if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return errno == ENOENT ? QC_OK : FILE_FAIL(err, "stat of %s", e->d_name);
        type = S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
    }
    *ret_ours = type == DT_REG || type == DT_DIR;
    *ret_sub = type == DT_DIR;
    return QC_OK;
}

/* May keys that are, or begin with, `path` be told? `whole`: path is a key; else more follows it. */
static bool wanted(const struct cloud_list_query *q, const char *path, bool whole)
{
    size_t n = strlen(path);
    size_t prefix = strlen(q->prefix);
    if (strncmp(path, q->prefix, whole || n > prefix ? prefix : n) != 0)
        return false;
    if (whole)
        return strcmp(path, q->after) > 0;
    return strncmp(q->after, path, n) <= 0; /* below it lies something beyond `after` */
}

/* Sort what is in the batch and keep the smallest. */
static void level_trim(struct level *v)
{
    qsort(v->batch, v->count, sizeof v->batch[0], name_cmp);
    if (v->count > CLOUD_LIST_BATCH) {
        v->count = CLOUD_LIST_BATCH;
        v->last = false;
    }
}

static qc_rc level_take(struct list *l, struct level *v, const struct dirent *e, struct qc_err *err)
{
    bool ours = false;
    bool sub = false;
    QC_TRY(entry_kind(qc_fd_get(&v->dir), e, &ours, &sub, err));
    size_t n = strlen(e->d_name);
    /* A path too long for a key, or too deep, is not one of ours either. */
    if (!ours || v->path + n + (sub ? 1 : 0) > CLOUD_KEY_SIZE_MAX || (sub && l->depth == CLOUD_KEY_DEPTH_MAX))
        return QC_OK;
    struct name *to = &v->batch[v->count];
    memcpy(to->s, e->d_name, n);
    memcpy(to->s + n, sub ? "/" : "", sub ? 2 : 1);
    memcpy(l->path + v->path, to->s, n + 2);
    if (strcmp(to->s, v->told.s) <= 0 || !wanted(l->job->q, l->path, !sub))
        return QC_OK;
    if (++v->count == 2 * (size_t)CLOUD_LIST_BATCH)
        level_trim(v);
    return QC_OK;
}

/* Read the directory through and fill the batch with the next names. */
static qc_rc level_fill(struct list *l, struct level *v, struct qc_err *err)
{
    if (v->count > 0)
        v->told = v->batch[v->count - 1];
    v->count = v->next = 0;
    v->last = true;
    int fd = openat(qc_fd_get(&v->dir), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FILE_FAIL(err, "listing");
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(fd);
    if (d == NULL) {
        close(fd);
        return QC_FAIL(err, QC_NOMEM, "listing");
    }
    for (uint64_t i = 0;; i++) {
        if (i % CLOUD_LIST_BATCH == 0)
            QC_TRY(cloud_op_check(l->op, err));
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            return FILE_FAIL(err, "listing");
        if (e == NULL)
            break;
        QC_TRY(level_take(l, v, e, err));
    }
    level_trim(v);
    return QC_OK;
}

/* A new level for an open directory, to which the first `path` bytes of l->path lead. */
static qc_rc level_push(struct list *l, struct qc_fd *dir, size_t path, struct qc_err *err)
{
    QC_ASSERT(l->depth < CLOUD_KEY_DEPTH_MAX);
    struct level *v = &l->level[l->depth];
    if (v->batch ==
        NULL) /* not qc_alloc: most listings are short, and clearing it took longer than all else */
        v->batch = qc_realloc(NULL, 2 * (size_t)CLOUD_LIST_BATCH * sizeof v->batch[0]);
    if (v->batch == NULL)
        return QC_FAIL(err, QC_NOMEM, "listing");
    v->dir = QC_STEAL(*dir);
    v->path = path;
    v->count = v->next = 0;
    v->told.s[0] = '\0';
    l->depth++;
    return level_fill(l, v, err);
}

static void level_pop(struct list *l)
{
    QC_ASSERT(l->depth > 0);
    qc_fd_close(&l->level[--l->depth].dir);
}

/* The path at hand is a key: tell it. */
static qc_rc tell(struct list *l, const struct level *v, const char *leaf, struct qc_err *err)
{
    struct stat st;
    if (fstatat(qc_fd_get(&v->dir), leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? QC_OK : FILE_FAIL(err, "stat of %s", l->path); /* went meanwhile */
    if (!S_ISREG(st.st_mode))
        return QC_OK;
    if (l->page.count == l->job->q->limit) {
        l->full = true;
        return QC_OK;
    }
    struct cloud_item item = { .key = l->path, .size = (uint64_t)st.st_size };
    QC_TRY(l->job->fn(l->job->ctx, &item, err));
    l->page.count++;
    memcpy(l->page.last, l->path, strlen(l->path) + 1);
    return QC_OK;
}

/* One name of the deepest level. */
static qc_rc list_name(struct list *l, struct level *v, const char *name, struct qc_err *err)
{
    size_t n = strlen(name);
    memcpy(l->path + v->path, name, n + 1);
    if (name[n - 1] != '/')
        return tell(l, v, name, err);
    QC_TRY(cloud_op_check(l->op, err));
    int fd = openat(qc_fd_get(&v->dir), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                   ? QC_OK
                   : FILE_FAIL(err, "directory %s", l->path);
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = qc_fd_own(fd);
    return level_push(l, &dir, v->path + n, err);
}

static qc_rc list_walk(struct list *l, struct qc_err *err)
{
    while (l->depth > 0 && !l->full) {
        struct level *v = &l->level[l->depth - 1];
        if (v->next < v->count)
            QC_TRY(list_name(l, v, v->batch[v->next++].s, err));
        else if (v->last)
            level_pop(l);
        else
            QC_TRY(level_fill(l, v, err));
    }
    return QC_OK;
}

qc_rc file_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
                const struct cloud_op *op, struct qc_err *err)
{
    struct file_cloud *f = file_of(c);
    QC_TRY(file_here(f, err));
    QC_CLEANUP(list_free) struct list *l = qc_alloc(sizeof *l);
    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "listing");
    l->job = job;
    l->op = op;
    memcpy(l->page.last, job->q->after, strlen(job->q->after) + 1);
    int fd = fcntl(qc_fd_get(&f->dir), F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return FILE_FAIL(err, "listing");
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = qc_fd_own(fd);
    QC_TRY(level_push(l, &dir, 0, err));
    QC_TRY(list_walk(l, err));
    QC_TRY(file_here(f, err)); /* a list that ended early because the disk went away is not a list */
    l->page.more = l->full;
    *ret = l->page;
    return QC_OK;
}
