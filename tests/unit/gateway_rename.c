/* unit/gateway_rename: an entry lies under another path: both changes or none, whatever others do meanwhile,
 * after a rebuild too; nothing else of the version changes. (I1) */
#include "base/fault.h"
#include "gw_repair_rig.h"
#include "gw_tenants.h"

enum { CLOUDS = 3, K = 2, MANY = 5 };

static qc_rc rename_one(struct erig *r, struct gw_rename *m)
{
    struct qc_err err = { 0 };
    const qc_rc rc = gw_entries_rename(r->e, &(struct gw_ref){ r->tenant, r->vault }, m, 1, &err);

    return rc != QC_OK ? rc : m->rc;
}

static uint64_t chain_of(struct erig *r)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_vault_get(r->e, &(struct gw_ref){ r->tenant, r->vault }, &v, &err));
    return v.head.count;
}

static uint64_t log_of(struct erig *r)
{
    struct gw_status s;
    struct qc_err err = { 0 };

    CHECK_OK(gw_engine_status(r->e, &s, &err));
    return s.log_sequence;
}

/* What is not as the caller saw it is refused, and nothing changes. */
static void refused(struct erig *r, const struct erig_put *a)
{
    struct gw_rename m = erig_move_of(a, 20, "\1beta", 0);
    struct qc_err err = { 0 };

    m.away.number++;
    CHECK(rename_one(r, &m) == QC_CONFLICT);
    m = erig_move_of(a, 20, "\1beta", 1);
    CHECK(rename_one(r, &m) == QC_CONFLICT);
    m = erig_move_of(a, 20, "\1beta", 0);
    m.e.version.b[3] ^= 1;
    CHECK(rename_one(r, &m) == QC_CONFLICT);
    m = erig_move_of(a, 20, "\1beta", 0);
    m.e.m[3] ^= 1;
    CHECK(rename_one(r, &m) == QC_CONFLICT);
    m = erig_move_of(a, 20, a->path, a->number);
    CHECK(rename_one(r, &m) == QC_USAGE);
    m = erig_move_of(a, 20, "\1beta", 0);
    m.away.path = QC_LIT("\1nothing");
    CHECK(rename_one(r, &m) == QC_NOTFOUND);
    CHECK_RC(gw_entries_rename(r->e, OWN(r->vault), &m, 0, &err), QC_USAGE);
    CHECK_RC(gw_entries_rename(r->e, OWN(r->vault), &m, QC_GW_BATCH_CHANGES_MAX + 1, &err), QC_USAGE);
    erig_at(r, a->path, "2 file");
    erig_at(r, "\1beta", "0");
}

/* There, back, and over another one: numbers, chain, receipts; what lies there is read as before. */
static void there(struct erig *r, const struct erig_put *a, const struct erig_put *other)
{
    struct gw_rename m = erig_move_of(a, 21, "\1beta", 0), again = m, late = erig_move_of(a, 22, "\1gone", 0);
    struct erig_put stale = erig_prepare(7, "\1alpha", 4, 1, 400);
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    const uint64_t chain = chain_of(r);

    CHECK(rename_one(r, &m) == QC_OK && m.receipt.number == 1 && m.receipt.chain == chain + 2);
    CHECK(chain_of(r) == chain + 2 && m.receipt.head.count == chain + 2);
    erig_at(r, "\1alpha", "3 none");
    erig_at(r, "\1beta", "1 file");
    CHECK(rename_one(r, &again) == QC_OK && again.receipt.chain == m.receipt.chain);
    CHECK(rename_one(r, &late) == QC_NOTFOUND && chain_of(r) == chain + 2);
    CHECK_OK(erig_check(r, a, &err));
    struct gw_purge p = {
        .ids = { .tenant = r->tenant, .vault = r->vault, .object = a->object, .version = a->version }
    };
    CHECK_OK(gw_versions_purge(r->e, &p, 1, &err));
    CHECK(p.rc == QC_CONFLICT); /* a name points at it: the new one */
    /* A put of the object that began when it was at the old path: its number would be right. */
    stale.entry.object = stale.object = a->object;
    CHECK_RC(erig_put(r, &stale, &receipt, &err), QC_CONFLICT);
    erig_at(r, "\1alpha", "3 none");
    m = erig_move_of(other, 23, "\1alpha", 3); /* another object where it was */
    CHECK(rename_one(r, &m) == QC_OK && m.receipt.number == 4);
    struct erig_put at_beta = *a;
    at_beta.path = "\1beta";
    at_beta.number = 1;                           /* less than its sequence */
    m = erig_move_of(&at_beta, 24, "\1alpha", 4); /* over it */
    CHECK(rename_one(r, &m) == QC_OK && m.receipt.number == 5);
    erig_at(r, "\1alpha", "5 file");
    erig_at(r, "\1beta", "2 none");
    CHECK_OK(erig_check(r, other, &err)); /* an old version now */
    tenant_counted(r, r->tenant);
}

/* Many at once: one log object; two of one path one after the other; one that is refused takes none with it.
 */
static void many(struct erig *r)
{
    struct erig_put puts[MANY];
    struct gw_rename m[MANY];
    char from[MANY][16], to[MANY][16];
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(from[i], sizeof from[i], "\1from%u", i);
        snprintf(to[i], sizeof to[i], "\1to%u", i);
        puts[i] = erig_prepare(100 + i, from[i], 1, 1, 100 + i);
        CHECK_OK(erig_put(r, &puts[i], &receipt, &err));
        m[i] = erig_move_of(&puts[i], 200 + i, to[i], i == 3 ? 9 : 0);
    }
    const uint64_t log = log_of(r), chain = chain_of(r);
    CHECK_OK(gw_entries_rename(r->e, OWN(r->vault), m, MANY, &err));
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(m[i].rc == (i == 3 ? QC_CONFLICT : QC_OK));
        erig_at(r, from[i], i == 3 ? "1 file" : "2 none");
        erig_at(r, to[i], i == 3 ? "0" : "1 file");
    }
    CHECK(log_of(r) == log + 1 && chain_of(r) == chain + 2 * (MANY - 1));
    struct erig_put moved = puts[0];
    moved.path = to[0];
    m[0] = erig_move_of(&moved, 210, "\1third", 0);
    moved.path = "\1third";
    m[1] = erig_move_of(&moved, 211, "\1fourth", 0); /* what it is only after the first one */
    CHECK_OK(gw_entries_rename(r->e, OWN(r->vault), m, 2, &err));
    CHECK(m[0].rc == QC_OK && m[1].rc == QC_OK && log_of(r) == log + 3);
    erig_at(r, "\1third", "2 none");
    erig_at(r, "\1fourth", "1 file");
}

/* From the clouds alone: the same, and still one path for each object. */
static void rebuilt(struct erig *r, const struct erig_put *a)
{
    struct erig_put stale = erig_prepare(8, "\1beta", 3, 1, 400);
    struct gw_receipt receipt;
    enum gw_upload_state state;
    struct qc_err err = { 0 };
    const uint64_t chain = chain_of(r);
    const struct gw_rename m = erig_move_of(a, 21, "\1beta", 0);

    erig_from_clouds(r, "rebuilt");
    CHECK(chain_of(r) == chain);
    erig_at(r, "\1alpha", "5 file");
    erig_at(r, "\1beta", "2 none");
    erig_at(r, "\1fourth", "1 file");
    erig_at(r, "\1from3", "1 file");
    CHECK_OK(gw_upload_get(r->e, OWN(m.put_key), &state, &receipt, &err));
    CHECK(state == GW_UPLOAD_LIVE && receipt.number == 1);
    stale.entry.object = stale.object = a->object;
    CHECK_RC(erig_put(r, &stale, &receipt, &err), QC_CONFLICT);
    CHECK_OK(erig_check(r, a, &err));
    tenant_counted(r, r->tenant);
}

/* Decided, and too few clouds to say so: neither is to be seen; then both are. */
static void not_evident(struct erig *r)
{
    struct erig_put p = erig_prepare(300, "\1dawn", 1, 1, 100);
    struct gw_rename m = erig_move_of(&p, 301, "\1dusk", 0);
    struct gw_receipt receipt;
    struct qc_err err = { 0 };

    CHECK_OK(erig_put(r, &p, &receipt, &err));
    erig_lose(r, 0);
    erig_lose(r, 1);
    CHECK(rename_one(r, &m) == QC_TEMP);
    erig_at(r, "\1dawn", "1 file");
    erig_at(r, "\1dusk", "0");
    erig_find(r, 0);
    erig_find(r, 1);
    CHECK(rename_one(r, &m) == QC_OK);
    erig_at(r, "\1dawn", "2 none");
    erig_at(r, "\1dusk", "1 file");
}

static void limit(struct erig *r, uint64_t bytes)
{
    struct qc_err err = { 0 };

    CHECK_OK(gw_tenant_change(r->e, &(struct gw_tenant_change){ .name = "a", .bytes = &bytes }, NULL, &err));
}

/* A name that is new takes room, which the tenant's limit has to have; those of one batch together. */
/* To and fro, nothing grows but the log: as often as versions may be stored, over a rebuild too. */
static void to_and_fro(void)
{
    static const char there[] = "\1there", on[] = "\1on";
    struct erig_put p = erig_prepare(500, "\1here", 1, 1, 100), at;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;
    uint64_t objects = 5;

    erig_new(&r, CLOUDS, K, CLOUDS);
    tenant_be(&r, tenant_add(&r, "a", "token a", 0, 0), 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    at = p;
    at.path = there;
    CHECK_OK(
        gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .objects = &objects }, NULL, &err));
    for (uint32_t i = 0; i < 4; i++) {
        p.number = 1 + i;
        at.number = i;
        struct gw_rename m =
            i % 2 == 0 ? erig_move_of(&p, 501 + i, there, i) : erig_move_of(&at, 501 + i, p.path, i + 1);
        CHECK(rename_one(&r, &m) == QC_OK && tenant_usage(&r, r.tenant).moves == i + 1);
    }
    erig_from_clouds(&r, "rebuilt");
    CHECK(tenant_usage(&r, r.tenant).moves == 4);
    p.number = 5;
    struct gw_rename m[2] = { erig_move_of(&p, 510, there, 4), erig_move_of(&p, 511, on, 0) };
    CHECK_OK(gw_entries_rename(r.e, &(struct gw_ref){ r.tenant, r.vault }, m, 2, &err));
    CHECK(m[0].rc == QC_OK && m[1].rc != QC_OK);
    at.number = 5;
    const uint64_t log = log_of(&r);
    struct gw_rename more = erig_move_of(&at, 512, p.path, 6);
    CHECK(rename_one(&r, &more) == QC_QUOTA && log_of(&r) == log);
    objects = 6;
    CHECK_OK(
        gw_tenant_change(r.e, &(struct gw_tenant_change){ .name = "a", .objects = &objects }, NULL, &err));
    CHECK(rename_one(&r, &more) == QC_OK);
    erig_done(&r);
}

static void within_limits(void)
{
    static const char first[] = "\1first", second[] = "\1secnd", third[] = "\1third";
    struct erig_put p = erig_prepare(400, "\1x", 1, 1, 100), q = erig_prepare(410, "\1y", 1, 1, 100);
    struct gw_rename m[2] = { erig_move_of(&p, 401, first, 0), erig_move_of(&q, 411, second, 0) };
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    struct erig r;

    erig_new(&r, CLOUDS, K, CLOUDS);
    tenant_be(&r, tenant_add(&r, "a", "token a", 0, 0), 0xaa);
    CHECK_OK(tenant_vault(&r, &err));
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    CHECK_OK(erig_put(&r, &q, &receipt, &err));
    const uint64_t used = tenant_usage(&r, r.tenant).bytes, log = log_of(&r), each = strlen(first);
    limit(&r, used + each - 1);
    CHECK(rename_one(&r, &m[0]) == QC_QUOTA);
    CHECK(log_of(&r) == log + 1 && tenant_usage(&r, r.tenant).bytes == used); /* the limit's alone */
    erig_at(&r, p.path, "1 file");
    erig_at(&r, first, "0");
    limit(&r, used + each); /* for one of them */
    CHECK_OK(gw_entries_rename(r.e, &(struct gw_ref){ r.tenant, r.vault }, m, 2, &err));
    CHECK(m[0].rc == QC_OK && m[1].rc == QC_QUOTA && tenant_usage(&r, r.tenant).bytes == used + each);
    struct erig_put at = p;
    at.path = first;
    struct gw_rename back = erig_move_of(&at, 402, p.path, 2); /* it has a row: nothing grows */
    CHECK(rename_one(&r, &back) == QC_OK && tenant_usage(&r, r.tenant).bytes == used + each);
    at = p;
    at.number = 3;
    struct gw_rename more = erig_move_of(&at, 403, first, 2), on = erig_move_of(&at, 404, third, 0);
    static const uint8_t big[QC_GW_PRIVATE_MAX] = { 7 };
    more.e.private_part = qc_span_of(big, sizeof big);
    CHECK(rename_one(&r, &more) == QC_QUOTA); /* a row that is there, and would be a larger one */
    CHECK(rename_one(&r, &on) == QC_QUOTA);
    limit(&r, used / 2); /* what is in the log is replayed, whatever is allowed since */
    tenant_counted(&r, r.tenant);
    erig_from_clouds(&r, "rebuilt");
    CHECK(tenant_usage(&r, r.tenant).bytes == used + each);
    tenant_counted(&r, r.tenant);
    erig_at(&r, p.path, "3 file");
    erig_at(&r, first, "2 none");
    erig_done(&r);
}

int main(void)
{
    struct erig_put a = erig_prepare(1, "\1alpha", 1, 1, 300), now = erig_prepare(2, "\1alpha", 2, 2, 500),
                    other = erig_prepare(3, "\1gamma", 1, 1, 200);
    struct gw_receipt receipt;
    struct erig r;
    struct qc_err err = { 0 };

    erig_new(&r, CLOUDS, K, CLOUDS);
    now.object = now.entry.object = a.object;
    CHECK_OK(erig_put(&r, &a, &receipt, &err));
    CHECK_OK(erig_put(&r, &now, &receipt, &err));
    CHECK_OK(erig_put(&r, &other, &receipt, &err));
    refused(&r, &now);
    there(&r, &now, &other);
    many(&r);
    rebuilt(&r, &now);
    not_evident(&r);
    erig_done(&r);
    within_limits();
    to_and_fro();
    return 0;
}
