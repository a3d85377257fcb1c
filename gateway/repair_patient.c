/* Repair, one segment: what the catalogue knows of it. */
#include "repair_patient.h"

static qc_rc take_row(void *ctx, const struct gw_deviation_row *row, struct qc_err *err)
{
    struct gw_patient *m = ctx;

    if (row->frag >= m->seg.n)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: fragment %u of %u", row->frag, m->seg.n);
    m->row[row->frag] = *row;
    m->rows |= bit(row->frag);
    if (row->state != GW_DEV_MOVED)
        m->uncounted |= bit(row->frag);
    return QC_OK;
}

qc_rc gw_patient_live(struct gw_patient *m, uint64_t id, bool *ret, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;

    return m->p->from != 0 ? gw_cat_segment_kept(cat, id, ret, err) : gw_cat_segment_live(cat, id, ret, err);
}

struct gw_frag_key gw_patient_key(const struct gw_patient *m, unsigned i)
{
    return (struct gw_frag_key){ .segment_id = m->seg.id,
                                 .frag = i,
                                 .cloud_id = m->row[i].cloud_id,
                                 .incarnation = m->row[i].incarnation,
                                 .attempt = m->row[i].attempt };
}

/* Under the catalogue's lock. */
static qc_rc load_doomed(struct gw_patient *m, struct qc_err *err)
{
    for (unsigned i = 0; i < m->seg.n; i++) {
        const struct gw_frag_key key = gw_patient_key(m, i);
        bool dead;
        if ((m->uncounted & bit(i)) == 0)
            continue;
        QC_TRY(gw_cat_dead_key_is(m->p->e->cat, &key, &dead, err));
        m->doomed |= dead ? bit(i) : 0;
    }
    return QC_OK;
}

/* Under the catalogue's lock. *ret_live: there is something to do. */
static qc_rc load_rows(struct gw_patient *m, uint64_t id, bool *ret_live, struct qc_err *err)
{
    QC_TRY(gw_patient_live(m, id, ret_live, err));
    if (!*ret_live)
        return QC_OK;
    QC_TRY(gw_cat_segment(m->p->e->cat, id, &m->seg, err));
    QC_TRY(gw_cat_deviations_each(m->p->e->cat, id, take_row, m, err));
    return load_doomed(m, err);
}

qc_rc gw_patient_load(struct gw_patient *m, uint64_t id, bool *ret_live, struct qc_err *err)
{
    struct gw_engine *e = m->p->e;
    uint8_t perm[QC_EC_N_MAX];

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(load_rows(m, id, ret_live, err));
    }
    if (!*ret_live)
        return QC_OK;
    QC_TRY(gw_place_permutation(e->root, id, m->seg.salt, m->seg.n, perm, err));
    for (unsigned i = 0; i < m->seg.n; i++) {
        const uint32_t home = m->seg.layout[perm[i]];
        struct gw_cloud_view view = { .state = GW_CLOUD_LOST };
        if ((m->rows & bit(i)) == 0)
            m->row[i] = (struct gw_deviation_row){
                .frag = i, .cloud_id = home, .home = home, .incarnation = m->seg.incarnation
            };
        const int at = gw_fan_at(e->fan, m->row[i].cloud_id);
        if (at >= 0)
            gw_fan_view(e->fan, (unsigned)at, &view);
        if (!usable(m, m->row[i].cloud_id))
            m->away |= bit(i);
        if (view.state == GW_CLOUD_LOST)
            m->lost |= bit(i);
        if (m->p->from != 0 && m->row[i].cloud_id == m->p->from)
            m->leaving |= bit(i);
    }
    return QC_OK;
}
