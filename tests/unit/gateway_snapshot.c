/* unit/gateway_snapshot: the catalogue from packs, from packs and the log, and from the log alone is the same
 * catalogue, whatever became of the packs; and notes make it know what the log does not say (docs/adr/0022).
 */
#include <ftw.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "gateway/snapshot.h"
#include "gw_repair_rig.h"
#include "qc_tree.h"
#include "qc_watched.h"

enum { PUTS = 24, LATER = 5 };

struct store {
    struct erig r;
    char keep[320]; /* the whole, as it was */
    struct erig_put puts[PUTS + LATER], rm;
    char paths[PUTS + LATER][16];
    unsigned count;
};

/* -- files on clouds ------------------------------------------------------------------------------------- */

static struct {
    void (*fn)(const char *path);
    unsigned count;
} walk;

static int walk_one(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)st, (void)w;
    if (kind != FTW_F)
        return 0;
    walk.count++;
    if (walk.fn != NULL)
        walk.fn(path);
    return 0;
}

/* Objects of a kind on a cloud ("s", "l"). */
static unsigned each(const struct erig *r, unsigned cloud, const char *kind, void (*fn)(const char *path))
{
    char path[360], suffix[8];

    CHECK(snprintf(suffix, sizeof suffix, "/%s", kind) > 0);
    erig_cloud(r, cloud, suffix, path, sizeof path);
    walk.fn = fn;
    walk.count = 0;
    (void)nftw(path, walk_one, 16, FTW_PHYS);
    return walk.count;
}

static void flip(const char *path)
{
    struct stat st;
    uint8_t b;
    const int fd = open(path, O_RDWR);

    CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0);
    CHECK(pread(fd, &b, 1, st.st_size / 2) == 1);
    b ^= 0x10;
    CHECK(pwrite(fd, &b, 1, st.st_size / 2) == 1 && close(fd) == 0);
}

static void cut(const char *path)
{
    struct stat st;
    CHECK(stat(path, &st) == 0 && truncate(path, st.st_size / 3) == 0);
}

static void drop(const char *path)
{
    CHECK(unlink(path) == 0);
}

static void zero(const char *path)
{
    struct stat st;
    static const uint8_t none[64];
    const int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    for (off_t at = 0; at < st.st_size; at += (off_t)sizeof none)
        CHECK(pwrite(fd, none, sizeof none, at) == (ssize_t)sizeof none);
    CHECK(close(fd) == 0);
}

/* -- a store --------------------------------------------------------------------------------------------- */

static void put_some(struct store *s, unsigned count)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    for (unsigned i = 0; i < count; i++) {
        struct erig_put *p = &s->puts[s->count];
        CHECK(snprintf(s->paths[s->count], sizeof s->paths[0], "\1p%03u", s->count) > 0);
        *p = erig_prepare(100 + s->count, s->paths[s->count], 1, 1 + s->count % 2, 40 + 100 * s->count);
        s->count++;
        CHECK_OK(erig_put(&s->r, p, &receipt, &err));
    }
}

static void snapshot(struct store *s, struct gw_snapshot_view *ret)
{
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_snapshot(s->r.e, &err));
    CHECK_OK(gw_engine_snapshot_view(s->r.e, ret, &err));
    CHECK(ret->taken_s > 0 && ret->behind == 0 && ret->why[0] == '\0');
}

static void store_new(struct store *s)
{
    memset(s, 0, sizeof *s);
    erig_new(&s->r, 5, 3, 5);
    erig_path(&s->r, "../keep", s->keep, sizeof s->keep);
    CHECK(snprintf(s->keep, sizeof s->keep, "%s.keep", s->r.dir.path) < (int)sizeof s->keep);
    put_some(s, PUTS);
}

static void store_keep(struct store *s)
{
    gw_engine_close(&s->r.e);
    qc_tree_copy(s->r.dir.path, s->keep);
}

static void store_restore(struct store *s)
{
    gw_engine_close(&s->r.e);
    qc_tree_remove(s->r.dir.path);
    qc_tree_copy(s->keep, s->r.dir.path);
}

static void store_done(struct store *s)
{
    struct stat st;
    if (lstat(s->keep, &st) == 0)
        qc_tree_remove(s->keep);
    erig_done(&s->r);
}

static void lose_state(struct store *s)
{
    gw_engine_close(&s->r.e);
    if (!erig_elsewhere())
        qc_tree_remove(s->r.state);
}

static void check_all(struct store *s, int margin)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;

    for (unsigned i = 0; i < s->count; i++) {
        CHECK_OK(erig_check(&s->r, &s->puts[i], &err));
        CHECK_OK(gw_entry_get(s->r.e, OWN(s->r.vault), qc_span_str(s->paths[i]), &row, &err));
        const bool removed = s->rm.number > 0 && strcmp(s->rm.path, s->paths[i]) == 0;
        CHECK(removed ? row.e.kind == GW_ENTRY_TOMBSTONE && row.e.number == 2
                      : gw_id_same(&row.e.version, &s->puts[i].version) && row.margin == margin);
        gw_entry_row_done(&row);
    }
}

static void rebuild(struct store *s, struct gw_rebuild_report *ret)
{
    struct qc_err err = { 0 };

    lose_state(s);
    CHECK_OK(erig_rebuild(&s->r, s->r.state, ret, &err));
    erig_open(&s->r);
}

static void remove_one(struct store *s)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    s->rm = erig_prepare(900, s->paths[2], 2, 1, 1);
    CHECK_OK(erig_remove(&s->r, &s->rm, &receipt, &err));
}

/* -- it is used, and the log goes on after it ------------------------------------------------------------ */

static void whole(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;

    store_new(&s);
    snapshot(&s, &v);
    CHECK(v.packs == 1 && v.log_sequence == PUTS + 2); /* init, vault */
    put_some(&s, LATER);
    remove_one(&s);
    rebuild(&s, &report);
    CHECK(report.log_sequence == PUTS + LATER + 3 && report.log_packed == PUTS + 2);
    CHECK(report.log_restored == 0 && report.notes_s > 0 && report.notes_sequence == PUTS + 2);
    CHECK(report.versions == PUTS + LATER && report.tombstones == 1 && report.unknown == 0);
    CHECK(report.foreign == 0 && report.noted_dead == 0 && report.noted_doubts == 0);
    check_all(&s, 2);

    /* The next snapshot goes on where this one ended, and one pack has all. */
    snapshot(&s, &v);
    CHECK(v.packs == 1 && v.log_sequence == PUTS + LATER + 3);
    CHECK(each(&s.r, 0, "s", NULL) <= 3); /* the pack; notes of now and of before */
    erig_lose(&s.r, 1);
    erig_lose(&s.r, 4);
    rebuild(&s, &report);
    CHECK(report.reached == 3 && report.log_packed == PUTS + LATER + 3 && report.unreadable == 0);
    check_all(&s, 0);
    erig_find(&s.r, 1);
    erig_find(&s.r, 4);
    store_done(&s);
}

/* However many are taken, few lie there: packs are covered, notes grow old. */
static void bounded(void)
{
    struct store s;
    struct gw_snapshot_view v;

    store_new(&s);
    for (unsigned i = 0; i < 12; i++) {
        if (i < LATER)
            put_some(&s, 1);
        snapshot(&s, &v);
        CHECK(v.packs == 1);
        for (unsigned at = 0; at < 5; at++)
            CHECK(each(&s.r, at, "s", NULL) <= 3);
    }
    store_done(&s);
}

/* What a cloud lost of a pack is there again after the next snapshot: from the other pieces, or from the log.
 */
static void healed(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;

    store_new(&s);
    snapshot(&s, &v);
    for (unsigned gone = 1; gone <= 4; gone++) {
        for (unsigned at = 0; at < gone; at++)
            (void)each(&s.r, at, "s", drop);
        snapshot(&s, &v);
        CHECK(v.packs == 1 && v.log_sequence == PUTS + 2);
        for (unsigned at = 0; at < 5; at++)
            CHECK(each(&s.r, at, "s", NULL) >= 2);
        rebuild(&s, &report);
        CHECK(report.log_packed == PUTS + 2 && report.notes_s > 0);
    }
    check_all(&s, 2);
    store_done(&s);
}

/* Too few clouds take it: nothing is left over, however often it is tried, and the reason is there to see. */
static void refused(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct qc_err err = { 0 };
    char path[360];

    store_new(&s);
    for (unsigned at = 0; at < 2; at++) {
        erig_cloud(&s.r, at, "/s", path, sizeof path);
        FILE *f = fopen(path, "w"); /* a file where the directory would be */
        CHECK(f != NULL && fclose(f) == 0);
    }
    for (unsigned i = 0; i < 6; i++) {
        CHECK_RC(gw_engine_snapshot(s.r.e, &err), QC_QUORUM);
        CHECK_OK(gw_engine_snapshot_view(s.r.e, &v, &err));
        CHECK(v.taken_s == 0 && v.packs == 0 && v.tried_s > 0 && strstr(v.why, "3 clouds took") != NULL);
        for (unsigned at = 2; at < 5; at++)
            CHECK(each(&s.r, at, "s", NULL) <= 1);
    }
    for (unsigned at = 0; at < 2; at++) {
        erig_cloud(&s.r, at, "/s", path, sizeof path);
        CHECK(unlink(path) == 0);
    }
    snapshot(&s, &v);
    for (unsigned at = 0; at < 5; at++)
        CHECK(each(&s.r, at, "s", NULL) == 2);
    store_done(&s);
}

/* Housekeeping makes one when it is due, without being told. */
static void by_itself(void)
{
    const struct gw_snapshot_conf soon = { .every_s = 0, .log_objects = 1 };
    struct store s;
    struct gw_snapshot_view v;
    struct qc_err err = { 0 };
    bool more;

    store_new(&s);
    CHECK_OK(gw_engine_tidy(s.r.e, &more, &err)); /* the first period begins */
    CHECK_OK(gw_engine_snapshot_view(s.r.e, &v, &err));
    CHECK(v.taken_s == 0 && v.packs == 0 && v.behind == PUTS + 2);
    gw_engine_close(&s.r.e);
    erig_open(&s.r);
    gw_engine_snapshot_conf(s.r.e, &soon);
    for (more = true; more;)
        CHECK_OK(gw_engine_tidy(s.r.e, &more, &err));
    CHECK_OK(gw_engine_snapshot_view(s.r.e, &v, &err));
    CHECK(v.taken_s > 0 && v.packs == 1 && v.behind == 0);
    store_done(&s);
}

/* -- damage ---------------------------------------------------------------------------------------------- */

struct harm {
    const char *what;
    void (*fn)(const char *path);
};

static void damaged(void)
{
    static const struct harm harms[] = {
        { "flipped", flip }, { "cut", cut }, { "gone", drop }, { "zeros", zero }
    };
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;

    store_new(&s);
    snapshot(&s, &v);
    remove_one(&s);
    store_keep(&s);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        /* on as many clouds as may be lost: it is used; on one more: it is as if it were not there */
        for (unsigned bad = 2; bad <= 3; bad++) {
            store_restore(&s);
            for (unsigned at = 0; at < bad; at++)
                CHECK(each(&s.r, at, "s", harms[i].fn) == 2);
            rebuild(&s, &report);
            CHECK(report.log_packed == (bad == 2 ? PUTS + 2 : 0));
            CHECK((report.notes_s > 0) == (bad == 2));
            CHECK(report.log_sequence == PUTS + 3 && report.tombstones == 1 && report.versions == PUTS);
            check_all(&s, 2);
        }
    }
    store_done(&s);
}

/* All clouds show the snapshot of before, or one has pieces under others' names. */
static void rolled_back(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;
    char from[400], to[400];

    store_new(&s);
    snapshot(&s, &v);
    store_keep(&s);
    erig_open(&s.r);
    put_some(&s, LATER);
    remove_one(&s);
    snapshot(&s, &v);
    gw_engine_close(&s.r.e);
    for (unsigned at = 0; at < 5; at++) {
        erig_cloud(&s.r, at, "/s", to, sizeof to);
        CHECK(snprintf(from, sizeof from, "%s/c%u/s", s.keep, at + 1) > 0);
        qc_tree_remove(to);
        qc_tree_copy(from, to);
    }
    rebuild(&s, &report);
    CHECK(report.log_packed == PUTS + 2 && report.log_sequence == PUTS + LATER + 3);
    CHECK(report.tombstones == 1 && report.versions == PUTS + LATER);
    check_all(&s, 2);

    /* Another gateway's packs, which this root key did not make, under whatever names. */
    struct store other;
    store_new(&other);
    snapshot(&other, &v);
    gw_engine_close(&s.r.e);
    for (unsigned at = 0; at < 5; at++) {
        erig_cloud(&s.r, at, "/s", to, sizeof to);
        erig_cloud(&other.r, at, "/s", from, sizeof from);
        qc_tree_remove(to);
        qc_tree_copy(from, to);
    }
    rebuild(&s, &report);
    CHECK(report.log_packed == 0 && report.notes_s == 0 && report.foreign == 10);
    check_all(&s, 2);
    store_done(&other);
    store_done(&s);
}

/* The log is gone from the clouds, up to where the packs are: they bring it back. Without them it is lost. */
static void log_restored(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;
    struct qc_err err = { 0 };

    store_new(&s);
    store_keep(&s);
    erig_open(&s.r);
    snapshot(&s, &v);
    lose_state(&s);
    for (unsigned at = 0; at < 5; at++)
        CHECK(each(&s.r, at, "l", drop) == PUTS + 2);
    CHECK_OK(erig_rebuild(&s.r, s.r.state, &report, &err));
    CHECK(report.log_packed == PUTS + 2 && report.log_restored == PUTS + 2);
    erig_open(&s.r);
    check_all(&s, 2);
    CHECK(each(&s.r, 0, "l", NULL) + each(&s.r, 1, "l", NULL) + each(&s.r, 2, "l", NULL) +
              each(&s.r, 3, "l", NULL) + each(&s.r, 4, "l", NULL) >=
          3 * (PUTS + 2));
    rebuild(&s, &report);
    CHECK(report.log_restored == 0 && report.log_sequence == PUTS + 2);
    check_all(&s, 2);

    store_restore(&s);
    for (unsigned at = 0; at < 5; at++)
        (void)each(&s.r, at, "l", drop);
    qc_tree_remove(s.r.state);
    CHECK_RC(erig_rebuild(&s.r, s.r.state, &report, &err), QC_INTEGRITY);
    store_done(&s);
}

/* -- notes ----------------------------------------------------------------------------------------------- */

/* What was found damaged is in doubt after a rebuild; what was given up is dead, also where it is the place
 * of a fragment that counts nowhere, which is put anew then. */
static void noted(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;
    struct qc_err err = { 0 };
    char path[600];
    unsigned cloud;
    enum gw_upload_state state;
    struct gw_receipt receipt;
    struct gw_entry_row row;
    struct gw_frag_key doomed;
    char was[600], is[600];

    store_new(&s);
    const struct erig_put given_up = erig_prepare(777, "\1never", 1, 2, 500);
    CHECK_OK(erig_begin(&s.r, &given_up, &err));
    CHECK_OK(erig_segment(&s.r, &given_up, 0, &err));
    rrig_fragment(&s.r, &s.puts[4], 0, 1, &cloud, path);
    flip(path);
    struct gw_version_row version;
    const struct gw_version_ids ids = { .object = s.puts[4].object, .version = s.puts[4].version };
    {
        QC_LOCK(gw_cat_lock(s.r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        uint64_t id;
        CHECK_OK(gw_cat_begin(s.r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_version(s.r.e->cat, &ids, &version, &err));
        CHECK_OK(gw_cat_segment_of(s.r.e->cat, version.no, 0, &id, &err));
        CHECK_OK(gw_cat_deviate(s.r.e->cat, id, 1, gw_fan_id(s.r.e->fan, cloud), GW_DEV_BAD, &err));
        CHECK_OK(gw_cat_commit(s.r.e->cat, &tx, &err));
    }
    CHECK_OK(gw_upload_cancel(s.r.e, &(struct gw_ref){ GW_OWNER, given_up.key }, &state, &receipt, &err));
    rrig_doom(&s.r, &s.puts[3], 0, &doomed);
    rrig_fragment(&s.r, &s.puts[3], 0, 0, &cloud, was);
    snapshot(&s, &v);
    rebuild(&s, &report);
    CHECK(report.noted_doubts == 2 && report.noted_dead >= 6 && report.noted_refused == 0);
    CHECK(rrig_is_doomed(&s.r, &doomed));
    CHECK(report.unknown == 5); /* what listings showed and no record explains: it is known to be dead now */
    CHECK_OK(gw_entry_get(s.r.e, OWN(s.r.vault), qc_span_str(s.paths[4]), &row, &err));
    CHECK(row.margin == 1);
    gw_entry_row_done(&row);
    struct gw_status *status = calloc(1, sizeof *status);
    CHECK(status != NULL);
    const qc_deadline end = qc_deadline_in(60000);
    do {
        bool more;
        CHECK(!qc_deadline_over(end));
        CHECK_OK(gw_engine_tidy(s.r.e, &more, &err));
        CHECK_OK(gw_engine_status(s.r.e, status, &err));
    } while (status->dead_segments > 0 || status->debts > 0);
    free(status);
    check_all(&s, 2); /* and it was mended */
    rrig_fragment(&s.r, &s.puts[3], 0, 0, &cloud, is);
    CHECK(strcmp(was, is) != 0);
    rebuild(&s, &report);
    CHECK(report.unknown <= 2 &&
          report.unreadable == 0); /* the damaged and the doomed may wait to be deleted */
    store_done(&s);
}

static void purge(struct store *s, unsigned i)
{
    const struct erig_put tombstone = erig_prepare(800 + i, s->paths[i], 2, 1, 1);
    struct gw_purge one = {
        .ids = { .vault = s->r.vault, .object = s->puts[i].object, .version = s->puts[i].version }
    };
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_remove(&s->r, &tombstone, &receipt, &err));
    CHECK_OK(gw_versions_purge(s->r.e, &one, 1, &err));
    CHECK(one.rc == QC_OK);
}

/* Dead segments and keys that are not swept yet. */
static uint64_t unswept(struct store *s)
{
    struct gw_status *status = calloc(1, sizeof *status);
    struct qc_err err = { 0 };

    CHECK(status != NULL);
    CHECK_OK(gw_engine_status(s->r.e, status, &err));
    const uint64_t n = status->dead_segments;
    free(status);
    return n;
}

static void sweep(struct store *s)
{
    const qc_deadline end = qc_deadline_in(60000);
    struct qc_err err = { 0 };
    bool more;

    while (unswept(s) > 0) {
        CHECK(!qc_deadline_over(end));
        CHECK_OK(gw_engine_tidy(s->r.e, &more, &err));
    }
}

/* What was swept before the notes were taken is not swept again by a rebuild; what died since, is. What comes
 * back under a key that was swept is found by a listing, and goes again. */
static void swept(void)
{
    struct store s;
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;
    struct gw_repair_report *repaired = calloc(1, sizeof *repaired);
    char path[600];
    unsigned cloud;
    uint8_t *bytes;
    size_t n;

    CHECK(repaired != NULL);
    store_new(&s);
    rrig_fragment(&s.r, &s.puts[2], 0, 1, &cloud, path);
    rrig_read(path, &bytes, &n);
    purge(&s, 2);
    sweep(&s);
    CHECK(access(path, F_OK) != 0);
    rebuild(&s, &report);
    CHECK(report.notes_s == 0 && unswept(&s) > 0); /* no notes: all that ever was is looked for again */
    sweep(&s);
    snapshot(&s, &v);
    rebuild(&s, &report);
    CHECK(report.notes_s > 0 && unswept(&s) == 0);
    purge(&s, 3);
    const uint64_t since = unswept(&s);
    CHECK(since > 0);
    rebuild(&s, &report);
    CHECK(unswept(&s) == since); /* of the records after the notes */
    sweep(&s);
    purge(&s, 1);
    snapshot(&s, &v);
    rebuild(&s, &report);
    CHECK(report.noted_dead >= 5 && unswept(&s) > 0); /* the notes name it: it was not swept then */
    sweep(&s);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
    CHECK(rrig_repair(&s.r, false, repaired) == QC_OK && rrig_sum(repaired).dead == 1);
    sweep(&s);
    CHECK(access(path, F_OK) != 0);
    free(bytes);
    free(repaired);
    store_done(&s);
}

/* -- killed ---------------------------------------------------------------------------------------------- */

#ifdef QC_FAULT_POINTS
static void killed_at(struct store *s, const char *point, unsigned pass)
{
    struct gw_snapshot_view v;
    struct gw_rebuild_report report;
    char script[64];
    int status = 0;

    store_restore(s);
    CHECK(snprintf(script, sizeof script, "%s:kill:%u", point, pass) > 0);
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct qc_err err = { 0 };
        qc_fault_script(script);
        if (gw_engine_open(&s->r.e, s->r.state, &s->r.rng, &err) == QC_OK)
            qc_ignore(gw_engine_snapshot(s->r.e, &err), "it dies in it");
        _exit(3);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    /* The disk is lost right then; or the gateway goes on. */
    char half[400];
    CHECK(snprintf(half, sizeof half, "%s.half", s->keep) > 0);
    qc_tree_copy(s->r.dir.path, half);
    rebuild(s, &report);
    CHECK(report.log_sequence == s->count + 2 && report.unknown == 0);
    check_all(s, 2);
    gw_engine_close(&s->r.e);
    qc_tree_remove(s->r.dir.path);
    qc_tree_copy(half, s->r.dir.path);
    qc_tree_remove(half);
    erig_open(&s->r);
    for (unsigned i = 0; i < 3; i++) /* what was begun is deleted, and seen to be gone */
        snapshot(s, &v);
    CHECK(v.packs == 1);
    for (unsigned at = 0; at < 5; at++)
        CHECK(each(&s->r, at, "s", NULL) == 3);
    rebuild(s, &report);
    CHECK(report.log_packed == s->count + 2);
    check_all(s, 2);
}

static void killed(void)
{
    static const char *const points[] = { "snap_row", "snap_put", "snap_good" };
    struct store s;
    struct gw_snapshot_view v;

    if (erig_elsewhere())
        return;
    store_new(&s);
    snapshot(&s, &v);
    put_some(&s, LATER);
    store_keep(&s);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (unsigned pass = 1; pass <= 2; pass++) /* of the pack; of the notes */
            killed_at(&s, points[i], pass);
    killed_at(&s, "snap_swept", 1);
    killed_at(&s, "cloud_tmp_written", 2);
    killed_at(&s, "cloud_published", 7);
    store_done(&s);
}
#endif

int main(void)
{
    whole();
    by_itself();
    if (qc_threads_alone) /* what follows is about what lies on the clouds, by the same threads */
        return 0;
    bounded();
    healed();
    refused();
    if (!erig_elsewhere()) { /* the catalogue is copied with the clouds */
        damaged();
        rolled_back();
        log_restored();
    }
    noted();
    swept();
#ifdef QC_FAULT_POINTS
    killed();
#endif
    return 0;
}
