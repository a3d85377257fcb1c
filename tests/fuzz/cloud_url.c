/* fuzz/cloud_url: any text as the URL of a cloud, and as a key. */
#include "cloud/cloud.h"
#include "qc_fuzz.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    QC_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    static struct cloud_url u;
    struct qc_err err = { 0 };
    if (cloud_url_parse(text, &u, &err) == QC_OK) {
        QC_ASSERT(strlen(u.scheme) > 0 && strchr(u.authority, '@') == NULL);
        QC_ASSERT(u.path[0] == '/' || u.path[0] == '\0');
    } else {
        QC_ASSERT(err.rc == QC_USAGE && err.msg[0] != '\0');
    }
    if (cloud_key_ok(text)) { /* what is a key is safe below a directory */
        QC_ASSERT(text[0] != '/' && strstr(text, "..") != text && strstr(text, "/.") == NULL);
        QC_ASSERT(strlen(text) <= CLOUD_KEY_SIZE_MAX);
    }
    free(text);
    return 0;
}
