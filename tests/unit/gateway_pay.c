/* unit/gateway_pay: what a cloud is owed is paid by the workers, from what others have, and by what it has
 * after all; one that cannot take it rests, and stops nobody else; a cloud that hangs makes users wait once.
 * (I1, ADR 14) */
#include "gw_repair_rig.h"

enum { OBJECTS = 5, LIMIT_MS = 60000 };

struct bench {
    struct erig r;
    struct erig_put puts[OBJECTS];
    char paths[OBJECTS][16];
    char file[400]; /* faults */
};

static void faults(struct bench *b, const char *rules)
{
    char tmp[420];

    CHECK(snprintf(tmp, sizeof tmp, "%s.new", b->file) > 0);
    FILE *f = fopen(tmp, "w");
    CHECK(f != NULL && fputs(rules, f) >= 0 && fclose(f) == 0 && rename(tmp, b->file) == 0);
}

static struct gw_receipt put(struct bench *b, unsigned i, int margin)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt, again;
    enum gw_upload_state state;

    CHECK(snprintf(b->paths[i], sizeof b->paths[i], "\1p%u", i) > 0);
    b->puts[i] = erig_prepare(100 + i, b->paths[i], 1, 2, 700);
    CHECK_OK(erig_put(&b->r, &b->puts[i], &receipt, &err));
    CHECK(receipt.acked_margin == margin);
    CHECK_OK(gw_upload_get(b->r.e, OWN(b->puts[i].key), &state, &again, &err));
    CHECK(again.following_count == receipt.following_count && again.degraded_count == receipt.degraded_count);
    return receipt;
}

/* The first object has all its fragments; then these faults begin. */
static void start(struct bench *b, const char *rules)
{
    char env[420];

    *b = (struct bench){ 0 };
    erig_new(&b->r, 5, 3, 5);
    (void)put(b, 0, 2);
    gw_engine_close(&b->r.e);
    CHECK(snprintf(b->file, sizeof b->file, "%s/faults", b->r.dir.path) > 0);
    CHECK(snprintf(env, sizeof env, "@%s", b->file) > 0);
    faults(b, rules);
    CHECK(setenv("QC_CLOUD_FAULTS", env, 1) == 0);
    erig_open(&b->r);
}

static void end(struct bench *b)
{
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    erig_done(&b->r);
}

static void work(struct bench *b)
{
    struct qc_err err = { 0 };
    CHECK_OK(gw_engine_work(b->r.e, &err));
}

static const struct gw_cloud_status *look(struct bench *b, struct gw_status *s, unsigned at)
{
    struct qc_err err = { 0 };
    CHECK_OK(gw_engine_status(b->r.e, s, &err));
    return &s->clouds[at];
}

/* Until so many are owed in all. */
static void await_debts(struct bench *b, uint64_t fragments, uint64_t records)
{
    const qc_deadline d = qc_deadline_in(LIMIT_MS);
    struct gw_status s;

    for (;;) {
        (void)look(b, &s, 0);
        if (s.debts == fragments && s.record_debts == records)
            return;
        CHECK(!qc_deadline_over(d));
        (void)usleep(20000);
    }
}

static void whole(struct bench *b, unsigned count)
{
    rrig_whole(&b->r, b->puts, count);
    for (unsigned i = 0; i < b->r.clouds; i++)
        CHECK(rrig_files(&b->r, i, "/f/") == 2 * count);
}

/* A cloud is away; it is back while the gateway runs, and while it does not. */
static void away(void)
{
    struct bench b;
    struct gw_status s;

    start(&b, "");
    erig_lose(&b.r, 4);
    (void)put(&b, 1, 1);
    (void)put(&b, 2, 1);
    const struct gw_cloud_status *c = look(&b, &s, 4);
    CHECK(!s.paying && s.debts == 4 && c->owed == 4 && c->records_owed == 2 && c->owed_since_s > 0);
    CHECK(s.observed_s >= c->owed_since_s && c->paying.paid == 0 && c->paying.tried_s == 0);
    work(&b);
    do
        c = look(&b, &s, 4);
    while (c->paying.tried_s == 0);
    CHECK(s.paying && c->paying.why[0] != '\0' && c->owed == 4 && !gw_payers_busy(b.r.e));
    erig_find(&b.r, 4);
    await_debts(&b, 0, 0);
    c = look(&b, &s, 4);
    CHECK(c->paying.paid == 6 && c->owed_since_s == 0);
    whole(&b, 3);

    erig_lose(&b.r, 4);
    (void)put(&b, 3, 1);
    gw_engine_close(&b.r.e); /* with workers that rest */
    erig_find(&b.r, 4);
    erig_open(&b.r);
    work(&b);
    await_debts(&b, 0, 0);
    whole(&b, 4);
    end(&b);
}

/* The put's outcome was not known, and it had landed: it counts, and nothing is written again. */
static void landed(void)
{
    struct bench b;
    struct stat before[2], after;
    char path[600];

    start(&b, "c5=put:after:temporary");
    (void)put(&b, 1, 1);
    for (unsigned seq = 0; seq < 2; seq++)
        for (unsigned frag = 0, cloud = 0; frag < 5; frag++) {
            rrig_fragment(&b.r, &b.puts[1], seq, frag, &cloud, path);
            CHECK(cloud != 4 || stat(path, &before[seq]) == 0);
        }
    faults(&b, "");
    work(&b);
    await_debts(&b, 0, 0);
    for (unsigned seq = 0; seq < 2; seq++)
        for (unsigned frag = 0, cloud = 0; frag < 5; frag++) {
            rrig_fragment(&b.r, &b.puts[1], seq, frag, &cloud, path);
            CHECK(cloud != 4 || (stat(path, &after) == 0 && after.st_ino == before[seq].st_ino &&
                                 after.st_mtim.tv_nsec == before[seq].st_mtim.tv_nsec));
        }
    whole(&b, 2);
    end(&b);
}

/* A cloud that is full says so in the status, and rests ever longer; another one is paid meanwhile. */
static void full(void)
{
    struct bench b;
    struct gw_status s;
    const struct gw_cloud_status *c;
    uint64_t next = 0;

    start(&b, "c2=put:fail:temporary");
    (void)put(&b, 1, 1);
    faults(&b, "c5=put:fail:full");
    (void)put(&b, 2, 1);
    work(&b);
    do {
        c = look(&b, &s, 4);
        next = c->paying.next_ms > next ? c->paying.next_ms : next;
    } while (next <= QC_GW_DEBT_REST_MS);
    CHECK(c->owed == 2 && c->view.state == GW_CLOUD_OK && c->paying.why[0] != '\0');
    while (look(&b, &s, 1)->owed != 0)
        (void)usleep(20000);
    faults(&b, "");
    await_debts(&b, 0, 0);
    whole(&b, 3);
    end(&b);
}

/* Bytes that rot on their way are not paid with: read back, refused, and put again under another key. */
static void rotten(void)
{
    struct bench b;
    struct gw_status s;

    start(&b, "c5=put:fail:temporary");
    (void)put(&b, 1, 1);
    faults(&b, "c5=put:flip");
    work(&b);
    while (look(&b, &s, 4)->paying.tried_s == 0)
        (void)usleep(20000);
    (void)usleep(300000);
    CHECK(look(&b, &s, 4)->owed == 2);
    rrig_honest(&b.r, &b.puts[1]);
    faults(&b, "");
    await_debts(&b, 0, 0);
    for (unsigned i = 0; i < 8; i++) { /* the keys that rotted are swept */
        struct qc_err err = { 0 };
        bool more;
        CHECK_OK(gw_engine_tidy(b.r.e, &more, &err));
    }
    whole(&b, 2);
    end(&b);
}

/* What cannot be rebuilt now is passed over; it is paid when another cloud is back. */
static void stuck(void)
{
    struct bench b;
    struct gw_status s;
    char path[600], kept[2][700];
    unsigned cloud, moved = 0;

    start(&b, "c5=put:fail:temporary");
    (void)put(&b, 1, 1);
    (void)put(&b, 2, 1);
    /* Two more of the first segment are gone for now: two of three. */
    for (unsigned frag = 0; frag < 5 && moved < 2; frag++) {
        rrig_fragment(&b.r, &b.puts[1], 0, frag, &cloud, path);
        if (cloud == 4)
            continue;
        CHECK(snprintf(kept[moved], sizeof kept[moved], "%s/kept%u", b.r.dir.path, moved) > 0);
        CHECK(rename(path, kept[moved]) == 0);
        moved++;
    }
    faults(&b, "");
    work(&b);
    await_debts(&b, 1, 0);
    const struct gw_cloud_status *c;
    do
        c = look(&b, &s, 4);
    while (c->paying.why[0] == '\0');
    CHECK(c->view.state == GW_CLOUD_OK && c->owed == 1 && !gw_payers_busy(b.r.e));
    moved = 0;
    for (unsigned frag = 0; frag < 5 && moved < 2; frag++) {
        rrig_fragment(&b.r, &b.puts[1], 0, frag, &cloud, path);
        if (cloud != 4)
            CHECK(rename(kept[moved++], path) == 0);
    }
    await_debts(&b, 0, 0);
    end(&b);
}

/* A cloud hangs: one put waits for it. Those after it do not, nor does the end, with a worker in its hands.
 */
static void hangs(void)
{
    struct bench b;
    struct gw_status s;

    start(&b, "");
    b.r.e->segment_ms = 2000;
    faults(&b, "c5=any:hang:6000");
    (void)put(&b, 1, 1);
    const uint64_t before = qc_now_ms();
    (void)put(&b, 2, 1);
    (void)put(&b, 3, 1);
    CHECK(qc_now_ms() - before < 2 * 6000);
    work(&b);
    const struct gw_cloud_status *c;
    do
        c = look(&b, &s, 4);
    while (c->paying.tried_s == 0);
    CHECK(c->view.breaker != GW_BREAKER_CLOSED && c->owed == 6);
    faults(&b, "");
    await_debts(&b, 0, 0);
    whole(&b, 4);
    faults(&b, "c5=put:hang:2000,get:hang:2000,head:hang:2000");
    (void)put(&b, 4, 1);
    gw_engine_close(&b.r.e);
    end(&b);
}

/* A cloud lets nothing land, and is tried pass after pass: a trial of the pass before goes on under its key,
 * for it may have landed since, and there are 255. */
static void same_trial(void)
{
    struct gw_repair_report report;
    struct gw_frag_key key;
    struct qc_err err = { 0 };
    struct bench b;
    bool found = false;

    start(&b, "c5=put:fail:timeout");
    (void)put(&b, 1, 1);
    for (unsigned pass = 0; pass < 4; pass++)
        CHECK(rrig_repair(&b.r, false, &report) == QC_DEGRADED);
    {
        QC_LOCK(gw_cat_lock(b.r.e->cat));
        for (uint64_t id = 0; id < 100 && !found; id++)
            for (unsigned i = 0; i < 5 && !found; i++)
                CHECK_OK(gw_cat_trial(b.r.e->cat, id, i, &key, &found, &err));
    }
    CHECK(found && key.attempt == 1);
    faults(&b, "");
    CHECK(rrig_repair(&b.r, false, &report) == QC_OK);
    whole(&b, 2);
    end(&b);
}

/* A slow cloud: who does not want to wait for it does not, is told so, and all of it comes to be. One that
 * fails is no slow one. */
static void hasty(void)
{
    struct bench b;
    struct gw_status s;
    struct gw_receipt r;

    start(&b, "c5=put:delay:2000");
    b.r.hasty = true;
    for (unsigned i = 1; i <= 3; i++) { /* after the first its workers are all at work: it is not even sent */
        r = put(&b, i, 1);
        CHECK(r.following_count == 1 && r.following[0] == 5 && r.degraded_count == 0 && r.durable_min == 4);
    }
    CHECK(look(&b, &s, 4)->owed == 6 && s.debts == 6);
    faults(&b, "c5=put:fail:temporary");
    r = put(&b, 4, 1);
    CHECK(r.following_count == 0 && r.degraded_count == 1 && r.degraded[0] == 5);
    faults(&b, "");
    work(&b);
    await_debts(&b, 0, 0);
    whole(&b, 5);
    end(&b);

    start(&b, "c4=put:delay:300;c5=put:delay:1200"); /* the quorum needs one of them */
    b.r.hasty = true;
    r = put(&b, 1, 1);
    CHECK(r.following_count == 2 && r.following[0] == 4 && r.following[1] == 5); /* 4: of the record alone */
    CHECK(r.durable_min == 4 && look(&b, &s, 3)->owed == 0 && s.clouds[4].owed == 2);
    b.r.hasty = false;
    r = put(&b, 2, 2);
    CHECK(r.following_count == 0 && r.degraded_count == 0);
    end(&b);
}

/* -- news ------------------------------------------------------------------------------------------------ */

static uint64_t stands_still(void *ctx)
{
    (void)ctx;
    return 1;
}

static uint32_t no_chance(void *ctx)
{
    (void)ctx;
    return 0;
}

/* Nobody is working, and nobody will without news: for each the next look lies ahead. */
static bool all_rest(struct gw_engine *e)
{
    QC_LOCK(&e->payers.lock);
    for (unsigned at = 0; at < e->payers.turns.count; at++)
        if (e->payers.turns.v[at].working || e->payers.turns.v[at].due_ms <= gw_env_now(e->env))
            return false;
    return true;
}

static void await_rest(struct gw_engine *e)
{
    const qc_deadline d = qc_deadline_in(LIMIT_MS);

    while (!all_rest(e)) {
        CHECK(!qc_deadline_over(d));
        (void)usleep(1000);
    }
}

/* Time stands still, so that nobody's next look ever comes: what a scrub finds, and what a read does, is
 * mended because the payers hear of it. */
static void told(void)
{
    static const struct gw_env still = { .now_ms = stands_still, .chance = no_chance };
    static const struct gw_scrub_conf asked_for = { 0 };
    struct qc_err err = { 0 };
    struct gw_status s;
    struct bench b;
    char path[600];
    unsigned cloud;
    bool more;

    start(&b, "");
    (void)put(&b, 1, 2);
    b.r.e->env = &still;
    gw_engine_scrub_conf(b.r.e, &asked_for);
    work(&b);
    await_rest(b.r.e);
    for (unsigned i = 0; i < 2; i++) {
        rrig_fragment(&b.r, &b.puts[i], 1, 2, &cloud, path);
        CHECK(unlink(path) == 0);
    }
    CHECK_OK(gw_engine_scrub(b.r.e, false, NULL, &err));
    const qc_deadline d = qc_deadline_in(LIMIT_MS);
    for (unsigned i = 0; i < 2; i++)
        while (rrig_true_margin(&b.r, &b.puts[i]) != 2) {
            CHECK(!qc_deadline_over(d));
            (void)usleep(20000);
        }
    await_debts(&b, 0, 0);
    await_rest(b.r.e);

    for (unsigned frag = 1; frag < 3; frag++) { /* a read of three meets one of them, sooner or later */
        rrig_fragment(&b.r, &b.puts[1], 0, frag, &cloud, path);
        rrig_flip(path, 300);
    }
    while (rrig_true_margin(&b.r, &b.puts[1]) != 2) {
        CHECK_OK(erig_check(&b.r, &b.puts[1], &err));
        CHECK_OK(gw_engine_tidy(b.r.e, &more, &err));
        CHECK(!qc_deadline_over(d));
        (void)usleep(20000);
    }
    await_debts(&b, 0, 0);
    do /* the keys under which something else lay are dead */
        CHECK_OK(gw_engine_tidy(b.r.e, &more, &err));
    while (look(&b, &s, 0) != NULL && s.dead_segments > 0 && !qc_deadline_over(d));
    whole(&b, 2);
    end(&b);
}

int main(void)
{
    told();
    hasty();
    same_trial();
    away();
    landed();
    full();
    rotten();
    stuck();
    hangs();
    return 0;
}
