#include "signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

/* A signal handler reaches nothing but globals. */
static struct qc_cancel cancel;
static _Atomic int64_t first_ms;
static atomic_bool report;
static struct termios terminal_before; /* written while terminal_fd is -1 */
static atomic_int terminal_fd = -1;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_stop(int signal_number)
{
    static const char first[] = "\nqcloud: stopping where it is safe; once more within 2 s leaves at once\n";
    int kept = errno;
    int64_t now = now_ms();
    int64_t before = atomic_load(&first_ms);
    if (before != 0 && now - before < QC_CLIENT_LEAVE_MS) {
        int fd = atomic_load(&terminal_fd);
        if (fd >= 0)
            tcsetattr(fd, TCSANOW, &terminal_before); /* one of the few that a handler may call */
        _exit(qc_rc_exit(QC_CANCELLED));
    }
    atomic_store(&first_ms, now);
    qc_cancel_set(&cancel);
    if (signal_number == SIGINT && isatty(STDERR_FILENO) == 1)
        qc_ignore(write(STDERR_FILENO, first, sizeof first - 1) < 0 ? QC_IO : QC_OK, "only a courtesy");
    errno = kept;
}

static void on_report(int signal_number)
{
    (void)signal_number;
    atomic_store(&report, true);
}

qc_rc signals_install(struct qc_err *err)
{
    static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction stop = { .sa_handler =
                                  on_stop }; /* no SA_RESTART: a blocking call returns and sees it */
    struct sigaction usr = { .sa_handler = on_report, .sa_flags = SA_RESTART };
    sigemptyset(&stop.sa_mask);
    sigemptyset(&usr.sa_mask);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (sigaction(stops[i], &stop, NULL) != 0)
            return QC_FAIL_OS(err, "signal %d", stops[i]);
    if (sigaction(SIGUSR1, &usr, NULL) != 0)
        return QC_FAIL_OS(err, "signal %d", SIGUSR1);
    return QC_OK;
}

const struct qc_cancel *signals_cancel(void)
{
    return &cancel;
}

bool signals_report_asked(void)
{
    return atomic_exchange(&report, false);
}

void signals_keep_terminal(int fd, const struct termios *as)
{
    atomic_store(&terminal_fd, -1);
    if (fd < 0)
        return;
    terminal_before = *as;
    atomic_store(&terminal_fd, fd);
}
