#include "make.h"

#include <string.h>

#include "base/crypto.h"
#include "base/secret.h"

enum { BLOCK = QC_SHA256_BYTES };

qc_rc kme_streams_new(struct kme_streams *ret, unsigned links, const qc_rng *rng, struct qc_err *err)
{
    struct kme_streams s = { 0 };
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < links && rc == QC_OK; i++)
        rc = qc_key_new(&s.seed[i], BLOCK, rng, err);
    if (rc != QC_OK) {
        kme_streams_done(&s);
        return rc;
    }
    *ret = s;
    return QC_OK;
}

void kme_streams_done(struct kme_streams *s)
{
    for (unsigned i = 0; i < KME_LINKS_MAX; i++)
        qc_key_free(&s->seed[i]);
}

qc_rc kme_stream_take(const struct kme_streams *s, struct kme_network *net, unsigned i, uint8_t *ret,
                      size_t n, struct qc_err *err)
{
    uint64_t *offset = &net->link[i].offset;
    uint8_t number[8] = { 0 }, block[BLOCK];
    const qc_span message = qc_span_of(number, sizeof number);
    qc_rc rc = QC_OK;
    for (size_t done = 0; done < n && rc == QC_OK;) {
        const size_t from = (size_t)(*offset % BLOCK), left = BLOCK - from;
        const size_t part = n - done < left ? n - done : left;
        qc_put_be(number, *offset / BLOCK, sizeof number);
        rc = qc_hmac_sha256(qc_key_open(s->seed[i]), &message, 1, block, err);
        if (rc == QC_OK)
            memcpy(ret + done, block + from, part);
        done += part;
        *offset += part;
    }
    qc_wipe(block, sizeof block);
    return rc;
}

static void add(uint8_t *to, const uint8_t *what, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] ^= what[i];
}

/* One hop: what the sender does, then the receiver. */
static qc_rc hop(uint8_t *key, const uint8_t *pad, const uint8_t *mac_key, size_t n, struct qc_err *err)
{
    uint8_t sent[QC_TAG], seen[QC_TAG];
    add(key, pad, n);
    const qc_span c = qc_span_of(key, n);
    qc_poly1305(qc_span_of(mac_key, 32), &c, 1, sent);
    qc_poly1305(qc_span_of(mac_key, 32), &c, 1, seen);
    if (!qc_ct_eq(sent, seen, sizeof sent))
        return QC_FAIL(err, QC_INTEGRITY, "a relayed key does not verify");
    add(key, pad, n);
    return QC_OK;
}

qc_rc kme_relay(const struct kme_streams *s, struct kme_network *net, const struct kme_route *way,
                uint8_t *key, size_t n, struct qc_err *err)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret pad = { 0 };
    if (way->hops == 0)
        return QC_OK;
    QC_TRY(qc_secret_new(&pad, n + 32, err));
    for (unsigned h = 0; h < way->hops; h++) {
        QC_TRY(kme_stream_take(s, net, way->link[h], pad.p, n + 32, err));
        QC_TRY(hop(key, pad.p, (const uint8_t *)pad.p + n, n, err));
    }
    return QC_OK;
}
