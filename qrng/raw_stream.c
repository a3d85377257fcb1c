/* Devices, FIFOs, and the output of commands. */
#include "raw.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

/* A command's end waits for a poll: as short as it may be beside a source that is silent. */
enum { POLL_MS = 10, FIRST_FREE = 3 /* descriptor */, PIPE = 4096 };

qc_rc qrng_read_stream(int fd, uint8_t *p, size_t n, uint32_t stall_ms, const struct qc_cancel *cancel,
                       struct qc_err *err)
{
    qc_deadline quiet = qc_deadline_in(stall_ms);
    for (size_t done = 0; done < n;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        const bool now = qc_cancel_is(cancel);
        if (qc_deadline_over(quiet))
            return QC_FAIL(err, QC_RANDOM, "no byte for %u ms", stall_ms);
        const uint64_t left = qc_deadline_left_ms(quiet);
        if (poll(&wait, 1, now ? 0 : left < POLL_MS ? (int)left : POLL_MS) < 0 && errno != EINTR)
            return QC_FAIL(err, QC_RANDOM, "poll failed with error %d", errno);
        if (wait.revents == 0 && now)
            return QC_FAIL(err, QC_CANCELLED, "interrupted");
        if (wait.revents == 0)
            continue;
        const ssize_t got = read(fd, p + done, n - done);
        if (got == 0)
            return QC_FAIL(err, QC_RANDOM, "it ended");
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return QC_FAIL(err, QC_RANDOM, "reading failed: %s",
                           strerror(errno)); /* as unplugged: EIO, ENODEV */
        if (got > 0) {
            done += (size_t)got;
            quiet = qc_deadline_in(stall_ms);
        }
    }
    return QC_OK;
}

struct stream {
    const struct qrng_source_conf *conf;
    struct qc_fd fd;
    pid_t pid; /* of a command that runs; 0: none */
    bool ended;
};

static qc_rc stream_read(void *ctx, uint8_t *p, size_t n, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct stream *s = ctx;
    return qrng_read_stream(qc_fd_get(&s->fd), p, n, s->conf->stall_ms, cancel, err);
}

/* A tenth of a millisecond, for who waits for it. */
static void stream_end(void *ctx)
{
    struct stream *s = ctx;
    if (s->ended)
        return;
    s->ended = true;
    if (s->pid > 0 && kill(s->pid, SIGKILL) != 0)
        s->pid = 0; /* none of ours */
    qc_fd_close(&s->fd);
}

static void stream_close(void *ctx)
{
    struct stream *s = ctx;
    stream_end(s);
    while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {}
    qc_free(s);
}

static const struct qrng_raw_ops stream_ops = { .read = stream_read,
                                                .end = stream_end,
                                                .close = stream_close };

/* A stream that attach has opened. */
static qc_rc stream_open(struct qrng_raw *ret, const struct qrng_source_conf *conf,
                         qc_rc (*attach)(struct stream *s, struct qc_err *err), struct qc_err *err)
{
    struct stream *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a source");
    s->conf = conf;
    const qc_rc rc = attach(s, err);
    if (rc != QC_OK) {
        stream_close(s);
        return rc;
    }
    ret->ops = &stream_ops;
    ret->ctx = s;
    return QC_OK;
}

/* Without O_NONBLOCK the open of a FIFO that nobody writes to would wait for ever. */
static qc_rc device_attach(struct stream *s, struct qc_err *err)
{
    struct stat st;
    struct qc_err why = { 0 };
    if (qc_open_at(&s->fd, AT_FDCWD, s->conf->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &why) != QC_OK)
        return QC_FAIL(err, QC_RANDOM, "%s", why.msg);
    if (fstat(qc_fd_get(&s->fd), &st) != 0)
        return QC_FAIL(err, QC_RANDOM, "%s: %s", s->conf->path, strerror(errno));
    if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
        return QC_FAIL(err, QC_RANDOM, "%s is no character device and no FIFO (a file: kind = file)",
                       s->conf->path);
    return QC_OK;
}

qc_rc qrng_device_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    return stream_open(ret, conf, device_attach, err);
}

/* --- Commands: no shell, an empty environment, no descriptor of ours, a process group of its own --- */

/* The words of the path, in place; blanks are between them. False: too many. */
static bool split(char *text, char *argv[QC_QRNG_WORDS_MAX + 1])
{
    char *rest = NULL;
    unsigned n = 0;
    for (char *w = strtok_r(text, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        if (n == QC_QRNG_WORDS_MAX)
            return false;
        argv[n++] = w;
    }
    argv[n] = NULL;
    return n > 0;
}

static int spawn_with(pid_t *ret, char *const *argv, int out, posix_spawn_file_actions_t *acts,
                      posix_spawnattr_t *attributes)
{
    char *const none[] = { NULL };
    sigset_t all, empty;
    sigfillset(&all);
    sigemptyset(&empty);
    int e = posix_spawnattr_setflags(attributes,
                                     POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(attributes, &all);
    if (e == 0)
        e = posix_spawnattr_setsigmask(attributes, &empty);
    if (e == 0)
        e = posix_spawn_file_actions_addopen(acts, 0, "/dev/null", O_RDONLY, 0);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(acts, out, 1);
    if (e == 0)
        e = posix_spawn_file_actions_addopen(acts, 2, "/dev/null", O_WRONLY, 0);
    if (e == 0)
        e = posix_spawn_file_actions_addclosefrom_np(acts, FIRST_FREE);
    return e != 0 ? e : posix_spawn(ret, argv[0], acts, attributes, argv, none);
}

static qc_rc command_start(struct stream *s, struct qc_err *err)
{
    char text[QC_QRNG_PATH_MAX + 1];
    char *argv[QC_QRNG_WORDS_MAX + 1];
    posix_spawn_file_actions_t acts;
    posix_spawnattr_t attributes;
    int ends[2];
    memcpy(text, s->conf->path, sizeof text);
    if (!split(text, argv))
        return QC_FAIL(err, QC_RANDOM, "the command has more than %d words", QC_QRNG_WORDS_MAX);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return QC_FAIL(err, QC_RANDOM, "pipe failed with error %d", errno);
    QC_CLEANUP(qc_fd_close) struct qc_fd there = qc_fd_own(ends[1]);
    s->fd = qc_fd_own(ends[0]);
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return QC_FAIL(err, QC_RANDOM, "fcntl failed with error %d", errno);
    /* What it makes ahead is lost at the end: no more than one page, where the kernel's pipes are that small.
     */
    if (fcntl(ends[0], F_SETPIPE_SZ, PIPE) < 0 && errno != EPERM && errno != EINVAL)
        return QC_FAIL(err, QC_RANDOM, "fcntl failed with error %d", errno);
    QC_ASSERT(posix_spawn_file_actions_init(&acts) == 0 && posix_spawnattr_init(&attributes) == 0);
    const int e = spawn_with(&s->pid, argv, ends[1], &acts, &attributes);
    posix_spawn_file_actions_destroy(&acts);
    posix_spawnattr_destroy(&attributes);
    if (e != 0) {
        s->pid = 0;
        return QC_FAIL(err, QC_RANDOM, "%s cannot be started: %s", argv[0], strerror(e));
    }
    return QC_OK;
}

qc_rc qrng_command_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    return stream_open(ret, conf, command_start, err);
}
