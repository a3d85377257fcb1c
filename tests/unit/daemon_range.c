/* unit/daemon_range: what a Range header may say, and what is refused. */
#include <string.h>

#include "http.h"
#include "qc_check.h"

static const struct row {
    const char *text;
    uint64_t size;
    qc_rc rc;
    uint64_t from, to;
    bool partial;
} rows[] = {
    { NULL, 10, QC_OK, 0, 10, false },
    { NULL, 0, QC_OK, 0, 0, false },
    { "bytes=0-0", 10, QC_OK, 0, 1, true },
    { "bytes=3-", 10, QC_OK, 3, 10, true },
    { "bytes=9-9", 10, QC_OK, 9, 10, true },
    { "bytes=5-900", 10, QC_OK, 5, 10, true },
    { "bytes=-4", 10, QC_OK, 6, 10, true },
    { "bytes=-400", 10, QC_OK, 0, 10, true },
    { "bytes=0-18446744073709551615", 10, QC_OK, 0, 10, true },
    { "bytes=10-", 10, QC_USAGE, 0, 0, false },
    { "bytes=-0", 10, QC_USAGE, 0, 0, false },
    { "bytes=0-0", 0, QC_USAGE, 0, 0, false },
    { "bytes=5-4", 10, QC_USAGE, 0, 0, false },
    { "bytes=", 10, QC_USAGE, 0, 0, false },
    { "bytes=-", 10, QC_USAGE, 0, 0, false },
    { "bytes=1", 10, QC_USAGE, 0, 0, false },
    { "bytes=1-2,4-5", 10, QC_USAGE, 0, 0, false },
    { "bytes=1-2 ", 10, QC_USAGE, 0, 0, false },
    { "bytes= 1-2", 10, QC_USAGE, 0, 0, false },
    { "bytes=a-b", 10, QC_USAGE, 0, 0, false },
    { "chunks=0-1", 10, QC_USAGE, 0, 0, false },
    { "bytes=99999999999999999999-", 10, QC_USAGE, 0, 0, false },
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct qc_err err = { 0 };
        uint64_t from = 77;
        uint64_t to = 77;
        bool partial = true;
        qc_rc rc = range_parse(r->text, r->size, &from, &to, &partial, &err);
        CHECK(rc == r->rc);
        if (rc == QC_OK)
            CHECK(from == r->from && to == r->to && partial == r->partial);
        else
            CHECK(from == 77 && to == 77 && partial);
    }
    return 0;
}
