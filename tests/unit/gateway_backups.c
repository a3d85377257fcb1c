/* unit/gateway_backups: what of B a gateway takes in the place of what it has, and what it does not. */
#include "commit_internal.h"
#include "gw_tenants.h"

enum { B_BYTES = 172, GENERATION = 56 };

struct b {
    uint8_t bytes[B_BYTES];
    struct gw_new_backup as;
};

/* B of a version, as far as a gateway sees it (FORMAT 4); no version: of the vault. */
static struct b *make(struct b *b, const struct erig *r, const struct erig_put *p, uint32_t generation,
                      uint8_t tail)
{
    memset(b->bytes, tail, sizeof b->bytes);
    memcpy(b->bytes, "QCLB\1\1\0\0", 8);
    b->as = (struct gw_new_backup){ .object = p == NULL ? r->vault : p->object,
                                    .backup = qc_span_of(b->bytes, sizeof b->bytes) };
    if (p != NULL)
        b->as.version = p->version;
    memcpy(b->bytes + 8, r->vault.b, GW_ID_BYTES);
    memcpy(b->bytes + 24, b->as.object.b, GW_ID_BYTES);
    memcpy(b->bytes + 40, b->as.version.b, GW_ID_BYTES);
    qc_put_be(b->bytes + GENERATION, generation, 4);
    return b;
}

static qc_rc replace(struct erig *r, const struct b *first, const struct b *second)
{
    const struct gw_ref vault = { r->tenant, r->vault };
    const struct gw_new_backup v[] = { first->as, second != NULL ? second->as : first->as };
    struct qc_err err = { 0 };

    return gw_backups_replace(r->e, &vault, v, second != NULL ? 2 : 1, &err);
}

static qc_rc one(struct erig *r, const struct erig_put *p, uint32_t generation, uint8_t tail)
{
    struct b b;

    return replace(r, make(&b, r, p, generation, tail), NULL);
}

static void expect(struct erig *r, const struct erig_put *p, uint32_t generation, uint8_t tail)
{
    const struct gw_version_ids ids = {
        .tenant = r->tenant, .vault = r->vault, .object = p->object, .version = p->version
    };
    QC_CLEANUP(qc_buf_free) qc_buf have = { .max = 4096 };
    struct qc_err err = { 0 };
    struct b b;

    CHECK_OK(gw_version_backup(r->e, &ids, &have, &err));
    CHECK(qc_span_eq(qc_buf_span(&have), make(&b, r, p, generation, tail)->as.backup));
}

/* The vault's goes on by one, a version's no further than the vault's; what has a generation stays. */
static void generations(struct erig *r, const struct erig_put *p)
{
    struct b own, of;

    CHECK(one(r, p, 1, 'a') == QC_CONFLICT); /* the rig's vault has none that is known */
    CHECK(one(r, NULL, UINT32_MAX, 'a') == QC_CONFLICT && one(r, NULL, 2, 'a') == QC_CONFLICT);
    CHECK(one(r, NULL, 1, 'a') == QC_OK && one(r, NULL, 1, 'a') == QC_OK);
    CHECK(one(r, NULL, 1, 'b') == QC_CONFLICT && one(r, NULL, 3, 'a') == QC_CONFLICT);
    CHECK(one(r, NULL, 2, 'a') == QC_OK && one(r, NULL, 1, 'a') == QC_CONFLICT);
    CHECK(one(r, p, UINT32_MAX, 'a') == QC_CONFLICT && one(r, p, 3, 'a') == QC_CONFLICT);
    CHECK(one(r, p, 2, 'a') == QC_OK && one(r, p, 2, 'a') == QC_OK);
    CHECK(one(r, p, 2, 'b') == QC_CONFLICT && one(r, p, 1, 'a') == QC_CONFLICT);
    CHECK(replace(r, make(&of, r, p, 4, 'c'), make(&own, r, NULL, 3, 'c')) == QC_CONFLICT);
    expect(r, p, 2, 'a');
    CHECK(one(r, p, 3, 'a') == QC_CONFLICT); /* the vault's was not replaced either */
    CHECK(replace(r, make(&of, r, p, 3, 'c'), make(&own, r, NULL, 3, 'c')) == QC_OK);
    expect(r, p, 3, 'c');
}

/* The same version twice is refused; and where it is decided all the same, the gateway goes on. */
static void twice(struct erig *r, const struct erig_put *p)
{
    struct b first, second;
    struct qc_err err = { 0 };

    CHECK(one(r, NULL, 4, 'a') == QC_OK);
    make(&first, r, p, 4, 'a');
    make(&second, r, p, 4, 'b');
    CHECK(replace(r, &first, &second) == QC_USAGE && replace(r, &first, &first) == QC_USAGE);
    expect(r, p, 3, 'c');
    const struct gw_new_backup both[] = { first.as, second.as };
    struct gw_change change = {
        .kind = GW_CHANGE_BACKUPS, .vault = { r->tenant, r->vault }, .backups = both, .backup_count = 2
    };
    const bool alone = gw_cat_session(r->e->cat) == 0; /* else it may have been another gateway */
    CHECK(gw_commit(r->e, &change, &err) == (alone ? QC_TEMP : QC_OK));
    expect(r, p, 4, 'b');
    CHECK(one(r, p, 4, 'b') == QC_OK);
}

int main(void)
{
    struct erig r;
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 100);

    erig_new(&r, 3, 2, 3);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    generations(&r, &p);
    twice(&r, &p);
    erig_done(&r);
    return 0;
}
