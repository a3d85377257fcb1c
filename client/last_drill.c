#include "last_drill.h"

#include <inttypes.h>

#include "base/file.h"
#include "text.h"

#define DRILL_FILE "drill.json"

qc_rc last_drill_keep(struct client *c, struct json_t **drill, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_DRILL_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = QC_STEAL(*drill);
    QC_TRY(qc_json_dump(j, &text, err));
    QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    QC_TRY(qc_dir_make_path(c->places.state, 0700, err));
    QC_TRY(qc_dir_open(&dir, c->places.state, err));
    const qc_span parts[] = { qc_buf_span(&text) };
    return qc_file_write_atomic(qc_fd_get(&dir), DRILL_FILE, parts, 1, 0600, err);
}

qc_rc last_drill_read(struct client *c, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf unused = { .max = QC_CLIENT_TEXT_MAX };
    qc_rc rc = qc_dir_open(&dir, c->places.state, err);
    if (rc == QC_OK)
        rc = qc_file_read(qc_fd_get(&dir), DRILL_FILE, QC_CLIENT_DRILL_MAX, &text, err);
    if (rc == QC_NOTFOUND) {
        qc_err_clear(err);
        *ret = NULL;
        return QC_OK;
    }
    QC_TRY(rc);
    QC_TRY(qc_json_parse(&j, qc_buf_span(&text), err));
    QC_TRY(last_drill_text(j, &unused, err)); /* is it one? */
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc add_what_was_missing(const struct json_t *drill, int64_t share, qc_buf *ret, struct qc_err *err)
{
    struct json_t *clouds = NULL;
    QC_TRY(qc_json_arr(drill, "without", &clouds, err));
    const size_t n = qc_json_len(clouds);
    if (n > VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_FORMAT, "%zu clouds", n);
    for (size_t i = 0; i < n; i++) {
        const char *name = qc_json_str_value(qc_json_at(clouds, i));
        if (name == NULL)
            return QC_FAIL(err, QC_FORMAT, "without: no name");
        QC_TRY(qc_buf_addf(ret, err, "%s", i == 0 ? " without " : i + 1 == n && share == 0 ? " and " : ", "));
        QC_TRY(text_escape(qc_span_str(name), ret, err));
    }
    return share == 0 ? QC_OK
                      : qc_buf_addf(ret, err, "%s share %" PRId64, n == 0 ? " without" : " and", share);
}

qc_rc last_drill_text(const struct json_t *drill, qc_buf *ret, struct qc_err *err)
{
    const char *when = NULL;
    int64_t at = 0, tried = 0, back = 0, share = 0;
    char text[QC_TIME_TEXT];
    QC_TRY(qc_json_str(drill, "when", &when, err));
    QC_TRY(qc_time_parse(qc_span_str(when), &at, err));
    QC_TRY(qc_json_int(drill, "share", 0, 2, &share, err));
    QC_TRY(qc_json_int(drill, "tried", 0, INT64_MAX, &tried, err));
    QC_TRY(qc_json_int(drill, "back", 0, tried, &back, err));
    qc_time_text(at, text);
    QC_TRY(qc_buf_addf(ret, err, "%s: %" PRId64 " of %" PRId64 " object%s came back", text, back, tried,
                       text_s((uint64_t)tried)));
    return add_what_was_missing(drill, share, ret, err);
}
