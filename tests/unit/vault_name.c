/* unit/vault_name: names come back, belong to their directory, keep the rules; every change of a path is
 * refused (row 33). */
#include "ring.h"
#include "vault/name.h"
#include "vault_fix.h"

static struct vault_ring *ring;
static struct vault_name_folder folder; /* of whatever name was the last */

static void round_trip(qc_span name)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX }, again = { .max = QC_VAULT_PATH_MAX },
                                   back = { .max = QC_VAULT_NAME_MAX };
    CHECK_OK(vault_name_seal(&path, ring, name, &err));
    for (int i = 0; i < 2; i++) { /* in another's folder, then in its own */
        again.n = 0;
        CHECK_OK(vault_name_seal_next(&again, &folder, ring, name, &err));
        CHECK(qc_span_eq(qc_buf_span(&path), qc_buf_span(&again)));
    }
    CHECK_OK(vault_name_open(&back, ring, qc_buf_span(&path), NULL, &err));
    CHECK(qc_span_eq(qc_buf_span(&back), name));
}

static void names(void)
{
    struct qc_err err = { 0 };
    static uint8_t big[4097];
    memset(big, 0xff, sizeof big);
    round_trip(QC_LIT("a"));
    round_trip(QC_LIT("..."));
    round_trip(QC_LIT(".a/..b/c"));
    round_trip(QC_LIT("a b\n\x80\xff/\x80"));
    for (size_t n = 1; n <= 70; n++)
        round_trip(qc_span_of(big, n));
    round_trip(qc_span_of(big, 4096));
    for (size_t i = 1; i < 4096; i += 2)
        big[i] = '/';
    round_trip(qc_span_of(big, 4095)); /* 2,048 components of one byte */
    const qc_span bad[] = { QC_LIT(""),     QC_LIT("/"),          QC_LIT("//"),     QC_LIT("/a"),
                            QC_LIT("a/"),   QC_LIT("a//b"),       QC_LIT("."),      QC_LIT(".."),
                            QC_LIT("a/."),  QC_LIT("../a"),       QC_LIT("a/../b"), QC_LIT("\0"),
                            QC_LIT("a\0b"), qc_span_of(big, 4097) };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
        CHECK_RC(vault_name_check(bad[i], &err), QC_USAGE);
        CHECK_RC(vault_name_seal(&path, ring, bad[i], &err), QC_USAGE);
        CHECK_RC(vault_name_seal_next(&path, &folder, ring, bad[i], &err), QC_USAGE);
        CHECK(path.n == 0);
        round_trip(i % 2 == 0 ? QC_LIT("a/b") : QC_LIT("a/b/c")); /* and leaves nothing in its way */
    }
    round_trip(QC_LIT("a/b/c"));
    round_trip(QC_LIT("a/b/d"));
    round_trip(QC_LIT("a/bb"));
    round_trip(QC_LIT("ab/b"));
}

static void refused(qc_span path, qc_rc want)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
    const qc_rc rc = vault_name_open(&name, ring, path, NULL, &err);
    CHECK(want == QC_OK ? rc == QC_INTEGRITY || rc == QC_FORMAT : rc == want);
    CHECK(name.n == 0);
}

static void damage(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX }, other = { .max = QC_VAULT_PATH_MAX };
    CHECK_OK(vault_name_seal(&path, ring, QC_LIT("dir/file"), &err));
    CHECK_OK(vault_name_seal(&other, ring, QC_LIT("rid/file"), &err));
    CHECK(path.n == 68 && other.n == 68);
    for (size_t at = 0; at < path.n; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            path.p[at] ^= (uint8_t)(1u << bit);
            refused(qc_buf_span(&path), QC_OK);
            path.p[at] ^= (uint8_t)(1u << bit);
        }
    for (size_t n = 0; n < path.n; n++)
        if (n != 34) /* the directory itself is a path */
            refused(qc_span_of(path.p, n), QC_FORMAT);
    CHECK(memcmp(path.p + 34, other.p + 34, 34) != 0); /* one name in two directories */
    memcpy(path.p + 34, other.p + 34, 34);
    refused(qc_buf_span(&path), QC_INTEGRITY);
    /* the component of a subdirectory at the root */
    refused(qc_span_of(other.p + 34, 34), QC_INTEGRITY);
    /* a prefix: the directory's path is that of everything in it */
    QC_CLEANUP(qc_buf_free) qc_buf dir = { .max = QC_VAULT_PATH_MAX };
    CHECK_OK(vault_name_seal(&dir, ring, QC_LIT("rid"), &err));
    CHECK(dir.n == 34 && memcmp(dir.p, other.p, 34) == 0);
}

/* What only a holder of VS can write: components that authenticate and break the rules. */
static void forged(void)
{
    struct qc_err err = { 0 };
    static const struct {
        const char *text;
        size_t n;
        const char *check;
    } t[] = {
        { "a\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, NULL }, /* as it should be */
        { "a\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32, "name: padding" },
        { "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: padding" },
        { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: padding" },
        { "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: has an empty component" },
        { "..\x80\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: has a component . or .." },
        { "a/b\x80\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: has a slash" },
        { "a\0b\x80\0\0\0\0\0\0\0\0\0\0\0\0", 16, "name: has a NUL" },
    };
    QC_CLEANUP(qc_buf_free) qc_buf aad = { .max = 64 };
    CHECK_OK(qc_info_add(&aad, QC_LIT("name"), &err));
    CHECK_OK(qc_info_add(&aad, qc_span_of(vault_ring_vault(ring), 16), &err));
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint8_t path[2 + 16 + 32];
        QC_CLEANUP(qc_buf_free) qc_buf name = { .max = QC_VAULT_NAME_MAX };
        qc_put_be(path, 16 + t[i].n, 2);
        CHECK_OK(qc_siv_seal(qc_key_open(ring->name), qc_buf_span(&aad), qc_span_of(t[i].text, t[i].n),
                             path + 2, &err));
        const qc_rc rc = vault_name_open(&name, ring, qc_span_of(path, 18 + t[i].n), NULL, &err);
        CHECK(rc == (t[i].check != NULL ? QC_INTEGRITY : QC_OK));
        CHECK(t[i].check == NULL || strstr(err.msg, t[i].check) != NULL);
    }
}

/* A listing with its cache gives the same names as without, in any order, and after a refusal. */
static void cache(void)
{
    struct qc_err err = { 0 };
    static const char *const name[] = { "a/b/c/d", "a/b/c/e", "a/b/x", "a/y",     "a",      "a/b/c/d",
                                        "z/b/c/d", "z/b",     "q",     "z/b/c/e", "z/b/c/e" };
    QC_CLEANUP(vault_name_cache_done) struct vault_name_cache c = { 0 };
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX },
                                       back = { .max = QC_VAULT_NAME_MAX };
        CHECK_OK(vault_name_seal(&path, ring, qc_span_str(name[i]), &err));
        CHECK_OK(vault_name_open(&back, ring, qc_buf_span(&path), &c, &err));
        CHECK(qc_span_eq(qc_buf_span(&back), qc_span_str(name[i])));
        path.p[path.n - 1] ^= 1;
        CHECK_RC(vault_name_open(&back, ring, qc_buf_span(&path), &c, &err), QC_INTEGRITY);
    }
}

int main(void)
{
    struct qc_err err = { 0 };
    const struct vault_ids ids = fix_ids(0, 0);
    QC_CLEANUP(qc_key_free) qc_key *VS = fix_key("VS", 1, 32);
    CHECK_OK(vault_ring_new(&ring, VS, ids.vault, &err));
    names();
    damage();
    forged();
    cache();
    vault_name_folder_done(&folder);
    vault_ring_free(&ring);
    return 0;
}
