/* unit/vault_tickets: puts while share store 2 is elsewhere, in both modes. What they store opens by either
 * share afterwards; each ticket is one version; without one nothing is sent; store 2 learns what became of
 * each. */
#include "vault/share_store.h"
#include "vault_rig.h"

static void away(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    rig_copy(r, "share2", "stick");
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, 2));
}

static void back(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    rig_copy(r, "stick", "share2");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

static uint64_t left(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_local_status st = { 0 };
    struct vault_conf conf = rig_conf(r);
    CHECK_OK(vault_status_local(&st, &conf, &err));
    return st.share[0].tickets;
}

/* What store 2 says of a name's newest version. */
static enum vault_record_state state_of(struct rig *r, const char *name, uint64_t *ret_sequence)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    QC_CLEANUP(vault_stat_done) struct vault_stat what = { 0 };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_CLEANUP(vault_store_record_done) struct vault_store_record rec = { 0 };
    CHECK_OK(vault_stat(r->v, qc_span_str(name), &call, &what, &err));
    CHECK_OK(vault_store_open(&s, r->share[1], VAULT_STORE_READ, &(struct vault_store_expect){ 0 }, &err));
    CHECK_OK(vault_store_get(s, what.object, what.version, &rec, &err));
    *ret_sequence = rec.sequence;
    return rec.state;
}

static size_t versions(struct rig *r, const char *name)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_versions all = { 0 };
    CHECK_OK(vault_versions(r->v, qc_span_str(name), &call, &all, &err));
    const size_t n = all.n;
    CHECK(all.unknown == 0);
    vault_versions_done(&all);
    return n;
}

static void gone(struct rig *r, bool derived)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t n = 0, sequence = 0;
    CHECK_OK(rig_put(r, "old", 10, 1, &err));
    CHECK_OK(vault_tickets_draw(r->v, 3, &call, &n, &err));
    CHECK(n == 3 && left(r) == 3);
    CHECK_OK(vault_tickets_draw(r->v, 4, &call, &n, &err));
    CHECK(n == 4);
    away(r);
    CHECK_RC(vault_tickets_draw(r->v, 9, &call, &n, &err), QC_SHARES);
    CHECK_OK(rig_put(r, "new", (1 << 20) + 7, 2, &err));
    CHECK_OK(rig_put(r, "old", 20, 3, &err)); /* another object of that name */
    struct rig_pattern broken = { .size = 100, .salt = 4, .fail_at = 1 };
    struct vault_put_result result;
    CHECK_RC(rig_put_from(r, "never", &broken, &result, &err), QC_IO); /* its ticket is spent */
    CHECK(left(r) == 1);
    CHECK_OK(rig_get(r, "new", (1 << 20) + 7, 2, &err));
    CHECK_OK(rig_get(r, "old", 20, 3, &err));
    CHECK(versions(r, "old") == 2);
    CHECK_OK(rig_put(r, "new", 30, 5, &err));
    const uint64_t begun = r->fake->calls[FAKE_BEGIN];
    REFUSED(rig_put(r, "no more", 1, 1, &err), QC_SHARES, "no ticket is left");
    CHECK(r->fake->calls[FAKE_BEGIN] == begun && left(r) == 0);
    back(r);
    CHECK(state_of(r, "old", &sequence) == VAULT_RECORD_PENDING || derived);
    CHECK_OK(rig_put(r, "after", 40, 6, &err)); /* brings store 2 after store 1 */
    CHECK(r->notes.n == 0);
    CHECK(state_of(r, "old", &sequence) == VAULT_RECORD_COMMITTED && sequence == 1);
    CHECK(state_of(r, "new", &sequence) == VAULT_RECORD_COMMITTED && sequence == 1);
    CHECK(versions(r, "new") == 2 && versions(r, "old") == 2);
    rig_whole(r, 3);
    CHECK_OK(rig_put(r, "old", 50, 7, &err)); /* goes on as a version of the same object */
    CHECK(versions(r, "old") == 3);
    vault_close(&r->v);
    rig_copy(r, "share1", "kept1");
    rig_lose(r, "share1"); /* what was put by tickets opens by share 2 and B, and the list is store 2's */
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
    CHECK_OK(rig_get(r, "new", 30, 5, &err));
    CHECK_OK(rig_get(r, "old", 50, 7, &err));
    CHECK(versions(r, "old") == 3 && versions(r, "new") == 2);
    CHECK_RC(rig_put(r, "x", 1, 1, &err), QC_SHARES); /* tickets are for store 2 alone */
    vault_close(&r->v);
    rig_copy(r, "kept1", "share1");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

static void cancelled(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t n = 0;
    CHECK_OK(vault_tickets_draw(r->v, 100, &call, &n, &err)); /* more than a batch */
    CHECK_OK(vault_tickets_cancel(r->v, &call, &n, &err));
    CHECK(n == 100 && left(r) == 0);
    CHECK_OK(vault_tickets_draw(r->v, 2, &call, &n, &err));
    away(r);
    CHECK_OK(vault_tickets_cancel(r->v, &call, &n, &err));
    CHECK(n == 2);
    CHECK_RC(rig_put(r, "y", 1, 1, &err), QC_SHARES);
    back(r);
}

/* An old copy of store 1 has a ticket again that was used. Whatever is done with it, what was stored opens by
 * share 2: nothing of it is taken away there. */
static void old_copy(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t n = 0;
    CHECK_OK(vault_tickets_draw(r->v, 1, &call, &n, &err));
    vault_close(&r->v);
    rig_copy(r, "share1", "old1");
    away(r);
    CHECK_OK(rig_put(r, "once", 70, 8, &err));
    vault_close(&r->v);
    for (unsigned cancel = 0; cancel < 2; cancel++) {
        rig_copy(r, "old1", "share1");
        rig_copy(r, "stick", "share2");
        if (cancel == 1) {
            CHECK_OK(rig_open(r, &err));
            CHECK_OK(vault_tickets_cancel(r->v, &call, &n, &err));
            CHECK(n == 1);
        } else {
            rig_lose(r, "share2");
            CHECK_OK(rig_open(r, &err));
            struct rig_pattern broken = { .size = 100, .salt = 4, .fail_at = 1 };
            struct vault_put_result result;
            CHECK(rig_put_from(r, "never", &broken, &result, &err) != QC_OK);
            vault_close(&r->v);
            rig_copy(r, "stick", "share2");
            CHECK_OK(rig_open(r, &err));
        }
        CHECK_OK(rig_put(r, "after", 1, 1, &err)); /* brings store 2 after */
        vault_close(&r->v);
        rig_copy(r, "share2", "stick");
        rig_lose(r, "share1");
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(rig_get(r, "once", 70, 8, &err));
        vault_notes_done(&r->notes);
        vault_close(&r->v);
    }
    rig_copy(r, "old1", "share1");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    for (unsigned derived = 0; derived < 2; derived++) {
        struct rig r;
        rig_new_mode(&r, rand, derived == 1);
        gone(&r, derived == 1);
        old_copy(&r);
        cancelled(&r);
        rig_done(&r);
    }
    return 0;
}
