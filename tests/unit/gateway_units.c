/* unit/gateway_units: the pool of units is shared by tenants so that none has it all, and nobody waits behind
 * a crowd. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/time.h"
#include "gw_rig.h"
#include "store_internal.h"

enum {
    UNITS = QC_GW_UNITS,
    KEPT = UNITS / 3,
    GREEDY = 1,
    QUIET = 2,
    CROWD = 12,
    ROUNDS = 300,
    LONG_MS = 30000
};

static bool take(struct rig *r, uint32_t tenant, struct gw_unit **ret)
{
    struct qc_err err = { 0 };
    const qc_rc rc = gw_unit_take(r->store, tenant, qc_deadline_in(0), ret, &err);
    CHECK(rc == QC_OK || rc == QC_TEMP);
    return rc == QC_OK;
}

/* One tenant takes all that it gets: a third stays for those who have none, one each. */
static void kept_back(struct rig *r)
{
    struct gw_unit *mine[UNITS] = { 0 }, *theirs[UNITS] = { 0 };
    unsigned n = 0, m = 0;

    while (take(r, GREEDY, &mine[n]))
        n++;
    CHECK(n == UNITS - KEPT);
    for (uint32_t other = QUIET; take(r, other, &theirs[m]); other++)
        m++;
    CHECK(m == KEPT);
    gw_unit_done(&theirs[0]);
    CHECK(!take(r, GREEDY, &theirs[0]) && !take(r, QUIET + 1, &theirs[0])); /* both have some */
    CHECK(take(r, QUIET, &theirs[0]));
    for (unsigned i = 0; i < UNITS; i++) {
        gw_unit_done(&mine[i]);
        gw_unit_done(&theirs[i]);
    }
}

/* Where nobody else is, the owner has all of them. */
static void owner(struct rig *r)
{
    struct gw_unit *mine[UNITS + 1] = { 0 };

    for (unsigned i = 0; i < UNITS; i++)
        CHECK(take(r, GW_OWNER, &mine[i]));
    CHECK(!take(r, GW_OWNER, &mine[UNITS]));
    for (unsigned i = 0; i < UNITS; i++)
        gw_unit_done(&mine[i]);
}

/* A request that is over does not count, though a worker that hangs still has its unit. */
static void hanging(struct rig *r)
{
    struct gw_unit *mine[UNITS] = { 0 }, *more = NULL, *stuck = NULL;

    for (unsigned i = 0; i < UNITS - KEPT; i++)
        CHECK(take(r, GREEDY, &mine[i]));
    stuck = gw_unit_share(mine[0]);
    gw_unit_done(&mine[0]);
    CHECK(!take(r, GREEDY, &more)); /* the pool is what it was */
    gw_unit_done(&mine[1]);
    CHECK(take(r, GREEDY, &more));
    gw_unit_give(&stuck);
    gw_unit_done(&more);
    for (unsigned i = 2; i < UNITS; i++)
        gw_unit_done(&mine[i]);
}

struct waiting {
    struct rig *r;
    uint32_t tenant;
    struct gw_unit *unit;
    atomic_uint *order;
    unsigned place;
    pthread_t thread;
};

static void *await_unit(void *arg)
{
    struct waiting *w = arg;
    struct qc_err err = { 0 };
    CHECK_OK(gw_unit_take(w->r->store, w->tenant, qc_deadline_in(LONG_MS), &w->unit, &err));
    w->place = atomic_fetch_add(w->order, 1);
    return NULL;
}

static unsigned waiters(struct rig *r)
{
    unsigned n = 0;
    QC_LOCK(&r->store->lock);
    for (const struct unit_waiter *w = r->store->waiters; w != NULL; w = w->next)
        n++;
    return n;
}

static void start_waiting(struct waiting *w, struct rig *r, uint32_t tenant, atomic_uint *order)
{
    const unsigned before = waiters(r);
    *w = (struct waiting){ .r = r, .tenant = tenant, .order = order };
    CHECK(pthread_create(&w->thread, NULL, await_unit, w) == 0);
    while (waiters(r) == before)
        sched_yield();
}

/* Who comes later and has fewer is served before; of those with as many, who came first. */
static void order(struct rig *r)
{
    struct gw_unit *mine[UNITS] = { 0 };
    struct waiting w[4];
    atomic_uint served = 0;

    for (unsigned i = 0; i < UNITS - KEPT; i++)
        CHECK(take(r, GREEDY, &mine[i]));
    for (unsigned i = UNITS - KEPT; i < UNITS; i++)
        CHECK(take(r, 10 + i, &mine[i]));
    start_waiting(&w[0], r, GREEDY, &served);
    start_waiting(&w[1], r, GREEDY, &served);
    start_waiting(&w[2], r, QUIET, &served);
    start_waiting(&w[3], r, QUIET + 1, &served);
    CHECK(gw_store_wanted(r->store));
    for (unsigned i = 0; i < 4; i++) {
        gw_unit_done(&mine[UNITS - 1 - i]);
        const unsigned want =
            i < 2 ? i + 1 : 0; /* the two that have none; then nobody, as GREEDY has its share */
        while (want != 0 && atomic_load(&served) < want)
            sched_yield();
    }
    gw_unit_done(&mine[0]);
    gw_unit_done(&mine[1]);
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_join(w[i].thread, NULL) == 0);
    CHECK(w[2].place == 0 && w[3].place == 1 && w[0].place + w[1].place == 5);
    CHECK(!gw_store_wanted(r->store));
    for (unsigned i = 0; i < 4; i++)
        gw_unit_done(&w[i].unit);
}

static struct {
    atomic_uint held, most;
    atomic_bool stop;
} crowd;

static void *greedy(void *arg)
{
    struct rig *r = arg;
    while (!atomic_load(&crowd.stop)) {
        struct gw_unit *u = NULL;
        struct qc_err err = { 0 };
        CHECK_OK(gw_unit_take(r->store, GREEDY, qc_deadline_in(LONG_MS), &u, &err));
        const unsigned now = atomic_fetch_add(&crowd.held, 1) + 1;
        unsigned most = atomic_load(&crowd.most);
        while (now > most && !atomic_compare_exchange_weak(&crowd.most, &most, now))
            continue;
        sched_yield();
        atomic_fetch_sub(&crowd.held, 1);
        gw_unit_done(&u);
    }
    return NULL;
}

/* Beside a crowd of another tenant's requests, a unit is there as soon as those who were first have run: at
 * an instant at which the crowd holds none, one of it may be before us. */
static void beside_a_crowd(struct rig *r)
{
    pthread_t threads[CROWD];

    for (unsigned i = 0; i < CROWD; i++)
        CHECK(pthread_create(&threads[i], NULL, greedy, r) == 0);
    while (atomic_load(&crowd.most) < UNITS - KEPT)
        sched_yield();
    const qc_deadline all = qc_deadline_in(LONG_MS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct gw_unit *u = NULL;
        struct qc_err err = { 0 };
        CHECK_OK(gw_unit_take(r->store, QUIET, all, &u, &err));
        gw_unit_done(&u);
    }
    atomic_store(&crowd.stop, true);
    for (unsigned i = 0; i < CROWD; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(atomic_load(&crowd.most) == UNITS - KEPT);
}

/* The pool is the limit: the seventh waits, and is told so. */
static void pool_pushes_back(struct rig *r)
{
    struct gw_unit *u[QC_GW_UNITS], *more = NULL;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < QC_GW_UNITS; i++)
        CHECK_OK(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(1000), &u[i], &err));
    CHECK(gw_store_spare(r->store) == 0);
    CHECK_RC(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(20), &more, &err), QC_TEMP);
    CHECK(more == NULL);
    for (unsigned i = 0; i < QC_GW_UNITS; i++)
        gw_unit_give(&u[i]);
    CHECK(gw_store_spare(r->store) == QC_GW_UNITS);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    rig_in_memory();
    struct rig r = rig_new(rand, 5, 3, 5);

    CHECK(r.store->unit_max == UNITS);
    pool_pushes_back(&r);
    kept_back(&r);
    owner(&r);
    hanging(&r);
    order(&r);
    beside_a_crowd(&r);
    rig_done(&r);
    return 0;
}
