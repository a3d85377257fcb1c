#include "calls.h"
#include "snapshot_report.h"

qc_rc call_snapshot(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY(request_json(r, NULL, 0, &in, err));
    return snapshot_take_json(&ret->json, request_engine(r), NULL, err);
}
