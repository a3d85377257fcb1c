/* Reading versions: segment by segment, each verified before a byte of it is handed on (I2). */
#include "ec/geometry.h"
#include "engine_internal.h"

struct gw_reader {
    struct gw_engine *e;
    struct gw_version_row v;
    char request[QC_GW_REQUEST_ID_MAX + 1];
    uint64_t
        start; /* where N begins in the segments: 0, or its place in a bundle. What follows counts there */
    struct gw_read *have; /* bytes [from, to), all of one segment; NULL: none */
    uint64_t from, to;
    uint64_t segment_at; /* where that segment begins */
    gw_clouds withheld;  /* clouds that are not asked */
    bool among;          /* others of the bundle are wanted, too */
};

static qc_rc live_version(struct gw_engine *e, const struct gw_version_ids *ids, struct gw_version_row *ret,
                          struct qc_err *err)
{
    struct gw_version_row v;

    QC_TRY(gw_cat_version(e->cat, ids, &v, err));
    if (v.state != GW_VERSION_LIVE || !gw_id_same(&v.vault, &ids->vault) || v.bundle)
        return QC_FAIL(err, QC_NOTFOUND, "no such version in this vault");
    *ret = v;
    return QC_OK;
}

static qc_rc may_read(struct gw_engine *e, const char *request, struct qc_err *err)
{
    QC_TRY(gw_engine_may(e, err));
    if (strlen(request) > QC_GW_REQUEST_ID_MAX)
        return QC_FAIL(err, QC_USAGE, "request id: %zu bytes, at most %d", strlen(request),
                       QC_GW_REQUEST_ID_MAX);
    return QC_OK;
}

/* Nothing is pinned: a version that is purged meanwhile is not found any more (was_replaced). */
qc_rc gw_reader_open(struct gw_engine *e, const struct gw_version_ids *ids, const char *request,
                     struct gw_reader **ret, uint64_t *ret_size, struct qc_err *err)
{
    struct gw_version_row v;

    QC_TRY(may_read(e, request, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(live_version(e, ids, &v, err));
    }
    struct gw_reader *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "reader");
    r->e = e;
    r->v = v;
    r->start = v.holder != 0 ? v.start : 0;
    memcpy(r->request, request, strlen(request) + 1);
    gw_request_begin(e, v.tenant, request);
    *ret = r;
    *ret_size = v.size;
    return QC_OK;
}

void gw_reader_withhold(struct gw_reader *r, uint32_t clouds)
{
    r->withheld = clouds;
}

/* Which fragments of a segment lie on clouds of a set. */
static qc_rc fragments_on(struct gw_reader *r, const struct gw_segment *seg, uint32_t *ret,
                          struct qc_err *err)
{
    *ret = 0;
    for (unsigned i = 0; r->withheld != 0 && i < seg->n; i++) {
        char key[GW_NAME_SIZE];
        int at;
        QC_TRY(gw_segment_key(r->e->store, seg, i, &at, key, err));
        if (at >= 0 && (r->withheld >> at & 1) != 0)
            *ret |= UINT32_C(1) << i;
    }
    return QC_OK;
}

void gw_reader_close(struct gw_reader **r)
{
    if (*r == NULL)
        return;
    gw_read_free(&(*r)->have);
    qc_free(*r);
    *r = NULL;
}

/* A client hears of every fragment that its bytes should have behind them and do not, also of those that were
 * known to be gone and not asked for. */
static qc_rc recall(struct gw_reader *r, const struct gw_segment *seg, const struct gw_faults *found,
                    struct qc_err *err)
{
    struct gw_faults known = *found;
    gw_clouds back;

    if (r->request[0] == 0)
        return QC_OK;
    QC_TRY(gw_probe_again(r->e->fan, r->e->root, gw_fan_all(r->e->fan), GW_ILL_QUIET, &back, err));
    QC_TRY(gw_segment_known(r->e->store, seg, &known, err));
    memmove(known.v, known.v + found->count, (known.count - found->count) * sizeof known.v[0]);
    known.count -= found->count;
    gw_faults_recall(r->e, r->v.tenant, r->request, &known);
    return QC_OK;
}

/* Has another segment taken the place of the one that was read (recode.c), or is the version gone (purge.c)?
 * Then nothing is wrong with it: what lay there is being removed. */
static bool was_replaced(struct gw_reader *r, const struct gw_segment *seg)
{
    struct qc_err unused = { 0 };
    uint64_t now;
    QC_LOCK(gw_cat_lock(r->e->cat));
    const qc_rc rc = gw_cat_segment_of(r->e->cat, gw_version_holder(&r->v), seg->seq, &now, &unused);

    return rc == QC_NOTFOUND || (rc == QC_OK && now != seg->id);
}

/* Under the lock. *ret: N lies in another bundle by now (repack.c). */
static qc_rc follow(struct gw_reader *r, bool *ret, struct qc_err *err)
{
    struct gw_version_row now;

    QC_TRY(gw_cat_version_no(r->e->cat, r->v.no, &now, err));
    if (now.state == GW_VERSION_DEAD)
        return QC_FAIL(err, QC_NOTFOUND, "the version was purged meanwhile");
    *ret = now.holder != r->v.holder || now.start != r->v.start;
    r->v = now;
    r->start = now.holder != 0 ? now.start : 0;
    return QC_OK;
}

/* The segment of a byte of N, and where it begins; r->start is what holds now. */
static qc_rc segment_at(struct gw_reader *r, uint64_t off, struct gw_segment *ret, uint64_t *ret_at,
                        struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(r->e->cat));

    for (;;) { /* ends: each time somebody has put N into another bundle */
        struct qc_err why = { 0 };
        bool moved = false;
        const qc_rc rc =
            gw_cat_segment_at(r->e->cat, gw_version_holder(&r->v), r->start + off, ret, ret_at, &why);
        if (rc == QC_INTEGRITY)
            QC_TRY(follow(r, &moved, err));
        if (!moved) {
            if (rc != QC_OK)
                *err = why;
            return rc;
        }
    }
}

static bool in_bundle(const struct gw_reader *r, const struct gw_segment *seg)
{
    return r->v.holder != 0 && seg->size <= QC_GW_BUNDLE_MAX;
}

/* Of a bundle, the stripes in which N lies, whose pieces have to be fetched whole anyway to be verified; all
 * of them where several N are wanted: one request to each cloud. */
static qc_rc range_of(const struct gw_reader *r, const struct gw_segment *seg, uint64_t from, uint64_t to,
                      struct gw_range *ret, struct qc_err *err)
{
    struct ec_geometry g;

    *ret = (struct gw_range){ .from = (uint32_t)from, .to = to < seg->size ? (uint32_t)to : seg->size };
    if (!in_bundle(r, seg))
        return QC_OK;
    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    const uint32_t first = r->among ? 0 : ec_geometry_stripe_at(&g, ret->from);
    const uint32_t last = r->among ? g.stripe_count - 1 : ec_geometry_stripe_at(&g, ret->to - 1);
    const struct ec_stripe end = ec_geometry_stripe(&g, last);
    ret->from = ec_geometry_stripe(&g, first).data_offset;
    ret->to = end.data_offset + end.data_size;
    return QC_OK;
}

/* A copy for those who come next. Without memory for one it is read again. */
static void keep_bundle(struct gw_reader *r, const struct gw_segment *seg, struct gw_range range)
{
    const uint32_t n = range.to - range.from;
    if (!in_bundle(r, seg))
        return;
    uint8_t *copy = qc_alloc(n);
    if (copy == NULL)
        return;
    gw_read_copy(r->have, range.from, copy, n);
    gw_bundles_keep(&r->e->bundles, seg->id, r->withheld, range.from, &copy, n);
}

/* off, to: of N */
static qc_rc fetch(struct gw_reader *r, uint64_t off, uint64_t to, struct qc_err *err)
{
    struct gw_faults faults = { 0 };
    struct gw_segment seg;
    uint64_t at;

    gw_read_free(&r->have);
    QC_TRY(segment_at(r, off, &seg, &at, err));
    QC_TRY(fragments_on(r, &seg, &seg.withheld, err));
    struct gw_range range;
    QC_TRY(range_of(r, &seg, r->start + off - at, r->start + to - at, &range, err));
    qc_rc rc =
        gw_segment_read(r->e->store, &seg, range, qc_deadline_in(QC_GW_READ_MS), &faults, &r->have, err);
    if (faults.count > 0 && was_replaced(r, &seg)) {
        qc_err_clear(err);
        return fetch(r, off, to, err); /* ends: each time somebody has put the segment anew */
    }
    gw_faults_note(r->e, r->request, &seg, &faults);
    if (rc == QC_OK)
        rc = recall(r, &seg, &faults, err);
    if (rc != QC_OK) {
        if (rc != QC_QUORUM) /* which is of clouds, and as good as the same for all segments */
            qc_err_wrap(err, "segment %" PRIu32, seg.seq);
        gw_request_error(r->e, r->v.tenant, r->request, err);
        return rc;
    }
    r->segment_at = at;
    r->from = at + range.from;
    r->to = at + range.to;
    keep_bundle(r, &seg, range);
    return QC_OK;
}

/* Out of a bundle that was read lately. *ret_got 0: it was not. off, to: of N */
static qc_rc read_kept(struct gw_reader *r, uint64_t off, uint64_t to, uint8_t *dst, size_t max,
                       size_t *ret_got, struct qc_err *err)
{
    struct gw_segment seg;
    uint64_t at;

    *ret_got = 0;
    if (r->v.holder == 0 || r->have != NULL)
        return QC_OK;
    QC_TRY(segment_at(r, off, &seg, &at, err));
    const uint64_t from = r->start + off, upto = r->start + to;
    const uint64_t end = at + seg.size < upto ? at + seg.size : upto;
    const size_t n = end - from < max ? (size_t)(end - from) : max;
    if (gw_bundles_take(&r->e->bundles, seg.id, r->withheld, (uint32_t)(from - at), dst, n))
        *ret_got = n;
    return QC_OK;
}

qc_rc gw_reader_read(struct gw_reader *r, uint64_t off, uint64_t to, uint8_t *dst, size_t max,
                     size_t *ret_got, struct qc_err *err)
{
    QC_ASSERT(off < to && to <= r->v.size);
    QC_ASSERT(max > 0);
    size_t kept = 0;
    QC_TRY(read_kept(r, off, to, dst, max, &kept, err));
    if (kept > 0) {
        *ret_got = kept;
        return QC_OK;
    }
    if (r->have == NULL || r->start + off < r->from || r->start + off >= r->to)
        QC_TRY(fetch(r, off, to, err));
    const uint64_t from = r->start + off, upto = r->start + to; /* where it lies by now */
    const uint64_t end = r->to < upto ? r->to : upto;
    const size_t n = end - from < max ? (size_t)(end - from) : max;
    gw_read_copy(r->have, (uint32_t)(from - r->segment_at), dst, n);
    if (from + n == end)
        gw_read_free(&r->have); /* a unit is scarce: not kept while the caller sends */
    *ret_got = n;
    return QC_OK;
}

/* -- several at once ------------------------------------------------------------------------------------- */

/* One of several: its row, and the segment of a bundle that it lies in. */
struct sought {
    struct gw_version_row v;
    uint64_t segment; /* 0: in none, or it is not known */
    uint64_t at;      /* where that segment begins */
    uint32_t size;
};

/* Under the lock. last: of the one before; neighbours lie in the same segment mostly. */
static void seek_segment(struct gw_engine *e, const struct sought *last, struct sought *s)
{
    struct qc_err err = { 0 };
    struct gw_segment seg;
    uint64_t at;

    if (s->v.holder == 0 || s->v.size == 0)
        return;
    if (last != NULL && last->segment != 0 && last->v.holder == s->v.holder && s->v.start >= last->at &&
        s->v.start - last->at < last->size) {
        s->segment = last->segment;
        s->at = last->at;
        s->size = last->size;
        return;
    }
    const qc_rc rc = gw_cat_segment_at(e->cat, s->v.holder, s->v.start, &seg, &at, &err);
    qc_ignore(rc, "whoever reads it asks again, and follows it where it went");
    if (rc != QC_OK)
        return;
    s->segment = seg.id;
    s->at = at;
    s->size = seg.size;
}

/* Under the lock, in one look. */
static qc_rc seek(struct gw_engine *e, const struct gw_version_ids *ids, size_t count, struct sought *v,
                  struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        QC_TRY_AS(live_version(e, &ids[i], &v[i].v, err), err, "object %zu", i);
        seek_segment(e, i > 0 ? &v[i - 1] : NULL, &v[i]);
    }
    return QC_OK;
}

static qc_rc read_whole(struct gw_reader *r, uint8_t *dst, struct qc_err *err)
{
    for (uint64_t at = 0; at < r->v.size;) {
        size_t got = 0;
        QC_TRY(gw_reader_read(r, at, r->v.size, dst + at, (size_t)(r->v.size - at), &got, err));
        at += got;
    }
    return QC_OK;
}

static qc_rc read_sought(struct gw_engine *e, const struct sought *s, bool among, const char *request,
                         qc_buf *to, struct qc_err *err)
{
    struct gw_reader r = { .e = e, .v = s->v, .start = s->v.holder != 0 ? s->v.start : 0, .among = among };
    const size_t n = (size_t)s->v.size;
    uint8_t *dst = to->p + to->n;

    QC_ASSERT(n <= to->cap - to->n);
    to->n += n;
    if (s->segment != 0 && r.start - s->at + n <= s->size &&
        gw_bundles_take(&e->bundles, s->segment, 0, (uint32_t)(r.start - s->at), dst, n))
        return QC_OK;
    memcpy(r.request, request, strlen(request) + 1);
    const qc_rc rc = read_whole(&r, dst, err);
    gw_read_free(&r.have);
    return rc;
}

/* Room for all, at once. */
static qc_rc make_room(const struct sought *v, size_t count, qc_buf *to, struct qc_err *err)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (v[i].v.size > to->max - to->n - sum)
            return QC_FAIL(err, QC_LIMIT, "object %zu: all of them have more than %zu bytes", i, to->max);
        sum += v[i].v.size;
    }
    return qc_buf_reserve(to, (size_t)sum, err);
}

qc_rc gw_read_some(struct gw_engine *e, const struct gw_version_ids *ids, size_t count, const char *request,
                   qc_buf *to, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct sought *v = NULL;

    QC_ASSERT(count >= 1 && count <= QC_GW_BATCH_CHANGES_MAX);
    QC_TRY(may_read(e, request, err));
    v = qc_alloc(count * sizeof *v);
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions to be read");
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_look(e->cat, err));
        const qc_rc rc = seek(e, ids, count, v, err);
        gw_cat_look_end(e->cat);
        QC_TRY(rc);
    }
    gw_request_begin(e, v[0].v.tenant, request);
    QC_TRY(make_room(v, count, to, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(read_sought(e, &v[i], count > 1, request, to, err), err, "object %zu", i);
    return QC_OK;
}

/* -- what a version is made of --------------------------------------------------------------------------- */

struct tally {
    struct gw_engine *e;
    struct gw_version_info *info;
    uint64_t size; /* of a fragment of the segment in hand */
};

static unsigned info_row(struct gw_version_info *info, uint32_t cloud_id)
{
    for (unsigned i = 0; i < info->cloud_count; i++)
        if (info->clouds[i].cloud_id == cloud_id)
            return i;
    QC_ASSERT(info->cloud_count < QC_GW_CLOUDS_MAX);
    info->clouds[info->cloud_count].cloud_id = cloud_id;
    return info->cloud_count++;
}

/* A fragment that moved is its new cloud's; one that is not there is missing where it should be. */
static qc_rc tally_row(void *ctx, const struct gw_deviation_row *row, struct qc_err *err)
{
    struct tally *t = ctx;
    struct gw_version_info *info = t->info;

    (void)err;
    if (row->cloud_id != row->home) {
        info->clouds[info_row(info, row->home)].fragments--;
        info->clouds[info_row(info, row->home)].bytes -= t->size;
        info->clouds[info_row(info, row->cloud_id)].fragments++;
        info->clouds[info_row(info, row->cloud_id)].bytes += t->size;
    }
    info->clouds[info_row(info, row->cloud_id)].missing += row->state != GW_DEV_MOVED;
    return QC_OK;
}

static qc_rc tally_segment(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err)
{
    struct tally *t = ctx;
    struct ec_geometry g;

    (void)offset;
    if (t->info->segments++ == 0 ||
        seg->n - seg->k < t->info->n - t->info->k) { /* of several codes the least */
        t->info->k = seg->k;
        t->info->n = seg->n;
    }
    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    t->size = GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n);
    for (unsigned i = 0; i < seg->n; i++) {
        const unsigned row = info_row(t->info, seg->layout[i]);
        t->info->clouds[row].fragments++;
        t->info->clouds[row].bytes += t->size;
    }
    return gw_cat_deviations_each(t->e->cat, seg->id, tally_row, t, err);
}

/* Of a cloud that has something: what was looked at there, and when. What came there after the pass was
 * written and confirmed later than that; what is read is there, too. */
static qc_rc seen_on(struct gw_engine *e, uint32_t cloud_id, int64_t written_s, int64_t ret[GW_DEPTHS],
                     struct qc_err *err)
{
    for (enum gw_depth depth = GW_PRESENCE; depth <= GW_CONTENT; depth++) {
        struct gw_scrub_row row;
        bool found;
        QC_TRY(gw_cat_scrub_get(e->cat, cloud_id, depth, &row, &found, err));
        const bool covers = found && row.last.ended != 0 && row.last.began > written_s;
        ret[depth - 1] = covers ? row.last.began : written_s;
    }
    if (ret[GW_CONTENT - 1] > ret[GW_PRESENCE - 1])
        ret[GW_PRESENCE - 1] = ret[GW_CONTENT - 1];
    return QC_OK;
}

/* What was on a cloud that is lost is missing, all of it: it counts in no margin. */
static void miss_lost(struct gw_engine *e, struct gw_version_info *info)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        for (unsigned i = 0; view.state == GW_CLOUD_LOST && i < info->cloud_count; i++)
            if (info->clouds[i].cloud_id == view.id)
                info->clouds[i].missing = info->clouds[i].fragments;
    }
}

static qc_rc look_at_age(struct gw_engine *e, struct gw_version_info *info, struct qc_err *err)
{
    bool any = false;

    for (unsigned d = 0; d < GW_DEPTHS; d++)
        info->seen_s[d] = info->written_s;
    for (unsigned i = 0; i < info->cloud_count; i++) {
        int64_t seen[GW_DEPTHS];
        if (info->clouds[i].fragments <= info->clouds[i].missing)
            continue; /* nothing of the margin is there */
        QC_TRY(seen_on(e, info->clouds[i].cloud_id, info->written_s, seen, err));
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            if (!any || seen[d] < info->seen_s[d])
                info->seen_s[d] = seen[d];
        any = true;
    }
    return QC_OK;
}

/* One that is decided and not live is not what is not there: who removes what belongs to no version asks. */
static qc_rc not_decided(struct gw_engine *e, const struct gw_version_ids *ids, struct qc_err *err)
{
    struct gw_version_row v;

    QC_TRY(gw_cat_version(e->cat, ids, &v, err));
    if (v.state == GW_VERSION_DECIDED && gw_id_same(&v.vault, &ids->vault) && !v.bundle)
        return QC_FAIL(err, QC_CONFLICT, "this version is decided and not live yet");
    return QC_OK;
}

qc_rc gw_version_info(struct gw_engine *e, const struct gw_version_ids *ids, struct gw_version_info *ret,
                      struct qc_err *err)
{
    struct gw_version_info info = { 0 };
    struct tally t = { .e = e, .info = &info };
    struct gw_version_row v;
    bool current;

    QC_TRY(gw_engine_may(e, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(not_decided(e, ids, err));
    QC_TRY(live_version(e, ids, &v, err));
    QC_TRY(gw_cat_version_current(e->cat, v.no, &current, err));
    QC_TRY(gw_cat_margin(e->cat, v.no, &info.margin, err));
    QC_TRY(gw_cat_segments(e->cat, gw_version_holder(&v), 0, tally_segment, &t, err));
    info.size = v.size;
    info.old = !current;
    info.acked_margin = v.acked_margin;
    info.written_s = (int64_t)v.created;
    info.kept_s = (int64_t)v.kept;
    miss_lost(e, &info);
    QC_TRY(look_at_age(e, &info, err));
    *ret = info;
    return QC_OK;
}
