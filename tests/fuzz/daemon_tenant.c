/* fuzz/daemon_tenant: any body as a tenant, or a change of one; any text as an Authorization header, which is
 * gone after. */
#include <string.h>

#include "auth.h"
#include "qc_fuzz.h"
#include "tenant_body.h"

static void as_body(qc_span in, const char *name)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct tenant_body b;

    if (qc_json_parse(&o, in, &err) != QC_OK || !qc_json_is_object(o) ||
        tenant_body_parse(&b, name, o, &err) != QC_OK)
        return;
    QC_ASSERT(b.c.add == (name == NULL) && b.c.name != NULL);
    QC_ASSERT(!b.c.add || b.c.token_hash != NULL);
    QC_ASSERT(b.c.bytes == NULL || *b.c.bytes <= GW_NO_LIMIT);
    QC_ASSERT(b.c.objects == NULL || *b.c.objects <= GW_NO_LIMIT);
    QC_ASSERT(b.c.uploads == NULL || (*b.c.uploads >= 1 && *b.c.uploads <= QC_GW_UPLOADS_MAX));
    QC_ASSERT(b.c.requests == NULL || (*b.c.requests >= 1 && *b.c.requests <= QC_GW_TENANT_REQUESTS_MAX));
}

static void as_header(qc_span in)
{
    char text[512];
    uint8_t hash[QC_SHA256_BYTES];
    struct qc_err err = { 0 };
    const size_t n = in.n < sizeof text ? in.n : sizeof text - 1;

    if (n > 0)
        memcpy(text, in.p, n);
    text[n] = '\0';
    const size_t whole = strlen(text);
    const qc_rc rc = auth_parse(text, hash, &err);
    QC_ASSERT(rc == QC_OK || (rc == QC_AUTH && strstr(err.msg, "qcloud-token") == NULL));
    QC_ASSERT(rc != QC_OK || whole >= strlen("Bearer ") + 80);
    for (size_t i = 0; i < whole; i++)
        QC_ASSERT(text[i] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_body(qc_span_of(data, size), NULL);
    as_body(qc_span_of(data, size), "ann");
    as_header(qc_span_of(data, size));
    return 0;
}
