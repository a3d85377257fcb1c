#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/planted.h"
#include "base/thread.h"

static const struct {
    const char *name, *where;
} points[QC_FP_COUNT] = {
#define X(point, text) [QC_FP_##point] = { #point, text },
    QC_FAULT_POINT_TABLE(X)
#undef X
};

const char *qc_fault_name(enum qc_fault_point point)
{
    QC_ASSERT((unsigned)point < QC_FP_COUNT);
    return points[point].name;
}

const char *qc_fault_where(enum qc_fault_point point)
{
    QC_ASSERT((unsigned)point < QC_FP_COUNT);
    return points[point].where;
}

#ifdef QC_FAULT_POINTS
enum qc_planted qc_planted_bug;

enum action { ACT_NONE, ACT_KILL, ACT_ERROR, ACT_ERROR_FROM, ACT_PAUSE, ACT_STOP };

struct rule {
    enum action action;
    uint64_t n; /* the pass that it acts at, or milliseconds */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards rules, passes, log_path, ready */
static struct rule rules[QC_FP_COUNT];
static uint64_t passes[QC_FP_COUNT];
static const char *log_path;
static bool ready;

/* A test must not pass because of a typing error in its script. */
static _Noreturn void malformed(const char *script)
{
    fprintf(stderr, "QC_FAULT: '%s' is no known NAME:kill|stop|error|error+|pause_ms:NUMBER,..\n", script);
    abort();
}

static enum qc_fault_point point_of(const char *name, size_t n, const char *script)
{
    for (unsigned i = 0; i < QC_FP_COUNT; i++) {
        if (strlen(points[i].name) == n && strncmp(points[i].name, name, n) == 0)
            return (enum qc_fault_point)i;
    }
    malformed(script);
}

static enum action action_of(const char *name, size_t n, const char *script)
{
    static const char *const names[] = { "", "kill", "error", "error+", "pause_ms", "stop" };

    for (unsigned i = ACT_KILL; i <= ACT_STOP; i++) {
        if (strlen(names[i]) == n && strncmp(names[i], name, n) == 0)
            return (enum action)i;
    }
    malformed(script);
}

static void parse(const char *script)
{
    memset(rules, 0, sizeof rules);
    memset(passes, 0, sizeof passes);
    for (const char *s = script; s != NULL && *s != '\0';) {
        const char *action = strchr(s, ':');
        const char *number = action == NULL ? NULL : strchr(action + 1, ':');
        char *end = NULL;

        if (number == NULL || number[1] < '0' || number[1] > '9')
            malformed(script);
        struct rule *rule = &rules[point_of(s, (size_t)(action - s), script)];
        rule->action = action_of(action + 1, (size_t)(number - action - 1), script);
        rule->n = strtoull(number + 1, &end, 10);
        if (rule->n == 0 || (*end != '\0' && *end != ','))
            malformed(script);
        s = *end == ',' ? end + 1 : end;
    }
}

static void log_pass(enum qc_fault_point point)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%s\n", points[point].name);
    int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    QC_ASSERT(fd >= 0);
    QC_ASSERT(n > 0 && (size_t)n < sizeof line);
    QC_ASSERT(write(fd, line, (size_t)n) == n);
    close(fd);
}

/* Count the pass; the rule that applies to it, with the action ACT_NONE when none does. */
static struct rule pass(enum qc_fault_point point)
{
    QC_LOCK(&lock);
    if (!ready) {
        parse(getenv("QC_FAULT"));
        log_path = getenv("QC_FAULT_LOG");
        ready = true;
    }
    passes[point]++;
    if (log_path != NULL)
        log_pass(point);
    struct rule rule = rules[point];
    bool exact = rule.action == ACT_KILL || rule.action == ACT_ERROR || rule.action == ACT_STOP;
    if ((exact && passes[point] != rule.n) || (rule.action == ACT_ERROR_FROM && passes[point] < rule.n))
        rule.action = ACT_NONE;
    return rule;
}

static void pause_ms(uint64_t ms)
{
    struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

qc_rc qc_fault_at(enum qc_fault_point point, struct qc_err *err)
{
    QC_ASSERT((unsigned)point < QC_FP_COUNT);
    struct rule rule = pass(point);
    switch (rule.action) {
    case ACT_NONE:
        return QC_OK;
    case ACT_PAUSE:
        pause_ms(rule.n);
        return QC_OK;
    case ACT_KILL:
        kill(getpid(), SIGKILL);
        pause(); /* the signal is on its way to one of our threads */
        return QC_OK;
    case ACT_STOP:
        kill(getpid(), SIGSTOP);
        return QC_OK;
    case ACT_ERROR:
    case ACT_ERROR_FROM:
        break;
    }
    return QC_FAIL(err, QC_IO, "fault point %s: asked to fail", points[point].name);
}

void qc_fault_script(const char *script)
{
    QC_LOCK(&lock);
    parse(script);
    log_path = getenv("QC_FAULT_LOG");
    ready = true;
}

uint64_t qc_fault_passes(enum qc_fault_point point)
{
    QC_LOCK(&lock);
    QC_ASSERT((unsigned)point < QC_FP_COUNT);
    return passes[point];
}
#else
qc_rc qc_fault_at(enum qc_fault_point point, struct qc_err *err)
{
    (void)point;
    (void)err;
    return QC_OK;
}

void qc_fault_script(const char *script)
{
    (void)script;
}

uint64_t qc_fault_passes(enum qc_fault_point point)
{
    (void)point;
    return 0;
}
#endif
