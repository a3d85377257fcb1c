/* Scrub, content: every fragment that counts on a cloud is read, whole, and verified. */
#include "scrub_internal.h"

qc_rc gw_scrub_judge(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                     enum gw_finding_kind *ret, struct qc_err *err)
{
    struct gw_judgement j;

    QC_TRY(gw_judge(s->e, seg, frag, &j, err));
    s->requests++;
    s->bytes += j.bytes;
    if (j.why[0] != '\0')
        gw_scrub_ill(s, j.why);
    *ret = j.kind;
    return QC_OK;
}

/* -- reading --------------------------------------------------------------------------------------------- */

static qc_rc note(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                  const struct gw_inspection *in, struct qc_err *err)
{
    enum gw_finding_kind kind = GW_FINDING_MISSING;
    char key[GW_NAME_SIZE];
    int at;

    if (in->found[frag] == GW_FOUND_AWAY)
        gw_scrub_ill(s, in->why[frag]);
    if (in->found[frag] == GW_FOUND_DAMAGED)
        QC_TRY(gw_scrub_judge(s, seg, frag, &kind, err));
    if (s->ill)
        return QC_OK;
    s->objects++;
    if (in->found[frag] == GW_FOUND_GOOD)
        return QC_OK;
    QC_TRY(gw_segment_key(s->e->store, seg, frag, &at, key, err));
    return gw_scrub_bad(s, seg, frag, kind, key, err);
}

static qc_rc read_segment(struct gw_scrubbing *s, uint64_t id, struct qc_err *err)
{
    QC_CLEANUP(gw_read_free) struct gw_read *read = NULL;
    struct gw_segment seg;
    struct gw_inspection in;
    uint32_t here;

    QC_TRY(gw_scrub_segment(s, id, &seg, &here, err));
    if (here == 0)
        return QC_OK;
    const qc_rc rc =
        gw_segment_inspect(s->e->store, &seg, here, qc_deadline_in(QC_GW_READ_MS), &in, &read, err);
    if (rc == QC_TEMP) { /* units are for requests first */
        qc_err_clear(err);
        s->later = true;
        return QC_OK;
    }
    QC_TRY(rc);
    s->requests += (unsigned)__builtin_popcount(here);
    s->bytes += in.bytes;
    for (unsigned i = 0; i < seg.n && !s->ill; i++)
        if ((here >> i & 1) != 0)
            QC_TRY(note(s, &seg, i, &in, err));
    return QC_OK;
}

/* Goes on behind the last segment that was read; where the cloud fails, at that one again. */
qc_rc gw_scrub_read(struct gw_scrubbing *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    const uint64_t to = s->row.next + GW_WINDOW;
    unsigned count, read = 0;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    {
        QC_LOCK(gw_cat_lock(s->e->cat));
        QC_TRY(gw_cat_window(s->e->cat, s->row.next, rows, &count, err));
    }
    for (unsigned x = 0; x < count && rows[x].id < s->row.upto; x++) {
        QC_TRY(gw_repair_go_on(&s->p, err));
        QC_TRY(read_segment(s, rows[x].id, err));
        if (s->ill || s->later)
            return QC_OK;
        s->row.next = rows[x].id;
        if (++read == QC_GW_SCRUB_SEGMENTS || s->bytes >= QC_GW_SCRUB_BYTES)
            return QC_OK;
    }
    s->row.next = to;
    if (to >= s->row.upto) {
        s->row.next = 0;
        s->row.stage = GW_SCRUB_LOG;
    }
    return QC_OK;
}
