/* The share stores, and with them the vault secret, from which names are known. */
#include <inttypes.h>

#include "report.h"
#include "vault/record.h"

static qc_rc open_store(struct salvage *s, unsigned i, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *store = NULL;
    const struct vault_store_expect expect = { .passes = &s->passes };
    struct qc_err why = { 0 };

    const qc_rc rc = vault_store_open(&store, s->o.share[i], VAULT_STORE_READ, &expect, &why);
    if (rc == QC_PASSPHRASE || rc == QC_NOPASS || rc == QC_USAGE || salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        report_note(s, "share store %s is not used: %s", s->o.share[i], why.msg);
        if (s->o.share[1] == NULL || (i == 1 && s->store[0] == NULL && s->store[1] == NULL))
            *err = why;
        return QC_OK;
    }
    const unsigned at = vault_store_index(store) - 1;
    if (s->store[at] != NULL)
        return QC_FAIL(err, QC_USAGE, "both share stores are store %u: one and a copy of it", at + 1);
    if (s->store[1 - at] != NULL &&
        !qc_span_eq(qc_span_of(vault_store_vault(store), VAULT_ID_BYTES), gw_id_span(&s->vault)))
        return QC_FAIL(err, QC_USAGE, "the share stores are of two different vaults");
    memcpy(s->vault.b, vault_store_vault(store), sizeof s->vault.b);
    s->store[at] = QC_STEAL(store);
    return QC_OK;
}

static qc_rc open_stores(struct salvage *s, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (s->o.share[i] != NULL)
            QC_TRY(open_store(s, i, err));
    if (s->store[0] == NULL && s->store[1] == NULL && err->rc != QC_OK)
        return err->rc;
    if (s->store[0] == NULL && s->store[1] == NULL)
        return QC_FAIL(err, QC_SHARES, "no share store could be opened");
    qc_err_clear(err);
    for (unsigned i = 0; i < 2; i++) {
        struct vault_head head;
        struct qc_err why = { 0 };
        const qc_rc rc = s->store[i] == NULL ? QC_NOTFOUND : vault_store_head_get(s->store[i], &head, &why);
        if (salvage_ends(rc)) {
            *err = why;
            return rc;
        }
        if (rc == QC_OK && head.count > s->known)
            s->known = head.count;
    }
    return QC_OK;
}

/* -- the vault secret ------------------------------------------------------------------------------------ */

static const qc_key *share_of(const struct salvage *s, unsigned i)
{
    return s->store[i] == NULL ? NULL : vault_store_secret(s->store[i]);
}

/* Both shares, else each with B. */
static qc_rc open_secret(const struct salvage *s, const struct vault_record *r, const struct vault_backup *B,
                         qc_key **ret, struct qc_err *err)
{
    const qc_key *VS1 = share_of(s, 0), *VS2 = share_of(s, 1);
    const struct {
        const qc_key *VS1, *VS2;
    } ways[] = { { VS1, VS2 }, { VS1, NULL }, { NULL, VS2 } };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct qc_err why = { 0 };
        const qc_rc rc = vault_record_open(ret, r, s->vault.b, ways[i].VS1, ways[i].VS2, B, &why);
        if (rc == QC_OK)
            return QC_OK;
        if (err->rc == QC_OK || salvage_ends(rc))
            *err = why;
        if (salvage_ends(rc))
            return rc;
    }
    return err->rc;
}

static qc_rc try_record(struct salvage *s, const struct vault_row *row, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_VAULT_BACKUP_MAX };
    const struct gw_backup_ids ids = { .vault = s->vault, .object = s->vault };
    struct gw_record rec;
    struct qc_err why = { 0 };

    QC_TRY(chain_record(s, &row->at, &rec, err));
    QC_TRY(vault_record_parse(&r, rec.u.vault.record, err));
    qc_rc rc = chain_backup(s, &ids, rec.u.vault.backup, &backup, &why);
    if (rc == QC_OK)
        rc = vault_backup_parse(&B, qc_buf_span(&backup), &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    return open_secret(s, &r, rc == QC_OK ? &B : NULL, ret, err);
}

struct looking {
    struct salvage *s;
    qc_key *VS;
    struct qc_err why;
};

static void looking_done(struct looking *l)
{
    qc_key_free(&l->VS);
}

static qc_rc look(void *ctx, const struct vault_row *row, struct qc_err *err)
{
    struct looking *l = ctx;
    struct qc_err why = { 0 };

    if (l->VS != NULL)
        return QC_OK;
    const qc_rc rc = try_record(l->s, row, &l->VS, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc == QC_OK || l->why.rc == QC_OK)
        l->s->tenant = row->tenant;
    if (rc != QC_OK)
        l->why = why;
    return QC_OK;
}

qc_rc stores_find(struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(looking_done) struct looking l = { .s = s };

    QC_TRY(open_stores(s, err));
    QC_TRY(index_vaults(s->ix, &s->vault, look, &l, err));
    if (l.VS != NULL)
        QC_TRY(vault_ring_new(&s->ring, l.VS, s->vault.b, err));
    else
        report_note(s, "names cannot be known: %s; files get their versions' numbers as names",
                    l.why.rc != QC_OK ? l.why.msg
                                      : "the vault's record is in a part of the log that is not here");
    QC_TRY(index_chain(s->ix, s->tenant, &s->vault, &s->recorded, err));
    if (s->known > s->recorded)
        report_note(s,
                    "the share stores know of %" PRIu64 " changes, the log that is here tells of %" PRIu64
                    ": the newest changes are missing",
                    s->known, s->recorded);
    return QC_OK;
}
