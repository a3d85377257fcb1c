/* Secret lines from outside: a descriptor, a command's output, the terminal. They go straight into locked
 * memory (I5). Part of the program qcloud (layer 5); uses base, signals. */
#pragma once
#include "base/err.h"
#include "base/file.h"
#include "base/key.h"
#include "base/time.h"

/* n bytes, then filling. Owned. */
struct secret {
    qc_key *bytes;
    size_t n;
};
void secret_done(struct secret *s);
QC_MUST bool secret_same(const struct secret *a, const struct secret *b);

/*
 * The bytes before the first newline, or the end, of fd; not one byte more is read. *ret_end: there was no
 * newline. QC_USAGE  more than QC_PASSPHRASE_MAX;  QC_CANCELLED;  QC_IO and others of reading
 */
QC_MUST qc_rc secret_read(int fd, const struct qc_cancel *cancel, struct secret *ret, bool *ret_end,
                          struct qc_err *err);

/* The first line that a shell command prints. Its standard input is empty, its stderr ours.
 * QC_PASSPHRASE  it ends with another status than 0;  errors of secret_read */
QC_MUST qc_rc secret_from_command(const char *command, const struct qc_cancel *cancel, struct secret *ret,
                                  struct qc_err *err);

/* QC_USAGE: a variable is set that looks as if it had one. */
QC_MUST qc_rc secret_none_in_environment(struct qc_err *err);

/* The controlling terminal. QC_NOPASS: there is none. */
QC_MUST qc_rc terminal_open(struct qc_fd *ret, struct qc_err *err);
/*
 * One line that is typed without being shown, after a prompt. The terminal is as before on return, and also
 * when a signal ends the program meanwhile. QC_CANCELLED  Ctrl-C, another signal that ends commands, or a
 * terminal that was closed;  errors of secret_read
 */
QC_MUST qc_rc terminal_ask(const struct qc_fd *terminal, const char *prompt, const struct qc_cancel *cancel,
                           struct secret *ret, struct qc_err *err);
/* A line of text on the terminal. */
void terminal_say(const struct qc_fd *terminal, const char *text);
