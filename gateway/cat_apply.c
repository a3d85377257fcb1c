/* Publishing: a log object's records become rows. */
#include "base/planted.h"
#include "cat_internal.h"
#include "known_time.h"

static qc_rc fits(uint64_t v, const char *what, struct qc_err *err)
{
    return v <= INT64_MAX ? QC_OK : QC_FAIL(err, QC_INTEGRITY, "log: %s %" PRIu64, what, v);
}

/* One log object on its way into the tables: what records in a row have alike is looked for once. */
struct applying {
    struct gw_cat *c;
    const struct gw_publishing *now;
    struct gw_vault_row vault;    /* of no == 0: none. Its head moves with each seal .. */
    bool moved;                   /* .. and is not written yet */
    struct gw_version_row bundle; /* of no == 0: none. It is live */
    struct gw_receipt reached;    /* of that bundle, where `now` asks for it */
};

static qc_rc write_head(struct applying *a, struct qc_err *err)
{
    const struct gw_head *head = &a->vault.head;

    if (a->moved)
        QC_TRY(GW_RUN(a->c, VAULT_HEAD, err, QC_VI(a->vault.no), QC_VI(head->count),
                      QC_VB(qc_span_of(head->hash, sizeof head->hash))));
    a->moved = false;
    return QC_OK;
}

static qc_rc find_vault(struct applying *a, const struct gw_ref *id, struct qc_err *err)
{
    if (a->vault.no != 0 && gw_ref_same(&a->vault.id, id))
        return QC_OK;
    QC_TRY(write_head(a, err));
    return gw_cat_vault(a->c, id, &a->vault, err);
}

/* The chain of the vault at hand grows by one seal, or has had it for long. */
static qc_rc apply_seal(struct applying *a, uint64_t idx, const uint8_t *seal, bool *ret_new,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_vault_row *v = &a->vault;
    struct gw_head next;

    if (idx <= v->head.count) {
        uint8_t have[GW_DIGEST_BYTES];
        QC_TRY(GW_QUERY(a->c, CHAIN_GET, &rows, err, QC_VI(v->no), QC_VI(idx)));
        if (!rows.row)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: seal %" PRIu64 " of a vault is missing", idx);
        QC_TRY(qc_col_fixed(rows.s, 0, have, sizeof have, err));
        if (!qc_span_eq(qc_span_of(have, sizeof have), qc_span_of(seal, sizeof have)))
            return QC_FAIL(err, QC_INTEGRITY, "log: another seal stands at %" PRIu64 " of a vault's chain",
                           idx);
        *ret_new = false;
        return QC_OK;
    }
    if (idx != v->head.count + 1)
        return QC_FAIL(err, QC_INTEGRITY, "log: seal %" PRIu64 " follows %" PRIu64 " in a vault's chain", idx,
                       v->head.count);
    QC_TRY(gw_head_next(&v->head, seal, &next, err));
    QC_TRY(GW_RUN(a->c, CHAIN_ADD, err, QC_VI(v->no), QC_VI(idx), QC_VB(qc_span_of(seal, GW_DIGEST_BYTES))));
    v->head = next;
    a->moved = true;
    *ret_new = true;
    return QC_OK;
}

static qc_rc put_entry(struct gw_cat *c, uint64_t vault_no, const struct gw_entry *e, uint64_t version_no,
                       struct qc_err *err)
{
    const struct qc_val row[] = { QC_VI(vault_no),
                                  QC_VB(e->path),
                                  QC_VI(e->number),
                                  QC_VI(e->kind),
                                  version_no == 0 ? QC_VN : QC_VI(version_no),
                                  QC_VI(e->sequence),
                                  QC_VI(e->size),
                                  QC_VB(qc_span_of(e->m, sizeof e->m)),
                                  QC_VB(e->private_part),
                                  QC_VB(qc_span_of(e->seal, sizeof e->seal)),
                                  QC_VI(e->created) };
    const size_t columns = sizeof row / sizeof *row;
    uint64_t number;

    if (e->number == 1) {
        QC_TRY(gw_cat_run(c, GW_SQL_ENTRY_NEW, row, columns, err));
        if (qc_db_changes(c->db) == 1)
            return QC_OK;
    }
    QC_TRY(gw_cat_number(c, vault_no, e->path, &number, err));
    if (e->number != number + 1)
        return QC_FAIL(err, QC_INTEGRITY, "log: entry number %" PRIu64 " follows %" PRIu64, e->number,
                       number);
    return gw_cat_run(c, GW_SQL_ENTRY_PUT, row, columns, err);
}

/* The put key's row: live, with what the log knows of the receipt; what only this gateway knew stays. */
static qc_rc put_request(struct gw_cat *c, struct gw_request_row *row, const struct gw_head *head,
                         uint64_t number, struct qc_err *err)
{
    row->state = GW_UPLOAD_LIVE;
    row->receipt.number = number;
    row->receipt.chain = head->count;
    row->receipt.head = *head;
    return gw_cat_request_put(c, row, err);
}

/* -- commit ---------------------------------------------------------------------------------------------- */

struct layouts {
    uint64_t id[QC_GW_LAYOUTS_MAX];
};

static qc_rc put_layouts(struct gw_cat *c, const struct gw_rec_commit *r, struct layouts *ret,
                         struct qc_err *err)
{
    if (r->layout_count < 1 || r->layout_count > QC_GW_LAYOUTS_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "log: a version with %u layouts", r->layout_count);
    for (unsigned i = 0; i < r->layout_count; i++) {
        struct gw_log_layout l;
        gw_log_layout_at(r, i, &l);
        QC_TRY(gw_layout_id(c, &l, &ret->id[i], err));
    }
    return QC_OK;
}

static qc_rc put_segments(struct gw_cat *c, const struct gw_rec_commit *r, const struct layouts *l,
                          uint64_t version_no, struct qc_err *err)
{
    uint64_t offset = 0;

    for (uint32_t i = 0; i < r->segment_count; i++) {
        struct gw_log_segment s;
        gw_log_segment_at(r, i, &s);
        QC_TRY(fits(s.id, "segment id", err));
        QC_TRY(GW_RUN(c, SEGMENT_ADD, err, QC_VI(s.id), QC_VI(version_no), QC_VI(l->id[s.layout]),
                      QC_VI(s.incarnation), QC_VB(qc_span_of(s.salt, sizeof s.salt)), QC_VI(i), QC_VI(s.size),
                      QC_VB(qc_span_of(s.digest, sizeof s.digest)), QC_VI(i + 1 == r->segment_count),
                      QC_VI(offset)));
        offset += s.size;
    }
    return QC_OK;
}

/* Of several layouts the one that bears most: what is full for the version is never told to be less. */
static unsigned fullest(const struct gw_rec_commit *r, int *ret_margin)
{
    unsigned best = 0;

    *ret_margin = -QC_EC_N_MAX - 1;
    for (unsigned i = 0; i < r->layout_count; i++) {
        struct gw_log_layout l;
        gw_log_layout_at(r, i, &l);
        if ((int)l.n - (int)l.k > *ret_margin) {
            *ret_margin = (int)l.n - (int)l.k;
            best = i;
        }
    }
    return best;
}

/* *ret_had: the row that there was, of an intent, which may have reserved segments; of no == 0: none. */
static qc_rc put_version(struct gw_cat *c, const struct gw_rec_commit *r, const struct layouts *l,
                         uint64_t *ret_no, struct gw_version_row *ret_had, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = r->e.object, .version = r->e.version };
    struct gw_version_row v;
    struct qc_err miss = { 0 };
    const qc_rc rc = gw_cat_version(c, &ids, ret_had, &miss);

    if (rc == QC_OK) {
        *ret_no = ret_had->no;
        return GW_RUN(c, VERSION_LIVE, err, QC_VI(ret_had->no), QC_VI(r->e.size), QC_VI(r->segment_count),
                      QC_VI(r->e.created));
    }
    *ret_had = (struct gw_version_row){ 0 };
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    int full;
    const unsigned layout = fullest(r, &full);
    v = (struct gw_version_row){ .vault = r->vault,
                                 .object = r->e.object,
                                 .version = r->e.version,
                                 .put_key = r->put_key,
                                 .base = r->e.number - 1,
                                 .size = r->e.size,
                                 .segments = r->segment_count,
                                 .layout = l->id[layout],
                                 .created = r->e.created,
                                 .state = GW_VERSION_LIVE,
                                 .tenant = r->tenant,
                                 .acked_margin = full };
    return gw_cat_version_add(c, &v, ret_no, err);
}

/* Rows of a version and of its segments, whatever there was of it. */
static qc_rc put_whole(struct gw_cat *c, const struct gw_rec_commit *r, uint64_t *ret_no, struct qc_err *err)
{
    struct layouts layouts = { 0 };
    struct gw_version_row had;

    QC_TRY(put_layouts(c, r, &layouts, err));
    QC_TRY(put_version(c, r, &layouts, ret_no, &had, err));
    QC_TRY(put_segments(c, r, &layouts, *ret_no, err));
    if (r->layout_count > 1)
        QC_TRY(GW_RUN(c, MIXED_ADD, err, QC_VI(*ret_no)));
    return had.no != 0 ? gw_cat_segments_kill(c, *ret_no, true, err) : QC_OK;
}

/* What a record says of the bundle itself, as if it were a version. */
static struct gw_rec_commit bundle_of(const struct gw_rec_commit *r)
{
    struct gw_rec_commit b = *r;

    b.bundled = false;
    b.put_key = r->bundle.put_key;
    b.e = (struct gw_entry){ .number = 1,
                             .object = r->bundle.object,
                             .version = r->bundle.version,
                             .size = r->stored,
                             .created = r->e.created };
    return b;
}

/* The bundle, which is live with the first record that names it, and head the vault's after that. */
static qc_rc put_bundle(struct gw_cat *c, const struct gw_rec_commit *r, const struct gw_head *head,
                        struct gw_version_row *ret, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant,
                                        .object = r->bundle.object,
                                        .version = r->bundle.version };
    const struct gw_ref put_key = { r->tenant, r->bundle.put_key };
    const struct gw_rec_commit b = bundle_of(r);
    struct gw_request_row request;
    struct qc_err miss = { 0 };
    uint64_t no;
    const qc_rc rc = gw_cat_version(c, &ids, ret, &miss);

    if (rc == QC_OK && ret->state == GW_VERSION_LIVE)
        return QC_OK;
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(put_whole(c, &b, &no, err));
    QC_TRY(gw_cat_version_bundle(c, no, err));
    QC_TRY(gw_cat_request(c, &put_key, &request, err));
    request.kind = GW_REQUEST_PUT;
    request.version_no = no;
    QC_TRY(put_request(c, &request, head, 1, err));
    return gw_cat_version_no(c, no, ret, err);
}

/* The bundle that a record names; a->vault.head is the vault's after that record. */
static qc_rc find_bundle(struct applying *a, const struct gw_rec_commit *r, struct qc_err *err)
{
    const struct gw_version_row *have = &a->bundle;
    const struct gw_ref put_key = { r->tenant, r->bundle.put_key };
    struct gw_version_row bundle;

    if (have->no != 0 && have->tenant == r->tenant && gw_id_same(&have->object, &r->bundle.object) &&
        gw_id_same(&have->version, &r->bundle.version))
        return QC_OK;
    QC_TRY(put_bundle(a->c, r, &a->vault.head, &bundle, err));
    if (a->now != NULL)
        QC_TRY(a->now->reached(a->now->ctx, &put_key, &a->reached, err));
    a->bundle = bundle;
    return QC_OK;
}

/* A version in a bundle, unless its row has been there since it was decided. */
static qc_rc put_bundled(struct applying *a, const struct gw_rec_commit *r, uint64_t *ret_no,
                         struct qc_err *err)
{
    struct layouts layouts = { 0 };
    struct gw_rec_commit own = *r;
    struct gw_version_row had;

    own.segment_count = 0;
    QC_TRY(put_layouts(a->c, r, &layouts, err));
    QC_TRY(put_version(a->c, &own, &layouts, ret_no, &had, err));
    if (had.holder == a->bundle.no && had.start == r->bundle.start)
        return QC_OK;
    return GW_RUN(a->c, VERSION_IN, err, QC_VI(*ret_no), QC_VI(a->bundle.no), QC_VI(r->bundle.start));
}

/* Of a batch that is published: the rows that each N of a bundle has since it was decided become live with
 * all that there is to say of them. *ret_no: the version's row; 0: they were not as they should be. */
static qc_rc publish_decided(struct applying *a, const struct gw_rec_commit *r, uint64_t *ret_no,
                             struct qc_err *err)
{
    const struct gw_ref put_key = { r->tenant, r->put_key };
    struct gw_receipt receipt = a->reached;
    uint64_t request, version;

    *ret_no = 0;
    if (a->now == NULL)
        return QC_OK;
    QC_TRY(gw_cat_request_decided(a->c, &put_key, r->e.seal, &request, &version, err));
    if (request == 0)
        return QC_OK;
    QC_TRY(GW_RUN(a->c, MEMBER_LIVE, err, QC_VI(version), QC_VI(r->e.size), QC_VI(r->e.created),
                  QC_VI(receipt.acked_margin), QC_VI(r->tenant), QC_VB(gw_id_span(&r->e.object)),
                  QC_VB(gw_id_span(&r->e.version)), QC_VI(a->bundle.no), QC_VI(r->bundle.start)));
    if (qc_db_changes(a->c->db) != 1)
        return QC_OK;
    receipt.number = r->e.number;
    receipt.chain = a->vault.head.count;
    receipt.head = a->vault.head;
    QC_TRY(gw_cat_request_live(a->c, request, &receipt, err));
    *ret_no = version;
    return QC_OK;
}

static qc_rc put_backup(struct gw_cat *c, uint64_t version_no, qc_span sealed, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, BACKUP_NEW, err, QC_VI(version_no), QC_VB(sealed)));
    return qc_db_changes(c->db) == 1 ? QC_OK : GW_RUN(c, BACKUP_PUT, err, QC_VI(version_no), QC_VB(sealed));
}

static qc_rc apply_request(struct applying *a, const struct gw_rec_commit *r, uint64_t version_no,
                           struct qc_err *err)
{
    const struct gw_ref put_key = { r->tenant, r->put_key };
    struct gw_request_row request;

    QC_TRY(gw_cat_request(a->c, &put_key, &request, err));
    request.kind = GW_REQUEST_PUT;
    request.version_no = version_no;
    memcpy(request.seal, r->e.seal, sizeof request.seal);
    QC_TRY(put_request(a->c, &request, &a->vault.head, r->e.number, err));
    return a->now != NULL && r->bundled ? gw_cat_request_reached(a->c, &put_key, &a->reached, err) : QC_OK;
}

static qc_rc apply_commit(struct applying *a, const struct gw_rec_commit *r, struct qc_err *err)
{
    const struct gw_ref vault_id = { r->tenant, r->vault };
    uint64_t version_no = 0;
    bool fresh;

    QC_TRY(fits(r->e.number, "entry number", err));
    QC_TRY(fits(r->e.sequence, "sequence", err));
    QC_TRY(fits(r->e.size, "size", err));
    QC_TRY(fits(r->e.created, "time", err));
    QC_TRY(find_vault(a, &vault_id, err));
    QC_TRY(apply_seal(a, r->chain, r->e.seal, &fresh, err));
    if (!fresh)
        return QC_OK;
    if (r->bundled) {
        QC_TRY(find_bundle(a, r, err));
        QC_TRY(publish_decided(a, r, &version_no, err));
    }
    const bool done = version_no != 0;
    if (!done)
        QC_TRY(r->bundled ? put_bundled(a, r, &version_no, err) : put_whole(a->c, r, &version_no, err));
    QC_TRY(put_backup(a->c, version_no, r->backup, err));
    QC_TRY(put_entry(a->c, a->vault.no, &r->e, version_no, err));
    return done ? QC_OK : apply_request(a, r, version_no, err);
}

/* -- the other kinds ------------------------------------------------------------------------------------- */

static qc_rc apply_tombstone(struct applying *a, const struct gw_rec_tombstone *t, struct qc_err *err)
{
    struct gw_entry e = {
        .path = t->path, .number = t->number, .kind = GW_ENTRY_TOMBSTONE, .created = t->created
    };
    const struct gw_ref vault_id = { t->tenant, t->vault }, put_key = { t->tenant, t->put_key };
    struct gw_request_row request;
    bool fresh;

    QC_TRY(fits(t->number, "entry number", err));
    QC_TRY(fits(t->created, "time", err));
    QC_TRY(find_vault(a, &vault_id, err));
    QC_TRY(apply_seal(a, t->chain, t->seal, &fresh, err));
    if (!fresh)
        return QC_OK;
    memcpy(e.seal, t->seal, sizeof e.seal);
    QC_TRY(put_entry(a->c, a->vault.no, &e, 0, err));
    QC_TRY(gw_cat_request(a->c, &put_key, &request, err));
    request.kind = GW_REQUEST_REMOVE;
    memcpy(request.seal, t->seal, sizeof request.seal);
    return put_request(a->c, &request, &a->vault.head, t->number, err);
}

/* A vault without an owner would be nobody's, or everybody's (FORMAT 9.3). */
static qc_rc check_tenant(struct gw_cat *c, uint32_t tenant, struct qc_err *err)
{
    struct gw_tenant t;

    if (tenant == GW_OWNER)
        return QC_OK;
    const qc_rc rc = gw_cat_tenant(c, tenant, &t, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_INTEGRITY, "log: a vault of tenant %" PRIu32 ", who is not in it", tenant);
    return rc;
}

/* A later revision replaces; an earlier one was here before. */
static qc_rc apply_tenant(struct gw_cat *c, const struct gw_rec_tenant *r, struct qc_err *err)
{
    struct gw_tenant t = {
        .id = r->tenant,
        .revision = r->revision,
        .enabled = r->state == GW_TENANT_ENABLED,
        .limits = r->limits,
    };
    struct gw_tenant have = { 0 };
    struct qc_err miss = { 0 };

    const qc_rc rc = gw_cat_tenant(c, r->tenant, &have, &miss);
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    if (r->revision <= have.revision)
        return QC_OK;
    if (r->revision != have.revision + 1)
        return QC_FAIL(err, QC_INTEGRITY, "log: revision %" PRIu64 " of tenant %" PRIu32 " follows %" PRIu64,
                       r->revision, r->tenant, have.revision);
    memcpy(t.name, r->name.p, r->name.n); /* its form was checked */
    memcpy(t.verifier, r->verifier, sizeof t.verifier);
    return gw_cat_tenant_put(c, &t, err);
}

static qc_rc apply_vault(struct gw_cat *c, const struct gw_rec_vault *r, struct qc_err *err)
{
    struct gw_vault_row have;
    struct qc_err miss = { 0 };
    struct gw_head head;
    struct gw_ref id = { .tenant = r->tenant };

    QC_TRY(check_tenant(c, r->tenant, err));
    memcpy(id.id.b, r->record.p + 8, sizeof id.id.b); /* FORMAT 6.1; the record's length was checked */
    const qc_rc rc = gw_cat_vault(c, &id, &have, &miss);
    if (rc == QC_OK)
        return QC_OK; /* a vault record is written once */
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_head_start(&id.id, &head, err));
    return GW_RUN(c, VAULT_ADD, err, QC_VI(r->tenant), QC_VB(gw_id_span(&id.id)), QC_VB(r->record),
                  QC_VB(r->backup), QC_VB(qc_span_of(head.hash, sizeof head.hash)));
}

static qc_rc apply_backup(struct gw_cat *c, const struct gw_rec_backup *r, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = r->object, .version = r->version };
    const struct gw_ref of = { r->tenant, r->object };
    struct gw_version_row v;
    struct gw_vault_row vault;

    if (gw_id_same(&r->version, &(struct gw_id){ 0 })) { /* FORMAT 9.3: the vault's own */
        QC_TRY(gw_cat_vault(c, &of, &vault, err));
        return GW_RUN(c, VAULT_BACKUP, err, QC_VI(vault.no), QC_VB(r->backup));
    }
    QC_TRY(gw_cat_version(c, &ids, &v, err));
    return GW_RUN(c, BACKUP_PUT, err, QC_VI(v.no), QC_VB(r->backup));
}

/* Of a record about a version that the log has named before. *ret_live: it is there still. */
static qc_rc version_of(struct gw_cat *c, uint32_t tenant, const struct gw_id *object,
                        const struct gw_id *version, struct gw_version_row *ret, bool *ret_live,
                        struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = tenant, .object = *object, .version = *version };

    QC_TRY(gw_cat_version(c, &ids, ret, err));
    *ret_live = ret->state == GW_VERSION_LIVE && !ret->bundle;
    return QC_OK;
}

static qc_rc apply_purged(struct gw_cat *c, const struct gw_rec_purged *r, struct qc_err *err)
{
    struct gw_version_row v;
    bool live;

    QC_TRY(version_of(c, r->tenant, &r->object, &r->version, &v, &live, err));
    return live ? gw_cat_version_purge(c, &v, err) : QC_OK;
}

static qc_rc apply_retained(struct gw_cat *c, const struct gw_rec_retained *r, struct qc_err *err)
{
    struct gw_version_row v;
    bool live;

    QC_TRY(gw_time_heard(c, r->known, err));
    QC_TRY(version_of(c, r->tenant, &r->object, &r->version, &v, &live, err));
    return live ? gw_cat_version_keep(c, v.no, r->until, err) : QC_OK;
}

/* What the old path points at is what the new one shall point at. */
static qc_rc check_moved(struct gw_cat *c, uint64_t vault_no, const struct gw_rec_renamed *r,
                         struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row now = { 0 };

    QC_TRY(gw_cat_entry(c, vault_no, r->away.path, &now, err));
    if (!gw_entry_same_version(&now.e, &r->e))
        return QC_FAIL(err, QC_INTEGRITY, "log: what is moved is not what its path points at");
    return QC_OK;
}

static qc_rc apply_renamed(struct applying *a, const struct gw_rec_renamed *r, struct qc_err *err)
{
    struct gw_cat *c = a->c;
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = r->e.object, .version = r->e.version };
    const struct gw_ref vault_id = { r->tenant, r->vault }, put_key = { r->tenant, r->put_key };
    struct gw_entry away = {
        .path = r->away.path, .number = r->away.number, .kind = GW_ENTRY_TOMBSTONE, .created = r->created
    };
    struct gw_request_row request;
    struct gw_version_row v;
    bool fresh;

    QC_TRY(find_vault(a, &vault_id, err));
    const uint64_t vault_no = a->vault.no;
    QC_TRY(apply_seal(a, r->chain, r->away.seal, &fresh, err));
    if (!fresh)
        return QC_OK;
    QC_TRY(apply_seal(a, r->chain + 1, r->e.seal, &fresh, err));
    QC_TRY(check_moved(c, vault_no, r, err));
    QC_TRY(gw_cat_version(c, &ids, &v, err));
    memcpy(away.seal, r->away.seal, sizeof away.seal);
    if (!qc_planted(move_half))
        QC_TRY(put_entry(c, vault_no, &away, 0, err));
    QC_TRY(put_entry(c, vault_no, &r->e, v.no, err));
    QC_TRY(gw_cat_renamed_put(c, r->tenant, vault_no, &r->e.object, r->e.path, err));
    QC_TRY(gw_cat_request(c, &put_key, &request, err));
    request.kind = GW_REQUEST_RENAME;
    memcpy(request.seal, r->e.seal, sizeof request.seal);
    return put_request(c, &request, &a->vault.head, r->e.number, err);
}

static qc_rc apply_record(struct applying *a, const struct gw_record *rec, struct qc_err *err)
{
    struct gw_cat *c = a->c;

    if (rec->kind != GW_REC_BUNDLED) /* what is known of a bundle is of records in a row */
        a->bundle = (struct gw_version_row){ 0 };
    switch (rec->kind) {
    case GW_REC_COMMIT:
    case GW_REC_BUNDLED:
        return apply_commit(a, &rec->u.commit, err);
    case GW_REC_TOMBSTONE:
        return apply_tombstone(a, &rec->u.tombstone, err);
    case GW_REC_VAULT:
        return apply_vault(c, &rec->u.vault, err);
    case GW_REC_BACKUP:
        return apply_backup(c, &rec->u.backup, err);
    case GW_REC_TENANT:
        return apply_tenant(c, &rec->u.tenant, err);
    case GW_REC_RECODED:
        return gw_cat_apply_recoded(c, &rec->u.recoded, err);
    case GW_REC_REPACKED:
        return gw_cat_apply_repacked(c, &rec->u.repacked, err);
    case GW_REC_PURGED:
        return apply_purged(c, &rec->u.purged, err);
    case GW_REC_RETAINED:
        return apply_retained(c, &rec->u.retained, err);
    case GW_REC_RENAMED:
        return apply_renamed(a, &rec->u.renamed, err);
    case GW_REC_CLOUD:
    case GW_REC_MEMBER:
    case GW_REC_RULES:
    case GW_REC_CONFIG:
    case GW_REC_BKEY:
        break;
    }
    return QC_OK;
}

qc_rc gw_cat_apply(struct gw_cat *c, const struct gw_log *l, const struct gw_publishing *now,
                   struct qc_err *err)
{
    struct gw_log_iter it = gw_log_records(l);
    struct applying a = { .c = c, .now = now };
    struct gw_record rec;

    for (bool more = true;;) {
        QC_TRY(gw_log_next(&it, &rec, &more, err));
        if (!more)
            return write_head(&a, err);
        QC_TRY(apply_record(&a, &rec, err));
    }
}
