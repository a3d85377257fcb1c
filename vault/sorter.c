#include "sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/time.h"

/* A record is u32 key length, u32 value length, key, value. */
#define HEAD 8

struct run {
    struct qc_fd fd;
    uint64_t at, end; /* in the file */
    qc_buf window;    /* bytes read ahead; the current record begins at pos */
    size_t pos;
};

struct sorter {
    char *dir;
    size_t memory;
    qc_buf arena;
    uint8_t **index; /* records in the arena, which never moves */
    size_t count, cap;
    struct run *run;
    size_t runs;
};

static qc_span key_of(const uint8_t *record)
{
    return qc_span_of(record + HEAD, (size_t)qc_get_be(record, 4));
}

static qc_span value_of(const uint8_t *record)
{
    size_t key = (size_t)qc_get_be(record, 4);
    return qc_span_of(record + HEAD + key, (size_t)qc_get_be(record + 4, 4));
}

static size_t size_of(const uint8_t *record)
{
    return HEAD + (size_t)qc_get_be(record, 4) + (size_t)qc_get_be(record + 4, 4);
}

void sorter_free(struct sorter **sp)
{
    struct sorter *s = *sp;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->runs; i++) {
        qc_fd_close(&s->run[i].fd);
        qc_buf_free(&s->run[i].window);
    }
    qc_free(s->run);
    qc_free(s->index);
    qc_buf_free(&s->arena);
    qc_free(s->dir);
    qc_free(s);
    *sp = NULL;
}

qc_rc sorter_new(struct sorter **ret, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(sorter_free) struct sorter *s = qc_alloc(sizeof(*s));
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to sort");
    s->memory = QC_VAULT_LIST_MEMORY;
    qc_buf_init(&s->arena, QC_VAULT_LIST_MEMORY + SORTER_RECORD_MAX + HEAD);
    if (dir != NULL && (s->dir = qc_strdup(dir)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to sort");
    *ret = QC_STEAL(s);
    return QC_OK;
}

void sorter_set_memory(struct sorter *s, size_t bytes)
{
    QC_ASSERT(bytes <= QC_VAULT_LIST_MEMORY);
    s->memory = bytes;
}

static int by_key(const void *a, const void *b)
{
    return qc_span_cmp(key_of(*(uint8_t *const *)a), key_of(*(uint8_t *const *)b));
}

static void sort(struct sorter *s)
{
    if (s->count > 1)
        qsort(s->index, s->count, sizeof(*s->index), by_key);
}

/* A file without a name. File systems without O_TMPFILE get one with a name that goes at once. */
static qc_rc nameless(struct qc_fd *ret, const char *dir, struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_rc rc = qc_open_at(ret, AT_FDCWD, dir, O_RDWR | O_TMPFILE | O_EXCL, 0600, &why);
    if (rc == QC_OK || (why.os != EOPNOTSUPP && why.os != EISDIR)) {
        if (rc != QC_OK)
            *err = why;
        return rc;
    }
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = 65536 };
    const char *text = NULL;
    QC_TRY(qc_buf_addf(&path, err, "%s/.sort-%ld-%" PRIu64, dir, (long)getpid(), qc_now_ns()));
    QC_TRY(qc_buf_cstr(&path, &text, err));
    QC_TRY(qc_open_at(ret, AT_FDCWD, text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err));
    return unlink(text) == 0 ? QC_OK : QC_FAIL_OS(err, "cannot unlink a temporary file");
}

/* The arena, sorted, to an unlinked file; then it is empty. */
static qc_rc spill(struct sorter *s, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = 1 << 20 };
    uint64_t at = 0;
    if (s->dir == NULL || s->runs == QC_VAULT_LIST_RUNS_MAX)
        return QC_FAIL(err, QC_LIMIT, "the listing is too long to be sorted");
    struct run *more = qc_realloc(s->run, (s->runs + 1) * sizeof(*more));
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to sort");
    s->run = more;
    QC_TRY(nameless(&fd, s->dir, err));
    sort(s);
    for (size_t i = 0; i < s->count; i++) {
        size_t n = size_of(s->index[i]);
        if (out.n + n > out.max || i + 1 == s->count) {
            QC_TRY(qc_pwrite_all(qc_fd_get(&fd), qc_buf_span(&out), at, err));
            at += out.n;
            qc_buf_clear(&out);
        }
        QC_TRY(qc_buf_add(&out, qc_span_of(s->index[i], n), err));
    }
    QC_TRY(qc_pwrite_all(qc_fd_get(&fd), qc_buf_span(&out), at, err));
    at += out.n;
    s->run[s->runs++] = (struct run){ .fd = QC_STEAL(fd), .end = at };
    s->count = 0;
    qc_buf_clear(&s->arena);
    return QC_OK;
}

qc_rc sorter_add(struct sorter *s, qc_span key, qc_span value, struct qc_err *err)
{
    if (key.n > SORTER_RECORD_MAX || value.n > SORTER_RECORD_MAX - key.n)
        return QC_FAIL(err, QC_LIMIT, "a record of %zu bytes", key.n + value.n);
    size_t n = HEAD + key.n + value.n;
    if (s->count > 0 && s->arena.n + n > s->memory)
        QC_TRY(spill(s, err));
    if (s->arena.cap == 0)
        QC_TRY(qc_buf_reserve(&s->arena, s->arena.max, err)); /* all at once: pointers into it stay */
    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 1024 : s->cap * 2;
        uint8_t **index = qc_realloc(s->index, cap * sizeof(*index));
        if (index == NULL)
            return QC_FAIL(err, QC_NOMEM, "no memory to sort");
        s->index = index;
        s->cap = cap;
    }
    s->index[s->count] = s->arena.p + s->arena.n;
    QC_TRY(qc_buf_add_be(&s->arena, key.n, 4, err));
    QC_TRY(qc_buf_add_be(&s->arena, value.n, 4, err));
    QC_TRY(qc_buf_add(&s->arena, key, err));
    QC_TRY(qc_buf_add(&s->arena, value, err));
    s->count++;
    return QC_OK;
}

/* The current record of a run stands whole in its window; NULL at the end. */
static qc_rc current(struct run *r, const uint8_t **ret, struct qc_err *err)
{
    size_t left = r->window.n - r->pos;
    *ret = NULL;
    if (left >= HEAD && left >= size_of(r->window.p + r->pos)) {
        *ret = r->window.p + r->pos;
        return QC_OK;
    }
    if (left == 0 && r->at == r->end)
        return QC_OK;
    if (r->window.cap == 0) {
        r->window.max = 2 * (SORTER_RECORD_MAX + HEAD);
        QC_TRY(qc_buf_reserve(&r->window, r->window.max, err));
    }
    memmove(r->window.p, r->window.p + r->pos, left);
    r->window.n = left;
    r->pos = 0;
    size_t want = r->window.max - left, got = 0;
    if (want > r->end - r->at)
        want = (size_t)(r->end - r->at);
    QC_TRY(qc_pread_full(qc_fd_get(&r->fd), r->window.p + left, want, r->at, &got, err));
    r->window.n += got;
    r->at += got;
    if (got != want || r->window.n < HEAD || r->window.n < size_of(r->window.p))
        return QC_FAIL(err, QC_IO, "a temporary file of the listing is damaged");
    *ret = r->window.p;
    return QC_OK;
}

static qc_rc merge(struct sorter *s, sorter_fn fn, void *ctx, struct qc_err *err)
{
    for (;;) {
        const uint8_t *least = NULL;
        struct run *from = NULL;
        for (size_t i = 0; i < s->runs; i++) {
            const uint8_t *record = NULL;
            QC_TRY(current(&s->run[i], &record, err));
            if (record != NULL && (least == NULL || qc_span_cmp(key_of(record), key_of(least)) < 0)) {
                least = record;
                from = &s->run[i];
            }
        }
        if (least == NULL)
            return QC_OK;
        QC_TRY(fn(ctx, key_of(least), value_of(least), err));
        from->pos += size_of(least);
    }
}

qc_rc sorter_walk(struct sorter *s, sorter_fn fn, void *ctx, struct qc_err *err)
{
    if (s->runs > 0) {
        if (s->count > 0)
            QC_TRY(spill(s, err));
        return merge(s, fn, ctx, err);
    }
    sort(s);
    for (size_t i = 0; i < s->count; i++)
        QC_TRY(fn(ctx, key_of(s->index[i]), value_of(s->index[i]), err));
    return QC_OK;
}
