#include "keys.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

struct link_keys {
    struct qkd_tls_keys *tls;
    pthread_mutex_t pad_lock; /* pad */
    struct qkd_client *pad;
};

qc_rc link_keys_new(struct link_keys **ret, const struct qkd_conf *conf, struct qc_err *err)
{
    struct link_keys *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *k);
    qc_mutex_init(&k->pad_lock);
    qc_rc rc = qkd_tls_keys_new(&k->tls, conf, err);
    if (rc == QC_OK)
        rc = qkd_client_new(&k->pad, conf, err);
    if (rc != QC_OK) {
        link_keys_free(&k);
        return rc;
    }
    *ret = k;
    return QC_OK;
}

void link_keys_free(struct link_keys **k)
{
    if (*k == NULL)
        return;
    qkd_tls_keys_free(&(*k)->tls);
    qkd_client_free(&(*k)->pad);
    qc_mutex_done(&(*k)->pad_lock);
    qc_free(*k);
    *k = NULL;
}

struct qkd_tls_keys *link_keys_tls(struct link_keys *k)
{
    return k->tls;
}

static struct qkd_op op_of(const struct qc_cancel *cancel)
{
    return (struct qkd_op){ .deadline = qc_deadline_in(LINK_KME_MS), .cancel = cancel };
}

qc_rc link_keys_look(struct link_keys *k, const struct qc_cancel *cancel, struct qkd_status *ret,
                     struct qc_err *err)
{
    const struct qkd_op op = op_of(cancel);
    QC_LOCK(&k->pad_lock);
    return qkd_client_status(k->pad, &op, ret, err);
}

/* -- for pad --------------------------------------------------------------------------------------------- */

void link_block_done(struct link_block *b)
{
    qc_secret_free(&b->k);
    qc_free(b->ids);
    *b = (struct link_block){ 0 };
}

static uint32_t rounded_up(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static qc_rc block_new(struct link_block *b, uint32_t count, uint32_t each, struct qc_err *err)
{
    b->count = count;
    b->each = each;
    b->ids = qc_alloc(count * sizeof *b->ids);
    if (b->ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "%u key_IDs", (unsigned)count);
    return qc_secret_new(&b->k, (size_t)count * each, err);
}

/* As few keys as make so many bytes, as even as they can be. */
static qc_rc plan(struct link_keys *k, uint32_t bytes, struct link_block *b, struct qc_err *err)
{
    const struct qkd_op op = op_of(NULL);
    struct qkd_status s;
    QC_TRY(qkd_client_status(k->pad, &op, &s, err));
    const uint32_t most = (s.max_bits < QKD_BITS_MAX ? s.max_bits : QKD_BITS_MAX) / 8;
    const uint32_t count = rounded_up(bytes, most), each = rounded_up(bytes, count);
    if (count > LINK_FILL_KEYS)
        return QC_FAIL(err, QC_LIMIT,
                       "a pad block would take %u keys of %u bits: %d at most; take a smaller pad_block",
                       (unsigned)count, (unsigned)(8 * most), LINK_FILL_KEYS);
    return block_new(b, count, each < s.min_bits / 8 ? s.min_bits / 8 : each, err);
}

static void add(struct link_block *b, uint32_t at, const struct qkd_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        memcpy((uint8_t *)b->k.p + (at + i) * b->each, qkd_keys_open(keys, i).p, b->each);
        b->ids[at + i] = keys->ids[i];
    }
}

/* As many as there are names for. */
static qc_rc draw_all(struct link_keys *k, const struct qc_cancel *cancel, struct link_block *b,
                      struct qc_err *err)
{
    for (uint32_t at = 0; at < b->count;) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys keys = { 0 };
        const struct qkd_op op = op_of(cancel);
        QC_TRY(qkd_client_enc_keys(k->pad, b->count - at, 8 * b->each, &op, &keys, err));
        add(b, at, &keys);
        at += (uint32_t)keys.count;
    }
    return QC_OK;
}

qc_rc link_keys_make(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                     struct link_block *ret, struct qc_err *err)
{
    QC_CLEANUP(link_block_done) struct link_block b = { 0 };
    QC_LOCK(&k->pad_lock);
    QC_TRY(plan(k, bytes, &b, err));
    QC_TRY(draw_all(k, cancel, &b, err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc link_keys_draw(struct link_keys *k, uint32_t n, const struct qc_cancel *cancel, struct link_block *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(link_block_done) struct link_block b = { 0 };
    QC_LOCK(&k->pad_lock);
    QC_TRY(block_new(&b, n, LINK_KEY_BITS / 8, err));
    QC_TRY(draw_all(k, cancel, &b, err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc link_keys_fetch(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                      struct link_block *b, struct qc_err *err)
{
    const struct qkd_op first = op_of(cancel);
    struct qkd_status s;
    if ((uint64_t)b->count * b->each < bytes || (uint64_t)(b->count - 1) * b->each >= bytes)
        return QC_FAIL(err, QC_FORMAT, "%u keys of %u bytes for %u bytes", (unsigned)b->count,
                       (unsigned)b->each, (unsigned)bytes);
    QC_LOCK(&k->pad_lock);
    QC_TRY(qkd_client_status(k->pad, &first, &s, err));
    QC_TRY(qc_secret_new(&b->k, (size_t)b->count * b->each, err));
    for (uint32_t at = 0; at < b->count;) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys keys = { 0 };
        const struct qkd_op op = op_of(cancel);
        const uint32_t left = b->count - at, n = left < s.per_request ? left : s.per_request;
        QC_TRY(qkd_client_dec_keys(k->pad, b->ids + at, n, 8 * b->each, &op, &keys, err));
        add(b, at, &keys);
        at += n;
    }
    return QC_OK;
}
