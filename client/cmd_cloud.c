/* gateway cloud ls, validate, set: the clouds of one's own on-demand gateway, for its operator. */
#include "ask.h"

#include "cloud_keys.h"
#include "cmd_move.h"
#include "home/gateway_start.h"
#include "signals.h"

enum { WORDS = 12 };

/* Run a command of qcloud-gateway on our state, which no gateway may serve meanwhile. What it prints is data:
 * as it is for people, parsed into *ret_json with --json; also when it ends with QC_UNFIT, which is returned
 * then. */
static qc_rc run(struct client *c, const char *const *words, struct json_t **ret_json, struct qc_err *err)
{
    const char *argv[WORDS + 4] = { "qcloud-gateway", "cloud" };
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    struct qc_err why = { 0 };
    size_t n = 2;
    for (; *words != NULL; words++) {
        QC_ASSERT(n < WORDS);
        argv[n++] = *words;
    }
    argv[n++] = "--state";
    argv[n++] = c->places.gateway;
    if (c->out.json)
        argv[n++] = "--json";
    QC_TRY(gateway_stop(c->places.gateway, signals_cancel(), err));
    const qc_rc rc = gateway_run(argv, &said, &why);
    if (rc == QC_OK || rc == QC_UNFIT) {
        if (c->out.json)
            QC_TRY_AS(qc_json_parse(ret_json, qc_buf_span(&said), err), err, "qcloud-gateway's answer");
        else
            out_raw(&c->out, qc_buf_span(&said));
    }
    if (rc != QC_OK)
        *err = why;
    if (rc == QC_NOTFOUND)
        err->next = "qcloud gateway cloud ls";
    return rc;
}

qc_rc cmd_gateway_cloud_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    static const char *const words[] = { "ls", NULL };
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct json_t *clouds = NULL;
    (void)args;
    QC_TRY(run(c, words, &said, err));
    if (!c->out.json)
        return QC_OK;
    QC_TRY(qc_json_arr(said, "clouds", &clouds, err)); /* it has them all */
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "gateway", &said, err));
    return out_json(&c->out, &item, err);
}

/* The report first, then what follows from it. */
static qc_rc report(struct client *c, const char *const *words, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct qc_err why = { 0 };
    const qc_rc rc = run(c, words, &said, &why);
    if (said != NULL) {
        QC_TRY(out_json_new("item", &item, err));
        QC_TRY(qc_json_set(item, "report", &said, err));
        QC_TRY(out_json(&c->out, &item, err));
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

qc_rc cmd_gateway_cloud_validate(void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *const words[] = { "validate", args->argv[0], NULL };
    const char *const deep[] = { "validate", "--deep", args->argv[0], NULL };
    return report(app, qc_args_flag(args, "deep") ? deep : words, err);
}

/* The share stores name the place as it is now: a new machine finds the clouds by them. */
static qc_rc renew(struct client *c, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    const struct vault_call call = client_call(c);
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    return client_renew_clouds(c, gw, true, err);
}

qc_rc cmd_gateway_cloud_set(void *app, const struct qc_args *args, struct qc_err *err)
{
    const char *credentials = qc_args_value(args, "credentials", NULL);
    const char *url = qc_args_value(args, "url", NULL);
    char place[QC_CLIENT_PATH_MAX];
    const char *words[WORDS] = { "set", args->argv[0] };
    size_t n = 2;
    if (credentials == NULL && url == NULL && move_has_labels(args))
        return move_label(app, args, err);
    if ((credentials == NULL && url == NULL) || move_has_labels(args))
        return QC_FAIL(err, QC_USAGE,
                       "either --url URL and --credentials FILE, or aws:PROFILE; or a weight and labels");
    if (credentials != NULL) {
        QC_TRY_AS(cloud_keys_place(credentials, place, err), err, "--credentials");
        words[n++] = "--credentials";
        words[n++] = place;
    }
    if (url != NULL) {
        words[n++] = "--url";
        words[n++] = url;
    }
    if (qc_args_flag(args, "untried"))
        words[n++] = "--untried";
    QC_TRY(report(app, words, err));
    return url != NULL ? renew(app, err) : QC_OK;
}

qc_rc cmd_gateway_cloud_test(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_str(ask, "cloud", args->argv[0], err));
    QC_TRY(qc_json_dump(ask, &body, err));
    const qc_rc rc =
        ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/clouds/test", qc_buf_span(&body) },
                    "test", true, err);
    if (rc == QC_NOTFOUND)
        err->next = "qcloud gateway cloud ls";
    return rc;
}
