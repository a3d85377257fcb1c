#include "figures.h"

#include "base/err.h"
#include "base/time.h"

void figures_request(struct figures *f, unsigned route, uint32_t tenant, unsigned status, uint64_t began_ns)
{
    QC_ASSERT(route < QC_GW_METRIC_ROUTES);
    struct figures_route *r = &f->routes[route];
    const unsigned class = status / 100 < FIGURES_CLASSES ? status / 100 : 0;

    qc_hist_note(&r->took, (qc_now_ns() - began_ns) / 1000);
    qc_count_add(&r->answers[class], 1);
    qc_count_add(&f->tenants[tenant <= QC_GW_TENANTS_MAX ? tenant : QC_GW_TENANTS_MAX + 1], 1);
}
