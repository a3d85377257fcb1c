/* What libcurl has no option for: settings of OpenSSL's own. */
#include "request.h"

#include <openssl/ssl.h>

CURLcode net_tls_wiping(CURL *easy, void *ssl_ctx, void *ctx)
{
    (void)easy;
    (void)ctx;
    SSL_CTX_set_options(ssl_ctx, SSL_OP_CLEANSE_PLAINTEXT); /* I5 */
    return CURLE_OK;
}
