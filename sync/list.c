#include "sync/list.h"

#include <stdlib.h>

#include "base/limits.h"

void sync_list_done(struct sync_list *l)
{
    qc_buf_free(&l->paths);
    qc_buf_free(&l->entries);
}

static struct sync_entry *entries(const struct sync_list *l)
{
    return (struct sync_entry *)(void *)l->entries.p;
}

size_t sync_list_count(const struct sync_list *l)
{
    return l->entries.n / sizeof(struct sync_entry);
}

const struct sync_entry *sync_list_at(const struct sync_list *l, size_t i)
{
    QC_ASSERT(i < sync_list_count(l));
    return &entries(l)[i];
}

void sync_list_rest(struct sync_list *l, size_t i)
{
    QC_ASSERT(i < sync_list_count(l));
    ((struct sync_entry *)(void *)l->entries.p)[i].kind = SYNC_REST;
}

qc_span sync_list_path(const struct sync_list *l, const struct sync_entry *e)
{
    return qc_span_sub(qc_buf_span(&l->paths), e->at, e->n);
}

qc_rc sync_list_add(struct sync_list *l, qc_span path, const struct sync_entry *what, struct qc_err *err)
{
    struct sync_entry e = *what;
    QC_ASSERT(path.n <= UINT32_MAX);
    l->paths.max = QC_SYNC_NAMES_MAX;
    l->entries.max = QC_SYNC_FILES_MAX * sizeof(e);
    e.at = l->paths.n;
    e.n = (uint32_t)path.n;
    QC_TRY_AS(qc_buf_add(&l->paths, path, err), err, "names of a sync");
    return qc_buf_add(&l->entries, qc_span_of(&e, sizeof(e)), err);
}

static int by_path(const void *a, const void *b, void *list)
{
    return qc_span_cmp(sync_list_path(list, a), sync_list_path(list, b));
}

void sync_list_sort(struct sync_list *l)
{
    if (sync_list_count(l) > 1)
        qsort_r(entries(l), sync_list_count(l), sizeof(struct sync_entry), by_path, l);
}

const struct sync_entry *sync_list_find(const struct sync_list *l, qc_span path)
{
    size_t low = 0, high = sync_list_count(l);
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int c = qc_span_cmp(path, sync_list_path(l, &entries(l)[mid]));
        if (c == 0)
            return &entries(l)[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool sync_list_touch(struct sync_list *l, qc_span path)
{
    const struct sync_entry *e = sync_list_find(l, path);
    if (e == NULL || e->kind != SYNC_DIR)
        return false;
    entries(l)[e - entries(l)].touched = true;
    return true;
}

bool sync_is_dir(const struct sync_stat *st)
{
    return S_ISDIR(st->mode);
}

int64_t sync_time_ns(int64_t s, uint32_t ns)
{
    const int64_t most = INT64_MAX / 1000000000 - 1;
    if (s > most)
        return INT64_MAX;
    if (s < -most)
        return INT64_MIN;
    return s * 1000000000 + ns;
}

uint32_t sync_mode(uint32_t mode)
{
    return (mode & 07777) | (S_ISLNK(mode) || S_ISDIR(mode) ? mode & S_IFMT : 0);
}

bool sync_is_link(const struct sync_stat *st)
{
    return S_ISLNK(st->mode);
}

struct sync_stat sync_stat_of(const struct stat *st)
{
    return (struct sync_stat){ .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
                               .inode = (uint64_t)st->st_ino,
                               .mtime_ns = sync_time_ns(st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec),
                               .ctime_ns = sync_time_ns(st->st_ctim.tv_sec, (uint32_t)st->st_ctim.tv_nsec),
                               .mode = sync_mode(st->st_mode) };
}

bool sync_stat_same(const struct sync_stat *a, const struct sync_stat *b)
{
    return a->size == b->size && a->inode == b->inode && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns && a->mode == b->mode;
}

bool sync_time_past(int64_t time_ns, int64_t now_ns)
{
    const int64_t coarse_ms = time_ns % 1000000000 == 0 ? QC_SYNC_COARSE_MS : 0;
    return time_ns < now_ns - (QC_SYNC_TICK_MS + coarse_ms) * 1000000;
}
