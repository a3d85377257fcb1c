#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

enum { LEAST_PAGE = 4096, LARGE = 64 * 1024, LOOK = 64 };

/* What the kernel counts in. A size that is none of its pages, and madvise would go beyond the block. */
static size_t page_size(void)
{
    const long n = sysconf(_SC_PAGESIZE);
    return n >= LEAST_PAGE && (n & (n - 1)) == 0 ? (size_t)n : 0;
}

/* What is in no memory was never written to, or lies in swap, and is not looked at again. */
static void give_up(uint8_t *p, size_t n, const struct qc_kernel *k)
{
    if (n > 0 && k->madvise(p, n, MADV_DONTNEED) != 0)
        qc_wipe(p, n);
}

/* p is at a page's edge, and n is whole pages. */
static void wipe_pages(uint8_t *p, size_t n, const struct qc_kernel *k)
{
    const size_t size = k->page;
    size_t from = 0; /* of what is not there */
    for (size_t at = 0, pages; at < n; at += pages * size) {
        unsigned char there[LOOK];
        pages = (n - at) / size < LOOK ? (n - at) / size : LOOK;
        memset(there, 1, sizeof there);
        if (k->mincore(p + at, pages * size, there) != 0)
            memset(there, 1, sizeof there);
        for (size_t i = 0; i < pages; i++) {
            const size_t page = at + i * size;
            if ((there[i] & 1) == 0)
                continue;
            qc_wipe(p + page, size);
            give_up(p + from, page - from, k);
            from = page + size;
        }
    }
    give_up(p + from, n - from, k);
}

void qc_wipe_block_by(void *p, size_t n, const struct qc_kernel *k)
{
    const size_t page = k->page, lead = page == 0 ? 0 : -(uintptr_t)p % page;
    uint8_t *b = p;
    if (page == 0 || n < LARGE || n < lead + page) {
        qc_wipe(p, n);
        return;
    }
    const size_t whole = (n - lead) / page * page;
    qc_wipe(b, lead);
    wipe_pages(b + lead, whole, k);
    qc_wipe(b + lead + whole, n - lead - whole);
}

void qc_wipe_block(void *p, size_t n)
{
    const struct qc_kernel real = { page_size(), mincore, madvise };
    qc_wipe_block_by(p, n, &real);
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
