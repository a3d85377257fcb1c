/* unit/gateway_tenants: what is a tenant's is nobody else's, in every call, also where all ids are equal; and
 * it stays so after a rebuild from the clouds. */
#include "gw_tenants.h"

static bool of_token(struct erig *r, const char *token, struct gw_tenant *ret)
{
    struct qc_err err = { 0 };
    uint8_t hash[32];
    tenant_hash(token, hash);
    const qc_rc rc = gw_tenant_of_token(r->e, hash, ret, &err);
    CHECK(rc == QC_OK || rc == QC_AUTH);
    return rc == QC_OK;
}

static qc_rc change(struct erig *r, const struct gw_tenant_change *c)
{
    struct qc_err err = { 0 };
    return gw_tenant_change(r->e, c, NULL, &err);
}

static qc_rc seen(void *ctx, const struct gw_tenant *t, const struct gw_usage *u, struct qc_err *err)
{
    unsigned *count = ctx;
    (void)err;
    CHECK(t->id == ++*count && u->bytes == 0);
    return QC_OK;
}

/* -- the operator's calls -------------------------------------------------------------------------------- */

static void check_changes(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_tenant t;
    uint8_t hash[32];
    const bool no = false, yes = true;
    const uint64_t zero = 0, five = 5, huge = UINT64_MAX;
    unsigned count = 0;

    erig_new(&r, 3, 2, 3);
    tenant_hash("of nobody", hash);
    CHECK(!of_token(&r, "of nobody", &t));
    CHECK(tenant_add(&r, "first", "token 1", 0, 0) == 1 && tenant_add(&r, "2.nd_-", "token 2", 7, 8) == 2);
    CHECK(of_token(&r, "token 1", &t) && t.id == 1 && t.enabled && strcmp(t.name, "first") == 0);
    CHECK(t.limits.bytes == GW_NO_LIMIT && t.limits.objects == QC_GW_TENANT_OBJECTS &&
          t.limits.uploads == QC_GW_TENANT_UPLOADS && t.limits.requests == QC_GW_TENANT_REQUESTS);
    CHECK(of_token(&r, "token 2", &t) && t.id == 2 && t.limits.bytes == 7 && t.limits.objects == 8);
    CHECK(!of_token(&r, "token 3", &t) && !of_token(&r, "", &t));
    CHECK_OK(gw_tenant_list(r.e, seen, &count, &err));
    CHECK(count == 2);

    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .add = true, .token_hash = hash }) ==
          QC_CONFLICT);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "new", .add = true }) == QC_USAGE);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "new", .token_hash = hash }) == QC_NOTFOUND);
    static const char *const bad[] = {
        "",    "-a",  ".a",       "A",
        "a b", "a/b", "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(change(&r, &(struct gw_tenant_change){ .name = bad[i], .add = true, .token_hash = hash }) ==
              QC_USAGE);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .uploads = &zero }) == QC_USAGE);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .requests = &huge }) == QC_USAGE);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .bytes = &huge }) == QC_USAGE);

    /* The next request knows, also after the next start; another token is another one from then on. */
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .enabled = &no, .uploads = &five }) ==
          QC_OK);
    CHECK(of_token(&r, "token 1", &t) && !t.enabled && t.limits.uploads == 5 && t.revision == 2);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "2.nd_-", .token_hash = hash }) == QC_OK);
    CHECK(!of_token(&r, "token 2", &t) && of_token(&r, "of nobody", &t) && t.id == 2 && t.limits.bytes == 7);
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK(of_token(&r, "token 1", &t) && !t.enabled && t.limits.uploads == 5);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "first", .enabled = &yes }) == QC_OK);
    CHECK(of_token(&r, "token 1", &t) && t.enabled && t.limits.uploads == 5 && t.revision == 3);
    CHECK(!of_token(&r, "token 2", &t) && tenant_add(&r, "third", "token 3", 0, 0) == 3);
    erig_done(&r);
}

/* -- isolation ------------------------------------------------------------------------------------------- */

/* What a call answers: code and text. */
struct said {
    qc_rc rc;
    char msg[QC_ERR_MSG_MAX];
};

static struct said say(qc_rc rc, const struct qc_err *err)
{
    struct said s = { .rc = rc };
    if (rc != QC_OK)
        memcpy(s.msg, err->msg, sizeof s.msg);
    return s;
}

static qc_rc ignore_vault(void *ctx, const struct gw_id *vault, struct qc_err *err)
{
    (void)vault;
    (void)err;
    ++*(unsigned *)ctx;
    return QC_OK;
}

static qc_rc ignore_entry(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    (void)ctx;
    (void)row;
    (void)err;
    return QC_OK;
}

enum { CALLS = 15 };

/* Every call that names something, with a tenant, a vault and the ids of a put. */
static void every_call(struct erig *r, uint32_t tenant, const struct gw_id *vault, const struct erig_put *p,
                       struct said ret[CALLS])
{
    const struct gw_ref v = { tenant, *vault }, key = { tenant, p->key };
    const struct gw_version_ids ids = {
        .tenant = tenant, .vault = *vault, .object = p->object, .version = p->version
    };
    const struct gw_entry_query all = { .limit = 10 };
    const struct gw_entry gone = { .kind = GW_ENTRY_TOMBSTONE, .number = 2, .path = qc_span_str(p->path) };
    const struct gw_upload begin = { .tenant = tenant,
                                     .put_key = { "another key" },
                                     .vault = *vault,
                                     .object = { "another" },
                                     .version = { "another" } };
    struct gw_upload_commit commit = { .tenant = tenant, .put_key = p->key, .vault = *vault };
    const struct gw_segment_put seg = { .tenant = tenant, .put_key = p->key, .size = 5 };
    struct qc_err err = { 0 };
    QC_CLEANUP(gw_vault_done) struct gw_vault vv = { 0 };
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row row = { 0 };
    QC_CLEANUP(gw_reader_close) struct gw_reader *reader = NULL;
    QC_CLEANUP(gw_unit_give) struct gw_unit *unit = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = 1 << 20 };
    struct gw_head head;
    struct gw_receipt receipt = { 0 };
    struct gw_segment_receipt done;
    struct gw_version_info info;
    struct gw_request request;
    enum gw_upload_state state = GW_UPLOAD_UNKNOWN;
    struct gw_id id;
    uint64_t size;
    bool flag;
    unsigned n = 0;

    commit.entry = p->entry;
    commit.entry.path = qc_span_str(p->path);
    commit.segments = p->segments;
    commit.backup = QC_LIT("backup");
    ret[n++] = say(gw_vault_get(r->e, &v, &vv, &err), &err);
    ret[n++] = say(gw_vault_chain(r->e, &v, 0, 5, &head, &bytes, &err), &err);
    ret[n++] = say(gw_entry_get(r->e, &v, qc_span_str(p->path), &row, &err), &err);
    ret[n++] = say(gw_entry_list(r->e, &v, &all, ignore_entry, NULL, &flag, &err), &err);
    ret[n++] = say(gw_entry_remove(r->e, &v, &gone, &(struct gw_id){ "removal" }, &receipt, &err), &err);
    ret[n++] = say(gw_upload_begin(r->e, &begin, &flag, &err), &err);
    CHECK_OK(gw_engine_unit(r->e, tenant, seg.size, qc_deadline_in(1000), &unit, &err));
    ret[n++] = say(gw_upload_segment(r->e, &seg, unit, &done, &err), &err);
    gw_unit_give(&unit);
    ret[n++] = say(gw_upload_vault(r->e, &key, &id, &err), &err);
    ret[n++] = say(gw_upload_commit(r->e, &commit, &receipt, &err), &err);
    ret[n++] = say(gw_upload_get(r->e, &key, &state, &receipt, &err), &err);
    ret[n - 1].rc = ret[n - 1].rc == QC_OK && state != GW_UPLOAD_UNKNOWN ? QC_CONFLICT : ret[n - 1].rc;
    ret[n++] = say(gw_version_backup(r->e, &ids, &bytes, &err), &err);
    ret[n++] = say(gw_version_info(r->e, &ids, &info, &err), &err);
    ret[n++] = say(gw_reader_open(r->e, &ids, "", &reader, &size, &err), &err);
    ret[n++] = say(gw_request_get(r->e, tenant, "00000000000000aa", &request, &err), &err);
    unsigned vaults = 0;
    ret[n++] = say(gw_vault_list(r->e, tenant, ignore_vault, &vaults, &err), &err);
    CHECK(vaults == tenant_usage(r, tenant).vaults);
    CHECK(n == CALLS);
}

/* A stranger with all the ids gets, word for word, what they get who ask for ids that nobody ever used. */
static void check_strangers(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    struct said unknown[CALLS], foreign[CALLS];
    const struct erig_put none = erig_prepare(99, "\1none", 1, 1, 10);
    struct erig_put p = erig_prepare(7, "\1path", 1, 1, 10), open = erig_prepare(8, "\1open", 1, 1, 10);
    const struct gw_id nowhere = { "no such vault" };

    erig_new(&r, 3, 2, 3);
    const uint32_t a = tenant_add(&r, "a", "token a", 0, 0), b = tenant_add(&r, "b", "token b", 0, 0);
    tenant_be(&r, a, 0xa1);
    const struct gw_id vault = r.vault;
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    CHECK_OK(erig_begin(&r, &open, &err));
    CHECK_OK(erig_segment(&r, &open, 0, &err));
    gw_request_begin(r.e, a, "00000000000000aa");

    const uint32_t who[] = { b, GW_OWNER };
    for (size_t i = 0; i < 2; i++) {
        every_call(&r, who[i], &nowhere, &none, unknown);
        every_call(&r, who[i], &vault, &p, foreign);
        for (unsigned c = 0; c < CALLS; c++) {
            if (foreign[c].rc != unknown[c].rc || strcmp(foreign[c].msg, unknown[c].msg) != 0)
                fprintf(stderr, "call %u: %s '%s', and of nothing %s '%s'\n", c, qc_rc_name(foreign[c].rc),
                        foreign[c].msg, qc_rc_name(unknown[c].rc), unknown[c].msg);
            CHECK(foreign[c].rc == unknown[c].rc && strcmp(foreign[c].msg, unknown[c].msg) == 0);
            CHECK(foreign[c].rc == QC_NOTFOUND || c == 9 || c == 14); /* state unknown; a list of one's own */
        }
        every_call(&r, who[i], &vault, &open, foreign);
        for (unsigned c = 0; c < CALLS; c++)
            CHECK(foreign[c].rc == unknown[c].rc && strcmp(foreign[c].msg, unknown[c].msg) == 0);
    }
    /* Nothing of that changed anything: the owner of the ids goes on. */
    CHECK_OK(erig_commit(&r, &open, &receipt, &err));
    CHECK_OK(erig_check(&r, &p, &err));
    CHECK_OK(erig_check(&r, &open, &err));
    tenant_counted(&r, a);
    tenant_counted(&r, b);
    CHECK(tenant_usage(&r, b).objects == 0 && tenant_usage(&r, b).vaults == 0);
    erig_done(&r);
}

/* Two tenants and the owner use the very same ids; each has what it put, and a cancel reaches nobody else. */
static void check_twins(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct gw_rebuild_report report;
    struct erig_put p[3];
    uint32_t who[3] = { GW_OWNER };

    erig_new(&r, 3, 2, 3);
    who[1] = tenant_add(&r, "a", "token a", 0, 0);
    who[2] = tenant_add(&r, "b", "token b", 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        tenant_be(&r, who[i], 0x77);
        p[i] = erig_prepare(5, "\1same", 1, 1 + i, 100 * (i + 1));
        CHECK_OK(tenant_vault(&r, &err));
        CHECK_OK(erig_begin(&r, &p[i], &err));
    }
    for (unsigned i = 0; i < 3; i++) {
        tenant_be(&r, who[i], 0x77);
        for (uint32_t seq = 0; seq < p[i].segments; seq++)
            CHECK_OK(erig_segment(&r, &p[i], seq, &err));
    }
    /* The second gives up; the others' put key, which is the same, is still open. */
    CHECK_OK(gw_upload_cancel(r.e, &(struct gw_ref){ who[1], p[1].key }, &state, &receipt, &err));
    CHECK_OK(gw_upload_get(r.e, &(struct gw_ref){ who[2], p[2].key }, &state, &receipt, &err));
    CHECK(state == GW_UPLOAD_OPEN);
    for (unsigned i = 0; i < 3; i += 2) {
        tenant_be(&r, who[i], 0x77);
        CHECK_OK(erig_commit(&r, &p[i], &receipt, &err));
        CHECK(receipt.number == 1 && receipt.chain == 1);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3; i++) {
            const struct gw_version_ids ids = {
                .tenant = who[i], .vault = r.vault, .object = p[i].object, .version = p[i].version
            };
            struct gw_version_info info;
            tenant_be(&r, who[i], 0x77);
            if (i == 1)
                CHECK_RC(gw_version_info(r.e, &ids, &info, &err), QC_NOTFOUND);
            else
                CHECK_OK(erig_check(&r, &p[i], &err));
            tenant_counted(&r, who[i]);
        }
        if (round == 0) { /* and it is so from the clouds alone */
            gw_engine_close(&r.e);
            CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
            CHECK(report.vaults == 4 && report.versions == 2);
            erig_open(&r);
        }
    }
    erig_done(&r);
}

/* -- the clouds alone ------------------------------------------------------------------------------------ */

/* The machine is gone: every vault belongs to whom it did, and nobody's token reaches another's. */
static void check_rebuild(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_receipt receipt;
    struct gw_rebuild_report report;
    struct gw_tenant t;
    struct gw_safety safety;
    struct gw_usage before[3], after;
    struct erig_put p[2] = { erig_prepare(11, "\1one", 1, 2, 5000), erig_prepare(12, "\1two", 1, 1, 77) };
    struct erig_put rm = erig_prepare(13, "\1two", 2, 1, 1);
    char other[400];
    const bool no = false;
    uint8_t hash[32];
    uint32_t id[2];

    erig_new(&r, 5, 3, 5);
    for (unsigned i = 0; i < 2; i++) {
        id[i] = tenant_add(&r, i == 0 ? "a" : "b", i == 0 ? "token a" : "token b", 100000, 100);
        tenant_be(&r, id[i], (uint8_t)(0xb0 + i));
        CHECK_OK(tenant_vault(&r, &err));
        CHECK_OK(erig_put(&r, &p[i], &receipt, &err));
    }
    CHECK_OK(erig_remove(&r, &rm, &receipt, &err));
    CHECK(tenant_add(&r, "c", "token c", 0, 0) == 3);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "c", .enabled = &no }) == QC_OK);
    tenant_hash("token b, the second", hash);
    CHECK(change(&r, &(struct gw_tenant_change){ .name = "b", .token_hash = hash }) == QC_OK);
    for (unsigned i = 0; i < 3; i++)
        before[i] = tenant_usage(&r, i);
    gw_engine_close(&r.e);

    erig_path(&r, "another machine", other, sizeof other);
    CHECK_OK(erig_rebuild(&r, other, &report, &err));
    CHECK(report.vaults == 3 && report.tenants == 3);
    CHECK_OK(gw_engine_open(&r.e, other, &r.rng, &err));
    for (unsigned i = 0; i < 3; i++) {
        after = tenant_usage(&r, i);
        CHECK(after.bytes == before[i].bytes && after.objects == before[i].objects &&
              after.vaults == before[i].vaults && after.uploads == 0);
        tenant_counted(&r, i);
    }
    CHECK_OK(gw_tenant_safety(r.e, id[0], &safety, &err));
    CHECK(safety.versions[2 + QC_EC_N_MAX] == 1 && safety.debts == 0);
    CHECK(of_token(&r, "token a", &t) && t.id == id[0] && t.enabled && t.limits.bytes == 100000);
    CHECK(of_token(&r, "token b, the second", &t) && t.id == id[1] && t.revision == 2);
    CHECK(!of_token(&r, "token b", &t));
    CHECK(of_token(&r, "token c", &t) && t.id == 3 && !t.enabled);
    for (unsigned i = 0; i < 2; i++) {
        struct gw_vault v = { 0 };
        tenant_be(&r, id[i], (uint8_t)(0xb0 + i));
        CHECK_OK(erig_check(&r, &p[i], &err));
        CHECK_RC(gw_vault_get(r.e, &(struct gw_ref){ id[1 - i], r.vault }, &v, &err), QC_NOTFOUND);
        CHECK_RC(gw_vault_get(r.e, &(struct gw_ref){ GW_OWNER, r.vault }, &v, &err), QC_NOTFOUND);
    }
    CHECK(tenant_add(&r, "d", "token d", 0, 0) == 4); /* no number is given twice */
    erig_done(&r);
}

/* What went wrong beneath requests is remembered for each tenant; a busy one forgets its own. */
static void check_requests(void)
{
    struct qc_err err = { 0 };
    struct erig r;
    struct gw_request got;
    char id[QC_GW_REQUEST_ID_MAX + 1];

    erig_new(&r, 3, 2, 3);
    gw_request_begin(r.e, 1, "00000000000000aa");
    for (unsigned i = 0; i < 3 * QC_GW_REQUESTS_MAX; i++) {
        CHECK(snprintf(id, sizeof id, "%016x", i) == 16);
        gw_request_begin(r.e, 2, id);
    }
    CHECK_OK(gw_request_get(r.e, 1, "00000000000000aa", &got, &err));
    CHECK_OK(gw_request_get(r.e, 2, id, &got, &err));
    CHECK_RC(gw_request_get(r.e, 2, "0000000000000000", &got, &err), QC_NOTFOUND);
    CHECK_RC(gw_request_get(r.e, 1, id, &got, &err), QC_NOTFOUND);
    erig_done(&r);
}

int main(void)
{
    check_changes();
    check_strangers();
    check_twins();
    check_rebuild();
    check_requests();
    return 0;
}
