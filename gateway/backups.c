/* B in the place of what is there: the shares of a vault are refreshed (kit refresh). Records of kind 7
 * (FORMAT 9.3), all of one call in one log object.
 *
 * The gateway cannot check a MAC of B. What it does check keeps a client that was asleep from undoing what
 * another one did, and a thief of a token from taking the generations that are to come: ids, and that the
 * vault's goes on by one, that of a version no further than the vault's, and what has it stays as it is. */
#include "commit_internal.h"

enum { B_MAGIC = 0x51434C42, IDS = 8, GENERATION = 56, B_LEAST = 60 }; /* QCLB; offsets of FORMAT 4 */

static bool of_vault(const struct gw_new_backup *b)
{
    return gw_id_same(&b->version, &(struct gw_id){ 0 });
}

/* 0: it is no B that we know. */
static uint32_t generation_of(qc_span backup)
{
    const bool is = backup.n >= B_LEAST && qc_get_be(backup.p, 4) == B_MAGIC;
    return is ? (uint32_t)qc_get_be(backup.p + GENERATION, 4) : 0;
}

static struct gw_backup_ids ids_of(const struct gw_ref *vault, const struct gw_new_backup *b)
{
    return (struct gw_backup_ids){ vault->id, b->object, b->version };
}

/* Is it B of that version, as far as can be seen? */
static qc_rc check_one(const struct gw_ref *vault, const struct gw_new_backup *b, struct qc_err *err)
{
    const struct gw_backup_ids ids = ids_of(vault, b);

    if (b->backup.n > QC_GW_BACKUP_MAX || generation_of(b->backup) == 0)
        return QC_FAIL(err, QC_USAGE, "backup data: %zu bytes that are none", b->backup.n);
    if (!qc_span_eq(qc_span_sub(b->backup, IDS, 3 * GW_ID_BYTES),
                    qc_span_of((const uint8_t *)&ids, 3 * GW_ID_BYTES)))
        return QC_FAIL(err, QC_USAGE, "backup data: of another version");
    if (of_vault(b) && !gw_id_same(&b->object, &vault->id))
        return QC_FAIL(err, QC_USAGE, "backup data: of another vault");
    return QC_OK;
}

/* B as it is, in clear. Under the catalogue's lock. QC_NOTFOUND */
static qc_rc present(struct gw_engine *e, const struct gw_ref *vault, const struct gw_new_backup *b,
                     qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = QC_GW_RECORD_SIZE };
    const struct gw_backup_ids ids = ids_of(vault, b);
    const struct gw_version_ids at = {
        .tenant = vault->tenant, .vault = vault->id, .object = b->object, .version = b->version
    };
    struct gw_version_row v;
    struct gw_vault_row row;

    QC_TRY(gw_cat_vault(e->cat, vault, &row, err));
    if (of_vault(b)) {
        QC_TRY(gw_cat_vault_bytes(e->cat, row.no, &record, &sealed, err));
        return gw_backup_unseal(e, &ids, qc_buf_span(&sealed), ret, err);
    }
    QC_TRY(gw_cat_version(e->cat, &at, &v, err));
    if (v.state != GW_VERSION_LIVE || !gw_id_same(&v.vault, &vault->id))
        return QC_FAIL(err, QC_NOTFOUND, "no such version in this vault");
    QC_TRY(gw_cat_backup(e->cat, v.no, &sealed, err));
    return gw_backup_unseal(e, &ids, qc_buf_span(&sealed), ret, err);
}

/* The vault's generation as it will be: versions follow it (vault/refresh.c puts the vault's first). */
static qc_rc vault_generation(struct gw_engine *e, const struct gw_change *c, uint32_t *ret,
                              struct qc_err *err)
{
    const struct gw_new_backup own = { .object = c->vault.id };
    QC_CLEANUP(qc_buf_free) qc_buf have = { .max = QC_GW_BACKUP_MAX };

    QC_TRY(present(e, &c->vault, &own, &have, err));
    *ret = generation_of(qc_buf_span(&have));
    for (unsigned i = 0; i < c->backup_count; i++)
        if (of_vault(&c->backups[i]) && generation_of(c->backups[i].backup) > *ret)
            *ret = generation_of(c->backups[i].backup);
    return QC_OK;
}

qc_rc gw_known_backups(struct gw_engine *e, const struct gw_change *c, bool *ret_live, struct qc_err *err)
{
    *ret_live = true;
    for (unsigned i = 0; i < c->backup_count && *ret_live; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf have = { .max = QC_GW_BACKUP_MAX };
        QC_TRY(present(e, &c->vault, &c->backups[i], &have, err));
        *ret_live = qc_span_eq(qc_buf_span(&have), c->backups[i].backup);
    }
    return QC_OK;
}

/* most: no version is further than its vault. */
static qc_rc may_replace(struct gw_engine *e, const struct gw_change *c, const struct gw_new_backup *b,
                         uint32_t most, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf have = { .max = QC_GW_BACKUP_MAX };
    const uint32_t to = generation_of(b->backup);

    QC_TRY(present(e, &c->vault, b, &have, err));
    const uint32_t from = generation_of(qc_buf_span(&have));
    if (from > to)
        return QC_FAIL(err, QC_CONFLICT, "backup data: generation %" PRIu32 ", what is there has %" PRIu32,
                       to, from);
    if (from == to && !qc_span_eq(qc_buf_span(&have), b->backup))
        return QC_FAIL(err, QC_CONFLICT, "backup data: generation %" PRIu32 " is there, and is other", to);
    if (of_vault(b) && to > from && to - from > 1)
        return QC_FAIL(err, QC_CONFLICT,
                       "backup data: generation %" PRIu32 " of the vault, the next one is %" PRIu32, to,
                       from + 1);
    if (to > most)
        return QC_FAIL(err, QC_CONFLICT, "backup data: generation %" PRIu32 ", the vault's has %" PRIu32, to,
                       most);
    return QC_OK;
}

static qc_rc add_one(struct gw_deciding *d, const struct gw_change *c, const struct gw_new_backup *b,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_BACKUP_MAX + 64 };
    const struct gw_backup_ids ids = ids_of(&c->vault, b);
    struct gw_record rec = { .kind = GW_REC_BACKUP };

    QC_TRY(gw_deciding_backup(d->e, &ids, b->backup, &sealed, err));
    rec.u.backup = (struct gw_rec_backup){
        .tenant = c->vault.tenant, .object = b->object, .version = b->version, .backup = qc_buf_span(&sealed)
    };
    QC_TRY(gw_log_add(&d->records, &rec, err));
    d->count++;
    return QC_OK;
}

/* All are looked at before the first is written. */
qc_rc gw_decide_backups(struct gw_deciding *d, struct gw_change *c, struct qc_err *err)
{
    uint32_t most;

    QC_TRY(vault_generation(d->e, c, &most, err));
    for (unsigned i = 0; i < c->backup_count; i++)
        QC_TRY(may_replace(d->e, c, &c->backups[i], most, err));
    for (unsigned i = 0; i < c->backup_count; i++)
        QC_TRY(add_one(d, c, &c->backups[i], err));
    c->decided = true;
    return QC_OK;
}

/* Which of two would stay is nobody's to guess. */
static qc_rc check_twice(const struct gw_new_backup *backups, unsigned count, struct qc_err *err)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned j = 0; j < i; j++)
            if (gw_id_same(&backups[i].object, &backups[j].object) &&
                gw_id_same(&backups[i].version, &backups[j].version))
                return QC_FAIL(err, QC_USAGE, "backup data: the same version twice: %u and %u", j, i);
    return QC_OK;
}

qc_rc gw_backups_replace(struct gw_engine *e, const struct gw_ref *vault, const struct gw_new_backup *backups,
                         unsigned count, struct qc_err *err)
{
    struct gw_change change = {
        .kind = GW_CHANGE_BACKUPS, .vault = *vault, .backups = backups, .backup_count = count
    };

    if (count < 1 || count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "backups: %u, expected 1..%d", count, QC_GW_BATCH_CHANGES_MAX);
    for (unsigned i = 0; i < count; i++)
        QC_TRY(check_one(vault, &backups[i], err));
    QC_TRY(check_twice(backups, count, err));
    return gw_commit(e, &change, err);
}
