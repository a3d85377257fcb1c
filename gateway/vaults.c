/* Vaults and entries, as the API asks for them. */
#include "engine_internal.h"

enum { RECORD_MAGIC = 0x51434C56 }; /* QCLV */

/* FORMAT 6.1, as far as it concerns the gateway: it cannot check the MAC. */
static qc_rc check_record(const struct gw_id *vault, qc_span record, struct qc_err *err)
{
    qc_rd rd = { .s = record };
    const uint64_t magic = qc_rd_be(&rd, 4);
    const uint64_t version = qc_rd_be(&rd, 1);

    (void)qc_rd_be(&rd, 1);
    qc_rd_zero(&rd, 2);
    const qc_span id = qc_rd_bytes(&rd, GW_ID_BYTES);
    (void)qc_rd_bytes(&rd, QC_GW_RECORD_SIZE - 8 - GW_ID_BYTES);
    if (!qc_rd_end(&rd) || magic != RECORD_MAGIC)
        return QC_FAIL(err, QC_USAGE, "vault record: %zu bytes that are none", record.n);
    if (version != 1)
        return QC_FAIL(err, QC_NEWER, "vault record: version %" PRIu64 " needs a newer program", version);
    if (!qc_span_eq(id, gw_id_span(vault)))
        return QC_FAIL(err, QC_USAGE, "vault record: of another vault");
    return QC_OK;
}

qc_rc gw_backup_unseal(struct gw_engine *e, const struct gw_backup_ids *ids, qc_span sealed, qc_buf *ret,
                       struct qc_err *err)
{
    uint32_t epoch;

    QC_TRY(gw_backup_epoch(sealed, &epoch, err));
    if (epoch != e->bkey_epoch)
        return QC_FAIL(err, QC_INTEGRITY,
                       "backup data: sealed under the key of epoch %" PRIu32 ", which is not here", epoch);
    return gw_backup_open(e->root, e->bkey, ids, sealed, ret, err);
}

void gw_vault_done(struct gw_vault *v)
{
    qc_buf_free(&v->record);
    qc_buf_free(&v->backup);
    *v = (struct gw_vault){ 0 };
}

qc_rc gw_vault_get(struct gw_engine *e, const struct gw_ref *vault, struct gw_vault *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { .record = { .max = QC_GW_RECORD_SIZE },
                                                    .backup = { .max = QC_GW_BACKUP_MAX } };
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    const struct gw_backup_ids ids = { .vault = vault->id, .object = vault->id };
    struct gw_vault_row row;

    QC_TRY(gw_engine_may(e, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_vault(e->cat, vault, &row, err));
        QC_TRY(gw_cat_vault_bytes(e->cat, row.no, &v.record, &sealed, err));
    }
    QC_TRY(gw_backup_unseal(e, &ids, qc_buf_span(&sealed), &v.backup, err));
    v.head = row.head;
    *ret = QC_STEAL(v);
    return QC_OK;
}

/* QC_OK: these very bytes are there. QC_NOTFOUND, QC_CONFLICT. */
static qc_rc same_vault(struct gw_engine *e, const struct gw_ref *vault, qc_span record, qc_span backup,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };

    QC_TRY(gw_vault_get(e, vault, &v, err));
    if (!qc_span_eq(qc_buf_span(&v.record), record) || !qc_span_eq(qc_buf_span(&v.backup), backup))
        return QC_FAIL(err, QC_CONFLICT, "this vault has another record already");
    return QC_OK;
}

qc_rc gw_vault_put(struct gw_engine *e, const struct gw_ref *vault, qc_span record, qc_span backup,
                   bool *ret_new, struct qc_err *err)
{
    struct gw_change change = {
        .kind = GW_CHANGE_VAULT, .vault = *vault, .record = record, .backup = backup
    };
    struct qc_err miss = { 0 };

    QC_TRY(check_record(&vault->id, record, err));
    if (backup.n < 1 || backup.n > QC_GW_BACKUP_MAX)
        return QC_FAIL(err, QC_USAGE, "backup data: %zu bytes, expected 1..%d", backup.n, QC_GW_BACKUP_MAX);
    const qc_rc rc = same_vault(e, vault, record, backup, &miss);
    if (rc == QC_OK)
        *ret_new = false;
    if (rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    QC_TRY(gw_commit(e, &change, err));
    QC_TRY(same_vault(e, vault, record, backup, err)); /* another one may have been first */
    *ret_new = true;
    return QC_OK;
}

struct vault_ids {
    struct gw_id *v;
    unsigned count;
};

static qc_rc add_vault(void *ctx, const struct gw_id *vault, struct qc_err *err)
{
    struct vault_ids *ids = ctx;

    if (ids->count == QC_GW_VAULTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d vaults", QC_GW_VAULTS_MAX);
    ids->v[ids->count++] = *vault;
    return QC_OK;
}

qc_rc gw_vault_list(struct gw_engine *e, uint32_t tenant, gw_vault_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_id *v = qc_alloc(QC_GW_VAULTS_MAX * sizeof *v);
    struct vault_ids ids = { .v = v };

    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of vaults");
    QC_TRY(gw_engine_may(e, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_vaults(e->cat, tenant, add_vault, &ids, err));
    }
    for (unsigned i = 0; i < ids.count; i++)
        QC_TRY(fn(ctx, &ids.v[i], err));
    return QC_OK;
}

qc_rc gw_vault_chain(struct gw_engine *e, const struct gw_ref *vault, uint64_t from, uint64_t limit,
                     struct gw_head *ret_head, qc_buf *ret_seals, struct qc_err *err)
{
    struct gw_vault_row row;

    QC_TRY(gw_engine_may(e, err));
    if (limit < 1 || limit > QC_GW_CHAIN_MAX || from > INT64_MAX)
        return QC_FAIL(err, QC_USAGE, "chain: limit %" PRIu64 ", expected 1..%d", limit, QC_GW_CHAIN_MAX);
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_vault(e->cat, vault, &row, err));
    QC_TRY(gw_cat_chain(e->cat, row.no, from, limit, ret_seals, err));
    *ret_head = row.head;
    return QC_OK;
}

/* -- entries --------------------------------------------------------------------------------------------- */

qc_rc gw_entry_get(struct gw_engine *e, const struct gw_ref *vault, qc_span path, struct gw_entry_row *ret,
                   struct qc_err *err)
{
    struct gw_vault_row row;

    QC_TRY(gw_engine_may(e, err));
    if (path.n < 1 || path.n > QC_GW_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "a path of %zu bytes, expected 1..%d", path.n, QC_GW_PATH_MAX);
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_vault(e->cat, vault, &row, err));
    return gw_cat_entry(e->cat, row.no, path, ret, err);
}

static qc_rc some(struct gw_engine *e, uint64_t vault_no, const qc_span *paths, size_t count,
                  struct gw_entry_row *ret, struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct qc_err miss = { 0 };
        const qc_rc rc = gw_cat_entry(e->cat, vault_no, paths[i], &ret[i], &miss);
        if (rc != QC_OK && rc != QC_NOTFOUND) {
            *err = miss;
            return rc;
        }
    }
    return QC_OK;
}

qc_rc gw_entry_some(struct gw_engine *e, const struct gw_ref *vault, const qc_span *paths, size_t count,
                    struct gw_entry_row *ret, struct qc_err *err)
{
    struct gw_vault_row row;

    QC_TRY(gw_engine_may(e, err));
    for (size_t i = 0; i < count; i++)
        if (paths[i].n < 1 || paths[i].n > QC_GW_PATH_MAX)
            return QC_FAIL(err, QC_USAGE, "a path of %zu bytes, expected 1..%d", paths[i].n, QC_GW_PATH_MAX);
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_look(e->cat, err));
    qc_rc rc = gw_cat_vault(e->cat, vault, &row, err);
    if (rc == QC_OK)
        rc = some(e, row.no, paths, count, ret, err);
    gw_cat_look_end(e->cat);
    return rc;
}

struct entry_rows {
    struct gw_entry_row v[QC_GW_LIST_MAX];
    unsigned count;
};

static void free_rows(struct entry_rows **rows)
{
    if (*rows == NULL)
        return;
    for (unsigned i = 0; i < (*rows)->count; i++)
        gw_entry_row_done(&(*rows)->v[i]);
    qc_free(*rows);
    *rows = NULL;
}

static qc_rc keep_row(void *ctx, const struct gw_entry_row *row, struct qc_err *err)
{
    struct entry_rows *rows = ctx;
    struct gw_entry_row *copy = &rows->v[rows->count];

    QC_ASSERT(rows->count < QC_GW_LIST_MAX);
    *copy = *row;
    copy->bytes = (qc_buf){ .max = row->bytes.max };
    QC_TRY(qc_buf_add(&copy->bytes, qc_buf_span(&row->bytes), err));
    copy->e.path = qc_span_of(copy->bytes.p, row->e.path.n);
    copy->e.private_part = qc_span_of(copy->bytes.p + row->e.path.n, row->e.private_part.n);
    rows->count++;
    return QC_OK;
}

qc_rc gw_entry_list(struct gw_engine *e, const struct gw_ref *vault, const struct gw_entry_query *q,
                    gw_entry_fn fn, void *ctx, bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(free_rows) struct entry_rows *rows = qc_alloc(sizeof *rows);
    struct gw_vault_row row;
    bool more;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of entries");
    QC_TRY(gw_engine_may(e, err));
    if (q->limit < 1 || q->limit > QC_GW_LIST_MAX || q->prefix.n > QC_GW_PATH_MAX ||
        q->after.n > QC_GW_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "list: limit %u, expected 1..%d", q->limit, QC_GW_LIST_MAX);
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_vault(e->cat, vault, &row, err));
        QC_TRY(gw_cat_entries(e->cat, row.no, q, keep_row, rows, &more, err));
    }
    for (unsigned i = 0; i < rows->count; i++)
        QC_TRY(fn(ctx, &rows->v[i], err));
    *ret_more = more;
    return QC_OK;
}

/* -- B of a version -------------------------------------------------------------------------------------- */

qc_rc gw_version_backup(struct gw_engine *e, const struct gw_version_ids *ids, qc_buf *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    const struct gw_backup_ids b = { ids->vault, ids->object, ids->version };
    struct gw_version_row v;

    QC_TRY(gw_engine_may(e, err));
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_version(e->cat, ids, &v, err));
        if (v.state != GW_VERSION_LIVE || !gw_id_same(&v.vault, &ids->vault))
            return QC_FAIL(err, QC_NOTFOUND, "no such version in this vault");
        QC_TRY(gw_cat_backup(e->cat, v.no, &sealed, err));
    }
    return gw_backup_unseal(e, &b, qc_buf_span(&sealed), ret, err);
}
