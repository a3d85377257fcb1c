/* unit/gateway_fan: clouds that hang, lag, lie, are away or are somebody else's; nobody waits for them. */
#include "gw_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PATIENT_MS = 60000 };

static uint8_t bytes[QC_GW_SEGMENT_MAX];

static struct gw_range whole(const struct gw_segment *s)
{
    return (struct gw_range){ 0, s->size };
}

static struct rig faulty_rig(struct qc_rand rand)
{
    struct rig r = rig_new(rand, 5, 3, 5);
    char env[310];

    CHECK(snprintf(env, sizeof env, "@%s/faults", r.dir.path) > 0);
    rig_faults(&r, "");
    CHECK(setenv("QC_CLOUD_FAULTS", env, 1) == 0);
    rig_close(&r);
    rig_open(&r);
    CHECK(rig_probe(&r) == 0x1f);
    return r;
}

static void faulty_done(struct rig *r)
{
    rig_done(r);
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
}

/* -- batches
 * ---------------------------------------------------------------------------------------------------- */

/* A job that hangs until the test lets it go. */
struct hang {
    atomic_bool go, running;
    atomic_uint released;
};

static qc_rc job_hang(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct hang *h = ctx;

    (void)c;
    (void)op;
    (void)err;
    atomic_store(&h->running, true);
    while (!atomic_load(&h->go))
        (void)usleep(1000);
    return QC_OK;
}

static qc_rc job_nothing(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    (void)ctx;
    (void)c;
    return qc_go_on(op->deadline, op->cancel, "nothing", err);
}

static void released(void *owner)
{
    struct hang *h = owner;

    atomic_fetch_add(&h->released, 1);
}

static void await(atomic_bool *flag)
{
    const qc_deadline d = qc_deadline_in(PATIENT_MS);

    while (!atomic_load(flag)) {
        CHECK(!qc_deadline_over(d));
        (void)usleep(100);
    }
}

static void await_count(atomic_uint *count, unsigned want)
{
    const qc_deadline d = qc_deadline_in(PATIENT_MS);

    while (atomic_load(count) != want) {
        CHECK(!qc_deadline_over(d));
        (void)usleep(100);
    }
}

/* An abandoned job holds its worker and its owner's memory, and nothing else; with all workers of a lane held
 * the lane refuses, the other one goes on. */
static void abandoned_jobs(struct rig *r)
{
    struct hang h[QC_GW_CLOUD_WORKERS] = { { 0 } };
    struct gw_batch *b = NULL;
    struct gw_outcome o;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < QC_GW_CLOUD_WORKERS; i++) {
        const struct gw_job job = {
            .at = 0, .lane = GW_LANE_DATA, .force = true, .run = job_hang, .ctx = &h[i]
        };
        CHECK_OK(gw_batch_new(&b, r->fan, 1, &h[i], released, &err));
        CHECK(gw_batch_start(b, 0, &job, qc_deadline_in(PATIENT_MS))); /* it opens a handle first */
        await(&h[i].running);
        CHECK(gw_batch_next(b, qc_deadline_in(10)) == -1 && gw_batch_pending(b) == 1);
        gw_batch_abandon(b, true);
        CHECK(gw_batch_pending(b) == 0 && gw_batch_next(b, QC_NO_DEADLINE) == -1);
        gw_batch_outcome(b, 0, &o);
        CHECK(o.fate == GW_LATE && o.rc == QC_TIMEOUT);
        gw_batch_free(&b);
        CHECK(atomic_load(&h[i].released) == 0 && rig_view(r, 0).suspect);
    }
    struct hang probe = { 0 };
    const struct gw_job forced = { .at = 0, .lane = GW_LANE_DATA, .force = true, .run = job_nothing };
    const struct gw_job plain = { .at = 0, .lane = GW_LANE_CONTROL, .run = job_nothing };
    const struct gw_job control = { .at = 0, .lane = GW_LANE_CONTROL, .force = true, .run = job_nothing };
    const struct gw_job patient = {
        .at = 0, .lane = GW_LANE_DATA, .force = true, .patient = true, .run = job_nothing
    };
    CHECK_OK(gw_batch_new(&b, r->fan, 6, &probe, released, &err));
    CHECK(!gw_batch_start(b, 0, &forced, qc_deadline_in(PATIENT_MS)));  /* nobody there to run it */
    CHECK(!gw_batch_start(b, 1, &plain, qc_deadline_in(PATIENT_MS)));   /* breaker */
    CHECK(!gw_batch_start(b, 3, &patient, qc_deadline_in(PATIENT_MS))); /* nor a sign of life */
    CHECK(gw_batch_start(b, 2, &control, qc_deadline_in(PATIENT_MS)));
    CHECK(gw_batch_next(b, QC_NO_DEADLINE) == 2);
    gw_batch_outcome(b, 0, &o);
    CHECK(o.fate == GW_SKIPPED && o.rc == QC_TEMP && o.why[0] != '\0');
    gw_fan_set_state(r->fan, 0, GW_CLOUD_OK, NULL); /* it has answered */
    CHECK(!gw_batch_start(b, 4, &forced, qc_deadline_in(PATIENT_MS)));
    CHECK(gw_batch_start(b, 5, &patient, qc_deadline_in(PATIENT_MS)));
    CHECK(gw_batch_next(b, qc_deadline_in(10)) == -1 && gw_batch_pending(b) == 1);
    for (unsigned i = 0; i < QC_GW_CLOUD_WORKERS; i++) {
        atomic_store(&h[i].go, true);
        await_count(&h[i].released, 1);
    }
    CHECK(gw_batch_next(b, qc_deadline_in(PATIENT_MS)) == 5);
    gw_batch_outcome(b, 5, &o);
    CHECK(o.fate == GW_DONE);
    gw_batch_free(&b);
    CHECK(atomic_load(&probe.released) == 1);
}

/* What waits in a queue when it is abandoned never runs. */
static void queued_jobs(struct rig *r)
{
    struct hang h = { 0 }, waits = { 0 };
    struct gw_batch *b = NULL, *q = NULL;
    struct gw_outcome o;
    struct qc_err err = { 0 };

    CHECK_OK(gw_batch_new(&b, r->fan, QC_GW_CLOUD_WORKERS, &h, released, &err));
    for (unsigned i = 0; i < QC_GW_CLOUD_WORKERS; i++) {
        const struct gw_job job = { .at = 1, .lane = GW_LANE_DATA, .run = job_hang, .ctx = &h };
        CHECK(gw_batch_start(b, i, &job, QC_NO_DEADLINE));
    }
    await(&h.running);
    const struct gw_job job = { .at = 1, .lane = GW_LANE_DATA, .run = job_hang, .ctx = &waits };
    CHECK_OK(gw_batch_new(&q, r->fan, 1, &waits, released, &err));
    CHECK(gw_batch_start(q, 0, &job, QC_NO_DEADLINE));
    gw_batch_abandon_slot(q, 0, false);
    gw_batch_outcome(q, 0, &o);
    CHECK(o.fate == GW_LATE);
    gw_batch_free(&q);
    CHECK(atomic_load(&waits.released) == 1 && !atomic_load(&waits.running));
    CHECK(!rig_view(r, 1).suspect);
    atomic_store(&h.go, true);
    for (unsigned i = 0; i < QC_GW_CLOUD_WORKERS; i++)
        CHECK(gw_batch_next(b, QC_NO_DEADLINE) >= 0);
    gw_batch_free(&b);
    await_count(&h.released, 1);
}

/* The end of the program: a worker that hangs is left behind, with all that it uses. In a child, whose end is
 * the end of what was left. */
static void left_behind(struct qc_rand rand)
{
    fflush(NULL);
    const pid_t pid = fork();
    int status = 0;

    CHECK(pid >= 0);
    if (pid == 0) {
        struct rig r = rig_new(rand, 3, 2, 3);
        struct hang h = { 0 };
        struct gw_batch *b = NULL;
        struct qc_err err = { 0 };
        const struct gw_job job = { .at = 0, .lane = GW_LANE_DATA, .run = job_hang, .ctx = &h };
        CHECK_OK(gw_batch_new(&b, r.fan, 1, &h, released, &err));
        CHECK(gw_batch_start(b, 0, &job, QC_NO_DEADLINE));
        await(&h.running);
        gw_batch_free(&b);
        CHECK(!gw_fan_free(&r.fan, 50) && r.fan == NULL && atomic_load(&h.released) == 0);
        gw_store_free(&r.store);
        qc_tmpdir_remove(&r.dir);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void full_queue(struct rig *r)
{
    struct hang h = { 0 };
    struct gw_batch *b = NULL;
    struct qc_err err = { 0 };
    const struct gw_job job = { .at = 2, .lane = GW_LANE_DATA, .run = job_hang, .ctx = &h };
    unsigned started = 0;

    CHECK_OK(gw_batch_new(&b, r->fan, QC_GW_BATCH_MAX, &h, released, &err));
    for (unsigned i = 0; i < QC_GW_BATCH_MAX; i++)
        started += gw_batch_start(b, i, &job, QC_NO_DEADLINE);
    CHECK(started >= QC_GW_CLOUD_QUEUE && started <= QC_GW_CLOUD_QUEUE + QC_GW_CLOUD_WORKERS);
    atomic_store(&h.go, true);
    gw_batch_free(&b);
    await_count(&h.released, 1);
}

/* -- whole objects
 * ---------------------------------------------------------------------------------------------- */

static qc_rc count_keys(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    unsigned *count = ctx;
    char want[32];

    (void)err;
    CHECK(snprintf(want, sizeof want, "t/%06u", *count) > 0);
    CHECK(strcmp(item->key, want) == 0 && item->size == 3);
    ++*count;
    return QC_OK;
}

static void objects(struct rig *r)
{
    const char *keys[5] = { "a/one", "a/two", "a/three", "a/four", "a/five" };
    struct gw_ask ask = { .set = 0x1d, .keys = keys, .rule = { .deadline = qc_deadline_in(PATIENT_MS) } };
    qc_buf got[5] = { { 0 } };
    uint64_t sizes[5] = { 0, 99, 0, 0, 0 }, room[5] = { 0 };
    struct gw_answer a;
    struct qc_err err = { 0 };

    CHECK_OK(gw_fan_put(r->fan, &ask, QC_LIT("hello"), CLOUD_NEW, &a, &err));
    CHECK(a.done == 0x1d && a.outcome[0].fate == GW_DONE && a.outcome[1].fate == GW_PENDING);
    ask.set = 0x1f;
    CHECK_OK(gw_fan_head(r->fan, &ask, sizes, &a, &err));
    CHECK(a.done == 0x1d && sizes[0] == 5 && sizes[1] == 99 && a.outcome[1].rc == QC_NOTFOUND);
    CHECK_OK(gw_fan_get(r->fan, &ask, 100, got, &a, &err));
    CHECK(a.done == 0x1d && qc_span_eq(qc_buf_span(&got[4]), QC_LIT("hello")) && got[1].n == 0);
    for (unsigned i = 0; i < 5; i++)
        qc_buf_free(&got[i]);
    CHECK_OK(gw_fan_get(r->fan, &ask, 4, got, &a, &err));
    CHECK(a.done == 0 && a.outcome[0].rc == QC_LIMIT);
    CHECK_OK(gw_fan_put(r->fan, &ask, QC_LIT("other"), CLOUD_NEW, &a, &err));
    CHECK(a.done == 0x02 && a.outcome[0].rc == QC_CONFLICT && a.outcome[0].fate == GW_FAILED);
    CHECK_OK(gw_fan_delete(r->fan, &ask, &a, &err));
    CHECK(a.done == 0x1f);
    CHECK_OK(gw_fan_head(r->fan, &ask, NULL, &a, &err));
    CHECK(a.done == 0);
    CHECK_OK(gw_fan_space(r->fan, &ask, room, &a, &err));
    CHECK(a.done == 0x1f && room[3] > 0);
}

static void listing(struct rig *r)
{
    struct qc_err err = { 0 };
    unsigned count = 0;
    char path[400];

    rig_path(r, 3, "t", path, sizeof path);
    CHECK(mkdir(path, 0700) == 0);
    for (unsigned i = 0; i < 4500; i++) { /* more than two pages */
        char key[32];
        CHECK(snprintf(key, sizeof key, "t/%06u", i) > 0);
        rig_path(r, 3, key, path, sizeof path);
        FILE *f = fopen(path, "w");
        CHECK(f != NULL && fputs("abc", f) >= 0 && fclose(f) == 0);
    }
    CHECK_OK(gw_fan_list(r->fan, 3, "t/", PATIENT_MS, count_keys, &count, &err));
    CHECK(count == 4500);
    count = 0;
    CHECK_OK(gw_fan_list(r->fan, 2, "t/", PATIENT_MS, count_keys, &count, &err));
    CHECK(count == 0);
}

/* Enough is enough after the grace: the others are late, and nobody is blamed. */
static void quorum_rule(struct rig *r)
{
    const char *keys[5] = { "q/1", "q/1", "q/1", "q/1", "q/1" };
    const struct gw_ask ask = { .set = 0x1f,
                                .keys = keys,
                                .rule = {
                                    .deadline = qc_deadline_in(PATIENT_MS), .enough = 3, .grace_ms = 50 } };
    struct gw_answer a;
    struct qc_err err = { 0 };

    rig_faults(r, "c2=put:delay:30000;c5=put:delay:30000");
    const uint64_t t0 = qc_now_ms();
    CHECK_OK(gw_fan_put(r->fan, &ask, QC_LIT("x"), CLOUD_REPLACE, &a, &err));
    CHECK(a.done == 0x0d && a.outcome[1].fate == GW_LATE && a.outcome[4].fate == GW_LATE);
    CHECK(qc_now_ms() - t0 < 20000 && !rig_view(r, 1).suspect);
    rig_faults(r, "");
}

/* -- segments over bad clouds
 * ----------------------------------------------------------------------------------- */

/* Two clouds hang in a system call: the put settles at its deadline, and those after it do not wait at all.
 * Every unit comes back when the clouds do. */
static void hung_clouds(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 3000000), t = rig_segment(r, 10000);
    struct gw_faults f;

    rig_faults(r, "c1=put:hang:3000;c4=put:hang:3000");
    uint64_t t0 = qc_now_ms();
    struct gw_written w = rig_write(r, &s, bytes, 500);
    CHECK(qc_now_ms() - t0 < 2500 && w.durable == 3);
    for (unsigned i = 0; i < 5; i++) {
        const bool hangs = w.cloud_id[i] == 1 || w.cloud_id[i] == 4;
        CHECK(w.outcome[i].fate == (hangs ? GW_LATE : GW_DONE));
        CHECK((w.durable_set >> i & 1) == !hangs);
    }
    CHECK(rig_view(r, 0).suspect && rig_view(r, 3).suspect && gw_store_spare(r->store) == QC_GW_UNITS - 1);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
    t0 = qc_now_ms();
    w = rig_write(r, &t, bytes, 30000);
    CHECK(w.durable == 3 && qc_now_ms() - t0 < 2000);
    CHECK(rig_read(r, &t, whole(&t), bytes, PATIENT_MS, &f) == QC_OK);
    /* Still hanging when their time of grace is over: they get a short trial, and no more. */
    (void)usleep((QC_GW_PROBE_AGAIN_MS + 50) * 1000);
    struct gw_segment trial = rig_segment(r, 10000);
    t0 = qc_now_ms();
    w = rig_write(r, &trial, bytes, 30000);
    CHECK(w.durable == 3 && qc_now_ms() - t0 < QC_GW_TRIAL_MS + 1500);
    rig_faults(r, "");
    /* Well again: asked when the second rest, twice as long, is over. */
    (void)usleep((2 * QC_GW_PROBE_AGAIN_MS + 50) * 1000);
    CHECK(rig_view(r, 0).suspect && rig_view(r, 3).suspect);
    struct gw_segment back = rig_segment(r, 10000);
    CHECK(rig_write(r, &back, bytes, PATIENT_MS).durable == 5);
    rig_calm(r);
    struct gw_segment fresh = rig_segment(r, 10000);
    w = rig_write(r, &fresh, bytes, PATIENT_MS);
    CHECK(w.durable == 5);
}

/* Clouds that lie: what they say never becomes data, and they are named. */
static void lying_clouds(struct rig *r)
{
    static const char *const lies[] = { "get:flip",    "get:truncate",       "get:missing",
                                        "get:fail:io", "get:fail:temporary", "get:fail:auth" };
    static const enum gw_fault_kind kinds[] = {
        GW_FAULT_DAMAGED, GW_FAULT_DAMAGED,     GW_FAULT_MISSING,
        GW_FAULT_DAMAGED, GW_FAULT_UNREACHABLE, GW_FAULT_UNREACHABLE
    };
    struct gw_segment s = rig_segment(r, 1500000);
    struct gw_faults f;

    CHECK(rig_write(r, &s, bytes, PATIENT_MS).durable == 5);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        for (unsigned a = 1; a <= 5; a++) {
            const unsigned b = a % 5 + 1;
            char rules[128];
            CHECK(snprintf(rules, sizeof rules, "c%u=%s;c%u=%s", a, lies[i], b, lies[i]) > 0);
            rig_faults(r, rules);
            const uint32_t from = (uint32_t)qc_rand_below(&r->rand, s.size);
            CHECK(rig_read(r, &s, (struct gw_range){ from, s.size }, bytes, PATIENT_MS, &f) == QC_OK);
            for (unsigned x = 0; x < f.count; x++)
                CHECK((f.v[x].cloud_id == a || f.v[x].cloud_id == b) && f.v[x].kind == kinds[i]);
            CHECK(f.count <= 2);
        }
        char rules[128];
        CHECK(snprintf(rules, sizeof rules, "c1=%s;c2=%s;c3=%s", lies[i], lies[i], lies[i]) > 0);
        rig_faults(r, rules);
        CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_QUORUM && f.count == 3);
        rig_faults(r, "");
        (void)rig_probe(r);
    }
}

/* Puts that fail, and one whose outcome nobody can know. */
static void failing_puts(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 50000);
    struct gw_faults f;

    rig_faults(r, "c1=put:fail:full;c2=put:after:temporary");
    struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == 3);
    for (unsigned i = 0; i < 5; i++) {
        if (w.cloud_id[i] == 1)
            CHECK(w.outcome[i].fate == GW_FAILED && w.outcome[i].rc == QC_FULL &&
                  w.outcome[i].why[0] != '\0');
        if (w.cloud_id[i] == 2)
            CHECK(w.outcome[i].fate == GW_FAILED && w.outcome[i].rc == QC_TEMP);
    }
    rig_faults(r, "");
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
}

/* -- lost and found (D8)
 * ---------------------------------------------------------------------------------------- */

static void move_cloud(const struct rig *r, unsigned i, bool away)
{
    char here[300], there[310];

    CHECK(snprintf(here, sizeof here, "%s/c%u", r->dir.path, i + 1) > 0);
    CHECK(snprintf(there, sizeof there, "%s.away", here) > 0);
    CHECK(rename(away ? here : there, away ? there : here) == 0);
}

/* A directory that is gone, and back again. */
static void absent_cloud(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 5000);
    struct gw_faults f;

    move_cloud(r, 1, true);
    const uint64_t t0 = qc_now_ms();
    struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == 4 && qc_now_ms() - t0 < 10000);
    CHECK(rig_probe(r) == 0x1d);
    CHECK(rig_view(r, 1).state == GW_CLOUD_LOST || rig_view(r, 1).state == GW_CLOUD_UNREACHABLE);
    CHECK(rig_view(r, 1).why[0] != '\0');
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
    move_cloud(r, 1, false);
    CHECK(rig_probe(r) == 0x1f && rig_view(r, 1).state == GW_CLOUD_OK && rig_view(r, 1).why[0] == '\0');
    struct gw_segment t = rig_segment(r, 5000);
    w = rig_write(r, &t, bytes, PATIENT_MS);
    CHECK(w.durable == 5);
}

static void shell(const char *command)
{
    CHECK(system(command) == 0); /* NOLINT(cert-env33-c): cp is the test's tool */
}

/* Another directory with the same contents stands in a cloud's place, as after unmounting and mounting: no
 * request notices, though all handles are dead. */
static void mounted_anew(struct rig *r)
{
    char cmd[1200];
    struct gw_segment s = rig_segment(r, 5000), t = rig_segment(r, 5000);
    struct gw_faults f;

    for (unsigned i = 1; i <= 5; i++) {
        CHECK(snprintf(cmd, sizeof cmd, "cd '%s' && cp -a c%u copy && mv c%u old%u && mv copy c%u",
                       r->dir.path, i, i, i, i) > 0);
        shell(cmd);
    }
    struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == 5);
    for (unsigned i = 1; i <= 5; i++) { /* and back to the ones from before, which lack the segment */
        CHECK(snprintf(cmd, sizeof cmd, "cd '%s' && mv c%u new%u && mv old%u c%u", r->dir.path, i, i, i, i) >
              0);
        shell(cmd);
    }
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_QUORUM && f.count == 5);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_QUORUM && f.count == 5);
    for (unsigned i = 0; i < 5; i++)
        CHECK(f.v[i].kind == GW_FAULT_MISSING); /* they answer, and do not have it */
    w = rig_write(r, &t, bytes, PATIENT_MS);
    CHECK(w.durable == 5);
    CHECK(rig_read(r, &t, whole(&t), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
}

/* Clouds that went and came between two requests: each finds them as they are, without a pause. A cloud that
 * is known to be away is told of with every read, though nobody asks it. */
static void comes_and_goes(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 5000);
    struct gw_faults f;
    struct qc_err err = { 0 };

    CHECK(rig_write(r, &s, bytes, PATIENT_MS).durable == 5);
    for (unsigned i = 0; i < 10; i++) {
        struct gw_segment t = rig_segment(r, 5000);
        move_cloud(r, i % 5, true);
        move_cloud(r, (i + 1) % 5, true);
        CHECK(rig_write(r, &t, bytes, PATIENT_MS).durable == 3);
        CHECK(rig_view(r, i % 5).state == GW_CLOUD_LOST && rig_view(r, (i + 1) % 5).state == GW_CLOUD_LOST);
        for (unsigned again = 0; again < 3; again++) {
            CHECK(rig_read(r, &t, whole(&t), bytes, PATIENT_MS, &f) == QC_OK);
            CHECK_OK(gw_segment_known(r->store, &t, &f, &err));
            CHECK(f.count == 2 && f.v[0].kind == GW_FAULT_LOST && f.v[1].kind == GW_FAULT_LOST);
            CHECK(f.v[0].cloud_id + f.v[1].cloud_id == i % 5 + (i + 1) % 5 + 2);
        }
        move_cloud(r, (i + 2) % 5, true);
        CHECK(rig_read(r, &t, whole(&t), bytes, PATIENT_MS, &f) == QC_QUORUM && f.count == 3);
        for (unsigned x = 0; x < 3; x++)
            move_cloud(r, (i + x) % 5, false);
        CHECK(rig_read(r, &t, whole(&t), bytes, PATIENT_MS, &f) == QC_OK);
        struct gw_segment u = rig_segment(r, 5000);
        CHECK(rig_write(r, &u, bytes, PATIENT_MS).durable == 5);
        CHECK(rig_view(r, i % 5).state == GW_CLOUD_OK && rig_view(r, (i + 2) % 5).state == GW_CLOUD_OK);
    }
}

/* A cloud whose identity is gone, damaged, older or another's answers and counts for nothing; it is found
 * again by itself once the object is back. */
static void wiped_cloud(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 5000);
    char path[400], aside[420], other[400];

    rig_path(r, 2, "i/cloud", path, sizeof path);
    rig_path(r, 3, "i/cloud", other, sizeof other);
    CHECK(snprintf(aside, sizeof aside, "%s/identity", r->dir.path) > 0);
    CHECK(rename(path, aside) == 0);
    CHECK(rig_probe(r) == 0x1b && rig_view(r, 2).state == GW_CLOUD_LOST);
    struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == 4);
    for (unsigned i = 0; i < 5; i++)
        CHECK(w.cloud_id[i] != 3 || (w.outcome[i].fate == GW_SKIPPED && w.outcome[i].rc == QC_TEMP));
    CHECK(link(other, path) == 0); /* cloud 4's own */
    CHECK(rig_probe(r) == 0x1b && rig_view(r, 2).state == GW_CLOUD_LOST);
    CHECK(unlink(path) == 0 && rename(aside, path) == 0);
    gw_fan_set_generation(r->fan, 2, 2);
    CHECK(rig_probe(r) == 0x1b && rig_view(r, 2).state == GW_CLOUD_LOST); /* generation 1 is old */
    gw_fan_set_generation(r->fan, 2, 1);
    struct gw_segment t = rig_segment(r, 5000);
    w = rig_write(r, &t, bytes, PATIENT_MS); /* asks again by itself */
    CHECK(w.durable == 5 && rig_view(r, 2).state == GW_CLOUD_OK);
}

/* A fragment that is not there, on a cloud that was emptied: the fault says "lost", not "missing". */
static void emptied_cloud(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 5000);
    struct gw_faults f;
    char path[512], identity[400], aside[420];

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    const unsigned at = rig_fragment(r, &s, 1, path, sizeof path);
    rig_path(r, at, "i/cloud", identity, sizeof identity);
    CHECK(snprintf(aside, sizeof aside, "%s/identity", r->dir.path) > 0);
    CHECK(unlink(path) == 0 && rename(identity, aside) == 0);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK);
    CHECK(f.count == 1 && f.v[0].kind == GW_FAULT_LOST && rig_view(r, at).state == GW_CLOUD_LOST);
    CHECK(rename(aside, identity) == 0 && rig_probe(r) == 0x1f);
}

/* -- many at once
 * ----------------------------------------------------------------------------------------------- */

struct writer {
    struct rig *rig;
    struct qc_rand rand;
    pthread_t thread;
};

static void *write_many(void *arg)
{
    struct writer *w = arg;
    struct rig mine = *w->rig; /* its own generator over the same store */
    uint8_t *p = malloc(4000000);

    CHECK(p != NULL);
    mine.rand = w->rand;
    for (unsigned i = 0; i < 12; i++) {
        struct gw_segment s = rig_segment(&mine, (uint32_t)qc_rand_between(&mine.rand, 1, 4000000));
        struct gw_faults f;
        const struct gw_written got = rig_write(&mine, &s, p, PATIENT_MS);
        CHECK(got.durable == 5);
        s.absent = (uint32_t)qc_rand_below(&mine.rand, 32);
        CHECK(rig_read(&mine, &s, whole(&s), p, PATIENT_MS, &f) == QC_OK);
    }
    free(p);
    return NULL;
}

static void many_at_once(struct rig *r)
{
    struct writer w[8];

    for (unsigned i = 0; i < 8; i++)
        w[i] = (struct writer){ .rig = r, .rand = { .state = qc_rand_u64(&r->rand) } };
    for (unsigned i = 0; i < 8; i++)
        CHECK(pthread_create(&w[i].thread, NULL, write_many, &w[i]) == 0);
    for (unsigned i = 0; i < 8; i++)
        CHECK(pthread_join(w[i].thread, NULL) == 0);
    CHECK(gw_store_spare(r->store) == QC_GW_UNITS);
}

int main(void)
{
    const struct qc_rand rand = qc_rand_start();

    rig_in_memory();
    left_behind(rand);
    struct rig r = rig_new(rand, 5, 3, 5);
    abandoned_jobs(&r);
    queued_jobs(&r);
    full_queue(&r);
    rig_close(&r);
    rig_open(&r);
    CHECK(rig_probe(&r) == 0x1f);
    objects(&r);
    listing(&r);
    absent_cloud(&r);
    mounted_anew(&r);
    comes_and_goes(&r);
    wiped_cloud(&r);
    emptied_cloud(&r);
    many_at_once(&r);
    rig_done(&r);
    r = faulty_rig(rand);
    quorum_rule(&r);
    hung_clouds(&r);
    lying_clouds(&r);
    failing_puts(&r);
    faulty_done(&r);
    CHECK(qc_alloc_live() == 0);
    return 0;
}
