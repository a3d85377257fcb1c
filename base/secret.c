#include "base/secret.h"

#include <sys/mman.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#include "alloc_internal.h"

enum { PAGE = 4096 };

/* The count of the allocator is what lets it fail in tests: a token of it goes with each block. */
qc_rc qc_secret_new_data(struct qc_secret *ret, size_t n, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) void *trial = qc_alloc(1);
    const size_t size = (n + PAGE - 1) / PAGE * PAGE;
    void *p = trial == NULL ? MAP_FAILED
                            : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return QC_FAIL(err, QC_NOMEM, "no secret memory, %zu bytes", size);
    if (madvise(p, size, MADV_WIPEONFORK) != 0 || madvise(p, size, MADV_DONTDUMP) != 0) {
        munmap(p, size);
        return QC_FAIL(err, QC_NOMEM, "memory cannot be kept from forked processes and dumps");
    }
    *ret = (struct qc_secret){ .p = p, .n = size };
    return QC_OK;
}

qc_rc qc_secret_new(struct qc_secret *ret, size_t n, struct qc_err *err)
{
    QC_TRY(qc_secret_new_data(ret, n, err));
    ret->locked = mlock(ret->p, ret->n) == 0;
    return QC_OK;
}

void qc_secret_free(struct qc_secret *m)
{
    if (m->p == NULL)
        return;
    qc_wipe_block(m->p, m->n);
    munmap(m->p, m->n);
    *m = (struct qc_secret){ 0 };
}
