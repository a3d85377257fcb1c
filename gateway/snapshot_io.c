/* Packs and notes on clouds: pieces are put, and read. */
#include "base/alloc.h"
#include "snapshot_internal.h"

struct keys {
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
};

static qc_rc name_on(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name, unsigned at,
                     struct keys *k, struct qc_err *err)
{
    QC_TRY(gw_name_make(r, gw_fan_id(f, at), name, k->names[at], err));
    k->keys[at] = k->names[at];
    return QC_OK;
}

static void free_all(qc_buf *v, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        qc_buf_free(&v[i]);
}

/* The largest piece: k = 1. */
enum { PIECE_MAX = GW_PIECE_HEAD_BYTES + QC_GW_PACK_MAX + 4096 + GW_PIECE_MAC };

struct reading {
    qc_buf bytes[QC_GW_CLOUDS_MAX];
    struct gw_piece pieces[QC_GW_CLOUDS_MAX]; /* that hold */
    unsigned count;
    gw_clouds holds; /* whose they are */
    struct gw_answer answer;
    struct keys keys;
};

static void reading_free(struct reading **rp)
{
    if (*rp == NULL)
        return;
    free_all((*rp)->bytes, QC_GW_CLOUDS_MAX);
    qc_free(*rp);
    *rp = NULL;
}

/* Those of the answers that are what they should be: into g->pieces. */
static qc_rc open_pieces(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name,
                         struct reading *g, gw_clouds done, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(f); at++) {
        struct qc_err why = { 0 };
        if ((done >> at & 1) == 0)
            continue;
        const qc_rc rc =
            gw_piece_open(r, name, gw_fan_id(f, at), qc_buf_span(&g->bytes[at]), &g->pieces[g->count], &why);
        if (rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        g->count += rc == QC_OK;
        g->holds |= (gw_clouds)(rc == QC_OK) << at;
    }
    return QC_OK;
}

static qc_rc get_pieces(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name, gw_clouds set,
                        unsigned enough, struct reading *g, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(f); at++)
        if (set >> at & 1)
            QC_TRY(name_on(f, r, name, at, &g->keys, err));
    const struct gw_ask ask = { .set = set,
                                .keys = g->keys.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS), .enough = enough } };
    QC_TRY(gw_fan_get(f, &ask, PIECE_MAX, g->bytes, &g->answer, err));
    return open_pieces(f, r, name, g, g->answer.done, err);
}

static qc_rc read_some(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name, gw_clouds set,
                       unsigned enough, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(reading_free) struct reading *g = qc_alloc(sizeof *g);

    if (g == NULL)
        return QC_FAIL(err, QC_NOMEM, "pieces of a pack");
    QC_TRY(get_pieces(f, r, name, set, enough, g, err));
    return gw_pack_open(r, name, g->pieces, g->count, ret, err);
}

qc_rc gw_snap_read_all(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name,
                       struct gw_snap_pieces *pieces, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(reading_free) struct reading *g = qc_alloc(sizeof *g);

    pieces->holds = 0;
    pieces->answer = (struct gw_answer){ 0 };
    if (g == NULL)
        return QC_FAIL(err, QC_NOMEM, "pieces of a pack");
    QC_TRY(get_pieces(f, r, name, pieces->set, 0, g, err));
    pieces->answer = g->answer;
    pieces->holds = g->holds;
    return gw_pack_open(r, name, g->pieces, g->count, ret, err);
}

qc_rc gw_snap_read(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name, gw_clouds set,
                   unsigned enough, qc_buf *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = read_some(f, r, name, set, enough, ret, &why);

    /* Of those that came first some may have been damaged. */
    if ((rc == QC_QUORUM || rc == QC_INTEGRITY) && enough > 0)
        return read_some(f, r, name, set, 0, ret, err);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

static qc_rc put_pieces(struct gw_fan *f, const struct gw_root *r, const struct gw_pack_plan *plan,
                        const qc_buf *pieces, unsigned *ret, struct qc_err *err)
{
    qc_span bytes[QC_GW_CLOUDS_MAX] = { 0 };
    struct keys k = { 0 };
    struct gw_answer a;
    gw_clouds set = 0;

    for (unsigned i = 0; i < plan->n; i++) {
        const int at = gw_fan_at(f, plan->clouds[i]);
        QC_ASSERT(at >= 0);
        QC_TRY(name_on(f, r, plan->name, (unsigned)at, &k, err));
        bytes[at] = qc_buf_span(&pieces[i]);
        set |= (gw_clouds)1 << at;
    }
    const struct gw_ask ask = { .set = set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_SEGMENT_MS) } };
    QC_TRY(gw_fan_put_each(f, &ask, bytes, CLOUD_NEW, &a, err));
    *ret = (unsigned)__builtin_popcount(a.done);
    return QC_OK;
}

qc_rc gw_snap_write(struct gw_fan *f, const struct gw_root *r, const struct gw_snap_put *put, unsigned *ret,
                    struct qc_err *err)
{
    qc_buf pieces[QC_EC_N_MAX] = { 0 };

    *ret = 0;
    QC_TRY(gw_pack_make(r, put->plan, put->clear, pieces, err));
    const qc_rc rc = put_pieces(f, r, put->plan, pieces, ret, err);
    free_all(pieces, put->plan->n);
    return rc;
}
