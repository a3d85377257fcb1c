/* Segments that are put anew, whole: what another code (recode.c) and another bundle (repack.c) have in
 * common.
 *
 * W1 (D6): what takes another one's place lies on all its n clouds, and was read back from all of them,
 * before any record names it. */
#include "repair_internal.h"

qc_rc gw_rewrite_usable(struct gw_repairing *p, const struct gw_log_layout *l, struct qc_err *err)
{
    for (unsigned i = 0; i < l->n; i++) {
        const int at = gw_fan_at(p->e->fan, l->clouds[i]);
        if (at < 0 || !gw_repair_usable(p, (unsigned)at))
            return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer, and all %u clouds of a segment must",
                           gw_engine_cloud_name(p->e, l->clouds[i]), l->n);
    }
    return QC_OK;
}

/* Units are for requests first. */
qc_rc gw_rewrite_read(struct gw_repairing *p, const struct gw_segment *seg, struct gw_range range,
                      struct gw_read **ret, struct qc_err *err)
{
    for (unsigned pauses = 0;; pauses++) {
        struct gw_faults faults = { 0 };
        const qc_rc rc =
            gw_segment_read(p->e->store, seg, range, qc_deadline_in(QC_GW_READ_MS), &faults, ret, err);
        if (rc == QC_OK)
            return gw_repair_moved(p, range.to - range.from, 0, err);
        if (rc != QC_TEMP || pauses == QC_GW_REPAIR_PAUSES)
            return rc;
        qc_err_clear(err);
        QC_TRY(gw_repair_pause(p, QC_GW_REPAIR_PAUSE_MS, err));
    }
}

qc_rc gw_rewrite_hash(const struct gw_read *r, uint32_t size, struct gw_unit *u, uint8_t ret[QC_SHA256_BYTES],
                      struct qc_err *err)
{
    QC_CLEANUP(qc_sha256_free) struct qc_sha256_ctx *h = NULL;

    QC_TRY(qc_sha256_new(&h, err));
    for (uint32_t at = 0; at < size;) {
        const qc_span whole = gw_read_span(r, at);
        const qc_span part = qc_span_sub(whole, 0, whole.n < size - at ? whole.n : size - at);
        QC_TRY(qc_sha256_add(h, part, err));
        if (u != NULL)
            gw_unit_add(u, part);
        at += (uint32_t)part.n;
    }
    return qc_sha256_final(h, ret, err);
}

qc_rc gw_rewrite_put(struct gw_repairing *p, struct gw_segment *new, struct gw_unit *u, struct gw_written *w,
                     struct qc_err *err)
{
    QC_TRY(gw_segment_write(p->e->store, new, u, qc_deadline_in(p->e->segment_ms), w, err));
    memcpy(new->digest, w->digest, sizeof new->digest);
    QC_TRY(gw_repair_moved(p, 0, (uint64_t)w->durable * (new->size / new->k), err));
    for (unsigned i = 0; i < new->n && w->durable < new->n; i++)
        if ((w->durable_set >> i & 1) == 0)
            return QC_FAIL(err, QC_QUORUM, "%u of %u clouds took a segment, all must: %s: %s", w->durable,
                           new->n, gw_engine_cloud_name(p->e, w->cloud_id[i]), w->outcome[i].why);
    return QC_OK;
}

qc_rc gw_rewrite_check(struct gw_repairing *p, const struct gw_segment *new,
                       const uint8_t want[QC_SHA256_BYTES], struct qc_err *err)
{
    const uint32_t all = new->n == 32 ? UINT32_MAX : (UINT32_C(1) << new->n) - 1;
    QC_CLEANUP(gw_read_free) struct gw_read *r = NULL;
    struct gw_inspection back;
    uint8_t have[QC_SHA256_BYTES];

    QC_TRY(gw_repair_inspect(p, new, all, &back, &r, err));
    if (back.good != new->n || r == NULL)
        return QC_FAIL(err, QC_QUORUM, "%u of %u fragments of a segment were read back", back.good, new->n);
    QC_TRY(gw_rewrite_hash(r, new->size, NULL, have, err));
    if (!qc_ct_eq(have, want, sizeof have))
        return QC_FAIL(err, QC_INTEGRITY, "a segment that was put anew has other bytes");
    return QC_OK;
}
