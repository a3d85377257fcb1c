/* fuzz/gateway_audit: lines of an audit log, and a file of them. A line that is taken is, made again from
 * what was read of it, as long and hashed alike; a check of any file ends, and counts what it found. */
#include <stdlib.h>
#include <string.h>

#include "gateway/audit.h"
#include "qc_fuzz.h"

static uint64_t told;

static void tell(void *ctx, const char *file, uint64_t line, const char *what)
{
    (void)ctx;
    (void)file;
    told++;
    if (line == 0 || what[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_audit_check c = { .tell = tell, .whole = size % 2 == 0 };
    struct qc_err err = { 0 };
    uint64_t lines = 0;

    told = 0;
    for (size_t at = 0; at < size; lines++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t n = end == NULL ? size - at : (size_t)(end - data) - at;
        struct gw_audit_line l;
        const qc_rc rc = gw_audit_line_parse(qc_span_of(data + at, n), &l, &err);
        if (rc == QC_OK && (l.sequence == 0 || l.event[0] == '\0' || (l.torn && l.torn_bytes == 0)))
            abort();
        if (gw_audit_check_line(&c, "f", qc_span_of(data + at, n), &err) != QC_OK)
            abort();
        at += n + 1;
    }
    if (lines > 0)
        gw_audit_check_end(&c, "f");
    if (c.findings != told || c.lines > lines)
        abort();
    return 0;
}
