/* unit/vault_erase: an erasure ends with one record, which says what both stores and the gateway say then and
 * nothing more; cut off at each step the same steps end so; a draft that is damaged, or another's, is not
 * believed. */
#include "vault/erase.h"

#include "base/fault.h"
#include "base/file.h"
#include "vault/share_store.h"
#include "vault_rig.h"

enum { SIZE = 3000 };

static void list(struct rig *r, const char *name, struct vault_versions *ret)
{
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    CHECK_OK(vault_versions(r->v, qc_span_str(name), &call, ret, &err));
}

static qc_rc purge_all(struct rig *r, const char *name, const struct vault_versions *all, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed = { 0 };
    struct vault_doomed items[8] = { 0 };
    CHECK(all->n <= 8);
    if (!all->removed)
        QC_TRY(vault_remove_version(r->v, qc_span_str(name), all->v[0].version, &call, &removed, err));
    for (size_t i = 0; i < all->n; i++) {
        items[i].sequence = all->v[i].sequence;
        memcpy(items[i].object, all->v[i].object, VAULT_ID_BYTES);
        memcpy(items[i].version, all->v[i].version, VAULT_ID_BYTES);
    }
    return all->n > 0 ? vault_purge(r->v, items, all->n, &call, err) : QC_OK;
}

/* As the command does it. */
static qc_rc erase(struct rig *r, const char *name, struct vault_erased_record *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_erase_close) struct vault_erasure *e = NULL;
    QC_CLEANUP(vault_erasing_free) struct vault_erasing *x = NULL;
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t settled = 0;
    bool drafted = false;
    QC_TRY(vault_purge_settle(r->v, &call, &settled, err));
    QC_TRY(vault_versions(r->v, qc_span_str(name), &call, &all, err));
    QC_TRY(vault_erase_open(&e, r->v, err));
    QC_TRY(vault_erase_begin(&x, e, qc_span_str(name), &drafted, err));
    if (all.n > 0) {
        QC_TRY(vault_erase_note(x, &all, all.v, all.n, true, err));
        QC_TRY(purge_all(r, name, &all, err));
    }
    QC_TRY(vault_erase_confirm(&x, 1, &call, err));
    QC_TRY(vault_erase_record(x, true, &call, ret, err));
    return vault_erase_end(x, err);
}

static size_t files(struct rig *r, const char *end)
{
    char command[700];
    unsigned long n = 0;
    snprintf(command, sizeof(command), "ls %s/certificates | grep -c '%s$'", r->state, end);
    FILE *p = popen(command, "r");
    CHECK(p != NULL && fscanf(p, "%lu", &n) == 1);
    CHECK(pclose(p) >= 0);
    return n;
}

static void is_record(struct rig *r, const struct vault_erased_record *got, const char *name, size_t n,
                      struct vault_certificate *ret)
{
    QC_CLEANUP(qc_buf_free) qc_buf there = { .max = QC_VAULT_CERTIFICATE_MAX };
    uint8_t key[QC_SIGN_PUBLIC];
    struct qc_err err = { 0 };
    CHECK(got->made && got->versions == n);
    CHECK_OK(qc_path_read(got->path, 0, QC_VAULT_CERTIFICATE_MAX, &there, &err));
    CHECK(qc_span_eq(qc_buf_span(&there), qc_buf_span(&got->bytes)));
    CHECK_OK(vault_certificate_parse(ret, qc_buf_span(&there), &err));
    CHECK_OK(vault_certificate_key(key, r->v, &err));
    CHECK(memcmp(key, ret->key, sizeof(key)) == 0 && memcmp(ret->vault, r->id, 16) == 0 && !ret->draft);
    CHECK(ret->n == n && memcmp(ret->id, got->id, VAULT_ID_BYTES) == 0);
    CHECK(qc_span_eq(qc_buf_span(&ret->name), qc_span_str(name)));
    for (size_t i = 0; i < n; i++) /* nothing that is there */
        CHECK(fake_version_of(r->fake, ret->v[i].object, ret->v[i].version)->purged);
    CHECK(files(r, ".draft") == 0);
}

/* The digests are those of the shares that were there. */
static void plain(struct rig *r, bool derived)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 }, none = { 0 };
    uint8_t digest[2][32];
    struct qc_err err = { 0 };
    rig_put_v(r, "p", SIZE, 1);
    rig_put_v(r, "p", SIZE, 2);
    list(r, "p", &all);
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record record = { 0 };
        struct vault_store *s = NULL;
        const struct vault_store_expect expect = { .index = i + 1 };
        CHECK_OK(vault_store_open(&s, r->share[i], VAULT_STORE_READ, &expect, &err));
        CHECK_OK(vault_store_get(s, all.v[0].object, all.v[0].version, &record, &err));
        CHECK_OK(vault_erased_digest(digest[i], r->id, all.v[0].object, all.v[0].version, i + 1, record.share,
                                     &err));
        vault_store_close(&s);
    }
    CHECK_OK(erase(r, "p", &got, &err));
    is_record(r, &got, "p", 2, &c);
    CHECK(c.whole && got.left == 0 && c.unseen == VAULT_UNSEEN_ALL && c.v[0].number == 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(c.store[i].derived == derived && !c.store[i].replaced);
        CHECK(c.v[0].had[i] == (derived ? VAULT_ERASED_DERIVED : VAULT_ERASED_SHARE));
        CHECK(derived || memcmp(c.v[0].digest[i], digest[i], 32) == 0);
    }
    CHECK_OK(erase(r, "p", &none, &err)); /* again: there is nothing that it could record */
    CHECK(!none.made && none.left == 0);
}

static void cut_off(struct rig *r)
{
    static const char *const points[] = { "client_drafted:error:1",    "client_removed:error:1",
                                          "client_retired:error:1",    "client_purged:error:1",
                                          "client_destroyed1:error:1", "client_confirmed:error:1",
                                          "client_certified:error:1" };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
        QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 }, none = { 0 };
        char name[8];
        snprintf(name, sizeof(name), "cut%zu", i);
        rig_put_v(r, name, SIZE, 1);
        rig_put_v(r, name, SIZE, 2);
        const size_t before = files(r, ".cert");
        qc_fault_script(points[i]);
        CHECK(erase(r, name, &got, &err) != QC_OK);
        qc_fault_script(NULL);
        CHECK(!got.made && files(r, ".draft") == 1);
        CHECK(files(r, ".cert") == before + (i == 6));
        CHECK_OK(rig_open(r, &err)); /* another process */
        CHECK_OK(erase(r, name, &got, &err));
        is_record(r, &got, name, 2, &c);
        CHECK(files(r, ".cert") == before + 1 && c.v[0].had[0] == VAULT_ERASED_SHARE &&
              c.v[1].had[1] == VAULT_ERASED_SHARE);
        CHECK_OK(erase(r, name, &none, &err));
        CHECK(!none.made && files(r, ".cert") == before + 1);
    }
}

/* What the gateway refuses, or takes back, is in no record; a version that came later is in its own. */
static void not_gone(struct rig *r)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 }, later = { 0 };
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 }, none = { 0 }, last = { 0 };
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    rig_put_v(r, "n", SIZE, 1);
    list(r, "n", &all);
    const size_t before = files(r, ".cert");
    struct fake_version *v = fake_version_of(r->fake, all.v[0].object, all.v[0].version);
    v->version[0] ^= 1; /* the gateway: never heard of it */
    CHECK_OK(erase(r, "n", &none, &err));
    v->version[0] ^= 1;
    CHECK(!none.made && none.left == 1 && files(r, ".cert") == before && files(r, ".draft") == 0);
    rig_put_v(r, "n", SIZE, 2);
    qc_fault_script("client_destroyed1:error:1");
    CHECK(erase(r, "n", &got, &err) != QC_OK);
    qc_fault_script(NULL);
    CHECK_OK(rig_open(r, &err));
    rig_put_v(r, "n", SIZE, 3); /* meanwhile */
    CHECK_OK(erase(r, "n", &got, &err));
    is_record(r, &got, "n", 3, &c);
    rig_put_v(r, "n", SIZE, 4);
    CHECK_OK(erase(r, "n", &last, &err));
    is_record(r, &last, "n", 1, &later);
}

/* One of two versions is not gone: the record is of some of them, whatever the draft was of. */
static void in_part(struct rig *r)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    rig_put_v(r, "part", SIZE, 1);
    rig_put_v(r, "part", SIZE, 2);
    list(r, "part", &all);
    struct fake_version *v = fake_version_of(r->fake, all.v[1].object, all.v[1].version);
    v->version[0] ^= 1; /* the gateway: never heard of it */
    CHECK_OK(erase(r, "part", &got, &err));
    v->version[0] ^= 1;
    is_record(r, &got, "part", 1, &c);
    CHECK(got.left == 1 && !c.whole && memcmp(c.v[0].version, all.v[0].version, VAULT_ID_BYTES) == 0);
}

/* A draft of the whole name, and the name is there anew, before all was confirmed or, which whoever asks for
 * the record does not know, after it: the record is of what the draft names, and not of the name. */
static void there_anew(struct rig *r, const char *name, bool whole)
{
    QC_CLEANUP(vault_erase_close) struct vault_erasure *e = NULL;
    QC_CLEANUP(vault_erasing_free) struct vault_erasing *x = NULL;
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    bool drafted = false;
    rig_put_v(r, name, SIZE, 1);
    qc_fault_script("client_confirmed:error:1");
    CHECK(erase(r, name, &got, &err) != QC_OK);
    qc_fault_script(NULL);
    CHECK_OK(rig_open(r, &err));
    if (!whole)
        rig_put_v(r, name, SIZE, 2);
    struct vault_call call = rig_call(r);
    CHECK_OK(vault_erase_open(&e, r->v, &err));
    CHECK_OK(vault_erase_begin(&x, e, qc_span_str(name), &drafted, &err));
    CHECK(drafted);
    CHECK_OK(vault_erase_confirm(&x, 1, &call, &err));
    if (whole)
        rig_put_v(r, name, SIZE, 2);
    CHECK_OK(vault_erase_record(x, whole, &call, &got, &err));
    CHECK_OK(vault_erase_end(x, &err));
    is_record(r, &got, name, 1, &c);
    CHECK(!c.whole && got.left == 0 && got.anew == whole);
    list(r, name, &all);
    CHECK(all.n == 1 && !all.removed);
}

/* The gateway forgets a purge between the shares' end and the record. */
static void taken_back(struct rig *r)
{
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct qc_err err = { 0 };
    rig_put_v(r, "back", SIZE, 1);
    list(r, "back", &all);
    qc_fault_script("client_confirmed:error:1");
    CHECK(erase(r, "back", &got, &err) != QC_OK);
    qc_fault_script(NULL);
    struct fake_version *v = fake_version_of(r->fake, all.v[0].object, all.v[0].version);
    v->version[0] ^= 1;
    CHECK_OK(erase(r, "back", &got, &err));
    v->version[0] ^= 1;
    CHECK(!got.made && got.left == 1 && files(r, ".draft") == 0);
}

/* Store 2 is lost in the middle: what the lost one has nobody knows, and the record says so. */
static void replaced(struct rig *r)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
    struct vault_recover_result result = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    rig_put_v(r, "s", SIZE, 1);
    qc_fault_script("client_drafted:error:1");
    CHECK(erase(r, "s", &got, &err) != QC_OK);
    qc_fault_script(NULL);
    vault_close(&r->v);
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    CHECK_RC(erase(r, "s", &got, &err), QC_SHARES);
    CHECK_OK(vault_recover(r->v, 2, r->share[1], &call, &result, &err));
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(erase(r, "s", &got, &err));
    is_record(r, &got, "s", 1, &c);
    CHECK(!c.store[0].replaced && c.store[1].replaced);
    vault_notes_done(&r->notes);
}

/* One that is damaged, another name's, another vault's, or a record that is no draft: named, and not used. */
static void bad_drafts(struct rig *r, struct rig *other)
{
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record got = { 0 };
    char command[1000];
    struct qc_err err = { 0 };
    static const char *const spoil[] = {
        "printf x | dd of=$(ls *.draft) bs=1 seek=60 conv=notrunc status=none",
        "head -c 100 *.draft >../t && cat ../t >$(ls *.draft)",
        "cat $(ls *.cert | head -1) >$(ls *.draft)",
    };
    for (size_t i = 0; i < 4; i++) {
        rig_put_v(r, "bad", SIZE, 1);
        qc_fault_script("client_retired:error:1");
        CHECK(erase(r, "bad", &got, &err) != QC_OK);
        qc_fault_script(NULL);
        if (i == 3) { /* the same name of another vault */
            rig_put_v(other, "bad", SIZE, 1);
            qc_fault_script("client_drafted:error:1");
            CHECK(erase(other, "bad", &got, &err) != QC_OK);
            qc_fault_script(NULL);
            snprintf(command, sizeof(command), "cat %s/certificates/*.draft >$(ls %s/certificates/*.draft)",
                     other->state, r->state);
        } else
            snprintf(command, sizeof(command), "cd %s/certificates && %s", r->state, spoil[i]);
        CHECK(system(command) == 0);
        REFUSED(erase(r, "bad", &got, &err), QC_INTEGRITY, ".draft: ");
        snprintf(command, sizeof(command), "rm %s/certificates/*.draft", r->state);
        CHECK(system(command) == 0);
        CHECK_OK(erase(r, "bad", &got, &err)); /* and what it had begun is finished, without a record */
        CHECK(!got.made);
    }
}

static void one_at_a_time(struct rig *r)
{
    QC_CLEANUP(vault_erase_close) struct vault_erasure *one = NULL, *two = NULL;
    struct qc_err err = { 0 };
    CHECK_OK(vault_erase_open(&one, r->v, &err));
    CHECK_RC(vault_erase_open(&two, r->v, &err), QC_LOCKED);
    vault_erase_close(&one);
    CHECK_OK(vault_erase_open(&two, r->v, &err));
}

int main(void)
{
    struct rig r, derived;
    rig_new_mode(&r, qc_rand_start(), false);
    rig_new_mode(&derived, qc_rand_start(), true);
    plain(&r, false);
    plain(&derived, true);
    cut_off(&r);
    not_gone(&r);
    in_part(&r);
    there_anew(&r, "anew", false);
    there_anew(&r, "meanwhile", true);
    taken_back(&r);
    bad_drafts(&r, &derived);
    one_at_a_time(&r);
    replaced(&r);
    rig_done(&derived);
    rig_done(&r);
    return 0;
}
