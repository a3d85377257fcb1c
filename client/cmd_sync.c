/* sync: a folder and a prefix of the vault are made alike, one way or both. What is to be done is decided in
 * sync/.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "side.h"
#include "sync.h"
#include "vault/name.h"

void sync_run_done(struct sync_run *run)
{
    side_free(&run->side);
    sync_plan_done(&run->plan);
    sync_list_done(&run->here);
    sync_list_done(&run->there);
    sync_list_done(&run->base);
    sync_list_done(&run->coming);
    sync_list_done(&run->unsure);
    sync_state_close(&run->state);
    sync_ignore_free(&run->leave);
    qc_fd_close(&run->lock);
}

/* -- which word is which --------------------------------------------------------------------------------- */

/* What a word may be. A path that is spelt as one is nothing else; what looks like a prefix and is a folder
 * here may be either. */
struct word {
    bool path;   /* begins with / or ./ or ../, or is . or .. */
    bool dir;    /* a directory of that name is here */
    bool prefix; /* empty, or ends in a slash, and no path */
};

static struct word look_at(const char *s)
{
    struct stat st;
    const size_t n = strlen(s);
    struct word w = { .path = s[0] == '/' || strncmp(s, "./", 2) == 0 || strncmp(s, "../", 3) == 0 ||
                              strcmp(s, ".") == 0 || strcmp(s, "..") == 0 };
    w.dir = n > 0 && stat(s, &st) == 0 && S_ISDIR(st.st_mode);
    w.prefix = !w.path && (n == 0 || s[n - 1] == '/');
    return w;
}

/* "./photos" and "photos/" of a word, whatever it ends in. */
static int bare(const char *s)
{
    size_t n = strlen(s);
    while (n > 0 && s[n - 1] == '/')
        n--;
    return (int)n;
}

static qc_rc ambiguous(const char *why, const char *a, const char *b, struct qc_err *err)
{
    return QC_FAIL(err, QC_USAGE,
                   "%s. To store: qcloud sync ./%.*s %.*s/ - to fetch: qcloud sync %.*s/ ./%.*s", why,
                   bare(a), a, bare(b), b, bare(a), a, bare(b), b);
}

/* Which way it goes is never guessed: one word is the folder beyond doubt, the other may be a prefix. */
static qc_rc find_way(const struct qc_args *args, enum sync_way *ret_way, const char **ret_dir,
                      const char **ret_prefix, struct qc_err *err)
{
    const char *a = args->argv[0], *b = args->argc > 1 ? args->argv[1] : "";
    const struct word first = look_at(a), second = look_at(b);
    if (args->argc == 1 && !first.path && !first.dir)
        return QC_FAIL(err, QC_USAGE, "'%s' is no folder here: the vault as a whole is the other side", a);
    if (args->argc > 1 && first.path && second.path)
        return QC_FAIL(err, QC_USAGE,
                       "'%s' and '%s' are both paths here; one side is a prefix in the vault, PREFIX/, and "
                       "neither begins with a slash nor a dot and a slash",
                       a, b);
    if (args->argc > 1 && !first.path && !second.path && first.dir && second.dir)
        return ambiguous("both words are folders here", a, b, err);
    if (args->argc > 1 && !first.path && !second.path && !first.dir && !second.dir)
        return ambiguous("neither word is a folder here", a, b, err);
    const bool up = args->argc == 1 || first.path || (first.dir && !second.path);
    if (!(up ? second : first).prefix)
        return QC_FAIL(err, QC_USAGE, "a prefix in the vault ends in a slash: '%s/'", up ? b : a);
    *ret_way = up ? SYNC_UP : SYNC_DOWN;
    *ret_dir = up ? a : b;
    *ret_prefix = up ? b : a;
    return QC_OK;
}

static qc_rc take_prefix(struct sync_run *run, const char *prefix, struct qc_err *err)
{
    run->prefix = qc_span_of(prefix, (size_t)bare(prefix));
    if (run->prefix.n > 0)
        QC_TRY_AS(vault_name_check(run->prefix, err), err, "the prefix");
    return QC_OK;
}

/* Where it lies once and for all, since what is remembered is remembered of that place. */
static qc_rc take_dir(struct sync_run *run, const char *dir, struct qc_err *err)
{
    if (run->way == SYNC_DOWN && !run->dry)
        QC_TRY(client_make_dir(dir, err));
    struct stat st;
    if (realpath(dir, run->dir) != NULL) {
        if (stat(run->dir, &st) != 0)
            return QC_FAIL_OS(err, "%s", run->dir);
        run->device = st.st_dev;
        run->inode = st.st_ino;
        return QC_OK;
    }
    if (errno == ENOENT && run->way == SYNC_DOWN) /* of a dry run */
        return places_absolute(dir, run->dir, err);
    return QC_FAIL_OS(err, "%s", dir);
}

/* Patterns of the command line; those of the folder's own files come with each look. */
static qc_rc take_patterns(struct sync_run *run, struct qc_err *err)
{
    sync_ignore_free(&run->leave);
    QC_TRY(sync_ignore_new(&run->leave, err));
    const char *pattern = NULL;
    for (size_t i = 0; (pattern = qc_args_nth(run->args, "exclude", i)) != NULL; i++) {
        if (pattern[0] == '\0')
            return QC_FAIL(err, QC_USAGE, "--exclude: an empty pattern leaves nothing out");
        QC_TRY(sync_ignore_add(run->leave, qc_span_str(pattern), err));
    }
    return QC_OK;
}

/* Of what is put. Two folders are compared with what is stored once, not with three sites. */
static qc_rc take_policy(struct sync_run *run, struct qc_err *err)
{
    struct client *c = run->c;
    if (c->policy.name[0] == '\0')
        return QC_OK;
    if (run->way == SYNC_DOWN)
        return QC_FAIL(err, QC_USAGE, "--policy is of what is stored, and nothing is: PREFIX/ comes first");
    if (c->shared)
        return QC_FAIL(err, QC_USAGE, "policy '%s' has the profile %s, and %s is for the profile ec",
                       c->policy.name, c->policy.profile, c->out.command);
    c->pad = c->policy.pad;
    run->hasty = strcmp(c->policy.wait, "quorum") == 0;
    return QC_OK;
}

static qc_rc take_options(struct sync_run *run, const struct qc_args *args, struct qc_err *err)
{
    const char *conflict = qc_args_value(args, "conflict", "keep-both");
    uint64_t pct = QC_SYNC_DELETE_PCT;
    run->dry = qc_args_flag(args, "dry-run");
    run->checksum = qc_args_flag(args, "checksum");
    run->rules.remove = qc_args_flag(args, "delete");
    if (strcmp(conflict, "local") == 0)
        run->rules.counts = SYNC_HERE;
    else if (strcmp(conflict, "remote") == 0)
        run->rules.counts = SYNC_THERE;
    else if (strcmp(conflict, "keep-both") != 0)
        return QC_FAIL(err, QC_USAGE, "--conflict is keep-both, local or remote, not '%.40s'", conflict);
    if (!run->rules.remove && qc_args_value(args, "max-delete", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--max-delete goes with --delete: nothing is deleted without that");
    QC_TRY(qc_args_u64(args, "max-delete", false, 0, 100, &pct, err));
    run->delete_pct = (unsigned)pct;
    run->lock_ms = run->c->wait_lock_s * 1000;
    run->sparse = qc_args_flag(args, "sparse");
    QC_TRY(take_patterns(run, err));
    run->rules.content = run->checksum;
    run->rules.same = sync_compare;
    run->rules.renames = !qc_args_flag(args, "no-renames");
    run->rules.moved = sync_compare_moved;
    run->rules.ctx = run;
    return QC_OK;
}

qc_rc sync_take(struct sync_run *run, const struct qc_args *args, bool both, struct qc_err *err)
{
    const char *dir = NULL, *prefix = NULL;
    run->args = args;
    QC_TRY(find_way(args, &run->way, &dir, &prefix, err));
    if (both)
        run->way = SYNC_BOTH;
    run->rules.way = run->way;
    QC_TRY(take_options(run, args, err));
    QC_TRY(take_policy(run, err));
    QC_TRY(take_prefix(run, prefix, err));
    return take_dir(run, dir, err);
}

/* -- the run --------------------------------------------------------------------------------------------- */

qc_rc sync_same_folder(const struct sync_run *run, struct qc_err *err)
{
    struct stat st;
    if (stat(run->dir, &st) != 0 && (errno != ENOENT || run->inode != 0))
        return QC_FAIL_OS(err, "%s", run->dir);
    if (run->inode != 0 && (st.st_dev != run->device || st.st_ino != run->inode))
        return QC_FAIL(err, QC_NOTFOUND, "%s is another folder than it was", run->dir);
    return QC_OK;
}

qc_rc sync_again(struct sync_run *run, struct qc_err *err)
{
    sync_plan_done(&run->plan);
    sync_list_done(&run->here);
    sync_list_done(&run->there);
    sync_list_done(&run->base);
    sync_list_done(&run->coming);
    sync_list_done(&run->unsure);
    run->worst = QC_OK;
    run->go_on = true;
    run->stopped = false;
    run->files_all = run->files_done = run->moved = run->removed = run->left = run->renamed = 0;
    run->bytes_done = run->bytes = 0;
    run->side_rc = QC_OK;
    return take_patterns(run, err);
}

static qc_rc check_deletions(struct sync_run *run, struct qc_err *err)
{
    qc_rc rc = sync_plan_check(&run->plan, run->delete_pct, err);
    if (rc != QC_OK)
        err->next = "see what it is: the same command with -n; then, if that is meant, with --max-delete 100 "
                    "(a source without a single file never deletes anything)";
    return rc;
}

static qc_rc make_plan(struct sync_run *run, struct qc_err *err)
{
    sync_plan_done(&run->plan);
    run->rules.coming = &run->coming;
    run->rules.unsure = &run->unsure;
    run->rules.first = sync_list_count(&run->base) == 0;
    return sync_plan_make(&run->plan, &run->rules, &run->here, &run->there, &run->base, err);
}

/* Of a watch: too many are told once, and none is done; all else is. */
static qc_rc refuse_deletions(struct sync_run *run, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (sync_plan_check(&run->plan, run->delete_pct, &why) == QC_OK)
        return QC_OK;
    if (!sync_told(run, QC_USAGE, (qc_span){ 0 }))
        out_warn(&run->c->out, MSG_W_WATCH_HELD, NULL, "not deleted: %s", why.msg);
    run->watch->refused = true;
    run->rules.remove = false;
    return make_plan(run, err);
}

qc_rc sync_pass(struct sync_run *run, struct qc_err *err)
{
    QC_TRY(sync_look(run, err));
    if (run->checksum)
        out_note(
            &run->c->out,
            "the vault keeps no digest of a file's bytes: objects of the same size are read and compared");
    QC_TRY(make_plan(run, err));
    if (!run->dry)
        QC_TRY(run->watch != NULL ? refuse_deletions(run, err) : check_deletions(run, err));
    QC_TRY(sync_tell_bars(run, err));
    if (run->dry) {
        QC_TRY(sync_tell_plan(run, err));
        return check_deletions(run, err);
    }
    return sync_do_all(run, err);
}

qc_rc cmd_sync(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(sync_run_done) struct sync_run run = { .c = app, .worst = QC_OK, .go_on = true };
    unsigned jobs = 1;
    QC_TRY(side_jobs(args, &jobs, err));
    QC_TRY(sync_take(&run, args, qc_args_flag(args, "both"), err));
    QC_TRY(sync_open(&run, err));
    QC_TRY(client_open(run.c, err));
    QC_TRY(side_new(&run.side, run.c, jobs, true, err));
    QC_TRY(sync_pass(&run, err));
    QC_TRY(sync_tell_end(&run, err));
    return client_outcome(run.c, run.worst, "not synced as asked", err);
}
