#include "calls.h"

#include "json.h"

qc_rc call_clouds(struct request *r, struct answer *ret, struct qc_err *err)
{
    return clouds_list_json(&ret->json, request_engine(r), err);
}

qc_rc call_exit_plan(struct request *r, struct answer *ret, struct qc_err *err)
{
    const char *name = request_argument(r, "cloud");
    if (name == NULL)
        return QC_FAIL(err, QC_USAGE, "cloud: which one?");
    return exit_plan_json(&ret->json, request_engine(r), name, err);
}

qc_rc call_code_plan(struct request *r, struct answer *ret, struct qc_err *err)
{
    uint64_t k = 0, n = 0;
    QC_TRY(request_argument_u64(r, "k", 0, &k, err));
    QC_TRY(request_argument_u64(r, "n", 0, &n, err));
    if (k < 1 || k > n || n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_USAGE, "k and n: expected 1 <= k <= n <= %d", QC_EC_N_MAX);
    return code_plan_json(&ret->json, request_engine(r), (unsigned)k, (unsigned)n, err);
}

qc_rc call_move(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "kind",        "name",   "new_name", "target", "url",
                                         "credentials", "weight", "provider", "region", "jurisdiction",
                                         "domain",      "gone",   "rate",     "k",      "n" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    struct gw_health health;
    QC_TRY(request_json(r, names, sizeof names / sizeof names[0], &in, err));
    gw_engine_health(r->server->engine, &health);
    if (health.fenced)
        return QC_FAIL(err, QC_FENCED, "another gateway took over: its clouds are its business");
    /* The body is looked at in there: what does not parse is the client's. */
    QC_TRY(moves_start(&r->server->moves, r->server->engine, in, err));
    (void)request_engine(r);
    ret->status = MHD_HTTP_ACCEPTED;
    return moves_json(&r->server->moves, &ret->json, err);
}

qc_rc call_move_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    (void)request_engine(r);
    return moves_json(&r->server->moves, &ret->json, err);
}

qc_rc call_move_cancel(struct request *r, struct answer *ret, struct qc_err *err)
{
    (void)request_engine(r);
    moves_cancel(&r->server->moves);
    return moves_json(&r->server->moves, &ret->json, err);
}
