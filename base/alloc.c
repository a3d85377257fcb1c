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

/* All threads meet at this counter, so it is kept where tests ask for it. */
void qc_alloc_count(int delta)
{
#ifdef QC_FAULT_POINTS
    atomic_fetch_add_explicit(&live, delta, memory_order_relaxed);
#else
    (void)delta;
#endif
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

enum { PAGE = 4096, LARGE = 16 * PAGE, LOOK = 64 };

/* What is in no memory was never written to, or lies in swap, and is not looked at again. */
static void give_up(uint8_t *p, size_t n)
{
    if (n > 0 && madvise(p, n, MADV_DONTNEED) != 0)
        qc_wipe(p, n);
}

/* n is whole pages. */
static void wipe_pages(uint8_t *p, size_t n)
{
    size_t from = 0; /* of what is not there */
    for (size_t at = 0, pages; at < n; at += pages * PAGE) {
        unsigned char there[LOOK];
        pages = (n - at) / PAGE < LOOK ? (n - at) / PAGE : LOOK;
        if (mincore(p + at, pages * PAGE, there) != 0)
            memset(there, 1, sizeof there);
        for (size_t i = 0; i < pages; i++) {
            const size_t page = at + i * PAGE;
            if ((there[i] & 1) == 0)
                continue;
            qc_wipe(p + page, PAGE);
            give_up(p + from, page - from);
            from = page + PAGE;
        }
    }
    give_up(p + from, n - from);
}

void qc_wipe_block(void *p, size_t n)
{
    const size_t lead = -(uintptr_t)p % PAGE;
    uint8_t *b = p;
    if (n < LARGE) {
        qc_wipe(p, n);
        return;
    }
    const size_t whole = (n - lead) / PAGE * PAGE;
    qc_wipe(b, lead);
    wipe_pages(b + lead, whole);
    qc_wipe(b + lead + whole, n - lead - whole);
}

void qc_free_wiped(void *p)
{
    if (p != NULL)
        qc_wipe_block(p, malloc_usable_size(p));
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
