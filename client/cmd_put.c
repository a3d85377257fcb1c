/* put: files, trees and standard input become objects. */
#include "client.h"

#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "progress.h"
#include "prune.h"
#include "put_run.h"
#include "side.h"
#include "signals.h"
#include "sites.h"
#include "text.h"
#include "vault/source_file.h"

/* Where an interrupted put goes on, or why it does not. */
struct taking {
    struct out *o;
    qc_span name;
};

static void tell_taken(void *ctx, uint64_t durable, const char *why)
{
    const struct taking *t = ctx;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err unused = { 0 };
    char size[TEXT_SIZE];
    text_size(durable, size);
    qc_ignore(text_quote(t->name, &shown, &unused), "then without its name");
    if (durable > 0)
        out_note(t->o, "going on with %.*s: %s of it are stored", (int)shown.n, (const char *)shown.p, size);
    else
        out_note(t->o, "%.*s: an interrupted put of it cannot go on (%s): begun anew, nothing is mixed",
                 (int)shown.n, (const char *)shown.p, why);
}

static void tell_rest(struct client *c, const struct vault_source *source, qc_span name, qc_rc rc,
                      const struct vault_put_result *r)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err unused = { 0 };
    char size[TEXT_SIZE];
    c->left.kept = rc != QC_OK && r->waits ? r->kept : 0;
    text_size(r->kept, size);
    qc_ignore(text_quote(name, &shown, &unused), "then without its name");
    if (rc == QC_OK && r->kept > 0 && r->sent == 0)
        out_note(&c->out, "%.*s: an interrupted put of it had come to its end; nothing is sent again",
                 (int)shown.n, (const char *)shown.p);
    else if (rc != QC_OK && r->waits)
        out_note(&c->out, "%.*s: %s of it stay stored, unseen: the same command goes on from there",
                 (int)shown.n, (const char *)shown.p, size);
    else if (rc == QC_CANCELLED && source->seek == NULL)
        out_note(&c->out, "%.*s: standard input cannot be read again: the same command begins anew",
                 (int)shown.n, (const char *)shown.p);
}

qc_rc put_run_source(struct put_run *run, const struct vault_source *source, qc_span name, bool *ret_open,
                     struct qc_err *err)
{
    struct client *c = run->c;
    struct vault_put_result r = { 0 };
    struct progress p;
    if (run->sites != NULL)
        return sites_put(run->sites, source, name, &run->opts, err);
    struct vault_call call = client_call_shown(c, &p, name, "durable", true);
    struct taking taking = { .o = &c->out, .name = name };
    run->opts.took_up = tell_taken;
    run->opts.took_up_ctx = &taking;
    qc_rc rc = vault_put(c->vault, name, source, &run->opts, &call, &r, err);
    *ret_open = r.open;
    progress_end(&p);
    tell_rest(c, source, name, rc, &r);
    QC_TRY(rc);
    return client_stored(c, name, source->has_mode && S_ISDIR(source->mode), &r, err);
}

bool put_run_told(struct put_run *run, qc_rc rc, bool open, qc_span name, const struct qc_err *why)
{
    return run->sites != NULL ? sites_object(run->sites, rc, name, why, &run->worst)
                              : client_put_object(run->c, rc, open, name, why, &run->worst);
}

static qc_rc put_file_as(struct put_run *run, const char *path, qc_span name, bool *ret_open,
                         struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(vault_source_file_open(&f, AT_FDCWD, path, run->follow, err));
    QC_TRY(put_run_source(run, vault_source_file_source(f), name, ret_open, err));
    return client_kept_all(f, run->sites != NULL, name, err);
}

void put_run_file(struct put_run *run, const char *path, qc_span name)
{
    struct qc_err why = { 0 };
    bool open = false;
    qc_rc rc = put_file_as(run, path, name, &open, &why);
    run->go_on = put_run_told(run, rc, open, name, &why) && rc != QC_SHARES;
}

static void put_alone(struct put_run *run, const char *path, qc_span name)
{
    put_small_sent(run);
    if (run->go_on)
        put_run_file(run, path, name);
}

static void put_run_done(struct put_run *run)
{
    run->go_on = false; /* what ended it was told */
    side_free(&run->side);
    put_small_sent(run);
    put_small_free(&run->waiting);
}

/* -- large files, side by side --------------------------------------------------------------------------- */

struct put_side {
    struct side_job job; /* first */
    struct put_run *run;
    struct vault_source_file *file;
    qc_buf name;
    struct vault_put_opts opts;
    struct vault_put_result r;
    bool took, shown;    /* an interrupted put was found; progress is on the screen */
    uint64_t took_bytes; /* and goes on with so many; 0: it does not, */
    char took_why[256];  /* and why */
    struct progress p;
};

static void put_side_free(struct put_side **sp)
{
    struct put_side *s = *sp;
    *sp = NULL;
    if (s == NULL)
        return;
    vault_source_file_free(&s->file);
    qc_buf_free(&s->name);
    qc_free(s);
}

/* In the thread: told when it is over. */
static void note_taken(void *ctx, uint64_t durable, const char *why)
{
    struct put_side *s = ctx;
    s->took = true;
    s->took_bytes = durable;
    (void)snprintf(s->took_why, sizeof s->took_why, "%s", why != NULL ? why : "");
}

static qc_rc side_put(struct side_job *j, struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    struct put_side *s = (struct put_side *)j;
    return vault_put(v, qc_buf_span(&s->name), vault_source_file_source(s->file), &s->opts, call, &s->r, err);
}

static void side_put_show(struct side_job *j, const struct vault_progress *at)
{
    struct put_side *s = (struct put_side *)j;
    if (!s->shown)
        progress_begin(&s->p, &s->run->c->out, qc_buf_span(&s->name), "durable", true);
    s->shown = true;
    progress_tell(&s->p, at);
}

static void side_put_end(struct side_job *j, qc_rc rc, struct qc_err *why)
{
    QC_CLEANUP(put_side_free) struct put_side *s = (struct put_side *)j;
    struct put_run *run = s->run;
    const qc_span name = qc_buf_span(&s->name);
    struct taking taking = { .o = &run->c->out, .name = name };
    if (s->shown)
        progress_end(&s->p);
    if (s->took)
        tell_taken(&taking, s->took_bytes, s->took_why);
    tell_rest(run->c, vault_source_file_source(s->file), name, rc, &s->r);
    if (rc == QC_OK)
        rc = client_stored(run->c, name, false, &s->r, why);
    if (rc == QC_OK)
        rc = client_kept_all(s->file, false, name, why);
    const bool go_on = put_run_told(run, rc, s->r.open, name, why) && rc != QC_SHARES;
    run->go_on = run->go_on && go_on;
}

static qc_rc put_beside(struct put_run *run, const char *path, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(put_side_free) struct put_side *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", path);
    *s = (struct put_side){ .job = { side_put, side_put_end, side_put_show },
                            .run = run,
                            .name = { .max = QC_CLIENT_TEXT_MAX },
                            .opts = run->opts };
    s->opts.took_up = note_taken;
    s->opts.took_up_ctx = s;
    QC_TRY(qc_buf_add(&s->name, name, err));
    QC_TRY(vault_source_file_open(&s->file, AT_FDCWD, path, run->follow, err));
    side_begin(run->side, &QC_STEAL(s)->job);
    return QC_OK;
}

/* True: it is on its way, or was told; false: it is to be put alone. */
static bool put_large(struct put_run *run, const char *path, qc_span name, uint64_t size)
{
    struct qc_err why = { 0 };
    if (run->side == NULL || size <= QC_VAULT_BUNDLED_MAX)
        return false;
    const qc_rc rc = put_beside(run, path, name, &why);
    if (rc != QC_OK)
        run->go_on = put_run_told(run, rc, false, name, &why) && run->go_on;
    return true;
}

/* One of several. known: what is known of it, which may have changed; or NULL. */
static void put_one(struct put_run *run, const char *path, qc_span name, const struct stat *known)
{
    struct stat st;
    if (known == NULL && stat(path, &st) == 0)
        known = &st;
    const bool file = known != NULL && S_ISREG(known->st_mode);
    const uint64_t size = file ? (uint64_t)known->st_size : 0;
    if (file && put_large(run, path, name, size))
        return;
    if (!file || run->sites != NULL || run->waiting == NULL || size > QC_VAULT_BUNDLED_MAX) {
        put_alone(run, path, name);
        return;
    }
    put_small_add(run, path, name, size);
}

/* -- one after the other --------------------------------------------------------------------------------- */

/* Standard input. */
struct input {
    uint64_t expected, got; /* VAULT_SIZE_UNKNOWN: nothing is said of its size */
};

/* A pipe whose writer died ends as one whose writer is done: what was said of the size tells them apart. */
static qc_rc check_input(struct input *in, size_t got, struct qc_err *err)
{
    in->got += got;
    if (in->expected == VAULT_SIZE_UNKNOWN ||
        (in->got <= in->expected && (got > 0 || in->got == in->expected)))
        return QC_OK;
    const qc_rc rc =
        QC_FAIL(err, QC_IO, "standard input %s %" PRIu64 " bytes, and --stdin-size said %" PRIu64,
                got > 0 ? "has more than" : "ended after", got > 0 ? in->expected : in->got, in->expected);
    err->next =
        "see whether what writes there came to its end, and what size it has; then the same command again";
    return rc;
}

/* It may fall silent for long: the user's Ctrl-C must still be heard. */
static qc_rc read_stdin(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    for (;;) {
        struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "reading standard input", err));
        int n = poll(&p, 1, QC_CLIENT_START_PAUSE_MS);
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "standard input");
        if (n <= 0)
            continue;
        ssize_t got = read(STDIN_FILENO, dst, max);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return QC_FAIL_OS(err, "standard input");
        if (got < 0)
            continue;
        QC_TRY(check_input(ctx, (size_t)got, err));
        *ret_got = (size_t)got;
        return QC_OK;
    }
}

static void put_stdin(struct put_run *run, qc_span name)
{
    struct input in = { .expected = run->stdin_size };
    const struct vault_source source = { .read = read_stdin, .ctx = &in, .size = run->stdin_size };
    struct qc_err why = { 0 };
    bool open = false;
    qc_rc rc = put_run_source(run, &source, name, &open, &why);
    run->go_on = put_run_told(run, rc, open, name, &why);
}

/* PREFIX (without slashes at its end; "" is the root) / rest. */
static qc_rc name_below(const char *prefix, qc_span rest, qc_buf *ret, struct qc_err *err)
{
    size_t n = strlen(prefix);
    while (n > 0 && prefix[n - 1] == '/')
        n--;
    QC_TRY(qc_buf_add(ret, qc_span_of(prefix, n), err));
    if (n > 0)
        QC_TRY(qc_buf_add(ret, QC_LIT("/"), err));
    return qc_buf_add(ret, rest, err);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fts_free(FTS **tree)
{
    if (*tree != NULL)
        fts_close(*tree);
    *tree = NULL;
}

static qc_rc quoted(const char *path, qc_buf *ret, const char **ret_text, struct qc_err *err)
{
    QC_TRY(text_quote(qc_span_str(path), ret, err));
    return qc_buf_cstr(ret, ret_text, err);
}

static qc_rc put_tree_entry(struct put_run *run, const FTSENT *e, size_t root_len, const char *prefix,
                            struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    const char *shown = NULL;
    struct qc_err why = { 0 };
    qc_span rest = qc_span_str(e->fts_path + root_len);
    while (rest.n > 0 && rest.p[0] == '/')
        rest = qc_span_from(rest, 1);
    QC_TRY(name_below(prefix, rest, &name, err));
    switch (e->fts_info) {
    case FTS_D:
        return QC_OK;
    case FTS_DP:
        if (rest.n > 0)
            put_small_folder(run, e->fts_statp, qc_buf_span(&name));
        return QC_OK;
    case FTS_F:
        put_one(run, e->fts_accpath, qc_buf_span(&name), e->fts_statp);
        return QC_OK;
    case FTS_SL:
    case FTS_SLNONE:
    case FTS_DEFAULT:
        QC_TRY(quoted(e->fts_path, &text, &shown, err));
        out_warn(&run->c->out, MSG_W_SKIPPED, NULL, "%s is no regular file (%s)", shown,
                 e->fts_info == FTS_DEFAULT ? "a device, socket or pipe" : "a symbolic link");
        return QC_OK;
    default: /* FTS_DNR, FTS_ERR, FTS_NS, FTS_DC */
        QC_TRY(quoted(e->fts_path, &text, &shown, err));
        qc_rc rc = QC_FAIL_ERRNO(&why, e->fts_errno == 0 ? ELOOP : e->fts_errno, "%s", shown);
        run->go_on = client_object(run->c, rc, qc_buf_span(&name), &why, &run->worst);
        return QC_OK;
    }
}

static qc_rc put_tree(struct put_run *run, const char *dir, const char *prefix, struct qc_err *err)
{
    char absolute[QC_CLIENT_PATH_MAX] = "";
    struct stat st;
    if (stat(dir, &st) != 0)
        return QC_FAIL_OS(err, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return QC_FAIL(err, QC_USAGE, "-r wants a directory, and %s is none", dir);
    if (prefix == NULL) {
        if (realpath(dir, absolute) == NULL)
            return QC_FAIL_OS(err, "%s", dir);
        prefix = strrchr(absolute, '/') + 1;
    }
    char *const roots[] = { (char *)(uintptr_t)dir, NULL };
    QC_CLEANUP(fts_free) FTS *tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (tree == NULL)
        return QC_FAIL_OS(err, "%s", dir);
    while (run->go_on) {
        errno = 0;
        const FTSENT *e = fts_read(tree);
        if (e == NULL && errno != 0)
            return QC_FAIL_OS(err, "%s", dir);
        if (e == NULL)
            return QC_OK;
        QC_TRY(put_tree_entry(run, e, strlen(dir), prefix, err));
    }
    return QC_OK;
}

static bool ends_in_slash(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && s[n - 1] == '/';
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static qc_rc check_words(const struct qc_args *args, bool tree, struct qc_err *err)
{
    const char *last = args->argv[args->argc - 1];
    struct stat st;
    if (qc_args_flag(args, "stdin-size") && (tree || strcmp(args->argv[0], "-") != 0))
        return QC_FAIL(err, QC_USAGE, "--stdin-size is of standard input: qcloud put - NAME");
    if (tree && args->argc > 2)
        return QC_FAIL(err, QC_USAGE, "-r takes one DIR and at most one PREFIX");
    if (tree && stat(args->argv[0], &st) == 0 && !S_ISDIR(st.st_mode))
        return QC_FAIL(err, QC_USAGE, "-r takes a directory, and %.200s is none", args->argv[0]);
    if (!tree && args->argc > 2 && !ends_in_slash(last))
        return QC_FAIL(err, QC_USAGE, "several files need a PREFIX/ (ending in a slash) as the last word");
    for (int i = 0; !tree && i < args->argc - (args->argc > 1 ? 1 : 0); i++) {
        if (strcmp(args->argv[i], "-") == 0 && (args->argc != 2 || ends_in_slash(last)))
            return QC_FAIL(err, QC_USAGE, "standard input needs a name: qcloud put - NAME");
        if (strcmp(args->argv[i], "-") != 0 && stat(args->argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            return QC_FAIL(err, QC_USAGE, "%s is a directory; for a tree: qcloud put -r DIR [PREFIX]",
                           args->argv[i]);
    }
    return QC_OK;
}

static qc_rc put_words(struct put_run *run, const struct qc_args *args, struct qc_err *err)
{
    const char *const *word = args->argv;
    int files = args->argc > 1 ? args->argc - 1 : 1;
    if (strcmp(word[0], "-") == 0) {
        put_stdin(run, qc_span_str(word[1]));
        return QC_OK;
    }
    if (args->argc == 2 && !ends_in_slash(word[1])) {
        put_run_file(run, word[0], qc_span_str(word[1]));
        return QC_OK;
    }
    for (int i = 0; i < files && run->go_on; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_CLIENT_TEXT_MAX };
        QC_TRY(
            name_below(args->argc > 1 ? word[files] : "", qc_span_str(last_component(word[i])), &name, err));
        put_one(run, word[i], qc_buf_span(&name), NULL);
    }
    return QC_OK;
}

/* Whatever was stored is kept, also where something else was not stored. */
static qc_rc keep_all(struct put_run *run, struct qc_err *err)
{
    struct client *c = run->c;
    const qc_rc rc = keeping_flush(c, &c->kept_worst, err);
    run->worst = qc_rc_worse(run->worst, c->kept_worst);
    return rc;
}

qc_rc cmd_put(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(sites_done) struct sites sites = { 0 };
    QC_CLEANUP(put_run_done) struct put_run run = {
        .c = c, .worst = QC_OK, .go_on = true, .stdin_size = VAULT_SIZE_UNKNOWN
    };
    const bool shared = c->shared;
    c->metered = true;
    bool tree = qc_args_flag(args, "recursive");
    run.follow = !tree;
    const char *wanted = c->policy.wait[0] != '\0' ? c->policy.wait : "full";
    const char *wait = qc_args_value(args, "wait", wanted);
    const char *until = qc_args_value(args, "retain-until", NULL);
    run.opts.if_absent = qc_args_flag(args, "if-absent");
    c->pad = qc_args_flag(args, "pad") || c->policy.pad;
    run.opts.anew = qc_args_flag(args, "restart");
    run.opts.hasty = strcmp(wait, "quorum") == 0;
    if (!run.opts.hasty && strcmp(wait, "full") != 0)
        return QC_FAIL(err, QC_USAGE, "--wait is full or quorum, not '%.40s'", wait);
    if (run.opts.hasty && strcmp(c->policy.wait, "full") == 0)
        return QC_FAIL(err, QC_USAGE, "--wait quorum, and policy '%s' waits for all clouds", c->policy.name);
    unsigned jobs = 1;
    QC_TRY(qc_args_u64(args, "stdin-size", true, 0, UINT64_C(1) << 53, &run.stdin_size, err));
    QC_TRY(side_jobs(args, &jobs, err));
    QC_TRY(check_words(args, tree, err));
    if (until != NULL && shared)
        return QC_FAIL(err, QC_USAGE, "--retain-until is for the profile ec");
    if (until != NULL)
        QC_TRY(keeping_new(c, until, false, err));
    if (shared)
        run.sites = &sites;
    QC_TRY(shared ? sites_open(c, MSG_SHARED_PUT, &sites, err) : client_open(c, err));
    if (!shared && (tree || args->argc > 2))
        QC_TRY(side_new(&run.side, c, jobs, true, err));
    run.waiting = put_small_new(&run);
    qc_rc rc = tree ? put_tree(&run, args->argv[0], args->argc > 1 ? args->argv[1] : NULL, err)
                    : put_words(&run, args, err);
    if (run.go_on)
        put_small_all(&run);
    put_small_sent(&run);
    side_end_all(run.side);
    QC_TRY(keep_all(&run, err));
    QC_TRY(rc);
    return client_outcome(c, run.worst, "not stored as asked", err);
}
