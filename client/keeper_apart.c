/* Is the keeper's place one of its own, by what the configuration and the gateway say? */
#include "client.h"
#include "home/keeper.h"
#include "remote.h"

qc_rc client_keeper_apart_now(struct client *c, struct qc_err *err)
{
    const char *const share[] = { c->conf.share[0], c->conf.share[1] };
    const struct vault_call call = client_call(c);
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    struct json_t *clouds = NULL;
    if (remote_is(c)) /* it does not say where its clouds lie */
        return home_keeper_apart(c->conf.keeper, NULL, 0, share, err);
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(gw->ops->status(gw, &text, &call.op, err));
    QC_TRY(qc_json_parse(&said, qc_buf_span(&text), err));
    QC_TRY(qc_json_arr(said, "clouds", &clouds, err));
    QC_TRY(client_describe_clouds(clouds, &d, err));
    QC_TRY(home_keeper_apart(c->conf.keeper, d.clouds, d.cloud_count, share, err));
    return home_keeper_off_gateway(c->conf.keeper, c->places.gateway, err);
}
