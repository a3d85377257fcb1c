#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { PUTS_MAX = 4000, SEGMENTS_MAX = 16384 };

struct segment {
    uint64_t name;
    struct put *p; /* whose it is, once that is known */
    uint32_t seq;
    uint32_t good_on[QC_EC_N_MAX]; /* by fragment: clouds with a sound copy, as bits */
    uint8_t copies_on[QC_EC_N_MAX][SIM_CLOUDS_MAX];
    uint32_t copies[QC_EC_N_MAX]; /* sound copies */
    uint32_t landed[QC_EC_N_MAX]; /* ever */
    uint32_t destroyed, since;    /* by faults, and not there again: ever, and since the last pass began */
    uint64_t hash[QC_EC_N_MAX];   /* of the payload: it has one content */
    unsigned floor;               /* so many fragments were promised */
    bool in_pass;                 /* it was acknowledged when the pass began */
};

static unsigned k, n, put_count;
static uint64_t shown[PATHS]; /* the greatest number that somebody saw: published, so it stays */
static struct put *all[PUTS_MAX];
static struct segment *segments[SEGMENTS_MAX]; /* a table by name, with gaps */

void oracle_new(unsigned new_k, unsigned new_n)
{
    k = new_k;
    n = new_n;
    put_count = 0;
    memset(shown, 0, sizeof shown);
    memset(segments, 0, sizeof segments);
}

/* -- puts ------------------------------------------------------------------------------------------------ */

struct put *oracle_put(unsigned path, bool removal, uint64_t number)
{
    struct put *p = calloc(1, sizeof *p);

    QC_ASSERT(p != NULL && put_count < PUTS_MAX);
    p->seed = sim_u64(&sim.world);
    struct sim_rand r = { p->seed };
    p->path = path;
    p->removal = removal;
    p->number = number;
    p->segments = removal ? 0 : 1 + (uint32_t)(sim_below(&r, 4) == 0 ? sim_below(&r, SEGMENTS) : 0);
    p->size = 1 + (uint32_t)sim_below(&r, 3000);
    sim_fill(&r, p->key.b, sizeof p->key.b);
    sim_fill(&r, p->object.b, sizeof p->object.b);
    sim_fill(&r, p->version.b, sizeof p->version.b);
    sim_fill(&r, p->backup, sizeof p->backup);
    sim_fill(&r, p->private_part, sizeof p->private_part);
    sim_fill(&r, p->seal, sizeof p->seal);
    sim_fill(&r, p->m, sizeof p->m);
    all[put_count++] = p;
    return p;
}

unsigned oracle_count(void)
{
    return put_count;
}

struct put *oracle_at(unsigned i)
{
    return all[i];
}

uint32_t put_size(const struct put *p, uint32_t seq)
{
    return seq + 1 == p->segments ? p->size + 3 : p->size;
}

void put_bytes(const struct put *p, uint32_t seq, uint8_t *ret)
{
    struct sim_rand r = { p->seed * 1000003 + seq };

    sim_fill(&r, ret, put_size(p, seq));
}

uint64_t oracle_number(unsigned path)
{
    uint64_t most = shown[path];

    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->path == path && all[i]->state == ACKED && all[i]->receipt.number > most)
            most = all[i]->receipt.number;
    return most;
}

struct put *oracle_version(const struct gw_id *version)
{
    for (unsigned i = 0; i < put_count; i++)
        if (!all[i]->removal && gw_id_same(&all[i]->version, version))
            return all[i];
    return NULL;
}

/* -- fragments ------------------------------------------------------------------------------------------- */

/* Nobody but a fault may take something of it: it is there, and no purge that may pass is under way. One may
 * pass once another change of the path may be decided. */
static bool stays(const struct put *p)
{
    if (p->state != ACKED || p->gone)
        return false;
    for (unsigned i = 0; p->going && i < put_count; i++)
        if (all[i]->path == p->path && all[i]->number > p->number && all[i]->state != CANCELLED)
            return false;
    return true;
}

static struct segment *segment_of(uint64_t name)
{
    size_t at = (size_t)name % SEGMENTS_MAX;

    for (size_t tries = 0; segments[at] != NULL; at = (at + 1) % SEGMENTS_MAX) {
        if (segments[at]->name == name)
            return segments[at];
        QC_ASSERT(++tries < SEGMENTS_MAX / 2);
    }
    segments[at] = calloc(1, sizeof **segments);
    QC_ASSERT(segments[at] != NULL);
    segments[at]->name = name;
    return segments[at];
}

/* Fragments that are there, or were destroyed by a fault: what the engine can answer for. */
static unsigned answered_for(const struct segment *s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += s->copies[i] > 0 || (s->destroyed >> i & 1) != 0;
    return count;
}

static unsigned there(const struct segment *s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += s->copies[i] > 0;
    return count;
}

static void check(const struct segment *s, uint64_t id)
{
    if (s->p == NULL || !stays(s->p) || answered_for(s) >= s->floor)
        return;
    sim_broken("A1",
               "segment %" PRIx64 " of path %u, number %" PRIu64 ": %u fragments, %u were promised (k = %u)",
               id, s->p->path, s->p->receipt.number, answered_for(s), s->floor, k);
}

void oracle_landed(unsigned cloud, const char *key, const struct sim_frag *f, uint64_t payload_hash)
{
    struct segment *s = segment_of(f->segment);

    QC_ASSERT(f->index < QC_EC_N_MAX);
    if (s->hash[f->index] == 0)
        s->hash[f->index] = payload_hash;
    else if (s->hash[f->index] != payload_hash)
        sim_broken("A6", "cloud %u: %s: fragment %u of segment %" PRIx64 " has other bytes than before",
                   cloud + 1, key, f->index, f->segment);
    s->copies[f->index]++;
    s->landed[f->index]++;
    s->destroyed &= ~(UINT32_C(1) << f->index);
    s->since &= ~(UINT32_C(1) << f->index);
    s->copies_on[f->index][cloud]++;
    s->good_on[f->index] |= UINT32_C(1) << cloud;
}

static void gone(struct segment *s, unsigned cloud, unsigned index)
{
    QC_ASSERT(s->copies[index] > 0);
    QC_ASSERT(s->copies_on[index][cloud] > 0);
    s->copies[index]--;
    if (--s->copies_on[index][cloud] == 0)
        s->good_on[index] &= ~(UINT32_C(1) << cloud);
}

void oracle_deleted(unsigned cloud, const char *key, const struct sim_frag *f)
{
    struct segment *s = segment_of(f->segment);

    gone(s, cloud, f->index);
    if (s->copies[f->index] > 0 || s->p == NULL || !stays(s->p))
        return;
    if (s->landed[f->index] < 2 && (s->destroyed >> f->index & 1) == 0)
        sim_broken("A4",
                   "cloud %u: %s, fragment %u of segment %" PRIx64 ", is deleted, and there is no other",
                   cloud + 1, key, f->index, f->segment);
    check(s, f->segment);
}

void oracle_destroyed(unsigned cloud, const char *key, const struct sim_frag *f)
{
    struct segment *s = segment_of(f->segment);

    (void)key;
    gone(s, cloud, f->index); /* if there is another copy: it may be the one that does not count */
    s->destroyed |= UINT32_C(1) << f->index;
    s->since |= UINT32_C(1) << f->index;
}

void oracle_restored(unsigned cloud, const char *key, const struct sim_frag *f)
{
    struct segment *s = segment_of(f->segment);

    (void)key;
    s->copies[f->index]++;
    s->copies_on[f->index][cloud]++;
    s->good_on[f->index] |= UINT32_C(1) << cloud;
}

/* -- promises -------------------------------------------------------------------------------------------- */

static void promise(struct put *p, int margin)
{
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        struct segment *s = segment_of(p->segment[seq]);
        s->p = p;
        s->seq = seq;
        const int floor = (int)k + margin;
        if (floor > (int)s->floor)
            s->floor = (unsigned)floor;
        check(s, p->segment[seq]);
    }
}

void oracle_acked(struct put *p, const struct gw_receipt *r)
{
    if (p->state == CANCELLED)
        sim_broken("A3", "path %u: a put that was cancelled has a receipt", p->path);
    if (p->state == ACKED && (p->receipt.number != r->number || p->receipt.chain != r->chain))
        sim_broken("D10", "path %u: two receipts for one put key: number %" PRIu64 ", then %" PRIu64, p->path,
                   p->receipt.number, r->number);
    for (unsigned i = 0; i < put_count; i++)
        if (all[i] != p && all[i]->state == ACKED && all[i]->path == p->path &&
            all[i]->receipt.number == r->number)
            sim_broken("D3", "path %u: two changes have the number %" PRIu64, p->path, r->number);
    p->state = ACKED;
    p->receipt = *r;
    sim_say("acknowledged: path %u, number %" PRIu64 ", margin %d", p->path, r->number, r->acked_margin);
    if (p->placed)
        promise(p, r->acked_margin);
}

void oracle_placed(struct put *p, const uint64_t *ids, unsigned count)
{
    if (p->removal)
        return;
    QC_ASSERT(count == p->segments);
    memcpy(p->segment, ids, count * sizeof *ids);
    p->placed = true;
    if (p->state == ACKED)
        promise(p, p->receipt.acked_margin);
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

static const struct put *by_seal(unsigned path, const uint8_t *seal)
{
    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->path == path && memcmp(all[i]->seal, seal, GW_DIGEST_BYTES) == 0)
            return all[i];
    return NULL;
}

void oracle_entry(unsigned path, const struct gw_entry_row *row, uint64_t least)
{
    const uint64_t number = row == NULL ? 0 : row->e.number;

    if (number < least)
        sim_broken("A2", "path %u shows number %" PRIu64 ", and %" PRIu64 " was acknowledged or shown before",
                   path, number, least);
    if (row == NULL)
        return;
    const struct put *p = by_seal(path, row->e.seal);
    if (p == NULL) {
        sim_broken("A2", "path %u shows an entry of number %" PRIu64 " that nobody put", path, number);
        return;
    }
    if (p->number != number || p->removal != (row->e.kind == GW_ENTRY_TOMBSTONE) ||
        (!p->removal && !gw_id_same(&p->version, &row->e.version)))
        sim_broken("A2", "path %u shows an entry of number %" PRIu64 " that is not as it was put", path,
                   number);
    if (p->state == CANCELLED)
        sim_broken("A3", "path %u shows number %" PRIu64 ", which was cancelled", path, number);
    if (number > shown[path])
        shown[path] = number;
}

void oracle_margin(const struct put *p, int margin)
{
    if (!p->placed || p->removal || !stays(p))
        return;
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        const struct segment *s = segment_of(p->segment[seq]);
        if ((int)answered_for(s) - (int)k < margin)
            sim_broken("A5",
                       "path %u, number %" PRIu64 ": margin %d is shown, segment %" PRIx64
                       " has %u fragments",
                       p->path, p->receipt.number, margin, p->segment[seq], answered_for(s));
    }
}

/* -- passes ---------------------------------------------------------------------------------------------- */

void oracle_pass_begins(void)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (segments[i] != NULL) {
            segments[i]->since = 0;
            segments[i]->in_pass = segments[i]->p != NULL && segments[i]->p->state == ACKED;
        }
    for (unsigned i = 0; i < put_count; i++)
        all[i]->in_pass = all[i]->state == ACKED;
}

void oracle_pass_whole(void)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        struct segment *s = segments[i];
        if (s == NULL || !s->in_pass || !stays(s->p))
            continue;
        s->destroyed = s->since;
        if (answered_for(s) < n)
            sim_broken("A5",
                       "a repair calls all whole, segment %" PRIx64 " of path %u has %u of %u fragments",
                       s->name, s->p->path, answered_for(s), n);
        s->floor = n;
    }
    for (unsigned i = 0; i < put_count; i++)
        all[i]->spread |= all[i]->in_pass;
}

void oracle_gone(const struct put *p, uint32_t seq, unsigned good)
{
    if (!stays(p) || !p->placed)
        return;
    const struct segment *s = segment_of(p->segment[seq]);
    unsigned known =
        0; /* one key, and it is there: a copy under another may be one that a rollback brought back */
    for (unsigned i = 0; i < n; i++)
        known += s->copies[i] == 1 && s->landed[i] == 1;
    if (known >= k)
        sim_broken("A1",
                   "path %u, number %" PRIu64
                   ", segment %u: %u fragments are there, and a repair calls it beyond "
                   "repair with %u",
                   p->path, p->number, seq, known, good);
    sim_say("%u fragments of %" PRIx64 " are there", there(s), s->name);
}

/* -- the state of all ------------------------------------------------------------------------------------ */

bool oracle_spare(uint32_t hurt)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        unsigned left = 0;
        if (s == NULL || s->p == NULL || !stays(s->p))
            continue;
        for (unsigned x = 0; x < n; x++)
            left += (s->good_on[x] & ~hurt) != 0;
        if (left < k)
            return false;
    }
    return true;
}

bool oracle_records_spare(uint32_t hurt, unsigned clouds)
{
    const unsigned quorum = n - k + 1, bad = (unsigned)__builtin_popcount(hurt);

    for (unsigned i = 0; i < put_count; i++)
        if (all[i]->state == ACKED && !all[i]->spread &&
            (all[i]->receipt.record_copies < clouds - quorum + 1 + bad ||
             (all[i]->gone && all[i]->gone_copies < clouds - quorum + 1 + bad)))
            return false;
    return true;
}

bool oracle_readable(const struct put *p)
{
    for (uint32_t seq = 0; p->placed && seq < p->segments; seq++)
        if (there(segment_of(p->segment[seq])) < k)
            return false;
    return true;
}

unsigned oracle_lost(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < put_count; i++)
        count += stays(all[i]) && !all[i]->removal && !oracle_readable(all[i]);
    return count;
}

bool oracle_all_on(unsigned cloud)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        uint32_t on = 0;
        if (s == NULL || s->p == NULL || !stays(s->p))
            continue;
        for (unsigned x = 0; x < n; x++)
            on |= s->good_on[x];
        if ((on >> cloud & 1) == 0)
            return false;
    }
    return true;
}

/* Only what is wanted lies there, and all of it, once. */
static void wanted(void *ctx, unsigned cloud, const char *key, uint64_t id, unsigned index)
{
    const struct segment *s = segment_of(id);

    (void)ctx;
    if (counts.rebuilt > 0) /* what a rebuild cannot explain is told, and stays */
        return;
    if (id == 0)
        sim_broken("A8", "cloud %u: %s is no fragment, and still lies there", cloud + 1, key);
    if (s->p == NULL || s->p->state != ACKED)
        sim_broken("A8",
                   "cloud %u: %s, fragment %u of segment %" PRIx64 ", is nobody's, and still lies there",
                   cloud + 1, key, index, id);
    if (s->p != NULL && s->p->gone)
        sim_broken("A8", "cloud %u: %s, fragment %u of segment %" PRIx64 ", was purged, and still lies there",
                   cloud + 1, key, index, id);
    if (s->copies[index] > 1)
        sim_broken("A8", "cloud %u: %s: fragment %u of segment %" PRIx64 " lies there %u times", cloud + 1,
                   key, index, id, s->copies[index]);
}

void oracle_full(void)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        if (s == NULL || s->p == NULL || !stays(s->p))
            continue;
        if (there(s) < n && oracle_readable(s->p))
            sim_broken("A8", "segment %" PRIx64 " of path %u has %u of %u fragments", s->name, s->p->path,
                       there(s), n);
        uint32_t on = 0;
        for (unsigned x = 0; x < n; x++)
            on |= s->good_on[x];
        if (there(s) == n && (unsigned)__builtin_popcount(on) < n)
            sim_broken("A5", "the %u fragments of segment %" PRIx64 " of path %u lie on %d clouds", n,
                       s->name, s->p->path, __builtin_popcount(on));
    }
}

void oracle_quiet(void)
{
    oracle_full();
    sim_clouds_each(wanted, NULL);
}
