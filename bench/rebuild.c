/* How long does a rebuild take? Objects are put one by one over five directory clouds, so that each has a log
 * object of its own; then the gateway's disk is deleted and the catalogue made again: from five clouds and
 * from only k of them, without a snapshot and with one. Every name, every B and a sample of the bytes is
 * compared each time.
 *
 * Usage: bench_rebuild [OBJECTS]     default 10000; lines of name, seconds, seconds for 10,000 objects */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "gateway/snapshot.h"
#include "gw_engine_rig.h"
#include "qc_tree.h"

enum { CLOUDS = 5, K = 3, EACH = 97 };

struct bench {
    struct erig r;
    unsigned count;
};

static double since(uint64_t from)
{
    return (double)(qc_now_ns() - from) / 1e9;
}

static void tell(const struct bench *b, const char *what, double s, const char *more)
{
    printf("%-34s %9.3f s %9.3f s for 10,000%s\n", what, s, s * 10000 / b->count, more);
    fflush(stdout);
}

static struct erig_put nth(unsigned i, char path[24])
{
    CHECK(snprintf(path, 24, "\1object %07u", i) > 0);
    return erig_prepare(1000 + i, path, 1, 1, 200 + i % 50);
}

static void fill(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    const uint64_t from = qc_now_ns();

    for (unsigned i = 0; i < b->count; i++) {
        char path[24];
        const struct erig_put p = nth(i, path);
        CHECK_OK(erig_put(&b->r, &p, &receipt, &err));
    }
    tell(b, "put, one by one", since(from), "");
}

/* Names and B of all, bytes of one in EACH. */
static void check(struct bench *b)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < b->count; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = 4096 };
        char path[24];
        const struct erig_put p = nth(i, path);
        const struct gw_version_ids ids = { .vault = b->r.vault, .object = p.object, .version = p.version };
        struct gw_entry_row row;
        CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(path), &row, &err));
        CHECK(gw_id_same(&row.e.version, &p.version));
        gw_entry_row_done(&row);
        CHECK_OK(gw_version_backup(b->r.e, &ids, &backup, &err));
        CHECK(qc_span_eq(qc_buf_span(&backup), qc_span_of(p.backup, sizeof p.backup)));
        if (i % EACH == 0)
            CHECK_OK(erig_check(&b->r, &p, &err));
    }
}

static void once(struct bench *b, const char *what)
{
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    char more[96];

    gw_engine_close(&b->r.e);
    qc_tree_remove(b->r.state);
    const uint64_t from = qc_now_ns();
    CHECK_OK(erig_rebuild(&b->r, b->r.state, &report, &err));
    const double s = since(from);
    CHECK(report.versions == b->count && report.unreadable == 0);
    CHECK(snprintf(more, sizeof more, ", %llu of %llu log objects from packs",
                   (unsigned long long)report.log_packed, (unsigned long long)report.log_objects) > 0);
    tell(b, what, s, more);
    erig_open(&b->r);
    check(b);
}

static void lose(struct bench *b, unsigned clouds)
{
    for (unsigned i = 0; i < clouds; i++)
        erig_lose(&b->r, i);
}

static void find(struct bench *b, unsigned clouds)
{
    for (unsigned i = 0; i < clouds; i++)
        erig_find(&b->r, i);
}

int main(int argc, char **argv)
{
    struct bench b = { .count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000 };
    struct qc_err err = { 0 };
    struct gw_snapshot_view v;

    CHECK(b.count > 0 && b.count < 10000000);
    erig_new(&b.r, CLOUDS, K, CLOUDS);
    fill(&b);
    once(&b, "rebuild, 5 clouds, no snapshot");
    lose(&b, CLOUDS - K);
    once(&b, "rebuild, 3 clouds, no snapshot");
    find(&b, CLOUDS - K);
    gw_engine_close(&b.r.e);
    erig_open(&b.r);
    const uint64_t from = qc_now_ns();
    CHECK_OK(gw_engine_snapshot(b.r.e, &err));
    const double s = since(from);
    CHECK_OK(gw_engine_snapshot_view(b.r.e, &v, &err));
    tell(&b, "snapshot", s, "");
    once(&b, "rebuild, 5 clouds, snapshot");
    lose(&b, CLOUDS - K);
    once(&b, "rebuild, 3 clouds, snapshot");
    find(&b, CLOUDS - K);
    printf("%llu packs with %llu bytes of log\n", (unsigned long long)v.packs, (unsigned long long)v.bytes);
    erig_done(&b.r);
    return 0;
}
