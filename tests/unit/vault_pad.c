/* unit/vault_pad: Padmé against a computation of another kind, its bounds, and objects that are padded: what
 * comes back is D, whole and in parts, and what the gateway is told, and has, is of the padded size alone. */
#include <inttypes.h>
#include <math.h>

#include "vault/pad.h"
#include "vault_rig.h"

#define MIB (UINT64_C(1) << 20)

/* --- the number ----------------------------------------------------------------------------------------- */

static unsigned digits(uint64_t n)
{
    unsigned d = 0;
    for (; n > 0; n /= 2)
        d++;
    return d;
}

/* Has it, between its first binary digit and the zeros at its end, at most as many digits as the exponent of
 * that first one has? The paper says it so in words; nothing of this is in vault/pad.c. */
static bool is_short(uint64_t n)
{
    const unsigned E = digits(n) - 1;
    unsigned zeros = 0;
    while (zeros < E && (n >> zeros & 1) == 0)
        zeros++;
    return E - zeros <= digits(E);
}

/* Every number up to 2^21: the least short one that is not below it. */
static void small(void)
{
    uint64_t next = 2 * MIB, found = 1;
    CHECK(is_short(next) && vault_padme(0) == 0);
    for (uint64_t n = 2 * MIB; n > 0; n--) {
        if (is_short(n)) {
            next = n;
            found++;
        }
        if (vault_padme(n) != next) {
            fprintf(stderr, "%" PRIu64 ": %" PRIu64 ", not %" PRIu64 "\n", n, vault_padme(n), next);
            exit(1);
        }
        CHECK(next - n <= n * 12 / 100);
    }
    printf("%" PRIu64 " sizes up to 2 MiB\n", found);
    CHECK(found == 333); /* 0 among them */
}

/* Large ones by a mantissa: n / 2^E has so many digits behind its point, rounded up. long double holds 64. */
static void large(struct qc_rand *r)
{
    for (uint64_t i = qc_rand_cases(200000, 20000000); i > 0; i--) {
        const uint64_t n = (qc_rand_u64(r) >> (3 + qc_rand_below(r, 42))) + 2;
        int exponent = 0;
        const long double m = frexpl((long double)n, &exponent); /* 1/2 .. 1 */
        const int kept = (int)digits((uint64_t)exponent - 1) + 1;
        const long double up = ldexpl(ceill(ldexpl(m, kept)), exponent - kept);
        CHECK(exponent > kept ? vault_padme(n) == (uint64_t)up : vault_padme(n) == n);
        CHECK(vault_padme(vault_padme(n)) == vault_padme(n) && vault_padme(n) >= n);
        CHECK(n >> 16 == 0 || (long double)vault_padme(n) <= 1.03125L * (long double)n);
        CHECK(n >> 32 == 0 || (long double)vault_padme(n) <= 1.015625L * (long double)n);
    }
}

static void far_too_large(void)
{
    CHECK_DIES(vault_padme(UINT64_C(1) << 62));
}

/* --- the objects ---------------------------------------------------------------------------------------- */

/* So that zeros fill chunks, and a segment, of their own. */
static uint64_t wide(uint64_t n)
{
    return n + 17 * MIB + 1;
}

static void is_padded(struct rig *r, const struct rig_pattern *what, uint64_t *ret_stored)
{
    struct qc_err err = { 0 };
    struct rig_pattern p = *what;
    struct vault_put_result res;
    struct vault_call call = rig_call(r);
    struct vault_got got = { 0 };
    uint64_t came = 0;
    CHECK_OK(rig_put_from(r, "x", &p, &res, &err));
    const uint64_t L = r->pad(p.size);
    CHECK(res.size == p.size && res.padding == L - p.size && res.stored > L);
    CHECK(r->fake->upload[r->fake->uploads - 1].size == (p.unknown ? VAULT_SIZE_UNKNOWN : L));
    CHECK_OK(rig_get(r, "x", p.size, p.salt, &err));
    if (p.size > 2) {
        char range[64];
        snprintf(range, sizeof(range), "%" PRIu64 "-", p.size - 2);
        CHECK_OK(rig_get_part(r, "x", &p, range, &got, &came, &err));
        CHECK(came == 2);
        snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, p.size - 2, p.size); /* a zero: no part of D */
        CHECK_RC(rig_get_part(r, "x", &p, range, &got, &came, &err), QC_USAGE);
        qc_err_clear(&err);
    }
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 4096 };
    struct vault_stat st = { 0 };
    CHECK_OK(vault_explain(r->v, QC_LIT("x"), &call, &st, &text, NULL, &err));
    CHECK(st.size == p.size && st.padding == L - p.size && st.stored == res.stored);
    vault_stat_done(&st);
    vault_got_done(&got);
    *ret_stored = res.stored;
}

static void sizes(struct rig *r)
{
    static const uint64_t all[] = { 0,        1,           2, 9, 1000, MIB - 1, MIB, MIB + 1, 16 * MIB - 5,
                                    16 * MIB, 16 * MIB + 1 };
    uint64_t stored = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        is_padded(r, &(struct rig_pattern){ .size = all[i], .salt = i, .unknown = i % 2 == 1 }, &stored);
}

/* What is stored has the same number of bytes where the padded size is the same, and else another. */
static void alike(struct rig *r)
{
    uint64_t a = 0, b = 0, c = 0;
    is_padded(r, &(struct rig_pattern){ .size = 99841, .salt = 1 }, &a);
    is_padded(r, &(struct rig_pattern){ .size = 100352, .salt = 2 }, &b);
    is_padded(r, &(struct rig_pattern){ .size = 100353, .salt = 3 }, &c);
    CHECK(vault_padme(99841) == 100352 && a == b && c == a + 2048);
}

int main(void)
{
    struct rig r;
    struct qc_err err = { 0 };
    rig_new(&r, qc_rand_start());
    small();
    large(&r.rand);
    far_too_large();
    vault_close(&r.v);
    r.pad = vault_padme;
    CHECK_OK(rig_open(&r, &err));
    sizes(&r);
    alike(&r);
    vault_close(&r.v);
    r.pad = wide;
    CHECK_OK(rig_open(&r, &err));
    sizes(&r);
    rig_whole(&r, 1);
    rig_done(&r);
    return 0;
}
