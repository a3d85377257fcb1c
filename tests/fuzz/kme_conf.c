/* fuzz/kme_conf: a network's configuration: taken, then every member is in its range; or refused. */
#include "network.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kme_network n;
    struct qc_err err = { 0 };
    struct kme_route way;
    qc_rc rc = kme_network_parse(&n, qc_span_of(data, size), (qc_span){ 0 }, &err); /* as a topology */
    QC_ASSERT(rc == QC_OK || rc == QC_USAGE);
    rc = kme_network_parse(&n, (qc_span){ 0 }, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_USAGE);
    if (rc != QC_OK)
        return 0;
    QC_ASSERT(n.doors >= 1 && n.nodes >= 1 && n.limits.min_key_size <= n.limits.key_size &&
              n.limits.key_size <= n.limits.max_key_size);
    for (unsigned i = 0; i < n.links; i++)
        QC_ASSERT(n.link[i].a < n.nodes && n.link[i].b < n.nodes && n.link[i].bits <= n.link[i].cap);
    for (unsigned i = 0; i < n.saes; i++)
        QC_ASSERT(kme_network_door(&n, n.sae[i].node) != NULL);
    kme_network_pass(&n, 1000);
    for (unsigned i = 0; i < n.nodes; i++)
        if (kme_network_route(&n, 0, i, &way))
            QC_ASSERT(way.hops < n.nodes && way.node[way.hops] == i);
    return 0;
}
