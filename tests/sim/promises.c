/* Changes of paths: puts, removals, moves. What was acknowledged of them, what clients are shown. */
#include "promises.h"

#include <stdlib.h>
#include <string.h>

static unsigned put_count, bundle_count;
static uint64_t shown[PATHS]; /* the greatest number that somebody saw: published, so it stays */
static struct put *all[PUTS_MAX];
static struct bundle *bundles[PUTS_MAX];

void promises_new(void)
{
    put_count = bundle_count = 0;
    memset(shown, 0, sizeof shown);
}

/* -- puts ------------------------------------------------------------------------------------------------ */

static struct put *add(unsigned path, uint64_t number)
{
    struct put *p = calloc(1, sizeof *p);

    QC_ASSERT(p != NULL && put_count < PUTS_MAX);
    p->seed = sim_u64(&sim.world);
    struct sim_rand r = { p->seed };
    p->path = path;
    p->number = p->sequence = number;
    sim_fill(&r, p->key.b, sizeof p->key.b);
    sim_fill(&r, p->object.b, sizeof p->object.b);
    sim_fill(&r, p->version.b, sizeof p->version.b);
    sim_fill(&r, p->backup, sizeof p->backup);
    sim_fill(&r, p->private_part, sizeof p->private_part);
    sim_fill(&r, p->seal, sizeof p->seal);
    sim_fill(&r, p->from_seal, sizeof p->from_seal);
    sim_fill(&r, p->m, sizeof p->m);
    p->segments = 1 + (uint32_t)(sim_below(&r, 4) == 0 ? sim_below(&r, SEGMENTS) : 0);
    p->size = 1 + (uint32_t)sim_below(&r, 3000);
    all[put_count++] = p;
    return p;
}

struct put *oracle_put(unsigned path, bool removal, uint64_t number)
{
    struct put *p = add(path, number);

    p->removal = removal;
    p->segments = removal ? 0 : p->segments;
    return p;
}

struct put *oracle_put_over(unsigned path, uint64_t number, const struct put *old)
{
    struct put *p = add(path, number);

    p->object = old->object;
    p->sequence = old->sequence + 1;
    return p;
}

struct put *oracle_move(struct put *what, unsigned from, uint64_t from_number, unsigned to, uint64_t number)
{
    struct put *p = add(to, number);

    p->moved = what;
    p->from = from;
    p->from_number = from_number;
    p->object = what->object;
    p->version = what->version;
    p->sequence = what->sequence;
    memcpy(p->m, what->m, sizeof p->m);
    p->segments = 0;
    return p;
}

struct bundle *oracle_bundle(void)
{
    struct bundle *b = calloc(1, sizeof *b);

    QC_ASSERT(b != NULL && bundle_count < PUTS_MAX);
    struct sim_rand r = { sim_u64(&sim.world) };
    sim_fill(&r, b->key.b, sizeof b->key.b);
    sim_fill(&r, b->object.b, sizeof b->object.b);
    sim_fill(&r, b->version.b, sizeof b->version.b);
    bundles[bundle_count++] = b;
    return b;
}

void oracle_bundle_add(struct bundle *b, unsigned path, uint64_t number, const struct put *old)
{
    struct put *p = old != NULL ? oracle_put_over(path, number, old) : oracle_put(path, false, number);

    QC_ASSERT(b->count < MEMBERS);
    p->in = b;
    p->segments = 1;
    p->size += 1000;
    p->start = b->size;
    b->size += put_size(p, 0);
    b->v[b->count++] = p;
}

unsigned oracle_count(void)
{
    return put_count;
}

struct put *oracle_at(unsigned i)
{
    return all[i];
}

unsigned oracle_bundles(void)
{
    return bundle_count;
}

struct bundle *oracle_bundle_at(unsigned i)
{
    return bundles[i];
}

uint32_t put_size(const struct put *p, uint32_t seq)
{
    return seq + 1 == p->segments ? p->size + 3 : p->size;
}

uint64_t put_total(const struct put *p)
{
    return (uint64_t)p->segments * p->size + 3;
}

void put_bytes(const struct put *p, uint32_t seq, uint8_t *ret)
{
    struct sim_rand r = { p->seed * 1000003 + seq };

    sim_fill(&r, ret, put_size(p, seq));
}

struct put *oracle_version(const struct gw_id *version)
{
    for (unsigned i = 0; i < put_count; i++)
        if (put_has_data(all[i]) && gw_id_same(&all[i]->version, version))
            return all[i];
    return NULL;
}

/* -- what a change says of a path ------------------------------------------------------------------------ */

struct side {
    unsigned path;
    uint64_t number;
    const uint8_t *seal;
    bool file; /* the path points at the version, else at nothing */
};

static struct side side_of(const struct put *p, unsigned i)
{
    return i == 0 ? (struct side){ p->path, p->number, p->seal, !p->removal }
                  : (struct side){ p->from, p->from_number, p->from_seal, false };
}

static unsigned sides(const struct put *p)
{
    return p->moved != NULL ? 2 : 1;
}

uint64_t oracle_number(unsigned path)
{
    uint64_t most = shown[path];

    for (unsigned i = 0; i < put_count; i++)
        for (unsigned j = 0; all[i]->state == ACKED && j < sides(all[i]); j++) {
            const struct side s = side_of(all[i], j);
            if (s.path == path && s.number > most)
                most = s.number;
        }
    return most;
}

/* Does this change name the version? */
static bool names(const struct put *change, const struct put *p)
{
    return change == p || change->moved == p;
}

/* May the path point at something else by now? */
static bool may_be_followed(unsigned path, uint64_t number)
{
    for (unsigned i = 0; i < put_count; i++)
        for (unsigned j = 0; all[i]->state != CANCELLED && j < sides(all[i]); j++) {
            const struct side s = side_of(all[i], j);
            if (s.path == path && s.number > number)
                return true;
        }
    return false;
}

/* Another change of each path that points at it may be decided. */
static bool may_be_loose(const struct put *p)
{
    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->state == ACKED && names(all[i], p) && !may_be_followed(all[i]->path, all[i]->number))
            return false;
    return true;
}

bool oracle_loose(const struct put *p)
{
    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->state != CANCELLED && names(all[i], p) && oracle_number(all[i]->path) <= all[i]->number)
            return false;
    return true;
}

bool stays(const struct put *p)
{
    return p->state == ACKED && !p->gone && (!p->going || !may_be_loose(p));
}

/* -- promises -------------------------------------------------------------------------------------------- */

/* Two changes that were acknowledged are of different numbers of a path, and places in the chain. */
static void check_apart(const struct put *a, const struct put *b)
{
    const uint64_t from_a = a->receipt.chain - sides(a) + 1, from_b = b->receipt.chain - sides(b) + 1;

    if (from_a <= b->receipt.chain && from_b <= a->receipt.chain)
        sim_broken("D3", "seal %" PRIu64 " of the chain is of two changes", a->receipt.chain);
    for (unsigned i = 0; i < sides(a); i++)
        for (unsigned j = 0; j < sides(b); j++) {
            const struct side x = side_of(a, i), y = side_of(b, j);
            if (x.path == y.path && x.number == y.number)
                sim_broken("D3", "path %u: two changes have the number %" PRIu64, x.path, x.number);
            if (x.path == y.path && (x.number < y.number) != (a->receipt.chain < b->receipt.chain))
                sim_broken("D3",
                           "path %u: number %" PRIu64 " and %" PRIu64 " are in another order in the chain",
                           x.path, x.number, y.number);
        }
}

/* Of two changes of one object, one after the other: the second was made where the first had left it. */
static void check_follows(const struct put *first, const struct put *second)
{
    const unsigned was = second->moved != NULL ? second->from : second->path;

    if (first->path != was)
        sim_broken("A10",
                   "an object that lay under path %u was changed under path %u (seals %" PRIu64 ", %" PRIu64
                   ")",
                   first->path, was, first->receipt.chain, second->receipt.chain);
}

/* An object is under one path at each time. What is open may have been decided in between. */
static void check_object(const struct put *p)
{
    const struct put *before = NULL, *after = NULL;

    for (unsigned i = 0; i < put_count; i++) {
        const struct put *o = all[i];
        if (o == p || o->removal || !gw_id_same(&o->object, &p->object))
            continue;
        if (o->state == OPEN)
            return;
        if (o->state == CANCELLED)
            continue;
        if (o->receipt.chain < p->receipt.chain &&
            (before == NULL || o->receipt.chain > before->receipt.chain))
            before = o;
        if (o->receipt.chain > p->receipt.chain && (after == NULL || o->receipt.chain < after->receipt.chain))
            after = o;
    }
    if (before != NULL)
        check_follows(before, p);
    if (after != NULL)
        check_follows(p, after);
}

void oracle_acked(struct put *p, const struct gw_receipt *r)
{
    if (p->state == CANCELLED)
        sim_broken("A3", "path %u: a put that was cancelled has a receipt", p->path);
    if (p->state == ACKED && (p->receipt.number != r->number || p->receipt.chain != r->chain))
        sim_broken("D10", "path %u: two receipts for one put key: number %" PRIu64 ", then %" PRIu64, p->path,
                   p->receipt.number, r->number);
    if (r->number != p->number)
        sim_broken("D10", "path %u: a receipt of number %" PRIu64 " for %" PRIu64, p->path, r->number,
                   p->number);
    p->state = ACKED;
    p->receipt = *r;
    for (unsigned i = 0; i < put_count; i++)
        if (all[i] != p && all[i]->state == ACKED)
            check_apart(p, all[i]);
    if (!p->removal)
        check_object(p);
    sim_say("acknowledged: path %u, number %" PRIu64 ", margin %d", p->path, r->number, r->acked_margin);
    if (p->placed)
        oracle_promise(p, r->acked_margin);
}

void oracle_cancelled(struct put *p)
{
    if (p->state == ACKED)
        sim_broken("A3", "path %u, number %" PRIu64 " was acknowledged, and now cancelled", p->path,
                   p->receipt.number);
    p->state = CANCELLED;
    sim_say("cancelled: a put of path %u", p->path);
}

void oracle_purged(struct put *p, unsigned copies)
{
    if (p->gone)
        return;
    if (stays(p))
        sim_broken("A9", "path %u, number %" PRIu64 " is purged, and nothing has followed it", p->path,
                   p->number);
    p->gone = true;
    p->spread = false; /* of this record, too, it is to be seen */
    p->in_pass = false;
    p->gone_copies = copies;
    sim_say("purged: path %u, number %" PRIu64 ", its record on %u clouds", p->path, p->number, copies);
}

void oracle_kept(struct put *p)
{
    if (p->gone)
        sim_broken("A9", "path %u, number %" PRIu64 " was purged, and is there again", p->path, p->number);
    p->going = false;
}

/* -- what clients are shown ------------------------------------------------------------------------------ */

static const struct put *by_seal(unsigned path, const uint8_t *seal, struct side *ret)
{
    for (unsigned i = 0; i < put_count; i++)
        for (unsigned j = 0; j < sides(all[i]); j++) {
            *ret = side_of(all[i], j);
            if (ret->path == path && memcmp(ret->seal, seal, GW_DIGEST_BYTES) == 0)
                return all[i];
        }
    return NULL;
}

void oracle_entry(unsigned path, const struct gw_entry_row *row, uint64_t least)
{
    const uint64_t number = row == NULL ? 0 : row->e.number;
    struct side s;

    if (number < least)
        sim_broken("A2", "path %u shows number %" PRIu64 ", and %" PRIu64 " was acknowledged or shown before",
                   path, number, least);
    if (row == NULL)
        return;
    const struct put *p = by_seal(path, row->e.seal, &s);
    if (p == NULL) {
        sim_broken("A2", "path %u shows an entry of number %" PRIu64 " that nobody put", path, number);
        return;
    }
    if (s.number != number || s.file != (row->e.kind == GW_ENTRY_FILE) ||
        (s.file && (!gw_id_same(&p->version, &row->e.version) || row->e.sequence != p->sequence)))
        sim_broken("A2", "path %u shows an entry of number %" PRIu64 " that is not as it was put", path,
                   number);
    if (p->state == CANCELLED)
        sim_broken("A3", "path %u shows number %" PRIu64 ", which was cancelled", path, number);
    if (number > shown[path])
        shown[path] = number;
}

uint64_t oracle_chain(void)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->state == ACKED && all[i]->receipt.chain > most)
            most = all[i]->receipt.chain;
    return most;
}

void oracle_seals(const uint8_t *seals, uint64_t count, uint64_t least)
{
    if (count < least)
        sim_broken("A10", "the chain has %" PRIu64 " seals, and %" PRIu64 " were acknowledged before", count,
                   least);
    for (unsigned i = 0; i < put_count; i++)
        for (unsigned j = 0; all[i]->state == ACKED && all[i]->receipt.chain <= count && j < sides(all[i]);
             j++) {
            const uint64_t at = all[i]->receipt.chain - 1 - j;
            if (memcmp(seals + at * GW_DIGEST_BYTES, side_of(all[i], j).seal, GW_DIGEST_BYTES) != 0)
                sim_broken("A10", "seal %" PRIu64 " of the chain is not that of path %u, number %" PRIu64,
                           at + 1, all[i]->path, all[i]->number);
        }
}
