/* A QKD network: nodes, quantum links with their key, routes through trusted nodes. Part of qcloud-kme; uses
 * base. Pure: no clock, no disk; times are arguments. One owner at a time. Keeps I6.
 *
 * A link yields bits at its rate into a pool at both of its ends. Who is not next to whom gets key through
 * nodes in between, each of which sees it (docs/qkd.md). Names are what the configuration says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct kme_link {
    char id[KME_NAME_MAX + 1];
    unsigned a, b;   /* nodes */
    uint64_t rate;   /* bits/s */
    uint64_t cap;    /* bits of the pool at most */
    uint64_t bits;   /* in the pool */
    uint64_t rest;   /* thousandths of a bit that came, too */
    uint64_t used;   /* bits that went since the start */
    uint64_t offset; /* bytes of the link's stream that are gone: where the next key begins */
};

struct kme_door {
    char id[KME_NAME_MAX + 1];
    unsigned node;
    char host[64];
    uint16_t port;
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
    uint64_t ttl_s; /* a copy that its slave does not fetch is erased after so long */
};

/* From a configuration (docs/qkd.md). QC_USAGE: with the member and what it should be; *ret is undefined
 * then. */
QC_MUST qc_rc kme_network_parse(struct kme_network *ret, qc_span text, struct qc_err *err);

/* The SAE or door of a name; NULL: none. */
const struct kme_sae *kme_network_sae(const struct kme_network *n, const char *id);
const struct kme_door *kme_network_door(const struct kme_network *n, unsigned node);

/* ms have passed. */
void kme_network_pass(struct kme_network *n, uint64_t ms);

struct kme_route {
    unsigned hops;                /* links; 0: the same node */
    unsigned link[KME_NODES_MAX]; /* in the order of the way */
    unsigned node[KME_NODES_MAX]; /* hops + 1 of them */
    uint64_t bits;                /* the least that is in a pool of the way; UINT64_MAX for none */
};

/* The widest way (largest least pool), of these the shortest, of these the first by names of nodes. false:
 * there is none. */
QC_MUST bool kme_network_route(const struct kme_network *n, unsigned from, unsigned to,
                               struct kme_route *ret);
/* Bits that a key of so many costs on each link of a way: relayed keys are authenticated, by 256 more. */
uint64_t kme_route_cost(const struct kme_route *r, uint64_t bits);
