/* /metrics: text format 0.0.4 of Prometheus. Part of qcloud-gateway. Names of metrics are a contract
 * (docs/operating.md). Nothing of what tenants store is in it, and no tenant's name: numbers alone. */
#pragma once
#include "base/buf.h"
#include "figures.h"
#include "gateway/engine.h"
#include "keyed.h"
#include "levels.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_source {
    const struct figures *figures;
    const struct gw_status *status;
    const struct gw_audit_view *audit; /* NULL: there is no audit log */
    struct levels *levels;             /* NULL: nothing is said of links */
    const struct keyed_counts *keyed;  /* of the door keyed by QKD; NULL: there is none */
    unsigned connections;
};
/* Appended to ret, whose max is QC_GW_METRICS_MAX. */
QC_MUST qc_rc metrics_print(const struct metrics_source *src, qc_buf *ret, struct qc_err *err);
