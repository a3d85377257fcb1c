/* unit/gateway_scrub: what was planted on the clouds is what a scrub finds, each with its cloud, key and
 * kind, and nothing else; then it is mended without a command, and the next scrub finds nothing. A page that
 * was cut off is done again, and no other. (I1, ADR 18) */
#include "gw_repair_rig.h"

#include "gateway/scrub.h"
#include "scrub_internal.h"

enum { OBJECTS = 12, PLANTED_MAX = 32, TURNS = 4000 };

struct planted {
    unsigned cloud;
    char key[CLOUD_KEY_SIZE_MAX + 1];
    enum gw_finding_kind kind;
    bool seen;
};
struct plan {
    struct planted v[PLANTED_MAX];
    unsigned count;
};

static void plant(struct plan *p, struct erig *r, unsigned cloud, const char *path, enum gw_finding_kind kind)
{
    char root[320];

    CHECK(p->count < PLANTED_MAX);
    struct planted *row = &p->v[p->count++];
    erig_cloud(r, cloud, "", root, sizeof root);
    CHECK(strncmp(path, root, strlen(root)) == 0);
    *row = (struct planted){ .cloud = cloud, .kind = kind };
    CHECK(snprintf(row->key, sizeof row->key, "%s", path + strlen(root) + 1) > 0);
}

/* Until the scrub rests, with nothing but the scrub at work. */
static unsigned scrub_alone(struct erig *r)
{
    struct qc_err err = { 0 };
    unsigned pages = 0;
    bool more = true;

    while (more && pages < TURNS) {
        CHECK_OK(gw_engine_scrub_step(r->e, &more, &err));
        pages += more;
    }
    CHECK(pages < TURNS);
    return pages;
}

static void tidy_all(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = true;

    for (unsigned i = 0; i < TURNS && more; i++)
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
    for (unsigned i = 0; i < 4; i++) /* two rounds for dead keys */
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
}

static unsigned standing(struct erig *r)
{
    QC_CLEANUP(qc_free_ptr) struct gw_finding *v = qc_alloc(1000 * sizeof *v);
    struct qc_err err = { 0 };
    unsigned count = 0, open = 0;

    CHECK(v != NULL);
    CHECK_OK(gw_engine_findings(r->e, 0, v, 1000, &count, &err));
    for (unsigned i = 0; i < count; i++)
        open += v[i].ended_s == 0;
    return open;
}

/* The list found is the list planted. */
static void compare(struct erig *r, struct plan *p)
{
    QC_CLEANUP(qc_free_ptr) struct gw_finding *v = qc_alloc(1000 * sizeof *v);
    struct qc_err err = { 0 };
    unsigned count = 0;

    CHECK(v != NULL);
    CHECK_OK(gw_engine_findings(r->e, 0, v, 1000, &count, &err));
    for (unsigned i = 0; i < count; i++) {
        struct planted *row = NULL;
        for (unsigned x = 0; x < p->count; x++)
            if (gw_fan_id(r->e->fan, p->v[x].cloud) == v[i].cloud_id && strcmp(p->v[x].key, v[i].key) == 0)
                row = &p->v[x];
        if (row == NULL || row->kind != v[i].kind)
            printf("# found %s %s on cloud %u, planted %s\n", v[i].key, gw_finding_kind_name(v[i].kind),
                   (unsigned)v[i].cloud_id, row == NULL ? "nothing" : gw_finding_kind_name(row->kind));
        CHECK(row != NULL && row->kind == v[i].kind && !row->seen);
        CHECK(v[i].ended_s == 0 && v[i].found_s > 0);
        row->seen = true;
    }
    for (unsigned x = 0; x < p->count; x++) {
        if (!p->v[x].seen)
            printf("# not found: %s (%s)\n", p->v[x].key, gw_finding_kind_name(p->v[x].kind));
        CHECK(p->v[x].seen);
    }
}

static void put_file(const char *path, const char *text)
{
    char dir[600];

    CHECK(snprintf(dir, sizeof dir, "%s", path) > 0);
    *strrchr(dir, '/') = '\0';
    CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* A fragment of another object of the same size on the same cloud. */
static void other_fragment(struct erig *r, const struct erig_put *p, unsigned cloud, char ret[600])
{
    unsigned c;

    for (unsigned i = 0; i < r->n; i++) {
        rrig_fragment(r, p, 0, i, &c, ret);
        if (c == cloud)
            return;
    }
    CHECK(false);
}

/* The name of a fragment that no row explains. */
static void unexplained(struct erig *r, unsigned cloud, char ret[GW_NAME_SIZE])
{
    const struct gw_name name = { .kind = GW_NAME_FRAGMENT, .id = 1000000, .index = 1 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_name_make(r->e->root, gw_fan_id(r->e->fan, cloud), &name, ret, &err));
}

static void plant_foreign(struct erig *r, struct plan *plan)
{
    char ours[GW_NAME_SIZE];
    unexplained(r, 3, ours);
    const char *const names[] = {
        "f/ab/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", /* nearly the form of a name */
        "notes.txt",
        "x/y/z",
        ours,
    };
    for (unsigned i = 0; i < 4; i++) {
        char root[320], path[600], dir[600];
        erig_cloud(r, i, "", root, sizeof root);
        CHECK(snprintf(path, sizeof path, "%s/%s", root, names[i]) < 600);
        if (i == 2) {
            CHECK(snprintf(dir, sizeof dir, "%s/x", root) < 600);
            CHECK(mkdir(dir, 0700) == 0);
        }
        put_file(path, "nothing of ours");
        plant(plan, r, i, path, i == 3 ? GW_FINDING_UNKNOWN : GW_FINDING_FOREIGN);
    }
}

static void remove_foreign(struct erig *r, const struct plan *plan)
{
    for (unsigned x = 0; x < plan->count; x++)
        if (plan->v[x].kind >= GW_FINDING_UNKNOWN) {
            char root[320], path[600];
            erig_cloud(r, plan->v[x].cloud, "", root, sizeof root);
            CHECK(snprintf(path, sizeof path, "%s/%s", root, plan->v[x].key) < 600);
            CHECK(unlink(path) == 0);
        }
}

/* Of everything: lost, cut, longer, empty, flipped, another's; a log object lost and one flipped; foreign. */
static void plant_all(struct erig *r, const struct erig_put *puts, struct plan *plan, struct qc_rand *rand)
{
    static const enum gw_finding_kind kinds[RRIG_DAMAGES] = {
        [RRIG_LOST] = GW_FINDING_MISSING,    [RRIG_EMPTY] = GW_FINDING_SIZE,
        [RRIG_CUT] = GW_FINDING_SIZE,        [RRIG_LONGER] = GW_FINDING_SIZE,
        [RRIG_FLIPPED] = GW_FINDING_DAMAGED, [RRIG_STALE] = GW_FINDING_STALE,
    };
    for (unsigned x = 0; x < 2 * RRIG_DAMAGES; x++) { /* two of a kind, on objects of their own */
        const enum rrig_damage d = (enum rrig_damage)(x % RRIG_DAMAGES);
        const unsigned frag = (unsigned)qc_rand_below(rand, r->n);
        char path[600], other[600] = "";
        unsigned cloud;
        rrig_fragment(r, &puts[x % (OBJECTS - 1)], 0, frag, &cloud, path);
        bool twice = false;
        for (unsigned y = 0; y < plan->count; y++)
            twice |= strstr(path, plan->v[y].key) != NULL;
        if (twice)
            continue;
        other_fragment(r, &puts[OBJECTS - 1], cloud, other);
        rrig_damage(path, d, other, rand);
        plant(plan, r, cloud, path, kinds[d]);
    }
    plant_foreign(r, plan);
}

static void one_scrub(unsigned seed)
{
    struct qc_rand rand = { .state = seed };
    struct erig r;
    struct erig_put puts[OBJECTS];
    struct plan plan = { 0 };
    struct gw_scrub_cloud view;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    erig_new(&r, 5, 3, 5);
    for (unsigned i = 0; i < OBJECTS; i++) {
        static char paths[OBJECTS][16];
        CHECK(snprintf(paths[i], sizeof paths[i], "\1o%u", i) > 0);
        puts[i] = erig_prepare(10 + i, paths[i], 1, 1, 5000);
        CHECK_OK(erig_put(&r, &puts[i], &receipt, &err));
    }
    CHECK(scrub_alone(&r) == 0); /* nothing is due in a new gateway */
    CHECK_OK(gw_engine_scrub_view(r.e, 0, &view, &err));
    CHECK(view.depth[0].last_ended_s == 0 && view.depth[1].last_ended_s == 0);
    plant_all(&r, puts, &plan, &rand);
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    CHECK(scrub_alone(&r) > 0);
    compare(&r, &plan);
    uint64_t queue = 0, found = 0;
    for (unsigned at = 0; at < 5; at++) {
        CHECK_OK(gw_engine_scrub_view(r.e, at, &view, &err));
        for (unsigned d = 0; d < GW_DEPTHS; d++) {
            CHECK(view.depth[d].last_ended_s > 0 && !view.depth[d].running && !view.depth[d].wanted);
            found += view.depth[d].last_found;
        }
        queue += view.queue;
    }
    CHECK(found == plan.count && queue == plan.count - 4);
    for (unsigned i = 0; i < OBJECTS; i++)
        rrig_honest(&r, &puts[i]);
    tidy_all(&r);
    CHECK(standing(&r) == 4); /* what is not ours is the operator's to look at */
    rrig_whole(&r, puts, OBJECTS);
    remove_foreign(&r, &plan);
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    CHECK(scrub_alone(&r) > 0);
    CHECK(standing(&r) == 0);
    for (unsigned at = 0; at < 5; at++) {
        CHECK_OK(gw_engine_scrub_view(r.e, at, &view, &err));
        CHECK(view.depth[0].last_found == 0 && view.depth[1].last_found == 0 && view.queue == 0);
    }
    erig_done(&r);
}

/* What a repair comes across has its finding as well: of two bad fragments of a segment the scrub of one
 * cloud sees one, and the repair that follows mends both. */
static void by_repair(void)
{
    const enum gw_finding_kind kinds[2] = { GW_FINDING_DAMAGED, GW_FINDING_MISSING };
    struct gw_finding v[4] = { 0 };
    struct gw_repair_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct plan plan = { 0 };
    unsigned cloud, count;
    struct erig r;
    char path[600];

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(10, "\1o", 1, 1, 5000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    for (unsigned i = 0; i < 2; i++) {
        rrig_fragment(&r, &p, 0, i, &cloud, path);
        plant(&plan, &r, cloud, path, kinds[i]);
        if (kinds[i] == GW_FINDING_DAMAGED)
            rrig_flip(path, 300);
        else
            CHECK(unlink(path) == 0);
    }
    CHECK_OK(rrig_repair(&r, true, &report));
    CHECK_OK(gw_engine_findings(r.e, 0, v, 4, &count, &err));
    CHECK(count == 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct planted *x = &plan.v[strcmp(plan.v[0].key, v[i].key) == 0 ? 0 : 1];
        CHECK(strcmp(x->key, v[i].key) == 0 && gw_fan_id(r.e->fan, x->cloud) == v[i].cloud_id);
        CHECK(v[i].kind == x->kind && v[i].source == GW_FOUND_BY_READ && v[i].ended_s > 0);
    }
    CHECK(v[0].no != v[1].no);
    rrig_whole(&r, &p, 1);
    erig_done(&r);
}

/* What a read came across is named as a scrub would have named it. A read asks for some k fragments: which of
 * the two bad ones it meets is not known beforehand. */
static void by_read(void)
{
    static const enum rrig_damage how[] = { RRIG_CUT, RRIG_FLIPPED, RRIG_STALE };
    static const enum gw_finding_kind kinds[] = { GW_FINDING_SIZE, GW_FINDING_DAMAGED, GW_FINDING_STALE };
    struct qc_rand rand = { .state = 5 };
    struct gw_finding v[PLANTED_MAX] = { 0 };
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct plan plan = { 0 };
    unsigned cloud, count, of_kind[GW_FINDING_KINDS] = { 0 };
    struct erig_put puts[10];
    static char paths[10][8];
    struct erig r;

    erig_new(&r, 5, 3, 5);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(snprintf(paths[i], sizeof paths[i], "\1o%u", i) > 0);
        puts[i] = erig_prepare(10 + i, paths[i], 1, 1, 5000);
        CHECK_OK(erig_put(&r, &puts[i], &receipt, &err));
    }
    for (unsigned i = 0; i < 9; i++) {
        for (unsigned frag = 0; frag < 2; frag++) {
            char path[600], other[600];
            rrig_fragment(&r, &puts[i], 0, frag, &cloud, path);
            other_fragment(&r, &puts[9], cloud, other);
            rrig_damage(path, how[i % 3], other, &rand);
            plant(&plan, &r, cloud, path, kinds[i % 3]);
        }
        CHECK_OK(erig_check(&r, &puts[i], &err));
    }
    for (unsigned i = 0; i < PLANTED_MAX; i++)
        CHECK_OK(gw_tidy_suspects(r.e, &err));
    CHECK_OK(gw_engine_findings(r.e, 0, v, PLANTED_MAX, &count, &err));
    for (unsigned i = 0; i < count; i++) {
        const struct planted *x = NULL;
        for (unsigned at = 0; at < plan.count && x == NULL; at++)
            if (strcmp(plan.v[at].key, v[i].key) == 0)
                x = &plan.v[at];
        CHECK(x != NULL && v[i].kind == x->kind && v[i].source == GW_FOUND_BY_READ);
        of_kind[v[i].kind]++;
    }
    for (unsigned i = 0; i < 3; i++)
        CHECK(of_kind[kinds[i]] > 0);
    erig_done(&r);
}

static void put_many(struct erig *r, unsigned count)
{
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < count; i++) {
        char path[16];
        CHECK(snprintf(path, sizeof path, "\1m%u", i) > 0);
        const struct erig_put p = erig_prepare(100 + i, path, 1, 1, 100);
        CHECK_OK(erig_put(r, &p, &receipt, &err));
    }
}

static void put_row(struct erig *r, const struct gw_scrub_row *row)
{
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
    CHECK_OK(gw_cat_scrub_put(r->e->cat, row, &err));
    CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
}

/* Who asks for a pass means all that lies there then, also what the pass under way is past; and nothing that
 * a page writes forgets it. */
static void asked_meanwhile(void)
{
    struct gw_scrub_view v;
    struct gw_scrub_cloud view;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct plan plan = { 0 };
    struct gw_scrub_row row;
    unsigned cloud, pages = 0;
    struct erig r;
    char path[600];
    bool more;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(10, "\1first", 1, 1, 5000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    put_many(&r, 2 * QC_GW_SCRUB_SEGMENTS + 6);
    rrig_fragment(&r, &p, 0, 0, &cloud, path);
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    do {
        CHECK_OK(gw_engine_scrub_step(r.e, &more, &err));
        CHECK_OK(gw_engine_scrub_view(r.e, cloud, &view, &err));
        v = view.depth[GW_CONTENT - 1];
    } while (v.objects == 0 && pages++ < TURNS);
    CHECK(v.running && !v.again && v.objects > 0); /* it is past the first object */
    rrig_flip(path, 300);
    plant(&plan, &r, cloud, path, GW_FINDING_DAMAGED);
    CHECK_OK(gw_scrub_row(r.e, cloud, GW_CONTENT, &row, &err)); /* as a page reads it, .. */
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    put_row(&r, &row); /* .. and writes it */
    CHECK_OK(gw_engine_scrub_view(r.e, cloud, &view, &err));
    CHECK(view.depth[GW_CONTENT - 1].again);
    CHECK(scrub_alone(&r) > 0);
    compare(&r, &plan);
    for (unsigned at = 0; at < 5; at++) {
        CHECK_OK(gw_engine_scrub_view(r.e, at, &view, &err));
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            CHECK(!view.depth[d].running && !view.depth[d].wanted && !view.depth[d].again);
    }
    erig_done(&r);
}

/* A cloud that is away is looked at once, not once for each depth; its pages are no work that goes on, and
 * the other clouds have theirs. */
static void one_is_away(void)
{
    enum { AWAY = 2 };
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_scrub_cloud view;
    struct erig r;
    bool more = true;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    erig_lose(&r, AWAY);
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    CHECK(scrub_alone(&r) > 4);
    const struct gw_scrub_rest *rests = r.e->scrubs.rests[AWAY];
    CHECK(rests[0].failures == 1 && rests[1].failures == 0 && rests[0].until_ms == rests[1].until_ms);
    CHECK(rests[0].until_ms > gw_env_now(r.e->env) && rests[0].why[0] != '\0');
    for (unsigned at = 0; at < 5; at++) {
        CHECK_OK(gw_engine_scrub_view(r.e, at, &view, &err));
        CHECK(view.depth[0].wanted == (at == AWAY) && view.depth[1].wanted == (at == AWAY));
    }
    r.e->scrubs.rests[AWAY][0].until_ms = 0; /* it alone is left, and due: that comes to nothing */
    CHECK_OK(gw_engine_scrub_step(r.e, &more, &err));
    CHECK(!more && rests[0].failures == 2);
    erig_done(&r);
}

/* A cloud that is paused has no turn, whoever asks, until it is resumed; so does a pass that is under way,
 * which goes on where it was. That, and a rate, outlive the gateway. */
static void by_hand(void)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_scrub_cloud view;
    uint64_t rate = 0, objects;
    unsigned pages = 0;
    bool more = true, set = true;
    struct erig r;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    put_many(&r, 2 * QC_GW_SCRUB_SEGMENTS + 6);
    CHECK_RC(gw_engine_scrub_pause(r.e, "none", true, &err), QC_NOTFOUND);
    CHECK_RC(gw_engine_scrub_pause(r.e, "No Name", true, &err), QC_USAGE);
    CHECK_OK(gw_engine_scrub_pause(r.e, gw_fan_name(r.e->fan, 2), true, &err));
    CHECK_OK(gw_engine_scrub_pause(r.e, gw_fan_name(r.e->fan, 2), true, &err)); /* anew, and once */
    CHECK_OK(gw_engine_scrub_rate(r.e, 4096, &err));
    CHECK_OK(gw_engine_scrub(r.e, false, NULL, &err));
    CHECK(scrub_alone(&r) > 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned at = 0; at < 5; at++) {
            CHECK_OK(gw_engine_scrub_view(r.e, at, &view, &err));
            CHECK((view.paused_s != 0) == (at == 2) && view.depth[0].wanted == (at == 2));
            CHECK((view.depth[0].last_ended_s == 0) == (at == 2));
            CHECK((strstr(view.depth[0].why, "by hand") != NULL) == (at == 2));
        }
        CHECK_OK(gw_engine_scrub_pace(r.e, &rate, &set, &err));
        CHECK(rate == 4096 && set);
        gw_engine_close(&r.e);
        erig_open(&r);
    }
    CHECK_OK(gw_engine_scrub_rate(r.e, GW_SCRUB_NO_RATE, &err));
    CHECK_OK(gw_engine_scrub_pace(r.e, &rate, &set, &err));
    CHECK(rate == 0 && set);
    CHECK_OK(gw_engine_scrub_rate(r.e, 0, &err));
    CHECK_OK(gw_engine_scrub_pace(r.e, &rate, &set, &err));
    CHECK(rate == gw_scrub_default.bytes_per_s && !set);
    CHECK_OK(gw_engine_scrub_pause(r.e, NULL, false, &err));
    CHECK(scrub_alone(&r) > 0);
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    do { /* in the middle of a pass */
        CHECK_OK(gw_engine_scrub_step(r.e, &more, &err));
        CHECK_OK(gw_engine_scrub_view(r.e, 1, &view, &err));
    } while (view.depth[GW_CONTENT - 1].objects == 0 && pages++ < TURNS);
    objects = view.depth[GW_CONTENT - 1].objects;
    CHECK(view.depth[GW_CONTENT - 1].running && objects > 0);
    CHECK_OK(gw_engine_scrub_pause(r.e, NULL, true, &err));
    CHECK(scrub_alone(&r) == 0);
    CHECK_OK(gw_engine_scrub_view(r.e, 1, &view, &err));
    CHECK(view.depth[GW_CONTENT - 1].running && view.depth[GW_CONTENT - 1].objects == objects);
    CHECK_OK(gw_engine_scrub_pause(r.e, NULL, false, &err));
    CHECK(scrub_alone(&r) > 0);
    CHECK_OK(gw_engine_scrub_view(r.e, 1, &view, &err));
    CHECK(!view.depth[GW_CONTENT - 1].running && view.depth[GW_CONTENT - 1].last_objects > objects);
    CHECK(view.paused_s == 0 && view.depth[0].why[0] == '\0');
    erig_done(&r);
}

/* A pause is over after a day, whoever forgot it; and one of a clock that was far ahead. */
static void pause_ends(void)
{
    static const struct {
        int64_t ago_s;
        bool paused;
    } rows[] = { { 0, true },
                 { QC_GW_SCRUB_PAUSE_S - 100, true },
                 { QC_GW_SCRUB_PAUSE_S, false },
                 { 400 * QC_GW_SCRUB_PAUSE_S, false },
                 { -60, true },
                 { -2 * QC_GW_SCRUB_PAUSE_S, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t since_s = qc_wall_s() - rows[i].ago_s;
        const struct gw_scrub_hand h = { .paused = { { 3, qc_wall_s() }, { 7, since_s } } };
        CHECK(gw_scrub_paused(&h, 7) == (rows[i].paused ? since_s : 0) && gw_scrub_paused(&h, 9) == 0);
    }
}

/* -- whose turn ------------------------------------------------------------------------------------------ */

struct progress {
    uint64_t objects;
    bool running;
};

static void look(struct erig *r, struct progress ret[5][GW_DEPTHS])
{
    struct gw_scrub_cloud view;
    struct qc_err err = { 0 };

    for (unsigned at = 0; at < 5; at++) {
        CHECK_OK(gw_engine_scrub_view(r->e, at, &view, &err));
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            ret[at][d] = (struct progress){ .objects = view.depth[d].running ? view.depth[d].objects
                                                                             : view.depth[d].last_objects,
                                            .running = view.depth[d].running };
    }
}

/* All clouds' listings before anything is read, one listing to its end before another begins, and clouds are
 * read in turn: one page each. */
static void in_order(void)
{
    struct progress was[5][GW_DEPTHS], is[5][GW_DEPTHS];
    struct qc_err err = { 0 };
    unsigned listed = 0, reads = 0, last = 5, turns = 0;
    struct erig r;
    bool more = true;

    erig_new(&r, 5, 3, 5);
    put_many(&r, QC_GW_SCRUB_SEGMENTS + 6); /* more than one page */
    CHECK_OK(gw_engine_scrub(r.e, true, NULL, &err));
    look(&r, was);
    for (unsigned page = 0; page < TURNS && more; page++) {
        unsigned listings = 0;
        CHECK_OK(gw_engine_scrub_step(r.e, &more, &err));
        look(&r, is);
        for (unsigned at = 0; at < 5; at++) {
            listings += is[at][0].running;
            listed += was[at][0].running && !is[at][0].running;
            if (is[at][1].objects == was[at][1].objects)
                continue;
            CHECK(listed == 5); /* presence comes first */
            reads++;
            turns += reads > 1 && at == (last + 1) % 5;
            last = at;
        }
        CHECK(listings <= 1);
        memcpy(was, is, sizeof was);
    }
    CHECK(listed == 5 && reads >= 10 && turns >= reads - 2);
    erig_done(&r);
}

/* By the calendar: a period after the last pass began, never where the period is 0, and at once where the
 * clock was set back. */
static void when(void)
{
    static const struct gw_scrub_conf never = { 0 }, daily = { .presence_s = 86400 };
    static const struct {
        const struct gw_scrub_conf *conf;
        int64_t began; /* from now */
        bool due;
    } rows[] = { { NULL, -86390, false },
                 { NULL, -86400, true },
                 { NULL, 1000, true },
                 { NULL, -10, false },
                 { &never, -900000, false } };
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, 5, 3, 5);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_scrub_row row;
        gw_engine_scrub_conf(r.e, rows[i].conf != NULL ? rows[i].conf : &daily);
        CHECK_OK(gw_scrub_row(r.e, 1, GW_PRESENCE, &row, &err));
        row.now.began = qc_wall_s() + rows[i].began;
        put_row(&r, &row);
        CHECK((scrub_alone(&r) > 0) == rows[i].due);
    }
    erig_done(&r);
}

/* A pass is behind the margin of what was committed before it began, on every cloud that has some of it. */
static void ages(void)
{
    static const struct {
        int64_t presence, content; /* every cloud's last pass, from the commit on */
        int64_t one;               /* another presence pass of one cloud */
        bool ended;                /* that of the one cloud */
        int64_t want_presence, want_content;
    } rows[] = {
        { 10, 0, 10, true, 10, 0 }, { 10, 0, 5, true, 5, 0 },   { 10, 0, 0, true, 0, 0 },
        { 10, 0, -9, true, 0, 0 },  { 10, 0, 10, false, 0, 0 }, { 10, 20, 10, true, 20, 20 },
        { -5, -5, -5, true, 0, 0 }, { -5, 7, -5, false, 7, 7 },
    };
    struct gw_receipt receipt;
    struct gw_version_info info;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    const struct gw_version_ids ids = { .vault = r.vault,
                                        .object = p.entry.object,
                                        .version = p.entry.version };
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.written_s > 0 && info.seen_s[0] == info.written_s && info.seen_s[1] == info.written_s);
    const int64_t w = info.written_s;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned at = 0; at < 5; at++)
            for (enum gw_depth d = GW_PRESENCE; d <= GW_CONTENT; d++) {
                struct gw_scrub_row row;
                const bool one = at == 3 && d == GW_PRESENCE;
                CHECK_OK(gw_scrub_row(r.e, at, d, &row, &err));
                row.last.began = w + (one                ? rows[i].one
                                      : d == GW_PRESENCE ? rows[i].presence
                                                         : rows[i].content);
                row.last.ended = one && !rows[i].ended ? 0 : w + 100;
                put_row(&r, &row);
            }
        CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
        CHECK(info.written_s == w && info.seen_s[0] == w + rows[i].want_presence &&
              info.seen_s[1] == w + rows[i].want_content);
    }
    erig_done(&r);
}

int main(void)
{
    ages();
    in_order();
    when();
    one_scrub(1);
    one_scrub(2);
    by_repair();
    by_read();
    asked_meanwhile();
    one_is_away();
    by_hand();
    pause_ends();
    return 0;
}
