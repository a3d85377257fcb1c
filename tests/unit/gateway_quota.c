/* unit/gateway_quota: what a tenant has is counted once, whatever is repeated, replaced, given up or swept;
 * and what does not fit is refused, with nothing left of it. */
#include "gw_tenants.h"

enum { SEALED_BACKUP = 40 + 4 + 16 + 16, PRIVATE = 48, SIZE = 1000 };

/* Bytes of a put as the rig makes them: N, name, private part, B with its seal. */
static uint64_t cost(const struct erig_put *p)
{
    return p->entry.size + strlen(p->path) + PRIVATE + SEALED_BACKUP;
}

static void settle(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more;
    for (unsigned i = 0; i < 100; i++) /* a round of the sweep each, and there are two */
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
}

/* -- bytes ----------------------------------------------------------------------------------------------- */

static void check_bytes(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct erig_put p = erig_prepare(1, "\1p", 1, 3, SIZE), q = erig_prepare(2, "\1q", 1, 1, SIZE),
                    tiny = erig_prepare(3, "\1t", 1, 1, 7), rm = erig_prepare(4, "\1p", 2, 1, 1);
    const uint64_t quota = 3 * SIZE + 3 + SIZE / 2;

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", quota, 0);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_begin(&r, &p, &err)); /* again: the same upload */
    CHECK(tenant_usage(&r, a).objects == 1 && tenant_usage(&r, a).uploads == 1);
    for (unsigned again = 0; again < 2; again++)
        for (uint32_t seq = 0; seq < 3; seq++) {
            CHECK_OK(
                erig_segment(&r, &p, seq, &err)); /* at the edge of the quota, and in the place of itself */
            tenant_counted(&r, a);
        }
    CHECK(tenant_usage(&r, a).bytes == 3 * SIZE + 3);
    CHECK(tenant_usage(&r, a).dead == 3 * SIZE + 3); /* until it is swept */

    /* Another upload finds what is left. */
    CHECK_OK(erig_begin(&r, &q, &err));
    CHECK_RC(erig_segment(&r, &q, 0, &err), QC_QUOTA);
    CHECK_RC(erig_segment(&r, &q, 0, &err), QC_QUOTA);
    CHECK(tenant_usage(&r, a).bytes == 3 * SIZE + 3);
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, q.key }, &state, &receipt, &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, q.key }, &state, &receipt, &err));
    CHECK(tenant_usage(&r, a).objects == 1 && tenant_usage(&r, a).given_up == 1);

    /* The first one commits, as often as it is asked to; names and backup data count from then on. */
    CHECK_OK(erig_commit(&r, &p, &receipt, &err));
    CHECK_OK(erig_commit(&r, &p, &receipt, &err));
    CHECK(tenant_usage(&r, a).bytes == cost(&p) && tenant_usage(&r, a).uploads == 0);
    tenant_counted(&r, a);

    /* Nothing more fits: no put begins, reads and removals go on, the version is kept and counted. */
    const uint64_t less = cost(&p);
    const struct gw_tenant_change change = { .name = "a", .bytes = &less };
    CHECK_OK(gw_tenant_change(r.e, &change, NULL, &err));
    CHECK_RC(erig_begin(&r, &tiny, &err), QC_QUOTA);
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_OK(erig_remove(&r, &rm, &receipt, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK(tenant_usage(&r, a).bytes == cost(&p) - PRIVATE && tenant_usage(&r, a).objects == 1);
    CHECK(tenant_usage(&r, a).names == 0);
    tenant_counted(&r, a);
    settle(&r);
    CHECK(tenant_usage(&r, a).dead == 0);
    tenant_counted(&r, a);
    erig_done(&r);
}

/* What was given up and still lies on clouds counts too, as a reason to wait. */
static void check_dead(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct erig_put p = erig_prepare(1, "\1p", 1, 2, SIZE);

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 2 * SIZE, 0);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_begin(&r, &p, &err));
    qc_rc rc = QC_OK;
    unsigned n = 0;
    for (; rc == QC_OK && n < 10; n++)
        rc = erig_segment(&r, &p, 0, &err);
    CHECK(rc == QC_TEMP && n == 5); /* 3 replaced: more than the quota again */
    settle(&r);
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    tenant_counted(&r, a);
    erig_done(&r);
}

/* -- at once --------------------------------------------------------------------------------------------- */

enum { RACERS = 4 };
struct racer {
    struct erig *r;
    struct erig_put p;
    qc_rc rc;
};

static void *race(void *ctx)
{
    struct racer *x = ctx;
    struct qc_err err = { 0 };
    x->rc = erig_segment(x->r, &x->p, 0, &err);
    return NULL;
}

/* Four segments on their way, room for two: two are taken, whichever they are, and nothing is left of the
 * others. */
static void check_race(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    unsigned taken = 0;

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 2 * SIZE + SIZE / 2, 0);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .r = &r, .p = erig_prepare(i + 1, "\1p", 1, 1, SIZE) };
        CHECK_OK(erig_begin(&r, &racers[i].p, &err));
    }
    for (unsigned i = 0; i < RACERS; i++)
        CHECK(pthread_create(&threads[i], NULL, race, &racers[i]) == 0);
    for (unsigned i = 0; i < RACERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(racers[i].rc == QC_OK || racers[i].rc == QC_QUOTA);
        taken += racers[i].rc == QC_OK;
    }
    CHECK(taken == 2 && tenant_usage(&r, a).bytes == 2 * (SIZE + 3));
    tenant_counted(&r, a);
    erig_done(&r);
}

/* -- counts ---------------------------------------------------------------------------------------------- */

static void check_counts(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct erig_put p[4];
    const uint64_t two = 2, three = 3;

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 0, 3), b = tenant_add(&r, "b", "token b", 0, 0);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .uploads = &two }, NULL, &err));
    for (unsigned i = 0; i < 4; i++)
        p[i] = erig_prepare(i + 1, "\1p", i + 1, 1, 10);
    CHECK_OK(erig_begin(&r, &p[0], &err));
    CHECK_OK(erig_begin(&r, &p[1], &err));
    CHECK_RC(erig_begin(&r, &p[2], &err), QC_QUOTA); /* uploads */
    CHECK_OK(erig_begin(&r, &p[1], &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, p[1].key }, &state, &receipt, &err));
    CHECK_OK(erig_begin(&r, &p[2], &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, p[2].key }, &state, &receipt, &err));
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .uploads = &three }, NULL, &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, p[0].key }, &state, &receipt, &err));
    for (unsigned i = 0; i < 3; i++) { /* versions of one name: each counts */
        p[i] = erig_prepare(i + 11, "\1p", i + 1, 1, 10);
        CHECK_OK(erig_put(&r, &p[i], &receipt, &err));
    }
    CHECK_RC(erig_begin(&r, &p[3], &err), QC_QUOTA);
    CHECK(tenant_usage(&r, a).objects == 3 && tenant_usage(&r, a).given_up == 3);

    /* Another tenant has limits of its own. */
    tenant_be(&r, b, 0xbb);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_put(&r, &p[0], &receipt, &err));
    for (unsigned i = 1; i < QC_GW_TENANT_VAULTS_MAX; i++) {
        tenant_be(&r, b, (uint8_t)i);
        CHECK_OK(tenant_vault(&r, &err));
        CHECK_OK(tenant_vault(&r, &err)); /* again: the same vault */
    }
    tenant_be(&r, b, QC_GW_TENANT_VAULTS_MAX);
    CHECK_RC(tenant_vault(&r, &err), QC_QUOTA);
    CHECK(tenant_usage(&r, b).vaults == QC_GW_TENANT_VAULTS_MAX);
    tenant_be(&r, a, 3);
    CHECK_OK(tenant_vault(&r, &err));
    tenant_counted(&r, a);
    tenant_counted(&r, b);
    erig_done(&r);
}

/* Put keys that were cancelled are remembered, and not for ever: the oldest goes, with its dead version. */
/* As many as are remembered, with the one that there is; in one go. */
static void give_up_many(struct erig *r)
{
    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    struct qc_err err = { 0 };
    struct qc_stmt *s = NULL;
    uint8_t key[16] = { 0 }, none[32] = { 0 };

    CHECK_OK(qc_tx_begin(&tx, r->e->cat->db, &err));
    CHECK_OK(
        qc_db_prepare(r->e->cat->db,
                      "INSERT INTO request (tenant, put_key, kind, state, version_no, seal, number, chain,"
                      " head, acked, margin_full, durable_min, n, copies, clouds, degraded) VALUES (1, ?1,"
                      " 3, 2, 0, ?2, 0, 0, ?2, 0, 0, 0, 0, 0, 0, ?3)",
                      &s, &err));
    for (unsigned i = 1; i < QC_GW_TENANT_GIVEN_UP; i++) {
        qc_put_be(key, i, 8);
        CHECK_OK(QC_RUN(s, &err, QC_VB(qc_span_of(key, sizeof key)), QC_VB(qc_span_of(none, sizeof none)),
                        QC_VB(qc_span_of(none, 0))));
    }
    qc_stmt_free(&s);
    CHECK_OK(qc_tx_commit(&tx, &err));
}

static void check_given_up(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    enum gw_upload_state state;
    const struct erig_put first = erig_prepare(1, "\1p", 1, 1, 10);

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 0, 0);
    tenant_be(&r, a, 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_begin(&r, &first, &err));
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ a, first.key }, &state, &receipt, &err));
    give_up_many(&r);
    CHECK(tenant_usage(&r, a).given_up == QC_GW_TENANT_GIVEN_UP);
    for (unsigned i = 0; i < 3; i++) {
        const struct gw_ref key = { a, { { 0xee, (uint8_t)i } } };
        CHECK_OK(gw_upload_get(r.e, &(struct gw_ref){ a, first.key }, &state, &receipt, &err));
        CHECK(state == (i == 0 ? GW_UPLOAD_CANCELLED : GW_UPLOAD_UNKNOWN));
        CHECK_OK(gw_upload_cancel(r.e, &key, &state, &receipt, &err));
        CHECK_OK(gw_upload_get(r.e, &key, &state, &receipt, &err));
        CHECK(state == GW_UPLOAD_CANCELLED && tenant_usage(&r, a).given_up == QC_GW_TENANT_GIVEN_UP);
    }
    CHECK(count_sql(&r, "SELECT COUNT(*) FROM version WHERE tenant=?1", a) == 0);
    tenant_counted(&r, a);
    erig_done(&r);
}

/* -- at random ------------------------------------------------------------------------------------------- */

/* Anything in any order, by three tenants, with restarts: the count is what the rows say, and within limits.
 */
static void check_random(void)
{
    struct qc_rand rand = qc_rand_start();
    struct erig r;
    struct qc_err err = { 0 };
    uint32_t who[3] = { GW_OWNER };
    struct erig_put open[3][4] = { 0 };
    const uint64_t quota[3] = { GW_NO_LIMIT, 6000, 9000 };
    uint64_t number[3] = { 0 };

    erig_new(&r, 3, 2, 3);
    for (unsigned i = 1; i < 3; i++) {
        who[i] = tenant_add(&r, i == 1 ? "a" : "b", i == 1 ? "token a" : "token b", quota[i], 12);
        tenant_be(&r, who[i], 0x33);
        CHECK_OK(tenant_vault(&r, &err));
    }
    tenant_be(&r, GW_OWNER, 0x33);
    CHECK_OK(tenant_vault(&r, &err));
    for (uint64_t step = 0; step < qc_rand_cases(300, 5000); step++) {
        const unsigned i = (unsigned)qc_rand_below(&rand, 3), slot = (unsigned)qc_rand_below(&rand, 4);
        struct erig_put *p = &open[i][slot];
        struct gw_receipt receipt;
        enum gw_upload_state state;
        qc_rc rc = QC_OK;
        tenant_be(&r, who[i], 0x33);
        switch (qc_rand_below(&rand, 6)) {
        case 0:
        case 1:
            if (p->seed == 0)
                *p = erig_prepare(1 + qc_rand_below(&rand, 1000000), "\1p", 1, 1 + slot % 2,
                                  (uint32_t)qc_rand_between(&rand, 1, 900));
            rc = erig_begin(&r, p, &err);
            if (rc == QC_QUOTA)
                p->seed = 0;
            break;
        case 2:
        case 3:
            if (p->seed != 0)
                rc = erig_segment(&r, p, (uint32_t)qc_rand_below(&rand, p->segments), &err);
            break;
        case 4:
            if (p->seed == 0)
                break;
            p->entry.number = number[i] + 1;
            rc = erig_commit(&r, p, &receipt, &err);
            number[i] += rc == QC_OK;
            if (rc == QC_OK)
                p->seed = 0;
            break;
        case 5:
            if (p->seed != 0 && qc_rand_below(&rand, 2) == 0) {
                rc = gw_upload_cancel(r.e, &(struct gw_ref){ who[i], p->key }, &state, &receipt, &err);
                p->seed = 0;
            } else if (qc_rand_below(&rand, 8) == 0) {
                gw_engine_close(&r.e);
                erig_open(&r);
            } else {
                bool more;
                rc = gw_engine_tidy(r.e, &more, &err);
            }
        }
        CHECK(rc == QC_OK || rc == QC_QUOTA || rc == QC_USAGE || rc == QC_NOTFOUND || rc == QC_TEMP ||
              rc == QC_CONFLICT);
        CHECK(rc != QC_QUOTA || i > 0);
        const struct gw_usage u = tenant_usage(&r, who[i]);
        tenant_counted(&r, who[i]);
        if (i > 0) /* what a commit adds to the sealed bytes may pass the quota: nothing begins then */
            CHECK(u.objects <= 12 && u.bytes <= quota[i] + 4 * (2 + PRIVATE + SEALED_BACKUP));
    }
    erig_done(&r);
}

int main(void)
{
    check_bytes();
    check_dead();
    check_race();
    check_counts();
    check_given_up();
    check_random();
    return 0;
}
