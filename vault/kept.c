/* A vault whose backup data is with a keeper: FORMAT 4, kind 2. What goes to the gateway instead of B is B's
 * front, from which it takes ids and generation.
 *
 * The order, which keeps I1: records pending in both stores, B with the keeper, then the commit; a put that
 * comes to nothing takes its B from there before its records go, and a version that is purged after the
 * gateway has purged it, before its shares do. A crash in between: the journal, or what is retired, says what
 * is to be taken away, and taking away what is not there is no failure. */
#include "session.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"

enum { IDS_AT = 8 };

bool vault_is_kept(const struct vault *v)
{
    return v->kept;
}

static qc_rc keeper_of(const struct vault *v, struct vault_keeper **ret, struct qc_err *err)
{
    if (v->keeper != NULL) {
        *ret = v->keeper;
        return QC_OK;
    }
    qc_err_set(err, QC_NOTCONF, QC_HERE,
               "backup data of this vault is with a keeper, and the configuration does not say where");
    err->next = "qcloud config set vault.backup-to URL";
    return QC_NOTCONF;
}

qc_rc kept_agree(struct vault *v, struct qc_err *err)
{
    const struct vault_store *const *s = (const struct vault_store *const *)v->store;
    if (s[0] != NULL && s[1] != NULL && vault_store_kept(s[0]) != vault_store_kept(s[1]))
        return QC_FAIL(err, QC_INTEGRITY, "share store %u knows of a keeper, and share store %u of none",
                       vault_store_kept(s[0]) ? 1U : 2U, vault_store_kept(s[0]) ? 2U : 1U);
    v->kept = vault_store_kept(s[0] != NULL ? s[0] : s[1]);
    if (v->kept || v->keeper == NULL)
        return QC_OK;
    qc_err_set(
        err, QC_NOTCONF, QC_HERE,
        "the configuration names a keeper (%.200s), and backup data of this vault is with the gateway: a "
        "vault gets a keeper when it is made",
        v->keeper->url);
    err->next =
        "take vault.backup-to out of qcloud.conf; for a keeper, make a vault by qcloud init --backup-to";
    return QC_NOTCONF;
}

static struct vault_gw_version itself(const uint8_t *vault)
{
    static const uint8_t zeros[VAULT_ID_BYTES];
    return session_version(vault, zeros);
}

/* A whole B, and of that version? */
static bool is_of(qc_span B, const struct vault_gw_version *version)
{
    return vault_backup_is_plain(B) &&
           memcmp(B.p + IDS_AT + VAULT_ID_BYTES, version->object, VAULT_ID_BYTES) == 0 &&
           memcmp(B.p + IDS_AT + 2 * VAULT_ID_BYTES, version->version, VAULT_ID_BYTES) == 0;
}

/* Of the vault's own B at the keeper: a directory that is not mounted, or another disk's, has none. */
static qc_rc generation_at(uint32_t *ret, const uint8_t *vault, struct vault_keeper *k,
                           const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
    const struct vault_gw_version own = itself(vault);
    const qc_rc rc = k->ops->get(k, vault, &own, &B, op, err);
    if (rc == QC_NOTFOUND) {
        qc_err_set(err, QC_NOTCONF, QC_HERE, "the keeper of backup data (%.200s) has nothing of this vault",
                   k->url);
        err->next =
            "if that is the right place, qcloud kit refresh gives it all; else mount the disk that has it";
        return QC_NOTCONF;
    }
    QC_TRY(rc);
    if (!is_of(qc_buf_span(&B), &own)) {
        qc_err_set(err, QC_INTEGRITY, QC_HERE,
                   "the keeper of backup data (%.200s) has that of the vault damaged", k->url);
        err->next = "qcloud kit refresh gives it all anew";
        return QC_INTEGRITY;
    }
    return vault_backup_generation(ret, qc_buf_span(&B), err);
}

/* Each change of keeper comes with new shares, and the vault's B of them is with the new one alone: one that
 * has an older B is the keeper no longer, or a copy of before came in its place. */
qc_rc vault_keeper_current(struct vault_keeper *k, const uint8_t vault[VAULT_ID_BYTES], uint32_t least,
                           const struct vault_op *op, struct qc_err *err)
{
    uint32_t has = 0;
    QC_TRY(generation_at(&has, vault, k, op, err));
    if (has >= least)
        return QC_OK;
    qc_err_set(err, QC_NOTCONF, QC_HERE,
               "%.200s is the keeper of backup data no longer, or a copy of before: it has generation "
               "%" PRIu32 ", and the shares are of %" PRIu32,
               k->url, has, least);
    err->next = "if another place is the keeper by now, qcloud config set vault.backup-to URL; if it is "
                "this one, qcloud kit refresh gives it all";
    return QC_NOTCONF;
}

static qc_rc is_keeper(const struct vault *v, uint32_t least, const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *k = NULL;
    QC_TRY(keeper_of(v, &k, err));
    return vault_keeper_current(k, v->id, least, op, err);
}

qc_rc kept_has(const struct vault *v, uint32_t least, const struct vault_op *op, struct qc_err *err)
{
    return v->kept ? is_keeper(v, least, op, err) : QC_OK;
}

static qc_rc described(struct vault_store *s, struct vault_descriptor *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(vault_store_descriptor_get(s, &text, err));
    return vault_descriptor_parse(ret, qc_buf_span(&text), err);
}

/* The clouds are those that the stores name: what is written beside them by hand is looked at, too. */
static qc_rc check_apart(const struct vault *v, struct vault_keeper *k, const struct vault_op *op,
                         struct qc_err *err)
{
    const char *const share[] = { v->dir[0], v->dir[1] };
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
        if (v->store[i] == NULL)
            continue;
        QC_TRY(described(v->store[i], &d, err));
        QC_TRY(k->ops->apart(k, d.clouds, d.cloud_count, share, op, err));
    }
    return QC_OK;
}

qc_rc vault_keeper_apart(struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *k = NULL;
    if (!v->kept || v->apart)
        return QC_OK;
    QC_TRY(keeper_of(v, &k, err));
    QC_TRY(check_apart(v, k, op, err));
    v->apart = true;
    return QC_OK;
}

qc_rc kept_begin(struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    QC_TRY(vault_keeper_apart(v, op, err));
    return kept_has(v, session_generation(v), op, err);
}

/* The gateway is asked, which has the vault's B after the keeper and before the stores use its generation:
 * what carries a bundle has no hand at the stores, which are the other thread's. */
qc_rc kept_still(const struct vault *v, struct vault_gw *gw, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 };
    QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
    struct vault_head head = { 0 };
    uint32_t now = 0;
    if (!v->kept)
        return QC_OK;
    QC_TRY_AS(gw->ops->vault_get(gw, v->id, &record, &B, &head, op, err), err, "vault");
    QC_TRY_AS(vault_backup_generation(&now, qc_buf_span(&B), err), err, "vault");
    return is_keeper(v, now, op, err);
}

qc_rc kept_keep(const struct vault *v, qc_buf *const *B, size_t n, const struct vault_op *op,
                struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_gw_backup *items = NULL;
    struct vault_keeper *k = NULL;
    size_t count = 0;
    if (!v->kept || n == 0)
        return QC_OK;
    QC_TRY(keeper_of(v, &k, err));
    items = qc_alloc(n * sizeof(*items));
    if (items == NULL)
        return QC_FAIL(err, QC_NOMEM, "backup data");
    for (size_t i = 0; i < n; i++) {
        if (vault_backup_is_kept(qc_buf_span(B[i])))
            continue;
        QC_ASSERT(vault_backup_is_plain(qc_buf_span(B[i])));
        memcpy(items[count].object, B[i]->p + IDS_AT + VAULT_ID_BYTES, VAULT_ID_BYTES);
        memcpy(items[count].version, B[i]->p + IDS_AT + 2 * VAULT_ID_BYTES, VAULT_ID_BYTES);
        items[count++].backup = qc_buf_span(B[i]);
    }
    if (count > 0)
        QC_TRY(k->ops->put(k, v->id, items, count, op, err));
    for (size_t i = 0; i < n; i++)
        if (!vault_backup_is_kept(qc_buf_span(B[i])))
            vault_backup_front(B[i]);
    return QC_OK;
}

qc_rc kept_fetch(const struct vault *v, const struct vault_gw_version *version, qc_buf *B,
                 const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf has = { .max = QC_VAULT_BACKUP_MAX };
    struct vault_keeper *k = NULL;
    if (!v->kept && vault_backup_is_kept(qc_buf_span(B)))
        return QC_FAIL(err, QC_INTEGRITY,
                       "backup data: the gateway says that a keeper has it, and there is none");
    if (!v->kept)
        return QC_OK;
    QC_TRY(keeper_of(v, &k, err));
    qc_rc rc = k->ops->get(k, v->id, version, &has, op, err);
    if (rc == QC_NOTFOUND)
        rc = QC_FAIL(err, QC_INTEGRITY, "backup data: the keeper (%.200s) has none of it", k->url);
    QC_TRY(rc);
    if (!is_of(qc_buf_span(&has), version))
        return QC_FAIL(err, QC_INTEGRITY,
                       "backup data: what the keeper (%.200s) has is not that of this version", k->url);
    qc_buf_clear(B);
    return qc_buf_add(B, qc_buf_span(&has), err);
}

qc_rc kept_fetch_vault(struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    const struct vault_gw_version own = itself(v->id);
    if (v->fetched)
        return QC_OK;
    QC_TRY_AS(kept_fetch(v, &own, &v->backup, op, err), err, "vault");
    v->fetched = true;
    return QC_OK;
}

qc_rc kept_forget(const struct vault *v, const struct vault_gw_version *versions, size_t n,
                  const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *k = NULL;
    if (!v->kept || n == 0)
        return QC_OK;
    QC_TRY(keeper_of(v, &k, err));
    return k->ops->drop(k, v->id, versions, n, op, err);
}

/* Another place has not what it is asked to remove, and would say that it is not there. */
qc_rc kept_drop(const struct vault *v, const struct vault_gw_version *versions, size_t n,
                const struct vault_op *op, struct qc_err *err)
{
    if (!v->kept || n == 0)
        return QC_OK;
    QC_TRY(is_keeper(v, session_generation(v), op, err));
    return kept_forget(v, versions, n, op, err);
}

/* -- one keeper after another ---------------------------------------------------------------------------- */

static qc_rc describe(struct vault_store *s, const struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf fresh = { .max = VAULT_DESCRIPTOR_MAX };
    QC_TRY(vault_descriptor_write(&fresh, d, err));
    return vault_store_descriptor_put(s, qc_buf_span(&fresh), err);
}

/* Is what the session was given a keeper that has nothing yet? One that has the vault's B of the shares in
 * use is the one that was there, by another name. */
static qc_rc is_new(bool *ret, const struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = kept_has(v, session_generation(v), op, &why);
    *ret = rc == QC_NOTCONF;
    if (rc == QC_OK || *ret || rc == QC_INTEGRITY || rc == QC_FORMAT)
        return QC_OK;
    *err = why;
    return rc;
}

static qc_rc change(struct vault *v, struct vault_store *s, const struct vault_op *op, struct qc_err *err)
{
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    bool fresh = false;
    QC_TRY(described(s, &d, err));
    const bool other = d.keeper == NULL || strcmp(d.keeper, v->keeper->url) != 0;
    if (other && d.keeper != NULL)
        QC_TRY(is_new(&fresh, v, op, err));
    if (fresh)
        QC_TRY_AS(vault_descriptor_add_before(&d, d.keeper, err), err,
                  "the keeper was %.200s till now; with that in qcloud.conf kit refresh comes to its end",
                  d.keeper);
    vault_descriptor_drop_before(&d, v->keeper->url);
    if (other) {
        QC_TRY(vault_descriptor_set_keeper(&d, v->keeper->url, err));
        QC_TRY(describe(s, &d, err));
    }
    for (size_t i = 0; i < d.before_count; i++)
        QC_TRY(vault_descriptor_add_before(&v->keepers, d.before[i], err));
    return QC_OK;
}

qc_rc kept_change(struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    struct vault_keeper *k = NULL;
    if (!v->kept)
        return QC_OK;
    QC_TRY(keeper_of(v, &k, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(change(v, v->store[i], op, err));
    return QC_OK;
}

qc_rc kept_changed(const struct vault *v, struct qc_err *err)
{
    for (unsigned i = 0; i < 2 && v->kept; i++) {
        QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
        QC_TRY(described(v->store[i], &d, err));
        if (d.before_count == 0)
            continue;
        vault_descriptor_drop_before(&d, NULL);
        QC_TRY(describe(v->store[i], &d, err));
    }
    return QC_OK;
}

const char *vault_keeper_before(const struct vault *v, size_t i)
{
    return i < v->keepers.before_count ? v->keepers.before[i] : NULL;
}

qc_rc session_backup_get(const struct vault *v, struct vault_gw *gw, const struct vault_gw_version *version,
                         qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    if (!v->kept) /* else the gateway has nothing of it */
        QC_TRY(gw->ops->backup_get(gw, v->id, version->object, version->version, ret, op, err));
    QC_TRY(kept_fetch(v, version, ret, op, err));
    return vault_backup_unseal(ret, v->W, err);
}
