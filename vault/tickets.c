/* Tickets: puts while share store 2 is elsewhere. seal.md 4.2; FORMAT 7.2. A ticket is a fresh object and
 * version with its share 2, recorded as pending in share store 2 when it is drawn, and kept in share store 1
 * until it is used. Keeps I4: one ticket, one version. */
#include "tickets.h"

#include <inttypes.h>
#include <string.h>

enum { BATCH = 64, AWAY = 1, HERE = 0 }; /* stores by their place in a vault */

static void tickets_done(struct vault_ticket (*t)[BATCH])
{
    for (size_t i = 0; i < BATCH; i++)
        vault_ticket_done(&(*t)[i]);
}

/* Recorded in store 2 first: a ticket that is not there would lose its share with the one that uses it. */
static qc_rc draw_some(struct vault *v, size_t n, struct qc_err *err)
{
    QC_CLEANUP(tickets_done) struct vault_ticket t[BATCH] = { 0 };
    struct vault_store_record r[BATCH];
    const uint32_t generation = session_generation(v);
    for (size_t i = 0; i < n; i++) {
        QC_TRY(qc_rng_fill(&v->rng, t[i].object, VAULT_ID_BYTES, err));
        QC_TRY(qc_rng_fill(&v->rng, t[i].version, VAULT_ID_BYTES, err));
        QC_TRY(
            vault_store_derives(v->store[AWAY])
                ? vault_store_derive(&t[i].share, v->store[AWAY], generation, t[i].object, t[i].version, err)
                : qc_key_new(&t[i].share, VAULT_KEY_BYTES, &v->rng, err));
        r[i] = (struct vault_store_record){ .generation = generation,
                                            .state = VAULT_RECORD_PENDING,
                                            .share = t[i].share };
        memcpy(r[i].object, t[i].object, VAULT_ID_BYTES);
        memcpy(r[i].version, t[i].version, VAULT_ID_BYTES);
    }
    QC_TRY(vault_store_add(v->store[AWAY], r, n, &v->rng, err));
    return vault_store_tickets_add(v->store[HERE], t, n, &v->rng, err);
}

qc_rc vault_tickets_draw(struct vault *v, uint64_t want, const struct vault_call *call, uint64_t *ret,
                         struct qc_err *err)
{
    uint64_t have = 0;
    QC_TRY(session_need_both(v, err));
    if (v->recovers)
        return QC_FAIL(
            err, QC_USAGE,
            "there are no tickets for a vault with a recovery kit: without share store 2 it does not open");
    if (v->kept)
        return QC_FAIL(
            err, QC_USAGE,
            "there are no tickets for a vault with a keeper: share store 1 would have both shares of "
            "what is put with them, and open it with the gateway alone");
    QC_TRY(vault_store_tickets_count(v->store[HERE], &have, err));
    while (have < want) {
        const uint64_t n = want - have < BATCH ? want - have : BATCH;
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "tickets", err));
        QC_TRY(draw_some(v, (size_t)n, err));
        have += n;
    }
    *ret = have;
    return QC_OK;
}

/* I1: their records in store 2 stay, as those of tickets whose put came to nothing do. This store 1 may be an
 * old copy, in which a ticket is left that was used: then the record is of a version that is stored. */
qc_rc vault_tickets_cancel(struct vault *v, const struct vault_call *call, uint64_t *ret, struct qc_err *err)
{
    size_t n = BATCH;
    QC_TRY(session_need_store(v, HERE + 1, err));
    for (*ret = 0; n == BATCH; *ret += n) { /* ends: each call takes some away */
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "tickets", err));
        QC_TRY(vault_store_tickets_void(v->store[HERE], BATCH, &n, err));
    }
    return QC_OK;
}

uint64_t vault_tickets_left(struct vault *v)
{
    struct qc_err why = { 0 };
    uint64_t n = 0;
    return v->store[HERE] != NULL && vault_store_tickets_count(v->store[HERE], &n, &why) == QC_OK ? n : 0;
}

bool tickets_may(struct vault *v)
{
    return v->store[AWAY] == NULL && v->why[AWAY].rc == QC_SHARES && v->store[HERE] != NULL &&
           vault_store_writable(v->store[HERE]);
}

qc_rc tickets_take(struct vault *v, struct vault_ticket *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = vault_store_ticket_take(v->store[HERE], ret, &why);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_SHARES, "%.200s, and no ticket is left", v->why[AWAY].msg);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

qc_rc tickets_used(struct vault *v, const uint8_t *object, const uint8_t *version, const uint8_t path_tag[16],
                   uint64_t number, struct qc_err *err)
{
    struct vault_spent spent = { .number = number };
    memcpy(spent.object, object, VAULT_ID_BYTES);
    memcpy(spent.version, version, VAULT_ID_BYTES);
    memcpy(spent.path_tag, path_tag, sizeof(spent.path_tag));
    return vault_store_spent_put(v->store[HERE], &spent, err);
}

/* What became of one ticket, as store 1 knows it, in store 2. *ret_open: nobody knows yet. */
static qc_rc bring_one(struct vault *v, const struct vault_spent *spent, bool *ret_open, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct vault_store_removal before = { 0 };
    struct vault_store *to = v->store[AWAY];
    struct qc_err why = { 0 };
    qc_rc rc = vault_store_get(v->store[HERE], spent->object, spent->version, &r, &why);
    *ret_open = rc == QC_OK && r.state == VAULT_RECORD_PENDING;
    if (*ret_open)
        return QC_OK;
    if (rc == QC_NOTFOUND || (rc == QC_OK && r.state == 0)) /* its put came to nothing, or so it looks here */
        return QC_OK;
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    const struct vault_store_commit change = { .object = spent->object,
                                               .version = spent->version,
                                               .sequence = r.sequence,
                                               .path_tag = spent->number > 0 ? spent->path_tag : NULL,
                                               .number = spent->number };
    QC_TRY(vault_store_commit(to, &change, &v->ids, err));
    if (spent->number > 0 &&
        vault_store_removal_get(v->store[HERE], spent->path_tag, spent->number, &before, &why) == QC_OK)
        QC_TRY(vault_store_removal_put(to, &before, err));
    return QC_OK;
}

static qc_rc bring(struct vault *v, struct qc_err *err)
{
    struct vault_spent at = { 0 };
    bool found = false, open = false;
    for (;;) {
        QC_TRY(vault_store_spent_next(v->store[HERE], &at, &found, err));
        if (!found)
            return QC_OK;
        QC_TRY(bring_one(v, &at, &open, err));
        if (!open)
            QC_TRY(vault_store_spent_drop(v->store[HERE], &at, err));
    }
}

void tickets_bring(struct vault *v, struct vault_notes *notes)
{
    struct qc_err why = { 0 };
    const qc_rc rc = bring(v, &why);
    if (rc != QC_OK)
        vault_note(notes, VAULT_NOTE_STORE_BEHIND, AWAY + 1, rc, "%s", why.msg);
}
