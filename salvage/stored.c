#include "stored.h"

#include <inttypes.h>

struct stored {
    struct salvage *s;
    struct segment_reader *r;
    const struct version *v;
    uint32_t at;        /* a segment, and .. */
    uint64_t at_offset; /* .. where in N it begins */
    qc_buf head, tail, backup, chunk, tags;
    qc_key *share[2];
    qc_key *own[2]; /* the same as B's corrections want them (FORMAT 4) */
    uint32_t generation[2];
    bool given[2]; /* by a seed */
    struct vault_backup B;
    bool has_B;
    struct vault_frame *frame;
    struct vault_opened *opened;
};

void stored_close(struct stored **fp)
{
    struct stored *f = *fp;

    *fp = NULL;
    if (f == NULL)
        return;
    vault_opened_free(&f->opened);
    vault_frame_free(&f->frame);
    vault_backup_done(&f->B);
    for (unsigned i = 0; i < 2; i++) {
        qc_key_free(&f->share[i]);
        qc_key_free(&f->own[i]);
    }
    qc_buf_free(&f->head);
    qc_buf_free(&f->tail);
    qc_buf_free(&f->backup);
    qc_buf_free(&f->chunk);
    qc_buf_free(&f->tags);
    qc_free(f);
}

const struct vault_meta *stored_meta(const struct stored *f)
{
    return vault_opened_meta(f->opened);
}

/* -- bytes of N ------------------------------------------------------------------------------------------ */

qc_rc segment_now(struct index *ix, const struct gw_rec_commit *c, uint32_t i, struct gw_log_segment *ret,
                  struct gw_log_layout *ret_layout, struct qc_err *err)
{
    struct gw_rec_recoded r = {
        .tenant = c->tenant, .object = *gw_rec_object(c), .version = *gw_rec_version(c), .seq = i
    };
    bool found = false;

    gw_log_segment_at(c, i, ret);
    QC_TRY(index_recoded(ix, &r, &found, err));
    if (found) {
        *ret = r.segment;
        *ret_layout = r.layout;
        return QC_OK;
    }
    if (ret->layout >= c->layout_count)
        return QC_FAIL(err, QC_FORMAT, "segment %" PRIu32 " names no layout", i);
    gw_log_layout_at(c, ret->layout, ret_layout);
    return QC_OK;
}

qc_rc version_segment(const struct version *v, uint32_t i, struct segment_want *ret, struct qc_err *err)
{
    struct gw_log_segment seg;
    struct gw_log_layout layout;

    if (v->commit == NULL) {
        *ret = v->segments[i];
        return QC_OK;
    }
    QC_TRY(segment_now(v->ix, v->commit, i, &seg, &layout, err));
    if (seg.size < 1 || seg.size > QC_GW_SEGMENT_MAX || layout.k < 1 || layout.k > layout.n ||
        layout.n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_FORMAT, "segment %" PRIu32 " has %" PRIu32 " bytes in %u of %u", i, seg.size,
                       layout.k, layout.n);
    *ret = (struct segment_want){ .id = seg.id,
                                  .tenant = v->tenant,
                                  .object = *gw_rec_object(v->commit),
                                  .version = *gw_rec_version(v->commit),
                                  .seq = i,
                                  .size = seg.size,
                                  .last = i + 1 == v->segment_count,
                                  .k = layout.k,
                                  .n = layout.n,
                                  .recorded = true,
                                  .incarnation = seg.incarnation };
    memcpy(ret->salt, seg.salt, sizeof ret->salt);
    memcpy(ret->digest, seg.digest, sizeof ret->digest);
    memcpy(ret->layout, layout.clouds, sizeof ret->layout);
    return QC_OK;
}

/* The segment that holds a byte of N. */
static qc_rc find_segment(struct stored *f, uint64_t offset, struct segment_want *ret, struct qc_err *err)
{
    if (offset < f->at_offset) {
        f->at = 0;
        f->at_offset = 0;
    }
    for (; f->at < f->v->segment_count; f->at++) {
        QC_TRY(version_segment(f->v, f->at, ret, err));
        if (offset < f->at_offset + ret->size)
            return QC_OK;
        f->at_offset += ret->size;
    }
    f->at = 0;
    f->at_offset = 0;
    return QC_FAIL(err, QC_FORMAT, "its segments have fewer bytes than its entry says");
}

/* Bytes of N into ret, which is cleared first. What cannot be had is zeros; *ret_whole: nothing is. */
static qc_rc fetch(struct stored *f, struct vault_range range, qc_buf *ret, bool *ret_whole,
                   struct qc_err *err)
{
    range.offset += f->v->start;
    ret->max = ret->max < range.size ? (size_t)range.size : ret->max;
    qc_buf_clear(ret);
    QC_TRY(qc_buf_reserve(ret, (size_t)range.size, err));
    *ret_whole = true;
    while (range.size > 0) {
        struct segment_want w;
        qc_span bytes;
        bool whole = false;
        QC_TRY(find_segment(f, range.offset, &w, err));
        QC_TRY(segment_read(f->r, &w, &bytes, &whole, err));
        const size_t from = (size_t)(range.offset - f->at_offset);
        const size_t n = range.size < bytes.n - from ? (size_t)range.size : bytes.n - from;
        QC_TRY(qc_buf_add(ret, qc_span_sub(bytes, from, n), err));
        *ret_whole &= whole;
        range.offset += n;
        range.size -= n;
    }
    return QC_OK;
}

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc read_frame(struct stored *f, struct qc_err *err)
{
    const uint64_t size = f->v->size;
    struct vault_need need = { size < VAULT_HEAD_FIRST ? size : VAULT_HEAD_FIRST,
                               size < VAULT_TAIL_FIRST ? size : VAULT_TAIL_FIRST };
    bool head = true, tail = true;

    for (unsigned round = 0; f->frame == NULL; round++) {
        if (round == 4 || need.head > size || need.tail > size ||
            need.head > (uint64_t)QC_VAULT_TRAILER_MAX * 2 || need.tail > (uint64_t)QC_VAULT_TRAILER_MAX * 2)
            return QC_FAIL(err, QC_FORMAT, "its parts do not settle");
        QC_TRY(fetch(f, (struct vault_range){ 0, need.head }, &f->head, &head, err));
        QC_TRY(fetch(f, (struct vault_range){ size - need.tail, need.tail }, &f->tail, &tail, err));
        const qc_rc rc =
            vault_frame_parse(&f->frame, &need, size, qc_buf_span(&f->head), qc_buf_span(&f->tail), err);
        if (rc != QC_OK && rc != QC_NOMEM && (!head || !tail))
            return QC_FAIL(err, QC_QUORUM, "its %s is in too few fragments", head ? "end" : "beginning");
        QC_TRY(rc);
    }
    return QC_OK;
}

/* generation 0: the highest. What is not there changes nothing. */
static qc_rc take_share(struct stored *f, unsigned i, uint32_t generation, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record rec = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = vault_store_get_at(f->s->store[i], f->v->object.b, f->v->id.b, generation, &rec, &why);

    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        return QC_OK;
    qc_key_free(&f->share[i]);
    f->share[i] = QC_STEAL(rec.share);
    f->generation[i] = rec.generation;
    f->given[i] = rec.given;
    return QC_OK;
}

/* Of B's generation where they are there, and as its corrections want them. */
static qc_rc take_shares(struct stored *f, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        if (f->s->store[i] == NULL)
            continue;
        QC_TRY(take_share(f, i, 0, err));
        if (f->share[i] == NULL || !f->has_B)
            continue;
        if (f->generation[i] != f->B.generation)
            QC_TRY(take_share(f, i, f->B.generation, err));
        QC_TRY(f->given[i] ? qc_key_dup(&f->own[i], f->share[i], err)
                           : vault_backup_correct(&f->own[i], &f->B, i + 1, f->share[i], err));
    }
    return QC_OK;
}

static qc_rc take_backup(struct stored *f, struct qc_err *err)
{
    const struct gw_backup_ids ids = { f->s->vault, f->v->object, f->v->id };

    f->backup.max = QC_VAULT_BACKUP_MAX;
    if (f->v->sealed_backup.n == 0)
        return QC_FAIL(err, QC_SHARES, "no backup data of it is here");
    QC_TRY(chain_backup(f->s, &ids, f->v->sealed_backup, &f->backup, err));
    QC_TRY(stores_backup(f->s, &ids, &f->backup, err));
    QC_TRY(vault_backup_parse(&f->B, qc_buf_span(&f->backup), err));
    f->has_B = true;
    return QC_OK;
}

/* By both shares, else by each with B: one of them may be damaged. The first failure is told. */
static qc_rc unlock(struct stored *f, qc_span head0, struct qc_err *err)
{
    const qc_key *R1 = f->share[0], *R2 = f->share[1];
    const struct {
        const qc_key *R1, *R2;
        bool with_B;
    } ways[] = { { R1, R2, false }, { f->own[0], NULL, true }, { NULL, f->own[1], true } };
    struct vault_unlock with = { .M = f->v->commit == NULL ? NULL : f->v->commit->e.m };
    qc_rc first = QC_OK;

    memcpy(with.ids.vault, f->s->vault.b, VAULT_ID_BYTES);
    memcpy(with.ids.object, f->v->object.b, VAULT_ID_BYTES);
    memcpy(with.ids.version, f->v->id.b, VAULT_ID_BYTES);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct qc_err why = { 0 };
        if ((!ways[i].with_B && (R1 == NULL || R2 == NULL)) ||
            (ways[i].with_B && (!f->has_B || (ways[i].R1 == NULL && ways[i].R2 == NULL))))
            continue;
        with.R1 = ways[i].R1;
        with.R2 = ways[i].R2;
        with.B = ways[i].with_B ? &f->B : NULL;
        const qc_rc rc = vault_open(&f->opened, f->frame, &with, head0, &why);
        if (rc == QC_OK)
            return QC_OK;
        if (first == QC_OK) {
            first = rc;
            *err = why;
        }
    }
    if (first == QC_OK)
        return QC_FAIL(err, QC_SHARES, "%s",
                       R1 == NULL && R2 == NULL ? "no share of it is in the stores that are here"
                                                : "one share of it is here, and no backup data");
    return first;
}

static qc_rc open_version(struct stored *f, struct qc_err *err)
{
    struct qc_err none = { 0 };
    bool whole = false;

    QC_TRY(read_frame(f, err));
    const qc_rc rc = take_backup(f, &none);
    if (salvage_ends(rc)) {
        *err = none;
        return rc;
    }
    QC_TRY(take_shares(f, err));
    QC_TRY(fetch(f, vault_geometry_chunk(&f->frame->g, 0), &f->chunk, &whole, err));
    qc_rc opened = unlock(f, qc_buf_span(&f->chunk), err);
    if (opened == QC_INTEGRITY && !whole)
        return QC_FAIL(err, QC_QUORUM, "its first chunk is in too few fragments");
    return opened;
}

qc_rc stored_open(struct stored **ret, struct salvage *s, struct segment_reader *r, const struct version *v,
                  struct qc_err *err)
{
    QC_CLEANUP(stored_close) struct stored *f = qc_alloc(sizeof *f);

    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "version");
    f->s = s;
    f->r = r;
    f->v = v;
    QC_TRY(open_version(f, err));
    *ret = QC_STEAL(f);
    return QC_OK;
}

/* -- reading --------------------------------------------------------------------------------------------- */

struct reading {
    struct stored *f;
    stored_fn fn;
    void *ctx;
    struct stored_holes *holes;
    struct vault_tags tags;
    bool has_tags, bad_tags;
};

static void reading_done(struct reading *r)
{
    vault_tags_done(&r->tags);
}

static void add_hole(struct stored_holes *h, uint64_t from, uint64_t size)
{
    if (size == 0)
        return;
    const bool longer = h->count > 0 && h->end == from;
    if (longer && h->count <= QC_SALVAGE_HOLES_MAX)
        h->v[h->count - 1].size += size;
    else if (!longer && h->count < QC_SALVAGE_HOLES_MAX)
        h->v[h->count] = (struct hole){ from, size };
    h->count += !longer;
    h->lost += size;
    h->end = from + size;
}

/* The tag block of a chunk's group. */
static qc_rc need_tags(struct reading *r, uint64_t group, struct qc_err *err)
{
    const struct vault_geometry *g = &r->f->frame->g;
    struct qc_err why = { 0 };
    bool whole = false;

    if ((r->has_tags || r->bad_tags) && r->tags.group == group)
        return QC_OK;
    QC_TRY(fetch(r->f, vault_geometry_tags(g, group), &r->f->tags, &whole, err));
    const qc_rc rc = vault_opened_group(&r->tags, r->f->opened, group, qc_buf_span(&r->f->tags), &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    r->has_tags = rc == QC_OK;
    r->bad_tags = rc != QC_OK;
    r->tags.group = group;
    return QC_OK;
}

static qc_rc read_chunk(struct reading *r, uint64_t i, struct qc_err *err)
{
    const struct vault_geometry *g = &r->f->frame->g;
    const uint64_t from = i << g->chunk_log2, mine = vault_opened_true(r->f->opened, i);
    struct qc_err why = { 0 };
    size_t n = 0;
    bool whole = false;

    QC_TRY(need_tags(r, vault_geometry_group_of(g, i), err));
    QC_TRY(fetch(r->f, vault_geometry_chunk(g, i), &r->f->chunk, &whole, err));
    qc_rc rc = r->bad_tags
                   ? QC_INTEGRITY
                   : vault_opened_chunk(r->f->opened, &r->tags, i, r->f->chunk.p, r->f->chunk.n, &n, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        add_hole(r->holes, from, mine);
    else if (mine > 0)
        QC_TRY(r->fn(r->ctx, from, qc_span_of(r->f->chunk.p, (size_t)mine), err));
    return QC_OK;
}

qc_rc stored_read(struct stored *f, stored_fn fn, void *ctx, struct stored_holes *ret, struct qc_err *err)
{
    QC_CLEANUP(reading_done) struct reading r = { .f = f, .fn = fn, .ctx = ctx, .holes = ret };

    for (uint64_t i = 0; i < f->frame->g.chunks; i++) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, f->s->cancel, "salvage", err));
        QC_TRY(read_chunk(&r, i, err));
    }
    return QC_OK;
}
