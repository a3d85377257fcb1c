#include "calls.h"
#include "json.h"

/* The names lie in `in`. */
static qc_rc take_without(const struct json_t *in, const char *names[QC_GW_CLOUDS_MAX], unsigned *ret_count,
                          struct qc_err *err)
{
    struct json_t *list = NULL;
    *ret_count = 0;
    if (!qc_json_has(in, "without"))
        return QC_OK;
    QC_TRY(qc_json_arr(in, "without", &list, err));
    if (qc_json_len(list) > QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_USAGE, "without: %zu clouds, at most %d", qc_json_len(list), QC_GW_CLOUDS_MAX);
    for (size_t i = 0; i < qc_json_len(list); i++) {
        const char *name = qc_json_str_value(qc_json_at(list, i));
        if (name == NULL)
            return QC_FAIL(err, QC_FORMAT, "without: no name of a cloud");
        names[(*ret_count)++] = name;
    }
    return QC_OK;
}

static qc_rc take_number(const struct json_t *in, const char *name, uint64_t most, uint64_t *ret,
                         struct qc_err *err)
{
    if (!qc_json_has(in, name))
        return QC_OK;
    QC_TRY(json_number(in, name, ret, err));
    return *ret <= most ? QC_OK : QC_FAIL(err, QC_USAGE, "%s: too great", name);
}

qc_rc call_drill(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const members[] = { "without", "random", "sample", "seed" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *names[QC_GW_CLOUDS_MAX];
    struct gw_drill_ask ask = { .without = names };
    struct gw_health health;
    uint64_t random = 0;
    QC_TRY(request_json(r, members, 4, &in, err));
    QC_TRY(take_without(in, names, &ask.without_count, err));
    QC_TRY(take_number(in, "random", QC_GW_CLOUDS_MAX, &random, err));
    QC_TRY(take_number(in, "sample", INT64_MAX, &ask.sample, err));
    QC_TRY(take_number(in, "seed", INT64_MAX, &ask.seed, err));
    gw_engine_health(request_engine(r), &health);
    if (health.fenced)
        return QC_FAIL(err, QC_FENCED, "another gateway took over: a drill is its business");
    ask.random = qc_json_has(in, "without") || qc_json_has(in, "random") ? (int)random : GW_DRILL_USUAL;
    QC_TRY(drills_begin(&r->server->drills, request_engine(r), &ask, err));
    ret->status = MHD_HTTP_ACCEPTED;
    return drills_report(&r->server->drills, request_engine(r), &ret->json, err);
}

qc_rc call_drill_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    return drills_report(&r->server->drills, request_engine(r), &ret->json, err);
}

qc_rc call_drill_cancel(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_TRY(drills_cancel(&r->server->drills, err));
    return drills_report(&r->server->drills, request_engine(r), &ret->json, err);
}
