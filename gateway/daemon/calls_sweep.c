/* Dead keys: what housekeeping will delete, and why. */
#include <string.h>

#include "base/alloc.h"
#include "calls.h"
#include "json.h"

/* What is told of one cloud, and of all. */
struct total {
    const char *cloud; /* NULL: free */
    uint64_t keys, bytes;
};
struct collecting {
    struct json_t *list;
    uint64_t keys, bytes;
    struct total clouds[QC_GW_CLOUDS_MAX];
};

static void add_total(struct collecting *c, const struct gw_dead *d)
{
    unsigned at = 0;

    while (c->clouds[at].cloud != NULL && strcmp(c->clouds[at].cloud, d->cloud) != 0)
        at++;
    QC_ASSERT(at < QC_GW_CLOUDS_MAX); /* names of the gateway's clouds */
    c->clouds[at].cloud = d->cloud;
    c->clouds[at].keys++;
    c->clouds[at].bytes += d->bytes;
    c->keys++;
    c->bytes += d->bytes;
}

static qc_rc add_dead(void *ctx, const struct gw_dead *d, struct qc_err *err)
{
    struct collecting *c = ctx;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;

    add_total(c, d);
    if (c->keys > QC_GW_LIST_MAX) /* counted, not named */
        return QC_OK;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "cloud", d->cloud, err));
    QC_TRY(qc_json_set_str(o, "key", d->key, err));
    QC_TRY(json_count(o, "bytes", d->bytes, err));
    QC_TRY(qc_json_set_str(o, "why", d->replaced ? "replaced" : "given-up", err));
    QC_TRY(qc_json_set_bool(o, "away", d->away, err));
    return qc_json_append(c->list, &o, err);
}

static qc_rc totals_json(const struct collecting *c, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;

    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX && c->clouds[at].cloud != NULL; at++) {
        QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
        QC_TRY(qc_json_new_obj(&o, err));
        QC_TRY(qc_json_set_str(o, "name", c->clouds[at].cloud, err));
        QC_TRY(json_count(o, "keys", c->clouds[at].keys, err));
        QC_TRY(json_count(o, "bytes", c->clouds[at].bytes, err));
        QC_TRY(qc_json_append(list, &o, err));
    }
    *ret = QC_STEAL(list);
    return QC_OK;
}

qc_rc sweep_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *clouds = NULL;
    struct collecting c = { 0 };

    QC_TRY(qc_json_new_arr(&list, err));
    c.list = list;
    QC_TRY(gw_engine_dead(e, add_dead, &c, err));
    QC_TRY(totals_json(&c, &clouds, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "keys", c.keys, err));
    QC_TRY(json_count(o, "bytes", c.bytes, err));
    QC_TRY(qc_json_set(o, "clouds", &clouds, err));
    QC_TRY(qc_json_set(o, "dead", &list, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc call_sweep(struct request *r, struct answer *ret, struct qc_err *err)
{
    return sweep_json(&ret->json, request_engine(r), err);
}
