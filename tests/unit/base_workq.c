/* unit/base_workq: every job runs once, the queue is bounded, stop and drain mean what they say. */
#include "base/workq.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/thread.h"

#include "qc_check.h"

enum { JOBS = 5000 };

static atomic_int ran[JOBS];
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER; /* guards gate_open */
static pthread_cond_t gate_moved;
static bool gate_open;
static atomic_int at_gate;

static void count(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void wait_at_gate(void *arg)
{
    (void)arg;
    atomic_fetch_add(&at_gate, 1);
    QC_LOCK(&gate_lock);
    while (!gate_open)
        qc_cond_wait(&gate_moved, &gate_lock, QC_NO_DEADLINE);
}

static void open_gate(void)
{
    QC_LOCK(&gate_lock);
    gate_open = true;
    qc_cond_wake_all(&gate_moved);
}

static void check_all_run(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_workq_free) struct qc_workq *q = NULL;

    CHECK_OK(qc_workq_new(&q, 4, 16, &err));
    for (int i = 0; i < JOBS; i++)
        CHECK_OK(qc_workq_submit(q, count, &ran[i], QC_NO_DEADLINE, &err));
    qc_workq_drain(q);
    for (int i = 0; i < JOBS; i++)
        CHECK(atomic_load(&ran[i]) == 1);
    qc_workq_drain(q); /* of an idle queue: at once */
}

static void check_bounded(void)
{
    struct qc_err err = { 0 };
    struct qc_workq *q = NULL;
    atomic_int later = 0;

    CHECK_OK(qc_workq_new(&q, 1, 2, &err));
    CHECK_OK(qc_workq_submit(q, wait_at_gate, NULL, QC_NO_DEADLINE, &err));
    while (atomic_load(&at_gate) == 0)
        sched_yield();
    CHECK_OK(qc_workq_submit(q, count, &later, QC_NO_DEADLINE, &err));
    CHECK_OK(qc_workq_submit(q, count, &later, QC_NO_DEADLINE, &err));
    CHECK_RC(qc_workq_submit(q, count, &later, qc_deadline_in(20), &err), QC_TEMP);
    qc_workq_stop(q);
    CHECK_RC(qc_workq_submit(q, count, &later, QC_NO_DEADLINE, &err), QC_CANCELLED);
    open_gate();
    qc_workq_free(&q);
    CHECK(atomic_load(&later) == 2); /* what waited has run */
    qc_workq_free(&q);
}

int main(void)
{
    qc_cond_init(&gate_moved);
    check_all_run();
    check_bounded();
    CHECK(qc_alloc_live() == 0);
    return 0;
}
