#include "report.h"

#include "text.h"

qc_rc report_lines(struct out *o, const struct json_t *report, struct qc_err *err)
{
    struct json_t *lines = NULL;
    QC_TRY(qc_json_arr(report, "summary", &lines, err));
    for (size_t i = 0; i < qc_json_len(lines); i++) {
        QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
        const char *line = qc_json_str_value(qc_json_at(lines, i));
        if (line != NULL)
            QC_TRY(text_escape(qc_span_str(line), &shown, err));
        out_line(o, "%.*s", (int)shown.n, (const char *)shown.p);
    }
    return QC_OK;
}
