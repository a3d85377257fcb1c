/* What waits for a KME has a thread of its own. */
#include <unistd.h>

#include "session.h"

static qc_rc work(struct link *l, struct link_job *j)
{
    if (j == &l->make)
        return link_keys_make(l->keys, session_block_bytes(l), l->stop, &j->block, &j->err);
    if (j == &l->fetch)
        return link_keys_fetch(l->keys, session_block_bytes(l), &l->fetch_stop, &j->block, &j->err);
    if (l->dials)
        return link_keys_draw(l->keys, j->block.count, &l->fetch_stop, &j->block, &j->err);
    return link_keys_fetch(l->keys, j->block.count * (LINK_KEY_BITS / 8), &l->fetch_stop, &j->block, &j->err);
}

static void *job_main(void *arg)
{
    struct link_job *j = arg;
    const uint64_t one = 1;
    j->rc = work(j->link, j);
    atomic_store(&j->done, true);
    const ssize_t told = write(qc_fd_get(&j->link->wake), &one, sizeof one);
    (void)told; /* else it is seen a moment later */
    return NULL;
}

qc_rc job_start(struct link *l, struct link_job *j, struct qc_err *err)
{
    QC_ASSERT(!j->runs);
    j->link = l;
    atomic_store(&j->done, false);
    if (pthread_create(&j->thread, NULL, job_main, j) != 0)
        return QC_FAIL(err, QC_NOMEM, "a thread for the KME");
    j->runs = true;
    return QC_OK;
}

void job_join(struct link_job *j)
{
    if (j->runs)
        pthread_join(j->thread, NULL);
    j->runs = false;
}

void job_drop(struct link_job *j)
{
    job_join(j);
    link_block_done(&j->block);
}
