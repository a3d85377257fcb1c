/* The chunks of a version, in order: fetched ahead by two threads, so that the gateway reads one run from the
 * clouds while it sends the other; verified by the caller's (I2), each when it is there; handed on by a
 * third, so that a disk or a pipe is written to meanwhile. A run whose last chunk was handed on makes room
 * for the next one.
 *
 * Keeps I6: two runs of chunks are in memory, one segment together: what a get fetches again that was killed
 * is no more than that. Whatever fails, all that was verified before it is handed on, and nothing behind it.
 */
#include "object.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "base/workq.h"

#define SLOTS    2
#define FETCHERS 2
#define HERE     ((size_t)512 * 1024) /* bytes that are worth to be told of */
#define SHOW_MS  200                  /* without any: then that is told */

/* Chunks that are fetched by one request: of one group, next to each other. */
struct run {
    uint64_t first, count;
};

enum slot_state { IDLE, FETCHING, LANDED };

struct slot {
    struct walk *owner;
    struct vault_gw *gw; /* of the thread that fetches for this slot */
    struct run run;
    struct qc_pages pages; /* whoever takes the chunks may want to write whole pages */
    qc_buf bytes;          /* in pages, and no larger */
    uint64_t fetched;      /* bytes asked of the gateway */
    size_t told;           /* the fetcher's */
    qc_rc rc;              /* of its fetch, once it has landed */
    struct qc_err why;
    /* Under the lock, and where they stand in bytes belongs to whom they name: behind `here` to the fetcher,
     * behind `good` to the verifier, before it to the giver. */
    enum slot_state state;
    size_t here;   /* bytes that are there */
    uint64_t good; /* chunks that were verified */
    bool judged;   /* no more of them will be */
    bool giving;   /* the giver has it */
};

struct walk {
    struct object *o;
    struct qc_workq *fetchers, *giver;
    struct slot slot[SLOTS];
    pthread_mutex_t lock; /* guards what is said there of slots, and planned, stop, rc, why */
    pthread_cond_t changed;
    struct vault_range part; /* of D, handed on */
    uint64_t end;            /* the first chunk behind those that it touches */
    uint64_t planned;        /* the next chunk for the fetchers; under the lock */
    bool stop;               /* nothing more is fetched */
    qc_rc rc; /* what handing on, or starting a fetch, failed with; then nothing more is handed on */
    struct qc_err why;
    uint64_t done, total; /* bytes verified, of so many: for progress */
    struct vault_tags tags;
    object_chunk_fn fn;
    void *ctx;
};

static void walk_done(struct walk *w)
{
    qc_workq_free(&w->giver); /* which may still start a fetch */
    qc_workq_free(&w->fetchers);
    for (size_t i = 0; i < SLOTS; i++) {
        vault_gw_close(&w->slot[i].gw);
        qc_pages_free(&w->slot[i].pages);
    }
    vault_tags_done(&w->tags);
    qc_cond_done(&w->changed);
    qc_mutex_done(&w->lock);
}

static struct object_range range_of(const struct object *o, const struct run *run)
{
    struct vault_range first = vault_geometry_chunk(&o->frame->g, run->first);
    struct vault_range last = vault_geometry_chunk(&o->frame->g, run->first + run->count - 1);
    return (struct object_range){ first.offset, last.offset + last.size - first.offset };
}

static void turn(struct slot *slot, enum slot_state state)
{
    QC_LOCK(&slot->owner->lock);
    slot->state = state;
    slot->here = state == LANDED ? slot->bytes.n : 0;
    if (state != LANDED)
        slot->giving = false;
    qc_cond_wake_all(&slot->owner->changed);
}

/* The part of N that is in memory already, if [offset, offset + size) lies in it. */
static qc_span in_memory(const struct object *o, struct vault_range r)
{
    if (r.offset + r.size <= o->head.n)
        return qc_span_sub(qc_buf_span(&o->head), (size_t)r.offset, (size_t)r.size);
    if (!o->whole && r.offset >= o->size - o->tail.n)
        return qc_span_sub(qc_buf_span(&o->tail), (size_t)(r.offset - (o->size - o->tail.n)), (size_t)r.size);
    return (qc_span){ 0 };
}

/* Told from time to time: whoever waits is not woken for each piece. */
static void came(void *ctx, size_t n)
{
    struct slot *slot = ctx;
    if (n - slot->told < HERE)
        return;
    slot->told = n;
    QC_LOCK(&slot->owner->lock);
    slot->here = n;
    qc_cond_wake_all(&slot->owner->changed);
}

static void fetch_job(void *arg)
{
    struct slot *slot = arg;
    const struct walk *w = slot->owner;
    const struct object_range r = range_of(w->o, &slot->run);
    const qc_span have = in_memory(w->o, (struct vault_range){ r.offset, r.size });
    const struct object_here here = { came, slot };
    slot->told = 0;
    slot->fetched = have.n == 0 ? r.size : 0;
    slot->rc = have.n > 0 ? qc_buf_add(&slot->bytes, have, &slot->why)
                          : object_fetch(w->o, slot->gw, r, &slot->bytes, &here, &slot->why);
    turn(slot, LANDED);
}

static bool plan(struct walk *w, struct run *ret)
{
    const struct vault_geometry *g = &w->o->frame->g;
    QC_LOCK(&w->lock);
    if (w->planned == w->end || w->stop)
        return false;
    uint64_t group = vault_geometry_group_of(g, w->planned);
    uint64_t end = (group << g->group_log2) + vault_geometry_group_chunks(g, group);
    if (end > w->end)
        end = w->end;
    uint64_t most = (uint64_t)QC_VAULT_RANGE >> g->chunk_log2;
    ret->first = w->planned;
    ret->count = end - w->planned < most ? end - w->planned : most;
    if (ret->count == 0)
        ret->count = 1;
    w->planned += ret->count;
    return true;
}

/* Give the slot its next run, if one is left. */
static qc_rc start(struct walk *w, struct slot *slot, struct qc_err *err)
{
    if (!plan(w, &slot->run)) {
        turn(slot, IDLE);
        return QC_OK;
    }
    slot->fetched = slot->good = 0;
    slot->judged = false;
    slot->bytes =
        (qc_buf){ .p = slot->pages.p, .cap = slot->pages.n, .max = (size_t)range_of(w->o, &slot->run).size };
    QC_ASSERT(slot->bytes.max <= slot->bytes.cap);
    turn(slot, FETCHING);
    return qc_workq_submit(w->fetchers, fetch_job, slot, QC_NO_DEADLINE, err);
}

qc_rc object_tags(struct object *o, struct vault_tags *tags, uint64_t group, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf block = { 0 };
    if (tags->block.n > 0 && tags->group == group)
        return QC_OK;
    struct vault_range r = vault_geometry_tags(&o->frame->g, group);
    qc_span bytes = in_memory(o, r);
    if (bytes.n == 0) {
        block.max = (size_t)r.size;
        QC_TRY(object_fetch(o, o->v->gw, (struct object_range){ r.offset, r.size }, &block, NULL, err));
        bytes = qc_buf_span(&block);
        o->fetched += r.size;
    }
    return vault_opened_group(tags, o->opened, group, bytes, err);
}

/* What the part has of chunk i: within the chunk. */
static struct vault_range wanted(const struct walk *w, uint64_t i)
{
    const uint64_t start = i << w->o->frame->g.chunk_log2;
    const uint64_t end = start + vault_opened_true(w->o->opened, i);
    const uint64_t from = w->part.offset > start ? w->part.offset : start;
    const uint64_t to = w->part.offset + w->part.size < end ? w->part.offset + w->part.size : end;
    return (struct vault_range){ from - start, to > from ? to - from : 0 };
}

/* One chunk, which stands at p and is there; its plaintext stands there then. */
static qc_rc verify(struct walk *w, uint64_t i, uint8_t *p, struct qc_err *err)
{
    const struct vault_geometry *g = &w->o->frame->g;
    size_t n = 0;
    QC_TRY(qc_go_on(w->o->call->op.deadline, w->o->call->op.cancel, "get", err));
    QC_TRY(object_tags(w->o, &w->tags, vault_geometry_group_of(g, i), err));
    QC_TRY(
        vault_opened_chunk(w->o->opened, &w->tags, i, p, (size_t)vault_geometry_chunk(g, i).size, &n, err));
    QC_ASSERT(vault_opened_true(w->o->opened, i) <= n);
    w->done += wanted(w, i).size;
    session_progress(w->o->call, &(struct vault_progress){ .done = w->done, .total = w->total });
    return QC_OK;
}

/* Hand on what the part has of a chunk that was verified. */
static qc_rc give(const struct walk *w, uint64_t i, const uint8_t *p, struct qc_err *err)
{
    const struct vault_range mine = wanted(w, i);
    return mine.size > 0 ? w->fn(w->ctx, qc_span_of(p + mine.offset, (size_t)mine.size), err) : QC_OK;
}

/* What handing on failed with, so far. */
static qc_rc failure(struct walk *w, struct qc_err *err)
{
    QC_LOCK(&w->lock);
    if (w->rc != QC_OK)
        *err = w->why;
    return w->rc;
}

/* Are more chunks of it good than these? False: no more will be, and the fetcher is done with it, too, which
 * may still have to say so when all was verified. */
static bool wait_good(struct walk *w, const struct slot *slot, uint64_t given)
{
    QC_LOCK(&w->lock);
    while (slot->good == given && !(slot->judged && slot->state != FETCHING))
        (void)qc_cond_wait(&w->changed, &w->lock, QC_NO_DEADLINE);
    return slot->good > given;
}

/* To the end, also where nothing is handed on any more: the verifier is done with the slot when this is. */
static qc_rc give_good(struct walk *w, const struct slot *slot, struct qc_err *err)
{
    const uint8_t *p = slot->bytes.p;
    qc_rc rc = failure(w, err);
    for (uint64_t given = 0; wait_good(w, slot, given); given++) {
        const uint64_t i = slot->run.first + given;
        if (rc == QC_OK)
            rc = give(w, i, p, err);
        p += (size_t)vault_geometry_chunk(&w->o->frame->g, i).size;
    }
    return rc;
}

static void give_job(void *arg)
{
    struct slot *slot = arg;
    struct walk *w = slot->owner;
    struct qc_err why = { 0 };
    qc_rc rc = give_good(w, slot, &why);
    if (rc == QC_OK)
        rc = start(w, slot, &why);
    if (rc == QC_OK)
        return;
    {
        QC_LOCK(&w->lock);
        w->rc = rc;
        w->why = why;
    }
    turn(slot, IDLE);
}

/* Until the slot has a run that is not handed on; false: there is none, or handing on has failed. */
static bool wait_for(struct walk *w, const struct slot *slot)
{
    QC_LOCK(&w->lock);
    while (slot->giving)
        (void)qc_cond_wait(&w->changed, &w->lock, QC_NO_DEADLINE);
    return slot->state != IDLE;
}

/* Are n bytes of it still on their way, after a while? */
static bool is_coming(struct walk *w, const struct slot *slot, size_t n)
{
    const qc_deadline d = qc_deadline_in(SHOW_MS);
    bool in_time = true;
    QC_LOCK(&w->lock);
    while (slot->state == FETCHING && slot->here < n && in_time)
        in_time = qc_cond_wait(&w->changed, &w->lock, d);
    return slot->state == FETCHING && slot->here < n;
}

/* Until n bytes of it are there; that nothing comes is told, too. */
static qc_rc wait_here(struct walk *w, const struct slot *slot, size_t n, struct qc_err *err)
{
    while (is_coming(w, slot, n))
        session_progress(w->o->call, &(struct vault_progress){ .done = w->done, .total = w->total });
    QC_LOCK(&w->lock);
    if (slot->here >= n)
        return QC_OK;
    const bool landed = slot->state == LANDED; /* else it did not begin */
    *err = landed ? slot->why : w->why;
    return landed ? slot->rc : w->rc;
}

static qc_rc first_runs(struct walk *w, struct qc_err *err)
{
    const size_t chunk = (size_t)1 << w->o->frame->g.chunk_log2;
    const size_t most = chunk > QC_VAULT_RANGE ? chunk : QC_VAULT_RANGE;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &w->slot[i];
        slot->owner = w;
        QC_TRY(qc_pages_new(&slot->pages, most + VAULT_INSERT_BYTES, err));
        QC_TRY(w->o->v->gw->ops->clone(w->o->v->gw, &slot->gw, err));
        QC_TRY(start(w, slot, err));
    }
    return QC_OK;
}

static void judge(struct walk *w, struct slot *slot, uint64_t good, bool over)
{
    QC_LOCK(&w->lock);
    slot->good = good;
    slot->judged = over;
    qc_cond_wake_all(&w->changed);
}

/* The slot's chunks, up to the first that is none. */
static qc_rc verify_run(struct walk *w, struct slot *slot, struct qc_err *err)
{
    uint8_t *p = slot->bytes.p;
    for (uint64_t good = 0; good < slot->run.count; good++) {
        const uint64_t i = slot->run.first + good;
        const size_t size = (size_t)vault_geometry_chunk(&w->o->frame->g, i).size;
        QC_TRY(wait_here(w, slot, (size_t)(p - slot->bytes.p) + size, err));
        QC_TRY(verify(w, i, p, err));
        judge(w, slot, good + 1, false);
        p += size;
    }
    return QC_OK;
}

/* The slot's run to the giver, and verified. */
static qc_rc hand_over(struct walk *w, struct slot *slot, struct qc_err *err)
{
    {
        QC_LOCK(&w->lock);
        slot->giving = true;
    }
    QC_TRY(qc_workq_submit(w->giver, give_job, slot, QC_NO_DEADLINE, err));
    const qc_rc rc = verify_run(w, slot, err);
    w->o->fetched += slot->fetched;
    judge(w, slot, slot->good, true);
    return rc;
}

static qc_rc walk_slots(struct walk *w, struct qc_err *err)
{
    QC_TRY(first_runs(w, err));
    for (size_t i = 0; wait_for(w, &w->slot[i]); i = (i + 1) % SLOTS)
        QC_TRY(hand_over(w, &w->slot[i], err));
    return QC_OK;
}

static qc_rc walk_fetching(struct walk *w, struct qc_err *err)
{
    /* The object is open; with the largest chunks its head would be a third run in memory (I6). */
    if (w->o->head.n > QC_VAULT_RANGE)
        qc_buf_free(&w->o->head);
    QC_TRY(qc_workq_new(&w->fetchers, FETCHERS, SLOTS, err));
    QC_TRY(qc_workq_new(&w->giver, 1, SLOTS, err));
    qc_rc rc = walk_slots(w, err);
    {
        QC_LOCK(&w->lock);
        w->stop = true;
    }
    qc_workq_drain(w->giver);
    return rc == QC_OK ? failure(w, err) : rc;
}

/* From w->planned to w->end. */
static qc_rc walk_all(struct walk *w, struct qc_err *err)
{
    struct object *o = w->o;
    qc_mutex_init(&w->lock);
    qc_cond_init(&w->changed);
    if (!o->whole)
        return walk_fetching(w, err);
    /* All of it is in memory: groups stand one after the other with their tag blocks between them. */
    for (uint64_t i = w->planned; i < w->end; i++) {
        struct vault_range r = vault_geometry_chunk(&o->frame->g, i);
        QC_TRY(verify(w, i, o->head.p + r.offset, err));
        QC_TRY(give(w, i, o->head.p + r.offset, err));
    }
    return QC_OK;
}

qc_rc object_walk_from(struct object *o, uint64_t from, object_chunk_fn fn, void *ctx, struct qc_err *err)
{
    const struct vault_geometry *g = &o->frame->g;
    const uint64_t size = vault_opened_meta(o->opened)->true_size;
    const bool over = from > 0 && from == size && size == g->L; /* its last chunk, too, was verified */
    QC_ASSERT(from <= size && (from % ((uint64_t)1 << g->chunk_log2) == 0 || over));
    QC_CLEANUP(walk_done) struct walk w = {
        .o = o,
        .part = { from, size - from },
        .planned = over ? g->chunks : from >> g->chunk_log2,
        .end = g->chunks, /* also those that are padding, and the one of an empty object */
        .done = from,
        .total = size,
        .fn = fn,
        .ctx = ctx,
    };
    return walk_all(&w, err);
}

qc_rc object_walk(struct object *o, object_chunk_fn fn, void *ctx, struct qc_err *err)
{
    return object_walk_from(o, 0, fn, ctx, err);
}

qc_rc object_walk_part(struct object *o, struct vault_range part, object_chunk_fn fn, void *ctx,
                       struct qc_err *err)
{
    const uint8_t log2 = o->frame->g.chunk_log2;
    QC_CLEANUP(walk_done) struct walk w = { .o = o, .part = part, .total = part.size, .fn = fn, .ctx = ctx };
    const uint64_t size = vault_opened_meta(o->opened)->true_size;
    QC_ASSERT(part.offset <= size && part.size <= size - part.offset);
    if (part.size > 0) {
        w.planned = part.offset >> log2;
        w.end = ((part.offset + part.size - 1) >> log2) + 1;
    }
    return walk_all(&w, err);
}
