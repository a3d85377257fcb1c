#include "job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "signals.h"

enum { POLL_MS = 10, POLL_MS_MAX = 200 };

void job_done(struct job *j)
{
    vault_gw_close(&j->gw);
    qc_json_free(&j->seen);
}

qc_rc job_call(struct job *j, const struct vault_gw_operation *what, struct qc_err *err)
{
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_STALL_MS) };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *seen = NULL;
    QC_TRY(j->gw->ops->operate(j->gw, what, &text, &op, err));
    QC_TRY(qc_json_parse(&seen, qc_buf_span(&text), err));
    qc_json_free(&j->seen);
    j->seen = QC_STEAL(seen);
    return QC_OK;
}

qc_rc job_begin(struct job *j, const char *path, const struct json_t *ask, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_dump(ask, &body, err));
    return job_call(j, &(struct vault_gw_operation){ "POST", path, qc_buf_span(&body) }, err);
}

/* -- following ------------------------------------------------------------------------------------------- */

static qc_rc is_over(const struct job *j, bool *ret, struct qc_err *err)
{
    const char *state = NULL;
    QC_TRY(qc_json_str(j->seen, "state", &state, err));
    *ret = strcmp(state, "running") != 0;
    return QC_OK;
}

static qc_rc show(struct job *j, struct qc_err *err)
{
    struct json_t *report = NULL;
    int64_t done = 0, all = 0;
    QC_TRY(qc_json_obj(j->seen, "report", &report, err));
    QC_TRY(qc_json_int(report, j->done, 0, INT64_MAX, &done, err));
    QC_TRY(qc_json_int(report, j->all, 0, INT64_MAX, &all, err));
    if (j->left)
        done = done < all ? all - done : 0;
    const struct vault_progress at = { .done = (uint64_t)done,
                                       .total = all > 0 ? (uint64_t)all : VAULT_SIZE_UNKNOWN };
    progress_tell(&j->progress, &at);
    return QC_OK;
}

/* The job itself is told to stop; it says when it has. Another number under its path is another job. */
static qc_rc look(struct job *j, struct qc_err *err)
{
    const bool stop = qc_cancel_is(signals_cancel()) && !j->stopping;
    int64_t before = 0, now = 0;
    QC_TRY_AS(qc_json_int(j->seen, "job", 1, INT64_MAX, &before, err), err, "the gateway's answer");
    j->stopping = j->stopping || stop;
    const qc_rc rc =
        job_call(j, &(struct vault_gw_operation){ stop ? "DELETE" : "GET", j->path, { 0 } }, err);
    if (rc == QC_OK)
        QC_TRY_AS(qc_json_int(j->seen, "job", 1, INT64_MAX, &now, err), err, "the gateway's answer");
    if (rc == QC_NOTFOUND || (rc == QC_OK && now != before))
        return QC_FAIL(err, QC_TEMP, "%s", j->ended);
    return rc;
}

qc_rc job_follow(struct job *j, struct qc_err *err)
{
    bool over = false;
    long nap_ms = POLL_MS;
    QC_TRY_AS(is_over(j, &over, err), err, "the gateway's answer");
    while (!over) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap_ms * 1000000L }, NULL);
        nap_ms = nap_ms < POLL_MS_MAX / 2 ? nap_ms * 2 : POLL_MS_MAX;
        QC_TRY(look(j, err));
        QC_TRY_AS(show(j, err), err, "the gateway's answer");
        QC_TRY_AS(is_over(j, &over, err), err, "the gateway's answer");
    }
    return QC_OK;
}
