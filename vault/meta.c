#include "vault/meta.h"

#include "ext.h"
#include "vault/xattrs.h"

enum {
    EXT_MTIME = 1,
    EXT_MODE = 2,
    EXT_PROVENANCE = 3,
    EXT_FROM = 4,
    EXT_WAYS = 5,
    EXT_STORED = 6,
    EXT_XATTRS = 7,
    EXT_FOLDER = 0x8008,
}; /* FORMAT 11 */

#define MTIME_BYTES 12
#define MODE_BYTES  4
#define TIME_BYTES  8
#define NS_PER_S    UINT32_C(1000000000)

static qc_rc write_fields(qc_buf *b, const struct vault_meta *m, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, m->true_size, 8, err));
    if (m->has_mtime) {
        QC_ASSERT(m->mtime_ns < NS_PER_S);
        uint8_t v[MTIME_BYTES];
        qc_put_be(v, (uint64_t)m->mtime_s, 8);
        qc_put_be(v + 8, m->mtime_ns, 4);
        QC_TRY(vault_ext_add(b, EXT_MTIME, qc_span_of(v, sizeof v), err));
    }
    if (m->has_mode) {
        uint8_t v[MODE_BYTES];
        qc_put_be(v, m->mode, MODE_BYTES);
        QC_TRY(vault_ext_add(b, EXT_MODE, qc_span_of(v, sizeof v), err));
    }
    if (m->provenance.n > 0)
        QC_TRY(vault_ext_add(b, EXT_PROVENANCE, m->provenance, err));
    if (m->has_from)
        QC_TRY(vault_ext_add(b, EXT_FROM, qc_span_of(m->from, VAULT_ID_BYTES), err));
    if (m->ways.n > 0)
        QC_TRY(vault_ext_add(b, EXT_WAYS, m->ways, err));
    if (m->has_stored) {
        uint8_t v[TIME_BYTES];
        qc_put_be(v, (uint64_t)m->stored_s, TIME_BYTES);
        QC_TRY(vault_ext_add(b, EXT_STORED, qc_span_of(v, sizeof v), err));
    }
    if (m->xattrs.n > 0)
        QC_TRY(vault_ext_add(b, EXT_XATTRS, m->xattrs, err));
    return m->folder ? vault_ext_add(b, EXT_FOLDER, (qc_span){ 0 }, err) : QC_OK;
}

qc_rc vault_meta_write(qc_buf *ret, const struct vault_meta *meta, struct qc_err *err)
{
    const size_t before = ret->n;
    const qc_rc rc = write_fields(ret, meta, err);
    if (rc != QC_OK)
        ret->n = before;
    return rc;
}

static qc_rc take(struct vault_meta *m, uint16_t type, qc_span value, struct qc_err *err)
{
    static const char what[] = "private metadata";
    qc_rd r = { .s = value };
    switch (type) {
    case EXT_MTIME:
        m->has_mtime = true;
        m->mtime_s = (int64_t)qc_rd_be(&r, 8);
        m->mtime_ns = (uint32_t)qc_rd_be(&r, 4);
        if (!qc_rd_end(&r) || m->mtime_ns >= NS_PER_S)
            return QC_FAIL(err, QC_FORMAT, "%s: malformed mtime", what);
        return QC_OK;
    case EXT_MODE:
        m->has_mode = true;
        m->mode = (uint32_t)qc_rd_be(&r, 4);
        if (!qc_rd_end(&r))
            return QC_FAIL(err, QC_FORMAT, "%s: malformed mode", what);
        return QC_OK;
    case EXT_PROVENANCE:
        m->provenance = value;
        return QC_OK;
    case EXT_FROM:
        m->has_from = true;
        qc_rd_copy(&r, m->from, VAULT_ID_BYTES);
        if (!qc_rd_end(&r))
            return QC_FAIL(err, QC_FORMAT, "%s: malformed version id", what);
        return QC_OK;
    case EXT_WAYS:
        m->ways = value;
        return QC_OK;
    case EXT_STORED:
        m->has_stored = true;
        m->stored_s = (int64_t)qc_rd_be(&r, TIME_BYTES);
        if (!qc_rd_end(&r))
            return QC_FAIL(err, QC_FORMAT, "%s: malformed time of storing", what);
        return QC_OK;
    case EXT_XATTRS:
        m->xattrs = value;
        return vault_xattrs_check(value, err);
    case EXT_FOLDER:
        m->folder = true;
        return value.n == 0 ? QC_OK : QC_FAIL(err, QC_FORMAT, "%s: a folder with a value", what);
    default:
        return vault_ext_unknown(type, what, err);
    }
}

qc_rc vault_meta_parse(struct vault_meta *ret, qc_span in, struct qc_err *err)
{
    struct vault_meta m = { 0 };
    qc_rd r = { .s = in };
    m.true_size = qc_rd_be(&r, 8);
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_FORMAT, "private metadata: %zu bytes, at least 8", in.n);
    struct vault_ext_walk w = { .r = r, .last = -1 };
    uint16_t type;
    qc_span value;
    while (vault_ext_next(&w, &type, &value))
        QC_TRY(take(&m, type, value, err));
    QC_TRY(vault_ext_end(&w, "private metadata", err));
    *ret = m;
    return QC_OK;
}
