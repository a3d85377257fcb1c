/* Before an older program's catalogue is raised it is copied beside itself: a step is never undone, and the
 * program that knew the older schema may be wanted back. Only catalogues in files: a server's are dumped by
 * its operator (docs/postgresql.md).
 *
 *   NAME.schema-N.new  VACUUM INTO, whole and in one transaction -> opened, checked, its schema is N ->
 * synced NAME.schema-N      its name, synced; only then is the first step taken
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "cat_internal.h"

enum { PATH = 4096, SLACK = 1 << 20 };

struct keep {
    const char *path; /* of the catalogue */
    char to[PATH], fresh[PATH + 8], dir[PATH];
};

static qc_rc make_names(struct keep *k, uint32_t version, struct qc_err *err)
{
    const char *slash = strrchr(k->path, '/');
    const int n = snprintf(k->to, sizeof k->to, "%s.schema-%" PRIu32, k->path, version);

    if (n < 0 || (size_t)n >= sizeof k->to)
        return QC_FAIL(err, QC_LIMIT, "the catalogue's path is too long for a copy beside it");
    snprintf(k->fresh, sizeof k->fresh, "%s.new", k->to);
    snprintf(k->dir, sizeof k->dir, "%.*s", slash == NULL ? 1 : (int)(slash - k->path) + 1,
             slash == NULL ? "." : k->path);
    return QC_OK;
}

static uint64_t size_of(const char *path, const char *suffix)
{
    char name[PATH + 8];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static qc_rc check_room(const struct keep *k, uint32_t version, struct qc_err *err)
{
    const uint64_t need = size_of(k->path, "") + size_of(k->path, "-wal") + SLACK;
    struct statvfs v;

    if (statvfs(k->dir, &v) != 0)
        return QC_FAIL_OS(err, "%s", k->dir);
    const uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
    if (room < need)
        return QC_FAIL(err, QC_FULL,
                       "the catalogue has schema %" PRIu32
                       ", and is copied before it is brought up to date: that needs %" PRIu64
                       " bytes in '%s', which has %" PRIu64,
                       version, need, k->dir, room);
    return QC_OK;
}

/* In quotes, as SQL has them. */
static qc_rc add_quoted(qc_buf *b, const char *s, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(b, "'", err));
    for (; *s != '\0'; s++)
        QC_TRY(qc_buf_addf(b, err, *s == '\'' ? "''" : "%c", *s));
    return qc_buf_add_str(b, "'", err);
}

static qc_rc write_copy(struct gw_cat *c, const struct keep *k, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf sql = { .max = (size_t)2 * PATH + 64 };
    const char *text;

    if (unlink(k->fresh) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "%s", k->fresh);
    QC_TRY(qc_open_at(&fd, AT_FDCWD, k->fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, err));
    QC_TRY(qc_buf_add_str(&sql, "VACUUM INTO ", err));
    QC_TRY(add_quoted(&sql, k->fresh, err));
    QC_TRY(qc_buf_cstr(&sql, &text, err));
    return qc_db_exec(c->db, text, err);
}

static void close_db(struct qc_db **db)
{
    if (*db != NULL)
        qc_db_close(db);
}

/* Can it be opened, is it whole, and what it was? */
static qc_rc check_copy(const struct keep *k, uint32_t version, struct qc_err *err)
{
    QC_CLEANUP(close_db) struct qc_db *db = NULL;
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE, .application_id = GW_CAT_APPLICATION };
    uint32_t has;

    QC_TRY(qc_db_open(&db, k->fresh, &opts, err));
    QC_TRY(qc_db_check(db, err));
    QC_TRY(qc_db_user_version(db, &has, err));
    if (has != version)
        return QC_FAIL(err, QC_INTEGRITY, "the catalogue's copy has schema %" PRIu32, has);
    return qc_db_settle(db, err);
}

static qc_rc install(const struct keep *k, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };

    QC_TRY(qc_open_at(&fd, AT_FDCWD, k->fresh, O_RDWR | O_CLOEXEC, 0, err));
    QC_TRY(qc_sync(qc_fd_get(&fd), err));
    QC_TRY(qc_open_at(&dir, AT_FDCWD, k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, err));
    if (rename(k->fresh, k->to) != 0)
        return QC_FAIL_OS(err, "%s", k->to);
    return qc_dir_sync(qc_fd_get(&dir), err);
}

/* Copies of older schemas than the last two. Who cannot be removed takes room, and no more. */
static void drop_older(const struct keep *k, uint32_t version)
{
    for (uint32_t v = 1; v + QC_GW_SCHEMAS_KEPT <= version; v++) {
        char name[PATH];
        snprintf(name, sizeof name, "%s.schema-%" PRIu32, k->path, v);
        if (unlink(name) != 0 && errno != ENOENT)
            QC_LOG(QC_LOG_WARN, "an old copy of the catalogue stays", QC_S("file", name),
                   QC_I("errno", errno));
    }
}

static qc_rc keep(struct gw_cat *c, const struct keep *k, uint32_t version, struct qc_err *err)
{
    QC_TRY(check_room(k, version, err));
    QC_TRY(write_copy(c, k, err));
    QC_TRY(check_copy(k, version, err));
    QC_TRY(install(k, err));
    return qc_fault(cat_kept, err);
}

qc_rc gw_cat_keep(struct gw_cat *c, const char *path, uint32_t version, struct qc_err *err)
{
    struct keep k = { .path = path };

    QC_TRY(make_names(&k, version, err));
    const qc_rc rc = keep(c, &k, version, err);
    if (rc != QC_OK) {
        (void)unlink(k.fresh);
        return rc;
    }
    drop_older(&k, version);
    QC_LOG(QC_LOG_INFO, "the catalogue was copied before it is brought up to date", QC_S("file", k.to));
    return QC_OK;
}
