/* unit/base_pwhash: the child that works on a passphrase: it answers, it can be broken off, it leaves nothing
 * behind, and it dies with its parent. (What it computes: kat/base_crypto.) */
#include "base/pwhash.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/harden.h"
#include "qc_check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_SHADOWED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_SHADOWED 1
#endif

static const struct qc_pwhash quick = { .passes = 1, .kib = 64, .salt = { 1 } };
/* Minutes of work: whoever waits for its end has failed. */
static const struct qc_pwhash slow = { .passes = 4000, .kib = 262144, .salt = { 2 } };

static const qc_span passphrase = { (const uint8_t *)"a passphrase", 12 };

/* Processes whose parent is `parent`; 0: any, and that one is left in *ret. */
static unsigned children_of(pid_t parent, pid_t *ret)
{
    unsigned n = 0;
    DIR *d = opendir("/proc");
    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[300], line[512] = "";
        int pid = 0, up = 0;
        char state = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (f == NULL)
            continue;
        const char *after = fgets(line, sizeof line, f) == NULL ? NULL : strrchr(line, ')');
        fclose(f);
        if (after == NULL || sscanf(line, "%d", &pid) != 1 || sscanf(after, ") %c %d", &state, &up) != 2)
            continue;
        if (up != parent)
            continue;
        n++;
        *ret = pid;
    }
    closedir(d);
    return n;
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != NULL);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void answers(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *a = NULL, *b = NULL, *c = NULL;
    struct qc_pwhash other = quick;
    unsigned before = descriptors();
    pid_t child = 0;
    other.salt[0]++;
    CHECK_OK(qc_pwhash(&a, passphrase, &quick, NULL, &err));
    CHECK_OK(qc_pwhash(&b, passphrase, &quick, NULL, &err));
    CHECK_OK(qc_pwhash(&c, passphrase, &other, NULL, &err));
    CHECK(qc_key_same(a, b) && !qc_key_same(a, c) && qc_key_len(a) == QC_PWHASH_BYTES);
    CHECK(descriptors() == before && children_of(getpid(), &child) == 0);
    CHECK_DIES(qc_ignore(qc_pwhash(&a, (qc_span){ 0 }, &quick, NULL, &err), "it does not return"));
}

/* A program that ignores the end of its children gets its answer all the same. */
static void ignored_children(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *a = NULL;
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK_OK(qc_pwhash(&a, passphrase, &quick, NULL, &err));
    CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static struct qc_cancel flag;
static volatile sig_atomic_t handled;

static void on_interrupt(int s)
{
    (void)s;
    handled = handled + 1;
    qc_cancel_set(&flag);
}

/* Waits for the child, then interrupts it and us, as a terminal's Ctrl-C does. */
static void *interrupt(void *with_child)
{
    pid_t child = 0;
    while (children_of(getpid(), &child) == 0)
        usleep(1000);
    usleep(20000);
    if (with_child != NULL)
        CHECK(kill(child, SIGINT) == 0);
    CHECK(kill(getpid(), SIGINT) == 0);
    return NULL;
}

static void broken_off(bool with_child)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *a = NULL;
    pthread_t t;
    pid_t child = 0;
    struct sigaction sa = { .sa_handler = on_interrupt };
    flag = (struct qc_cancel){ 0 };
    handled = 0;
    CHECK(sigaction(SIGINT, &sa, NULL) == 0);
    CHECK(pthread_create(&t, NULL, interrupt, with_child ? &child : NULL) == 0);
    CHECK_RC(qc_pwhash(&a, passphrase, &slow, &flag, &err), QC_CANCELLED);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(a == NULL && children_of(getpid(), &child) == 0);
    CHECK(handled == 1); /* and the child did not run our handler in its memory, which would not show here */
    CHECK(signal(SIGINT, SIG_DFL) != SIG_ERR);
}

/* A parent that is killed leaves no child, and what was hidden from others stays hidden in the child. */
static void parent_killed(void)
{
    int status = 0;
    pid_t child = 0;
    fflush(NULL);
    pid_t parent = fork();
    CHECK(parent >= 0);
    if (parent == 0) {
        struct qc_err err = { 0 };
        struct qc_harden_opts opts = { 0 };
        qc_key *a = NULL;
        bool locked = false;
        CHECK_OK(qc_process_harden(&opts, &locked, &err));
        qc_ignore(qc_pwhash(&a, passphrase, &slow, NULL, &err), "killed before");
        _exit(1);
    }
    while (children_of(parent, &child) == 0)
        usleep(1000);
    usleep(20000);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    if (geteuid() != 0)
        CHECK(access(path, R_OK) != 0);
    struct rlimit core = { 1, 1 };
    CHECK(prlimit(child, RLIMIT_CORE, NULL, &core) == 0 && core.rlim_cur == 0);
    CHECK(kill(parent, SIGKILL) == 0);
    CHECK(waitpid(parent, &status, 0) == parent && WIFSIGNALED(status));
    for (int i = 0; kill(child, 0) == 0; i++) { /* its new parent reaps it; here that may be nobody */
        char state = 0, line[512] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", child);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            break;
        const char *after = fgets(line, sizeof line, f) == NULL ? NULL : strrchr(line, ')');
        fclose(f);
        if (after == NULL || (sscanf(after, ") %c", &state) == 1 && (state == 'Z' || state == 'X')))
            break;
        CHECK(i < 10000);
        usleep(1000);
    }
}

/* Too little memory is said, with the amount. */
static void no_memory(void)
{
#ifndef MEMORY_IS_SHADOWED
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *a = NULL;
    struct qc_pwhash large = { .passes = 2, .kib = 262144, .salt = { 3 } };
    struct rlimit before, less;
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    less = before;
    less.rlim_cur = 200U << 20;
    CHECK(setrlimit(RLIMIT_AS, &less) == 0);
    qc_rc rc = qc_pwhash(&a, passphrase, &large, NULL, &err);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK(rc == QC_NOMEM && strstr(err.msg, "256 MiB") != NULL);
#endif
}

int main(void)
{
    answers();
    ignored_children();
    no_memory();
    broken_off(false);
    broken_off(true);
    parent_killed();
    return 0;
}
