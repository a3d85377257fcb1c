/* fuzz/vault_kit: what is typed as a kit is refused, or is a kit, whose words are read as the same one. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "vault/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { 0 }, again = { 0 };
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words w = { 0 };
    char text[VAULT_KIT_BOTH * (VAULT_KIT_WORD_MAX + 1)];
    const qc_rc rc = vault_kit_decode(&kit, qc_span_of(data, n), &err);
    CHECK(rc == QC_OK || rc == QC_USAGE || rc == QC_FORMAT || rc == QC_NEWER);
    if (rc != QC_OK)
        return 0;
    CHECK_OK(vault_kit_encode(&w, &kit, &err));
    for (size_t i = 0; i < w.count; i++) {
        char *at = text + i * (VAULT_KIT_WORD_MAX + 1);
        memset(at, ' ', VAULT_KIT_WORD_MAX + 1);
        for (size_t j = 0; j < VAULT_KIT_WORD_MAX; j++) {
            const uint8_t c = qc_key_open(w.text).p[i * VAULT_KIT_WORD_MAX + j];
            at[j] = c == 0 ? ' ' : (char)c;
        }
    }
    CHECK_OK(vault_kit_decode(&again, qc_span_of(text, w.count * (VAULT_KIT_WORD_MAX + 1)), &err));
    CHECK(again.shares == kit.shares && again.generation == kit.generation);
    for (unsigned i = 0; i < 2; i++)
        CHECK(kit.seed[i] == NULL ? again.seed[i] == NULL : qc_key_same(kit.seed[i], again.seed[i]));
    return 0;
}
