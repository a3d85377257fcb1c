/* fault/gateway_damage: log objects that are damaged, missing, out of reach, or there in two forms when the
 * catalogue is rebuilt. What was acknowledged is in the new catalogue, or the rebuild refuses; it never cuts
 * it off quietly (I1, D4). */
#include "gateway/root.h"
#include "gw_engine_rig.h"

enum { CLOUDS = 5, K = 3 };

/* The path of a log object's copy. The root key comes from the kit. */
static struct gw_root *root;
static void learn_root(struct erig *r)
{
    struct qc_err err = { 0 };
    qc_key *kit = NULL;

    CHECK_OK(gw_engine_kit(r->e, &kit, &err));
    const size_t n = strnlen((const char *)qc_key_open(kit).p, qc_key_len(kit));
    CHECK_OK(gw_kit_parse(qc_span_sub(qc_key_open(kit), 0, n), &root, &err));
    qc_key_free(&kit);
}

static void log_path(const struct erig *r, unsigned cloud, uint64_t sequence, uint16_t incarnation, char *ret,
                     size_t size)
{
    const struct gw_name name = { .kind = GW_NAME_LOG, .id = sequence, .incarnation = incarnation };
    struct qc_err err = { 0 };
    char key[GW_NAME_SIZE], dir[320];

    CHECK_OK(gw_name_make(root, cloud + 1, &name, key, &err));
    erig_cloud(r, cloud, "", dir, sizeof dir);
    CHECK(snprintf(ret, size, "%s/%s", dir, key) < (int)size);
}

/* What the tests do to one copy. */
enum harm { FLIP, CUT_SHORT, EMPTY, GONE };
static void hurt(const struct erig *r, unsigned cloud, uint64_t sequence, enum harm how)
{
    char path[420];
    log_path(r, cloud, sequence, 1, path, sizeof path);
    if (how == GONE) {
        CHECK(unlink(path) == 0);
        return;
    }
    if (how == EMPTY) {
        CHECK(truncate(path, 0) == 0);
        return;
    }
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL && fseek(f, 0, SEEK_END) == 0);
    const long size = ftell(f);
    CHECK(size > 100 && fseek(f, size / 2, SEEK_SET) == 0);
    const int byte = fgetc(f);
    CHECK(byte != EOF && fseek(f, size / 2, SEEK_SET) == 0 && fputc(byte ^ 4, f) != EOF && fclose(f) == 0);
    if (how == CUT_SHORT)
        CHECK(truncate(path, size - 1) == 0);
}

/* A gateway with log objects 1 (init), 2 (vault), 3, 4, 5 (a put each), closed; its state set aside. */
static struct erig_put three[3];
static void make(struct erig *r)
{
    static const char *const paths[] = { "\1a", "\1b", "\1c" };
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char old[320];

    erig_new(r, CLOUDS, K, CLOUDS);
    learn_root(r);
    for (unsigned i = 0; i < 3; i++) {
        three[i] = erig_prepare(i + 1, paths[i], 1, 1, 700);
        CHECK_OK(erig_put(r, &three[i], &receipt, &err));
        CHECK(receipt.record_copies == CLOUDS);
    }
    gw_engine_close(&r->e);
    erig_path(r, "old", old, sizeof old);
    CHECK(rename(r->state, old) == 0);
}

static void done(struct erig *r)
{
    gw_root_free(&root);
    erig_done(r);
}

static void check_all(struct erig *r)
{
    struct qc_err err = { 0 };
    erig_open(r);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(erig_check(r, &three[i], &err));
    gw_engine_close(&r->e);
}

/* m copies of every log object are bad in some way, on other clouds each time: nothing is missing. */
static void bad_copies(void)
{
    for (enum harm how = FLIP; how <= GONE; how++) {
        struct erig r;
        struct qc_err err = { 0 };
        struct gw_rebuild_report report;

        make(&r);
        for (unsigned sequence = 1; sequence <= 5; sequence++)
            for (unsigned i = 0; i < 2; i++)
                hurt(&r, (sequence + i) % CLOUDS, sequence, how);
        CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
        CHECK(report.log_sequence == 5);
        check_all(&r);
        /* The damaged copies were made good, the missing ones are paid: any two clouds may go now. */
        bool more;
        erig_open(&r);
        for (unsigned i = 0; i < 6; i++)
            CHECK_OK(gw_engine_tidy(r.e, &more, &err));
        gw_engine_close(&r.e);
        erig_lose(&r, 3);
        erig_lose(&r, 4);
        CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
        CHECK(report.log_sequence == 5);
        check_all(&r);
        done(&r);
    }
}

/* The one cloud that still has a record does not hand it out just now: that is no end of the log. Each later
 * GET of the rebuild fails once. */
static void out_of_reach(void)
{
    unsigned refused = 0;

    for (unsigned i = 0; i < 21; i++) {
        const unsigned sequence = 3 + i % 3, n = 2 + i / 3; /* 1: its identity */
        struct erig r;
        struct qc_err err = { 0 };
        struct gw_rebuild_report report;
        char rule[64];

        make(&r);
        for (unsigned c = 1; c < CLOUDS; c++)
            hurt(&r, c, sequence, GONE);
        CHECK(snprintf(rule, sizeof rule, "c1=get:fail@%u", n) > 0);
        CHECK(setenv("QC_CLOUD_FAULTS", rule, 1) == 0);
        const qc_rc rc = erig_rebuild(&r, r.state, &report, &err);
        CHECK(rc == QC_OK ? report.log_sequence == 5 : rc == QC_QUORUM);
        refused += rc != QC_OK;
        CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
        CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
        CHECK(report.log_sequence == 5);
        check_all(&r);
        done(&r);
    }
    CHECK(refused >= 3);
}

/* With two clouds away, every copy that is left of an acknowledged record is damaged: the rebuild says so,
 * and does not write a cut that would void it for good. When the others are back, all is there. */
static void damaged_everywhere(void)
{
    for (enum harm how = FLIP; how <= GONE; how++)
        for (unsigned sequence = 3; sequence <= 5; sequence++) {
            struct erig r;
            struct qc_err err = { 0 };
            struct gw_rebuild_report report;

            if (how == GONE && sequence == 5)
                continue; /* then nothing that is left says that there was one */
            make(&r);
            erig_lose(&r, 0);
            erig_lose(&r, 1);
            for (unsigned i = 2; i < CLOUDS; i++)
                hurt(&r, i, sequence, how);
            CHECK_RC(erig_rebuild(&r, r.state, &report, &err), QC_INTEGRITY);
            erig_find(&r, 0);
            erig_find(&r, 1);
            CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
            CHECK(report.log_sequence == 5);
            check_all(&r);
            done(&r);
        }
}

/* A record that reached one cloud only was never acknowledged: damaged there, it is no obstacle. */
static void never_acknowledged(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;

    make(&r);
    for (unsigned i = 1; i < CLOUDS; i++)
        hurt(&r, i, 5, GONE);
    hurt(&r, 0, 5, FLIP);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.log_sequence == 4 && report.log_beyond == 1);
    erig_open(&r);
    CHECK_OK(erig_check(&r, &three[1], &err));
    done(&r);
}

static void copy_tree(const char *from, const char *to)
{
    char command[900];
    CHECK(snprintf(command, sizeof command, "cp -a '%s' '%s'", from, to) > 0);
    CHECK(system(command) == 0);
}

/* Two processes ran the same catalogue (a cloned machine). The clone's record reached the first cloud before
 * that one was cut off from the other's; the other's is acknowledged. The rebuild takes the acknowledged one.
 */
static void twin(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_receipt receipt;
    char clone[320], theirs[420], kept[320];

    erig_new(&r, CLOUDS, K, CLOUDS);
    learn_root(&r);
    three[0] = erig_prepare(1, "\1a", 1, 1, 700);
    three[1] = erig_prepare(2, "\1b", 1, 1, 700);
    three[2] = erig_prepare(3, "\1c", 1, 1, 700);
    CHECK_OK(erig_put(&r, &three[0], &receipt, &err));
    gw_engine_close(&r.e);
    erig_path(&r, "clone", clone, sizeof clone);
    erig_path(&r, "kept", kept, sizeof kept);
    copy_tree(r.state, clone);

    /* The clone's object 4 exists on the first cloud alone. */
    struct gw_engine *mine = r.e;
    const struct erig_put other = erig_prepare(9, "\1x", 1, 1, 700);
    CHECK_OK(gw_engine_open(&r.e, clone, &r.rng, &err));
    CHECK_OK(erig_put(&r, &other, &receipt, &err));
    gw_engine_close(&r.e);
    for (unsigned i = 0; i < CLOUDS; i++) {
        log_path(&r, i, 4, 1, theirs, sizeof theirs);
        if (i == 0)
            CHECK(rename(theirs, kept) == 0);
        else
            CHECK(unlink(theirs) == 0);
    }
    r.e = mine;
    erig_open(&r);
    erig_lose(&r, 0);
    const qc_rc rc = erig_put(&r, &three[1], &receipt, &err);
    CHECK(rc == QC_QUORUM || rc == QC_OK); /* the write quorum counts the cloud that is away */
    if (rc != QC_OK)
        CHECK_OK(erig_put(&r, &three[1], &receipt, &err));
    CHECK_OK(erig_put(&r, &three[2], &receipt, &err));
    gw_engine_close(&r.e);
    erig_find(&r, 0);
    log_path(&r, 0, 4, 1, theirs, sizeof theirs);
    CHECK(rename(kept, theirs) == 0);

    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.log_sequence == 5);
    check_all(&r);
    done(&r);
}

int main(void)
{
    bad_copies();
    never_acknowledged();
    out_of_reach();
    damaged_everywhere();
    twin();
    return 0;
}
