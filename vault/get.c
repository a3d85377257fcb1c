#include "versions.h"

#include "ahead.h"
#include "found.h"

#include <inttypes.h>
#include <string.h>

/* The highest number of this path that we know is now at least this one. Notes only: the get itself is done.
 */
static void seen(struct vault *v, const struct vault_gw_entry *e, struct vault_notes *notes)
{
    uint8_t tag[16];
    struct qc_err why = { 0 };
    if (vault_ring_path_tag(tag, v->ring, e->e.path, &why) != QC_OK)
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t mark = 0;
        if (v->store[i] == NULL || !vault_store_writable(v->store[i]))
            continue;
        if (vault_store_mark(v->store[i], tag, &mark, &why) == QC_OK && mark < e->e.number) {
            session_look_end(v);
            session_mark(v, e->e.path, e->e.number, notes);
            return;
        }
    }
}

static void note_margin(const struct vault_stat *s, struct vault_notes *notes)
{
    if (s->margin < s->margin_full)
        vault_note(notes, VAULT_NOTE_MARGIN, 0, QC_DEGRADED,
                   "clouds that may still be lost, by the gateway's last count: %" PRId64
                   " (asked for: %" PRId64 ")",
                   s->margin < 0 ? 0 : s->margin, s->margin_full);
}

struct get {
    struct object o;
    const struct vault_get_opts *opts;
    const struct vault_sink *sink;
    bool begun; /* the sink has heard of it */
};

static void get_done(struct get *g)
{
    object_done(&g->o);
}

static qc_rc give(void *ctx, qc_span bytes, struct qc_err *err)
{
    const struct get *g = ctx;
    return g->sink->write(g->sink->ctx, bytes, err);
}

/* Everything about the file that the sealed object itself says, which M covers, wins over the entry. */
static qc_rc begin_sink(struct get *g, struct vault_stat *stat, struct qc_err *err)
{
    const struct vault_meta *meta = vault_opened_meta(g->o.opened);
    if (meta->true_size != stat->size)
        return QC_FAIL(err, QC_INTEGRITY, "entry: %" PRIu64 " bytes, the object has %" PRIu64, stat->size,
                       meta->true_size);
    stat->has_mtime = meta->has_mtime;
    stat->has_mode = meta->has_mode;
    stat->mtime_s = meta->mtime_s;
    stat->mtime_ns = meta->mtime_ns;
    stat->mode = meta->mode;
    stat->xattrs = meta->xattrs;
    g->begun = true;
    const qc_rc rc = g->sink->begin == NULL ? QC_OK : g->sink->begin(g->sink->ctx, stat, err);
    stat->xattrs = (qc_span){ 0 };
    return rc;
}

static bool wants_all(const struct get *g)
{
    return !g->opts->slice.has_first && !g->opts->slice.has_last;
}

static qc_rc find_part(const struct get *g, struct vault_got *got, struct qc_err *err)
{
    got->part = (struct vault_range){ 0, got->what.size };
    if (g->opts->size != NULL)
        *g->opts->size = got->what.size;
    return wants_all(g) ? QC_OK : vault_slice_of(&g->opts->slice, got->what.size, &got->part, err);
}

/* All of it, behind what is there. */
static qc_rc deliver_all(struct get *g, struct vault_got *got, struct qc_err *err)
{
    const struct vault_left *left = g->sink->left;
    uint64_t bytes = 0;
    if (left != NULL)
        QC_TRY(left->find(g->sink->ctx, &bytes, err));
    got->left = bytes;
    g->begun = g->begun || bytes > 0;
    if (bytes > 0)
        QC_TRY(object_left(&g->o, bytes, left->read, g->sink->ctx, &got->kept, err));
    QC_TRY(begin_sink(g, &got->what, err));
    if (left != NULL)
        QC_TRY(left->keep(g->sink->ctx, got->kept, err));
    return object_walk_from(&g->o, got->kept, give, g, err);
}

/* What is wanted of what was opened. */
static qc_rc hand_over(struct get *g, struct vault_got *got, struct qc_err *err)
{
    if (wants_all(g))
        return deliver_all(g, got, err);
    QC_TRY(begin_sink(g, &got->what, err));
    return object_walk_part(&g->o, got->part, give, g, err);
}

/* Open it, and hand over what is wanted of it. The entry is sealed: a part that cannot be had is refused
 * before anything is read. */
static qc_rc deliver(struct get *g, struct vault_got *got, struct qc_err *err)
{
    QC_TRY(find_part(g, got, err));
    QC_TRY(object_frame(&g->o, err));
    QC_TRY(object_unlock(&g->o, err));
    return hand_over(g, got, err);
}

/* rc: of the delivery. */
static qc_rc end(struct get *g, qc_rc rc, struct vault_got *got, const struct vault_call *call,
                 struct qc_err *err)
{
    got->fetched = g->o.fetched;
    if (ahead_bytes(g->o.v->ahead, &g->o.ids).n == 0) /* else it was asked when they came */
        session_note_faults(g->o.v, g->o.request, call);
    QC_TRY(rc);
    return g->sink->finish != NULL ? g->sink->finish(g->sink->ctx, err) : QC_OK;
}

/* The entry of a name, and what it says: as a listing has found it, where the marks of the stores allow that,
 * or as it is now. */
static qc_rc entry_of(struct vault *v, qc_span name, qc_span found, struct vault_gw_entry *ret,
                      struct vault_stat *stat, const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry now = { 0 };
    bool there = false;
    if (found.n == 0) {
        QC_TRY(session_entry_of_name(v, name, &path, ret, call, err));
        return session_stat(v, name, ret, stat, err);
    }
    QC_TRY(found_take(&e, found, err));
    uint8_t seal[sizeof(e.e.seal)];
    memcpy(seal, e.e.seal, sizeof(seal));
    QC_TRY(session_entry_found(v, &e, &now, &there, call, err));
    QC_TRY(session_entry_is_file(&now, there, ret, err));
    if (!qc_ct_eq(ret->e.seal, seal, sizeof(seal)))
        return session_stat(v, name, ret, stat, err);
    found_stat(stat, found);
    stat->name.max = QC_VAULT_NAME_MAX;
    return qc_buf_add(&stat->name, name, err);
}

static qc_rc run(struct vault *v, qc_span name, struct get *g, const struct vault_call *call,
                 struct vault_got *got, struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    QC_TRY(entry_of(v, name, g->opts->found, &e, &got->what, call, err));
    QC_TRY(object_begin(&g->o, v, e.e.object, e.e.version, call, err));
    g->o.size = e.e.size;
    g->o.M = e.e.M;
    const qc_rc rc = end(g, deliver(g, got, err), got, call, err);
    g->o.M = NULL; /* it is e's */
    QC_TRY(rc);
    if (!e.marked)
        seen(v, &e, call->notes);
    if (e.has_margins)
        note_margin(&got->what, call->notes);
    return QC_OK;
}

/* What a listing found may have been replaced and removed for good since. Nothing was handed over then. */
static qc_rc run_found(struct vault *v, qc_span name, struct get *g, const struct vault_call *call,
                       struct vault_got *got, struct qc_err *err)
{
    const struct vault_get_opts *opts = g->opts, again = { .slice = opts->slice, .size = opts->size };
    struct qc_err why = { 0 };
    qc_rc rc = run(v, name, g, call, got, &why);
    if (rc == QC_QUORUM && opts->found.n > 0 && !g->begun) {
        qc_err_clear(&why);
        object_done(&g->o);
        vault_got_done(got);
        g->opts = &again;
        rc = run(v, name, g, call, got, &why);
        g->opts = opts;
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* The same of a version that is named; its object alone says what it is. */
static qc_rc run_version(struct vault *v, qc_span name, struct get *g, const struct vault_call *call,
                         struct vault_got *got, struct qc_err *err)
{
    struct versions_found f;
    QC_TRY(versions_find(v, name, g->opts->which, call, &f, err));
    QC_TRY(versions_open(&g->o, v, name, &f, call, &got->what, err));
    QC_TRY(find_part(g, got, err));
    QC_TRY(end(g, hand_over(g, got, err), got, call, err));
    note_margin(&got->what, call->notes);
    return QC_OK;
}

qc_rc vault_get_part(struct vault *v, qc_span name, const struct vault_get_opts *opts,
                     const struct vault_sink *sink, const struct vault_call *call, struct vault_got *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(get_done) struct get g = { .opts = opts, .sink = sink };
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    char text[NAME_TEXT];
    session_name_text(text, name);
    QC_TRY_AS(opts->which != NULL ? run_version(v, name, &g, call, &got, err)
                                  : run_found(v, name, &g, call, &got, err),
              err, "%s", text);
    *ret = QC_STEAL(got);
    return QC_OK;
}

qc_rc vault_get(struct vault *v, qc_span name, const struct vault_sink *sink, const struct vault_call *call,
                struct vault_stat *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    QC_TRY(vault_get_part(v, name, &(struct vault_get_opts){ 0 }, sink, call, &got, err));
    if (ret != NULL)
        *ret = QC_STEAL(got.what);
    return QC_OK;
}

void vault_got_done(struct vault_got *g)
{
    vault_stat_done(&g->what);
}

static qc_rc stat_run(struct vault *v, qc_span name, const struct vault_call *call, struct vault_stat *ret,
                      struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_TRY(session_entry_of_name(v, name, &path, &e, call, err));
    return session_stat(v, name, &e, ret, err);
}

qc_rc vault_stat(struct vault *v, qc_span name, const struct vault_call *call, struct vault_stat *ret,
                 struct qc_err *err)
{
    char text[NAME_TEXT];
    session_name_text(text, name);
    QC_TRY_AS(stat_run(v, name, call, ret, err), err, "%s", text);
    return QC_OK;
}

static qc_rc explain_run(struct vault *v, qc_span name, const struct vault_call *call, struct vault_stat *ret,
                         qc_buf *provenance, qc_buf *ways, struct qc_err *err)
{
    QC_CLEANUP(object_done) struct object o = { 0 };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_CLEANUP(vault_stat_done) struct vault_stat stat = { 0 };
    QC_TRY(session_entry_of_name(v, name, &path, &e, call, err));
    QC_TRY(session_stat(v, name, &e, &stat, err));
    QC_TRY(object_begin(&o, v, e.e.object, e.e.version, call, err));
    o.size = e.e.size;
    o.M = e.e.M;
    qc_rc rc = object_frame(&o, err);
    if (rc == QC_OK)
        rc = object_unlock(&o, err);
    session_note_faults(v, o.request, call);
    QC_TRY(rc);
    for (unsigned i = 0; i < 2; i++)
        stat.origin[i] = (struct vault_origin){ o.share[i] != NULL, o.given[i], o.generation[i] };
    stat.padding = o.frame->g.L - vault_opened_meta(o.opened)->true_size;
    QC_TRY(qc_buf_add(provenance, vault_opened_meta(o.opened)->provenance, err));
    if (ways != NULL)
        QC_TRY(vault_entry_ways(ways, &e.e, v->ring, err));
    *ret = QC_STEAL(stat);
    return QC_OK;
}

qc_rc vault_explain(struct vault *v, qc_span name, const struct vault_call *call, struct vault_stat *ret,
                    qc_buf *provenance, qc_buf *ways, struct qc_err *err)
{
    char text[NAME_TEXT];
    session_name_text(text, name);
    QC_TRY_AS(explain_run(v, name, call, ret, provenance, ways, err), err, "%s", text);
    return QC_OK;
}

qc_rc vault_layout(struct vault *v, const struct vault_stat *what, const struct vault_call *call,
                   struct vault_gw_info *ret, struct qc_err *err)
{
    return v->gw->ops->info(v->gw, v->id, what->object, what->version, ret, &call->op, err);
}
