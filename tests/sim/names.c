/* Names move; versions go for good, one or many: what a client's mv, prune, trash empty, rm --erase ask for.
 */
#include <string.h>

#include "client.h"
#include "engine_internal.h"

struct gw_id gateway_vault(void);

/* -- in the program -------------------------------------------------------------------------------------- */

static struct gw_rename rename_of(const struct put *p)
{
    struct gw_rename m = { .put_key = p->key,
                           .away = { .path = client_path(p->from), .number = p->from_number },
                           .e = client_entry(p) };

    memcpy(m.away.seal, p->from_seal, sizeof m.away.seal);
    return m;
}

void ask_move(struct request *r, struct gw_engine *e)
{
    struct gw_rename m[MEMBERS];
    const unsigned count = r->count > 0 ? r->count : 1;

    for (unsigned i = 0; i < count; i++)
        m[i] = rename_of(r->count > 0 ? r->v[i] : r->p);
    r->rc = gw_entries_rename(e, client_vault(), m, count, &r->err);
    for (unsigned i = 0; r->rc == QC_OK && i < count; i++)
        r->each[i] = (struct outcome){ m[i].rc, m[i].err, m[i].receipt };
    if (r->rc != QC_OK || r->count > 0)
        return;
    r->rc = m[0].rc;
    r->err = m[0].err;
    r->receipt = m[0].receipt;
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
    struct gw_purge v[MEMBERS] = { 0 };

    for (unsigned i = 0; i < r->count; i++)
        v[i].ids = (struct gw_version_ids){ .vault = gateway_vault(),
                                            .object = r->v[i]->object,
                                            .version = r->v[i]->version };
    r->rc = gw_versions_purge(e, v, r->count, &r->err);
    if (r->rc != QC_OK)
        return;
    for (unsigned i = 0; i < r->count; i++)
        r->each[i] = (struct outcome){ .rc = v[i].rc, .err = v[i].err };
    r->rc = log_copies(e, &r->copies, &r->err);
}

/* -- moves ----------------------------------------------------------------------------------------------- */

static void heard(struct put *p, const struct outcome *o)
{
    if (o->rc != QC_OK) {
        counts.conflict++;
        return;
    }
    oracle_acked(p, &o->receipt);
    client_counted(p);
}

static void carry_out(struct put *const *v, unsigned count)
{
    struct request q = { .run = ask_move, .count = count };
    bool hangs_up;

    for (unsigned i = 0; i < count; i++)
        q.v[i] = v[i];
    sim_say("%u moves", count);
    const uint64_t patience = client_patience(&hangs_up);
    const struct request *r = client_ask_for(q, patience);
    for (unsigned i = 0; i < count; i++)
        if (!r->broken && r->rc == QC_OK)
            heard(v[i], &r->each[i]);
        else
            client_find_out(v[i], hangs_up);
}

/* One, or some: to paths that have nothing, or over what is there; what two want, or one path gives and
 * takes, is for the gateway to sort out. */
void client_move(void)
{
    const struct request *seen = client_ask_all(ask_entries);
    const uint64_t most = sim_below(&sim.world, 2) == 0 ? 1 : MEMBERS;
    struct put *v[MEMBERS];
    unsigned count = 0;

    if (seen->broken || seen->rc != QC_OK)
        return;
    for (unsigned tries = 0; tries < 2 * most && count < most; tries++) {
        const unsigned from = (unsigned)sim_below(&sim.world, PATHS),
                       to = (unsigned)sim_below(&sim.world, PATHS);
        if (from != to && seen->at[from] != NULL)
            v[count++] =
                oracle_move(seen->at[from], from, seen->numbers[from] + 1, to, seen->numbers[to] + 1);
    }
    if (count == 1)
        client_carry_out(v[0]);
    else if (count > 1)
        carry_out(v, count);
}

/* -- purges ---------------------------------------------------------------------------------------------- */

static void purged(struct put *p, const struct outcome *o, unsigned copies, bool loose)
{
    if (o->rc == QC_OK) {
        counts.purged += !p->gone;
        oracle_purged(p, copies);
    } else if (o->rc == QC_CONFLICT && !loose) {
        oracle_kept(p);
    } else {
        sim_broken("A9", "path %u, number %" PRIu64 " cannot be purged: %s: %s", p->path, p->number,
                   qc_rc_name(o->rc), o->err.msg);
    }
}

bool client_purges(struct put *const *v, unsigned count)
{
    struct request q = { .run = ask_purge, .count = count };
    bool loose[MEMBERS];

    for (unsigned i = 0; i < count; i++) {
        loose[i] = oracle_loose(v[i]);
        v[i]->going = true;
        q.v[i] = v[i];
    }
    const struct request *r = client_ask(q);
    if (r->broken || r->rc != QC_OK)
        return false; /* nobody knows */
    for (unsigned i = 0; i < count; i++)
        purged(v[i], &r->each[i], r->copies, loose[i]);
    return true;
}

static void purge(struct put *const *v, unsigned count)
{
    if (count == 0)
        return;
    sim_say("purge %u versions, the first is of path %u, number %" PRIu64, count, v[0]->path, v[0]->number);
    for (unsigned more = 0; more < 3 && !client_purges(v, count); more++)
        sim_sleep(sim_spread(&sim.world, SIM_S, SIM_H));
}

static bool is_there(const struct put *p)
{
    return put_has_data(p) && p->state == ACKED && !p->gone;
}

/* Versions that were there, most often those that no path shows any more: one, or as many as there are. Now
 * and then one that a path has. */
void client_prune(void)
{
    const unsigned all = oracle_count(), most = sim_below(&sim.world, 2) == 0 ? 1 : MEMBERS;
    struct put *v[MEMBERS];
    unsigned count = 0;

    if (all == 0)
        return;
    for (uint64_t i = 0, from = sim_below(&sim.world, all); i < all && count < most; i++) {
        struct put *p = oracle_at((unsigned)((from + i) % all));
        if (is_there(p) && (oracle_loose(p) || sim_one_in(&sim.world, 40)))
            v[count++] = p;
    }
    purge(v, count);
}

/* The path's removal, then all versions of its object. */
void client_erase(void)
{
    const unsigned path = (unsigned)sim_below(&sim.world, PATHS);
    const struct request *entry =
        client_ask((struct request){ .run = ask_entry, .path = path, .least = oracle_number(path) });
    struct put *v[MEMBERS];
    unsigned count = 0;

    if (entry->broken || entry->rc != QC_OK || entry->p == NULL)
        return;
    struct put *removal = oracle_put(path, true, entry->number + 1);
    client_carry_out(removal);
    if (removal->state != ACKED)
        return;
    for (unsigned i = oracle_count(); i > 0 && count < MEMBERS; i--) {
        struct put *p = oracle_at(i - 1);
        if (is_there(p) && gw_id_same(&p->object, &entry->p->object))
            v[count++] = p;
    }
    counts.erased++;
    purge(v, count);
}
