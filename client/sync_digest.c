/* sync: digests of what is stored and got, made as the bytes go by, so that a file which has another name is
 * known again without the vault. They stay in the state of this pair, on this machine: SHA-256 of how many
 * bytes of extended attributes there are, these, and the file's bytes. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/file.h"
#include "signals.h"
#include "sync_steps.h"
#include "vault/xattrs.h"

struct sync_digest {
    struct qc_sha256_ctx *sum; /* NULL: not all bytes went by */
    uint64_t bytes;
    const struct vault_source *from; /* borrowed */
    struct vault_source source;
    const struct vault_sink *to; /* borrowed */
    struct vault_sink sink;
    struct vault_left left;
};

void sync_digest_free(struct sync_digest **d)
{
    if (*d != NULL)
        qc_sha256_free(&(*d)->sum);
    qc_free(*d);
    *d = NULL;
}

static qc_rc begin(struct sync_digest *d, qc_span xattrs, struct qc_err *err)
{
    uint8_t n[8];
    qc_sha256_free(&d->sum);
    d->bytes = 0;
    QC_TRY(qc_sha256_new(&d->sum, err));
    qc_put_be(n, xattrs.n, sizeof n);
    QC_TRY(qc_sha256_add(d->sum, qc_span_of(n, sizeof n), err));
    return qc_sha256_add(d->sum, xattrs, err);
}

static qc_rc add(struct sync_digest *d, qc_span bytes, struct qc_err *err)
{
    d->bytes += bytes.n;
    return d->sum == NULL ? QC_OK : qc_sha256_add(d->sum, bytes, err);
}

qc_rc sync_digest_end(struct sync_digest *d, uint64_t size, uint8_t ret[SYNC_DIGEST_BYTES], bool *ret_has,
                      struct qc_err *err)
{
    *ret_has = d != NULL && d->sum != NULL && d->bytes == size;
    return *ret_has ? qc_sha256_final(d->sum, ret, err) : QC_OK;
}

/* -- what is stored -------------------------------------------------------------------------------------- */

static qc_rc source_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct sync_digest *d = ctx;
    QC_TRY(d->from->read(d->from->ctx, dst, max, ret_got, err));
    return add(d, qc_span_of(dst, *ret_got), err);
}

static qc_rc source_unchanged(void *ctx, uint64_t bytes_read, struct qc_err *err)
{
    const struct sync_digest *d = ctx;
    return d->from->unchanged(d->from->ctx, bytes_read, err);
}

/* A put that goes on in the middle has no digest; one that begins anew has. */
static qc_rc source_seek(void *ctx, uint64_t offset, struct qc_err *err)
{
    struct sync_digest *d = ctx;
    QC_TRY(d->from->seek(d->from->ctx, offset, err));
    if (offset == 0)
        return begin(d, d->from->xattrs, err);
    qc_sha256_free(&d->sum);
    return QC_OK;
}

static qc_rc source_open(void *ctx, struct qc_err *err);

static void source_close(void *ctx)
{
    struct sync_digest *d = ctx;
    d->from->close(d->from->ctx);
}

/* What the source says of itself, and who it is read by. */
static void take(struct sync_digest *d)
{
    d->source = *d->from;
    d->source.open = d->from->open == NULL ? NULL : source_open;
    d->source.close = d->from->close == NULL ? NULL : source_close;
    d->source.read = source_read;
    d->source.unchanged = d->from->unchanged == NULL ? NULL : source_unchanged;
    d->source.seek = d->from->seek == NULL ? NULL : source_seek;
    d->source.ctx = d;
}

/* Only now it says what it is. */
static qc_rc source_open(void *ctx, struct qc_err *err)
{
    struct sync_digest *d = ctx;
    QC_TRY(d->from->open(d->from->ctx, err));
    take(d);
    return begin(d, d->from->xattrs, err);
}

qc_rc sync_digest_source(struct sync_digest **ret, const struct vault_source *of, struct qc_err *err)
{
    QC_CLEANUP(sync_digest_free) struct sync_digest *d = qc_alloc(sizeof *d);
    if (d == NULL)
        return QC_FAIL(err, QC_NOMEM, "a digest");
    d->from = of;
    take(d);
    if (of->open == NULL)
        QC_TRY(begin(d, of->xattrs, err));
    *ret = QC_STEAL(d);
    return QC_OK;
}

const struct vault_source *sync_digest_of_source(const struct sync_digest *d)
{
    return &d->source;
}

/* -- what is got ----------------------------------------------------------------------------------------- */

static qc_rc sink_begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct sync_digest *d = ctx;
    QC_TRY(begin(d, what->xattrs, err));
    return d->to->begin == NULL ? QC_OK : d->to->begin(d->to->ctx, what, err);
}

static qc_rc sink_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct sync_digest *d = ctx;
    QC_TRY(add(d, bytes, err));
    return d->to->write(d->to->ctx, bytes, err);
}

static qc_rc sink_finish(void *ctx, struct qc_err *err)
{
    const struct sync_digest *d = ctx;
    return d->to->finish == NULL ? QC_OK : d->to->finish(d->to->ctx, err);
}

static qc_rc left_find(void *ctx, uint64_t *ret, struct qc_err *err)
{
    const struct sync_digest *d = ctx;
    return d->to->left->find(d->to->ctx, ret, err);
}

static qc_rc left_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err)
{
    const struct sync_digest *d = ctx;
    return d->to->left->read(d->to->ctx, offset, p, n, err);
}

static qc_rc left_keep(void *ctx, uint64_t bytes, struct qc_err *err)
{
    const struct sync_digest *d = ctx;
    return d->to->left->keep(d->to->ctx, bytes, err);
}

qc_rc sync_digest_sink(struct sync_digest **ret, const struct vault_sink *of, struct qc_err *err)
{
    QC_CLEANUP(sync_digest_free) struct sync_digest *d = qc_alloc(sizeof *d);
    if (d == NULL)
        return QC_FAIL(err, QC_NOMEM, "a digest");
    *d = (struct sync_digest){ .to = of, .left = { left_find, left_read, left_keep } };
    d->sink = (struct vault_sink){ .begin = sink_begin,
                                   .write = sink_write,
                                   .finish = sink_finish,
                                   .left = of->left == NULL ? NULL : &d->left,
                                   .ctx = d };
    *ret = QC_STEAL(d);
    return QC_OK;
}

const struct vault_sink *sync_digest_of_sink(const struct sync_digest *d)
{
    return &d->sink;
}

/* -- what is here ---------------------------------------------------------------------------------------- */

static qc_rc read_file(struct sync_digest *d, const char *place, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd file = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf xattrs = { .max = QC_VAULT_XATTRS_MAX };
    uint8_t page[65536];
    unsigned left = 0;
    size_t got = sizeof page;
    QC_TRY(qc_open_at(&file, AT_FDCWD, place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err));
    QC_TRY(vault_xattrs_read(qc_fd_get(&file), &xattrs, &left, err));
    QC_TRY(begin(d, qc_buf_span(&xattrs), err));
    while (got == sizeof page) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "looking for renames", err));
        QC_TRY(qc_read_full(qc_fd_get(&file), page, sizeof page, &got, err));
        QC_TRY(add(d, qc_span_of(page, got), err));
    }
    return QC_OK;
}

qc_rc sync_digest_file(const char *place, const struct sync_stat *st, uint8_t ret[SYNC_DIGEST_BYTES],
                       bool *ret_has, struct qc_err *err)
{
    QC_CLEANUP(sync_digest_free) struct sync_digest *d = qc_alloc(sizeof *d);
    char target[QC_VAULT_LINK_MAX + 1];
    if (d == NULL)
        return QC_FAIL(err, QC_NOMEM, "a digest");
    *d = (struct sync_digest){ 0 };
    if (sync_is_link(st)) {
        const ssize_t n = readlink(place, target, sizeof target);
        if (n < 0)
            return QC_FAIL_OS(err, "cannot read the link");
        QC_TRY(begin(d, (qc_span){ 0 }, err));
        QC_TRY(add(d, qc_span_of(target, (size_t)n), err));
    } else {
        QC_TRY(read_file(d, place, err));
    }
    return sync_digest_end(d, st->size, ret, ret_has, err);
}
