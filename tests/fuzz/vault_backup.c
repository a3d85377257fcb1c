/* fuzz/vault_backup: arbitrary bytes as B: refused, or the parts of it add up to all of it. As a sealed one
 * they never open, and stay as they are. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/backup.h"

static void unseal(const uint8_t *data, size_t n)
{
    static qc_key *W;
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
    if (W == NULL) {
        CHECK_OK(qc_key_blank(&W, 32, &err));
        memset(qc_key_write(W), 7, 32);
        qc_key_seal(W);
    }
    if (n > QC_VAULT_BACKUP_MAX)
        return;
    CHECK_OK(qc_buf_add(&B, qc_span_of(data, n), &err));
    const qc_rc rc = vault_backup_unseal(&B, W, &err);
    CHECK(rc == (vault_backup_is_sealed(qc_span_of(data, n)) ? rc : QC_OK));
    CHECK(rc == QC_OK || rc == QC_INTEGRITY || rc == QC_FORMAT);
    CHECK(!vault_backup_is_sealed(qc_span_of(data, n)) || rc != QC_OK);
    CHECK(qc_span_eq(qc_buf_span(&B), qc_span_of(data, n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    uint32_t generation = 0;
    const bool kept = vault_backup_is_kept(qc_span_of(data, n));
    unseal(data, n);
    const qc_rc has = vault_backup_generation(&generation, qc_span_of(data, n), &err);
    CHECK((has == QC_OK) == (generation > 0) && (has == QC_OK || has == QC_FORMAT));
    qc_err_clear(&err);
    const qc_rc rc = vault_backup_parse(&b, qc_span_of(data, n), &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER || (kept && rc == QC_SHARES));
    CHECK(!kept || rc == QC_SHARES);
    if (rc != QC_OK) {
        CHECK(b.R4 == NULL);
        return 0;
    }
    CHECK(has == QC_OK && b.generation == generation);
    CHECK(b.raw.p == data && b.raw.n + b.m14.n + b.m24.n == n && b.generation > 0 && b.R4 != NULL);
    CHECK(b.raw.n == 108 + (b.corr1 ? 32u : 0u) + (b.corr2 ? 32u : 0u) + b.extensions.n);
    return 0;
}
