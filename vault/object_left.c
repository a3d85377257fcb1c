/* What an earlier get left, held against the seal. Nothing of it is believed: not its length, its name or its
 * place. The tags bind a chunk to its object, version and index (FORMAT 3.2), so bytes of another version, or
 * from another place of this one, are no chunk of it. Keeps I2. */
#include "object.h"

#include "base/alloc.h"

struct look {
    struct object *o;
    struct qc_pages pages;
    struct vault_tags tags;
};

static void look_done(struct look *l)
{
    if (l->pages.n > 0)
        qc_wipe(l->pages.p, l->pages.n);
    qc_pages_free(&l->pages);
    vault_tags_done(&l->tags);
}

/* Chunks whose bytes are all D's; of the last one padding may be a part, which no output has. */
static bool is_left(const struct object *o, uint64_t i, uint64_t left)
{
    const uint64_t size = vault_geometry_chunk_size(&o->frame->g, i);
    return vault_opened_true(o->opened, i) == size && size > 0 &&
           (i << o->frame->g.chunk_log2) + size <= left;
}

qc_rc object_left(struct object *o, uint64_t left, object_left_fn read, void *ctx, uint64_t *ret,
                  struct qc_err *err)
{
    const struct vault_geometry *g = &o->frame->g;
    const uint64_t total = vault_opened_meta(o->opened)->true_size;
    QC_CLEANUP(look_done) struct look l = { .o = o };
    uint64_t good = 0;
    QC_TRY(qc_pages_new(&l.pages, (size_t)1 << g->chunk_log2, err));
    for (uint64_t i = 0; i < g->chunks && is_left(o, i, left); i++) {
        const size_t n = (size_t)vault_geometry_chunk_size(g, i);
        bool same = false;
        QC_TRY(qc_go_on(o->call->op.deadline, o->call->op.cancel, "get", err));
        QC_TRY(read(ctx, i << g->chunk_log2, l.pages.p, n, err));
        QC_TRY(object_tags(o, &l.tags, vault_geometry_group_of(g, i), err));
        QC_TRY(vault_opened_same(o->opened, &l.tags, i, l.pages.p, n, &same, err));
        if (!same)
            break;
        good += n;
        session_progress(o->call, &(struct vault_progress){ .done = good, .total = total });
    }
    *ret = good;
    return QC_OK;
}
