/* A line of progress for one operation: a bar on a terminal, a whole line every ten seconds with --progress
 * plain, a record a second with --json, else nothing. Part of the program qcloud (layer 5); uses base, vault,
 * out.
 *
 * I8: durable (put) or verified (get) bytes, rounded down, held at 99 % until the operation is done; the 100
 * % is the command's own last line. */
#pragma once
#include "out.h"
#include "vault/vault.h"

enum { PROGRESS_MARKS = 32 };

struct progress {
    struct out *o;
    qc_span label;    /* borrowed */
    const char *noun; /* "durable", "verified", "objects" */
    bool bytes;       /* figures are bytes; else objects */
    uint64_t started_ms, shown_ms, marked_ms;
    uint64_t moved, moved_ms; /* how much was done when that last changed, and when that was */
    struct {
        uint64_t at_ms, done;
    } marks[PROGRESS_MARKS]; /* a second apart: the rate of the last half minute */
    size_t mark_count;
};

void progress_begin(struct progress *p, struct out *o, qc_span label, const char *noun, bool bytes);
/* Is it shown, and are the clouds wanted with it? For vault_call.clouds. */
bool progress_clouds(const struct progress *p);
/* "4/5 clouds (aws-fra: retrying, 3rd)". Appended; brief: without what stands in brackets. QC_LIMIT */
QC_MUST qc_rc progress_clouds_text(const struct vault_clouds *c, bool brief, qc_buf *ret, struct qc_err *err);
/* Nothing more was done for a while, and it is known why: appended, for people. */
bool progress_stalled(const struct progress *p, uint64_t now, const struct vault_clouds *c, qc_buf *why);
/* For struct vault_call: ctx is a struct progress. */
void progress_tell(void *ctx, const struct vault_progress *at);
/* Takes the bar off the terminal. */
void progress_end(struct progress *p);

/* The per cent to show, 0..99, or -1: unknown. */
int progress_percent(const struct vault_progress *at);
