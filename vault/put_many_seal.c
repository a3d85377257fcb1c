/* Sealing a bundle: each N under keys of its own, and what both stores and the gateway get of it. FORMAT 2.
 *
 * The caller's thread and the one that writes to share store 2 have half of the members each. Keys are drawn
 * by one at a time; what they were needed for is done before its next ones are drawn. */
#include <string.h>
#include <sys/stat.h>

#include "base/workq.h"
#include "put_many.h"

/* Members [from, to) of a bundle. */
struct part {
    struct many *b;
    size_t from, to;
    qc_buf bytes; /* their N, one after the other */
    qc_buf told;  /* where the keys in hand are from */
    qc_rc rc;
    struct qc_err why;
};

static void part_done(struct part *p)
{
    qc_buf_free(&p->bytes);
    qc_buf_free(&p->told);
}

/* All of D to where it is sealed; one byte more than may be tells that it is larger. */
static qc_rc read_all(const struct many *b, const struct vault_source *source, uint8_t *dst, size_t *ret,
                      struct qc_err *err)
{
    size_t got = 0;
    for (size_t n = 1; n > 0 && got <= QC_VAULT_BUNDLED_MAX; got += n) {
        QC_TRY(qc_go_on(b->call.op.deadline, b->call.op.cancel, "put", err));
        QC_TRY(source->read(source->ctx, dst + got, QC_VAULT_BUNDLED_MAX + 1 - got, &n, err));
    }
    if (got > QC_VAULT_BUNDLED_MAX)
        return QC_FAIL(err, QC_CHANGED, "it grew while it was read");
    *ret = got;
    return QC_OK;
}

/* What is drawn and is no key, at once: a draw has a price of its own. */
static qc_rc draw_ids(const struct many *b, struct many_member *m, struct qc_err *err)
{
    uint8_t drawn[4 * VAULT_ID_BYTES];
    uint8_t *to[4] = { m->ids.put_key, m->seal_salt };
    size_t n = 2;
    if (m->fresh)
        to[n++] = m->ids.object;
    if (b->ticket)
        memcpy(m->ids.version, m->taken.version, VAULT_ID_BYTES);
    else
        to[n++] = m->ids.version;
    QC_TRY(qc_rng_fill(&b->v->rng, drawn, n * VAULT_ID_BYTES, err));
    for (size_t i = 0; i < n; i++)
        memcpy(to[i], drawn + i * VAULT_ID_BYTES, VAULT_ID_BYTES);
    return QC_OK;
}

/* Ids and keys, and where these bytes came from. What was drawn before is not this object's, so that one
 * thread draws at a time. */
static qc_rc draw(struct part *p, struct many_member *m, struct vault_keys *keys, struct qc_err *err)
{
    struct vault *v = p->b->v;
    QC_TRY(qc_rng_fill(&v->ids, m->salt, sizeof(m->salt), err));
    QC_LOCK(&p->b->lock);
    if (v->tell != NULL)
        (void)v->tell(v->tell_ctx);
    QC_TRY(draw_ids(p->b, m, err));
    QC_CLEANUP(qc_key_free) qc_key *given = QC_STEAL(m->taken.share);
    QC_TRY(put_draw_keys(v, &m->ids, session_generation(v), given, keys, err));
    const char *text = v->tell != NULL ? v->tell(v->tell_ctx) : v->provenance;
    p->told.n = 0;
    p->told.max = QC_VAULT_META_MAX;
    if (text != NULL)
        QC_TRY(qc_buf_add(&p->told, qc_span_str(text), err));
    m->meta.provenance = qc_buf_span(&p->told);
    return QC_OK;
}

static void take_meta(struct many_member *m)
{
    const struct vault_source *s = m->item->source;
    m->meta = (struct vault_meta){ .has_mtime = s->has_mtime,
                                   .has_mode = s->has_mode,
                                   .mtime_s = s->mtime_s,
                                   .mtime_ns = s->mtime_ns,
                                   .mode = s->mode,
                                   .xattrs = s->xattrs,
                                   .folder = s->has_mode && S_ISDIR(s->mode) };
}

/* N at the end of what there is. */
static qc_rc write_N(struct part *p, struct many_member *m, struct vault_sealer *sealer, struct qc_err *err)
{
    size_t n = 0, wrote = 0;
    QC_TRY(qc_buf_add(&p->bytes, vault_sealer_header(sealer), err));
    QC_TRY(qc_buf_reserve(&p->bytes, vault_sealer_room(sealer, QC_VAULT_BUNDLED_MAX + 1), err));
    uint8_t *at = p->bytes.p + p->bytes.n;
    QC_TRY(read_all(p->b, m->item->source, at, &n, err));
    const size_t padded = (size_t)put_padded(p->b->v, n);
    QC_ASSERT(padded <= QC_VAULT_BUNDLED_MAX);
    memset(at + n, 0, padded - n);
    QC_TRY(vault_sealer_chunk(sealer, at, padded, true, &wrote, err));
    p->bytes.n += wrote;
    m->padding = padded - n;
    m->meta.true_size = n;
    m->meta.has_stored = true;
    m->meta.stored_s = qc_wall_s();
    QC_TRY(vault_sealer_finish(sealer, &m->meta, &p->bytes, m->M, err));
    m->meta.provenance = (qc_span){ 0 }; /* p's, until the next one is drawn */
    m->stored = p->bytes.n - m->start;
    QC_ASSERT(m->stored == vault_sealer_size(sealer));
    return p->bytes.n <= QC_VAULT_BUNDLE_MAX ? QC_OK : QC_FAIL(err, QC_LIMIT, "the bundle is full");
}

/* What the shares are needed for: B, and the stores' records. */
static qc_rc share_out(struct many *b, struct many_member *m, const struct vault_keys *keys,
                       const struct vault_sealer *sealer, struct qc_err *err)
{
    const struct vault_backup_parts parts = { .ids = *vault_sealer_ids(sealer),
                                              .generation = session_generation(b->v),
                                              .n2 = vault_sealer_n2(sealer),
                                              .R1 = keys->R1,
                                              .R2 = keys->R2,
                                              .R4 = keys->R4 };
    m->backup.max = QC_VAULT_BACKUP_MAX;
    QC_TRY(vault_backup_make(&m->backup, &parts, err));
    QC_TRY(session_backup_seal(b->v, &m->backup, err));
    for (unsigned i = 0; i < 2; i++) {
        struct vault_store_record r = { .generation = parts.generation,
                                        .state = VAULT_RECORD_PENDING,
                                        .sequence = m->ids.sequence,
                                        .share = i == 0 ? keys->R1 : keys->R2 };
        memcpy(r.object, m->ids.object, VAULT_ID_BYTES);
        memcpy(r.version, m->ids.version, VAULT_ID_BYTES);
        if (b->v->store[i] == NULL) /* recorded when the ticket was drawn */
            continue;
        QC_TRY(store_pending_seal(&m->share[i], b->v->store[i], &r, &b->v->ids, err));
    }
    return QC_OK;
}

static qc_rc seal(struct part *p, struct many_member *m, struct qc_err *err)
{
    QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 };
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *sealer = NULL;
    struct vault_sealer_params params = { 0 };
    take_meta(m);
    QC_TRY(draw(p, m, &keys, err));
    memcpy(params.ids.vault, p->b->v->id, VAULT_ID_BYTES);
    memcpy(params.ids.object, m->ids.object, VAULT_ID_BYTES);
    memcpy(params.ids.version, m->ids.version, VAULT_ID_BYTES);
    memcpy(params.salt, m->seal_salt, sizeof(params.salt));
    QC_TRY(vault_sealer_new(&sealer, &keys, &params, err));
    QC_TRY(write_N(p, m, sealer, err));
    return share_out(p->b, m, &keys, sealer, err);
}

/* What cannot be opened is tried once more alone, which says so as of any file. */
static qc_rc seal_opened(struct part *p, struct many_member *m, bool *ret_again, struct qc_err *err)
{
    const struct vault_source *s = m->item->source;
    *ret_again = true;
    if (s->open != NULL)
        QC_TRY(s->open(s->ctx, err));
    const qc_rc rc = seal(p, m, err);
    if (s->close != NULL)
        s->close(s->ctx);
    *ret_again = rc == QC_CHANGED || rc == QC_LIMIT;
    return rc;
}

/* What cannot be sealed leaves nothing behind. */
static qc_rc seal_some(struct part *p, struct qc_err *err)
{
    p->bytes.max = QC_VAULT_BUNDLE_MAX + 2 * QC_GW_BUNDLED_MAX; /* one more N, and the chunk's room */
    for (size_t i = p->from; i < p->to; i++) {
        struct many_member *m = &p->b->m[i];
        struct qc_err why = { 0 };
        if (m->fate != MANY_IN)
            continue;
        bool again = false;
        m->start = p->bytes.n; /* whatever fails: there it ends */
        const qc_rc rc = seal_opened(p, m, &again, &why);
        if (rc == QC_RANDOM || rc == QC_CANCELLED || rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        if (rc == QC_OK)
            continue;
        p->bytes.n = m->start;
        many_out(m, again, rc, &why);
    }
    return QC_OK;
}

static void seal_part(void *arg)
{
    struct part *p = arg;
    qc_keys_loose_begin();
    p->rc = seal_some(p, &p->why);
    qc_keys_loose_end();
}

/* Behind the first part, as far as there is room. */
static qc_rc join(struct many *b, struct part *p, struct qc_err *err)
{
    for (size_t i = p->from; i < p->to; i++) {
        struct many_member *m = &b->m[i];
        struct qc_err why = { 0 };
        if (m->fate != MANY_IN)
            continue;
        const qc_span N = qc_span_sub(qc_buf_span(&p->bytes), m->start, m->stored);
        if (N.n > QC_VAULT_BUNDLE_MAX - b->segment.n) {
            qc_err_set(&why, QC_LIMIT, QC_HERE, "the bundle is full");
            many_out(m, true, QC_LIMIT, &why);
            continue;
        }
        m->start = b->segment.n;
        QC_TRY(qc_buf_add(&b->segment, N, err));
    }
    return QC_OK;
}

/* Nothing lies between them, and none lies in another one: what is committed is where it is said to be. */
static void expect_tiles(const struct many *b)
{
    uint64_t at = 0;
    for (size_t i = 0; i < b->what.count; i++) {
        const struct many_member *m = &b->m[i];
        if (m->fate != MANY_IN)
            continue;
        QC_ASSERT(m->start == at);
        at += m->stored;
    }
    QC_ASSERT(at == b->segment.n);
}

/* Two threads, where there is one to be had. A ticket's key is its thread's. */
static qc_rc seal_all(struct many *b, struct qc_err *err)
{
    QC_CLEANUP(part_done) struct part first = { .b = b, .to = b->what.count };
    QC_CLEANUP(part_done) struct part second = { .b = b, .to = b->what.count };
    struct qc_err why = { 0 };
    second.from = first.to / 2;
    const bool two = second.from > 0 && !b->ticket && many_second(b->v, seal_part, &second, &why) == QC_OK;
    if (two)
        first.to = second.from;
    seal_part(&first);
    if (two)
        qc_workq_drain(b->v->second);
    if (first.rc != QC_OK)
        *err = first.why;
    QC_TRY(first.rc);
    b->segment = QC_STEAL(first.bytes);
    if (!two)
        return QC_OK;
    if (second.rc != QC_OK)
        *err = second.why;
    QC_TRY(second.rc);
    return join(b, &second, err);
}

qc_rc many_seal(struct many *b, struct qc_err *err)
{
    QC_TRY(seal_all(b, err));
    expect_tiles(b);
    return QC_OK;
}
