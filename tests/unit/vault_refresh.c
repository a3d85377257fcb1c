/* unit/vault_refresh: other shares of the same secrets. In each mode, broken off at each of its points: all
 * opens, by both stores and by each alone (with the recovery kit, where B is sealed); the next run goes on;
 * then stores and B of two generations open nothing together. Kits, tickets, puts under way, and a program
 * that had the stores open. */
#include "base/db.h"
#include "base/fault.h"
#include "base/file.h"
#include "vault/share_store.h"
#include "vault_rig.h"

static const char *const points[] = { "refresh_first",   "refresh_begun",   "refresh_vault",
                                      "refresh_used1",   "refresh_used",    "refresh_share1",
                                      "refresh_share2",  "refresh_backups", "refresh_dropped1",
                                      "refresh_dropped", "refresh_ended1",  "refresh_ended" };

static void content(struct rig *r)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_get(r, "a", 100, 1, &err));
    CHECK_OK(rig_get(r, "b", (1 << 20) + 5, 3, &err));
    CHECK_OK(rig_get(r, "empty", 0, 4, &err));
}

static void open_quietly(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    if (r->notes.n > 0)
        fprintf(stderr, "note: %s\n", r->notes.v[0].text);
    CHECK(r->notes.n == 0);
}

static void whole(struct rig *r, int objects)
{
    rig_whole(r, objects);
    if (r->notes.n > 0)
        fprintf(stderr, "note: %s\n", r->notes.v[0].text);
    CHECK(r->notes.n == 0);
    content(r);
}

static struct vault_refresh_result refresh(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_refresh_result result = { 0 };
    CHECK_OK(vault_refresh(r->v, &call, &result, &err));
    CHECK(result.done && result.left == 0);
    return result;
}

static void start(struct rig *r, struct qc_rand rand, enum rig_mode mode)
{
    struct qc_err err = { 0 };
    rig_make(r, rand, mode);
    CHECK_OK(rig_put(r, "a", 100, 1, &err));
    CHECK_OK(rig_put(r, "b", 7, 2, &err));
    CHECK_OK(rig_put(r, "b", (1 << 20) + 5, 3, &err));
    CHECK_OK(rig_put(r, "empty", 0, 4, &err));
}

/* Each store alone opens everything, with the gateway as it is now. */
static void by_each(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    for (unsigned i = 1; i <= 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "share%u", i);
        rig_copy(r, name, "aside");
        rig_lose(r, name);
        CHECK_OK(rig_open(r, &err));
        CHECK(r->notes.n == 1 && rig_noted(r, VAULT_NOTE_SHARE_MISSING, i));
        vault_notes_done(&r->notes);
        content(r);
        CHECK(r->notes.n == 0);
        vault_close(&r->v);
        rig_copy(r, "aside", name);
    }
}

static void broken_off(struct rig *r, const char *point)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_refresh_result result = { 0 };
    struct vault_remove_result removed = { 0 };
    char script[64];
    snprintf(script, sizeof script, "%s:error:1", point);
    qc_fault_script(script);
    CHECK_RC(vault_refresh(r->v, &call, &result, &err), QC_IO);
    qc_fault_script(NULL);
    open_quietly(r);
    whole(r, 3);
    by_each(r);
    open_quietly(r);
    CHECK_OK(rig_put(r, "new", 50, 9, &err)); /* and one more with the shares of the time between */
    whole(r, 4);
    by_each(r);
    open_quietly(r);
    CHECK_OK(vault_remove(r->v, QC_LIT("new"), &call, &removed, &err));
}

/* Whatever store is lost in the middle: what is left makes it again, and the refresh goes on. */
static void lost_between(struct rig *r, unsigned index)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    char name[16];
    snprintf(name, sizeof name, "share%u", index);
    vault_close(&r->v);
    rig_lose(r, name);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, index, r->share[index - 1], &call, &result, &err));
    CHECK(result.failed == 0);
    vault_notes_done(&r->notes);
    open_quietly(r);
    whole(r, 3);
    by_each(r);
    open_quietly(r);
}

/* Each store absent, as it is now, or as it was; with what the gateway gives now. Of two generations nothing
 * opens by what is old; what is new opens as if the old store were not there. */
static void mixed(struct rig *r)
{
    struct qc_err err = { 0 };
    for (unsigned choice = 1; choice < 9; choice++) {
        const unsigned is[2] = { choice % 3, choice / 3 }; /* 0: absent, 1: now, 2: before */
        for (unsigned i = 0; i < 2; i++) {
            char from[16], to[16];
            snprintf(from, sizeof from, "%s%u", is[i] == 1 ? "now" : "before", i + 1);
            snprintf(to, sizeof to, "share%u", i + 1);
            rig_lose(r, to);
            if (is[i] != 0)
                rig_copy(r, from, to);
        }
        const qc_rc rc = rig_open(r, &err);
        if (is[0] == 2 &&
            is[1] == 2) { /* two shares of one generation, and R3, which stays in N: they open it */
            CHECK(rc == QC_OK && rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1));
            REFUSED(rig_put(r, "a", 1, 1, &err), QC_SHARES, "from before");
        } else if (is[0] == 1 || is[1] == 1)
            CHECK(rc == QC_OK &&
                  (is[0] == is[1] || rig_noted(r, VAULT_NOTE_SHARE_MISSING, is[0] == 1 ? 2 : 1)));
        else
            REFUSED(rc, QC_SHARES, "they were replaced");
        if (rc == QC_OK)
            content(r);
        qc_err_clear(&err);
        vault_notes_done(&r->notes);
        vault_close(&r->v);
    }
    rig_copy(r, "now1", "share1");
    rig_copy(r, "now2", "share2");
}

static void generations(enum rig_mode mode, struct qc_rand rand)
{
    struct rig r;
    start(&r, rand, mode);
    vault_close(&r.v);
    rig_copy(&r, "share1", "before1");
    rig_copy(&r, "share2", "before2");
    open_quietly(&r);
    struct vault_refresh_result result = refresh(&r);
    CHECK(result.generation == 2 && result.versions == 4 && !result.went_on && result.pending == 0);
    whole(&r, 3);
    result = refresh(&r);
    CHECK(result.generation == 3 && result.versions == 4);
    whole(&r, 3);
    vault_close(&r.v);
    rig_copy(&r, "share1", "now1");
    rig_copy(&r, "share2", "now2");
    by_each(&r);
    mixed(&r);
    open_quietly(&r);
    whole(&r, 3);
    lost_between(&r, 2);
    lost_between(&r, 1);
    result = refresh(&r); /* stores that keep their shares now */
    CHECK(result.generation == 4 && result.versions == 4);
    whole(&r, 3);
    by_each(&r);
    rig_done(&r);
}

static void at_each_point(enum rig_mode mode, struct qc_rand rand)
{
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct rig r;
        if (mode == RIG_STORED && i % 2 == 0) /* the points are the same: half of them do */
            continue;
        if (mode == RIG_SEALED && i > 4) /* behind these the recovery key is as it was */
            continue;
        start(&r, rand, mode);
        broken_off(&r, points[i]);
        if (i % 3 == 0)
            lost_between(&r, 1 + i % 2);
        const struct vault_refresh_result result = refresh(&r);
        CHECK(result.generation >= 2);
        whole(&r, 3);
        by_each(&r);
        rig_done(&r);
    }
}

/* A gateway that does not take the new B, or loses the answer: the old shares stay, and all opens. */
static void gateway_fails(enum rig_mode mode, struct qc_rand rand)
{
    for (unsigned nth = 1; nth <= 2; nth++)
        for (unsigned effect = 0; effect < 2; effect++) {
            struct rig r;
            struct qc_err err = { 0 };
            struct vault_refresh_result result = { 0 };
            start(&r, rand, mode);
            struct vault_call call = rig_call(&r);
            r.fake->fail = FAKE_BACKUPS;
            r.fake->fail_nth = nth;
            r.fake->fail_effect = effect == 1;
            r.fake->fail_rc = QC_TEMP;
            CHECK_RC(vault_refresh(r.v, &call, &result, &err), QC_TEMP);
            open_quietly(&r);
            whole(&r, 3);
            by_each(&r);
            open_quietly(&r);
            result = refresh(&r);
            CHECK(result.generation == 2);
            whole(&r, 3);
            rig_done(&r);
        }
}

/* Records of the new generation go from store 1, as if a copy of a moment before had been put back. */
static void drop_new(struct rig *r)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/store.db", r->share[0]);
    vault_close(&r->v);
    CHECK_OK(qc_db_open(&db, path, &(struct qc_db_opts){ .kind = QC_DB_SHARES, .application_id = 0x51434C53 },
                        &err));
    CHECK_OK(qc_db_exec(db, "DELETE FROM record WHERE generation = 2", &err));
    qc_db_close(&db);
    open_quietly(r);
}

/* What store 2 keeps of the vault's secret, where its seed gives another: without B it is by that. Damaged,
 * or gone as in a store of an earlier program, B's correction does; and there is one for one generation. */
static void kept_secret(struct qc_rand rand)
{
    static const char *const changes[] = { "UPDATE item SET value = x'00' WHERE name LIKE 'secret/%'",
                                           "DELETE FROM item WHERE name = 'secret/00000003'" };
    struct rig r;
    struct qc_err err = { 0 };
    start(&r, rand, RIG_DERIVED);
    (void)refresh(&r);
    (void)refresh(&r);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
        char path[512];
        vault_close(&r.v);
        snprintf(path, sizeof path, "%s/store.db", r.share[1]);
        CHECK_OK(qc_db_open(
            &db, path, &(struct qc_db_opts){ .kind = QC_DB_SHARES, .application_id = 0x51434C53 }, &err));
        CHECK_OK(qc_db_exec(db, changes[i], &err));
        CHECK(qc_db_changes(db) == 1);
        qc_db_close(&db);
        open_quietly(&r);
        whole(&r, 3);
        by_each(&r);
    }
    r.fake->backup.n = 0;
    REFUSED(rig_open(&r, &err), QC_INTEGRITY, "commitment");
    rig_done(&r);
}

struct sent {
    uint8_t bytes[512];
    size_t n;
};

/* What the gateway has of each version; and in its place what it had, or was sent. */
static void take_B(const struct rig *r, struct sent ret[4])
{
    CHECK(r->fake->versions == 4);
    for (unsigned i = 0; i < 4; i++) {
        ret[i].n = r->fake->version[i].backup.n;
        CHECK(ret[i].n <= sizeof ret[i].bytes);
        memcpy(ret[i].bytes, r->fake->version[i].backup.p, ret[i].n);
    }
}

static void give_B(struct rig *r, const struct sent what[4])
{
    for (unsigned i = 0; i < 4; i++) {
        CHECK(what[i].n <= r->fake->version[i].backup.cap);
        memcpy(r->fake->version[i].backup.p, what[i].bytes, what[i].n);
        r->fake->version[i].backup.n = what[i].n;
    }
}

static void broken(struct rig *r, const char *script)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_refresh_result result = { 0 };
    qc_fault_script(script);
    CHECK_RC(vault_refresh(r->v, &call, &result, &err), QC_IO);
    qc_fault_script(NULL);
    open_quietly(r);
}

/* B of a run that was broken off comes to be late, when a run after it has failed: it fits what the stores
 * have, for each run makes the same. Store 1 may have lost its record meanwhile: then by that of store 2. */
static void late(enum rig_mode mode, bool lost, struct qc_rand rand)
{
    struct rig r;
    struct sent old[4], sent[4], now[4];
    start(&r, rand, mode);
    take_B(&r, old);
    broken(&r, "refresh_backups:error:1");
    take_B(&r, sent);
    give_B(&r, old);
    if (lost)
        drop_new(&r);
    broken(&r, "refresh_share2:error:1");
    give_B(&r, sent);
    whole(&r, 3);
    by_each(&r);
    open_quietly(&r);
    (void)refresh(&r);
    take_B(&r, now);
    for (unsigned i = 0; i < 4; i++)
        CHECK(now[i].n == sent[i].n && memcmp(now[i].bytes, sent[i].bytes, sent[i].n) == 0);
    whole(&r, 3);
    by_each(&r);
    rig_done(&r);
}

/* A purge that the gateway refuses, of a version whose shares are refreshed halfway: it stays with all that
 * opens it. Nothing is done of which the gateway has B of before, whatever records say. */
static void refused(enum rig_mode mode, struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    struct sent old[4];
    struct vault_versions all = { 0 };
    start(&r, rand, mode);
    take_B(&r, old);
    broken(&r, "refresh_share2:error:1");
    struct vault_call call = rig_call(&r);
    CHECK_OK(vault_versions(r.v, QC_LIT("a"), &call, &all, &err));
    CHECK(all.n == 1 && all.v[0].current);
    struct vault_doomed d = { .sequence = all.v[0].sequence };
    memcpy(d.object, all.v[0].object, sizeof d.object);
    memcpy(d.version, all.v[0].version, sizeof d.version);
    CHECK_OK(vault_purge(r.v, &d, 1, &call, &err));
    CHECK(d.rc == QC_CONFLICT);
    vault_versions_done(&all);
    by_each(&r);
    open_quietly(&r);
    broken(&r, "refresh_ended1:error:1");
    give_B(&r, old);
    const struct vault_refresh_result result = refresh(&r);
    CHECK(result.versions == 4 && result.went_on);
    whole(&r, 3);
    by_each(&r);
    rig_done(&r);
}

/* Another machine that has the same stores refreshes them: not two at once. */
static void locked(struct qc_rand rand)
{
    struct rig r;
    struct vault_refresh_result result = { 0 };
    start(&r, rand, false);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 }, lock = { 0 };
        struct qc_err err = { 0 };
        struct vault_call call = rig_call(&r);
        CHECK_OK(qc_dir_open(&dir, r.share[i], &err));
        CHECK_OK(qc_lock_file(&lock, qc_fd_get(&dir), "refresh.lock", &err));
        REFUSED(vault_refresh(r.v, &call, &result, &err), QC_LOCKED, r.share[i]);
    }
    result = refresh(&r);
    CHECK(result.generation == 2);
    rig_done(&r);
}

/* A gateway that has not all of a batch: the others are done. */
static void not_all(struct qc_rand rand)
{
    struct rig r;
    start(&r, rand, false);
    r.fake->fail = FAKE_BACKUPS;
    r.fake->fail_nth = 2;
    r.fake->fail_rc = QC_NOTFOUND;
    const struct vault_refresh_result result = refresh(&r);
    CHECK(result.versions == 4);
    whole(&r, 3);
    by_each(&r);
    rig_done(&r);
}

/* What others do between the moment that a version is looked at and that its shares are written: one is
 * purged, one is committed. */
struct others {
    struct rig *r;
    struct vault_doomed purged;
    const struct vault_version *put;
    bool done;
};

static void record_of(struct rig *r, unsigned i, const uint8_t *object, const uint8_t *version,
                      struct vault_store_record *ret, const struct vault_store_commit *change)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);
    CHECK_OK(vault_store_open(&s, r->share[i], VAULT_STORE_WRITE, &(struct vault_store_expect){ 0 }, &err));
    if (change != NULL)
        CHECK_OK(vault_store_commit(s, change, &rng, &err));
    const qc_rc rc = vault_store_get(s, object, version, ret, &err);
    CHECK(rc == QC_OK || rc == QC_NOTFOUND);
    if (ret->state == VAULT_RECORD_COMMITTED && change == NULL) { /* as before its put was committed */
        ret->state = VAULT_RECORD_PENDING;
        ret->sequence = 0;
        CHECK_OK(vault_store_add(s, ret, 1, &rng, &err));
    }
}

static void meanwhile_of(void *ctx, const struct vault_progress *progress)
{
    struct others *o = ctx;
    struct rig other = *o->r;
    struct qc_err err = { 0 };
    (void)progress;
    if (o->done)
        return;
    o->done = true;
    other.v = NULL;
    other.notes = (struct vault_notes){ 0 };
    CHECK_OK(rig_open(&other, &err));
    struct vault_call call = rig_call(&other);
    CHECK_OK(vault_purge(other.v, &o->purged, 1, &call, &err));
    CHECK(o->purged.rc == QC_OK);
    vault_close(&other.v);
    vault_notes_done(&other.notes);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record record = { 0 };
        const struct vault_store_commit change = { .object = o->put->object,
                                                   .version = o->put->version,
                                                   .sequence = o->put->sequence };
        record_of(o->r, i, o->put->object, o->put->version, &record, &change);
    }
}

static void meanwhile(enum rig_mode mode, struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    struct vault_versions a = { 0 }, b = { 0 };
    struct vault_refresh_result result = { 0 };
    start(&r, rand, mode);
    struct vault_call call = rig_call(&r);
    CHECK_OK(vault_versions(r.v, QC_LIT("a"), &call, &a, &err));
    CHECK_OK(vault_versions(r.v, QC_LIT("b"), &call, &b, &err));
    CHECK(a.n == 1 && b.n == 2);
    struct others others = { .r = &r, .purged = { .sequence = b.v[1].sequence }, .put = &a.v[0] };
    memcpy(others.purged.object, b.v[1].object, VAULT_ID_BYTES);
    memcpy(others.purged.version, b.v[1].version, VAULT_ID_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record record = { 0 };
        record_of(&r, i, a.v[0].object, a.v[0].version, &record, NULL);
    }
    call.progress = meanwhile_of;
    call.progress_ctx = &others;
    CHECK_OK(vault_refresh(r.v, &call, &result, &err));
    CHECK(others.done && result.done && result.versions == 3);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record gone = { 0 }, put = { 0 };
        const struct vault_store_commit none = { 0 };
        record_of(&r, i, others.purged.object, others.purged.version, &gone, &none);
        record_of(&r, i, a.v[0].object, a.v[0].version, &put, &none);
        CHECK(gone.share == NULL && gone.state == 0);
        CHECK(put.state == VAULT_RECORD_COMMITTED && put.sequence == a.v[0].sequence && put.generation == 2);
    }
    vault_versions_done(&a);
    vault_versions_done(&b);
    by_each(&r);
    rig_done(&r);
}

/* The gateway shows the vault's B of before: no share fits, and that is not told as a lost share. */
static void rolled_back(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    uint8_t old[300];
    start(&r, rand, true);
    const size_t n = r.fake->backup.n;
    CHECK(n <= sizeof old);
    memcpy(old, r.fake->backup.p, n);
    (void)refresh(&r);
    vault_close(&r.v);
    rig_lose(&r, "share2");
    free(r.fake->backup.p);
    r.fake->backup.p = malloc(n);
    CHECK(r.fake->backup.p != NULL);
    memcpy(r.fake->backup.p, old, n);
    r.fake->backup.n = n;
    REFUSED(rig_open(&r, &err), QC_INTEGRITY, "rollback");
    rig_done(&r);
}

/* Tickets of before are void, with what a thief of store 1 could have put with them. */
static void tickets(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    uint64_t n = 0;
    start(&r, rand, true);
    struct vault_call call = rig_call(&r);
    CHECK_OK(vault_tickets_draw(r.v, 3, &call, &n, &err));
    const struct vault_refresh_result result = refresh(&r);
    CHECK(result.tickets == 3 && result.pending == 3);
    open_quietly(&r);
    CHECK_OK(vault_tickets_draw(r.v, 2, &call, &n, &err));
    CHECK(n == 2);
    vault_close(&r.v);
    rig_copy(&r, "share2", "drawer");
    rig_lose(&r, "share2");
    CHECK_OK(rig_open(&r, &err));
    CHECK_OK(rig_put(&r, "t", 60, 7, &err));
    rig_copy(&r, "drawer", "share2");
    CHECK_OK(rig_open(&r, &err));
    CHECK_OK(rig_put(&r, "u", 60, 8, &err));
    vault_notes_done(&r.notes);
    whole(&r, 5);
    by_each(&r);
    rig_done(&r);
}

/* Another program has the stores open meanwhile: it reads on, what it puts then is of the new shares, and a
 * share that it made of an old seed before is not taken. */
static void other_program(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    start(&r, rand, true);
    struct vault *old = r.v;
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    struct vault_store_record late = { .generation = 1, .state = VAULT_RECORD_PENDING, .object = { 1 } };
    qc_rng rng = qc_rand_rng(&r.rand);
    CHECK_OK(vault_store_open(&s, r.share[0], VAULT_STORE_WRITE, &(struct vault_store_expect){ 0 }, &err));
    CHECK_OK(vault_store_derive(&late.share, s, 1, late.object, late.version, &err));
    r.v = NULL;
    CHECK_OK(rig_open(&r, &err));
    (void)refresh(&r);
    REFUSED(vault_store_add(s, &late, 1, &rng, &err), QC_TEMP, "refreshed meanwhile");
    vault_store_record_done(&late);
    vault_close(&r.v);
    r.v = old;
    content(&r); /* its seeds are those of before: it looks again */
    CHECK(r.notes.n == 0);
    CHECK_OK(rig_put(&r, "late", 30, 5, &err));
    vault_notes_done(&r.notes);
    open_quietly(&r);
    whole(&r, 4);
    by_each(&r);
    rig_done(&r);
}

/* A kit of before is refused by its generation; those of now open, one alone and both, without any record. */
static void kits(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    struct vault_kit before = { 0 }, both = { 0 };
    start(&r, rand, true);
    CHECK_OK(vault_kit_of(&before, r.v, 3, &err));
    (void)refresh(&r);
    CHECK_OK(vault_kit_of(&both, r.v, 3, &err));
    CHECK(before.generation == 1 && both.generation == 2);
    REFUSED(vault_kit_here(&before, r.v, &err), QC_USAGE, "shares were replaced");
    CHECK_OK(vault_kit_here(&both, r.v, &err));
    vault_close(&r.v);
    rig_lose(&r, "share1");
    rig_lose(&r, "share2");
    const struct vault_conf conf = rig_conf(&r);
    for (unsigned shares = 2; shares <= 3; shares++) {
        struct vault_call call = rig_call(&r);
        struct vault_descriptor d = { .k = 3, .n = 5 };
        struct vault_gw *gw = fake_connect(r.fake);
        uint64_t learnt = 0;
        struct vault_kit kit = both;
        kit.shares = shares;
        if (shares == 2)
            kit.seed[0] = NULL;
        CHECK_OK(vault_descriptor_add_cloud(&d, 1, "c1", "file:///nowhere", &err));
        CHECK_OK(vault_revive(&conf, &kit, &d, gw, &call, &err));
        vault_gw_close(&gw);
        vault_descriptor_done(&d);
        CHECK_OK(rig_open(&r, &err));
        vault_notes_done(&r.notes);
        CHECK_OK(vault_relearn(r.v, &call, &learnt, &err));
        CHECK(learnt == 3);
        content(&r);
        CHECK(r.notes.n == 0);
        if (shares == 3) {
            whole(&r, 3);
            const struct vault_refresh_result result = refresh(&r);
            CHECK(result.generation == 3 && result.versions == 3);
            whole(&r, 3);
            by_each(&r);
        }
        vault_close(&r.v);
        rig_lose(&r, "share1");
        rig_lose(&r, "share2");
    }
    vault_kit_done(&before);
    vault_kit_done(&both);
    rig_done(&r);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0); /* some thousand transactions */
    for (enum rig_mode mode = RIG_STORED; mode <= RIG_SEALED; mode++) {
        generations(mode, rand);
        at_each_point(mode, rand);
        late(mode, false, rand);
        if (mode == RIG_SEALED)
            break; /* what follows is about the order, which is the same */
        gateway_fails(mode, rand);
        late(mode, true, rand);
        refused(mode, rand);
        meanwhile(mode, rand);
    }
    locked(rand);
    not_all(rand);
    rolled_back(rand);
    tickets(rand);
    other_program(rand);
    kits(rand);
    kept_secret(rand);
    return 0;
}
