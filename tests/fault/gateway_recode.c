/* fault/gateway_recode: another code, in one process. Killed at each step (a child) and failing there (this
 * process): after each of them the catalogue can be rebuilt from as few clouds as the log asks for, and
 * nothing that is told is more than what is there; then it goes on to its end, and all has the new code, is
 * what it was, and is counted once. Puts that are open meanwhile end with what they have. */
#include <sys/wait.h>

#include "base/fault.h"
#include "cat_internal.h"
#include "engine_internal.h"
#include "gateway/drill.h"
#include "gateway/move.h"
#include "gw_engine_rig.h"
#include "gw_repair_rig.h"
#include "qc_tree.h"

enum { CLOUDS = 7, K = 3, N = 5, TO_K = 4, TO_N = 7, PUTS = 4 };

struct bench {
    struct erig r;
    struct erig_put puts[PUTS];
    char pristine[320], killed[320];
};

static qc_rc reprotect(struct erig *r, unsigned k, unsigned n, struct gw_move_report *ret, struct qc_err *err)
{
    const struct gw_move_ask ask = { .kind = GW_MOVE_REPROTECT, .k = k, .n = n };

    *err = (struct qc_err){ 0 };
    return gw_engine_move(r->e, &ask, ret, err);
}

static void copy(const char *from, const char *to)
{
    qc_tree_remove(to);
    qc_tree_copy(from, to);
}

/* All of it is there, with at least this margin, and no more than there are fragments. */
static void whole(struct erig *r, const struct erig_put *puts, unsigned count, int margin)
{
    for (unsigned i = 0; i < count; i++) {
        const struct gw_version_ids ids = {
            .tenant = r->tenant, .vault = r->vault, .object = puts[i].object, .version = puts[i].version
        };
        struct gw_version_info info;
        struct qc_err err = { 0 };
        CHECK_OK(erig_check(r, &puts[i], &err));
        CHECK_OK(gw_version_info(r->e, &ids, &info, &err));
        if (info.margin < margin)
            fprintf(stderr, "%s: margin %d of %u,%u, at least %d\n", puts[i].path + 1, info.margin, info.k,
                    info.n, margin);
        CHECK(info.margin >= margin && info.margin <= (int)(info.n - info.k));
    }
}

static void counted(struct erig *r, const struct erig_put *puts, unsigned count)
{
    uint64_t want = 0;
    struct gw_usage u;
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));

    for (unsigned i = 0; i < count; i++)
        want += puts[i].entry.size + strlen(puts[i].path) + sizeof puts[i].private_part;
    CHECK_OK(gw_cat_usage(r->e->cat, r->tenant, &u, &err));
    CHECK(u.bytes > want && u.bytes < want + 700 + 100 * count); /* and sealed backup data */
    CHECK(u.objects == count && u.uploads == 0);
}

/* What is listed is whole by the code that it has, and not by one that it had. */
static void listed(struct erig *r, const struct erig_put *puts, unsigned count, int margin)
{
    for (unsigned i = 0; i < count; i++) {
        const struct gw_ref vault = { r->tenant, r->vault };
        struct gw_entry_row row = { 0 };
        struct qc_err err = { 0 };
        CHECK_OK(gw_entry_get(r->e, &vault, qc_span_str(puts[i].path), &row, &err));
        if (row.margin != margin || row.margin_full != margin)
            fprintf(stderr, "%s: margin %d of %d, expected %d\n", puts[i].path + 1, row.margin,
                    row.margin_full, margin);
        CHECK(row.margin == margin && row.margin_full == margin);
        gw_entry_row_done(&row);
    }
}

/* Everything has this code and is whole; nothing is reserved, nothing dead is left. */
static void done(struct erig *r, const struct erig_put *puts, unsigned count, unsigned k, unsigned n)
{
    uint64_t other, bytes, id;
    bool any;
    struct qc_err err = { 0 };

    CHECK(r->e->conf.k == k && r->e->conf.n == n);
    whole(r, puts, count, (int)(n - k));
    listed(r, puts, count, (int)(n - k));
    counted(r, puts, count);
    QC_LOCK(gw_cat_lock(r->e->cat));
    CHECK_OK(gw_cat_other_code_count(r->e->cat, k, n, &other, &bytes, &err));
    CHECK(other == 0 && bytes == 0);
    CHECK_OK(gw_cat_other_code_any(r->e->cat, k, n, &any, &err));
    CHECK(!any);
    CHECK_OK(gw_cat_other_code_any(r->e->cat, n + 1, n + 1, &any, &err));
    CHECK(any);
    if (n ==
        CLOUDS) { /* all of a version lie alike: it is not looked at one by one where margins are counted */
        QC_CLEANUP(gw_rows_end) struct gw_rows mixed = { 0 };
        CHECK_OK(GW_QUERY0(r->e->cat, DEVIANT_VERSIONS, &mixed, &err));
        CHECK(!mixed.row);
    }
    CHECK_OK(gw_cat_reserved_live(r->e->cat, 0, &id, &err));
    CHECK(id == 0);
}

/* From copies, without these clouds; bears: so many of them are gone for those who read, too. */
static void rebuilt(struct bench *b, unsigned gone, unsigned bears, unsigned first)
{
    struct gw_rebuild_report report;
    struct qc_err err = { 0 };
    char state[320];

    for (unsigned i = 0; i < gone; i++)
        erig_lose(&b->r, (first + i) % CLOUDS);
    erig_path(&b->r, "rebuilt", state, sizeof state);
    CHECK_OK(erig_rebuild(&b->r, state, &report, &err));
    CHECK(report.versions == PUTS && report.unreadable == 0);
    for (unsigned i = bears; i < gone; i++)
        erig_find(&b->r, (first + i) % CLOUDS);
    CHECK_OK(gw_engine_open(&b->r.e, state, &b->r.rng, &err));
    whole(&b->r, b->puts, PUTS, bears < gone ? -N : 0); /* what was not heard is in doubt until it was read */
    gw_engine_close(&b->r.e);
}

static bool killed_at(struct bench *b, const char *point)
{
    char script[128];
    int status = 0;
    const pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct gw_move_report report;
        struct qc_err err;
        CHECK(snprintf(script, sizeof script, "%s:kill:1", point) > 0);
        qc_fault_script(script);
        erig_open(&b->r);
        (void)reprotect(&b->r, TO_K, TO_N, &report, &err);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* How much of the new code holds: of nothing, of the log, of what is stored, too. */
enum reach { BEFORE, LOGGED, STORED };
static void killed(struct bench *b, const char *point, enum reach reach, unsigned first)
{
    struct gw_move_report report;
    struct qc_err err;

    copy(b->pristine, b->r.dir.path);
    if (getenv("QC_VERBOSE") != NULL)
        fprintf(stderr, "%s\n", point);
    CHECK(killed_at(b, point));
    copy(b->r.dir.path, b->killed);
    rebuilt(b, reach == BEFORE ? N - K : TO_N - TO_K, reach == STORED ? TO_N - TO_K : N - K, first);
    copy(b->killed, b->r.dir.path);
    erig_open(&b->r);
    whole(&b->r, b->puts, PUTS, N - K);
    CHECK_OK(reprotect(&b->r, TO_K, TO_N, &report, &err));
    done(&b->r, b->puts, PUTS, TO_K, TO_N);
    gw_engine_close(&b->r.e);
}

/* The step fails, and the same process goes on. */
static void failed(struct bench *b, const char *point)
{
    struct gw_move_report report;
    struct qc_err err;
    char script[128];

    copy(b->pristine, b->r.dir.path);
    erig_open(&b->r);
    CHECK(snprintf(script, sizeof script, "%s:error:1", point) > 0);
    qc_fault_script(script);
    (void)reprotect(&b->r, TO_K, TO_N, &report, &err); /* one segment's failure is passed over */
    qc_fault_script(NULL);
    whole(&b->r, b->puts, PUTS, N - K);
    const qc_rc rc = reprotect(&b->r, TO_K, TO_N, &report, &err);
    if (rc != QC_OK)
        fprintf(stderr, "after %s: %s: %s\n", point, qc_rc_name(rc), err.msg);
    CHECK(rc == QC_OK);
    gw_engine_close(&b->r.e);
    erig_open(&b->r); /* what was left busy is not any more */
    CHECK_OK(reprotect(&b->r, TO_K, TO_N, &report, &err));
    done(&b->r, b->puts, PUTS, TO_K, TO_N);
    gw_engine_close(&b->r.e);
}

static const struct {
    const char *name;
    enum reach reach;
} steps[] = {
    { "recode_quorum", BEFORE }, { "shares_drawn", BEFORE },    { "shares_put", BEFORE },
    { "shares_spread", BEFORE }, { "put_decide", BEFORE },      { "put_decided", BEFORE },
    { "put_log", BEFORE },       { "put_publish", LOGGED },     { "recode_code", LOGGED },
    { "shares_settle", LOGGED }, { "shares_settled", LOGGED },  { "recode_reserved", LOGGED },
    { "recode_put", LOGGED },    { "recode_put_done", LOGGED }, { "recode_read_back", LOGGED },
    { "recode_record", LOGGED }, { "recode_recorded", STORED }, { "sweep_delete", STORED },
    { "sweep_deleted", STORED },
};

static void make(struct bench *b)
{
    static const char *const paths[PUTS] = { "\1a", "\1b", "\1c", "\1d" };
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    erig_new(&b->r, CLOUDS, K, N);
    for (unsigned i = 0; i < PUTS; i++) {
        b->puts[i] = erig_prepare(i + 1, paths[i], 1, i == 0 ? 3 : 1, 3000 + 1000 * i);
        CHECK_OK(erig_put(&b->r, &b->puts[i], &receipt, &err));
    }
    gw_engine_close(&b->r.e);
}

static void at_each_step(void)
{
    struct bench b = { 0 };

    make(&b);
    CHECK(snprintf(b.pristine, sizeof b.pristine, "%s.pristine", b.r.dir.path) > 0);
    CHECK(snprintf(b.killed, sizeof b.killed, "%s.killed", b.r.dir.path) > 0);
    qc_tree_copy(b.r.dir.path, b.pristine);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        killed(&b, steps[i].name, steps[i].reach, i);
        failed(&b, steps[i].name);
    }
    qc_tree_remove(b.pristine);
    qc_tree_remove(b.killed);
    erig_done(&b.r);
}

/* Nothing is put for nothing, and nothing is given up. */
static void one_away(struct erig *r)
{
    const unsigned before = rrig_files(r, 1, "/f/");
    struct gw_repair_report repaired;
    struct gw_move_report report;
    struct qc_err err = { 0 };

    erig_lose(r, 3);
    CHECK_RC(reprotect(r, 0, 0, &report, &err), QC_DEGRADED);
    CHECK(report.fragments_left == 1 && strstr(report.why, "c4 does not answer") != NULL);
    CHECK(rrig_files(r, 1, "/f/") == before);
    erig_find(r, 3);
    CHECK_OK(gw_engine_repair(r->e, &(struct gw_repair_ask){ .deep = true }, &repaired, &err));
}

/* A segment whose bytes came while the code was another one; a version of both codes; a read that has begun.
 */
static void meanwhile(unsigned k, unsigned width)
{
    struct gw_move_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, CLOUDS, K, N);
    struct erig_put p[2] = { erig_prepare(1, "\1a", 1, 3, 70000), erig_prepare(2, "\1b", 1, 1, 900) };
    CHECK_OK(erig_put(&r, &p[1], &receipt, &err));
    CHECK_OK(erig_begin(&r, &p[0], &err));
    CHECK_OK(erig_segment(&r, &p[0], 0, &err));

    const struct gw_version_ids ids = {
        .tenant = r.tenant, .vault = r.vault, .object = p[1].object, .version = p[1].version
    };
    struct gw_reader *reader = NULL;
    uint64_t size;
    uint8_t got[2000], want[2000];
    size_t n = 0;
    CHECK_OK(gw_reader_open(r.e, &ids, "0123456789abcdef", &reader, &size, &err));

    struct gw_unit *u = NULL;
    uint8_t *bytes = malloc(70000);
    const struct gw_segment_put s = { .tenant = r.tenant, .put_key = p[0].key, .seq = 1, .size = 70000 };
    struct gw_segment_receipt segment;
    CHECK_OK(gw_engine_unit(r.e, r.tenant, s.size, qc_deadline_in(QC_GW_UNIT_MS), &u, &err));
    erig_bytes(&p[0], 1, bytes);
    gw_unit_add(u, qc_span_of(bytes, 50000));
    CHECK_OK(reprotect(&r, k, width, &report, &err));
    CHECK(report.moved == 1 && report.fragments_left == 0); /* an upload is not live yet */
    gw_unit_add(u, qc_span_of(bytes + 50000, 20000));
    CHECK_OK(gw_upload_segment(r.e, &s, u, &segment, &err));
    CHECK(segment.n == width && segment.durable == width);
    gw_unit_give(&u);
    free(bytes);
    CHECK_OK(erig_segment(&r, &p[0], 2, &err));
    CHECK_OK(erig_commit(&r, &p[0], &receipt, &err));
    CHECK(receipt.acked_margin == N - K); /* the least of its segments */
    whole(&r, &p[0], 1, N - K);

    CHECK_OK(gw_reader_read(reader, 0, size, got, sizeof got, &n, &err));
    erig_bytes(&p[1], 0, want);
    CHECK(n == size && memcmp(got, want, n) == 0);
    gw_reader_close(&reader);

    struct gw_move_turn turn = { 0 };
    bool found;
    CHECK_OK(gw_engine_move_open(r.e, &turn, &found, &err));
    CHECK(found && turn.kind == GW_MOVE_REPROTECT && turn.name[0] == '\0');
    struct gw_safety safety;
    CHECK_OK(gw_tenant_safety(r.e, r.tenant, &safety, &err));
    CHECK(safety.other_code == 1 && safety.versions[QC_EC_N_MAX + N - K] == 1);
    CHECK_OK(gw_tenant_safety(r.e, r.tenant + 1, &safety, &err));
    CHECK(safety.other_code == 0);
    if (width == CLOUDS)
        one_away(&r);
    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    CHECK(report.moved == 1);
    done(&r, p, 2, k, width);
    CHECK_OK(gw_engine_move_open(r.e, &turn, &found, &err));
    CHECK(!found);
    CHECK_OK(gw_tenant_safety(r.e, r.tenant, &safety, &err));
    CHECK(safety.other_code == 0);
    erig_done(&r);
}

/* What moved before, or was tried, is dead with its segment; with a cloud away nothing is given up. */
static void odd_places(void)
{
    struct gw_move_report report;
    struct gw_repair_report repaired;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;
    unsigned cloud, before;
    char path[600];

    erig_new(&r, CLOUDS, K, N);
    struct erig_put p = erig_prepare(1, "\1a", 1, 2, 5000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    CHECK_RC(reprotect(&r, 4, 8, &report, &err), QC_QUORUM);
    CHECK_RC(reprotect(&r, 0, 3, &report, &err), QC_OK); /* 0: as it is */
    rrig_fragment(&r, &p, 0, 2, &cloud, path);
    rrig_damage(path, RRIG_FLIPPED, NULL, &(struct qc_rand){ .state = 7 });
    const struct gw_repair_ask deep = { .deep = true };
    CHECK_OK(gw_engine_repair(r.e, &deep, &repaired, &err)); /* it lies under another key now */

    erig_lose(&r, 0);
    CHECK(reprotect(&r, TO_K, TO_N, &report, &err) != QC_OK);
    whole(&r, &p, 1, N - K - 1);
    erig_find(&r, 0);
    CHECK_OK(gw_engine_repair(r.e, &deep, &repaired, &err));
    CHECK_OK(reprotect(&r, TO_K, TO_N, &report, &err));
    done(&r, &p, 1, TO_K, TO_N);
    for (unsigned i = 0; i < CLOUDS; i++) {
        before = rrig_files(&r, i, "/f/");
        if (before != p.segments)
            fprintf(stderr, "cloud %u: %u fragments\n", i + 1, before);
        CHECK(before == p.segments);
    }

    /* Down again: records stay on as many clouds as they were. */
    CHECK_OK(reprotect(&r, 2, 3, &report, &err));
    CHECK(r.e->conf.record_quorum == TO_N - TO_K + 1 && r.e->conf.write_quorum == 3);
    done(&r, &p, 1, 2, 3);
    erig_done(&r);
}

/* The catalogue is made anew: the same commit gets a receipt that says no more than the first one. */
static void receipt_rebuilt(struct erig *r, const struct erig_put *p, const struct gw_receipt *first)
{
    struct gw_rebuild_report rebuilt;
    struct gw_receipt again;
    struct qc_err err = { 0 };

    gw_engine_close(&r->e);
    qc_tree_remove(r->state);
    CHECK_OK(erig_rebuild(r, r->state, &rebuilt, &err));
    CHECK(rebuilt.versions == 1 && rebuilt.unreadable == 0);
    erig_open(r);
    CHECK_OK(erig_commit(r, p, &again, &err));
    if (again.durable_min != first->durable_min)
        fprintf(stderr, "%u fragments were durable, %u after a rebuild\n", first->durable_min,
                again.durable_min);
    CHECK(again.durable_min == first->durable_min && again.acked_margin == first->acked_margin);
    CHECK(again.n == first->n && again.margin_full == first->margin_full);
}

/* A put that is open while the code gets another m: each of its segments keeps to its own quorum, and the
 * receipt says what the worst of them has, after a rebuild, too. */
static void open_to(unsigned k)
{
    struct gw_move_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, CLOUDS, K, N);
    struct erig_put p = erig_prepare(1, "\1a", 1, 2, 5000);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_OK(reprotect(&r, k, 7, &report, &err));
    CHECK(k != 2 || r.e->conf.write_quorum == 6); /* more than there are in the first segment's layout */
    CHECK_OK(erig_segment(&r, &p, 1, &err));
    CHECK_OK(erig_commit(&r, &p, &receipt, &err));
    CHECK(receipt.acked_margin == N - K && receipt.margin_full == 7 - (int)k);
    CHECK(receipt.n == 7 && receipt.durable_min == N);
    receipt_rebuilt(&r, &p, &receipt);
    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    done(&r, &p, 1, k, 7);
    erig_done(&r);
}

static int margin_of(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    struct gw_version_info info;
    struct qc_err err = { 0 };

    CHECK_OK(gw_version_info(r->e, &ids, &info, &err));
    return info.margin;
}

/* A version of one segment of the old code, where new ones have the new one. */
static void old_code(struct erig *r, struct erig_put *p, unsigned k, unsigned n)
{
    struct gw_move_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_begin(r, p, &err));
    CHECK_OK(erig_segment(r, p, 0, &err));
    CHECK_OK(reprotect(r, k, n, &report, &err));
    CHECK_OK(erig_commit(r, p, &receipt, &err));
}

/* A cloud is wiped and adopted while new segments are decided and not published: what it had of them does not
 * count when they are. */
static void adopted_between(void)
{
    const struct gw_repair_ask adopt = { .adopt = "c3" };
    struct gw_move_report report;
    struct gw_repair_report repaired;
    struct gw_segment seg;
    struct qc_err err = { 0 };
    struct erig r;
    char path[320];
    uint64_t id;

    erig_new(&r, CLOUDS, K, N);
    struct erig_put p = erig_prepare(1, "\1a", 1, 1, 5000);
    old_code(&r, &p, TO_K, TO_N);
    qc_fault_script("put_log:error+:1");
    CHECK(reprotect(&r, 0, 0, &report, &err) != QC_OK);
    erig_cloud(&r, 2, "", path, sizeof path);
    qc_tree_remove(path);
    err = (struct qc_err){ 0 };
    CHECK(gw_engine_repair(r.e, &adopt, &repaired, &err) != QC_OK); /* it is filled, and not named yet */
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        CHECK_OK(gw_cat_reserved_live(r.e->cat, 0, &id, &err));
        CHECK(id != 0);
        CHECK_OK(gw_cat_segment(r.e->cat, id, &seg, &err));
        CHECK(__builtin_popcount(seg.absent) == 1);
    }
    qc_fault_script("adopt_logged:error:1");
    err = (struct qc_err){ 0 };
    CHECK(gw_engine_repair(r.e, &adopt, &repaired, &err) != QC_OK); /* published; no fragment is back yet */
    qc_fault_script(NULL);
    CHECK(margin_of(&r, &p) == TO_N - TO_K - 1);
    CHECK_OK(gw_engine_repair(r.e, &adopt, &repaired, &err));
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    done(&r, &p, 1, TO_K, TO_N);
    erig_done(&r);
}

/* A drill does without as many clouds as all that is stored bears: what has the old code yet was never
 * promised to bear more, and one that did without more is not kept. More can be asked for. */
static void drilled(unsigned k, unsigned n, unsigned promised)
{
    struct gw_drill_ask ask = { .random = GW_DRILL_USUAL, .seed = 5 };
    struct gw_move_report report;
    struct gw_drilled d;
    struct gw_drills kept;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, CLOUDS, K, N);
    struct erig_put p = erig_prepare(1, "\1a", 1, 1, 5000);
    old_code(&r, &p, k, n);
    CHECK_OK(gw_engine_drill(r.e, &ask, &d, &err));
    if (d.without_count != promised)
        fprintf(stderr, "%d,%d to %u,%u: drilled without %u\n", K, N, k, n, d.without_count);
    CHECK(d.without_count == promised && d.exit == 0);
    CHECK_OK(gw_engine_drills(r.e, &kept, &err));
    CHECK(kept.last.without_count == promised && kept.last.ended_s != 0 && kept.failed.ended_s == 0);
    ask.random = CLOUDS - K + 1;
    CHECK_OK(gw_engine_drill(r.e, &ask, &d, &err));
    CHECK(d.exit == qc_rc_exit(QC_QUORUM) && d.without_count == CLOUDS - K + 1);
    ask.random = (int)promised + 1;
    CHECK_OK(gw_engine_drill(r.e, &ask, &d, &err));
    CHECK_OK(gw_engine_drills(r.e, &kept, &err));
    CHECK(kept.last.without_count == promised && kept.failed.ended_s == 0);

    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    ask.random = GW_DRILL_USUAL;
    CHECK_OK(gw_engine_drill(r.e, &ask, &d, &err));
    CHECK(d.without_count == n - k && d.exit == 0);
    erig_done(&r);
}

/* A reprotect that was broken off, and a drain that cannot move what has the old code yet: each has its turn,
 * and both come to their end. */
static void in_turn(void)
{
    enum { TURNS = 6 };
    struct gw_move_turn turn = { 0 };
    struct gw_move_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;
    unsigned turns = 0;

    erig_new(&r, CLOUDS, TO_K, TO_N);
    struct erig_put p = erig_prepare(1, "\1a", 1, 2, 5000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    qc_fault_script("recode_put:error+:1");
    CHECK(reprotect(&r, K, N, &report, &err) != QC_OK);
    qc_fault_script(NULL);
    const struct gw_move_ask drain = { .kind = GW_MOVE_DRAIN, .name = "c7" };
    err = (struct qc_err){ 0 };
    CHECK_RC(gw_engine_move(r.e, &drain, &report, &err), QC_DEGRADED); /* seven fragments, six clouds */
    turn = (struct gw_move_turn){ .kind = GW_MOVE_REPROTECT };         /* as if that one had been the last */
    for (bool found = true; found && turns < TURNS; turns++) {
        err = (struct qc_err){ 0 };
        CHECK_OK(gw_engine_move_open(r.e, &turn, &found, &err));
        CHECK(turns > 0 || (turn.kind == GW_MOVE_DRAIN && strcmp(turn.name, "c7") == 0));
        CHECK(turns != 1 || turn.kind == GW_MOVE_REPROTECT);
        const struct gw_move_ask ask = { .kind = turn.kind, .name = turn.name };
        const qc_rc rc = found ? gw_engine_move(r.e, &ask, &report, &err) : QC_OK;
        CHECK(rc == QC_OK || rc == QC_DEGRADED);
    }
    CHECK(turns < TURNS && rrig_files(&r, 6, "/f/") == 0);
    done(&r, &p, 1, K, N);
    erig_done(&r);
}

/* A cloud that takes nothing: not all segments are read, coded and put for nothing. */
static void not_in_vain(void)
{
    enum { MANY = 24, SIZE = 20000 };
    char folder[320], away[320];
    struct gw_move_report report;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;
    struct erig_put p[MANY];
    char paths[MANY][8];

    erig_new(&r, CLOUDS, K, N);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(snprintf(paths[i], sizeof paths[i], "\1%u", i) > 0);
        p[i] = erig_prepare(i + 1, paths[i], 1, 1, SIZE);
        CHECK_OK(erig_begin(&r, &p[i], &err));
        CHECK_OK(erig_segment(&r, &p[i], 0, &err));
    }
    CHECK_OK(reprotect(&r, TO_K, TO_N, &report, &err));
    for (unsigned i = 0; i < MANY; i++)
        CHECK_OK(erig_commit(&r, &p[i], &receipt, &err));
    erig_cloud(&r, 0, "/f", folder, sizeof folder); /* it answers, and has no place for fragments */
    erig_cloud(&r, 0, "/f.away", away, sizeof away);
    CHECK(rename(folder, away) == 0);
    FILE *f = fopen(folder, "w");
    CHECK(f != NULL && fclose(f) == 0);
    CHECK_RC(reprotect(&r, 0, 0, &report, &err), QC_DEGRADED);
    CHECK(report.fragments_left == MANY && strstr(report.why, "6 of 7 clouds took a segment") != NULL);
    CHECK(report.read_bytes <= QC_GW_RECODE_REFUSED * (SIZE + 100) && report.failed <= QC_GW_RECODE_REFUSED);
    CHECK(unlink(folder) == 0 && rename(away, folder) == 0);

    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    done(&r, p, MANY, TO_K, TO_N);
    erig_done(&r);
}

/* -- beside others --------------------------------------------------------------------------------------- */

enum { WRITERS = 2, EACH = 6 };
struct writer {
    struct erig *r;
    unsigned no;
    struct erig_put puts[EACH];
    char paths[EACH][16];
    pthread_t thread;
};

static void *write_and_read(void *arg)
{
    struct writer *w = arg;

    for (unsigned i = 0; i < EACH; i++) {
        struct gw_receipt receipt;
        struct qc_err err = { 0 };
        CHECK(snprintf(w->paths[i], sizeof w->paths[i], "\1w%u-%u", w->no, i) > 0);
        w->puts[i] = erig_prepare(100 * w->no + i, w->paths[i], 1, 1 + i % 3, 20000);
        CHECK_OK(erig_put(w->r, &w->puts[i], &receipt, &err));
        for (unsigned j = 0; j <= i; j++)
            CHECK_OK(erig_check(w->r, &w->puts[j], &err));
    }
    return NULL;
}

static void beside_others(void)
{
    static const unsigned codes[][2] = { { TO_K, TO_N }, { K, N }, { 2, 6 }, { TO_K, TO_N } };
    struct writer w[WRITERS] = { 0 };
    struct gw_move_report report;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, CLOUDS, K, N);
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){ .r = &r, .no = i + 1 };
        CHECK(pthread_create(&w[i].thread, NULL, write_and_read, &w[i]) == 0);
    }
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++)
        CHECK_OK(reprotect(&r, codes[i][0], codes[i][1], &report, &err));
    for (unsigned i = 0; i < WRITERS; i++)
        CHECK(pthread_join(w[i].thread, NULL) == 0);
    CHECK_OK(reprotect(&r, 0, 0, &report, &err));
    CHECK(r.e->conf.record_quorum == 5); /* of (2,6), from then on */
    for (unsigned i = 0; i < WRITERS; i++)
        whole(&r, w[i].puts, EACH, TO_N - TO_K);
    erig_done(&r);
}

/* In PostgreSQL: what is there cannot be copied, nor does a rebuild find its place free. */
static void at_each_step_there(void)
{
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bench b = { 0 };
        struct gw_move_report report;
        struct qc_err err;
        make(&b);
        if (getenv("QC_VERBOSE") != NULL)
            fprintf(stderr, "%s\n", steps[i].name);
        CHECK(killed_at(&b, steps[i].name));
        erig_open(&b.r);
        whole(&b.r, b.puts, PUTS, N - K);
        CHECK_OK(reprotect(&b.r, TO_K, TO_N, &report, &err));
        done(&b.r, b.puts, PUTS, TO_K, TO_N);
        gw_engine_close(&b.r.e);
        erig_done(&b.r);
    }
}

int main(void)
{
    meanwhile(TO_K, TO_N);
    meanwhile(2, 6); /* whose quorum is more than the old segment has fragments to lose */
    odd_places();
    open_to(2);
    open_to(TO_K);
    adopted_between();
    drilled(TO_K, TO_N, N - K); /* more than before */
    drilled(3, 4, 1);           /* less */
    in_turn();
    not_in_vain();
    beside_others();
    if (erig_elsewhere())
        at_each_step_there();
    else
        at_each_step();
    return 0;
}
