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

/* One word, so that its parts belong together. */
void figures_problem(struct figures *f, unsigned route, unsigned rc)
{
    atomic_store(&f->problem, (uint64_t)qc_wall_s() << 16 | (uint64_t)(route & 0xff) << 8 | (rc & 0xff));
}

void figures_last(const struct figures *f, struct figures_problem *ret)
{
    const uint64_t v = qc_count(&f->problem);

    *ret = (struct figures_problem){ .at_s = (int64_t)(v >> 16),
                                     .route = (unsigned)(v >> 8 & 0xff),
                                     .rc = (unsigned)(v & 0xff) };
}
