#include "known_time.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cat_internal.h"
#include "gateway/engine.h"

/* meta: the time itself; when this machine looked last, in seconds since it was started; and which start. */
#define KNOWN "time-known"
#define UP    "time-up"
#define BOOT  "time-boot"

/* QC_OK with *ret_found false: it is not there. QC_INTEGRITY: it is, and is none: time does not begin anew.
 */
static qc_rc get(struct gw_cat *c, const char *name, uint64_t *ret, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(name))));
    *ret_found = rows.row;
    if (!rows.row)
        return QC_OK;
    gw_rows_end(&rows);
    return gw_meta_get(c, name, ret, err);
}

static qc_rc get_known(struct gw_cat *c, uint64_t *ret, bool *ret_found, struct qc_err *err)
{
    QC_TRY(get(c, KNOWN, ret, ret_found, err));
    if (*ret_found && *ret > GW_RETAIN_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: '%s' is no time", KNOWN);
    return QC_OK;
}

static uint64_t bounded(uint64_t t)
{
    return t < GW_RETAIN_MAX ? t : GW_RETAIN_MAX;
}

/* Where time begins: what is stored was stored before now, whatever the wall clock says. */
static qc_rc first(struct gw_cat *c, uint64_t wall, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t created;

    QC_TRY(GW_QUERY0(c, CREATED_LAST, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, &created, err));
    *ret = bounded(created > wall ? created : wall);
    return QC_OK;
}

/* The kernel's id of this start of the machine, cut to a number; 0: it does not say. */
static uint64_t this_boot(void)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err unused = { 0 };
    char text[16] = "";
    uint64_t id = 0;

    if (qc_open_at(&fd, AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY, 0, &unused) != QC_OK ||
        read(qc_fd_get(&fd), text, sizeof text) != (ssize_t)sizeof text)
        return 0;
    for (size_t i = 0; i < sizeof text; i++)
        id = id * 31 + (uint8_t)text[i];
    return id & INT64_MAX;
}

static uint64_t up_s(void)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_BOOTTIME, &t); /* this clock is there */
    return (uint64_t)t.tv_sec;
}

qc_rc gw_time_known(struct gw_cat *c, uint64_t *ret, struct qc_err *err)
{
    const uint64_t wall = bounded((uint64_t)qc_wall_s()), boot = this_boot(), up = up_s();
    uint64_t known = 0, last = 0, since = 0;
    bool begun, same, has_up;

    QC_TRY(get_known(c, &known, &begun, err));
    QC_TRY(get(c, BOOT, &since, &same, err));
    QC_TRY(get(c, UP, &last, &has_up, err));
    same = same && has_up && boot != 0 && since == boot && up >= last;
    const uint64_t at_most = known + (same ? up - last : 0);
    if (!begun)
        QC_TRY(first(c, wall, &known, err));
    else if (at_most > known)
        known = at_most < wall ? at_most : wall > known ? wall : known;
    QC_TRY(gw_meta_set(c, KNOWN, known, err));
    QC_TRY(gw_meta_set(c, UP, up, err));
    QC_TRY(gw_meta_set(c, BOOT, boot, err));
    *ret = known;
    return QC_OK;
}

qc_rc gw_time_heard(struct gw_cat *c, uint64_t heard, struct qc_err *err)
{
    uint64_t known = 0;
    bool begun;

    QC_TRY(get_known(c, &known, &begun, err));
    return !begun || heard > known ? gw_meta_set(c, KNOWN, bounded(heard), err) : QC_OK;
}

qc_rc gw_time_wanted(struct gw_cat *c, bool *ret, struct qc_err *err)
{
    uint64_t known;

    return get_known(c, &known, ret, err);
}
