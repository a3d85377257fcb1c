#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ahead.h"
#include "base/alloc.h"
#include "base/codec.h"
#include "base/crypto.h"

void session_name_text(char out[NAME_TEXT], qc_span name)
{
    size_t at = 0;
    out[at++] = '\'';
    for (size_t i = 0; i < name.n;) {
        const uint8_t *p = name.p + i;
        const size_t utf8 = qc_utf8(p, name.n - i), n = utf8 == 0 ? 1 : utf8;
        const bool plain = utf8 > 0 && !qc_utf8_controls(p, n);
        if (at + 4 * n + 4 > NAME_TEXT) {
            memcpy(out + at, "..", 2);
            at += 2;
            break;
        }
        if (plain && (*p == '\'' || *p == '\\')) /* as the programs write it: a name is told once */
            out[at++] = '\\';
        if (plain)
            memcpy(out + at, p, n);
        for (size_t j = 0; !plain && j < n; j++)
            (void)snprintf(out + at + 4 * j, NAME_TEXT - at - 4 * j, "\\x%02x", p[j]);
        at += plain ? n : 4 * n;
        i += n;
    }
    memcpy(out + at, "'", 2);
}

qc_rc session_need_store(struct vault *v, unsigned index, struct qc_err *err)
{
    if (v->store[index - 1] != NULL)
        return QC_OK;
    *err = v->why[index - 1];
    return err->rc;
}

bool session_is_damage(qc_rc rc)
{
    return rc == QC_INTEGRITY || rc == QC_IO || rc == QC_LIMIT;
}

qc_rc session_noted_damage(qc_rc rc, unsigned i, const struct qc_err *why, struct vault_notes *notes,
                           struct qc_err *err)
{
    if (rc == QC_OK)
        return QC_OK;
    if (session_is_damage(rc)) {
        vault_note(notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, rc, "%s", why->msg);
        return QC_OK;
    }
    *err = *why;
    return rc;
}

qc_rc session_need_both(struct vault *v, struct qc_err *err)
{
    for (unsigned i = 1; i <= 2; i++) {
        QC_TRY(session_need_store(v, i, err));
        if (!vault_store_writable(v->store[i - 1]))
            return QC_FAIL(err, QC_AUTH,
                           "share store %u (%s) may not be written (read-only medium or permissions)", i,
                           vault_store_dir(v->store[i - 1]));
        QC_TRY(vault_store_renew(v->store[i - 1], err));
    }
    if (v->outdated)
        return QC_FAIL(err, QC_SHARES,
                       "both share stores (%s, %s) are copies from before their shares were replaced "
                       "(kit refresh): nothing is stored with them",
                       v->dir[0], v->dir[1]);
    if (v->recovers && v->W == NULL)
        return QC_FAIL(err, QC_INTEGRITY,
                       "the recovery key: what the two share stores have of it does not fit together");
    return QC_OK;
}

/* One seal of the chain; watch as in session_catch_up. */
static qc_rc check_step(const struct vault_head *head, const uint8_t *seal, const struct session_watch *watch,
                        struct qc_err *err)
{
    if (head->count != watch->index)
        return QC_OK;
    if (watch->seal != NULL && !qc_ct_eq(seal, watch->seal, 32))
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: commit %" PRIu64 " of the gateway's chain is another one", watch->index);
    if (watch->h != NULL && memcmp(head->h, watch->h, sizeof(head->h)) != 0)
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: up to commit %" PRIu64
                       " the gateway's chain is not the known one (rollback, or two histories)",
                       watch->index);
    return QC_OK;
}

static qc_rc check_claim(const struct vault_head *known, const struct vault_head *claimed, struct qc_err *err)
{
    if (claimed->count < known->count)
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: the gateway has %" PRIu64 " commits, %" PRIu64
                       " are known: it is older than this client has seen (rollback)",
                       claimed->count, known->count);
    if (claimed->count == known->count && memcmp(claimed->h, known->h, sizeof(known->h)) != 0)
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: the gateway's chain of commits is not the known one (rollback)");
    return QC_OK;
}

static qc_rc step_past(struct vault_head *head, const uint8_t *seal, const struct session_watch *watches,
                       size_t count, struct qc_err *err)
{
    QC_TRY(vault_head_step(head, seal, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(check_step(head, seal, &watches[i], err));
    return QC_OK;
}

/* They lie behind the one head, and not behind the other. */
static qc_rc check_between(const struct session_watch *watches, size_t count, uint64_t known, uint64_t now,
                           struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (watches[i].index <= known)
            return QC_FAIL(err, QC_INTEGRITY, "vault head: commit %" PRIu64 " was seen before it was made",
                           watches[i].index);
        if (watches[i].index > now)
            return QC_FAIL(err, QC_INTEGRITY,
                           "vault head: commit %" PRIu64
                           " is known and not in the gateway's chain (rollback)",
                           watches[i].index);
    }
    return QC_OK;
}

/* As far as the gateway's chain goes, or to this many commits. */
static qc_rc replay(struct vault *v, const struct session_watch *watches, size_t count, uint64_t until,
                    const struct vault_op *op, struct qc_err *err)
{
    struct vault_head head = v->head, claimed = { 0 };
    QC_TRY(check_between(watches, count, head.count, UINT64_MAX, err));
    do {
        QC_CLEANUP(qc_buf_free) qc_buf seals = { .max = (size_t)QC_VAULT_CHAIN_PAGE * 32 };
        QC_TRY(v->gw->ops->chain(v->gw, v->id, head.count, &claimed, &seals, op, err));
        QC_TRY(check_claim(&head, &claimed, err));
        uint64_t n = seals.n / 32;
        if (n > claimed.count - head.count || (n == 0 && head.count < claimed.count))
            return QC_FAIL(err, QC_INTEGRITY, "vault head: %" PRIu64 " seals for %" PRIu64 " commits", n,
                           claimed.count - head.count);
        for (uint64_t i = 0; i < n && head.count < until; i++)
            QC_TRY(step_past(&head, seals.p + i * 32, watches, count, err));
    } while (head.count < claimed.count && head.count < until);
    QC_TRY(check_claim(&head, &claimed, err));
    QC_TRY(check_between(watches, count, 0, head.count, err));
    v->head = head;
    return QC_OK;
}

qc_rc session_catch_up(struct vault *v, const struct session_watch *watch, const struct vault_op *op,
                       struct qc_err *err)
{
    static const struct session_watch none;
    QC_ASSERT(v->under_way_count == 0); /* its commits would be passed by before they are looked for */
    return replay(v, watch == NULL ? &none : watch, watch == NULL ? 0 : 1, UINT64_MAX, op, err);
}

qc_rc session_catch_up_all(struct vault *v, const struct session_watch *watches, size_t count,
                           const struct vault_op *op, struct qc_err *err)
{
    return replay(v, watches, count, UINT64_MAX, op, err);
}

qc_rc session_catch_up_part(struct vault *v, const struct session_watch *watches, size_t count,
                            const struct vault_op *op, struct qc_err *err)
{
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++)
        if (watches[i].index > last)
            last = watches[i].index;
    return replay(v, watches, count, last, op, err);
}

static void save(struct vault *v, const struct vault_store_commit *change, struct vault_notes *notes)
{
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (v->store[i] == NULL || !vault_store_writable(v->store[i]))
            continue;
        qc_rc rc = vault_store_commit(v->store[i], change, &v->ids, &why);
        if (rc != QC_OK)
            vault_note(notes, VAULT_NOTE_STORE_BEHIND, i + 1, rc, "%s", why.msg);
    }
}

void session_save_head(struct vault *v, struct vault_notes *notes)
{
    save(v, &(struct vault_store_commit){ .head = &v->head }, notes);
}

void session_mark(struct vault *v, qc_span path, uint64_t number, struct vault_notes *notes)
{
    uint8_t tag[16];
    struct qc_err why = { 0 };
    qc_rc rc = vault_ring_path_tag(tag, v->ring, path, &why);
    if (rc == QC_OK)
        save(v, &(struct vault_store_commit){ .path_tag = tag, .number = number, .head = &v->head }, notes);
    else
        vault_note(notes, VAULT_NOTE_STORE_BEHIND, 0, rc, "%s", why.msg);
}

/* The greatest mark of a path over the stores, and the least of those that can be written. A damaged mark is
 * a note and counts as none. */
static qc_rc marks_of(struct vault *v, qc_span path, uint64_t *ret, uint64_t *ret_least,
                      struct vault_notes *notes, struct qc_err *err)
{
    uint8_t tag[16];
    uint64_t most = 0, least = UINT64_MAX;
    QC_TRY(vault_ring_path_tag(tag, v->ring, path, err));
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        uint64_t number = 0;
        if (v->store[i] == NULL)
            continue;
        qc_rc rc = vault_store_mark(v->store[i], tag, &number, &why);
        QC_TRY(session_noted_damage(rc, i, &why, notes, err));
        if (number > most)
            most = number;
        if (number < least && vault_store_writable(v->store[i]))
            least = number;
    }
    *ret = most;
    *ret_least = least;
    return QC_OK;
}

static qc_rc mark_of(struct vault *v, qc_span path, uint64_t *ret, struct vault_notes *notes,
                     struct qc_err *err)
{
    uint64_t least = 0;
    return marks_of(v, path, ret, &least, notes, err);
}

static qc_rc sequence_of(struct vault *v, const uint8_t *object, uint64_t *ret, struct vault_notes *notes,
                         struct qc_err *err)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        uint64_t sequence = 0;
        if (v->store[i] == NULL)
            continue;
        qc_rc rc = vault_store_sequence(v->store[i], object, &sequence, &why);
        QC_TRY(session_noted_damage(rc, i, &why, notes, err));
        if (sequence > most)
            most = sequence;
    }
    *ret = most;
    return QC_OK;
}

/* The marks, of an answer whose seal holds. *ret_behind: one of them says that there is a newer one. */
static qc_rc check_known(struct vault *v, const struct vault_gw_entry *e, bool *ret_behind, bool *ret_marked,
                         struct vault_notes *notes, struct qc_err *err)
{
    uint64_t mark = 0, least = 0, sequence = 0;
    QC_TRY(marks_of(v, e->e.path, &mark, &least, notes, err));
    if (e->e.kind == VAULT_ENTRY_FILE)
        QC_TRY(sequence_of(v, e->e.object, &sequence, notes, err));
    *ret_behind = e->e.number < mark || e->e.sequence < sequence;
    *ret_marked = least >= e->e.number;
    if (e->e.number < mark)
        return QC_FAIL(err, QC_INTEGRITY,
                       "entry: number %" PRIu64 ", %" PRIu64
                       " is known: the gateway's answer is older than this client has seen (rollback)",
                       e->e.number, mark);
    if (e->e.sequence < sequence)
        return QC_FAIL(err, QC_INTEGRITY,
                       "entry: version %" PRIu64 " of the object, %" PRIu64
                       " is known: the gateway's answer is older than this client has seen (rollback)",
                       e->e.sequence, sequence);
    return QC_OK;
}

static qc_rc check_answer(struct vault *v, qc_span path, const struct vault_gw_entry *e, bool *ret_behind,
                          bool *ret_marked, struct vault_notes *notes, struct qc_err *err)
{
    QC_TRY(vault_entry_check(&e->e, v->ring, path, err));
    return check_known(v, e, ret_behind, ret_marked, notes, err);
}

/* The gateway's answer for a path, once; *ret_behind as above. */
static qc_rc ask(struct vault *v, qc_span path, struct vault_gw_entry *ret, bool *ret_found, bool *ret_behind,
                 const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    struct qc_err why = { 0 };
    uint64_t mark = 0;
    qc_rc rc = QC_OK;
    if (!ahead_take(v->ahead, path, &e)) {
        session_look_end(v); /* what others write from here on counts */
        rc = v->gw->ops->entry_get(v->gw, v->id, path, &e, &call->op, &why);
    }
    if (rc == QC_NOTFOUND) {
        QC_TRY(mark_of(v, path, &mark, call->notes, err));
        *ret_behind = mark > 0;
        if (mark > 0)
            return QC_FAIL(err, QC_INTEGRITY,
                           "entry: the gateway says that it never existed, number %" PRIu64
                           " is known: it is older than this client has seen (rollback)",
                           mark);
        *ret_found = false;
        return QC_OK;
    }
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    QC_TRY(check_answer(v, path, &e, ret_behind, &e.marked, call->notes, err));
    *ret = QC_STEAL(e);
    *ret_found = true;
    return QC_OK;
}

/* Between the answer and the look at the marks another command may have committed and raised them. What is
 * asked for after a mark was read cannot honestly be behind it: a second answer decides. */
qc_rc session_entry(struct vault *v, qc_span path, struct vault_gw_entry *ret, bool *ret_found,
                    const struct vault_call *call, struct qc_err *err)
{
    struct qc_err why = { 0 };
    bool behind = false;
    qc_rc rc = ask(v, path, ret, ret_found, &behind, call, &why);
    if (rc == QC_INTEGRITY && behind) {
        qc_err_clear(&why);
        rc = ask(v, path, ret, ret_found, &behind, call, &why);
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

void session_look(struct vault *v)
{
    QC_ASSERT(!v->looking);
    v->looking = true;
    qc_keys_loose_begin();
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (v->store[i] != NULL)
            qc_ignore(vault_store_look(v->store[i], &why), "each mark that is read says the same");
    }
}

void session_look_end(struct vault *v)
{
    if (!v->looking)
        return;
    v->looking = false;
    for (unsigned i = 0; i < 2; i++)
        if (v->store[i] != NULL)
            vault_store_look_end(v->store[i]);
    qc_keys_loose_end();
}

qc_rc session_entry_given(struct vault *v, qc_span path, struct vault_gw_entry *e, struct vault_gw_entry *ret,
                          bool *ret_found, const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry given = { 0 };
    struct qc_err why = { 0 };
    uint64_t mark = 0;
    bool behind = false;
    if (e == NULL) {
        QC_TRY(mark_of(v, path, &mark, call->notes, err));
        *ret_found = false;
        if (mark == 0)
            return QC_OK;
        session_look_end(v); /* what others write from here on counts */
        return session_entry(v, path, ret, ret_found, call, err);
    }
    given = QC_STEAL(*e);
    if (check_answer(v, path, &given, &behind, &given.marked, call->notes, &why) != QC_OK) {
        session_look_end(v);
        return session_entry(v, path, ret, ret_found, call, err);
    }
    *ret = QC_STEAL(given);
    *ret_found = true;
    return QC_OK;
}

qc_rc session_entry_found(struct vault *v, struct vault_gw_entry *e, struct vault_gw_entry *ret,
                          bool *ret_found, const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    struct qc_err why = { 0 };
    bool behind = false;
    if (check_known(v, e, &behind, &e->marked, call->notes, &why) == QC_OK) {
        *ret = QC_STEAL(*e);
        *ret_found = true;
        return QC_OK;
    }
    session_look_end(v);
    QC_TRY(qc_buf_add(&path, e->e.path, err));
    return session_entry(v, qc_buf_span(&path), ret, ret_found, call, err);
}

qc_rc session_entry_check(struct vault *v, qc_span path, const struct vault_gw_entry **e,
                          struct vault_gw_entry *newer, const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry now = { 0 };
    struct qc_err why = { 0 };
    bool behind = false, marked = false, found = false;
    qc_rc rc = check_answer(v, path, *e, &behind, &marked, call->notes, &why);
    if (rc == QC_INTEGRITY && behind) {
        session_look_end(v); /* what others write from here on counts */
        QC_TRY(session_entry(v, (*e)->e.path, &now, &found, call, err));
        if (found) {
            *newer = QC_STEAL(now);
            *e = newer;
            return QC_OK;
        }
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

qc_rc session_entry_is_file(struct vault_gw_entry *e, bool found, struct vault_gw_entry *ret,
                            struct qc_err *err)
{
    if (!found)
        return QC_FAIL(err, QC_NOTFOUND, "no object has this name");
    if (e->e.kind != VAULT_ENTRY_FILE)
        return QC_FAIL(err, QC_NOTFOUND, "it was removed");
    *ret = QC_STEAL(*e);
    return QC_OK;
}

qc_rc session_entry_of_name(struct vault *v, qc_span name, qc_buf *path, struct vault_gw_entry *ret,
                            const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    bool found = false;
    QC_TRY(vault_name_seal(path, v->ring, name, err));
    QC_TRY(session_entry(v, qc_buf_span(path), &e, &found, call, err));
    return session_entry_is_file(&e, found, ret, err);
}

void vault_stat_done(struct vault_stat *s)
{
    qc_buf_free(&s->name);
    *s = (struct vault_stat){ 0 };
}

qc_rc session_stat(struct vault *v, qc_span name, const struct vault_gw_entry *e, struct vault_stat *ret,
                   struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { .name = { .max = QC_VAULT_NAME_MAX } };
    struct vault_meta meta = { 0 };
    QC_TRY(qc_buf_add(&s.name, name, err));
    QC_TRY(vault_entry_private_open(&meta, &e->e, v->ring, err));
    memcpy(s.object, e->e.object, sizeof(s.object));
    memcpy(s.version, e->e.version, sizeof(s.version));
    s.number = e->e.number;
    s.sequence = e->e.sequence;
    s.size = meta.true_size;
    s.stored = e->e.size;
    s.has_mtime = meta.has_mtime;
    s.has_mode = meta.has_mode;
    s.mtime_s = meta.mtime_s;
    s.mtime_ns = meta.mtime_ns;
    s.mode = meta.mode;
    s.created_s = e->created;
    s.margin = e->margin;
    s.acked_margin = e->acked_margin;
    s.margin_full = e->margin_full;
    s.key_margin = v->store[0] != NULL && v->store[1] != NULL ? 1 : 0;
    *ret = QC_STEAL(s);
    return QC_OK;
}

qc_rc session_request(struct vault *v, char out[VAULT_REQUEST_ID_BYTES], struct qc_err *err)
{
    uint8_t id[16];
    QC_TRY(qc_rng_fill(&v->ids, id, sizeof(id), err));
    qc_hex(qc_span_of(id, sizeof(id)), out);
    v->gw->ops->set_request(v->gw, out);
    return QC_OK;
}

void session_note_faults(struct vault *v, const char *request, const struct vault_call *call)
{
    struct vault_gw_faults *f = qc_alloc(sizeof(*f));
    struct qc_err why = { 0 };
    if (f != NULL && v->gw->ops->faults(v->gw, request, f, &call->op, &why) == QC_OK) {
        for (size_t i = 0; i < f->n; i++) {
            struct vault_note note = { .kind = VAULT_NOTE_CLOUD, .rc = QC_QUORUM, .count = f->v[i].count };
            snprintf(note.cloud, sizeof(note.cloud), "%s", f->v[i].cloud);
            snprintf(note.text, sizeof(note.text), "%s", f->v[i].kind);
            vault_notes_add(call->notes, &note);
        }
    }
    qc_free(f);
}

struct vault_gw_version session_version(const uint8_t object[VAULT_ID_BYTES],
                                        const uint8_t version[VAULT_ID_BYTES])
{
    struct vault_gw_version ret;
    memcpy(ret.object, object, VAULT_ID_BYTES);
    memcpy(ret.version, version, VAULT_ID_BYTES);
    return ret;
}

struct vault_op session_settle_op(const struct vault_op *op)
{
    qc_deadline until = qc_deadline_in(QC_VAULT_SETTLE_MS);
    qc_deadline late = { op->deadline.at_ms + QC_VAULT_LATE_MS };
    if (op->deadline.at_ms != 0)
        until = qc_deadline_min(until, late);
    if (qc_deadline_over(op->deadline) || qc_cancel_is(op->cancel))
        until = qc_deadline_in(QC_VAULT_LATE_MS);
    return (struct vault_op){ .deadline = until };
}

qc_rc session_read_reason(struct vault_gw *gw, const char *request, const struct vault_op *op, qc_rc rc,
                          struct qc_err *err)
{
    if (rc != QC_TEMP && rc != QC_TIMEOUT && rc != QC_IO)
        return rc;
    struct vault_gw_faults *f = qc_alloc(sizeof(*f));
    struct qc_err why = { 0 };
    struct vault_op settle = session_settle_op(op);
    if (f != NULL && gw->ops->faults(gw, request, f, &settle, &why) == QC_OK && f->rc != QC_OK) {
        rc = f->rc;
        qc_err_set(err, rc, QC_HERE, "%s", f->message);
    }
    qc_free(f);
    return rc;
}

void session_progress(const struct vault_call *call, const struct vault_progress *p)
{
    if (call->progress != NULL)
        call->progress(call->progress_ctx, p);
}

const uint8_t *vault_id(const struct vault *v)
{
    return v->id;
}

struct vault_gw *vault_gateway(struct vault *v)
{
    return v->gw;
}

bool vault_derives(const struct vault *v, unsigned index)
{
    return v->store[index - 1] != NULL && vault_store_derives(v->store[index - 1]);
}

/* As vault_store_objects. QC_SHARES: that store is not open. */
qc_rc vault_share_objects(struct vault *v, unsigned index, uint64_t *ret, struct qc_err *err)
{
    if (v->store[index - 1] == NULL)
        return QC_FAIL(err, QC_SHARES, "share store %u is not open", index);
    return vault_store_objects(v->store[index - 1], ret, err);
}

bool vault_has_share(const struct vault *v, unsigned index)
{
    return v->store[index - 1] != NULL;
}
