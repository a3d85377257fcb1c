/* unit/vault_recovery: B that is sealed under a recovery key. Who has which parts opens what the table in
 * docs/kits.md says, for every subset of them; a lost store comes back by the kit; what lies at the gateway
 * is the sealed form alone, and nothing that was changed in it opens. */
#include "vault/backup.h"
#include "vault_rig.h"

enum { STORE1 = 1, STORE2 = 2, B_ = 4, KIT = 8, N_ = 16, ALL = 32, SIZE = 3000 };

/* docs/kits.md, "Who opens what". */
static bool opens(enum rig_mode mode, unsigned has)
{
    const bool both = (has & STORE1) != 0 && (has & STORE2) != 0, one = (has & (STORE1 | STORE2)) != 0;
    const bool by_B = one && (has & B_) != 0 && (mode != RIG_SEALED || (has & KIT) != 0);
    return (has & N_) != 0 && (both || by_B);
}

/* What somebody has not is gone: the gateway does not give it. */
static void without(struct rig *r, unsigned has)
{
    struct fake *f = r->fake;
    if ((has & STORE1) == 0)
        rig_lose(r, "share1");
    if ((has & STORE2) == 0)
        rig_lose(r, "share2");
    if ((has & B_) == 0) {
        f->backup.n = 0;
        for (unsigned i = 0; i < f->versions; i++)
            f->version[i].backup.n = 0;
    }
    if ((has & N_) == 0)
        for (unsigned i = 0; i < f->versions; i++)
            f->version[i].n.n = 0;
    r->W = (has & KIT) != 0 ? r->kit.W : NULL;
}

static void subsets(enum rig_mode mode, struct qc_rand rand)
{
    unsigned opened = 0;
    for (unsigned has = 0; has < ALL; has++) {
        struct rig r;
        struct qc_err err = { 0 };
        uint64_t at = 0;
        rig_make(&r, rand, mode);
        CHECK_OK(rig_put(&r, "a", SIZE, 7, &err));
        vault_close(&r.v);
        without(&r, has);
        qc_rc rc = rig_open(&r, &err);
        if (rc == QC_OK)
            rc = rig_get_at(&r, "a", SIZE, 7, &at, &err);
        if ((rc == QC_OK) != opens(mode, has))
            fprintf(stderr, "mode %d, parts 0x%02x: %s: %s\n", (int)mode, has, qc_rc_name(rc), err.msg);
        CHECK((rc == QC_OK) == opens(mode, has));
        CHECK(rc == QC_OK || at == 0); /* no byte of what does not open */
        opened += rc == QC_OK;
        rig_done(&r);
    }
    CHECK(opened == (mode == RIG_SEALED ? 6U : 8U)); /* of 32 */
}

/* A store lost: nothing opens without the kit; with it all does, and the store comes back. */
static void lost(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    rig_make(&r, rand, RIG_SEALED);
    CHECK_OK(rig_put(&r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&r, "b", (1 << 20) + 1, 2, &err));
    for (unsigned i = 1; i <= 2; i++) {
        struct vault_call call = rig_call(&r);
        struct vault_recover_result result;
        char name[16];
        snprintf(name, sizeof name, "share%u", i);
        vault_close(&r.v);
        rig_lose(&r, name);
        r.W = NULL;
        REFUSED(rig_open(&r, &err), QC_SHARES, "recovery kit");
        r.W = r.kit.W;
        CHECK_OK(rig_open(&r, &err));
        CHECK_OK(rig_get(&r, "b", (1 << 20) + 1, 2, &err));
        REFUSED(rig_put(&r, "c", 1, 1, &err), QC_SHARES, "share store");
        CHECK_OK(vault_recover(r.v, i, r.share[i - 1], &call, &result, &err));
        CHECK(result.failed == 0 && result.written == 2);
        r.W = NULL;
        CHECK_OK(rig_open(&r, &err));
        rig_whole(&r, 2);
    }
    struct vault_call call = rig_call(&r);
    uint64_t n = 0;
    REFUSED(vault_tickets_draw(r.v, 1, &call, &n, &err), QC_USAGE, "no tickets");
    vault_notes_done(&r.notes);
    rig_done(&r);
}

/* Of the recovery key each store has a half that says nothing: stores of one vault and of two do not go
 * together. */
static void strangers(struct qc_rand rand)
{
    struct rig r, other, plain;
    struct qc_err err = { 0 };
    rig_make(&r, rand, RIG_SEALED);
    rig_make(&other, qc_rand_start(), RIG_SEALED);
    rig_new(&plain, rand);
    CHECK(!qc_key_same(r.kit.W, other.kit.W));
    CHECK_OK(vault_kit_here(&r.kit, r.v, &err));
    REFUSED(vault_kit_here(&other.kit, r.v, &err), QC_USAGE, "another vault");
    rig_lose(&r, "share2");
    r.W = other.kit.W;
    REFUSED(rig_open(&r, &err), QC_USAGE, "the recovery kit is of another vault");
    plain.W = other.kit.W;
    REFUSED(rig_open(&plain, &err), QC_USAGE, "no recovery key");
    plain.W = NULL;
    CHECK_OK(rig_open(&plain, &err));
    struct vault_kit none = { 0 };
    REFUSED(vault_recovery_kit(&none, plain.v, &err), QC_USAGE, "no recovery key");
    rig_done(&plain);
    rig_done(&other);
    rig_done(&r);
}

static void flip(struct rig *r, size_t at)
{
    r->fake->version[0].backup.p[at] ^= 0x10;
}

/* Every byte of the sealed form counts; each length that is not its own is refused; so is that of another
 * version. */
static void damage(struct qc_rand rand)
{
    struct rig r;
    struct qc_err err = { 0 };
    rig_make(&r, rand, RIG_SEALED);
    CHECK_OK(rig_put(&r, "a", SIZE, 1, &err));
    CHECK_OK(rig_put(&r, "b", SIZE, 2, &err));
    vault_close(&r.v);
    rig_lose(&r, "share1");
    CHECK_OK(rig_open(&r, &err));
    struct blob *a = &r.fake->version[0].backup, *b = &r.fake->version[1].backup;
    const size_t n = a->n;
    CHECK(n == VAULT_BACKUP_BYTES + 16 && b->n == n && a->p[6] == 1);
    for (size_t i = 0; i < n; i++) {
        flip(&r, i);
        CHECK(rig_get(&r, "a", SIZE, 1, &err) == QC_SHARES); /* there is no backup data: it is none */
        flip(&r, i);
    }
    for (a->n = 0; a->n < n; a->n++)
        CHECK(rig_get(&r, "a", SIZE, 1, &err) == QC_SHARES);
    uint8_t kept[VAULT_BACKUP_BYTES + 16];
    memcpy(kept, a->p, n);
    memcpy(a->p, b->p, n);
    CHECK(rig_get(&r, "a", SIZE, 1, &err) != QC_OK);
    memcpy(a->p, kept, n);
    CHECK_OK(rig_get(&r, "a", SIZE, 1, &err));
    vault_notes_done(&r.notes);
    rig_done(&r);
}

static bool has_bytes(qc_span in, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + n <= in.n; i++)
        if (memcmp(in.p + i, p, n) == 0)
            return true;
    return false;
}

/* Sealed to the same bytes each time, under another key to others; of n2, R4 and the MACs nothing is to be
 * seen. */
static void form(struct qc_rand rand)
{
    struct qc_err err = { 0 };
    qc_rng rng = qc_rand_rng(&rand);
    QC_CLEANUP(qc_key_free) qc_key *W = NULL, *other = NULL, *R1 = NULL, *R2 = NULL, *R4 = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf plain = { .max = QC_VAULT_BACKUP_MAX },
                                   one = { .max = QC_VAULT_BACKUP_MAX }, two = { .max = QC_VAULT_BACKUP_MAX };
    qc_key **const keys[] = { &W, &other, &R1, &R2, &R4 };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK_OK(qc_key_new(keys[i], VAULT_KEY_BYTES, &rng, &err));
    const struct vault_backup_parts parts = {
        .ids = { { 1 }, { 2 }, { 3 } }, .generation = 5, .n2 = 77, .R1 = R1, .R2 = R2, .R4 = R4
    };
    CHECK_OK(vault_backup_make(&plain, &parts, &err));
    CHECK_OK(qc_buf_add(&one, qc_buf_span(&plain), &err));
    CHECK_OK(qc_buf_add(&two, qc_buf_span(&plain), &err));
    CHECK_OK(vault_backup_seal(&one, W, &err));
    CHECK_OK(vault_backup_seal(&two, W, &err));
    CHECK(qc_span_eq(qc_buf_span(&one), qc_buf_span(&two)) && vault_backup_is_sealed(qc_buf_span(&one)));
    CHECK(!vault_backup_is_sealed(qc_buf_span(&plain)));
    for (size_t at = 64; at + 8 <= plain.n; at++)
        CHECK(!has_bytes(qc_buf_span(&one), plain.p + at, 8));
    REFUSED(vault_backup_unseal(&two, NULL, &err), QC_SHARES, "recovery kit");
    REFUSED(vault_backup_unseal(&two, other, &err), QC_INTEGRITY, "backup data: seal");
    CHECK(qc_span_eq(qc_buf_span(&one), qc_buf_span(&two)));
    CHECK_OK(vault_backup_unseal(&two, W, &err));
    CHECK(qc_span_eq(qc_buf_span(&plain), qc_buf_span(&two)));
    CHECK_OK(vault_backup_unseal(&two, NULL, &err)); /* plain: as it is */
    CHECK_OK(vault_backup_seal(&two, other, &err));
    CHECK(!qc_span_eq(qc_buf_span(&one), qc_buf_span(&two)));
    one.p[58] ^= 1; /* another generation */
    REFUSED(vault_backup_unseal(&one, W, &err), QC_INTEGRITY, "backup data: seal");
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    form(rand);
    subsets(RIG_STORED, rand);
    subsets(RIG_SEALED, rand);
    lost(rand);
    strangers(rand);
    damage(rand);
    return 0;
}
