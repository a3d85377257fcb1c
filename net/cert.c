#include "net/cert.h"

#include <fcntl.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "line_internal.h"

/* Nobody else may have read the key (I5). */
static qc_rc check_key(const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err));
    return qc_file_private(qc_fd_get(&fd), err);
}

static qc_rc load(struct net_line *l, const struct net_cert *c, struct qc_err *err)
{
    QC_TRY_AS(check_key(c->key, err), err, "key %s", c->key);
    if (SSL_CTX_load_verify_file(l->ctx, c->ca) != 1)
        return line_fail(err, QC_USAGE, c->ca);
    if (SSL_CTX_use_certificate_chain_file(l->ctx, c->cert) != 1)
        return line_fail(err, QC_USAGE, c->cert);
    if (SSL_CTX_use_PrivateKey_file(l->ctx, c->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(l->ctx) != 1)
        return line_fail(err, QC_USAGE, c->key);
    SSL_CTX_set_verify(l->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return QC_OK;
}

/* Both ends check the other's name, whoever connects: a certificate of that authority alone is not enough. */
static qc_rc expect(struct net_line *l, const struct net_cert *c, struct qc_err *err)
{
    SSL_set_hostflags(l->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(l->ssl, c->peer) != 1)
        return line_fail(err, QC_NOMEM, c->peer);
    return QC_OK;
}

static qc_rc handshake(struct net_line *l, qc_deadline d, struct qc_err *err)
{
    for (;;) {
        const int got = SSL_do_handshake(l->ssl);
        if (got == 1)
            break;
        if (line_wait(l, got, d, err) == QC_OK)
            continue;
        const long why = SSL_get_verify_result(l->ssl);
        if (err->rc == QC_INTEGRITY && why != X509_V_OK)
            return QC_FAIL(err, QC_AUTH, "the other end's certificate: %s",
                           X509_verify_cert_error_string(why));
        return err->rc == QC_INTEGRITY ? (err->rc = QC_AUTH) : err->rc;
    }
    if (SSL_get0_peer_certificate(l->ssl) == NULL || SSL_get_verify_result(l->ssl) != X509_V_OK ||
        SSL_version(l->ssl) != TLS1_3_VERSION || SSL_session_reused(l->ssl) == 1)
        return QC_FAIL(err, QC_AUTH, "a handshake without a certificate");
    return QC_OK;
}

static qc_rc make(struct net_line **ret, int fd, const struct net_cert *c, bool connects, qc_deadline d,
                  struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *l = NULL;
    QC_TRY(line_new(&l, fd, err));
    QC_TRY(line_context(l, connects ? TLS_client_method() : TLS_server_method(), err));
    QC_TRY(load(l, c, err));
    QC_TRY(line_start(l, connects, err));
    QC_TRY(expect(l, c, err));
    QC_TRY(handshake(l, d, err));
    *ret = QC_STEAL(l);
    return QC_OK;
}

qc_rc net_cert_connect(struct net_line **ret, int fd, const struct net_cert *c, qc_deadline d,
                       struct qc_err *err)
{
    return make(ret, fd, c, true, d, err);
}

qc_rc net_cert_accept(struct net_line **ret, int fd, const struct net_cert *c, qc_deadline d,
                      struct qc_err *err)
{
    return make(ret, fd, c, false, d, err);
}
