/* fuzz/kme_fault: what the operator's door is told: refused, or a network as whole as before. */
#include "fault.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kme_network n;
    struct qc_err err = { 0 };
    struct kme_fault f = { 0 };
    struct kme_route way;
    n = (struct kme_network){
        .node = { "a", "b", "c" },
        .link = { { .id = "L0", .a = 0, .b = 1, .bits = 900, .cap = 1000, .rate = 5 },
                  { .id = "L1", .a = 1, .b = 2, .bits = 1000, .cap = 1000, .rate = 5 } },
        .nodes = 3,
        .links = 2,
        .qber_alarm = 0.08,
        .window_ms = 1000
    };
    const qc_rc rc = kme_fault_parse(&f, &n, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_USAGE || rc == QC_NOTFOUND);
    if (rc != QC_OK)
        return 0;
    kme_network_pass(&n, 100);
    kme_fault_apply(&n, &f);
    kme_network_pass(&n, 100);
    for (unsigned i = 0; i < n.links; i++)
        QC_ASSERT(n.link[i].bits <= n.link[i].cap && kme_link_yield(&n, &n.link[i]) <= KME_RATE_MAX);
    QC_ASSERT(kme_network_route(&n, 0, 2, &way) != (f.kind == KME_NODE_SEIZE));
    return 0;
}
