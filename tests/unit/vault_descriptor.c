/* unit/vault_descriptor: what the share stores know of the vault, written and read; what a reader must not
 * guess. */
#include "vault/descriptor.h"

#include "qc_check.h"

#define HEAD                                                                                                 \
    "{\"format\":1,\"vault\":\"00112233445566778899aabbccddeeff\",\"mode\":\"stored\","                      \
    "\"stores\":[\"00000000000000000000000000000001\",\"00000000000000000000000000000002\"],\"gateway\":{"
#define NUMBERS "\"catalogue\":\"000102030405060708090a0b0c0d0e0f\",\"k\":3,\"n\":5,"

#define CLOUD   "{\"id\":1,\"name\":\"c1\",\"url\":\"file:///a\"}"
#define LOCAL   "\"kind\":\"local\"," NUMBERS "\"clouds\":[" CLOUD "]},"
#define BEFORE  LOCAL "\"backup-to\":\"file:///k\",\"backup-before\":"

static const struct {
    const char *text;
    qc_rc rc;
} rows[] = {
    { HEAD "\"kind\":\"local\"," NUMBERS "\"clouds\":[{\"id\":1,\"name\":\"c1\",\"url\":\"file:///a\"}]}}",
      QC_OK },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":\"https://g.example:8440\"}}", QC_OK },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":\"unix:/run/q/door\"}}", QC_OK },
    { HEAD LOCAL "\"backup-to\":\"file:///k\"}", QC_OK },
    { HEAD BEFORE "[\"file:///o\",\"s3+https://h/b\"]}", QC_OK },
    { HEAD BEFORE "[\"a\",\"b\",\"c\",\"d\"]}", QC_OK },
    { HEAD BEFORE "[\"a\",\"b\",\"c\",\"d\",\"e\"]}", QC_FORMAT },
    { HEAD BEFORE "[7]}", QC_FORMAT },
    { HEAD BEFORE "\"file:///o\"}", QC_FORMAT },
    { HEAD "\"kind\":\"linked\"," NUMBERS "\"url\":\"https://g.example:8440\"}}", QC_NEWER },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":\"http://g.example:8440\"}}", QC_FORMAT },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":\"https://u:p@g.example\"}}", QC_FORMAT },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":\"\"}}", QC_FORMAT },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"url\":7}}", QC_FORMAT },
    { HEAD "\"kind\":\"remote\"," NUMBERS "\"clouds\":[]}}", QC_FORMAT },
    { HEAD "\"kind\":\"local\"," NUMBERS "\"url\":\"https://g.example\"}}", QC_FORMAT },
};

static void reads(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
        struct qc_err err = { 0 };
        const qc_rc rc = vault_descriptor_parse(&d, qc_span_str(rows[i].text), &err);
        if (rc != rows[i].rc)
            fprintf(stderr, "%s: %s: %s\n", rows[i].text, qc_rc_name(rc), err.msg);
        CHECK(rc == rows[i].rc);
        if (rc != QC_OK)
            continue;
        CHECK(d.k == 3 && d.n == 5 && (d.url == NULL) == (d.cloud_count == 1));
        CHECK_OK(vault_descriptor_write(&text, &d, &err));
        CHECK(qc_span_eq(qc_buf_span(&text), qc_span_str(rows[i].text)));
    }
}

int main(void)
{
    reads();
    return 0;
}
