/* Configuration files: sections and `key = value`, by a table. Layer 0; uses err, buf, near. Pure.
 *
 *   # comment (also ;), whole lines only
 *   [section]
 *   key = value          blanks around the value do not count; there are no quotes and no escapes
 *
 * Strict: an unknown section or key is refused with the nearest one, a key given twice is refused, a control
 * character in a value is refused. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"

/* One row per key. */
struct qc_ini_key {
    const char *section, *name;
    bool needed; /* once a key of its section is there */
    /* The value, trimmed; may be empty. Borrowed. Its message is told with line and key, as QC_USAGE. */
    qc_rc (*take)(void *ctx, qc_span value, struct qc_err *err);
};

/* The table, and for each row the line of its key, from 1; 0: it was not there. Written by the parser. */
struct qc_ini {
    const struct qc_ini_key *keys;
    size_t count;
    unsigned line[QC_INI_KEYS_MAX];
};

/*
 * Hand each value to its key's take, in the order of the text. After a failure ctx holds what was taken
 * before it.
 *   max  bytes of the text at most
 * QC_USAGE    with the line's number;  QC_NOTCONF  a needed key is missing;  QC_LIMIT
 */
QC_MUST qc_rc qc_ini_parse(qc_span text, size_t max, struct qc_ini *ini, void *ctx, struct qc_err *err);

/* Where sections have names of their own, which a table cannot know: [source lab]. From a line that begins
 * with
 * '[' to the next one; borrowed. */
struct qc_ini_section {
    qc_span head, body; /* the first line, trimmed; what follows */
    unsigned line;      /* of the head; 1 is the first */
};
/* The next one of a text, *line being 1 at its begin; what stands before the first is one without a head.
 * False: there is none. */
bool qc_ini_section(qc_span *text, unsigned *line, struct qc_ini_section *ret);
/* Its keys by a table whose section is head, "[source]"; or "": comments alone may stand there. Messages have
 * the file's lines. max: bytes of the file at most. Errors: qc_ini_parse's. */
QC_MUST qc_rc qc_ini_section_take(const struct qc_ini_section *s, const char *head, size_t max,
                                  struct qc_ini *ini, void *ctx, struct qc_err *err);

/* Values that many tables have; each says what it wants. */
/* A whole number from min to max. */
QC_MUST qc_rc qc_ini_u64(qc_span value, uint64_t min, uint64_t max, uint64_t *ret, struct qc_err *err);
/* yes or no */
QC_MUST qc_rc qc_ini_bool(qc_span value, bool *ret, struct qc_err *err);
/* An absolute path as a C string of at most size bytes, its NUL included. */
QC_MUST qc_rc qc_ini_path(qc_span value, char *ret, size_t size, struct qc_err *err);
