/* RECORD, WITNESS, PUBLISH: a decided log object is rolled forward. */
#include <stdio.h>

#include "base/planted.h"
#include "commit_internal.h"
#include "records.h"

/* What the clouds did with a log object. */
struct recorded {
    bool hasty;
    gw_clouds all, done, good; /* all: clouds that count; good: has it, and testified afterwards */
    struct gw_answer answer;
    struct gw_testimony said[QC_GW_CLOUDS_MAX];
};

static unsigned count_clouds(gw_clouds set)
{
    return (unsigned)__builtin_popcount(set);
}

static qc_rc log_keys(struct gw_engine *e, uint64_t sequence, uint32_t incarnation,
                      char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE], const char **keys, struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG, .id = sequence, .incarnation = (uint16_t)incarnation };

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        QC_TRY(gw_name_make(e->root, gw_fan_id(e->fan, at), &name, names[at], err));
        keys[at] = names[at];
    }
    return QC_OK;
}

/* Clouds that make a record evident. */
static unsigned needed(const struct gw_engine *e)
{
    return e->conf.record_quorum - qc_planted(evidence_short);
}

/* Why too few clouds took it: their reasons, as far as they fit. */
static qc_rc too_few(struct gw_engine *e, const struct recorded *r, const char *what, struct qc_err *err)
{
    char why[QC_ERR_MSG_MAX / 2] = "";
    size_t n = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan) && n + 1 < sizeof why; at++) {
        const char *text = (r->done >> at & 1) ? r->said[at].why : r->answer.outcome[at].why;
        if (r->good >> at & 1)
            continue;
        const int m = snprintf(why + n, sizeof why - n, "; %s: %s", gw_fan_name(e->fan, at), text);
        n += m > 0 ? (size_t)m : 0;
    }
    return QC_FAIL(err, QC_QUORUM, "%s on %u of %u clouds, %u are needed%s", what, count_clouds(r->good),
                   count_clouds(r->all), e->conf.record_quorum, why);
}

/* Something else stands under our name on some clouds. A genuine log object: somebody else runs this very
 * catalogue, and we are the copy (fenced). Anything else has rotted there, and is replaced. */
static qc_rc replace_rotten(struct gw_engine *e, const struct gw_log *l, qc_span bytes, gw_clouds conflict,
                            struct recorded *r, struct qc_err *err)
{
    struct gw_log_row row = { .sequence = l->head.sequence, .incarnation = l->head.incarnation };

    QC_TRY(qc_sha256(&bytes, 1, row.hash, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        bool right = false;
        if ((conflict >> at & 1) == 0)
            continue;
        QC_TRY(gw_record_put(e, at, &row, bytes, &right, err));
        r->done |= (gw_clouds)right << at;
    }
    return QC_OK;
}

/* Put the record on some clouds, and add what they say. */
static qc_rc put_record(struct gw_engine *e, const struct gw_ask *ask, qc_span bytes, struct recorded *r,
                        struct qc_err *err)
{
    struct gw_answer a;

    QC_TRY(gw_fan_put(e->fan, ask, bytes, CLOUD_NEW, &a, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (ask->set >> at & 1)
            r->answer.outcome[at] = a.outcome[at];
    r->done |= a.done;
    return QC_OK;
}

/* For a planted bug. */
static bool is_removal(const struct gw_log *l)
{
    struct gw_log_iter it = gw_log_records(l);
    struct gw_record rec;
    struct qc_err why = { 0 };
    bool more;

    return gw_log_next(&it, &rec, &more, &why) == QC_OK && more && rec.kind == GW_REC_TOMBSTONE;
}

static qc_rc record(struct gw_engine *e, const struct gw_log *l, qc_span bytes, struct recorded *r,
                    struct qc_err *err)
{
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
    gw_clouds conflict = 0, back;

    QC_TRY(log_keys(e, l->head.sequence, l->head.incarnation, names, keys, err));
    r->all = gw_fan_witnesses(e->fan);
    if (qc_planted(no_tombstone) && is_removal(l)) {
        r->done = r->all;
        return QC_OK;
    }
    QC_TRY(gw_probe_again(e->fan, e->root, r->all, GW_ILL_WORTH, &back, err));
    struct gw_ask ask = { .set = r->all,
                          .keys = keys,
                          .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS),
                                    .enough = e->conf.record_quorum,
                                    .grace_ms = r->hasty ? QC_GW_HASTE_MS : QC_GW_RECORD_GRACE_MS } };
    QC_TRY(put_record(e, &ask, bytes, r, err));
    const enum gw_ill which = count_clouds(r->done) < e->conf.record_quorum ? GW_ILL_ALL : GW_ILL_WORTH;
    QC_TRY(gw_probe_again(e->fan, e->root, r->all & ~r->done, which, &back, err));
    if (back != 0) { /* also those that were mounted anew, and found to be so just now */
        ask.set = back;
        ask.force = true; /* they have shown who they are */
        ask.rule = (struct gw_rule){ .deadline = qc_deadline_in(QC_GW_RECORD_MS) };
        QC_TRY(put_record(e, &ask, bytes, r, err));
    }
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (r->answer.outcome[at].fate == GW_FAILED && r->answer.outcome[at].rc == QC_CONFLICT)
            conflict |= (gw_clouds)1 << at;
    if (conflict != 0)
        QC_TRY(replace_rotten(e, l, bytes, conflict, r, err));
    if (count_clouds(r->done) < needed(e))
        return too_few(e, r, "the commit record is", err);
    return QC_OK;
}

static qc_rc witness(struct gw_engine *e, struct recorded *r, struct qc_err *err)
{
    const struct gw_witness_ask ask = { .incarnation = e->conf.incarnation };
    const struct gw_rule rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) };

    QC_TRY(gw_witness(e->fan, e->root, r->done, &ask, &rule, r->said, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        if ((r->done >> at & 1) == 0)
            continue;
        if (r->said[at].verdict == GW_VERDICT_ROOT) {
            gw_engine_fence(e, "another gateway took over");
            return QC_FAIL(err, QC_FENCED,
                           "cloud %s shows incarnation %" PRIu32 ", this gateway is %" PRIu32
                           ": another gateway took over",
                           gw_fan_name(e->fan, at), r->said[at].incarnation, e->conf.incarnation);
        }
        if (r->said[at].verdict == GW_VERDICT_GOOD)
            r->good |= (gw_clouds)1 << at;
    }
    if (count_clouds(r->good) < needed(e))
        return too_few(e, r, "the commit record is read back", err);
    return QC_OK;
}

/* -- publish --------------------------------------------------------------------------------------------- */

struct lacking {
    struct gw_engine *e;
    gw_clouds set, left; /* failed to take something; were not waited for */
};

static qc_rc add_lacking(void *ctx, const struct gw_deviation_row *row, struct qc_err *err)
{
    struct lacking *l = ctx;
    const int at = gw_fan_at(l->e->fan, row->cloud_id);

    (void)err;
    if (at >= 0 && row->state == GW_DEV_LEFT)
        l->left |= (gw_clouds)1 << at;
    else if (at >= 0 && row->state != GW_DEV_MOVED)
        l->set |= (gw_clouds)1 << at;
    return QC_OK;
}

static qc_rc lacking_of(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err)
{
    struct lacking *l = ctx;

    (void)offset;
    for (unsigned i = 0; i < seg->n; i++) {
        struct gw_cloud_view view;
        const int at = gw_fan_at(l->e->fan, seg->layout[i]);
        if (at < 0)
            continue;
        gw_fan_view(l->e->fan, (unsigned)at, &view);
        if (view.state == GW_CLOUD_LOST)
            l->set |= (gw_clouds)1 << at;
    }
    return gw_cat_deviations_each(l->e->cat, seg->id, add_lacking, l, err);
}

/* Clouds whose copy of the record was not waited for. */
static gw_clouds left_of(const struct recorded *r)
{
    gw_clouds left = 0;

    for (unsigned at = 0; r->hasty && at < QC_GW_CLOUDS_MAX; at++)
        if (((r->all & ~r->done) >> at & 1) && r->answer.outcome[at].fate == GW_LATE)
            left |= (gw_clouds)1 << at;
    return left;
}

/* What receipts say of where the bytes are: of all that lie in one bundle the same. */
struct whereabouts {
    uint64_t holder, layout; /* whose they are; 0: nobody's yet */
    int margin;
    unsigned k, n, durable_min;
    struct lacking lacking;
    struct gw_receipt receipt; /* that says so */
};

static qc_rc look_where(struct whereabouts *w, const struct gw_version_row *v, const struct lacking *records,
                        struct qc_err *err)
{
    struct gw_cat *cat = records->e->cat;
    struct gw_log_layout l;

    if (w->holder == gw_version_holder(v) && w->layout == v->layout)
        return QC_OK;
    *w = (struct whereabouts){ .lacking = *records };
    QC_TRY(gw_layout_get(cat, v->layout, &l, err));
    w->k = l.k;
    w->n = l.n;
    QC_TRY(gw_cat_margin(cat, v->no, &w->margin, err));
    QC_TRY(gw_cat_durable(cat, v->no, &w->durable_min, err));
    QC_TRY(gw_cat_segments(cat, gw_version_holder(v), 0, lacking_of, &w->lacking, err));
    w->holder = gw_version_holder(v);
    w->layout = v->layout;
    return QC_OK;
}

/* The receipt of one put key: what only this gateway knows of it. */
static qc_rc finish_receipt(struct gw_engine *e, const struct recorded *r, const struct gw_ref *put_key,
                            struct whereabouts *w, struct qc_err *err)
{
    struct gw_request_row row;
    struct lacking lacking = { .e = e, .left = left_of(r) };

    lacking.set = r->all & ~r->good & ~lacking.left;

    QC_TRY(gw_cat_request(e->cat, put_key, &row, err));
    QC_ASSERT(row.state == GW_UPLOAD_LIVE);
    row.receipt.record_copies = count_clouds(r->good);
    row.receipt.clouds = count_clouds(r->all);
    if (row.kind == GW_REQUEST_PUT) {
        struct gw_version_row v;
        QC_TRY(gw_cat_version_no(e->cat, row.version_no, &v, err));
        QC_TRY(look_where(w, &v, &lacking, err));
        row.receipt.acked_margin = w->margin;
        row.receipt.margin_full = (int)w->n - (int)w->k;
        row.receipt.n = w->n;
        row.receipt.durable_min = w->durable_min;
        lacking = w->lacking;
        QC_TRY(gw_cat_version_acked(e->cat, row.version_no, row.receipt.acked_margin, err));
    }
    row.receipt.degraded_count = row.receipt.following_count = 0;
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (lacking.set >> at & 1)
            row.receipt.degraded[row.receipt.degraded_count++] = gw_fan_id(e->fan, at);
        else if (lacking.left >> at & 1)
            row.receipt.following[row.receipt.following_count++] = gw_fan_id(e->fan, at);
    w->receipt = row.receipt;
    return gw_cat_request_put(e->cat, &row, err);
}

/* A batch that is published. */
struct finishing {
    struct gw_engine *e;
    const struct recorded *r;
    struct whereabouts where;
};

/* Of a bundle, then of all that lies in it (gw_publishing). */
static qc_rc bundle_reached(void *ctx, const struct gw_ref *bundle, struct gw_receipt *ret,
                            struct qc_err *err)
{
    struct finishing *f = ctx;

    QC_TRY(finish_receipt(f->e, f->r, bundle, &f->where, err));
    *ret = f->where.receipt;
    return QC_OK;
}

/* All but those that are with a bundle's. */
static qc_rc finish_receipts(struct finishing *f, const struct gw_log *l, struct qc_err *err)
{
    struct gw_log_iter it = gw_log_records(l);
    struct gw_record rec;

    for (bool more = true;;) {
        struct gw_ref own = { 0 };
        QC_TRY(gw_log_next(&it, &rec, &more, err));
        if (!more)
            return QC_OK;
        if (rec.kind == GW_REC_COMMIT)
            own = (struct gw_ref){ rec.u.commit.tenant, rec.u.commit.put_key };
        else if (rec.kind == GW_REC_TOMBSTONE)
            own = (struct gw_ref){ rec.u.tombstone.tenant, rec.u.tombstone.put_key };
        else if (rec.kind == GW_REC_RENAMED)
            own = (struct gw_ref){ rec.u.renamed.tenant, rec.u.renamed.put_key };
        else
            continue;
        QC_TRY(finish_receipt(f->e, f->r, &own, &f->where, err));
    }
}

static bool has_tenant(const struct gw_log *l)
{
    struct gw_log_iter it = gw_log_records(l);
    struct gw_record rec;
    struct qc_err unused = { 0 };

    for (bool more = true; gw_log_next(&it, &rec, &more, &unused) == QC_OK && more;)
        if (rec.kind == GW_REC_TENANT)
            return true;
    return false;
}

static bool owes_log(struct gw_engine *e, unsigned at)
{
    struct gw_cloud_view view;

    gw_fan_view(e->fan, at, &view);
    return view.role < GW_ROLE_LEAVING;
}

/* Who holds may ask for more of a record than we know of: its own, or ours, he publishes. */
static qc_rc not_held(struct gw_engine *e, struct qc_err *err)
{
    bool held;

    QC_TRY(gw_cat_held(e->cat, &held, err));
    return held ? QC_FAIL(err, QC_TEMP, "another gateway changes the clouds, nothing is published meanwhile")
                : QC_OK;
}

/* A margin below zero cannot be acknowledged: clouds were lost between the fragments and the record. The
 * version is live all the same (C2) and says what it has. */
static qc_rc publish(struct gw_engine *e, const struct recorded *r, const struct gw_log *l, qc_span bytes,
                     struct qc_err *err)
{
    bool mine;
    struct gw_log_row row = { .sequence = l->head.sequence, .incarnation = l->head.incarnation };
    struct finishing f = { .e = e, .r = r };
    const struct gw_publishing now = { bundle_reached, &f };

    QC_TRY(gw_engine_sync_lost(e, err));
    QC_TRY(qc_sha256(&bytes, 1, row.hash, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_outbox_has(e->cat, row.sequence, &mine, err));
    if (!mine)
        return QC_OK; /* another gateway was quicker: its receipts stand */
    QC_TRY(not_held(e, err));
    QC_TRY(gw_cat_apply(e->cat, l, &now, err));
    QC_TRY(finish_receipts(&f, l, err));
    QC_TRY(gw_cat_log_put(e->cat, &row, err));
    /* One that is joining gets the log as a debt. */
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if (owes_log(e, at) && (r->done >> at & 1) == 0)
            QC_TRY(gw_cat_debt_add(e->cat, gw_fan_id(e->fan, at), row.sequence, err));
    QC_TRY(gw_cat_outbox_clear(e->cat, row.sequence, err));
    QC_TRY(qc_fault(put_publish, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    if (has_tenant(l))
        atomic_store(&e->tenants_stale, true); /* under the catalogue's lock: gateway/tenants.c */
    return QC_OK;
}

static qc_rc outbox(struct gw_engine *e, uint64_t *ret_sequence, qc_buf *ret_body, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_outbox(e->cat, ret_sequence, ret_body, err);
}

qc_rc gw_roll(struct gw_engine *e, bool hasty, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_GW_LOG_MAX };
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    QC_CLEANUP(qc_free_ptr) struct recorded *r = NULL;
    uint64_t sequence;

    QC_TRY(outbox(e, &sequence, &body, err));
    if (sequence == 0)
        return QC_OK;
    QC_TRY_AS(gw_log_open(e->root, sequence, e->conf.incarnation, qc_buf_span(&body), &l, err), err,
              "outbox");
    r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "recording");
    r->hasty = hasty;
    QC_TRY(record(e, &l, qc_buf_span(&body), r, err));
    QC_TRY(qc_fault(put_log, err));
    QC_TRY(witness(e, r, err));
    QC_TRY(qc_fault(put_witness, err));
    QC_TRY(publish(e, r, &l, qc_buf_span(&body), err));
    gw_audit_records(e, &l);
    return QC_OK;
}
