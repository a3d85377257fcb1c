/*
 *   0  names of keys, as given or as before; then, once the clouds are known to be ours, are new places fit?
 *   1  identities of >= r = C - m clouds            -> the root key, or it comes from the kit
 *   2  root object of incarnation + 1 on >= r       FENCE: whoever acknowledges now sees it on one of its e
 * clouds 3  only now list and read the log               chain up to the first gap 4  the cut on >= r, the
 * chain on >= e clouds    later landings are void 5  rows from the records                        the same
 * code that publishes (cat_apply.c) 6  list the fragments                           presence; nothing is
 * deleted 7  the catalogue gets its name                  an older one is set aside
 *
 * R1 (I1): nothing acknowledged is missed. The old gateway acknowledges after its record lay on e clouds and
 * each of them then showed no newer root; e + r > C, so one cloud saw both; the root was there first or the
 * record was. R2: a crash anywhere leaves a root of an incarnation that nobody uses; the next rebuild takes
 * one more.
 */
#include "gateway/rebuild.h"

#include <stdio.h>

#include "cat_internal.h"
#include "home.h"
#include "rebuild_internal.h"
#include "totals.h"

enum { LINKS = 256 }; /* of one transaction */

static void roll_back(struct gw_rebuilding *b)
{
    QC_LOCK(gw_cat_lock(b->cat));

    qc_tx_end(&b->tx);
}

static void free_rebuilding(struct gw_rebuilding **bp)
{
    struct gw_rebuilding *b = *bp;

    *bp = NULL;
    if (b == NULL)
        return;
    if (b->cat != NULL)
        roll_back(b);
    gw_cat_close(&b->cat);
    const bool stuck = b->fan != NULL && !gw_fan_free(&b->fan, QC_GW_OPEN_MS);
    if (!stuck)
        gw_root_free(&b->root);
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        gw_log_wipe(&b->identity[i]); /* shares of the root key */
    for (unsigned i = 0; i < QC_GW_BKEYS_MAX; i++)
        qc_key_free(&b->bkeys[i]);
    gw_rebuild_packs_done(b);
    qc_free(b->seen);
    qc_free(b->ways);
    gw_state_close(&b->state);
    qc_free(b);
}

static qc_rc open_fan(struct gw_rebuilding *b, struct qc_err *err)
{
    struct gw_cloud_conf confs[QC_GW_CLOUDS_MAX];

    for (unsigned at = 0; at < b->setup->count; at++)
        confs[at] = gw_rebuild_conf(b, at);
    return gw_fan_new(&b->fan, confs, b->setup->count, err);
}

/* The root key's file: ours already, or none yet: *ret_has. */
static qc_rc look_at_root(const struct gw_rebuilding *b, bool *ret_has, struct qc_err *err)
{
    QC_CLEANUP(gw_root_free) struct gw_root *have = NULL;

    QC_TRY(gw_state_has(&b->state, gw_state_root, ret_has, err));
    if (!*ret_has)
        return QC_OK;
    QC_TRY(gw_state_get_root(&b->state, gw_state_root, &have, err));
    if (!qc_span_eq(qc_span_of(gw_root_catalogue(have), GW_ID_BYTES),
                    qc_span_of(gw_root_catalogue(b->root), GW_ID_BYTES)) ||
        !qc_key_same(gw_root_G(have), gw_root_G(b->root)))
        return QC_FAIL(err, QC_CONFLICT, "'%s' belongs to another gateway than these clouds", b->state.path);
    return QC_OK;
}

static qc_rc keep_root(struct gw_rebuilding *b, struct qc_err *err)
{
    bool has;

    QC_TRY(look_at_root(b, &has, err));
    if (!has)
        QC_TRY(gw_state_put_root(&b->state, gw_state_root, b->root, err));
    return qc_fault(rebuild_key, err);
}

/* -- rows ------------------------------------------------------------------------------------------------ */

static qc_rc learn_bkey(struct gw_rebuilding *b, const struct gw_rec_bkey *rec, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;

    if (rec->epoch < 1 || rec->epoch > QC_GW_BKEYS_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "log: backup key of epoch %" PRIu32, rec->epoch);
    QC_TRY(qc_key_blank(&key, GW_BKEY_BYTES, err));
    memcpy(qc_key_write(key), rec->key.p, GW_BKEY_BYTES);
    qc_key_seal(key);
    qc_key_free(&b->bkeys[rec->epoch - 1]);
    b->bkeys[rec->epoch - 1] = QC_STEAL(key);
    if (rec->epoch > b->bkey_epoch)
        b->bkey_epoch = rec->epoch;
    return QC_OK;
}

static qc_rc learn(struct gw_rebuilding *b, const struct gw_record *rec, struct qc_err *err)
{
    if (rec->kind == GW_REC_CONFIG) {
        b->conf.k = rec->u.config.k;
        b->conf.n = rec->u.config.n;
        b->conf.write_quorum = rec->u.config.write_quorum;
        b->conf.record_quorum = rec->u.config.record_quorum;
    }
    if (rec->kind == GW_REC_CLOUD || rec->kind == GW_REC_MEMBER)
        return gw_rebuild_learn_cloud(b, rec, err);
    if (rec->kind == GW_REC_RULES)
        b->domain = (enum gw_domain)rec->u.rules.domain;
    if (rec->kind == GW_REC_BKEY)
        return learn_bkey(b, &rec->u.bkey, err);
    if (rec->kind == GW_REC_RECODED && rec->u.recoded.segment.id >= b->next_segment)
        b->next_segment = rec->u.recoded.segment.id + 1;
    if (rec->kind == GW_REC_REPACKED && rec->u.repacked.segment.id >= b->next_segment)
        b->next_segment = rec->u.repacked.segment.id + 1;
    if (rec->kind == GW_REC_COMMIT || rec->kind == GW_REC_BUNDLED)
        for (uint32_t i = 0; i < rec->u.commit.segment_count; i++) {
            struct gw_log_segment s;
            gw_log_segment_at(&rec->u.commit, i, &s);
            if (s.id >= b->next_segment)
                b->next_segment = s.id + 1;
        }
    return QC_OK;
}

/* Under the catalogue's lock. */
static qc_rc commit_links(struct gw_rebuilding *b, struct qc_err *err)
{
    if (b->links == 0)
        return QC_OK;
    b->links = 0;
    return gw_cat_commit(b->cat, &b->tx, err);
}

qc_rc gw_rebuild_flush(struct gw_rebuilding *b, struct qc_err *err)
{
    if (b->cat == NULL)
        return QC_OK;
    QC_LOCK(gw_cat_lock(b->cat));
    return commit_links(b, err);
}

/* One link of the chain: on enough clouds, then its rows, and the copies that are owed. */
static qc_rc take_link(struct gw_rebuilding *b, const struct gw_log *l, qc_span bytes, gw_clouds on,
                       struct qc_err *err)
{
    struct gw_log_row row = { .sequence = l->head.sequence, .incarnation = l->head.incarnation };
    struct gw_log_iter it = gw_log_records(l);
    struct gw_record rec;

    for (bool more = true;;) {
        QC_TRY(gw_log_next(&it, &rec, &more, err));
        if (!more)
            break;
        QC_TRY(learn(b, &rec, err));
    }
    if (b->conf.k == 0)
        return QC_FAIL(err, QC_INTEGRITY, "log: it does not begin with a configuration");
    if (!b->setup->verify_only)
        QC_TRY(gw_rebuild_reput(b, &l->head, bytes, &on, err));
    QC_TRY(qc_sha256(&bytes, 1, row.hash, err));
    if (b->cat == NULL) /* not before it is known that the log begins: whoever waits for clouds tries often */
        QC_TRY(gw_home_make(&b->state, &b->cat, err));
    QC_LOCK(gw_cat_lock(b->cat));
    if (b->links == 0)
        QC_TRY(gw_cat_begin(b->cat, &b->tx, err));
    b->links++;
    QC_TRY(gw_cat_apply(b->cat, l, NULL, err));
    QC_TRY(gw_cat_log_put(b->cat, &row, err));
    if (row.sequence == b->swept.sequence && qc_ct_eq(row.hash, b->swept.hash, sizeof row.hash))
        QC_TRY(gw_cat_dead_swept(b->cat, err));
    for (unsigned i = 0; i < b->cloud_count; i++) {
        const int at = gw_rebuild_at(b, b->clouds[i].id);
        if (b->clouds[i].state != GW_LIFE_RETIRED && (at < 0 || (on >> at & 1) == 0))
            QC_TRY(gw_cat_debt_add(b->cat, b->clouds[i].id, row.sequence, err));
    }
    return b->links == LINKS ? commit_links(b, err) : QC_OK;
}

/* Clouds that answered without an identity: nothing on them counts. Those are known by their place. */
static qc_rc mark_lost(struct gw_rebuilding *b, struct qc_err *err)
{
    for (unsigned at = 0; at < b->setup->count; at++)
        for (unsigned i = 0; i < b->cloud_count; i++)
            if ((b->lost >> at & 1) && strcmp(b->clouds[i].url, b->setup->clouds[at].url) == 0)
                QC_TRY(gw_cloud_set_lost(b->cat, b->clouds[i].id, true, err));
    return QC_OK;
}

static qc_rc write_config(struct gw_rebuilding *b, struct qc_err *err)
{
    struct gw_birth birth = { .conf = b->conf,
                              .clouds = b->clouds,
                              .cloud_count = b->cloud_count,
                              .next_segment = b->next_segment,
                              .bkey_epoch = b->bkey_epoch };

    if (b->bkey_epoch == 0)
        return QC_FAIL(err, QC_INTEGRITY, "log: no backup key in its records");
    memcpy(birth.conf.catalogue.b, gw_root_catalogue(b->root), GW_ID_BYTES);
    birth.conf.instance = b->instance;
    birth.conf.incarnation = b->incarnation;
    birth.conf.life = GW_LIFE_READY;
    QC_LOCK(gw_cat_lock(b->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(b->cat, &tx, err));
    QC_TRY(gw_birth_write(b->cat, &birth, err));
    QC_TRY(gw_tip_put(b->cat, &b->tip, err));
    QC_TRY(gw_meta_set(b->cat, "domain", b->domain, err));
    QC_TRY(gw_meta_set(b->cat, "shares", b->mixed ? GW_SHARES_TO_SPREAD : GW_SHARES_SETTLED, err));
    for (uint32_t epoch = 1; epoch <= QC_GW_BKEYS_MAX; epoch++)
        if (b->bkeys[epoch - 1] != NULL)
            QC_TRY(gw_birth_bkey(b->cat, b->root, epoch, b->bkeys[epoch - 1], b->rng, err));
    QC_TRY(mark_lost(b, err));
    return gw_cat_commit(b->cat, &tx, err);
}

static qc_rc write_rows(struct gw_rebuilding *b, struct qc_err *err)
{
    b->next_segment = 1;
    QC_TRY(gw_rebuild_list_log(b, err));
    QC_TRY(gw_rebuild_list_packs(b, err));
    QC_TRY(gw_rebuild_guess_notes(b, err));
    QC_TRY(gw_rebuild_walk(b, take_link, err));
    QC_TRY(gw_rebuild_flush(b, err));
    QC_TRY(gw_rebuild_roster(b, err));
    QC_TRY(gw_rebuild_find_notes(b, err));
    QC_TRY(qc_fault(rebuild_listed, err));
    if (!b->setup->verify_only)
        QC_TRY(gw_rebuild_cut(b, err));
    QC_TRY(write_config(b, err));
    QC_TRY(qc_fault(rebuild_rows, err));
    QC_TRY(gw_rebuild_presence(b, err));
    return qc_fault(rebuild_presence, err);
}

static qc_rc fill_report(struct gw_rebuilding *b, struct qc_err *err)
{
    struct gw_totals n;

    QC_LOCK(gw_cat_lock(b->cat));
    QC_TRY(gw_cat_totals(b->cat, &n, err));
    b->report->vaults = n.vaults;
    b->report->entries = n.entries;
    b->report->versions = n.versions;
    b->report->tombstones = n.tombstones;
    b->report->bytes = n.bytes;
    b->report->tenants = n.tenants;
    return QC_OK;
}

/* -- names ----------------------------------------------------------------------------------------------- */

static qc_rc finish(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_TRY(gw_rebuild_alone(b, false, err));
    QC_TRY(fill_report(b, err));
    {
        QC_LOCK(gw_cat_lock(b->cat));
        QC_TRY(gw_cat_checkpoint(b->cat, err));
    }
    gw_cat_close(&b->cat);
    QC_TRY(gw_home_install(&b->state, b->incarnation, err));
    return qc_fault(rebuild_done, err);
}

/* What would come of it, seen whole, and gone again. */
static qc_rc check_made(struct gw_rebuilding *b, struct qc_err *err)
{
    bool has;

    QC_TRY(look_at_root(b, &has, err));
    QC_TRY(gw_rebuild_look(b, err));
    QC_TRY(write_rows(b, err));
    QC_TRY(fill_report(b, err));
    QC_LOCK(gw_cat_lock(b->cat));
    return gw_cat_check(b->cat, err);
}

static qc_rc verify(struct gw_rebuilding *b, struct qc_err *err)
{
    struct qc_err unused = { 0 };

    const qc_rc rc = check_made(b, err);
    if (b->cat != NULL)
        roll_back(b);
    gw_cat_close(&b->cat);
    qc_ignore(gw_home_drop(&b->state, &unused), "the next rebuild does it");
    return rc;
}

static qc_rc make(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_TRY(keep_root(b, err));
    QC_TRY(gw_ways_save(&b->state, b->ways, err));
    QC_TRY(gw_rebuild_fence(b, err));
    QC_TRY(write_rows(b, err));
    return finish(b, err);
}

qc_rc gw_rebuild(const char *state_dir, const struct gw_rebuild_setup *setup, const qc_rng *rng,
                 struct gw_rebuild_report *ret, struct qc_err *err)
{
    QC_CLEANUP(free_rebuilding) struct gw_rebuilding *b = qc_alloc(sizeof *b);
    struct gw_rebuild_report report = { 0 };

    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "rebuild");
    b->setup = setup; /* until the keys' names are known */
    b->rng = rng;
    b->report = &report;
    QC_TRY(gw_clouds_check(setup->clouds, setup->count, err));
    QC_TRY(gw_state_open(&b->state, state_dir, true, err));
    QC_TRY(gw_rebuild_ways(b, setup, err));
    QC_TRY(open_fan(b, err));
    QC_TRY(gw_rebuild_identities(b, err));
    QC_TRY(setup->verify_only ? verify(b, err) : make(b, err));
    *ret = report;
    return QC_OK;
}
