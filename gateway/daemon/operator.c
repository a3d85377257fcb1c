#include "operator.h"

#include <stdio.h>

#include "base/file.h"
#include "calls.h"
#include "cmd_audit.h"
#include "serve.h"

enum { ANSWER_MS = 60000 }; /* a change waits for the clouds */

void operator_done(struct operator* o)
{
    net_client_free(&o->net);
    gw_engine_close(&o->e);
    qrng_close(&o->q);
}

/* What a daemon said when it refused. */
static qc_rc refusal(int status, qc_span body, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct json_t *error = NULL;
    const char *id = NULL, *message = NULL;
    struct qc_err bad = { 0 };
    qc_rc rc = QC_GENERAL;

    if (qc_json_parse(&j, body, &bad) != QC_OK || qc_json_obj(j, "error", &error, &bad) != QC_OK ||
        qc_json_str(error, "id", &id, &bad) != QC_OK ||
        qc_json_str(error, "message", &message, &bad) != QC_OK || !qc_rc_from_name(id, &rc) || rc == QC_OK)
        return QC_FAIL(err, QC_FORMAT, "the gateway answers with status %d and no reason", status);
    qc_err_set(err, rc, QC_HERE, "%s", message);
    return rc;
}

qc_rc operator_ask(struct operator* o, const char *method, const char *path, const struct json_t *body,
                   struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf answer = { 0 };
    struct net_response r = { .body = { .max = HTTP_ANSWER_MAX } };
    const struct net_header type = { "Content-Type", "application/json" };

    if (body != NULL)
        QC_TRY(qc_json_dump(body, &text, err));
    const struct net_request rq = { .method = method,
                                    .path = path,
                                    .headers = &type,
                                    .header_count = body != NULL,
                                    .body = qc_buf_span(&text),
                                    .deadline =
                                        qc_deadline_in(o->answer_ms != 0 ? o->answer_ms : ANSWER_MS) };
    QC_TRY(net_request(o->net, &rq, &r, err));
    answer = r.body;
    if (r.status < 200 || r.status > 299)
        return refusal(r.status, qc_buf_span(&answer), err);
    return qc_json_parse(ret, qc_buf_span(&answer), err);
}

qc_rc operator_reach(struct operator* o, const char *state, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };

    QC_TRY(gw_engine_there(state, err));
    QC_TRY(qc_dir_open(&dir, state, err));
    return net_client_new_unix(&o->net, qc_fd_get(&dir), SERVE_SOCKET, err);
}

qc_rc operator_open(struct operator* o, const char *state, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *health = NULL;
    struct qc_err why = { 0 };

    QC_TRY(operator_reach(o, state, err));
    QC_TRY(qrng_open("os", &o->q, err));
    o->rng = qrng_rng(o->q);
    const qc_rc rc = operator_ask(o, "GET", "/v1/health", NULL, &health, &why);
    if (rc == QC_OK)
        return QC_OK;
    if (rc != QC_NOTFOUND && (rc != QC_TEMP || net_client_reach(o->net) != NET_NOTHING_SENT)) {
        *err = why;
        return rc;
    }
    net_client_free(&o->net);
    return gw_engine_open_audited(&o->e, state, &o->rng, cmd_audit_of(state), err);
}

qc_rc operator_scrub(struct operator* o, const struct json_t *body, struct json_t **ret, struct qc_err *err)
{
    QC_ASSERT(o->net != NULL);
    return operator_ask(o, body != NULL ? "POST" : "GET", "/v1/scrub", body, ret, err);
}

qc_rc operator_tenants(struct operator* o, struct json_t **ret, struct qc_err *err)
{
    return o->net != NULL ? operator_ask(o, "GET", "/v1/tenants", NULL, ret, err)
                          : tenants_json(ret, o->e, err);
}

qc_rc operator_change(struct operator* o, const char *name, const struct json_t *body, struct json_t **ret,
                      struct qc_err *err)
{
    char path[32 + QC_GW_TENANT_NAME_MAX];

    if (o->net == NULL)
        return tenant_change_json(ret, o->e, name, body, err);
    (void)snprintf(path, sizeof path, "/v1/tenants%s%s", name != NULL ? "/" : "", name != NULL ? name : "");
    return operator_ask(o, "POST", path, body, ret, err);
}

qc_rc operator_sweep(struct operator* o, struct json_t **ret, struct qc_err *err)
{
    return o->net != NULL ? operator_ask(o, "GET", "/v1/sweep", NULL, ret, err) : sweep_json(ret, o->e, err);
}
