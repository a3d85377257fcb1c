/* fuzz/vault_path: arbitrary bytes as a path ciphertext (refused: they do not authenticate), and as a name:
 * what the rules take comes back from its ciphertext. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct vault_ring *ring;
    static struct vault_name_cache cache;
    struct qc_err err = { 0 };
    if (ring == NULL) {
        uint8_t raw[32] = { 1 };
        static const uint8_t vault[16] = { 2 };
        QC_CLEANUP(qc_key_free) qc_key *VS = NULL;
        CHECK_OK(qc_key_from(&VS, raw, sizeof raw, &err));
        CHECK_OK(vault_ring_new(&ring, VS, vault, &err));
    }
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX }, path = { .max = QC_VAULT_PATH_MAX };
    const qc_span in = qc_span_of(data, n);
    qc_rc rc = vault_name_open(&name, ring, in, &cache, &err);
    CHECK(rc == QC_OK || ((rc == QC_FORMAT || rc == QC_INTEGRITY) && name.n == 0));
    if (rc == QC_OK) { /* from the corpus only */
        CHECK_OK(vault_name_seal(&path, ring, qc_buf_span(&name), &err));
        CHECK(qc_span_eq(qc_buf_span(&path), in));
        return 0;
    }
    rc = vault_name_seal(&path, ring, in, &err);
    CHECK(rc == QC_OK || (rc == QC_USAGE && path.n == 0));
    if (rc == QC_OK) {
        CHECK_OK(vault_name_open(&name, ring, qc_buf_span(&path), &cache, &err));
        CHECK(qc_span_eq(qc_buf_span(&name), in));
    }
    return 0;
}
