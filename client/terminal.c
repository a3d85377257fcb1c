/* The terminal, for what only its user knows. */
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "secret.h"
#include "signals.h"

qc_rc terminal_open(struct qc_fd *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (qc_open_at(ret, AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY, 0, &why) != QC_OK)
        return QC_FAIL(err, QC_NOPASS, "there is no terminal to ask at");
    return QC_OK;
}

void terminal_say(const struct qc_fd *terminal, const char *text)
{
    struct qc_err why = { 0 };
    qc_span line[] = { qc_span_str(text), QC_LIT("\n") };
    qc_ignore(qc_write_all(qc_fd_get(terminal), line, 2, &why), "who cannot read it will not answer either");
}

/* What is typed is not shown. Ctrl-C works as always; Ctrl-Z and Ctrl-\ would leave a terminal that shows
 * nothing, so they do nothing meanwhile. */
static struct termios quiet_form(struct termios t)
{
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    t.c_lflag |= ICANON | ISIG;
    t.c_cc[VSUSP] = _POSIX_VDISABLE;
    t.c_cc[VQUIT] = _POSIX_VDISABLE;
    return t;
}

qc_rc terminal_ask(const struct qc_fd *terminal, const char *prompt, const struct qc_cancel *cancel,
                   struct secret *ret, struct qc_err *err)
{
    QC_CLEANUP(secret_done) struct secret s = { 0 };
    struct termios before;
    qc_span text = qc_span_str(prompt);
    int fd = qc_fd_get(terminal);
    bool end = false;
    if (tcgetattr(fd, &before) != 0)
        return QC_FAIL_OS(err, "terminal");
    struct termios quiet = quiet_form(before);
    signals_keep_terminal(fd, &before);
    qc_rc rc = tcsetattr(fd, TCSAFLUSH, &quiet) == 0 ? QC_OK : QC_FAIL_OS(err, "terminal");
    if (rc == QC_OK)
        rc = qc_write_all(fd, &text, 1, err);
    if (rc == QC_OK)
        rc = secret_read(fd, cancel, &s, &end, err);
    int restored = tcsetattr(fd, TCSAFLUSH, &before); /* with the rest of a line that was too long */
    signals_keep_terminal(-1, NULL);
    terminal_say(terminal, ""); /* the newline was typed, and not shown */
    QC_TRY(rc);
    if (restored != 0)
        return QC_FAIL_OS(err, "terminal");
    if (end && s.n == 0)
        return QC_FAIL(err, QC_CANCELLED, "passphrase: the terminal was closed, or Ctrl-D was typed");
    *ret = QC_STEAL(s);
    return QC_OK;
}
