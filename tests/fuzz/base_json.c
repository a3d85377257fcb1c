/* fuzz/base_json: any bytes either do not parse, or print and parse again to the same text. */
#include "base/json.h"

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL, *again = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf a = { .max = QC_JSON_MAX }, b = { .max = QC_JSON_MAX };
    uint64_t u = 0;

    if (qc_json_parse(&j, qc_span_of(data, size), &err) != QC_OK)
        return 0;
    if (qc_json_dump(j, &a, &err) != QC_OK)
        return 0;
    QC_ASSERT(qc_json_parse(&again, qc_buf_span(&a), &err) == QC_OK);
    QC_ASSERT(qc_json_dump(again, &b, &err) == QC_OK);
    QC_ASSERT(qc_span_eq(qc_buf_span(&a), qc_buf_span(&b)));
    qc_ignore(qc_json_u64(j, "n", &u, &err), "any answer will do");
    return 0;
}
