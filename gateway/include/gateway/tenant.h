/* Tenants: who may use a gateway, and how much of it. Layer 4; uses base. Keeps I1, I5, I6. Record: FORMAT
 * 9.3; why they lie in the log: docs/adr/0008.
 *
 * Everything that a client names (vaults, objects, versions, put keys) is looked up within its tenant, by the
 * catalogue's own indexes: there is no check that could be forgotten, and what belongs to another is not
 * found by the path on which nothing is found. Tenant 0 is the gateway's owner: no row, no token, no limits
 * but the gateway's own.
 *
 * Any thread; calls block as those of gateway/engine.h do.
 */
#pragma once
#include "gateway/entry.h"

struct gw_engine;

enum { GW_OWNER = 0 }; /* the tenant that every gateway has */

/* "none": the greatest number that the catalogue holds */
#define GW_NO_LIMIT ((uint64_t)INT64_MAX)

struct gw_tenant_limits {
    uint64_t bytes;             /* sealed bytes, names and backup data, of all versions and open uploads */
    uint64_t objects;           /* versions, those under way included: every version is kept */
    uint32_t uploads, requests; /* open, and under way, at once */
};

struct gw_tenant {
    uint32_t id; /* 1.. */
    uint64_t revision;
    char name[QC_GW_TENANT_NAME_MAX + 1];
    bool enabled;
    struct gw_tenant_limits limits;
    uint8_t
        verifier[GW_DIGEST_BYTES]; /* of its token; not secret to whoever has the catalogue, and of no use */
};

/* What a tenant has. Kept by the catalogue in the transactions that change it. */
struct gw_usage {
    uint64_t bytes, objects, names, uploads, vaults; /* names: objects that are listed */
    uint64_t given_up;                               /* put keys that were cancelled and are remembered */
    uint64_t dead;  /* bytes that were given up and are not swept from all clouds yet */
    uint64_t moves; /* of names, ever: each is a record of the log, which keeps it */
};

/* 1..QC_GW_TENANT_NAME_MAX of a-z 0-9 . _ -, the first a letter or digit. */
bool gw_tenant_name_ok(qc_span name);

/* What shall change. */
struct gw_tenant_change {
    const char *name;
    bool add;                  /* a new one: needs a token; what is not said is QC_GW_TENANT_... */
    const uint8_t *token_hash; /* SHA-256 of the new token's text, or NULL */
    const bool *enabled;       /* or NULL */
    const uint64_t *bytes, *objects, *uploads, *requests; /* or NULL */
};
/*
 * Durable on the record quorum when it returns; seen by the next request. ret may be NULL.
 * QC_USAGE     a name, or a limit, that cannot be;  QC_CONFLICT  add: the name is taken; or changed meanwhile
 * QC_NOTFOUND  no tenant of that name;  QC_LIMIT  QC_GW_TENANTS_MAX;  QC_QUORUM  ask again
 */
QC_MUST qc_rc gw_tenant_change(struct gw_engine *e, const struct gw_tenant_change *c, struct gw_tenant *ret,
                               struct qc_err *err);

/* Called for each, in the order of ids. Anything but QC_OK ends it with that code. */
typedef qc_rc (*gw_tenant_fn)(void *ctx, const struct gw_tenant *t, const struct gw_usage *u,
                              struct qc_err *err);
QC_MUST qc_rc gw_tenant_list(struct gw_engine *e, gw_tenant_fn fn, void *ctx, struct qc_err *err);

/*
 * Whose token is it? By its hash, as above; disabled tenants are found. The time tells nothing: every
 * tenant's verifier is compared, whole, whichever it is. QC_AUTH: nobody's.
 */
QC_MUST qc_rc gw_tenant_of_token(struct gw_engine *e, const uint8_t token_hash[QC_SHA256_BYTES],
                                 struct gw_tenant *ret, struct qc_err *err);
/* Of GW_OWNER too: then *ret_limits says GW_NO_LIMIT. */
QC_MUST qc_rc gw_tenant_usage(struct gw_engine *e, uint32_t tenant, struct gw_usage *ret,
                              struct gw_tenant_limits *ret_limits, struct qc_err *err);

/* How safe is it: versions by their data margin, which may be negative, and fragments owed. The catalogue is
 * asked a stretch at a time: however much a tenant has, others are served meanwhile. */
struct gw_safety {
    uint64_t versions[2 * QC_EC_N_MAX + 1]; /* [margin + QC_EC_N_MAX] */
    uint64_t debts;
    uint64_t other_code; /* segments that have another code than new ones get (gateway/recode.c) */
    int64_t oldest_s;    /* wall clock: the first of these versions; 0: there is none */
};
QC_MUST qc_rc gw_tenant_safety(struct gw_engine *e, uint32_t tenant, struct gw_safety *ret,
                               struct qc_err *err);
