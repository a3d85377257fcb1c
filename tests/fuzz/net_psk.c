/* fuzz/net_psk: an identity from the wire: refused, or what is written again in the same bytes. */
#include "net/psk.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_psk_id id;
    struct qc_err err = { 0 };
    char text[NET_PSK_IDENTITY];
    const qc_rc rc = net_psk_id_parse(&id, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_FORMAT);
    if (rc != QC_OK)
        return 0;
    QC_ASSERT(net_psk_id_print(&id, text, &err) == QC_OK);
    QC_ASSERT(qc_span_eq(qc_span_str(text), qc_span_of(data, size)));
    return 0;
}
