/* unit/sync_state: what is remembered comes back as it was; what was not committed does not; a damaged file,
 * and another pair's, are refused. */
#include "sync/state.h"

#include "base/db.h"

#include "qc_check.h"
#include "qc_tmpdir.h"

#define DIR    QC_LIT("/home/ann/genomes")
#define PREFIX QC_LIT("archive")

static struct sync_entry entry(uint64_t size, int64_t mtime, uint8_t version)
{
    struct sync_entry e = { .st = { .size = size,
                                    .inode = UINT64_MAX - size,
                                    .mtime_ns = mtime,
                                    .ctime_ns = mtime + 1,
                                    .mode = 0640 },
                            .quiet = true };
    memset(e.version, version, sizeof e.version);
    return e;
}

static void check_row(const struct sync_list *l, const char *path, const struct sync_entry *want)
{
    const struct sync_entry *e = sync_list_find(l, qc_span_str(path));
    CHECK(e != NULL);
    CHECK(sync_stat_same(&e->st, &want->st));
    CHECK(memcmp(e->version, want->version, sizeof e->version) == 0);
    CHECK(e->open == want->open && e->quiet == want->quiet);
}

static void load(const char *path, struct sync_list *ret)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_state_close) struct sync_state *s = NULL;
    CHECK_OK(sync_state_open(&s, path, false, DIR, PREFIX, &err));
    CHECK_OK(sync_state_load(s, ret, &err));
}

static void keeps(const char *path)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_state_close) struct sync_state *s = NULL;
    QC_CLEANUP(sync_list_done) struct sync_list l = { 0 };
    const struct sync_entry a = entry(0, INT64_MIN, 1), b = entry(INT64_MAX, INT64_MAX - 1, 2);
    struct sync_entry open = entry(7, -5, 0), later = entry(8, 6, 9);
    open.open = true;
    open.quiet = false;
    CHECK_RC(sync_state_open(&s, path, false, DIR, PREFIX, &err), QC_NOTFOUND);
    CHECK_OK(sync_state_open(&s, path, true, DIR, PREFIX, &err));
    CHECK_OK(sync_state_commit(s, &err)); /* nothing */
    CHECK_OK(sync_state_put(s, QC_LIT("b"), &b, &err));
    CHECK_OK(sync_state_put(s, QC_LIT("a\xFF\n"), &a, &err));
    CHECK_OK(sync_state_put(s, QC_LIT("b/c"), &open, &err));
    CHECK_OK(sync_state_put(s, QC_LIT("gone"), &a, &err));
    CHECK_OK(sync_state_drop(s, QC_LIT("gone"), &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("c"), true, &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("c"), true, &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("d"), true, &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("d"), false, &err));
    CHECK_OK(sync_state_commit(s, &err));
    CHECK_OK(sync_state_put(s, QC_LIT("b"), &later, &err));
    CHECK_OK(sync_state_put(s, QC_LIT("new"), &later, &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("new"), true, &err));
    sync_state_close(&s); /* as a kill: not committed */
    load(path, &l);
    CHECK(sync_list_count(&l) == 3);
    check_row(&l, "b", &b);
    check_row(&l, "a\xFF\n", &a);
    check_row(&l, "b/c", &open);
    CHECK(qc_span_eq(sync_list_path(&l, sync_list_at(&l, 0)), QC_LIT("a\xFF\n")));
}

static void check_coming(const char *path, bool any)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_state_close) struct sync_state *s = NULL;
    QC_CLEANUP(sync_list_done) struct sync_list l = { 0 };
    CHECK_OK(sync_state_open(&s, path, false, DIR, PREFIX, &err));
    CHECK_OK(sync_state_load_coming(s, &l, &err));
    CHECK(sync_list_count(&l) == any);
    CHECK(!any || qc_span_eq(sync_list_path(&l, sync_list_at(&l, 0)), QC_LIT("c")));
}

/* One of the first schema is read as it is, and raised when it is written. */
static void is_raised(const char *path)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    QC_CLEANUP(sync_state_close) struct sync_state *s = NULL;
    QC_CLEANUP(sync_list_done) struct sync_list l = { 0 };
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE, .application_id = 0x51435359 };
    CHECK_OK(qc_db_open(&db, path, &opts, &err));
    CHECK_OK(qc_db_exec(db, "DROP TABLE coming; DROP TABLE unsure; DROP TABLE digest", &err));
    CHECK_OK(qc_db_set_user_version(db, 1, &err));
    qc_db_close(&db);
    check_coming(path, false);
    CHECK_OK(sync_state_open(&s, path, true, DIR, PREFIX, &err));
    CHECK_OK(sync_state_coming(s, QC_LIT("c"), true, &err));
    CHECK_OK(sync_state_commit(s, &err));
    CHECK_OK(sync_state_load(s, &l, &err));
    CHECK(sync_list_count(&l) == 3);
    sync_state_close(&s);
    check_coming(path, true);
}

static void refuses(const char *path)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_state_close) struct sync_state *s = NULL;
    CHECK_RC(sync_state_open(&s, path, true, QC_LIT("/home/ann"), PREFIX, &err), QC_FORMAT);
    CHECK_RC(sync_state_open(&s, path, true, DIR, QC_LIT("archiv"), &err), QC_FORMAT);
    CHECK(s == NULL);
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL);
    for (unsigned i = 0; i < 4096; i++)
        CHECK(fputc('x', f) == 'x');
    CHECK(fclose(f) == 0);
    const qc_rc rc = sync_state_open(&s, path, true, DIR, PREFIX, &err);
    CHECK(rc == QC_INTEGRITY || rc == QC_FORMAT);
    CHECK(s == NULL && err.next != NULL);
}

static void lists(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list l = { 0 };
    static const char *const sorted[] = { "a", "a b", "a.b", "a/b", "ab", "b" };
    static const size_t order[] = { 3, 0, 5, 4, 1, 2 };
    for (size_t i = 0; i < 6; i++) {
        const struct sync_entry e = entry(order[i], 0, 0);
        CHECK_OK(sync_list_add(&l, qc_span_str(sorted[order[i]]), &e, &err));
    }
    sync_list_sort(&l);
    for (size_t i = 0; i < 6; i++) {
        CHECK(sync_list_at(&l, i)->st.size == i);
        CHECK(sync_list_find(&l, qc_span_str(sorted[i])) == sync_list_at(&l, i));
    }
    CHECK(sync_list_find(&l, QC_LIT("a/")) == NULL && sync_list_find(&l, QC_LIT("")) == NULL);
    CHECK_DIES((void)sync_list_at(&l, 6));
    CHECK(sync_time_ns(INT64_MAX, 5) == INT64_MAX && sync_time_ns(INT64_MIN, 5) == INT64_MIN);
    CHECK(sync_time_ns(-1, 5) == -999999995);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir tmp = qc_tmpdir_new();
    char path[300];
    snprintf(path, sizeof path, "%s/state.db", tmp.path);
    lists();
    keeps(path);
    check_coming(path, true);
    is_raised(path);
    refuses(path);
    return 0;
}
