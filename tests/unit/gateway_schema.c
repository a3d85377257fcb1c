/* unit/gateway_schema: a catalogue of each released schema opens, is raised, and says the same as before. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "catalogue.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

enum { APPLICATION = 0x51434C43 };

/* Schema 1, as it was released. Frozen: this text is what lies on users' disks. */
static const char schema_1[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cloud (cloud_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,"
    " generation INTEGER NOT NULL, state INTEGER NOT NULL, lost INTEGER NOT NULL, identity BLOB NOT NULL);"
    "CREATE TABLE layout (layout_id INTEGER PRIMARY KEY, k INTEGER NOT NULL, n INTEGER NOT NULL,"
    " clouds BLOB NOT NULL, lost INTEGER NOT NULL, UNIQUE (k, n, clouds));"
    "CREATE TABLE bkey (epoch INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE vault (vault_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, vault BLOB NOT NULL UNIQUE,"
    " record BLOB NOT NULL, backup BLOB NOT NULL, chain_count INTEGER NOT NULL, chain_hash BLOB NOT NULL);"
    "CREATE TABLE chain (vault_no INTEGER NOT NULL, idx INTEGER NOT NULL, seal BLOB NOT NULL,"
    " PRIMARY KEY (vault_no, idx)) WITHOUT ROWID;"
    "CREATE TABLE entry (entry_no INTEGER PRIMARY KEY, vault_no INTEGER NOT NULL, path BLOB NOT NULL,"
    " number INTEGER NOT NULL, kind INTEGER NOT NULL, version_no INTEGER, sequence INTEGER NOT NULL,"
    " size INTEGER NOT NULL, m BLOB NOT NULL, private BLOB NOT NULL, seal BLOB NOT NULL,"
    " created INTEGER NOT NULL, UNIQUE (vault_no, path));"
    "CREATE INDEX entry_version ON entry (version_no) WHERE version_no IS NOT NULL;"
    "CREATE TABLE version (version_no INTEGER PRIMARY KEY, vault BLOB NOT NULL, object BLOB NOT NULL,"
    " version BLOB NOT NULL, put_key BLOB NOT NULL, base INTEGER NOT NULL, size INTEGER NOT NULL,"
    " segments INTEGER NOT NULL, layout_id INTEGER NOT NULL, created INTEGER NOT NULL, state INTEGER NOT "
    "NULL,"
    " acked INTEGER NOT NULL, UNIQUE (version, object));"
    "CREATE TABLE backup (version_no INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE segment (segment_id INTEGER PRIMARY KEY, version_no INTEGER NOT NULL,"
    " layout_id INTEGER NOT NULL, incarnation INTEGER NOT NULL, salt BLOB NOT NULL, seq INTEGER, size "
    "INTEGER,"
    " digest BLOB, last INTEGER, off INTEGER);"
    "CREATE UNIQUE INDEX segment_of ON segment (version_no, seq);"
    "CREATE TABLE deviation (segment_id INTEGER NOT NULL, frag INTEGER NOT NULL, cloud_id INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, state INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " PRIMARY KEY (segment_id, frag)) WITHOUT ROWID;"
    "CREATE TABLE deadkey (segment_id INTEGER PRIMARY KEY, layout_id INTEGER NOT NULL,"
    " incarnation INTEGER NOT NULL, salt BLOB NOT NULL, absent INTEGER NOT NULL, round INTEGER NOT NULL);"
    "CREATE INDEX dead_open ON deadkey (round, segment_id);"
    "CREATE TABLE request (put_key BLOB PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " version_no INTEGER NOT NULL, seal BLOB NOT NULL, number INTEGER NOT NULL, chain INTEGER NOT NULL,"
    " head BLOB NOT NULL, acked INTEGER NOT NULL, margin_full INTEGER NOT NULL, durable_min INTEGER NOT NULL,"
    " n INTEGER NOT NULL, copies INTEGER NOT NULL, clouds INTEGER NOT NULL, degraded BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX request_open ON request (state) WHERE state = 1;"
    "CREATE TABLE outbox (log_seq INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE log (log_seq INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE log_debt (cloud_id INTEGER NOT NULL, log_seq INTEGER NOT NULL,"
    " PRIMARY KEY (cloud_id, log_seq)) WITHOUT ROWID;";

/* Three clouds, one of them lost; version 1 of two segments, EC(2,3); the second owes fragment 1 to cloud 1.
 */
static const char rows_1[] =
    "INSERT INTO cloud VALUES (1,'a','file:///a',1,1,0,x'00'),(2,'b','file:///b',1,1,0,x'00'),"
    "(3,'c','file:///c',1,1,1,x'00');"
    "INSERT INTO layout VALUES (1,2,3,x'000000010000000200000003',1),(2,1,2,x'0000000100000002',0);"
    "INSERT INTO version VALUES (1,zeroblob(16),zeroblob(16),zeroblob(16),zeroblob(16),0,20,2,1,0,3,1),"
    "(2,zeroblob(16),zeroblob(16),x'01010101010101010101010101010101',zeroblob(16),0,20,1,2,0,3,1);"
    "INSERT INTO segment VALUES (7,1,1,1,zeroblob(16),0,10,zeroblob(32),0,0),"
    "(8,1,1,4,zeroblob(16),1,10,zeroblob(32),1,10),(9,2,2,4,zeroblob(16),0,10,zeroblob(32),1,0);"
    "INSERT INTO deviation VALUES (8,1,1,0,1,0),(9,0,2,0,6,0);"
    "INSERT INTO vault VALUES (4,0,x'00112233445566778899aabbccddeeff','record','backup',1,zeroblob(32));"
    "INSERT INTO entry VALUES (1,4,'path',1,1,1,1,20,'m','private','s',0);"
    "INSERT INTO backup VALUES (1,'sealed');"
    "INSERT INTO version VALUES (5,zeroblob(16),x'05',zeroblob(16),zeroblob(16),0,0,0,1,0,1,0),"
    "(6,zeroblob(16),x'06',zeroblob(16),zeroblob(16),0,0,0,1,0,4,0);"
    "INSERT INTO segment VALUES (11,5,1,1,zeroblob(16),0,3,zeroblob(32),0,NULL),"
    "(12,5,1,1,zeroblob(16),NULL,NULL,NULL,NULL,NULL);"
    "INSERT INTO deadkey VALUES (13,1,1,zeroblob(16),0,0);"
    "INSERT INTO request VALUES (zeroblob(16),1,4,1,zeroblob(32),1,1,zeroblob(32),1,1,3,3,3,3,''),"
    "(x'01',1,1,5,zeroblob(32),0,0,zeroblob(32),0,0,0,0,0,0,''),"
    "(x'02',1,2,6,zeroblob(32),0,0,zeroblob(32),0,0,0,0,0,0,'');";

static void make_1(const char *path)
{
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE, .application_id = APPLICATION, .create = true };
    struct qc_db *db = NULL;
    struct qc_err err = { 0 };

    CHECK_OK(qc_db_open(&db, path, &opts, &err));
    CHECK_OK(qc_db_exec(db, schema_1, &err));
    CHECK_OK(qc_db_exec(db, rows_1, &err));
    CHECK_OK(qc_db_set_user_version(db, 1, &err));
    qc_db_close(&db);
}

static qc_rc see_row(void *ctx, const struct gw_deviation_row *row, struct qc_err *err)
{
    struct gw_deviation_row *ret = ctx;

    (void)err;
    CHECK(ret->home == 0); /* one row */
    *ret = *row;
    return QC_OK;
}

static void check_1(const char *path)
{
    struct gw_cat *c = NULL;
    struct qc_err err = { 0 };
    struct gw_deviation_row row = { 0 };
    struct gw_cloud_row cloud;
    struct gw_segment seg;
    struct gw_on_cloud on;
    uint64_t owed, next;
    int margin;

    CHECK_OK(gw_cat_open(&c, path, false, &err));
    {
        QC_LOCK(gw_cat_lock(c));
        CHECK_OK(gw_cat_margin(c, 1, &margin, &err));
        CHECK(margin == -1); /* of 3: one lost, one owed, and 2 are needed */
        CHECK_OK(gw_cat_margin(c, 2, &margin, &err));
        CHECK(margin == 0);
        CHECK_OK(gw_cat_deviations_each(c, 8, see_row, &row, &err));
        CHECK(row.frag == 1 && row.cloud_id == 1 && row.home == 1 && row.incarnation == 4 &&
              row.attempt == 0 && row.state == GW_DEV_OWED);
        CHECK_OK(gw_cat_segment(c, 8, &seg, &err));
        CHECK(seg.absent == 2 && seg.cloud[1] == 1 && seg.writer[1] == 4 && seg.cloud[0] == 0);
        CHECK_OK(gw_cat_mend_next(c, 1, &owed, &err));
        CHECK(owed == 8);
        CHECK_OK(gw_cat_mend_next(c, 2, &owed, &err)); /* what is lost is mended there */
        CHECK(owed == 9);
        CHECK_OK(gw_cat_mend_next(c, 3, &owed, &err));
        CHECK(owed == 0);
        /* Layouts tell where segments are: 7, 8, 9, 11 and 12 are on cloud 2, all but 9 on cloud 3. */
        CHECK_OK(gw_cat_on_cloud_count(c, 2, &on, &err));
        CHECK(on.fragments == 5 && on.dead == 1);
        CHECK_OK(gw_cat_on_cloud_count(c, 3, &on, &err));
        CHECK(on.fragments == 4 && on.bytes == 5 + 5 + 2 + 0);
        CHECK_OK(gw_cat_on_cloud(c, 3, 8, &next, &err));
        CHECK(next == 11);
        CHECK_OK(gw_cloud_row(c, 2, &cloud, &err));
        CHECK(cloud.state == GW_LIFE_IN_USE && cloud.labels.weight == GW_WEIGHT_DEFAULT &&
              cloud.labels.v[0][0] == '\0' && cloud.target == 0);
    }
    gw_cat_close(&c);
}

/* What one user's gateway had is the owner's, and counted. */
static void check_owner(const char *path)
{
    const struct gw_ref vault_id = { GW_OWNER,
                                     { { 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                                         0xcc, 0xdd, 0xee, 0xff } } };
    const struct gw_ref stranger = { 1, vault_id.id };
    const struct gw_version_ids ids = { .tenant = GW_OWNER }, others = { .tenant = 1 };
    struct gw_cat *c = NULL;
    struct qc_err err = { 0 };
    struct gw_vault_row vault;
    struct gw_version_row v;
    struct gw_request_row request;
    struct gw_usage u;

    CHECK_OK(gw_cat_open(&c, path, false, &err));
    {
        QC_LOCK(gw_cat_lock(c));
        CHECK_OK(gw_cat_vault(c, &vault_id, &vault, &err));
        CHECK(vault.no == 4 && vault.head.count == 1);
        CHECK_RC(gw_cat_vault(c, &stranger, &vault, &err), QC_NOTFOUND);
        CHECK_OK(gw_cat_version(c, &ids, &v, &err));
        CHECK(v.no == 1 && v.size == 20 && v.tenant == GW_OWNER && v.state == GW_VERSION_LIVE);
        CHECK_RC(gw_cat_version(c, &others, &v, &err), QC_NOTFOUND);
        CHECK_OK(gw_cat_request(c, &(struct gw_ref){ 0 }, &request, &err));
        CHECK(request.state == GW_UPLOAD_LIVE && request.version_no == 1 && request.receipt.n == 3);
        CHECK_OK(gw_cat_usage(c, GW_OWNER, &u, &err));
        CHECK(u.bytes == 30 + 3 + strlen("path") + strlen("private") + strlen("sealed"));
        CHECK(u.objects == 3 && u.uploads == 1 && u.given_up == 1 && u.vaults == 1 && u.dead == 0 &&
              u.names == 1);
        CHECK_RC(gw_cat_usage(c, 1, &u, &err), QC_NOTFOUND);
    }
    gw_cat_close(&c);
}

/* -- a copy is made before ------------------------------------------------------------------------------- */

static uint32_t schema_of(const char *path)
{
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE, .application_id = APPLICATION };
    struct qc_db *db = NULL;
    struct qc_err err = { 0 };
    uint32_t v;

    CHECK_OK(qc_db_open(&db, path, &opts, &err));
    CHECK_OK(qc_db_check(db, &err));
    CHECK_OK(qc_db_user_version(db, &v, &err));
    qc_db_close(&db);
    return v;
}

static bool there(const char *path, uint32_t schema, char ret[400])
{
    struct stat st;

    CHECK(snprintf(ret, 400, "%s.schema-%u", path, schema) < 400);
    if (lstat(ret, &st) != 0)
        return false;
    CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
    return true;
}

/* It can be gone back to: the copy is the catalogue that it was. */
static void go_back(const char *path, uint32_t schema)
{
    char copy[400];

    CHECK(there(path, schema, copy));
    CHECK(schema_of(copy) == schema);
    CHECK(rename(copy, path) == 0);
    check_1(path);
    CHECK(there(path, schema, copy)); /* and it was copied again */
}

#ifdef QC_FAULT_POINTS
/* Each schema that was released, as a program leaves it that was stopped between two steps. */
static void from_each(uint32_t newest)
{
    for (uint32_t old = 2; old < newest; old++) {
        struct qc_tmpdir dir = qc_tmpdir_new();
        struct qc_err err = { 0 };
        struct gw_cat *c = NULL;
        char path[320], script[64], copy[400];

        CHECK(snprintf(path, sizeof path, "%s/it's a catalogue.db", dir.path) > 0);
        make_1(path);
        CHECK(snprintf(script, sizeof script, "db_committed:error:%u", old - 1) > 0);
        qc_fault_script(script);
        CHECK_RC(gw_cat_open(&c, path, false, &err), QC_IO);
        qc_fault_script(NULL);
        CHECK(schema_of(path) == old && there(path, 1, copy));
        qc_fault_script("cat_kept:error:1");
        CHECK_RC(gw_cat_open(&c, path, false, &err), QC_IO);
        qc_fault_script(NULL);
        CHECK(schema_of(path) == old); /* not before the copy is there */
        check_1(path);
        check_owner(path);
        CHECK(schema_of(path) == newest && there(path, old, copy));
        CHECK(there(path, 1, copy) == (old < 3)); /* two are kept */
        go_back(path, old);
        qc_tmpdir_remove(&dir);
    }
}
#endif

/* The copy cannot be written: the catalogue is what it was, and nothing is left over. */
static void no_copy(void)
{
    struct qc_tmpdir dir = qc_tmpdir_new();
    struct rlimit limit, small;
    struct qc_err err = { 0 };
    struct gw_cat *c = NULL;
    char path[320], copy[400];

    CHECK(snprintf(path, sizeof path, "%s/catalogue.db", dir.path) > 0);
    make_1(path);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small = limit;
    small.rlim_cur = 32768;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(gw_cat_open(&c, path, false, &err) != QC_OK && c == NULL);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(schema_of(path) == 1 && !there(path, 1, copy));
    CHECK(snprintf(copy, sizeof copy, "%s.schema-1.new", path) > 0 && access(copy, F_OK) != 0);
    check_1(path);
    qc_tmpdir_remove(&dir);
}

int main(void)
{
    struct qc_tmpdir dir = qc_tmpdir_new();
    struct qc_err err = { 0 };
    struct gw_cat *c = NULL;
    char path[320];

    CHECK(snprintf(path, sizeof path, "%s/catalogue.db", dir.path) > 0);
    make_1(path);
    check_1(path); /* raised */
    check_1(path); /* as it is now */
    check_owner(path);
    const uint32_t newest = schema_of(path);
    go_back(path, 1);
    no_copy();
#ifdef QC_FAULT_POINTS
    from_each(newest);
#else
    CHECK(newest > 1);
#endif

    /* A newer program's is left alone. */
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE, .application_id = APPLICATION };
    struct qc_db *db = NULL;
    CHECK_OK(qc_db_open(&db, path, &opts, &err));
    CHECK_OK(qc_db_set_user_version(db, 1000, &err));
    qc_db_close(&db);
    CHECK_RC(gw_cat_open(&c, path, false, &err), QC_NEWER);
    CHECK(c == NULL);
    qc_tmpdir_remove(&dir);
    return 0;
}
