/* What the mains of programs have in common. Layer 0; uses opt, harden, file. */
#pragma once
#include "base/err.h"
#include "base/opt.h"
#include "base/time.h"

/* SIGINT and SIGTERM: the first is heard from now on, the second ends the program. QC_GENERAL and others by
 * errno. */
QC_MUST qc_rc qc_stop_catch(struct qc_err *err);
/* Set by the first of them; for as long as the program runs. */
struct qc_cancel *qc_stop(void);

/* --ready-fd N of a program that serves: *ret the descriptor, or -1. QC_USAGE */
QC_MUST qc_rc qc_ready_fd(const struct qc_args *args, int *ret, struct qc_err *err);
/* "ready\n" to it, then it is closed; -1: nobody waits. */
QC_MUST qc_rc qc_ready_tell(int fd, struct qc_err *err);

/* A configuration that the command line names, behind what ret has; one byte more than max may come. A pipe
 * that nobody writes to is empty. QC_USAGE: whatever keeps it from being read, the operator can mend;
 * QC_NOMEM. */
QC_MUST qc_rc qc_conf_read(const char *path, const char *what, size_t max, qc_buf *ret, struct qc_err *err);

/* What is said of an error. */
struct qc_program_row {
    qc_rc rc;    /* QC_OK: any other; the last row */
    int status;  /* exit status, and the first two digits of the code; 0: that of the error */
    unsigned nn; /* the rest of the code */
    const char *data, *next;
};
struct qc_program {
    const struct qc_app *app;
    const struct qc_program_row *rows;
    size_t lock_bytes;       /* as in qc_harden_opts */
    const char *lock_wanted; /* the one command that is warned where memory cannot be locked; NULL: all */
};
/* A program of few commands, whole: hardens, parses, prints help or version, runs (app is NULL), tells of an
 * error in three lines. Returns the exit status. */
int qc_program_main(const struct qc_program *p, int argc, char **argv);
