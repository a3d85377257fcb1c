/* fuzz/vault_entry: private metadata in clear (N's and an entry's), and an entry with an arbitrary private
 * part. What is taken is written back to fields that parse to the same. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct vault_ring *ring;
    struct qc_err err = { 0 };
    if (ring == NULL) {
        uint8_t raw[32] = { 1 };
        static const uint8_t vault[16] = { 2 };
        QC_CLEANUP(qc_key_free) qc_key *VS = NULL;
        CHECK_OK(qc_key_from(&VS, raw, sizeof raw, &err));
        CHECK_OK(vault_ring_new(&ring, VS, vault, &err));
    }
    const qc_span in = qc_span_of(data, n);
    struct vault_meta m, again;
    qc_rc rc = vault_meta_parse(&m, in, &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT || rc == QC_NEWER);
    if (rc == QC_OK) {
        QC_CLEANUP(qc_buf_free) qc_buf b = { .max = n + 8 };
        CHECK_OK(vault_meta_write(
            &b, &m, &err)); /* unknown optional fields are left out, so it is no longer than n */
        CHECK_OK(vault_meta_parse(&again, qc_buf_span(&b), &err));
        CHECK(again.true_size == m.true_size && again.has_mtime == m.has_mtime &&
              again.has_mode == m.has_mode);
        CHECK(qc_span_eq(again.provenance, m.provenance) && qc_span_eq(again.ways, m.ways));
        CHECK(again.has_from == m.has_from && b.n <= n);
    }
    struct vault_entry e = { .path = QC_LIT("p"),
                             .number = 1,
                             .kind = n > 0 ? data[0] % 5 : 0,
                             .sequence = 1,
                             .size = 1,
                             .priv = in };
    rc = vault_entry_private_open(&m, &e, ring, &err);
    CHECK(rc == QC_FORMAT || rc == QC_INTEGRITY);
    rc = vault_entry_check(&e, ring, (qc_span){ 0 }, &err);
    CHECK(rc == QC_FORMAT || rc == QC_INTEGRITY || rc == QC_NEWER);
    return 0;
}
