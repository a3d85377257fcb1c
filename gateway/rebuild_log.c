/* Rebuild, the log's part: which objects there are, and which of them are the chain.
 *
 * An object (sequence, incarnation a) stands unless a rebuild b > a cut at a lower sequence. At each sequence
 * the lowest incarnation not below the chain's last whose object stands, opens, and names the hash of the
 * object before it is the next link. The first sequence without one is the end: what lies beyond was never
 * acknowledged (durability 4.4).
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
    for (unsigned i = 0; i < b->cut_count; i++)
        if (b->cuts[i].by > s->incarnation && s->sequence > b->cuts[i].sequence)
            return false;
    return true;
}

/* Its bytes, from a cloud whose copy opens and continues the chain; ret->n 0: none does. */
static qc_rc fetch_link(struct gw_rebuilding *b, const struct gw_log_seen *s, struct gw_log *ret_log,
                        qc_buf *ret, struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG, .id = s->sequence, .incarnation = s->incarnation };

    for (unsigned at = 0; at < b->setup->count; at++) {
        QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
        qc_buf bytes[QC_GW_CLOUDS_MAX] = { 0 };
        const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
        char key[GW_NAME_SIZE];
        struct qc_err why = { 0 };
        struct gw_answer a;
        if ((s->on >> at & 1) == 0)
            continue;
        QC_TRY(gw_name_make(b->root, b->member[at].cloud_id, &name, key, err));
        keys[at] = key;
        const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                    .keys = keys,
                                    .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
        QC_TRY(gw_fan_get(b->fan, &ask, QC_GW_LOG_MAX, bytes, &a, err));
        const qc_rc rc = (a.done >> at & 1) == 0 ? QC_TEMP
                                                 : gw_log_open(b->root, s->sequence, s->incarnation,
                                                               qc_buf_span(&bytes[at]), &l, &why);
        if (rc == QC_NEWER || rc == QC_NOMEM) {
            qc_buf_free(&bytes[at]);
            *err = why;
            return rc;
        }
        if (rc == QC_OK && qc_span_eq(qc_span_of(l.head.prev, sizeof l.head.prev),
                                      qc_span_of(b->tip.hash, sizeof b->tip.hash))) {
            *ret = bytes[at];
            *ret_log = QC_STEAL(l);
            return QC_OK;
        }
        qc_buf_free(&bytes[at]);
    }
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
        QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
        QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
        const struct gw_log_seen *s = &b->seen[i];
        if (s->incarnation < *incarnation || !stands(b, s))
            continue;
        QC_TRY(fetch_link(b, s, &l, &bytes, err));
        if (bytes.n == 0)
            continue;
        const qc_span part = qc_buf_span(&bytes);
        QC_TRY_AS(fn(b, &l, part, s->on, err), err, "log object %" PRIu64, sequence);
        QC_TRY(qc_sha256(&part, 1, b->tip.hash, err));
        b->tip.sequence = sequence;
        *incarnation = s->incarnation;
        *ret_found = true;
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
    b->report->log_objects = b->tip.sequence;
    b->report->log_sequence = b->tip.sequence;
    for (size_t i = 0; i < b->seen_count; i++)
        b->report->log_beyond += b->seen[i].sequence > b->tip.sequence;
    return QC_OK;
}

qc_rc gw_rebuild_reput(struct gw_rebuilding *b, const struct gw_log_head *head, qc_span bytes, gw_clouds *on,
                       struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = head->sequence,
                                  .incarnation = (uint16_t)head->incarnation };
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    if ((unsigned)__builtin_popcount(*on & b->good) >= b->conf.record_quorum)
        return QC_OK;
    for (unsigned at = 0; at < b->setup->count; at++)
        if (b->good >> at & 1) {
            QC_TRY(gw_name_make(b->root, b->member[at].cloud_id, &name, names[at], err));
            keys[at] = names[at];
        }
    const struct gw_ask ask = { .set = b->good & ~*on,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_put(b->fan, &ask, bytes, CLOUD_NEW, &a, err));
    *on |= a.done;
    if ((unsigned)__builtin_popcount(*on & b->good) < b->conf.record_quorum)
        return QC_FAIL(err, QC_QUORUM, "log object %" PRIu64 " is on %d clouds, %u are needed",
                       head->sequence, __builtin_popcount(*on & b->good), b->conf.record_quorum);
    return QC_OK;
}
