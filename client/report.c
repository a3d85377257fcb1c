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

qc_rc report_outcome(const struct json_t *report, struct qc_err *err)
{
    struct json_t *o = NULL;
    const char *id = NULL;
    const char *message = NULL;
    qc_rc rc = QC_OK;
    QC_TRY(qc_json_obj(report, "outcome", &o, err));
    QC_TRY(qc_json_str(o, "id", &id, err));
    QC_TRY(qc_json_str(o, "message", &message, err));
    if (!qc_rc_from_name(id, &rc))
        return QC_FAIL(err, QC_NEWER, "the gateway's answer: an outcome '%.40s'", id);
    if (rc != QC_OK)
        qc_err_set(err, rc, QC_HERE, "%s", message);
    return rc;
}
