#include "levels.h"

#include "listing.h"

void levels_done(struct levels *l)
{
    qc_buf_free(&l->folder);
}

/* Behind the directory that the prefix names: "a/b" and "a/b/" are the same one, "a/b*" is "a/". */
static size_t base_of(qc_span prefix)
{
    size_t n = prefix.n;
    if (n > 0 && prefix.p[n - 1] == '*') {
        while (n > 0 && prefix.p[n - 1] != '/')
            n--;
        return n;
    }
    if (n > 0 && prefix.p[n - 1] == '/')
        n--;
    return n > 0 ? n + 1 : 0;
}

qc_rc levels_begin(struct levels *l, const struct qc_args *args, struct qc_err *err)
{
    uint64_t depth = 0;
    QC_TRY(qc_args_u64(args, "depth", false, 1, QC_VAULT_NAME_MAX, &depth, err));
    if (depth > 0 && qc_args_flag(args, "recursive"))
        return QC_FAIL(err, QC_USAGE, "-R lists all levels, and --depth so many: they do not go together");
    *l = (struct levels){ .depth = (unsigned)depth, .folder = { .max = QC_VAULT_NAME_MAX } };
    l->base = base_of(args->argc > 0 ? qc_span_str(args->argv[0]) : (qc_span){ 0 });
    return QC_OK;
}

/* Bytes of the folder at the last level that is listed, with its slash; 0: it lies no deeper than that. */
static size_t folder_of(const struct levels *l, qc_span name)
{
    unsigned level = 0;
    for (size_t i = l->base; l->depth > 0 && i < name.n; i++)
        if (name.p[i] == '/' && ++level == l->depth)
            return i + 1;
    return 0;
}

bool levels_ends(const struct levels *l, qc_span name)
{
    return l->folder.n > 0 &&
           (name.n < l->folder.n || !qc_span_eq(qc_span_sub(name, 0, l->folder.n), qc_buf_span(&l->folder)));
}

void levels_end(struct levels *l)
{
    qc_buf_clear(&l->folder);
    l->objects = l->size = 0;
}

qc_rc levels_take(struct levels *l, const struct vault_stat *s, bool *ret, struct qc_err *err)
{
    const qc_span name = qc_buf_span(&s->name);
    const size_t n = folder_of(l, name);
    const int64_t time = s->has_mtime ? s->mtime_s : s->created_s, budget = listing_budget(s);
    *ret = n > 0;
    if (n == 0)
        return QC_OK;
    const bool first = l->folder.n == 0;
    if (first)
        QC_TRY(qc_buf_add(&l->folder, qc_span_sub(name, 0, n), err));
    l->newest = first || time > l->newest ? time : l->newest;
    l->budget = first || budget < l->budget ? budget : l->budget;
    l->size += s->size;
    l->objects++;
    return QC_OK;
}
