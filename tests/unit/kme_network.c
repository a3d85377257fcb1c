/* unit/kme_network: ways through networks against a search of all ways; pools; faults. */
#include "network.h"

#include <math.h>
#include <stdio.h>

#include "base/crypto.h"
#include "fault.h"
#include "make.h"
#include "qc_check.h"
#include "qc_seed.h"

enum { NODES = 6, ROUNDS = 300 };

/* All simple ways, by depth first: the best by the rule of kme_network_route. */
struct search {
    const struct kme_network *n;
    unsigned to, hops, best_hops;
    bool seen[KME_NODES_MAX], found;
    unsigned node[KME_NODES_MAX], best[KME_NODES_MAX];
    uint64_t bits;
};

static int by_names(const struct search *s)
{
    for (unsigned i = 0; i <= s->hops; i++) {
        const int order = strcmp(s->n->node[s->node[i]], s->n->node[s->best[i]]);
        if (order != 0)
            return order;
    }
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): to NODES */
static void walk(struct search *s, unsigned here, uint64_t least)
{
    s->node[s->hops] = here;
    if (here == s->to) {
        const bool better =
            !s->found || least > s->bits ||
            (least == s->bits && (s->hops < s->best_hops || (s->hops == s->best_hops && by_names(s) < 0)));
        if (better) {
            s->found = true;
            s->bits = least;
            s->best_hops = s->hops;
            memcpy(s->best, s->node, sizeof s->best);
        }
        return;
    }
    s->seen[here] = true;
    for (unsigned i = 0; i < s->n->links; i++) {
        const struct kme_link *l = &s->n->link[i];
        const unsigned next = l->a == here ? l->b : l->b == here ? l->a : NODES;
        if (next == NODES || s->seen[next])
            continue;
        s->hops++;
        walk(s, next, l->bits < least ? l->bits : least);
        s->hops--;
        s->node[s->hops] = here;
    }
    s->seen[here] = false;
}

static void check_ways(struct qc_rand *r)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct kme_network n;
        n = (struct kme_network){ .nodes = NODES };
        for (unsigned i = 0; i < NODES; i++)
            snprintf(n.node[i], sizeof n.node[i], "n%u", (unsigned)(i * 5 % NODES));
        n.links = (unsigned)(qc_rand_below(r, 10));
        for (unsigned i = 0; i < n.links; i++) {
            n.link[i].a = (unsigned)(qc_rand_below(r, NODES));
            n.link[i].b = (n.link[i].a + 1 + (unsigned)(qc_rand_below(r, NODES - 1))) % NODES;
            n.link[i].bits = qc_rand_below(r, 4);
        }
        for (unsigned to = 0; to < NODES; to++) {
            struct search s = { .n = &n, .to = to };
            struct kme_route way;
            walk(&s, 0, UINT64_MAX);
            CHECK(kme_network_route(&n, 0, to, &way) == s.found);
            if (!s.found)
                continue;
            CHECK(way.bits == s.bits && way.hops == s.best_hops);
            for (unsigned i = 0; i <= way.hops; i++)
                CHECK(way.node[i] == s.best[i]);
            for (unsigned i = 0; i < way.hops; i++) {
                const struct kme_link *l = &n.link[way.link[i]];
                CHECK((l->a == way.node[i] && l->b == way.node[i + 1]) ||
                      (l->b == way.node[i] && l->a == way.node[i + 1]));
            }
        }
    }
}

static void check_pools(void)
{
    struct kme_network *n = calloc(1, sizeof *n);
    CHECK(n != NULL);
    n->links = 2;
    n->link[0] = (struct kme_link){ .rate = 1100, .cap = 5000 };
    n->link[1] = (struct kme_link){ .rate = UINT64_MAX / 2, .cap = UINT64_MAX };
    for (unsigned ms = 0; ms < 1000; ms++) /* thousandths are not lost */
        kme_network_pass(n, 1);
    CHECK(n->link[0].bits == 1100 && n->link[0].rest == 0);
    CHECK(n->link[1].bits > UINT64_MAX / 4);
    kme_network_pass(n, 10000);
    CHECK(n->link[0].bits == 5000);
    CHECK(n->link[1].bits == UINT64_MAX); /* no wrap-around */
    kme_network_pass(n, UINT64_MAX);
    CHECK(n->link[0].bits == 5000 && n->link[1].bits == UINT64_MAX);
    free(n);
}

static void meets(struct kme_network *n, struct kme_fault f)
{
    kme_fault_apply(n, &f);
}

/* A network of three nodes in a row, each link of 1,000 bits/s. */
static struct kme_network *row_of_three(void)
{
    struct kme_network *n = calloc(1, sizeof *n);
    CHECK(n != NULL);
    n->nodes = 3;
    n->links = 2;
    for (unsigned i = 0; i < 2; i++)
        n->link[i] =
            (struct kme_link){ .a = i, .b = i + 1, .rate = 1000, .rate_conf = 1000, .cap = UINT64_MAX };
    n->window_ms = 7000;
    n->qber_alarm = 0.08;
    return n;
}

static void check_faults(void)
{
    struct kme_network *n = row_of_three();
    struct kme_link *l = &n->link[0], *other = &n->link[1];
    struct kme_route way;
    kme_network_pass(n, 1000);
    meets(n, (struct kme_fault){ .kind = KME_LINK_CUT });
    kme_network_pass(n, 1000);
    CHECK(l->bits == 1000 && other->bits == 2000); /* what is in the pool stays, and is used */
    CHECK(kme_network_route(n, 0, 2, &way) && way.bits == 1000);
    CHECK(strcmp(kme_link_state(n, l), "cut") == 0 && kme_link_yield(n, l) == 0);
    meets(n, (struct kme_fault){ .kind = KME_LINK_RATE, .rate = 10 });
    meets(n, (struct kme_fault){ .kind = KME_LINK_RATE, .at = 1, .rate = 10 });
    kme_network_pass(n, 1000);
    CHECK(l->bits == 1000 && other->bits == 2010);
    meets(n, (struct kme_fault){ .kind = KME_LINK_RESTORE });
    kme_network_pass(n, 1000);
    CHECK(l->bits == 2000 && other->bits == 2020);
    meets(n, (struct kme_fault){ .kind = KME_POOL_EMPTY, .at = 1 });
    CHECK(other->bits == 0 && l->bits == 2000);
    meets(n, (struct kme_fault){ .kind = KME_NODE_SEIZE, .at = 1 });
    kme_network_pass(n, 5000);
    CHECK(l->bits == 0 && other->bits == 0); /* who has the node has them */
    for (unsigned from = 0; from < 3; from++)
        for (unsigned to = 0; to < 3; to++)
            CHECK(kme_network_route(n, from, to, &way) == (from == to && from != 1));
    meets(n, (struct kme_fault){ .kind = KME_NODE_RELEASE, .at = 1 });
    kme_network_pass(n, 1000);
    CHECK(kme_network_route(n, 0, 2, &way) && way.bits == 10);
    free(n);
}

/* An alarm takes what came within the window, a seventh of it more at most, and stops the link. */
static void check_alarm(void)
{
    struct kme_network *n = row_of_three();
    struct kme_link *l = &n->link[0];
    for (unsigned ms = 0; ms < 100000; ms += 100)
        kme_network_pass(n, 100);
    CHECK(l->bits == 100000);
    CHECK(kme_link_suspect(l) >= 7000 && kme_link_suspect(l) <= 8100);
    meets(n, (struct kme_fault){ .kind = KME_QBER, .qber = 0.0799 });
    CHECK(!l->alarm && l->bits == 100000);
    meets(n, (struct kme_fault){ .kind = KME_QBER, .qber = 0.08 });
    CHECK(l->alarm && l->bits <= 93000 && l->bits >= 91900);
    const uint64_t left = l->bits;
    meets(n, (struct kme_fault){ .kind = KME_QBER, .qber = 0.01 });
    kme_network_pass(n, 1000);
    CHECK(l->bits == left && strcmp(kme_link_state(n, l), "alarm") == 0); /* until somebody has looked */
    meets(n, (struct kme_fault){ .kind = KME_LINK_RESTORE });
    kme_network_pass(n, 1000);
    CHECK(l->bits == left + 1000);
    kme_network_pass(n, 1000000); /* longer than the ring */
    l->bits = 500;
    CHECK(kme_link_suspect(l) == 500);
    kme_network_suspect_all(n);
    kme_network_pass(n, 3000);
    CHECK(kme_link_suspect(l) == 3500); /* what was read back may have come just before */
    free(n);
}

static void check_fault_texts(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"fault\":\"link_cut\"}",
        "{\"fault\":\"link_cut\",\"link\":7}",
        "{\"fault\":\"link_cut\",\"node\":\"A\"}",
        "{\"fault\":\"link_cut\",\"link\":\"L\",\"bps\":1}",
        "{\"fault\":\"link_rate\",\"link\":\"L\"}",
        "{\"fault\":\"link_rate\",\"link\":\"L\",\"bps\":-1}",
        "{\"fault\":\"link_rate\",\"link\":\"L\",\"bps\":1.5}",
        "{\"fault\":\"qber\",\"link\":\"L\",\"value\":0.6}",
        "{\"fault\":\"earthquake\",\"link\":\"L\"}",
    };
    struct kme_network *n = row_of_three();
    struct qc_err err = { 0 };
    struct kme_fault f = { 0 }, again = { 0 };
    snprintf(n->node[1], sizeof n->node[1], "A");
    snprintf(n->link[1].id, sizeof n->link[1].id, "L");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(kme_fault_parse(&f, n, qc_span_str(bad[i]), &err), QC_USAGE);
    CHECK_RC(kme_fault_parse(&f, n, QC_LIT("{\"fault\":\"link_cut\",\"link\":\"A\"}"), &err), QC_NOTFOUND);
    for (unsigned k = 0; k < KME_FAULT_KINDS; k++) { /* what is written is read */
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 1000 };
        f = (struct kme_fault){ .kind = (enum kme_fault_kind)k, .at = 1 };
        f.rate = k == KME_LINK_RATE ? 12345 : 0;
        f.qber = k == KME_QBER ? 0.03 : 0;
        CHECK_OK(kme_fault_print(&f, kme_fault_of_node(f.kind) ? "A" : "L", &text, &err));
        CHECK_OK(kme_fault_parse(&again, n, qc_buf_span(&text), &err));
        CHECK(again.kind == f.kind && again.at == 1 && again.rate == f.rate && again.qber == f.qber);
    }
    free(n);
}

/* A stream's bytes follow each other however they are taken; a relayed key comes out as it went in. */
static void check_streams(struct qc_rand *r)
{
    struct kme_network *n = calloc(1, sizeof *n);
    struct kme_streams s = { 0 };
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(r);
    uint8_t whole[200], parts[200], key[64], was[64];
    CHECK(n != NULL);
    n->links = 2;
    CHECK_OK(kme_streams_new(&s, 2, &rng, &err));
    CHECK_OK(kme_stream_take(&s, n, 0, whole, sizeof whole, &err));
    CHECK(n->link[0].offset == sizeof whole);
    n->link[0].offset = 0;
    for (size_t at = 0, step = 1; at < sizeof parts; at += step, step = step * 2 % 61 + 1) {
        const size_t part = sizeof parts - at < step ? sizeof parts - at : step;
        CHECK_OK(kme_stream_take(&s, n, 0, parts + at, part, &err));
    }
    CHECK(memcmp(whole, parts, sizeof whole) == 0);
    CHECK_OK(kme_stream_take(&s, n, 1, parts, sizeof parts, &err));
    CHECK(memcmp(whole, parts, sizeof whole) != 0);
    const struct kme_route way = { .hops = 2, .link = { 0, 1 }, .node = { 0, 1, 2 } };
    qc_rand_fill(r, key, sizeof key);
    memcpy(was, key, sizeof key);
    CHECK_OK(kme_relay(&s, n, &way, key, sizeof key, &err));
    CHECK(memcmp(key, was, sizeof key) == 0);
    CHECK(n->link[0].offset == 200 + 64 + 32 && n->link[1].offset == 200 + 64 + 32);
    CHECK(kme_route_cost(&way, 256) == 512);
    kme_streams_done(&s);
    free(n);
}

/* RFC 8439 2.5.2 */
static void check_poly1305(void)
{
    static const uint8_t key[] = { 0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
                                   0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
                                   0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b };
    static const uint8_t want[] = { 0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51, 0x36, 0xc6,
                                    0xc2, 0x2b, 0x8b, 0xaf, 0x0c, 0x01, 0x27, 0xa9 };
    const qc_span parts[] = { QC_LIT("Cryptographic "), QC_LIT("Forum Research Group") };
    uint8_t tag[QC_TAG];
    qc_poly1305(qc_span_of(key, sizeof key), parts, 2, tag);
    CHECK(memcmp(tag, want, sizeof want) == 0);
}

/* -- when a pool is out ---------------------------------------------------------------------------------- */

/* Keys of 256 bits from one end of the row to the other, at random instants, `per_s` of them in the mean;
 * until until_ms, or until there is none. Each costs 512 bits of both links. */
static bool used_until(struct kme_network *n, struct qc_rand *r, double per_s, uint64_t until_ms)
{
    while (n->clock_ms < until_ms) {
        struct kme_route way;
        kme_network_pass(n, 20);
        if ((double)qc_rand_below(r, 1000000) >= per_s * 20000)
            continue;
        CHECK(kme_network_route(n, 0, 2, &way) && way.hops == 2);
        if (way.bits < kme_route_cost(&way, 256))
            return false;
        for (unsigned i = 0; i < way.hops; i++)
            kme_network_use(n, way.link[i], kme_route_cost(&way, 256));
    }
    return true;
}

static bool about(double a, double b)
{
    return fabs(a - b) <= 0.1 * b;
}

/* What is foretold comes, within a tenth: with and without yield, and when a link is cut. */
static void check_forecast(struct qc_rand *r)
{
    for (unsigned round = 0; round < 4; round++) {
        struct kme_network *n = row_of_three();
        struct kme_link *l = &n->link[0];
        const double per_s = 10 + (double)qc_rand_below(r, 10);
        const uint64_t more =
            round % 2 == 0 ? 0 : (uint64_t)(per_s * 512 * (double)(1 + qc_rand_below(r, 3)) / 10);
        l->rate = more;
        l->bits = 20000000;
        n->link[1].bits = UINT64_MAX / 2;
        CHECK(isinf(kme_link_dry_s(n, l)));
        CHECK(used_until(n, r, per_s, 1200000)); /* twenty minutes */
        double dry = kme_link_dry_s(n, l);
        if (round >= 2) { /* it is cut: what was foretold is no longer true, what is, is at once */
            meets(n, (struct kme_fault){ .kind = KME_LINK_CUT });
            CHECK(kme_link_dry_s(n, l) <= dry);
            dry = kme_link_dry_s(n, l);
        }
        const uint64_t then = n->clock_ms;
        CHECK(!used_until(n, r, per_s, UINT64_MAX));
        const double came = (double)(n->clock_ms - then) / 1000;
        printf("foretold %.0f s, came after %.0f s\n", dry, came);
        CHECK(about(dry, came));
        CHECK(kme_link_dry_s(n, l) < 2);
        CHECK(l->used + l->bits >= 20000000 && !isinf(kme_link_dry_s(n, &n->link[1])));
        free(n);
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    check_ways(&r);
    check_pools();
    check_faults();
    check_alarm();
    check_forecast(&r);
    check_fault_texts();
    check_streams(&r);
    check_poly1305();
    return 0;
}
