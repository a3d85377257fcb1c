#include "debt_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "calls.h"
#include "json.h"

enum { LINE = 512 };

qc_rc debts_json(struct json_t *o, const struct gw_cloud_status *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *debts = NULL;
    QC_TRY(qc_json_new_obj(&debts, err));
    QC_TRY(json_count(debts, "fragments", c->owed, err));
    QC_TRY(json_count(debts, "records", c->records_owed, err));
    QC_TRY(qc_json_set_int(debts, "since", c->owed_since_s, err));
    QC_TRY(json_count(debts, "paid", c->paying.paid, err));
    QC_TRY(qc_json_set_int(debts, "tried", c->paying.tried_s, err));
    QC_TRY(json_count(debts, "next_ms", c->paying.next_ms, err));
    QC_TRY(qc_json_set_str(debts, "why", c->paying.why, err));
    return qc_json_set(o, "debts", &debts, err);
}

static qc_rc cloud_json(struct json_t *list, const struct gw_cloud_status *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "name", c->name, err));
    QC_TRY(qc_json_set_str(one, "state", gw_cloud_state_name(c->view.state), err));
    QC_TRY(debts_json(one, c, err));
    return qc_json_append(list, &one, err);
}

static qc_rc cloud_line(struct json_t *lines, const struct gw_cloud_status *c, struct qc_err *err)
{
    char line[LINE], since[QC_TIME_TEXT] = "-", next[64] = "";
    if (c->owed_since_s != 0)
        qc_time_text(c->owed_since_s, since);
    if (c->paying.why[0] != '\0')
        (void)snprintf(next, sizeof next, "; the next try in %" PRIu64 " s", c->paying.next_ms / 1000);
    (void)snprintf(line, sizeof line,
                   "cloud %s (%s) is owed %" PRIu64 " fragments and %" PRIu64
                   " record copies, since %s%s%s%s",
                   c->name, gw_cloud_state_name(c->view.state), c->owed, c->records_owed, since,
                   c->paying.why[0] != '\0' ? ": " : "", c->paying.why, next);
    return qc_json_append_str(lines, line, err);
}

static qc_rc all_json(struct json_t **ret, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(qc_json_new_arr(&lines, err));
    for (unsigned i = 0; i < s->cloud_count; i++) {
        if (s->clouds[i].owed + s->clouds[i].records_owed == 0)
            continue;
        QC_TRY(cloud_json(list, &s->clouds[i], err));
        QC_TRY(cloud_line(lines, &s->clouds[i], err));
    }
    if (qc_json_len(list) == 0)
        QC_TRY(qc_json_append_str(lines, "no cloud is owed anything", err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "fragments", s->debts, err));
    QC_TRY(json_count(o, "records", s->record_debts, err));
    QC_TRY(qc_json_set(o, "clouds", &list, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc debt_report_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "status");
    QC_TRY(gw_engine_status(e, s, err));
    return all_json(ret, s, err);
}

qc_rc call_debts(struct request *r, struct answer *ret, struct qc_err *err)
{
    return debt_report_json(&ret->json, request_engine(r), err);
}

qc_rc call_debts_retry(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY(request_json(r, NULL, 0, &in, err));
    QC_TRY(gw_engine_debts_retry(request_engine(r), err));
    return debt_report_json(&ret->json, request_engine(r), err);
}
