/* selftest: does this program compute what it should; gateway selftest: does the gateway that serves. */
#include "ask.h"

#include "selftest/selftest.h"

static const char wrong[] =
    "store nothing with it: install qcloud and the libraries that it needs again, or run it on "
    "another machine";

qc_rc cmd_selftest(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    (void)args;
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(selftest_report(&report, SELFTEST_CLIENT, &rng, err));
    const qc_rc rc = ask_show(c, &report, "selftest", true, err);
    if (rc != QC_OK)
        err->next = wrong;
    return rc;
}

qc_rc cmd_gateway_selftest(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    const qc_rc rc = ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/selftest", QC_LIT("{}") },
                                 "selftest", true, err);
    if (rc == QC_GENERAL || rc == QC_RANDOM)
        err->next = wrong;
    return rc;
}
