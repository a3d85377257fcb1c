/* Share stores made from a kit where there is none, and what they can learn from the gateway: FORMAT 15. */
#include <inttypes.h>
#include <string.h>

#include "list.h"
#include "session.h"

/* Record and backup data of the kit's vault, and the kit held against both. */
static qc_rc ask(struct vault_record *ret, const struct vault_kit *kit, struct vault_gw *gw,
                 const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 }, backup = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    struct vault_head claimed = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = gw->ops->vault_get(gw, kit->vault, &record, &backup, &claimed, &call->op, &why);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_USAGE, "the kit is of another vault: this gateway does not know it");
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    QC_TRY(vault_record_parse(&r, qc_buf_span(&record), err));
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&backup), err), err, "vault");
    QC_TRY(vault_kit_check(kit, &r, &B, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

static void unmake(struct vault_store *store[2])
{
    vault_store_unmake(&store[0]);
    vault_store_unmake(&store[1]);
}

static qc_rc make(struct vault_store *store[2], const struct vault_conf *conf, const struct vault_kit *kit,
                  const struct vault_record *record, struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
    struct vault_store_params params = { .generation = kit->generation, .lock = conf->lock };
    memcpy(params.vault, kit->vault, VAULT_ID_BYTES);
    memcpy(params.commitment, record->commitment, sizeof params.commitment);
    memset(d->stores, 0, sizeof d->stores); /* the store that is not made here has no id any more */
    for (unsigned i = 0; i < 2; i++) {
        if (kit->seed[i] == NULL)
            continue;
        params.index = i + 1;
        params.seed = kit->seed[i];
        QC_TRY(vault_store_create(&store[i], conf->share[i], &params, &conf->rng, err));
        memcpy(d->stores[i], vault_store_id(store[i]), VAULT_ID_BYTES);
    }
    memcpy(d->vault, kit->vault, VAULT_ID_BYTES);
    d->derived = true;
    QC_TRY(vault_descriptor_write(&text, d, err));
    for (unsigned i = 0; i < 2; i++)
        if (store[i] != NULL)
            QC_TRY(vault_store_descriptor_put(store[i], qc_buf_span(&text), err));
    return QC_OK;
}

qc_rc vault_revive(const struct vault_conf *conf, const struct vault_kit *kit, struct vault_descriptor *d,
                   struct vault_gw *gw, const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_record_done) struct vault_record record = { 0 };
    struct vault_store *store[2] = { NULL, NULL };
    QC_TRY(ask(&record, kit, gw, call, err));
    const qc_rc rc = make(store, conf, kit, &record, d, err);
    if (rc != QC_OK)
        unmake(store);
    vault_store_close(&store[0]);
    vault_store_close(&store[1]);
    return rc;
}

/* What a listing teaches the stores: which version each name has, and its number. */
struct relearn {
    struct vault *v;
    const struct vault_call *call;
    uint64_t objects;
    size_t n;
    struct vault_store_record record[QC_VAULT_RECOVER_BATCH];
    struct vault_store_mark mark[QC_VAULT_RECOVER_BATCH];
};

static void drop(struct relearn *l)
{
    for (size_t i = 0; i < l->n; i++)
        vault_store_record_done(&l->record[i]);
    l->n = 0;
}

static qc_rc write_store(struct relearn *l, struct vault_store *s, struct qc_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        struct vault_store_record *r = &l->record[i];
        r->generation = vault_store_generation(s);
        QC_TRY(vault_store_derive(&r->share, s, r->generation, r->object, r->version, err));
    }
    QC_TRY(vault_store_add(s, l->record, l->n, &l->v->rng, err));
    QC_TRY(vault_store_marks_raise(s, l->mark, l->n, err));
    for (size_t i = 0; i < l->n; i++)
        vault_store_record_done(&l->record[i]);
    return QC_OK;
}

static qc_rc write_all(struct relearn *l, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (l->v->store[i] != NULL && vault_store_derives(l->v->store[i]))
            QC_TRY(write_store(l, l->v->store[i], err));
    l->objects += l->n;
    drop(l);
    return QC_OK;
}

static qc_rc one(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct relearn *l = ctx;
    struct vault_store_record *r = &l->record[l->n];
    QC_TRY(vault_name_tag(l->mark[l->n].path_tag, l->v->ring, qc_buf_span(&s->name), err));
    l->mark[l->n].number = s->number;
    *r = (struct vault_store_record){ .state = VAULT_RECORD_COMMITTED, .sequence = s->sequence };
    memcpy(r->object, s->object, VAULT_ID_BYTES);
    memcpy(r->version, s->version, VAULT_ID_BYTES);
    l->n++;
    return l->n == QC_VAULT_RECOVER_BATCH ? write_all(l, err) : QC_OK;
}

qc_rc vault_relearn(struct vault *v, const struct vault_call *call, uint64_t *ret, struct qc_err *err)
{
    struct relearn l = { .v = v, .call = call };
    struct list_totals totals = { 0 };
    const struct list_to to = { .fn = one, .ctx = &l };
    qc_rc rc = list_objects(v, (qc_span){ 0 }, &to, call, &totals, err);
    if (rc == QC_OK && l.n > 0)
        rc = write_all(&l, err);
    drop(&l);
    *ret = l.objects;
    return rc;
}

qc_rc vault_kit_of(struct vault_kit *ret, struct vault *v, unsigned shares, struct qc_err *err)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit k = { .shares = shares };
    QC_ASSERT(shares >= 1 && shares <= 3);
    memcpy(k.vault, v->id, VAULT_ID_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        if ((shares & 1U << i) == 0)
            continue;
        QC_TRY(session_need_store(v, i + 1, err));
        if (!vault_store_derives(v->store[i]))
            return QC_FAIL(err, QC_USAGE,
                           "share store %u keeps a share of each object, so there is no kit of it: copy its "
                           "directory instead. (init --mode derived makes vaults with kits.)",
                           i + 1);
        QC_TRY(qc_key_dup(&k.seed[i], vault_store_seed(v->store[i]), err));
        if (k.generation != 0 && k.generation != vault_store_generation(v->store[i]))
            return QC_FAIL(err, QC_USAGE,
                           "the share stores have seeds of two generations: print one at a time");
        k.generation = vault_store_generation(v->store[i]);
    }
    if (k.generation > UINT16_MAX)
        return QC_FAIL(err, QC_LIMIT, "generation %" PRIu32 " of the shares is in no kit", k.generation);
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc vault_kit_here(const struct vault_kit *kit, struct vault *v, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    if (kit->shares == VAULT_KIT_RECOVERY)
        return recovery_kit_here(kit, v, err);
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&v->backup), err), err, "vault");
    return vault_kit_check(kit, &v->record, &B, err);
}

qc_rc vault_where(struct vault *v, qc_buf *ret, struct qc_err *err)
{
    qc_rc rc = QC_SHARES;
    for (unsigned i = 0; i < 2; i++) {
        if (v->store[i] == NULL)
            continue;
        qc_err_clear(err);
        rc = vault_store_descriptor_get(v->store[i], ret, err);
        if (rc == QC_OK)
            break;
    }
    return rc;
}
