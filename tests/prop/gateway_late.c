/* prop/gateway_late: puts of fragments that nobody waits for any more land whenever they like: after their
 * upload was given up and swept, before, while and after a repair puts the same fragment, or its replacement.
 * None brings anything back, none replaces anything, and in the end a repair leaves what is stored and
 * nothing else. (I1, P2; durability: late PUT) */
#include <unistd.h>

#include "gw_repair_rig.h"

enum { NAMES = 10, STEPS = 14, IMPATIENT_MS = 60, LATE_MS = 200 };

struct store {
    struct erig r;
    struct qc_rand *rand;
    struct erig_put puts[NAMES];
    char paths[NAMES][8];
    bool stored[NAMES]; /* acknowledged: it stays, removed or not (FORMAT 1) */
    bool removed[NAMES];
    unsigned used; /* of puts */
};

/* What has happened: fragments owed for being late, uploads given up, objects found under dead keys. */
static uint64_t late, given_up, landed;

static unsigned below(struct store *s, unsigned n)
{
    return (unsigned)qc_rand_below(s->rand, n);
}

/* The rules of cloud/cloud_fault.h, for calls that begin from now on. */
static void rules(const struct store *s, const char *text)
{
    char path[320], tmp[340];

    erig_path(&s->r, "faults", path, sizeof path);
    CHECK(snprintf(tmp, sizeof tmp, "%s.new", path) > 0);
    FILE *f = fopen(tmp, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && rename(tmp, path) == 0);
}

/* Some puts of at most m clouds land late: fewer than a put needs are left, or just enough. */
static void make_late(struct store *s)
{
    unsigned cloud[QC_GW_CLOUDS_MAX];
    char text[200] = "";
    size_t n = 0;

    for (unsigned i = 0; i < s->r.clouds; i++)
        cloud[i] = i + 1;
    qc_rand_choose(s->rand, cloud, s->r.clouds, s->r.n - s->r.k);
    for (unsigned i = 0; i < s->r.n - s->r.k; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "c%u=put:late:%u%%%u\n", cloud[i],
                              1 + below(s, LATE_MS), 30 + below(s, 71));
    rules(s, below(s, 4) == 0 ? "" : text);
}

static void set_up(struct store *s)
{
    static const unsigned shapes[][3] = { { 5, 3, 5 }, { 5, 2, 4 }, { 4, 1, 3 }, { 6, 3, 5 } };
    const unsigned *shape = shapes[below(s, 4)];
    char env[400];
    struct erig r;

    erig_start(&r, shape[0], shape[1], shape[2]); /* for a place to have rules in */
    s->r = r;
    rules(s, "");
    CHECK(snprintf(env, sizeof env, "@%s/faults", r.dir.path) > 0);
    CHECK(setenv("QC_CLOUD_FAULTS", env, 1) == 0);
    struct qc_err err = { 0 };
    bool fresh = false;
    uint8_t record[QC_GW_RECORD_SIZE];
    CHECK_OK(erig_init(&s->r, s->r.state, &err));
    erig_open(&s->r);
    erig_record(&s->r, record);
    CHECK_OK(gw_vault_put(s->r.e, OWN(s->r.vault), qc_span_of(record, sizeof record), QC_LIT("vault backup"),
                          &fresh, &err));
    s->r.e->segment_ms = IMPATIENT_MS;
}

/* -- what happens ---------------------------------------------------------------------------------------- */

static void give_up(struct store *s, const struct erig_put *p)
{
    enum gw_upload_state state;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(gw_upload_cancel(s->r.e, OWN(p->key), &state, &receipt, &err));
    given_up++;
}

/* What is decided while its clouds are too slow is said again, as its answer says and a client does. */
static void say_until_done(struct store *s, const struct erig_put *p,
                           qc_rc (*say)(struct erig *, const struct erig_put *, struct gw_receipt *,
                                        struct qc_err *),
                           struct gw_receipt *ret)
{
    const qc_deadline until = qc_deadline_in(60000);

    for (;;) {
        struct qc_err err = { 0 };
        const qc_rc rc = say(&s->r, p, ret, &err);
        if (rc != QC_TEMP || qc_deadline_over(until)) {
            CHECK_RC(rc, QC_OK);
            return;
        }
        usleep(20000);
    }
}

static void put(struct store *s, bool all)
{
    const unsigned i = s->used;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    if (i == NAMES)
        return;
    s->used++;
    CHECK(snprintf(s->paths[i], sizeof s->paths[i], "\1p%u", i) > 0);
    s->puts[i] = erig_prepare(qc_rand_u64(s->rand), s->paths[i], 1, 1 + below(s, 3), 1 + below(s, 3000));
    CHECK_OK(erig_begin(&s->r, &s->puts[i], &err));
    qc_rc rc = QC_OK;
    for (uint32_t seq = 0; rc == QC_OK && seq < s->puts[i].segments; seq++)
        rc = erig_segment(&s->r, &s->puts[i], seq, &err);
    CHECK(rc == QC_OK || rc == QC_QUORUM);
    if (rc != QC_OK || !all) {
        give_up(s, &s->puts[i]);
        return;
    }
    say_until_done(s, &s->puts[i], erig_commit, &receipt);
    late += receipt.acked_margin < receipt.margin_full;
    s->stored[i] = true;
}

static void remove_one(struct store *s)
{
    const unsigned i = below(s, NAMES);
    struct gw_receipt receipt;

    if (!s->stored[i] || s->removed[i])
        return;
    struct erig_put t = s->puts[i];
    t.number = 2;
    t.key.b[0] ^= 1;
    say_until_done(s, &t, erig_remove, &receipt);
    s->removed[i] = true;
}

static void spoil_one(struct store *s)
{
    const unsigned i = below(s, NAMES);
    unsigned cloud;
    char path[600];

    if (!s->stored[i] || rrig_true_margin(&s->r, &s->puts[i]) < 1)
        return;
    rrig_fragment(&s->r, &s->puts[i], 0, below(s, s->r.n), &cloud, path);
    if (access(path, F_OK) == 0)
        rrig_damage(path, (enum rrig_damage)below(s, RRIG_STALE), NULL, s->rand);
}

static void check_stored(struct store *s)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < s->used; i++)
        if (s->stored[i])
            CHECK_OK(erig_check(&s->r, &s->puts[i], &err));
}

static void repair(struct store *s)
{
    const struct gw_repair_ask ask = { .deep = below(s, 2) == 0 };
    struct gw_repair_report report;
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_repair(s->r.e, &ask, &report, &err));
    CHECK(report.lost == 0);
    landed += rrig_sum(&report).dead;
}

static void step(struct store *s)
{
    struct qc_err err = { 0 };
    bool more;

    switch (below(s, 8)) {
    case 0:
    case 1:
    case 2:
        put(s, true);
        break;
    case 3:
        put(s, false);
        break;
    case 4:
        remove_one(s);
        break;
    case 5:
        repair(s);
        break;
    default:
        CHECK_OK(gw_engine_tidy(s->r.e, &more, &err));
    }
}

/* -- and what is left ------------------------------------------------------------------------------------ */

static unsigned stored_puts(const struct store *s, struct erig_put ret[NAMES])
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->used; i++)
        if (s->stored[i])
            ret[n++] = s->puts[i];
    return n;
}

/* Whole, with nothing besides; and a second look finds nothing to do. */
static void settle(struct store *s)
{
    struct erig_put puts[NAMES];
    const unsigned count = stored_puts(s, puts);
    struct gw_repair_report report;
    unsigned files = 0, want = 0;

    CHECK(rrig_repair(&s->r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).unknown == 0 && rrig_sum(&report).foreign == 0);
    landed += rrig_sum(&report).dead;
    CHECK(rrig_repair(&s->r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).rebuilt == 0 && rrig_sum(&report).dead == 0 && rrig_sum(&report).unknown == 0);
    if (count > 0)
        rrig_whole(&s->r, puts, count);
    for (unsigned i = 0; i < count; i++)
        want += puts[i].segments * s->r.n;
    for (unsigned c = 0; c < s->r.clouds; c++)
        files += rrig_files(&s->r, c, "/f/");
    CHECK(files == want);
}

static void one_case(struct qc_rand *rand)
{
    struct store s = { .rand = rand };
    struct gw_rebuild_report rebuilt;
    struct erig_put puts[NAMES];
    struct qc_err err = { 0 };

    set_up(&s);
    for (unsigned i = 0; i < STEPS; i++) {
        make_late(&s);
        step(&s);
        check_stored(&s);
        rules(&s, "");
        if (below(&s, 4) == 0)
            spoil_one(&s);
        if (below(&s, 3) == 0)
            CHECK(usleep(1000 * below(&s, LATE_MS)) == 0);
        if (below(&s, 2) == 0)
            repair(&s);
    }
    CHECK(usleep(1000 * (LATE_MS + 50)) == 0); /* all have landed */
    s.r.e->segment_ms = QC_GW_SEGMENT_MS;
    settle(&s);
    gw_engine_close(&s.r.e);
    CHECK_OK(erig_rebuild(&s.r, s.r.state, &rebuilt, &err));
    CHECK(rebuilt.versions == stored_puts(&s, puts) && rebuilt.unreadable == 0);
    erig_open(&s.r);
    settle(&s);
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    erig_done(&s.r);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    const uint64_t cases = qc_rand_cases(2, 60);

    for (uint64_t i = 0; i < cases; i++)
        one_case(&rand);
    fprintf(stderr,
            "%" PRIu64 " puts with less than all, %" PRIu64 " given up, %" PRIu64 " objects landed late\n",
            late, given_up, landed);
    CHECK(cases < 20 || (late > 0 && given_up > 0 && landed > 0));
    return 0;
}
