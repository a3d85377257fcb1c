/* fault/vault_put: every call of the gateway fails once, before and after its effect, and every fault point
 * of a put and a removal once; whatever happened, a get gives the old or the new bytes, whole, and the next
 * command leaves nothing unfinished (I1, durability.md 7.3). */
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/planted.h"
#include "vault_rig.h"

enum { OLD = 4000, NEW = 2500000 };

static uint64_t pending(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_local_status st = { 0 };
    struct vault_conf conf = rig_conf(r);
    CHECK_OK(vault_status_local(&st, &conf, &err));
    CHECK(st.share[0].rc == QC_OK && st.share[1].rc == QC_OK);
    CHECK(st.share[0].records == st.share[1].records || st.unfinished > 0);
    return st.share[0].pending + st.share[1].pending;
}

/* The current bytes are those of the put that failed, or the old ones; which of them. */
static bool is_new(struct rig *r, uint64_t old_salt, uint64_t new_salt)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_stat st = { 0 };
    CHECK_OK(vault_stat(r->v, qc_span_str("x"), &call, &st, &err));
    bool fresh = st.size == NEW;
    vault_stat_done(&st);
    if (fresh)
        CHECK_OK(rig_get(r, "x", NEW, new_salt, &err));
    else
        CHECK_OK(rig_get(r, "x", OLD, old_salt, &err));
    return fresh;
}

/* A put of "x" that may fail; then a new session, and another command that settles. */
static void one_put(struct rig *r, uint64_t salt, bool may_succeed, const char *what)
{
    struct qc_err err = { 0 };
    struct rig_pattern p = { .size = NEW, .salt = salt + 1 };
    struct vault_put_result result = { 0 };
    CHECK_OK(rig_put(r, "x", OLD, salt, &err));
    qc_rc rc = QC_OK;
    {
        struct qc_err why = { 0 };
        r->fake->fail_nth = 1;
        rc = rig_put_from(r, "x", &p, &result, &why);
    }
    r->fake->fail = FAKE_NONE;
    qc_fault_script(NULL);
    if (rc == QC_OK && !may_succeed) {
        fprintf(stderr, "%s: the put succeeded\n", what);
        exit(1);
    }
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    bool fresh = is_new(r, salt, salt + 1);
    if (rc == QC_OK)
        CHECK(fresh); /* what was acknowledged is there */
    CHECK(rc != QC_OK || !result.open);
    CHECK(rc == QC_OK || result.open || !fresh); /* what was said not to be there is not */
    CHECK_OK(rig_put(r, "settle", 1, 1, &err));
    if (rig_leftovers(r) != 0 || pending(r) != 0) {
        fprintf(stderr, "%s: %llu leftovers, %llu pending records\n", what,
                (unsigned long long)rig_leftovers(r), (unsigned long long)pending(r));
        exit(1);
    }
    CHECK(is_new(r, salt, salt + 1) == fresh);
}

static void calls(struct rig *r)
{
    static const struct {
        enum fake_call call;
        const char *name;
    } each[] = { { FAKE_CHAIN, "chain" },
                 { FAKE_ENTRY_GET, "entry" },
                 { FAKE_BEGIN, "begin" },
                 { FAKE_SEGMENT, "segment" },
                 { FAKE_COMMIT, "commit" } };
    static const qc_rc codes[] = { QC_TEMP, QC_QUORUM, QC_CANCELLED, QC_FORMAT };
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
        for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
            for (int effect = 0; effect < 2; effect++) {
                qc_fault_script(NULL);
                r->fake->fail = FAKE_NONE;
                struct qc_err err = { 0 };
                CHECK_OK(rig_open(r, &err));
                r->fake->fail_rc = codes[c];
                r->fake->fail_effect = effect == 1;
                r->fake->fail = each[i].call;
                r->fake->fail_nth = 0; /* armed by one_put after its first put */
                one_put(r, 100 * i + 10 * c + 2 * (unsigned)effect,
                        each[i].call == FAKE_COMMIT && effect == 1, each[i].name);
            }
}

/* The answer of a commit is lost, and so is every later word until the next command. */
static void silence(struct rig *r)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "x", OLD, 900, &err));
    r->fake->fail_rc = QC_TEMP;
    r->fake->fail = FAKE_STATE;
    r->fake->fail_effect = false;
    qc_fault_script("client_receipt:error:1"); /* as if the process died with the receipt in hand */
    CHECK_RC(rig_put(r, "x", NEW, 901, &err), QC_IO);
    qc_fault_script(NULL);
    CHECK(rig_leftovers(r) == 1);
    r->fake->fail_nth = 1;
    vault_notes_done(&r->notes);
    CHECK_OK(rig_put(r, "settle", 1, 1, &err)); /* the gateway does not say what became of it: it stays */
    CHECK(rig_leftovers(r) == 1 && rig_noted(r, VAULT_NOTE_UNFINISHED, 0));
    CHECK_OK(rig_put(r, "settle", 1, 1, &err));
    CHECK(rig_leftovers(r) == 0 && pending(r) == 0);
    CHECK(is_new(r, 900, 901));
}

/* The answer of a commit is lost, and when it is asked about it waits there still: it is done before it can
 * be cancelled. Then it is stored, and no failure; or, where not even that is heard, nobody is told that it
 * is not. */
static void decided_meanwhile(struct rig *r)
{
    struct qc_err err = { 0 };
    struct rig_pattern p = { .size = NEW, .salt = 921 };
    struct vault_put_result result = { 0 };
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "x", OLD, 920, &err));
    r->fake->fail_rc = QC_CANCELLED;
    r->fake->fail = FAKE_COMMIT;
    r->fake->fail_effect = true;
    r->fake->fail_nth = 1;
    r->fake->early_states = 1;
    CHECK_OK(rig_put_from(r, "x", &p, &result, &err));
    CHECK(!result.open && r->fake->early_states == 0 && rig_leftovers(r) == 0);
    CHECK(is_new(r, 920, 921));
    r->fake->fail = FAKE_CHAIN; /* the commit is heard of, and not seen in the chain */
    r->fake->fail_effect = false;
    r->fake->fail_nth = 1;
    p = (struct rig_pattern){ .size = NEW, .salt = 922 };
    CHECK_RC(rig_put_from(r, "x", &p, &result, &err), QC_CANCELLED);
    CHECK(result.open && rig_leftovers(r) == 1);
    r->fake->fail = FAKE_NONE;
    CHECK_OK(rig_put(r, "settle", 1, 1, &err));
    CHECK(rig_leftovers(r) == 0 && pending(r) == 0);
    CHECK(is_new(r, 921, 922));
}

static const char *const names[] = { "client_journal", "client_begun",    "client_share1",  "client_shared",
                                     "client_sent",    "client_receipt",  "client_stored1", "client_stored",
                                     "client_done",    "client_cancelled" };

static void points(struct rig *r)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct qc_err err = { 0 };
        char script[64];
        qc_fault_script(NULL);
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(rig_put(r, "x", OLD, 500 + i, &err));
        if (strcmp(names[i], "client_cancelled") == 0)
            snprintf(script, sizeof(script), "client_sent:error:2,client_cancelled:error:1");
        else
            snprintf(script, sizeof(script), "%s:error:2", names[i]); /* the second put of one_put */
        qc_fault_script(script);
        one_put(r, 500 + 2 * i, i >= 6 && i <= 8, names[i]);
    }
}

static void source(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_put_result result;
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "x", OLD, 1, &err));
    struct rig_pattern p = { .size = 40 << 20, .fail_at = 30 << 20 };
    CHECK_RC(rig_put_from(r, "x", &p, &result, &err), QC_IO);
    p = (struct rig_pattern){ .size = 2000000, .changed = true };
    CHECK_RC(rig_put_from(r, "x", &p, &result, &err), QC_CHANGED);
    CHECK(rig_leftovers(r) == 0 && pending(r) == 0);
    CHECK(!is_new(r, 1, 0));
}

/* Another writer between our look and our commit: we seal anew and are the next version. */
struct writer {
    struct rig *r;
    struct vault *second;
    unsigned times;
};

static void write_first(void *ctx)
{
    struct writer *w = ctx;
    if (w->times == 0)
        return;
    w->times--;
    struct qc_err err = { 0 };
    struct vault *mine = w->r->v;
    struct vault_notes notes = w->r->notes;
    void (*hook)(void *) = w->r->fake->before_commit;
    w->r->fake->before_commit = NULL;
    w->r->v = w->second;
    w->r->notes = (struct vault_notes){ 0 };
    CHECK_OK(rig_put(w->r, "x", OLD, 77, &err));
    vault_notes_done(&w->r->notes);
    w->r->notes = notes;
    w->r->v = mine;
    w->r->fake->before_commit = hook;
}

static void conflicts(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_put_result result;
    struct rig_pattern p = { .size = NEW, .salt = 78 };
    CHECK_OK(rig_open(r, &err));
    struct writer w = { .r = r, .second = r->v, .times = 3 };
    r->v = NULL;
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "x", OLD, 76, &err));
    r->fake->before_commit = write_first;
    r->fake->before_ctx = &w;
    CHECK_OK(rig_put_from(r, "x", &p, &result, &err));
    CHECK(w.times == 0);
    CHECK(is_new(r, 0, 78));
    w.times = 1000;
    CHECK_RC(rig_put(r, "x", NEW, 79, &err), QC_CONFLICT);
    r->fake->before_commit = NULL;
    CHECK(!is_new(r, 77, 0));
    CHECK(rig_leftovers(r) == 0 && pending(r) == 0);
    vault_close(&w.second);
}

static void removal(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_remove_result removed;
    CHECK_OK(rig_open(r, &err));
    struct vault_call call = rig_call(r);
    CHECK_OK(rig_put(r, "y", OLD, 1, &err));
    qc_fault_script("client_removed:error:1");
    CHECK_RC(vault_remove(r->v, qc_span_str("y"), &call, &removed, &err), QC_IO);
    qc_fault_script(NULL);
    CHECK_OK(rig_open(r, &err));
    CHECK_RC(rig_get(r, "y", OLD, 1, &err), QC_NOTFOUND);
    CHECK_OK(rig_put(r, "y", OLD, 2, &err));
    CHECK_OK(rig_get(r, "y", OLD, 2, &err));
}

static void recovery(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_recover_result result;
    struct vault_call call = rig_call(r);
    vault_close(&r->v);
    rig_lose(r, "share1");
    CHECK_OK(rig_open(r, &err));
    qc_fault_script("client_recovered:error:2");
    CHECK_RC(vault_recover(r->v, 1, r->share[0], &call, &result, &err), QC_IO);
    qc_fault_script(NULL);
    CHECK_OK(rig_open(r, &err)); /* half a store serves for what it has, the other share and B for the rest */
    CHECK_OK(rig_get(r, "settle", 1, 1, &err));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    CHECK(result.present >= QC_VAULT_RECOVER_BATCH && result.failed == 0);
    CHECK(result.present + result.written == result.records);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "settle", 1, 1, &err));
    CHECK(r->notes.n == 0);
}

/* Bug 15 of base/planted.h has to be found: the first check that fails says so and ends the child. */
static int planted(struct rig *r)
{
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        qc_planted_bug = QC_PLANTED_shares_late;
        calls(r);
        points(r);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    rig_done(r);
    return status == 0 ? 1 : 0;
}

/* Share store 2 goes to a drawer and comes back. */
static void stick(struct rig *r, bool here)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    if (here)
        rig_copy(r, "stick", "share2");
    else {
        rig_copy(r, "share2", "stick");
        rig_lose(r, "share2");
    }
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

/* The same points of a put by ticket: what is there is old or new, whole, by either share, and stays so when
 * store 2 is back and what was left is settled. The ticket is spent, whatever became of its put (I4). */
static void points_away(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t have = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char script[64];
        struct rig_pattern p = { .size = NEW, .salt = 701 + 2 * i };
        struct vault_put_result result = { 0 };
        CHECK_OK(rig_put(r, "x", OLD, 700 + 2 * i, &err));
        CHECK_OK(vault_tickets_draw(r->v, 1, &call, &have, &err));
        stick(r, false);
        snprintf(script, sizeof(script), "%s:error:1%s", i == 9 ? "client_sent" : names[i],
                 i == 9 ? ",client_cancelled:error:1" : "");
        qc_fault_script(script);
        const qc_rc rc = rig_put_from(r, "x", &p, &result, &err);
        qc_fault_script(NULL);
        qc_err_clear(&err);
        CHECK_RC(rig_put(r, "x", NEW, 1, &err), QC_SHARES);
        const bool fresh = is_new(r, 700 + 2 * i, 701 + 2 * i);
        CHECK(rc == QC_OK ? fresh : result.open || !fresh);
        stick(r, true);
        CHECK_OK(rig_put(r, "settle", 1, 1, &err));
        CHECK(rig_leftovers(r) == 0 && is_new(r, 700 + 2 * i, 701 + 2 * i) == fresh);
        vault_close(&r->v);
        rig_copy(r, "share1", "kept1");
        rig_lose(r, "share1");
        CHECK_OK(rig_open(r, &err));
        CHECK(is_new(r, 700 + 2 * i, 701 + 2 * i) == fresh);
        vault_close(&r->v);
        rig_copy(r, "kept1", "share1");
        CHECK_OK(rig_open(r, &err));
        vault_notes_done(&r->notes);
    }
}

int main(int argc, char **argv)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    if (argc > 1 && strcmp(argv[1], "planted") == 0)
        return planted(&r);
    calls(&r);
    silence(&r);
    decided_meanwhile(&r);
    points(&r);
    source(&r);
    conflicts(&r);
    removal(&r);
    recovery(&r);
    points_away(&r);
    rig_done(&r);
    return 0;
}
