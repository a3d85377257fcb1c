/* Text that is put together piece by piece: after the first failure nothing is added, and rc says which it
 * was. Part of qcloud-gateway. */
#pragma once
#include "base/buf.h"

struct page {
    qc_buf *to;
    qc_rc rc;
    struct qc_err *err;
};
void page_line(struct page *p, const char *fmt, ...) QC_PRINTF(2, 3);
/* For HTML: what has a meaning there is escaped, control characters are left out. */
void page_text(struct page *p, const char *text);
