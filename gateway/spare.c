/* Which clouds something new may go to: those that are in use, by domain and weight. */
#include "engine_internal.h"

bool gw_takes_new(struct gw_engine *e, uint32_t cloud_id)
{
    const int at = gw_fan_at(e->fan, cloud_id);
    struct gw_cloud_view view;

    if (at < 0)
        return false;
    gw_fan_view(e->fan, (unsigned)at, &view);
    return view.role == GW_ROLE_IN_USE;
}

unsigned gw_engine_candidates(struct gw_engine *e, struct gw_candidate ret[QC_GW_CLOUDS_MAX])
{
    const enum gw_domain domain = atomic_load(&e->domain);
    struct gw_labels labels[QC_GW_CLOUDS_MAX];
    unsigned count = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        if (view.role != GW_ROLE_IN_USE)
            continue;
        labels[count] = view.labels;
        ret[count] = (struct gw_candidate){ .cloud_id = view.id,
                                            .usable = view.state != GW_CLOUD_LOST &&
                                                      view.state != GW_CLOUD_UNREACHABLE && !view.suspect,
                                            .weight = view.labels.weight };
        for (unsigned i = 0; i < count; i++)
            if (gw_same_domain(domain, &labels[i], &labels[count]))
                ret[i].domain = ret[count].domain = ret[i].domain != 0 ? ret[i].domain : i + 1;
        count++;
    }
    return count;
}

/* Would a cloud of these labels fail with one of these? */
static bool fails_with(struct gw_engine *e, const struct gw_labels *labels, gw_clouds others)
{
    const enum gw_domain domain = atomic_load(&e->domain);

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        if ((others >> at & 1) == 0)
            continue;
        gw_fan_view(e->fan, at, &view);
        if (gw_same_domain(domain, &view.labels, labels))
            return true;
    }
    return false;
}

bool gw_fails_with(struct gw_engine *e, uint32_t cloud_id, gw_clouds others)
{
    const int at = gw_fan_at(e->fan, cloud_id);
    struct gw_cloud_view view;

    if (at < 0)
        return false;
    gw_fan_view(e->fan, (unsigned)at, &view);
    return fails_with(e, &view.labels, others & ~((gw_clouds)1 << at));
}

qc_rc gw_spare_cloud(struct gw_engine *e, gw_clouds may, gw_clouds others, uint32_t prefer, uint32_t *ret,
                     struct qc_err *err)
{
    struct gw_candidate candidates[QC_GW_CLOUDS_MAX];
    unsigned count = 0;

    *ret = 0;
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        if ((may >> at & 1) == 0 || view.role != GW_ROLE_IN_USE || fails_with(e, &view.labels, others))
            continue;
        if (view.id == prefer) {
            *ret = view.id;
            return QC_OK;
        }
        candidates[count++] =
            (struct gw_candidate){ .cloud_id = view.id, .usable = true, .weight = view.labels.weight };
    }
    return count == 0 ? QC_OK : gw_place_clouds(candidates, count, 1, e->rng, ret, err);
}
