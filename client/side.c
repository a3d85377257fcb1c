#include "side.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/key.h"
#include "base/thread.h"
#include "base/workq.h"
#include "signals.h"

enum { SHOW_MS = 200 };

/* A session, and the job that it works on; slot i has those with the numbers i, i + count, .. */
struct slot {
    struct side *of;
    struct vault *v; /* opened with its first job */
    struct qrng *rng;
    struct qrng_provenance provenance;
    struct side_job *job; /* NULL: none */
    struct vault_notes notes;
    struct vault_call call;
    atomic_uint_least64_t done, total;
    qc_rc rc;
    struct qc_err why;
    bool over; /* under the lock: the work has ended */
};

struct side {
    struct client *c;
    bool draws;
    unsigned count;
    uint64_t next;  /* number of the next job */
    uint64_t ended; /* those before this one */
    struct qc_workq *queue;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot slot[QC_CLIENT_JOBS_MAX];
};

qc_rc side_jobs(const struct qc_args *args, unsigned *ret, struct qc_err *err)
{
    uint64_t jobs = 1;
    QC_TRY(qc_args_u64(args, "jobs", false, 1, QC_CLIENT_JOBS_MAX, &jobs, err));
    *ret = (unsigned)jobs;
    return QC_OK;
}

void side_free(struct side **sp)
{
    struct side *s = *sp;
    *sp = NULL;
    if (s == NULL)
        return;
    side_end_all(s);
    qc_workq_free(&s->queue);
    for (unsigned i = 0; i < s->count; i++) {
        vault_close(&s->slot[i].v);
        qrng_close(&s->slot[i].rng);
        vault_notes_done(&s->slot[i].notes);
    }
    qc_cond_done(&s->changed);
    qc_mutex_done(&s->lock);
    qc_free(s);
}

qc_rc side_new(struct side **ret, struct client *c, unsigned jobs, bool draws, struct qc_err *err)
{
    if (jobs <= 1)
        return QC_OK;
    struct side *fresh = qc_alloc(sizeof *fresh);
    if (fresh == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *fresh);
    qc_mutex_init(&fresh->lock);
    qc_cond_init(&fresh->changed);
    QC_CLEANUP(side_free) struct side *s = fresh;
    s->c = c;
    s->draws = draws;
    s->count = jobs;
    for (unsigned i = 0; i < jobs; i++)
        s->slot[i].of = s;
    QC_TRY(qc_workq_new(&s->queue, jobs, jobs, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* -- a session ------------------------------------------------------------------------------------------- */

static const char *tell_random(void *ctx)
{
    struct slot *slot = ctx;
    slot->provenance = qrng_provenance(slot->rng);
    return slot->provenance.text;
}

/* What a source gave is told of the object that it was drawn for: so each session has one of its own. */
static qc_rc open_slot(struct slot *slot, struct qc_err *err)
{
    struct client *c = slot->of->c;
    struct vault_conf conf;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    struct vault_call call = client_call(c);
    call.notes = NULL; /* the command's own session has told them */
    if (slot->v != NULL)
        return QC_OK;
    QC_TRY(client_vault_conf(c, &conf, err));
    if (slot->of->draws && slot->rng == NULL)
        QC_TRY(qrng_open_policy(&c->random, c->profile, &slot->rng, err));
    conf.rng = slot->of->draws ? qrng_rng(slot->rng) : conf.ids;
    conf.tell = slot->of->draws ? tell_random : NULL;
    conf.tell_ctx = slot;
    QC_TRY(vault_gateway(c->vault)->ops->clone(vault_gateway(c->vault), &gw, err));
    qc_keys_loose_begin(); /* most keys of an opening end with it */
    const qc_rc rc = vault_open_session(&slot->v, &conf, &gw, &call, err);
    qc_keys_loose_end();
    return rc;
}

/* -- a job ----------------------------------------------------------------------------------------------- */

static void note_progress(void *ctx, const struct vault_progress *at)
{
    struct slot *slot = ctx;
    atomic_store(&slot->done, at->done);
    atomic_store(&slot->total, at->total);
}

static void run_job(void *arg)
{
    struct slot *slot = arg;
    struct qc_err why = { 0 };
    const qc_rc rc = slot->job->work(slot->job, slot->v, &slot->call, &why);
    QC_LOCK(&slot->of->lock);
    slot->rc = rc;
    slot->why = why;
    slot->over = true;
    qc_cond_wake_all(&slot->of->changed);
}

/* Is it over, after a while at most? */
static bool is_over(struct side *s, const struct slot *slot)
{
    const qc_deadline d = qc_deadline_in(SHOW_MS);
    bool in_time = true;
    QC_LOCK(&s->lock);
    while (!slot->over && in_time)
        in_time = qc_cond_wait(&s->changed, &s->lock, d);
    return slot->over;
}

/* The oldest, which is to be waited for. */
static void end_one(struct side *s)
{
    struct slot *slot = &s->slot[s->ended % s->count];
    struct side_job *j = slot->job;
    while (!is_over(s, slot)) {
        const struct vault_progress at = { .done = atomic_load(&slot->done),
                                           .total = atomic_load(&slot->total) };
        if (j->show != NULL)
            j->show(j, &at);
    }
    s->ended++;
    slot->job = NULL;
    vault_notes_done(&s->c->notes);
    s->c->notes = slot->notes;
    slot->notes = (struct vault_notes){ 0 };
    if (s->draws)
        s->c->provenance = slot->provenance;
    slot->provenance.text[0] = '\0';
    j->end(j, slot->rc, &slot->why);
}

void side_end_all(struct side *s)
{
    while (s != NULL && s->ended < s->next)
        end_one(s);
}

void side_begin(struct side *s, struct side_job *j)
{
    struct qc_err why = { 0 };
    if (s->next - s->ended == s->count)
        end_one(s);
    struct slot *slot = &s->slot[s->next % s->count];
    slot->job = j;
    slot->over = false;
    slot->rc = QC_OK;
    slot->call = client_call(s->c);
    slot->call.notes = &slot->notes;
    slot->call.progress = note_progress;
    slot->call.progress_ctx = slot;
    atomic_store(&slot->done, 0);
    atomic_store(&slot->total, VAULT_SIZE_UNKNOWN);
    s->next++;
    qc_rc rc = open_slot(slot, &why);
    if (rc == QC_OK)
        rc = qc_workq_submit(s->queue, run_job, slot, QC_NO_DEADLINE, &why);
    if (rc != QC_OK) { /* it ends in its turn, with this */
        slot->rc = rc;
        slot->why = why;
        slot->over = true;
    }
}
