/* The share stores, and with them the vault secret, from which names are known. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/secret.h"
#include "report.h"
#include "vault/kit.h"
#include "vault/record.h"

enum { KIT_FILE_MAX = 128 * 1024 };

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

/* -- the recovery key ------------------------------------------------------------------------------------ */

/* The file of a kit, as `qcloud kit print` writes it, or words as they were typed. */
static qc_rc read_kit(const char *path, struct vault_kit *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_secret_free) struct qc_secret text = { 0 };
    size_t n = 0;

    QC_TRY(qc_secret_new(&text, KIT_FILE_MAX, err));
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY, 0, err));
    QC_TRY(qc_read_full(qc_fd_get(&fd), (uint8_t *)text.p, KIT_FILE_MAX, &n, err));
    if (n == KIT_FILE_MAX)
        return QC_FAIL(err, QC_USAGE, "longer than a kit");
    n = vault_kit_strip(text.p, n);
    return vault_kit_decode(ret, qc_span_of((const uint8_t *)text.p, n), err);
}

static qc_rc find_recovery(struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { 0 };

    if (s->o.recovery_kit != NULL) {
        QC_TRY_AS(read_kit(s->o.recovery_kit, &kit, err), err, "%s", s->o.recovery_kit);
        if (kit.shares != VAULT_KIT_RECOVERY)
            return QC_FAIL(err, QC_USAGE, "%s: a kit, but not of a recovery key", s->o.recovery_kit);
    }
    return vault_store_recovery(&s->W, s->store[0], s->store[1], kit.W, err);
}

/* A keeper's place, or a copy of one: FORMAT 17. */
static qc_rc open_kept(const char *path, const char *key, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    const char *const ids = strrchr(key, '/') + 1;
    const size_t n = strlen(path), m = strlen(ids);
    struct stat st;
    if (stat(path, &st) != 0)
        return QC_FAIL_OS(err, "%s", path);
    if (S_ISDIR(st.st_mode)) {
        QC_TRY(qc_dir_open(&dir, path, err));
        return qc_open_at(ret, qc_fd_get(&dir), key, O_RDONLY, 0, err);
    }
    if (n < m || strcmp(path + n - m, ids) != 0) /* a file of it, whatever stands before its ids */
        return QC_FAIL(err, QC_NOTFOUND, "%s is of another version", path);
    return qc_open_at(ret, AT_FDCWD, path, O_RDONLY, 0, err);
}

static qc_rc of_keeper(const struct salvage *s, const struct gw_backup_ids *ids, qc_buf *ret,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd file = { 0 };
    uint8_t *to = NULL;
    size_t n = 0;
    char v[33], o[33], x[33], key[128];
    qc_rc rc = QC_NOTFOUND;
    qc_hex(qc_span_of(ids->vault.b, GW_ID_BYTES), v);
    qc_hex(qc_span_of(ids->object.b, GW_ID_BYTES), o);
    qc_hex(qc_span_of(ids->version.b, GW_ID_BYTES), x);
    (void)snprintf(key, sizeof key, "b/%s/%.2s/%s%s", v, o, o, x);
    for (unsigned i = 0; i < s->o.backup_count && rc == QC_NOTFOUND; i++)
        rc = open_kept(s->o.backup[i], key, &file, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_SHARES, "backup data: what was given of it has none of %.80s", key);
    QC_TRY(rc);
    QC_TRY(qc_buf_extend(ret, QC_VAULT_BACKUP_MAX, &to, err));
    ret->n = 0;
    QC_TRY(qc_read_full(qc_fd_get(&file), to, QC_VAULT_BACKUP_MAX, &n, err));
    ret->n = n;
    return QC_OK;
}

qc_rc stores_backup(const struct salvage *s, const struct gw_backup_ids *ids, qc_buf *backup,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf kept = { .max = QC_VAULT_BACKUP_MAX };
    if (!vault_backup_is_kept(qc_buf_span(backup)))
        return vault_backup_unseal(backup, s->W, err);
    if (s->o.backup_count == 0)
        return QC_FAIL(
            err, QC_SHARES,
            "backup data: with the vault's keeper: the other share store is needed, or --backup-data PATH");
    QC_TRY(of_keeper(s, ids, &kept, err));
    qc_buf_clear(backup);
    return qc_buf_add(backup, qc_buf_span(&kept), err);
}

/* -- the vault secret ------------------------------------------------------------------------------------ */

/* Shares of VS: as they are, and as B's corrections want them (FORMAT 4): what a seed gives is corrected,
 * what a store keeps is not. */
struct secret_shares {
    qc_key *is[2], *own[2];
};

static void secret_shares_done(struct secret_shares *v)
{
    for (unsigned i = 0; i < 2; i++) {
        qc_key_free(&v->is[i]);
        qc_key_free(&v->own[i]);
    }
}

/* Of B's generation where the store has it. */
static qc_rc share_of(const struct salvage *s, unsigned i, const struct vault_backup *B,
                      struct secret_shares *ret, struct qc_err *err)
{
    const struct vault_store *store = s->store[i];

    if (store == NULL)
        return QC_OK;
    const qc_key *of_B = B == NULL ? NULL : vault_store_secret_at(store, B->generation);
    if (of_B == NULL) {
        QC_TRY(qc_key_dup(&ret->own[i], vault_store_secret(store), err));
        return qc_key_dup(&ret->is[i], vault_store_secret(store), err);
    }
    const bool given = vault_store_derives(store);
    QC_TRY(qc_key_dup(given ? &ret->own[i] : &ret->is[i], of_B, err));
    return vault_backup_correct(given ? &ret->is[i] : &ret->own[i], B, i + 1, of_B, err);
}

/* Both shares, else each with B. */
static qc_rc open_secret(const struct salvage *s, const struct vault_record *r, const struct vault_backup *B,
                         qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(secret_shares_done) struct secret_shares v = { 0 };
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(share_of(s, i, B, &v, err));
    const struct {
        const qc_key *VS1, *VS2;
    } ways[] = { { v.is[0], v.is[1] }, { v.own[0], NULL }, { NULL, v.own[1] } };
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

/* The vault's B that a later record put in the place of the first. */
static qc_rc later_backup(struct salvage *s, uint32_t tenant, qc_buf *ret, struct qc_err *err)
{
    const struct entry_row own = { .tenant = tenant, .object = s->vault };
    struct record_at at;
    struct gw_record rec;
    struct qc_err why = { 0 };
    bool found = false;

    QC_TRY(index_backup(s->ix, &own, &at, &found, err));
    if (!found)
        return QC_OK;
    const qc_rc rc = chain_record(s, &at, &rec, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    return rc == QC_OK ? qc_buf_add(ret, rec.u.backup.backup, err) : QC_OK;
}

static qc_rc try_record(struct salvage *s, const struct vault_row *row, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf later = { .max = QC_GW_BACKUP_MAX + 64 };
    const struct gw_backup_ids ids = { .vault = s->vault, .object = s->vault };
    struct gw_record rec;
    struct qc_err why = { 0 };

    QC_TRY(later_backup(s, row->tenant, &later, err));
    QC_TRY(chain_record(s, &row->at, &rec, err));
    QC_TRY(vault_record_parse(&r, rec.u.vault.record, err));
    qc_rc rc = chain_backup(s, &ids, later.n > 0 ? qc_buf_span(&later) : rec.u.vault.backup, &backup, &why);
    if (rc == QC_OK)
        rc = stores_backup(s, &ids, &backup, &why);
    if (rc == QC_OK)
        rc = vault_backup_parse(&B, qc_buf_span(&backup), &why);
    if (salvage_ends(rc) || (rc == QC_SHARES && (s->store[0] == NULL || s->store[1] == NULL))) {
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
    QC_TRY(find_recovery(s, err));
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
