/* unit/vault_kept: backup data with a keeper, which is a directory here. Who has which parts opens what
 * docs/kits.md says, for every subset of them; what is stored, cut off, purged and refreshed has its B there,
 * and nothing else has; without the keeper nothing is stored, and nothing of it is left. */
#include "base/codec.h"
#include "base/fault.h"
#include "kept_rig.h"
#include "vault/backup.h"
#include "vault/erase.h"

enum { STORE1 = 1, STORE2 = 2, GATEWAY = 4, KEEPER = 8, N_ = 16, ALL = 32 };

static void without(struct kept *k, unsigned parts)
{
    struct fake *f = k->r.fake;
    if ((parts & STORE1) == 0)
        rig_lose(&k->r, "share1");
    if ((parts & STORE2) == 0)
        rig_lose(&k->r, "share2");
    if ((parts & GATEWAY) == 0) {
        f->backup.n = 0;
        for (unsigned i = 0; i < f->versions; i++)
            f->version[i].backup.n = 0;
    }
    if ((parts & KEEPER) == 0)
        away(k, true);
    if ((parts & N_) == 0)
        for (unsigned i = 0; i < f->versions; i++)
            f->version[i].n.n = 0;
}

/* What the gateway has in the place of B counts for nothing. */
static bool opens(unsigned parts)
{
    const int three = ((parts & STORE1) != 0) + ((parts & STORE2) != 0) + ((parts & KEEPER) != 0);
    return (parts & N_) != 0 && three >= 2;
}

static void subsets(struct qc_rand rand)
{
    unsigned opened = 0;
    for (unsigned parts = 0; parts < ALL; parts++) {
        struct kept k;
        struct qc_err err = { 0 };
        uint64_t at = 0;
        start(&k, rand);
        CHECK_OK(rig_put(&k.r, "a", SIZE, 7, &err));
        vault_close(&k.r.v);
        CHECK(k.r.fake->version[0].backup.n == 64 && k.r.fake->backup.n == 64); /* no R4, no MAC */
        without(&k, parts);
        qc_rc rc = rig_open(&k.r, &err);
        if (rc == QC_OK)
            rc = rig_get_at(&k.r, "a", SIZE, 7, &at, &err);
        if ((rc == QC_OK) != opens(parts))
            fprintf(stderr, "parts 0x%02x: %s: %s\n", parts, qc_rc_name(rc), err.msg);
        CHECK((rc == QC_OK) == opens(parts) && (rc == QC_OK || at == 0));
        if ((parts & (STORE1 | STORE2)) != 0 && (parts & (STORE1 | STORE2)) != (STORE1 | STORE2) &&
            (parts & KEEPER) == 0)
            CHECK(rc == QC_TEMP && strstr(err.msg, "the keeper of backup data") != NULL && err.next != NULL);
        opened += rc == QC_OK;
        done(&k);
    }
    CHECK(opened == 8); /* of 32: three pairs and all three, with or without the gateway's */
}

/* No keeper, no put, and nothing half is left; reading needs it not. One that has nothing of this vault is
 * not its keeper. */
static void unreachable(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_call call;
    uint64_t n = 0;
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK(has(&k, 0) == 2);
    vault_close(&k.r.v);
    away(&k, true);
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(rig_get(&k.r, "a", SIZE, 1, &err));
    REFUSED(rig_put(&k.r, "b", SIZE, 2, &err), QC_TEMP, "the keeper of backup data");
    CHECK(rig_leftovers(&k.r) == 0 && k.r.fake->versions == 1 && k.r.fake->uploads == 1);
    away(&k, false);
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    CHECK(has(&k, 0) == 3);
    rig_whole(&k.r, 2);
    k.r.keeper = k.keeper[1];
    CHECK_OK(rig_open(&k.r, &err));
    REFUSED(rig_put(&k.r, "c", SIZE, 3, &err), QC_NOTCONF, "nothing of this vault");
    k.r.keeper = NULL;
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(rig_get(&k.r, "b", SIZE, 2, &err));
    REFUSED(rig_put(&k.r, "c", SIZE, 3, &err), QC_NOTCONF, "does not say where");
    call = rig_call(&k.r);
    REFUSED(vault_tickets_draw(k.r.v, 1, &call, &n, &err), QC_USAGE, "no tickets");
    CHECK(has(&k, 0) == 3 && has(&k, 1) == 0 && rig_leftovers(&k.r) == 0);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* A put that ends after its B is with the keeper takes it from there; where it cannot, the next command does.
 */
static void cut_off(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    qc_fault_script("client_kept:error:1");
    CHECK_RC(rig_put(&k.r, "b", SIZE, 2, &err), QC_IO);
    qc_fault_script(NULL);
    qc_err_clear(&err);
    CHECK(has(&k, 0) == 2 && rig_leftovers(&k.r) == 0 && k.r.fake->versions == 1);
    k.r.fake->fail = FAKE_COMMIT;
    k.r.fake->fail_nth = 1;
    k.r.fake->fail_rc = QC_QUORUM;
    CHECK_RC(rig_put(&k.r, "b", SIZE, 2, &err), QC_QUORUM);
    qc_err_clear(&err);
    CHECK(has(&k, 0) == 2 && rig_leftovers(&k.r) == 0);
    qc_fault_script("client_kept:error:1,client_cancelled:error:1");
    CHECK_RC(rig_put(&k.r, "b", SIZE, 2, &err), QC_IO);
    qc_fault_script(NULL);
    qc_err_clear(&err);
    CHECK(has(&k, 0) == 3 && rig_leftovers(&k.r) == 1);
    CHECK_OK(rig_put(&k.r, "c", SIZE, 3, &err));
    CHECK(has(&k, 0) == 3 && rig_leftovers(&k.r) == 0);
    vault_notes_done(&k.r.notes);
    rig_whole(&k.r, 2);
    done(&k);
}

/* What is purged is gone at the keeper, too; while that is away, the purge is not done. */
static void purged(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_doomed doomed = { .sequence = 1 };
    uint64_t settled = 0;
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    rig_remove(&k.r, "a");
    memcpy(doomed.object, k.r.fake->version[0].object, VAULT_ID_BYTES);
    memcpy(doomed.version, k.r.fake->version[0].version, VAULT_ID_BYTES);
    struct vault_call call = rig_call(&k.r);
    vault_close(&k.r.v);
    away(&k, true);
    CHECK_OK(rig_open(&k.r, &err));
    REFUSED(vault_purge(k.r.v, &doomed, 1, &call, &err), QC_TEMP, "the keeper of backup data");
    away(&k, false);
    CHECK(has(&k, 0) == 3);
    CHECK_OK(vault_purge_settle(k.r.v, &call, &settled, &err));
    CHECK(settled == 1 && has(&k, 0) == 2);
    rig_whole(&k.r, 1);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* New shares have new B's in the place of the old ones; so a keeper that is lost is followed by another. A
 * store comes back by it. */
static void another(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_recover_result result;
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&k.r, "b", (1 << 20) + 1, 2, &err));
    refresh(&k);
    CHECK(has(&k, 0) == 3);
    rig_whole(&k.r, 2);
    vault_close(&k.r.v);
    away(&k, true);
    k.r.keeper = k.keeper[1];
    CHECK_OK(rig_open(&k.r, &err));
    qc_fault_script("refresh_backups:error:1");
    struct vault_call call = rig_call(&k.r);
    CHECK_RC(vault_refresh(k.r.v, &call, &(struct vault_refresh_result){ 0 }, &err), QC_IO);
    qc_fault_script(NULL);
    CHECK_OK(rig_open(&k.r, &err));
    refresh(&k);
    CHECK(has(&k, 1) == 3);
    rig_whole(&k.r, 2);
    for (unsigned i = 1; i <= 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "share%u", i);
        vault_close(&k.r.v);
        rig_lose(&k.r, name);
        CHECK_OK(rig_open(&k.r, &err));
        CHECK_OK(rig_get(&k.r, "b", (1 << 20) + 1, 2, &err));
        CHECK_OK(vault_recover(k.r.v, i, k.r.share[i - 1], &call, &result, &err));
        CHECK(result.failed == 0 && result.written == 2);
        CHECK_OK(rig_open(&k.r, &err));
        rig_whole(&k.r, 2);
    }
    CHECK_OK(rig_put(&k.r, "c", SIZE, 3, &err)); /* the store that came back knows of the keeper */
    CHECK(has(&k, 1) == 4);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* Another session of the same stores makes keeper[1] the keeper. */
static void change_keeper(struct kept *k)
{
    struct rig other = k->r;
    struct qc_err err = { 0 };
    struct vault_refresh_result result = { 0 };
    other.v = NULL;
    other.notes = (struct vault_notes){ 0 };
    other.keeper = k->keeper[1];
    snprintf(other.state, sizeof other.state, "%s/state-of-other", k->r.dir.path);
    CHECK(mkdir(other.state, 0700) == 0 || errno == EEXIST);
    CHECK_OK(rig_open(&other, &err));
    struct vault_call call = rig_call(&other);
    CHECK_OK(vault_refresh(other.v, &call, &result, &err));
    CHECK(result.done && result.left == 0);
    vault_close(&other.v);
    vault_notes_done(&other.notes);
}

struct changing {
    struct kept *k;
    struct rig_pattern p;
};

static qc_rc read_changing(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct changing *c = ctx;
    return rig_read(&c->p, dst, max, ret_got, err);
}

static qc_rc change_at_end(void *ctx, uint64_t bytes, struct qc_err *err)
{
    struct changing *c = ctx;
    CHECK(bytes == c->p.size);
    change_keeper(c->k);
    (void)err;
    return QC_OK;
}

/* A keeper that is followed by another gets nothing more: not of a session that knows of it alone, nor of a
 * put that was under way. What is purged there is not told as purged. */
static void no_longer(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct changing c = { .k = &k, .p = { .size = SIZE, .salt = 2 } };
    const struct vault_source source = {
        .read = read_changing, .unchanged = change_at_end, .ctx = &c, .size = SIZE
    };
    struct vault_put_result result;
    struct vault_doomed doomed = { .sequence = 1 };
    uint64_t settled = 0;
    start(&k, rand);
    struct vault_call call = rig_call(&k.r);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    REFUSED(vault_put(k.r.v, QC_LIT("b"), &source, &(struct vault_put_opts){ 0 }, &call, &result, &err),
            QC_NOTCONF, "the keeper of backup data no longer");
    CHECK(has(&k, 0) == 2 && has(&k, 1) == 2 && rig_leftovers(&k.r) == 0 && k.r.fake->versions == 1);
    CHECK_OK(rig_open(&k.r, &err));
    REFUSED(rig_put(&k.r, "b", SIZE, 2, &err), QC_NOTCONF, "the keeper of backup data no longer");
    rig_remove(&k.r, "a");
    memcpy(doomed.object, k.r.fake->version[0].object, VAULT_ID_BYTES);
    memcpy(doomed.version, k.r.fake->version[0].version, VAULT_ID_BYTES);
    REFUSED(vault_purge(k.r.v, &doomed, 1, &call, &err), QC_NOTCONF, "the keeper of backup data no longer");
    REFUSED(vault_purge_settle(k.r.v, &call, &settled, &err), QC_NOTCONF, "no longer");
    CHECK(has(&k, 0) == 2 && has(&k, 1) == 2);
    k.r.keeper = k.keeper[1];
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(vault_purge_settle(k.r.v, &call, &settled, &err));
    CHECK(settled == 1 && has(&k, 0) == 2 && has(&k, 1) == 1);
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    CHECK(has(&k, 0) == 2 && has(&k, 1) == 2);
    rig_whole(&k.r, 1);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* The vault's own B at a keeper. */
static void lose_own(const struct kept *k, unsigned i)
{
    char hex[2 * VAULT_ID_BYTES + 1], path[512];
    qc_hex(qc_span_of(k->r.id, VAULT_ID_BYTES), hex);
    snprintf(path, sizeof path, "%s/b/%s/%.2s/%s%032d", k->place[i], hex, hex, hex, 0);
    CHECK(unlink(path) == 0);
}

/* A refresh that broke off when the vault's B was with the keeper goes on with another one: that gets the
 * vault's B, too. Without it a keeper is not healthy. */
static void goes_on(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct vault_verify_result verified;
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    struct vault_call call = rig_call(&k.r);
    qc_fault_script("refresh_used:error:1");
    CHECK_RC(vault_refresh(k.r.v, &call, &(struct vault_refresh_result){ 0 }, &err), QC_IO);
    qc_fault_script(NULL);
    qc_err_clear(&err);
    k.r.keeper = k.keeper[1];
    CHECK_OK(rig_open(&k.r, &err));
    refresh(&k);
    CHECK(has(&k, 1) == 2);
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    CHECK_OK(vault_verify(k.r.v, (qc_span){ 0 }, NULL, NULL, &call, &verified, &err));
    CHECK(verified.worst == QC_OK && verified.good == 2);
    lose_own(&k, 1);
    CHECK_OK(vault_verify(k.r.v, (qc_span){ 0 }, NULL, NULL, &call, &verified, &err));
    CHECK(verified.worst == QC_DEGRADED && verified.good == 2 && rig_noted(&k.r, VAULT_NOTE_BACKUP, 0));
    vault_close(&k.r.v);
    CHECK_OK(rig_open(&k.r, &err));
    refresh(&k);
    vault_close(&k.r.v);
    rig_lose(&k.r, "share2");
    CHECK_OK(rig_open(&k.r, &err));
    CHECK_OK(rig_get(&k.r, "a", SIZE, 1, &err));
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* keeper[0], in whose put of new B's others purge a version. */
struct between {
    struct vault_keeper keeper; /* first */
    struct vault_keeper_ops ops;
    struct kept *k;
    struct vault_doomed doomed;
};

static void purge_there(struct between *b)
{
    struct rig other = b->k->r;
    struct qc_err err = { 0 };
    other.v = NULL;
    other.notes = (struct vault_notes){ 0 };
    other.keeper = b->k->keeper[0];
    CHECK_OK(rig_open(&other, &err));
    struct vault_call call = rig_call(&other);
    CHECK_OK(vault_purge(other.v, &b->doomed, 1, &call, &err));
    CHECK(b->doomed.rc == QC_OK);
    vault_close(&other.v);
    vault_notes_done(&other.notes);
}

static qc_rc put_between(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_backup *v,
                         size_t n, const struct vault_op *op, struct qc_err *err)
{
    struct between *b = (struct between *)k;
    struct vault_keeper *to = b->k->keeper[0];
    if (memcmp(v[0].object, vault, VAULT_ID_BYTES) != 0 && b->doomed.sequence == 1) {
        purge_there(b);
        b->doomed.sequence = 0; /* once */
    }
    return to->ops->put(to, vault, v, n, op, err);
}

static qc_rc apart_between(struct vault_keeper *k, const struct vault_cloud *clouds, size_t count,
                           const char *const share[2], const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *to = ((struct between *)k)->k->keeper[0];
    return to->ops->apart(to, clouds, count, share, op, err);
}

static qc_rc get_between(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *version,
                         qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *to = ((struct between *)k)->k->keeper[0];
    return to->ops->get(to, vault, version, ret, op, err);
}

static qc_rc drop_between(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *v,
                          size_t n, const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *to = ((struct between *)k)->k->keeper[0];
    return to->ops->drop(to, vault, v, n, op, err);
}

/* A version is purged by others while its new B is on its way: that does not stay at the keeper. */
static void purged_meanwhile(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    struct between b = { .k = &k, .doomed = { .sequence = 1 } };
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&k.r, "b", SIZE, 2, &err));
    rig_remove(&k.r, "a");
    memcpy(b.doomed.object, k.r.fake->version[0].object, VAULT_ID_BYTES);
    memcpy(b.doomed.version, k.r.fake->version[0].version, VAULT_ID_BYTES);
    b.ops = (struct vault_keeper_ops){
        .apart = apart_between, .put = put_between, .get = get_between, .drop = drop_between
    };
    b.keeper = (struct vault_keeper){ .ops = &b.ops, .url = k.keeper[0]->url };
    k.r.keeper = &b.keeper;
    CHECK_OK(rig_open(&k.r, &err));
    refresh(&k);
    CHECK(b.doomed.sequence == 0 && has(&k, 0) == 2);
    rig_whole(&k.r, 1);
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* The record of an erasure says that the keeper has removed backup data only where no refresh is unfinished:
 * what another keeper had before has not been asked for. */
static void certified(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    start(&k, rand);
    for (unsigned unfinished = 0; unfinished < 2; unfinished++) {
        QC_CLEANUP(vault_erase_close) struct vault_erasure *e = NULL;
        QC_CLEANUP(vault_erasing_free) struct vault_erasing *x = NULL;
        QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
        QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
        QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
        bool drafted = true;
        CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
        if (unfinished == 1) {
            vault_close(&k.r.v);
            k.r.keeper = k.keeper[1];
            CHECK_OK(rig_open(&k.r, &err));
            qc_fault_script("refresh_used:error:1");
            struct vault_call cut = rig_call(&k.r);
            CHECK_RC(vault_refresh(k.r.v, &cut, &(struct vault_refresh_result){ 0 }, &err), QC_IO);
            qc_fault_script(NULL);
            CHECK_OK(rig_open(&k.r, &err));
        }
        rig_remove(&k.r, "a");
        struct vault_call call = rig_call(&k.r);
        CHECK_OK(vault_versions(k.r.v, QC_LIT("a"), &call, &all, &err));
        CHECK(all.n == 1);
        struct vault_doomed doomed = { .sequence = all.v[0].sequence };
        memcpy(doomed.object, all.v[0].object, VAULT_ID_BYTES);
        memcpy(doomed.version, all.v[0].version, VAULT_ID_BYTES);
        CHECK_OK(vault_erase_open(&e, k.r.v, &err));
        CHECK_OK(vault_erase_begin(&x, e, QC_LIT("a"), &drafted, &err));
        CHECK(!drafted);
        CHECK_OK(vault_erase_note(x, &all, all.v, all.n, true, &err));
        CHECK_OK(vault_purge(k.r.v, &doomed, 1, &call, &err));
        CHECK_OK(vault_erase_confirm(&x, 1, &call, &err));
        CHECK_OK(vault_erase_record(x, true, &call, &got, &err));
        CHECK_OK(vault_erase_end(x, &err));
        CHECK_OK(vault_certificate_parse(&c, qc_buf_span(&got.bytes), &err));
        CHECK(got.made && c.kept == (unfinished == 0) && has(&k, 0) == 1 + unfinished);
    }
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* Whatever is changed in what the keeper has opens nothing, and what it has is not another version's. */
static void damage(struct qc_rand rand)
{
    struct kept k;
    struct qc_err err = { 0 };
    uint8_t bytes[VAULT_BACKUP_BYTES];
    start(&k, rand);
    CHECK_OK(rig_put(&k.r, "a", SIZE, 1, &err));
    CHECK(has(&k, 0) == 2 && seen.last[0] != '\0');
    vault_close(&k.r.v);
    rig_lose(&k.r, "share1");
    CHECK_OK(rig_open(&k.r, &err));
    FILE *f = fopen(seen.last, "r+");
    CHECK(f != NULL && fread(bytes, 1, sizeof bytes, f) == sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i += i < 8 ? 1 : 7) {
        const bool counts = i < VAULT_BACKUP_BYTES - 64 || i >= VAULT_BACKUP_BYTES - 32; /* M14: of share 1 */
        bytes[i] ^= 1;
        CHECK(fseek(f, 0, SEEK_SET) == 0 && fwrite(bytes, 1, sizeof bytes, f) == sizeof bytes &&
              fflush(f) == 0);
        CHECK((rig_get(&k.r, "a", SIZE, 1, &err) != QC_OK) == counts);
        qc_err_clear(&err);
        bytes[i] ^= 1;
    }
    CHECK(fseek(f, 0, SEEK_SET) == 0 && fwrite(bytes, 1, sizeof bytes, f) == sizeof bytes && fclose(f) == 0);
    CHECK_OK(rig_get(&k.r, "a", SIZE, 1, &err));
    vault_notes_done(&k.r.notes);
    done(&k);
}

/* A vault that has none takes none from the configuration, nor from what a gateway says. */
static void strangers(struct qc_rand rand)
{
    struct kept k;
    struct rig plain;
    struct qc_err err = { 0 };
    start(&k, rand);
    rig_new(&plain, rand);
    CHECK_OK(rig_put(&plain, "a", SIZE, 1, &err));
    plain.keeper = k.keeper[0];
    REFUSED(rig_open(&plain, &err), QC_NOTCONF, "a vault gets a keeper when it is made");
    plain.keeper = NULL;
    rig_lose(&plain, "share2");
    CHECK_OK(rig_open(&plain, &err));
    plain.fake->version[0].backup.p[6] = 2;
    CHECK(rig_get(&plain, "a", SIZE, 1, &err) == QC_SHARES && strstr(err.msg, "there is none") != NULL);
    vault_notes_done(&plain.notes);
    rig_done(&plain);
    done(&k);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    subsets(rand);
    unreachable(rand);
    cut_off(rand);
    purged(rand);
    another(rand);
    no_longer(rand);
    goes_on(rand);
    purged_meanwhile(rand);
    certified(rand);
    damage(rand);
    strangers(rand);
    return 0;
}
