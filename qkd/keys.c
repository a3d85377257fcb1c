#include "qkd/keys.h"

#include <strings.h>

#include "base/alloc.h"
#include "container.h"

bool qkd_id_same(const struct qkd_id *a, const struct qkd_id *b)
{
    return strcasecmp(a->text, b->text) == 0;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(qc_span t)
{
    if (t.n != QKD_UUID_TEXT)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? t.p[i] != '-' : !is_hex(t.p[i]))
            return false;
    }
    return true;
}

bool qkd_id_ok(qc_span text, enum qkd_id_syntax syntax)
{
    if (syntax == QKD_ID_UUID)
        return is_uuid(text);
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i];
        const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && c != '.' && c != '_' && c != ':' && c != '-')
            return false;
    }
    return text.n > 0 && text.n <= QKD_ID_MAX;
}

void qkd_keys_done(struct qkd_keys *k)
{
    qc_free(k->ids);
    qc_secret_free(&k->secret);
    *k = (struct qkd_keys){ 0 };
}

static uint8_t *place(const struct qkd_keys *k, size_t i)
{
    QC_ASSERT(i < k->count);
    return (uint8_t *)k->secret.p + i * k->bytes;
}

qc_span qkd_keys_open(const struct qkd_keys *k, size_t i)
{
    return qc_span_of(place(k, i), k->bytes);
}

qc_rc qkd_keys_take(struct qkd_keys *k, size_t i, qc_key **ret, struct qc_err *err)
{
    return qc_key_from(ret, place(k, i), k->bytes, err);
}

qc_rc qkd_keys_new(struct qkd_keys *ret, size_t count, size_t bytes, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { .count = count, .bytes = bytes };
    QC_ASSERT(count > 0 && count <= QKD_BATCH_MAX && bytes > 0 && bytes <= QKD_BITS_MAX / 8);
    k.ids = qc_alloc(count * sizeof *k.ids);
    if (k.ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu key_IDs", count);
    QC_TRY(qc_secret_new(&k.secret, count * bytes, err));
    *ret = QC_STEAL(k);
    return QC_OK;
}

void qkd_keys_move(struct qkd_keys *to, size_t at, struct qkd_keys *from, size_t i)
{
    QC_ASSERT(to->bytes == from->bytes);
    memcpy(place(to, at), place(from, i), to->bytes);
    qc_wipe(place(from, i), from->bytes);
    to->ids[at] = from->ids[i];
}
