/* unit/gateway_two: two gateways on one catalogue in PostgreSQL. Both serve; one keeps the store; each goes
 * on where the other ends; one that was taken for dead can neither acknowledge nor spoil anything. Run by
 * postgres/two. */
#include <sys/wait.h>
#include <unistd.h>

#include "cat_internal.h"
#include "engine_internal.h"
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

int main(void)
{
    CHECK(erig_elsewhere());
    together();
    changes_hands();
    taken_for_dead();
    return 0;
}
