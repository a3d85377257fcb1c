/* The clear text of notes (FORMAT 9.6). Reader and writer, kind by kind. */
#include "gateway/pack.h"

enum {
    HEAD_BYTES = 8 + GW_DIGEST_BYTES + 8 + 4 + 4,
    FLAGS_AT = 8 + GW_DIGEST_BYTES + 8,
    COUNT_AT = FLAGS_AT + 4,
    FLAG_MORE = 1,
    MUST_UNDERSTAND = 0x80,
    BODY_MAX = 64 + 4 * QC_EC_N_MAX,
};

/* -- writing --------------------------------------------------------------------------------------------- */

/* Appends to a fixed buffer, as the format's table reads. */
struct body {
    uint8_t b[BODY_MAX];
    size_t n;
};

static void put_be(struct body *w, uint64_t v, size_t nbytes)
{
    qc_put_be(w->b + w->n, v, nbytes);
    w->n += nbytes;
}

static void put_bytes(struct body *w, const uint8_t *p, size_t n)
{
    memcpy(w->b + w->n, p, n);
    w->n += n;
}

static void put_scrub(struct body *w, const struct gw_note_scrub *s)
{
    put_be(w, s->cloud_id, 4);
    put_be(w, s->depth, 1);
    put_be(w, (uint64_t)s->began, 8);
    put_be(w, (uint64_t)s->ended, 8);
    put_be(w, s->spent_ms, 8);
    put_be(w, s->objects, 8);
    put_be(w, s->bytes, 8);
    put_be(w, s->found, 8);
}

static void put_fragment(struct body *w, const struct gw_note_fragment *f)
{
    put_be(w, f->segment_id, 8);
    put_be(w, f->index, 1);
    put_be(w, f->attempt, 1);
    put_be(w, f->cloud_id, 4);
    put_be(w, f->incarnation, 4);
}

static void put_segment(struct body *w, const struct gw_note_segment *s)
{
    put_be(w, s->id, 8);
    put_be(w, s->tenant, 4);
    put_be(w, s->incarnation, 4);
    put_bytes(w, s->salt, sizeof s->salt);
    put_be(w, s->size, 4);
    put_be(w, s->layout.k, 1);
    put_be(w, s->layout.n, 1);
    for (unsigned i = 0; i < s->layout.n; i++)
        put_be(w, s->layout.clouds[i], 4);
}

static void put_note(struct body *w, const struct gw_note *note)
{
    switch (note->kind) {
    case GW_NOTE_IDS:
        put_be(w, note->u.next_segment, 8);
        break;
    case GW_NOTE_AUDIT:
        put_be(w, note->u.audit.sequence, 8);
        put_bytes(w, note->u.audit.hash, sizeof note->u.audit.hash);
        break;
    case GW_NOTE_SCRUB:
        put_scrub(w, &note->u.scrub);
        break;
    case GW_NOTE_UNCOUNTED:
        put_fragment(w, &note->u.fragment);
        put_be(w, note->u.fragment.state, 1);
        break;
    case GW_NOTE_DEAD_KEY:
        put_fragment(w, &note->u.fragment);
        put_bytes(w, note->u.fragment.salt, sizeof note->u.fragment.salt);
        break;
    case GW_NOTE_DEAD_SEGMENT:
        put_segment(w, &note->u.segment);
        break;
    }
}

qc_rc gw_notes_begin(qc_buf *b, const struct gw_notes_head *h, struct qc_err *err)
{
    QC_ASSERT(b->n == 0);
    QC_TRY(qc_buf_reserve(b, HEAD_BYTES, err)); /* what follows cannot fail */
    QC_TRY(qc_buf_add_be(b, h->sequence, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->hash, sizeof h->hash), err));
    QC_TRY(qc_buf_add_be(b, (uint64_t)h->time_s, 8, err));
    return qc_buf_add_zero(b, 8, err);
}

qc_rc gw_notes_add(qc_buf *b, const struct gw_note *note, struct qc_err *err)
{
    struct body w = { .n = 0 };

    put_note(&w, note);
    QC_ASSERT(w.n <= sizeof w.b);
    QC_TRY(qc_buf_reserve(b, 5 + w.n, err));
    QC_TRY(qc_buf_add_be(b, note->kind, 1, err));
    QC_TRY(qc_buf_add_be(b, w.n, 4, err));
    return qc_buf_add(b, qc_span_of(w.b, w.n), err);
}

void gw_notes_end(qc_buf *b, uint32_t count, bool more)
{
    QC_ASSERT(b->n >= HEAD_BYTES);
    b->p[FLAGS_AT] = more ? FLAG_MORE : 0;
    qc_put_be(b->p + COUNT_AT, count, 4);
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* Wall clock, of a gateway of ours: no negative one. */
static int64_t rd_time(qc_rd *rd)
{
    const uint64_t v = qc_rd_be(rd, 8);

    if (v > INT64_MAX)
        qc_rd_fail(rd);
    return qc_rd_ok(rd) ? (int64_t)v : 0;
}

/* Numbers that a database keeps. */
static uint64_t rd_u63(qc_rd *rd)
{
    return (uint64_t)rd_time(rd);
}

static void rd_scrub(qc_rd *rd, struct gw_note_scrub *ret)
{
    ret->cloud_id = (uint32_t)qc_rd_be(rd, 4);
    ret->depth = (uint8_t)qc_rd_be(rd, 1);
    ret->began = rd_time(rd);
    ret->ended = rd_time(rd);
    ret->spent_ms = rd_u63(rd);
    ret->objects = rd_u63(rd);
    ret->bytes = rd_u63(rd);
    ret->found = rd_u63(rd);
    if (ret->depth < 1 || ret->depth > 2)
        qc_rd_fail(rd);
}

static void rd_fragment(qc_rd *rd, struct gw_note_fragment *ret)
{
    ret->segment_id = rd_u63(rd);
    ret->index = (uint8_t)qc_rd_be(rd, 1);
    ret->attempt = (uint8_t)qc_rd_be(rd, 1);
    ret->cloud_id = (uint32_t)qc_rd_be(rd, 4);
    ret->incarnation = (uint32_t)qc_rd_be(rd, 4);
    if (ret->index >= QC_EC_N_MAX || ret->incarnation < 1 || ret->incarnation > UINT16_MAX)
        qc_rd_fail(rd);
}

static void rd_segment(qc_rd *rd, struct gw_note_segment *ret)
{
    ret->id = rd_u63(rd);
    ret->tenant = (uint32_t)qc_rd_be(rd, 4);
    ret->incarnation = (uint32_t)qc_rd_be(rd, 4);
    qc_rd_copy(rd, ret->salt, sizeof ret->salt);
    ret->size = (uint32_t)qc_rd_be(rd, 4);
    ret->layout.k = (uint8_t)qc_rd_be(rd, 1);
    ret->layout.n = (uint8_t)qc_rd_be(rd, 1);
    if (ret->layout.k < 1 || ret->layout.k > ret->layout.n || ret->layout.n > QC_EC_N_MAX ||
        ret->incarnation < 1 || ret->incarnation > UINT16_MAX)
        qc_rd_fail(rd);
    for (unsigned i = 0; i < ret->layout.n && qc_rd_ok(rd); i++)
        ret->layout.clouds[i] = (uint32_t)qc_rd_be(rd, 4);
}

/* false: a kind that is passed over. */
static bool rd_note(uint8_t kind, qc_rd *rd, struct gw_note *ret)
{
    *ret = (struct gw_note){ .kind = (enum gw_note_kind)kind };
    switch (kind) {
    case GW_NOTE_IDS:
        ret->u.next_segment = rd_u63(rd);
        return true;
    case GW_NOTE_AUDIT:
        ret->u.audit.sequence = rd_u63(rd);
        qc_rd_copy(rd, ret->u.audit.hash, sizeof ret->u.audit.hash);
        return true;
    case GW_NOTE_SCRUB:
        rd_scrub(rd, &ret->u.scrub);
        return true;
    case GW_NOTE_UNCOUNTED:
        rd_fragment(rd, &ret->u.fragment);
        ret->u.fragment.state = (uint8_t)qc_rd_be(rd, 1);
        if (ret->u.fragment.state < 4 || ret->u.fragment.state > 6)
            qc_rd_fail(rd);
        return true;
    case GW_NOTE_DEAD_KEY:
        rd_fragment(rd, &ret->u.fragment);
        qc_rd_copy(rd, ret->u.fragment.salt, sizeof ret->u.fragment.salt);
        return true;
    case GW_NOTE_DEAD_SEGMENT:
        rd_segment(rd, &ret->u.segment);
        return true;
    default:
        return false;
    }
}

/* The next note whose kind is known. *ret_more false: none is left. QC_FORMAT, QC_NEWER. */
static qc_rc take(struct gw_notes_iter *it, struct gw_note *ret, bool *ret_more, struct qc_err *err)
{
    *ret_more = false;
    while (it->left > 0) {
        const uint8_t kind = (uint8_t)qc_rd_be(&it->rd, 1);
        qc_rd body = { .s = qc_rd_bytes(&it->rd, qc_rd_be(&it->rd, 4)) };
        if (!qc_rd_ok(&it->rd) || kind == 0)
            return QC_FAIL(err, QC_FORMAT, "notes: cut off");
        it->left--;
        if (rd_note(kind, &body, ret)) {
            *ret_more = true;
            return qc_rd_end(&body) ? QC_OK : QC_FAIL(err, QC_FORMAT, "notes: a note of kind %u", kind);
        }
        if (kind & MUST_UNDERSTAND)
            return QC_FAIL(err, QC_NEWER, "notes: a note of kind %u needs a newer program", kind);
    }
    return QC_OK;
}

qc_rc gw_notes_open(qc_span clear, struct gw_notes_head *ret_head, struct gw_notes_iter *ret,
                    struct qc_err *err)
{
    qc_rd rd = { .s = clear };
    struct gw_notes_head h = { .sequence = rd_u63(&rd) };
    struct gw_note note;

    qc_rd_copy(&rd, h.hash, sizeof h.hash);
    h.time_s = rd_time(&rd);
    const uint64_t flags = qc_rd_be(&rd, 1);
    qc_rd_zero(&rd, 3);
    const uint32_t count = (uint32_t)qc_rd_be(&rd, 4);
    if (!qc_rd_ok(&rd) || flags > FLAG_MORE || h.sequence < 1)
        return QC_FAIL(err, QC_FORMAT, "notes: %zu bytes that are none", clear.n);
    h.more = flags == FLAG_MORE;
    struct gw_notes_iter it = { .rd = rd, .left = count };
    *ret = it;
    for (bool more = true; more;)
        QC_TRY(take(&it, &note, &more, err));
    if (!qc_rd_end(&it.rd))
        return QC_FAIL(err, QC_FORMAT, "notes: bytes after the last one");
    *ret_head = h;
    return QC_OK;
}

bool gw_notes_next(struct gw_notes_iter *it, struct gw_note *ret)
{
    struct qc_err unused = { 0 };
    bool more = false;

    return take(it, ret, &more, &unused) == QC_OK && more;
}
