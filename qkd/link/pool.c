#include "pool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/key.h"
#include "base/log.h"
#include "base/manager.h"

/* -- the pad of frames ----------------------------------------------------------------------------------- */

static qc_rc where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *err)
{
    const struct link_pool *p = ctx;
    uint64_t block = 0;
    uint32_t offset = 0;
    while (qkd_pads_at(p->pads, &block, &offset)) {
        if (p->block - offset >= least) {
            *ret_at = (block - 1) * p->block + offset;
            *ret_left = p->block - offset;
            return QC_OK;
        }
        QC_TRY(qkd_pads_burn(p->pads, block + 1, err));
    }
    return QC_FAIL(err, QC_TEMP, "no pad is left");
}

static qc_rc take(void *ctx, uint8_t *room, size_t n, struct qc_err *err)
{
    const struct link_pool *p = ctx;
    for (size_t done = 0; done < n;) {
        struct qkd_pad_at at;
        const qc_rc rc = qkd_pads_take(p->pads, room + done, n - done, &at, err);
        if (rc != QC_OK) {
            qc_wipe(room, n);
            return rc;
        }
        done += at.n;
        if (p->record >= 0)
            dprintf(p->record, "%s %" PRIu64 " %u %u\n", p->name, at.block, (unsigned)at.offset,
                    (unsigned)at.n);
    }
    return QC_OK;
}

int link_record(void)
{
#ifdef QC_FAULT_POINTS
    const char *path = getenv("QC_LINK_RECORD");
    if (path != NULL)
        return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
#endif
    return -1;
}

/* What is not kept is lost with this process, as where there is no manager. */
static void tell_manager(const char *what, const char *kept, int fd)
{
    struct qc_err why = { 0 };
    char text[64];
    snprintf(text, sizeof text, "%s=1\nFDNAME=%s", what, kept);
    if (qc_manager_give(text, fd, &why) != QC_OK)
        QC_LOG(QC_LOG_WARN, "the service manager does not keep the pad", QC_S("why", why.msg));
}

/* Empty: of this process alone. *ret_new: the manager does not have it yet. */
static struct qc_fd table_of(const char *kept, bool *ret_new)
{
    struct qc_fd fd = qc_manager_kept(kept);
    if (qc_fd_is(&fd) && qkd_pads_is_table(qc_fd_get(&fd)))
        return fd;
    if (qc_fd_is(&fd)) { /* of another version, say */
        QC_LOG(QC_LOG_WARN, "what the service manager kept is no table of keys; what pad there was is lost",
               QC_S("name", kept));
        qc_fd_close(&fd);
        tell_manager("FDSTOREREMOVE", kept, -1); /* else the next start says the same again */
    }
    if (getenv("NOTIFY_SOCKET") == NULL)
        return fd;
    *ret_new = true;
    return qc_fd_own(memfd_create("qcloud-pads", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

static qc_rc open_pads(struct link_pool *p, const char *dir, struct qc_err *err)
{
    char kept[32];
    bool is_new = false;
    snprintf(kept, sizeof kept, "pad-%s", p->name);
    QC_CLEANUP(qc_fd_close) struct qc_fd table = table_of(kept, &is_new);
    const struct qkd_pads_opts o = { .dir = dir,
                                     .block = p->block,
                                     .table = qc_fd_is(&table) ? qc_fd_get(&table) : -1 };
    QC_TRY(qkd_pads_open(&p->pads, &o, err));
    if (qc_fd_is(&table) && is_new)
        tell_manager("FDSTORE", kept, qc_fd_get(&table)); /* it has its size for good */
    return QC_OK;
}

qc_rc link_pool_open(struct link_pool *ret, const char *name, const char *dir, uint32_t block, uint64_t pool,
                     uint32_t pad_to, struct qc_err *err)
{
    *ret = (struct link_pool){ .block = block, .name = name, .record = link_record() };
    const struct net_otp_conf conf = { .pad = { .ctx = ret, .where = where, .take = take },
                                       .pool = pool,
                                       .pad_to = pad_to };
    QC_TRY(open_pads(ret, dir, err));
    return net_otp_new(&ret->otp, &conf, err);
}

void link_pool_close(struct link_pool *p)
{
    if (p->pads == NULL)
        return;
    net_otp_free(&p->otp);
    qkd_pads_close(&p->pads);
    if (p->record >= 0)
        close(p->record);
}

/* -- agreeing -------------------------------------------------------------------------------------------- */

void link_pool_state(const struct link_pool *p, struct link_pool_state *ret)
{
    struct qkd_pads_counts c;
    *ret = (struct link_pool_state){ 0 };
    qkd_pads_counts(p->pads, &c);
    ret->next = c.next;
    ret->count = (uint32_t)qkd_pads_list(p->pads, ret->v);
    (void)qkd_pads_at(p->pads, &ret->block, &ret->offset);
}

/* What lies before a position is erased. */
static qc_rc forward(struct link_pool *p, uint64_t block, uint32_t offset, struct qc_err *err)
{
    uint64_t at = 0;
    uint32_t from = 0;
    QC_TRY(qkd_pads_burn(p->pads, block, err));
    while (qkd_pads_at(p->pads, &at, &from) && at == block && from < offset) {
        uint8_t room[1024];
        const size_t n = offset - from < sizeof room ? offset - from : sizeof room;
        struct qkd_pad_at got;
        QC_TRY(qkd_pads_take(p->pads, room, n, &got, err));
        qc_wipe(room, sizeof room);
    }
    return QC_OK;
}

qc_rc link_pool_agree(struct link_pool *p, const struct link_pool_state *theirs, struct qc_err *err)
{
    struct link_pool_state ours;
    net_otp_forget(p->otp);
    link_pool_state(p, &ours);
    QC_TRY(qkd_pads_skip(p->pads, theirs->next, err));
    QC_TRY(qkd_pads_keep(p->pads, theirs->v, theirs->count, err));
    const bool is_ours =
        ours.block > theirs->block || (ours.block == theirs->block && ours.offset > theirs->offset);
    return forward(p, is_ours ? ours.block : theirs->block, is_ours ? ours.offset : theirs->offset, err);
}
