/* Where an S3 bucket is: the URL of a driver that speaks S3, checked. Internal to cloud/. Pure function on
 * the caller's memory.
 *
 *   s3+https://HOST[:PORT]/BUCKET?region=R&style=path|virtual&ca=/absolute/file.pem
 *   s3+http://HOST[:PORT]/BUCKET?region=R&style=path|virtual&plain=yes
 */
#pragma once
#include "base/limits.h"
#include "url.h"
#include <stdbool.h>

struct s3_url {
    bool tls;
    bool loopback;                      /* HOST is this machine */
    bool virtual_host;                  /* requests go to BUCKET.HOST, else to HOST/BUCKET */
    char host[CLOUD_HOST_SIZE_MAX + 1]; /* a name, 127.0.0.1, or [::1]; lower case */
    unsigned port;                      /* 0: the scheme's */
    char bucket[CLOUD_BUCKET_SIZE_MAX + 1];
    char region[CLOUD_REGION_SIZE_MAX + 1]; /* us-east-1 unless the URL says another */
    char ca[CLOUD_URL_SIZE_MAX + 1];        /* a file of trusted certificates; "": the system's */
};

/*
 *   url          its scheme ends with "+https" or "+http" (asserted: the table of drivers says so)
 *   more, count  options of one driver alone, taken besides those above
 *
 * QC_USAGE   no host, a host, port or bucket that cannot be one, an option that is not known or has a value
 * that is not, a CA file over plain HTTP, or plain HTTP that would leave this machine without `plain=yes`.
 */
QC_MUST qc_rc s3_url_parse(const struct cloud_url *url, const struct cloud_url_key *more, size_t count,
                           struct s3_url *ret, struct qc_err *err);
