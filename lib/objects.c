#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "session.h"
#include "vault/sink_file.h"
#include "vault/source_file.h"

static qc_span span_of(const char *text)
{
    return qc_span_of((const uint8_t *)text, strlen(text));
}

/* -- put ------------------------------------------------------------------------------------------------- */

struct reader {
    qcloud_read_fn fn;
    void *ctx;
};

static qc_rc read_some(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    const struct reader *r = ctx;
    const ptrdiff_t n = r->fn(r->ctx, dst, max);
    if (n < 0)
        return QC_FAIL(err, QC_CANCELLED, "the caller's reader ended the put");
    if ((size_t)n > max)
        return QC_FAIL(err, QC_USAGE, "the caller's reader gave %td bytes, at most %zu", n, max);
    *ret_got = (size_t)n;
    return QC_OK;
}

/* What the message of a version that is stored, but not as asked, says. */
static qc_rc stored(struct qcloud *q, const struct vault_put_result *r)
{
    if (q->provenance.fell_back)
        return QC_FAIL(&q->err, QC_DEGRADED, "stored, with keys of the system's generator: %s",
                       q->provenance.why);
    if (r->degraded)
        return QC_FAIL(&q->err, QC_DEGRADED, "stored, not on all clouds: %zu of them did not take it",
                       r->degraded_count);
    return QC_OK;
}

static qc_rc put(struct qcloud *q, const char *name, const struct vault_source *source,
                 const struct vault_call *call)
{
    static const struct vault_put_opts usual;
    struct vault_put_result r = { 0 };
    const qc_rc rc = vault_put(q->vault, span_of(name), source, &usual, call, &r, &q->err);
    if (rc != QC_OK && r.open)
        qc_err_wrap(&q->err, "whether it is stored is not known, and the next writing call finds out");
    QC_TRY(rc);
    return stored(q, &r);
}

int qcloud_put(struct qcloud *q, const char *name, qcloud_read_fn fn, void *ctx, uint64_t size)
{
    struct reader r = { .fn = fn, .ctx = ctx };
    const struct vault_source source = { .read = read_some, .ctx = &r, .size = size };
    struct vault_call call;
    const qc_rc rc = session_begin(q, &call);
    return session_end(q, rc == QC_OK ? put(q, name, &source, &call) : rc);
}

static qc_rc put_file(struct qcloud *q, const char *name, const char *path)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    QC_TRY(vault_source_file_open(&f, AT_FDCWD, path, true, &q->err));
    return put(q, name, vault_source_file_source(f), &call);
}

int qcloud_put_file(struct qcloud *q, const char *name, const char *path)
{
    return session_end(q, put_file(q, name, path));
}

/* -- get ------------------------------------------------------------------------------------------------- */

struct writer {
    qcloud_write_fn fn;
    void *ctx;
};

static qc_rc write_some(void *ctx, qc_span bytes, struct qc_err *err)
{
    const struct writer *w = ctx;
    if (w->fn(w->ctx, bytes.p, bytes.n) != 0)
        return QC_FAIL(err, QC_CANCELLED, "the caller's writer ended the get");
    return QC_OK;
}

int qcloud_get(struct qcloud *q, const char *name, qcloud_write_fn fn, void *ctx)
{
    struct writer w = { .fn = fn, .ctx = ctx };
    const struct vault_sink sink = { .write = write_some, .ctx = &w };
    struct vault_call call;
    qc_rc rc = session_begin(q, &call);
    if (rc == QC_OK)
        rc = vault_get(q->vault, span_of(name), &sink, &call, NULL, &q->err);
    return session_end(q, rc);
}

static qc_rc get_range(struct qcloud *q, const char *name, const struct vault_get_opts *opts,
                       const struct vault_sink *sink)
{
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    return vault_get_part(q->vault, span_of(name), opts, sink, &call, &got, &q->err);
}

int qcloud_get_range(struct qcloud *q, const char *name, uint64_t offset, uint64_t length, qcloud_write_fn fn,
                     void *ctx)
{
    struct writer w = { .fn = fn, .ctx = ctx };
    const struct vault_sink sink = { .write = write_some, .ctx = &w };
    const struct vault_get_opts opts = {
        .slice = { .has_first = true, .has_last = true, .first = offset, .last = offset + length - 1 }
    };
    if (length == 0 || offset > UINT64_MAX - length)
        return session_end(q, QC_FAIL(&q->err, QC_USAGE, "a range of no bytes, or past all ends"));
    return session_end(q, get_range(q, name, &opts, &sink));
}

static qc_rc get_file(struct qcloud *q, const char *name, const char *path)
{
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    QC_TRY(vault_sink_file_new(&f, path, true, &q->err));
    return vault_get(q->vault, span_of(name), vault_sink_file_sink(f), &call, NULL, &q->err);
}

int qcloud_get_file(struct qcloud *q, const char *name, const char *path)
{
    return session_end(q, get_file(q, name, path));
}

/* -- names ----------------------------------------------------------------------------------------------- */

int qcloud_remove(struct qcloud *q, const char *name)
{
    struct vault_remove_result r = { 0 };
    struct vault_call call;
    qc_rc rc = session_begin(q, &call);
    if (rc == QC_OK)
        rc = vault_remove(q->vault, span_of(name), &call, &r, &q->err);
    return session_end(q, rc);
}

static qc_rc move_one(struct qcloud *q, struct vault_move *m)
{
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    QC_TRY(vault_move_many(q->vault, m, 1, &call, &q->err));
    if (m->rc != QC_OK)
        q->err = m->err;
    if (m->rc != QC_OK && m->open)
        qc_err_wrap(&q->err, "whether it is moved is not known, and the next writing call finds out");
    return m->rc;
}

int qcloud_move(struct qcloud *q, const char *from, const char *to, int over)
{
    static const uint8_t nothing[VAULT_ID_BYTES];
    struct vault_move m = { .from = span_of(from), .to = span_of(to), .over = over ? NULL : nothing };
    return session_end(q, move_one(q, &m));
}

struct qcloud_entry {
    const struct vault_stat *s;
    qc_buf name; /* with its end mark */
};

const char *qcloud_entry_name(const struct qcloud_entry *e)
{
    return (const char *)e->name.p;
}

uint64_t qcloud_entry_size(const struct qcloud_entry *e)
{
    return e->s->size;
}

int64_t qcloud_entry_time(const struct qcloud_entry *e)
{
    return e->s->has_mtime ? e->s->mtime_s : e->s->created_s;
}

uint64_t qcloud_entry_version(const struct qcloud_entry *e)
{
    return e->s->number;
}

int64_t qcloud_entry_margin(const struct qcloud_entry *e)
{
    return e->s->margin;
}

struct lister {
    qcloud_entry_fn fn;
    void *ctx;
};

static qc_rc tell_entry(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    const struct lister *l = ctx;
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX + 1 };
    QC_TRY(qc_buf_add(&name, qc_buf_span(&s->name), err));
    QC_TRY(qc_buf_add(&name, QC_LIT("\0"), err));
    const struct qcloud_entry e = { .s = s, .name = name };
    if (l->fn(l->ctx, &e) != 0)
        return QC_FAIL(err, QC_CANCELLED, "the caller ended the listing");
    return QC_OK;
}

/* Folders that are kept have no bytes, and are no objects to whoever reads those. */
static qc_rc tell_listed(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    return s->has_mode && S_ISDIR(s->mode) ? QC_OK : tell_entry(ctx, s, err);
}

int qcloud_list(struct qcloud *q, const char *prefix, qcloud_entry_fn fn, void *ctx)
{
    struct lister l = { .fn = fn, .ctx = ctx };
    struct vault_call call;
    qc_rc rc = session_begin(q, &call);
    if (rc == QC_OK)
        rc = vault_list(q->vault, span_of(prefix), tell_listed, &l, &call, &q->err);
    return session_end(q, rc);
}

static qc_rc stat_one(struct qcloud *q, const char *name, struct lister *l)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    QC_TRY(vault_stat(q->vault, span_of(name), &call, &s, &q->err));
    return tell_entry(l, &s, &q->err);
}

int qcloud_stat(struct qcloud *q, const char *name, qcloud_entry_fn fn, void *ctx)
{
    struct lister l = { .fn = fn, .ctx = ctx };
    return session_end(q, stat_one(q, name, &l));
}

/* -- verify ---------------------------------------------------------------------------------------------- */

static qc_rc no_word(void *ctx, const struct vault_verdict *verdict, struct qc_err *err)
{
    struct qc_err *worst = ctx;
    (void)err;
    if (verdict->rc != QC_OK && qc_rc_worse(worst->rc, verdict->rc) != worst->rc)
        qc_err_set(worst, verdict->rc, QC_HERE, "%s", verdict->text);
    return QC_OK;
}

static qc_rc verify(struct qcloud *q, const char *prefix, uint64_t *ret_bad)
{
    struct vault_verify_result r = { 0 };
    struct qc_err worst = { 0 };
    struct vault_call call;
    QC_TRY(session_begin(q, &call));
    QC_TRY(vault_verify(q->vault, span_of(prefix), no_word, &worst, &call, &r, &q->err));
    if (ret_bad != NULL)
        *ret_bad = r.degraded + r.bad;
    if (r.worst == QC_OK)
        return QC_OK;
    return QC_FAIL(&q->err, r.worst, "%llu of %llu objects are not well: %s",
                   (unsigned long long)(r.degraded + r.bad), (unsigned long long)r.objects, worst.msg);
}

int qcloud_verify(struct qcloud *q, const char *prefix, uint64_t *ret_bad)
{
    return session_end(q, verify(q, prefix, ret_bad));
}
