/* Many small files, put in one upload; and where each of them lies, for the oracle. */
#include <string.h>

#include "base/fault.h"
#include "client.h"
#include "engine_internal.h"
#include "wrap.h"

SIM_TOLD_CALLS(SIM_WRAPPED)

struct gw_id gateway_vault(void);

/* -- in the program -------------------------------------------------------------------------------------- */

static qc_rc put_segment(struct gw_engine *e, const struct bundle *b, struct qc_err *err)
{
    const struct gw_segment_put s = { .put_key = b->key, .last = true, .size = b->size };
    QC_CLEANUP(gw_unit_done) struct gw_unit *u = NULL;
    struct gw_segment_receipt receipt;
    uint8_t bytes[4100];

    QC_TRY(gw_engine_unit(e, GW_OWNER, b->size, qc_deadline_in(QC_GW_UNIT_MS), &u, err));
    for (unsigned i = 0; i < b->count; i++) {
        const struct put *p = b->v[i];
        QC_ASSERT(put_size(p, 0) <= sizeof bytes);
        put_bytes(p, 0, bytes);
        gw_unit_add(u, qc_span_of(bytes, put_size(p, 0)));
    }
    return gw_upload_segment(e, &s, u, &receipt, err);
}

/* Of members of which it is known that they live. */
static qc_rc look_places(struct gw_engine *e, struct put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = { .object = p->object, .version = p->version };
    struct gw_version_row v;
    QC_LOCK(gw_cat_lock(e->cat));

    QC_TRY(gw_cat_version(e->cat, &ids, &v, err));
    return v.state == GW_VERSION_DEAD || p->placed ? QC_OK : client_look_in_bundle(e, p, &v, err);
}

static qc_rc put_all(struct gw_engine *e, struct request *r, struct qc_err *err)
{
    const struct bundle *b = r->bundle;
    struct gw_upload_member m[MEMBERS] = { 0 };
    const struct gw_upload u = {
        .put_key = b->key, .vault = gateway_vault(), .object = b->object, .version = b->version
    };
    const struct gw_upload_bundle all = {
        .put_key = b->key, .vault = gateway_vault(), .segments = 1, .members = m, .count = b->count
    };
    bool fresh;

    for (unsigned i = 0; i < b->count; i++)
        m[i] = (struct gw_upload_member){ .put_key = b->v[i]->key,
                                          .entry = client_entry(b->v[i]),
                                          .start = b->v[i]->start,
                                          .backup = qc_span_of(b->v[i]->backup, sizeof b->v[i]->backup) };
    QC_TRY(gw_upload_begin(e, &u, &fresh, err));
    const qc_rc rc = put_segment(e, b, err);
    if (rc != QC_OK && rc != QC_CONFLICT) /* it may be live, then the commit says so */
        return rc;
    QC_TRY(gw_upload_commit_bundle(e, &all, err));
    for (unsigned i = 0; i < b->count; i++) {
        r->each[i] = (struct outcome){ m[i].rc, m[i].err, m[i].receipt };
        if (m[i].rc == QC_OK)
            QC_TRY(look_places(e, b->v[i], err));
    }
    return QC_OK;
}

void ask_bundle(struct request *r, struct gw_engine *e)
{
    r->rc = put_all(e, r, &r->err);
}

void ask_bundle_cancel(struct request *r, struct gw_engine *e)
{
    r->rc =
        gw_upload_cancel(e, &(struct gw_ref){ GW_OWNER, r->bundle->key }, &r->state, &r->receipt, &r->err);
    r->has_state = r->rc == QC_OK || r->rc == QC_CONFLICT;
}

qc_rc client_look_in_bundle(struct gw_engine *e, struct put *p, const struct gw_version_row *v,
                            struct qc_err *err)
{
    struct gw_version_row holder;
    struct gw_segment seg;
    uint64_t at;

    if (v->holder == 0)
        sim_broken("A1", "path %u, number %" PRIu64 " was put in a bundle, and lies in none", p->path,
                   p->number);
    QC_TRY(gw_cat_version_no(e->cat, v->holder, &holder, err));
    QC_TRY(gw_cat_segment_at(e->cat, v->holder, v->start, &seg, &at, err));
    const uint64_t name = sim_segment_name(seg.id, seg.salt);
    if (!p->placed && gw_id_same(&holder.version, &p->in->version))
        oracle_placed(p, &name, 1);
    oracle_lies_in(p, name, &holder.version, false);
    return QC_OK;
}

void client_look_again(struct gw_engine *e)
{
    QC_LOCK(gw_cat_lock(e->cat));

    for (unsigned i = 0; i < oracle_count(); i++) {
        struct put *p = oracle_at(i);
        const struct gw_version_ids ids = { .object = p->object, .version = p->version };
        struct gw_version_row v;
        struct qc_err err = { 0 };
        if (p->in == NULL || !p->placed || p->gone)
            continue;
        qc_rc rc = gw_cat_version(e->cat, &ids, &v, &err);
        if (rc == QC_OK && v.state == GW_VERSION_LIVE)
            rc = client_look_in_bundle(e, p, &v, &err);
        if (rc != QC_OK && p->state == ACKED)
            sim_broken("A1", "path %u, number %" PRIu64 " is not there after a rebuild: %s", p->path,
                       p->number, err.msg);
    }
}

/* What the record of a repack says, as it is published. */
static void tell(const struct gw_rec_repacked *r)
{
    sim_say("repacked: %" PRIu32 " versions, in %" PRIx64, r->count,
            sim_segment_name(r->segment.id, r->segment.salt));
    oracle_repacked();
    counts.repacked++;
    for (uint32_t i = 0; i < r->count; i++) {
        struct gw_log_packed one;
        gw_log_packed_at(r, i, &one);
        struct put *p = oracle_version(&one.version);
        if (p == NULL || p->in == NULL) {
            sim_broken("A11", "a version is repacked that nobody put in a bundle");
            return;
        }
        if (p->gone)
            sim_broken("A9", "path %u, number %" PRIu64 " was purged, and is repacked", p->path, p->number);
        oracle_lies_in(p, sim_segment_name(r->segment.id, r->segment.salt), &r->version, true);
    }
}

/* A rebuild replays what was told long ago, and is asked for the outcome. A record that is published again,
 * since the commit of that failed, says the same. */
qc_rc __wrap_gw_cat_apply_repacked(struct gw_cat *c, const struct gw_rec_repacked *r, struct qc_err *err)
{
    static struct gw_id last;

    QC_TRY(__real_gw_cat_apply_repacked(c, r, err));
    if (!gateway_publishes() || gw_id_same(&last, &r->version))
        return QC_OK;
    last = r->version;
    tell(r);
    return QC_OK;
}

/* -- outside --------------------------------------------------------------------------------------------- */

static void acked(struct put *p, const struct gw_receipt *r)
{
    const bool before = p->state == ACKED;

    oracle_acked(p, r);
    if (!before)
        client_counted(p);
}

static bool all_known(const struct bundle *b)
{
    for (unsigned i = 0; i < b->count; i++)
        if (b->v[i]->state == OPEN)
            return false;
    return true;
}

/* As a client that finds a journal: none of a bundle that is cancelled was decided, or will be. Else each is
 * asked for. */
static void settle(struct bundle *b)
{
    const struct request *r = client_ask((struct request){ .run = ask_bundle_cancel, .bundle = b });

    if (r->broken || !r->has_state)
        return;
    for (unsigned i = 0; i < b->count; i++) {
        struct put *p = b->v[i];
        if (r->state == GW_UPLOAD_CANCELLED)
            oracle_cancelled(p);
        else if (p->state == OPEN)
            (void)client_finished(client_ask((struct request){ .run = ask_cancel, .p = p }), p);
    }
    counts.cancelled += r->state == GW_UPLOAD_CANCELLED;
}

void client_settles(struct bundle *b)
{
    if (!all_known(b))
        settle(b);
}

/* Outcomes of a commit: who was refused may ask again, and gets the same answer; or is cancelled with the
 * bundle, if all were. */
static void heard(struct bundle *b, const struct request *r)
{
    unsigned done = 0;

    for (unsigned i = 0; i < b->count; i++)
        if (r->each[i].rc == QC_OK) {
            acked(b->v[i], &r->each[i].receipt);
            done++;
        }
    sim_say("%u of a bundle of %u are there", done, b->count);
    counts.conflict += b->count - done;
    if (done == 0)
        settle(b);
}

static void find_out(struct bundle *b, bool hasty)
{
    for (unsigned tries = 0; tries < 8 && !all_known(b); tries++) {
        sim_sleep(sim_spread(&sim.world, hasty ? SIM_MS : SIM_S, hasty ? 10 * SIM_S : SIM_H));
        const uint64_t way = hasty && sim_below(&sim.world, 2) == 0 ? 0 : sim_below(&sim.world, 3);
        hasty = false;
        if (way == 0) {
            settle(b);
            continue;
        }
        const struct request *r = client_ask((struct request){ .run = ask_bundle, .bundle = b });
        if (r->broken || r->rc != QC_OK)
            continue;
        heard(b, r);
        return;
    }
    counts.unknown += !all_known(b);
}

/* Most of the small files, as they are now or new ones. */
static struct bundle *gather(const struct request *seen)
{
    struct bundle *b = oracle_bundle();

    for (unsigned path = SMALL; path < PATHS && b->count < MEMBERS; path++)
        if (!sim_one_in(&sim.world, 5))
            oracle_bundle_add(b, path, seen->numbers[path] + 1,
                              sim_below(&sim.world, 4) != 0 ? seen->at[path] : NULL);
    return b;
}

void client_bundle(void)
{
    const struct request *seen = client_ask_all(ask_entries);
    bool hangs_up;

    if (seen->broken || seen->rc != QC_OK)
        return;
    struct bundle *b = gather(seen);
    if (b->count == 0)
        return;
    sim_say("put a bundle of %u, %" PRIu32 " bytes", b->count, b->size);
    counts.bundles++;
    counts.put += b->count;
    const uint64_t patience = client_patience(&hangs_up);
    const struct request *r = client_ask_for((struct request){ .run = ask_bundle, .bundle = b }, patience);
    if (r->broken || r->rc != QC_OK)
        find_out(b, hangs_up);
    else
        heard(b, r);
}

/* -- fault points ---------------------------------------------------------------------------------------- */

/* A step that a crash may come before, and one that history.c can wait for. */
qc_rc __wrap_qc_fault_at(enum qc_fault_point point, struct qc_err *err)
{
    (void)err;
    gateway_passes(point);
    return QC_OK;
}
