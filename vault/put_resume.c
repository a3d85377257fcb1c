/* A put goes on where an interrupted one was: FORMAT 10.9, seal.md 3.6.
 *
 * P1: bytes that were sealed and have left the memory are never sealed again under their salt: what is sent
 * anew is of a new epoch, whatever the file says by now (I4).
 *
 * P2: an object is of one file in one state. The file's identity is the one noted at the first byte, and the
 * last segment that is durable and has bytes of it, sealed again in memory, has the tags that it had, and so
 * have zeros behind it; at the end of every put the identity is compared once more. Where anything differs,
 * or cannot be told, all is begun anew, under a new version.
 *
 * P3: what counts as durable is the gateway's word, never the record's: the record says only which tags and
 * salts those segments have. */
#include "put.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fault.h"

#define CHUNK ((size_t)1 << VAULT_CHUNK_LOG2)

/* -- while it runs --------------------------------------------------------------------------------------- */

/* Going on takes the file again, and both shares: the record opens with them. */
static bool can_wait(const struct put *p)
{
    return p->source->id != NULL && p->source->seek != NULL && !p->ticket;
}

static qc_rc begin_record(struct put *p, struct qc_err *err)
{
    struct resume_head h = {
        .file = *p->source->id, .before = p->before, .name = p->name, .provenance = p->meta.provenance
    };
    memcpy(h.salt, vault_sealer_salt(p->sealer), sizeof(h.salt));
    return resume_begin(&p->resume, &p->journal, &p->ids, &p->keys, &h, err);
}

qc_rc put_record(struct put *p, struct qc_err *err)
{
    if (!can_wait(p))
        return QC_OK;
    if (p->resume == NULL)
        QC_TRY(begin_record(p, err));
    QC_TRY(resume_segment(p->resume, vault_sealer_tags(p->sealer), err));
    return qc_fault(client_segment, err);
}

uint64_t put_kept(const struct put *p)
{
    const uint64_t durable = (uint64_t)p->first * SEGMENT_DATA;
    return durable < p->source->size ? durable : p->source->size;
}

bool put_waits(struct put *p, qc_rc rc)
{
    uint64_t done = 0, sent = 0;
    struct qc_err unused = { 0 };
    if (p->resume == NULL || !p->begun)
        return false;
    if (p->sender != NULL) {
        qc_ignore(sender_drain(p->sender, &unused), "what is under way ends; why it failed is known");
        sender_progress(p->sender, &done, &sent);
    } else
        done = p->size;
    return done > 0 && (rc == QC_CANCELLED || qc_rc_retry(rc));
}

/* -- what is left of one that was interrupted ------------------------------------------------------------ */

static void told(const struct put *p, uint64_t durable, const char *why)
{
    if (p->opts->took_up != NULL)
        p->opts->took_up(p->opts->took_up_ctx, durable, why);
}

/* The put's local shares: both, or it cannot go on. */
static qc_rc shares_of(struct put *p, const struct journal_put *put, qc_key *ret[2], struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
        QC_TRY(vault_store_get(p->v->store[i], put->object, put->version, &r, err));
        if (i > 0 && r.generation != p->generation)
            return QC_FAIL(err, QC_NOTFOUND, "its shares are of two generations");
        p->generation = r.generation;
        ret[i] = QC_STEAL(r.share);
    }
    return QC_OK;
}

static void shares_done(qc_key *(*shares)[2])
{
    qc_key_free(&(*shares)[0]);
    qc_key_free(&(*shares)[1]);
}

static qc_rc open_record(struct put *p, const struct journal *j, const struct journal_put *put,
                         struct qc_err *err)
{
    QC_CLEANUP(shares_done) qc_key *shares[2] = { NULL, NULL };
    QC_TRY(shares_of(p, put, shares, err));
    return resume_open(&p->resume, j, put, shares, &p->keys, &p->head, err);
}

static void let_go(struct put *p)
{
    resume_close(&p->resume);
    vault_sealer_free(&p->sealer);
    vault_keys_done(&p->keys);
}

/* Is it one of those that say: of no use? All others end the put. */
static bool is_of_no_use(qc_rc rc)
{
    return rc == QC_NOTFOUND || rc == QC_FORMAT || rc == QC_INTEGRITY || rc == QC_NEWER ||
           rc == QC_CONFLICT || rc == QC_LIMIT || rc == QC_CHANGED;
}

/* -- comparing ------------------------------------------------------------------------------------------- */

struct replaying {
    struct put *p;
    uint8_t *buf;   /* CHUNK bytes */
    uint32_t first; /* from this segment on the file is compared */
};

/* Chunk i: of D, and zeros behind its end. */
static qc_rc read_chunk(struct put *p, uint64_t i, uint8_t *buf, struct qc_err *err)
{
    const uint64_t at = i * CHUNK, size = p->source->size, left = size > at ? size - at : 0;
    const size_t want = left < CHUNK ? (size_t)left : CHUNK;
    for (size_t got = 0; got < want;) {
        size_t n = 0;
        QC_TRY(qc_go_on(p->call->op.deadline, p->call->op.cancel, "put", err));
        QC_TRY(p->source->read(p->source->ctx, buf + got, want - got, &n, err));
        if (n == 0)
            return QC_FAIL(err, QC_CHANGED, "the file is shorter than it was");
        got += n;
    }
    memset(buf + want, 0, CHUNK - want);
    return QC_OK;
}

static qc_rc replay(void *ctx, uint32_t seq, const uint8_t salt[RESUME_SALT], const uint8_t *tags,
                    struct qc_err *err)
{
    const struct replaying *r = ctx;
    struct put *p = r->p;
    for (unsigned i = 0; seq >= r->first && i < QC_VAULT_SEGMENT_CHUNKS; i++) {
        const uint64_t chunk = (uint64_t)seq * QC_VAULT_SEGMENT_CHUNKS + i;
        bool same = false;
        QC_TRY(read_chunk(p, chunk, r->buf, err));
        QC_TRY(vault_sealer_proves(p->sealer, salt, chunk, r->buf, tags + (size_t)i * VAULT_TAG_PAIR, &same,
                                   err));
        if (!same)
            return QC_FAIL(err, QC_CHANGED, "the file has other bytes than those that are stored");
    }
    return vault_sealer_replay(p->sealer, salt, qc_span_of(tags, RESUME_TAGS), err);
}

/* The last durable segment that has bytes of D: zeros behind it prove nothing of the file (P2). */
static uint32_t last_of_data(const struct put *p)
{
    const uint64_t size = p->source->size, last = size > 0 ? (size - 1) / SEGMENT_DATA : 0;
    return last < p->first ? (uint32_t)last : p->first - 1;
}

/* The sealer as it was behind segment p->first - 1. Where the device has another number than then (it may,
 * after a boot), all is compared, else from that segment on. */
static qc_rc replay_all(struct put *p, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) uint8_t *buf = qc_alloc(CHUNK);
    struct vault_sealer_params params = { 0 };
    const bool all = p->head.file.device != p->source->id->device;
    struct replaying r = { .p = p, .buf = buf, .first = all ? 0 : last_of_data(p) };
    if (buf == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to compare the file");
    memcpy(params.ids.vault, p->left.put.vault, VAULT_ID_BYTES);
    memcpy(params.ids.object, p->left.put.object, VAULT_ID_BYTES);
    memcpy(params.ids.version, p->left.put.version, VAULT_ID_BYTES);
    memcpy(params.salt, p->head.salt, sizeof(params.salt));
    QC_TRY(vault_sealer_new(&p->sealer, &p->keys, &params, err));
    QC_TRY(p->source->seek(p->source->ctx, r.first * SEGMENT_DATA, err));
    return resume_each(p->resume, p->first, replay, &r, err);
}

/* A new run, and what there is for it. */
static qc_rc ask_gateway(struct put *p, struct qc_err *err)
{
    struct vault_gw *gw = p->v->gw;
    struct vault_gw_resumed now = { 0 };
    QC_TRY(gw->ops->upload_resume(gw, p->left.put.put_key, resume_count(p->resume), &now, &p->call->op, err));
    if (now.run <= resume_run(p->resume))
        return QC_FAIL(err, QC_CONFLICT, "the gateway is older than what it was sent");
    p->run = now.run;
    p->first = now.segments;
    return qc_fault(client_resumed, err);
}

static qc_rc compare(struct put *p, struct qc_err *err)
{
    if (!vault_source_same_elsewhere(p->source->id, &p->head.file))
        return QC_FAIL(err, QC_CHANGED, "the file has changed since, or is another one");
    QC_TRY(ask_gateway(p, err));
    if (p->first == 0)
        return QC_FAIL(err, QC_NOTFOUND, "the gateway has none of it any more");
    /* All lies in segments that are there, and are not the last: it was to be padded, then. */
    if ((uint64_t)p->first * SEGMENT_DATA >= put_padded(p->v, p->source->size))
        return QC_FAIL(err, QC_CHANGED, "it was padded, and is not to be now");
    return replay_all(p, err);
}

/* -- taking up ------------------------------------------------------------------------------------------- */

/* LIVE, if it is that or about to be; else as the gateway says. */
static qc_rc ask_state(struct put *p, const struct journal_put *put, enum vault_upload_state *ret,
                       struct qc_err *err)
{
    struct vault_gw *gw = p->v->gw;
    for (unsigned i = 0; i < QC_RETRY_MAX; i++) {
        QC_TRY(gw->ops->upload_state(gw, put->put_key, ret, &p->left.receipt, &p->call->op, err));
        if (*ret != VAULT_UPLOAD_DECIDED)
            return QC_OK;
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    }
    return QC_FAIL(err, QC_TEMP, "an interrupted put of it is decided, and not done yet");
}

/* It had been committed: settled here, for who put the same file again is to hear that it is stored. */
static qc_rc take_live(struct put *p, struct journal *j, const struct journal_put *put, struct qc_err *err)
{
    const bool same = vault_source_same_elsewhere(p->source->id, &p->head.file);
    QC_TRY(journal_finish(p->v, put, p->left.receipt.number, err));
    QC_TRY(journal_end(j, err));
    if (same)
        p->left.what = PUT_LIVE;
    let_go(p);
    return QC_OK;
}

static qc_rc take_open(struct put *p, struct journal *j, struct qc_err *err)
{
    uint8_t salt[RESUME_SALT];
    QC_TRY(compare(p, err));
    QC_TRY(qc_rng_fill(&p->v->rng, salt, sizeof(salt), err)); /* P1 */
    QC_TRY(vault_sealer_epoch(p->sealer, salt, err));
    QC_TRY(resume_go_on(p->resume, p->first, p->run, salt, err));
    p->left.what = PUT_GOES_ON;
    p->size = put_kept(p);
    p->journal = QC_STEAL(*j);
    return QC_OK;
}

static qc_rc take(struct put *p, struct journal *j, struct qc_err *err)
{
    enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
    const struct journal_put *put = &p->left.put;
    QC_TRY(open_record(p, j, put, err));
    QC_TRY(ask_state(p, put, &state, err));
    if (state == VAULT_UPLOAD_LIVE)
        return take_live(p, j, put, err);
    if (state != VAULT_UPLOAD_OPEN)
        return QC_FAIL(err, QC_NOTFOUND, "the gateway has none of it any more");
    if (resume_count(p->resume) == 0) /* not one segment: nothing that anybody would miss */
        return QC_OK;
    return take_open(p, j, err);
}

qc_rc put_take_up(struct put *p, struct qc_err *err)
{
    QC_CLEANUP(journal_close) struct journal j = { 0 };
    struct qc_err why = { 0 };
    bool found = false;
    if (p->opts->anew || !can_wait(p))
        return QC_OK;
    QC_TRY(journal_find(&j, &p->left.put, &found, p->v, p->path_tag, err));
    if (!found)
        return QC_OK;
    const qc_rc rc = take(p, &j, &why);
    if (rc != QC_OK && !is_of_no_use(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        snprintf(p->anew, sizeof(p->anew), "%.255s", why.msg);
        told(p, 0, p->anew);
    }
    if (p->left.what == PUT_GOES_ON)
        return QC_OK;
    let_go(p);
    p->run = p->first = 0;
    return p->left.what == PUT_LIVE ? QC_OK : p->source->seek(p->source->ctx, 0, err);
}

qc_rc put_adopt(struct put *p, struct qc_err *err)
{
    const uint64_t size = p->size;
    p->ids = p->left.put;
    p->base = p->ids.number - 1;
    p->before = p->head.before;
    p->meta.provenance = p->head.provenance;
    p->begun = p->with_keeper = true;
    if (p->is_seen && p->seen.number != p->base)
        QC_TRY(put_renumber(p, &p->seen, err));
    told(p, size, NULL);
    return QC_OK;
}
