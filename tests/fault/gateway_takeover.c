/* fault/gateway_takeover: a gateway, or a rebuild, is stopped (SIGSTOP) at each of its fault points while
 * another rebuild takes over, and then goes on. The stopped one acknowledges nothing that the new catalogue
 * lacks; what was acknowledged by anybody is in every later catalogue; one gateway at most may write (D4,
 * durability 4.4, I1). */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/time.h"
#include "gw_engine_rig.h"
#include "qc_tree.h"

enum { CLOUDS = 5, K = 3, EXIT_ACKED = 0, EXIT_FENCED = 3, EXIT_REFUSED = 4 };

struct bench {
    struct erig r;
    struct erig_put before, gone, after, rm,
        others; /* after: an overwrite of before; rm: of gone; others: the rival's */
    char pristine[320];
};

static void restore(struct bench *b)
{
    qc_tree_remove(b->r.dir.path);
    qc_tree_copy(b->pristine, b->r.dir.path);
}

/* -- one that is stopped at a point
 * ------------------------------------------------------------------------------- */

typedef qc_rc (*operation)(struct bench *b, const char *state, struct qc_err *err);

static qc_rc op_put(struct bench *b, const char *state, struct qc_err *err)
{
    struct gw_receipt receipt;
    QC_TRY(gw_engine_open(&b->r.e, state, &b->r.rng, err));
    return erig_put(&b->r, &b->after, &receipt, err);
}

static qc_rc op_remove(struct bench *b, const char *state, struct qc_err *err)
{
    struct gw_receipt receipt;
    QC_TRY(gw_engine_open(&b->r.e, state, &b->r.rng, err));
    return erig_remove(&b->r, &b->rm, &receipt, err);
}

static qc_rc op_rebuild(struct bench *b, const char *state, struct qc_err *err)
{
    struct gw_rebuild_report report;
    return erig_rebuild(&b->r, state, &report, err);
}

/* The operation runs in a child, and stands still at the point. 0: it ended without passing it. */
static pid_t stop_at(struct bench *b, operation op, const char *state, const char *point)
{
    char script[128];
    int status = 0;

    CHECK(snprintf(script, sizeof script, "%s:stop:1", point) > 0);
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct qc_err err = { 0 };
        qc_fault_script(script);
        const qc_rc rc = op(b, state, &err);
        _exit(rc == QC_OK ? EXIT_ACKED : rc == QC_FENCED ? EXIT_FENCED : EXIT_REFUSED);
    }
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    return WIFSTOPPED(status) ? pid : 0;
}

static int go_on(pid_t pid)
{
    int status = 0;
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* -- what must hold
 * ----------------------------------------------------------------------------------------------- */

static bool fenced(struct bench *b, const char *state)
{
    struct qc_err err = { 0 };
    struct gw_engine *e = NULL;
    struct gw_health health;

    CHECK_OK(gw_engine_open(&e, state, &b->r.rng, &err));
    gw_engine_health(e, &health);
    gw_engine_close(&e);
    return health.fenced;
}

static bool has(struct bench *b, const struct erig_put *p)
{
    const struct gw_version_ids ids = { .vault = b->r.vault, .object = p->object, .version = p->version };
    struct gw_version_info info;
    struct qc_err err = { 0 };
    const qc_rc rc = gw_version_info(b->r.e, &ids, &info, &err);

    CHECK(rc == QC_OK || rc == QC_NOTFOUND);
    if (rc == QC_OK)
        CHECK_OK(erig_check(&b->r, p, &err));
    return rc == QC_OK;
}

static bool removed(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    CHECK_OK(gw_entry_get(b->r.e, OWN(b->r.vault), qc_span_str(b->gone.path), &row, &err));
    const bool is = row.e.kind == GW_ENTRY_TOMBSTONE;
    gw_entry_row_done(&row);
    return is;
}

static void rebuild_and_open(struct bench *b, const char *state)
{
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    CHECK_OK(erig_rebuild(&b->r, state, &report, &err));
    CHECK(report.unreadable == 0);
    CHECK_OK(gw_engine_open(&b->r.e, state, &b->r.rng, &err));
    CHECK(has(b, &b->before) && has(b, &b->gone));
}

/* -- a gateway that slept through a rebuild
 * ----------------------------------------------------------------------- */

static const char *const put_points[] = { "put_intent",    "put_intent_done", "put_frag",
                                          "put_frag_done", "put_segment_row", "put_decide",
                                          "put_decided",   "put_log",         "put_witness",
                                          "put_publish",   "put_published",   "put_ack" };

static void sleeper(struct bench *b, const char *point, bool removal)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char other[320], third[320];

    restore(b);
    erig_path(&b->r, "other", other, sizeof other);
    erig_path(&b->r, "third", third, sizeof third);
    const pid_t pid = stop_at(b, removal ? op_remove : op_put, b->r.state, point);
    CHECK(pid != 0);
    rebuild_and_open(b, other);
    CHECK_OK(erig_put(&b->r, &b->others, &receipt, &err));
    const bool taken = removal ? removed(b) : has(b, &b->after);
    const int said = go_on(pid);
    CHECK(said == EXIT_ACKED || said == EXIT_FENCED);
    CHECK(said != EXIT_ACKED || taken);
    CHECK(taken == (removal ? removed(b) : has(b, &b->after)));
    CHECK(has(b, &b->others));
    gw_engine_close(&b->r.e);
    CHECK(fenced(b, b->r.state) && !fenced(b, other));
    rebuild_and_open(b, third);
    CHECK(has(b, &b->others) && (removal ? removed(b) : has(b, &b->after)) == taken);
    gw_engine_close(&b->r.e);
}

/* -- two rebuilds
 * ------------------------------------------------------------------------------------------------- */

/* The put is acknowledged, or the gateway of that state says that it is fenced. */
static bool may_write(struct bench *b, const char *state, const struct erig_put *p)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    CHECK_OK(gw_engine_open(&b->r.e, state, &b->r.rng, &err));
    const qc_rc rc = erig_put(&b->r, p, &receipt, &err);
    CHECK(rc == QC_OK || rc == QC_FENCED);
    gw_engine_close(&b->r.e);
    return rc == QC_OK;
}

static void slow_rebuild(struct bench *b, const char *point)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char slow[320], other[320], third[320];
    const struct erig_put x = erig_prepare(21, "\1x", 1, 1, 100), y = erig_prepare(22, "\1y", 1, 1, 100);

    restore(b);
    erig_path(&b->r, "slow", slow, sizeof slow);
    erig_path(&b->r, "other", other, sizeof other);
    erig_path(&b->r, "third", third, sizeof third);
    const pid_t pid = stop_at(b, op_rebuild, slow, point);
    CHECK(pid != 0);
    rebuild_and_open(b, other);
    CHECK_OK(erig_put(&b->r, &b->others, &receipt, &err));
    gw_engine_close(&b->r.e);
    const int said = go_on(pid);
    CHECK(said == EXIT_ACKED || said == EXIT_REFUSED);
    const bool first = may_write(b, other, &x);
    const bool second = said == EXIT_ACKED && may_write(b, slow, &y);
    CHECK(first != second);
    rebuild_and_open(b, third);
    CHECK(has(b, &b->others) && has(b, &x) == first && has(b, &y) == second);
    gw_engine_close(&b->r.e);
}

/* A rebuild has read the log and sleeps; a record that the old gateway had decided lands; another rebuild
 * takes it, and commits on top. The sleeper's cut comes too late, and must not void what stands beneath
 * acknowledged records. */
static void late_cut(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    char slow[320], other[320], third[320];

    restore(b);
    erig_path(&b->r, "slow", slow, sizeof slow);
    erig_path(&b->r, "other", other, sizeof other);
    erig_path(&b->r, "third", third, sizeof third);
    const pid_t old = stop_at(b, op_put, b->r.state, "put_decided");
    const pid_t sleeper_pid = stop_at(b, op_rebuild, slow, "rebuild_listed");
    CHECK(old != 0 && sleeper_pid != 0);
    CHECK(go_on(old) == EXIT_FENCED);
    rebuild_and_open(b, other);
    CHECK(has(b, &b->after)); /* decided, not cut: it stands */
    CHECK_OK(erig_put(&b->r, &b->others, &receipt, &err));
    gw_engine_close(&b->r.e);
    CHECK(go_on(sleeper_pid) == EXIT_REFUSED);
    CHECK(!fenced(b, other));
    rebuild_and_open(b, third);
    CHECK(has(b, &b->after) && has(b, &b->others));
    gw_engine_close(&b->r.e);
}

/* Several at once, without any order: one at most may write afterwards, and nothing is lost. */
static void crowd(struct bench *b)
{
    enum { RIVALS = 4 };
    struct erig_put own[RIVALS];
    char states[RIVALS][320], third[320];
    bool won[RIVALS];
    pid_t pids[RIVALS];
    unsigned winners = 0;

    restore(b);
    erig_path(&b->r, "third", third, sizeof third);
    fflush(NULL);
    for (unsigned i = 0; i < RIVALS; i++) {
        static const char *const paths[] = { "\1p", "\1q", "\1s", "\1t" };
        char name[16];
        CHECK(snprintf(name, sizeof name, "rival%u", i) > 0);
        erig_path(&b->r, name, states[i], sizeof states[i]);
        own[i] = erig_prepare(31 + i, paths[i], 1, 1, 100);
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0) {
            struct qc_err err = { 0 };
            _exit(op_rebuild(b, states[i], &err) == QC_OK ? EXIT_ACKED : EXIT_REFUSED);
        }
    }
    for (unsigned i = 0; i < RIVALS; i++) {
        int status = 0;
        CHECK(waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status));
        won[i] = WEXITSTATUS(status) == EXIT_ACKED;
    }
    for (unsigned i = 0; i < RIVALS; i++) {
        won[i] = won[i] && may_write(b, states[i], &own[i]);
        winners += won[i];
    }
    CHECK(winners <= 1);
    rebuild_and_open(b, third);
    for (unsigned i = 0; i < RIVALS; i++)
        CHECK(has(b, &own[i]) == won[i]);
    gw_engine_close(&b->r.e);
}

static void make(struct bench *b)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh;

    CHECK_OK(erig_init(&b->r, b->r.state, &err));
    erig_open(&b->r);
    erig_record(&b->r, record);
    CHECK_OK(
        gw_vault_put(b->r.e, OWN(b->r.vault), qc_span_of(record, sizeof record), QC_LIT("b"), &fresh, &err));
    b->before = erig_prepare(1, "\1alpha", 1, 2, 800);
    b->gone = erig_prepare(2, "\1beta", 1, 1, 800);
    b->after = erig_prepare(3, "\1alpha", 2, 1, 800);
    b->rm = erig_prepare(4, "\1beta", 2, 1, 1);
    b->others = erig_prepare(5, "\1gamma", 1, 1, 300);
    CHECK_OK(erig_put(&b->r, &b->before, &receipt, &err));
    CHECK_OK(erig_put(&b->r, &b->gone, &receipt, &err));
    gw_engine_close(&b->r.e);
}

int main(void)
{
    static const char *const rebuild_points[] = { "rebuild_key",      "rebuild_fence", "rebuild_fenced",
                                                  "rebuild_listed",   "rebuild_cut",   "rebuild_rows",
                                                  "rebuild_presence", "rebuild_done" };
    struct bench b = { 0 };
    char base[256];
    const uint64_t crowds = qc_rand_cases(4, 200);

    erig_start(&b.r, CLOUDS, K, CLOUDS);
    memcpy(base, b.r.dir.path, sizeof base);
    CHECK(snprintf(b.pristine, sizeof b.pristine, "%.200s/live.pristine", base) > 0);
    CHECK(snprintf(b.r.dir.path, sizeof b.r.dir.path, "%.200s/live", base) > 0);
    CHECK(mkdir(b.r.dir.path, 0700) == 0);
    erig_path(&b.r, "state", b.r.state, sizeof b.r.state);
    make(&b);
    CHECK(rename(b.r.dir.path, b.pristine) == 0);

    late_cut(&b);
    for (uint64_t i = 0; i < crowds; i++)
        crowd(&b);
    for (size_t i = 0; i < sizeof rebuild_points / sizeof *rebuild_points; i++)
        slow_rebuild(&b, rebuild_points[i]);
    for (size_t i = 0; i < sizeof put_points / sizeof *put_points; i++) {
        sleeper(&b, put_points[i], false);
        if (i >= 5)
            sleeper(&b, put_points[i], true);
    }
    memcpy(b.r.dir.path, base, sizeof base);
    erig_done(&b.r);
    return 0;
}
