/* Tasks, locks, time, programs that die. Exactly one task runs at a time; who goes on is drawn from the seed
 * at each point where a thread could wait. A dead program's sim_tasks are dropped where they stand: they
 * never run again. What they had allocated goes with the process that plays this history (main.c). */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    STACK = 512 * 1024,
    SWITCHES_MAX = 50 * 1000 * 1000, /* of one history: more is a loop */
};

struct sim_world sim;

struct event {
    uint64_t at, number;
    sim_fn fn;
    void *ctx;
};

static ucontext_t scheduler_began; /* for a task's first steps; then both sides jump */
static jmp_buf scheduler;
struct sim_task *sim_tasks, *sim_running;
static struct event *events;
static size_t event_count, event_room;
static uint64_t event_number;
static void **spare_stacks;
static size_t spare_count, spare_room;

/* -- randomness ------------------------------------------------------------------------------------------ */

uint64_t sim_u64(struct sim_rand *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim_rand *r, uint64_t n)
{
    return sim_u64(r) % n;
}

uint64_t sim_between(struct sim_rand *r, uint64_t low, uint64_t high)
{
    return low + sim_below(r, high - low + 1);
}

bool sim_one_in(struct sim_rand *r, uint64_t n)
{
    return n != 0 && sim_below(r, n) == 0;
}

void sim_fill(struct sim_rand *r, uint8_t *p, size_t n)
{
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            word = sim_u64(r);
        p[i] = (uint8_t)(word >> (8 * (i % 8)));
    }
}

uint64_t sim_spread(struct sim_rand *r, uint64_t low, uint64_t high)
{
    uint64_t decades = 1;

    for (uint64_t top = low; top < high / 10; top *= 10)
        decades++;
    for (uint64_t skip = sim_below(r, decades); skip > 0; skip--)
        low *= 10;
    return sim_between(r, low, low < high / 10 ? low * 10 : high);
}

/* -- trace ----------------------------------------------------------------------------------------------- */

static void hash_text(const char *s)
{
    for (; *s != '\0'; s++)
        sim.hash = (sim.hash ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
}

static void stamp(char *ret, size_t size)
{
    const uint64_t ms = sim.now / SIM_MS;

    snprintf(ret, size, "day %2" PRIu64 " %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64,
             ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

void sim_say(const char *fmt, ...)
{
    char text[1024], when[48];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    stamp(when, sizeof when);
    hash_text(when);
    hash_text(text);
    if (sim.trace)
        printf("%s  %-12s %s\n", when, sim_running != NULL ? sim_running->name : "world", text);
}

void sim_broken(const char *invariant, const char *fmt, ...)
{
    char text[1024], when[48];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    stamp(when, sizeof when);
    printf("seed %" PRIu64 ": %s does not hold, %s: %s\n", sim.seed, invariant, when, text);
    fflush(stdout);
    _exit(10);
}

/* -- switching ------------------------------------------------------------------------------------------- */

/* Room for one more element; the old room is the caller's no more. */
static void *more_room(void *p, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return p;
    *room = *room == 0 ? 64 : 2 * *room;
    void *more = realloc(p, *room * size);
    QC_ASSERT(more != NULL);
    return more;
}

static void *stack_new(void)
{
    if (spare_count > 0)
        return spare_stacks[--spare_count];
    void *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    QC_ASSERT(p != MAP_FAILED);
    QC_ASSERT(mprotect(p, 4096, PROT_NONE) == 0);
    return p;
}

static void stack_give(void *p)
{
    spare_stacks = more_room(spare_stacks, spare_count, &spare_room, sizeof *spare_stacks);
    spare_stacks[spare_count++] = p;
}

/* From a task to the scheduler. */
static void leave(void)
{
    struct sim_task *me = sim_running;

    me->kept_errno = errno;
    sim.switches++;
    /* Not swapcontext, which asks the system for the signal mask each time: two calls for each step. */
    if (_setjmp(me->at) == 0)
        _longjmp(scheduler, 1);
    errno = me->kept_errno;
}

static void enter(struct sim_task *t)
{
    sim_running = t;
    if (_setjmp(scheduler) == 0) {
        if (t->began)
            _longjmp(t->at, 1);
        t->began = true;
        // cppcheck-suppress swapcontextCalled
        QC_ASSERT(swapcontext(&scheduler_began, &t->ctx) == 0);
    }
    sim_running = NULL;
}

void sim_task_wake(struct sim_task *t)
{
    t->state = READY;
    t->until = 0;
    t->on = NULL;
    t->cancel = NULL;
}

bool sim_wait_on(const void *on, uint64_t until, const struct qc_cancel *cancel)
{
    QC_ASSERT(sim_running != NULL);
    sim_running->state = WAITING;
    sim_running->on = on;
    sim_running->until = until;
    sim_running->cancel = cancel;
    sim_running->timed_out = false;
    leave();
    return !sim_running->timed_out;
}

void sim_yield(void)
{
    if (sim_running != NULL && !sim.calm)
        leave();
}

void sim_wake(const void *on)
{
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING && t->on == on)
            sim_task_wake(t);
}

static void body(void)
{
    struct sim_task *me = sim_running;

    if (me->start != NULL)
        (void)me->start(me->arg);
    else
        me->fn(me->arg);
    me->state = ENDED;
    sim_wake(me);
    leave();
    abort(); /* the dead do not return */
}

struct sim_task *sim_task_new(struct sim_proc *owner, const char *name)
{
    struct sim_task *t = calloc(1, sizeof *t);
    struct sim_task **end = &sim_tasks;

    QC_ASSERT(t != NULL);
    t->stack = stack_new();
    t->proc = owner;
    t->name = name;
    // cppcheck-suppress getcontextCalled
    QC_ASSERT(getcontext(&t->ctx) == 0);
    t->ctx.uc_stack.ss_sp = t->stack;
    t->ctx.uc_stack.ss_size = STACK;
    // cppcheck-suppress makecontextCalled
    makecontext(&t->ctx, body, 0);
    while (*end != NULL)
        end = &(*end)->next;
    *end = t;
    return t;
}

struct sim_task *sim_spawn(struct sim_proc *owner, const char *name, sim_fn fn, void *ctx)
{
    struct sim_task *t = sim_task_new(owner, name);

    t->fn = fn;
    t->arg = ctx;
    return t;
}

void sim_sleep(uint64_t ns)
{
    static const bool never = false;
    const uint64_t until = sim.now + ns;

    while (sim.now < until)
        (void)sim_wait_on(&never, until, NULL);
}

bool sim_wait(const bool *flag, uint64_t until)
{
    if (!*flag && (until == 0 || sim.now < until))
        (void)sim_wait_on(flag, until, NULL);
    return *flag;
}

void sim_wait_call(const bool *flag, uint64_t until, const struct qc_cancel *cancel)
{
    while (!*flag && sim.now < until && !qc_cancel_is(cancel))
        (void)sim_wait_on(flag, until, cancel);
}

bool sim_inside(void)
{
    return sim_running != NULL;
}

struct sim_proc *sim_current(void)
{
    return sim_running == NULL ? NULL : sim_running->proc;
}

/* -- events ---------------------------------------------------------------------------------------------- */

void sim_at(uint64_t ns, sim_fn fn, void *ctx)
{
    events = more_room(events, event_count, &event_room, sizeof *events);
    events[event_count++] = (struct event){ ns, event_number++, fn, ctx };
}

static size_t first_event(void)
{
    size_t best = 0;

    for (size_t i = 1; i < event_count; i++)
        if (events[i].at < events[best].at ||
            (events[i].at == events[best].at && events[i].number < events[best].number))
            best = i;
    return best;
}

/* -- programs -------------------------------------------------------------------------------------------- */

void sim_proc_start(struct sim_proc *p)
{
    p->alive = true;
    p->steps = 0;
    p->dies_at = 0;
    p->paused_until = 0;
}

static void bury(struct sim_proc *p)
{
    sim.deaths++;
    p->alive = false;
    sim_disk_closed(p);
    sim_clouds_closed();
    if (p->power)
        sim_disk_power_cut();
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next) {
        if (t->proc == p)
            t->state = ENDED;
        else if (t->state == WAITING)
            sim_task_wake(t); /* who waits for an answer sees the connection break; who waits for a lock, that
                             it is free */
    }
}

void sim_kill(struct sim_proc *p, bool power)
{
    if (!p->alive)
        return;
    p->power = power;
    sim_say("program %u %s at step %" PRIu64, p->number,
            power ? "and its machine lose their power" : "is killed", p->steps);
    bury(p);
    if (sim_running != NULL && sim_running->proc == p)
        leave();
}

void sim_step(const char *what)
{
    struct sim_proc *p = sim_current();

    if (p == NULL)
        return;
    sim.now += 1000;
    p->steps++;
    if (p->dies_at == 0 || p->steps < p->dies_at || sim.calm)
        return;
    sim_say("before: %s", what);
    sim_kill(p, p->power);
}

/* -- the scheduler --------------------------------------------------------------------------------------- */

static bool paused(const struct sim_task *t)
{
    return t->proc != NULL && t->proc->paused_until > sim.now;
}

/* The next instant at which something happens, 0: never. */
static uint64_t next_instant(void)
{
    uint64_t at = event_count > 0 ? events[first_event()].at : 0;

    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING && t->until != 0 && (at == 0 || t->until < at))
            at = t->until;
        else if (t->state == READY && paused(t) && (at == 0 || t->proc->paused_until < at))
            at = t->proc->paused_until;
    return at;
}

static void pass_time(uint64_t to)
{
    if (sim.now < to)
        sim.now = to;
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING && t->until != 0 && t->until <= sim.now) {
            sim_task_wake(t);
            t->timed_out = true;
        }
    while (event_count > 0) {
        const size_t i = first_event();
        const struct event e = events[i];
        if (e.at > sim.now)
            break;
        events[i] = events[--event_count];
        e.fn(e.ctx);
    }
}

static struct sim_task *choose(void)
{
    struct sim_task *chosen = NULL;
    uint64_t ready = 0;

    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        ready += t->state == READY && !paused(t);
    if (ready == 0)
        return NULL;
    uint64_t nth = ready == 1 ? 0 : sim_below(&sim.sched, ready);
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == READY && !paused(t) && nth-- == 0)
            chosen = t;
    return chosen;
}

static void reap(void)
{
    for (struct sim_task **at = &sim_tasks; *at != NULL;) {
        struct sim_task *t = *at;
        if (t->state != ENDED) {
            at = &t->next;
            continue;
        }
        *at = t->next; /* its memory stays: locks and threads are known by it */
        stack_give(t->stack);
    }
}

static void tell_waiters(void)
{
    for (struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t->state == WAITING)
            printf("  waits for ever: %s\n", t->name);
}

void sim_run(uint64_t seed, sim_fn main, void *ctx)
{
    struct sim_rand s = { seed };
    bool done = false;

    sim = (struct sim_world){ .seed = seed, .trace = sim.trace, .hash = UINT64_C(0xcbf29ce484222325) };
    sim.sched.state = sim_u64(&s);
    sim.world.state = sim_u64(&s);
    sim.engine.state = sim_u64(&s);
    sim.faults.state = sim_u64(&s);
    sim.now = SIM_DAY / 24;
    sim.wall_s = 1800000000;
    struct sim_task *first = sim_spawn(NULL, "history", main, ctx);
    while (!done) {
        struct sim_task *t = choose();
        if (t == NULL) {
            const uint64_t at = next_instant();
            if (at == 0) {
                tell_waiters();
                sim_broken("progress", "nothing can happen any more, and the history is not at its end");
            }
            pass_time(at);
            continue;
        }
        enter(t);
        done = first->state == ENDED;
        if (t->state == ENDED || sim.deaths > 0)
            reap();
        if (sim.switches > SWITCHES_MAX)
            sim_broken("progress", "a loop without end: %d switches", SWITCHES_MAX);
        if (event_count > 0 && events[first_event()].at <= sim.now)
            pass_time(sim.now);
    }
}

bool sim_task_alive(const struct sim_task *owner)
{
    for (const struct sim_task *t = sim_tasks; t != NULL; t = t->next)
        if (t == owner)
            return t->state != ENDED;
    return false;
}
