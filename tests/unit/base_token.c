/* unit/base_token: tokens have one form, lie in files that nobody else may touch, and are refused otherwise.
 */
#include "base/token.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

#define HEX16 "0123456789abcdef"
#define GOOD  "qcloud-token-v1-" HEX16 HEX16 HEX16 HEX16

static char path[400];

static void put(const char *bytes, size_t n, mode_t mode)
{
    (void)unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static qc_rc read_back(struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *token = NULL;
    QC_TRY(qc_token_read(path, &token, err));
    CHECK(qc_key_len(token) == QC_TOKEN_BYTES && memcmp(qc_key_open(token).p, GOOD, QC_TOKEN_BYTES) == 0);
    return QC_OK;
}

static void check_form(void)
{
    char text[QC_TOKEN_BYTES + 1] = GOOD;
    CHECK(qc_token_ok(QC_LIT(GOOD)));
    for (size_t n = 0; n < QC_TOKEN_BYTES; n++)
        CHECK(!qc_token_ok(qc_span_of(text, n)));
    CHECK(!qc_token_ok(QC_LIT(GOOD "0")));
    for (size_t i = 0; i < QC_TOKEN_BYTES; i++) /* every place takes what it must, and nothing else */
        for (unsigned c = 0; c < 256; c++) {
            const char was = text[i];
            const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            text[i] = (char)c;
            CHECK(qc_token_ok(qc_span_of(text, QC_TOKEN_BYTES)) == (i < 16 ? (char)c == was : hex));
            text[i] = was;
        }
}

static void check_new(void)
{
    struct qc_err err = { 0 };
    struct qc_rand rand = { .state = 7 }, same = { .state = 7 };
    const qc_rng rng = qc_rand_rng(&rand);
    uint8_t raw[32], hash[32], want[32];
    char hex[65];
    qc_key *a = NULL, *b = NULL;

    CHECK_OK(qc_token_new(&a, &rng, &err));
    CHECK_OK(qc_token_new(&b, &rng, &err));
    CHECK(qc_token_ok(qc_key_open(a)) && qc_token_ok(qc_key_open(b)) && !qc_key_same(a, b));
    qc_rand_fill(&same, raw, sizeof raw);
    for (size_t i = 0; i < sizeof raw; i++)
        CHECK(snprintf(hex + 2 * i, 3, "%02x", raw[i]) == 2);
    CHECK(memcmp(qc_key_open(a).p + 16, hex, 64) == 0);
    const qc_span text = QC_LIT(GOOD);
    CHECK_OK(qc_token_hash(text, hash, &err));
    CHECK_OK(qc_sha256(&text, 1, want, &err));
    CHECK(memcmp(hash, want, sizeof hash) == 0);
    qc_key_free(&a);
    qc_key_free(&b);
}

static void check_write(void)
{
    struct qc_err err = { 0 };
    struct qc_rand rand = { .state = 8 };
    const qc_rng rng = qc_rand_rng(&rand);
    struct stat st;
    qc_key *a = NULL, *b = NULL;

    (void)unlink(path);
    CHECK_OK(qc_token_new(&a, &rng, &err));
    CHECK_OK(qc_token_write(path, a, &err));
    CHECK(stat(path, &st) == 0 && st.st_size == QC_TOKEN_BYTES + 1 && (st.st_mode & 07777) == 0600);
    CHECK_OK(qc_token_read(path, &b, &err));
    CHECK(qc_key_same(a, b));
    CHECK_RC(qc_token_write(path, a, &err), QC_CONFLICT); /* never over another one */
    CHECK(unlink(path) == 0 && symlink("/nowhere/at/all", path) == 0);
    CHECK_RC(qc_token_write(path, a, &err), QC_CONFLICT);
    CHECK(unlink(path) == 0);
    CHECK_RC(qc_token_write("/nowhere/at/all", a, &err), QC_NOTFOUND);
    CHECK_RC(qc_token_write("/", a, &err), QC_USAGE);
    qc_key_free(&a);
    qc_key_free(&b);
}

static void check_read(void)
{
    struct qc_err err = { 0 };
    static const mode_t open_to_others[] = { 0640, 0604, 0660, 0620, 0610, 0601, 0644, 0777 };

    (void)unlink(path);
    CHECK_RC(read_back(&err), QC_NOTFOUND);
    put(GOOD, QC_TOKEN_BYTES, 0600);
    CHECK_OK(read_back(&err));
    put(GOOD "\n", QC_TOKEN_BYTES + 1, 0400);
    CHECK_OK(read_back(&err));
    static const char *const bad[] = { "",
                                       "\n",
                                       GOOD "\n\n",
                                       GOOD " ",
                                       " " GOOD,
                                       GOOD "\r\n",
                                       GOOD GOOD,
                                       "qcloud-token-v2-" HEX16 HEX16 HEX16 HEX16,
                                       "Bearer " GOOD };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(bad[i], strlen(bad[i]), 0600);
        const qc_rc rc = read_back(&err);
        CHECK(rc == QC_FORMAT && strstr(err.msg, path) != NULL);
        CHECK(strstr(err.msg, HEX16) == NULL); /* what stands there may be a secret all the same */
    }
    put(GOOD "\0", QC_TOKEN_BYTES + 1, 0600);
    CHECK_RC(read_back(&err), QC_FORMAT);
    for (size_t i = 0; i < sizeof open_to_others / sizeof *open_to_others; i++) {
        put(GOOD "\n", QC_TOKEN_BYTES + 1, open_to_others[i]);
        CHECK_RC(read_back(&err), QC_AUTH);
    }
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    CHECK_RC(read_back(&err), QC_USAGE);
    CHECK(rmdir(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_RC(read_back(&err), QC_USAGE); /* and does not wait for a writer */
    CHECK(unlink(path) == 0);
}

int main(void)
{
    struct qc_tmpdir dir = qc_tmpdir_new();
    CHECK(snprintf(path, sizeof path, "%s/token", dir.path) > 0);
    check_form();
    check_new();
    check_write();
    check_read();
    qc_tmpdir_remove(&dir);
    return 0;
}
