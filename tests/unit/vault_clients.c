/* unit/vault_clients: several clients over one gateway and one pair of stores, and stores that have been
 * apart: nobody is called a liar who only was overtaken, and who lies is found out (I2, vault heads and
 * marks). */
#include "vault/share_store.h"
#include "vault_rig.h"

/* Another client: its own session on the same stores and gateway. */
struct other {
    struct rig r;
    uint64_t size, salt;
};

static void other_puts_x(void *ctx)
{
    struct other *o = ctx;
    struct qc_err err = { 0 };
    CHECK_OK(rig_open(&o->r, &err));
    CHECK_OK(rig_put(&o->r, "x", o->size, o->salt, &err));
    vault_close(&o->r.v);
}

static void other_removes_x(void *ctx)
{
    struct other *o = ctx;
    struct qc_err err = { 0 };
    struct vault_remove_result removed;
    CHECK_OK(rig_open(&o->r, &err));
    struct vault_call call = rig_call(&o->r);
    o->r.fake->before_list = NULL;
    CHECK_OK(vault_remove(o->r.v, qc_span_str("x"), &call, &removed, &err));
    vault_close(&o->r.v);
}

static void other_like(struct other *o, const struct rig *r, uint64_t salt)
{
    *o = (struct other){ .r = rig_other(r, salt * 1000003), .size = 500, .salt = salt };
    o->r.notes = (struct vault_notes){ 0 };
}

static qc_rc count(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    (void)s;
    (void)err;
    ++*(unsigned *)ctx;
    return QC_OK;
}

/* Between a gateway's answer and the look at the marks, another client commits and raises them. */
static void overtaken(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct other o;
    unsigned n = 0;
    other_like(&o, r, 1);
    r->fake->before_ctx = &o;
    r->fake->after_entry = other_puts_x; /* "never existed", and then it does */
    CHECK_OK(rig_get(r, "x", 500, 1, &err));
    o.salt = 2;
    r->fake->after_entry = other_puts_x; /* number 1, and then there is number 2 */
    CHECK_OK(rig_get(r, "x", 500, 2, &err));
    o.salt = 3;
    r->fake->after_entry = other_puts_x; /* the same before a put: it becomes number 4 */
    CHECK_OK(rig_put(r, "x", 500, 4, &err));
    CHECK_OK(rig_get(r, "x", 500, 4, &err));
    o.salt = 5;
    r->fake->before_list = other_puts_x; /* in a listing */
    CHECK_OK(vault_list(r->v, (qc_span){ 0 }, count, &n, &call, &err));
    r->fake->before_list = NULL;
    CHECK(n == 1);
    CHECK_OK(rig_get(r, "x", 500, 5, &err));
    CHECK(r->notes.n == 0);
    struct vault_verify_result result;
    r->fake->before_list = other_removes_x; /* listed, and then removed: nothing is wrong with it */
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, NULL, NULL, &call, &result, &err));
    CHECK(result.worst == QC_OK && result.objects == 0);
    CHECK_RC(rig_get(r, "x", 500, 5, &err), QC_NOTFOUND);
    CHECK_OK(rig_put(r, "x", 500, 5, &err));
    struct fake_version *v = &r->fake->version[r->fake->versions - 1];
    v->object[0] ^= 1; /* it is there, and its data are not: that is wrong */
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, NULL, NULL, &call, &result, &err));
    CHECK(result.bad == 1 && result.worst == QC_QUORUM);
    REFUSED(rig_get(r, "x", 500, 5, &err), QC_QUORUM, "no data of this version");
    v->object[0] ^= 1;
    CHECK_OK(rig_get(r, "x", 500, 5, &err));
    vault_notes_done(&r->notes);
    /* A gateway that stays behind is one, however often it is asked. */
    struct fake_image *before = fake_save(r->fake);
    CHECK_OK(rig_put(r, "x", 500, 6, &err));
    struct fake_image *after = fake_save(r->fake);
    fake_restore(r->fake, before);
    REFUSED(rig_get(r, "x", 500, 5, &err), QC_INTEGRITY, "rollback");
    REFUSED(vault_list(r->v, (qc_span){ 0 }, count, &n, &call, &err), QC_INTEGRITY, "rollback");
    fake_restore(r->fake, after);
    CHECK_OK(rig_get(r, "x", 500, 6, &err));
    fake_image_free(&before);
    fake_image_free(&after);
    vault_notes_done(&o.r.notes);
}

static qc_rc keep_found(void *ctx, const struct vault_stat *s, qc_span found, struct qc_err *err)
{
    qc_buf *b = ctx;
    CHECK(qc_span_eq(qc_buf_span(&s->name), qc_span_str("x")) && s->size == 500 && found.n > 0);
    qc_buf_clear(b);
    return qc_buf_add(b, found, err);
}

static qc_rc get_found(struct rig *r, qc_span found, uint64_t salt, struct qc_err *err)
{
    const struct vault_get_opts opts = { .found = found };
    struct rig_sink s = { .salt = salt, .size = 500 };
    const struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    const struct vault_call call = rig_call(r);
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    const qc_rc rc = vault_get_part(r->v, qc_span_str("x"), &opts, &sink, &call, &got, err);
    CHECK(s.finished == (rc == QC_OK) && (rc != QC_OK || s.at == 500));
    return rc;
}

/* What a listing found is got as it was, or as it is by now, and never as it was before what is known. */
static void found_by_a_listing(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    QC_CLEANUP(qc_buf_free) qc_buf found = { .max = 65536 };
    QC_CLEANUP(qc_buf_free) qc_buf older = { .max = 65536 };
    struct other o;
    other_like(&o, r, 11);
    CHECK_OK(rig_put(r, "x", 500, 11, &err));
    struct fake_image *before = fake_save(r->fake);
    CHECK_OK(vault_find(r->v, qc_span_str("x"), keep_found, &older, &call, &err));
    r->fake->before_ctx = &o;
    r->fake->after_entry = other_puts_x; /* nobody asks for an entry: it is not called */
    CHECK_OK(get_found(r, qc_buf_span(&older), 11, &err));
    r->fake->after_entry = NULL;
    o.salt = 12;
    other_puts_x(&o);
    CHECK_OK(get_found(r, qc_buf_span(&older), 12, &err));
    struct fake_image *after = fake_save(r->fake);
    fake_restore(r->fake, before);
    CHECK_OK(vault_find(r->v, qc_span_str("x"), keep_found, &found, &call, &err));
    REFUSED(get_found(r, qc_buf_span(&found), 11, &err), QC_INTEGRITY, "rollback");
    fake_restore(r->fake, after);
    struct fake_version *v = &r->fake->version[r->fake->versions - 1];
    CHECK_OK(vault_find(r->v, qc_span_str("x"), keep_found, &found, &call, &err));
    v->object[0] ^= 1;
    REFUSED(get_found(r, qc_buf_span(&found), 12, &err), QC_QUORUM, "no data of this version");
    v->object[0] ^= 1;
    struct fake_entry *e = &r->fake->entry[r->fake->entries - 1];
    e->e.seal[0] ^= 1;
    CHECK_RC(vault_find(r->v, qc_span_str("x"), keep_found, &found, &call, &err), QC_INTEGRITY);
    e->e.seal[0] ^= 1;
    other_removes_x(&o);
    CHECK_RC(get_found(r, qc_buf_span(&found), 12, &err), QC_NOTFOUND);
    fake_image_free(&before);
    fake_image_free(&after);
    vault_notes_done(&r->notes);
    vault_notes_done(&o.r.notes);
}

/* A removal of one version alone, while another client puts: the newer one stays, whoever is first. */
static void remove_of_a_version_that_was(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    struct vault_stat was = { 0 }, st = { 0 };
    struct other o;
    other_like(&o, r, 27);
    CHECK_OK(rig_put(r, "x", 500, 27, &err));
    CHECK_OK(vault_stat(r->v, qc_span_str("x"), &call, &was, &err));
    r->fake->before_ctx = &o;
    o.salt = 28;
    r->fake->after_entry = other_puts_x;
    CHECK_RC(vault_remove_version(r->v, qc_span_str("x"), was.version, &call, &removed, &err), QC_CONFLICT);
    CHECK_OK(rig_get(r, "x", 500, 28, &err));
    CHECK_RC(vault_remove_version(r->v, qc_span_str("x"), was.version, &call, &removed, &err), QC_CONFLICT);
    CHECK_OK(vault_stat(r->v, qc_span_str("x"), &call, &st, &err));
    CHECK_OK(vault_remove_version(r->v, qc_span_str("x"), st.version, &call, &removed, &err));
    CHECK_RC(rig_get(r, "x", 500, 28, &err), QC_NOTFOUND);
    CHECK_RC(vault_remove_version(r->v, qc_span_str("x"), st.version, &call, &removed, &err), QC_NOTFOUND);
    vault_stat_done(&was);
    vault_stat_done(&st);
}

/* Two writers on one name: two versions, and the chain verifies for both. A removal loses the same race. */
static void two_writers(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    struct vault_remove_result removed;
    struct vault_stat st = { 0 };
    struct other o;
    other_like(&o, r, 7);
    CHECK_OK(rig_put(r, "x", 500, 7, &err));
    CHECK_OK(vault_stat(r->v, qc_span_str("x"), &call, &st, &err));
    uint64_t number = st.number;
    vault_stat_done(&st);
    r->fake->before_ctx = &o;
    o.salt = 8;
    r->fake->after_entry = other_puts_x; /* rm has its entry, then the put comes */
    CHECK_OK(vault_remove(r->v, qc_span_str("x"), &call, &removed, &err));
    CHECK(removed.number == number + 2);
    CHECK_RC(rig_get(r, "x", 500, 8, &err), QC_NOTFOUND);
    CHECK_OK(rig_open(&o.r, &err));
    CHECK_OK(rig_put(r, "x", 500, 9, &err));
    CHECK_OK(rig_put(&o.r, "x", 500, 10, &err));
    CHECK_OK(rig_get(r, "x", 500, 10, &err));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(vault_verify(i == 0 ? r->v : o.r.v, (qc_span){ 0 }, NULL, NULL, &call, &result, &err));
        CHECK(result.worst == QC_OK && result.objects == 1);
    }
    vault_close(&o.r.v);
    vault_notes_done(&o.r.notes);
    CHECK(rig_leftovers(r) == 0);
}

/* A listing of a directory holds entries of another one, each with a good seal. */
static void foreign_entries(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    unsigned n = 0;
    CHECK_OK(rig_put(r, "dir/a", 10, 1, &err));
    CHECK_OK(rig_put(r, "outside/b", 10, 2, &err));
    CHECK_OK(vault_list(r->v, QC_LIT("dir"), count, &n, &call, &err));
    CHECK(n == 1);
    r->fake->lie_list = true;
    REFUSED(vault_list(r->v, QC_LIT("dir"), count, &n, &call, &err), QC_INTEGRITY, "another directory");
    REFUSED(vault_verify(r->v, QC_LIT("dir"), NULL, NULL, &call, &result, &err), QC_INTEGRITY,
            "another directory");
    r->fake->lie_list = false;
    CHECK_OK(vault_list(r->v, QC_LIT("dir"), count, &n, &call, &err));
}

/* Two stores that were shown two histories: of the same length, and of different ones. */
static void two_histories(struct rig *r)
{
    struct qc_err err = { 0 };
    for (unsigned extra = 0; extra < 2; extra++) {
        struct fake_image *before = fake_save(r->fake);
        vault_close(&r->v);
        rig_copy(r, "share1", "before1");
        rig_copy(r, "share2", "before2");
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(rig_put(r, "left", 10, 1, &err));
        if (extra == 1)
            CHECK_OK(rig_put(r, "left", 10, 2, &err));
        vault_close(&r->v);
        struct fake_image *left = fake_save(r->fake);
        rig_copy(r, "share1", "left1");
        rig_copy(r, "share2", "left2");
        fake_restore(r->fake, before);
        rig_copy(r, "before1", "share1");
        rig_copy(r, "before2", "share2");
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(rig_put(r, "right", 10, 1, &err));
        vault_close(&r->v);
        struct fake_image *right = fake_save(r->fake);
        rig_copy(r, "left1", "share1");
        fake_restore(r->fake, left);
        REFUSED(rig_open(r, &err), QC_INTEGRITY, extra == 0 ? "two histories" : "rollback, or two histories");
        fake_restore(r->fake, right);
        REFUSED(rig_open(r, &err), QC_INTEGRITY, extra == 0 ? "two histories" : "rollback");
        /* Stores of one history, one of them an older copy: replayed, and both are up to date after it. */
        fake_restore(r->fake, left);
        rig_copy(r, "before2", "share2");
        CHECK_OK(rig_open(r, &err));
        vault_close(&r->v);
        rig_lose(r, "share1");
        struct fake_image *now = fake_save(r->fake);
        fake_restore(r->fake, before);
        vault_notes_done(&r->notes);
        REFUSED(rig_open(r, &err), QC_INTEGRITY, "rollback");
        fake_restore(r->fake, now);
        rig_copy(r, "left1", "share1");
        rig_copy(r, "left2", "share2");
        CHECK_OK(rig_open(r, &err));
        fake_image_free(&before);
        fake_image_free(&left);
        fake_image_free(&right);
        fake_image_free(&now);
    }
}

static void sql(const struct rig *r, unsigned index, const char *statement)
{
    char command[900];
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s/store.db'); c.execute('%s'); "
             "c.commit()\"",
             r->share[index - 1], statement);
    CHECK(system(command) == 0);
}

/* Keys of rows that no writer made: verify and recover come to an end, and count them. */
static void damaged_keys(struct rig *r)
{
    static const char *const damage[] = {
        "update record set generation = 5000000000 where rowid_of",
        "update record set object_id = zeroblob(3) where rowid_of",
        "update record set version_id = 7 where rowid_of",
        "update record set generation = -2 where rowid_of",
        "update record set state = 9 where rowid_of",
    };
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    vault_close(&r->v);
    rig_copy(r, "share1", "kept1");
    rig_copy(r, "share2", "kept2");
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        struct vault_verify_result verified;
        struct vault_recover_result result;
        char statement[300];
        const char *where = strstr(damage[i], "rowid_of");
        snprintf(statement, sizeof(statement), "%.*sversion_id = (select max(version_id) from record)",
                 (int)(where - damage[i]), damage[i]);
        sql(r, 2, statement);
        vault_notes_done(&r->notes);
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, NULL, NULL, &call, &verified, &err));
        CHECK(verified.worst == QC_INTEGRITY && rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2));
        vault_close(&r->v);
        rig_lose(r, "share1");
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
        CHECK(result.failed == 1);
        vault_close(&r->v);
        rig_copy(r, "kept1", "share1");
        rig_copy(r, "kept2", "share2");
    }
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
}

/* A put broken off between the stores: filling store 1 up from store 2 must not make its commit pending. */
static void recover_keeps_commits(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    struct vault_store_expect any = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);
    CHECK_OK(rig_put(r, "kept", 10, 1, &err));
    vault_close(&r->v);
    const struct fake_entry *e = &r->fake->entry[r->fake->entries - 1];
    struct vault_store *s = NULL;
    struct vault_store_record rec = { 0 };
    CHECK_OK(vault_store_open(&s, r->share[1], VAULT_STORE_WRITE, &any, &err));
    CHECK_OK(vault_store_get(s, e->e.object, e->e.version, &rec, &err));
    rec.state = VAULT_RECORD_PENDING;
    rec.sequence = 0;
    CHECK_OK(vault_store_add(s, &rec, 1, &rng, &err));
    vault_store_record_done(&rec);
    vault_store_close(&s);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    CHECK(result.written == 0 && result.failed == 0 && result.present == result.records);
    vault_close(&r->v);
    CHECK_OK(vault_store_open(&s, r->share[0], VAULT_STORE_READ, &any, &err));
    CHECK_OK(vault_store_get(s, e->e.object, e->e.version, &rec, &err));
    CHECK(rec.state == VAULT_RECORD_COMMITTED && rec.sequence == 1);
    vault_store_record_done(&rec);
    vault_store_close(&s);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "kept", 10, 1, &err));
}

/* After an interrupted put the gateway names a number that nobody sealed: no mark is raised by it. */
static void poisoned_mark(struct rig *r)
{
    struct qc_err err = { 0 };
    r->fake->fail = FAKE_CHAIN;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_GENERAL;
    CHECK_RC(rig_put(r, "poison", 10, 1, &err), QC_GENERAL);
    struct fake_upload *u = &r->fake->upload[r->fake->uploads - 1];
    CHECK(u->state == VAULT_UPLOAD_LIVE && rig_leftovers(r) == 1);
    u->receipt.number = 1000;
    vault_notes_done(&r->notes);
    CHECK_OK(rig_put(r, "more", 10, 1, &err));
    CHECK(rig_noted(r, VAULT_NOTE_UNFINISHED, 0) && rig_leftovers(r) == 1);
    CHECK_OK(rig_get(r, "poison", 10, 1, &err));
    CHECK_OK(rig_put(r, "poison", 10, 2, &err));
    u->receipt.number = 1;
    vault_notes_done(&r->notes);
    CHECK_OK(rig_put(r, "more", 10, 2, &err));
    CHECK(rig_leftovers(r) == 0);
    CHECK_OK(rig_get(r, "poison", 10, 2, &err));
    vault_notes_done(&r->notes);
}

/* Row 35: the random source fails at the n-th draw of a put. Keys come before anything is sent; a failure
 * later (salts of records, entries) is cancelled. A put that is done succeeds or leaves nothing. */
struct failing {
    qc_rng good;
    unsigned left; /* draws until it fails; 0: it fails */
};

static qc_rc fill_or_fail(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    struct failing *f = ctx;
    if (f->left == 0)
        return QC_FAIL(err, QC_RANDOM, "as told");
    f->left--;
    return f->good.fill(f->good.ctx, p, n, err);
}

static void random_fails(struct rig *r)
{
    struct qc_err err = { 0 };
    struct failing f = { .good = qc_rand_rng(&r->rand) };
    struct vault_conf conf = rig_conf(r);
    struct vault_call call = rig_call(r);
    qc_rc rc = QC_RANDOM;
    unsigned refused = 0;
    conf.rng = (qc_rng){ .fill = fill_or_fail, .ctx = &f };
    vault_close(&r->v);
    for (unsigned n = 0; rc != QC_OK; n++) {
        CHECK(n < 60);
        struct vault_gw *gw = fake_connect(r->fake);
        f.left = 1000;
        CHECK_OK(vault_open_session(&r->v, &conf, &gw, &call, &err));
        uint64_t begun = r->fake->calls[FAKE_BEGIN], sent = r->fake->calls[FAKE_SEGMENT];
        size_t commits = r->fake->commits;
        f.left = n;
        rc = rig_put(r, "random", 10, n, &err);
        CHECK(rc == QC_OK || rc == QC_RANDOM);
        if (n < 4) /* ids, keys */
            CHECK(rc == QC_RANDOM && r->fake->calls[FAKE_BEGIN] == begun &&
                  r->fake->calls[FAKE_SEGMENT] == sent);
        CHECK((r->fake->commits == commits) == (rc != QC_OK));
        refused += rc != QC_OK;
        f.left = 1000;
        qc_err_clear(&err);
        CHECK(rig_leftovers(r) == 0 || rc == QC_OK);
        vault_close(&r->v);
    }
    fprintf(stderr, "random source: failed at each of %u draws\n", refused);
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

/* What was sent of the put that is about to be committed: a cancelled one's is not kept. */
struct sent {
    struct fake *f;
    struct blob n;
};

static void keep_sent(void *ctx)
{
    struct sent *s = ctx;
    const struct blob *seg = &s->f->upload[s->f->uploads - 1].seg[0];
    s->f->before_commit = NULL;
    CHECK(seg->n > 5000);
    s->n = (struct blob){ .p = malloc(seg->n), .n = seg->n };
    CHECK(s->n.p != NULL);
    memcpy(s->n.p, seg->p, seg->n);
}

/* Row 27: what is sealed anew is sealed under other keys: a put that failed, and one of the changed file
 * after it, have neither version, salt nor data key in common. */
static void no_key_twice(struct rig *r)
{
    struct qc_err err = { 0 };
    struct sent sent = { .f = r->fake };
    r->fake->fail = FAKE_COMMIT;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_QUORUM;
    r->fake->before_ctx = &sent;
    r->fake->before_commit = keep_sent;
    CHECK_RC(rig_put(r, "twice", 5000, 1, &err), QC_QUORUM);
    const struct blob first = sent.n;
    CHECK_OK(rig_put(r, "twice", 5000, 2, &err));
    const struct fake_entry *e = &r->fake->entry[r->fake->entries - 1];
    const struct fake_version *v = fake_version_of(r->fake, e->e.object, e->e.version);
    CHECK(v != NULL && v->n.n == first.n);
    CHECK(memcmp(first.p + 48, v->n.p + 48, 16) != 0); /* version id */
    CHECK(memcmp(first.p + 64, v->n.p + 64, 16) != 0); /* salt */
    CHECK(memcmp(first.p + 80, v->n.p + 80, 32) != 0); /* commitment: of the data key */
    free(first.p);
}

int main(void)
{
    static struct rig r;
    alarm(200); /* what goes round for ever ends as a failure */
    rig_new(&r, qc_rand_start());
    overtaken(&r);
    found_by_a_listing(&r);
    two_writers(&r);
    remove_of_a_version_that_was(&r);
    foreign_entries(&r);
    two_histories(&r);
    damaged_keys(&r);
    recover_keeps_commits(&r);
    poisoned_mark(&r);
    random_fails(&r);
    no_key_twice(&r);
    rig_done(&r);
    return 0;
}
