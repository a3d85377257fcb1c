/* What the user sees: data on stdout, all else on stderr; with --json one object a line. Part of the program
 * qcloud (layer 5); uses base, messages, text. One thread, but for out_progress (see there).
 *
 * Lines of --json: {"v":1,"type":T,..} with T one of start, item, progress, warning, result, error. They go
 * to stdout, or to stderr where stdout carries object bytes. The last line is one result or error with
 * "exit". */
#pragma once
#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "messages.h"

enum out_progress_mode { OUT_PROGRESS_AUTO, OUT_PROGRESS_PLAIN, OUT_PROGRESS_NONE };

/* A file that has each message as well, in whole lines with the time (RFC 3339, UTC) and our process before
 * them. */
struct out_log {
    struct qc_fd file; /* opened to append */
    const char *path;  /* borrowed */
    bool failed;       /* something could not be written; told at the end */
};

struct vault_gw_waits;
struct out {
    FILE *data, *talk;     /* stdout and stderr; borrowed */
    struct out_held *held; /* what is said is kept there instead; or NULL */
    FILE *json_to;         /* where --json writes: data, or talk when data carries object bytes */
    bool json, quiet, terminal;
    bool color;          /* the codes of errors and warnings */
    struct out_log *log; /* borrowed; or NULL */
    bool bar_drawn;      /* a line of progress stands unfinished on the terminal */
    bool failed;         /* stdout could not be written; told at the end */
    bool muted;          /* what objects end with is counted, and not told */
    int verbose;
    enum out_progress_mode progress;
    bool clouds;                  /* progress says how a put fares on each cloud */
    struct vault_gw_waits *waits; /* what calls wait for, for progress; borrowed, NULL: nobody says */
    enum msg_class class;
    char site;           /* whose words these are: 'A', 'B', 'C'; 0: nobody's in particular */
    const char *command; /* "put" */
    const char *words[QC_CLIENT_AGAIN_MAX]; /* the command line, for what is to be run again; borrowed */
    int word_count;                         /* 0: it has more, and is not said */
    unsigned counts[256];                   /* objects by exit status */
    unsigned warnings;
};

void out_init(struct out *o, const char *command, enum msg_class c);
/* The command line as it was given, before anybody puts its words in another order. */
void out_called(struct out *o, int argc, char *const *argv);
/* stdout carries object bytes from here on; JSON lines go to stderr. */
void out_bytes_on_stdout(struct out *o);
/* The line of type start. */
void out_start(struct out *o);

/* What is said, data and talk, is kept instead, as lines of a terminal so wide; JSON is written as ever. From
 * out_hold to out_release, which appends it, data first. QC_NOMEM: nothing is kept, or some was lost. */
struct out_held {
    FILE *data, *talk; /* where it went before */
    bool color;
    char *text[2];
    size_t n[2], columns;
};
QC_MUST qc_rc out_hold(struct out *o, size_t columns, struct out_held *h, struct qc_err *err);
QC_MUST qc_rc out_release(struct out *o, qc_buf *ret, struct qc_err *err);

/* Columns of the terminal that is talked to; SIZE_MAX where that is none: it has no end of a line. */
size_t out_columns(const struct out *o);
/* A line of data for people (stdout), when not --json. */
void out_line(struct out *o, const char *fmt, ...) QC_PRINTF(2, 3);
/* The same, broken where standard output is a terminal that is narrower: it goes on at out_indent(indent). */
void out_row(struct out *o, size_t indent, const char *fmt, ...) QC_PRINTF(3, 4);
/* So many blanks, or a few where standard output is a terminal of which they would take a fifth: an id of 32
 * digits has room in 40 columns. */
size_t out_indent(const struct out *o, size_t wanted);
/* A page of text, as help is, broken where standard output is a terminal that is narrower. QC_NOMEM */
QC_MUST qc_rc out_page(struct out *o, qc_span text, struct qc_err *err);
/* Is standard output a pipe that nobody reads any more? `qcloud ls | head` is no failure to tell of. */
bool out_reader_left(const struct out *o);
/* Bytes of data as they are. */
void out_raw(struct out *o, qc_span s);
/* A sentence on stderr, unless --quiet or --json. */
void out_note(struct out *o, const char *fmt, ...) QC_PRINTF(2, 3);
/* The same only with -v. */
void out_reason(struct out *o, const char *fmt, ...) QC_PRINTF(2, 3);

/* A new JSON object of a type; members are added by the caller. */
QC_MUST qc_rc out_json_new(const char *type, struct json_t **ret, struct qc_err *err);
/* "name", and "name_b64" where the name is not UTF-8. */
QC_MUST qc_rc out_json_name(struct json_t *obj, qc_span name, struct qc_err *err);
/* Write one line and free it; when not --json only free it. */
QC_MUST qc_rc out_json(struct out *o, struct json_t **obj, struct qc_err *err);

/* A warning in three parts. fmt is the first line without code. */
void out_warn(struct out *o, enum msg_warning w, const struct msg_about *about, const char *fmt, ...)
    QC_PRINTF(4, 5);
/* One object of several is done (QC_OK, QC_DEGRADED) or not: counted, and a failure told in three parts. */
void out_object(struct out *o, qc_rc rc, const struct msg_about *about, const struct qc_err *why);
/* Count without a message. */
void out_count(struct out *o, qc_rc rc);

/*
 * The end: the error in three parts, or the line of type result. extra (may be NULL) is merged into the JSON
 * result and freed. told: the objects' own messages have said all. degraded_ok turns the status 4 into 0.
 * Returns the exit status; a stdout that could not be written makes an otherwise good run 1.
 */
struct out_end {
    qc_rc rc;
    const struct qc_err *err;
    struct msg_about about;
    struct json_t *extra;
    bool told, degraded_ok;
};
int out_finish(struct out *o, struct out_end *e);
