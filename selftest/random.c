/* The source of randomness: the start-up test of SP 800-90B on what it gives, and that this test sees a
 * source that broke. */
#include <string.h>

#include "base/fault.h"
#include "base/key.h"
#include "base/secret.h"
#include "qrng/health.h"
#include "selftest_internal.h"

struct sample {
    struct qrng_tests tests;
    uint8_t bytes[QRNG_STARTUP];
};

static qc_rc startup(const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret room = { 0 };
    struct qc_err why = { 0 };
    QC_TRY(qc_secret_new(&room, sizeof(struct sample), err));
    struct sample *s = room.p;
    QC_TRY(qc_rng_fill(rng, s->bytes, sizeof s->bytes, err));
    if (qc_fault(selftest_answer, &why) != QC_OK)
        memset(s->bytes, 0x5a, sizeof s->bytes);
    qrng_health_init(&s->tests, QRNG_ENTROPY_MAX, QRNG_ALPHA);
    if (!qrng_health_take(&s->tests, s->bytes, sizeof s->bytes))
        return QC_FAIL(err, QC_RANDOM, "the start-up test raised an alarm: %s",
                       qrng_alarm_text(s->tests.alarm));
    memset(s->bytes, 0x5a, sizeof s->bytes);
    qrng_health_init(&s->tests, QRNG_ENTROPY_MAX, QRNG_ALPHA);
    if (qrng_health_take(&s->tests, s->bytes, sizeof s->bytes))
        return QC_FAIL(err, QC_RANDOM, "the start-up test takes one value again and again for randomness");
    return QC_OK;
}

const struct selftest selftest_random[] = {
    { "random", "SP 800-90B, the start-up test", SELFTEST_GATEWAY | SELFTEST_CLIENT, startup },
    { 0 },
};
