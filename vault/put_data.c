/* The data path of a put: read, seal in place, send. Resident: two segment buffers. */
#include "put.h"

#include <string.h>

#define CHUNK ((size_t)1 << VAULT_CHUNK_LOG2)

/* Reading ahead by one byte tells the end of D, from a pipe as well. What D is padded with follows it. */
struct feed {
    bool ahead;
    uint8_t byte;
    bool at_end;    /* D is at its end */
    uint64_t zeros; /* then: so many are left */
    bool ended;     /* and so are they */
};

uint64_t put_padded(const struct vault *v, uint64_t n)
{
    const uint64_t L = v->pad != NULL ? v->pad(n) : n;
    QC_ASSERT(L >= n);
    return L;
}

static qc_rc read_some(struct put *p, uint8_t *dst, size_t want, size_t *ret_got, struct qc_err *err)
{
    size_t got = 0;
    while (got < want) {
        size_t n = 0;
        QC_TRY(qc_go_on(p->call->op.deadline, p->call->op.cancel, "put", err));
        QC_TRY(p->source->read(p->source->ctx, dst + got, want - got, &n, err));
        QC_ASSERT(n <= want - got);
        if (n == 0)
            break;
        got += n;
    }
    *ret_got = got;
    return QC_OK;
}

/* What D has for the next chunk to dst. */
static qc_rc next_data(struct put *p, struct feed *f, uint8_t *dst, size_t *ret_n, struct qc_err *err)
{
    size_t n = 0, got = 0;
    if (f->ahead)
        dst[n++] = f->byte;
    f->ahead = false;
    QC_TRY(read_some(p, dst + n, CHUNK - n, &got, err));
    n += got;
    if (n == CHUNK) {
        QC_TRY(read_some(p, &f->byte, 1, &got, err));
        f->ahead = got == 1;
    }
    p->size += n;
    f->at_end = !f->ahead;
    if (f->at_end) { /* those behind which the put goes on are there */
        const uint64_t there = (uint64_t)p->first * SEGMENT_DATA;
        f->zeros = put_padded(p->v, p->size) - (p->size > there ? p->size : there);
    }
    *ret_n = n;
    return QC_OK;
}

/* The plaintext of the next chunk to dst, of which the last one sets f->ended. */
static qc_rc next_chunk(struct put *p, struct feed *f, uint8_t *dst, size_t *ret_n, struct qc_err *err)
{
    size_t n = 0;
    if (!f->at_end)
        QC_TRY(next_data(p, f, dst, &n, err));
    if (f->at_end) {
        const size_t zeros = f->zeros < CHUNK - n ? (size_t)f->zeros : CHUNK - n;
        memset(dst + n, 0, zeros);
        f->zeros -= zeros;
        n += zeros;
    }
    f->ended = f->at_end && f->zeros == 0;
    *ret_n = n;
    return QC_OK;
}

/* Up to 16 chunks into a segment's buffer. *ret_data: their bytes of D. */
static qc_rc fill_segment(struct put *p, struct feed *f, qc_buf *seg, uint64_t *ret_data, struct qc_err *err)
{
    const uint64_t before = p->size;
    for (unsigned i = 0; i < QC_VAULT_SEGMENT_CHUNKS && !f->ended; i++) {
        size_t n = 0, wrote = 0;
        QC_ASSERT(seg->cap - seg->n >= vault_sealer_room(p->sealer, CHUNK));
        QC_TRY(next_chunk(p, f, seg->p + seg->n, &n, err));
        QC_TRY(vault_sealer_chunk(p->sealer, seg->p + seg->n, n, f->ended, &wrote, err));
        seg->n += wrote;
    }
    *ret_data = p->size - before;
    return QC_OK;
}

static void tell(struct put *p, bool finishing)
{
    struct vault_progress now = { .total = p->source->size, .finishing = finishing };
    sender_progress(p->sender, &now.done, &now.sent);
    now.sealed = sender_sealed(p->sender);
    now.clouds = put_clouds_look(p, now.done);
    session_progress(p->call, &now);
}

/* Trailer and M: with the last chunks where they fit into the segment, else as a segment of their own. */
static qc_rc finish(struct put *p, qc_buf *seg, uint64_t data, struct qc_err *err)
{
    p->meta.true_size = p->size;
    p->meta.has_stored = true;
    p->meta.stored_s = qc_wall_s();
    if (seg->n + vault_sealer_tail_room(p->sealer, &p->meta) > QC_VAULT_SEGMENT_MAX) {
        QC_TRY(sender_send(p->sender, false, data, err));
        QC_TRY(sender_take(p->sender, &seg, err));
        data = 0;
    }
    QC_TRY(vault_sealer_finish(p->sealer, &p->meta, seg, p->M, err));
    return sender_send(p->sender, true, data, err);
}

static void idle(void *ctx)
{
    tell(ctx, false);
}

static qc_rc send_all(struct put *p, struct qc_err *err)
{
    struct feed f = { 0 };
    for (bool first = p->first == 0;; first = false) {
        qc_buf *seg = NULL;
        uint64_t data = 0;
        QC_TRY(sender_take(p->sender, &seg, err));
        tell(p, false);
        if (first)
            QC_TRY(qc_buf_add(seg, vault_sealer_header(p->sealer), err));
        QC_TRY(fill_segment(p, &f, seg, &data, err));
        if (f.ended)
            return finish(p, seg, data, err);
        QC_TRY(put_record(p, err)); /* zeros as well: where a put goes on says nothing of where D ends */
        QC_TRY(sender_send(p->sender, false, data, err));
    }
}

static qc_rc new_sealer(struct put *p, struct qc_err *err)
{
    struct vault_sealer_params params = { 0 };
    memcpy(params.ids.vault, p->v->id, VAULT_ID_BYTES);
    memcpy(params.ids.object, p->ids.object, VAULT_ID_BYTES);
    memcpy(params.ids.version, p->ids.version, VAULT_ID_BYTES);
    QC_TRY(qc_rng_fill(&p->v->rng, params.salt, sizeof(params.salt), err));
    return vault_sealer_new(&p->sealer, &p->keys, &params, err);
}

qc_rc put_data(struct put *p, struct qc_err *err)
{
    if (p->sealer == NULL)
        QC_TRY(new_sealer(p, err));
    QC_TRY(vault_ways_new(&p->ways, err));
    QC_TRY(sender_new(&p->sender, p->v->gw,
                      &(struct sender_opts){ .put_key = p->ids.put_key,
                                             .hasty = p->opts->hasty,
                                             .run = p->run,
                                             .first = p->first,
                                             .durable = p->size,
                                             .ways = p->ways,
                                             .idle = p->call->progress != NULL ? idle : NULL,
                                             .idle_ctx = p },
                      &p->call->op, err));
    QC_TRY(send_all(p, err));
    QC_TRY(sender_drain(p->sender, err));
    tell(p, true);
    QC_TRY(vault_ways_print(p->ways, &p->ways_text, err));
    p->meta.ways = qc_buf_span(&p->ways_text);
    /* Last of all, so that a file that changed during the put is never committed (seal.md 3.6). */
    if (p->source->unchanged != NULL)
        QC_TRY(p->source->unchanged(p->source->ctx, p->size, err));
    return QC_OK;
}
