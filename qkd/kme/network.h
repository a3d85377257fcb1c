/* A QKD network: nodes, quantum links with their key, routes through trusted nodes. Part of qcloud-kme; uses
 * base, qkd. Pure: no clock, no disk; times are arguments. One owner at a time. Keeps I6.
 *
 * A link yields bits at its rate into a pool at both of its ends. Who is not next to whom gets key through
 * nodes in between, each of which sees it (docs/qkd.md). Names are what the configuration says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/url.h"
#include "qkd/use.h"

struct kme_link {
    char id[KME_NAME_MAX + 1];
    unsigned a, b;          /* nodes */
    uint64_t rate_conf;     /* bits/s by the configuration */
    uint64_t rate;          /* bits/s that it makes as long as nothing else is wrong */
    bool cut;               /* makes nothing; what is in the pool stays */
    bool alarm;             /* its errors reached the network's limit: makes nothing until it is restored */
    double qber_conf, qber; /* quantum bit error rate, by the configuration and now; 0: not said */
    double km;              /* of fibre; 0: not said */
    uint64_t cap;           /* bits of the pool at most */
    uint64_t bits;          /* in the pool */
    uint64_t rest;          /* thousandths of a bit that came, too */
    uint64_t used;          /* bits that went since the start */
    struct qkd_use use;     /* how fast they go */
    enum qkd_dry dry;       /* what was said of that last */
    uint64_t offset;        /* bytes of the link's stream that are gone: where the next key begins */
    uint64_t recent[KME_RECENT]; /* bits that came in the last slots of the network's window, in a ring */
};

struct kme_door {
    char id[KME_NAME_MAX + 1];
    unsigned node;
    struct net_address at;
    char cert[KME_PATH_MAX], key[KME_PATH_MAX], client_ca[KME_PATH_MAX];
};

struct kme_sae {
    char id[KME_NAME_MAX + 1];
    unsigned node;
    bool pinned;      /* known by its certificate, else by the common name in it */
    uint8_t cert[32]; /* SHA-256 of it (DER) */
};

struct kme_limits { /* of the status: bits, keys */
    uint32_t key_size, min_key_size, max_key_size, max_key_per_request;
    uint64_t max_key_count;
    uint32_t max_saes;
};

struct kme_network {
    char node[KME_NODES_MAX][KME_NAME_MAX + 1];
    struct kme_link link[KME_LINKS_MAX];
    struct kme_door door[KME_DOORS_MAX];
    struct kme_sae sae[KME_SAES_MAX];
    unsigned nodes, links, doors, saes;
    struct kme_limits limits;
    bool seized[KME_NODES_MAX]; /* in a stranger's hands: no key goes through, its links make none */
    double qber_alarm;
    uint64_t window_ms;      /* what a link made for so long before an alarm is suspect */
    uint64_t clock_ms;       /* passed since the start */
    struct net_address page; /* of the operator's page, on loopback */
    uint64_t ttl_s;          /* a copy that its slave does not fetch is erased after so long */
    uint64_t record_s;       /* who got which key_ID over which nodes is remembered for so long */
};

/* From a configuration (docs/qkd.md), and a topology where nodes and links stand there instead; empty: none.
 * A topology alone makes a network without doors. QC_USAGE: with the member and what it should be; *ret is
 * undefined then. */
QC_MUST qc_rc kme_network_parse(struct kme_network *ret, qc_span topology, qc_span text, struct qc_err *err);

/* The SAE or door of a name; NULL: none. */
const struct kme_sae *kme_network_sae(const struct kme_network *n, const char *id);
const struct kme_door *kme_network_door(const struct kme_network *n, unsigned node);

/* What a link yields now, bits/s; and how it is in a word: "up", "cut", "alarm", "seized". */
uint64_t kme_link_yield(const struct kme_network *n, const struct kme_link *l);
const char *kme_link_state(const struct kme_network *n, const struct kme_link *l);
/* Bits of the pool that may have come within the window: at most so many, and all that the pool had when the
 * process began within it. */
uint64_t kme_link_suspect(const struct kme_link *l);
/* All that is in the pools may have come just now: once they are read back. */
void kme_network_suspect_all(struct kme_network *n);

/* ms have passed. */
void kme_network_pass(struct kme_network *n, uint64_t ms);
/* bits of link i's pool, which has them, are used. */
void kme_network_use(struct kme_network *n, unsigned i, uint64_t bits);
/* Seconds until the pool is out at the present use, by what the link yields now. INFINITY: never. */
double kme_link_dry_s(const struct kme_network *n, const struct kme_link *l);

struct kme_route {
    unsigned hops;                /* links; 0: the same node */
    unsigned link[KME_NODES_MAX]; /* in the order of the way */
    unsigned node[KME_NODES_MAX]; /* hops + 1 of them */
    uint64_t bits;                /* the least that is in a pool of the way; UINT64_MAX for none */
};

/* The widest way (largest least pool) past nodes that are seized, of these the shortest, of these the first
 * by names of nodes. false: there is none. */
QC_MUST bool kme_network_route(const struct kme_network *n, unsigned from, unsigned to,
                               struct kme_route *ret);
/* Bits that a key of so many costs on each link of a way: relayed keys are authenticated, by 256 more. */
uint64_t kme_route_cost(const struct kme_route *r, uint64_t bits);
