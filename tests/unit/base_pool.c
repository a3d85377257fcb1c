/* unit/base_pool: the pool is bounded, waits, and gives to those who wait. */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"

#include "qc_check.h"

enum { BUFFERS = 3, THREADS = 8, ROUNDS = 2000 };

static struct qc_pool *pool;
static atomic_int in_use, most;

static void *use(void *arg)
{
    struct qc_err err = { 0 };

    for (int i = 0; i < ROUNDS; i++) {
        uint8_t *p = NULL;

        CHECK_OK(qc_pool_take(pool, QC_NO_DEADLINE, &p, &err));
        int now = atomic_fetch_add(&in_use, 1) + 1, seen = atomic_load(&most);
        while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
            ;
        memset(p, (int)(uintptr_t)arg, 64); /* nobody else has it: tsan would see */
        atomic_fetch_sub(&in_use, 1);
        qc_pool_give(pool, &p);
        CHECK(p == NULL);
    }
    return NULL;
}

int main(void)
{
    struct qc_err err = { 0 };
    uint8_t *p[BUFFERS] = { NULL }, *more = NULL;
    pthread_t threads[THREADS];

    CHECK_OK(qc_pool_new(&pool, BUFFERS, 1000, 4096, &err));
    CHECK(qc_pool_size(pool) == 1000 && qc_pool_spare(pool) == BUFFERS);
    for (int i = 0; i < BUFFERS; i++) {
        CHECK_OK(qc_pool_take(pool, QC_NO_DEADLINE, &p[i], &err));
        CHECK((uintptr_t)p[i] % 4096 == 0);
    }
    CHECK(qc_pool_spare(pool) == 0);
    CHECK_RC(qc_pool_take(pool, qc_deadline_in(20), &more, &err), QC_TEMP);
    CHECK(more == NULL);
    CHECK_DIES(qc_pool_free(&pool)); /* buffers are out */
    uint8_t *first = p[0];
    qc_pool_give(pool, &p[0]);
    qc_pool_give(pool, &p[0]); /* harmless */
    CHECK_OK(qc_pool_take(pool, qc_deadline_in(20), &more, &err));
    CHECK(more == first); /* memory is kept, not taken anew */
    qc_pool_give(pool, &more);
    qc_pool_give(pool, &p[1]);
    qc_pool_give(pool, &p[2]);

    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(atomic_load(&most) >= 1 && atomic_load(&most) <= BUFFERS);
    qc_pool_free(&pool);
    qc_pool_free(&pool);
    CHECK(qc_alloc_live() == 0);
    return 0;
}
