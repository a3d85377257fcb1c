/* K1 on the disk: read once, erased once, by MiB past the page cache where that goes: there is no copy of it
 * left in the kernel's memory either. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/key.h"
#include "base/onetime.h"
#include "pads_internal.h"

enum { PIECE = 4 * QKD_PAD_WINDOW, TAG_KEY = 32 };
_Static_assert(PIECE % QC_PAGE == 0 && QKD_PAD_WINDOW % QC_PAGE == 0, "direct reads and writes");

void pads_name(uint64_t number, char ret[PAD_NAME])
{
    snprintf(ret, PAD_NAME, "seg-%" PRIu64 ".k1", number);
}

qc_rc pads_tag(const uint8_t *k2, qc_span k1, uint8_t ret[QC_TAG], struct qc_err *err)
{
    uint8_t key[TAG_KEY] = { 0 };
    QC_TRY(qc_aes256_ctr_xor(qc_span_of(k2, PAD_K2), 0, key, sizeof key, err));
    const qc_rc rc = qc_poly1305_long(qc_span_of(key, sizeof key), &k1, 1, ret, err);
    qc_wipe(key, sizeof key);
    return rc;
}

/* The first `want` bytes, or as many as there are: a block and what follows it. p: pages. */
static qc_rc read_block(int fd, uint8_t *p, size_t block, size_t want, size_t *ret_got, struct qc_err *err)
{
    size_t got = 0, rest = 0;
    for (bool direct = true; direct && got < block;) {
        const ssize_t n = qc_pread_direct(fd, p + got, block - got, got);
        direct = n > 0 && n % QC_PAGE == 0;
        got += n > 0 ? (size_t)n : 0;
    }
    /* What it does not read so, or says is not there, is read in the usual way: that knows what is wrong. */
    QC_TRY(qc_pread_full(fd, p + got, want - got, got, &rest, err));
    *ret_got = got + rest;
    return QC_OK;
}

qc_rc pads_load(int dirfd, const struct pad_slot *slot, uint32_t block, struct qc_secret *k1,
                struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const size_t want = block + QC_TAG;
    char name[PAD_NAME];
    uint8_t tag[QC_TAG];
    size_t got = 0;
    pads_name(slot->number, name);
    QC_TRY(qc_open_at(&fd, dirfd, name, O_RDONLY | O_NOFOLLOW, 0, err));
    if (k1->p == NULL)
        QC_TRY(qc_secret_new_data(k1, want + 1, err));
    QC_TRY(read_block(qc_fd_get(&fd), k1->p, block, want + 1, &got, err));
    QC_TRY(pads_tag(slot->k2, qc_span_of(k1->p, block), tag, err));
    if (got != want || !qc_ct_eq(tag, (const uint8_t *)k1->p + block, sizeof tag))
        return QC_FAIL(err, QC_INTEGRITY, "pad block %" PRIu64 " is damaged", slot->number);
    return QC_OK;
}

static qc_rc write_over(int fd, uint64_t size, struct qc_err *err)
{
    static _Alignas(QC_PAGE) const uint8_t zeros[PIECE];
    bool direct = true;
    for (uint64_t at = 0; at < size;) {
        const size_t n = size - at < sizeof zeros ? (size_t)(size - at) : sizeof zeros;
        const qc_span s = qc_span_of(zeros, n);
        direct = direct && n % QC_PAGE == 0 && at % QC_PAGE == 0;
        const ssize_t done = direct ? qc_pwrite_direct(fd, s, at) : -1;
        if (done <= 0) {
            direct = false;
            QC_TRY(qc_pwrite_all(fd, s, at, err));
        }
        at += done <= 0 ? n : (size_t)done;
    }
    return qc_sync(fd, err);
}

qc_rc pads_erase(int dirfd, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const qc_rc rc = qc_open_at(&fd, dirfd, name, O_WRONLY | O_NOFOLLOW, 0, err);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    const off_t size = lseek(qc_fd_get(&fd), 0, SEEK_END);
    if (size < 0)
        return QC_FAIL_OS(err, "%s", name);
    QC_TRY(write_over(qc_fd_get(&fd), (uint64_t)size, err));
    if (size > 0 && fallocate(qc_fd_get(&fd), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS)
        return QC_FAIL_OS(err, "%s", name);
    QC_TRY(qc_fault(pads_over, err));
    return qc_file_remove(dirfd, name, err);
}
