/* unit/gateway_resume: an upload goes on with a prefix of what is durable, and nothing that an earlier run
 * has on its way becomes part of it; one that nobody goes on with is given up. */
#include "cat_internal.h"
#include "engine_internal.h"
#include "gw_engine_rig.h"

static struct gw_resumed resume(struct erig *r, const struct erig_put *p, uint32_t most)
{
    struct gw_resumed ret = { 0 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_upload_resume(r->e, OWN(p->key), most, &ret, &err));
    CHECK(ret.bytes == (uint64_t)ret.segments * p->size);
    return ret;
}

static uint64_t tidied(struct erig *r)
{
    struct gw_status s;
    struct qc_err err = { 0 };
    bool more = false;

    for (unsigned i = 0; i < 10; i++)
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
    CHECK_OK(gw_engine_status(r->e, &s, &err));
    CHECK(s.dead_segments == 0);
    return s.open_uploads;
}

static void goes_on(void)
{
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 4, 1000);
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    struct gw_resumed s;
    enum gw_upload_state state;

    erig_new(&r, 5, 3, 5);
    CHECK_RC(gw_upload_resume(r.e, OWN(p.key), 1, &s, &err), QC_NOTFOUND);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK(resume(&r, &p, 9).segments == 0);
    CHECK(erig_segment(&r, &p, 0, &err) == QC_CONFLICT);
    CHECK(strstr(err.msg, "this is of run 0, and 1 has begun") != NULL);
    r.run = 1;
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_OK(erig_segment(&r, &p, 1, &err));
    CHECK_OK(erig_segment(&r, &p, 3, &err));
    gw_engine_close(&r.e);
    erig_open(&r); /* over a restart */
    s = resume(&r, &p, 9);
    CHECK(s.run == 2 && s.segments == 2); /* 3 is no part of the prefix, and goes */
    s = resume(&r, &p, 1);
    CHECK(s.run == 3 && s.segments == 1); /* so does what the client cannot go on with */
    r.run = 2;
    CHECK_RC(erig_segment(&r, &p, 1, &err), QC_CONFLICT);
    r.run = 3;
    for (uint32_t seq = 1; seq < p.segments; seq++)
        CHECK_OK(erig_segment(&r, &p, seq, &err));
    s = resume(&r, &p, 4);
    CHECK(s.run == 4 && s.segments == 3); /* never the last one */
    CHECK_RC(erig_commit(&r, &p, &a, &err), QC_CONFLICT);
    r.run = 4;
    CHECK_RC(erig_commit(&r, &p, &a, &err), QC_USAGE);
    CHECK_OK(erig_segment(&r, &p, 3, &err));
    CHECK_OK(erig_commit(&r, &p, &a, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_RC(gw_upload_resume(r.e, OWN(p.key), 1, &s, &err), QC_CONFLICT);
    CHECK(tidied(&r) == 0);

    const struct erig_put q = erig_prepare(2, "\1beta", 1, 2, 1000);
    r.run = 0;
    CHECK_OK(erig_begin(&r, &q, &err));
    CHECK_OK(gw_upload_cancel(r.e, OWN(q.key), &state, &a, &err));
    CHECK_RC(gw_upload_resume(r.e, OWN(q.key), 1, &s, &err), QC_CONFLICT);
    erig_done(&r);
}

/* Neither another upload's segments nor one whose bytes have stopped to come are waited for. */
static void not_awaited(void)
{
    const struct erig_put p = erig_prepare(5, "\1alpha", 1, 2, 1000),
                          q = erig_prepare(6, "\1beta", 1, 2, 1000);
    struct erig r;
    struct gw_arrival other = { 0 }, still = { 0 };
    struct qc_err err = { 0 };

    erig_new(&r, 3, 2, 3);
    CHECK_OK(erig_begin(&r, &p, &err));
    gw_arrival_begin(r.e, &still, OWN(p.key));
    gw_arrival_begin(r.e, &other, OWN(q.key));
    gw_arrival_moves(&other, true);
    still.moved_ms = qc_now_ms() - QC_GW_ARRIVAL_STILL_MS;
    const uint64_t began = qc_now_ms();
    CHECK(resume(&r, &p, 1).segments == 0);
    CHECK(qc_now_ms() - began < QC_GW_ARRIVAL_MS / 2);
    gw_arrival_end(&still);
    gw_arrival_end(&other);
    CHECK(r.e->arrivals.first == NULL);
    erig_done(&r);
}

static void days_ago(struct erig *r, unsigned days)
{
    char sql[128];
    struct qc_err err = { 0 };

    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
    CHECK(snprintf(sql, sizeof sql, "UPDATE request SET heard=heard-%u*86400 WHERE state=1", days) > 0);
    CHECK_OK(qc_db_exec(r->e->cat->db, sql, &err));
    CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
}

/* Days count from when it was first looked at, or last heard of. */
static void given_up(void)
{
    const struct erig_put p = erig_prepare(3, "\1alpha", 1, 2, 1000);
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    enum gw_upload_state state;

    erig_new(&r, 3, 2, 3);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK(tidied(&r) == 1);
    days_ago(&r, QC_GW_UPLOAD_DAYS - 1);
    CHECK(tidied(&r) == 1);
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    days_ago(&r, 2);
    CHECK(tidied(&r) == 1);
    days_ago(&r, QC_GW_UPLOAD_DAYS - 3);
    (void)resume(&r, &p, 1);
    days_ago(&r, 2);
    CHECK(tidied(&r) == 1);
    days_ago(&r, QC_GW_UPLOAD_DAYS);
    CHECK(tidied(&r) == 0);
    CHECK_OK(gw_upload_get(r.e, OWN(p.key), &state, &a, &err));
    CHECK(state == GW_UPLOAD_CANCELLED);
    erig_done(&r);
}

#ifdef QC_FAULT_POINTS
struct under_way {
    struct erig *r;
    const struct erig_put *p;
    bool seen; /* it came by a request that the engine was told of */
    qc_rc rc;
};

static void *send(void *arg)
{
    struct under_way *u = arg;
    struct gw_arrival arrival = { 0 };
    struct qc_err err = { 0 };

    if (u->seen)
        gw_arrival_begin(u->r->e, &arrival, OWN(u->p->key));
    gw_arrival_moves(&arrival, true);
    u->rc = erig_segment(u->r, u->p, 1, &err);
    gw_arrival_end(&arrival);
    gw_arrival_end(&arrival);
    return NULL;
}

/* Its fragments are there, its row is not, when the upload goes on elsewhere. One whose request is known is
 * waited for, and counts; one that another gateway writes is not, and must not any more. */
static void late_segment(bool seen)
{
    const struct erig_put p = erig_prepare(4, "\1alpha", 1, 3, 1000);
    struct erig r;
    struct under_way u = { .r = &r, .p = &p, .seen = seen };
    struct qc_err err = { 0 };
    struct gw_receipt a;
    pthread_t thread;

    erig_new(&r, 3, 2, 3);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    qc_fault_script("put_frag_done:pause_ms:300");
    CHECK(pthread_create(&thread, NULL, send, &u) == 0);
    while (qc_fault_passes(QC_FP_put_frag_done) == 0)
        CHECK(usleep(1000) == 0);
    CHECK(resume(&r, &p, 2).segments == (seen ? 2 : 1));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(u.rc == (seen ? QC_OK : QC_CONFLICT));
    qc_fault_script(NULL);
    r.run = 1;
    if (!seen)
        CHECK_OK(erig_segment(&r, &p, 1, &err));
    CHECK_OK(erig_segment(&r, &p, 2, &err));
    CHECK_OK(erig_commit(&r, &p, &a, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK(tidied(&r) == 0);
    erig_done(&r);
}
#endif

int main(void)
{
    goes_on();
    not_awaited();
    given_up();
#ifdef QC_FAULT_POINTS
    late_segment(false);
    late_segment(true);
#endif
    return 0;
}
