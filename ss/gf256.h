/* GF(2^8) with 0x11d without tables: internal to ss/. */
#pragma once
#include <stdint.h>

/*
 * Product of a secret byte and a public constant: eight shifts, each masked. No table is indexed and no
 * branch taken on either, because a table indexed by a secret is the classic leak through the cache.
 */
static inline uint8_t gf_mul(uint8_t secret, uint8_t constant)
{
    unsigned a = secret;
    unsigned b = constant;
    unsigned product = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        product ^= a & (0U - ((b >> bit) & 1U));
        a = (a << 1) ^ (0x11dU & (0U - ((a >> 7) & 1U)));
    }
    return (uint8_t)product;
}

/* Eight products at once, of the bytes of `secrets`: Horner over the bits of the constant, which is public,
 * from its highest. The same bytes take the same time, whatever they are. */
static inline uint64_t gf_mul8(uint64_t secrets, uint8_t constant)
{
    const uint64_t low = UINT64_C(0x0101010101010101);
    uint64_t product = 0;
    for (unsigned bits = constant, bit = 128; bit > 0; bit >>= 1) {
        if (bit > bits)
            continue;
        product = ((product & 0x7f * low) << 1) ^ ((product >> 7 & low) * 0x1d);
        product ^= secrets & (0 - (uint64_t)((bits & bit) != 0));
    }
    return product;
}

/* Inverse of x != 0, as x^254; of 0 it is 0. */
static inline uint8_t gf_inv(uint8_t x)
{
    uint8_t power = 1;
    uint8_t square = x;
    for (unsigned bit = 1; bit < 8; bit++) { /* 254 = 2 + 4 + ... + 128 */
        square = gf_mul(square, square);
        power = gf_mul(power, square);
    }
    return power;
}
