/* OpenSSL's algorithms, fetched once, and its errors as ours. */
#pragma once
#include <openssl/evp.h>

#include "base/crypto.h"

struct qc_algorithms {
    EVP_MD *sha256, *md5;
    EVP_CIPHER *gcm, *siv, *ecb, *ctr;
    EVP_MAC *poly1305;
};

/* Any thread. A member is NULL when this OpenSSL lacks the algorithm. */
const struct qc_algorithms *qc_algorithms(void);

/* key: 1..QC_KEY_MAX bytes */
QC_MUST qc_rc crypto_hmac_sha384(qc_span key, const qc_span *parts, size_t count,
                                 uint8_t out[QC_SHA384_BYTES], struct qc_err *err);

/* QC_NOMEM or QC_GENERAL, with OpenSSL's reason; its queue of errors is emptied. Never QC_OK. */
#define QC_FAIL_SSL(err, what) QC_FAIL(err, QC_GENERAL, "%s: %s", (what), qc_ssl_reason())
const char *qc_ssl_reason(void);
