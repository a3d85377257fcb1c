/* unit/gateway_wholes: what is left when all clouds of one label are lost at once, told by the status as by
 * counting fragment by fragment: with labels, fragments that are missing or moved, and lost clouds by lot. */
#include "cat_internal.h"
#include "engine_internal.h"
#include "gw_engine_rig.h"

enum { CLOUDS = 6, K = 2, N = 4, SEGMENTS = 10 };

struct world {
    struct erig r;
    struct qc_rand rand;
    uint64_t id[SEGMENTS];
    uint32_t home[SEGMENTS][N], on[SEGMENTS][N]; /* cloud ids; on 0: it is nowhere */
    struct gw_labels labels[CLOUDS];             /* by position; ids are one more */
    bool lost[CLOUDS];
};

static void put(struct world *w, unsigned i)
{
    struct gw_receipt receipt;
    struct gw_segment seg;
    struct gw_version_row v;
    struct qc_err err = { 0 };
    char path[8], key[GW_NAME_SIZE];

    CHECK(snprintf(path, sizeof path, "\1p%u", i) > 0);
    const struct erig_put p = erig_prepare(i + 1, path, 1, 1, 500);
    CHECK_OK(erig_put(&w->r, &p, &receipt, &err));
    const struct gw_version_ids ids = { .vault = w->r.vault, .object = p.object, .version = p.version };
    QC_LOCK(gw_cat_lock(w->r.e->cat));
    CHECK_OK(gw_cat_version(w->r.e->cat, &ids, &v, &err));
    CHECK_OK(gw_cat_segment_of(w->r.e->cat, v.no, 0, &w->id[i], &err));
    CHECK_OK(gw_cat_segment(w->r.e->cat, w->id[i], &seg, &err));
    for (unsigned f = 0; f < N; f++) {
        int at;
        CHECK_OK(gw_segment_key(w->r.e->store, &seg, f, &at, key, &err));
        w->home[i][f] = w->on[i][f] = gw_fan_id(w->r.e->fan, (unsigned)at);
    }
}

/* Has the cloud another fragment of the segment, or should it? */
static bool taken(const struct world *w, unsigned i, unsigned frag, uint32_t cloud)
{
    bool is = false;

    for (unsigned f = 0; f < N; f++)
        is = is || (f != frag && (w->on[i][f] == cloud || (w->on[i][f] == 0 && w->home[i][f] == cloud)));
    return is;
}

static void change_fragment(struct world *w)
{
    static const enum gw_deviation away[] = { GW_DEV_OWED, GW_DEV_LEFT, GW_DEV_SUSPECT, GW_DEV_BAD,
                                              GW_DEV_LOST };
    const unsigned i = (unsigned)qc_rand_below(&w->rand, SEGMENTS), f = (unsigned)qc_rand_below(&w->rand, N);
    const uint32_t to = 1 + (uint32_t)qc_rand_below(&w->rand, CLOUDS);
    const uint32_t home = w->home[i][f], was = w->on[i][f];
    struct qc_err err = { 0 };
    struct gw_cat *c = w->r.e->cat;

    if (taken(w, i, f, to))
        return;
    if (qc_rand_below(&w->rand, 3) == 0 && (was == home || was == 0)) {
        CHECK_OK(gw_cat_deviate(c, w->id[i], f, home, away[qc_rand_below(&w->rand, 5)], &err));
        w->on[i][f] = 0;
    } else if (to == home) {
        CHECK_OK(gw_cat_place_home(c, w->id[i], f, &err));
        w->on[i][f] = home;
    } else {
        const struct gw_deviation_row row = { f, to, home, w->r.e->conf.incarnation, 1, GW_DEV_MOVED };
        CHECK_OK(gw_cat_place(c, w->id[i], &row, &err));
        w->on[i][f] = to;
    }
}

static void change(struct world *w, unsigned fragments)
{
    static const char *const names[] = { "", "a", "b", "c" };
    struct qc_err err = { 0 };
    const bool none = qc_rand_below(&w->rand, 10) == 0;
    QC_LOCK(gw_cat_lock(w->r.e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    CHECK_OK(gw_cat_begin(w->r.e->cat, &tx, &err));
    for (unsigned at = 0; at < CLOUDS; at++) {
        for (unsigned kind = 0; kind < GW_LABELS; kind++)
            CHECK(snprintf(w->labels[at].v[kind], sizeof w->labels[at].v[kind], "%s",
                           none ? "" : names[qc_rand_below(&w->rand, 4)]) >= 0);
        gw_fan_set_labels(w->r.e->fan, at, &w->labels[at]);
        w->lost[at] = qc_rand_below(&w->rand, 8) == 0;
        CHECK_OK(gw_cloud_set_lost(w->r.e->cat, at + 1, w->lost[at], &err));
    }
    for (unsigned i = 0; i < fragments; i++)
        change_fragment(w);
    CHECK_OK(gw_cat_commit(w->r.e->cat, &tx, &err));
}

/* -- by counting ----------------------------------------------------------------------------------------- */

static bool together(const struct world *w, unsigned kind, unsigned a, unsigned b)
{
    const char *label = w->labels[a].v[kind];

    return a == b || (label[0] != '\0' && strcmp(label, w->labels[b].v[kind]) == 0);
}

static bool survives(const struct world *w, unsigned kind, unsigned lost_with)
{
    for (unsigned i = 0; i < SEGMENTS; i++) {
        unsigned left = 0;
        for (unsigned f = 0; f < N; f++)
            left += w->on[i][f] != 0 && !w->lost[w->on[i][f] - 1] &&
                    !together(w, kind, lost_with, w->on[i][f] - 1);
        if (left < K)
            return false;
    }
    return true;
}

static struct gw_whole expected(const struct world *w, unsigned kind)
{
    struct gw_whole e = { 0 };

    for (unsigned at = 0; at < CLOUDS; at++) {
        unsigned size = 0;
        bool first = true;
        for (unsigned other = 0; other < CLOUDS; other++) {
            size += together(w, kind, at, other);
            first = first && (other >= at || !together(w, kind, at, other));
        }
        e.labelled += w->labels[at].v[kind][0] != '\0';
        e.unlabelled += w->labels[at].v[kind][0] == '\0';
        if (!first)
            continue;
        e.count++;
        e.most = size > e.most ? size : e.most;
        if (!survives(w, kind, at))
            e.not_borne |= UINT32_C(1) << at;
    }
    if (e.labelled == 0)
        e = (struct gw_whole){ .unlabelled = e.unlabelled };
    return e;
}

/* *ret: how many losses were told not to be borne, and how many to be. */
static void compare(struct world *w, struct gw_status *s, unsigned ret[2])
{
    struct qc_err err = { 0 };

    gw_engine_look(w->r.e, s);
    CHECK_OK(gw_engine_counts(w->r.e, s, &err));
    for (unsigned kind = 0; kind < GW_LABELS; kind++) {
        const struct gw_whole have = s->wholes[kind], want = expected(w, kind);
        CHECK(have.labelled == want.labelled);
        CHECK(have.unlabelled == want.unlabelled);
        CHECK(have.count == want.count);
        CHECK(have.most == want.most);
        CHECK(have.not_borne == want.not_borne);
        const unsigned bad = (unsigned)__builtin_popcount(have.not_borne);
        ret[0] += bad;
        ret[1] += have.count - bad;
        for (unsigned i = 0; i < s->cloud_count; i++) {
            const char *label = w->labels[i].v[kind];
            CHECK(strcmp(gw_whole_name(s, (enum gw_domain)(kind + 1), i),
                         label[0] != '\0' ? label : s->clouds[i].name) == 0);
        }
    }
}

int main(void)
{
    static struct gw_status s;
    static struct world w;
    unsigned told[2] = { 0 };

    w.rand = qc_rand_start();
    erig_new(&w.r, CLOUDS, K, N);
    compare(&w, &s, told);
    CHECK(told[0] + told[1] == 0);
    for (unsigned i = 0; i < SEGMENTS; i++)
        put(&w, i);
    const uint64_t rounds = qc_rand_cases(100, 2000);
    for (uint64_t round = 0; round < rounds; round++) {
        change(&w, round < 20 ? 0 : (unsigned)qc_rand_below(&w.rand, 4));
        compare(&w, &s, told);
    }
    printf("%u losses not borne, %u borne\n", told[0], told[1]);
    CHECK(told[0] > 100 && told[1] > 100);
    erig_done(&w.r);
    return 0;
}
