/* A put at three sites: one thread shares, three store. Each stops before its commit; when all of D is
 * durable at all three, they commit one after the other. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "base/workq.h"
#include "handoff.h"
#include "vault/xor23_sites.h"
#include "xor23_format.h"

enum turn { WAIT, GO, STOP };

struct put3;
struct part {
    struct put3 *all;
    unsigned letter;
    struct handoff bytes;
    struct vault_source source;
    struct vault_put_opts opts;
    uint8_t over[VAULT_ID_BYTES];
    struct vault_call call;
    struct vault_put_result result;
    _Atomic uint64_t durable; /* bytes of the share file */
    /* under all->lock */
    bool begun, ready, ended;
    enum turn turn;
    struct qc_err why;
};
struct put3 {
    const struct vault_xor23_sites *sites;
    const struct vault_xor23_put_opts *opts;
    const struct vault_source *source;
    const struct vault_call *call;
    qc_span name;
    struct vault_xor23_header header;
    uint64_t shared; /* bytes of D that were handed out */
    unsigned order[SS_XOR23_SHARES];
    struct qc_workq *threads;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct part part[SS_XOR23_SHARES];
};

/* --- A site's thread --- */

static qc_rc part_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct part *p = ctx;
    {
        QC_LOCK(&p->all->lock);
        p->begun = true;
        qc_cond_wake_all(&p->all->changed);
    }
    return handoff_take(&p->bytes, dst, max, ret_got, err);
}

/* Everything is durable there; the commit waits for its turn. */
static qc_rc part_ready(void *ctx, uint64_t bytes_read, struct qc_err *err)
{
    struct part *p = ctx;
    (void)bytes_read;
    QC_LOCK(&p->all->lock);
    p->ready = true;
    qc_cond_wake_all(&p->all->changed);
    while (p->turn == WAIT)
        qc_cond_wait(&p->all->changed, &p->all->lock, QC_NO_DEADLINE);
    return p->turn == GO ? QC_OK : QC_FAIL(err, QC_CANCELLED, "the other sites do not have theirs");
}

static void part_progress(void *ctx, const struct vault_progress *at)
{
    struct part *p = ctx;
    atomic_store(&p->durable, at->done);
}

static void part_job(void *arg)
{
    struct part *p = arg;
    struct qc_err why = { 0 };
    const qc_rc rc = vault_put(p->all->sites->vault[p->letter], p->all->name, &p->source, &p->opts, &p->call,
                               &p->result, &why);
    why.rc = rc;
    handoff_leave(&p->bytes);
    QC_LOCK(&p->all->lock);
    p->why = why;
    p->ended = true;
    qc_cond_wake_all(&p->all->changed);
}

/* --- The caller's thread --- */

static void tell_progress(const struct put3 *t)
{
    struct vault_progress now = { .total = t->source->size, .done = t->shared, .sent = t->shared };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const uint64_t durable = atomic_load(&t->part[i].durable);
        now.done = durable < now.done ? durable : now.done;
    }
    if (t->call->progress != NULL)
        t->call->progress(t->call->progress_ctx, &now);
}

static qc_rc give(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *err)
{
    struct put3 *t = ctx;
    QC_TRY(handoff_lend(&t->part[letter].bytes, bytes, err));
    if (letter == SS_XOR23_C && bytes.n > VAULT_XOR23_HEADER) {
        t->shared += bytes.n - VAULT_XOR23_HEAD;
        tell_progress(t);
    }
    return QC_OK;
}

static const struct qc_err too_few = { .rc = QC_CANCELLED, .msg = "the bytes are not all to be had" };

static void settle(void *ctx, bool failed)
{
    struct put3 *t = ctx;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        handoff_end(&t->part[i].bytes, failed ? &too_few : NULL);
        handoff_settle(&t->part[i].bytes);
    }
}

static qc_rc begin_part(struct put3 *t, unsigned i, struct qc_err *err)
{
    struct part *p = &t->part[i];
    const struct vault_source *s = t->source;
    p->source = (struct vault_source){ .read = part_read,
                                       .unchanged = part_ready,
                                       .ctx = p,
                                       .size = VAULT_SIZE_UNKNOWN,
                                       .has_mtime = s->has_mtime,
                                       .has_mode = s->has_mode,
                                       .mtime_s = s->mtime_s,
                                       .mtime_ns = s->mtime_ns,
                                       .mode = s->mode };
    p->opts = (struct vault_put_opts){ .hasty = t->opts->hasty, .over = p->over };
    p->call = (struct vault_call){
        .op = t->call->op, .notes = t->sites->notes[i], .progress = part_progress, .progress_ctx = p
    };
    QC_TRY(qc_workq_submit(t->threads, part_job, p, QC_NO_DEADLINE, err));
    /* One after the other until their keys are drawn: what a source of randomness says of its last bytes is
     * then about one site's. */
    QC_LOCK(&t->lock);
    while (!p->begun && !p->ended)
        qc_cond_wait(&t->changed, &t->lock, QC_NO_DEADLINE);
    return p->ended ? QC_FAIL(err, QC_CANCELLED, "site %c did not begin", xor23_name(i)) : QC_OK;
}

/* What the sites have now: which of them goes first, and what each of them replaces. */
static qc_rc look(struct put3 *t, bool *ret_replaced, struct qc_err *err)
{
    struct vault_xor23_held held[SS_XOR23_SHARES] = { 0 };
    unsigned odd = 0;
    bool all = false;
    qc_rc rc = QC_OK;
    for (unsigned i = 0; i < SS_XOR23_SHARES && rc == QC_OK; i++) {
        const struct vault_call call = { .op = t->call->op, .notes = t->sites->notes[i] };
        rc = vault_xor23_look(t->sites->vault[i], i, t->name, &call, &held[i], err);
        if (rc != QC_OK)
            qc_err_wrap(err, "site %c", xor23_name(i));
        memcpy(t->part[i].over, held[i].stat.version, VAULT_ID_BYTES);
    }
    *ret_replaced = vault_xor23_agree(held, &odd, &all);
    for (unsigned i = 0, next = 1; i < SS_XOR23_SHARES; i++)
        t->order[i == odd ? 0 : next++] = i;
    if (*ret_replaced)
        memcpy(t->header.ids.object, held[t->order[1]].header.ids.object, VAULT_ID_BYTES);
    if (rc == QC_OK && *ret_replaced && t->opts->if_absent)
        rc = QC_FAIL(err, QC_CONFLICT, "the name is taken");
    const uint8_t *from = t->source->from;
    if (rc == QC_OK && from != NULL &&
        !(*ret_replaced && memcmp(held[t->order[1]].header.ids.version, from, VAULT_ID_BYTES) == 0))
        rc = QC_FAIL(err, QC_CONFLICT, "it was stored anew meanwhile");
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        vault_xor23_held_done(&held[i]);
    return rc;
}

static qc_rc draw(struct put3 *t, bool replaces, struct qc_err *err)
{
    t->header.maker = t->opts->maker;
    t->header.scheme = t->opts->scheme;
    if (!replaces)
        QC_TRY(qc_rng_fill(t->opts->rng, t->header.ids.object, VAULT_ID_BYTES, err));
    return qc_rng_fill(t->opts->rng, t->header.ids.version, VAULT_ID_BYTES, err);
}

static qc_rc share(struct put3 *t, uint64_t *ret_size, struct qc_err *err)
{
    const struct vault_xor23_out out = { .write = give, .settle = settle, .ctx = t };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        QC_TRY(begin_part(t, i, err));
    return vault_xor23_share(t->source, &t->header, t->opts->rng, &out, ret_size, err);
}

/* One that has ended by itself keeps its turn: its failure is its own. */
static void let(struct put3 *t, unsigned i, enum turn turn)
{
    QC_LOCK(&t->lock);
    if (!t->part[i].ended)
        t->part[i].turn = turn;
    qc_cond_wake_all(&t->changed);
}

/* False: one has ended, which is a failure as long as none may commit. */
static bool wait_ready(struct put3 *t)
{
    bool all = true;
    QC_LOCK(&t->lock);
    for (unsigned i = 0; i < SS_XOR23_SHARES && all; i++) {
        while (!t->part[i].ready && !t->part[i].ended)
            qc_cond_wait(&t->changed, &t->lock, QC_NO_DEADLINE);
        all = !t->part[i].ended;
    }
    return all;
}

static bool wait_ended(struct put3 *t, unsigned i)
{
    QC_LOCK(&t->lock);
    while (!t->part[i].ended)
        qc_cond_wait(&t->changed, &t->lock, QC_NO_DEADLINE);
    return t->part[i].why.rc == QC_OK;
}

/* Where the first one fails, nothing has happened. Where another one does, the third decides. */
static unsigned commit(struct put3 *t)
{
    unsigned good = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES && (i == 0 || good > 0); i++) {
        let(t, t->order[i], GO);
        good += wait_ended(t, t->order[i]);
    }
    return good;
}

/* The reason that is a site's own. */
static qc_rc reason(struct put3 *t, qc_rc rc, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const struct part *p = &t->part[i];
        if (p->ended && p->why.rc != QC_OK && p->turn != STOP) {
            *err = p->why;
            qc_err_wrap(err, "site %c", xor23_name(i));
            return err->rc;
        }
    }
    return rc;
}

static qc_rc run(struct put3 *t, struct vault_xor23_stored *ret, struct qc_err *err)
{
    unsigned good = 0;
    QC_TRY(look(t, &ret->replaced, err));
    QC_TRY(draw(t, ret->replaced, err));
    QC_TRY(qc_workq_new(&t->threads, SS_XOR23_SHARES, SS_XOR23_SHARES, err));
    qc_rc rc = share(t, &ret->size, err);
    const bool ours = rc != QC_OK && rc != QC_CANCELLED; /* the source, the randomness: not a site */
    if (rc == QC_OK)
        good = wait_ready(t) ? commit(t) : 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        let(t, i, STOP);
        handoff_end(&t->part[i].bytes, &too_few);
    }
    qc_workq_free(&t->threads);
    ret->sites = good;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        ret->site[i].why = t->part[i].why;
        ret->site[i].put = t->part[i].result;
    }
    if (ours || good >= 2)
        return rc;
    rc = reason(t, rc, err);
    QC_ASSERT(rc != QC_OK);
    return rc;
}

/* One whose way is not what was demanded is not simply away. */
static qc_rc away(const struct qc_err *why, unsigned i, struct qc_err *err)
{
    if (why->rc == QC_LINK)
        return QC_FAIL(err, QC_LINK, "site %c: %s", xor23_name(i), why->msg);
    return QC_FAIL(err, QC_QUORUM, "site %c: %s", xor23_name(i), why->msg);
}

static qc_rc all_there(const struct vault_xor23_sites *sites, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (sites->vault[i] == NULL)
            return away(&sites->away[i], i, err);
    return QC_OK;
}

qc_rc vault_xor23_put(const struct vault_xor23_sites *sites, qc_span name, const struct vault_source *source,
                      const struct vault_xor23_put_opts *opts, const struct vault_call *call,
                      struct vault_xor23_stored *ret, struct qc_err *err)
{
    struct put3 t = { .sites = sites, .opts = opts, .source = source, .call = call, .name = name };
    *ret = (struct vault_xor23_stored){ .size = 0 };
    QC_TRY(all_there(sites, err));
    qc_mutex_init(&t.lock);
    qc_cond_init(&t.changed);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        t.part[i] = (struct part){ .all = &t, .letter = i };
        handoff_init(&t.part[i].bytes);
    }
    const qc_rc rc = run(&t, ret, err);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        handoff_done(&t.part[i].bytes);
    qc_cond_done(&t.changed);
    qc_mutex_done(&t.lock);
    ret->header = t.header;
    return rc;
}
