/* sync: the state of the pair, and what there is on both sides. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "signals.h"
#include "sync_steps.h"
#include "vault/xattrs.h"

/* -- lock and state -------------------------------------------------------------------------------------- */

/* A name for the pair: of its vault, folder and prefix. */
static qc_rc pair_name(const struct sync_run *run, char ret[33], struct qc_err *err)
{
    static const uint8_t nul = 0;
    uint8_t sum[32];
    const qc_span parts[] = { QC_LIT("qcloud sync pair 1"), qc_span_of(run->c->conf.vault, VAULT_ID_BYTES),
                              qc_span_str(run->dir), qc_span_of(&nul, 1), run->prefix };
    QC_TRY(qc_sha256(parts, sizeof parts / sizeof parts[0], sum, err));
    qc_hex(qc_span_of(sum, 16), ret);
    return QC_OK;
}

/* Whose it is, without the name of a file that says nothing to anybody. */
static qc_rc held(const struct qc_err *why, struct qc_err *err)
{
    const char *by = strstr(why->msg, "locked by ");
    qc_err_set(err, QC_LOCKED, QC_HERE, "another sync or watch of these two is running: %.200s",
               by != NULL ? by + strlen("locked by ") : why->msg);
    err->next = "wait for it, or the same command with --wait-lock 10m";
    return QC_LOCKED;
}

static qc_rc take_lock(struct sync_run *run, int dir, const char *file, struct qc_err *err)
{
    const qc_deadline until = qc_deadline_in(run->lock_ms);
    for (;;) {
        struct qc_err why = { 0 };
        qc_rc rc = qc_lock_file(&run->lock, dir, file, &why);
        if (rc == QC_LOCKED && (run->lock_ms == 0 || qc_deadline_over(until)))
            return held(&why, err);
        if (rc != QC_LOCKED) {
            if (rc != QC_OK)
                *err = why;
            return rc;
        }
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "waiting for it", err));
        (void)nanosleep(&(struct timespec){ .tv_nsec = QC_CLIENT_START_PAUSE_MS * 1000000L }, NULL);
    }
}

qc_rc sync_open(struct sync_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char place[QC_CLIENT_PATH_MAX], path[QC_CLIENT_PATH_MAX], name[33], file[48];
    QC_TRY(pair_name(run, name, err));
    QC_TRY(places_join(run->c->places.state, "sync", place, err));
    QC_TRY(qc_dir_make_path(place, 0700, err));
    QC_TRY(qc_dir_open(&dir, place, err));
    snprintf(file, sizeof file, "%s.lock", name);
    QC_TRY(take_lock(run, qc_fd_get(&dir), file, err));
    snprintf(file, sizeof file, "%s.db", name);
    QC_TRY(places_join(place, file, path, err));
    struct qc_err why = { 0 };
    qc_rc rc = sync_state_open(&run->state, path, !run->dry, qc_span_str(run->dir), run->prefix, &why);
    if (rc != QC_OK && !(run->dry && rc == QC_NOTFOUND)) {
        *err = why;
        return rc;
    }
    return QC_OK;
}

/* -- the folder ------------------------------------------------------------------------------------------ */

static void found(void *ctx, size_t files)
{
    struct sync_run *run = ctx;
    const struct vault_progress at = { .done = files, .total = VAULT_SIZE_UNKNOWN };
    progress_tell(&run->progress, &at);
}

static void folder(void *ctx, const char *path)
{
    const struct sync_run *run = ctx;
    run->watch->folder(run->watch->ctx, path);
}

static qc_rc look_here(struct sync_run *run, struct qc_err *err)
{
    const struct client *c = run->c;
    const char *const own[] = { c->places.state, c->conf.share[0], c->conf.share[1], c->places.data, NULL };
    /* A share store that is not configured would end the list: it stands in the middle. */
    const char *list[sizeof own / sizeof own[0]] = { NULL };
    struct stat st;
    for (size_t i = 0, n = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i] != NULL && own[i][0] != '\0')
            list[n++] = own[i];
    const struct sync_walk w = { .dir = run->dir,
                                 .leave = run->leave,
                                 .own = list,
                                 .cancel = signals_cancel(),
                                 .found = found,
                                 .folder = run->watch != NULL ? folder : NULL,
                                 .ctx = run };
    if (run->dry && run->way == SYNC_DOWN && stat(run->dir, &st) != 0 && errno == ENOENT)
        return QC_OK;
    progress_begin(&run->progress, &run->c->out, QC_LIT("scanning"), "files", false);
    qc_rc rc = sync_tree(&w, &run->here, err);
    progress_end(&run->progress);
    QC_TRY(rc);
    return sync_same_folder(run, err); /* what was not seen because the folder went away is not gone */
}

/* -- the vault ------------------------------------------------------------------------------------------- */

static qc_rc keep_object(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct sync_run *run = ctx;
    struct sync_entry e = { .kind = s->has_mode && S_ISLNK(s->mode)   ? SYNC_LINK
                                    : s->has_mode && S_ISDIR(s->mode) ? SYNC_DIR
                                                                      : SYNC_FILE,
                            .has_mtime = s->has_mtime,
                            .has_mode = s->has_mode };
    qc_span path = qc_buf_span(&s->name);
    if (run->prefix.n > 0)
        path = qc_span_from(path, run->prefix.n + 1);
    e.st = (struct sync_stat){ .size = s->size,
                               .mtime_ns = sync_time_ns(s->mtime_s, s->mtime_ns),
                               .mode = sync_mode(s->mode) };
    memcpy(e.version, s->version, SYNC_VERSION_BYTES);
    if (sync_ignore_is(run->leave, path, e.kind == SYNC_DIR))
        return QC_OK;
    return sync_list_add(&run->there, path, &e, err);
}

static qc_rc look_there(struct sync_run *run, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf prefix = { .max = QC_VAULT_NAME_MAX + 1 };
    struct vault_call call = client_call(run->c);
    QC_TRY(qc_buf_add(&prefix, run->prefix, err));
    if (prefix.n > 0)
        QC_TRY(qc_buf_add(&prefix, QC_LIT("/"), err));
    QC_TRY(vault_list(run->c->vault, qc_buf_span(&prefix), keep_object, run, &call, err));
    if (run->way == SYNC_DOWN && sync_list_count(&run->there) == 0)
        return QC_FAIL(err, QC_NOTFOUND, "no object below that prefix");
    sync_list_sort(&run->there);
    return QC_OK;
}

/* A put that was killed may have come to be: not under the plan, but before it. */
static qc_rc settle(struct sync_run *run, struct qc_err *err)
{
    struct vault_call call = client_call(run->c);
    qc_rc rc = vault_settle(run->c->vault, &call, err);
    client_tell_notes(run->c, rc, (qc_span){ 0 });
    return rc;
}

/* What a get that was killed left, NAME.part or the link NAME.part-link, is no file of the user's: synced, it
 * would be one from then on, and in the way of each later get of NAME. */
static bool rest_of(const struct sync_run *run, const struct sync_entry *e, qc_span *ret_name)
{
    const qc_span path = sync_list_path(&run->here, e);
    const qc_span end = e->kind == SYNC_LINK ? QC_LIT(".part-link") : QC_LIT(".part");
    const bool may_be = e->kind == SYNC_LINK || (e->kind == SYNC_FILE && (e->st.mode & 07777) == 0600);
    if (!may_be || path.n <= end.n || !qc_span_eq(qc_span_from(path, path.n - end.n), end) ||
        sync_list_find(&run->base, path) != NULL || sync_list_find(&run->there, path) != NULL)
        return false;
    *ret_name = qc_span_sub(path, 0, path.n - end.n);
    return true;
}

/* The state says which gets were under way. Of those of other commands a NAME that is to be got tells. */
static bool is_rest(const struct sync_run *run, const struct sync_entry *e)
{
    qc_span name;
    if (!rest_of(run, e, &name))
        return false;
    if (sync_list_find(&run->coming, name) != NULL)
        return true;
    const struct sync_entry *there = sync_list_find(&run->there, name),
                            *base = sync_list_find(&run->base, name);
    return run->way == SYNC_BOTH && e->kind == SYNC_FILE && there != NULL &&
           (base == NULL || base->open || sync_list_find(&run->here, name) == NULL ||
            memcmp(base->version, there->version, SYNC_VERSION_BYTES) != 0);
}

static void leave_rests(struct sync_run *run)
{
    for (size_t i = 0; i < sync_list_count(&run->here); i++)
        if (is_rest(run, sync_list_at(&run->here, i)))
            sync_list_rest(&run->here, i);
}

qc_rc sync_look(struct sync_run *run, struct qc_err *err)
{
    run->began_ns = sync_now_ns();
    QC_TRY(look_here(run, err));
    if (!run->dry && run->way != SYNC_DOWN)
        QC_TRY(settle(run, err));
    QC_TRY(look_there(run, err));
    if (run->state != NULL)
        QC_TRY(sync_state_load(run->state, &run->base, err));
    if (run->state != NULL)
        QC_TRY(sync_state_load_coming(run->state, &run->coming, err));
    if (run->state != NULL)
        QC_TRY(sync_state_load_unsure(run->state, &run->unsure, err));
    leave_rests(run);
    return QC_OK;
}

/* -- content --------------------------------------------------------------------------------------------- */

struct compare {
    int fd;          /* of a file */
    qc_span rest;    /* of a link's target, where fd is -1 */
    bool attributes; /* count as well */
    bool differs;
};

/* More than are kept, of which those that are kept are the same, are the same. */
static qc_rc compare_attributes(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct compare *k = ctx;
    QC_CLEANUP(qc_buf_free) qc_buf here = { .max = QC_VAULT_XATTRS_MAX };
    unsigned left = 0;
    if (!k->attributes || k->fd < 0)
        return QC_OK;
    QC_TRY(vault_xattrs_read(k->fd, &here, &left, err));
    k->differs = k->differs || !qc_span_eq(qc_buf_span(&here), what->xattrs);
    return QC_OK;
}

static qc_rc compare_bytes(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct compare *k = ctx;
    uint8_t page[65536];
    if (k->fd < 0) {
        k->differs =
            k->differs || bytes.n > k->rest.n || !qc_span_eq(bytes, qc_span_sub(k->rest, 0, bytes.n));
        k->rest = k->differs ? k->rest : qc_span_from(k->rest, bytes.n);
        return QC_OK;
    }
    while (bytes.n > 0 && !k->differs) {
        size_t got = 0;
        const size_t want = bytes.n < sizeof page ? bytes.n : sizeof page;
        QC_TRY(qc_read_full(k->fd, page, want, &got, err));
        k->differs = got != want || memcmp(page, bytes.p, want) != 0;
        bytes = qc_span_from(bytes, want);
    }
    return QC_OK;
}

/* The object of one path, and the file at another one or the same. */
static qc_rc compare(struct sync_run *run, qc_span object, const struct sync_step *s, bool attributes,
                     bool *ret, struct qc_err *err)
{
    char target[QC_VAULT_LINK_MAX + 1];
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd file = { 0 };
    char place[QC_CLIENT_PATH_MAX];
    struct vault_call call = client_call(run->c);
    struct compare k = { .attributes = attributes };
    const struct vault_sink sink = { .begin = compare_attributes, .write = compare_bytes, .ctx = &k };
    QC_TRY(sync_place(run, s->path, place, err));
    QC_TRY(sync_name(run, object, &name, err));
    if (sync_is_link(&s->here->st)) {
        const ssize_t n = readlink(place, target, sizeof target);
        if (n < 0)
            return QC_FAIL_OS(err, "cannot read the link");
        k.fd = -1;
        k.rest = qc_span_of(target, (size_t)n);
    } else {
        QC_TRY(qc_open_at(&file, AT_FDCWD, place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err));
        k.fd = qc_fd_get(&file);
    }
    QC_TRY(vault_get(run->c->vault, qc_buf_span(&name), &sink, &call, NULL, err));
    *ret = !k.differs && k.rest.n == 0;
    return QC_OK;
}

/* What cannot be compared is not the same: it is stored or got, and told if that fails as well. */
static qc_rc compare_or_tell(struct sync_run *run, qc_span object, const struct sync_step *s, bool attributes,
                             bool *ret, struct qc_err *err)
{
    const struct sync_entry *here = s->here, *there = s->there;
    struct qc_err why = { 0 };
    bool same = false;
    const bool may_be = here->st.size == there->st.size && ((here->st.mode ^ there->st.mode) & S_IFMT) == 0;
    qc_rc rc = may_be ? compare(run, object, s, attributes, &same, &why) : QC_OK;
    client_tell_notes(run->c, rc, object);
    if (rc == QC_CANCELLED || rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        out_warn(&run->c->out, MSG_W_OTHER, NULL, "not compared: %s", why.msg);
    *ret = same;
    return QC_OK;
}

qc_rc sync_compare(void *ctx, qc_span path, const struct sync_entry *here, const struct sync_entry *there,
                   bool *ret, struct qc_err *err)
{
    const struct sync_step s = { .path = path, .here = here, .there = there };
    return compare_or_tell(ctx, path, &s, true, ret, err);
}

/* Its digest says, where the state has one; else the object is read. */
qc_rc sync_compare_moved(void *ctx, const struct sync_step *from, const struct sync_step *to, bool *ret,
                         struct qc_err *err)
{
    struct sync_run *run = ctx;
    uint8_t was[SYNC_DIGEST_BYTES], is[SYNC_DIGEST_BYTES];
    char place[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    bool known = false, has = false;
    QC_TRY(sync_state_digest(run->state, from->path, from->base->version, was, &known, err));
    if (known) {
        QC_TRY(sync_place(run, to->path, place, err));
        const qc_rc rc = sync_digest_file(place, &to->here->st, is, &has, &why);
        *ret = rc == QC_OK && has && memcmp(was, is, sizeof is) == 0;
        if (rc == QC_CANCELLED || rc == QC_NOMEM)
            *err = why;
        return rc == QC_CANCELLED || rc == QC_NOMEM ? rc : QC_OK; /* else it is stored, or told why not */
    }
    const struct sync_step s = { .path = to->path, .here = to->here, .there = from->there };
    return compare_or_tell(ctx, from->path, &s, true, ret, err);
}

qc_rc sync_compare_bytes(struct sync_run *run, const struct sync_step *s, bool *ret, struct qc_err *err)
{
    return compare_or_tell(run, s->path, s, false, ret, err);
}
