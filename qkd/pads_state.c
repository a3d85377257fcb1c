#include <string.h>

#include "base/crypto.h"
#include "pads_internal.h"

static const uint8_t magic[8] = { 'Q', 'C', 'P', 'A', 'D', 'S', 0, 1 };

void pads_state_drop(struct pads_state *s, uint32_t at)
{
    QC_ASSERT(at < s->count);
    s->count--;
    memmove(&s->v[at], &s->v[at + 1], (s->count - at) * sizeof s->v[0]);
}

/* Ascending, below the next. */
static bool take_entries(struct pads_state *s, qc_rd *r)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const uint64_t number = qc_rd_be(r, 8), state = qc_rd_be(r, 1);
        if (number <= last || number >= s->next || state < PAD_READY || state > PAD_SPENT)
            return false;
        s->v[i] = (struct pad_entry){ .number = number, .state = (enum pad_state)state };
        last = number;
    }
    return true;
}

qc_rc pads_state_parse(struct pads_state *ret, qc_span text, struct qc_err *err)
{
    uint8_t digest[QC_SHA256_BYTES];
    qc_rd r = { .s = text };
    const qc_span head = qc_rd_bytes(&r, sizeof magic);
    if (!qc_rd_ok(&r) || !qc_span_eq(qc_span_sub(head, 0, 7), qc_span_of(magic, 7)) ||
        text.n < 24 + sizeof digest)
        return QC_FAIL(err, QC_INTEGRITY, "the pool's state is no such file");
    if (head.p[7] != magic[7])
        return QC_FAIL(err, QC_NEWER, "the pool's state is of version %u", head.p[7]);
    const qc_span body = qc_span_sub(text, 0, text.n - sizeof digest);
    QC_TRY(qc_sha256(&body, 1, digest, err));
    ret->block = (uint32_t)qc_rd_be(&r, 4);
    ret->next = qc_rd_be(&r, 8);
    ret->count = (uint32_t)qc_rd_be(&r, 4);
    const bool is = ret->count <= QKD_PADS_MAX && ret->next > 0 && ret->block % QKD_PAD_WINDOW == 0 &&
                    ret->block >= QKD_PAD_BLOCK_MIN && ret->block <= QKD_PAD_BLOCK_MAX &&
                    take_entries(ret, &r);
    const qc_span sum = qc_rd_bytes(&r, sizeof digest);
    if (!is || !qc_rd_end(&r) || !qc_span_eq(sum, qc_span_of(digest, sizeof digest)))
        return QC_FAIL(err, QC_INTEGRITY, "the pool's state is damaged");
    return QC_OK;
}

qc_rc pads_state_print(const struct pads_state *s, qc_buf *ret, struct qc_err *err)
{
    uint8_t digest[QC_SHA256_BYTES];
    QC_TRY(qc_buf_add(ret, qc_span_of(magic, sizeof magic), err));
    QC_TRY(qc_buf_add_be(ret, s->block, 4, err));
    QC_TRY(qc_buf_add_be(ret, s->next, 8, err));
    QC_TRY(qc_buf_add_be(ret, s->count, 4, err));
    for (uint32_t i = 0; i < s->count; i++) {
        QC_TRY(qc_buf_add_be(ret, s->v[i].number, 8, err));
        QC_TRY(qc_buf_add_be(ret, s->v[i].state, 1, err));
    }
    const qc_span body = qc_buf_span(ret);
    QC_TRY(qc_sha256(&body, 1, digest, err));
    return qc_buf_add(ret, qc_span_of(digest, sizeof digest), err);
}
