/* What key there is for links, and how long it lasts: asked of their KMEs, or of the qcloud-links that know.
 * Layer 2; uses base, net. One owner at a time; nothing is drawn. docs/qkd.md, "What key there is". */
#pragma once
#include "base/json.h"
#include "base/time.h"
#include "qkd/keyed.h"

/* One link: keyed by the program itself, by `keyed` with `peer`, or by the qcloud-link at `socket`. Borrowed.
 */
struct qkd_stock_link {
    const struct qkd_keyed *keyed; /* or NULL: then .. */
    const char *peer;
    const char *socket; /* .. this, of the cloud .. */
    const char *cloud;  /* .. of that name; or NULL */
};

/*
 * The report of docs/API.md, STOCKS: "links", "summary" for people, and "outcome", which is QC_LINK where a
 * link has no key, or nobody says. watch_s: KMEs are asked again after so long, and what changed is the pace;
 * 0: once. QC_CANCELLED, QC_NOMEM
 */
QC_MUST qc_rc qkd_stock_report(const struct qkd_stock_link *v, size_t count, uint64_t watch_s,
                               const struct qc_cancel *cancel, struct json_t **ret, struct qc_err *err);

/* Options that both programs have, and what they say: *ret_s, 0 without a forecast. QC_USAGE */
#define QKD_STOCK_OPTIONS                                                                                    \
    { "forecast", 0, NULL, "watch for a moment, and say how long what there is lasts at that pace", false }, \
    {                                                                                                        \
        "for", 0, "SECONDS", "with --forecast: watch so long (5)", false                                     \
    }
struct qc_args;
QC_MUST qc_rc qkd_stock_watch(const struct qc_args *args, uint64_t *ret_s, struct qc_err *err);
