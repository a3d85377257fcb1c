/* get, cat: objects become files, a tree, or bytes on standard output; all of them, or a part of one. */
#include "listing.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "profile.h"
#include "progress.h"
#include "side.h"
#include "sites.h"
#include "sync/list.h"
#include "text.h"
#include "vault/sink_file.h"

struct get_run {
    struct client *c;
    struct sites *sites; /* of a profile that has three; or NULL */
    struct vault_get_opts opts;
    bool part;          /* opts says which */
    struct which which; /* not given: the current version */
    bool force, silent, sparse;
    qc_rc worst;
    bool go_on;
    struct side *side; /* of --jobs; NULL: one after the other */
};

static qc_rc item_json(const struct get_run *run, const struct vault_got *got, const char *file,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct vault_stat *s = &got->what;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&s->name), err));
    QC_TRY(qc_json_set_int(j, "exit", 0, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(s->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)s->number, err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)s->size, err));
    if (run->part) {
        QC_TRY(qc_json_set_int(j, "first", (int64_t)got->part.offset, err));
        QC_TRY(qc_json_set_int(j, "bytes", (int64_t)got->part.size, err));
    }
    if (got->left > 0)
        QC_TRY(qc_json_set_int(j, "kept", (int64_t)got->kept, err));
    QC_TRY(qc_json_set_int(j, "fetched", (int64_t)got->fetched, err));
    if (file != NULL)
        QC_TRY(text_json(j, "file", qc_span_str(file), err));
    return out_json(&run->c->out, &j, err);
}

/* "1.5 GiB", "512 B from 4096 on, of 1.5 GiB". */
static qc_rc add_amount(const struct get_run *run, const struct vault_got *got, qc_buf *line,
                        struct qc_err *err)
{
    char size[TEXT_SIZE], part[TEXT_SIZE];
    text_size(got->what.size, size);
    text_size(got->part.size, part);
    return run->part
               ? qc_buf_addf(line, err, ": %s from byte %" PRIu64 " on, of %s", part, got->part.offset, size)
               : qc_buf_addf(line, err, ": %s", size);
}

static qc_rc tell(const struct get_run *run, qc_span name, const struct vault_got *got, const char *file,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(text_quote(name, &line, err));
    if (run->which.given) {
        char when[LISTING_TIME];
        listing_time(vault_stat_stored(&got->what), when);
        QC_TRY(qc_buf_addf(&line, err, " v%" PRIu64 " of %s", got->what.number, when));
    }
    if (file != NULL) {
        QC_TRY(qc_buf_add_str(&line, " to ", err));
        QC_TRY(text_quote(qc_span_str(file), &line, err));
    }
    QC_TRY(add_amount(run, got, &line, err));
    out_note(&run->c->out, "got %.*s, every byte verified", (int)line.n, (const char *)line.p);
    return QC_OK;
}

static qc_rc get_into(struct get_run *run, qc_span name, const struct vault_sink *sink, const char *file,
                      struct qc_err *err)
{
    struct client *c = run->c;
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    struct progress p;
    if (run->sites != NULL)
        return sites_get(run->sites, name, sink, file, err);
    struct vault_call call = client_call_shown(c, &p, name, "verified", true);
    qc_rc rc = vault_get_part(c->vault, name, &run->opts, sink, &call, &got, err);
    progress_end(&p);
    QC_TRY(rc);
    QC_TRY(item_json(run, &got, file, err));
    return run->silent ? QC_OK : tell(run, name, &got, file, err);
}

static bool told(struct get_run *run, qc_rc rc, qc_span name, const struct qc_err *why)
{
    return run->sites != NULL ? sites_object(run->sites, rc, name, why, &run->worst)
                              : client_object(run->c, rc, name, why, &run->worst);
}

static void tell_kept(void *ctx, const char *part, uint64_t kept)
{
    struct out *o = ctx;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };
    char size[TEXT_SIZE];
    text_size(kept, size);
    qc_ignore(text_quote(qc_span_str(part), &shown, &why), "then without its name");
    if (kept > 0)
        out_note(o, "going on with %.*s: %s of it are verified", (int)shown.n, (const char *)shown.p, size);
    else
        out_note(o, "%.*s, which an interrupted get left, is of no use for this version: begun anew",
                 (int)shown.n, (const char *)shown.p);
}

/* Where the same command again may well succeed, what is there stays. */
static void leave(struct get_run *run, struct vault_sink_file *f, qc_rc rc)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };
    uint64_t bytes = 0;
    char size[TEXT_SIZE];
    if (rc != QC_CANCELLED && !qc_rc_retry(rc))
        return;
    const char *part = vault_sink_file_leave(f, &bytes);
    if (part == NULL)
        return;
    text_size(bytes, size);
    qc_ignore(text_quote(qc_span_str(part), &shown, &why), "then without its name");
    out_note(&run->c->out, "%.*s stays, with %s: the same command goes on from there", (int)shown.n,
             (const char *)shown.p, size);
}

static qc_rc get_file_as(struct get_run *run, qc_span name, const char *path, struct qc_err *err)
{
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
    QC_TRY(vault_sink_file_new(&f, path, run->force, err));
    if (run->part)
        QC_TRY(vault_sink_file_range(f, err));
    vault_sink_file_tell(f, tell_kept, &run->c->out);
    if (!run->part)
        vault_sink_file_links(f);
    if (run->sparse)
        vault_sink_file_sparse(f);
    const qc_rc rc = get_into(run, name, vault_sink_file_sink(f), path, err);
    if (rc != QC_OK && run->sites == NULL && !run->part)
        leave(run, f, rc);
    return rc != QC_OK ? rc : client_gave_all(f, path, err);
}

static void get_file(struct get_run *run, qc_span name, const char *path)
{
    struct qc_err why = { 0 };
    qc_rc rc = get_file_as(run, name, path, &why);
    run->go_on = told(run, rc, name, &why);
}

static qc_rc get_stdout(struct get_run *run, qc_span name)
{
    int fd = STDOUT_FILENO;
    struct qc_err why = { 0 };
    struct vault_sink sink = vault_sink_fd(&fd);
    qc_rc rc = get_into(run, name, &sink, NULL, &why);
    run->go_on = told(run, rc, name, &why);
    return rc;
}

/* Nothing is written through a symbolic link that stands below the folder, whoever has put it there: it may
 * lead out of it. at: behind the folder's own path. */
static qc_rc no_link_below(char *path, size_t at, struct qc_err *err)
{
    while (path[at] != '\0') {
        struct stat st;
        at += 1 + strcspn(path + at + 1, "/");
        const char kept = path[at];
        path[at] = '\0';
        const bool link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
        if (link)
            qc_err_set(err, QC_CONFLICT, QC_HERE, "a symbolic link stands in the way: %s", path);
        path[at] = kept;
        if (link)
            return QC_CONFLICT;
    }
    return QC_OK;
}

qc_rc client_make_below(const char *dir, qc_span rest, char path[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    const int n = snprintf(path, QC_CLIENT_PATH_MAX, "%s/%.*s", dir, (int)rest.n, (const char *)rest.p);
    if (n < 0 || n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "the path below %s is longer than %d bytes", dir,
                       QC_CLIENT_PATH_MAX - 1);
    QC_TRY(no_link_below(path, strlen(dir), err));
    return qc_dir_make_path(path, 0777, err);
}

qc_rc client_place_below(const char *dir, qc_span rest, char path[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    int n = snprintf(path, QC_CLIENT_PATH_MAX, "%s/%.*s", dir, (int)rest.n, (const char *)rest.p);
    if (n < 0 || n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "the path below %s is longer than %d bytes", dir,
                       QC_CLIENT_PATH_MAX - 1);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    qc_rc rc = no_link_below(path, strlen(dir), err);
    if (rc == QC_OK)
        rc = qc_dir_make_path(path, 0777, err);
    *slash = '/';
    if (rc != QC_OK)
        qc_err_wrap(err, "making a directory below %s", dir);
    return rc;
}

/* Most files lie where the one before does: that directory was made then. */
qc_rc client_place_beside(const char *dir, const char *last, qc_span rest, char path[QC_CLIENT_PATH_MAX],
                          struct qc_err *err)
{
    const int n = snprintf(path, QC_CLIENT_PATH_MAX, "%s/%.*s", dir, (int)rest.n, (const char *)rest.p);
    const size_t in = last == NULL ? 0 : (size_t)(strrchr(last, '/') - last) + 1;
    if (n > 0 && n < QC_CLIENT_PATH_MAX && last != NULL && strncmp(path, last, in) == 0 &&
        strchr(path + in, '/') == NULL)
        return QC_OK;
    return client_place_below(dir, rest, path, err);
}

static void get_below(struct get_run *run, qc_span name, const char *dir, qc_span rest)
{
    char path[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    qc_rc rc = client_place_below(dir, rest, path, &why);
    if (rc == QC_OK)
        rc = get_file_as(run, name, path, &why);
    run->go_on = told(run, rc, name, &why);
}

/* -- large files, side by side --------------------------------------------------------------------------- */

struct get_side {
    struct side_job job; /* first */
    struct get_run *run;
    qc_span name; /* borrowed from the listing's names */
    char path[QC_CLIENT_PATH_MAX];
    struct vault_sink_file *file;
    struct vault_got got;
    bool kept, shown; /* an interrupted get left something; progress is on the screen */
    uint64_t kept_bytes;
    char part[QC_CLIENT_PATH_MAX];
    struct progress p;
};

static void get_side_free(struct get_side **sp)
{
    struct get_side *s = *sp;
    *sp = NULL;
    if (s == NULL)
        return;
    vault_sink_file_free(&s->file);
    vault_got_done(&s->got);
    qc_free(s);
}

/* In the thread: told when it is over. */
static void note_kept(void *ctx, const char *part, uint64_t kept)
{
    struct get_side *s = ctx;
    s->kept = true;
    s->kept_bytes = kept;
    (void)snprintf(s->part, sizeof s->part, "%s", part);
}

static qc_rc side_get(struct side_job *j, struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    struct get_side *s = (struct get_side *)j;
    return vault_get_part(v, s->name, &s->run->opts, vault_sink_file_sink(s->file), call, &s->got, err);
}

static void side_get_show(struct side_job *j, const struct vault_progress *at)
{
    struct get_side *s = (struct get_side *)j;
    if (!s->shown)
        progress_begin(&s->p, &s->run->c->out, s->name, "verified", true);
    s->shown = true;
    progress_tell(&s->p, at);
}

static qc_rc tell_side(const struct get_side *s, struct qc_err *err)
{
    QC_TRY(item_json(s->run, &s->got, s->path, err));
    return tell(s->run, s->name, &s->got, s->path, err);
}

static void side_get_end(struct side_job *j, qc_rc rc, struct qc_err *why)
{
    QC_CLEANUP(get_side_free) struct get_side *s = (struct get_side *)j;
    struct get_run *run = s->run;
    if (s->shown)
        progress_end(&s->p);
    if (s->kept)
        tell_kept(&run->c->out, s->part, s->kept_bytes);
    if (rc == QC_OK)
        rc = tell_side(s, why);
    else
        leave(run, s->file, rc);
    if (rc == QC_OK)
        rc = client_gave_all(s->file, s->path, why);
    const bool go_on = told(run, rc, s->name, why);
    run->go_on = run->go_on && go_on;
}

static qc_rc get_beside(struct get_run *run, qc_span name, const char *dir, qc_span rest, struct qc_err *err)
{
    QC_CLEANUP(get_side_free) struct get_side *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a file");
    s->job = (struct side_job){ side_get, side_get_end, side_get_show };
    s->run = run;
    s->name = name;
    QC_TRY(client_place_below(dir, rest, s->path, err));
    QC_TRY(vault_sink_file_new(&s->file, s->path, run->force, err));
    vault_sink_file_tell(s->file, note_kept, s);
    vault_sink_file_links(s->file);
    if (run->sparse)
        vault_sink_file_sparse(s->file);
    side_begin(run->side, &QC_STEAL(s)->job);
    return QC_OK;
}

static void get_large(struct get_run *run, qc_span name, const char *dir, qc_span rest)
{
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    if (run->side == NULL) {
        get_below(run, name, dir, rest);
        return;
    }
    if ((rc = get_beside(run, name, dir, rest, &why)) != QC_OK)
        run->go_on = told(run, rc, name, &why) && run->go_on;
}

/* -- small files, together ------------------------------------------------------------------------------- */

enum { ABOUT_EACH = 1024 }; /* bytes of an N besides those of the file */

struct get_waiting {
    qc_span name, rest; /* borrowed from the listing's names */
    char *path;
    struct vault_got got;
};
struct get_together {
    struct get_run *run;
    const char *dir;
    struct get_waiting v[QC_CLIENT_TOGETHER];
    struct vault_sink_file *files[QC_CLIENT_TOGETHER];
    struct vault_sink_outcome outcomes[QC_CLIENT_TOGETHER];
    size_t count;
    uint64_t bytes;
};

static void together_free(struct get_together **tp)
{
    struct get_together *t = *tp;
    *tp = NULL;
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        vault_sink_file_free(&t->files[i]);
        vault_got_done(&t->v[i].got);
        qc_free(t->v[i].path);
    }
    qc_free(t);
}

static qc_rc get_later(struct get_together *t, size_t i, const struct vault_call *call, struct qc_err *err)
{
    struct get_run *run = t->run;
    char path[QC_CLIENT_PATH_MAX];
    QC_TRY(client_place_beside(t->dir, i == 0 ? NULL : t->v[i - 1].path, t->v[i].rest, path, err));
    if ((t->v[i].path = qc_strdup(path)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", path);
    QC_TRY(vault_sink_file_new(&t->files[i], path, run->force, err));
    vault_sink_file_tell(t->files[i], tell_kept, &run->c->out);
    vault_sink_file_later(t->files[i]);
    vault_sink_file_links(t->files[i]);
    if (run->sparse)
        vault_sink_file_sparse(t->files[i]);
    return vault_get_part(run->c->vault, t->v[i].name, &run->opts, vault_sink_file_sink(t->files[i]), call,
                          &t->v[i].got, err);
}

static qc_rc tell_one(struct get_together *t, size_t i, struct qc_err *err)
{
    const struct get_waiting *w = &t->v[i];
    QC_TRY(item_json(t->run, &w->got, w->path, err));
    return tell(t->run, w->name, &w->got, w->path, err);
}

/* All that wait: fetched ahead together, and together made durable. Nothing is told of one before that. */
static void get_waiting(struct get_together *t)
{
    struct get_run *run = t->run;
    qc_span names[QC_CLIENT_TOGETHER];
    struct progress p;
    if (t->count == 0)
        return;
    for (size_t i = 0; i < t->count; i++)
        names[i] = t->v[i].name;
    struct vault_call call = client_call_shown(run->c, &p, names[0], "verified", true);
    vault_ahead(run->c->vault, names, t->count, &call);
    for (size_t i = 0; i < t->count && run->go_on; i++) {
        struct vault_sink_outcome *o = &t->outcomes[i];
        o->rc = get_later(t, i, &call, &o->why);
        if (o->rc != QC_OK)
            run->go_on = told(run, o->rc, names[i], &o->why);
    }
    vault_ahead(run->c->vault, NULL, 0, &call);
    progress_end(&p);
    struct vault_sink_outcome was[QC_CLIENT_TOGETHER];
    memcpy(was, t->outcomes, sizeof(was));
    vault_sink_files_finish(t->files, t->outcomes, t->count);
    for (size_t i = 0; i < t->count; i++) {
        struct vault_sink_outcome *o = &t->outcomes[i];
        if (was[i].rc != QC_OK || t->files[i] == NULL)
            continue;
        if (o->rc == QC_OK)
            o->rc = tell_one(t, i, &o->why);
        if (o->rc == QC_OK)
            o->rc = client_gave_all(t->files[i], t->v[i].path, &o->why);
        const bool go_on = told(run, o->rc, names[i], &o->why);
        run->go_on = run->go_on && go_on;
    }
}

static void get_one(struct get_together **tp, qc_span name, qc_span rest, uint64_t size, const char *dir,
                    struct get_run *run)
{
    if (run->sites != NULL || size > QC_VAULT_BUNDLED_MAX) {
        get_large(run, name, dir, rest);
        return;
    }
    struct get_together *t = *tp;
    if (t != NULL && (t->count == QC_CLIENT_TOGETHER || t->bytes + size + ABOUT_EACH > QC_VAULT_BUNDLE_MAX)) {
        get_waiting(t);
        together_free(tp);
        t = NULL;
    }
    if (t == NULL && (t = qc_alloc(sizeof(*t))) != NULL)
        *t = (struct get_together){ .run = run, .dir = dir };
    *tp = t;
    if (t == NULL) {
        get_below(run, name, dir, rest);
        return;
    }
    t->v[t->count++] = (struct get_waiting){ .name = name, .rest = rest };
    t->bytes += size + ABOUT_EACH;
}

/* -- trees ----------------------------------------------------------------------------------------------- */

/* Names of a listing, one after the other: u64 size of the file, u32 length, bytes, u8 is it a folder; of
 * that u32 mode, u64 time in ns. */
static qc_rc keep_name(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    qc_buf *names = ctx;
    const bool folder = client_is_folder(s);
    QC_TRY(qc_buf_add_be(names, s->size, 8, err));
    QC_TRY(qc_buf_add_be(names, s->name.n, 4, err));
    QC_TRY(qc_buf_add(names, qc_buf_span(&s->name), err));
    QC_TRY(qc_buf_add_be(names, folder, 1, err));
    if (!folder)
        return QC_OK;
    QC_TRY(qc_buf_add_be(names, s->mode, 4, err));
    return qc_buf_add_be(names, (uint64_t)sync_time_ns(s->mtime_s, s->mtime_ns), 8, err);
}

/* A folder that was made: its mode and time come when all is in it. */
struct got_folder {
    qc_span name, rest; /* borrowed from the listing's names */
    uint32_t mode;
    int64_t mtime_ns;
};

static void make_folder(struct get_run *run, const struct got_folder *f, const char *dir, qc_buf *folders)
{
    char path[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    qc_rc rc = client_make_below(dir, f->rest, path, &why);
    if (rc == QC_OK)
        rc = qc_buf_add(folders, qc_span_of(f, sizeof(*f)), &why);
    if (rc != QC_OK)
        run->go_on = told(run, rc, f->name, &why);
}

/* A folder's path is longer than those of all that are above it. */
static int deepest_first(const void *a, const void *b)
{
    const struct got_folder *x = a, *y = b;
    return x->rest.n > y->rest.n ? -1 : x->rest.n < y->rest.n;
}

static qc_rc finish_folders(struct get_run *run, qc_buf *folders, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd root = { 0 };
    struct got_folder *v = (struct got_folder *)(void *)folders->p;
    const size_t n = folders->n / sizeof(*v);
    if (n == 0)
        return QC_OK;
    QC_TRY(qc_open_at(&root, AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0, err));
    qsort(v, n, sizeof(*v), deepest_first);
    for (size_t i = 0; i < n; i++) {
        struct qc_err why = { 0 };
        struct stat st;
        const qc_rc rc =
            client_give_folder(qc_fd_get(&root), v[i].rest, &v[i].mode, &v[i].mtime_ns, &st, &why);
        if (rc != QC_OK)
            qc_ignore(told(run, rc, v[i].name, &why) ? QC_OK : rc, "the others are finished all the same");
    }
    return QC_OK;
}

static qc_rc keep_shared(void *ctx, const struct vault_stat *s, unsigned sites, struct qc_err *err)
{
    (void)sites;
    return keep_name(ctx, s, err);
}

static qc_rc names_below(struct get_run *run, qc_span prefix, qc_buf *names, struct qc_err *err)
{
    struct vault_call call = client_call(run->c);
    return run->sites != NULL ? sites_list(run->sites, prefix, keep_shared, names, err)
                              : vault_list(run->c->vault, prefix, keep_name, names, &call, err);
}

static qc_span last_component(qc_span name)
{
    const uint8_t *slash = name.n == 0 ? NULL : memrchr(name.p, '/', name.n);
    return slash == NULL ? name : qc_span_from(name, (size_t)(slash - name.p) + 1);
}

qc_rc client_make_dir(const char *dir, struct qc_err *err)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return QC_FAIL_OS(err, "%s", dir);
    return qc_dir_make_path(dir, 0777, err);
}

static qc_rc get_tree(struct get_run *run, const char *prefix, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_NAMES_MAX };
    qc_span p = qc_span_str(prefix);
    while (p.n > 0 && p.p[p.n - 1] == '/')
        p.n--;
    /* A directory's name may end in a star, which alone would mean "all that begins so": then it keeps a
     * slash. */
    qc_span asked = p.n > 0 && p.p[p.n - 1] == '*' ? qc_span_str(prefix) : p;
    if (asked.n > 0 && asked.p[asked.n - 1] == '*')
        return QC_FAIL(err, QC_USAGE,
                       "-r wants a directory; one whose name ends in a star is written with a slash");
    QC_TRY(names_below(run, asked, &names, err));
    if (names.n == 0)
        return QC_FAIL(err, QC_NOTFOUND, "no object below that prefix");
    QC_TRY(client_make_dir(dir, err));
    QC_CLEANUP(together_free) struct get_together *waiting = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf folders = { .max = QC_CLIENT_NAMES_MAX };
    qc_rd r = { .s = qc_buf_span(&names) };
    while (run->go_on && qc_rd_left(&r) > 0) {
        const uint64_t size = qc_rd_be(&r, 8);
        qc_span name = qc_rd_bytes(&r, qc_rd_be(&r, 4));
        qc_span rest = name;
        if (qc_span_eq(name, p))
            rest = last_component(name);
        else if (p.n > 0 && name.n > p.n + 1)
            rest = qc_span_from(name, p.n + 1);
        if (qc_rd_be(&r, 1) == 0) {
            get_one(&waiting, name, rest, size, dir, run);
            continue;
        }
        const struct got_folder f = { .name = name,
                                      .rest = rest,
                                      .mode = (uint32_t)qc_rd_be(&r, 4),
                                      .mtime_ns = (int64_t)qc_rd_be(&r, 8) };
        if (!qc_span_eq(name, p))
            make_folder(run, &f, dir, &folders);
    }
    if (run->go_on && waiting != NULL)
        get_waiting(waiting);
    side_end_all(run->side); /* they borrow their names */
    return finish_folders(run, &folders, dir, err);
}

static bool is_dir(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return (n > 0 && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static qc_rc get_words(struct get_run *run, const struct qc_args *args, struct qc_err *err)
{
    const char *const *word = args->argv;
    int last = args->argc - 1;
    if (args->argc == 1) {
        qc_span name = qc_span_str(word[0]);
        get_below(run, name, ".", last_component(name));
        return QC_OK;
    }
    if (args->argc == 2 && strcmp(word[1], "-") == 0) {
        qc_ignore(get_stdout(run, qc_span_str(word[0])), "told, and kept as the run's worst");
        return QC_OK;
    }
    if (args->argc == 2 && !is_dir(word[1])) {
        get_file(run, qc_span_str(word[0]), word[1]);
        return QC_OK;
    }
    QC_TRY(client_make_dir(word[last], err));
    for (int i = 0; i < last && run->go_on; i++) {
        qc_span name = qc_span_str(word[i]);
        get_below(run, name, word[last], last_component(name));
    }
    return QC_OK;
}

/* What --profile, --range, --version and --at ask for; then the vault, or the sites. words: the most that a
 * command takes where it is about one object. */
static qc_rc begin(struct get_run *run, const struct qc_args *args, int words, struct sites *sites,
                   struct qc_err *err)
{
    const char *range = qc_args_value(args, "range", NULL);
    bool shared = false;
    run->c->metered = true;
    QC_TRY(profile_shared(args, &shared, NULL, err));
    QC_TRY(which_args(run->c, args, &run->which, err));
    if (run->which.given && !run->which.which.by_time && args->argc > words)
        return QC_FAIL(err, QC_USAGE, "--version is of one object");
    run->opts.which = run->which.given ? &run->which.which : NULL;
    run->part = range != NULL;
    if (range != NULL)
        QC_TRY_AS(vault_slice_parse(&run->opts.slice, range, err), err, "--range");
    if (range != NULL && shared)
        return QC_FAIL(err, QC_USAGE, "--range reads nothing of three sites, which is read whole");
    if (shared)
        run->sites = sites;
    return shared ? sites_open(run->c, MSG_SHARED_GET, sites, err) : client_open(run->c, err);
}

static void get_run_done(struct get_run *run)
{
    side_free(&run->side);
}

qc_rc cmd_get(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites sites = { 0 };
    unsigned jobs = 1;
    QC_CLEANUP(get_run_done)
    struct get_run run = { .c = c,
                           .force = qc_args_flag(args, "force"),
                           .sparse = qc_args_flag(args, "sparse"),
                           .worst = QC_OK,
                           .go_on = true };
    bool tree = qc_args_flag(args, "recursive");
    if (tree && args->argc != 2)
        return QC_FAIL(err, QC_USAGE, "-r takes a PREFIX and a DIR");
    if (qc_args_value(args, "range", NULL) != NULL && (tree || args->argc > 2))
        return QC_FAIL(err, QC_USAGE, "--range is of one object: NAME [FILE|-]; of several with qcloud cat");
    if (!tree && args->argc > 2 && !is_dir(args->argv[args->argc - 1]))
        return QC_FAIL(err, QC_USAGE, "several objects need a directory as the last word: DIR/");
    if (tree && (qc_args_value(args, "version", NULL) != NULL || qc_args_value(args, "at", NULL) != NULL))
        return QC_FAIL(err, QC_USAGE, "-r fetches what is there now, without --version and --at");
    QC_TRY(side_jobs(args, &jobs, err));
    QC_TRY(begin(&run, args, 2, &sites, err));
    if (tree && run.sites == NULL)
        QC_TRY(side_new(&run.side, c, jobs, false, err));
    if (tree)
        QC_TRY(get_tree(&run, args->argv[0], args->argv[1], err));
    else
        QC_TRY(get_words(&run, args, err));
    return client_outcome(c, run.worst, "not read", err);
}

/* The first that fails is the last: what is on standard output is the beginning of what was asked for. */
qc_rc cmd_cat(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites sites = { 0 };
    struct get_run run = { .c = c, .worst = QC_OK, .silent = true };
    QC_TRY(begin(&run, args, 1, &sites, err));
    qc_rc last = QC_OK;
    for (int i = 0; i < args->argc && last == QC_OK; i++)
        last = get_stdout(&run, qc_span_str(args->argv[i]));
    return client_outcome(c, run.worst, "not read", err);
}
