#include "report.h"

#include <string.h>

#include "base/file.h"
#include "home/places.h"
#include "text.h"

qc_rc report_file(const char *path, const struct json_t *j, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char whole[QC_CLIENT_PATH_MAX];
    QC_TRY(places_absolute(path, whole, err));
    char *slash = strrchr(whole, '/');
    QC_TRY(qc_json_dump(j, &text, err));
    QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    *slash = '\0';
    QC_TRY(qc_dir_open(&dir, slash == whole ? "/" : whole, err));
    const qc_span parts[] = { qc_buf_span(&text) };
    return qc_file_write_atomic(qc_fd_get(&dir), slash + 1, parts, 1, 0600, err);
}

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
