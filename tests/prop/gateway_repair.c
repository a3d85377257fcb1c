/* prop/gateway_repair: whatever is lost or rots up to the margin, a repair makes whole, so that as much may
 * be lost again: other clouds, and the catalogue. And a repair in the middle of puts, reads and removals
 * disturbs none, nor they it. (I1, I2) */
#include <pthread.h>

#include "gw_repair_rig.h"

enum { OBJECTS = 3, PATH_SIZE = 16, EDITS = 24, ROUNDS = 6 };

/* -- random damage --------------------------------------------------------------------------------------- */

struct store {
    struct erig r;
    struct erig_put puts[OBJECTS];
    char paths[OBJECTS][PATH_SIZE];
    struct qc_rand *rand;
    unsigned spare;  /* fragments of each segment that may still be damaged */
    int wiped, safe; /* clouds: all gone, -1 none; records stay good */
};

static unsigned below(struct store *s, unsigned n)
{
    return (unsigned)qc_rand_below(s->rand, n);
}

static void make(struct store *s)
{
    const unsigned clouds = 2 + below(s, 5), n = 2 + below(s, clouds - 1), k = 1 + below(s, n - 1);

    erig_new(&s->r, clouds, k, n);
    s->spare = n - k;
    s->wiped = -1;
    for (unsigned i = 0; i < OBJECTS; i++) {
        CHECK(snprintf(s->paths[i], PATH_SIZE, "\1p%u", i) > 0);
        s->puts[i] = erig_prepare(qc_rand_u64(s->rand), s->paths[i], 1, 1 + below(s, 3), 1 + below(s, 3000));
    }
}

/* Some are put while a cloud is away, if that is enough to put. */
static void put_all(struct store *s)
{
    const struct gw_config *conf = &s->r.e->conf;
    const bool owes = conf->write_quorum < conf->n && below(s, 2) == 0;
    const unsigned away = below(s, s->r.clouds);
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    if (owes)
        erig_lose(&s->r, away);
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK_OK(erig_put(&s->r, &s->puts[i], &receipt, &err));
    if (owes) {
        bool more;
        erig_find(&s->r, away);
        CHECK_OK(
            gw_engine_tidy(s->r.e, &more, &err)); /* what it lacks of the log is paid; fragments stay owed */
        s->spare--;
    }
}

static void wipe(struct store *s)
{
    char cloud[320], command[400];

    if (s->spare == 0 || below(s, 2) == 0)
        return;
    s->wiped = (int)below(s, s->r.clouds);
    s->spare--;
    erig_cloud(&s->r, (unsigned)s->wiped, "", cloud, sizeof cloud);
    CHECK(snprintf(command, sizeof command, "rm -rf '%s'", cloud) > 0 && system(command) == 0);
}

static void damage_segment(struct store *s, const struct erig_put *p, uint32_t seq)
{
    const unsigned count = below(s, s->spare + 1);

    for (unsigned done = 0; done < count; done++) {
        const enum rrig_damage d = (enum rrig_damage)below(s, RRIG_STALE);
        char path[600];
        unsigned cloud;
        rrig_fragment(&s->r, p, seq, below(s, s->r.n), &cloud, path);
        if (access(path, F_OK) == 0)
            rrig_damage(path, d, NULL, s->rand);
    }
}

/* Records rot and go, but for one cloud's: with all copies gone there is nothing to copy. */
static struct store *spoiling;
static int spoil(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F || (strstr(path, "/l/") == NULL && strstr(path, "/r/") == NULL))
        return 0;
    switch (below(spoiling, 4)) {
    case 0:
        return unlink(path);
    case 1:
        rrig_flip(path, (size_t)qc_rand_below(spoiling->rand, (uint64_t)st->st_size));
        return 0;
    default:
        return 0;
    }
}

static void damage_records(struct store *s)
{
    char cloud[320];

    do
        s->safe = (int)below(s, s->r.clouds);
    while (s->safe == s->wiped);
    spoiling = s;
    for (unsigned i = 0; i < s->r.clouds; i++) {
        if ((int)i == s->safe || (int)i == s->wiped)
            continue;
        erig_cloud(&s->r, i, "", cloud, sizeof cloud);
        CHECK(nftw(cloud, spoil, 16, FTW_PHYS) == 0);
    }
}

static void lose_some(struct store *s, unsigned lost[QC_GW_CLOUDS_MAX])
{
    const unsigned m = s->r.n - s->r.k;

    for (unsigned i = 0; i < s->r.clouds; i++)
        lost[i] = i;
    qc_rand_choose(s->rand, lost, s->r.clouds, m);
    for (unsigned i = 0; i < m; i++)
        erig_lose(&s->r, lost[i]);
}

static void check_all(struct store *s)
{
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK_OK(erig_check(&s->r, &s->puts[i], &err));
}

static void one_case(struct qc_rand *rand)
{
    struct store s = { .rand = rand };
    char name[8];
    struct gw_repair_report report;
    struct gw_rebuild_report rebuilt;
    struct qc_err err = { 0 };
    unsigned lost[QC_GW_CLOUDS_MAX];

    make(&s);
    const unsigned m = s.r.n - s.r.k;
    put_all(&s);
    wipe(&s);
    for (unsigned i = 0; i < OBJECTS; i++)
        for (uint32_t seq = 0; seq < s.puts[i].segments; seq++)
            damage_segment(&s, &s.puts[i], seq);
    damage_records(&s);
    check_all(&s); /* up to the margin nothing is lost */
    CHECK(snprintf(name, sizeof name, "c%d", s.wiped + 1) > 0);
    const struct gw_repair_ask ask = { .deep = true, .adopt = s.wiped >= 0 ? name : NULL };
    CHECK_OK(gw_engine_repair(s.r.e, &ask, &report, &err));
    CHECK_OK(gw_repair_verdict(&report, &err));
    rrig_whole(&s.r, s.puts, OBJECTS);
    lose_some(&s, lost);
    check_all(&s);
    gw_engine_close(&s.r.e);
    if (s.r.clouds - m >= m + 1) { /* fewer clouds than the record quorum cannot be rebuilt from */
        CHECK_OK(erig_rebuild(&s.r, s.r.state, &rebuilt, &err));
        CHECK(rebuilt.versions == OBJECTS && rebuilt.unreadable == 0);
        erig_open(&s.r);
        check_all(&s);
    }
    erig_done(&s.r);
}

/* -- in the middle of everything ------------------------------------------------------------------------- */

struct user {
    struct erig *r;
    const struct erig_put *fixed; /* objects that are damaged and repaired meanwhile */
    atomic_bool stop;
    unsigned done;
};

/* A name is written, read, written over and removed, again and again. */
static void *edits(void *arg)
{
    struct user *u = arg;
    struct qc_err err = { 0 };

    for (uint64_t number = 1; number <= EDITS; number++) {
        const struct erig_put p = erig_prepare(1000 + number, "\1edited", number, 2, 900);
        struct gw_receipt receipt;
        if (number % 3 == 0) {
            CHECK_OK(erig_remove(u->r, &p, &receipt, &err));
        } else {
            CHECK_OK(erig_put(u->r, &p, &receipt, &err));
            CHECK(receipt.acked_margin == receipt.margin_full);
            CHECK_OK(erig_check(u->r, &p, &err));
        }
        u->done++;
    }
    return NULL;
}

static void *reads(void *arg)
{
    struct user *u = arg;
    struct qc_err err = { 0 };

    for (unsigned i = 0; !atomic_load(&u->stop); i++, u->done++)
        CHECK_OK(erig_check(u->r, &u->fixed[i % OBJECTS], &err));
    return NULL;
}

/* The daemon's housekeeping. */
static void *tidies(void *arg)
{
    struct user *u = arg;
    struct qc_err err = { 0 };
    bool more;

    for (; !atomic_load(&u->stop); u->done++)
        CHECK_OK(gw_engine_tidy(u->r->e, &more, &err));
    return NULL;
}

static void crowd(struct qc_rand *rand)
{
    struct store s = { .rand = rand, .wiped = -1 };
    struct gw_receipt receipt;
    struct gw_status status;
    struct qc_err err = { 0 };
    bool more = true;

    erig_new(&s.r, 5, 3, 5);
    for (unsigned i = 0; i < OBJECTS; i++) {
        CHECK(snprintf(s.paths[i], PATH_SIZE, "\1p%u", i) > 0);
        s.puts[i] = erig_prepare(i + 1, s.paths[i], 1, 2, 2000);
        CHECK_OK(erig_put(&s.r, &s.puts[i], &receipt, &err));
    }
    struct user users[3] = { { .r = &s.r }, { .r = &s.r, .fixed = s.puts }, { .r = &s.r } };
    void *(*const runs[3])(void *) = { edits, reads, tidies };
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, runs[i], &users[i]) == 0);
    s.spare = 2;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct gw_repair_report report;
        for (unsigned i = 0; i < OBJECTS; i++)
            damage_segment(&s, &s.puts[i], round % 2);
        const struct gw_repair_ask ask = { .deep = true };
        CHECK_OK(gw_engine_repair(s.r.e, &ask, &report, &err));
        CHECK_OK(gw_repair_verdict(&report, &err));
        CHECK(rrig_sum(&report).unknown == 0 && rrig_sum(&report).foreign == 0);
        CHECK(rrig_repair(&s.r, false, &report) == QC_OK);
    }
    CHECK(pthread_join(threads[0], NULL) == 0 && users[0].done == EDITS);
    for (unsigned i = 1; i < 3; i++) {
        atomic_store(&users[i].stop, true);
        CHECK(pthread_join(threads[i], NULL) == 0 && users[i].done > 0);
    }
    while (more)
        CHECK_OK(gw_engine_tidy(s.r.e, &more, &err));
    CHECK_OK(gw_engine_status(s.r.e, &status, &err));
    CHECK(status.margin_count == 1 && status.margins[0].margin == 2 && status.record_debts == 0);
    check_all(&s);
    erig_done(&s.r);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    const uint64_t cases = qc_rand_cases(8, 400);

    for (uint64_t i = 0; i < cases; i++)
        one_case(&rand);
    crowd(&rand);
    return 0;
}
