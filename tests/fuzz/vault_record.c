/* fuzz/vault_record: arbitrary bytes as a vault record: refused, or 124 bytes that are all accounted for. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    const qc_rc rc = vault_record_parse(&r, qc_span_of(data, n), &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER);
    CHECK(rc == QC_OK ? n == VAULT_RECORD_BYTES && r.generation > 0 : r.VS3 == NULL);
    return 0;
}
