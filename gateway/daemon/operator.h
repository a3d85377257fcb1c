/* The operator's way to a gateway: the daemon that serves the state directory, else the state directory
 * itself. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"
#include "net/client.h"
#include "qrng/qrng.h"

struct operator
{
    struct net_client *net; /* a daemon serves; or NULL */
    struct qrng *q;
    qc_rng rng;          /* for e, and for tokens */
    struct gw_engine *e; /* nobody serves: opened here, for the length of the command */
    uint64_t
        answer_ms; /* how long an answer of the daemon may take; 0: as long as a change waits for clouds */
};
void operator_done(struct operator* o);
/* Dead keys (calls.h). */
QC_MUST qc_rc operator_sweep(struct operator* o, struct json_t **ret, struct qc_err *err);
/* Not to be moved afterwards. QC_NOTCONF, QC_LOCKED: a gateway is starting or leaving; those of
 * gw_engine_open. */
QC_MUST qc_rc operator_open(struct operator* o, const char *state, struct qc_err *err);

/* The daemon that serves, and no other way: QC_NOTFOUND, QC_TEMP: nobody does. */
QC_MUST qc_rc operator_reach(struct operator* o, const char *state, struct qc_err *err);

/* POST /v1/scrub, or GET where body is NULL. A daemon serves (asserted). */
QC_MUST qc_rc operator_scrub(struct operator* o, const struct json_t *body, struct json_t **ret,
                             struct qc_err *err);
/* One call of the daemon's API; net is there. What it refuses comes back as the code that it named. path and
 * method: as in the route table; body may be NULL. */
QC_MUST qc_rc operator_ask(struct operator* o, const char *method, const char *path,
                           const struct json_t *body, struct json_t **ret, struct qc_err *err);

/* GET /v1/tenants */
QC_MUST qc_rc operator_tenants(struct operator* o, struct json_t **ret, struct qc_err *err);
/* POST /v1/tenants[/NAME]; name NULL: a new one. Errors: those of gw_tenant_change; QC_TEMP, QC_TIMEOUT: it
 * is not known whether it was done. */
QC_MUST qc_rc operator_change(struct operator* o, const char *name, const struct json_t *body,
                              struct json_t **ret, struct qc_err *err);
