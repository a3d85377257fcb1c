/* Sizes that say little: Padmé. Layer 3; uses base. Source: Nikitin, Barman, Lueks, Underwood, Hubaux, Ford,
 * "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019, section 4.
 * Format: FORMAT 3.2. Pure; any thread. */
#pragma once
#include <stdint.h>

/*
 * What n bytes are padded to: the least number >= n that has, in binary, at most as many digits behind its
 * first one, trailing zeros apart, as the number of its digits has. At most 12 % more (11.6 at 129
 * bytes), 6.3 % from 256 bytes, 3.2 % from 64 KiB, 1.6 % from 4 GiB on. Up to 2 MiB 333 sizes are left. n is
 * below 2^62.
 */
uint64_t vault_padme(uint64_t n);
