#include "ext.h"

#include <inttypes.h>

bool vault_ext_next(struct vault_ext_walk *w, uint16_t *ret_type, qc_span *ret_value)
{
    if (qc_rd_left(&w->r) == 0)
        return false;
    const uint16_t type = (uint16_t)qc_rd_be(&w->r, 2);
    const uint64_t size = qc_rd_be(&w->r, 4);
    const qc_span value = qc_rd_bytes(&w->r, size);
    if (type <= w->last)
        qc_rd_fail(&w->r);
    if (!qc_rd_ok(&w->r))
        return false;
    w->last = type;
    *ret_type = type;
    *ret_value = value;
    return true;
}

qc_rc vault_ext_end(const struct vault_ext_walk *w, const char *what, struct qc_err *err)
{
    if (!qc_rd_end(&w->r))
        return QC_FAIL(err, QC_FORMAT, "%s: extension fields are cut or not in ascending order", what);
    return QC_OK;
}

qc_rc vault_ext_unknown(uint16_t type, const char *what, struct qc_err *err)
{
    if ((type & VAULT_EXT_MUST) != 0)
        return QC_FAIL(err, QC_NEWER, "%s: extension 0x%04x needs a newer program", what, (unsigned)type);
    return QC_OK;
}

static qc_rc walk(qc_span in, const char *what, bool refuse, struct qc_err *err)
{
    if (in.n > QC_VAULT_EXT_MAX)
        return QC_FAIL(err, QC_FORMAT, "%s: %zu bytes of extension fields, at most %d", what, in.n,
                       QC_VAULT_EXT_MAX);
    struct vault_ext_walk w = { .r = { .s = in }, .last = -1 };
    uint16_t type;
    qc_span value;
    while (vault_ext_next(&w, &type, &value)) {
        if (refuse)
            QC_TRY(vault_ext_unknown(type, what, err));
    }
    return vault_ext_end(&w, what, err);
}

qc_rc vault_ext_check(qc_span in, const char *what, struct qc_err *err)
{
    return walk(in, what, true, err);
}

qc_rc vault_ext_walk_only(qc_span in, const char *what, struct qc_err *err)
{
    return walk(in, what, false, err);
}

qc_rc vault_ext_add(qc_buf *ret, uint16_t type, qc_span value, struct qc_err *err)
{
    QC_ASSERT(value.n <= UINT32_MAX);
    const size_t before = ret->n;
    qc_rc rc = qc_buf_add_be(ret, type, 2, err);
    if (rc == QC_OK)
        rc = qc_buf_add_be(ret, value.n, 4, err);
    if (rc == QC_OK)
        rc = qc_buf_add(ret, value, err);
    if (rc != QC_OK)
        ret->n = before;
    return rc;
}
