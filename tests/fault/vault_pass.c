/* fault/vault_pass: a change of passphrase that fails, is killed, or lacks memory at any point leaves a store
 * that opens with the old one or the new one, as its messages say; and the making of a store under a
 * passphrase leaves no half. */
#include <dirent.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "pass_source.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "vault/share_store.h"

struct fix {
    struct qc_tmpdir dir;
    struct qc_rand rand;
    qc_rng rng;
    char store[320];
    struct vault_store_params params;
    qc_key *VS_i;
    struct vault_pass *old, *new;
    struct vault_lock old_lock, new_lock;
};

static void make(struct fix *f)
{
    struct qc_err err = { 0 };
    f->dir = qc_tmpdir_new();
    f->rand = qc_rand_start();
    f->rng = qc_rand_rng(&f->rand);
    f->old = pass_of("the old one");
    f->new = pass_of("the new one");
    snprintf(f->store, sizeof f->store, "%s/store", f->dir.path);
    CHECK_OK(qc_key_new(&f->VS_i, 32, &f->rng, &err));
    CHECK_OK(vault_lock_make(&f->old_lock, f->old, QC_VAULT_PASS_KIB_MIN, &f->rng, NULL, &err));
    CHECK_OK(vault_lock_make(&f->new_lock, f->new, QC_VAULT_PASS_KIB_MIN, &f->rng, NULL, &err));
    f->params =
        (struct vault_store_params){ .index = 1, .generation = 1, .VS_i = f->VS_i, .lock = f->old_lock };
    struct vault_store *s = NULL;
    CHECK_OK(vault_store_create(&s, f->store, &f->params, &f->rng, &err));
    vault_store_close(&s);
}

static qc_rc open_by(const struct fix *f, struct vault_pass *pass, struct vault_store **ret,
                     struct qc_err *err)
{
    struct vault_passes ps = { .known = { pass }, .n = pass != NULL };
    return vault_store_open(ret, f->store, VAULT_STORE_WRITE,
                            &(struct vault_store_expect){ .index = 1, .passes = &ps }, err);
}

/* Which of the two opens it (exactly one does): false the old one. */
static bool has_new(const struct fix *f)
{
    struct qc_err err = { 0 };
    struct vault_store *a = NULL, *b = NULL;
    qc_rc old = open_by(f, f->old, &a, &err), new = open_by(f, f->new, &b, &err);
    CHECK((old == QC_OK && new == QC_NOPASS) || (old == QC_NOPASS && new == QC_OK));
    CHECK(qc_key_same(vault_store_secret(a != NULL ? a : b), f->VS_i));
    vault_store_close(&a);
    vault_store_close(&b);
    return new == QC_OK;
}

static void relock_by(const struct fix *f, struct vault_pass *pass, const struct vault_lock *to, qc_rc want)
{
    struct qc_err err = { 0 };
    struct vault_store *s = NULL;
    CHECK_OK(open_by(f, pass, &s, &err));
    CHECK_RC(vault_store_relock(s, to, NULL, &err), want);
    vault_store_close(&s);
}

static int leftovers(const struct fix *f)
{
    int n = 0;
    DIR *d = opendir(f->store);
    CHECK(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += strncmp(e->d_name, ".tmp-", 5) == 0;
    closedir(d);
    return n;
}

static const struct {
    const char *point;
    bool renamed;
} points[] = { { "file_tmp_written", false }, { "file_tmp_synced", false }, { "file_renamed", true } };

static void killed(const struct fix *f)
{
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char script[64];
        int status = 0;
        snprintf(script, sizeof script, "%s:kill:1", points[i].point);
        fflush(NULL);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            qc_fault_script(script);
            relock_by(f, f->old, &f->new_lock, QC_OK);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK(has_new(f) == points[i].renamed && leftovers(f) == !points[i].renamed);
        /* The next change sweeps what was left, which may hold the key in clear. */
        relock_by(f, points[i].renamed ? f->new : f->old, &f->old_lock, QC_OK);
        CHECK(!has_new(f) && leftovers(f) == 0);
    }
}

static void failed(const struct fix *f)
{
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char script[64];
        snprintf(script, sizeof script, "%s:error:1", points[i].point);
        qc_fault_script(script);
        relock_by(f, f->old, &f->new_lock, QC_IO);
        qc_fault_script(NULL);
        CHECK(has_new(f) == points[i].renamed && leftovers(f) == 0);
        relock_by(f, points[i].renamed ? f->new : f->old, &f->old_lock, QC_OK);
    }
}

/* The n-th allocation fails, for each n until none does. */
static void no_memory(struct fix *f)
{
    for (uint64_t n = 1;; n++) {
        struct qc_err err = { 0 };
        struct vault_store *s = NULL;
        int64_t live = (int64_t)qc_alloc_live();
        CHECK(n < 1000);
        qc_fault_alloc(n);
        qc_rc rc = open_by(f, f->old, &s, &err);
        if (rc == QC_OK)
            rc = vault_store_relock(s, &f->new_lock, NULL, &err);
        qc_fault_alloc(0);
        vault_store_close(&s);
        CHECK((int64_t)qc_alloc_live() == live);
        if (rc == QC_OK) {
            CHECK(n > 10 && has_new(f));
            break;
        }
        CHECK(rc == QC_NOMEM && !has_new(f));
    }
    relock_by(f, f->new, &f->old_lock, QC_OK);
    for (uint64_t n = 1;; n++) { /* making and stretching a passphrase */
        struct qc_err err = { 0 };
        QC_CLEANUP(vault_pass_free) struct vault_pass *p = NULL;
        QC_CLEANUP(qc_key_free) qc_key *bytes = pass_bytes("any passphrase");
        struct vault_lock lock = { 0 };
        qc_fault_alloc(n);
        qc_rc rc = vault_pass_new(&p, bytes, strlen("any passphrase"), &err);
        if (rc == QC_OK)
            rc = vault_lock_make(&lock, p, QC_VAULT_PASS_KIB_MIN, &f->rng, NULL, &err);
        qc_fault_alloc(0);
        if (rc == QC_OK) {
            CHECK(n > 2);
            break;
        }
        CHECK(rc == QC_NOMEM && n < 100 && lock.pass == NULL);
    }
}

/* A store that is made under a passphrase and killed on the way: no key in clear was ever in its directory.
 */
static void made(struct fix *f)
{
    char dir[400], command[900];
    int status = 0;
    struct qc_err err = { 0 };
    struct vault_store *s = NULL;
    struct fix other = *f;
    snprintf(dir, sizeof dir, "%s/made", f->dir.path);
    snprintf(other.store, sizeof other.store, "%.300s", dir);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        qc_fault_script("file_tmp_synced:kill:1");
        qc_ignore(vault_store_create(&s, dir, &f->params, &f->rng, &err), "killed on the way");
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK_RC(open_by(&other, f->old, &s, &err), QC_SHARES); /* no key file: no store */
    CHECK(leftovers(&other) == 1);
    snprintf(command, sizeof command, "test \"$(od -An -tx1 -j5 -N1 '%s'/.tmp-* | tr -d ' ')\" = 01", dir);
    CHECK(system(command) == 0); /* what is left is of the wrapped kind */
}

int main(void)
{
    static struct fix f;
    make(&f);
    killed(&f);
    failed(&f);
    no_memory(&f);
    made(&f);
    vault_pass_free(&f.old);
    vault_pass_free(&f.new);
    qc_key_free(&f.VS_i);
    qc_tmpdir_remove(&f.dir);
    return 0;
}
