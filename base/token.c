#include "base/token.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define PREFIX "qcloud-token-v1-"

enum {
    PREFIX_BYTES = sizeof PREFIX - 1,
    RAW_BYTES = 32,
    ROOM = QC_TOKEN_BYTES + QC_KEY_STEP, /* a line's end, and a byte that shows that there is more */
};
_Static_assert(PREFIX_BYTES + 2 * RAW_BYTES == QC_TOKEN_BYTES, "the form of a token");

/* '0'..'9', 'a'..'f' for 0..15, by arithmetic: no table is looked up with a secret. */
static uint8_t hex_digit(uint8_t v)
{
    const uint8_t letter = (uint8_t)((9U - v) >> 8 & 1U); /* 1 for 10..15 */
    return (uint8_t)('0' + v + letter * ('a' - '0' - 10));
}

/* 0xFF if it is a lower-case hex digit, else 0. */
static uint8_t is_hex(uint8_t c)
{
    const unsigned digit = ((unsigned)c - '0') & 0x1FFU, letter = ((unsigned)c - 'a') & 0x1FFU;
    const unsigned good = ((digit - 10U) >> 16 & 1U) | ((letter - 6U) >> 16 & 1U);
    return (uint8_t)(0U - good);
}

bool qc_token_ok(qc_span text)
{
    uint8_t bad = 0;

    if (text.n != QC_TOKEN_BYTES)
        return false;
    for (size_t i = 0; i < PREFIX_BYTES; i++)
        bad |= (uint8_t)(text.p[i] ^ (uint8_t)PREFIX[i]);
    for (size_t i = PREFIX_BYTES; i < QC_TOKEN_BYTES; i++)
        bad |= (uint8_t)~is_hex(text.p[i]);
    return bad == 0;
}

static void write_hex(uint8_t *dst, qc_span raw)
{
    memcpy(dst, PREFIX, PREFIX_BYTES);
    for (size_t i = 0; i < raw.n; i++) {
        dst[PREFIX_BYTES + 2 * i] = hex_digit(raw.p[i] >> 4);
        dst[PREFIX_BYTES + 2 * i + 1] = hex_digit(raw.p[i] & 15);
    }
}

qc_rc qc_token_new(qc_key **ret, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *raw = NULL;
    QC_CLEANUP(qc_key_free) qc_key *token = NULL;

    QC_TRY(qc_key_new(&raw, RAW_BYTES, rng, err));
    QC_TRY(qc_key_blank(&token, QC_TOKEN_BYTES, err));
    write_hex(qc_key_write(token), qc_key_open(raw));
    qc_key_seal(token);
    *ret = QC_STEAL(token);
    return QC_OK;
}

qc_rc qc_token_hash(qc_span text, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    return qc_sha256(&text, 1, ret, err);
}

/* -- files ----------------------------------------------------------------------------------------------- */

/* The directory of a path, and its last component; both at least one byte. */
static qc_rc split(const char *path, struct qc_fd *ret_dir, const char **ret_name, struct qc_err *err)
{
    char dir[4096] = ".";
    const char *slash = strrchr(path, '/');

    *ret_name = slash == NULL ? path : slash + 1;
    if (**ret_name == '\0')
        return QC_FAIL(err, QC_USAGE, "'%s' names no file", path);
    if (slash != NULL && (size_t)(slash - path) + 2 > sizeof dir)
        return QC_FAIL(err, QC_USAGE, "a path of %zu bytes", strlen(path));
    if (slash != NULL) {
        const size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
    return qc_dir_open(ret_dir, dir, err);
}

qc_rc qc_token_write(const char *path, const qc_key *token, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const char *name = NULL;

    QC_ASSERT(qc_key_len(token) == QC_TOKEN_BYTES);
    QC_TRY_AS(split(path, &dir, &name, err), err, "token file");
    QC_TRY_AS(qc_open_at(&fd, qc_fd_get(&dir), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600, err),
              err, "token file '%s'", path);
    qc_rc rc = qc_write_all(qc_fd_get(&fd), (const qc_span[]){ qc_key_open(token), QC_LIT("\n") }, 2, err);
    if (rc == QC_OK)
        rc = qc_sync(qc_fd_get(&fd), err);
    if (rc == QC_OK)
        rc = qc_dir_sync(qc_fd_get(&dir), err);
    if (rc != QC_OK) {
        qc_err_wrap(err, "token file '%s'", path);
        (void)unlinkat(qc_fd_get(&dir), name, 0); /* half a token is nobody's */
    }
    return rc;
}

qc_rc qc_token_take(const qc_key *from, size_t n, qc_key **ret, struct qc_err *err)
{
    const size_t end = n == QC_TOKEN_BYTES + 1 ? QC_TOKEN_BYTES : n;

    QC_ASSERT(n <= qc_key_len(from));
    if ((n > end && qc_key_open(from).p[end] != '\n') || !qc_token_ok(qc_span_sub(qc_key_open(from), 0, end)))
        return QC_FAIL(err, QC_FORMAT, "not a token of a gateway (%s and 64 hex digits)", PREFIX);
    return qc_key_sub(ret, from, 0, QC_TOKEN_BYTES, err);
}

static qc_rc read_token(const char *path, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *all = NULL;
    size_t n = 0;

    /* O_NONBLOCK: the open of a pipe must not wait for a writer. */
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0, err));
    QC_TRY(qc_file_private(qc_fd_get(&fd), err));
    QC_TRY(qc_key_blank(&all, ROOM, err));
    QC_TRY(qc_read_full(qc_fd_get(&fd), qc_key_write(all), ROOM, &n, err));
    qc_key_seal(all);
    return qc_token_take(all, n, ret, err);
}

qc_rc qc_token_read(const char *path, qc_key **ret, struct qc_err *err)
{
    QC_TRY_AS(read_token(path, ret, err), err, "token file '%s'", path);
    return QC_OK;
}
