#include "base/harden.h"

#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Lock as much as will be needed, all at once, and let it go again. */
static bool trial_lock(size_t n)
{
    if (n == 0)
        return true;
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    bool locked = mlock(p, n) == 0;
    if (locked)
        munlock(p, n);
    munmap(p, n);
    return locked;
}

qc_rc qc_process_harden(const struct qc_harden_opts *opts, bool *ret_locked, struct qc_err *err)
{
    struct rlimit none = { 0, 0 }, lock = { 0, 0 };

    if (sodium_init() < 0)
        return QC_FAIL(err, QC_GENERAL, "libsodium does not start");
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return QC_FAIL_OS(err, "turning core dumps off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return QC_FAIL_OS(err, "making the process not dumpable");
    /* A reader that left, a file at the limit of sizes: the call says so, and no half of anything stays
     * behind. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return QC_FAIL_OS(err, "ignoring SIGPIPE and SIGXFSZ");
    umask(077);
    bool locked = trial_lock(opts->lock_bytes);
    if (!locked && opts->must_lock) {
        getrlimit(RLIMIT_MEMLOCK, &lock);
        return QC_FAIL(err, QC_AUTH,
                       "%zu bytes of secret memory cannot be locked; the limit is %llu (ulimit -l)",
                       opts->lock_bytes, (unsigned long long)lock.rlim_cur);
    }
    *ret_locked = locked;
    return QC_OK;
}
