#include "qrng_test.h"
#include "base/alloc.h"
#include "base/thread.h"
#include "source.h"

#include <string.h>

struct fixed {
    pthread_mutex_t lock; /* guards left */
    qc_span left;
};

static qc_rc fixed_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    struct fixed *f = ctx;
    QC_LOCK(&f->lock);
    if (n > f->left.n)
        return QC_FAIL(err, QC_RANDOM, "fixed source: %zu bytes left, %zu wanted", f->left.n, n);
    if (n > 0)
        memcpy(p, f->left.p, n);
    f->left = qc_span_from(f->left, n);
    return QC_OK;
}

static void fixed_close(void *ctx)
{
    struct fixed *f = ctx;
    qc_mutex_done(&f->lock);
    qc_free(f);
}

static const struct qrng_source fixed_source = {
    .name = "fixed:test",
    .policy = QRNG_POLICY_TEST,
    .health = QRNG_HEALTH_UNTESTED,
    .fill = fixed_fill,
    .close = fixed_close,
};

qc_rc qrng_open_fixed(qc_span bytes, struct qrng **ret, struct qc_err *err)
{
    struct fixed *f = qc_alloc(sizeof *f);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "fixed source: no memory");
    qc_mutex_init(&f->lock);
    f->left = bytes;
    qc_rc rc = qrng_new(&fixed_source, f, ret, err);
    if (rc != QC_OK)
        fixed_close(f);
    return rc;
}
