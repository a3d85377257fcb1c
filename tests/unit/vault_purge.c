/* unit/vault_purge: what is purged is gone in both stores and at the gateway, and nothing else is; cut off
 * anywhere it is finished by the next one; what a gateway says by itself destroys no share. */
#include "base/fault.h"
#include "vault/share_store.h"
#include "vault_rig.h"

enum { SIZE = 3000, ITEMS = 8 };

static void list(struct rig *r, const char *name, struct vault_versions *ret)
{
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    CHECK_OK(vault_versions(r->v, qc_span_str(name), &call, ret, &err));
}

/* "4c 2": numbers, c the current one; so many are gone, and none is missing. */
static void is_list(struct rig *r, const char *name, const char *want, uint64_t gone)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    char text[256] = "";
    size_t n = 0;
    list(r, name, &all);
    for (size_t i = 0; i < all.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s", i > 0 ? " " : "", (int)all.v[i].number,
                              all.v[i].current ? "c" : "");
    if (strcmp(text, want) != 0 || all.gone != gone || all.missing != 0) {
        fprintf(stderr, "'%s' has '%s', not '%s'; %d gone, %d missing\n", name, text, want, (int)all.gone,
                (int)all.missing);
        exit(1);
    }
}

/* Versions of a name by their numbers. */
static size_t pick(struct rig *r, const char *name, const unsigned *numbers, size_t count,
                   struct vault_doomed ret[ITEMS])
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    size_t n = 0;
    list(r, name, &all);
    for (size_t i = 0; i < all.n; i++)
        for (size_t x = 0; x < count; x++)
            if (all.v[i].number == numbers[x]) {
                ret[n] = (struct vault_doomed){ .sequence = all.v[i].sequence };
                memcpy(ret[n].object, all.v[i].object, VAULT_ID_BYTES);
                memcpy(ret[n++].version, all.v[i].version, VAULT_ID_BYTES);
            }
    CHECK(n == count);
    return n;
}

static qc_rc purge(struct rig *r, struct vault_doomed *items, size_t n, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    return vault_purge(r->v, items, n, &call, err);
}

static uint64_t settle(struct rig *r)
{
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    uint64_t done = 0;
    CHECK_OK(vault_purge_settle(r->v, &call, &done, &err));
    return done;
}

static bool has_share(struct rig *r, unsigned i, const struct vault_doomed *d)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record record = { 0 };
    struct vault_store *s = NULL;
    const struct vault_store_expect expect = { .index = i + 1, .passes = r->passes };
    struct qc_err err = { 0 };
    CHECK_OK(vault_store_open(&s, r->share[i], VAULT_STORE_READ, &expect, &err));
    const qc_rc rc = vault_store_get(s, d->object, d->version, &record, &err);
    CHECK(rc == QC_OK || rc == QC_NOTFOUND);
    vault_store_close(&s);
    return rc == QC_OK;
}

static void is_purged(struct rig *r, const struct vault_doomed *d, bool purged)
{
    CHECK(fake_version_of(r->fake, d->object, d->version)->purged == purged);
    for (unsigned i = 0; i < 2; i++)
        CHECK(has_share(r, i, d) == !purged);
}

static void old_ones(struct rig *r)
{
    const unsigned numbers[] = { 1, 2, 4 };
    struct vault_doomed items[ITEMS];
    struct qc_err err = { 0 };
    for (uint64_t i = 1; i <= 4; i++)
        rig_put_v(r, "x", SIZE, i);
    const size_t n = pick(r, "x", numbers, 3, items);
    CHECK_OK(purge(r, items, n, &err));
    CHECK(items[0].rc == QC_CONFLICT && items[1].rc == QC_OK && items[2].rc == QC_OK); /* 4 is the name's */
    is_purged(r, &items[0], false);
    is_purged(r, &items[1], true);
    is_purged(r, &items[2], true);
    is_list(r, "x", "4c 3", 2);
    CHECK_OK(purge(r, items, n, &err)); /* again: the same */
    CHECK(items[0].rc == QC_CONFLICT && items[1].rc == QC_OK);
    CHECK(settle(r) == 0);
    rig_put_v(r, "x", SIZE, 5);
    is_list(r, "x", "5c 4 3", 2);
    CHECK_OK(rig_get(r, "x", SIZE + 5, 5, &err));
}

struct trash {
    unsigned names, emptied;
};

static qc_rc see_removed(void *ctx, const struct vault_removed *removed, struct qc_err *err)
{
    struct trash *t = ctx;
    (void)err;
    t->names++;
    t->emptied += removed->emptied;
    return QC_OK;
}

static struct trash trash(struct rig *r)
{
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    struct trash t = { 0 };
    CHECK_OK(vault_trash(r->v, QC_LIT(""), see_removed, &t, &call, &err));
    return t;
}

/* All of a name in the trash; put again, it goes on with numbers that it never had. */
static void out_of_trash(struct rig *r)
{
    const unsigned numbers[] = { 1, 2 };
    struct vault_doomed items[ITEMS];
    struct qc_err err = { 0 };
    rig_put_v(r, "t", SIZE, 1);
    rig_put_v(r, "t", SIZE, 2);
    rig_remove(r, "t");
    CHECK(trash(r).names == 1 && trash(r).emptied == 0);
    const size_t n = pick(r, "t", numbers, 2, items);
    CHECK_OK(purge(r, items, n, &err));
    is_list(r, "t", "", 2);
    CHECK(trash(r).names == 1 && trash(r).emptied == 1);
    rig_put_v(r, "t", SIZE, 4);
    is_list(r, "t", "4c", 2);
    CHECK_OK(rig_get(r, "t", SIZE + 4, 4, &err));
}

/* Cut off at each step: not listed from the first on, and finished by the next one. */
static void cut_off(struct rig *r)
{
    static const char *const points[] = { "client_retired:error:1", "client_purged:error:1",
                                          "client_destroyed1:error:1" };
    const unsigned numbers[] = { 1 };
    struct vault_doomed items[ITEMS];
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "cut%u", i);
        rig_put_v(r, name, SIZE, 1);
        rig_put_v(r, name, SIZE, 2);
        pick(r, name, numbers, 1, items);
        qc_fault_script(points[i]);
        CHECK(purge(r, items, 1, &err) != QC_OK);
        qc_fault_script(NULL);
        CHECK(has_share(r, 0, &items[0]) == (i < 2) && has_share(r, 1, &items[0]));
        is_list(r, name, "2c", 1);
        CHECK(settle(r) == 1);
        is_purged(r, &items[0], true);
        is_list(r, name, "2c", 1);
        CHECK(settle(r) == 0);
        CHECK_OK(rig_get(r, name, SIZE + 2, 2, &err));
    }
}

/* A gateway that does not do it leaves all of it; one that says that it is gone is not believed. */
static void refused(struct rig *r)
{
    const unsigned numbers[] = { 1 };
    struct vault_doomed items[ITEMS];
    struct qc_err err = { 0 };
    rig_put_v(r, "r", SIZE, 1);
    rig_put_v(r, "r", SIZE, 2);
    pick(r, "r", numbers, 1, items);
    r->fake->fail = FAKE_PURGE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_TEMP;
    CHECK_RC(purge(r, items, 1, &err), QC_TEMP);
    r->fake->fail = FAKE_NONE;
    CHECK(has_share(r, 0, &items[0]) && has_share(r, 1, &items[0]));
    struct fake_version *v = fake_version_of(r->fake, items[0].object, items[0].version);
    v->version[0] ^= 1; /* "not found" */
    CHECK(settle(r) == 1);
    v->version[0] ^= 1;
    is_list(r, "r", "2c 1", 0); /* it is a version as before */
    is_purged(r, &items[0], false);
    v->purged = true; /* by itself */
    CHECK(settle(r) == 0);
    is_list(r, "r", "2c 1", 0);
    CHECK(has_share(r, 0, &items[0]) && has_share(r, 1, &items[0]));
    v->purged = false;
}

/* With a store away nothing is done. A store that is made anew knows what is gone. */
static void stores(struct rig *r)
{
    const unsigned numbers[] = { 1 };
    struct vault_doomed items[ITEMS], other[ITEMS];
    struct vault_recover_result result = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    rig_put_v(r, "s", SIZE, 1);
    rig_put_v(r, "s", SIZE, 2);
    rig_put_v(r, "o", SIZE, 1);
    rig_put_v(r, "o", SIZE, 2);
    pick(r, "s", numbers, 1, items);
    pick(r, "o", numbers, 1, other);
    CHECK_OK(purge(r, other, 1, &err));
    vault_close(&r->v);
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    CHECK_RC(purge(r, items, 1, &err), QC_SHARES);
    CHECK(!fake_version_of(r->fake, items[0].object, items[0].version)->purged);
    CHECK_OK(vault_recover(r->v, 2, r->share[1], &call, &result, &err));
    CHECK(result.failed == 0);
    vault_close(&r->v);
    CHECK_OK(rig_open(r, &err));
    is_list(r, "s", "2c 1", 0);
    is_list(r, "o", "2c", 1);
    is_purged(r, &other[0], true);
    CHECK_OK(purge(r, items, 1, &err));
    is_purged(r, &items[0], true);
    vault_notes_done(&r->notes);
}

static void all(bool derived)
{
    struct rig r;
    rig_new_mode(&r, qc_rand_start(), derived);
    old_ones(&r);
    out_of_trash(&r);
    cut_off(&r);
    refused(&r);
    stores(&r);
    rig_done(&r);
}

int main(void)
{
    all(false);
    all(true);
    return 0;
}
