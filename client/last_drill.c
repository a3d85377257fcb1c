#include "last_drill.h"

#include <inttypes.h>

#include "base/file.h"
#include "text.h"

#define DRILL_FILE "drill.json"

static qc_rc exit_of(const struct json_t *drill, int64_t *ret, struct qc_err *err)
{
    return qc_json_int(drill, "exit", 0, 255, ret, err);
}

/* Is every cloud that the one did without among those of the other? */
static qc_rc without_all(const struct json_t *drill, const struct json_t *other, bool *ret,
                         struct qc_err *err)
{
    struct json_t *mine = NULL;
    struct json_t *theirs = NULL;
    QC_TRY(qc_json_arr(drill, "without", &mine, err));
    QC_TRY(qc_json_arr(other, "without", &theirs, err));
    *ret = true;
    for (size_t i = 0; i < qc_json_len(theirs) && *ret; i++) {
        const char *want = qc_json_str_value(qc_json_at(theirs, i));
        bool found = false;
        for (size_t k = 0; k < qc_json_len(mine) && want != NULL && !found; k++) {
            const char *have = qc_json_str_value(qc_json_at(mine, k));
            found = have != NULL && strcmp(have, want) == 0;
        }
        *ret = found;
    }
    return QC_OK;
}

/* All objects came back without what the failed one did without. */
static qc_rc outdoes(const struct json_t *drill, const struct json_t *failed, bool *ret, struct qc_err *err)
{
    struct qc_err none = { 0 };
    int64_t code = 0, share = 0, withheld = 0;
    bool whole = false;
    QC_TRY(without_all(drill, failed, ret, err));
    QC_TRY(exit_of(failed, &code, err));
    QC_TRY(qc_json_int(drill, "share", 0, 2, &share, err));
    QC_TRY(qc_json_int(failed, "share", 0, 2, &withheld, err));
    qc_ignore(qc_json_bool(drill, "whole", &whole, &none), "one of an older program was not");
    *ret = *ret && whole && (code != qc_rc_exit(QC_SHARES) || share == withheld);
    return QC_OK;
}

/* The failed one of what was kept before, to be kept on. What cannot be read is no reason not to go on. */
static qc_rc inherit(struct client *c, struct json_t *drill, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *before = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *copy = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_DRILL_MAX };
    struct qc_err none = { 0 };
    struct json_t *failed = NULL;
    int64_t code = 0, was = 0;
    bool outdone = false;
    QC_TRY(exit_of(drill, &code, err));
    if (code != 0 || last_drill_read(c, &before, &none) != QC_OK || before == NULL ||
        exit_of(before, &was, &none) != QC_OK)
        return QC_OK;
    failed = before;
    if (was == 0 && qc_json_obj(before, "failed", &failed, &none) != QC_OK)
        return QC_OK;
    if (outdoes(drill, failed, &outdone, &none) != QC_OK || outdone)
        return QC_OK;
    QC_TRY(qc_json_dump(failed, &text, err));
    QC_TRY(qc_json_parse(&copy, qc_buf_span(&text), err));
    return qc_json_set(drill, "failed", &copy, err);
}

qc_rc last_drill_keep(struct client *c, struct json_t **drill, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_DRILL_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *j = QC_STEAL(*drill);
    QC_TRY(inherit(c, j, err));
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
    struct qc_err none = { 0 };
    struct json_t *clouds = NULL;
    int64_t fewer = 0;
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
    if (share != 0)
        QC_TRY(qc_buf_addf(ret, err, "%s share %" PRId64, n == 0 ? " without" : " and", share));
    if (qc_json_int(drill, "fewer", 1, INT64_MAX, &fewer, &none) != QC_OK)
        return QC_OK; /* none, or one of an older program */
    return qc_buf_addf(ret, err, ", %" PRId64 " of them with fewer of these missing, by the code they had",
                       fewer);
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

qc_rc last_drill_failed(const struct json_t *drill, bool *ret_failed, qc_buf *ret, struct qc_err *err)
{
    struct qc_err none = { 0 };
    struct json_t *failed = NULL;
    int64_t code = 0;
    QC_TRY(exit_of(drill, &code, err));
    *ret_failed = code != 0;
    if (code != 0)
        return last_drill_text(drill, ret, err);
    *ret_failed = qc_json_obj(drill, "failed", &failed, &none) == QC_OK;
    return *ret_failed ? last_drill_text(failed, ret, err) : QC_OK;
}
