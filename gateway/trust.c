#include "trust.h"

#include "base/alloc.h"
#include "base/time.h"
#include "base/workq.h"

struct job {
    const struct gw_engine_cloud *cloud;
    uint64_t ms;
    struct gw_trial *trial;
};

static void run(void *arg)
{
    struct job *j = arg;
    const struct cloud_opts opts = { .name = j->cloud->name,
                                     .credentials = j->cloud->credentials,
                                     .op = { .deadline = qc_deadline_in(j->ms) } };
    j->trial->rc = cloud_validate(j->cloud->url, &opts, false, &j->trial->report, &j->trial->err);
    j->trial->ran = true;
}

static void queue_free(struct qc_workq **q)
{
    if (*q != NULL)
        qc_workq_free(q);
}

qc_rc gw_trust_try(const struct gw_engine_cloud *clouds, unsigned count, gw_clouds set, uint64_t ms,
                   struct gw_trial **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_trial *trials = qc_alloc(count * sizeof *trials);
    struct job jobs[QC_GW_CLOUDS_MAX];
    QC_ASSERT(count >= 1 && count <= QC_GW_CLOUDS_MAX);
    if (trials == NULL)
        return QC_FAIL(err, QC_NOMEM, "validation of %u clouds", count);
    if (set != 0) {
        QC_CLEANUP(queue_free) struct qc_workq *q = NULL; /* waits for its jobs */
        QC_TRY(qc_workq_new(&q, count, count, err));
        for (unsigned i = 0; i < count; i++) {
            jobs[i] = (struct job){ &clouds[i], ms, &trials[i] };
            if (set >> i & 1)
                QC_TRY(qc_workq_submit(q, run, &jobs[i], QC_NO_DEADLINE, err));
        }
    }
    *ret = QC_STEAL(trials);
    return QC_OK;
}

qc_rc gw_trust_note(struct gw_ways *w, const struct gw_engine_cloud *cloud, const struct cloud_report *r,
                    struct qc_err *err)
{
    struct gw_way *way = NULL;
    QC_TRY(gw_ways_get(w, cloud->name, &way, err));
    QC_ASSERT(strlen(cloud->url) < sizeof way->url);
    memcpy(way->url, cloud->url, strlen(cloud->url) + 1);
    way->validated_s = qc_wall_s();
    way->facts = r->facts;
    return QC_OK;
}

qc_rc gw_trust_judge(const char *cloud, const struct cloud_report *r, struct qc_err *err)
{
    char why[QC_ERR_MSG_MAX];
    if (r->unfit == 0)
        return QC_OK;
    cloud_report_unfit(r, why, sizeof why);
    if (r->left > 0)
        return QC_FAIL(err, QC_UNFIT, "cloud '%s' is not fit for use (%u test objects stay there): %s", cloud,
                       r->left, why);
    return QC_FAIL(err, QC_UNFIT, "cloud '%s' is not fit for use: %s", cloud, why);
}
