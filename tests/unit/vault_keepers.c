/* unit/vault_keepers: which place is the keeper, and which was: a change that was cut off is remembered, the
 * same place by another name is none, and one that is the vault's already gets nothing. */
#include "base/fault.h"
#include "kept_rig.h"
#include "vault/keepers.h"

/* What `status` is told: how it is with the keeper, and of how many others something may be needed. */
static unsigned asked(struct kept *k, qc_rc rc, const char *first)
{
    QC_CLEANUP(vault_keeper_status_done) struct vault_keeper_status s = { 0 };
    struct qc_err err = { 0 };
    const struct vault_conf conf = rig_conf(&k->r);
    const struct vault_op op = { .cancel = NULL };
    CHECK_OK(vault_status_keeper(&s, &conf, &op, &err));
    CHECK(s.stores.keeper != NULL &&
          (s.why.rc != QC_NOTFOUND || strcmp(s.stores.keeper, k->keeper[0]->url) == 0 ||
           s.stores.before_count == 1));
    if (s.why.rc != rc)
        fprintf(stderr, "%s: %s\n", qc_rc_name(s.why.rc), s.why.msg);
    CHECK(s.why.rc == rc);
    CHECK(first == NULL || strcmp(s.stores.before[0], first) == 0);
    return (unsigned)s.stores.before_count;
}

/* Cut off wherever it is: what an earlier run has left at the keeper before is known until a run comes to its
 * end with nothing under way. */
static void remembered(struct qc_rand rand)
{
    static const char *const cuts[] = { "",
                                        "refresh_first:error:1",
                                        "refresh_vault:error:1",
                                        "refresh_used:error:1",
                                        "refresh_backups:error:1",
                                        "refresh_ended1:error:1" };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct kept k;
        struct qc_err err = { 0 };
        const char *old;
        start(&k, rand);
        old = k.keeper[0]->url;
        CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
        CHECK(asked(&k, QC_OK, NULL) == 0);
        vault_close(&k.r.v);
        k.r.keeper = k.keeper[1];
        CHECK(asked(&k, QC_NOTFOUND, NULL) == 0); /* the configuration alone was changed: the stores say it */
        CHECK_OK(rig_open(&k.r, &err));
        struct vault_call call = rig_call(&k.r);
        if (cuts[i][0] != '\0') {
            qc_fault_script(cuts[i]);
            CHECK_RC(vault_refresh(k.r.v, &call, &(struct vault_refresh_result){ 0 }, &err), QC_IO);
            qc_fault_script(NULL);
            qc_err_clear(&err);
            CHECK(asked(&k, i == 1 ? QC_NOTFOUND : QC_OK, old) == 1);
            CHECK(strcmp(vault_keeper_before(k.r.v, 0), old) == 0);
            CHECK_OK(rig_open(&k.r, &err));
        }
        refresh(&k);
        CHECK(strcmp(vault_keeper_before(k.r.v, 0), old) == 0 && vault_keeper_before(k.r.v, 1) == NULL);
        CHECK(asked(&k, QC_OK, NULL) == 0 && has(&k, 1) == 2);
        CHECK_OK(rig_open(&k.r, &err));
        refresh(&k);
        CHECK(vault_keeper_before(k.r.v, 0) == NULL);
        vault_notes_done(&k.r.notes);
        done(&k);
    }
}

/* The same place by another name is no change: nothing of it is called another's. */
static void by_another_name(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_keeper *alias = NULL;
    char link[320], url[340];
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    snprintf(link, sizeof link, "%s/alias", k.dir.path);
    snprintf(url, sizeof url, "file://%s", link);
    CHECK(symlink(k.place[0], link) == 0);
    CHECK_OK(home_keeper_new(&alias, url, NULL, &err));
    k.r.keeper = alias;
    CHECK(asked(&k, QC_OK, NULL) == 0);
    CHECK_OK(rig_open(&k.r, &err));
    refresh(&k);
    CHECK(vault_keeper_before(k.r.v, 0) == NULL && asked(&k, QC_OK, NULL) == 0 && has(&k, 0) == 2);
    vault_close(&k.r.v);
    home_keeper_free(&alias);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* A place that is a share store, or within one, or has a gateway's identity, gets nothing, whoever wrote it
 * into the configuration; what is there is read. */
static void not_apart(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_op op = { .cancel = NULL };
    struct vault_keeper *inside = NULL;
    char path[620], url[640];
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    snprintf(path, sizeof path, "%s/i", k.place[0]);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/i/cloud", k.place[0]);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fclose(f) == 0);
    CHECK(asked(&k, QC_USAGE, NULL) == 0);
    CHECK_OK(rig_open(&k.r, &err));
    REFUSED(rig_put(&k.r, "b", SIZE, 2, &err), QC_USAGE, "is a cloud of a gateway");
    struct vault_call call = rig_call(&k.r);
    REFUSED(vault_refresh(k.r.v, &call, &(struct vault_refresh_result){ 0 }, &err), QC_USAGE, "is a cloud");
    snprintf(url, sizeof url, "file://%s", k.place[0]);
    REFUSED(home_keeper_make(url, NULL, &op, &err), QC_USAGE, "is a cloud of a gateway");
    CHECK(unlink(path) == 0 && k.r.fake->versions == 1 && rig_leftovers(&k.r) == 0);
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    snprintf(path, sizeof path, "%s/inside", k.r.share[0]);
    snprintf(url, sizeof url, "file://%s", path);
    qc_tree_copy(k.place[0], path);
    CHECK_OK(home_keeper_new(&inside, url, NULL, &err));
    k.r.keeper = inside;
    CHECK_OK(rig_open(&k.r, &err));
    REFUSED(rig_put(&k.r, "c", SIZE, 3, &err), QC_USAGE, "are one place");
    CHECK(k.r.fake->versions == 2 && asked(&k, QC_USAGE, NULL) == 0);
    vault_close(&k.r.v);
    rig_lose(&k.r, "share2");
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(rig_get(&k.r, "b", SIZE, 2, &err));
    vault_close(&k.r.v);
    home_keeper_free(&inside);
    vault_notes_done(&k.r.notes);
    done(&k);
}

static struct vault_swept swept(struct kept *k, int64_t age_s)
{
    struct vault_swept ret;
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(&k->r);
    CHECK_OK(rig_open(&k->r, &err));
    CHECK_OK(vault_keeper_sweep(k->r.v, age_s, &call, &ret, &err));
    return ret;
}

/* A put that ends with its B at the keeper and its journal lost, as of a machine that is; its upload stays
 * open. */
static void put_lost(struct kept *k, const char *name)
{
    struct qc_err err = { 0 };
    char command[700];
    qc_fault_script("client_kept:error:1,client_cancelled:error:1");
    CHECK_RC(rig_put(&k->r, name, SIZE, 2, &err), QC_IO);
    qc_fault_script(NULL);
    snprintf(command, sizeof command, "rm -r %s/journal", k->r.state);
    CHECK(system(command) == 0);
}

/* In the directory of what is noted. */
static int in_state(struct kept *k, const char *command)
{
    char all[700];
    snprintf(all, sizeof all, "cd %s && %s", k->r.state, command);
    return system(all);
}

/* A put that was killed and goes on, on the machine that has its journal: neither what was noted before it
 * went on nor that it is decided and not live for long makes its B anybody's. */
static void goes_on(struct kept *k, struct fake_upload *u)
{
    struct vault_swept got;
    u->state = VAULT_UPLOAD_CANCELLED; /* as who looks before its upload is open */
    got = swept(k, 0);
    CHECK(got.removed == 0 && got.left == 1 && in_state(k, "test -f keeper.strays") == 0);
    u->state = VAULT_UPLOAD_OPEN; /* that was noted is forgotten */
    for (unsigned i = 0; i < 3; i++) {
        got = swept(k, 0);
        CHECK(got.removed == 0 && got.left == 1 && has(k, 0) == 3);
        CHECK(in_state(k, "test ! -e keeper.strays") == 0);
    }
    u->state = VAULT_UPLOAD_DECIDED;
    for (unsigned i = 0; i < 3; i++) {
        got = swept(k, 0);
        CHECK(got.removed == 0 && got.left == 0 && has(k, 0) == 3);
    }
}

/* What an earlier run has noted is damaged: it has noted nothing. */
static void bad_notes(struct kept *k)
{
    static const char *const spoil[] = {
        "printf x | dd of=keeper.strays bs=1 seek=2 conv=notrunc status=none",
        "truncate -s -1 keeper.strays",
        "truncate -s +1 keeper.strays",
        "printf '\\002' | dd of=keeper.strays bs=1 seek=4 conv=notrunc status=none",
        "printf '\\377' | dd of=keeper.strays bs=1 seek=8 conv=notrunc status=none",
        ": >keeper.strays",
        "truncate -s 1M keeper.strays"
    };
    for (size_t i = 0; i < sizeof spoil / sizeof spoil[0]; i++) {
        CHECK(in_state(k, spoil[i]) == 0);
        const struct vault_swept got = swept(k, 0);
        CHECK(got.removed == 0 && got.left == 1);
    }
}

/* What belongs to nothing goes, in two runs and no sooner than its time; what is being put, what another copy
 * of the stores has stored, and what is stored, stays. */
static void sweeps(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_swept got;
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    got = swept(&k, 0);
    CHECK(got.removed == 0 && got.left == 0 && has(&k, 0) == 2);
    put_lost(&k, "b");
    struct fake_upload *open = &k.r.fake->upload[k.r.fake->uploads - 1];
    CHECK(has(&k, 0) == 3);
    goes_on(&k, open);
    open->state = VAULT_UPLOAD_CANCELLED;
    got = swept(&k, 0); /* for the first time */
    CHECK(got.removed == 0 && got.left == 1);
    got = swept(&k, 3600); /* not long ago */
    CHECK(got.removed == 0 && got.left == 1 && has(&k, 0) == 3);
    got = swept(&k, 0);
    CHECK(got.removed == 1 && got.left == 0 && has(&k, 0) == 2);
    CHECK_OK(rig_get(&k.r, "a", SIZE, 1, &err));
    put_lost(&k, "c"); /* never noted before: it stays once */
    k.r.fake->upload[k.r.fake->uploads - 1].state = VAULT_UPLOAD_CANCELLED;
    got = swept(&k, 0);
    CHECK(got.removed == 0 && got.left == 1);
    bad_notes(&k);
    CHECK(in_state(&k, "printf '\\177' | dd of=keeper.strays bs=1 seek=44 conv=notrunc status=none") == 0);
    got = swept(&k, 3600); /* noted by a clock that was ahead */
    CHECK(got.removed == 0 && got.left == 1);
    got = swept(&k, 0);
    CHECK(got.removed == 1 && got.left == 0 && has(&k, 0) == 2);
    vault_close(&k.r.v);
    rig_copy(&k.r, "share1", "before1"); /* others store with other copies of the stores */
    rig_copy(&k.r, "share2", "before2");
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(rig_put(&k.r, "d", SIZE, 4, &err));
    vault_close(&k.r.v);
    rig_copy(&k.r, "before1", "share1");
    rig_copy(&k.r, "before2", "share2");
    for (unsigned i = 0; i < 2; i++) {
        got = swept(&k, 0);
        CHECK(got.removed == 0 && got.left == 0 && has(&k, 0) == 3);
    }
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* What was purged, and is there again: of both stores' word it goes at once. Nothing else does. */
static void sweeps_gone(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_doomed doomed = { .sequence = 1 };
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    qc_tree_remove(k.place[1]);
    qc_tree_copy(k.place[0], k.place[1]);
    rig_remove(&k.r, "a");
    memcpy(doomed.object, k.r.fake->version[0].object, VAULT_ID_BYTES);
    memcpy(doomed.version, k.r.fake->version[0].version, VAULT_ID_BYTES);
    struct vault_call call = rig_call(&k.r);
    CHECK_OK(vault_purge(k.r.v, &doomed, 1, &call, &err));
    CHECK(has(&k, 0) == 2 && has(&k, 1) == 3);
    vault_close(&k.r.v);
    k.r.keeper = k.keeper[1]; /* a copy of before came in its place */
    const struct vault_swept got = swept(&k, QC_VAULT_STRAY_S);
    CHECK(got.removed == 1 && got.left == 0 && has(&k, 1) == 2);
    rig_whole(&k.r, 1);
    vault_notes_done(&k.r.notes);
    done(&k);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    remembered(rand);
    by_another_name(rand);
    not_apart(rand);
    sweeps(rand);
    sweeps_gone(rand);
    return 0;
}
