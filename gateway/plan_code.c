/* What would another code take? (recode.c does it.) Nothing is written, and no cloud is asked. */
#include "make.h"
#include "move_internal.h"
#include "rules.h"

/* Each segment: k pieces are read; n new ones are written, and all of them read back; the old ones are
 * removed and looked for, in rounds. One log object names a batch, on all clouds. An S3 read of a piece is
 * one request; what is small comes with a HEAD before it. */
static void fill(const struct gw_code_work *w, unsigned clouds, struct gw_code_plan *p)
{
    const uint64_t records = (w->segments + QC_GW_RECODE_BATCH - 1) / QC_GW_RECODE_BATCH * clouds;

    p->segments = w->segments;
    p->bytes = w->bytes;
    p->lying_bytes = w->lying_bytes;
    p->will_lie = w->piece_bytes * p->n;
    p->read_bytes = w->bytes + p->will_lie;
    p->reads = w->k + w->segments * p->n;
    p->written_bytes = p->will_lie;
    p->writes = w->segments * p->n + records;
    p->deletes = w->n * QC_GW_SWEEP_ROUNDS;
}

qc_rc gw_engine_plan_code(struct gw_engine *e, unsigned k, unsigned n, struct gw_code_plan *ret,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    const struct gw_config *now = &e->conf;
    struct gw_config then = *now;
    struct gw_code_work w;
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    if (k < 1 || k > n || n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_USAGE, "code %u,%u: expected K,N with 1 <= K <= N <= %d", k, n, QC_EC_N_MAX);
    QC_LOCK(gw_cat_lock(e->cat));
    struct gw_code_plan p = {
        .was_k = now->k, .was_n = now->n, .k = k, .n = n, .was_quorum = now->record_quorum
    };
    then.k = k;
    then.n = n;
    gw_quorums(&then);
    p.quorum = then.record_quorum > now->record_quorum ? then.record_quorum : now->record_quorum;
    p.was_margin = now->n - now->k;
    p.margin = n - k;
    QC_TRY(gw_cat_least_m(e->cat, &p.was_margin, err));
    QC_TRY(gw_cat_other_code_work(e->cat, k, n, &w, err));
    QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
    fill(&w, count, &p);
    p.clouds = gw_rules_domains(atomic_load(&e->domain), rows, count, 0);
    p.needed = n;
    p.possible = p.clouds >= n;
    p.bytes_per_s = atomic_load(&e->moved_per_s);
    *ret = p;
    return QC_OK;
}
