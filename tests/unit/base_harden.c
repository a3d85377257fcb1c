/* unit/base_harden: after the first call nobody gets a core dump, and a lock that cannot be had is said. */
#include "base/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "qc_check.h"

/* The sanitizers replace mlock by a function that does nothing and succeeds. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MLOCK_IS_FAKE 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MLOCK_IS_FAKE 1
#endif

#ifndef MLOCK_IS_FAKE
/* As an ordinary user with a small limit: root locks without one. */
static void limited(bool must_lock, qc_rc want)
{
    struct rlimit small = { 65536, 65536 };
    struct qc_err err = { 0 };
    bool locked = true;
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setrlimit(RLIMIT_MEMLOCK, &small) == 0);
        if (geteuid() == 0)
            CHECK(setgid(65534) == 0 && setuid(65534) == 0);
        struct qc_harden_opts opts = { .lock_bytes = 1 << 20, .must_lock = must_lock };
        CHECK_RC(qc_process_harden(&opts, &locked, &err), want);
        _exit(locked == (want != QC_OK) ? 0 : 1); /* untouched on failure, false on success */
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif

int main(void)
{
    struct qc_err err = { 0 };
    struct rlimit core;
    bool locked = false;

#ifndef MLOCK_IS_FAKE
    limited(false, QC_OK);
    limited(true, QC_AUTH);
#endif
    struct qc_harden_opts opts = { .lock_bytes = 0, .must_lock = true };
    CHECK_OK(qc_process_harden(&opts, &locked, &err));
    CHECK(locked);
    CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    struct sigaction is;
    CHECK(sigaction(SIGPIPE, NULL, &is) == 0 && is.sa_handler == SIG_IGN);
    CHECK(sigaction(SIGXFSZ, NULL, &is) == 0 && is.sa_handler == SIG_IGN);
    return 0;
}
