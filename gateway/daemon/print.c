#include "print.h"

#include <stdio.h>

qc_rc print_json(const struct json_t *o, size_t max, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = max };
    QC_TRY(qc_json_dump(o, &text, err));
    printf("%.*s\n", (int)text.n, (const char *)text.p);
    return QC_OK;
}

qc_rc print_report(const struct json_t *report, bool as_json, size_t max, struct qc_err *err)
{
    struct json_t *lines = NULL;
    if (as_json)
        return print_json(report, max, err);
    QC_TRY(qc_json_arr(report, "summary", &lines, err));
    for (size_t i = 0; i < qc_json_len(lines); i++) {
        const char *line = qc_json_str_value(qc_json_at(lines, i));
        printf("%s\n", line != NULL ? line : "?");
    }
    return QC_OK;
}
