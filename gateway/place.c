#include "gateway/place.h"

#include <stdio.h>

#include "base/key.h"
#include "base/limits.h"
#include "base/thread.h"
#include "root_internal.h"

static const char *const domain_names[] = {
    [GW_DOMAIN_CLOUD] = "cloud",
    [GW_DOMAIN_PROVIDER] = "provider",
    [GW_DOMAIN_REGION] = "region",
    [GW_DOMAIN_JURISDICTION] = "jurisdiction",
};
enum { DOMAINS = sizeof domain_names / sizeof domain_names[0] };

const char *gw_domain_name(enum gw_domain d)
{
    QC_ASSERT((size_t)d < DOMAINS);
    return domain_names[d];
}

bool gw_domain_of_name(const char *name, enum gw_domain *ret)
{
    for (unsigned d = 0; d < DOMAINS; d++)
        if (strcmp(domain_names[d], name) == 0) {
            *ret = (enum gw_domain)d;
            return true;
        }
    return false;
}

bool gw_label_ok(qc_span label)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

    if (label.n > QC_GW_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (memchr(letters, label.p[i], sizeof letters - (i == 0 ? 4 : 1)) == NULL)
            return false;
    return true;
}

bool gw_same_domain(enum gw_domain d, const struct gw_labels *a, const struct gw_labels *b)
{
    return d != GW_DOMAIN_CLOUD && a->v[d - 1][0] != '\0' && strcmp(a->v[d - 1], b->v[d - 1]) == 0;
}

bool gw_same_labels(const struct gw_labels *a, const struct gw_labels *b)
{
    bool same = a->weight == b->weight;

    for (unsigned i = 0; i < GW_LABELS; i++)
        same = same && strcmp(a->v[i], b->v[i]) == 0;
    return same;
}

/* -- choosing -------------------------------------------------------------------------------------------- */

/* A number below bound from 64 random bits: the bias is below 2^-48 for bounds up to 2^15. */
static qc_rc draw(const qc_rng *rng, unsigned bound, unsigned *ret, struct qc_err *err)
{
    uint8_t raw[8];

    QC_TRY(qc_rng_fill(rng, raw, sizeof raw, err));
    *ret = (unsigned)(qc_get_be(raw, sizeof raw) % bound);
    return QC_OK;
}

/* Clouds in the order in which they are taken: 0 is first. */
enum { KINDS = 4 };
static unsigned kind_of(const struct gw_candidate *c)
{
    return (c->usable ? 0U : 2U) + (c->weight > 0 ? 0U : 1U);
}

struct choosing {
    const struct gw_candidate *c;
    unsigned count;
    bool chosen[QC_GW_CLOUDS_MAX], out[QC_GW_CLOUDS_MAX]; /* out: chosen, or its domain has one */
};

static void take(struct choosing *s, unsigned i)
{
    s->chosen[i] = s->out[i] = true;
    for (unsigned j = 0; j < s->count && s->c[i].domain != 0; j++)
        s->out[j] = s->out[j] || s->c[j].domain == s->c[i].domain;
}

static unsigned weight_of(const struct choosing *s, unsigned i, unsigned kind)
{
    if (s->out[i] || kind_of(&s->c[i]) != kind)
        return 0;
    return s->c[i].weight > 0 ? s->c[i].weight : 1;
}

/* One more of a kind, by weight. *ret: there was one. */
static qc_rc choose_one(struct choosing *s, unsigned kind, const qc_rng *rng, bool *ret, struct qc_err *err)
{
    unsigned sum = 0, left = 0, x = 0;

    for (unsigned i = 0; i < s->count; i++) {
        sum += weight_of(s, i, kind);
        left += weight_of(s, i, kind) > 0;
    }
    *ret = left > 0;
    if (left > 1)
        QC_TRY(draw(rng, sum, &x, err));
    for (unsigned i = 0; i < s->count && left > 0; i++) {
        const unsigned w = weight_of(s, i, kind);
        if (x < w) {
            take(s, i);
            return QC_OK;
        }
        x -= w;
    }
    return QC_OK;
}

/* Is there nothing to choose: all of a kind go? Then nothing is drawn. */
static qc_rc choose_kind(struct choosing *s, unsigned kind, unsigned *left, const qc_rng *rng,
                         struct qc_err *err)
{
    unsigned of_kind = 0;
    bool alone = true;

    for (unsigned i = 0; i < s->count; i++)
        if (weight_of(s, i, kind) > 0) {
            of_kind++;
            alone = alone && s->c[i].domain == 0;
        }
    const bool all = alone && of_kind <= *left;
    for (unsigned i = 0; i < s->count && all; i++)
        if (weight_of(s, i, kind) > 0) {
            take(s, i);
            --*left;
        }
    for (bool more = true; *left > 0 && more; *left -= more)
        QC_TRY(choose_one(s, kind, rng, &more, err));
    return QC_OK;
}

qc_rc gw_place_clouds(const struct gw_candidate *candidates, unsigned count, unsigned n, const qc_rng *rng,
                      uint32_t *ret, struct qc_err *err)
{
    struct choosing s = { .c = candidates, .count = count };
    unsigned left = n;

    QC_ASSERT(count <= QC_GW_CLOUDS_MAX && n <= QC_GW_CLOUDS_MAX);
    for (unsigned kind = 0; kind < KINDS; kind++)
        QC_TRY(choose_kind(&s, kind, &left, rng, err));
    if (left > 0)
        return QC_FAIL(err, QC_QUORUM, "%u failure domains, %u are needed for a segment", n - left, n);
    for (unsigned i = 0, at = 0; i < count; i++) {
        if (s.chosen[i])
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
