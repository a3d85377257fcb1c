#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc_internal.h"
#include "base/key.h"

static _Atomic int64_t live;

#ifdef QC_FAULT_POINTS
/* Allocations until the failing one, 0: off. sticky: all later ones fail, too. */
static _Atomic uint64_t countdown;
static atomic_bool sticky, failing;

bool qc_alloc_trips(void)
{
    uint64_t n = atomic_load(&countdown);

    if (atomic_load(&failing))
        return true;
    while (n > 0) {
        if (atomic_compare_exchange_weak(&countdown, &n, n - 1)) {
            if (n == 1 && atomic_load(&sticky))
                atomic_store(&failing, true);
            return n == 1;
        }
    }
    return false;
}

static void fault_set(uint64_t n, bool from)
{
    atomic_store(&failing, false);
    atomic_store(&sticky, from);
    atomic_store(&countdown, n);
}
#else
bool qc_alloc_trips(void)
{
    return false;
}

static void fault_set(uint64_t n, bool from)
{
    (void)n;
    (void)from;
}
#endif

void qc_fault_alloc(uint64_t n)
{
    fault_set(n, false);
}

void qc_fault_alloc_from(uint64_t n)
{
    fault_set(n, true);
}

void qc_alloc_count(int delta)
{
    atomic_fetch_add_explicit(&live, delta, memory_order_relaxed);
}

int64_t qc_alloc_live(void)
{
    return atomic_load(&live);
}

void *qc_alloc(size_t n)
{
    QC_ASSERT(n > 0);
    if (qc_alloc_trips())
        return NULL;
    void *p = calloc(1, n);
    if (p != NULL)
        qc_alloc_count(1);
    return p;
}

void *qc_realloc(void *p, size_t n)
{
    QC_ASSERT(n > 0);
    if (qc_alloc_trips())
        return NULL;
    bool first = p == NULL;
    void *q = realloc(p, n);
    if (q != NULL && first)
        qc_alloc_count(1);
    return q;
}

void qc_free(void *p)
{
    if (p == NULL)
        return;
    qc_alloc_count(-1);
    free(p);
}

void qc_free_wiped(void *p)
{
    if (p != NULL)
        qc_wipe(p, malloc_usable_size(p));
    free(p);
}

void *qc_realloc_wiped(void *p, size_t n)
{
    const size_t had = p == NULL ? 0 : malloc_usable_size(p);
    void *more = malloc(n);

    if (more == NULL)
        return NULL;
    if (p != NULL)
        memcpy(more, p, had < n ? had : n);
    qc_free_wiped(p);
    return more;
}

char *qc_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *t = qc_alloc(n);

    if (t != NULL)
        memcpy(t, s, n);
    return t;
}

qc_rc qc_pages_new(struct qc_pages *ret, size_t n, struct qc_err *err)
{
    QC_ASSERT(n > 0 && ret->p == NULL);
    void *p = MAP_FAILED;
    if (!qc_alloc_trips())
        p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return QC_FAIL(err, QC_NOMEM, "no memory for %zu bytes", n);
    qc_alloc_count(1);
    *ret = (struct qc_pages){ p, n };
    return QC_OK;
}

void qc_pages_free(struct qc_pages *b)
{
    if (b->p == NULL)
        return;
    QC_ASSERT(munmap(b->p, b->n) == 0);
    qc_alloc_count(-1);
    *b = (struct qc_pages){ 0 };
}

void qc_free_ptr(void *pp)
{
    void **p = pp;

    qc_free(*p);
    *p = NULL;
}
