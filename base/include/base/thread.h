/* Locks as scopes, condition waits with deadlines. Layer 0; uses time.
 *
 * A lock stands beside what it guards, with a comment that lists it; no callback runs under one. pthread
 * calls that fail here are bugs of ours and die. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"

void qc_mutex_init(pthread_mutex_t *m);
void qc_mutex_done(pthread_mutex_t *m);
void qc_cond_init(pthread_cond_t *c); /* waits by CLOCK_MONOTONIC */
void qc_cond_done(pthread_cond_t *c);
void qc_cond_wake_one(pthread_cond_t *c);
void qc_cond_wake_all(pthread_cond_t *c);
/* Wait on c with m held; false when d is over. Wakes for no reason, too: loop on the condition. */
bool qc_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, qc_deadline d);

pthread_mutex_t *qc_lock_(pthread_mutex_t *m);
void qc_unlock_(pthread_mutex_t **m);
#define QC_CAT_(a, b) a##b
#define QC_CAT(a, b)  QC_CAT_(a, b)
/* Held until the end of the scope. */
#define QC_LOCK(m) QC_CLEANUP(qc_unlock_) pthread_mutex_t *QC_CAT(qc_scope_lock_, __LINE__) = qc_lock_(m)
