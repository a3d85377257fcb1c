#include "scrub_hand.h"

#include "calls.h"
#include "gateway/scrub.h"
#include "json.h"
#include "scrub_report.h"

/* What is wanted, of a body that may come from anywhere. */
struct hand {
    bool pauses, paused;
    const char *cloud; /* in the body; NULL: all */
    uint64_t rate;
};

static qc_rc take(const struct json_t *in, struct hand *ret, struct qc_err *err)
{
    struct hand h = { .pauses = qc_json_has(in, "paused") };
    if (h.pauses == qc_json_given(in, "rate"))
        return QC_FAIL(err, QC_USAGE, "either paused, or rate");
    if (h.pauses)
        QC_TRY(qc_json_bool(in, "paused", &h.paused, err));
    if (qc_json_has(in, "cloud"))
        QC_TRY(qc_json_str(in, "cloud", &h.cloud, err));
    if (h.cloud != NULL && !h.pauses)
        return QC_FAIL(err, QC_USAGE, "cloud: the rate is one for all of them");
    if (qc_json_has(in, "rate")) {
        QC_TRY(json_number(in, "rate", &h.rate, err));
        if (h.rate != 0 && h.rate < QC_GW_REPAIR_RATE_MIN)
            return QC_FAIL(err, QC_USAGE, "rate: at least %d bytes a second, or 0: no limit",
                           QC_GW_REPAIR_RATE_MIN);
        if (h.rate == 0)
            h.rate = GW_SCRUB_NO_RATE;
    }
    *ret = h;
    return QC_OK;
}

static qc_rc apply(struct gw_engine *e, const struct hand *h, struct qc_err *err)
{
    return h->pauses ? gw_engine_scrub_pause(e, h->cloud, h->paused, err)
                     : gw_engine_scrub_rate(e, h->rate, err);
}

qc_rc scrub_hand_json(struct json_t **ret, struct gw_engine *e, const struct json_t *body, struct qc_err *err)
{
    struct hand h;
    QC_TRY(take(body, &h, err));
    QC_TRY(apply(e, &h, err));
    return scrub_report_json(ret, e, err);
}

qc_rc call_scrub_hand(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "paused", "cloud", "rate" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    struct hand h;
    QC_TRY(request_json(r, names, 3, &in, err));
    QC_TRY(take(in, &h, err));
    QC_TRY(apply(request_engine(r), &h, err));
    return scrub_report_json(&ret->json, request_engine(r), err);
}
