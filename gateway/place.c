#include "gateway/place.h"

#include "base/key.h"
#include "base/limits.h"
#include "base/thread.h"
#include "root_internal.h"

/* A number below bound from 64 random bits: the bias is below 2^-58 for bounds up to 32. */
static qc_rc draw(const qc_rng *rng, unsigned bound, unsigned *ret, struct qc_err *err)
{
    uint8_t raw[8];

    QC_TRY(qc_rng_fill(rng, raw, sizeof raw, err));
    *ret = (unsigned)(qc_get_be(raw, sizeof raw) % bound);
    return QC_OK;
}

/* Take `take` of the candidates whose usable is as said, marking them in chosen. */
static qc_rc choose(const struct gw_candidate *c, unsigned count, bool usable, unsigned take,
                    const qc_rng *rng, bool *chosen, struct qc_err *err)
{
    unsigned left = 0;

    for (unsigned i = 0; i < count; i++)
        left += c[i].usable == usable;
    /* Selection sampling: each of those left is taken with probability take / left. */
    for (unsigned i = 0; i < count && take > 0; i++) {
        unsigned x = 0;
        if (c[i].usable != usable)
            continue;
        if (take < left)
            QC_TRY(draw(rng, left, &x, err));
        chosen[i] = x < take;
        take -= chosen[i];
        left--;
    }
    QC_ASSERT(take == 0);
    return QC_OK;
}

qc_rc gw_place_clouds(const struct gw_candidate *candidates, unsigned count, unsigned n, const qc_rng *rng,
                      uint32_t *ret, struct qc_err *err)
{
    bool chosen[QC_GW_CLOUDS_MAX] = { false };
    unsigned usable = 0;

    QC_ASSERT(count <= QC_GW_CLOUDS_MAX);
    QC_ASSERT(n <= count);
    for (unsigned i = 0; i < count; i++)
        usable += candidates[i].usable;
    const unsigned good = usable < n ? usable : n;
    QC_TRY(choose(candidates, count, true, good, rng, chosen, err));
    QC_TRY(choose(candidates, count, false, n - good, rng, chosen, err));
    for (unsigned i = 0, at = 0; i < count; i++) {
        if (chosen[i])
            ret[at++] = candidates[i].cloud_id;
    }
    return QC_OK;
}

/* -- the order on a set of clouds ------------------------------------------------------------------------ */

static bool is_known(struct gw_root *r, const struct gw_place_known *wanted, uint8_t *ret)
{
    QC_LOCK(&r->names_lock);
    const struct gw_place_known *p = &r->places[wanted->segment_id % GW_PLACES];

    if (p->n != wanted->n || p->segment_id != wanted->segment_id ||
        memcmp(p->salt, wanted->salt, sizeof p->salt) != 0)
        return false;
    memcpy(ret, p->perm, p->n);
    return true;
}

static void remember(struct gw_root *r, const struct gw_place_known *p)
{
    QC_LOCK(&r->names_lock);
    r->places[p->segment_id % GW_PLACES] = *p;
}

static qc_rc derive(const struct gw_root *r, struct gw_place_known *p, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *S = NULL;
    const unsigned n = p->n;
    uint8_t id[8];

    QC_ASSERT(n >= 1 && n <= QC_EC_N_MAX);
    qc_put_be(id, p->segment_id, sizeof id);
    QC_TRY(gw_root_key(r, "place", (qc_span[]){ { id, sizeof id }, { p->salt, GW_SALT_BYTES } }, 2, 64, &S,
                       err));
    for (unsigned i = 0; i < n; i++)
        p->perm[i] = (uint8_t)i;
    for (unsigned i = n - 1; i >= 1; i--) {
        const size_t at = 2 * (size_t)(n - 1 - i);
        const unsigned j = (unsigned)qc_get_be(qc_span_sub(qc_key_open(S), at, 2).p, 2) % (i + 1);
        const uint8_t t = p->perm[i];
        p->perm[i] = p->perm[j];
        p->perm[j] = t;
    }
    return QC_OK;
}

qc_rc gw_place_permutation(const struct gw_root *shared, uint64_t segment_id,
                           const uint8_t salt[GW_SALT_BYTES], unsigned n, uint8_t *ret, struct qc_err *err)
{
    struct gw_root *r = (struct gw_root *)(uintptr_t)shared; /* for its cache */
    struct gw_place_known p = { .segment_id = segment_id, .n = (uint8_t)n };

    QC_ASSERT(n >= 1 && n <= QC_EC_N_MAX);
    memcpy(p.salt, salt, sizeof p.salt);
    if (is_known(r, &p, ret))
        return QC_OK;
    QC_TRY(derive(r, &p, err));
    remember(r, &p);
    memcpy(ret, p.perm, n);
    return QC_OK;
}
