/* unit/qrng_qrng: specs, the fixed source, sticky failure, zeros after a failure, provenance, threads. */
#include "base/key.h"
#include "qc_check.h"
#include "qrng/qrng.h"
#include "qrng_test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void specs(void)
{
    static const char *const refused[] = { "",       "OS",       "os ",   "os:",
                                           "fixed:", "fixed:00", "fixed", "/dev/urandom" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct qc_err err = { 0 };
        struct qrng *q = NULL;
        CHECK(qrng_open(refused[i], &q, &err) == QC_USAGE && q == NULL && err.msg[0] != '\0');
    }
}

static void os_source(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    CHECK(qrng_open("os", &q, &err) == QC_OK);
    CHECK(qrng_provenance(q).bytes == 0);
    uint8_t a[1000] = { 0 }, b[1000] = { 0 };
    CHECK(qrng_fill(q, a, sizeof a, &err) == QC_OK && qrng_fill(q, b, sizeof b, &err) == QC_OK);
    CHECK(memcmp(a, b, sizeof a) != 0);
    unsigned zeros = 0; /* 1,000 bytes hold about four; 32 has a probability below 10^-15 */
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0;
    CHECK(zeros < 32);
    CHECK(qrng_fill(q, a, 0, &err) == QC_OK);
    struct qrng_provenance p = qrng_provenance(q);
    CHECK(p.policy == QRNG_POLICY_OS && p.health == QRNG_HEALTH_KERNEL && p.bytes == 2000);
    CHECK(strcmp(p.text, "os:getrandom policy=os health=kernel") == 0);

    qc_rng rng = qrng_rng(q);
    QC_CLEANUP(qc_key_free) qc_key *K = NULL;
    QC_CLEANUP(qc_key_free) qc_key *R = NULL;
    CHECK(qc_key_new(&K, 32, &rng, &err) == QC_OK && qc_key_new(&R, 32, &rng, &err) == QC_OK);
    CHECK(!qc_key_same(K, R) && qrng_provenance(q).bytes == 2064);
}

/* Runs dry in the middle: nothing of the fill is left, and nothing more comes, although bytes are left. */
static void fixed_source(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    CHECK(qrng_open_fixed(QC_LIT("0123456789"), &q, &err) == QC_OK);
    uint8_t p[8] = { 0 };
    CHECK(qrng_fill(q, p, 4, &err) == QC_OK && memcmp(p, "0123", 4) == 0);
    CHECK(strcmp(qrng_provenance(q).text, "fixed:test policy=test health=untested") == 0);
    CHECK(qrng_fill(q, p, 8, &err) == QC_RANDOM && err.rc == QC_RANDOM);
    static const uint8_t zeros[8];
    CHECK(memcmp(p, zeros, 8) == 0);
    memset(p, 7, sizeof p);
    CHECK(qrng_fill(q, p, 1, &err) == QC_RANDOM && p[0] == 0 && p[1] == 7);
    struct qrng_provenance after = qrng_provenance(q);
    CHECK(after.health == QRNG_HEALTH_FAILED && after.bytes == 4);
    CHECK(strcmp(after.text, "fixed:test policy=test health=failed") == 0);

    qc_rng rng = qrng_rng(q);
    qc_key *K = NULL;
    CHECK(qc_key_new(&K, 32, &rng, &err) == QC_RANDOM && K == NULL);
    qrng_close(&q);
    CHECK(q == NULL);
    qrng_close(&q); /* twice is harmless */
}

static void *thread_run(void *arg)
{
    struct qc_err err = { 0 };
    uint8_t p[32];
    for (unsigned i = 0; i < 500; i++)
        CHECK(qrng_fill(arg, p, sizeof p, &err) == QC_OK);
    return NULL;
}

static void threads(void)
{
    struct qc_err err = { 0 };
    static const uint8_t bytes[4 * 500 * 32];
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    CHECK(qrng_open_fixed(qc_span_of(bytes, sizeof bytes), &q, &err) == QC_OK);
    pthread_t thread[4];
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, thread_run, q) == 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(qrng_provenance(q).bytes == sizeof bytes);
    uint8_t p[1];
    CHECK(qrng_fill(q, p, 1, &err) == QC_RANDOM); /* every byte was given, once */
}

int main(void)
{
    specs();
    os_source();
    fixed_source();
    threads();
    return 0;
}
