/* Inverses in GF(2^8) with 0x11d, for the check of the library's matrix: internal to ec/. Public values,
 * start-up only. */
#pragma once
#include <stdint.h>

static inline uint8_t ec_gf_mul(uint8_t x, uint8_t y)
{
    unsigned a = x;
    unsigned b = y;
    unsigned product = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        if ((b >> bit) & 1U)
            product ^= a;
        a = (a & 0x80U) != 0 ? (a << 1) ^ 0x11dU : a << 1;
    }
    return (uint8_t)product;
}

/* By search: nothing to get wrong. 0 for 0, which has none. */
static inline uint8_t ec_gf_inv(uint8_t x)
{
    for (unsigned y = 1; y < 256; y++)
        if (ec_gf_mul(x, (uint8_t)y) == 1)
            return (uint8_t)y;
    return 0;
}
