/* unit/gateway_repair: a repair finds each kind of damage on each fragment, rebuilds that and nothing else,
 * and leaves everything whole; what it may not touch it leaves. (I1, I2) */
#include "gw_repair_rig.h"

struct shape {
    unsigned k, n;
};

static void put_two(struct erig *r, struct erig_put *puts)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    puts[0] = erig_prepare(1, "\1alpha", 1, 2, 700);
    puts[1] = erig_prepare(2, "\1beta", 1, 1, 700);
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(erig_put(r, &puts[i], &receipt, &err));
}

/* Any n - k clouds other than this one may be lost afterwards. */
static void lose_others(struct erig *r, unsigned keep, const struct erig_put *p)
{
    struct qc_err err = { 0 };
    unsigned lost = 0;

    for (unsigned i = 0; i < r->clouds && lost < r->n - r->k; i++)
        if (i != keep) {
            erig_lose(r, i);
            lost++;
        }
    CHECK_OK(erig_check(r, p, &err));
    for (unsigned i = 0; i < r->clouds; i++) {
        char away[320];
        erig_cloud(r, i, ".away", away, sizeof away);
        if (access(away, F_OK) == 0)
            erig_find(r, i);
    }
}

/* One damage to one fragment; found by a listing or by reading, rebuilt alone, read back. */
static void one_damage(struct erig *r, const struct erig_put *puts, unsigned frag, enum rrig_damage d,
                       struct qc_rand *rand)
{
    const bool deep = !rrig_shows(d);
    struct gw_repair_report report;
    char path[600], other[600], now[600];
    unsigned cloud, x = 0;

    rrig_fragment(r, &puts[0], 1, frag, &cloud, path);
    for (unsigned i = 0; i < r->n; i++) { /* a valid fragment of the same cloud */
        unsigned c;
        rrig_fragment(r, &puts[1], 0, i, &c, other);
        if (c == cloud)
            break;
        x++;
    }
    CHECK(x < r->n);
    rrig_damage(path, d, other, rand);
    if (deep) { /* what a listing does not show stays unseen by one */
        CHECK(rrig_repair(r, false, &report) == QC_OK);
        CHECK(rrig_sum(&report).rebuilt == 0);
    }
    CHECK(rrig_repair(r, deep, &report) == QC_OK);
    const struct rrig_sums s = rrig_sum(&report);
    CHECK(s.rebuilt == 1 && s.left == 0 && report.clouds[cloud].rebuilt == 1);
    CHECK(s.missing == (d == RRIG_LOST) && s.damaged == (d != RRIG_LOST));
    CHECK(s.unknown == 0 && s.foreign == 0 && s.records_left == 0 && report.failed == 0);
    CHECK(report.segments == 3 && report.segments_done == 3 && report.versions_done == 2);
    rrig_whole(r, puts, 2);
    for (unsigned i = 0; i < r->clouds; i++)
        CHECK(rrig_files(r, i, "/f/") == 3); /* what was bad is gone, nothing else is new */
    rrig_fragment(r, &puts[0], 1, frag, &x, now);
    CHECK(x == cloud);
    CHECK((strcmp(path, now) == 0) == (d == RRIG_LOST)); /* a key never gets other bytes */
    lose_others(r, cloud, &puts[0]);
    CHECK(rrig_repair(r, true, &report) == QC_OK); /* nothing to do any more */
    CHECK(rrig_sum(&report).rebuilt == 0 && report.written_bytes == 0);
}

static void each_damage(const struct shape *shape)
{
    struct qc_rand rand = qc_rand_start();
    struct erig r;
    struct erig_put puts[2];

    erig_new(&r, shape->n, shape->k, shape->n);
    put_two(&r, puts);
    for (unsigned frag = 0; frag < shape->n; frag++)
        for (unsigned d = 0; d < RRIG_DAMAGES; d++)
            one_damage(&r, puts, frag, (enum rrig_damage)d, &rand);
    gw_engine_close(&r.e);
    erig_open(&r);
    rrig_whole(&r, puts, 2);
    erig_done(&r);
}

/* As many as may be lost, at once, of all kinds; then one more. */
static void to_the_margin_and_beyond(void)
{
    struct qc_rand rand = qc_rand_start();
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct erig r;
    struct erig_put puts[2];
    char path[600];
    unsigned cloud;

    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    rrig_fragment(&r, &puts[0], 0, 0, &cloud, path);
    rrig_damage(path, RRIG_LOST, NULL, &rand);
    rrig_fragment(&r, &puts[0], 0, 3, &cloud, path);
    rrig_damage(path, RRIG_FLIPPED, NULL, &rand);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).rebuilt == 2);
    rrig_whole(&r, puts, 2);

    /* Three of five: that segment is beyond repair; the others are repaired all the same. */
    for (unsigned frag = 0; frag < 3; frag++) {
        rrig_fragment(&r, &puts[1], 0, frag, &cloud, path);
        rrig_damage(path, frag == 0 ? RRIG_FLIPPED : RRIG_LOST, NULL, &rand);
    }
    rrig_fragment(&r, &puts[0], 1, 4, &cloud, path);
    rrig_damage(path, RRIG_CUT, NULL, &rand);
    CHECK(rrig_repair(&r, true, &report) == QC_INTEGRITY);
    CHECK(report.lost == 1 && report.waiting == 0 && report.loss_count == 1);
    const struct gw_repair_loss *l = &report.losses[0];
    CHECK(gw_id_same(&l->object, &puts[1].object) && gw_id_same(&l->version, &puts[1].version) &&
          gw_id_same(&l->vault, &r.vault) && l->seq == 0 && l->good == 2 && l->k == 3 && !l->away);
    CHECK(rrig_sum(&report).rebuilt == 1 && rrig_sum(&report).left == 3);
    CHECK_OK(erig_check(&r, &puts[0], &err));
    CHECK_RC(erig_check(&r, &puts[1], &err), QC_QUORUM);

    /* A cloud is away that has a good one: it may be had later. */
    rrig_fragment(&r, &puts[1], 0, 4, &cloud, path);
    erig_lose(&r, cloud);
    CHECK(rrig_repair(&r, true, &report) == QC_QUORUM);
    CHECK(report.waiting == 1 && report.lost == 0);
    erig_done(&r);
}

/* A cloud is away during a put: what is owed is put when it is back, under the key that it has. What is on a
 * cloud that only does not answer is left alone. */
static void owed(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig r;
    struct erig_put puts[2];

    erig_new(&r, 5, 3, 5);
    puts[0] = erig_prepare(1, "\1alpha", 1, 3, 700);
    CHECK_OK(erig_put(&r, &puts[0], &receipt, &err));
    erig_lose(&r, 4);
    puts[1] = erig_prepare(2, "\1beta", 1, 2, 700);
    CHECK_OK(erig_put(&r, &puts[1], &receipt, &err));
    CHECK(receipt.acked_margin == 1);
    CHECK(rrig_repair(&r, false, &report) == QC_DEGRADED);
    CHECK(rrig_sum(&report).left == 5 && rrig_sum(&report).rebuilt == 0 &&
          report.clouds[4].left == 5); /* it is lost */
    CHECK(report.read_bytes == 0 && report.written_bytes == 0);
    erig_find(&r, 4);
    CHECK(rrig_repair(&r, false, &report) == QC_OK);
    CHECK(rrig_sum(&report).rebuilt == 2 && report.clouds[4].rebuilt == 2 && report.clouds[4].records >= 1);
    rrig_whole(&r, puts, 2);
    for (unsigned i = 0; i < 5; i++)
        CHECK(rrig_files(&r, i, "/f/") == 5);
    erig_done(&r);
}

/* More clouds than fragments: what a lost cloud had goes to another one, and its keys are dead when it is
 * back. */
static void another_domain(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig r;
    struct erig_put puts[6];
    unsigned on = 0, here = 0;

    erig_new(&r, 6, 3, 5);
    for (unsigned i = 0; i < 6; i++) {
        char path[16];
        snprintf(path, sizeof path, "\1p%u", i);
        puts[i] = erig_prepare(10 + i, strdup(path), 1, 1, 700);
        CHECK_OK(erig_put(&r, &puts[i], &receipt, &err));
    }
    on = rrig_files(&r, 2, "/f/");
    erig_lose(&r, 2);
    CHECK(rrig_repair(&r, false, &report) == QC_DEGRADED); /* the cloud itself is not there */
    CHECK(rrig_sum(&report).rebuilt == on && rrig_sum(&report).left == 0);
    for (unsigned i = 0; i < 6; i++) {
        struct gw_version_info info;
        const struct gw_version_ids ids = { .vault = r.vault,
                                            .object = puts[i].object,
                                            .version = puts[i].version };
        CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
        CHECK(info.margin == 2);
        for (unsigned c = 0; c < info.cloud_count; c++)
            CHECK(info.clouds[c].fragments <= 1); /* distinct domains */
    }
    for (unsigned i = 0; i < 6; i++)
        here += i == 2 ? 0 : rrig_files(&r, i, "/f/");
    CHECK(here == 30);

    /* A rebuild from the other clouds finds them where they are. */
    struct gw_rebuild_report rebuilt;
    gw_engine_close(&r.e);
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.fragments_missing == 0 && rebuilt.unknown == 0 && rebuilt.unreadable == 0);
    erig_open(&r);
    for (unsigned i = 0; i < 6; i++)
        CHECK_OK(erig_check(&r, &puts[i], &err));

    /* It is back: what it has is of an earlier gateway, and is proven dead by reading the rest. */
    erig_find(&r, 2);
    CHECK(rrig_repair(&r, false, &report) == QC_OK);
    CHECK(report.clouds[2].unknown == on && rrig_files(&r, 2, "/f/") == on);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(report.clouds[2].dead == on && rrig_files(&r, 2, "/f/") == 0);
    rrig_whole(&r, puts, 6);
    for (unsigned i = 0; i < 6; i++)
        free((void *)(uintptr_t)puts[i].path);
    erig_done(&r);
}

/* A cloud is away, a repair puts what it has elsewhere; it comes back, and is swept. */
static void away_and_back(struct erig *r, unsigned cloud)
{
    struct gw_repair_report report;

    erig_lose(r, cloud);
    CHECK(rrig_repair(r, false, &report) == QC_DEGRADED);
    erig_find(r, cloud);
    (void)rrig_repair(r, true, &report);
    CHECK(rrig_repair(r, true, &report) == QC_OK);
    CHECK(rrig_files(r, cloud, "/f/") == 0);
}

/* A fragment lies under two keys of an earlier gateway: a repair had given one of them up, and a DELETE of it
 * may still land. A rebuild that did not hear the cloud cannot know which: it is put anew, and both go.
 * Without deep the listing comes first and finds it in doubt; with it the first key counts by then. */
static void two_keys(bool deep)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char first[600], later[600], now[600], kept[320], command[1000];
    unsigned cloud;
    struct erig r;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    rrig_fragment(&r, &p, 0, 1, &cloud, first);
    erig_path(&r, "kept", kept, sizeof kept);
    CHECK(snprintf(command, sizeof command, "cp '%s' '%s'", first, kept) > 0 && system(command) == 0);
    rrig_flip(first, GW_FRAG_HEAD_BYTES);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    rrig_fragment(&r, &p, 0, 1, &cloud, later);
    CHECK(strcmp(first, later) != 0 && access(first, F_OK) != 0);
    CHECK(rename(kept, first) == 0);
    erig_lose(&r, cloud);
    erig_from_clouds(&r, "again");
    erig_find(&r, cloud);
    if (deep)
        CHECK(rrig_repair(&r, true, &report) == QC_DEGRADED && report.clouds[cloud].left == 1);
    CHECK(rrig_repair(&r, false, &report) == QC_OK && report.clouds[cloud].rebuilt == 1);
    rrig_fragment(&r, &p, 0, 1, &cloud, now);
    CHECK(strcmp(now, first) != 0 && strcmp(now, later) != 0);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(access(first, F_OK) != 0 && access(later, F_OK) != 0);
    rrig_whole(&r, &p, 1);
    erig_done(&r);
}

/* Two moves, and then a rebuild that does not hear the first one's cloud: where that fragment belongs the
 * second one lies, and what is paid by itself is brought to no such cloud. */
static void own_place_taken(void)
{
    struct gw_rebuild_report rebuilt;
    struct gw_version_info info;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig r;
    unsigned spare = 0;
    bool more = true;

    erig_new(&r, 6, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    while (rrig_files(&r, spare, "/f/") > 0)
        spare++;
    const unsigned first = (spare + 1) % 6, second = (spare + 2) % 6;
    away_and_back(&r, first);
    CHECK(rrig_files(&r, spare, "/f/") == 1);
    away_and_back(&r, second);
    CHECK(rrig_files(&r, first, "/f/") == 1);
    gw_engine_close(&r.e);
    erig_lose(&r, spare);
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.fragments_found == 4);
    erig_open(&r);
    for (unsigned i = 0; i < 100 && more; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    const struct gw_version_ids ids = { .vault = r.vault, .object = p.object, .version = p.version };
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.margin == 2);
    for (unsigned c = 0; c < info.cloud_count; c++)
        CHECK(info.clouds[c].fragments <= 1);
    CHECK(rrig_files(&r, first, "/f/") == 1 && rrig_files(&r, second, "/f/") == 1);
    erig_find(&r, spare);
    struct gw_repair_report report;
    (void)rrig_repair(&r, true, &report);
    CHECK(rrig_repair(&r, true, &report) == QC_OK && rrig_files(&r, spare, "/f/") == 0);
    rrig_whole(&r, &p, 1);
    erig_done(&r);
}

/* Its object and its row are on another one's cloud now. */
static void share_cloud(struct erig *r, const struct erig_put *p, unsigned frag, unsigned with)
{
    struct gw_cat *cat = r->e->cat;
    struct gw_version_row v;
    struct qc_err err = { 0 };
    unsigned from, to, at;
    char is[600], other[600], becomes[600];
    uint64_t id;

    rrig_fragment(r, p, 0, frag, &from, is);
    rrig_fragment(r, p, 0, with, &to, other);
    {
        const struct gw_version_ids ids = { .tenant = r->tenant, .object = p->object, .version = p->version };
        QC_LOCK(gw_cat_lock(cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        struct gw_deviation_row row = { .frag = frag,
                                        .cloud_id = gw_fan_id(r->e->fan, to),
                                        .home = gw_fan_id(r->e->fan, from),
                                        .incarnation = r->e->conf.incarnation,
                                        .attempt = 1,
                                        .state = GW_DEV_MOVED };
        CHECK_OK(gw_cat_version(cat, &ids, &v, &err));
        CHECK_OK(gw_cat_segment_of(cat, v.no, 0, &id, &err));
        CHECK_OK(gw_cat_begin(cat, &tx, &err));
        CHECK_OK(gw_cat_place(cat, id, &row, &err));
        CHECK_OK(gw_cat_commit(cat, &tx, &err));
    }
    rrig_fragment(r, p, 0, frag, &at, becomes);
    CHECK(at == to);
    char *end = strrchr(becomes, '/');
    *end = '\0';
    CHECK(mkdir(becomes, 0700) == 0 || errno == EEXIST);
    *end = '/';
    rrig_write_for(r, gw_fan_id(r->e->fan, to), 1, is, becomes);
}

/* As after two rebuilds that did not hear the same clouds: two fragments of a segment lie on one cloud, and
 * both count. A repair brings one of them elsewhere. */
static void in_company(void)
{
    struct gw_repair_report report;
    struct gw_version_info info;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig r;
    uint64_t most = 0;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);
    const struct gw_version_ids ids = { .vault = r.vault, .object = p.object, .version = p.version };
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    share_cloud(&r, &p, 3, 1);
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    for (unsigned c = 0; c < info.cloud_count; c++)
        most = info.clouds[c].fragments > most ? info.clouds[c].fragments : most;
    CHECK(most == 2);
    (void)rrig_repair(&r, true, &report);
    CHECK(rrig_sum(&report).rebuilt == 1);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.margin == 2);
    for (unsigned c = 0; c < info.cloud_count; c++)
        CHECK(info.clouds[c].fragments == 1 && rrig_files(&r, c, "/f/") == 1);
    rrig_whole(&r, &p, 1);
    erig_done(&r);
}

/* Records, roots: missing ones by a listing, rotten ones by reading; under their own names. */
static int spoil_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    static unsigned turn;
    (void)at;
    if (kind != FTW_F || (strstr(path, "/l/") == NULL && strstr(path, "/r/") == NULL))
        return 0;
    if (++turn % 2 == 0)
        return unlink(path);
    rrig_flip(path, (size_t)st->st_size / 2);
    return 0;
}

static void records(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct erig r;
    struct erig_put puts[2];
    char path[320];

    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    const unsigned log = rrig_files(&r, 0, "/l/"), roots = rrig_files(&r, 0, "/r/");
    CHECK(log >= 4 && roots == 1);
    for (unsigned i = 0; i < 2; i++) {
        erig_cloud(&r, i, "", path, sizeof path);
        CHECK(nftw(path, spoil_one, 16, FTW_PHYS) == 0);
    }
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).records == 2 * (log + roots) && rrig_sum(&report).records_left == 0);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).records == 0);
    rrig_whole(&r, puts, 2);

    /* A rebuild from those two and one more reads all of it. */
    struct gw_rebuild_report rebuilt;
    gw_engine_close(&r.e);
    erig_lose(&r, 3);
    erig_lose(&r, 4);
    CHECK_OK(erig_rebuild(&r, r.state, &rebuilt, &err));
    CHECK(rebuilt.versions == 2 && rebuilt.log_beyond == 0);
    erig_find(&r, 3);
    erig_find(&r, 4);
    erig_open(&r);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    for (unsigned i = 0; i < 5; i++)
        CHECK(rrig_files(&r, i, "/r/") == 3); /* two roots and a cut, everywhere */
    rrig_whole(&r, puts, 2);
    erig_done(&r);
}

/* A record's copy rotted while it was owed: it does not stop what is owed after it. */
static void rotten_debt(void)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_status s;
    struct erig r;
    struct erig_put puts[3];
    char command[1400], state[360], path[700] = "";
    bool more;

    if (erig_elsewhere())
        return;
    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    erig_lose(&r, 4);
    puts[2] = erig_prepare(7, "\1gamma", 1, 1, 100);
    CHECK_OK(erig_put(&r, &puts[2], &receipt, &err));
    gw_engine_close(&r.e);
    erig_find(&r, 4);
    CHECK(snprintf(state, sizeof state, "%s.owed", r.state) > 0);
    CHECK(snprintf(command, sizeof command, "cp -a '%s' '%s'", r.state, state) > 0 && system(command) == 0);
    erig_open(&r);
    CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.record_debts == 0);
    gw_engine_close(&r.e);
    /* As if the copy had rotted before its row went. */
    CHECK(snprintf(command, sizeof command,
                   "rm -rf '%s' && mv '%s' '%s' && ls -t $(find '%s/c5/l' -type f) | head -n 1", r.state,
                   state, r.state, r.dir.path) > 0);
    FILE *newest = popen(command, "r");
    CHECK(newest != NULL && fgets(path, sizeof path, newest) != NULL && pclose(newest) == 0);
    path[strcspn(path, "\n")] = 0;
    rrig_flip(path, 40);
    erig_open(&r);
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.record_debts == 1);
    CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.record_debts == 0);
    struct gw_repair_report report;
    CHECK(rrig_repair(&r, true, &report) == QC_OK); /* which reads every copy */
    CHECK(rrig_sum(&report).records == 0);
    erig_done(&r);
}

/* A dry run writes to no cloud, says what it would do, and remembers what it saw. */
static void dry_run(void)
{
    struct qc_rand rand = qc_rand_start();
    const struct gw_repair_ask ask = { .deep = true, .dry_run = true };
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_status s;
    struct erig r;
    struct erig_put puts[2];
    char path[600];
    unsigned cloud;

    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    rrig_fragment(&r, &puts[0], 0, 1, &cloud, path);
    rrig_damage(path, RRIG_FLIPPED, NULL, &rand);
    CHECK_OK(gw_engine_repair(r.e, &ask, &report, &err));
    CHECK_RC(gw_repair_verdict(&report, &err), QC_DEGRADED);
    CHECK(report.rebuildable == 1 && rrig_sum(&report).rebuilt == 0 && report.written_bytes == 0);
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.margins[0].margin == 1);
    for (unsigned i = 0; i < 5; i++)
        CHECK(rrig_files(&r, i, "/f/") == 3);
    CHECK(rrig_repair(&r, false, &report) == QC_OK); /* what was seen needs no second look */
    CHECK(rrig_sum(&report).rebuilt == 1);
    rrig_whole(&r, puts, 2);
    erig_done(&r);
}

/* Objects that are not ours, or that nobody can explain, stay; what landed late under dead keys goes. */
static void strangers(void)
{
    struct qc_rand rand = qc_rand_start();
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct erig r;
    struct erig_put puts[2];
    char command[900], path[600], keep[700];
    unsigned cloud;
    bool more;

    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    CHECK(snprintf(command, sizeof command,
                   "mkdir -p '%s/c1/f/zz' '%s/c2/f/00' && echo hello > '%s/c1/f/zz/hello' && "
                   "echo hello > '%s/c2/f/00/00112233445566778899aabbccddeeff'",
                   r.dir.path, r.dir.path, r.dir.path, r.dir.path) > 0);
    CHECK(system(command) == 0);

    /* A put that was cancelled; its fragments go, and one of them lands again much later. */
    const struct erig_put q = erig_prepare(3, "\1gone", 1, 2, 700);
    CHECK_OK(erig_begin(&r, &q, &err));
    CHECK_OK(erig_segment(&r, &q, 0, &err));
    rrig_fragment(&r, &q, 0, 2, &cloud, path);
    CHECK(snprintf(keep, sizeof keep, "%s/late", r.dir.path) > 0);
    CHECK(snprintf(command, sizeof command, "cp '%s' '%s'", path, keep) > 0 && system(command) == 0);
    CHECK_OK(gw_upload_cancel(r.e, OWN(q.key), &state, &receipt, &err));
    for (unsigned i = 0; i < 6; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK(access(path, F_OK) != 0);
    CHECK(snprintf(command, sizeof command, "cp '%s' '%s'", keep, path) > 0 && system(command) == 0);

    /* A fragment that rotted, was replaced, and lands again under its old key. */
    char old[600], again[600];
    unsigned c;
    rrig_fragment(&r, &puts[0], 0, 0, &c, old);
    CHECK(snprintf(keep, sizeof keep, "%s/late2", r.dir.path) > 0);
    CHECK(snprintf(command, sizeof command, "cp '%s' '%s'", old, keep) > 0 && system(command) == 0);
    rrig_damage(old, RRIG_CUT, NULL, &rand);
    CHECK(rrig_repair(&r, false, &report) == QC_OK);
    const struct rrig_sums first = rrig_sum(&report);
    CHECK(first.foreign + first.unknown == 2 && first.dead == 1 && first.rebuilt == 1);
    CHECK(access(old, F_OK) != 0 && access(path, F_OK) != 0);
    CHECK(snprintf(command, sizeof command, "cp '%s' '%s'", keep, old) > 0 && system(command) == 0);
    rrig_fragment(&r, &puts[0], 0, 0, &c, again);
    CHECK(strcmp(old, again) != 0); /* it does not come back */
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).dead == 1 && rrig_sum(&report).rebuilt == 0);
    CHECK(access(old, F_OK) != 0);
    rrig_whole(&r, puts, 2);
    CHECK(snprintf(command, sizeof command, "%s/c1/f/zz/hello", r.dir.path) > 0 &&
          access(command, F_OK) == 0);
    CHECK(snprintf(command, sizeof command, "%s/c2/f/00/00112233445566778899aabbccddeeff", r.dir.path) > 0 &&
          access(command, F_OK) == 0);
    erig_done(&r);
}

/* Cancelled at once, or in the middle; slow on request; and one at a time. */
struct stop {
    struct qc_cancel cancel;
    enum gw_repair_phase at;
};
static void stop_at(void *ctx, const struct gw_repair_report *now)
{
    struct stop *s = ctx;
    if (now->phase == s->at)
        qc_cancel_set(&s->cancel);
}

static void asked(void)
{
    struct gw_repair_report report;
    struct qc_err err = { 0 };
    struct erig r;
    struct erig_put puts[2];

    erig_new(&r, 5, 3, 5);
    put_two(&r, puts);
    for (int phase = GW_REPAIR_STARTING; phase < GW_REPAIR_DONE; phase++) {
        struct stop s = { .at = (enum gw_repair_phase)phase };
        const struct gw_repair_ask ask = { .deep = true, .cancel = &s.cancel, .tell = stop_at, .ctx = &s };
        CHECK_RC(gw_engine_repair(r.e, &ask, &report, &err), QC_CANCELLED);
        CHECK(report.cancelled && report.phase == s.at);
        CHECK_RC(gw_repair_verdict(&report, &err), QC_CANCELLED);
        CHECK(strlen(gw_repair_phase_name(s.at)) > 0);
    }
    const uint64_t before = qc_now_ms();
    const struct gw_repair_ask slow = { .deep = true, .rate = 20000 };
    CHECK_OK(gw_engine_repair(r.e, &slow, &report, &err));
    CHECK(report.read_bytes > 8000 && qc_now_ms() - before >= report.read_bytes * 1000 / 20000);
    const struct gw_repair_ask stopped = { .rate = 1 };
    CHECK_RC(gw_engine_repair(r.e, &stopped, &report, &err), QC_USAGE);
    atomic_store(&r.e->repairing, true);
    const struct gw_repair_ask plain = { 0 };
    CHECK_RC(gw_engine_repair(r.e, &plain, &report, &err), QC_CONFLICT);
    atomic_store(&r.e->repairing, false);
    const struct gw_repair_ask unknown = { .adopt = "c9" };
    CHECK_RC(gw_engine_repair(r.e, &unknown, &report, &err), QC_USAGE);
    erig_done(&r);
}

int main(void)
{
    static const struct shape shapes[] = { { 1, 2 }, { 2, 3 }, { 3, 5 } };

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        each_damage(&shapes[i]);
    to_the_margin_and_beyond();
    owed();
    another_domain();
    own_place_taken();
    two_keys(false);
    two_keys(true);
    in_company();
    records();
    rotten_debt();
    dry_run();
    strangers();
    asked();
    return 0;
}
