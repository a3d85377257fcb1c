/* Rebuild, the log's part: which objects there are, and which of them are the chain.
 *
 * An object (sequence, incarnation a) stands unless a rebuild b > a cut at a lower sequence. At each sequence
 * the lowest incarnation not below the chain's last whose object stands, opens, and names the hash of the
 * object before it is the next link. The first sequence without one is the end, if what lies there cannot
 * have been acknowledged: it has too few copies for the record quorum, the clouds that were not heard counted
 * in. Else the rebuild stops before the cut (I1: a cut is for good).
 */
#include <stdlib.h>

#include "rebuild_internal.h"

struct listing {
    struct gw_rebuilding *b;
    unsigned at;
};

static int by_sequence(const void *x, const void *y)
{
    const struct gw_log_seen *a = x, *b = y;

    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return (a->incarnation > b->incarnation) - (a->incarnation < b->incarnation);
}

static qc_rc see_log(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    const struct listing *l = ctx;
    struct gw_rebuilding *b = l->b;
    struct gw_name name;

    QC_TRY(gw_name_parse(b->root, b->member[l->at].cloud_id, item->key, &name, err));
    if (name.kind != GW_NAME_LOG) {
        b->report->foreign++;
        return QC_OK;
    }
    if (b->seen_count == QC_GW_LOG_OBJECTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d log objects", QC_GW_LOG_OBJECTS_MAX);
    if (b->seen_count == b->seen_cap) {
        const size_t cap = b->seen_cap == 0 ? 1024 : 2 * b->seen_cap;
        struct gw_log_seen *more = qc_realloc(b->seen, cap * sizeof *more);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of %zu log objects", cap);
        b->seen = more;
        b->seen_cap = cap;
    }
    b->seen[b->seen_count++] = (struct gw_log_seen){ name.id, name.incarnation, (gw_clouds)1 << l->at };
    return QC_OK;
}

/* Equal ones become one, with all their clouds. */
static void merge(struct gw_rebuilding *b)
{
    size_t n = 0;

    if (b->seen_count == 0)
        return;
    qsort(b->seen, b->seen_count, sizeof *b->seen, by_sequence);
    for (size_t i = 1; i < b->seen_count; i++) {
        if (by_sequence(&b->seen[n], &b->seen[i]) == 0)
            b->seen[n].on |= b->seen[i].on;
        else
            b->seen[++n] = b->seen[i];
    }
    b->seen_count = n + 1;
}

qc_rc gw_rebuild_list_log(struct gw_rebuilding *b, struct qc_err *err)
{
    for (unsigned at = 0; at < b->setup->count; at++) {
        struct listing l = { b, at };
        if (b->good >> at & 1)
            QC_TRY_AS(gw_fan_list(b->fan, at, "l/", QC_GW_LIST_PAGE_MS, see_log, &l, err), err, "cloud %s",
                      b->setup->clouds[at].name);
    }
    merge(b);
    return QC_OK;
}

static bool stands(const struct gw_rebuilding *b, const struct gw_log_seen *s)
{
    return gw_log_stands(&(struct gw_log_sight){ b->seen, b->seen_count, b->cuts, b->cut_count }, s);
}

/* The copies of one object, as the clouds hand them out. */
struct copies {
    qc_buf bytes[QC_GW_CLOUDS_MAX];
    uint8_t hash[QC_GW_CLOUDS_MAX][GW_DIGEST_BYTES];
    gw_clouds here;      /* handed out, opens, and continues the chain */
    gw_clouds silent;    /* listed it, and does not hand it out now */
    gw_clouds useless;   /* damaged, or another chain's */
    struct qc_err newer; /* what one of the useless says of itself: that a newer program wrote it */
};

static void free_copies(struct copies *c)
{
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        qc_buf_free(&c->bytes[at]);
}

static bool same_copy(const struct copies *c, unsigned x, unsigned y)
{
    return qc_ct_eq(c->hash[x], c->hash[y], GW_DIGEST_BYTES);
}

/* Does the copy open, and name the hash of the object before it? */
static qc_rc judge_copy(struct gw_rebuilding *b, const struct gw_log_seen *s, struct copies *c, unsigned at,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    const qc_span bytes = qc_buf_span(&c->bytes[at]);
    struct qc_err why = { 0 };
    bool good = false;

    QC_TRY(qc_sha256(&bytes, 1, c->hash[at], err));
    for (unsigned i = 0; i < at; i++)
        if ((c->here >> i & 1) && same_copy(c, i, at)) {
            c->here |= (gw_clouds)1 << at;
            return QC_OK;
        }
    const qc_rc rc = gw_log_open(b->root, s->sequence, s->incarnation, bytes, &l, &why);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    if (rc == QC_NEWER) /* or a byte of it is wrong: its version is no part of what is sealed */
        c->newer = why;
    if (rc == QC_OK)
        good = qc_span_eq(qc_span_of(l.head.prev, sizeof l.head.prev),
                          qc_span_of(b->tip.hash, sizeof b->tip.hash));
    if (good)
        c->here |= (gw_clouds)1 << at;
    else
        c->useless |= (gw_clouds)1 << at;
    return QC_OK;
}

static qc_rc fetch_copies(struct gw_rebuilding *b, const struct gw_log_seen *s, struct copies *ret,
                          struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG, .id = s->sequence, .incarnation = s->incarnation };
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    for (unsigned at = 0; at < b->setup->count; at++)
        if (s->on >> at & 1) {
            QC_TRY(gw_name_make(b->root, b->member[at].cloud_id, &name, names[at], err));
            keys[at] = names[at];
        }
    const struct gw_ask ask = { .set = s->on,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_get(b->fan, &ask, QC_GW_LOG_MAX, ret->bytes, &a, err));
    for (unsigned at = 0; at < b->setup->count; at++) {
        const bool gone = a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_NOTFOUND;
        if ((s->on >> at & 1) == 0)
            continue;
        if (a.done >> at & 1)
            QC_TRY(judge_copy(b, s, ret, at, err));
        else if (gone || (a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_LIMIT))
            ret->useless |= (gw_clouds)1 << at;
        else
            ret->silent |= (gw_clouds)1 << at;
    }
    return QC_OK;
}

/* Could so many copies, with those that nobody can look at, have been the record quorum? Then the object may
 * have been acknowledged. */
static bool may_be_acked(const struct gw_rebuilding *b, gw_clouds copies)
{
    const unsigned quorum = b->count - b->needed + 1;

    return (unsigned)__builtin_popcount(copies) + b->unheard >= quorum;
}

/* No copy continues the chain. That is its end only if none can have been acknowledged. */
static qc_rc no_copy(const struct gw_rebuilding *b, const struct gw_log_seen *s, const struct copies *c,
                     struct qc_err *err)
{
    if (c->silent != 0)
        return QC_FAIL(err, QC_QUORUM,
                       "log object %" PRIu64
                       " is on %d clouds that do not hand it out now, and readable on no other",
                       s->sequence, __builtin_popcount(c->silent));
    if (c->newer.rc != QC_OK && may_be_acked(b, c->useless)) {
        *err = c->newer;
        return QC_NEWER;
    }
    if (may_be_acked(b, c->useless) && !b->setup->accept_loss)
        return QC_FAIL(err, QC_INTEGRITY,
                       "log object %" PRIu64
                       ": all %d copies on the %u clouds heard are damaged, and it may have been "
                       "acknowledged",
                       s->sequence, __builtin_popcount(c->useless), b->report->reached);
    return QC_OK;
}

/* Which copy is the link; -1: none. Copies differ only if two processes ran one catalogue: then at most one
 * of the forms reached the record quorum. */
static qc_rc choose_copy(const struct gw_rebuilding *b, const struct gw_log_seen *s, const struct copies *c,
                         int *ret, gw_clouds *ret_on, struct qc_err *err)
{
    gw_clouds left = c->here, best = 0;
    unsigned acked = 0;

    *ret = -1;
    if (left == 0)
        return no_copy(b, s, c, err);
    while (left != 0) {
        const unsigned first = (unsigned)__builtin_ctz(left);
        gw_clouds same = 0;
        for (unsigned at = first; at < b->setup->count; at++)
            if ((left >> at & 1) && same_copy(c, first, at))
                same |= (gw_clouds)1 << at;
        left &= ~same;
        const bool may = may_be_acked(b, same | c->silent | c->useless);
        if (may && ++acked > 1 && !b->setup->accept_loss)
            return QC_FAIL(err, QC_INTEGRITY,
                           "log object %" PRIu64
                           " has two forms: two processes ran this catalogue, and either form may "
                           "have been acknowledged",
                           s->sequence);
        if ((may && acked == 1) || (acked == 0 && __builtin_popcount(same) > __builtin_popcount(best)))
            best = same;
    }
    *ret = __builtin_ctz(best);
    *ret_on = best;
    return QC_OK;
}

/* The link as a pack has it: *ret_found. */
static qc_rc take_packed(struct gw_rebuilding *b, const struct gw_log_seen *s, gw_chain_fn fn,
                         bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    uint8_t hash[GW_DIGEST_BYTES];
    const struct gw_pack_entry *e;
    struct qc_err why = { 0 };

    QC_TRY(gw_rebuild_packed(b, s->sequence, &e, err));
    if (e == NULL || e->incarnation != s->incarnation)
        return QC_OK;
    const qc_rc rc = gw_log_open(b->root, s->sequence, s->incarnation, e->object, &l, &why);
    if (rc == QC_NEWER || rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK ||
        !qc_span_eq(qc_span_of(l.head.prev, sizeof l.head.prev), qc_span_of(b->tip.hash, sizeof b->tip.hash)))
        return QC_OK;
    QC_TRY(qc_sha256(&e->object, 1, hash, err));
    b->wrong = 0;
    QC_TRY_AS(fn(b, &l, e->object, s->on & b->good, err), err, "log object %" PRIu64, s->sequence);
    memcpy(b->tip.hash, hash, sizeof b->tip.hash);
    b->tip.sequence = s->sequence;
    b->report->log_packed++;
    b->report->log_restored += s->on == 0;
    *ret_found = true;
    return QC_OK;
}

/* One that no cloud lists any more. */
static qc_rc take_unlisted(struct gw_rebuilding *b, uint64_t sequence, uint16_t *incarnation, gw_chain_fn fn,
                           bool *ret_found, struct qc_err *err)
{
    const struct gw_pack_entry *e;

    QC_TRY(gw_rebuild_packed(b, sequence, &e, err));
    if (e == NULL || e->incarnation < *incarnation || e->incarnation > UINT16_MAX)
        return QC_OK;
    const struct gw_log_seen s = { .sequence = sequence, .incarnation = (uint16_t)e->incarnation };
    if (!stands(b, &s))
        return QC_OK;
    QC_TRY(take_packed(b, &s, fn, ret_found, err));
    if (*ret_found)
        *incarnation = s.incarnation;
    return QC_OK;
}

static qc_rc take_candidate(struct gw_rebuilding *b, const struct gw_log_seen *s, gw_chain_fn fn,
                            bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    QC_CLEANUP(free_copies) struct copies c = { 0 };
    gw_clouds on = 0;
    int at;

    QC_TRY(take_packed(b, s, fn, ret_found, err));
    if (*ret_found)
        return QC_OK;
    if (b->cat != NULL && gw_cat_session(b->cat) != 0)
        QC_TRY(gw_rebuild_flush(b, err)); /* a server does not let a transaction stand still */
    QC_TRY(fetch_copies(b, s, &c, err));
    QC_TRY(choose_copy(b, s, &c, &at, &on, err));
    if (at < 0)
        return QC_OK;
    b->wrong = c.useless | (c.here & ~on);
    const qc_span bytes = qc_buf_span(&c.bytes[at]);
    QC_TRY(gw_log_open(b->root, s->sequence, s->incarnation, bytes, &l, err));
    QC_TRY_AS(fn(b, &l, bytes, on, err), err, "log object %" PRIu64, s->sequence);
    memcpy(b->tip.hash, c.hash[at], sizeof b->tip.hash);
    b->tip.sequence = s->sequence;
    *ret_found = true;
    return QC_OK;
}

/* One link, if there is one: *ret_found. */
static qc_rc next_link(struct gw_rebuilding *b, size_t *at, uint16_t *incarnation, gw_chain_fn fn,
                       bool *ret_found, struct qc_err *err)
{
    const uint64_t sequence = b->tip.sequence + 1;

    *ret_found = false;
    while (*at < b->seen_count && b->seen[*at].sequence < sequence)
        ++*at;
    for (size_t i = *at; i < b->seen_count && b->seen[i].sequence == sequence && !*ret_found; i++) {
        const struct gw_log_seen *s = &b->seen[i];
        if (s->incarnation < *incarnation || !stands(b, s))
            continue;
        QC_TRY(take_candidate(b, s, fn, ret_found, err));
        if (*ret_found)
            *incarnation = s->incarnation;
    }
    return *ret_found ? QC_OK : take_unlisted(b, sequence, incarnation, fn, ret_found, err);
}

/* An object is decided only when the one before it was acknowledged: one that stands beyond the end says that
 * a record has been lost. */
static qc_rc check_end(struct gw_rebuilding *b, struct qc_err *err)
{
    for (size_t i = 0; i < b->seen_count; i++) {
        const struct gw_log_seen *s = &b->seen[i];
        if (s->sequence > b->tip.sequence + 1 && stands(b, s) && !b->setup->accept_loss)
            return QC_FAIL(err, QC_INTEGRITY,
                           "log object %" PRIu64
                           " was acknowledged and is on none of the %u clouds heard: %" PRIu64 " is there",
                           b->tip.sequence + 1, b->report->reached, s->sequence);
    }
    return QC_OK;
}

qc_rc gw_rebuild_walk(struct gw_rebuilding *b, gw_chain_fn fn, struct qc_err *err)
{
    uint16_t incarnation = 0;
    size_t at = 0;

    for (bool found = true; found;) /* each round goes one object further along a list that has an end */
        QC_TRY(next_link(b, &at, &incarnation, fn, &found, err));
    if (b->tip.sequence == 0)
        return QC_FAIL(err, QC_INTEGRITY, "no readable beginning of the log on %u clouds",
                       b->report->reached);
    QC_TRY(check_end(b, err));
    b->report->log_objects = b->tip.sequence;
    b->report->log_sequence = b->tip.sequence;
    for (size_t i = 0; i < b->seen_count; i++)
        b->report->log_beyond += b->seen[i].sequence > b->tip.sequence;
    return QC_OK;
}

static qc_rc put_copies(struct gw_rebuilding *b, const struct gw_log_head *head, qc_span bytes, gw_clouds set,
                        enum cloud_put_mode mode, gw_clouds *on, struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = head->sequence,
                                  .incarnation = (uint16_t)head->incarnation };
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    if (set == 0)
        return QC_OK;
    for (unsigned at = 0; at < b->setup->count; at++)
        if (set >> at & 1) {
            QC_TRY(gw_name_make(b->root, b->member[at].cloud_id, &name, names[at], err));
            keys[at] = names[at];
        }
    const struct gw_ask ask = { .set = set,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_put(b->fan, &ask, bytes, mode, &a, err));
    *on |= a.done;
    return QC_OK;
}

qc_rc gw_rebuild_reput(struct gw_rebuilding *b, const struct gw_log_head *head, qc_span bytes, gw_clouds *on,
                       struct qc_err *err)
{
    QC_TRY(put_copies(b, head, bytes, b->wrong & b->good, CLOUD_REPLACE, on, err));
    if ((unsigned)__builtin_popcount(*on & b->good) >= b->conf.record_quorum)
        return QC_OK;
    QC_TRY(put_copies(b, head, bytes, b->good & ~*on & ~b->wrong, CLOUD_NEW, on, err));
    if ((unsigned)__builtin_popcount(*on & b->good) < b->conf.record_quorum)
        return QC_FAIL(err, QC_QUORUM, "log object %" PRIu64 " is on %d clouds, %u are needed",
                       head->sequence, __builtin_popcount(*on & b->good), b->conf.record_quorum);
    return QC_OK;
}
