/* unit/vault_hostile: a gateway that lies. Each case is refused by the check that should refuse it, and never
 * gives a wrong byte (I2); seal.md section 7, rows 1, 3, 7, 10 to 18. */
#include <sys/mount.h>

#include "base/file.h"
#include "frame.h"
#include "vault/share_store.h"
#include "vault_rig.h"

enum { SIZE_A = 3000000, SIZE_B = 5000, SIZE_BIG = 21 << 20 };

static struct fake_entry *entry_at(struct rig *r, size_t i)
{
    CHECK(i < r->fake->entries);
    return &r->fake->entry[i];
}

static void swap_buf(struct blob *a, struct blob *b)
{
    struct blob t = *a;
    *a = *b;
    *b = t;
}

/* Entry 0 answers for path 1 and the other way round. */
static void swap_entries(struct rig *r)
{
    struct fake_entry *a = entry_at(r, 0), *b = entry_at(r, 1);
    struct vault_entry t = a->e;
    a->e = b->e;
    b->e = t;
    swap_buf(&a->priv, &b->priv);
}

static struct fake_version *version_at(struct rig *r, size_t i)
{
    struct fake_entry *e = entry_at(r, i);
    struct fake_version *v = fake_version_of(r->fake, e->e.object, e->e.version);
    CHECK(v != NULL);
    return v;
}

static void swapped(struct rig *r)
{
    struct qc_err err = { 0 };
    swap_entries(r);
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "entry: seal");
    swap_entries(r);
    swap_buf(&version_at(r, 0)->n, &version_at(r, 1)->n); /* another object's bytes: of another size */
    REFUSED(rig_get(r, "b", SIZE_B, 2, &err), QC_FORMAT, "'b'");
    swap_buf(&version_at(r, 0)->n, &version_at(r, 1)->n);
    swap_buf(&version_at(r, 1)->n, &version_at(r, 2)->n); /* of the same size */
    REFUSED(rig_get(r, "b", SIZE_B, 2, &err), QC_INTEGRITY, "header: object id");
    swap_buf(&version_at(r, 1)->n, &version_at(r, 2)->n);
    CHECK_OK(rig_get(r, "b", SIZE_B, 2, &err));
}

static void entry_fields(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_entry *e = entry_at(r, 0);
    struct vault_entry was = e->e;
    e->e.number++;
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "entry: seal");
    e->e = was;
    e->e.sequence--;
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "entry: seal");
    e->e = was;
    e->e.M[5] ^= 1;
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "entry: seal");
    e->e = was;
    e->priv.p[3] ^= 1;
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "entry: seal");
    e->priv.p[3] ^= 1;
    CHECK_OK(rig_get(r, "a", SIZE_A, 1, &err));
}

/* An older entry, validly sealed, of one path: known from the marks; "never existed" as well. */
static void older_entry(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_image *before = fake_save(r->fake);
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    CHECK_OK(rig_put(r, "a", 10, 9, &err));
    struct fake_image *after = fake_save(r->fake);
    fake_restore(r->fake, before);
    REFUSED(rig_get(r, "a", SIZE_A, 1, &err), QC_INTEGRITY, "rollback");
    REFUSED(vault_remove(r->v, qc_span_str("a"), &call, &removed, &err), QC_INTEGRITY, "rollback");
    REFUSED(rig_put(r, "a", 10, 9, &err), QC_INTEGRITY, "rollback");
    size_t entries = r->fake->entries;
    r->fake->entries = 0;
    REFUSED(rig_get(r, "a", 10, 9, &err), QC_INTEGRITY, "rollback");
    r->fake->entries = entries;
    fake_restore(r->fake, after);
    CHECK_OK(rig_get(r, "a", 10, 9, &err));
    CHECK_OK(rig_put(r, "a", SIZE_A, 1, &err));
    fake_image_free(&before);
    fake_image_free(&after);
}

/* The chain of commits: rolled back by one, by all, one left out, two exchanged; each is seen at the next
 * opening. */
static void chain(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake *f = r->fake;
    uint8_t seal[FAKE_SEAL];
    size_t commits = f->commits;
    CHECK(commits >= 4);
    f->commits = commits - 1;
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "rollback");
    f->commits = 0;
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "rollback");
    f->commits = commits;
    memcpy(seal, f->seal[1], sizeof(seal));
    memcpy(f->seal[1], f->seal[2], sizeof(seal));
    memcpy(f->seal[2], seal, sizeof(seal));
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "vault head");
    memcpy(f->seal[2], f->seal[1], sizeof(seal));
    memcpy(f->seal[1], seal, sizeof(seal));
    f->seal[commits - 1][0] ^= 1;
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "vault head");
    f->seal[commits - 1][0] ^= 1;
    CHECK_OK(rig_open(r, &err));
}

/* A receipt for a commit that the chain does not have. */
static void false_receipt(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_image *before = fake_save(r->fake);
    r->fake->fail = FAKE_CHAIN; /* the chain comes back as if the commit had not been */
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_GENERAL;
    REFUSED(rig_put(r, "b", SIZE_B, 2, &err), QC_GENERAL, "chain of commits could not be followed");
    /* The data is committed nevertheless: the journal keeps it, and the next command settles. */
    CHECK(rig_leftovers(r) == 1);
    CHECK_OK(rig_put(r, "b", SIZE_B, 2, &err));
    CHECK(rig_leftovers(r) == 0);
    fake_image_free(&before);
}

/* Every byte of a small N, one bit: refused, or (nowhere) right. */
static void flips(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 1);
    for (size_t i = 0; i < v->n.n; i += (i < 200 || i + 400 > v->n.n) ? 1 : 97) {
        uint8_t bit = (uint8_t)(1u << (i % 8));
        v->n.p[i] ^= bit;
        uint64_t at = 0;
        qc_rc rc = rig_get_at(r, "b", SIZE_B, 2, &at, &err);
        if ((rc != QC_INTEGRITY && rc != QC_FORMAT && rc != QC_NEWER) || at != 0) {
            fprintf(stderr, "byte %zu: %s\n", i, qc_rc_name(rc));
            exit(1);
        }
        v->n.p[i] ^= bit;
    }
    CHECK_OK(rig_get(r, "b", SIZE_B, 2, &err));
}

static void cut(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 1);
    size_t whole = v->n.n;
    for (size_t n = 0; n < whole; n += 501) {
        v->n.n = n;
        REFUSED(rig_get(r, "b", SIZE_B, 2, &err), QC_TEMP,
                "ends early"); /* shorter than the sealed size: withheld */
    }
    v->n.n = whole;
}

/* In a large object what is before the damage is given out and right, what is behind it is not. */
static void middle(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 3);
    uint64_t at = 0;
    v->n.p[7 * (1 << 20) + 300] ^= 0x10;
    REFUSED(rig_get_at(r, "big", SIZE_BIG, 4, &at, &err), QC_INTEGRITY, "chunk ");
    CHECK(at == 6 << 20 || at == 7 << 20);
    v->n.p[7 * (1 << 20) + 300] ^= 0x10;
    CHECK_OK(rig_get(r, "big", SIZE_BIG, 4, &err));
}

/* A part of a large object: damage beside it is not looked at, and what it touches is held to its place. */
static void parts(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 3);
    const struct rig_pattern big = { .size = SIZE_BIG, .salt = 4 };
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    const size_t MIB = (size_t)1 << 20, start = VAULT_HEADER_BYTES + VAULT_INSERT_BYTES; /* of chunk i > 0 */
    uint8_t *five = v->n.p + start + 5 * MIB, *six = five + MIB, *kept = malloc(2 * MIB);
    uint64_t came = 0;
    CHECK(kept != NULL);
    memcpy(kept, five, 2 * MIB);
    five[MIB - 1] ^= 1; /* the last byte of chunk 5 */
    CHECK_OK(rig_get_part(r, "big", &big, "6M-7340031", &got, &came, &err));
    CHECK(got.fetched < 3 * MIB);
    REFUSED(rig_get_part(r, "big", &big, "6291455-6291455", &got, &came, &err), QC_INTEGRITY,
            "chunk 5: second tag");
    CHECK(came == 0);
    REFUSED(rig_get_part(r, "big", &big, "5M-5242880", &got, &came, &err), QC_INTEGRITY,
            "chunk 5: second tag");
    CHECK(came == 0);
    /* What comes before the damage is a beginning of the part. */
    REFUSED(rig_get_part(r, "big", &big, "3M-", &got, &came, &err), QC_INTEGRITY, "chunk 5: second tag");
    CHECK(came == 2 * MIB);
    memcpy(five, six, MIB); /* one good chunk in the place of the other */
    memcpy(six, kept, MIB);
    REFUSED(rig_get_part(r, "big", &big, "5M-5242890", &got, &came, &err), QC_INTEGRITY,
            "chunk 5: second tag");
    REFUSED(rig_get_part(r, "big", &big, "6M-6291470", &got, &came, &err), QC_INTEGRITY,
            "chunk 6: second tag");
    memcpy(five, kept, 2 * MIB);
    /* The tag block, and the trailer that names it: whatever part is asked for. */
    uint8_t *tags = v->n.p + start + SIZE_BIG;
    tags[20 * VAULT_TAGS_BYTES] ^= 1; /* of chunk 20 */
    REFUSED(rig_get_part(r, "big", &big, "0-9", &got, &came, &err), QC_INTEGRITY, "group 0: tag table");
    tags[20 * VAULT_TAGS_BYTES] ^= 1;
    v->n.p[v->n.n - 40] ^= 1;
    REFUSED(rig_get_part(r, "big", &big, "-1", &got, &came, &err), QC_INTEGRITY, "seal M");
    v->n.p[v->n.n - 40] ^= 1;
    v->n.p[start + 100] ^= 1; /* chunk 0 has KR, and no part of its own here */
    const qc_rc rc = rig_get_part(r, "big", &big, "9M-", &got, &came, &err);
    CHECK(rc == QC_OK || (rc == QC_INTEGRITY && came == 0));
    v->n.p[start + 100] ^= 1;
    qc_err_clear(&err);
    REFUSED(rig_get_part(r, "big", &big, "0-22020096", &got, &came, &err), QC_USAGE, "22020096 bytes");
    CHECK(came == 0);
    CHECK_OK(rig_get_part(r, "big", &big, "0-", &got, &came, &err));
    free(kept);
}

/* What an earlier get left is held against the seal alone: of another version, from another place, wrong in
 * one bit, it goes; and no lie of the gateway makes it good. */
static void left(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 3);
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    const uint64_t MIB = 1 << 20;
    const struct rig_left right = {
        .s = { .salt = 4, .size = SIZE_BIG }, .left = 9 * MIB + 5, .salt = 4, .wrong_at = UINT64_MAX
    };
    struct rig_left l = right;
    CHECK_OK(rig_get_left(r, "big", &l, &got, &err));
    CHECK(got.kept == 9 * MIB && got.fetched < 14 * MIB);
    l = right;
    l.salt = 3; /* another version's */
    CHECK_OK(rig_get_left(r, "big", &l, &got, &err));
    CHECK(got.kept == 0 && got.left == 9 * MIB + 5);
    l = right;
    l.shift = MIB; /* its own chunks, one further on */
    CHECK_OK(rig_get_left(r, "big", &l, &got, &err));
    CHECK(got.kept == 0);
    l = right;
    l.wrong_at = 3 * MIB;
    CHECK_OK(rig_get_left(r, "big", &l, &got, &err));
    CHECK(got.kept == 3 * MIB);
    l = right;
    l.unreadable = true;
    REFUSED(rig_get_left(r, "big", &l, &got, &err), QC_IO, "cannot be read");
    CHECK(!l.s.begun);
    /* Damage behind it; damage in what was left is not looked at: the output is right. */
    v->n.p[15 * MIB] ^= 1;
    l = right;
    REFUSED(rig_get_left(r, "big", &l, &got, &err), QC_INTEGRITY, "chunk 14: second tag");
    CHECK(l.s.at >= 9 * MIB && l.s.at <= 14 * MIB);
    v->n.p[15 * MIB] ^= 1;
    v->n.p[5 * MIB] ^= 1;
    l = right;
    CHECK_OK(rig_get_left(r, "big", &l, &got, &err));
    v->n.p[5 * MIB] ^= 1;
    /* The table that it is held against. */
    v->n.p[VAULT_HEADER_BYTES + VAULT_INSERT_BYTES + SIZE_BIG + 7] ^= 1;
    l = right;
    REFUSED(rig_get_left(r, "big", &l, &got, &err), QC_INTEGRITY, "group 0: tag table");
    CHECK(!l.s.begun);
    v->n.p[VAULT_HEADER_BYTES + VAULT_INSERT_BYTES + SIZE_BIG + 7] ^= 1;
}

/* False backup data harms nobody who has both shares, and with one share nothing opens by it. */
static void backup(struct rig *r)
{
    struct qc_err err = { 0 };
    struct fake_version *v = version_at(r, 1);
    for (size_t i = 0; i < v->backup.n; i += 7) {
        v->backup.p[i] ^= 4;
        CHECK_OK(rig_get(r, "b", SIZE_B, 2, &err));
        v->backup.p[i] ^= 4;
    }
    vault_close(&r->v);
    rig_copy(r, "share2", "kept2");
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    for (size_t i = 0; i < v->backup.n; i++) {
        if (i >= v->backup.n - 32)
            continue; /* M24 is not looked at by who holds share 1 */
        v->backup.p[i] ^= 4;
        uint64_t at = 0;
        qc_rc rc = rig_get_at(r, "b", SIZE_B, 2, &at, &err);
        CHECK(rc == QC_INTEGRITY || rc == QC_SHARES || rc == QC_NEWER || rc == QC_FORMAT);
        CHECK(at == 0);
        v->backup.p[i] ^= 4;
    }
    CHECK_OK(rig_get(r, "b", SIZE_B, 2, &err));
    swap_buf(&v->backup, &version_at(r, 2)->backup);
    REFUSED(rig_get(r, "b", SIZE_B, 2, &err), QC_INTEGRITY, "backup data: M14");
    swap_buf(&v->backup, &version_at(r, 2)->backup);
    size_t n = v->backup.n;
    v->backup.n = 0;
    REFUSED(rig_get(r, "b", SIZE_B, 2, &err), QC_SHARES, "no backup data");
    v->backup.n = n;
    /* The vault's own backup data, and its record. */
    r->fake->backup.p[80] ^= 1;
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "backup data: M14");
    r->fake->backup.p[80] ^= 1;
    vault_close(&r->v);
    rig_copy(r, "kept2", "share2");
    r->fake->record.p[100] ^= 1;
    REFUSED(rig_open(r, &err), QC_INTEGRITY, "vault record: MAC");
    r->fake->record.p[100] ^= 1;
    CHECK_OK(rig_open(r, &err));
}

struct verdicts {
    const char *name;
    qc_rc rc;
    bool plain, with1, with2;
};

static qc_rc note_verdict(void *ctx, const struct vault_verdict *v, struct qc_err *err)
{
    struct verdicts *want = ctx;
    (void)err;
    bool mine =
        v->what->name.n == strlen(want->name) && memcmp(v->what->name.p, want->name, v->what->name.n) == 0;
    if (v->rc != (mine ? want->rc : QC_OK))
        fprintf(stderr, "verify: %s: %s\n", qc_rc_name(v->rc), v->text);
    CHECK(v->rc == (mine ? want->rc : QC_OK));
    if (mine)
        CHECK(v->plain == want->plain && v->with1 == want->with1 && v->with2 == want->with2);
    return QC_OK;
}

/* verify looks at all three ways: a false B is found while both shares are there. */
static void verify(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    struct fake_version *v = version_at(r, 1);
    struct verdicts want = { "b", QC_INTEGRITY, true, false, true };
    v->backup.p[v->backup.n - 40] ^= 1; /* M14 */
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, note_verdict, &want, &call, &result, &err));
    CHECK(result.bad == 1 && result.worst == QC_INTEGRITY);
    v->backup.p[v->backup.n - 40] ^= 1;
    v->backup.p[v->backup.n - 4] ^= 1; /* M24 */
    want = (struct verdicts){ "b", QC_INTEGRITY, true, true, false };
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, note_verdict, &want, &call, &result, &err));
    v->backup.p[v->backup.n - 4] ^= 1;
    version_at(r, 3)->n.p[9 * (1 << 20)] ^= 1;
    want = (struct verdicts){ "big", QC_INTEGRITY, true, true, true };
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, note_verdict, &want, &call, &result, &err));
    version_at(r, 3)->n.p[9 * (1 << 20)] ^= 1;
    want = (struct verdicts){ "none", QC_OK, true, true, true };
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, note_verdict, &want, &call, &result, &err));
    CHECK(result.bad == 0 && result.degraded == 0 && result.worst == QC_OK);
    r->fake->entries--; /* one entry left out of the listing */
    REFUSED(vault_verify(r->v, (qc_span){ 0 }, note_verdict, &want, &call, &result, &err), QC_INTEGRITY,
            "left out");
    r->fake->entries++;
}

/* Stores: the other's file, another vault's, an old one that recover replaced, an old copy. */
static void stores(struct rig *r, struct rig *other)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    vault_close(&r->v);
    rig_copy(r, "share1", "kept1");
    rig_copy(r, "share2", "kept2");
    rig_copy(r, "kept2", "share1"); /* store 2 in place of store 1 */
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK(!vault_has_share(r->v, 1) && rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1));
    CHECK_OK(rig_get(r, "b", SIZE_B, 2, &err));
    REFUSED(rig_put(r, "b", 5, 2, &err), QC_INTEGRITY, "is store 2, not store 1");
    vault_close(&r->v);
    char command[1200];
    snprintf(command, sizeof(command), "rm -rf '%s' && cp -r '%s' '%s'", r->share[0], other->share[0],
             r->share[0]);
    CHECK(system(command) == 0);
    CHECK_OK(rig_open(r, &err));
    REFUSED(rig_put(r, "b", 5, 2, &err), QC_INTEGRITY, "another vault");
    /* recover --share 1 makes a new store; the old one comes back and is known as such. */
    vault_close(&r->v);
    rig_lose(r, "share1");
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    vault_close(&r->v);
    rig_copy(r, "share1", "new1");
    rig_copy(r, "kept1", "share1");
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK(!vault_has_share(r->v, 1) && rig_noted(r, VAULT_NOTE_SHARE_MISSING, 1));
    REFUSED(rig_put(r, "b", 5, 2, &err), QC_SHARES, "replaced");
    vault_close(&r->v);
    rig_copy(r, "new1", "share1");
    CHECK_OK(rig_open(r, &err));
    CHECK(vault_has_share(r->v, 1) && vault_has_share(r->v, 2));
    /* An old copy of a good store lacks the newest record: the other share and B serve, and recover fills it.
     */
    vault_close(&r->v);
    rig_copy(r, "share2", "kept2");
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "b", SIZE_B, 22, &err));
    vault_close(&r->v);
    rig_copy(r, "kept2", "share2");
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2));
    CHECK_OK(vault_recover(r->v, 2, r->share[1], &call, &result, &err));
    CHECK(result.written == 1 && result.failed == 0);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(r->notes.n == 0);
}

/* Shares that are wrong under good seals: put there by somebody with the stores' keys, or by a mix-up. */
static void set_share(struct rig *r, unsigned index, const struct fake_entry *e, const qc_key *share)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_CLEANUP(vault_store_record_done) struct vault_store_record rec = { 0 };
    struct vault_store_expect any = { 0 };
    const qc_rng rng = qc_rand_rng(&r->rand);
    CHECK_OK(vault_store_open(&s, r->share[index - 1], VAULT_STORE_WRITE, &any, &err));
    CHECK_OK(vault_store_get(s, e->e.object, e->e.version, &rec, &err));
    qc_key_free(&rec.share);
    CHECK_OK(qc_key_dup(&rec.share, share, &err));
    CHECK_OK(vault_store_add(s, &rec, 1, &rng, &err));
}

static qc_key *get_share(struct rig *r, unsigned index, const struct fake_entry *e)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    struct vault_store_record rec = { 0 };
    struct vault_store_expect any = { 0 };
    CHECK_OK(vault_store_open(&s, r->share[index - 1], VAULT_STORE_READ, &any, &err));
    CHECK_OK(vault_store_get(s, e->e.object, e->e.version, &rec, &err));
    return rec.share;
}

static void wrong_shares(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    const struct fake_entry *b = entry_at(r, 1), *c = entry_at(r, 2);
    qc_key *b1 = get_share(r, 1, b), *b2 = get_share(r, 2, b), *c1 = get_share(r, 1, c),
           *c2 = get_share(r, 2, c);
    /* Share 1 of another version with the own share 2: share 2 and B open it, and the note says which is
     * wrong. */
    set_share(r, 1, b, c1);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1) && !rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2));
    struct verdicts want = { "b", QC_INTEGRITY, false, false, true };
    CHECK_OK(vault_verify(r->v, QC_LIT("b"), note_verdict, &want, &call, &result, &err));
    /* Both of another: nothing opens. */
    set_share(r, 2, b, c2);
    REFUSED(rig_get(r, "b", SIZE_B, 22, &err), QC_INTEGRITY, "seal M");
    /* Share 2 wrong. */
    set_share(r, 1, b, b1);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 2) && !rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1));
    /* R1 and R2 exchanged: their xor is the same, a get cannot tell; verify can. */
    set_share(r, 1, b, b2);
    set_share(r, 2, b, b1);
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    want = (struct verdicts){ "b", QC_INTEGRITY, true, false, false };
    CHECK_OK(vault_verify(r->v, QC_LIT("b"), note_verdict, &want, &call, &result, &err));
    CHECK(result.bad == 1 && result.worst == QC_INTEGRITY);
    set_share(r, 1, b, b1);
    set_share(r, 2, b, b2);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(r->notes.n == 0);
    qc_key_free(&b1);
    qc_key_free(&b2);
    qc_key_free(&c1);
    qc_key_free(&c2);
}

/* A record whose seal fails: the other share and B serve, the note names the store; recover mends it. */
static void damaged_record(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    char command[800];
    vault_close(&r->v);
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s/store.db'); "
             "c.execute('update record set sealed = zeroblob(64)'); c.commit()\"",
             r->share[0]);
    CHECK(system(command) == 0);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_DAMAGED, 1));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    CHECK(result.written == result.records && result.failed == 0);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(r->notes.n == 0);
}

/* No segment is sent between the two calls. */
static void segments_before(struct rig *r, bool check)
{
    static uint64_t segments;
    if (check)
        CHECK(r->fake->calls[FAKE_SEGMENT] == segments);
    segments = r->fake->calls[FAKE_SEGMENT];
}

/* One flipped bit anywhere in one store, its schema included: the other share serves. */
static void store_flips(struct rig *r)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dirfd = { 0 };
    size_t tried = 0;
    vault_close(&r->v);
    CHECK_OK(qc_dir_open(&dirfd, r->share[1], &err));
    CHECK_OK(qc_file_read(qc_fd_get(&dirfd), "store.db", 1 << 20, &bytes, &err));
    const size_t step = getenv("QC_FULL") != NULL ? 1 : 37;
    for (size_t i = qc_rand_below(&r->rand, step); i < bytes.n; i += step, tried++) {
        uint8_t bit = (uint8_t)(1u << qc_rand_below(&r->rand, 8));
        qc_span whole = qc_buf_span(&bytes);
        bytes.p[i] ^= bit;
        CHECK_OK(qc_file_write_atomic(qc_fd_get(&dirfd), "store.db", &whole, 1, 0600, &err));
        CHECK_OK(rig_open(r, &err));
        CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
        vault_close(&r->v);
        bytes.p[i] ^= bit;
    }
    qc_span whole = qc_buf_span(&bytes);
    CHECK_OK(qc_file_write_atomic(qc_fd_get(&dirfd), "store.db", &whole, 1, 0600, &err));
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    CHECK(r->notes.n == 0);
    printf("share store 2: %zu of %zu bytes flipped\n", tried, bytes.n);
}

/* Media that cannot be written: reading goes on, a put is refused before anything is sent. */
static void media(struct rig *r)
{
    struct qc_err err = { 0 };
    char path[400];
    vault_close(&r->v);
    if (mount(r->share[1], r->share[1], NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, r->share[1], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0) {
        fprintf(stderr, "mounts: not possible here, left out\n");
        CHECK_OK(rig_open(r, &err));
        return;
    }
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
    uint64_t begun = r->fake->calls[FAKE_BEGIN];
    REFUSED(rig_put(r, "b", 5, 2, &err), QC_AUTH, "share store 2");
    CHECK(r->fake->calls[FAKE_BEGIN] == begun && rig_leftovers(r) == 0);
    vault_close(&r->v);
    CHECK(umount(r->share[1]) == 0);
    /* A store on a full disk: QC_FULL, cancelled, nothing left, nothing visible. */
    snprintf(path, sizeof(path), "%s/small", r->dir.path);
    CHECK(mkdir(path, 0700) == 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=64k") != 0) {
        CHECK_OK(rig_open(r, &err));
        return;
    }
    char command[1400], kept[320];
    snprintf(command, sizeof(command),
             "cp -r '%s' '%s/store' && (cat /dev/zero > '%s/fill' || true) 2>/dev/null", r->share[1], path,
             path);
    CHECK(system(command) == 0);
    memcpy(kept, r->share[1], sizeof(kept));
    snprintf(r->share[1], sizeof(r->share[1]), "%.250s/store", path);
    CHECK_OK(rig_open(r, &err));
    segments_before(r, false);
    REFUSED(rig_put(r, "b", 5, 2, &err), QC_FULL, "share store 2");
    segments_before(r, true);
    vault_close(&r->v);
    CHECK(umount(path) == 0);
    memcpy(r->share[1], kept, sizeof(kept));
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "settle", 5, 2, &err));
    CHECK(rig_leftovers(r) == 0);
    CHECK_OK(rig_get(r, "b", SIZE_B, 22, &err));
}

int main(void)
{
    struct rig *r = malloc(sizeof(*r)), *other = malloc(sizeof(*other));
    struct qc_err err = { 0 };
    CHECK(r != NULL && other != NULL);
    struct qc_rand rand = qc_rand_start();
    rig_new(r, rand);
    rig_new(other, (struct qc_rand){ .state = rand.state + 1 });
    CHECK_OK(rig_put(r, "a", SIZE_A, 1, &err));
    CHECK_OK(rig_put(r, "b", SIZE_B, 2, &err));
    CHECK_OK(rig_put(r, "c", SIZE_B, 3, &err));
    CHECK_OK(rig_put(r, "big", SIZE_BIG, 4, &err));
    CHECK_OK(rig_put(r, "a", SIZE_A, 1, &err));
    swapped(r);
    entry_fields(r);
    older_entry(r);
    chain(r);
    false_receipt(r);
    flips(r);
    cut(r);
    parts(r);
    left(r);
    middle(r);
    backup(r);
    verify(r);
    stores(r, other);
    wrong_shares(r);
    damaged_record(r);
    store_flips(r);
    media(r);
    rig_done(r);
    rig_done(other);
    free(r);
    free(other);
    return 0;
}
