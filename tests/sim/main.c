/* qcloud-sim: plays histories of the gateway's engine, each from a seed, and checks the invariants of
 * oracle.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/crypto.h"
#include "base/key.h"
#include "base/log.h"
#include "base/planted.h"
#include "ec/coder.h"
#include "gateway.h"
#include "history.h"

enum {
    CPU_MAX_S = 60, /* of one history: more is a loop */
    FAILURES_MAX = 10,
    HISTORIES = 200,
    HISTORIES_FULL = 10000,
};

struct result {
    uint64_t hash, days, switches;
    struct sim_counts counts;
};

struct sums {
    uint64_t histories, failed, days, switches;
    struct sim_counts counts;
};

/* What every history would do for itself: libraries that load and look up. */
static void warm_up(void)
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

static void play(uint64_t seed, int out)
{
    struct result r;

    counts = (struct sim_counts){ 0 };
    sim_run(seed, history_run, NULL);
    r = (struct result){
        .hash = sim.hash, .days = sim.now / SIM_DAY, .switches = sim.switches, .counts = counts
    };
    fflush(stdout);
    QC_ASSERT(write(out, &r, sizeof r) == (ssize_t)sizeof r);
    _exit(0);
}

/* In a process of its own: whatever dead programs left behind goes with it. */
static bool one_history(uint64_t seed, struct result *ret)
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
        play(seed, ends[1]);
    }
    close(ends[1]);
    got = read(ends[0], ret, sizeof *ret);
    close(ends[0]);
    QC_ASSERT(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        printf("seed %" PRIu64 ": died by signal %d\n", seed, WTERMSIG(status));
    return got == (ssize_t)sizeof *ret && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void add(struct sums *s, const struct result *r)
{
    s->days += r->days;
    s->switches += r->switches;
#define X(name) s->counts.name += r->counts.name;
    SIM_COUNTS(X)
#undef X
}

static void tell_counts(const struct sim_counts *c)
{
    const char *before = "";
#define X(name)                                                                                              \
    printf("%s" #name " %" PRIu64, before, c->name);                                                         \
    before = ", ";
    SIM_COUNTS(X)
#undef X
    printf("\n");
}

static double cpu_seconds(void)
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

/* Twice the same seed is twice the same history, to the last step. */
static bool same_again(uint64_t seed, const struct result *before)
{
    struct result again;

    if (one_history(seed, &again) && again.hash == before->hash)
        return true;
    printf("seed %" PRIu64 ": played again it is another history\n", seed);
    return false;
}

struct options {
    uint64_t seed, histories;
    bool twice, full;
    const char *planted; /* a bug's name, "few" or "all" */
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            sim.trace = true;
        else if (strcmp(argv[i], "--twice") == 0)
            o->twice = true;
        else if (strcmp(argv[i], "--planted") == 0 && i + 1 < argc)
            o->planted = argv[++i];
        else if (strcmp(argv[i], "--full") == 0)
            o->histories = HISTORIES_FULL;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            o->seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--histories") == 0 && i + 1 < argc)
            o->histories = strtoull(argv[++i], NULL, 10);
        else
            return false;
    }
    return true;
}

static struct sums play_all(const struct options *o)
{
    struct sums s = { 0 };

    for (; s.histories < o->histories && s.failed < FAILURES_MAX; s.histories++) {
        const uint64_t seed = o->seed + s.histories;
        struct result r;
        if (!one_history(seed, &r) || (o->twice && !same_again(seed, &r))) {
            s.failed++;
            printf("  again: qcloud-sim --seed %" PRIu64 " --histories 1 --trace\n", seed);
            continue;
        }
        add(&s, &r);
        if (o->histories == 1)
            printf("hash %016" PRIx64 "\n", r.hash);
    }
    return s;
}

/* -- planted bugs ---------------------------------------------------------------------------------------- */

#ifdef QC_FAULT_POINTS
static const struct {
    const char *name, *text;
    unsigned number;
} planted[QC_PLANTED_COUNT] = {
#define X(name, number, text) [QC_PLANTED_##name] = { #name, text, number },
    QC_PLANTED_TABLE(X)
#undef X
};

/* Histories until the bug shows; 0: it did not, in so many. */
static uint64_t hunt(enum qc_planted bug, const struct options *o)
{
    struct result r;

    qc_planted_bug = bug;
    for (uint64_t i = 0; i < o->histories; i++)
        if (!one_history(o->seed + i, &r))
            return i + 1;
    return 0;
}

/* "few" are those that show soon, for CI; with QC_FULL they are all. */
static bool wanted(const struct options *o, unsigned bug)
{
    const bool soon = bug == QC_PLANTED_ack_early || bug == QC_PLANTED_key_reuse ||
                      bug == QC_PLANTED_no_witness || bug == QC_PLANTED_sync_retried;

    if (strcmp(o->planted, "few") == 0)
        return soon || o->full;
    return strcmp(o->planted, "all") == 0 || strcmp(o->planted, planted[bug].name) == 0;
}

/* Each is found, or the simulator's silence means nothing. */
static int hunt_all(const struct options *o)
{
    unsigned missed = 0, hunted = 0;

    for (unsigned bug = QC_PLANTED_none + 1; bug < QC_PLANTED_COUNT; bug++) {
        if (!wanted(o, bug))
            continue;
        printf("bug %u, %s: %s\n", planted[bug].number, planted[bug].name, planted[bug].text);
        const uint64_t found = hunt((enum qc_planted)bug, o);
        hunted++;
        missed += found == 0;
        if (found > 0)
            printf("  found in history %" PRIu64 "\n", found);
        else
            printf("  NOT found in %" PRIu64 " histories\n", o->histories);
    }
    printf("%u planted bugs, %u not found; %.1f s of a processor\n", hunted, missed, cpu_seconds());
    return hunted > 0 && missed == 0 ? 0 : 1;
}
#else
static int hunt_all(const struct options *o)
{
    (void)o;
    fprintf(stderr, "qcloud-sim: no bugs can be planted in a release\n");
    return 2;
}
#endif

int main(int argc, char **argv)
{
    const char *full = getenv("QC_FULL");
    struct options o = { .seed = 1, .histories = HISTORIES };

    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: qcloud-sim [--seed S] [--histories N | --full] [--trace] [--twice] "
                        "[--planted BUG|few|all]\n");
        return 2;
    }
    o.full = full != NULL && full[0] != '\0';
    if (o.full && o.histories == HISTORIES)
        o.histories = HISTORIES_FULL;
    warm_up();
    if (o.planted != NULL)
        return hunt_all(&o);
    const struct sums s = play_all(&o);
    const double cpu = cpu_seconds();
    tell_counts(&s.counts);
    printf("%" PRIu64 " histories, %" PRIu64 " failed; %" PRIu64
           " days, %.1f s of a processor, %.1f histories a second\n",
           s.histories, s.failed, s.days, cpu, (double)s.histories / cpu);
    return s.failed == 0 ? 0 : 1;
}
