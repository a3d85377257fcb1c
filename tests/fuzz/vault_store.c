/* fuzz/vault_store: key file, descriptor and client journal of any bytes: they parse, or are refused; what
 * parses is written again and parses to the same. */
#include "base/key.h"
#include "journal.h"
#include "qc_fuzz.h"
#include "vault/descriptor.h"
#include "vault/share_store.h"

static void descriptor(qc_span in)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 }, again = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf a = { .max = VAULT_DESCRIPTOR_MAX }, b = { .max = VAULT_DESCRIPTOR_MAX };
    if (vault_descriptor_parse(&d, in, &err) != QC_OK)
        return;
    if (vault_descriptor_write(&a, &d, &err) != QC_OK)
        return; /* longer in our form: over the limit */
    QC_ASSERT(vault_descriptor_parse(&again, qc_buf_span(&a), &err) == QC_OK);
    QC_ASSERT(vault_descriptor_write(&b, &again, &err) == QC_OK);
    QC_ASSERT(qc_span_eq(qc_buf_span(&a), qc_buf_span(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct vault_store_key key = { 0 };
    struct journal_put put = { 0 };
    uint32_t turn = 0;
    qc_span in = qc_span_of(data, size);
    if (vault_store_key_parse(&key, in, &err) == QC_OK) {
        QC_ASSERT(size == VAULT_STORE_KEY_BYTES && key.SK != NULL);
        qc_key_free(&key.SK);
    }
    if (journal_parse(&put, &turn, in, &err) == QC_OK)
        QC_ASSERT(put.sequence > 0 && put.number > 0);
    descriptor(in);
    return 0;
}
