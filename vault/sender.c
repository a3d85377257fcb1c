#include "sender.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "base/workq.h"

enum { IDLE_MS = 200 };
#define SLOTS 2 /* segments in memory (I6); both may be under way, each on its own connection */

struct slot {
    struct sender *owner;
    struct vault_gw *gw;   /* of the thread that sends this slot */
    struct qc_pages pages; /* a file's pages are read straight to where they are sealed */
    qc_buf bytes;          /* in pages, and of their size */
    uint32_t seq;
    uint64_t data;
    bool last;
    bool busy; /* under the lock */
    bool out;  /* its bytes get there whatever becomes of this program; under the lock */
};

struct sender {
    struct vault_gw *gw; /* the caller's */
    struct sender_opts opts;
    const struct vault_op *op;
    struct qc_workq *queue; /* NULL before a first segment that is not the only one */
    struct slot slot[SLOTS];
    uint32_t next; /* sequence number of the next segment; its slot is next % SLOTS */

    pthread_mutex_t lock; /* guards slot[].busy, slot[].out, done, sent, rc, why */
    pthread_cond_t changed;
    uint64_t done, sent;
    uint64_t sealed; /* the caller's */
    qc_rc rc;
    struct qc_err why;
};

void sender_free(struct sender **sp)
{
    struct sender *s = *sp;
    if (s == NULL)
        return;
    qc_workq_free(&s->queue);
    for (size_t i = 0; i < SLOTS; i++) {
        vault_gw_close(&s->slot[i].gw);
        qc_pages_free(&s->slot[i].pages);
    }
    qc_cond_done(&s->changed);
    qc_mutex_done(&s->lock);
    qc_free(s);
    *sp = NULL;
}

qc_rc sender_new(struct sender **ret, struct vault_gw *gw, const struct sender_opts *opts,
                 const struct vault_op *op, struct qc_err *err)
{
    struct sender *fresh = qc_alloc(sizeof(*fresh));
    if (fresh == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to send segments");
    qc_mutex_init(&fresh->lock);
    qc_cond_init(&fresh->changed);
    QC_CLEANUP(sender_free) struct sender *s = fresh;
    s->gw = gw;
    s->opts = *opts;
    s->op = op;
    s->next = opts->first;
    s->done = s->sealed = opts->durable;
    for (size_t i = 0; i < SLOTS; i++)
        s->slot[i].owner = s;
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* Threads, each with a connection. */
static qc_rc start_threads(struct sender *s, struct qc_err *err)
{
    if (s->queue != NULL)
        return QC_OK;
    for (size_t i = 0; i < SLOTS; i++) {
        if (s->slot[i].gw == NULL)
            QC_TRY(s->gw->ops->clone(s->gw, &s->slot[i].gw, err));
    }
    return qc_workq_new(&s->queue, SLOTS, SLOTS, err);
}

/* With the lock held: is one of those before it still going out? */
static bool is_behind(const struct sender *s, const struct slot *slot)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (s->slot[i].busy && !s->slot[i].out && s->slot[i].seq < slot->seq)
            return true;
    return false;
}

/* One after the other, in their order (P4). Whoever is before ends: it waits for none behind it. */
static void begins(void *ctx)
{
    struct slot *slot = ctx;
    struct sender *s = slot->owner;
    QC_LOCK(&s->lock);
    slot->out = false;
    while (is_behind(s, slot))
        (void)qc_cond_wait(&s->changed, &s->lock, QC_NO_DEADLINE);
}

static void is_out(void *ctx)
{
    struct slot *slot = ctx;
    struct sender *s = slot->owner;
    QC_LOCK(&s->lock);
    slot->out = true;
    qc_cond_wake_all(&s->changed);
}

static void send_job(void *arg)
{
    struct slot *slot = arg;
    struct sender *s = slot->owner;
    struct vault_gw_segment answer = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    bool failed = false;
    begins(slot);
    {
        QC_LOCK(&s->lock);
        failed = s->rc != QC_OK;
        if (!failed)
            s->sent += slot->bytes.n;
    }
    struct vault_gw *gw = slot->gw != NULL ? slot->gw : s->gw;
    if (!failed)
        rc = gw->ops->segment_put(gw,
                                  &(struct vault_gw_part){ .put_key = s->opts.put_key,
                                                           .seq = slot->seq,
                                                           .run = s->opts.run,
                                                           .last = slot->last,
                                                           .hasty = s->opts.hasty,
                                                           .bytes = qc_buf_span(&slot->bytes),
                                                           .ways = s->opts.ways,
                                                           .wire = { begins, is_out, slot } },
                                  &answer, s->op, &why);
    QC_LOCK(&s->lock);
    if (rc != QC_OK && s->rc == QC_OK) {
        s->rc = rc;
        s->why = why;
    } else if (rc == QC_OK && !failed)
        s->done += slot->data;
    slot->busy = false;
    qc_cond_wake_all(&s->changed);
}

/* With the lock held: what the thread failed with. */
static qc_rc failure(const struct sender *s, struct qc_err *err)
{
    if (s->rc != QC_OK)
        *err = s->why;
    return s->rc;
}

/* Is it still under way, after a while? */
static bool is_busy(struct sender *s, const struct slot *slot)
{
    const qc_deadline d = s->opts.idle != NULL ? qc_deadline_in(IDLE_MS) : QC_NO_DEADLINE;
    bool in_time = true;
    QC_LOCK(&s->lock);
    while (slot->busy && s->rc == QC_OK && in_time)
        in_time = qc_cond_wait(&s->changed, &s->lock, d);
    return slot->busy && s->rc == QC_OK;
}

static void await(struct sender *s, const struct slot *slot)
{
    while (is_busy(s, slot))
        s->opts.idle(s->opts.idle_ctx);
}

qc_rc sender_take(struct sender *s, qc_buf **ret, struct qc_err *err)
{
    struct slot *slot = &s->slot[s->next % SLOTS];
    await(s, slot);
    {
        QC_LOCK(&s->lock);
        QC_TRY(failure(s, err));
    }
    if (slot->pages.p == NULL)
        QC_TRY(qc_pages_new(&slot->pages, QC_VAULT_SEGMENT_MAX, err));
    slot->bytes = (qc_buf){ .p = slot->pages.p, .cap = slot->pages.n, .max = slot->pages.n };
    *ret = &slot->bytes;
    return QC_OK;
}

qc_rc sender_send(struct sender *s, bool last, uint64_t data, struct qc_err *err)
{
    struct slot *slot = &s->slot[s->next % SLOTS];
    {
        QC_LOCK(&s->lock);
        QC_TRY(failure(s, err));
        QC_ASSERT(!slot->busy);
        slot->busy = true;
        slot->out = false;
        slot->seq = s->next;
        slot->last = last;
        slot->data = data;
    }
    const bool only = last && s->next == 0; /* most files are small: no threads and connections for one */
    qc_rc rc = only ? QC_OK : start_threads(s, err);
    if (rc == QC_OK && only)
        send_job(slot);
    else if (rc == QC_OK)
        rc = qc_workq_submit(s->queue, send_job, slot, QC_NO_DEADLINE, err);
    if (rc != QC_OK) {
        QC_LOCK(&s->lock);
        slot->busy = false;
        return rc;
    }
    s->next++;
    s->sealed += data;
    return QC_OK;
}

qc_rc sender_drain(struct sender *s, struct qc_err *err)
{
    for (size_t i = 0; i < SLOTS; i++)
        await(s, &s->slot[i]);
    if (s->queue != NULL)
        qc_workq_drain(s->queue);
    QC_LOCK(&s->lock);
    return failure(s, err);
}

uint32_t sender_segments(const struct sender *s)
{
    return s->next;
}

uint64_t sender_sealed(const struct sender *s)
{
    return s->sealed;
}

void sender_progress(struct sender *s, uint64_t *ret_done, uint64_t *ret_sent)
{
    QC_LOCK(&s->lock);
    *ret_done = s->done;
    *ret_sent = s->sent;
}
