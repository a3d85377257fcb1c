/* Calls of the product that the link leads into the simulated world: `--wrap=call` for each of these
 * (cmake/sim.cmake reads this list). The names are the linker's. */
#pragma once
#define SIM_THREAD_CALLS(X)                                                                                  \
    X(pthread_mutex_init)                                                                                    \
    X(pthread_mutex_destroy)                                                                                 \
    X(pthread_mutex_lock)                                                                                    \
    X(pthread_mutex_unlock)                                                                                  \
    X(pthread_cond_init)                                                                                     \
    X(pthread_cond_destroy)                                                                                  \
    X(pthread_cond_wait)                                                                                     \
    X(pthread_cond_timedwait)                                                                                \
    X(pthread_cond_signal)                                                                                   \
    X(pthread_cond_broadcast)                                                                                \
    X(pthread_create)                                                                                        \
    X(pthread_join)                                                                                          \
    X(pthread_detach)                                                                                        \
    X(pthread_sigmask)                                                                                       \
    X(clock_gettime)                                                                                         \
    X(nanosleep)                                                                                             \
    X(getrandom)                                                                                             \
    X(madvise)                                                                                               \
    X(sodium_malloc)                                                                                         \
    X(sodium_free)                                                                                           \
    X(sodium_mprotect_noaccess)                                                                              \
    X(sodium_mprotect_readonly)                                                                              \
    X(sodium_mprotect_readwrite)                                                                             \
    X(qc_cancel_set)
#define SIM_FILE_CALLS(X)                                                                                    \
    X(openat)                                                                                                \
    X(close)                                                                                                 \
    X(fstat)                                                                                                 \
    X(fstatat)                                                                                               \
    X(fchmod)                                                                                                \
    X(flock)                                                                                                 \
    X(fsync)                                                                                                 \
    X(ftruncate)                                                                                             \
    X(pread)                                                                                                 \
    X(read)                                                                                                  \
    X(pwrite)                                                                                                \
    X(writev)                                                                                                \
    X(write)                                                                                                 \
    X(unlinkat)                                                                                              \
    X(mkdirat)                                                                                               \
    X(renameat)                                                                                              \
    X(renameat2)                                                                                             \
    X(linkat)                                                                                                \
    X(fdopendir)                                                                                             \
    X(readdir)                                                                                               \
    X(closedir)
#define SIM_CLOUD_CALLS(X)                                                                                   \
    X(cloud_open_opts)                                                                                       \
    X(cloud_create_opts)

/* What the oracle is told of as it happens; and where the program may die. */
#define SIM_TOLD_CALLS(X)                                                                                    \
    X(gw_cat_apply_repacked)                                                                                 \
    X(qc_fault_at)

#define SIM_WRAPPED(call)                                                                                    \
    __typeof__(call) __wrap_##call;                                                                          \
    __typeof__(call) __real_##call;
