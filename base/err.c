#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rc_row {
    int exit, http;
    bool retry;
    const char *id, *text;
};

static const struct rc_row rows[QC_RC_COUNT] = {
#define X(name, exit_status, http_status, may_retry, id, text)                                               \
    [QC_##name] = { exit_status, http_status, may_retry, id, text },
    QC_RC_TABLE(X)
#undef X
};

static const struct rc_row *row_of(qc_rc rc)
{
    QC_ASSERT((unsigned)rc < QC_RC_COUNT);
    return &rows[rc];
}

int qc_rc_exit(qc_rc rc)
{
    return row_of(rc)->exit;
}

int qc_rc_http(qc_rc rc)
{
    return row_of(rc)->http;
}

bool qc_rc_retry(qc_rc rc)
{
    return row_of(rc)->retry;
}

const char *qc_rc_name(qc_rc rc)
{
    return row_of(rc)->id;
}

const char *qc_rc_text(qc_rc rc)
{
    return row_of(rc)->text;
}

bool qc_rc_from_name(const char *name, qc_rc *ret)
{
    for (unsigned i = 0; i < QC_RC_COUNT; i++) {
        if (strcmp(rows[i].id, name) == 0) {
            *ret = (qc_rc)i;
            return true;
        }
    }
    return false;
}

static size_t rank_of(qc_rc rc)
{
    static const int worst_first[] = { 130, 8, 7, 6, 12, 14, 13, 11, 10, 2, 1, 5, 3, 4, 0 };
    size_t count = sizeof worst_first / sizeof *worst_first;

    for (size_t i = 0; i < count; i++) {
        if (worst_first[i] == row_of(rc)->exit)
            return i;
    }
    qc_assert_failed("every exit status of the table has a rank", QC_HERE);
}

qc_rc qc_rc_worse(qc_rc a, qc_rc b)
{
    return rank_of(b) < rank_of(a) ? b : a;
}

qc_rc qc_rc_from_errno(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
        return QC_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return QC_AUTH;
    case ENOENT:
    case ENOTDIR:
        return QC_NOTFOUND;
    case ENOMEM:
        return QC_NOMEM;
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return QC_TEMP;
    case ETIMEDOUT:
        return QC_TIMEOUT;
    case EEXIST:
        return QC_CONFLICT;
    case EFBIG:
        return QC_LIMIT;
    default:
        return QC_IO;
    }
}

void qc_err_set(struct qc_err *err, qc_rc rc, const char *where, const char *fmt, ...)
{
    va_list args;

    QC_ASSERT(rc != QC_OK);
    err->rc = rc;
    err->os = 0;
    err->where = where;
    err->next = NULL;
    va_start(args, fmt);
    if (vsnprintf(err->msg, sizeof err->msg, fmt, args) < 0)
        err->msg[0] = '\0';
    va_end(args);
}

qc_rc qc_err_set_os(struct qc_err *err, int e, const char *where, const char *fmt, ...)
{
    va_list args;
    char why[128];

    err->rc = qc_rc_from_errno(e);
    err->os = e;
    err->where = where;
    err->next = NULL;
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    if (n < 0)
        n = 0;
    if ((size_t)n < sizeof err->msg)
        snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", strerror_r(e, why, sizeof why));
    return err->rc;
}

void qc_err_wrap(struct qc_err *err, const char *fmt, ...)
{
    char inner[QC_ERR_MSG_MAX];
    va_list args;

    memcpy(inner, err->msg, sizeof inner);
    inner[sizeof inner - 1] = '\0';
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    if (n < 0)
        n = 0;
    size_t used = (size_t)n < sizeof err->msg - 1 ? (size_t)n : sizeof err->msg - 1;
    size_t room = sizeof err->msg - 1 - used;
    size_t colon = room < 2 ? room : 2;
    size_t keep = strlen(inner) < room - colon ? strlen(inner) : room - colon;
    memcpy(err->msg + used, ": ", colon);
    memcpy(err->msg + used + colon, inner, keep);
    err->msg[used + colon + keep] = '\0';
}

void qc_err_clear(struct qc_err *err)
{
    *err = (struct qc_err){ 0 };
}

void qc_assert_failed(const char *expression, const char *where)
{
    /* stdio may be in any state here; a fault in it must not hide the reason. */
    fprintf(stderr, "qcloud: a bug, please report it: %s: %s does not hold\n", where, expression);
    abort();
}
