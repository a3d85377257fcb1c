/* What libcurl's OpenSSL is told so that a connection is keyed by QKD or not made, and how long a key is
 * used. Against certificates it is closed as in psk.c: none is taken, and before a request leaves, the
 * handshake is looked at. */
#include "keyed.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "psk_internal.h"

/* Where an SSL_CTX of libcurl's keeps what it belongs to, and an SSL its key's number: their own slots are
 * libcurl's. */
static int slot = -1, number_slot = -1;
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;

static void make_slot(void)
{
    slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    number_slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void net_keyed_done(struct net_keyed_run *k)
{
    qc_key_free(&k->key);
}

/* -- how long -------------------------------------------------------------------------------------------- */

bool net_keyed_begin(struct net_keyed_run *k, const struct net_request *rq)
{
    const struct net_keyed *c = k->conf;
    k->rq = rq;
    k->before = k->use.bytes;
    k->looked = false;
    k->why = (struct qc_err){ 0 };
    return k->use.key_id[0] != '\0' && (qc_now_ms() - k->use.since_ms >= 1000 * (uint64_t)c->rekey_s ||
                                        k->use.bytes + rq->body.n >= c->rekey_bytes);
}

qc_rc net_keyed_go_on(struct net_keyed_run *k, uint64_t moved, struct qc_err *err)
{
    const struct net_keyed *c = k->conf;
    if (!k->looked) /* nothing of it went yet, and maybe it goes under another key */
        return QC_OK;
    k->use.bytes = k->before + moved;
    if (qc_now_ms() - k->use.since_ms >= 1000 * (uint64_t)c->key_max_s)
        return QC_FAIL(err, QC_TEMP, "the connection's key is %" PRIu32 " s old: no more goes under it",
                       c->key_max_s);
    if (k->use.bytes >= c->key_max_bytes)
        return QC_FAIL(err, QC_TEMP,
                       "%" PRIu64 " bytes went under the connection's key: no more goes under it",
                       k->use.bytes);
    return QC_OK;
}

/* -- a connection ---------------------------------------------------------------------------------------- */

/* 0 stops the handshake, where 1 without a session would let it go on without a PSK. Asked again after a
 * HelloRetryRequest: the same key. */
static int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_n, SSL_SESSION **ret)
{
    struct net_keyed_run *k = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot);
    (void)md;
    if (k == NULL || k->key == NULL || net_psk_id_print(&k->id, k->identity, &k->why) != QC_OK ||
        psk_session(ret, ssl, qc_key_open(k->key), &k->id, &k->why) != QC_OK ||
        SSL_set_ex_data(ssl, number_slot, (void *)(uintptr_t)k->drawn) != 1)
        return 0;
    *id = (const unsigned char *)k->identity; /* OpenSSL copies it when this returns */
    *id_n = strlen(k->identity);
    return 1;
}

static qc_rc draw(struct net_keyed_run *k, struct qc_err *err)
{
    const struct net_keyed *c = k->conf;
    qc_key_free(&k->key);
    k->id = c->who;
    QC_TRY(c->draw(c->ctx, qc_deadline_min(k->rq->deadline, qc_deadline_in(LINK_KME_MS)), k->rq->cancel,
                   k->id.key_id, &k->key, err));
    k->drawn++;
    k->drawn_ms = qc_now_ms();
    k->looked = false;
    return QC_OK;
}

CURLcode net_keyed_context(CURL *easy, void *ssl_ctx, void *ctx)
{
    struct net_keyed_run *k = ctx;
    SSL_CTX *tls = ssl_ctx;
    (void)easy;
    pthread_once(&slot_once, make_slot);
    k->waited = true; /* whatever the KME takes is no stall of the server's */
    if (draw(k, &k->why) != QC_OK)
        return CURLE_ABORTED_BY_CALLBACK;
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(tls, psk_refuse_certificate, NULL);
    SSL_CTX_set_psk_use_session_callback(tls, use_psk);
    if (!line_set_up(tls) || slot < 0 || number_slot < 0 || SSL_CTX_set_ex_data(tls, slot, k) != 1) {
        qc_key_free(&k->key);
        qc_err_set(&k->why, QC_GENERAL, QC_HERE, "TLS");
        return CURLE_ABORTED_BY_CALLBACK;
    }
    return CURLE_OK;
}

/* The key of a handshake that was good: what is counted from now on is under it. */
static void take_up(struct net_keyed_run *k)
{
    qc_key_free(&k->key); /* I5: only the handshake needs it */
    memcpy(k->use.key_id, k->id.key_id, sizeof k->use.key_id);
    k->use.keys++;
    k->use.since_ms = k->drawn_ms;
    k->use.bytes = k->before = 0;
    k->number = k->drawn;
}

/* Which connection a request goes by is libcurl's choice: it is to be that of the key that is counted. */
static bool is_ours(struct net_keyed_run *k, SSL *ssl)
{
    if (!psk_as_meant(ssl)) {
        qc_err_set(&k->why, QC_LINK, QC_HERE, "a handshake without our key");
        return false;
    }
    const uint64_t number = (uintptr_t)SSL_get_ex_data(ssl, number_slot);
    if (k->key != NULL && number == k->drawn)
        take_up(k);
    if (number != k->number)
        qc_err_set(&k->why, QC_GENERAL, QC_HERE, "a connection under another key than that in use");
    k->looked = number == k->number;
    return k->looked;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the parameters are libcurl's. */
int net_keyed_look(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct net_keyed_run *k = ctx;
    struct curl_tlssessioninfo *info = NULL;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (curl_easy_getinfo(k->easy, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK && info != NULL &&
        info->backend == CURLSSLBACKEND_OPENSSL && info->internals != NULL)
        return is_ours(k, info->internals) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
    qc_err_set(&k->why, QC_LINK, QC_HERE, "a connection without TLS");
    return CURL_PREREQFUNC_ABORT;
}

/* -- what became of it ----------------------------------------------------------------------------------- */

qc_rc net_keyed_verdict(const struct net_keyed_run *k, CURLcode code, const char *text, struct qc_err *err)
{
    const qc_rc own = k->why.rc;
    if (own == QC_CANCELLED || own == QC_NOMEM || own == QC_GENERAL) {
        *err = k->why;
        return own;
    }
    if (own != QC_OK)
        return QC_FAIL(err, QC_LINK, "no key from QKD for link %s: %s", k->conf->who.link, k->why.msg);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return QC_FAIL(err, QC_LINK, "a certificate is shown where key %.8s from QKD is asked for",
                       k->id.key_id);
    if (code == CURLE_SSL_CONNECT_ERROR)
        return QC_FAIL(err, QC_LINK, "key %.8s of link %s is not taken there: %s", k->id.key_id,
                       k->conf->who.link, text);
    return QC_OK;
}
