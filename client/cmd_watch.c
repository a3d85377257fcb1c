/* watch: a folder is synced whenever something in it has changed, until the program is told to stop. Each
 * pass is a whole sync, which remembers what it did: killed anywhere, the next one goes on. */
#include <inttypes.h>

#include "base/manager.h"
#include "side.h"
#include "signals.h"
#include "sync.h"
#include "sync/notice.h"
#include "sync/pace.h"
#include "text.h"

struct watch {
    struct sync_run run;
    struct sync_watch seen;
    struct sync_notice notice;
    struct sync_pace pace;
    bool remove;    /* as asked; false once something in the folder was unmounted */
    bool told_away; /* why nothing comes over was said, and not yet that it does again */
    bool told_blind;
    bool ready; /* the service manager knows */
    unsigned jobs;
    size_t passes, files, removed;
    uint64_t bytes;
};

static void watch_done(struct watch *w)
{
    sync_run_done(&w->run);
    sync_notice_done(&w->notice);
    qc_buf_free(&w->seen.told[0]);
    qc_buf_free(&w->seen.told[1]);
}

/* -- what is said ---------------------------------------------------------------------------------------- */

static qc_rc event_new(const char *event, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("event", &j, err));
    QC_TRY(qc_json_set_str(j, "event", event, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc tell_event(struct watch *w, const char *event, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(event_new(event, &j, err));
    return out_json(&w->run.c->out, &j, err);
}

static qc_rc tell_watching(struct watch *w, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct out *o = &w->run.c->out;
    QC_TRY(event_new("watching", &j, err));
    QC_TRY(qc_json_set_int(j, "folders", (int64_t)w->notice.folders, err));
    QC_TRY(qc_json_set_int(j, "unwatched", (int64_t)w->notice.unwatched, err));
    QC_TRY(out_json(o, &j, err));
    out_note(o, "watching %zu folder%s; Ctrl-C ends it", w->notice.folders, text_s(w->notice.folders));
    return QC_OK;
}

static void tell_blind(struct watch *w)
{
    if (w->notice.unwatched > 0 && !w->told_blind)
        out_warn(&w->run.c->out, MSG_W_WATCH_BLIND, NULL, "%zu of %zu folders cannot be watched",
                 w->notice.unwatched, w->notice.folders);
    w->told_blind = w->notice.unwatched > 0;
}

static void tell_away(struct watch *w, const struct qc_err *why)
{
    if (!w->told_away)
        out_warn(&w->run.c->out, MSG_W_WATCH_AWAY, NULL, "nothing is synced for now: %s", why->msg);
    w->told_away = true;
}

static qc_rc tell_pass(struct watch *w, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *what = NULL;
    const struct sync_run *run = &w->run;
    char size[TEXT_SIZE];
    text_size(run->bytes, size);
    QC_TRY(event_new("pass", &j, err));
    QC_TRY(sync_summary(run, &what, err));
    QC_TRY(qc_json_set(j, "summary", &what, err));
    QC_TRY(qc_json_set_int(j, "held", (int64_t)run->plan.held, err));
    QC_TRY(out_json(&run->c->out, &j, err));
    if (run->moved + run->renamed + run->removed + run->left > 0)
        out_note(&run->c->out, "%zu file%s (%s) synced, %zu renamed, %zu deleted, %zu failed", run->moved,
                 text_s(run->moved), size, run->renamed, run->removed, run->left);
    return QC_OK;
}

static void tell_manager(struct watch *w, const char *state)
{
    struct qc_err why = { 0 };
    if (qc_manager_tell(state, &why) != QC_OK)
        out_reason(&w->run.c->out, "%s", why.msg);
}

/* -- a pass ---------------------------------------------------------------------------------------------- */

static void folder(void *ctx, const char *path)
{
    struct watch *w = ctx;
    sync_notice_folder(&w->notice, path);
}

/* The session is kept while all goes well; a gateway of one's own may have left meanwhile, as it does. */
static qc_rc open_vault(struct watch *w, struct qc_err *err)
{
    struct client *c = w->run.c;
    revival_again(&c->revival);
    vault_notes_done(&c->told);
    if (c->vault != NULL)
        return QC_OK;
    const enum msg_class usual = c->out.class;
    qc_rc rc = client_open(c, err);
    c->out.class = usual;
    return rc == QC_OK ? side_new(&w->run.side, c, w->jobs, true, err) : rc;
}

/* With the sessions beside it, which are clones of it. */
static void close_vault(struct watch *w)
{
    side_free(&w->run.side);
    vault_close(&w->run.c->vault);
}

static qc_rc pass(struct watch *w, struct qc_err *err)
{
    struct sync_run *run = &w->run;
    QC_TRY(sync_again(run, err));
    QC_TRY(sync_same_folder(run, err));
    QC_TRY(open_vault(w, err));
    qc_rc rc = sync_pass(run, err);
    qc_json_free(&run->c->end.extra);
    QC_TRY(rc);
    if (run->worst == QC_CANCELLED)
        return QC_FAIL(err, QC_CANCELLED, "interrupted");
    if (w->seen.away != QC_OK)
        return QC_FAIL(err, w->seen.away, "%s; the messages above say more", qc_rc_text(w->seen.away));
    if (!run->go_on)
        return QC_FAIL(err, run->worst, "see the messages above");
    return QC_OK;
}

static void add_up(struct watch *w)
{
    w->passes++;
    w->files += w->run.moved;
    w->removed += w->run.removed;
    w->bytes += w->run.bytes;
}

static qc_rc passed(struct watch *w, uint64_t began_ms, struct qc_err *err)
{
    const bool held = w->remove && w->run.plan.held > 0 && !w->seen.refused;
    const bool often = w->run.way == SYNC_BOTH || w->notice.unwatched > 0;
    if (qc_args_value(w->run.args, "interval", NULL) == NULL)
        w->pace.every_ms = (often ? QC_WATCH_OFTEN_S : QC_WATCH_EVERY_S) * UINT64_C(1000);
    sync_pace_done(&w->pace, began_ms, qc_now_ms(), held);
    tell_blind(w);
    if (w->told_away)
        QC_TRY(tell_event(w, "back", err));
    if (w->told_away)
        out_note(&w->run.c->out, "it works again");
    w->told_away = false;
    if (!w->ready) {
        QC_TRY(tell_watching(w, err));
        tell_manager(w, "READY=1");
    }
    w->ready = true;
    return tell_pass(w, err);
}

static qc_rc do_pass(struct watch *w, enum sync_due due, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const uint64_t began_ms = qc_now_ms();
    sync_pace_started(&w->pace);
    w->seen.turn = 1 - w->seen.turn;
    qc_buf_clear(&w->seen.told[w->seen.turn]);
    w->seen.away = QC_OK;
    w->seen.refused = false;
    w->run.rules.remove = w->remove && due == SYNC_DUE_ALL;
    sync_notice_begin(&w->notice);
    qc_rc rc = pass(w, &why);
    sync_notice_end(&w->notice, rc == QC_OK);
    add_up(w);
    if (rc == QC_OK)
        return passed(w, began_ms, err);
    if (!sync_is_away(rc)) {
        *err = why;
        return rc;
    }
    close_vault(w);
    client_tell_notes(w->run.c, rc, (qc_span){ 0 });
    tell_away(w, &why);
    sync_pace_away(&w->pace, qc_now_ms());
    return QC_OK;
}

/* -- until it is told to stop ---------------------------------------------------------------------------- */

static qc_rc wait_for(struct watch *w, uint64_t ms, struct qc_err *err)
{
    struct sync_noticed seen;
    QC_TRY(sync_notice_wait(&w->notice, ms, &seen, err));
    if (seen.changed)
        sync_pace_changed(&w->pace, qc_now_ms());
    if (seen.overflow) {
        QC_TRY(tell_event(w, "overflow", err));
        out_reason(&w->run.c->out, "events were lost: all is looked through");
    }
    if (seen.unmounted && w->remove) {
        w->remove = false;
        out_warn(&w->run.c->out, MSG_W_WATCH_HELD, NULL,
                 "something in the folder was unmounted: nothing is deleted any more");
    }
    return QC_OK;
}

static qc_rc serve(struct watch *w, struct qc_err *err)
{
    uint64_t ms = 0;
    while (!qc_cancel_is(signals_cancel())) {
        const enum sync_due due = sync_pace_due(&w->pace, qc_now_ms(), &ms);
        QC_TRY(due == SYNC_DUE_NOT ? wait_for(w, ms, err) : do_pass(w, due, err));
    }
    return QC_FAIL(err, QC_CANCELLED, "interrupted");
}

static qc_rc take_interval(const struct qc_args *args, uint64_t *ret_ms, struct qc_err *err)
{
    uint64_t s = QC_WATCH_EVERY_S;
    QC_TRY(qc_args_span(args, "interval", 1, 86400, &s, err));
    *ret_ms = s * 1000;
    return QC_OK;
}

qc_rc cmd_watch(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(watch_done) struct watch w = { .run = { .c = app } };
    struct qc_err why = { 0 };
    uint64_t every_ms = 0;
    QC_TRY(side_jobs(args, &w.jobs, err));
    QC_TRY(sync_take(&w.run, args, qc_args_flag(args, "both"), err));
    if (w.run.way == SYNC_DOWN)
        return QC_FAIL(err, QC_USAGE,
                       "a folder is watched: qcloud watch DIR [PREFIX/], with --both both ways");
    QC_TRY(take_interval(args, &every_ms, err));
    w.remove = w.run.rules.remove;
    w.seen.folder = folder;
    w.seen.ctx = &w;
    w.run.watch = &w.seen;
    QC_TRY(sync_open(&w.run, err));
    sync_pace_begin(&w.pace, every_ms, qc_now_ms());
    qc_rc rc = serve(&w, &why);
    tell_manager(&w, "STOPPING=1");
    if (rc == QC_CANCELLED)
        w.run.c->out.class = MSG_CALL; /* the usual end, and no failure to sync */
    if (rc == QC_CANCELLED)
        return QC_FAIL(
            err, rc,
            "stopped: %zu file%s synced and %zu deleted since it began; what has changed since the "
            "last pass is for the next",
            w.files, text_s(w.files), w.removed);
    *err = why;
    return rc;
}
