/* Pre-loaded files: each byte is used once, whatever crashes (I4). FORMAT 10.4.
 *
 * Blocks of 4 KiB are reserved one by one, under a lock on the file, so that several processes share it:
 *
 *   1. the new position is durable beside the file
 *   2. the block is read
 *   3. the block is overwritten with zeros and punched out, durably
 *   4. its bytes are used
 *
 * On media that cannot be written the position stands elsewhere (conf->position), and 3 is left out: it alone
 * counts.
 *
 * A crash before 3 leaves a block that nobody used and nobody will: the next reservation erases it. Without a
 * position the zeros at the file's begin are what was used. */
#include "raw.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/key.h"
#include "base/secret.h"
#include "position.h"
#include "qrng/health.h"

enum { BLOCK = QC_QRNG_FILE_BLOCK, POLL_MS = 20 };

struct file {
    const struct qrng_source_conf *conf;
    struct qc_secret memory;         /* a block, and behind it the tests of a new file */
    size_t at;                       /* in it; BLOCK: used up */
    struct qc_fd dir;                /* that holds the files and, but for conf->position, their positions */
    struct qc_fd apart;              /* conf->position: then the files are never written to */
    char name[QC_FILE_NAME_MAX + 1]; /* the only file; empty: all of the directory */
    uint64_t left;                   /* bytes that nobody reserved, when last looked at */
};

static bool is_read_only(const struct file *f)
{
    return f->conf->position[0] != '\0';
}

static int positions(const struct file *f)
{
    return qc_fd_get(is_read_only(f) ? &f->apart : &f->dir);
}

/* One file that is open, locked. */
struct loaded {
    struct qc_fd fd;
    uint64_t size; /* whole blocks */
    struct qrng_position pos;
};

static void loaded_done(struct loaded *l)
{
    qc_fd_close(&l->fd);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static qc_rc block_read(const struct loaded *l, uint64_t off, uint8_t *p, struct qc_err *err)
{
    size_t got = 0;
    QC_TRY(qc_pread_full(qc_fd_get(&l->fd), p, BLOCK, off, &got, err));
    return got == BLOCK ? QC_OK : QC_FAIL(err, QC_IO, "the file ended at %" PRIu64, off + got);
}

/* Zeros over the block, then no block: where a file system cannot punch, the zeros are what stays. */
static qc_rc block_erase(const struct loaded *l, uint64_t off, struct qc_err *err)
{
    static const uint8_t zeros[BLOCK];
    const int fd = qc_fd_get(&l->fd);
    QC_TRY(qc_pwrite_all(fd, qc_span_of(zeros, BLOCK), off, err));
    QC_TRY(qc_sync(fd, err));
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, BLOCK) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS)
        return QC_FAIL_OS(err, "punching the used block");
    return QC_OK;
}

/* Where zeros end: what a lost position is found by. */
static qc_rc find_begin(struct loaded *l, uint8_t *block, uint64_t *ret, struct qc_err *err)
{
    for (uint64_t off = 0; off < l->size; off += BLOCK) {
        QC_TRY(block_read(l, off, block, err));
        if (!is_zero(block, BLOCK)) {
            *ret = off;
            return QC_OK;
        }
    }
    *ret = l->size;
    return QC_OK;
}

/* What was used reads as zeros, or the file is a copy that was put back. The block before the position may
 * have been left by a crash: it is erased. */
static qc_rc check_used(struct loaded *l, uint8_t *block, struct qc_err *err)
{
    const uint64_t used = l->pos.offset / BLOCK;
    if (used == 0)
        return QC_OK;
    for (uint64_t i = 0; i < QC_QRNG_FILE_PROBES && i < used - 1; i++) {
        const uint64_t which = i == 0 ? 0 : used - 1 - i;
        QC_TRY(block_read(l, which * BLOCK, block, err));
        if (!is_zero(block, BLOCK))
            return QC_FAIL(err, QC_RANDOM,
                           "bytes before its position are there again: it is a copy of a used file");
    }
    QC_TRY(block_read(l, (used - 1) * BLOCK, block, err));
    return is_zero(block, BLOCK) ? QC_OK : block_erase(l, (used - 1) * BLOCK, err);
}

/* Before the first byte of a file is used: its begin is tested as a whole, since one command uses up to 8 KiB
 * of it and would never see that it repeats itself. */
static qc_rc first_look(struct file *f, const struct loaded *l, struct qc_err *err)
{
    uint8_t *block = f->memory.p;
    struct qrng_tests *t = (void *)(block + BLOCK);
    const uint64_t end =
        l->size - l->pos.offset < QC_QRNG_FILE_LOOK ? l->size : l->pos.offset + QC_QRNG_FILE_LOOK;
    bool fine = true;
    qrng_health_init(t, f->conf->mbit, QRNG_ALPHA);
    for (uint64_t off = l->pos.offset; off < end && fine; off += BLOCK) {
        QC_TRY(block_read(l, off, block, err));
        fine = qrng_health_take(t, block, BLOCK);
    }
    const enum qrng_alarm alarm = t->alarm;
    const uint64_t at = l->pos.offset + t->bytes;
    qc_wipe(f->memory.p, f->memory.n);
    return fine ? QC_OK
                : QC_FAIL(err, QC_RANDOM, "its bytes failed a health test (%s) at byte %" PRIu64,
                          qrng_alarm_text(alarm), at);
}

static qc_rc lock_wait(int fd, uint32_t wait_ms, struct qc_err *err)
{
    const qc_deadline d = qc_deadline_in(wait_ms);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return QC_FAIL_OS(err, "locking");
        if (qc_deadline_over(d))
            return QC_FAIL(err, QC_RANDOM, "another process holds its lock");
        const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
        nanosleep(&pause, NULL);
    }
    return QC_OK;
}

/* Open, lock, and find the position. */
static qc_rc load(struct file *f, const char *name, struct loaded *l, struct qc_err *err)
{
    struct stat st;
    uint8_t *block = f->memory.p;
    bool found = false;
    QC_TRY(qc_open_at(&l->fd, qc_fd_get(&f->dir), name, (is_read_only(f) ? O_RDONLY : O_RDWR) | O_NOFOLLOW, 0,
                      err));
    if (fstat(qc_fd_get(&l->fd), &st) != 0)
        return QC_FAIL_OS(err, "stat");
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_RANDOM, "no regular file");
    QC_TRY(qc_file_private(qc_fd_get(&l->fd), err));
    QC_TRY(lock_wait(qc_fd_get(&l->fd), f->conf->stall_ms, err));
    l->size = (uint64_t)st.st_size / BLOCK * BLOCK;
    QC_TRY(qrng_position_load(positions(f), name, &l->pos, &found, err));
    if (!found) {
        l->pos = (struct qrng_position){ .size = (uint64_t)st.st_size };
        if (!is_read_only(f))
            QC_TRY(find_begin(l, block, &l->pos.offset, err));
        return first_look(f, l, err);
    }
    if (l->pos.size != (uint64_t)st.st_size || l->pos.offset > l->size)
        return QC_FAIL(err, QC_RANDOM, "it has %" PRIu64 " bytes, and its position is of a file of %" PRIu64,
                       (uint64_t)st.st_size, l->pos.size);
    return is_read_only(f) ? QC_OK : check_used(l, block, err); /* there the position alone counts */
}

/* A block of this file into memory; *ret_got false: it has none left. */
static qc_rc reserve(struct file *f, const char *name, bool *ret_got, struct qc_err *err)
{
    QC_CLEANUP(loaded_done) struct loaded l = { 0 };
    QC_TRY(load(f, name, &l, err));
    *ret_got = l.pos.offset < l.size;
    f->left += l.size - l.pos.offset;
    if (!*ret_got)
        return QC_OK;
    const uint64_t off = l.pos.offset;
    l.pos.offset += BLOCK;
    QC_TRY(qrng_position_save(positions(f), name, &l.pos, err));
    QC_TRY(qc_fault(qrng_file_reserved, err));
    QC_TRY(block_read(&l, off, f->memory.p, err));
    if (!is_read_only(f))
        QC_TRY(block_erase(&l, off, err));
    QC_TRY(qc_fault(qrng_file_erased, err));
    f->left -= BLOCK;
    return QC_OK;
}

/* --- A directory of files: in the order of their names, the positions left out --- */

struct names {
    char **v;
    size_t n;
};

static void names_done(struct names *s)
{
    for (size_t i = 0; i < s->n; i++)
        qc_free(s->v[i]);
    qc_free(s->v);
    *s = (struct names){ 0 };
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static qc_rc names_read(struct file *f, struct names *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd again = { 0 };
    QC_TRY(qc_open_at(&again, qc_fd_get(&f->dir), ".", O_RDONLY | O_DIRECTORY, 0, err));
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(qc_fd_get(&again));
    if (d == NULL)
        return QC_FAIL_OS(err, "directory");
    again = (struct qc_fd){ 0 };
    ret->v = qc_alloc(QC_QRNG_FILES_MAX * sizeof *ret->v);
    if (ret->v == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for names");
    for (const struct dirent *e = readdir(d); e != NULL;
         e = readdir(d)) { /* NOLINT(concurrency-mt-unsafe): d is ours */
        if (e->d_name[0] == '.' || qrng_position_is_name(e->d_name))
            continue;
        if (ret->n == QC_QRNG_FILES_MAX)
            return QC_FAIL(err, QC_LIMIT, "more than %d files", QC_QRNG_FILES_MAX);
        ret->v[ret->n] = qc_strdup(e->d_name);
        if (ret->v[ret->n] == NULL)
            return QC_FAIL(err, QC_NOMEM, "no memory for names");
        ret->n++;
    }
    qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    return QC_OK;
}

/* The first file with a block left; those after it are counted, too. */
static qc_rc reserve_any(struct file *f, bool *ret_got, struct qc_err *err)
{
    QC_CLEANUP(names_done) struct names names = { 0 };
    QC_TRY(names_read(f, &names, err));
    for (size_t i = 0; i < names.n; i++) {
        struct stat st;
        if (*ret_got && fstatat(qc_fd_get(&f->dir), names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            f->left += (uint64_t)st.st_size;
        else if (!*ret_got)
            QC_TRY_AS(reserve(f, names.v[i], ret_got, err), err, "%s", names.v[i]);
    }
    return QC_OK;
}

static qc_rc next_block(struct file *f, struct qc_err *err)
{
    bool got = false;
    struct qc_err why = { 0 };
    f->left = 0;
    const qc_rc rc = f->name[0] == '\0' ? reserve_any(f, &got, &why) : reserve(f, f->name, &got, &why);
    if (rc == QC_OK && got) {
        f->at = 0;
        return QC_OK;
    }
    qc_wipe(f->memory.p, BLOCK);
    f->at = BLOCK;
    if (rc == QC_NOMEM)
        return QC_FAIL(err, QC_NOMEM, "%s", why.msg);
    if (rc != QC_OK)
        return QC_FAIL(err, QC_RANDOM, "%s: %s", f->conf->path, why.msg);
    return QC_FAIL(err, QC_RANDOM, "%s: all of its bytes are used", f->conf->path);
}

static qc_rc file_read(void *ctx, uint8_t *p, size_t n, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct file *f = ctx;
    while (n > 0) {
        if (qc_cancel_is(cancel))
            return QC_FAIL(err, QC_CANCELLED, "interrupted");
        if (f->at == BLOCK)
            QC_TRY(next_block(f, err));
        const size_t take = n < BLOCK - f->at ? n : BLOCK - f->at;
        uint8_t *from = (uint8_t *)f->memory.p + f->at;
        memcpy(p, from, take);
        qc_wipe(from, take);
        f->at += take;
        p += take;
        n -= take;
    }
    return QC_OK;
}

static uint64_t file_left(void *ctx)
{
    const struct file *f = ctx;
    return f->left;
}

static void file_close(void *ctx)
{
    struct file *f = ctx;
    qc_secret_free(&f->memory);
    qc_fd_close(&f->dir);
    qc_fd_close(&f->apart);
    qc_free(f);
}

static const struct qrng_raw_ops file_ops = { .read = file_read, .left = file_left, .close = file_close };

/* A directory is read as such; of a file, its directory and its name. */
static qc_rc attach(struct file *f, struct qc_err *err)
{
    char dir[QC_QRNG_PATH_MAX + 1];
    struct stat st;
    memcpy(dir, f->conf->path, sizeof dir);
    if (stat(dir, &st) != 0)
        return QC_FAIL_OS(err, "%s", dir);
    if (!S_ISDIR(st.st_mode)) {
        char *slash = strrchr(dir, '/'); /* the path is absolute */
        if (strlen(slash + 1) > QC_FILE_NAME_MAX || slash[1] == '\0')
            return QC_FAIL(err, QC_RANDOM, "%s: no name of a file", f->conf->path);
        memcpy(f->name, slash + 1, strlen(slash + 1) + 1);
        slash[slash == dir ? 1 : 0] = '\0';
    }
    QC_TRY(qc_dir_open(&f->dir, dir, err));
    if (is_read_only(f))
        QC_TRY(qc_dir_open(&f->apart, f->conf->position, err));
    return qc_secret_new(&f->memory, BLOCK + sizeof(struct qrng_tests), err);
}

qc_rc qrng_file_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct file *f = qc_alloc(sizeof *f);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a source");
    f->conf = conf;
    f->at = BLOCK;
    const qc_rc rc = attach(f, &why);
    if (rc != QC_OK) {
        file_close(f);
        return rc == QC_NOMEM ? QC_FAIL(err, QC_NOMEM, "%s", why.msg)
                              : QC_FAIL(err, QC_RANDOM, "%s", why.msg);
    }
    ret->ops = &file_ops;
    ret->ctx = f;
    return QC_OK;
}
