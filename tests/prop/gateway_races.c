/* prop/gateway_races: cancel against commit, commit against itself, and 64 uploads at once. Of a cancel and a
 * commit exactly one wins; a put key has one receipt; nothing is left over (D3, D10). */
#include "base/time.h"
#include "gw_engine_rig.h"

enum { CLOUDS = 3, K = 2, CROWD = 64, PATH_SIZE = 32 };

static struct erig rig;

/* Two threads begin together. */
struct racer {
    pthread_barrier_t *start;
    const struct erig_put *put;
    unsigned delay_us;
    qc_rc rc;
    enum gw_upload_state state;
    struct gw_receipt receipt;
};

static void *commits(void *arg)
{
    struct racer *r = arg;
    struct qc_err err = { 0 };
    (void)pthread_barrier_wait(r->start);
    usleep(r->delay_us);
    r->rc = erig_commit(&rig, r->put, &r->receipt, &err);
    return NULL;
}

static void *cancels(void *arg)
{
    struct racer *r = arg;
    struct qc_err err = { 0 };
    (void)pthread_barrier_wait(r->start);
    usleep(r->delay_us);
    r->rc = gw_upload_cancel(rig.e, OWN(r->put->key), &r->state, &r->receipt, &err);
    return NULL;
}

static void race(struct racer *a, void *(*run_a)(void *), struct racer *b, void *(*run_b)(void *))
{
    pthread_barrier_t start;
    pthread_t x, y;

    CHECK(pthread_barrier_init(&start, NULL, 2) == 0);
    a->start = b->start = &start;
    CHECK(pthread_create(&x, NULL, run_a, a) == 0 && pthread_create(&y, NULL, run_b, b) == 0);
    CHECK(pthread_join(x, NULL) == 0 && pthread_join(y, NULL) == 0);
    pthread_barrier_destroy(&start);
}

static void cancel_against_commit(struct qc_rand *rand, unsigned rounds)
{
    unsigned committed = 0, cancelled = 0;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < rounds; i++) {
        char path[PATH_SIZE];
        CHECK(snprintf(path, sizeof path, "\1race%u", i) > 0);
        const struct erig_put p = erig_prepare(qc_rand_u64(rand), path, 1, 1, 200);
        CHECK_OK(erig_begin(&rig, &p, &err));
        CHECK_OK(erig_segment(&rig, &p, 0, &err));
        struct racer a = { .put = &p, .delay_us = (unsigned)qc_rand_below(rand, 1500) };
        struct racer b = { .put = &p, .delay_us = (unsigned)qc_rand_below(rand, 1000) };
        race(&a, commits, &b, cancels);
        CHECK((a.rc == QC_OK) != (b.rc == QC_OK));
        CHECK(a.rc == QC_OK ? b.rc == QC_CONFLICT : a.rc == QC_CONFLICT);
        struct gw_receipt receipt;
        enum gw_upload_state state;
        CHECK_OK(gw_upload_get(rig.e, OWN(p.key), &state, &receipt, &err));
        CHECK(state == (a.rc == QC_OK ? GW_UPLOAD_LIVE : GW_UPLOAD_CANCELLED));
        CHECK(a.rc != QC_OK || b.state == GW_UPLOAD_DECIDED || b.state == GW_UPLOAD_LIVE);
        if (a.rc == QC_OK)
            CHECK_OK(erig_check(&rig, &p, &err));
        committed += a.rc == QC_OK;
        cancelled += b.rc == QC_OK;
    }
    fprintf(stderr, "cancel against commit: %u committed, %u cancelled\n", committed, cancelled);
    CHECK(committed > 0 && cancelled > 0);
}

static void commit_twice(struct qc_rand *rand, unsigned rounds)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < rounds; i++) {
        char path[PATH_SIZE];
        CHECK(snprintf(path, sizeof path, "\1twice%u", i) > 0);
        const struct erig_put p = erig_prepare(qc_rand_u64(rand), path, 1, 1, 200);
        CHECK_OK(erig_begin(&rig, &p, &err));
        CHECK_OK(erig_segment(&rig, &p, 0, &err));
        struct racer a = { .put = &p }, b = { .put = &p, .delay_us = (unsigned)qc_rand_below(rand, 1500) };
        race(&a, commits, &b, commits);
        CHECK(a.rc == QC_OK && b.rc == QC_OK);
        CHECK(a.receipt.chain == b.receipt.chain && a.receipt.number == 1 && b.receipt.number == 1 &&
              memcmp(&a.receipt.head, &b.receipt.head, sizeof a.receipt.head) == 0 &&
              a.receipt.acked_margin == b.receipt.acked_margin);
    }
}

/* 64 at once; a call that finds no room tries again, as the client does. */
struct uploader {
    struct erig_put put;
    char path[PATH_SIZE];
    struct gw_receipt receipt;
};

static void *uploads(void *arg)
{
    struct uploader *u = arg;
    struct qc_err err = { 0 };
    const qc_deadline until = qc_deadline_in(60000);
    qc_rc rc;

    do {
        rc = erig_put(&rig, &u->put, &u->receipt, &err);
        if (rc == QC_TEMP || rc == QC_TIMEOUT || rc == QC_LIMIT)
            usleep(2000);
    } while ((rc == QC_TEMP || rc == QC_TIMEOUT || rc == QC_LIMIT) && !qc_deadline_over(until));
    CHECK_OK(rc);
    return NULL;
}

static void crowd(struct qc_rand *rand, uint64_t chain_before)
{
    static struct uploader u[CROWD];
    static bool seen[CROWD];
    pthread_t threads[CROWD];
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < CROWD; i++) {
        CHECK(snprintf(u[i].path, sizeof u[i].path, "\1crowd%u", i) > 0);
        u[i].put = erig_prepare(qc_rand_u64(rand), u[i].path, 1, 3, 5000);
        CHECK(pthread_create(&threads[i], NULL, uploads, &u[i]) == 0);
    }
    for (unsigned i = 0; i < CROWD; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (unsigned i = 0; i < CROWD; i++) {
        const uint64_t at = u[i].receipt.chain - chain_before - 1;
        CHECK(at < CROWD && !seen[at]); /* each change has its own place in the vault's chain */
        seen[at] = true;
        CHECK(u[i].receipt.acked_margin == 1);
        CHECK_OK(erig_check(&rig, &u[i].put, &err));
    }
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    const unsigned rounds = (unsigned)qc_rand_cases(60, 2000);
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_vault v = { 0 };
    struct gw_status s;
    bool more;

    erig_new(&rig, CLOUDS, K, CLOUDS);
    cancel_against_commit(&rand, rounds);
    commit_twice(&rand, rounds / 2);
    CHECK_OK(gw_vault_get(rig.e, OWN(rig.vault), &v, &err));
    const uint64_t before = v.head.count;
    gw_vault_done(&v);
    crowd(&rand, before);
    for (unsigned i = 0; i < 50 + rounds; i++) /* each sweeps QC_GW_TIDY_KEYS keys, and two rounds are due */
        CHECK_OK(gw_engine_tidy(rig.e, &more, &err));
    CHECK_OK(gw_engine_status(rig.e, &s, &err));
    CHECK(s.versions == before + CROWD && s.dead_segments == 0 && s.open_uploads == 0 && s.record_debts == 0);
    gw_engine_close(&rig.e);
    CHECK_OK(erig_rebuild(&rig, rig.state, &report, &err));
    CHECK(report.versions == before + CROWD && report.unknown == 0 && report.fragments_missing == 0);
    erig_done(&rig);
    return 0;
}
