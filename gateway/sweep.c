/* Dead keys: DELETE, then HEAD, in rounds. Only "not there" counts; the row stays (durability:
 * BUG_LEDGER_DROPPED), since a late PUT may still land: a listing finds it then, and the rounds begin anew.
 */
#include "base/planted.h"
#include "ec/geometry.h"
#include "engine_internal.h"

/* Keys that are swept together, one per cloud. */
struct sweep_keys {
    gw_clouds set;
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
    struct gw_dead_key dead[QC_GW_CLOUDS_MAX]; /* by cloud */
    unsigned frag[QC_GW_CLOUDS_MAX];           /* by cloud */
};

/* Can this cloud be swept now? */
static bool usable(struct gw_engine *e, unsigned at)
{
    struct gw_cloud_view view;

    gw_fan_view(e->fan, at, &view);
    return view.role != GW_ROLE_GONE && view.state != GW_CLOUD_LOST && view.state != GW_CLOUD_UNREACHABLE &&
           !view.suspect;
}

/* Nothing of a cloud that was retired is asked for any more. */
static bool is_retired(struct gw_engine *e, int at)
{
    return at < 0 || (gw_fan_all(e->fan) >> at & 1) == 0;
}

static void add(struct sweep_keys *k, unsigned at, const char key[GW_NAME_SIZE])
{
    memcpy(k->names[at], key, GW_NAME_SIZE);
    k->keys[at] = k->names[at];
    k->set |= (gw_clouds)1 << at;
}

/* One call's work. */
struct sweeping {
    struct gw_engine *e;
    unsigned keys; /* swept, or tried, */
    unsigned gone; /* and seen absent */
    bool heard;
};

/* What is dead here may count for a gateway that took over: asked once per call, before anything is deleted.
 */
static qc_rc hear(struct sweeping *s, struct qc_err *err)
{
    gw_clouds set = 0;

    if (s->heard)
        return QC_OK;
    for (unsigned at = 0; at < gw_fan_count(s->e->fan); at++)
        set |= (gw_clouds)usable(s->e, at) << at;
    QC_TRY(gw_engine_hear(s->e, set, qc_deadline_in(QC_GW_STATUS_MS), err));
    s->heard = true;
    return QC_OK;
}

/* *ret_absent: clouds that say that their key is not there. */
static qc_rc sweep(struct sweeping *s, const struct sweep_keys *k, gw_clouds *ret_absent, struct qc_err *err)
{
    struct gw_engine *e = s->e;
    const struct gw_ask ask = { .set = k->set,
                                .keys = k->keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    struct gw_answer a;
    gw_clouds absent = 0;

    QC_TRY(hear(s, err));
    s->keys += (unsigned)__builtin_popcount(k->set);
    QC_TRY(qc_fault(sweep_delete, err));
    QC_TRY(gw_fan_delete(e->fan, &ask, &a, err));
    QC_TRY(qc_fault(sweep_deleted, err));
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if ((k->set >> at & 1) && a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_NOTFOUND)
            absent |= (gw_clouds)1 << at;
    s->gone += (unsigned)__builtin_popcount(absent);
    *ret_absent = qc_planted(ledger_dropped) ? k->set : absent;
    return qc_fault(sweep_round, err);
}

/* -- dead segments --------------------------------------------------------------------------------------- */

/* Its keys that were not seen absent in this round. *absent grows by those of clouds that were retired. */
static qc_rc segment_keys(struct gw_engine *e, const struct gw_dead_row *d, struct sweep_keys *ret,
                          uint32_t *absent, struct qc_err *err)
{
    for (unsigned i = 0; i < d->seg.n; i++) {
        char key[GW_NAME_SIZE];
        int at;
        if (d->absent >> i & 1)
            continue;
        QC_TRY(gw_segment_key(e->store, &d->seg, i, &at, key, err));
        if (is_retired(e, at))
            *absent |= UINT32_C(1) << i;
        if (at < 0 || !usable(e, (unsigned)at))
            continue;
        add(ret, (unsigned)at, key);
        ret->frag[at] = i;
    }
    return QC_OK;
}

static qc_rc write_segment(struct gw_engine *e, const struct gw_dead_row *d, uint32_t absent,
                           struct qc_err *err)
{
    const uint32_t all = d->seg.n == 32 ? UINT32_MAX : (UINT32_C(1) << d->seg.n) - 1;

    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    if (absent == all)
        QC_TRY(gw_cat_dead_put(e->cat, d->seg.id, 0, d->round + 1, err));
    else
        QC_TRY(gw_cat_dead_put(e->cat, d->seg.id, absent, d->round, err));
    return gw_cat_commit(e->cat, &tx, err);
}

static qc_rc sweep_segment(struct sweeping *s, const struct gw_dead_row *d, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct sweep_keys *k = qc_alloc(sizeof *k);
    struct gw_engine *e = s->e;
    uint32_t absent = d->absent;
    gw_clouds gone = 0;

    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "sweeping");
    QC_TRY(segment_keys(e, d, k, &absent, err));
    if (k->set != 0)
        QC_TRY(sweep(s, k, &gone, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (gone >> at & 1)
            absent |= UINT32_C(1) << k->frag[at];
    return absent == d->absent ? QC_OK : write_segment(e, d, absent, err);
}

static qc_rc next_segment(struct gw_engine *e, uint64_t after, struct gw_dead_row *ret, bool *ret_found,
                          struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_dead_next(e->cat, after, QC_GW_SWEEP_ROUNDS, ret, ret_found, err);
}

static qc_rc sweep_segments(struct sweeping *s, uint64_t *after, struct qc_err *err)
{
    for (unsigned rows = 0; rows < QC_GW_TIDY_KEYS && s->keys < QC_GW_TIDY_KEYS; rows++) {
        struct gw_dead_row d;
        bool found;
        QC_TRY(next_segment(s->e, *after, &d, &found, err));
        if (!found) {
            *after = 0;
            break;
        }
        *after = d.seg.id;
        if (!gw_busy_is(s->e, d.seg.id))
            QC_TRY(sweep_segment(s, &d, err));
    }
    return QC_OK;
}

/* -- dead keys of fragments ------------------------------------------------------------------------------ */

/* The key's name and its cloud's position; -1: this gateway does not have it. */
static qc_rc key_name(struct gw_engine *e, const struct gw_dead_key *d, int *ret_at, char ret[GW_NAME_SIZE],
                      struct qc_err *err)
{
    struct gw_name name = { .kind = GW_NAME_FRAGMENT,
                            .id = d->key.segment_id,
                            .index = (uint8_t)d->key.frag,
                            .attempt = d->key.attempt,
                            .incarnation = (uint16_t)d->key.incarnation };

    memcpy(name.salt, d->salt, sizeof name.salt);
    *ret_at = gw_fan_at(e->fan, d->key.cloud_id);
    return gw_name_make(e->root, d->key.cloud_id, &name, ret, err);
}

/* Does the fragment count nowhere? Then what lies under a key that is dead may be all there is of it: a trial
 * that was cut short after its put, or whose put landed when its sender had given up. It is swept once the
 * fragment counts; until then salvage, or a rebuild, may still be glad of it. (I1) */
static qc_rc is_last(struct gw_engine *e, const struct gw_frag_key *key, bool *ret, struct qc_err *err)
{
    char name[GW_NAME_SIZE];
    struct qc_err miss = { 0 };
    struct gw_cloud_view view = { .state = GW_CLOUD_LOST };
    struct gw_segment seg;
    int at;

    *ret = false;
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_segment(e->cat, key->segment_id, &seg, &miss);
    if (rc == QC_NOTFOUND) /* all of it is dead */
        return QC_OK;
    if (rc != QC_OK) {
        *err = miss;
        return rc;
    }
    if (key->frag >= seg.n)
        return QC_OK;
    QC_TRY(gw_segment_key(e->store, &seg, key->frag, &at, name, err));
    if (at >= 0)
        gw_fan_view(e->fan, (unsigned)at, &view);
    *ret = (seg.absent >> key->frag & 1) != 0 || view.state == GW_CLOUD_LOST;
    return QC_OK;
}

/* The next keys, until a cloud would have two. */
static qc_rc gather_keys(struct gw_engine *e, uint64_t *after, struct sweep_keys *ret, struct qc_err *err)
{
    for (unsigned rows = 0; rows < QC_GW_TIDY_KEYS; rows++) {
        struct gw_dead_key d;
        char key[GW_NAME_SIZE];
        bool found, last;
        int at;
        {
            QC_LOCK(gw_cat_lock(e->cat));
            QC_TRY(gw_cat_dead_key_next(e->cat, *after, &d, &found, err));
        }
        if (!found) {
            *after = 0;
            return QC_OK;
        }
        QC_TRY(key_name(e, &d, &at, key, err));
        if (at >= 0 && (ret->set >> at & 1))
            return QC_OK;
        *after = d.no;
        if (at < 0 || !usable(e, (unsigned)at))
            continue;
        QC_TRY(is_last(e, &d.key, &last, err));
        if (last)
            continue;
        add(ret, (unsigned)at, key);
        ret->dead[at] = d;
    }
    return QC_OK;
}

static qc_rc write_keys(struct gw_engine *e, const struct sweep_keys *k, gw_clouds absent, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (absent >> at & 1)
            QC_TRY(gw_cat_dead_key_round(e->cat, k->dead[at].no, k->dead[at].round + 1, err));
    return gw_cat_commit(e->cat, &tx, err);
}

static qc_rc sweep_fragments(struct sweeping *s, uint64_t *after, struct qc_err *err)
{
    do { /* ends: each round goes further in the table, or sets *after to 0 */
        QC_CLEANUP(qc_free_ptr) struct sweep_keys *k = qc_alloc(sizeof *k);
        gw_clouds absent;
        if (k == NULL)
            return QC_FAIL(err, QC_NOMEM, "sweeping");
        QC_TRY(gather_keys(s->e, after, k, err));
        if (k->set == 0)
            break;
        QC_TRY(sweep(s, k, &absent, err));
        if (absent != 0)
            QC_TRY(write_keys(s->e, k, absent, err));
    } while (*after != 0 && s->keys < QC_GW_TIDY_KEYS);
    return QC_OK;
}

/* -- for people ------------------------------------------------------------------------------------------ */

static qc_rc tell_key(struct gw_engine *e, int at, struct gw_dead *d, gw_dead_fn fn, void *ctx,
                      struct qc_err *err)
{
    if (at < 0)
        return QC_OK; /* a cloud that this gateway does not have */
    d->cloud = gw_fan_name(e->fan, (unsigned)at);
    d->away = !usable(e, (unsigned)at);
    return fn(ctx, d, err);
}

/* Of one fragment, its head and tags left out; 0: not known. */
static uint64_t fragment_bytes(const struct gw_segment *seg)
{
    struct ec_geometry g;
    struct qc_err unused = { 0 };

    return seg->size > 0 && ec_geometry(seg->k, seg->size, &g, &unused) == QC_OK ? g.payload_size : 0;
}

static qc_rc tell_segment(struct gw_engine *e, const struct gw_dead_row *row, gw_dead_fn fn, void *ctx,
                          struct qc_err *err)
{
    for (unsigned i = 0; i < row->seg.n; i++) {
        struct gw_dead d = { .bytes = fragment_bytes(&row->seg) };
        int at;
        if (row->absent >> i & 1)
            continue;
        QC_TRY(gw_segment_key(e->store, &row->seg, i, &at, d.key, err));
        QC_TRY(tell_key(e, at, &d, fn, ctx, err));
    }
    return QC_OK;
}

static qc_rc next_key(struct gw_engine *e, uint64_t after, struct gw_dead_key *ret, bool *ret_found,
                      struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_dead_key_next(e->cat, after, ret, ret_found, err);
}

qc_rc gw_engine_dead(struct gw_engine *e, gw_dead_fn fn, void *ctx, struct qc_err *err)
{
    uint64_t after = 0;
    bool found = true;

    QC_TRY(gw_engine_may(e, err));
    while (found) { /* ends: each row is after the one before */
        struct gw_dead_row row;
        QC_TRY(next_segment(e, after, &row, &found, err));
        if (!found)
            break;
        after = row.seg.id;
        if (!gw_busy_is(e, row.seg.id))
            QC_TRY(tell_segment(e, &row, fn, ctx, err));
    }
    after = 0;
    for (found = true; found;) {
        struct gw_dead d = { .replaced = true };
        struct gw_dead_key key;
        int at;
        QC_TRY(next_key(e, after, &key, &found, err));
        if (!found)
            break;
        after = key.no;
        QC_TRY(key_name(e, &key, &at, d.key, err));
        QC_TRY(tell_key(e, at, &d, fn, ctx, err));
    }
    return QC_OK;
}

/* -- both ------------------------------------------------------------------------------------------------ */

qc_rc gw_tidy_sweep(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    struct sweeping s = { .e = e };
    uint64_t after, after_key;

    *ret_more = false;
    if (!atomic_load(&e->tip_checked)) /* an old catalogue's idea of dead may be wrong */
        return QC_OK;
    {
        QC_LOCK(&e->lock);
        after = e->swept;
        after_key = e->swept_keys;
    }
    qc_rc rc = sweep_segments(&s, &after, err);
    if (rc == QC_OK)
        rc = sweep_fragments(&s, &after_key, err);
    if (s.gone > 0)
        GW_AUDIT(e->audit, "swept", QC_U("keys", s.gone));
    QC_TRY(rc);
    *ret_more = (after != 0 || after_key != 0) && s.keys > 0;
    QC_LOCK(&e->lock);
    e->swept = after;
    e->swept_keys = after_key;
    return QC_OK;
}
