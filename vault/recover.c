/* Rewriting a lost share store: seal.md 3.4, 4.4; FORMAT 4, 7. No data is moved: heads, tails and B are read.
 */
#include "object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/fault.h"

struct recover {
    struct vault *v;
    const struct vault_call *call;
    unsigned lost;       /* index 1, 2 */
    uint32_t generation; /* of the vault's shares */
    const struct vault_recovering *how;
    const struct vault_kit *kit; /* has the lost seed; NULL: it is not to be had */
    uint64_t named;              /* records that were written before the others */
    bool waits;                  /* something failed that may go another time */
    uint64_t counted;            /* records that failed, of which some may be of what is listed */
    struct vault_store *old, *fresh;
    struct vault_recover_result result;
    struct vault_store_record batch[QC_VAULT_RECOVER_BATCH];
    size_t pending; /* in batch */
};

static void recover_done(struct recover *r)
{
    for (size_t i = 0; i < r->pending; i++)
        vault_store_record_done(&r->batch[i]);
    vault_store_close(&r->fresh);
}

/* The lost share of VS, from the store that is left and the vault's backup data. */
static qc_rc lost_secret(qc_key **ret, struct recover *r, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *left = NULL;
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&r->v->backup), err), err, "vault");
    r->generation = B.generation;
    QC_TRY(session_own_secret(&left, r->v, 2 - r->lost, &B, err));
    return vault_record_share(ret, (uint8_t)r->lost, &r->v->record, r->lost == 2 ? left : NULL,
                              r->lost == 1 ? left : NULL, &B, err);
}

static qc_rc old_descriptor(struct recover *r, struct vault_descriptor *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(vault_store_descriptor_get(r->old, &text, err));
    return vault_descriptor_parse(ret, qc_buf_span(&text), err);
}

/* Has the store that is filled up this share of VS? A seed's is corrected by the vault's B. */
static qc_rc is_same(bool *ret, const struct recover *r, const qc_key *VS_i, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *has = NULL;
    const qc_key *own = vault_store_secret_at(r->fresh, r->generation);
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&r->v->backup), err), err, "vault");
    *ret = false;
    if (own == NULL)
        return QC_OK;
    QC_TRY(vault_store_derives(r->fresh) ? vault_backup_correct(&has, &B, r->lost, own, err)
                                         : qc_key_dup(&has, own, err));
    *ret = qc_key_same(has, VS_i);
    return QC_OK;
}

/* A new store, or the one of a recovery that was broken off: that one is the vault's, has this index, and its
 * secret fits. */
static qc_rc open_fresh(struct recover *r, const char *dir, const qc_key *VS_i, struct qc_err *err)
{
    struct vault_lock lock = vault_store_lock(r->old);
    struct vault_passes known = { 0 };
    struct vault_store_expect expect = { .index = r->lost, .vault = r->v->id, .passes = &known };
    struct qc_err why = { 0 };
    if (lock.pass != NULL)
        known.known[known.n++] = lock.pass; /* borrowed */
    qc_rc rc = vault_store_open(&r->fresh, dir, VAULT_STORE_WRITE, &expect, &why);
    if (rc == QC_SHARES || (rc == QC_NOPASS && vault_store_is_half(dir))) {
        struct vault_store_params params = {
            .index = r->lost, .generation = r->generation, .VS_i = VS_i, .lock = lock, .filling = true
        };
        if (r->kit != NULL) {
            params.seed = r->kit->seed[r->lost - 1];
            params.generation = r->kit->generation;
            if (params.generation != r->generation)
                params.VS_i = NULL; /* of another generation than the kit's seed */
        }
        memcpy(params.vault, r->v->id, VAULT_ID_BYTES);
        memcpy(params.commitment, vault_store_commitment(r->old), 32);
        QC_CLEANUP(qc_key_free) qc_key *half = NULL;
        if (r->v->recovers)
            QC_TRY(qc_key_xor(&half, r->v->W, vault_store_recovery_at(r->old, r->generation), err));
        params.W_i = half;
        params.kept = vault_store_kept(r->old);
        memcpy(params.W_commitment, vault_store_recovery_commitment(r->old), 32);
        QC_TRY(vault_store_create(&r->fresh, dir, &params, &r->v->rng, err));
        return vault_store_made(dir, err);
    }
    bool same = true;
    if (rc == QC_OK)
        QC_TRY(is_same(&same, r, VS_i, err));
    if (rc == QC_OK && !same)
        return QC_FAIL(err, QC_CONFLICT, "'%s' holds another store %u of this vault", dir, r->lost);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_CONFLICT, "'%s' holds something else: %s", dir, why.msg);
    if (rc == QC_NOPASS)
        return QC_FAIL(err, QC_CONFLICT, "'%s' holds a share store under another passphrase", dir);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* The remade share of one version, checked against M (I2). */
static qc_rc remake(struct recover *r, const struct vault_store_record *left, qc_key **ret,
                    uint32_t *ret_generation, struct qc_err *err)
{
    QC_CLEANUP(object_done) struct object o = { 0 };
    struct vault_gw_info *info = qc_alloc(sizeof(*info));
    QC_CLEANUP(qc_free_ptr) struct vault_gw_info *owned = info;
    struct vault *v = r->v;
    if (info == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory");
    QC_TRY(object_begin(&o, v, left->object, left->version, r->call, err));
    QC_TRY(v->gw->ops->info(v->gw, v->id, left->object, left->version, info, &r->call->op, err));
    o.size = info->size;
    QC_TRY(object_frame(&o, err));
    QC_TRY(qc_key_dup(&o.share[2 - r->lost], left->share, err));
    o.generation[2 - r->lost] = left->generation;
    o.given[2 - r->lost] = left->given;
    QC_TRY(object_backup(&o, err));
    *ret_generation = o.has_B ? o.B.generation : left->generation;
    if (!o.has_B)
        return QC_FAIL(err, QC_SHARES, "no backup data: %s", o.B_why.msg);
    struct vault_unlock with = object_ways(&o, r->lost == 2, r->lost == 1, true);
    QC_TRY(vault_open(&o.opened, o.frame, &with, object_head0(&o), err));
    QC_TRY(vault_opened_share(ret, o.opened, (uint8_t)r->lost, err));
    r->result.bytes += o.fetched + o.backup.n;
    return QC_OK;
}

static qc_rc flush(struct recover *r, struct qc_err *err)
{
    if (r->pending == 0)
        return QC_OK;
    QC_TRY(vault_store_add(r->fresh, r->batch, r->pending, &r->v->rng, err));
    QC_TRY(qc_fault(client_recovered, err));
    r->result.written += r->pending;
    for (size_t i = 0; i < r->pending; i++)
        vault_store_record_done(&r->batch[i]);
    r->pending = 0;
    return QC_OK;
}

/* A whole record that knows at least as much: where a put was broken off between the stores, the one that is
 * filled up may be ahead, and must not forget a commit. */
static bool is_there(struct recover *r, const struct vault_store_record *left)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record have = { 0 };
    struct qc_err why = { 0 };
    return vault_store_get(r->fresh, left->object, left->version, &have, &why) == QC_OK &&
           have.generation == left->generation && have.state >= left->state &&
           have.sequence >= left->sequence;
}

static void failed(struct recover *r, const struct vault_store_record *left, const struct qc_err *why)
{
    char object[33], version[33];
    qc_hex(qc_span_of(left->object, 16), object);
    qc_hex(qc_span_of(left->version, 16), version);
    r->result.failed++;
    r->waits = r->waits || (why->rc != QC_INTEGRITY && why->rc != QC_FORMAT && why->rc != QC_NOTFOUND);
    vault_note(r->call->notes, VAULT_NOTE_SKIPPED, r->lost, why->rc, "object %.8s version %.8s: %.180s",
               object, version, why->msg);
}

static bool ends_the_run(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_NOMEM || rc == QC_TEMP;
}

/* A version that is deleted has no share in the new store either, and counts as known. */
static qc_rc take_gone(struct recover *r, const struct vault_store_record *left, struct qc_err *err)
{
    struct vault_store_doomed d = { .sequence = left->sequence };
    memcpy(d.object, left->object, VAULT_ID_BYTES);
    memcpy(d.version, left->version, VAULT_ID_BYTES);
    QC_TRY(vault_store_destroy(r->fresh, &d, 1, &r->v->rng, err));
    r->result.present++;
    return QC_OK;
}

static qc_rc one(struct recover *r, const struct vault_store_record *left, struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_key *share = NULL;
    QC_TRY(qc_go_on(r->call->op.deadline, r->call->op.cancel, "recover", err));
    if (is_there(r, left)) {
        r->result.present++;
        return QC_OK;
    }
    if (left->gone)
        return take_gone(r, left, err);
    if (left->share == NULL) {
        qc_err_set(&why, QC_INTEGRITY, QC_HERE, "its record in share store %u is damaged", 3 - r->lost);
        failed(r, left, &why);
        return QC_OK;
    }
    uint32_t generation = left->generation;
    qc_rc rc = remake(r, left, &share, &generation, &why);
    if (rc == QC_NOTFOUND && left->state != VAULT_RECORD_COMMITTED)
        return QC_OK; /* of a put that never was, or of a version that was about to go: nothing to recover */
    if (ends_the_run(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        failed(r, left, &why);
        return QC_OK;
    }
    struct vault_store_record *fresh = &r->batch[r->pending++];
    *fresh = *left;
    fresh->share = share;
    fresh->generation = generation;
    return r->pending == QC_VAULT_RECOVER_BATCH ? flush(r, err) : QC_OK;
}

static qc_rc all_records(struct recover *r, struct qc_err *err)
{
    struct vault_store_cursor cursor = { 0 };
    struct vault_store_health health = { 0 };
    size_t got = 0;
    QC_TRY(vault_store_count(r->old, &health, err));
    do {
        struct vault_store_record page[16];
        QC_TRY(vault_store_next(r->old, &cursor, page, 16, &got, err));
        qc_rc rc = QC_OK;
        for (size_t i = 0; i < got; i++) {
            if (rc == QC_OK)
                rc = one(r, &page[i], err);
            vault_store_record_done(&page[i]);
            r->result.records++;
        }
        QC_TRY(rc);
        session_progress(r->call,
                         &(struct vault_progress){ .done = r->result.records, .total = health.records });
    } while (got > 0);
    if (r->result.records < health.records) { /* their keys are damaged: nobody knows whose they are */
        r->result.failed += health.records - r->result.records;
        vault_note(r->call->notes, VAULT_NOTE_SKIPPED, r->lost, QC_INTEGRITY,
                   "%" PRIu64 " records of share store %u are damaged beyond recognition",
                   health.records - r->result.records, 3 - r->lost);
    }
    return flush(r, err);
}

/* -- what comes first ------------------------------------------------------------------------------------ */

/* All versions of one object. */
static qc_rc one_object(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct recover *r = ctx;
    struct vault_store_cursor cursor = { .started = true };
    struct vault_store_record page[8];
    size_t got = 0;
    bool its = true;
    memcpy(cursor.object, s->object, VAULT_ID_BYTES);
    do {
        QC_TRY(vault_store_next(r->old, &cursor, page, sizeof page / sizeof page[0], &got, err));
        qc_rc rc = QC_OK;
        for (size_t i = 0; i < got; i++) {
            its = its && memcmp(page[i].object, s->object, VAULT_ID_BYTES) == 0;
            if (rc == QC_OK && its)
                rc = one(r, &page[i], err);
            r->result.records += its;
            vault_store_record_done(&page[i]);
        }
        QC_TRY(rc);
    } while (got > 0 && its);
    return QC_OK;
}

static qc_rc count(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    (void)s;
    (void)err;
    ++*(uint64_t *)ctx;
    return QC_OK;
}

/* Before anything is written. */
static qc_rc check_names(const struct recover *r, struct qc_err *err)
{
    for (int i = 0; i < r->how->count; i++) {
        uint64_t n = 0;
        QC_TRY(vault_list(r->v, qc_span_str(r->how->names[i]), count, &n, r->call, err));
        if (n == 0)
            return QC_FAIL(err, QC_NOTFOUND, "no object of that name and none below it: %.400s",
                           r->how->names[i]);
    }
    return QC_OK;
}

static qc_rc named(struct recover *r, struct qc_err *err)
{
    for (int i = 0; i < r->how->count; i++)
        QC_TRY(vault_list(r->v, qc_span_str(r->how->names[i]), one_object, r, r->call, err));
    QC_TRY(flush(r, err));
    r->named = r->result.written;
    return QC_OK;
}

/* What else there is, and the new store has not. */
static qc_rc count_left(struct recover *r, struct qc_err *err)
{
    struct vault_store_cursor cursor = { 0 };
    struct vault_store_record page[16];
    size_t got = 0;
    do {
        QC_TRY(qc_go_on(r->call->op.deadline, r->call->op.cancel, "recover", err));
        QC_TRY(vault_store_next(r->old, &cursor, page, sizeof page / sizeof page[0], &got, err));
        for (size_t i = 0; i < got; i++) {
            r->result.left +=
                !page[i].gone && page[i].state != VAULT_RECORD_PENDING && !is_there(r, &page[i]);
            vault_store_record_done(&page[i]);
        }
    } while (got > 0);
    return QC_OK;
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static qc_rc all_marks(struct recover *r, struct qc_err *err)
{
    struct vault_store_mark page[QC_VAULT_RECOVER_BATCH];
    struct vault_store_marks_cursor cursor = { 0 };
    size_t got = 0;
    while (!cursor.end) {
        QC_TRY(vault_store_marks_next(r->old, &cursor, page, QC_VAULT_RECOVER_BATCH, &got, err));
        if (got > 0)
            QC_TRY(vault_store_marks_raise(r->fresh, page, got, err));
    }
    return QC_OK;
}

static qc_rc all_notes(struct recover *r, struct qc_err *err)
{
    uint64_t damaged = 0;
    QC_TRY(vault_store_notes_copy(r->fresh, r->old, &damaged, err));
    if (damaged > 0)
        vault_note(r->call->notes, VAULT_NOTE_SKIPPED, r->lost, QC_INTEGRITY,
                   "%" PRIu64 " notes of share store %u about removed names are damaged", damaged,
                   3 - r->lost);
    return QC_OK;
}

/* The descriptor of both names the new store: an old one that comes back is then known as such. The new one
 * goes first. */
static qc_rc rename_stores(struct recover *r, struct qc_err *err)
{
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
    QC_TRY(old_descriptor(r, &d, err));
    memcpy(d.stores[r->lost - 1], vault_store_id(r->fresh), VAULT_ID_BYTES);
    QC_TRY(vault_descriptor_write(&text, &d, err));
    QC_TRY(vault_store_descriptor_put(r->fresh, qc_buf_span(&text), err));
    if (vault_store_writable(r->old))
        return vault_store_descriptor_put(r->old, qc_buf_span(&text), err);
    vault_note(r->call->notes, VAULT_NOTE_STORE_BEHIND, 3 - r->lost, QC_AUTH,
               "share store %u is read-only: its descriptor still names the lost store", 3 - r->lost);
    return QC_OK;
}

/* The kit has the lost seed, and it is the one that gave the lost share of VS. */
static qc_rc check_kit(struct recover *r, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    if (r->kit == NULL)
        return QC_OK;
    if (r->kit->seed[r->lost - 1] == NULL)
        return QC_FAIL(err, QC_USAGE, "the kit is of share %u, and share %u is to be recovered",
                       r->kit->shares, r->lost);
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&r->v->backup), err), err, "vault");
    return vault_kit_check(r->kit, &r->v->record, &B, err);
}

/* What is listed, and neither store has: it was put while one was away that is here now, or gone. */
static qc_rc unheard(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    struct recover *r = ctx;
    struct qc_err why = { 0 };
    (void)err;
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record have = { 0 };
        if (vault_store_get(i == 0 ? r->fresh : r->old, s->object, s->version, &have, &why) == QC_OK)
            return QC_OK;
    }
    if (r->counted > 0)
        r->counted--;
    else
        r->result.failed++;
    r->waits = true;
    vault_note(r->call->notes, VAULT_NOTE_SKIPPED, r->lost, QC_SHARES,
               "'%.*s' version %" PRIu64 ": neither share store has a share of it",
               (int)(s->name.n < 200 ? s->name.n : 200), (const char *)s->name.p, s->number);
    return QC_OK;
}

static qc_rc run(struct recover *r, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *VS_i = NULL;
    QC_TRY(check_kit(r, err));
    QC_TRY_AS(lost_secret(&VS_i, r, err), err, "vault secret");
    QC_TRY(open_fresh(r, dir, VS_i, err));
    QC_TRY(vault_store_filling_put(r->fresh, true, err));
    QC_TRY(rename_stores(r, err));
    QC_TRY(named(r, err));
    if (r->how->only) {
        QC_TRY(count_left(r, err));
        if (r->result.left > 0)
            return QC_OK;
    }
    r->waits = false;
    r->result = (struct vault_recover_result){ .written = r->named, .bytes = r->result.bytes };
    QC_TRY(all_records(r, err));
    r->result.present -= r->named < r->result.present ? r->named : r->result.present; /* seen again */
    QC_TRY(all_marks(r, err));
    QC_TRY(all_notes(r, err));
    r->counted = r->result.failed;
    QC_TRY(vault_list(r->v, QC_LIT(""), unheard, r, r->call, err));
    QC_TRY(vault_store_head_put(r->fresh, &r->v->head, err));
    r->result.whole = !r->waits && !vault_store_is_filling(r->old); /* what that one lacks nobody knows */
    return r->result.whole ? vault_store_filling_put(r->fresh, false, err) : QC_OK;
}

qc_rc vault_recover(struct vault *v, unsigned index, const char *dir, const struct vault_call *call,
                    struct vault_recover_result *ret, struct qc_err *err)
{
    const struct vault_recovering all = { 0 };
    return vault_recover_as(v, index, dir, &all, call, ret, err);
}

qc_rc vault_recover_as(struct vault *v, unsigned index, const char *dir, const struct vault_recovering *how,
                       const struct vault_call *call, struct vault_recover_result *ret, struct qc_err *err)
{
    QC_CLEANUP(recover_done)
    struct recover r = { .v = v, .call = call, .lost = index, .how = how, .kit = how->kit };
    QC_ASSERT(index == 1 || index == 2);
    QC_TRY(session_need_store(v, 3 - index, err));
    if (v->store[index - 1] != NULL && v->dir[index - 1] != NULL && strcmp(v->dir[index - 1], dir) != 0 &&
        !vault_store_is_filling(v->store[index - 1]))
        return QC_FAIL(err, QC_CONFLICT,
                       "share store %u (%s) is there and whole: remove it first, or recover into it", index,
                       v->dir[index - 1]);
    QC_TRY(check_names(&r, err));
    r.old = v->store[2 - index];
    /* Recovering into the store that is there: fill what it lacks. Two handles on one file would only wait
     * for each other. */
    vault_store_close(&v->store[index - 1]);
    qc_err_set(&v->why[index - 1], QC_SHARES, QC_HERE, "share store %u is being recovered", index);
    QC_TRY(run(&r, dir, err));
    r.result.locked = vault_store_lock(r.fresh).pass != NULL;
    r.result.derived = vault_store_derives(r.fresh);
    *ret = r.result;
    return QC_OK;
}
