/* fuzz/vault_backup: arbitrary bytes as B: refused, or the parts of it add up to all of it. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    const qc_rc rc = vault_backup_parse(&b, qc_span_of(data, n), &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER);
    if (rc != QC_OK) {
        CHECK(b.R4 == NULL);
        return 0;
    }
    CHECK(b.raw.p == data && b.raw.n + b.m14.n + b.m24.n == n && b.generation > 0 && b.R4 != NULL);
    CHECK(b.raw.n == 108 + (b.corr1 ? 32u : 0u) + (b.corr2 ? 32u : 0u) + b.extensions.n);
    return 0;
}
