#include "base/thread.h"

void qc_mutex_init(pthread_mutex_t *m)
{
    QC_ASSERT(pthread_mutex_init(m, NULL) == 0);
}

void qc_mutex_done(pthread_mutex_t *m)
{
    QC_ASSERT(pthread_mutex_destroy(m) == 0);
}

void qc_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    QC_ASSERT(pthread_condattr_init(&attr) == 0);
    QC_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    QC_ASSERT(pthread_cond_init(c, &attr) == 0);
    QC_ASSERT(pthread_condattr_destroy(&attr) == 0);
}

void qc_cond_done(pthread_cond_t *c)
{
    QC_ASSERT(pthread_cond_destroy(c) == 0);
}

void qc_cond_wake_one(pthread_cond_t *c)
{
    QC_ASSERT(pthread_cond_signal(c) == 0);
}

void qc_cond_wake_all(pthread_cond_t *c)
{
    QC_ASSERT(pthread_cond_broadcast(c) == 0);
}

bool qc_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, qc_deadline d)
{
    if (d.at_ms == 0) {
        QC_ASSERT(pthread_cond_wait(c, m) == 0);
        return true;
    }
    struct timespec until = qc_deadline_timespec(d);
    int rc = pthread_cond_timedwait(c, m, &until);
    QC_ASSERT(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

pthread_mutex_t *qc_lock_(pthread_mutex_t *m)
{
    QC_ASSERT(pthread_mutex_lock(m) == 0);
    return m;
}

void qc_unlock_(pthread_mutex_t **m)
{
    QC_ASSERT(pthread_mutex_unlock(*m) == 0);
}
