/* Rebuild, the fragments' part: what the listings show of each segment. Nothing is deleted. */
#include <stdlib.h>

#include "cat_internal.h"
#include "rebuild_internal.h"

/* A segment of a committed version. */
struct present {
    uint64_t id;
    uint32_t found; /* fragments seen where they belong */
};

struct presence {
    struct gw_rebuilding *b;
    struct gw_store *store;
    struct present *v; /* ascending by id */
    size_t count, cap;
    unsigned at; /* the cloud being listed */
};

static void presence_done(struct presence *p)
{
    qc_free(p->v);
    gw_store_free(&p->store);
}

static qc_rc add_id(struct presence *p, uint64_t id, struct qc_err *err)
{
    if (p->count == p->cap) {
        const size_t cap = p->cap == 0 ? 1024 : 2 * p->cap;
        struct present *more = cap > QC_GW_REBUILD_SEGMENTS_MAX ? NULL : qc_realloc(p->v, cap * sizeof *more);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of %zu segments", cap);
        p->v = more;
        p->cap = cap;
    }
    p->v[p->count++] = (struct present){ .id = id };
    return QC_OK;
}

static qc_rc load_page(struct presence *p, uint64_t *after, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_count = 0;
    QC_TRY(GW_QUERY(p->b->cat, ALL_SEGMENTS, &rows, err, QC_VI(*after), QC_VI(GW_PAGE)));
    while (rows.row) {
        QC_TRY(qc_col_u64(rows.s, 0, after, err));
        QC_TRY(add_id(p, *after, err));
        ++*ret_count;
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

static qc_rc load_ids(struct presence *p, struct qc_err *err)
{
    uint64_t after = 0;
    unsigned count;

    QC_LOCK(gw_cat_lock(p->b->cat));
    do { /* ends: each round goes to greater ids */
        QC_TRY(load_page(p, &after, &count, err));
    } while (count == GW_PAGE);
    return QC_OK;
}

static int by_id(const void *key, const void *row)
{
    const uint64_t *id = key;
    const struct present *p = row;

    return (*id > p->id) - (*id < p->id);
}

/* One that a repair wrote, here or on another cloud than the layout says. Of several the last counts: it was
 * read back before it did, and what it replaced was not good, or is on a cloud that was away. */
static qc_rc see_repaired(struct presence *p, struct present *row, const struct gw_segment *seg,
                          const struct gw_name *name, struct qc_err *err)
{
    uint8_t perm[QC_EC_N_MAX];

    QC_TRY(gw_place_permutation(p->b->root, seg->id, seg->salt, seg->n, perm, err));
    const struct gw_deviation_row place = { .frag = name->index,
                                            .cloud_id = p->b->member[p->at].cloud_id,
                                            .home = seg->layout[perm[name->index]],
                                            .incarnation = name->incarnation,
                                            .attempt = name->attempt,
                                            .state = GW_DEV_MOVED };
    QC_LOCK(gw_cat_lock(p->b->cat));
    QC_TRY(gw_cat_place_found(p->b->cat, seg->id, &place, err));
    p->b->report->fragments_found += (row->found >> name->index & 1) == 0;
    row->found |= UINT32_C(1) << name->index;
    return QC_OK;
}

/* A fragment by its name, which is whole: salt, incarnation, attempt and placement with it. */
static qc_rc see_known(struct presence *p, struct present *row, const struct gw_segment *seg,
                       const struct gw_name *name, const char *is, struct qc_err *err)
{
    char key[GW_NAME_SIZE];
    int at;

    QC_TRY(gw_segment_key(p->store, seg, name->index, &at, key, err));
    if (at == (int)p->at && strcmp(key, is) == 0) {
        p->b->report->fragments_found += (row->found >> name->index & 1) == 0;
        row->found |= UINT32_C(1) << name->index;
        return QC_OK;
    }
    if (name->attempt > 0 && name->incarnation >= seg->incarnation)
        return see_repaired(p, row, seg, name, err);
    p->b->report->unknown++;
    return QC_OK;
}

static qc_rc see_fragment(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct presence *p = ctx;
    struct gw_rebuild_report *report = p->b->report;
    struct gw_segment seg;
    struct gw_name name;

    QC_TRY(gw_name_parse(p->b->root, p->b->member[p->at].cloud_id, item->key, &name, err));
    if (name.kind != GW_NAME_FRAGMENT) {
        report->foreign++;
        return QC_OK;
    }
    struct present *row = p->v == NULL ? NULL : bsearch(&name.id, p->v, p->count, sizeof *p->v, by_id);
    if (row == NULL) {
        report->unknown++;
        return QC_OK;
    }
    {
        QC_LOCK(gw_cat_lock(p->b->cat));
        QC_TRY(gw_cat_segment_plain(p->b->cat, name.id, &seg, err));
    }
    if (name.index < seg.n && memcmp(name.salt, seg.salt, sizeof name.salt) == 0)
        return see_known(p, row, &seg, &name, item->key, err);
    report->unknown++;
    return QC_OK;
}

/* What was not seen: lost where the cloud was heard; where it was not, in doubt until it was read (D9). It
 * may lie there under another key, which a listing shows (gateway/repair_list.c). */
static qc_rc conclude(struct presence *p, const struct present *row, struct qc_err *err)
{
    struct gw_rebuild_report *report = p->b->report;
    struct gw_segment seg;
    unsigned hope = 0;

    QC_TRY(gw_cat_segment_plain(p->b->cat, row->id, &seg, err));
    for (unsigned i = 0; i < seg.n; i++) {
        char key[GW_NAME_SIZE];
        uint8_t perm[QC_EC_N_MAX];
        int at;
        report->fragments_expected++;
        QC_TRY(gw_segment_key(p->store, &seg, i, &at, key, err));
        if (row->found >> i & 1) {
            hope++;
            continue;
        }
        const bool heard = at >= 0 && (p->b->good >> at & 1) != 0;
        report->fragments_unheard += !heard;
        report->fragments_missing += heard;
        hope += !heard;
        QC_TRY(gw_place_permutation(p->b->root, seg.id, seg.salt, seg.n, perm, err));
        QC_TRY(gw_cat_deviate(p->b->cat, seg.id, i, seg.layout[perm[i]], heard ? GW_DEV_LOST : GW_DEV_SUSPECT,
                              err));
    }
    report->unreadable += hope < seg.k;
    return QC_OK;
}

/* One transaction for all rows of a cloud: nobody else uses this catalogue yet. */
static qc_rc list_cloud(struct presence *p, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    {
        QC_LOCK(gw_cat_lock(p->b->cat));
        QC_TRY(gw_cat_begin(p->b->cat, &tx, err));
    }
    QC_TRY(gw_fan_list(p->b->fan, p->at, "f/", QC_GW_LIST_PAGE_MS, see_fragment, p, err));
    QC_LOCK(gw_cat_lock(p->b->cat));
    return gw_cat_commit(p->b->cat, &tx, err);
}

qc_rc gw_rebuild_presence(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_CLEANUP(presence_done) struct presence p = { .b = b };

    QC_TRY(gw_store_new(&p.store, b->root, b->fan, b->conf.k, b->conf.n, err));
    QC_TRY(load_ids(&p, err));
    for (unsigned at = 0; at < b->setup->count; at++) {
        p.at = at;
        if (b->good >> at & 1)
            QC_TRY_AS(list_cloud(&p, err), err, "cloud %s", b->setup->clouds[at].name);
    }
    QC_LOCK(gw_cat_lock(b->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(b->cat, &tx, err));
    for (size_t i = 0; i < p.count; i++)
        QC_TRY(conclude(&p, &p.v[i], err));
    QC_TRY(gw_rebuild_snapshot_rows(b, err)); /* margins know of doubts */
    QC_TRY(GW_RUN0(b->cat, REBUILT_VERSIONS, err));
    QC_TRY(GW_RUN(b->cat, REBUILT_REQUESTS, err, QC_VI(b->conf.record_quorum), QC_VI(b->report->clouds)));
    return gw_cat_commit(b->cat, &tx, err);
}
