/* What earlier commands left unfinished: durability.md 7.3. */
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/time.h"
#include "resume.h"
#include "store.h"

enum { DAY_S = 24 * 60 * 60 };

static bool is_key(const char *name)
{
    return strlen(name) == 32 && strspn(name, "0123456789abcdef") == 32;
}

/* Open and lock a leftover. *ret_held: its put is running, or it went away. */
static qc_rc take(struct journal *j, const char *name, bool *ret_held, struct qc_err *err)
{
    struct qc_err why = { 0 };
    *ret_held = true;
    snprintf(j->name, sizeof(j->name), "%s", name);
    qc_rc rc = qc_open_at(&j->file, qc_fd_get(&j->dir), name, O_RDWR | O_NOFOLLOW, 0, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (flock(qc_fd_get(&j->file), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return QC_OK;
        return QC_FAIL_OS(err, "cannot lock the journal");
    }
    *ret_held = false;
    return QC_OK;
}

/* The put was committed: its records, mark follow. All stores must take it, else the file stays. A mark is
 * for ever: it comes from what this client sealed, never from what a gateway says. */
qc_rc journal_finish(struct vault *v, const struct journal_put *put, uint64_t number, struct qc_err *err)
{
    if (number != put->number)
        return QC_FAIL(err, QC_INTEGRITY,
                       "receipt: number %" PRIu64 " for a put that was sealed as number %" PRIu64, number,
                       put->number);
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        QC_TRY(session_need_store(v, i + 1, err));
        struct vault_store_commit change = { .object = put->object,
                                             .version = put->version,
                                             .sequence = put->sequence,
                                             .path_tag = put->path_tag,
                                             .number = number };
        qc_rc rc = vault_store_commit(v->store[i], &change, &v->ids, &why);
        if (rc == QC_NOTFOUND || rc == QC_CONFLICT) {
            /* a store made by recover has it as committed, another one damaged it, or it was purged since */
            change.object = change.version = NULL;
            rc = vault_store_commit(v->store[i], &change, &v->ids, &why);
        }
        if (rc != QC_OK) {
            *err = why;
            return rc;
        }
    }
    return QC_OK;
}

/* The put will never be: the gateway has its cancellation, so the pending records may go: that of store 2
 * first, and only while store 1 has its own. A ticket's record stands in store 2 before any put; where an old
 * copy of store 1 has a ticket again that was used, it is the share of what is stored. */
static qc_rc forget(struct vault *v, const struct journal_put *put, const struct vault_op *op,
                    struct qc_err *err)
{
    const struct vault_gw_version version = session_version(put->object, put->version);
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_err why = { 0 };
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(session_need_store(v, i + 1, err));
    QC_TRY(kept_forget(v, &version, 1, op, err));
    const qc_rc rc = vault_store_get(v->store[0], put->object, put->version, &r, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND && rc != QC_INTEGRITY) {
        *err = why;
        return rc;
    }
    if (rc == QC_INTEGRITY || (rc == QC_OK && r.state != 0))
        QC_TRY(vault_store_remove_pending(v->store[1], put->object, put->version, err));
    return vault_store_remove_pending(v->store[0], put->object, put->version, err);
}

/* Where it is told that a put had been committed, or was cancelled; NULL: not at all. */
struct told_to {
    struct vault_notes *live, *cancelled;
};

/* *left: it can go on; then whether it is left as it is, for that. */
static qc_rc settle_one(struct vault *v, const struct journal_put *put, const struct vault_call *call,
                        const struct told_to *to, bool *left, struct qc_err *err)
{
    const bool waits = *left;
    *left = false;
    for (unsigned i = 0; i < QC_RETRY_MAX; i++) {
        enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
        struct vault_gw_receipt receipt = { 0 };
        QC_TRY(v->gw->ops->upload_state(v->gw, put->put_key, &state, &receipt, &call->op, err));
        if (state == VAULT_UPLOAD_LIVE) {
            QC_TRY(journal_finish(v, put, receipt.number, err));
            vault_note(to->live, VAULT_NOTE_UNFINISHED, 0, QC_OK,
                       "an interrupted put had been committed; it is finished now");
            return QC_OK;
        }
        if (state == VAULT_UPLOAD_OPEN && waits) {
            *left = true;
            return QC_OK;
        }
        if (state != VAULT_UPLOAD_DECIDED) {
            struct qc_err why = { 0 };
            qc_rc rc = v->gw->ops->upload_cancel(v->gw, put->put_key, &call->op, &why);
            if (rc == QC_OK) {
                QC_TRY(forget(v, put, &call->op, err));
                vault_note(to->cancelled, VAULT_NOTE_UNFINISHED, 0, QC_OK,
                           "an interrupted put was cancelled; nothing of it is visible");
                return QC_OK;
            }
            if (rc != QC_CONFLICT) {
                *err = why;
                return rc;
            }
        }
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 },
                  NULL); /* decided: the gateway is about to publish it */
    }
    return QC_FAIL(err, QC_TEMP, "the gateway has decided to commit it and is not done yet");
}

/* Members of a bundle that is cancelled, or one of which is live. */
static qc_rc forget_all(struct vault *v, const struct journal_bundle *b, const struct vault_op *op,
                        struct qc_err *err)
{
    struct store_version versions[QC_VAULT_BUNDLE_FILES];
    struct vault_gw_version kept[QC_VAULT_BUNDLE_FILES];
    for (size_t i = 0; i < b->count; i++) {
        versions[i] = (struct store_version){ b->v[i].object, b->v[i].version };
        kept[i] = session_version(b->v[i].object, b->v[i].version);
    }
    QC_TRY(kept_forget(v, kept, b->count, op, err));
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(session_need_store(v, i + 1, err));
        QC_TRY(store_remove_many(v->store[i], versions, b->count, err));
    }
    return QC_OK;
}

/* None of a bundle that is cancelled was decided, or will be. What says that it is too late may be true of
 * some of them alone. */
static qc_rc settle_bundle(struct vault *v, const struct journal_bundle *b, const struct vault_call *call,
                           struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = v->gw->ops->upload_cancel(v->gw, b->put_key, &call->op, &why);
    if (rc == QC_OK) {
        QC_TRY(forget_all(v, b, &call->op, err));
        vault_note(call->notes, VAULT_NOTE_UNFINISHED, 0, QC_OK,
                   "an interrupted put of %zu files was cancelled; nothing of it is visible", b->count);
        return QC_OK;
    }
    if (rc != QC_CONFLICT) {
        *err = why;
        return rc;
    }
    for (size_t i = 0; i < b->count; i++)
        QC_TRY(settle_one(v, &b->v[i], call, &(struct told_to){ NULL, NULL }, &(bool){ false }, err));
    vault_note(call->notes, VAULT_NOTE_UNFINISHED, 0, QC_OK,
               "an interrupted put of %zu files had been committed; it is finished now", b->count);
    return QC_OK;
}

/* What a file says: of one put, or (bundle not NULL) of many. */
struct unfinished {
    struct journal_put put;
    struct journal_bundle *bundle;
};

static void unfinished_done(struct unfinished *u)
{
    qc_free(u->bundle);
}

static qc_rc read_file(struct journal *j, struct unfinished *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = JOURNAL_BUNDLE_MAX + 1 };
    size_t got = 0;
    QC_TRY(qc_buf_reserve(&bytes, bytes.max, err));
    QC_TRY(qc_pread_full(qc_fd_get(&j->file), bytes.p, bytes.max, 0, &got, err));
    bytes.n = got;
    if (got < 4 || memcmp(bytes.p, "QCJB", 4) != 0)
        return journal_parse(&ret->put, &j->turn, qc_buf_span(&bytes), err);
    ret->bundle = qc_alloc(sizeof(*ret->bundle));
    if (ret->bundle == NULL)
        return QC_FAIL(err, QC_NOMEM, "journal");
    return journal_parse_bundle(ret->bundle, qc_buf_span(&bytes), err);
}

/* What an interrupted put needs to go on is there, and not too old. A clock that is wrong costs the way, no
 * byte that was acknowledged. */
static qc_rc can_go_on(const struct journal *j, bool *ret, struct qc_err *err)
{
    int64_t since = 0;
    QC_TRY(resume_there(j, ret, &since, err));
    *ret = *ret && qc_wall_s() - since < (int64_t)QC_VAULT_RESUME_DAYS * DAY_S;
    return QC_OK;
}

struct settling {
    struct vault *v;
    const uint8_t *path_tag; /* which does not go on; NULL */
    bool anew;               /* it is being put anew: that one before it was cancelled is no news */
    const struct vault_call *call;
};

static qc_rc settle_file(const struct settling *s, struct journal *j, struct qc_err *err)
{
    struct vault *v = s->v;
    const struct vault_call *call = s->call;
    QC_CLEANUP(unfinished_done) struct unfinished u = { 0 };
    struct qc_err why = { 0 };
    bool waits = false, meant = false;
    qc_rc rc = read_file(j, &u, &why);
    if (rc == QC_FORMAT)
        return journal_end(j, err); /* nothing was sent before a slot was whole */
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (memcmp(u.bundle != NULL ? u.bundle->vault : u.put.vault, v->id, VAULT_ID_BYTES) != 0)
        return QC_OK;
    QC_TRY(can_go_on(j, &waits, err));
    meant = s->path_tag != NULL && qc_ct_eq(s->path_tag, u.put.path_tag, sizeof(u.put.path_tag));
    waits = waits && !meant;
    const struct told_to to = { call->notes, meant && s->anew ? NULL : call->notes };
    rc = u.bundle != NULL ? settle_bundle(v, u.bundle, call, &why)
                          : settle_one(v, &u.put, call, &to, &waits, &why);
    if (rc == QC_NOMEM || rc == QC_CANCELLED) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        vault_note(call->notes, VAULT_NOTE_UNFINISHED, 0, rc, "an interrupted put could not be settled: %s",
                   why.msg);
        return QC_OK;
    }
    return waits && u.bundle == NULL ? QC_OK : journal_end(j, err);
}

typedef qc_rc (*journal_fn)(void *ctx, struct journal *j, struct qc_err *err);

/* Every leftover that nobody holds; fn has it locked. */
static qc_rc each(const char *state, journal_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd parent = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd list = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = qc_dir_open(&parent, state, &why);
    if (rc == QC_OK)
        rc = qc_open_at(&list, qc_fd_get(&parent), "journal", O_RDONLY | O_DIRECTORY, 0, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    DIR *dir = fdopendir(qc_fd_get(&list));
    if (dir == NULL)
        return QC_FAIL_OS(err, "cannot list the journal");
    list = (struct qc_fd){ 0 };
    for (struct dirent *e = readdir(dir); e != NULL && rc == QC_OK; e = readdir(dir)) {
        QC_CLEANUP(journal_close) struct journal j = { 0 };
        bool held = false;
        if (!is_key(e->d_name))
            continue;
        rc = qc_open_at(&j.dir, qc_fd_get(&parent), "journal", O_RDONLY | O_DIRECTORY, 0, err);
        if (rc == QC_OK)
            rc = take(&j, e->d_name, &held, err);
        if (rc == QC_OK && !held)
            rc = fn(ctx, &j, err);
    }
    closedir(dir);
    return rc;
}

static qc_rc settle_cb(void *ctx, struct journal *j, struct qc_err *err)
{
    return settle_file(ctx, j, err);
}

static qc_rc settle(const struct settling *s, struct qc_err *err)
{
    session_look_end(s->v); /* whoever settles writes next */
    if (s->v->state == NULL)
        return QC_OK;
    struct settling all = *s;
    QC_TRY_AS(each(s->v->state, settle_cb, &all, err), err, "journal");
    return QC_OK;
}

qc_rc journal_settle(struct vault *v, const uint8_t *path_tag, const struct vault_call *call,
                     struct qc_err *err)
{
    return settle(&(struct settling){ .v = v, .path_tag = path_tag, .call = call }, err);
}

qc_rc journal_settle_anew(struct vault *v, const uint8_t path_tag[16], const struct vault_call *call,
                          struct qc_err *err)
{
    return settle(&(struct settling){ .v = v, .path_tag = path_tag, .anew = true, .call = call }, err);
}

struct finding {
    const struct vault *v;
    const uint8_t *path_tag;
    struct journal j;
    struct journal_put put;
    bool found;
};

static qc_rc find_cb(void *ctx, struct journal *j, struct qc_err *err)
{
    QC_CLEANUP(unfinished_done) struct unfinished u = { 0 };
    struct finding *f = ctx;
    struct qc_err why = { 0 };
    bool can = false;
    if (f->found || read_file(j, &u, &why) != QC_OK) /* whoever settles looks at it again */
        return QC_OK;
    if (u.bundle != NULL || memcmp(u.put.vault, f->v->id, sizeof(u.put.vault)) != 0 ||
        !qc_ct_eq(u.put.path_tag, f->path_tag, sizeof(u.put.path_tag)))
        return QC_OK;
    QC_TRY(can_go_on(j, &can, err));
    if (!can)
        return QC_OK;
    f->j = QC_STEAL(*j);
    f->put = u.put;
    f->found = true;
    return QC_OK;
}

qc_rc journal_find(struct journal *ret, struct journal_put *ret_put, bool *ret_found, const struct vault *v,
                   const uint8_t path_tag[16], struct qc_err *err)
{
    struct finding f = { .v = v, .path_tag = path_tag };
    const qc_rc rc = each(v->state, find_cb, &f, err);
    if (rc != QC_OK) {
        journal_close(&f.j);
        QC_TRY_AS(rc, err, "journal");
    }
    *ret = f.j;
    *ret_put = f.put;
    *ret_found = f.found;
    return QC_OK;
}

struct counting {
    uint64_t all, waiting;
};

static qc_rc count_cb(void *ctx, struct journal *j, struct qc_err *err)
{
    struct counting *c = ctx;
    bool can = false;
    QC_TRY(can_go_on(j, &can, err));
    c->all++;
    c->waiting += can;
    return QC_OK;
}

qc_rc journal_count(const char *state, uint64_t *ret, uint64_t *ret_waiting, struct qc_err *err)
{
    struct counting c = { 0 };
    QC_TRY_AS(each(state, count_cb, &c, err), err, "journal");
    *ret = c.all;
    *ret_waiting = c.waiting;
    return QC_OK;
}

qc_rc vault_settle(struct vault *v, const struct vault_call *call, struct qc_err *err)
{
    return journal_settle(v, NULL, call, err);
}

struct remaining {
    const struct vault *v;
    const uint8_t *path_tag;
    bool found;
};

static qc_rc remaining_cb(void *ctx, struct journal *j, struct qc_err *err)
{
    struct remaining *r = ctx;
    QC_CLEANUP(unfinished_done) struct unfinished u = { 0 };
    QC_TRY(read_file(j, &u, err));
    const struct journal_put *put = u.bundle != NULL ? u.bundle->v : &u.put;
    const size_t n = u.bundle != NULL ? u.bundle->count : 1;
    if (memcmp(u.bundle != NULL ? u.bundle->vault : u.put.vault, r->v->id, VAULT_ID_BYTES) != 0)
        return QC_OK;
    for (size_t i = 0; i < n; i++)
        r->found = r->found || qc_ct_eq(put[i].path_tag, r->path_tag, sizeof(put[i].path_tag));
    return QC_OK;
}

qc_rc vault_settle_name(struct vault *v, qc_span name, const struct vault_call *call, struct qc_err *err)
{
    uint8_t path_tag[16];
    struct remaining r = { .v = v, .path_tag = path_tag };
    QC_TRY(vault_name_tag(path_tag, v->ring, name, err));
    QC_TRY(journal_settle(v, path_tag, call, err));
    if (v->state != NULL)
        QC_TRY_AS(each(v->state, remaining_cb, &r, err), err, "journal");
    return r.found ? QC_FAIL(err, QC_TEMP, "an interrupted put of this name could not be settled") : QC_OK;
}
