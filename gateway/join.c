/* Adding a cloud.
 *
 *   looked at: empty -> validated -> clouds.conf -> ROW: joining ----> filled: roots, cuts, log, read back
 *      (new log objects are owed to it from here on; it counts for nothing)
 *   -> identity with a new share; then the others, old and new -> record, row: IN USE -> old shares go
 *
 * J1 (I1): it counts as a witness, and may get fragments, from the record on, which is decided when each
 * cloud that counts holds a share of the polynomial that is for all of them (docs/adr/0019). J2: nothing is
 * written to a place that is not empty, but what this very cloud's row explains.
 */
#include <stdio.h>

#include "make.h"
#include "move_internal.h"
#include "trust.h"

static void close_handle(struct cloud **c)
{
    cloud_close(c);
}

/* -- the place ------------------------------------------------------------------------------------------- */

/* What a validation that was killed has left does not count: the next one removes it. */
static qc_rc see_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    bool *seen = ctx;

    (void)err;
    *seen = *seen || !cloud_is_test_key(item->key);
    return QC_OK;
}

static qc_rc look_at(const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    const struct cloud_opts opts = { .name = cloud->name,
                                     .credentials = cloud->credentials,
                                     .op = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    const struct cloud_list_query q = { .prefix = "", .after = "", .limit = CLOUD_LIST_MAX };
    QC_CLEANUP(close_handle) struct cloud *c = NULL;
    struct cloud_page page;
    bool seen = false;

    QC_TRY(cloud_create_opts(cloud->url, &opts, err));
    QC_TRY(cloud_open_opts(&c, cloud->url, &opts, err));
    QC_TRY_AS(cloud_list(c, &q, see_key, &seen, &page, &opts.op, err), err, "cloud %s", cloud->name);
    if (seen || page.more)
        return QC_FAIL(err, QC_CONFLICT,
                       "cloud %s: holds objects already: a cloud needs an empty place of its own",
                       cloud->name);
    return QC_OK;
}

static qc_rc try_place(struct gw_moving *m, const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    const struct cloud_opts opts = { .name = cloud->name,
                                     .credentials = cloud->credentials,
                                     .op = { .deadline = qc_deadline_in(QC_GW_TRUST_MS),
                                             .cancel = m->ask->cancel } };

    QC_TRY(gw_move_enter(m, GW_MOVING_VALIDATING, err));
    QC_TRY(cloud_validate(cloud->url, &opts, false, &m->r->validated, err));
    return gw_trust_judge(cloud->name, &m->r->validated, err);
}

/* -- the row --------------------------------------------------------------------------------------------- */

static qc_rc check_new(struct gw_moving *m, const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_clouds_check(cloud, 1, err));
    QC_TRY(gw_clouds_check_keys(cloud, 1, err));
    QC_LOCK(gw_cat_lock(m->e->cat));
    QC_TRY(gw_cloud_rows(m->e->cat, rows, &count, err));
    if (count == QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%u clouds, at most %d", count, QC_GW_CLOUDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(rows[i].name, cloud->name) == 0)
            return QC_FAIL(err, QC_CONFLICT, "there is a cloud '%s' already, at %s", cloud->name,
                           rows[i].url);
        if (strcmp(rows[i].url, cloud->url) == 0)
            return QC_FAIL(err, QC_CONFLICT, "that is the place of cloud '%s'", rows[i].name);
    }
    return QC_OK;
}

/* Where its keys are, and what was shown: durable before anything hangs on it. */
static qc_rc write_way(struct gw_moving *m, const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    struct gw_way *way = NULL;

    QC_TRY(gw_ways_load(&m->e->state, &ways, err));
    QC_TRY(gw_ways_get(ways, cloud->name, &way, err));
    gw_way_set_credentials(way, cloud->credentials);
    if (!m->ask->untried)
        QC_TRY(gw_trust_note(ways, cloud, &m->r->validated, err));
    return gw_ways_save(&m->e->state, ways, err);
}

static qc_rc write_row(struct gw_moving *m, const struct gw_engine_cloud *cloud, struct gw_cloud_row *ret,
                       struct qc_err *err)
{
    struct gw_cat *cat = m->e->cat;
    struct gw_cloud_row row = { .generation = 1,
                                .state = GW_LIFE_JOINING,
                                .labels = { .weight = GW_WEIGHT_DEFAULT } };

    (void)snprintf(row.name, sizeof row.name, "%s", cloud->name);
    (void)snprintf(row.url, sizeof row.url, "%s", cloud->url);
    QC_TRY(gw_move_labels(m->ask, &row.labels, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cloud_next_id(cat, &row.id, err));
    QC_TRY(gw_cloud_put(cat, &row, err));
    QC_TRY(gw_cat_end_others(cat, err)); /* they would owe it nothing of the log */
    QC_TRY(gw_cat_commit(cat, &tx, err));
    *ret = row;
    return qc_fault(move_row, err);
}

/* The fan and the turns of debts know it; after a restart they do. */
static qc_rc show_to_fan(struct gw_moving *m, const struct gw_cloud_row *row, unsigned *ret_at,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    struct gw_engine *e = m->e;

    if (gw_fan_at(e->fan, row->id) < 0) {
        QC_TRY(gw_ways_load(&e->state, &ways, err));
        const struct gw_cloud_conf conf = gw_engine_conf_of(row, gw_ways_find(ways, row->name));
        QC_TRY(gw_fan_add(e->fan, &conf, err));
        QC_LOCK(&e->payers.lock);
        e->payers.turns.count = gw_fan_count(e->fan);
    }
    *ret_at = (unsigned)gw_fan_at(e->fan, row->id);
    m->repaired.cloud_count = gw_fan_count(e->fan);
    return QC_OK;
}

/* The row of a cloud that is joining; a new one, if there is none of that name. */
static qc_rc take_row(struct gw_moving *m, const struct gw_engine_cloud *cloud, struct gw_cloud_row *ret,
                      struct qc_err *err)
{
    struct qc_err miss = { 0 };
    qc_rc rc;

    {
        QC_LOCK(gw_cat_lock(m->e->cat));
        rc = gw_cloud_row_named(m->e->cat, cloud->name, ret, &miss);
    }
    const bool ours = rc == QC_OK && strcmp(ret->url, cloud->url) == 0;
    if (ours && ret->state == GW_LIFE_JOINING)
        return QC_OK; /* an add that was interrupted */
    if (ours && ret->state == GW_LIFE_IN_USE)
        return QC_OK; /* one that came to its end */
    QC_TRY(check_new(m, cloud, err));
    QC_TRY(look_at(cloud, err));
    if (!m->ask->untried)
        QC_TRY(try_place(m, cloud, err));
    QC_TRY(write_way(m, cloud, err));
    return write_row(m, cloud, ret, err);
}

/* -- steps ----------------------------------------------------------------------------------------------- */

static qc_rc fill(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row, struct qc_err *err)
{
    bool all;

    QC_TRY(gw_move_enter(m, GW_MOVING_FILLING, err));
    QC_TRY_AS(gw_fan_create(m->e->fan, at, err), err, "cloud %s", row->name);
    QC_TRY(gw_repair_fill(&m->p, at, &all, err));
    if (!all)
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s does not take the log, or parts of it are on no other cloud: %s", row->name,
                       m->repaired.clouds[at].refused);
    return qc_fault(move_filled, err);
}

static qc_rc share(struct gw_moving *m, unsigned at, struct gw_cloud_row *row, struct qc_err *err)
{
    QC_CLEANUP(gw_new_shares_done) struct gw_new_shares s = { 0 };

    QC_TRY(gw_move_enter(m, GW_MOVING_SHARING, err));
    QC_TRY(gw_shares_spread(m->e, (int)at, -1, &s, err));
    row->state = GW_LIFE_IN_USE;
    QC_TRY(gw_move_member(m, at, row, &s, err));
    gw_fan_set_state(m->e->fan, at, GW_CLOUD_OK, NULL); /* it was read back */
    return gw_shares_settle(m->e, err);
}

qc_rc gw_move_join(struct gw_moving *m, const char *name, struct qc_err *err)
{
    const struct gw_engine_cloud cloud = { name, m->ask->url, m->ask->credentials };
    struct gw_cloud_row row;
    unsigned at;

    QC_TRY(take_row(m, &cloud, &row, err));
    if (row.state == GW_LIFE_IN_USE)
        return QC_OK;
    QC_TRY(show_to_fan(m, &row, &at, err));
    QC_TRY(fill(m, at, &row, err));
    return share(m, at, &row, err);
}
