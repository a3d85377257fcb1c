/* unit/gateway_rebuild: the catalogue comes back from the clouds alone, and an old gateway stops (I1). */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>

#include "gateway/repair.h"
#include "gw_engine_rig.h"

/* A copy of a state directory, as a disk image would have it. */
static void copy_state(const char *from, const char *to)
{
    DIR *d = opendir(from);
    CHECK(d != NULL && mkdir(to, 0700) == 0);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char a[700], b[700];
        static uint8_t bytes[1 << 20];
        if (e->d_name[0] == '.')
            continue;
        CHECK(snprintf(a, sizeof a, "%s/%s", from, e->d_name) > 0 &&
              snprintf(b, sizeof b, "%s/%s", to, e->d_name) > 0);
        int in = open(a, O_RDONLY), out = open(b, O_WRONLY | O_CREAT, 0600);
        CHECK(in >= 0 && out >= 0);
        for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;)
            CHECK(write(out, bytes, (size_t)n) == n);
        close(in);
        close(out);
    }
    closedir(d);
}

struct history {
    struct erig_put a1, a2, b1, rm, c1;
};

static void make_history(struct erig *r, struct history *h)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    h->a1 = erig_prepare(1, "\1alpha", 1, 2, 300000);
    h->a2 = erig_prepare(2, "\1alpha", 2, 1, 50);
    h->b1 = erig_prepare(3, "\1beta", 1, 1, 50);
    h->rm = erig_prepare(4, "\1beta", 2, 1, 1);
    h->c1 = erig_prepare(5, "\1gamma", 1, 3, 1000);
    CHECK_OK(erig_put(r, &h->a1, &receipt, &err));
    CHECK_OK(erig_put(r, &h->a2, &receipt, &err));
    CHECK_OK(erig_put(r, &h->b1, &receipt, &err));
    CHECK_OK(erig_remove(r, &h->rm, &receipt, &err));
    CHECK_OK(erig_put(r, &h->c1, &receipt, &err));
}

static void check_history(struct erig *r, const struct history *h, int margin)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    struct gw_receipt receipt;
    struct gw_vault v = { 0 };
    uint8_t record[QC_GW_RECORD_SIZE];

    CHECK_OK(erig_check(r, &h->a1, &err));
    CHECK_OK(erig_check(r, &h->a2, &err));
    CHECK_OK(erig_check(r, &h->b1, &err));
    CHECK_OK(erig_check(r, &h->c1, &err));
    CHECK_OK(gw_entry_get(r->e, OWN(r->vault), QC_LIT("\1alpha"), &row, &err));
    CHECK(row.e.number == 2 && gw_id_same(&row.e.version, &h->a2.version) && row.margin == margin);
    CHECK(memcmp(row.e.seal, h->a2.entry.seal, 32) == 0 && memcmp(row.e.m, h->a2.entry.m, 32) == 0);
    gw_entry_row_done(&row);
    CHECK_OK(gw_entry_get(r->e, OWN(r->vault), QC_LIT("\1beta"), &row, &err));
    CHECK(row.e.kind == GW_ENTRY_TOMBSTONE && row.e.number == 2);
    gw_entry_row_done(&row);
    erig_record(r, record);
    CHECK_OK(gw_vault_get(r->e, OWN(r->vault), &v, &err));
    CHECK(qc_span_eq(qc_buf_span(&v.record), qc_span_of(record, sizeof record)) && v.head.count >= 5);
    CHECK(qc_span_eq(qc_buf_span(&v.backup), QC_LIT("vault backup")));
    gw_vault_done(&v);
    /* Put keys survive: the same commit gets its receipt. */
    CHECK_OK(erig_commit(r, &h->c1, &receipt, &err));
    CHECK(receipt.number == 1 && receipt.chain == 5);
}

static void clean_loss(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_receipt receipt;
    char old[320], copy[320];

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    erig_path(&r, "copy", copy, sizeof copy);
    CHECK(rename(r.state, old) == 0);
    copy_state(old, copy);

    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.incarnation == 2 && report.clouds == 5 && report.reached == 5 && report.needed == 3);
    CHECK(report.log_sequence == 7 && report.log_beyond == 0); /* init, vault, five changes */
    CHECK(report.vaults == 1 && report.entries == 2 && report.tombstones == 1 && report.versions == 4);
    CHECK(report.fragments_expected == 35 && report.fragments_found == 35 && report.fragments_missing == 0);
    CHECK(report.unknown == 0 && report.foreign == 0 && report.unreadable == 0 &&
          report.fragments_unheard == 0);
    erig_open(&r);
    check_history(&r, &h, 2);
    const struct erig_put d = erig_prepare(6, "\1delta", 1, 2, 100);
    CHECK_OK(erig_put(&r, &d, &receipt, &err));
    CHECK(receipt.chain == 6 && receipt.acked_margin == 2);

    /* The old disk image comes back: it sees the newer root and says so. */
    struct gw_engine *zombie = NULL;
    struct gw_health health;
    struct gw_entry_row row;
    CHECK_OK(gw_engine_open(&zombie, old, &r.rng, &err));
    gw_engine_health(zombie, &health);
    CHECK(health.fenced && health.incarnation == 1);
    CHECK_RC(gw_entry_get(zombie, OWN(r.vault), QC_LIT("\1alpha"), &row, &err), QC_FENCED);
    gw_engine_close(&zombie);

    /* And again, over a catalogue that is there: it is set aside. */
    gw_engine_close(&r.e);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.incarnation == 3 && report.log_sequence == 8 && report.versions == 5);
    erig_open(&r);
    check_history(&r, &h, 2);
    CHECK_OK(erig_check(&r, &d, &err));
    erig_done(&r);
}

/* m clouds gone, with everything on them. */
static void with_losses(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_receipt receipt;
    char old[320];

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    CHECK(rename(r.state, old) == 0);
    erig_lose(&r, 0);
    erig_lose(&r, 3);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.reached == 3 && report.needed == 3 && report.log_sequence == 7);
    CHECK(report.fragments_found == 21 && report.fragments_missing + report.fragments_unheard == 14);
    CHECK(report.unreadable == 0);
    erig_open(&r);
    CHECK_OK(erig_check(&r, &h.a1, &err));
    CHECK_OK(erig_check(&r, &h.c1, &err));
    gw_engine_close(&r.e);
    erig_lose(&r, 1);
    CHECK_RC(erig_rebuild(&r, r.state, &report, &err), QC_QUORUM);
    erig_find(&r, 1);
    erig_find(&r, 0);
    erig_find(&r, 3);
    erig_open(&r);
    check_history(&r, &h, 0); /* what was not heard is not counted before somebody has read it */
    struct gw_repair_report repaired;
    CHECK_OK(gw_engine_repair(r.e, &(struct gw_repair_ask){ 0 }, &repaired, &err));
    CHECK_OK(gw_repair_verdict(&repaired, &err));
    CHECK(repaired.clouds[0].found == 7 && repaired.clouds[3].found == 7);
    check_history(&r, &h, 2);
    const struct erig_put d = erig_prepare(6, "\1delta", 1, 2, 100);
    CHECK_OK(erig_put(&r, &d, &receipt, &err));
    CHECK(receipt.acked_margin == 2 && receipt.record_copies == 5);
    erig_done(&r);
}

/* The same incarnation, an older catalogue: it refuses and names rebuild. */
static void old_image(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_engine *old = NULL;
    struct gw_health health;
    char image[320];

    if (erig_elsewhere())
        return;
    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "image", image, sizeof image);
    copy_state(r.state, image);
    erig_open(&r);
    const struct erig_put d = erig_prepare(6, "\1delta", 1, 2, 100);
    CHECK_OK(erig_put(&r, &d, &receipt, &err));
    gw_engine_close(&r.e);
    CHECK_OK(gw_engine_open(&old, image, &r.rng, &err));
    gw_engine_health(old, &health);
    CHECK(health.fenced);
    struct gw_head head;
    qc_buf seals = { .max = 1024 };
    CHECK_RC(gw_vault_chain(old, OWN(r.vault), 0, 10, &head, &seals, &err), QC_FENCED);
    gw_engine_close(&old);
    erig_open(&r); /* the newer one is not fenced */
    CHECK_OK(erig_check(&r, &d, &err));
    erig_done(&r);
}

/* Both run: the old one finds out at its next commit, and acknowledges nothing. */
static void zombie(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_receipt receipt;
    char other[320];

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    erig_path(&r, "other", other, sizeof other);
    CHECK_OK(erig_rebuild(&r, other, &report, &err));
    const struct erig_put d = erig_prepare(6, "\1delta", 1, 1, 100);
    CHECK_RC(erig_put(&r, &d, &receipt, &err), QC_FENCED);
    CHECK_RC(erig_put(&r, &d, &receipt, &err), QC_FENCED);
    struct gw_engine *old = r.e;
    CHECK_OK(gw_engine_open(&r.e, other, &r.rng, &err));
    check_history(&r, &h, 2);
    const struct erig_put e = erig_prepare(7, "\1delta", 1, 1, 100);
    CHECK_OK(erig_put(&r, &e, &receipt, &err)); /* its log object 8 stands beside the zombie's */
    gw_engine_close(&old);
    gw_engine_close(&r.e);
    /* A third rebuild takes the right object 8: the zombie's is cut. */
    CHECK_OK(erig_rebuild(&r, other, &report, &err));
    CHECK(report.incarnation == 3 && report.log_sequence == 8 && report.unknown == 5);
    CHECK_OK(gw_engine_open(&r.e, other, &r.rng, &err));
    check_history(&r, &h, 2);
    CHECK_OK(erig_check(&r, &e, &err));
    const struct gw_version_ids ids = { .vault = r.vault, .object = d.object, .version = d.version };
    struct gw_version_info info;
    CHECK_RC(gw_version_info(r.e, &ids, &info, &err), QC_NOTFOUND);
    erig_done(&r);
}

/* The kit stands in for the shares. */
static void by_kit(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct erig_clouds c;
    qc_key *kit = NULL;
    char old[320];

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    CHECK_OK(gw_engine_kit(r.e, &kit, &err));
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    CHECK(rename(r.state, old) == 0);
    erig_clouds(&r, &c);
    const size_t n = strnlen((const char *)qc_key_open(kit).p, qc_key_len(kit));
    const struct gw_rebuild_setup setup = { .clouds = c.v,
                                            .count = r.clouds,
                                            .kit = qc_span_sub(qc_key_open(kit), 0, n) };
    CHECK_OK(gw_rebuild(r.state, &setup, &r.rng, &report, &err));
    qc_key_free(&kit);
    erig_open(&r);
    check_history(&r, &h, 2);
    erig_done(&r);
}

/* A fragment deleted and one damaged are found: by the listing, and by reading. */
static void presence(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    char old[320], command[900];
    struct gw_entry_row row;

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    CHECK(rename(r.state, old) == 0);
    CHECK(snprintf(command, sizeof command, "rm -r %s/c2/f", r.dir.path) > 0);
    CHECK(system(command) == 0);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.fragments_found == 28 && report.fragments_missing == 7 && report.unreadable == 0);
    erig_open(&r);
    CHECK_OK(gw_entry_get(r.e, OWN(r.vault), QC_LIT("\1alpha"), &row, &err));
    CHECK(row.margin == 1 && row.acked_margin == 1 && row.margin_full == 2);
    gw_entry_row_done(&row);
    check_history(&r, &h, 1);
    erig_done(&r);
}

/* One byte of a log object says who may read it, and no seal covers that byte: copies in which it is wrong
 * are damaged ones, until all say the same. */
static int later_version(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    enum { VERSION_AT = 4 };
    uint8_t was;

    (void)at;
    if (kind != FTW_F || st->st_size <= VERSION_AT || strstr(path, "/l/") == NULL)
        return 0;
    const int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, &was, 1, VERSION_AT) == 1);
    was |= 8;
    CHECK(pwrite(fd, &was, 1, VERSION_AT) == 1);
    return close(fd);
}

static void newer_copies(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    char old[320], cloud[320];

    erig_new(&r, 5, 3, 5);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    CHECK(rename(r.state, old) == 0);
    for (unsigned i = 0; i < 2; i++) {
        erig_cloud(&r, i, "", cloud, sizeof cloud);
        CHECK(nftw(cloud, later_version, 16, FTW_PHYS) == 0);
    }
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.log_sequence == 7 && report.versions == 4);
    erig_open(&r);
    check_history(&r, &h, 2);
    struct gw_repair_report repaired;
    CHECK_OK(gw_engine_repair(r.e, &(struct gw_repair_ask){ .deep = true }, &repaired, &err));
    CHECK_OK(gw_repair_verdict(&repaired, &err));
    gw_engine_close(&r.e);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err)); /* what was wrong has been written anew */
    for (unsigned i = 0; i < 5; i++) {
        erig_cloud(&r, i, "", cloud, sizeof cloud);
        CHECK(nftw(cloud, later_version, 16, FTW_PHYS) == 0);
    }
    CHECK_RC(erig_rebuild(&r, r.state, &report, &err), QC_NEWER);
    erig_done(&r);
}

/* Attempts that reached two clouds of four and got no further, then two that reached the other two: nobody
 * sees all of them, and none takes an incarnation that another one had. */
static void attempts(void)
{
    struct erig r;
    struct history h;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    char old[320], root[340];

    erig_new(&r, 4, 2, 4);
    make_history(&r, &h);
    gw_engine_close(&r.e);
    erig_path(&r, "old", old, sizeof old);
    CHECK(rename(r.state, old) == 0);
    for (unsigned round = 0; round < 2; round++) {
        const unsigned away[] = { !round, 2 + !round };
        erig_lose(&r, away[0]);
        erig_lose(&r, away[1]);
        for (unsigned i = 0; i < 2; i++) {
            CHECK_RC(erig_rebuild(&r, r.state, &report, &err), QC_QUORUM);
            erig_cloud(&r, round, "", root, sizeof root);
            CHECK(snprintf(root + strlen(root), sizeof root - strlen(root), "/r/%08x", 2 + 2 * round + i) >
                  0);
            CHECK(access(root, F_OK) == 0);
        }
        erig_find(&r, away[0]);
        erig_find(&r, away[1]);
    }
    erig_lose(&r, 1);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.incarnation == 6);
    erig_find(&r, 1);
    erig_open(&r);
    check_history(&r, &h, 1);
    erig_done(&r);
}

int main(void)
{
    clean_loss();
    attempts();
    with_losses();
    old_image();
    zombie();
    by_kit();
    presence();
    newer_copies();
    return 0;
}
