/* A key manager gives keys to two ends: these are asked for as the master, and used as bytes that nobody
 * claims at the other one. What the KME, the nodes of its route and the peer may know is told by
 * health=remote. */
#include "home/kme_source.h"

#include <string.h>

#include "base/alloc.h"
#include "base/key.h"
#include "qkd/client.h"

enum { BATCH = 1024 }; /* bytes of keys that are asked for at once; what is left at the end is lost */

struct kme {
    const struct qrng_source_conf *conf;
    struct qkd_client *client;
    struct qkd_keys keys;
    size_t at; /* bytes of them that are used */
    size_t key_bytes;
};

static void kme_close(void *ctx)
{
    struct kme *k = ctx;
    qkd_keys_done(&k->keys);
    qkd_client_free(&k->client);
    qc_free(k);
}

/* Whatever is wrong there, it gives no bytes. */
static qc_rc as_source(qc_rc rc, const struct qc_err *why, struct qc_err *err)
{
    if (rc == QC_OK)
        return QC_OK;
    if (rc == QC_NOMEM || rc == QC_CANCELLED)
        return QC_FAIL(err, rc, "%s", why->msg);
    return QC_FAIL(err, QC_RANDOM, "the key manager: %s", why->msg);
}

static qc_rc more(struct kme *k, const struct qc_cancel *cancel, struct qc_err *err)
{
    const struct qkd_op op = { .deadline = qc_deadline_in(k->conf->stall_ms), .cancel = cancel };
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    qkd_keys_done(&k->keys);
    k->at = 0;
    if (k->key_bytes == 0) {
        struct qkd_status s = { 0 };
        rc = qkd_client_status(k->client, &op, &s, &why);
        k->key_bytes = s.key_bits / 8;
    }
    if (rc == QC_OK)
        rc =
            qkd_client_enc_keys(k->client, (BATCH + k->key_bytes - 1) / k->key_bytes, 0, &op, &k->keys, &why);
    return as_source(rc, &why, err);
}

static qc_rc kme_read(void *ctx, uint8_t *p, size_t n, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct kme *k = ctx;
    while (n > 0) {
        if (k->at == k->keys.count * k->keys.bytes)
            QC_TRY(more(k, cancel, err));
        const size_t i = k->at / k->keys.bytes, off = k->at % k->keys.bytes;
        const size_t take = n < k->keys.bytes - off ? n : k->keys.bytes - off;
        memcpy(p, qkd_keys_open(&k->keys, i).p + off, take);
        k->at += take;
        p += take;
        n -= take;
    }
    return QC_OK;
}

static qc_rc kme_open(void **ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    const struct qkd_conf how = {
        .url = conf->url, .ca = conf->ca, .cert = conf->cert, .key = conf->key_file, .peer = conf->peer
    };
    struct qc_err why = { 0 };
    struct kme *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a source");
    k->conf = conf;
    const qc_rc rc = qkd_client_new(&k->client, &how, &why);
    if (rc == QC_OK)
        *ret = k;
    else
        kme_close(k);
    return as_source(rc, &why, err);
}

const struct qrng_maker kme_maker = {
    .ops = { .read = kme_read, .close = kme_close },
    .open = kme_open,
};
