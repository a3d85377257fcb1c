/* An object under new keys: a get in one thread is the source of a put in another. Its bytes wait nowhere:
 * the put takes them from where the get verified them. */
#include <string.h>

#include "base/thread.h"
#include "base/workq.h"
#include "session.h"

struct reseal {
    struct vault *reader;
    qc_span name;
    const struct vault_which *which; /* NULL: the current version */
    const struct vault_call *call;
    struct vault_notes notes; /* the get's, until it has ended */
    pthread_mutex_t lock;     /* guards what follows */
    pthread_cond_t changed;
    qc_span piece;           /* verified, and not yet taken */
    bool begun, ended, over; /* the get knows the object; it has returned; the put has */
    struct vault_source source;
    qc_buf xattrs;
    uint8_t version[VAULT_ID_BYTES];
    qc_rc rc; /* of the get, when it has ended */
    struct qc_err why;
};

/* --- The thread that reads --- */

static qc_rc get_begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct reseal *r = ctx;
    QC_LOCK(&r->lock);
    r->source.size = what->size;
    r->source.has_mtime = what->has_mtime;
    r->source.has_mode = what->has_mode;
    r->source.mtime_s = what->mtime_s;
    r->source.mtime_ns = what->mtime_ns;
    r->source.mode = what->mode;
    r->xattrs.max = QC_VAULT_XATTRS_MAX;
    QC_TRY(qc_buf_add(&r->xattrs, what->xattrs, err));
    r->source.xattrs = qc_buf_span(&r->xattrs);
    memcpy(r->version, what->version, VAULT_ID_BYTES);
    r->begun = true;
    qc_cond_wake_all(&r->changed);
    return QC_OK;
}

static qc_rc get_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct reseal *r = ctx;
    QC_LOCK(&r->lock);
    r->piece = bytes;
    qc_cond_wake_all(&r->changed);
    while (r->piece.n > 0 && !r->over)
        qc_cond_wait(&r->changed, &r->lock, QC_NO_DEADLINE);
    return r->over ? QC_FAIL(err, QC_CANCELLED, "the put has ended") : QC_OK;
}

static void get_job(void *arg)
{
    struct reseal *r = arg;
    const struct vault_sink sink = { .begin = get_begin, .write = get_write, .ctx = r };
    const struct vault_call call = { .op = r->call->op, .notes = &r->notes };
    struct qc_err why = { 0 };
    const struct vault_get_opts opts = { .which = r->which };
    struct vault_got got = { 0 };
    const qc_rc rc = vault_get_part(r->reader, r->name, &opts, &sink, &call, &got, &why);
    vault_got_done(&got);
    QC_LOCK(&r->lock);
    r->rc = rc;
    r->why = why;
    r->ended = true;
    qc_cond_wake_all(&r->changed);
}

/* --- The caller's thread --- */

static qc_rc failure(const struct reseal *r, struct qc_err *err)
{
    if (r->rc != QC_OK)
        *err = r->why;
    return r->rc;
}

/* The end is told when the get has returned: then every byte was verified. */
static qc_rc put_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct reseal *r = ctx;
    QC_LOCK(&r->lock);
    while (r->piece.n == 0 && !r->ended)
        qc_cond_wait(&r->changed, &r->lock, QC_NO_DEADLINE);
    if (r->ended) {
        *ret_got = 0;
        return failure(r, err);
    }
    *ret_got = r->piece.n < max ? r->piece.n : max;
    memcpy(dst, r->piece.p, *ret_got);
    r->piece = qc_span_from(r->piece, *ret_got);
    if (r->piece.n == 0)
        qc_cond_wake_all(&r->changed);
    return QC_OK;
}

static qc_rc wait_begun(struct reseal *r, struct qc_err *err)
{
    QC_LOCK(&r->lock);
    while (!r->begun && !r->ended)
        qc_cond_wait(&r->changed, &r->lock, QC_NO_DEADLINE);
    return r->begun ? QC_OK : failure(r, err);
}

static void put_is_over(struct reseal *r)
{
    QC_LOCK(&r->lock);
    r->over = true;
    qc_cond_wake_all(&r->changed);
}

static void tell_notes(const struct reseal *r)
{
    for (size_t i = 0; i < r->notes.n; i++)
        vault_notes_add(r->call->notes, &r->notes.v[i]);
}

/* from: what is read must be, and stay, the current version. */
static qc_rc run(struct vault *v, struct reseal *r, bool from, const struct vault_put_opts *opts,
                 struct vault_put_result *ret, struct qc_err *err)
{
    struct qc_workq *thread = NULL;
    r->source = (struct vault_source){ .read = put_read, .ctx = r, .from = from ? r->version : NULL };
    qc_mutex_init(&r->lock);
    qc_cond_init(&r->changed);
    qc_rc rc = qc_workq_new(&thread, 1, 1, err);
    if (rc == QC_OK)
        rc = qc_workq_submit(thread, get_job, r, QC_NO_DEADLINE, err);
    if (rc == QC_OK)
        rc = wait_begun(r, err);
    if (rc == QC_OK)
        rc = vault_put(v, r->name, &r->source, opts, r->call, ret, err);
    put_is_over(r);
    qc_workq_free(&thread);
    tell_notes(r);
    vault_notes_done(&r->notes);
    qc_buf_free(&r->xattrs);
    qc_cond_done(&r->changed);
    qc_mutex_done(&r->lock);
    return rc;
}

qc_rc vault_reseal(struct vault *v, struct vault *reader, qc_span name, const struct vault_put_opts *opts,
                   const struct vault_call *call, struct vault_put_result *ret, struct qc_err *err)
{
    struct reseal r = { .reader = reader, .name = name, .call = call };
    return run(v, &r, true, opts, ret, err);
}

/* What was the newest when the version was looked for must be so still: nobody's newer version is passed over
 * unseen. */
qc_rc vault_restore(struct vault *v, struct vault *reader, qc_span name, const struct vault_which *which,
                    const struct vault_call *call, struct vault_put_result *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions now = { 0 };
    uint8_t over[VAULT_ID_BYTES] = { 0 }; /* none: it was removed */
    struct reseal r = { .reader = reader, .name = name, .which = which, .call = call };
    ret->open = false;
    QC_TRY(vault_versions(v, name, call, &now, err));
    if (!now.removed)
        memcpy(over, now.v[0].version, sizeof(over));
    const struct vault_put_opts opts = { .over = over };
    return run(v, &r, false, &opts, ret, err);
}
