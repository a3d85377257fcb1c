/* What the gateway's doors count, for /metrics. Part of qcloud-gateway; uses base, gateway. Any thread, no
 * lock: additions to counters that a reader sums up. */
#pragma once
#include "base/hist.h"
#include "base/limits.h"

/* Classes of answers: 1xx is never sent; the place of 0 is for requests that had none. */
enum { FIGURES_CLASSES = 6 };

struct figures_route {
    struct qc_hist took; /* from the request's head to the end of its answer */
    atomic_uint_fast64_t answers[FIGURES_CLASSES];
};

struct figures {
    struct figures_route routes[QC_GW_METRIC_ROUTES]; /* as routes.c; the one after its last: all else */
    atomic_uint_fast64_t
        tenants[QC_GW_TENANTS_MAX + 2];  /* requests, by the tenant's number; the last: all else */
    atomic_uint_fast64_t received, sent; /* bytes of bodies */
    atomic_uint_fast64_t refused;        /* requests without a token that is known */
    atomic_uint_fast64_t problem;        /* the last answer of 5xx: its second, its route, its code */
};

/* What went wrong last, as figures_problem left it. */
struct figures_problem {
    int64_t at_s;   /* 0: nothing */
    unsigned route; /* its row */
    unsigned rc;    /* a qc_rc */
};
void figures_problem(struct figures *f, unsigned route, unsigned rc);
void figures_last(const struct figures *f, struct figures_problem *ret);

/* A request ended. route: its row; tenant: its number; status: 0 where it had no answer. */
void figures_request(struct figures *f, unsigned route, uint32_t tenant, unsigned status, uint64_t began_ns);
