/* unit/gateway_adopt: a cloud that lost its memory is filled again and counts only then; one that must not be
 * adopted is left as it is. (I1, D8) */
#include <pthread.h>

#include "base/fault.h"
#include "gw_repair_rig.h"

static void sh(const struct erig *r, const char *format)
{
    char command[1200];
    CHECK(snprintf(command, sizeof command, "cd '%s' && %s", r->dir.path, format) < (int)sizeof command);
    CHECK(system(command) == 0);
}

static qc_rc adopt(struct erig *r, const char *name, struct gw_repair_report *ret, struct qc_err *err)
{
    const struct gw_repair_ask ask = { .adopt = name };
    return gw_engine_repair(r->e, &ask, ret, err);
}

static void put_three(struct erig *r, struct erig_put *puts)
{
    static const char *const paths[] = { "\1alpha", "\1beta", "\1gamma" };
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    for (unsigned i = 0; i < 3; i++) {
        puts[i] = erig_prepare(i + 1, paths[i], 1, 1 + i, 700);
        CHECK_OK(erig_put(r, &puts[i], &receipt, &err));
    }
}

static void check_state(struct erig *r, unsigned cloud, enum gw_cloud_state state, uint32_t generation)
{
    struct qc_err err = { 0 };
    struct gw_status s;

    CHECK_OK(gw_engine_status(r->e, &s, &err)); /* a directory that was replaced is found out.. */
    CHECK_OK(gw_engine_status(r->e, &s, &err)); /* ..and then asked who it is */
    CHECK(s.clouds[cloud].view.state == state && s.clouds[cloud].view.generation == generation);
}

/* Wiped in several ways: empty, gone, all but the mark. */
static void wiped(void)
{
    static const char *const ways[] = { "rm -rf c3/* c3/.[!.]*", "rm -rf c3", "rm -rf c3/f c3/i c3/l c3/r" };
    struct gw_repair_report report;
    struct gw_rebuild_report rebuilt;
    struct qc_err err = { 0 };
    struct erig_put puts[3];
    struct erig r;

    erig_new(&r, 5, 3, 5);
    put_three(&r, puts);
    for (unsigned way = 0; way < 3; way++) {
        sh(&r, ways[way]);
        CHECK(rrig_repair(&r, false, &report) ==
              QC_DEGRADED); /* it is lost, and nobody said that it may be adopted */
        CHECK(report.clouds[2].left == 6 && rrig_sum(&report).rebuilt == 0);
        check_state(&r, 2, GW_CLOUD_LOST, way + 1);
        CHECK_OK(adopt(&r, "c3", &report, &err));
        CHECK_OK(gw_repair_verdict(&report, &err));
        CHECK(report.clouds[2].rebuilt == 6 && rrig_sum(&report).rebuilt == 6);
        check_state(&r, 2, GW_CLOUD_OK, way + 2);
        rrig_whole(&r, puts, 3);
        CHECK(rrig_files(&r, 2, "/f/") == 6 && rrig_files(&r, 2, "/l/") == rrig_files(&r, 0, "/l/"));
        CHECK(rrig_files(&r, 2, "/r/") == rrig_files(&r, 0, "/r/"));
    }
    /* It is a cloud like the others again: with it, any two may go, the catalogue too. */
    gw_engine_close(&r.e);
    erig_lose(&r, 0);
    erig_lose(&r, 3);
    sh(&r, "rm -rf state");
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.reached == 3 && rebuilt.versions == 3 && rebuilt.unreadable == 0);
    erig_open(&r);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(erig_check(&r, &puts[i], &err));
    check_state(&r, 2, GW_CLOUD_OK, 4);
    erig_done(&r);
}

/* Only its identity is gone, or rotten: what else is there is read, and counts again. */
static void nameless(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct erig_put puts[3];
    struct erig r;

    erig_new(&r, 5, 3, 5);
    put_three(&r, puts);
    sh(&r, "rm c2/i/cloud");
    CHECK_OK(adopt(&r, "c2", &report, &err));
    CHECK_OK(gw_repair_verdict(&report, &err));
    CHECK(rrig_sum(&report).rebuilt == 0 && report.clouds[1].found == 6);
    rrig_whole(&r, puts, 3);
    char path[400];
    erig_path(&r, "c2/i/cloud", path, sizeof path);
    rrig_flip(path, 40);
    CHECK_OK(adopt(&r, "c2", &report, &err));
    CHECK_OK(gw_repair_verdict(&report, &err));
    CHECK(rrig_sum(&report).rebuilt == 0 && report.clouds[1].found == 6);
    rrig_whole(&r, puts, 3);
    check_state(&r, 1, GW_CLOUD_OK, 3);
    CHECK_OK(adopt(&r, "c2", &report, &err)); /* one that is well needs nothing */
    check_state(&r, 1, GW_CLOUD_OK, 3);
    erig_done(&r);
}

static void refused(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct erig_put puts[3];
    struct erig r, other;

    erig_new(&r, 5, 3, 5);
    put_three(&r, puts);
    erig_new(&other, 3, 2, 3);
    CHECK_RC(adopt(&r, "c9", &report, &err), QC_USAGE);

    /* Another gateway's cloud. */
    char command[900];
    CHECK(snprintf(command, sizeof command, "mv c1 keep && cp -a '%s/c1' c1", other.dir.path) > 0);
    sh(&r, command);
    CHECK_RC(adopt(&r, "c1", &report, &err), QC_CONFLICT);
    sh(&r, "rm -rf c1 && mv keep c1");

    /* Two places mixed up. */
    sh(&r, "mv c1 keep && cp -a c2 c1");
    CHECK_RC(adopt(&r, "c1", &report, &err), QC_CONFLICT);
    sh(&r, "rm -rf c1 && mv keep c1");

    /* A directory with other things; a thing that is no identity. */
    sh(&r, "mv c1 keep && mkdir c1 && echo mine > c1/mine");
    CHECK_RC(adopt(&r, "c1", &report, &err), QC_CONFLICT);
    sh(&r, "test \"$(cat c1/mine)\" = mine && rm -rf c1 && mv keep c1");
    sh(&r, "cp c1/i/cloud keep && echo 'not an identity' > c1/i/cloud");
    CHECK_RC(adopt(&r, "c1", &report, &err), QC_CONFLICT);
    sh(&r, "cp keep c1/i/cloud && rm keep");

    /* Too few others: the wiped one could be made to count with what nobody can check. */
    sh(&r, "rm -rf c1/*");
    erig_lose(&r, 1);
    erig_lose(&r, 2);
    CHECK_RC(adopt(&r, "c1", &report, &err), QC_QUORUM);
    erig_find(&r, 1);
    CHECK_OK(adopt(&r, "c1", &report, &err)); /* three others are enough; what c3 has, stays */
    CHECK(report.clouds[0].rebuilt == 6 && report.clouds[2].left == 6);
    erig_find(&r, 2);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).rebuilt == 0);
    rrig_whole(&r, puts, 3);
    erig_done(&r);
    erig_done(&other);
}

/* The old disk comes back after the adoption: its identity is of an earlier life, for this gateway and for a
 * rebuild. */
static void old_disk(void)
{
    struct gw_repair_report report;
    struct gw_rebuild_report rebuilt;
    struct qc_err err = { 0 };
    struct erig_put puts[3];
    struct erig r;

    erig_new(&r, 5, 3, 5);
    put_three(&r, puts);
    sh(&r, "mv c3 old");
    CHECK_OK(adopt(&r, "c3", &report, &err));
    CHECK_OK(gw_repair_verdict(&report, &err));
    sh(&r, "mv c3 new && mv old c3");
    check_state(&r, 2, GW_CLOUD_LOST, 2);
    gw_engine_close(&r.e);
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.reached == 4 && rebuilt.versions == 3);
    erig_open(&r);
    check_state(&r, 2, GW_CLOUD_LOST, 2);
    gw_engine_close(&r.e);
    erig_lose(&r, 0);
    erig_lose(&r, 1);
    CHECK_RC(erig_rebuild(&r, r.state, &rebuilt, &err), QC_QUORUM); /* two and an old disk are two */
    erig_find(&r, 0);
    erig_find(&r, 1);
    sh(&r, "rm -rf c3 && mv new c3");
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.reached == 5);
    erig_open(&r);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    rrig_whole(&r, puts, 3);
    erig_done(&r);
}

/* A segment is written to a cloud that is wiped and adopted before its row is: it owes. */
struct slow {
    struct erig *r;
    const struct erig_put *p;
    qc_rc rc;
};
static void *slow_segment(void *arg)
{
    struct slow *s = arg;
    struct qc_err err = { 0 };
    s->rc = erig_segment(s->r, s->p, 1, &err);
    return NULL;
}

static void in_flight(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig_put puts[3];
    struct erig r;
    pthread_t thread;

    erig_new(&r, 5, 3, 5);
    puts[0] = erig_prepare(5, "\1slow", 1, 2, 700);
    CHECK_OK(erig_begin(&r, &puts[0], &err));
    CHECK_OK(erig_segment(&r, &puts[0], 0, &err)); /* its row is there: the adoption sees it */
    qc_fault_script("put_frag_done:pause_ms:1500");
    struct slow s = { &r, &puts[0], QC_OK };
    CHECK(pthread_create(&thread, NULL, slow_segment, &s) == 0);
    while (qc_fault_passes(QC_FP_put_frag_done) == 0)
        usleep(1000);
    sh(&r, "rm -rf c3/* c3/.[!.]*");
    CHECK_OK(adopt(&r, "c3", &report, &err));
    CHECK(report.clouds[2].state == GW_CLOUD_OK && rrig_files(&r, 2, "/f/") == 0);
    CHECK(pthread_join(thread, NULL) == 0 && s.rc == QC_OK);
    qc_fault_script("");
    CHECK_OK(erig_commit(&r, &puts[0], &receipt, &err));
    CHECK(receipt.acked_margin == 1 && receipt.margin_full == 2);
    CHECK(rrig_repair(&r, false, &report) == QC_OK);
    CHECK(report.clouds[2].rebuilt == 2);
    rrig_whole(&r, puts, 1);
    erig_done(&r);
}

int main(void)
{
    wiped();
    nameless();
    refused();
    old_disk();
    in_flight();
    return 0;
}
