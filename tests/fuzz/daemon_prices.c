/* fuzz/daemon_prices: any text as a table of prices. What is taken makes a plan's cost, or says that it is
 * not known. */
#include "prices.h"

#include <string.h>

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QC_CLEANUP(qc_json_free) struct json_t *plan = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 64 * 1024 };
    struct prices p = { 0 };
    struct qc_err err = { 0 };
    static const char amounts[] =
        "{\"cloud\":\"c\",\"possible\":true,\"fragments\":9007199254740991,\"bytes\":1,\"reads\":"
        "9007199254740991,"
        "\"read_bytes\":9007199254740991,\"writes\":3,\"written_bytes\":9007199254740991,\"deletes\":0,"
        "\"domains\":5,\"needed\":5,\"bytes_per_s\":1}";

    if (prices_parse(qc_span_of(data, size), &p, &err) != QC_OK)
        return 0;
    QC_ASSERT(memchr(p.currency, '\0', sizeof p.currency) != NULL);
    for (unsigned i = 0; i < PRICES; i++)
        QC_ASSERT(p.has[i] || p.millionths[i] == 0);
    QC_ASSERT(qc_json_parse(&plan, qc_span_str(amounts), &err) == QC_OK);
    QC_ASSERT(prices_apply(&p, true, plan, &err) == QC_OK);
    QC_ASSERT(prices_text(plan, &text, &err) == QC_OK && text.n > 0);
    return 0;
}
