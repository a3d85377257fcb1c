#include "pads_side.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "base/workq.h"

enum { THREADS = 2 }; /* one reads, one erases */

struct pads_side {
    int dir;
    uint32_t block;
    struct qc_workq *threads;
    const struct pad_slot *slot; /* of the block ahead; NULL: none is. The caller's, as `behind` is */
    uint64_t behind;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool reading, erasing;
    bool good;           /* k1 is the block ahead, verified */
    struct qc_secret k1; /* a reading thread has it alone */
    struct qc_err why;   /* of the erasing */
};

qc_rc pads_side_new(struct pads_side **ret, int dir, uint32_t block, struct qc_err *err)
{
    struct pads_side *fresh = qc_alloc(sizeof *fresh);
    if (fresh == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *fresh);
    qc_mutex_init(&fresh->lock);
    qc_cond_init(&fresh->changed);
    QC_CLEANUP(pads_side_free) struct pads_side *s = fresh;
    s->dir = dir;
    s->block = block;
    QC_TRY(qc_workq_new(&s->threads, THREADS, THREADS, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

void pads_side_free(struct pads_side **s)
{
    if (*s == NULL)
        return;
    qc_workq_free(&(*s)->threads);
    qc_secret_free(&(*s)->k1);
    qc_cond_done(&(*s)->changed);
    qc_mutex_done(&(*s)->lock);
    qc_free(*s);
    *s = NULL;
}

/* -- ahead ----------------------------------------------------------------------------------------------- */

/* A failure is none: whoever takes the block reads it himself then, and hears what is wrong. */
static void read_job(void *arg)
{
    struct pads_side *s = arg;
    struct qc_err why = { 0 };
    const qc_rc rc = pads_load(s->dir, s->slot, s->block, &s->k1, &why);
    QC_LOCK(&s->lock);
    s->good = rc == QC_OK;
    s->reading = false;
    qc_cond_wake_all(&s->changed);
}

qc_rc pads_ahead_begin(struct pads_side *s, const struct pad_slot *k2, struct qc_err *err)
{
    if (s->slot != NULL)
        return QC_OK;
    s->slot = k2;
    s->reading = true; /* nobody else looks: no job is under way that would */
    const qc_rc rc = qc_workq_submit(s->threads, read_job, s, QC_NO_DEADLINE, err);
    if (rc == QC_OK)
        return QC_OK;
    s->slot = NULL;
    s->reading = false;
    return rc;
}

/* When it returns the reading thread has nothing of it any more. */
static bool wait_read(struct pads_side *s)
{
    QC_LOCK(&s->lock);
    while (s->reading)
        qc_cond_wait(&s->changed, &s->lock, QC_NO_DEADLINE);
    return s->good;
}

bool pads_ahead_take(struct pads_side *s, uint64_t number, struct qc_secret *k1)
{
    if (s->slot == NULL || s->slot->number != number)
        return false;
    const bool good = wait_read(s);
    s->slot = NULL;
    if (!good)
        return false;
    const struct qc_secret before = *k1;
    *k1 = s->k1;
    s->k1 = before;
    return true;
}

void pads_ahead_drop(struct pads_side *s, uint64_t number)
{
    if (s->slot == NULL || s->slot->number != number)
        return;
    (void)wait_read(s);
    s->slot = NULL;
    qc_wipe(s->k1.p, s->k1.n);
}

/* -- behind ---------------------------------------------------------------------------------------------- */

static void erase_job(void *arg)
{
    struct pads_side *s = arg;
    struct qc_err why = { 0 };
    char name[PAD_NAME];
    pads_name(s->behind, name);
    why.rc = pads_erase(s->dir, name, &why);
    QC_LOCK(&s->lock);
    s->why = why;
    s->erasing = false;
    qc_cond_wake_all(&s->changed);
}

qc_rc pads_behind_begin(struct pads_side *s, uint64_t number, struct qc_err *err)
{
    QC_ASSERT(s->behind == 0);
    s->behind = number;
    s->erasing = true;
    const qc_rc rc = qc_workq_submit(s->threads, erase_job, s, QC_NO_DEADLINE, err);
    if (rc == QC_OK)
        return QC_OK;
    s->behind = 0;
    s->erasing = false;
    return rc;
}

uint64_t pads_behind(const struct pads_side *s)
{
    return s->behind;
}

qc_rc pads_behind_end(struct pads_side *s, bool wait, uint64_t *ret, struct qc_err *err)
{
    *ret = 0;
    if (s->behind == 0)
        return QC_OK;
    QC_LOCK(&s->lock);
    while (wait && s->erasing)
        qc_cond_wait(&s->changed, &s->lock, QC_NO_DEADLINE);
    if (s->erasing)
        return QC_OK;
    const uint64_t number = s->behind;
    s->behind = 0;
    if (s->why.rc != QC_OK) {
        *err = s->why;
        return err->rc;
    }
    *ret = number;
    return QC_OK;
}
