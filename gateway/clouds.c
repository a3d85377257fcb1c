#include "gateway/clouds.h"

#include "base/alloc.h"
#include "engine_internal.h"
#include "home.h"
#include "make.h"
#include "trust.h"

/* A state directory, held, with its clouds. */
struct held {
    struct gw_state state;
    struct gw_cloud_row *rows;
    struct gw_on_cloud on[QC_GW_CLOUDS_MAX];
    unsigned count;
    struct gw_ways *ways;
};

static void held_done(struct held *h)
{
    qc_free(h->rows);
    qc_free(h->ways);
    gw_state_close(&h->state);
}

static qc_rc count_all(struct gw_cat *cat, const struct gw_cloud_row *rows, unsigned count,
                       struct gw_on_cloud *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < count; i++)
        QC_TRY(gw_cat_on_cloud_count(cat, rows[i].id, &ret[i], err));
    return QC_OK;
}

static qc_rc hold(const char *state_dir, struct held *h, struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *cat = NULL;
    QC_TRY(gw_state_there(state_dir, err));
    QC_TRY(gw_state_open(&h->state, state_dir, false, err));
    QC_TRY(gw_ways_load(&h->state, &h->ways, err));
    h->rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *h->rows);
    if (h->rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_home_open(&h->state, &cat, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_TRY(gw_cloud_rows(cat, h->rows, &h->count, err));
    return count_all(cat, h->rows, h->count, h->on, err);
}

static qc_rc tell_cloud(const struct gw_cloud_row *row, struct gw_ways *ways, const struct gw_on_cloud *on,
                        gw_cloud_fn fn, void *ctx, struct qc_err *err)
{
    const struct gw_way *way = gw_ways_find(ways, row->name);
    const bool validated = gw_way_is_validated(way, row->url);
    const struct gw_cloud_info info = { .name = row->name,
                                        .url = row->url,
                                        .credentials = gw_way_credentials(way),
                                        .validated = validated,
                                        .validated_s = validated ? way->validated_s : 0,
                                        .facts = gw_way_facts(way, row->url),
                                        .id = row->id,
                                        .role = gw_engine_conf_of(row, NULL).role,
                                        .labels = row->labels,
                                        .fragments = on->fragments,
                                        .bytes = on->bytes,
                                        .dead = on->dead };
    return fn(ctx, &info, err);
}

qc_rc gw_clouds_list(const char *state_dir, gw_cloud_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(held_done) struct held h = { 0 };
    QC_TRY(hold(state_dir, &h, err));
    for (unsigned i = 0; i < h.count; i++)
        QC_TRY(tell_cloud(&h.rows[i], h.ways, &h.on[i], fn, ctx, err));
    return QC_OK;
}

qc_rc gw_engine_cloud_list(struct gw_engine *e, gw_cloud_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    struct gw_on_cloud on[QC_GW_CLOUDS_MAX];
    unsigned count;
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_ways_load(&e->state, &ways, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
        QC_TRY(count_all(e->cat, rows, count, on, err));
    }
    for (unsigned i = 0; i < count; i++)
        QC_TRY(tell_cloud(&rows[i], ways, &on[i], fn, ctx, err));
    return QC_OK;
}

void gw_engine_domains(struct gw_engine *e, struct gw_domains *ret)
{
    struct gw_candidate c[QC_GW_CLOUDS_MAX];
    const unsigned count = gw_engine_candidates(e, c);
    unsigned domains = 0;
    for (unsigned i = 0; i < count; i++) {
        bool seen = false;
        for (unsigned j = 0; j < i; j++)
            seen = seen || (c[i].domain != 0 && c[i].domain == c[j].domain);
        domains += !seen;
    }
    *ret = (struct gw_domains){
        .rule = atomic_load(&e->domain), .count = domains, .k = e->conf.k, .n = e->conf.n
    };
}

static qc_rc find(const struct held *h, const char *name, const struct gw_cloud_row **ret, struct qc_err *err)
{
    for (unsigned i = 0; i < h->count; i++)
        if (strcmp(h->rows[i].name, name) == 0) {
            *ret = &h->rows[i];
            return QC_OK;
        }
    return QC_FAIL(err, QC_NOTFOUND, "the gateway has no cloud '%.64s'", name);
}

/* Try, and remember what was shown. */
static qc_rc try_cloud(struct held *h, const struct gw_engine_cloud *cloud, bool deep,
                       struct cloud_report *ret, struct qc_err *err)
{
    const struct cloud_opts opts = {
        .name = cloud->name,
        .credentials = cloud->credentials,
        .op = { .deadline = qc_deadline_in(deep ? QC_GW_TRUST_DEEP_MS : QC_GW_TRUST_MS) },
    };
    QC_TRY(cloud_validate(cloud->url, &opts, deep, ret, err));
    return gw_trust_note(h->ways, cloud, ret, err);
}

qc_rc gw_cloud_validate(const char *state_dir, const char *name, bool deep, struct cloud_report *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(held_done) struct held h = { 0 };
    const struct gw_cloud_row *row = NULL;
    QC_TRY(hold(state_dir, &h, err));
    QC_TRY(find(&h, name, &row, err));
    const struct gw_engine_cloud cloud = { row->name, row->url,
                                           gw_way_credentials(gw_ways_find(h.ways, row->name)) };
    QC_TRY(gw_clouds_check_keys(&cloud, 1, err));
    QC_TRY(try_cloud(&h, &cloud, deep, ret, err));
    QC_TRY(gw_ways_save(&h.state, h.ways, err));
    return gw_trust_judge(name, ret, err);
}

qc_rc gw_place_validate(const char *url, const char *credentials, bool deep, struct cloud_report *ret,
                        struct qc_err *err)
{
    const struct cloud_opts opts = {
        .credentials = credentials,
        .op = { .deadline = qc_deadline_in(deep ? QC_GW_TRUST_DEEP_MS : QC_GW_TRUST_MS) },
    };
    QC_TRY(cloud_check(url, credentials, err));
    QC_TRY(cloud_create_opts(url, &opts, err));
    QC_TRY(cloud_validate(url, &opts, deep, ret, err));
    return gw_trust_judge(url, ret, err);
}

qc_rc gw_cloud_set(const char *state_dir, const char *name, const char *credentials, bool unreachable_ok,
                   struct cloud_report *ret, struct qc_err *err)
{
    QC_CLEANUP(held_done) struct held h = { 0 };
    const struct gw_cloud_row *row = NULL;
    struct gw_way *way = NULL;
    QC_TRY(hold(state_dir, &h, err));
    QC_TRY(find(&h, name, &row, err));
    const struct gw_engine_cloud cloud = { row->name, row->url, credentials };
    QC_TRY(gw_clouds_check_keys(&cloud, 1, err));
    QC_TRY(gw_ways_get(h.ways, row->name, &way, err));
    gw_way_set_credentials(way, credentials);
    const qc_rc rc = try_cloud(&h, &cloud, false, ret, err);
    if (unreachable_ok && (rc == QC_TEMP || rc == QC_TIMEOUT)) {
        qc_err_clear(err);
        *ret = (struct cloud_report){ 0 };
    } else {
        QC_TRY(rc);
    }
    QC_TRY(gw_ways_save(&h.state, h.ways, err));
    return gw_trust_judge(name, ret, err);
}

/* -- another place --------------------------------------------------------------------------------------- */

static qc_rc check_place(const struct held *h, const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    QC_TRY(gw_clouds_check(cloud, 1, err));
    QC_TRY(gw_clouds_check_keys(cloud, 1, err));
    for (unsigned i = 0; i < h->count; i++)
        if (strcmp(h->rows[i].url, cloud->url) == 0)
            return QC_FAIL(err, QC_CONFLICT, "that is the place of cloud '%s'", h->rows[i].name);
    return QC_OK;
}

static qc_rc write_place(struct held *h, uint32_t id, const char *url, struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *cat = NULL;
    QC_TRY(gw_home_open(&h->state, &cat, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cloud_moved(cat, id, url, err));
    QC_TRY(gw_cat_end_others(cat, err)); /* they would go on at the old one */
    return gw_cat_commit(cat, &tx, err);
}

qc_rc gw_cloud_move(const char *state_dir, const char *name, const char *url, const char *credentials,
                    struct cloud_report *ret, struct qc_err *err)
{
    QC_CLEANUP(held_done) struct held h = { 0 };
    const struct gw_cloud_row *row = NULL;
    struct gw_way *way = NULL;
    QC_TRY(hold(state_dir, &h, err));
    QC_TRY(find(&h, name, &row, err));
    QC_TRY(gw_ways_get(h.ways, row->name, &way, err));
    if (credentials != NULL)
        gw_way_set_credentials(way, credentials);
    const struct gw_engine_cloud cloud = { row->name, url, gw_way_credentials(way) };
    const struct cloud_opts opts = { .name = cloud.name,
                                     .credentials = cloud.credentials,
                                     .op = { .deadline = qc_deadline_in(QC_GW_TRUST_MS) } };
    QC_TRY(check_place(&h, &cloud, err));
    QC_TRY(cloud_create_opts(url, &opts, err));
    QC_TRY(try_cloud(&h, &cloud, false, ret, err));
    QC_TRY(gw_trust_judge(name, ret, err));
    QC_TRY(gw_ways_save(&h.state, h.ways, err)); /* before the row: nobody goes there without its keys */
    return write_place(&h, row->id, url, err);
}
