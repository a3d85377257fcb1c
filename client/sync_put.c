/* sync: to the vault. A file, or several small ones as one bundle; of each the row says before it begins that
 * it may come to be, and afterwards what it became. */
#include <fcntl.h>

#include "base/alloc.h"
#include "side.h"
#include "sync_steps.h"
#include "vault/bundle.h"
#include "vault/source_file.h"

struct put {
    const struct sync_step *s;
    char *place;
    qc_buf name;
    struct vault_source_file *file;
    struct sync_digest *digest; /* of what is read of it; a folder has none */
    struct sync_stat st;
    bool quiet;
};

static void put_done(struct put *p)
{
    sync_digest_free(&p->digest);
    vault_source_file_free(&p->file);
    qc_buf_free(&p->name);
    qc_free(p->place);
    p->place = NULL;
}

/* -- rows ------------------------------------------------------------------------------------------------ */

qc_rc sync_keep_open(struct sync_run *run, const struct sync_step *s, const struct sync_stat *st, bool quiet,
                     struct qc_err *err)
{
    struct sync_entry row = { .st = *st, .open = true, .quiet = quiet };
    if (s->there != NULL)
        memcpy(row.version, s->there->version, SYNC_VERSION_BYTES);
    return sync_state_put(run->state, s->path, &row, err);
}

/* The row of what is stored now. A file that was changed since it was looked at is stored again next time. */
static qc_rc keep_put(struct sync_run *run, const struct put *p, const uint8_t *version, struct qc_err *err)
{
    struct stat st;
    struct sync_entry row = { .st = p->st };
    uint8_t sum[SYNC_DIGEST_BYTES];
    bool has = false;
    memcpy(row.version, version, SYNC_VERSION_BYTES);
    QC_TRY(sync_digest_end(p->digest, p->st.size, sum, &has, err));
    if (has)
        QC_TRY(sync_state_digest_put(run->state, p->s->path, version, sum, err));
    if (lstat(p->place, &st) == 0) {
        const struct sync_stat now = sync_stat_of(&st);
        row.quiet = p->quiet && (sync_is_dir(&p->st) || sync_stat_same(&now, &p->st));
    }
    return sync_state_put(run->state, p->s->path, &row, err);
}

/* -- one ------------------------------------------------------------------------------------------------- */

/* As the plan saw it: its time changes with what comes and goes in it now. */
static qc_rc open_folder(const struct sync_run *run, struct put *p, const char *place, struct qc_err *err)
{
    p->st = p->s->here->st;
    p->quiet = true;
    QC_TRY(sync_name(run, p->s->path, &p->name, err));
    p->place = qc_strdup(place);
    if (p->place == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", place);
    const struct timespec mtime = client_time_of(p->st.mtime_ns);
    return vault_source_folder_new(&p->file, p->st.mode, mtime.tv_sec, (uint32_t)mtime.tv_nsec, err);
}

/* later: it is opened when its turn to be read comes. */
static qc_rc open_put(struct sync_run *run, struct put *p, bool later, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    p->name.max = QC_VAULT_NAME_MAX;
    QC_TRY(sync_place(run, p->s->path, place, err));
    if (sync_is_dir(&p->s->here->st))
        return open_folder(run, p, place, err);
    QC_TRY(sync_settled(place, &p->st, &p->quiet, err));
    QC_TRY(sync_name(run, p->s->path, &p->name, err));
    p->place = qc_strdup(place);
    if (p->place == NULL)
        return QC_FAIL(err, QC_NOMEM, "%s", place);
    if (sync_is_link(&p->st))
        QC_TRY(vault_source_link_open(&p->file, AT_FDCWD, place, err));
    else
        QC_TRY(later ? vault_source_file_later(&p->file, AT_FDCWD, place, false, err)
                     : vault_source_file_open(&p->file, AT_FDCWD, place, false, err));
    return sync_digest_source(&p->digest, vault_source_file_source(p->file), err);
}

static const struct vault_source *source_of(const struct put *p)
{
    return p->digest != NULL ? sync_digest_of_source(p->digest) : vault_source_file_source(p->file);
}

/* Ready to be stored, or it is told why not. *ret_other: its row says now that it is another file than the
 * plan saw. */
static qc_rc begin(struct sync_run *run, struct put *p, bool later, bool *ret_ready, bool *ret_other,
                   struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = open_put(run, p, later, &why);
    *ret_ready = rc == QC_OK;
    if (rc != QC_OK) {
        sync_outcome(run, rc, false, true, MSG_PUT, p->s->path, &why);
        sync_did(run, p->s, rc);
        return QC_OK;
    }
    if (sync_stat_same(&p->st, &p->s->here->st))
        return QC_OK;
    *ret_other = true;
    return sync_keep_open(run, p->s, &p->st, p->quiet, err);
}

static qc_rc end(struct sync_run *run, const struct put *p, qc_rc rc, struct vault_put_result *r,
                 const struct qc_err *said, struct qc_err *err)
{
    struct qc_err why = *said;
    if (rc == QC_OK && sync_is_dir(&p->st) && !r->degraded) {
        QC_TRY(keep_put(run, p, r->version, err));
    } else if (rc == QC_OK) {
        QC_TRY(keep_put(run, p, r->version, err));
        run->moved += sync_is_dir(&p->st) ? 0 : 1;
        run->bytes += r->size;
        rc = client_stored(run->c, qc_buf_span(&p->name), false, r, &why);
        if (rc == QC_OK)
            rc = client_kept_all(p->file, false, qc_buf_span(&p->name), &why);
    }
    sync_outcome(run, rc, r->open, false, MSG_PUT, p->s->path, &why);
    sync_did(run, p->s, rc);
    return QC_OK;
}

/* The version that it takes the place of; zeros: none. */
static const uint8_t *over(const struct sync_step *s)
{
    static const uint8_t nothing[VAULT_ID_BYTES] = { 0 };
    return s->there != NULL ? s->there->version : nothing;
}

qc_rc sync_put_one(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(put_done) struct put p = { .s = s };
    struct vault_put_result r = { 0 };
    struct qc_err why = { 0 };
    bool ready = false, other = false;
    const struct vault_put_opts opts = { .over = over(s), .hasty = run->hasty };
    struct vault_call call = client_call(run->c);
    call.progress = sync_progress;
    call.clouds = progress_clouds(&run->progress);
    call.progress_ctx = run;
    sync_progress_file(run);
    QC_TRY(begin(run, &p, false, &ready, &other, err));
    if (!ready)
        return QC_OK;
    if (other)
        QC_TRY(sync_state_commit(run->state, err));
    const qc_rc rc = vault_put(run->c->vault, qc_buf_span(&p.name), source_of(&p), &opts, &call, &r, &why);
    return end(run, &p, rc, &r, &why, err);
}

/* -- side by side ---------------------------------------------------------------------------------------- */

struct side_put {
    struct side_job job; /* first */
    struct sync_run *run;
    struct put p;
    struct vault_put_opts opts;
    struct vault_put_result r;
};

static void side_put_free(struct side_put **sp)
{
    if (*sp != NULL)
        put_done(&(*sp)->p);
    qc_free(*sp);
    *sp = NULL;
}

static qc_rc side_work(struct side_job *j, struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    struct side_put *s = (struct side_put *)j;
    return vault_put(v, qc_buf_span(&s->p.name), source_of(&s->p), &s->opts, call, &s->r, err);
}

static void side_show(struct side_job *j, const struct vault_progress *at)
{
    sync_side_show(((struct side_put *)j)->run, at);
}

static void side_end(struct side_job *j, qc_rc rc, struct qc_err *why)
{
    QC_CLEANUP(side_put_free) struct side_put *s = (struct side_put *)j;
    struct qc_err err = { 0 };
    sync_side_end(s->run, end(s->run, &s->p, rc, &s->r, why, &err), &err);
}

qc_rc sync_put_beside(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(side_put_free) struct side_put *job = qc_alloc(sizeof *job);
    bool ready = false, other = false;
    if (job == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *job);
    *job = (struct side_put){ .job = { side_work, side_end, side_show },
                              .run = run,
                              .p = { .s = s },
                              .opts = { .over = over(s), .hasty = run->hasty } };
    QC_TRY(begin(run, &job->p, false, &ready, &other, err));
    if (!ready)
        return QC_OK;
    if (other)
        QC_TRY(sync_state_commit(run->state, err));
    side_begin(run->side, &QC_STEAL(job)->job);
    return sync_side_rc(run, err);
}

/* -- several --------------------------------------------------------------------------------------------- */

bool sync_wait(struct sync_waiting *w, const struct sync_step *s, uint64_t size, size_t most, uint64_t bytes)
{
    if (size > QC_VAULT_BUNDLED_MAX || w->count == most || w->bytes + size + QC_VAULT_N_ABOUT > bytes)
        return false;
    w->v[w->count++] = s;
    w->bytes += size + QC_VAULT_N_ABOUT;
    return true;
}

struct sync_puts {
    struct sync_run *run;
    struct put v[QC_VAULT_BUNDLE_FILES];
    struct vault_put_item items[QC_VAULT_BUNDLE_FILES];
    bool again[QC_VAULT_BUNDLE_FILES]; /* it is to be put alone */
    size_t count, told, again_count;
    qc_rc rc; /* of the state */
    struct qc_err err;
};

static void puts_free(struct sync_puts **bp)
{
    for (size_t i = 0; *bp != NULL && i < (*bp)->count; i++)
        put_done(&(*bp)->v[i]);
    qc_free(*bp);
    *bp = NULL;
}

/* What ends the run is told once: those behind it were not asked for, as it were. */
static void told(void *ctx, size_t i, qc_rc rc, bool again, struct vault_put_result *r,
                 const struct qc_err *err)
{
    struct sync_puts *b = ctx;
    b->told++;
    if (b->rc != QC_OK || (rc != QC_OK && !r->open && !b->run->go_on))
        return;
    if (rc != QC_OK && again) {
        b->again[i] = true;
        b->again_count++;
        return;
    }
    b->rc = end(b->run, &b->v[i], rc, r, err, &b->err);
    sync_progress_file(b->run);
}

/* All of it was told; nothing is on its way. */
static qc_rc put_again(struct sync_puts *b, struct qc_err *err)
{
    for (size_t i = 0; i < b->count && b->rc == QC_OK && b->run->go_on; i++)
        if (b->again[i])
            b->rc = sync_put_one(b->run, b->v[i].s, &b->err);
    if (b->rc != QC_OK)
        *err = b->err;
    return b->rc;
}

/* Those that are over, all of which was told of. The first failure counts; behind it nothing is put again. */
static qc_rc put_over(struct sync_run *run, struct qc_err *err)
{
    qc_rc rc = QC_OK;
    while (run->sent_count > 0 && run->sent[0]->told == run->sent[0]->count) {
        QC_CLEANUP(puts_free) struct sync_puts *b = run->sent[0];
        run->sent_count--;
        for (size_t i = 0; i < run->sent_count; i++)
            run->sent[i] = run->sent[i + 1];
        if (rc != QC_OK)
            continue;
        if (b->again_count > 0)
            vault_put_many_end(run->c->vault);
        rc = put_again(b, err);
    }
    return rc;
}

qc_rc sync_put_sent(struct sync_run *run, struct qc_err *err)
{
    if (run->sent_count == 0)
        return QC_OK;
    vault_put_many_end(run->c->vault);
    return put_over(run, err);
}

/* On its way; those that made room for it have come to their end. */
static qc_rc send(struct sync_run *run, struct sync_puts **bp, struct qc_err *err)
{
    struct sync_puts *b = QC_STEAL(*bp);
    const struct vault_put_many many = {
        .items = b->items, .count = b->count, .hasty = b->run->hasty, .told = told, .ctx = b
    };
    struct vault_call call = client_call(run->c);
    call.progress = sync_progress;
    call.clouds = progress_clouds(&run->progress);
    call.progress_ctx = run;
    run->sent[run->sent_count++] = b;
    vault_put_many(run->c->vault, &many, &call);
    return put_over(run, err);
}

static qc_rc put_together(struct sync_run *run, const struct sync_waiting *w, struct qc_err *err)
{
    QC_CLEANUP(puts_free) struct sync_puts *b = qc_alloc(sizeof(*b));
    bool other = false;
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for %zu files", w->count);
    b->run = run;
    for (size_t i = 0; i < w->count; i++) {
        bool ready = false;
        struct put *p = &b->v[b->count++];
        p->s = w->v[i];
        QC_TRY(begin(run, p, true, &ready, &other, err));
        b->items[b->count - 1] = (struct vault_put_item){ .name = qc_buf_span(&p->name), .over = over(p->s) };
        if (ready)
            b->items[b->count - 1].source = source_of(p);
        else
            put_done(&b->v[--b->count]);
    }
    if (b->count == 0)
        return QC_OK;
    if (other)
        QC_TRY(sync_state_commit(run->state, err));
    return send(run, &b, err);
}

/* Of few the reading of one would cost more than their putting saves. */
qc_rc sync_put_waiting(struct sync_run *run, struct sync_waiting *w, struct qc_err *err)
{
    const struct sync_waiting all = *w;
    *w = (struct sync_waiting){ 0 };
    if (all.count == 0 || !run->go_on || !sync_may_go_on(run, all.v[0]->path))
        return QC_OK;
    sync_progress_file(run);
    if (all.count >= QC_VAULT_BUNDLE_LEAST)
        return put_together(run, &all, err);
    QC_TRY(sync_put_sent(run, err));
    for (size_t i = 0; i < all.count && run->go_on; i++)
        if (sync_may_go_on(run, all.v[i]->path))
            QC_TRY(sync_put_one(run, all.v[i], err));
    return QC_OK;
}
