/* ct/vault_kit: which words a seed becomes, and which word was typed, decides no branch and no address. How
 * many letters a typed word has does. */
#include <valgrind/memcheck.h>

#include "kit_words.h"
#include "vault_fix.h"

int main(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { .shares = 3, .generation = 1 };
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words w = { 0 };
    kit.seed[0] = fix_key("seed", 1, 32);
    kit.seed[1] = fix_key("seed", 2, 32);
    for (unsigned i = 0; i < 2; i++)
        VALGRIND_MAKE_MEM_UNDEFINED(qc_key_open(kit.seed[i]).p, 32);
    CHECK_OK(vault_kit_encode(&w, &kit, &err));
    for (size_t i = 0; i < 3; i++) {
        static const char *const words[] = { "zone", "zoo", "abstract" };
        const size_t n = strlen(words[i]);
        uint32_t index = vault_kit_find(qc_span_of(words[i], n));
        CHECK(index < VAULT_KIT_LIST);
        char typed[VAULT_KIT_WORD_MAX];
        memcpy(typed, vault_kit_word[index], sizeof typed);
        VALGRIND_MAKE_MEM_UNDEFINED(typed, sizeof typed);
        uint32_t found = vault_kit_find(qc_span_of(typed, n));
        VALGRIND_MAKE_MEM_DEFINED(&found, sizeof found);
        CHECK(found == index);
    }
    return 0;
}
