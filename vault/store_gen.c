/* The generations of a share store: the one in use and, while the shares are refreshed, another (FORMAT 7.2).
 *
 *   in use 1 --other_put--> in use 1, other 2 --other_use--> in use 2, other 1 --other_end--> in use 2
 *
 * Each arrow is one transaction. Records say of which generation they are, and are read as long as it is
 * here. A program that has the store open meanwhile notices when it writes (store_reload). */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vault/kdf.h"
#include "vault/shares.h"

void store_gen_done(struct store_gen *g)
{
    qc_key_free(&g->VS_i);
    qc_key_free(&g->kept);
    qc_key_free(&g->W_i);
    qc_key_free(&g->seed);
    qc_prk_free(&g->from);
    g->generation = 0;
}

const struct store_gen *store_gen_of(const struct vault_store *s, uint32_t generation)
{
    if (generation == 0)
        return NULL;
    if (generation == s->in_use.generation)
        return &s->in_use;
    return generation == s->other.generation ? &s->other : NULL;
}

qc_rc store_gen_make(struct store_gen *ret, const struct vault_store *s, uint32_t generation,
                     const qc_key *seed, const qc_key *VS_i, const qc_key *W_i, struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(s->vault);
    QC_CLEANUP(store_gen_done) struct store_gen g = { 0 };
    if (generation == 0)
        return QC_FAIL(err, QC_FORMAT, "head: generation 0");
    if (seed == NULL)
        QC_TRY(qc_key_dup(&g.VS_i, VS_i, err));
    else {
        QC_TRY(qc_key_dup(&g.seed, seed, err));
        QC_TRY(vault_prk_new(&g.from, g.seed, err));
        QC_TRY(vault_seed_share(&g.VS_i, g.from, s->index, &ids, generation, err));
        if (VS_i != NULL && !qc_key_same(VS_i, g.VS_i))
            QC_TRY(qc_key_dup(&g.kept, VS_i, err));
    }
    if (W_i != NULL)
        QC_TRY(qc_key_dup(&g.W_i, W_i, err));
    g.generation = generation;
    store_gen_done(ret);
    *ret = QC_STEAL(g);
    return QC_OK;
}

enum { SECRET_NAME = 24 };
static void secret_name(char out[SECRET_NAME], uint32_t generation)
{
    snprintf(out, SECRET_NAME, "secret/%08" PRIx32, generation);
}

/* One that is damaged counts as missing: B says the same. */
static qc_rc read_secret(struct vault_store *s, struct store_gen *g, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_ITEM_MAX };
    struct qc_err why = { 0 };
    char name[SECRET_NAME];
    if (g->seed == NULL)
        return QC_OK;
    secret_name(name, g->generation);
    qc_rc rc = store_item_get(s, name, &sealed, &why);
    if (rc == QC_OK)
        rc = store_secret_open(g, s, qc_buf_span(&sealed), &why);
    if (rc == QC_OK || rc == QC_NOTFOUND || rc == QC_INTEGRITY)
        return QC_OK;
    *err = why;
    return rc;
}

qc_rc store_secret_put(struct vault_store *s, const struct store_gen *g, const qc_rng *rng,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_ITEM_MAX };
    char name[SECRET_NAME];
    secret_name(name, g->generation);
    if (g->kept == NULL)
        return store_item_drop(s, name, err);
    QC_TRY(store_secret_seal(&sealed, s, g, rng, err));
    return store_item_put(s, name, qc_buf_span(&sealed), err);
}

static qc_rc read_other(struct vault_store *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(store_gen_done) struct store_gen g = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = store_item_get(s, "other", &sealed, &why);
    if (rc == QC_OK)
        QC_TRY(store_head_open(s, "other", &g, qc_buf_span(&sealed), err));
    if (rc == QC_OK)
        QC_TRY(read_secret(s, &g, err));
    else if (rc != QC_NOTFOUND) {
        *err = why;
        return rc;
    }
    store_gen_done(&s->other);
    s->other = QC_STEAL(g);
    return QC_OK;
}

qc_rc store_reload(struct vault_store *s, bool *ret_changed, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(store_gen_done) struct store_gen g = { 0 };
    qc_rc rc = store_item_get(s, "head", &sealed, err);
    if (rc == QC_NOTFOUND)
        err->rc = rc = QC_INTEGRITY;
    QC_TRY(rc);
    const qc_span salt = qc_span_sub(qc_buf_span(&sealed), 0, sealed.n < STORE_SALT ? sealed.n : STORE_SALT);
    *ret_changed = !qc_span_eq(salt, qc_span_of(s->head_salt, STORE_SALT));
    if (!*ret_changed)
        return QC_OK;
    QC_TRY(store_head_open(s, "head", &g, qc_buf_span(&sealed), err));
    QC_TRY(read_secret(s, &g, err));
    QC_TRY(read_other(s, err));
    memcpy(s->head_salt, sealed.p, sizeof(s->head_salt));
    store_gen_done(&s->in_use);
    s->in_use = QC_STEAL(g);
    return QC_OK;
}

qc_rc vault_store_renew(struct vault_store *s, struct qc_err *err)
{
    return store_said(s, store_reload(s, &(bool){ false }, err), err);
}

uint32_t vault_store_other(const struct vault_store *s)
{
    return s->other.generation;
}

const qc_key *vault_store_secret_at(const struct vault_store *s, uint32_t generation)
{
    const struct store_gen *g = store_gen_of(s, generation);
    return g != NULL ? g->VS_i : NULL;
}

const qc_key *vault_store_kept_at(const struct vault_store *s, uint32_t generation)
{
    const struct store_gen *g = store_gen_of(s, generation);
    return g != NULL ? g->kept : NULL;
}

const qc_key *vault_store_recovery_at(const struct vault_store *s, uint32_t generation)
{
    const struct store_gen *g = store_gen_of(s, generation);
    return g != NULL ? g->W_i : NULL;
}

bool vault_store_recovers(const struct vault_store *s)
{
    return s->in_use.W_i != NULL;
}

bool vault_store_kept(const struct vault_store *s)
{
    return s->kept;
}

const uint8_t *vault_store_recovery_commitment(const struct vault_store *s)
{
    return s->W_commitment;
}

/* Both items anew: who has the store open sees by the head's salt that something has changed. */
static qc_rc write_heads(struct vault_store *s, const struct store_gen *in_use, const struct store_gen *other,
                         const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf head = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf beside = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_head_seal(&head, s, "head", in_use, rng, err));
    QC_TRY(store_item_put(s, "head", qc_buf_span(&head), err));
    if (s->other.generation != 0) /* the one that goes, or is replaced, does so with its secret */
        QC_TRY(store_secret_put(s, &(struct store_gen){ .generation = s->other.generation }, rng, err));
    QC_TRY(store_secret_put(s, in_use, rng, err));
    if (other == NULL)
        return store_item_drop(s, "other", err);
    QC_TRY(store_secret_put(s, other, rng, err));
    QC_TRY(store_head_seal(&beside, s, "other", other, rng, err));
    return store_item_put(s, "other", qc_buf_span(&beside), err);
}

/* In one transaction; what is in memory follows what is durable. */
static qc_rc change_heads(struct vault_store *s, const struct store_gen *in_use,
                          const struct store_gen *other, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(write_heads(s, in_use, other, rng, err));
    QC_TRY(qc_tx_commit(&tx, err));
    return store_reload(s, &(bool){ false }, err);
}

qc_rc vault_store_other_put(struct vault_store *s, uint32_t generation, const qc_key *seed,
                            const qc_key *VS_i, const qc_key *W_i, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(store_gen_done) struct store_gen g = { 0 };
    QC_ASSERT((W_i != NULL) == vault_store_recovers(s));
    QC_TRY(store_said(s, store_gen_make(&g, s, generation, seed, VS_i, W_i, err), err));
    return store_said(s, change_heads(s, &s->in_use, &g, rng, err), err);
}

qc_rc vault_store_other_use(struct vault_store *s, const qc_rng *rng, struct qc_err *err)
{
    QC_ASSERT(s->other.generation != 0);
    return store_said(s, change_heads(s, &s->other, &s->in_use, rng, err), err);
}

/* A record of a put that may still be committed: what the other seed gives it is kept in it from now on. */
static qc_rc keep_one(struct vault_store *s, bool *ret_more, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *update = NULL;
    QC_CLEANUP(qc_key_free) qc_key *share = NULL;
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES], sealed[STORE_SEALED];
    uint64_t state = 0, sequence = 0;
    QC_TRY(qc_db_prepare(
        s->db,
        "SELECT object_id, version_id, state, sequence FROM record WHERE generation = ?1"
        " AND length(sealed) = ?2 AND state <> 4 AND length(object_id) = 16 AND length(version_id) = 16"
        " LIMIT 1",
        &find, err));
    QC_TRY(QC_BIND(find, err, QC_VI(s->other.generation), QC_VI(STORE_SEALED_NONE)));
    QC_TRY(qc_stmt_step(find, ret_more, err));
    if (!*ret_more)
        return QC_OK;
    QC_TRY(qc_col_fixed(find, 0, object, VAULT_ID_BYTES, err));
    QC_TRY(qc_col_fixed(find, 1, version, VAULT_ID_BYTES, err));
    QC_TRY(qc_col_u64(find, 2, &state, err));
    QC_TRY(qc_col_u64(find, 3, &sequence, err));
    const struct store_record_id id = { object, version, s->other.generation, (enum vault_record_state)state,
                                        sequence };
    QC_TRY(store_seed_share(&share, s, id.generation, object, version, err));
    QC_TRY(store_record_keep(sealed, s, &id, share, rng, err));
    QC_TRY(qc_db_prepare(s->db,
                         "UPDATE record SET sealed = ?4 WHERE object_id = ?1 AND version_id = ?2"
                         " AND generation = ?3",
                         &update, err));
    return QC_RUN(update, err, QC_VB(qc_span_of(object, VAULT_ID_BYTES)),
                  QC_VB(qc_span_of(version, VAULT_ID_BYTES)), QC_VI(id.generation),
                  QC_VB(qc_span_of(sealed, sizeof(sealed))));
}

static qc_rc end_other(struct vault_store *s, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    bool more = s->other.seed != NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    while (more)
        QC_TRY(keep_one(s, &more, rng, err));
    QC_TRY(write_heads(s, &s->in_use, NULL, rng, err));
    QC_TRY(qc_tx_commit(&tx, err));
    return store_reload(s, &(bool){ false }, err);
}

qc_rc vault_store_other_end(struct vault_store *s, const qc_rng *rng, struct qc_err *err)
{
    return s->other.generation == 0 ? QC_OK : store_said(s, end_other(s, rng, err), err);
}

static qc_rc drop_old(struct vault_store *s, const struct store_version *versions, size_t count,
                      uint32_t generation, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *drop = NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(qc_db_prepare(s->db,
                         "DELETE FROM record WHERE object_id = ?1 AND version_id = ?2 AND generation < ?3",
                         &drop, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(QC_RUN(drop, err, QC_VB(qc_span_of(versions[i].object, VAULT_ID_BYTES)),
                      QC_VB(qc_span_of(versions[i].version, VAULT_ID_BYTES)), QC_VI(generation)));
    return qc_tx_commit(&tx, err);
}

qc_rc store_drop_old(struct vault_store *s, const struct store_version *versions, size_t count,
                     uint32_t generation, struct qc_err *err)
{
    return store_said(s, drop_old(s, versions, count, generation, err), err);
}
