/* unit/ss_xor23: the scheme's equations by hand, secrecy counted over all randomness, every pair at every
 * length, the repair of a share and what its parties see, refusals. */
#include "qc_check.h"
#include "ss/xor23.h"

static struct qc_err err;

/* qkd: S1 = A5, S2 = 3C, R1 = 0F, R2 = F0. */
static void by_hand(void)
{
    static const uint8_t S[2] = { 0xa5, 0x3c }, R[2] = { 0x0f, 0xf0 };
    uint8_t a[2], b[2], c[2];
    ss_xor23_split(qc_span_of(S, 2), R, (uint8_t *[]){ a, b, c });
    CHECK(a[0] == 0xaa && a[1] == 0xc3 && b[0] == 0x5a && b[1] == 0xcc && c[0] == 0x0f && c[1] == 0xf0);
}

enum { VALUES = 1 << 16 };

/* Share x of bytes s1 s2 under all 65,536 values of R at once: that many blocks of two bytes are one block of
 * that many times two, since the scheme goes byte by byte. */
struct all {
    uint8_t S[2 * VALUES], R[2 * VALUES], share[SS_XOR23_SHARES][2 * VALUES], out[2 * VALUES];
};

static void split_all(struct all *a, uint8_t s1, uint8_t s2)
{
    memset(a->S, s1, VALUES);
    memset(a->S + VALUES, s2, VALUES);
    ss_xor23_split(qc_span_of(a->S, sizeof a->S), a->R,
                   (uint8_t *[]){ a->share[0], a->share[1], a->share[2] });
}

/* Every value of p[0] p[1] comes exactly once: the share is uniform, whatever the secret was. */
static void uniform(const uint8_t *p)
{
    static uint8_t seen[VALUES];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < VALUES; i++) {
        uint8_t *s = &seen[(size_t)p[i] << 8 | p[VALUES + i]];
        CHECK(*s == 0);
        *s = 1;
    }
}

static void any_two(struct all *a)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        for (unsigned j = 0; j < SS_XOR23_SHARES; j++)
            if (i != j) {
                memset(a->out, 0xee, sizeof a->out);
                CHECK_OK(ss_xor23_join(i, a->share[i], j, a->share[j], sizeof a->S, a->out, &err));
                CHECK(memcmp(a->out, a->S, sizeof a->S) == 0);
            }
}

/* All secrets of one byte, and of two bytes all whose halves are among 32 values, each under all randomness.
 */
static void every_secret(struct all *a)
{
    for (size_t i = 0; i < VALUES; i++) {
        a->R[i] = (uint8_t)(i >> 8);
        a->R[VALUES + i] = (uint8_t)i;
    }
    for (unsigned s = 0; s < 256 + 32; s++) {
        split_all(a, (uint8_t)(s < 256 ? s : s * 37), (uint8_t)(s < 256 ? 0 : s * 101 + 1));
        for (unsigned x = 0; x < SS_XOR23_SHARES; x++)
            uniform(a->share[x]);
        if (s % 16 == 0)
            any_two(a);
    }
}

/* With two shares nothing is left open: for each pair of values there is one secret (h = 4 bits, all 2^16
 * secrets and randomness): the join that the data comes from is no guess. */
static void short_strings(void)
{
    for (unsigned s = 0; s < 256; s++)
        for (unsigned r = 0; r < 256; r++) {
            const uint8_t S[2] = { (uint8_t)(s >> 4), (uint8_t)(s & 15) };
            const uint8_t R[2] = { (uint8_t)(r >> 4), (uint8_t)(r & 15) };
            uint8_t y[3][2], out[2];
            ss_xor23_split(qc_span_of(S, 2), R, (uint8_t *[]){ y[0], y[1], y[2] });
            for (unsigned lost = 0; lost < 3; lost++) {
                const unsigned i = (lost + 1) % 3, j = (lost + 2) % 3;
                CHECK_OK(ss_xor23_join(i, y[i], j, y[j], 2, out, &err));
                CHECK(out[0] == S[0] && out[1] == S[1]);
            }
        }
}

enum { LONG = 2 * SS_XOR23_BLOCK + 4 };
static uint8_t S[LONG], R[LONG], share[3][LONG], out[LONG], parts[2][LONG];

/* In blocks, as long data goes; `block` even. */
static void split_blocks(size_t n, size_t block)
{
    for (size_t at = 0; at < n; at += block) {
        const size_t take = n - at < block ? n - at : block;
        ss_xor23_split(qc_span_of(S + at, take), R + at,
                       (uint8_t *[]){ share[0] + at, share[1] + at, share[2] + at });
    }
}

static void join_blocks(unsigned i, unsigned j, size_t n, size_t block)
{
    for (size_t at = 0; at < n; at += block)
        CHECK_OK(ss_xor23_join(i, share[i] + at, j, share[j] + at, n - at < block ? n - at : block, out + at,
                               &err));
}

/* Nothing behind a share's end or the data's is written. */
static void length(size_t n, size_t block)
{
    const size_t size = ss_xor23_size(n);
    CHECK(size == n + n % 2 && size + 2 <= LONG);
    for (unsigned i = 0; i < 3; i++)
        memset(share[i] + size, 0xee, 2);
    split_blocks(n, block);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(share[i][size] == 0xee && share[i][size + 1] == 0xee);
        for (unsigned j = 0; j < 3; j++)
            if (i != j) {
                memset(out, (int)i, n);
                memset(out + n, 0xee, 2);
                join_blocks(i, j, n, block);
                CHECK(memcmp(out, S, n) == 0 && out[n] == 0xee && out[n + 1] == 0xee);
            }
    }
}

static void lengths(void)
{
    static const size_t around[] = { 4096, SS_XOR23_BLOCK, 2 * SS_XOR23_BLOCK };
    for (size_t n = 0; n <= 200; n++) {
        length(n, SS_XOR23_BLOCK);
        length(n, 64);
    }
    for (unsigned a = 0; a < 3; a++)
        for (size_t n = around[a] - 3; n <= around[a] + 2; n++)
            length(n, SS_XOR23_BLOCK);
}

/* C may be where R is. */
static void in_place(void)
{
    for (size_t n = 0; n < 70; n++) {
        uint8_t a[70], b[70], c[70];
        ss_xor23_split(qc_span_of(S, n), R, (uint8_t *[]){ share[0], share[1], share[2] });
        memcpy(c, R, sizeof c);
        ss_xor23_split(qc_span_of(S, n), c, (uint8_t *[]){ a, b, c });
        const size_t size = ss_xor23_size(n);
        CHECK(memcmp(a, share[0], size) == 0 && memcmp(b, share[1], size) == 0 && memcmp(c, R, 70) == 0);
    }
}

/* A lost share comes back bit for bit, with a mask and without. */
static void repair(void)
{
    for (size_t n = 0; n <= 130; n++)
        for (unsigned lost = 0; lost < 3; lost++)
            for (unsigned masked = 0; masked < 2; masked++) {
                const unsigned i = (lost + 1) % 3, j = (lost + 2) % 3;
                const size_t size = ss_xor23_size(n);
                const uint8_t *mask = masked != 0 ? S + 1000 : NULL;
                split_blocks(n, SS_XOR23_BLOCK);
                CHECK_OK(ss_xor23_part(lost, i, share[i], mask, size, parts[0], &err));
                CHECK_OK(ss_xor23_part(lost, j, share[j], mask, size, parts[1], &err));
                ss_xor23_add(parts[0], parts[1], size);
                CHECK(memcmp(parts[0], share[lost], size) == 0);
            }
}

/* What the new site sees are its two parts. For each secret of 2 bits (h = 1 bit), under all randomness and
 * all masks, they come equally often: of the 16 values each exactly once. */
static void repair_tells_nothing(void)
{
    for (unsigned lost = 0; lost < 3; lost++)
        for (unsigned s = 0; s < 4; s++) {
            unsigned seen[16] = { 0 };
            for (unsigned rm = 0; rm < 16; rm++) {
                const uint8_t secret[2] = { (uint8_t)(s & 1), (uint8_t)(s >> 1) };
                const uint8_t r[2] = { (uint8_t)(rm & 1), (uint8_t)(rm >> 1 & 1) };
                const uint8_t mask[2] = { (uint8_t)(rm >> 2 & 1), (uint8_t)(rm >> 3) };
                uint8_t y[3][2], p[2][2];
                ss_xor23_split(qc_span_of(secret, 2), r, (uint8_t *[]){ y[0], y[1], y[2] });
                for (unsigned k = 0; k < 2; k++) {
                    const unsigned from = (lost + 1 + k) % 3;
                    CHECK_OK(ss_xor23_part(lost, from, y[from], mask, 2, p[k], &err));
                }
                seen[p[0][0] | p[0][1] << 1 | p[1][0] << 2 | p[1][1] << 3]++;
            }
            for (unsigned v = 0; v < 16; v++)
                CHECK(seen[v] == 1);
        }
}

/* After a refresh any two still restore; an old share and a new one do not. */
static void refresh(void)
{
    enum { N = 77 };
    uint8_t old[3][N + 1];
    const size_t size = ss_xor23_size(N);
    split_blocks(N, SS_XOR23_BLOCK);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(old[i], share[i], size);
        ss_xor23_refresh(i, R + 5000, share[i], size);
    }
    for (unsigned i = 0; i < 3; i++) {
        const unsigned j = (i + 1) % 3;
        CHECK(memcmp(old[i], share[i], size) != 0);
        CHECK_OK(ss_xor23_join(i, share[i], j, share[j], N, out, &err));
        CHECK(memcmp(out, S, N) == 0);
        CHECK_OK(ss_xor23_join(i, old[i], j, share[j], N, out, &err));
        CHECK(memcmp(out, S, N) != 0);
    }
    for (size_t k = 0; k < size; k++) /* C is the new R */
        CHECK(share[SS_XOR23_C][k] == (R[k] ^ R[5000 + k]));
}

static void refusals(void)
{
    memset(out, 0xee, 8);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = 0; j < 5; j++)
            if (i == j || i >= 3 || j >= 3) {
                CHECK_RC(ss_xor23_join(i, share[0], j, share[1], 8, out, &err), QC_USAGE);
                CHECK_RC(ss_xor23_part(i, j, share[0], NULL, 8, out, &err), QC_USAGE);
            }
    for (unsigned i = 0; i < 8; i++)
        CHECK(out[i] == 0xee);
    CHECK_DIES(qc_ignore(ss_xor23_part(0, 1, share[0], NULL, 3, out, &err), "it must not return"));
    CHECK_DIES(ss_xor23_refresh(3, R, share[0], 2));
}

int main(void)
{
    static struct all all;
    uint32_t x = 12345;
    for (size_t i = 0; i < LONG; i++) {
        x = x * 1664525 + 1013904223;
        S[i] = (uint8_t)(x >> 24);
        x = x * 1664525 + 1013904223;
        R[i] = (uint8_t)(x >> 24);
    }
    by_hand();
    every_secret(&all);
    short_strings();
    lengths();
    in_place();
    repair();
    repair_tells_nothing();
    refresh();
    refusals();
    return 0;
}
