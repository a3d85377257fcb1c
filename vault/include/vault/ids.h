/* The three ids that every derivation of a sealed object carries. Layer 3; uses base. Format: FORMAT 1.1. */
#pragma once
#include <stdint.h>

#define VAULT_ID_BYTES 16

/*
 * vault, object and version id, 16 random bytes each. For the vault secret VS the ids are (vault, vault,
 * zeros). A version id is drawn with K and R and never used for a second pair of them.
 */
struct vault_ids {
    uint8_t vault[VAULT_ID_BYTES];
    uint8_t object[VAULT_ID_BYTES];
    uint8_t version[VAULT_ID_BYTES];
};

/* The ids under which the vault secret VS of a vault is shared and used. */
struct vault_ids vault_ids_of_vault(const uint8_t vault[VAULT_ID_BYTES]);
