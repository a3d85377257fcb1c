#include "put.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/planted.h"
#include "tickets.h"

static void put_done(struct put *p)
{
    sender_free(&p->sender);
    qc_free(p->clouds);
    vault_ways_free(&p->ways);
    qc_buf_free(&p->ways_text);
    vault_sealer_free(&p->sealer);
    vault_keys_done(&p->keys);
    vault_ticket_done(&p->taken);
    resume_close(&p->resume);
    journal_close(&p->journal);
    qc_buf_free(&p->path);
}

/* Is the current version, or none, what the put is meant to replace? */
static bool is_meant(const struct put *p, bool file, const uint8_t *version)
{
    static const uint8_t none[VAULT_ID_BYTES] = { 0 };
    const uint8_t *over = p->opts->over;
    return over == NULL || memcmp(over, file ? version : none, VAULT_ID_BYTES) == 0;
}

/* Object and version are the ticket's: what the name was is noted, as where one put covers another (rebase).
 */
static qc_rc take_ticket(struct put *p, const struct vault_entry *now, struct qc_err *err)
{
    QC_TRY(tickets_take(p->v, &p->taken, err));
    memcpy(p->ids.object, p->taken.object, VAULT_ID_BYTES);
    return now == NULL ? QC_OK : put_note_others(p, now, err);
}

/* What the put replaces, verified: number, object, sequence. */
static qc_rc look(struct put *p, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    bool found = false;
    QC_TRY(session_entry(p->v, qc_buf_span(&p->path), &e, &found, p->call, err));
    bool file = found && e.e.kind == VAULT_ENTRY_FILE;
    if (file && p->opts->if_absent)
        return QC_FAIL(err, QC_CONFLICT, "the name is taken");
    if (!is_meant(p, file, e.e.version))
        return QC_FAIL(err, QC_CONFLICT, "another version was stored meanwhile");
    const uint8_t *from = p->source->from;
    if (from != NULL && !(file && memcmp(e.e.version, from, VAULT_ID_BYTES) == 0))
        return QC_FAIL(err, QC_CONFLICT, "the object was changed meanwhile");
    p->seen = e.e;
    p->seen.path = p->seen.priv = (qc_span){ 0 };
    p->is_seen = found;
    p->base = found ? e.e.number : 0;
    p->ids.number = p->base + 1;
    p->ids.sequence = file && !p->ticket ? e.e.sequence + 1 : 1;
    p->before = file && !p->ticket ? e.e.number : 0;
    if (p->ticket)
        return take_ticket(p, file ? &e.e : NULL, err);
    if (file)
        memcpy(p->ids.object, e.e.object, VAULT_ID_BYTES);
    else
        QC_TRY(qc_rng_fill(&p->v->rng, p->ids.object, VAULT_ID_BYTES, err));
    return QC_OK;
}

qc_rc put_draw_keys(struct vault *v, const struct journal_put *ids, uint32_t generation, const qc_key *given,
                    struct vault_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *R1 = NULL, *R2 = NULL;
    for (unsigned i = 0; i < 2; i++)
        if (v->store[i] != NULL && vault_store_derives(v->store[i]))
            QC_TRY(vault_store_derive(i == 0 ? &R1 : &R2, v->store[i], generation, ids->object, ids->version,
                                      err));
    return vault_keys_draw_with(ret, R1, given != NULL ? given : R2, &v->rng, err);
}

/* Ids and keys. The version id is drawn with K and R, and never used for others. */
static qc_rc draw(struct put *p, struct qc_err *err)
{
    memcpy(p->ids.vault, p->v->id, VAULT_ID_BYTES);
    memcpy(p->ids.path_tag, p->path_tag, sizeof(p->path_tag));
    if (p->ticket)
        memcpy(p->ids.version, p->taken.version, VAULT_ID_BYTES);
    else
        QC_TRY(qc_rng_fill(&p->v->rng, p->ids.version, VAULT_ID_BYTES, err));
    QC_TRY(qc_rng_fill(&p->v->rng, p->ids.put_key, sizeof(p->ids.put_key), err));
    p->generation = session_generation(p->v);
    return put_draw_keys(p->v, &p->ids, p->generation, p->ticket ? p->taken.share : NULL, &p->keys, err);
}

/* The same, with where these bytes came from. What was drawn before is not this object's. */
static qc_rc draw_and_tell(struct put *p, struct qc_err *err)
{
    struct vault *v = p->v;
    if (v->tell != NULL)
        (void)v->tell(v->tell_ctx);
    QC_TRY(draw(p, err));
    const char *text = v->tell != NULL ? v->tell(v->tell_ctx) : v->provenance;
    if (text != NULL)
        p->meta.provenance = qc_span_str(text);
    return QC_OK;
}

/* R1 and R2 durable in both stores, before the first byte of N leaves (I1). */
static qc_rc add_records(struct put *p, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        struct vault_store_record r = { .generation = p->generation,
                                        .state = VAULT_RECORD_PENDING,
                                        .share = i == 0 ? p->keys.R1 : p->keys.R2 };
        memcpy(r.object, p->ids.object, VAULT_ID_BYTES);
        memcpy(r.version, p->ids.version, VAULT_ID_BYTES);
        if (p->v->store[i] == NULL) /* recorded when the ticket was drawn */
            continue;
        QC_TRY(vault_store_add(p->v->store[i], &r, 1, &p->v->rng, err));
        if (i == 0)
            QC_TRY(qc_fault(client_share1, err));
    }
    return qc_fault(client_shared, err);
}

static qc_rc begin(struct put *p, struct qc_err *err)
{
    /* The gateway hears of L, never of |D|. */
    const uint64_t n = p->source->size;
    struct vault_gw_begin b = { .base = p->base, .size = n == VAULT_SIZE_UNKNOWN ? n : put_padded(p->v, n) };
    memcpy(b.put_key, p->ids.put_key, sizeof(b.put_key));
    memcpy(b.object, p->ids.object, VAULT_ID_BYTES);
    memcpy(b.version, p->ids.version, VAULT_ID_BYTES);
    QC_TRY(journal_begin(&p->journal, p->v->state, &p->ids, err));
    p->begun = true;
    QC_TRY(qc_fault(client_journal, err));
    QC_TRY(p->v->gw->ops->upload_begin(p->v->gw, p->v->id, &b, &p->call->op, err));
    QC_TRY(qc_fault(client_begun, err));
    return qc_planted(shares_late) ? QC_OK : add_records(p, err);
}

/* After a failure: first the gateway's durable word that it will never be, then the pending records, then the
 * journal. What does not work now is done by the next command. */
static void abandon(struct put *p)
{
    struct vault_op op = session_settle_op(&p->call->op);
    const struct vault_gw_version version = session_version(p->ids.object, p->ids.version);
    struct qc_err why = { 0 };
    if (!p->begun)
        return;
    qc_rc rc = p->v->gw->ops->upload_cancel(p->v->gw, p->ids.put_key, &op, &why);
    if (rc == QC_OK)
        rc = qc_fault(client_cancelled, &why);
    if (rc == QC_OK && p->with_keeper)
        rc = kept_forget(p->v, &version, 1, &op, &why);
    for (unsigned i = 2; i > 0 && rc == QC_OK; i--) /* as journal_settle does */
        if (p->v->store[i - 1] != NULL)
            rc = vault_store_remove_pending(p->v->store[i - 1], p->ids.object, p->ids.version, &why);
    if (rc == QC_OK)
        rc = journal_end(&p->journal, &why);
    if (rc != QC_OK)
        vault_note(p->call->notes, VAULT_NOTE_UNFINISHED, 0, rc, "the next writing command clears up: %s",
                   why.msg);
}

static qc_rc start(struct put *p, struct qc_err *err)
{
    QC_TRY(kept_begin(p->v, &p->call->op, err)); /* not at the end of hours */
    if (p->left.what == PUT_GOES_ON)
        return put_adopt(p, err);
    QC_TRY(draw_and_tell(p, err));
    return begin(p, err);
}

/* An interrupted put of this very source had been committed, and nobody has written the name since. */
static bool is_stored(const struct put *p)
{
    return p->left.what == PUT_LIVE && p->is_seen && p->seen.kind == VAULT_ENTRY_FILE &&
           memcmp(p->seen.version, p->left.put.version, VAULT_ID_BYTES) == 0;
}

static qc_rc run(struct put *p, struct vault_put_result *ret, struct qc_err *err)
{
    QC_TRY(vault_name_seal(&p->path, p->v->ring, p->name, err));
    QC_TRY(vault_ring_path_tag(p->path_tag, p->v->ring, qc_buf_span(&p->path), err));
    QC_TRY(put_take_up(p, err));
    QC_TRY(journal_settle_anew(p->v, p->path_tag, p->call, err));
    if (!p->ticket)
        tickets_bring(p->v, p->call->notes);
    QC_TRY(look(p, err));
    if (is_stored(p)) {
        p->size = p->source->size;
        put_result(p, &p->seen, &p->left.receipt, ret);
        ret->kept = p->size;
        return QC_OK;
    }
    qc_rc rc = start(p, err);
    if (rc == QC_OK)
        rc = put_data(p, err);
    if (rc == QC_OK)
        rc = put_commit(p, ret, err);
    if (rc == QC_OK && qc_planted(shares_late))
        rc = add_records(p, err);
    if (rc != QC_OK && put_waits(p, rc)) {
        uint64_t sent = 0;
        ret->waits = true;
        if (p->sender != NULL)
            sender_progress(p->sender, &ret->kept, &sent);
        p->begun = false;
    }
    sender_free(&p->sender);
    if (rc != QC_OK)
        abandon(p);
    return rc;
}

qc_rc vault_put(struct vault *v, qc_span name, const struct vault_source *source,
                const struct vault_put_opts *opts, const struct vault_call *call,
                struct vault_put_result *ret, struct qc_err *err)
{
    QC_CLEANUP(put_done) struct put p = {
        .v = v, .call = call, .source = source, .opts = opts, .name = name
    };
    char text[NAME_TEXT];
    p.path.max = QC_VAULT_PATH_MAX;
    p.ways_text.max = QC_VAULT_WAYS_TEXT_MAX;
    p.meta = (struct vault_meta){ .has_mtime = source->has_mtime,
                                  .has_mode = source->has_mode,
                                  .mtime_s = source->mtime_s,
                                  .mtime_ns = source->mtime_ns,
                                  .mode = source->mode,
                                  .xattrs = source->xattrs,
                                  .folder = source->has_mode && S_ISDIR(source->mode),
                                  .has_from = source->from != NULL };
    if (source->from != NULL)
        memcpy(p.meta.from, source->from, VAULT_ID_BYTES);
    session_name_text(text, name);
    ret->open = ret->waits = false;
    ret->kept = ret->sent = 0;
    ret->anew[0] = '\0';
    QC_TRY(vault_name_check(name, err));
    p.ticket = tickets_may(v) && source->from == NULL;
    if (!p.ticket)
        QC_TRY(session_need_both(v, err));
    if (v->state == NULL)
        return QC_FAIL(err, QC_NOTCONF, "no directory for the journal of puts");
    qc_rc rc = run(&p, ret, err);
    ret->written = rc == QC_OK ? put_clouds_written(v, p.ids.put_key, call) : 0;
    ret->open = p.open;
    memcpy(ret->anew, p.anew, sizeof(ret->anew));
    QC_TRY_AS(rc, err, "%s", text);
    return QC_OK;
}
