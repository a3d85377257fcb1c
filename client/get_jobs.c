#include "get_jobs.h"

#include "base/alloc.h"
#include "below.h"
#include "progress.h"
#include "side.h"
#include "vault/sink_file.h"

/* One file. */
struct job_file {
    qc_buf name, found;
    size_t rest; /* where that begins in name */
    char *path;
    struct vault_got got;
    char *part; /* what an interrupted get left; or NULL */
    uint64_t kept;
};

/* Several files that a thread gets, one after the other. */
struct job {
    struct side_job job; /* first */
    struct get_jobs *of;
    struct job_file v[QC_CLIENT_TOGETHER];
    struct vault_sink_file *files[QC_CLIENT_TOGETHER];
    struct vault_sink_outcome outcomes[QC_CLIENT_TOGETHER];
    size_t count;
    uint64_t bytes;
    struct qc_fd dirs[QC_CLIENT_TOGETHER]; /* that they lie in, one after the other */
    size_t dir_count;
    size_t folders; /* that will be: as the files come */
    qc_span folder; /* the last of them: its path below the directory of all */
    bool large;     /* it is one, and not bound to come to its end with others */
    bool shown;     /* progress is on the screen */
    struct progress p;
};

struct get_jobs {
    struct get_run *run;
    const char *dir;
    struct side *side;   /* NULL: nothing was begun yet */
    struct job *waiting; /* for more small files; or NULL */
};

static void job_free(struct job **jp)
{
    struct job *j = *jp;
    *jp = NULL;
    for (size_t i = 0; j != NULL && i < j->count; i++) {
        struct job_file *f = &j->v[i];
        vault_sink_file_free(&j->files[i]);
        vault_got_done(&f->got);
        qc_buf_free(&f->name);
        qc_buf_free(&f->found);
        qc_free(f->path);
        qc_free(f->part);
    }
    for (size_t i = 0; j != NULL && i < j->dir_count; i++)
        qc_fd_close(&j->dirs[i]);
    qc_free(j);
}

/* -- in a thread ----------------------------------------------------------------------------------------- */

/* Told when it is over. */
static void note_kept(void *ctx, const char *part, uint64_t kept)
{
    struct job_file *f = ctx;
    qc_free(f->part);
    f->part = qc_strdup(part);
    f->kept = kept;
}

/* Most files lie where the one before does. Borrowed from the job. */
static qc_rc folder_of(struct job *j, const struct job_file *f, int *ret, struct qc_err *err)
{
    const qc_span folder = below_folder_of(qc_span_from(qc_buf_span(&f->name), f->rest));
    if (j->dir_count == 0 || !qc_span_eq(folder, j->folder)) {
        QC_TRY(below_folder(j->of->dir, folder, &j->dirs[j->dir_count], err));
        j->dir_count++;
        j->folder = folder;
    }
    *ret = qc_fd_get(&j->dirs[j->dir_count - 1]);
    return QC_OK;
}

static qc_rc get_file(struct job *j, size_t i, struct vault *v, const struct vault_call *call,
                      struct qc_err *err)
{
    const struct get_run *run = j->of->run;
    struct job_file *f = &j->v[i];
    struct vault_get_opts opts = run->opts;
    int dir = -1;
    QC_TRY(folder_of(j, f, &dir, err));
    QC_TRY(vault_sink_file_in(&j->files[i], dir, f->path, run->force, err));
    vault_sink_file_tell(j->files[i], note_kept, f);
    vault_sink_file_links(j->files[i]);
    if (!j->large)
        vault_sink_file_later(j->files[i]);
    if (run->sparse)
        vault_sink_file_sparse(j->files[i]);
    opts.found = qc_buf_span(&f->found);
    return vault_get_part(v, qc_buf_span(&f->name), &opts, vault_sink_file_sink(j->files[i]), call, &f->got,
                          err);
}

static void fetch_ahead(const struct job *j, struct vault *v, const struct vault_call *call)
{
    qc_span found[QC_CLIENT_TOGETHER];
    for (size_t i = 0; i < j->count; i++)
        found[i] = qc_buf_span(&j->v[i].found);
    vault_ahead_found(v, found, j->count, call);
}

/* QC_OK: each file has its own outcome; one without its vault_sink_file was not tried. */
static qc_rc work(struct side_job *sj, struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    struct job *j = (struct job *)sj;
    bool go_on = true;
    (void)err;
    if (!j->large)
        fetch_ahead(j, v, call);
    for (size_t i = 0; i < j->count && go_on; i++) {
        struct vault_sink_outcome *o = &j->outcomes[i];
        if (o->rc == QC_OK)
            o->rc = get_file(j, i, v, call, &o->why);
        go_on = !client_ends_run(o->rc);
    }
    if (j->large)
        return QC_OK;
    vault_ahead_found(v, NULL, 0, call);
    vault_sink_files_finish(j->files, j->outcomes, j->count);
    return QC_OK;
}

/* -- in the command's thread ----------------------------------------------------------------------------- */

static void show(struct side_job *sj, const struct vault_progress *at)
{
    struct job *j = (struct job *)sj;
    if (!j->shown)
        progress_begin(&j->p, &j->of->run->c->out, qc_buf_span(&j->v[0].name), "verified", true);
    j->shown = true;
    progress_tell(&j->p, at);
}

static void tell_file(struct job *j, size_t i)
{
    struct get_run *run = j->of->run;
    struct job_file *f = &j->v[i];
    struct vault_sink_outcome *o = &j->outcomes[i];
    const qc_span name = qc_buf_span(&f->name);
    if (o->rc == QC_OK && j->files[i] == NULL)
        return;
    if (o->rc == QC_CONFLICT &&
        !j->large) { /* what another of these has for a while may be this one's name */
        vault_sink_file_free(&j->files[i]);
        get_below(run, name, j->of->dir, qc_span_from(name, f->rest));
        return;
    }
    if (f->part != NULL)
        get_tell_kept(&run->c->out, f->part, f->kept);
    if (o->rc == QC_OK)
        o->rc = get_tell_got(run, name, &f->got, f->path, &o->why);
    else if (j->files[i] != NULL)
        get_leave(run, j->files[i], o->rc);
    if (o->rc == QC_OK)
        o->rc = client_gave_all(j->files[i], f->path, &o->why);
    const bool go_on = get_told(run, o->rc, name, &o->why);
    run->go_on = run->go_on && go_on;
}

/* rc: QC_OK, or why it could not be begun. */
static void end(struct side_job *sj, qc_rc rc, struct qc_err *why)
{
    QC_CLEANUP(job_free) struct job *j = (struct job *)sj;
    struct get_run *run = j->of->run;
    if (j->shown)
        progress_end(&j->p);
    if (rc != QC_OK)
        run->go_on = get_told(run, rc, qc_buf_span(&j->v[0].name), why) && run->go_on;
    for (size_t i = 0; i < j->count && rc == QC_OK; i++)
        tell_file(j, i);
}

/* With the command's own session, while others may be under way; it is told behind them. */
static void run_here(struct get_jobs *jobs, struct job *j)
{
    struct client *c = jobs->run->c;
    struct vault_notes notes = { 0 };
    struct qc_err why = { 0 };
    struct vault_call call = client_call_shown(c, &j->p, qc_buf_span(&j->v[0].name), "verified", true);
    j->shown = true;
    if (jobs->side != NULL) /* c->notes are of who is told */
        call.notes = &notes;
    const qc_rc rc = work(&j->job, c->vault, &call, &why);
    side_end_all(jobs->side);
    if (jobs->side != NULL) {
        vault_notes_done(&c->notes);
        c->notes = notes;
    }
    end(&j->job, rc, &why);
}

static unsigned slots(const struct get_run *run)
{
    return run->jobs > 1 ? run->jobs : QC_CLIENT_LOTS;
}

static void begin(struct job **jp)
{
    struct job *j = QC_STEAL(*jp);
    struct get_jobs *jobs = j->of;
    struct qc_err why = { 0 };
    if (jobs->side != NULL || side_new(&jobs->side, jobs->run->c, slots(jobs->run), false, &why) == QC_OK)
        side_begin(jobs->side, &j->job);
    else
        run_here(jobs, j);
}

static qc_rc fill(struct job_file *f, struct get_jobs *jobs, const struct get_what *what, struct qc_err *err)
{
    char path[QC_CLIENT_PATH_MAX];
    f->name.max = what->name.n;
    f->found.max = what->found.n;
    f->rest = what->name.n - what->rest.n;
    QC_TRY(qc_buf_add(&f->name, what->name, err));
    QC_TRY(qc_buf_add(&f->found, what->found, err));
    QC_TRY(below_path(jobs->dir, what->rest, path, err));
    f->path = qc_strdup(path);
    return f->path != NULL ? QC_OK : QC_FAIL(err, QC_NOMEM, "no memory for a path");
}

/* Than the file before it? */
static bool is_in_other(const struct job *j, const struct get_what *what)
{
    const struct job_file *last = j->count > 0 ? &j->v[j->count - 1] : NULL;
    return last == NULL || last->path == NULL ||
           !qc_span_eq(below_folder_of(what->rest),
                       below_folder_of(qc_span_from(qc_buf_span(&last->name), last->rest)));
}

/* One more to this job, which is made if there is none. false: there is no memory. */
static bool add(struct job **jp, struct get_jobs *jobs, const struct get_what *what)
{
    if (*jp == NULL && (*jp = qc_alloc(sizeof **jp)) != NULL) {
        (*jp)->job = (struct side_job){ work, end, show };
        (*jp)->of = jobs;
        (*jp)->large = what->size > QC_VAULT_BUNDLED_MAX;
    }
    struct job *j = *jp;
    if (j == NULL)
        return false;
    struct vault_sink_outcome *o = &j->outcomes[j->count];
    j->folders += is_in_other(j, what);
    o->rc = fill(&j->v[j->count++], jobs, what, &o->why);
    j->bytes += what->size + QC_VAULT_N_ABOUT;
    return true;
}

/* Once all that are under way are over. */
static void add_alone(struct get_jobs *jobs, const struct get_what *what)
{
    side_end_all(jobs->side);
    if (jobs->run->go_on)
        get_below(jobs->run, what->name, jobs->dir, what->rest);
}

static void add_large(struct get_jobs *jobs, const struct get_what *what)
{
    QC_CLEANUP(job_free) struct job *j = NULL;
    const bool beside = jobs->run->sites == NULL && jobs->run->jobs > 1;
    if (beside && add(&j, jobs, what)) {
        begin(&j);
        return;
    }
    add_alone(jobs, what);
}

/* Each of its files, and of their folders, is open until all are over. */
static bool is_full(const struct job *j, uint64_t size)
{
    const size_t most = QC_CLIENT_LOTS_OPEN / (slots(j->of->run) + 1); /* one may run here */
    return j->count == QC_CLIENT_TOGETHER || j->count + j->folders + 2 > most ||
           j->bytes + size + QC_VAULT_N_ABOUT > QC_VAULT_LOT_MAX;
}

void get_jobs_add(struct get_jobs *jobs, const struct get_what *what)
{
    if (vault_sink_file_beside(what->rest)) { /* what one before it may have beside it while it is got */
        if (jobs->waiting != NULL)
            begin(&jobs->waiting);
        add_alone(jobs, what);
        return;
    }
    if (jobs->run->sites != NULL || what->size > QC_VAULT_BUNDLED_MAX) {
        add_large(jobs, what);
        return;
    }
    if (jobs->waiting != NULL && is_full(jobs->waiting, what->size))
        begin(&jobs->waiting);
    if (!add(&jobs->waiting, jobs, what))
        get_below(jobs->run, what->name, jobs->dir, what->rest);
}

void get_jobs_end(struct get_jobs *jobs)
{
    if (jobs->run->go_on && jobs->waiting != NULL)
        run_here(jobs, QC_STEAL(jobs->waiting));
    side_end_all(jobs->side);
}

struct get_jobs *get_jobs_new(struct get_run *run, const char *dir)
{
    struct get_jobs *jobs = qc_alloc(sizeof *jobs);
    if (jobs == NULL)
        return NULL;
    jobs->run = run;
    jobs->dir = dir;
    return jobs;
}

void get_jobs_free(struct get_jobs **jobs)
{
    if (*jobs == NULL)
        return;
    side_free(&(*jobs)->side);
    job_free(&(*jobs)->waiting);
    qc_free(*jobs);
    *jobs = NULL;
}
