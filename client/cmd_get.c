/* get, cat: objects become files, a tree, or bytes on standard output; all of them, or a part of one. */
#include "get.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "below.h"
#include "listing.h"
#include "profile.h"
#include "progress.h"
#include "side.h"
#include "sites.h"
#include "text.h"
#include "vault/sink_file.h"

static qc_rc item_json(const struct get_run *run, const struct vault_got *got, const char *file,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct vault_stat *s = &got->what;
    if (!run->c->out.json)
        return QC_OK;
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
    if (run->c->out.json || run->c->out.quiet)
        return QC_OK;
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

qc_rc get_tell_got(const struct get_run *run, qc_span name, const struct vault_got *got, const char *file,
                   struct qc_err *err)
{
    QC_TRY(item_json(run, got, file, err));
    return run->silent ? QC_OK : tell(run, name, got, file, err);
}

/* A part that is not there: one that is, as near as can be. It has so many bytes. */
static void part_that_is(struct get_run *run, uint64_t size)
{
    const struct vault_slice *s = &run->opts.slice;
    struct client *c = run->c;
    const uint64_t first = s->has_first && s->first < size ? s->first : 0;
    c->left.range_was = run->range;
    if (size == 0)
        (void)snprintf(c->left.range_there, sizeof c->left.range_there, "0-");
    else
        (void)snprintf(c->left.range_there, sizeof c->left.range_there, "%" PRIu64 "-%" PRIu64, first,
                       size - 1);
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
    uint64_t size = UINT64_MAX;
    run->opts.size = run->part ? &size : NULL;
    qc_rc rc = vault_get_part(c->vault, name, &run->opts, sink, &call, &got, err);
    run->opts.size = NULL;
    progress_end(&p);
    if (rc == QC_USAGE && size != UINT64_MAX)
        part_that_is(run, size);
    QC_TRY(rc);
    return get_tell_got(run, name, &got, file, err);
}

bool get_told(struct get_run *run, qc_rc rc, qc_span name, const struct qc_err *why)
{
    return run->sites != NULL ? sites_object(run->sites, rc, name, why, &run->worst)
                              : client_object(run->c, rc, name, why, &run->worst);
}

void get_tell_kept(void *ctx, const char *part, uint64_t kept)
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
void get_leave(struct get_run *run, struct vault_sink_file *f, qc_rc rc)
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

/* dir: that of the path, open; or -1. */
static qc_rc get_file_as(struct get_run *run, qc_span name, int dir, const char *path, struct qc_err *err)
{
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
    QC_TRY(dir >= 0 ? vault_sink_file_in(&f, dir, path, run->force, err)
                    : vault_sink_file_new(&f, path, run->force, err));
    if (run->part)
        QC_TRY(vault_sink_file_range(f, err));
    vault_sink_file_tell(f, get_tell_kept, &run->c->out);
    if (!run->part)
        vault_sink_file_links(f);
    if (run->sparse)
        vault_sink_file_sparse(f);
    const qc_rc rc = get_into(run, name, vault_sink_file_sink(f), path, err);
    if (rc != QC_OK && run->sites == NULL && !run->part)
        get_leave(run, f, rc);
    return rc != QC_OK ? rc : client_gave_all(f, path, err);
}

static qc_rc count_one(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    uint64_t *n = ctx;
    (void)err;
    *n += client_is_folder(s) ? 0 : 1;
    return QC_OK;
}

/* A name that is none, and has names below it: said with how to get these. What others copy as a folder is a
 * prefix here. */
static qc_rc or_folder(struct get_run *run, qc_rc rc, qc_span name, struct qc_err *why)
{
    const struct vault_call call = client_call(run->c);
    struct qc_err none = { 0 };
    uint64_t n = 0;
    if (rc != QC_NOTFOUND || run->sites != NULL || run->which.given || name.n == 0 ||
        vault_list(run->c->vault, name, count_one, &n, &call, &none) != QC_OK || n == 0)
        return rc;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    qc_ignore(text_quote(name, &shown, &none), "then without its name");
    qc_err_set(why, rc, QC_HERE, "%.*s: no object has this name, but %" PRIu64 " lie%s below it",
               (int)shown.n, (const char *)shown.p, n, n == 1 ? "s" : "");
    why->next = "all below it: qcloud get -r PREFIX DIR";
    return rc;
}

static void get_file(struct get_run *run, qc_span name, const char *path)
{
    struct qc_err why = { 0 };
    qc_rc rc = get_file_as(run, name, -1, path, &why);
    run->go_on = get_told(run, or_folder(run, rc, name, &why), name, &why);
}

static qc_rc get_stdout(struct get_run *run, qc_span name)
{
    int fd = STDOUT_FILENO;
    struct qc_err why = { 0 };
    struct vault_sink sink = vault_sink_fd(&fd);
    qc_rc rc = get_into(run, name, &sink, NULL, &why);
    run->c->out.muted = rc == QC_IO && !run->c->out.json && out_reader_left(&run->c->out);
    run->go_on = get_told(run, rc, name, &why);
    run->c->out.muted = false;
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
    QC_TRY(below_path(dir, rest, path, err));
    QC_TRY(no_link_below(path, strlen(dir), err));
    return qc_dir_make_path(path, 0777, err);
}

qc_rc client_place_below(const char *dir, qc_span rest, char path[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    QC_TRY(below_path(dir, rest, path, err));
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

void get_below(struct get_run *run, qc_span name, const char *dir, qc_span rest)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd folder = { 0 };
    char path[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    qc_rc rc = below_path(dir, rest, path, &why);
    if (rc == QC_OK)
        rc = below_folder(dir, below_folder_of(rest), &folder, &why);
    if (rc == QC_OK)
        rc = get_file_as(run, name, qc_fd_get(&folder), path, &why);
    run->go_on = get_told(run, or_folder(run, rc, name, &why), name, &why);
}

qc_span get_last_component(qc_span name)
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
        get_below(run, name, ".", get_last_component(name));
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
        get_below(run, name, word[last], get_last_component(name));
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
    run->range = range;
    if (range != NULL)
        QC_TRY_AS(vault_slice_parse(&run->opts.slice, range, err), err, "--range");
    if (range != NULL && shared)
        return QC_FAIL(err, QC_USAGE, "--range reads nothing of three sites, which is read whole");
    if (shared)
        run->sites = sites;
    return shared ? sites_open(run->c, MSG_SHARED_GET, sites, err) : client_open(run->c, err);
}

/* A word that ends in a slash is no name. The last of several is where they go. */
static qc_rc no_prefix(const struct qc_args *args, bool tree, struct qc_err *err)
{
    const int names = args->argc > 1 ? args->argc - 1 : 1;
    for (int i = 0; i < names && !tree; i++) {
        const size_t n = strlen(args->argv[i]);
        if (n == 0 || args->argv[i][n - 1] != '/')
            continue;
        return QC_FAIL(err, QC_USAGE,
                       "'%.200s' is no name of an object: all below it is fetched by get -r PREFIX DIR",
                       args->argv[i]);
    }
    return QC_OK;
}

qc_rc cmd_get(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites sites = { 0 };
    struct get_run run = { .c = c,
                           .force = qc_args_flag(args, "force"),
                           .sparse = qc_args_flag(args, "sparse"),
                           .jobs = 1,
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
    QC_TRY(no_prefix(args, tree, err));
    QC_TRY(side_jobs(args, &run.jobs, err));
    QC_TRY(begin(&run, args, 2, &sites, err));
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
