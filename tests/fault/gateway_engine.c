/* fault/gateway_engine: the program is killed, or a step fails, at every fault point that an operation
 * passes, at each of its first passes. Afterwards: what was acknowledged is there, the operation can be done
 * again, nothing is left over on the clouds, and a rebuild finds the same. A point that no operation passes
 * fails the test. (I1, D1..D10) */
#include <fcntl.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "gw_repair_rig.h"
#include "qc_tree.h"

enum {
    CLOUDS = 3,
    K = 2,
    RECORDS = CLOUDS - K + 1,
    SEGMENTS = 2,
    PASSES = 24,
    EXIT_ACKED = 0,
    EXIT_REFUSED = 3
};

struct bench {
    struct erig r;
    struct erig_put before, after, gone, rm; /* before: live from the start; gone: live, to be removed */
    char pristine[320];
    bool failed; /* a step was made to fail; otherwise the program was killed */
};

static unsigned fragments(const struct erig *r, unsigned cloud)
{
    return rrig_files(r, cloud, "/f/");
}

/* The bench as it was made: state and clouds. */
static void restore(struct bench *b)
{
    qc_tree_remove(b->r.dir.path);
    qc_tree_copy(b->pristine, b->r.dir.path);
}

/* -- operations, in a child that may be killed ----------------------------------------------------------- */

typedef qc_rc (*operation)(struct bench *b, struct qc_err *err);

static qc_rc op_put(struct bench *b, struct qc_err *err)
{
    struct gw_receipt receipt;
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    return erig_put(&b->r, &b->after, &receipt, err);
}

static qc_rc op_remove(struct bench *b, struct qc_err *err)
{
    struct gw_receipt receipt;
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    return erig_remove(&b->r, &b->rm, &receipt, err);
}

static struct gw_rename the_move(const struct bench *b)
{
    return erig_move_of(&b->gone, 5, "\1gamma", 0);
}

static qc_rc op_rename(struct bench *b, struct qc_err *err)
{
    struct gw_rename m = the_move(b);
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    QC_TRY(gw_entries_rename(b->r.e, OWN(b->r.vault), &m, 1, err));
    if (m.rc != QC_OK)
        *err = m.err;
    return m.rc;
}

static qc_rc op_cancel(struct bench *b, struct qc_err *err)
{
    enum gw_upload_state state;
    struct gw_receipt receipt;
    bool more;
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    QC_TRY(erig_begin(&b->r, &b->after, err));
    QC_TRY(erig_segment(&b->r, &b->after, 0, err));
    QC_TRY(gw_upload_cancel(b->r.e, OWN(b->after.key), &state, &receipt, err));
    for (unsigned i = 0; i < 4; i++)
        QC_TRY(gw_engine_tidy(b->r.e, &more, err));
    return QC_OK;
}

/* A cloud is away, and the write quorum is all of them: what was written is dropped. */
static qc_rc op_refused(struct bench *b, struct qc_err *err)
{
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    QC_TRY(erig_begin(&b->r, &b->after, err));
    const qc_rc rc = erig_segment(&b->r, &b->after, 0, err);
    return rc == QC_QUORUM ? QC_OK : rc;
}

/* One cloud is away during a put, and back when the copies are paid. */
static qc_rc op_debt(struct bench *b, struct qc_err *err)
{
    bool more;
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    usleep(1000);
    return gw_engine_tidy(b->r.e, &more, err);
}

static qc_rc op_init(struct bench *b, struct qc_err *err)
{
    return erig_init(&b->r, b->r.state, err);
}

static qc_rc op_rebuild(struct bench *b, struct qc_err *err)
{
    struct gw_rebuild_report report;
    return erig_rebuild(&b->r, b->r.state, &report, err);
}

static qc_rc repair(struct bench *b, const char *cloud, struct qc_err *err)
{
    const struct gw_repair_ask ask = { .deep = true, .adopt = cloud };
    struct gw_repair_report report;

    QC_TRY(gw_engine_repair(b->r.e, &ask, &report, err));
    return gw_repair_verdict(&report, err);
}

static qc_rc op_repair(struct bench *b, struct qc_err *err)
{
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    return repair(b, NULL, err);
}

static qc_rc op_adopt(struct bench *b, struct qc_err *err)
{
    QC_TRY(gw_engine_open(&b->r.e, b->r.state, &b->r.rng, err));
    return repair(b, "c3", err);
}

/* -- what must hold afterwards --------------------------------------------------------------------------- */

/* As the client does after a crash: ask by key; live is done, open is cancelled, then again under a new key.
 */
static void recover_put(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_receipt receipt;

    CHECK_OK(gw_upload_get(b->r.e, OWN(b->after.key), &state, &receipt, &err));
    CHECK(!acked || state == GW_UPLOAD_LIVE);
    CHECK(state != GW_UPLOAD_DECIDED); /* the opening rolled it forward: all clouds are there */
    if (state == GW_UPLOAD_LIVE) {
        CHECK_OK(erig_check(&b->r, &b->after, &err));
        /* The cloud whose step failed may be owed its record, as the receipt said. */
        const unsigned least = acked && b->failed ? RECORDS : CLOUDS;
        CHECK(receipt.number == 2 && receipt.record_copies >= least && receipt.acked_margin == 1);
        return;
    }
    CHECK_OK(gw_upload_cancel(b->r.e, OWN(b->after.key), &state, &receipt, &err));
    const struct erig_put again = erig_prepare(77, b->after.path, 2, SEGMENTS, 900);
    CHECK_OK(erig_put(&b->r, &again, &receipt, &err));
    CHECK_OK(erig_check(&b->r, &again, &err));
}

static void settle(struct bench *b)
{
    struct qc_err err = { 0 };
    bool more;
    for (unsigned i = 0; i < 6; i++)
        CHECK_OK(gw_engine_tidy(b->r.e, &more, &err));
}

static void check_common(struct bench *b, unsigned versions)
{
    struct qc_err err = { 0 };
    struct gw_status s;

    settle(b);
    CHECK_OK(gw_engine_status(b->r.e, &s, &err));
    CHECK(s.versions == versions && s.debts == 0 && s.record_debts == 0 && s.dead_segments == 0 &&
          s.open_uploads == 0);
    CHECK_OK(erig_check(&b->r, &b->before, &err));
    CHECK_OK(erig_check(&b->r, &b->gone, &err));
    for (unsigned i = 0; i < CLOUDS; i++)
        CHECK(fragments(&b->r, i) == versions * SEGMENTS);
}

static void check_put(struct bench *b, bool acked)
{
    erig_open(&b->r);
    recover_put(b, acked);
    check_common(b, 3);
}

static void check_remove(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    struct gw_receipt receipt;

    erig_open(&b->r);
    CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(b->rm.path), &row, &err));
    CHECK(!acked || row.e.kind == GW_ENTRY_TOMBSTONE);
    gw_entry_row_done(&row);
    CHECK_OK(erig_remove(&b->r, &b->rm, &receipt, &err)); /* the same key: done, or done now */
    CHECK(receipt.number == 2);
    CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(b->rm.path), &row, &err));
    CHECK(row.e.kind == GW_ENTRY_TOMBSTONE && row.e.number == 2);
    gw_entry_row_done(&row);
    check_common(b, 2);
}

/* Both or none, and both in the end: by the same key, with the same receipt. */
static void check_rename(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    struct gw_rename m = the_move(b), again;

    erig_open(&b->r);
    CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(b->gone.path), &row, &err));
    const bool moved = row.e.kind == GW_ENTRY_TOMBSTONE;
    gw_entry_row_done(&row);
    CHECK(moved || !acked);
    erig_at(&b->r, b->gone.path, moved ? "2 none" : "1 file");
    erig_at(&b->r, "\1gamma", moved ? "1 file" : "0");
    CHECK_OK(gw_entries_rename(b->r.e, OWN(b->r.vault), &m, 1, &err));
    CHECK_OK(m.rc);
    CHECK(m.receipt.number == 1 && m.receipt.chain == 4);
    again = the_move(b);
    CHECK_OK(gw_entries_rename(b->r.e, OWN(b->r.vault), &again, 1, &err));
    CHECK(again.rc == QC_OK && memcmp(&again.receipt, &m.receipt, sizeof m.receipt) == 0);
    erig_at(&b->r, b->gone.path, "2 none");
    erig_at(&b->r, "\1gamma", "1 file");
    check_common(b, 2);
}

static void check_cancel(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_receipt receipt;

    erig_open(&b->r);
    CHECK_OK(gw_upload_get(b->r.e, OWN(b->after.key), &state, &receipt, &err));
    CHECK(!acked || state == GW_UPLOAD_CANCELLED);
    CHECK_OK(gw_upload_cancel(b->r.e, OWN(b->after.key), &state, &receipt, &err));
    CHECK_RC(erig_begin(&b->r, &b->after, &err), QC_CONFLICT);
    check_common(b, 2);
}

static void check_refused(struct bench *b, bool acked)
{
    (void)acked;
    erig_find(&b->r, 2);
    check_cancel(b, false);
}

static void check_debt(struct bench *b, bool acked)
{
    (void)acked;
    erig_open(&b->r);
    check_common(b, 2);
}

static void check_init(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    const qc_rc rc = erig_init(&b->r, b->r.state, &err);

    CHECK(rc == QC_OK || (rc == QC_CONFLICT && access(b->r.state, F_OK) == 0));
    (void)acked;
    erig_open(&b->r);
    struct gw_status s;
    CHECK_OK(gw_engine_status(b->r.e, &s, &err));
    CHECK(s.log_sequence == 1 && s.versions == 0 && s.health.incarnation == 1);
}

static void check_rebuild(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;

    if (!acked)
        CHECK_OK(erig_rebuild(&b->r, b->r.state, &report, &err));
    erig_open(&b->r);
    check_common(b, 2);
}

/* Nothing is lost, and the same again completes it. */
static void check_repair(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };

    erig_open(&b->r);
    CHECK_OK(erig_check(&b->r, &b->before, &err));
    CHECK_OK(erig_check(&b->r, &b->gone, &err));
    if (!acked)
        CHECK_OK(repair(b, NULL, &err));
    check_common(b, 2);
    rrig_whole(&b->r, (const struct erig_put[]){ b->before, b->gone }, 2);
}

/* Nor is anything claimed that is not there: the loss of a cloud is seen at once. */
static void check_adopt(struct bench *b, bool acked)
{
    struct qc_err err = { 0 };

    erig_open(&b->r);
    rrig_honest(&b->r, &b->before);
    rrig_honest(&b->r, &b->gone);
    if (!acked)
        CHECK_OK(repair(b, "c3", &err));
    check_common(b, 2);
    rrig_whole(&b->r, (const struct erig_put[]){ b->before, b->gone }, 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(rrig_files(&b->r, 2, "/l/") == rrig_files(&b->r, i, "/l/"));
        CHECK(rrig_files(&b->r, 2, "/r/") == rrig_files(&b->r, i, "/r/"));
    }
}

/* -- the loop -------------------------------------------------------------------------------------------- */

struct scenario {
    const char *name;
    operation run;
    void (*check)(struct bench *b, bool acked);
    void (*prepare)(struct bench *b);
    bool rebuild_after; /* a rebuild of what it leaves must find the same */
};

static unsigned reached[QC_FP_COUNT];

/* A sanitizer has nothing to look at in a process that is killed. */
static const char *const actions[] = {
    "error",
#ifndef __SANITIZE_ADDRESS__
    "kill",
#endif
};

/* Behind one point in so many a rebuild is looked at, too: without a sanitizer behind each. */
#ifdef __SANITIZE_ADDRESS__
enum { REBUILD_IN = 8 };
#else
enum { REBUILD_IN = 1 };
#endif

/* How often the operation passes each point, when nothing fails. */
static void count_passes(struct bench *b, const struct scenario *s, uint64_t ret[QC_FP_COUNT])
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct qc_err err = { 0 };
        uint64_t passes[QC_FP_COUNT];
        qc_fault_script("");
        CHECK_OK(s->run(b, &err));
        for (unsigned p = 0; p < QC_FP_COUNT; p++)
            passes[p] = qc_fault_passes((enum qc_fault_point)p);
        CHECK(write(fds[1], passes, sizeof passes) == (ssize_t)sizeof passes);
        _exit(0);
    }
    close(fds[1]);
    CHECK(read(fds[0], ret, sizeof(uint64_t) * QC_FP_COUNT) == (ssize_t)(sizeof(uint64_t) * QC_FP_COUNT));
    close(fds[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* *ret_acked: the operation said that it was done. */
static void strike(struct bench *b, const struct scenario *s, const char *script, bool kill, bool *ret_acked)
{
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct qc_err err = { 0 };
        qc_fault_script(script);
        _exit(s->run(b, &err) == QC_OK ? EXIT_ACKED : EXIT_REFUSED);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    *ret_acked = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ACKED;
    CHECK(WIFEXITED(status) ? WEXITSTATUS(status) == EXIT_ACKED || WEXITSTATUS(status) == EXIT_REFUSED
                            : kill && WTERMSIG(status) == SIGKILL);
}

static void one_fault(struct bench *b, const struct scenario *s, enum qc_fault_point p, const char *action,
                      uint64_t n)
{
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    char script[128];
    bool acked;

    CHECK(snprintf(script, sizeof script, "%s:%s:%llu", qc_fault_name(p), action, (unsigned long long)n) > 0);
    b->failed = strcmp(action, "error") == 0;
    restore(b);
    if (s->prepare != NULL)
        s->prepare(b);
    strike(b, s, script, !b->failed, &acked);
    qc_fault_script("");
    s->check(b, acked);
    gw_engine_close(&b->r.e);
    if (s->rebuild_after && n == 1 && p % REBUILD_IN == 0) {
        CHECK_OK(erig_rebuild(&b->r, b->r.state, &report, &err));
        CHECK(report.unknown == 0 && report.fragments_missing == 0 && report.log_beyond == 0);
        erig_open(&b->r);
        settle(b);
        CHECK_OK(erig_check(&b->r, &b->before, &err));
        gw_engine_close(&b->r.e);
    }
}

static void run_scenario(struct bench *b, const struct scenario *s)
{
    uint64_t passes[QC_FP_COUNT];
    const uint64_t most = qc_rand_cases_watched(2, PASSES);
    unsigned points = 0, faults = 0;

    restore(b);
    if (s->prepare != NULL)
        s->prepare(b);
    count_passes(b, s, passes);
    for (unsigned p = 0; p < QC_FP_COUNT; p++) {
        if (passes[p] == 0)
            continue;
        points++;
        reached[p]++;
        for (uint64_t n = 1; n <= passes[p] && n <= most; n++)
            for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
                one_fault(b, s, (enum qc_fault_point)p, actions[i], n);
                faults++;
            }
    }
    fprintf(stderr, "%s: %u points, %u faults\n", s->name, points, faults);
    CHECK(points > 3);
}

/* -- benches --------------------------------------------------------------------------------------------- */

static void without_state(struct bench *b)
{
    qc_tree_remove(b->r.state);
}

static void without_anything(struct bench *b)
{
    qc_tree_remove(b->r.dir.path);
    CHECK(mkdir(b->r.dir.path, 0700) == 0);
}

static void with_loss(struct bench *b)
{
    erig_lose(&b->r, 2);
}

static void with_debt(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    erig_lose(&b->r, 2);
    erig_open(&b->r);
    CHECK_OK(erig_remove(&b->r, &b->rm, &receipt, &err)); /* its record is owed to one cloud */
    CHECK(receipt.record_copies == 2);
    gw_engine_close(&b->r.e);
    erig_find(&b->r, 2);
}

/* One fragment of each object is lost or rotten, on different clouds, and a root object is gone. */
static void with_damage(struct bench *b)
{
    char path[600], root[400];
    unsigned cloud;

    erig_open(&b->r);
    rrig_fragment(&b->r, &b->before, 1, 0, &cloud, path);
    rrig_flip(path, 300);
    rrig_fragment(&b->r, &b->gone, 0, 2, &cloud, path);
    CHECK(unlink(path) == 0);
    gw_engine_close(&b->r.e);
    erig_path(&b->r, "c2/r", root, sizeof root);
    qc_tree_remove(root);
}

/* A cancelled upload's fragment landed after its rounds. */
static void with_late(struct bench *b)
{
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_receipt receipt;
    char path[600], copy[600];
    unsigned cloud;
    bool more;

    erig_open(&b->r);
    CHECK_OK(erig_begin(&b->r, &b->after, &err));
    CHECK_OK(erig_segment(&b->r, &b->after, 0, &err));
    rrig_fragment(&b->r, &b->after, 0, 1, &cloud, path);
    CHECK(snprintf(copy, sizeof copy, "%s/late", b->r.dir.path) < (int)sizeof copy);
    qc_tree_copy(path, copy);
    CHECK_OK(gw_upload_cancel(b->r.e, OWN(b->after.key), &state, &receipt, &err));
    for (unsigned i = 0; i < 6; i++)
        CHECK_OK(gw_engine_tidy(b->r.e, &more, &err));
    gw_engine_close(&b->r.e);
    qc_tree_copy(copy, path);
}

static void with_wiped(struct bench *b)
{
    char cloud[400];
    erig_path(&b->r, "c3", cloud, sizeof cloud);
    qc_tree_remove(cloud);
    CHECK(mkdir(cloud, 0700) == 0);
}

int main(void)
{
    static const struct scenario scenarios[] = {
        { "init", op_init, check_init, without_anything, false },
        { "put", op_put, check_put, NULL, true },
        { "remove", op_remove, check_remove, NULL, true },
        { "rename", op_rename, check_rename, NULL, true },
        { "cancel", op_cancel, check_cancel, NULL, true },
        { "refused", op_refused, check_refused, with_loss, true },
        { "debt", op_debt, check_debt, with_debt, true },
        { "rebuild", op_rebuild, check_rebuild, without_state, false },
        { "repair", op_repair, check_repair, with_damage, true },
        { "late", op_repair, check_repair, with_late, true },
        { "adopt", op_adopt, check_adopt, with_wiped, true },
    };
    static const char *const prefixes[] = { "gw_",   "put_",     "cancel_", "sweep_",
                                            "debt_", "rebuild_", "repair_", "adopt_" };
    struct bench b = { 0 };
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char base[256];

    erig_start(&b.r, CLOUDS, K, CLOUDS);
    memcpy(base, b.r.dir.path, sizeof base);
    CHECK(snprintf(b.pristine, sizeof b.pristine, "%s/live.pristine", base) > 0);
    CHECK(snprintf(b.r.dir.path, sizeof b.r.dir.path, "%.200s/live", base) > 0);
    CHECK(mkdir(b.r.dir.path, 0700) == 0);
    erig_path(&b.r, "state", b.r.state, sizeof b.r.state);
    CHECK_OK(erig_init(&b.r, b.r.state, &err));
    erig_open(&b.r);
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh;
    erig_record(&b.r, record);
    CHECK_OK(
        gw_vault_put(b.r.e, OWN(b.r.vault), qc_span_of(record, sizeof record), QC_LIT("b"), &fresh, &err));
    b.before = erig_prepare(1, "\1alpha", 1, SEGMENTS, 800);
    b.gone = erig_prepare(2, "\1beta", 1, SEGMENTS, 800);
    b.after = erig_prepare(3, "\1alpha", 2, SEGMENTS, 800);
    b.rm = erig_prepare(4, "\1beta", 2, 1, 1);
    CHECK_OK(erig_put(&b.r, &b.before, &receipt, &err));
    CHECK_OK(erig_put(&b.r, &b.gone, &receipt, &err));
    gw_engine_close(&b.r.e);
    CHECK(rename(b.r.dir.path, b.pristine) == 0);

    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        run_scenario(&b, &scenarios[i]);
    for (unsigned p = 0; p < QC_FP_COUNT; p++)
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (strncmp(qc_fault_name((enum qc_fault_point)p), prefixes[i], strlen(prefixes[i])) == 0 &&
                reached[p] == 0) {
                fprintf(stderr, "no operation passes %s\n", qc_fault_name((enum qc_fault_point)p));
                return 1;
            }
    memcpy(b.r.dir.path, base, sizeof base);
    erig_done(&b.r);
    return 0;
}
