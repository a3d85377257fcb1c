/* unit/qrng_feed: sources at work. A FIFO fed by this program is the device, a script the command: good ones,
 * and ones that are stuck, biased, periodic, slow, silent, short, or gone. Quarantine drops the pool and ends
 * with a start-up test that passes. The memory of it all: locked, zeros in a child, nothing left when closed.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/key.h"
#include "base/thread.h"
#include "feed.h"
#include "base/secret.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "raw.h"

enum { SILENCE = 300 }; /* ms: of a source that must be found silent */
static char fifo[300];

/* --- The other end of the FIFO: a thread that writes what it is told, as fast as it is read --- */

enum maker { MAKE_GOOD, MAKE_STUCK, MAKE_HALF, MAKE_PERIOD, MAKE_DRIP, MAKE_SILENT, MAKE_END };

struct feeder {
    pthread_t thread;
    _Atomic int maker;
    _Atomic bool stop;
    struct qc_rand r;
    uint8_t period[700];
    size_t at;
};

static void make(struct feeder *f, int maker, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t good = (uint8_t)qc_rand_u64(&f->r);
        p[i] = maker == MAKE_STUCK ? 0x41 : maker == MAKE_HALF ? good & 7 : good;
        if (maker == MAKE_PERIOD)
            p[i] = f->period[f->at++ % sizeof f->period];
    }
}

static void *feeder_run(void *arg)
{
    struct feeder *f = arg;
    uint8_t piece[256];
    while (!atomic_load(&f->stop)) {
        const int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        bool ended = false;
        while (fd >= 0 && !atomic_load(&f->stop)) {
            const int maker = atomic_load(&f->maker); /* a change is no end of the stream */
            struct pollfd w = { .fd = fd, .events = POLLOUT };
            const size_t n = maker == MAKE_DRIP ? 1 : sizeof piece;
            if (poll(&w, 1, 10) < 0 || (w.revents & POLLERR) != 0)
                break;
            if (maker == MAKE_SILENT || (w.revents & POLLOUT) == 0)
                continue;
            make(f, maker, piece, n);
            if (write(fd, piece, n) < 0 && errno != EAGAIN)
                break;
            if (maker == MAKE_DRIP)
                poll(NULL, 0, 2);
            ended = maker == MAKE_END;
            if (ended)
                break;
        }
        if (fd >= 0)
            close(fd);
        /* It stays away: who reads late would not see an end behind which more came. */
        do
            poll(NULL, 0, 2);
        while (ended && !atomic_load(&f->stop) && atomic_load(&f->maker) == MAKE_END);
    }
    return NULL;
}

static void feeder_start(struct feeder *f, enum maker maker)
{
    memset(f, 0, sizeof *f);
    f->r.state = 7;
    atomic_store(&f->maker, maker);
    qc_rand_fill(&f->r, f->period, sizeof f->period);
    CHECK(pthread_create(&f->thread, NULL, feeder_run, f) == 0);
}

static void feeder_end(struct feeder *f)
{
    atomic_store(&f->stop, true);
    CHECK(pthread_join(f->thread, NULL) == 0);
}

static struct qrng_source_conf conf_of(enum qrng_kind kind, const char *path)
{
    /* A machine that stalls is not what is tested: only a source that is silent has less time. */
    struct qrng_source_conf c = { .name = "a", .kind = kind, .mbit = 6000, .stall_ms = 60000, .pool = 2048 };
    snprintf(c.path, sizeof c.path, "%s", path);
    return c;
}

/* --- Tests --- */

static void good(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[5000] = { 0 };
    feeder_start(&w, MAKE_GOOD);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK(!qrng_feed_status(f).started && qrng_feed_status(f).raw == 0);   /* nothing was touched yet */
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err)); /* more than the pool holds */
    unsigned zeros = 0;
    for (size_t i = 0; i < sizeof p; i++)
        zeros += p[i] == 0;
    CHECK(zeros > 2 && zeros < 60); /* 20 are expected */
    const struct qrng_feed_status s = qrng_feed_status(f);
    CHECK(s.state == QRNG_GATE_OPEN && s.given == sizeof p && s.alarms == 0 && s.left == UINT64_MAX);
    CHECK(s.raw >= QRNG_STARTUP + sizeof p * 54 / 32); /* HMAC: 54 bytes for 32 at six bits */
    qrng_feed_free(&f);
    qrng_feed_free(&f);
    feeder_end(&w);
}

/* No more is taken of a source than the first draw wants, until draws find too little. */
static void no_more_than_wanted(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    const uint64_t first = QRNG_STARTUP + (QC_QRNG_POOL_FIRST / 32 + 1) * UINT64_C(54);
    uint8_t p[16384];
    conf.pool = 16384;
    feeder_start(&w, MAKE_GOOD);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK_OK(qrng_feed_draw(f, p, 16, qc_deadline_in(60000), &err));
    poll(NULL, 0, 30);
    CHECK(qrng_feed_status(f).raw <= first);
    for (unsigned i = 0; i < 5; i++) /* each finds the pool too small, until it is not */
        CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
    const uint64_t wanted = UINT64_C(5) * sizeof p + 16, most = wanted + sizeof p / 2;
    for (const qc_deadline d = qc_deadline_in(60000); !qc_deadline_over(d); poll(NULL, 0, 5))
        if (qrng_feed_status(f).raw >= QRNG_STARTUP + most / 32 * 54)
            break;
    CHECK(qrng_feed_status(f).raw >= QRNG_STARTUP + most / 32 * 54); /* now half a pool at least is ready */
    qrng_feed_free(&f);
    feeder_end(&w);
}

/* What is wrong is found, said, and given no byte of; when it is right again, it is let in again. */
static void bad(enum maker maker, const char *says)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[64];
    conf.stall_ms = maker == MAKE_SILENT ? SILENCE : conf.stall_ms;
    feeder_start(&w, maker);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    memset(p, 1, sizeof p);
    const uint64_t begin = qc_now_ms();
    qc_rc rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err);
    while (maker == MAKE_PERIOD &&
           rc == QC_OK) /* found by design after 2,066 bytes, and 1,024 are the start-up test */
        rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err);
    CHECK(rc == QC_RANDOM);
    const uint64_t took = qc_now_ms() - begin;
    CHECK(maker != MAKE_SILENT || took >= SILENCE); /* no upper bound: the machine may be busy */
    printf("maker %d: found after %llu ms, %llu bytes\n", (int)maker, (unsigned long long)took,
           (unsigned long long)qrng_feed_status(f).raw);
    CHECK(qrng_feed_status(f).raw <= qrng_design_cycle(sizeof w.period, conf.mbit) + 54);
    if (strstr(err.msg, says) == NULL) {
        fprintf(stderr, "maker %d: %s\n", (int)maker, err.msg);
        exit(1);
    }
    for (size_t i = 0; i < sizeof p; i++)
        CHECK(p[i] == 0);
    atomic_store(&w.maker, MAKE_GOOD);
    for (const qc_deadline d = qc_deadline_in(20000); rc != QC_OK && !qc_deadline_over(d); poll(NULL, 0, 20))
        rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err);
    CHECK(rc == QC_OK);
    const struct qrng_feed_status s = qrng_feed_status(f);
    CHECK(s.state == QRNG_GATE_OPEN && s.alarms + s.failures >= 1);
    CHECK((s.alarms > 0) == (maker == MAKE_STUCK || maker == MAKE_HALF || maker == MAKE_PERIOD));
    qrng_feed_free(&f);
    feeder_end(&w);
}

/* It goes bad while its pool is full: the pool is dropped. */
static void later(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[1024];
    feeder_start(&w, MAKE_GOOD);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK_OK(qrng_feed_draw(f, p, 16, qc_deadline_in(20000), &err));
    atomic_store(&w.maker, MAKE_STUCK);
    qc_rc rc = QC_OK;
    for (const qc_deadline d = qc_deadline_in(20000); rc == QC_OK && !qc_deadline_over(d);)
        rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err);
    /* Not by the message: the next trial may have failed by now, in another way. */
    CHECK(rc == QC_RANDOM && qrng_feed_status(f).alarm == QRNG_ALARM_REPETITION);
    CHECK(qrng_feed_draw(f, p, 1, qc_deadline_in(10), &err) ==
          QC_RANDOM); /* not one byte of what was ready */
    qrng_feed_free(&f);
    feeder_end(&w);
}

static void slow(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[64];
    feeder_start(&w, MAKE_DRIP); /* 500 bytes a second: the start-up test alone takes two */
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    const uint64_t begin = qc_now_ms();
    CHECK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(400), &err) == QC_RANDOM);
    CHECK(qc_now_ms() - begin >= 400 && strstr(err.msg, "in time") != NULL);
    qrng_feed_free(&f);
    feeder_end(&w);
}

/* 4,000 bytes a second: the start-up test is let through at once, what follows waits for its turn. */
static void rate(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[320];
    conf.rate = 4000;
    feeder_start(&w, MAKE_GOOD);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    const uint64_t begin = qc_now_ms();
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000),
                            &err)); /* 1024 and 9 times 54 before the last */
    CHECK(qc_now_ms() - begin >= 350);
    qrng_feed_free(&f);
    feeder_end(&w);
}

static void commands(void)
{
    static const struct {
        const char *command, *says;
    } rows[] = {
        { "/bin/cat /dev/urandom", NULL },
        { "/bin/cat /dev/zero", "repetition count" },
        { "/bin/head -c 1000 /dev/urandom", "it ended" },
        { "/bin/sleep 100", "no byte for" },
        { "/bin/false", "it ended" },
        { "/nonexistent/program", "cannot be started" },
        { "/usr/bin/env", "it ended" }, /* its environment is empty */
    };
    uint8_t p[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct qc_err err = { 0 };
        struct qrng_feed *f = NULL;
        struct qrng_source_conf conf = conf_of(QRNG_KIND_COMMAND, rows[i].command);
        conf.stall_ms = strcmp(rows[i].command, "/bin/sleep 100") == 0 ? SILENCE : conf.stall_ms;
        CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
        const qc_rc rc = qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err);
        CHECK(rc == (rows[i].says == NULL ? QC_OK : QC_RANDOM));
        if (rows[i].says != NULL && strstr(err.msg, rows[i].says) == NULL) {
            fprintf(stderr, "%s: %s\n", rows[i].command, err.msg);
            exit(1);
        }
        qrng_feed_free(&f); /* ends a command that still runs */
    }
}

/* Of this process; the thread sanitizer has one of its own from the first that was begun. */
static unsigned threads(void)
{
    char line[256];
    unsigned n = 0;
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Threads: %u", &n) == 1)
            break;
    fclose(f);
#ifdef __SANITIZE_THREAD__
    n--;
#endif
    return n;
}

/* Who was joined is counted for a moment longer. */
static bool is_alone(void)
{
    for (const qc_deadline d = qc_deadline_in(20000); threads() > 1 && !qc_deadline_over(d);)
        poll(NULL, 0, 1);
    return threads() == 1;
}

/* Has a child of this process ended, and waits for who asks? */
static bool a_child_ended(void)
{
    siginfo_t info = { .si_pid = 0 };
    CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
    return info.si_pid != 0;
}

static bool a_child_is_left(void)
{
    siginfo_t info = { .si_pid = 0 };
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

static void a_child_ends(void)
{
    for (const qc_deadline d = qc_deadline_in(60000); !a_child_ended(); poll(NULL, 0, 1))
        CHECK(!qc_deadline_over(d));
}

/* A command rests: what is ready is given out, and not more than that; then another one is started, and
 * tested. */
static void rests(void)
{
    struct qc_err err = { 0 };
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf conf = conf_of(QRNG_KIND_COMMAND, "/bin/cat /dev/urandom");
    uint8_t p[160];
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK_OK(qrng_feed_warm(f, &err));
    /* The first draw has it without a thread if it is quick; else it rests not at all. */
    poll(NULL, 0, 200);
    CHECK_OK(qrng_feed_draw(f, p, 32, qc_deadline_in(60000), &err));
    const bool alone = threads() == 1;
    const uint64_t raw = qrng_feed_status(f).raw;
    qrng_feed_rest(f);
    if (alone) {
        a_child_ends();
        CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
        CHECK(qrng_feed_status(f).raw == raw && threads() == 1);
        CHECK(qrng_feed_status(f).state == QRNG_GATE_TRIAL);
    }
    for (unsigned i = 0; i < 20; i++)
        CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
    CHECK(qrng_feed_status(f).raw >= raw + QRNG_STARTUP + 20 * sizeof p);
    CHECK(qrng_feed_status(f).state == QRNG_GATE_OPEN && qrng_feed_status(f).failures == 0);
    qrng_feed_free(&f);
    CHECK(!a_child_is_left());
}

/* A command ends as soon as nothing more is drawn; close takes what is left of it. */
static void ends(void)
{
    struct qc_err err = { 0 };
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf conf = conf_of(QRNG_KIND_COMMAND, "/bin/cat /dev/urandom");
    uint8_t p[160];
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    qrng_feed_rest(f); /* of what never began */
    CHECK_OK(qrng_feed_warm(f, &err));
    CHECK(!a_child_ended());
    qrng_feed_rest(f);
    a_child_ends();
    qrng_feed_rest(f);
    qrng_feed_free(&f);
    CHECK(!a_child_is_left());
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    for (unsigned i = 0; i < 20; i++) /* more than is ready: by a thread */
        CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
    qrng_feed_rest(f);
    qrng_feed_free(&f);
    CHECK(!a_child_is_left());
}

/* The time before the first draw is used for what is there; of what is not there yet nothing is known after
 * it, and the draw waits. */
static void ahead(void)
{
    struct qc_err err = { 0 };
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf device = conf_of(QRNG_KIND_DEVICE, "/dev/urandom");
    const struct qrng_source_conf silent = conf_of(QRNG_KIND_COMMAND, "/bin/sleep 600");
    const struct qrng_source_conf command = conf_of(QRNG_KIND_COMMAND, "/bin/cat /dev/urandom");
    uint8_t p[192];
    CHECK_OK(qrng_feed_new(&f, &device, "", &err));
    qrng_feed_ahead(f);
    const uint64_t raw = qrng_feed_status(f).raw;
    CHECK(raw > QRNG_STARTUP && qrng_feed_status(f).state == QRNG_GATE_OPEN &&
          qrng_feed_status(f).given == 0);
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
    qrng_feed_ahead(f);
    CHECK(qrng_feed_status(f).raw == raw && is_alone());
    qrng_feed_free(&f);
    CHECK_OK(qrng_feed_new(&f, &silent, "", &err));
    for (unsigned i = 0; i < 2; i++)
        qrng_feed_ahead(f);
    CHECK(qrng_feed_status(f).raw == 0 && qrng_feed_status(f).failures == 0 && !qrng_feed_status(f).started);
    CHECK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20), &err) == QC_RANDOM);
    CHECK(strstr(err.msg, "0 of 192 bytes in time") != NULL);
    qrng_feed_free(&f);
    CHECK_OK(qrng_feed_new(&f, &command, "", &err));
    qrng_feed_ahead(f);
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
    CHECK(qrng_feed_status(f).raw >= QRNG_STARTUP + 192 / 32 * 54 && qrng_feed_status(f).failures == 0);
    qrng_feed_free(&f);
    CHECK(!a_child_is_left());
}

/* Character devices. What answers at once is read without a thread, until it is asked for more than is ready.
 */
static void devices(bool ready)
{
    static const struct {
        const char *path, *says;
    } rows[] = { { "/dev/zero", "repetition count" }, { "/dev/null", "it ended" }, { "/dev/urandom", NULL } };
    static uint8_t p[5000];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct qc_err err = { 0 };
        struct qrng_feed *f = NULL;
        const struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, rows[i].path);
        CHECK(is_alone());
        CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
        CHECK_OK(qrng_feed_warm(f, &err));
        if (ready)
            qrng_feed_ahead(f);
        const qc_rc rc = qrng_feed_draw(f, p, 192, qc_deadline_in(60000), &err);
        if (rows[i].says == NULL) {
            CHECK(rc == QC_OK && threads() == 1 && qrng_feed_status(f).given == 192);
            CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(60000), &err));
            CHECK(threads() == 2);
        } else if (rc != QC_RANDOM || strstr(err.msg, rows[i].says) == NULL) {
            fprintf(stderr, "%s: %s\n", rows[i].path, err.msg);
            exit(1);
        }
        qrng_feed_free(&f);
    }
}

static void refusals(void)
{
    static const char *const paths[] = { "/nonexistent/device", "/dev", "/etc/passwd" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct qc_err err = { 0 };
        struct qrng_raw raw = { 0 };
        const struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, paths[i]);
        CHECK(qrng_raw_open(&raw, &conf, &err) == QC_RANDOM && raw.ops == NULL);
    }
    struct qc_err err = { 0 };
    struct qrng_raw raw = { 0 };
    const struct qrng_source_conf kme =
        conf_of(QRNG_KIND_KME, ""); /* of a program that knows no key manager */
    CHECK(qrng_raw_open(&raw, &kme, &err) == QC_RANDOM && strstr(err.msg, "no client") != NULL &&
          raw.ops == NULL);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] == 0)
        i++;
    return i == n;
}

/* Is [p, p + n) locked? By the process's own map: VmFlags has lo (locked), dd (not dumped), wf (wiped on
 * fork). */
static bool flags_are(const void *p, const char *flag)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    bool here = false, found = false;
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long from = 0, to = 0;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (unsigned long)(uintptr_t)p >= from && (unsigned long)(uintptr_t)p < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(f);
    return found;
}

/* Not where the limit is reached, nor where a sanitizer replaces mlock by nothing. */
static bool locking_works(void)
{
    void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    const bool works = mlock(p, 65536) == 0 && flags_are(p, " lo");
    munmap(p, 65536);
    return works;
}

static void memory(void)
{
    struct qc_err err = { 0 };
    struct feeder w;
    struct qrng_feed *f = NULL;
    const struct qrng_source_conf conf = conf_of(QRNG_KIND_DEVICE, fifo);
    uint8_t p[64];
    size_t n = 0;
    int status = 0;
    feeder_start(&w, MAKE_GOOD);
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err));
    const uint8_t *m = qrng_feed_memory(f, &n);
    CHECK(!all_zero(m, n) && flags_are(m, " wf") && flags_are(m, " dd"));
    if (locking_works())
        CHECK(qrng_feed_status(f).locked && flags_are(m, " lo"));
    else
        printf("memory cannot be locked here: not tested that the pool is\n");
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(all_zero(m, n) && qrng_feed_draw(f, p, 1, qc_deadline_in(10), &err) == QC_RANDOM && p[0] == 0
                  ? 0
                  : 1);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_OK(qrng_feed_draw(f, p, sizeof p, qc_deadline_in(20000), &err)); /* the parent's goes on */
    qrng_feed_free(&f);
    feeder_end(&w);
}

/* Where else in this process's memory the 32 bytes at p lie. */
__attribute__((unused)) static unsigned copies_of(const uint8_t *p)
{
    enum { CHUNK = 1 << 16, OVERLAP = 31 };
    uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    const int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    unsigned found = 0, here = 0;
    CHECK(chunk != MAP_FAILED && maps != NULL && mem >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0, to = 0;
        char mode[5] = "";
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 || mode[1] != 'w' || to - from > 1UL << 30 ||
            from == (unsigned long)(uintptr_t)chunk)
            continue;
        for (unsigned long at = from; at < to; at += CHUNK - OVERLAP) {
            const size_t want = to - at < CHUNK ? to - at : CHUNK;
            const ssize_t got = pread(mem, chunk, want, (off_t)at);
            for (ssize_t i = 0; i + 32 <= got; i++) {
                if (chunk[i] != *p || memcmp(chunk + i, p, 32) != 0)
                    continue;
                here += at + (unsigned long)i == (unsigned long)(uintptr_t)p;
                found += at + (unsigned long)i != (unsigned long)(uintptr_t)p;
            }
        }
    }
    CHECK(here == 1); /* so the search finds what there is */
    fclose(maps);
    close(mem);
    munmap(chunk, CHUNK);
    return found;
}

/* What was given out is not in the process any more: its own memory is searched, but for the copy that was
 * drawn. Without a conditioner, so that it is what was read. */
__attribute__((unused)) static void forgotten(enum qrng_kind kind, const char *path)
{
    struct qc_err err = { 0 };
    struct qrng_feed *f = NULL;
    struct qrng_source_conf conf = conf_of(kind, path);
    struct qc_secret drawn = { 0 };
    conf.condition = QRNG_CONDITION_NONE;
    CHECK_OK(qc_secret_new(&drawn, 1, &err));
    CHECK_OK(qrng_feed_new(&f, &conf, "", &err));
    CHECK_OK(qrng_feed_draw(f, drawn.p, 32, qc_deadline_in(60000), &err));
    qrng_feed_free(&f); /* until then the last 256 raw bytes are kept by the health tests */
    CHECK(copies_of(drawn.p) == 0);
    qc_secret_free(&drawn);
}

/* 64 KiB of random numbers, of which this process keeps none. */
__attribute__((unused)) static void make_file(const char *path)
{
    static uint8_t piece[4096];
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
              from = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && from >= 0);
    for (unsigned i = 0; i < 16; i++)
        CHECK(read(from, piece, sizeof piece) == (ssize_t)sizeof piece &&
              write(fd, piece, sizeof piece) == (ssize_t)sizeof piece);
    qc_wipe(piece, sizeof piece);
    close(from);
    close(fd);
}

/* All names bound at the begin, as the release is linked: else the first call of a function puts what the
 * registers hold on the stack, as the last bytes that were copied. */
static void bind_now(char **argv)
{
    if (getenv("LD_BIND_NOW") != NULL)
        return;
    CHECK(setenv("LD_BIND_NOW", "1", 1) == 0);
    CHECK(execv("/proc/self/exe", argv) == 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    bind_now(argv);
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir place = qc_tmpdir_new();
    snprintf(fifo, sizeof fifo, "%s/fifo", place.path);
    CHECK(mkfifo(fifo, 0600) == 0);
    signal(SIGPIPE, SIG_IGN);
    good();
    no_more_than_wanted();
    bad(MAKE_STUCK, "repetition count");
    bad(MAKE_HALF, "health test");
    bad(MAKE_PERIOD, "came before");
    bad(MAKE_SILENT, "no byte for");
    bad(MAKE_END, "it ended");
    later();
    slow();
    rate();
    commands();
    ends();
    rests();
    ahead();
    devices(false);
    devices(true);
    refusals();
    memory();
#ifndef __SANITIZE_THREAD__ /* its shadow is 40 s of memory */
    char numbers[300];
    snprintf(numbers, sizeof numbers, "%s/numbers", place.path);
    make_file(numbers);
    forgotten(QRNG_KIND_DEVICE, "/dev/urandom");
    forgotten(QRNG_KIND_COMMAND, "/bin/cat /dev/urandom");
    forgotten(QRNG_KIND_FILE, numbers);
#endif
    return 0;
}
