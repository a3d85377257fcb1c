/* Other shares of the same secrets (seal.md 4.3; FORMAT 4, 7.2; docs/adr/0057): what was copied of a store,
 * or printed of a seed, before it opens nothing with what the gateway gives afterwards.
 *
 *   stores   1 --both have--> 1 (2) ---------------> 1 (2) --both use--> 2 (1) -- each version --> 2 (1) -->
 * 2 gateway  B of VS is 1                B of VS is 2                             B of it is 2
 *
 * In use first, beside it in parentheses. Each arrow is durable before the next begins.
 * F1 (I1): at each instant both stores have one generation in common, and each of them that which the
 * gateway's B is of; readers take these (session_secret, object_shares). So old shares go after the gateway
 * has new B, and new B comes after both stores have new shares. F2: new puts use the new generation from
 * before the first version is refreshed, so the last pass leaves none behind; a store that was opened before
 * tells its program (store_reload). F3: what a seed of before gives is kept in records that still need it, or
 * the seed stays. */
#include "refresh.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/fault.h"
#include "base/file.h"
#include "journal.h"
#include "store.h"

static void refresh_free(struct refresh **r)
{
    for (size_t i = 0; *r != NULL && i < (*r)->n; i++)
        refresh_one_done(&(*r)->batch[i]);
    qc_free(*r);
    *r = NULL;
}

/* -- the vault secret, and the generation ---------------------------------------------------------------- */

/* Is the new generation whole in both stores? */
static bool is_begun(const struct refresh *r)
{
    return vault_store_secret_at(r->v->store[0], r->to) != NULL &&
           vault_store_secret_at(r->v->store[1], r->to) != NULL;
}

/* What store 1 gets: what a run before gave it or store 2, if one of them has it still; drawn else. */
static qc_rc first_secret(qc_key **ret, struct refresh *r, const qc_key *VS, struct qc_err *err)
{
    struct vault *v = r->v;
    QC_CLEANUP(qc_key_free) qc_key *both = NULL;
    const struct store_gen *has1 = store_gen_of(v->store[0], r->to), *has2 = store_gen_of(v->store[1], r->to);
    if (has1 != NULL)
        return qc_key_dup(ret, has1->seed != NULL ? has1->seed : has1->VS_i, err);
    if (has2 != NULL && has2->seed == NULL && !vault_store_derives(v->store[0])) {
        QC_TRY(qc_key_xor(&both, VS, v->record.VS3, err));
        return qc_key_xor(ret, both, has2->VS_i, err);
    }
    QC_TRY_AS(qc_key_new(ret, VAULT_KEY_BYTES, &v->rng, err), err, "drawing a share");
    return QC_OK;
}

struct halves {
    qc_key *of[2]; /* NULL: the vault has no recovery key */
};

static void halves_done(struct halves *h)
{
    qc_key_free(&h->of[0]);
    qc_key_free(&h->of[1]);
}

/* The recovery key stays, so that what is on paper does; what the stores have of it is drawn anew: one of
 * before and one of now give nothing. What a run before gave store 1 stays, as it does with the shares. */
static qc_rc draw_halves(struct halves *ret, struct refresh *r, struct qc_err *err)
{
    const qc_key *has = vault_store_recovery_at(r->v->store[0], r->to);
    QC_CLEANUP(qc_key_free) qc_key *one = NULL;
    if (!r->v->recovers)
        return QC_OK;
    if (has != NULL)
        QC_TRY(qc_key_dup(&one, has, err));
    else
        QC_TRY_AS(qc_key_new(&one, VAULT_KEY_BYTES, &r->v->rng, err), err, "drawing a share");
    QC_TRY(qc_key_xor(&ret->of[1], r->v->W, one, err));
    ret->of[0] = QC_STEAL(one);
    return QC_OK;
}

/* Into store 2, then store 1: seeds, or shares of VS. Nothing depends on them before both have them. */
static qc_rc begin(struct refresh *r, const qc_key *VS, struct qc_err *err)
{
    struct vault *v = r->v;
    const struct vault_ids ids = vault_ids_of_vault(v->id);
    QC_CLEANUP(vault_anew_done) struct vault_anew a = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_CLEANUP(qc_key_free) qc_key *one = NULL, *VS1 = NULL, *seed2 = NULL;
    QC_CLEANUP(halves_done) struct halves h = { 0 };
    const bool derives[] = { vault_store_derives(v->store[0]), vault_store_derives(v->store[1]) };
    QC_TRY(first_secret(&one, r, VS, err));
    QC_TRY(draw_halves(&h, r, err));
    if (derives[0]) {
        QC_TRY(vault_prk_new(&prk, one, err));
        QC_TRY(vault_seed_share(&VS1, prk, 1, &ids, r->to, err));
    } else
        QC_TRY(qc_key_dup(&VS1, one, err));
    QC_TRY(vault_shares_anew(&a, VS, VS1, v->record.VS3, err));
    if (derives[1])
        QC_TRY_AS(qc_key_new(&seed2, VAULT_KEY_BYTES, &v->rng, err), err, "drawing a seed");
    QC_TRY(vault_store_other_put(v->store[1], r->to, seed2, a.S2, h.of[1], &v->rng, err));
    QC_TRY(qc_fault(refresh_first, err));
    QC_TRY(vault_store_other_put(v->store[0], r->to, derives[0] ? one : NULL, VS1, h.of[0], &v->rng, err));
    return qc_fault(refresh_begun, err);
}

/* The vault's B of the new generation, from what both stores have of it. QC_INTEGRITY: they do not fit. */
static qc_rc vault_backup(struct refresh *r, const qc_key *VS, qc_buf *ret, struct qc_err *err)
{
    struct vault *v = r->v;
    QC_CLEANUP(vault_anew_done) struct vault_anew a = { 0 };
    struct vault_backup_parts parts = { .ids = vault_ids_of_vault(v->id) };
    const qc_key *own2 = vault_store_secret_at(v->store[1], r->to);
    QC_TRY(vault_shares_anew(&a, VS, vault_store_secret_at(v->store[0], r->to), v->record.VS3, err));
    if (!vault_store_derives(v->store[1]) && !qc_key_same(own2, a.S2))
        return QC_FAIL(err, QC_INTEGRITY, "the new shares of the two stores do not fit together");
    return refresh_backup(ret, r, &parts, &a, vault_store_derives(v->store[1]) ? own2 : NULL, err);
}

/* At the gateway, then in v: the session goes on with it. */
static qc_rc replace_vault(struct refresh *r, qc_span backup, struct qc_err *err)
{
    struct vault *v = r->v;
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_BACKUP_MAX };
    struct vault_gw_backup b = { 0 };
    QC_TRY(qc_buf_add(&sealed, backup, err));
    QC_TRY(session_backup_seal(v, &sealed, err));
    QC_TRY_AS(kept_keep(v, (qc_buf *const[]){ &sealed }, 1, &r->call->op, err), err, "vault");
    b.backup = qc_buf_span(&sealed);
    memcpy(b.object, v->id, VAULT_ID_BYTES);
    QC_TRY_AS(v->gw->ops->backups_put(v->gw, v->id, &b, 1, &r->call->op, err), err, "vault");
    qc_buf_clear(&v->backup);
    QC_TRY(qc_buf_add(&v->backup, backup, err));
    v->fetched = true;
    return qc_fault(refresh_vault, err);
}

static qc_rc use(struct refresh *r, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        if (vault_store_other(r->v->store[i]) == r->to)
            QC_TRY(vault_store_other_use(r->v->store[i], &r->v->rng, err));
        if (i == 0)
            QC_TRY(qc_fault(refresh_used1, err));
    }
    return qc_fault(refresh_used, err);
}

/* Where it stands. r->to: where it shall come to. A refresh that was broken off after the vault's B was
 * replaced
 * (*ret_B is r->to) leaves stores that do not use its generation yet, or have an older one beside it. */
static qc_rc look(struct refresh *r, uint32_t *ret_B, struct qc_err *err)
{
    uint32_t B = 0;
    bool behind = false;
    QC_TRY_AS(vault_backup_generation(&B, qc_buf_span(&r->v->backup), err), err, "vault");
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t other = vault_store_other(r->v->store[i]);
        behind = behind || (other != 0 && other <= B) || vault_store_generation(r->v->store[i]) != B;
    }
    *ret_B = B;
    if (!behind && B >= UINT16_MAX) /* a kit has no more: FORMAT 15 */
        return QC_FAIL(err, QC_LIMIT, "the shares were refreshed as often as they can be");
    r->to = behind ? B : B + 1;
    r->result.went_on = behind || is_begun(r);
    return QC_OK;
}

/* The vault's B is at the gateway, and the keeper has it not, or an older one: a run before was with another
 * keeper. Stores that came back from before it have no secret of its generation, and say so later. */
static qc_rc keeper_lacks(bool *ret, const struct refresh *r, struct qc_err *err)
{
    struct qc_err why = { 0 };
    *ret = false;
    if (!is_begun(r))
        return QC_OK;
    const qc_rc rc = kept_has(r->v, r->to, &r->call->op, &why);
    *ret = rc == QC_NOTCONF || rc == QC_INTEGRITY || rc == QC_FORMAT;
    if (rc == QC_OK || *ret)
        return QC_OK;
    *err = why;
    return rc;
}

static qc_rc secret(struct refresh *r, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *VS = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf backup = { .max = QC_VAULT_BACKUP_MAX };
    uint32_t now = 0;
    bool lacks = false;
    QC_TRY(look(r, &now, err));
    if (now >= r->to)
        QC_TRY(keeper_lacks(&lacks, r, err));
    if (lacks) {
        QC_TRY(session_secret(&VS, r->v, r->call->notes, err));
        QC_TRY(vault_backup(r, VS, &backup, err));
        QC_TRY(replace_vault(r, qc_buf_span(&backup), err));
    } else if (now < r->to) {
        struct qc_err why = { 0 };
        QC_TRY(session_secret(&VS, r->v, r->call->notes, err));
        if (!is_begun(r) || vault_backup(r, VS, &backup, &why) != QC_OK) {
            QC_TRY(begin(r, VS, err));
            qc_buf_clear(&backup);
            QC_TRY(vault_backup(r, VS, &backup, err));
        }
        QC_TRY(replace_vault(r, qc_buf_span(&backup), err));
    }
    return use(r, err);
}

/* -- versions -------------------------------------------------------------------------------------------- */

static void take_out(struct refresh *r, size_t k)
{
    struct refresh_one *one = &r->batch[k];
    refresh_one_done(one);
    memmove(one, one + 1, (--r->n - k) * sizeof(*one));
    r->batch[r->n] = (struct refresh_one){ 0 };
}

static qc_rc add_shares(struct refresh *r, unsigned i, struct qc_err *err)
{
    struct vault_store_record v[QC_VAULT_REFRESH_BATCH];
    for (size_t k = 0; k < r->n; k++) {
        const struct refresh_one *one = &r->batch[k];
        v[k] = (struct vault_store_record){
            .generation = r->to, .state = one->state, .sequence = one->sequence, .share = one->share[i]
        };
        memcpy(v[k].object, one->object, VAULT_ID_BYTES);
        memcpy(v[k].version, one->version, VAULT_ID_BYTES);
    }
    QC_TRY(store_add_anew(r->v->store[i], v, r->n, &r->v->rng, err));
    for (size_t k = r->n; k-- > 0;) {
        r->batch[k].state = v[k].state;
        r->batch[k].sequence = v[k].sequence;
        if (v[k].gone) /* it was purged since it was looked at */
            take_out(r, k);
    }
    return QC_OK;
}

static qc_rc ask_gateway(struct refresh *r, size_t from, const qc_buf *B, size_t n, struct qc_err *err)
{
    struct vault_gw_backup v[QC_VAULT_REFRESH_BATCH];
    struct vault_gw *gw = r->v->gw;
    for (size_t k = 0; k < n; k++) {
        memcpy(v[k].object, r->batch[from + k].object, VAULT_ID_BYTES);
        memcpy(v[k].version, r->batch[from + k].version, VAULT_ID_BYTES);
        v[k].backup = qc_buf_span(&B[k]);
    }
    return gw->ops->backups_put(gw, r->v->id, v, n, &r->call->op, err);
}

/* With the keeper first, where there is one; the batch keeps its B's, which are looked for later. */
static qc_rc put_some(struct refresh *r, size_t from, size_t n, struct qc_err *err)
{
    qc_buf B[QC_VAULT_REFRESH_BATCH], *each[QC_VAULT_REFRESH_BATCH] = { NULL };
    qc_rc rc = QC_OK;
    for (size_t k = 0; k < n; k++) {
        B[k] = (qc_buf){ .max = QC_VAULT_BACKUP_MAX };
        each[k] = &B[k];
    }
    for (size_t k = 0; k < n && rc == QC_OK; k++)
        rc = qc_buf_add(&B[k], qc_buf_span(&r->batch[from + k].backup), err);
    if (rc == QC_OK)
        rc = kept_keep(r->v, each, n, &r->call->op, err);
    if (rc == QC_OK)
        rc = ask_gateway(r, from, B, n, err);
    for (size_t k = 0; k < n; k++)
        qc_buf_free(&B[k]);
    return rc;
}

static void failed(struct refresh *r, const uint8_t *object_id, const uint8_t *version_id,
                   const struct qc_err *why)
{
    char object[33], version[33];
    qc_hex(qc_span_of(object_id, 16), object);
    qc_hex(qc_span_of(version_id, 16), version);
    r->result.left++;
    vault_note(r->call->notes, VAULT_NOTE_SKIPPED, 0, why->rc, "object %.8s version %.8s: %.180s", object,
               version, why->msg);
}

/* Was it purged, or given up, since it was looked at? It had records in both stores. */
static qc_rc is_over(bool *ret, const struct refresh *r, const struct refresh_one *one, struct qc_err *err)
{
    *ret = true;
    for (unsigned i = 0; i < 2 && *ret; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record now = { 0 };
        struct qc_err why = { 0 };
        const qc_rc rc = store_row_get(r->v->store[i], one->object, one->version, 0, &now, &why);
        if (rc != QC_OK && rc != QC_NOTFOUND && !session_is_damage(rc)) {
            *err = why;
            return rc;
        }
        *ret = rc == QC_NOTFOUND || (rc == QC_OK && (now.gone || now.state == VAULT_RECORD_RETIRED));
    }
    return QC_OK;
}

/* The gateway has no such version (any more): it is not of the batch. The keeper got its B before the gateway
 * said so, and maybe after what had purged it took its B from there. */
static qc_rc lost(struct refresh *r, size_t k, const struct qc_err *why, struct qc_err *err)
{
    const struct refresh_one *one = &r->batch[k];
    const struct vault_gw_version version = session_version(one->object, one->version);
    bool over = false;
    QC_TRY(is_over(&over, r, one, err));
    if (over)
        QC_TRY(kept_forget(r->v, &version, 1, &r->call->op, err));
    else if (one->state == VAULT_RECORD_COMMITTED)
        failed(r, one->object, one->version, why);
    r->result.pending += !over && one->state == VAULT_RECORD_PENDING;
    take_out(r, k);
    return QC_OK;
}

/* All at once; where the gateway has not all of them, one by one. */
static qc_rc put_backups(struct refresh *r, struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_rc rc = put_some(r, 0, r->n, &why);
    for (size_t k = 0; k < r->n && rc == QC_NOTFOUND;) {
        qc_err_clear(&why);
        const qc_rc own = put_some(r, k, 1, &why);
        if (own == QC_NOTFOUND)
            QC_TRY(lost(r, k, &why, err));
        else if (own == QC_OK)
            k++;
        else
            rc = own;
    }
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = why;
    return rc;
}

/* The gateway gives the new B: else the old shares stay. */
static qc_rc read_back(struct refresh *r, struct qc_err *err)
{
    struct vault_gw *gw = r->v->gw;
    for (size_t k = 0; k < r->n;) {
        QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
        const struct refresh_one *one = &r->batch[k];
        const struct vault_gw_version version = session_version(one->object, one->version);
        struct qc_err why = { 0 };
        qc_rc rc = gw->ops->backup_get(gw, r->v->id, one->object, one->version, &B, &r->call->op, &why);
        if (rc == QC_OK)
            rc = kept_fetch(r->v, &version, &B, &r->call->op, &why);
        if (rc == QC_NOTFOUND) {
            QC_TRY(lost(r, k, &why, err));
            continue;
        }
        if (rc != QC_OK) {
            *err = why;
            return rc;
        }
        if (!qc_span_eq(qc_buf_span(&B), qc_buf_span(&one->backup)))
            return QC_FAIL(err, QC_INTEGRITY,
                           "the gateway says that it has the new backup data, and gives other");
        k++;
    }
    return QC_OK;
}

static qc_rc drop_shares(struct refresh *r, unsigned i, struct qc_err *err)
{
    struct store_version v[QC_VAULT_REFRESH_BATCH];
    for (size_t k = 0; k < r->n; k++)
        v[k] = (struct store_version){ r->batch[k].object, r->batch[k].version };
    return store_drop_old(r->v->store[i], v, r->n, r->to, err);
}

/* F1: the order. */
static qc_rc flush(struct refresh *r, struct qc_err *err)
{
    if (r->n == 0)
        return QC_OK;
    QC_TRY(add_shares(r, 0, err));
    QC_TRY(qc_fault(refresh_share1, err));
    QC_TRY(add_shares(r, 1, err));
    QC_TRY(qc_fault(refresh_share2, err));
    QC_TRY(put_backups(r, err));
    QC_TRY(qc_fault(refresh_backups, err));
    QC_TRY(read_back(r, err));
    QC_TRY(drop_shares(r, 0, err));
    QC_TRY(qc_fault(refresh_dropped1, err));
    QC_TRY(drop_shares(r, 1, err));
    QC_TRY(qc_fault(refresh_dropped, err));
    r->result.versions += r->n;
    for (; r->n > 0; r->n--)
        refresh_one_done(&r->batch[r->n - 1]);
    return QC_OK;
}

static bool ends_the_run(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_NOMEM || rc == QC_TEMP || rc == QC_RANDOM;
}

/* A run before may have left records of both generations: the batch has the version by one of them. */
static bool in_batch(const struct refresh *r, const struct vault_store_record *old)
{
    for (size_t k = 0; k < r->n; k++)
        if (memcmp(r->batch[k].object, old->object, VAULT_ID_BYTES) == 0 &&
            memcmp(r->batch[k].version, old->version, VAULT_ID_BYTES) == 0)
            return true;
    return false;
}

static qc_rc one(struct refresh *r, const struct vault_store_record *old, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (in_batch(r, old))
        return QC_OK;
    QC_TRY(qc_go_on(r->call->op.deadline, r->call->op.cancel, "kit refresh", err));
    const qc_rc rc = refresh_make(&r->batch[r->n], r, old, &why);
    if (rc == QC_NOTFOUND && old->state != VAULT_RECORD_COMMITTED) {
        r->result.pending += old->state == VAULT_RECORD_PENDING; /* else it was about to go, and has gone */
        return QC_OK;
    }
    if (ends_the_run(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        failed(r, old->object, old->version, &why);
        return QC_OK;
    }
    return ++r->n == QC_VAULT_REFRESH_BATCH ? flush(r, err) : QC_OK;
}

/* Did the pass over store 1 see it? */
static qc_rc was_seen(bool *ret, struct refresh *r, const struct vault_store_record *old, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record first = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc =
        vault_store_get_at(r->v->store[0], old->object, old->version, old->generation, &first, &why);
    *ret = session_is_damage(rc) || (rc == QC_OK && first.state != 0);
    if (rc == QC_OK || rc == QC_NOTFOUND || session_is_damage(rc))
        return QC_OK;
    *err = why;
    return rc;
}

/* Of the new generation, and B is, too? A run before may have made it, and something may have taken the older
 * record that would say that it is not done. */
static qc_rc is_done(bool *ret, struct refresh *r, const struct vault_store_record *one, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    const struct vault_gw_version version = session_version(one->object, one->version);
    struct qc_err why = { 0 };
    *ret = one->gone || one->generation > r->to;
    if (*ret || one->generation < r->to)
        return QC_OK;
    *ret = !r->result.went_on || one->state == VAULT_RECORD_PENDING;
    if (*ret)
        return QC_OK;
    qc_rc rc = session_backup_get(r->v, r->v->gw, &version, &bytes, &r->call->op, &why);
    if (rc == QC_OK)
        rc = vault_backup_parse(&B, qc_buf_span(&bytes), &why);
    *ret = rc != QC_OK ? rc != QC_FORMAT && rc != QC_INTEGRITY : B.generation >= r->to;
    if (rc == QC_OK || rc == QC_NOTFOUND || rc == QC_FORMAT || rc == QC_INTEGRITY || rc == QC_NEWER)
        return QC_OK;
    *err = why;
    return rc;
}

static qc_rc page_of(struct refresh *r, unsigned i, struct vault_store_cursor *cursor, size_t *ret_got,
                     struct qc_err *err)
{
    struct vault_store_record page[16];
    qc_rc rc = QC_OK;
    QC_TRY(vault_store_next(r->v->store[i], cursor, page, 16, ret_got, err));
    for (size_t k = 0; k < *ret_got; k++) {
        bool seen = true;
        if (rc == QC_OK)
            rc = is_done(&seen, r, &page[k], err);
        if (rc == QC_OK && !seen && i > 0)
            rc = was_seen(&seen, r, &page[k], err);
        if (rc == QC_OK && !seen)
            rc = one(r, &page[k], err);
        vault_store_record_done(&page[k]);
    }
    return rc;
}

/* All records of a store that are of an earlier generation; of store 2 those that store 1 has not. */
static qc_rc all_records(struct refresh *r, unsigned i, struct qc_err *err)
{
    struct vault_store_cursor cursor = { 0 };
    struct vault_store_health health = { 0 };
    uint64_t done = 0;
    size_t got = 0;
    QC_TRY(vault_store_count(r->v->store[i], &health, err));
    do {
        QC_TRY(page_of(r, i, &cursor, &got, err));
        done += got;
        session_progress(r->call, &(struct vault_progress){ .done = done, .total = health.records });
    } while (got > 0);
    return flush(r, err);
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static qc_rc end(struct refresh *r, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(vault_store_other_end(r->v->store[i], &r->v->rng, err));
        if (i == 0)
            QC_TRY(qc_fault(refresh_ended1, err));
    }
    return qc_fault(refresh_ended, err);
}

static qc_rc run(struct refresh *r, struct qc_err *err)
{
    QC_TRY(vault_keeper_apart(r->v, &r->call->op, err));
    QC_TRY(kept_change(r->v, &r->call->op, err));
    QC_TRY(journal_settle(r->v, NULL, r->call, err));
    QC_TRY(vault_tickets_cancel(r->v, r->call, &r->result.tickets, err));
    QC_TRY(secret(r, err));
    r->result.generation = r->to;
    QC_TRY(all_records(r, 0, err));
    QC_TRY(all_records(r, 1, err));
    r->result.done = r->result.left == 0;
    if (!r->result.done)
        return QC_OK;
    QC_TRY(end(r, err));
    return r->result.pending == 0 ? kept_changed(r->v, err)
                                  : QC_OK; /* else its B may be with the one before */
}

struct locks {
    struct qc_fd state, store[2];
};

static void locks_done(struct locks *l)
{
    qc_fd_close(&l->state);
    for (unsigned i = 0; i < 2; i++)
        qc_fd_close(&l->store[i]);
}

static qc_rc lock(struct qc_fd *ret, const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_TRY(qc_dir_open(&dir, path, err));
    QC_TRY_AS(qc_lock_file(ret, qc_fd_get(&dir), "refresh.lock", err), err, "kit refresh: %s", path);
    return QC_OK;
}

/* One at a time here, and one of these stores, which another machine may have, too: two runs would exchange
 * each other's shares. */
static qc_rc lock_all(struct locks *ret, const struct vault *v, struct qc_err *err)
{
    QC_TRY(qc_dir_make_path(v->state, 0700, err));
    QC_TRY(lock(&ret->state, v->state, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(lock(&ret->store[i], vault_store_dir(v->store[i]), err));
    return QC_OK;
}

/* Of two stores that are both filled in part nobody knows what they lack, and the one that has it would be
 * worth nothing after this. A refresh that is under way goes on: that one is worth nothing already. */
static qc_rc need_whole(const struct vault *v, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        if (!vault_store_is_filling(v->store[i]) || vault_store_other(v->store[i]) != 0)
            return QC_OK;
    return QC_FAIL(err, QC_SHARES,
                   "both share stores are rebuilt in part: one that has more, wherever it is, would open "
                   "nothing with the new shares");
}

qc_rc vault_refresh(struct vault *v, const struct vault_call *call, struct vault_refresh_result *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(refresh_free) struct refresh *r = NULL;
    QC_CLEANUP(locks_done) struct locks locks = { 0 };
    QC_TRY(session_need_both(v, err));
    if (v->state == NULL)
        return QC_FAIL(err, QC_NOTCONF, "no directory for the journal of puts");
    QC_TRY(lock_all(&locks, v, err));
    QC_TRY(need_whole(v, err));
    r = qc_alloc(sizeof(*r));
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to refresh shares");
    r->v = v;
    r->call = call;
    QC_TRY(run(r, err));
    *ret = r->result;
    return QC_OK;
}
