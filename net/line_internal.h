/* What makes a connection shares with what reads and writes it. */
#pragma once
#include <openssl/ssl.h>

#include "net/line.h"
#include "net/psk.h"

struct net_line {
    SSL_CTX *ctx; /* NULL: plain */
    SSL *ssl;
    int fd;
    bool held; /* net_line_hold */

    /* psk.c */
    struct net_psk_id id; /* of the key; of a server, before it: link, master and slave */
    SSL_SESSION *psk;     /* as OpenSSL takes it; until the handshake is over: it asks again after a
                             HelloRetryRequest */
    net_psk_find_fn find;
    void *find_ctx;
    bool asked;        /* find was */
    struct qc_err why; /* what find said */
};

/* Without a context. fd -1: it has none yet. */
QC_MUST qc_rc line_new(struct net_line **ret, int fd, struct qc_err *err);
/* TLS 1.3 with TLS_AES_256_GCM_SHA384, X25519MLKEM768 where there is one, X25519, P-384; no tickets, no early
 * data. false: OpenSSL's errors say why. */
bool line_set_up(SSL_CTX *ctx);
QC_MUST qc_rc line_context(struct net_line *l, const SSL_METHOD *method, struct qc_err *err);
/* l->ssl over l->fd, or over memory. */
QC_MUST qc_rc line_start(struct net_line *l, bool connects, struct qc_err *err);
/* What a call of OpenSSL's wants before it goes on. QC_OK: call it again. */
QC_MUST qc_rc line_wait(struct net_line *l, int got, qc_deadline d, struct qc_err *err);
/* `what` and OpenSSL's reason. */
qc_rc line_fail(struct qc_err *err, qc_rc rc, const char *what);
