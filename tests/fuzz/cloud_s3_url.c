/* fuzz/cloud_s3_url: any text as the URL of a bucket. What comes out can be put into a request as it stands.
 */
#include "qc_fuzz.h"
#include "s3_url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cloud_url u;
    static struct s3_url s;
    struct qc_err err = { 0 };
    char *text = malloc(size + 1);
    QC_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    qc_rc rc = cloud_url_parse(text, &u, &err);
    free(text);
    const char *plus = strchr(u.scheme, '+');
    if (rc != QC_OK || plus == NULL || (strcmp(plus, "+http") != 0 && strcmp(plus, "+https") != 0))
        return 0;
    if (s3_url_parse(&u, NULL, 0, &s, &err) != QC_OK) {
        QC_ASSERT(err.rc == QC_USAGE && err.msg[0] != '\0');
        return 0;
    }
    QC_ASSERT(s.host[0] != '\0' &&
              s.host[strspn(s.host, "abcdefghijklmnopqrstuvwxyz0123456789.-[]:")] == '\0');
    QC_ASSERT(strlen(s.bucket) >= 3 &&
              s.bucket[strspn(s.bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0');
    QC_ASSERT(s.region[0] != '\0' && strpbrk(s.region, " \r\n/,:") == NULL);
    QC_ASSERT(s.port <= 65535 && (s.tls || s.ca[0] == '\0') && (s.ca[0] == '\0' || s.ca[0] == '/'));
    return 0;
}
