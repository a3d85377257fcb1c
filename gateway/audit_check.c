/* Does an audit log say what was written? What is altered, missing, exchanged or added is told, and the chain
 * taken up again behind it. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit_internal.h"
#include "base/codec.h"
#include "base/limits.h"

enum { WHAT_MAX = 256, HEADS_MAX = 8 };

static void QC_PRINTF(4, 5)
    find(struct gw_audit_check *c, const char *file, uint64_t number, const char *fmt, ...)
{
    char what[WHAT_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    c->findings++;
    c->tell(c->ctx, file, number, what);
}

/* Nothing vouched for it. */
static void tell_bad(struct gw_audit_check *c, const char *file)
{
    if (c->bad_bytes > 0)
        find(c, file, c->bad_number, "this line was altered, or is none");
    c->bad_bytes = 0;
}

/* How a good line follows what came before. */
static void tell_step(struct gw_audit_check *c, const char *file, const struct gw_audit_line *l)
{
    static const uint8_t zeros[QC_SHA256_BYTES];
    const bool bad = c->bad_bytes > 0;

    if (c->last == 0 && !bad) {
        if (l->sequence == 1 && !qc_ct_eq(l->prev, zeros, sizeof zeros))
            find(c, file, c->number, "line 1 of a log follows another one");
        return;
    }
    const uint64_t next = c->last + 1;
    const bool follows = qc_ct_eq(l->prev, c->hash, sizeof c->hash);
    if (bad && l->torn && follows && l->sequence == next && l->torn_bytes == c->bad_bytes &&
        qc_ct_eq(l->torn_hash, c->bad_hash, sizeof c->bad_hash)) {
        c->bad_bytes = 0; /* the half of a line, as a crash left it */
        c->torn++;
        return;
    }
    tell_bad(c, file);
    if (c->last == 0)
        return;
    if (l->sequence <= c->last)
        find(c, file, c->number,
             "line %" PRIu64 " of the log stands after line %" PRIu64 ": lines were exchanged or repeated",
             l->sequence, c->last);
    else if (l->sequence > next + bad)
        find(c, file, c->number, "lines %" PRIu64 " to %" PRIu64 " of the log are missing before this one",
             next + bad, l->sequence - 1);
    else if (!bad && !follows)
        find(c, file, c->number, "line %" PRIu64 " of the log does not follow from the one before it",
             l->sequence);
}

static void see_heads(struct gw_audit_check *c, const char *file, const struct gw_audit_line *l)
{
    for (unsigned i = 0; i < c->head_count; i++) {
        if (c->heads[i].sequence != l->sequence)
            continue;
        c->heads_seen |= 1U << i;
        if (!qc_ct_eq(c->heads[i].hash, l->hash, sizeof l->hash))
            find(c, file, c->number, "line %" PRIu64 " of the log is not the one that was noted",
                 l->sequence);
    }
}

qc_rc gw_audit_check_line(struct gw_audit_check *c, const char *file, qc_span line, struct qc_err *err)
{
    struct gw_audit_line l;
    struct qc_err why = { 0 };

    QC_ASSERT(c->head_count <= HEADS_MAX);
    c->number++;
    const qc_rc rc = gw_audit_line_parse(line, &l, &why);
    if (rc != QC_OK && rc != QC_FORMAT && rc != QC_INTEGRITY && rc != QC_LIMIT) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        tell_bad(c, file);
        c->bad_number = c->number;
        c->bad_bytes = line.n > 0 ? line.n : 1;
        return qc_sha256(&line, 1, c->bad_hash, err);
    }
    c->lines++;
    tell_step(c, file, &l);
    see_heads(c, file, &l);
    if (c->seen != NULL)
        c->seen(c->ctx, &l, line);
    if (c->first == 0) {
        c->first = l.sequence;
        c->first_s = l.time_s;
    }
    c->dropped |= strcmp(l.event, "dropped") == 0;
    c->last = l.sequence;
    c->last_s = l.time_s;
    memcpy(c->hash, l.hash, sizeof c->hash);
    return QC_OK;
}

/* -- files ----------------------------------------------------------------------------------------------- */

/* Lines of an open file, by a buffer that holds one and what was read beyond it. */
struct lines {
    int fd;
    size_t n;
    bool end;
    uint8_t buf[2 * QC_GW_AUDIT_LINE_MAX];
};

/* *ret_n: bytes of a line at the buffer's beginning, its end included where *ret_whole; 0: none is left. A
 * line that is too long comes in pieces, which are no lines. */
static qc_rc next_line(struct lines *l, size_t used, size_t *ret_n, bool *ret_whole, struct qc_err *err)
{
    memmove(l->buf, l->buf + used, l->n - used);
    l->n -= used;
    while (!l->end && memchr(l->buf, '\n', l->n) == NULL && l->n < sizeof l->buf) {
        size_t got = 0;
        QC_TRY(qc_read_full(l->fd, l->buf + l->n, sizeof l->buf - l->n, &got, err));
        l->end = got < sizeof l->buf - l->n;
        l->n += got;
    }
    const uint8_t *end = memchr(l->buf, '\n', l->n);
    *ret_whole = end != NULL;
    *ret_n = end != NULL ? (size_t)(end - l->buf) + 1 : l->n;
    return QC_OK;
}

qc_rc gw_audit_check_file(struct gw_audit_check *c, int dirfd, const char *file, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct lines l = { 0 };
    size_t n = 0;
    bool whole = false;

    QC_TRY_AS(qc_open_at(&fd, dirfd, file, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0, err), err, "%s", file);
    l.fd = qc_fd_get(&fd);
    c->number = 0;
    QC_TRY_AS(next_line(&l, 0, &n, &whole, err), err, "%s", file);
    while (n > 0) {
        QC_TRY(gw_audit_check_line(c, file, qc_span_of(l.buf, n - whole), err));
        if (!whole && l.n == n && l.end) {
            find(c, file, c->number, "the file ends in the middle of a line");
            c->bad_bytes = 0;
        }
        QC_TRY_AS(next_line(&l, n, &n, &whole, err), err, "%s", file);
    }
    tell_bad(c, file);
    return QC_OK;
}

void gw_audit_check_end(struct gw_audit_check *c, const char *file)
{
    uint64_t last = c->last;

    tell_bad(c, file);
    if (c->whole && c->first > 1 && !c->dropped)
        find(c, file, c->number, "lines 1 to %" PRIu64 " of the log are missing at its beginning",
             c->first - 1);
    for (unsigned i = 0; i < c->head_count; i++) {
        const uint64_t at = c->heads[i].sequence;
        if (c->heads_seen >> i & 1)
            continue;
        if (at > last) {
            find(c, file, c->number, "lines %" PRIu64 " to %" PRIu64 " of the log are missing at the end",
                 last + 1, at);
            last = at;
        } else if (at >= c->first && at <= c->last) {
            find(c, file, c->number, "line %" PRIu64 " of the log, which was noted, is not there", at);
        }
    }
}

qc_rc gw_audit_tip_read(int dirfd, struct gw_audit_head *ret, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    struct gw_audit_head h = { 0 };

    const qc_rc rc = qc_file_read(dirfd, GW_AUDIT_TIP, GW_AUDIT_TIP_MAX, &text, err);
    *ret_found = rc == QC_OK;
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    qc_span s = qc_buf_span(&text);
    if (!qc_dec_take(&s, &h.sequence) || s.n != 2 + 2 * QC_SHA256_BYTES || s.p[0] != ' ' ||
        s.p[s.n - 1] != '\n')
        return QC_FAIL(err, QC_FORMAT, GW_AUDIT_TIP " does not parse");
    QC_TRY_AS(qc_hex_dec(qc_span_sub(s, 1, 2 * QC_SHA256_BYTES), h.hash, QC_SHA256_BYTES, err), err,
              GW_AUDIT_TIP);
    *ret = h;
    return QC_OK;
}
