/* Identity objects (FORMAT 9.1): whose cloud this is, and its share of G. Reader and writer. */
#include "base/alloc.h"
#include "gateway/root.h"
#include "ss/key.h"

enum { VERSION = 1, FIXED = 32, SLOT = GW_ID_BYTES + 4 + GW_ROOT_KEY_BYTES, SUMS = 64 };

static const uint8_t magic[4] = { 'Q', 'C', 'L', 'I' };

void gw_identity_done(struct gw_identity *i)
{
    for (unsigned s = 0; s < GW_IDENTITY_SLOTS_MAX; s++)
        qc_key_free(&i->slots[s].share);
    *i = (struct gw_identity){ 0 };
}

/* SHA-256(enc("identity", before)): anybody can check a copy; it proves nothing. */
static qc_rc checksum(qc_span before, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 2 * GW_IDENTITY_MAX };

    QC_TRY(qc_info_add(&b, QC_LIT("identity"), err));
    QC_TRY(qc_info_add(&b, before, err));
    return qc_sha256(&(qc_span){ b.p, b.n }, 1, ret, err);
}

/* -- making ---------------------------------------------------------------------------------------------- */

/* The shares of one polynomial, for the time of gw_identity_make. */
struct shares {
    qc_key *key[QC_GW_CLOUDS_MAX];
};

static void shares_done(struct shares *s)
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        qc_key_free(&s->key[i]);
}

static qc_rc add_sums(qc_buf *b, const struct gw_root *r, struct qc_err *err)
{
    uint8_t sum[QC_SHA256_BYTES];

    QC_TRY(checksum(qc_buf_span(b), sum, err));
    QC_TRY(qc_buf_add(b, qc_span_of(sum, sizeof sum), err));
    const qc_span all = qc_buf_span(b);
    QC_TRY(gw_root_mac(r, "identity", &all, 1, sum, err));
    return qc_buf_add(b, qc_span_of(sum, sizeof sum), err);
}

static qc_rc add_slot(qc_buf *b, const struct gw_slot *slot, struct qc_err *err)
{
    QC_TRY(qc_buf_add(b, qc_span_of(slot->polynomial, GW_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(b, slot->threshold, 1, err));
    QC_TRY(qc_buf_add_be(b, slot->count, 1, err));
    QC_TRY(qc_buf_add_be(b, slot->x, 1, err));
    QC_TRY(qc_buf_add_be(b, 0, 1, err));
    return qc_buf_add(b, qc_key_open(slot->share), err);
}

static qc_rc make_one(const struct gw_root *r, const struct gw_member *m, const struct gw_slot *slots,
                      unsigned count, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = GW_IDENTITY_MAX };

    QC_TRY(qc_buf_add(&b, qc_span_of(magic, sizeof magic), err));
    QC_TRY(qc_buf_add_be(&b, VERSION, 1, err));
    QC_TRY(qc_buf_add_be(&b, count, 1, err));
    QC_TRY(qc_buf_add_be(&b, 0, 2, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(gw_root_catalogue(r), GW_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(&b, m->cloud_id, 4, err));
    QC_TRY(qc_buf_add_be(&b, m->generation, 4, err));
    for (unsigned i = 0; i < count; i++)
        QC_TRY(add_slot(&b, &slots[i], err));
    QC_TRY(add_sums(&b, r, err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc gw_identity_make(const struct gw_root *r, const struct gw_member *members, unsigned count,
                       unsigned threshold, const qc_rng *rng, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(shares_done) struct shares s = { 0 };
    struct gw_slot slot = { .threshold = (uint8_t)threshold, .count = (uint8_t)count };

    QC_ASSERT(count >= 1 && count <= QC_GW_CLOUDS_MAX);
    QC_ASSERT(threshold >= 1 && threshold <= count);
    QC_TRY(qc_rng_fill(rng, slot.polynomial, sizeof slot.polynomial, err));
    QC_TRY(ss_key_split(threshold, count, NULL, gw_root_G(r), rng, s.key, err));
    for (unsigned i = 0; i < count; i++) {
        slot.x = (uint8_t)(i + 1);
        slot.share = s.key[i];
        qc_rc rc = make_one(r, &members[i], &slot, 1, &ret[i], err);
        if (rc != QC_OK) {
            for (unsigned j = 0; j < i; j++)
                qc_buf_free(&ret[j]);
            return rc;
        }
    }
    return QC_OK;
}

qc_rc gw_identity_renew(const struct gw_root *r, const struct gw_member *m, const struct gw_slot *slots,
                        unsigned count, qc_buf *ret, struct qc_err *err)
{
    QC_ASSERT(count <= GW_IDENTITY_SLOTS_MAX);
    return make_one(r, m, slots, count, ret, err);
}

/* -- parsing --------------------------------------------------------------------------------------------- */

static qc_rc parse_slot(qc_rd *r, struct gw_slot *ret, struct qc_err *err)
{
    uint8_t raw[GW_ROOT_KEY_BYTES];

    qc_rd_copy(r, ret->polynomial, GW_ID_BYTES);
    ret->threshold = (uint8_t)qc_rd_be(r, 1);
    ret->count = (uint8_t)qc_rd_be(r, 1);
    ret->x = (uint8_t)qc_rd_be(r, 1);
    qc_rd_zero(r, 1);
    qc_rd_copy(r, raw, sizeof raw);
    if (ret->threshold < 1 || ret->threshold > ret->count || ret->x < 1 || ret->x > ret->count)
        qc_rd_fail(r);
    return qc_key_from(&ret->share, raw, sizeof raw, err);
}

qc_rc gw_identity_parse(qc_span in, struct gw_identity *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
    qc_rd r = { .s = in };
    uint8_t sum[QC_SHA256_BYTES];

    const qc_span m = qc_rd_bytes(&r, sizeof magic);
    const uint64_t version = qc_rd_be(&r, 1);
    if (!qc_rd_ok(&r) || !qc_span_eq(m, qc_span_of(magic, sizeof magic)))
        return QC_FAIL(err, QC_FORMAT, "identity object: not one");
    if (version != VERSION)
        return QC_FAIL(err, version > VERSION ? QC_NEWER : QC_FORMAT,
                       "identity object: version %u, known is %d", (unsigned)version, VERSION);
    id.slot_count = (unsigned)qc_rd_be(&r, 1);
    if (id.slot_count > GW_IDENTITY_SLOTS_MAX)
        return QC_FAIL(err, QC_FORMAT, "identity object: %u slots, at most %d", id.slot_count,
                       GW_IDENTITY_SLOTS_MAX);
    qc_rd_zero(&r, 2);
    qc_rd_copy(&r, id.catalogue, sizeof id.catalogue);
    id.cloud_id = (uint32_t)qc_rd_be(&r, 4);
    id.generation = (uint32_t)qc_rd_be(&r, 4);
    for (unsigned s = 0; s < id.slot_count; s++)
        QC_TRY(parse_slot(&r, &id.slots[s], err));
    const qc_span told = qc_rd_bytes(&r, QC_SHA256_BYTES);
    (void)qc_rd_bytes(&r, QC_SHA256_BYTES); /* the HMAC: gw_identity_check */
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "identity object: %zu bytes do not parse", in.n);
    QC_TRY(checksum(qc_span_sub(in, 0, in.n - SUMS), sum, err));
    if (!qc_ct_eq(sum, told.p, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "identity object: damaged");
    *ret = QC_STEAL(id);
    return QC_OK;
}

static qc_rc mac_holds(const struct gw_root *r, qc_span in, struct qc_err *err)
{
    const qc_span before = qc_span_sub(in, 0, in.n - QC_SHA256_BYTES);
    uint8_t mac[QC_SHA256_BYTES];

    QC_TRY(gw_root_mac(r, "identity", &before, 1, mac, err));
    if (!qc_ct_eq(mac, in.p + before.n, sizeof mac))
        return QC_FAIL(err, QC_INTEGRITY, "identity object: not made under this root key");
    return QC_OK;
}

qc_rc gw_identity_check(const struct gw_root *r, const struct gw_member *want, qc_span in, struct qc_err *err)
{
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };

    QC_TRY(gw_identity_parse(in, &id, err));
    if (!qc_ct_eq(id.catalogue, gw_root_catalogue(r), GW_ID_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "identity object: of another gateway");
    if (id.cloud_id != want->cloud_id)
        return QC_FAIL(err, QC_INTEGRITY, "identity object: of cloud %u, expected %u", id.cloud_id,
                       want->cloud_id);
    if (id.generation != want->generation)
        return QC_FAIL(err, QC_INTEGRITY, "identity object: generation %u, expected %u", id.generation,
                       want->generation);
    return mac_holds(r, in, err);
}

/* -- finding G ------------------------------------------------------------------------------------------- */

/* All that a combination looks at. */
struct search {
    const qc_span *objects;
    unsigned count;
    struct gw_identity *ids; /* count; slot_count 0 where the object did not parse */
};

static void search_done(struct search *s)
{
    for (unsigned i = 0; s->ids != NULL && i < s->count; i++)
        gw_identity_done(&s->ids[i]);
    qc_free(s->ids);
    s->ids = NULL;
}

/* The shares of one polynomial, each point once. */
struct group {
    const struct gw_slot *first;
    const uint8_t *catalogue;
    unsigned count;
    unsigned from[QC_GW_CLOUDS_MAX]; /* object */
    uint8_t x[QC_GW_CLOUDS_MAX];
    const qc_key *share[QC_GW_CLOUDS_MAX];
};

static bool same_group(const struct gw_identity *a, const struct gw_slot *sa, const struct group *g)
{
    return qc_ct_eq(a->catalogue, g->catalogue, GW_ID_BYTES) && sa->threshold == g->first->threshold &&
           qc_ct_eq(sa->polynomial, g->first->polynomial, GW_ID_BYTES);
}

/* Two clouds with one point are both kept: one of them lies, and subsets with equal points are passed over.
 */
static void gather(const struct search *s, struct group *g)
{
    for (unsigned i = 0; i < s->count; i++) {
        for (unsigned k = 0; k < s->ids[i].slot_count; k++) {
            const struct gw_slot *slot = &s->ids[i].slots[k];
            if (!same_group(&s->ids[i], slot, g) || g->count == QC_GW_CLOUDS_MAX)
                continue;
            g->from[g->count] = i;
            g->x[g->count] = slot->x;
            g->share[g->count++] = slot->share;
        }
    }
}

/* Is (object, slot) the first of its group? Then the group is looked at here and nowhere else. */
static bool leads(const struct search *s, unsigned object, unsigned slot)
{
    const struct gw_identity *me = &s->ids[object];
    const struct group g = { .first = &me->slots[slot], .catalogue = me->catalogue };

    for (unsigned i = 0; i <= object; i++) {
        const unsigned end = i == object ? slot : s->ids[i].slot_count;
        for (unsigned k = 0; k < end; k++) {
            if (same_group(&s->ids[i], &s->ids[i].slots[k], &g))
                return false;
        }
    }
    return true;
}

/* Combine the chosen members of a group. *ret stays NULL where their HMACs do not hold under the result. */
static qc_rc try_subset(const struct search *s, const struct group *g, const unsigned *pick,
                        struct gw_root **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *G = NULL;
    QC_CLEANUP(gw_root_free) struct gw_root *root = NULL;
    const unsigned t = g->first->threshold;
    uint8_t x[QC_GW_CLOUDS_MAX];
    const qc_key *share[QC_GW_CLOUDS_MAX];

    for (unsigned i = 0; i < t; i++) {
        x[i] = g->x[pick[i]];
        share[i] = g->share[pick[i]];
        for (unsigned j = 0; j < i; j++) {
            if (x[j] == x[i])
                return QC_OK;
        }
    }
    QC_TRY(ss_key_combine(t, x, share, 0, &G, err));
    QC_TRY(gw_root_new(&root, g->catalogue, G, err));
    for (unsigned i = 0; i < t; i++) {
        qc_rc rc = mac_holds(root, s->objects[g->from[pick[i]]], err);
        if (rc == QC_INTEGRITY) {
            qc_err_clear(err);
            return QC_OK;
        }
        QC_TRY(rc);
    }
    *ret = QC_STEAL(root);
    return QC_OK;
}

/* The next t-subset of 0..n-1 in lexicographic order; false after the last. */
static bool next_subset(unsigned *pick, unsigned t, unsigned n)
{
    unsigned i = t;

    while (i > 0 && pick[i - 1] == n - t + i - 1)
        i--;
    if (i == 0)
        return false;
    pick[i - 1]++;
    for (unsigned j = i; j < t; j++)
        pick[j] = pick[j - 1] + 1;
    return true;
}

static qc_rc try_group(const struct search *s, const struct group *g, struct gw_root **ret,
                       struct qc_err *err)
{
    unsigned pick[QC_GW_CLOUDS_MAX];
    const unsigned t = g->first->threshold;

    for (unsigned i = 0; i < t; i++)
        pick[i] = i;
    for (unsigned tries = 0; tries < QC_GW_SUBSETS_MAX && *ret == NULL; tries++) {
        QC_TRY(try_subset(s, g, pick, ret, err));
        if (!next_subset(pick, t, g->count))
            break;
    }
    return QC_OK;
}

/* What the search found besides the root. */
struct verdict {
    unsigned best, needed; /* of the group that came nearest: shares there, shares needed */
    bool refuted;          /* a group had enough and nothing held */
    bool conflict;
};

static qc_rc search_all(const struct search *s, struct gw_root **ret, struct verdict *v, struct qc_err *err)
{
    for (unsigned i = 0; i < s->count; i++) {
        for (unsigned k = 0; k < s->ids[i].slot_count; k++) {
            QC_CLEANUP(gw_root_free) struct gw_root *found = NULL;
            struct group g = { .first = &s->ids[i].slots[k], .catalogue = s->ids[i].catalogue };
            if (!leads(s, i, k))
                continue;
            gather(s, &g);
            if (g.count > v->best || v->needed == 0) {
                v->best = g.count;
                v->needed = g.first->threshold;
            }
            if (g.count < g.first->threshold)
                continue;
            QC_TRY(try_group(s, &g, &found, err));
            v->refuted |= found == NULL;
            if (found == NULL)
                continue;
            if (*ret == NULL)
                *ret = QC_STEAL(found);
            else
                v->conflict |= !qc_ct_eq(gw_root_catalogue(*ret), g.catalogue, GW_ID_BYTES);
        }
    }
    return QC_OK;
}

static qc_rc parse_all(struct search *s, struct qc_err *err)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->objects[i].n == 0)
            continue;
        qc_rc rc = gw_identity_parse(s->objects[i], &s->ids[i], err);
        if (rc == QC_NOMEM)
            return rc;
        qc_err_clear(err); /* what does not parse is no share */
    }
    return QC_OK;
}

qc_rc gw_identity_combine(const qc_span *objects, unsigned count, struct gw_root **ret, bool *good,
                          struct qc_err *err)
{
    QC_CLEANUP(search_done) struct search s = { .objects = objects, .count = count };
    QC_CLEANUP(gw_root_free) struct gw_root *root = NULL;
    struct verdict v = { 0 };

    QC_ASSERT(count >= 1 && count <= QC_GW_CLOUDS_MAX);
    s.ids = qc_alloc(count * sizeof *s.ids);
    if (s.ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "root key: %u identity objects", count);
    QC_TRY(parse_all(&s, err));
    QC_TRY(search_all(&s, &root, &v, err));
    if (v.conflict)
        return QC_FAIL(err, QC_CONFLICT, "root key: these clouds belong to different gateways");
    if (root == NULL && v.refuted)
        return QC_FAIL(err, QC_INTEGRITY, "root key: %u shares, %u needed, and no combination of them holds",
                       v.best, v.needed);
    if (root == NULL)
        return QC_FAIL(err, QC_QUORUM, "root key: %u shares on the clouds that answered, %u needed", v.best,
                       v.needed);
    for (unsigned i = 0; i < count; i++) {
        struct qc_err ignored = { 0 };
        good[i] = objects[i].n > SUMS && mac_holds(root, objects[i], &ignored) == QC_OK;
    }
    *ret = QC_STEAL(root);
    return QC_OK;
}
