/* What OpenSSL is told and what it is asked afterwards. Each end is closed twice against certificates: none
 * is loaded, one that comes is refused, and a handshake that did not use the PSK is none (OpenSSL would go on
 * by certificate where the PSK is unknown). */
#include "net/psk.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"

struct net_psk {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    struct net_psk_id id; /* of the key; of a server, before it: link, master and slave */
    qc_key *psk;          /* until the handshake is over: OpenSSL asks again after a HelloRetryRequest */
    net_psk_find_fn find;
    void *find_ctx;
    bool asked;        /* find was */
    struct qc_err why; /* what find said */
};

static const unsigned char cipher[] = { 0x13, 0x02 }; /* TLS_AES_256_GCM_SHA384 */

static qc_rc ssl_fail(struct qc_err *err, qc_rc rc, const char *what)
{
    char text[200] = "no reason";
    const unsigned long code = ERR_peek_last_error();
    if (code != 0)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    qc_err_set(err, rc, QC_HERE, "%s: %s", what, text);
    return rc;
}

/* -- the key as OpenSSL wants it ------------------------------------------------------------------------- */

/* A session made of the PSK; NULL: no memory. */
static SSL_SESSION *session_of(SSL *ssl, const qc_key *psk)
{
    SSL_SESSION *s = SSL_SESSION_new();
    const SSL_CIPHER *c = SSL_CIPHER_find(ssl, cipher);
    if (s != NULL && c != NULL &&
        SSL_SESSION_set1_master_key(s, qc_key_open(psk).p, qc_key_open(psk).n) == 1 &&
        SSL_SESSION_set_cipher(s, c) == 1 && SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
        return s;
    SSL_SESSION_free(s);
    return NULL;
}

/* The client's: 0 stops the handshake, where 1 without a session would let it go on without a PSK. */
static int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_n, SSL_SESSION **ret)
{
    static _Thread_local char identity[NET_PSK_IDENTITY]; /* OpenSSL copies it when this returns */
    struct net_psk *p = SSL_get_app_data(ssl);
    struct qc_err err = { 0 };
    (void)md;
    if (net_psk_id_print(&p->id, identity, &err) != QC_OK)
        return 0;
    *ret = session_of(ssl, p->psk);
    if (*ret == NULL)
        return 0;
    *id = (const unsigned char *)identity;
    *id_n = strlen(identity);
    return 1;
}

/* One key for a connection, whatever the client says the second time. */
static qc_rc look(struct net_psk *p, qc_span identity, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    struct net_psk_id id;
    QC_TRY(net_psk_id_parse(&id, identity, err));
    if (strcmp(id.link, p->id.link) != 0 || strcmp(id.master, p->id.master) != 0 ||
        strcmp(id.slave, p->id.slave) != 0)
        return QC_FAIL(err, QC_AUTH, "an identity of another link or another pair");
    if (p->asked && p->psk != NULL && strcmp(id.key_id, p->id.key_id) == 0)
        return QC_OK;
    if (p->asked)
        return QC_FAIL(err, QC_AUTH, "another key_ID in one handshake, or none of that name");
    p->asked = true;
    QC_TRY(p->find(p->find_ctx, &id, &key, err));
    QC_TRY(net_psk_key(&p->psk, qc_key_open(key), &id, err));
    p->id = id;
    return QC_OK;
}

static int find_psk(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **ret)
{
    struct net_psk *p = SSL_get_app_data(ssl);
    *ret = NULL;
    if (look(p, qc_span_of(identity, n), &p->why) == QC_OK)
        *ret = session_of(ssl, p->psk);
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

static int refuse_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 0;
}

/* -- contexts -------------------------------------------------------------------------------------------- */

static bool set_groups(SSL_CTX *ctx)
{
    if (SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:X25519:P-384") == 1) /* OpenSSL 3.5 and newer */
        return true;
    ERR_clear_error();
    return SSL_CTX_set1_groups_list(ctx, "X25519:P-384") == 1;
}

static bool set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, refuse_certificate, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 && set_groups(ctx);
}

void net_psk_close(struct net_psk **p)
{
    if (*p == NULL)
        return;
    if ((*p)->ssl != NULL) {
        if (SSL_is_init_finished((*p)->ssl) == 1)
            (void)SSL_shutdown((*p)->ssl);
        SSL_free((*p)->ssl);
    }
    ERR_clear_error();
    SSL_CTX_free((*p)->ctx);
    qc_key_free(&(*p)->psk);
    qc_free(*p);
    *p = NULL;
}

static qc_rc make(struct net_psk **ret, int fd, const struct net_psk_id *id, const SSL_METHOD *method,
                  struct qc_err *err)
{
    QC_CLEANUP(net_psk_close) struct net_psk *p = qc_alloc(sizeof *p);
    const int flags = fcntl(fd, F_GETFL);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *p);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return QC_FAIL_OS(err, "a connection's descriptor");
    p->fd = fd;
    p->id = *id;
    p->ctx = SSL_CTX_new(method);
    if (p->ctx == NULL || !set_up(p->ctx))
        return ssl_fail(err, QC_GENERAL, "TLS");
    *ret = QC_STEAL(p);
    return QC_OK;
}

/* -- waiting --------------------------------------------------------------------------------------------- */

/* What a call of OpenSSL's wants before it goes on. QC_OK: call it again. */
static qc_rc wait_for(struct net_psk *p, int got, qc_deadline d, struct qc_err *err)
{
    const int want = SSL_get_error(p->ssl, got);
    if (want == SSL_ERROR_SYSCALL)
        return QC_FAIL(err, QC_TEMP, "the other end went away");
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
        return ssl_fail(err, QC_INTEGRITY, "TLS");
    struct pollfd at = { .fd = p->fd, .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT };
    for (;;) {
        QC_TRY(qc_go_on(d, NULL, "TLS", err));
        const int n = poll(&at, 1, 100);
        if (n > 0)
            return QC_OK;
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
    }
}

/* The PSK was used, with a fresh key agreement, and nothing else was shown. */
static bool as_meant(const struct net_psk *p)
{
    X509 *shown = SSL_get1_peer_certificate(p->ssl);
    const SSL_CIPHER *c = SSL_get_current_cipher(p->ssl);
    X509_free(shown);
    return SSL_session_reused(p->ssl) == 1 && shown == NULL && SSL_version(p->ssl) == TLS1_3_VERSION &&
           c != NULL && SSL_CIPHER_get_protocol_id(c) == 0x1302 && SSL_get_negotiated_group(p->ssl) != 0;
}

static qc_rc handshake(struct net_psk *p, qc_deadline d, struct qc_err *err)
{
    ERR_clear_error();
    for (;;) {
        const int got = SSL_do_handshake(p->ssl);
        if (got == 1)
            break;
        const qc_rc rc = wait_for(p, got, d, err);
        if (p->why.rc != QC_OK && p->why.rc != QC_FORMAT && p->why.rc != QC_NOTFOUND)
            *err = p->why; /* our own reason */
        else if (rc == QC_INTEGRITY)
            err->rc = QC_AUTH;
        if (rc != QC_OK)
            return err->rc;
    }
    qc_key_free(&p->psk); /* I5: only the handshake needs it */
    if (!as_meant(p))
        return QC_FAIL(err, QC_AUTH, "a handshake without our key");
    return QC_OK;
}

/* -- both ends ------------------------------------------------------------------------------------------- */

static qc_rc start(struct net_psk *p, struct qc_err *err)
{
    p->ssl = SSL_new(p->ctx);
    if (p->ssl == NULL || SSL_set_fd(p->ssl, p->fd) != 1 || SSL_set_app_data(p->ssl, p) != 1)
        return ssl_fail(err, QC_NOMEM, "TLS");
    SSL_set_mode(p->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return QC_OK;
}

qc_rc net_psk_connect(struct net_psk **ret, int fd, const struct net_psk_id *id, const qc_key *qkd_key,
                      qc_deadline d, struct qc_err *err)
{
    QC_CLEANUP(net_psk_close) struct net_psk *p = NULL;
    QC_TRY(make(&p, fd, id, TLS_client_method(), err));
    QC_TRY(net_psk_key(&p->psk, qc_key_open(qkd_key), id, err));
    SSL_CTX_set_psk_use_session_callback(p->ctx, use_psk);
    QC_TRY(start(p, err));
    SSL_set_connect_state(p->ssl);
    QC_TRY(handshake(p, d, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

qc_rc net_psk_accept(struct net_psk **ret, int fd, const struct net_psk_id *us, net_psk_find_fn find,
                     void *ctx, qc_deadline d, struct qc_err *err)
{
    QC_CLEANUP(net_psk_close) struct net_psk *p = NULL;
    QC_TRY(make(&p, fd, us, TLS_server_method(), err));
    p->id.key_id[0] = '\0';
    p->find = find;
    p->find_ctx = ctx;
    SSL_CTX_set_verify(p->ctx, SSL_VERIFY_NONE, NULL); /* a certificate is not even asked for */
    SSL_CTX_set_psk_find_session_callback(p->ctx, find_psk);
    SSL_CTX_set_client_hello_cb(p->ctx, one_identity, NULL);
    QC_TRY(start(p, err));
    SSL_set_accept_state(p->ssl);
    QC_TRY(handshake(p, d, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

const struct net_psk_id *net_psk_id_of(const struct net_psk *p)
{
    return &p->id;
}

const char *net_psk_group(const struct net_psk *p)
{
    const char *name = SSL_group_to_name(p->ssl, (int)SSL_get_negotiated_group(p->ssl));
    return name == NULL ? "unknown" : name;
}

qc_rc net_psk_read(struct net_psk *p, uint8_t *room, size_t max, size_t *ret_got, qc_deadline d,
                   struct qc_err *err)
{
    size_t got = 0;
    QC_ASSERT(max > 0);
    ERR_clear_error();
    for (;;) {
        const int is = SSL_read_ex(p->ssl, room, max, &got);
        if (is == 1 || SSL_get_error(p->ssl, is) == SSL_ERROR_ZERO_RETURN) {
            *ret_got = is == 1 ? got : 0;
            return QC_OK;
        }
        if (SSL_get_error(p->ssl, is) == SSL_ERROR_SSL &&
            ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return ssl_fail(err, QC_TEMP, "the other end went away without goodbye");
        QC_TRY(wait_for(p, is, d, err));
    }
}

qc_rc net_psk_write(struct net_psk *p, qc_span s, qc_deadline d, struct qc_err *err)
{
    ERR_clear_error();
    for (size_t done = 0; done < s.n;) {
        size_t got = 0;
        const int is = SSL_write_ex(p->ssl, s.p + done, s.n - done, &got);
        if (is == 1)
            done += got;
        else
            QC_TRY(wait_for(p, is, d, err));
    }
    return QC_OK;
}

qc_rc net_psk_write_some(struct net_psk *p, qc_span s, size_t *ret_done, struct qc_err *err)
{
    size_t got = 0;
    *ret_done = 0;
    ERR_clear_error();
    while (s.n > 0) {
        const int is = SSL_write_ex(p->ssl, s.p, s.n, &got);
        const int want = is == 1 ? SSL_ERROR_NONE : SSL_get_error(p->ssl, is);
        if (want == SSL_ERROR_WANT_WRITE || want == SSL_ERROR_WANT_READ)
            break;
        if (want != SSL_ERROR_NONE)
            return wait_for(p, is, QC_NO_DEADLINE, err); /* does not wait: it is something else */
        *ret_done += got;
        s = qc_span_from(s, got);
    }
    return QC_OK;
}
