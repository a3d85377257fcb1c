#include "cloud_test.h"

#include <inttypes.h>
#include <stdio.h>

#include "calls.h"
#include "gateway/clouds.h"
#include "json.h"

static qc_rc step_json(struct json_t *steps, const struct gw_cloud_test *t, enum gw_test_step s,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const bool ok = t->rc == QC_OK || t->failed != s;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "step", gw_test_step_name(s), err));
    QC_TRY(json_count(o, "us", t->us[s], err));
    QC_TRY(qc_json_set_bool(o, "ok", ok, err));
    if (!ok)
        QC_TRY(json_why(o, "why", t->why, err));
    return qc_json_append(steps, &o, err);
}

static qc_rc line(struct json_t *lines, const struct gw_cloud_test *t, enum gw_test_step s,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 512 };
    const bool ok = t->rc == QC_OK || t->failed != s;
    QC_TRY(qc_buf_addf(&text, err, "%-8s %8.1f ms  %s", gw_test_step_name(s), (double)t->us[s] / 1e3,
                       ok ? "ok" : t->why));
    QC_TRY(qc_buf_add_zero(&text, 1, err));
    return qc_json_append_str(lines, (const char *)text.p, err);
}

static qc_rc outcome(struct json_t *o, const char *name, const struct gw_cloud_test *t, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    char text[QC_ERR_MSG_MAX] = "";
    if (t->rc != QC_OK)
        (void)snprintf(text, sizeof text, "cloud '%s': %s: %s", name, gw_test_step_name(t->failed), t->why);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(t->rc), err));
    QC_TRY(json_why(one, "message", text, err));
    return qc_json_set(o, "outcome", &one, err);
}

qc_rc cloud_test_json(struct json_t **ret, struct gw_engine *e, const struct json_t *body, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *steps = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    struct gw_cloud_test t;
    const char *name = NULL;
    QC_TRY(qc_json_str(body, "cloud", &name, err));
    QC_TRY(gw_engine_cloud_test(e, name, &t, err));
    QC_TRY(qc_json_new_arr(&steps, err));
    QC_TRY(qc_json_new_arr(&lines, err));
    for (unsigned s = 0; s < GW_TEST_STEPS; s++) {
        if (!t.took[s])
            continue;
        QC_TRY(step_json(steps, &t, (enum gw_test_step)s, err));
        QC_TRY(line(lines, &t, (enum gw_test_step)s, err));
    }
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "cloud", name, err));
    QC_TRY(json_count(o, "bytes", QC_GW_CLOUD_TEST_SIZE, err));
    QC_TRY(qc_json_set(o, "steps", &steps, err));
    QC_TRY(outcome(o, name, &t, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc call_cloud_test(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "cloud" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *name = NULL;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(qc_json_str(in, "cloud", &name, err));
    return cloud_test_json(&ret->json, request_engine(r), in, err);
}
