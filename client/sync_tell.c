/* sync: what the user is told. */
#include <inttypes.h>

#include "base/crypto.h"
#include "meter.h"
#include "sync.h"
#include "text.h"

enum { MARK = 8 };

qc_rc sync_name(const struct sync_run *run, qc_span path, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add(ret, run->prefix, err));
    if (run->prefix.n > 0)
        QC_TRY(qc_buf_add(ret, QC_LIT("/"), err));
    return qc_buf_add(ret, path, err);
}

static qc_rc left_text(const struct sync_run *run, qc_span path, const struct qc_err *why, qc_buf *name,
                       struct qc_err *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(sync_name(run, path, name, err));
    QC_TRY(text_quote(qc_buf_span(name), &shown, err));
    const bool named = memmem(why->msg, strlen(why->msg), shown.p, shown.n) != NULL;
    *ret = *why;
    qc_err_set(ret, QC_DEGRADED, why->where, "not synced%s%.*s: %s", named ? "" : " ",
               named ? 0 : (int)shown.n, (const char *)shown.p, why->msg);
    ret->next = why->next;
    return QC_OK;
}

/* A failure of a path as a few bytes. */
static qc_rc mark_of(qc_rc rc, qc_span path, uint8_t ret[32], struct qc_err *err)
{
    const uint8_t code = (uint8_t)rc;
    const qc_span parts[] = { qc_span_of(&code, 1), path };
    return qc_sha256(parts, 2, ret, err);
}

bool sync_told(struct sync_run *run, qc_rc rc, qc_span path)
{
    uint8_t sum[32];
    struct qc_err none = { 0 };
    bool told = false;
    if (run->watch == NULL || mark_of(rc, path, sum, &none) != QC_OK)
        return false;
    qc_buf *now = &run->watch->told[run->watch->turn];
    const qc_buf *last = &run->watch->told[1 - run->watch->turn];
    for (size_t i = 0; i + MARK <= last->n && !told; i += MARK)
        told = qc_span_eq(qc_span_of(last->p + i, MARK), qc_span_of(sum, MARK));
    now->max = QC_WATCH_TOLD_MAX * MARK;
    qc_ignore(qc_buf_add(now, qc_span_of(sum, MARK), &none), "then it is told again");
    return told;
}

void sync_tell_left(struct sync_run *run, qc_span path, const struct qc_err *why)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = 2 * QC_VAULT_NAME_MAX };
    struct qc_err told = *why, none = { 0 };
    qc_ignore(left_text(run, path, why, &name, &told, &none), "then the reason alone is told");
    const struct msg_about about = { .name = qc_buf_span(&name) };
    run->c->out.muted = sync_told(run, QC_DEGRADED, path);
    out_object(&run->c->out, QC_DEGRADED, &about, &told);
    run->c->out.muted = false;
    run->worst = qc_rc_worse(run->worst, QC_DEGRADED);
    run->left++;
}

/* Once, and once in a watch. */
static void tell_shared(struct sync_run *run)
{
    size_t shared = 0;
    for (size_t i = 0; i < sync_list_count(&run->here); i++)
        shared += sync_list_at(&run->here, i)->shared;
    if (shared > 0 && run->way != SYNC_DOWN && !sync_told(run, QC_OK, QC_LIT("hard links")))
        out_note(&run->c->out,
                 "%zu file%s more than one name (hard links): each name is kept as a file of its own", shared,
                 shared == 1 ? " has" : "s have");
}

qc_rc sync_tell_bars(struct sync_run *run, struct qc_err *err)
{
    static const char *const words[] = {
        [SYNC_SPECIAL] = "a device, socket or pipe", [SYNC_OWN] = "qcloud's own"
    };
    tell_shared(run);
    for (size_t i = 0; i < sync_list_count(&run->here); i++) {
        const struct sync_entry *e = sync_list_at(&run->here, i);
        const qc_span path = sync_list_path(&run->here, e);
        QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
        struct qc_err why = { 0 };
        if (e->kind <= SYNC_DIR || e->kind == SYNC_REST)
            continue;
        if (e->kind == SYNC_SHUT) {
            qc_ignore(QC_FAIL_ERRNO(&why, e->os == 0 ? ELOOP : e->os, "it may not be read"), "told below");
            sync_tell_left(run, path, &why);
            continue;
        }
        if (sync_told(run, QC_USAGE, path))
            continue;
        if (run->way == SYNC_DOWN) /* no matter, unless an object should go there */
            continue;
        QC_TRY(text_quote(path, &shown, err));
        out_warn(&run->c->out, MSG_W_SKIPPED, NULL, "%.*s is no regular file (%s)", (int)shown.n,
                 (const char *)shown.p, words[e->kind]);
    }
    return QC_OK;
}

/* -- the plan -------------------------------------------------------------------------------------------- */

static const char *const would[SYNC_DOS] = {
    [SYNC_PUT] = "store",           [SYNC_GET] = "get",        [SYNC_REMOVE_THERE] = "delete",
    [SYNC_REMOVE_HERE] = "delete",  [SYNC_CONFLICT] = "leave", [SYNC_KEEP] = "leave",
    [SYNC_KEEP_BOTH] = "keep both", [SYNC_BARRED] = "leave"
};

static qc_rc to_json(struct json_t *j, qc_span to, struct qc_err *err)
{
    QC_TRY(text_json(j, "to", to, err));
    return text_is_utf8(to) ? QC_OK : qc_json_set_b64(j, "to_b64", to, err);
}

static qc_rc tell_step(struct sync_run *run, const struct sync_step *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = 2 * QC_VAULT_NAME_MAX };
    const struct sync_entry *of = s->what == SYNC_PUT || s->there == NULL ? s->here : s->there;
    QC_TRY(sync_name(run, s->path, &name, err));
    QC_TRY(text_escape(qc_buf_span(&name), &shown, err));
    out_line(&run->c->out, "%-6s  %.*s", would[s->what], (int)shown.n, (const char *)shown.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&name), err));
    QC_TRY(qc_json_set_str(j, "would", would[s->what], err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)of->st.size, err));
    return out_json(&run->c->out, &j, err);
}

static qc_rc tell_rename(struct sync_run *run, const struct sync_move *m, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = 2 * QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf from = { .max = 2 * QC_VAULT_NAME_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf to = { .max = 2 * QC_VAULT_NAME_MAX };
    const struct sync_step *s = sync_plan_at(&run->plan, m->to);
    const struct sync_entry *of = m->here ? s->there : s->here;
    if (sync_step_is_dir(s))
        return QC_OK;
    QC_TRY(sync_name(run, sync_plan_at(&run->plan, m->from)->path, &from, err));
    QC_TRY(sync_name(run, s->path, &to, err));
    QC_TRY(text_escape(qc_buf_span(&from), &shown, err));
    QC_TRY(qc_buf_add_str(&shown, " -> ", err));
    QC_TRY(text_escape(qc_buf_span(&to), &shown, err));
    out_line(&run->c->out, "rename  %.*s", (int)shown.n, (const char *)shown.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&from), err));
    QC_TRY(to_json(j, qc_buf_span(&to), err));
    QC_TRY(qc_json_set_str(j, "would", "rename", err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)of->st.size, err));
    return out_json(&run->c->out, &j, err);
}

/* Renames first, as they are done. */
qc_rc sync_tell_plan(struct sync_run *run, struct qc_err *err)
{
    for (size_t i = 0; i < sync_plan_moves(&run->plan); i++)
        QC_TRY(tell_rename(run, sync_plan_move(&run->plan, i), err));
    for (size_t i = 0; i < sync_plan_count(&run->plan); i++) {
        const struct sync_step *s = sync_plan_at(&run->plan, i);
        if (would[s->what] != NULL && !sync_step_is_dir(s) &&
            !(s->what == SYNC_BARRED && run->way == SYNC_UP))
            QC_TRY(tell_step(run, s, err));
    }
    return QC_OK;
}

qc_rc sync_tell_got(struct sync_run *run, const struct vault_stat *got, const char *file, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = 2 * QC_CLIENT_TEXT_MAX };
    char size[TEXT_SIZE];
    text_size(got->size, size);
    QC_TRY(text_quote(qc_buf_span(&got->name), &shown, err));
    QC_TRY(qc_buf_add_str(&shown, " to ", err));
    QC_TRY(text_quote(qc_span_str(file), &shown, err));
    out_note(&run->c->out, "got %.*s: %s, every byte verified", (int)shown.n, (const char *)shown.p, size);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, qc_buf_span(&got->name), err));
    QC_TRY(qc_json_set_int(j, "exit", 0, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(got->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)got->number, err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)got->size, err));
    QC_TRY(text_json(j, "file", qc_span_str(file), err));
    return out_json(&run->c->out, &j, err);
}

qc_rc sync_tell_removed(struct sync_run *run, qc_span name, const char *file, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(text_quote(file == NULL ? name : qc_span_str(file), &shown, err));
    out_note(&run->c->out, "deleted %.*s%s", (int)shown.n, (const char *)shown.p,
             file == NULL ? " (its versions stay stored)" : "");
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_bool(j, "deleted", true, err));
    if (file != NULL)
        QC_TRY(text_json(j, "file", qc_span_str(file), err));
    return out_json(&run->c->out, &j, err);
}

qc_rc sync_tell_renamed(struct sync_run *run, const struct vault_move *m, const char *file,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = 2 * QC_CLIENT_TEXT_MAX };
    const bool behind = file == NULL && m->record_copies < m->clouds;
    QC_TRY(text_quote(m->from, &shown, err));
    QC_TRY(qc_buf_add_str(&shown, " to ", err));
    QC_TRY(text_quote(file == NULL ? m->to : qc_span_str(file), &shown, err));
    out_note(&run->c->out, "renamed %.*s", (int)shown.n, (const char *)shown.p);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, m->from, err));
    QC_TRY(to_json(j, m->to, err));
    QC_TRY(qc_json_set_bool(j, "renamed", true, err));
    QC_TRY(qc_json_set_int(j, "exit", behind ? 4 : 0, err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(m->moved, VAULT_ID_BYTES), err));
    if (file != NULL)
        QC_TRY(text_json(j, "file", qc_span_str(file), err));
    QC_TRY(out_json(&run->c->out, &j, err));
    return behind ? QC_FAIL(err, QC_DEGRADED, "renamed; %u of %u clouds have recorded it", m->record_copies,
                            m->clouds)
                  : QC_OK;
}

/* -- the end --------------------------------------------------------------------------------------------- */

static const struct {
    const char *way, *done;
} words_of[] = {
    [SYNC_UP] = { "up", "stored" }, [SYNC_DOWN] = { "down", "got" }, [SYNC_BOTH] = { "both", "stored or got" }
};

static size_t renames(const struct sync_run *run)
{
    const struct sync_plan *p = &run->plan;
    return run->dry ? p->count[SYNC_MOVE_THERE] + p->count[SYNC_MOVE_HERE] : run->renamed;
}

/* That a run which somebody has ended did not do. */
static size_t undone(const struct sync_run *run)
{
    const struct sync_plan *p = &run->plan;
    const size_t moves = p->count[SYNC_MOVE_THERE] + p->count[SYNC_MOVE_HERE];
    return run->files_all - run->files_done + moves - run->renamed;
}

qc_rc sync_summary(const struct sync_run *run, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct sync_plan *p = &run->plan;
    const size_t moves = p->count[SYNC_PUT] + p->count[SYNC_GET];
    const size_t removals = p->count[SYNC_REMOVE_HERE] + p->count[SYNC_REMOVE_THERE];
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "way", words_of[run->way].way, err));
    QC_TRY(qc_json_set_bool(j, "dry_run", run->dry, err));
    QC_TRY(qc_json_set_int(j, "files", (int64_t)(run->dry ? moves : run->moved), err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)(run->dry ? p->bytes : run->bytes), err));
    QC_TRY(qc_json_set_int(j, "renamed", (int64_t)renames(run), err));
    QC_TRY(qc_json_set_int(j, "unchanged", (int64_t)(p->count[SYNC_SAME] + p->count[SYNC_ADOPT]), err));
    QC_TRY(qc_json_set_int(j, "deleted", (int64_t)(run->dry ? removals : run->removed), err));
    QC_TRY(qc_json_set_int(j, "failed", (int64_t)run->left, err));
    if (run->stopped)
        QC_TRY(qc_json_set_int(j, "left", (int64_t)undone(run), err));
    QC_TRY(meter_json(run->c, j, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

/* The first file that was not done: a folder that was is counted nowhere, and what it holds comes behind it.
 */
static qc_span next_file(const struct sync_run *run)
{
    bool folder = false;
    for (size_t i = 0; i < sync_plan_count(&run->plan); i++) {
        const struct sync_step *s = sync_plan_at(&run->plan, i);
        const bool dir = sync_step_is_dir(s);
        folder = folder || (dir && qc_span_eq(s->path, run->next_path));
        if (folder && !dir && (s->what == SYNC_PUT || s->what == SYNC_GET || s->what == SYNC_KEEP_BOTH))
            return s->path;
    }
    return run->next_path;
}

/* Says what was not done, and which comes first when the run goes on. */
static qc_rc tell_stopped(struct sync_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = 2 * QC_VAULT_NAME_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    const size_t left = undone(run),
                 all = run->files_all + run->plan.count[SYNC_MOVE_THERE] + run->plan.count[SYNC_MOVE_HERE];
    QC_TRY(sync_name(run, next_file(run), &name, err));
    QC_TRY(text_quote(qc_buf_span(&name), &shown, err));
    return QC_FAIL(err, QC_CANCELLED, "interrupted: %zu of %zu file%s to do %s left, the next is %.*s", left,
                   all, text_s(all), left == 1 ? "is" : "are", (int)shown.n, (const char *)shown.p);
}

qc_rc sync_tell_end(struct sync_run *run, struct qc_err *err)
{
    const struct sync_plan *p = &run->plan;
    const size_t unchanged = p->count[SYNC_SAME] + p->count[SYNC_ADOPT];
    const size_t moves = run->dry ? p->count[SYNC_PUT] + p->count[SYNC_GET] : run->moved;
    const size_t removals =
        run->dry ? p->count[SYNC_REMOVE_HERE] + p->count[SYNC_REMOVE_THERE] : run->removed;
    char size[TEXT_SIZE];
    char renamed[48] = "";
    text_size(run->dry ? p->bytes : run->bytes, size);
    if (renames(run) > 0)
        snprintf(renamed, sizeof renamed, ", %zu renamed", renames(run));
    out_note(&run->c->out, "%s%zu file%s (%s) %s%s, %zu unchanged, %zu deleted, %zu failed",
             run->dry ? "dry run, nothing done: " : "", moves, text_s(moves), size, words_of[run->way].done,
             renamed, unchanged, removals, run->left);
    meter_note(run->c);
    QC_TRY(sync_summary(run, &run->c->end.extra, err));
    return run->stopped ? tell_stopped(run, err) : QC_OK;
}

/* -- progress -------------------------------------------------------------------------------------------- */

void sync_progress_label(struct sync_run *run)
{
    const size_t at = run->files_done < run->files_all ? run->files_done + 1 : run->files_all;
    snprintf(run->label, sizeof run->label, "file %zu of %zu", at, run->files_all);
    run->progress.label = qc_span_str(run->label);
}

void sync_progress_file(struct sync_run *run)
{
    sync_progress_label(run);
    sync_progress(run, &(struct vault_progress){ .done = 0 });
}

void sync_progress(void *ctx, const struct vault_progress *at)
{
    struct sync_run *run = ctx;
    const struct vault_progress all = { .done = run->bytes_done + at->done,
                                        .total = run->plan.bytes,
                                        .clouds = at->clouds };
    progress_tell(&run->progress, &all);
}
