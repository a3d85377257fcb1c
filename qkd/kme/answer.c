#include "answer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/json.h"

void kme_answer_done(struct kme_answer *a)
{
    qc_buf_free(&a->text);
    qc_secret_free(&a->secret);
    *a = (struct kme_answer){ 0 };
}

void kme_keys_done(struct kme_keys *k)
{
    qc_free(k->id);
    qc_free(k->bytes);
    qc_secret_free(&k->secret);
    *k = (struct kme_keys){ 0 };
}

qc_rc kme_keys_new(struct kme_keys *ret, size_t count, size_t room, struct qc_err *err)
{
    QC_CLEANUP(kme_keys_done) struct kme_keys k = { .count = count, .room = room };
    k.id = qc_alloc(count * sizeof *k.id);
    k.bytes = qc_alloc(count * sizeof *k.bytes);
    if (k.id == NULL || k.bytes == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu keys", count);
    for (size_t i = 0; i < count; i++)
        k.bytes[i] = room;
    QC_TRY(qc_secret_new(&k.secret, count * room, err));
    *ret = QC_STEAL(k);
    return QC_OK;
}

uint8_t *kme_keys_room(const struct kme_keys *k, size_t i)
{
    QC_ASSERT(i < k->count);
    return (uint8_t *)k->secret.p + i * k->room;
}

qc_rc kme_answer_json(struct kme_answer *ret, unsigned status, const struct json_t *j, struct qc_err *err)
{
    struct kme_answer a = { .status = status, .text = { .max = KME_ANSWER_MAX } };
    const qc_rc rc = qc_json_dump(j, &a.text, err);
    if (rc != QC_OK)
        kme_answer_done(&a);
    else
        *ret = a;
    return rc;
}

qc_rc kme_error(struct kme_answer *ret, unsigned status, const char *message, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    if (status == 401) { /* has no body */
        *ret = (struct kme_answer){ .status = status };
        return QC_OK;
    }
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "message", message, err));
    return kme_answer_json(ret, status, j, err);
}

bool kme_digits(qc_span *s, uint64_t *ret)
{
    return qc_dec_take(s, ret) && s->n == 0;
}

/* -- keys ------------------------------------------------------------------------------------------------ */

static uint8_t *put(uint8_t *to, qc_span s)
{
    memcpy(to, s.p, s.n);
    return to + s.n;
}

/* The digit of a value below 64, without a table. */
static uint8_t digit(unsigned v)
{
    const unsigned lower = (25 - v) >> 31, dec = (51 - v) >> 31, plus = (61 - v) >> 31,
                   slash = (62 - v) >> 31;
    /* 'A'..'Z', then 6 up to 'a', 75 down to '0', 15 down to '+', 3 up to '/' */
    return (uint8_t)(v + 'A' + 6 * lower - 75 * dec - 15 * plus + 3 * slash);
}

static uint8_t *put_base64(uint8_t *to, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i < 3 ? n - i : 3;
        const unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0U) |
                           (left > 2 ? (unsigned)p[i + 2] : 0U);
        for (size_t d = 0; d < 4; d++)
            *to++ = d > left ? (uint8_t)'=' : digit(v >> (18 - 6 * d) & 63);
    }
    return to;
}

qc_rc kme_answer_keys(struct kme_answer *ret, const struct kme_keys *keys, struct qc_err *err)
{
    const qc_span begin = QC_LIT("{\"keys\":["), id = QC_LIT("{\"key_ID\":\""), key = QC_LIT("\",\"key\":\""),
                  end = QC_LIT("\"}"), over = QC_LIT("]}");
    struct kme_answer a = { .status = 200 };
    const size_t each = id.n + 36 + key.n + (keys->room + 2) / 3 * 4 + end.n + 1;
    QC_TRY(qc_secret_new(&a.secret, begin.n + keys->count * each + over.n, err));
    uint8_t *to = put(a.secret.p, begin);
    for (size_t i = 0; i < keys->count; i++) {
        if (i > 0)
            *to++ = ',';
        to = put(put(to, id), qc_span_of(keys->id[i], 36));
        to = put_base64(put(to, key), kme_keys_room(keys, i), keys->bytes[i]);
        to = put(to, end);
    }
    to = put(to, over);
    a.n = (size_t)(to - (uint8_t *)a.secret.p);
    *ret = a;
    return QC_OK;
}
