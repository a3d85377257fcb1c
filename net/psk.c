/* What OpenSSL is told and what it is asked afterwards. Each end is closed twice against certificates: none
 * is loaded, one that comes is refused, and a handshake that did not use the PSK is none (OpenSSL would go on
 * by certificate where the PSK is unknown). */
#include "net/psk.h"

#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#include "base/thread.h"
#include "psk_internal.h"

static const unsigned char cipher[] = { 0x13, 0x02 }; /* TLS_AES_256_GCM_SHA384 */

/* -- the key as OpenSSL wants it ------------------------------------------------------------------------- */

/* Not in a qc_key, whose pages would be opened and closed: OpenSSL has a copy in its own memory for as long,
 * and wipes it. */
qc_rc psk_session(SSL_SESSION **ret, SSL *ssl, qc_span qkd_key, const struct net_psk_id *id,
                  struct qc_err *err)
{
    uint8_t psk[NET_PSK_BYTES];
    SSL_SESSION *s = SSL_SESSION_new();
    const SSL_CIPHER *c = SSL_CIPHER_find(ssl, cipher);
    qc_rc rc = net_psk_key(psk, qkd_key, id, err);
    if (rc == QC_OK &&
        (s == NULL || c == NULL || SSL_SESSION_set1_master_key(s, psk, sizeof psk) != 1 ||
         SSL_SESSION_set_cipher(s, c) != 1 || SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) != 1))
        rc = line_fail(err, QC_NOMEM, "TLS");
    qc_wipe(psk, sizeof psk);
    if (rc == QC_OK)
        *ret = QC_STEAL(s);
    SSL_SESSION_free(s);
    return rc;
}

qc_rc net_psk_give(struct net_line *to, qc_span qkd_key, struct qc_err *err)
{
    return psk_session(&to->psk, to->ssl, qkd_key, &to->id, err);
}

/* For OpenSSL, which lets go of what it is given. NULL: there is none */
static SSL_SESSION *session_of(struct net_line *p)
{
    return p->psk != NULL && SSL_SESSION_up_ref(p->psk) == 1 ? p->psk : NULL;
}

/* The client's: 0 stops the handshake, where 1 without a session would let it go on without a PSK. */
static int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_n, SSL_SESSION **ret)
{
    static _Thread_local char identity[NET_PSK_IDENTITY]; /* OpenSSL copies it when this returns */
    struct net_line *p = SSL_get_app_data(ssl);
    struct qc_err err = { 0 };
    (void)md;
    if (net_psk_id_print(&p->id, identity, &err) != QC_OK)
        return 0;
    *ret = session_of(p);
    if (*ret == NULL)
        return 0;
    *id = (const unsigned char *)identity;
    *id_n = strlen(identity);
    return 1;
}

/* One key for a connection, whatever the client says the second time. */
static qc_rc look(struct net_line *p, qc_span identity, struct qc_err *err)
{
    struct net_psk_id id;
    QC_TRY(net_psk_id_parse(&id, identity, err));
    const bool any = p->id.master[0] == '\0';
    if (strcmp(id.link, p->id.link) != 0 || (!any && strcmp(id.master, p->id.master) != 0) ||
        strcmp(id.slave, p->id.slave) != 0)
        return QC_FAIL(err, QC_AUTH, "an identity of another link or another pair");
    if (p->asked && p->psk != NULL && strcmp(id.key_id, p->id.key_id) == 0)
        return QC_OK;
    if (p->asked)
        return QC_FAIL(err, QC_AUTH, "another key_ID in one handshake, or none of that name");
    p->asked = true;
    p->id = id;
    const qc_rc rc = p->find(p->find_ctx, &id, p, err);
    QC_ASSERT(rc != QC_OK || p->psk != NULL);
    if (rc != QC_OK)
        p->id.key_id[0] = '\0'; /* it has none */
    return rc;
}

static int find_psk(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **ret)
{
    struct net_line *p = SSL_get_app_data(ssl);
    *ret = NULL;
    if (look(p, qc_span_of(identity, n), &p->why) == QC_OK)
        *ret = session_of(p);
    return 1; /* without a session: unknown, and there is no certificate to go on with */
}

/* RFC 8446 4.2.11: exactly one identity. */
static int one_identity(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *p = NULL;
    size_t n = 0;
    (void)arg;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &p, &n) != 1)
        return SSL_CLIENT_HELLO_ERROR;
    qc_rd r = { .s = qc_span_of(p, n) };
    const uint64_t list = qc_rd_be(&r, 2), one = qc_rd_be(&r, 2);
    return qc_rd_ok(&r) && list == 2 + one + 4 ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int psk_refuse_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 0;
}

/* -- contexts -------------------------------------------------------------------------------------------- */

/* Of one end: the same for all its connections, and made once, for that costs as much as a handshake. */
struct shared {
    pthread_mutex_t lock; /* ctx */
    SSL_CTX *ctx;         /* nobody changes it once it is here; NULL: not yet made */
};
static struct shared clients = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct shared servers = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void set_client(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, psk_refuse_certificate, NULL);
    SSL_CTX_set_psk_use_session_callback(ctx, use_psk);
}

static void set_server(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* a certificate is not even asked for */
    SSL_CTX_set_cert_verify_callback(ctx, psk_refuse_certificate, NULL);
    SSL_CTX_set_psk_find_session_callback(ctx, find_psk);
    SSL_CTX_set_client_hello_cb(ctx, one_identity, NULL);
}

/* A reference to it becomes the line's. */
static qc_rc take_context(struct net_line *l, bool connects, struct qc_err *err)
{
    struct shared *s = connects ? &clients : &servers;
    QC_LOCK(&s->lock);
    if (s->ctx == NULL) {
        QC_TRY(line_context(l, connects ? TLS_client_method() : TLS_server_method(), err));
        if (connects)
            set_client(l->ctx);
        else
            set_server(l->ctx);
        s->ctx = QC_STEAL(l->ctx);
    }
    if (SSL_CTX_up_ref(s->ctx) != 1)
        return line_fail(err, QC_NOMEM, "TLS");
    l->ctx = s->ctx;
    return QC_OK;
}

static qc_rc make(struct net_line **ret, int fd, const struct net_psk_id *id, bool connects,
                  struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *l = NULL;
    QC_TRY(line_new(&l, fd, err));
    QC_TRY(take_context(l, connects, err));
    l->id = *id;
    *ret = QC_STEAL(l);
    return QC_OK;
}

/* -- both ends ------------------------------------------------------------------------------------------- */

bool psk_as_meant(SSL *ssl)
{
    X509 *shown = SSL_get1_peer_certificate(ssl);
    const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
    X509_free(shown);
    return SSL_session_reused(ssl) == 1 && shown == NULL && SSL_version(ssl) == TLS1_3_VERSION && c != NULL &&
           SSL_CIPHER_get_protocol_id(c) == 0x1302 && SSL_get_negotiated_group(ssl) != 0;
}

static qc_rc handshake(struct net_line *p, qc_deadline d, struct qc_err *err)
{
    ERR_clear_error();
    for (;;) {
        const int got = SSL_do_handshake(p->ssl);
        if (got == 1)
            break;
        const qc_rc rc = line_wait(p, got, d, err);
        if (p->why.rc != QC_OK && p->why.rc != QC_FORMAT && p->why.rc != QC_NOTFOUND)
            *err = p->why; /* our own reason */
        else if (rc == QC_INTEGRITY)
            err->rc = QC_AUTH;
        if (rc != QC_OK)
            return err->rc;
    }
    SSL_SESSION_free(QC_STEAL(p->psk)); /* I5: only the handshake needs it */
    if (!psk_as_meant(p->ssl))
        return QC_FAIL(err, QC_AUTH, "a handshake without our key");
    return QC_OK;
}

qc_rc net_psk_connect(struct net_line **ret, int fd, const struct net_psk_id *id, const qc_key *qkd_key,
                      qc_deadline d, struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *p = NULL;
    QC_TRY(make(&p, fd, id, true, err));
    QC_TRY(line_start(p, true, err));
    QC_TRY(net_psk_give(p, qc_key_open(qkd_key), err));
    QC_TRY(handshake(p, d, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

qc_rc net_psk_accept(struct net_line **ret, int fd, const struct net_psk_id *us, net_psk_find_fn find,
                     void *ctx, qc_deadline d, struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *p = NULL;
    QC_TRY(make(&p, fd, us, false, err));
    p->id.key_id[0] = '\0';
    p->find = find;
    p->find_ctx = ctx;
    QC_TRY(line_start(p, false, err));
    QC_TRY(handshake(p, d, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

const struct net_psk_id *net_psk_id_of(const struct net_line *p)
{
    return p->id.key_id[0] == '\0' ? NULL : &p->id;
}

/* -- the next -------------------------------------------------------------------------------------------- */

qc_rc net_psk_next_dial(struct net_line **ret, const struct net_line *before, const char *key_id,
                        qc_span qkd_key, struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *p = NULL;
    struct net_psk_id id = before->id;
    if (strlen(key_id) > NET_PSK_KEY_ID_MAX)
        return QC_FAIL(err, QC_FORMAT, "a key_ID of more than %d characters", NET_PSK_KEY_ID_MAX);
    memcpy(id.key_id, key_id, strlen(key_id) + 1);
    QC_TRY(make(&p, -1, &id, true, err));
    QC_TRY(line_start(p, true, err));
    QC_TRY(net_psk_give(p, qkd_key, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

qc_rc net_psk_next_serve(struct net_line **ret, const struct net_line *before, net_psk_find_fn find,
                         void *ctx, struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *p = NULL;
    QC_TRY(make(&p, -1, &before->id, false, err));
    p->id.key_id[0] = '\0';
    p->find = find;
    p->find_ctx = ctx;
    QC_TRY(line_start(p, false, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

/* What OpenSSL has to say, out of its memory. */
static qc_rc take_said(struct net_line *l, qc_buf *ret_say, struct qc_err *err)
{
    BIO *out = SSL_get_wbio(l->ssl);
    uint8_t room[1024];
    size_t got = 0;
    while (BIO_read_ex(out, room, sizeof room, &got) == 1)
        QC_TRY(qc_buf_add(ret_say, qc_span_of(room, got), err));
    return QC_OK;
}

qc_rc net_psk_next_step(struct net_line *l, qc_span heard, qc_buf *ret_say, bool *ret_done,
                        struct qc_err *err)
{
    size_t taken = 0;
    *ret_done = false;
    ERR_clear_error();
    if (heard.n > 0 &&
        (BIO_write_ex(SSL_get_rbio(l->ssl), heard.p, heard.n, &taken) != 1 || taken != heard.n))
        return line_fail(err, QC_NOMEM, "TLS");
    const qc_rc rc = handshake(l, QC_NO_DEADLINE, err);
    struct qc_err other = { 0 };
    const qc_rc said = take_said(l, ret_say, rc == QC_OK || rc == QC_TIMEOUT ? err : &other);
    if (rc != QC_OK && rc != QC_TIMEOUT)
        return rc;
    QC_TRY(said);
    if (rc == QC_OK && BIO_ctrl_pending(SSL_get_rbio(l->ssl)) > 0)
        return QC_FAIL(err, QC_FORMAT, "bytes behind the end of a handshake");
    *ret_done = rc == QC_OK;
    return QC_OK;
}
