#include "plays.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/crypto.h"
#include "base/key.h"
#include "base/log.h"
#include "ec/coder.h"
#include "history.h"
#include "lives.h"

enum {
    CPU_MAX_S = 60, /* of one history: more is a loop */
    FAILURES_MAX = 10,
};

void plays_warm_up(void)
{
    struct qc_err err = { 0 };
    const struct ec_coder *coder;
    uint8_t digest[QC_SHA256_BYTES];
    qc_key *key = NULL;

    QC_ASSERT(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
    QC_ASSERT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    QC_ASSERT(sqlite3_initialize() == SQLITE_OK);
    sim_vfs_register();
    for (unsigned k = 1; k <= 4; k++)
        for (unsigned m = 1; m <= 2; m++)
            QC_ASSERT(ec_coder_get(k, m, &coder, &err) == QC_OK);
    QC_ASSERT(qc_sha256(&QC_LIT("warm"), 1, digest, &err) == QC_OK);
    QC_ASSERT(qc_key_blank(&key, 32, &err) == QC_OK);
    qc_key_free(&key);
    qc_log_setup(STDERR_FILENO, QC_LOG_ERROR, false);
}

/* A long run that is stopped says what it has played so far: a history is played to its end first. */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
    (void)sig;
    stopped = 1;
}

static void on_stop(void (*fn)(int))
{
    const struct sigaction a = { .sa_handler = fn, .sa_flags = SA_RESTART };

    QC_ASSERT(sigaction(SIGINT, &a, NULL) == 0 && sigaction(SIGTERM, &a, NULL) == 0);
}

/* -- one ------------------------------------------------------------------------------------------------- */

static void play(uint64_t seed, sim_fn history, int out)
{
    struct sim_result r;

    on_stop(SIG_IGN);
    heap_forked();
    counts = (struct sim_counts){ 0 };
    sim_run(seed, history, NULL);
    r = (struct sim_result){ .hash = sim.hash,
                             .days = sim.now / SIM_DAY,
                             .switches = sim.switches,
                             .lost = lives.lost,
                             .counts = counts };
    fflush(stdout);
    QC_ASSERT(write(out, &r, sizeof r) == (ssize_t)sizeof r);
    _exit(0);
}

bool plays_one(uint64_t seed, sim_fn history, struct sim_result *ret)
{
    int ends[2], status = 0;
    ssize_t got;

    QC_ASSERT(pipe(ends) == 0);
    fflush(stdout);
    const pid_t child = fork();
    QC_ASSERT(child >= 0);
    if (child == 0) {
        close(ends[0]);
        setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_MAX_S, CPU_MAX_S });
        play(seed, history, ends[1]);
    }
    close(ends[1]);
    got = read(ends[0], ret, sizeof *ret);
    close(ends[0]);
    QC_ASSERT(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        printf("seed %" PRIu64 ": died by signal %d\n", seed, WTERMSIG(status));
    return got == (ssize_t)sizeof *ret && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* -- many ------------------------------------------------------------------------------------------------ */

static void add(struct sim_sums *s, const struct sim_result *r)
{
    s->days += r->days;
    s->switches += r->switches;
#define X(name) s->counts.name += r->counts.name;
    SIM_COUNTS(X)
#undef X
}

static void add_sums(struct sim_sums *s, const struct sim_sums *more)
{
    s->histories += more->histories;
    s->failed += more->failed;
    s->days += more->days;
    s->switches += more->switches;
#define X(name) s->counts.name += more->counts.name;
    SIM_COUNTS(X)
#undef X
}

static bool same_again(uint64_t seed, const struct sim_result *before)
{
    struct sim_result again;

    if (plays_one(seed, history_run, &again) && again.hash == before->hash)
        return true;
    printf("seed %" PRIu64 ": played again it is another history\n", seed);
    return false;
}

/* Every jobs-th of them, from the job-th on. */
static struct sim_sums some(const struct sim_plays *p, unsigned job)
{
    struct sim_sums s = { 0 };

    for (uint64_t i = job; i < p->histories && s.failed < FAILURES_MAX && !stopped; i += p->jobs) {
        const uint64_t seed = p->seed + i;
        struct sim_result r;
        s.histories++;
        if (!plays_one(seed, history_run, &r) || (i < p->twice && !same_again(seed, &r))) {
            s.failed++;
            printf("  again: qcloud-sim --seed %" PRIu64 " --histories 1 --trace\n", seed);
            continue;
        }
        add(&s, &r);
        if (p->histories == 1)
            printf("hash %016" PRIx64 "\n", r.hash);
    }
    return s;
}

static pid_t start(const struct sim_plays *p, unsigned job, int *ret_end)
{
    int ends[2];

    QC_ASSERT(pipe(ends) == 0);
    fflush(stdout);
    const pid_t child = fork();
    QC_ASSERT(child >= 0);
    if (child == 0) {
        const struct sim_sums s = some(p, job);
        fflush(stdout);
        QC_ASSERT(write(ends[1], &s, sizeof s) == (ssize_t)sizeof s);
        _exit(0);
    }
    close(ends[1]);
    *ret_end = ends[0];
    return child;
}

struct sim_sums plays_all(const struct sim_plays *p)
{
    struct sim_sums sum = { 0 };
    pid_t children[SIM_JOBS_MAX];
    int ends[SIM_JOBS_MAX];

    QC_ASSERT(p->jobs >= 1 && p->jobs <= SIM_JOBS_MAX);
    on_stop(stop);
    if (p->jobs == 1)
        return some(p, 0);
    for (unsigned job = 0; job < p->jobs; job++)
        children[job] = start(p, job, &ends[job]);
    for (unsigned job = 0; job < p->jobs; job++) {
        struct sim_sums s;
        QC_ASSERT(read(ends[job], &s, sizeof s) == (ssize_t)sizeof s);
        close(ends[job]);
        QC_ASSERT(waitpid(children[job], NULL, 0) == children[job]);
        add_sums(&sum, &s);
    }
    return sum;
}

double plays_cpu_seconds(void)
{
    struct rusage own, theirs;

    QC_ASSERT(getrusage(RUSAGE_SELF, &own) == 0);
    QC_ASSERT(getrusage(RUSAGE_CHILDREN, &theirs) == 0);
    double sum = 0;
    const struct timeval *parts[] = { &own.ru_utime, &own.ru_stime, &theirs.ru_utime, &theirs.ru_stime };
    for (size_t i = 0; i < 4; i++)
        sum += (double)parts[i]->tv_sec + (double)parts[i]->tv_usec / 1e6;
    return sum;
}
