#include "line_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"

qc_rc line_fail(struct qc_err *err, qc_rc rc, const char *what)
{
    char text[200] = "no reason";
    const unsigned long code = ERR_peek_last_error();
    if (code != 0)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    qc_err_set(err, rc, QC_HERE, "%s: %s", what, text);
    return rc;
}

/* -- making ---------------------------------------------------------------------------------------------- */

qc_rc line_new(struct net_line **ret, int fd, struct qc_err *err)
{
    const int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);
    struct net_line *l = qc_alloc(sizeof *l);
    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *l);
    l->fd = fd;
    *ret = l;
    if (fd < 0)
        return QC_OK;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return QC_FAIL_OS(err, "a connection's descriptor");
    return QC_OK;
}

static bool set_groups(SSL_CTX *ctx)
{
    if (SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:X25519:P-384") == 1) /* OpenSSL 3.5 and newer */
        return true;
    ERR_clear_error();
    return SSL_CTX_set1_groups_list(ctx, "X25519:P-384") == 1;
}

bool line_set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 && set_groups(ctx);
}

qc_rc line_context(struct net_line *l, const SSL_METHOD *method, struct qc_err *err)
{
    l->ctx = SSL_CTX_new(method);
    return l->ctx != NULL && line_set_up(l->ctx) ? QC_OK : line_fail(err, QC_GENERAL, "TLS");
}

/* Without a descriptor: what it says and hears lies in memory (psk.c, "the next"). */
static bool set_below(struct net_line *l)
{
    if (l->fd >= 0)
        return SSL_set_fd(l->ssl, l->fd) == 1;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    SSL_set_bio(l->ssl, in, out);
    return true;
}

qc_rc line_start(struct net_line *l, bool connects, struct qc_err *err)
{
    l->ssl = SSL_new(l->ctx);
    if (l->ssl == NULL || !set_below(l) || SSL_set_app_data(l->ssl, l) != 1)
        return line_fail(err, QC_NOMEM, "TLS");
    SSL_set_mode(l->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (connects)
        SSL_set_connect_state(l->ssl);
    else
        SSL_set_accept_state(l->ssl);
    return QC_OK;
}

qc_rc net_line_plain(struct net_line **ret, int fd, struct qc_err *err)
{
    QC_CLEANUP(net_line_close) struct net_line *l = NULL;
    QC_TRY(line_new(&l, fd, err));
    *ret = QC_STEAL(l);
    return QC_OK;
}

void net_line_close(struct net_line **l)
{
    if (*l == NULL)
        return;
    if ((*l)->ssl != NULL) {
        if (SSL_is_init_finished((*l)->ssl) == 1)
            (void)SSL_shutdown((*l)->ssl);
        SSL_free((*l)->ssl);
    }
    ERR_clear_error();
    SSL_CTX_free((*l)->ctx);
    SSL_SESSION_free((*l)->psk);
    qc_free(*l);
    *l = NULL;
}

const char *net_line_group(const struct net_line *l)
{
    const char *name =
        l->ssl == NULL ? "none" : SSL_group_to_name(l->ssl, (int)SSL_get_negotiated_group(l->ssl));
    return name == NULL ? "unknown" : name;
}

/* -- waiting --------------------------------------------------------------------------------------------- */

static qc_rc wait_for(const struct net_line *l, short events, qc_deadline d, struct qc_err *err)
{
    struct pollfd at = { .fd = l->fd, .events = events };
    for (;;) {
        QC_TRY(qc_go_on(d, NULL, "a connection", err));
        const int n = poll(&at, 1, 100);
        if (n > 0)
            return QC_OK;
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
    }
}

qc_rc line_wait(struct net_line *l, int got, qc_deadline d, struct qc_err *err)
{
    const int want = SSL_get_error(l->ssl, got);
    if (want == SSL_ERROR_SYSCALL)
        return QC_FAIL(err, QC_TEMP, "the other end went away");
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
        return line_fail(err, QC_INTEGRITY, "TLS");
    if (l->fd < 0)
        return QC_FAIL(err, QC_TIMEOUT, "the other end's turn");
    return wait_for(l, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, d, err);
}

static bool later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* -- plain ----------------------------------------------------------------------------------------------- */

static qc_rc plain_read(struct net_line *l, uint8_t *room, size_t max, size_t *ret_got, qc_deadline d,
                        struct qc_err *err)
{
    for (;;) {
        const ssize_t got = recv(l->fd, room, max, 0);
        if (got >= 0) {
            *ret_got = (size_t)got;
            return QC_OK;
        }
        if (!later())
            return QC_FAIL(err, QC_TEMP, "the other end went away: %s", strerror(errno));
        QC_TRY(wait_for(l, POLLIN, d, err));
    }
}

static qc_rc plain_write_some(struct net_line *l, qc_span s, size_t *ret_done, struct qc_err *err)
{
    *ret_done = 0;
    while (s.n > 0) {
        const ssize_t done = send(l->fd, s.p, s.n, MSG_NOSIGNAL);
        if (done < 0 && !later())
            return QC_FAIL(err, QC_TEMP, "the other end went away: %s", strerror(errno));
        if (done < 0)
            break;
        *ret_done += (size_t)done;
        s = qc_span_from(s, (size_t)done);
    }
    return QC_OK;
}

/* -- reading and writing --------------------------------------------------------------------------------- */

qc_rc net_line_read(struct net_line *l, uint8_t *room, size_t max, size_t *ret_got, qc_deadline d,
                    struct qc_err *err)
{
    size_t got = 0;
    QC_ASSERT(max > 0);
    if (l->ssl == NULL)
        return plain_read(l, room, max, ret_got, d, err);
    ERR_clear_error();
    for (;;) {
        const int is = SSL_read_ex(l->ssl, room, max, &got);
        if (is == 1 || SSL_get_error(l->ssl, is) == SSL_ERROR_ZERO_RETURN) {
            *ret_got = is == 1 ? got : 0;
            return QC_OK;
        }
        if (SSL_get_error(l->ssl, is) == SSL_ERROR_SSL &&
            ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return line_fail(err, QC_TEMP, "the other end went away without goodbye");
        QC_TRY(line_wait(l, is, d, err));
    }
}

qc_rc net_line_write(struct net_line *l, qc_span s, qc_deadline d, struct qc_err *err)
{
    for (;;) {
        size_t done = 0;
        QC_TRY(net_line_write_some(l, s, &done, err));
        s = qc_span_from(s, done);
        if (s.n == 0)
            return QC_OK;
        QC_TRY(wait_for(l, POLLOUT, d, err));
    }
}

/* No matter where a descriptor has no such thing: what is written goes at once then. */
static void cork(const struct net_line *l, bool holds)
{
    const int on = holds;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void net_line_hold(struct net_line *l, bool holds)
{
    l->held = holds;
    cork(l, holds);
}

static qc_rc tls_write_some(struct net_line *l, qc_span s, size_t *ret_done, struct qc_err *err)
{
    size_t got = 0;
    ERR_clear_error();
    while (s.n > 0) {
        const int is = SSL_write_ex(l->ssl, s.p, s.n, &got);
        const int want = is == 1 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, is);
        if (want == SSL_ERROR_WANT_WRITE || want == SSL_ERROR_WANT_READ)
            break;
        if (want != SSL_ERROR_NONE)
            return line_wait(l, is, QC_NO_DEADLINE, err); /* does not wait: it is something else */
        *ret_done += got;
        s = qc_span_from(s, got);
    }
    return QC_OK;
}

qc_rc net_line_write_some(struct net_line *l, qc_span s, size_t *ret_done, struct qc_err *err)
{
    const bool is_long = s.n > SSL3_RT_MAX_PLAIN_LENGTH;
    if (l->ssl == NULL)
        return plain_write_some(l, s, ret_done, err);
    *ret_done = 0;
    if (!is_long || l->held)
        return tls_write_some(l, s, ret_done, err);
    cork(l, true); /* more than one record: else the other end may be woken for each */
    const qc_rc rc = tls_write_some(l, s, ret_done, err);
    cork(l, false);
    return rc;
}

/* -- after another --------------------------------------------------------------------------------------- */

qc_rc net_line_end(struct net_line *l, bool *ret_done, struct qc_err *err)
{
    QC_ASSERT(l->ssl != NULL);
    ERR_clear_error();
    const int got = SSL_shutdown(l->ssl);
    const int want = got >= 0 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, got);
    *ret_done = got >= 0;
    if (got >= 0 || want == SSL_ERROR_WANT_WRITE)
        return QC_OK;
    return line_wait(l, got, QC_NO_DEADLINE, err); /* does not wait: it is something else */
}

/* The socket of before's, in one direction; ours was memory. */
static qc_rc go_on_by(struct net_line *l, const struct net_line *before, BIO *socket,
                      void (*set)(SSL *ssl, BIO *bio), struct qc_err *err)
{
    if (BIO_up_ref(socket) != 1)
        return line_fail(err, QC_NOMEM, "TLS");
    set(l->ssl, socket);
    l->fd = before->fd;
    return QC_OK;
}

qc_rc net_line_write_after(struct net_line *l, const struct net_line *before, struct qc_err *err)
{
    return go_on_by(l, before, SSL_get_wbio(before->ssl), SSL_set0_wbio, err);
}

qc_rc net_line_read_after(struct net_line *l, const struct net_line *before, struct qc_err *err)
{
    return go_on_by(l, before, SSL_get_rbio(before->ssl), SSL_set0_rbio, err);
}
