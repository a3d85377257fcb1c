/* sync: folders. They come before what they hold, and go after it; mode and time are given to them at the
 * end, when nothing comes or goes in them any more: each that does would set the time anew, and a folder may
 * let nobody write to it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sync_steps.h"

/* Folders between the two that the run has not seen were made, or went, with it. */
void sync_touched(struct sync_run *run, qc_span path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/' && sync_list_touch(&run->here, qc_span_sub(path, 0, i - 1)))
            return;
}

/* What stands in its place as the plan saw it goes: a folder replaces a file as another file would. */
static qc_rc make(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    if (s->here != NULL && s->here->kind != SYNC_DIR) {
        QC_TRY(sync_place(run, s->path, place, err));
        QC_TRY(sync_check_unchanged(place, s->here, err));
        if (unlink(place) != 0)
            return QC_FAIL_OS(err, "cannot put a folder in its place");
    }
    return client_make_below(run->dir, s->path, place, err);
}

void sync_make_folder(struct sync_run *run, const struct sync_step *s)
{
    struct qc_err why = { 0 };
    const qc_rc rc = make(run, s, &why);
    if (rc != QC_OK) {
        sync_outcome(run, rc, false, true, MSG_GET, s->path, &why);
        return;
    }
    sync_list_touch(&run->there, s->path);
    if (s->here == NULL || s->here->kind != SYNC_DIR)
        sync_touched(run, s->path);
}

/* A row says what the folder is like now; one whose mode could not be set is got again. */
static qc_rc keep(struct sync_run *run, const struct sync_step *s, const struct stat *st, struct qc_err *err)
{
    struct sync_entry row = { .kind = SYNC_DIR, .quiet = true, .st = sync_stat_of(st) };
    memcpy(row.version, s->there->version, SYNC_VERSION_BYTES);
    return sync_state_put(run->state, s->path, &row, err);
}

static qc_rc finish(struct sync_run *run, int root, const struct sync_step *s, struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct stat st;
    const bool got = s->what == SYNC_GET;
    const struct sync_entry *want = got ? s->there : s->here;
    const qc_rc rc = client_give_folder(root, s->path, got ? &want->st.mode : NULL,
                                        want->has_mtime ? &want->st.mtime_ns : NULL, &st, &why);
    if (rc == QC_CHANGED)
        return QC_OK; /* gone by now, or something else stands there: the next run sees */
    if (rc != QC_OK)
        sync_outcome(run, rc, false, true, MSG_GET, s->path, &why);
    else if (got)
        return keep(run, s, &st, err);
    return QC_OK;
}

static qc_rc open_root(const struct sync_run *run, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd root = { 0 };
    struct stat st;
    QC_TRY(qc_open_at(&root, AT_FDCWD, run->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, err));
    if (fstat(qc_fd_get(&root), &st) != 0)
        return QC_FAIL_OS(err, "%s", run->dir);
    if (run->inode != 0 && (st.st_dev != run->device || st.st_ino != run->inode))
        return QC_FAIL(err, QC_NOTFOUND, "%s is another folder than it was", run->dir);
    *ret = QC_STEAL(root);
    return QC_OK;
}

static bool is_touched(const struct sync_step *s)
{
    if (!sync_step_is_dir(s) || s->what == SYNC_REMOVE_HERE)
        return false;
    return s->what == SYNC_GET ? s->there->touched : s->here != NULL && s->here->touched;
}

qc_rc sync_finish_folders(struct sync_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd root = { 0 };
    struct qc_err why = { 0 };
    if (run->way == SYNC_UP)
        return QC_OK;
    for (size_t i = sync_plan_count(&run->plan); i > 0; i--) {
        const struct sync_step *s = sync_plan_at(&run->plan, i - 1);
        if (!is_touched(s))
            continue;
        const qc_rc rc = qc_fd_is(&root) ? QC_OK : open_root(run, &root, &why);
        if (rc != QC_OK) {
            if (run->go_on) /* else that is what ended the run, and was told */
                sync_outcome(run, rc, false, true, MSG_SYNC, s->path, &why);
            return QC_OK;
        }
        QC_TRY(finish(run, qc_fd_get(&root), s, err));
    }
    return QC_OK;
}

/* -- going ----------------------------------------------------------------------------------------------- */

/* One that holds something is a folder that somebody uses: the next run looks at it anew. */
static qc_rc remove_here(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    QC_TRY(sync_place(run, s->path, place, err));
    if (rmdir(place) == 0)
        sync_touched(run, s->path);
    else if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
        return QC_FAIL_OS(err, "cannot delete the folder");
    return QC_OK;
}

static qc_rc remove_there(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
    struct vault_remove_result r = { 0 };
    struct vault_call call = client_call(run->c);
    QC_TRY(sync_name(run, s->path, &name, err));
    const qc_rc rc =
        vault_remove_version(run->c->vault, qc_buf_span(&name), s->there->version, &call, &r, err);
    return rc == QC_NOTFOUND ? QC_OK : rc;
}

static qc_rc remove_one(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const bool here = s->what == SYNC_REMOVE_HERE;
    const qc_rc rc = here ? remove_here(run, s, &why) : remove_there(run, s, &why);
    if (rc == QC_OK)
        QC_TRY(sync_state_drop(run->state, s->path, err));
    else
        sync_outcome(run, rc, false, here, MSG_REMOVE, s->path, &why);
    return QC_OK;
}

qc_rc sync_remove_folders(struct sync_run *run, struct qc_err *err)
{
    for (size_t i = sync_plan_count(&run->plan); i > 0 && run->go_on; i--) {
        const struct sync_step *s = sync_plan_at(&run->plan, i - 1);
        if ((s->what == SYNC_REMOVE_HERE || s->what == SYNC_REMOVE_THERE) && sync_step_is_dir(s) &&
            sync_may_go_on(run, s->path))
            QC_TRY(remove_one(run, s, err));
    }
    return QC_OK;
}

bool sync_makes_room(const struct sync_step *s)
{
    return s->what == SYNC_GET && s->here != NULL && s->here->kind == SYNC_DIR && !sync_step_is_dir(s);
}

/* A file where a folder is: that goes, if nothing is left in it. */
static qc_rc get_instead(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    struct sync_step get = *s;
    qc_rc rc = sync_place(run, s->path, place, &why);
    if (rc == QC_OK && rmdir(place) != 0 && errno != ENOENT)
        rc = QC_FAIL_OS(&why, "a folder is here, where the vault has a file: it cannot be removed");
    if (rc != QC_OK) {
        sync_outcome(run, QC_CONFLICT, false, true, MSG_GET, s->path, &why);
        return QC_OK;
    }
    sync_touched(run, s->path);
    get.here = NULL;
    return sync_get_one(run, &get, err);
}

qc_rc sync_get_instead(struct sync_run *run, struct qc_err *err)
{
    for (size_t i = 0; i < sync_plan_count(&run->plan) && run->go_on; i++) {
        const struct sync_step *s = sync_plan_at(&run->plan, i);
        if (sync_makes_room(s) && sync_may_go_on(run, s->path))
            QC_TRY(get_instead(run, s, err));
    }
    return QC_OK;
}
