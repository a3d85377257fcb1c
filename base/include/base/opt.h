/* Commands and options as tables: parser, checks and help from the same rows. Layer 0; uses err, buf.
 *
 * Long options (--name VALUE, --name=VALUE), single letters (-r; -n VALUE; flags may be joined: -rl), options
 * and arguments in any order, `--` ends the options, a lone `-` is an argument. An unknown option or command
 * is QC_USAGE and names the nearest one. A table ends with an all-zero row. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct qc_opt {
    const char *name; /* without the dashes */
    char letter;      /* or 0 */
    const char *arg;  /* name of its value in the help; NULL: a flag */
    const char *help;
    bool many; /* may be given more than once */
};

struct qc_args;

struct qc_cmd {
    const char *name;             /* one word, two or three: "cloud add" */
    const char *args;             /* for the help: "FILE NAME" */
    const char *help;             /* one line */
    int min, max;                 /* number of arguments; max -1: no bound but QC_OPT_ARGS_MAX */
    unsigned needs;               /* bits of the program's own; its dispatcher checks them before run */
    const struct qc_opt *options; /* or NULL */
    qc_rc (*run)(void *app, const struct qc_args *args, struct qc_err *err);
};

struct qc_app {
    const char *name, *summary, *version;
    const struct qc_opt *globals; /* options of every command; or NULL */
    const struct qc_cmd *cmds;
    const char *footer; /* last lines of the help, or NULL */
    /* Words of the help that stand for names which `completion names KIND BEGINNING` prints; or NULL. The
     * last one is all-zero. */
    const struct qc_named {
        const char *word, *kind; /* "CLOUD", ":clouds" */
    } * named;
};

struct qc_given {
    const struct qc_opt *opt;
    const char *value; /* borrowed from argv; NULL for a flag */
};

/* What was given; strings are borrowed from argv. Needs no destructor when it stays on the stack. */
struct qc_args {
    const struct qc_cmd *cmd; /* NULL: no command was given (only global options) */
    const char *const *argv;  /* the arguments of the command: QC_OPT_ARGS_MAX at most */
    int argc;
    struct qc_given given[QC_OPT_GIVEN_MAX];
    size_t given_count;
};

/*
 * Parse argv[1..argc-1]; argv is permuted (arguments move to the front), its strings are left alone.
 * -h and --help anywhere are accepted without being in a table: qc_args_flag(args, "help"); then the count of
 * arguments is not checked. --version likewise. QC_USAGE with the offender and, if one is near, the nearest
 * name.
 */
QC_MUST qc_rc qc_opt_parse(struct qc_args *ret, const struct qc_app *app, int argc, char **argv,
                           struct qc_err *err);

bool qc_args_flag(const struct qc_args *a, const char *name);
/* Is the program's version asked for? A command may have an option of that name that takes a value. */
bool qc_args_version(const struct qc_args *a);
/* The value of an option (the last one given), or otherwise. */
const char *qc_args_value(const struct qc_args *a, const char *name, const char *otherwise);
/* The i-th value of an option that may be given many times, or NULL. */
const char *qc_args_nth(const struct qc_args *a, const char *name, size_t i);
/* A value as a number in min..max; decimal, with k M G T P (powers of 1024) when units is true. Not given:
 * *ret is left alone. QC_USAGE. */
QC_MUST qc_rc qc_args_u64(const struct qc_args *a, const char *name, bool units, uint64_t min, uint64_t max,
                          uint64_t *ret, struct qc_err *err);
/* Likewise a span of time, as qc_parse_span reads it, of min_s..max_s seconds. */
QC_MUST qc_rc qc_args_span(const struct qc_args *a, const char *name, uint64_t min_s, uint64_t max_s,
                           uint64_t *ret_s, struct qc_err *err);
/* The first for any text; what names it in the message. */
QC_MUST qc_rc qc_parse_u64(const char *text, const char *what, bool units, uint64_t *ret, struct qc_err *err);
/* A span of time in seconds: "40" and "40s", "10m", "2h", "1d". */
QC_MUST qc_rc qc_parse_span(const char *text, const char *what, uint64_t *ret_s, struct qc_err *err);
/* "K,N" with 1 <= K <= N <= max: any K of N give everything. QC_USAGE */
QC_MUST qc_rc qc_parse_code(const char *text, const char *what, unsigned max, uint64_t *ret_k,
                            uint64_t *ret_n, struct qc_err *err);

/* The help of the program (cmd NULL) or of one command; appended to ret. */
QC_MUST qc_rc qc_opt_help(const struct qc_app *app, const struct qc_cmd *cmd, qc_buf *ret,
                          struct qc_err *err);
const struct qc_cmd *qc_opt_find(const struct qc_app *app, const char *name); /* NULL: none */
/* The same. QC_USAGE: there is none; the nearest is named, or the words that can follow. */
QC_MUST qc_rc qc_opt_command(const struct qc_app *app, const char *name, const struct qc_cmd **ret,
                             struct qc_err *err);

/* -- completion, at a shell's prompt ----------------------------------------------------------------------
 */

/* What may come next: words[count-1] is the one that is being typed, maybe empty, those before it are whole.
 * Appended, a line each: "WORD<tab>HELP", or what the shell looks up itself: ":file", ":dir", and ":KIND" for
 * the names of app->named. What does not begin as it was typed is left out. Nothing for a line that is too
 * long or makes no sense. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc qc_opt_complete(const struct qc_app *app, const char *const *words, int count, qc_buf *ret,
                              struct qc_err *err);
/* The options, with their values, that words of such a line give, all of them whole; arguments are left out.
 * Borrowed. What makes no sense is passed over; nothing of a line that is too long. */
void qc_opt_said(const struct qc_app *app, const char *const *words, int count, struct qc_args *ret);
/* The script for "bash", "zsh" or "fish", which asks the program for all else: its commands `completion words
 * -- WORD..` and `completion names -- KIND BEGINNING WORD..`. QC_USAGE: another shell. */
QC_MUST qc_rc qc_opt_completion(const struct qc_app *app, const char *shell, qc_buf *ret, struct qc_err *err);

/* The rows of base/limits.h, one line each; appended. */
QC_MUST qc_rc qc_limits_print(qc_buf *ret, struct qc_err *err);
