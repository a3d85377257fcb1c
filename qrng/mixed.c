/* Sources by policy, each output XORed with the kernel's. */
#include "base/alloc.h"
#include "base/key.h"
#include "base/thread.h"
#include "feed.h"
#include "base/secret.h"
#include "qrng/qrng.h"
#include "source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SLICE = 4096 };

struct mixed {
    enum qrng_policy policy;
    struct qrng_feed *feed[QC_QRNG_SOURCES_MAX];
    struct qc_secret kernel; /* SLICE bytes of the kernel's, before they are XORed */
    pthread_mutex_t lock;    /* guards kernel and what follows */
    uint64_t
        bytes[QC_QRNG_SOURCES_MAX + 1]; /* since the last telling, by source; the last: by the kernel alone */
    char why[QC_ERR_MSG_MAX];           /* the kernel alone */
    bool unmixed;
    char alarms[QC_CLIENT_PATH_MAX];
    size_t count;
    struct qrng_source_conf source[]; /* count of them */
};

/* The kernel's bytes are drawn after the source's: who made those could not know these. */
static qc_rc add_kernel(struct mixed *m, uint8_t *p, size_t n, struct qc_err *err)
{
    uint8_t *k = m->kernel.p;
    qc_rc rc = QC_OK;
    for (size_t at = 0; at < n && rc == QC_OK; at += SLICE) {
        const size_t take = n - at < SLICE ? n - at : SLICE;
        rc = qrng_os.fill(NULL, k, take, err);
        for (size_t i = 0; i < take && rc == QC_OK; i++)
            p[at + i] ^= k[i];
        qc_wipe(k, take);
    }
    return rc;
}

static qc_rc from_source(struct mixed *m, size_t i, uint8_t *p, size_t n, qc_deadline d, struct qc_err *err)
{
    QC_TRY(qrng_feed_draw(m->feed[i], p, n, d, err));
    QC_LOCK(&m->lock);
    if (!m->unmixed)
        QC_TRY(add_kernel(m, p, n, err));
    m->bytes[i] += n;
    return QC_OK;
}

static qc_rc mixed_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    struct mixed *m = ctx;
    const qc_deadline d = qc_deadline_in(QC_QRNG_DRAW_MS);
    struct qc_err first = { 0 };
    for (size_t i = 0; i < m->count; i++) {
        struct qc_err why = { 0 };
        const qc_rc rc = from_source(m, i, p, n, d, &why);
        if (rc == QC_OK)
            return QC_OK;
        if (i == 0)
            first = why;
    }
    if (m->policy == QRNG_POLICY_REQUIRED)
        return QC_FAIL(err, QC_RANDOM, "the policy wants a source in health, and there is none: %s",
                       first.msg);
    QC_TRY(qrng_os.fill(NULL, p, n, err));
    QC_LOCK(&m->lock);
    m->bytes[QC_QRNG_SOURCES_MAX] += n;
    memcpy(m->why, first.msg, sizeof m->why);
    return QC_OK;
}

static void tell_source(const struct mixed *m, size_t i, struct qrng_provenance *p)
{
    const struct qrng_source_conf *c = &m->source[i];
    const struct qrng_cutoffs cut = qrng_cutoffs(c->mbit, QRNG_WINDOW, QRNG_ALPHA);
    const struct qrng_feed_status s = qrng_feed_status(m->feed[i]);
    char when[QC_TIME_TEXT];
    qc_time_text(qc_wall_s(), when);
    snprintf(
        p->text, sizeof p->text,
        "%s:%s policy=%s health=%s H=%u.%03u rct=%u apt=%u alarms=%u condition=%s mixed=%s bytes=%" PRIu64
        " time=%s%s%s",
        c->name, qrng_kind_text(c->kind), qrng_policy_text(m->policy),
        qrng_kind_is_remote(c->kind) ? "remote" : "ok", c->mbit / 1000, c->mbit % 1000, cut.repetition,
        cut.proportion, s.alarms, qrng_conditioning_text(c->condition), m->unmixed ? "none" : "os",
        m->bytes[i], when, c->identity[0] == '\0' ? "" : " device=", c->identity);
    p->health = QRNG_HEALTH_OK;
    p->left = s.left;
}

static void tell_kernel(const struct mixed *m, struct qrng_provenance *p)
{
    char when[QC_TIME_TEXT];
    qc_time_text(qc_wall_s(), when);
    snprintf(p->text, sizeof p->text,
             "os:getrandom policy=%s health=kernel bytes=%" PRIu64 " time=%s instead=%s",
             qrng_policy_text(m->policy), m->bytes[QC_QRNG_SOURCES_MAX], when, m->source[0].name);
    memcpy(p->why, m->why, sizeof p->why);
    p->health = QRNG_HEALTH_KERNEL;
    p->fell_back = true;
}

/* Bytes of several are told by the weakest: the kernel's alone, then the last source. */
static void mixed_tell(void *ctx, struct qrng_provenance *p)
{
    struct mixed *m = ctx;
    QC_LOCK(&m->lock);
    p->policy = m->policy;
    size_t i = m->count;
    while (i > 1 && m->bytes[i - 1] == 0)
        i--;
    if (m->bytes[QC_QRNG_SOURCES_MAX] > 0)
        tell_kernel(m, p);
    else
        tell_source(m, i - 1, p);
    memset(m->bytes, 0, sizeof m->bytes);
}

static void mixed_warm(void *ctx)
{
    struct mixed *m = ctx;
    struct qc_err why = { 0 };
    qc_ignore(qrng_feed_warm(m->feed[0], &why), "the first draw says what is wrong");
}

static void mixed_ahead(void *ctx)
{
    struct mixed *m = ctx;
    qrng_feed_ahead(m->feed[0]);
}

static void mixed_rest(void *ctx)
{
    struct mixed *m = ctx;
    for (size_t i = 0; i < m->count; i++)
        qrng_feed_rest(m->feed[i]);
}

static void mixed_close(void *ctx)
{
    struct mixed *m = ctx;
    for (size_t i = 0; i < m->count; i++)
        qrng_feed_free(&m->feed[i]);
    qc_secret_free(&m->kernel);
    qc_mutex_done(&m->lock);
    qc_free(m);
}

static const struct qrng_source mixed_source = {
    .name = "sources by policy",
    .recovers = true,
    .fill = mixed_fill,
    .tell = mixed_tell,
    .warm = mixed_warm,
    .ahead = mixed_ahead,
    .rest = mixed_rest,
    .close = mixed_close,
};

qc_rc qrng_open_policy(const struct qrng_conf *conf, enum qrng_profile profile, struct qrng **ret,
                       struct qc_err *err)
{
    QC_ASSERT((unsigned)profile < QRNG_PROFILE_COUNT);
    if (conf->policy[profile] == QRNG_POLICY_OS)
        return qrng_open("os", ret, err);
    QC_ASSERT(conf->count <= QC_QRNG_SOURCES_MAX);
    struct mixed *m = qc_alloc(sizeof *m + conf->count * sizeof m->source[0]);
    if (m == NULL)
        return QC_FAIL(err, QC_NOMEM, "randomness: no memory");
    qc_mutex_init(&m->lock);
    m->unmixed = conf->unmixed;
    memcpy(m->alarms, conf->alarms, sizeof m->alarms);
    m->count = conf->count;
    memcpy(m->source, conf->source, conf->count * sizeof m->source[0]);
    m->policy = conf->policy[profile];
    qc_rc rc = qc_secret_new(&m->kernel, SLICE, err);
    for (size_t i = 0; i < m->count && rc == QC_OK; i++)
        rc = qrng_feed_new(&m->feed[i], &m->source[i], m->alarms, err);
    if (rc == QC_OK)
        rc = qrng_new(&mixed_source, m, ret, err);
    if (rc != QC_OK)
        mixed_close(m);
    return rc;
}
