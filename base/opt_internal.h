/* What parsing and completion of command lines share. Part of base (layer 0). */
#pragma once
#include "base/opt.h"

extern const struct qc_opt qc_opt_built_in[]; /* --help, --version */

/* Where a command line has come to. */
struct qc_opt_place {
    const struct qc_cmd *cmd;   /* NULL: none is named yet */
    const struct qc_opt *wants; /* the next word is its value; or NULL */
    char lead[QC_OPT_NAME_MAX]; /* first words of a longer command, which may be a command, too; or "" */
    int args;                   /* how many arguments there are */
    bool options_over;          /* after -- */
    bool lost;                  /* there is no such command */
};

/* Has a table, or NULL, an option of this name? */
bool qc_opt_has(const struct qc_opt *o, const char *name);
/* Follow argv[1..argc-1] as far as it makes sense; argv is permuted. *ret_args: the options that are there.
 */
void qc_opt_walk(const struct qc_app *app, int argc, char **argv, struct qc_args *ret_args,
                 struct qc_opt_place *ret);
/* The option with this long name, n bytes; NULL: none. cmd may be NULL. */
const struct qc_opt *qc_opt_named(const struct qc_app *app, const struct qc_cmd *cmd, const char *name,
                                  size_t n);
