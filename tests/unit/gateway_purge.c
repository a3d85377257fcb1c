/* unit/gateway_purge: what is purged goes and does not come back; nothing else goes with it. (I1) */
#include "base/fault.h"
#include "gw_repair_rig.h"
#include "gw_tenants.h"

enum { CLOUDS = 5, SWEEPS = 60 };

static struct gw_purge purge_of(const struct erig *r, const struct erig_put *p)
{
    return (struct gw_purge){
        .ids = { .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version }
    };
}

static qc_rc purge_one(struct erig *r, const struct erig_put *p)
{
    struct gw_purge one = purge_of(r, p);
    struct qc_err err = { 0 };
    const qc_rc rc = gw_versions_purge(r->e, &one, 1, &err);

    return rc != QC_OK ? rc : one.rc;
}

static void sweep(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = true;

    for (unsigned i = 0; i < SWEEPS; i++)
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
}

/* Fragments on all clouds together. */
static unsigned fragments(const struct erig *r)
{
    unsigned n = 0;

    for (unsigned at = 0; at < CLOUDS; at++)
        n += rrig_files(r, at, "/f/");
    return n;
}

static void expect_gone(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = purge_of(r, p).ids;
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = 4096 };
    struct gw_version_info info;
    struct gw_reader *reader = NULL;
    struct qc_err err = { 0 };
    uint64_t size;

    CHECK_RC(gw_version_info(r->e, &ids, &info, &err), QC_NOTFOUND);
    CHECK_RC(gw_version_backup(r->e, &ids, &backup, &err), QC_NOTFOUND);
    CHECK_RC(gw_reader_open(r->e, &ids, "", &reader, &size, &err), QC_NOTFOUND);
}

struct three {
    struct erig_put old, now, removed;
};

static struct three put_three(struct erig *r)
{
    struct three t = { .old = erig_prepare(1, "\1alpha", 1, 2, 700),
                       .now = erig_prepare(2, "\1alpha", 2, 1, 900),
                       .removed = erig_prepare(3, "\1beta", 1, 1, 500) };
    const struct erig_put tombstone = erig_prepare(4, "\1beta", 2, 1, 1);
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_put(r, &t.old, &receipt, &err));
    CHECK_OK(erig_put(r, &t.now, &receipt, &err));
    CHECK_OK(erig_put(r, &t.removed, &receipt, &err));
    CHECK_OK(erig_remove(r, &tombstone, &receipt, &err));
    return t;
}

/* What no name points at goes, each with its own outcome; what one points at does not. */
static void outcomes(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_usage u;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    const struct erig_put never = erig_prepare(9, "\1never", 1, 1, 1),
                          begun = erig_prepare(8, "\1b", 1, 1, 1);
    CHECK_OK(erig_begin(&r, &begun, &err));
    struct gw_purge v[] = { purge_of(&r, &t.old), purge_of(&r, &t.now), purge_of(&r, &t.removed),
                            purge_of(&r, &never), purge_of(&r, &begun), purge_of(&r, &t.old) };
    v[5].ids.vault.b[0] ^= 1; /* another vault's */
    const unsigned count = sizeof v / sizeof *v;
    CHECK_RC(gw_versions_purge(r.e, v, 0, &err), QC_USAGE);
    CHECK_RC(gw_versions_purge(r.e, v, QC_GW_BATCH_CHANGES_MAX + 1, &err), QC_USAGE);
    CHECK(fragments(&r) == 4 * CLOUDS);
    CHECK_OK(gw_versions_purge(r.e, v, count, &err));
    CHECK(v[0].rc == QC_OK && v[2].rc == QC_OK && v[1].rc == QC_CONFLICT && v[4].rc == QC_CONFLICT);
    CHECK(v[3].rc == QC_NOTFOUND && v[5].rc == QC_NOTFOUND);
    expect_gone(&r, &t.old);
    expect_gone(&r, &t.removed);
    CHECK_OK(erig_check(&r, &t.now, &err));
    tenant_counted(&r, r.tenant);
    CHECK_OK(gw_versions_purge(r.e, v, count, &err)); /* the same again is the same again */
    CHECK(v[0].rc == QC_OK && v[2].rc == QC_OK && v[1].rc == QC_CONFLICT && v[3].rc == QC_NOTFOUND);
    CHECK(purge_one(&r, &t.old) == QC_OK);
    CHECK_OK(gw_versions_purge(r.e, &v[5], 1, &err)); /* dead, and not of that vault */
    CHECK(v[5].rc == QC_NOTFOUND);
    sweep(&r);
    CHECK(fragments(&r) == CLOUDS); /* of the newest one alone */
    u = tenant_usage(&r, r.tenant);
    CHECK(u.objects == 2 && u.dead == 0);
    rrig_whole(&r, &t.now, 1);
    erig_done(&r);
}

/* A rebuild from the clouds alone knows that it is gone: with its fragments there still, and without. */
static void rebuilt(bool swept)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_rebuild_report report = { 0 };
    char state[320];

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    erig_lose(&r, 4);
    CHECK(purge_one(&r, &t.old) == QC_OK && purge_one(&r, &t.removed) == QC_OK);
    if (swept)
        sweep(&r);
    erig_find(&r, 4); /* it has all of them, and no record that they are gone */
    gw_engine_close(&r.e);
    erig_path(&r, "rebuilt", state, sizeof state);
    CHECK_OK(erig_rebuild(&r, state, &report, &err));
    CHECK(report.versions == 1);
    CHECK_OK(gw_engine_open(&r.e, state, &r.rng, &err));
    expect_gone(&r, &t.old);
    expect_gone(&r, &t.removed);
    CHECK(purge_one(&r, &t.old) == QC_OK);
    CHECK_OK(erig_check(&r, &t.now, &err));
    tenant_counted(&r, r.tenant);
    sweep(&r);
    CHECK(fragments(&r) == CLOUDS && tenant_usage(&r, r.tenant).dead == 0);
    rrig_whole(&r, &t.now, 1);
    erig_done(&r);
}

/* Too few clouds take the record: the version is there, whole, until they do; then it goes. */
static void not_evident(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    bool more;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    for (unsigned at = 2; at < CLOUDS; at++)
        erig_lose(&r, at);
    CHECK(purge_one(&r, &t.removed) == QC_TEMP); /* decided: it will be done */
    for (unsigned i = 0; i < 4; i++)
        qc_ignore(gw_engine_tidy(r.e, &more, &err), "clouds are away");
    CHECK(rrig_files(&r, 0, "/f/") == 4 && rrig_files(&r, 1, "/f/") == 4);
    for (unsigned at = 2; at < CLOUDS; at++)
        erig_find(&r, at);
    CHECK(purge_one(&r, &t.removed) == QC_OK);
    expect_gone(&r, &t.removed);
    sweep(&r);
    CHECK(fragments(&r) == 3 * CLOUDS);
    CHECK_OK(erig_check(&r, &t.now, &err));
    erig_done(&r);
}

/* A read that is under way ends with "not found", and blames no cloud. */
static void under_a_read(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_reader *reader = NULL;
    uint8_t b[800];
    uint64_t size;
    size_t got;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    const struct gw_version_ids ids = purge_of(&r, &t.old).ids;
    CHECK_OK(gw_reader_open(r.e, &ids, "", &reader, &size, &err));
    CHECK_OK(gw_reader_read(reader, 0, size, b, sizeof b, &got, &err));
    CHECK(purge_one(&r, &t.old) == QC_OK);
    sweep(&r);
    CHECK_RC(gw_reader_read(reader, size - 1, size, b, sizeof b, &got, &err), QC_NOTFOUND);
    CHECK(rrig_faults(&r) == 0);
    gw_reader_close(&reader);
    erig_done(&r);
}

static qc_rc keep(struct erig *r, const struct erig_put *p, uint64_t until, uint64_t *ret_until)
{
    struct gw_purge one = purge_of(r, p);
    struct qc_err err = { 0 };
    const qc_rc rc = gw_versions_retain(r->e, &one, 1, until, &err);

    *ret_until = one.until;
    return rc != QC_OK ? rc : one.rc;
}

/* What the gateway knows of time, moved as a clock that is set, or a boot, would seem to move it. */
static void time_seems(struct erig *r, int64_t known, int64_t up, bool other_boot)
{
    struct qc_err err = { 0 };
    uint64_t v;

    CHECK_OK(gw_engine_time(r->e, &err));
    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
    CHECK_OK(gw_meta_get(r->e->cat, "time-known", &v, &err));
    CHECK_OK(gw_meta_set(r->e->cat, "time-known", (uint64_t)((int64_t)v + known), &err));
    CHECK_OK(gw_meta_get(r->e->cat, "time-up", &v, &err));
    CHECK_OK(gw_meta_set(r->e->cat, "time-up", (uint64_t)((int64_t)v + up), &err));
    CHECK_OK(gw_meta_get(r->e->cat, "time-boot", &v, &err));
    CHECK_OK(gw_meta_set(r->e->cat, "time-boot", v ^ other_boot, &err));
    CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
}

/* Until its date nobody purges it: whatever the wall clock says, over a boot, and after a rebuild. A date
 * goes up, and never down. */
static void kept(void)
{
    const uint64_t now = (uint64_t)qc_wall_s(), hour = 3600;
    struct gw_version_info info;
    struct erig r;
    struct qc_err err = { 0 };
    uint64_t until;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    const struct erig_put never = erig_prepare(9, "\1never", 1, 1, 1);
    CHECK(keep(&r, &t.old, 0, &until) == QC_USAGE && keep(&r, &never, now + hour, &until) == QC_NOTFOUND);
    CHECK(keep(&r, &t.old, now + hour, &until) == QC_OK && until == now + hour);
    CHECK(keep(&r, &t.old, now + hour / 2, &until) == QC_OK && until == now + hour);
    CHECK(keep(&r, &t.now, now + 9 * hour, &until) == QC_OK); /* one that a name has, too */
    const struct gw_version_ids ids = purge_of(&r, &t.old).ids;
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.kept_s == (int64_t)(now + hour));
    CHECK(purge_one(&r, &t.old) == QC_AUTH && purge_one(&r, &t.removed) == QC_OK);
    /* The wall clock is two hours ahead of what passed: what is known lags behind it, and that counts. */
    time_seems(&r, -2 * (int64_t)hour, 0, false);
    CHECK(purge_one(&r, &t.old) == QC_AUTH);
    /* Two hours passed, the machine was up, and the wall clock did not move: it is no later than it says. */
    time_seems(&r, 0, -(int64_t)(2 * hour), false);
    CHECK(purge_one(&r, &t.old) == QC_AUTH);
    erig_from_clouds(&r, "rebuilt");
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.kept_s == (int64_t)(now + hour) && purge_one(&r, &t.old) == QC_AUTH);
    /* Two hours more are known, on another boot. Then nothing is in the way; nothing went before it was
     * asked. */
    time_seems(&r, 2 * (int64_t)hour, 0, true);
    sweep(&r);
    CHECK_OK(erig_check(&r, &t.old, &err));
    CHECK(purge_one(&r, &t.old) == QC_OK);
    expect_gone(&r, &t.old);
    CHECK_OK(erig_check(&r, &t.now, &err));
    erig_done(&r);
}

/* As if the clock had once said 2100: a date before that holds nothing, and says so, also of one that has it.
 */
static void holds_nothing(void)
{
    const uint64_t now = (uint64_t)qc_wall_s(), hour = 3600, year = 365 * 24 * hour;
    char asked[QC_TIME_TEXT];
    struct erig r;
    struct qc_err err = { 0 };
    uint64_t until;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    CHECK(keep(&r, &t.old, now + hour, &until) == QC_OK);
    time_seems(&r, (int64_t)(70 * year), 0, false);
    CHECK(keep(&r, &t.now, now + 9 * hour, &until) == QC_USAGE);
    CHECK(keep(&r, &t.old, now + hour, &until) == QC_USAGE);
    struct gw_purge one = purge_of(&r, &t.removed);
    CHECK(gw_versions_retain(r.e, &one, 1, now + 9 * hour, &err) == QC_USAGE);
    qc_time_text((int64_t)(now + 9 * hour), asked);
    CHECK(strstr(err.msg, asked) != NULL && strstr(err.msg, "it is 20") != NULL); /* 2096 and on */
    CHECK(purge_one(&r, &t.old) == QC_OK && purge_one(&r, &t.removed) == QC_OK);
    CHECK(keep(&r, &t.now, now + 71 * year, &until) == QC_OK && until == now + 71 * year);
    erig_done(&r);
}

static void damage(struct erig *r)
{
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
    CHECK_OK(gw_meta_set_bytes(r->e->cat, "time-known", QC_LIT("no"), &err));
    CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
}

/* Time begins no earlier than what is stored says it was; and never anew, because what says so is damaged. */
static void begins(void)
{
    const uint64_t now = (uint64_t)qc_wall_s(), hour = 3600;
    struct erig r;
    struct qc_err err = { 0 };
    uint64_t until;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    {
        struct gw_version_row v;
        const struct gw_version_ids ids = purge_of(&r, &t.now).ids;
        QC_LOCK(gw_cat_lock(r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        CHECK_OK(gw_cat_begin(r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_version(r.e->cat, &ids, &v, &err));
        CHECK_OK(GW_RUN(r.e->cat, VERSION_LIVE, &err, QC_VI(v.no), QC_VI(v.size), QC_VI(v.segments),
                        QC_VI(now + 9 * hour))); /* put when the clock said more */
        CHECK_OK(gw_cat_commit(r.e->cat, &tx, &err));
    }
    CHECK(keep(&r, &t.old, now + 8 * hour, &until) == QC_USAGE);
    CHECK(keep(&r, &t.old, now + 10 * hour, &until) == QC_OK && purge_one(&r, &t.old) == QC_AUTH);
    damage(&r);
    CHECK(purge_one(&r, &t.old) == QC_INTEGRITY && keep(&r, &t.now, now + 20 * hour, &until) == QC_INTEGRITY);
    CHECK_RC(gw_engine_time(r.e, &err), QC_INTEGRITY);
    CHECK_OK(erig_check(&r, &t.old, &err));
    erig_done(&r);
}

/* It was purged while a segment of it was coded anew: that one is left out, and nothing fails. */
static void under_a_recode(void)
{
    struct erig r;
    struct qc_err err = { 0 };

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    CHECK(purge_one(&r, &t.old) == QC_OK);
    struct gw_recoded v[2] = { { .old = 1, .seg = { .id = 1000, .tenant = r.tenant } },
                               { .old = 1, .seg = { .id = 1001, .tenant = r.tenant } } };
    memcpy(v[0].seg.object, t.old.object.b, sizeof v[0].seg.object);
    memcpy(v[0].seg.version, t.old.version.b, sizeof v[0].seg.version);
    struct gw_change change = { .kind = GW_CHANGE_RECODED, .recoded = v, .recoded_count = 2 };
    CHECK_OK(gw_commit(r.e, &change, &err)); /* the second: of a version that is not there at all */
    CHECK(v[0].refused && v[1].refused && !change.decided);
    CHECK_OK(erig_check(&r, &t.now, &err));
    erig_done(&r);
}

/* A cloud is as it was before, and has what was purged and swept: under the key that a repair had written it
 * to, too, also where a rebuild knows nothing of that repair. It goes again. */
static void comes_back(bool rebuilt)
{
    char first[600], later[600], kept[320];
    struct gw_repair_report report;
    struct erig r;
    unsigned cloud;

    erig_new(&r, CLOUDS, 3, CLOUDS);
    const struct three t = put_three(&r);
    rrig_fragment(&r, &t.removed, 0, 1, &cloud, first);
    rrig_flip(first, GW_FRAG_HEAD_BYTES);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    rrig_fragment(&r, &t.removed, 0, 1, &cloud, later);
    CHECK(strcmp(first, later) != 0);
    erig_path(&r, "kept", kept, sizeof kept);
    CHECK(link(later, kept) == 0);
    CHECK(purge_one(&r, &t.old) == QC_OK && purge_one(&r, &t.removed) == QC_OK);
    sweep(&r);
    CHECK(access(later, F_OK) != 0);
    if (rebuilt)
        erig_from_clouds(&r, "rebuilt");
    sweep(&r);
    CHECK(rename(kept, later) == 0);
    CHECK(rrig_repair(&r, true, &report) == QC_OK);
    CHECK(rrig_sum(&report).dead == 1 && rrig_sum(&report).unknown == 0);
    CHECK(access(later, F_OK) != 0);
    rrig_whole(&r, &t.now, 1);
    erig_done(&r);
}

int main(void)
{
    kept();
    holds_nothing();
    begins();
    under_a_recode();
    outcomes();
    rebuilt(false);
    rebuilt(true);
    not_evident();
    under_a_read();
    comes_back(false);
    comes_back(true);
    return 0;
}
