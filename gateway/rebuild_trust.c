/* Rebuild: whose keys open the clouds, and what is known of them. clouds.conf of this directory is kept; on a
 * new machine there is none, and the operator names the keys. */
#include "rebuild_internal.h"
#include "trust.h"

#include "base/log.h"

qc_rc gw_rebuild_ways(struct gw_rebuilding *b, const struct gw_rebuild_setup *setup, struct qc_err *err)
{
    QC_TRY(gw_ways_load(&b->state, &b->ways, err));
    for (unsigned at = 0; at < setup->count; at++) {
        struct gw_way *way = NULL;
        b->own_clouds[at] = setup->clouds[at];
        QC_TRY(gw_ways_get(b->ways, setup->clouds[at].name, &way, err));
        /* A cloud that has moved to a directory needs its old keys no more. */
        if (setup->clouds[at].credentials == NULL && cloud_check(setup->clouds[at].url, NULL, err) == QC_OK)
            gw_way_set_credentials(way, NULL);
        qc_err_clear(err);
        if (setup->clouds[at].credentials == NULL)
            b->own_clouds[at].credentials = gw_way_credentials(way);
    }
    QC_TRY(gw_clouds_check_keys(b->own_clouds, setup->count, err));
    b->own = *setup;
    b->own.clouds = b->own_clouds;
    b->setup = &b->own;
    return QC_OK;
}

struct gw_cloud_conf gw_rebuild_conf(const struct gw_rebuilding *b, unsigned at)
{
    const struct gw_engine_cloud *c = &b->setup->clouds[at];
    return (struct gw_cloud_conf){ .id = at + 1,
                                   .generation = 1,
                                   .name = c->name,
                                   .url = c->url,
                                   .credentials = c->credentials,
                                   .facts = gw_way_facts(gw_ways_find(b->ways, c->name), c->url) };
}

/* Data lies there already, and a rebuild must get at it: what a validation says against a cloud is told, not
 * obeyed. One that does not answer now is validated another time, and nothing is relied on until then. */
static qc_rc take_trial(struct gw_rebuilding *b, unsigned at, struct gw_trial *t, struct qc_err *err)
{
    const struct gw_engine_cloud *cloud = &b->setup->clouds[at];

    if (t->rc == QC_NOMEM) {
        *err = t->err;
        return t->rc;
    }
    if (t->rc != QC_OK) {
        qc_log_err(QC_LOG_WARN, "validation", &t->err);
        return QC_OK;
    }
    if (b->setup->told != NULL)
        b->setup->told(b->setup->told_ctx, cloud->name, &t->report);
    return gw_trust_note(b->ways, cloud, &t->report, err);
}

qc_rc gw_rebuild_trust(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_trial *trials = NULL;
    gw_clouds set = 0;

    for (unsigned at = 0; at < b->setup->count; at++) {
        const struct gw_engine_cloud *cloud = &b->setup->clouds[at];
        struct gw_way *way = NULL;
        QC_TRY(gw_ways_get(b->ways, cloud->name, &way, err));
        gw_way_set_credentials(way, cloud->credentials);
        if (b->setup->validate && !b->setup->verify_only && (b->good >> at & 1) &&
            !gw_way_is_validated(way, cloud->url))
            set |= (gw_clouds)1 << at;
    }
    QC_TRY(gw_trust_try(b->setup->clouds, b->setup->count, set, QC_GW_TRUST_AGAIN_MS, &trials, err));
    for (unsigned at = 0; at < b->setup->count; at++)
        if (trials[at].ran)
            QC_TRY(take_trial(b, at, &trials[at], err));
    return QC_OK;
}
