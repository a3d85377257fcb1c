#include "scheme.h"

#include <string.h>

#include "ss/shamir.h"

static qc_rc xor23_split(const uint8_t *S, size_t n, uint8_t *const share[SS_XOR23_SHARES],
                         struct qc_err *err)
{
    (void)err;
    ss_xor23_split(qc_span_of(S, n), share[SS_XOR23_C], share);
    return QC_OK;
}

/* The line through S at 0 and A at 1, at 2 and 3: with A uniform it is a line that is drawn, and A, B and C
 * lie on it. */
static qc_rc shamir_split(const uint8_t *S, size_t n, uint8_t *const share[SS_XOR23_SHARES],
                          struct qc_err *err)
{
    static const uint8_t at[2] = { 0, 1 };
    const uint8_t *const known[2] = { S, share[SS_XOR23_A] };
    for (unsigned i = SS_XOR23_B; i < SS_XOR23_SHARES; i++)
        QC_TRY(ss_interpolate(2, at, known, ss_xor23_size(n), (uint8_t)(i + 1), share[i], err));
    return QC_OK;
}

static qc_rc shamir_join(enum ss_xor23 i, const uint8_t *x, enum ss_xor23 j, const uint8_t *y, size_t n,
                         uint8_t *S, struct qc_err *err)
{
    const uint8_t at[2] = { (uint8_t)(i + 1), (uint8_t)(j + 1) };
    const uint8_t *const shares[2] = { x, y };
    return ss_combine(2, at, shares, ss_xor23_size(n), 0, S, err);
}

static qc_rc mirror_split(const uint8_t *S, size_t n, uint8_t *const share[SS_XOR23_SHARES],
                          struct qc_err *err)
{
    (void)err;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        memcpy(share[i], S, ss_xor23_size(n));
    return QC_OK;
}

static qc_rc mirror_join(enum ss_xor23 i, const uint8_t *x, enum ss_xor23 j, const uint8_t *y, size_t n,
                         uint8_t *S, struct qc_err *err)
{
    (void)i;
    (void)j;
    (void)y;
    (void)err;
    memcpy(S, x, n);
    return QC_OK;
}

const struct scheme *scheme_of(enum vault_scheme s)
{
    static const struct scheme all[VAULT_SCHEMES] = {
        [VAULT_XOR23] = { "xor23", "QCX3", 2, SS_XOR23_C, xor23_split, ss_xor23_join },
        [VAULT_SHAMIR] = { "shamir", "QCS3", 2, SS_XOR23_A, shamir_split, shamir_join },
        [VAULT_MIRROR] = { "mirror", "QCM3", 1, SS_XOR23_SHARES, mirror_split, mirror_join },
    };
    QC_ASSERT(s < VAULT_SCHEMES);
    return &all[s];
}

const char *vault_scheme_text(enum vault_scheme s)
{
    return scheme_of(s)->word;
}

unsigned vault_scheme_needs(enum vault_scheme s)
{
    return scheme_of(s)->needs;
}
