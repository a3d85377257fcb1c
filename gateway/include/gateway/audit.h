/* The audit log: what happened, a line each, chained by hash. Layer 4; uses base. Keeps I5, I6, I7.
 * Format: FORMAT 13. What it can show and what not: docs/operating.md, docs/adr/0020.
 *
 * Never a name of the user's (the gateway has none), never a secret; tenants by number. Lines are written at
 * once and survive the end of the process; they are synced by gw_audit_tick, and at the end. Storing never
 * waits for the log: where it cannot be written, events are counted, and the next line that can be says how
 * many are missing.
 */
#pragma once
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"

enum {
    GW_AUDIT_EVENT_MAX = 32, /* bytes of an event's name, with its NUL */
    GW_AUDIT_NAME_MAX = 64,  /* of a file's */
};
#define GW_AUDIT_FILE "audit.log"

/* -- writing (audit_log.c) ------------------------------------------------------------------------------- */

struct gw_audit; /* opaque; any thread */

struct gw_audit_opts {
    uint64_t rotate; /* bytes; then a new file is begun */
    unsigned keep;   /* files that are full; the oldest goes when there are more. 0: all */
};

/*
 * Go on with the log in a directory, or begin one. What a crash left of a line stays, and the next line tells
 * of it; a file whose end makes no sense is set aside as audit-broken-*.log, and a new chain begins.
 *   dirfd  duplicated
 * QC_NOMEM, QC_TEMP (no descriptor). A disk that is full or fails is none: as with gw_audit_note.
 */
QC_MUST qc_rc gw_audit_open(struct gw_audit **ret, int dirfd, const struct gw_audit_opts *opts,
                            struct qc_err *err);
/* Syncs. */
void gw_audit_close(struct gw_audit **a);
/* One line. event: [a-z_]; pairs as of base/log.h. a NULL: nothing. Cannot fail. */
void gw_audit_note(struct gw_audit *a, const char *event, const struct qc_kv *pairs);
#define GW_AUDIT(a, event, ...)                                                                              \
    do {                                                                                                     \
        if ((a) != NULL)                                                                                     \
            gw_audit_note((a), (event), (const struct qc_kv[]){ __VA_ARGS__, { .kind = QC_KV_END } });       \
    } while (0)
/* Now and then: lines are synced, and the end is noted beside the log. NULL: nothing. */
void gw_audit_tick(struct gw_audit *a);
struct gw_audit_view {
    uint64_t sequence; /* of the last line; 0: none */
    uint8_t hash[QC_SHA256_BYTES];
    uint64_t lost; /* events that could not be written, since the opening */
    bool failing;  /* the last one could not */
};
void gw_audit_look(struct gw_audit *a, struct gw_audit_view *ret);

/* -- lines (audit.c) ------------------------------------------------------------------------------------- */

struct gw_audit_line {
    uint64_t sequence;
    int64_t time_s;
    char event[GW_AUDIT_EVENT_MAX];
    uint8_t prev[QC_SHA256_BYTES], hash[QC_SHA256_BYTES];
    bool torn; /* it tells of bytes before it: */
    uint64_t torn_bytes;
    uint8_t torn_hash[QC_SHA256_BYTES];
};
/* A line without its end. QC_FORMAT: it is none; QC_INTEGRITY: its hash is another. */
QC_MUST qc_rc gw_audit_line_parse(qc_span line, struct gw_audit_line *ret, struct qc_err *err);
/* Its own members, with a comma before each: `,"tenant":1,"bytes":5`. line: as it was parsed. */
qc_span gw_audit_line_members(qc_span line, const struct gw_audit_line *l);
/* Append a line with its end; l->hash is written, and torn is what the pairs say. QC_LIMIT: too long: pairs
 * are left out by the caller. */
QC_MUST qc_rc gw_audit_line_make(struct gw_audit_line *l, const struct qc_kv *pairs, qc_buf *ret,
                                 struct qc_err *err);
/* The name of a file that is full, by the number of its first line. */
void gw_audit_name(uint64_t first, char ret[GW_AUDIT_NAME_MAX]);

/* -- looking (audit_check.c) ----------------------------------------------------------------------------- */

/* A line's number and hash, noted somewhere. */
struct gw_audit_head {
    uint64_t sequence;
    uint8_t hash[QC_SHA256_BYTES];
};

/* Called for each finding, in the order of lines. */
typedef void (*gw_audit_fn)(void *ctx, const char *file, uint64_t line, const char *what);
/* Called for each line whose own hash holds, in the order of the files. */
typedef void (*gw_audit_line_fn)(void *ctx, const struct gw_audit_line *l, qc_span line);

struct gw_audit_check {
    gw_audit_fn tell;
    gw_audit_line_fn seen; /* or NULL */
    void *ctx;
    const struct gw_audit_head *heads; /* what should be found */
    unsigned head_count;               /* at most 8 */
    bool whole; /* all files there are: what is missing at the beginning was dropped, and a line says so */
    /* what was found */
    uint64_t lines, findings, first, last, torn;
    bool dropped;
    int64_t first_s, last_s;
    uint8_t hash[QC_SHA256_BYTES]; /* of the last */
    /* between lines */
    uint64_t number; /* of the line in its file */
    uint64_t bad_number;
    uint64_t bad_bytes; /* of a line that is none, for which the next one may vouch; 0: no such */
    uint8_t bad_hash[QC_SHA256_BYTES];
    unsigned heads_seen; /* bits */
};
/* The next line, without its end. QC_RANDOM and its like of OpenSSL alone. */
QC_MUST qc_rc gw_audit_check_line(struct gw_audit_check *c, const char *file, qc_span line,
                                  struct qc_err *err);
/* All lines of a file, which is the next of the chain. */
QC_MUST qc_rc gw_audit_check_file(struct gw_audit_check *c, int dirfd, const char *file, struct qc_err *err);
/* No more lines: tells what is missing at the end. */
void gw_audit_check_end(struct gw_audit_check *c, const char *file);
/* Full files of a directory, by ascending number: the numbers of their first lines (gw_audit_name). *ret:
 * qc_free it. QC_LIMIT: too many. */
QC_MUST qc_rc gw_audit_files(int dirfd, uint64_t **ret, size_t *ret_count, struct qc_err *err);
/* The end that was noted in a directory. *ret_found: there is such a note. QC_FORMAT. */
QC_MUST qc_rc gw_audit_tip_read(int dirfd, struct gw_audit_head *ret, bool *ret_found, struct qc_err *err);
