/* Names that become other names: entries are sealed anew, and nothing else is touched.
 *
 *   both entries of each, verified; what is not as it was meant is refused
 *   notes in both stores, durable: where which object is moved from, where to     a crash: they say nothing
 *   gateway: a tombstone and an entry for each, in one record (FORMAT 5.2, 9.3)
 *   the chain of commits has both seals of each
 *   marks of both names in both stores; what was noted otherwise goes             a crash: as after a removal
 *
 * W1 (I2): what is moved is what a verified entry said; the new one has its object, version, sequence, size
 * and M, so that a get of the new name checks the same M. Half of a move, or another one, is not in the
 * chain. W2: an object's versions are those of the name that it was moved to last, and of no other
 * (versions.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "gw_json.h"
#include "journal.h"
#include "store.h"

enum { TAG = 16, SIDES = 2 };
enum fate { WAITS, ASKED, DONE, OVER }; /* OVER: it will not be, or nobody knows: rc says it */

/* One in hand. */
struct one {
    struct vault_move *m;
    qc_buf path[SIDES]; /* old, new */
    uint8_t tag[SIDES][TAG];
    struct vault_gw_entry given[SIDES], now[SIDES]; /* as it came; verified */
    bool has[SIDES], found[SIDES];
    struct vault_entry away, e;
    qc_buf priv;
    uint8_t put_key[16];
    uint64_t chain; /* of the entry's seal */
    enum fate fate;
    struct vault_store_moved note[SIDES];
    bool mine[2][SIDES]; /* store by store: the note was not there before */
    bool noted;
};

struct moving {
    struct vault *v;
    const struct vault_call *call;
    struct one *one;
    size_t n;
    struct vault_gw_move *ask; /* n of them */
};

static void entries_done(struct one *o)
{
    for (unsigned side = 0; side < SIDES; side++) {
        vault_gw_entry_done(&o->given[side]);
        vault_gw_entry_done(&o->now[side]);
        o->has[side] = o->found[side] = false;
    }
    qc_buf_clear(&o->priv);
}

static void moving_done(struct moving *g)
{
    for (size_t i = 0; g->one != NULL && i < g->n; i++) {
        entries_done(&g->one[i]);
        qc_buf_free(&g->one[i].path[0]);
        qc_buf_free(&g->one[i].path[1]);
        qc_buf_free(&g->one[i].priv);
    }
    qc_free(g->one);
    qc_free(g->ask);
}

static void over(struct one *o, qc_rc rc, const struct qc_err *why)
{
    char text[NAME_TEXT];
    o->fate = OVER;
    o->m->rc = rc;
    o->m->err = *why;
    o->m->err.rc = rc;
    session_name_text(text, o->m->from);
    qc_err_wrap(&o->m->err, "%s", text);
}

/* -- names ----------------------------------------------------------------------------------------------- */

static qc_rc name_it(struct vault *v, struct one *o, struct qc_err *err)
{
    const qc_span names[SIDES] = { o->m->from, o->m->to };
    if (qc_span_eq(names[0], names[1]))
        return QC_FAIL(err, QC_USAGE, "the new name is the old one");
    for (unsigned side = 0; side < SIDES; side++) {
        QC_TRY(vault_name_check(names[side], err));
        QC_TRY(vault_name_seal(&o->path[side], v->ring, names[side], err));
        QC_TRY(vault_ring_path_tag(o->tag[side], v->ring, qc_buf_span(&o->path[side]), err));
    }
    return QC_OK;
}

static bool shares_name(const struct one *a, const struct one *b)
{
    for (unsigned x = 0; x < SIDES; x++)
        for (unsigned y = 0; y < SIDES; y++)
            if (qc_span_eq(qc_span_of(a->tag[x], TAG), qc_span_of(b->tag[y], TAG)))
                return true;
    return false;
}

/* Of those that have a name in common, the first is moved. */
static void check_once(struct one *one, size_t i)
{
    struct qc_err why = { 0 };
    for (size_t before = 0; before < i && one[i].fate == WAITS; before++)
        if (one[before].fate == WAITS && shares_name(&one[before], &one[i])) {
            qc_err_set(&why, QC_USAGE, QC_HERE, "a name stands twice in one call");
            over(&one[i], QC_USAGE, &why);
        }
}

static qc_rc begin(struct moving *g, struct vault_move *moves, struct qc_err *err)
{
    g->one = qc_alloc(g->n * sizeof(*g->one));
    g->ask = qc_alloc(g->n * sizeof(*g->ask));
    if (g->one == NULL || g->ask == NULL)
        return QC_FAIL(err, QC_NOMEM, "moves");
    for (size_t i = 0; i < g->n; i++) {
        struct one *o = &g->one[i];
        struct qc_err why = { 0 };
        o->m = &moves[i];
        o->m->rc = QC_OK;
        o->m->open = false;
        o->path[0].max = o->path[1].max = QC_VAULT_PATH_MAX;
        o->priv.max = QC_VAULT_PRIVATE_MAX;
        const qc_rc rc = name_it(g->v, o, &why);
        if (rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            over(o, rc, &why);
        check_once(g->one, i);
    }
    return QC_OK;
}

/* Interrupted puts of these names do not go on: their objects are elsewhere then. */
static qc_rc settle_puts(struct moving *g, struct qc_err *err)
{
    uint64_t all = 0, waiting = 0;
    QC_TRY(journal_settle(g->v, NULL, g->call, err));
    if (g->v->state == NULL)
        return QC_OK;
    QC_TRY(journal_count(g->v->state, &all, &waiting, err));
    for (size_t i = 0; i < g->n && waiting > 0; i++)
        for (unsigned side = 0; side < SIDES && g->one[i].fate == WAITS; side++)
            QC_TRY(journal_settle(g->v, g->one[i].tag[side], g->call, err));
    return QC_OK;
}

/* -- what is there --------------------------------------------------------------------------------------- */

/* Paths of one request, and which they are of. */
struct fetch {
    struct moving *g;
    qc_span path[QC_VAULT_CALL_FILES];
    size_t of[QC_VAULT_CALL_FILES];
    unsigned side[QC_VAULT_CALL_FILES];
    size_t n;
    size_t at; /* the first that has no answer yet: they come in this order */
};

static qc_rc take_entry(void *ctx, const struct vault_gw_entry *e, struct qc_err *err)
{
    struct fetch *f = ctx;
    for (; f->at < f->n; f->at++) {
        if (!qc_span_eq(f->path[f->at], e->e.path))
            continue;
        struct one *o = &f->g->one[f->of[f->at]];
        const unsigned side = f->side[f->at++];
        QC_TRY(gw_entry_copy(&o->given[side], e, err));
        o->has[side] = true;
        return QC_OK;
    }
    return QC_FAIL(err, QC_FORMAT, "entries: one that was not asked for, or in another order");
}

static qc_rc fetch_some(struct fetch *f, struct qc_err *err)
{
    struct vault *v = f->g->v;
    const struct vault_gw_some take = { take_entry, f };
    if (f->n == 0)
        return QC_OK;
    QC_TRY(v->gw->ops->entry_some(v->gw, v->id, f->path, f->n, &take, &f->g->call->op, err));
    f->n = f->at = 0;
    return QC_OK;
}

/* What the gateway has at both names of all that wait. */
static qc_rc fetch(struct moving *g, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct fetch *f = qc_alloc(sizeof(*f));
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "entries");
    f->g = g;
    session_look_end(g->v);
    for (size_t i = 0; i < g->n; i++) {
        if (g->one[i].fate != WAITS)
            continue;
        entries_done(&g->one[i]);
        for (unsigned side = 0; side < SIDES; side++) {
            f->path[f->n] = qc_buf_span(&g->one[i].path[side]);
            f->of[f->n] = i;
            f->side[f->n++] = side;
            if (f->n == QC_VAULT_CALL_FILES)
                QC_TRY(fetch_some(f, err));
        }
    }
    return fetch_some(f, err);
}

static qc_rc check_meant(const struct one *o, struct qc_err *err)
{
    static const uint8_t none[VAULT_ID_BYTES] = { 0 };
    const struct vault_entry *old = &o->now[0].e, *new = &o->now[1].e;
    char text[NAME_TEXT];
    if (!o->found[0])
        return QC_FAIL(err, QC_NOTFOUND, "no object has this name");
    if (old->kind != VAULT_ENTRY_FILE)
        return QC_FAIL(err, QC_NOTFOUND, "it was removed, or moved");
    if (o->m->version != NULL && memcmp(o->m->version, old->version, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_CONFLICT, "it has another version by now");
    const bool taken = o->found[1] && new->kind == VAULT_ENTRY_FILE;
    if (o->m->over == NULL || memcmp(o->m->over, taken ? new->version : none, VAULT_ID_BYTES) == 0)
        return QC_OK;
    session_name_text(text, o->m->to);
    return memcmp(o->m->over, none, VAULT_ID_BYTES) == 0
               ? QC_FAIL(err, QC_CONFLICT, "the new name %s is taken", text)
               : QC_FAIL(err, QC_CONFLICT, "the new name %s has another version by now", text);
}

/* Both entries as they shall be, sealed. */
static qc_rc seal(struct moving *g, struct one *o, struct qc_err *err)
{
    const struct vault_entry *old = &o->now[0].e;
    const uint64_t there = o->found[1] ? o->now[1].e.number : 0;
    uint8_t salt[16];
    if (old->number >= INT64_MAX || there >= INT64_MAX)
        return QC_FAIL(err, QC_LIMIT, "the number of changes of a name is at its end");
    o->away = (struct vault_entry){ .path = qc_buf_span(&o->path[0]),
                                    .number = old->number + 1,
                                    .kind = VAULT_ENTRY_TOMBSTONE };
    o->e = *old;
    o->e.path = qc_buf_span(&o->path[1]);
    o->e.number = there + 1;
    QC_TRY(qc_rng_fill(&g->v->ids, o->put_key, sizeof(o->put_key), err)); /* a refused one's key is spent */
    QC_TRY(qc_rng_fill(&g->v->ids, salt, sizeof(salt), err));
    QC_TRY(vault_entry_private_move(&o->priv, &o->e, old, g->v->ring, salt, err));
    o->e.priv = qc_buf_span(&o->priv);
    QC_TRY(vault_entry_seal(&o->away, g->v->ring, err));
    return vault_entry_seal(&o->e, g->v->ring, err);
}

static qc_rc look(struct moving *g, struct one *o, struct qc_err *err)
{
    for (unsigned side = 0; side < SIDES; side++)
        QC_TRY(session_entry_given(g->v, qc_buf_span(&o->path[side]), o->has[side] ? &o->given[side] : NULL,
                                   &o->now[side], &o->found[side], g->call, err));
    QC_TRY(check_meant(o, err));
    return seal(g, o, err);
}

static bool ends_all(qc_rc rc)
{
    return rc == QC_NOMEM || rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_TEMP;
}

static qc_rc look_at_all(struct moving *g, struct qc_err *err)
{
    QC_TRY(fetch(g, err));
    for (size_t i = 0; i < g->n; i++) {
        struct qc_err why = { 0 };
        struct one *o = &g->one[i];
        const qc_rc rc = o->fate == WAITS ? look(g, o, &why) : QC_OK;
        if (ends_all(rc)) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            over(o, rc, &why);
    }
    return QC_OK;
}

/* -- notes in the stores --------------------------------------------------------------------------------- */

struct notes {
    struct vault_store_moved moved[SIDES * QC_VAULT_CALL_FILES];
    bool mine[SIDES * QC_VAULT_CALL_FILES];
    struct vault_store_removal covered[QC_VAULT_CALL_FILES];
    size_t n, covers;
};

static void note_side(struct one *o, unsigned side, int64_t now)
{
    struct vault_store_moved *m = &o->note[side];
    *m = (struct vault_store_moved){ .number = side == 0 ? o->away.number : o->e.number,
                                     .when_s = now,
                                     .sequence = o->e.sequence,
                                     .away = side == 0 };
    memcpy(m->path_tag, o->tag[side], TAG);
    memcpy(m->object, o->e.object, VAULT_ID_BYTES);
}

/* What the new name had, for its list of versions: as where a put covers another object. */
static void note_covered(struct notes *ns, const struct one *o, int64_t now)
{
    const struct vault_entry *there = &o->now[1].e;
    struct vault_store_removal *r = &ns->covered[ns->covers];
    if (!o->found[1] || there->kind != VAULT_ENTRY_FILE)
        return;
    *r = (struct vault_store_removal){ .number = there->number + 1,
                                       .when_s = now,
                                       .sequence = there->sequence };
    memcpy(r->path_tag, o->tag[1], TAG);
    memcpy(r->object, there->object, VAULT_ID_BYTES);
    ns->covers++;
}

static void gather_notes(struct moving *g, struct notes *ns)
{
    const int64_t now = qc_wall_s();
    for (size_t i = 0; i < g->n; i++) {
        struct one *o = &g->one[i];
        if (o->fate != WAITS)
            continue;
        memset(o->mine, 0, sizeof(o->mine));
        o->noted = true;
        for (unsigned side = 0; side < SIDES; side++) {
            note_side(o, side, now);
            ns->moved[ns->n++] = o->note[side];
        }
        note_covered(ns, o, now);
    }
}

/* Before the gateway is asked: no entry says it later. In both stores, or it is not asked: a name's versions
 * would be two names' by the other one. */
static qc_rc write_notes(struct moving *g, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct notes *ns = qc_alloc(sizeof(*ns));
    if (ns == NULL)
        return QC_FAIL(err, QC_NOMEM, "notes of moves");
    gather_notes(g, ns);
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(
            vault_store_moved_put(g->v->store[i], ns->moved, ns->mine, ns->n, ns->covered, ns->covers, err));
        size_t at = 0;
        for (size_t x = 0; x < g->n; x++)
            for (unsigned side = 0; side < SIDES && g->one[x].fate == WAITS; side++)
                g->one[x].mine[i][side] = ns->mine[at++];
    }
    return qc_fault(client_noted, err);
}

/* Has the old name had that change by now, by somebody else's hand, or may it have had? Then the note may be
 * of that one; a removal takes it away. */
static bool changed(struct moving *g, const struct one *o)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    struct qc_err unused = { 0 };
    bool found = false;
    const qc_rc rc = session_entry(g->v, qc_buf_span(&o->path[0]), &e, &found, g->call, &unused);
    return rc != QC_OK || !found || e.e.number > o->note[0].number ||
           (e.e.number == o->note[0].number && e.e.kind != VAULT_ENTRY_FILE);
}

/* What was noted of moves that are known not to be. Where that fails, a removal under the same number has
 * both notes, and its versions are not purged. */
static void drop_notes(struct moving *g)
{
    QC_CLEANUP(qc_free_ptr) struct vault_store_moved *all = qc_alloc(SIDES * g->n * sizeof(*all));
    struct qc_err why = { 0 };
    qc_rc rc = all == NULL ? QC_FAIL(&why, QC_NOMEM, "notes of moves") : QC_OK;
    session_look_end(g->v);
    for (size_t x = 0; x < g->n; x++) {
        struct one *o = &g->one[x];
        o->noted = o->noted && o->fate != DONE && !o->m->open && !changed(g, o);
    }
    for (unsigned i = 0; i < 2 && rc == QC_OK; i++) {
        size_t n = 0;
        for (size_t x = 0; x < g->n; x++)
            for (unsigned side = 0; side < SIDES && g->one[x].noted; side++)
                if (g->one[x].mine[i][side])
                    all[n++] = g->one[x].note[side];
        rc = n > 0 ? vault_store_moved_undone(g->v->store[i], all, n, &why) : QC_OK;
    }
    if (rc != QC_OK)
        vault_note(g->call->notes, VAULT_NOTE_STORE_BEHIND, 0, rc, "%s", why.msg);
    for (size_t x = 0; x < g->n; x++)
        g->one[x].noted = false;
}

/* Those that are done: marks of both names, the head; the notes, whatever was noted before. */
static qc_rc bring_store(struct moving *g, struct vault_store *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct vault_store_commit *marks = qc_alloc(SIDES * g->n * sizeof(*marks));
    QC_CLEANUP(qc_free_ptr) struct vault_store_moved *notes = qc_alloc(SIDES * g->n * sizeof(*notes));
    size_t n = 0;
    if (marks == NULL || notes == NULL)
        return QC_FAIL(err, QC_NOMEM, "marks");
    for (size_t i = 0; i < g->n; i++)
        for (unsigned side = 0; side < SIDES && g->one[i].fate == DONE; side++) {
            const struct one *o = &g->one[i];
            notes[n] = o->note[side];
            marks[n++] =
                (struct vault_store_commit){ .path_tag = o->tag[side], .number = o->note[side].number };
        }
    if (n == 0)
        return QC_OK;
    marks[n - 1].head = &g->v->head;
    QC_TRY(store_commit_many(s, marks, n, &g->v->ids, err));
    return vault_store_moved_done(s, notes, n, err);
}

static void bring_stores(struct moving *g)
{
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        const qc_rc rc = bring_store(g, g->v->store[i], &why);
        if (rc != QC_OK)
            vault_note(g->call->notes, VAULT_NOTE_STORE_BEHIND, i + 1, rc, "%s", why.msg);
    }
}

/* -- the gateway ----------------------------------------------------------------------------------------- */

static size_t weight(const struct one *o)
{
    return (o->path[0].n + o->path[1].n + o->priv.n) * 4 / 3 + 768;
}

/* Nobody knows whether it is so, or will be. */
static void leave_open(struct one *o, qc_rc rc, const struct qc_err *why)
{
    struct qc_err e = *why;
    qc_err_wrap(&e, "it is not known whether it was moved (the same command finds out)");
    o->m->open = true;
    over(o, rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_FENCED ? rc : QC_TEMP, &e);
}

/* known: commits of the chain before it was asked for. */
static void take_receipt(struct one *o, uint64_t known, uint64_t number, uint64_t chain)
{
    struct qc_err why = { 0 };
    if (number == o->e.number && chain >= known + 2) {
        o->fate = DONE;
        o->chain = chain;
        return;
    }
    qc_err_set(&why, QC_INTEGRITY, QC_HERE,
               "receipt: number %" PRIu64 " for entry %" PRIu64 ", in commit %" PRIu64
               " of a chain that had two more to come",
               number, o->e.number, chain);
    o->m->open = true;
    over(o, QC_INTEGRITY, &why);
}

/* Refused or unanswered. What was refused for others' changes is looked at again; of what may be on its way
 * still only a cancellation says that it comes to nothing. */
static void find_out(struct moving *g, struct one *o, qc_rc rc, const struct qc_err *why,
                     const struct vault_op *op)
{
    struct vault_gw *gw = g->v->gw;
    enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
    QC_CLEANUP(qc_free_ptr) struct vault_gw_receipt *receipt = qc_alloc(sizeof(*receipt));
    struct qc_err unused = { 0 };
    if (rc == QC_CONFLICT || rc == QC_NOTFOUND) {
        o->fate = WAITS;
        o->m->rc = rc;
        return;
    }
    const qc_rc said = receipt == NULL ? QC_NOMEM : gw->ops->upload_cancel(gw, o->put_key, op, &unused);
    if (said == QC_OK)
        over(o, rc, why);
    else if (said == QC_CONFLICT &&
             gw->ops->upload_state(gw, o->put_key, &state, receipt, op, &unused) == QC_OK &&
             state == VAULT_UPLOAD_LIVE)
        take_receipt(o, g->v->head.count, receipt->number, receipt->chain);
    else
        leave_open(o, rc, why);
}

/* Those that wait, from *at on, as many as one request takes. */
static qc_rc ask_some(struct moving *g, size_t *at, struct qc_err *err)
{
    size_t of[QC_VAULT_CALL_FILES] = { 0 }, n = 0, bytes = 0;
    for (; *at < g->n; ++*at) {
        struct one *o = &g->one[*at];
        if (o->fate != WAITS)
            continue;
        bytes += weight(o);
        if (n > 0 && bytes > QC_VAULT_BUNDLE_BODY)
            break;
        of[n] = *at;
        g->ask[n++] = (struct vault_gw_move){ .put_key = o->put_key, .away = &o->away, .entry = &o->e };
    }
    if (n == 0)
        return QC_OK;
    QC_TRY(qc_go_on(g->call->op.deadline, g->call->op.cancel, "mv", err));
    struct vault_gw *gw = g->v->gw;
    struct qc_err why = { 0 };
    for (size_t i = 0; i < n; i++)
        g->one[of[i]].fate = ASKED;
    const qc_rc rc = gw->ops->entries_move(gw, g->v->id, g->ask, n, &g->call->op, &why);
    const struct vault_op op = session_settle_op(&g->call->op);
    for (size_t i = 0; i < n; i++) {
        const struct vault_gw_move *a = &g->ask[i];
        struct one *o = &g->one[of[i]];
        if (rc != QC_OK)
            find_out(g, o, rc == QC_CONFLICT || rc == QC_NOTFOUND ? QC_TEMP : rc, &why, &op);
        else if (a->rc != QC_OK)
            find_out(g, o, a->rc, &a->err, &op);
        else {
            o->m->record_copies = a->record_copies;
            o->m->clouds = a->clouds;
            take_receipt(o, g->v->head.count, a->number, a->chain);
        }
    }
    return QC_OK;
}

static int by_index(const void *a, const void *b)
{
    const struct session_watch *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The chain has both seals of each, one after the other. */
static qc_rc catch_up(struct moving *g, const bool *was, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct session_watch *watches = qc_alloc(SIDES * g->n * sizeof(*watches));
    size_t n = 0;
    if (watches == NULL)
        return QC_FAIL(err, QC_NOMEM, "commits");
    for (size_t i = 0; i < g->n; i++) {
        const struct one *o = &g->one[i];
        if (o->fate != DONE || was[i])
            continue;
        watches[n++] = (struct session_watch){ .index = o->chain - 1, .seal = o->away.seal };
        watches[n++] = (struct session_watch){ .index = o->chain, .seal = o->e.seal };
    }
    if (n == 0)
        return QC_OK;
    qsort(watches, n, sizeof(*watches), by_index);
    const bool late = qc_deadline_over(g->call->op.deadline) || qc_cancel_is(g->call->op.cancel);
    const struct vault_op op = late ? session_settle_op(&g->call->op) : g->call->op;
    return session_catch_up_all(g->v, watches, n, &op, err);
}

/* What the chain does not show is not told as done. */
static void distrust(struct moving *g, const bool *was, qc_rc rc, const struct qc_err *why)
{
    struct qc_err e = *why;
    qc_err_wrap(&e, "moved, but the gateway's chain of commits could not be followed");
    for (size_t i = 0; i < g->n; i++)
        if (g->one[i].fate == DONE && !was[i]) {
            g->one[i].m->open = true;
            over(&g->one[i], rc, &e);
        }
}

/* All that wait are asked for once. What ends it ends those that were not asked. */
static void ask_all(struct moving *g, const bool *was)
{
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    for (size_t at = 0; at < g->n && rc == QC_OK;)
        rc = ask_some(g, &at, &why);
    if (rc == QC_OK)
        rc = qc_fault(client_moved, &why);
    for (size_t i = 0; i < g->n && rc != QC_OK; i++)
        if (g->one[i].fate == WAITS)
            over(&g->one[i], rc, &why);
    qc_err_clear(&why);
    rc = catch_up(g, was, &why);
    if (rc != QC_OK)
        distrust(g, was, rc, &why);
}

/* -- all ------------------------------------------------------------------------------------------------- */

static size_t waiting(const struct moving *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        n += g->one[i].fate == WAITS;
    return n;
}

/* One look and one question; others may have changed what is left over. */
static qc_rc once(struct moving *g, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) bool *was = qc_alloc(g->n * sizeof(*was));
    if (was == NULL)
        return QC_FAIL(err, QC_NOMEM, "moves");
    for (size_t i = 0; i < g->n; i++)
        was[i] = g->one[i].fate == DONE;
    QC_TRY(look_at_all(g, err));
    if (waiting(g) == 0)
        return QC_OK;
    struct qc_err why = { 0 };
    const qc_rc rc = write_notes(g, &why);
    if (rc == QC_OK)
        ask_all(g, was);
    else
        *err = why;
    drop_notes(g);
    return rc;
}

static void tell(struct moving *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct one *o = &g->one[i];
        if (o->fate == WAITS) {
            struct qc_err why = { 0 };
            qc_err_set(&why, QC_CONFLICT, QC_HERE, "others write the same names; gave up after %d tries",
                       QC_VAULT_CONFLICTS_MAX);
            over(o, QC_CONFLICT, &why);
        }
        if (o->fate != DONE)
            continue;
        o->m->rc = QC_OK;
        o->m->number = o->e.number;
        memcpy(o->m->object, o->e.object, VAULT_ID_BYTES);
        memcpy(o->m->moved, o->e.version, VAULT_ID_BYTES);
    }
}

qc_rc vault_move_many(struct vault *v, struct vault_move *moves, size_t n, const struct vault_call *call,
                      struct qc_err *err)
{
    QC_CLEANUP(moving_done) struct moving g = { .v = v, .call = call, .n = n };
    struct qc_err why = { 0 };
    if (n < 1 || n > QC_VAULT_CALL_FILES)
        return QC_FAIL(err, QC_USAGE, "%zu moves in one call, expected 1..%d", n, QC_VAULT_CALL_FILES);
    QC_TRY(session_need_both(v, err));
    QC_TRY(begin(&g, moves, err));
    QC_TRY(settle_puts(&g, err));
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < QC_VAULT_CONFLICTS_MAX && rc == QC_OK && waiting(&g) > 0; i++)
        rc = once(&g, &why);
    for (size_t i = 0; i < n && rc != QC_OK; i++)
        if (g.one[i].fate == WAITS || g.one[i].fate == ASKED)
            over(&g.one[i], rc, &why);
    bring_stores(&g);
    tell(&g);
    return QC_OK;
}
