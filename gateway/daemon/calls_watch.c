/* For those who watch: /metrics, /healthz, /readyz. */
#include <string.h>

#include "base/alloc.h"
#include "calls.h"
#include "dashboard.h"
#include "metrics.h"

/* An observation; where there is none now, what the process knows by itself. */
static void observation(struct request *r, struct gw_status *ret)
{
    struct qc_err err = { 0 };

    if (watch_get(&r->server->watch, request_engine(r), ret, &err) != QC_OK) {
        *ret = (struct gw_status){ 0 };
        gw_engine_look(request_engine(r), ret);
    }
}

qc_rc call_metrics(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "metrics");
    observation(r, s);
    struct gw_audit_view audit = { 0 };
    struct gw_audit *log = gw_engine_audit(request_engine(r));
    if (log != NULL)
        gw_audit_look(log, &audit);
    struct keyed_counts door = { 0 };
    struct keyed *keyed = atomic_load(&r->server->keyed);
    if (keyed != NULL)
        keyed_look(keyed, &door);
    const struct metrics_source src = { .figures = &r->server->figures,
                                        .keyed = keyed != NULL ? &door : NULL,
                                        .levels = &r->server->levels,
                                        .audit = log != NULL ? &audit : NULL,
                                        .status = s,
                                        .connections = atomic_load(&r->server->connections) };
    ret->raw.max = QC_GW_METRICS_MAX;
    ret->type = METRICS_TYPE;
    return metrics_print(&src, &ret->raw, err);
}

qc_rc call_dashboard(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    struct gw_audit_view audit = { 0 };
    struct gw_audit *log = gw_engine_audit(request_engine(r));

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "dashboard");
    observation(r, s);
    if (log != NULL)
        gw_audit_look(log, &audit);
    const struct dashboard_source src = { .figures = &r->server->figures,
                                          .status = s,
                                          .audit = log != NULL ? &audit : NULL,
                                          .since_s = r->server->since_s,
                                          .now_s = qc_wall_s() };
    ret->raw.max = QC_GW_DASHBOARD_MAX;
    ret->type = "text/html; charset=utf-8";
    return dashboard_print(&src, &ret->raw, err);
}

qc_rc call_style(struct request *r, struct answer *ret, struct qc_err *err)
{
    (void)r;
    ret->raw.max = QC_GW_DASHBOARD_MAX;
    ret->type = "text/css; charset=utf-8";
    return qc_buf_add_str(&ret->raw, dashboard_css, err);
}

/* The members of the answer go beside an error, too. */
qc_rc call_healthz(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct qc_err why = { 0 };

    const qc_rc rc = watch_alive(&r->server->watch, request_engine(r), &why);
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_bool(o, "alive", rc == QC_OK, err));
    QC_TRY(qc_json_set_str(o, "version", QC_VERSION, err));
    if (rc == QC_OK) {
        ret->json = QC_STEAL(o);
        return QC_OK;
    }
    ret->with_error = QC_STEAL(o);
    r->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
    return QC_FAIL(err, rc, "%s", why.msg);
}

static qc_rc ready_json(const struct gw_status *s, const struct watch_ready *ready, struct json_t **ret,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;

    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_bool(o, "read", ready->read, err));
    QC_TRY(qc_json_set_bool(o, "write", ready->write, err));
    QC_TRY(qc_json_set_bool(o, "fenced", s->health.fenced, err));
    QC_TRY(qc_json_set_int(o, "clouds", s->cloud_count, err));
    QC_TRY(qc_json_set_int(o, "well", ready->well, err));
    QC_TRY(qc_json_set_int(o, "read_needs", s->needed, err));
    QC_TRY(qc_json_set_int(o, "write_needs", ready->write_needs, err));
    QC_TRY(qc_json_set_int(o, "observed", s->observed_s, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* Reading, unless the request asks for writing. */
static qc_rc wants_write(struct request *r, bool *ret, struct qc_err *err)
{
    const char *what = request_argument(r, "for");

    *ret = what != NULL && strcmp(what, "write") == 0;
    if (what != NULL && !*ret && strcmp(what, "read") != 0)
        return QC_FAIL(err, QC_USAGE, "for: read or write");
    return QC_OK;
}

qc_rc call_readyz(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    struct watch_ready ready;
    struct json_t *o = NULL;
    bool write;

    QC_TRY(wants_write(r, &write, err));
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "status");
    QC_TRY(watch_get(&r->server->watch, request_engine(r), s, err));
    watch_ready(s, &ready);
    QC_TRY(ready_json(s, &ready, &o, err));
    if (write ? ready.write : ready.read) {
        ret->json = o;
        return QC_OK;
    }
    ret->with_error = o;
    r->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
    if (s->health.fenced)
        return QC_FAIL(err, QC_FENCED, "another gateway took over");
    if (s->health.broken)
        return QC_FAIL(err, QC_IO, "the disk of the catalogue failed");
    return QC_FAIL(err, QC_QUORUM, "%u of %u clouds are well, %u are needed to %s", ready.well,
                   s->cloud_count, write ? ready.write_needs : s->needed, write ? "write" : "read");
}
