/* Patterns as git matches them in its files of what to ignore (wildmatch with WM_PATHNAME): `*` and `?` stop
 * at a slash, `**` as a whole component does not, `[..]` sets with ranges and classes, `\` takes the next
 * byte as it is. Layer 4; uses base. Pure. Time: length of the pattern times length of the path. */
#pragma once
#include "base/buf.h"

/* Steps of a compiled pattern. */
enum glob_op {
    GLOB_BYTE,  /* this byte */
    GLOB_ANY,   /* one byte, no slash */
    GLOB_SET,   /* one byte of a set: number of the set */
    GLOB_STAR,  /* any bytes, no slash */
    GLOB_MANY,  /* any bytes */
    GLOB_DIRS,  /* nothing, or any bytes that end in a slash; GLOB_MANY and a slash stand behind it */
    GLOB_NEVER, /* what matches nothing */
};
struct glob_step {
    uint8_t op, byte;
    uint16_t set;
};
struct glob {
    qc_buf steps; /* struct glob_step */
    qc_buf sets;  /* 32 bytes each: a bit for each byte */
};
void glob_done(struct glob *g);

/* A pattern that git takes for malformed matches nothing. QC_LIMIT: longer than QC_SYNC_PATTERN_MAX;
 * QC_NOMEM. ret must be empty. */
QC_MUST qc_rc glob_compile(struct glob *ret, qc_span pattern, struct qc_err *err);
bool glob_match(const struct glob *g, qc_span path);
