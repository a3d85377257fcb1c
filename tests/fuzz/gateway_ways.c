/* fuzz/gateway_ways: any text as clouds.conf is taken or refused; what is taken comes back the same after
 * printing. */
#include "ways.h"

#include <stdlib.h>
#include <string.h>

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gw_ways a, b;
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_WAYS_MAX };
    if (gw_ways_parse(qc_span_of(data, size), &a, &err) != QC_OK) {
        QC_ASSERT(err.rc == QC_USAGE || err.rc == QC_LIMIT);
        return 0;
    }
    QC_ASSERT(a.count <= QC_GW_CLOUDS_MAX);
    QC_ASSERT(gw_ways_print(&a, &text, &err) == QC_OK);
    QC_ASSERT(gw_ways_parse(qc_buf_span(&text), &b, &err) == QC_OK);
    QC_ASSERT(a.count == b.count);
    for (unsigned i = 0; i < a.count; i++) {
        QC_ASSERT(strcmp(a.v[i].name, b.v[i].name) == 0 && strcmp(a.v[i].url, b.v[i].url) == 0);
        QC_ASSERT(strcmp(a.v[i].credentials, b.v[i].credentials) == 0 && a.v[i].facts == b.v[i].facts);
        QC_ASSERT(a.v[i].validated_s == b.v[i].validated_s);
    }
    return 0;
}
