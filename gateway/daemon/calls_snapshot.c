#include "calls.h"
#include "snapshot_look.h"
#include "snapshot_report.h"

qc_rc call_snapshot(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY(request_json(r, NULL, 0, &in, err));
    return snapshot_take_json(&ret->json, request_engine(r), NULL, err);
}

qc_rc call_snapshots(struct request *r, struct answer *ret, struct qc_err *err)
{
    return snapshot_list_json(&ret->json, request_engine(r), NULL, err);
}

qc_rc call_snapshot_check(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "generation" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *generation = NULL;
    QC_TRY(request_json(r, names, sizeof names / sizeof names[0], &in, err));
    if (qc_json_has(in, "generation"))
        QC_TRY(qc_json_str(in, "generation", &generation, err));
    return snapshot_check_json(&ret->json, request_engine(r), generation, NULL, err);
}
