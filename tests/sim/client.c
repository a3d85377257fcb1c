/* Clients: what they ask for, what they make of the answers, and when they ask again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "engine_internal.h"
#include "gateway/scrub.h"
#include "history.h"

struct gw_id gateway_vault(void);

const struct gw_ref *client_vault(void)
{
    static struct gw_ref ref;

    ref = (struct gw_ref){ GW_OWNER, gateway_vault() };
    return &ref;
}

qc_span client_path(unsigned path)
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

    if (!put_has_data(p) || p->placed)
        return QC_OK;
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_version(e->cat, &ids, &v, err));
        if (v.state == GW_VERSION_DEAD) /* it is purged already */
            return QC_OK;
        if (p->in != NULL)
            return client_look_in_bundle(e, p, &v, err);
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

struct gw_entry client_entry(const struct put *p)
{
    struct gw_entry e = { .path = client_path(p->path), .number = p->number };

    memcpy(e.seal, p->seal, sizeof e.seal);
    e.kind = p->removal ? GW_ENTRY_TOMBSTONE : GW_ENTRY_FILE;
    if (p->removal)
        return e;
    e.object = p->object;
    e.version = p->version;
    e.sequence = p->sequence;
    e.size = put_total(p->moved != NULL ? p->moved : p);
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
                                        .entry = client_entry(p),
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
    const struct gw_entry entry = client_entry(r->p);

    r->rc = gw_entry_remove(e, client_vault(), &entry, &r->p->key, &r->receipt, &r->err);
}

void ask_cancel(struct request *r, struct gw_engine *e)
{
    r->rc = gw_upload_cancel(e, &(struct gw_ref){ GW_OWNER, r->p->key }, &r->state, &r->receipt, &r->err);
    r->has_state = r->rc == QC_OK || r->rc == QC_CONFLICT;
    if (r->has_state && r->state == GW_UPLOAD_LIVE)
        r->rc = look_places(e, r->p, &r->err);
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
    r->rc = gw_entry_get(e, client_vault(), client_path(r->path), &row, &r->err);
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
    const uint64_t *least;
    uint64_t sum;
    struct gw_id object[PATHS];
    unsigned files;
};

static unsigned path_number(qc_span path)
{
    for (unsigned i = 0; i < PATHS; i++)
        if (qc_span_eq(path, client_path(i)))
            return i;
    sim_broken("A2", "a path is listed that nobody put");
}

static qc_rc see_entry(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    struct listing *l = ctx;
    const unsigned path = path_number(row->e.path);

    (void)err;
    l->seen[path] = true;
    l->sum += row->e.number;
    oracle_entry(path, row, l->least[path]);
    if (row->e.kind != GW_ENTRY_FILE)
        return QC_OK;
    for (unsigned i = 0; i < l->files; i++)
        if (gw_id_same(&l->object[i], &row->e.object))
            sim_broken("A10", "two paths show one object: path %u is the second", path);
    l->object[l->files++] = row->e.object;
    return QC_OK;
}

static qc_rc chain_of(struct gw_engine *e, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };

    QC_TRY(gw_vault_get(e, client_vault(), &v, err));
    *ret = v.head.count;
    return QC_OK;
}

/* A10: each change of a path has a seal in the chain, and there are no others: the entries' numbers say how
 * many. */
static qc_rc check_chain(struct gw_engine *e, const struct listing *l, uint64_t before, uint64_t least,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf seals = { .max = (size_t)QC_GW_CHAIN_MAX * GW_DIGEST_BYTES };
    struct gw_head head;

    QC_TRY(gw_vault_chain(e, client_vault(), 0, QC_GW_CHAIN_MAX, &head, &seals, err));
    if (l->sum < before || l->sum > head.count)
        sim_broken("A10",
                   "the entries have had %" PRIu64 " changes, and the chain %" PRIu64 " to %" PRIu64 " seals",
                   l->sum, before, head.count);
    if (seals.n / GW_DIGEST_BYTES != head.count)
        sim_broken("A10", "the chain has %zu seals, its head says %" PRIu64, seals.n / GW_DIGEST_BYTES,
                   head.count);
    oracle_seals(seals.p, head.count, least);
    return QC_OK;
}

static qc_rc list(struct gw_engine *e, const struct request *r, struct qc_err *err)
{
    const struct gw_entry_query q = { .limit = 100, .tombstones = true };
    struct listing l = { .least = r->leasts };
    uint64_t chain;
    bool more;

    QC_TRY(chain_of(e, &chain, err));
    QC_TRY(gw_entry_list(e, client_vault(), &q, see_entry, &l, &more, err));
    for (unsigned path = 0; path < PATHS; path++)
        if (!l.seen[path])
            oracle_entry(path, NULL, l.least[path]);
    return check_chain(e, &l, chain, r->chain, err);
}

void ask_list(struct request *r, struct gw_engine *e)
{
    r->rc = list(e, r, &r->err);
}

void ask_entries(struct request *r, struct gw_engine *e)
{
    struct gw_entry_row rows[PATHS] = { 0 };
    qc_span paths[PATHS];

    for (unsigned i = 0; i < PATHS; i++)
        paths[i] = client_path(i);
    r->rc = gw_entry_some(e, client_vault(), paths, PATHS, rows, &r->err);
    for (unsigned i = 0; i < PATHS; i++) {
        const struct gw_entry_row *row = rows[i].e.number > 0 ? &rows[i] : NULL;
        if (r->rc == QC_OK)
            oracle_entry(i, row, r->leasts[i]);
        if (r->rc == QC_OK && row != NULL) {
            r->numbers[i] = row->e.number;
            r->at[i] = row->e.kind == GW_ENTRY_FILE ? oracle_version(&row->e.version) : NULL;
        }
        gw_entry_row_done(&rows[i]);
    }
}

/* A6: every byte, or an error. */
static qc_rc read_all(struct gw_engine *e, const struct put *p, struct qc_err *err)
{
    const struct gw_version_ids ids = { .vault = gateway_vault(),
                                        .object = p->object,
                                        .version = p->version };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = 4096 };
    uint8_t want[4100], got[4100];
    uint64_t size, off = 0;

    QC_TRY(gw_version_backup(e, &ids, &backup, err));
    if (!qc_span_eq(qc_buf_span(&backup), qc_span_of(p->backup, sizeof p->backup)))
        sim_broken("A6", "path %u, number %" PRIu64 ": other backup data than was put", p->path, p->number);
    QC_TRY(gw_reader_open(e, &ids, "r", &reader, &size, err));
    if (size != put_total(p))
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
        if (!report->losses[i].away)
            oracle_gone(&report->losses[i].version, report->losses[i].seq, report->losses[i].good);
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

struct request *client_ask_for(struct request q, uint64_t ns)
{
    struct request *r = gateway_ask(q, ns);

    if (r->broken)
        sim_say("no answer");
    else if (r->rc != QC_OK)
        sim_say("answer: %s: %s", qc_rc_name(r->rc), r->err.msg);
    return r;
}

struct request *client_ask(struct request q)
{
    return client_ask_for(q, PATIENCE_S * SIM_S);
}

struct request *client_ask_all(void (*run)(struct request *r, struct gw_engine *e))
{
    struct request q = { .run = run, .chain = oracle_chain() };

    for (unsigned path = 0; path < PATHS; path++)
        q.leasts[path] = oracle_number(path);
    return client_ask(q);
}

uint64_t client_patience(bool *ret_hangs_up)
{
    *ret_hangs_up = sim_one_in(&sim.world, sim_clouds_late() ? 3 : 15);
    counts.hung_up += *ret_hangs_up;
    return *ret_hangs_up ? sim_spread(&sim.world, SIM_MS, SIM_S) : PATIENCE_S * SIM_S;
}

bool client_finished(const struct request *r, struct put *p)
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

static void (*way_of(const struct put *p))(struct request *, struct gw_engine *)
{
    return p->removal ? ask_remove : p->moved != NULL ? ask_move : ask_put;
}

/* Ask by the put key, give up by it, or say it all again; or leave it as it is. Who hung up most often gives
 * up: his put is still under way then. */
void client_find_out(struct put *p, bool hasty)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        sim_sleep(sim_spread(&sim.world, hasty ? SIM_MS : SIM_S, hasty ? 10 * SIM_S : SIM_H));
        const uint64_t way = hasty && sim_below(&sim.world, 2) == 0 ? 1 : sim_below(&sim.world, 4);
        hasty = false;
        struct request q = { .p = p, .run = way == 0 ? ask_state : way == 1 ? ask_cancel : way_of(p) };
        const struct request *r = client_ask(q);
        if (client_finished(r, p))
            return;
        if (way >= 2 && !r->broken && r->rc == QC_OK) {
            oracle_acked(p, &r->receipt);
            return;
        }
    }
    counts.unknown++;
    sim_say("left open: path %u, number %" PRIu64, p->path, p->number);
}

void client_counted(const struct put *p)
{
    history_acked();
    counts.removed += p->removal;
    counts.moved += p->moved != NULL;
    counts.bundled += p->in != NULL;
    counts.acked += put_has_data(p);
    counts.margin_short += put_has_data(p) && p->receipt.acked_margin < p->receipt.margin_full;
}

void client_carry_out(struct put *p)
{
    bool hangs_up;

    sim_say("%s path %u, number %" PRIu64 ": %u segments of %u",
            p->removal         ? "remove"
            : p->moved != NULL ? "move to"
                               : "put",
            p->path, p->number, p->segments, p->size);
    counts.put += put_has_data(p);
    const struct request q = { .run = way_of(p), .p = p };
    const bool late_client = gateway_has_zombie() && sim_below(&sim.world, 2) == 0;
    /* And the answer goes nowhere. Whoever has to wait does so more often. */
    const uint64_t patience = client_patience(&hangs_up);
    const struct request *r = late_client ? gateway_ask_zombie(q, patience) : client_ask_for(q, patience);
    if (r->broken || r->rc != QC_OK) {
        counts.conflict += !r->broken && r->rc == QC_CONFLICT;
        client_find_out(p, hangs_up);
    } else {
        oracle_acked(p, &r->receipt);
    }
    if (p->state == ACKED)
        client_counted(p);
}

static void carry_out(void *ctx)
{
    client_carry_out(ctx);
}

/* An object that was put under the path, and may have been moved away since: of a put that began before that,
 * and goes on. */
static const struct put *was_there(unsigned path)
{
    const unsigned count = oracle_count();

    for (unsigned tries = 0; tries < 32 && count > 0; tries++) {
        const struct put *p = oracle_at((unsigned)sim_below(&sim.world, count));
        if (p->path == path && put_has_data(p) && p->state == ACKED)
            return p;
    }
    return NULL;
}

/* Now and then another client saw the same entry, and wants to be the next one, too. */
static void change(bool removal)
{
    const unsigned path = (unsigned)sim_below(&sim.world, PATHS);
    const struct request *entry =
        client_ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) });

    if (entry->broken || entry->rc != QC_OK || (removal && entry->number == 0))
        return;
    if (sim_one_in(&sim.world, 12)) {
        sim_spawn(NULL, "rival", carry_out, oracle_put(path, false, entry->number + 1));
        counts.rivals++;
    }
    const struct put *old = removal ? NULL : sim_one_in(&sim.world, 8) ? was_there(path) : entry->p;
    const bool over = old != NULL && sim_below(&sim.world, 4) != 0;
    client_carry_out(over ? oracle_put_over(path, entry->number + 1, old)
                          : oracle_put(path, removal, entry->number + 1));
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
        client_ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) });

    if (entry->broken || entry->rc != QC_OK || entry->p == NULL)
        return;
    const struct request *r = client_ask((struct request){ .run = ask_get, .p = entry->p });
    counts.got += !r->broken && r->rc == QC_OK;
    counts.unreadable += !r->broken && r->rc != QC_OK;
}

bool client_sees_gone(struct put *p)
{
    if (!p->gone)
        return false;
    const struct request *r = client_ask_for((struct request){ .run = ask_get, .p = p }, SIM_H);
    if (r->broken || r->rc != QC_NOTFOUND)
        sim_broken("A9", "path %u, number %" PRIu64 " was purged, and a read says: %s", p->path, p->number,
                   r->broken ? "nothing" : qc_rc_name(r->rc));
    return true;
}

static void list_all(void)
{
    const struct request *r = client_ask_all(ask_list);

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
            const uint64_t what = sim_below(&sim.world, 18);
            if (sim_one_in(&sim.world, 20))
                sim_spawn(NULL, "operator", repair_meanwhile, NULL);
            if (what < 6)
                change(false);
            else if (what < 7)
                change(true);
            else if (what < 10)
                read_one();
            else if (what < 11)
                list_all();
            else if (what < 13)
                client_prune();
            else if (what < 15)
                client_bundle();
            else if (what < 17)
                client_move();
            else
                client_erase();
        }
    }
}
