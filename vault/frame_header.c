#include "frame.h"

#include <inttypes.h>

#include "ext.h"
#include "vault/kdf.h"

#define VERSION       1
#define PROFILE_EC    1
#define LAYOUT_STREAM 0
#define SHARE_K       3
#define SHARE_N       4
#define SHARE_BYTES   32
#define FIXED_BYTES   116 /* up to the points */

static const uint8_t points[SHARE_N] = { 1, 2, 3, 4 };

static qc_rc write_fields(qc_buf *b, const struct vault_header *h, struct qc_err *err)
{
    const uint8_t start[] = { 'Q', 'C', 'L', 'N', VERSION, PROFILE_EC, VAULT_SUITE, LAYOUT_STREAM };
    QC_TRY(qc_buf_add(b, qc_span_of(start, sizeof start), err));
    QC_TRY(qc_buf_add_be(b, VAULT_HEADER_BYTES + h->extensions.n, 4, err));
    QC_TRY(qc_buf_add_be(b, 0, 2, err));
    QC_TRY(qc_buf_add_be(b, h->chunk_log2, 1, err));
    QC_TRY(qc_buf_add_be(b, h->group_log2, 1, err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->ids.vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->ids.object, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->ids.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->salt, sizeof h->salt), err));
    QC_TRY(qc_buf_add(b, qc_span_of(h->commitment, sizeof h->commitment), err));
    QC_TRY(qc_buf_add_be(b, SHARE_K, 1, err));
    QC_TRY(qc_buf_add_be(b, SHARE_N, 1, err));
    QC_TRY(qc_buf_add_be(b, SHARE_BYTES, 2, err));
    QC_TRY(qc_buf_add(b, qc_span_of(points, SHARE_N), err));
    return qc_buf_add(b, h->extensions, err);
}

qc_rc vault_header_write(qc_buf *ret, const struct vault_header *h, struct qc_err *err)
{
    if (h->extensions.n > QC_VAULT_EXT_MAX)
        return QC_FAIL(err, QC_USAGE, "header: %zu bytes of extension fields, at most %d", h->extensions.n,
                       QC_VAULT_EXT_MAX);
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = VAULT_HEADER_BYTES + QC_VAULT_EXT_MAX };
    QC_TRY(write_fields(&b, h, err));
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

qc_rc vault_header_peek(uint32_t *ret, qc_span in, struct qc_err *err)
{
    qc_rd r = { .s = in };
    const uint64_t magic = qc_rd_be(&r, 4);
    const uint64_t version = qc_rd_be(&r, 1), profile = qc_rd_be(&r, 1), suite = qc_rd_be(&r, 1);
    const uint64_t layout = qc_rd_be(&r, 1), size = qc_rd_be(&r, 4);
    if (!qc_rd_ok(&r) || magic != 0x51434c4e)
        return QC_FAIL(err, QC_FORMAT, "header: not a sealed object");
    if (version == 0 || profile == 0 || suite == 0)
        return QC_FAIL(err, QC_FORMAT, "header: version, profile or suite 0");
    if (version != VERSION || profile != PROFILE_EC || suite != VAULT_SUITE || layout != LAYOUT_STREAM)
        return QC_FAIL(err, QC_NEWER,
                       "header: version %" PRIu64 ", profile %" PRIu64 ", suite %" PRIu64 ", layout %" PRIu64
                       " need a newer program",
                       version, profile, suite, layout);
    if (size < FIXED_BYTES + 1 || size > VAULT_HEADER_BYTES + QC_VAULT_EXT_MAX)
        return QC_FAIL(err, QC_FORMAT, "header: size %" PRIu64 ", expected %d to %d", size,
                       VAULT_HEADER_BYTES, VAULT_HEADER_BYTES + QC_VAULT_EXT_MAX);
    *ret = (uint32_t)size;
    return QC_OK;
}

/* k, n, length and points of the sharing. Malformed is told from merely unknown (FORMAT 3.1). */
static qc_rc read_sharing(qc_rd *r, struct qc_err *err)
{
    const uint64_t k = qc_rd_be(r, 1), n = qc_rd_be(r, 1), length = qc_rd_be(r, 2);
    const qc_span x = qc_rd_bytes(r, n);
    if (!qc_rd_ok(r))
        return QC_FAIL(err, QC_FORMAT, "header: cut in the points of the shares");
    if (k == 0 || k > n || length != SHARE_BYTES)
        return QC_FAIL(err, QC_FORMAT, "header: shares %" PRIu64 " of %" PRIu64 " with %" PRIu64 " bytes", k,
                       n, length);
    bool seen[256] = { false };
    for (size_t i = 0; i < x.n; i++) {
        if (x.p[i] == 0 || seen[x.p[i]])
            return QC_FAIL(err, QC_FORMAT, "header: share points are zero or equal");
        seen[x.p[i]] = true;
    }
    if (k != SHARE_K || !qc_span_eq(x, qc_span_of(points, SHARE_N)))
        return QC_FAIL(err, QC_NEWER, "header: shares of another kind need a newer program");
    return QC_OK;
}

qc_rc vault_header_parse(struct vault_header *ret, qc_span in, struct qc_err *err)
{
    struct vault_header h = { 0 };
    QC_TRY(vault_header_peek(&h.size, in, err));
    if (in.n != h.size)
        return QC_FAIL(err, QC_FORMAT, "header: %zu bytes, its size field says %" PRIu32, in.n, h.size);
    qc_rd r = { .s = in, .at = VAULT_HEADER_PEEK };
    const uint64_t flags = qc_rd_be(&r, 2);
    h.chunk_log2 = (uint8_t)qc_rd_be(&r, 1);
    h.group_log2 = (uint8_t)qc_rd_be(&r, 1);
    qc_rd_copy(&r, h.ids.vault, VAULT_ID_BYTES);
    qc_rd_copy(&r, h.ids.object, VAULT_ID_BYTES);
    qc_rd_copy(&r, h.ids.version, VAULT_ID_BYTES);
    qc_rd_copy(&r, h.salt, sizeof h.salt);
    qc_rd_copy(&r, h.commitment, sizeof h.commitment);
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_FORMAT, "header: cut");
    if (flags != 0)
        return QC_FAIL(err, QC_FORMAT, "header: flags 0x%04" PRIx64 ", expected 0", flags);
    QC_TRY(read_sharing(&r, err));
    h.extensions = qc_span_from(in, r.at);
    QC_TRY(vault_ext_check(h.extensions, "header", err));
    *ret = h;
    return QC_OK;
}
