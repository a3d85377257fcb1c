/* Packs and notes of the catalogue: which there are on the clouds; and what goes into notes, and comes out.
 */
#include "cat_internal.h"
#include "snapshot_internal.h"

/* -- rows ------------------------------------------------------------------------------------------------ */

static const char serial_name[] = "snapshot_serial"; /* the last one of this incarnation */

qc_rc gw_meta_find(struct gw_cat *c, const char *name, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret = 0;
    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(name))));
    if (!rows.row)
        return QC_OK;
    gw_rows_end(&rows);
    return gw_meta_get(c, name, ret, err);
}

qc_rc gw_cat_snap_serial(struct gw_cat *c, uint32_t *ret, struct qc_err *err)
{
    uint64_t last;

    QC_TRY(gw_meta_find(c, serial_name, &last, err));
    if (last >= UINT32_MAX)
        return QC_FAIL(err, QC_LIMIT, "no serial is left for packs of the log");
    *ret = (uint32_t)last + 1;
    return gw_meta_set(c, serial_name, *ret, err);
}

static qc_rc col_clouds(struct qc_stmt *s, int i, struct gw_snap_row *row, struct qc_err *err)
{
    const qc_span clouds = qc_col_span(s, i);

    if (clouds.n % 4 != 0 || clouds.n / 4 > QC_EC_N_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a pack on %zu clouds", clouds.n / 4);
    row->n = (unsigned)(clouds.n / 4);
    for (unsigned j = 0; j < row->n; j++)
        row->clouds[j] = (uint32_t)qc_get_be(clouds.p + (size_t)4 * j, 4);
    return QC_OK;
}

static qc_rc col_row(struct qc_stmt *s, struct gw_snap_row *ret, struct qc_err *err)
{
    struct gw_snap_row row = { 0 };
    uint32_t notes, state, round;

    QC_TRY(gw_col_u32(s, 0, &row.incarnation, err));
    QC_TRY(gw_col_u32(s, 1, &row.serial, err));
    QC_TRY(gw_col_u32(s, 2, &notes, err));
    QC_TRY(qc_col_u64(s, 3, &row.first, err));
    QC_TRY(qc_col_u64(s, 4, &row.last, err));
    QC_TRY(qc_col_u64(s, 5, &row.bytes, err));
    QC_TRY(gw_col_u32(s, 6, &state, err));
    QC_TRY(gw_col_u32(s, 7, &round, err));
    QC_TRY(col_clouds(s, 8, &row, err));
    row.notes = notes != 0;
    row.state = (enum gw_snap_state)state;
    row.round = round;
    *ret = row;
    return QC_OK;
}

qc_rc gw_cat_snap_put(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err)
{
    uint8_t clouds[4 * QC_EC_N_MAX];

    for (unsigned i = 0; i < row->n; i++)
        qc_put_be(clouds + (size_t)4 * i, row->clouds[i], 4);
    return GW_RUN(c, SNAP_PUT, err, QC_VI(row->incarnation), QC_VI(row->serial), QC_VI(row->notes ? 1 : 0),
                  QC_VI(row->first), QC_VI(row->last), QC_VI(row->bytes), QC_VI(row->state),
                  QC_VI(row->round), QC_VB(qc_span_of(clouds, (size_t)4 * row->n)));
}

static qc_rc one_row(struct gw_rows *rows, struct gw_snap_row *ret, bool *ret_found, struct qc_err *err)
{
    *ret_found = rows->row;
    return rows->row ? col_row(rows->s, ret, err) : QC_OK;
}

qc_rc gw_cat_snap_last(struct gw_cat *c, bool notes, struct gw_snap_row *ret, bool *ret_found,
                       struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SNAP_LAST, &rows, err, QC_VI(notes ? 1 : 0)));
    return one_row(&rows, ret, ret_found, err);
}

qc_rc gw_cat_snap_next(struct gw_cat *c, enum gw_snap_state state, const struct gw_snap_at *after,
                       struct gw_snap_row *ret, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SNAP_NEXT, &rows, err, QC_VI(state), QC_VI(after->incarnation), QC_VI(after->serial)));
    return one_row(&rows, ret, ret_found, err);
}

qc_rc gw_cat_snap_drop(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err)
{
    return GW_RUN(c, SNAP_DROP, err, QC_VI(row->incarnation), QC_VI(row->serial));
}

qc_rc gw_cat_snap_counts(struct gw_cat *c, uint64_t *ret_packs, uint64_t *ret_bytes, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, SNAP_COUNTS, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, ret_packs, err));
    return qc_col_u64(rows.s, 1, ret_bytes, err);
}

qc_rc gw_cat_snap_good(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err)
{
    struct gw_snap_row good = *row;

    good.state = GW_SNAP_GOOD;
    QC_TRY(gw_cat_snap_put(c, &good, err));
    if (row->notes)
        return GW_RUN(c, SNAP_OLD_NOTES, err, QC_VI(row->incarnation), QC_VI(row->serial),
                      QC_VI(GW_NOTES_KEPT - 1));
    return GW_RUN(c, SNAP_COVERED, err, QC_VI(row->first), QC_VI(row->last), QC_VI(row->incarnation),
                  QC_VI(row->serial));
}

qc_rc gw_cat_snap_abandon(struct gw_cat *c, struct qc_err *err)
{
    return GW_RUN0(c, SNAP_ABANDON, err);
}

/* -- into notes ------------------------------------------------------------------------------------------ */

/* Adds a note, or says that there is no room. */
static qc_rc add(struct gw_noting *n, const struct gw_note *note, struct qc_err *err)
{
    if (n->count == QC_GW_NOTES_MAX || n->b->max - n->b->n < GW_NOTE_ROOM) {
        n->more = true;
        return QC_OK;
    }
    QC_TRY(gw_notes_add(n->b, note, err));
    n->count++;
    return QC_OK;
}

/* One page of a query; *at goes on. */
typedef qc_rc (*note_fn)(struct qc_stmt *s, struct gw_note *ret, uint64_t *at, struct qc_err *err);

static qc_rc add_page(struct gw_cat *c, struct gw_noting *n, enum gw_sql which, note_fn fn, uint64_t *at,
                      bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    const struct qc_val vals[] = { QC_VI(*at), QC_VI(GW_PAGE) };
    unsigned count = 0;

    QC_LOCK(gw_cat_lock(c));
    QC_TRY(gw_cat_query(c, which, vals, 2, &rows, err));
    for (; rows.row; count++) {
        struct gw_note note = { 0 };
        QC_TRY(fn(rows.s, &note, at, err));
        QC_TRY(add(n, &note, err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_more = count == GW_PAGE && !n->more;
    return QC_OK;
}

static qc_rc add_all(struct gw_cat *c, struct gw_noting *n, enum gw_sql which, note_fn fn, struct qc_err *err)
{
    uint64_t at = 0;

    for (bool more = true; more;) /* ends: *at grows */
        QC_TRY(add_page(c, n, which, fn, &at, &more, err));
    return QC_OK;
}

static qc_rc col_byte(struct qc_stmt *s, int i, uint8_t *ret, struct qc_err *err)
{
    uint32_t v;

    QC_TRY(gw_col_u32(s, i, &v, err));
    if (v > UINT8_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: %" PRIu32 " where 8 bits were written", v);
    *ret = (uint8_t)v;
    return QC_OK;
}

static qc_rc note_dead_segment(struct qc_stmt *s, struct gw_note *ret, uint64_t *at, struct qc_err *err)
{
    struct gw_note_segment *g = &ret->u.segment;

    ret->kind = GW_NOTE_DEAD_SEGMENT;
    QC_TRY(qc_col_u64(s, 0, &g->id, err));
    QC_TRY(gw_col_u32(s, 1, &g->tenant, err));
    QC_TRY(gw_col_u32(s, 2, &g->incarnation, err));
    QC_TRY(qc_col_fixed(s, 3, g->salt, sizeof g->salt, err));
    QC_TRY(gw_col_u32(s, 4, &g->size, err));
    *at = g->id;
    return gw_col_layout(s, 5, &g->layout, err);
}

static qc_rc col_fragment(struct qc_stmt *s, int i, struct gw_note_fragment *f, struct qc_err *err)
{
    QC_TRY(qc_col_u64(s, i, &f->segment_id, err));
    QC_TRY(col_byte(s, i + 1, &f->index, err));
    QC_TRY(col_byte(s, i + 2, &f->attempt, err));
    QC_TRY(gw_col_u32(s, i + 3, &f->cloud_id, err));
    return gw_col_u32(s, i + 4, &f->incarnation, err);
}

static qc_rc note_dead_key(struct qc_stmt *s, struct gw_note *ret, uint64_t *at, struct qc_err *err)
{
    ret->kind = GW_NOTE_DEAD_KEY;
    QC_TRY(qc_col_u64(s, 0, at, err));
    QC_TRY(col_fragment(s, 1, &ret->u.fragment, err));
    return qc_col_fixed(s, 6, ret->u.fragment.salt, sizeof ret->u.fragment.salt, err);
}

/* at: segment id and index in one number */
static qc_rc note_uncounted(struct qc_stmt *s, struct gw_note *ret, uint64_t *at, struct qc_err *err)
{
    struct gw_note_fragment *f = &ret->u.fragment;

    ret->kind = GW_NOTE_UNCOUNTED;
    QC_TRY(col_fragment(s, 0, f, err));
    *at = f->segment_id * QC_EC_N_MAX + f->index;
    return col_byte(s, 5, &f->state, err);
}

static qc_rc add_pass(struct gw_cat *c, struct gw_noting *n, uint32_t cloud_id, enum gw_depth depth,
                      struct qc_err *err)
{
    struct gw_scrub_row row;
    bool found;

    {
        QC_LOCK(gw_cat_lock(c));
        QC_TRY(gw_cat_scrub_get(c, cloud_id, depth, &row, &found, err));
    }
    const struct gw_scrub_pass *p = &row.last;
    if (!found || p->ended <= 0 || p->began < 0)
        return QC_OK;
    const struct gw_note note = { .kind = GW_NOTE_SCRUB,
                                  .u.scrub = { cloud_id, (uint8_t)depth, p->began, p->ended, p->spent_ms,
                                               p->objects, p->bytes, p->found } };
    return add(n, &note, err);
}

qc_rc gw_cat_note(struct gw_cat *c, struct gw_noting *n, const uint32_t *clouds, unsigned cloud_count,
                  struct qc_err *err)
{
    struct gw_note ids = { .kind = GW_NOTE_IDS };

    {
        QC_LOCK(gw_cat_lock(c));
        QC_TRY(gw_meta_get(c, "next_segment", &ids.u.next_segment, err));
    }
    QC_TRY(add(n, &ids, err));
    for (unsigned i = 0; i < cloud_count; i++) {
        QC_TRY(add_pass(c, n, clouds[i], GW_PRESENCE, err));
        QC_TRY(add_pass(c, n, clouds[i], GW_CONTENT, err));
    }
    QC_TRY(add_all(c, n, GW_SQL_NOTE_UNCOUNTED, note_uncounted, err));
    QC_TRY(add_all(c, n, GW_SQL_NOTE_DEAD_KEYS, note_dead_key, err));
    return add_all(c, n, GW_SQL_NOTE_DEAD_SEGMENTS, note_dead_segment, err);
}

/* -- out of notes ---------------------------------------------------------------------------------------- */

/* Does a segment that lives have this id? */
static qc_rc segment_there(struct gw_cat *c, uint64_t id, struct gw_segment *ret, bool *ret_there,
                           struct qc_err *err)
{
    struct qc_err miss = { 0 };
    const qc_rc rc = gw_cat_segment(c, id, ret, &miss);

    *ret_there = rc == QC_OK;
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = miss;
    return rc;
}

/* Is this the key under which the fragment counts, or is looked for? home: the layout's cloud for it. */
static bool is_place(const struct gw_segment *seg, const struct gw_note_fragment *f, uint32_t home)
{
    const unsigned i = f->index;
    const uint32_t cloud = seg->cloud[i] != 0 ? seg->cloud[i] : home;
    const uint32_t writer = seg->writer[i] != 0 ? seg->writer[i] : seg->incarnation;

    return f->cloud_id == cloud && f->attempt == seg->attempt[i] && f->incarnation == writer;
}

static qc_rc home_of(const struct gw_root *r, const struct gw_segment *seg, unsigned index, uint32_t *ret,
                     struct qc_err *err)
{
    uint8_t perm[QC_EC_N_MAX];

    QC_TRY(gw_place_permutation(r, seg->id, seg->salt, seg->n, perm, err));
    *ret = seg->layout[perm[index]];
    return QC_OK;
}

static qc_rc take_uncounted(struct gw_cat *c, const struct gw_root *r, const struct gw_note_fragment *f,
                            struct gw_noted *ret, struct qc_err *err)
{
    struct gw_segment seg;
    uint32_t home;
    bool there;

    QC_TRY(segment_there(c, f->segment_id, &seg, &there, err));
    if (!there || f->index >= seg.n || (seg.absent >> f->index & 1) != 0)
        return QC_OK; /* gone since, or known to be absent anyway */
    QC_TRY(home_of(r, &seg, f->index, &home, err));
    if (!is_place(&seg, f, home))
        return QC_OK; /* mended since */
    ret->doubted++;
    return gw_cat_deviate(c, f->segment_id, f->index, home, GW_DEV_SUSPECT, err);
}

static qc_rc take_dead_key(struct gw_cat *c, const struct gw_root *r, const struct gw_note_fragment *f,
                           struct gw_noted *ret, struct qc_err *err)
{
    const struct gw_frag_key key = { .segment_id = f->segment_id,
                                     .frag = f->index,
                                     .cloud_id = f->cloud_id,
                                     .incarnation = f->incarnation,
                                     .attempt = f->attempt };
    struct gw_segment seg;
    uint32_t home;
    bool there;

    QC_TRY(segment_there(c, f->segment_id, &seg, &there, err));
    if (there && f->index < seg.n) {
        QC_TRY(home_of(r, &seg, f->index, &home, err));
        /* The place of one that counts nowhere can be dead (see_several): it is read, and put anew. */
        if (is_place(&seg, f, home) && (seg.absent >> f->index & 1) == 0) {
            ret->refused++;
            return QC_OK;
        }
    }
    ret->dead++;
    return gw_cat_dead_key_add(c, &key, f->salt, err);
}

static qc_rc take_dead_segment(struct gw_cat *c, const struct gw_note_segment *s, struct gw_noted *ret,
                               struct qc_err *err)
{
    struct gw_segment seg;
    uint64_t layout;
    bool there;

    QC_TRY(segment_there(c, s->id, &seg, &there, err));
    if (there) {
        ret->refused++;
        return QC_OK;
    }
    QC_TRY(gw_layout_id(c, &s->layout, &layout, err));
    ret->dead += s->layout.n;
    return GW_RUN(c, NOTED_DEAD_SEGMENT, err, QC_VI(s->id), QC_VI(layout), QC_VI(s->incarnation),
                  QC_VB(qc_span_of(s->salt, sizeof s->salt)), QC_VI(s->tenant), QC_VI(s->size));
}

static qc_rc take_pass(struct gw_cat *c, const struct gw_note_scrub *s, struct qc_err *err)
{
    const struct gw_scrub_pass last = { .began = s->began,
                                        .ended = s->ended,
                                        .spent_ms = s->spent_ms,
                                        .objects = s->objects,
                                        .bytes = s->bytes,
                                        .found = s->found };
    const struct gw_scrub_row row = {
        .cloud_id = s->cloud_id, .depth = (enum gw_depth)s->depth, .pass = 1, .now = last, .last = last
    };

    return gw_cat_scrub_put(c, &row, err);
}

static qc_rc take_ids(struct gw_cat *c, uint64_t next_segment, struct qc_err *err)
{
    uint64_t have;

    QC_TRY(gw_meta_get(c, "next_segment", &have, err));
    return next_segment > have ? gw_meta_set(c, "next_segment", next_segment, err) : QC_OK;
}

qc_rc gw_cat_noted(struct gw_cat *c, const struct gw_root *r, const struct gw_note *note,
                   struct gw_noted *ret, struct qc_err *err)
{
    switch (note->kind) {
    case GW_NOTE_IDS:
        return take_ids(c, note->u.next_segment, err);
    case GW_NOTE_AUDIT:
        ret->audit_sequence = note->u.audit.sequence;
        memcpy(ret->audit_hash, note->u.audit.hash, sizeof ret->audit_hash);
        return QC_OK;
    case GW_NOTE_SCRUB:
        return take_pass(c, &note->u.scrub, err);
    case GW_NOTE_UNCOUNTED:
        return take_uncounted(c, r, &note->u.fragment, ret, err);
    case GW_NOTE_DEAD_KEY:
        return take_dead_key(c, r, &note->u.fragment, ret, err);
    case GW_NOTE_DEAD_SEGMENT:
        return take_dead_segment(c, &note->u.segment, ret, err);
    }
    return QC_OK;
}
