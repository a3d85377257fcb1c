#include "vault/open.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "ext.h"
#include "frame.h"

static qc_rc write_fields(qc_buf *b, const struct vault_trailer *t, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, t->L, 8, err));
    QC_TRY(qc_buf_add_be(b, t->epoch_count, 4, err));
    for (uint32_t i = 0; i < t->epoch_count; i++) {
        QC_TRY(qc_buf_add_be(b, t->epochs[i].start, 8, err));
        QC_TRY(qc_buf_add(b, qc_span_of(t->epochs[i].salt, 16), err));
    }
    QC_TRY(qc_buf_add_be(b, t->digests.n / 32, 4, err));
    QC_TRY(qc_buf_add(b, t->digests, err));
    QC_TRY(qc_buf_add_be(b, t->meta.n, 4, err));
    QC_TRY(qc_buf_add(b, t->meta, err));
    return qc_buf_add(b, t->extensions, err);
}

qc_rc vault_trailer_write(qc_buf *ret, const struct vault_trailer *t, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_TRAILER_MAX };
    QC_TRY_AS(write_fields(&b, t, err), err, "trailer");
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

static void frame_done(struct vault_frame *f)
{
    qc_buf_free(&f->header);
    qc_buf_free(&f->trailer);
    qc_free(f->epochs);
    f->epochs = NULL;
}

void vault_frame_free(struct vault_frame **f)
{
    if (*f == NULL)
        return;
    frame_done(*f);
    qc_free(*f);
    *f = NULL;
}

/* Count, then starts and salts. Starts ascend strictly and stay below the number of chunks. */
static qc_rc read_epochs(struct vault_frame *f, qc_rd *r, struct qc_err *err)
{
    const uint64_t count = qc_rd_be(r, 4);
    if (count > QC_VAULT_EPOCHS_MAX)
        return QC_FAIL(err, QC_FORMAT, "trailer: %" PRIu64 " epochs, at most %d", count, QC_VAULT_EPOCHS_MAX);
    if (!qc_rd_ok(r) || qc_rd_left(r) < count * 24)
        return QC_FAIL(err, QC_FORMAT, "trailer: cut in the epochs");
    if (count == 0)
        return QC_OK;
    f->epochs = qc_alloc((size_t)count * sizeof *f->epochs);
    if (f->epochs == NULL)
        return QC_FAIL(err, QC_NOMEM, "trailer: %" PRIu64 " epochs", count);
    f->epoch_count = (uint32_t)count;
    for (uint64_t i = 0; i < count; i++) {
        struct vault_epoch *e = &f->epochs[i];
        e->start = qc_rd_be(r, 8);
        qc_rd_copy(r, e->salt, sizeof e->salt);
        if (i > 0 && e->start <= f->epochs[i - 1].start)
            return QC_FAIL(err, QC_FORMAT, "trailer: epoch starts do not ascend");
        if (e->start >= f->g.chunks)
            return QC_FAIL(err, QC_FORMAT, "trailer: an epoch starts at chunk %" PRIu64 " of %" PRIu64,
                           e->start, f->g.chunks);
    }
    return QC_OK;
}

/* Everything in f->trailer; the header's part of f->g is set. */
static qc_rc read_trailer(struct vault_frame *f, struct qc_err *err)
{
    qc_rd r = { .s = qc_buf_span(&f->trailer) };
    f->g.L = qc_rd_be(&r, 8);
    f->g.trailer_size = (uint32_t)f->trailer.n;
    QC_TRY(vault_geometry_init(&f->g, &f->g, err));
    QC_TRY(read_epochs(f, &r, err));
    const uint64_t groups = qc_rd_be(&r, 4);
    if (!qc_rd_ok(&r) || groups != f->g.groups)
        return QC_FAIL(err, QC_FORMAT, "trailer: %" PRIu64 " groups, expected %" PRIu64, groups, f->g.groups);
    f->digests = qc_rd_bytes(&r, groups * 32);
    const uint64_t meta = qc_rd_be(&r, 4);
    if (!qc_rd_ok(&r) || meta < VAULT_META_BYTES_MIN || meta > QC_VAULT_META_MAX)
        return QC_FAIL(err, QC_FORMAT, "trailer: private metadata of %" PRIu64 " bytes, expected %d to %d",
                       meta, VAULT_META_BYTES_MIN, QC_VAULT_META_MAX);
    f->meta = qc_rd_bytes(&r, meta);
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_FORMAT, "trailer: cut");
    f->trailer_extensions = qc_span_from(r.s, r.at);
    return vault_ext_check(f->trailer_extensions, "trailer", err);
}

static qc_rc read_header(struct vault_frame *f, struct qc_err *err)
{
    struct vault_header h;
    QC_TRY(vault_header_parse(&h, qc_buf_span(&f->header), err));
    f->g = (struct vault_geometry){ .header_size = h.size,
                                    .chunk_log2 = h.chunk_log2,
                                    .group_log2 = h.group_log2 };
    f->ids = h.ids;
    memcpy(f->salt, h.salt, sizeof f->salt);
    memcpy(f->commitment, h.commitment, sizeof f->commitment);
    f->header_extensions = h.extensions;
    return QC_OK;
}

/* Length of the trailer, which stands before M; believed only as far as it can be true. */
static qc_rc trailer_length(uint64_t *ret, uint64_t size, uint64_t header, qc_span tail, struct qc_err *err)
{
    const uint64_t n = qc_get_be(tail.p + tail.n - VAULT_END_BYTES, 4);
    if (n < VAULT_TRAILER_BYTES_MIN || n > QC_VAULT_TRAILER_MAX)
        return QC_FAIL(err, QC_FORMAT, "trailer length %" PRIu64 ", expected %d to %d", n,
                       VAULT_TRAILER_BYTES_MIN, QC_VAULT_TRAILER_MAX);
    if (header + VAULT_INSERT_BYTES + VAULT_TAGS_BYTES + n + VAULT_END_BYTES > size)
        return QC_FAIL(err, QC_FORMAT,
                       "trailer length %" PRIu64 " does not fit into an object of %" PRIu64 " bytes", n,
                       size);
    *ret = n;
    return QC_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Sizes of header and trailer, or what is lacking to know and hold them. */
static qc_rc measure(uint64_t *ret_header, uint64_t *ret_trailer, struct vault_need *need, uint64_t size,
                     qc_span head, qc_span tail, struct qc_err *err)
{
    uint32_t H = VAULT_HEADER_BYTES;
    if (head.n >= VAULT_HEADER_PEEK)
        QC_TRY(vault_header_peek(&H, head, err));
    else
        need->head = least(size, VAULT_HEAD_FIRST);
    if (H > size)
        return QC_FAIL(err, QC_FORMAT, "header: size %" PRIu32 " in an object of %" PRIu64 " bytes", H, size);
    if (head.n < H && need->head == 0)
        need->head = H;
    uint64_t T = 0;
    if (tail.n >= VAULT_END_BYTES)
        QC_TRY(trailer_length(&T, size, H, tail, err));
    else
        need->tail = least(size, VAULT_TAIL_FIRST);
    if (tail.n < T + VAULT_END_BYTES && need->tail == 0)
        need->tail = T + VAULT_END_BYTES;
    *ret_header = H;
    *ret_trailer = T;
    return QC_OK;
}

static qc_rc fill(struct vault_frame *f, uint64_t size, qc_span header, qc_span tail, struct qc_err *err)
{
    f->header.max = header.n;
    f->trailer.max = tail.n - VAULT_END_BYTES;
    QC_TRY(qc_buf_add(&f->header, header, err));
    QC_TRY(qc_buf_add(&f->trailer, qc_span_sub(tail, 0, f->trailer.max), err));
    memcpy(f->M, tail.p + tail.n - VAULT_M_BYTES, VAULT_M_BYTES);
    QC_TRY(read_header(f, err));
    QC_TRY(read_trailer(f, err));
    if (f->g.size != size)
        return QC_FAIL(err, QC_FORMAT, "length of the object: %" PRIu64 " bytes, its fields give %" PRIu64,
                       size, f->g.size);
    return QC_OK;
}

qc_rc vault_frame_parse(struct vault_frame **ret, struct vault_need *need, uint64_t size, qc_span head,
                        qc_span tail, struct qc_err *err)
{
    if (size < VAULT_HEADER_BYTES + VAULT_INSERT_BYTES + VAULT_TAGS_BYTES + VAULT_TRAILER_BYTES_MIN +
                   VAULT_END_BYTES)
        return QC_FAIL(err, QC_FORMAT, "length of the object: %" PRIu64 " bytes are too short", size);
    if (head.n > size || tail.n > size)
        return QC_FAIL(err, QC_FORMAT, "length of the object: more bytes came than its %" PRIu64, size);
    struct vault_need lack = { 0 };
    uint64_t H = 0, T = 0;
    QC_TRY(measure(&H, &T, &lack, size, head, tail, err));
    if (lack.head == 0 && lack.tail == 0) {
        QC_CLEANUP(vault_frame_free) struct vault_frame *f = qc_alloc(sizeof *f);
        if (f == NULL)
            return QC_FAIL(err, QC_NOMEM, "frame of an object");
        const size_t end = (size_t)T + VAULT_END_BYTES;
        QC_TRY(fill(f, size, qc_span_sub(head, 0, (size_t)H), qc_span_from(tail, tail.n - end), err));
        *ret = QC_STEAL(f);
    }
    *need = lack;
    return QC_OK;
}
