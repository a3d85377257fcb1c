/* What stands beside a file's bytes: what of it could not be kept, or given back, is said, and worth exit 4;
 * and folders, which have nothing else. */
#include "client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"
#include "vault/sink_file.h"
#include "vault/source_file.h"

qc_rc client_kept_all(const struct vault_source_file *f, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf shown = { .max = QC_CLIENT_TEXT_MAX };
    const unsigned left = vault_source_file_left_out(f);
    if (left == 0)
        return QC_OK;
    QC_TRY(text_quote(name, &shown, err));
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

qc_rc client_give_folder(const char *path, const uint32_t *mode, const int64_t *mtime_ns, struct qc_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return QC_FAIL(err, QC_CHANGED, "'%s' is no folder any more", path);
    const struct timespec want = client_time_of(mtime_ns == NULL ? 0 : *mtime_ns);
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, want };
    const bool other_mode = mode != NULL && ((st.st_mode ^ *mode) & 0777) != 0;
    const bool other_time =
        mtime_ns != NULL && (st.st_mtim.tv_sec != want.tv_sec || st.st_mtim.tv_nsec != want.tv_nsec);
    if (!other_mode && !other_time)
        return QC_OK;
    /* By its name where it may not be read: the last component is no link, as was seen. */
    if (other_time && utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) != 0)
        return QC_FAIL_OS(err, "cannot set the time of '%s'", path);
    if (other_mode && fchmodat(AT_FDCWD, path, (st.st_mode & 07000) | (mode_t)(*mode & 0777), 0) != 0)
        return QC_FAIL_OS(err, "cannot set the mode of '%s'", path);
    return QC_OK;
}
