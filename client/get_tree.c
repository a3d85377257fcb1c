/* get -r. Names come in their order, and of each what its get needs; folders are made at once, and get modes
 * and times when all is in them. */
#include "get.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "below.h"
#include "get_jobs.h"
#include "sites.h"
#include "sync/list.h"

/* A folder that was made: its mode and time come when all is in it. */
struct got_folder {
    size_t at, n, rest; /* its name in the names of all; of that, the end that lies below the directory */
    uint32_t mode;
    int64_t mtime_ns;
};

struct tree {
    struct get_run *run;
    qc_span prefix; /* without a slash behind it */
    const char *dir;
    struct get_jobs *jobs;
    qc_buf names, folders;
    bool any;
};

static void tree_done(struct tree *t)
{
    get_jobs_free(&t->jobs);
    qc_buf_free(&t->names);
    qc_buf_free(&t->folders);
}

static qc_rc note_folder(struct tree *t, const struct vault_stat *s, qc_span rest, struct qc_err *err)
{
    const struct got_folder f = { .at = t->names.n,
                                  .n = s->name.n,
                                  .rest = rest.n,
                                  .mode = s->mode,
                                  .mtime_ns = sync_time_ns(s->mtime_s, s->mtime_ns) };
    QC_CLEANUP(qc_fd_close) struct qc_fd folder = { 0 };
    QC_TRY(below_folder(t->dir, rest, &folder, err));
    QC_TRY(qc_buf_add(&t->names, qc_buf_span(&s->name), err));
    return qc_buf_add(&t->folders, qc_span_of(&f, sizeof(f)), err);
}

static qc_rc take(void *ctx, const struct vault_stat *s, qc_span found, struct qc_err *err)
{
    struct tree *t = ctx;
    struct get_run *run = t->run;
    const qc_span name = qc_buf_span(&s->name), p = t->prefix;
    struct get_what what = { .name = name, .rest = name, .size = s->size, .found = found };
    struct qc_err why = { 0 };
    if (!t->any)
        QC_TRY(client_make_dir(t->dir, err));
    t->any = true;
    if (!run->go_on)
        return QC_OK;
    if (qc_span_eq(name, p))
        what.rest = get_last_component(name);
    else if (p.n > 0 && name.n > p.n + 1)
        what.rest = qc_span_from(name, p.n + 1);
    if (!client_is_folder(s)) {
        get_jobs_add(t->jobs, &what);
        return QC_OK;
    }
    const qc_rc rc = qc_span_eq(name, p) ? QC_OK : note_folder(t, s, what.rest, &why);
    if (rc != QC_OK)
        run->go_on = get_told(run, rc, name, &why);
    return QC_OK;
}

static qc_rc take_shared(void *ctx, const struct vault_stat *s, unsigned sites, struct qc_err *err)
{
    (void)sites;
    return take(ctx, s, (qc_span){ 0 }, err);
}

static qc_rc take_all(struct tree *t, qc_span asked, struct qc_err *err)
{
    struct vault_call call = client_call(t->run->c);
    return t->run->sites != NULL ? sites_list(t->run->sites, asked, take_shared, t, err)
                                 : vault_find(t->run->c->vault, asked, take, t, &call, err);
}

/* A folder's path is longer than those of all that are above it. */
static int deepest_first(const void *a, const void *b)
{
    const struct got_folder *x = a, *y = b;
    return x->rest > y->rest ? -1 : x->rest < y->rest;
}

static qc_rc finish_folders(struct tree *t, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd root = { 0 };
    struct got_folder *v = (struct got_folder *)(void *)t->folders.p;
    const size_t n = t->folders.n / sizeof(*v);
    if (n == 0)
        return QC_OK;
    QC_TRY(qc_open_at(&root, AT_FDCWD, t->dir, O_PATH | O_DIRECTORY, 0, err));
    qsort(v, n, sizeof(*v), deepest_first);
    for (size_t i = 0; i < n; i++) {
        const qc_span name = qc_span_sub(qc_buf_span(&t->names), v[i].at, v[i].n);
        const qc_span rest = qc_span_from(name, v[i].n - v[i].rest);
        struct qc_err why = { 0 };
        struct stat st;
        const qc_rc rc = client_give_folder(qc_fd_get(&root), rest, &v[i].mode, &v[i].mtime_ns, &st, &why);
        if (rc != QC_OK)
            qc_ignore(get_told(t->run, rc, name, &why) ? QC_OK : rc, "the others are finished all the same");
    }
    return QC_OK;
}

qc_rc get_tree(struct get_run *run, const char *prefix, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(tree_done) struct tree t = { .run = run, .prefix = qc_span_str(prefix), .dir = dir };
    t.names.max = t.folders.max = QC_CLIENT_NAMES_MAX;
    while (t.prefix.n > 0 && t.prefix.p[t.prefix.n - 1] == '/')
        t.prefix.n--;
    /* A directory's name may end in a star, which alone would mean "all that begins so": then it keeps a
     * slash. */
    const qc_span p = t.prefix;
    const qc_span asked = p.n > 0 && p.p[p.n - 1] == '*' ? qc_span_str(prefix) : p;
    if (asked.n > 0 && asked.p[asked.n - 1] == '*')
        return QC_FAIL(err, QC_USAGE,
                       "-r wants a directory; one whose name ends in a star is written with a slash");
    if ((t.jobs = get_jobs_new(run, dir)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for files");
    const qc_rc rc = take_all(&t, asked, err);
    get_jobs_end(t.jobs);
    QC_TRY(rc);
    if (!t.any)
        return QC_FAIL(err, QC_NOTFOUND, "no object below that prefix");
    return finish_folders(&t, err);
}
