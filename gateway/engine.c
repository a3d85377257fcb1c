#include "gateway/engine.h"

#include <stdio.h>

#include "engine_internal.h"
#include "home.h"

const char *gw_upload_state_name(enum gw_upload_state s)
{
    static const char *const names[] = { "unknown", "open", "cancelled", "decided", "live" };

    QC_ASSERT((size_t)s < sizeof names / sizeof *names);
    return names[s];
}

unsigned gw_engine_count(const struct gw_engine *e)
{
    return (unsigned)__builtin_popcount(gw_fan_witnesses(e->fan));
}

unsigned gw_engine_need(const struct gw_engine *e)
{
    return gw_engine_count(e) - e->conf.record_quorum + 1;
}

/* -- fencing --------------------------------------------------------------------------------------------- */

qc_rc gw_engine_may(struct gw_engine *e, struct qc_err *err)
{
    if (!atomic_load(&e->fenced))
        return QC_OK;
    QC_LOCK(&e->lock);
    return QC_FAIL(err, QC_FENCED,
                   "%s; this gateway answers no more: rebuild it from the clouds to take over again",
                   e->fenced_why);
}

static qc_rc remember_fence(struct gw_engine *e, const char *why, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    char text[GW_WHY_MAX] = "";

    snprintf(text, sizeof text, "%s", why);
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_meta_set(e->cat, "life", GW_LIFE_FENCED, err));
    QC_TRY(gw_meta_set_bytes(e->cat, "fenced_why", qc_span_of(text, sizeof text), err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* false: it was before. */
static bool set_fenced(struct gw_engine *e, const char *why)
{
    QC_LOCK(&e->lock);
    if (atomic_load(&e->fenced))
        return false;
    snprintf(e->fenced_why, sizeof e->fenced_why, "%s", why);
    atomic_store(&e->fenced, true);
    return true;
}

void gw_engine_fence(struct gw_engine *e, const char *why)
{
    struct qc_err err = { 0 };

    if (set_fenced(e, why))
        GW_AUDIT(e->audit, "fenced", QC_S("why", why));
    qc_ignore(remember_fence(e, why, &err), "the clouds will say it again at the next opening");
}

qc_rc gw_engine_sync_lost(struct gw_engine *e, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    uint8_t seen[QC_GW_CLOUDS_MAX] = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        if (view.role >= GW_ROLE_LEAVING || (view.state != GW_CLOUD_LOST && view.state != GW_CLOUD_OK))
            continue;
        /* Beside others it tells what it saw change, not what it believes: they may know better. */
        seen[at] = (uint8_t)view.state + 1;
        if (gw_cat_session(e->cat) == 0 || e->told[at] != seen[at])
            QC_TRY(gw_cloud_set_lost(e->cat, view.id, view.state == GW_CLOUD_LOST, err));
    }
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (seen[at] != 0)
            e->told[at] = seen[at];
    return QC_OK;
}

static qc_rc get_tip(struct gw_engine *e, struct gw_log_tip *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_tip_get(e->cat, ret, err);
}

/* A log object after our tip: did another gateway on this catalogue decide it meanwhile? It looked before it
 * did. */
static qc_rc is_ours(struct gw_engine *e, uint64_t sequence, bool *ret, struct qc_err *err)
{
    struct gw_log_tip tip;

    QC_TRY(get_tip(e, &tip, err));
    *ret = gw_cat_session(e->cat) != 0 && tip.sequence >= sequence;
    return QC_OK;
}

qc_rc gw_engine_check_tip(struct gw_engine *e, qc_deadline deadline, struct qc_err *err)
{
    struct gw_testimony said[QC_GW_CLOUDS_MAX] = { 0 };
    const struct gw_rule rule = { .deadline = deadline };
    struct gw_log_tip tip;
    unsigned good = 0;

    QC_TRY(get_tip(e, &tip, err));
    const struct gw_witness_ask ask = { .incarnation = e->conf.incarnation,
                                        .log_sequence = tip.sequence + 1 };
    QC_TRY(gw_witness(e->fan, e->root, gw_fan_witnesses(e->fan), &ask, &rule, said, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        char why[GW_WHY_MAX];
        bool ours = false;
        enum gw_verdict v = said[at].verdict;
        if (v == GW_VERDICT_LOG)
            QC_TRY(is_ours(e, tip.sequence + 1, &ours, err));
        if (ours)
            v = GW_VERDICT_GOOD;
        good += v == GW_VERDICT_GOOD;
        if (v != GW_VERDICT_ROOT && v != GW_VERDICT_LOG)
            continue;
        if (v == GW_VERDICT_ROOT)
            snprintf(why, sizeof why, "another gateway took over (incarnation %" PRIu32 " on cloud %s)",
                     said[at].incarnation, gw_fan_name(e->fan, at));
        else
            snprintf(why, sizeof why,
                     "this catalogue is older than the clouds (log object %" PRIu64 " on cloud %s)",
                     tip.sequence + 1, gw_fan_name(e->fan, at));
        gw_engine_fence(e, why);
        return gw_engine_may(e, err);
    }
    QC_TRY(gw_engine_sync_lost(e, err));
    if (good < gw_engine_need(e))
        return QC_FAIL(err, QC_QUORUM,
                       "%u of %u clouds answer, %u are needed to be sure that this catalogue is the newest",
                       good, gw_engine_count(e), gw_engine_need(e));
    atomic_store(&e->tip_checked, true);
    return QC_OK;
}

qc_rc gw_engine_be_sure(struct gw_engine *e, struct qc_err *err)
{
    if (atomic_load(&e->tip_checked))
        return gw_engine_may(e, err);
    gw_commit_hold(e); /* a commit that ran meanwhile would be the later log object that is looked for */
    const qc_rc rc = atomic_load(&e->tip_checked)
                         ? gw_engine_may(e, err)
                         : gw_engine_check_tip(e, qc_deadline_in(QC_GW_OPEN_MS), err);
    gw_commit_release(e);
    return rc;
}

qc_rc gw_engine_hear(struct gw_engine *e, gw_clouds set, qc_deadline deadline, struct qc_err *err)
{
    struct gw_testimony said[QC_GW_CLOUDS_MAX] = { 0 };
    const struct gw_witness_ask ask = { .incarnation = e->conf.incarnation };
    const struct gw_rule rule = { .deadline = deadline };

    QC_TRY(gw_witness(e->fan, e->root, set, &ask, &rule, said, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (said[at].verdict == GW_VERDICT_ROOT)
            gw_engine_fence(e, "another gateway took over");
    return gw_engine_may(e, err);
}

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc load_fence(struct gw_engine *e, struct qc_err *err)
{
    char why[GW_WHY_MAX];

    if (e->conf.life != GW_LIFE_FENCED)
        return QC_OK;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_meta_get_bytes(e->cat, "fenced_why", (uint8_t *)why, sizeof why, err));
    why[sizeof why - 1] = 0;
    (void)set_fenced(e, why);
    return QC_OK;
}

static qc_rc open_bkey(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = 256 };
    QC_CLEANUP(qc_key_free) qc_key *bkey = NULL;
    uint64_t epoch;

    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_meta_get(e->cat, "bkey_epoch", &epoch, err));
    e->bkey_epoch = (uint32_t)epoch;
    QC_TRY(gw_bkey_get(e->cat, e->bkey_epoch, &sealed, err));
    QC_TRY(gw_bkey_open(e->root, e->bkey_epoch, qc_buf_span(&sealed), &bkey, err));
    return gw_prk_new(&e->bkey, bkey, err);
}

static enum gw_cloud_role role_of(enum gw_cloud_life_state s)
{
    switch (s) {
    case GW_LIFE_IN_USE:
        return GW_ROLE_IN_USE;
    case GW_LIFE_DRAINING:
        return GW_ROLE_DRAINING;
    case GW_LIFE_JOINING:
        return GW_ROLE_JOINING;
    case GW_LIFE_LEAVING:
        return GW_ROLE_LEAVING;
    case GW_LIFE_RETIRED:
        break;
    }
    return GW_ROLE_GONE;
}

struct gw_cloud_conf gw_engine_conf_of(const struct gw_cloud_row *row, const struct gw_way *way)
{
    return (struct gw_cloud_conf){ .id = row->id,
                                   .generation = row->generation,
                                   .role = role_of(row->state),
                                   .labels = row->labels,
                                   .name = row->name,
                                   .url = row->url,
                                   .credentials = gw_way_credentials(way),
                                   .facts = gw_way_facts(way, row->url) };
}

/* With room for what was stored by other codes. */
static qc_rc open_store(struct gw_engine *e, struct qc_err *err)
{
    unsigned k, n;

    QC_TRY(gw_store_new(&e->store, e->root, e->fan, e->conf.k, e->conf.n, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_layout_bounds(e->cat, &k, &n, err));
    }
    return k == 0 ? QC_OK : gw_store_fit(e->store, k, n, err);
}

static qc_rc open_clouds(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    struct gw_cloud_conf confs[QC_GW_CLOUDS_MAX];
    uint64_t domain;
    unsigned count = 0, counted = 0;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_ways_load(&e->state, &ways, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
        QC_TRY(gw_meta_get(e->cat, "domain", &domain, err));
    }
    e->domain = domain > GW_DOMAIN_JURISDICTION ? GW_DOMAIN_CLOUD : (enum gw_domain)domain;
    for (unsigned i = 0; i < count; i++) {
        const struct gw_way *way = gw_ways_find(ways, rows[i].name);
        counted += rows[i].state == GW_LIFE_IN_USE || rows[i].state == GW_LIFE_DRAINING;
        confs[i] = gw_engine_conf_of(&rows[i], way);
    }
    if (e->conf.n > counted)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: %u clouds, %u are needed for a segment", counted,
                       e->conf.n);
    QC_TRY(gw_fan_new(&e->fan, confs, count, err));
    e->payers.turns.count = count;
    return open_store(e, err);
}

/* All that lies on this machine; no cloud is asked. */
static qc_rc open_local(struct gw_engine *e, const char *state_dir, struct qc_err *err)
{
    QC_TRY(gw_state_there(state_dir, err));
    QC_TRY(gw_state_open(&e->state, state_dir, false, err));
    QC_TRY(gw_state_get_root(&e->state, gw_state_root, &e->root, err));
    const qc_rc rc = gw_home_open(&e->state, &e->cat, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "'%s' has a root key and no catalogue: init it again, or rebuild",
                       state_dir);
    if (rc == QC_FULL)
        return QC_FAIL(err, QC_FULL, "the disk of the gateway's state '%s' is full", state_dir);
    QC_TRY(rc);
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_config_get(e->cat, &e->conf, err));
        QC_TRY(gw_meta_get(e->cat, "next_segment", &e->first_segment, err));
    }
    if (!qc_span_eq(gw_id_span(&e->conf.catalogue), qc_span_of(gw_root_catalogue(e->root), GW_ID_BYTES)))
        return QC_FAIL(err, QC_INTEGRITY, "the root key is of another catalogue");
    QC_TRY(open_bkey(e, err));
    QC_TRY(open_clouds(e, err));
    return load_fence(e, err);
}

qc_rc gw_engine_there(const char *state_dir, struct qc_err *err)
{
    return gw_state_there(state_dir, err);
}

qc_rc gw_engine_open(struct gw_engine **ret, const char *state_dir, const qc_rng *rng, struct qc_err *err)
{
    return gw_engine_open_audited(ret, state_dir, rng, NULL, err);
}

struct gw_audit *gw_engine_audit(struct gw_engine *e)
{
    return e->audit;
}

qc_rc gw_engine_open_audited(struct gw_engine **ret, const char *state_dir, const qc_rng *rng,
                             const struct gw_audit_opts *audit, struct qc_err *err)
{
    QC_CLEANUP(gw_engine_close) struct gw_engine *e = qc_alloc(sizeof *e);
    struct qc_err why = { 0 };

    if (e == NULL)
        return QC_FAIL(err, QC_NOMEM, "engine");
    qc_mutex_init(&e->lock);
    gw_commits_init(&e->commits);
    gw_bundles_init(&e->bundles);
    gw_goings_init(&e->goings);
    gw_arrivals_init(&e->arrivals);
    gw_payers_init(&e->payers);
    gw_attendant_init(&e->attendant);
    gw_scrubs_init(&e->scrubs);
    gw_snaps_init(&e->snaps);
    gw_repacks_init(&e->repacks);
    e->env = &gw_env_real;
    atomic_store(&e->tenants_stale, true);
    e->segment_ms = QC_GW_SEGMENT_MS;
    e->rng = rng;
    QC_TRY(open_local(e, state_dir, err));
    QC_TRY(gw_engine_attend(e, err));
    if (audit != NULL)
        QC_TRY(gw_audit_open(&e->audit, qc_fd_get(&e->state.dir), audit, err));
    if (e->conf.life == GW_LIFE_INIT)
        QC_TRY(gw_engine_finish_init(e, err));
    if (!atomic_load(&e->fenced)) {
        const qc_rc rc = gw_engine_check_tip(e, qc_deadline_in(QC_GW_OPEN_MS), &why);
        if (rc != QC_OK && rc != QC_FENCED && rc != QC_QUORUM) {
            *err = why;
            return rc;
        }
        if (rc == QC_OK)
            qc_ignore(gw_commit_roll(e, &why),
                      "the next commit, or gw_engine_tidy, tries again and says why");
    }
    *ret = QC_STEAL(e);
    return QC_OK;
}

void gw_engine_hurry(struct gw_engine *e)
{
    gw_fan_hurry(e->fan);
}

qc_rng gw_engine_rng(const struct gw_engine *e)
{
    return *e->rng;
}

void gw_engine_close(struct gw_engine **ep)
{
    struct gw_engine *e = *ep;

    *ep = NULL;
    if (e == NULL)
        return;
    gw_scrubs_stop(e);
    gw_attendant_stop(e);
    gw_payers_stop(e);
    /* A worker that hangs in a dead cloud still reads the root, the store and its own lane: they stay. */
    const bool stuck = e->fan != NULL && !gw_fan_free(&e->fan, QC_GW_OPEN_MS);
    if (!stuck) {
        gw_store_free(&e->store);
        gw_root_free(&e->root);
    }
    qc_prk_free(&e->bkey);
    gw_cat_close(&e->cat);
    gw_audit_close(&e->audit);
    gw_state_close(&e->state);
    gw_commits_done(&e->commits);
    gw_bundles_done(&e->bundles);
    gw_goings_done(&e->goings);
    gw_arrivals_done(&e->arrivals);
    gw_payers_done(&e->payers);
    gw_attendant_done(&e->attendant);
    gw_scrubs_done(&e->scrubs);
    gw_snaps_done(&e->snaps);
    gw_repacks_done(&e->repacks);
    qc_mutex_done(&e->lock);
    qc_free(e->tenants);
    qc_free(e);
}

/* -- small ones ------------------------------------------------------------------------------------------ */

void gw_engine_health(struct gw_engine *e, struct gw_health *ret)
{
    *ret = (struct gw_health){ .catalogue = e->conf.catalogue,
                               .incarnation = e->conf.incarnation,
                               .fenced = atomic_load(&e->fenced),
                               .broken = gw_cat_broken(e->cat),
                               .over = gw_cat_over(e->cat) };
}

qc_rc gw_engine_kit(struct gw_engine *e, qc_key **ret, struct qc_err *err)
{
    return gw_kit_make(e->root, ret, err);
}

bool gw_engine_has_cloud(struct gw_engine *e, const char *name)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if ((gw_fan_all(e->fan) >> at & 1) != 0 && strcmp(gw_fan_name(e->fan, at), name) == 0)
            return true;
    return false;
}

qc_rc gw_engine_clouds_named(struct gw_engine *e, const char *names, uint32_t *ret, struct qc_err *err)
{
    const gw_clouds all = gw_fan_all(e->fan); /* a name may have been that of one that is gone */
    uint32_t set = 0;

    for (bool more = true; more;) {
        const size_t n = strcspn(names, ",");
        unsigned at = 0;
        while (
            at < gw_fan_count(e->fan) &&
            ((all >> at & 1) == 0 || !qc_span_eq(qc_span_of(names, n), qc_span_str(gw_fan_name(e->fan, at)))))
            at++;
        if (at == gw_fan_count(e->fan))
            return QC_FAIL(err, QC_NOTFOUND, "there is no cloud '%.*s'", (int)(n < 64 ? n : 64), names);
        set |= UINT32_C(1) << at;
        more = names[n] == ',';
        names += n + more;
    }
    *ret = set;
    return QC_OK;
}

const char *gw_engine_cloud_name(struct gw_engine *e, uint32_t cloud_id)
{
    const int at = gw_fan_at(e->fan, cloud_id);

    return at < 0 ? "?" : gw_fan_name(e->fan, (unsigned)at);
}

void gw_engine_cloud_why(struct gw_engine *e, uint32_t cloud_id, char ret[GW_WHY_MAX])
{
    const int at = gw_fan_at(e->fan, cloud_id);
    struct gw_cloud_view v = { 0 };

    if (at >= 0)
        gw_fan_view(e->fan, (unsigned)at, &v);
    memcpy(ret, v.why[0] != '\0' ? v.why : v.trouble, GW_WHY_MAX);
}

bool gw_engine_units_wanted(struct gw_engine *e)
{
    return gw_store_wanted(e->store);
}

qc_rc gw_engine_unit(struct gw_engine *e, uint32_t tenant, uint32_t size, qc_deadline deadline,
                     struct gw_unit **ret, struct qc_err *err)
{
    const unsigned k = e->conf.k; /* first: a unit that is taken after it was known has room for it */

    QC_TRY(gw_unit_take(e->store, tenant, deadline, ret, err));
    gw_unit_begin(*ret, k, size);
    return QC_OK;
}
