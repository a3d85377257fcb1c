#include "calls.h"

#include "json.h"

static qc_rc take_flag(const struct json_t *in, const char *name, bool *ret, struct qc_err *err)
{
    return qc_json_has(in, name) ? qc_json_bool(in, name, ret, err) : QC_OK;
}

/* The strings of ret lie in `in`. */
static qc_rc take_ask(const struct json_t *in, struct gw_engine *e, struct gw_repair_ask *ret,
                      struct qc_err *err)
{
    QC_TRY(take_flag(in, "deep", &ret->deep, err));
    QC_TRY(take_flag(in, "dry_run", &ret->dry_run, err));
    if (qc_json_has(in, "rate"))
        QC_TRY(json_number(in, "rate", &ret->rate, err));
    if (qc_json_has(in, "rate") && ret->rate < QC_GW_REPAIR_RATE_MIN)
        return QC_FAIL(err, QC_USAGE, "rate: at least %d bytes a second", QC_GW_REPAIR_RATE_MIN);
    if (!qc_json_has(in, "adopt"))
        return QC_OK;
    QC_TRY(qc_json_str(in, "adopt", &ret->adopt, err));
    if (!gw_engine_has_cloud(e, ret->adopt))
        return QC_FAIL(err, QC_USAGE, "adopt: this gateway has no cloud of that name");
    if (ret->dry_run)
        return QC_FAIL(err, QC_USAGE, "adopt: a dry run writes to no cloud");
    return QC_OK;
}

qc_rc call_repair(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "deep", "dry_run", "rate", "adopt" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    struct gw_repair_ask ask = { 0 };
    struct gw_health health;
    uint64_t number = 0;
    QC_TRY(request_json(r, names, 4, &in, err));
    QC_TRY(take_ask(in, r->server->engine, &ask, err));
    gw_engine_health(request_engine(r), &health);
    if (health.fenced)
        return QC_FAIL(err, QC_FENCED, "another gateway took over: a repair is its business");
    const qc_rc rc = jobs_repair(&r->server->jobs, request_engine(r), &ask, &number, err);
    if (rc == QC_CONFLICT) { /* the answer names the one that runs */
        struct qc_err why = { 0 };
        if (qc_json_new_obj(&ret->with_error, &why) == QC_OK)
            qc_ignore(json_count(ret->with_error, "job", number, &why), "the error says the rest");
    }
    QC_TRY(rc);
    ret->status = MHD_HTTP_ACCEPTED;
    return jobs_json(&r->server->jobs, request_engine(r), number, &ret->json, err);
}

qc_rc call_job_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    return jobs_json(&r->server->jobs, request_engine(r), r->number, &ret->json, err);
}

qc_rc call_job_cancel(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_TRY(jobs_cancel(&r->server->jobs, r->number, err));
    return jobs_json(&r->server->jobs, request_engine(r), r->number, &ret->json, err);
}
