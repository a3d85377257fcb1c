#include "rules.h"

unsigned gw_rules_domains(enum gw_domain domain, const struct gw_cloud_row *rows, unsigned count,
                          uint32_t without)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        bool seen = rows[i].state != GW_LIFE_IN_USE || rows[i].id == without;
        for (unsigned j = 0; j < i; j++)
            seen = seen || (rows[j].state == GW_LIFE_IN_USE && rows[j].id != without &&
                            gw_same_domain(domain, &rows[i].labels, &rows[j].labels));
        n += !seen;
    }
    return n;
}

static qc_rc room(unsigned needed, enum gw_domain domain, const struct gw_cloud_row *rows, unsigned count,
                  struct qc_err *err)
{
    const unsigned n = gw_rules_domains(domain, rows, count, 0);

    if (n >= needed)
        return QC_OK;
    return QC_FAIL(err, QC_QUORUM,
                   "a segment needs %u %s%ss, and there would be %u: add %u first (cloud add, cloud replace)",
                   needed, domain == GW_DOMAIN_CLOUD ? "" : "clouds of different ", gw_domain_name(domain), n,
                   needed - n);
}

/* Would two clouds that hold something of one segment be one domain? They were none before. */
static qc_rc no_pairs(struct gw_engine *e, enum gw_domain domain, const struct gw_cloud_row *rows,
                      unsigned count, struct qc_err *err)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < i; j++) {
            bool both;
            if (!gw_same_domain(domain, &rows[i].labels, &rows[j].labels))
                continue;
            QC_TRY(gw_cat_on_both(e->cat, rows[j].id, rows[i].id, &both, err));
            if (both)
                return QC_FAIL(err, QC_CONFLICT,
                               "clouds %s and %s would be one %s, and segments have fragments on both: drain "
                               "one of them first",
                               rows[j].name, rows[i].name, gw_domain_name(domain));
        }
    return QC_OK;
}

qc_rc gw_rules_hold(struct gw_engine *e, const struct gw_cloud_row *row, enum gw_domain domain, bool pairs,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
    for (unsigned i = 0; row != NULL && i < count; i++)
        if (rows[i].id == row->id)
            rows[i] = *row;
    QC_TRY(room(e->conf.n, domain, rows, count, err));
    return pairs ? no_pairs(e, domain, rows, count, err) : QC_OK;
}

qc_rc gw_rules_room(struct gw_engine *e, enum gw_domain domain, unsigned n, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
    return room(n, domain, rows, count, err);
}

/* Whoever leaves takes no place away that a draining cloud did not take before; who comes brings one. */
qc_rc gw_rules_allow(struct gw_engine *e, const struct gw_cloud_row *row, struct qc_err *err)
{
    struct gw_cloud_row now;
    uint64_t domain;

    QC_TRY(gw_cloud_row(e->cat, row->id, &now, err));
    const bool labels = !gw_same_labels(&now.labels, &row->labels);
    if (!labels && (now.state != GW_LIFE_IN_USE || row->state == GW_LIFE_IN_USE))
        return QC_OK;
    QC_TRY(gw_meta_get(e->cat, "domain", &domain, err));
    return gw_rules_hold(e, row, (enum gw_domain)domain, labels, err);
}
