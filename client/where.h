/* --where rng=SOURCE: objects by where their keys came from, as they say themselves. Layer 5; uses vault. */
#pragma once
#include "client.h"

/* An object that was found; borrowed for the call. Anything but QC_OK ends the run with that code. */
typedef qc_rc (*where_fn)(void *ctx, const struct vault_stat *s, struct qc_err *err);

struct where {
    qc_span source; /* a name of random.conf; "os"; "unknown": the object does not say */
};

/* "rng=SOURCE". QC_USAGE. text is borrowed. */
QC_MUST qc_rc where_parse(const char *text, struct where *ret, struct qc_err *err);
/* Does a record of FORMAT 11.1 name this source? */
bool where_is(const struct where *w, qc_span provenance);
/*
 * The objects below a prefix (as in vault_list) that say so, each opened. One that cannot be opened is told
 * and folded into *worst (client_object); the run goes on. Errors: vault_list's, and those of fn.
 */
QC_MUST qc_rc where_list(struct client *c, const struct where *w, qc_span prefix, where_fn fn, void *ctx,
                         qc_rc *worst, struct qc_err *err);
