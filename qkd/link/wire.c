#include "wire.h"

#include <string.h>

#include "base/alloc.h"

/* Of a pad block: times its bytes, a position still has 64 bits. */
#define NUMBER_MAX (UINT64_C(1) << 39)

/* -- records --------------------------------------------------------------------------------------------- */

void link_head_print(const struct link_head *h, uint8_t ret[LINK_HEAD])
{
    ret[0] = 'Q';
    ret[1] = (uint8_t)h->kind;
    qc_put_be(ret + 2, 0, 2);
    qc_put_be(ret + 4, h->n, 4);
}

qc_rc link_head_parse(struct link_head *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    const uint64_t magic = qc_rd_be(&r, 1), kind = qc_rd_be(&r, 1);
    qc_rd_zero(&r, 2);
    const uint64_t n = qc_rd_be(&r, 4);
    if (!qc_rd_end(&r) || magic != 'Q' || kind < LINK_STREAM || kind > LINK_BURNT || n > LINK_RECORD_MAX)
        return QC_FAIL(err, QC_FORMAT, "a record that is none of ours");
    *ret = (struct link_head){ .kind = (enum link_kind)kind, .n = (uint32_t)n };
    return QC_OK;
}

static void take_pool(struct link_pool_state *p, uint32_t block, qc_rd *r)
{
    uint64_t last = 0;
    p->next = qc_rd_be(r, 8);
    p->block = qc_rd_be(r, 8);
    p->offset = (uint32_t)qc_rd_be(r, 4);
    p->count = (uint32_t)qc_rd_be(r, 4);
    if (p->count > QKD_PADS_MAX || p->offset > block || p->next == 0 || p->next > NUMBER_MAX)
        qc_rd_fail(r);
    for (uint32_t i = 0; i < p->count && qc_rd_ok(r); i++) {
        p->v[i] = qc_rd_be(r, 8);
        if (p->v[i] <= last || p->v[i] >= p->next)
            qc_rd_fail(r);
        last = p->v[i];
    }
    if (p->block >= p->next || (p->block == 0) != (p->count == 0) || (p->block == 0 && p->offset != 0))
        qc_rd_fail(r);
}

qc_rc link_hello_parse(struct link_hello *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    ret->block = (uint32_t)qc_rd_be(&r, 4);
    ret->pad_to = (uint32_t)qc_rd_be(&r, 4);
    if (ret->block > QKD_PAD_BLOCK_MAX)
        qc_rd_fail(&r);
    take_pool(&ret->tx, ret->block, &r);
    if (qc_rd_ok(&r))
        take_pool(&ret->rx, ret->block, &r);
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "a greeting that is none of ours");
    return QC_OK;
}

static qc_rc put_pool(const struct link_pool_state *p, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, p->next, 8, err));
    QC_TRY(qc_buf_add_be(ret, p->block, 8, err));
    QC_TRY(qc_buf_add_be(ret, p->offset, 4, err));
    QC_TRY(qc_buf_add_be(ret, p->count, 4, err));
    for (uint32_t i = 0; i < p->count; i++)
        QC_TRY(qc_buf_add_be(ret, p->v[i], 8, err));
    return QC_OK;
}

qc_rc link_hello_print(const struct link_hello *h, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, h->block, 4, err));
    QC_TRY(qc_buf_add_be(ret, h->pad_to, 4, err));
    QC_TRY(put_pool(&h->tx, ret, err));
    return put_pool(&h->rx, ret, err);
}

void link_fill_done(struct link_fill *f)
{
    qc_free(f->ids);
    *f = (struct link_fill){ 0 };
}

static void take_ids(struct link_fill *f, qc_rd *r)
{
    for (uint32_t i = 0; i < f->count && qc_rd_ok(r); i++) {
        const qc_span id = qc_rd_bytes(r, qc_rd_be(r, 1));
        if (qkd_id_ok(id, QKD_ID_OPAQUE))
            memcpy(f->ids[i].text, id.p, id.n);
        else
            qc_rd_fail(r);
    }
}

qc_rc link_fill_parse(struct link_fill *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    QC_CLEANUP(link_fill_done) struct link_fill f = { .number = qc_rd_be(&r, 8) };
    f.bytes = (uint32_t)qc_rd_be(&r, 4);
    f.count = (uint32_t)qc_rd_be(&r, 4);
    if (!qc_rd_ok(&r) || f.number == 0 || f.number > NUMBER_MAX || f.bytes == 0 ||
        f.bytes > QKD_BITS_MAX / 8 || f.count == 0 || f.count > LINK_FILL_KEYS)
        return QC_FAIL(err, QC_FORMAT, "a list of keys that is none of ours");
    f.ids = qc_alloc(f.count * sizeof *f.ids);
    if (f.ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "%u key_IDs", (unsigned)f.count);
    take_ids(&f, &r);
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "a list of keys that is none of ours");
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc link_fill_print(const struct link_fill *f, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, f->number, 8, err));
    QC_TRY(qc_buf_add_be(ret, f->bytes, 4, err));
    QC_TRY(qc_buf_add_be(ret, f->count, 4, err));
    for (uint32_t i = 0; i < f->count; i++) {
        QC_TRY(qc_buf_add_be(ret, strlen(f->ids[i].text), 1, err));
        QC_TRY(qc_buf_add_str(ret, f->ids[i].text, err));
    }
    return QC_OK;
}

qc_rc link_filled_parse(struct link_filled *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    struct link_filled f = { .number = qc_rd_be(&r, 8) };
    const uint64_t done = qc_rd_be(&r, 1);
    qc_rd_copy(&r, f.tag, sizeof f.tag);
    if (!qc_rd_end(&r) || done > 1)
        return QC_FAIL(err, QC_FORMAT, "an answer to a list of keys that is none of ours");
    f.done = done == 1;
    *ret = f;
    return QC_OK;
}

qc_rc link_filled_print(const struct link_filled *f, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, f->number, 8, err));
    QC_TRY(qc_buf_add_be(ret, f->done, 1, err));
    return qc_buf_add(ret, qc_span_of(f->tag, sizeof f->tag), err);
}

qc_rc link_have_parse(struct link_have *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    struct link_have h = { .number = qc_rd_be(&r, 8) };
    const uint64_t done = qc_rd_be(&r, 1);
    if (!qc_rd_end(&r) || done > 1)
        return QC_FAIL(err, QC_FORMAT, "an answer to a batch of keys that is none of ours");
    h.done = done == 1;
    *ret = h;
    return QC_OK;
}

qc_rc link_have_print(const struct link_have *h, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, h->number, 8, err));
    return qc_buf_add_be(ret, h->done, 1, err);
}

/* -- messages in the stream ------------------------------------------------------------------------------ */

void link_message_print(const struct link_message *m, uint8_t ret[LINK_MESSAGE])
{
    qc_put_be(ret, (uint64_t)m->word, 1);
    qc_put_be(ret + 1, 0, 3);
    qc_put_be(ret + 4, m->id, 4);
    qc_put_be(ret + 8, m->n, 4);
}

static bool amount_ok(enum link_word word, uint64_t n)
{
    if (word == LINK_DATA)
        return n > 0 && n <= LINK_DATA_MAX;
    return word == LINK_CREDIT ? n > 0 && n <= LINK_WINDOW : n == 0;
}

qc_rc link_message_parse(struct link_message *ret, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    const uint64_t word = qc_rd_be(&r, 1);
    qc_rd_zero(&r, 3);
    const uint64_t id = qc_rd_be(&r, 4), n = qc_rd_be(&r, 4);
    if (!qc_rd_end(&r) || word < LINK_OPEN || word > LINK_CREDIT || id == 0 ||
        !amount_ok((enum link_word)word, n))
        return QC_FAIL(err, QC_FORMAT, "a message that is none of ours");
    *ret = (struct link_message){ .word = (enum link_word)word, .id = (uint32_t)id, .n = (uint32_t)n };
    return QC_OK;
}
