/* malloc and its kin, for the whole program and its libraries: one thread, and a process that ends with its
 * history. What a program that was killed had is never given back, so that a history comes to some 80 MiB, in
 * small pieces: blocks of a class are kept in a list and are given out again, and new ones are cut off large
 * pages. A block that is given back twice, or was never given out, ends the program at once. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim.h"

/* The link leads madvise to threads.c, which does nothing (wrap.h). */
__typeof__(madvise) __real_madvise;

enum {
    UNIT = 16,      /* of sizes up to SMALL; also what malloc's memory is aligned to */
    SMALL_LOG = 10, /* above: four sizes for each power of two */
    SMALL = 1 << SMALL_LOG,
    SIZE_LOG = 40,
    CLASSES = SMALL / UNIT + 4 * (SIZE_LOG - SMALL_LOG),
    HUGE_PAGE = 2 << 20,
    CHUNK = 2 * HUGE_PAGE,
    LIVE = 0x6c697665,
    DEAD = 0x64656164,
};

struct head {
    uint32_t class, state;
    uint64_t back; /* from where the block begins to this head: what was aligned */
};
_Static_assert(sizeof(struct head) == UNIT, "what follows is aligned");

struct free_block {
    struct head head;
    struct free_block *next;
};

static struct free_block *spare[CLASSES];
static uint8_t *fresh;
static size_t fresh_left;

/* n > 0 */
static uint32_t class_of(size_t n, size_t *ret_size)
{
    if (n <= SMALL) {
        const size_t units = (n + UNIT - 1) / UNIT;
        *ret_size = units * UNIT;
        return (uint32_t)units - 1;
    }
    const unsigned log = 63 - (unsigned)__builtin_clzll(n - 1);
    const size_t quarter = (n - 1) >> (log - 2); /* 4 to 7 */
    *ret_size = (quarter + 1) << (log - 2);
    return (uint32_t)(SMALL / UNIT + 4 * (log - SMALL_LOG) + quarter - 4);
}

static size_t size_of(uint32_t class)
{
    if (class < SMALL / UNIT)
        return ((size_t) class + 1) * UNIT;
    const uint32_t above = class - SMALL / UNIT;
    return ((size_t)(above % 4) + 5) << (above / 4 + SMALL_LOG - 2);
}

/* The rest of the old chunk is left alone. */
static bool more(size_t n)
{
    const size_t size = n < CHUNK ? CHUNK : (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uint8_t *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return false;
    p += (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    (void)__real_madvise(p, size, MADV_HUGEPAGE); /* where there are none, it only takes longer */
    fresh = p;
    fresh_left = size;
    return true;
}

void heap_forked(void)
{
    fresh_left = 0; /* the parent's page would be copied, all of it */
}

static void *cut(uint32_t class, size_t size)
{
    if (fresh_left < sizeof(struct head) + size && !more(sizeof(struct head) + size))
        return NULL;
    struct head *h = (struct head *)(void *)fresh;
    fresh += sizeof *h + size;
    fresh_left -= sizeof *h + size;
    *h = (struct head){ .class = class, .state = LIVE };
    return h + 1;
}

/* *ret_zero: all of it is */
static void *take(size_t n, bool *ret_zero)
{
    size_t size;

    *ret_zero = false;
    if (n > (size_t)1 << (SIZE_LOG - 1)) {
        errno = ENOMEM;
        return NULL;
    }
    const uint32_t class = class_of(n > 0 ? n : 1, &size);
    struct free_block *b = spare[class];
    if (b != NULL) {
        spare[class] = b->next;
        b->head.state = LIVE;
        return &b->head + 1;
    }
    *ret_zero = true;
    return cut(class, size);
}

static struct head *head_of(void *p)
{
    struct head *h = (struct head *)p - 1;

    if (h->state != LIVE)
        abort(); /* given back twice, or never given out */
    return h;
}

/* The block's own head. */
static struct head *whole(struct head *h)
{
    return (struct head *)(void *)((uint8_t *)h - h->back);
}

/* -- what the C library calls them ----------------------------------------------------------------------- */

void *malloc(size_t n)
{
    bool zero;

    return take(n, &zero);
}

void *calloc(size_t count, size_t n)
{
    size_t all;
    bool zero;

    if (__builtin_mul_overflow(count, n, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = take(all, &zero);
    if (p != NULL && !zero)
        memset(p, 0, all);
    return p;
}

void free(void *p)
{
    if (p == NULL)
        return;
    struct head *own = head_of(p), *h = whole(own);
    struct free_block *b = (struct free_block *)(void *)h;
    own->state = DEAD;
    h->state = DEAD;
    b->next = spare[h->class];
    spare[h->class] = b;
}

size_t malloc_usable_size(void *p)
{
    if (p == NULL)
        return 0;
    const struct head *own = head_of(p);
    return size_of(whole((struct head *)(uintptr_t)own)->class) - (size_t)own->back;
}

void *realloc(void *p, size_t n)
{
    if (p == NULL)
        return malloc(n);
    const size_t had = malloc_usable_size(p);
    if (n > 0 && n <= had && n >= had / 2)
        return p;
    void *q = malloc(n);
    if (q == NULL)
        return NULL;
    memcpy(q, p, had < n ? had : n);
    free(p);
    return q;
}

void *memalign(size_t to, size_t n)
{
    if (to <= UNIT)
        return malloc(n);
    uint8_t *p = malloc(n + to);
    if (p == NULL)
        return NULL;
    const size_t off = (to - (uintptr_t)p % to) % to;
    if (off > 0)
        *((struct head *)(void *)(p + off) - 1) = (struct head){ .state = LIVE, .back = off };
    return p + off;
}

void *aligned_alloc(size_t to, size_t n)
{
    return memalign(to, n);
}

int posix_memalign(void **ret, size_t to, size_t n)
{
    *ret = memalign(to, n);
    return *ret != NULL ? 0 : ENOMEM;
}
