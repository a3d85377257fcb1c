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
#include "resume.h"

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

static qc_rc make(struct journal *j, const char *state, const uint8_t *put_key, struct qc_err *err)
{
    QC_TRY_AS(open_dir(&j->dir, state, err), err, "journal");
    qc_hex(qc_span_of(put_key, 16), j->name);
    QC_TRY_AS(make_locked(j, err), err, "journal");
    return QC_OK;
}

static qc_rc encode_bundle(qc_buf *out, const struct journal_bundle *b, struct qc_err *err)
{
    uint8_t sum[32];
    QC_TRY(qc_buf_add(out, QC_LIT("QCJB"), err));
    QC_TRY(qc_buf_add_be(out, b->count, 4, err));
    QC_TRY(qc_buf_add(out, qc_span_of(b->vault, 16), err));
    QC_TRY(qc_buf_add(out, qc_span_of(b->put_key, 16), err));
    for (size_t i = 0; i < b->count; i++) {
        const struct journal_put *p = &b->v[i];
        QC_TRY(qc_buf_add(out, qc_span_of(p->put_key, 16), err));
        QC_TRY(qc_buf_add(out, qc_span_of(p->object, 16), err));
        QC_TRY(qc_buf_add(out, qc_span_of(p->version, 16), err));
        QC_TRY(qc_buf_add(out, qc_span_of(p->path_tag, 16), err));
        QC_TRY(qc_buf_add_be(out, p->sequence, 8, err));
        QC_TRY(qc_buf_add_be(out, p->number, 8, err));
    }
    const qc_span all = qc_buf_span(out);
    QC_TRY(qc_sha256(&all, 1, sum, err));
    return qc_buf_add(out, qc_span_of(sum, sizeof(sum)), err);
}

qc_rc journal_parse_bundle(struct journal_bundle *ret, qc_span in, struct qc_err *err)
{
    uint8_t sum[32];
    if (in.n < JOURNAL_BUNDLE_HEAD + 32 || in.n > JOURNAL_BUNDLE_MAX || memcmp(in.p, "QCJB", 4) != 0)
        return QC_FAIL(err, QC_FORMAT, "journal: no whole bundle");
    const qc_span clear = qc_span_sub(in, 0, in.n - 32);
    QC_TRY(qc_sha256(&clear, 1, sum, err));
    if (!qc_ct_eq(sum, in.p + clear.n, sizeof(sum)))
        return QC_FAIL(err, QC_FORMAT, "journal: no whole bundle");
    qc_rd r = { .s = qc_span_from(clear, 4) };
    struct journal_bundle *b = ret; /* of no use after a failure */
    b->count = (size_t)qc_rd_be(&r, 4);
    qc_rd_copy(&r, b->vault, 16);
    qc_rd_copy(&r, b->put_key, 16);
    if (b->count > QC_VAULT_BUNDLE_FILES)
        return QC_FAIL(err, QC_FORMAT, "journal: a bundle of %zu", b->count);
    bool good = true;
    for (size_t i = 0; i < b->count; i++) {
        struct journal_put *p = &b->v[i];
        memcpy(p->vault, b->vault, 16);
        qc_rd_copy(&r, p->put_key, 16);
        qc_rd_copy(&r, p->object, 16);
        qc_rd_copy(&r, p->version, 16);
        qc_rd_copy(&r, p->path_tag, 16);
        p->sequence = qc_rd_be(&r, 8);
        p->number = qc_rd_be(&r, 8);
        good = good && p->sequence > 0 && p->sequence <= INT64_MAX && p->number > 0 && p->number <= INT64_MAX;
    }
    if (!qc_rd_end(&r) || !good)
        return QC_FAIL(err, QC_FORMAT, "journal: a bundle that does not parse");
    return QC_OK;
}

qc_rc journal_begin_bundle(struct journal *ret, const char *state, const struct journal_bundle *b,
                           struct qc_err *err)
{
    QC_CLEANUP(journal_close) struct journal j = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = JOURNAL_BUNDLE_MAX };
    QC_TRY(encode_bundle(&bytes, b, err));
    QC_TRY(make(&j, state, b->put_key, err));
    QC_TRY_AS(qc_pwrite_all(qc_fd_get(&j.file), qc_buf_span(&bytes), 0, err), err, "journal");
    QC_TRY_AS(qc_sync(qc_fd_get(&j.file), err), err, "journal");
    QC_TRY_AS(qc_dir_sync(qc_fd_get(&j.dir), err), err, "journal");
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc journal_begin(struct journal *ret, const char *state, const struct journal_put *put, struct qc_err *err)
{
    QC_CLEANUP(journal_close) struct journal j = { 0 };
    QC_TRY(make(&j, state, put->put_key, err));
    QC_TRY(journal_update(&j, put, err));
    QC_TRY_AS(qc_dir_sync(qc_fd_get(&j.dir), err), err, "journal");
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc journal_end(struct journal *j, struct qc_err *err)
{
    QC_TRY(resume_remove(j, err));
    QC_TRY_AS(qc_file_remove(qc_fd_get(&j->dir), j->name, err), err, "journal");
    journal_close(j);
    return QC_OK;
}
