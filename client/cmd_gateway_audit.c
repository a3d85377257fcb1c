/* gateway audit: what was done at one's own gateway, from its audit log, which its own program verifies. The
 * gateway may serve meanwhile: the log is a file, and believes nobody. */
#include "client.h"

#include "home/gateway_start.h"

/* One line of what the program said: a record, or, without a number, what the whole of it is. */
static qc_rc item(struct client *c, qc_span line, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY_AS(qc_json_parse(&one, line, err), err, "qcloud-gateway's answer");
    QC_TRY(out_json_new("item", &o, err));
    QC_TRY(qc_json_set(o, qc_json_has(one, "seq") ? "record" : "audit", &one, err));
    return out_json(&c->out, &o, err);
}

static qc_rc items(struct client *c, qc_span said, struct qc_err *err)
{
    while (said.n > 0) {
        const uint8_t *end = memchr(said.p, '\n', said.n);
        const size_t n = end == NULL ? said.n : (size_t)(end - said.p);
        QC_TRY(item(c, qc_span_sub(said, 0, n), err));
        said = qc_span_from(said, end == NULL ? n : n + 1);
    }
    return QC_OK;
}

qc_rc cmd_gateway_audit(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *since = qc_args_value(args, "since", NULL);
    const char *argv[8] = { "qcloud-gateway", "audit", "--state", c->places.gateway };
    size_t n = 4;
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    struct qc_err why = { 0 };
    if (since != NULL) {
        argv[n++] = "--since";
        argv[n++] = since;
    }
    if (c->out.json)
        argv[n++] = "--json";
    (void)fflush(c->out.data);
    const qc_rc rc = gateway_run(argv, c->out.json ? &said : NULL, &why);
    QC_TRY(items(c, qc_buf_span(&said), err));
    if (rc != QC_OK)
        *err = why;
    if (rc == QC_INTEGRITY)
        err->next = "keep the files as they are, and compare them with copies elsewhere";
    if (rc == QC_NOTFOUND)
        err->next =
            "a gateway that serves with a configuration has an audit log: qcloud-gateway serve --config "
            "FILE";
    return rc;
}
