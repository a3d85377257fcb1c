/* The scrub: whose turn it is, and what is durable of a page.
 *
 *   rests --due, or wanted--> LIST -> ASK -> LOG -> END -> rests         presence
 *                             READ -> LOG -> END -> rests                content
 *
 * S1 (D10): a page's findings, what it makes count no more, and where the next page goes on are one
 * transaction.
 * S2 (D5): what nobody can explain is remembered, and nothing else follows from it.
 * S3: a cloud that does not answer, or is not ours, tells nothing: the page comes to nothing.
 * S4: a fragment counts no more only if the key that was looked at is still the one that counts.
 * S5: the rates are for looking. What finds that something is gone is the first of the requests that mend it,
 * which have no rate: a cloud that was emptied is known to be as fast as it can be filled.
 * S6: a cloud that a hand has paused has no turn; what is asked of it waits.
 * S5: what is asked for is a whole pass that begins afterwards: while one is under way, another follows.
 */
#include <stdio.h>

#include "base/planted.h"
#include "scrub_internal.h"

const struct gw_scrub_conf gw_scrub_default = { .presence_s = QC_GW_SCRUB_PRESENCE_S,
                                                .content_s = QC_GW_SCRUB_CONTENT_S,
                                                .bytes_per_s = QC_GW_SCRUB_RATE,
                                                .requests_per_s = QC_GW_SCRUB_REQUESTS };

enum { ENDS = 256 };

/* -- what a page finds ----------------------------------------------------------------------------------- */

static void scrubbing_done(struct gw_scrubbing *s)
{
    qc_buf_free(&s->odd);
    qc_buf_free(&s->bad);
    qc_buf_free(&s->bad_log);
    qc_free(s->p.r);
}

qc_rc gw_scrub_bad(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                   enum gw_finding_kind kind, const char *key, struct qc_err *err)
{
    struct gw_bad b = { .segment_id = seg->id, .frag = frag, .kind = kind };

    memcpy(b.key, key, sizeof b.key);
    return qc_buf_add(&s->bad, qc_span_of((const uint8_t *)&b, sizeof b), err);
}

qc_rc gw_scrub_bad_log(struct gw_scrubbing *s, uint64_t sequence, struct qc_err *err)
{
    return qc_buf_add(&s->bad_log, qc_span_of((const uint8_t *)&sequence, sizeof sequence), err);
}

void gw_scrub_ill(struct gw_scrubbing *s, const char *why)
{
    s->ill = true;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static qc_rc fragments_here(struct gw_scrubbing *s, const struct gw_segment *seg, uint32_t *ret,
                            struct qc_err *err)
{
    uint8_t perm[QC_EC_N_MAX];

    *ret = 0;
    QC_TRY(gw_place_permutation(s->e->root, seg->id, seg->salt, seg->n, perm, err));
    for (unsigned i = 0; i < seg->n; i++) {
        const uint32_t place = seg->cloud[i] != 0 ? seg->cloud[i] : seg->layout[perm[i]];
        if (place == s->cloud_id && (seg->absent >> i & 1) == 0)
            *ret |= UINT32_C(1) << i;
    }
    return QC_OK;
}

qc_rc gw_scrub_segment(struct gw_scrubbing *s, uint64_t id, struct gw_segment *ret, uint32_t *ret_here,
                       struct qc_err *err)
{
    struct qc_err miss = { 0 };
    qc_rc rc;

    *ret_here = 0;
    {
        QC_LOCK(gw_cat_lock(s->e->cat));
        rc = gw_cat_segment(s->e->cat, id, ret, &miss);
    }
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK)
        *err = miss;
    QC_TRY(rc);
    return fragments_here(s, ret, ret_here, err);
}

/* -- saving a page --------------------------------------------------------------------------------------- */

static enum gw_finding_source source_of(const struct gw_scrubbing *s)
{
    return s->row.depth == GW_PRESENCE ? GW_FOUND_BY_PRESENCE : GW_FOUND_BY_CONTENT;
}

static qc_rc put_finding(struct gw_scrubbing *s, enum gw_finding_kind kind, const char *key,
                         struct qc_err *err)
{
    struct gw_finding f = {
        .cloud_id = s->cloud_id, .kind = kind, .source = source_of(s), .pass = s->row.pass
    };

    snprintf(f.key, sizeof f.key, "%s", key);
    s->found++;
    gw_finding_audit(s->e, &f);
    return gw_cat_finding_put(s->e->cat, &f, err);
}

/* S4 */
static qc_rc condemn(struct gw_scrubbing *s, const struct gw_bad *b, struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;
    char key[GW_NAME_SIZE];
    struct gw_segment seg;
    bool live;
    int at;

    QC_TRY(gw_cat_segment_live(cat, b->segment_id, &live, err));
    if (!live)
        return QC_OK;
    QC_TRY(gw_cat_segment(cat, b->segment_id, &seg, err));
    QC_TRY(gw_segment_key(s->e->store, &seg, b->frag, &at, key, err));
    if ((seg.absent >> b->frag & 1) != 0 || strcmp(key, b->key) != 0)
        return QC_OK;
    QC_TRY(gw_cat_deviate(cat, seg.id, b->frag, s->cloud_id,
                          b->kind == GW_FINDING_MISSING ? GW_DEV_LOST : GW_DEV_BAD, err));
    return put_finding(s, b->kind, b->key, err);
}

static qc_rc log_key(struct gw_scrubbing *s, uint64_t sequence, char ret[GW_NAME_SIZE], struct qc_err *err)
{
    struct gw_log_row row;

    QC_TRY(gw_cat_log_get(s->e->cat, sequence, &row, err));
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = sequence,
                                  .incarnation = (uint16_t)row.incarnation };
    return gw_name_make(s->e->root, s->cloud_id, &name, ret, err);
}

static qc_rc write_found(struct gw_scrubbing *s, struct qc_err *err)
{
    if (qc_planted(scrub_forgets))
        return QC_OK;
    for (size_t at = 0; at < s->odd.n;) {
        const char *key = (const char *)s->odd.p + at + 1;
        QC_TRY(put_finding(s, (enum gw_finding_kind)s->odd.p[at], key, err));
        at += 1 + strlen(key) + 1;
    }
    for (size_t at = 0; at < s->bad.n; at += sizeof(struct gw_bad)) {
        struct gw_bad b;
        memcpy(&b, s->bad.p + at, sizeof b);
        QC_TRY(condemn(s, &b, err));
    }
    for (size_t at = 0; at < s->bad_log.n; at += sizeof(uint64_t)) {
        char key[GW_NAME_SIZE];
        uint64_t sequence;
        memcpy(&sequence, s->bad_log.p + at, sizeof sequence);
        QC_TRY(gw_cat_debt_add(s->e->cat, s->cloud_id, sequence, err));
        QC_TRY(log_key(s, sequence, key, err));
        QC_TRY(
            put_finding(s, s->row.depth == GW_PRESENCE ? GW_FINDING_MISSING : GW_FINDING_DAMAGED, key, err));
    }
    return QC_OK;
}

/* How long the pass has been at it since its last page. */
static uint64_t spent(struct gw_scrubbing *s, uint64_t began_ms)
{
    struct gw_scrubs *sc = &s->e->scrubs;
    const uint64_t now = gw_env_now(s->e->env);
    QC_LOCK(&sc->lock);
    struct gw_scrub_rest *r = &sc->rests[s->at][s->row.depth - 1];
    const uint64_t from = r->paged_ms != 0 ? r->paged_ms : began_ms;

    r->paged_ms = now;
    return now > from ? now - from : 0;
}

/* S1 */
static qc_rc save(struct gw_scrubbing *s, uint64_t began_ms, struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;
    const uint64_t ms = spent(s, began_ms);

    QC_LOCK(gw_cat_lock(cat));
    if (!gw_scrub_covers(s->e, s->at)) /* it left meanwhile */
        return QC_OK;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(write_found(s, err));
    if (s->seen != NULL && s->row.stage == GW_SCRUB_LIST)
        QC_TRY(gw_seen_save(cat, s->seen, err));
    s->row.now.objects += s->objects;
    s->row.now.bytes += s->bytes;
    s->row.now.found += s->found;
    s->row.now.spent_ms += ms;
    QC_TRY(gw_cat_scrub_put(cat, &s->row, err));
    QC_TRY(qc_fault(scrub_page, err));
    QC_TRY(gw_cat_commit(cat, &tx, err));
    return qc_fault(scrub_paged, err);
}

/* -- the beginning and the end of a pass ----------------------------------------------------------------- */

static qc_rc begin(struct gw_scrubbing *s, struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;
    struct gw_scrub_row *row = &s->row;
    struct gw_log_tip tip;

    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_meta_get(cat, "next_segment", &row->upto, err));
    QC_TRY(gw_tip_get(cat, &tip, err));
    row->upto_log = tip.sequence + 1;
    row->pass++;
    row->stage = row->depth == GW_PRESENCE ? GW_SCRUB_LIST : GW_SCRUB_READ;
    row->at[0] = '\0';
    row->next = 0;
    if (row->last.began == 0)
        row->last.began = row->now.began;
    row->now = (struct gw_scrub_pass){ .began = qc_wall_s() };
    if (row->depth == GW_PRESENCE)
        QC_TRY(gw_cat_seen_drop(cat, s->cloud_id, err));
    QC_TRY(gw_cat_scrub_put(cat, row, err));
    QC_TRY(gw_cat_scrub_want(cat, s->cloud_id, row->depth, false, err)); /* S5 */
    QC_TRY(qc_fault(scrub_begin, err));
    return gw_cat_commit(cat, &tx, err);
}

/* Does a finding still stand? Under the catalogue's lock. */
static qc_rc stands(struct gw_scrubbing *s, const struct gw_finding *f, bool *ret, struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;
    struct gw_segment seg;
    char key[GW_NAME_SIZE];
    struct gw_name name;
    uint64_t owed;
    bool live = false;
    int at;

    *ret = s->row.depth != GW_PRESENCE || f->pass >= s->row.pass; /* this pass saw all there is */
    if (f->kind == GW_FINDING_FOREIGN || f->kind == GW_FINDING_UNKNOWN)
        return QC_OK;
    QC_TRY(gw_name_parse(s->e->root, s->cloud_id, f->key, &name, err));
    if (name.kind == GW_NAME_LOG) {
        QC_TRY(gw_cat_debt_next(cat, s->cloud_id, name.id - 1, &owed, err));
        *ret = owed == name.id;
        return QC_OK;
    }
    if (name.kind != GW_NAME_FRAGMENT)
        return QC_OK;
    QC_TRY(gw_cat_segment_live(cat, name.id, &live, err));
    *ret = false;
    if (!live)
        return QC_OK;
    QC_TRY(gw_cat_segment(cat, name.id, &seg, err));
    if (name.index >= seg.n)
        return QC_OK;
    QC_TRY(gw_segment_key(s->e->store, &seg, name.index, &at, key, err));
    *ret = at == (int)s->at && strcmp(key, f->key) == 0 && (seg.absent >> name.index & 1) != 0;
    return QC_OK;
}

/* Findings that stand no more: mended by a way that does not say so, or gone with their version. */
static qc_rc close_some(struct gw_scrubbing *s, struct gw_finding *v, uint64_t *after, unsigned *ret_count,
                        struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;

    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_findings(cat, s->cloud_id, *after, v, ENDS, ret_count, err));
    for (unsigned i = 0; i < *ret_count; i++) {
        bool still;
        *after = v[i].no;
        QC_TRY(stands(s, &v[i], &still, err));
        if (!still)
            QC_TRY(gw_cat_finding_end(cat, s->cloud_id, v[i].key, err));
    }
    return gw_cat_commit(cat, &tx, err);
}

static qc_rc close_findings(struct gw_scrubbing *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_finding *v = qc_alloc(ENDS * sizeof *v);
    uint64_t after = 0;
    unsigned count = ENDS;

    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "findings");
    while (count == ENDS)
        QC_TRY(close_some(s, v, &after, &count, err));
    return QC_OK;
}

static qc_rc end(struct gw_scrubbing *s, struct qc_err *err)
{
    struct gw_cat *cat = s->e->cat;

    if (s->row.depth == GW_PRESENCE) {
        QC_TRY(gw_repair_roots(&s->p, err)); /* they are few, and have one content for ever */
        s->found += s->p.r->clouds[s->at].records + s->p.r->clouds[s->at].records_left;
    }
    QC_TRY(close_findings(s, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    s->row.now.found += s->found;
    s->row.now.ended = qc_wall_s();
    s->row.last = s->row.now;
    s->row.now.ended = 0;
    s->row.stage = 0;
    QC_TRY(gw_cat_scrub_put(cat, &s->row, err));
    if (s->row.depth == GW_PRESENCE)
        QC_TRY(gw_cat_seen_drop(cat, s->cloud_id, err));
    QC_TRY(qc_fault(scrub_end, err));
    return gw_cat_commit(cat, &tx, err);
}

/* -- a page ---------------------------------------------------------------------------------------------- */

static qc_rc page(struct gw_scrubbing *s, struct qc_err *err)
{
    switch ((enum gw_scrub_stage)s->row.stage) {
    case GW_SCRUB_LIST:
        return gw_scrub_list(s, err);
    case GW_SCRUB_ASK:
        return gw_scrub_ask(s, err);
    case GW_SCRUB_LOG:
        return gw_scrub_log(s, err);
    case GW_SCRUB_READ:
        return gw_scrub_read(s, err);
    case GW_SCRUB_END:
        break;
    }
    return QC_OK;
}

static qc_rc need_seen(struct gw_scrubbing *s, struct qc_err *err)
{
    struct gw_seen **seen = &s->e->scrubs.seen;

    if (s->row.depth != GW_PRESENCE || s->row.stage == GW_SCRUB_END)
        return QC_OK;
    if (*seen == NULL || (*seen)->cloud_id != s->cloud_id || (*seen)->pass != s->row.pass) {
        gw_seen_free(seen);
        QC_TRY(gw_seen_load(s->e, &s->row, seen, err));
    }
    s->seen = *seen;
    return QC_OK;
}

static bool is_well(struct gw_scrubbing *s)
{
    struct gw_cloud_view view;

    gw_fan_view(s->e->fan, s->at, &view);
    snprintf(s->why, sizeof s->why, "%s", view.why[0] != '\0' ? view.why : "does not answer in time");
    return view.state == GW_CLOUD_OK && !view.suspect;
}

/* S3 */
static qc_rc meet(struct gw_scrubbing *s, struct qc_err *err)
{
    gw_clouds back;

    if (is_well(s))
        return QC_OK;
    QC_TRY(gw_probe_again(s->e->fan, s->e->root, (gw_clouds)1 << s->at, GW_ILL_WORTH, &back, err));
    QC_TRY(gw_engine_sync_lost(s->e, err));
    s->ill = !is_well(s);
    return QC_OK;
}

/* What was seen of it counts only if it is ours, now. */
static qc_rc still_ours(struct gw_scrubbing *s, struct qc_err *err)
{
    const gw_clouds it = (gw_clouds)1 << s->at;
    gw_clouds ok;

    QC_TRY(gw_probe(s->e->fan, s->e->root, it, qc_deadline_in(QC_GW_STATUS_MS), &ok, err));
    s->requests++;
    if (ok != it) {
        s->ill = !is_well(s);
        QC_TRY(gw_engine_sync_lost(s->e, err));
    }
    return QC_OK;
}

static qc_rc work(struct gw_scrubbing *s, struct qc_err *err)
{
    const uint64_t began_ms = gw_env_now(s->e->env);

    QC_TRY(meet(s, err));
    if (s->ill)
        return QC_OK;
    if (s->row.stage == 0)
        QC_TRY(begin(s, err));
    QC_TRY(need_seen(s, err));
    if (s->row.stage == GW_SCRUB_END)
        return end(s, err);
    const enum gw_scrub_stage stage = (enum gw_scrub_stage)s->row.stage;
    QC_TRY(page(s, err));
    if (s->ill && stage != GW_SCRUB_READ)
        return QC_OK;
    const bool any = s->bad.n > 0 || s->bad_log.n > 0;
    if (any) {
        const bool cut_short = s->ill;
        s->ill = false;
        QC_TRY(still_ours(s, err));
        if (s->ill)
            return QC_OK;
        s->ill = cut_short;
    }
    const qc_rc rc = save(s, began_ms, err);
    if (any)
        gw_payers_tell(s->e, s->cloud_id);
    return rc;
}

/* -- whose turn ------------------------------------------------------------------------------------------ */

uint64_t gw_scrub_period(const struct gw_engine *e, enum gw_depth depth)
{
    return depth == GW_PRESENCE ? e->scrubs.conf.presence_s : e->scrubs.conf.content_s;
}

/* A clock that jumped back delays nothing. */
static bool is_due(const struct gw_engine *e, const struct gw_scrub_row *row, int64_t now)
{
    const uint64_t every = gw_scrub_period(e, row->depth);

    return row->stage != 0 || row->wanted ||
           (every > 0 && (now < row->now.began || (uint64_t)(now - row->now.began) >= every));
}

qc_rc gw_scrub_row(struct gw_engine *e, unsigned at, enum gw_depth depth, struct gw_scrub_row *ret,
                   struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    bool found;

    QC_TRY(gw_cat_scrub_get(e->cat, gw_fan_id(e->fan, at), depth, ret, &found, err));
    if (found)
        return QC_OK;
    ret->now.began = qc_wall_s();
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_scrub_put(e->cat, ret, err));
    return gw_cat_commit(e->cat, &tx, err);
}

bool gw_scrub_covers(const struct gw_engine *e, unsigned at)
{
    return (gw_fan_witnesses(e->fan) >> at & 1) != 0;
}

/* How long until this pass may go on; UINT64_MAX: it is not due. */
static qc_rc wait_of(struct gw_engine *e, unsigned at, enum gw_depth depth, struct gw_scrub_row *ret,
                     uint64_t *ret_ms, struct qc_err *err)
{
    const uint64_t now = gw_env_now(e->env);

    QC_TRY(gw_scrub_row(e, at, depth, ret, err));
    *ret_ms = UINT64_MAX;
    if (!is_due(e, ret, qc_wall_s()))
        return QC_OK;
    QC_LOCK(&e->scrubs.lock);
    const uint64_t until = e->scrubs.rests[at][depth - 1].until_ms;
    *ret_ms = until > now ? until - now : 0;
    return QC_OK;
}

static struct gw_scrub_hand hand_of(struct gw_engine *e)
{
    QC_LOCK(&e->scrubs.lock);
    return e->scrubs.hand;
}

/* Presence before content. One listing goes on to its end before another begins: its bits are in memory. */
static qc_rc pick(struct gw_engine *e, struct gw_scrubbing *ret, bool *ret_found, uint64_t *ret_wait_ms,
                  struct qc_err *err)
{
    const unsigned count = gw_fan_count(e->fan), turn = e->scrubs.turn;
    const struct gw_seen *seen = e->scrubs.seen;
    const struct gw_scrub_hand hand = hand_of(e);

    *ret_found = false;
    *ret_wait_ms = QC_GW_SCRUB_LOOK_MS;
    for (enum gw_depth depth = GW_PRESENCE; depth <= GW_CONTENT && !*ret_found; depth++)
        for (unsigned x = 0; x < count; x++) {
            const unsigned at = (turn + (depth == GW_PRESENCE ? 0 : 1) + x) % count;
            struct gw_scrub_row row;
            uint64_t wait_ms;
            if (!gw_scrub_covers(e, at) || gw_scrub_paused(&hand, gw_fan_id(e->fan, at)) != 0) /* S6 */
                continue;
            QC_TRY(wait_of(e, at, depth, &row, &wait_ms, err));
            *ret_wait_ms = wait_ms < *ret_wait_ms ? wait_ms : *ret_wait_ms;
            if (wait_ms > 0)
                continue;
            const bool at_hand =
                depth == GW_PRESENCE && seen != NULL && seen->cloud_id == row.cloud_id && row.stage != 0;
            if (*ret_found && !at_hand)
                continue;
            *ret_found = true;
            ret->at = at;
            ret->cloud_id = row.cloud_id;
            ret->row = row;
            if (depth == GW_CONTENT || at_hand)
                return QC_OK;
        }
    return QC_OK;
}

/* The cloud was away, or the page failed: later, ever more seldom. One that is away is so for each depth. */
static void rest(struct gw_scrubbing *s, qc_rc rc, const char *why)
{
    struct gw_scrubs *sc = &s->e->scrubs;
    const uint64_t now = gw_env_now(s->e->env);
    QC_LOCK(&sc->lock);
    struct gw_scrub_rest *all = sc->rests[s->at], *r = &all[s->row.depth - 1];

    if (rc == QC_OK && !s->ill) {
        r->failures = 0;
        r->until_ms = s->later ? now + QC_GW_REPAIR_PAUSE_MS : now;
        r->why[0] = '\0';
        return;
    }
    r->failures += r->failures < UINT32_MAX;
    r->until_ms = now + gw_backoff_ms(r->failures, QC_GW_SCRUB_REST_MS, QC_GW_SCRUB_REST_MOST_MS,
                                      gw_env_chance(s->e->env));
    r->paged_ms = 0;
    snprintf(r->why, sizeof r->why, "%s", why);
    for (unsigned d = 0; d < GW_DEPTHS && s->ill; d++)
        if (all[d].until_ms < r->until_ms)
            all[d].until_ms = r->until_ms;
}

static qc_rc one_page(struct gw_engine *e, struct gw_scrubbing *s, struct qc_err *err)
{
    struct qc_err why = { 0 };

    s->e = e;
    s->ask = (struct gw_repair_ask){ .cancel = &e->scrubs.cancel };
    s->p = (struct gw_repairing){ .e = e, .ask = &s->ask, .r = qc_alloc(sizeof *s->p.r) };
    if (s->p.r == NULL)
        return QC_FAIL(err, QC_NOMEM, "a page of a scrub");
    s->p.r->cloud_count = gw_fan_count(e->fan);
    qc_buf_init(&s->odd, QC_GW_LIST_BYTES);
    qc_buf_init(&s->bad, QC_GW_LIST_BYTES);
    qc_buf_init(&s->bad_log, QC_GW_LIST_BYTES);
    const qc_rc rc = work(s, &why);
    rest(s, rc, rc != QC_OK ? why.msg : s->why);
    {
        QC_LOCK(&e->scrubs.lock);
        e->scrubs.turn = s->at;
        gw_throttle_take(&e->scrubs.pace, gw_env_now(e->env), s->bytes, s->requests);
    }
    if (rc != QC_OK && gw_repair_fatal(&s->p, rc)) {
        *err = why;
        return rc;
    }
    return QC_OK;
}

static bool take_busy(struct gw_engine *e)
{
    QC_LOCK(&e->scrubs.lock);
    if (e->scrubs.busy)
        return false;
    e->scrubs.busy = true;
    return true;
}

qc_rc gw_scrub_page(struct gw_engine *e, bool *ret_worked, uint64_t *ret_wait_ms, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_scrubbing *s = qc_alloc(sizeof *s);
    qc_rc rc;

    *ret_worked = false;
    *ret_wait_ms = QC_GW_SCRUB_LOOK_MS;
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "a page of a scrub");
    /* A repair looks at everything itself. */
    if (!atomic_load(&e->keeps) || atomic_load(&e->repairing) || !take_busy(e))
        return QC_OK;
    rc = gw_engine_may(e, err);
    if (rc == QC_OK)
        rc = gw_engine_be_sure(e, err);
    if (rc == QC_OK)
        rc = gw_scrub_hand_load(e, err);
    if (rc == QC_OK)
        rc = pick(e, s, ret_worked, ret_wait_ms, err);
    if (rc == QC_OK && *ret_worked) {
        rc = one_page(e, s, err);
        scrubbing_done(s);
        *ret_wait_ms = 0;
        if (rc == QC_OK && (s->ill || s->later)) /* that one rests: is it anybody else's turn? */
            rc = pick(e, s, ret_worked, ret_wait_ms, err);
    }
    QC_LOCK(&e->scrubs.lock);
    e->scrubs.busy = false;
    return rc;
}

qc_rc gw_engine_scrub_step(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    uint64_t wait_ms;

    return gw_scrub_page(e, ret_more, &wait_ms, err);
}
