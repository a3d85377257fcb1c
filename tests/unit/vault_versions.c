/* unit/vault_versions: the versions of a name are what the share stores say, whatever the gateway does; each
 * is opened as itself or not at all (I2); a removal is taken back; who is overtaken keeps the numbers right.
 */
#include "vault/share_store.h"
#include "vault_rig.h"

enum { SIZE = 70000, VERSIONS_MAX = 16 };

static qc_rc list(struct rig *r, const char *name, struct vault_versions *ret, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    return vault_versions(r->v, qc_span_str(name), &call, ret, err);
}

/* "4c 3 2r 1r": numbers, c the current one, r beneath a removal. */
static void is_list(struct rig *r, const char *name, const char *want)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    char text[256] = "";
    size_t n = 0;
    CHECK_OK(list(r, name, &all, &err));
    CHECK(all.n <= VERSIONS_MAX);
    for (size_t i = 0; i < all.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s%s", i > 0 ? " " : "", (int)all.v[i].number,
                              all.v[i].current ? "c" : "", all.v[i].removed ? "r" : "");
    if (strcmp(text, want) != 0) {
        fprintf(stderr, "'%s' has %s, not %s\n", name, text, want);
        exit(1);
    }
}

static qc_rc get_which(struct rig *r, const char *name, const struct vault_which *which, uint64_t size,
                       uint64_t salt, struct qc_err *err)
{
    struct rig_sink s = { .salt = salt, .size = size };
    const struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    struct vault_call call = rig_call(r);
    struct vault_got got = { 0 };
    qc_rc rc = vault_get_part(r->v, qc_span_str(name), &(struct vault_get_opts){ .which = which }, &sink,
                              &call, &got, err);
    CHECK(s.finished == (rc == QC_OK) && (rc != QC_OK || s.at == size));
    vault_got_done(&got);
    return rc;
}

static qc_rc get_v(struct rig *r, const char *name, uint64_t number, uint64_t salt, struct qc_err *err)
{
    return get_which(r, name, &(struct vault_which){ .number = number }, SIZE + number, salt, err);
}

static struct fake_version *stored(struct rig *r, const char *name, uint64_t number)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(list(r, name, &all, &err));
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].number == number)
            return fake_version_of(r->fake, all.v[i].object, all.v[i].version);
    CHECK(false);
    return NULL;
}

static void each_by_itself(struct rig *r)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    for (uint64_t i = 1; i <= 3; i++)
        rig_put_v(r, "x", SIZE, i);
    rig_put_v(r, "y", SIZE, 1);
    is_list(r, "x", "3c 2 1");
    is_list(r, "y", "1c");
    CHECK_OK(list(r, "x", &all, &err));
    for (size_t i = 0; i < all.n; i++) {
        const uint64_t number = all.v[i].number;
        CHECK_OK(get_v(r, "x", number, number, &err));
        CHECK_OK(get_which(r, "x", &(struct vault_which){ .version = all.v[i].version }, SIZE + number,
                           number, &err));
    }
    REFUSED(get_v(r, "x", 4, 0, &err), QC_NOTFOUND, "it has no version v4; there are v3, v2, v1");
    REFUSED(get_which(r, "y", &(struct vault_which){ .version = all.v[0].version }, 0, 0, &err), QC_NOTFOUND,
            "no version of that id; there are v1");
    REFUSED(get_v(r, "none", 1, 0, &err), QC_NOTFOUND, "no object has this name");
    CHECK(r->notes.n == 0);
}

static void swap(struct blob *a, struct blob *b)
{
    struct blob t = *a;
    *a = *b;
    *b = t;
}

/* What the gateway may say of an older version, and what comes of it. */
static void hostile(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v1 = stored(r, "x", 1), *v2 = stored(r, "x", 2), *y = stored(r, "y", 1);
    swap(&v1->n, &v2->n);
    REFUSED(get_v(r, "x", 1, 1, &err), QC_INTEGRITY, "header: version id");
    swap(&v1->n, &v2->n);
    swap(&v1->n, &y->n); /* of the same size */
    REFUSED(get_v(r, "x", 1, 1, &err), QC_INTEGRITY, "header: object id");
    swap(&v1->n, &y->n);
    v1->n.p[v1->n.n - 500] ^= 1;
    CHECK(get_v(r, "x", 1, 1, &err) != QC_OK);
    v1->n.p[v1->n.n - 500] ^= 1;
    for (int more = -40; more <= 40; more += 8) {
        r->fake->info_more = (uint64_t)more;
        CHECK((get_v(r, "x", 1, 1, &err) == QC_OK) == (more == 0));
    }
    r->fake->info_more = 0;
    v1->version[0] ^= 1; /* withheld: not hidden */
    is_list(r, "x", "3c 2 1");
    REFUSED(get_v(r, "x", 1, 1, &err), QC_QUORUM, "v1: the gateway says that it has no such version");
    v1->version[0] ^= 1;
    CHECK_OK(get_v(r, "x", 1, 1, &err));
    vault_notes_done(&r->notes);
}

/* An older entry, another path's, or none: no list, rather than a shorter one. */
static void hostile_entries(struct rig *r)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    struct fake_image *before = fake_save(r->fake);
    rig_put_v(r, "x", SIZE, 4);
    struct fake_image *after = fake_save(r->fake);
    fake_restore(r->fake, before);
    REFUSED(list(r, "x", &all, &err), QC_INTEGRITY, "rollback");
    const size_t entries = r->fake->entries;
    r->fake->entries = 0;
    REFUSED(list(r, "x", &all, &err), QC_INTEGRITY, "rollback");
    r->fake->entries = entries;
    fake_restore(r->fake, after);
    struct vault_entry was = r->fake->entry[0].e;
    r->fake->entry[0].e = r->fake->entry[1].e;
    REFUSED(list(r, "x", &all, &err), QC_INTEGRITY, "entry: seal");
    r->fake->entry[0].e = was;
    r->fake->entry[0].e.number++;
    REFUSED(list(r, "x", &all, &err), QC_INTEGRITY, "entry: seal");
    r->fake->entry[0].e = was;
    is_list(r, "x", "4c 3 2 1");
    fake_image_free(&before);
    fake_image_free(&after);
}

static void damage(struct rig *r, unsigned store, const char *sql)
{
    char command[1200];
    snprintf(
        command, sizeof(command),
        "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s/store.db'); c.execute(\\\"%s\\\"); "
        "c.commit()\"",
        r->share[store], sql);
    CHECK(system(command) == 0);
}

/* One store is enough for list and bytes; a record that is damaged in both is missed, and said so. */
static void stores(struct rig *r)
{
    struct qc_err err = { 0 };
    static const char flip[] = "update record set sealed = zeroblob(64) where state = 2 and sequence = 2";
    rig_copy(r, "share1", "kept1");
    rig_copy(r, "share2", "kept2");
    for (unsigned i = 0; i < 2; i++) {
        vault_close(&r->v);
        rig_lose(r, i == 0 ? "share1" : "share2");
        CHECK_OK(rig_open(r, &err));
        is_list(r, "x", "4c 3 2 1");
        CHECK_OK(get_v(r, "x", 1, 1, &err));
        vault_close(&r->v);
        rig_copy(r, i == 0 ? "kept1" : "kept2", i == 0 ? "share1" : "share2");
    }
    vault_notes_done(&r->notes);
    damage(r, 0, flip);
    CHECK_OK(rig_open(r, &err));
    is_list(r, "x", "4c 3 2 1");
    CHECK(!rig_noted(r, VAULT_NOTE_VERSIONS, 0));
    CHECK_OK(get_v(r, "x", 2, 2, &err));
    vault_close(&r->v);
    damage(r, 1, flip);
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
    is_list(r, "x", "4c 3 1");
    CHECK(rig_noted(r, VAULT_NOTE_VERSIONS, 0));
    REFUSED(get_v(r, "x", 2, 2, &err), QC_NOTFOUND, "there are v4, v3, v1");
    vault_close(&r->v);
    rig_copy(r, "kept1", "share1");
    rig_copy(r, "kept2", "share2");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

struct seen {
    char text[200];
    unsigned known;
};

static qc_rc see(void *ctx, const struct vault_removed *one, struct qc_err *err)
{
    struct seen *s = ctx;
    const size_t n = strlen(s->text);
    (void)err;
    snprintf(s->text + n, sizeof(s->text) - n, "%.*s@%d ", (int)one->name.n, (const char *)one->name.p,
             (int)one->newest);
    s->known += one->known;
    CHECK(!one->known || (one->removed_s <= qc_wall_s() && one->newest == one->number - 1));
    return QC_OK;
}

static void is_trash(struct rig *r, const char *prefix, const char *want, unsigned known)
{
    struct seen s = { 0 };
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    CHECK_OK(vault_trash(r->v, qc_span_str(prefix), see, &s, &call, &err));
    CHECK(strcmp(s.text, want) == 0 && s.known == known);
}

static struct vault *second(struct rig *r, struct qc_rand *rand)
{
    struct vault *v = NULL;
    struct qc_err err = { 0 };
    struct vault_conf conf = rig_conf(r);
    struct vault_call call = rig_call(r);
    struct vault_gw *gw = fake_connect(r->fake);
    *rand = r->rand;
    rand->state += 77;
    conf.rng = qc_rand_rng(rand); /* used by a thread of its own */
    CHECK_OK(vault_open_session(&v, &conf, &gw, &call, &err));
    return v;
}

static qc_rc restore(struct rig *r, const char *name, uint64_t number, struct vault_put_result *ret,
                     struct qc_err *err)
{
    struct qc_rand rand;
    struct vault *reader = second(r, &rand);
    struct vault_call call = rig_call(r);
    const struct vault_which which = { .number = number };
    const qc_rc rc = vault_restore(r->v, reader, qc_span_str(name), &which, &call, ret, err);
    vault_close(&reader);
    return rc;
}

/* Removed, restored, removed again: every version is there, in its place. */
static void trash(struct rig *r)
{
    struct vault_put_result put;
    struct qc_err err = { 0 };
    is_trash(r, "", "", 0);
    rig_put_v(r, "d/gone", SIZE, 1);
    rig_put_v(r, "d/gone", SIZE, 2);
    rig_remove(r, "d/gone");
    rig_remove(r, "y");
    is_trash(r, "", "d/gone@2 y@1 ", 2);
    is_trash(r, "d/", "d/gone@2 ", 1);
    is_list(r, "d/gone", "2r 1r");
    REFUSED(rig_get(r, "d/gone", SIZE + 2, 2, &err), QC_NOTFOUND, "it was removed");
    CHECK_OK(get_v(r, "d/gone", 1, 1, &err));
    CHECK_OK(restore(r, "d/gone", 1, &put, &err));
    CHECK(put.number == 4);
    CHECK_OK(rig_get(r, "d/gone", SIZE + 1, 1, &err));
    is_list(r, "d/gone", "4c 2r 1r");
    is_trash(r, "", "y@1 ", 1);
    CHECK_OK(restore(r, "d/gone", 2, &put, &err)); /* from beneath the removal, over what is there */
    rig_remove(r, "d/gone");
    is_list(r, "d/gone", "5r 4r 2r 1r");
    CHECK_OK(restore(r, "d/gone", 4, &put, &err));
    is_list(r, "d/gone", "7c 5r 4r 2r 1r");
    REFUSED(get_v(r, "d/gone", 6, 0, &err), QC_NOTFOUND, "there are v7, v5, v4, v2, v1");
    CHECK(r->notes.n == 0 && rig_leftovers(r) == 0);
}

/* A removal that does not take place, and one that nobody has noted. */
static void removals_that_fail(struct rig *r)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_remove_result removed;
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    rig_put_v(r, "f", SIZE, 1);
    r->fake->fail = FAKE_ENTRY_REMOVE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_QUORUM;
    REFUSED(vault_remove(r->v, qc_span_str("f"), &call, &removed, &err), QC_QUORUM, "injected");
    r->fake->fail = FAKE_NONE;
    is_list(r, "f", "1c");
    rig_put_v(r, "f", SIZE, 2);
    is_list(r, "f", "2c 1");
    rig_remove(r, "f");
    is_list(r, "f", "2r 1r");
    for (unsigned i = 0; i < 2; i++) /* as an older program leaves it */
        damage(r, i, "delete from item where name like 'removed/%'");
    REFUSED(list(r, "f", &all, &err), QC_NOTFOUND, "noted which object it was");
    is_trash(r, "f", "f@0 ", 0);
    rig_put_v(r, "f", SIZE, 4);
    CHECK_OK(list(r, "f", &all, &err));
    CHECK(all.n == 1 && all.v[0].number == 4 && all.unknown == 3);
    CHECK_OK(rig_get(r, "f", SIZE + 4, 4, &err));
}

/* A note counts under its seal, of its own place; the other store's serves. */
static void notes_damaged(struct rig *r)
{
    static const char exchange[] = /* that of its last removal is that of the one before */
        "update item set value = (select o.value from item o where o.name like 'removed/%0000000000000003') "
        "where name like 'removed/%0000000000000006'";
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    rig_copy(r, "share1", "kept1");
    rig_copy(r, "share2", "kept2");
    damage(r, 0, exchange);
    is_list(r, "d/gone", "7c 5r 4r 2r 1r");
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1) && !rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2));
    damage(r, 1, "update item set value = substr(value, 2) where name like 'removed/%'");
    CHECK_OK(list(r, "d/gone", &all, &err));
    CHECK(all.n == 1 && all.unknown == 6 && rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2));
    vault_close(&r->v);
    rig_copy(r, "kept1", "share1");
    rig_copy(r, "kept2", "share2");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

static void overtake_by_rm(void *ctx)
{
    struct rig *other = ctx;
    struct qc_err err = { 0 };
    other->fake->before_commit = NULL;
    CHECK_OK(rig_open(other, &err));
    rig_remove(other, "s");
    vault_close(&other->v);
}

/* Its object is another's by then, which has two versions, and a removal beneath them. */
static uint64_t another_from;
static void overtake_by_another(void *ctx)
{
    struct rig *other = ctx;
    struct qc_err err = { 0 };
    other->fake->before_commit = NULL;
    CHECK_OK(rig_open(other, &err));
    rig_remove(other, "o");
    rig_put_v(other, "o", SIZE, another_from);
    rig_put_v(other, "o", SIZE, another_from + 1);
    vault_close(&other->v);
}

static void overtake_by_put(void *ctx)
{
    struct rig *other = ctx;
    struct qc_err err = { 0 };
    other->fake->before_commit = NULL;
    CHECK_OK(rig_open(other, &err));
    rig_put_v(other, "t", SIZE, 1);
    vault_close(&other->v);
}

/* While a put is under way its name is removed, or put for the first time: the numbers are those that each
 * was told. */
static void overtaken(struct rig *r)
{
    struct vault_put_result put;
    struct qc_err err = { 0 };
    struct rig other = rig_other(r, 1000003);
    r->fake->before_ctx = &other;
    rig_put_v(r, "s", SIZE, 1);
    rig_put_v(r, "s", SIZE, 2);
    r->fake->before_commit = overtake_by_rm;
    rig_put_v(r, "s", SIZE, 4);
    is_list(r, "s", "4c 2 1");
    CHECK_OK(get_v(r, "s", 2, 2, &err));
    CHECK_OK(get_v(r, "s", 1, 1, &err));
    rig_put_v(r, "s", SIZE, 5);
    rig_remove(r, "s");
    is_list(r, "s", "5r 4r 2r 1r");
    rig_put_v(r, "o", SIZE, 1);
    rig_put_v(r, "o", SIZE, 2);
    another_from = 4;
    r->fake->before_commit = overtake_by_another;
    rig_put_v(r, "o", SIZE, 6);
    is_list(r, "o", "6c 5 4 2 1");
    for (uint64_t i = 1; i <= 6; i++)
        if (i != 3)
            CHECK_OK(get_v(r, "o", i, i, &err));
    rig_put_v(r, "o", SIZE, 7);
    rig_remove(r, "o");
    rig_put_v(r, "o", SIZE, 9);
    is_list(r, "o", "9c 7r 6r 5r 4r 2r 1r");
    another_from = 11;
    r->fake->before_commit = overtake_by_another; /* a gap within what is beneath another */
    rig_put_v(r, "o", SIZE, 13);
    is_list(r, "o", "13c 12 11 9 7r 6r 5r 4r 2r 1r");
    r->fake->before_commit = overtake_by_put;
    rig_put_v(r, "t", SIZE, 2);
    is_list(r, "t", "2c 1");
    CHECK_OK(get_v(r, "t", 1, 1, &err));
    r->fake->before_commit =
        overtake_by_put; /* a restore is not for what somebody else has stored meanwhile */
    REFUSED(restore(r, "t", 1, &put, &err), QC_CONFLICT, "another version was stored meanwhile");
    is_list(r, "t", "3c 2 1");
    CHECK(rig_leftovers(r) == 0);
    vault_notes_done(&r->notes);
}

/* The list and the trash outlive the loss of either store. */
static void recovered(struct rig *r)
{
    struct vault_recover_result result;
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    vault_close(&r->v);
    rig_lose(r, "share1");
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    vault_close(&r->v);
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    is_list(r, "s", "5r 4r 2r 1r");
    is_list(r, "t", "3c 2 1");
    CHECK_OK(get_v(r, "s", 2, 2, &err));
    is_trash(r, "s", "s@5 ", 1);
    vault_notes_done(&r->notes);
}

static qc_rc get_at(struct rig *r, int64_t at_s, uint64_t number, struct qc_err *err)
{
    return get_which(r, "when", &(struct vault_which){ .by_time = true, .at_s = at_s }, SIZE + number, number,
                     err);
}

static int64_t next_second(void)
{
    const int64_t now = qc_wall_s();
    for (unsigned i = 0; i < 3000 && qc_wall_s() <= now + 1; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    CHECK(qc_wall_s() > now + 1);
    return now + 1; /* after what was stored before, and before what will be */
}

static void by_time(struct rig *r)
{
    struct qc_err err = { 0 };
    const int64_t start = qc_wall_s() - 1;
    rig_put_v(r, "when", SIZE, 1);
    const int64_t after1 = next_second();
    rig_put_v(r, "when", SIZE, 2);
    const int64_t after2 = next_second();
    rig_remove(r, "when");
    REFUSED(get_at(r, start, 0, &err), QC_NOTFOUND, "no version was stored by that time; there are v2, v1");
    CHECK_OK(get_at(r, after1, 1, &err));
    CHECK_OK(get_at(r, after2, 2, &err));
    REFUSED(get_at(r, qc_wall_s(), 0, &err), QC_NOTFOUND, "it was removed by that time");
    struct vault_call call = rig_call(r);
    struct vault_stat s = { 0 };
    CHECK_OK(
        vault_version_stat(r->v, qc_span_str("when"), &(struct vault_which){ .number = 1 }, &call, &s, &err));
    CHECK(s.size == SIZE + 1 && s.has_stored && s.stored_s > start && s.stored_s <= after1);
    CHECK(vault_stat_stored(&s) == s.stored_s && s.margin == 2 && s.margin_full == 2);
    vault_stat_done(&s);
}

int main(void)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    each_by_itself(&r);
    hostile(&r);
    hostile_entries(&r);
    stores(&r);
    trash(&r);
    notes_damaged(&r);
    removals_that_fail(&r);
    by_time(&r);
    overtaken(&r);
    recovered(&r);
    rig_done(&r);
    return 0;
}
