/* fuzz/cloud_credentials: any text as a credentials file, in reads of any size. The first byte chooses the
 * profile and the size of the reads. What is taken is within its limits, and is the same however it was read.
 */
#include "credentials.h"
#include "qc_fuzz.h"

#include <stdlib.h>
#include <string.h>

struct memory {
    const uint8_t *p;
    size_t n, step;
};

static qc_rc give(void *ctx, uint8_t *dst, size_t n, size_t *ret_got, struct qc_err *err)
{
    struct memory *m = ctx;
    size_t got = n < m->step ? n : m->step;
    (void)err;
    if (got > m->n)
        got = m->n;
    if (got > 0)
        memcpy(dst, m->p, got);
    m->p += got;
    m->n -= got;
    *ret_got = got;
    return QC_OK;
}

static qc_rc parse(struct cloud_credentials *ret, const uint8_t *p, size_t n, size_t step,
                   const char *profile)
{
    struct qc_err err = { 0 };
    struct memory m = { p, n, step };
    struct cloud_credentials_source from = { give, &m };
    qc_rc rc = cloud_credentials_parse(ret, &from, profile, &err);
    QC_ASSERT((rc == QC_OK) == (err.msg[0] == '\0'));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const profiles[] = { NULL, "a", "default", "cloud one" };
    size_t step = size == 0 ? 1 : 1 + data[0] / 4U;
    const char *profile = profiles[size == 0 ? 0 : data[0] % 4U];
    QC_CLEANUP(cloud_credentials_done) struct cloud_credentials a = { 0 };
    QC_CLEANUP(cloud_credentials_done) struct cloud_credentials b = { 0 };

    qc_rc rc = parse(&a, data, size, SIZE_MAX, profile);
    QC_ASSERT(parse(&b, data, size, step, profile) == rc);
    if (rc != QC_OK) {
        QC_ASSERT(a.secret == NULL && a.access[0] == '\0');
        return 0;
    }
    QC_ASSERT(strlen(a.access) >= 1 && strlen(a.access) <= CLOUD_ACCESS_SIZE_MAX);
    QC_ASSERT(a.secret_size >= 1 && a.secret_size <= CLOUD_SECRET_SIZE_MAX);
    QC_ASSERT(strcmp(a.access, b.access) == 0 && a.secret_size == b.secret_size);
    QC_ASSERT(qc_key_same(a.secret, b.secret));
    QC_ASSERT(cloud_credentials_open(&a).n == a.secret_size);
    return 0;
}
