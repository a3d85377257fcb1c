/* fault/gateway_disk: the catalogue's disk fails a write or an fsync, once, or is full from some write on, at
 * every write and fsync of a put, an overwrite, a removal and a cancel. After a failed fsync nothing more is
 * acknowledged until the catalogue was opened anew; what was acknowledged is there then; a full disk that has
 * room again needs no opening (I1). */
#include <sqlite3.h>

#include "base/fault.h"
#include "gw_engine_rig.h"
#include "qc_tree.h"

enum { CLOUDS = 3, K = 2 };

/* -- a disk that fails
 * -------------------------------------------------------------------------------------------- */

enum failing { FAIL_SYNC, FAIL_WRITE, FAIL_FULL };
static struct {
    bool armed;
    enum failing how;
    unsigned at, seen; /* the at-th call fails, from 1 */
    bool struck;
} disk;

static bool strike(bool sync)
{
    if (!disk.armed || sync != (disk.how == FAIL_SYNC))
        return false;
    disk.seen++;
    const bool hit = disk.how == FAIL_FULL ? disk.seen >= disk.at : disk.seen == disk.at;
    disk.struck = disk.struck || hit;
    return hit;
}

struct shim {
    sqlite3_file base;
    sqlite3_file *real;
};
static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct shim *)f)->real;
}
static int shim_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
    return real_of(f)->pMethods->xRead(real_of(f), p, n, off);
}
static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
    if (strike(false))
        return disk.how == FAIL_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real_of(f)->pMethods->xWrite(real_of(f), p, n, off);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int shim_sync(sqlite3_file *f, int flags)
{
    return strike(true) ? SQLITE_IOERR_FSYNC : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}
static int shim_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int shim_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int shim_reserved(sqlite3_file *f, int *ret)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}
static int shim_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int shim_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int shim_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int shim_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), region, size, extend, ret);
}
static int shim_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), off, n, flags);
}
static void shim_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int shim_unmap(sqlite3_file *f, int delete)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_traits,
    .xShmMap = shim_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_barrier,
    .xShmUnmap = shim_unmap,
};

static sqlite3_vfs *below, above;
static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct shim *s = (struct shim *)f;

    (void)vfs;
    s->base.pMethods = NULL;
    s->real = (sqlite3_file *)(s + 1);
    const int rc = below->xOpen(below, name, s->real, flags, ret_flags);
    if (s->real->pMethods != NULL)
        s->base.pMethods = &shim_methods;
    return rc;
}

static void shim_install(void)
{
    below = sqlite3_vfs_find(NULL);
    CHECK(below != NULL);
    above = *below;
    above.pNext = NULL;
    above.zName = "shim";
    above.szOsFile = (int)sizeof(struct shim) + below->szOsFile;
    above.xOpen = shim_open;
    CHECK(sqlite3_vfs_register(&above, 1) == SQLITE_OK);
}

/* -- one failure
 * -------------------------------------------------------------------------------------------------- */

struct bench {
    struct erig r;
    struct erig_put before, gone, after, rm, late, dropped;
    char pristine[320];
    bool after_acked, rm_acked, late_acked, cancel_acked;
};

static void may_fail(const struct bench *b, qc_rc rc, bool was_struck)
{
    (void)b;
    if (rc == QC_OK)
        return;
    CHECK(disk.struck);
    CHECK(rc == QC_IO || (disk.how == FAIL_FULL && rc == QC_FULL) || was_struck);
}

/* Four changes; each says whether it was acknowledged. *ret_refused: the first that was not, for an fsync's
 * sake. */
static void changes(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    enum gw_upload_state state;
    bool more;

    qc_rc rc = erig_begin(&b->r, &b->dropped, &err);
    may_fail(b, rc, false);
    if (rc == QC_OK)
        may_fail(b, erig_segment(&b->r, &b->dropped, 0, &err), false);
    bool dead = disk.struck && disk.how == FAIL_SYNC;
    rc = gw_upload_cancel(b->r.e, OWN(b->dropped.key), &state, &receipt, &err);
    b->cancel_acked = rc == QC_OK;
    CHECK(!dead || rc == QC_IO);
    dead = disk.struck && disk.how == FAIL_SYNC;
    rc = erig_put(&b->r, &b->after, &receipt, &err);
    b->after_acked = rc == QC_OK;
    CHECK(!dead || rc == QC_IO);
    dead = disk.struck && disk.how == FAIL_SYNC;
    rc = erig_remove(&b->r, &b->rm, &receipt, &err);
    b->rm_acked = rc == QC_OK;
    CHECK(!dead || rc == QC_IO);
    dead = disk.struck && disk.how == FAIL_SYNC;
    rc = gw_engine_tidy(b->r.e, &more, &err);
    CHECK(!dead || rc != QC_OK);
    dead = disk.struck && disk.how == FAIL_SYNC;
    if (disk.how == FAIL_FULL)
        disk.armed = false; /* there is room again */
    rc = erig_put(&b->r, &b->late, &receipt, &err);
    b->late_acked = rc == QC_OK;
    CHECK(!dead || rc == QC_IO);
    CHECK(disk.how != FAIL_FULL || b->late_acked);
}

static void again(struct bench *b, const struct erig_put *p, bool acked)
{
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_receipt receipt;

    CHECK_OK(gw_upload_get(b->r.e, OWN(p->key), &state, &receipt, &err));
    CHECK(!acked || state == GW_UPLOAD_LIVE);
    CHECK(state != GW_UPLOAD_DECIDED);
    if (state != GW_UPLOAD_LIVE)
        CHECK_OK(erig_put(&b->r, p, &receipt, &err)); /* the same key again */
    CHECK_OK(erig_check(&b->r, p, &err));
}

static void check(struct bench *b)
{
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_rebuild_report report;
    struct gw_receipt receipt;
    struct gw_entry_row row;
    struct gw_status s;
    bool more;

    erig_open(&b->r);
    CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(b->gone.path), &row, &err));
    CHECK(!b->rm_acked || row.e.kind == GW_ENTRY_TOMBSTONE);
    gw_entry_row_done(&row);
    CHECK_OK(gw_upload_get(b->r.e, OWN(b->dropped.key), &state, &receipt, &err));
    CHECK(!b->cancel_acked || state == GW_UPLOAD_CANCELLED);
    CHECK_OK(gw_upload_cancel(b->r.e, OWN(b->dropped.key), &state, &receipt, &err));
    CHECK_OK(erig_check(&b->r, &b->before, &err));
    again(b, &b->after, b->after_acked);
    again(b, &b->late, b->late_acked);
    CHECK_OK(erig_remove(&b->r, &b->rm, &receipt, &err));
    for (unsigned i = 0; i < 6; i++)
        CHECK_OK(gw_engine_tidy(b->r.e, &more, &err));
    CHECK_OK(gw_engine_status(b->r.e, &s, &err));
    CHECK(s.versions == 4 && s.debts == 0 && s.record_debts == 0 && s.dead_segments == 0 &&
          s.open_uploads == 0);
    gw_engine_close(&b->r.e);
    CHECK_OK(erig_rebuild(&b->r, b->r.state, &report, &err));
    CHECK(report.versions == 4 && report.unknown == 0 && report.fragments_missing == 0 &&
          report.log_beyond == 0);
    CHECK(report.tombstones == 1);
}

static void one_failure(struct bench *b, enum failing how, unsigned at)
{
    struct qc_err err = { 0 };

    qc_tree_remove(b->r.dir.path);
    qc_tree_copy(b->pristine, b->r.dir.path);
    erig_open(&b->r);
    memset(&disk, 0, sizeof disk);
    disk.how = how;
    disk.at = at;
    disk.armed = true;
    changes(b);
    disk.armed = false;
    gw_engine_close(&b->r.e);
    (void)err;
    check(b);
}

int main(void)
{
    static const char *const names[] = { "fsync", "write", "full" };
    struct bench b = { 0 };
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    uint8_t record[QC_GW_RECORD_SIZE];
    char base[256];
    bool fresh;
    struct qc_rand rand = qc_rand_start();

    shim_install();
    erig_start(&b.r, CLOUDS, K, CLOUDS);
    memcpy(base, b.r.dir.path, sizeof base);
    CHECK(snprintf(b.pristine, sizeof b.pristine, "%.200s/live.pristine", base) > 0);
    CHECK(snprintf(b.r.dir.path, sizeof b.r.dir.path, "%.200s/live", base) > 0);
    CHECK(mkdir(b.r.dir.path, 0700) == 0);
    erig_path(&b.r, "state", b.r.state, sizeof b.r.state);
    CHECK_OK(erig_init(&b.r, b.r.state, &err));
    erig_open(&b.r);
    erig_record(&b.r, record);
    CHECK_OK(
        gw_vault_put(b.r.e, OWN(b.r.vault), qc_span_of(record, sizeof record), QC_LIT("b"), &fresh, &err));
    b.before = erig_prepare(1, "\1alpha", 1, 1, 300);
    b.gone = erig_prepare(2, "\1beta", 1, 1, 300);
    b.after = erig_prepare(3, "\1alpha", 2, 2, 300);
    b.rm = erig_prepare(4, "\1beta", 2, 1, 1);
    b.late = erig_prepare(5, "\1gamma", 1, 1, 300);
    b.dropped = erig_prepare(6, "\1delta", 1, 2, 300);
    CHECK_OK(erig_put(&b.r, &b.before, &receipt, &err));
    CHECK_OK(erig_put(&b.r, &b.gone, &receipt, &err));
    gw_engine_close(&b.r.e);
    CHECK(rename(b.r.dir.path, b.pristine) == 0);

    for (enum failing how = FAIL_SYNC; how <= FAIL_FULL; how++) {
        /* Of the writes one in seven, from another one on in each run. */
        const unsigned step = how == FAIL_SYNC || getenv("QC_FULL") != NULL ? 1 : 7;
        unsigned at = (unsigned)qc_rand_between(&rand, 1, step), count = 0;
        for (disk.struck = true; disk.struck; at += step, count++) {
            CHECK(at < 4000);
            one_failure(&b, how, at);
        }
        fprintf(stderr, "%s: %u failures\n", names[how], count - 1);
        CHECK(count > 10);
    }
    memcpy(b.r.dir.path, base, sizeof base);
    erig_done(&b.r);
    return 0;
}
