/* A bundle while share store 2 is elsewhere: a ticket for each member. FORMAT 7.2. I4: taken durably, in one
 * transaction, before anything is drawn with one; what nothing was drawn with goes back. */
#include "put_many.h"

#include <string.h>

#include "base/alloc.h"
#include "tickets.h"

enum { HERE = 0 };

struct taken {
    struct vault_ticket v[QC_VAULT_BUNDLE_FILES];
    size_t n, at;
};

static void taken_done(struct taken *t)
{
    for (size_t i = t->at; i < t->n; i++)
        vault_ticket_done(&t->v[i]);
}

/* What the name was is noted first, as where one put covers another (put.c). */
static qc_rc give(struct many *b, struct many_member *m, struct taken *t, struct qc_err *err)
{
    m->taken = QC_STEAL(t->v[t->at]);
    t->at++;
    memcpy(m->ids.object, m->taken.object, VAULT_ID_BYTES);
    return m->covers ? vault_store_removal_put(b->v->store[HERE], &m->before, err) : QC_OK;
}

/* An old copy of share store 1 has tickets again that were used. A put by itself hears that before it sends
 * anything; a bundle would hear it when all is sent, and two objects would be sealed under the ids of one. */
static qc_rc refuse_used(struct many *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_gw_info *info = qc_alloc(sizeof(*info));
    struct vault_gw *gw = b->v->gw;
    if (info == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory");
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        struct qc_err why = { 0 };
        if (m->fate != MANY_IN)
            continue;
        const qc_rc rc =
            gw->ops->info(gw, b->v->id, m->taken.object, m->taken.version, info, &b->call.op, &why);
        if (rc == QC_OK || rc == QC_CONFLICT) { /* live, or decided */
            qc_err_set(&why, QC_CONFLICT, QC_HERE, "its ticket was used by another put");
            vault_ticket_done(&m->taken); /* it is none, and does not go back */
            many_out(m, true, QC_CONFLICT, &why);
        } else if (rc != QC_NOTFOUND) {
            *err = why;
            return rc;
        }
    }
    return QC_OK;
}

qc_rc many_take_tickets(struct many *b, struct qc_err *err)
{
    QC_CLEANUP(taken_done) struct taken t = { 0 };
    struct qc_err why = { 0 };
    const size_t want = many_count(b, MANY_IN);
    if (want == 0)
        return QC_OK;
    QC_TRY(vault_store_tickets_take(b->v->store[HERE], t.v, want, &t.n, err));
    qc_err_set(&why, QC_SHARES, QC_HERE, "no ticket is left");
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        if (m->fate != MANY_IN)
            continue;
        if (t.at < t.n)
            QC_TRY(give(b, m, &t, err));
        else
            many_out(m, true, QC_SHARES, &why);
    }
    return refuse_used(b, err);
}

void many_return_tickets(struct many *b)
{
    struct vault_ticket v[QC_VAULT_BUNDLE_FILES];
    struct qc_err why = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].taken.share != NULL)
            v[n++] = b->m[i].taken; /* borrowed */
    const qc_rc rc = vault_store_tickets_return(b->v->store[HERE], v, n, &b->v->ids, &why);
    if (rc != QC_OK)
        vault_note(b->call.notes, VAULT_NOTE_STORE_BEHIND, HERE + 1, rc,
                   "tickets that were not used are void: %s", why.msg);
}

qc_rc many_tickets_used(struct many *b, struct qc_err *err)
{
    struct vault_spent v[QC_VAULT_BUNDLE_FILES];
    size_t n = 0;
    for (size_t i = 0; i < b->what.count; i++) {
        const struct many_member *m = &b->m[i];
        if (m->fate != MANY_LIVE)
            continue;
        v[n] = (struct vault_spent){ .number = m->ids.number };
        memcpy(v[n].object, m->ids.object, VAULT_ID_BYTES);
        memcpy(v[n].version, m->ids.version, VAULT_ID_BYTES);
        memcpy(v[n].path_tag, m->ids.path_tag, sizeof(v[n].path_tag));
        n++;
    }
    return n == 0 ? QC_OK : vault_store_spent_put_many(b->v->store[HERE], v, n, err);
}
