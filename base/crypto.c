#include "crypto_internal.h"

#include <pthread.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

static struct qc_algorithms algorithms;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Fetching takes locks and walks providers: once per process, never per call. */
static void fetch(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    algorithms.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algorithms.siv = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
    algorithms.ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    algorithms.ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    algorithms.poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
}

const struct qc_algorithms *qc_algorithms(void)
{
    pthread_once(&once, fetch);
    return &algorithms;
}

const char *qc_ssl_reason(void)
{
    unsigned long e = ERR_peek_error();
    const char *reason = e == 0 ? NULL : ERR_reason_error_string(e);

    ERR_clear_error();
    return reason != NULL ? reason : "refused by the crypto library";
}

bool qc_ct_eq(const void *a, const void *b, size_t n)
{
    return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}
