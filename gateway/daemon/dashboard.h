/* /dashboard: one page for people, read only, without script. Part of qcloud-gateway. Whoever is on this
 * machine may see it: no reason of a cloud's state, no address, no name of a tenant is in it. */
#pragma once
#include "base/buf.h"
#include "figures.h"
#include "gateway/engine.h"

struct dashboard_source {
    const struct figures *figures;
    const struct gw_status *status;
    const struct gw_audit_view *audit; /* NULL: there is no audit log */
    int64_t since_s, now_s;
};
/* Appended to ret, whose max is QC_GW_DASHBOARD_MAX. */
QC_MUST qc_rc dashboard_print(const struct dashboard_source *src, qc_buf *ret, struct qc_err *err);

extern const char dashboard_css[];
