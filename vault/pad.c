#include "vault/pad.h"

#include "base/err.h"
#include "base/limits.h"

/* What may be bundled may be so when it is padded. */
_Static_assert((QC_VAULT_BUNDLED_MAX & (QC_VAULT_BUNDLED_MAX - 1)) == 0, "a power of two stays as it is");

/* n > 0. */
static unsigned log2_floor(uint64_t n)
{
    return 63U - (unsigned)__builtin_clzll(n);
}

uint64_t vault_padme(uint64_t n)
{
    QC_ASSERT(n >> 62 == 0);
    if (n < 2)
        return n;
    const unsigned E = log2_floor(n), S = log2_floor(E) + 1;
    const uint64_t mask = (UINT64_C(1) << (E - S)) - 1; /* S <= E: digits that may be other than zero */
    return (n + mask) & ~mask;
}
