/* sync: the plan is done, step by step. What was done is in the state before the next second is over; what
 * was about to be done stood there before, so that a run that is killed leaves nothing to guess. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "side.h"
#include "signals.h"
#include "sync_steps.h"
#include "text.h"
#include "vault/sink_file.h"

/* -- looking at a file ----------------------------------------------------------------------------------- */

int64_t sync_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return sync_time_ns(t.tv_sec, (uint32_t)t.tv_nsec);
}

bool sync_quiet_at(const struct sync_stat *st, int64_t now_ns)
{
    return sync_time_past(st->ctime_ns, now_ns);
}

qc_rc sync_place(const struct sync_run *run, qc_span path, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    const int n = snprintf(ret, QC_CLIENT_PATH_MAX, "%s/%.*s", run->dir, (int)path.n, (const char *)path.p);
    if (n < 0 || n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "its path is longer than %d bytes", QC_CLIENT_PATH_MAX - 1);
    return QC_OK;
}

bool sync_is_synced(const struct stat *st)
{
    return S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) || S_ISDIR(st->st_mode);
}

qc_rc sync_settled(const char *place, struct sync_stat *ret, bool *ret_quiet, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        struct stat st;
        const int64_t now = sync_now_ns();
        if (lstat(place, &st) != 0)
            return QC_FAIL_OS(err, "cannot look at it");
        if (!sync_is_synced(&st))
            return QC_FAIL(err, QC_CHANGED, "it is no file any more");
        *ret = sync_stat_of(&st);
        *ret_quiet = sync_quiet_at(ret, now);
        if (*ret_quiet || !sync_quiet_at(ret, now + (QC_SYNC_TICK_MS + 1) * INT64_C(1000000)))
            break; /* or it would take longer than that */
        (void)nanosleep(&(struct timespec){ .tv_nsec = (QC_SYNC_TICK_MS + 1) * 1000000L }, NULL);
    }
    return QC_OK;
}

/* -- outcomes -------------------------------------------------------------------------------------------- */

/* What is the matter of one file, and leaves the others alone: the run goes on, and ends with 4. */
static bool of_file(qc_rc rc)
{
    return rc == QC_CHANGED || rc == QC_CONFLICT || rc == QC_NOTFOUND || rc == QC_USAGE || rc == QC_LIMIT;
}

bool sync_is_away(qc_rc rc)
{
    return rc == QC_TEMP || rc == QC_TIMEOUT || rc == QC_QUORUM || rc == QC_SHARES || rc == QC_LOCKED ||
           rc == QC_FULL || rc == QC_QUOTA || rc == QC_LINK || rc == QC_RANDOM || rc == QC_NOTFOUND;
}

/* Told once, at the end: what was not done is no failure. */
static void stop(struct sync_run *run, qc_span path)
{
    client_tell_notes(run->c, QC_CANCELLED, path);
    if (!run->stopped || qc_span_cmp(path, run->next_path) < 0)
        run->next_path = path;
    run->stopped = true;
    run->go_on = false;
    run->worst = QC_CANCELLED;
}

void sync_outcome(struct sync_run *run, qc_rc rc, bool open, bool local, enum msg_class class, qc_span path,
                  const struct qc_err *why)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
    struct qc_err none = { 0 };
    const enum msg_class usual = run->c->out.class;
    if (rc == QC_CANCELLED && !open) {
        stop(run, path);
        return;
    }
    if (rc != QC_OK && !open && (local || of_file(rc))) {
        client_tell_notes(run->c, rc, path);
        sync_tell_left(run, path, why);
        return;
    }
    qc_ignore(sync_name(run, path, &name, &none), "then the message names nothing");
    run->c->out.class = class;
    run->c->out.muted = rc != QC_OK && rc != QC_CANCELLED && sync_told(run, rc, path);
    const bool go_on = client_put_object(run->c, rc, open, qc_buf_span(&name), why, &run->worst);
    run->go_on = run->go_on && go_on && rc != QC_SHARES;
    run->c->out.class = usual;
    run->c->out.muted = false;
    run->left += rc != QC_OK && rc != QC_DEGRADED ? 1 : 0;
    if (run->watch != NULL && sync_is_away(rc)) {
        run->watch->away = rc;
        run->go_on = false;
    }
}

/* -- delete ---------------------------------------------------------------------------------------------- */

static qc_rc remove_there(struct sync_run *run, const struct sync_step *s, qc_span name, struct qc_err *err)
{
    struct vault_remove_result r = { 0 };
    struct vault_call call = client_call(run->c);
    qc_rc rc = vault_remove_version(run->c->vault, name, s->there->version, &call, &r, err);
    if (rc == QC_NOTFOUND) /* by a run that was killed, say, and heard no answer */
        return sync_tell_removed(run, name, NULL, err);
    QC_TRY(rc);
    QC_TRY(sync_tell_removed(run, name, NULL, err));
    if (r.record_copies < r.clouds)
        return QC_FAIL(err, QC_DEGRADED, "removed; %u of %u clouds have recorded it", r.record_copies,
                       r.clouds);
    return QC_OK;
}

void sync_drop_above(struct sync_run *run, char place[QC_CLIENT_PATH_MAX])
{
    for (char *slash = strrchr(place, '/'); slash > place + strlen(run->dir); slash = strrchr(place, '/')) {
        *slash = '\0';
        const char *above = place + strlen(run->dir) + 1;
        if (run->way != SYNC_DOWN || sync_list_find(&run->there, qc_span_str(above)) != NULL ||
            rmdir(place) != 0)
            return;
        sync_touched(run, qc_span_str(above));
    }
}

static qc_rc remove_here(struct sync_run *run, const struct sync_step *s, qc_span name, struct qc_err *err)
{
    char place[QC_CLIENT_PATH_MAX];
    QC_TRY(sync_place(run, s->path, place, err));
    QC_TRY(sync_check_unchanged(place, s->here, err));
    if (unlink(place) != 0)
        return QC_FAIL_OS(err, "cannot delete it");
    sync_touched(run, s->path);
    QC_TRY(sync_tell_removed(run, name, place, err));
    sync_drop_above(run, place);
    return QC_OK;
}

static qc_rc do_remove(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
    struct qc_err why = { 0 };
    const bool here = s->what == SYNC_REMOVE_HERE;
    qc_rc rc = sync_name(run, s->path, &name, &why);
    if (rc == QC_OK)
        rc = here ? remove_here(run, s, qc_buf_span(&name), &why)
                  : remove_there(run, s, qc_buf_span(&name), &why);
    if (rc == QC_OK || rc == QC_DEGRADED) {
        run->removed++;
        QC_TRY(sync_state_drop(run->state, s->path, err));
        QC_TRY(sync_state_unsure(run->state, s->path, false, err));
    }
    sync_outcome(run, rc, false, here, MSG_REMOVE, s->path, &why);
    sync_did(run, s, rc);
    return QC_OK;
}

/* -- what moves nothing ---------------------------------------------------------------------------------- */

/* A row that was not sure of its file stays so until the file is stored again. */
static qc_rc adopt(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    struct sync_entry row = { .st = s->here->st, .quiet = sync_quiet_at(&s->here->st, run->began_ns) };
    /* What a get has just brought, and was killed: a write from then on shows in the mtime, which is old. */
    row.quiet = row.quiet || sync_time_past(s->here->st.mtime_ns, run->began_ns);
    const bool unsure = s->base != NULL && !s->base->quiet && !s->base->open &&
                        sync_stat_same(&s->here->st, &s->base->st) && !run->checksum;
    row.quiet = row.quiet && !unsure;
    memcpy(row.version, s->there->version, SYNC_VERSION_BYTES);
    return sync_state_put(run->state, s->path, &row, err);
}

/* -- both ------------------------------------------------------------------------------------------------ */

/* A free name for what is here: NAME.local-20261129T043600Z, with a number behind it where that is taken. */
static qc_rc move_aside(struct sync_run *run, const struct sync_step *s, qc_buf *ret, struct qc_err *err)
{
    char from[QC_CLIENT_PATH_MAX], to[QC_CLIENT_PATH_MAX], when[24];
    const time_t now = time(NULL);
    struct tm tm;
    QC_TRY(sync_place(run, s->path, from, err));
    QC_TRY(sync_check_unchanged(from, s->here, err));
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (unsigned i = 1; i <= QC_RETRY_MAX; i++) {
        qc_buf_clear(ret);
        QC_TRY(qc_buf_add(ret, s->path, err));
        QC_TRY(qc_buf_addf(ret, err, ".local-%s", when));
        if (i > 1)
            QC_TRY(qc_buf_addf(ret, err, "-%u", i));
        if (sync_list_find(&run->there, qc_buf_span(ret)) != NULL)
            continue;
        QC_TRY(sync_place(run, qc_buf_span(ret), to, err));
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
            sync_touched(run, s->path);
            return QC_OK;
        }
        if (errno != EEXIST)
            return QC_FAIL_OS(err, "cannot give it another name");
    }
    return QC_FAIL(err, QC_CONFLICT, "no name is free for what is here");
}

/* Both were changed: what is here gets a name of its own, on both sides, and what is in the vault keeps its.
 * Killed in between, what is left to do is what the next run finds: a new file here, and one that is missing.
 */
static qc_rc keep_both(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf aside = { .max = QC_VAULT_NAME_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err why = { 0 };
    bool same = false;
    QC_TRY(sync_compare_bytes(run, s, &same, err));
    if (same) { /* but for time, mode or attributes, or it would not be here: no byte is lost by those of the
                   vault */
        const struct sync_step over = {
            .what = SYNC_GET, .path = s->path, .here = s->here, .there = s->there, .base = s->base
        };
        return sync_get_one(run, &over, err);
    }
    qc_rc rc = move_aside(run, s, &aside, &why);
    if (rc != QC_OK) {
        sync_outcome(run, rc, false, true, MSG_SYNC, s->path, &why);
        return QC_OK;
    }
    const struct sync_step put = { .what = SYNC_PUT, .path = qc_buf_span(&aside), .here = s->here };
    const struct sync_step get = { .what = SYNC_GET, .path = s->path, .there = s->there, .base = s->base };
    QC_TRY(sync_keep_open(run, &put, &s->here->st, false, err));
    QC_TRY(sync_state_drop(run->state, s->path, err));
    QC_TRY(sync_state_commit(run->state, err));
    QC_TRY(sync_put_one(run, &put, err));
    if (run->go_on)
        QC_TRY(sync_get_one(run, &get, err));
    QC_TRY(text_quote(qc_buf_span(&aside), &shown, err));
    qc_err_set(&why, QC_CONFLICT, QC_HERE, "both sides have changed it; what was here is %.*s now",
               (int)shown.n, (const char *)shown.p);
    why.next = "look at both, keep what is right under the first name, then the same command again";
    sync_tell_left(run, s->path, &why);
    return QC_OK;
}

/* It counts for two, however it came out. */
static qc_rc do_keep_both(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    const size_t done = run->files_done;
    QC_TRY(keep_both(run, s, err));
    if (run->go_on)
        run->files_done = done + 2;
    return QC_OK;
}

static void tell_conflict(struct sync_run *run, const struct sync_step *s)
{
    struct qc_err why = { 0 };
    const char *what = run->way == SYNC_UP && s->here == NULL
                           ? "it is gone here, and was changed in the vault"
                       : run->way == SYNC_UP ? "it was changed in the vault"
                       : s->there == NULL    ? "it is gone from the vault, and was changed here"
                       : s->base == NULL     ? "another file of that name is here, which no sync has seen"
                                             : "it was changed here";
    qc_err_set(&why, QC_CONFLICT, QC_HERE, "%s%s", what, s->base == NULL ? "" : " since the last sync");
    why.next =
        run->way == SYNC_UP
            ? "the same command with --conflict local: what is here counts; or sync the other way first"
            : "the same command with --conflict remote: what is in the vault counts; or sync the other "
              "way first";
    sync_tell_left(run, s->path, &why);
}

static qc_rc do_quiet(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    struct qc_err why = { 0 };
    switch (s->what) {
    case SYNC_ADOPT:
        return adopt(run, s, err);
    case SYNC_FORGET:
        return sync_state_drop(run->state, s->path, err);
    case SYNC_CONFLICT:
        tell_conflict(run, s);
        return QC_OK;
    case SYNC_BARRED:
        if (run->way != SYNC_UP) {
            qc_err_set(&why, QC_CONFLICT, QC_HERE, "what is no file or folder stands there, or above it");
            sync_tell_left(run, s->path, &why);
        }
        return QC_OK;
    case SYNC_SAME:
    case SYNC_KEEP:
    case SYNC_KEEP_BOTH:
    case SYNC_STAY:
    case SYNC_MOVE_THERE:
    case SYNC_MOVE_HERE:
    case SYNC_GONE:
    case SYNC_PUT:
    case SYNC_GET:
    case SYNC_REMOVE_HERE:
    case SYNC_REMOVE_THERE:
    case SYNC_DOS:
        break;
    }
    return QC_OK;
}

/* -- all ------------------------------------------------------------------------------------------------- */

bool sync_is_got(enum sync_do what)
{
    return what == SYNC_GET || what == SYNC_KEEP_BOTH;
}

static bool is_put(enum sync_do what)
{
    return what == SYNC_PUT || sync_is_got(what);
}

static bool is_remove(enum sync_do what)
{
    return what == SYNC_REMOVE_HERE || what == SYNC_REMOVE_THERE;
}

qc_rc sync_keep_unsure(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    if (!sync_step_unsure(s))
        return QC_OK;
    struct sync_entry row = *s->base;
    row.quiet = false;
    return sync_state_put(run->state, s->path, &row, err);
}

/* Before a step is done. */
static qc_rc prepare_step(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    if (s->what == SYNC_PUT)
        return sync_keep_open(run, s, &s->here->st, sync_quiet_at(&s->here->st, run->began_ns), err);
    if (!is_put(s->what) && !is_remove(s->what))
        return do_quiet(run, s, err);
    if (s->what != SYNC_REMOVE_HERE)
        QC_TRY(sync_keep_unsure(run, s, err));
    if (sync_step_is_dir(s) || s->what == SYNC_REMOVE_THERE)
        return QC_OK;
    return s->what == SYNC_REMOVE_HERE ? sync_state_unsure(run->state, s->path, true, err)
                                       : sync_state_coming(run->state, s->path, true, err);
}

static qc_rc prepare(struct sync_run *run, struct qc_err *err)
{
    QC_TRY(sync_drop_rests(run, err));
    for (size_t i = 0; i < sync_list_count(&run->unsure); i++)
        QC_TRY(sync_state_unsure(run->state, sync_list_path(&run->unsure, sync_list_at(&run->unsure, i)),
                                 false, err));
    for (size_t i = 0; i < sync_plan_count(&run->plan); i++)
        QC_TRY(prepare_step(run, sync_plan_at(&run->plan, i), err));
    return sync_state_commit(run->state, err);
}

bool sync_may_go_on(struct sync_run *run, qc_span path)
{
    struct qc_err why = { 0 };
    qc_rc rc = qc_go_on(QC_NO_DEADLINE, signals_cancel(), "sync", &why);
    if (rc == QC_OK)
        rc = sync_same_folder(run, &why); /* unmounted, say: what is below it now is not what was looked at */
    if (rc == QC_OK)
        return true;
    sync_outcome(run, rc, false, false, MSG_SYNC, path, &why);
    run->go_on = false;
    return false;
}

void sync_did(struct sync_run *run, const struct sync_step *s, qc_rc rc)
{
    if (sync_step_is_dir(s) || rc == QC_CANCELLED)
        return;
    run->files_done++;
    run->bytes_done += s->what == SYNC_PUT ? s->here->st.size : s->what == SYNC_GET ? s->there->st.size : 0;
}

void sync_side_show(struct sync_run *run, const struct vault_progress *at)
{
    sync_progress_label(run);
    sync_progress(run, at);
}

void sync_side_end(struct sync_run *run, qc_rc rc, const struct qc_err *why)
{
    if (rc == QC_OK || run->side_rc != QC_OK)
        return;
    run->side_rc = rc;
    run->side_why = *why;
}

qc_rc sync_side_rc(const struct sync_run *run, struct qc_err *err)
{
    if (run->side_rc != QC_OK)
        *err = run->side_why;
    return run->side_rc;
}

static qc_rc do_alone(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_TRY(sync_put_sent(run, err));
    if (s->what == SYNC_GET && sync_step_is_dir(s)) {
        sync_make_folder(run, s);
        return QC_OK;
    }
    if (run->side != NULL && s->what == SYNC_PUT)
        return sync_put_beside(run, s, err);
    if (run->side != NULL && s->what == SYNC_GET)
        return sync_get_beside(run, s, err);
    if (s->what == SYNC_PUT)
        return sync_put_one(run, s, err);
    if (s->what == SYNC_GET)
        return sync_get_one(run, s, err);
    return s->what == SYNC_KEEP_BOTH ? do_keep_both(run, s, err) : do_remove(run, s, err);
}

struct waiting {
    struct sync_waiting puts, gets;
};

/* All that is got, before what one of them may have beside it meanwhile. */
static qc_rc end_gets(struct sync_run *run, struct waiting *w, struct qc_err *err)
{
    QC_TRY(sync_put_sent(run, err));
    QC_TRY(sync_get_waiting(run, &w->gets, err));
    side_end_all(run->side);
    return sync_side_rc(run, err);
}

/* Does it wait for others? Those that have waited long enough make room for it. */
static qc_rc waits(struct sync_run *run, struct waiting *w, const struct sync_step *s, bool *ret,
                   struct qc_err *err)
{
    *ret = false;
    if (s->what == SYNC_GET && vault_sink_file_beside(s->path))
        return end_gets(run, w, err);
    if (s->what == SYNC_PUT && s->here->st.size <= QC_VAULT_BUNDLED_MAX) {
        *ret = sync_wait(&w->puts, s, s->here->st.size, QC_VAULT_BUNDLE_FILES, QC_VAULT_BUNDLE_MAX);
        if (!*ret)
            QC_TRY(sync_put_waiting(run, &w->puts, err));
        *ret = *ret || sync_wait(&w->puts, s, s->here->st.size, QC_VAULT_BUNDLE_FILES, QC_VAULT_BUNDLE_MAX);
    } else if (s->what == SYNC_GET && s->there->st.size <= QC_VAULT_BUNDLED_MAX && !sync_step_is_dir(s)) {
        *ret = sync_wait(&w->gets, s, s->there->st.size, QC_CLIENT_TOGETHER, QC_VAULT_LOT_MAX);
        if (!*ret) {
            QC_TRY(sync_put_sent(run, err));
            QC_TRY(sync_get_waiting(run, &w->gets, err));
        }
        *ret = *ret || sync_wait(&w->gets, s, s->there->st.size, QC_CLIENT_TOGETHER, QC_VAULT_LOT_MAX);
    }
    return QC_OK;
}

static qc_rc do_step(struct sync_run *run, struct waiting *w, const struct sync_step *s, struct qc_err *err)
{
    bool waiting = false;
    QC_TRY(waits(run, w, s, &waiting, err));
    if (!waiting && run->go_on && sync_may_go_on(run, s->path))
        QC_TRY(do_alone(run, s, err));
    return sync_state_commit_now_and_then(run->state, err);
}

static qc_rc do_waiting(struct sync_run *run, struct waiting *w, struct qc_err *err)
{
    QC_TRY(sync_put_waiting(run, &w->puts, err));
    return end_gets(run, w, err);
}

static qc_rc do_folders(struct sync_run *run, struct qc_err *err)
{
    QC_TRY(sync_remove_folders(run, err));
    QC_TRY(sync_get_instead(run, err));
    return sync_finish_folders(run, err);
}

/* What is new first: nothing is deleted before all else has come over. */
qc_rc sync_do_all(struct sync_run *run, struct qc_err *err)
{
    const struct sync_plan *p = &run->plan;
    struct waiting w = { 0 };
    QC_TRY(sync_do_moves(run, err));
    run->files_all = p->count[SYNC_PUT] + p->count[SYNC_GET] + 2 * p->count[SYNC_KEEP_BOTH] +
                     p->count[SYNC_REMOVE_HERE] + p->count[SYNC_REMOVE_THERE];
    if (!run->go_on)
        return QC_OK;
    QC_TRY(prepare(run, err));
    progress_begin(&run->progress, &run->c->out, (qc_span){ 0 }, run->way == SYNC_UP ? "durable" : "verified",
                   true);
    qc_rc rc = QC_OK;
    for (unsigned turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < sync_plan_count(p) && run->go_on && rc == QC_OK; i++) {
            const struct sync_step *s = sync_plan_at(p, i);
            if (turn == 0 ? is_put(s->what) && !sync_makes_room(s)
                          : is_remove(s->what) && !sync_step_is_dir(s))
                rc = do_step(run, &w, s, err);
        }
        if (rc == QC_OK)
            rc = do_waiting(run, &w, err);
    }
    struct qc_err late = { 0 };
    const qc_rc sent = sync_put_sent(run, &late); /* what was begun before something else failed */
    side_end_all(run->side);
    if (rc == QC_OK && sent != QC_OK) {
        *err = late;
        rc = sent;
    }
    if (rc == QC_OK)
        rc = do_folders(run, err);
    progress_end(&run->progress);
    QC_TRY(rc);
    return sync_state_commit(run->state, err);
}
