#include "qrng/qrng.h"
#include "base/alloc.h"
#include "base/fault.h"
#include "base/key.h"
#include "source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct qrng {
    const struct qrng_source *source;
    void *ctx;           /* the source's, closed with this */
    _Atomic bool failed; /* never goes back to false */
    _Atomic uint64_t bytes;
};

static const struct qrng_source *const sources[] = { &qrng_os, NULL };

qc_rc qrng_new(const struct qrng_source *source, void *ctx, struct qrng **ret, struct qc_err *err)
{
    struct qrng *q = qc_alloc(sizeof *q);
    if (q == NULL)
        return QC_FAIL(err, QC_NOMEM, "randomness: no memory for source %s", source->name);
    q->source = source;
    q->ctx = ctx;
    *ret = q;
    return QC_OK;
}

qc_rc qrng_open(const char *spec, struct qrng **ret, struct qc_err *err)
{
    const struct qrng_source *found = NULL;
    for (size_t i = 0; sources[i] != NULL; i++)
        if (strcmp(spec, sources[i]->spec) == 0)
            found = sources[i];
    if (found == NULL)
        return QC_FAIL(err, QC_USAGE, "randomness: no source '%.*s', expected os", QC_QRNG_SPEC_MAX, spec);
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_TRY(qrng_new(found, NULL, &q, err));
    uint8_t trial[32];
    QC_TRY(qrng_fill(q, trial, sizeof trial, err));
    qc_wipe(trial, sizeof trial);
    atomic_store(&q->bytes, 0);
    *ret = QC_STEAL(q);
    return QC_OK;
}

void qrng_warm(struct qrng *q)
{
    if (q->source->warm != NULL)
        q->source->warm(q->ctx);
}

void qrng_ahead(struct qrng *q)
{
    if (q->source->ahead != NULL)
        q->source->ahead(q->ctx);
}

void qrng_rest(struct qrng *q)
{
    if (q->source->rest != NULL)
        q->source->rest(q->ctx);
}

void qrng_close(struct qrng **q)
{
    if (*q == NULL)
        return;
    if ((*q)->source->close != NULL)
        (*q)->source->close((*q)->ctx);
    qc_free(*q);
    *q = NULL;
}

static qc_rc source_fill(struct qrng *q, uint8_t *p, size_t n, struct qc_err *err)
{
    if (atomic_load(&q->failed))
        return QC_FAIL(err, QC_RANDOM, "randomness: source %s failed before", q->source->name);
    if (qc_fault(qrng_fill, err) != QC_OK)
        return QC_FAIL(err, QC_RANDOM, "randomness: source %s stopped at a fault point", q->source->name);
    QC_TRY_AS(q->source->fill(q->ctx, p, n, err), err, "randomness");
    return QC_OK;
}

qc_rc qrng_fill(struct qrng *q, uint8_t *p, size_t n, struct qc_err *err)
{
    qc_rc rc = source_fill(q, p, n, err);
    if (rc != QC_OK) {
        atomic_store(&q->failed, !q->source->recovers);
        qc_wipe(p, n); /* half a key must not look like one */
        return rc;
    }
    atomic_fetch_add(&q->bytes, n);
    return QC_OK;
}

static qc_rc rng_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    return qrng_fill(ctx, p, n, err);
}

qc_rng qrng_rng(struct qrng *q)
{
    return (qc_rng){ .fill = rng_fill, .ctx = q };
}

static const char *const health_text[] = {
    [QRNG_HEALTH_KERNEL] = "kernel",
    [QRNG_HEALTH_UNTESTED] = "untested",
    [QRNG_HEALTH_OK] = "ok",
    [QRNG_HEALTH_FAILED] = "failed",
};

struct qrng_provenance qrng_provenance(struct qrng *q)
{
    struct qrng_provenance p = {
        .policy = q->source->policy,
        .health = atomic_load(&q->failed) ? QRNG_HEALTH_FAILED : q->source->health,
        .bytes = atomic_load(&q->bytes),
        .left = UINT64_MAX,
    };
    if (q->source->tell != NULL) {
        q->source->tell(q->ctx, &p);
        return p;
    }
    int n = snprintf(p.text, sizeof p.text, "%s policy=%s health=%s", q->source->name,
                     qrng_policy_text(p.policy), health_text[p.health]);
    QC_ASSERT(n > 0 && (size_t)n < sizeof p.text);
    return p;
}
