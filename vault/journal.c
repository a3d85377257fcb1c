#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/crypto.h"

static qc_rc encode(uint8_t out[JOURNAL_SLOT], const struct journal_put *put, uint32_t turn,
                    struct qc_err *err)
{
    memcpy(out, "QCJ2", 4);
    qc_put_be(out + 4, turn, 4);
    memcpy(out + 8, put->vault, 16);
    memcpy(out + 24, put->put_key, 16);
    memcpy(out + 40, put->object, 16);
    memcpy(out + 56, put->version, 16);
    memcpy(out + 72, put->path_tag, 16);
    qc_put_be(out + 88, put->sequence, 8);
    qc_put_be(out + 96, put->number, 8);
    return qc_sha256(&(qc_span){ out, JOURNAL_CLEAR }, 1, out + JOURNAL_CLEAR, err);
}

/* *ret_whole false: torn, or never written. */
static qc_rc decode(struct journal_put *ret, uint32_t *ret_turn, bool *ret_whole, qc_span slot,
                    struct qc_err *err)
{
    uint8_t sum[32];
    *ret_whole = false;
    if (slot.n != JOURNAL_SLOT || memcmp(slot.p, "QCJ2", 4) != 0)
        return QC_OK;
    QC_TRY(qc_sha256(&(qc_span){ slot.p, JOURNAL_CLEAR }, 1, sum, err));
    if (!qc_ct_eq(sum, slot.p + JOURNAL_CLEAR, sizeof(sum)))
        return QC_OK;
    qc_rd r = { .s = qc_span_sub(slot, 4, JOURNAL_CLEAR - 4) };
    *ret_turn = (uint32_t)qc_rd_be(&r, 4);
    qc_rd_copy(&r, ret->vault, 16);
    qc_rd_copy(&r, ret->put_key, 16);
    qc_rd_copy(&r, ret->object, 16);
    qc_rd_copy(&r, ret->version, 16);
    qc_rd_copy(&r, ret->path_tag, 16);
    ret->sequence = qc_rd_be(&r, 8);
    ret->number = qc_rd_be(&r, 8);
    *ret_whole = qc_rd_end(&r) && ret->sequence > 0 && ret->sequence <= INT64_MAX && ret->number > 0 &&
                 ret->number <= INT64_MAX;
    return QC_OK;
}

qc_rc journal_parse(struct journal_put *ret, uint32_t *ret_turn, qc_span in, struct qc_err *err)
{
    struct journal_put best = { 0 };
    uint32_t best_turn = 0;
    bool any = false;
    if (in.n > 2 * JOURNAL_SLOT)
        return QC_FAIL(err, QC_FORMAT, "journal: %zu bytes", in.n);
    for (size_t at = 0; at + JOURNAL_SLOT <= in.n; at += JOURNAL_SLOT) {
        struct journal_put put = { 0 };
        uint32_t turn = 0;
        bool whole = false;
        QC_TRY(decode(&put, &turn, &whole, qc_span_sub(in, at, JOURNAL_SLOT), err));
        if (whole && (!any || turn > best_turn)) {
            best = put;
            best_turn = turn;
            any = true;
        }
    }
    if (!any)
        return QC_FAIL(err, QC_FORMAT, "journal: no whole slot");
    *ret = best;
    *ret_turn = best_turn;
    return QC_OK;
}

void journal_close(struct journal *j)
{
    qc_fd_close(&j->file);
    qc_fd_close(&j->dir);
    *j = (struct journal){ 0 };
}

qc_rc journal_update(struct journal *j, const struct journal_put *put, struct qc_err *err)
{
    uint8_t slot[JOURNAL_SLOT];
    QC_TRY(encode(slot, put, j->turn + 1, err));
    uint64_t at = (j->turn + 1) % 2 * JOURNAL_SLOT;
    QC_TRY_AS(qc_pwrite_all(qc_fd_get(&j->file), qc_span_of(slot, sizeof(slot)), at, err), err, "journal");
    QC_TRY_AS(qc_sync(qc_fd_get(&j->file), err), err, "journal");
    j->turn++;
    return QC_OK;
}

static qc_rc open_dir(struct qc_fd *ret, const char *state, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd parent = { 0 };
    QC_TRY(qc_dir_make_path(state, 0700, err));
    QC_TRY(qc_dir_open(&parent, state, err));
    QC_TRY(qc_dir_make_durable(qc_fd_get(&parent), "journal", 0700, err));
    return qc_open_at(ret, qc_fd_get(&parent), "journal", O_RDONLY | O_DIRECTORY, 0, err);
}

/* Another command may find the new file before it is locked, take it for a leftover and unlink it: then make
 * it again. */
static qc_rc make_locked(struct journal *j, struct qc_err *err)
{
    for (unsigned i = 0; i < QC_RETRY_MAX; i++) {
        struct stat st;
        qc_fd_close(&j->file);
        QC_TRY(qc_open_at(&j->file, qc_fd_get(&j->dir), j->name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err));
        if (flock(qc_fd_get(&j->file), LOCK_EX) != 0 || fstat(qc_fd_get(&j->file), &st) != 0)
            return QC_FAIL_OS(err, "cannot lock the journal");
        if (st.st_nlink > 0)
            return QC_OK;
    }
    return QC_FAIL(err, QC_LOCKED, "the journal's file goes away again and again");
}

qc_rc journal_begin(struct journal *ret, const char *state, const struct journal_put *put, struct qc_err *err)
{
    QC_CLEANUP(journal_close) struct journal j = { 0 };
    QC_TRY_AS(open_dir(&j.dir, state, err), err, "journal");
    qc_hex(qc_span_of(put->put_key, sizeof(put->put_key)), j.name);
    QC_TRY_AS(make_locked(&j, err), err, "journal");
    QC_TRY(journal_update(&j, put, err));
    QC_TRY_AS(qc_dir_sync(qc_fd_get(&j.dir), err), err, "journal");
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc journal_end(struct journal *j, struct qc_err *err)
{
    QC_TRY_AS(qc_file_remove(qc_fd_get(&j->dir), j->name, err), err, "journal");
    journal_close(j);
    return QC_OK;
}
