/* The catalogue with many rows: how fast a batch of commits is published, beside SQLite inserting the same
 * rows into the same tables without the catalogue's checks, counts and rules, batch by batch in turn; and how
 * long a page of a listing takes. Usage: bench_catalogue [OBJECTS [DIR]]. A line of JSON; exit 1 where a
 * floor is missed, which is judged from 100,000 on. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "cat_internal.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

enum { BATCH = QC_GW_BATCH_CHANGES_MAX, PATH = 48, PRIVATE = 80, BACKUP = 240, PAGES = 200 };
static const double commit_floor = 0.7, page_ms = 50;

static const struct gw_ref vault_ref = { GW_OWNER, { { 7 } } };
static struct gw_cat *cat, *raw;

/* Wall clock, and the processor's: on a busy machine the second says more. */
struct spent {
    uint64_t wall, cpu;
};

static struct spent now(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (struct spent){ qc_now_ns(), (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec };
}

static void add_spent(struct spent *sum, struct spent since)
{
    const struct spent t = now();

    sum->wall += t.wall - since.wall;
    sum->cpu += t.cpu - since.cpu;
}

/* One object, whose bytes follow from its number. */
struct object {
    struct gw_id object, version, put_key;
    uint8_t path[PATH], private_part[PRIVATE], backup[BACKUP], m[32], seal[32], salt[GW_SALT_BYTES],
        digest[32];
};

static struct object object_of(uint64_t i)
{
    struct qc_rand rand = { .state = i * 2654435761u + 1 };
    struct object o;

    qc_rand_fill(&rand, (uint8_t *)&o, sizeof o);
    o.path[0] = 0;
    return o;
}

/* -- the catalogue's way --------------------------------------------------------------------------------- */

static void open_both(const char *dir)
{
    struct qc_err err = { 0 };
    char path[400];

    CHECK(snprintf(path, sizeof path, "%s/catalogue.db", dir) < (int)sizeof path);
    CHECK_OK(gw_cat_open(&cat, path, true, &err));
    CHECK(snprintf(path, sizeof path, "%s/raw.db", dir) < (int)sizeof path);
    CHECK_OK(gw_cat_open(&raw, path, true, &err));
}

static void add_vault(struct gw_cat *c)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    uint8_t head[32] = { 0 };

    CHECK_OK(gw_cat_begin(c, &tx, &err));
    CHECK_OK(GW_RUN(c, VAULT_ADD, &err, QC_VI(GW_OWNER), QC_VB(gw_id_span(&vault_ref.id)),
                    QC_VB(QC_LIT("record")), QC_VB(QC_LIT("backup")), QC_VB(qc_span_of(head, sizeof head))));
    for (unsigned i = 1; i <= 5; i++) {
        const struct gw_cloud_row row = { .id = i, .generation = 1, .identity = QC_LIT("i") };
        struct gw_cloud_row named = row;
        snprintf(named.name, sizeof named.name, "c%u", i);
        snprintf(named.url, sizeof named.url, "file:///c%u", i);
        CHECK_OK(gw_cloud_put(c, &named, &err));
    }
    CHECK_OK(gw_cat_commit(c, &tx, &err));
}

static const struct gw_log_layout layout = { .k = 3, .n = 5, .clouds = { 1, 2, 3, 4, 5 } };

static void add_record(qc_buf *records, uint64_t i)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf layouts = { .max = 4096 }, segments = { .max = 4096 };
    const struct object o = object_of(i);
    struct gw_log_segment s = { .id = i + 1, .size = 4096, .incarnation = 1 };
    struct gw_record rec = { .kind = GW_REC_COMMIT };

    memcpy(s.salt, o.salt, sizeof s.salt);
    memcpy(s.digest, o.digest, sizeof s.digest);
    CHECK_OK(gw_log_add_layout(&layouts, &layout, &err));
    CHECK_OK(gw_log_add_segment(&segments, &s, &err));
    rec.u.commit = (struct gw_rec_commit){ .tenant = GW_OWNER,
                                           .vault = vault_ref.id,
                                           .chain = i + 1,
                                           .put_key = o.put_key,
                                           .layout_count = 1,
                                           .layouts = qc_buf_span(&layouts),
                                           .segment_count = 1,
                                           .segments = qc_buf_span(&segments),
                                           .backup = qc_span_of(o.backup, sizeof o.backup) };
    struct gw_entry *e = &rec.u.commit.e;
    *e = (struct gw_entry){ .path = qc_span_of(o.path, sizeof o.path),
                            .number = 1,
                            .kind = GW_ENTRY_FILE,
                            .object = o.object,
                            .version = o.version,
                            .sequence = 1,
                            .size = 4096,
                            .private_part = qc_span_of(o.private_part, sizeof o.private_part),
                            .created = 1 };
    memcpy(e->m, o.m, sizeof e->m);
    memcpy(e->seal, o.seal, sizeof e->seal);
    CHECK_OK(gw_log_add(records, &rec, &err));
}

static void publish(uint64_t from, unsigned count, struct spent *sum)
{
    QC_CLEANUP(qc_buf_free) qc_buf records = { .max = QC_GW_LOG_MAX };
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    for (unsigned i = 0; i < count; i++)
        add_record(&records, from + i);
    const struct gw_log l = { .count = count, .records = qc_buf_span(&records) };
    const struct spent start = now();
    CHECK_OK(gw_cat_begin(cat, &tx, &err));
    CHECK_OK(gw_cat_apply(cat, &l, NULL, &err));
    CHECK_OK(gw_cat_commit(cat, &tx, &err));
    add_spent(sum, start);
}

/* -- SQLite's -------------------------------------------------------------------------------------------- */

enum { CHAIN, VERSION, SEGMENT, SEALED, ENTRY, REQUEST, INSERTS };
static const char *const inserts[INSERTS] = {
    [CHAIN] = "INSERT INTO chain (vault_no, idx, seal) VALUES (1, ?1, ?2)",
    [VERSION] = "INSERT INTO version (version_no, tenant, vault, object, version, put_key, base, size, "
                "segments, layout_id,"
                " created, state, acked) VALUES (?1, 0, ?2, ?3, ?4, ?5, 0, 4096, 1, 1, 1, 3, 2)",
    [SEGMENT] = "INSERT INTO segment (segment_id, version_no, layout_id, incarnation, salt, seq, size, "
                "digest, last, off)"
                " VALUES (?1, ?1, 1, 1, ?2, 0, 4096, ?3, 1, 0)",
    [SEALED] = "INSERT INTO backup (version_no, sealed) VALUES (?1, ?2)",
    [ENTRY] = "INSERT INTO entry (vault_no, path, number, kind, version_no, sequence, size, m, private, "
              "seal, created)"
              " VALUES (1, ?2, 1, 1, ?1, 1, 4096, ?3, ?4, ?5, 1)",
    [REQUEST] = "INSERT INTO request (tenant, put_key, kind, state, version_no, seal, number, chain, head, "
                "acked, margin_full,"
                " durable_min, n, copies, clouds, degraded) VALUES (0, ?2, 1, 4, ?1, ?3, 1, ?1, ?3, 0, 0, 0, "
                "0, 0, 0, x'')",
};
static struct qc_stmt *insert[INSERTS];

static void prepare_raw(void)
{
    static const char *const triggers[] = { "segment_in",    "segment_size", "segment_out",   "entry_in",
                                            "entry_change",  "backup_in",    "backup_change", "version_in",
                                            "version_state", "version_out",  "request_in",    "request_state",
                                            "request_out" };
    struct qc_err err = { 0 };
    char sql[100];

    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        CHECK(snprintf(sql, sizeof sql, "DROP TRIGGER %s", triggers[i]) > 0);
        CHECK_OK(qc_db_exec(raw->db, sql, &err));
    }
    for (unsigned i = 0; i < INSERTS; i++)
        CHECK_OK(qc_db_prepare(raw->db, inserts[i], &insert[i], &err));
}

#define B(field) QC_VB(qc_span_of(&o->field, sizeof o->field))

static void insert_one(uint64_t i, const struct object *o)
{
    struct qc_err err = { 0 };
    const struct qc_val no = QC_VI(i + 1);

    CHECK_OK(QC_RUN(insert[CHAIN], &err, no, B(seal)));
    CHECK_OK(QC_RUN(insert[VERSION], &err, no, QC_VB(gw_id_span(&vault_ref.id)), B(object), B(version),
                    B(put_key)));
    CHECK_OK(QC_RUN(insert[SEGMENT], &err, no, B(salt), B(digest)));
    CHECK_OK(QC_RUN(insert[SEALED], &err, no, B(backup)));
    CHECK_OK(QC_RUN(insert[ENTRY], &err, no, B(path), B(m), B(private_part), B(seal)));
    CHECK_OK(QC_RUN(insert[REQUEST], &err, no, B(put_key), B(seal)));
}

static void insert_raw(uint64_t from, unsigned count, struct spent *sum)
{
    static struct object objects[BATCH];
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    for (unsigned i = 0; i < count; i++)
        objects[i] = object_of(from + i);
    const struct spent start = now();
    CHECK_OK(qc_tx_begin(&tx, raw->db, &err));
    for (unsigned i = 0; i < count; i++)
        insert_one(from + i, &objects[i]);
    CHECK_OK(qc_tx_commit(&tx, &err));
    add_spent(sum, start);
}

/* -- pages ----------------------------------------------------------------------------------------------- */

static qc_rc see(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    (void)row;
    (void)err;
    ++*(unsigned *)ctx;
    return QC_OK;
}

static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* After names anywhere, in milliseconds of the processor: the one in the middle. */
static double page(uint64_t objects)
{
    double ms[PAGES];
    struct qc_rand rand = { .state = 5 };

    for (unsigned i = 0; i < PAGES; i++) {
        const struct object o = object_of(qc_rand_below(&rand, objects));
        const struct gw_entry_query q = { .has_after = true,
                                          .after = qc_span_of(o.path, PATH),
                                          .limit = QC_GW_LIST_MAX };
        struct qc_err err = { 0 };
        struct gw_vault_row vault;
        unsigned seen = 0;
        bool more;
        QC_LOCK(gw_cat_lock(cat));
        const struct spent start = now();
        CHECK_OK(gw_cat_vault(cat, &vault_ref, &vault, &err));
        CHECK_OK(gw_cat_entries(cat, vault.no, &q, see, &seen, &more, &err));
        struct spent took = { 0 };
        add_spent(&took, start);
        ms[i] = (double)took.cpu / 1e6;
    }
    qsort(ms, PAGES, sizeof *ms, by_time);
    return ms[PAGES / 2];
}

int main(int argc, char **argv)
{
    const uint64_t objects = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    struct qc_tmpdir dir;
    struct spent ours = { 0 }, theirs = { 0 };

    if (argc > 2)
        CHECK(setenv("TMPDIR", argv[2], 1) == 0);
    dir = qc_tmpdir_new();
    open_both(dir.path);
    add_vault(cat);
    add_vault(raw);
    prepare_raw();
    for (uint64_t i = 0; i < objects; i += BATCH) {
        const unsigned count = objects - i < BATCH ? (unsigned)(objects - i) : BATCH;
        publish(i, count, &ours);
        insert_raw(i, count, &theirs);
    }
    const double ratio = (double)theirs.wall / (double)ours.wall, cpu = (double)theirs.cpu / (double)ours.cpu;
    const double ms = page(objects);
    printf("{\"name\": \"catalogue\", \"objects\": %llu, \"commits_per_s\": %.0f, \"of_raw_sqlite\": %.3f,"
           " \"of_raw_sqlite_cpu\": %.3f, \"page_cpu_ms\": %.2f}\n",
           (unsigned long long)objects, (double)objects / ((double)ours.wall / 1e9), ratio, cpu, ms);
    for (unsigned i = 0; i < INSERTS; i++)
        qc_stmt_free(&insert[i]);
    gw_cat_close(&cat);
    gw_cat_close(&raw);
    qc_tmpdir_remove(&dir);
    return objects >= 100000 && (ratio < commit_floor || ms > page_ms) ? 1 : 0;
}
