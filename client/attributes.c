/* What stands beside a file's bytes: what of it could not be kept, or given back, is said, and worth exit 4;
 * and folders, which have nothing else. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "text.h"
#include "vault/sink_file.h"
#include "vault/source_file.h"
#include "vault/xattrs.h"

qc_rc client_kept_all(const struct vault_source_file *f, bool at_sites, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    unsigned left = vault_source_file_left_out(f);
    qc_span attribute, value;
    for (size_t at = 0;
         at_sites && vault_xattrs_next(vault_source_file_source(f)->xattrs, &at, &attribute, &value);)
        left++;
    if (left == 0)
        return QC_OK;
    QC_TRY(text_quote(name, &shown, err));
    if (at_sites) {
        const qc_rc rc =
            QC_FAIL(err, QC_DEGRADED, "stored %.*s without its %u extended attribute%s: sites keep none",
                    (int)shown.n, (const char *)shown.p, left, text_s(left));
        err->next = "getfattr -d FILE shows them; what is needed goes into a file of its own";
        return rc;
    }
    const qc_rc rc =
        QC_FAIL(err, QC_DEGRADED,
                "stored %.*s without %u of its extended attributes: %d bytes of a file's are kept",
                (int)shown.n, (const char *)shown.p, left, QC_VAULT_XATTRS_MAX);
    err->next = "getfattr -d FILE shows them; what is needed goes into a file of its own";
    return rc;
}

qc_rc client_gave_all(const struct vault_sink_file *f, const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    int os = 0;
    const unsigned missed = vault_sink_file_missed(f, &os);
    if (missed == 0)
        return QC_OK;
    QC_TRY(text_quote(qc_span_str(path), &shown, err));
    const qc_rc rc = QC_FAIL(err, QC_DEGRADED, "%.*s is whole, without %u of its extended attributes: %s",
                             (int)shown.n, (const char *)shown.p, missed, strerrordesc_np(os));
    err->next = "get it to a file system that takes them; they stay stored";
    return rc;
}

bool client_is_folder(const struct vault_stat *s)
{
    return s->has_mode && S_ISDIR(s->mode);
}

struct timespec client_time_of(int64_t ns)
{
    const int64_t part = ns % 1000000000;
    return (struct timespec){ .tv_sec = ns / 1000000000 - (part < 0),
                              .tv_nsec = part < 0 ? part + 1000000000 : part };
}

/* Component by component: a link may have come to stand in the place of any of them. Folders that may not be
 * read are opened, too. */
static qc_rc open_folder(int root, qc_span rest, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd at = { 0 };
    QC_ASSERT(rest.n > 0);
    for (size_t i = 0, end = 0; i < rest.n; i = end + 1) {
        char part[NAME_MAX + 1];
        for (end = i; end < rest.n && rest.p[end] != '/'; end++)
            ;
        const int n = snprintf(part, sizeof part, "%.*s", (int)(end - i), (const char *)rest.p + i);
        if (n < 0 || (size_t)n >= sizeof part)
            return QC_FAIL(err, QC_LIMIT, "a part of its path is longer than %d bytes", NAME_MAX);
        const int from = qc_fd_is(&at) ? qc_fd_get(&at) : root;
        const int next = openat(from, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
            return QC_FAIL(err, QC_CHANGED, "it is no folder any more");
        if (next < 0)
            return QC_FAIL_OS(err, "cannot open the folder");
        qc_fd_close(&at);
        at = qc_fd_own(next);
    }
    *ret = QC_STEAL(at);
    return QC_OK;
}

qc_rc client_give_folder(int root, qc_span rest, const uint32_t *mode, const int64_t *mtime_ns,
                         struct stat *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    char by_fd[32]; /* the descriptor of one that may not be read takes neither by itself */
    struct stat st;
    QC_TRY(open_folder(root, rest, &fd, err));
    if (fstat(qc_fd_get(&fd), &st) != 0)
        return QC_FAIL_OS(err, "cannot look at the folder");
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", qc_fd_get(&fd));
    const struct timespec want = client_time_of(mtime_ns == NULL ? 0 : *mtime_ns);
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, want };
    const bool other_mode = mode != NULL && ((st.st_mode ^ *mode) & 0777) != 0;
    const bool other_time =
        mtime_ns != NULL && (st.st_mtim.tv_sec != want.tv_sec || st.st_mtim.tv_nsec != want.tv_nsec);
    if (other_time && utimensat(AT_FDCWD, by_fd, times, 0) != 0)
        return QC_FAIL_OS(err, "cannot set the folder's time");
    if (other_mode && chmod(by_fd, (st.st_mode & 07000) | (mode_t)(*mode & 0777)) != 0)
        return QC_FAIL_OS(err, "cannot set the folder's mode");
    if (fstat(qc_fd_get(&fd), ret) != 0)
        return QC_FAIL_OS(err, "cannot look at the folder");
    return QC_OK;
}
