/* sync: renames. One side has a file under another name than at the last run, and the other side takes that
 * over: in the vault up to 256 names by one request, here one rename each.
 *
 * A row says before an object is moved that the new name may come to be, as before a put; the row of the
 * earlier name stays until it is done. Killed in between, the next run finds the object that the row is of
 * under the new name; or under the old one, and does it again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "sync_steps.h"
#include "vault/move.h"

/* Moves of one turn, on one side. */
struct batch {
    struct sync_run *run;
    size_t at[QC_VAULT_CALL_FILES]; /* in the plan */
    size_t n;
    qc_buf from[QC_VAULT_CALL_FILES], to[QC_VAULT_CALL_FILES]; /* names */
    struct vault_move v[QC_VAULT_CALL_FILES];
};

static void batch_free(struct batch **b)
{
    for (size_t i = 0; *b != NULL && i < QC_VAULT_CALL_FILES; i++) {
        qc_buf_free(&(*b)->from[i]);
        qc_buf_free(&(*b)->to[i]);
    }
    qc_free(*b);
    *b = NULL;
}

static const struct sync_step *step_from(const struct sync_run *run, size_t i)
{
    return sync_plan_at(&run->plan, sync_plan_move(&run->plan, i)->from);
}

static const struct sync_step *step_to(const struct sync_run *run, size_t i)
{
    return sync_plan_at(&run->plan, sync_plan_move(&run->plan, i)->to);
}

/* -- what is kept of it ---------------------------------------------------------------------------------- */

/* Whoever writes to a file whose mtime is old gives it another one. */
static bool shows_later(const struct sync_stat *st, int64_t now_ns)
{
    return sync_quiet_at(st, now_ns) || sync_time_past(st->mtime_ns, now_ns);
}

static qc_rc keep(struct sync_run *run, size_t i, const struct sync_entry *row, struct qc_err *err)
{
    uint8_t sum[SYNC_DIGEST_BYTES];
    bool has = false;
    QC_TRY(sync_state_digest(run->state, step_from(run, i)->path, row->version, sum, &has, err));
    if (has)
        QC_TRY(sync_state_digest_put(run->state, step_to(run, i)->path, row->version, sum, err));
    QC_TRY(sync_state_put(run->state, step_to(run, i)->path, row, err));
    QC_TRY(sync_state_drop(run->state, step_from(run, i)->path, err));
    QC_TRY(sync_state_unsure(run->state, step_to(run, i)->path, false, err));
    QC_TRY(sync_state_unsure(run->state, step_from(run, i)->path, false, err));
    run->renamed += sync_is_dir(&row->st) ? 0 : 1;
    sync_plan_moved(&run->plan, i, SYNC_MOVED);
    return QC_OK;
}

/* -- in the vault ---------------------------------------------------------------------------------------- */

/* A file that is not what the plan saw is stored as it is. */
static bool begin(struct batch *b, size_t i, struct qc_err *why)
{
    static const uint8_t nothing[VAULT_ID_BYTES] = { 0 };
    struct sync_run *run = b->run;
    const struct sync_step *from = step_from(run, i), *to = step_to(run, i);
    char place[QC_CLIENT_PATH_MAX];
    b->from[b->n].max = b->to[b->n].max = QC_VAULT_NAME_MAX;
    qc_buf_clear(&b->from[b->n]);
    qc_buf_clear(&b->to[b->n]);
    if (sync_place(run, to->path, place, why) != QC_OK ||
        sync_check_unchanged(place, to->here, why) != QC_OK ||
        sync_name(run, from->path, &b->from[b->n], why) != QC_OK ||
        sync_name(run, to->path, &b->to[b->n], why) != QC_OK)
        return false;
    b->v[b->n] = (struct vault_move){ .from = qc_buf_span(&b->from[b->n]),
                                      .to = qc_buf_span(&b->to[b->n]),
                                      .version = from->there->version,
                                      .over = to->there == NULL ? nothing : to->there->version };
    b->at[b->n++] = i;
    return true;
}

static qc_rc moved(struct sync_run *run, size_t i, const struct vault_move *m, struct qc_err *err)
{
    const struct sync_step *to = step_to(run, i);
    const bool folder = sync_is_dir(&to->here->st);
    struct sync_entry row = { .st = to->here->st,
                              .quiet = folder || shows_later(&to->here->st, run->began_ns) };
    struct qc_err why = { 0 };
    memcpy(row.version, m->moved, SYNC_VERSION_BYTES);
    const qc_rc rc = folder ? QC_OK : sync_tell_renamed(run, m, NULL, &why);
    QC_TRY(keep(run, i, &row, err));
    if (rc != QC_OK)
        sync_outcome(run, rc, false, false, MSG_SYNC, to->path, &why);
    return QC_OK;
}

/* Others have changed one of both names, or no more may be moved: what there is to say of that is said where
 * the file is stored. */
static bool is_plain(qc_rc rc)
{
    return rc == QC_CONFLICT || rc == QC_NOTFOUND || rc == QC_USAGE || rc == QC_QUOTA;
}

static qc_rc end(struct batch *b, size_t x, struct qc_err *err)
{
    struct sync_run *run = b->run;
    const struct vault_move *m = &b->v[x];
    if (m->rc == QC_OK)
        return moved(run, b->at[x], m, err);
    const bool plain = is_plain(m->rc) && !m->open;
    if (!plain && run->go_on)
        sync_outcome(run, m->rc, m->open, false, MSG_SYNC, step_to(run, b->at[x])->path, &m->err);
    sync_plan_moved(&run->plan, b->at[x], plain ? SYNC_UNMOVED : SYNC_MOVE_OPEN);
    return QC_OK;
}

static qc_rc move_there(struct batch *b, struct qc_err *err)
{
    struct sync_run *run = b->run;
    const struct vault_call call = client_call(run->c);
    struct qc_err why = { 0 };
    for (size_t x = 0; x < b->n; x++) {
        const struct sync_step *to = step_to(run, b->at[x]);
        QC_TRY(sync_keep_unsure(run, step_from(run, b->at[x]), err));
        QC_TRY(sync_keep_open(run, to, &to->here->st, shows_later(&to->here->st, run->began_ns), err));
    }
    QC_TRY(sync_state_commit(run->state, err));
    const qc_rc rc = vault_move_many(run->c->vault, b->v, b->n, &call, &why);
    client_tell_notes(run->c, rc, (qc_span){ 0 });
    for (size_t x = 0; x < b->n && rc != QC_OK; x++) {
        b->v[x].rc = rc;
        b->v[x].err = why;
    }
    if (rc == QC_OK)
        QC_TRY(qc_fault(sync_renamed, err));
    for (size_t x = 0; x < b->n; x++)
        QC_TRY(end(b, x, err));
    return QC_OK;
}

/* -- here ------------------------------------------------------------------------------------------------ */

/* The file is at `to` now, with the time and mode that it had. */
static qc_rc row_of(const struct sync_step *from, const struct sync_step *to, const char *place,
                    struct sync_entry *ret, struct qc_err *err)
{
    struct sync_entry row = { .kind = SYNC_FILE };
    struct stat st;
    if (lstat(place, &st) != 0)
        return QC_FAIL_OS(err, "cannot look at it");
    row.st = sync_stat_of(&st);
    memcpy(row.version, to->there->version, SYNC_VERSION_BYTES);
    struct sync_stat was = from->here->st;
    was.ctime_ns = row.st.ctime_ns;
    row.quiet = sync_stat_same(&row.st, &was) && shows_later(&row.st, sync_now_ns());
    *ret = row;
    return QC_OK;
}

/* Two names of one file: rename() does nothing, and says that it did. */
static qc_rc drop_old(const char *old, const char *place, struct qc_err *err)
{
    struct stat a, b;
    const bool one = lstat(old, &a) == 0 && lstat(place, &b) == 0 && a.st_dev == b.st_dev &&
                     a.st_ino == b.st_ino && a.st_nlink > 1;
    return one && unlink(old) != 0 ? QC_FAIL_OS(err, "cannot take its earlier name away") : QC_OK;
}

static qc_rc rename_here(struct sync_run *run, const struct sync_step *from, const struct sync_step *to,
                         char place[QC_CLIENT_PATH_MAX], struct sync_entry *ret, struct qc_err *err)
{
    char old[QC_CLIENT_PATH_MAX];
    QC_TRY(sync_place(run, from->path, old, err));
    QC_TRY(sync_check_unchanged(old, from->here, err));
    QC_TRY(client_place_below(run->dir, to->path, place, err));
    QC_TRY(sync_check_unchanged(place, to->here, err));
    if (renameat2(AT_FDCWD, old, AT_FDCWD, place, to->here == NULL ? RENAME_NOREPLACE : 0) != 0)
        return QC_FAIL_OS(err, "cannot rename it");
    QC_TRY(drop_old(old, place, err));
    sync_touched(run, from->path);
    sync_touched(run, to->path);
    sync_drop_above(run, old);
    return row_of(from, to, place, ret, err);
}

static qc_rc tell_here(struct sync_run *run, const struct sync_step *from, const struct sync_step *to,
                       const char *place, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf a = { .max = QC_VAULT_NAME_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_NAME_MAX };
    QC_TRY(sync_name(run, from->path, &a, err));
    QC_TRY(sync_name(run, to->path, &b, err));
    struct vault_move m = { .from = qc_buf_span(&a), .to = qc_buf_span(&b) };
    memcpy(m.moved, to->there->version, VAULT_ID_BYTES);
    return sync_tell_renamed(run, &m, place, err);
}

/* The folders that names came to and went from, on disk before the state says so. */
static qc_rc sync_above(const struct sync_run *run, qc_span path, qc_buf *last, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char place[QC_CLIENT_PATH_MAX];
    QC_TRY(sync_place(run, path, place, err));
    *strrchr(place, '/') = '\0';
    if (qc_span_eq(qc_buf_span(last), qc_span_str(place)))
        return QC_OK;
    qc_buf_clear(last);
    QC_TRY(qc_buf_add_str(last, place, err));
    struct stat st;
    if (lstat(place, &st) != 0 && errno == ENOENT) /* it was empty, and is gone */
        return QC_OK;
    QC_TRY(qc_dir_open(&dir, place, err));
    return qc_dir_sync(qc_fd_get(&dir), err);
}

static qc_rc sync_batch(const struct batch *b, bool old, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf last = { .max = QC_CLIENT_PATH_MAX };
    for (size_t x = 0; x < b->n; x++)
        QC_TRY(sync_above(b->run, (old ? step_from : step_to)(b->run, b->at[x])->path, &last, err));
    return QC_OK;
}

/* What cannot be renamed here is got, as if nothing were known of it. */
static qc_rc move_here(struct batch *b, size_t i, struct qc_err *err)
{
    struct sync_run *run = b->run;
    const struct sync_step *from = step_from(run, i), *to = step_to(run, i);
    char place[QC_CLIENT_PATH_MAX];
    struct sync_entry row = { 0 };
    struct qc_err why = { 0 };
    if (rename_here(run, from, to, place, &row, &why) != QC_OK) {
        sync_plan_moved(&run->plan, i, SYNC_UNMOVED);
        return QC_OK;
    }
    const qc_rc rc = tell_here(run, from, to, place, &why);
    b->at[b->n++] = i;
    QC_TRY(keep(run, i, &row, err));
    if (rc != QC_OK)
        sync_outcome(run, rc, false, true, MSG_SYNC, to->path, &why);
    return QC_OK;
}

static qc_rc end_here(struct batch *b, struct qc_err *err)
{
    if (b->n == 0)
        return QC_OK;
    QC_TRY(qc_fault(sync_renamed, err));
    QC_TRY(sync_batch(b, true, err));
    return sync_batch(b, false, err);
}

/* -- all ------------------------------------------------------------------------------------------------- */

static bool is_of(const struct sync_run *run, size_t i, const struct sync_move *first)
{
    return i < sync_plan_moves(&run->plan) && sync_plan_move(&run->plan, i)->turn == first->turn &&
           sync_plan_move(&run->plan, i)->here == first->here;
}

/* What is here may be another file than the state says, from now on. */
static qc_rc keep_unsure(struct sync_run *run, size_t at, struct qc_err *err)
{
    const struct sync_move first = *sync_plan_move(&run->plan, at);
    for (size_t i = at; i < at + QC_VAULT_CALL_FILES && is_of(run, i, &first); i++) {
        QC_TRY(sync_state_unsure(run->state, step_to(run, i)->path, true, err));
        QC_TRY(sync_state_unsure(run->state, step_from(run, i)->path, true, err));
        QC_TRY(sync_keep_unsure(run, step_to(run, i), err));
    }
    return sync_state_commit(run->state, err);
}

/* From *at on, those of one turn on one side, as many as fit. */
static qc_rc some(struct batch *b, size_t *at, struct qc_err *err)
{
    struct sync_run *run = b->run;
    const struct sync_move first = *sync_plan_move(&run->plan, *at);
    const size_t end = *at + QC_VAULT_CALL_FILES;
    struct qc_err why = { 0 };
    b->n = 0;
    if (first.here)
        QC_TRY(keep_unsure(run, *at, err));
    for (; *at < end && is_of(run, *at, &first) && run->go_on; ++*at) {
        const struct sync_move *m = sync_plan_move(&run->plan, *at);
        if (!sync_may_go_on(run, step_to(run, *at)->path))
            break;
        if (m->here)
            QC_TRY(move_here(b, *at, err));
        else if (!begin(b, *at, &why))
            sync_plan_moved(&run->plan, *at, SYNC_UNMOVED);
    }
    if (first.here)
        return end_here(b, err);
    return b->n > 0 && run->go_on ? move_there(b, err) : QC_OK;
}

qc_rc sync_do_moves(struct sync_run *run, struct qc_err *err)
{
    if (sync_plan_moves(&run->plan) == 0)
        return QC_OK;
    QC_CLEANUP(batch_free) struct batch *b = qc_alloc(sizeof *b);
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "renames");
    b->run = run;
    for (size_t at = 0; at < sync_plan_moves(&run->plan) && run->go_on;)
        QC_TRY(some(b, &at, err));
    return sync_state_commit(run->state, err);
}
