/* A get from three sites: a thread for each reads its share file, the caller's restores from any two. */
#include <string.h>

#include "base/workq.h"
#include "handoff.h"
#include "vault/xor23_sites.h"
#include "xor23_format.h"

struct get3;
struct reader {
    struct get3 *all;
    unsigned letter;
    struct handoff bytes;
    struct vault_call call;
    uint64_t at; /* bytes that were taken */
    /* Written before the first bytes are given. */
    bool has_mtime, has_mode;
    int64_t mtime_s;
    uint32_t mtime_ns, mode;
};
struct get3 {
    const struct vault_xor23_sites *sites;
    qc_span name;
    const struct vault_sink *sink;
    const struct vault_call *call;
    struct vault_xor23_got *ret;
    uint64_t done;
    bool begun;
    struct reader reader[SS_XOR23_SHARES];
};

/* --- A site's thread --- */

static qc_rc site_begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct reader *r = ctx;
    (void)err;
    r->has_mtime = what->has_mtime;
    r->has_mode = what->has_mode;
    r->mtime_s = what->mtime_s;
    r->mtime_ns = what->mtime_ns;
    r->mode = what->mode;
    return QC_OK;
}

static qc_rc site_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct reader *r = ctx;
    return handoff_give(&r->bytes, bytes, err);
}

static void site_job(void *arg)
{
    struct reader *r = arg;
    const struct vault_sink sink = { .begin = site_begin, .write = site_write, .ctx = r };
    struct qc_err why = { 0 };
    why.rc = vault_get(r->all->sites->vault[r->letter], r->all->name, &sink, &r->call, NULL, &why);
    handoff_end(&r->bytes, why.rc == QC_OK ? NULL : &why);
}

/* --- The caller's thread --- */

/* Files are read from their beginning to their end; what is passed over is dropped. */
static qc_rc site_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *err)
{
    struct reader *r = ctx;
    size_t got = 1, have = 0;
    QC_ASSERT(offset >= r->at);
    while (r->at < offset && got > 0) {
        const uint64_t skip = offset - r->at;
        QC_TRY(
            handoff_take(&r->bytes, NULL, skip < SS_XOR23_BLOCK ? (size_t)skip : SS_XOR23_BLOCK, &got, err));
        r->at += got;
    }
    while (have < n && got > 0) {
        QC_TRY(handoff_take(&r->bytes, p + have, n - have, &got, err));
        r->at += got;
        have += got;
    }
    *ret_got = have;
    return QC_OK;
}

static bool same_times(const struct reader *a, const struct reader *b)
{
    return a->at > 0 && b->at > 0 && a->has_mtime == b->has_mtime && a->has_mode == b->has_mode &&
           a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns && a->mode == b->mode;
}

/* Time and mode are no secret, and no tag covers them: two sites must say the same. */
static qc_rc begin(struct get3 *g, struct qc_err *err)
{
    const struct reader *r = g->reader;
    struct vault_stat s = { .size = VAULT_SIZE_UNKNOWN };
    const struct reader *said = same_times(&r[0], &r[1]) || same_times(&r[0], &r[2]) ? &r[0]
                                : same_times(&r[1], &r[2])                           ? &r[1]
                                                                                     : NULL;
    g->begun = true;
    if (said != NULL) {
        s.has_mtime = said->has_mtime;
        s.has_mode = said->has_mode;
        s.mtime_s = said->mtime_s;
        s.mtime_ns = said->mtime_ns;
        s.mode = said->mode;
    }
    return g->sink->begin == NULL ? QC_OK : g->sink->begin(g->sink->ctx, &s, err);
}

static qc_rc sink_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct get3 *g = ctx;
    if (!g->begun)
        QC_TRY(begin(g, err));
    QC_TRY(g->sink->write(g->sink->ctx, bytes, err));
    g->done += bytes.n;
    const struct vault_progress now = { .done = g->done, .total = VAULT_SIZE_UNKNOWN };
    if (g->call->progress != NULL)
        g->call->progress(g->call->progress_ctx, &now);
    return QC_OK;
}

static qc_rc sink_finish(void *ctx, struct qc_err *err)
{
    struct get3 *g = ctx;
    if (!g->begun)
        QC_TRY(begin(g, err));
    return g->sink->finish == NULL ? QC_OK : g->sink->finish(g->sink->ctx, err);
}

/* Who does not know the name is no damaged site. */
static qc_rc judge(const struct get3 *g, qc_rc rc, struct qc_err *err)
{
    unsigned lacks = 0, there = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const bool is = g->sites->vault[i] != NULL;
        there += is;
        lacks += is && g->reader[i].bytes.why.rc == QC_NOTFOUND;
    }
    g->ret->have = there - lacks;
    if (rc == QC_SHARES && lacks >= 2)
        return QC_FAIL(err, QC_NOTFOUND, "%u of %u sites that answer %s it", there - lacks, there,
                       there - lacks == 1 ? "has" : "have");
    return rc;
}

static qc_rc restore(struct get3 *g, bool all, struct qc_workq *threads, struct qc_err *err)
{
    struct vault_xor23_restore from = { .all = all, .alone = g->sites->alone };
    const struct vault_sink sink = { .write = sink_write, .finish = sink_finish, .ctx = g };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct reader *r = &g->reader[i];
        if (g->sites->vault[i] == NULL)
            continue;
        r->call = (struct vault_call){ .op = g->call->op, .notes = g->sites->notes[i] };
        QC_TRY(qc_workq_submit(threads, site_job, r, QC_NO_DEADLINE, err));
        from.site[i] = (struct vault_xor23_site){ .read = site_read, .ctx = r };
    }
    return vault_xor23_restore(&from, &sink, &g->ret->report, err);
}

qc_rc vault_xor23_get(const struct vault_xor23_sites *sites, qc_span name, bool all,
                      const struct vault_sink *sink, const struct vault_call *call,
                      struct vault_xor23_got *ret, struct qc_err *err)
{
    struct get3 g = { .sites = sites, .name = name, .sink = sink, .call = call, .ret = ret };
    struct qc_workq *threads = NULL;
    *ret = (struct vault_xor23_got){ .have = 0 };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        g.reader[i].all = &g;
        g.reader[i].letter = i;
        handoff_init(&g.reader[i].bytes);
    }
    qc_rc rc = qc_workq_new(&threads, SS_XOR23_SHARES, SS_XOR23_SHARES, err);
    if (rc == QC_OK)
        rc = restore(&g, all, threads, err);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        handoff_leave(&g.reader[i].bytes);
    qc_workq_free(&threads);
    rc = judge(&g, rc, err);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        handoff_done(&g.reader[i].bytes);
    return rc;
}
