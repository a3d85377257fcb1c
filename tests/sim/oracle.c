#include "gateway.h"
#include "promises.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { SEGMENTS_MAX = 16384 };

struct segment {
    uint64_t name;
    struct put *p; /* whose it is, once that is known; of a bundle: the first, and those beside it */
    uint32_t seq;
    struct gw_id bundle;           /* its version id, if that was told; or zeros */
    uint64_t size;                 /* bytes of a bundle; 0: not known */
    uint32_t good_on[QC_EC_N_MAX]; /* by fragment: clouds with a sound copy, as bits */
    uint8_t copies_on[QC_EC_N_MAX][SIM_CLOUDS_MAX];
    uint32_t copies[QC_EC_N_MAX]; /* sound copies */
    uint32_t landed[QC_EC_N_MAX]; /* ever */
    uint32_t destroyed, since;    /* by faults, and not there again: ever, and since the last pass began */
    uint64_t hash[QC_EC_N_MAX];   /* of the payload: it has one content */
    unsigned floor;               /* so many fragments were promised */
    bool in_pass;                 /* it was acknowledged when the pass began */
};

static unsigned k, n;
static struct segment *segments[SEGMENTS_MAX];            /* a table by name, with gaps */
static unsigned repacks, repacks_in_pass, repacks_spread; /* records of them; as of a put */

void oracle_new(unsigned new_k, unsigned new_n)
{
    k = new_k;
    n = new_n;
    repacks = repacks_in_pass = repacks_spread = 0;
    promises_new();
    memset(segments, 0, sizeof segments);
}

/* -- fragments ------------------------------------------------------------------------------------------- */

static struct put *next_in(const struct put *p)
{
    return p->in != NULL ? p->beside : NULL;
}

/* Somebody whose bytes are in it, and have to stay; NULL: nobody. */
static struct put *staying(const struct segment *s)
{
    for (struct put *p = s->p; p != NULL; p = next_in(p))
        if (stays(p))
            return p;
    return NULL;
}

static bool acked_in(const struct segment *s)
{
    for (const struct put *p = s->p; p != NULL; p = next_in(p))
        if (p->state == ACKED)
            return true;
    return false;
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
    const struct put *p = staying(s);

    if (p == NULL || answered_for(s) >= s->floor)
        return;
    sim_broken("A1",
               "segment %" PRIx64 " of path %u, number %" PRIu64 ": %u fragments, %u were promised (k = %u)",
               id, p->path, p->receipt.number, answered_for(s), s->floor, k);
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
    if (s->copies[f->index] > 0 || staying(s) == NULL)
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

/* -- where what was put lies ----------------------------------------------------------------------------- */

static void add_to(struct segment *s, struct put *p)
{
    if (p->in == NULL) {
        s->p = p;
        return;
    }
    for (const struct put *q = s->p; q != NULL; q = next_in(q))
        if (q == p)
            return;
    p->beside = s->p;
    s->p = p;
}

static void take_from(struct segment *s, struct put *p)
{
    for (struct put **at = &s->p; *at != NULL; at = &(*at)->beside)
        if (*at == p) {
            *at = p->beside;
            p->beside = NULL;
            return;
        }
}

void oracle_promise(struct put *p, int margin)
{
    for (uint32_t seq = 0; seq < p->segments; seq++) {
        struct segment *s = segment_of(p->segment[seq]);
        add_to(s, p);
        s->seq = seq;
        const int floor = (int)k + margin;
        if (floor > (int)s->floor)
            s->floor = (unsigned)floor;
        check(s, p->segment[seq]);
    }
}

void oracle_placed(struct put *p, const uint64_t *ids, unsigned count)
{
    if (!put_has_data(p))
        return;
    QC_ASSERT(count == p->segments);
    memcpy(p->segment, ids, count * sizeof *ids);
    p->placed = true;
    if (p->in != NULL)
        segment_of(ids[0])->size = p->in->size;
    if (p->state == ACKED)
        oracle_promise(p, p->receipt.acked_margin);
}

void oracle_lies_in(struct put *p, uint64_t segment, const struct gw_id *bundle, bool whole)
{
    struct segment *s = segment_of(segment);

    QC_ASSERT(p->in != NULL);
    if (p->placed && p->segment[0] != segment)
        take_from(segment_of(p->segment[0]), p);
    if (whole)
        s->size += put_total(p);
    p->segment[0] = segment;
    p->placed = true;
    s->bundle = *bundle;
    add_to(s, p);
    if (whole)
        s->floor = n;
    check(s, segment);
}

void oracle_repacked(void)
{
    repacks++;
}

void oracle_margin(const struct put *p, int margin)
{
    if (!p->placed || !stays(p))
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
            segments[i]->in_pass = acked_in(segments[i]);
        }
    for (unsigned i = 0; i < oracle_count(); i++)
        oracle_at(i)->in_pass = oracle_at(i)->state == ACKED;
    repacks_in_pass = repacks;
}

void oracle_pass_whole(void)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        struct segment *s = segments[i];
        const struct put *p = s != NULL && s->in_pass ? staying(s) : NULL;
        if (p == NULL)
            continue;
        s->destroyed = s->since;
        if (answered_for(s) < n)
            sim_broken("A5",
                       "a repair calls all whole, segment %" PRIx64 " of path %u has %u of %u fragments",
                       s->name, p->path, answered_for(s), n);
        s->floor = n;
    }
    for (unsigned i = 0; i < oracle_count(); i++)
        oracle_at(i)->spread |= oracle_at(i)->in_pass;
    repacks_spread = repacks_in_pass;
}

static const struct segment *segment_named(const struct gw_id *version, uint32_t seq)
{
    const struct put *p = oracle_version(version);

    if (p != NULL)
        return p->placed ? segment_of(p->segment[seq]) : NULL;
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (segments[i] != NULL && segments[i]->p != NULL && gw_id_same(&segments[i]->bundle, version))
            return segments[i];
    return NULL;
}

void oracle_gone(const struct gw_id *version, uint32_t seq, unsigned good)
{
    const struct segment *s = segment_named(version, seq);
    const struct put *p = s != NULL ? staying(s) : NULL;

    if (p == NULL)
        return;
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
        if (s == NULL || staying(s) == NULL)
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
    const unsigned needed = clouds - quorum + 1 + bad;

    for (unsigned i = 0; i < oracle_count(); i++) {
        const struct put *p = oracle_at(i);
        if (p->state == ACKED && !p->spread &&
            (p->receipt.record_copies < needed || (p->gone && p->gone_copies < needed)))
            return false;
    }
    return repacks == repacks_spread || quorum >= needed;
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

    for (unsigned i = 0; i < oracle_count(); i++)
        count += put_has_data(oracle_at(i)) && stays(oracle_at(i)) && !oracle_readable(oracle_at(i));
    return count;
}

bool oracle_all_on(unsigned cloud)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        uint32_t on = 0;
        if (s == NULL || staying(s) == NULL)
            continue;
        for (unsigned x = 0; x < n; x++)
            on |= s->good_on[x];
        if ((on >> cloud & 1) == 0)
            return false;
    }
    return true;
}

/* All that was ever acknowledged in it. */
static bool all_gone(const struct segment *s)
{
    for (const struct put *p = s->p; p != NULL; p = next_in(p))
        if (p->state == ACKED && !p->gone)
            return false;
    return true;
}

/* Only what is wanted lies there, and all of it, once. */
static void wanted(void *ctx, unsigned cloud, const char *key, uint64_t id, unsigned index)
{
    const struct segment *s = segment_of(id);

    (void)ctx;
    if (acked_in(s) && all_gone(s))
        sim_broken("A8", "cloud %u: %s, fragment %u of segment %" PRIx64 ", was purged, and still lies there",
                   cloud + 1, key, index, id);
    if (counts.rebuilt > 0) /* what a rebuild cannot explain is told, and stays */
        return;
    if (id == 0)
        sim_broken("A8", "cloud %u: %s is no fragment, and still lies there", cloud + 1, key);
    if (!acked_in(s))
        sim_broken("A8",
                   "cloud %u: %s, fragment %u of segment %" PRIx64 ", is nobody's, and still lies there",
                   cloud + 1, key, index, id);
    if (s->copies[index] > 1)
        sim_broken("A8", "cloud %u: %s: fragment %u of segment %" PRIx64 " lies there %u times", cloud + 1,
                   key, index, id, s->copies[index]);
}

void oracle_full(void)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        const struct put *p = s != NULL ? staying(s) : NULL;
        if (p == NULL)
            continue;
        if (there(s) < n && oracle_readable(p))
            sim_broken("A8", "segment %" PRIx64 " of path %u has %u of %u fragments", s->name, p->path,
                       there(s), n);
        uint32_t on = 0;
        for (unsigned x = 0; x < n; x++)
            on |= s->good_on[x];
        if (there(s) == n && (unsigned)__builtin_popcount(on) < n)
            sim_broken("A5", "the %u fragments of segment %" PRIx64 " of path %u lie on %d clouds", n,
                       s->name, p->path, __builtin_popcount(on));
    }
}

void oracle_quiet(void)
{
    oracle_full();
    sim_clouds_each(wanted, NULL);
}

/* What a bundle's repack would free, and cost: by the rule of the product (limits.h). */
struct worth {
    uint64_t dead, live_count;
};

static bool is_worth(const struct worth *w, unsigned clouds)
{
    const uint64_t record = 256 + 4 * (uint64_t)n + 40 * w->live_count;

    return w->dead * n / k >= QC_GW_REPACK_WORTH * clouds * record;
}

/* What was refused when the bundle came counts as nothing: neither dead nor alive. */
static uint64_t refused_in(const struct segment *s)
{
    const struct bundle *b = s->p->in;
    uint64_t sum = 0;

    for (unsigned i = 0; gw_id_same(&b->version, &s->bundle) && i < b->count; i++)
        sum += b->v[i]->state != ACKED ? put_total(b->v[i]) : 0;
    return sum;
}

static struct worth worth_of(const struct segment *s)
{
    struct worth w = { .dead = s->size - refused_in(s) };

    for (const struct put *p = s->p; p != NULL; p = next_in(p))
        if (!p->gone) {
            w.dead -= put_total(p);
            w.live_count++;
        }
    return w;
}

bool oracle_packed(unsigned clouds, uint64_t *ret_dead)
{
    struct worth all = { 0 };
    bool one = false;

    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct segment *s = segments[i];
        if (s == NULL || s->size == 0 || staying(s) == NULL)
            continue;
        const struct worth w = worth_of(s);
        if (w.dead * 100 < s->size * QC_GW_REPACK_DEAD)
            continue;
        all.dead += w.dead;
        all.live_count += w.live_count;
        one |= is_worth(&w, clouds);
    }
    *ret_dead = all.dead;
    return !one && (all.dead == 0 || !is_worth(&all, clouds));
}
