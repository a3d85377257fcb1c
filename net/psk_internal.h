/* What TLS keyed by QKD is for OpenSSL, whoever drives it: a line of ours (psk.c), or libcurl (keyed.c). */
#pragma once
#include "line_internal.h"

/* A session made of the PSK, of a key from QKD and its names. QC_USAGE: fewer than NET_PSK_KEY_MIN bytes;
 * QC_NOMEM */
QC_MUST qc_rc psk_session(SSL_SESSION **ret, SSL *ssl, qc_span qkd_key, const struct net_psk_id *id,
                          struct qc_err *err);
/* SSL_CTX_set_cert_verify_callback: none will do. */
int psk_refuse_certificate(X509_STORE_CTX *store, void *arg);
/* The PSK was used, with a fresh key agreement, and nothing else was shown. */
bool psk_as_meant(SSL *ssl);
