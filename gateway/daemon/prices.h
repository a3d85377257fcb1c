/* A table of prices, for plans: what requests and bytes cost. Part of qcloud-gateway. Nothing is assumed:
 * what the file does not say costs an unknown amount, and the plan says so. docs/prices.md.
 *
 *   [prices]
 *   currency = EUR
 *   read-gib = 0.09             decimal numbers; a GiB read from a cloud
 *   write-gib = 0
 *   read-requests-1000 = 0.0004
 *   write-requests-1000 = 0.005
 *   delete-requests-1000 = 0
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"

enum price { PRICE_READ_GIB, PRICE_WRITE_GIB, PRICE_READS, PRICE_WRITES, PRICE_DELETES, PRICES };
struct prices {
    char currency[16];
    bool has[PRICES];
    uint64_t millionths[PRICES]; /* of the currency's unit */
};

/* QC_USAGE with the line's number; QC_NOTFOUND, QC_LIMIT. */
QC_MUST qc_rc prices_parse(qc_span text, struct prices *ret, struct qc_err *err);
QC_MUST qc_rc prices_load(const char *path, struct prices *ret, struct qc_err *err);
/* Add "cost_millionths" and "currency" to a plan's JSON: null where a price is not known. */
QC_MUST qc_rc prices_apply(const struct prices *p, bool given, struct json_t *plan, struct qc_err *err);
/* The plan for people: of leaving a cloud .. */
QC_MUST qc_rc prices_text(const struct json_t *plan, qc_buf *ret, struct qc_err *err);
/* .. and of another code; limit: bytes a second that it may read and write, 0: as many as it can. */
QC_MUST qc_rc prices_code_text(const struct json_t *plan, uint64_t limit, qc_buf *ret, struct qc_err *err);
