#include "put_many.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/workq.h"
#include "gw_json.h"
#include "tickets.h"

enum { SHOW_MS = 200 };

static void many_done(struct many *b)
{
    for (size_t i = 0; b->m != NULL && i < b->what.count; i++) {
        qc_buf_free(&b->m[i].path);
        qc_buf_free(&b->m[i].backup);
        qc_buf_free(&b->m[i].priv);
        vault_ticket_done(&b->m[i].taken);
    }
    qc_free(b->m);
    qc_free(b->clouds);
    qc_cond_done(&b->changed);
    qc_mutex_done(&b->lock);
    qc_free(b->noted);
    qc_free(b->receipt);
    qc_buf_free(&b->segment);
    vault_name_folder_done(&b->folder);
    qc_buf_free(&b->ways_text);
    vault_ways_free(&b->ways);
    journal_close(&b->journal);
}

static void many_free(struct many **bp)
{
    if (*bp == NULL)
        return;
    many_done(*bp);
    qc_free(*bp);
    *bp = NULL;
}

void many_out(struct many_member *m, bool again, qc_rc rc, const struct qc_err *why)
{
    m->fate = MANY_OUT;
    m->again = again;
    m->rc = rc;
    m->err = *why;
}

size_t many_count(const struct many *b, enum many_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < b->what.count; i++)
        n += b->m[i].fate == fate;
    return n;
}

/* -- what they replace ----------------------------------------------------------------------------------- */

static qc_rc name_member(struct many *b, struct many_member *m, struct qc_err *err)
{
    m->path.max = QC_VAULT_PATH_MAX;
    QC_TRY(vault_name_seal_next(&m->path, &b->folder, b->v->ring, m->item->name, err));
    QC_TRY(vault_ring_path_tag(m->ids.path_tag, b->v->ring, qc_buf_span(&m->path), err));
    memcpy(m->ids.vault, b->v->id, VAULT_ID_BYTES);
    return QC_OK;
}

/* Is the current version, or none, what the put is meant to replace? */
static bool is_meant(const struct many_member *m, bool file, const uint8_t *version)
{
    static const uint8_t none[VAULT_ID_BYTES] = { 0 };
    const uint8_t *over = m->item->over;
    return over == NULL || memcmp(over, file ? version : none, VAULT_ID_BYTES) == 0;
}

/* given: what the gateway has said; NULL: that there is nothing. */
static qc_rc look(struct many *b, struct many_member *m, struct vault_gw_entry *given, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    bool found = false;
    QC_TRY(session_entry_given(b->v, qc_buf_span(&m->path), given, &e, &found, &b->call, err));
    const bool file = found && e.e.kind == VAULT_ENTRY_FILE;
    if (file && b->what.if_absent)
        return QC_FAIL(err, QC_CONFLICT, "the name is taken");
    if (!is_meant(m, file, e.e.version))
        return QC_FAIL(err, QC_CONFLICT, "another version was stored meanwhile");
    m->ids.number = (found ? e.e.number : 0) + 1;
    m->ids.sequence = file && !b->ticket ? e.e.sequence + 1 : 1;
    m->fresh = !file && !b->ticket;
    if (file && !b->ticket)
        memcpy(m->ids.object, e.e.object, VAULT_ID_BYTES);
    m->covers = file && b->ticket;
    if (m->covers) {
        m->before = (struct vault_store_removal){ .number = m->ids.number,
                                                  .when_s = qc_wall_s(),
                                                  .sequence = e.e.sequence };
        memcpy(m->before.path_tag, m->ids.path_tag, sizeof(m->before.path_tag));
        memcpy(m->before.object, e.e.object, VAULT_ID_BYTES);
    }
    return QC_OK;
}

/* The gateway's entries come in the order of the paths that were asked for; some have none. */
struct looking {
    struct many *b;
    struct many_member *asked[QC_VAULT_CALL_FILES];
    size_t count, next;
};

static void look_at(struct looking *l, struct vault_gw_entry *given)
{
    struct many_member *m = l->asked[l->next++];
    struct qc_err why = { 0 };
    const qc_rc rc = look(l->b, m, given, &why);
    if (rc != QC_OK)
        many_out(m, false, rc, &why);
}

struct answers {
    struct vault_gw_entry *v;
    size_t n;
};

static qc_rc keep_answer(void *ctx, const struct vault_gw_entry *e, struct qc_err *err)
{
    struct answers *a = ctx;
    return gw_entry_copy(&a->v[a->n++], e, err);
}

static void answers_done(struct answers *a)
{
    for (size_t i = 0; i < a->n; i++)
        vault_gw_entry_done(&a->v[i]);
    qc_free(a->v);
}

/* Another order, or an entry that nobody asked for, leaves answers over. */
static qc_rc hand_out(struct looking *l, struct answers *a, struct qc_err *err)
{
    size_t at = 0;
    for (size_t i = 0; i < l->count; i++) {
        const bool mine =
            at < a->n && qc_span_eq(qc_buf_span(&a->v[at].path), qc_buf_span(&l->asked[i]->path));
        look_at(l, mine ? &a->v[at++] : NULL);
    }
    return at == a->n ? QC_OK : QC_FAIL(err, QC_FORMAT, "entries: of other paths than those asked for");
}

static qc_rc look_some(struct looking *l, struct qc_err *err)
{
    QC_CLEANUP(answers_done) struct answers a = { 0 };
    struct many *b = l->b;
    qc_span paths[QC_VAULT_CALL_FILES];
    if (l->count == 0)
        return QC_OK;
    for (size_t i = 0; i < l->count; i++)
        paths[i] = qc_buf_span(&l->asked[i]->path);
    a.v = qc_alloc(l->count * sizeof(*a.v));
    if (a.v == NULL)
        return QC_FAIL(err, QC_NOMEM, "entries");
    const struct vault_gw_some take = { keep_answer, &a };
    QC_TRY(b->v->gw->ops->entry_some(b->v->gw, b->v->id, paths, l->count, &take, &b->call.op, err));
    session_look(b->v);
    const qc_rc rc = hand_out(l, &a, err);
    session_look_end(b->v);
    return rc;
}

static qc_rc look_all(struct many *b, struct qc_err *err)
{
    struct looking l = { .b = b };
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        struct qc_err why = { 0 };
        const qc_rc rc = name_member(b, m, &why);
        if (rc != QC_OK) {
            many_out(m, false, rc, &why);
            continue;
        }
        l.asked[l.count++] = m;
        if (l.count < QC_VAULT_CALL_FILES)
            continue;
        QC_TRY(look_some(&l, err));
        l = (struct looking){ .b = b };
    }
    return look_some(&l, err);
}

/* -- sending --------------------------------------------------------------------------------------------- */

static qc_rc note(struct many *b, struct qc_err *err)
{
    b->noted = qc_alloc(sizeof(*b->noted));
    if (b->noted == NULL)
        return QC_FAIL(err, QC_NOMEM, "journal");
    memcpy(b->noted->vault, b->v->id, VAULT_ID_BYTES);
    memcpy(b->noted->put_key, b->put_key, sizeof(b->put_key));
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_IN)
            b->noted->v[b->noted->count++] = b->m[i].ids;
    QC_TRY(journal_begin_bundle(&b->journal, b->v->state, b->noted, err));
    b->begun = true;
    return qc_fault(client_journal, err);
}

struct store_job {
    struct many *b;
    many_store_fn fn;
    unsigned i;
    struct many_said said;
};

static void run_store(void *arg)
{
    struct store_job *j = arg;
    qc_keys_loose_begin();
    j->said.rc = j->fn(j->b, j->i, &j->said.why);
    qc_keys_loose_end();
}

qc_rc many_second(struct vault *v, qc_job job, void *arg, struct qc_err *err)
{
    if (v->second == NULL)
        QC_TRY(qc_workq_new(&v->second, 1, 1, err));
    return qc_workq_submit(v->second, job, arg, QC_NO_DEADLINE, err);
}

void many_both(struct many *b, many_store_fn fn, struct many_said ret[2])
{
    struct vault *v = b->v;
    struct store_job job[2] = { { .b = b, .fn = fn, .i = 0 }, { .b = b, .fn = fn, .i = 1 } };
    struct qc_err why = { 0 };
    /* Store 2 may be elsewhere: what it has are tickets' records. */
    const bool has = v->store[1] != NULL && many_second(v, run_store, &job[1], &why) == QC_OK;
    run_store(&job[0]);
    if (has)
        qc_workq_drain(v->second);
    else if (v->store[1] != NULL)
        run_store(&job[1]);
    for (unsigned i = 0; i < 2; i++)
        ret[i] = job[i].said;
}

static qc_rc add_to(struct many *b, unsigned s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct store_sealed *rows = qc_alloc(b->what.count * sizeof(*rows));
    size_t n = 0;
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "records");
    for (size_t i = 0; i < b->what.count; i++)
        if (b->m[i].fate == MANY_IN)
            rows[n++] = b->m[i].share[s];
    QC_TRY(store_pending_add(b->v->store[s], rows, n, err));
    return s == 0 ? qc_fault(client_share1, err) : QC_OK;
}

/* R1s and R2s durable in both stores, before the first byte of an N leaves (I1). Those that are out lie
 * between the others. */
static qc_rc add_records(struct many *b, struct qc_err *err)
{
    struct many_said said[2];
    for (size_t i = 0; i < b->what.count; i++)
        b->m[i].drawn = b->m[i].fate == MANY_IN;
    many_both(b, add_to, said);
    for (unsigned i = 0; i < 2; i++)
        if (said[i].rc != QC_OK) {
            *err = said[i].why;
            return said[i].rc;
        }
    return qc_fault(client_shared, err);
}

/* All that comes before the first byte leaves. */
static qc_rc begin(struct many *b, struct qc_err *err)
{
    struct vault_gw *gw = b->v->gw;
    struct vault_gw_begin begin = { .size = b->segment.n };
    memcpy(begin.put_key, b->put_key, sizeof(begin.put_key));
    memcpy(begin.object, b->object, VAULT_ID_BYTES);
    memcpy(begin.version, b->version, VAULT_ID_BYTES);
    QC_TRY(note(b, err));
    QC_TRY(kept_begin(b->v, &b->call.op, err));
    QC_TRY(gw->ops->upload_begin(gw, b->v->id, &begin, &b->call.op, err));
    QC_TRY(qc_fault(client_begun, err));
    QC_TRY(add_records(b, err));
    return vault_ways_new(&b->ways, err);
}

static qc_rc send(struct many *b, struct qc_err *err)
{
    struct vault_gw_segment durable = { 0 };
    const struct vault_gw_part part = { .put_key = b->put_key,
                                        .last = true,
                                        .hasty = b->what.hasty,
                                        .bytes = qc_buf_span(&b->segment),
                                        .ways = b->ways };
    QC_TRY(b->gw->ops->segment_put(b->gw, &part, &durable, &b->call.op, err));
    b->ways_text.max = QC_VAULT_WAYS_TEXT_MAX;
    QC_TRY(vault_ways_print(b->ways, &b->ways_text, err));
    QC_TRY(qc_fault(client_sent, err));
    return many_entries(b, err);
}

/* Last of all, so that a file that changed during the put is never committed (seal.md 3.6). */
static void drop_changed(struct many *b)
{
    for (size_t i = 0; i < b->what.count; i++) {
        struct many_member *m = &b->m[i];
        const struct vault_source *s = m->item->source;
        struct qc_err why = { 0 };
        if (m->fate != MANY_IN || s->unchanged == NULL)
            continue;
        const qc_rc rc = s->unchanged(s->ctx, m->meta.true_size, &why);
        if (rc != QC_OK)
            many_out(m, false, rc, &why);
    }
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static qc_rc prepare(struct many *b, struct qc_err *err)
{
    b->ticket = tickets_may(b->v);
    if (!b->ticket)
        QC_TRY(session_need_both(b->v, err));
    if (b->v->state == NULL)
        return QC_FAIL(err, QC_NOTCONF, "no directory for the journal of puts");
    QC_TRY(journal_settle(b->v, NULL, &b->call, err));
    if (!b->ticket)
        tickets_bring(b->v, b->call.notes);
    QC_TRY(qc_rng_fill(&b->v->ids, b->put_key, sizeof(b->put_key), err));
    QC_TRY(qc_rng_fill(&b->v->ids, b->object, sizeof(b->object), err));
    QC_TRY(qc_rng_fill(&b->v->ids, b->version, sizeof(b->version), err));
    b->receipt = qc_alloc(sizeof(*b->receipt));
    if (b->receipt == NULL)
        return QC_FAIL(err, QC_NOMEM, "receipt");
    QC_TRY(look_all(b, err));
    if (!b->ticket)
        return many_seal(b, err);
    qc_rc rc = many_take_tickets(b, err);
    if (rc == QC_OK)
        rc = many_seal(b, err);
    many_return_tickets(b);
    return rc;
}

static void tell(struct many *b, size_t i)
{
    struct many_member *m = &b->m[i];
    const struct vault_gw_receipt *receipt = b->receipt;
    char text[NAME_TEXT];
    struct vault_put_result r = { .open = m->fate == MANY_OPEN };
    if (m->fate != MANY_LIVE) {
        session_name_text(text, m->item->name);
        qc_err_wrap(&m->err, "%s", text);
        b->what.told(b->what.ctx, i, m->rc, m->again, &r, &m->err);
        return;
    }
    r.number = m->ids.number;
    r.sequence = m->ids.sequence;
    r.size = m->meta.true_size;
    r.stored = m->stored;
    r.padding = m->padding;
    memcpy(r.object, m->ids.object, sizeof(r.object));
    memcpy(r.version, m->ids.version, sizeof(r.version));
    put_result_take(&r, receipt);
    r.written = b->written;
    b->written = 0;
    b->what.told(b->what.ctx, i, QC_OK, false, &r, &m->err);
}

static void tell_all(struct many *b)
{
    for (size_t i = 0; i < b->what.count; i++)
        tell(b, i);
}

/* -- three at a time --------------------------------------------------------------------------------------
 */

static void carried(struct many *b)
{
    QC_LOCK(&b->lock);
    b->carried = true;
    qc_cond_wake_all(&b->changed);
}

/* Of the thread that commits: one after the other, in the order in which they were sent. */
static void commit(void *arg)
{
    struct many *b = arg;
    qc_keys_loose_begin();
    if (b->rc == QC_OK)
        drop_changed(b);
    if (b->rc == QC_OK && many_count(b, MANY_IN) > 0) {
        b->rc = many_ask(b, &b->why);
        b->asked = b->rc == QC_OK;
    }
    qc_keys_loose_end();
    carried(b);
}

/* Of the thread that sends. */
static void carry(void *arg)
{
    struct many *b = arg;
    struct qc_err why = { 0 };
    qc_keys_loose_begin();
    b->rc = send(b, &b->why);
    qc_keys_loose_end();
    b->gw = b->v->committer_gw;
    if (qc_workq_submit(b->v->committer, commit, b, QC_NO_DEADLINE, &why) == QC_OK)
        return;
    if (b->rc == QC_OK) { /* which nothing but its end brings about, and that waits for this */
        b->rc = why.rc;
        b->why = why;
    }
    carried(b);
}

static bool is_carried(struct many *b)
{
    const qc_deadline d = qc_deadline_in(SHOW_MS);
    bool in_time = true;
    QC_LOCK(&b->lock);
    while (!b->carried && in_time)
        in_time = qc_cond_wait(&b->changed, &b->lock, d);
    return b->carried;
}

/* Its bytes are durable all at once; the clouds are asked of one that takes a while. */
static void show_carried(struct many *b)
{
    struct vault_progress now = { .total = b->total };
    for (b->clouds_ms = qc_now_ms(); !is_carried(b);) {
        if (b->call.clouds)
            put_clouds_look_at(b->v, b->put_key, &b->call, &b->clouds, &b->clouds_ms);
        now.clouds = b->clouds;
        session_progress(&b->call, &now);
    }
}

/* It was carried, or never will be. */
static void finish(struct many *b)
{
    b->gw = b->v->gw;
    qc_keys_loose_begin();
    b->written = b->asked ? put_clouds_written(b->v, b->put_key, &b->call) : 0;
    if (b->asked)
        many_follow(b);
    else
        many_give_up(b, b->rc, &b->why);
    qc_keys_loose_end();
    tell_all(b);
}

/* Threads, and a connection for each. */
static qc_rc find_carriers(struct vault *v, struct qc_err *err)
{
    if (v->sender_gw == NULL)
        QC_TRY(v->gw->ops->clone(v->gw, &v->sender_gw, err));
    if (v->committer_gw == NULL)
        QC_TRY(v->gw->ops->clone(v->gw, &v->committer_gw, err));
    if (v->committer == NULL)
        QC_TRY(qc_workq_new(&v->committer, 1, QC_VAULT_BUNDLES_AHEAD, err));
    return v->sender != NULL ? QC_OK : qc_workq_new(&v->sender, 1, QC_VAULT_BUNDLES_AHEAD, err);
}

/* The oldest of those on their way, carried. */
static struct many *oldest(struct vault *v)
{
    struct many *b = v->under_way[0];
    show_carried(b);
    v->under_way_count--;
    for (size_t i = 0; i < v->under_way_count; i++)
        v->under_way[i] = v->under_way[i + 1];
    return b;
}

static void end_all(struct vault *v)
{
    while (v->under_way_count > 0) {
        QC_CLEANUP(many_free) struct many *b = oldest(v);
        finish(b);
    }
}

/* b is on its way, and the gateway does not wait for what is left to do here of the one that made room for
 * it. */
static void set_out(struct vault *v, struct many **bp)
{
    QC_CLEANUP(many_free) struct many *before =
        v->under_way_count == QC_VAULT_BUNDLES_AHEAD ? oldest(v) : NULL;
    struct many *b = QC_STEAL(*bp);
    struct qc_err why = { 0 };
    b->gw = v->sender_gw;
    for (size_t i = 0; i < b->what.count; i++)
        b->total += b->m[i].fate == MANY_IN ? b->m[i].meta.true_size : 0;
    v->under_way[v->under_way_count++] = b;
    if (qc_workq_submit(v->sender, carry, b, QC_NO_DEADLINE, &why) != QC_OK) {
        b->rc = why.rc; /* as in carry */
        b->why = why;
        carried(b);
    }
    if (before != NULL)
        finish(before);
}

/* Where there is no thread to be had: by this one. */
static void carry_here(struct many *b)
{
    b->gw = b->v->gw;
    b->rc = send(b, &b->why);
    commit(b);
    finish(b);
}

static void put(struct many **bp)
{
    struct many *b = *bp;
    struct qc_err why = { 0 };
    qc_keys_loose_begin();
    b->rc = prepare(b, &b->why);
    const bool any = b->rc != QC_OK || many_count(b, MANY_IN) > 0;
    if (b->rc == QC_OK && any)
        b->rc = begin(b, &b->why);
    qc_keys_loose_end();
    const bool sealed = b->rc == QC_OK && any;
    if (sealed && find_carriers(b->v, &why) == QC_OK) {
        set_out(b->v, bp);
        return;
    }
    end_all(b->v); /* it is told of in its turn */
    if (sealed)
        carry_here(b);
    else if (any)
        finish(b);
    else
        tell_all(b);
}

void vault_put_many(struct vault *v, const struct vault_put_many *what, const struct vault_call *call)
{
    QC_CLEANUP(many_free) struct many *b = qc_alloc(sizeof(*b));
    QC_ASSERT(what->count >= 1 && what->count <= QC_VAULT_BUNDLE_FILES);
    if (b != NULL) {
        *b = (struct many){ .v = v, .what = *what, .call = *call };
        qc_mutex_init(&b->lock);
        qc_cond_init(&b->changed);
        b->m = qc_alloc(what->count * sizeof(*b->m));
    }
    if (b == NULL || b->m == NULL) {
        struct qc_err why = { 0 };
        struct vault_put_result none = { 0 };
        qc_err_set(&why, QC_NOMEM, QC_HERE, "no memory for %zu files", what->count);
        vault_put_many_end(v);
        for (size_t i = 0; i < what->count; i++)
            what->told(what->ctx, i, QC_NOMEM, false, &none, &why);
        return;
    }
    for (size_t i = 0; i < what->count; i++)
        b->m[i].item = &what->items[i];
    put(&b);
}

void vault_put_many_end(struct vault *v)
{
    end_all(v);
}
