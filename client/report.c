#include "report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "home/places.h"
#include "text.h"

/* The folder, open, and the name in it, which lies in whole. A device, a link or a folder is not replaced:
 * /dev/stdout would be a file from then on. */
static qc_rc find_place(const char *path, char whole[QC_CLIENT_PATH_MAX], struct qc_fd *ret_dir,
                        const char **ret_name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct stat st;
    QC_TRY(places_absolute(path, whole, err));
    char *slash = strrchr(whole, '/');
    const char *name = slash + 1;
    if (name[0] == '\0' || strlen(name) > QC_FILE_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "'%.80s' cannot be the name of a file", path);
    *slash = '\0';
    QC_TRY(qc_dir_open(&dir, slash == whole ? "/" : whole, err));
    if (fstatat(qc_fd_get(&dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_USAGE, "'%.200s' is no file, and stays as it is: name a file", path);
    if (faccessat(qc_fd_get(&dir), ".", W_OK | X_OK, AT_EACCESS) != 0)
        return QC_FAIL_OS(err, "%s", slash == whole ? "/" : whole);
    *ret_dir = QC_STEAL(dir);
    *ret_name = name;
    return QC_OK;
}

qc_rc report_place(const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char whole[QC_CLIENT_PATH_MAX];
    const char *name = NULL;
    const qc_rc rc = find_place(path, whole, &dir, &name, err);
    if (rc == QC_NOTFOUND)
        err->next = "make the folder that line one names, or name another file";
    return rc;
}

qc_rc report_file(const char *path, const struct json_t *j, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char whole[QC_CLIENT_PATH_MAX];
    const char *name = NULL;
    QC_TRY(qc_json_dump(j, &text, err));
    QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    QC_TRY(find_place(path, whole, &dir, &name, err));
    const qc_span parts[] = { qc_buf_span(&text) };
    return qc_file_write_atomic(qc_fd_get(&dir), name, parts, 1, 0600, err);
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
