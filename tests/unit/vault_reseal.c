/* unit/vault_reseal: an object under new keys is the same object, in its next version; who changes it
 * meanwhile wins; a damaged one is not committed anew, and a put that fails leaves what there was. */
#include "vault_rig.h"

enum { LONG = (33 << 20) + 12345 };

static struct vault *second(struct rig *r, struct qc_rand *rand)
{
    struct vault *v = NULL;
    struct qc_err err = { 0 };
    struct vault_conf conf = rig_conf(r);
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = fake_connect(r->fake);
    conf.rng = qc_rand_rng(rand); /* used by a thread of its own */
    CHECK_OK(vault_open_session(&v, &conf, &gw, &call, &err));
    return v;
}

static qc_rc reseal(struct rig *r, struct vault *reader, const char *name, struct vault_put_result *ret,
                    struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    return vault_reseal(r->v, reader, qc_span_str(name), &(struct vault_put_opts){ 0 }, &call, ret, err);
}

static void same_bytes(struct rig *r, struct vault *reader)
{
    static const uint64_t size[] = { 0, 1, 1 << 20, LONG };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        struct vault_put_result before, after;
        struct rig_pattern p = { .size = size[i], .salt = i };
        CHECK_OK(rig_put_from(r, "x", &p, &before, &err));
        CHECK_OK(reseal(r, reader, "x", &after, &err));
        CHECK(after.number == before.number + 1 && after.size == size[i]);
        CHECK(after.stored == before.stored + 6 + 16); /* it notes what it was made from */
        CHECK(memcmp(after.object, before.object, 16) == 0 && memcmp(after.version, before.version, 16) != 0);
        const struct fake_version *a = fake_version_of(r->fake, before.object, before.version);
        const struct fake_version *b = fake_version_of(r->fake, after.object, after.version);
        size_t same = 0;
        for (size_t at = 512; at < a->n.n && at < b->n.n; at++)
            same += a->n.p[at] == b->n.p[at];
        CHECK(size[i] < 1000 || same < a->n.n / 100); /* other keys */
        CHECK_OK(rig_get(r, "x", size[i], i, &err));  /* and its time and mode are compared there */
    }
    CHECK(rig_leftovers(r) == 0 && r->notes.n == 0);
}

static void overtake(void *ctx)
{
    struct rig *other = ctx;
    struct qc_err err = { 0 };
    other->fake->before_commit = NULL;
    CHECK_OK(rig_open(other, &err));
    CHECK_OK(rig_put(other, "x", 777, 9, &err));
    vault_close(&other->v);
}

static void overtaken(struct rig *r, struct vault *reader)
{
    struct qc_err err = { 0 };
    struct vault_put_result ret;
    struct rig other = rig_other(r, 1000003);
    CHECK_OK(rig_put(r, "x", 1000, 1, &err));
    r->fake->before_commit = overtake;
    r->fake->before_ctx = &other;
    CHECK_RC(reseal(r, reader, "x", &ret, &err), QC_CONFLICT);
    CHECK_OK(rig_get(r, "x", 777, 9, &err));
    CHECK(rig_leftovers(r) == 0);
    vault_notes_done(&r->notes);
}

static void failures(struct rig *r, struct vault *reader)
{
    struct qc_err err = { 0 };
    struct vault_put_result before, ret;
    struct rig_pattern p = { .size = LONG, .salt = 3 };
    CHECK_RC(reseal(r, reader, "nobody", &ret, &err), QC_NOTFOUND);
    CHECK_OK(rig_put_from(r, "x", &p, &before, &err));
    r->fake->fail = FAKE_SEGMENT; /* while the other thread has bytes to give */
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_QUORUM;
    CHECK_RC(reseal(r, reader, "x", &ret, &err), QC_QUORUM);
    r->fake->fail = FAKE_NONE;
    struct fake_version *v = fake_version_of(r->fake, before.object, before.version);
    v->n.p[v->n.n - 5000] ^= 1; /* found when most of it was sent */
    CHECK_RC(reseal(r, reader, "x", &ret, &err), QC_INTEGRITY);
    v->n.p[v->n.n - 5000] ^= 1;
    CHECK_OK(rig_get(r, "x", LONG, 3, &err));
    struct vault_stat now = { 0 };
    struct vault_call call = rig_call(r);
    CHECK_OK(vault_stat(r->v, qc_span_str("x"), &call, &now, &err));
    CHECK(now.number == before.number && rig_leftovers(r) == 0);
    vault_stat_done(&now);
}

int main(void)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    struct qc_rand rand = r.rand;
    rand.state += 77;
    struct vault *reader = second(&r, &rand);
    same_bytes(&r, reader);
    overtaken(&r, reader);
    failures(&r, reader);
    vault_close(&reader);
    rig_done(&r);
    return 0;
}
