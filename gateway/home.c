#include "home.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pg/pg.h"

static const char file[] = "catalogue.db", file_new[] = "catalogue.new", conf_file[] = "catalogue.conf";

enum { CONF_MAX = 65536 };

/* -- which of the two ------------------------------------------------------------------------------------ */

static qc_rc read_conf(int fd, struct pg_conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = CONF_MAX + 1 };
    uint8_t *to;
    size_t n = 0;

    QC_TRY(qc_buf_extend(&text, CONF_MAX + 1, &to, err));
    QC_TRY(qc_read_full(fd, to, CONF_MAX + 1, &n, err));
    text.n = n;
    return pg_conf_parse(qc_buf_span(&text), ret, err);
}

/* *ret NULL: SQLite. Free it. */
static qc_rc find(const struct gw_state *s, struct pg_conf **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_free_ptr) struct pg_conf *c = NULL;
    bool has;

    *ret = NULL;
    QC_TRY(gw_state_has(s, conf_file, &has, err));
    if (!has)
        return QC_OK;
    c = qc_alloc(sizeof *c);
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "catalogue");
    QC_TRY_AS(qc_open_at(&fd, qc_fd_get(&s->dir), conf_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, err), err,
              "%s", conf_file);
    QC_TRY_AS(read_conf(qc_fd_get(&fd), c, err), err, "%s/%s", s->path, conf_file);
    *ret = QC_STEAL(c);
    return QC_OK;
}

/* -- a file ---------------------------------------------------------------------------------------------- */

static qc_rc open_file(const struct gw_state *s, const char *name, bool create, struct gw_cat **ret,
                       struct qc_err *err)
{
    char path[GW_STATE_PATH_MAX];

    QC_TRY(gw_state_path(s, name, path, err));
    return gw_cat_open(ret, path, create, err);
}

static qc_rc sweep_files(const struct gw_state *s, struct qc_err *err)
{
    static const char *const names[] = { "catalogue.new", "catalogue.new-wal", "catalogue.new-shm",
                                         "catalogue.new-journal" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        QC_TRY(qc_file_remove(qc_fd_get(&s->dir), names[i], err));
    return qc_tmp_sweep(qc_fd_get(&s->dir), err);
}

/* With its journal: its last transactions may be there. */
static qc_rc set_aside(const struct gw_state *s, uint32_t before, struct qc_err *err)
{
    static const char *const suffixes[] = { "-wal", "-shm", "" };
    const int dir = qc_fd_get(&s->dir);

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char from[64], to[64];
        bool has;
        snprintf(from, sizeof from, "%s%s", file, suffixes[i]);
        snprintf(to, sizeof to, "before-%" PRIu32 ".db%s", before, suffixes[i]);
        QC_TRY(gw_state_has(s, from, &has, err));
        if (has && renameat(dir, from, dir, to) != 0)
            return QC_FAIL_OS(err, "setting the old catalogue aside");
    }
    return qc_dir_sync(dir, err);
}

static qc_rc install_file(const struct gw_state *s, uint32_t before, struct qc_err *err)
{
    const int dir = qc_fd_get(&s->dir);
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };

    if (before > 0)
        QC_TRY(set_aside(s, before, err));
    QC_TRY(qc_open_at(&fd, dir, file_new, O_RDWR, 0, err));
    QC_TRY(qc_sync(qc_fd_get(&fd), err));
    if (renameat2(dir, file_new, dir, file, RENAME_NOREPLACE) != 0)
        return QC_FAIL_OS(err, "catalogue");
    return qc_dir_sync(dir, err);
}

/* -- a schema -------------------------------------------------------------------------------------------- */

static qc_rc make_schema(const struct pg_conf *pg, struct gw_cat **ret, struct qc_err *err)
{
    char fresh[PG_NAME];

    snprintf(fresh, sizeof fresh, "%s_new", pg->schema);
    QC_TRY(pg_schema_drop(pg, fresh, err));
    return gw_cat_open_pg(ret, pg, fresh, true, err);
}

static qc_rc drop_schema(const struct pg_conf *pg, struct qc_err *err)
{
    char fresh[PG_NAME];

    snprintf(fresh, sizeof fresh, "%s_new", pg->schema);
    return pg_schema_drop(pg, fresh, err);
}

static qc_rc install_schema(const struct pg_conf *pg, uint32_t before, struct qc_err *err)
{
    char fresh[PG_NAME], aside[PG_NAME];

    snprintf(fresh, sizeof fresh, "%s_new", pg->schema);
    snprintf(aside, sizeof aside, "%s_before_%" PRIu32, pg->schema, before);
    return pg_schema_install(pg, fresh, pg->schema, before > 0 ? aside : NULL, err);
}

/* -- either ---------------------------------------------------------------------------------------------- */

qc_rc gw_home_has(const struct gw_state *s, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct pg_conf *pg = NULL;

    QC_TRY(find(s, &pg, err));
    return pg != NULL ? pg_schema_has(pg, pg->schema, ret, err) : gw_state_has(s, file, ret, err);
}

qc_rc gw_home_open(const struct gw_state *s, struct gw_cat **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct pg_conf *pg = NULL;

    QC_TRY(find(s, &pg, err));
    return pg != NULL ? gw_cat_open_pg(ret, pg, pg->schema, false, err) : open_file(s, file, false, ret, err);
}

qc_rc gw_home_make(const struct gw_state *s, struct gw_cat **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct pg_conf *pg = NULL;

    QC_TRY(find(s, &pg, err));
    QC_TRY(sweep_files(s, err));
    return pg != NULL ? make_schema(pg, ret, err) : open_file(s, file_new, true, ret, err);
}

qc_rc gw_home_drop(const struct gw_state *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct pg_conf *pg = NULL;

    QC_TRY(find(s, &pg, err));
    QC_TRY(sweep_files(s, err));
    return pg != NULL ? drop_schema(pg, err) : QC_OK;
}

qc_rc gw_home_install(const struct gw_state *s, uint32_t before, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct pg_conf *pg = NULL;

    QC_TRY(find(s, &pg, err));
    return pg != NULL ? install_schema(pg, before, err) : install_file(s, before, err);
}

static uint64_t size_of(const struct gw_state *s, const char *name)
{
    struct stat st;

    return fstatat(qc_fd_get(&s->dir), name, &st, 0) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

uint64_t gw_home_bytes(const struct gw_state *s)
{
    return size_of(s, file) + size_of(s, "catalogue.db-wal");
}
