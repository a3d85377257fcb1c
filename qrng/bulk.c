#include "qrng/bulk.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/key.h"
#include "base/secret.h"

#define ALIVE UINT64_C(0x71726e6762756c6b) /* not in a forked child, where all is zero */

enum { KEY = 32, HEAD = KEY / 16 /* blocks of the stream that are the next key */ };

/* In locked memory. */
struct secret {
    uint64_t alive;
    uint8_t K[KEY], seed[KEY];
};

struct qrng_bulk {
    enum qrng_bulk_maker maker;
    qc_rng source;
    struct qc_secret memory; /* of the generator */
    struct secret *s;
    uint64_t left; /* bytes before the next seed */
    uint64_t given, drawn;
};

const char *qrng_bulk_text(enum qrng_bulk_maker maker)
{
    return maker == QRNG_BULK_STREAM ? "stream" : "aes-256-ctr";
}

enum qrng_bulk_maker qrng_bulk_by(enum qrng_policy policy)
{
    return policy == QRNG_POLICY_REQUIRED ? QRNG_BULK_STREAM : QRNG_BULK_GENERATOR;
}

qc_rc qrng_bulk_open(enum qrng_bulk_maker maker, const qc_rng *source, struct qrng_bulk **ret,
                     struct qc_err *err)
{
    QC_ASSERT(maker == QRNG_BULK_STREAM || maker == QRNG_BULK_GENERATOR);
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = qc_alloc(sizeof *b);
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "randomness in bulk: no memory");
    b->maker = maker;
    b->source = *source;
    if (maker == QRNG_BULK_GENERATOR) {
        QC_TRY(qc_secret_new(&b->memory, sizeof *b->s, err));
        b->s = b->memory.p;
        b->s->alive = ALIVE;
    }
    *ret = QC_STEAL(b);
    return QC_OK;
}

void qrng_bulk_close(struct qrng_bulk **b)
{
    if (*b == NULL)
        return;
    qc_secret_free(&(*b)->memory);
    qc_free(*b);
    *b = NULL;
}

/* In pieces, since a source has so long for each draw (QC_QRNG_DRAW_MS), however slow it is. */
static qc_rc stream(struct qrng_bulk *b, uint8_t *p, size_t n, struct qc_err *err)
{
    for (size_t at = 0; at < n;) {
        const size_t take = n - at < QC_QRNG_STREAM_PIECE ? n - at : QC_QRNG_STREAM_PIECE;
        QC_TRY(qc_rng_fill(&b->source, p + at, take, err));
        b->drawn += take;
        at += take;
    }
    return QC_OK;
}

/* XORed in: a seed that somebody knows leaves what the key had. */
static qc_rc seed(struct qrng_bulk *b, struct qc_err *err)
{
    struct secret *s = b->s;
    if (b->left > 0)
        return QC_OK;
    QC_TRY(qc_rng_fill(&b->source, s->seed, KEY, err));
    for (size_t i = 0; i < KEY; i++)
        s->K[i] ^= s->seed[i];
    qc_wipe(s->seed, KEY);
    b->drawn += KEY;
    b->left = QC_QRNG_CTR_SEED;
    return QC_OK;
}

/* What is given out first and the next key last: the old one is needed for both. */
static qc_rc piece(struct qrng_bulk *b, uint8_t *p, size_t n, struct qc_err *err)
{
    struct secret *s = b->s;
    memset(p, 0, n);
    QC_TRY(qc_aes256_ctr_xor(qc_span_of(s->K, KEY), HEAD, p, n, err));
    qc_wipe(s->seed, KEY);
    QC_TRY(qc_aes256_ctr_xor(qc_span_of(s->K, KEY), 0, s->seed, KEY, err));
    memcpy(s->K, s->seed, KEY);
    qc_wipe(s->seed, KEY);
    b->left -= n;
    return QC_OK;
}

static qc_rc generator(struct qrng_bulk *b, uint8_t *p, size_t n, struct qc_err *err)
{
    if (b->s->alive != ALIVE)
        return QC_FAIL(err, QC_RANDOM, "the generator belongs to the process that was forked");
    for (size_t at = 0; at < n;) {
        QC_TRY(seed(b, err));
        size_t take = n - at < QC_QRNG_CTR_PIECE ? n - at : QC_QRNG_CTR_PIECE;
        if (take > b->left)
            take = (size_t)b->left;
        QC_TRY(piece(b, p + at, take, err));
        at += take;
    }
    return QC_OK;
}

qc_rc qrng_bulk_fill(struct qrng_bulk *b, uint8_t *p, size_t n, struct qc_err *err)
{
    const qc_rc rc = b->maker == QRNG_BULK_STREAM ? stream(b, p, n, err) : generator(b, p, n, err);
    if (rc != QC_OK) {
        qc_wipe(p, n);
        return rc;
    }
    b->given += n;
    return QC_OK;
}

static qc_rc rng_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    return qrng_bulk_fill(ctx, p, n, err);
}

qc_rng qrng_bulk_rng(struct qrng_bulk *b)
{
    return (qc_rng){ .fill = rng_fill, .ctx = b };
}

struct qrng_bulk_told qrng_bulk_tell(const struct qrng_bulk *b)
{
    return (struct qrng_bulk_told){ .maker = b->maker, .given = b->given, .drawn = b->drawn };
}

const void *qrng_bulk_memory(const struct qrng_bulk *b, size_t *ret_size)
{
    *ret_size = b->memory.n;
    return b->memory.p;
}
