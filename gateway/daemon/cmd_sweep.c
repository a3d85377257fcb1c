#include "cmd_sweep.h"

#include <inttypes.h>
#include <stdio.h>

#include "calls.h"
#include "cloud_args.h"
#include "operator.h"
#include "print.h"
#include "tell.h"

const struct qc_opt cmd_sweep_options[] = {
    CLOUD_ARGS_STATE,
    { "dry-run", 'n', NULL, "say what would be deleted, and why; delete nothing", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

static qc_rc print_dead(const struct json_t *one, struct qc_err *err)
{
    const char *cloud = NULL, *key = NULL, *why = NULL;
    int64_t bytes = 0;
    bool away = false;

    QC_TRY(qc_json_str(one, "cloud", &cloud, err));
    QC_TRY(qc_json_str(one, "key", &key, err));
    QC_TRY(qc_json_str(one, "why", &why, err));
    QC_TRY(qc_json_int(one, "bytes", 0, INT64_MAX, &bytes, err));
    QC_TRY(qc_json_bool(one, "away", &away, err));
    printf("%s %s %" PRId64 " %s%s\n", cloud, key, bytes, why, away ? ", when the cloud is back" : "");
    return QC_OK;
}

static qc_rc print_text(const struct json_t *o, struct qc_err *err)
{
    struct json_t *list = NULL, *clouds = NULL;
    int64_t keys = 0, bytes = 0;

    QC_TRY(qc_json_arr(o, "dead", &list, err));
    QC_TRY(qc_json_arr(o, "clouds", &clouds, err));
    QC_TRY(qc_json_int(o, "keys", 0, INT64_MAX, &keys, err));
    QC_TRY(qc_json_int(o, "bytes", 0, INT64_MAX, &bytes, err));
    for (size_t i = 0; i < qc_json_len(list); i++)
        QC_TRY(print_dead(qc_json_at(list, i), err));
    for (size_t i = 0; i < qc_json_len(clouds); i++) {
        const char *name = NULL;
        int64_t n = 0, size = 0;
        QC_TRY(qc_json_str(qc_json_at(clouds, i), "name", &name, err));
        QC_TRY(qc_json_int(qc_json_at(clouds, i), "keys", 0, INT64_MAX, &n, err));
        QC_TRY(qc_json_int(qc_json_at(clouds, i), "bytes", 0, INT64_MAX, &size, err));
        printf("cloud %s: %" PRId64 " keys, %" PRId64 " bytes\n", name, n, size);
    }
    printf("%" PRId64 " dead keys, %" PRId64
           " bytes as far as known; given-up: of puts that were cancelled, broken off "
           "or sent again;\nreplaced: a repair wrote the fragment elsewhere. A serving gateway deletes them "
           "by itself.\n",
           keys, bytes);
    return QC_OK;
}

/* Housekeeping until there is nothing that can be done now. */
static qc_rc sweep(struct gw_engine *e, struct qc_err *err)
{
    bool more = true;

    while (more) /* each round does some, or says that there is no more */
        QC_TRY(gw_engine_tidy(e, &more, err));
    return QC_OK;
}

qc_rc cmd_sweep(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *dead = NULL;
    const char *state = NULL;

    *(enum tell_about *)app = TELL_SWEEP;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(operator_open(&o, state, err));
    if (!qc_args_flag(args, "dry-run") && o.e != NULL)
        QC_TRY(sweep(o.e, err));
    QC_TRY(operator_sweep(&o, &dead, err));
    if (!qc_args_flag(args, "json"))
        return print_text(dead, err);
    return print_json(dead, HTTP_ANSWER_MAX, err);
}
