#include "cmd_selftest.h"

#include "calls.h"
#include "cmd_ask.h"
#include "print.h"
#include "selftest/selftest.h"
#include "tell.h"

const struct qc_opt cmd_selftest_options[] = {
    { "state", 0, "DIR", "of the gateway that serves this directory, in its own process", false },
    { "config", 0, "FILE", "or a configuration, which names it", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

qc_rc call_selftest(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY(request_json(r, NULL, 0, &in, err));
    const qc_rng rng = gw_engine_rng(request_engine(r));
    return selftest_report(&ret->json, SELFTEST_GATEWAY, &rng, err);
}

static qc_rc here(struct json_t **ret, struct operator* o, const struct json_t *body, struct qc_err *err)
{
    (void)body;
    return selftest_report(ret, SELFTEST_GATEWAY, &o->rng, err);
}

qc_rc cmd_selftest(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    *(enum tell_about *)app = TELL_SELFTEST;
    if (qc_args_flag(args, "state") || qc_args_flag(args, "config")) {
        QC_TRY(qc_json_new_obj(&body, err));
        return cmd_ask(
            args, &(struct cmd_ask){ .method = "POST", .path = "/v1/selftest", .body = body, .here = here },
            err);
    }
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(selftest_report(&report, SELFTEST_GATEWAY, &rng, err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_BODY_MAX, err));
    return cmd_ask_outcome(report, err);
}
