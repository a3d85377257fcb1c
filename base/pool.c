#include "base/pool.h"

#include <stdlib.h>

#include "base/thread.h"

#include "alloc_internal.h"

struct qc_pool {
    size_t count, size, align; /* fixed after qc_pool_new */
    pthread_mutex_t lock;      /* guards idle, idle_count, made */
    pthread_cond_t given;      /* signalled when a buffer comes back */
    uint8_t **idle;            /* idle_count buffers that nobody uses */
    size_t idle_count;
    size_t made; /* buffers that exist, in use or idle; never more than count */
};

qc_rc qc_pool_new(struct qc_pool **ret, size_t count, size_t size, size_t align, struct qc_err *err)
{
    QC_ASSERT(count >= 1 && count <= QC_POOL_COUNT_MAX);
    QC_ASSERT(size >= 1 && size <= QC_POOL_SIZE_MAX);
    QC_ASSERT(align >= 64 && align <= 4096 && (align & (align - 1)) == 0);
    struct qc_pool *pool = qc_alloc(sizeof *pool);
    if (pool == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a pool");
    pool->idle = qc_alloc(count * sizeof *pool->idle);
    if (pool->idle == NULL) {
        qc_free(pool);
        return QC_FAIL(err, QC_NOMEM, "no memory for a pool of %zu buffers", count);
    }
    pool->count = count;
    pool->size = size;
    pool->align = align;
    qc_mutex_init(&pool->lock);
    qc_cond_init(&pool->given);
    *ret = pool;
    return QC_OK;
}

void qc_pool_free(struct qc_pool **ppool)
{
    struct qc_pool *pool = *ppool;

    if (pool == NULL)
        return;
    QC_ASSERT(pool->idle_count == pool->made);
    for (size_t i = 0; i < pool->idle_count; i++) {
        free(pool->idle[i]);
        qc_alloc_count(-1);
    }
    qc_cond_done(&pool->given);
    qc_mutex_done(&pool->lock);
    qc_free(pool->idle);
    qc_free(pool);
    *ppool = NULL;
}

static qc_rc make(struct qc_pool *pool, uint8_t **ret, struct qc_err *err)
{
    void *p = NULL;

    if (qc_alloc_trips() || posix_memalign(&p, pool->align, pool->size) != 0)
        return QC_FAIL(err, QC_NOMEM, "no memory for a buffer of %zu bytes", pool->size);
    qc_alloc_count(1);
    pool->made++;
    *ret = p;
    return QC_OK;
}

qc_rc qc_pool_take(struct qc_pool *pool, qc_deadline d, uint8_t **ret, struct qc_err *err)
{
    QC_LOCK(&pool->lock);

    while (pool->idle_count == 0 && pool->made == pool->count) {
        if (!qc_cond_wait(&pool->given, &pool->lock, d) && pool->idle_count == 0)
            return QC_FAIL(err, QC_TEMP, "all %zu buffers are in use", pool->count);
    }
    if (pool->idle_count == 0)
        return make(pool, ret, err);
    *ret = pool->idle[--pool->idle_count];
    return QC_OK;
}

void qc_pool_give(struct qc_pool *pool, uint8_t **p)
{
    if (*p == NULL)
        return;
    QC_LOCK(&pool->lock);
    QC_ASSERT(pool->idle_count < pool->made);
    pool->idle[pool->idle_count++] = *p;
    *p = NULL;
    qc_cond_wake_one(&pool->given);
}

size_t qc_pool_size(const struct qc_pool *pool)
{
    return pool->size;
}

size_t qc_pool_spare(struct qc_pool *pool)
{
    QC_LOCK(&pool->lock);
    return pool->count - pool->made + pool->idle_count;
}
