/* fuzz/qrng_conf: random.conf never breaks the parser; what it takes is within its limits. */
#include "qc_fuzz.h"
#include "qrng/conf.h"
#include "qrng/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    static struct qrng_conf c;
    if (qrng_conf_parse(qc_span_of(data, size), &c, &err) != QC_OK) {
        QC_ASSERT(err.msg[0] != '\0');
        return 0;
    }
    QC_ASSERT(c.count <= QC_QRNG_SOURCES_MAX);
    for (size_t i = 0; i < c.count; i++) {
        const struct qrng_source_conf *s = &c.source[i];
        QC_ASSERT(s->mbit >= QRNG_ENTROPY_MIN && s->mbit <= QRNG_ENTROPY_MAX);
        QC_ASSERT(s->pool >= QRNG_OUT_MAX && s->pool <= QC_QRNG_POOL_MAX);
        QC_ASSERT(qrng_kind_is_remote(s->kind) ? s->url[0] != '\0' && s->path[0] == '\0' : s->path[0] == '/');
        QC_ASSERT(s->kind != QRNG_KIND_KME ||
                  (s->ca[0] != '\0' && s->cert[0] != '\0' && s->key_file[0] != '\0'));
    }
    for (unsigned i = 0; i < QRNG_PROFILE_COUNT; i++)
        QC_ASSERT(c.policy[i] < QRNG_POLICY_TEST);
    return 0;
}
