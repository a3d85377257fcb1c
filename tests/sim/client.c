/* Clients: what they ask for, what they make of the answers, and when they ask again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "gateway.h"
#include "gateway/scrub.h"
#include "history.h"

struct gw_id gateway_vault(void);

static const struct gw_ref *vault(void)
{
    static struct gw_ref ref;

    ref = (struct gw_ref){ GW_OWNER, gateway_vault() };
    return &ref;
}

static qc_span path_of(unsigned path)
{
    static char text[PATHS][8];

    snprintf(text[path], sizeof text[path], "path%u", path);
    return qc_span_str(text[path]);
}

/* -- in the program -------------------------------------------------------------------------------------- */

struct places {
    uint64_t id[SEGMENTS];
    unsigned count;
};

static qc_rc add_place(void *ctx, const struct gw_segment *seg, uint64_t offset, struct qc_err *err)
{
    struct places *p = ctx;

    (void)offset;
    (void)err;
    QC_ASSERT(p->count < SEGMENTS);
    p->id[p->count++] = sim_segment_name(seg->id, seg->salt);
    return QC_OK;
}

/* Which segments a live version has: the only thing that the oracle is told by the catalogue. */
static qc_rc look_places(struct gw_engine *e, struct put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = { .object = p->object, .version = p->version };
    struct places places = { 0 };
    struct gw_version_row v;

    if (p->removal || p->placed)
        return QC_OK;
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_version(e->cat, &ids, &v, err));
        if (v.state == GW_VERSION_DEAD) /* it is purged already */
            return QC_OK;
        QC_TRY(gw_cat_segments(e->cat, v.no, 0, add_place, &places, err));
    }
    oracle_placed(p, places.id, places.count);
    return QC_OK;
}

static qc_rc put_segment(struct gw_engine *e, const struct put *p, uint32_t seq, struct qc_err *err)
{
    const struct gw_segment_put s = {
        .put_key = p->key, .seq = seq, .last = seq + 1 == p->segments, .size = put_size(p, seq)
    };
    QC_CLEANUP(gw_unit_done) struct gw_unit *u = NULL;
    QC_CLEANUP(qc_free_ptr) uint8_t *bytes = qc_alloc(s.size);
    struct gw_segment_receipt receipt;

    QC_ASSERT(bytes != NULL);
    QC_TRY(gw_engine_unit(e, GW_OWNER, s.size, qc_deadline_in(QC_GW_UNIT_MS), &u, err));
    put_bytes(p, seq, bytes);
    gw_unit_add(u, qc_span_of(bytes, s.size));
    return gw_upload_segment(e, &s, u, &receipt, err);
}

static struct gw_entry entry_of(const struct put *p)
{
    struct gw_entry e = { .path = path_of(p->path), .number = p->number };

    memcpy(e.seal, p->seal, sizeof e.seal);
    e.kind = p->removal ? GW_ENTRY_TOMBSTONE : GW_ENTRY_FILE;
    if (p->removal)
        return e;
    e.object = p->object;
    e.version = p->version;
    e.sequence = p->number;
    e.size = (uint64_t)p->segments * p->size + 3;
    memcpy(e.m, p->m, sizeof e.m);
    e.private_part = qc_span_of(p->private_part, sizeof p->private_part);
    return e;
}

static qc_rc put_all(struct gw_engine *e, struct request *r, struct qc_err *err)
{
    struct put *p = r->p;
    const struct gw_upload u = { .put_key = p->key,
                                 .vault = gateway_vault(),
                                 .object = p->object,
                                 .version = p->version,
                                 .base = p->number - 1 };
    const struct gw_upload_commit c = { .put_key = p->key,
                                        .vault = gateway_vault(),
                                        .entry = entry_of(p),
                                        .segments = p->segments,
                                        .backup = qc_span_of(p->backup, sizeof p->backup) };
    bool fresh;

    QC_TRY(gw_upload_begin(e, &u, &fresh, err));
    for (uint32_t seq = 0; seq < p->segments; seq++)
        QC_TRY(put_segment(e, p, seq, err));
    QC_TRY(gw_upload_commit(e, &c, &r->receipt, err));
    return look_places(e, p, err);
}

void ask_put(struct request *r, struct gw_engine *e)
{
    r->rc = put_all(e, r, &r->err);
}

void ask_remove(struct request *r, struct gw_engine *e)
{
    const struct gw_entry entry = entry_of(r->p);

    r->rc = gw_entry_remove(e, vault(), &entry, &r->p->key, &r->receipt, &r->err);
}

void ask_cancel(struct request *r, struct gw_engine *e)
{
    r->rc = gw_upload_cancel(e, &(struct gw_ref){ GW_OWNER, r->p->key }, &r->state, &r->receipt, &r->err);
    r->has_state = r->rc == QC_OK || r->rc == QC_CONFLICT;
    if (r->has_state && r->state == GW_UPLOAD_LIVE)
        r->rc = look_places(e, r->p, &r->err);
}

/* Clouds that have all of the log, at least. */
static qc_rc log_copies(struct gw_engine *e, unsigned *ret, struct qc_err *err)
{
    *ret = 0;
    QC_LOCK(gw_cat_lock(e->cat));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        uint64_t owed;
        QC_TRY(gw_cat_debt_next(e->cat, gw_fan_id(e->fan, at), 0, &owed, err));
        *ret += owed == 0;
    }
    return QC_OK;
}

void ask_purge(struct request *r, struct gw_engine *e)
{
    struct gw_purge one = {
        .ids = { .vault = gateway_vault(), .object = r->p->object, .version = r->p->version }
    };

    r->rc = gw_versions_purge(e, &one, 1, &r->err);
    if (r->rc == QC_OK) {
        r->has_state = true; /* it is known what became of it */
        r->rc = one.rc;
        r->err = one.err;
    }
    if (r->rc == QC_OK)
        r->rc = log_copies(e, &r->copies, &r->err);
}

void ask_state(struct request *r, struct gw_engine *e)
{
    r->rc = gw_upload_get(e, &(struct gw_ref){ GW_OWNER, r->p->key }, &r->state, &r->receipt, &r->err);
    r->has_state = r->rc == QC_OK;
    if (r->has_state && r->state == GW_UPLOAD_LIVE)
        r->rc = look_places(e, r->p, &r->err);
}

void ask_entry(struct request *r, struct gw_engine *e)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };

    r->number = 0;
    r->rc = gw_entry_get(e, vault(), path_of(r->path), &row, &r->err);
    if (r->rc != QC_OK && r->rc != QC_NOTFOUND)
        return;
    oracle_entry(r->path, r->rc == QC_OK ? &row : NULL, r->least);
    if (r->rc == QC_OK) {
        r->number = row.e.number;
        r->p = row.e.kind == GW_ENTRY_FILE ? oracle_version(&row.e.version) : NULL;
    }
    r->rc = QC_OK;
}

struct listing {
    bool seen[PATHS];
    uint64_t least[PATHS];
};

static qc_rc see_entry(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    struct listing *l = ctx;

    (void)err;
    QC_ASSERT(row->e.path.n == 5);
    const unsigned path = (unsigned)(row->e.path.p[4] - '0');
    QC_ASSERT(path < PATHS);
    l->seen[path] = true;
    oracle_entry(path, row, l->least[path]);
    return QC_OK;
}

void ask_list(struct request *r, struct gw_engine *e)
{
    const struct gw_entry_query q = { .limit = 100, .tombstones = true };
    struct listing l = { 0 };
    bool more;

    for (unsigned path = 0; path < PATHS; path++)
        l.least[path] = oracle_number(path);
    r->rc = gw_entry_list(e, vault(), &q, see_entry, &l, &more, &r->err);
    for (unsigned path = 0; r->rc == QC_OK && path < PATHS; path++)
        if (!l.seen[path])
            oracle_entry(path, NULL, l.least[path]);
}

/* A6: every byte, or an error. */
static qc_rc read_all(struct gw_engine *e, const struct put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = { .vault = gateway_vault(),
                                        .object = p->object,
                                        .version = p->version };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = 4096 };
    uint8_t want[3100], got[3100];
    uint64_t size, off = 0;

    QC_TRY(gw_version_backup(e, &ids, &backup, err));
    if (!qc_span_eq(qc_buf_span(&backup), qc_span_of(p->backup, sizeof p->backup)))
        sim_broken("A6", "path %u, number %" PRIu64 ": other backup data than was put", p->path, p->number);
    QC_TRY(gw_reader_open(e, &ids, "r", &reader, &size, err));
    if (size != (uint64_t)p->segments * p->size + 3)
        sim_broken("A6", "path %u, number %" PRIu64 ": another size than was put", p->path, p->number);
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        put_bytes(p, seq, want);
        for (size_t at = 0; at < put_size(p, seq);) {
            size_t m = 0;
            QC_TRY(gw_reader_read(reader, off + at, size, got, put_size(p, seq) - at, &m, err));
            if (memcmp(got, want + at, m) != 0)
                sim_broken("A6", "path %u, number %" PRIu64 ": other bytes than were put", p->path,
                           p->number);
            at += m;
        }
        off += put_size(p, seq);
    }
    return QC_OK;
}

static qc_rc get(struct gw_engine *e, const struct put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = { .vault = gateway_vault(),
                                        .object = p->object,
                                        .version = p->version };
    struct gw_version_info info;

    QC_TRY(gw_version_info(e, &ids, &info, err));
    oracle_margin(p, info.margin);
    return read_all(e, p, err);
}

void ask_get(struct request *r, struct gw_engine *e)
{
    r->rc = get(e, r->p, &r->err);
}

static const struct sim_proc *passing; /* the program in which a repair runs */

void ask_repair(struct request *r, struct gw_engine *e)
{
    const struct gw_repair_ask ask = { .deep = r->deep, .adopt = r->adopt };
    struct gw_repair_report *report = calloc(1, sizeof *report);
    struct gw_engine *const mine = e;

    QC_ASSERT(report != NULL);
    if (sim_current() != passing) { /* one at a time; a second is refused */
        passing = sim_current();
        oracle_pass_begins();
        r->rc = gw_engine_repair(mine, &ask, report, &r->err);
        passing = NULL;
    } else {
        r->rc = gw_engine_repair(mine, &ask, report, &r->err);
        QC_ASSERT(r->rc != QC_OK);
    }
    if (r->rc != QC_OK)
        return;
    for (unsigned i = 0; i < report->loss_count; i++) {
        const struct put *p = oracle_version(&report->losses[i].version);
        sim_say("beyond repair, or waits: path %u, number %" PRIu64 ", segment %u: %u good%s",
                p != NULL ? p->path : 99, p != NULL ? p->number : 0, report->losses[i].seq,
                report->losses[i].good, report->losses[i].away ? ", clouds are away" : "");
        if (p != NULL && !report->losses[i].away)
            oracle_gone(p, report->losses[i].seq, report->losses[i].good);
    }
    for (unsigned i = 0; i < report->cloud_count; i++)
        r->mended += report->clouds[i].rebuilt + report->clouds[i].records;
    r->rc = gw_repair_verdict(report, &r->err);
    if (r->rc == QC_OK && r->deep) {
        oracle_pass_whole();
        counts.repair_whole++;
    }
}

void ask_scrub(struct request *r, struct gw_engine *e)
{
    r->rc = gw_engine_scrub(e, true, NULL, &r->err);
}

void ask_scrubbing(struct request *r, struct gw_engine *e)
{
    for (unsigned at = 0; at < gw_engine_scrub_clouds(e); at++) {
        struct gw_scrub_cloud c;
        r->rc = gw_engine_scrub_view(e, at, &c, &r->err);
        if (r->rc != QC_OK)
            return;
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            r->scrubbing |= c.depth[d].running || c.depth[d].wanted;
        r->scrubbing |= c.queue > 0;
        r->strangers |= (uint32_t)(c.findings[GW_FINDING_FOREIGN] > 0) << at;
    }
}

void ask_status(struct request *r, struct gw_engine *e)
{
    struct gw_status *s = calloc(1, sizeof *s);

    QC_ASSERT(s != NULL);
    r->rc = gw_engine_status(e, s, &r->err);
    if (r->rc != QC_OK)
        return;
    r->debts = s->debts + s->record_debts;
    r->dead = s->dead_segments;
    for (unsigned i = 0; i < s->margin_count; i++)
        r->short_versions += s->margins[i].margin < (int)(s->n - s->k) ? s->margins[i].versions : 0;
}

/* -- outside --------------------------------------------------------------------------------------------- */

enum { PATIENCE_S = 300 };

static struct request *ask_for(struct request q, uint64_t patience)
{
    struct request *r = gateway_ask(q, patience);

    if (r->broken)
        sim_say("no answer");
    else if (r->rc != QC_OK)
        sim_say("answer: %s: %s", qc_rc_name(r->rc), r->err.msg);
    return r;
}

static struct request *ask(struct request q)
{
    return ask_for(q, PATIENCE_S * SIM_S);
}

static bool finished(const struct request *r, struct put *p)
{
    if (r->broken || !r->has_state)
        return false;
    if (r->state == GW_UPLOAD_LIVE) {
        oracle_acked(p, &r->receipt);
        return true;
    }
    if (r->state == GW_UPLOAD_CANCELLED) {
        oracle_cancelled(p);
        counts.cancelled++;
        return true;
    }
    return false;
}

/* The outcome is not known: ask by the put key, give up by it, or say it all again; or leave it as it is.
 * hasty: who hung up asks soon, and most often gives up: his put is still under way then. */
static void find_out(struct put *p, bool hasty)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        sim_sleep(sim_spread(&sim.world, hasty ? SIM_MS : SIM_S, hasty ? 10 * SIM_S : SIM_H));
        const uint64_t way = hasty && sim_below(&sim.world, 2) == 0 ? 1 : sim_below(&sim.world, 4);
        hasty = false;
        struct request q = { .p = p, .run = way == 0 ? ask_state : ask_cancel };
        if (way >= 2)
            q.run = p->removal ? ask_remove : ask_put;
        const struct request *r = ask(q);
        if (finished(r, p))
            return;
        if (way >= 2 && !r->broken && r->rc == QC_OK) {
            oracle_acked(p, &r->receipt);
            return;
        }
    }
    counts.unknown++;
    sim_say("left open: path %u, number %" PRIu64, p->path, p->number);
}

static void carry_out(void *ctx)
{
    struct put *p = ctx;

    sim_say("%s path %u, number %" PRIu64 ": %u segments of %u", p->removal ? "remove" : "put", p->path,
            p->number, p->segments, p->size);
    counts.put += !p->removal;
    const struct request q = { .run = p->removal ? ask_remove : ask_put, .p = p };
    const bool late_client = gateway_has_zombie() && sim_below(&sim.world, 2) == 0;
    /* And the answer goes nowhere. Whoever has to wait does so more often. */
    const bool hangs_up = sim_one_in(&sim.world, sim_clouds_late() ? 3 : 15);
    counts.hung_up += hangs_up;
    const uint64_t patience = hangs_up ? sim_spread(&sim.world, SIM_MS, SIM_S) : PATIENCE_S * SIM_S;
    const struct request *r = late_client ? gateway_ask_zombie(q, patience) : ask_for(q, patience);
    if (r->broken || r->rc != QC_OK) {
        counts.conflict += !r->broken && r->rc == QC_CONFLICT;
        find_out(p, hangs_up);
    } else {
        oracle_acked(p, &r->receipt);
    }
    if (p->state != ACKED)
        return;
    history_acked();
    counts.removed += p->removal;
    counts.acked += !p->removal;
    counts.margin_short += !p->removal && p->receipt.acked_margin < p->receipt.margin_full;
}

/* Now and then another client saw the same entry, and wants to be the next one, too. */
static void change(bool removal)
{
    const unsigned path = (unsigned)sim_below(&sim.world, PATHS);
    const struct request *entry =
        ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) });

    if (entry->broken || entry->rc != QC_OK || (removal && entry->number == 0))
        return;
    if (sim_one_in(&sim.world, 12)) {
        sim_spawn(NULL, "rival", carry_out, oracle_put(path, false, entry->number + 1));
        counts.rivals++;
    }
    carry_out(oracle_put(path, removal, entry->number + 1));
}

static void repair_meanwhile(void *ctx)
{
    (void)ctx;
    (void)gateway_ask((struct request){ .run = ask_repair }, SIM_DAY);
}

static void read_one(void)
{
    const unsigned path = (unsigned)sim_below(&sim.world, PATHS);
    const struct request *entry =
        ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) });

    if (entry->broken || entry->rc != QC_OK || entry->p == NULL)
        return;
    const struct request *r = ask((struct request){ .run = ask_get, .p = entry->p });
    counts.got += !r->broken && r->rc == QC_OK;
    counts.unreadable += !r->broken && r->rc != QC_OK;
}

bool client_purges(struct put *p)
{
    const bool followed = oracle_number(p->path) > p->number;
    p->going = true;
    const struct request *r = ask((struct request){ .run = ask_purge, .p = p });

    if (r->broken || !r->has_state)
        return false; /* nobody knows */
    if (r->rc == QC_OK) {
        oracle_purged(p, r->copies);
        counts.purged++;
    } else if (r->rc == QC_CONFLICT && !followed) {
        oracle_kept(p);
    } else {
        sim_broken("A9", "path %u, number %" PRIu64 " cannot be purged: %s: %s", p->path, p->number,
                   qc_rc_name(r->rc), r->err.msg);
    }
    return true;
}

bool client_sees_gone(struct put *p)
{
    if (!p->gone)
        return false;
    const struct request *r = ask_for((struct request){ .run = ask_get, .p = p }, SIM_H);
    if (r->broken || r->rc != QC_NOTFOUND)
        sim_broken("A9", "path %u, number %" PRIu64 " was purged, and a read says: %s", p->path, p->number,
                   r->broken ? "nothing" : qc_rc_name(r->rc));
    return true;
}

/* A version that was there, most often one that another change of its path has followed. */
static void purge(void)
{
    const unsigned count = oracle_count();

    for (unsigned tries = 0; count > 0 && tries < 8; tries++) {
        struct put *p = oracle_at((unsigned)sim_below(&sim.world, count));
        const bool current = oracle_number(p->path) <= p->number;
        if (p->removal || p->state != ACKED || p->gone || (current && !sim_one_in(&sim.world, 8)))
            continue;
        sim_say("purge path %u, number %" PRIu64 "%s", p->path, p->number, current ? ", which it shows" : "");
        for (unsigned more = 0; more < 3 && !client_purges(p); more++)
            sim_sleep(sim_spread(&sim.world, SIM_S, SIM_H));
        return;
    }
}

static void list_all(void)
{
    const struct request *r = ask((struct request){ .run = ask_list });

    counts.listed += !r->broken && r->rc == QC_OK;
}

void client_comes(void *ctx)
{
    (void)ctx;
    sim_sleep(sim_spread(&sim.world, SIM_MS, SIM_S));
    for (uint64_t burst = sim_between(&sim.world, 1, 3); burst > 0 && !sim.calm; burst--)
        change(false);
}

void client_run(void *ctx)
{
    const bool *stop = ctx;

    while (!*stop) {
        sim_sleep(sim_spread(&sim.world, 1000 * SIM_S, 8 * SIM_DAY));
        for (uint64_t burst = sim_between(&sim.world, 1, 3); burst > 0 && !*stop; burst--) {
            const uint64_t what = sim_below(&sim.world, 12);
            if (sim_one_in(&sim.world, 20))
                sim_spawn(NULL, "operator", repair_meanwhile, NULL);
            if (what < 5)
                change(false);
            else if (what < 6)
                change(true);
            else if (what < 9)
                read_one();
            else if (what < 10)
                list_all();
            else
                purge();
        }
    }
}
