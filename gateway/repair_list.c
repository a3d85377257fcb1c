/* Repair, listings: what a cloud says that it has, against what the catalogue knows. P3: what is not shown
 * becomes suspect and is read; what is shown and dead is swept again; what nobody can explain is counted and
 * left. */
#include <stdio.h>

#include "base/planted.h"
#include "ec/geometry.h"
#include "repair_internal.h"

static struct gw_repair_cloud *row_of(struct gw_listing *l)
{
    return &l->p->r->clouds[l->at];
}

/* Nothing that we know. */
static void odd(struct gw_listing *l, enum gw_finding_kind kind, const char *key)
{
    row_of(l)->unknown += kind == GW_FINDING_UNKNOWN;
    row_of(l)->foreign += kind == GW_FINDING_FOREIGN;
    if (l->odd != NULL)
        l->odd(l->ctx, kind, key);
}

/* -- one key --------------------------------------------------------------------------------------------- */

/* The gateway whose key the fragment has. */
static uint32_t writer_of(const struct gw_segment *seg, unsigned frag)
{
    return seg->writer[frag] != 0 ? seg->writer[frag] : seg->incarnation;
}

static uint32_t home_of(const struct gw_segment *seg, const uint8_t *perm, unsigned frag)
{
    return seg->layout[perm[frag]];
}

static struct gw_frag_key frag_key(const struct gw_listing *l, const struct gw_name *name)
{
    return (struct gw_frag_key){ .segment_id = name->id,
                                 .frag = name->index,
                                 .cloud_id = l->cloud_id,
                                 .incarnation = name->incarnation,
                                 .attempt = name->attempt };
}

/* The key that a segment's fragment has now. Where its size is another one, it is as if it were not there. */
static qc_rc see_current(struct gw_listing *l, const struct gw_segment *seg, uint64_t size,
                         struct qc_err *err)
{
    struct ec_geometry g;

    if (seg->size == 0) /* reserved: a put is at work */
        return QC_OK;
    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    if (size == GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n))
        gw_bits_add(&l->seen, seg->id);
    return QC_OK;
}

static qc_rc bury(struct gw_listing *l, const struct gw_frag_key *key, const uint8_t *salt,
                  struct qc_err *err)
{
    struct gw_cat *cat = l->p->e->cat;

    row_of(l)->dead++;
    if (l->p->ask->dry_run)
        return QC_OK;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_dead_key_add(cat, key, salt, err));
    QC_TRY(qc_fault(repair_bury, err));
    return gw_cat_commit(cat, &tx, err);
}

/* A fragment that does not count where its row has it lies here, under a later key: a repair wrote it, and a
 * rebuild did not hear this cloud. It is read, and never counts: that repair may have given the key up, and a
 * DELETE of it be on its way still (D2). So the key is dead, and is swept once the fragment counts elsewhere.
 */
static qc_rc see_later(struct gw_listing *l, const struct gw_segment *seg, const struct gw_frag_key *key,
                       const char *name, struct qc_err *err)
{
    struct gw_cat *cat = l->p->e->cat;
    uint8_t perm[QC_EC_N_MAX];

    odd(l, GW_FINDING_UNKNOWN, name);
    if (l->p->ask->dry_run || (seg->absent >> key->frag & 1) == 0)
        return QC_OK;
    QC_TRY(gw_place_permutation(l->p->e->root, seg->id, seg->salt, seg->n, perm, err));
    const struct gw_deviation_row place = { .frag = key->frag,
                                            .cloud_id = key->cloud_id,
                                            .home = home_of(seg, perm, key->frag),
                                            .incarnation = key->incarnation,
                                            .attempt = key->attempt,
                                            .state = GW_DEV_SUSPECT };
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_place_found(cat, seg->id, &place, err));
    QC_TRY(gw_cat_dead_key_add(cat, key, seg->salt, err));
    return gw_cat_commit(cat, &tx, err);
}

/* A fragment that counts, and lies here under a later key, both of gateways before this one, whose rows
 * nobody has: a repair wrote it, and had given up the one that counts, or gave up this one. A DELETE of
 * either may be on its way still. So neither counts; what they hold is put anew, as in see_later (D2). */
static qc_rc see_several(struct gw_listing *l, const struct gw_segment *seg, const struct gw_frag_key *key,
                         const char *name, struct qc_err *err)
{
    struct gw_cat *cat = l->p->e->cat;
    const unsigned i = key->frag;
    uint8_t perm[QC_EC_N_MAX];

    odd(l, GW_FINDING_UNKNOWN, name);
    if (l->p->ask->dry_run)
        return QC_OK;
    QC_TRY(gw_place_permutation(l->p->e->root, seg->id, seg->salt, seg->n, perm, err));
    const uint32_t home = home_of(seg, perm, i);
    const struct gw_frag_key now = { .segment_id = seg->id,
                                     .frag = i,
                                     .cloud_id = seg->cloud[i] != 0 ? seg->cloud[i] : home,
                                     .incarnation = writer_of(seg, i),
                                     .attempt = seg->attempt[i] };
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_deviate(cat, seg->id, i, home, GW_DEV_SUSPECT, err));
    QC_TRY(gw_cat_dead_key_add(cat, &now, seg->salt, err));
    row_of(l)->left++;
    return gw_cat_commit(cat, &tx, err);
}

/* Does the key follow the one that the fragment has now? */
static bool is_later(const struct gw_segment *seg, const struct gw_frag_key *key)
{
    const uint32_t now = writer_of(seg, key->frag);

    return key->incarnation > now || (key->incarnation == now && key->attempt > seg->attempt[key->frag]);
}

/* A key of a segment that exists, and not the one that counts. Dead if a row says so; or if this pass has
 * read every fragment of the segment under the keys that count, and the key is of a gateway before this one,
 * whose rows nobody has, and no later than the one that counts. */
static qc_rc see_other(struct gw_listing *l, const struct gw_segment *seg, const struct gw_frag_key *key,
                       const char *name, struct qc_err *err)
{
    struct gw_repairing *p = l->p;
    struct gw_frag_key trial;
    bool dead, found;

    QC_TRY(gw_cat_trial(p->e->cat, seg->id, key->frag, &trial, &found, err));
    if (found && trial.cloud_id == key->cloud_id && trial.attempt == key->attempt &&
        (uint16_t)trial.incarnation == (uint16_t)key->incarnation)
        return QC_OK;
    QC_TRY(gw_cat_dead_key_is(p->e->cat, key, &dead, err));
    const bool earlier = key->incarnation < p->e->conf.incarnation;
    const bool later = is_later(seg, key);
    if (dead || (earlier && !later && gw_bits_has(&p->sound, seg->id)))
        return bury(l, key, seg->salt, err);
    if (earlier && later && (seg->absent >> key->frag & 1) == 0)
        return see_several(l, seg, key, name, err);
    return see_later(l, seg, key, name, err);
}

/* A key of a segment whose row is in the ledger: a put landed late, or the cloud is as it was before. Its
 * rounds begin anew. Where a repair had written it under a later key, this key's do: whichever key of the
 * segment it is, the row says that it is dead (D5). */
static qc_rc see_dead(struct gw_listing *l, const struct gw_dead_row *d, const struct gw_name *name,
                      const char *key, struct qc_err *err)
{
    const struct gw_frag_key later = frag_key(l, name);
    struct gw_cat *cat = l->p->e->cat;
    char is[GW_NAME_SIZE] = "";
    int at = -1;

    if (name->index >= d->seg.n || memcmp(name->salt, d->seg.salt, sizeof name->salt) != 0 ||
        qc_planted(ledger_dropped)) {
        odd(l, GW_FINDING_UNKNOWN, key);
        return QC_OK;
    }
    QC_TRY(gw_segment_key(l->p->e->store, &d->seg, name->index, &at, is, err));
    if (at != (int)l->at || strcmp(is, key) != 0)
        return bury(l, &later, d->seg.salt, err);
    row_of(l)->dead++;
    if (l->p->ask->dry_run)
        return QC_OK;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_dead_put(cat, d->seg.id, d->absent & ~(UINT32_C(1) << name->index), 0, err));
    QC_TRY(qc_fault(repair_bury, err));
    return gw_cat_commit(cat, &tx, err);
}

static qc_rc see_known(struct gw_listing *l, const struct gw_segment *seg, const struct gw_name *name,
                       const struct cloud_item *item, struct qc_err *err)
{
    const struct gw_frag_key key = frag_key(l, name);
    char is[GW_NAME_SIZE] = "";
    int at = -1;

    if (name->index >= seg->n || memcmp(name->salt, seg->salt, sizeof name->salt) != 0) {
        odd(l, GW_FINDING_FOREIGN, item->key);
        return QC_OK;
    }
    QC_TRY(gw_segment_key(l->p->e->store, seg, name->index, &at, is, err));
    if (qc_planted(sweep_in_flight) && seg->size == 0)
        return bury(l, &key, seg->salt, err);
    if (at == (int)l->at && strcmp(is, item->key) == 0)
        return see_current(l, seg, item->size, err);
    return see_other(l, seg, &key, item->key, err);
}

qc_rc gw_list_see(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct gw_listing *l = ctx;
    struct gw_engine *e = l->p->e;
    struct qc_err miss = { 0 };
    struct gw_dead_row d;
    struct gw_segment seg;
    struct gw_name name;
    bool found;

    QC_TRY(gw_repair_go_on(l->p, err));
    QC_TRY(gw_name_parse(e->root, l->cloud_id, item->key, &name, err));
    if (name.kind != GW_NAME_FRAGMENT) {
        odd(l, GW_FINDING_FOREIGN, item->key);
        return QC_OK;
    }
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_segment(e->cat, name.id, &seg, &miss);
    if (rc == QC_OK)
        return see_known(l, &seg, &name, item, err);
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_cat_dead_segment(e->cat, name.id, &d, &found, err));
    if (found)
        return see_dead(l, &d, &name, item->key, err);
    odd(l, GW_FINDING_UNKNOWN, item->key);
    return QC_OK;
}

/* -- what was not shown ---------------------------------------------------------------------------------- */

qc_rc gw_repair_uncount(struct gw_engine *e, uint32_t cloud_id, const struct gw_segment *seg,
                        enum gw_deviation state, struct qc_err *err)
{
    uint8_t perm[QC_EC_N_MAX];

    QC_TRY(gw_place_permutation(e->root, seg->id, seg->salt, seg->n, perm, err));
    for (unsigned i = 0; i < seg->n; i++) {
        const uint32_t home = seg->layout[perm[i]];
        const uint32_t place = seg->cloud[i] != 0 ? seg->cloud[i] : home;
        if (place == cloud_id && (seg->absent >> i & 1) == 0)
            QC_TRY(gw_cat_deviate(e->cat, seg->id, i, home, state, err));
    }
    return QC_OK;
}

static qc_rc doubt(struct gw_listing *l, const struct gw_window_row *rows, unsigned count, struct qc_err *err)
{
    struct gw_cat *cat = l->p->e->cat;

    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    for (unsigned x = 0; x < count; x++) {
        struct gw_segment seg;
        if (rows[x].id >= l->p->end || gw_bits_has(&l->seen, rows[x].id))
            continue;
        QC_TRY(gw_cat_segment(cat, rows[x].id, &seg, err)); /* live versions keep their segments */
        QC_TRY(gw_repair_uncount(l->p->e, l->cloud_id, &seg, GW_DEV_SUSPECT, err));
    }
    return gw_cat_commit(cat, &tx, err);
}

static qc_rc doubt_all(struct gw_listing *l, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    for (uint64_t from = 0; from < l->p->end; from += GW_WINDOW) {
        QC_TRY(gw_repair_go_on(l->p, err));
        {
            QC_LOCK(gw_cat_lock(l->p->e->cat));
            QC_TRY(gw_cat_window(l->p->e->cat, from, rows, &count, err));
        }
        if (count > 0)
            QC_TRY(doubt(l, rows, count, err));
    }
    return QC_OK;
}

/* -- clouds ---------------------------------------------------------------------------------------------- */

static void listing_done(struct gw_listing *l)
{
    gw_bits_done(&l->seen);
}

qc_rc gw_repair_list_one(struct gw_repairing *p, unsigned at, struct qc_err *err)
{
    QC_CLEANUP(listing_done) struct gw_listing l = { .p = p, .at = at, .cloud_id = gw_fan_id(p->e->fan, at) };
    struct qc_err why = { 0 };

    QC_TRY(gw_bits_new(&l.seen, p->end, err));
    const qc_rc rc = gw_fan_list(p->e->fan, at, "f/", QC_GW_LIST_PAGE_MS, gw_list_see, &l, &why);
    if (rc == QC_OK) /* with --deep all of it has been read just now */
        return p->ask->deep ? QC_OK : doubt_all(&l, err);
    if (gw_repair_fatal(p, rc)) {
        *err = why;
        return rc;
    }
    p->r->clouds[at].unlisted = true;
    snprintf(p->r->clouds[at].refused, sizeof p->r->clouds[at].refused, "%s", why.msg);
    return QC_OK;
}

qc_rc gw_repair_list(struct gw_repairing *p, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++)
        if (gw_repair_usable(p, at))
            QC_TRY(gw_repair_list_one(p, at, err));
    return QC_OK;
}
