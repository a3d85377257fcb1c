/* The product's threads, locks, clocks and random bytes, as tasks of the world; and two calls that cost much
 * and change nothing here. */
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include <sodium.h>

#include "wrap.h"

SIM_THREAD_CALLS(SIM_WRAPPED)

enum {
    SPURIOUS = 50, /* a wait on a condition ends for no reason, once in so many */
    PREEMPT = 16,  /* before a lock is taken, once in so many */
};

/* A lock's memory holds its owner: all zero is free, as PTHREAD_MUTEX_INITIALIZER has it. */
struct lock {
    struct sim_task *owner;
    bool wanted; /* perhaps somebody waits for it */
};
static struct sim_task outside; /* owns what is locked before there is a world */

static struct lock *lock_of(pthread_mutex_t *m)
{
    _Static_assert(sizeof(struct lock) <= sizeof *m, "a lock has room for its owner");
    return (struct lock *)(void *)m;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    (void)attr;
    memset(m, 0, sizeof *m);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
    return lock_of(m)->owner == NULL ? 0 : EBUSY;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    struct lock *l = lock_of(m);

    if (sim_running != NULL && sim_one_in(&sim.sched, PREEMPT))
        sim_yield();
    while (l->owner != NULL) {
        if (l->owner != &outside &&
            !sim_task_alive(l->owner)) /* of a dead program: a lock that is the whole library's */
            break;
        QC_ASSERT(sim_running != NULL && l->owner != sim_running);
        l->wanted = true;
        (void)sim_wait_on(l, 0, NULL);
    }
    l->owner = sim_running == NULL ? &outside : sim_running;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    struct lock *l = lock_of(m);

    QC_ASSERT(l->owner == (sim_running == NULL ? &outside : sim_running));
    l->owner = NULL;
    if (l->wanted)
        sim_wake(l); /* looks at all tasks */
    l->wanted = false;
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    (void)attr;
    memset(c, 0, sizeof *c);
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *c)
{
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        QC_ASSERT(t->state != WAITING || t->on != c);
    return 0;
}

static int cond_wait(pthread_cond_t *c, pthread_mutex_t *m, uint64_t until)
{
    bool woken = true;

    QC_ASSERT(sim_running != NULL);
    QC_ASSERT(__wrap_pthread_mutex_unlock(m) == 0);
    if (sim.calm || !sim_one_in(&sim.sched, SPURIOUS))
        woken = sim_wait_on(c, until, NULL);
    else
        sim_yield();
    QC_ASSERT(__wrap_pthread_mutex_lock(m) == 0);
    return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return cond_wait(c, m, 0);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
    const uint64_t until = (uint64_t)t->tv_sec * SIM_S + (uint64_t)t->tv_nsec;

    return until <= sim.now ? ETIMEDOUT : cond_wait(c, m, until);
}

int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
    uint64_t n = 0;

    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        n += t->state == WAITING && t->on == c;
    uint64_t nth = n > 1 ? sim_below(&sim.sched, n) : 0;
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING && t->on == c && nth-- == 0) {
            sim_task_wake(t);
            break;
        }
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *c)
{
    sim_wake(c);
    return 0;
}

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    (void)attr;
    QC_ASSERT(sim_running != NULL);
    struct sim_task *t = sim_task_new(sim_running->proc, "worker");
    t->start = start;
    t->arg = arg;
    *ret = (pthread_t)(uintptr_t)t;
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **ret)
{
    struct sim_task *t =
        (struct sim_task *)(uintptr_t)thread; /* NOLINT(performance-no-int-to-ptr): made above */

    if (ret != NULL)
        *ret = NULL;
    while (sim_task_alive(t))
        (void)sim_wait_on(t, 0, NULL);
    return 0;
}

int __wrap_pthread_detach(pthread_t thread)
{
    (void)thread;
    return 0;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how;
    (void)set;
    if (old != NULL)
        sigemptyset(old);
    return 0;
}

/* Each look costs a little, so that whoever waits by looking at the clock comes to an end. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    if (sim_running != NULL)
        sim.now += 100;
    *t = (struct timespec){ .tv_sec = (time_t)(sim.now / SIM_S), .tv_nsec = (long)(sim.now % SIM_S) };
    if (clock == CLOCK_REALTIME)
        t->tv_sec += sim.wall_s;
    return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
    (void)left;
    sim_sleep((uint64_t)t->tv_sec * SIM_S + (uint64_t)t->tv_nsec);
    return 0;
}

void __wrap_qc_cancel_set(struct qc_cancel *c)
{
    atomic_store(&c->set, true);
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING && t->cancel == c)
            sim_task_wake(t);
}

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
    (void)flags;
    sim_fill(&sim.engine, p, n);
    return (ssize_t)n;
}

/* Units are large and mostly empty: huge pages would be cleared for nothing. */
int __wrap_madvise(void *p, size_t n, int advice)
{
    (void)p;
    (void)n;
    (void)advice;
    return 0;
}

/* Guarded memory costs four system calls a key, and no secret is real here. */
void *__wrap_sodium_malloc(size_t n)
{
    return malloc(n);
}

void __wrap_sodium_free(void *p)
{
    free(p);
}

int __wrap_sodium_mprotect_noaccess(void *p)
{
    (void)p;
    return 0;
}

int __wrap_sodium_mprotect_readonly(void *p)
{
    (void)p;
    return 0;
}

int __wrap_sodium_mprotect_readwrite(void *p)
{
    (void)p;
    return 0;
}
