/* A name's change of which the stores have noted that it is a removal, and that it has moved the object away:
 * one of both did not come to be, and a crash has left its note (ADR 56). The object was moved if another
 * name lists it, and only names lead to it that a store has noted as the target of a move of it.
 *
 * D1: what another name shows is never told to be this one's. A move that is under way may leave a name that
 * was not looked at yet for one that was. Its note of the new name is in both stores before the gateway is
 * asked: where the targets are others at the end than at the beginning, nothing is settled.
 * D2: nor is a name that was not shown told to be one that does not have it. Each look is at all names, there
 * or not: their numbers add up to the commits of the chain, or the gateway has left some out. While others
 * commit, one may be there in one look and not in the other: nothing is settled. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "list.h"
#include "versions.h"

enum { TAG = 16, TARGETS = 64 };

/* Names to which an object may have been moved. */
struct targets {
    uint8_t tag[2 * TARGETS][TAG];
    size_t n;
};

struct search {
    struct vault *v;
    const struct vault_call *call;
    const uint8_t *object, *own; /* and the tag of the name that is in dispute */
    struct targets in;
    bool found;
};

/* As both stores have them, store 1's first. */
static qc_rc find_targets(struct vault *v, const uint8_t *object, struct targets *ret, struct qc_err *err)
{
    ret->n = 0;
    for (unsigned i = 0; i < 2; i++) {
        size_t n = 0;
        QC_TRY(vault_store_moved_tags(v->store[i], object, ret->tag + ret->n, TARGETS, &n, err));
        ret->n += n;
    }
    return QC_OK;
}

static bool is_target(const struct search *s, const uint8_t *tag)
{
    const qc_span is = qc_span_of(tag, TAG);
    if (qc_span_eq(is, qc_span_of(s->own, TAG)))
        return false;
    for (size_t i = 0; i < s->in.n; i++)
        if (qc_span_eq(is, qc_span_of(s->in.tag[i], TAG)))
            return true;
    return false;
}

static qc_rc look_at(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct search *s = ctx;
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    const qc_span name = qc_buf_span(&what->name);
    struct qc_err why = { 0 };
    uint8_t tag[TAG];
    QC_TRY(vault_name_tag(tag, s->v->ring, name, err));
    if (s->found || !is_target(s, tag))
        return QC_OK;
    const qc_rc rc = vault_versions(s->v, name, s->call, &all, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = why;
        return rc;
    }
    for (size_t i = 0; i < all.n && !s->found; i++)
        s->found = memcmp(all.v[i].object, s->object, VAULT_ID_BYTES) == 0;
    return QC_OK;
}

/* *ret_whole: nobody has committed meanwhile. */
static qc_rc search(struct search *s, bool *ret_whole, struct qc_err *err)
{
    struct list_totals totals[2] = { 0 };
    QC_TRY(session_catch_up(s->v, NULL, &s->call->op, err));
    const uint64_t commits = s->v->head.count;
    for (unsigned removed = 0; removed < 2; removed++) {
        const struct list_to to = { .fn = look_at, .ctx = s, .removed = removed == 1, .tombstones = true };
        QC_TRY(list_objects(s->v, (qc_span){ 0 }, &to, s->call, &totals[removed], err));
    }
    QC_TRY(session_catch_up(s->v, NULL, &s->call->op, err));
    *ret_whole = s->v->head.count == commits;
    for (unsigned i = 0; i < 2 && *ret_whole; i++) /* D2 */
        if (totals[i].numbers != commits)
            return QC_FAIL(err, QC_INTEGRITY,
                           "the gateway's entries stand for %" PRIu64 " commits, the chain has %" PRIu64
                           ": entries were left out or added, and what became of a name is not settled",
                           totals[i].numbers, commits);
    return QC_OK;
}

/* Both stores say it from now on. */
static qc_rc note(struct search *s, uint64_t number, struct qc_err *err)
{
    struct vault_store_moved m = { 0 };
    if (s->found)
        QC_TRY(versions_moved(s->v, s->own, number, s->call, &m, err));
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(s->found ? vault_store_moved_done(s->v->store[i], &m, 1, err)
                        : vault_store_moved_removal(s->v->store[i], s->own, number, err));
    return QC_OK;
}

static qc_rc settle(struct vault *v, const struct vault_version *one, const uint8_t own[TAG],
                    const struct vault_call *call, uint64_t *done, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct search *s = qc_alloc(sizeof(*s));
    QC_CLEANUP(qc_free_ptr) struct targets *now = qc_alloc(sizeof(*now));
    bool whole = false;
    if (s == NULL || now == NULL)
        return QC_FAIL(err, QC_NOMEM, "disputes");
    *s = (struct search){ .v = v, .call = call, .object = one->object, .own = own };
    QC_TRY(find_targets(v, one->object, &s->in, err));
    QC_TRY(search(s, &whole, err));
    QC_TRY(find_targets(v, one->object, now, err));
    if (!whole ||
        !qc_span_eq(qc_span_of(now->tag[0], now->n * TAG), qc_span_of(s->in.tag[0], s->in.n * TAG))) /* D1 */
        return QC_OK;
    QC_TRY(note(s, one->disputed, err));
    ++*done;
    return QC_OK;
}

qc_rc vault_settle_disputes(struct vault *v, qc_span name, const struct vault_versions *versions,
                            const struct vault_call *call, uint64_t *ret, struct qc_err *err)
{
    uint8_t own[TAG];
    uint64_t done = 0, at = 0;
    QC_TRY(session_need_both(v, err));
    QC_TRY(vault_name_tag(own, v->ring, name, err));
    for (size_t i = 0; i < versions->n; i++) {
        if (versions->v[i].disputed == 0 || versions->v[i].disputed == at)
            continue;
        at = versions->v[i].disputed; /* all versions of one object stand together */
        QC_TRY(settle(v, &versions->v[i], own, call, &done, err));
    }
    *ret = done;
    return QC_OK;
}
