/* New shares of one version: seal.md 4.3. No data is moved: head, tail and B are read. R and R3 stay, so N
 * and n2 do (R1 xor R2 = R xor R3). */
#include "refresh.h"

#include <string.h>

#include "base/alloc.h"
#include "store.h"

void refresh_one_done(struct refresh_one *one)
{
    qc_key_free(&one->share[0]);
    qc_key_free(&one->share[1]);
    qc_buf_free(&one->backup);
}

qc_rc refresh_backup(qc_buf *ret, const struct refresh *r, struct vault_backup_parts *parts,
                     const struct vault_anew *a, const qc_key *own2, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *corr2 = NULL;
    if (own2 != NULL && !qc_key_same(own2, a->S2))
        QC_TRY(qc_key_xor(&corr2, own2, a->S2, err));
    parts->generation = r->to;
    parts->R1 = a->S1;
    parts->R2 = a->S2;
    parts->R4 = a->S4;
    parts->corr2 = corr2;
    return vault_backup_make(ret, parts, err);
}

/* What store i gives of the new generation; nothing (NULL) where it keeps what it is told. */
static qc_rc given_by(qc_key **ret, const struct refresh *r, unsigned i, const struct vault_store_record *old,
                      struct qc_err *err)
{
    const struct vault_store *s = r->v->store[i];
    return vault_store_derives(s) ? vault_store_derive(ret, s, r->to, old->object, old->version, err) : QC_OK;
}

/* What a run before has put into store i as its share of the new generation; NULL: nothing that is whole. */
static qc_rc kept_by(qc_key **ret, const struct refresh *r, unsigned i, const struct object *o,
                     struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record own = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = store_row_get(r->v->store[i], o->ids.object, o->ids.version, r->to, &own, &why);
    if (rc == QC_OK)
        *ret = QC_STEAL(own.share);
    if (rc == QC_OK || rc == QC_NOTFOUND || session_is_damage(rc))
        return QC_OK;
    *err = why;
    return rc;
}

/* Share 1 where store 1 keeps it. B of a run before may have been sent, and may come to be later: so it is
 * the share of that run, as long as one store has it, and is drawn else. S1 xor S2 = R xor R3. */
static qc_rc first_share(qc_key **ret, struct refresh *r, const struct object *o, const qc_key *R,
                         const qc_key *R3, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *S1 = NULL, *S2 = NULL, *both = NULL;
    QC_TRY(kept_by(&S1, r, 0, o, err));
    if (S1 == NULL) {
        QC_TRY(kept_by(&S2, r, 1, o, err));
        if (S2 != NULL) {
            QC_TRY(qc_key_xor(&both, R, R3, err));
            QC_TRY(qc_key_xor(&S1, both, S2, err));
        }
    }
    if (S1 == NULL)
        QC_TRY_AS(qc_key_new(&S1, VAULT_KEY_BYTES, &r->v->rng, err), err, "drawing a share");
    *ret = QC_STEAL(S1);
    return QC_OK;
}

/* Head, tail, shares and B of the version, opened by what there is. */
static qc_rc open_old(struct object *o, struct refresh *r, const struct vault_store_record *old,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_gw_info *info = qc_alloc(sizeof(*info));
    struct vault *v = r->v;
    if (info == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory");
    QC_TRY(object_begin(o, v, old->object, old->version, r->call, err));
    QC_TRY(v->gw->ops->info(v->gw, v->id, old->object, old->version, info, &r->call->op, err));
    o->size = info->size;
    QC_TRY(object_frame(o, err));
    QC_TRY(object_unlock(o, err));
    return object_backup(o, err);
}

/* All three ways open it by the new shares, and B says what they give: else nothing is replaced. */
static qc_rc try_all(const struct object *o, const struct refresh_one *one, const qc_key *own2,
                     struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    struct vault_paths paths = { 0 };
    QC_TRY(vault_backup_parse(&B, qc_buf_span(&one->backup), err));
    const struct vault_unlock with = {
        .ids = o->ids, .R1 = one->share[0], .R2 = own2 != NULL ? own2 : one->share[1], .B = &B, .M = o->M
    };
    QC_TRY(vault_paths_check(&paths, o->frame, &with, object_head0(o), err));
    if (!paths.plain || !paths.with1 || !paths.with2 || !paths.consistent)
        return QC_FAIL(err, QC_INTEGRITY, "its new shares do not open it: %s", vault_paths_text(&paths));
    return QC_OK;
}

static qc_rc make(struct refresh_one *one, struct refresh *r, struct object *o, const qc_key *given[2],
                  struct qc_err *err)
{
    QC_CLEANUP(vault_anew_done) struct vault_anew a = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *R = NULL, *R3 = NULL, *kept = NULL;
    struct vault_backup_parts parts = { .ids = o->ids, .n2 = vault_opened_n2(o->opened) };
    if (o->has_B)
        parts.extensions = o->B.extensions;
    QC_TRY(vault_opened_share(&R, o->opened, 0, err));
    QC_TRY(vault_opened_share(&R3, o->opened, 3, err));
    if (given[0] == NULL)
        QC_TRY(first_share(&kept, r, o, R, R3, err));
    QC_TRY(vault_shares_anew(&a, R, given[0] != NULL ? given[0] : kept, R3, err));
    QC_TRY(refresh_backup(&one->backup, r, &parts, &a, given[1], err));
    one->share[0] = QC_STEAL(a.S1);
    one->share[1] = QC_STEAL(a.S2);
    QC_TRY(try_all(o, one, given[1], err));
    return session_backup_seal(r->v, &one->backup, err);
}

qc_rc refresh_make(struct refresh_one *ret, struct refresh *r, const struct vault_store_record *old,
                   struct qc_err *err)
{
    QC_CLEANUP(object_done) struct object o = { 0 };
    QC_CLEANUP(refresh_one_done) struct refresh_one one = { .backup = { .max = QC_VAULT_BACKUP_MAX } };
    QC_CLEANUP(qc_key_free) qc_key *given1 = NULL, *given2 = NULL;
    memcpy(one.object, old->object, VAULT_ID_BYTES);
    memcpy(one.version, old->version, VAULT_ID_BYTES);
    one.state = old->state;
    one.sequence = old->sequence;
    QC_TRY(open_old(&o, r, old, err));
    QC_TRY(given_by(&given1, r, 0, old, err));
    QC_TRY(given_by(&given2, r, 1, old, err));
    QC_TRY(make(&one, r, &o, (const qc_key *[]){ given1, given2 }, err));
    *ret = QC_STEAL(one);
    return QC_OK;
}
