/* Opening, making and joining a vault. */
#include "ahead.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/workq.h"

void vault_close(struct vault **v)
{
    if (*v == NULL)
        return;
    struct vault *s = *v;
    QC_ASSERT(s->under_way_count == 0);
    session_look_end(s);
    qc_workq_free(&s->sender);
    qc_workq_free(&s->committer);
    qc_workq_free(&s->second);
    vault_gw_close(&s->sender_gw);
    vault_gw_close(&s->committer_gw);
    for (unsigned i = 0; i < 2; i++) {
        vault_store_close(&s->store[i]);
        qc_free(s->dir[i]);
    }
    vault_gw_close(&s->gw);
    ahead_free(&s->ahead);
    vault_ring_free(&s->ring);
    qc_key_free(&s->W);
    vault_record_done(&s->record);
    qc_buf_free(&s->backup);
    vault_descriptor_done(&s->keepers);
    qc_free(s->state);
    qc_free(s->provenance);
    qc_free(s);
    *v = NULL;
}

static qc_rc copy_text(char **ret, const char *text, struct qc_err *err)
{
    if (text == NULL)
        return QC_OK;
    *ret = qc_strdup(text);
    return *ret != NULL ? QC_OK : QC_FAIL(err, QC_NOMEM, "no memory for a session");
}

static qc_rc session_new(struct vault **ret, const struct vault_conf *conf, struct qc_err *err)
{
    QC_CLEANUP(vault_close) struct vault *v = qc_alloc(sizeof(*v));
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a session");
    v->rng = conf->rng;
    v->ids = conf->ids.fill != NULL ? conf->ids : conf->rng;
    v->pad = conf->pad;
    v->tell = conf->tell;
    v->tell_ctx = conf->tell_ctx;
    v->keeper = conf->keeper;
    v->kept = conf->kept;
    v->backup.max = QC_VAULT_BACKUP_MAX;
    QC_TRY(copy_text(&v->dir[0], conf->share[0], err));
    QC_TRY(copy_text(&v->dir[1], conf->share[1], err));
    QC_TRY(copy_text(&v->state, conf->state, err));
    QC_TRY(copy_text(&v->provenance, conf->provenance, err));
    if (conf->vault != NULL)
        memcpy(v->id, conf->vault, sizeof(v->id));
    *ret = QC_STEAL(v);
    return QC_OK;
}

/* What a store that did not open means for the user. */
static void note_store(const struct vault *v, unsigned i, struct vault_notes *notes)
{
    qc_rc rc = v->why[i].rc;
    enum vault_note_kind kind = rc == QC_SHARES   ? VAULT_NOTE_SHARE_MISSING
                                : rc == QC_NOPASS ? VAULT_NOTE_SHARE_LOCKED
                                                  : VAULT_NOTE_SHARE_DAMAGED;
    vault_note(notes, kind, i + 1, rc, "%s", v->why[i].msg);
}

/* What ends the whole opening, whatever the other store says: a wrong passphrase, or one that could not be
 * tried, is never taken for a lost store. */
static bool ends_opening(qc_rc rc)
{
    return rc == QC_NOMEM || rc == QC_TEMP || rc == QC_PASSPHRASE || rc == QC_CANCELLED || rc == QC_USAGE;
}

/* What the descriptor of the other store, if that is open, says is the id of store i. */
static bool other_of(uint8_t ret[VAULT_ID_BYTES], struct vault *v, unsigned i)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    struct qc_err why = { 0 };
    if (v->store[1 - i] == NULL || vault_store_descriptor_get(v->store[1 - i], &text, &why) != QC_OK ||
        vault_descriptor_parse(&d, qc_buf_span(&text), &why) != QC_OK)
        return false; /* what is wrong with it is told where both are there (names_other) */
    memcpy(ret, d.stores[i], VAULT_ID_BYTES);
    return true;
}

static qc_rc open_store(struct vault *v, unsigned i, const struct vault_conf *conf, struct qc_err *err)
{
    uint8_t store[VAULT_ID_BYTES];
    struct vault_store_expect expect = { .index = i + 1, .vault = v->id };
    expect.passes = conf->passes;
    expect.silent = conf->unasked == i + 1;
    expect.named = conf->named[i] != NULL;
    const bool says = expect.named && other_of(store, v, i);
    expect.store = says ? store : NULL;
    if (v->dir[i] == NULL)
        qc_err_set(&v->why[i], QC_SHARES, QC_HERE, "share store %u is not configured", i + 1);
    else if (conf->absent[i] != NULL)
        qc_err_set(&v->why[i], QC_SHARES, QC_HERE, "share store %u (%s): %s", i + 1, conf->named[i],
                   conf->absent[i]);
    else if (ends_opening(vault_store_open(&v->store[i], v->dir[i], VAULT_STORE_ANY, &expect, &v->why[i]))) {
        *err = v->why[i];
        return err->rc;
    }
    return QC_OK;
}

/* Neither store is open. */
static qc_rc none_open(const struct vault *v, struct qc_err *err)
{
    const struct qc_err *why = v->why;
    for (unsigned i = 0; i < 2; i++)
        if (why[i].rc == QC_NOPASS) { /* with its passphrase all could be read */
            *err = why[i];
            return QC_NOPASS;
        }
    if (why[0].rc != QC_SHARES && why[1].rc != QC_SHARES) {
        *err = why[0]; /* both are there and cannot be used: say what is wrong */
        return err->rc;
    }
    return QC_FAIL(err, QC_SHARES, "both shares are missing: %.180s; %.180s", why[0].msg, why[1].msg);
}

static qc_rc open_stores(struct vault *v, const struct vault_conf *conf, struct vault_notes *notes,
                         struct qc_err *err)
{
    unsigned first = conf->unasked == 1 ? 1 : 0; /* what opens the other one is known then */
    QC_TRY(open_store(v, first, conf, err));
    QC_TRY(open_store(v, 1 - first, conf, err));
    if (v->store[0] == NULL && v->store[1] == NULL)
        return none_open(v, err);
    for (unsigned i = 0; i < 2; i++)
        if (v->store[i] == NULL)
            note_store(v, i, notes);
        else if (vault_store_is_filling(v->store[i]))
            vault_note(notes, VAULT_NOTE_SHARE_MISSING, i + 1, QC_SHARES,
                       "share store %u (%s) is rebuilt in part: its recovery is not at its end", i + 1,
                       v->dir[i]);
    return QC_OK;
}

/* Does store i's descriptor name the other store? A descriptor that cannot be read says nothing: true. */
static bool names_other(struct vault *v, unsigned i, struct vault_notes *notes)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = vault_store_descriptor_get(v->store[i], &text, &why);
    if (rc == QC_OK)
        rc = vault_descriptor_parse(&d, qc_buf_span(&text), &why);
    if (rc != QC_OK) {
        vault_note(notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc, "%s", why.msg);
        return true;
    }
    return memcmp(d.stores[1 - i], vault_store_id(v->store[1 - i]), VAULT_ID_BYTES) == 0;
}

/* A store that `recover` has replaced may come back (an old disk): the other's descriptor no longer names it.
 */
static void drop_replaced(struct vault *v, struct vault_notes *notes)
{
    if (v->store[0] == NULL || v->store[1] == NULL)
        return;
    bool names[2] = { names_other(v, 0, notes), names_other(v, 1, notes) };
    for (unsigned i = 0; i < 2; i++) {
        if (names[1 - i] || !names[i])
            continue;
        qc_err_set(&v->why[i], QC_SHARES, QC_HERE, "share store %u (%s) is an old one that was replaced",
                   i + 1, v->dir[i]);
        vault_store_close(&v->store[i]);
        note_store(v, i, notes);
    }
}

/* Store i's share of VS of a generation, effective or (own) as B's corrections want it. NULL: it has none. */
static qc_rc secret_of(qc_key **ret, const struct vault *v, unsigned i, uint32_t generation,
                       const struct vault_backup *B, bool own, struct qc_err *err)
{
    const qc_key *is = v->store[i] == NULL ? NULL : vault_store_secret_at(v->store[i], generation);
    if (is == NULL)
        return QC_OK;
    const qc_key *kept = vault_store_kept_at(v->store[i], generation);
    const bool corrects = B != NULL && B->generation == generation;
    if (kept != NULL && !own)
        return qc_key_dup(ret, kept, err);
    /* What a seed gives is corrected, what a store keeps is not: FORMAT 4. */
    if (corrects && vault_store_derives(v->store[i]) != own)
        return vault_backup_correct(ret, B, i + 1, is, err);
    return qc_key_dup(ret, is, err);
}

qc_rc session_own_secret(qc_key **ret, const struct vault *v, unsigned i, const struct vault_backup *B,
                         struct qc_err *err)
{
    const uint32_t have = vault_store_generation(v->store[i]);
    QC_TRY(secret_of(ret, v, i, B->generation, B, true, err));
    if (*ret == NULL && have < B->generation)
        return QC_FAIL(err, QC_SHARES,
                       "share store %u (%s) has shares of generation %" PRIu32
                       ", and they were replaced (kit refresh): now it is generation %" PRIu32,
                       i + 1, v->dir[i], have, B->generation);
    if (*ret == NULL)
        return QC_FAIL(err, QC_INTEGRITY,
                       "backup data: of generation %" PRIu32 ", share store %u has %" PRIu32
                       ": older than this client has seen (rollback)",
                       B->generation, i + 1, have);
    return QC_OK;
}

/* VS by one share and the vault's backup data. */
static qc_rc secret_with_backup(qc_key **ret, struct vault *v, unsigned i, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *VS_i = NULL;
    /* With both stores it was no matter. */
    const struct vault_op op = session_settle_op(&(struct vault_op){ .cancel = NULL });
    QC_TRY(kept_fetch_vault(v, &op, err));
    QC_TRY_AS(vault_backup_unseal(&v->backup, v->W, err), err, "vault");
    QC_TRY_AS(vault_backup_parse(&B, qc_buf_span(&v->backup), err), err, "vault");
    QC_TRY(session_own_secret(&VS_i, v, i, &B, err));
    return vault_record_open(ret, &v->record, v->id, i == 0 ? VS_i : NULL, i == 1 ? VS_i : NULL, &B, err);
}

uint32_t session_generation(const struct vault *v)
{
    const uint32_t a = v->store[0] == NULL ? UINT32_MAX : vault_store_generation(v->store[0]);
    const uint32_t b = v->store[1] == NULL ? UINT32_MAX : vault_store_generation(v->store[1]);
    return a < b ? a : b;
}

/* The generation of which both stores have a share: B's, or that in use; 0: there is none. */
static uint32_t common(const struct vault *v, const struct vault_backup *B)
{
    const uint32_t tries[] = { B != NULL ? B->generation : 0, vault_store_generation(v->store[0]),
                               vault_store_generation(v->store[1]) };
    for (unsigned i = 0; i < 3; i++)
        if (vault_store_secret_at(v->store[0], tries[i]) != NULL &&
            vault_store_secret_at(v->store[1], tries[i]) != NULL)
            return tries[i];
    return 0;
}

/* One of the stores is a copy from before a refresh: what it has opens nothing. */
static void drop_outdated(struct vault *v, struct vault_notes *notes)
{
    const unsigned old = vault_store_generation(v->store[0]) < vault_store_generation(v->store[1]) ? 0 : 1;
    qc_err_set(&v->why[old], QC_SHARES, QC_HERE,
               "share store %u (%s) is a copy from before its shares were replaced (kit refresh)", old + 1,
               v->dir[old]);
    vault_store_close(&v->store[old]);
    note_store(v, old, notes);
}

static qc_rc secret_by_both(qc_key **ret, struct vault *v, const struct vault_backup *B, uint32_t generation,
                            struct vault_notes *notes, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *VS1 = NULL, *VS2 = NULL;
    QC_TRY(secret_of(&VS1, v, 0, generation, B, false, err));
    QC_TRY(secret_of(&VS2, v, 1, generation, B, false, err));
    qc_rc rc = vault_record_open(ret, &v->record, v->id, VS1, VS2, NULL, err);
    if (rc != QC_INTEGRITY)
        return rc;
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (secret_with_backup(ret, v, i, &why) == QC_OK) {
            vault_note(notes, VAULT_NOTE_SHARE_DAMAGED, 2 - i, QC_INTEGRITY,
                       "share store %u: its vault secret is wrong", 2 - i);
            return QC_OK;
        }
    }
    return rc;
}

qc_rc session_secret(qc_key **ret, struct vault *v, struct vault_notes *notes, struct qc_err *err)
{
    QC_CLEANUP(vault_backup_done) struct vault_backup parsed = { 0 };
    struct qc_err why = { 0 };
    if (v->store[0] != NULL && v->store[1] != NULL) { /* B is of use, and not needed */
        /* With a keeper nothing of it is corrected: its generation is all that is asked for. */
        const bool has =
            vault_backup_is_kept(qc_buf_span(&v->backup))
                ? vault_backup_generation(&parsed.generation, qc_buf_span(&v->backup), &why) == QC_OK
                : vault_backup_parse(&parsed, qc_buf_span(&v->backup), &why) == QC_OK;
        const uint32_t generation = common(v, has ? &parsed : NULL);
        if (has && generation != 0 && generation < parsed.generation) {
            v->outdated = true;
            for (unsigned i = 0; i < 2; i++)
                vault_note(notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, QC_SHARES,
                           "share store %u (%s) is a copy from before its shares were replaced (kit refresh)",
                           i + 1, v->dir[i]);
        }
        if (generation != 0)
            return secret_by_both(ret, v, has ? &parsed : NULL, generation, notes, err);
        drop_outdated(v, notes);
    }
    return secret_with_backup(ret, v, v->store[0] != NULL ? 0 : 1, err);
}

/* The heads that the stores know; a damaged one is a note. None: the head of an empty vault. */
static qc_rc known_heads(struct vault *v, struct vault_head known[2], size_t *ret_n,
                         struct vault_notes *notes, struct qc_err *err)
{
    size_t n = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (v->store[i] == NULL)
            continue;
        qc_rc rc = vault_store_head_get(v->store[i], &known[n], &why);
        if (rc == QC_OK)
            n++;
        else
            vault_note(notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc, "%s", why.msg);
    }
    if (n == 0)
        QC_TRY(vault_head_zero(&known[n++], v->id, err));
    *ret_n = n;
    return QC_OK;
}

/* Replay from the least of what the stores know; the other must lie on the way, or the stores were shown two
 * histories. */
static qc_rc replay(struct vault *v, const struct vault_head *claimed, const struct vault_call *call,
                    struct qc_err *err)
{
    struct vault_head known[2];
    size_t n = 0;
    QC_TRY(known_heads(v, known, &n, call->notes, err));
    const struct vault_head *least = &known[0], *most = &known[n - 1];
    if (least->count > most->count) {
        least = most;
        most = &known[0];
    }
    const struct session_watch other = { .index = most->count, .h = most->h };
    v->head = *least;
    if (most->count > least->count)
        QC_TRY(session_catch_up(v, &other, &call->op, err));
    else if (memcmp(least->h, most->h, sizeof(least->h)) != 0)
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: the two share stores know two histories of %" PRIu64 " commits",
                       least->count);
    else if (claimed->count != least->count || memcmp(claimed->h, least->h, sizeof(claimed->h)) != 0)
        QC_TRY(session_catch_up(v, NULL, &call->op, err));
    for (size_t i = 0; i < n; i++)
        if (known[i].count != v->head.count) {
            session_save_head(v, call->notes);
            break;
        }
    return QC_OK;
}

/* The vault's B, where it is sealed, or with a keeper, who is not asked for nothing. With both stores all
 * opens without it, as it does when B is damaged. */
static qc_rc open_backup(struct vault *v, const struct vault_op *op, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (v->store[0] == NULL || v->store[1] == NULL)
        QC_TRY(kept_fetch_vault(v, op, err));
    const qc_rc rc = vault_backup_unseal(&v->backup, v->W, &why);
    if (rc == QC_OK ||
        ((session_is_damage(rc) || rc == QC_SHARES) && v->store[0] != NULL && v->store[1] != NULL))
        return QC_OK;
    *err = why;
    qc_err_wrap(err, "vault");
    return rc;
}

static qc_rc open_all(struct vault *v, const struct vault_conf *conf, const struct vault_call *call,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 };
    QC_CLEANUP(qc_key_free) qc_key *VS = NULL;
    struct vault_head claimed = { 0 };
    QC_TRY(open_stores(v, conf, call->notes, err));
    drop_replaced(v, call->notes);
    QC_TRY(kept_agree(v, err));
    QC_TRY_AS(v->gw->ops->vault_get(v->gw, v->id, &record, &v->backup, &claimed, &call->op, err), err,
              "vault");
    QC_TRY(vault_record_parse(&v->record, qc_buf_span(&record), err));
    QC_TRY(session_recovery(v, conf->W, err));
    QC_TRY(open_backup(v, &call->op, err));
    QC_TRY(session_secret(&VS, v, call->notes, err));
    QC_TRY(vault_ring_new(&v->ring, VS, v->id, err));
    return replay(v, &claimed, call, err);
}

qc_rc vault_open_session(struct vault **ret, const struct vault_conf *conf, struct vault_gw **gw,
                         const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *mine = QC_STEAL(*gw);
    QC_CLEANUP(vault_close) struct vault *v = NULL;
    QC_ASSERT(conf->vault != NULL);
    QC_TRY(session_new(&v, conf, err));
    v->gw = QC_STEAL(mine);
    QC_TRY(open_all(v, conf, call, err));
    *ret = QC_STEAL(v);
    return QC_OK;
}

/* The secrets of a new vault: VS and, in derived mode, the seeds that its local shares come from. */
struct birth {
    qc_key *seed[2];
    qc_key *W, *half[2]; /* the recovery key; NULL: there is none */
    struct vault_secret secret;
};

static void birth_done(struct birth *b)
{
    qc_key_free(&b->seed[0]);
    qc_key_free(&b->seed[1]);
    qc_key_free(&b->W);
    qc_key_free(&b->half[0]);
    qc_key_free(&b->half[1]);
    vault_secret_done(&b->secret);
}

static qc_rc draw_derived(struct vault *v, struct birth *b, struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(v->id);
    QC_CLEANUP(qc_key_free) qc_key *VS1 = NULL, *VS2 = NULL;
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
        QC_TRY_AS(qc_key_new(&b->seed[i], VAULT_KEY_BYTES, &v->rng, err), err, "drawing a seed");
        QC_TRY(vault_prk_new(&prk, b->seed[i], err));
        QC_TRY(vault_seed_share(i == 0 ? &VS1 : &VS2, prk, i + 1, &ids, 1, err));
    }
    return vault_secret_draw_with(&b->secret, VS1, VS2, &v->rng, err);
}

static qc_rc draw_recovery(struct vault *v, struct birth *b, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        QC_TRY_AS(qc_key_new(&b->half[i], VAULT_KEY_BYTES, &v->rng, err), err, "drawing a recovery key");
    return qc_key_xor(&b->W, b->half[0], b->half[1], err);
}

/* Both stores of a new vault. The descriptor names both, so it is written when both have their ids. */
static qc_rc make_stores(struct vault *v, const struct vault_lock *lock, const struct birth *b,
                         const uint8_t commitment[32], struct vault_descriptor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
    struct vault_store_params params = { .generation = 1, .lock = *lock, .kept = v->kept };
    memcpy(params.vault, v->id, sizeof(v->id));
    memcpy(params.commitment, commitment, 32);
    if (b->W != NULL)
        QC_TRY(recovery_commitment(params.W_commitment, b->W, v->id, err));
    for (unsigned i = 0; i < 2; i++) {
        params.index = i + 1;
        params.W_i = b->half[i];
        params.VS_i = i == 0 ? b->secret.VS1 : b->secret.VS2;
        params.seed = b->seed[i];
        QC_TRY(vault_store_create(&v->store[i], v->dir[i], &params, &v->rng, err));
        memcpy(d->stores[i], vault_store_id(v->store[i]), VAULT_ID_BYTES);
    }
    QC_TRY(vault_descriptor_write(&text, d, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(vault_store_descriptor_put(v->store[i], qc_buf_span(&text), err));
    return QC_OK;
}

qc_rc vault_create(uint8_t ret_vault[VAULT_ID_BYTES], const struct vault_conf *conf,
                   struct vault_descriptor *d, struct vault_gw *gw, const struct vault_call *call,
                   struct qc_err *err)
{
    QC_CLEANUP(vault_close) struct vault *v = NULL;
    QC_CLEANUP(birth_done) struct birth b = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 };
    uint8_t commitment[32];
    if (conf->share[0] == NULL || conf->share[1] == NULL || strcmp(conf->share[0], conf->share[1]) == 0)
        return QC_FAIL(err, QC_USAGE, "a vault needs two share stores in two directories");
    if (conf->recovers && conf->derived)
        return QC_FAIL(err, QC_USAGE, "a recovery key goes with share stores that keep their shares");
    if (conf->kept && (conf->derived || conf->recovers))
        return QC_FAIL(err, QC_USAGE,
                       "a keeper goes with share stores that keep their shares, and no recovery key");
    QC_TRY(session_new(&v, conf, err));
    QC_TRY(qc_rng_fill(&v->rng, v->id, sizeof(v->id), err));
    QC_TRY(conf->derived ? draw_derived(v, &b, err) : vault_secret_draw(&b.secret, &v->rng, err));
    if (conf->recovers)
        QC_TRY(draw_recovery(v, &b, err));
    QC_TRY(vault_record_commitment(commitment, b.secret.VS, v->id, err));
    QC_TRY(vault_record_make(&record, &v->backup, &b.secret, v->id, 1, err));
    if (conf->recovers)
        QC_TRY(vault_backup_seal(&v->backup, b.W, err));
    memcpy(d->vault, v->id, sizeof(v->id));
    d->derived = conf->derived;
    /* Stores first: a directory that cannot be used is found before anything is registered. */
    qc_rc rc = make_stores(v, &conf->lock, &b, commitment, d, err);
    if (rc == QC_OK)
        rc = kept_keep(v, (qc_buf *const[]){ &v->backup }, 1, &call->op, err);
    if (rc == QC_OK) {
        rc = gw->ops->vault_put(gw, v->id, qc_buf_span(&record), qc_buf_span(&v->backup), &call->op, err);
        if (rc != QC_OK)
            qc_err_wrap(err, "registering the vault");
    }
    if (rc != QC_OK) {
        vault_store_unmake(&v->store[0]);
        vault_store_unmake(&v->store[1]);
        return rc;
    }
    memcpy(ret_vault, v->id, sizeof(v->id));
    return QC_OK;
}

void vault_join_done(struct vault_join *j)
{
    vault_descriptor_done(&j->d);
    *j = (struct vault_join){ 0 };
}

static qc_rc join_one(struct vault_join *j, const char *dir, struct vault_passes *passes, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    bool first = j->share[0] == NULL && j->share[1] == NULL;
    QC_TRY(vault_store_open(&s, dir, VAULT_STORE_ANY, &(struct vault_store_expect){ .passes = passes }, err));
    QC_TRY(vault_store_descriptor_get(s, &text, err));
    QC_TRY(vault_descriptor_parse(&d, qc_buf_span(&text), err));
    unsigned i = vault_store_index(s) - 1;
    if (memcmp(d.vault, vault_store_vault(s), VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "share store %u (%s): its descriptor is of another vault", i + 1,
                       dir);
    if (!first && memcmp(j->d.vault, d.vault, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "the two share stores belong to different vaults");
    if (j->share[i] != NULL)
        return QC_FAIL(err, QC_INTEGRITY, "both directories hold share store %u", i + 1);
    if (first)
        j->d = QC_STEAL(d);
    j->share[i] = dir;
    return QC_OK;
}

qc_rc vault_join_read(struct vault_join *ret, const char *const dirs[2], struct vault_passes *passes,
                      struct qc_err *err)
{
    QC_CLEANUP(vault_join_done) struct vault_join j = { 0 };
    for (unsigned i = 0; i < 2; i++)
        if (dirs[i] != NULL)
            QC_TRY(join_one(&j, dirs[i], passes, err));
    if (j.share[0] == NULL && j.share[1] == NULL)
        return QC_FAIL(err, QC_USAGE, "no share store was named");
    *ret = QC_STEAL(j);
    return QC_OK;
}
