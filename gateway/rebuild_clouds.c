/* Rebuild, the clouds' part: whose they are, the fence, the cut. */
#include "rebuild_internal.h"

#include "base/codec.h"

int gw_rebuild_at(const struct gw_rebuilding *b, uint32_t cloud_id)
{
    for (unsigned at = 0; at < b->setup->count; at++)
        if ((b->good >> at & 1) && b->member[at].cloud_id == cloud_id)
            return (int)at;
    return -1;
}

/* -- identities ------------------------------------------------------------------------------------------ */

static qc_rc fetch_identities(struct gw_rebuilding *b, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX];
    struct gw_answer a;

    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        keys[at] = gw_name_identity;
    const struct gw_ask ask = { .set = gw_fan_all(b->fan),
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(gw_fan_get(b->fan, &ask, GW_IDENTITY_MAX, b->identity, &a, err));
    for (unsigned at = 0; at < b->setup->count; at++)
        if (a.outcome[at].fate == GW_FAILED &&
            (a.outcome[at].gone || a.outcome[at].rc == QC_NOTFOUND || a.outcome[at].rc == QC_LIMIT))
            b->lost |= (gw_clouds)1 << at; /* it answers, and has none */
    return QC_OK;
}

/* With a kit no share is needed; an identity counts when its HMAC holds. */
static qc_rc root_from_kit(struct gw_rebuilding *b, bool good[QC_GW_CLOUDS_MAX], struct qc_err *err)
{
    QC_TRY_AS(gw_kit_parse(b->setup->kit, &b->root, err), err, "operator's kit");
    for (unsigned at = 0; at < b->setup->count; at++) {
        struct gw_identity id = { 0 };
        struct qc_err why = { 0 };
        if (b->identity[at].n == 0 || gw_identity_parse(qc_buf_span(&b->identity[at]), &id, &why) != QC_OK)
            continue;
        const struct gw_member m = { id.cloud_id, id.generation };
        good[at] = gw_identity_check(b->root, &m, qc_buf_span(&b->identity[at]), &why) == QC_OK;
        gw_identity_done(&id);
    }
    return QC_OK;
}

static qc_rc root_from_clouds(struct gw_rebuilding *b, bool good[QC_GW_CLOUDS_MAX], struct qc_err *err)
{
    qc_span objects[QC_GW_CLOUDS_MAX] = { 0 };

    for (unsigned at = 0; at < b->setup->count; at++)
        objects[at] = qc_buf_span(&b->identity[at]);
    return gw_identity_combine(objects, b->setup->count, &b->root, good, err);
}

/* What a good identity says: which cloud it is, how many there are, how many a rebuild needs. */
static qc_rc learn_member(struct gw_rebuilding *b, unsigned at, struct qc_err *err)
{
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };

    QC_TRY(gw_identity_parse(qc_buf_span(&b->identity[at]), &id, err));
    if (gw_rebuild_at(b, id.cloud_id) >= 0)
        return QC_FAIL(err, QC_CONFLICT,
                       "clouds %s and %s show the same identity: one is a copy of the other",
                       b->setup->clouds[gw_rebuild_at(b, id.cloud_id)].name, b->setup->clouds[at].name);
    b->member[at] = (struct gw_member){ id.cloud_id, id.generation };
    b->good |= (gw_clouds)1 << at;
    return QC_OK;
}

/* From here on positions have their clouds' real ids: names depend on them. */
static qc_rc reopen_fan(struct gw_rebuilding *b, struct qc_err *err)
{
    struct gw_cloud_conf confs[QC_GW_CLOUDS_MAX];

    if (!gw_fan_free(&b->fan, QC_GW_OPEN_MS))
        return QC_FAIL(err, QC_TEMP, "a cloud hangs: unmount it, or leave it out");
    for (unsigned at = 0; at < b->setup->count; at++) {
        const bool good = b->good >> at & 1;
        confs[at] = gw_rebuild_conf(b, at);
        confs[at].id = good ? b->member[at].cloud_id : UINT32_MAX - at;
        confs[at].generation = good ? b->member[at].generation : 0;
    }
    return gw_fan_new(&b->fan, confs, b->setup->count, err);
}

/* A gateway that is not meant must not be shut out of its clouds: known before anything is written. */
static qc_rc check_catalogue(const struct gw_rebuilding *b, struct qc_err *err)
{
    char have[2 * GW_ID_BYTES + 1], want[2 * GW_ID_BYTES + 1];
    const struct gw_id *meant = b->setup->catalogue;

    if (meant == NULL || qc_span_eq(gw_id_span(&b->report->catalogue), gw_id_span(meant)))
        return QC_OK;
    qc_hex(gw_id_span(&b->report->catalogue), have);
    qc_hex(gw_id_span(meant), want);
    return QC_FAIL(
        err, QC_CONFLICT,
        "these clouds belong to another gateway (catalogue %.8s, expected %.8s): they were not touched", have,
        want);
}

qc_rc gw_rebuild_identities(struct gw_rebuilding *b, struct qc_err *err)
{
    bool good[QC_GW_CLOUDS_MAX] = { false };

    QC_TRY(fetch_identities(b, err));
    if (b->setup->kit.n > 0)
        QC_TRY(root_from_kit(b, good, err));
    else
        QC_TRY(root_from_clouds(b, good, err));
    for (unsigned at = 0; at < b->setup->count; at++) {
        if (good[at])
            QC_TRY(learn_member(b, at, err));
        else if (b->identity[at].n > 0)
            b->lost |= (gw_clouds)1 << at;
    }
    memcpy(b->report->catalogue.b, gw_root_catalogue(b->root), GW_ID_BYTES);
    QC_TRY(check_catalogue(b, err));
    QC_TRY(gw_rebuild_count(b, err));
    QC_TRY(gw_rebuild_trust(b, err));
    return reopen_fan(b, err);
}

/* -- roots and cuts -------------------------------------------------------------------------------------- */

struct root_list {
    struct gw_rebuilding *b;
    unsigned at;
    bool cuts; /* read the cuts too */
};

/* ret->n 0: it is not there, or larger than what it should be. A cloud that does not answer is no answer. */
static qc_rc fetch_small(struct gw_rebuilding *b, unsigned at, const char *key, qc_buf *ret,
                         struct qc_err *err)
{
    const struct gw_get_one one = { .at = at, .key = key, .size_max = 4096, .ms = QC_GW_RECORD_MS };
    struct gw_outcome o;

    QC_TRY(gw_fan_get_one(b->fan, &one, ret, &o, err));
    if (o.fate != GW_DONE && (o.fate != GW_FAILED || (o.rc != QC_NOTFOUND && o.rc != QC_LIMIT)))
        return QC_FAIL(err, QC_QUORUM, "a cut does not come: %s", o.why);
    return QC_OK;
}

static qc_rc learn_cut(struct gw_rebuilding *b, const struct gw_cut_object *cut, struct qc_err *err)
{
    for (unsigned i = 0; i < b->cut_count; i++)
        if (b->cuts[i].by == cut->by)
            return QC_OK;
    if (b->cut_count == QC_GW_CUTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d rebuilds of one gateway", QC_GW_CUTS_MAX);
    b->cuts[b->cut_count].by = cut->by;
    b->cuts[b->cut_count++].sequence = cut->log_sequence;
    return QC_OK;
}

/* The name of a root says its incarnation, and only the root key makes such names: a damaged one still
 * counts. Cuts that do not authenticate are nobody's. */
static qc_rc see_root(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    const struct root_list *l = ctx;
    struct gw_rebuilding *b = l->b;
    struct qc_err why = { 0 };
    struct gw_cut_object cut;
    struct gw_name name;

    QC_TRY(gw_name_parse(b->root, b->member[l->at].cloud_id, item->key, &name, err));
    if (name.kind == GW_NAME_ROOT && name.id > b->newest)
        b->newest = name.id > UINT32_MAX ? UINT32_MAX : (uint32_t)name.id;
    if (!l->cuts)
        return QC_OK;
    if (name.kind != GW_NAME_ROOT && name.kind != GW_NAME_CUT)
        b->report->foreign++;
    if (name.kind != GW_NAME_CUT)
        return QC_OK;
    QC_TRY(fetch_small(b, l->at, item->key, &bytes, err));
    if (gw_cut_object_parse(b->root, qc_buf_span(&bytes), &cut, &why) != QC_OK)
        return QC_OK;
    return learn_cut(b, &cut, err);
}

/* b->newest, and (cuts) b->cuts. */
static qc_rc list_roots(struct gw_rebuilding *b, bool cuts, struct qc_err *err)
{
    for (unsigned at = 0; at < b->setup->count; at++) {
        struct root_list l = { b, at, cuts };
        if (b->good >> at & 1)
            QC_TRY_AS(gw_fan_list(b->fan, at, "r/", QC_GW_LIST_PAGE_MS, see_root, &l, err), err, "cloud %s",
                      b->setup->clouds[at].name);
    }
    return QC_OK;
}

qc_rc gw_rebuild_alone(struct gw_rebuilding *b, bool cuts, struct qc_err *err)
{
    const uint32_t fenced = b->newest;
    const qc_rc rc = list_roots(b, cuts, err);
    const uint32_t seen = b->newest;

    b->newest = fenced;
    QC_TRY(rc);
    if (seen > b->incarnation)
        return QC_FAIL(err, QC_CONFLICT,
                       "another rebuild took over (incarnation %" PRIu32 "); this one was %" PRIu32, seen,
                       b->incarnation);
    return QC_OK;
}

qc_rc gw_rebuild_look(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_TRY(list_roots(b, true, err));
    if (b->newest == 0)
        return QC_FAIL(err, QC_INTEGRITY, "no root object on the clouds");
    b->incarnation = b->newest;
    b->report->incarnation = b->newest;
    b->report->reached = (unsigned)__builtin_popcount(b->good);
    return QC_OK;
}

/* The same key on every good cloud, each under its own name. */
static qc_rc put_everywhere(struct gw_rebuilding *b, const struct gw_name *name, qc_span bytes,
                            struct gw_answer *ret, struct qc_err *err)
{
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };

    for (unsigned at = 0; at < b->setup->count; at++)
        if (b->good >> at & 1) {
            QC_TRY(gw_name_make(b->root, b->member[at].cloud_id, name, names[at], err));
            keys[at] = names[at];
        }
    const struct gw_ask ask = {
        .set = b->good, .keys = keys, .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) }, .force = true
    };
    return gw_fan_put(b->fan, &ask, bytes, CLOUD_NEW, ret, err);
}

/* The clouds that an attempt reached may be away at the next one, which must not take a smaller incarnation:
 * once they are back, the gateway that came of it would be the older one. So each is written down here before
 * it is written there. A file that is not one is none: it saves an operator a rebuild, no more. */
static qc_rc next_incarnation(const struct gw_rebuilding *b, uint32_t *ret, struct qc_err *err)
{
    static const char file[] = "incarnation";
    QC_CLEANUP(qc_buf_free) qc_buf was = { 0 };
    const int dir = qc_fd_get(&b->state.dir);
    uint32_t last = b->newest;
    struct qc_err why = { 0 };
    uint8_t number[4];

    if (qc_file_read(dir, file, sizeof number, &was, &why) == QC_OK && was.n == sizeof number) {
        const uint64_t tried = qc_get_be(was.p, sizeof number);
        last = tried > last && tried < UINT16_MAX ? (uint32_t)tried : last;
    }
    *ret = last + 1;
    qc_put_be(number, *ret, sizeof number);
    const qc_span part = qc_span_of(number, sizeof number);
    return qc_file_write_atomic(dir, file, &part, 1, 0600, err);
}

qc_rc gw_rebuild_fence(struct gw_rebuilding *b, struct qc_err *err)
{
    uint8_t bytes[GW_ROOT_OBJECT_BYTES];
    struct gw_root_object root = { 0 };
    struct gw_answer a;

    QC_TRY(list_roots(b, false, err));
    if (b->newest == 0 || b->newest >= UINT16_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "no root object on the clouds, or too many: incarnation %" PRIu32,
                       b->newest);
    QC_TRY(next_incarnation(b, &b->incarnation, err));
    b->report->incarnation = b->incarnation;
    QC_TRY(qc_rng_fill(b->rng, b->instance.b, sizeof b->instance.b, err));
    root.incarnation = b->incarnation;
    memcpy(root.instance, b->instance.b, sizeof root.instance);
    QC_TRY(gw_root_object_make(b->root, &root, bytes, err));
    QC_TRY(qc_fault(rebuild_fence, err));
    const struct gw_name name = { .kind = GW_NAME_ROOT, .id = b->incarnation };
    QC_TRY(put_everywhere(b, &name, qc_span_of(bytes, sizeof bytes), &a, err));
    const unsigned done = (unsigned)__builtin_popcount(a.done);
    /* Of two that write the same root, at most one has most of the clouds; with fewer it gives way. */
    for (unsigned at = 0; at < b->setup->count; at++)
        if (a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_CONFLICT &&
            (done < b->needed || 2 * done <= b->count))
            return QC_FAIL(err, QC_CONFLICT,
                           "another rebuild is at work (incarnation %" PRIu32 " on cloud %s)", b->incarnation,
                           b->setup->clouds[at].name);
    if (done < b->needed)
        return QC_FAIL(err, QC_QUORUM, "the new root object is on %u clouds, %u are needed", done, b->needed);
    /* A cloud that did not take the root does not know that we fenced: what it shows later does not count. */
    b->good = a.done;
    b->report->reached = done;
    QC_TRY(qc_fault(rebuild_fenced, err));
    /* Cuts are read after the fence: one that is not there now is of a rebuild whose gateway will see our
     * root. */
    return gw_rebuild_alone(b, true, err);
}

qc_rc gw_rebuild_cut(struct gw_rebuilding *b, struct qc_err *err)
{
    const struct gw_cut_object cut = { .by = b->incarnation,
                                       .incarnation = b->newest,
                                       .log_sequence = b->tip.sequence };
    const struct gw_name name = { .kind = GW_NAME_CUT, .id = b->incarnation };
    uint8_t bytes[GW_CUT_OBJECT_BYTES];
    struct gw_answer a;

    QC_TRY(gw_cut_object_make(b->root, &cut, bytes, err));
    QC_TRY(put_everywhere(b, &name, qc_span_of(bytes, sizeof bytes), &a, err));
    const unsigned done = (unsigned)__builtin_popcount(a.done);
    if (done < b->needed)
        return QC_FAIL(err, QC_QUORUM, "the cut is on %u clouds, %u are needed", done, b->needed);
    return qc_fault(rebuild_cut, err);
}
