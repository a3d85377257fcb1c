/* unit/ec_coder: every (k, m), replication, no parity, refusals, what a wrong piece does, and many threads at
 * once. */
#include "base/limits.h"
#include "ec/coder.h"
#include "qc_check.h"
#include "qc_seed.h"

#include <pthread.h>
#include <string.h>

enum { PIECE = 192 };

static const struct ec_coder *coder(unsigned k, unsigned m)
{
    const struct ec_coder *c = NULL;
    struct qc_err err = { 0 };
    qc_rc rc = ec_coder_get(k, m, &c, &err);
    if (rc != QC_OK)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(rc == QC_OK && c != NULL);
    return c;
}

struct stripe {
    uint8_t piece[QC_EC_N_MAX][PIECE];
    const uint8_t *in[QC_EC_N_MAX]; /* as a decoder sees them; NULL is lost */
};

static void stripe_make(const struct ec_coder *c, struct qc_rand *r, struct stripe *ret)
{
    unsigned k = ec_coder_k(c);
    uint8_t *parity[QC_EC_N_MAX];
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        qc_rand_fill(r, ret->piece[i], PIECE);
        ret->in[i] = ret->piece[i];
        if (i >= k)
            parity[i - k] = ret->piece[i];
    }
    CHECK(ec_stripe_encode_block(c, ret->piece[0], PIECE, parity, &err) == QC_OK);
}

/* Lose what `lost` says, decode, compare. */
static void lose_and_decode(const struct ec_coder *c, struct stripe *s, uint64_t lost)
{
    struct qc_err err = { 0 };
    unsigned k = ec_coder_k(c);
    static _Thread_local uint8_t out[QC_EC_N_MAX][PIECE];
    uint8_t *data_out[QC_EC_N_MAX];
    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        s->in[i] = (lost >> i) & 1 ? NULL : s->piece[i];
        if (i < k)
            data_out[i] = out[i];
    }
    memset(out, 0xee, sizeof out);
    CHECK(ec_stripe_decode(c, s->in, PIECE, data_out, &err) == QC_OK);
    for (unsigned j = 0; j < k; j++)
        if ((lost >> j) & 1)
            CHECK(memcmp(out[j], s->piece[j], PIECE) == 0);
        else
            CHECK(out[j][0] == 0xee && out[j][PIECE - 1] == 0xee); /* not looked at */
}

static void every_k_and_m(struct qc_rand *r)
{
    static struct stripe s;
    for (unsigned k = 1; k <= QC_EC_N_MAX; k++)
        for (unsigned m = 0; m <= QC_EC_N_MAX - k; m++) {
            const struct ec_coder *c = coder(k, m);
            CHECK(c == coder(k, m) && ec_coder_k(c) == k && ec_coder_n(c) == k + m);
            stripe_make(c, r, &s);
            uint64_t most =
                m < k ? m : k; /* the first data pieces, then the last ones, as many as can be lost */
            lose_and_decode(c, &s, (UINT64_C(1) << most) - 1);
            lose_and_decode(c, &s, ((UINT64_C(1) << most) - 1) << (k - most));
            lose_and_decode(c, &s, 0);
        }
}

/* k = 1 is replication with factors: parity i is the inverse of i times the data. */
static void replication(struct qc_rand *r)
{
    static struct stripe s;
    const struct ec_coder *c = coder(1, 3);
    stripe_make(c, r, &s);
    CHECK(memcmp(s.piece[0], s.piece[1], PIECE) == 0); /* 1 is its own inverse */
    CHECK(memcmp(s.piece[0], s.piece[2], PIECE) != 0);
    lose_and_decode(c, &s, 0x7);
    lose_and_decode(c, &s, 0xb);
    lose_and_decode(c, &s, 0xd);
}

static void refusals(struct qc_rand *r)
{
    static struct stripe s;
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    CHECK(ec_coder_get(0, 2, &c, &err) == QC_USAGE && c == NULL);
    CHECK(ec_coder_get(3, QC_EC_N_MAX - 2, &c, &err) == QC_USAGE && c == NULL);
    CHECK(ec_coder_get(3, UINT32_MAX - 1, &c, &err) == QC_USAGE && c == NULL);
    CHECK(ec_coder_get(QC_EC_N_MAX + 1, 0, &c, &err) == QC_USAGE && c == NULL);

    c = coder(3, 2);
    stripe_make(c, r, &s);
    uint8_t out[PIECE];
    uint8_t *data_out[3] = { out, out, out };
    memset(out, 0xee, sizeof out);
    s.in[0] = s.in[3] = s.in[4] = NULL;
    CHECK(ec_stripe_decode(c, s.in, PIECE, data_out, &err) == QC_QUORUM);
    CHECK(ec_piece_rebuild(c, s.in, 1, PIECE, out, &err) == QC_QUORUM);
    s.in[0] = s.piece[0];
    CHECK(ec_piece_rebuild(c, s.in, 1, PIECE, out, &err) == QC_QUORUM); /* itself does not count */
    CHECK(out[0] == 0xee && err.msg[0] != '\0');
    CHECK(ec_piece_rebuild(c, s.in, 4, PIECE, out, &err) == QC_OK);
    CHECK(memcmp(out, s.piece[4], PIECE) == 0);

    s.in[0] = s.in[1] = NULL; /* two missing, one wanted */
    s.in[3] = s.piece[3];
    s.in[4] = s.piece[4];
    uint8_t *one[3] = { NULL, out, NULL };
    CHECK(ec_stripe_decode(c, s.in, PIECE, one, &err) == QC_OK);
    CHECK(memcmp(out, s.piece[1], PIECE) == 0);
}

/* The reason for the tags (I2): one wrong byte, and the decoder answers QC_OK with wrong data. */
static void wrong_piece(struct qc_rand *r)
{
    static struct stripe s;
    const struct ec_coder *c = coder(3, 2);
    stripe_make(c, r, &s);
    struct qc_err err = { 0 };
    uint8_t out[PIECE] = { 0 };
    uint8_t *data_out[3] = { out, NULL, NULL };
    s.in[0] = NULL;
    s.piece[3][17] ^= 1;
    CHECK(ec_stripe_decode(c, s.in, PIECE, data_out, &err) == QC_OK);
    CHECK(out[17] != s.piece[0][17]);
    out[17] = s.piece[0][17];
    CHECK(memcmp(out, s.piece[0], PIECE) == 0); /* and only there: byte by byte */
}

/* Each thread asks for coders in its own order and codes with them while the others make new ones. */
static void *thread_run(void *arg)
{
    struct qc_rand r = { .state = *(const uint64_t *)arg };
    struct stripe s = { 0 };
    for (unsigned round = 0; round < 200; round++) {
        unsigned k = (unsigned)qc_rand_between(&r, 1, 8);
        unsigned m = (unsigned)qc_rand_between(&r, 1, 4);
        const struct ec_coder *c = coder(k, m);
        stripe_make(c, &r, &s);
        lose_and_decode(c, &s, UINT64_C(1) << qc_rand_below(&r, k + m));
    }
    return NULL;
}

static void threads(struct qc_rand *r)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    uint64_t seed[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = qc_rand_u64(r);
        CHECK(pthread_create(&thread[i], NULL, thread_run, &seed[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    threads(&r); /* first, while no coder exists */
    every_k_and_m(&r);
    replication(&r);
    refusals(&r);
    wrong_piece(&r);
    return 0;
}
