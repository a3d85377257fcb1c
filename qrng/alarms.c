#include "alarms.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "qrng/qrng.h"

static const char magic[] = "qcloud-alarms 1";
enum { MAX = 128 };
#define LAST INT64_C(253402300799) /* the end of the year 9999: what can be told as a time */

bool qrng_alarms_shut(const struct qrng_alarms *a)
{
    const int64_t oldest = a->at_s[QRNG_GATE_ALARMS - 1];
    return oldest != 0 && a->at_s[0] - oldest < QC_QRNG_ALARMS_MS / 1000;
}

void qrng_alarms_note(struct qrng_alarms *a, int64_t now_s)
{
    if (qrng_alarms_shut(a))
        return;
    for (unsigned i = QRNG_GATE_ALARMS - 1; i > 0; i--)
        a->at_s[i] = a->at_s[i - 1];
    a->at_s[0] = now_s;
}

static void print(const struct qrng_alarms *a, char ret[MAX])
{
    int n = snprintf(ret, MAX, "%s", magic);
    for (unsigned i = 0; i < QRNG_GATE_ALARMS; i++)
        n += snprintf(ret + n, (size_t)(MAX - n), " %" PRId64, a->at_s[i]);
    snprintf(ret + n, (size_t)(MAX - n), "\n");
}

/* What is printed from what was read is what was read: nothing else is taken. */
qc_rc qrng_alarms_parse(qc_span text, struct qrng_alarms *ret, struct qc_err *err)
{
    struct qrng_alarms a = { 0 };
    char again[MAX];
    const size_t n = sizeof magic - 1;
    qc_span rest = text.n >= n && text.n < MAX ? qc_span_from(text, n) : (qc_span){ 0 };
    bool good = true;
    for (unsigned i = 0; i < QRNG_GATE_ALARMS && good; i++) {
        uint64_t t = 0;
        good = rest.n > 0 && rest.p[0] == ' ';
        if (good)
            rest = qc_span_from(rest, 1);
        good = good && qc_dec_take(&rest, &t) && t <= (uint64_t)LAST;
        a.at_s[i] = (int64_t)t;
    }
    print(&a, again);
    if (!good || !qc_span_eq(text, qc_span_str(again)))
        return QC_FAIL(err, QC_FORMAT, "the record of alarms is damaged");
    *ret = a;
    return QC_OK;
}

static qc_rc load(int dirfd, const char *source, struct qrng_alarms *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    const qc_rc rc = qc_file_read(dirfd, source, MAX, &text, err);
    *ret = (struct qrng_alarms){ 0 };
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    return qrng_alarms_parse(qc_buf_span(&text), ret, err);
}

qc_rc qrng_alarms_load(const char *dir, const char *source, struct qrng_alarms *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    struct qc_err why = { 0 };
    *ret = (struct qrng_alarms){ 0 };
    const qc_rc rc = qc_dir_open(&d, dir, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    QC_TRY_AS(load(qc_fd_get(&d), source, ret, err), err, "%s/%s", dir, source);
    return QC_OK;
}

static qc_rc replace(const char *dir, const char *source, int64_t now_s, struct qrng_alarms *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    char text[MAX];
    QC_TRY(qc_dir_make_path(dir, 0700, err));
    QC_TRY(qc_dir_open(&d, dir, err));
    if (flock(qc_fd_get(&d), LOCK_EX) != 0) /* for as long as two small files are read and written */
        return QC_FAIL_OS(err, "locking");
    if (now_s != 0)
        QC_TRY(load(qc_fd_get(&d), source, ret, err));
    else
        *ret = (struct qrng_alarms){ 0 };
    if (now_s != 0)
        qrng_alarms_note(ret, now_s);
    print(ret, text);
    const qc_span part = qc_span_str(text);
    return qc_file_write_atomic(qc_fd_get(&d), source, &part, 1, 0600, err);
}

qc_rc qrng_alarms_add(const char *dir, const char *source, int64_t now_s, struct qrng_alarms *ret,
                      struct qc_err *err)
{
    QC_ASSERT(now_s > 0);
    QC_TRY_AS(replace(dir, source, now_s, ret, err), err, "%s/%s", dir, source);
    return QC_OK;
}

/* --- For who looks from outside --- */

qc_rc qrng_source_shut(const struct qrng_conf *conf, const char *source, int64_t *ret_since_s,
                       struct qc_err *err)
{
    struct qrng_alarms a = { 0 };
    *ret_since_s = 0;
    if (conf->alarms[0] == '\0')
        return QC_OK;
    QC_TRY(qrng_alarms_load(conf->alarms, source, &a, err));
    *ret_since_s = qrng_alarms_shut(&a) ? a.at_s[0] : 0;
    return QC_OK;
}

qc_rc qrng_source_enable(const struct qrng_conf *conf, const char *source, struct qc_err *err)
{
    struct qrng_alarms a = { 0 };
    if (conf->alarms[0] == '\0')
        return QC_OK;
    QC_TRY_AS(replace(conf->alarms, source, 0, &a, err), err, "%s/%s", conf->alarms, source);
    return QC_OK;
}
