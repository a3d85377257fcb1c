#include "gateway/entry.h"

#include "base/alloc.h"

bool gw_id_same(const struct gw_id *a, const struct gw_id *b)
{
    return qc_span_eq(gw_id_span(a), gw_id_span(b));
}

bool gw_ref_same(const struct gw_ref *a, const struct gw_ref *b)
{
    return a->tenant == b->tenant && gw_id_same(&a->id, &b->id);
}

bool gw_entry_same_version(const struct gw_entry *a, const struct gw_entry *b)
{
    return a->kind == GW_ENTRY_FILE && b->kind == GW_ENTRY_FILE && gw_id_same(&a->object, &b->object) &&
           gw_id_same(&a->version, &b->version) && a->sequence == b->sequence && a->size == b->size &&
           qc_span_eq(qc_span_of(a->m, sizeof a->m), qc_span_of(b->m, sizeof b->m));
}

qc_rc gw_entry_check(const struct gw_entry *e, uint8_t kind, struct qc_err *err)
{
    if (e->kind != kind)
        return QC_FAIL(err, QC_USAGE, "entry: kind %u, expected %u", e->kind, kind);
    if (e->path.n < 1 || e->path.n > QC_GW_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "entry: a path of %zu bytes, expected 1..%d", e->path.n,
                       QC_GW_PATH_MAX);
    if (e->private_part.n > QC_GW_PRIVATE_MAX)
        return QC_FAIL(err, QC_USAGE, "entry: a private part of %zu bytes, at most %d", e->private_part.n,
                       QC_GW_PRIVATE_MAX);
    if (e->number < 1 || e->number > INT64_MAX || e->sequence > INT64_MAX || e->size > INT64_MAX)
        return QC_FAIL(err, QC_USAGE, "entry: its numbers are out of range");
    return QC_OK;
}

void gw_entry_row_done(struct gw_entry_row *r)
{
    qc_buf_free(&r->bytes);
    *r = (struct gw_entry_row){ 0 };
}

/* enc() of up to four items of at most 32 bytes each, hashed. */
static qc_rc hash_items(const qc_span *items, size_t count, uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err)
{
    uint8_t text[4 * (8 + GW_DIGEST_BYTES)];
    size_t at = 0;

    QC_ASSERT(count <= 4);
    for (size_t i = 0; i < count; i++) {
        QC_ASSERT(items[i].n <= GW_DIGEST_BYTES);
        qc_put_be(text + at, items[i].n, 8);
        memcpy(text + at + 8, items[i].p, items[i].n);
        at += 8 + items[i].n;
    }
    const qc_span part = qc_span_of(text, at);
    return qc_sha256(&part, 1, ret, err);
}

qc_rc gw_head_start(const struct gw_id *vault, struct gw_head *ret, struct qc_err *err)
{
    const qc_span items[] = { QC_LIT("head"), gw_id_span(vault) };
    struct gw_head h = { 0 };

    QC_TRY(hash_items(items, 2, h.hash, err));
    *ret = h;
    return QC_OK;
}

qc_rc gw_head_next(const struct gw_head *h, const uint8_t seal[GW_DIGEST_BYTES], struct gw_head *ret,
                   struct qc_err *err)
{
    uint8_t count[8];
    const qc_span items[] = { QC_LIT("head"), qc_span_of(h->hash, sizeof h->hash),
                              qc_span_of(count, sizeof count), qc_span_of(seal, GW_DIGEST_BYTES) };
    struct gw_head next = { .count = h->count + 1 };

    qc_put_be(count, next.count, sizeof count);
    QC_TRY(hash_items(items, 4, next.hash, err));
    *ret = next;
    return QC_OK;
}
