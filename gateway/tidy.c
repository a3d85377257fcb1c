/* Housekeeping: debts (pay.c), dead keys (sweep.c), suspects. Bounded work per call; everything can be done
 * again (D10). */
#include "base/log.h"
#include "engine_internal.h"
#include "repair_internal.h"

/* -- suspects -------------------------------------------------------------------------------------------- */

static bool pop_suspect(struct gw_engine *e, struct gw_suspect *ret)
{
    QC_LOCK(&e->lock);
    if (e->suspect_count == 0)
        return false;
    *ret = e->suspects[--e->suspect_count];
    return true;
}

/* Still absent, on a cloud that is ours? One failed request lowers no margin. */
static qc_rc still_absent(struct gw_engine *e, const struct gw_suspect *s, bool *ret, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    const int at = gw_fan_at(e->fan, s->cloud_id);
    struct gw_answer a;
    gw_clouds ok;

    *ret = false;
    if (at < 0)
        return QC_OK;
    keys[at] = s->key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_STATUS_MS) } };
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    QC_TRY(gw_probe(e->fan, e->root, ask.set, qc_deadline_in(QC_GW_STATUS_MS), &ok, err));
    *ret = ok == ask.set && a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_NOTFOUND;
    return QC_OK;
}

/* The row, if the fragment still lies under the key that was read: a repair may have been quicker. */
static qc_rc condemn(struct gw_engine *e, const struct gw_suspect *s, enum gw_finding_kind kind,
                     struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    struct gw_finding f = { .cloud_id = s->cloud_id, .kind = kind, .source = GW_FOUND_BY_READ };
    char key[GW_NAME_SIZE];
    struct gw_segment seg;
    int at;

    memcpy(f.key, s->key, sizeof s->key);
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    const qc_rc rc = gw_cat_segment(e->cat, s->segment_id, &seg, err);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    QC_TRY(gw_segment_key(e->store, &seg, s->index, &at, key, err));
    if (strcmp(key, s->key) != 0)
        return QC_OK;
    QC_TRY(gw_cat_deviate(e->cat, s->segment_id, s->index, s->cloud_id,
                          s->kind == GW_FAULT_DAMAGED ? GW_DEV_BAD : GW_DEV_LOST, err));
    QC_TRY(gw_cat_finding_put(e->cat, &f, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* What lies there, as a scrub would have said: too short, another fragment of ours, or rot. A cloud that does
 * not tell now leaves it at what the read saw. */
static qc_rc name_it(struct gw_engine *e, const struct gw_suspect *s, enum gw_finding_kind *ret,
                     struct qc_err *err)
{
    struct gw_segment seg;
    struct gw_judgement j;

    *ret = GW_FINDING_MISSING;
    if (s->kind != GW_FAULT_DAMAGED)
        return QC_OK;
    *ret = GW_FINDING_DAMAGED;
    {
        QC_LOCK(gw_cat_lock(e->cat));
        struct qc_err miss = { 0 };
        const qc_rc rc = gw_cat_segment(e->cat, s->segment_id, &seg, &miss);
        if (rc == QC_NOTFOUND)
            return QC_OK; /* condemn sees it, too */
        if (rc != QC_OK)
            *err = miss;
        QC_TRY(rc);
    }
    QC_TRY(gw_judge(e, &seg, s->index, &j, err));
    *ret = j.kind;
    return QC_OK;
}

static qc_rc judge_suspect(struct gw_engine *e, const struct gw_suspect *s, struct qc_err *err)
{
    enum gw_finding_kind kind;
    bool bad = s->kind == GW_FAULT_DAMAGED;

    if (!bad)
        QC_TRY(still_absent(e, s, &bad, err));
    if (!bad)
        return QC_OK;
    QC_TRY(name_it(e, s, &kind, err));
    QC_TRY(condemn(e, s, kind, err));
    gw_payers_tell(e, s->cloud_id);
    return QC_OK;
}

qc_rc gw_tidy_suspects(struct gw_engine *e, struct qc_err *err)
{
    struct gw_suspect s;

    for (unsigned i = 0; i < QC_GW_TIDY_KEYS && pop_suspect(e, &s); i++)
        QC_TRY(judge_suspect(e, &s, err));
    return QC_OK;
}

/* It comes to nothing now and then, and is begun again: status has the reason. */
static void tidy_snapshot(struct gw_engine *e, bool *ret_more)
{
    struct qc_err why = { 0 };

    if (gw_snapshot_step(e, ret_more, &why) != QC_OK)
        qc_log_err(QC_LOG_WARN, "snapshot of the catalogue", &why);
}

/* The same of bundles. */
static void tidy_repack(struct gw_engine *e, bool *ret_more)
{
    struct qc_err why = { 0 };

    if (gw_tidy_repack(e, ret_more, &why) != QC_OK)
        qc_log_err(QC_LOG_WARN, "repacking of half dead bundles", &why);
}

enum { TIME_MS = 600000 }; /* what a crash takes of the time that passed */

/* At the first call, and then now and then. */
static qc_rc look_at_time(struct gw_engine *e, struct qc_err *err)
{
    const uint64_t now = qc_now_ms();
    const uint64_t last = atomic_load(&e->time_seen_ms);

    if (last != 0 && now - last < TIME_MS)
        return QC_OK;
    atomic_store(&e->time_seen_ms, now);
    return gw_engine_time(e, err);
}

qc_rc gw_engine_tidy(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    bool debts = false, dead = false, scrub = false, snapshot = false, repack = false;

    *ret_more = false;
    QC_TRY(gw_engine_may(e, err));
    if (!e->attendant.runs)
        QC_TRY(gw_engine_attend(e, err));
    QC_TRY(gw_engine_be_sure(e, err));
    QC_TRY(gw_commit_roll(e, err));
    QC_TRY(gw_upload_drop(e, err));
    if (!atomic_load(&e->keeps))
        return gw_tidy_suspects(e, err);
    QC_TRY(gw_tidy_uploads(e, err));
    QC_TRY(look_at_time(e, err));
    if (e->payers.count > 0)
        debts = gw_payers_busy(e);
    else if (!atomic_load(&e->repairing))
        QC_TRY(gw_tidy_debts(e, &debts, err));
    QC_TRY(gw_tidy_sweep(e, &dead, err));
    if (!atomic_load(&e->repairing)) /* a repair looks at them itself */
        QC_TRY(gw_tidy_suspects(e, err));
    if (!e->scrubs.threaded)
        QC_TRY(gw_engine_scrub_step(e, &scrub, err));
    tidy_snapshot(e, &snapshot);
    tidy_repack(e, &repack);
    *ret_more = debts || dead || scrub || snapshot || repack;
    return gw_shares_tidy(e, err);
}
