/* fuzz/daemon_conf: any text as the gateway's configuration. What is taken is printed, and read again as the
 * same. */
#include "conf.h"

#include <string.h>

#include "qc_fuzz.h"

static struct conf first, second;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 128 * 1024 };
    QC_CLEANUP(qc_buf_free) qc_buf again = { .max = 128 * 1024 };
    struct qc_err err = { 0 };

    if (conf_parse(qc_span_of(data, size), &first, &err) != QC_OK)
        return 0;
    QC_ASSERT(first.state[0] == '/' && first.connections >= 16 && first.connections <= 1024);
    QC_ASSERT((first.certificate[0] == '\0') == (first.key[0] == '\0'));
    QC_ASSERT(first.certificate[0] == '\0' || first.address.is);
    QC_ASSERT(!first.address.is || first.address.port > 0);
    QC_ASSERT((first.socket_mode & ~0666U) == 0 && (first.socket_mode & 0600U) == 0600U);
    QC_ASSERT(conf_print(&first, &text, &err) == QC_OK);
    QC_ASSERT(conf_parse(qc_buf_span(&text), &second, &err) == QC_OK);
    QC_ASSERT(conf_print(&second, &again, &err) == QC_OK &&
              qc_span_eq(qc_buf_span(&text), qc_buf_span(&again)));
    return 0;
}
