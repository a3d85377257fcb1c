/* Figures for a program that keeps them over time: Prometheus' text format. Names of links have no character
 * that is to be escaped (conf.c). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "operator.h"
#include "supply_internal.h"

static double up(const struct kme_network *n, const struct kme_link *l)
{
    return strcmp(kme_link_state(n, l), "up") == 0;
}

static double yield(const struct kme_network *n, const struct kme_link *l)
{
    return (double)kme_link_yield(n, l);
}

static double pool(const struct kme_network *n, const struct kme_link *l)
{
    (void)n;
    return (double)l->bits;
}

static double cap(const struct kme_network *n, const struct kme_link *l)
{
    (void)n;
    return (double)l->cap;
}

static double used(const struct kme_network *n, const struct kme_link *l)
{
    (void)n;
    return (double)l->used;
}

static double use(const struct kme_network *n, const struct kme_link *l)
{
    return qkd_use_bps(&l->use, n->clock_ms, false);
}

static const struct family {
    const char *name, *type, *help;
    double (*of)(const struct kme_network *n, const struct kme_link *l);
} families[] = {
    { "qcloud_kme_link_up", "gauge", "1: it makes key", up },
    { "qcloud_kme_link_rate_bps", "gauge", "key that it makes now, bits a second", yield },
    { "qcloud_kme_link_pool_bits", "gauge", "key in its pool", pool },
    { "qcloud_kme_link_pool_cap_bits", "gauge", "key that its pool holds at most", cap },
    { "qcloud_kme_link_used_bits_total", "counter", "key that was used since the start", used },
    { "qcloud_kme_link_use_bps", "gauge", "key used, bits a second, over the last ten minutes", use },
    { "qcloud_kme_link_dry_seconds", "gauge", "until its pool is out at the present use; +Inf: never",
      kme_link_dry_s },
};

static qc_rc family(const struct family *f, const struct kme_network *net, qc_buf *to, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(to, err, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type));
    for (unsigned i = 0; i < net->links; i++) {
        const double v = f->of(net, &net->link[i]);
        QC_TRY(qc_buf_addf(to, err, "%s{link=\"%s\"} ", f->name, net->link[i].id));
        if (isfinite(v))
            QC_TRY(qc_buf_addf(to, err, "%.15g\n", v));
        else
            QC_TRY(qc_buf_add_str(to, "+Inf\n", err));
    }
    return QC_OK;
}

static qc_rc print(struct kme *k, qc_buf *to, struct qc_err *err)
{
    uint64_t waiting = 0;
    QC_TRY(kme_store_waiting(k->store, &waiting, err));
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        QC_TRY(family(&families[i], k->net, to, err));
    return qc_buf_addf(to, err,
                       "# HELP qcloud_kme_supplied_keys_total keys supplied since the start\n"
                       "# TYPE qcloud_kme_supplied_keys_total counter\n"
                       "qcloud_kme_supplied_keys_total %" PRIu64 "\n"
                       "# HELP qcloud_kme_waiting_keys copies that wait for their slaves\n"
                       "# TYPE qcloud_kme_waiting_keys gauge\nqcloud_kme_waiting_keys %" PRIu64 "\n",
                       k->supplied, waiting);
}

qc_rc kme_metrics(struct kme *k, struct kme_answer *ret, struct qc_err *err)
{
    return kme_answer_print(k, "text/plain; version=0.0.4", print, ret, err);
}
