/* OpenSSL's algorithms, fetched once, and its errors as ours. */
#pragma once
#include <openssl/evp.h>

#include "base/crypto.h"

struct qc_algorithms {
    EVP_MD *sha256, *md5;
    EVP_MAC_CTX *hmac_sha256; /* a template with the digest set: copied, then keyed */
    EVP_CIPHER *gcm, *siv, *ecb, *ctr;
    EVP_MAC *poly1305;
};

/* Any thread. A member is NULL when this OpenSSL lacks the algorithm. */
const struct qc_algorithms *qc_algorithms(void);

/* QC_NOMEM or QC_GENERAL, with OpenSSL's reason; its queue of errors is emptied. Never QC_OK. */
#define QC_FAIL_SSL(err, what) QC_FAIL(err, QC_GENERAL, "%s: %s", (what), qc_ssl_reason())
const char *qc_ssl_reason(void);
