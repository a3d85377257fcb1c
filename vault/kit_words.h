/* The list that a kit's words are of. Layer 3. */
#pragma once
#include "vault/kit.h"

#define VAULT_KIT_LIST 2048 /* 11 bits a word */

/* In their order; zeros behind what is shorter than 8 letters. */
extern const char vault_kit_word[VAULT_KIT_LIST][VAULT_KIT_WORD_MAX];

/* Both read the whole list, whichever word it is. */
void vault_kit_spell(char out[VAULT_KIT_WORD_MAX], uint32_t index);
/* The place in the list of a word in any case, or of its first four letters; VAULT_KIT_LIST: it is not there.
 */
uint32_t vault_kit_find(qc_span token);
