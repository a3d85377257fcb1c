#include "gateway/root.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "root_internal.h"

/* enc() of label, catalogue and context: 4 items of 64 bytes at most, each with its length. */
enum { INFO_MAX = 512 };

static const char suite_g1[] = "qcloud-gateway-1/HKDF-SHA-256/AES-256-GCM";

qc_rc gw_prk_new(struct qc_prk **ret, const qc_key *ikm, struct qc_err *err)
{
    const qc_span name = qc_span_str(suite_g1);
    uint8_t salt[QC_SHA256_BYTES];

    QC_TRY(qc_sha256(&name, 1, salt, err));
    return qc_prk_new(ret, qc_span_of(salt, sizeof salt), qc_key_open(ikm), err);
}

qc_rc gw_root_new(struct gw_root **ret, const uint8_t catalogue[GW_ID_BYTES], const qc_key *G,
                  struct qc_err *err)
{
    QC_CLEANUP(gw_root_free) struct gw_root *r = qc_alloc(sizeof *r);

    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "root key");
    QC_ASSERT(qc_key_len(G) == GW_ROOT_KEY_BYTES);
    qc_mutex_init(&r->names_lock);
    memcpy(r->catalogue, catalogue, sizeof r->catalogue);
    QC_TRY(qc_key_dup(&r->G, G, err));
    QC_TRY(gw_prk_new(&r->prk, r->G, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

qc_rc gw_root_random(struct gw_root **ret, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *G = NULL;
    uint8_t catalogue[GW_ID_BYTES];

    QC_TRY(qc_rng_fill(rng, catalogue, sizeof catalogue, err));
    QC_TRY(qc_key_new(&G, GW_ROOT_KEY_BYTES, rng, err));
    return gw_root_new(ret, catalogue, G, err);
}

void gw_root_free(struct gw_root **rp)
{
    struct gw_root *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    for (unsigned i = 0; i < r->name_count; i++)
        qc_key_free(&r->names[i].key);
    qc_prk_free(&r->prk);
    qc_key_free(&r->G);
    qc_mutex_done(&r->names_lock);
    qc_free(r);
}

const uint8_t *gw_root_catalogue(const struct gw_root *r)
{
    return r->catalogue;
}

const qc_key *gw_root_G(const struct gw_root *r)
{
    return r->G;
}

static qc_rc make_info(qc_buf *info, const struct gw_root *r, const char *label, const qc_span *context,
                       size_t count, struct qc_err *err)
{
    QC_TRY(qc_info_add(info, qc_span_str(label), err));
    QC_TRY(qc_info_add(info, qc_span_of(r->catalogue, sizeof r->catalogue), err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(qc_info_add(info, context[i], err));
    return QC_OK;
}

qc_rc gw_root_key(const struct gw_root *r, const char *label, const qc_span *context, size_t count,
                  size_t len, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf info = { .max = INFO_MAX };

    QC_TRY(make_info(&info, r, label, context, count, err));
    return qc_prk_expand_key(ret, r->prk, qc_buf_span(&info), len, err);
}

qc_rc gw_kdf(const struct qc_prk *prk, const struct gw_root *r, const char *label, const qc_span *context,
             size_t count, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf info = { .max = INFO_MAX };

    QC_TRY(make_info(&info, r, label, context, count, err));
    return qc_prk_expand_key(ret, prk, qc_buf_span(&info), 32, err);
}

qc_rc gw_root_mac(const struct gw_root *r, const char *label, const qc_span *parts, size_t count,
                  uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;

    QC_TRY(gw_root_key(r, label, NULL, 0, 32, &key, err));
    return qc_hmac_sha256(qc_key_open(key), parts, count, ret, err);
}
