#include "calls.h"
#include "scrub_report.h"

qc_rc call_scrub_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    return scrub_report_json(&ret->json, request_engine(r), err);
}

qc_rc call_scrub(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "content", "cloud" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *cloud = NULL;
    bool content = false;
    QC_TRY(request_json(r, names, 2, &in, err));
    if (qc_json_has(in, "content"))
        QC_TRY(qc_json_bool(in, "content", &content, err));
    if (qc_json_has(in, "cloud"))
        QC_TRY(qc_json_str(in, "cloud", &cloud, err));
    QC_TRY(gw_engine_scrub(request_engine(r), content, cloud, err));
    ret->status = MHD_HTTP_ACCEPTED;
    return scrub_report_json(&ret->json, request_engine(r), err);
}
