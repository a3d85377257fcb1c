/* unit/gateway_repack: what lives in half dead bundles goes to others, and is the same, whatever happens
 * meanwhile; what is purged stays gone, and its room comes back. (I1, I2) */
#include <sys/wait.h>

#include "base/fault.h"
#include "gw_repair_rig.h"
#include "gw_tenants.h"
#include "qc_tree.h"
#include "qc_watched.h"

enum { CLOUDS = 4, K = 2, MEMBERS = 24, SWEEPS = 60, PATH = 8 };

/* A bundle of many N, and which of them are gone. */
struct pack {
    struct erig_put bundle, v[MEMBERS];
    char paths[MEMBERS][PATH];
    bool gone[MEMBERS];
};

static void pack_prepare(struct pack *p, uint64_t seed, uint32_t size_max)
{
    struct qc_rand rand = { .state = seed };

    *p = (struct pack){ .bundle = erig_prepare(seed, "", 1, 1, 0) };
    for (unsigned i = 0; i < MEMBERS; i++) {
        CHECK(snprintf(p->paths[i], PATH, "\1%c%c%c", (int)('a' + seed / 1000 % 26),
                       (int)('a' + seed / 100 % 10), (int)('A' + i)) > 0);
        p->v[i] = erig_prepare(seed + 1 + i, p->paths[i], 1, 1, 1 + (uint32_t)qc_rand_below(&rand, size_max));
    }
}

static void pack_send(struct erig *r, const struct pack *p)
{
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    struct gw_segment_put s = { .tenant = r->tenant, .put_key = p->bundle.key, .last = true };
    struct gw_segment_receipt receipt;
    struct qc_err err = { 0 };
    uint8_t bytes[16384];

    for (unsigned i = 0; i < MEMBERS; i++)
        s.size += erig_size(&p->v[i], 0);
    CHECK_OK(erig_begin(r, &p->bundle, &err));
    CHECK_OK(gw_engine_unit(r->e, r->tenant, s.size, qc_deadline_in(QC_GW_UNIT_MS), &u, &err));
    for (unsigned i = 0; i < MEMBERS; i++) {
        CHECK(erig_size(&p->v[i], 0) <= sizeof bytes);
        erig_bytes(&p->v[i], 0, bytes);
        gw_unit_add(u, qc_span_of(bytes, erig_size(&p->v[i], 0)));
    }
    CHECK_OK(gw_upload_segment(r->e, &s, u, &receipt, &err));
}

static void pack_put(struct erig *r, const struct pack *p)
{
    struct gw_upload_member m[MEMBERS];
    const struct gw_upload_bundle b = { .put_key = p->bundle.key,
                                        .vault = r->vault,
                                        .segments = 1,
                                        .tenant = r->tenant,
                                        .members = m,
                                        .count = MEMBERS };
    struct qc_err err = { 0 };
    uint64_t start = 0;

    pack_send(r, p);
    for (unsigned i = 0; i < MEMBERS; i++) {
        const struct erig_put *v = &p->v[i];
        m[i] = (struct gw_upload_member){ .put_key = v->key,
                                          .entry = v->entry,
                                          .start = start,
                                          .backup = qc_span_of(v->backup, sizeof v->backup) };
        m[i].entry.path = qc_span_str(v->path);
        m[i].entry.private_part = qc_span_of(v->private_part, sizeof v->private_part);
        start += v->entry.size;
    }
    CHECK_OK(gw_upload_commit_bundle(r->e, &b, &err));
    for (unsigned i = 0; i < MEMBERS; i++)
        CHECK(m[i].rc == QC_OK);
}

static struct gw_version_ids ids_of(const struct erig *r, const struct erig_put *p)
{
    return (struct gw_version_ids){
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
}

static qc_rc purge_one(struct erig *r, const struct erig_put *p)
{
    struct gw_purge one = { .ids = ids_of(r, p) };
    struct qc_err err = { 0 };
    const qc_rc rc = gw_versions_purge(r->e, &one, 1, &err);

    return rc != QC_OK ? rc : one.rc;
}

static void pack_remove(struct erig *r, struct pack *p, unsigned i)
{
    const struct erig_put tombstone = erig_prepare(p->v[i].seed + 500000, p->paths[i], 2, 1, 1);
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_remove(r, &tombstone, &receipt, &err));
    CHECK(purge_one(r, &p->v[i]) == QC_OK);
    p->gone[i] = true;
}

/* Those that live come back whole and in part, those that are gone do not. */
static void pack_check(struct erig *r, const struct pack *p)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < MEMBERS; i++) {
        const struct gw_version_ids ids = ids_of(r, &p->v[i]);
        const uint64_t size = p->v[i].entry.size;
        struct gw_reader *reader = NULL;
        uint8_t want[16384], got[16384];
        uint64_t said;
        size_t n;
        if (p->gone[i]) {
            CHECK_RC(gw_reader_open(r->e, &ids, "", &reader, &said, &err), QC_NOTFOUND);
            continue;
        }
        CHECK_OK(erig_check(r, &p->v[i], &err));
        erig_bytes(&p->v[i], 0, want);
        CHECK_OK(gw_reader_open(r->e, &ids, "", &reader, &said, &err));
        CHECK_OK(gw_reader_read(reader, size / 2, size, got, 1, &n, &err));
        CHECK(n == 1 && got[0] == want[size / 2]);
        gw_reader_close(&reader);
    }
}

static void settle(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = true;

    for (unsigned i = 0, quiet = 0; i < SWEEPS && quiet < 3; i++) {
        CHECK_OK(gw_engine_tidy(r->e, &more, &err));
        quiet = more ? 0 : quiet + 1;
    }
}

static uint64_t room_;
static int see_room(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind == FTW_F && strstr(path, "/f/") != NULL && strstr(path, "/.") == NULL)
        room_ += (uint64_t)st->st_size;
    return 0;
}

/* Bytes of fragments on all clouds. */
static uint64_t room(const struct erig *r)
{
    room_ = 0;
    for (unsigned at = 0; at < r->clouds; at++) {
        char path[320];
        erig_cloud(r, at, "", path, sizeof path);
        CHECK(nftw(path, see_room, 16, FTW_PHYS) == 0);
    }
    return room_;
}

static struct gw_repack_view view_of(struct erig *r)
{
    struct gw_status *s = qc_alloc(sizeof *s);
    struct qc_err err = { 0 };

    CHECK(s != NULL);
    CHECK_OK(gw_engine_status(r->e, s, &err));
    const struct gw_repack_view v = s->repack;
    qc_free(s);
    return v;
}

/* All fragments and records are there, and nothing that nobody knows. */
static void whole(struct erig *r)
{
    struct gw_repair_report *report = qc_alloc(sizeof *report);

    CHECK(report != NULL);
    CHECK(rrig_repair(r, true, report) == QC_OK);
    const struct rrig_sums s = rrig_sum(report);
    CHECK(s.missing + s.damaged + s.rebuilt + s.left + s.unknown + s.foreign == 0);
    qc_free(report);
}

enum { PACKS = 4, ROUNDS = 5 };

/* What a model of it says, after each round of purges: which live, what is dead, what is counted. */
static void model(void)
{
    struct qc_rand rand = qc_rand_start();
    struct pack *p = calloc(PACKS, sizeof *p);
    struct erig r;

    CHECK(p != NULL);
    erig_new(&r, CLOUDS, K, CLOUDS);
    for (unsigned i = 0; i < PACKS; i++) {
        pack_prepare(&p[i], 1000 * (i + 1), 8000);
        pack_put(&r, &p[i]);
    }
    const bool server = erig_elsewhere(); /* whose commits are slow: each removal is two of them */
    const unsigned rounds = server ? 2 : ROUNDS, percent = server ? 45 : 30;
    for (unsigned round = 0; round < rounds; round++) {
        const uint64_t bytes = tenant_usage(&r, r.tenant).bytes;
        for (unsigned i = 0; i < PACKS; i++)
            for (unsigned j = 0; j < MEMBERS; j++)
                if (!p[i].gone[j] && qc_rand_below(&rand, 100) < percent)
                    pack_remove(&r, &p[i], j);
        settle(&r);
        CHECK(tenant_usage(&r, r.tenant).bytes <= bytes && tenant_usage(&r, r.tenant).dead == 0);
        tenant_counted(&r, r.tenant);
        for (unsigned i = 0; i < PACKS; i++)
            pack_check(&r, &p[i]);
    }
    CHECK(rrig_faults(&r) == 0 && view_of(&r).repacked > 0);
    whole(&r);
    static const char gone[] = "SELECT " GW_SQL_SUM("gone") " FROM version WHERE tenant=?1 AND state=3";
    const uint64_t dead = count_sql(&r, gone, r.tenant);
    erig_from_clouds(&r, "again");
    CHECK(count_sql(&r, gone, r.tenant) == dead);
    tenant_counted(&r, r.tenant);
    for (unsigned i = 0; i < PACKS; i++)
        pack_check(&r, &p[i]);
    settle(&r);
    whole(&r);
    free(p);
    erig_done(&r);
}

/* Two bundles, two thirds of each gone. */
static void make_half_dead(struct erig *r, struct pack *p)
{
    for (unsigned i = 0; i < 2; i++) {
        pack_prepare(&p[i], 1000 * (i + 1), 8000);
        pack_put(r, &p[i]);
        for (unsigned j = 0; j < MEMBERS; j++)
            if (j % 3 != 0)
                pack_remove(r, &p[i], j);
    }
}

/* Clouds, and two bundles of which the most is dead; freed by the caller. */
static struct pack *half_dead(struct erig *r)
{
    struct pack *p = calloc(2, sizeof *p);

    CHECK(p != NULL);
    erig_new(r, CLOUDS, K, CLOUDS);
    make_half_dead(r, p);
    return p;
}

static void repacked(struct erig *r, const struct pack *p)
{
    const uint64_t before = tenant_usage(r, r->tenant).bytes;

    settle(r);
    for (unsigned i = 0; i < 2; i++)
        pack_check(r, &p[i]);
    CHECK(view_of(r).bytes == 0 && view_of(r).bundles == 0 && tenant_usage(r, r->tenant).bytes <= before);
    for (unsigned at = 0; at < r->clouds; at++)
        CHECK(rrig_files(r, at, "/f/") == 1); /* one bundle, of what lives in both */
    tenant_counted(r, r->tenant);
    whole(r);
}

static bool killed_at(struct erig *r, const char *point)
{
    char script[128];
    int status;

    CHECK(snprintf(script, sizeof script, "%s:kill:1", point) > 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct qc_err err = { 0 };
        bool more;
        erig_open(r);
        qc_fault_script(script);
        for (unsigned i = 0; i < SWEEPS; i++)
            qc_ignore(gw_engine_tidy(r->e, &more, &err), "the parent sees whether it was killed");
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Killed at each step, and failed at each: what is there then, on this machine and from the clouds alone, is
 * all that was there, and it is done after all. */
static void at_each_step(void)
{
    static const char *const steps[] = { "repack_reserved",  "repack_read",  "repack_put",
                                         "repack_read_back", "put_decide",   "put_decided",
                                         "put_log",          "put_witness",  "put_publish",
                                         "repack_recorded",  "sweep_delete", "sweep_deleted" };
    struct erig r;
    char pristine[330], killed[330];

    struct pack *p = half_dead(&r);
    gw_engine_close(&r.e);
    CHECK(snprintf(pristine, sizeof pristine, "%s.pristine", r.dir.path) > 0);
    CHECK(snprintf(killed, sizeof killed, "%s.killed", r.dir.path) > 0);
    qc_tree_copy(r.dir.path, pristine);
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        CHECK(killed_at(&r, steps[i]));
        qc_tree_copy(r.dir.path, killed);
        erig_from_clouds(&r, "rebuilt");
        pack_check(&r, &p[0]);
        pack_check(&r, &p[1]);
        gw_engine_close(&r.e);
        qc_tree_remove(r.dir.path);
        qc_tree_copy(killed, r.dir.path);
        erig_open(&r);
        pack_check(&r, &p[0]);
        repacked(&r, p);
        gw_engine_close(&r.e);
        qc_tree_remove(killed);
        qc_tree_remove(r.dir.path);
        qc_tree_copy(pristine, r.dir.path);
    }
    qc_tree_remove(pristine);
    free(p);
    erig_done(&r);
}

/* A step that fails leaves all as it was, says why, and the next one comes later. */
static void fails(void)
{
    static const char *const steps[] = { "repack_reserved", "repack_read", "repack_put", "repack_read_back" };
    struct erig r;

    struct pack *p = half_dead(&r);
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct qc_err err = { 0 };
        char script[128];
        bool more;
        CHECK(snprintf(script, sizeof script, "%s:error:1", steps[i]) > 0);
        qc_fault_script(script);
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
        qc_fault_script(NULL);
        CHECK(view_of(&r).why[0] != '\0' && view_of(&r).repacked == 0);
        tenant_counted(&r, r.tenant);
        CHECK(count_sql(&r, "SELECT COUNT(*) FROM version WHERE tenant=?1 AND state=1", r.tenant) == 0);
        CHECK(r.e->repacks.until_ms > gw_env_now(r.e->env));
        r.e->repacks.at = (struct gw_ref){ 0 }; /* from the first vault on */
        r.e->repacks.until_ms = 0;
    }
    pack_check(&r, &p[0]);
    repacked(&r, p);
    CHECK(view_of(&r).why[0] == '\0');
    free(p);
    erig_done(&r);
}

/* A read that has begun goes on in the new bundle, when the old one is gone from the clouds. */
static void under_a_read(void)
{
    struct gw_reader *reader = NULL, *other = NULL;
    struct qc_err err = { 0 };
    struct erig r;
    uint8_t want[16384], got[16384];
    uint64_t size;
    size_t n;

    struct pack *p = half_dead(&r);
    const struct gw_version_ids ids = ids_of(&r, &p[1].v[3]);
    erig_bytes(&p[1].v[3], 0, want);
    CHECK_OK(gw_reader_open(r.e, &ids, "0123456789abcdef", &reader, &size, &err));
    CHECK_OK(gw_reader_open(r.e, &ids, "", &other, &size, &err)); /* has read nothing yet */
    CHECK_OK(gw_reader_read(reader, 0, size, got, 1, &n, &err));
    CHECK(n == 1 && size > 2);
    repacked(&r, p);
    for (uint64_t at = 1; at < size; at += n)
        CHECK_OK(gw_reader_read(reader, at, size, got + at, (size_t)(size - at), &n, &err));
    CHECK(memcmp(got, want, (size_t)size) == 0 && rrig_faults(&r) == 0);
    CHECK_OK(gw_reader_read(other, size - 1, size, got, 1, &n, &err));
    CHECK(got[0] == want[size - 1]);
    CHECK(purge_one(&r, &p[1].v[3]) == QC_CONFLICT); /* a name has it */
    pack_remove(&r, &p[1], 3);
    gw_reader_close(&reader);
    CHECK_OK(gw_reader_open(
        r.e,
        &(struct gw_version_ids){
            .tenant = r.tenant, .vault = r.vault, .object = p[0].v[0].object, .version = p[0].v[0].version },
        "", &reader, &size, &err));
    settle(&r);
    CHECK_RC(gw_reader_read(other, 0, 1, got, 1, &n, &err),
             QC_OK); /* it is in memory, or in the bundle yet */
    gw_reader_close(&reader);
    gw_reader_close(&other);
    pack_check(&r, &p[0]);
    pack_check(&r, &p[1]);
    free(p);
    erig_done(&r);
}

/* A cloud is away: nothing is put for nothing, and nothing is lost; then it is back. */
static void one_away(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    bool more;

    struct pack *p = half_dead(&r);
    erig_lose(&r, 2);
    qc_ignore(gw_engine_tidy(r.e, &more, &err), "a cloud is away");
    const uint64_t before = room(&(struct erig){ .dir = r.dir, .clouds = 2 });
    for (unsigned i = 0; i < 4; i++) {
        r.e->repacks.until_ms = 0;
        qc_ignore(gw_engine_tidy(r.e, &more, &err), "a cloud is away");
    }
    CHECK(room(&(struct erig){ .dir = r.dir, .clouds = 2 }) <= before); /* what was put in vain is swept */
    CHECK(view_of(&r).repacked == 0 && strstr(view_of(&r).why, "c3") != NULL);
    CHECK(view_of(&r).bytes > 0 && view_of(&r).bundles == 2);
    pack_check(&r, &p[0]);
    erig_find(&r, 2);
    CHECK_OK(gw_engine_hear(r.e, gw_fan_all(r.e->fan), qc_deadline_in(QC_GW_STATUS_MS), &err));
    r.e->repacks.until_ms = 0;
    repacked(&r, p);
    erig_lose(&r, 0);
    erig_lose(&r, 3); /* as many as it may be */
    pack_check(&r, &p[0]);
    pack_check(&r, &p[1]);
    free(p);
    erig_done(&r);
}

/* A tenant at its limits: nothing is refused for a repack, and none is refused for them. A date holds. */
static void limits(void)
{
    struct pack *p = calloc(2, sizeof *p);
    struct gw_version_info info;
    struct qc_err err = { 0 };
    struct erig r;

    CHECK(p != NULL);
    erig_new(&r, CLOUDS, K, CLOUDS);
    tenant_be(&r, tenant_add(&r, "a", "token a", 0, 2 * MEMBERS), 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    make_half_dead(&r, p);
    struct gw_purge one = { .ids = ids_of(&r, &p[0].v[3]) };
    const uint64_t until = (uint64_t)qc_wall_s() + 3600, bytes = tenant_usage(&r, r.tenant).bytes;
    CHECK_OK(gw_versions_retain(r.e, &one, 1, until, &err));
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .bytes = &bytes }, NULL, &err));
    const uint64_t little = 1000; /* what dies by it would hold up the tenant's puts: it waits */
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .bytes = &little }, NULL, &err));
    settle(&r);
    CHECK(view_of(&r).repacked == 0 && view_of(&r).why[0] == '\0');
    CHECK_OK(gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .bytes = &bytes }, NULL, &err));
    repacked(&r, p);
    CHECK_OK(gw_version_info(r.e, &one.ids, &info, &err));
    CHECK(info.kept_s == (int64_t)until && info.margin == CLOUDS - K &&
          tenant_usage(&r, r.tenant).bytes < bytes);
    erig_from_clouds(&r, "again");
    CHECK_OK(gw_version_info(r.e, &one.ids, &info, &err));
    CHECK(info.kept_s == (int64_t)until && info.margin == CLOUDS - K);
    pack_check(&r, &p[0]);
    free(p);
    erig_done(&r);
}

/* What changed while the new bundle was put is not in the record, and what is not worth its record stays. */
static void changed(void)
{
    struct gw_half_row rows[MEMBERS];
    struct qc_err err = { 0 };
    struct erig r;
    unsigned count;

    struct pack *p = half_dead(&r);
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        CHECK_OK(gw_cat_half_members(r.e->cat, &(struct gw_ref){ r.tenant, r.vault }, 0, rows, MEMBERS,
                                     &count, &err));
    }
    CHECK(count == 2 * MEMBERS / 3 && rows[0].holder < rows[count - 1].holder && rows[0].gone > 0);
    struct gw_repacked none = { .vault = { r.tenant, r.vault }, .no = 1000, .from = rows, .count = count };
    struct gw_change change = { .kind = GW_CHANGE_REPACKED, .repacked = &none };
    CHECK_RC(gw_commit(r.e, &change, &err), QC_NOTFOUND); /* no such bundle is on its way */
    CHECK(!change.decided);
    pack_check(&r, &p[0]);
    pack_check(&r, &p[1]);
    erig_done(&r);

    erig_new(&r, CLOUDS, K, CLOUDS);
    pack_prepare(&p[0], 1000, 20); /* a few hundred bytes */
    pack_put(&r, &p[0]);
    for (unsigned j = 0; j < MEMBERS; j++)
        if (j % 3 != 0)
            pack_remove(&r, &p[0], j);
    settle(&r);
    CHECK(view_of(&r).repacked == 0 && view_of(&r).bytes > 0 && view_of(&r).why[0] == '\0');
    pack_check(&r, &p[0]);
    free(p);
    erig_done(&r);
}

/* Two gateways of one catalogue: one puts half dead bundles together, the other reads what it had begun to
 * read, purges meanwhile, and goes on when the first is gone, with what that one has left behind. */
static void two_gateways(void)
{
    struct gw_reader *reader = NULL;
    struct qc_err err = { 0 };
    struct erig r, two;
    char command[1000];
    uint8_t want[16384], got[16384];
    uint64_t size, no;
    size_t n;

    struct pack *p = half_dead(&r);
    two = r;
    two.e = NULL;
    erig_path(&r, "state2", two.state, sizeof two.state);
    CHECK(snprintf(command, sizeof command, "cp -a '%s' '%s'", r.state, two.state) > 0 &&
          system(command) == 0);
    erig_open(&two);
    const struct gw_version_ids ids = ids_of(&r, &p[1].v[3]);
    erig_bytes(&p[1].v[3], 0, want);
    CHECK_OK(gw_reader_open(two.e, &ids, "0123456789abcdef", &reader, &size, &err));
    CHECK_OK(gw_reader_read(reader, 0, size, got, 1, &n, &err));
    settle(&two); /* it does not keep the store */
    CHECK(view_of(&two).repacked == 0 && view_of(&two).bundles == 2);
    pack_remove(&two, &p[0], 0);
    repacked(&r, p);
    for (uint64_t at = 1; at < size; at += n)
        CHECK_OK(gw_reader_read(reader, at, size, got + at, (size_t)(size - at), &n, &err));
    CHECK(memcmp(got, want, (size_t)size) == 0 && rrig_faults(&two) == 0);
    gw_reader_close(&reader);
    pack_check(&two, &p[0]);
    pack_check(&two, &p[1]);
    {
        const struct gw_version_row left = { .tenant = r.tenant,
                                             .vault = r.vault,
                                             .state = GW_VERSION_INTENT };
        QC_LOCK(gw_cat_lock(r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        CHECK_OK(gw_cat_begin(r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_repack_begin(r.e->cat, &left, &no, &err));
        CHECK_OK(gw_cat_commit(r.e->cat, &tx, &err));
    }
    gw_engine_close(&r.e);
    CHECK_OK(gw_engine_attend(two.e, &err));
    settle(&two);
    CHECK(count_sql(&two, "SELECT COUNT(*) FROM version WHERE tenant=?1 AND state=1", two.tenant) == 0);
    tenant_counted(&two, two.tenant);
    pack_check(&two, &p[1]);
    gw_engine_close(&two.e);
    free(p);
    erig_done(&r);
}

/* The fragments of a bundle, but for one, go aside, or come back. */
static void aside(struct erig *r, const struct pack *p, bool away)
{
    for (unsigned frag = 0; frag < CLOUDS - 1; frag++) {
        char path[600], other[320], name[16];
        unsigned cloud;
        rrig_fragment(r, &p->bundle, 0, frag, &cloud, path);
        CHECK(snprintf(name, sizeof name, "aside%u", frag) > 0);
        erig_path(r, name, other, sizeof other);
        CHECK(rename(away ? path : other, away ? other : path) == 0);
    }
}

/* One bundle cannot be read: it waits, and what is half dead beside it does not. */
static void unreadable(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    bool more;

    struct pack *p = half_dead(&r);
    aside(&r, &p[0], true);
    CHECK_OK(gw_engine_tidy(r.e, &more, &err)); /* both are chosen; one is moved */
    CHECK(view_of(&r).repacked == 1 && view_of(&r).why[0] != '\0' && r.e->repacks.until_ms == 0);
    CHECK_OK(gw_engine_tidy(r.e, &more, &err)); /* nothing after the one that waits: all had their turn */
    CHECK(r.e->repacks.past == 0 && r.e->repacks.until_ms == 0);
    for (unsigned rounds = 2; rounds <= 4; rounds++) { /* it is alone: tried again, later each time */
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
        CHECK(view_of(&r).repacked == 1 && r.e->repacks.past != 0 && r.e->repacks.failures == rounds);
        CHECK(r.e->repacks.until_ms > gw_env_now(r.e->env));
        r.e->repacks.until_ms = 0;
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
        CHECK(r.e->repacks.rounds == rounds && r.e->repacks.past == 0);
    }
    pack_check(&r, &p[1]);
    CHECK(count_sql(&r, "SELECT COUNT(*) FROM version WHERE tenant=?1 AND state=1", r.tenant) == 0);
    tenant_counted(&r, r.tenant);
    aside(&r, &p[0], false);
    settle(&r);
    CHECK(view_of(&r).repacked == 2 && view_of(&r).why[0] == '\0' && r.e->repacks.rounds == 0);
    pack_check(&r, &p[0]);
    pack_check(&r, &p[1]);
    free(p);
    erig_done(&r);
}

/* A third of what was put together was purged before the record: it is dead in the new bundle. */
static void purged_meanwhile(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf members = { .max = (size_t)MEMBERS * GW_LOG_PACKED_BYTES };
    struct gw_half_row rows[MEMBERS];
    struct gw_rec_repacked rec = { .created = 1,
                                   .object.b = { 1 },
                                   .version.b = { 2 },
                                   .segment = { .id = 1000000, .incarnation = 1 },
                                   .layout = { .k = K, .n = CLOUDS, .clouds = { 1, 2, 3, 4 } } };
    struct qc_err err = { 0 };
    uint64_t left = 0;
    unsigned count;
    struct erig r;

    struct pack *p = half_dead(&r);
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        const struct gw_ref vault = { r.tenant, r.vault };
        CHECK_OK(gw_cat_half_members(r.e->cat, &vault, 0, rows, MEMBERS, &count, &err));
        for (unsigned i = 0; i < count; i++) {
            const struct gw_log_packed one = { rows[i].object, rows[i].version, rec.segment.size };
            rec.segment.size += rows[i].size;
            left += i % 3 == 0 ? rows[i].size : 0;
            if (i % 3 != 0) {
                CHECK_OK(gw_log_add_packed(&members, &one, &err));
                rec.count++;
            }
        }
        rec.tenant = r.tenant;
        rec.vault = r.vault;
        rec.members = qc_buf_span(&members);
        CHECK_OK(gw_cat_begin(r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_apply_repacked(r.e->cat, &rec, &err));
        CHECK_OK(gw_cat_apply_repacked(r.e->cat, &rec, &err)); /* a second time: nothing */
        CHECK_OK(gw_cat_commit(r.e->cat, &tx, &err));
    }
    CHECK(left > 0 && count_sql(&r,
                                "SELECT gone FROM version WHERE tenant=?1 AND size>0 AND bundle=1"
                                " ORDER BY version_no DESC LIMIT 1",
                                r.tenant) == left);
    free(p);
    erig_done(&r);
}

int main(void)
{
    model();
    limits();
    if (erig_elsewhere()) { /* the rows are the same there; the rest is the engine's */
        two_gateways();
        return 0;
    }
    fails();
    under_a_read();
    one_away();
    changed();
    unreadable();
    purged_meanwhile();
    if (!qc_threads_alone) /* it ends in the midst of it */
        at_each_step();
    return 0;
}
