/* Making a gateway.
 *
 *   look at the clouds -> are they fit? -> clouds.conf -> root.key -> catalogue (life INIT) -> identities ->
 * root object -> log object 1 -> life READY
 *
 * Nothing is written anywhere before all clouds were seen empty, and then only what a validation removes
 * again, before all were seen to be fit. Up to the catalogue's name a crash leaves at most a root key that
 * nothing hangs on; from there on the catalogue holds every byte that goes to the clouds, and
 * gw_engine_finish_init puts the same ones again (D10).
 */
#include <stdio.h>

#include "engine_internal.h"
#include "home.h"
#include "make.h"
#include "trust.h"

/* -- looking --------------------------------------------------------------------------------------------- */

struct handles {
    struct cloud *v[QC_GW_CLOUDS_MAX];
};

static void close_handles(struct handles *h)
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        cloud_close(&h->v[i]);
}

/* What a validation that was killed has left does not count: the next one removes it. */
static qc_rc see_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    bool *seen = ctx;

    (void)err;
    *seen = *seen || !cloud_is_test_key(item->key);
    return QC_OK;
}

static qc_rc look_at(struct cloud *c, const struct gw_engine_cloud *cloud, struct qc_err *err)
{
    const struct cloud_op op = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) };
    const struct cloud_list_query q = { .prefix = "", .after = "", .limit = CLOUD_LIST_MAX };
    struct cloud_page page;
    uint64_t size;
    bool seen = false;

    const qc_rc rc = cloud_head(c, gw_name_identity, &size, &op, err);
    if (rc == QC_OK)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s: carries another gateway's identity", cloud->name);
    if (rc != QC_NOTFOUND)
        QC_TRY_AS(rc, err, "cloud %s", cloud->name);
    QC_TRY_AS(cloud_list(c, &q, see_key, &seen, &page, &op, err), err, "cloud %s", cloud->name);
    if (seen || page.more)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s: holds objects already", cloud->name);
    return QC_OK;
}

/* All are open at once, exclusively: two names for one place would show. */
static qc_rc look_at_clouds(const struct gw_engine_setup *setup, struct qc_err *err)
{
    QC_CLEANUP(close_handles) struct handles h = { 0 };

    for (unsigned i = 0; i < setup->count; i++) {
        const struct gw_engine_cloud *cloud = &setup->clouds[i];
        const struct cloud_opts opts = { .name = cloud->name,
                                         .credentials = cloud->credentials,
                                         .exclusive = true,
                                         .op = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
        qc_rc rc = cloud_create_opts(cloud->url, &opts, err);
        if (rc == QC_OK)
            rc = cloud_open_opts(&h.v[i], cloud->url, &opts, err);
        if (rc == QC_LOCKED)
            return QC_FAIL(err, QC_CONFLICT,
                           "cloud %s: in use by another program, or the same place as another cloud",
                           cloud->name);
        if (rc == QC_TEMP || rc == QC_TIMEOUT)
            return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer, and all must for init", cloud->name);
        QC_TRY(rc);
        QC_TRY(look_at(h.v[i], cloud, err));
    }
    return QC_OK;
}

static qc_rc judge(const struct gw_engine_setup *setup, struct gw_ways *ways, unsigned i, struct gw_trial *t,
                   struct qc_err *err)
{
    const struct gw_engine_cloud *cloud = &setup->clouds[i];

    if (t->rc != QC_OK)
        *err = t->err;
    if (t->rc == QC_TEMP || t->rc == QC_TIMEOUT)
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer, and all must for init", cloud->name);
    QC_TRY(t->rc);
    if (setup->told != NULL)
        setup->told(setup->told_ctx, cloud->name, &t->report);
    QC_TRY(gw_trust_judge(cloud->name, &t->report, err));
    return gw_trust_note(ways, cloud, &t->report, err);
}

/* All are judged before one is refused, so that one run tells of all that is wrong. */
static qc_rc judge_all(const struct gw_engine_setup *setup, struct gw_ways *ways, struct gw_trial *trials,
                       struct qc_err *err)
{
    qc_rc first = QC_OK;

    for (unsigned i = 0; i < setup->count; i++) {
        struct qc_err why = { 0 };
        const qc_rc rc = trials[i].ran ? judge(setup, ways, i, &trials[i], &why) : QC_OK;
        if (rc != QC_OK && first == QC_OK) {
            first = rc;
            *err = why;
        }
    }
    return first;
}

/* Where the keys are, and what was shown: durable before anything hangs on it. What an init that was
 * interrupted has shown of the same places stands. */
static qc_rc trust_clouds(const struct gw_state *s, const struct gw_engine_setup *setup, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_trial *trials = NULL;
    gw_clouds set = 0;

    QC_TRY(gw_ways_load(s, &ways, err));
    for (unsigned i = 0; i < setup->count; i++) {
        struct gw_way *way = NULL;
        QC_TRY(gw_ways_get(ways, setup->clouds[i].name, &way, err));
        gw_way_set_credentials(way, setup->clouds[i].credentials);
        if (setup->validate && !gw_way_is_validated(way, setup->clouds[i].url))
            set |= (gw_clouds)1 << i;
    }
    QC_TRY(gw_trust_try(setup->clouds, setup->count, set, QC_GW_TRUST_MS, &trials, err));
    QC_TRY(judge_all(setup, ways, trials, err));
    return gw_ways_save(s, ways, err);
}

/* -- local files ----------------------------------------------------------------------------------------- */

static qc_rc check_setup(const struct gw_engine_setup *setup, struct gw_config *conf, struct qc_err *err)
{
    QC_TRY(gw_clouds_check(setup->clouds, setup->count, err));
    QC_TRY(gw_clouds_check_keys(setup->clouds, setup->count, err));
    conf->n = setup->n != 0 ? setup->n : setup->count;
    if (conf->n > setup->count || conf->n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_USAGE, "n = %u fragments for %u clouds: each needs one of its own", conf->n,
                       setup->count);
    /* The default is a majority: then any two rebuilds, and a rebuild and a commit, meet on some cloud. */
    conf->k = setup->k != 0 ? setup->k : conf->n == 2 ? 1 : conf->n / 2 + 1;
    if (conf->k > conf->n)
        return QC_FAIL(err, QC_USAGE, "k = %u of n = %u", conf->k, conf->n);
    conf->incarnation = 1;
    conf->life = GW_LIFE_INIT;
    gw_quorums(conf);
    return QC_OK;
}

struct identities {
    qc_buf v[QC_GW_CLOUDS_MAX];
};

static void free_identities(struct identities *i)
{
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        gw_log_wipe(&i->v[at]); /* shares of the root key */
}

static qc_rc make_identities(const struct gw_root *root, struct gw_birth *b, const qc_rng *rng,
                             struct identities *ret, struct qc_err *err)
{
    struct gw_member members[QC_GW_CLOUDS_MAX];
    const unsigned m = b->conf.n - b->conf.k;

    for (unsigned i = 0; i < b->cloud_count; i++) {
        members[i] = (struct gw_member){ b->clouds[i].id, b->clouds[i].generation };
        qc_buf_init(&ret->v[i], GW_IDENTITY_MAX);
    }
    QC_TRY(gw_identity_make(root, members, b->cloud_count, b->cloud_count - m, rng, ret->v, err));
    for (unsigned i = 0; i < b->cloud_count; i++)
        b->clouds[i].identity = qc_buf_span(&ret->v[i]);
    return QC_OK;
}

static qc_rc write_catalogue(const struct gw_state *s, const struct gw_root *root, struct gw_birth *b,
                             const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(free_identities) struct identities identities = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *bkey = NULL;
    QC_CLEANUP(gw_cat_close) struct gw_cat *cat = NULL;

    QC_TRY(make_identities(root, b, rng, &identities, err));
    QC_TRY(qc_key_new(&bkey, GW_BKEY_BYTES, rng, err));
    QC_TRY(gw_home_make(s, &cat, err));
    {
        QC_LOCK(gw_cat_lock(cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(cat, &tx, err));
        QC_TRY(gw_birth_write(cat, b, err));
        QC_TRY(gw_birth_bkey(cat, root, b->bkey_epoch, bkey, rng, err));
        QC_TRY(gw_cat_commit(cat, &tx, err));
        QC_TRY(gw_cat_checkpoint(cat, err));
    }
    gw_cat_close(&cat);
    return gw_home_install(s, 0, err);
}

static qc_rc make_local(const struct gw_state *s, const struct gw_engine_setup *setup, const qc_rng *rng,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_root_free) struct gw_root *root = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = NULL;
    struct gw_birth b = { .next_segment = 1, .bkey_epoch = 1 };
    bool has_key;

    QC_TRY(check_setup(setup, &b.conf, err));
    QC_TRY(gw_clouds_rows(setup->clouds, setup->count, &rows, err));
    b.clouds = rows;
    b.cloud_count = setup->count;
    QC_TRY(look_at_clouds(setup, err));
    QC_TRY(trust_clouds(s, setup, err));
    QC_TRY(qc_fault(gw_init_rows, err));
    QC_TRY(gw_state_has(s, gw_state_root, &has_key, err));
    if (!has_key) {
        QC_TRY(gw_root_random(&root, rng, err));
        QC_TRY(gw_state_put_root(s, gw_state_root, root, err));
        gw_root_free(&root);
    }
    QC_TRY(gw_state_get_root(s, gw_state_root, &root, err));
    QC_TRY(qc_fault(gw_init_key, err));
    memcpy(b.conf.catalogue.b, gw_root_catalogue(root), GW_ID_BYTES);
    QC_TRY(qc_rng_fill(rng, b.conf.instance.b, GW_ID_BYTES, err));
    QC_TRY(write_catalogue(s, root, &b, rng, err));
    return qc_fault(gw_init_catalogue, err);
}

/* Is there a catalogue, and is it one whose init was interrupted? */
static qc_rc look_at_state(const struct gw_state *s, bool *ret_made, struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *cat = NULL;
    struct gw_config conf;

    QC_TRY(gw_home_has(s, ret_made, err));
    if (!*ret_made)
        return QC_OK;
    QC_TRY(gw_home_open(s, &cat, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_TRY(gw_config_get(cat, &conf, err));
    if (conf.life != GW_LIFE_INIT)
        return QC_FAIL(err, QC_CONFLICT, "'%s' has a gateway already", s->path);
    return QC_OK;
}

qc_rc gw_engine_init(const char *state_dir, const struct gw_engine_setup *setup, const qc_rng *rng,
                     struct qc_err *err)
{
    QC_CLEANUP(gw_engine_close) struct gw_engine *e = NULL;
    struct gw_config conf = { 0 };
    bool made;

    QC_TRY(check_setup(setup, &conf, err));
    {
        QC_CLEANUP(gw_state_close) struct gw_state s = { 0 };
        QC_TRY(gw_state_open(&s, state_dir, true, err));
        QC_TRY(look_at_state(&s, &made, err));
        if (!made)
            QC_TRY(make_local(&s, setup, rng, err));
    }
    return gw_engine_open(&e, state_dir, rng, err); /* finishes */
}

/* -- on the clouds --------------------------------------------------------------------------------------- */

static qc_rc all_or_quorum(struct gw_engine *e, const struct gw_answer *a, const char *what,
                           struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        const struct gw_outcome *o = &a->outcome[at];
        if (a->done >> at & 1)
            continue;
        if (o->fate == GW_FAILED && o->rc == QC_CONFLICT)
            return QC_FAIL(err, QC_CONFLICT, "cloud %s: has another %s already; it is left as it is",
                           gw_fan_name(e->fan, at), what);
        return QC_FAIL(err, o->rc == QC_FULL || o->rc == QC_AUTH ? o->rc : QC_QUORUM,
                       "cloud %s: %s was not written, and init needs all clouds: %s", gw_fan_name(e->fan, at),
                       what, o->why);
    }
    return QC_OK;
}

static qc_rc put_identities(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(free_identities) struct identities identities = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX];
    qc_span bytes[QC_GW_CLOUDS_MAX];
    struct gw_answer a;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        QC_LOCK(gw_cat_lock(e->cat));
        qc_buf_init(&identities.v[at], GW_IDENTITY_MAX);
        QC_TRY(gw_cloud_identity(e->cat, gw_fan_id(e->fan, at), &identities.v[at], err));
        bytes[at] = qc_buf_span(&identities.v[at]);
        keys[at] = gw_name_identity;
    }
    const struct gw_ask ask = { .set = gw_fan_all(e->fan),
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(gw_fan_put_each(e->fan, &ask, bytes, CLOUD_NEW, &a, err));
    return all_or_quorum(e, &a, "identity", err);
}

static qc_rc put_root(struct gw_engine *e, struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_ROOT, .id = e->conf.incarnation };
    struct gw_root_object o = { .incarnation = e->conf.incarnation };
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
    uint8_t bytes[GW_ROOT_OBJECT_BYTES];
    struct gw_answer a;

    memcpy(o.instance, e->conf.instance.b, sizeof o.instance);
    QC_TRY(gw_root_object_make(e->root, &o, bytes, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        QC_TRY(gw_name_make(e->root, gw_fan_id(e->fan, at), &name, names[at], err));
        keys[at] = names[at];
    }
    const struct gw_ask ask = { .set = gw_fan_all(e->fan),
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_put(e->fan, &ask, qc_span_of(bytes, sizeof bytes), CLOUD_NEW, &a, err));
    return all_or_quorum(e, &a, "root object", err);
}

static qc_rc add_cloud_records(struct gw_engine *e, struct gw_change *c, qc_buf *records, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_record rec = { .kind = GW_REC_CLOUD };
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        rec.u.cloud = (struct gw_rec_cloud){ .id = view.id,
                                             .name = qc_span_str(gw_fan_name(e->fan, at)),
                                             .url = qc_span_str(gw_fan_url(e->fan, at)),
                                             .generation = view.generation,
                                             .state = 1 };
        QC_TRY(gw_log_add(records, &rec, err));
        c->first_count++;
    }
    return QC_OK;
}

static qc_rc put_first(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf records = { .max = 256 * 1024 };
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = 256 };
    QC_CLEANUP(qc_key_free) qc_key *bkey = NULL;
    struct gw_change c = { .kind = GW_CHANGE_FIRST };
    const struct gw_record config = { .kind = GW_REC_CONFIG,
                                      .u.config = { .k = (uint8_t)e->conf.k,
                                                    .n = (uint8_t)e->conf.n,
                                                    .write_quorum = (uint8_t)e->conf.write_quorum,
                                                    .record_quorum = (uint8_t)e->conf.record_quorum } };

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_bkey_get(e->cat, e->bkey_epoch, &sealed, err));
    }
    QC_TRY(gw_bkey_open(e->root, e->bkey_epoch, qc_buf_span(&sealed), &bkey, err));
    QC_TRY(qc_buf_reserve(&records, records.max,
                          err)); /* in one piece: the bkey is not left behind by growing */
    QC_TRY(gw_log_add(&records, &config, err));
    c.first_count = 1;
    QC_TRY(add_cloud_records(e, &c, &records, err));
    QC_TRY(gw_log_add(&records,
                      &(struct gw_record){ .kind = GW_REC_BKEY,
                                           .u.bkey = { .epoch = e->bkey_epoch, .key = qc_key_open(bkey) } },
                      err));
    c.first_count++;
    c.first = qc_buf_span(&records);
    return gw_commit(e, &c, err);
}

qc_rc gw_engine_finish_init(struct gw_engine *e, struct qc_err *err)
{
    QC_TRY(put_identities(e, err));
    QC_TRY(qc_fault(gw_init_identity, err));
    QC_TRY(put_root(e, err));
    QC_TRY(qc_fault(gw_init_root, err));
    QC_TRY(put_first(e, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_meta_set(e->cat, "life", GW_LIFE_READY, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    e->conf.life = GW_LIFE_READY;
    return QC_OK;
}
