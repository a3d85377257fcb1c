/* fuzz/pg_conf: any text as the file that says where the PostgreSQL server is, and as a statement to be
 * turned into its words. */
#include "pg_internal.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QC_CLEANUP(qc_buf_free) qc_buf sql = { .max = 64 * 1024 }, out = { .max = 256 * 1024 };
    struct qc_err err = { 0 };
    struct pg_conf c;
    unsigned params;

    if (pg_conf_parse(qc_span_of(data, size), &c, &err) == QC_OK) {
        QC_ASSERT(c.host[0] != '\0' || c.service[0] != '\0');
        QC_ASSERT(strspn(c.schema, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(c.schema) &&
                  c.schema[0] != '\0');
        QC_ASSERT(c.passfile[0] == '\0' || c.passfile[0] == '/');
    }
    if (qc_buf_add(&sql, qc_span_of(data, size), &err) != QC_OK ||
        qc_buf_add(&sql, qc_span_of("", 1), &err) != QC_OK)
        return 0;
    if (pg_translate((const char *)sql.p, &out, &params, &err) == QC_OK) {
        QC_ASSERT(params <= QC_PG_PARAMS_MAX && out.n > 0 && out.p[out.n - 1] == '\0');
    }
    return 0;
}
