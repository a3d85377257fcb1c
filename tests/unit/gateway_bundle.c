/* unit/gateway_bundle: many N in one segment are versions like others: read, counted, refused, cancelled and
 * rebuilt each for itself. */
#include "gw_repair_rig.h"
#include "gw_tenants.h"

enum { MEMBERS = 4, LARGE = 12 };

struct many {
    struct erig_put bundle, v[LARGE];
    unsigned count;
};

static struct many many_prepare(uint64_t seed, const char *const paths[MEMBERS])
{
    static const uint32_t sizes[MEMBERS] = { 1, 900, 70000, 5 };
    struct many m = { .bundle = erig_prepare(seed, "", 1, 1, 0), .count = MEMBERS };

    for (unsigned i = 0; i < MEMBERS; i++)
        m.v[i] = erig_prepare(seed + 1 + i, paths[i], 1, 1, sizes[i]);
    return m;
}

static qc_rc many_send(struct erig *r, const struct many *m, struct qc_err *err)
{
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    struct gw_segment_receipt receipt;
    struct gw_segment_put s = { .tenant = r->tenant, .put_key = m->bundle.key, .last = true };
    static uint8_t bytes[QC_GW_BUNDLED_MAX];

    for (unsigned i = 0; i < m->count; i++)
        s.size += erig_size(&m->v[i], 0);
    QC_TRY(erig_begin(r, &m->bundle, err));
    QC_TRY(gw_engine_unit(r->e, r->tenant, s.size, qc_deadline_in(QC_GW_UNIT_MS), &u, err));
    for (unsigned i = 0; i < m->count; i++) {
        erig_bytes(&m->v[i], 0, bytes);
        gw_unit_add(u, qc_span_of(bytes, erig_size(&m->v[i], 0)));
    }
    return gw_upload_segment(r->e, &s, u, &receipt, err);
}

static qc_rc many_commit(struct erig *r, const struct many *m, struct gw_upload_member *ret,
                         struct qc_err *err)
{
    const struct gw_upload_bundle b = { .put_key = m->bundle.key,
                                        .vault = r->vault,
                                        .segments = 1,
                                        .tenant = r->tenant,
                                        .members = ret,
                                        .count = m->count };
    uint64_t start = 0;

    for (unsigned i = 0; i < m->count; i++) {
        const struct erig_put *p = &m->v[i];
        ret[i] = (struct gw_upload_member){ .put_key = p->key,
                                            .entry = p->entry,
                                            .start = start,
                                            .backup = qc_span_of(p->backup, sizeof p->backup) };
        ret[i].entry.path = qc_span_str(p->path);
        ret[i].entry.private_part = qc_span_of(p->private_part, sizeof p->private_part);
        start += p->entry.size;
    }
    return gw_upload_commit_bundle(r->e, &b, err);
}

static void expect_all(struct erig *r, const struct many *m)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK_OK(erig_check(r, &m->v[i], &err));
}

static enum gw_upload_state state_of(struct erig *r, const struct gw_id *key)
{
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct qc_err err = { 0 };

    CHECK_OK(gw_upload_get(r->e, &(struct gw_ref){ r->tenant, *key }, &state, &receipt, &err));
    return state;
}

/* How many versions have this margin. */
static uint64_t with_margin(struct erig *r, int margin)
{
    struct qc_err err = { 0 };
    struct gw_status *s = qc_alloc(sizeof *s);
    uint64_t n = 0, all = 0;

    CHECK(s != NULL);
    CHECK_OK(gw_engine_status(r->e, s, &err));
    for (unsigned i = 0; i < s->margin_count; i++) {
        n += s->margins[i].margin == margin ? s->margins[i].versions : 0;
        all += s->margins[i].versions;
    }
    CHECK(all == s->versions);
    qc_free(s);
    return n;
}

/* A tenant that may have so many versions: the bundle is none of them. */
static void check_quota(void)
{
    static const char *const paths[MEMBERS] = { "\1a", "\1b", "\1c", "\1d" }, *const others[MEMBERS] = {
        "\1e", "\1f", "\1g", "\1h"
    };
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_upload_member out[MEMBERS];
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct many m = many_prepare(100, paths), n = many_prepare(200, others);

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 0, MEMBERS + 2);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(many_send(&r, &m, &err));
    CHECK(tenant_usage(&r, a).objects == 1 && tenant_usage(&r, a).uploads == 1);
    CHECK_OK(many_commit(&r, &m, out, &err));
    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK(out[i].rc == QC_OK && out[i].receipt.acked_margin == 1 && out[i].receipt.chain == i + 1);
    CHECK(tenant_usage(&r, a).objects == MEMBERS && tenant_usage(&r, a).uploads == 0);
    tenant_counted(&r, a);
    expect_all(&r, &m);
    expect_all(&r, &m); /* the second time out of memory */

    CHECK_OK(many_send(&r, &n, &err)); /* one place is the upload's own, until it is known to be a bundle */
    CHECK_OK(many_commit(&r, &n, out, &err));
    CHECK(out[0].rc == QC_OK && out[1].rc == QC_OK && out[2].rc == QC_QUOTA && out[3].rc == QC_QUOTA);
    CHECK(tenant_usage(&r, a).objects == MEMBERS + 2);
    tenant_counted(&r, a);
    CHECK(state_of(&r, &n.v[2].key) == GW_UPLOAD_UNKNOWN && state_of(&r, &n.bundle.key) == GW_UPLOAD_LIVE);
    /* Once it is cancelled it never is, whatever room there is. */
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, n.v[2].key }, &state, &receipt, &err));
    CHECK_RC(gw_upload_cancel(r.e, &(struct gw_ref){ a, n.bundle.key }, &state, &receipt, &err), QC_CONFLICT);
    const uint64_t more = 100;
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .objects = &more }, NULL, &err));
    CHECK_OK(many_commit(&r, &n, out, &err));
    CHECK(out[0].rc == QC_OK && out[1].rc == QC_OK && out[2].rc == QC_CONFLICT && out[3].rc == QC_OK);
    CHECK(out[0].receipt.chain == MEMBERS + 1 && out[3].receipt.chain == MEMBERS + 3);
    CHECK_OK(erig_check(&r, &n.v[3], &err));
    tenant_counted(&r, a);
    erig_done(&r);
}

/* What is given up is swept as one upload, and nothing of it was ever a version. */
static void check_cancelled(void)
{
    static const char *const paths[MEMBERS] = { "\1a", "\1b", "\1c", "\1d" };
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_upload_member out[MEMBERS];
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct many m = many_prepare(300, paths);
    bool more;

    erig_new(&r, 3, 2, 3);
    CHECK_OK(many_send(&r, &m, &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ r.tenant, m.bundle.key }, &state, &receipt, &err));
    CHECK_OK(many_commit(&r, &m, out, &err));
    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK(out[i].rc == QC_CONFLICT && state_of(&r, &m.v[i].key) == GW_UPLOAD_UNKNOWN);
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK(tenant_usage(&r, r.tenant).dead == 0 && tenant_usage(&r, r.tenant).objects == 0);
    tenant_counted(&r, r.tenant);
    erig_done(&r);
}

/* A cloud was away: each member says so, each counts, and a rebuild knows all of it again. */
static void check_rebuilt(void)
{
    static const char *const paths[MEMBERS] = { "\1a", "\1b", "\1c", "\1d" };
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_rebuild_report report = { 0 };
    struct gw_upload_member out[MEMBERS];
    struct many m = many_prepare(400, paths);
    char state[320];

    erig_new(&r, 4, 2, 4);
    erig_lose(&r, 3);
    CHECK_OK(many_send(&r, &m, &err));
    CHECK_OK(many_commit(&r, &m, out, &err));
    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK(out[i].rc == QC_OK && out[i].receipt.acked_margin == 1 && out[i].receipt.margin_full == 2 &&
              out[i].receipt.degraded_count == 1);
    CHECK(with_margin(&r, 1) == MEMBERS);
    expect_all(&r, &m);
    gw_engine_close(&r.e);
    erig_path(&r, "rebuilt", state, sizeof state);
    CHECK_OK(erig_rebuild(&r, state, &report, &err));
    CHECK(report.versions == MEMBERS);
    CHECK_OK(gw_engine_open(&r.e, state, &r.rng, &err));
    CHECK(with_margin(&r, 1) == MEMBERS);
    CHECK(state_of(&r, &m.bundle.key) == GW_UPLOAD_LIVE && state_of(&r, &m.v[3].key) == GW_UPLOAD_LIVE);
    tenant_counted(&r, r.tenant);
    expect_all(&r, &m);
    CHECK_OK(many_commit(&r, &m, out, &err)); /* the same again */
    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK(out[i].rc == QC_OK && out[i].receipt.chain == i + 1);
    erig_done(&r);
}

static qc_rc purge(struct erig *r, const struct erig_put *p)
{
    struct gw_purge one = {
        .ids = { .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version }
    };
    struct qc_err err = { 0 };
    const qc_rc rc = gw_versions_purge(r->e, &one, 1, &err);

    return rc != QC_OK ? rc : one.rc;
}

/* Members go one by one, whatever their neighbours do; the bundle's fragments with the last one. */
static void check_purged(void)
{
    static const char *const paths[MEMBERS] = { "\1a", "\1b", "\1c", "\1d" };
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_rebuild_report report = { 0 };
    struct gw_upload_member out[MEMBERS];
    struct gw_receipt receipt;
    struct many m = many_prepare(500, paths);
    char state[320];
    bool more;

    erig_new(&r, 3, 2, 3);
    CHECK_OK(many_send(&r, &m, &err));
    CHECK_OK(many_commit(&r, &m, out, &err));
    CHECK(purge(&r, &m.bundle) == QC_NOTFOUND && purge(&r, &m.v[0]) == QC_CONFLICT);
    for (unsigned i = 0; i < MEMBERS; i++) {
        const struct erig_put tombstone = erig_prepare(510 + i, paths[i], 2, 1, 1);
        CHECK_OK(erig_remove(&r, &tombstone, &receipt, &err));
        CHECK(purge(&r, &m.v[i]) == QC_OK);
        CHECK((tenant_usage(&r, r.tenant).dead > 0) == (i + 1 == MEMBERS));
        tenant_counted(&r, r.tenant);
        for (unsigned j = i + 1; j < MEMBERS; j++)
            CHECK_OK(erig_check(&r, &m.v[j], &err));
    }
    CHECK(tenant_usage(&r, r.tenant).objects == 0);
    CHECK_OK(many_commit(&r, &m, out, &err)); /* repeated: these were live, and another one cannot follow */
    struct many late = m;
    late.v[0] = erig_prepare(600, "\1late", 1, 1, 1);
    CHECK_OK(many_commit(&r, &late, out, &err));
    CHECK(out[0].rc == QC_CONFLICT && out[1].rc == QC_OK);
    gw_engine_close(&r.e);
    erig_path(&r, "rebuilt", state, sizeof state);
    CHECK_OK(erig_rebuild(&r, state, &report, &err));
    CHECK(report.versions == 0);
    CHECK_OK(gw_engine_open(&r.e, state, &r.rng, &err));
    tenant_counted(&r, r.tenant);
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK(tenant_usage(&r, r.tenant).dead == 0 && tenant_usage(&r, r.tenant).objects == 0);
    tenant_counted(&r, r.tenant);
    erig_done(&r);
}

enum { SOME_MAX = 4 * MEMBERS + 1, SOME_ROOM = 512 * 1024 };

/* Two bundles one after the other and by turns, and a file of its own, at once; room for less by one byte. */
static void expect_some(struct erig *r, const struct many m[2], const struct erig_put *alone)
{
    QC_CLEANUP(qc_buf_free) qc_buf got = { .max = SOME_ROOM };
    struct gw_version_ids ids[SOME_MAX];
    struct qc_err err = { 0 };
    uint8_t *want = calloc(1, SOME_ROOM);
    size_t n = 0;

    CHECK(want != NULL);
    for (unsigned i = 0; i < SOME_MAX; i++) {
        const struct erig_put *p = alone;
        if (i < 2 * MEMBERS)
            p = &m[i / MEMBERS].v[i % MEMBERS];
        else if (i < 4 * MEMBERS)
            p = &m[i % 2].v[(i - 2 * MEMBERS) / 2];
        ids[i] = (struct gw_version_ids){
            .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
        };
        CHECK(n + p->entry.size <= SOME_ROOM);
        for (uint32_t seq = 0; seq < p->segments; seq++) {
            erig_bytes(p, seq, want + n);
            n += erig_size(p, seq);
        }
    }
    CHECK_OK(gw_read_some(r->e, ids, SOME_MAX, "0123456789abcdef", &got, &err));
    CHECK(qc_span_eq(qc_buf_span(&got), qc_span_of(want, n)));
    qc_buf_free(&got);
    got.max = n - 1;
    CHECK_RC(gw_read_some(r->e, ids, SOME_MAX, "", &got, &err), QC_LIMIT);
    ids[1].version.b[0] ^= 1;
    CHECK_RC(gw_read_some(r->e, ids, SOME_MAX, "", &got, &err), QC_NOTFOUND);
    free(want);
}

static void check_some(void)
{
    static const char *const paths[2][MEMBERS] = { { "\1a", "\1b", "\1c", "\1d" },
                                                   { "\1e", "\1f", "\1g", "\1h" } };
    const struct erig_put alone = erig_prepare(500, "\1z", 1, 2, 3000);
    struct gw_upload_member out[MEMBERS];
    struct gw_receipt receipt;
    struct many m[2];
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, 4, 2, 4);
    for (unsigned i = 0; i < 2; i++) {
        m[i] = many_prepare(100 * (i + 1), paths[i]);
        CHECK_OK(many_send(&r, &m[i], &err));
        CHECK_OK(many_commit(&r, &m[i], out, &err));
    }
    CHECK_OK(erig_put(&r, &alone, &receipt, &err));
    expect_some(&r, m, &alone);
    expect_some(&r, m, &alone); /* out of the bundles that are in memory */
    erig_done(&r);
}

/* A bundle of three stripes, of which the last is damaged beyond help: whoever wants one N fetches its
 * stripes alone, and gets it unless it lies there; whoever wants several fetches all of it. */
static void check_stripes(void)
{
    static const uint32_t size = 250000, stripe = 1024 * 1024;
    struct gw_upload_member out[LARGE];
    struct qc_err err = { 0 };
    struct erig r;
    struct many m = { .bundle = erig_prepare(700, "", 1, 1, 0), .count = LARGE };
    char paths[LARGE][3], file[600];
    unsigned cloud;

    for (unsigned i = 0; i < LARGE; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "\1%c", (char)('a' + i));
        m.v[i] = erig_prepare(701 + i, paths[i], 1, 1, size);
    }
    erig_new(&r, 4, 2, 4);
    CHECK_OK(many_send(&r, &m, &err));
    CHECK_OK(many_commit(&r, &m, out, &err));
    for (unsigned i = 0; i < LARGE; i++)
        CHECK(out[i].rc == QC_OK);
    for (unsigned frag = 0; frag < 3; frag++) {
        rrig_fragment(&r, &m.bundle, 0, frag, &cloud, file);
        rrig_flip(file, GW_FRAG_HEAD_BYTES + 2 * (size_t)stripe / 2 + 100);
    }
    const struct gw_version_ids two[2] = {
        { .tenant = r.tenant, .vault = r.vault, .object = m.v[0].object, .version = m.v[0].version },
        { .tenant = r.tenant, .vault = r.vault, .object = m.v[1].object, .version = m.v[1].version },
    };
    QC_CLEANUP(qc_buf_free) qc_buf got = { .max = SOME_ROOM };
    CHECK_RC(gw_read_some(r.e, two, 2, "", &got, &err), QC_QUORUM);
    for (unsigned i = LARGE; i-- > 0;) { /* the whole ones too, out of what was read for others */
        const bool whole = (i + 1) * size <= 2 * stripe;
        const qc_rc rc = erig_check(&r, &m.v[i], &err);
        CHECK((rc == QC_OK) == whole);
    }
    got.n = 0;
    CHECK_OK(gw_read_some(r.e, two, 2, "", &got, &err)); /* both are in memory now */
    CHECK(got.n == m.v[0].entry.size + m.v[1].entry.size);
    erig_done(&r);
}

int main(void)
{
    check_stripes();
    check_some();
    check_purged();
    check_quota();
    check_cancelled();
    check_rebuilt();
    return 0;
}
