/* Uploads that go on, and those that nobody goes on with.
 *
 * R1: of an upload's client there is one at a time whose segments and commit count: that of the last run. A
 * run begins in a transaction that ends what an earlier one may still have on its way: its reservations die,
 * so that no segment of it becomes a row (gw_cat_segment_done), and what arrives later is of an older run
 * than the upload is (gw_upload_run).
 *
 * R2: what a run begins with is a prefix: segments 0 .. count-1 as rows, none of a greater number.
 *
 * R3: an upload is given up when nobody was heard of it for QC_GW_UPLOAD_DAYS, by this machine's clock. A
 * wrong one costs whoever wanted to go on the bytes that were sent, never what was acknowledged (D7).
 *
 * R4: a segment that has come whole is written whether or not its sender is still there, and a run does not
 * begin before it is. A client sends one after the other; so of what it had sent only one is sent again. */
#include "base/codec.h"
#include "base/log.h"
#include "base/time.h"
#include "engine_internal.h"

enum { DAY_S = 24 * 60 * 60 };

struct prefix {
    uint32_t count, most;
    uint64_t bytes;
};

static qc_rc count_segment(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err)
{
    struct prefix *p = ctx;

    (void)offset;
    (void)err;
    if (seg->seq == p->count && p->count < p->most && !seg->last) {
        p->count++;
        p->bytes += seg->size;
    }
    return QC_OK;
}

static qc_rc resume_rows(struct gw_engine *e, const struct gw_ref *put_key, struct prefix *p,
                         struct gw_request_row *row, struct qc_err *err)
{
    QC_TRY(gw_upload_open(e, put_key, row, err));
    QC_TRY(gw_cat_segments(e->cat, row->version_no, 0, count_segment, p, err));
    QC_TRY(gw_cat_segments_kill_from(e->cat, row->version_no, p->count, err)); /* R2 */
    QC_TRY(gw_cat_request_run(e->cat, put_key, err));
    return gw_cat_request(e->cat, put_key, row, err);
}

qc_rc gw_upload_resume(struct gw_engine *e, const struct gw_ref *put_key, uint32_t most,
                       struct gw_resumed *ret, struct qc_err *err)
{
    struct prefix p = { .most = most };
    struct gw_request_row row;

    QC_TRY(gw_engine_may(e, err));
    gw_arrivals_wait(&e->arrivals, put_key, qc_deadline_in(QC_GW_ARRIVAL_MS)); /* R4 */
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(e->cat, &tx, err));
        QC_TRY(resume_rows(e, put_key, &p, &row, err));
        QC_TRY(qc_fault(resume_row, err));
        QC_TRY(gw_cat_commit(e->cat, &tx, err));
    }
    *ret = (struct gw_resumed){ .run = row.run, .segments = p.count, .bytes = p.bytes };
    return qc_fault(resume_done, err);
}

/* -- given up -------------------------------------------------------------------------------------------- */

/* An upload that nobody has looked at yet: its days begin now. */
static qc_rc begin_days(struct gw_engine *e, const struct gw_ref *put_key, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_request_heard(e->cat, put_key, err));
    return gw_cat_commit(e->cat, &tx, err);
}

static qc_rc give_up(struct gw_engine *e, const struct gw_ref *put_key, struct qc_err *err)
{
    enum gw_upload_state state;
    struct gw_receipt receipt;
    struct qc_err why = { 0 };
    char key[2 * GW_ID_BYTES + 1];

    const qc_rc rc = gw_upload_cancel(e, put_key, &state, &receipt, &why);
    if (rc == QC_CONFLICT) /* it is decided meanwhile */
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    qc_hex(gw_id_span(&put_key->id), key);
    GW_AUDIT(e->audit, "given_up", QC_U("tenant", put_key->tenant), QC_S("put_key", key));
    return QC_OK;
}

qc_rc gw_tidy_uploads(struct gw_engine *e, struct qc_err *err)
{
    const int64_t before = qc_wall_s() - (int64_t)QC_GW_UPLOAD_DAYS * DAY_S;

    for (unsigned i = 0; i < QC_GW_TIDY_KEYS; i++) {
        struct gw_ref put_key;
        uint64_t heard = 0;
        bool found;
        {
            QC_LOCK(gw_cat_lock(e->cat));
            QC_TRY(gw_cat_request_silent(e->cat, before, &put_key, &heard, &found, err));
        }
        if (!found)
            return QC_OK;
        QC_TRY(heard == 0 ? begin_days(e, &put_key, err) : give_up(e, &put_key, err));
    }
    return QC_OK;
}
