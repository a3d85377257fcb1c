/* A bounded queue of jobs and N threads that work on it. Layer 0. Any thread; jobs run in the order of
 * submission, several at once. A job reports through its own argument: the queue knows nothing of results. */
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/time.h"

struct qc_workq;
typedef void (*qc_job)(void *arg);

/* threads 1..QC_WORKQ_THREADS_MAX; depth 1..QC_WORKQ_DEPTH_MAX jobs that wait. Signals are blocked in the
 * threads. QC_NOMEM, QC_TEMP when the system gives no thread. */
QC_MUST qc_rc qc_workq_new(struct qc_workq **ret, size_t threads, size_t depth, struct qc_err *err);
/* Queue job(arg). Waits for room until the deadline: QC_TEMP. After qc_workq_stop: QC_CANCELLED. arg stays
 * the caller's until the job has run, and when this fails. */
QC_MUST qc_rc qc_workq_submit(struct qc_workq *q, qc_job job, void *arg, qc_deadline d, struct qc_err *err);
/* Wait until nothing waits and nothing runs. Not from a job. */
void qc_workq_drain(struct qc_workq *q);
/* No further jobs are taken; those that wait still run. */
void qc_workq_stop(struct qc_workq *q);
/* Stop, finish all jobs, join the threads. */
void qc_workq_free(struct qc_workq **q);
