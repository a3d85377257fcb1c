#include "below.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static qc_rc open_it(int at, const char *name, const char *path, int flags, struct qc_fd *ret,
                     struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct stat st;
    const qc_rc rc = qc_open_at(ret, at, name, flags | O_DIRECTORY | O_NOFOLLOW, 0, &why);
    if (rc == QC_OK)
        return QC_OK;
    if ((why.os == ENOTDIR || why.os == ELOOP) && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        return QC_FAIL(err, QC_CONFLICT, "a symbolic link stands in the way: %s", path);
    *err = why;
    return rc;
}

/* The directory that it is in is synced also where it is there: whoever made it may have been killed before
 * he did so. What exists is not touched: a parent that we may not read is no failure. */
static qc_rc make(int at, const char *name, bool there, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = qc_open_at(&dir, at, ".", O_RDONLY | O_DIRECTORY, 0, &why); /* at does not sync */
    if (there && rc == QC_AUTH)
        return QC_OK;
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    return there ? qc_dir_sync(qc_fd_get(&dir), err) : qc_dir_make_durable(qc_fd_get(&dir), name, 0777, err);
}

/* From *at to its folder `name`. */
static qc_rc descend(struct qc_fd *at, const char *name, const char *path, bool last, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd next = { 0 };
    const int flags = last ? O_RDONLY : O_PATH;
    struct qc_err why = { 0 };
    const qc_rc rc = open_it(qc_fd_get(at), name, path, flags, &next, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = why;
        return rc;
    }
    if (rc == QC_NOTFOUND || last)
        QC_TRY(make(qc_fd_get(at), name, rc == QC_OK, err));
    if (rc == QC_NOTFOUND)
        QC_TRY(open_it(qc_fd_get(at), name, path, flags, &next, err));
    qc_fd_close(at);
    *at = QC_STEAL(next);
    return QC_OK;
}

qc_rc below_path(const char *dir, qc_span rest, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    const int n = snprintf(ret, QC_CLIENT_PATH_MAX, "%s/%.*s", dir, (int)rest.n, (const char *)rest.p);
    if (n < 0 || n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "the path below %s is longer than %d bytes", dir,
                       QC_CLIENT_PATH_MAX - 1);
    return QC_OK;
}

qc_span below_folder_of(qc_span rest)
{
    const uint8_t *slash = rest.n == 0 ? NULL : memrchr(rest.p, '/', rest.n);
    return qc_span_sub(rest, 0, slash == NULL ? 0 : (size_t)(slash - rest.p));
}

qc_rc below_folder(const char *dir, qc_span folder, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd at = { 0 };
    char path[QC_CLIENT_PATH_MAX];
    QC_TRY(below_path(dir, folder, path, err));
    QC_TRY(qc_open_at(&at, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, err));
    for (char *name = path + strlen(dir) + 1; *name != '\0';) {
        char *slash = strchrnul(name, '/');
        const bool last = *slash == '\0';
        *slash = '\0';
        QC_TRY_AS(descend(&at, name, path, last, err), err, "making a directory below %s", dir);
        *slash = last ? '\0' : '/';
        name = last ? slash : slash + 1;
    }
    *ret = QC_STEAL(at);
    return QC_OK;
}

/* Of a name in a vault nobody has promised that it is a path below. */
static bool is_part(const char *part)
{
    return part[0] != '\0' && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

qc_rc below_open(int root, qc_span rest, int flags, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd at = { 0 };
    char path[QC_CLIENT_PATH_MAX];
    QC_TRY(below_path("", rest, path, err));
    for (char *part = path + 1, *slash; part != NULL; part = slash) {
        struct qc_fd next = { 0 };
        struct qc_err why = { 0 };
        if ((slash = strchr(part, '/')) != NULL)
            *slash++ = '\0';
        if (!is_part(part))
            return QC_FAIL(err, QC_NOTFOUND, "no path of a file");
        const qc_rc rc = qc_open_at(&next, qc_fd_is(&at) ? qc_fd_get(&at) : root, part,
                                    O_NOFOLLOW | (slash != NULL ? O_PATH | O_DIRECTORY : flags), 0, &why);
        if (why.os == ENOTDIR || why.os == ELOOP)
            return QC_FAIL(err, QC_NOTFOUND, "a link, or a file, stands in the way");
        if (rc != QC_OK)
            *err = why;
        QC_TRY(rc);
        qc_fd_close(&at);
        at = QC_STEAL(next);
    }
    *ret = QC_STEAL(at);
    return QC_OK;
}
