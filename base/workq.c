#include "base/workq.h"

#include <signal.h>

#include "base/alloc.h"
#include "base/thread.h"

struct job {
    qc_job run;
    void *arg;
};

struct qc_workq {
    size_t depth; /* fixed after qc_workq_new */
    pthread_t *threads;
    size_t thread_count;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* a job waits, or stop */
    pthread_cond_t room;  /* a place in the ring is free, or stop */
    pthread_cond_t idle;  /* nothing waits and nothing runs */
    struct job *ring;
    size_t first, waiting, running;
    bool stop;
};

/* The next job; false when the queue has stopped and is empty. */
static bool next_job(struct qc_workq *q, struct job *ret)
{
    QC_LOCK(&q->lock);
    while (q->waiting == 0 && !q->stop)
        qc_cond_wait(&q->work, &q->lock, QC_NO_DEADLINE);
    if (q->waiting == 0)
        return false;
    *ret = q->ring[q->first];
    q->first = (q->first + 1) % q->depth;
    q->waiting--;
    q->running++;
    qc_cond_wake_one(&q->room);
    return true;
}

static void job_done(struct qc_workq *q)
{
    QC_LOCK(&q->lock);
    QC_ASSERT(q->running > 0);
    q->running--;
    if (q->running == 0 && q->waiting == 0)
        qc_cond_wake_all(&q->idle);
}

static void *worker(void *arg)
{
    struct qc_workq *q = arg;
    struct job job;

    while (next_job(q, &job)) {
        job.run(job.arg);
        job_done(q);
    }
    return NULL;
}

/* Signals belong to the program's own threads: workers start with all of them blocked. */
static qc_rc start_threads(struct qc_workq *q, size_t threads, struct qc_err *err)
{
    sigset_t all, before;
    int e = 0;

    sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    while (q->thread_count < threads && e == 0) {
        e = pthread_create(&q->threads[q->thread_count], NULL, worker, q);
        if (e == 0)
            q->thread_count++;
    }
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "starting thread %zu of %zu", q->thread_count + 1, threads);
    return QC_OK;
}

qc_rc qc_workq_new(struct qc_workq **ret, size_t threads, size_t depth, struct qc_err *err)
{
    QC_ASSERT(threads >= 1 && threads <= QC_WORKQ_THREADS_MAX);
    QC_ASSERT(depth >= 1 && depth <= QC_WORKQ_DEPTH_MAX);
    struct qc_workq *fresh = qc_alloc(sizeof *fresh);
    if (fresh == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a work queue");
    qc_mutex_init(&fresh->lock);
    qc_cond_init(&fresh->work);
    qc_cond_init(&fresh->room);
    qc_cond_init(&fresh->idle);
    QC_CLEANUP(qc_workq_free) struct qc_workq *q = fresh;
    q->depth = depth;
    q->ring = qc_alloc(depth * sizeof *q->ring);
    q->threads = qc_alloc(threads * sizeof *q->threads);
    if (q->ring == NULL || q->threads == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for %zu jobs", depth);
    QC_TRY(start_threads(q, threads, err));
    *ret = QC_STEAL(q);
    return QC_OK;
}

qc_rc qc_workq_submit(struct qc_workq *q, qc_job job, void *arg, qc_deadline d, struct qc_err *err)
{
    QC_LOCK(&q->lock);
    while (q->waiting == q->depth && !q->stop) {
        if (!qc_cond_wait(&q->room, &q->lock, d) && q->waiting == q->depth)
            return QC_FAIL(err, QC_TEMP, "%zu jobs are waiting already", q->depth);
    }
    if (q->stop)
        return QC_FAIL(err, QC_CANCELLED, "the work queue has stopped");
    q->ring[(q->first + q->waiting) % q->depth] = (struct job){ job, arg };
    q->waiting++;
    qc_cond_wake_one(&q->work);
    return QC_OK;
}

void qc_workq_drain(struct qc_workq *q)
{
    QC_LOCK(&q->lock);
    while (q->waiting > 0 || q->running > 0)
        qc_cond_wait(&q->idle, &q->lock, QC_NO_DEADLINE);
}

void qc_workq_stop(struct qc_workq *q)
{
    QC_LOCK(&q->lock);
    q->stop = true;
    qc_cond_wake_all(&q->work);
    qc_cond_wake_all(&q->room);
}

void qc_workq_free(struct qc_workq **pq)
{
    struct qc_workq *q = *pq;

    if (q == NULL)
        return;
    qc_workq_stop(q);
    for (size_t i = 0; i < q->thread_count; i++)
        QC_ASSERT(pthread_join(q->threads[i], NULL) == 0);
    qc_cond_done(&q->idle);
    qc_cond_done(&q->room);
    qc_cond_done(&q->work);
    qc_mutex_done(&q->lock);
    qc_free(q->threads);
    qc_free(q->ring);
    qc_free(q);
    *pq = NULL;
}
