#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"

static const char suffix[] = ".qcloud-position";
static const char magic[] = "qcloud-position 1 ";
enum { MAX = 128, SUM = 8 };

/* The first eight digits of SHA-256 over what stands before them. */
static qc_rc sum(qc_span text, char ret[SUM + 1], struct qc_err *err)
{
    uint8_t digest[QC_SHA256_BYTES];
    char hex[2 * QC_SHA256_BYTES + 1];
    QC_TRY(qc_sha256(&text, 1, digest, err));
    qc_hex(qc_span_of(digest, sizeof digest), hex);
    memcpy(ret, hex, SUM);
    ret[SUM] = '\0';
    return QC_OK;
}

static qc_rc print(const struct qrng_position *p, char ret[MAX], struct qc_err *err)
{
    char check[SUM + 1];
    const int n = snprintf(ret, MAX, "%s%" PRIu64 " %" PRIu64 " ", magic, p->size, p->offset);
    QC_ASSERT(n > 0 && n + SUM + 2 < MAX);
    QC_TRY(sum(qc_span_of(ret, (size_t)n), check, err));
    snprintf(ret + n, (size_t)(MAX - n), "%s\n", check);
    return QC_OK;
}

/* Digits up to a blank. Zeros before others are found when it is printed again. */
static bool take_number(qc_span *s, uint64_t *ret)
{
    if (!qc_dec_take(s, ret) || s->n == 0 || s->p[0] != ' ')
        return false;
    *s = qc_span_from(*s, 1);
    return true;
}

qc_rc qrng_position_parse(qc_span text, struct qrng_position *ret, struct qc_err *err)
{
    struct qrng_position p = { 0 };
    char again[MAX];
    const size_t n = sizeof magic - 1;
    qc_span rest = text.n >= n ? qc_span_from(text, n) : (qc_span){ 0 };
    if (text.n < n || memcmp(text.p, magic, n) != 0 || !take_number(&rest, &p.size) ||
        !take_number(&rest, &p.offset))
        return QC_FAIL(err, QC_FORMAT, "the position is damaged");
    QC_TRY(print(&p, again, err));
    if (!qc_span_eq(text, qc_span_str(again)) || p.offset > p.size || p.offset % QC_QRNG_FILE_BLOCK != 0)
        return QC_FAIL(err, QC_FORMAT, "the position is damaged");
    *ret = p;
    return QC_OK;
}

bool qrng_position_is_name(const char *name)
{
    const size_t n = strlen(name), s = sizeof suffix - 1;
    return n > s && strcmp(name + n - s, suffix) == 0;
}

static qc_rc name_of(const char *name, char ret[QC_FILE_NAME_MAX + 1], struct qc_err *err)
{
    const int n = snprintf(ret, QC_FILE_NAME_MAX + 1, "%s%s", name, suffix);
    return n > 0 && n <= QC_FILE_NAME_MAX ? QC_OK : QC_FAIL(err, QC_LIMIT, "the file's name is too long");
}

qc_rc qrng_position_load(int dirfd, const char *name, struct qrng_position *ret, bool *ret_found,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    char beside[QC_FILE_NAME_MAX + 1];
    QC_TRY(name_of(name, beside, err));
    const qc_rc rc = qc_file_read(dirfd, beside, MAX, &text, err);
    *ret_found = rc != QC_NOTFOUND;
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    return qrng_position_parse(qc_buf_span(&text), ret, err);
}

qc_rc qrng_position_save(int dirfd, const char *name, const struct qrng_position *p, struct qc_err *err)
{
    char beside[QC_FILE_NAME_MAX + 1], text[MAX];
    QC_TRY(name_of(name, beside, err));
    QC_TRY(print(p, text, err));
    const qc_span part = qc_span_str(text);
    return qc_file_write_atomic(dirfd, beside, &part, 1, 0600, err);
}
