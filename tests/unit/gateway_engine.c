/* unit/gateway_engine: the engine keeps its header's promises, refusals included. */
#include "gw_engine_rig.h"

static void put_and_read(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a, again;
    struct gw_entry_row row;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 3, 700000);
    CHECK_OK(erig_put(&r, &p, &a, &err));
    CHECK(a.number == 1 && a.chain == 1 && a.acked_margin == 2 && a.margin_full == 2 && a.durable_min == 5 &&
          a.n == 5);
    CHECK(a.record_copies == 5 && a.clouds == 5 && a.degraded_count == 0);
    CHECK_OK(erig_check(&r, &p, &err));

    /* The same commit again: the same receipt. */
    CHECK_OK(erig_commit(&r, &p, &again, &err));
    CHECK(again.number == a.number && memcmp(&again.head, &a.head, sizeof a.head) == 0);
    CHECK(again.record_copies == a.record_copies && again.acked_margin == a.acked_margin);

    CHECK_OK(gw_entry_get(r.e, OWN(r.vault), qc_span_str(p.path), &row, &err));
    CHECK(row.e.number == 1 && row.e.size == p.entry.size && row.acked_margin == 2 && row.margin == 2);
    CHECK(memcmp(row.e.seal, p.entry.seal, 32) == 0 && gw_id_same(&row.e.object, &p.object));
    CHECK(qc_span_eq(row.e.private_part, qc_span_of(p.private_part, sizeof p.private_part)));
    gw_entry_row_done(&row);
    CHECK_RC(gw_entry_get(r.e, OWN(r.vault), QC_LIT("nothing"), &row, &err), QC_NOTFOUND);

    /* Overwrite: only with the next number. */
    const struct erig_put stale = erig_prepare(2, p.path, 1, 1, 10);
    CHECK_RC(erig_put(&r, &stale, &again, &err), QC_CONFLICT);
    const struct erig_put next = erig_prepare(3, p.path, 2, 1, 10);
    CHECK_OK(erig_put(&r, &next, &again, &err));
    CHECK(again.number == 2 && again.chain == 2);
    CHECK_OK(erig_check(&r, &next, &err));
    CHECK_OK(erig_check(&r, &p, &err)); /* every version is kept */

    /* The engine closed and opened: all is there. */
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK_OK(erig_check(&r, &next, &err));
    CHECK_OK(erig_commit(&r, &p, &again, &err));
    CHECK(memcmp(&again.head, &a.head, sizeof a.head) == 0);
    erig_done(&r);
}

static void remove_and_list(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a, again;
    struct gw_entry_row row;

    erig_new(&r, 3, 2, 3);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 100);
    CHECK_OK(erig_put(&r, &p, &a, &err));
    const struct erig_put never = erig_prepare(9, "\1never", 1, 1, 1);
    CHECK_RC(erig_remove(&r, &never, &a, &err), QC_NOTFOUND);
    const struct erig_put wrong = erig_prepare(2, p.path, 3, 1, 1);
    CHECK_RC(erig_remove(&r, &wrong, &a, &err), QC_CONFLICT);
    const struct erig_put t = erig_prepare(4, p.path, 2, 1, 1);
    CHECK_OK(erig_remove(&r, &t, &a, &err));
    CHECK(a.number == 2 && a.chain == 2 && a.record_copies == 3 && a.clouds == 3);
    CHECK_OK(erig_remove(&r, &t, &again, &err));
    CHECK(memcmp(&again.head, &a.head, sizeof a.head) == 0);
    CHECK_OK(gw_entry_get(r.e, OWN(r.vault), qc_span_str(p.path), &row, &err));
    CHECK(row.e.kind == GW_ENTRY_TOMBSTONE && row.e.number == 2 && row.e.size == 0 &&
          row.e.private_part.n == 0);
    gw_entry_row_done(&row);
    const struct erig_put back = erig_prepare(5, p.path, 3, 1, 100);
    CHECK_OK(erig_put(&r, &back, &a, &err));
    CHECK(a.number == 3 && a.chain == 3);
    erig_done(&r);
}

struct names {
    unsigned count;
    char last[16];
};

static qc_rc see(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    struct names *n = ctx;
    char name[16] = "";

    (void)err;
    CHECK(row->e.path.n < sizeof name);
    memcpy(name, row->e.path.p, row->e.path.n);
    CHECK(strcmp(name, n->last) > 0);
    memcpy(n->last, name, sizeof name);
    n->count++;
    return QC_OK;
}

static void pages(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    bool more;

    erig_new(&r, 2, 1, 2);
    for (unsigned i = 0; i < 25; i++) {
        char path[16];
        snprintf(path, sizeof path, "%s%02u", i % 2 ? "b" : "a", i);
        const struct erig_put p = erig_prepare(100 + i, path, 1, 1, 5);
        CHECK_OK(erig_put(&r, &p, &a, &err));
    }
    struct names n = { 0 };
    struct gw_entry_query q = { .limit = 10 };
    CHECK_OK(gw_entry_list(r.e, OWN(r.vault), &q, see, &n, &more, &err));
    CHECK(n.count == 10 && more);
    for (unsigned round = 0; more; round++) {
        CHECK(round < 5);
        q.has_after = true;
        q.after = qc_span_str(n.last);
        char after[16];
        memcpy(after, n.last, sizeof after);
        q.after = qc_span_str(after);
        CHECK_OK(gw_entry_list(r.e, OWN(r.vault), &q, see, &n, &more, &err));
    }
    CHECK(n.count == 25);
    n = (struct names){ 0 };
    q = (struct gw_entry_query){ .prefix = QC_LIT("b"), .limit = 100 };
    CHECK_OK(gw_entry_list(r.e, OWN(r.vault), &q, see, &n, &more, &err));
    CHECK(n.count == 12 && !more);

    qc_buf seals = { .max = 32 * 100 };
    struct gw_head head, walk;
    CHECK_OK(gw_vault_chain(r.e, OWN(r.vault), 0, 100, &head, &seals, &err));
    CHECK(head.count == 25 && seals.n == 25 * 32);
    CHECK_OK(gw_head_start(&r.vault, &walk, &err));
    for (unsigned i = 0; i < 25; i++)
        CHECK_OK(gw_head_next(&walk, seals.p + 32 * (size_t)i, &walk, &err));
    CHECK(memcmp(&walk, &head, sizeof head) == 0);
    qc_buf_free(&seals);
    erig_done(&r);
}

static void uploads(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    enum gw_upload_state state;
    bool more;

    erig_new(&r, 5, 3, 5);
    struct erig_put p = erig_prepare(1, "\1alpha", 1, 3, 1000);
    CHECK_RC(erig_segment(&r, &p, 0, &err), QC_NOTFOUND);
    CHECK_OK(gw_upload_get(r.e, OWN(p.key), &state, &a, &err));
    CHECK(state == GW_UPLOAD_UNKNOWN);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_RC(erig_commit(&r, &p, &a, &err), QC_USAGE); /* segments are missing */
    CHECK_OK(erig_segment(&r, &p, 2, &err));
    CHECK_RC(erig_commit(&r, &p, &a, &err), QC_USAGE);
    CHECK_OK(erig_segment(&r, &p, 0, &err)); /* again: new keys */
    gw_engine_close(&r.e);
    erig_open(&r); /* an upload goes on over a restart */
    CHECK_OK(gw_upload_get(r.e, OWN(p.key), &state, &a, &err));
    CHECK(state == GW_UPLOAD_OPEN);
    CHECK_OK(erig_segment(&r, &p, 1, &err));
    p.entry.size++;
    CHECK_RC(erig_commit(&r, &p, &a, &err), QC_USAGE);
    p.entry.size--;
    CHECK_OK(erig_commit(&r, &p, &a, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_RC(gw_upload_cancel(r.e, OWN(p.key), &state, &a, &err), QC_CONFLICT);
    CHECK(state == GW_UPLOAD_LIVE && a.number == 1);

    /* Cancelled: never again, and its fragments go. */
    const struct erig_put q = erig_prepare(2, "\1beta", 1, 2, 1000);
    CHECK_OK(erig_begin(&r, &q, &err));
    CHECK_OK(erig_segment(&r, &q, 0, &err));
    CHECK_OK(gw_upload_cancel(r.e, OWN(q.key), &state, &a, &err));
    CHECK_OK(gw_upload_cancel(r.e, OWN(q.key), &state, &a, &err));
    CHECK_RC(erig_segment(&r, &q, 1, &err), QC_CONFLICT);
    CHECK_RC(erig_commit(&r, &q, &a, &err), QC_CONFLICT);
    CHECK_RC(erig_begin(&r, &q, &err), QC_CONFLICT);
    const struct erig_put unknown = erig_prepare(3, "\1gamma", 1, 1, 1);
    CHECK_OK(gw_upload_cancel(r.e, OWN(unknown.key), &state, &a, &err));
    CHECK_RC(erig_begin(&r, &unknown, &err), QC_CONFLICT);

    struct gw_status s;
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.dead_segments > 0 && s.objects == 1 && s.versions == 1);
    for (unsigned i = 0; i < 10; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.dead_segments == 0);
    CHECK_OK(erig_check(&r, &p, &err));
    erig_done(&r);
}

/* Fragments on a cloud: files below f/. */
static unsigned file_count;
static int count_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    file_count += kind == FTW_F && strstr(path, "/f/") != NULL;
    return 0;
}
static unsigned fragments(const struct erig *r, unsigned cloud)
{
    char path[320];
    erig_cloud(r, cloud, "", path, sizeof path);
    file_count = 0;
    CHECK(nftw(path, count_file, 16, FTW_PHYS) == 0);
    return file_count;
}

static void swept(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    enum gw_upload_state state;
    bool more;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 2, 1000);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err));
    CHECK_OK(erig_segment(&r, &p, 1, &err));
    CHECK(fragments(&r, 0) == 3);
    CHECK_OK(erig_commit(&r, &p, &a, &err));
    const struct erig_put q = erig_prepare(2, "\1beta", 1, 2, 1000);
    CHECK_OK(erig_begin(&r, &q, &err));
    CHECK_OK(erig_segment(&r, &q, 0, &err));
    CHECK_OK(gw_upload_cancel(r.e, OWN(q.key), &state, &a, &err));
    erig_lose(&r, 4);
    for (unsigned i = 0; i < 5; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK(fragments(&r, 0) == 2);
    erig_find(&r, 4);
    CHECK(fragments(&r, 4) == 4);
    for (unsigned i = 0; i < 5; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    for (unsigned i = 0; i < 5; i++)
        CHECK(fragments(&r, i) == 2);
    CHECK_OK(erig_check(&r, &p, &err));
    erig_done(&r);
}

static void degraded(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    struct gw_status s;
    bool more;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 2, 5000);
    CHECK_OK(erig_put(&r, &p, &a, &err));
    erig_lose(&r, 1);
    const struct erig_put q = erig_prepare(2, "\1beta", 1, 2, 5000);
    CHECK_OK(erig_put(&r, &q, &a, &err));
    CHECK(a.acked_margin == 1 && a.margin_full == 2 && a.durable_min == 4 && a.record_copies == 4);
    CHECK(a.degraded_count == 1 && a.degraded[0] == 2);
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.debts == 2 && s.record_debts == 1 && s.clouds[1].view.state != GW_CLOUD_OK);
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_OK(erig_check(&r, &q, &err));

    struct gw_request faults;
    CHECK_OK(gw_request_get(r.e, GW_OWNER, "0123456789abcdef", &faults, &err));
    CHECK(faults.rc == QC_OK);
    erig_lose(&r, 2);
    const struct erig_put t = erig_prepare(3, "\1gamma", 1, 1, 5000);
    CHECK(erig_put(&r, &t, &a, &err) == QC_QUORUM); /* three of five take it, four are needed */
    CHECK(strstr(err.msg, "3 of 5 clouds took a fragment, 4 are needed: c2: ") == err.msg);
    CHECK(strstr(err.msg, "; c3: ") != NULL && strstr(err.msg, "c1: ") == NULL);
    qc_err_clear(&err);
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_OK(erig_check(&r, &q, &err));
    erig_lose(&r, 3);
    CHECK(erig_check(&r, &p, &err) == QC_QUORUM);
    CHECK(strstr(err.msg, "2 of 5 clouds gave their fragment, 3 are needed: c2 lost since 20") == err.msg);
    CHECK(strstr(err.msg, "Z, c3 lost since 20") != NULL && strstr(err.msg, "Z, c4 lost since 20") != NULL);
    qc_err_clear(&err);
    const struct erig_put rm = erig_prepare(4, "\1alpha", 2, 1, 1);
    CHECK(erig_remove(&r, &rm, &a, &err) == QC_TEMP); /* decided: it will be, whatever keeps it now */
    CHECK(strstr(err.msg, "it is decided") == err.msg && strstr(err.msg, "3 are needed") != NULL);
    qc_err_clear(&err);
    erig_find(&r, 1);
    erig_find(&r, 2);
    erig_find(&r, 3);
    CHECK_OK(erig_remove(&r, &rm, &a, &err)); /* at once */
    CHECK(a.record_copies == 5);
    const struct erig_put whole = erig_prepare(5, "\1delta", 1, 2, 5000);
    CHECK_OK(erig_put(&r, &whole, &a, &err));
    CHECK(a.acked_margin == 2 && a.durable_min == 5 && a.degraded_count == 0 && a.record_copies == 5);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.record_debts == 0 && s.clouds[1].view.state == GW_CLOUD_OK);
    erig_done(&r);
}

static unsigned faults_of(struct erig *r, const struct erig_put *p, const char *request, uint32_t cloud,
                          enum gw_fault_kind kind)
{
    const struct gw_version_ids ids = { .vault = r->vault, .object = p->object, .version = p->version };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    struct gw_request q;
    struct qc_err err = { 0 };
    uint8_t some[100];
    uint64_t size, count = 0;
    size_t n;

    CHECK_OK(gw_reader_open(r->e, &ids, request, &reader, &size, &err));
    for (uint32_t seq = 0; seq < p->segments; seq++)
        CHECK_OK(gw_reader_read(reader, (uint64_t)seq * p->size, size, some, sizeof some, &n, &err));
    CHECK_OK(gw_request_get(r->e, GW_OWNER, request, &q, &err));
    CHECK(q.rc == QC_OK);
    for (unsigned i = 0; i < q.count; i++) {
        CHECK(q.faults[i].cloud_id == cloud && q.faults[i].kind == kind && q.faults[i].key[0] != 0);
        count += q.faults[i].count;
    }
    return (unsigned)count;
}

/* Every read tells of every fragment that it should have behind it, each time, also when nobody was asked; a
 * cloud that is back is not told of, but for what it never got. */
static void told_each_time(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;
    struct gw_version_info info;
    struct gw_status s;
    char id[20];

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 4, 5000);
    CHECK_OK(erig_put(&r, &p, &a, &err));
    CHECK(faults_of(&r, &p, "00000000000000ff", 0, 0) == 0);
    erig_lose(&r, 1);
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.clouds[1].view.state == GW_CLOUD_LOST); /* renamed, under a running gateway */
    const struct gw_version_ids ids = { .vault = r.vault, .object = p.object, .version = p.version };
    CHECK_OK(gw_version_info(r.e, &ids, &info, &err));
    CHECK(info.margin == 1 && info.cloud_count == 5);
    for (unsigned i = 0; i < 5; i++) /* all that was there is missing */
        CHECK(info.clouds[i].fragments == 4 &&
              info.clouds[i].missing == (info.clouds[i].cloud_id == 2 ? 4 : 0));
    for (unsigned i = 0; i < 5; i++) {
        CHECK(snprintf(id, sizeof id, "00000000000000%02x", i) > 0);
        CHECK(faults_of(&r, &p, id, 2, GW_FAULT_LOST) == 4);
    }
    const struct erig_put q = erig_prepare(2, "\1beta", 1, 3, 5000);
    CHECK_OK(erig_put(&r, &q, &a, &err));
    CHECK(faults_of(&r, &q, "0000000000000010", 2, GW_FAULT_LOST) == 3);
    erig_find(&r, 1);
    CHECK(faults_of(&r, &p, "0000000000000011", 0, 0) == 0);
    for (unsigned i = 0x20; i < 0x23; i++) {
        CHECK(snprintf(id, sizeof id, "00000000000000%02x", i) > 0);
        CHECK(faults_of(&r, &q, id, 2, GW_FAULT_MISSING) == 3);
    }
    erig_done(&r);
}

/* A cloud loses its identity, and answers on: it is no witness, and nothing on it counts (D8). */
static void identity(const struct erig *r, unsigned cloud, bool take)
{
    char dir[320], here[340], kept[360];
    erig_cloud(r, cloud, "", dir, sizeof dir);
    CHECK(snprintf(here, sizeof here, "%s/i", dir) > 0);
    CHECK(snprintf(kept, sizeof kept, "%s/identity%u", r->dir.path, cloud) > 0);
    CHECK((take ? rename(here, kept) : rename(kept, here)) == 0);
}

static qc_rc info_of(const struct erig *r, const struct erig_put *p, struct qc_err *err)
{
    struct gw_version_info info;
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    return gw_version_info(r->e, &ids, &info, err);
}

/* Nobody reads it meanwhile, and nobody is told that there is no such version. */
static void wiped(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt a;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 5000);
    CHECK_OK(erig_begin(&r, &p, &err));
    CHECK_OK(erig_segment(&r, &p, 0, &err)); /* on all five */
    CHECK_RC(info_of(&r, &p, &err), QC_NOTFOUND);
    for (unsigned i = 0; i < 3; i++)
        identity(&r, i, true);
    CHECK_RC(erig_commit(&r, &p, &a, &err),
             QC_TEMP); /* decided; five took the record, two testify, three are needed */
    CHECK_RC(info_of(&r, &p, &err), QC_CONFLICT);
    struct gw_entry_row row;
    CHECK_RC(gw_entry_get(r.e, OWN(r.vault), qc_span_str(p.path), &row, &err), QC_NOTFOUND);
    identity(&r, 0, false);
    identity(&r, 1, false);
    usleep(1100 * 1000);
    CHECK_OK(erig_commit(&r, &p, &a, &err));
    CHECK(a.record_copies == 4 && a.acked_margin == 1 && a.durable_min == 4);
    CHECK_OK(info_of(&r, &p, &err));
    CHECK(a.degraded_count == 1 && a.degraded[0] == 3);
    erig_done(&r);
}

#ifdef QC_FAULT_POINTS
#include "base/fault.h"

static struct erig slow_rig;
static struct erig_put slow_put;
static void *put_slowly(void *arg)
{
    struct qc_err err = { 0 };
    (void)arg;
    CHECK_RC(erig_segment(&slow_rig, &slow_put, 0, &err), QC_CONFLICT);
    return NULL;
}

/* false: the machine was slower than the put. */
static bool sweeps_come_first(unsigned pause_ms)
{
    char script[64];
    struct qc_err err = { 0 };
    enum gw_upload_state state;
    struct gw_receipt a;
    pthread_t thread;
    bool more;

    erig_new(&slow_rig, 5, 3, 5);
    slow_put = erig_prepare(1, "\1alpha", 1, 1, 1000);
    CHECK_OK(erig_begin(&slow_rig, &slow_put, &err));
    CHECK(snprintf(script, sizeof script, "put_frag:pause_ms:%u", pause_ms) > 0);
    qc_fault_script(script);
    const uint64_t begun = qc_now_ms(); /* nothing is put before pause_ms after this */
    CHECK(pthread_create(&thread, NULL, put_slowly, NULL) == 0);
    while (qc_fault_passes(QC_FP_put_frag) == 0)
        usleep(1000);
    CHECK_OK(gw_upload_cancel(slow_rig.e, OWN(slow_put.key), &state, &a, &err));
    for (unsigned i = 0; i < 4; i++)
        CHECK_OK(gw_engine_tidy(slow_rig.e, &more, &err));
    const bool first = qc_now_ms() - begun < pause_ms;
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(!first || fragments(&slow_rig, 0) == 1); /* it landed after the sweeps */
    qc_fault_script("");
    for (unsigned i = 0; i < 4; i++)
        CHECK_OK(gw_engine_tidy(slow_rig.e, &more, &err));
    for (unsigned i = 0; i < 5; i++)
        CHECK(fragments(&slow_rig, i) == 0);
    erig_done(&slow_rig);
    return first;
}

/* Cancelled and swept while its fragments are only about to be put: the sweep waits for them. */
static void swept_too_soon(void)
{
    for (unsigned ms = 400; !sweeps_come_first(ms); ms *= 4)
        CHECK(ms < 100000);
}
#endif

static void refused_init(void)
{
    struct erig r, other;
    struct qc_err err = { 0 };
    char state[320], home[320];

    erig_new(&r, 3, 2, 3);
    erig_path(&r, "other", state, sizeof state);
    CHECK_RC(erig_init(&r, state, &err), QC_CONFLICT); /* these clouds are a gateway's */
    gw_engine_close(&r.e);
    CHECK_RC(erig_init(&r, r.state, &err), QC_CONFLICT); /* this directory is */
    erig_open(&r);
    erig_start(&other, 3, 4, 3);
    CHECK_RC(erig_init(&other, other.state, &err), QC_USAGE);
    other.k = 2;
    erig_cloud(&other, 1, "", home, sizeof home);
    CHECK(mkdir(home, 0700) == 0);
    char file[340];
    snprintf(file, sizeof file, "%s/letter", home);
    FILE *f = fopen(file, "w");
    CHECK(f != NULL && fclose(f) == 0);
    CHECK_RC(erig_init(&other, other.state, &err), QC_CONFLICT); /* somebody's home */
    erig_done(&other);
    struct gw_engine *second = NULL;
    CHECK_RC(gw_engine_open(&second, r.state, &r.rng, &err), QC_LOCKED);
    CHECK_RC(gw_engine_open(&second, state, &r.rng, &err), QC_NOTCONF);
    erig_done(&r);
}

int main(void)
{
    put_and_read();
    remove_and_list();
    pages();
    uploads();
    swept();
    degraded();
    told_each_time();
    wiped();
#ifdef QC_FAULT_POINTS
    swept_too_soon();
#endif
    refused_init();
    return 0;
}
