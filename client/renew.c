/* The share stores name the clouds that the gateway has, so that a new machine finds them (init --join). */
#include "client.h"
#include "remote.h"

static qc_rc add_cloud(struct vault_descriptor *d, const struct json_t *cloud, struct qc_err *err)
{
    const char *name = NULL, *url = NULL;
    int64_t id = 0;
    QC_TRY(qc_json_int(cloud, "id", 1, UINT32_MAX, &id, err));
    QC_TRY(qc_json_str(cloud, "name", &name, err));
    QC_TRY(qc_json_str(cloud, "url", &url, err));
    return vault_descriptor_add_cloud(d, (uint32_t)id, name, url, err);
}

qc_rc client_describe_clouds(const struct json_t *clouds, struct vault_descriptor *d, struct qc_err *err)
{
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        QC_TRY(add_cloud(d, qc_json_at(clouds, i), err));
    return QC_OK;
}

static qc_rc take_cloud(struct vault_descriptor *d, const struct json_t *cloud, struct qc_err *err)
{
    const char *role = NULL;
    QC_TRY(qc_json_str(cloud, "role", &role, err));
    if (strcmp(role, "in use") != 0 && strcmp(role, "draining") != 0) /* a rebuild needs no other */
        return QC_OK;
    return add_cloud(d, cloud, err);
}

static qc_rc ask_clouds(struct client *c, struct vault_gw *gw, struct vault_descriptor *ret,
                        struct qc_err *err)
{
    const struct vault_call call = client_call(c);
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    struct json_t *clouds = NULL;
    int64_t k = 0, n = 0;
    QC_TRY(gw->ops->operate(gw, &(struct vault_gw_operation){ "GET", "/v1/clouds", { 0 } }, &text, &call.op,
                            err));
    QC_TRY(qc_json_parse(&said, qc_buf_span(&text), err));
    QC_TRY(qc_json_int(said, "k", 1, VAULT_CLOUDS_MAX, &k, err));
    QC_TRY(qc_json_int(said, "n", k, VAULT_CLOUDS_MAX, &n, err));
    ret->k = (unsigned)k;
    ret->n = (unsigned)n;
    QC_TRY(qc_json_arr(said, "clouds", &clouds, err));
    for (size_t i = 0; i < qc_json_len(clouds); i++)
        QC_TRY(take_cloud(ret, qc_json_at(clouds, i), err));
    if (ret->cloud_count == 0)
        return QC_FAIL(err, QC_FORMAT, "a gateway without clouds");
    return QC_OK;
}

qc_rc client_renew_clouds(struct client *c, struct vault_gw *gw, bool tell, struct qc_err *err)
{
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor now = { 0 };
    struct vault_conf conf;
    if (remote_is(c))
        return QC_OK;
    QC_TRY(client_vault_conf(c, &conf, err));
    QC_TRY_AS(ask_clouds(c, gw, &now, err), err, "the gateway's clouds");
    for (unsigned i = 1; i <= 2; i++) {
        struct qc_err why = { 0 };
        bool changed = false;
        if (vault_renew_clouds(&conf, i, &now, &changed, &why) != QC_OK && tell)
            out_warn(
                &c->out, MSG_W_OTHER, NULL,
                "share store %u does not name the clouds as they are now (%s): qcloud status does it when it "
                "is there",
                i, why.msg);
        else if (changed)
            out_reason(&c->out, "share store %u names the clouds as they are now", i);
    }
    return QC_OK;
}
