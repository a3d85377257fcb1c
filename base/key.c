#include "base/key.h"

#include <pthread.h>
#include <sodium.h>

#include "base/thread.h"

#include "alloc_internal.h"

_Static_assert(QC_KEY_MIN % QC_KEY_STEP == 0, "guarded blocks of other sizes come out unaligned");
_Static_assert(QC_KEY_MAX % QC_KEY_STEP == 0, "guarded blocks of other sizes come out unaligned");

struct qc_key {
    uint8_t *bytes; /* sodium_malloc: guarded, locked if possible, not in dumps */
    size_t len;
    bool sealed;  /* read-only from now on */
    size_t loose; /* its page stays open: place in loose.key + 1; see qc_keys_loose_begin */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * Guarded blocks that were wiped and wait for their next use, by length: a fresh one costs 18 us of mmap,
 * mprotect and mlock, a kept one 5. While they wait nobody may read or write them, so a stray pointer to a
 * freed key still dies.
 */
enum { SPARE_CLASSES = 8 };
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER; /* guards spare, spare_count */
static uint8_t *spare[SPARE_CLASSES][QC_KEY_SPARE_MAX];
static size_t spare_count[SPARE_CLASSES];

static size_t spare_class(size_t len)
{
    return len / QC_KEY_STEP - 1;
}

/* A kept block of len bytes, or a fresh one, or NULL. All zeros. */
static uint8_t *block_take(size_t len)
{
    size_t class = spare_class(len);
    uint8_t *p = NULL;

    if (class < SPARE_CLASSES) {
        QC_LOCK(&spare_lock);
        if (spare_count[class] > 0)
            p = spare[class][--spare_count[class]];
    }
    if (p != NULL) {
        QC_ASSERT(sodium_mprotect_readwrite(p) == 0);
        return p;
    }
    p = sodium_malloc(len);
    if (p != NULL)
        sodium_memzero(p, len);
    return p;
}

static void block_give(uint8_t *p, size_t len)
{
    size_t class = spare_class(len);

    if (class < SPARE_CLASSES) {
        QC_ASSERT(sodium_mprotect_readwrite(p) == 0);
        sodium_memzero(p, len);
        QC_ASSERT(sodium_mprotect_noaccess(p) == 0);
        QC_LOCK(&spare_lock);
        if (spare_count[class] < QC_KEY_SPARE_MAX) {
            spare[class][spare_count[class]++] = p;
            return;
        }
    }
    sodium_free(p); /* wipes */
}

/* Pages of a thread between qc_keys_loose_begin and _end: open, and wiped while no key is in them. */
static _Thread_local struct {
    unsigned depth;
    qc_key *key[QC_KEY_LOOSE_MAX]; /* that are in such pages */
    size_t used;
    uint8_t *page[SPARE_CLASSES][QC_KEY_LOOSE_MAX];
    size_t count[SPARE_CLASSES];
} loose;

static bool loose_fits(size_t len)
{
    return loose.depth > 0 && spare_class(len) < SPARE_CLASSES && loose.used < QC_KEY_LOOSE_MAX;
}

static uint8_t *loose_take(size_t len)
{
    size_t class = spare_class(len);

    return loose.count[class] > 0 ? loose.page[class][--loose.count[class]] : block_take(len);
}

static void loose_add(qc_key *k)
{
    loose.key[loose.used++] = k;
    k->loose = loose.used;
}

static void loose_drop(qc_key *k)
{
    const size_t at = k->loose - 1;

    QC_ASSERT(at < loose.used && loose.key[at] == k); /* this thread's */
    loose.key[at] = loose.key[--loose.used];
    loose.key[at]->loose = at + 1;
    k->loose = 0;
}

static void loose_give(uint8_t *p, size_t len)
{
    size_t class = spare_class(len);

    sodium_memzero(p, len);
    if (loose.count[class] < QC_KEY_LOOSE_MAX)
        loose.page[class][loose.count[class]++] = p;
    else
        block_give(p, len);
}

void qc_keys_loose_begin(void)
{
    loose.depth++;
}

void qc_keys_loose_end(void)
{
    QC_ASSERT(loose.depth > 0);
    if (--loose.depth > 0)
        return;
    while (loose.used > 0) { /* it stays, as any other key */
        qc_key *k = loose.key[loose.used - 1];
        loose_drop(k);
        QC_ASSERT(!k->sealed || sodium_mprotect_readonly(k->bytes) == 0);
    }
    for (size_t class = 0; class < SPARE_CLASSES; class ++)
        while (loose.count[class] > 0)
            block_give(loose.page[class][--loose.count[class]], (class + 1) * QC_KEY_STEP);
}

/* libsodium 1.0.18 aborts when its allocator is used first. */
static void sodium_start(void)
{
    QC_ASSERT(sodium_init() >= 0);
}

qc_rc qc_key_blank(qc_key **ret, size_t len, struct qc_err *err)
{
    QC_ASSERT(len >= QC_KEY_MIN && len <= QC_KEY_MAX);
    QC_ASSERT(len % QC_KEY_STEP == 0);
    pthread_once(&once, sodium_start);
    qc_key *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a key");
    const bool open = loose_fits(len);
    k->bytes = qc_alloc_trips() ? NULL : open ? loose_take(len) : block_take(len);
    if (k->bytes == NULL) {
        qc_free(k);
        return QC_FAIL(err, QC_NOMEM, "no guarded memory for a key of %zu bytes", len);
    }
    if (open)
        loose_add(k);
    qc_alloc_count(1);
    k->len = len;
    *ret = k;
    return QC_OK;
}

uint8_t *qc_key_write(qc_key *k)
{
    QC_ASSERT(!k->sealed);
    return k->bytes;
}

void qc_key_seal(qc_key *k)
{
    QC_ASSERT(!k->sealed);
    QC_ASSERT(k->loose > 0 || sodium_mprotect_readonly(k->bytes) == 0);
    k->sealed = true;
}

qc_rc qc_key_from(qc_key **ret, uint8_t *raw, size_t len, struct qc_err *err)
{
    qc_key *k = NULL;
    qc_rc rc = qc_key_blank(&k, len, err);

    if (rc == QC_OK) {
        memcpy(k->bytes, raw, len);
        qc_key_seal(k);
        *ret = k;
    }
    qc_wipe(raw, len);
    return rc;
}

qc_rc qc_key_new(qc_key **ret, size_t len, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;

    QC_TRY(qc_key_blank(&k, len, err));
    QC_TRY(qc_rng_fill(rng, k->bytes, len, err));
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc qc_key_xor(qc_key **ret, const qc_key *a, const qc_key *b, struct qc_err *err)
{
    qc_key *k = NULL;

    QC_ASSERT(a->len == b->len);
    QC_TRY(qc_key_blank(&k, a->len, err));
    for (size_t i = 0; i < a->len; i++)
        k->bytes[i] = a->bytes[i] ^ b->bytes[i];
    qc_key_seal(k);
    *ret = k;
    return QC_OK;
}

qc_rc qc_key_sub(qc_key **ret, const qc_key *k, size_t off, size_t len, struct qc_err *err)
{
    qc_key *part = NULL;

    QC_ASSERT(off <= k->len);
    QC_ASSERT(len <= k->len - off);
    QC_TRY(qc_key_blank(&part, len, err));
    memcpy(part->bytes, k->bytes + off, len);
    qc_key_seal(part);
    *ret = part;
    return QC_OK;
}

qc_rc qc_key_dup(qc_key **ret, const qc_key *k, struct qc_err *err)
{
    return qc_key_sub(ret, k, 0, k->len, err);
}

bool qc_key_same(const qc_key *a, const qc_key *b)
{
    return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}

size_t qc_key_len(const qc_key *k)
{
    return k->len;
}

qc_span qc_key_open(const qc_key *k)
{
    QC_ASSERT(k->sealed);
    return qc_span_of(k->bytes, k->len);
}

void qc_key_free(qc_key **k)
{
    if (*k == NULL)
        return;
    if ((*k)->loose > 0) {
        loose_drop(*k);
        loose_give((*k)->bytes, (*k)->len);
    } else
        block_give((*k)->bytes, (*k)->len);
    qc_alloc_count(-1);
    qc_free(*k);
    *k = NULL;
}

void qc_wipe(void *p, size_t n)
{
    if (n > 0)
        sodium_memzero(p, n);
}

qc_rc qc_rng_fill(const qc_rng *rng, uint8_t *p, size_t n, struct qc_err *err)
{
    QC_ASSERT(rng->fill != NULL);
    return rng->fill(rng->ctx, p, n, err);
}
