/* Bodies of log records: writer and reader of FORMAT 9.3's table, kind by kind. */
#include "log_internal.h"

enum { RECORD_HEAD_BYTES = 5 };

static qc_span rd_lp32(qc_rd *rd)
{
    return qc_rd_bytes(rd, qc_rd_be(rd, 4));
}

static void rd_id(qc_rd *rd, struct gw_id *ret)
{
    qc_rd_copy(rd, ret->b, sizeof ret->b);
}

static qc_rc add_lp32(qc_buf *b, qc_span s, struct qc_err *err)
{
    QC_ASSERT(s.n <= UINT32_MAX);
    QC_TRY(qc_buf_add_be(b, s.n, 4, err));
    return qc_buf_add(b, s, err);
}

static qc_rc add_id(qc_buf *b, const struct gw_id *id, struct qc_err *err)
{
    return qc_buf_add(b, gw_id_span(id), err);
}

/* -- layouts and segments -------------------------------------------------------------------------------- */

qc_rc gw_log_add_layout(qc_buf *b, const struct gw_log_layout *l, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, l->k, 1, err));
    QC_TRY(qc_buf_add_be(b, l->n, 1, err));
    for (unsigned i = 0; i < l->n; i++)
        QC_TRY(qc_buf_add_be(b, l->clouds[i], 4, err));
    return QC_OK;
}

static void rd_layout(qc_rd *rd, struct gw_log_layout *ret)
{
    struct gw_log_layout l = { .k = (uint8_t)qc_rd_be(rd, 1) };

    l.n = (uint8_t)qc_rd_be(rd, 1);
    if (l.k < 1 || l.k > l.n || l.n > QC_EC_N_MAX)
        qc_rd_fail(rd);
    for (unsigned i = 0; i < l.n && qc_rd_ok(rd); i++) {
        l.clouds[i] = (uint32_t)qc_rd_be(rd, 4);
        for (unsigned j = 0; j < i; j++)
            if (l.clouds[i] == l.clouds[j])
                qc_rd_fail(rd);
    }
    *ret = l;
}

qc_rc gw_log_add_segment(qc_buf *b, const struct gw_log_segment *s, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, s->id, 8, err));
    QC_TRY(qc_buf_add_be(b, s->size, 4, err));
    QC_TRY(qc_buf_add_be(b, s->incarnation, 4, err));
    QC_TRY(qc_buf_add(b, qc_span_of(s->salt, sizeof s->salt), err));
    QC_TRY(qc_buf_add(b, qc_span_of(s->digest, sizeof s->digest), err));
    return qc_buf_add_be(b, s->layout, 2, err);
}

static void rd_segment(qc_rd *rd, struct gw_log_segment *ret)
{
    ret->id = qc_rd_be(rd, 8);
    ret->size = (uint32_t)qc_rd_be(rd, 4);
    ret->incarnation = (uint32_t)qc_rd_be(rd, 4);
    qc_rd_copy(rd, ret->salt, sizeof ret->salt);
    qc_rd_copy(rd, ret->digest, sizeof ret->digest);
    ret->layout = (uint16_t)qc_rd_be(rd, 2);
}

void gw_log_layout_at(const struct gw_rec_commit *c, unsigned i, struct gw_log_layout *ret)
{
    qc_rd rd = { .s = c->layouts };

    QC_ASSERT(i < c->layout_count);
    for (unsigned j = 0; j <= i; j++)
        rd_layout(&rd, ret);
    QC_ASSERT(qc_rd_ok(&rd));
}

void gw_log_segment_at(const struct gw_rec_commit *c, uint32_t i, struct gw_log_segment *ret)
{
    QC_ASSERT(i < c->segment_count);
    qc_rd rd = { .s = qc_span_sub(c->segments, (size_t)i * GW_LOG_SEGMENT_BYTES, GW_LOG_SEGMENT_BYTES) };
    rd_segment(&rd, ret);
    QC_ASSERT(qc_rd_end(&rd));
}

/* -- commit ---------------------------------------------------------------------------------------------- */

static qc_rc add_commit(qc_buf *b, const struct gw_rec_commit *c, struct qc_err *err)
{
    const struct gw_entry *e = &c->e;

    QC_ASSERT(e->kind == GW_ENTRY_FILE);
    QC_TRY(qc_buf_add_be(b, c->tenant, 4, err));
    QC_TRY(add_id(b, &c->vault, err));
    QC_TRY(add_lp32(b, e->path, err));
    QC_TRY(qc_buf_add_be(b, e->number, 8, err));
    QC_TRY(qc_buf_add_be(b, e->kind, 1, err));
    QC_TRY(add_id(b, &e->object, err));
    QC_TRY(add_id(b, &e->version, err));
    QC_TRY(qc_buf_add_be(b, e->sequence, 8, err));
    QC_TRY(qc_buf_add_be(b, e->size, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->m, sizeof e->m), err));
    QC_TRY(add_lp32(b, e->private_part, err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->seal, sizeof e->seal), err));
    QC_TRY(qc_buf_add_be(b, c->chain, 8, err));
    QC_TRY(add_id(b, &c->put_key, err));
    QC_TRY(qc_buf_add_be(b, e->created, 8, err));
    QC_TRY(qc_buf_add_be(b, c->layout_count, 2, err));
    QC_TRY(qc_buf_add(b, c->layouts, err));
    QC_TRY(qc_buf_add_be(b, c->segment_count, 4, err));
    QC_TRY(qc_buf_add(b, c->segments, err));
    return add_lp32(b, c->backup, err);
}

static qc_rc add_bundled(qc_buf *b, const struct gw_rec_commit *c, struct qc_err *err)
{
    QC_ASSERT(c->bundled);
    QC_TRY(add_commit(b, c, err));
    QC_TRY(add_id(b, &c->bundle.object, err));
    QC_TRY(add_id(b, &c->bundle.version, err));
    QC_TRY(add_id(b, &c->bundle.put_key, err));
    return qc_buf_add_be(b, c->bundle.start, 8, err);
}

/* Both tables: their form, and that segments are not empty and name a layout; what they add up to. */
static void rd_tables(qc_rd *rd, struct gw_rec_commit *c)
{
    struct gw_log_layout l;
    struct gw_log_segment s = { 0 };
    uint64_t sum = 0;

    c->layout_count = (uint16_t)qc_rd_be(rd, 2);
    size_t from = rd->at;
    for (unsigned i = 0; i < c->layout_count && qc_rd_ok(rd); i++)
        rd_layout(rd, &l);
    c->layouts = qc_rd_ok(rd) ? qc_span_sub(rd->s, from, rd->at - from) : (qc_span){ 0 };
    c->segment_count = (uint32_t)qc_rd_be(rd, 4);
    from = rd->at;
    for (uint32_t i = 0; i < c->segment_count && qc_rd_ok(rd); i++) {
        rd_segment(rd, &s);
        sum += s.size; /* fits: 2^32 segments of less than 2^32 bytes */
        if (s.layout >= c->layout_count || s.size < 1 || s.size > QC_GW_SEGMENT_MAX)
            qc_rd_fail(rd);
    }
    c->segments = qc_rd_ok(rd) ? qc_span_sub(rd->s, from, rd->at - from) : (qc_span){ 0 };
    if (c->segment_count < 1 || c->segment_count > QC_GW_SEGMENTS_MAX)
        qc_rd_fail(rd);
    c->stored = sum;
}

static void rd_any_commit(qc_rd *rd, struct gw_rec_commit *c)
{
    struct gw_entry *e = &c->e;

    c->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &c->vault);
    e->path = rd_lp32(rd);
    e->number = qc_rd_be(rd, 8);
    e->kind = (uint8_t)qc_rd_be(rd, 1);
    rd_id(rd, &e->object);
    rd_id(rd, &e->version);
    e->sequence = qc_rd_be(rd, 8);
    e->size = qc_rd_be(rd, 8);
    qc_rd_copy(rd, e->m, sizeof e->m);
    e->private_part = rd_lp32(rd);
    qc_rd_copy(rd, e->seal, sizeof e->seal);
    c->chain = qc_rd_be(rd, 8);
    rd_id(rd, &c->put_key);
    e->created = qc_rd_be(rd, 8);
    rd_tables(rd, c);
    c->backup = rd_lp32(rd);
    if (e->kind != GW_ENTRY_FILE || e->path.n < 1 || e->path.n > QC_GW_PATH_MAX ||
        e->private_part.n > QC_GW_PRIVATE_MAX || e->number < 1 || c->chain < 1)
        qc_rd_fail(rd);
}

static void rd_commit(qc_rd *rd, struct gw_rec_commit *c)
{
    rd_any_commit(rd, c);
    if (c->stored != c->e.size)
        qc_rd_fail(rd);
}

static void rd_bundled(qc_rd *rd, struct gw_rec_commit *c)
{
    rd_any_commit(rd, c);
    rd_id(rd, &c->bundle.object);
    rd_id(rd, &c->bundle.version);
    rd_id(rd, &c->bundle.put_key);
    c->bundle.start = qc_rd_be(rd, 8);
    c->bundled = true;
    if (c->e.size < 1 || c->e.size > QC_GW_BUNDLED_MAX || c->bundle.start > c->stored ||
        c->e.size > c->stored - c->bundle.start)
        qc_rd_fail(rd);
}

/* -- the other kinds ------------------------------------------------------------------------------------- */

static qc_rc add_tombstone(qc_buf *b, const struct gw_rec_tombstone *t, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, t->tenant, 4, err));
    QC_TRY(add_id(b, &t->vault, err));
    QC_TRY(add_lp32(b, t->path, err));
    QC_TRY(qc_buf_add_be(b, t->number, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(t->seal, sizeof t->seal), err));
    QC_TRY(qc_buf_add_be(b, t->chain, 8, err));
    QC_TRY(add_id(b, &t->put_key, err));
    return qc_buf_add_be(b, t->created, 8, err);
}

static void rd_tombstone(qc_rd *rd, struct gw_rec_tombstone *t)
{
    t->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &t->vault);
    t->path = rd_lp32(rd);
    t->number = qc_rd_be(rd, 8);
    qc_rd_copy(rd, t->seal, sizeof t->seal);
    t->chain = qc_rd_be(rd, 8);
    rd_id(rd, &t->put_key);
    t->created = qc_rd_be(rd, 8);
    if (t->path.n < 1 || t->path.n > QC_GW_PATH_MAX || t->number < 1 || t->chain < 1)
        qc_rd_fail(rd);
}

static qc_rc add_tenant(qc_buf *b, const struct gw_rec_tenant *t, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, t->tenant, 4, err));
    QC_TRY(qc_buf_add_be(b, t->revision, 8, err));
    QC_TRY(add_lp32(b, t->name, err));
    QC_TRY(qc_buf_add_be(b, t->state, 1, err));
    QC_TRY(qc_buf_add(b, qc_span_of(t->verifier, sizeof t->verifier), err));
    QC_TRY(qc_buf_add_be(b, t->limits.bytes, 8, err));
    QC_TRY(qc_buf_add_be(b, t->limits.objects, 8, err));
    QC_TRY(qc_buf_add_be(b, t->limits.uploads, 4, err));
    return qc_buf_add_be(b, t->limits.requests, 4, err);
}

static void rd_tenant(qc_rd *rd, struct gw_rec_tenant *t)
{
    t->tenant = (uint32_t)qc_rd_be(rd, 4);
    t->revision = qc_rd_be(rd, 8);
    t->name = rd_lp32(rd);
    t->state = (uint8_t)qc_rd_be(rd, 1);
    qc_rd_copy(rd, t->verifier, sizeof t->verifier);
    t->limits.bytes = qc_rd_be(rd, 8);
    t->limits.objects = qc_rd_be(rd, 8);
    t->limits.uploads = (uint32_t)qc_rd_be(rd, 4);
    t->limits.requests = (uint32_t)qc_rd_be(rd, 4);
    if (t->tenant == GW_OWNER || t->revision < 1 || t->revision > INT64_MAX || !gw_tenant_name_ok(t->name) ||
        t->state < GW_TENANT_ENABLED || t->state > GW_TENANT_DISABLED || t->limits.bytes > GW_NO_LIMIT ||
        t->limits.objects > GW_NO_LIMIT || t->limits.uploads < 1 || t->limits.requests < 1)
        qc_rd_fail(rd);
}

static qc_rc add_cloud(qc_buf *b, const struct gw_rec_cloud *c, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, c->id, 4, err));
    QC_TRY(add_lp32(b, c->name, err));
    QC_TRY(add_lp32(b, c->url, err));
    QC_TRY(qc_buf_add_be(b, c->generation, 4, err));
    return qc_buf_add_be(b, c->state, 1, err);
}

static qc_rc add_member(qc_buf *b, const struct gw_rec_cloud *c, struct qc_err *err)
{
    QC_TRY(add_cloud(b, c, err));
    QC_TRY(qc_buf_add_be(b, c->weight, 2, err));
    for (unsigned i = 0; i < GW_LABELS; i++)
        QC_TRY(add_lp32(b, c->labels[i], err));
    return QC_OK;
}

static qc_rc add_recoded(qc_buf *b, const struct gw_rec_recoded *r, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, r->tenant, 4, err));
    QC_TRY(add_id(b, &r->object, err));
    QC_TRY(add_id(b, &r->version, err));
    QC_TRY(qc_buf_add_be(b, r->seq, 4, err));
    QC_TRY(qc_buf_add_be(b, r->old, 8, err));
    QC_TRY(gw_log_add_segment(b, &r->segment, err));
    return gw_log_add_layout(b, &r->layout, err);
}

static void rd_recoded(qc_rd *rd, struct gw_rec_recoded *r)
{
    r->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &r->object);
    rd_id(rd, &r->version);
    r->seq = (uint32_t)qc_rd_be(rd, 4);
    r->old = qc_rd_be(rd, 8);
    rd_segment(rd, &r->segment);
    rd_layout(rd, &r->layout);
    if (r->seq >= QC_GW_SEGMENTS_MAX || r->segment.layout != 0 || r->segment.size < 1 ||
        r->segment.size > QC_GW_SEGMENT_MAX || r->old == r->segment.id || r->old > INT64_MAX)
        qc_rd_fail(rd);
}

/* -- repacked -------------------------------------------------------------------------------------------- */

qc_rc gw_log_add_packed(qc_buf *b, const struct gw_log_packed *p, struct qc_err *err)
{
    QC_TRY(add_id(b, &p->object, err));
    QC_TRY(add_id(b, &p->version, err));
    return qc_buf_add_be(b, p->start, 8, err);
}

static void rd_packed(qc_rd *rd, struct gw_log_packed *ret)
{
    rd_id(rd, &ret->object);
    rd_id(rd, &ret->version);
    ret->start = qc_rd_be(rd, 8);
}

void gw_log_packed_at(const struct gw_rec_repacked *r, uint32_t i, struct gw_log_packed *ret)
{
    QC_ASSERT(i < r->count);
    qc_rd rd = { .s = qc_span_sub(r->members, (size_t)i * GW_LOG_PACKED_BYTES, GW_LOG_PACKED_BYTES) };
    rd_packed(&rd, ret);
    QC_ASSERT(qc_rd_end(&rd));
}

static qc_rc add_repacked(qc_buf *b, const struct gw_rec_repacked *r, struct qc_err *err)
{
    QC_ASSERT(r->members.n == (size_t)r->count * GW_LOG_PACKED_BYTES);
    QC_TRY(qc_buf_add_be(b, r->tenant, 4, err));
    QC_TRY(add_id(b, &r->vault, err));
    QC_TRY(add_id(b, &r->object, err));
    QC_TRY(add_id(b, &r->version, err));
    QC_TRY(qc_buf_add_be(b, r->created, 8, err));
    QC_TRY(gw_log_add_segment(b, &r->segment, err));
    QC_TRY(gw_log_add_layout(b, &r->layout, err));
    QC_TRY(qc_buf_add_be(b, r->count, 4, err));
    return qc_buf_add(b, r->members, err);
}

static void rd_repacked(qc_rd *rd, struct gw_rec_repacked *r)
{
    r->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &r->vault);
    rd_id(rd, &r->object);
    rd_id(rd, &r->version);
    r->created = qc_rd_be(rd, 8);
    rd_segment(rd, &r->segment);
    rd_layout(rd, &r->layout);
    r->count = (uint32_t)qc_rd_be(rd, 4);
    const size_t from = rd->at;
    for (uint32_t i = 0; i < r->count && qc_rd_ok(rd); i++) {
        struct gw_log_packed p;
        rd_packed(rd, &p);
        if (p.start >= r->segment.size)
            qc_rd_fail(rd);
    }
    r->members = qc_rd_ok(rd) ? qc_span_sub(rd->s, from, rd->at - from) : (qc_span){ 0 };
    if (r->count < 1 || r->created > INT64_MAX || r->segment.layout != 0 || r->segment.id > INT64_MAX ||
        r->segment.size < 1 || r->segment.size > QC_GW_SEGMENT_MAX)
        qc_rd_fail(rd);
}

/* A purged and a retained record differ in what their number means. */
struct about_version {
    uint32_t tenant;
    const struct gw_id *vault, *object, *version;
    uint64_t number;
};

static qc_rc add_about(qc_buf *b, const struct about_version *a, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, a->tenant, 4, err));
    QC_TRY(add_id(b, a->vault, err));
    QC_TRY(add_id(b, a->object, err));
    QC_TRY(add_id(b, a->version, err));
    return qc_buf_add_be(b, a->number, 8, err);
}

static qc_rc add_purged(qc_buf *b, const struct gw_rec_purged *r, struct qc_err *err)
{
    return add_about(b, &(struct about_version){ r->tenant, &r->vault, &r->object, &r->version, r->created },
                     err);
}

static qc_rc add_retained(qc_buf *b, const struct gw_rec_retained *r, struct qc_err *err)
{
    QC_TRY(add_about(b, &(struct about_version){ r->tenant, &r->vault, &r->object, &r->version, r->until },
                     err));
    return qc_buf_add_be(b, r->known, 8, err);
}

static void rd_purged(qc_rd *rd, struct gw_rec_purged *r)
{
    r->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &r->vault);
    rd_id(rd, &r->object);
    rd_id(rd, &r->version);
    r->created = qc_rd_be(rd, 8);
    if (r->created > INT64_MAX)
        qc_rd_fail(rd);
}

static void rd_retained(qc_rd *rd, struct gw_rec_retained *r)
{
    r->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &r->vault);
    rd_id(rd, &r->object);
    rd_id(rd, &r->version);
    r->until = qc_rd_be(rd, 8);
    r->known = qc_rd_be(rd, 8);
    if (r->until < 1 || r->until > INT64_MAX || r->known > INT64_MAX)
        qc_rd_fail(rd);
}

static qc_rc add_renamed(qc_buf *b, const struct gw_rec_renamed *r, struct qc_err *err)
{
    const struct gw_entry *e = &r->e;

    QC_ASSERT(e->kind == GW_ENTRY_FILE);
    QC_TRY(qc_buf_add_be(b, r->tenant, 4, err));
    QC_TRY(add_id(b, &r->vault, err));
    QC_TRY(qc_buf_add_be(b, r->chain, 8, err));
    QC_TRY(add_id(b, &r->put_key, err));
    QC_TRY(qc_buf_add_be(b, r->created, 8, err));
    QC_TRY(add_lp32(b, r->away.path, err));
    QC_TRY(qc_buf_add_be(b, r->away.number, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(r->away.seal, sizeof r->away.seal), err));
    QC_TRY(add_lp32(b, e->path, err));
    QC_TRY(qc_buf_add_be(b, e->number, 8, err));
    QC_TRY(add_id(b, &e->object, err));
    QC_TRY(add_id(b, &e->version, err));
    QC_TRY(qc_buf_add_be(b, e->sequence, 8, err));
    QC_TRY(qc_buf_add_be(b, e->size, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->m, sizeof e->m), err));
    QC_TRY(add_lp32(b, e->private_part, err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->seal, sizeof e->seal), err));
    return qc_buf_add_be(b, e->created, 8, err);
}

/* Is what they say of the entry and of both paths possible? */
static bool renamed_ok(const struct gw_rec_renamed *r)
{
    const struct gw_entry *e = &r->e;

    return r->chain >= 1 && r->chain < INT64_MAX && r->created <= INT64_MAX && r->away.path.n >= 1 &&
           r->away.path.n <= QC_GW_PATH_MAX && r->away.number >= 2 && r->away.number <= INT64_MAX &&
           e->path.n >= 1 && e->path.n <= QC_GW_PATH_MAX && e->private_part.n <= QC_GW_PRIVATE_MAX &&
           e->sequence >= 1 && e->number >= 1 && e->number <= INT64_MAX && e->size <= INT64_MAX &&
           e->created <= INT64_MAX && !qc_span_eq(r->away.path, e->path);
}

static void rd_renamed(qc_rd *rd, struct gw_rec_renamed *r)
{
    struct gw_entry *e = &r->e;

    r->tenant = (uint32_t)qc_rd_be(rd, 4);
    rd_id(rd, &r->vault);
    r->chain = qc_rd_be(rd, 8);
    rd_id(rd, &r->put_key);
    r->created = qc_rd_be(rd, 8);
    r->away.path = rd_lp32(rd);
    r->away.number = qc_rd_be(rd, 8);
    qc_rd_copy(rd, r->away.seal, sizeof r->away.seal);
    e->path = rd_lp32(rd);
    e->number = qc_rd_be(rd, 8);
    e->kind = GW_ENTRY_FILE;
    rd_id(rd, &e->object);
    rd_id(rd, &e->version);
    e->sequence = qc_rd_be(rd, 8);
    e->size = qc_rd_be(rd, 8);
    qc_rd_copy(rd, e->m, sizeof e->m);
    e->private_part = rd_lp32(rd);
    qc_rd_copy(rd, e->seal, sizeof e->seal);
    e->created = qc_rd_be(rd, 8);
    if (qc_rd_ok(rd) && !renamed_ok(r))
        qc_rd_fail(rd);
}

static qc_rc add_body(qc_buf *b, const struct gw_record *rec, struct qc_err *err)
{
    switch (rec->kind) {
    case GW_REC_VAULT:
        QC_TRY(qc_buf_add_be(b, rec->u.vault.tenant, 4, err));
        QC_TRY(add_lp32(b, rec->u.vault.record, err));
        return add_lp32(b, rec->u.vault.backup, err);
    case GW_REC_CLOUD:
        return add_cloud(b, &rec->u.cloud, err);
    case GW_REC_MEMBER:
        return add_member(b, &rec->u.cloud, err);
    case GW_REC_RULES:
        return qc_buf_add_be(b, rec->u.rules.domain, 1, err);
    case GW_REC_CONFIG:
        QC_TRY(qc_buf_add_be(b, rec->u.config.k, 1, err));
        QC_TRY(qc_buf_add_be(b, rec->u.config.n, 1, err));
        QC_TRY(qc_buf_add_be(b, rec->u.config.write_quorum, 1, err));
        return qc_buf_add_be(b, rec->u.config.record_quorum, 1, err);
    case GW_REC_BKEY:
        QC_TRY(qc_buf_add_be(b, rec->u.bkey.epoch, 4, err));
        return qc_buf_add(b, rec->u.bkey.key, err);
    case GW_REC_BACKUP:
        QC_TRY(qc_buf_add_be(b, rec->u.backup.tenant, 4, err));
        QC_TRY(add_id(b, &rec->u.backup.object, err));
        QC_TRY(add_id(b, &rec->u.backup.version, err));
        return add_lp32(b, rec->u.backup.backup, err);
    case GW_REC_COMMIT:
        return add_commit(b, &rec->u.commit, err);
    case GW_REC_BUNDLED:
        return add_bundled(b, &rec->u.commit, err);
    case GW_REC_TOMBSTONE:
        return add_tombstone(b, &rec->u.tombstone, err);
    case GW_REC_TENANT:
        return add_tenant(b, &rec->u.tenant, err);
    case GW_REC_RECODED:
        return add_recoded(b, &rec->u.recoded, err);
    case GW_REC_PURGED:
        return add_purged(b, &rec->u.purged, err);
    case GW_REC_RETAINED:
        return add_retained(b, &rec->u.retained, err);
    case GW_REC_REPACKED:
        return add_repacked(b, &rec->u.repacked, err);
    case GW_REC_RENAMED:
        return add_renamed(b, &rec->u.renamed, err);
    }
    QC_ASSERT(false); /* every kind of ours is above */
    return QC_FAIL(err, QC_GENERAL, "log record: kind");
}

static void rd_config(qc_rd *rd, struct gw_rec_config *c)
{
    c->k = (uint8_t)qc_rd_be(rd, 1);
    c->n = (uint8_t)qc_rd_be(rd, 1);
    c->write_quorum = (uint8_t)qc_rd_be(rd, 1);
    c->record_quorum = (uint8_t)qc_rd_be(rd, 1);
    if (c->k < 1 || c->k > c->n || c->n > QC_EC_N_MAX || c->write_quorum < c->k || c->write_quorum > c->n ||
        c->record_quorum < 1 || c->record_quorum > QC_GW_CLOUDS_MAX)
        qc_rd_fail(rd);
}

static void rd_cloud(qc_rd *rd, struct gw_rec_cloud *c)
{
    c->id = (uint32_t)qc_rd_be(rd, 4);
    c->name = rd_lp32(rd);
    c->url = rd_lp32(rd);
    c->generation = (uint32_t)qc_rd_be(rd, 4);
    c->state = (uint8_t)qc_rd_be(rd, 1);
    if (c->name.n < 1 || c->name.n > CLOUD_NAME_SIZE_MAX || c->url.n < 1 || c->url.n > CLOUD_URL_SIZE_MAX ||
        (c->name.p != NULL && memchr(c->name.p, 0, c->name.n) != NULL) ||
        (c->url.p != NULL && memchr(c->url.p, 0, c->url.n) != NULL))
        qc_rd_fail(rd);
}

static void rd_member(qc_rd *rd, struct gw_rec_cloud *c)
{
    rd_cloud(rd, c);
    c->weight = (uint16_t)qc_rd_be(rd, 2);
    for (unsigned i = 0; i < GW_LABELS; i++)
        c->labels[i] = rd_lp32(rd);
    if (c->state < GW_MEMBER_IN_USE || c->state > GW_MEMBER_RETIRED || c->weight > QC_GW_WEIGHT_MAX)
        qc_rd_fail(rd);
    for (unsigned i = 0; i < GW_LABELS; i++)
        if (!gw_label_ok(c->labels[i]))
            qc_rd_fail(rd);
}

static void rd_rules(qc_rd *rd, struct gw_rec_rules *r)
{
    r->domain = (uint8_t)qc_rd_be(rd, 1);
    if (r->domain > GW_DOMAIN_JURISDICTION)
        qc_rd_fail(rd);
}

/* -- both ways ------------------------------------------------------------------------------------------- */

qc_rc gw_log_add(qc_buf *b, const struct gw_record *rec, struct qc_err *err)
{
    const size_t before = b->n;
    uint8_t *head;

    QC_TRY(qc_buf_extend(b, RECORD_HEAD_BYTES, &head, err));
    const qc_rc rc = add_body(b, rec, err);
    if (rc != QC_OK) {
        b->n = before;
        return rc;
    }
    b->p[before] = (uint8_t)rec->kind;
    qc_put_be(b->p + before + 1, b->n - before - RECORD_HEAD_BYTES, 4);
    return QC_OK;
}

qc_rc gw_record_parse(enum gw_record_kind kind, qc_span body, struct gw_record *ret, struct qc_err *err)
{
    struct gw_record rec = { .kind = kind };
    qc_rd rd = { .s = body };

    switch (kind) {
    case GW_REC_COMMIT:
        rd_commit(&rd, &rec.u.commit);
        break;
    case GW_REC_BUNDLED:
        rd_bundled(&rd, &rec.u.commit);
        break;
    case GW_REC_TOMBSTONE:
        rd_tombstone(&rd, &rec.u.tombstone);
        break;
    case GW_REC_VAULT:
        rec.u.vault.tenant = (uint32_t)qc_rd_be(&rd, 4);
        rec.u.vault.record = rd_lp32(&rd);
        rec.u.vault.backup = rd_lp32(&rd);
        if (rec.u.vault.record.n != QC_GW_RECORD_SIZE)
            qc_rd_fail(&rd);
        break;
    case GW_REC_CLOUD:
        rd_cloud(&rd, &rec.u.cloud);
        break;
    case GW_REC_MEMBER:
        rd_member(&rd, &rec.u.cloud);
        break;
    case GW_REC_RULES:
        rd_rules(&rd, &rec.u.rules);
        break;
    case GW_REC_TENANT:
        rd_tenant(&rd, &rec.u.tenant);
        break;
    case GW_REC_RECODED:
        rd_recoded(&rd, &rec.u.recoded);
        break;
    case GW_REC_PURGED:
        rd_purged(&rd, &rec.u.purged);
        break;
    case GW_REC_RETAINED:
        rd_retained(&rd, &rec.u.retained);
        break;
    case GW_REC_REPACKED:
        rd_repacked(&rd, &rec.u.repacked);
        break;
    case GW_REC_RENAMED:
        rd_renamed(&rd, &rec.u.renamed);
        break;
    case GW_REC_CONFIG:
        rd_config(&rd, &rec.u.config);
        break;
    case GW_REC_BKEY:
        rec.u.bkey.epoch = (uint32_t)qc_rd_be(&rd, 4);
        rec.u.bkey.key = qc_rd_bytes(&rd, GW_BKEY_BYTES);
        break;
    case GW_REC_BACKUP:
        rec.u.backup.tenant = (uint32_t)qc_rd_be(&rd, 4);
        rd_id(&rd, &rec.u.backup.object);
        rd_id(&rd, &rec.u.backup.version);
        rec.u.backup.backup = rd_lp32(&rd);
        break;
    }
    if (!qc_rd_end(&rd))
        return QC_FAIL(err, QC_FORMAT, "log record of kind %d: %zu bytes that do not parse", (int)kind,
                       body.n);
    *ret = rec;
    return QC_OK;
}
