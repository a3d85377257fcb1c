/* unit/gateway_pack: pieces hold or are refused, any k of them give the text, and nothing else does. */
#include "gateway/pack.h"
#include "qc_check.h"
#include "qc_seed.h"

struct made {
    struct gw_root *root;
    struct gw_name name;
    unsigned k, n;
    qc_buf text, pieces[QC_EC_N_MAX];
};

static void made_new(struct made *m, struct qc_rand *r, unsigned k, unsigned n, size_t size)
{
    const qc_rng rng = qc_rand_rng(r);
    struct gw_pack_plan plan = { .name = &m->name, .k = k, .n = n };
    struct qc_err err = { 0 };
    uint8_t *p;

    *m = (struct made){ .k = k, .n = n, .text = { .max = QC_GW_PACK_MAX } };
    m->name = (struct gw_name){ .kind = GW_NAME_PACK, .id = 5, .incarnation = 3, .serial = 9 };
    CHECK_OK(gw_root_random(&m->root, &rng, &err));
    CHECK_OK(qc_buf_extend(&m->text, size, &p, &err));
    qc_rand_fill(r, p, size);
    qc_rand_fill(r, plan.salt, sizeof plan.salt);
    for (unsigned i = 0; i < n; i++)
        plan.clouds[i] = 100 + i;
    CHECK_OK(gw_pack_make(m->root, &plan, qc_buf_span(&m->text), m->pieces, &err));
}

static void made_done(struct made *m)
{
    for (unsigned i = 0; i < m->n; i++)
        qc_buf_free(&m->pieces[i]);
    qc_buf_free(&m->text);
    gw_root_free(&m->root);
}

static qc_rc open_piece(const struct made *m, unsigned i, struct gw_piece *ret, struct qc_err *err)
{
    return gw_piece_open(m->root, &m->name, 100 + i, qc_buf_span(&m->pieces[i]), ret, err);
}

/* Each set of pieces: k or more give the text, fewer give nothing. */
static void subsets(struct qc_rand *r, unsigned k, unsigned n, size_t size)
{
    struct gw_piece all[QC_EC_N_MAX], some[QC_EC_N_MAX];
    struct qc_err err = { 0 };
    struct made m;

    made_new(&m, r, k, n, size);
    for (unsigned i = 0; i < n; i++)
        CHECK_OK(open_piece(&m, i, &all[i], &err));
    for (uint32_t set = 0; set < UINT32_C(1) << n; set++) {
        QC_CLEANUP(qc_buf_free) qc_buf got = { .max = QC_GW_PACK_MAX };
        unsigned count = 0;
        for (unsigned i = 0; i < n; i++)
            if (set >> i & 1)
                some[count++] = all[i];
        const qc_rc rc = gw_pack_open(m.root, &m.name, some, count, &got, &err);
        if (count < k) {
            CHECK(rc == QC_QUORUM && got.n == 0);
            continue;
        }
        CHECK(rc == QC_OK && qc_span_eq(qc_buf_span(&got), qc_buf_span(&m.text)));
    }
    made_done(&m);
}

/* Every byte counts, and so do the length, the cloud and the name. */
static void refused(struct qc_rand *r)
{
    struct gw_piece p;
    struct made m, other;
    struct qc_err err = { 0 };

    made_new(&m, r, 2, 4, 300);
    made_new(&other, r, 2, 4, 300);
    for (size_t at = 0; at < m.pieces[1].n; at++) {
        m.pieces[1].p[at] ^= (uint8_t)(1 << at % 8);
        CHECK(open_piece(&m, 1, &p, &err) != QC_OK);
        m.pieces[1].p[at] ^= (uint8_t)(1 << at % 8);
    }
    for (size_t n = 0; n < m.pieces[1].n; n++)
        CHECK(gw_piece_open(m.root, &m.name, 101, qc_span_of(m.pieces[1].p, n), &p, &err) != QC_OK);
    CHECK_OK(open_piece(&m, 1, &p, &err));
    CHECK_RC(gw_piece_open(m.root, &m.name, 102, qc_buf_span(&m.pieces[1]), &p, &err), QC_INTEGRITY);
    struct gw_name name = m.name;
    name.serial++;
    CHECK_RC(gw_piece_open(m.root, &name, 101, qc_buf_span(&m.pieces[1]), &p, &err), QC_INTEGRITY);
    name = m.name;
    name.kind = GW_NAME_NOTES;
    CHECK_RC(gw_piece_open(m.root, &name, 101, qc_buf_span(&m.pieces[1]), &p, &err), QC_INTEGRITY);
    CHECK_RC(gw_piece_open(other.root, &m.name, 101, qc_buf_span(&m.pieces[1]), &p, &err), QC_INTEGRITY);
    made_done(&m);
    made_done(&other);
}

/* Two generations under one name, as a gateway and its copy would write them: those that agree are taken
 * together, and never one of each. */
static void companies(struct qc_rand *r)
{
    struct gw_piece some[6];
    struct qc_err err = { 0 };
    struct gw_pack_plan plan;
    qc_buf others[QC_EC_N_MAX] = { 0 };
    struct made m;

    made_new(&m, r, 3, 5, 1000);
    plan = (struct gw_pack_plan){ .name = &m.name, .k = 3, .n = 5, .clouds = { 100, 101, 102, 103, 104 } };
    qc_rand_fill(r, plan.salt, sizeof plan.salt);
    CHECK_OK(gw_pack_make(m.root, &plan, QC_LIT("another text"), others, &err));
    for (unsigned i = 0; i < 3; i++) {
        CHECK_OK(open_piece(&m, i, &some[i], &err));
        CHECK_OK(gw_piece_open(m.root, &m.name, 102 + i, qc_buf_span(&others[2 + i]), &some[3 + i], &err));
    }
    QC_CLEANUP(qc_buf_free) qc_buf got = { .max = QC_GW_PACK_MAX };
    CHECK_RC(gw_pack_open(m.root, &m.name, some + 1, 4, &got, &err), QC_QUORUM);
    CHECK_OK(gw_pack_open(m.root, &m.name, some, 5, &got, &err));
    CHECK(qc_span_eq(qc_buf_span(&got), qc_buf_span(&m.text)));
    qc_buf_free(&got);
    got.max = QC_GW_PACK_MAX;
    CHECK_OK(gw_pack_open(m.root, &m.name, some + 1, 5, &got, &err));
    CHECK(qc_span_eq(qc_buf_span(&got), QC_LIT("another text")));
    for (unsigned i = 0; i < 5; i++)
        qc_buf_free(&others[i]);
    made_done(&m);
}

static void limits(struct qc_rand *r)
{
    struct qc_err err = { 0 };
    qc_buf out[QC_EC_N_MAX] = { 0 };
    struct made m;

    made_new(&m, r, 2, 3, 64);
    const struct gw_pack_plan plan = { .name = &m.name, .k = 2, .n = 3, .clouds = { 1, 2, 3 } };
    CHECK_RC(gw_pack_make(m.root, &plan, (qc_span){ 0 }, out, &err), QC_LIMIT);
    CHECK(out[0].p == NULL && out[2].p == NULL);
    made_done(&m);
    made_new(&m, r, 3, 5, QC_GW_PACK_MAX); /* the largest, whose stripes do not divide it */
    struct gw_piece p[3];
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(open_piece(&m, i + 2, &p[i], &err));
    QC_CLEANUP(qc_buf_free) qc_buf got = { .max = QC_GW_PACK_MAX };
    CHECK_OK(gw_pack_open(m.root, &m.name, p, 3, &got, &err));
    CHECK(qc_span_eq(qc_buf_span(&got), qc_buf_span(&m.text)));
    made_done(&m);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();

    subsets(&r, 1, 1, 1);
    subsets(&r, 1, 3, 70);
    subsets(&r, 3, 5, 4000);
    subsets(&r, 4, 6, 3000000);
    refused(&r);
    companies(&r);
    limits(&r);
    return 0;
}
