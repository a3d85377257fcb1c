/* The chunks of a version, in order: fetched ahead by two threads, so that the gateway reads one run from the
 * clouds while it sends the other; verified and handed on by the caller's.
 * Keeps I6: three runs of chunks are in memory, two where chunks are larger than QC_VAULT_RANGE. */
#include "object.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "base/workq.h"

#define SLOTS    3
#define FETCHERS 2

/* Chunks that are fetched by one request: of one group, next to each other. */
struct run {
    uint64_t first, count;
};

struct slot {
    struct walk *owner;
    struct vault_gw *gw; /* of the thread that fetches for this slot */
    struct run run;
    struct qc_pages pages; /* whoever takes the chunks may want to write whole pages */
    qc_buf bytes;          /* in pages, and no larger */
    bool busy;             /* under the lock */
    qc_rc rc;
    struct qc_err why;
};

struct walk {
    struct object *o;
    struct qc_workq *queue;
    struct slot slot[SLOTS];
    size_t slots;         /* in use */
    pthread_mutex_t lock; /* guards slot[].busy */
    pthread_cond_t changed;
    uint64_t planned; /* chunks given to the threads so far */
    uint64_t done;    /* bytes of D verified */
    struct vault_tags tags;
    object_chunk_fn fn;
    void *ctx;
};

static void walk_done(struct walk *w)
{
    qc_workq_free(&w->queue);
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

static void fetch_job(void *arg)
{
    struct slot *slot = arg;
    struct walk *w = slot->owner;
    slot->rc = object_fetch(w->o, slot->gw, range_of(w->o, &slot->run), &slot->bytes, &slot->why);
    QC_LOCK(&w->lock);
    slot->busy = false;
    qc_cond_wake_all(&w->changed);
}

static bool plan(struct walk *w, struct run *ret)
{
    const struct vault_geometry *g = &w->o->frame->g;
    if (w->planned == g->chunks)
        return false;
    uint64_t group = vault_geometry_group_of(g, w->planned);
    uint64_t end = (group << g->group_log2) + vault_geometry_group_chunks(g, group);
    uint64_t most = (uint64_t)QC_VAULT_RANGE >> g->chunk_log2;
    ret->first = w->planned;
    ret->count = end - w->planned < most ? end - w->planned : most;
    if (ret->count == 0)
        ret->count = 1;
    w->planned += ret->count;
    return true;
}

/* Give the slot its next run; its count is 0 when nothing is left. */
static qc_rc start(struct walk *w, struct slot *slot, struct qc_err *err)
{
    slot->run.count = 0;
    if (!plan(w, &slot->run))
        return QC_OK;
    slot->bytes =
        (qc_buf){ .p = slot->pages.p, .cap = slot->pages.n, .max = (size_t)range_of(w->o, &slot->run).size };
    QC_ASSERT(slot->bytes.max <= slot->bytes.cap);
    slot->rc = QC_OK;
    slot->busy = true;
    return qc_workq_submit(w->queue, fetch_job, slot, QC_NO_DEADLINE, err);
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

static qc_rc need_tags(struct walk *w, uint64_t group, bool first, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf block = { 0 };
    if (!first && w->tags.group == group)
        return QC_OK;
    struct vault_range r = vault_geometry_tags(&w->o->frame->g, group);
    qc_span bytes = in_memory(w->o, r);
    if (bytes.n == 0) {
        block.max = (size_t)r.size;
        QC_TRY(object_fetch(w->o, w->o->v->gw, (struct object_range){ r.offset, r.size }, &block, err));
        bytes = qc_buf_span(&block);
    }
    return vault_opened_group(&w->tags, w->o->opened, group, bytes, err);
}

/* Verify and hand on the chunks of a run that stands at p. */
static qc_rc use(struct walk *w, const struct run *run, uint8_t *p, struct qc_err *err)
{
    const struct vault_geometry *g = &w->o->frame->g;
    const uint64_t total = vault_opened_meta(w->o->opened)->true_size;
    for (uint64_t i = run->first; i < run->first + run->count; i++) {
        size_t n = 0;
        QC_TRY(qc_go_on(w->o->call->op.deadline, w->o->call->op.cancel, "get", err));
        QC_TRY(need_tags(w, vault_geometry_group_of(g, i), i == 0, err));
        size_t stored = (size_t)vault_geometry_chunk(g, i).size;
        QC_TRY(vault_opened_chunk(w->o->opened, &w->tags, i, p, stored, &n, err));
        p += stored;
        size_t mine = (size_t)vault_opened_true(w->o->opened, i);
        QC_ASSERT(mine <= n);
        if (mine > 0)
            QC_TRY(w->fn(w->ctx, qc_span_of(p - stored, mine), err));
        w->done += mine;
        session_progress(w->o->call, &(struct vault_progress){ .done = w->done, .total = total });
    }
    return QC_OK;
}

static qc_rc wait_for(struct walk *w, struct slot *slot, struct qc_err *err)
{
    QC_LOCK(&w->lock);
    while (slot->busy)
        (void)qc_cond_wait(&w->changed, &w->lock, QC_NO_DEADLINE);
    if (slot->rc != QC_OK)
        *err = slot->why;
    return slot->rc;
}

static qc_rc walk_fetching(struct walk *w, struct qc_err *err)
{
    /* The object is open; with the largest chunks its head would be a third run in memory (I6). */
    if (w->o->head.n > QC_VAULT_RANGE)
        qc_buf_free(&w->o->head);
    const size_t chunk = (size_t)1 << w->o->frame->g.chunk_log2;
    const size_t most = chunk > QC_VAULT_RANGE ? chunk : QC_VAULT_RANGE;
    w->slots = chunk > QC_VAULT_RANGE ? 2 : SLOTS;
    QC_TRY(qc_workq_new(&w->queue, FETCHERS, SLOTS, err));
    for (size_t i = 0; i < w->slots; i++) {
        struct slot *slot = &w->slot[i];
        slot->owner = w;
        QC_TRY(qc_pages_new(&slot->pages, most + VAULT_INSERT_BYTES, err));
        QC_TRY(w->o->v->gw->ops->clone(w->o->v->gw, &slot->gw, err));
        QC_TRY(start(w, slot, err));
    }
    for (size_t i = 0; w->slot[i].run.count > 0; i = (i + 1) % w->slots) {
        struct slot *slot = &w->slot[i];
        QC_TRY(wait_for(w, slot, err));
        QC_TRY(use(w, &slot->run, slot->bytes.p, err));
        QC_TRY(start(w, slot, err));
    }
    return QC_OK;
}

qc_rc object_walk(struct object *o, object_chunk_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(walk_done) struct walk w = { .o = o, .fn = fn, .ctx = ctx };
    qc_mutex_init(&w.lock);
    qc_cond_init(&w.changed);
    if (!o->whole)
        return walk_fetching(&w, err);
    /* All of it is in memory: groups stand one after the other with their tag blocks between them. */
    const struct vault_geometry *g = &o->frame->g;
    for (uint64_t i = 0; i < g->chunks; i++) {
        struct vault_range r = vault_geometry_chunk(g, i);
        QC_TRY(use(&w, &(struct run){ i, 1 }, o->head.p + r.offset, err));
    }
    return QC_OK;
}
