/* Bundles that are half dead: what lives in them is put into others, and their room comes back.
 *
 *   half or more of a bundle is dead, by bytes -> its N, with those of other such bundles of the vault
 *     -> read, verified: of a bundle that cannot be read, nothing (R5)
 *     -> INTENT: a bundle of fresh ids, its segment reserved: rows before the first PUT (D1)
 *     -> coded, n fragments put -> all n read back whole, the same bytes (D6)
 *     -> ONE record: these N lie in the new bundle from here on (FORMAT 9.3)
 *     -> published: one txn: each N that still lives is the new one's; an old bundle without any is dead
 *     -> the sweep removes what is dead
 *
 * R1 (I1): an N lies in the old bundle until the record is evident, and in the new one from then on: there is
 * no moment in between, for a reader, a crash, or a rebuild. R2: what was purged, or went elsewhere, while
 * the new bundle was put is not in the record: DECIDE looks at each. A record has a batch of its own, so that
 * nothing is decided beside it that would lie in an old bundle. R3 (I3): N are opaque here as everywhere at
 * the gateway: their order and their lengths are all that is used. R4: what is left of a process that ended
 * is an intent of ours, which one flag tells from uploads; whoever keeps the store next drops it. R5: no
 * bundle is in the way of others: what cannot be read is left out, and passed over until all vaults had their
 * turn. */
#include <stdio.h>

#include "base/log.h"
#include "base/planted.h"
#include "base/time.h"
#include "commit_internal.h"
#include "gateway/env.h"
#include "repair_internal.h"

enum {
    ROWS = QC_GW_BATCH_CHANGES_MAX,
    ROUNDS = 16,        /* by then a rest is as long as it may be */
    RECORD_BYTES = 256, /* of the log object, and of the record but for its members and its layout */
};

void gw_repacks_init(struct gw_repacks *r)
{
    qc_mutex_init(&r->lock);
}

void gw_repacks_done(struct gw_repacks *r)
{
    qc_mutex_done(&r->lock);
}

void gw_repack_look(struct gw_engine *e, struct gw_repack_view *ret)
{
    QC_LOCK(&e->repacks.lock);

    ret->repacked = e->repacks.view.repacked;
    ret->freed = e->repacks.view.freed;
    memcpy(ret->why, e->repacks.view.why, sizeof ret->why);
}

/* One new bundle on its way. */
struct repacking {
    struct gw_engine *e;
    struct gw_repair_ask ask;
    struct gw_repair_report report;
    struct gw_repairing p;
    struct gw_repacked r;
    struct gw_half_row rows[ROWS + 1]; /* r.from; the last one says where the one before ends */
    uint32_t size;                     /* bytes of all that is moved */
    uint64_t freed;                    /* bytes that were dead in the bundles that are left */
    uint64_t last;                     /* the last bundle that was chosen */
    qc_rc unread;                      /* QC_OK, or one of them could not be read, and why */
    struct qc_err unread_why;
    bool nothing; /* what could be read is not worth it */
    uint8_t *bytes;
    struct gw_written w;
    bool decided;
};

static void repacking_free(struct repacking **k)
{
    if (*k == NULL)
        return;
    qc_free((*k)->bytes);
    qc_free(*k);
    *k = NULL;
}

/* -- what is moved --------------------------------------------------------------------------------------- */

/* Of what the vault has, the bundles that fit into one: all of each, so that its room comes back. Of one that
 * is too large for that, a part. */
static void choose(struct repacking *k, unsigned have)
{
    unsigned n = 0, whole = 0;
    uint64_t live = 0, gone = 0, whole_live = 0, whole_gone = 0;

    while (n < have && n < ROWS && live + k->rows[n].size <= QC_GW_BUNDLE_MAX) {
        const struct gw_half_row *row = &k->rows[n++];
        live += row->size;
        gone += n == 1 || row[-1].holder != row->holder ? row->gone : 0;
        if (n == have || row[1].holder != row->holder) {
            whole = n;
            whole_live = live;
            whole_gone = gone;
        }
    }
    k->r.from = k->rows;
    k->r.count = whole > 0 ? whole : n;
    k->size = (uint32_t)(whole > 0 ? whole_live : live);
    k->freed = whole > 0 ? whole_gone : gone;
    k->last = k->r.count > 0 ? k->rows[k->r.count - 1].holder : 0;
}

/* The record lies on all clouds, as it is; what dies was coded. */
static bool worth_it(struct gw_engine *e, const struct repacking *k)
{
    const unsigned n = e->conf.n;
    const uint64_t record = RECORD_BYTES + 4 * (uint64_t)n + (uint64_t)GW_LOG_PACKED_BYTES * k->r.count;

    return k->freed * n / e->conf.k >= QC_GW_REPACK_WORTH * gw_engine_count(e) * record;
}

/* All vaults had their turn: from the first one on, next time, and what could not be read is tried again;
 * later each time, as long as nothing else is done. */
static void begin_again(struct gw_repacks *r)
{
    r->rounds = r->past == 0 ? 0 : r->rounds + (r->rounds < ROUNDS);
    r->at = (struct gw_ref){ 0 };
    r->past_of = (struct gw_ref){ 0 };
    r->past = 0;
}

/* The next vault that has something which is worth it; r.count 0: none, of those that were looked at. */
static qc_rc pick(struct repacking *k, bool *ret_more, struct qc_err *err)
{
    struct gw_engine *e = k->e;
    struct gw_ref *at = &e->repacks.at;
    QC_LOCK(gw_cat_lock(e->cat));

    for (unsigned i = 0; i < QC_GW_REPACK_GROUPS; i++) {
        unsigned have;
        bool may;
        QC_TRY(gw_cat_half_next(e->cat, at, ret_more, err));
        if (!*ret_more) {
            begin_again(&e->repacks);
            return QC_OK;
        }
        const uint64_t past = gw_ref_same(at, &e->repacks.past_of) ? e->repacks.past : 0;
        QC_TRY(gw_cat_half_members(e->cat, at, past, k->rows, ROWS + 1, &have, err));
        choose(k, have);
        QC_TRY(gw_quota_dead(e, at->tenant, k->size + k->freed, &may, err));
        if (may && k->r.count > 0 && worth_it(e, k)) {
            k->r.vault = *at;
            return QC_OK;
        }
        k->r.count = 0;
    }
    return QC_OK;
}

/* -- the new bundle -------------------------------------------------------------------------------------- */

static qc_rc drop(struct gw_engine *e, uint64_t no, uint64_t segment_id, uint32_t size, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_repack_drop(e->cat, no, segment_id, size, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* Of a process that ended, or of a try of this one that the catalogue could not be told of (R4). */
static qc_rc drop_left(struct gw_engine *e, struct qc_err *err)
{
    for (unsigned i = 0; i < QC_GW_TIDY_KEYS; i++) {
        uint64_t no;
        {
            QC_LOCK(gw_cat_lock(e->cat));
            QC_TRY(gw_cat_repack_left(e->cat, &no, err));
        }
        if (no == 0 || qc_planted(repack_left))
            return QC_OK;
        QC_TRY(drop(e, no, 0, 0, err));
    }
    return QC_OK;
}

/* Rows of the new bundle and its segment; clouds as new segments get them. */
static qc_rc reserve_rows(struct repacking *k, const struct gw_version_row *ids, const uint8_t *salt,
                          struct qc_err *err)
{
    struct gw_engine *e = k->e;
    struct gw_version_row v = *ids;
    struct gw_log_layout l;
    uint64_t id;

    QC_TRY(gw_choose_layout(e, &l, err));
    QC_TRY(gw_rewrite_usable(&k->p, &l, err));
    QC_TRY(gw_layout_id(e->cat, &l, &v.layout, err));
    QC_TRY(gw_cat_repack_begin(e->cat, &v, &k->r.no, err));
    QC_TRY(gw_cat_reserve(e->cat, k->r.no, v.layout, e->conf.incarnation, salt, &id, err));
    return gw_cat_segment(e->cat, id, &k->r.seg, err);
}

/* The segment is busy from now on. */
static qc_rc reserve(struct repacking *k, struct qc_err *err)
{
    struct gw_engine *e = k->e;
    struct gw_version_row v = { .tenant = k->r.vault.tenant,
                                .vault = k->r.vault.id,
                                .created = (uint64_t)qc_wall_s(),
                                .state = GW_VERSION_INTENT };
    uint8_t salt[GW_SALT_BYTES];

    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_TRY(qc_rng_fill(e->rng, v.object.b, sizeof v.object.b, err));
    QC_TRY(qc_rng_fill(e->rng, v.version.b, sizeof v.version.b, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(reserve_rows(k, &v, salt, err));
    if (!gw_busy_add(e, k->r.seg.id))
        return QC_FAIL(err, QC_TEMP, "%d segments are in work", QC_GW_BUSY_MAX);
    k->r.seg.size = k->size;
    k->r.seg.last = true;
    const qc_rc rc = gw_cat_commit(e->cat, &tx, err);
    if (rc != QC_OK)
        gw_busy_remove(e, k->r.seg.id);
    return rc;
}

/* -- bytes ----------------------------------------------------------------------------------------------- */

/* What was read of an old bundle, and waits for the next N. */
struct window {
    struct gw_read *read;
    uint64_t holder, at, from, to; /* at: where the segment begins; from, to: of the bundle */
};

static void window_done(struct window *w)
{
    gw_read_free(&w->read);
}

/* The segment of the bundle that has this byte. */
static qc_rc locate(struct repacking *k, uint64_t holder, uint64_t off, struct gw_segment *ret,
                    uint64_t *ret_at, struct qc_err *err)
{
    struct gw_version_row v;
    QC_LOCK(gw_cat_lock(k->e->cat));

    QC_TRY(gw_cat_version_no(k->e->cat, holder, &v, err));
    if (v.state != GW_VERSION_LIVE)
        return QC_FAIL(err, QC_CONFLICT, "all that lay in a bundle was purged meanwhile");
    return gw_cat_segment_at(k->e->cat, holder, off, ret, ret_at, err);
}

/* A small segment is read whole: its next N is wanted next. */
static qc_rc look(struct repacking *k, struct window *w, uint64_t holder, uint64_t off, uint64_t n,
                  struct qc_err *err)
{
    struct gw_segment seg;
    uint64_t at;

    window_done(w);
    QC_TRY(locate(k, holder, off, &seg, &at, err));
    const uint64_t left = seg.size - (off - at);
    struct gw_range range = { .from = (uint32_t)(off - at),
                              .to = (uint32_t)(off - at + (n < left ? n : left)) };
    if (seg.size <= QC_GW_BUNDLE_MAX)
        range = (struct gw_range){ .from = 0, .to = seg.size };
    QC_TRY(gw_rewrite_read(&k->p, &seg, range, &w->read, err));
    w->holder = holder;
    w->at = at;
    w->from = at + range.from;
    w->to = at + range.to;
    return QC_OK;
}

static qc_rc read_one(struct repacking *k, struct window *w, const struct gw_half_row *row, uint8_t *to,
                      struct qc_err *err)
{
    for (uint32_t done = 0; done < row->size;) {
        const uint64_t off = row->start + done, left = row->size - done;
        if (w->read == NULL || w->holder != row->holder || off < w->from || off >= w->to)
            QC_TRY(look(k, w, row->holder, off, left, err));
        const uint32_t n = (uint32_t)(w->to - off < left ? w->to - off : left);
        gw_read_copy(w->read, (uint32_t)(off - w->at), to + done, n);
        done += n;
    }
    return QC_OK;
}

/* These rows, which are of one bundle. */
static qc_rc read_rows(struct repacking *k, struct window *w, const struct gw_half_row *rows, unsigned count,
                       uint8_t *to, uint32_t *ret_size, struct qc_err *err)
{
    uint32_t size = 0;

    for (unsigned i = 0; i < count; i++) {
        QC_TRY(gw_repair_go_on(&k->p, err));
        QC_TRY(read_one(k, w, &rows[i], to + size, err));
        size += rows[i].size;
    }
    *ret_size = size;
    return QC_OK;
}

/* All of each bundle, or nothing of it; what is left is chosen from then on. */
static qc_rc read_bundles(struct repacking *k, struct qc_err *err)
{
    QC_CLEANUP(window_done) struct window w = { 0 };
    unsigned kept = 0;
    uint32_t at = 0;

    k->freed = 0;
    for (unsigned i = 0, to; i < k->r.count; i = to) {
        uint32_t size;
        for (to = i + 1; to < k->r.count && k->rows[to].holder == k->rows[i].holder;)
            to++;
        struct qc_err why = { 0 };
        const qc_rc rc = read_rows(k, &w, &k->rows[i], to - i, k->bytes + at, &size, &why);
        QC_TRY(gw_repair_go_on(&k->p, err)); /* to be told to stop is no fault of the bundle */
        if (rc != QC_OK) {
            window_done(&w);
            k->unread = rc;
            k->unread_why = why;
            continue;
        }
        k->freed += k->rows[i].gone;
        memmove(&k->rows[kept], &k->rows[i], (to - i) * sizeof *k->rows);
        kept += to - i;
        at += size;
    }
    k->r.count = kept;
    k->size = at;
    return QC_OK;
}

static qc_rc read_all(struct repacking *k, struct qc_err *err)
{
    k->bytes = qc_alloc(k->size);
    if (k->bytes == NULL)
        return QC_FAIL(err, QC_NOMEM, "a bundle of %" PRIu32 " bytes", k->size);
    QC_TRY(read_bundles(k, err));
    if (k->unread != QC_OK && (k->r.count == 0 || !worth_it(k->e, k))) {
        k->nothing = true;
        *err = k->unread_why;
        return k->unread;
    }
    return qc_fault(repack_read, err);
}

/* Coded, put on all clouds, and read back. */
static qc_rc put_all(struct repacking *k, struct qc_err *err)
{
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    const qc_span bytes = qc_span_of(k->bytes, k->size);

    QC_TRY(gw_repair_unit(&k->p, &u, err));
    gw_unit_begin(u, k->r.seg.k, k->size);
    gw_unit_add(u, bytes);
    QC_TRY(gw_rewrite_put(&k->p, &k->r.seg, u, &k->w, err));
    memcpy(k->r.generation, k->w.generation, sizeof k->r.generation);
    memcpy(k->r.cloud_id, k->w.cloud_id, sizeof k->r.cloud_id);
    return qc_fault(repack_put, err);
}

static qc_rc check_all(struct repacking *k, struct qc_err *err)
{
    const qc_span bytes = qc_span_of(k->bytes, k->size);
    uint8_t want[QC_SHA256_BYTES];

    QC_TRY(qc_sha256(&bytes, 1, want, err));
    QC_TRY(gw_rewrite_check(&k->p, &k->r.seg, want, err));
    return qc_fault(repack_read_back, err);
}

/* -- the record ------------------------------------------------------------------------------------------ */

/* In the transaction: does it live, still, where it was read? */
static qc_rc still_there(struct gw_engine *e, const struct gw_half_row *row, bool *ret, struct qc_err *err)
{
    struct gw_version_row v;

    QC_TRY(gw_cat_version_no(e->cat, row->no, &v, err));
    *ret = v.state == GW_VERSION_LIVE && v.holder == row->holder && v.start == row->start &&
           v.size == row->size && gw_id_same(&v.object, &row->object) &&
           gw_id_same(&v.version, &row->version);
    return QC_OK;
}

static qc_rc gather(struct gw_engine *e, struct gw_repacked *r, qc_buf *ret, struct qc_err *err)
{
    uint64_t start = 0;

    r->moved = 0;
    for (unsigned i = 0; i < r->count; i++) {
        const struct gw_half_row *row = &r->from[i];
        const struct gw_log_packed p = { row->object, row->version, start };
        bool there;
        QC_TRY(still_there(e, row, &there, err));
        start += there || !qc_planted(repack_gap) ? row->size : 0;
        if (!there)
            continue;
        QC_TRY(gw_log_add_packed(ret, &p, err));
        r->moved++;
    }
    return QC_OK;
}

/* In the transaction: is the new bundle as it was when it was put? */
static qc_rc bundle_holds(struct gw_engine *e, const struct gw_repacked *r, struct gw_version_row *ret,
                          struct qc_err *err)
{
    struct gw_segment now;
    bool same;

    QC_TRY(gw_cat_version_no(e->cat, r->no, ret, err));
    QC_TRY(gw_cat_segment(e->cat, r->seg.id, &now, err));
    QC_TRY(gw_deciding_places(e, r->cloud_id, r->generation, r->seg.n, &same, err));
    if (ret->state != GW_VERSION_INTENT || !ret->bundle || now.size != 0 || !same)
        return QC_FAIL(err, QC_CONFLICT, "a cloud changed while a bundle was put");
    return QC_OK;
}

qc_rc gw_decide_repacked(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf members = { .max = (size_t)ROWS * GW_LOG_PACKED_BYTES };
    struct gw_repacked *r = c->repacked;
    struct gw_record rec = { .kind = GW_REC_REPACKED };
    struct gw_rec_repacked *to = &rec.u.repacked;
    struct gw_version_row v;

    QC_TRY(bundle_holds(d->e, r, &v, err));
    QC_TRY(gather(d->e, r, &members, err));
    c->answered = r->moved == 0; /* all of them are gone: there is nothing to say */
    if (c->answered)
        return QC_OK;
    *to = (struct gw_rec_repacked){
        .tenant = r->vault.tenant,
        .vault = r->vault.id,
        .object = v.object,
        .version = v.version,
        .created = (uint64_t)qc_wall_s(),
        .segment = { .id = r->seg.id, .size = r->seg.size, .incarnation = r->seg.incarnation },
        .layout = { .k = (uint8_t)r->seg.k, .n = (uint8_t)r->seg.n },
        .count = r->moved,
        .members = qc_buf_span(&members)
    };
    memcpy(to->segment.salt, r->seg.salt, sizeof to->segment.salt);
    memcpy(to->segment.digest, r->seg.digest, sizeof to->segment.digest);
    memcpy(to->layout.clouds, r->seg.layout, sizeof to->layout.clouds);
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    QC_TRY(gw_cat_version_state(d->e->cat, r->no, GW_VERSION_DECIDED, err));
    c->decided = true;
    return QC_OK;
}

qc_rc gw_known_repacked(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    return gw_cat_segment_live(e->cat, c->repacked->seg.id, ret_live, err);
}

/* What is decided is published, by this call or by the next look at the outbox. */
static qc_rc record(struct repacking *k, struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_REPACKED, .vault = k->r.vault, .repacked = &k->r };
    const qc_rc rc = gw_commit(k->e, &change, err);

    k->decided = change.decided;
    QC_TRY(rc);
    return qc_fault(repack_recorded, err);
}

/* -- one new bundle -------------------------------------------------------------------------------------- */

static qc_rc make(struct repacking *k, struct qc_err *err)
{
    QC_TRY(qc_fault(repack_reserved, err));
    QC_TRY(put_all(k, err));
    QC_TRY(check_all(k, err));
    return record(k, err);
}

static void tell(struct gw_engine *e, const struct repacking *k)
{
    QC_LOCK(&e->repacks.lock);

    e->repacks.view.repacked++;
    e->repacks.view.freed += k->freed;
    (void)snprintf(e->repacks.view.why, sizeof e->repacks.view.why, "%s",
                   k->unread != QC_OK ? k->unread_why.msg : "");
    QC_LOG(QC_LOG_INFO, "half dead bundles were put together", QC_U("versions", k->r.moved),
           QC_U("bytes", k->size), QC_U("freed", k->freed));
}

static qc_rc repack(struct repacking *k, struct qc_err *err)
{
    struct gw_engine *e = k->e;
    struct qc_err unused = { 0 };

    QC_TRY(read_all(k, err));
    QC_TRY(reserve(k, err));
    const qc_rc rc = make(k, err);
    if (!k->decided)
        qc_ignore(drop(e, k->r.no, k->r.seg.id, k->size, &unused), "the next call drops it");
    gw_busy_remove(e, k->r.seg.id);
    QC_TRY(rc);
    if (k->decided)
        tell(e, k);
    return QC_OK;
}

/* The next try is not at once: whatever was in the way may be there still. */
static void put_off(struct gw_engine *e, const struct qc_err *why)
{
    struct gw_repacks *r = &e->repacks;

    r->until_ms = gw_env_now(e->env) + gw_backoff_ms(++r->failures, QC_GW_REPACK_REST_MS,
                                                     QC_GW_REPACK_REST_MAX_MS, gw_env_chance(e->env));
    QC_LOCK(&r->lock);
    (void)snprintf(r->view.why, sizeof r->view.why, "%s", why->msg);
}

/* What could not be read is passed over, with what was chosen with it: that is moved, or cannot be read. */
static void pass_over(struct gw_repacks *r, const struct repacking *k)
{
    r->past_of = k->r.vault;
    r->past = k->last;
    r->failures = r->rounds;
}

static qc_rc next_one(struct repacking *k, bool *ret_more, struct qc_err *err)
{
    struct gw_repacks *r = &k->e->repacks;
    const struct gw_ref before = r->at;

    QC_TRY(pick(k, ret_more, err));
    if (k->r.count == 0)
        return QC_OK;
    const qc_rc rc = repack(k, err);
    if (k->unread != QC_OK && (rc == QC_OK || k->nothing))
        pass_over(r, k);
    if (rc == QC_OK || k->nothing)
        r->at = before; /* the vault may have more */
    QC_TRY(rc);
    r->failures = 0;
    r->rounds = 0;
    return QC_OK;
}

static qc_rc one_step(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(repacking_free) struct repacking *k = NULL;

    if (gw_env_now(e->env) < e->repacks.until_ms)
        return QC_OK;
    QC_TRY(drop_left(e, err));
    k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "a bundle");
    k->e = e;
    k->ask = (struct gw_repair_ask){ .cancel = &e->payers.cancel };
    k->p = (struct gw_repairing){ .e = e, .ask = &k->ask, .r = &k->report };
    return next_one(k, ret_more, err);
}

qc_rc gw_tidy_repack(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    *ret_more = false;
    if (atomic_exchange(&e->repacks.busy, true))
        return QC_OK;
    const qc_rc rc = one_step(e, ret_more, err);
    if (rc != QC_OK) {
        *ret_more = false;
        put_off(e, err);
    }
    atomic_store(&e->repacks.busy, false);
    return rc;
}
