#include "vault/xattrs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/codec.h"

#define USER "user."

/* -- bytes -------------------------------------------------------------------------------------------------
 */

static bool take(qc_rd *r, qc_span *ret_name, qc_span *ret_value)
{
    *ret_name = qc_rd_bytes(r, qc_rd_be(r, 1));
    *ret_value = qc_rd_bytes(r, qc_rd_be(r, 4));
    return qc_rd_ok(r);
}

bool vault_xattrs_next(qc_span in, size_t *at, qc_span *ret_name, qc_span *ret_value)
{
    qc_rd r = { .s = qc_span_from(in, *at) };
    if (*at == in.n || !take(&r, ret_name, ret_value))
        return false;
    *at = in.n - qc_rd_left(&r);
    return true;
}

static bool is_user(qc_span name)
{
    const qc_span start = QC_LIT(USER);
    return name.n > start.n && qc_span_eq(qc_span_sub(name, 0, start.n), start) &&
           memchr(name.p, 0, name.n) == NULL;
}

qc_rc vault_xattrs_check(qc_span in, struct qc_err *err)
{
    qc_span last = { 0 }, name, value;
    qc_rd r = { .s = in };
    if (in.n > QC_VAULT_XATTRS_MAX)
        return QC_FAIL(err, QC_LIMIT, "extended attributes of %zu bytes, at most %d", in.n,
                       QC_VAULT_XATTRS_MAX);
    while (qc_rd_left(&r) > 0) {
        if (!take(&r, &name, &value) || !is_user(name) || qc_span_cmp(name, last) <= 0)
            return QC_FAIL(err, QC_FORMAT, "extended attributes: malformed, or not in order");
        last = name;
    }
    return QC_OK;
}

static qc_rc add(qc_buf *ret, qc_span name, qc_span value, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(ret, name.n, 1, err));
    QC_TRY(qc_buf_add(ret, name, err));
    QC_TRY(qc_buf_add_be(ret, value.n, 4, err));
    return qc_buf_add(ret, value, err);
}

/* -- files -------------------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    const qc_span *x = a, *y = b;
    return qc_span_cmp(*x, *y);
}

/* The names that are the user's, in order; *names has their bytes, each with its NUL. */
static qc_rc list(int fd, qc_buf *names, qc_buf *ret, struct qc_err *err)
{
    uint8_t *at = NULL;
    ssize_t n = flistxattr(fd, NULL, 0); /* most files have none */
    if (n == 0 || (n < 0 && errno == ENOTSUP))
        return QC_OK;
    names->max = QC_VAULT_XATTR_NAMES_MAX;
    QC_TRY(qc_buf_extend(names, QC_VAULT_XATTR_NAMES_MAX, &at, err));
    n = flistxattr(fd, (char *)at, names->n);
    if (n < 0)
        return QC_FAIL_OS(err, "cannot list its extended attributes");
    ret->max = QC_VAULT_XATTR_NAMES_MAX * sizeof(qc_span);
    for (size_t i = 0; i < (size_t)n;) {
        const qc_span name = qc_span_of(at + i, strnlen((const char *)at + i, (size_t)n - i));
        if (is_user(name) && name.n <= UINT8_MAX)
            QC_TRY(qc_buf_add(ret, qc_span_of(&name, sizeof name), err));
        i += name.n + 1;
    }
    if (ret->n > 0)
        qsort(ret->p, ret->n / sizeof(qc_span), sizeof(qc_span), by_name);
    return QC_OK;
}

/* *ret_n: bytes of its value; SIZE_MAX: it is gone. */
static qc_rc read_value(int fd, const char *name, uint8_t *value, size_t room, size_t *ret_n,
                        struct qc_err *err)
{
    const ssize_t n = fgetxattr(fd, name, value, room);
    *ret_n = n < 0 ? SIZE_MAX : (size_t)n;
    return n >= 0 || errno == ENODATA ? QC_OK : QC_FAIL_OS(err, "cannot read its attribute '%.100s'", name);
}

qc_rc vault_xattrs_read(int fd, qc_buf *ret, unsigned *ret_left, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf sorted = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_VAULT_XATTRS_MAX };
    uint8_t *at = NULL;
    size_t n = 0;
    *ret_left = 0;
    QC_TRY(list(fd, &names, &sorted, err));
    if (sorted.n == 0)
        return QC_OK;
    QC_TRY(qc_buf_extend(&value, QC_VAULT_XATTRS_MAX, &at, err));
    for (size_t i = 0; i < sorted.n / sizeof(qc_span); i++) {
        const qc_span name = ((const qc_span *)(const void *)sorted.p)[i];
        QC_TRY(read_value(fd, (const char *)name.p, at, QC_VAULT_XATTRS_MAX, &n, err));
        if (n == SIZE_MAX)
            continue;
        if (1 + name.n + 4 + n > QC_VAULT_XATTRS_MAX - ret->n)
            ++*ret_left;
        else
            QC_TRY(add(ret, name, qc_span_of(at, n), err));
    }
    return QC_OK;
}

unsigned vault_xattrs_write(int fd, qc_span in, int *ret_os)
{
    qc_span name, value;
    unsigned missed = 0;
    for (size_t at = 0; vault_xattrs_next(in, &at, &name, &value);) {
        char text[UINT8_MAX + 1];
        snprintf(text, sizeof text, "%.*s", (int)name.n, (const char *)name.p);
        if (fsetxattr(fd, text, value.p, value.n, 0) == 0)
            continue;
        if (missed++ == 0)
            *ret_os = errno;
    }
    return missed;
}
