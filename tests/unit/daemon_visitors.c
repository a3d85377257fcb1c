/* unit/daemon_visitors: how many requests and connections a tenant has, and who leaves where others come. */
#include "visitors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/time.h"
#include "http.h"
#include "qc_check.h"

enum { ANN = 1, BOB = 2, PLACES = 16 };

static const char door, other_door;
static struct quiet quiet;

/* A connection; peer is the client's end. */
struct guest {
    struct visitor *v;
    int fd, peer;
};

static struct guest enter(struct visitors *v, const void *at)
{
    struct guest g;
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    g.fd = pair[0];
    g.peer = pair[1];
    g.v = visitors_enter(v, at, PLACES, g.fd);
    CHECK(g.v != NULL);
    return g;
}

static void leave(struct visitors *v, struct guest *g)
{
    visitors_leave(v, g->v);
    close(g->fd);
    close(g->peer);
}

/* Has it been asked to leave? */
static bool asked(const struct guest *g)
{
    char c;
    return recv(g->peer, &c, 1, MSG_DONTWAIT) == 0;
}

static qc_rc begin(struct visitors *v, struct guest *g, uint32_t tenant, uint32_t requests)
{
    struct qc_err err = { 0 };
    return visitors_begin(v, g->v, tenant, requests, &err);
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

struct later {
    struct visitors *v;
    struct guest *g;
    atomic_int rc;
};

static void *begin_later(void *arg)
{
    struct later *l = arg;
    atomic_store(&l->rc, (int)begin(l->v, l->g, ANN, 2));
    return NULL;
}

/* The third of two requests waits for its turn; the fifth of four connections does not. */
static void requests(void)
{
    struct visitors v = { 0 };
    struct guest g[6];
    struct later l = { .v = &v, .g = &g[2], .rc = -1 };
    pthread_t thread;

    visitors_init(&v);
    for (unsigned i = 0; i < 6; i++)
        g[i] = enter(&v, &door);
    CHECK(begin(&v, &g[0], ANN, 2) == QC_OK && begin(&v, &g[1], ANN, 2) == QC_OK);
    CHECK(begin(&v, &g[5], BOB, 2) == QC_OK); /* does not feel it */
    visitors_phase(&v, g[0].v, VISITOR_WORKS);
    CHECK(pthread_create(&thread, NULL, begin_later, &l) == 0);
    wait_ms(100);
    CHECK(atomic_load(&l.rc) == -1);
    visitors_phase(&v, g[0].v, VISITOR_RESTS);
    CHECK(pthread_join(thread, NULL) == 0 && atomic_load(&l.rc) == QC_OK);
    const uint64_t begun = qc_now_ms();
    CHECK(begin(&v, &g[3], ANN, 2) == QC_TEMP); /* nobody ends */
    CHECK(qc_now_ms() - begun >= HTTP_TURN_MS);
    uint64_t soonest = UINT64_MAX; /* a crowded machine may be that slow, not each time */
    for (unsigned i = 0; i < 20; i++) {
        const uint64_t again = qc_now_ms();
        CHECK(begin(&v, &g[4], ANN, 2) == QC_TEMP); /* its fifth connection: at once */
        const uint64_t took = qc_now_ms() - again;
        soonest = took < soonest ? took : soonest;
    }
    CHECK(soonest < HTTP_TURN_MS);
    leave(&v, &g[1]); /* in the middle of its request: counts no more */
    leave(&v, &g[4]);
    CHECK(begin(&v, &g[3], ANN, 2) == QC_OK);
    leave(&v, &g[0]);
    leave(&v, &g[2]);
    leave(&v, &g[3]);
    leave(&v, &g[5]);
    visitors_done(&v);
}

static unsigned count_asked(const struct guest *g, unsigned n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n; i++)
        count += asked(&g[i]);
    return count;
}

/* A crowded door: connections at rest go, those of whoever has the most first. Others stay, and other doors.
 */
static void crowd(void)
{
    struct visitors v = { 0 };
    struct guest g[PLACES], far;

    visitors_init(&v);
    for (unsigned i = 0; i < PLACES; i++)
        g[i] = enter(&v, &door);
    far = enter(&v, &other_door);
    for (unsigned i = 0; i < PLACES; i++) {
        wait_ms(2); /* one after the other */
        CHECK(begin(&v, &g[i], i < 12 ? ANN : BOB, 64) == QC_OK);
        visitors_phase(&v, g[i].v, i == 0 ? VISITOR_WORKS : VISITOR_RESTS);
    }
    CHECK(visitors_tick(&v, true, &quiet));
    CHECK(count_asked(g, PLACES) == 0); /* they rested for no time yet */
    wait_ms(HTTP_REST_MS + 50);
    CHECK(visitors_tick(&v, true, &quiet));
    CHECK(!asked(&far) && !asked(&g[0]));
    CHECK(count_asked(g + 12, 4) == 0 &&
          count_asked(g, 12) == 3);                      /* an eighth of the places is free, and one */
    CHECK(asked(&g[1]) && asked(&g[2]) && asked(&g[3])); /* since longest */
    CHECK(!visitors_tick(&v, true, &quiet));
    CHECK(count_asked(g, PLACES) == 3); /* who was asked counts as gone */
    for (unsigned i = 0; i < PLACES; i++)
        leave(&v, &g[i]);
    leave(&v, &far);
    visitors_done(&v);
}

/* Strangers at a crowded door go before any tenant's. */
static void strangers(void)
{
    struct visitors v = { 0 };
    struct guest g[PLACES];

    visitors_init(&v);
    for (unsigned i = 0; i < PLACES; i++) {
        g[i] = enter(&v, &door);
        if (i < 12) {
            CHECK(begin(&v, &g[i], ANN, 64) == QC_OK);
            visitors_phase(&v, g[i].v, VISITOR_RESTS);
        }
    }
    wait_ms(HTTP_KNOCK_MS + 50);
    CHECK(visitors_tick(&v, false, &quiet));
    CHECK(count_asked(g, 12) == 0 && count_asked(g + 12, 4) == 3);
    for (unsigned i = 0; i < PLACES; i++)
        leave(&v, &g[i]);
    visitors_done(&v);
}

/* Who sends a segment slower than any line loses the unit where others wait; who stops in the middle of an
 * answer goes where others come. */
static void crawl(void)
{
    struct visitors v = { 0 };
    struct guest slow, fast, whole;

    visitors_init(&v);
    slow = enter(&v, &door);
    fast = enter(&v, &door);
    whole = enter(&v, &door);
    CHECK(begin(&v, &slow, ANN, 9) == QC_OK && begin(&v, &fast, ANN, 9) == QC_OK &&
          begin(&v, &whole, BOB, 9) == QC_OK);
    visitors_unit(&v, slow.v, 0);
    visitors_unit(&v, fast.v, 0);
    visitors_unit(&v, whole.v, 0);
    wait_ms(HTTP_CRAWL_MS / 2);
    visitors_unit(&v, slow.v, 1000);
    CHECK(!visitors_tick(&v, true, &quiet));
    CHECK(!asked(&slow) && !asked(&fast) && !asked(&whole)); /* too early to tell */
    wait_ms(HTTP_CRAWL_MS / 2 + 50);
    visitors_unit(&v, slow.v, 1001);
    visitors_unit(&v, fast.v, 2 * HTTP_CRAWL_RATE * HTTP_CRAWL_MS / 1000);
    visitors_phase(&v, whole.v, VISITOR_WORKS);
    CHECK(!visitors_tick(&v, false, &quiet));
    CHECK(!asked(&slow)); /* nobody waits */
    CHECK(!visitors_tick(&v, true, &quiet));
    CHECK(asked(&slow) && !asked(&fast) && !asked(&whole));
    leave(&v, &slow);
    leave(&v, &fast);
    leave(&v, &whole);
    visitors_done(&v);
}

/* Twenty lines in a second, and the others counted. */
static void told(void)
{
    unsigned n = 0;
    for (int i = 0; i < 1000; i++)
        n += quiet_may(&quiet);
    CHECK(n >= 20 && n <= 60 && quiet.held_back == 1000 - n); /* a second or two may end in between */
    wait_ms(1001);
    quiet_tick(&quiet);
    CHECK(quiet.held_back == 0 && quiet_may(&quiet));
}

int main(void)
{
    quiet_init(&quiet);
    told();
    requests();
    crowd();
    strangers();
    crawl();
    quiet_done(&quiet);
    return 0;
}
