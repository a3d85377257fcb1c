/* A look that is taken again and again: --watch of what tells a status. Drawn anew on a terminal, as much as
 * it shows; else a line for each, or with --json an item. Part of the program qcloud (layer 5); uses base,
 * out. */
#pragma once
#include "client.h"

/* Rows of a command's options: */
#define LOOKS_OPTIONS                                                                                        \
    { "watch", 0, NULL, "look again and again, till Ctrl-C: drawn anew on a terminal, else a line a look",   \
      false },                                                                                               \
    {                                                                                                        \
        "interval", 0, "SPAN", "with --watch: a look so often (default: 5s)", false                          \
    }

/* What a look came to. */
struct looked {
    struct json_t *item; /* of --json; NULL: nothing could be looked at. Owned */
    char line[512];      /* figures, for one line; may be empty */
    qc_rc rc;            /* as the command would end, */
    struct qc_err why;   /* and where that is not QC_OK, why */
};
void looked_done(struct looked *l);
/* One look: it tells people what it sees by out_row, as the command does, and fills ret. QC_CANCELLED,
 * QC_NOMEM; all else is in ret->rc. */
typedef qc_rc (*looks_fn)(struct client *c, struct looked *ret, struct qc_err *err);

/* The command: one look, which is told, and what it ends with; or, with --watch, look after look, until
 * QC_CANCELLED. QC_USAGE: an option that makes no sense. */
QC_MUST qc_rc looks_run(struct client *c, const struct qc_args *args, looks_fn fn, struct qc_err *err);
