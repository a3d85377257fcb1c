/* fuzz/vault_store: key file (also with its checksum made right, which no mutation finds), descriptor and
 * client journal of any bytes: they parse, or are refused; what parses is written again and parses to the
 * same. */
#include "base/key.h"
#include "journal.h"
#include "base/crypto.h"
#include "qc_fuzz.h"
#include "store_file.h"
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

static void key_file(qc_span in)
{
    struct qc_err err = { 0 };
    struct vault_store_key key = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *SK = NULL, *again = NULL;
    if (vault_store_key_parse(&key, in, &err) != QC_OK)
        return;
    if (key.SK == NULL) {
        QC_ASSERT(in.n == VAULT_STORE_KEY_WRAPPED);
        QC_ASSERT(key.how.passes >= QC_VAULT_PASS_PASSES_MIN && key.how.passes <= QC_VAULT_PASS_PASSES_MAX);
        QC_ASSERT(key.how.kib >= QC_VAULT_PASS_KIB_MIN && key.how.kib <= QC_VAULT_PASS_KIB_MAX);
        return;
    }
    SK = QC_STEAL(key.SK);
    QC_ASSERT(store_key_encode(&again, key.store, SK, &(struct vault_lock){ 0 }, NULL, &err) == QC_OK);
    QC_ASSERT(qc_span_eq(qc_key_open(again), in));
}

static void key_file_summed(qc_span in)
{
    struct qc_err err = { 0 };
    uint8_t file[VAULT_STORE_KEY_MAX];
    if (in.n < QC_SHA256_BYTES || in.n > sizeof file)
        return;
    memcpy(file, in.p, in.n);
    qc_span body = qc_span_of(file, in.n - QC_SHA256_BYTES);
    QC_ASSERT(qc_sha256(&body, 1, file + body.n, &err) == QC_OK);
    key_file(qc_span_of(file, in.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct journal_put put = { 0 };
    uint32_t turn = 0;
    qc_span in = qc_span_of(data, size);
    key_file(in);
    key_file_summed(in);
    if (journal_parse(&put, &turn, in, &err) == QC_OK)
        QC_ASSERT(put.sequence > 0 && put.number > 0);
    static struct journal_bundle many;
    if (journal_parse_bundle(&many, in, &err) == QC_OK)
        QC_ASSERT(many.count <= QC_VAULT_BUNDLE_FILES);
    descriptor(in);
    return 0;
}
