/* unit/vault_pass: share stores under a passphrase: alone, and in a session. A wrong passphrase is never
 * taken for a lost store, a damaged key file never for a wrong passphrase. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "pass_source.h"
#include "vault/share_store.h"
#include "vault_rig.h"

enum { KIB = QC_VAULT_PASS_KIB_MIN };

struct fix {
    struct qc_tmpdir dir;
    struct qc_rand rand;
    qc_rng rng;
    char store[320];
    struct vault_store_params params;
    qc_key *VS_i;
    struct vault_pass *sesame, *other;
    struct vault_lock lock;
    uint8_t key_file[VAULT_STORE_KEY_WRAPPED];
};

static size_t read_key(const char *store, uint8_t *ret, size_t max)
{
    char path[400];
    snprintf(path, sizeof path, "%s/store.key", store);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    size_t n = fread(ret, 1, max, f);
    fclose(f);
    return n;
}

static void write_key(const char *store, const uint8_t *p, size_t n)
{
    char path[400];
    snprintf(path, sizeof path, "%s/store.key", store);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

static void make(struct fix *f)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    uint8_t more[VAULT_STORE_KEY_WRAPPED + 1];
    f->dir = qc_tmpdir_new();
    f->rand = qc_rand_start();
    f->rng = qc_rand_rng(&f->rand);
    f->sesame = pass_of("open sesame");
    f->other = pass_of("open sesam");
    snprintf(f->store, sizeof f->store, "%s/store", f->dir.path);
    CHECK_OK(qc_key_new(&f->VS_i, 32, &f->rng, &err));
    CHECK_OK(vault_lock_make(&f->lock, f->sesame, KIB, &f->rng, NULL, &err));
    f->params = (struct vault_store_params){ .index = 1, .generation = 1, .VS_i = f->VS_i, .lock = f->lock };
    qc_rand_fill(&f->rand, f->params.vault, 16);
    CHECK_OK(vault_store_create(&s, f->store, &f->params, &f->rng, &err));
    CHECK(vault_store_is_locked(f->store) && vault_store_lock(s).pass == f->sesame);
    CHECK(read_key(f->store, more, sizeof more) == VAULT_STORE_KEY_WRAPPED);
    memcpy(f->key_file, more, sizeof f->key_file);
}

static void done(struct fix *f)
{
    vault_pass_free(&f->sesame);
    vault_pass_free(&f->other);
    qc_key_free(&f->VS_i);
    qc_tmpdir_remove(&f->dir);
}

/* Opens with these answers; the code, and how often was asked. */
static qc_rc open_with(struct fix *f, struct pass_answers *a, struct qc_err *err)
{
    struct vault_passes ps = { .ask = pass_answer, .ctx = a };
    struct vault_store_expect expect = { .index = 1, .vault = f->params.vault, .passes = &ps };
    struct vault_store *s = NULL;
    qc_rc rc = vault_store_open(&s, f->store, VAULT_STORE_ANY, &expect, err);
    if (rc == QC_OK)
        CHECK(qc_key_same(vault_store_secret(s), f->VS_i));
    vault_store_close(&s);
    vault_passes_done(&ps);
    return rc;
}

static void one_passphrase(struct fix *f)
{
    struct qc_err err = { 0 };
    struct vault_store *s = NULL;
    struct vault_store_expect expect = { .index = 1 };
    CHECK_RC(vault_store_open(&s, f->store, VAULT_STORE_ANY, &expect, &err), QC_NOPASS);
    struct pass_answers right = { { "open sesame" }, 1, 0, { 0 }, "" };
    CHECK_OK(open_with(f, &right, &err));
    CHECK(right.asked == 1 && right.last.index == 1 && strcmp(right.dir, f->store) == 0);
    struct pass_answers late = { { "Open sesame", "open sesame ", "open sesame" }, 3, 0, { 0 }, "" };
    CHECK_OK(open_with(f, &late, &err));
    CHECK(late.asked == 3 && late.last.tries == 2);
    struct pass_answers wrong = { { "open sesam" }, 1, 0, { 0 }, "" };
    qc_rc rc = open_with(f, &wrong, &err);
    CHECK(rc == QC_PASSPHRASE && qc_rc_exit(rc) == 12 && strstr(err.msg, "share store 1") != NULL);
    CHECK(strstr(err.msg, "sesam") == NULL); /* I5 */
    struct pass_answers none = { { NULL }, 1, 0, { 0 }, "" };
    CHECK_RC(open_with(f, &none, &err), QC_NOPASS);
    struct pass_answers endless = { { "1", "2", "3", "4", "5", "6", "7", "8" }, 8, 0, { 0 }, "" };
    CHECK_RC(open_with(f, &endless, &err), QC_PASSPHRASE);
}

/* What a passphrase may be; vault_pass_new copies it. */
static void forms(struct fix *f)
{
    static const struct {
        size_t n;
        uint8_t odd;
        qc_rc want;
    } cases[] = { { 0, 'x', QC_USAGE },
                  { 1, 'x', QC_OK },
                  { 5, 0, QC_USAGE },
                  { 5, '\n', QC_USAGE },
                  { 5, '\r', QC_OK },
                  { 5, 0xff, QC_OK },
                  { QC_PASSPHRASE_MAX, ' ', QC_OK },
                  { QC_PASSPHRASE_MAX + 1, 'x', QC_USAGE } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct qc_err err = { 0 };
        QC_CLEANUP(qc_key_free) qc_key *bytes = NULL;
        QC_CLEANUP(vault_pass_free) struct vault_pass *p = NULL, *q = NULL;
        CHECK_OK(qc_key_blank(&bytes, QC_PASSPHRASE_MAX + QC_KEY_STEP, &err));
        memset(qc_key_write(bytes), 'a', cases[i].n);
        if (cases[i].n > 0)
            qc_key_write(bytes)[cases[i].n - 1] = cases[i].odd;
        qc_key_seal(bytes);
        CHECK_RC(vault_pass_new(&p, bytes, cases[i].n, &err), cases[i].want);
        CHECK((p != NULL) == (cases[i].want == QC_OK));
        if (p != NULL && cases[i].n > 1) {
            CHECK_OK(vault_pass_new(&q, bytes, cases[i].n - 1, &err));
            CHECK(vault_pass_same(p, p) && !vault_pass_same(p, q));
        }
    }
    CHECK(!vault_pass_same(f->sesame, f->other));
}

static void put_sum(uint8_t *file, size_t n)
{
    struct qc_err err = { 0 };
    CHECK_OK(qc_sha256(&(qc_span){ file, n - 32 }, 1, file + n - 32, &err));
}

/* A flipped bit anywhere: damage, exit 8, and nobody is asked. With the checksum made anew it is what the
 * field says; where that is bound by the wrapping, the right passphrase does not open it. */
static void flipped(struct fix *f)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof f->key_file; i++) {
        struct qc_err err = { 0 };
        struct pass_answers a = { { NULL }, 1, 0, { 0 }, "" };
        struct vault_passes ps = { .ask = pass_answer, .ctx = &a, .known = { f->sesame }, .n = 1 };
        struct vault_store_expect expect = { .index = 1, .vault = f->params.vault, .passes = &ps };
        struct vault_store *s = NULL;
        uint8_t file[sizeof f->key_file];
        memcpy(file, f->key_file, sizeof file);
        file[i] ^= (uint8_t)(1U << qc_rand_below(&f->rand, 8));
        write_key(f->store, file, sizeof file);
        qc_rc rc = vault_store_open(&s, f->store, VAULT_STORE_ANY, &expect, &err);
        CHECK(qc_rc_exit(rc) == 8 && a.asked == 0);
        put_sum(file, sizeof file);
        /* Trying another cost could take GiB and minutes (`bounds` has it); four salts are enough. */
        if (i >= sizeof file - 32 || (i >= 24 && i < 32) || (i >= 32 && i < 48 && i % 4 != 0))
            continue;
        write_key(f->store, file, sizeof file);
        qc_err_clear(&err);
        rc = vault_store_open(&s, f->store, VAULT_STORE_ANY, &expect, &err);
        CHECK(i < 8 ? qc_rc_exit(rc) == 8 && a.asked == 0 : rc == QC_NOPASS && a.asked == 1);
        wrong += rc == QC_NOPASS;
    }
    CHECK(wrong == 16 + 4 + 32 + 16);
    write_key(f->store, f->key_file, sizeof f->key_file);
}

static qc_rc parse_rc(const uint8_t *p, size_t n)
{
    struct qc_err err = { 0 };
    struct vault_store_key key = { .how = { .passes = 77 } };
    qc_rc rc = vault_store_key_parse(&key, qc_span_of(p, n), &err);
    CHECK(rc == QC_OK || key.how.passes == 77); /* left alone */
    qc_key_free(&key.SK);
    return rc;
}

/* Lengths, kinds, versions, and the cost at and beyond each bound. */
static void bounds(struct fix *f)
{
    static const struct {
        uint32_t passes, kib;
        qc_rc want;
    } cases[] = { { 2, 65536, QC_OK },         { 64, 4194304, QC_OK },    { 1, 65536, QC_FORMAT },
                  { 0, 65536, QC_FORMAT },     { 65, 65536, QC_FORMAT },  { UINT32_MAX, 65536, QC_FORMAT },
                  { 2, 65535, QC_FORMAT },     { 2, 4194305, QC_FORMAT }, { 2, 0, QC_FORMAT },
                  { 2, UINT32_MAX, QC_FORMAT } };
    uint8_t file[VAULT_STORE_KEY_MAX + 64] = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(file, f->key_file, sizeof f->key_file);
        qc_put_be(file + 24, cases[i].passes, 4);
        qc_put_be(file + 28, cases[i].kib, 4);
        put_sum(file, sizeof f->key_file);
        CHECK(parse_rc(file, sizeof f->key_file) == cases[i].want);
    }
    memcpy(file, f->key_file, sizeof f->key_file);
    for (size_t n = 0; n < 300; n++) { /* every length, with a checksum where one fits */
        if (n >= 33)
            put_sum(file, n);
        CHECK(n == VAULT_STORE_KEY_WRAPPED || qc_rc_exit(parse_rc(file, n)) == 8);
        memcpy(file, f->key_file, sizeof f->key_file);
        memset(file + sizeof f->key_file, 0, sizeof file - sizeof f->key_file);
    }
    for (unsigned at = 4; at <= 5; at++) /* a newer version or kind, of any length, says so */
        for (size_t n = 40; n <= VAULT_STORE_KEY_MAX; n += 507) {
            memcpy(file, f->key_file, sizeof f->key_file);
            file[at] = 2;
            put_sum(file, n);
            CHECK(parse_rc(file, n) == QC_NEWER);
            file[n - 1] ^= 1;
            CHECK(parse_rc(file, n) == QC_INTEGRITY);
        }
}

static ino_t inode_of(const char *store, nlink_t *ret_links)
{
    char path[400];
    struct stat st;
    snprintf(path, sizeof path, "%s/store.key", store);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    *ret_links = st.st_nlink;
    return st.st_ino;
}

/* Change and removal: the store stays, the old passphrase and the old bytes are gone. */
static void changed(struct fix *f)
{
    struct qc_err err = { 0 };
    struct vault_passes ps = { .known = { f->sesame }, .n = 1 };
    struct vault_store_expect expect = { .index = 1, .passes = &ps };
    struct vault_lock lock = { 0 };
    uint8_t bytes[VAULT_STORE_KEY_WRAPPED + 1];
    char path[400];
    nlink_t links;
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    CHECK_OK(vault_store_open(&s, f->store, VAULT_STORE_WRITE, &expect, &err));
    ino_t before = inode_of(f->store, &links);
    snprintf(path, sizeof path, "%s/store.key", f->store);
    int held = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(held >= 0);
    CHECK_OK(vault_lock_make(&lock, f->other, KIB, &f->rng, NULL, &err));
    CHECK(memcmp(lock.how.salt, f->lock.how.salt, sizeof lock.how.salt) != 0);
    CHECK_OK(vault_store_relock(s, &lock, NULL, &err));
    CHECK(vault_store_lock(s).pass == f->other && inode_of(f->store, &links) != before);
    CHECK(read(held, bytes, sizeof bytes) == VAULT_STORE_KEY_WRAPPED);
    for (size_t i = 0; i < VAULT_STORE_KEY_WRAPPED; i++)
        CHECK(bytes[i] == 0);
    close(held);
    vault_store_close(&s);
    struct pass_answers old = { { "open sesame" }, 1, 0, { 0 }, "" },
                        new = { { "open sesam" }, 1, 0, { 0 }, "" };
    CHECK_RC(open_with(f, &old, &err), QC_PASSPHRASE);
    CHECK_OK(open_with(f, &new, &err));
    /* Away with it; somebody's hard link to the old file is their copy, and stays. */
    char link_path[400];
    snprintf(link_path, sizeof link_path, "%s/backup", f->dir.path);
    CHECK(link(path, link_path) == 0);
    ps.known[0] = f->other;
    CHECK_OK(vault_store_open(&s, f->store, VAULT_STORE_WRITE, &expect, &err));
    CHECK_OK(vault_store_relock(s, &(struct vault_lock){ 0 }, NULL, &err));
    vault_store_close(&s);
    CHECK(!vault_store_is_locked(f->store) &&
          read_key(f->store, bytes, sizeof bytes) == VAULT_STORE_KEY_BYTES);
    FILE *b = fopen(link_path, "r");
    CHECK(b != NULL && fread(bytes, 1, sizeof bytes, b) == VAULT_STORE_KEY_WRAPPED && bytes[0] == 'Q');
    fclose(b);
    CHECK_OK(
        vault_store_open(&s, f->store, VAULT_STORE_READ, &(struct vault_store_expect){ .index = 1 }, &err));
    CHECK_RC(vault_store_relock(s, &lock, NULL, &err), QC_AUTH); /* opened for reading */
    vault_store_close(&s);
}

/* The published store (kat/seal/store.json, store.db), with either key file: every record is what the vector
 * says. */
static void published(struct fix *f)
{
    static const char *const kinds[] = { "key_clear", "key_wrapped" };
    static const size_t sizes[] = { VAULT_STORE_KEY_BYTES, VAULT_STORE_KEY_WRAPPED };
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct json_t *records = NULL;
    char place[400], command[1000], passphrase[128] = "";
    const char *hex = NULL;
    CHECK_OK(qc_dir_open(&dir, QC_TESTS_DIR "/kat/seal", &err));
    CHECK_OK(qc_file_read(qc_fd_get(&dir), "store.json", 1 << 20, &text, &err));
    CHECK_OK(qc_json_parse(&j, qc_buf_span(&text), &err));
    CHECK_OK(qc_json_str(j, "passphrase", &hex, &err));
    CHECK_OK(qc_hex_dec(qc_span_str(hex), (uint8_t *)passphrase, strlen(hex) / 2, &err));
    CHECK_OK(qc_json_arr(j, "records", &records, &err));
    CHECK(qc_json_len(records) == 3);
    for (size_t k = 0; k < 2; k++) {
        uint8_t file[VAULT_STORE_KEY_WRAPPED];
        struct vault_passes ps = { .known = { pass_of(passphrase) }, .n = 1 };
        struct vault_store_health h;
        QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
        snprintf(place, sizeof place, "%s/published%zu", f->dir.path, k);
        snprintf(command, sizeof command, "mkdir '%s' && cp '%s' '%s'", place,
                 QC_TESTS_DIR "/kat/seal/store.db", place);
        CHECK(system(command) == 0);
        CHECK_OK(qc_json_hex(j, kinds[k], file, sizes[k], &err));
        write_key(place, file, sizes[k]);
        CHECK_OK(vault_store_open(&s, place, VAULT_STORE_READ,
                                  &(struct vault_store_expect){ 1, NULL, NULL, &ps, true, false }, &err));
        CHECK_OK(vault_store_check(s, &h, &err));
        CHECK(h.records == 3 && h.pending == 1 && h.committed == 1 && h.retired == 1 && h.marks == 2);
        CHECK(h.damaged_records == 0 && h.damaged_marks == 0 && h.descriptor_ok && h.head_ok);
        for (size_t i = 0; i < 3; i++) {
            QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
            uint8_t object[16], version[16], share[32];
            CHECK_OK(qc_json_hex(qc_json_at(records, i), "object", object, 16, &err));
            CHECK_OK(qc_json_hex(qc_json_at(records, i), "version", version, 16, &err));
            CHECK_OK(qc_json_hex(qc_json_at(records, i), "share", share, 32, &err));
            CHECK_OK(vault_store_get(s, object, version, &r, &err));
            CHECK(qc_span_eq(qc_key_open(r.share), qc_span_of(share, 32)));
        }
        vault_store_close(&s);
        vault_passes_done(&ps);
    }
}

/* ---- sessions ---- */

static void relock(struct rig *r, unsigned i, const struct vault_lock *lock, struct vault_passes *ps)
{
    struct qc_err err = { 0 };
    struct vault_store_expect expect = { .index = i, .passes = ps };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    vault_close(&r->v);
    CHECK_OK(vault_store_open(&s, r->share[i - 1], VAULT_STORE_WRITE, &expect, &err));
    CHECK_OK(vault_store_relock(s, lock, NULL, &err));
}

/* Both under one passphrase and salt: asked once. */
static void both(struct rig *r, struct vault_pass *pass, const struct vault_lock *lock)
{
    struct qc_err err = { 0 };
    struct pass_answers a = { { "open sesame" }, 1, 0, { 0 }, "" };
    struct vault_passes ps = { .ask = pass_answer, .ctx = &a };
    struct vault_passes known = { .known = { pass }, .n = 1 };
    relock(r, 1, lock, NULL);
    relock(r, 2, lock, NULL);
    CHECK_RC(rig_open(r, &err), QC_NOPASS);
    /* cppcheck-suppress autoVariables ; taken away again below */
    r->passes = &ps;
    CHECK_OK(rig_open(r, &err));
    CHECK(a.asked == 1 && r->notes.n == 0);
    CHECK_OK(rig_put(r, "x", 100000, 1, &err));
    CHECK_OK(rig_get(r, "x", 100000, 1, &err));
    vault_close(&r->v);
    vault_passes_done(&ps);
    struct pass_answers wrong = { { "open sesam" }, 1, 0, { 0 }, "" };
    ps = (struct vault_passes){ .ask = pass_answer, .ctx = &wrong };
    CHECK_RC(rig_open(r, &err), QC_PASSPHRASE);
    vault_passes_done(&ps);
    r->passes = &known;
    CHECK_OK(rig_open(r, &err));
    vault_close(&r->v);
    r->passes = NULL;
}

/* Two passphrases: asked twice; where the second is wrong, nothing goes on with one store. */
static void two(struct rig *r, struct vault_pass *pass, struct vault_pass *other)
{
    struct qc_err err = { 0 };
    struct vault_lock lock = { 0 };
    struct vault_passes known = { .known = { pass }, .n = 1 };
    CHECK_OK(vault_lock_make(&lock, other, KIB, &(qc_rng){ qc_rand_rng_fill, &r->rand }, NULL, &err));
    relock(r, 2, &lock, &known);
    struct pass_answers a = { { "open sesame", "open sesam" }, 2, 0, { 0 }, "" };
    struct vault_passes ps = { .ask = pass_answer, .ctx = &a };
    /* cppcheck-suppress autoVariables ; taken away again below */
    r->passes = &ps;
    CHECK_OK(rig_open(r, &err));
    CHECK(a.asked == 2 && a.last.index == 2 && a.last.known == 1 && a.last.tries == 0);
    vault_close(&r->v);
    vault_passes_done(&ps);
    /* The one for store 2 given first: kept, and tried there without a question. */
    a = (struct pass_answers){ { "open sesam", "open sesame" }, 2, 0, { 0 }, "" };
    ps = (struct vault_passes){ .ask = pass_answer, .ctx = &a };
    CHECK_OK(rig_open(r, &err));
    CHECK(a.asked == 2 && a.last.index == 1);
    vault_close(&r->v);
    vault_passes_done(&ps);
    a = (struct pass_answers){ { "open sesame" }, 1, 0, { 0 }, "" };
    ps = (struct vault_passes){ .ask = pass_answer, .ctx = &a };
    CHECK_RC(rig_open(r, &err), QC_PASSPHRASE);
    vault_passes_done(&ps);
    /* Left locked on purpose: store 2 counts as missing, said so; nothing can be stored. */
    a = (struct pass_answers){ { "open sesame", NULL }, 2, 0, { 0 }, "" };
    ps = (struct vault_passes){ .ask = pass_answer, .ctx = &a };
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_LOCKED, 2) && !vault_has_share(r->v, 2));
    CHECK_OK(rig_get(r, "x", 100000, 1, &err));
    CHECK_RC(rig_put(r, "y", 10, 1, &err), QC_NOPASS);
    vault_close(&r->v);
    vault_passes_done(&ps);
    vault_notes_done(&r->notes);
    r->passes = NULL;
}

static uint64_t records_of(const char *dir, struct vault_passes *ps, bool *ret_locked)
{
    struct qc_err err = { 0 };
    struct vault_store_health h;
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    CHECK_OK(vault_store_open(&s, dir, VAULT_STORE_READ, &(struct vault_store_expect){ .passes = ps }, &err));
    CHECK_OK(vault_store_check(s, &h, &err));
    CHECK(h.damaged_records == 0 && h.descriptor_ok && h.head_ok);
    *ret_locked = vault_store_lock(s).pass != NULL;
    return h.records;
}

/* Share 2's passphrase is forgotten: that is a lost share. Its store is not asked for, and rebuilt under the
 * other's. */
static void forgotten(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result = { 0 };
    struct pass_answers a = { { "open sesame" }, 1, 0, { 0 }, "" };
    struct vault_passes ps = { .ask = pass_answer, .ctx = &a };
    char fresh[330];
    bool locked = false;
    snprintf(fresh, sizeof fresh, "%s/fresh2", r->dir.path);
    /* cppcheck-suppress autoVariables ; taken away again below */
    r->passes = &ps;
    r->unasked = 2;
    CHECK_OK(rig_open(r, &err));
    CHECK(a.asked == 1);
    CHECK_RC(vault_recover(r->v, 2, r->share[1], &call, &result, &err),
             QC_CONFLICT); /* not into the locked one */
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, 2, fresh, &call, &result, &err));
    CHECK(result.locked && result.failed == 0 && result.records == 1);
    vault_close(&r->v);
    snprintf(r->share[1], sizeof r->share[1], "%.300s", fresh);
    r->unasked = 0;
    CHECK_OK(rig_open(r, &err));
    CHECK(vault_has_share(r->v, 2) && a.asked == 1);
    CHECK_OK(rig_put(r, "z", 1000, 3, &err));
    vault_close(&r->v);
    CHECK(records_of(fresh, &ps, &locked) == 2 && locked && a.asked == 1);
    /* The other way round, from store 2, which is asked first then. */
    rig_lose(r, "share1");
    r->unasked = 1;
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, 1, r->share[0], &call, &result, &err));
    CHECK(result.locked && result.written == 2);
    vault_close(&r->v);
    r->unasked = 0;
    vault_passes_done(&ps);
    vault_notes_done(&r->notes);
    r->passes = NULL;
}

static void join_and_status(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_conf conf = rig_conf(r);
    struct vault_join j = { 0 };
    struct vault_local_status st = { 0 };
    const char *const dirs[2] = { r->share[1], r->share[0] };
    CHECK_RC(vault_join_read(&j, dirs, NULL, &err), QC_NOPASS);
    struct pass_answers a = { { "open sesame" }, 1, 0, { 0 }, "" };
    struct vault_passes ps = { .ask = pass_answer, .ctx = &a };
    CHECK_OK(vault_join_read(&j, dirs, &ps, &err));
    CHECK(a.asked == 1 && a.last.index == 0 && j.share[0] == dirs[1] && j.share[1] == dirs[0]);
    vault_join_done(&j);
    CHECK_OK(vault_status_local(&st, &conf, &err));
    CHECK(st.share[0].rc == QC_NOPASS && st.share[0].locked && st.share[1].rc == QC_NOPASS &&
          st.share[1].locked);
    conf.passes = &ps;
    CHECK_OK(vault_status_local(&st, &conf, &err));
    CHECK(st.share[0].rc == QC_OK && st.share[0].locked && st.share[0].records == 2);
    vault_passes_done(&ps);
}

int main(void)
{
    static struct fix f;
    static struct rig r;
    struct qc_err err = { 0 };
    make(&f);
    forms(&f);
    one_passphrase(&f);
    bounds(&f);
    flipped(&f);
    published(&f);
    rig_new(&r, f.rand);
    both(&r, f.sesame, &f.lock);
    two(&r, f.sesame, f.other);
    forgotten(&r);
    join_and_status(&r);
    rig_done(&r);
    changed(&f);
    CHECK(err.rc == QC_OK);
    done(&f);
    return 0;
}
