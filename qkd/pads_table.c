#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/key.h"
#include "pads_internal.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

/* Of the right size for good, so that no other holder can take the pages away. */
static qc_rc size_it(int fd, size_t n, struct qc_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || fcntl(fd, F_GET_SEALS) < 0)
        return QC_FAIL(err, QC_USAGE, "the table of K2 is no memfd");
    if (st.st_size == 0 && ftruncate(fd, (off_t)n) != 0)
        return QC_FAIL_OS(err, "the table of K2");
    if (st.st_size != 0 && (size_t)st.st_size != n)
        return QC_FAIL(err, QC_USAGE, "the table of K2 has another size");
    if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS && fcntl(fd, F_ADD_SEALS, SEALS) != 0)
        return QC_FAIL(err, QC_USAGE, "the table of K2 cannot be kept at its size");
    return QC_OK;
}

/* In whole pages. */
static size_t table_bytes(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), all = QKD_PADS_MAX * sizeof(struct pad_slot);
    return (all + page - 1) / page * page;
}

bool qkd_pads_is_table(int fd)
{
    struct stat st;
    const int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 &&
           (size_t)st.st_size == table_bytes();
}

qc_rc pads_table_open(struct pads_table *ret, int fd, struct qc_err *err)
{
    const size_t n = table_bytes();
    QC_CLEANUP(qc_fd_close) struct qc_fd own = { 0 };
    if (fd < 0) {
        own = qc_fd_own(memfd_create("qcloud-pads", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        if (!qc_fd_is(&own))
            return QC_FAIL_OS(err, "memfd");
        fd = qc_fd_get(&own);
    }
    QC_TRY(size_it(fd, n, err));
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return QC_FAIL_OS(err, "the table of K2");
    if (madvise(p, n, MADV_DONTFORK) != 0 || madvise(p, n, MADV_DONTDUMP) != 0) {
        munmap(p, n);
        return QC_FAIL_OS(err, "the table of K2");
    }
    *ret = (struct pads_table){ .v = p, .n = n, .locked = mlock(p, n) == 0 };
    return QC_OK;
}

void pads_table_close(struct pads_table *t)
{
    if (t->v != NULL)
        munmap(t->v, t->n);
    *t = (struct pads_table){ 0 };
}

struct pad_slot *pads_table_find(const struct pads_table *t, uint64_t number)
{
    for (unsigned i = 0; i < QKD_PADS_MAX; i++)
        if (t->v[i].number == number)
            return &t->v[i];
    return NULL;
}
