/* keys: what key there is for each way of this vault's that is keyed by QKD, and how long it lasts. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>

#include "home/gateway_start.h"
#include "qkd/stock.h"
#include "remote.h"
#include "signals.h"

const struct qc_opt keys_opts[] = { QKD_STOCK_OPTIONS, { 0 } };

/* The way to a gateway for many users: keyed by this program, or by the qcloud-link that stands there. */
static qc_rc look(struct client *c, uint64_t watch_s, struct json_t **ret, struct qc_err *err)
{
    struct qkd_stock_link way = { 0 };
    if (c->conf.qkd.link[0] != '\0')
        way = (struct qkd_stock_link){ .keyed = &c->conf.qkd, .peer = c->conf.qkd.peer };
    else if (c->conf.link[0] != '\0')
        way.socket = c->conf.link;
    else
        return QC_FAIL(err, QC_NOTCONF, "the way to %s is not keyed by QKD", c->conf.gateway);
    QC_TRY(qkd_stock_report(&way, 1, watch_s, signals_cancel(), ret, err));
    return qc_json_outcome(*ret, err);
}

/* One's own gateway: the ways to its clouds, as it says of them. */
static qc_rc by_gateway(struct client *c, uint64_t watch_s, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    char seconds[24];
    (void)snprintf(seconds, sizeof seconds, "%" PRIu64, watch_s);
    const char *argv[] = { "qcloud-gateway", "keys",  "--state", c->places.gateway, "--json", "--forecast",
                           "--for",          seconds, NULL };
    if (watch_s == 0)
        argv[5] = NULL; /* the words end before it */
    struct qc_err why = { 0 }, unused = { 0 };
    const qc_rc rc = gateway_run(argv, &said, &why);
    if (said.n > 0 && qc_json_parse(ret, qc_buf_span(&said), &unused) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "qcloud-gateway's answer is no JSON");
    *err = why;
    return rc;
}

qc_rc cmd_keys(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    struct qc_err why = { 0 };
    uint64_t watch_s = 0;
    QC_TRY(qkd_stock_watch(args, &watch_s, err));
    const qc_rc rc = remote_is(c) ? look(c, watch_s, &report, &why) : by_gateway(c, watch_s, &report, &why);
    if (report != NULL)
        QC_TRY(ask_show(c, &report, "keys", false, err));
    *err = why;
    return rc;
}
