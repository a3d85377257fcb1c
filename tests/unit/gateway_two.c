/* unit/gateway_two: two gateways on one catalogue in PostgreSQL. Both serve; one keeps the store; each goes
 * on where the other ends; one that was taken for dead can neither acknowledge nor spoil anything. Run by
 * postgres/two. */
#include <sys/wait.h>
#include <unistd.h>

#include "cat_internal.h"
#include "engine_internal.h"
#include "gateway/move.h"
#include "gw_engine_rig.h"
#include "gw_repair_rig.h"

enum { PUTS = 12 };

/* The same gateway's state on another machine: root key, ways, and where the catalogue is. */
static void join(struct erig *r, struct erig *other)
{
    char command[1000];

    *other = *r;
    other->e = NULL;
    erig_path(r, "state2", other->state, sizeof other->state);
    CHECK(snprintf(command, sizeof command, "cp -a '%s' '%s'", r->state, other->state) > 0 &&
          system(command) == 0);
    erig_open(other);
}

static struct erig_put put_of(unsigned who, unsigned i)
{
    static char paths[2][PUTS][8];
    char *path = paths[who][i];

    CHECK(snprintf(path, sizeof paths[who][i], "\1%c%u", 'a' + (int)who, i) > 0);
    return erig_prepare(100 * who + i + 1, path, 1, 1 + i % 3, 200 + i);
}

struct writer {
    struct erig *r;
    struct erig_put puts[PUTS];
    unsigned acked;
};

static void *write_some(void *arg)
{
    struct writer *w = arg;
    struct gw_receipt receipt;

    for (unsigned i = 0; i < PUTS; i++) {
        struct qc_err err = { 0 };
        qc_rc rc = erig_put(w->r, &w->puts[i], &receipt, &err);
        CHECK_OK(rc);
        w->acked++;
    }
    return NULL;
}

static void attend(struct erig *r)
{
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_attend(r->e, &err));
}

static void tidy(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = true;

    for (unsigned i = 0; i < 50 && more; i++)
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
}

/* Both write at once, from threads: every acknowledged version is there for both, once, and the chain is
 * whole. */
static void together(void)
{
    struct erig r, two;
    struct writer w[2] = { 0 };
    pthread_t threads[2];
    struct gw_head head;
    qc_buf seals = { .max = 65536 };
    struct qc_err err = { 0 };

    erig_new(&r, 3, 2, 3);
    join(&r, &two);
    CHECK(atomic_load(&r.e->keeps) && !atomic_load(&two.e->keeps));
    w[0].r = &r;
    w[1].r = &two;
    for (unsigned who = 0; who < 2; who++)
        for (unsigned i = 0; i < PUTS; i++)
            w[who].puts[i] = put_of(who, i);
    for (unsigned who = 0; who < 2; who++)
        CHECK(pthread_create(&threads[who], NULL, write_some, &w[who]) == 0);
    for (unsigned who = 0; who < 2; who++)
        CHECK(pthread_join(threads[who], NULL) == 0);
    for (unsigned who = 0; who < 2; who++)
        for (unsigned i = 0; i < PUTS; i++) {
            CHECK_OK(erig_check(&r, &w[who].puts[i], &err));
            CHECK_OK(erig_check(&two, &w[who].puts[i], &err));
        }
    CHECK_OK(gw_vault_chain(two.e, OWN(r.vault), 0, 1000, &head, &seals, &err));
    CHECK(head.count == 2 * PUTS && seals.n == 2 * PUTS * GW_DIGEST_BYTES);
    qc_buf_free(&seals);

    /* The one that does not keep the store repairs nothing; debts are paid by the other. */
    struct gw_repair_report report;
    CHECK_RC(gw_engine_repair(two.e, &(struct gw_repair_ask){ 0 }, &report, &err), QC_TEMP);
    CHECK_OK(gw_engine_repair(r.e, &(struct gw_repair_ask){ 0 }, &report, &err));
    CHECK(gw_repair_verdict(&report, &err) == QC_OK);

    /* It ends: the second one keeps the store. */
    gw_engine_close(&r.e);
    attend(&two);
    CHECK(atomic_load(&two.e->keeps));
    CHECK_OK(gw_engine_repair(two.e, &(struct gw_repair_ask){ 0 }, &report, &err));
    gw_engine_close(&two.e);
    erig_done(&r);
}

/* An upload that was begun at one goes on at the other, and no segment is written under an id twice (U2). */
static void changes_hands(void)
{
    struct erig r, two;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    const struct erig_put p = erig_prepare(7, "\1long", 1, 4, 300);

    erig_new(&r, 3, 2, 3);
    join(&r, &two);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_OK(erig_segment(&two, &p, 1, &err));
    CHECK_OK(erig_segment(&r, &p, 2, &err));
    CHECK_OK(erig_segment(&two, &p, 3, &err));
    CHECK_OK(erig_commit(&two, &p, &receipt, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    tidy(&r);
    CHECK_OK(erig_check(&two, &p, &err));
    gw_engine_close(&two.e);
    erig_done(&r);
}

/* Declared over while it works: what it acknowledged stands, what it does now fails, and others go on. */
static void taken_for_dead(void)
{
    struct erig r, two;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_health health;
    const struct erig_put a = erig_prepare(1, "\1a", 1, 2, 300), b = erig_prepare(2, "\1b", 1, 2, 300);
    char sql[120];

    erig_new(&r, 3, 2, 3);
    join(&r, &two);
    CHECK_OK(erig_put(&r, &a, &receipt, &err));
    CHECK_OK(erig_begin(&r, &b, &err));
    CHECK_OK(erig_segment(&r, &b, 0, &err));
    {
        QC_LOCK(gw_cat_lock(two.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        CHECK(snprintf(sql, sizeof sql, "UPDATE qc_session SET state=3 WHERE session=%d",
                       (int)gw_cat_session(r.e->cat)) > 0);
        CHECK_OK(gw_cat_begin(two.e->cat, &tx, &err));
        CHECK_OK(qc_db_exec(two.e->cat->db, sql, &err));
        CHECK_OK(gw_cat_commit(two.e->cat, &tx, &err));
    }
    CHECK_RC(erig_segment(&r, &b, 1, &err), QC_TEMP);
    gw_engine_health(r.e, &health);
    CHECK(health.over && health.broken && !health.fenced);
    CHECK_RC(erig_put(&r, &b, &receipt, &err), QC_TEMP);
    attend(&two);
    CHECK(atomic_load(&two.e->keeps));
    CHECK_OK(erig_check(&two, &a, &err));
    CHECK_OK(erig_segment(&two, &b, 1, &err));
    CHECK_OK(erig_commit(&two, &b, &receipt, &err));
    tidy(&two);
    CHECK_OK(erig_check(&two, &b, &err));
    gw_engine_close(&r.e);
    erig_open(&r); /* anew, behind the other */
    CHECK(!atomic_load(&r.e->keeps));
    CHECK_OK(erig_check(&r, &b, &err));
    gw_engine_close(&two.e);
    erig_done(&r);
}

/* -- clouds come and go ---------------------------------------------------------------------------------- */

static qc_rc move(struct erig *r, const struct gw_move_ask *ask, struct qc_err *err)
{
    struct gw_move_report report;

    *err = (struct qc_err){ 0 };
    return gw_engine_move(r->e, ask, &report, err);
}

static void put_one(struct erig *r, unsigned no, struct erig_put *ret)
{
    static char paths[64][8];
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK(no < 64 && snprintf(paths[no], sizeof paths[no], "\1m%u", no) > 0);
    *ret = erig_prepare(no, paths[no], 1, 2, 3000);
    CHECK_OK(erig_put(r, ret, &receipt, &err));
}

/* Its next change says why it is over; then it starts anew. */
static void ended(struct erig *r)
{
    const struct erig_put p = erig_prepare(63, "\1none", 1, 1, 300);
    struct gw_receipt receipt;
    struct gw_health health;
    struct qc_err err = { 0 };

    CHECK(erig_put(r, &p, &receipt, &err) == QC_TEMP && strstr(err.msg, "changed the clouds") != NULL);
    gw_engine_health(r->e, &health);
    CHECK(health.over && !health.fenced);
    gw_engine_close(&r->e);
    erig_open(r);
}

static uint64_t on_first(struct erig *r)
{
    struct gw_on_cloud n;
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));

    CHECK_OK(gw_cat_on_cloud_count(r->e->cat, 1, &n, &err));
    return n.fragments;
}

/* What keeps a step from its end changes nothing for the other: it is let go. */
static void cut_off(struct erig *r, struct erig *other, const struct gw_move_ask *ask, const char *script,
                    unsigned no, struct erig_put *ret)
{
    struct qc_err err;

    qc_fault_script(script);
    CHECK_RC(move(r, ask, &err), QC_IO);
    qc_fault_script(NULL);
    put_one(other, no, ret);
}

/* What one that holds has decided, the other does not publish by what it believes. */
static void held_records(struct erig *r, struct erig *other)
{
    const struct erig_put p = erig_prepare(61, "\1held", 1, 1, 300);
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    bool held;

    CHECK_OK(gw_engine_hold_others(r->e, &held, &err));
    qc_fault_script("put_decided:error:1");
    CHECK(erig_put(r, &p, &receipt, &err) != QC_OK);
    qc_fault_script(NULL);
    qc_err_clear(&err);
    CHECK_RC(gw_commit_roll(other->e, &err), QC_TEMP);
    gw_engine_let_others(r->e, &held);
    CHECK_OK(gw_commit_roll(other->e, &err));
    CHECK_OK(erig_check(r, &p, &err));
}

/* One lets clouds come and go, and changes the code; the other, with an upload under way, ends and comes back
 * each time, with what there is now; nothing is lost, or put where it does not count. */
static void clouds_come_and_go(void)
{
    struct gw_move_ask ask = { .kind = GW_MOVE_DRAIN, .name = "c1" };
    const struct erig_put open = erig_prepare(62, "\1open", 1, 3, 300);
    struct erig_put puts[12];
    struct gw_receipt receipt;
    struct erig r, two;
    struct qc_err err = { 0 };
    unsigned n = 0;
    bool held;

    erig_new(&r, 4, 2, 3);
    join(&r, &two);
    for (; n < 4; n++)
        put_one(n % 2 == 0 ? &r : &two, n + 1, &puts[n]);
    CHECK_OK(erig_begin(&two, &open, &err));
    CHECK_OK(erig_segment(&two, &open, 0, &err));
    CHECK(move(&two, &ask, &err) == QC_TEMP && strstr(err.msg, "ask there") != NULL);
    CHECK_OK(gw_engine_hold_others(r.e, &held, &err)); /* nothing is decided by others meanwhile */
    CHECK(held);
    qc_err_clear(&err);
    CHECK_RC(erig_put(&two, &open, &receipt, &err), QC_TEMP);
    gw_engine_let_others(r.e, &held);
    held_records(&r, &two);

    CHECK_OK(move(&r, &ask, &err));
    ended(&two);
    CHECK(!gw_takes_new(two.e, 1));
    CHECK_OK(erig_segment(&two, &open, 1, &err));
    CHECK_OK(erig_segment(&two, &open, 2, &err));
    CHECK_OK(erig_commit(&two, &open, &receipt, &err));
    put_one(&two, n + 1, &puts[n]);
    n++;
    CHECK_OK(move(&r, &ask, &err));
    CHECK(on_first(&r) == 0);

    ask.kind = GW_MOVE_RETIRE;
    cut_off(&r, &two, &ask, "retire_counted:error:1", n + 1, &puts[n]);
    n++;
    CHECK_OK(move(&r, &ask, &err));
    ended(&two);
    CHECK(gw_fan_count(two.e->fan) == 3);

    ask = (struct gw_move_ask){ .kind = GW_MOVE_REPROTECT, .k = 1, .n = 3 };
    cut_off(&r, &two, &ask, "recode_quorum:error:1", n + 1, &puts[n]);
    n++;
    CHECK_OK(move(&r, &ask, &err));
    ended(&two);
    CHECK(two.e->conf.k == 1 && two.e->conf.record_quorum == 3);
    put_one(&two, n + 1, &puts[n]);
    n++;
    for (unsigned i = 0; i < n; i++) {
        CHECK_OK(erig_check(&r, &puts[i], &err));
        CHECK_OK(erig_check(&two, &puts[i], &err));
    }
    CHECK_OK(erig_check(&two, &open, &err));
    gw_engine_close(&two.e);
    erig_done(&r);
}

/* The one that drains ends; the next keeper finds that there is something to go on with. */
static void moved_on(void)
{
    struct gw_move_ask ask = { .kind = GW_MOVE_DRAIN, .name = "c1" };
    struct gw_move_turn turn = { 0 };
    struct erig_put puts[3];
    struct erig r, two;
    struct qc_err err = { 0 };
    bool found;

    erig_new(&r, 4, 2, 3);
    for (unsigned i = 0; i < 3; i++)
        put_one(&r, i + 1, &puts[i]);
    qc_fault_script("drain_begun:error:1");
    CHECK_RC(move(&r, &ask, &err), QC_IO);
    qc_fault_script(NULL);
    join(&r, &two);
    err = (struct qc_err){ 0 };
    CHECK_OK(gw_engine_move_open(two.e, &turn, &found, &err));
    CHECK(!found);
    gw_engine_close(&r.e);
    attend(&two);
    CHECK_OK(gw_engine_move_open(two.e, &turn, &found, &err));
    CHECK(found && turn.kind == GW_MOVE_DRAIN && strcmp(turn.name, "c1") == 0);
    CHECK_OK(move(&two, &ask, &err));
    CHECK(on_first(&two) == 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(erig_check(&two, &puts[i], &err));
    gw_engine_close(&two.e);
    erig_done(&r);
}

int main(void)
{
    CHECK(erig_elsewhere());
    clouds_come_and_go();
    moved_on();
    together();
    changes_hands();
    taken_for_dead();
    return 0;
}
