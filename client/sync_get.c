/* sync: to the folder. A file, or several small ones that are fetched ahead and made durable together. What
 * a file takes the place of is looked at once more, at the last moment. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "side.h"
#include "sync_steps.h"
#include "vault/sink_file.h"

struct get {
    const struct sync_step *s;
    char *place;
    qc_buf name;
    struct vault_sink_file *file;
    struct sync_digest *digest; /* of what is written to it */
    struct vault_stat got;
    bool local; /* nothing was asked of the vault yet */
};

static void get_done(struct get *g)
{
    sync_digest_free(&g->digest);
    vault_sink_file_free(&g->file);
    vault_stat_done(&g->got);
    qc_buf_free(&g->name);
    qc_free(g->place);
    g->place = NULL;
}

qc_rc sync_check_unchanged(const char *place, const struct sync_entry *seen, struct qc_err *err)
{
    struct stat st;
    const bool there = lstat(place, &st) == 0;
    if (!there && errno != ENOENT)
        return QC_FAIL_OS(err, "cannot look at it");
    const struct sync_stat now = there ? sync_stat_of(&st) : (struct sync_stat){ 0 };
    if (there != (seen != NULL) || (there && (!sync_is_synced(&st) || !sync_stat_same(&now, &seen->st))))
        return QC_FAIL(err, QC_CHANGED, "it was changed here while the sync ran");
    return QC_OK;
}

static qc_rc look_again(void *ctx, struct qc_err *err)
{
    const struct get *g = ctx;
    return sync_check_unchanged(g->place, g->s->here, err);
}

/* The row of what was got. Whoever writes to the file from now on gives it another mtime than the old one
 * that the object brought; only where there is none such a tick has to pass. */
static qc_rc keep_got(struct sync_run *run, const struct get *g, struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct stat st;
    struct sync_entry row = { .kind = SYNC_FILE };
    const struct vault_stat *got = &g->got;
    const int64_t now = sync_now_ns(), mtime = sync_time_ns(got->mtime_s, got->mtime_ns);
    memcpy(row.version, got->version, SYNC_VERSION_BYTES);
    if (lstat(g->place, &st) != 0 || !sync_is_synced(&st))
        return sync_state_drop(run->state, g->s->path, err); /* somebody took it away: the next sync sees */
    row.st = sync_stat_of(&st);
    row.quiet =
        got->has_mtime && row.st.mtime_ns == mtime && row.st.size == got->size && sync_time_past(mtime, now);
    if (!row.quiet && sync_settled(g->place, &row.st, &row.quiet, &why) != QC_OK)
        return sync_state_drop(run->state, g->s->path, err);
    uint8_t sum[SYNC_DIGEST_BYTES];
    bool has = false;
    QC_TRY(sync_digest_end(g->digest, got->size, sum, &has, err));
    if (has)
        QC_TRY(sync_state_digest_put(run->state, g->s->path, got->version, sum, err));
    return sync_state_put(run->state, g->s->path, &row, err);
}

/* A get writes NAME.part first, and takes one that it finds for the rest of a get that was killed. One that
 * was synced is the user's. */
static qc_rc check_part(const struct sync_run *run, qc_span path, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf part = { .max = QC_VAULT_NAME_MAX + 8 };
    QC_TRY(qc_buf_add(&part, path, err));
    QC_TRY(qc_buf_add(&part, QC_LIT(".part"), err));
    const qc_span p = qc_buf_span(&part);
    if (sync_list_find(&run->here, p) != NULL &&
        (sync_list_find(&run->base, p) != NULL || sync_list_find(&run->there, p) != NULL))
        return QC_FAIL(err, QC_CONFLICT, "a file of yours has this name with .part behind it: rename that");
    return QC_OK;
}

/* -- what killed gets left ------------------------------------------------------------------------------- */

/* NAME with an end. *ret_gone: nothing of that name is left but what the run has seen as something else;
 * false: another command has taken it up. */
static qc_rc drop_rest(struct sync_run *run, qc_span name, const char *end, bool *ret_gone,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_CLIENT_PATH_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd file = { 0 };
    char place[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    QC_TRY(qc_buf_add(&path, name, err));
    QC_TRY(qc_buf_add_str(&path, end, err));
    const struct sync_entry *e = sync_list_find(&run->here, qc_buf_span(&path));
    *ret_gone = true;
    if (e == NULL || e->kind != SYNC_REST)
        return QC_OK;
    QC_TRY(sync_place(run, qc_buf_span(&path), place, err));
    *ret_gone = sync_check_unchanged(place, e, &why) == QC_OK;
    if (*ret_gone && !sync_is_link(&e->st))
        *ret_gone =
            qc_open_at(&file, AT_FDCWD, place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &why) == QC_OK &&
            flock(qc_fd_get(&file), LOCK_EX | LOCK_NB) == 0;
    if (*ret_gone && unlink(place) != 0)
        return QC_FAIL_OS(err, "cannot remove what an interrupted get left");
    if (*ret_gone)
        sync_touched(run, name);
    return QC_OK;
}

static qc_rc drop_rests_of(struct sync_run *run, qc_span name, struct qc_err *err)
{
    struct qc_err why = { 0 };
    bool file = false, link = false;
    qc_rc rc = drop_rest(run, name, ".part", &file, &why);
    if (rc == QC_OK)
        rc = drop_rest(run, name, ".part-link", &link, &why);
    if (rc != QC_OK)
        sync_outcome(run, rc, false, true, MSG_SYNC, name, &why);
    return file && link ? sync_state_coming(run->state, name, false, err) : QC_OK;
}

qc_rc sync_drop_rests(struct sync_run *run, struct qc_err *err)
{
    size_t at = 0;
    for (size_t i = 0; i < sync_list_count(&run->coming); i++) {
        const qc_span name = sync_list_path(&run->coming, sync_list_at(&run->coming, i));
        const struct sync_step *s = NULL;
        while (at < sync_plan_count(&run->plan) && qc_span_cmp(sync_plan_at(&run->plan, at)->path, name) < 0)
            at++;
        if (at < sync_plan_count(&run->plan))
            s = sync_plan_at(&run->plan, at);
        if (s == NULL || !qc_span_eq(s->path, name) || !sync_is_got(s->what))
            QC_TRY(drop_rests_of(run, name, err));
    }
    return QC_OK;
}

/* beside: a place that was found just now; or NULL. */
static qc_rc begin(struct sync_run *run, struct get *g, const char *beside, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    g->name.max = QC_VAULT_NAME_MAX;
    g->local = true;
    QC_TRY(client_place_beside(run->dir, beside, g->s->path, place, err));
    sync_touched(run, g->s->path);
    QC_TRY(check_part(run, g->s->path, err));
    QC_TRY(sync_name(run, g->s->path, &g->name, err));
    g->place = qc_strdup(place);
    if (g->place == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", place);
    QC_TRY(vault_sink_file_new(&g->file, place, g->s->here != NULL, err));
    vault_sink_file_last(g->file, look_again, g);
    vault_sink_file_links(g->file);
    if (run->sparse)
        vault_sink_file_sparse(g->file);
    QC_TRY(sync_digest_sink(&g->digest, vault_sink_file_sink(g->file), err));
    g->local = false;
    return QC_OK;
}

static qc_rc end(struct sync_run *run, struct get *g, qc_rc rc, const struct qc_err *said, struct qc_err *err)
{
    struct qc_err why = *said;
    if (rc == QC_OK) {
        QC_TRY(keep_got(run, g, err));
        run->moved++;
        run->bytes += g->got.size;
        rc = sync_tell_got(run, &g->got, g->place, &why);
        if (rc == QC_OK)
            rc = client_gave_all(g->file, g->place, &why);
    }
    sync_outcome(run, rc, false, g->local, MSG_GET, g->s->path, &why);
    sync_did(run, g->s, rc);
    return sync_state_coming(run->state, g->s->path, false, err);
}

static struct vault_call call_of(struct sync_run *run)
{
    struct vault_call call = client_call(run->c);
    call.progress = sync_progress;
    call.progress_ctx = run;
    return call;
}

qc_rc sync_get_one(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(get_done) struct get g = { .s = s };
    struct qc_err why = { 0 };
    const struct vault_call call = call_of(run);
    sync_progress_file(run);
    qc_rc rc = begin(run, &g, NULL, &why);
    if (rc == QC_OK)
        rc = vault_get(run->c->vault, qc_buf_span(&g.name), sync_digest_of_sink(g.digest), &call, &g.got,
                       &why);
    return end(run, &g, rc, &why, err);
}

/* -- side by side ---------------------------------------------------------------------------------------- */

struct side_get {
    struct side_job job; /* first */
    struct sync_run *run;
    struct get g;
};

static void side_get_free(struct side_get **sp)
{
    if (*sp != NULL)
        get_done(&(*sp)->g);
    qc_free(*sp);
    *sp = NULL;
}

static qc_rc side_work(struct side_job *j, struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    struct get *g = &((struct side_get *)j)->g;
    return vault_get(v, qc_buf_span(&g->name), sync_digest_of_sink(g->digest), call, &g->got, err);
}

static void side_show(struct side_job *j, const struct vault_progress *at)
{
    sync_side_show(((struct side_get *)j)->run, at);
}

static void side_end(struct side_job *j, qc_rc rc, struct qc_err *why)
{
    QC_CLEANUP(side_get_free) struct side_get *s = (struct side_get *)j;
    struct qc_err err = { 0 };
    sync_side_end(s->run, end(s->run, &s->g, rc, why, &err), &err);
}

qc_rc sync_get_beside(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(side_get_free) struct side_get *job = qc_alloc(sizeof *job);
    struct qc_err why = { 0 };
    if (job == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *job);
    job->job = (struct side_job){ side_work, side_end, side_show };
    job->run = run;
    job->g.s = s;
    const qc_rc rc = begin(run, &job->g, NULL, &why);
    if (rc != QC_OK)
        return end(run, &job->g, rc, &why, err);
    side_begin(run->side, &QC_STEAL(job)->job);
    return sync_side_rc(run, err);
}

/* -- several --------------------------------------------------------------------------------------------- */

struct gets {
    struct sync_run *run;
    struct get v[QC_CLIENT_TOGETHER];
    struct vault_sink_file *files[QC_CLIENT_TOGETHER]; /* borrowed; NULL: it did not come */
    struct vault_sink_outcome outcomes[QC_CLIENT_TOGETHER];
    size_t count;
};

static void gets_free(struct gets **tp)
{
    for (size_t i = 0; *tp != NULL && i < (*tp)->count; i++)
        get_done(&(*tp)->v[i]);
    qc_free(*tp);
    *tp = NULL;
}

static qc_rc fetch(struct gets *t, size_t i, const struct vault_call *call, struct qc_err *err)
{
    struct get *g = &t->v[i];
    QC_TRY(begin(t->run, g, i > 0 ? t->v[i - 1].place : NULL, err));
    vault_sink_file_later(g->file);
    QC_TRY(vault_get(t->run->c->vault, qc_buf_span(&g->name), sync_digest_of_sink(g->digest), call, &g->got,
                     err));
    t->files[i] = g->file;
    return QC_OK;
}

/* Those that follow, by one request; a hint. */
static void fetch_ahead(struct gets *t, const struct vault_call *call)
{
    qc_buf text[QC_CLIENT_TOGETHER] = { 0 };
    qc_span names[QC_CLIENT_TOGETHER];
    struct qc_err none = { 0 };
    size_t n = 0;
    for (; n < t->count; n++) {
        text[n].max = QC_VAULT_NAME_MAX;
        if (sync_name(t->run, t->v[n].s->path, &text[n], &none) != QC_OK)
            break;
        names[n] = qc_buf_span(&text[n]);
    }
    vault_ahead(t->run->c->vault, names, n, call);
    for (size_t i = 0; i <= n && i < t->count; i++)
        qc_buf_free(&text[i]);
}

static qc_rc get_together(struct sync_run *run, const struct sync_waiting *w, struct qc_err *err)
{
    QC_CLEANUP(gets_free) struct gets *t = qc_alloc(sizeof(*t));
    const struct vault_call call = call_of(run);
    if (t == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for %zu files", w->count);
    t->run = run;
    for (; t->count < w->count; t->count++)
        t->v[t->count].s = w->v[t->count];
    fetch_ahead(t, &call);
    for (size_t i = 0; i < t->count && run->go_on; i++) {
        struct vault_sink_outcome *o = &t->outcomes[i];
        o->rc = fetch(t, i, &call, &o->why);
        if (o->rc != QC_OK)
            QC_TRY(end(run, &t->v[i], o->rc, &o->why, err));
    }
    vault_ahead(run->c->vault, NULL, 0, &call);
    vault_sink_files_finish(t->files, t->outcomes, t->count);
    for (size_t i = 0; i < t->count; i++)
        if (t->files[i] != NULL)
            QC_TRY(end(run, &t->v[i], t->outcomes[i].rc, &t->outcomes[i].why, err));
    return QC_OK;
}

qc_rc sync_get_waiting(struct sync_run *run, struct sync_waiting *w, struct qc_err *err)
{
    const struct sync_waiting all = *w;
    *w = (struct sync_waiting){ 0 };
    if (all.count == 0 || !run->go_on || !sync_may_go_on(run, all.v[0]->path))
        return QC_OK;
    sync_progress_file(run);
    return all.count == 1 ? sync_get_one(run, all.v[0], err) : get_together(run, &all, err);
}
