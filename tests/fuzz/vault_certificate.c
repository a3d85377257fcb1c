/* fuzz/vault_certificate: what is read as a record of erasure is refused, or is one. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    const qc_rc rc = vault_certificate_parse(&c, qc_span_of(data, n), &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER || rc == QC_INTEGRITY || rc == QC_LIMIT);
    if (rc == QC_OK)
        CHECK(c.n >= 1 && c.n <= n && c.name.n >= 1 && c.draft == (c.ended_s == 0));
    return 0;
}
