/* DECIDE of a put: its upload or its bundle, its segments, its record. */
#include "base/planted.h"
#include "base/time.h"
#include "commit_internal.h"
#include "make.h"

struct gather {
    struct gw_deciding *d;
    qc_buf layouts, segments;
    struct gw_log_layout known[QC_GW_LAYOUTS_MAX];
    unsigned layout_count;
    uint32_t count, expected;
    uint64_t sum;
    bool whole; /* all of it was found good */
};

static void gather_done(struct gather *g)
{
    qc_buf_free(&g->layouts);
    qc_buf_free(&g->segments);
}

static qc_rc layout_index(struct gather *g, const struct gw_segment *seg, uint16_t *ret, struct qc_err *err)
{
    struct gw_log_layout l = { .k = (uint8_t)seg->k, .n = (uint8_t)seg->n };

    memcpy(l.clouds, seg->layout, sizeof l.clouds);
    for (unsigned i = 0; i < g->layout_count; i++)
        if (qc_span_eq(qc_span_of(&g->known[i], sizeof l), qc_span_of(&l, sizeof l))) {
            *ret = (uint16_t)i;
            return QC_OK;
        }
    if (g->layout_count == QC_GW_LAYOUTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d layouts in one version", QC_GW_LAYOUTS_MAX);
    QC_TRY(gw_log_add_layout(&g->layouts, &l, err));
    g->known[g->layout_count] = l;
    *ret = (uint16_t)g->layout_count++;
    return QC_OK;
}

static qc_rc gather_segment(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err)
{
    struct gather *g = ctx;
    struct gw_log_segment s = { .id = seg->id, .size = seg->size, .incarnation = seg->incarnation };

    (void)offset;
    if (seg->seq != g->count || g->count == g->expected)
        return QC_FAIL(err, QC_USAGE,
                       "segments: number %" PRIu32 " where %" PRIu32 " of %" PRIu32 " was expected", seg->seq,
                       g->count, g->expected);
    if (seg->last != (g->count + 1 == g->expected))
        return QC_FAIL(err, QC_USAGE, "segments: number %" PRIu32 " of %" PRIu32 " is%s marked as the last",
                       seg->seq, g->expected, seg->last ? "" : " not");
    memcpy(s.salt, seg->salt, sizeof s.salt);
    memcpy(s.digest, seg->digest, sizeof s.digest);
    QC_TRY(layout_index(g, seg, &s.layout, err));
    QC_TRY(gw_log_add_segment(&g->segments, &s, err));
    g->count++;
    g->sum += seg->size;
    return QC_OK;
}

/* Each segment keeps to the quorum of the code that it has: another one may be new ones' by now. */
static qc_rc check_durable(void *ctx, unsigned k, unsigned n, int clouds, struct qc_err *err)
{
    const unsigned quorum = gw_write_quorum(ctx, k, n);

    return clouds >= (int)quorum
               ? QC_OK
               : QC_FAIL(err, QC_QUORUM, "a segment is durable on %d clouds only, %u are needed", clouds,
                         quorum);
}

/* Do the segments hold N, and nothing else unless it lies in a bundle? */
static bool hold_it(const struct gw_change *c, uint64_t sum)
{
    const uint64_t size = c->entry->size;

    return c->in == NULL
               ? sum == size
               : size >= 1 && size <= QC_GW_BUNDLED_MAX && c->in->start <= sum && size <= sum - c->in->start;
}

/* All segments there, and durable on the write quorum. */
static qc_rc gather_segments(struct gw_deciding *d, const struct gw_change *c, uint64_t version_no,
                             struct gather *g, struct qc_err *err)
{
    g->d = d;
    g->layouts.max = 8192;
    g->segments.max = (size_t)QC_GW_SEGMENTS_MAX * GW_LOG_SEGMENT_BYTES;
    if (c->segments < 1 || c->segments > QC_GW_SEGMENTS_MAX)
        return QC_FAIL(err, QC_USAGE, "segments: %" PRIu32 ", expected 1..%d", c->segments,
                       QC_GW_SEGMENTS_MAX);
    g->expected = c->segments;
    QC_TRY(gw_cat_segments(d->e->cat, version_no, 0, gather_segment, g, err));
    if (g->count != c->segments)
        return QC_FAIL(err, QC_USAGE, "segments: %" PRIu32 " are here, the commit says %" PRIu32, g->count,
                       c->segments);
    return gw_cat_durable_each(d->e->cat, version_no, check_durable, &d->e->conf, err);
}

static qc_rc check_upload(struct gw_deciding *d, const struct gw_change *c, const struct gw_request_row *row,
                          struct qc_err *err)
{
    struct gw_version_row v;

    if (row->state == GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_NOTFOUND, "no upload of that put key");
    if (row->state != GW_UPLOAD_OPEN || row->kind != GW_REQUEST_PUT)
        return QC_FAIL(err, QC_CONFLICT, "the upload is %s", gw_upload_state_name(row->state));
    QC_TRY(gw_upload_run(row, c->run, err));
    QC_TRY(gw_cat_version_no(d->e->cat, row->version_no, &v, err));
    if (!gw_id_same(&v.vault, &c->vault.id) || !gw_id_same(&v.object, &c->entry->object) ||
        !gw_id_same(&v.version, &c->entry->version))
        return QC_FAIL(err, QC_USAGE, "the entry is of another vault, object or version than the upload");
    return QC_OK;
}

/* A bundle of which members are decided, one after the other in one transaction: what is said of it, and of
 * its segments, is looked for once. Only they change any of it meanwhile. */
struct gw_deciding_bundle {
    struct gw_ref put_key;
    uint32_t segments; /* as the members' commits say */
    struct gw_request_row row;
    struct gw_version_row in; /* of no == 0: not looked for yet */
    uint64_t room;            /* for so many versions the tenant has room at least */
    struct gather g;
};

void gw_deciding_bundle_free(struct gw_deciding_bundle **b)
{
    if (*b != NULL)
        gather_done(&(*b)->g);
    qc_free(*b);
    *b = NULL;
}

static qc_rc find_bundle(struct gw_deciding *d, const struct gw_change *c, struct qc_err *err)
{
    const struct gw_deciding_bundle *have = d->bundle;
    if (have != NULL && gw_ref_same(&have->put_key, &c->in->put_key) && have->segments == c->segments)
        return QC_OK;
    gw_deciding_bundle_free(&d->bundle);
    QC_CLEANUP(gw_deciding_bundle_free) struct gw_deciding_bundle *b = qc_alloc(sizeof *b);
    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "a bundle");
    b->put_key = c->in->put_key;
    b->segments = c->segments;
    QC_TRY(gw_cat_request(d->e->cat, &c->in->put_key, &b->row, err));
    d->bundle = QC_STEAL(b);
    return QC_OK;
}

/* The bundle's upload is open, decided with this batch, or live. */
static qc_rc check_bundle(struct gw_deciding *d, const struct gw_change *c, struct qc_err *err)
{
    QC_TRY(find_bundle(d, c, err));
    struct gw_request_row *row = &d->bundle->row;
    struct gw_version_row *in = &d->bundle->in;
    if (row->state == GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_NOTFOUND, "no upload of the bundle's put key");
    if (row->state == GW_UPLOAD_CANCELLED || row->kind != GW_REQUEST_PUT)
        return QC_FAIL(err, QC_CONFLICT, "the bundle's upload is %s", gw_upload_state_name(row->state));
    if (row->state == GW_UPLOAD_OPEN)
        QC_TRY(gw_upload_run(row, c->run, err)); /* a bundle never goes on */
    if (in->no == 0)
        QC_TRY(gw_cat_version_no(d->e->cat, row->version_no, in, err));
    if (!gw_id_same(&in->vault, &c->vault.id) || in->holder != 0)
        return QC_FAIL(err, QC_USAGE, "the bundle is of another vault, or is none");
    if (in->state == GW_VERSION_DEAD)
        return QC_FAIL(err, QC_CONFLICT,
                       "all that lay in the bundle is purged, or lies in another one: it is gone");
    if (row->state != GW_UPLOAD_OPEN && !in->bundle)
        return QC_FAIL(err, QC_CONFLICT, "that put key has an object of its own");
    return QC_OK;
}

/* An N in a bundle has had no upload: neither its put key nor its version may have been used. */
static qc_rc check_member(struct gw_deciding *d, const struct gw_change *c, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = c->vault.tenant,
                                        .object = c->entry->object,
                                        .version = c->entry->version };
    struct gw_version_row v;
    struct qc_err miss = { 0 };

    if (d->known.state != GW_UPLOAD_UNKNOWN)
        return QC_FAIL(err, QC_CONFLICT, "this put key was cancelled or did something else");
    const qc_rc rc = gw_cat_version(d->e->cat, &ids, &v, &miss);
    if (rc == QC_OK)
        return QC_FAIL(err, QC_CONFLICT, "this object and version id were used by another put");
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    struct gw_deciding_bundle *b = d->bundle;
    return b->room > 0 ? QC_OK
                       : gw_quota_versions(d->e, c->vault.tenant, b->in.bundle ? 0 : 1, &b->room, err);
}

/* All checks have passed: the bundle is one from now on, and the version has a row, as others have since
 * their upload began. */
static qc_rc enter_bundle(struct gw_deciding *d, const struct gw_change *c, struct gw_request_row *row,
                          struct qc_err *err)
{
    struct gw_cat *cat = d->e->cat;
    struct gw_request_row *bundle = &d->bundle->row;
    struct gw_version_row *in = &d->bundle->in;
    const struct gw_version_row v = { .tenant = c->vault.tenant,
                                      .vault = c->vault.id,
                                      .object = c->entry->object,
                                      .version = c->entry->version,
                                      .put_key = c->put_key.id,
                                      .base = c->entry->number - 1,
                                      .layout = in->layout,
                                      .created = (uint64_t)qc_wall_s(),
                                      .state = GW_VERSION_DECIDED,
                                      .holder = in->no,
                                      .start = c->in->start };

    if (bundle->state == GW_UPLOAD_OPEN) {
        QC_TRY(gw_cat_version_bundle(cat, in->no, err));
        QC_TRY(gw_cat_version_state(cat, in->no, GW_VERSION_DECIDED, err));
        in->bundle = true;
        in->state = GW_VERSION_DECIDED;
        bundle->state = GW_UPLOAD_DECIDED;
        QC_TRY(gw_cat_request_put(cat, bundle, err));
    }
    row->kind = GW_REQUEST_PUT;
    d->bundle->room--;
    return gw_cat_version_add(cat, &v, &row->version_no, err);
}

static qc_rc check_rows(struct gw_deciding *d, const struct gw_change *c, struct qc_err *err)
{
    if (c->in == NULL)
        return check_upload(d, c, &d->known, err);
    QC_TRY(check_bundle(d, c, err));
    return check_member(d, c, err);
}

/* The segments that the bytes came with, and as long as the entry says: own, or those of the bundle. */
static qc_rc find_segments(struct gw_deciding *d, const struct gw_change *c, struct gather *own,
                           const struct gather **ret, struct qc_err *err)
{
    struct gather *g = c->in == NULL ? own : &d->bundle->g;

    if (!g->whole) {
        gather_done(g);
        *g = (struct gather){ 0 };
        QC_TRY(gather_segments(d, c, c->in == NULL ? d->known.version_no : d->bundle->in.no, g, err));
        g->whole = true;
    }
    if (!hold_it(c, g->sum))
        return QC_FAIL(err, QC_USAGE, "segments: %" PRIu64 " bytes, the entry says %" PRIu64, g->sum,
                       c->entry->size);
    *ret = g;
    return QC_OK;
}

qc_rc gw_decide_put(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    QC_CLEANUP(gather_done) struct gather own = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    struct gw_record rec = { .kind = c->in == NULL ? GW_REC_COMMIT : GW_REC_BUNDLED };
    const struct gather *g = NULL;
    struct gw_vault_row *vault;
    uint64_t current;

    QC_TRY(check_rows(d, c, err));
    struct gw_request_row row = d->known;
    QC_TRY(gw_deciding_vault(d, &c->vault, &vault, err));
    QC_TRY(gw_deciding_number(d, vault, c->entry, &current, err));
    QC_TRY(gw_deciding_place(d, vault, c->entry, err));
    QC_TRY(find_segments(d, c, &own, &g, err));
    const struct gw_backup_ids ids = { c->vault.id, c->entry->object, c->entry->version };
    QC_TRY(gw_deciding_backup(d->e, &ids, c->backup, &sealed, err));

    rec.u.commit = (struct gw_rec_commit){ .tenant = c->vault.tenant,
                                           .vault = c->vault.id,
                                           .e = *c->entry,
                                           .chain = vault->head.count + 1,
                                           .put_key = c->put_key.id,
                                           .layout_count = (uint16_t)g->layout_count,
                                           .layouts = qc_buf_span(&g->layouts),
                                           .segment_count = g->count,
                                           .segments = qc_buf_span(&g->segments),
                                           .backup = qc_buf_span(&sealed) };
    rec.u.commit.e.created = (uint64_t)qc_wall_s();
    if (c->in != NULL) {
        rec.u.commit.bundled = true;
        rec.u.commit.bundle = (struct gw_rec_bundle){ .object = d->bundle->in.object,
                                                      .version = d->bundle->in.version,
                                                      .put_key = c->in->put_key.id,
                                                      .start = c->in->start };
    }
    QC_TRY(gw_deciding_add(d, &rec, vault, c->entry->seal, err));
    if (c->in != NULL)
        QC_TRY(enter_bundle(d, c, &row, err));
    else
        QC_TRY(gw_cat_version_state(d->e->cat, row.version_no, GW_VERSION_DECIDED, err));
    return gw_deciding_request(d, c, &row, &vault->head, err);
}
