/* Tasks, for world.c and threads.c. */
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include "sim.h"

enum sim_state { READY, WAITING, ENDED };

struct sim_task {
    ucontext_t ctx; /* of its beginning */
    bool began;
    jmp_buf at; /* where it goes on */
    void *stack;
    enum sim_state state;
    uint64_t until; /* of a wait; 0: for ever */
    const void *on; /* what it waits on */
    const struct qc_cancel *cancel;
    bool timed_out;
    struct sim_proc *proc; /* NULL: the world's */
    const char *name;
    sim_fn fn;
    void *(*start)(void *);
    void *arg;
    int kept_errno;
    struct sim_task *next;
};

extern struct sim_task *sim_tasks, *sim_running;

/* A task that will begin as soon as it is chosen; its function is the caller's to set. */
struct sim_task *sim_task_new(struct sim_proc *owner, const char *name);
void sim_task_wake(struct sim_task *t);
bool sim_task_alive(const struct sim_task *t);
/* Let another one run, until somebody wakes this one, or `until` (0: never) has come: false. */
bool sim_wait_on(const void *on, uint64_t until, const struct qc_cancel *cancel);
void sim_yield(void);
